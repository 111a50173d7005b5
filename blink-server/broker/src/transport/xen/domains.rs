//! Guests of Xen as clients. A guest whose name the policy has is that virtual machine; it comes by XenStore instead of a
//! socket.

use super::{Memory, Xen};
use crate::clients::{Client, Shared, Via};
use crate::house::House;
use crate::reactor::{Source, Token};
use crate::transport::Transport;
use ipc::limits::MAX_GRANTED_PAGES;
use ipc::{ClientId, ClientInfo};
use rustix::event::epoll::EventFlags;
use std::time::{Duration, Instant};
use xen::bus::State;
use xen::channel::EventChannel;
use xen::store::StoreError;

/// From one try to find XenStore to the next.
const FIND_PAUSE: Duration = Duration::from_secs(5);
/// Of a grant.
const PAGE_BYTES: u64 = 4096;

/// See the [module](self).
#[derive(Debug, Default)]
pub struct Domains {
    /// If this is a domain of Xen's.
    xen: Option<(Xen, Token)>,
    /// XenStore is looked for again then.
    again: Option<Instant>,
}

impl Domains {
    /// Finds Xen, if this is a domain of it. Without it, all others are served.
    pub fn find(&mut self, house: &mut House) {
        if !cfg!(feature = "xen") {
            return;
        }
        let found = Xen::open().map_err(|error| error.to_string()).and_then(|xen| {
            let Some(xen) = xen else { return Ok(None) };
            let token = house.reactor.watch(&xen, Source::Xen, EventFlags::IN);
            Ok(Some((xen, token.map_err(|error| error.to_string())?)))
        });
        match found {
            Ok(None) => {}
            Ok(Some((xen, token))) => {
                log::info!("serves guests of Xen from domain {}", xen.own());
                self.xen = Some((xen, token));
                self.forget_domains(house);
                self.forget_clients_without_devices(house);
                self.look_for(house);
            }
            Err(error) => {
                house.warnings.warn(format_args!("no guests of Xen come until XenStore answers: {error}"));
                self.again = Some(Instant::now() + FIND_PAUSE);
            }
        }
    }

    /// Asks XenStore. Without an answer, it is connected to anew; those who are served stay so.
    fn ask<T>(
        &mut self,
        house: &mut House,
        question: impl FnOnce(&mut Xen) -> Result<T, StoreError>,
    ) -> Option<T> {
        match question(self.xen()?) {
            Ok(answer) => Some(answer),
            Err(error) if error.is_fatal() => {
                log::error!("guests of Xen come and go unnoticed until XenStore answers: {error}");
                self.again = Some(Instant::now() + FIND_PAUSE);
                if let Some((xen, token)) = self.xen.take() {
                    house.reactor.forget(&xen, token);
                }
                None
            }
            Err(error) => {
                house.warnings.warn(format_args!("XenStore: {error}"));
                None
            }
        }
    }

    /// XenStore has something to tell.
    fn events(&mut self, house: &mut House) {
        let Some(news) = self.ask(house, Xen::events) else { return };
        if news.introduced {
            self.look_for(house);
        }
        if news.released {
            self.forget_domains(house);
        }
    }

    /// Looks which guests are gone.
    fn forget_domains(&mut self, house: &mut House) {
        for guest in self.ask(house, Xen::gone).unwrap_or_default() {
            log::info!("domain {guest} is gone");
            self.remove(guest, house);
        }
    }

    /// XenStore may have forgotten guests while it was away: nothing would tell of their end.
    fn forget_clients_without_devices(&mut self, house: &mut House) {
        let Some((xen, _)) = &self.xen else { return };
        let is_forgotten =
            |client: &&Client| client.shared.guest().is_some_and(|guest| xen.name(guest).is_none());
        let forgotten: Vec<ClientId> =
            house.registry.clients().filter(is_forgotten).map(|client| client.info.id).collect();
        for id in forgotten {
            self.part(id, house);
        }
    }

    /// Looks at the guests whose turn it is.
    fn look_at_due(&mut self, now: Instant, house: &mut House) {
        let due = self.xen().map(|xen| xen.take_due(now)).unwrap_or_default();
        for guest in due {
            self.look_at(guest, house);
        }
    }

