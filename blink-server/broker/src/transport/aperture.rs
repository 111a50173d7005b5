//! Makes the memory, the doorbell and the wake-up of a client. The broker writes the header and never reads again.

use blinkgl::layout::{APERTURE_MAGIC, APERTURE_VERSION, aperture};
use blinkgl::limits::PAGE_SIZE;
use ipc::ClientId;
use ipc::limits::{DEFAULT_APERTURE_BYTES, MAX_APERTURE_BYTES, MIN_APERTURE_BYTES};
use ipc::vm::MemorySize;
use rustix::event::{EventfdFlags, eventfd};
use rustix::fd::{AsFd, BorrowedFd, OwnedFd};
use rustix::fs::{MemfdFlags, SealFlags};
use rustix::io::Errno;
use rustix::net::{AddressFamily, SocketFlags, SocketType, socketpair};

/// What client and renderer share.
#[derive(Debug)]
pub struct Aperture {
    memory: OwnedFd,
    doorbell: OwnedFd,
    /// How the renderer wakes the client. A process: by a socket and not by an eventfd, as a send says itself that it
    /// must not block, and a write to an eventfd does so or not by a flag that the client could change. A virtual
    /// machine: by the eventfd of an interrupt vector, as QEMU and KVM want it.
    wake: OwnedFd,
    bytes: u64,
}

/// Why there is none.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum ApertureError {
    /// The wish is out of range.
    #[error("an aperture of {0} bytes is out of range: ask for {MIN_APERTURE_BYTES} to {MAX_APERTURE_BYTES}")]
    Size(u64),
    /// The system has none.
    #[error("the server is out of memory or descriptors: {0}; close other clients")]
    System(#[from] Errno),
}

impl Aperture {
    /// Makes one for a process, of `wanted` bytes, rounded up to pages; 0 = the default size. With it, the client's
    /// end of the socket that wakes it.
    ///
    /// # Errors
    /// Out of range, or the system has none.
    pub fn for_process(client: ClientId, wanted: u64) -> Result<(Aperture, OwnedFd), ApertureError> {
        let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
        let (ours, theirs) = socketpair(AddressFamily::UNIX, SocketType::SEQPACKET, flags, None)?;
        Ok((Aperture::new(client, wanted, ours)?, theirs))
    }

    /// Makes one for a virtual machine.
    ///
    /// # Errors
    /// The system has none.
    pub fn for_vm(client: ClientId, size: MemorySize) -> Result<Aperture, ApertureError> {
        let vector = eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK)?;
        Aperture::new(client, size.bytes(), vector)
    }

    fn new(client: ClientId, wanted: u64, wake: OwnedFd) -> Result<Aperture, ApertureError> {
        let size = match usize::try_from(wanted) {
            Ok(0) => DEFAULT_APERTURE_BYTES,
            Ok(size) if (MIN_APERTURE_BYTES..=MAX_APERTURE_BYTES).contains(&size) => {
                size.next_multiple_of(PAGE_SIZE)
            }
            Ok(_) | Err(_) => return Err(ApertureError::Size(wanted)),
        };
        let bytes = u64::try_from(size).map_err(|_| ApertureError::Size(wanted))?;
        let pages = u32::try_from(size / PAGE_SIZE).map_err(|_| ApertureError::Size(wanted))?;
        let flags = MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING;
        let memory = rustix::fs::memfd_create("blink-aperture", flags)?;
        rustix::fs::ftruncate(&memory, bytes)?;
        for (offset, word) in [
            (aperture::MAGIC, APERTURE_MAGIC),
            (aperture::VERSION, APERTURE_VERSION),
            (aperture::PAGES, pages),
            (aperture::CLIENT, client.0),
        ] {
            let offset = u64::try_from(offset).unwrap_or(u64::MAX);
            rustix::io::pwrite(&memory, &word.to_le_bytes(), offset)?;
        }
        // Nobody can cut it off under the renderer's or the client's mapping.
        rustix::fs::fcntl_add_seals(&memory, SealFlags::SHRINK | SealFlags::GROW | SealFlags::SEAL)?;
        let doorbell = eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK)?;
        Ok(Aperture { memory, doorbell, wake, bytes })
    }

    /// Bytes.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// One that was made before, of its memory, doorbell and wake.
    #[must_use]
    pub fn of_parts([memory, doorbell, wake]: [OwnedFd; 3], bytes: u64) -> Aperture {
        Aperture { memory, doorbell, wake, bytes }
    }

    /// Memory, doorbell, wake: what goes to the renderer, and to QEMU.
    #[must_use]
    pub fn parts(&self) -> [BorrowedFd<'_>; 3] {
        [self.memory.as_fd(), self.doorbell.as_fd(), self.wake.as_fd()]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes() {
        let make = |bytes| Aperture::for_process(ClientId(7), bytes).map(|(aperture, _)| aperture);
        assert_eq!(make(1).unwrap_err(), ApertureError::Size(1));
        assert_eq!(make(u64::MAX).unwrap_err(), ApertureError::Size(u64::MAX));
        assert_eq!(make(0).unwrap().bytes(), DEFAULT_APERTURE_BYTES as u64);
        assert_eq!(make((1 << 20) + 1).unwrap().bytes(), (1 << 20) + 4096);
        let aperture = make(1 << 20).unwrap();
        let [memory, ..] = aperture.parts();
        assert_eq!(rustix::fs::ftruncate(memory, 4096), Err(Errno::PERM), "sealed");
    }
}
