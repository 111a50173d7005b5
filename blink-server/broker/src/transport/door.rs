//! Doors: the sockets that others find the server by, and their files.

use crate::reactor::{Reactor, Source, Token};
use ipc::vm::{GroupName, SocketMode, VmName};
use os::seqpacket;
use rustix::event::epoll::EventFlags;
use rustix::fd::{AsFd, BorrowedFd, OwnedFd};
use rustix::fs::{FileType, Gid, Mode};
use rustix::io::Errno;
use rustix::net::{AddressFamily, SocketAddrUnix, SocketFlags, SocketType};
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// Connections that may wait to be accepted. Each socket has a queue of its own, so whoever floods the clients' does not keep a
/// `blinkctl` out.
const BACKLOG: i32 = 128;
/// Wait before the next try to accept when the system has no descriptors left.
const ACCEPT_PAUSE: Duration = Duration::from_millis(200);
/// The file with the machine's groups.
const GROUPS: &str = "/etc/group";

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
    #[error("{} is not a directory of this user alone: {problem}; remove it, or choose another --socket", path.display())]
    Directory {
        /// The directory.
        path: PathBuf,
        /// What is wrong with it.
        problem: &'static str,
    },
    /// No group has this name.
    #[error("there is no group `{0}` in {GROUPS}; name one of those, or give its number")]
    Group(GroupName),
    /// The socket's file can't be given to the group.
    #[error("{} can't be given to group `{group}`: {source}; the server's user must be in the group, or root", path.display())]
    Give {
        /// The socket.
        path: PathBuf,
        /// The group.
        group: GroupName,
        /// The system's answer.
        source: Errno,
    },
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

/// Who may connect to a socket beside this user.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Access {
    /// The group that the socket's file belongs to, if another than this process's.
    pub group: Option<GroupName>,
    /// The mode of the file.
    pub mode: SocketMode,
}

impl Listener {
    /// Listens at `path`. A file that a dead server left is replaced.
    ///
    /// # Errors
    /// Another server lives there, something else is there, or the system says no.
    pub fn bind(path: &Path, kind: SocketType, access: &Access) -> Result<Listener, BindError> {
        let group = access.group.as_ref().map(|group| Ok((group, group_id(group)?))).transpose()?;
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
        // Nobody can connect before `listen`.
        if let Some((group, id)) = group {
            let given = rustix::fs::chown(path, None, Some(id));
            given.map_err(|source| BindError::Give {
                path: path.to_owned(),
                group: group.clone(),
                source,
            })?;
        }
        rustix::fs::chmod(path, Mode::from_raw_mode(access.mode.bits())).map_err(system)?;
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

/// The number of a group: what [`GROUPS`] says, or the number itself.
fn group_id(name: &GroupName) -> Result<Gid, BindError> {
    let groups = std::fs::read_to_string(GROUPS).unwrap_or_default();
    let named = groups.lines().find_map(|line| {
        let mut fields = line.split(':');
        (fields.next() == Some(name.as_str())).then(|| fields.nth(1)?.parse().ok()).flatten()
    });
    let id = named.or_else(|| name.as_str().parse().ok()).filter(|&id| id != u32::MAX);
    id.map(Gid::from_raw).ok_or_else(|| BindError::Group(name.clone()))
}

/// A listening socket that is watched.
#[derive(Debug)]
pub struct Door {
    listener: Listener,
    token: Token,
    /// It is not watched until then: the system has no descriptors left, or no connection more can wait.
    again: Option<Instant>,
}

impl Door {
    /// Watches a listening socket. Guests and clients send no descriptors by it, where the kernel can refuse them; `blinkctl`
    /// does, with long requests.
    ///
    /// # Errors
    /// The system has no memory left.
    pub fn open(listener: Listener, source: Source, reactor: &mut Reactor) -> Result<Door, Errno> {
        if source != Source::ControlDoor && !seqpacket::refuse_descriptors(listener.socket.as_fd())? {
            log::info!(
                "before Linux 6.16, a client that sends descriptors can hold up the broker while it closes them"
            );
        }
        let token = reactor.watch(&listener, source, EventFlags::IN)?;
        Ok(Door { listener, token, again: None })
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        self.listener.path()
    }

    /// The next connection; `None`: none waits, or none can be had now.
    pub fn accept(&mut self, reactor: &Reactor) -> Option<OwnedFd> {
        match self.listener.accept() {
            Ok(connection) => connection,
            Err(error) => {
                log::error!("a connection can't be accepted: {error}");
                self.pause(Instant::now() + ACCEPT_PAUSE, reactor);
                None
            }
        }
    }

    /// Lets nobody in until then: connections wait in the system's queue.
    pub fn pause(&mut self, until: Instant, reactor: &Reactor) {
        self.again = Some(until);
        reactor.change(&self.listener, self.token, EventFlags::empty());
    }

    /// When it is to be watched again.
    #[must_use]
    pub fn due(&self) -> Option<Instant> {
        self.again
    }

    /// Watches it again, if it is time.
    pub fn turn(&mut self, now: Instant, reactor: &Reactor) {
        if self.again.is_some_and(|again| again <= now) {
            self.again = None;
            reactor.change(&self.listener, self.token, EventFlags::IN);
        }
    }

    /// Closes it; its file goes.
    pub fn close(self, reactor: &mut Reactor) {
        reactor.forget(&self.listener, self.token);
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
    /// Makes the directory of `socket` for this user alone. One that is there must be like that if it is under `/tmp`, where
    /// anybody could have made it first, to get the Hellos of this user's clients.
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
            let user = rustix::process::getuid().as_raw();
            let stat = rustix::fs::lstat(path).map_err(system)?;
            let is_default = path.file_name() == Some(OsString::from(format!("blink-{user}")).as_os_str());
            if let Some(problem) = Directory::problem(stat.st_mode, stat.st_uid, user, is_default) {
                return Err(BindError::Directory { path: path.to_owned(), problem });
            }
        }
        Ok(Directory { made: None })
    }

    /// What is wrong with a directory that others can reach. The default one is for this user alone; of one that is named,
    /// others may know.
    fn problem(mode: u32, owner: u32, user: u32, is_default: bool) -> Option<&'static str> {
        let others = Mode::from_raw_mode(mode);
        if FileType::from_raw_mode(mode) != FileType::Directory {
            // A symbolic link, most likely: `lstat` does not follow it.
            Some("it is no directory")
        } else if owner != user {
            Some("another user owns it")
        } else if others.intersects(Mode::WGRP | Mode::WOTH) {
            Some("others can write to it")
        } else if is_default && others.intersects(Mode::RWXG | Mode::RWXO) {
            Some("its mode is not 0700")
        } else {
            None
        }
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
        let listener = Listener::bind(&path, SocketType::SEQPACKET, &Access::default()).unwrap();
        assert!(matches!(
            Listener::bind(&path, SocketType::SEQPACKET, &Access::default()),
            Err(BindError::Taken(_))
        ));
        drop(listener);
        assert!(!path.exists(), "the file goes with the listener");
        // A server that was killed leaves its file.
        let stale = std::os::unix::net::UnixListener::bind(&path).unwrap();
        drop(stale);
        assert!(path.exists());
        let listener = Listener::bind(&path, SocketType::SEQPACKET, &Access::default()).unwrap();
        assert_eq!(control_path(&path), directory.join("s.control"));
        drop(listener);
        std::fs::write(&path, "text").unwrap();
        assert!(matches!(
            Listener::bind(&path, SocketType::SEQPACKET, &Access::default()),
            Err(BindError::NoSocket(_))
        ));
        std::fs::remove_file(&path).unwrap();
        drop(made);
        assert!(!directory.exists());
    }

