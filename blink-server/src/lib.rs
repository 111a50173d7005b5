//! The Blink display server.
pub mod ipc;
