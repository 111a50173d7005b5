//! The local transport: a server on the same machine, or an agent of this virtual machine, see [`blinkgl::local`].

use super::{Part, Transport, Wake, check_header, map};
use crate::address::check_directory;
use crate::seqpacket::{self, Received};
use crate::{Error, Options};
use blinkgl::local::{Answer, HELLO_SECONDS, Hello, WELCOME_DESCRIPTORS};
use blinkgl::shm::Shm;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fd::{AsFd, BorrowedFd, OwnedFd};
use rustix::io::Errno;
use rustix::net::{AddressFamily, RecvFlags, SocketAddrUnix, SocketFlags, SocketType};
use std::path::Path;
use std::time::{Duration, Instant};

/// A connection to a server on the same machine, or to an agent.
#[derive(Debug)]
pub struct Local {
    socket: OwnedFd,
    doorbell: OwnedFd,
    wake: OwnedFd,
    memory: Shm,
    client: u32,
    /// What of the memory an agent gave.
    part: Option<Part>,
}

impl Local {
    /// Connects to the server whose socket is at `path`.
    ///
    /// # Errors
    /// There is none, or it refuses.
    pub fn connect(path: &Path, options: &Options) -> Result<Local, Error> {
        check_directory(path)?;
        let socket = dial(path).map_err(|source| Error::NoServer { path: path.to_owned(), source })?;
        let bytes = u64::try_from(options.bytes.unwrap_or(0)).unwrap_or(u64::MAX);
        let greeted = seqpacket::send(socket.as_fd(), &Hello::new(&options.name, bytes).encode(), &[]);
        // A server that is full refuses and closes without a look at the Hello: its answer counts.
        let (packet, fds) = match (answer(&socket), greeted) {
            (Ok(answer), _) => answer,
            (Err(_), Err(error)) => return Err(error.into()),
            (Err(error), Ok(())) => return Err(error),
        };
        let descriptors = || {
            let count = fds.len();
            <[OwnedFd; WELCOME_DESCRIPTORS]>::try_from(fds).map_err(|_| Error::Descriptors(count))
        };
        let (version, client, memory, doorbell, wake, part) = match Answer::decode(&packet)? {
            Answer::Refused { reason } => return Err(Error::Refused(reason)),
            Answer::Welcome { version, client, bytes } => {
                let [memory, doorbell, wake] = descriptors()?;
                (version, client, map::map(&memory, bytes)?, doorbell, wake, None)
            }
            Answer::Part { version, client, bytes, offset, first_page, pages, entry } => {
                let [memory, doorbell, wake] = descriptors()?;
                let memory = map::map_shared(&memory, offset, bytes)?;
                let part = checked_part(&memory, first_page, pages, entry)?;
                (version, client, memory, doorbell, wake, Some(part))
            }
        };
        let found = check_header(&memory)?;
        if found != version {
            return Err(Error::Aperture(format!(
                "its layout is version {found:#x}, the server announced {version:#x}"
            )));
        }
        Ok(Local { socket, doorbell, wake, memory, client, part })
    }

    /// Readable when the server has something to say, for a client with a loop of its own: then call
    /// [`Transport::wait`] with a timeout of zero.
    #[must_use]
    pub fn wake_descriptor(&self) -> BorrowedFd<'_> {
        self.wake.as_fd()
    }
}

impl Local {
    /// Empties the wake-up: what it said, if anything.
    fn take_wakes(&self) -> Result<Option<Wake>, Error> {
        let mut said = None;
        loop {
            match rustix::net::recv(&self.wake, &mut [0_u8; 1], RecvFlags::DONTWAIT) {
                // Events first, also if the server is gone: the next wait tells that.
                Ok((_, 0)) | Err(Errno::CONNRESET) => return Ok(said.or(Some(Wake::ServerGone))),
                Ok(_) => said = Some(Wake::Events),
                Err(Errno::INTR) => {}
                // Another thread that waits may have been faster.
                Err(Errno::AGAIN) => return Ok(said),
                Err(source) => return Err(Error::System { doing: "reading the wake-up", source }),
            }
        }
    }
}

fn dial(path: &Path) -> Result<OwnedFd, Errno> {
    let socket =
        rustix::net::socket_with(AddressFamily::UNIX, SocketType::SEQPACKET, SocketFlags::CLOEXEC, None)?;
    rustix::net::connect(&socket, &SocketAddrUnix::new(path)?)?;
    Ok(socket)
}

