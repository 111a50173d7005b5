//! Guests of Xen: their devices in XenStore, and the memory that they grant. Without Xen there is none of it.
//!
//! A guest has a device when somebody with the right to do so made its two directories in XenStore. In domain 0 the server
//! does so itself for each domain that the policy names; in a driver domain, whoever administers domain 0.

mod domains;
mod memory;
mod nodes;

pub use domains::Domains;
pub use memory::{Memory, MemoryError};

use nodes::{DEVICES, Offer, backend, frontend};
use rustix::fd::{AsFd, BorrowedFd};
use std::collections::{BTreeMap, VecDeque};
use std::path::Path;
use std::time::{Duration, Instant};
use xen::bus::State;
use xen::channel::EventChannel;
use xen::grants::table_room_of;
use xen::store::{Access, Permission, Store, StoreError};

/// What the loop takes from XenStore before others have their turn.
const EVENTS_A_TURN: usize = 64;
/// A device is looked at again so long after the last time: guests decide how often they write.
const LOOK_PAUSE: Duration = Duration::from_millis(20);
/// Programs of a guest that may connect within [`CONNECT_SECONDS`]. Each has pages mapped, for which all wait: tens of
/// milliseconds for a large aperture.
const CONNECTS: usize = 3;
/// See [`CONNECTS`].
const CONNECT_SECONDS: Duration = Duration::from_secs(10);
/// After pages are mapped, none of any guest are for so long, for each of them: ten times as long as it takes, about. So
/// guests that come at a time, or come again and again, don't have much of the time in which frames are made.
const PAGE_REST: Duration = Duration::from_micros(10);
/// How long a program that a server before this one served is tried to be had. That one's renderer may be there for a
/// moment longer, and a port that it has can't be bound.
const LEFT_TIME: Duration = Duration::from_secs(5);
/// From one such try to the next.
const LEFT_PAUSE: Duration = Duration::from_millis(100);
/// Domain 0 may write everywhere.
const CONTROL_DOMAIN: u16 = 0;

/// Tokens of our watches; the others name a guest.
const INTRODUCED: &str = "introduced";
const RELEASED: &str = "released";
const BACKENDS: &str = "backends";
const FRONTEND: &str = "frontend/";

/// What a guest shares, and what tells that its program is gone; or why it is not served, for the guest to read.
pub type Connected = Result<(Memory, EventChannel), String>;

/// A guest's device.
#[derive(Debug)]
struct Device {
    /// The guest's name, as domain 0 knows it.
    name: String,
    /// What this side wrote last.
    state: State,
    /// It waits for a program, which was told by this server what it must know.
    is_waiting: bool,
    /// A server before this one served a program; until when it may be in the way.
    left: Option<Instant>,
    /// Why it was closed last, as this server wrote it.
    refused: Option<String>,
    /// When it was looked at last.
    looked: Option<Instant>,
    /// When its last programs connected, at most [`CONNECTS`].
    connects: VecDeque<Instant>,
}

/// What has changed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct News {
    /// There may be domains that have no device yet.
    pub introduced: bool,
    /// Domains may be gone.
    pub released: bool,
}

/// The connection to XenStore, and the devices in it.
#[derive(Debug)]
pub struct Xen {
    store: Store,
    own: u16,
    devices: BTreeMap<u16, Device>,
    /// Guests whose devices are to be looked at, and when.
    due: BTreeMap<u16, Instant>,
    /// No program connects before: see [`PAGE_REST`].
    rest: Option<Instant>,
}

impl Xen {
    /// Finds Xen; `None`: this is no domain of Xen's, or one that can serve nobody.
    ///
    /// # Errors
    /// XenStore does not answer.
    pub fn open() -> Result<Option<Xen>, StoreError> {
        if !Path::new("/dev/xen/xenbus").exists() {
            return Ok(None);
        }
        for (device, module) in [("gntdev", "xen-gntdev"), ("evtchn", "xen-evtchn")] {
            let path = Path::new("/dev/xen").join(device);
            if !path.exists() {
                log::warn!("no guests of Xen are served: {} is missing: modprobe {module}", path.display());
                return Ok(None);
            }
        }
        Xen::with(Store::open()?).map(Some)
    }

