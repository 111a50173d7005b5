//! A watched socket to another process of the server. A line that fails is *broken*: nothing is sent on it any more, and its
//! owner ends the process.

use super::outbox::{About, Outbox, SendError};
use crate::reactor::{Reactor, Source, Token};
use os::seqpacket::{Received, SocketError};
use rustix::event::epoll::EventFlags;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fd::{AsFd, BorrowedFd, OwnedFd};
use rustix::io::Errno;
use serde::Serialize;
use std::time::Instant;

/// Has the other side of a socket closed its end?
#[must_use]
pub fn is_hung_up(socket: impl AsFd) -> bool {
    let mut fds = [PollFd::new(&socket, PollFlags::empty())];
    let at_once = Timespec { tv_sec: 0, tv_nsec: 0 };
    let polled = poll(&mut fds, Some(&at_once));
    polled.is_ok() && fds[0].revents().intersects(PollFlags::HUP | PollFlags::ERR)
}

/// Why a line breaks whose other end was closed.
pub const CLOSED: &str = "it closed its socket";

/// What a line brought.
#[derive(Debug)]
pub enum Heard {
    /// A message and its descriptors.
    Message(Vec<u8>, Vec<OwnedFd>),
    /// A message that is none: why.
    Garbage(String),
    /// Nothing more for now.
    Nothing,
}

/// See the [module](self).
#[derive(Debug)]
pub struct Line {
    outbox: Outbox,
    token: Token,
    broken: Option<String>,
}

impl Line {
    /// Watches a socket.
    ///
    /// # Errors
    /// The system has no memory left.
    pub fn open(socket: OwnedFd, source: Source, reactor: &mut Reactor) -> Result<Line, Errno> {
        let token = reactor.watch(&socket, source, EventFlags::IN)?;
        Ok(Line { outbox: Outbox::new(socket), token, broken: None })
    }

    /// Sends a message, now or when there is room.
    pub fn send(&mut self, message: &impl Serialize, fds: &[BorrowedFd<'_>], reactor: &mut Reactor) {
        if self.broken.is_none() {
            let sent = self.outbox.send(message, fds);
            self.after(sent, reactor);
        }
    }

    /// Sends a message instead of one about the same that waits.
    pub fn introduce(
        &mut self,
        about: About,
        message: &impl Serialize,
        fds: &[BorrowedFd<'_>],
        reactor: &mut Reactor,
    ) {
        if self.broken.is_none() {
            let sent = self.outbox.introduce(about, message, fds);
            self.after(sent, reactor);
        }
    }

    /// Takes back what waits about something. True: the other side has heard of it.
    pub fn withdraw(&mut self, about: About) -> bool {
        self.outbox.withdraw(about)
    }

    /// The socket has something; if that is room, sends what waits.
    pub fn event(&mut self, flags: EventFlags, reactor: &mut Reactor) {
        if flags.contains(EventFlags::OUT) && self.broken.is_none() {
            self.outbox.has_room();
            let sent = self.outbox.flush();
            self.after(sent, reactor);
        }
    }

    /// Tries again what waits, if it is time.
    pub fn turn(&mut self, now: Instant, reactor: &mut Reactor) {
        if self.due().is_some_and(|due| due <= now) {
            let sent = self.outbox.flush();
            self.after(sent, reactor);
        }
    }

    /// When [`Line::turn`] is to be called.
    #[must_use]
    pub fn due(&self) -> Option<Instant> {
        if self.broken.is_some() { None } else { self.outbox.due() }
    }

    /// Why the process at the other end is of no use any more.
    #[must_use]
    pub fn broken(&self) -> Option<&str> {
        self.broken.as_deref()
    }

    /// The next message.
    pub fn receive(&mut self, reactor: &mut Reactor) -> Heard {
        if self.broken.is_some() {
            return Heard::Nothing;
        }
        match self.outbox.receive() {
            Ok(Received::Message(bytes, fds)) => Heard::Message(bytes, fds),
            Ok(Received::Nothing) => Heard::Nothing,
            Ok(Received::Closed) => {
                // It ends, or has closed the socket by mistake.
                self.breaks(CLOSED.to_owned(), reactor);
                Heard::Nothing
            }
            Err(error) if error.is_fatal() => {
                self.breaks(error.to_string(), reactor);
                Heard::Nothing
            }
            Err(error) => Heard::Garbage(error.to_string()),
        }
    }

    /// Has the other side closed its end?
    #[must_use]
    pub fn is_hung_up(&self) -> bool {
        is_hung_up(&self.outbox)
    }

    /// Gives the line up.
    pub fn breaks(&mut self, why: String, reactor: &mut Reactor) {
        // Not watched any more, or a closed socket would wake the loop until the process's death is told.
        reactor.forget(&self.outbox, self.token);
        self.broken.get_or_insert(why);
    }

    /// Hangs up.
    pub fn close(self, reactor: &mut Reactor) {
        reactor.forget(&self.outbox, self.token);
    }

    fn after(&mut self, sent: Result<(), SendError>, reactor: &mut Reactor) {
        match sent {
            Ok(()) => {
                let flags = EventFlags::IN | self.outbox.interest();
                reactor.change(&self.outbox, self.token, flags);
            }
            // It closed its socket: what it said before is still to be heard.
            Err(SendError::Socket(SocketError::System(Errno::PIPE | Errno::CONNRESET))) => {}
            Err(error) => self.breaks(error.to_string(), reactor),
        }
    }
}
