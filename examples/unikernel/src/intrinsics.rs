//! What compiled code expects of every program: elsewhere the C library's.

use core::arch::asm;

/// As C's.
///
/// # Safety
/// As C's.
#[unsafe(no_mangle)]
unsafe extern "C" fn memcpy(to: *mut u8, from: *const u8, count: usize) -> *mut u8 {
    // SAFETY: the caller's: both are `count` bytes long and do not overlap. The direction flag is clear.
    unsafe {
        asm!(
            "rep movsq", "mov ecx, {rest:e}", "rep movsb", rest = in(reg) count % 8,
            inout("rcx") count / 8 => _, inout("rdi") to => _, inout("rsi") from => _,
            options(nostack, preserves_flags)
        );
    }
    to
}

/// As C's.
///
/// # Safety
/// As C's.
#[unsafe(no_mangle)]
unsafe extern "C" fn memmove(to: *mut u8, from: *const u8, count: usize) -> *mut u8 {
    if to.addr().wrapping_sub(from.addr()) >= count {
        // SAFETY: the caller's; forwards, no byte is overwritten before it is read, whole words included: `to` is
        // before `from`, or behind its end.
        unsafe {
            asm!(
                "rep movsb", inout("rcx") count => _, inout("rdi") to => _, inout("rsi") from => _,
                options(nostack, preserves_flags)
            );
        }
    } else {
        // SAFETY: the caller's; backwards, as `to` is within `from`. The direction flag is cleared again.
        unsafe {
            asm!(
                "std", "rep movsb", "cld", inout("rcx") count => _,
                inout("rdi") to.wrapping_add(count).wrapping_sub(1) => _,
                inout("rsi") from.wrapping_add(count).wrapping_sub(1) => _,
                options(nostack)
            );
        }
    }
    to
}

/// As C's.
///
/// # Safety
/// As C's.
#[unsafe(no_mangle)]
unsafe extern "C" fn memset(to: *mut u8, value: i32, count: usize) -> *mut u8 {
    let [byte, ..] = value.to_le_bytes();
    // SAFETY: the caller's: `count` bytes. The direction flag is clear.
    unsafe {
        asm!(
            "rep stosq", "mov ecx, {rest:e}", "rep stosb", rest = in(reg) count % 8,
            inout("rcx") count / 8 => _, inout("rdi") to => _, in("rax") u64::from_ne_bytes([byte; 8]),
            options(nostack, preserves_flags)
        );
    }
    to
}

/// As C's.
///
/// # Safety
/// As C's.
#[unsafe(no_mangle)]
unsafe extern "C" fn memcmp(a: *const u8, b: *const u8, count: usize) -> i32 {
    for i in 0..count {
        // SAFETY: the caller's: both are `count` bytes long.
        let (a, b) = unsafe { (a.add(i).read(), b.add(i).read()) };
        if a != b {
            return i32::from(a) - i32::from(b);
        }
    }
    0
}

/// As BSD's: 0 if they are the same.
///
/// # Safety
/// As [`memcmp`].
#[unsafe(no_mangle)]
unsafe extern "C" fn bcmp(a: *const u8, b: *const u8, count: usize) -> i32 {
    // SAFETY: the caller's.
    unsafe { memcmp(a, b, count) }
}
