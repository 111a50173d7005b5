//! Memory that two processes share: sealed memory descriptors, and their mappings.

use memmap2::MmapOptions;
use rustix::fd::{AsFd, OwnedFd};
use rustix::fs::{MemfdFlags, SealFlags};
use rustix::io::Errno;
use shm::Shm;
use std::ptr::NonNull;
use std::sync::Arc;

/// Why memory can't be shared.
#[derive(Debug, thiserror::Error)]
pub enum MemoryError {
    /// The descriptor says no.
    #[error("the memory's descriptor: {0}")]
    Descriptor(#[from] Errno),
    /// The kernel does not map it.
    #[error("the memory can't be mapped: {0}")]
    Map(#[from] std::io::Error),
    /// Somebody could cut the memory off under us.
    #[error("the memory is not sealed against shrinking")]
    NotSealed,
    /// The size is not what was announced.
    #[error("the memory has {found} bytes, {wanted} were announced")]
    Size {
        /// Of the descriptor.
        found: u64,
        /// Announced.
        wanted: u64,
    },
}

/// New memory of `bytes` bytes, all zero, which nobody can make smaller or larger.
///
/// # Errors
/// The system has no memory or descriptors left.
pub fn create(name: &str, bytes: u64) -> Result<OwnedFd, Errno> {
    let fd = rustix::fs::memfd_create(name, MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING)?;
    rustix::fs::ftruncate(&fd, bytes)?;
    rustix::fs::fcntl_add_seals(&fd, SealFlags::SHRINK | SealFlags::GROW | SealFlags::SEAL)?;
    Ok(fd)
}

/// Is it memory of exactly so many bytes that nobody can make smaller?
///
/// # Errors
/// No.
pub fn check(fd: &OwnedFd, bytes: u64) -> Result<(), MemoryError> {
    let seals = rustix::fs::fcntl_get_seals(fd)?;
    if !seals.contains(SealFlags::SHRINK) {
        return Err(MemoryError::NotSealed);
    }
    let found = u64::try_from(rustix::fs::fstat(fd)?.st_size).unwrap_or(0);
    if found == bytes { Ok(()) } else { Err(MemoryError::Size { found, wanted: bytes }) }
}

/// Maps `bytes` bytes of sealed memory.
///
/// # Errors
/// It is no such memory.
pub fn map(fd: &OwnedFd, bytes: u64) -> Result<Shm, MemoryError> {
    check(fd, bytes)?;
    let size = usize::try_from(bytes).unwrap_or(usize::MAX);
    let mapping = MmapOptions::new().len(size).map_raw(&fd.as_fd())?;
    let Some(base) = NonNull::new(mapping.as_mut_ptr()) else {
        return Err(MemoryError::Size { found: 0, wanted: bytes });
    };
    // SAFETY: `base` is page-aligned; `mapping` keeps `size` readable and writable bytes there for as long as the
    // owner lives; the file is at least that long and sealed against shrinking, checked above; nothing else in this
    // process uses the mapping.
    Ok(unsafe { Shm::new(base, size, Arc::new(mapping)) })
}

#[cfg(test)]
mod tests {
    use super::*;
    use rustix::fs::{fcntl_add_seals, ftruncate, memfd_create};
    use shm::ShmOffset;

    #[test]
    fn only_sealed_memory_of_the_right_size_is_mapped() {
        let fd = memfd_create("test", MemfdFlags::ALLOW_SEALING).unwrap();
        ftruncate(&fd, 1 << 20).unwrap();
        assert!(matches!(map(&fd, 1 << 20), Err(MemoryError::NotSealed)));
        fcntl_add_seals(&fd, SealFlags::SHRINK).unwrap();
        assert!(matches!(map(&fd, 2 << 20), Err(MemoryError::Size { .. })));
        let shm = map(&fd, 1 << 20).unwrap();
        shm.store(ShmOffset(0), 7).unwrap();
        assert_eq!(map(&fd, 1 << 20).unwrap().load(ShmOffset(0)), Ok(7));
    }

    #[test]
    fn what_is_created_can_be_mapped_and_keeps_its_size() {
        let fd = create("test", 8192).unwrap();
        assert_eq!(map(&fd, 8192).unwrap().size(), 8192);
        assert!(ftruncate(&fd, 4096).is_err());
    }
}
