//! Guests of Xen in the broker's loop. A guest whose name the policy has is that virtual machine; it comes by XenStore
//! instead of a socket.

use super::{Broker, PeerId, XEN};
use crate::peers::{Client, Peer, PeerKind, Shared};
use crate::xen::{Memory, Xen};
use blinkgl::limits::MAX_GRANTED_PAGES;
use ipc::{ClientId, ClientInfo};
use rustix::event::epoll::{self, EventData, EventFlags};
use std::time::{Duration, Instant};
use xen::bus::State;
use xen::channel::EventChannel;
use xen::store::StoreError;

/// From one try to find XenStore to the next.
const FIND_PAUSE: Duration = Duration::from_secs(5);
/// Of a grant.
const PAGE_BYTES: u64 = 4096;

impl Broker {
    /// Finds Xen, if this is a domain of it. Without it, all others are served.
    pub(super) fn find_xen(&mut self) {
        if !cfg!(feature = "xen") {
            return;
        }
        let found = Xen::open().map_err(|error| error.to_string()).and_then(|xen| {
            let Some(xen) = xen else { return Ok(None) };
            epoll::add(&self.epoll, &xen, EventData::new_u64(XEN), EventFlags::IN)
                .map_err(|error| error.to_string())?;
            Ok(Some(xen))
        });
        match found {
            Ok(None) => {}
            Ok(Some(xen)) => {
                log::info!("serves guests of Xen from domain {}", xen.own());
                self.xen = Some(xen);
                self.forget_domains();
                self.forget_clients_without_devices();
                self.look_for_domains();
            }
            Err(error) => {
                self.warn(format_args!("no guests of Xen come until XenStore answers: {error}"));
                self.find_xen_again = Some(Instant::now() + FIND_PAUSE);
            }
        }
    }

    /// Asks XenStore. Without an answer, it is connected to anew; those who are served stay so.
    fn ask<T>(&mut self, question: impl FnOnce(&mut Xen) -> Result<T, StoreError>) -> Option<T> {
        match question(self.xen.as_mut()?) {
            Ok(answer) => Some(answer),
            Err(error) if error.is_fatal() => {
                log::error!("guests of Xen come and go unnoticed until XenStore answers: {error}");
                self.find_xen_again = Some(Instant::now() + FIND_PAUSE);
                if let Some(xen) = self.xen.take()
                    && let Err(error) = epoll::delete(&self.epoll, &xen)
                {
                    log::error!("XenStore is watched on: {error}");
                }
                None
            }
            Err(error) => {
                self.warn(format_args!("XenStore: {error}"));
                None
            }
        }
    }

    /// XenStore has something to tell.
    pub(super) fn xen_events(&mut self) {
        let Some(news) = self.ask(Xen::events) else { return };
        if news.introduced {
            self.look_for_domains();
        }
        if news.released {
            self.forget_domains();
        }
    }

    /// Looks which guests are gone.
    fn forget_domains(&mut self) {
        for guest in self.ask(Xen::gone).unwrap_or_default() {
            log::info!("domain {guest} is gone");
            self.remove_domain(guest);
        }
    }

    /// XenStore may have forgotten guests while it was away: nothing would tell of their end.
    fn forget_clients_without_devices(&mut self) {
        let Some(xen) = &self.xen else { return };
        let is_forgotten =
            |client: &&Client| client.shared.guest().is_some_and(|guest| xen.name(guest).is_none());
        let forgotten: Vec<PeerId> =
            self.clients.values().filter(is_forgotten).map(|client| client.peer).collect();
        for peer in forgotten {
            self.remove_peer(peer);
        }
    }

    /// Looks at the guests whose turn it is.
    pub(super) fn look_at_domains(&mut self, now: Instant) {
        let due = self.xen.as_mut().map(|xen| xen.take_due(now)).unwrap_or_default();
        for guest in due {
            self.look_at_domain(guest);
        }
    }

    /// There are other domains, or the policy is another one.
    pub(super) fn look_for_domains(&mut self) {
        let names: Vec<String> = self.vms.values().map(|vm| vm.policy.name.to_string()).collect();
        self.ask(|xen| {
            xen.make_devices(|name| names.iter().any(|wanted| wanted == name))?;
            xen.look_at_all();
            Ok(())
        });
    }

    /// A guest's device goes, and what it showed.
    fn remove_domain(&mut self, guest: u16) {
        if let Some(client) = self.client_of(guest) {
            self.remove_peer(client);
        }
        self.ask(|xen| xen.remove_device(guest));
    }

    /// The policy knows this virtual machine no more.
    pub(super) fn remove_domain_of(&mut self, name: &str) {
        // A domain that is being moved or renamed may have the name for a moment too.
        for guest in self.xen.as_ref().map(|xen| xen.guests(name)).unwrap_or_default() {
            self.remove_domain(guest);
        }
    }

    /// The connection of a guest's program that is served.
    fn client_of(&self, guest: u16) -> Option<PeerId> {
        self.clients.values().find(|client| client.shared.guest() == Some(guest)).map(|client| client.peer)
    }

