//! Where a server is found.

use crate::Error;
use crate::transport::ivshmem::{self, SCHEME};
use crate::transport::local;
#[cfg(feature = "xen")]
use crate::transport::xen;
use alloc::borrow::ToOwned;
use alloc::string::String;
use blinkgl::local::{DISPLAY_VARIABLE, SOCKET_NAME};
use rustix::fs::{FileType, Mode};
use std::env;
use std::path::{Path, PathBuf};

/// Where an agent of a virtual machine waits for the machine's applications, unless told otherwise.
pub const AGENT_SOCKET: &str = "/run/blink-agent";

/// Where anybody may make a directory, so that another user may have made the one where a server is looked for.
const TMP: &str = "/tmp";
/// What the name of a user's directory there begins with; the user's number follows.
const TMP_PREFIX: &str = "blink-";

/// Where a client finds its server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Address {
    /// A socket on this machine.
    Socket(PathBuf),
    /// A device of this virtual machine: the one at this address on the PCI bus, or the only one.
    Ivshmem(Option<String>),
    /// The device of this domain of Xen.
    #[cfg(feature = "xen")]
    Xen,
}

impl Address {
    /// What `BLINK_DISPLAY` says: `ivshmem`, `ivshmem:0000:00:04.0`, `xen`, or a socket's path. Without it, the first that
    /// is there of: a socket at the default path, an [agent's](AGENT_SOCKET), this virtual machine's device.
    #[must_use]
    pub fn of_display() -> Address {
        if let Some(address) = Address::named() {
            return address;
        }
        let path = default_path();
        let agent: &Path = AGENT_SOCKET.as_ref();
        // XenStore is asked only if nothing else is there: it may take seconds not to answer.
        #[cfg(feature = "xen")]
        let may_have_device = ivshmem::is_there() || xen::may_be_there();
        #[cfg(not(feature = "xen"))]
        let may_have_device = ivshmem::is_there();
        // A server that is dead may have left its socket: it is looked at if there is something else.
        let is_alone = !agent.exists() && !may_have_device;
        if path.exists() && (is_alone || local::is_listening(&path)) {
            Address::Socket(path)
        } else if local::is_listening(agent) {
            Address::Socket(AGENT_SOCKET.into())
        } else {
            Address::of_device().unwrap_or(Address::Socket(path))
        }
    }

    /// The device of this virtual machine, if it has one.
    #[must_use]
    pub fn of_device() -> Option<Address> {
        if ivshmem::is_there() {
            return Some(Address::Ivshmem(None));
        }
        #[cfg(feature = "xen")]
        if xen::is_there() {
            return Some(Address::Xen);
        }
        None
    }

    /// What `BLINK_DISPLAY` says, if it says anything.
    fn named() -> Option<Address> {
        let address = env::var_os(DISPLAY_VARIABLE).filter(|address| !address.is_empty())?;
        Some(match address.to_str() {
            Some(text) => Address::parse(text),
            None => Address::Socket(address.into()),
        })
    }

    fn parse(text: &str) -> Address {
        #[cfg(feature = "xen")]
        if text == xen::SCHEME {
            return Address::Xen;
        }
        match text.strip_prefix(SCHEME) {
            Some("") => Address::Ivshmem(None),
            Some(rest) => match rest.strip_prefix(':') {
                Some(slot) => Address::Ivshmem(Some(slot.to_owned())),
                None => Address::Socket(text.into()),
            },
            None => Address::Socket(text.into()),
        }
    }
}

/// Path of the server's socket: `BLINK_DISPLAY` if it names one, else [`default_path`].
#[must_use]
pub fn display_path() -> PathBuf {
    match Address::named() {
        Some(Address::Socket(path)) => path,
        Some(Address::Ivshmem(_)) | None => default_path(),
        #[cfg(feature = "xen")]
        Some(Address::Xen) => default_path(),
    }
}

