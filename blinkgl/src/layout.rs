//! The layout of an aperture, the same on every transport. Little-endian; offsets in bytes.
//!
//! ```text
//! aperture  page 0     header: magic, version, size, context directory
//!           page n..   contexts, each a run of pages that the directory names
//! context   page 0     header: commit counter, server status, clock, event ring indices
//!           page 1-2   event ring
//!           page 3-18  VSO array
//!           page 19..  data: the pages of its objects
//! ```
//!
//! Page numbers in a slot's extents count from the context's own page 0. A client may write all of
//! its aperture; what the server writes there (status, clock, events) it never reads back.
//!
//! **Commit.** A client makes `COMMIT` odd, changes slots (each slot's version odd meanwhile, even
//! and different after), makes `COMMIT` even again, and rings the doorbell. The server copies all that
//! changed, looks at `COMMIT` again, and starts over if it moved: no frame shows half a commit.

use crate::limits::{EVENT_RING_ENTRIES, MAX_EXTENTS, MAX_OBJECTS, MAX_TITLE_BYTES, PAGE_SIZE};
use crate::ops::Callback;
use crate::planted;

pub mod texture;

/// First word of an aperture: the bytes `BLNK`.
pub const APERTURE_MAGIC: u32 = u32::from_le_bytes(*b"BLNK");
/// Layout version, major << 16 | minor. Another major version is refused.
pub const APERTURE_VERSION: u32 = 1 << 16;

/// Offsets in the aperture's header.
pub mod aperture {
    /// u32: [`super::APERTURE_MAGIC`], written by the server before it hands out the memory.
    pub const MAGIC: usize = 0x00;
    /// u32: [`super::APERTURE_VERSION`].
    pub const VERSION: usize = 0x04;
    /// u32: pages of the aperture, this one included.
    pub const PAGES: usize = 0x08;
    /// u32: the server's number for the client.
    pub const CLIENT: usize = 0x0c;
    /// [`crate::limits::MAX_CONTEXTS`] directory entries of [`ENTRY_BYTES`].
    pub const DIRECTORY: usize = 0x100;
    /// Bytes of a directory entry.
    pub const ENTRY_BYTES: usize = 16;
    /// u32 in an entry: generation; 0 = free; changes whenever the context is made anew.
    pub const ENTRY_GENERATION: usize = 0;
    /// u32 in an entry: first page of the context.
    pub const ENTRY_FIRST_PAGE: usize = 4;
    /// u32 in an entry: pages of the context.
    pub const ENTRY_PAGES: usize = 8;
    /// u32 in an entry: the last generation that was not 0, for the client that comes after this one.
    pub const ENTRY_LAST_GENERATION: usize = 12;
}

/// Offsets in a context's header page.
pub mod context {
    /// u32, client: commit counter; odd while a commit is being made.
    pub const COMMIT: usize = 0x00;
    /// u32, client: slots in use: the scan looks at slots `0..SLOTS`, at most `MAX_OBJECTS`.
    pub const SLOTS: usize = 0x04;
    /// u32, client: events taken from the ring (a running count).
    pub const EVENTS_TAKEN: usize = 0x08;
    /// u32, client: asks for `presented` events (1) or not (0).
    pub const WANT_PRESENTED: usize = 0x0c;

    /// u32, server: the value of `COMMIT` that the last completed scan saw; the pages that
    /// the commit before used are free for the client when this reaches it.
    pub const SCANNED: usize = 0x40;
    /// u32, server: counts starts of the renderer, from 1.
    pub const SERVER_EPOCH: usize = 0x44;
    /// u32, server: events put into the ring (a running count).
    pub const EVENTS_PUT: usize = 0x48;
    /// u32, server: events dropped because the ring was full (a running count).
    pub const EVENTS_DROPPED: usize = 0x4c;

