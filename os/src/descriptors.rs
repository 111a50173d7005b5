//! Descriptors that a program finds open when it starts.

use rustix::io::Errno;

/// From now on, programs that this one starts get none of its descriptors but standard input, output and error, and those that
/// are meant for them: a script or a desktop session may have left others open.
///
/// # Errors
/// The kernel does not know the call (before Linux 5.11).
pub fn inherit_none() -> Result<(), Errno> {
    // `CLOSE_RANGE_CLOEXEC` of linux/close_range.h.
    const CLOEXEC: libc::c_uint = 4;
    // SAFETY: the call takes three numbers, and closes nothing: it sets a flag of descriptors.
    checked(unsafe { libc::syscall(libc::SYS_close_range, FIRST, libc::c_uint::MAX, CLOEXEC) })
}

/// Closes all that this program was started with, but for standard input, output and error. To be called first of all, before
/// anything is opened.
///
/// # Errors
/// The kernel does not know the call (before Linux 5.9).
pub fn close_inherited() -> Result<(), Errno> {
    let none: libc::c_uint = 0;
    // SAFETY: the call takes three numbers. Nothing in this process owns a descriptor that it closes: the caller has opened
    // none yet.
    checked(unsafe { libc::syscall(libc::SYS_close_range, FIRST, libc::c_uint::MAX, none) })
}

/// The first descriptor that is none of standard input, output and error.
const FIRST: libc::c_uint = 3;

fn checked(result: libc::c_long) -> Result<(), Errno> {
    if result == 0 {
        return Ok(());
    }
    Err(Errno::from_io_error(&std::io::Error::last_os_error()).unwrap_or(Errno::NOSYS))
}
