//! A XenStore of a test's own: a daemon in this process, by the real wire protocol over socket pairs.
//!
//! It has nodes, watches, transactions that fail when others wrote meanwhile, and permissions, which it keeps but does not
//! enforce. What it can't do is be slow or wrong: tests of that answer for themselves.

use crate::store::Store;
use crate::store::wire::{HEADER_BYTES, Header, Kind, MAX_PAYLOAD, Message, texts};
use rustix::fd::OwnedFd;
use rustix::net::{AddressFamily, SendFlags, Shutdown, SocketFlags, SocketType, socketpair};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard};

/// See the [module](self). All clones are the same one.
#[derive(Clone, Debug, Default)]
pub struct FakeStore {
    state: Arc<Mutex<State>>,
}

type Nodes = BTreeMap<String, String>;

#[derive(Debug, Default)]
struct State {
    nodes: Nodes,
    permissions: BTreeMap<String, Vec<String>>,
    /// Counts changes.
    generation: u64,
    connections: Vec<Connection>,
    transactions: BTreeMap<u32, Transaction>,
    last_transaction: u32,
    domains: BTreeSet<u16>,
    /// Every write and removal in its order: `path=value`, `-path`; those of one transaction are one entry.
    history: Vec<String>,
    /// How many of the next transactions fail.
    conflicts: u32,
    /// What nobody may read.
    hidden: BTreeSet<String>,
}

#[derive(Debug)]
struct Connection {
    socket: Arc<OwnedFd>,
    domain: u16,
    /// Path as it was given, and token.
    watches: Vec<(String, String)>,
}

#[derive(Debug)]
struct Transaction {
    nodes: Nodes,
    generation: u64,
    changes: Vec<(String, Option<String>)>,
}

impl FakeStore {
    /// An empty one.
    #[must_use]
    pub fn new() -> FakeStore {
        FakeStore::default()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        match self.state.lock() {
            Ok(state) => state,
            Err(poisoned) => poisoned.into_inner(),
        }
    }

    /// A connection as a domain has it.
    ///
    /// # Panics
    /// There are no sockets left.
    #[must_use]
    pub fn connect(&self, domain: u16) -> Store {
        let (theirs, ours) = socketpair(AddressFamily::UNIX, SocketType::STREAM, SocketFlags::CLOEXEC, None)
            .unwrap_or_else(|error| panic!("a pair of sockets: {error}"));
        let socket = Arc::new(ours);
        let index = {
            let mut state = self.state();
            state.domains.insert(domain);
            state.connections.push(Connection { socket: Arc::clone(&socket), domain, watches: Vec::new() });
            state.connections.len() - 1
        };
        let fake = self.clone();
        std::thread::spawn(move || fake.serve(&socket, index));
        Store::over(theirs)
    }

    /// A node's value, as it is now.
    #[must_use]
    pub fn get(&self, path: &str) -> Option<String> {
        self.state().nodes.get(path).cloned()
    }

    /// Writes a node, as a domain that may do so would.
    pub fn set(&self, path: &str, value: &str) {
        self.state().apply(vec![(path.into(), Some(value.into()))]);
    }

    /// Removes a node.
    pub fn unset(&self, path: &str) {
        self.state().apply(vec![(path.into(), None)]);
    }

    /// What a node's owner said of who may read and write it.
    #[must_use]
    pub fn permissions(&self, path: &str) -> Vec<String> {
        self.state().permissions.get(path).cloned().unwrap_or_default()
    }

    /// Every write (`path=value`) and removal (`-path`) until now, in its order; those of one transaction are one entry, with
    /// spaces between.
    #[must_use]
    pub fn history(&self) -> Vec<String> {
        self.state().history.clone()
    }

    /// The next so many transactions fail, as if another domain had written meanwhile.
    pub fn fail_transactions(&self, count: u32) {
        self.state().conflicts = count;
    }

    /// Ends all connections, as a daemon that dies does.
    pub fn stop(&self) {
        for connection in self.state().connections.drain(..) {
            // Whoever closed its end needs no other.
            let _shut = rustix::net::shutdown(&connection.socket, Shutdown::Both);
        }
    }