    fn with(mut store: Store) -> Result<Xen, StoreError> {
        let own = store.read("domid")?.and_then(|text| text.trim().parse().ok()).unwrap_or(CONTROL_DOMAIN);
        store.watch("@introduceDomain", INTRODUCED)?;
        store.watch("@releaseDomain", RELEASED)?;
        store.watch(DEVICES, BACKENDS)?;
        let mut xen = Xen { store, own, devices: BTreeMap::new(), due: BTreeMap::new(), rest: None };
        xen.find_devices()?;
        Ok(xen)
    }

    /// This domain.
    #[must_use]
    pub fn own(&self) -> u16 {
        self.own
    }

    /// Takes what XenStore has to tell.
    ///
    /// # Errors
    /// XenStore does not answer.
    pub fn events(&mut self) -> Result<News, StoreError> {
        let mut news = News::default();
        for _ in 0..EVENTS_A_TURN {
            let Some(event) = self.store.next_event()? else { break };
            match event.token.as_str() {
                INTRODUCED => news.introduced = true,
                RELEASED => news.released = true,
                BACKENDS => {
                    let below = event.path.strip_prefix(DEVICES).and_then(|path| path.strip_prefix('/'));
                    match below.and_then(|path| path.split('/').next()?.parse().ok()) {
                        Some(guest) => self.find_device(guest)?,
                        None => self.find_devices()?,
                    }
                }
                token => {
                    if let Some(guest) = token.strip_prefix(FRONTEND).and_then(|guest| guest.parse().ok()) {
                        self.look_again(guest);
                    }
                }
            }
        }
        Ok(news)
    }

    /// When the loop must come back by itself; `now`, if there is something to do at once.
    #[must_use]
    pub fn next(&self, now: Instant) -> Option<Instant> {
        let waiting = self.store.has_events().then_some(now);
        self.due.values().copied().chain(waiting).min()
    }

    /// Guests whose devices are to be looked at now.
    pub fn take_due(&mut self, now: Instant) -> Vec<u16> {
        let due: Vec<u16> =
            self.due.iter().filter(|&(_, &when)| when <= now).map(|(&guest, _)| guest).collect();
        for guest in &due {
            self.due.remove(guest);
            if let Some(device) = self.devices.get_mut(guest) {
                device.looked = Some(now);
            }
        }
        due
    }

    /// All devices are to be looked at: the policy is another one.
    pub fn look_at_all(&mut self) {
        let guests: Vec<u16> = self.devices.keys().copied().collect();
        for guest in guests {
            if let Some(device) = self.devices.get_mut(&guest) {
                device.is_waiting = false;
            }
            self.look_again(guest);
        }
    }

    fn look_again(&mut self, guest: u16) {
        if let Some(device) = self.devices.get(&guest) {
            let when = device.looked.map_or_else(Instant::now, |looked| looked + LOOK_PAUSE);
            self.due.entry(guest).or_insert(when);
        }
    }

    // Devices

    fn find_devices(&mut self) -> Result<(), StoreError> {
        for name in self.store.list(DEVICES)? {
            if let Ok(guest) = name.parse() {
                self.find_device(guest)?;
            }
        }
        Ok(())
    }

    /// There may be a device of this guest now.
    fn find_device(&mut self, guest: u16) -> Result<(), StoreError> {
        if self.devices.contains_key(&guest) {
            self.look_again(guest);
            return Ok(());
        }
        let directory = backend(self.own, guest);
        // A server before this one may have served it.
        let Some(state) = self.store.read(&format!("{directory}/state"))? else { return Ok(()) };
        let Some(name) = self.store.read(&format!("{directory}/domain"))? else { return Ok(()) };
        self.store.watch(&format!("{}/state", frontend(guest)), &format!("{FRONTEND}{guest}"))?;
        log::info!("domain {guest}, {}, has a device", name.escape_debug());
        let state = State::of(&state).unwrap_or(State::Initialising);
        let left = (state == State::Connected).then(|| Instant::now() + LEFT_TIME);
        let connects = VecDeque::new();
        self.devices.insert(
            guest,
            Device { name, state, is_waiting: false, left, refused: None, looked: None, connects },
        );
        self.look_again(guest);
        Ok(())
    }

    /// The guest's name; `None`: it has no device.
    #[must_use]
    pub fn name(&self, guest: u16) -> Option<&str> {
        Some(&self.devices.get(&guest)?.name)
    }

