//! Packets with descriptors over a Unix socket of type `SOCK_SEQPACKET`: for the local transport, and
//! for the messages between the server's processes and `blinkctl`.
//!
//! A packet is limited by the socket's buffer (some 200 KiB), and a list of many windows is not. So a
//! body above [`MAX_PACKET`] travels as a memory descriptor, the first one, beside a packet of a single
//! zero byte, which no message of ours is.

use rustix::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use rustix::fs::{MemfdFlags, SealFlags};
use rustix::io::{Errno, IoSlice, IoSliceMut};
use rustix::net::{
    RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, ReturnFlags, SendAncillaryBuffer,
    SendAncillaryMessage, SendFlags,
};
use std::cell::RefCell;
use std::mem::MaybeUninit;

/// Bytes of a message that travel in the packet itself.
pub const MAX_PACKET: usize = 64 << 10;
/// Bytes of a message, at most.
pub const MAX_BODY: usize = 16 << 20;
/// Descriptors beside a message, at most: three of a client, and the body's.
pub const MAX_DESCRIPTORS: usize = 4;

/// The packet whose body is in its first descriptor.
const ELSEWHERE: &[u8] = &[0];

/// Why a message was not sent or not received.
#[derive(Debug, thiserror::Error)]
pub enum SocketError {
    /// The system says no.
    #[error("socket: {0}")]
    System(#[from] Errno),
    /// Larger than a message may be.
    #[error("a message of {0} bytes; {MAX_BODY} is the limit")]
    TooLarge(u64),
    /// The packet was cut off, or more descriptors came with it than any message has.
    #[error(
        "a message was cut off: more than {MAX_PACKET} bytes or {MAX_DESCRIPTORS} descriptors in a packet"
    )]
    Truncated,
    /// A body that should be in a memory descriptor is not.
    #[error("a message's body should be in a memory descriptor, but none came with it")]
    NoBody,
}

impl SocketError {
    /// The connection is of no use any more (as opposed to: this message was bad).
    #[must_use]
    pub fn is_fatal(&self) -> bool {
        matches!(self, SocketError::System(_))
    }
}

/// What [`receive`] found.
#[derive(Debug)]
pub enum Received {
    /// A message and its descriptors.
    Message(Vec<u8>, Vec<OwnedFd>),
    /// Nothing yet.
    Nothing,
    /// The other side closed its end.
    Closed,
}

/// Sends a message; waits for room if the socket is full and blocking.
///
/// # Errors
/// Too large, too many descriptors (`E2BIG`), or the system says no (`EPIPE`: the other side is gone).
pub fn send(socket: BorrowedFd<'_>, bytes: &[u8], fds: &[BorrowedFd<'_>]) -> Result<(), SocketError> {
    transmit(socket, bytes, fds, SendFlags::NOSIGNAL)
}

/// Sends a message; false: the socket is full, nothing was sent.
///
/// # Errors
/// As [`send`].
pub fn try_send(socket: BorrowedFd<'_>, bytes: &[u8], fds: &[BorrowedFd<'_>]) -> Result<bool, SocketError> {
    match transmit(socket, bytes, fds, SendFlags::NOSIGNAL | SendFlags::DONTWAIT) {
        Ok(()) => Ok(true),
        Err(SocketError::System(Errno::AGAIN)) => Ok(false),
        Err(error) => Err(error),
    }
}