    #[test]
    fn a_directory_of_another_or_for_others_is_refused() {
        let [directory, link] = [FileType::Directory, FileType::Symlink].map(FileType::as_raw_mode);
        let problem = |mode, owner, is_default| Directory::problem(mode, owner, 1000, is_default);
        assert_eq!(problem(directory | 0o700, 1000, true), None);
        assert_eq!(problem(directory | 0o700, 1001, true), Some("another user owns it"));
        assert_eq!(problem(directory | 0o700, 0, true), Some("another user owns it"));
        assert_eq!(problem(link | 0o777, 1000, true), Some("it is no directory"));
        assert_eq!(problem(directory | 0o1777, 1000, true), Some("others can write to it"));
        assert_eq!(problem(directory | 0o755, 1000, true), Some("its mode is not 0700"));
        assert_eq!(problem(directory | 0o755, 1000, false), None);
        assert_eq!(problem(directory | 0o770, 1000, false), Some("others can write to it"));
    }

    #[test]
    fn a_link_is_not_followed() {
        let name = format!("blink-link-{}", std::process::id());
        let (target, link) =
            (std::env::temp_dir().join(format!("{name}-target")), Path::new("/tmp").join(name));
        std::fs::create_dir(&target).unwrap();
        std::os::unix::fs::symlink(&target, &link).unwrap();
        let error = Directory::make(&link.join("s")).unwrap_err().to_string();
        std::fs::remove_file(&link).unwrap();
        std::fs::remove_dir(&target).unwrap();
        assert!(error.contains("it is no directory"), "{error}");
    }

    #[test]
    fn a_socket_has_the_mode_and_the_group_that_it_should() {
        use std::os::unix::fs::MetadataExt;
        let directory = std::env::temp_dir().join(format!("blink-access-{}", std::process::id()));
        let _made = Directory::make(&directory.join("s")).unwrap();
        let path = directory.join("s");
        let mode = || std::fs::symlink_metadata(&path).unwrap().mode() & 0o777;
        let listener = Listener::bind(&path, SocketType::STREAM, &Access::default()).unwrap();
        assert_eq!(mode(), 0o600);
        drop(listener);
        let group = rustix::process::getgid().as_raw();
        let access = Access { group: Some(group.to_string().parse().unwrap()), mode: SocketMode::GROUP };
        let listener = Listener::bind(&path, SocketType::STREAM, &access).unwrap();
        assert_eq!((mode(), std::fs::symlink_metadata(&path).unwrap().gid()), (0o660, group));
        drop(listener);
        assert_eq!(group_id(&"root".parse().unwrap()).unwrap(), Gid::from_raw(0));
        let access = Access { group: Some("no-such-group".parse().unwrap()), mode: SocketMode::GROUP };
        let error = Listener::bind(&path, SocketType::STREAM, &access).unwrap_err().to_string();
        assert!(error.contains("no group `no-such-group`") && !path.exists(), "{error}");
    }
}
