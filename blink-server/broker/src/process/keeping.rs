//! What the next broker shall find, should this one die: it lies with the keeper, and this is how it gets there and
//! back.

use super::{Broker, BrokerError, KEEPER, PeerId};
use crate::aperture::Aperture;
use crate::deposits::{Deposits, State};
use crate::peers::{Client, Peer, PeerKind, Shared};
use crate::policy_file::VmPolicy;
use crate::vms::Vm;
use budget::Budget;
use ipc::vm::Color;
use ipc::{ClientId, ClientInfo, FromKeeper, Key, Placement};
use os::seqpacket::Received;
use rustix::event::epoll::{self, EventData, EventFlags};
use rustix::event::{PollFd, PollFlags, poll};
use rustix::fd::{AsFd, BorrowedFd, OwnedFd};
use rustix::io::Errno;
use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::time::Instant;

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
    /// Of its windows, if it is a guest of Xen: those are not kept as clients but found anew in XenStore.
    #[serde(default)]
    placements: Vec<Placement>,
}

/// A client; its connection is beside it.
#[derive(Debug, Serialize, Deserialize)]
struct KeptClient<'a> {
    pid: Option<i32>,
    info: Cow<'a, ClientInfo>,
}

/// What a message of the last broker's held.
type Entry = (String, Vec<OwnedFd>);

