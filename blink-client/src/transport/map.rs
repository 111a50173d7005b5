//! Maps the aperture, and a device's registers.

use crate::Error;
use blinkgl::limits::{MAX_APERTURE_BYTES, MIN_APERTURE_BYTES};
use blinkgl::shm::Shm;
use memmap2::MmapOptions;
use rustix::fd::{AsFd, OwnedFd};
use rustix::fs::SealFlags;
use std::ptr::NonNull;
use std::sync::Arc;

/// Maps a sealed memory descriptor of `bytes` bytes.
pub(super) fn map(fd: &OwnedFd, bytes: u64) -> Result<Shm, Error> {
    let seals = rustix::fs::fcntl_get_seals(fd).map_err(Error::system("looking at the aperture's seals"))?;
    if !seals.contains(SealFlags::SHRINK) {
        return Err(Error::Aperture("its memory is not sealed against shrinking".into()));
    }
    let found = rustix::fs::fstat(fd).map_err(Error::system("looking at the aperture"))?.st_size;
    let size = usize::try_from(bytes).unwrap_or(usize::MAX);
    if u64::try_from(found) != Ok(bytes) || !(MIN_APERTURE_BYTES..=MAX_APERTURE_BYTES).contains(&size) {
        return Err(Error::Aperture(format!("it has {found} bytes where the server announced {bytes}")));
    }
    let mapping = MmapOptions::new().len(size).map_raw(fd)?;
    let Some(base) = NonNull::new(mapping.as_mut_ptr()) else {
        return Err(Error::Aperture("it was mapped at address 0".into()));
    };
    // SAFETY: `base` is page-aligned; `mapping` keeps `size` readable and writable bytes mapped there for as
    // long as the owner lives; the file is that long and sealed against shrinking, both checked
    // above; nothing else in this process uses the mapping.
    Ok(unsafe { Shm::new(base, size, Arc::new(mapping)) })
}

/// Maps the aperture that an agent shares: `bytes` bytes of a device's region, or of sealed memory.
pub(super) fn map_shared(fd: &OwnedFd, offset: u64, bytes: u64) -> Result<Shm, Error> {
    // A device's file has no seals. What else could shrink is not what an agent gives, whose word is law here: an
    // application that does not trust it can't be helped, as the agent may write anything to its memory.
    match rustix::fs::fcntl_get_seals(fd) {
        Ok(seals) if !seals.contains(SealFlags::SHRINK) => {
            return Err(Error::Aperture("its memory is not sealed against shrinking".into()));
        }
        Ok(_) | Err(_) => {}
    }
    let size = usize::try_from(bytes).unwrap_or(usize::MAX);
    if !(MIN_APERTURE_BYTES..=MAX_APERTURE_BYTES).contains(&size) {
        return Err(Error::Aperture(format!("{bytes} bytes are out of range")));
    }
    Ok(map_region(fd, offset, size)?)
}

/// Maps `bytes` bytes of a device's region at `offset` in its file.
pub(super) fn map_region(fd: impl AsFd, offset: u64, bytes: usize) -> Result<Shm, std::io::Error> {
    let mapping = MmapOptions::new().offset(offset).len(bytes).map_raw(&fd.as_fd())?;
    let base = NonNull::new(mapping.as_mut_ptr()).ok_or(std::io::ErrorKind::InvalidInput)?;
    // SAFETY: `base` is page-aligned; `mapping` keeps `bytes` readable and writable bytes there for as long as the
    // owner lives; a device's regions don't shrink; nothing else in this process uses the mapping, and other
    // processes can't make it invalid.
    Ok(unsafe { Shm::new(base, bytes, Arc::new(mapping)) })
}
