//! How a client is woken. Nothing of it ever waits for the client.

use ipc::Owner;
use rustix::fd::OwnedFd;
use rustix::io::{Errno, IoSlice};
use rustix::net::{SendAncillaryBuffer, SendFlags};
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
    /// A virtual machine's interrupt: QEMU has the other end.
    Eventfd(OwnedFd),
    Channel(EventChannel),
}

impl Wake {
    /// By what the broker sends: a process's socket, or a virtual machine's eventfd.
    #[must_use]
    pub fn new(fd: OwnedFd, owner: Owner) -> Wake {
        let way = match owner {
            Owner::User(_) => Way::Socket(fd),
            Owner::Machine(_) => Way::Eventfd(fd),
        };
        Wake { way, port: None }
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
            Way::Eventfd(eventfd) => {
                // The broker made it so that a full one does not wait. A QEMU that changes that holds up the renderer of its
                // own virtual machine, and nobody else.
                match rustix::io::write(eventfd, &1_u64.to_ne_bytes()) {
                    Ok(_) | Err(Errno::AGAIN) => {}
                    Err(error) => log::error!("a VM can't be interrupted: {error}"),
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

/// A send that never waits, whatever flags the other side set on its end. By `sendmsg`, the one call to send by that the
/// sandbox allows.
fn send(socket: &OwnedFd) -> Result<usize, Errno> {
    let mut control = SendAncillaryBuffer::default();
    rustix::net::sendmsg(
        socket,
        &[IoSlice::new(&[1])],
        &mut control,
        SendFlags::DONTWAIT | SendFlags::NOSIGNAL,
    )
}
