//! Ports, and halting.

use core::arch::asm;

/// Reads a byte.
///
/// # Safety
/// Reading this port has no effect on memory.
pub unsafe fn read_u8(port: u16) -> u8 {
    let value;
    // SAFETY: the caller's; the instruction touches neither memory nor flags.
    unsafe { asm!("in al, dx", in("dx") port, out("al") value, options(nomem, nostack, preserves_flags)) };
    value
}

/// Writes a byte.
///
/// # Safety
/// Writing this port has no effect on memory that Rust knows of.
pub unsafe fn write_u8(port: u16, value: u8) {
    // SAFETY: as above.
    unsafe { asm!("out dx, al", in("dx") port, in("al") value, options(nomem, nostack, preserves_flags)) };
}

/// Reads a word of 32 bits.
///
/// # Safety
/// As [`read_u8`].
pub unsafe fn read_u32(port: u16) -> u32 {
    let value;
    // SAFETY: as above.
    unsafe { asm!("in eax, dx", in("dx") port, out("eax") value, options(nomem, nostack, preserves_flags)) };
    value
}

/// Writes a word of 32 bits.
///
/// # Safety
/// As [`write_u8`].
pub unsafe fn write_u32(port: u16, value: u32) {
    // SAFETY: as above.
    unsafe { asm!("out dx, eax", in("dx") port, in("eax") value, options(nomem, nostack, preserves_flags)) };
}

/// Stops the processor for good.
pub fn halt() -> ! {
    loop {
        // SAFETY: no interrupt wakes the processor, and it has nothing more to do.
        unsafe { asm!("cli", "hlt", options(nomem, nostack)) };
    }
}