    /// u32, server: seqlock of the clock; odd while it is written.
    pub const CLOCK_SEQUENCE: usize = 0x80;
    /// u64 (low word first), server: time of this update, nanoseconds of the server's clock.
    pub const CLOCK_NOW: usize = 0x88;
    /// u64, server: predicted time of the next presentation.
    pub const CLOCK_NEXT_PRESENT: usize = 0x90;
    /// u64, server: refresh interval in nanoseconds.
    pub const CLOCK_REFRESH: usize = 0x98;
    /// u64, server: frames made so far.
    pub const CLOCK_FRAME: usize = 0xa0;
}

/// First page of the event ring in a context.
pub const RING_PAGE: usize = 1;
/// Bytes of an event.
pub const EVENT_BYTES: usize = 32;
/// First page of the VSO array in a context.
pub const ARRAY_PAGE: usize = RING_PAGE + (EVENT_RING_ENTRIES as usize * EVENT_BYTES).div_ceil(PAGE_SIZE);
/// Bytes of a slot.
pub const SLOT_BYTES: usize = 128;
/// Words of a slot.
pub const SLOT_WORDS: usize = SLOT_BYTES / 4;
/// First page for data in a context.
pub const DATA_PAGE: usize = ARRAY_PAGE + (MAX_OBJECTS * SLOT_BYTES).div_ceil(PAGE_SIZE);

/// Byte offset of slot `index` in a context.
#[must_use]
pub const fn slot_offset(index: usize) -> usize {
    ARRAY_PAGE * PAGE_SIZE + index * SLOT_BYTES
}

/// Byte offset of the ring entry for running event count `count` in a context.
#[must_use]
pub const fn event_offset(count: u32) -> usize {
    RING_PAGE * PAGE_SIZE + (count % EVENT_RING_ENTRIES) as usize * EVENT_BYTES
}

/// Word indices in a slot.
pub mod slot {
    /// Version: even = stable, odd = being written; any change means "look again".
    pub const VERSION: usize = 0;
    /// Object id, not 0, unique in the context.
    pub const OID: usize = 1;
    /// [`super::ObjectType`] code; 0 = free slot.
    pub const TYPE: usize = 2;
    /// Bytes of the object's data.
    pub const BYTES: usize = 3;
    /// Extents in use.
    pub const EXTENTS: usize = 4;
    /// Eight parameters, by type.
    pub const PARAMS: usize = 8;
    /// Up to eight pairs {first page, pages}.
    pub const EXTENT_LIST: usize = 16;
}

/// What an object is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u32)]
pub enum ObjectType {
    /// A window: [`WindowDesc`] as data. No parameters.
    Window = 1,
    /// A stored procedure: wire program as data. Parameter 0: [`Callback`] code.
    Procedure = 2,
    /// A texture: pixels as data. Parameters: [`texture`].
    Texture = 3,
    /// A vertex buffer: bytes as data.
    VertexBuffer = 4,
    /// An index buffer: bytes as data.
    IndexBuffer = 5,
    /// A register file: 32 words as data, read and written in place while callbacks run.
    Registers = 6,
    /// A cursor image: BGRA pixels as data. Parameters: [`cursor`].
    Cursor = 7,
}

impl ObjectType {
    /// All types.
    pub const ALL: [ObjectType; 7] = [
        ObjectType::Window,
        ObjectType::Procedure,
        ObjectType::Texture,
        ObjectType::VertexBuffer,
        ObjectType::IndexBuffer,
        ObjectType::Registers,
        ObjectType::Cursor,
    ];

    /// The type of a code.
    #[must_use]
    pub fn from_code(code: u32) -> Option<ObjectType> {
        ObjectType::ALL.into_iter().find(|&t| t as u32 == code)
    }

    /// Its name for messages.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            ObjectType::Window => "window",
            ObjectType::Procedure => "procedure",
            ObjectType::Texture => "texture",
            ObjectType::VertexBuffer => "vertex buffer",
            ObjectType::IndexBuffer => "index buffer",
            ObjectType::Registers => "registers",
            ObjectType::Cursor => "cursor",
        }
    }
}