fn transmit(
    socket: BorrowedFd<'_>,
    bytes: &[u8],
    fds: &[BorrowedFd<'_>],
    flags: SendFlags,
) -> Result<(), SocketError> {
    if bytes.len() > MAX_BODY {
        return Err(SocketError::TooLarge(u64::try_from(bytes.len()).unwrap_or(u64::MAX)));
    }
    if bytes.len() <= MAX_PACKET && bytes != ELSEWHERE {
        return packet(socket, bytes, fds, flags);
    }
    let body = memory("blink-message", bytes)?;
    let mut all = vec![body.as_fd()];
    all.extend(fds);
    packet(socket, ELSEWHERE, &all, flags)
}

fn packet(
    socket: BorrowedFd<'_>,
    bytes: &[u8],
    fds: &[BorrowedFd<'_>],
    flags: SendFlags,
) -> Result<(), SocketError> {
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(MAX_DESCRIPTORS))];
    let mut control = SendAncillaryBuffer::new(&mut space);
    if !fds.is_empty() && !control.push(SendAncillaryMessage::ScmRights(fds)) {
        return Err(SocketError::System(Errno::TOOBIG));
    }
    loop {
        match rustix::net::sendmsg(socket, &[IoSlice::new(bytes)], &mut control, flags) {
            Ok(_) => return Ok(()),
            Err(Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
    }
}

/// Takes the next message, without waiting.
///
/// # Errors
/// The message is bad (and gone; the next one may be good), or the system says no, see
/// [`SocketError::is_fatal`].
pub fn receive(socket: BorrowedFd<'_>) -> Result<Received, SocketError> {
    ROOM.with_borrow_mut(|room| receive_into(socket, room))
}

/// Takes the next packet of somebody who is not trusted, without waiting: as it is, and without descriptors.
///
/// # Errors
/// As [`receive`].
pub fn receive_from_stranger(socket: BorrowedFd<'_>) -> Result<Received, SocketError> {
    let received = ROOM.with_borrow_mut(|room| receive_packet(socket, room))?;
    Ok(match received {
        Received::Message(bytes, _) => Received::Message(bytes, Vec::new()),
        Received::Nothing | Received::Closed => received,
    })
}

/// Lets no descriptors come by this socket, nor by those that it accepts: whoever sends some is told so (`EPERM`). To close
/// what a stranger sent can take as long as the stranger likes, for example a TCP socket's `SO_LINGER`. False: the kernel is
/// older than Linux 6.16, and does not know this.
///
/// # Errors
/// It is no socket.
pub fn refuse_descriptors(socket: BorrowedFd<'_>) -> Result<bool, Errno> {
    /// `SO_PASSRIGHTS` of asm-generic/socket.h.
    const PASS_RIGHTS: libc::c_int = 83;
    let off: libc::c_int = 0;
    // SAFETY: the kernel reads an integer, whose address and size these are, during the call; the descriptor is open.
    let result = unsafe {
        let length = libc::socklen_t::try_from(size_of_val(&off)).unwrap_or(0);
        libc::setsockopt(
            socket.as_raw_fd(),
            libc::SOL_SOCKET,
            PASS_RIGHTS,
            std::ptr::from_ref(&off).cast(),
            length,
        )
    };
    if result == 0 {
        return Ok(true);
    }
    match Errno::from_io_error(&std::io::Error::last_os_error()) {
        Some(Errno::NOPROTOOPT) => Ok(false),
        error => Err(error.unwrap_or(Errno::INVAL)),
    }
}

thread_local! {
    /// Where a packet is received, kept for its memory: messages are many and short.
    static ROOM: RefCell<Vec<u8>> = RefCell::new(vec![0; MAX_PACKET]);
}

fn receive_into(socket: BorrowedFd<'_>, room: &mut [u8]) -> Result<Received, SocketError> {
    match receive_packet(socket, room)? {
        Received::Message(bytes, mut fds) if bytes == ELSEWHERE => {
            if fds.is_empty() {
                return Err(SocketError::NoBody);
            }
            Ok(Received::Message(body(&fds.remove(0))?, fds))
        }
        received @ (Received::Message(..) | Received::Nothing | Received::Closed) => Ok(received),
    }
}

fn receive_packet(socket: BorrowedFd<'_>, room: &mut [u8]) -> Result<Received, SocketError> {
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(MAX_DESCRIPTORS))];
    let mut control = RecvAncillaryBuffer::new(&mut space);
    let flags = RecvFlags::DONTWAIT | RecvFlags::CMSG_CLOEXEC;
    let result = loop {
        match rustix::net::recvmsg(socket, &mut [IoSliceMut::new(room)], &mut control, flags) {
            Ok(result) => break result,
            // A reset is told once, when the other side closed without reading all; what it sent before
            // is still there.
            Err(Errno::INTR | Errno::CONNRESET) => {}
            Err(Errno::AGAIN) => return Ok(Received::Nothing),
            Err(error) => return Err(error.into()),
        }
    };
    let mut fds = Vec::new();
    for message in control.drain() {
        if let RecvAncillaryMessage::ScmRights(rights) = message {
            fds.extend(rights);
        }
    }
    if result.flags.intersects(ReturnFlags::TRUNC | ReturnFlags::CTRUNC) {
        return Err(SocketError::Truncated);
    }
    let bytes = room.get(..result.bytes).unwrap_or_default().to_vec();
    if bytes.is_empty() {
        return Ok(Received::Closed);
    }
    Ok(Received::Message(bytes, fds))
}

