//! How a client is woken. Nothing of it ever waits for the client.

use super::interrupt::Interrupt;
use rustix::fd::OwnedFd;
use rustix::io::Errno;
use rustix::net::{SendFlags, sockopt};
use xen::channel::{ChannelError, EventChannel};

/// The ways to wake a client.
#[derive(Debug)]
pub struct Wake {
    way: Way,
    /// The serial port of a virtual machine whose guest has no interrupts.
    port: Option<OwnedFd>,
}

#[derive(Debug)]
enum Way {
    Socket(OwnedFd),
    Interrupt(Interrupt),
    Channel(EventChannel),
}

impl Wake {
    /// By what the broker sends: a process's socket, or a virtual machine's eventfd.
    ///
    /// # Errors
    /// An eventfd can't be used.
    pub fn new(fd: OwnedFd) -> Result<Wake, Errno> {
        let way = match sockopt::socket_type(&fd) {
            Ok(_) => Way::Socket(fd),
            Err(Errno::NOTSOCK) => Way::Interrupt(Interrupt::new(fd)?),
            Err(error) => return Err(error),
        };
        Ok(Wake { way, port: None })
    }

    /// By the event channel of a guest of Xen, of this port on our side.
    ///
    /// # Errors
    /// It is no such descriptor.
    pub fn by_channel(fd: OwnedFd, port: u32) -> Result<Wake, ChannelError> {
        Ok(Wake { way: Way::Channel(EventChannel::of_parts(fd, port)?), port: None })
    }

    /// Wakes by this stream socket too.
    pub fn add_port(&mut self, port: OwnedFd) {
        self.port = Some(port);
    }

    /// Wakes the client.
    pub fn wake(&mut self) {
        match &self.way {
            Way::Socket(socket) => {
                // Full: the client has wakes to take already. Closed: the broker will tell.
                let _sent = send(socket);
            }
            Way::Interrupt(interrupt) => {
                if let Err(error) = interrupt.signal() {
                    log::error!("a VM can't be interrupted: {error}");
                }
            }
            Way::Channel(channel) => {
                if let Err(error) = channel.notify() {
                    log::error!("a domain can't be notified: {error}");
                }
            }
        }
        if let Some(port) = &self.port
            && matches!(send(port), Err(Errno::PIPE | Errno::CONNRESET))
        {
            self.port = None;
        }
    }
}

/// A send that never waits, whatever flags the other side set on its end.
fn send(socket: &OwnedFd) -> Result<usize, Errno> {
    rustix::net::send(socket, &[1], SendFlags::DONTWAIT | SendFlags::NOSIGNAL)
}