/// Path of the server's socket where none is named: `blink-0` in `XDG_RUNTIME_DIR`, or in a directory
/// of the user's own under `/tmp`.
#[must_use]
pub fn default_path() -> PathBuf {
    match env::var_os("XDG_RUNTIME_DIR").filter(|path| Path::new(path).is_absolute()) {
        Some(directory) => PathBuf::from(directory).join(SOCKET_NAME),
        None => {
            let user = rustix::process::getuid().as_raw();
            Path::new(TMP).join(format!("{TMP_PREFIX}{user}")).join(SOCKET_NAME)
        }
    }
}

/// Checks that nobody else sits where the server's socket is looked for: `/tmp/blink-UID` must be a directory of that user, and
/// of nobody else. Other directories are the business of whoever names them.
///
/// # Errors
/// Another user made it, or could get in.
pub fn check_directory(socket: &Path) -> Result<(), Error> {
    let Some((directory, user)) = owned_directory(socket) else { return Ok(()) };
    // Without it, there is no socket either, and that is told.
    let Ok(stat) = rustix::fs::lstat(directory) else { return Ok(()) };
    let problem = if FileType::from_raw_mode(stat.st_mode) != FileType::Directory {
        "it is no directory"
    } else if stat.st_uid != user {
        "another user made it"
    } else if Mode::from_raw_mode(stat.st_mode).intersects(Mode::RWXG | Mode::RWXO) {
        "its mode is not 0700"
    } else {
        return Ok(());
    };
    Err(Error::Untrusted { path: directory.to_owned(), problem })
}

/// The socket's directory and the user whose name it bears, if it is such a one.
fn owned_directory(socket: &Path) -> Option<(&Path, u32)> {
    let directory = socket.parent()?;
    let user = directory.file_name()?.to_str()?.strip_prefix(TMP_PREFIX)?.parse().ok()?;
    (directory.parent() == Some(Path::new(TMP))).then_some((directory, user))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::DirBuilderExt;

    #[test]
    fn the_directory_of_another_is_not_used() {
        assert_eq!(owned_directory(Path::new("/tmp/blink-7/blink-0")), Some((Path::new("/tmp/blink-7"), 7)));
        for other in ["/tmp/blink-x/blink-0", "/run/blink-7/blink-0", "/tmp/a/blink-7/s", "blink-0", "/tmp/s"]
        {
            assert_eq!(owned_directory(Path::new(other)), None, "{other}");
        }
        // Numbers that no user of this machine has, and no other test.
        let base = 3_000_000_000 + std::process::id();
        let own = rustix::process::getuid().as_raw();
        let make = |number: u32, mode| {
            let directory = PathBuf::from(format!("/tmp/blink-{number}"));
            std::fs::DirBuilder::new().mode(mode).create(&directory).unwrap();
            let checked = check_directory(&directory.join("blink-0"));
            std::fs::remove_dir(&directory).unwrap();
            checked
        };
        assert_ne!(base, own);
        let error = make(base, 0o700).unwrap_err().to_string();
        assert!(error.contains("another user made it"), "{error}");
        assert!(check_directory(Path::new("/tmp/blink-4294967290/blink-0")).is_ok(), "there is none");
        let link = format!("/tmp/blink-{}", base + 1);
        std::os::unix::fs::symlink("/tmp", &link).unwrap();
        let error = check_directory(&Path::new(&link).join("blink-0")).unwrap_err().to_string();
        std::fs::remove_file(&link).unwrap();
        assert!(error.contains("it is no directory"), "{error}");
    }

    #[test]
    fn addresses_are_sockets_or_devices() {
        assert_eq!(Address::parse("ivshmem"), Address::Ivshmem(None));
        assert_eq!(Address::parse("ivshmem:0000:00:04.0"), Address::Ivshmem(Some("0000:00:04.0".into())));
        #[cfg(feature = "xen")]
        assert_eq!(Address::parse("xen"), Address::Xen);
        for path in ["/run/blink-0", "ivshmem-socket", "./ivshmem", "x", "xen-socket", "./xen"] {
            assert_eq!(Address::parse(path), Address::Socket(path.into()));
        }
    }
}
