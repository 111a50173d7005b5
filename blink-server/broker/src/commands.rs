//! Commands that wait for the renderer's answer, and what the broker adds to answers.

use super::peers::{Client, PeerId};
use super::process_stats::ProcessStats;
use ipc::{Answer, ClientId, Command};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::time::Instant;

/// Commands of one connection that may wait.
pub const MAX_PENDING: usize = 16;

/// A command that was passed to the renderer.
#[derive(Debug)]
pub struct Pending {
    /// Who asked.
    pub peer: PeerId,
    /// What.
    pub kind: Kind,
    /// When the asker is told that no answer came.
    pub deadline: Instant,
}

/// What the broker does with the answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Adds process ids.
    List,
    /// Adds counters of processes.
    Stats,
    /// Passes the picture's descriptor on.
    Screenshot,
    /// Passes it on as it is.
    Other,
}

impl Kind {
    /// Of a command.
    #[must_use]
    pub fn of(command: &Command) -> Kind {
        match command {
            Command::List => Kind::List,
            Command::Stats => Kind::Stats,
            Command::Screenshot => Kind::Screenshot,
            Command::Input { .. }
            | Command::Move { .. }
            | Command::Resize { .. }
            | Command::Raise { .. }
            | Command::Focus { .. }
            | Command::Close { .. }
            | Command::Kill { .. }
            | Command::Vm(_)
            | Command::Quit => Kind::Other,
        }
    }
}

/// The processes of the server.
#[derive(Clone, Copy, Debug)]
pub struct Server {
    /// The renderer's process.
    pub renderer: i32,
    /// Starts of the renderer so far.
    pub starts: u64,
}

/// Adds what only the broker knows to the renderer's answer.
pub fn complete(kind: Kind, answer: &mut Answer, clients: &BTreeMap<ClientId, Client>, server: Server) {
    let Ok(value) = answer else { return };
    match kind {
        Kind::List => add_to_clients(value, clients, false),
        Kind::Stats => {
            if let Some(list) = value.get_mut("clients") {
                add_to_clients(list, clients, true);
            }
            if let Value::Object(fields) = value {
                let broker = i32::try_from(std::process::id()).unwrap_or(0);
                for (who, pid) in [("renderer", server.renderer), ("broker", broker)] {
                    fields.insert(format!("{who}_pid"), json!(pid));
                    if let Some(stats) = ProcessStats::of(pid) {
                        fields.insert(format!("{who}_cpu_ms"), json!(stats.cpu_ms));
                        fields.insert(format!("{who}_context_switches"), json!(stats.context_switches));
                    }
                }
                fields.insert("renderer_starts".to_owned(), json!(server.starts));
            }
        }
        Kind::Screenshot | Kind::Other => {}
    }
}

/// Adds `pid` and `domain`, and counters if wanted, to each client of the list that is one.
fn add_to_clients(list: &mut Value, clients: &BTreeMap<ClientId, Client>, counters: bool) {
    for entry in list.as_array_mut().into_iter().flatten() {
        let id = entry.get("client").and_then(Value::as_u64).and_then(|id| u32::try_from(id).ok());
        let Some(client) = id.and_then(|id| clients.get(&ClientId(id))) else { continue };
        let Value::Object(fields) = entry else { continue };
        fields.insert("pid".to_owned(), json!(client.pid));
        fields.insert("domain".to_owned(), json!(client.shared.guest()));
        if counters && let Some(stats) = client.pid.and_then(ProcessStats::of) {
            fields.insert("cpu_ms".to_owned(), json!(stats.cpu_ms));
            fields.insert("context_switches".to_owned(), json!(stats.context_switches));
        }
    }
}
