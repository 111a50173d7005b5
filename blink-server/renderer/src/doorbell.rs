//! How a client rings.

use rustix::fd::{AsFd, BorrowedFd, OwnedFd};
use xen::channel::EventChannel;

/// What a client rings. Readable when it does.
#[derive(Debug)]
pub enum Doorbell {
    /// Of a process or of QEMU. It is watched edge by edge and never read, which the other side could make wait.
    Eventfd(OwnedFd),
    /// Of a guest of Xen, which has no part in our end of it.
    Channel(EventChannel),
}

impl Doorbell {
    /// It was heard: it can be rung again.
    pub fn heard(&self) {
        match self {
            Doorbell::Eventfd(_) => {}
            Doorbell::Channel(channel) => {
                // The kernel masks a port until it is told that the event was seen.
                if let Err(error) = channel.take() {
                    log::error!("a domain is not heard any more: {error}");
                }
            }
        }
    }
}

impl AsFd for Doorbell {
    fn as_fd(&self) -> BorrowedFd<'_> {
        match self {
            Doorbell::Eventfd(fd) => fd.as_fd(),
            Doorbell::Channel(channel) => channel.as_fd(),
        }
    }
}
