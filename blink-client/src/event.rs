//! What the server tells a client.

use crate::ObjectId;
use alloc::format;
use alloc::string::{String, ToString};
use blinkgl::layout::{self, EventKind, ObjectError, QuotaKind, join};
use blinkgl::ops::Callback;
use core::fmt;

/// An event of a context.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Event {
    /// The window that it is about, if it is about one.
    pub window: Option<ObjectId>,
    /// When it happened: nanoseconds of the server's clock.
    pub time: u64,
    /// What happened.
    pub what: What,
}

/// What happened. Coordinates: pixels from the window's upper left corner.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum What {
    /// The pointer moved.
    Pointer {
        /// From the left.
        x: i32,
        /// From the top.
        y: i32,
        /// Buttons held: bit 0 left, 1 middle, 2 right.
        buttons: u32,
    },
    /// The pointer left the window: this is its last place inside.
    PointerLeft {
        /// From the left.
        x: i32,
        /// From the top.
        y: i32,
    },
    /// A button went down or up.
    Button {
        /// From the left.
        x: i32,
        /// From the top.
        y: i32,
        /// Buttons held after it.
        buttons: u32,
        /// Which one changed: 0 left, 1 middle, 2 right.
        button: u8,
        /// Down?
        pressed: bool,
    },
    /// The wheel turned.
    Wheel {
        /// From the left.
        x: i32,
        /// From the top.
        y: i32,
        /// Positive away from the user.
        steps: i32,
    },
    /// A key went down or up.
    Key {
        /// Linux evdev code.
        code: u32,
        /// Down?
        pressed: bool,
    },
    /// The keyboard focus came or went.
    Focus {
        /// Came?
        gained: bool,
    },
    /// The window was moved or resized; its `reshape` has run.
    Reshape {
        /// Left edge of the content on the output.
        x: i32,
        /// Top edge of the content on the output.
        y: i32,
        /// Width of the content.
        width: u32,
        /// Height of the content.
        height: u32,
    },
    /// The user asks the window to close.
    Close,
    /// A frame that shows the window was presented (only after [`crate::Context::want_presented`]).
    Presented {
        /// The server's frame number.
        frame: u64,
        /// When: nanoseconds of the server's clock.
        time: u64,
    },
    /// A procedure was refused; what it should replace stays in use.
    ProcedureRejected(ProcedureRejected),
    /// Another object was refused; what it should replace stays in use.
    ObjectRejected(ObjectRejected),
    /// A callback was stopped because it did too much.
    Quota {
        /// Which callback; `None`: of a later version.
        callback: Option<Callback>,
        /// Of what it was too much.
        kind: Quota,
        /// How much of it is allowed.
        limit: u32,
    },
    /// A procedure ran `notify`.
    Notify {
        /// Its value.
        value: u32,
    },
}

impl What {
    /// What the server has to say of the client's programs and objects, if it is that: for whoever develops the client.
    #[must_use]
    pub fn complaint(&self) -> Option<String> {
        match self {
            What::ProcedureRejected(why) => Some(why.to_string()),
            What::ObjectRejected(why) => Some(why.to_string()),
            What::Quota { callback, kind, limit } => {
                Some(kind.explain(callback.map_or("a callback", Callback::name), *limit))
            }
            What::Pointer { .. }
            | What::PointerLeft { .. }
            | What::Button { .. }
            | What::Wheel { .. }
            | What::Key { .. }
            | What::Focus { .. }
            | What::Reshape { .. }
            | What::Close
            | What::Presented { .. }
            | What::Notify { .. } => None,
        }
    }
}

/// The verifier's rule for what is over the budget.
const OVER_BUDGET: u32 = 35;

/// Why a procedure was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ProcedureRejected {
    /// The procedure.
    pub oid: u32,
    /// Number of the verifier's rule.
    pub rule: u32,
    /// Index of the op in the program.
    pub op_index: u32,
    /// Index of the operand, if it is about one.
    pub operand: Option<u32>,
}

impl fmt::Display for ProcedureRejected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.rule == OVER_BUDGET {
            // The place says nothing: it is where the sum went past the limit.
            return write!(
                f,
                "procedure {} was refused: at worst, a run of it costs more than this server allows (rule V{:02}); \
                 `blinkctl list` says what it needs and what is allowed, `blinkgl verify` finds the same if it is told \
                 the server's budget by --max-fuel and so on",
                self.oid, self.rule
            );
        }
        write!(f, "procedure {} was refused: rule V{:02} at op {}", self.oid, self.rule, self.op_index)?;
        if let Some(operand) = self.operand {
            write!(f, ", operand {operand}")?;
        }
        write!(f, "; `blinkgl verify` and `blinkctl list` say more")
    }
}

