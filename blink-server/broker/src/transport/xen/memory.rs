//! The memory that a guest grants, and its event channels.

use super::nodes::{Offer, REFERENCES, references};
use blinkgl::limits::PAGE_SIZE;
use rustix::fd::{AsFd, OwnedFd};
use rustix::io::Errno;
use xen::channel::{ChannelError, EventChannel};
use xen::grants::{Foreign, GrantError, copy_from};

/// What a program of a guest shares with the server.
#[derive(Debug)]
pub struct Memory {
    guest: u16,
    /// Of the aperture's pages, in order: a copy that the guest can't change.
    references: Vec<u32>,
    channel: EventChannel,
}

/// Why a guest's memory can't be used.
#[derive(Debug, thiserror::Error)]
pub enum MemoryError {
    /// A channel can't be bound.
    #[error("its port `{0}` can't be bound: {1}")]
    Channel(&'static str, ChannelError),
    /// A page of the directory is not granted.
    #[error("its grant directory can't be read: {0}")]
    Directory(GrantError),
    /// The pages are not granted, or there are too many.
    #[error("its pages can't be mapped: {0}")]
    Map(GrantError),
    /// Descriptors.
    #[error("the server is out of descriptors: {0}")]
    System(#[from] Errno),
}

impl Memory {
    /// What a guest offers, and what tells that its program is gone.
    ///
    /// # Errors
    /// It is not what it says that it is.
    pub fn of(guest: u16, offer: &Offer) -> Result<(Memory, EventChannel), MemoryError> {
        let bind = |name, port| {
            EventChannel::bind_interdomain(guest, port).map_err(|error| MemoryError::Channel(name, error))
        };
        // Before anything that fails if the program is gone: so its end is not missed.
        let lifeline = bind("lifeline", offer.lifeline)?;
        let references = read_directory(guest, offer)?;
        // A program that ended while the lifeline was bound gave its pages back a moment later.
        read(guest, offer.directory)?;
        let channel = bind("event-channel", offer.channel)?;
        Ok((Memory { guest, references, channel }, lifeline))
    }

    /// Pages of the aperture.
    #[must_use]
    pub fn pages(&self) -> usize {
        self.references.len()
    }

    /// Bytes.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        u64::try_from(self.references.len().saturating_mul(PAGE_SIZE)).unwrap_or(u64::MAX)
    }

    /// The guest.
    #[must_use]
    pub fn guest(&self) -> u16 {
        self.guest
    }

    /// Our port of the event channel.
    #[must_use]
    pub fn port(&self) -> u32 {
        self.channel.port()
    }

    /// What the renderer gets, as of other clients: memory, doorbell, wake. The memory is mapped at the descriptor's start,
    /// once.
    ///
    /// # Errors
    /// Too many pages.
    pub fn parts(&self) -> Result<[OwnedFd; 3], MemoryError> {
        let memory = Foreign::map(self.guest, &self.references).map_err(MemoryError::Map)?;
        let copy = || rustix::io::fcntl_dupfd_cloexec(self.channel.as_fd(), 0);
        Ok([memory.into_fd(), copy()?, copy()?])
    }
}

fn read(guest: u16, reference: u32) -> Result<[u8; PAGE_SIZE], MemoryError> {
    let mut page = [0; PAGE_SIZE];
    copy_from(guest, reference, &mut page).map(|()| page).map_err(MemoryError::Directory)
}

/// Reads the directory, each page once, into memory of our own.
fn read_directory(guest: u16, offer: &Offer) -> Result<Vec<u32>, MemoryError> {
    let root = read(guest, offer.directory)?;
    let mut found = Vec::with_capacity(offer.pages);
    for directory in references(&root).take(offer.pages.div_ceil(REFERENCES)) {
        let page = read(guest, directory)?;
        found.extend(references(&page).take(offer.pages - found.len()));
    }
    Ok(found)
}
