//! XenStore: a tree of texts that all domains of a machine have, each its own part of it to write, and changes to be
//! told of.
//!
//! A path that does not start with `/` is below this domain's own directory, `/local/domain/N`.
//!
//! One request at a time is under way. Events of watches come between the replies; they are kept until
//! [`Store::next_event`] takes them. An event says that something may have changed at a path, not what: equal
//! events that wait are one.

pub mod wire;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fd::{AsFd, BorrowedFd, OwnedFd};
use rustix::fs::{FileType, OFlags};
use rustix::io::Errno;
use rustix::net::{AddressFamily, SendFlags, SocketAddrUnix, SocketFlags, SocketType};
use std::collections::VecDeque;
use std::path::Path;
use std::time::{Duration, Instant};
use wire::{HEADER_BYTES, Header, Kind, MAX_PATH, MAX_PAYLOAD, Message, texts};

/// The kernel's way to XenStore.
pub const DEVICE: &str = "/dev/xen/xenbus";
/// The daemon's own, in the domain where it runs.
pub const SOCKET: &str = "/run/xenstored/socket";

/// How long a reply may take.
const PATIENCE: Duration = Duration::from_secs(5);
/// The kernel takes no longer message, header included.
const MAX_REQUEST: usize = MAX_PAYLOAD;
/// How often a transaction that others got in the way of is begun.
const MAX_ATTEMPTS: usize = 32;
/// Events that are kept as they are. Beyond, one of each watch stands for all: another domain must not be able to fill this
/// one's memory by changing many nodes.
const MAX_EVENTS: usize = 1024;

/// Why XenStore does not do what is asked.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// Neither device nor socket.
    #[error("there is neither {DEVICE} nor {SOCKET}: this is no domain of Xen, or XenStore does not run")]
    NotThere,
    /// It can't be opened.
    #[error("{path}: {source}; a program needs the rights of root to use XenStore")]
    Open {
        /// Which way.
        path: &'static str,
        /// The system's answer.
        source: Errno,
    },
    /// The system fails.
    #[error("{doing} XenStore: {source}")]
    System {
        /// What was tried.
        doing: &'static str,
        /// The system's answer.
        source: Errno,
    },
    /// The daemon closed the connection.
    #[error("XenStore closed the connection")]
    Closed,
    /// No reply.
    #[error("XenStore did not answer within {} seconds", PATIENCE.as_secs())]
    NoAnswer,
    /// Bytes that are no message, after which nothing can be understood.
    #[error("XenStore's answer makes no sense: {0}")]
    Malformed(String),
    /// XenStore says no.
    #[error("XenStore: {path}: {reason}")]
    Refused {
        /// Asked about.
        path: String,
        /// The name of an error.
        reason: String,
    },
    /// Others changed the same nodes again and again.
    #[error("XenStore: others changed the same nodes {MAX_ATTEMPTS} times meanwhile")]
    Busy,
    /// A value that is no text.
    #[error("XenStore: the value of {path} is no UTF-8")]
    NoText {
        /// Of which node.
        path: String,
    },
    /// A path or a value that can't be sent.
    #[error("XenStore: {path}: a path has no zero bytes and at most {MAX_PATH}, a message {MAX_PAYLOAD}")]
    Unsendable {
        /// The path.
        path: String,
    },
}

impl StoreError {
    /// Is the connection of no use any more? Else it is about one request, or what another domain wrote.
    #[must_use]
    pub fn is_fatal(&self) -> bool {
        match self {
            StoreError::NotThere
            | StoreError::Open { .. }
            | StoreError::System { .. }
            | StoreError::Closed
            | StoreError::NoAnswer
            | StoreError::Malformed(_) => true,
            StoreError::Refused { .. }
            | StoreError::Busy
            | StoreError::NoText { .. }
            | StoreError::Unsendable { .. } => false,
        }
    }
}

/// What a domain may do with a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// Nothing.
    None,
    /// Read it.
    Read,
    /// Write to it.
    Write,
    /// Both.
    Both,
}

/// A domain's access. The first of a list names the owner, who may do everything, and the access of all domains that
/// the list does not name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Permission {
    /// The domain.
    pub domain: u16,
    /// What it may do.
    pub access: Access,
}

impl Permission {
    fn encode(self) -> String {
        let letter = match self.access {
            Access::None => 'n',
            Access::Read => 'r',
            Access::Write => 'w',
            Access::Both => 'b',
        };
        format!("{letter}{}", self.domain)
    }
}

/// Something may have changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WatchEvent {
    /// Where: the watched path, one below it, or the name of a special watch (`@releaseDomain`).
    pub path: String,
    /// The watch's name.
    pub token: String,
}