    /// There are other domains, or the policy is another one.
    pub fn look_for(&mut self, house: &mut House) {
        let names: Vec<String> = house.registry.vms().map(|(_, vm)| vm.policy.name.to_string()).collect();
        self.ask(house, |xen| {
            xen.make_devices(|name| names.iter().any(|wanted| wanted == name))?;
            xen.look_at_all();
            Ok(())
        });
    }

    /// A guest's device goes, and what it showed.
    fn remove(&mut self, guest: u16, house: &mut House) {
        self.part_from(guest, house);
        self.ask(house, |xen| xen.remove_device(guest));
    }

    /// The policy knows this virtual machine no more.
    pub fn remove_vm(&mut self, name: &str, house: &mut House) {
        // A domain that is being moved or renamed may have the name for a moment too.
        for guest in self.xen().map(|xen| xen.guests(name)).unwrap_or_default() {
            self.remove(guest, house);
        }
    }

    /// The client that a guest's program is.
    fn client_of(guest: u16, house: &House) -> Option<ClientId> {
        let mut clients = house.registry.clients();
        clients.find(|client| client.shared.guest() == Some(guest)).map(|client| client.info.id)
    }

    /// A guest's program is not served any more.
    fn part_from(&mut self, guest: u16, house: &mut House) {
        if let Some(id) = Domains::client_of(guest, house) {
            self.part(id, house);
        }
    }

    fn xen(&mut self) -> Option<&mut Xen> {
        self.xen.as_mut().map(|(xen, _)| xen)
    }

    /// What the guest's side of a device says may be another thing than before.
    fn look_at(&mut self, guest: u16, house: &mut House) {
        let Some(said) = self.ask(house, |xen| xen.frontend_state(guest)) else { return };
        match said {
            Some(State::Initialised | State::Connected) => {
                let ours = self.xen().and_then(|xen| xen.state(guest));
                match (ours, Domains::client_of(guest, house)) {
                    (Some(State::InitWait | State::Connected), None) => {
                        let now = Instant::now();
                        if self.xen().is_some_and(|xen| xen.may_connect(guest, now)) {
                            self.connect(guest, house);
                        }
                    }
                    // XenStore was away when it was to be told.
                    (Some(State::InitWait), Some(_)) => {
                        self.ask(house, |xen| xen.is_connected(guest));
                    }
                    // A state that this side closed stays so until the guest starts anew.
                    (..) => {}
                }
            }
            Some(State::Initialising) => {
                self.part_from(guest, house);
                self.wait_for_program(guest, house);
            }
            Some(State::InitWait) => {}
            Some(State::Closing | State::Closed) | None => {
                self.part_from(guest, house);
            }
        }
    }

    /// The virtual machine that a guest is, by the policy.
    fn vm_of(&self, guest: u16, house: &House) -> Result<(ClientId, u64), String> {
        let name = self.xen.as_ref().and_then(|(xen, _)| xen.name(guest)).unwrap_or_default();
        let vm = house.registry.vms().find(|(_, vm)| vm.policy.name.as_str() == name);
        vm.map(|(id, vm)| (id, vm.policy.memory.bytes().min(most_mapped()))).ok_or_else(|| {
            format!("the server's policy has no VM `{}`: `blinkctl vm add` makes one", name.escape_debug())
        })
    }

    fn wait_for_program(&mut self, guest: u16, house: &mut House) {
        if self.ask(house, |xen| xen.is_waiting(guest)) == Some(true) {
            return;
        }
        match self.vm_of(guest, house) {
            Ok((id, most)) => self.ask(house, |xen| xen.wait_for_program(guest, id.0, most)),
            Err(reason) => self.refuse(guest, &reason, house),
        };
    }

    fn refuse(&mut self, guest: u16, reason: &str, house: &mut House) -> Option<()> {
        if self.ask(house, |xen| xen.close(guest, Some(reason)))? {
            house.warnings.warn(format_args!("domain {guest} is not served: {reason}"));
        }
        Some(())
    }

