//! What the server tells a client: events, clock, status. Written, never read back.

use blinkgl::layout::{self, Event, EventKind, context, split};
use blinkgl::limits::EVENT_RING_ENTRIES;
use blinkgl::shm::{OutOfBounds, Shm, ShmOffset};

/// Writer of a context's event ring, clock and status words.
#[derive(Debug)]
pub struct Channel {
    memory: Shm,
    /// Events put so far, our own count: the client may scribble over the one in memory.
    put: u32,
    dropped: u32,
    clock_sequence: u32,
}

impl Channel {
    /// Takes over the ring where it stands, so that a restarted renderer goes on in it.
    ///
    /// # Errors
    /// The context has no room for its own fixed pages.
    pub fn new(memory: Shm) -> Result<Channel, OutOfBounds> {
        let put = memory.load(ShmOffset(context::EVENTS_PUT))?;
        let dropped = memory.load(ShmOffset(context::EVENTS_DROPPED))?;
        let clock_sequence = memory.load(ShmOffset(context::CLOCK_SEQUENCE))? & !1;
        let epoch = memory.load(ShmOffset(context::SERVER_EPOCH))?;
        memory.store(ShmOffset(context::SERVER_EPOCH), epoch.wrapping_add(1).max(1))?;
        Ok(Channel { memory, put, dropped, clock_sequence })
    }

    /// Puts an event into the ring; a full ring drops it and counts it. True: it was put.
    pub fn put(&mut self, kind: EventKind, window: u32, time: u64, words: [u32; 4]) -> bool {
        let event = Event { kind: kind as u32, window, time, words };
        self.try_put(&event).unwrap_or(false)
    }

    fn try_put(&mut self, event: &Event) -> Result<bool, OutOfBounds> {
        let untrusted_taken = self.memory.load(ShmOffset(context::EVENTS_TAKEN))?;
        // A count that makes no sense reads as a full ring: the client harms itself only.
        if self.put.wrapping_sub(untrusted_taken) >= EVENT_RING_ENTRIES {
            self.dropped = self.dropped.wrapping_add(1);
            self.memory.store(ShmOffset(context::EVENTS_DROPPED), self.dropped)?;
            return Ok(false);
        }
        self.memory.copy_out(ShmOffset(layout::event_offset(self.put)), &event.encode())?;
        self.put = self.put.wrapping_add(1);
        // `store` releases: who sees the new count sees the event.
        self.memory.store(ShmOffset(context::EVENTS_PUT), self.put)?;
        Ok(true)
    }

    /// Does the client want `presented` events?
    #[must_use]
    pub fn wants_presented(&self) -> bool {
        self.memory.load(ShmOffset(context::WANT_PRESENTED)).is_ok_and(|wish| wish != 0)
    }

    /// Says which commit the last scan saw.
    pub fn scanned(&self, commit: u32) {
        let stored = self.memory.store(ShmOffset(context::SCANNED), commit);
        debug_assert!(stored.is_ok(), "the header page was there when the channel was made");
    }

    /// Writes the clock: times in nanoseconds of the server's clock.
    pub fn clock(&mut self, now: u64, next_present: u64, refresh: u64, frame: u64) {
        let mut words = [0; 8];
        for (pair, value) in words.chunks_exact_mut(2).zip([now, next_present, refresh, frame]) {
            pair.copy_from_slice(&split(value));
        }
        let sequence = self.clock_sequence.wrapping_add(2);
        let write = || {
            self.memory.store(ShmOffset(context::CLOCK_SEQUENCE), sequence.wrapping_sub(1))?;
            self.memory.copy_out(ShmOffset(context::CLOCK_NOW), &words)?;
            self.memory.store(ShmOffset(context::CLOCK_SEQUENCE), sequence)
        };
        let written: Result<(), OutOfBounds> = write();
        debug_assert!(written.is_ok(), "the header page was there when the channel was made");
        self.clock_sequence = sequence;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use blinkgl::limits::PAGE_SIZE;

    #[test]
    fn a_full_ring_drops_and_says_so_and_goes_on() {
        let memory = Shm::anonymous(layout::DATA_PAGE * PAGE_SIZE);
        let mut channel = Channel::new(memory.clone()).unwrap();
        for i in 0..EVENT_RING_ENTRIES {
            assert!(channel.put(EventKind::Notify, 1, 0, [i, 0, 0, 0]));
        }
        assert!(!channel.put(EventKind::Notify, 1, 0, [0; 4]));
        assert_eq!(memory.load(ShmOffset(context::EVENTS_DROPPED)), Ok(1));
        memory.store(ShmOffset(context::EVENTS_TAKEN), 2).unwrap();
        assert!(channel.put(EventKind::Notify, 1, 0, [7; 4]));
        // A lie about what was taken stops this client's events only.
        memory.store(ShmOffset(context::EVENTS_TAKEN), 0x8000_0000).unwrap();
        assert!(!channel.put(EventKind::Notify, 1, 0, [7; 4]));
        // The next renderer goes on after the last event.
        memory.store(ShmOffset(context::EVENTS_TAKEN), EVENT_RING_ENTRIES + 1).unwrap();
        let mut next = Channel::new(memory.clone()).unwrap();
        assert!(next.put(EventKind::Notify, 1, 0, [9; 4]));
        assert_eq!(memory.load(ShmOffset(context::EVENTS_PUT)), Ok(EVENT_RING_ENTRIES + 2));
        assert_eq!(memory.load(ShmOffset(context::SERVER_EPOCH)), Ok(2));
    }
}
