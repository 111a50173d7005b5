//! What the user and `blinkctl` can do: input, placing windows, looking at the server.

use super::client::{Client, Context};
use super::seat::{Action, Heard};
use super::server::Server;
use super::stats::MICROSECOND;
use blinkgl::layout::EventKind;
use blinkgl::ops::{Callback, External};
use ipc::geometry::Rect;
use ipc::{Command, Input, WindowId};
use jit::Tier;
use serde_json::{Value, json};

/// The answer to a command: JSON, and the pixels of a screenshot.
#[derive(Debug, Default)]
pub struct Answer {
    /// What `blinkctl` shows.
    pub value: Value,
    /// RGBA, top row first.
    pub pixels: Option<Vec<u8>>,
}

impl From<Value> for Answer {
    fn from(value: Value) -> Answer {
        Answer { value, pixels: None }
    }
}

/// Codes of the `event` external, see [`External::Event`].
const MOTION: f32 = 1.0;
const BUTTON: f32 = 2.0;
const WHEEL: f32 = 3.0;
const KEY: f32 = 4.0;

impl Server {
    /// Takes a piece of input: runs `input` callbacks, tells clients, moves windows.
    pub fn input(&mut self, input: Input, now: u64) {
        let actions = self.seat.handle(input, &self.stack);
        for action in actions {
            match action {
                Action::Deliver(window, heard) => self.deliver(window, heard, now),
                Action::Activate(window) => self.activate(window, now),
                Action::Place(window, content) => self.place(window, content, now),
                Action::Close(window) => self.event(window, EventKind::Close, now, [0; 4]),
            }
        }
        self.move_pointer();
        self.wake_clients();
    }

    /// Runs the window's `input`, then tells its client.
    #[allow(clippy::cast_precision_loss, reason = "registers are f32")]
    fn deliver(&mut self, id: WindowId, heard: Heard, now: u64) {
        let Some(view) = self.stack.get(id) else { return };
        let (x, y) = self.seat.pointer();
        let (x, y) = (x.saturating_sub(view.content.x), y.saturating_sub(view.content.y));
        let buttons = self.seat.buttons();
        self.run_input(id, now, |env| match heard {
            Heard::Motion => env.set(External::Event, MOTION),
            Heard::Button { .. } => env.set(External::Event, BUTTON),
            Heard::Wheel { steps } => {
                env.set(External::Event, WHEEL);
                env.set(External::Wheel, steps as f32);
            }
            Heard::Key { code, pressed } => {
                env.set(External::Event, KEY);
                env.set(External::Key, code as f32);
                env.set(External::KeyState, f32::from(u8::from(pressed)));
            }
        });
        let [px, py] = [x.cast_unsigned(), y.cast_unsigned()];
        let (kind, words) = match heard {
            Heard::Motion => (EventKind::Pointer, [px, py, buttons, 0]),
            Heard::Button { button, pressed } => {
                (EventKind::Button, [px, py, buttons, u32::from(button) | u32::from(pressed) << 8])
            }
            Heard::Wheel { steps } => (EventKind::Wheel, [px, py, steps.cast_unsigned(), 0]),
            Heard::Key { code, pressed } => (EventKind::Key, [code, u32::from(pressed), 0, 0]),
        };
        self.event(id, kind, now, words);
    }

    /// Carries a command out.
    ///
    /// # Errors
    /// What can't be done, for the user.
    pub fn command(&mut self, command: Command, now: u64) -> Result<Answer, String> {
        let known = |server: &Server, window: WindowId| match server.stack.get(window) {
            Some(view) => Ok(*view),
            None => Err(format!("there is no window {window}; `blinkctl list` shows those that are")),
        };
        match command {
            Command::List => Ok(self.list().into()),
            Command::Stats => Ok(self.stats().into()),
            Command::Screenshot => {
                let pixels = self.tracker.read_pixels(&self.screen, self.area);
                let value = json!({ "width": self.area.width, "height": self.area.height });
                Ok(Answer { value, pixels: Some(pixels) })
            }
            Command::Input { events } => {
                for event in events {
                    self.input(event, now);
                }
                Ok(Value::Null.into())
            }
            Command::Move { window, x, y } => {
                let view = known(self, window)?;
                self.place(window, Rect { x, y, ..view.content }, now);
                self.wake_clients();
                Ok(Value::Null.into())
            }
            Command::Resize { window, width, height } => {
                let view = known(self, window)?;
                self.place(window, Rect { width, height, ..view.content }, now);
                self.wake_clients();
                Ok(Value::Null.into())
            }
            Command::Raise { window } => {
                known(self, window)?;
                self.activate(window, now);
                self.wake_clients();
                Ok(Value::Null.into())
            }
            Command::Focus { window } => {
                known(self, window)?;
                self.focus(Some(window), now);
                self.wake_clients();
                Ok(Value::Null.into())
            }
            Command::Close { window } => {
                known(self, window)?;
                self.event(window, EventKind::Close, now, [0; 4]);
                self.wake_clients();
                Ok(Value::Null.into())
            }
            Command::Kill { .. } | Command::Vm(_) | Command::Quit => {
                Err("the broker carries this out, not the renderer".into())
            }
        }
    }

    fn list(&self) -> Value {
        self.clients.values().map(|client| self.list_client(client)).collect()
    }

    fn list_client(&self, client: &Client) -> Value {
        let mut windows = Vec::new();
        for (&index, context) in &client.contexts {
            for (&oid, window) in &context.windows {
                let id = WindowId { client: client.info.id, context: index, oid };
                let Some(stack) = self.stack.views().iter().position(|v| v.id == id) else { continue };
                let view = self.stack.views()[stack];
                let Rect { x, y, width, height } = view.content;
                windows.push(json!({
                    "id": id.to_string(),
                    "title": window.title,
                    "x": x, "y": y, "width": width, "height": height,
                    "stack": stack,
                    "focus": self.stack.focus() == Some(id),
                    "visible": !self.stack.visible(id, &self.area).is_empty(),
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

    fn stats(&self) -> Value {
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
        #[allow(clippy::cast_precision_loss, reason = "a rate for people")]
        let hz = 1e9 / self.refresh as f64;
        let compiler = self.compile_queue().stats();
        json!({
            "frames": self.frame,
            "refresh_hz": hz,
            "compiled": compiler.compiled,
            "compile_failed": compiler.failed,
            "compile_late": compiler.late,
            "compile_us": compiler.total_ns / 1000,
            "slice_late_us": self.lateness.summary(MICROSECOND),
            "clients": clients,
        })
    }
}

fn list_procedures(context: &Context, used: &[u32]) -> Vec<Value> {
    Server::procedures(context)
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