/// Parameters of a cursor's slot.
pub mod cursor {
    /// Parameter: width in pixels.
    pub const WIDTH: usize = 0;
    /// Parameter: height in pixels.
    pub const HEIGHT: usize = 1;
    /// Parameter: hot spot, pixels from the left.
    pub const HOT_X: usize = 2;
    /// Parameter: hot spot, pixels from the top.
    pub const HOT_Y: usize = 3;
}

/// Words of a window's data.
pub const WINDOW_WORDS: usize = 64;

/// "Let the server choose" for [`WindowDesc::x`] and `y`.
pub const PLACE_ANYWHERE: i32 = i32::MIN;

/// A window as its client describes it. Sizes are of the content, without border.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WindowDesc {
    /// Wanted place of the content's upper left corner on the output, pixels; on a child window from
    /// its parent's. A hint for top-level windows.
    pub x: i32,
    /// As `x`, from the top.
    pub y: i32,
    /// Wanted width in pixels; a change asks for a resize.
    pub width: u32,
    /// Wanted height in pixels.
    pub height: u32,
    /// Least and greatest size; 0 = no wish.
    pub min_width: u32,
    /// As `min_width`.
    pub min_height: u32,
    /// As `min_width`.
    pub max_width: u32,
    /// As `min_width`.
    pub max_height: u32,
    /// Draw into a buffer of its own, which is composed on the output.
    pub offscreen: bool,
    /// A popup: child without border of its own, above its parent.
    pub popup: bool,
    /// OID of the parent window; 0 = top level.
    pub parent: u32,
    /// OIDs of the procedures by [`Callback`] code; 0 = none.
    pub procedures: [u32; 5],
    /// OID of the register file; 0 = one of the window's own, not shared with the client.
    pub registers: u32,
    /// OID of the cursor; 0 = the server's.
    pub cursor: u32,
    /// A change of this value asks for a run of `update`.
    pub update_serial: u32,
    /// Title bytes in use.
    pub title_bytes: u32,
    /// Title, UTF-8, not yet checked.
    pub title: [u8; MAX_TITLE_BYTES],
}

impl Default for WindowDesc {
    fn default() -> Self {
        WindowDesc {
            x: PLACE_ANYWHERE,
            y: PLACE_ANYWHERE,
            width: 300,
            height: 300,
            min_width: 0,
            min_height: 0,
            max_width: 0,
            max_height: 0,
            offscreen: false,
            popup: false,
            parent: 0,
            procedures: [0; 5],
            registers: 0,
            cursor: 0,
            update_serial: 0,
            title_bytes: 0,
            title: [0; MAX_TITLE_BYTES],
        }
    }
}

const FLAG_OFFSCREEN: u32 = 1;
const FLAG_POPUP: u32 = 2;
const TITLE_WORD: usize = 24;

impl WindowDesc {
    /// OID of the procedure for `callback`; 0 = none.
    #[must_use]
    pub fn procedure(&self, callback: Callback) -> u32 {
        self.procedures[callback as usize]
    }

    /// Sets the title, cut to [`MAX_TITLE_BYTES`] at a character.
    pub fn set_title(&mut self, title: &str) {
        let mut end = title.len().min(MAX_TITLE_BYTES);
        while !title.is_char_boundary(end) {
            end -= 1;
        }
        self.title = [0; MAX_TITLE_BYTES];
        self.title[..end].copy_from_slice(&title.as_bytes()[..end]);
        self.title_bytes = u32::try_from(end).unwrap_or(0);
    }

