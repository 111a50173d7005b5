//! Who is connected: newcomers, clients, and `blinkctl`s.

use super::aperture::Aperture;
use crate::ipc::{ClientId, ClientInfo};
use rustix::fd::OwnedFd;
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
}

/// A client.
#[derive(Debug)]
pub struct Client {
    /// Its connection.
    pub peer: PeerId,
    /// Its process, as the kernel told when it connected.
    pub pid: i32,
    /// What the renderer must know; placements as the renderer last told.
    pub info: ClientInfo,
    /// Its memory.
    pub aperture: Aperture,
}
