//! Messages to another process of the server that nobody waits for: those that find the socket full stay here, up to
//! a limit.

use crate::socket::{self, Received, SocketError};
use blinkgl::limits::MAX_CLIENTS;
use rustix::fd::{AsFd, BorrowedFd, OwnedFd};
use serde::Serialize;
use std::collections::VecDeque;

/// Messages that may wait. A new renderer gets one for each client at once; more than that and some
/// commands means that it is stuck.
const MAX_QUEUE: usize = 1024;
/// Descriptors that may wait with them, copies of the clients' own: all clients at once, and then some.
const MAX_QUEUED_DESCRIPTORS: usize = 4 * MAX_CLIENTS;

/// A message that waits.
#[derive(Debug)]
struct Waiting {
    bytes: Vec<u8>,
    fds: Vec<OwnedFd>,
}

/// The socket to the other process, and what waits for room in it.
#[derive(Debug)]
pub struct Outbox {
    socket: OwnedFd,
    queue: VecDeque<Waiting>,
}

/// Why a message can't be sent: the other process is of no use any more.
#[derive(Debug, thiserror::Error)]
pub enum SendError {
    /// It does not take its messages.
    #[error("it is stuck: {0} messages wait for it")]
    Stuck(usize),
    /// The socket failed.
    #[error(transparent)]
    Socket(#[from] SocketError),
    /// The message can't be written: an error of ours.
    #[error("a message can't be written: {0}")]
    Message(#[from] serde_json::Error),
}

impl Outbox {
    /// To the process at the other end of a socket.
    #[must_use]
    pub fn new(socket: OwnedFd) -> Outbox {
        Outbox { socket, queue: VecDeque::new() }
    }

    /// Messages wait: watch for room in the socket.
    #[must_use]
    pub fn is_waiting(&self) -> bool {
        !self.queue.is_empty()
    }

    /// Sends a message, now or when there is room.
    ///
    /// # Errors
    /// The other process is of no use any more.
    pub fn send(&mut self, message: &impl Serialize, fds: &[BorrowedFd<'_>]) -> Result<(), SendError> {
        let bytes = serde_json::to_vec(message)?;
        if self.queue.is_empty() && socket::try_send(self.socket.as_fd(), &bytes, fds)? {
            return Ok(());
        }
        let descriptors: usize = self.queue.iter().map(|waiting| waiting.fds.len()).sum();
        if self.queue.len() >= MAX_QUEUE || descriptors + fds.len() > MAX_QUEUED_DESCRIPTORS {
            return Err(SendError::Stuck(self.queue.len()));
        }
        let fds = fds.iter().map(|fd| rustix::io::fcntl_dupfd_cloexec(fd, 0)).collect::<Result<_, _>>();
        let fds = fds.map_err(SocketError::System)?;
        self.queue.push_back(Waiting { bytes, fds });
        Ok(())
    }

    /// Sends what waits, as far as there is room.
    ///
    /// # Errors
    /// As [`Outbox::send`].
    pub fn flush(&mut self) -> Result<(), SendError> {
        while let Some(first) = self.queue.front() {
            let fds: Vec<BorrowedFd<'_>> = first.fds.iter().map(AsFd::as_fd).collect();
            if !socket::try_send(self.socket.as_fd(), &first.bytes, &fds)? {
                break;
            }
            self.queue.pop_front();
        }
        Ok(())
    }

    /// The next message from the other process.
    ///
    /// # Errors
    /// As [`socket::receive`].
    pub fn receive(&self) -> Result<Received, SocketError> {
        socket::receive(self.socket.as_fd())
    }
}

impl AsFd for Outbox {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }
}
