//! No output at all: the picture stays in memory, for screenshots.

use super::{Output, OutputEvent};
use crate::heads::{HeadMode, Heads};
use ipc::geometry::Region;
use rustix::fd::BorrowedFd;

/// An output without a screen.
#[derive(Clone, Copy, Debug)]
pub struct Headless {
    mode: HeadMode,
}

impl Headless {
    /// An output that makes `hz` frames a second.
    pub fn new(width: u32, height: u32, hz: u32) -> Headless {
        Headless {
            mode: HeadMode { width, height, refresh: 1_000_000_000 / u64::from(hz.max(1)), scale: 1.0 },
        }
    }
}

impl Output for Headless {
    fn mode(&self) -> HeadMode {
        self.mode
    }

    fn describe(&self) -> String {
        let HeadMode { width, height, refresh, .. } = self.mode;
        format!("headless {width}x{height}, a frame each {} us", refresh / 1000)
    }

    fn pump(&mut self) -> Vec<OutputEvent> {
        Vec::new()
    }

    fn poll_fd(&self) -> Option<BorrowedFd<'_>> {
        None
    }

    fn present(&mut self, _heads: &Heads, _changed: &Region) -> Result<(), String> {
        Ok(())
    }
}
