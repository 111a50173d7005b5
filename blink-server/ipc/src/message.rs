//! Messages between broker, renderer and `blinkctl`: JSON, one message a packet of a
//! `SOCK_SEQPACKET` socket, descriptors beside it by SCM_RIGHTS.
//!
//! The renderer handles hostile bytes, so the broker trusts nothing that comes from it: a message that
//! does not parse, or names a client that does not exist, is dropped with an error in the log.

use crate::vm::{Color, GroupName, MemorySize, RendererMemory, SocketMode, VmName};
use budget::Budget;
use serde::{Deserialize, Serialize};

/// Names a client for the life of the broker; never used again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct ClientId(pub u32);

impl std::fmt::Display for ClientId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}", self.0)
    }
}

/// Names a window in commands and answers: client, context, OID.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct WindowId {
    /// The client.
    pub client: ClientId,
    /// Index of the context in the client's aperture.
    pub context: u32,
    /// OID of the window object.
    pub oid: u32,
}

impl std::fmt::Display for WindowId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}.{}.{}", self.client, self.context, self.oid)
    }
}

/// Where a window is: what the broker remembers for the glass's next life.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Placement {
    /// The window.
    pub window: WindowId,
    /// Left edge of the content on the output, pixels.
    pub x: i32,
    /// Top edge of the content.
    pub y: i32,
    /// Width of the content.
    pub width: u32,
    /// Height of the content.
    pub height: u32,
    /// Orders windows in the stack, lowest first: it grows with each new window and each that is raised, so that nobody
    /// else's changes.
    pub stack: u32,
    /// Has the keyboard focus.
    pub focus: bool,
}

/// Who is behind a client.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Owner {
    /// Processes of this user.
    User(u32),
    /// The virtual machine that has this client id, each time that it starts.
    Machine(ClientId),
}

/// A client as its renderer needs it. Descriptors with it: memory, doorbell (the client rings, the
/// renderer reads), wake (the renderer writes, the client waits): a socket, or for a virtual machine an eventfd, or
/// for a guest of Xen its event channel.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClientInfo {
    /// Its id.
    pub id: ClientId,
    /// Who it is, however often it connects.
    pub owner: Owner,
    /// Its name in logs and answers. The broker's policy gives it.
    pub name: String,
    /// Bytes of its aperture.
    pub bytes: u64,
    /// What one run of its programs may cost.
    pub budget: Budget,
    /// Of a guest of Xen: doorbell and wake are its event channel, of this port on our side, and the memory is one that
    /// `gntdev` maps.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub channel: Option<u32>,
}

/// User input, from the output's window or from `blinkctl`. Coordinates: pixels from the output's
/// upper left corner.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "input")]
pub enum Input {
    /// The pointer is there now.
    Motion {
        /// From the left.
        x: f64,
        /// From the top.
        y: f64,
    },
    /// A button changed: 0 left, 1 middle, 2 right.
    Button {
        /// Which.
        button: u8,
        /// Down or up.
        pressed: bool,
    },
    /// The wheel turned, in steps, positive away from the user.
    Wheel {
        /// Steps.
        steps: i32,
    },
    /// A key changed.
    Key {
        /// Linux evdev code.
        code: u32,
        /// Down or up.
        pressed: bool,
    },
}

/// The answer to a [`Command`] of `blinkctl`: a value by command, or what went wrong and what to do.
pub type Answer = Result<serde_json::Value, String>;

