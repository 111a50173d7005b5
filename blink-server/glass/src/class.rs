//! What the glass knows of a class: how its renderer keeps its frames, and what it took.

use crate::pace::Pace;
use ipc::{ClientId, WindowId};
use std::collections::VecDeque;

/// Messages of a renderer a second, in the long run.
const MESSAGES: u64 = 2000;
/// Messages at once: a new renderer tells all of its windows.
const BURST: u64 = 4096;
/// Messages above those, after which a renderer is of no use: it was not read, so this is a mistake of the caller or a flood
/// in a test.
const FLOOD: u64 = 4 * BURST;
/// Bytes of a message that cost as much as another message.
pub const MESSAGE_BYTES: usize = 1024;
/// Bytes of all windows' memory of a class.
pub const MAX_MEMORY: u64 = 512 << 20;
/// Clients that are gone but may still be spoken of.
const REMEMBERED: usize = 256;
/// Nanoseconds of a second.
const SECOND: u64 = 1_000_000_000;

/// What a renderer may still say: a bucket that fills with time.
#[derive(Debug)]
struct Allowance {
    /// Nanoseconds of messages that were said: grows by [`SECOND`]` / `[`MESSAGES`] with each, shrinks with time.
    debt: u64,
    since: u64,
}

impl Allowance {
    const EACH: u64 = SECOND / MESSAGES;

    fn pass(&mut self, now: u64) {
        self.debt = self.debt.saturating_sub(now.saturating_sub(self.since));
        self.since = self.since.max(now);
    }

    fn take(&mut self, messages: u64, now: u64) -> bool {
        self.pass(now);
        self.debt = self.debt.saturating_add(messages.saturating_mul(Allowance::EACH));
        self.debt <= (BURST + FLOOD) * Allowance::EACH
    }

    fn next(&self) -> u64 {
        self.since.saturating_add(self.debt.saturating_sub(BURST * Allowance::EACH))
    }
}

/// A class.
#[derive(Debug)]
pub struct Class {
    /// It has a renderer.
    pub is_alive: bool,
    /// Which, as the broker counts them.
    pub life: u64,
    /// Its renderer wants a frame.
    pub wants: bool,
    /// Frames that its renderers were asked for.
    pub frames: u64,
    /// How it keeps its frames.
    pub pace: Pace,
    /// What people are to know of it.
    pub note: Option<String>,
    /// Bytes of its windows' memory.
    pub memory: u64,
    /// The last serial of a buffer.
    pub serial: u32,
    /// Windows that want to be told when the frame of this number is seen.
    pub tell: Vec<(u64, WindowId)>,
    allowance: Allowance,
    /// Clients that are gone but may still be spoken of, for their renderer hears it later.
    gone: VecDeque<ClientId>,
}

impl Class {
    /// A class without a renderer.
    pub fn new(now: u64) -> Class {
        Class {
            is_alive: false,
            life: 0,
            wants: false,
            frames: 0,
            pace: Pace::default(),
            note: None,
            memory: 0,
            serial: 0,
            tell: Vec::new(),
            allowance: Allowance { debt: 0, since: now },
            gone: VecDeque::new(),
        }
    }

    /// It has a new renderer.
    pub fn renew(&mut self, life: u64, now: u64) {
        self.life = life;
        self.is_alive = true;
        self.wants = false;
        self.pace.renew();
        self.tell.clear();
        self.allowance = Allowance { debt: 0, since: now };
    }

    /// Its renderer is gone.
    pub fn end(&mut self) {
        self.is_alive = false;
        self.wants = false;
        self.pace.renew();
        self.tell.clear();
    }

    /// Is it drawing?
    pub fn is_drawing(&self) -> bool {
        self.is_alive && self.pace.asked().is_some()
    }

    /// A message costs this much. False: that is a flood.
    pub fn charge(&mut self, messages: u64, now: u64) -> bool {
        self.allowance.take(messages, now)
    }

    /// From when on its renderer may be listened to.
    pub fn speaks_from(&self) -> u64 {
        self.allowance.next()
    }

    /// A client of it went.
    pub fn forget(&mut self, client: ClientId) {
        if self.gone.len() >= REMEMBERED {
            self.gone.pop_front();
        }
        self.gone.push_back(client);
    }

    /// Was this a client of it, not long ago?
    pub fn knew(&self, client: ClientId) -> bool {
        self.gone.contains(&client)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_burst_and_then_so_many_a_second() {
        let mut class = Class::new(0);
        let mut now = 5 * SECOND;
        for _ in 0..BURST {
            assert!(class.speaks_from() <= now);
            assert!(class.charge(1, now));
        }
        class.charge(1, now);
        assert_eq!(class.speaks_from(), now + SECOND / MESSAGES);
        let mut heard = 0;
        while now < 15 * SECOND {
            now = now.max(class.speaks_from());
            class.charge(1, now);
            heard += 1;
        }
        assert!((MESSAGES * 10 - 2..=MESSAGES * 10 + 2).contains(&heard), "{heard}");
        assert!(!(0..=FLOOD).all(|_| class.charge(1, now)), "a flood is told");
    }
}
