//! What the keeper has of ours, and what it is to be told.
//!
//! Not messages wait for it but names of what has changed, and what is sent is the newest state of each. So whatever
//! comes and goes meanwhile, what waits is never more than what there is, and a keeper that is slow misses nothing.

use crate::link::Link;
use ipc::{Key, ToKeeper};
use os::seqpacket::{Received, SocketError};
use rustix::event::epoll::EventFlags;
use rustix::fd::{AsFd, BorrowedFd, OwnedFd};
use serde::Serialize;
use std::collections::BTreeSet;
use std::time::{Duration, Instant};

/// From one round of notes to the next, if there are always some: windows may move in each frame, and where they were
/// a moment ago is good enough for a broker that goes on for one that died.
const NOTE_PAUSE: Duration = Duration::from_millis(250);
/// So much of the pauses may be saved up: what a user moves is told at once.
const NOTE_CREDIT: Duration = Duration::from_secs(4);

/// Knows what is to be kept.
pub trait State {
    /// What the next broker wants to know of this, and the descriptors beside it; `None`: there is no such thing.
    ///
    /// # Errors
    /// It can't be written: an error of ours.
    fn newest(&self, key: Key) -> Result<Option<(String, Vec<BorrowedFd<'_>>)>, serde_json::Error>;
}

/// See the [module](self).
#[derive(Debug)]
pub struct Deposits {
    link: Link,
    /// What the keeper has.
    kept: BTreeSet<Key>,
    /// Of that, what is to be closed.
    gone: BTreeSet<Key>,
    /// To be kept, with other descriptors than before if there was something. In this order: a client is worth
    /// nothing without its aperture, and must not have an id that the server's counter does not know.
    changed: BTreeSet<Key>,
    /// The descriptors are the same.
    noted: BTreeSet<Key>,
    /// The pauses of all rounds of notes end then.
    notes_paid: Option<Instant>,
}

impl Deposits {
    /// With the keeper at the other end of a socket.
    #[must_use]
    pub fn new(socket: OwnedFd) -> Deposits {
        Deposits {
            link: Link::new(socket),
            kept: BTreeSet::new(),
            gone: BTreeSet::new(),
            changed: BTreeSet::new(),
            noted: BTreeSet::new(),
            notes_paid: None,
        }
    }

    /// The keeper said that it has this.
    pub fn found(&mut self, key: Key) {
        self.kept.insert(key);
    }

    /// This is there now, or has other descriptors.
    pub fn change(&mut self, key: Key) {
        self.noted.remove(&key);
        self.changed.insert(key);
    }

    /// Something else is known of this.
    pub fn note(&mut self, key: Key) {
        if self.kept.contains(&key) && !self.changed.contains(&key) {
            self.noted.insert(key);
        }
    }

    /// This is not there any more.
    pub fn drop(&mut self, key: Key) {
        self.changed.remove(&key);
        self.noted.remove(&key);
        if self.kept.contains(&key) {
            self.gone.insert(key);
        }
    }

    /// Tells the keeper what it does not know yet, as far as it takes it.
    ///
    /// # Errors
    /// It is gone.
    pub fn tell(&mut self, state: &impl State, now: Instant) -> Result<(), SocketError> {
        self.link.try_again(now);
        while let Some(&key) = self.gone.first() {
            if !self.send(&ToKeeper::Drop { key }, &[], now)? {
                return Ok(());
            }
            self.gone.remove(&key);
            self.kept.remove(&key);
        }
        while let Some(&key) = self.changed.first() {
            if let Some((value, fds)) = newest(state, key) {
                if !self.send(&ToKeeper::Keep { key, value }, &fds, now)? {
                    return Ok(());
                }
                self.kept.insert(key);
            }
            self.changed.remove(&key);
        }
        if !self.noted.is_empty() && self.notes_paid.is_none_or(|paid| paid <= now + NOTE_CREDIT) {
            while let Some(&key) = self.noted.first() {
                if let Some((value, _)) = newest(state, key)
                    && !self.send(&ToKeeper::Note { key, value }, &[], now)?
                {
                    return Ok(());
                }
                self.noted.remove(&key);
            }
            self.notes_paid = Some(self.notes_paid.map_or(now, |paid| paid.max(now)) + NOTE_PAUSE);
        }
        Ok(())
    }

