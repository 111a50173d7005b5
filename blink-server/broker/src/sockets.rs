//! The two sockets that others find the server by, and their files.

use ipc::vm::VmName;
use rustix::fd::{AsFd, BorrowedFd, OwnedFd};
use rustix::fs::{FileType, Mode};
use rustix::io::Errno;
use rustix::net::{AddressFamily, SocketAddrUnix, SocketFlags, SocketType};
use std::ffi::OsString;
use std::path::{Path, PathBuf};

/// Connections that may wait to be accepted.
const BACKLOG: i32 = 64;

/// Why there is no socket.
#[derive(Debug, thiserror::Error)]
pub enum BindError {
    /// Another server has it.
    #[error("a Blink server runs at {} already; stop it with `blinkctl quit`, or choose another --socket", .0.display())]
    Taken(PathBuf),
    /// A file that is none of ours has the name.
    #[error("{} is there and is no socket; remove it, or choose another --socket", .0.display())]
    NoSocket(PathBuf),
    /// The directory belongs to others, or they can write to it.
    #[error("{} is not a directory of this user alone; remove it, or choose another --socket", .0.display())]
    Directory(PathBuf),
    /// The system says no.
    #[error("{}: {source}", path.display())]
    System {
        /// Of what.
        path: PathBuf,
        /// Its answer.
        source: Errno,
    },
}

/// A listening socket whose file goes when it is dropped.
#[derive(Debug)]
pub struct Listener {
    socket: OwnedFd,
    path: PathBuf,
    /// Device and inode of the file, to remove only that one.
    file: (u64, u64),
}

impl Listener {
    /// Listens at `path`, which only this user can reach. A file that a dead server left is replaced.
    ///
    /// # Errors
    /// Another server lives there, something else is there, or the system says no.
    pub fn bind(path: &Path, kind: SocketType) -> Result<Listener, BindError> {
        let system = |source| BindError::System { path: path.to_owned(), source };
        let address = SocketAddrUnix::new(path).map_err(system)?;
        let socket = || {
            let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
            rustix::net::socket_with(AddressFamily::UNIX, kind, flags, None)
        };
        match rustix::fs::lstat(path) {
            Err(Errno::NOENT) => {}
            Err(source) => return Err(system(source)),
            Ok(stat) if FileType::from_raw_mode(stat.st_mode) != FileType::Socket => {
                return Err(BindError::NoSocket(path.to_owned()));
            }
            Ok(_) => match rustix::net::connect(socket().map_err(system)?, &address) {
                // Nobody listens any more.
                Err(Errno::CONNREFUSED) => {
                    log::info!("replacing {}, which a server that died left", path.display());
                    rustix::fs::unlink(path).map_err(system)?;
                }
                // Some other kind of socket, or a server that is too busy to accept.
                Ok(()) | Err(Errno::AGAIN | Errno::PROTOTYPE | Errno::ACCESS) => {
                    return Err(BindError::Taken(path.to_owned()));
                }
                Err(source) => return Err(system(source)),
            },
        }
        let socket = socket().map_err(system)?;
        let before = rustix::process::umask(Mode::RWXG | Mode::RWXO);
        let bound = rustix::net::bind(&socket, &address);
        rustix::process::umask(before);
        bound.map_err(system)?;
        let stat = rustix::fs::lstat(path).map_err(system)?;
        let listener = Listener { socket, path: path.to_owned(), file: (stat.st_dev, stat.st_ino) };
        rustix::net::listen(&listener.socket, BACKLOG).map_err(system)?;
        Ok(listener)
    }

    /// Where it listens.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The next connection; `None`: none waits.
    ///
    /// # Errors
    /// The system has no descriptors left.
    pub fn accept(&self) -> Result<Option<OwnedFd>, Errno> {
        loop {
            match rustix::net::accept_with(&self.socket, SocketFlags::CLOEXEC) {
                Ok(connection) => return Ok(Some(connection)),
                Err(Errno::INTR | Errno::CONNABORTED) => {}
                Err(Errno::AGAIN) => return Ok(None),
                Err(error) => return Err(error),
            }
        }
    }
}

