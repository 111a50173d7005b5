//! Finds the device in sysfs.

use crate::Error;
use alloc::borrow::ToOwned;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use std::path::{Path, PathBuf};

/// Red Hat's vendor number, and ivshmem's device number.
const IDS: [u32; 2] = [0x1af4, 0x1110];

/// The driver that gives devices to programs.
pub(super) const VFIO: &str = "vfio-pci";

/// A PCI device.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Device {
    path: PathBuf,
    slot: String,
}

/// Where a region of a device is in the machine's memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Region {
    pub start: u64,
    pub bytes: u64,
}

/// The ivshmem devices, in the order of their addresses.
pub(super) fn all(root: &Path) -> Result<Vec<Device>, Error> {
    let bus = root.join("sys/bus/pci/devices");
    let Ok(entries) = std::fs::read_dir(bus) else {
        // A machine without PCI.
        return Ok(Vec::new());
    };
    let mut devices = Vec::new();
    for entry in entries.filter_map(Result::ok) {
        let Ok(slot) = entry.file_name().into_string() else { continue };
        let device = Device { path: entry.path(), slot };
        if [device.number("vendor"), device.number("device")] == IDS.map(Some) {
            devices.push(device);
        }
    }
    devices.sort_by(|a, b| a.slot.cmp(&b.slot));
    Ok(devices)
}

impl Device {
    /// Its address on the bus.
    pub fn slot(&self) -> &str {
        &self.slot
    }

    /// One of its files.
    pub fn file(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }

    fn text(&self, name: &str) -> Option<String> {
        Some(std::fs::read_to_string(self.file(name)).ok()?.trim().to_owned())
    }

    fn number(&self, name: &str) -> Option<u32> {
        u32::from_str_radix(self.text(name)?.strip_prefix("0x")?, 16).ok()
    }

    /// The driver that has it.
    pub fn driver(&self) -> Option<String> {
        self.link("driver")
    }

    /// Does vfio-pci have it?
    pub fn is_of_vfio(&self) -> bool {
        self.driver().as_deref() == Some(VFIO)
    }

    /// The number of its IOMMU group.
    pub fn group(&self) -> Option<String> {
        self.link("iommu_group")
    }

    fn link(&self, name: &str) -> Option<String> {
        let target = std::fs::read_link(self.file(name)).ok()?;
        Some(target.file_name()?.to_str()?.to_string())
    }

    /// Region `index`; `None`: it has no address.
    pub fn region(&self, index: usize) -> Option<Region> {
        let text = self.text("resource")?;
        let mut numbers =
            text.lines().nth(index)?.split_whitespace().map(|number| {
                number.strip_prefix("0x").and_then(|digits| u64::from_str_radix(digits, 16).ok())
            });
        let (start, end) = (numbers.next()??, numbers.next()??);
        let bytes = end.checked_sub(start)?.checked_add(1)?;
        (start != 0).then_some(Region { start, bytes })
    }
}
