//! A QEMU without a machine in it: what its `ivshmem-doorbell` device and a guest's program do, by a socket.
#![allow(dead_code, reason = "each test uses its part")]

use blink_client::transport::check_header;
use blink_client::{Connection, Error, Transport, Wake, agent};
use blink_server::renderer::aperture as mapping;
use blinkgl::layout::aperture;
use blinkgl::shm::{Shm, ShmOffset};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fd::{AsFd, BorrowedFd, OwnedFd};
use rustix::io::IoSliceMut;
use rustix::net::{
    AddressFamily, RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SocketAddrUnix, SocketFlags,
    SocketType,
};
use std::mem::MaybeUninit;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

/// Connects to a stream socket, as QEMU's `-chardev socket,path=...` does.
pub fn connect(path: &Path) -> Result<OwnedFd, rustix::io::Errno> {
    let socket =
        rustix::net::socket_with(AddressFamily::UNIX, SocketType::STREAM, SocketFlags::CLOEXEC, None)?;
    rustix::net::connect(&socket, &SocketAddrUnix::new(path)?)?;
    Ok(socket)
}

/// The next message of the server; `None`: it hung up.
pub fn next_message(socket: &OwnedFd) -> Option<(i64, Option<OwnedFd>)> {
    let mut bytes = [0; 8];
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(4))];
    let mut control = RecvAncillaryBuffer::new(&mut space);
    let received =
        rustix::net::recvmsg(socket, &mut [IoSliceMut::new(&mut bytes)], &mut control, RecvFlags::WAITALL);
    let count = received.map_or(0, |message| message.bytes);
    if count == 0 {
        return None;
    }
    assert_eq!(count, 8, "messages have 8 bytes");
    let mut fds = Vec::new();
    for message in control.drain() {
        if let RecvAncillaryMessage::ScmRights(rights) = message {
            fds.extend(rights);
        }
    }
    assert!(fds.len() <= 1, "QEMU takes one descriptor with a message");
    Some((i64::from_le_bytes(bytes), fds.pop()))
}

/// The device as QEMU has it after the greeting.
#[derive(Debug)]
pub struct Device {
    /// QEMU's end.
    pub socket: OwnedFd,
    /// BAR 2.
    pub memory: Shm,
    pub memory_fd: OwnedFd,
    /// What a write to the doorbell register signals.
    pub doorbell: OwnedFd,
    /// Vector 0.
    pub wake: OwnedFd,
}

impl Device {
    /// Takes the server's greeting.
    pub fn connect(path: &Path) -> Device {
        let socket = connect(path).unwrap();
        let next = || next_message(&socket).expect("the server hung up");
        let plain = |expected: i64| {
            let (number, fd) = next();
            assert_eq!((number, fd.is_none()), (expected, true));
        };
        plain(0);
        plain(1);
        let with = |expected: i64| {
            let (number, fd) = next_message(&socket).expect("the server hung up");
            assert_eq!(number, expected);
            fd.expect("a descriptor")
        };
        let (memory_fd, doorbell, wake) = (with(-1), with(0), with(1));
        let size = rustix::fs::fstat(&memory_fd).unwrap().st_size;
        let memory = mapping::map(&memory_fd, size.try_into().unwrap()).unwrap();
        Device { socket, memory, memory_fd, doorbell, wake }
    }

    /// A guest's program on it.
    pub fn boot(self) -> (Arc<Device>, Connection) {
        check_header(&self.memory).unwrap();
        let device = Arc::new(self);
        let connection = Connection::over(Arc::clone(&device) as Arc<dyn Transport>).unwrap();
        (device, connection)
    }
}

impl agent::Device for Device {
    fn memory_descriptor(&self) -> (BorrowedFd<'_>, u64) {
        (self.memory_fd.as_fd(), 0)
    }

    fn wake_descriptor(&self) -> Option<BorrowedFd<'_>> {
        Some(self.wake.as_fd())
    }

    fn take_wakes(&self) -> Result<(), Error> {
        self.wait(Some(Duration::ZERO)).map(|_| ())
    }
}

impl Transport for Device {
    fn memory(&self) -> &Shm {
        &self.memory
    }

    fn ring(&self) {
        rustix::io::write(&self.doorbell, &1_u64.to_ne_bytes()).unwrap();
    }

    fn wait(&self, timeout: Option<Duration>) -> Result<Wake, Error> {
        let time = timeout.map(|time| Timespec::try_from(time).unwrap());
        let count = poll(&mut [PollFd::new(&self.wake, PollFlags::IN)], time.as_ref()).unwrap();
        if count == 0 {
            return Ok(Wake::Timeout);
        }
        rustix::io::read(&self.wake, &mut [0; 8]).unwrap();
        Ok(Wake::Events)
    }

    fn client(&self) -> u32 {
        self.memory.load(ShmOffset(aperture::CLIENT)).unwrap()
    }
}