/// A connection to XenStore.
#[derive(Debug)]
pub struct Store {
    fd: OwnedFd,
    is_socket: bool,
    /// What came and is no whole message yet.
    bytes: Vec<u8>,
    events: VecDeque<WatchEvent>,
    /// The number of the last request.
    request: u32,
    /// The transaction of the requests; 0: none.
    transaction: u32,
    /// Nothing that comes can be understood any more.
    broken: Option<StoreError>,
}

impl Store {
    /// By the kernel's device, or by the daemon's socket.
    ///
    /// # Errors
    /// There is neither, or this program may not use them.
    pub fn open() -> Result<Store, StoreError> {
        match crate::open(Path::new(DEVICE)) {
            Ok(fd) => return Ok(Store::over(fd)),
            Err(Errno::NOENT | Errno::NODEV | Errno::NXIO) => {}
            Err(source) => return Err(StoreError::Open { path: DEVICE, source }),
        }
        let failed = |source| StoreError::Open { path: SOCKET, source };
        let socket =
            rustix::net::socket_with(AddressFamily::UNIX, SocketType::STREAM, SocketFlags::CLOEXEC, None)
                .map_err(failed)?;
        let address = SocketAddrUnix::new(SOCKET).map_err(failed)?;
        match rustix::net::connect(&socket, &address) {
            Ok(()) => Ok(Store::over(socket)),
            Err(Errno::NOENT | Errno::CONNREFUSED) => Err(StoreError::NotThere),
            Err(source) => Err(failed(source)),
        }
    }

    /// By a descriptor of the device, or a stream socket. (With one that is neither, all requests fail.)
    #[must_use]
    pub fn over(fd: OwnedFd) -> Store {
        let prepare = || {
            let flags = rustix::fs::fcntl_getfl(&fd)?;
            rustix::fs::fcntl_setfl(&fd, flags | OFlags::NONBLOCK)?;
            Ok(FileType::from_raw_mode(rustix::fs::fstat(&fd)?.st_mode).is_socket())
        };
        let (is_socket, broken) = match prepare() {
            Ok(is_socket) => (is_socket, None),
            Err(source) => (false, Some(StoreError::System { doing: "preparing", source })),
        };
        Store {
            fd,
            is_socket,
            bytes: Vec::new(),
            events: VecDeque::new(),
            request: 0,
            transaction: 0,
            broken,
        }
    }

    /// A node's value; `None`: there is no such node.
    ///
    /// # Errors
    /// It is no text, or XenStore says no.
    pub fn read(&mut self, path: &str) -> Result<Option<String>, StoreError> {
        let value = match self.ask(Kind::Read, path, &[b""]) {
            Ok(value) => value,
            Err(error) if error.is_absence() => return Ok(None),
            Err(error) => return Err(error),
        };
        match String::from_utf8(value) {
            Ok(value) => Ok(Some(value)),
            Err(_) => Err(StoreError::NoText { path: path.into() }),
        }
    }

    /// Gives a node a value; makes it, and those above it, if they are not there.
    ///
    /// # Errors
    /// XenStore says no.
    pub fn write(&mut self, path: &str, value: &str) -> Result<(), StoreError> {
        self.ask(Kind::Write, path, &[value.as_bytes()]).map(|_| ())
    }

    /// Removes a node and all below it, if it is there.
    ///
    /// # Errors
    /// XenStore says no.
    pub fn remove(&mut self, path: &str) -> Result<(), StoreError> {
        match self.ask(Kind::Remove, path, &[b""]) {
            Err(error) if !error.is_absence() => Err(error),
            Ok(_) | Err(_) => Ok(()),
        }
    }

    /// The names of the nodes below one; none if it is not there.
    ///
    /// # Errors
    /// A name is no text, there are more than fit a message, or XenStore says no.
    pub fn list(&mut self, path: &str) -> Result<Vec<String>, StoreError> {
        let names = match self.ask(Kind::Directory, path, &[b""]) {
            Ok(names) => names,
            Err(error) if error.is_absence() => return Ok(Vec::new()),
            Err(error) => return Err(error),
        };
        texts(&names)
            .map(|name| match str::from_utf8(name) {
                Ok(name) => Ok(name.to_owned()),
                Err(_) => Err(StoreError::NoText { path: path.into() }),
            })
            .collect()
    }

    /// Says who may read and write a node.
    ///
    /// # Errors
    /// XenStore says no.
    pub fn set_permissions(&mut self, path: &str, permissions: &[Permission]) -> Result<(), StoreError> {
        let parts: Vec<String> = permissions.iter().map(|permission| permission.encode()).collect();
        // Each ends with a zero, as the path does.
        let parts: Vec<&[u8]> = parts.iter().map(String::as_bytes).chain([&b""[..]]).collect();
        self.ask(Kind::SetPermissions, path, &parts).map(|_| ())
    }

