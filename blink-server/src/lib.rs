//! The Blink display server: one binary, whose processes each have a crate of their own. `docs/ARCHITECTURE.md` is the map.

pub mod keeper;
pub mod together;

pub use ipc::{geometry, options, vm};
pub use os::seqpacket as socket;
pub use {broker, budget, gl, glass, ipc, renderer};