impl AsFd for Listener {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        let ours = rustix::fs::lstat(&self.path).is_ok_and(|s| (s.st_dev, s.st_ino) == self.file);
        if ours && let Err(error) = rustix::fs::unlink(&self.path) {
            log::error!("{} can't be removed: {error}", self.path.display());
        }
    }
}

/// The path of the socket for a virtual machine's device.
#[must_use]
pub fn device_path(socket: &Path, name: &VmName) -> PathBuf {
    let mut path = OsString::from(socket);
    path.push(format!(".vm-{name}"));
    path.into()
}

/// The path of the socket for a virtual machine's serial port, which wakes guests that have no interrupt.
#[must_use]
pub fn port_path(socket: &Path, name: &VmName) -> PathBuf {
    let mut path = OsString::from(socket);
    path.push(format!(".wake-{name}"));
    path.into()
}

/// A directory for sockets that goes, if this server made it and nothing else is in it, when it is dropped.
#[derive(Debug)]
pub struct Directory {
    made: Option<PathBuf>,
}

impl Directory {
    /// Makes the directory of `socket` for this user alone; one that is there must be like that if it is
    /// under `/tmp`, where anybody could have made it first.
    ///
    /// # Errors
    /// It is not this user's, or the system says no.
    pub fn make(socket: &Path) -> Result<Directory, BindError> {
        let Some(path) = socket.parent().filter(|p| !p.as_os_str().is_empty()) else {
            return Ok(Directory { made: None });
        };
        let system = |source| BindError::System { path: path.to_owned(), source };
        match rustix::fs::mkdir(path, Mode::RWXU) {
            Ok(()) => return Ok(Directory { made: Some(path.to_owned()) }),
            Err(Errno::EXIST) => {}
            Err(source) => return Err(system(source)),
        }
        if path.parent() == Some(Path::new("/tmp")) {
            let stat = rustix::fs::lstat(path).map_err(system)?;
            let writable = Mode::from_raw_mode(stat.st_mode).intersects(Mode::WGRP | Mode::WOTH);
            let ours = stat.st_uid == rustix::process::getuid().as_raw();
            if FileType::from_raw_mode(stat.st_mode) != FileType::Directory || !ours || writable {
                return Err(BindError::Directory(path.to_owned()));
            }
        }
        Ok(Directory { made: None })
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        if let Some(path) = &self.made {
            // Not empty: somebody else uses it now.
            let _removed = rustix::fs::rmdir(path);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ipc::control_path;

    #[test]
    fn a_stale_socket_is_replaced_and_a_live_one_respected() {
        let directory = std::env::temp_dir().join(format!("blink-bind-{}", std::process::id()));
        let path = directory.join("s");
        let made = Directory::make(&path).unwrap();
        let listener = Listener::bind(&path, SocketType::SEQPACKET).unwrap();
        assert!(matches!(Listener::bind(&path, SocketType::SEQPACKET), Err(BindError::Taken(_))));
        drop(listener);
        assert!(!path.exists(), "the file goes with the listener");
        // A server that was killed leaves its file.
        let stale = std::os::unix::net::UnixListener::bind(&path).unwrap();
        drop(stale);
        assert!(path.exists());
        let listener = Listener::bind(&path, SocketType::SEQPACKET).unwrap();
        assert_eq!(control_path(&path), directory.join("s.control"));
        drop(listener);
        std::fs::write(&path, "text").unwrap();
        assert!(matches!(Listener::bind(&path, SocketType::SEQPACKET), Err(BindError::NoSocket(_))));
        std::fs::remove_file(&path).unwrap();
        drop(made);
        assert!(!directory.exists());
    }
}
