//! Where the picture goes and input comes from.

pub mod headless;
#[cfg(any(feature = "x11", feature = "wayland"))]
pub mod window;

use gl::{Framebuffer, Tracker};
use ipc::Input;
use rustix::fd::BorrowedFd;

/// What an output says.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum OutputEvent {
    /// The user did something.
    Input(Input),
    /// The picture must be shown again.
    Exposed,
    /// The user closed the output.
    Quit,
}

/// An output.
pub trait Output {
    /// Nanoseconds from frame to frame.
    fn refresh(&self) -> u64;

    /// What happened since the last call. Never blocks.
    fn pump(&mut self) -> Vec<OutputEvent>;

    /// Readable when there may be something to pump.
    fn poll_fd(&self) -> Option<BorrowedFd<'_>>;

    /// Shows the picture.
    ///
    /// # Errors
    /// What went wrong, for the log.
    fn present(&mut self, tracker: &mut Tracker, screen: &Framebuffer) -> Result<(), String>;
}
