//! The only place that waits: descriptors that are watched, and who owns each.

use ipc::ClientId;
use ipc::glass::ClassId;
use rustix::event::Timespec;
use rustix::event::epoll::{self, EventData, EventFlags};
use rustix::fd::{AsFd, OwnedFd};
use rustix::io::Errno;
use std::collections::BTreeMap;
use std::time::Instant;

/// Events that are taken at a time. Above what there can be in a server that is full, so that nobody has to wait a turn.
const EVENTS: usize = 512;

/// Names a watched descriptor. A token is never used again, so a late event can't reach another descriptor.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Token(u64);

/// Names a connection that is no client (yet). Never used again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ConnectionId(pub u64);

/// A descriptor that is watched.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// SIGINT, SIGTERM, SIGHUP.
    Signals,
    /// The listening socket for `blinkctl`.
    ControlDoor,
    /// A connection of a `blinkctl`.
    Control(ConnectionId),
    /// The keeper's socket.
    Keeper,
    /// The listening socket for local clients.
    LocalDoor,
    /// A local connection that has not said Hello.
    Newcomer(ConnectionId),
    /// A client's connection.
    Client(ClientId),
    /// The listening socket for a virtual machine's device.
    DeviceDoor(ClientId),
    /// The listening socket for a virtual machine's serial port.
    PortDoor(ClientId),
    /// A virtual machine's serial port.
    Port(ClientId),
    /// XenStore.
    Xen,
    /// The glass's socket.
    Glass,
    /// The glass's process.
    GlassProcess,
    /// The template's socket.
    Template,
    /// The template's process.
    TemplateProcess,
    /// A renderer's socket.
    Renderer(ClassId),
    /// A renderer's process.
    RendererProcess(ClassId),
    /// A process that is to end and that nobody needs any more.
    Ending,
}

impl Source {
    /// The order in a turn: signals and `blinkctl` come first, however many others have something to say.
    fn rank(self) -> u8 {
        match self {
            Source::Signals => 0,
            Source::ControlDoor | Source::Control(_) => 1,
            Source::Keeper
            | Source::LocalDoor
            | Source::Newcomer(_)
            | Source::Client(_)
            | Source::DeviceDoor(_)
            | Source::PortDoor(_)
            | Source::Port(_)
            | Source::Xen
            | Source::Glass
            | Source::GlassProcess
            | Source::Template
            | Source::TemplateProcess
            | Source::Renderer(_)
            | Source::RendererProcess(_)
            | Source::Ending => 2,
        }
    }
}

/// A descriptor that is watched, and its token.
#[derive(Debug)]
pub struct Watched {
    /// The descriptor.
    pub fd: OwnedFd,
    /// What [`Reactor::forget`] needs.
    pub token: Token,
}

/// The watched descriptors.
#[derive(Debug)]
pub struct Reactor {
    epoll: OwnedFd,
    sources: BTreeMap<Token, Source>,
    last: u64,
}

impl Reactor {
    /// Watches nothing yet.
    ///
    /// # Errors
    /// No descriptor is left.
    pub fn new() -> Result<Reactor, Errno> {
        let epoll = epoll::create(epoll::CreateFlags::CLOEXEC)?;
        Ok(Reactor { epoll, sources: BTreeMap::new(), last: 0 })
    }

    /// Watches a descriptor.
    ///
    /// # Errors
    /// The system has no memory left.
    pub fn watch(&mut self, fd: impl AsFd, source: Source, flags: EventFlags) -> Result<Token, Errno> {
        self.last += 1;
        epoll::add(&self.epoll, fd, EventData::new_u64(self.last), flags)?;
        let token = Token(self.last);
        self.sources.insert(token, source);
        Ok(token)
    }

    /// Watches a descriptor, and takes it.
    ///
    /// # Errors
    /// As [`Reactor::watch`].
    pub fn adopt(&mut self, fd: OwnedFd, source: Source, flags: EventFlags) -> Result<Watched, Errno> {
        let token = self.watch(&fd, source, flags)?;
        Ok(Watched { fd, token })
    }

    /// Watches a descriptor for something else.
    pub fn change(&self, fd: impl AsFd, token: Token, flags: EventFlags) {
        if let Err(error) = epoll::modify(&self.epoll, fd, EventData::new_u64(token.0), flags) {
            log::error!("{:?} can't be watched: {error}", self.sources.get(&token));
        }
    }

    /// Another owner has what the descriptor is of.
    pub fn rename(&mut self, token: Token, source: Source) {
        self.sources.insert(token, source);
    }

    /// Stops watching. Closing a descriptor is not enough where another process has a copy of it: its hang-up would wake the
    /// loop for ever.
    pub fn forget(&mut self, fd: impl AsFd, token: Token) {
        if self.sources.remove(&token).is_some()
            && let Err(error) = epoll::delete(&self.epoll, fd)
        {
            log::error!("a descriptor is watched on: {error}");
        }
    }

    /// Whose event it is; `None`: it came before the descriptor was forgotten.
    #[must_use]
    pub fn source(&self, token: Token) -> Option<Source> {
        self.sources.get(&token).copied()
    }

    /// Waits for events, at most until `due`. In the order in which they are to be handled.
    ///
    /// # Errors
    /// The system failed.
    pub fn wait(&self, due: Option<Instant>) -> Result<Vec<(Token, EventFlags)>, Errno> {
        let timeout = due.map(|due| {
            let left = due.saturating_duration_since(Instant::now());
            Timespec {
                tv_sec: i64::try_from(left.as_secs()).unwrap_or(i64::MAX),
                tv_nsec: i64::from(left.subsec_nanos()),
            }
        });
        let mut events = Vec::with_capacity(EVENTS);
        match epoll::wait(&self.epoll, rustix::buffer::spare_capacity(&mut events), timeout.as_ref()) {
            Ok(_) | Err(Errno::INTR) => {}
            Err(error) => return Err(error),
        }
        let mut events: Vec<(Token, EventFlags)> =
            events.iter().map(|event| (Token(event.data.u64()), event.flags)).collect();
        events.sort_by_key(|&(token, _)| self.source(token).map(Source::rank));
        Ok(events)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rustix::event::{EventfdFlags, eventfd};

    #[test]
    fn blinkctl_comes_first_and_what_is_forgotten_is_silent() {
        let mut reactor = Reactor::new().unwrap();
        let ringing = || eventfd(1, EventfdFlags::CLOEXEC).unwrap();
        let mut watch =
            |source| reactor.adopt(ringing(), source, EventFlags::IN).map(|w| (w, source)).unwrap();
        let all: Vec<(Watched, Source)> = [
            Source::Client(ClientId(1)),
            Source::LocalDoor,
            Source::Renderer(ClassId(1)),
            Source::Control(ConnectionId(1)),
            Source::Signals,
        ]
        .map(&mut watch)
        .into();
        let told = |reactor: &Reactor| {
            let events = reactor.wait(Some(Instant::now())).unwrap();
            events.iter().filter_map(|&(token, _)| reactor.source(token)).collect::<Vec<Source>>()
        };
        let first = told(&reactor);
        assert_eq!(first.len(), 5);
        assert_eq!(first[..2], [Source::Signals, Source::Control(ConnectionId(1))]);
        let (client, _) = &all[0];
        reactor.forget(&client.fd, client.token);
        assert!(!told(&reactor).contains(&Source::Client(ClientId(1))));
        assert_eq!(reactor.source(client.token), None);
    }
}