/// A memory descriptor with these bytes, sealed against any change.
///
/// # Errors
/// The system has no memory or no descriptors left.
pub fn memory(name: &str, bytes: &[u8]) -> Result<OwnedFd, Errno> {
    let fd = rustix::fs::memfd_create(name, MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING)?;
    let mut rest = bytes;
    while !rest.is_empty() {
        let written = rustix::io::write(&fd, rest)?;
        rest = rest.get(written..).unwrap_or_default();
    }
    rustix::fs::fcntl_add_seals(
        &fd,
        SealFlags::SHRINK | SealFlags::GROW | SealFlags::WRITE | SealFlags::SEAL,
    )?;
    Ok(fd)
}

/// The bytes of a memory descriptor.
///
/// # Errors
/// It is no sealed memory, or larger than `limit` bytes.
pub fn read_memory(fd: &OwnedFd, limit: usize) -> Result<Vec<u8>, SocketError> {
    // Only memory has seals: reading from a pipe that somebody sends instead could take for ever.
    let seals = rustix::fs::fcntl_get_seals(fd).map_err(|_| SocketError::NoBody)?;
    if !seals.contains(SealFlags::SHRINK | SealFlags::GROW) {
        return Err(SocketError::NoBody);
    }
    let size = u64::try_from(rustix::fs::fstat(fd)?.st_size).unwrap_or(u64::MAX);
    let length = usize::try_from(size).unwrap_or(usize::MAX);
    if length > limit {
        return Err(SocketError::TooLarge(size));
    }
    let mut bytes = vec![0; length];
    let mut at = 0;
    while let Some(rest) = bytes.get_mut(at..).filter(|rest| !rest.is_empty()) {
        match rustix::io::pread(fd, rest, u64::try_from(at).unwrap_or(u64::MAX))? {
            0 => return Err(SocketError::NoBody),
            count => at += count,
        }
    }
    Ok(bytes)
}

fn body(fd: &OwnedFd) -> Result<Vec<u8>, SocketError> {
    read_memory(fd, MAX_BODY)
}

#[cfg(test)]
mod tests {
    use super::*;
    use rustix::net::{AddressFamily, SocketFlags, SocketType, socketpair};

    fn pair() -> (OwnedFd, OwnedFd) {
        socketpair(AddressFamily::UNIX, SocketType::SEQPACKET, SocketFlags::CLOEXEC, None).unwrap()
    }

    #[test]
    fn messages_of_any_size_with_descriptors() {
        let (a, b) = pair();
        let extra = memory("test", b"beside").unwrap();
        for size in [1, 100, MAX_PACKET, MAX_PACKET + 1, 3 << 20] {
            let bytes = vec![0; size];
            send(a.as_fd(), &bytes, &[extra.as_fd()]).unwrap();
            let Received::Message(found, fds) = receive(b.as_fd()).unwrap() else { panic!("nothing came") };
            assert_eq!(found.len(), size);
            assert_eq!(fds.len(), 1);
            assert_eq!(read_memory(&fds[0], 100).unwrap(), b"beside");
        }
        assert!(matches!(receive(b.as_fd()), Ok(Received::Nothing)));
        drop(a);
        assert!(matches!(receive(b.as_fd()), Ok(Received::Closed)));
    }

    #[test]
    fn bad_packets_are_errors_and_the_next_is_good() {
        let (a, b) = pair();
        packet(a.as_fd(), ELSEWHERE, &[], SendFlags::empty()).unwrap();
        let (reader, _writer) = rustix::pipe::pipe().unwrap();
        packet(a.as_fd(), ELSEWHERE, &[reader.as_fd()], SendFlags::empty()).unwrap();
        packet(a.as_fd(), &vec![1; MAX_PACKET + 1], &[], SendFlags::empty()).unwrap();
        send(a.as_fd(), b"good", &[]).unwrap();
        assert!(matches!(receive(b.as_fd()), Err(SocketError::NoBody)));
        assert!(matches!(receive(b.as_fd()), Err(SocketError::NoBody)));
        assert!(matches!(receive(b.as_fd()), Err(SocketError::Truncated)));
        assert!(matches!(receive(b.as_fd()), Ok(Received::Message(m, _)) if m == b"good"));
        assert!(matches!(send(a.as_fd(), &vec![0; MAX_BODY + 1], &[]), Err(SocketError::TooLarge(_))));
    }

    #[test]
    fn a_full_socket_is_told_and_does_not_block() {
        let (a, _b) = pair();
        let mut sent = 0;
        while try_send(a.as_fd(), &[7; 1000], &[]).unwrap() {
            sent += 1;
            assert!(sent < 100_000, "the socket never fills");
        }
        assert!(sent > 0);
    }
}