    /// What the guest's side of a device says may be another thing than before.
    fn look_at_domain(&mut self, guest: u16) {
        let Some(said) = self.ask(|xen| xen.frontend_state(guest)) else { return };
        match said {
            Some(State::Initialised | State::Connected) => {
                let ours = self.xen.as_ref().and_then(|xen| xen.state(guest));
                match (ours, self.client_of(guest)) {
                    (Some(State::InitWait | State::Connected), None) => {
                        let now = Instant::now();
                        if self.xen.as_mut().is_some_and(|xen| xen.may_connect(guest, now)) {
                            self.connect_domain(guest);
                        }
                    }
                    // XenStore was away when it was to be told.
                    (Some(State::InitWait), Some(_)) => {
                        self.ask(|xen| xen.is_connected(guest));
                    }
                    // A state that this side closed stays so until the guest starts anew.
                    (..) => {}
                }
            }
            Some(State::Initialising) => {
                if let Some(client) = self.client_of(guest) {
                    self.remove_peer(client);
                }
                self.wait_for_program(guest);
            }
            Some(State::InitWait) => {}
            Some(State::Closing | State::Closed) | None => {
                if let Some(client) = self.client_of(guest) {
                    self.remove_peer(client);
                }
            }
        }
    }

    /// The virtual machine that a guest is, by the policy.
    fn vm_of(&self, guest: u16) -> Result<(ClientId, u64), String> {
        let name = self.xen.as_ref().and_then(|xen| xen.name(guest)).unwrap_or_default();
        let vm = self.vms.iter().find(|(_, vm)| vm.policy.name.as_str() == name);
        vm.map(|(&id, vm)| (id, vm.policy.memory.bytes().min(most_mapped()))).ok_or_else(|| {
            format!("the server's policy has no VM `{}`: `blinkctl vm add` makes one", name.escape_debug())
        })
    }

    fn wait_for_program(&mut self, guest: u16) {
        if self.ask(|xen| xen.is_waiting(guest)) == Some(true) {
            return;
        }
        match self.vm_of(guest) {
            Ok((id, most)) => self.ask(|xen| xen.wait_for_program(guest, id.0, most)),
            Err(reason) => self.refuse_domain(guest, &reason),
        };
    }

    fn refuse_domain(&mut self, guest: u16, reason: &str) -> Option<()> {
        if self.ask(|xen| xen.close(guest, Some(reason)))? {
            self.warn(format_args!("domain {guest} is not served: {reason}"));
        }
        Some(())
    }

    fn connect_domain(&mut self, guest: u16) {
        let (id, most) = match self.vm_of(guest) {
            Ok(vm) => vm,
            Err(reason) => {
                self.refuse_domain(guest, &reason);
                return;
            }
        };
        let Some(Some(connected)) = self.ask(|xen| xen.connect(guest, most)) else { return };
        if let Err(reason) = connected.and_then(|(memory, lifeline)| self.join_domain(id, memory, lifeline)) {
            self.refuse_domain(guest, &reason);
            return;
        }
        if self.client_of(guest).is_some() {
            self.ask(|xen| xen.is_connected(guest));
        }
    }

    fn join_domain(&mut self, id: ClientId, memory: Memory, lifeline: EventChannel) -> Result<(), String> {
        if self.clients.contains_key(&id) {
            return Err("a VM of this name is connected already; give each a name of its own".into());
        }
        let pages: usize = self.clients.values().map(|client| client.shared.granted_pages()).sum();
        if pages.saturating_add(memory.pages()) > MAX_GRANTED_PAGES {
            return Err(format!(
                "guests have {pages} pages of 4 KiB mapped, and all together may have {MAX_GRANTED_PAGES}; give them less memory \
                 in the server's policy"
            ));
        }
        let Some(vm) = self.vms.get_mut(&id) else { return Err("the VM was removed".into()) };
        let placements = std::mem::take(&mut vm.placements);
        let channel = Some(memory.port());
        let info = ClientInfo { placements, channel, ..vm.info(id, memory.bytes(), self.budget) };
        let guest = memory.guest();
        log::info!("domain {guest}, {}, is client {id}, {} bytes", info.name, info.bytes);
        self.last_peer += 1;
        let peer = PeerId(self.last_peer);
        let socket = lifeline.into_fd();
        epoll::add(&self.epoll, &socket, EventData::new_u64(peer.0), EventFlags::IN)
            .map_err(|error| error.to_string())?;
        self.peers.insert(peer, Peer { socket, kind: PeerKind::Domain(id) });
        self.clients.insert(id, Client { peer, pid: None, info, shared: Shared::Granted(memory) });
        self.introduce(id);
        Ok(())
    }

    /// The renderer has no use for a client. Of other clients' memory, which we made, that is the renderer's own trouble.
    pub(super) fn unfit(&mut self, id: ClientId, reason: &str) {
        let Some(client) = self.clients.get(&id) else { return };
        if let (Some(guest), peer) = (client.shared.guest(), client.peer) {
            self.remove_peer(peer);
            self.refuse_domain(guest, reason);
        }
    }

    /// A guest's program is not served any more: its side may know.
    pub(super) fn close_domain(&mut self, guest: u16) {
        self.ask(|xen| xen.close(guest, None));
    }
}

/// Bytes that `gntdev` maps at once.
fn most_mapped() -> u64 {
    xen::grants::mapper_limit().map_or(u64::MAX, |pages| u64::from(pages).saturating_mul(PAGE_BYTES))
}
