//! What a domain and its server tell each other in XenStore, as the devices of Xen do (xen/include/public/io/xenbus.h):
//! docs/PROTOCOL.md has it in full.

use super::machine::Machine;
use super::size::{LEAST, Reason, Size};
use super::{Pages, XenError, directory};
use crate::{Error, Options};
use ::xen::bus::State;
use ::xen::channel::EventChannel;
use ::xen::grants::GrantError;
use ::xen::store::{Store, StoreError};
use alloc::format;
use alloc::string::{String, ToString};
use blinkgl::layout::{APERTURE_MAGIC, APERTURE_VERSION, aperture};
use blinkgl::shm::{Shm, ShmOffset};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use std::time::{Duration, Instant};

/// The device in this domain's directory of XenStore.
pub(super) const DEVICE: &str = "device/blink/0";
/// How long the server may take for each of its answers.
pub(super) const PATIENCE: Duration = Duration::from_secs(10);
/// How long a server may say that it has closed before it is believed: it may have said so to the program before this one.
const CLOSED_PATIENCE: Duration = Duration::from_secs(2);
/// How long the server may take to leave the pages of the program before this one.
const PAGES_PATIENCE: Duration = Duration::from_secs(1);
const PAGES_PAUSE: Duration = Duration::from_millis(20);
/// How long the server may take to leave the pages of a program that ends as it should.
const END_PATIENCE: Duration = Duration::from_millis(500);
/// How long the kernel takes to give back pages that the server has left: it looks each second.
const FREE_PATIENCE: Duration = Duration::from_millis(2200);
/// Letters of a reason that are shown.
const MAX_REASON: usize = 400;

/// This domain's end, and where the server's is.
#[derive(Debug)]
pub(super) struct Device {
    /// The server's directory.
    backend: String,
    /// The server's domain.
    domain: u16,
    /// [`PATIENCE`], or less in a test.
    patience: Duration,
}

/// What a connection has.
#[derive(Debug)]
pub(super) struct Parts {
    pub memory: Shm,
    pub pages: Pages,
    pub channel: EventChannel,
    pub lifeline: EventChannel,
    pub client: u32,
    size: Size,
}

impl Parts {
    /// For people.
    pub fn describe(&self, domain: u16) -> String {
        let Size { pages, reason } = self.size;
        let reason = reason.describe();
        format!("woken by an event channel; {} KiB shared with domain {domain}{reason}", u64::from(pages) * 4)
    }
}

/// What the server offers.
struct Offer {
    memory_max: u64,
    /// Entries of this domain's grant table, which only a privileged domain may ask Xen for.
    entries: Option<u32>,
    client: u32,
}

impl Device {
    /// Does XenStore have a device for this domain?
    pub fn is_in(store: &mut Store) -> bool {
        matches!(store.read(&own("backend")), Ok(Some(_)))
    }

    /// Looks where the server's end is, and watches it.
    pub fn find(store: &mut Store) -> Result<Device, XenError> {
        let path = own("backend");
        let backend = store.read(&path)?;
        let backend = match backend {
            Some(backend) if backend.starts_with('/') => backend,
            other => return Err(unfit(path, other, "the path of the server's end")),
        };
        let domain = number(store, own("backend-id"), "the number of a domain")?;
        store.watch(&format!("{backend}/state"), "server")?;
        Ok(Device { backend, domain, patience: PATIENCE })
    }

    /// For tests: a server that is there answers at once.
    #[cfg(test)]
    pub fn hurry(&mut self, patience: Duration) {
        self.patience = patience;
    }

    /// The server's domain.
    pub fn backend_domain(&self) -> u16 {
        self.domain
    }

    fn theirs(&self, name: &str) -> String {
        format!("{}/{name}", self.backend)
    }

