//! The one thing that is not at its physical address: the aperture, which firmware may have placed beyond the
//! 4 GiB that [`crate::boot`] maps. It is seen through a window of 1 GiB, the most that an aperture has.

use core::arch::asm;
use core::ptr::NonNull;

/// Address of the window, where the fifth page directory begins.
const WINDOW: usize = 4 << 30;
/// Bytes of the window.
pub const WINDOW_BYTES: u64 = 1 << 30;
/// Bytes of a page of the window.
const LARGE_PAGE: u64 = 2 << 20;
/// Present, writable, 2 MiB.
const ENTRY: u64 = 0x83;

unsafe extern "C" {
    /// The window's page directory: all zeros at the start.
    static mut window_directory: [u64; 512];
}

/// Shows `size` bytes from the physical `address` in the window, instead of what it showed before.
///
/// `None`: they do not fit.
pub fn show(address: u64, size: u64) -> Option<NonNull<u8>> {
    let first = address - address % LARGE_PAGE;
    let end = address.checked_add(size)?;
    if end - first > WINDOW_BYTES {
        return None;
    }
    let pages = (first..end).step_by(usize::try_from(LARGE_PAGE).ok()?);
    for (index, page) in pages.enumerate() {
        // SAFETY: a page directory of 512 entries for at most 1 GiB in pages of 2 MiB; nothing else writes it, and
        // there is one thread.
        unsafe { (&raw mut window_directory).cast::<u64>().add(index).write_volatile(page | ENTRY) };
    }
    // SAFETY: the same tables again; the processor forgets what it remembers of the window.
    unsafe { asm!("mov {0}, cr3", "mov cr3, {0}", out(reg) _, options(nostack, preserves_flags)) };
    NonNull::new(core::ptr::with_exposed_provenance_mut(WINDOW + usize::try_from(address - first).ok()?))
}
