//! The socket of a renderer, and what waits for room in it.
//!
//! The glass never waits for a renderer, and one that does not read must not make it grow: what waits is merged where a later
//! word replaces an earlier one, and given up when the renderer has not read for `LOST`; then only the end of input is kept,
//! and the windows' state is told again when it reads.

use ipc::glass::{Heard, ToDraw};
use os::seqpacket::{self, SocketError};
use rustix::fd::{AsFd, BorrowedFd, OwnedFd};
use std::collections::VecDeque;

/// Nanoseconds without reading after which a renderer is told state only.
const LOST: u64 = 5_000_000_000;
/// Messages that wait at most.
const MAX_WAITING: usize = 1024;

/// A renderer's socket.
#[derive(Debug)]
pub struct Link {
    socket: OwnedFd,
    waiting: VecDeque<(ToDraw, Option<OwnedFd>)>,
    /// The socket is full since then, nanoseconds.
    full_since: Option<u64>,
    /// Something was given up.
    is_lost: bool,
}

impl AsFd for Link {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }
}

impl Link {
    /// A socket in which nothing waits.
    pub fn new(socket: OwnedFd) -> Link {
        Link { socket, waiting: VecDeque::new(), full_since: None, is_lost: false }
    }

    /// Does something wait?
    pub fn is_waiting(&self) -> bool {
        !self.waiting.is_empty()
    }

    /// Puts a message behind those that wait.
    pub fn push(&mut self, message: ToDraw, memory: Option<OwnedFd>, now: u64) {
        if self.full_since.is_some_and(|since| now.saturating_sub(since) > LOST)
            || self.waiting.len() >= MAX_WAITING
        {
            self.is_lost = true;
            self.waiting.retain(|(message, _)| outlives(message));
        }
        if self.is_lost && (!outlives(&message) || self.waiting.len() >= MAX_WAITING) {
            return;
        }
        // While there is room, everything goes in order. A motion replaces only one that nothing came after.
        let is_input = matches!(message, ToDraw::Input { .. });
        let reach = if self.full_since.is_none() {
            0
        } else if is_input {
            1
        } else {
            MAX_WAITING
        };
        let waiting = self.waiting.iter_mut().rev().take(reach);
        match waiting.into_iter().find(|(old, _)| replaces(&message, old)) {
            Some(old) => *old = (message, memory),
            None => self.waiting.push_back((message, memory)),
        }
    }

    /// Sends what waits, as far as there is room. True: what was given up must be told again now.
    ///
    /// # Errors
    /// The socket is of no use any more.
    pub fn flush(&mut self, now: u64) -> Result<bool, SocketError> {
        while let Some((message, memory)) = self.waiting.front() {
            let bytes = match serde_json::to_vec(message) {
                Ok(bytes) => bytes,
                Err(error) => {
                    log::error!("a message to a renderer can't be written: {error}");
                    self.waiting.pop_front();
                    continue;
                }
            };
            let memory: Vec<BorrowedFd<'_>> = memory.iter().map(AsFd::as_fd).collect();
            if !seqpacket::try_send(self.socket.as_fd(), &bytes, &memory)? {
                self.full_since.get_or_insert(now);
                return Ok(false);
            }
            self.full_since = None;
            self.waiting.pop_front();
        }
        Ok(std::mem::take(&mut self.is_lost))
    }
}

/// Does a message say all that an earlier one says, and newer?
fn replaces(message: &ToDraw, old: &ToDraw) -> bool {
    match (message, old) {
        (ToDraw::Place { window, .. }, ToDraw::Place { window: of, .. })
        | (ToDraw::Buffer { window, .. }, ToDraw::Buffer { window: of, .. }) => window == of,
        (
            ToDraw::Input { window, event: Heard::Motion, buttons, .. },
            ToDraw::Input { window: of, event: Heard::Motion, buttons: held, .. },
        ) => window == of && buttons == held,
        _ => false,
    }
}

