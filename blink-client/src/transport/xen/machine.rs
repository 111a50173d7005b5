//! What a domain gets of its kernel: pages to give away, and event channels. Tests have a machine of their own.

use super::SCHEME;
use super::size::{Room, USUAL_ENTRIES};
use crate::Error;
use crate::transport::map;
use ::xen::channel::{ChannelError, EventChannel};
use ::xen::grants::{self, ALLOCATOR, GrantError, Granted};
use alloc::boxed::Box;
use blinkgl::limits::PAGE_SIZE;
use blinkgl::shm::Shm;
use core::fmt::Debug;
use rustix::fd::{BorrowedFd, OwnedFd};
use rustix::fs::{FlockOperation, Mode, OFlags};
use rustix::io::Errno;

/// Pages that another domain may map.
pub(super) trait Grant: Debug + Send + Sync {
    /// Their numbers for that domain.
    fn refs(&self) -> &[u32];
    /// What to map, from where on.
    fn descriptor(&self) -> (BorrowedFd<'_>, u64);
    /// See [`Granted::notify_on_unmap`].
    fn notify_on_unmap(&self, page: u32, port: u32) -> Result<(), GrantError>;

    /// Maps them.
    fn map(&self) -> Result<Shm, Error> {
        let (fd, offset) = self.descriptor();
        Ok(map::map_region(fd, offset, self.refs().len() * PAGE_SIZE)?)
    }
}

impl Grant for Granted {
    fn refs(&self) -> &[u32] {
        Granted::refs(self)
    }

    fn descriptor(&self) -> (BorrowedFd<'_>, u64) {
        Granted::descriptor(self)
    }

    fn notify_on_unmap(&self, page: u32, port: u32) -> Result<(), GrantError> {
        Granted::notify_on_unmap(self, page, port)
    }
}

/// A domain's kernel.
pub(super) trait Machine {
    /// Takes the device until what is given is closed: one program at a time has it.
    fn lock(&self) -> Result<OwnedFd, Error>;
    /// What pages may come to. `entries`: those of the grant table, if somebody else knows.
    fn room(&self, entries: Option<u32>) -> Room;
    /// Has the pages of a program that ended given back as soon as the server has left them.
    fn free_at_once(&self);
    /// Gives new pages to a domain.
    fn give(&self, domain: u16, pages: u32) -> Result<Box<dyn Grant>, GrantError>;
    /// A port that a domain may bind to.
    fn channel(&self, domain: u16) -> Result<EventChannel, ChannelError>;
}

/// This one.
#[derive(Debug)]
pub(super) struct Local;

/// Pages that programs could still get, as Linux estimates.
fn available_pages() -> Option<u32> {
    let text = std::fs::read_to_string("/proc/meminfo").ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix("MemAvailable:"))?;
    let kib: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    u32::try_from(kib / (PAGE_SIZE as u64 / 1024)).ok()
}

impl Machine for Local {
    fn lock(&self) -> Result<OwnedFd, Error> {
        let file = match rustix::fs::open(ALLOCATOR, OFlags::RDWR | OFlags::CLOEXEC, Mode::empty()) {
            Ok(file) => file,
            Err(Errno::NOENT | Errno::NODEV | Errno::NXIO) => {
                let missing = GrantError::NoDevice { device: ALLOCATOR, module: "xen-gntalloc" };
                return Err(super::XenError::from(missing).into());
            }
            Err(source) => return Err(Error::Device { path: ALLOCATOR.into(), source }),
        };
        match rustix::fs::flock(&file, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => Ok(file),
            Err(Errno::AGAIN) => Err(Error::DeviceTaken { slot: SCHEME.into() }),
            Err(source) => Err(Error::Device { path: ALLOCATOR.into(), source }),
        }
    }

    fn room(&self, entries: Option<u32>) -> Room {
        let entries = grants::table_room().map(|table| table.entries).or(entries);
        Room {
            limit: grants::allocator_limit(),
            entries: entries.unwrap_or(USUAL_ENTRIES),
            available: available_pages(),
        }
    }

    fn free_at_once(&self) {
        if let Err(error) = grants::free_at_once() {
            log::info!("the pages of a program that is killed come back slowly: {error}");
        }
    }

    fn give(&self, domain: u16, pages: u32) -> Result<Box<dyn Grant>, GrantError> {
        Ok(Box::new(Granted::allocate(domain, pages)?))
    }

    fn channel(&self, domain: u16) -> Result<EventChannel, ChannelError> {
        EventChannel::bind_unbound(domain)
    }
}
