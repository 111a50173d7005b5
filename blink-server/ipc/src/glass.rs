//! What the glass is told and says: by the broker, which it believes, and by renderers, which it does not.
//!
//! JSON, one message a packet, descriptors beside it, as in [`message`](crate::message). A renderer has one socket to the
//! glass, which the broker makes and hands to both: so the glass knows which class speaks by the socket, never by what is
//! said.
//!
//! One frame of a renderer:
//!
//! ```text
//! renderer -> glass   Want                       something is to be drawn
//! glass -> renderer   Frame { number, times }    at the tick, or at once when the glass was idle
//! renderer -> glass   Done { drawn, more }       all its windows together; `more`: it wants the next frame too
//! ```
//!
//! The glass never sends a second `Frame` before the `Done` of the first, and never waits for it longer than the frame
//! lasts.
//!
//! *Buffers.* Each window has memory of two halves, which the glass makes, sizes and seals: `height` rows of `width` pixels
//! each, 4 bytes a pixel, blue, green, red, alpha (ignored), the bottom row first, as OpenGL reads them; the second half begins at the next multiple of
//! a page ([`half_bytes`]). The renderer fills one half and names it in `Done`; from then on the glass reads only that half,
//! until another `Done` names the other. So the glass can compose at any time, and a renderer that writes where it should not
//! spoils its own window.

use crate::geometry::Rect;
use crate::message::{ClientId, Command, Placement, WindowId};
use serde::{Deserialize, Serialize};

/// Bytes of a page: halves begin at multiples of it.
const PAGE: u64 = 4096;

/// Bytes of a pixel in a window's memory.
pub const PIXEL_BYTES: u64 = 4;

/// Bytes from one half of a window's memory to the other; the memory has twice as many.
#[must_use]
pub fn half_bytes(width: u32, height: u32) -> u64 {
    (u64::from(width) * u64::from(height) * PIXEL_BYTES).next_multiple_of(PAGE)
}

/// Names an isolation class: the clients whose programs run in one renderer. Given by the broker, never used again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct ClassId(pub u32);

impl std::fmt::Display for ClassId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}", self.0)
    }
}

/// A client as the glass needs it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ShownClient {
    /// Its id.
    pub id: ClientId,
    /// The class whose renderer may speak of its windows.
    pub class: ClassId,
    /// The name in its labels: the broker's word.
    pub name: String,
    /// Border color, red, green, blue.
    pub color: [u8; 3],
    /// Where its windows were, when the glass starts again or the client comes back.
    pub placements: Vec<Placement>,
}

/// From the broker to the glass.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "type")]
pub enum ToGlass {
    /// A client came: comes before its renderer can speak of it.
    Client(ShownClient),
    /// A client went: its windows go.
    ClientGone {
        /// Which.
        id: ClientId,
    },
    /// A class has a renderer now, instead of the one before: its socket comes with this. What the one before showed
    /// stays until the new one says otherwise.
    Renderer {
        /// Whose.
        class: ClassId,
        /// Counts renderers: what the glass says of this one names it, for another may be there by then.
        life: u64,
    },
    /// A class's last client went, or it moved to no class: its socket is closed.
    ClassGone {
        /// Which.
        class: ClassId,
    },
    /// What people are to know of a class, in its labels; `None`: nothing.
    Note {
        /// Whose.
        class: ClassId,
        /// As `slow`, or `failed: out of memory`.
        note: Option<String>,
    },
    /// A command of `blinkctl` that is about what is shown; the answer carries the same serial.
    Command {
        /// Counts commands.
        serial: u64,
        /// What.
        command: Command,
    },
}

/// From the glass to the broker.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "type")]
pub enum FromGlass {
    /// The outputs are there.
    Ready {
        /// What they are, for the log.
        output: String,
    },
    /// The answer to a command; a screenshot has a descriptor with it.
    Reply {
        /// Of the command.
        serial: u64,
        /// The answer, or what went wrong.
        result: crate::message::Answer,
    },
    /// A client's windows are placed like this now (all of them, replaces what was sent before).
    Placed {
        /// The client.
        client: ClientId,
        /// Its windows.
        windows: Vec<Placement>,
    },
    /// A renderer misses its frames, or keeps them again.
    Pace {
        /// Whose.
        class: ClassId,
        /// Which, as [`ToGlass::Renderer`] counts.
        life: u64,
        /// It misses them.
        late: bool,
    },
    /// A renderer broke the rules of its socket: it is of no use any more.
    Misbehaved {
        /// Whose.
        class: ClassId,
        /// Which, as [`ToGlass::Renderer`] counts.
        life: u64,
        /// How.
        reason: String,
    },
    /// The user wants a client to end that does not close its window.
    End {
        /// Which.
        client: ClientId,
    },
    /// The user closed the output.
    Quit,
}