/// Does anybody listen at `path`? A socket's file may be left of one that is dead.
pub(crate) fn is_listening(path: &Path) -> bool {
    path.exists() && check_directory(path).is_ok() && dial(path).is_ok()
}

/// The part that an agent gives, if there is such a part.
fn checked_part(memory: &Shm, first_page: u32, pages: u32, entry: u32) -> Result<Part, Error> {
    let whole = Part::whole(memory);
    let end = first_page.checked_add(pages).filter(|&end| end <= whole.pages.end);
    let entry = usize::try_from(entry).ok().filter(|entry| whole.entries.contains(entry));
    match (end, entry) {
        (Some(end), Some(entry)) if first_page >= whole.pages.start => {
            Ok(Part { entries: entry..entry + 1, pages: first_page..end })
        }
        (..) => Err(Error::Aperture(format!(
            "the agent gives {pages} pages from {first_page} on and entry {entry:?}, which it has not"
        ))),
    }
}

/// The server's answer to the Hello.
fn answer(socket: &OwnedFd) -> Result<(Vec<u8>, Vec<OwnedFd>), Error> {
    // The server gives a client so long; it may be busy with others as long again.
    let seconds = 2 * HELLO_SECONDS;
    let end = Instant::now() + Duration::from_secs(seconds);
    loop {
        match seqpacket::receive(socket.as_fd())? {
            Received::Message(packet, fds) => return Ok((packet, fds)),
            Received::Closed => return Err(Error::HungUp),
            Received::Nothing => {}
        }
        let left = end.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Err(Error::NoAnswer(seconds));
        }
        wait_for(&mut [PollFd::new(socket, PollFlags::IN)], Some(left))?;
    }
}

/// Waits for one of `fds`; false: the time is up.
fn wait_for(fds: &mut [PollFd<'_>], timeout: Option<Duration>) -> Result<bool, Error> {
    // A time beyond what the clock can hold is for ever.
    let end = timeout.and_then(|t| Instant::now().checked_add(t));
    loop {
        let left = end.map(|e| e.saturating_duration_since(Instant::now()));
        let left = left.map(|d| Timespec {
            tv_sec: i64::try_from(d.as_secs()).unwrap_or(i64::MAX),
            tv_nsec: i64::from(d.subsec_nanos()),
        });
        match poll(fds, left.as_ref()) {
            Ok(count) => return Ok(count > 0),
            Err(Errno::INTR) => {}
            Err(source) => return Err(Error::System { doing: "waiting", source }),
        }
    }
}

impl Transport for Local {
    fn memory(&self) -> &Shm {
        &self.memory
    }

    fn part(&self) -> Part {
        self.part.clone().unwrap_or_else(|| Part::whole(&self.memory))
    }

    fn ring(&self) {
        // A doorbell whose count is full (`EAGAIN`) has been rung: nothing is lost.
        let _rung = rustix::io::write(&self.doorbell, &1_u64.to_ne_bytes());
    }

    fn wait(&self, timeout: Option<Duration>) -> Result<Wake, Error> {
        loop {
            let mut fds = [PollFd::new(&self.wake, PollFlags::IN), PollFd::new(&self.socket, PollFlags::IN)];
            if !wait_for(&mut fds, timeout)? {
                return Ok(Wake::Timeout);
            }
            if fds[0].revents().contains(PollFlags::IN)
                && let Some(wake) = self.take_wakes()?
            {
                return Ok(wake);
            }
            match seqpacket::receive(self.socket.as_fd()) {
                Ok(Received::Closed) => return Ok(Wake::ServerGone),
                // Nothing of this version comes here; a later one may send what old clients need not know.
                Ok(Received::Message(..) | Received::Nothing) => {}
                Err(error) if error.is_fatal() => return Err(error.into()),
                Err(_) => {}
            }
        }
    }

    fn client(&self) -> u32 {
        self.client
    }

    fn now(&self) -> Option<u64> {
        // An agent's server is on another machine.
        self.part.is_none().then(crate::now)
    }

    fn describe(&self) -> String {
        if self.part.is_some() { "an agent of this machine" } else { "a server on this machine" }.into()
    }
}