    /// Gives the server pages, and tells it where they are.
    pub fn connect(
        &self,
        store: &mut Store,
        machine: &dyn Machine,
        options: &Options,
    ) -> Result<Parts, Error> {
        // Of the program before this one.
        let before: u32 = number(store, own("pages"), "a number of pages").unwrap_or(0);
        machine.free_at_once();
        write_state(store, State::Initialising).map_err(XenError::from)?;
        let offer = self.await_offer(store)?;
        let room = machine.room(offer.entries);
        let size = room.size(options.bytes, offer.memory_max)?;
        if !room.holds_both(size.pages, before) {
            // The server has left them: it has said what it offers.
            std::thread::sleep(FREE_PATIENCE.min(self.patience));
        }
        let parts = self.give(machine, size, options.bytes.is_some(), offer.client)?;
        let reference = parts.pages.directory.refs().first().copied().unwrap_or(0);
        let pages = parts.size.pages;
        let told: Result<(), StoreError> = store.transaction(|store| {
            for (name, value) in [
                ("version", APERTURE_VERSION),
                ("pages", pages),
                ("grant-directory", reference),
                ("event-channel", parts.channel.port()),
                ("lifeline", parts.lifeline.port()),
            ] {
                store.write(&own(name), &value.to_string())?;
            }
            write_state(store, State::Initialised)
        });
        told.map_err(XenError::from)?;
        // It may have programs wait that come again and again.
        self.await_state(store, self.patience * 2, |state, _| match state {
            Some(State::Connected) => Answer::Yes,
            Some(state) if state.is_end() => Answer::No,
            Some(_) | None => Answer::NotYet,
        })?;
        write_state(store, State::Connected).map_err(XenError::from)?;
        Ok(parts)
    }

    /// Waits until the server has said what it offers.
    fn await_offer(&self, store: &mut Store) -> Result<Offer, Error> {
        self.await_state(store, self.patience, |state, waited| match state {
            Some(State::InitWait) => Answer::Yes,
            // Perhaps what it said to the program before this one.
            Some(state) if state.is_end() && waited > CLOSED_PATIENCE.min(self.patience / 2) => Answer::No,
            Some(_) | None => Answer::NotYet,
        })?;
        let version = number(store, self.theirs("version"), "the version of a layout")?;
        if version >> 16 != APERTURE_VERSION >> 16 {
            return Err(XenError::Version { version }.into());
        }
        let memory_max = number(store, self.theirs("memory-max"), "a number of bytes")?;
        let client = number(store, self.theirs("client"), "the number of a client")?;
        let entries = match store.read(&self.theirs("grant-entries")).map_err(XenError::from)? {
            Some(_) => Some(number(store, self.theirs("grant-entries"), "a number of entries")?),
            None => None,
        };
        Ok(Offer { memory_max, entries, client })
    }

    /// Waits until the server's state is answer enough. It may change its nodes as it likes: only time ends this.
    fn await_state(
        &self,
        store: &mut Store,
        patience: Duration,
        mut judge: impl FnMut(Option<State>, Duration) -> Answer,
    ) -> Result<(), Error> {
        let begin = Instant::now();
        loop {
            // What comes from now on is looked at in the next round.
            while store.next_event().map_err(XenError::from)?.is_some() {}
            let text = store.read(&self.theirs("state")).map_err(XenError::from)?;
            let waited = begin.elapsed();
            match judge(text.as_deref().and_then(State::of), waited) {
                Answer::Yes => return Ok(()),
                Answer::No => return Err(Error::Refused(self.reason(store))),
                Answer::NotYet => {}
            }
            let Some(left) = patience.checked_sub(waited).filter(|left| !left.is_zero()) else {
                let state = text.map_or_else(|| "?".into(), |text| shown(&text));
                return Err(XenError::NoServer { domain: self.domain, state }.into());
            };
            // Looks from time to time too: what was said before may be believed after a while.
            wait_for(store, left.min(patience / 8))?;
        }
    }

    /// Why the server refuses.
    fn reason(&self, store: &mut Store) -> String {
        match store.read(&self.theirs("error")) {
            Ok(Some(reason)) if !reason.is_empty() => shown(&reason),
            Ok(_) | Err(_) => "its log says why".into(),
        }
    }

    /// Gives pages for an aperture and its directory, and ports.
    fn give(&self, machine: &dyn Machine, size: Size, is_wish: bool, client: u32) -> Result<Parts, Error> {
        let lifeline = machine.channel(self.domain).map_err(XenError::from)?;
        let channel = machine.channel(self.domain).map_err(XenError::from)?;
        let (size, given) = self.give_pages(machine, size, is_wish).map_err(XenError::from)?;
        let Pages { aperture, directory } = &given;
        directory::check(directory.refs(), aperture.refs(), size.pages).map_err(XenError::from)?;
        // Before the server knows of anything that it would have to be told the end of.
        directory.notify_on_unmap(0, lifeline.port()).map_err(XenError::from)?;
        directory::write(&directory.map()?, directory.refs(), aperture.refs())?;
        let memory = aperture.map()?;
        for (at, value) in [
            (aperture::VERSION, APERTURE_VERSION),
            (aperture::PAGES, size.pages),
            (aperture::CLIENT, client),
            (aperture::MAGIC, APERTURE_MAGIC),
        ] {
            memory.store(ShmOffset(at), value)?;
        }
        Ok(Parts { memory, pages: given, channel, lifeline, client, size })
    }