    /// The guests of a name.
    #[must_use]
    pub fn guests(&self, name: &str) -> Vec<u16> {
        self.devices.iter().filter(|(_, device)| device.name == name).map(|(&guest, _)| guest).collect()
    }

    /// What this side wrote last.
    #[must_use]
    pub fn state(&self, guest: u16) -> Option<State> {
        Some(self.devices.get(&guest)?.state)
    }

    /// Does it wait for a program, which knows from this server what it must know?
    ///
    /// # Errors
    /// XenStore does not answer.
    pub fn is_waiting(&mut self, guest: u16) -> Result<bool, StoreError> {
        if !self.devices.get(&guest).is_some_and(|device| device.is_waiting) {
            return Ok(false);
        }
        // Who made the device may have made it anew.
        let state = self.store.read(&format!("{}/state", backend(self.own, guest)))?;
        Ok(state.as_deref().and_then(State::of) == Some(State::InitWait))
    }

    /// What the guest's side says; `None`: it has no device any more, or says no state.
    ///
    /// # Errors
    /// XenStore does not answer.
    pub fn frontend_state(&mut self, guest: u16) -> Result<Option<State>, StoreError> {
        match self.store.read(&format!("{}/state", frontend(guest))) {
            Ok(text) => Ok(text.as_deref().and_then(State::of)),
            // With a guest, its directories go. Of what is below those that it may not read, a driver domain hears so.
            Err(StoreError::Refused { reason, .. }) if reason == "EACCES" => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Makes devices for the domains that are wanted and have none. Only domain 0 can.
    ///
    /// # Errors
    /// XenStore does not answer.
    pub fn make_devices(&mut self, is_wanted: impl Fn(&str) -> bool) -> Result<(), StoreError> {
        if self.own != CONTROL_DOMAIN {
            return Ok(());
        }
        for guest in self.store.list("/local/domain")? {
            let Ok(guest) = guest.parse::<u16>() else { continue };
            if guest == self.own || self.devices.contains_key(&guest) {
                continue;
            }
            if let Some(name) = self.store.read(&format!("/local/domain/{guest}/name"))?
                && is_wanted(&name)
            {
                match self.make_device(guest, &name) {
                    // Its own trouble, such as nodes of its own without end: the others have their devices.
                    Err(error) if !error.is_fatal() => {
                        log::error!("domain {guest} can't have a device: {error}");
                    }
                    made => made?,
                }
            }
        }
        Ok(())
    }

    fn make_device(&mut self, guest: u16, name: &str) -> Result<(), StoreError> {
        let (own, ours, theirs) = (self.own, backend(self.own, guest), frontend(guest));
        let owned_by = |owner, reader| {
            [
                Permission { domain: owner, access: Access::None },
                Permission { domain: reader, access: Access::Read },
            ]
        };
        self.store.transaction(|store| {
            // What is made in a directory inherits its permissions.
            for (directory, permissions, nodes) in [
                (
                    &ours,
                    owned_by(own, guest),
                    [("frontend", theirs.clone()), ("frontend-id", guest.to_string())],
                ),
                (&theirs, owned_by(guest, own), [("backend", ours.clone()), ("backend-id", own.to_string())]),
            ] {
                store.write(directory, "")?;
                store.set_permissions(directory, &permissions)?;
                for (node, value) in nodes {
                    store.write(&format!("{directory}/{node}"), &value)?;
                }
                store.write(&format!("{directory}/state"), State::Initialising.text())?;
            }
            store.write(&format!("{ours}/domain"), name)?;
            store.write(&format!("{ours}/online"), "1")
        })?;
        self.find_device(guest)
    }

    /// The guest's device goes: the guest is gone, or the policy knows it no more. What domain 0 made for a driver domain is
    /// its to remove.
    ///
    /// # Errors
    /// XenStore does not answer.
    pub fn remove_device(&mut self, guest: u16) -> Result<(), StoreError> {
        if !self.devices.contains_key(&guest) {
            return Ok(());
        }
        if self.own != CONTROL_DOMAIN {
            return self.close(guest, None).map(|_| ());
        }
        self.devices.remove(&guest);
        self.due.remove(&guest);
        let path = format!("{}/state", frontend(guest));
        self.store.unwatch(&path, &format!("{FRONTEND}{guest}"))?;
        self.store.remove(&format!("{DEVICES}/{guest}"))?;
        self.store.remove(&frontend(guest))
    }

    /// Guests that have a device and are gone.
    ///
    /// # Errors
    /// XenStore does not answer.
    pub fn gone(&mut self) -> Result<Vec<u16>, StoreError> {
        let mut gone = Vec::new();
        for &guest in self.devices.keys() {
            match self.store.is_introduced(guest) {
                Ok(true) => {}
                Ok(false) => gone.push(guest),
                // A driver domain may not ask: there, the guest's directory goes with it.
                Err(error) if !error.is_fatal() => {}
                Err(error) => return Err(error),
            }
        }
        Ok(gone)
    }

    // States

    fn set_state(&mut self, guest: u16, state: State) -> Result<(), StoreError> {
        if let Some(device) = self.devices.get_mut(&guest) {
            device.state = state;
            device.is_waiting &= state == State::InitWait;
            device.refused = None;
            device.left = None;
            let path = format!("{}/state", backend(self.own, guest));
            self.store.write(&path, state.text())?;
        }
        Ok(())
    }

    /// Waits for a program of the guest: tells what it must know.
    ///
    /// # Errors
    /// XenStore does not answer.
    pub fn wait_for_program(&mut self, guest: u16, client: u32, most: u64) -> Result<(), StoreError> {
        let directory = backend(self.own, guest);
        let version = blinkgl::layout::APERTURE_VERSION.to_string();
        let mut nodes =
            vec![("version", version), ("memory-max", most.to_string()), ("client", client.to_string())];
        // A guest's programs can't always ask Xen themselves.
        nodes.extend(table_room_of(guest).map(|room| ("grant-entries", room.entries.to_string())));
        for (node, value) in nodes {
            self.store.write(&format!("{directory}/{node}"), &value)?;
        }
        self.store.remove(&format!("{directory}/error"))?;
        if let Some(device) = self.devices.get_mut(&guest) {
            device.is_waiting = true;
        }
        self.set_state(guest, State::InitWait)
    }

    /// May a program of the guest connect now? Else the device is looked at again when it may.
    pub fn may_connect(&mut self, guest: u16, now: Instant) -> bool {
        let Some(device) = self.devices.get_mut(&guest) else { return false };
        if let Some(rest) = self.rest.filter(|&rest| rest > now) {
            self.due.insert(guest, rest);
            return false;
        }
        if device.connects.len() >= CONNECTS
            && let Some(&first) = device.connects.front()
        {
            if first + CONNECT_SECONDS > now {
                self.due.insert(guest, first + CONNECT_SECONDS);
                return false;
            }
            device.connects.pop_front();
        }
        device.connects.push_back(now);
        true
    }

    /// What a program of the guest offers; within, why it is not served. `None`: not yet, the device is looked at again.
    ///
    /// # Errors
    /// XenStore does not answer.
    pub fn connect(&mut self, guest: u16, most: u64) -> Result<Option<Connected>, StoreError> {
        let offer = match Offer::read(&mut self.store, guest, most)? {
            Ok(offer) => offer,
            Err(error) => return Ok(Some(Err(error.to_string()))),
        };
        let connected = Memory::of(guest, &offer);
        let now = Instant::now();
        if matches!(connected, Err(MemoryError::Channel(..)))
            && let Some(device) = self.devices.get_mut(&guest)
            && device.left.is_some_and(|until| now < until)
        {
            device.connects.pop_back();
            self.due.insert(guest, now + LEFT_PAUSE);
            return Ok(None);
        }
        if connected.is_ok() {
            self.rest_after(offer.pages, now);
        }
        Ok(Some(connected.map_err(|error| error.to_string())))
    }

    /// Pages are about to be mapped.
    fn rest_after(&mut self, pages: usize, now: Instant) {
        self.rest = Some(now + PAGE_REST.saturating_mul(u32::try_from(pages).unwrap_or(u32::MAX)));
    }

    /// The guest's program is served.
    ///
    /// # Errors
    /// XenStore does not answer.
    pub fn is_connected(&mut self, guest: u16) -> Result<(), StoreError> {
        self.set_state(guest, State::Connected)
    }

    /// The guest's program is not served, or not any more; with a reason that it can read. False: that stands there
    /// already.
    ///
    /// # Errors
    /// XenStore does not answer.
    pub fn close(&mut self, guest: u16, reason: Option<&str>) -> Result<bool, StoreError> {
        if let Some(reason) = reason {
            // What is written there is told to this side too, which then looks at the device again.
            let refused = self.devices.get(&guest).and_then(|device| device.refused.as_deref());
            if refused == Some(reason) {
                return Ok(false);
            }
            self.store.write(&format!("{}/error", backend(self.own, guest)), reason)?;
        }
        self.set_state(guest, State::Closing)?;
        self.set_state(guest, State::Closed)?;
        if let Some(device) = self.devices.get_mut(&guest) {
            device.refused = reason.map(str::to_owned);
        }
        Ok(true)
    }
}

impl AsFd for Xen {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.store.as_fd()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use xen::fake::FakeStore;

    const THEIRS: &str = "/local/domain/5/device/blink/0";
    const OURS: &str = "/local/domain/0/backend/blink/5/0";

    fn settle(xen: &mut Xen) -> News {
        let mut all = News::default();
        // Watches fire once when they are set, and events come by a thread of the fake's.
        let quiet = Duration::from_millis(50);
        let mut end = Instant::now() + quiet;
        while Instant::now() < end {
            let news = xen.events().unwrap();
            if news != News::default() || xen.store.has_events() {
                end = Instant::now() + quiet;
            }
            all =
                News { introduced: all.introduced | news.introduced, released: all.released | news.released };
            std::thread::sleep(Duration::from_millis(1));
        }
        all
    }

    fn due(xen: &mut Xen) -> Vec<u16> {
        xen.take_due(Instant::now() + LOOK_PAUSE)
    }

    /// Domain 0 with a guest 5 that the policy knows and a guest 6 that it does not.
    fn scene() -> (FakeStore, Xen) {
        let fake = FakeStore::new();
        fake.set("/local/domain/0/domid", "0");
        fake.set("/local/domain/5/name", "work");
        fake.set("/local/domain/6/name", "other");
        let _guests = [fake.connect(5), fake.connect(6)];
        let mut xen = Xen::with(fake.connect(0)).unwrap();
        settle(&mut xen);
        xen.make_devices(|name| name == "work").unwrap();
        settle(&mut xen);
        (fake, xen)
    }

    #[test]
    fn domain_0_makes_devices_for_guests_that_the_policy_names() {
        let (fake, mut xen) = scene();
        for (path, value) in [
            (format!("{THEIRS}/backend"), OURS),
            (format!("{THEIRS}/backend-id"), "0"),
            (format!("{THEIRS}/state"), "1"),
            (format!("{OURS}/frontend"), THEIRS),
            (format!("{OURS}/frontend-id"), "5"),
            (format!("{OURS}/domain"), "work"),
            (format!("{OURS}/state"), "1"),
        ] {
            assert_eq!(fake.get(&path).as_deref(), Some(value), "{path}");
        }
        assert_eq!(
            (fake.permissions(THEIRS), fake.permissions(OURS)),
            (vec!["n5".to_owned(), "r0".to_owned()], vec!["n0".to_owned(), "r5".to_owned()])
        );
        assert_eq!(fake.get("/local/domain/6/device/blink/0/state"), None);
        assert_eq!((xen.name(5), xen.guests("work"), xen.name(6)), (Some("work"), vec![5], None));
        assert_eq!(due(&mut xen), [5]);
        // Once.
        let before = fake.history().len();
        xen.make_devices(|name| name == "work").unwrap();
        assert_eq!(fake.history().len(), before);
    }

    #[test]
    fn a_program_comes_and_is_told_why_it_is_not_served() {
        let (fake, mut xen) = scene();
        xen.wait_for_program(5, 3, 4 << 20).unwrap();
        let node = |name: &str| fake.get(&format!("{OURS}/{name}"));
        assert_eq!(
            (node("state"), node("client"), node("memory-max")),
            (Some("2".into()), Some("3".into()), Some("4194304".into()))
        );
        settle(&mut xen);
        due(&mut xen);
        fake.set(&format!("{THEIRS}/pages"), "7");
        fake.set(&format!("{THEIRS}/state"), "3");
        settle(&mut xen);
        assert_eq!(due(&mut xen), [5]);
        assert_eq!(xen.frontend_state(5).unwrap(), Some(State::Initialised));
        let reason = xen.connect(5, 4 << 20).unwrap().unwrap().unwrap_err();
        assert_eq!(reason, "its node `version` is missing or no number");
        xen.close(5, Some(&reason)).unwrap();
        assert_eq!((node("state"), node("error")), (Some("6".into()), Some(reason)));
        assert_eq!(xen.state(5), Some(State::Closed));
        // The next one.
        xen.wait_for_program(5, 3, 4 << 20).unwrap();
        assert_eq!((node("state"), node("error")), (Some("2".into()), None));
    }

    /// As a device is whose virtual machine the policy does not have any more.
    #[test]
    fn a_guest_that_is_refused_is_refused_once() {
        let (fake, mut xen) = scene();
        due(&mut xen);
        let mut refuse = |reason| {
            let mut closed = 0;
            for _ in 0..5 {
                closed += usize::from(xen.close(5, Some(reason)).unwrap());
                settle(&mut xen);
                if due(&mut xen).is_empty() {
                    return closed;
                }
            }
            panic!("it looks at what it wrote itself for ever");
        };
        assert_eq!(refuse("not in the policy"), 1);
        assert_eq!(refuse("not in the policy"), 0);
        assert_eq!(refuse("another reason"), 1);
        assert_eq!(fake.get(&format!("{OURS}/error")).as_deref(), Some("another reason"));
        xen.wait_for_program(5, 3, 4 << 20).unwrap();
        assert!(xen.close(5, Some("another reason")).unwrap(), "a new program must hear it");
    }

    #[test]
    fn a_guest_that_can_t_have_a_device_keeps_no_other_from_one() {
        let (fake, mut xen) = scene();
        fake.set("/local/domain/7/name", "third");
        // As often as a transaction is begun.
        fake.fail_transactions(32);
        xen.make_devices(|_| true).unwrap();
        assert_eq!((xen.name(6), xen.name(7)), (None, Some("third")));
        xen.make_devices(|_| true).unwrap();
        assert_eq!(xen.name(6), Some("other"));
    }

    #[test]
    fn a_guest_that_changes_its_offer_all_the_time_is_refused() {
        let (fake, mut xen) = scene();
        fake.fail_transactions(32);
        let reason = xen.connect(5, 4 << 20).unwrap().unwrap().unwrap_err();
        assert_eq!(reason, "it changes what it offers while that is read");
    }

    #[test]
    fn a_server_finds_what_one_before_it_served() {
        let (fake, mut xen) = scene();
        xen.wait_for_program(5, 3, 4 << 20).unwrap();
        xen.is_connected(5).unwrap();
        fake.set(&format!("{THEIRS}/state"), "4");
        drop(xen);
        let mut next = Xen::with(fake.connect(0)).unwrap();
        assert_eq!((next.state(5), next.name(5)), (Some(State::Connected), Some("work")));
        assert_eq!(due(&mut next), [5]);
        assert_eq!(next.frontend_state(5).unwrap(), Some(State::Connected));
    }

    /// Its renderer may end a moment after it. (Here, no port can be bound at all.)
    #[test]
    fn a_server_waits_until_the_one_before_it_has_left() {
        let (fake, mut xen) = scene();
        xen.wait_for_program(5, 3, 4 << 20).unwrap();
        xen.is_connected(5).unwrap();
        let version = blinkgl::layout::APERTURE_VERSION.to_string();
        for (node, value) in [
            ("version", version.as_str()),
            ("pages", "256"),
            ("grant-directory", "9"),
            ("event-channel", "10"),
            ("lifeline", "11"),
        ] {
            fake.set(&format!("{THEIRS}/{node}"), value);
        }
        let refused =
            |xen: &mut Xen| xen.connect(5, 4 << 20).unwrap().map(|connected| connected.unwrap_err());
        assert!(refused(&mut xen).unwrap().contains("`lifeline`"), "one of its own");
        drop(xen);
        let mut next = Xen::with(fake.connect(0)).unwrap();
        settle(&mut next);
        due(&mut next);
        let start = Instant::now();
        for _ in 0..10 {
            assert!(next.may_connect(5, start), "not as if the guest had come so often");
            assert_eq!(refused(&mut next), None);
            assert!(next.take_due(start).is_empty());
            assert_eq!(next.take_due(Instant::now() + LEFT_PAUSE), [5]);
        }
        next.devices.get_mut(&5).unwrap().left = Some(start);
        assert!(refused(&mut next).unwrap().contains("`lifeline`"), "not for ever");
    }

    #[test]
    fn a_guest_that_is_gone_leaves_nothing() {
        let (fake, mut xen) = scene();
        assert!(xen.gone().unwrap().is_empty());
        settle(&mut xen);
        fake.release_domain(5);
        assert!(settle(&mut xen).released);
        assert_eq!(xen.gone().unwrap(), [5]);
        xen.remove_device(5).unwrap();
        settle(&mut xen);
        assert_eq!((fake.get(&format!("{OURS}/state")), fake.get(&format!("{THEIRS}/state"))), (None, None));
        assert_eq!((due(&mut xen), xen.name(5)), (vec![], None));
    }

    #[test]
    fn a_driver_domain_serves_the_devices_that_it_is_given() {
        let fake = FakeStore::new();
        fake.set("/local/domain/3/domid", "3");
        fake.set("/local/domain/5/name", "work");
        let mut xen = Xen::with(fake.connect(3)).unwrap();
        settle(&mut xen);
        xen.make_devices(|_| true).unwrap();
        assert_eq!(xen.name(5), None, "it has no right to make any");
        fake.set("/local/domain/3/backend/blink/5/0/domain", "work");
        fake.set("/local/domain/3/backend/blink/5/0/state", "1");
        settle(&mut xen);
        assert_eq!((due(&mut xen), xen.name(5)), (vec![5], Some("work")));
        fake.set(&format!("{THEIRS}/state"), "4");
        settle(&mut xen);
        due(&mut xen);
        assert_eq!(xen.frontend_state(5).unwrap(), Some(State::Connected));
        // It is destroyed.
        fake.hide("/local/domain/5");
        assert_eq!(xen.frontend_state(5).unwrap(), None);
    }

    #[test]
    fn what_came_with_an_answer_is_to_be_taken_at_once() {
        let fake = FakeStore::new();
        fake.set("/local/domain/0/domid", "0");
        let mut xen = Xen::with(fake.connect(0)).unwrap();
        let now = Instant::now();
        assert_eq!(xen.next(now), Some(now), "each watch tells when it is set");
        settle(&mut xen);
        assert_eq!(xen.next(now), None);
    }

    #[test]
    fn programs_that_come_one_after_the_other_wait() {
        let (_fake, mut xen) = scene();
        let start = Instant::now();
        let at = |seconds| start + Duration::from_secs(seconds);
        let may: Vec<bool> = [0, 1, 2, 3, 9, 10, 10, 11, 12, 13, 20]
            .into_iter()
            .map(|seconds| xen.may_connect(5, at(seconds)))
            .collect();
        assert_eq!(may, [true, true, true, false, false, true, false, true, true, false, true]);
        assert!(!xen.may_connect(5, at(20)));
        assert!(xen.take_due(at(20)).is_empty());
        assert_eq!(xen.take_due(at(21)), [5], "it is not forgotten");
        assert!(xen.may_connect(5, at(21)));
        assert!(!xen.may_connect(6, start), "which has no device");
    }

    #[test]
    fn guests_that_come_together_have_their_pages_mapped_one_after_the_other() {
        let (_fake, mut xen) = scene();
        xen.make_devices(|_| true).unwrap();
        let start = Instant::now();
        let at = |milliseconds| start + Duration::from_millis(milliseconds);
        assert!(xen.may_connect(5, start));
        xen.rest_after(16_384, start);
        due(&mut xen);
        assert!(!xen.may_connect(6, at(163)));
        assert!(xen.take_due(at(163)).is_empty());
        assert_eq!(xen.take_due(at(164)), [6], "it is not forgotten");
        assert!(xen.may_connect(6, at(164)));
    }

    #[test]
    fn a_guest_that_writes_without_end_is_looked_at_some_times_a_second() {
        let (fake, mut xen) = scene();
        due(&mut xen);
        let now = Instant::now();
        for number in 0..2_000 {
            fake.set(&format!("{THEIRS}/state"), ["1", "\u{7f}x", "99999999999", "3"][number % 4]);
            xen.events().unwrap();
        }
        settle(&mut xen);
        assert_eq!(xen.take_due(now), [0_u16; 0], "not before the pause is over");
        assert_eq!(due(&mut xen), [5], "once, for all of it");
        fake.set(&format!("{THEIRS}/state"), "\u{7f}x");
        assert_eq!(xen.frontend_state(5).unwrap(), None);
    }
}
