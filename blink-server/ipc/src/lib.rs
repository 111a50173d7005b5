//! What the processes of the server say to each other, and what they count in: messages, names, rectangles, limits.
//!
//! The crate knows nothing of guests' programs or memory, so every process may depend on it.

pub mod geometry;
pub mod glass;
pub mod limits;
pub mod message;
pub mod options;
pub mod samples;
pub mod template;
pub mod throttle;
pub mod vm;

pub use message::*;

use std::path::{Path, PathBuf};

/// The socket for `blinkctl` beside the one for clients.
#[must_use]
pub fn control_path(socket: &Path) -> PathBuf {
    let mut path = socket.as_os_str().to_owned();
    path.push(".control");
    path.into()
}
