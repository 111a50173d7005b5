//! Root given up, for all threads of a process and for good.

use crate::threads;
use rustix::io::Errno;
use rustix::process::Signal;
use rustix::thread::{CapabilitySet, CapabilitySets};

/// Debian's `nobody` and `nogroup`, who own no files.
const NOBODY: u32 = 65_534;

/// Root can't be given up: the process must not go on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{what}: {error}")]
pub struct RootError {
    /// What the system refuses.
    pub what: &'static str,
    /// Why.
    pub error: Errno,
}

/// Becomes nobody, if this process is root's, and gives up all capabilities. Its parent's end still ends it.
///
/// False: the system knows no other user than root, as in some containers. It stays root then, without capabilities, which
/// makes it a user like others. Only if it has one thread, because capabilities are each thread's own.
///
/// # Errors
/// The system refuses.
pub fn give_up() -> Result<bool, RootError> {
    let failed = |what| move |error| RootError { what, error };
    let mut is_left = true;
    if rustix::process::geteuid().is_root() {
        match become_nobody() {
            Ok(()) => {
                // The kernel forgot it with the user.
                rustix::process::set_parent_process_death_signal(Some(Signal::KILL))
                    .map_err(failed("PR_SET_PDEATHSIG"))?;
            }
            Err(RootError { error: Errno::INVAL | Errno::PERM, .. })
                if threads::count().is_ok_and(|count| count == 1) =>
            {
                is_left = false;
            }
            Err(error) => return Err(error),
        }
    }
    let none = CapabilitySet::empty();
    let sets = CapabilitySets { effective: none, permitted: none, inheritable: none };
    rustix::thread::set_capabilities(None, sets).map_err(failed("capset"))?;
    Ok(is_left)
}

fn become_nobody() -> Result<(), RootError> {
    let check = |what, result| match result {
        0 => Ok(()),
        _ => {
            let error = std::io::Error::last_os_error();
            Err(RootError { what, error: Errno::from_io_error(&error).unwrap_or(Errno::PERM) })
        }
    };
    // SAFETY: no list is given, of length 0. The C library changes all threads, here and below.
    check("setgroups", unsafe { libc::setgroups(0, std::ptr::null()) })?;
    // SAFETY: only numbers are passed.
    check("setresgid", unsafe { libc::setresgid(NOBODY, NOBODY, NOBODY) })?;
    // SAFETY: only numbers are passed.
    check("setresuid", unsafe { libc::setresuid(NOBODY, NOBODY, NOBODY) })
}