    /// Has this program told of changes at a path or below it, by events with this name. One comes at once.
    ///
    /// # Errors
    /// XenStore says no.
    pub fn watch(&mut self, path: &str, token: &str) -> Result<(), StoreError> {
        self.ask_outside(Kind::Watch, path, token)
    }

    /// Ends that. Events that came before may still be taken.
    ///
    /// # Errors
    /// XenStore says no.
    pub fn unwatch(&mut self, path: &str, token: &str) -> Result<(), StoreError> {
        self.ask_outside(Kind::Unwatch, path, token)
    }

    /// Watches are of no transaction.
    fn ask_outside(&mut self, kind: Kind, path: &str, token: &str) -> Result<(), StoreError> {
        if token.contains('\0') {
            return Err(StoreError::Unsendable { path: path.into() });
        }
        let transaction = core::mem::take(&mut self.transaction);
        let result = self.ask(kind, path, &[token.as_bytes(), b""]);
        self.transaction = transaction;
        result.map(|_| ())
    }

    /// Does all that `change` asks for at once, or nothing. When others change the same nodes meanwhile, it is begun
    /// again: `change` must look at everything anew.
    ///
    /// # Errors
    /// Those of `change`, for which nothing is done; XenStore says no, or others are always faster.
    pub fn transaction<T, E: From<StoreError>>(
        &mut self,
        mut change: impl FnMut(&mut Store) -> Result<T, E>,
    ) -> Result<T, E> {
        for _ in 0..MAX_ATTEMPTS {
            let id = self.ask(Kind::TransactionStart, "", &[b""])?;
            let id = texts(&id).next().and_then(|id| str::from_utf8(id).ok()).and_then(|id| id.parse().ok());
            let id = id.filter(|&id| id != 0);
            self.transaction =
                id.ok_or_else(|| StoreError::Malformed("a transaction without a number".into()))?;
            let result = change(self);
            // The last word is part of the transaction too.
            let word: &str = if result.is_ok() { "T" } else { "F" };
            let ended = self.ask(Kind::TransactionEnd, word, &[b""]);
            self.transaction = 0;
            let value = result?;
            match ended {
                Ok(_) => return Ok(value),
                Err(StoreError::Refused { reason, .. }) if reason == "EAGAIN" => {}
                Err(error) => return Err(error.into()),
            }
        }
        Err(StoreError::Busy.into())
    }

    /// Is there such a domain? Only a privileged one may ask.
    ///
    /// # Errors
    /// XenStore says no.
    pub fn is_introduced(&mut self, domain: u16) -> Result<bool, StoreError> {
        let answer = self.ask(Kind::IsDomainIntroduced, &domain.to_string(), &[b""])?;
        match texts(&answer).next() {
            Some(b"T") => Ok(true),
            Some(b"F") => Ok(false),
            _ => Err(StoreError::Malformed("neither true nor false".into())),
        }
    }

    /// Takes an event, if there is one. Never waits.
    ///
    /// # Errors
    /// XenStore is gone, or makes no sense.
    pub fn next_event(&mut self) -> Result<Option<WatchEvent>, StoreError> {
        while self.events.is_empty() {
            if !self.receive()? {
                return Ok(None);
            }
            // A reply that nobody waits for any more is dropped.
            while self.next_message()?.is_some() {}
        }
        Ok(self.events.pop_front())
    }

    /// Did events come that [`Store::next_event`] has not given? They don't make the descriptor readable.
    #[must_use]
    pub fn has_events(&self) -> bool {
        !self.events.is_empty()
    }

    /// Sends a request whose payload is a path and other parts, with a zero byte between each two, and waits for its
    /// reply's payload.
    fn ask(&mut self, kind: Kind, path: &str, parts: &[&[u8]]) -> Result<Vec<u8>, StoreError> {
        if let Some(error) = &self.broken {
            return Err(error.clone());
        }
        let mut payload = path.as_bytes().to_vec();
        for part in parts {
            payload.push(0);
            payload.extend(*part);
        }
        if path.contains('\0') || path.len() > MAX_PATH || HEADER_BYTES + payload.len() > MAX_REQUEST {
            return Err(StoreError::Unsendable { path: path.into() });
        }
        self.request = self.request.wrapping_add(1);
        let length = u32::try_from(payload.len()).unwrap_or(u32::MAX);
        let transaction = self.transaction;
        let header = Header { kind: kind as u32, request: self.request, transaction, length };
        let end = Instant::now() + PATIENCE;
        self.send(&Message { header, payload }.encode(), end)?;
        let reply = loop {
            match self.next_message()? {
                Some(message) if message.header.request == self.request => break message,
                // Another number is that of a request that took too long.
                Some(_) => {}
                None => {
                    if !self.receive()? {
                        self.wait(PollFlags::IN, end)?;
                    }
                }
            }
        };
        // Events that came with it wait in memory from now on: nothing but `has_events` tells of them. (Bytes that are
        // none end the connection, but this reply was good.)
        while matches!(self.next_message(), Ok(Some(_))) {}
        let Message { header, payload } = reply;
        match Kind::of(header.kind) {
            Some(replied) if replied == kind => Ok(payload),
            Some(Kind::Error) => {
                let name = texts(&payload).next().unwrap_or(b"no reason");
                let reason: String = String::from_utf8_lossy(name).escape_debug().collect();
                Err(StoreError::Refused { path: path.into(), reason })
            }
            Some(_) | None => Err(self.breaks(format!("a reply of type {} to {kind:?}", header.kind))),
        }
    }

