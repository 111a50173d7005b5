//! The transport of a domain of Xen: pages that it gives to the server's domain, and event channels, told of in XenStore.
//!
//! A program has the device for itself, as in other virtual machines: [`crate::agent`] shares it. What happens in XenStore
//! is [`handshake`]'s, how much memory there is [`size`]'s, how the server finds the pages [`directory`]'s.

mod directory;
mod error;
mod handshake;
mod machine;
mod size;
#[cfg(test)]
mod tests;

use super::{Transport, Wake, check_header};
use crate::{Error, Options, agent};
use ::xen::bus::State;
use ::xen::channel::EventChannel;
use ::xen::store::Store;
use alloc::boxed::Box;
use alloc::format;
use alloc::string::String;
use blinkgl::shm::Shm;
pub use error::XenError;
use handshake::Device;
use machine::{Grant, Local, Machine};
use rustix::event::epoll::{self, EventData, EventFlags};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fd::{AsFd, BorrowedFd, OwnedFd};
use rustix::io::Errno;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// What the address of this transport is.
pub const SCHEME: &str = "xen";

/// The device of a domain.
#[derive(Debug)]
pub struct Xen {
    memory: Shm,
    channel: EventChannel,
    /// Readable when the server notified, or something happened in XenStore.
    ready: OwnedFd,
    watch: Mutex<Watch>,
    client: u32,
    name: String,
    /// The pages, until the end.
    pages: Option<Pages>,
    /// Nobody notifies on it: it is open as long as this is.
    _lifeline: EventChannel,
    /// Held while the device is used. The last to go: whoever takes it finds the end written.
    _lock: OwnedFd,
}

/// What is given to the server's domain.
#[derive(Debug)]
struct Pages {
    aperture: Box<dyn Grant>,
    /// A file of its own, which no other process has: when it goes, the server is told.
    directory: Box<dyn Grant>,
}

/// What XenStore says of the server.
#[derive(Debug)]
struct Watch {
    store: Store,
    device: Device,
    is_gone: bool,
    /// XenStore does not answer any more: nothing tells of the server's end.
    is_blind: bool,
}

/// A descriptor that is readable when one of these is.
fn all_of(fds: [BorrowedFd<'_>; 2]) -> Result<OwnedFd, Errno> {
    let all = epoll::create(epoll::CreateFlags::CLOEXEC)?;
    for fd in fds {
        epoll::add(&all, fd, EventData::new_u64(0), EventFlags::IN)?;
    }
    Ok(all)
}

/// Could this be a domain with a device?
pub(crate) fn may_be_there() -> bool {
    std::path::Path::new(::xen::store::DEVICE).exists()
}

/// Has this domain a device? (Whoever may not ask XenStore has none.)
#[must_use]
pub fn is_there() -> bool {
    Store::open().is_ok_and(|mut store| Device::is_in(&mut store))
}

impl Xen {
    /// Takes this domain's device.
    ///
    /// # Errors
    /// There is none, another program has it, no server answers, it refuses, or there are too few pages.
    pub fn open(options: &Options) -> Result<Xen, Error> {
        Xen::open_on(&Local, Store::open().map_err(XenError::from)?, options)
    }

    fn open_on(machine: &dyn Machine, mut store: Store, options: &Options) -> Result<Xen, Error> {
        if !Device::is_in(&mut store) {
            return Err(XenError::NoDevice.into());
        }
        let lock = machine.lock()?;
        let device = Device::find(&mut store)?;
        Xen::take_on(machine, store, device, lock, options)
    }

    fn take_on(
        machine: &dyn Machine,
        mut store: Store,
        device: Device,
        lock: OwnedFd,
        options: &Options,
    ) -> Result<Xen, Error> {
        let parts = match device.connect(&mut store, machine, options) {
            Ok(parts) => parts,
            Err(error) => {
                // The pages are gone by now; a server that was about to take them hears of it.
                device.leave(&mut store, State::Closing);
                device.leave(&mut store, State::Closed);
                return Err(error);
            }
        };
        check_header(&parts.memory)?;
        let ready = all_of([parts.channel.as_fd(), store.as_fd()])
            .map_err(Error::system("waiting for two things at once"))?;
        let name = format!("{SCHEME}, {}", parts.describe(device.backend_domain()));
        log::info!("{name}");
        Ok(Xen {
            memory: parts.memory,
            channel: parts.channel,
            ready,
            watch: Mutex::new(Watch { store, device, is_gone: false, is_blind: false }),
            client: parts.client,
            name,
            pages: Some(parts.pages),
            _lifeline: parts.lifeline,
            _lock: lock,
        })
    }

    /// Readable when the server has something to say, for a client with a loop of its own: then call
    /// [`Transport::wait`] with a timeout of zero.
    #[must_use]
    pub fn wake_descriptor(&self) -> BorrowedFd<'_> {
        self.ready.as_fd()
    }

    fn watch(&self) -> MutexGuard<'_, Watch> {
        // It is whole after each call, whatever became of who had it.
        self.watch.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What came, if anything. Never waits for the server.
    fn take(&self) -> Result<Option<Wake>, Error> {
        // Events first, also if the server is gone: the next call tells that.
        if self.channel.take().map_err(XenError::from)? {
            return Ok(Some(Wake::Events));
        }
        let mut watch = self.watch();
        watch.look(&self.ready);
        Ok(watch.is_gone.then_some(Wake::ServerGone))
    }
}

