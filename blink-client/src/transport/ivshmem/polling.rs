//! Waiting without being woken: looks for events, less often the longer none come.

use crate::Error;
use crate::transport::Wake;
use blinkgl::layout::{aperture, context};
use blinkgl::limits::{MAX_CONTEXTS, PAGE_SIZE};
use blinkgl::shm::{Shm, ShmOffset};
use std::time::{Duration, Instant};

/// From the first look to the second.
const FIRST_PAUSE: Duration = Duration::from_millis(1);
/// From one look to the next after a while: about a frame.
const LAST_PAUSE: Duration = Duration::from_millis(16);

/// A wait.
#[derive(Debug)]
pub(super) struct Polling {
    end: Option<Instant>,
    pause: Duration,
}

impl Polling {
    /// One that takes at most so long.
    pub fn new(timeout: Option<Duration>) -> Polling {
        // A time beyond what the clock can hold is for ever.
        let end = timeout.and_then(|timeout| Instant::now().checked_add(timeout));
        Polling { end, pause: FIRST_PAUSE }
    }

    /// What is left of the time; `None`: it never ends.
    pub fn left(&self) -> Option<Duration> {
        self.end.map(|end| end.saturating_duration_since(Instant::now()))
    }

    /// The next pause; `None`: the time is up.
    pub fn next_pause(&mut self) -> Option<Duration> {
        let left = self.left();
        if left == Some(Duration::ZERO) {
            return None;
        }
        let pause = self.pause;
        self.pause = (pause * 2).min(LAST_PAUSE);
        Some(left.map_or(pause, |left| left.min(pause)))
    }

    /// Waits until there are events.
    pub fn wait(mut self, memory: &Shm) -> Result<Wake, Error> {
        loop {
            if has_events(memory)? {
                return Ok(Wake::Events);
            }
            match self.next_pause() {
                Some(pause) => std::thread::sleep(pause),
                None => return Ok(Wake::Timeout),
            }
        }
    }
}

/// Has a context events that were not taken?
pub(super) fn has_events(memory: &Shm) -> Result<bool, Error> {
    for index in 0..MAX_CONTEXTS {
        let entry = aperture::DIRECTORY + index * aperture::ENTRY_BYTES;
        if memory.load(ShmOffset(entry + aperture::ENTRY_GENERATION))? == 0 {
            continue;
        }
        let first = memory.load(ShmOffset(entry + aperture::ENTRY_FIRST_PAGE))?;
        let start = usize::try_from(first).unwrap_or(usize::MAX).saturating_mul(PAGE_SIZE);
        let word = |offset: usize| memory.load(ShmOffset(start.saturating_add(offset)));
        if word(context::EVENTS_PUT)? != word(context::EVENTS_TAKEN)? {
            return Ok(true);
        }
    }
    Ok(false)
}