    /// The socket has room.
    pub fn has_room(&mut self) {
        self.link.has_room();
    }

    /// What to watch the socket for.
    #[must_use]
    pub fn interest(&self) -> EventFlags {
        self.link.interest()
    }

    /// When to [`tell`](Deposits::tell) again, if nothing happens before.
    #[must_use]
    pub fn due(&self) -> Option<Instant> {
        match (self.link.again(), self.link.full_since()) {
            (Some(again), _) => Some(again),
            (None, Some(_)) => None,
            // Without any before, they were told at once.
            (None, None) if !self.noted.is_empty() => self.notes_paid?.checked_sub(NOTE_CREDIT),
            (None, None) => None,
        }
    }

    /// The next message from the keeper.
    ///
    /// # Errors
    /// As [`Link::receive`].
    pub fn receive(&self) -> Result<Received, SocketError> {
        self.link.receive()
    }

    fn send(
        &mut self,
        message: &impl Serialize,
        fds: &[BorrowedFd<'_>],
        now: Instant,
    ) -> Result<bool, SocketError> {
        match serde_json::to_vec(message) {
            Ok(bytes) => self.link.try_send(&bytes, fds, now),
            Err(error) => {
                log::error!("a message to the keeper can't be written: {error}");
                Ok(true)
            }
        }
    }
}

/// What can't be written is an error of ours, for which the rest shall not suffer.
fn newest(state: &impl State, key: Key) -> Option<(String, Vec<BorrowedFd<'_>>)> {
    state.newest(key).unwrap_or_else(|error| {
        log::error!("{key:?} can't be written for the keeper: {error}");
        None
    })
}

impl AsFd for Deposits {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.link.as_fd()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ipc::ClientId;
    use os::seqpacket;
    use rustix::net::{AddressFamily, SocketFlags, SocketType, socketpair};
    use std::collections::BTreeMap;

    /// What there is, with a number that says which.
    struct World {
        things: BTreeMap<Key, u32>,
        memory: OwnedFd,
    }

    impl State for World {
        fn newest(&self, key: Key) -> Result<Option<(String, Vec<BorrowedFd<'_>>)>, serde_json::Error> {
            Ok(self.things.get(&key).map(|number| (number.to_string(), vec![self.memory.as_fd()])))
        }
    }

    /// What a keeper has that does what it is told; and how many messages it got.
    #[derive(Default)]
    struct Keeper {
        things: BTreeMap<Key, u32>,
        messages: usize,
    }

    impl Keeper {
        fn take(&mut self, socket: &OwnedFd, limit: usize) -> bool {
            for _ in 0..limit {
                let Received::Message(bytes, fds) = seqpacket::receive(socket.as_fd()).unwrap() else {
                    return false;
                };
                self.messages += 1;
                match serde_json::from_slice(&bytes).unwrap() {
                    ToKeeper::Keep { key, value } => {
                        assert_eq!(fds.len(), 1);
                        self.things.insert(key, value.parse().unwrap());
                    }
                    ToKeeper::Note { key, value } => {
                        *self.things.get_mut(&key).expect("a note of what is kept") = value.parse().unwrap();
                    }
                    ToKeeper::Drop { key } => assert!(self.things.remove(&key).is_some(), "{key:?}"),
                }
            }
            true
        }
    }

