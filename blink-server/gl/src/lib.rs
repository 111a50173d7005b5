//! The GL state tracker: fixed-function OpenGL on OpenGL 3.3 (or OpenGL ES 3.0) with our own fixed shaders.
//! The only code that calls OpenGL.
//!
//! A file imports only from those that stand before it here:
//!
//! - [`context`]: a context of OpenGL, and its functions.
//! - [`matrix`], [`arrays`]: matrices; vertex arrays, read from buffers.
//! - [`state`]: a window's OpenGL state as plain data, and what each state command does to it.
//! - [`record`]: the part of it that the vertex stage consumes, packed for the GPU; a vertex names its record,
//!   so that primitives with different matrices and materials share a draw.
//! - [`batch`]: what one draw call draws.
//! - `cache`: vertex buffers, kept on the GPU while frames repeat.
//! - `error`, `pixels`: why OpenGL did not do something, and how pixels lie in our memory.
//! - `driver`: the calls of OpenGL. With `context`, all that is unsafe but one call.
//! - `screen`: framebuffers, and the server's own drawing.
//! - [`texture`]: a client's texture on the GPU.
//! - [`block`]: what the shaders consume besides records and lights, a uniform block for each draw.
//! - [`stage`]: which of the vertex stage a batch needs, so that its shader has no more.
//! - [`variant`]: which of our shaders a draw needs.
//! - `fragment`, [`shader`]: the shaders' text.
//! - `drawing`: what a batch is drawn with, and how far.
//! - `applied`, `programs`, `uniforms`, `samplers`, `meshes`: five owners of what OpenGL holds for guests' drawing. None knows
//!   another, but that programs name the blocks of `uniforms`.
//! - [`pace`]: how long a run may draw at a time.
//! - [`tracker`]: puts them together.
//! - [`resource`]: clients' textures and buffers.
//! - `painter`: receives a running program's commands and segments ([`jit::Gl`]), gathers batches.
//!
//! Coordinates: callers count pixels from the upper left corner, OpenGL from the lower left; the
//! only place that turns one into the other is [`Framebuffer::flip`].
//!
//! Object names come from one context and are deleted once: [`Framebuffer`] and [`texture::Texture`] are not `Clone` and consumed
//! by deletion; all other names are deleted by the one owner that made them.

pub use blinkgl::layout::texture::TextureDesc;

mod applied;
pub mod arrays;
pub mod batch;
pub mod block;
mod cache;
pub mod context;
mod drawing;
mod driver;
mod error;
mod fragment;
pub mod matrix;
mod meshes;
pub mod pace;
mod painter;
mod pixels;
mod programs;
pub mod record;
pub mod resource;
mod samplers;
mod screen;
pub mod shader;
pub mod stage;
pub mod state;
pub mod texture;
pub mod tracker;
mod uniforms;
pub mod variant;

pub use driver::Counters;
pub use error::GlError;
pub use pace::{Clock, Counted, Slice, Stride, Taken};
pub use painter::{Painted, Painter, Paused};
pub use resource::{Buffer, ResourceKey, ResourceScope, Resources};
pub use screen::{Framebuffer, Target};
pub use state::{StateOnly, WindowState};
pub use tracker::Tracker;