impl Broker {
    /// Takes over what the last broker left; true: there was one.
    pub(super) fn take_over(&mut self) -> Result<bool, BrokerError> {
        let mut kept = BTreeMap::new();
        while let Some(keeper) = &mut self.keeper {
            match keeper.receive().map_err(|error| BrokerError::Keeper(error.to_string()))? {
                Received::Message(bytes, fds) => match serde_json::from_slice(&bytes) {
                    Ok(FromKeeper::Kept { key, value }) => {
                        keeper.found(key);
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
            serde_json::from_str(&server).map_err(|error| BrokerError::Keeper(error.to_string()))?;
        // It counts as it should, unless the last broker died between two messages.
        self.last_client = kept.keys().filter_map(client_of).chain([server.last_client]).max().unwrap_or(0);
        self.renderer_starts = server.renderer_starts;
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
                // The last broker died before it could tell of the client.
                Key::Aperture(id) if !kept.contains_key(&Key::Client(id)) => Some(Err("no client".into())),
                Key::Port(id) => kept.remove(&key).map(|entry| self.port_back(id, entry)),
                // With its client.
                Key::Aperture(_) | Key::Server => None,
            };
            if let Some(Err(error)) = back {
                log::error!("{key:?} is lost: {error}");
                match key {
                    Key::Client(id) => self.drop_kept(&[key, Key::Aperture(id)]),
                    Key::Server | Key::Vm(_) | Key::Aperture(_) | Key::Port(_) => self.drop_kept(&[key]),
                }
            }
        }
        log::warn!("goes on for a broker that died, with {} clients", self.clients.len());
        Ok(true)
    }

    fn vm_back(&mut self, id: ClientId, (value, _): Entry) -> Result<(), String> {
        let KeptVm { policy, color, suspended, placements } =
            serde_json::from_str(&value).map_err(|e| e.to_string())?;
        let (device, port) = self.open_entrances(&policy.name)?;
        let vm = Vm { policy, color, suspended, device, port, connected_port: None, placements };
        self.vms.insert(id, vm);
        Ok(())
    }

    fn client_back(
        &mut self,
        id: ClientId,
        (value, fds): Entry,
        aperture: Option<Entry>,
    ) -> Result<(), String> {
        let KeptClient { pid, info } = serde_json::from_str(&value).map_err(|e| e.to_string())?;
        let info = info.into_owned();
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
        self.clients.insert(id, Client { peer, pid, info, shared: Shared::Made(aperture) });
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
        self.keep(&[Key::Server]);
    }

    pub(super) fn keep_vm(&mut self, id: ClientId) {
        self.keep(&[Key::Server, Key::Vm(id)]);
    }

    pub(super) fn keep_client(&mut self, id: ClientId) {
        self.keep(&[Key::Server, Key::Aperture(id), Key::Client(id)]);
    }

    pub(super) fn keep_port(&mut self, id: ClientId) {
        self.keep(&[Key::Port(id)]);
    }

    fn keep(&mut self, keys: &[Key]) {
        for &key in keys {
            if let Some(keeper) = &mut self.keeper {
                keeper.change(key);
            }
        }
        self.tell_keeper();
    }

    /// Its windows were moved.
    pub(super) fn note_client(&mut self, id: ClientId) {
        let is_guest = self.clients.get(&id).is_some_and(|client| client.shared.guest().is_some());
        if let Some(keeper) = &mut self.keeper {
            keeper.note(if is_guest { Key::Vm(id) } else { Key::Client(id) });
        }
        self.tell_keeper();
    }

    pub(super) fn drop_kept(&mut self, keys: &[Key]) {
        for &key in keys {
            if let Some(keeper) = &mut self.keeper {
                keeper.drop(key);
            }
        }
        self.tell_keeper();
    }

    /// Tells the keeper what it does not know yet, as far as it takes it. One that is gone is given up: clients must
    /// not suffer from it.
    pub(super) fn tell_keeper(&mut self) {
        let Some(mut keeper) = self.keeper.take() else { return };
        let told = keeper.tell(self, Instant::now()).map_err(|error| error.to_string());
        let watched = epoll::modify(&self.epoll, &keeper, EventData::new_u64(KEEPER), keeper.interest());
        match told.and(watched.map_err(|error| error.to_string())) {
            Ok(()) => self.keeper = Some(keeper),
            Err(error) => self.give_up(&keeper, &error),
        }
    }

    fn give_up(&self, keeper: &Deposits, error: &str) {
        log::error!("nothing is kept for the next broker any more: {error}");
        // A socket that is closed on the other side would wake the loop for ever.
        if let Err(error) = epoll::delete(&self.epoll, keeper) {
            log::error!("the keeper's socket is watched on: {error}");
        }
    }

    /// The keeper's socket has room, or is closed.
    pub(super) fn keeper_socket(&mut self, flags: EventFlags) {
        if flags.intersects(EventFlags::HUP | EventFlags::ERR) {
            if let Some(keeper) = self.keeper.take() {
                self.give_up(&keeper, "the keeper hung up");
            }
        } else if let Some(keeper) = &mut self.keeper {
            keeper.has_room();
            self.tell_keeper();
        }
    }
}

impl State for Broker {
    fn newest(&self, key: Key) -> Result<Option<(String, Vec<BorrowedFd<'_>>)>, serde_json::Error> {
        Ok(match key {
            Key::Server => {
                let server = KeptServer {
                    last_client: self.last_client,
                    renderer_starts: self.renderer_starts,
                    budget: self.budget,
                };
                Some((serde_json::to_string(&server)?, Vec::new()))
            }
            Key::Vm(id) => match self.vms.get(&id) {
                Some(vm) => {
                    let client = self.clients.get(&id).filter(|client| client.shared.guest().is_some());
                    let kept = KeptVm {
                        policy: vm.policy.clone(),
                        color: vm.color,
                        suspended: vm.suspended,
                        placements: client.map_or(&vm.placements, |client| &client.info.placements).clone(),
                    };
                    Some((serde_json::to_string(&kept)?, Vec::new()))
                }
                None => None,
            },
            Key::Aperture(id) => match self.clients.get(&id).map(|client| &client.shared) {
                Some(Shared::Made(aperture)) => Some((String::new(), aperture.parts().to_vec())),
                Some(Shared::Granted(_)) | None => None,
            },
            Key::Client(id) => {
                let client = self.clients.get(&id);
                match client.and_then(|client| Some((client, self.peers.get(&client.peer)?))) {
                    Some((client, peer)) => {
                        let kept = KeptClient { pid: client.pid, info: Cow::Borrowed(&client.info) };
                        Some((serde_json::to_string(&kept)?, vec![peer.socket.as_fd()]))
                    }
                    None => None,
                }
            }
            Key::Port(id) => {
                let port = self.vms.get(&id).and_then(|vm| self.peers.get(&vm.connected_port?));
                port.map(|port| (String::new(), vec![port.socket.as_fd()]))
            }
        })
    }
}

/// Whose it is, as a number.
fn client_of(key: &Key) -> Option<u32> {
    match key {
        Key::Server => None,
        Key::Vm(ClientId(id))
        | Key::Aperture(ClientId(id))
        | Key::Client(ClientId(id))
        | Key::Port(ClientId(id)) => Some(*id),
    }
}
