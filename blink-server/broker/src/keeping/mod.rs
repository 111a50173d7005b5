//! What the next broker finds, should this one die: it lies with the keeper, and this is how it gets there and back.

pub mod deposits;

use crate::broker::BrokerError;
use crate::clients::{Client, Origin, Shared, Via};
use crate::house::{House, Rules};
use crate::policy::file::VmPolicy;
use crate::reactor::{Reactor, Source, Token};
use crate::registry::{Registry, Vm};
use crate::transport::aperture::Aperture;
use crate::transport::qemu::{self, Qemu};
use deposits::{Deposits, State};
use ipc::vm::Color;
use ipc::{ClientId, ClientInfo, FromKeeper, Key, Placement};
use os::seqpacket::Received;
use rustix::event::epoll::EventFlags;
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
    rules: Rules,
}

/// A virtual machine that the policy knows.
#[derive(Debug, Serialize, Deserialize)]
struct KeptVm<'a> {
    policy: Cow<'a, VmPolicy>,
    color: Color,
    suspended: bool,
    /// Of its windows, if it is a guest of Xen: those are not kept as clients but found anew in XenStore.
    placements: Cow<'a, [Placement]>,
}

/// A client; its connection is beside it.
#[derive(Debug, Serialize, Deserialize)]
struct KeptClient<'a> {
    info: Cow<'a, ClientInfo>,
    color: [u8; 3],
    placements: Cow<'a, [Placement]>,
    origin: Option<Origin>,
    via: Via,
}

/// A text of the last broker's, and what was beside it.
type Entry = (String, Vec<OwnedFd>);

/// All that the last broker left.
pub type Kept = BTreeMap<Key, Entry>;

/// What is kept: everything that a [`World`] has.
#[derive(Debug)]
pub struct World<'a> {
    /// Who there is.
    pub registry: &'a Registry,
    /// What the policy says.
    pub rules: Rules,
    /// Renderers that were started.
    pub renderer_starts: u64,
}

/// The keeper, as long as there is one.
#[derive(Debug)]
pub struct Keeping {
    keeper: Option<(Deposits, Token)>,
    /// Something has changed since the keeper was told.
    is_behind: bool,
}

impl Keeping {
    /// With the keeper at the other end of a socket.
    ///
    /// # Errors
    /// The system has no memory left.
    pub fn new(keeper: OwnedFd, reactor: &mut Reactor) -> Result<Keeping, Errno> {
        let deposits = Deposits::new(keeper);
        let token = reactor.watch(&deposits, Source::Keeper, EventFlags::empty())?;
        Ok(Keeping { keeper: Some((deposits, token)), is_behind: false })
    }

    /// Takes what the last broker left; without one, nothing is there.
    ///
    /// # Errors
    /// The keeper does not say.
    pub fn take(&mut self) -> Result<Kept, BrokerError> {
        let mut kept = Kept::new();
        while let Some((keeper, _)) = &mut self.keeper {
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
        Ok(kept)
    }

    /// These are there now, or have other descriptors.
    pub fn change(&mut self, keys: &[Key]) {
        self.update(keys, Deposits::change);
    }

    /// Something else is known of this, with the same descriptors.
    pub fn note(&mut self, key: Key) {
        self.update(&[key], Deposits::note);
    }

    /// These are gone.
    pub fn drop(&mut self, keys: &[Key]) {
        self.update(keys, Deposits::drop);
    }

    fn update(&mut self, keys: &[Key], update: impl Fn(&mut Deposits, Key)) {
        if let Some((keeper, _)) = &mut self.keeper {
            keys.iter().for_each(|&key| update(keeper, key));
            self.is_behind = true;
        }
    }

    /// When to [`tell`](Keeping::tell), if nothing happens before.
    #[must_use]
    pub fn due(&self) -> Option<Instant> {
        self.keeper.as_ref().and_then(|(keeper, _)| keeper.due())
    }

    /// Tells the keeper what it does not know yet, as far as it takes it. One that is gone is given up: clients must
    /// not suffer from it.
    pub fn tell(&mut self, world: &World<'_>, reactor: &mut Reactor) {
        let now = Instant::now();
        let is_due = self.due().is_some_and(|due| due <= now);
        if !std::mem::replace(&mut self.is_behind, false) && !is_due {
            return;
        }
        let Some((keeper, token)) = &mut self.keeper else { return };
        match keeper.tell(world, now) {
            Ok(()) => reactor.change(&*keeper, *token, keeper.interest()),
            Err(error) => self.give_up(&error.to_string(), reactor),
        }
    }

    fn give_up(&mut self, error: &str, reactor: &mut Reactor) {
        log::error!("nothing is kept for the next broker any more: {error}");
        if let Some((keeper, token)) = self.keeper.take() {
            reactor.forget(&keeper, token);
        }
    }

    /// The keeper's socket has room, or is closed.
    pub fn event(&mut self, flags: EventFlags, reactor: &mut Reactor) {
        if flags.intersects(EventFlags::HUP | EventFlags::ERR) {
            self.give_up("the keeper hung up", reactor);
        } else if let Some((keeper, _)) = &mut self.keeper {
            keeper.has_room();
            self.is_behind = true;
        }
    }
}

impl State for World<'_> {
    fn newest(&self, key: Key) -> Result<Option<(String, Vec<BorrowedFd<'_>>)>, serde_json::Error> {
        let text = match key {
            Key::Server => {
                let server = KeptServer {
                    last_client: self.registry.last_id(),
                    renderer_starts: self.renderer_starts,
                    rules: self.rules,
                };
                Some((serde_json::to_string(&server)?, Vec::new()))
            }
            Key::Vm(id) => match self.registry.vm(id) {
                Some(vm) => {
                    let guest = self.registry.client(id).filter(|client| client.via == Via::Xen);
                    let kept = KeptVm {
                        policy: Cow::Borrowed(&vm.policy),
                        color: vm.color,
                        suspended: vm.suspended,
                        placements: Cow::Borrowed(guest.map_or(&vm.placements, |client| &client.placements)),
                    };
                    Some((serde_json::to_string(&kept)?, Vec::new()))
                }
                None => None,
            },
            Key::Aperture(id) => match self.registry.client(id).map(|client| &client.shared) {
                Some(Shared::Made(aperture)) => Some((String::new(), aperture.parts().to_vec())),
                Some(Shared::Granted(_)) | None => None,
            },
            Key::Client(id) => match self.registry.client(id) {
                Some(client) => {
                    let kept = KeptClient {
                        info: Cow::Borrowed(&client.info),
                        color: client.color,
                        placements: Cow::Borrowed(&client.placements),
                        origin: client.origin,
                        via: client.via,
                    };
                    Some((serde_json::to_string(&kept)?, vec![client.connection.fd.as_fd()]))
                }
                None => None,
            },
            Key::Port(id) => self.registry.port(id).map(|port| (String::new(), vec![port])),
        };
        Ok(text)
    }
}

