//! Clients: what the broker knows of each. A client has a renderer's half ([`ClientInfo`]) and a glass's half
//! ([`ShownClient`]), so that neither process learns more than it needs.

use crate::reactor::Watched;
use crate::transport::aperture::Aperture;
use crate::transport::xen::{Memory, MemoryError};
use ipc::glass::{ClassId, ShownClient};
use ipc::limits::{MAX_CONTEXTS, MAX_WINDOWS};
use ipc::{ClientId, ClientInfo, Placement};
use rustix::fd::{AsFd, BorrowedFd};
use serde::{Deserialize, Serialize};

/// The process at the other end of a connection, as the kernel told when it connected.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Origin {
    /// Its user.
    pub uid: u32,
    /// Its number.
    pub pid: i32,
}

impl Origin {
    /// Of a connection.
    ///
    /// # Errors
    /// It is no connection.
    pub fn of(socket: impl AsFd) -> Result<Origin, String> {
        let credentials = rustix::net::sockopt::socket_peercred(socket).map_err(|e| e.to_string())?;
        Ok(Origin { uid: credentials.uid.as_raw(), pid: credentials.pid.as_raw_nonzero().get() })
    }
}

/// How a client came.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Via {
    /// A process, by the socket for local clients.
    Local,
    /// A virtual machine, by its QEMU.
    Qemu,
    /// A guest of Xen.
    Xen,
}

/// A client.
#[derive(Debug)]
pub struct Client {
    /// What its renderer must know.
    pub info: ClientInfo,
    /// Border color, red, green, blue.
    pub color: [u8; 3],
    /// Where its windows are, as the glass last told.
    pub placements: Vec<Placement>,
    /// Its process, or its QEMU's; a guest of Xen has none here.
    pub origin: Option<Origin>,
    /// How it came.
    pub via: Via,
    /// Its connection: a socket, or the event channel that tells that a guest's program is gone.
    pub connection: Watched,
    /// What it shares with its renderer.
    pub shared: Shared,
}

impl Client {
    /// What the glass must know.
    #[must_use]
    pub fn shown(&self, class: ClassId) -> ShownClient {
        ShownClient {
            id: self.info.id,
            class,
            name: self.info.name.clone(),
            color: self.color,
            placements: self.placements.clone(),
        }
    }

    /// Its process.
    #[must_use]
    pub fn pid(&self) -> Option<i32> {
        self.origin.map(|origin| origin.pid)
    }

    /// Takes placements of its windows.
    ///
    /// # Errors
    /// They are too many, or of another client.
    pub fn place(&mut self, windows: Vec<Placement>) -> Result<(), BadPlacements> {
        let is_own = |window: &Placement| window.window.client == self.info.id;
        if windows.len() > MAX_CONTEXTS * MAX_WINDOWS || !windows.iter().all(is_own) {
            return Err(BadPlacements { client: self.info.id, count: windows.len() });
        }
        self.placements = windows;
        Ok(())
    }
}

/// Placements that can't be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{count} windows of client {client} are placed, or those of another client")]
pub struct BadPlacements {
    client: ClientId,
    count: usize,
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