    /// As words for the object's data.
    #[must_use]
    pub fn encode(&self) -> [u32; WINDOW_WORDS] {
        let mut words = [0; WINDOW_WORDS];
        words[0] = self.x.cast_unsigned();
        words[1] = self.y.cast_unsigned();
        words[2] = self.width;
        words[3] = self.height;
        words[4] = self.min_width;
        words[5] = self.min_height;
        words[6] = self.max_width;
        words[7] = self.max_height;
        words[8] = u32::from(self.offscreen) * FLAG_OFFSCREEN | u32::from(self.popup) * FLAG_POPUP;
        words[9] = self.parent;
        words[10..15].copy_from_slice(&self.procedures);
        words[15] = self.registers;
        words[16] = self.cursor;
        words[17] = self.update_serial;
        words[18] = self.title_bytes;
        for (word, bytes) in words[TITLE_WORD..].iter_mut().zip(self.title.chunks_exact(4)) {
            *word = u32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]);
        }
        words
    }

    /// From words: takes any, checks none of them.
    #[must_use]
    pub fn decode(words: &[u32; WINDOW_WORDS]) -> WindowDesc {
        let mut title = [0; MAX_TITLE_BYTES];
        for (bytes, word) in title.chunks_exact_mut(4).zip(&words[TITLE_WORD..]) {
            bytes.copy_from_slice(&word.to_le_bytes());
        }
        WindowDesc {
            x: words[0].cast_signed(),
            y: words[1].cast_signed(),
            width: words[2],
            height: words[3],
            min_width: words[4],
            min_height: words[5],
            max_width: words[6],
            max_height: words[7],
            offscreen: words[8] & FLAG_OFFSCREEN != 0,
            popup: words[8] & planted!(PopupIsOffscreen, FLAG_OFFSCREEN, FLAG_POPUP) != 0,
            parent: words[9],
            procedures: [words[10], words[11], words[12], words[13], words[14]],
            registers: words[15],
            cursor: words[16],
            update_serial: words[17],
            title_bytes: words[18],
            title,
        }
    }
}

/// A slot of the VSO array, as copied in: nothing in it is checked but the version's parity.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Slot {
    /// Version, see [`slot::VERSION`].
    pub version: u32,
    /// Object id.
    pub oid: u32,
    /// Type code.
    pub type_code: u32,
    /// Bytes of data.
    pub bytes: u32,
    /// Extents in use.
    pub extent_count: u32,
    /// Parameters.
    pub params: [u32; 8],
    /// Pairs {first page, pages}.
    pub extents: [(u32, u32); MAX_EXTENTS],
}

impl Slot {
    /// As words.
    #[must_use]
    pub fn encode(&self) -> [u32; SLOT_WORDS] {
        let mut words = [0; SLOT_WORDS];
        words[slot::VERSION] = self.version;
        words[slot::OID] = self.oid;
        words[slot::TYPE] = self.type_code;
        words[slot::BYTES] = self.bytes;
        words[slot::EXTENTS] = self.extent_count;
        words[slot::PARAMS..slot::PARAMS + 8].copy_from_slice(&self.params);
        for (pair, &(first, pages)) in words[slot::EXTENT_LIST..].chunks_exact_mut(2).zip(&self.extents) {
            pair.copy_from_slice(&[first, pages]);
        }
        words
    }

    /// From words: takes any, checks none of them.
    #[must_use]
    pub fn decode(words: &[u32; SLOT_WORDS]) -> Slot {
        let mut params = [0; 8];
        params.copy_from_slice(&words[slot::PARAMS..slot::PARAMS + 8]);
        let mut extents = [(0, 0); MAX_EXTENTS];
        for (extent, pair) in extents.iter_mut().zip(words[slot::EXTENT_LIST..].chunks_exact(2)) {
            *extent = planted!(ExtentSwapped, (pair[1], pair[0]), (pair[0], pair[1]));
        }
        Slot {
            version: words[slot::VERSION],
            oid: words[slot::OID],
            type_code: words[slot::TYPE],
            bytes: words[slot::BYTES],
            extent_count: words[slot::EXTENTS],
            params,
            extents,
        }
    }
}