impl Watch {
    /// Takes what XenStore tells.
    fn look(&mut self, ready: &OwnedFd) {
        if self.is_blind || self.is_gone {
            return;
        }
        match self.device.has_closed(&mut self.store) {
            Ok(is_gone) => self.is_gone = is_gone,
            Err(error) => {
                log::warn!("the server's end will not be noticed: {error}");
                self.is_blind = true;
            }
        }
        if self.is_blind || self.is_gone {
            // It would be readable for ever, or tell nothing new.
            let _forgotten = epoll::delete(ready, &self.store);
        }
    }
}

impl agent::Device for Xen {
    fn memory_descriptor(&self) -> (BorrowedFd<'_>, u64) {
        match &self.pages {
            Some(pages) => pages.aperture.descriptor(),
            // Not before the end.
            None => (self.ready.as_fd(), 0),
        }
    }

    fn wake_descriptor(&self) -> Option<BorrowedFd<'_>> {
        Some(self.ready.as_fd())
    }

    fn take_wakes(&self) -> Result<(), Error> {
        match self.take()? {
            Some(Wake::ServerGone) => Err(XenError::ServerGone.into()),
            Some(Wake::Events | Wake::Timeout) | None => Ok(()),
        }
    }
}

impl Transport for Xen {
    fn memory(&self) -> &Shm {
        &self.memory
    }

    fn ring(&self) {
        // A server that is away finds everything when it is back.
        let _notified = self.channel.notify();
    }

    fn wait(&self, timeout: Option<Duration>) -> Result<Wake, Error> {
        // A time beyond what the clock can hold is for ever.
        let end = timeout.and_then(|timeout| Instant::now().checked_add(timeout));
        loop {
            if let Some(wake) = self.take()? {
                return Ok(wake);
            }
            let left = end.map(|end| end.saturating_duration_since(Instant::now()));
            let time = left.and_then(|left| Timespec::try_from(left).ok());
            match poll(&mut [PollFd::new(&self.ready, PollFlags::IN)], time.as_ref()) {
                Ok(0) => return Ok(Wake::Timeout),
                Ok(_) | Err(Errno::INTR) => {}
                Err(source) => return Err(Error::System { doing: "waiting for the server", source }),
            }
        }
    }

    fn client(&self) -> u32 {
        self.client
    }

    fn describe(&self) -> String {
        self.name.clone()
    }
}

impl Drop for Xen {
    fn drop(&mut self) {
        let given = (self.pages.take(), core::mem::replace(&mut self.memory, Shm::anonymous(0)));
        let mut watch = self.watch();
        let Watch { store, device, is_blind, .. } = &mut *watch;
        device.leave(store, State::Closing);
        if !*is_blind && let Err(error) = device.await_release(store) {
            log::debug!("leaving: {error}");
        }
        drop(given);
        device.leave(store, State::Closed);
    }
}
