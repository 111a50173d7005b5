//! The Blink display server.
//!
//! Three processes of one binary: the *broker* owns sockets, memory and policy, and never looks at what a
//! client wrote; the *keeper* starts it, and holds what the next one needs if it dies; the *renderer* reads what clients wrote, runs it, and draws. `docs/ARCHITECTURE.md` is the map.

pub mod broker;
pub mod compositor;
pub mod geometry;
pub mod gl;
pub mod ipc;
pub mod keeper;
pub mod options;
pub mod output;
pub mod renderer;
mod throttle;
pub mod vm;

pub use blink_client::seqpacket as socket;
pub use budget;
