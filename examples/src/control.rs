//! Asks a server by its `blinkctl`, as a person would.

use serde_json::Value;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// `blinkctl` for one server.
#[derive(Clone, Debug)]
pub struct Control {
    program: PathBuf,
    socket: PathBuf,
}

/// A window as `blinkctl list` shows it.
#[derive(Clone, Debug, PartialEq)]
pub struct WindowInfo {
    /// Its client's number.
    pub client: u64,
    /// Its name in commands.
    pub id: String,
    /// Its title.
    pub title: String,
    /// Left edge of its content, pixels.
    pub x: u32,
    /// Top edge.
    pub y: u32,
    /// Width.
    pub width: u32,
    /// Height.
    pub height: u32,
    /// Everything that the list says of it.
    pub all: Value,
}

impl Control {
    /// `program` is `blinkctl`, `socket` the server's.
    #[must_use]
    pub fn new(program: &Path, socket: &Path) -> Control {
        Control { program: program.to_owned(), socket: socket.to_owned() }
    }

    /// Runs a command.
    ///
    /// # Errors
    /// It cannot be started, or it fails: with what it says.
    pub fn run(&self, arguments: &[&str]) -> io::Result<String> {
        let Output { status, stdout, stderr } =
            Command::new(&self.program).arg("--socket").arg(&self.socket).args(arguments).output()?;
        if !status.success() {
            let message = String::from_utf8_lossy(&stderr);
            return Err(io::Error::other(format!("blinkctl {}: {}", arguments.join(" "), message.trim())));
        }
        Ok(String::from_utf8_lossy(&stdout).into_owned())
    }

    fn json(&self, arguments: &[&str]) -> io::Result<Value> {
        serde_json::from_str(&self.run(arguments)?).map_err(io::Error::from)
    }

    /// The list of clients.
    ///
    /// # Errors
    /// As [`Control::run`].
    pub fn list(&self) -> io::Result<Value> {
        self.json(&["list", "--json"])
    }

    /// The counters.
    ///
    /// # Errors
    /// As [`Control::run`].
    pub fn stats(&self) -> io::Result<Value> {
        self.json(&["stats", "--json"])
    }

    /// All windows of all clients.
    ///
    /// # Errors
    /// As [`Control::run`].
    pub fn windows(&self) -> io::Result<Vec<WindowInfo>> {
        let list = self.list()?;
        let mut windows = Vec::new();
        for client in list.as_array().into_iter().flatten() {
            let number = client["client"].as_u64().unwrap_or_default();
            for window in client["windows"].as_array().into_iter().flatten() {
                let pixels = |name: &str| {
                    window[name].as_i64().and_then(|value| u32::try_from(value).ok()).unwrap_or_default()
                };
                windows.push(WindowInfo {
                    client: number,
                    id: window["id"].as_str().unwrap_or_default().to_owned(),
                    title: window["title"].as_str().unwrap_or_default().to_owned(),
                    x: pixels("x"),
                    y: pixels("y"),
                    width: pixels("width"),
                    height: pixels("height"),
                    all: window.clone(),
                });
            }
        }
        Ok(windows)
    }

    /// The counters of one client.
    ///
    /// # Errors
    /// As [`Control::run`], or there is no such client.
    pub fn client_stats(&self, client: u64) -> io::Result<Value> {
        let stats = self.stats()?;
        let clients = stats["clients"].as_array().cloned().unwrap_or_default();
        clients
            .into_iter()
            .find(|c| c["client"].as_u64() == Some(client))
            .ok_or_else(|| io::Error::other(format!("blinkctl stats does not show client {client}")))
    }
}
