//! Event channels: one bit each way between two domains.

use crate::ioctl;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fd::{AsFd, BorrowedFd, OwnedFd};
use rustix::fs::OFlags;
use rustix::io::Errno;
use std::path::Path;
use std::time::Duration;

/// The device of which each descriptor here has one port.
pub const DEVICE: &str = "/dev/xen/evtchn";

/// Binding leaves an event, which the kernel delivers as an interrupt; on a machine with several processors, that may
/// be a moment later, and while this domain does not run, longer. What came of it later would be taken for the other end's.
const BINDING_EVENT: Duration = Duration::from_millis(500);

/// Why a channel can't be had or used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ChannelError {
    /// The device can't be opened.
    #[error("{DEVICE}: {0}; it needs the module xen-evtchn, and a program the rights of root")]
    Open(Errno),
    /// No port.
    #[error("no event channel for domain {domain}: {source}")]
    Unbound {
        /// The other domain.
        domain: u16,
        /// The system's answer.
        source: Errno,
    },
    /// The other domain's port can't be bound to.
    #[error(
        "port {port} of domain {domain} can't be bound to: {source}; it is not for this domain, or closed"
    )]
    Interdomain {
        /// The other domain.
        domain: u16,
        /// Its port.
        port: u32,
        /// The system's answer.
        source: Errno,
    },
    /// A channel that was there fails.
    #[error("the event channel of port {port}: {source}")]
    Port {
        /// This domain's port.
        port: u32,
        /// The system's answer.
        source: Errno,
    },
}

/// One port, on a descriptor of its own. Given to another process, the descriptor works there with the same port.
#[derive(Debug)]
pub struct EventChannel {
    fd: OwnedFd,
    port: u32,
}

impl EventChannel {
    /// A port to which domain `remote` may bind one of its own.
    ///
    /// # Errors
    /// There is no device, or no port is left.
    pub fn bind_unbound(remote: u16) -> Result<EventChannel, ChannelError> {
        let fd = crate::open(Path::new(DEVICE)).map_err(ChannelError::Open)?;
        let port = ioctl::bind_unbound(fd.as_fd(), remote)
            .map_err(|source| ChannelError::Unbound { domain: remote, source })?;
        Ok(EventChannel { fd, port })
    }

    /// Binds to port `port` that domain `remote` made for this one. The event that this sets by itself is taken: whoever
    /// binds looks once at what there is to be told.
    ///
    /// # Errors
    /// There is no device, or no such port.
    pub fn bind_interdomain(remote: u16, port: u32) -> Result<EventChannel, ChannelError> {
        let fd = crate::open(Path::new(DEVICE)).map_err(ChannelError::Open)?;
        let local = ioctl::bind_interdomain(fd.as_fd(), remote, port)
            .map_err(|source| ChannelError::Interdomain { domain: remote, port, source })?;
        let channel = EventChannel { fd, port: local };
        let time = Timespec::try_from(BINDING_EVENT).ok();
        // Whatever ends it: what is there is taken, and no more is needed.
        let _ready = poll(&mut [PollFd::new(&channel.fd, PollFlags::IN)], time.as_ref());
        channel.take()?;
        Ok(channel)
    }

    /// One that another process made.
    ///
    /// # Errors
    /// The descriptor is of no use.
    pub fn of_parts(fd: OwnedFd, port: u32) -> Result<EventChannel, ChannelError> {
        let failed = |source| ChannelError::Port { port, source };
        let flags = rustix::fs::fcntl_getfl(&fd).map_err(failed)?;
        rustix::fs::fcntl_setfl(&fd, flags | OFlags::NONBLOCK).map_err(failed)?;
        Ok(EventChannel { fd, port })
    }

    /// This domain's port.
    #[must_use]
    pub fn port(&self) -> u32 {
        self.port
    }

    /// The descriptor, for another process.
    #[must_use]
    pub fn into_fd(self) -> OwnedFd {
        self.fd
    }

    /// Sets the event at the other end. If nobody is there, nothing happens.
    ///
    /// # Errors
    /// The descriptor has no such port.
    pub fn notify(&self) -> Result<(), ChannelError> {
        ioctl::notify(self.fd.as_fd(), self.port).map_err(|source| self.failed(source))
    }

    /// Takes the event. True: it was set. The next one makes the descriptor readable again: it is not taken here, as the
    /// other domain may set it as fast as it is taken.
    ///
    /// # Errors
    /// The descriptor is none of the device.
    pub fn take(&self) -> Result<bool, ChannelError> {
        let mut port = [0; 4];
        match rustix::io::retry_on_intr(|| rustix::io::read(&self.fd, &mut port)) {
            Ok(4) => {}
            Ok(_) => return Err(self.failed(Errno::IO)),
            Err(Errno::AGAIN) => return Ok(false),
            Err(source) => return Err(self.failed(source)),
        }
        // The kernel holds the next event back until the port is written back.
        match rustix::io::retry_on_intr(|| rustix::io::write(&self.fd, &port)) {
            Ok(4) => Ok(true),
            Ok(_) => Err(self.failed(Errno::IO)),
            Err(source) => Err(self.failed(source)),
        }
    }

    fn failed(&self, source: Errno) -> ChannelError {
        ChannelError::Port { port: self.port, source }
    }
}

impl AsFd for EventChannel {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rustix::net::{AddressFamily, RecvFlags, SocketFlags, SocketType, recv, send};

    /// A socket in the device's place: what is written to it comes back on the other end.
    fn pair() -> (EventChannel, OwnedFd) {
        let (ours, kernel) =
            rustix::net::socketpair(AddressFamily::UNIX, SocketType::SEQPACKET, SocketFlags::CLOEXEC, None)
                .unwrap();
        (EventChannel::of_parts(ours, 7).unwrap(), kernel)
    }

    #[test]
    fn an_event_is_taken_once_and_its_port_written_back() {
        let (channel, kernel) = pair();
        assert_eq!(channel.take(), Ok(false), "never waits");
        send(&kernel, &7_u32.to_ne_bytes(), rustix::net::SendFlags::empty()).unwrap();
        assert_eq!(channel.take(), Ok(true));
        let mut unmasked = [0; 8];
        assert_eq!(recv(&kernel, &mut unmasked, RecvFlags::DONTWAIT).unwrap().0, 4);
        assert_eq!(unmasked[..4], 7_u32.to_ne_bytes());
        assert_eq!(channel.take(), Ok(false));
    }

    #[test]
    fn whoever_sets_events_without_end_does_not_hold_up_who_takes_one() {
        let (channel, kernel) = pair();
        for _ in 0..3 {
            send(&kernel, &7_u32.to_ne_bytes(), rustix::net::SendFlags::empty()).unwrap();
        }
        assert_eq!(channel.take(), Ok(true));
        let mut unmasked = [0; 64];
        recv(&kernel, &mut unmasked, RecvFlags::DONTWAIT).unwrap();
        assert_eq!(recv(&kernel, &mut unmasked, RecvFlags::DONTWAIT), Err(Errno::AGAIN), "one at a time");
        assert_eq!([channel.take(), channel.take(), channel.take()], [Ok(true), Ok(true), Ok(false)]);
    }

    #[test]
    fn a_device_that_is_gone_is_an_error() {
        let (channel, kernel) = pair();
        drop(kernel);
        assert_eq!(channel.take(), Err(ChannelError::Port { port: 7, source: Errno::IO }));
        assert_eq!(channel.notify(), Err(ChannelError::Port { port: 7, source: Errno::NOTTY }));
        assert_eq!(channel.port(), 7);
    }
}
