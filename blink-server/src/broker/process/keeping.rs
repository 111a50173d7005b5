//! What the next broker shall find, should this one die: it lies with the keeper, and this is how it gets there and
//! back.

use super::{Broker, BrokerError, KEEPER, PeerId};
use crate::broker::aperture::Aperture;
use crate::broker::outbox::{Outbox, SendError};
use crate::broker::peers::{Client, Peer, PeerKind};
use crate::broker::policy_file::VmPolicy;
use crate::broker::vms::Vm;
use crate::budget::Budget;
use crate::ipc::{ClientId, ClientInfo, FromKeeper, Key, ToKeeper};
use crate::socket::Received;
use crate::vm::Color;
use rustix::event::epoll::{self, EventData, EventFlags};
use rustix::event::{PollFd, PollFlags, poll};
use rustix::fd::{AsFd, BorrowedFd, OwnedFd};
use rustix::io::Errno;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;

/// What all brokers share.
#[derive(Debug, Serialize, Deserialize)]
struct KeptServer {
    last_client: u32,
    renderer_starts: u64,
    /// As the policy file said: it may have changed since, and its VMs are what was made of it.
    budget: Budget,
}

/// A virtual machine that the policy knows.
#[derive(Debug, Serialize, Deserialize)]
struct KeptVm {
    policy: VmPolicy,
    color: Color,
    suspended: bool,
}

/// A client; its connection is beside it.
#[derive(Debug, Serialize, Deserialize)]
struct KeptClient {
    pid: i32,
    info: ClientInfo,
}

/// What a message of the last broker's held.
type Entry = (Value, Vec<OwnedFd>);

impl Broker {
    /// Takes over what the last broker left; true: there was one.
    pub(super) fn take_over(&mut self) -> Result<bool, BrokerError> {
        let mut kept = BTreeMap::new();
        while let Some(keeper) = &self.keeper {
            match keeper.receive().map_err(|error| BrokerError::Keeper(error.to_string()))? {
                Received::Message(bytes, fds) => match serde_json::from_slice(&bytes) {
                    Ok(FromKeeper::Kept { key, value }) => {
                        kept.insert(key, (value, fds));
                    }
                    Ok(FromKeeper::All) => break,
                    Err(error) => return Err(BrokerError::Keeper(error.to_string())),
                },
                Received::Closed => return Err(BrokerError::Keeper("it hung up".into())),
                Received::Nothing => match poll(&mut [PollFd::new(keeper, PollFlags::IN)], None) {
                    Ok(_) | Err(Errno::INTR) => {}
                    Err(error) => return Err(error.into()),
                },
            }
        }
        let Some((server, _)) = kept.remove(&Key::Server) else { return Ok(false) };
        let server: KeptServer =
            serde_json::from_value(server).map_err(|error| BrokerError::Keeper(error.to_string()))?;
        (self.last_client, self.renderer_starts) = (server.last_client, server.renderer_starts);
        self.budget = server.budget;
        // It was announced by the first one.
        self.announced = true;
        let keys: Vec<Key> = kept.keys().copied().collect();
        for key in keys {
            let back = match key {
                Key::Vm(id) => kept.remove(&key).map(|entry| self.vm_back(id, entry)),
                Key::Client(id) => {
                    let aperture = kept.remove(&Key::Aperture(id));
                    kept.remove(&key).map(|entry| self.client_back(id, entry, aperture))
                }
                Key::Port(id) => kept.remove(&key).map(|entry| self.port_back(id, entry)),
                // With its client; nothing else is left of one without.
                Key::Aperture(_) | Key::Server => None,
            };
            if let Some(Err(error)) = back {
                log::error!("{key:?} is lost: {error}");
                self.drop_kept(key);
            }
        }
        log::warn!("goes on for a broker that died, with {} clients", self.clients.len());
        Ok(true)
    }

    fn vm_back(&mut self, id: ClientId, (value, _): Entry) -> Result<(), String> {
        let KeptVm { policy, color, suspended } = serde_json::from_value(value).map_err(|e| e.to_string())?;
        let (device, port) = self.open_entrances(&policy.name)?;
        self.vms.insert(id, Vm { policy, color, suspended, device, port, connected_port: None });
        Ok(())
    }

    fn client_back(
        &mut self,
        id: ClientId,
        (value, fds): Entry,
        aperture: Option<Entry>,
    ) -> Result<(), String> {
        let KeptClient { pid, info } = serde_json::from_value(value).map_err(|e| e.to_string())?;
        let socket = fds.into_iter().next().ok_or("no connection")?;
        let (_, parts) = aperture.ok_or("no aperture")?;
        let parts = <[OwnedFd; 3]>::try_from(parts).map_err(|_| "no whole aperture")?;
        let aperture = Aperture::of_parts(parts, info.bytes);
        let peer = if self.vms.contains_key(&id) {
            self.watch_qemu(socket, PeerKind::Device(id))?
        } else {
            self.last_peer += 1;
            let peer = PeerId(self.last_peer);
            epoll::add(&self.epoll, &socket, EventData::new_u64(peer.0), EventFlags::IN)
                .map_err(|e| e.to_string())?;
            self.peers.insert(peer, Peer { socket, kind: PeerKind::Client(id) });
            peer
        };
        // The renderer that is started soon gets all clients.
        self.clients.insert(id, Client { peer, pid, info, aperture });
        Ok(())
    }

