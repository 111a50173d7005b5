//! The display's share of a machine: QEMU's device `ivshmem-doorbell`, whose memory is the aperture.

use crate::{mmu, pci};
use alloc::sync::Arc;
use blink_client::transport::check_header;
use blink_client::{Error, Transport, Wake};
use blinkgl::layout::aperture;
use blinkgl::shm::{Shm, ShmOffset};
use core::hint::spin_loop;
use core::ptr;
use core::time::Duration;

/// Vendor and device id.
const IDS: u32 = 0x1110_1af4;
/// Memory of the registers, and of the aperture.
const REGISTERS: u8 = 0;
const MEMORY: u8 = 2;
/// Offset of the doorbell in the registers.
const DOORBELL: usize = 12;
/// What rings at the server: its id in the upper half, vector 0 in the lower.
const SERVER: u32 = 0;
/// Where registers are placed that nobody has placed: behind the memory that a machine can have below 4 GiB, before
/// the interrupt controllers.
const REGISTERS_PLACE: u64 = 0xfe00_0000;
/// Memory of 64 bits is placed behind all memory of the machine, and not below this.
const LEAST_PLACE: u64 = 4 << 30;

/// Why there is no display.
#[derive(Debug, thiserror::Error)]
pub enum NoDevice {
    #[error("no display: there is no PCI device 1af4:1110 (QEMU: -device ivshmem-doorbell)")]
    Missing,
    #[error("the display's PCI device is behind a bridge, and no firmware gave it addresses")]
    BehindBridge,
    #[error("{0}")]
    NotOurs(#[from] Error),
    #[error("the display's PCI device has {registers} bytes of registers and {memory} of memory, at {at:#x}")]
    Shape { registers: u64, memory: u64, at: u64 },
}

/// Where memory goes that firmware has not placed: from here on is nothing.
#[derive(Debug)]
struct Places {
    registers: u64,
    memory: u64,
}

/// The device.
#[derive(Debug)]
pub struct Ivshmem {
    memory: Shm,
    /// Address of the register that rings.
    doorbell: usize,
}

impl Ivshmem {
    /// Finds it: others may have the same ids, but no aperture. The machine's memory ends at `memory_end`.
    pub fn find(memory_end: u64) -> Result<Ivshmem, NoDevice> {
        let mut places = Places { registers: REGISTERS_PLACE, memory: memory_end.max(LEAST_PLACE) };
        let mut refused = NoDevice::Missing;
        for function in pci::find(IDS) {
            let checked = Ivshmem::open(function, &mut places)
                .and_then(|device| Ok(check_header(&device.memory).map(|_version| device)?));
            match checked {
                Ok(device) => return Ok(device),
                Err(error) => refused = error,
            }
        }
        Err(refused)
    }

    /// Firmware may have placed it or not. What was opened before is shown no more.
    fn open(function: pci::Function, places: &mut Places) -> Result<Ivshmem, NoDevice> {
        let [mut registers, mut memory] = [REGISTERS, MEMORY].map(|bar| function.bar(bar));
        let bars =
            [(REGISTERS, &mut registers, &mut places.registers), (MEMORY, &mut memory, &mut places.memory)];
        for (index, bar, place) in bars {
            if bar.address == 0 && bar.size != 0 {
                if !function.is_on_root() {
                    return Err(NoDevice::BehindBridge);
                }
                bar.address = place.next_multiple_of(bar.size);
                *place = bar.address + bar.size;
                function.place(index, bar.address);
            }
        }
        function.enable();
        let shape = NoDevice::Shape { registers: registers.size, memory: memory.size, at: memory.address };
        let registers = usize::try_from(registers.address)
            .ok()
            .filter(|&address| address != 0 && address < 4 << 30 && registers.size > DOORBELL as u64);
        let base = mmu::show(memory.address, memory.size).filter(|_| memory.address != 0 && memory.size != 0);
        let (Some(registers), Some(base), Ok(size)) = (registers, base, usize::try_from(memory.size)) else {
            return Err(shape);
        };
        // SAFETY: a BAR is aligned to its size, and a BAR of memory has at least 16 bytes; `show` has mapped all of it
        // until the next device is opened, before which `find` drops this one; QEMU does not let the memory behind it
        // shrink; nothing else in this program knows the address.
        let memory = unsafe { Shm::new(base, size, Arc::new(())) };
        Ok(Ivshmem { memory, doorbell: registers + DOORBELL })
    }
}

impl Transport for Ivshmem {
    fn memory(&self) -> &Shm {
        &self.memory
    }

    fn ring(&self) {
        // SAFETY: a register of the device, whose place and size `find` checked; it is mapped, and no memory.
        unsafe { ptr::with_exposed_provenance_mut::<u32>(self.doorbell).write_volatile(SERVER) };
    }

    /// Nothing wakes a client that takes no interrupts.
    fn wait(&self, _timeout: Option<Duration>) -> Result<Wake, Error> {
        Ok(Wake::Timeout)
    }

    fn pause(&self, time: Duration) {
        // There is no clock to ask: at least as long on any processor.
        for _ in 0..time.as_nanos() {
            spin_loop();
        }
    }

    fn client(&self) -> u32 {
        self.memory.load(ShmOffset(aperture::CLIENT)).unwrap_or(0)
    }
}
