//! Maps an aperture's descriptor. The only `unsafe` of the renderer outside of `gl`, but for interrupts.

use blinkgl::limits::{MAX_APERTURE_BYTES, MIN_APERTURE_BYTES};
use blinkgl::shm::Shm;
use memmap2::MmapOptions;
use rustix::fd::OwnedFd;
use rustix::fs::SealFlags;
use std::ptr::NonNull;
use std::sync::Arc;

/// Why an aperture can't be mapped.
#[derive(Debug, thiserror::Error)]
pub enum MapError {
    /// The descriptor says no.
    #[error("the aperture's descriptor: {0}")]
    Descriptor(#[from] rustix::io::Errno),
    /// The kernel does not map it.
    #[error("the aperture can't be mapped: {0}")]
    Map(#[from] std::io::Error),
    /// Somebody could cut the memory off under us.
    #[error("the aperture is not sealed against shrinking")]
    NotSealed,
    /// The size is not what was announced, or out of range.
    #[error("the aperture has {found} bytes, {wanted} were announced; 1 MiB to 1 GiB are allowed")]
    Size {
        /// Of the descriptor.
        found: u64,
        /// By the broker.
        wanted: u64,
    },
}

/// Maps what a guest of Xen granted: `bytes` bytes at the start of a `gntdev` descriptor.
///
/// # Errors
/// Xen does not map it: the guest has withdrawn it.
pub fn map_granted(fd: &OwnedFd, bytes: u64) -> Result<Shm, MapError> {
    let size = usize::try_from(bytes).unwrap_or(usize::MAX);
    if !(MIN_APERTURE_BYTES..=MAX_APERTURE_BYTES).contains(&size) {
        return Err(MapError::Size { found: bytes, wanted: bytes });
    }
    let mapping = MmapOptions::new().len(size).map_raw(fd)?;
    let Some(base) = NonNull::new(mapping.as_mut_ptr()) else {
        return Err(MapError::Size { found: bytes, wanted: bytes });
    };
    // SAFETY: `base` is page-aligned; `mapping` keeps `size` readable and writable bytes there for as long as the
    // owner lives: `gntdev` maps all pages or none, and a guest can't take back a page that is mapped, nor does it go
    // before it is unmapped when the guest ends (drivers/xen/gntdev.c, xen/common/grant_table.c); nothing else in
    // this process uses the mapping.
    Ok(unsafe { Shm::new(base, size, Arc::new(mapping)) })
}

/// Maps `bytes` bytes of a sealed memory descriptor.
///
/// # Errors
/// It is no such descriptor.
pub fn map(fd: &OwnedFd, bytes: u64) -> Result<Shm, MapError> {
    let seals = rustix::fs::fcntl_get_seals(fd)?;
    if !seals.contains(SealFlags::SHRINK) {
        return Err(MapError::NotSealed);
    }
    let found = u64::try_from(rustix::fs::fstat(fd)?.st_size).unwrap_or(0);
    let size = usize::try_from(bytes).unwrap_or(usize::MAX);
    if found != bytes || !(MIN_APERTURE_BYTES..=MAX_APERTURE_BYTES).contains(&size) {
        return Err(MapError::Size { found, wanted: bytes });
    }
    let mapping = MmapOptions::new().len(size).map_raw(fd)?;
    let Some(base) = NonNull::new(mapping.as_mut_ptr()) else {
        return Err(MapError::Size { found, wanted: bytes });
    };
    // SAFETY: `base` is page-aligned; `mapping` keeps `size` readable and writable bytes there for as long as the
    // owner lives; the file is at least that long and sealed against shrinking, checked above; nothing
    // else in this process uses the mapping.
    Ok(unsafe { Shm::new(base, size, Arc::new(mapping)) })
}

#[cfg(test)]
mod tests {
    use super::*;
    use rustix::fs::{MemfdFlags, fcntl_add_seals, ftruncate, memfd_create};

    #[test]
    fn only_sealed_memory_of_the_right_size_is_mapped() {
        let fd = memfd_create("test", MemfdFlags::ALLOW_SEALING).unwrap();
        ftruncate(&fd, 1 << 20).unwrap();
        assert!(matches!(map(&fd, 1 << 20), Err(MapError::NotSealed)));
        fcntl_add_seals(&fd, SealFlags::SHRINK).unwrap();
        assert!(matches!(map(&fd, 2 << 20), Err(MapError::Size { .. })));
        let shm = map(&fd, 1 << 20).unwrap();
        shm.store(blinkgl::shm::ShmOffset(0), 7).unwrap();
        assert_eq!(map(&fd, 1 << 20).unwrap().load(blinkgl::shm::ShmOffset(0)), Ok(7));
    }
}