/// What an event says. Its words `a..d` by kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u32)]
pub enum EventKind {
    /// Pointer moved: a = x, b = y (pixels from the window's upper left corner, `i32`), c = buttons, d = 1 if it left the window
    /// (the place is its last one inside), else 0.
    Pointer = 1,
    /// Button: a = x, b = y, c = buttons held after it, d = button number | pressed << 8.
    Button = 2,
    /// Wheel: a = x, b = y, c = steps (`i32`).
    Wheel = 3,
    /// Key: a = evdev code, b = 1 down or 0 up.
    Key = 4,
    /// Focus: a = 1 gained or 0 lost.
    Focus = 5,
    /// Window moved or resized: a = x, b = y, c = width, d = height.
    Reshape = 6,
    /// The user asks the window to close.
    Close = 7,
    /// A frame that shows the window was presented: a, b = frame number low, high; c, d = its time low, high.
    Presented = 8,
    /// A procedure was refused: a = OID, b = rule, c = op index, d = operand (from 0; `u32::MAX` = none).
    ProcedureRejected = 9,
    /// Another object was refused: a = OID, b = [`ObjectError`] code, c and d = values.
    ObjectRejected = 10,
    /// A callback was stopped: a = callback code, b = [`QuotaKind`] code, c = the limit.
    Quota = 11,
    /// A procedure ran `notify`: a = value.
    Notify = 12,
}

impl EventKind {
    /// All kinds.
    pub const ALL: [EventKind; 12] = [
        EventKind::Pointer,
        EventKind::Button,
        EventKind::Wheel,
        EventKind::Key,
        EventKind::Focus,
        EventKind::Reshape,
        EventKind::Close,
        EventKind::Presented,
        EventKind::ProcedureRejected,
        EventKind::ObjectRejected,
        EventKind::Quota,
        EventKind::Notify,
    ];

    /// The kind of a code.
    #[must_use]
    pub fn from_code(code: u32) -> Option<EventKind> {
        EventKind::ALL.into_iter().find(|&k| k as u32 == code)
    }
}

/// Why an object that is no procedure was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u32)]
pub enum ObjectError {
    /// The type code is unknown: c = code.
    UnknownType = 1,
    /// The OID is 0 or another slot has it already: c = slot.
    BadOid = 2,
    /// More extents than a slot has: c = count.
    TooManyExtents = 3,
    /// An extent is empty or outside the data pages: c = extent, d = its first page.
    BadExtent = 4,
    /// The extents are too short for the data: c = bytes, d = bytes in the extents.
    ExtentsTooShort = 5,
    /// The data is too short or too long for the type: c = bytes, d = bytes wanted.
    BadSize = 6,
    /// A parameter has no such value: c = parameter, d = value.
    BadParameter = 7,
    /// A window names an object that is missing or of the wrong type: c = the word of the description, d = OID.
    BadReference = 8,
    /// Too many of this type: c = limit.
    TooMany = 9,
    /// A window's parent is itself, or a chain of parents goes round: c = parent.
    BadParent = 10,
    /// The copies of the context's objects would exceed its budget: c = bytes, d = bytes left.
    OverBudget = 11,
}

impl ObjectError {
    /// All errors.
    pub const ALL: [ObjectError; 11] = [
        ObjectError::UnknownType,
        ObjectError::BadOid,
        ObjectError::TooManyExtents,
        ObjectError::BadExtent,
        ObjectError::ExtentsTooShort,
        ObjectError::BadSize,
        ObjectError::BadParameter,
        ObjectError::BadReference,
        ObjectError::TooMany,
        ObjectError::BadParent,
        ObjectError::OverBudget,
    ];

    /// The error of a code.
    #[must_use]
    pub fn from_code(code: u32) -> Option<ObjectError> {
        ObjectError::ALL.into_iter().find(|&e| e as u32 == code)
    }

