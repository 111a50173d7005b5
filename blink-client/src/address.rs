//! Where a server is found.

use blinkgl::local::{DISPLAY_VARIABLE, SOCKET_NAME};
use std::env;
use std::path::{Path, PathBuf};

/// Path of the server's socket: `BLINK_DISPLAY`, else [`default_path`].
#[must_use]
pub fn display_path() -> PathBuf {
    env::var_os(DISPLAY_VARIABLE).filter(|path| !path.is_empty()).map_or_else(default_path, PathBuf::from)
}

/// Path of the server's socket where none is named: `blink-0` in `XDG_RUNTIME_DIR`, or in a directory
/// of the user's own under `/tmp`.
#[must_use]
pub fn default_path() -> PathBuf {
    match env::var_os("XDG_RUNTIME_DIR").filter(|path| Path::new(path).is_absolute()) {
        Some(directory) => PathBuf::from(directory).join(SOCKET_NAME),
        None => {
            let user = rustix::process::getuid().as_raw();
            Path::new("/tmp").join(format!("blink-{user}")).join(SOCKET_NAME)
        }
    }
}