/// What `blinkctl` asks: one packet with a command on the control socket, one packet with an
/// [`Answer`] back. Those that name windows or frames are answered by the renderer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "command")]
pub enum Command {
    /// Clients, windows, procedures, versions, tiers, memory. Answer of the renderer:
    ///
    /// ```json
    /// [{"client": 1, "name": "local: gears", "memory_bytes": 67108864, "copied_bytes": 9000,
    ///   "objects": 12, "errors": ["procedure 0.5 (redraw): V07 at op 3 ..."],
    ///   "notes": ["window 1.0.1: ... it is drawn in slices"],
    ///   "windows": [{"id": "1.0.1", "title": "Gears", "x": 10, "y": 30, "width": 300, "height": 300,
    ///     "stack": 0, "focus": true, "visible": true, "slow": false, "redraws": 600, "error": null,
    ///     "procedures": [{"oid": 2, "callback": "redraw", "version": 4, "running_version": 4, "runs": 600,
    ///       "tier": "native", "instructions": 123, "error": null}]}]}]
    /// ```
    ///
    /// A procedure that was never accepted has no `tier` and no `instructions`. The broker adds each client's `pid`,
    /// and `domain` of a guest of Xen, which has no process here.
    List,
    /// Counters and times. Answer of the renderer:
    ///
    /// ```json
    /// {"frames": 600, "wakeups": 1300, "uptime_ms": 10000, "refresh_hz": 60.0, "gl": "4.5 ... llvmpipe",
    ///  "clients": [{"client": 1, "name": "local: gears", "updates": 1, "redraws": 600,
    ///    "update_interval_ms": {"median": 16.6, "p99": 17.0, "max": 20.1}, "redraw_interval_ms": {},
    ///    "scan_us": {}, "accept_us": {}, "cached_procedures": 0, "not_compiled": 0, "redraw_us": {},
    ///    "suspended": 0, "slices": 0, "gl_draws": 600, "gl_state_calls": 9}]}
    /// ```
    ///
    /// (`{}` stands for the same three quantiles.) The broker adds to each client `pid`, `domain`, `cpu_ms` and
    /// `context_switches` of its process, and to the whole `renderer_` and `broker_` `pid`, `cpu_ms` and
    /// `context_switches`, and `renderer_starts`.
    Stats,
    /// The picture on the output. Answer: `{"width", "height"}` and a descriptor with
    /// `width * height * 4` bytes, RGBA, top row first.
    Screenshot,
    /// Input as if the user made it.
    Input {
        /// In this order.
        events: Vec<Input>,
    },
    /// Moves a window.
    Move {
        /// Which.
        window: WindowId,
        /// Left edge of the content.
        x: i32,
        /// Top edge of the content.
        y: i32,
    },
    /// Resizes a window.
    Resize {
        /// Which.
        window: WindowId,
        /// Of the content.
        width: u32,
        /// Of the content.
        height: u32,
    },
    /// Raises a window to the top.
    Raise {
        /// Which.
        window: WindowId,
    },
    /// Gives a window the keyboard focus.
    Focus {
        /// Which.
        window: WindowId,
    },
    /// Asks a window's client to close it.
    Close {
        /// Which.
        window: WindowId,
    },
    /// Disconnects a client: its windows go, its memory is released. Answered by the broker.
    Kill {
        /// Which.
        client: ClientId,
    },
    /// About virtual machines. Answered by the broker.
    Vm(VmCommand),
    /// Stops the server. Answered by the broker.
    Quit,
}

/// What is asked about virtual machines.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "vm")]
pub enum VmCommand {
    /// Those that there are:
    ///
    /// ```json
    /// [{"name": "work", "client": 1, "memory_bytes": 67108864, "color": "#2a6fdb", "state": "connected",
    ///   "budget": {"fuel": 4194304, "calls": 196608, "vertices": 4194304, "upload_bytes": 268435456},
    ///   "pid": 4711, "domain": null, "socket": "/run/user/1000/blink-0.vm-work",
    ///   "wake_socket": "/run/user/1000/blink-0.wake-work"}]
    /// ```
    ///
    /// States: `waiting` for QEMU (`pid` is null then), `connected`, `suspended`.
    List,
    /// Makes one. Answer: as in the list.
    Add {
        /// Its name.
        name: VmName,
        /// How much it shares.
        memory: Option<MemorySize>,
        /// Of its borders.
        color: Option<Color>,
        /// The group that its sockets belong to.
        #[serde(default)]
        group: Option<GroupName>,
        /// The mode of its sockets.
        #[serde(default)]
        mode: Option<SocketMode>,
        /// Private memory of its renderer.
        #[serde(default)]
        renderer_memory: Option<RendererMemory>,
    },
    /// Forgets one; its windows go, and its memory is released.
    Remove {
        /// Which.
        name: VmName,
    },
    /// Hides a machine's windows, runs nothing of it and tells it nothing.
    Suspend {
        /// Which.
        name: VmName,
    },
    /// Takes it up again.
    Resume {
        /// Which.
        name: VmName,
    },
}