    /// Removes a directory as the real one is seen by who may not read those above it: reading below it is denied.
    pub fn hide(&self, path: &str) {
        let mut state = self.state();
        state.hidden.insert(format!("{path}/"));
        state.tell(path);
    }

    /// Ends a domain: it is not introduced any more, and `@releaseDomain` tells.
    pub fn release_domain(&self, domain: u16) {
        let mut state = self.state();
        state.domains.remove(&domain);
        state.tell("@releaseDomain");
    }

    fn serve(&self, socket: &OwnedFd, index: usize) {
        let mut bytes = Vec::new();
        loop {
            let mut some = [0; HEADER_BYTES + MAX_PAYLOAD];
            match rustix::io::retry_on_intr(|| rustix::io::read(socket, &mut some)) {
                Ok(0) | Err(_) => return,
                Ok(count) => bytes.extend(some.get(..count).unwrap_or_default()),
            }
            while let Ok(Some(message)) = Message::take_from(&mut bytes) {
                let mut state = self.state();
                let (kind, payload) = match state.answer(index, &message) {
                    Ok(payload) => (message.header.kind, payload),
                    Err(name) => (Kind::Error as u32, format!("{name}\0").into_bytes()),
                };
                let length = u32::try_from(payload.len()).unwrap_or(u32::MAX);
                send(socket, &Message { header: Header { kind, length, ..message.header }, payload });
                // A new watch tells at once, after its reply here: a real daemon may do either first.
                if Kind::of(message.header.kind) == Some(Kind::Watch)
                    && let Some(connection) = state.connections.get(index)
                    && let Some((path, token)) = connection.watches.last()
                {
                    send(socket, &event(path, token));
                }
            }
        }
    }
}

fn send(socket: &OwnedFd, message: &Message) {
    // One that is gone needs no answer.
    let _sent = rustix::net::send(socket, &message.encode(), SendFlags::NOSIGNAL);
}

fn event(path: &str, token: &str) -> Message {
    let payload = format!("{path}\0{token}\0").into_bytes();
    let length = u32::try_from(payload.len()).unwrap_or(u32::MAX);
    Message { header: Header { kind: Kind::WatchEvent as u32, request: 0, transaction: 0, length }, payload }
}

fn absolute(path: &str, domain: u16) -> String {
    if path.starts_with(['/', '@']) { path.into() } else { format!("/local/domain/{domain}/{path}") }
}

