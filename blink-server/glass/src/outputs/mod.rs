//! Where the picture goes and input comes from.

#[cfg(any(feature = "x11", feature = "wayland"))]
mod desktop;
#[cfg(any(test, feature = "x11", feature = "wayland"))]
pub mod fit;
pub mod headless;
#[cfg(any(test, feature = "x11", feature = "wayland"))]
pub mod wheel;
#[cfg(any(feature = "x11", feature = "wayland"))]
pub mod window;

use crate::heads::{HeadMode, Heads};
use crate::sandbox::Needs;
use ipc::Input;
use ipc::geometry::Region;
use rustix::fd::BorrowedFd;

/// What an output says.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum OutputEvent {
    /// The user did something.
    Input(Input),
    /// The user's devices are elsewhere now: everything that is held counts as released.
    Left,
    /// The picture must be shown again.
    Exposed,
    /// The user closed the output.
    Quit,
}

/// An output.
pub trait Output {
    /// What it can do.
    fn mode(&self) -> HeadMode;

    /// What it needs after the start.
    fn needs(&self) -> Needs {
        Needs::default()
    }

    /// What it is, for the log.
    fn describe(&self) -> String;

    /// What happened since the last call. Never blocks.
    fn pump(&mut self) -> Vec<OutputEvent>;

    /// Readable when there may be something to pump.
    fn poll_fd(&self) -> Option<BorrowedFd<'_>>;

    /// Shows the picture, of which `changed` is new.
    ///
    /// # Errors
    /// What went wrong, for the log.
    fn present(&mut self, heads: &Heads, changed: &Region) -> Result<(), String>;

    /// Whether the output draws a pointer of its own.
    fn show_pointer(&mut self, _is_shown: bool) {}
}
