//! A virtio-serial port that the server writes to when there is something to say.

use super::polling::{Polling, has_events};
use crate::Error;
use crate::transport::Wake;
use blinkgl::shm::Shm;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fd::{AsFd, BorrowedFd, OwnedFd};
use rustix::fs::{Mode, OFlags};
use rustix::io::Errno;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// The port's name, as QEMU's option says it.
pub(super) const NAME: &str = "org.blink.wake";

/// The port.
#[derive(Debug)]
pub(super) struct Port {
    file: OwnedFd,
    path: PathBuf,
}

impl Port {
    /// Takes the port of our name, if there is one.
    pub fn find(root: &Path) -> Option<Port> {
        let ports = std::fs::read_dir(root.join("sys/class/virtio-ports")).ok()?;
        ports.filter_map(Result::ok).find_map(|entry| {
            let name = std::fs::read_to_string(entry.path().join("name")).ok()?;
            if name.trim() != NAME {
                return None;
            }
            let path = root.join("dev").join(entry.file_name());
            let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::CLOEXEC;
            match rustix::fs::open(&path, flags, Mode::empty()) {
                Ok(file) => Some(Port { file, path }),
                Err(error) => {
                    log::warn!("the port {} can't be used: {error}", path.display());
                    None
                }
            }
        })
    }

    /// Its device file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Readable when the server has written; `None`: nobody is at its other end.
    pub fn descriptor(&self) -> Option<BorrowedFd<'_>> {
        match self.poll(Some(Duration::ZERO)) {
            Ok(Polled::NobodyThere) => None,
            Ok(Polled::Readable | Polled::Timeout) | Err(_) => Some(self.file.as_fd()),
        }
    }

    /// Waits until the server writes; while nobody is at its other end, until there are events.
    pub fn wait(&self, memory: &Shm, timeout: Option<Duration>) -> Result<Wake, Error> {
        let mut polling = Polling::new(timeout);
        loop {
            // What came before events were taken the last time says nothing new, but one wait too many is none too few.
            if self.take()? || has_events(memory)? {
                return Ok(Wake::Events);
            }
            match self.poll(polling.left())? {
                Polled::Readable => {}
                Polled::Timeout => return Ok(Wake::Timeout),
                Polled::NobodyThere => match polling.next_pause() {
                    Some(pause) => std::thread::sleep(pause),
                    None => return Ok(Wake::Timeout),
                },
            }
        }
    }

    fn poll(&self, timeout: Option<Duration>) -> Result<Polled, Error> {
        let time = timeout.and_then(|timeout| Timespec::try_from(timeout).ok());
        let mut fds = [PollFd::new(&self.file, PollFlags::IN)];
        match poll(&mut fds, time.as_ref()) {
            Ok(0) => Ok(Polled::Timeout),
            Ok(_) if fds[0].revents().contains(PollFlags::IN) => Ok(Polled::Readable),
            Ok(_) => Ok(Polled::NobodyThere),
            Err(Errno::INTR) => Ok(Polled::Readable),
            Err(source) => Err(Error::System { doing: "waiting for the serial port", source }),
        }
    }

    /// Takes all that is there. True: there was something.
    pub fn take(&self) -> Result<bool, Error> {
        let mut some = false;
        loop {
            match rustix::io::read(&self.file, &mut [0_u8; 64]) {
                // Nobody at the other end.
                Ok(0) | Err(Errno::AGAIN) => return Ok(some),
                Ok(_) => some = true,
                Err(Errno::INTR) => {}
                Err(source) => return Err(Error::System { doing: "reading the serial port", source }),
            }
        }
    }
}

/// What a look at the port found.
enum Polled {
    Readable,
    Timeout,
    NobodyThere,
}
