//! The transport of a virtual machine: an `ivshmem-doorbell` device of QEMU, whose memory is the aperture. A program
//! needs the device for itself; no module of the kernel is needed.

mod device;
mod lock;
mod polling;
mod port;
mod resources;
mod vfio;

use super::{Transport, Wake, check_header};
use crate::{Error, agent};
use alloc::format;
use alloc::string::{String, ToString};
use blinkgl::layout::aperture;
use blinkgl::shm::{Shm, ShmOffset};
use device::Device;
use polling::Polling;
use port::Port;
use resources::Resources;
use rustix::fd::{BorrowedFd, OwnedFd};
use std::path::Path;
use std::time::Duration;
use vfio::Vfio;

/// The doorbell in the device's registers (region 0): 32 bits, peer << 16 | vector.
const DOORBELL: usize = 12;
/// The server's vector 0.
const SERVER: u32 = 0;

/// What the address of this transport starts with: alone, or followed by `:` and the device's address on the bus.
pub const SCHEME: &str = "ivshmem";

/// The device of a virtual machine.
#[derive(Debug)]
pub struct Ivshmem {
    memory: Shm,
    access: Access,
    wake: Waking,
    name: String,
    client: u32,
    /// Held while the device is used.
    _lock: OwnedFd,
}

/// How the device's registers are reached.
#[derive(Debug)]
enum Access {
    Vfio(Vfio),
    Resources(Resources),
}

/// How the server wakes us.
#[derive(Debug)]
enum Waking {
    /// By an interrupt, through [`Access::Vfio`].
    Interrupt,
    /// By a serial port.
    Port(Port),
    /// Not at all: we look from time to time.
    No,
}

/// Is there a device of QEMU's that could be ours? (Another program may use devices of the same kind.)
#[must_use]
pub fn is_there() -> bool {
    device::all(Path::new("/")).is_ok_and(|devices| !devices.is_empty())
}

impl Ivshmem {
    /// Takes the device at an address on the PCI bus, as `0000:00:04.0`; without one, the first that has an aperture.
    ///
    /// # Errors
    /// There is none, or another program has it, or this one may not use it.
    pub fn open(slot: Option<&str>) -> Result<Ivshmem, Error> {
        Ivshmem::open_under(Path::new("/"), slot)
    }

    /// The same with `sys` and `dev` in another directory.
    ///
    /// # Errors
    /// As [`Ivshmem::open`].
    pub fn open_under(root: &Path, slot: Option<&str>) -> Result<Ivshmem, Error> {
        let mut devices = device::all(root)?;
        devices.retain(|device| slot.is_none_or(|slot| device.slot() == slot));
        let mut failure = None;
        for device in &devices {
            match Ivshmem::take(root, device) {
                Ok(transport) => return Ok(transport),
                // The first one's says more than that the others are not ours either.
                Err(error) => failure = failure.or(Some(error)),
            }
        }
        Err(failure.unwrap_or_else(|| Error::NoDevice {
            what: slot.map_or_else(String::new, |slot| format!(" at {slot}")),
        }))
    }

    fn take(root: &Path, device: &Device) -> Result<Ivshmem, Error> {
        let lock = lock::take(device)?;
        // A device of somebody else's is left as it is. (One that vfio-pci has shows its memory to it only.)
        let ours = if device.is_of_vfio() {
            None
        } else {
            let (resources, memory) = Resources::open(device)?;
            check_header(&memory)?;
            Some((resources, memory))
        };
        let (access, memory, vfio_problem) = match (Vfio::open(root, device), ours) {
            (Ok((vfio, memory)), _) => (Access::Vfio(vfio), memory, None),
            (Err(why), Some((resources, memory))) => (Access::Resources(resources), memory, Some(why)),
            (Err(why), None) => return Err(Error::Aperture(why)),
        };
        check_header(&memory)?;
        let client = memory.load(ShmOffset(aperture::CLIENT))?;
        let mut name = format!("{SCHEME}:{}, ", device.slot());
        let wake = match (vfio_problem, Port::find(root)) {
            (None, _) => {
                name += "woken by interrupts (vfio-pci)";
                Waking::Interrupt
            }
            (Some(why), Some(port)) => {
                name += &format!("woken by the serial port {} (no interrupts: {why})", port.path().display());
                Waking::Port(port)
            }
            (Some(why), None) => {
                name += &format!(
                    "not woken, looks from time to time (no interrupts: {why}; no serial port {})",
                    port::NAME
                );
                Waking::No
            }
        };
        log::info!("{name}");
        Ok(Ivshmem { memory, access, wake, name, client, _lock: lock })
    }
}

impl agent::Device for Ivshmem {
    fn memory_descriptor(&self) -> (BorrowedFd<'_>, u64) {
        match &self.access {
            Access::Vfio(vfio) => vfio.memory(),
            Access::Resources(resources) => resources.memory(),
        }
    }

    fn wake_descriptor(&self) -> Option<BorrowedFd<'_>> {
        match (&self.wake, &self.access) {
            (Waking::Interrupt, Access::Vfio(vfio)) => Some(vfio.interrupt()),
            (Waking::Port(port), _) => port.descriptor(),
            (Waking::No | Waking::Interrupt, _) => None,
        }
    }

    fn take_wakes(&self) -> Result<(), Error> {
        match (&self.wake, &self.access) {
            (Waking::Interrupt, Access::Vfio(vfio)) => vfio.wait(Some(Duration::ZERO)).map(|_| ()),
            (Waking::Port(port), _) => port.take().map(|_| ()),
            (Waking::No | Waking::Interrupt, _) => Ok(()),
        }
    }
}

impl Transport for Ivshmem {
    fn memory(&self) -> &Shm {
        &self.memory
    }

    fn ring(&self) {
        match &self.access {
            Access::Vfio(vfio) => vfio.write_register(DOORBELL, SERVER),
            Access::Resources(resources) => resources.write_register(DOORBELL, SERVER),
        }
    }

    fn wait(&self, timeout: Option<Duration>) -> Result<Wake, Error> {
        match (&self.wake, &self.access) {
            (Waking::Interrupt, Access::Vfio(vfio)) => vfio.wait(timeout),
            (Waking::Port(port), _) => port.wait(&self.memory, timeout),
            (Waking::No | Waking::Interrupt, _) => Polling::new(timeout).wait(&self.memory),
        }
    }

    fn client(&self) -> u32 {
        self.client
    }

    fn describe(&self) -> String {
        self.name.to_string()
    }
}