/// From the broker to a renderer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "type")]
pub enum ToRenderer {
    /// The renderer's socket to the glass comes with this. It replaces the one before, if the glass started again: then all
    /// windows are to be told anew. It always comes before the first client.
    Glass,
    /// A client came. Three descriptors, see [`ClientInfo`].
    Client(ClientInfo),
    /// A client went.
    ClientGone {
        /// Its id.
        id: ClientId,
    },
    /// A client that came has another way to be woken: a stream socket comes with it, a byte on it wakes.
    Port {
        /// The client's id.
        id: ClientId,
    },
    /// `blinkctl` asks; the [parts](ToBroker::Part) of the answer carry the same serial.
    Ask {
        /// Counts questions.
        serial: u64,
        /// The question.
        question: Question,
    },
}

/// What `blinkctl` asks of renderers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Question {
    /// The clients, as in [`Command::List`]: the answer is an array.
    List,
    /// The counters, as in [`Command::Stats`]: the answer is an object.
    Stats,
}

/// What something is of that the keeper keeps, in the order in which it is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Key {
    /// Counters of the broker.
    Server,
    /// A virtual machine of the policy.
    Vm(ClientId),
    /// A client's memory, doorbell and wake.
    Aperture(ClientId),
    /// A client, and its connection.
    Client(ClientId),
    /// A virtual machine's serial port.
    Port(ClientId),
}

/// From the broker to the keeper.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "type")]
pub enum ToKeeper {
    /// Keep this, with the descriptors beside it, instead of what was there.
    Keep {
        /// Of what.
        key: Key,
        /// Whatever the next broker wants to know: text, as nobody else has to read it.
        value: String,
    },
    /// Keep another value with the same descriptors.
    Note {
        /// Of what.
        key: Key,
        /// Whatever the next broker wants to know.
        value: String,
    },
    /// Close it.
    Drop {
        /// What.
        key: Key,
    },
}

/// From the keeper to a broker that starts.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "type")]
pub enum FromKeeper {
    /// The last broker left this, and the descriptors beside it.
    Kept {
        /// Of what.
        key: Key,
        /// What it said.
        value: String,
    },
    /// That was all.
    All,
}

/// Bytes of the text of one [`ToBroker::Part`], at most.
pub const MAX_PART_BYTES: usize = 32 << 10;

/// Bytes of all parts of one answer, at most; a longer answer is left out.
pub const MAX_ANSWER_BYTES: usize = 1 << 20;

/// From a renderer to the broker. The broker believes none of it: a message that does not parse, or names a client of another
/// class, counts against the renderer, and a renderer that sends many ends.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "type")]
pub enum ToBroker {
    /// It can draw: clients can come. Every renderer says it once, forked ones too.
    Ready {
        /// OpenGL's version and renderer strings, for the log.
        gl: String,
    },
    /// A part of the answer to a question: the texts of all parts, put together, are JSON.
    Part {
        /// The question's serial.
        serial: u64,
        /// The next bytes of the answer, at most [`MAX_PART_BYTES`]; all of them at most [`MAX_ANSWER_BYTES`].
        text: String,
        /// The answer is complete.
        last: bool,
    },
    /// A client can't be shown: what it shares is not what it says.
    Unfit {
        /// The client.
        client: ClientId,
        /// Why.
        reason: String,
    },
}
