//! SIGINT, SIGTERM and SIGHUP as something to wait for: for the server's processes, and for `blink-agent`.

use rustix::event::{EventfdFlags, eventfd};
use rustix::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use rustix::io::Errno;
use std::sync::atomic::{AtomicI32, Ordering};

/// The eventfd that the handler writes to; -1 = none.
static WAKE: AtomicI32 = AtomicI32::new(-1);

/// Readable after one of the signals came. One at a time in a process.
#[derive(Debug)]
pub struct Signals {
    wake: OwnedFd,
}

/// Only what may be done in a signal handler: an atomic load and a `write`.
extern "C" fn handle(_signal: libc::c_int) {
    let fd = WAKE.load(Ordering::Relaxed);
    let count = 1_u64.to_ne_bytes();
    // SAFETY: `fd` is the eventfd of the `Signals` that set it (which resets it before it closes it) or -1,
    // for which `write` fails; `count` is 8 readable bytes; `write` may be called in a signal handler.
    // A failure can't be told, and `errno` is put back as the interrupted code expects.
    unsafe {
        let errno = libc::__errno_location();
        let before = *errno;
        let _written = libc::write(fd, count.as_ptr().cast(), count.len());
        *errno = before;
    }
}

impl Signals {
    /// Takes over the three signals.
    ///
    /// # Errors
    /// No descriptor is left.
    pub fn new() -> Result<Signals, Errno> {
        let wake = eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK)?;
        WAKE.store(wake.as_raw_fd(), Ordering::Relaxed);
        let handler = handle as extern "C" fn(libc::c_int);
        // `exec` gives the child the default actions again.
        for signal in [libc::SIGINT, libc::SIGTERM, libc::SIGHUP] {
            // SAFETY: an all-zero `sigaction` is a valid one (no flags, empty mask); `handle` does only what a
            // handler may; the pointers are valid for the call.
            let result = unsafe {
                let mut action: libc::sigaction = std::mem::zeroed();
                action.sa_sigaction = handler as libc::sighandler_t;
                action.sa_flags = libc::SA_RESTART;
                libc::sigaction(signal, &raw const action, std::ptr::null_mut())
            };
            if result != 0 {
                return Err(Errno::INVAL);
            }
        }
        Ok(Signals { wake })
    }
}

impl Signals {
    /// Forgets those that came.
    pub fn take(&self) {
        // Nothing to read is as good as something.
        let _count = rustix::io::read(&self.wake, &mut [0; 8]);
    }
}

impl AsFd for Signals {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.wake.as_fd()
    }
}

impl Drop for Signals {
    fn drop(&mut self) {
        WAKE.store(-1, Ordering::Relaxed);
    }
}
