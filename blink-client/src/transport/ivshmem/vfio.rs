//! The device through vfio-pci: memory, doorbell and interrupts, for a program that is allowed to by the IOMMU.

use super::device::{Device, VFIO};
use crate::Error;
use crate::transport::{Wake, map};
use alloc::format;
use alloc::string::{String, ToString};
use blinkgl::limits::{MAX_APERTURE_BYTES, MIN_APERTURE_BYTES};
use blinkgl::shm::Shm;
use core::ffi::{c_int, c_void};
use rustix::event::{EventfdFlags, PollFd, PollFlags, Timespec, eventfd, poll};
use rustix::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, OwnedFd};
use rustix::fs::{Mode, OFlags};
use rustix::io::Errno;
use rustix::ioctl::{Ioctl, IoctlOutput, Opcode, ioctl};
use std::path::Path;
use std::time::{Duration, Instant};

// linux/vfio.h: `_IO(';', 100 + n)`.
const GET_API_VERSION: Opcode = request(0);
const CHECK_EXTENSION: Opcode = request(1);
const SET_IOMMU: Opcode = request(2);
const GROUP_GET_STATUS: Opcode = request(3);
const GROUP_SET_CONTAINER: Opcode = request(4);
const GROUP_GET_DEVICE_FD: Opcode = request(6);
const DEVICE_GET_REGION_INFO: Opcode = request(8);
const DEVICE_SET_IRQS: Opcode = request(10);

const API_VERSION: IoctlOutput = 0;
const TYPE1_IOMMU: usize = 1;
const GROUP_VIABLE: u32 = 1;
const REGION_REGISTERS: u32 = 0;
const REGION_MEMORY: u32 = 2;
const REGION_CONFIGURATION: u32 = 7;
const MSIX: u32 = 2;
const DATA_EVENTFD: u32 = 1 << 2;
const ACTION_TRIGGER: u32 = 1 << 5;

/// The command register of PCI, its bits for memory and for messages of the device's own.
const COMMAND: u64 = 4;
const COMMAND_BITS: u16 = 2 | 4;

const fn request(n: Opcode) -> Opcode {
    (b';' as Opcode) << 8 | (100 + n)
}

/// `struct vfio_group_status`.
#[repr(C)]
struct GroupStatus {
    size: u32,
    flags: u32,
}

/// `struct vfio_region_info`.
#[derive(Default)]
#[repr(C)]
struct RegionInfo {
    size: u32,
    flags: u32,
    index: u32,
    capabilities: u32,
    bytes: u64,
    offset: u64,
}

/// `struct vfio_irq_set` with one descriptor.
#[repr(C)]
struct IrqSet {
    size: u32,
    flags: u32,
    index: u32,
    start: u32,
    count: u32,
    eventfd: c_int,
}

/// The device.
#[derive(Debug)]
pub(super) struct Vfio {
    device: OwnedFd,
    /// Where its registers are in `device`.
    registers: u64,
    /// Where its memory is in `device`.
    memory: u64,
    interrupt: OwnedFd,
    /// They keep the device usable.
    _group: OwnedFd,
    _container: OwnedFd,
}

/// A request with a number, or a pointer to something that lives longer than the call.
struct Request {
    opcode: Opcode,
    argument: *mut c_void,
}

// SAFETY: the opcode and the argument are those of the request, as whoever makes one promises by `call`; the result
// is the call's.
unsafe impl Ioctl for Request {
    type Output = IoctlOutput;
    const IS_MUTATING: bool = true;

    fn opcode(&self) -> Opcode {
        self.opcode
    }

    fn as_ptr(&mut self) -> *mut c_void {
        self.argument
    }

    unsafe fn output_from_ptr(output: IoctlOutput, _: *mut c_void) -> Result<IoctlOutput, Errno> {
        Ok(output)
    }
}

/// A request whose argument is a number.
fn call(fd: &OwnedFd, opcode: Opcode, argument: usize) -> Result<IoctlOutput, Errno> {
    let request = Request { opcode, argument: core::ptr::without_provenance_mut(argument) };
    // SAFETY: the requests that are made so take a number or nothing.
    unsafe { ioctl(fd, request) }
}

/// A request whose argument is a `T` that the kernel reads or writes.
///
/// # Safety
/// `T` is the structure of that request, and says its own size where the request wants it to.
unsafe fn call_with<T>(fd: &OwnedFd, opcode: Opcode, argument: &mut T) -> Result<IoctlOutput, Errno> {
    let request = Request { opcode, argument: core::ptr::from_mut(argument).cast() };
    // SAFETY: the pointer is valid for the call, and to what the request wants by the caller's promise.
    unsafe { ioctl(fd, request) }
}

fn size_of_u32<T>() -> u32 {
    u32::try_from(size_of::<T>()).unwrap_or(u32::MAX)
}

impl Vfio {
    /// Takes the device; gives its memory too. An error says why there are no interrupts.
    pub fn open(root: &Path, device: &Device) -> Result<(Vfio, Shm), String> {
        let group = device.group().ok_or("there is no IOMMU")?;
        bind(root, device)?;
        let open = |path: &Path| {
            rustix::fs::open(path, OFlags::RDWR | OFlags::CLOEXEC, Mode::empty())
                .map_err(|error| format!("{}: {error}", path.display()))
        };
        let container = open(&root.join("dev/vfio/vfio"))?;
        let group = open(&root.join("dev/vfio").join(group))?;
        Vfio::join(device, container, group).map_err(|error| format!("vfio: {error}"))
    }