    fn connect(&mut self, guest: u16, house: &mut House) {
        let (id, most) = match self.vm_of(guest, house) {
            Ok(vm) => vm,
            Err(reason) => {
                self.refuse(guest, &reason, house);
                return;
            }
        };
        let Some(Some(connected)) = self.ask(house, |xen| xen.connect(guest, most)) else { return };
        if let Err(reason) = connected.and_then(|(memory, lifeline)| join(id, memory, lifeline, house)) {
            self.refuse(guest, &reason, house);
            return;
        }
        if Domains::client_of(guest, house).is_some() {
            self.ask(house, |xen| xen.is_connected(guest));
        }
    }
}

/// Makes a client of a guest's program.
fn join(id: ClientId, memory: Memory, lifeline: EventChannel, house: &mut House) -> Result<(), String> {
    if house.registry.client(id).is_some() {
        return Err("a VM of this name is connected already; give each a name of its own".into());
    }
    let pages: usize = house.registry.clients().map(|client| client.shared.granted_pages()).sum();
    if pages.saturating_add(memory.pages()) > MAX_GRANTED_PAGES {
        return Err(format!(
            "guests have {pages} pages of 4 KiB mapped, and all together may have {MAX_GRANTED_PAGES}; give them less memory \
             in the server's policy"
        ));
    }
    let budget = house.rules.budget;
    let Some(vm) = house.registry.vm_mut(id) else { return Err("the VM was removed".into()) };
    let placements = std::mem::take(&mut vm.placements);
    let info = ClientInfo { channel: Some(memory.port()), ..vm.info(id, memory.bytes(), budget) };
    let color = vm.color.0;
    log::info!("domain {}, {}, is client {id}, {} bytes", memory.guest(), info.name, info.bytes);
    let connection = house.reactor.adopt(lifeline.into_fd(), Source::Client(id), EventFlags::IN);
    let connection = connection.map_err(|error| error.to_string())?;
    let shared = Shared::Granted(memory);
    house.welcome(Client { info, color, placements, origin: None, via: Via::Xen, connection, shared });
    Ok(())
}

impl Transport for Domains {
    fn event(&mut self, source: Source, _flags: EventFlags, house: &mut House) {
        match source {
            Source::Xen => self.events(house),
            // Whatever its lifeline says, says that its program is gone.
            Source::Client(id) => self.part(id, house),
            Source::Signals
            | Source::ControlDoor
            | Source::Control(_)
            | Source::Keeper
            | Source::LocalDoor
            | Source::Newcomer(_)
            | Source::DeviceDoor(_)
            | Source::PortDoor(_)
            | Source::Port(_)
            | Source::Glass
            | Source::GlassProcess
            | Source::Template
            | Source::TemplateProcess
            | Source::Renderer(_)
            | Source::RendererProcess(_)
            | Source::Ending => {}
        }
    }

    fn due(&self, now: Instant) -> Option<Instant> {
        [self.again, self.xen.as_ref().and_then(|(xen, _)| xen.next(now))].into_iter().flatten().min()
    }

    fn turn(&mut self, now: Instant, house: &mut House) {
        if self.again.is_some_and(|due| due <= now) {
            self.again = None;
            self.find(house);
        }
        if self.xen.as_ref().and_then(|(xen, _)| xen.next(now)).is_some_and(|due| due <= now) {
            self.events(house);
            self.look_at_due(now, house);
        }
    }

    fn unfit(&mut self, id: ClientId, reason: &str, house: &mut House) {
        let guest = house.registry.client(id).and_then(|client| client.shared.guest());
        self.part(id, house);
        if let Some(guest) = guest {
            self.refuse(guest, reason, house);
        }
    }

    /// A guest's program is not served any more: its side may know.
    fn parted(&mut self, client: &Client, house: &mut House) {
        if let Some(guest) = client.shared.guest() {
            self.ask(house, |xen| xen.close(guest, None));
        }
    }
}

/// Bytes that `gntdev` maps at once.
fn most_mapped() -> u64 {
    xen::grants::mapper_limit().map_or(u64::MAX, |pages| u64::from(pages).saturating_mul(PAGE_BYTES))
}
