//! Adds to an eventfd that another process has too, and can't be made to wait.
//!
//! A virtual machine is woken by an eventfd: KVM takes nothing else for an interrupt. Whether a `write` to one
//! waits is decided by a flag and a count that QEMU could change at any time. The kernel's own signals to
//! eventfds never wait, and asynchronous I/O (io_submit(2), `IOCB_FLAG_RESFD`) is a way to have one: the kernel
//! reads no bytes of a file of ours, and signals the eventfd when that is done, which is at once.

use rustix::fd::{AsRawFd, OwnedFd};
use rustix::fs::MemfdFlags;
use rustix::io::Errno;
use std::ffi::c_long;
use std::ptr;

/// `IOCB_CMD_PREAD` of linux/aio_abi.h.
const COMMAND_READ: u16 = 0;
/// `IOCB_FLAG_RESFD` of linux/aio_abi.h.
const FLAG_SIGNAL: u32 = 1;
/// `struct io_event` of linux/aio_abi.h.
const EVENT_WORDS: usize = 4;

/// An interrupt vector of a virtual machine.
#[derive(Debug)]
pub struct Interrupt {
    eventfd: OwnedFd,
    /// A file to read nothing from.
    file: OwnedFd,
    /// The kernel's `aio_context_t`, made by `io_setup` and not destroyed before the drop.
    context: libc::c_ulong,
}

impl Interrupt {
    /// Of an eventfd.
    ///
    /// # Errors
    /// The kernel has no asynchronous I/O, or no memory or descriptors.
    pub fn new(eventfd: OwnedFd) -> Result<Interrupt, Errno> {
        let file = rustix::fs::memfd_create("blink-interrupt", MemfdFlags::CLOEXEC)?;
        let mut context: libc::c_ulong = 0;
        let requests: c_long = 1;
        // SAFETY: `io_setup` writes an `aio_context_t`, an unsigned long, to its second argument, which is one,
        // zero before as it wants.
        let result = unsafe { libc::syscall(libc::SYS_io_setup, requests, &raw mut context) };
        check(result)?;
        Ok(Interrupt { eventfd, file, context })
    }

    /// Adds 1.
    ///
    /// # Errors
    /// The kernel says no.
    pub fn signal(&self) -> Result<(), Errno> {
        let descriptor = |fd: &OwnedFd| u32::try_from(fd.as_raw_fd()).map_err(|_| Errno::BADF);
        let mut byte = 0_u8;
        // SAFETY: all of an `iocb` are numbers, for which zero is a value.
        let mut request: libc::iocb = unsafe { std::mem::zeroed() };
        request.aio_lio_opcode = COMMAND_READ;
        request.aio_fildes = descriptor(&self.file)?;
        request.aio_buf = u64::try_from((&raw mut byte).addr()).unwrap_or(0);
        request.aio_flags = FLAG_SIGNAL;
        request.aio_resfd = descriptor(&self.eventfd)?;
        let mut requests = [&raw mut request];
        let count: c_long = 1;
        // SAFETY: `context` is alive; the array has one pointer to a request that lives longer than the call. A
        // read from memory is finished within the call, and it reads no bytes, so nothing is written to `byte`.
        let result =
            unsafe { libc::syscall(libc::SYS_io_submit, self.context, count, requests.as_mut_ptr()) };
        check(result)?;
        // Takes the completion, or the context would be full after some; its result is of no interest.
        let mut events = [[0_u64; EVENT_WORDS]; 4];
        let (least, most): (c_long, c_long) = (0, 4);
        let at_once = libc::timespec { tv_sec: 0, tv_nsec: 0 };
        // SAFETY: `context` is alive; `events` has room for four `io_event`s of four 64-bit words; the time is a
        // `timespec` that lives longer than the call.
        let result = unsafe {
            libc::syscall(
                libc::SYS_io_getevents,
                self.context,
                least,
                most,
                events.as_mut_ptr(),
                ptr::from_ref(&at_once),
            )
        };
        check(result)
    }
}

impl Drop for Interrupt {
    fn drop(&mut self) {
        // SAFETY: `context` was made by `io_setup` and is not used after this.
        let result = unsafe { libc::syscall(libc::SYS_io_destroy, self.context) };
        debug_assert_eq!(result, 0, "the context was there");
    }
}

fn check(result: c_long) -> Result<(), Errno> {
    if result >= 0 {
        return Ok(());
    }
    let error = std::io::Error::last_os_error();
    Err(Errno::from_io_error(&error).unwrap_or(Errno::INVAL))
}

#[cfg(test)]
mod tests {
    use super::*;
    use rustix::event::{EventfdFlags, eventfd};
    use rustix::io::{fcntl_dupfd_cloexec, read, write};

    fn count(fd: &OwnedFd) -> u64 {
        let mut bytes = [0; 8];
        read(fd, &mut bytes).map_or(0, |_| u64::from_ne_bytes(bytes))
    }

    #[test]
    fn signals_are_counted() {
        let ours = eventfd(0, EventfdFlags::NONBLOCK).unwrap();
        let interrupt = Interrupt::new(fcntl_dupfd_cloexec(&ours, 0).unwrap()).unwrap();
        assert_eq!(count(&ours), 0);
        for _ in 0..1000 {
            interrupt.signal().unwrap();
        }
        assert_eq!(count(&ours), 1000);
    }

    /// A `write` would wait for ever here.
    #[test]
    fn a_full_eventfd_that_waits_holds_nobody_up() {
        let ours = eventfd(0, EventfdFlags::empty()).unwrap();
        write(&ours, &(u64::MAX - 1).to_ne_bytes()).unwrap();
        let interrupt = Interrupt::new(fcntl_dupfd_cloexec(&ours, 0).unwrap()).unwrap();
        for _ in 0..3 {
            interrupt.signal().unwrap();
        }
        assert!(count(&ours) >= u64::MAX - 1);
        interrupt.signal().unwrap();
        assert_eq!(count(&ours), 1, "it works again when somebody has read it");
    }
}
