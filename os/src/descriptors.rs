//! Descriptors that a program finds open when it starts.

use rustix::io::Errno;

/// From now on, programs that this one starts get none of its descriptors but standard input, output and error, and those that
/// are meant for them: a script or a desktop session may have left others open.
///
/// # Errors
/// The kernel does not know the call (before Linux 5.11).
pub fn inherit_none() -> Result<(), Errno> {
    const FIRST: libc::c_uint = 3;
    // `CLOSE_RANGE_CLOEXEC` of linux/close_range.h.
    const CLOEXEC: libc::c_uint = 4;
    // SAFETY: the call takes three numbers, and closes nothing: it sets a flag of descriptors.
    let result = unsafe { libc::syscall(libc::SYS_close_range, FIRST, libc::c_uint::MAX, CLOEXEC) };
    if result == 0 {
        return Ok(());
    }
    Err(Errno::from_io_error(&std::io::Error::last_os_error()).unwrap_or(Errno::NOSYS))
}
