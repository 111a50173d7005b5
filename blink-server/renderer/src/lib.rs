//! The renderer: the process that reads what clients wrote, runs it, and draws.
//!
//! It gets its clients from the broker, by a socket pair, and needs no file and no network after its start.
//! Everything that it knows of a client it reads from the client's aperture, so that the next renderer can take
//! over at any moment.

pub mod channel;
pub mod client;
mod compile;
pub mod conduct;
pub mod control;
mod crowd;
pub mod doorbell;
pub mod interrupt;
mod known;
pub mod mapping;
pub mod output;
mod paint;
pub mod pointer;
pub mod process;
pub mod running;
pub mod sandbox;
pub mod scan;
pub mod seat;
pub mod server;
mod slow;
pub mod stats;
pub mod wake;
pub mod window;

pub use process::main;
pub use server::Server;
