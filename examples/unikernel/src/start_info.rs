//! What a PVH loader says about the machine: where memory is.

use core::ops::Range;
use core::ptr::{self, NonNull};

/// First word of the start information.
const MAGIC: u32 = 0x336e_c578;
/// Type of a range of the memory map that is free to use.
const RAM: u32 = 1;

/// Longest command line that is looked at.
const COMMAND_LINE_BYTES: usize = 256;

/// Xen's `hvm_start_info`, to the end of its first version.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
struct Header {
    magic: u32,
    version: u32,
    flags: u32,
    modules: u32,
    module_list: u64,
    command_line: u64,
    rsdp: u64,
    memory_map: u64,
    memory_entries: u32,
    reserved: u32,
}

/// A range of the memory map.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
struct Entry {
    address: u64,
    size: u64,
    kind: u32,
    reserved: u32,
}

/// Why this program can't go on.
#[derive(Debug, thiserror::Error)]
pub enum Unusable {
    #[error("started by something that is no PVH loader of version 1: magic {magic:#x}, version {version}")]
    NoStartInfo { magic: u32, version: u32 },
    #[error("the memory map has no memory around this program, which ends at {0:#x}")]
    NoMemory(usize),
}

/// The loader's information.
#[derive(Debug)]
pub struct StartInfo(Header);

unsafe extern "C" {
    /// The linker's: one past the program's last byte.
    static image_end: u8;
}

impl StartInfo {
    /// The information at an address that a loader gave.
    pub fn at(address: usize) -> Result<StartInfo, Unusable> {
        let none = Unusable::NoStartInfo { magic: 0, version: 0 };
        let header = NonNull::new(ptr::with_exposed_provenance_mut::<Header>(address)).ok_or(none)?;
        // SAFETY: the loader left the information there, in memory below 4 GiB, which is mapped; nobody writes to it.
        let header = unsafe { header.as_ptr().read_unaligned() };
        if header.magic != MAGIC || header.version < 1 {
            return Err(Unusable::NoStartInfo { magic: header.magic, version: header.version });
        }
        Ok(StartInfo(header))
    }

    fn memory(&self) -> impl Iterator<Item = Range<u64>> {
        let first = usize::try_from(self.0.memory_map).unwrap_or(0);
        (0..usize::try_from(self.0.memory_entries).unwrap_or(0)).filter_map(move |index| {
            let entry = NonNull::new(ptr::with_exposed_provenance_mut::<Entry>(first))?;
            // SAFETY: the loader's map has so many entries there, in memory below 4 GiB; nobody writes to them.
            let entry = unsafe { entry.as_ptr().add(index).read_unaligned() };
            let end = entry.address.checked_add(entry.size)?;
            (entry.kind == RAM).then_some(entry.address..end)
        })
    }

    /// The command line, up to its first zero.
    pub fn command_line(&self) -> [u8; COMMAND_LINE_BYTES] {
        let mut line = [0; COMMAND_LINE_BYTES];
        let first = usize::try_from(self.0.command_line).unwrap_or(0);
        if let Some(first) = NonNull::new(ptr::with_exposed_provenance_mut::<u8>(first)) {
            for (i, byte) in line.iter_mut().enumerate() {
                // SAFETY: the loader left the bytes there, in memory below 4 GiB, to the first zero; nobody has
                // written to them yet.
                *byte = unsafe { first.as_ptr().add(i).read() };
                if *byte == 0 {
                    break;
                }
            }
        }
        line
    }

    /// One past the highest memory.
    pub fn memory_end(&self) -> u64 {
        self.memory().map(|range| range.end).max().unwrap_or(0)
    }

    /// The memory behind this program. What the loader says may be there too: read it before this is written to.
    pub fn free_memory(&self) -> Result<Range<usize>, Unusable> {
        let start = (&raw const image_end).expose_provenance();
        let around =
            self.memory().find(|range| u64::try_from(start).is_ok_and(|start| range.contains(&start)));
        let end =
            around.and_then(|range| usize::try_from(range.end).ok()).ok_or(Unusable::NoMemory(start))?;
        // Only the first 4 GiB are mapped.
        Ok(start..end.min(4 << 30))
    }
}
