//! What `blinkctl` asks of the glass.

use crate::desk::Focus;
use crate::glass::Glass;
use crate::window::Window;
use ipc::geometry::Rect;
use ipc::samples::MILLISECOND;
use ipc::{ClientId, Command, WindowId};
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// The answer to a command: JSON, and the pixels of a screenshot.
#[derive(Debug, Default)]
pub struct Answer {
    /// What `blinkctl` shows.
    pub value: Value,
    /// Red, green, blue, alpha, the top row first.
    pub pixels: Option<Vec<u8>>,
}

impl From<Value> for Answer {
    fn from(value: Value) -> Answer {
        Answer { value, pixels: None }
    }
}

impl Glass {
    /// Carries a command out.
    ///
    /// # Errors
    /// What can't be done, for the user.
    pub fn command(&mut self, command: Command, now: u64) -> Result<Answer, String> {
        self.passed(now);
        match command {
            Command::List => return Ok(self.list().into()),
            Command::Stats => return Ok(self.stats().into()),
            Command::Screenshot => {
                // What was commanded before is to be seen, though its frame may be under way.
                self.compose_now();
                let area = self.heads.bounds();
                let value = json!({ "width": area.width, "height": area.height });
                return Ok(Answer { value, pixels: Some(self.heads.read(area)) });
            }
            Command::Input { events } => events.into_iter().for_each(|event| self.input(event, now)),
            Command::Move { window, x, y } => {
                let content = self.known(window)?.content;
                self.place(window, Rect { x, y, ..content });
            }
            Command::Resize { window, width, height } => {
                let content = self.known(window)?.content;
                self.place(window, Rect { width, height, ..content });
            }
            Command::Raise { window } => {
                self.known(window)?;
                self.activate(window);
            }
            Command::Focus { window } => {
                self.known(window)?;
                self.focus(Focus::Window(window));
            }
            Command::Close { window } => {
                self.known(window)?;
                self.close(window);
            }
            Command::Kill { .. } | Command::Vm(_) | Command::Quit => {
                return Err("the broker carries this out, not the glass".into());
            }
        }
        self.moved_by_user();
        Ok(Answer::default())
    }

    fn known(&self, window: WindowId) -> Result<&Window, String> {
        let found = self.desk.window(window);
        found.ok_or_else(|| format!("there is no window {window}; `blinkctl list` shows those that are"))
    }

    fn list(&self) -> Value {
        let mut windows: BTreeMap<ClientId, Vec<(WindowId, Value)>> = BTreeMap::new();
        for (stack, &key) in self.desk.stack().order().iter().enumerate() {
            let Some(window) = self.desk.get(key) else { continue };
            let Rect { x, y, width, height } = window.content;
            let note = window.buffers.starved.then_some("its class has no memory left for its picture");
            let value = json!({
                "id": window.id.to_string(),
                "title": window.title,
                "x": x, "y": y, "width": width, "height": height,
                "stack": stack,
                "focus": self.desk.focused() == Some(window.id),
                "visible": window.visible,
                "note": note,
            });
            windows.entry(window.id.client).or_default().push((window.id, value));
        }
        let clients = self.desk.clients().map(|(id, client)| {
            let mut windows = windows.remove(&id).unwrap_or_default();
            windows.sort_by_key(|(id, _)| (id.context, id.oid));
            let windows: Vec<Value> = windows.into_iter().map(|(_, value)| value).collect();
            json!({
                "client": id,
                "name": client.name,
                "class": client.class,
                "note": client.note,
                "windows": windows,
            })
        });
        clients.collect()
    }

    fn stats(&self) -> Value {
        #[allow(clippy::cast_precision_loss, reason = "a rate for people")]
        let hz = |refresh: u64| 1e9 / refresh as f64;
        let heads = self.heads.all().iter().map(|head| {
            let Rect { x, y, width, height } = head.area();
            let (hz, scale) = (hz(head.refresh()), head.scale());
            json!({ "x": x, "y": y, "width": width, "height": height, "refresh_hz": hz, "scale": scale })
        });
        let classes = self.classes.iter().map(|(id, class)| {
            json!({
                "class": id,
                "alive": class.is_alive,
                "waited_for": class.is_alive && class.pace.is_waited_for(),
                "frames": class.pace.frames,
                "late": class.pace.late,
                "memory_bytes": class.memory,
                "note": class.note,
            })
        });
        json!({
            "frames": self.stats.composed,
            "ticks": self.clock.number(),
            "refresh_hz": hz(self.clock.refresh()),
            "composed_ms": self.stats.latency.summary(MILLISECOND),
            "copied_bytes": self.stats.copied,
            "heads": heads.collect::<Vec<Value>>(),
            "classes": classes.collect::<Vec<Value>>(),
        })
    }
}
