//! Messages to another process of the server that nobody waits for: those that find the socket full stay here, up to a limit.

use crate::link::Link;
use ipc::ClientId;
use ipc::glass::ClassId;
use ipc::limits::MAX_CLIENTS;
use os::seqpacket::{Received, SocketError};
use rustix::event::epoll::EventFlags;
use rustix::fd::{AsFd, BorrowedFd, OwnedFd};
use serde::Serialize;
use std::collections::{BTreeSet, VecDeque};
use std::time::{Duration, Instant};

/// Messages that may wait. A new process gets some for each client at once; more than that and some
/// commands means that it is stuck.
const MAX_QUEUE: usize = 1024;
/// Descriptors that may wait with them, copies of the clients' own: all clients and their ports at once,
/// and sockets between glass and renderers.
const MAX_QUEUED_DESCRIPTORS: usize = 5 * MAX_CLIENTS;
/// A process that takes nothing for so long, while there is something, is stuck.
const STUCK_TIME: Duration = Duration::from_secs(5);

/// What a message is about, if only the newest one about it counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum About {
    /// A client.
    Client(ClientId),
    /// A client's port.
    Port(ClientId),
    /// The socket between the glass and this renderer.
    Glass,
    /// The socket between the glass and the renderer of this class.
    Renderer(ClassId),
    /// What people are to know of this class.
    Note(ClassId),
}

/// A message that waits.
#[derive(Debug)]
struct Waiting {
    about: Option<About>,
    bytes: Vec<u8>,
    fds: Vec<OwnedFd>,
}

/// The socket to the other process, and what waits for room in it.
#[derive(Debug)]
pub struct Outbox {
    link: Link,
    queue: VecDeque<Waiting>,
    /// What the other side has heard of.
    heard: BTreeSet<About>,
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
        Outbox { link: Link::new(socket), queue: VecDeque::new(), heard: BTreeSet::new() }
    }

    /// What to watch the socket for beside its messages.
    #[must_use]
    pub fn interest(&self) -> EventFlags {
        self.link.interest()
    }

    /// When to [`flush`](Outbox::flush), if nothing happens before.
    #[must_use]
    pub fn due(&self) -> Option<Instant> {
        self.link.again().or_else(|| self.link.full_since().map(|since| since + STUCK_TIME))
    }

    /// The socket has room.
    pub fn has_room(&mut self) {
        self.link.has_room();
    }

    /// Sends a message, now or when there is room.
    ///
    /// # Errors
    /// The other process is of no use any more.
    pub fn send(&mut self, message: &impl Serialize, fds: &[BorrowedFd<'_>]) -> Result<(), SendError> {
        self.put(None, message, fds)
    }

    /// Sends a message that introduces something with its descriptors, instead of one about the same that waits.
    ///
    /// # Errors
    /// As [`Outbox::send`].
    pub fn introduce(
        &mut self,
        about: About,
        message: &impl Serialize,
        fds: &[BorrowedFd<'_>],
    ) -> Result<(), SendError> {
        self.queue.retain(|waiting| waiting.about != Some(about));
        self.put(Some(about), message, fds)
    }

    /// Takes back what waits about something that is gone: so things that come and go do not fill the queue. True: the other
    /// side has heard of it, and must be told that it is gone.
    pub fn withdraw(&mut self, about: About) -> bool {
        self.queue.retain(|waiting| waiting.about != Some(about));
        self.heard.remove(&about)
    }

    fn put(
        &mut self,
        about: Option<About>,
        message: &impl Serialize,
        fds: &[BorrowedFd<'_>],
    ) -> Result<(), SendError> {
        let bytes = serde_json::to_vec(message)?;
        let now = Instant::now();
        if self.queue.is_empty() && self.link.try_send(&bytes, fds, now)? {
            self.heard.extend(about);
            return Ok(());
        }
        let descriptors: usize = self.queue.iter().map(|waiting| waiting.fds.len()).sum();
        if self.queue.len() >= MAX_QUEUE || descriptors + fds.len() > MAX_QUEUED_DESCRIPTORS {
            return Err(SendError::Stuck(self.queue.len()));
        }
        let fds = fds.iter().map(|fd| rustix::io::fcntl_dupfd_cloexec(fd, 0)).collect::<Result<_, _>>();
        let fds = fds.map_err(SocketError::System)?;
        self.queue.push_back(Waiting { about, bytes, fds });
        Ok(())
    }

    /// Sends what waits, as far as there is room.
    ///
    /// # Errors
    /// As [`Outbox::send`]; or for too long there was no room.
    pub fn flush(&mut self) -> Result<(), SendError> {
        let now = Instant::now();
        if self.link.full_since().is_some_and(|since| since + STUCK_TIME <= now) {
            // It is said once.
            self.link.has_room();
            return Err(SendError::Stuck(self.queue.len()));
        }
        self.link.try_again(now);
        while let Some(first) = self.queue.front() {
            let fds: Vec<BorrowedFd<'_>> = first.fds.iter().map(AsFd::as_fd).collect();
            if !self.link.try_send(&first.bytes, &fds, now)? {
                return Ok(());
            }
            self.heard.extend(self.queue.pop_front().and_then(|sent| sent.about));
        }
        Ok(())
    }

    /// The next message from the other process.
    ///
    /// # Errors
    /// As [`Link::receive`].
    pub fn receive(&self) -> Result<Received, SocketError> {
        self.link.receive()
    }
}

impl AsFd for Outbox {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.link.as_fd()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use os::seqpacket;
    use rustix::net::{AddressFamily, SocketFlags, SocketType, socketpair};

    #[test]
    fn clients_that_come_and_go_do_not_fill_the_queue() {
        let (ours, theirs) =
            socketpair(AddressFamily::UNIX, SocketType::SEQPACKET, SocketFlags::CLOEXEC, None).unwrap();
        let memory = seqpacket::memory("test", b"beside").unwrap();
        let mut outbox = Outbox::new(ours);
        let mut heard = 0;
        for number in 0..10_000 {
            let id = ClientId(number);
            let fds = [memory.as_fd(); 3];
            outbox.introduce(About::Client(id), &number, &fds).unwrap();
            outbox.introduce(About::Port(id), &number, &fds[..1]).unwrap();
            outbox.withdraw(About::Port(id));
            if outbox.withdraw(About::Client(id)) {
                heard += 1;
                outbox.send(&"gone", &[]).unwrap();
            }
        }
        assert!((10..1_000).contains(&heard), "{heard}");
        assert_eq!(outbox.interest(), EventFlags::OUT);
        let mut told = (0, 0);
        while let Received::Message(bytes, fds) = seqpacket::receive(theirs.as_fd()).unwrap() {
            match (bytes == b"\"gone\"", fds.len()) {
                (true, 0) => told.1 += 1,
                (false, 3) => told.0 += 1,
                (false, 1) => {}
                (_, count) => panic!("{count} descriptors"),
            }
            outbox.has_room();
            outbox.flush().unwrap();
        }
        assert_eq!(told, (heard, heard));
        assert_eq!((outbox.interest(), outbox.due()), (EventFlags::empty(), None));
    }
}
