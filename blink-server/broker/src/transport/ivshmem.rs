//! What a server tells QEMU's `ivshmem-doorbell` device: its protocol, spoken without a server of QEMU's.
//!
//! Each message is a number of 64 bits, little-endian, on a stream socket, some with a descriptor beside it:
//! the version; the guest's own id; -1 with the memory; then an id with an eventfd for each interrupt
//! vector: of the host, which the guest's doorbell writes to, and of the guest, which we write to. QEMU waits for
//! the memory while it builds the machine, so all of it is sent at once. QEMU never answers.

use super::aperture::Aperture;
use os::seqpacket;
use rustix::fd::{AsFd, BorrowedFd, OwnedFd};
use rustix::net::Shutdown;

/// Version of the protocol.
const VERSION: i64 = 0;
/// Our own id: the guest rings our doorbell by this number.
const HOST: i64 = 0;
/// The guest's id.
const GUEST: i64 = 1;
/// Comes with the memory.
const MEMORY: i64 = -1;

/// Why QEMU has no device.
#[derive(Debug, thiserror::Error)]
pub enum GreetError {
    /// The socket failed.
    #[error("QEMU's socket: {0}")]
    Socket(#[from] seqpacket::SocketError),
    /// The socket is full, though it is new.
    #[error("QEMU's socket has no room for a greeting")]
    Full,
    /// The socket can't be closed for reading.
    #[error("QEMU's socket: {0}")]
    System(#[from] rustix::io::Errno),
}

/// Hands memory, doorbell and wake-up to QEMU.
///
/// # Errors
/// It is gone already.
pub fn greet(qemu: &OwnedFd, aperture: &Aperture) -> Result<(), GreetError> {
    let [memory, doorbell, wake] = aperture.parts();
    let messages: [(i64, Option<BorrowedFd<'_>>); 5] = [
        (VERSION, None),
        (GUEST, None),
        (MEMORY, Some(memory)),
        // One vector each way is all that we use; a device may have more.
        (HOST, Some(doorbell)),
        (GUEST, Some(wake)),
    ];
    for (number, fd) in messages {
        if !seqpacket::try_send(qemu.as_fd(), &number.to_le_bytes(), fd.as_slice())? {
            return Err(GreetError::Full);
        }
    }
    // It has nothing to say: whatever it sends fails on its side, and costs nothing on ours.
    Ok(rustix::net::shutdown(qemu, Shutdown::Read)?)
}
