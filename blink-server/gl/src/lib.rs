//! The GL state tracker: fixed-function OpenGL on OpenGL 3.3 (or OpenGL ES 3.0) with our own fixed shaders.
//! The only code that calls OpenGL.
//!
//! - [`state`]: a window's OpenGL state as plain data, and what each state command does to it.
//! - [`record`]: the part of it that the vertex stage consumes, packed for the GPU; a vertex names its record,
//!   so that primitives with different matrices and materials share a draw.
//! - [`painter`]: receives a running program's commands and segments ([`jit::Gl`]), gathers batches.
//! - [`stage`]: which of that a batch needs, so that its shader has no more.
//! - [`block`]: the rest of what the shaders consume, a uniform block for each draw.
//! - [`arrays`]: vertex arrays, read from buffers.
//! - [`resource`]: clients' textures and buffers.
//! - [`pace`]: how long a run may draw at a time.
//! - [`batch`]: a batch's vertices, kept on the GPU while frames repeat.
//! - [`tracker`]: the OpenGL objects, and the drawing that the server does for itself.
//!
//! Coordinates: callers count pixels from the upper left corner, OpenGL from the lower left; the
//! only place that turns one into the other is [`tracker::Framebuffer::flip`].
//!
//! Safety of the calls: every `unsafe` block calls OpenGL by glow. They rest on three facts. The
//! context is current on the thread, because [`Tracker::new`] is given the context that was made
//! current there, a `Tracker` is neither `Send` nor `Sync`, and nobody makes another current. Object names come
//! from this context and are deleted once, because the types that hold them are not `Clone` and are
//! consumed by deletion. Sizes that OpenGL reads memory by are those of the slices given with them.

pub use blinkgl::layout::texture::TextureDesc;

pub mod arrays;
pub mod batch;
pub mod block;
pub mod context;
mod fragment;
pub mod matrix;
pub mod pace;
mod painter;
pub mod record;
pub mod resource;
pub mod shader;
pub mod stage;
pub mod state;
pub mod texture;
pub mod tracker;

pub use pace::{Clock, Counted, Slice, Stride, Taken};
pub use painter::{Painted, Painter, Paused, Target};
pub use resource::{Buffer, ResourceKey, ResourceScope, Resources};
pub use state::{StateOnly, WindowState};
pub use tracker::{Counters, Framebuffer, GlError, Tracker};
