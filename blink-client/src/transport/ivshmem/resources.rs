//! The device through its files in sysfs: memory and doorbell, no interrupts.

use super::device::Device;
use crate::Error;
use crate::transport::map;
use blinkgl::limits::{MAX_APERTURE_BYTES, MIN_APERTURE_BYTES, PAGE_SIZE};
use blinkgl::shm::{Shm, ShmOffset};
use rustix::fd::{AsFd, BorrowedFd, OwnedFd};
use rustix::fs::{Mode, OFlags};
use std::path::PathBuf;

/// The device's registers.
#[derive(Debug)]
pub(super) struct Resources {
    registers: Shm,
    /// Where they start in it: a region may be smaller than a page, and start within one.
    offset: usize,
    /// The memory's file.
    memory: OwnedFd,
}

/// Bytes of the registers.
const REGISTER_BYTES: usize = 256;

impl Resources {
    /// Switches the device on. Also gives its memory.
    pub fn open(device: &Device) -> Result<(Resources, Shm), Error> {
        let enable = device.file("enable");
        // Without it, the bus does not answer for its regions.
        std::fs::write(&enable, "1").map_err(|error| failed(enable, &error))?;
        let region = |index| {
            device.region(index).ok_or_else(|| {
                Error::Aperture(alloc::format!("region {index} of {} has no address", device.slot()))
            })
        };
        let memory_bytes = usize::try_from(region(2)?.bytes).unwrap_or(usize::MAX);
        if !(MIN_APERTURE_BYTES..=MAX_APERTURE_BYTES).contains(&memory_bytes) {
            return Err(Error::Aperture(alloc::format!("{memory_bytes} bytes are out of range")));
        }
        let (file, memory) = map_file(device.file("resource2"), memory_bytes)?;
        let page = u64::try_from(PAGE_SIZE).unwrap_or(u64::MAX);
        let offset = usize::try_from(region(0)?.start % page).unwrap_or(0);
        let bytes = (offset + REGISTER_BYTES).next_multiple_of(PAGE_SIZE);
        let (_, registers) = map_file(device.file("resource0"), bytes)?;
        Ok((Resources { registers, offset, memory: file }, memory))
    }

    /// Where another process gets the memory, and its offset there.
    pub fn memory(&self) -> (BorrowedFd<'_>, u64) {
        (self.memory.as_fd(), 0)
    }

    /// Writes a register.
    pub fn write_register(&self, register: usize, value: u32) {
        let written = self.registers.store(ShmOffset(self.offset + register), value);
        debug_assert!(written.is_ok(), "registers are within what was mapped");
    }
}

fn map_file(path: PathBuf, bytes: usize) -> Result<(OwnedFd, Shm), Error> {
    let flags = OFlags::RDWR | OFlags::CLOEXEC | OFlags::SYNC;
    let file = rustix::fs::open(&path, flags, Mode::empty())
        .map_err(|source| Error::Device { path: path.clone(), source })?;
    let mapped = map::map_region(&file, 0, bytes).map_err(|error| failed(path, &error))?;
    Ok((file, mapped))
}

fn failed(path: PathBuf, error: &std::io::Error) -> Error {
    let source = rustix::io::Errno::from_io_error(error).unwrap_or(rustix::io::Errno::IO);
    Error::Device { path, source }
}
