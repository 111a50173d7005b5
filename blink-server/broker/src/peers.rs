//! Who is connected: newcomers, clients, and `blinkctl`s.

use super::aperture::Aperture;
use super::xen::{Memory, MemoryError};
use ipc::{ClientId, ClientInfo};
use rustix::fd::{AsFd, BorrowedFd, OwnedFd};
use std::time::Instant;

/// Names a connection for the life of the broker; never used again, so that a late event can't hit another one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PeerId(pub u64);

/// A connection.
#[derive(Debug)]
pub struct Peer {
    /// Its socket.
    pub socket: OwnedFd,
    /// Who it is.
    pub kind: PeerKind,
}

/// Who a connection is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PeerKind {
    /// Has not said Hello yet.
    Newcomer {
        /// When it is shut out.
        deadline: Instant,
    },
    /// A client.
    Client(ClientId),
    /// A `blinkctl`.
    Control,
    /// QEMU's device of a virtual machine, which is a client.
    Device(ClientId),
    /// QEMU's serial port of a virtual machine: wakes it.
    Port(ClientId),
    /// The event channel that tells that a program of a guest of Xen is gone. The guest is a client.
    Domain(ClientId),
}

/// A client.
#[derive(Debug)]
pub struct Client {
    /// Its connection.
    pub peer: PeerId,
    /// Its process, or its QEMU's, as the kernel told when it connected; a guest of Xen has none here.
    pub pid: Option<i32>,
    /// What the renderer must know; placements as the renderer last told.
    pub info: ClientInfo,
    /// What it shares with the renderer.
    pub shared: Shared,
}

/// Memory, doorbell and wake-up of a client.
#[derive(Debug)]
pub enum Shared {
    /// Made by us.
    Made(Aperture),
    /// Granted by a guest of Xen.
    Granted(Memory),
}

impl Shared {
    /// Shows what goes to the renderer.
    ///
    /// # Errors
    /// A guest's memory can't be had.
    pub fn with_parts<T>(&self, show: impl FnOnce(&[BorrowedFd<'_>]) -> T) -> Result<T, MemoryError> {
        Ok(match self {
            Shared::Made(aperture) => show(&aperture.parts()),
            Shared::Granted(memory) => show(&memory.parts()?.each_ref().map(AsFd::as_fd)),
        })
    }

    /// Pages of a guest of Xen.
    #[must_use]
    pub fn granted_pages(&self) -> usize {
        match self {
            Shared::Made(_) => 0,
            Shared::Granted(memory) => memory.pages(),
        }
    }

    /// The guest of Xen whose memory it is.
    #[must_use]
    pub fn guest(&self) -> Option<u16> {
        match self {
            Shared::Made(_) => None,
            Shared::Granted(memory) => Some(memory.guest()),
        }
    }
}
