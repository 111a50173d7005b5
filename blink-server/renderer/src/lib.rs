//! The renderer: the process that reads what clients wrote, runs it, and draws.
//!
//! It gets its clients from the broker, by a socket pair, and needs no file and no network after its start.
//! Everything that it knows of a client it reads from the client's aperture, so that the next renderer can take
//! over at any moment.

pub mod aperture;
mod callbacks;
pub mod channel;
pub mod client;
mod compile;
pub mod conduct;
mod control;
pub mod doorbell;
mod input;
mod paint;
pub mod process;
pub mod renderer;
pub mod running;
pub mod sandbox;
pub mod scan;
mod scanning;
mod slow;
pub mod stats;
mod template;
pub mod views;
pub mod wake;
pub mod window;

pub use process::main;
pub use renderer::{Frame, Renderer};
pub use template::main as template;
