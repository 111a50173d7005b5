//! What of Xen a program reaches by `/dev/xen`: the [store] in which domains say what they have for each other, the
//! [channels](channel) by which they wake each other, and the [pages](grants) that they share.
//!
//! The rules of this world:
//!
//! - What another domain wrote, a node's value or a page, is bytes of a stranger: bounded, and checked by whoever reads it.
//! - A domain's memory is shared page by page, each by a *grant reference* that the owner gives to one other domain.
//! - An event channel is one bit each way. Its owner makes a port for one other domain, which binds a port of its own to
//!   it. Nobody is told that the other end closed: notifying goes on to succeed.
//! - When a program ends, however it does, the kernel gives back its ports and grants. A page that another domain has
//!   mapped stays until that one unmaps it.
//!
//! Everything is a file of Linux's drivers (`xen-evtchn`, `xen-gntalloc`, `xen-gntdev`, `xen-privcmd`, `xenbus`). All
//! `unsafe` is in `ioctl`.

pub mod bus;
pub mod channel;
#[cfg(feature = "fake")]
pub mod fake;
pub mod grants;
mod ioctl;
pub mod store;

use rustix::fd::OwnedFd;
use rustix::fs::{Mode, OFlags};
use rustix::io::Errno;
use std::path::Path;

/// Bytes of a page: of a grant, and of everything on x86 and Arm that Xen shares.
pub const PAGE_SIZE: usize = 4096;

/// Opens one of the devices.
fn open(path: &Path) -> Result<OwnedFd, Errno> {
    rustix::fs::open(path, OFlags::RDWR | OFlags::NONBLOCK | OFlags::CLOEXEC, Mode::empty())
}
