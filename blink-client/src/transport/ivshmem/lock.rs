//! One program at a time has the device: it writes the aperture's directory and takes the wake-ups.

use super::device::Device;
use crate::Error;
use rustix::fd::OwnedFd;
use rustix::fs::{FlockOperation, Mode, OFlags};
use rustix::io::Errno;

/// Takes the device until the descriptor is closed.
pub(super) fn take(device: &Device) -> Result<OwnedFd, Error> {
    let path = device.file("resource");
    let file = rustix::fs::open(&path, OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty())
        .map_err(|source| Error::Device { path: path.clone(), source })?;
    match rustix::fs::flock(&file, FlockOperation::NonBlockingLockExclusive) {
        Ok(()) => Ok(file),
        Err(Errno::AGAIN) => Err(Error::DeviceTaken { slot: device.slot().into() }),
        Err(source) => Err(Error::Device { path, source }),
    }
}
