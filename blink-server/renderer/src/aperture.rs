//! Maps a client's aperture.

use blinkgl::limits::{MAX_APERTURE_BYTES, MIN_APERTURE_BYTES};
use blinkgl::shm::Shm;
use memmap2::MmapOptions;
use os::memory::MemoryError;
use rustix::fd::OwnedFd;
use std::ptr::NonNull;
use std::sync::Arc;

/// Why an aperture can't be mapped.
#[derive(Debug, thiserror::Error)]
pub enum MapError {
    /// It is no memory of this size that stays.
    #[error("the aperture: {0}")]
    Memory(#[from] MemoryError),
    /// The kernel does not map it.
    #[error("the aperture can't be mapped: {0}")]
    Map(#[from] std::io::Error),
    /// The size is out of range.
    #[error("an aperture of {0} bytes; 1 MiB to 1 GiB are allowed")]
    Size(u64),
}

/// Is the size one of an aperture?
fn size_of(bytes: u64) -> Result<usize, MapError> {
    let size = usize::try_from(bytes).unwrap_or(usize::MAX);
    if (MIN_APERTURE_BYTES..=MAX_APERTURE_BYTES).contains(&size) {
        Ok(size)
    } else {
        Err(MapError::Size(bytes))
    }
}

/// Maps `bytes` bytes of a sealed memory descriptor.
///
/// # Errors
/// It is no such descriptor.
pub fn map(fd: &OwnedFd, bytes: u64) -> Result<Shm, MapError> {
    size_of(bytes)?;
    Ok(os::memory::map(fd, bytes)?)
}

/// Maps what a guest of Xen granted: `bytes` bytes at the start of a `gntdev` descriptor.
///
/// # Errors
/// Xen does not map it: the guest has withdrawn it.
pub fn map_granted(fd: &OwnedFd, bytes: u64) -> Result<Shm, MapError> {
    let size = size_of(bytes)?;
    let mapping = MmapOptions::new().len(size).map_raw(fd)?;
    let Some(base) = NonNull::new(mapping.as_mut_ptr()) else { return Err(MapError::Size(bytes)) };
    // SAFETY: `base` is page-aligned; `mapping` keeps `size` readable and writable bytes there for as long as the
    // owner lives: `gntdev` maps all pages or none, and a guest can't take back a page that is mapped, nor does it go
    // before it is unmapped when the guest ends (drivers/xen/gntdev.c, xen/common/grant_table.c); nothing else in
    // this process uses the mapping.
    Ok(unsafe { Shm::new(base, size, Arc::new(mapping)) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_memory_of_the_right_size_is_mapped() {
        let fd = os::memory::create("test", 1 << 20).unwrap();
        assert!(matches!(map(&fd, 2 << 20), Err(MapError::Memory(MemoryError::Size { .. }))));
        assert!(matches!(map(&fd, 4096), Err(MapError::Size(4096))));
        assert_eq!(map(&fd, 1 << 20).unwrap().size(), 1 << 20);
    }
}