/// A window as its client wishes it. The glass decides.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Wish {
    /// The title: untrusted text, at most [`MAX_TITLE_BYTES`](crate::limits::MAX_TITLE_BYTES).
    pub title: String,
    /// Width and height of the content, pixels.
    pub size: (u32, u32),
    /// Left and top of the content, from its parent's if it has one, else from the output's; `None`: anywhere.
    pub place: (Option<i32>, Option<i32>),
    /// Smallest content, pixels; 0: any.
    pub least: (u32, u32),
    /// Largest content, pixels; 0: any.
    pub most: (u32, u32),
    /// The window of the same context that it belongs to.
    pub parent: Option<u32>,
    /// It has no label and stays on its parent.
    pub popup: bool,
}

/// A picture for the pointer over a window's content.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CursorImage {
    /// Pixels, at most [`MAX_CURSOR_SIZE`](crate::limits::MAX_CURSOR_SIZE).
    pub width: u32,
    /// Pixels, likewise.
    pub height: u32,
    /// The pixel of the picture that points, from the left and from the top.
    pub hot: (u32, u32),
    /// `width * height` pixels of 4 bytes, red, green, blue, alpha, the top row first; two hexadecimal digits a byte.
    pub pixels: String,
}

/// What of a window a frame drew.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Drawn {
    /// The window.
    pub window: WindowId,
    /// The buffer's serial, as [`ToDraw::Buffer`] gave it.
    pub buffer: u32,
    /// The half that has the picture: 0 or 1.
    pub half: u8,
    /// What is new in it, from the content's upper left corner.
    pub damage: Rect,
    /// Its client wants to be told when it is seen.
    pub tell: bool,
}

/// From a renderer to the glass.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "type")]
pub enum FromRenderer {
    /// A window is there, or its client wishes it otherwise.
    Window {
        /// Which.
        window: WindowId,
        /// How.
        wish: Wish,
    },
    /// A window is gone.
    WindowGone {
        /// Which.
        window: WindowId,
    },
    /// All windows that are published now are told: those that the glass has beside them are gone. A renderer says it once,
    /// after its first scan of a client.
    All {
        /// Whose.
        client: ClientId,
    },
    /// A window's pointer looks so over its content; `None`: as everywhere.
    Cursor {
        /// Which.
        window: WindowId,
        /// The picture.
        image: Option<CursorImage>,
    },
    /// It wants a frame.
    Want,
    /// A frame is done.
    Done {
        /// As [`ToDraw::Frame`] gave it.
        number: u64,
        /// Windows with a new picture.
        drawn: Vec<Drawn>,
        /// It wants the next one too.
        more: bool,
    },
}

/// What a window hears of the user's input.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "heard")]
pub enum Heard {
    /// The pointer moved.
    Motion,
    /// The pointer left the content: the place is the last one inside.
    Leave,
    /// A button changed.
    Button {
        /// 0 left, 1 middle, 2 right, 3 back, 4 forward.
        button: u8,
        /// Down or up.
        pressed: bool,
    },
    /// The wheel turned.
    Wheel {
        /// Positive away from the user.
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

/// From the glass to a renderer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "type")]
pub enum ToDraw {
    /// A window's memory, whose descriptor comes with this. It replaces the one before, which the glass shows until the first
    /// `Done` with the new serial.
    Buffer {
        /// Whose.
        window: WindowId,
        /// Counts buffers.
        serial: u32,
        /// Pixels.
        width: u32,
        /// Pixels.
        height: u32,
    },
    /// A window's content is here now; for a new window this comes before its first buffer.
    Place {
        /// Which.
        window: WindowId,
        /// On the output, pixels.
        content: Rect,
        /// Some of it can be seen. What can't be is not drawn.
        visible: bool,
        /// It has the keyboard focus.
        focus: bool,
    },
    /// A frame: draw.
    Frame {
        /// Counts frames of the class: it learns nothing of others' by it.
        number: u64,
        /// When it will be seen, as is predicted: nanoseconds of the monotonic clock.
        presentation: u64,
        /// Nanoseconds from frame to frame.
        refresh: u64,
    },
    /// A frame that windows wanted to be told of is on the output.
    Presented {
        /// Which.
        number: u64,
        /// When: nanoseconds of the monotonic clock.
        time: u64,
        /// The windows.
        windows: Vec<WindowId>,
    },
    /// A window hears of input.
    Input {
        /// Which.
        window: WindowId,
        /// What.
        event: Heard,
        /// The pointer, pixels from the content's upper left corner.
        x: i32,
        /// See `x`.
        y: i32,
        /// Buttons that were pressed here and are held, bit 0 left, 1 middle, 2 right.
        buttons: u32,
    },
    /// The user asks a window to close.
    Close {
        /// Which.
        window: WindowId,
    },
}