    /// What to tell the client's developer.
    #[must_use]
    pub fn message(self) -> &'static str {
        match self {
            ObjectError::UnknownType => "the slot's type code is unknown",
            ObjectError::BadOid => "the OID is 0 or used by another slot",
            ObjectError::TooManyExtents => "a slot holds at most 8 extents",
            ObjectError::BadExtent => "an extent is empty or outside the context's data pages",
            ObjectError::ExtentsTooShort => "the extents hold fewer bytes than the object says it has",
            ObjectError::BadSize => "the data has not the size that its type needs",
            ObjectError::BadParameter => "a parameter has no such value",
            ObjectError::BadReference => "the window names an object that is missing or of another type",
            ObjectError::TooMany => "too many objects of this type",
            ObjectError::BadParent => "the chain of parent windows goes round",
            ObjectError::OverBudget => "the context's objects together are larger than its memory allows",
        }
    }
}

/// Which quota stopped a callback.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u32)]
pub enum QuotaKind {
    /// Fuel: ops, display list calls included.
    Fuel = 1,
    /// Vertices drawn.
    Vertices = 2,
    /// Bytes of the client's display lists: the window has lost its own.
    Lists = 3,
    /// Pixels of the client's off-screen buffers: the window is drawn directly, or not at all if it is slow.
    Buffers = 4,
    /// Draw calls and clears: those above the limit were left out.
    Draws = 5,
    /// Milliseconds of drawing: the window is slow from now on, and drawn in slices.
    Time = 6,
}

/// An event as it stands in the ring.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Event {
    /// [`EventKind`] code.
    pub kind: u32,
    /// OID of the window; 0 = none.
    pub window: u32,
    /// Server clock, nanoseconds.
    pub time: u64,
    /// Words by kind.
    pub words: [u32; 4],
}

impl Event {
    /// As words.
    #[must_use]
    pub fn encode(&self) -> [u32; 8] {
        let [low, high] = split(self.time);
        let [a, b, c, d] = self.words;
        [self.kind, self.window, low, high, a, b, c, d]
    }

    /// From words.
    #[must_use]
    pub fn decode(words: [u32; 8]) -> Event {
        let [kind, window, low, high, a, b, c, d] = words;
        Event {
            kind,
            window,
            time: planted!(TimeHalved, u64::from(low), join(low, high)),
            words: [a, b, c, d],
        }
    }
}

/// A `u64` as {low, high} words.
#[must_use]
#[allow(clippy::cast_possible_truncation, reason = "takes the two halves apart")]
pub const fn split(value: u64) -> [u32; 2] {
    [value as u32, (value >> 32) as u32]
}

/// The `u64` of {low, high} words.
#[must_use]
pub const fn join(low: u32, high: u32) -> u64 {
    (high as u64) << 32 | low as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn layout_is_as_documented() {
        assert_eq!((ARRAY_PAGE, DATA_PAGE), (3, 19));
    }

    #[test]
    fn structures_survive_their_encoding() {
        let mut desc = WindowDesc {
            x: -5,
            procedures: [1, 2, 3, 4, 5],
            popup: true,
            parent: 9,
            ..WindowDesc::default()
        };
        desc.set_title("Gears");
        assert_eq!(WindowDesc::decode(&desc.encode()), desc);
        let slot = Slot {
            version: 2,
            oid: 3,
            type_code: 1,
            bytes: 256,
            extent_count: 1,
            params: [1, 2, 3, 4, 5, 6, 7, 8],
            extents: [(19, 1), (0, 0), (0, 0), (0, 0), (0, 0), (0, 0), (0, 0), (7, 8)],
        };
        assert_eq!(Slot::decode(&slot.encode()), slot);
        let event = Event { kind: 1, window: 2, time: u64::MAX - 5, words: [1, 2, 3, 4] };
        assert_eq!(Event::decode(event.encode()), event);
    }
}