    /// Gives pages: as many as wanted, or fewer, if that is nobody's wish and others have too many.
    fn give_pages(
        &self,
        machine: &dyn Machine,
        mut size: Size,
        is_wish: bool,
    ) -> Result<(Size, Pages), GrantError> {
        let end = Instant::now() + PAGES_PATIENCE.min(self.patience);
        loop {
            let given = machine.give(self.domain, size.pages).and_then(|aperture| {
                let directory = machine.give(self.domain, directory::pages_for(size.pages))?;
                Ok((size, Pages { aperture, directory }))
            });
            match given {
                // Perhaps the pages of the program before this one, which the server is about to leave.
                Err(GrantError::NoRoom { .. }) if Instant::now() < end => std::thread::sleep(PAGES_PAUSE),
                Err(GrantError::NoRoom { .. }) if !is_wish && size.pages / 2 >= LEAST => {
                    size = Size { pages: size.pages / 2, reason: Reason::Others };
                }
                given => return given,
            }
        }
    }

    /// Has the server ended it, or was the device removed? Takes all events.
    pub fn has_closed(&self, store: &mut Store) -> Result<bool, StoreError> {
        let mut is_told = false;
        loop {
            while store.next_event()?.is_some() {
                is_told = true;
            }
            if !is_told {
                return Ok(false);
            }
            is_told = false;
            let state = store.read(&self.theirs("state"))?;
            if state.as_deref().is_none_or(|text| State::of(text).is_some_and(State::is_end)) {
                return Ok(true);
            }
        }
    }

    /// Waits until the server has left the pages, if it is there: the kernel gives back at once only what nobody has mapped.
    pub fn await_release(&self, store: &mut Store) -> Result<(), Error> {
        let end = Instant::now() + END_PATIENCE.min(self.patience);
        loop {
            while store.next_event().map_err(XenError::from)?.is_some() {}
            let state = store.read(&self.theirs("state")).map_err(XenError::from)?;
            let left = end.saturating_duration_since(Instant::now());
            if state.as_deref().and_then(State::of) != Some(State::Connected) || left.is_zero() {
                return Ok(());
            }
            wait_for(store, left)?;
        }
    }

    /// Says that this end goes, if that can be said.
    pub fn leave(&self, store: &mut Store, state: State) {
        if let Err(error) = write_state(store, state) {
            log::debug!("leaving: {error}");
        }
    }
}

/// Waits for events, at most so long.
fn wait_for(store: &Store, time: Duration) -> Result<(), Error> {
    if store.has_events() {
        return Ok(());
    }
    let time = Timespec::try_from(time).ok();
    match poll(&mut [PollFd::new(store, PollFlags::IN)], time.as_ref()) {
        Ok(_) | Err(Errno::INTR) => Ok(()),
        Err(source) => Err(Error::System { doing: "waiting for XenStore", source }),
    }
}

/// What the server's state means.
enum Answer {
    Yes,
    No,
    NotYet,
}

fn own(name: &str) -> String {
    format!("{DEVICE}/{name}")
}

fn write_state(store: &mut Store, state: State) -> Result<(), StoreError> {
    store.write(&own("state"), state.text())
}

/// A node that is a decimal number.
fn number<T: core::str::FromStr>(
    store: &mut Store,
    path: String,
    wanted: &'static str,
) -> Result<T, XenError> {
    let text = store.read(&path)?;
    // Digits only: Rust takes a sign, too.
    let digits = text.as_deref().filter(|text| text.bytes().all(|byte| byte.is_ascii_digit()));
    digits.and_then(|digits| digits.parse().ok()).ok_or_else(|| unfit(path, text, wanted))
}

fn unfit(path: String, found: Option<String>, wanted: &'static str) -> XenError {
    let found = found.map_or_else(|| "not there".into(), |found| format!("\"{}\"", shown(&found)));
    XenError::Node { path, found, wanted }
}

/// Another domain's text, for a terminal.
fn shown(text: &str) -> String {
    text.chars().take(MAX_REASON).flat_map(char::escape_debug).collect()
}