    fn port_back(&mut self, id: ClientId, (_, fds): Entry) -> Result<(), String> {
        let socket = fds.into_iter().next().ok_or("no connection")?;
        let port = self.watch_qemu(socket, PeerKind::Port(id))?;
        self.vms.get_mut(&id).ok_or("no VM")?.connected_port = Some(port);
        Ok(())
    }

    // To the keeper

    pub(super) fn keep_server(&mut self) {
        let server = KeptServer {
            last_client: self.last_client,
            renderer_starts: self.renderer_starts,
            budget: self.budget,
        };
        self.tell_keeper(Key::Server, &server, &[]);
    }

    pub(super) fn keep_vm(&mut self, id: ClientId) {
        let Some(vm) = self.vms.get(&id) else { return };
        let kept = KeptVm { policy: vm.policy.clone(), color: vm.color, suspended: vm.suspended };
        self.keep_server();
        self.tell_keeper(Key::Vm(id), &kept, &[]);
    }

    pub(super) fn keep_client(&mut self, id: ClientId) {
        let Some(client) = self.clients.get(&id) else { return };
        let (Some(peer), Some(keeper)) = (self.peers.get(&client.peer), &mut self.keeper) else { return };
        let kept = KeptClient { pid: client.pid, info: client.info.clone() };
        // First the aperture, as one without a client is nothing.
        let sent = keep(keeper, Key::Aperture(id), &(), &client.aperture.parts())
            .and_then(|()| keep(keeper, Key::Client(id), &kept, &[peer.socket.as_fd()]));
        self.after_keeping(sent);
        self.keep_server();
    }

    /// Its windows were moved.
    pub(super) fn note_client(&mut self, id: ClientId) {
        let (Some(client), Some(keeper)) = (self.clients.get(&id), &mut self.keeper) else { return };
        let kept = KeptClient { pid: client.pid, info: client.info.clone() };
        let sent = serde_json::to_value(kept).map_err(SendError::from).and_then(|value| {
            let key = Key::Client(id);
            keeper.send(&ToKeeper::Note { key, value }, &[])
        });
        self.after_keeping(sent);
    }

    pub(super) fn keep_port(&mut self, id: ClientId) {
        let port = self.vms.get(&id).and_then(|vm| vm.connected_port);
        let port = port.and_then(|port| self.peers.get(&port));
        let (Some(port), Some(keeper)) = (port, &mut self.keeper) else { return };
        let sent = keep(keeper, Key::Port(id), &(), &[port.socket.as_fd()]);
        self.after_keeping(sent);
    }

    pub(super) fn drop_kept_client(&mut self, id: ClientId) {
        self.drop_kept(Key::Client(id));
        self.drop_kept(Key::Aperture(id));
    }

    pub(super) fn drop_kept(&mut self, key: Key) {
        if let Some(keeper) = &mut self.keeper {
            let sent = keeper.send(&ToKeeper::Drop { key }, &[]);
            self.after_keeping(sent);
        }
    }

    fn tell_keeper(&mut self, key: Key, value: &impl Serialize, fds: &[BorrowedFd<'_>]) {
        if let Some(keeper) = &mut self.keeper {
            let sent = keep(keeper, key, value, fds);
            self.after_keeping(sent);
        }
    }

    /// Watches for room if messages wait. A keeper that is of no use is given up: clients must not suffer from it.
    fn after_keeping(&mut self, sent: Result<(), SendError>) {
        let Some(keeper) = &self.keeper else { return };
        let flags = if keeper.is_waiting() { EventFlags::OUT } else { EventFlags::empty() };
        let watched = epoll::modify(&self.epoll, keeper, EventData::new_u64(KEEPER), flags);
        if let Err(error) = sent.map_err(|e| e.to_string()).and(watched.map_err(|e| e.to_string())) {
            log::error!("nothing is kept for the next broker any more: {error}");
            self.keeper = None;
        }
    }

    /// The keeper's socket has room, or is closed.
    pub(super) fn keeper_socket(&mut self) {
        if let Some(keeper) = &mut self.keeper {
            let sent = keeper.flush();
            self.after_keeping(sent);
        }
    }
}

fn keep(
    keeper: &mut Outbox,
    key: Key,
    value: &impl Serialize,
    fds: &[BorrowedFd<'_>],
) -> Result<(), SendError> {
    let value = serde_json::to_value(value)?;
    keeper.send(&ToKeeper::Keep { key, value }, fds)
}
