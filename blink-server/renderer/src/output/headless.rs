//! No output at all: the picture stays in memory, for screenshots.

use super::{Output, OutputEvent};
use gl::{Framebuffer, Tracker, context};
use rustix::fd::BorrowedFd;

/// An output without a screen.
#[derive(Debug)]
pub struct Headless {
    refresh: u64,
    /// Keeps the OpenGL context alive.
    _context: context::Headless,
}

impl Headless {
    /// An output that makes `hz` frames a second.
    #[must_use]
    pub fn new(context: context::Headless, hz: u32) -> Headless {
        Headless { refresh: 1_000_000_000 / u64::from(hz.max(1)), _context: context }
    }
}

impl Output for Headless {
    fn refresh(&self) -> u64 {
        self.refresh
    }

    fn pump(&mut self) -> Vec<OutputEvent> {
        Vec::new()
    }

    fn poll_fd(&self) -> Option<BorrowedFd<'_>> {
        None
    }

    fn present(&mut self, _tracker: &mut Tracker, _screen: &Framebuffer) -> Result<(), String> {
        Ok(())
    }
}
