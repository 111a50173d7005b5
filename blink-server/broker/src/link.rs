//! A socket to another process of the server, and whether it takes more: nothing that is sent waits for the other side.

use os::seqpacket::{self, Received, SocketError};
use rustix::event::epoll::EventFlags;
use rustix::fd::{AsFd, BorrowedFd, OwnedFd};
use rustix::io::Errno;
use std::time::{Duration, Instant};

/// From a failure that passes to the next try.
const PAUSE: Duration = Duration::from_millis(50);

/// See the [module](self).
#[derive(Debug)]
pub struct Link {
    socket: OwnedFd,
    /// Since then there was no room.
    full_since: Option<Instant>,
    /// There was room, but the system lacked something that somebody else has now: not before then again.
    again: Option<Instant>,
}

impl Link {
    /// By this socket.
    #[must_use]
    pub fn new(socket: OwnedFd) -> Link {
        Link { socket, full_since: None, again: None }
    }

    /// Sends a message; false: not now.
    ///
    /// # Errors
    /// The other process is gone, or the message is too large.
    pub fn try_send(
        &mut self,
        bytes: &[u8],
        fds: &[BorrowedFd<'_>],
        now: Instant,
    ) -> Result<bool, SocketError> {
        match seqpacket::try_send(self.socket.as_fd(), bytes, fds) {
            Ok(true) => {
                self.has_room();
                Ok(true)
            }
            Ok(false) => {
                self.again = None;
                self.full_since.get_or_insert(now);
                Ok(false)
            }
            Err(SocketError::System(error)) if passes(error) => {
                (self.full_since, self.again) = (None, Some(now + PAUSE));
                Ok(false)
            }
            Err(error) => Err(error),
        }
    }

    /// What is sent next may be taken.
    pub fn has_room(&mut self) {
        (self.full_since, self.again) = (None, None);
    }

    /// What to watch for beside what is always watched.
    #[must_use]
    pub fn interest(&self) -> EventFlags {
        if self.full_since.is_some() { EventFlags::OUT } else { EventFlags::empty() }
    }

    /// If it is time to try again, whatever is sent next says whether there is another.
    pub fn try_again(&mut self, now: Instant) {
        self.again = self.again.filter(|&again| again > now);
    }

    /// When to try again.
    #[must_use]
    pub fn again(&self) -> Option<Instant> {
        self.again
    }

    /// Since when the other side takes nothing.
    #[must_use]
    pub fn full_since(&self) -> Option<Instant> {
        self.full_since
    }

    /// The next message from the other process.
    ///
    /// # Errors
    /// As [`seqpacket::receive`].
    pub fn receive(&self) -> Result<Received, SocketError> {
        seqpacket::receive(self.socket.as_fd())
    }
}

impl AsFd for Link {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }
}

/// Does this go away by itself? Any process of the user can use up what they have together.
fn passes(error: Errno) -> bool {
    // The first: the user's descriptors that are under way in sockets.
    [Errno::TOOMANYREFS, Errno::NOBUFS, Errno::NOMEM, Errno::MFILE, Errno::NFILE].contains(&error)
}