/// Is it kept for a renderer that does not read? A frame is, for it is asked for only once; and that something is not held
/// any more.
fn outlives(message: &ToDraw) -> bool {
    match message {
        ToDraw::Frame { .. } => true,
        ToDraw::Input { event, .. } => match event {
            Heard::Button { pressed, .. } | Heard::Key { pressed, .. } => !pressed,
            Heard::Motion | Heard::Leave | Heard::Wheel { .. } => false,
        },
        ToDraw::Buffer { .. } | ToDraw::Place { .. } | ToDraw::Presented { .. } | ToDraw::Close { .. } => {
            false
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ipc::geometry::Rect;
    use ipc::{ClientId, WindowId};
    use os::seqpacket::Received;
    use rustix::net::{AddressFamily, SocketFlags, SocketType, socketpair};

    const WINDOW: WindowId = WindowId { client: ClientId(1), context: 0, oid: 1 };

    fn input(event: Heard, x: i32) -> ToDraw {
        ToDraw::Input { window: WINDOW, event, x, y: 0, buttons: 0 }
    }

    fn place(x: i32) -> ToDraw {
        ToDraw::Place { window: WINDOW, content: Rect::new(x, 0, 16, 16), visible: true, focus: false }
    }

    fn pair() -> (Link, OwnedFd) {
        let (a, b) =
            socketpair(AddressFamily::UNIX, SocketType::SEQPACKET, SocketFlags::CLOEXEC, None).unwrap();
        (Link::new(a), b)
    }

    fn read(socket: &OwnedFd) -> Vec<ToDraw> {
        let mut messages = Vec::new();
        while let Received::Message(bytes, _) = seqpacket::receive(socket.as_fd()).unwrap() {
            messages.push(serde_json::from_slice(&bytes).unwrap());
        }
        messages
    }

    /// Fills the socket.
    fn fill(link: &mut Link) {
        while !link.is_waiting() {
            link.push(input(Heard::Leave, 0), None, 0);
            link.flush(0).unwrap();
        }
    }

    #[test]
    fn in_order_and_nothing_waits() {
        let (mut link, other) = pair();
        for x in 0..10 {
            link.push(place(x), None, 0);
            assert!(!link.flush(0).unwrap());
        }
        assert_eq!(read(&other), (0..10).map(place).collect::<Vec<_>>());
    }

    #[test]
    fn what_waits_is_merged() {
        let (mut link, other) = pair();
        fill(&mut link);
        let key = Heard::Key { code: 30, pressed: true };
        for x in 0..1000 {
            link.push(place(x), None, 0);
            link.push(input(Heard::Motion, x), None, 0);
            let memory = os::memory::create("test", 4096).unwrap();
            let buffer = ToDraw::Buffer { window: WINDOW, serial: x.unsigned_abs(), width: 16, height: 16 };
            link.push(buffer, Some(memory), 0);
            if x == 500 {
                link.push(input(key, x), None, 0);
            }
        }
        assert!(link.waiting.len() < 1010, "{}", link.waiting.len());
        for x in 1000..2000 {
            link.push(input(Heard::Motion, x), None, 0);
        }
        assert!(link.waiting.len() < 1010, "{}", link.waiting.len());
        let mut messages = read(&other);
        while link.is_waiting() {
            assert!(!link.flush(0).unwrap());
            messages.extend(read(&other));
        }
        assert!(messages.contains(&input(key, 500)));
        let places: Vec<&ToDraw> = messages.iter().filter(|m| matches!(m, ToDraw::Place { .. })).collect();
        assert_eq!(places, [&place(999)]);
        assert_eq!(messages.last(), Some(&input(Heard::Motion, 1999)));
    }

    #[test]
    fn whoever_does_not_read_is_told_the_state_again() {
        let (mut link, other) = pair();
        fill(&mut link);
        let frame = ToDraw::Frame { number: 1, presentation: 2, refresh: 3 };
        let release = input(Heard::Key { code: 30, pressed: false }, 0);
        link.push(frame.clone(), None, 0);
        link.push(place(1), None, 1);
        for second in 0..100_000 {
            let now = LOST + 1 + second;
            link.push(place(2), None, now);
            link.push(input(Heard::Wheel { steps: 1 }, 2), None, now);
            link.push(release.clone(), None, now);
            assert!(link.waiting.len() <= MAX_WAITING + 1);
        }
        let mut messages = read(&other);
        let mut again = false;
        while link.is_waiting() {
            again |= link.flush(9).unwrap();
            messages.extend(read(&other));
        }
        assert!(again && messages.contains(&frame) && messages.contains(&release));
        assert!(!messages.contains(&place(1)) && !messages.contains(&place(2)));
        link.push(place(3), None, 10);
        assert!(!link.flush(10).unwrap());
        assert_eq!(read(&other), [place(3)]);
    }
}