    fn join(
        device: &Device,
        container: OwnedFd,
        group: OwnedFd,
    ) -> Result<(Vfio, Shm), Box<dyn core::error::Error>> {
        if call(&container, GET_API_VERSION, 0)? != API_VERSION
            || call(&container, CHECK_EXTENSION, TYPE1_IOMMU)? != 1
        {
            return Err("the kernel's vfio is another one".into());
        }
        let mut status = GroupStatus { size: size_of_u32::<GroupStatus>(), flags: 0 };
        // SAFETY: the structure of this request, with its size.
        unsafe { call_with(&group, GROUP_GET_STATUS, &mut status) }?;
        if status.flags & GROUP_VIABLE == 0 {
            return Err("other devices of the IOMMU group are in use".into());
        }
        let mut descriptor: c_int = container.as_raw_fd();
        // SAFETY: this request reads a descriptor.
        unsafe { call_with(&group, GROUP_SET_CONTAINER, &mut descriptor) }?;
        call(&container, SET_IOMMU, TYPE1_IOMMU)?;

        let mut name = [0_u8; 32];
        let slot = device.slot().as_bytes();
        // One byte stays 0: the end of the name.
        name[..31].get_mut(..slot.len()).ok_or("no address on the bus")?.copy_from_slice(slot);
        // SAFETY: this request reads a text that ends with 0.
        let fd = unsafe { call_with(&group, GROUP_GET_DEVICE_FD, &mut name) }?;
        // SAFETY: the request made this descriptor for us, and nobody else has it.
        let device = unsafe { OwnedFd::from_raw_fd(fd) };

        let configuration = region(&device, REGION_CONFIGURATION)?.offset + COMMAND;
        let mut command = [0; 2];
        rustix::io::pread(&device, &mut command, configuration)?;
        let command = u16::from_le_bytes(command) | COMMAND_BITS;
        rustix::io::pwrite(&device, &command.to_le_bytes(), configuration)?;

        let RegionInfo { bytes, offset, .. } = region(&device, REGION_MEMORY)?;
        let bytes = usize::try_from(bytes)?;
        if !(MIN_APERTURE_BYTES..=MAX_APERTURE_BYTES).contains(&bytes) {
            return Err(format!("a memory of {bytes} bytes is out of range").into());
        }
        let memory = map::map_region(&device, offset, bytes)?;

        let interrupt = eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK)?;
        let mut irqs = IrqSet {
            size: size_of_u32::<IrqSet>(),
            flags: DATA_EVENTFD | ACTION_TRIGGER,
            index: MSIX,
            start: 0,
            count: 1,
            eventfd: interrupt.as_raw_fd(),
        };
        // SAFETY: the structure of this request, with its size and one descriptor.
        unsafe { call_with(&device, DEVICE_SET_IRQS, &mut irqs) }?;
        let registers = region(&device, REGION_REGISTERS)?.offset;
        let vfio =
            Vfio { device, registers, memory: offset, interrupt, _group: group, _container: container };
        Ok((vfio, memory))
    }

    /// Where another process gets the memory, and its offset there.
    pub fn memory(&self) -> (BorrowedFd<'_>, u64) {
        (self.device.as_fd(), self.memory)
    }

    /// Readable after an interrupt.
    pub fn interrupt(&self) -> BorrowedFd<'_> {
        self.interrupt.as_fd()
    }

    /// Writes a register.
    pub fn write_register(&self, register: usize, value: u32) {
        let at = self.registers + u64::try_from(register).unwrap_or(0);
        let written = rustix::io::pwrite(&self.device, &value.to_le_bytes(), at);
        debug_assert_eq!(written, Ok(4), "the region was there when the device was opened");
    }

    /// Waits for an interrupt.
    pub fn wait(&self, timeout: Option<Duration>) -> Result<Wake, Error> {
        // A time beyond what the clock can hold is for ever.
        let end = timeout.and_then(|timeout| Instant::now().checked_add(timeout));
        loop {
            match rustix::io::read(&self.interrupt, &mut [0_u8; 8]) {
                Ok(_) => return Ok(Wake::Events),
                Err(Errno::AGAIN | Errno::INTR) => {}
                Err(source) => return Err(Error::System { doing: "reading the interrupts", source }),
            }
            let left = end.map(|end| end.saturating_duration_since(Instant::now()));
            let time = left.and_then(|left| Timespec::try_from(left).ok());
            match poll(&mut [PollFd::new(&self.interrupt, PollFlags::IN)], time.as_ref()) {
                Ok(0) => return Ok(Wake::Timeout),
                Ok(_) | Err(Errno::INTR) => {}
                Err(source) => return Err(Error::System { doing: "waiting for an interrupt", source }),
            }
        }
    }
}

fn region(device: &OwnedFd, index: u32) -> Result<RegionInfo, Errno> {
    let mut info = RegionInfo { size: size_of_u32::<RegionInfo>(), index, ..RegionInfo::default() };
    // SAFETY: the structure of this request, with its size.
    unsafe { call_with(device, DEVICE_GET_REGION_INFO, &mut info) }?;
    Ok(info)
}

/// Gives the device to vfio-pci, unless another driver has it.
fn bind(root: &Path, device: &Device) -> Result<(), String> {
    match device.driver() {
        _ if device.is_of_vfio() => return Ok(()),
        Some(other) => return Err(format!("the driver {other} has the device")),
        None => {}
    }
    let bus = root.join("sys/bus/pci");
    if !bus.join("drivers").join(VFIO).exists() {
        return Err("the kernel has no vfio-pci, or its module is not loaded".to_string());
    }
    let write = |path: &Path, text: &str| {
        std::fs::write(path, text).map_err(|error| format!("{}: {error}", path.display()))
    };
    write(&device.file("driver_override"), VFIO)?;
    write(&bus.join("drivers_probe"), device.slot())?;
    if device.is_of_vfio() { Ok(()) } else { Err("vfio-pci does not take the device".to_string()) }
}