/// Is `path` at `top` or below it?
fn is_below(path: &str, top: &str) -> bool {
    path.strip_prefix(top).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// Changes nodes; a node that is made makes those above it.
fn change(nodes: &mut Nodes, path: &str, value: Option<&str>) {
    match value {
        Some(value) => {
            for (at, _) in path.match_indices('/').skip(1) {
                if let Some(above) = path.get(..at) {
                    nodes.entry(above.into()).or_default();
                }
            }
            nodes.insert(path.into(), value.into());
        }
        None => nodes.retain(|node, _| !is_below(node, path)),
    }
}

impl State {
    fn answer(&mut self, index: usize, message: &Message) -> Result<Vec<u8>, &'static str> {
        let kind = Kind::of(message.header.kind).ok_or("ENOSYS")?;
        let mut parts = texts(&message.payload).map(|text| String::from_utf8_lossy(text).into_owned());
        let first = parts.next().unwrap_or_default();
        let domain = self.connections.get(index).ok_or("EIO")?.domain;
        let path = absolute(&first, domain);
        let id = message.header.transaction;
        match kind {
            Kind::Read if self.hidden.iter().any(|hidden| path.starts_with(hidden.as_str())) => Err("EACCES"),
            Kind::Read => Ok(self.nodes(id)?.get(&path).ok_or("ENOENT")?.clone().into_bytes()),
            Kind::Directory => {
                let nodes = self.nodes(id)?;
                if !nodes.contains_key(&path) {
                    return Err("ENOENT");
                }
                let below = nodes.keys().filter_map(|node| node.strip_prefix(&path)?.strip_prefix('/'));
                let names: Vec<&str> = below.filter(|name| !name.contains('/')).collect();
                Ok(names.iter().flat_map(|name| name.bytes().chain([0])).collect())
            }
            Kind::Write => {
                let at = message.payload.iter().position(|&byte| byte == 0).ok_or("EINVAL")?;
                let value = message.payload.get(at + 1..).unwrap_or_default();
                self.change(id, path, Some(String::from_utf8_lossy(value).into_owned()))
            }
            Kind::Remove => {
                if !self.nodes(id)?.contains_key(&path) {
                    return Err("ENOENT");
                }
                self.change(id, path, None)
            }
            Kind::SetPermissions => {
                self.permissions.insert(path, parts.collect());
                Ok(b"OK\0".to_vec())
            }
            Kind::Watch | Kind::Unwatch => {
                let watch = (first, parts.next().ok_or("EINVAL")?);
                let watches = &mut self.connections.get_mut(index).ok_or("EIO")?.watches;
                let known = watches.iter().position(|known| *known == watch);
                match (kind, known) {
                    (Kind::Watch, None) => watches.push(watch),
                    (Kind::Watch, Some(_)) => return Err("EEXIST"),
                    (_, Some(at)) => drop(watches.remove(at)),
                    (_, None) => return Err("ENOENT"),
                }
                Ok(b"OK\0".to_vec())
            }
            Kind::TransactionStart => {
                self.last_transaction += 1;
                let (nodes, generation) = (self.nodes.clone(), self.generation);
                self.transactions
                    .insert(self.last_transaction, Transaction { nodes, generation, changes: Vec::new() });
                Ok(format!("{}\0", self.last_transaction).into_bytes())
            }
            Kind::TransactionEnd => {
                let Transaction { generation, changes, .. } =
                    self.transactions.remove(&id).ok_or("ENOENT")?;
                match (first.as_str(), changes.is_empty()) {
                    ("F", _) => {}
                    // As xenstored does: what was only read may have changed too.
                    ("T", _) if self.conflicts > 0 => {
                        self.conflicts -= 1;
                        return Err("EAGAIN");
                    }
                    ("T", true) => {}
                    ("T", false) if generation != self.generation => return Err("EAGAIN"),
                    ("T", false) => self.apply(changes),
                    _ => return Err("EINVAL"),
                }
                Ok(b"OK\0".to_vec())
            }
            Kind::IsDomainIntroduced => {
                let is_there = first.parse().is_ok_and(|domain| self.domains.contains(&domain));
                Ok(if is_there { b"T\0" } else { b"F\0" }.to_vec())
            }
            Kind::WatchEvent | Kind::Error => Err("EINVAL"),
        }
    }

    fn nodes(&self, id: u32) -> Result<&Nodes, &'static str> {
        match id {
            0 => Ok(&self.nodes),
            id => Ok(&self.transactions.get(&id).ok_or("ENOENT")?.nodes),
        }
    }

    fn change(&mut self, id: u32, path: String, value: Option<String>) -> Result<Vec<u8>, &'static str> {
        if id == 0 {
            self.apply(vec![(path, value)]);
        } else {
            let transaction = self.transactions.get_mut(&id).ok_or("ENOENT")?;
            change(&mut transaction.nodes, &path, value.as_deref());
            transaction.changes.push((path, value));
        }
        Ok(b"OK\0".to_vec())
    }

    fn apply(&mut self, changes: Vec<(String, Option<String>)>) {
        self.generation += 1;
        let mut entry = Vec::new();
        for (path, value) in &changes {
            change(&mut self.nodes, path, value.as_deref());
            entry.push(match value {
                Some(value) => format!("{path}={value}"),
                None => format!("-{path}"),
            });
        }
        self.history.push(entry.join(" "));
        for (path, _) in &changes {
            self.tell(path);
        }
    }

    /// Tells whoever watches a path.
    fn tell(&self, path: &str) {
        for Connection { socket, domain, watches } in &self.connections {
            for (watched, token) in watches {
                let top = absolute(watched, *domain);
                if is_below(path, &top) {
                    let below = path.strip_prefix(&top).unwrap_or_default();
                    send(socket, &event(&format!("{watched}{below}"), token));
                } else if is_below(&top, path) {
                    // It went with what is above it.
                    send(socket, &event(watched, token));
                }
            }
        }
    }
}