    fn scene() -> (World, Deposits, OwnedFd) {
        let (ours, theirs) =
            socketpair(AddressFamily::UNIX, SocketType::SEQPACKET, SocketFlags::CLOEXEC, None).unwrap();
        let memory = seqpacket::memory("test", b"beside").unwrap();
        (World { things: BTreeMap::new(), memory }, Deposits::new(ours), theirs)
    }

    #[test]
    fn what_comes_and_goes_while_the_keeper_is_busy_does_not_wait_for_it() {
        let (mut world, mut deposits, theirs) = scene();
        let now = Instant::now();
        for number in 0..10_000 {
            for key in [Key::Aperture(ClientId(number)), Key::Client(ClientId(number))] {
                world.things.insert(key, number);
                deposits.change(key);
            }
            deposits.tell(&world, now).unwrap();
            if number < 9_990 {
                for key in [Key::Client(ClientId(number)), Key::Aperture(ClientId(number))] {
                    world.things.remove(&key);
                    deposits.drop(key);
                }
                deposits.tell(&world, now).unwrap();
            }
        }
        assert_eq!(deposits.interest(), EventFlags::OUT);
        assert!(deposits.gone.len() <= deposits.kept.len() && deposits.changed.len() <= 20);
        let mut keeper = Keeper::default();
        while keeper.take(&theirs, usize::MAX) || deposits.interest() == EventFlags::OUT {
            deposits.has_room();
            deposits.tell(&world, now).unwrap();
        }
        assert_eq!(keeper.things, world.things);
        assert!(keeper.messages < 2_000, "{} messages", keeper.messages);
    }

    #[test]
    fn whatever_happens_the_keeper_has_what_there_is_in_the_end() {
        fastrand::seed(4);
        for _ in 0..50 {
            let (mut world, mut deposits, theirs) = scene();
            let (mut keeper, mut now) = (Keeper::default(), Instant::now());
            for number in 0..3_000 {
                let key = Key::Client(ClientId(fastrand::u32(0..6)));
                match fastrand::u32(0..10) {
                    0..4 => {
                        world.things.insert(key, number);
                        deposits.change(key);
                    }
                    4..7 => {
                        if let Some(kept) = world.things.get_mut(&key) {
                            *kept = number;
                            deposits.note(key);
                        }
                    }
                    7..9 => {
                        world.things.remove(&key);
                        deposits.drop(key);
                    }
                    _ => {
                        keeper.take(&theirs, fastrand::usize(0..20));
                        now += Duration::from_millis(fastrand::u64(0..100));
                        deposits.has_room();
                    }
                }
                deposits.tell(&world, now).unwrap();
            }
            keeper.take(&theirs, usize::MAX);
            deposits.has_room();
            deposits.tell(&world, now + NOTE_CREDIT).unwrap();
            keeper.take(&theirs, usize::MAX);
            assert_eq!(keeper.things, world.things);
            assert_eq!(deposits.due(), None);
        }
    }

    #[test]
    fn notes_are_told_some_times_a_second() {
        let (mut world, mut deposits, theirs) = scene();
        let (mut keeper, start) = (Keeper::default(), Instant::now());
        let key = Key::Client(ClientId(1));
        world.things.insert(key, 0);
        deposits.change(key);
        deposits.tell(&world, start).unwrap();
        for frame in 1..=600 {
            world.things.insert(key, frame);
            deposits.note(key);
            deposits.tell(&world, start + Duration::from_millis(u64::from(frame) * 10)).unwrap();
            keeper.take(&theirs, usize::MAX);
            // The first ones at once.
            assert!(frame > 16 || keeper.things[&key] == frame);
        }
        // Those that were saved up, and then one in each pause.
        assert_eq!(keeper.messages, 1 + (4_000 + 6_000) / 250);
        let due = deposits.due().unwrap();
        deposits.tell(&world, due).unwrap();
        keeper.take(&theirs, usize::MAX);
        assert_eq!(keeper.things[&key], 600);
        assert_eq!(deposits.due(), None);
    }
}