/// Puts everything where the last broker had it. True: there was one.
///
/// # Errors
/// What is kept of the server makes no sense.
pub fn restore(mut kept: Kept, house: &mut House, qemu: &mut Qemu) -> Result<bool, BrokerError> {
    let Some((server, _)) = kept.remove(&Key::Server) else { return Ok(false) };
    let server: KeptServer =
        serde_json::from_str(&server).map_err(|error| BrokerError::Keeper(error.to_string()))?;
    // It counts as it should, unless the last broker died between two messages.
    let last = kept.keys().filter_map(client_of).chain([server.last_client]).max().unwrap_or(0);
    house.registry.use_id(ClientId(last));
    house.rules = server.rules;
    house.supervisor.set_up(server.rules.isolation, server.renderer_starts);
    // The first broker announced that they were.
    house.supervisor.were_ready();
    let keys: Vec<Key> = kept.keys().copied().collect();
    for key in keys {
        let back = match key {
            Key::Vm(id) => kept.remove(&key).map(|entry| vm_back(id, entry, house, qemu)),
            Key::Client(id) => {
                let aperture = kept.remove(&Key::Aperture(id));
                kept.remove(&key).map(|entry| client_back(id, entry, aperture, house))
            }
            // The last broker died before it could tell of the client.
            Key::Aperture(id) if !kept.contains_key(&Key::Client(id)) => Some(Err("no client".into())),
            Key::Port(id) => kept.remove(&key).map(|entry| port_back(id, entry, house)),
            // With its client.
            Key::Aperture(_) | Key::Server => None,
        };
        if let Some(Err(error)) = back {
            log::error!("{key:?} is lost: {error}");
            match key {
                Key::Client(id) => house.keeping.drop(&[key, Key::Aperture(id)]),
                Key::Server | Key::Vm(_) | Key::Aperture(_) | Key::Port(_) => house.keeping.drop(&[key]),
            }
        }
    }
    // Ports before: a renderer hears of both.
    let clients: Vec<ClientId> = house.registry.clients().map(|client| client.info.id).collect();
    log::warn!("goes on for a broker that died, with {} clients", clients.len());
    for id in clients {
        house.run(id);
    }
    Ok(true)
}

fn vm_back(id: ClientId, (value, _): Entry, house: &mut House, qemu: &mut Qemu) -> Result<(), String> {
    let KeptVm { policy, color, suspended, placements } =
        serde_json::from_str(&value).map_err(|e| e.to_string())?;
    qemu.open(id, &policy, &mut house.reactor)?;
    let vm = Vm { suspended, placements: placements.into_owned(), ..Vm::new(policy.into_owned(), color) };
    house.registry.add_vm(id, vm);
    Ok(())
}

fn client_back(
    id: ClientId,
    (value, fds): Entry,
    aperture: Option<Entry>,
    house: &mut House,
) -> Result<(), String> {
    let KeptClient { info, color, placements, origin, via } =
        serde_json::from_str(&value).map_err(|e| e.to_string())?;
    let info = info.into_owned();
    let socket = fds.into_iter().next().ok_or("no connection")?;
    let (_, parts) = aperture.ok_or("no aperture")?;
    let parts = <[OwnedFd; 3]>::try_from(parts).map_err(|_| "no whole aperture")?;
    let shared = Shared::Made(Aperture::of_parts(parts, info.bytes));
    let flags = match via {
        Via::Local | Via::Xen => EventFlags::IN,
        Via::Qemu => qemu::HANG_UP,
    };
    let connection = house.reactor.adopt(socket, Source::Client(id), flags).map_err(|e| e.to_string())?;
    let placements = placements.into_owned();
    house.registry.add_client(Client { info, color, placements, origin, via, connection, shared });
    Ok(())
}

fn port_back(id: ClientId, (_, fds): Entry, house: &mut House) -> Result<(), String> {
    let socket = fds.into_iter().next().ok_or("no connection")?;
    let port = house.reactor.adopt(socket, Source::Port(id), qemu::HANG_UP).map_err(|e| e.to_string())?;
    house.registry.vm_mut(id).ok_or("no VM")?.port = Some(port);
    Ok(())
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
