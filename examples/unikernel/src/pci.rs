//! PCI devices, by the configuration ports that every PC has.

use crate::ports;
use alloc::vec::Vec;
use core::ops::Range;

/// Ports of the configuration space: address, and the word there.
const ADDRESS: u16 = 0xcf8;
const DATA: u16 = 0xcfc;
/// Offsets in a function's configuration space.
const IDS: u8 = 0x00;
const COMMAND: u8 = 0x04;
const HEADER: u8 = 0x0c;
const FIRST_BAR: u8 = 0x10;
const BUSES: u8 = 0x18;
/// In `COMMAND`: the device answers at its memory addresses.
const MEMORY: u32 = 2;
/// In `HEADER`: the device has several functions; the layout is a bridge's.
const SEVERAL: u32 = 1 << 23;
const LAYOUT: Range<u32> = 16..23;
/// In a BAR of memory: it is of 64 bits.
const WIDE: u32 = 0x4;
/// In a BAR: bits that are no address.
const FLAGS: u32 = 0xf;
/// Bridges behind bridges that are looked through.
const DEPTH: usize = 4;

/// A function of a PCI device.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Function {
    bus: u8,
    device: u8,
    function: u8,
}

/// Where a function's memory is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bar {
    /// Physical address; 0: nobody gave it one.
    pub address: u64,
    /// Bytes: a power of two, or 0 if there is no such memory.
    pub size: u64,
}

impl Function {
    fn select(self, offset: u8) {
        let [bus, device, function] = [self.bus, self.device, self.function].map(u32::from);
        let address = 1 << 31 | bus << 16 | device << 11 | function << 8 | u32::from(offset & 0xfc);
        // SAFETY: selects a word of the configuration space.
        unsafe { ports::write_u32(ADDRESS, address) };
    }

    fn read(self, offset: u8) -> u32 {
        self.select(offset);
        // SAFETY: reading a configuration word has no effects.
        unsafe { ports::read_u32(DATA) }
    }

    fn write(self, offset: u8, value: u32) {
        self.select(offset);
        // SAFETY: only commands and addresses of memory of a device's own are written, which nothing uses yet.
        unsafe { ports::write_u32(DATA, value) };
    }

    /// Is it on the first bus, which reaches all addresses?
    pub fn is_on_root(self) -> bool {
        self.bus == 0
    }

    /// Where the memory of BAR `index` is, and how large.
    pub fn bar(self, index: u8) -> Bar {
        let offset = FIRST_BAR + 4 * index;
        let command = self.read(COMMAND);
        // A device that is asked for a size must not answer anywhere meanwhile.
        self.write(COMMAND, command & !MEMORY);
        let (low, low_mask) = self.size_of(offset);
        let (high, high_mask) = if low & WIDE != 0 { self.size_of(offset + 4) } else { (0, u32::MAX) };
        self.write(COMMAND, command);
        let join = |low: u32, high: u32| u64::from(high) << 32 | u64::from(low & !FLAGS);
        let mask = join(low_mask, high_mask);
        Bar { address: join(low, high), size: if low_mask == 0 { 0 } else { (!mask).wrapping_add(1) } }
    }

    /// What a word of a BAR holds, and which of its bits can be set.
    fn size_of(self, offset: u8) -> (u32, u32) {
        let value = self.read(offset);
        self.write(offset, u32::MAX);
        let mask = self.read(offset);
        self.write(offset, value);
        (value, mask)
    }

    /// Places the memory of BAR `index`.
    pub fn place(self, index: u8, address: u64) {
        let offset = FIRST_BAR + 4 * index;
        let wide = self.read(offset) & WIDE != 0;
        let [low, high] = [address, address >> 32].map(|half| u32::try_from(half & 0xffff_ffff).unwrap_or(0));
        self.write(offset, low);
        if wide {
            self.write(offset + 4, high);
        }
    }

    /// From now on the device answers at its memory addresses.
    pub fn enable(self) {
        self.write(COMMAND, self.read(COMMAND) & 0xffff | MEMORY);
    }
}

/// The functions with this vendor (low half) and device id, on the first bus and behind bridges.
pub fn find(ids: u32) -> Vec<Function> {
    let mut found = Vec::new();
    find_on(0, ids, DEPTH, &mut found);
    found
}

fn find_on(bus: u8, ids: u32, depth: usize, all: &mut Vec<Function>) {
    for device in 0..32 {
        for function in 0..8 {
            let here = Function { bus, device, function };
            let found = here.read(IDS);
            if found == ids {
                all.push(here);
            }
            let header = here.read(HEADER);
            let exists = found != u32::MAX;
            let is_bridge = exists && header >> LAYOUT.start & ((1 << LAYOUT.len()) - 1) == 1;
            let [_, behind, ..] = here.read(BUSES).to_le_bytes();
            // A bridge that nobody has configured has no bus behind it.
            if is_bridge && behind > bus && depth > 0 {
                find_on(behind, ids, depth - 1, all);
            }
            if function == 0 && (!exists || header & SEVERAL == 0) {
                break;
            }
        }
    }
}
