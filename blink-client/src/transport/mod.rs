//! How a client reaches its server: memory, a doorbell, and a wake-up.

#[cfg(feature = "std")]
pub mod ivshmem;
#[cfg(feature = "std")]
pub mod local;
#[cfg(feature = "std")]
mod map;
#[cfg(feature = "xen")]
pub mod xen;

use crate::Error;
use alloc::format;
use alloc::string::String;
use blinkgl::layout::{APERTURE_MAGIC, APERTURE_VERSION, aperture};
use blinkgl::limits::{MAX_CONTEXTS, PAGE_SIZE};
use blinkgl::shm::{Shm, ShmOffset};
use core::fmt;
use core::ops::Range;
use core::time::Duration;

/// What ended a wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wake {
    /// The server has something to say: look at each context's events.
    Events,
    /// The time is up.
    Timeout,
    /// The server is gone for good. (A renderer that starts again is not noticed.)
    ServerGone,
}

/// What of an aperture a connection may use.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part {
    /// Entries of the directory.
    pub entries: Range<usize>,
    /// Pages, without the header.
    pub pages: Range<u32>,
}

impl Part {
    /// All of an aperture.
    #[must_use]
    pub fn whole(memory: &Shm) -> Part {
        let pages = u32::try_from(memory.size() / PAGE_SIZE).unwrap_or(u32::MAX);
        Part { entries: 0..MAX_CONTEXTS, pages: 1..pages }
    }
}

/// A connection as each kind of transport provides it.
pub trait Transport: fmt::Debug + Send + Sync {
    /// The aperture.
    fn memory(&self) -> &Shm;

    /// What of it is this connection's. The rest belongs to other applications.
    fn part(&self) -> Part {
        Part::whole(self.memory())
    }

    /// Wakes the server: something was published.
    fn ring(&self);

    /// Waits for the server, at most `timeout` (`None`: for ever).
    ///
    /// # Errors
    /// The system says no.
    fn wait(&self, timeout: Option<Duration>) -> Result<Wake, Error>;

    /// Lets `time` go by, about: a publication waits for the server to leave pages.
    #[cfg(feature = "std")]
    fn pause(&self, time: Duration) {
        std::thread::sleep(time);
    }

    /// Lets `time` go by, about: a publication waits for the server to leave pages.
    #[cfg(not(feature = "std"))]
    fn pause(&self, time: Duration);

    /// The server's name for this client.
    fn client(&self) -> u32;

    /// The server's clock now, where this machine has it.
    fn now(&self) -> Option<u64> {
        None
    }

    /// What it is, for people: the way to the server, and how the server wakes this client.
    fn describe(&self) -> String {
        String::from("memory shared with the server")
    }
}

/// Looks whether the memory is an aperture of a layout that this client knows: each transport does so first. Returns
/// the layout's version.
///
/// # Errors
/// It is not.
pub fn check_header(memory: &Shm) -> Result<u32, Error> {
    let magic = memory.load(ShmOffset(aperture::MAGIC))?;
    if magic != APERTURE_MAGIC {
        return Err(Error::Aperture(format!("it starts with {magic:#010x} instead of `BLNK`")));
    }
    let version = memory.load(ShmOffset(aperture::VERSION))?;
    if version >> 16 != APERTURE_VERSION >> 16 {
        return Err(Error::Aperture(format!(
            "its layout is of version {}.{}, this client knows {}",
            version >> 16,
            version & 0xffff,
            APERTURE_VERSION >> 16,
        )));
    }
    let pages = memory.load(ShmOffset(aperture::PAGES))?;
    if usize::try_from(pages) != Ok(memory.size() / PAGE_SIZE) {
        return Err(Error::Aperture(format!("it claims {pages} pages in {} bytes", memory.size())));
    }
    Ok(version)
}