/// Why an object that is no procedure was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ObjectRejected {
    /// The object.
    pub oid: u32,
    /// The reason; the code, if it is of a later version.
    pub error: Result<ObjectError, u32>,
    /// Values by reason, see [`ObjectError`].
    pub values: [u32; 2],
}

impl fmt::Display for ObjectRejected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [c, d] = self.values;
        match self.error {
            Ok(error) => write!(f, "object {} was refused: {} ({c}, {d})", self.oid, error.message()),
            Err(code) => write!(f, "object {} was refused: reason {code} ({c}, {d})", self.oid),
        }
    }
}

/// Of what a callback did too much.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Quota {
    /// Operations, display list calls included.
    Fuel,
    /// Vertices.
    Vertices,
    /// Bytes of the display lists of all windows; this one has lost its own.
    Lists,
    /// Pixels of the off-screen buffers of all windows; this one is drawn directly, or not at all if it is slow.
    Buffers,
    /// Draw calls and clears of one redraw; those above the limit were left out.
    Draws,
    /// Milliseconds of drawing: the window is slow from now on, and drawn in slices.
    Time,
    /// Something of a later version.
    Other(u32),
}

impl Quota {
    /// Is this something to know, and nobody's error? Everything is drawn, only later.
    #[must_use]
    pub fn is_note(self) -> bool {
        self == Quota::Time
    }

    /// What happened to a callback that went over this quota, for people.
    #[must_use]
    pub fn explain(self, callback: &str, limit: u32) -> String {
        match self {
            Quota::Fuel => format!("{callback} was stopped: it needs more than {limit} units of fuel"),
            Quota::Vertices => format!("{callback} was stopped: it has more than {limit} vertices"),
            Quota::Lists => format!(
                "the display lists take more than {limit} bytes, and this window has lost its own: define fewer"
            ),
            Quota::Buffers => {
                format!(
                    "off-screen buffers have more than {limit} pixels: this window is drawn directly, or not at all \
                     if it is slow"
                )
            }
            Quota::Draws => format!("{callback} has more than {limit} draws: the rest was left out"),
            Quota::Time => format!(
                "note: {callback} takes more than {limit} ms of drawing: the window is drawn in slices, and shows its \
                 last complete picture"
            ),
            Quota::Other(code) => format!("{callback} went over quota {code}, whose limit is {limit}"),
        }
    }
}

impl Event {
    /// From the ring; `None` for kinds of a later version.
    pub(crate) fn decode(event: &layout::Event) -> Option<Event> {
        let [a, b, c, d] = event.words;
        let (x, y) = (a.cast_signed(), b.cast_signed());
        let what = match EventKind::from_code(event.kind)? {
            EventKind::Pointer if d & 1 != 0 => What::PointerLeft { x, y },
            EventKind::Pointer => What::Pointer { x, y, buttons: c },
            EventKind::Button => {
                let [button, pressed, ..] = d.to_le_bytes();
                What::Button { x, y, buttons: c, button, pressed: pressed != 0 }
            }
            EventKind::Wheel => What::Wheel { x, y, steps: c.cast_signed() },
            EventKind::Key => What::Key { code: a, pressed: b != 0 },
            EventKind::Focus => What::Focus { gained: a != 0 },
            EventKind::Reshape => What::Reshape { x, y, width: c, height: d },
            EventKind::Close => What::Close,
            EventKind::Presented => What::Presented { frame: join(a, b), time: join(c, d) },
            EventKind::ProcedureRejected => {
                let operand = (d != u32::MAX).then_some(d);
                What::ProcedureRejected(ProcedureRejected { oid: a, rule: b, op_index: c, operand })
            }
            EventKind::ObjectRejected => {
                let error = ObjectError::from_code(b).ok_or(b);
                What::ObjectRejected(ObjectRejected { oid: a, error, values: [c, d] })
            }
            EventKind::Quota => {
                let kind = match b {
                    _ if b == QuotaKind::Fuel as u32 => Quota::Fuel,
                    _ if b == QuotaKind::Vertices as u32 => Quota::Vertices,
                    _ if b == QuotaKind::Lists as u32 => Quota::Lists,
                    _ if b == QuotaKind::Buffers as u32 => Quota::Buffers,
                    _ if b == QuotaKind::Draws as u32 => Quota::Draws,
                    _ if b == QuotaKind::Time as u32 => Quota::Time,
                    other => Quota::Other(other),
                };
                What::Quota { callback: Callback::from_code(a), kind, limit: c }
            }
            EventKind::Notify => What::Notify { value: a },
        };
        Some(Event { window: ObjectId::new(event.window), time: event.time, what })
    }
}

/// The server's clock, as of its last frame. All times in nanoseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Clock {
    /// When this was written.
    pub now: u64,
    /// When the next frame will be seen.
    pub next_present: u64,
    /// From one frame to the next.
    pub refresh: u64,
    /// Frames made so far.
    pub frame: u64,
}