    fn send(&mut self, mut bytes: &[u8], end: Instant) -> Result<(), StoreError> {
        while !bytes.is_empty() {
            // A daemon that is gone is an error, not a signal that ends programs of other languages.
            let written = if self.is_socket {
                rustix::net::send(&self.fd, bytes, SendFlags::NOSIGNAL)
            } else {
                rustix::io::write(&self.fd, bytes)
            };
            match written {
                Ok(written) => bytes = bytes.get(written..).unwrap_or_default(),
                Err(Errno::INTR) => {}
                Err(Errno::AGAIN) => {
                    if let Err(error) = self.wait(PollFlags::OUT, end) {
                        // Half a message was sent.
                        self.broken = Some(error.clone());
                        return Err(error);
                    }
                }
                Err(source) => {
                    let error = match source {
                        Errno::PIPE | Errno::CONNRESET => StoreError::Closed,
                        source => StoreError::System { doing: "writing to", source },
                    };
                    self.broken = Some(error.clone());
                    return Err(error);
                }
            }
        }
        Ok(())
    }

    /// Waits until something can be read or written.
    fn wait(&self, flags: PollFlags, end: Instant) -> Result<(), StoreError> {
        let left = end.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Err(StoreError::NoAnswer);
        }
        let time = Timespec::try_from(left).ok();
        match poll(&mut [PollFd::new(&self.fd, flags)], time.as_ref()) {
            Ok(_) | Err(Errno::INTR) => Ok(()),
            Err(source) => Err(StoreError::System { doing: "waiting for", source }),
        }
    }

    /// Reads what there is; false: nothing.
    fn receive(&mut self) -> Result<bool, StoreError> {
        if let Some(error) = &self.broken {
            return Err(error.clone());
        }
        let mut some = [0; HEADER_BYTES + MAX_PAYLOAD];
        let error = match rustix::io::retry_on_intr(|| rustix::io::read(&self.fd, &mut some)) {
            Ok(0) | Err(Errno::CONNRESET) => StoreError::Closed,
            Ok(count) => {
                self.bytes.extend(some.get(..count).unwrap_or_default());
                return Ok(true);
            }
            Err(Errno::AGAIN) => return Ok(false),
            Err(source) => StoreError::System { doing: "reading from", source },
        };
        self.broken = Some(error.clone());
        Err(error)
    }

    /// The next message among what was read that is no event; events are kept.
    fn next_message(&mut self) -> Result<Option<Message>, StoreError> {
        loop {
            let message = match Message::take_from(&mut self.bytes) {
                Ok(None) => return Ok(None),
                Ok(Some(message)) => message,
                Err(length) => return Err(self.breaks(format!("a message of {length} bytes"))),
            };
            if Kind::of(message.header.kind) != Some(Kind::WatchEvent) {
                return Ok(Some(message));
            }
            let mut parts = texts(&message.payload).map(|text| String::from_utf8_lossy(text).into_owned());
            match (parts.next(), parts.next()) {
                (Some(path), Some(token)) => self.keep(WatchEvent { path, token }),
                _ => return Err(self.breaks("an event without path or name".into())),
            }
        }
    }

    fn keep(&mut self, event: WatchEvent) {
        if self.events.contains(&event) {
            return;
        }
        if self.events.len() >= MAX_EVENTS
            && let Some(kept) = self.events.iter_mut().find(|kept| kept.token == event.token)
        {
            // It stands for both.
            kept.path.truncate(common(&kept.path, &event.path));
            return;
        }
        self.events.push_back(event);
    }

    fn breaks(&mut self, how: String) -> StoreError {
        let error = StoreError::Malformed(how);
        self.broken = Some(error.clone());
        error
    }
}

/// Bytes of the lowest node that is above both paths, or one of them.
fn common(one: &str, other: &str) -> usize {
    let mut bytes = 0;
    for (ours, theirs) in one.split('/').zip(other.split('/')) {
        if ours != theirs {
            break;
        }
        bytes += ours.len() + 1;
    }
    bytes.saturating_sub(1)
}

impl StoreError {
    /// There is no such node.
    fn is_absence(&self) -> bool {
        matches!(self, StoreError::Refused { reason, .. } if reason == "ENOENT")
    }
}

impl AsFd for Store {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }
}
