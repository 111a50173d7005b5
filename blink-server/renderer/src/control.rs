//! What `blinkctl` is told: clients, windows, programs, counters.

use super::client::{Client, Context, Stored};
use super::renderer::Renderer;
use blinkgl::ops::Callback;
use ipc::WindowId;
use ipc::samples::MICROSECOND;
use jit::Tier;
use serde_json::{Value, json};

impl Renderer {
    /// Clients, their windows and procedures, as [`ipc::Command::List`] shows them, but for what the glass knows.
    #[must_use]
    pub fn list(&self) -> Value {
        self.clients.values().map(|client| self.list_client(client)).collect()
    }

    fn list_client(&self, client: &Client) -> Value {
        let mut windows = Vec::new();
        for (&index, context) in &client.contexts {
            for (&oid, window) in &context.windows {
                let id = WindowId { client: client.info.id, context: index, oid };
                windows.push(json!({
                    "id": id.to_string(),
                    "title": window.title,
                    "redraws": window.redraws,
                    "slow": window.is_slow(),
                    "busy": window.suspended().map(Callback::name),
                    "procedures": list_procedures(context, &window.desc.procedures),
                    "error": window.error,
                }));
            }
        }
        let copies: usize = client.contexts.values().map(|c| c.array.bytes()).sum();
        let objects: usize = client.contexts.values().map(|c| c.array.objects()).sum();
        json!({
            "client": client.info.id,
            "name": client.info.name,
            "memory_bytes": client.info.bytes,
            "copied_bytes": copies,
            "objects": objects,
            "windows": windows,
            "errors": client.errors,
            "notes": client.notes,
        })
    }

    /// Counters and times of clients and programs, as [`ipc::Command::Stats`] shows them.
    #[must_use]
    pub fn stats(&self) -> Value {
        let clients: Vec<Value> = self
            .clients
            .values()
            .map(|client| {
                let mut value = client.stats.to_json();
                value["client"] = json!(client.info.id);
                value["name"] = json!(client.info.name);
                value
            })
            .collect();
        let compiler = self.compile_queue().stats();
        json!({
            "compiled": compiler.compiled,
            "compile_failed": compiler.failed,
            "compile_late": compiler.late,
            "compile_us": compiler.total_ns / 1000,
            "slice_late_us": self.turns.lateness.summary(MICROSECOND),
            "clients": clients,
        })
    }
}

fn list_procedures(context: &Context, used: &[u32]) -> Vec<Value> {
    let procedures = context.objects.iter().filter_map(|(&oid, stored)| match stored {
        Stored::Procedure(procedure) => Some((oid, procedure)),
        Stored::Window
        | Stored::Texture(_)
        | Stored::Buffer
        | Stored::Registers { .. }
        | Stored::Cursor(_) => None,
    });
    procedures
        .filter_map(|(oid, procedure)| {
            // One that was never accepted has no callback but the one that the window wants it for.
            let wanted = used.iter().position(|&used| used == oid)?;
            let program = procedure.program.as_ref();
            let callback = program.map(|p| p.callback()).or_else(|| Callback::ALL.get(wanted).copied());
            Some(json!({
                "oid": oid,
                "callback": callback.map(Callback::name),
                "version": procedure.version,
                "running_version": procedure.program_version,
                "runs": procedure.runs,
                "tier": program.map(|p| match p.tier() {
                    Tier::Interpreter => "interpreter",
                    Tier::Native => "native",
                }),
                "instructions": program.map(|p| p.facts().instructions),
                "error": procedure.error,
            }))
        })
        .collect()
}
