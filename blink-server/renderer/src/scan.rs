//! The scan of a context's VSO array: copies in what changed, checks it, says what it is.
//!
//! The theorem for everything behind this module: an [`Object`] was copied once, its sizes and
//! parameters are within limits, and its bytes are private. What one object says about another
//! (a window's procedures) is not checked here but where it is used, as objects come and go.
//!
//! A scan is all or nothing: if the client committed while it ran, all copies are thrown away and it
//! starts over, at most [`MAX_SCAN_RETRIES`] times; then the next frame tries again. So no frame
//! shows half a commit, and a client that commits without pause only starves itself.

use blinkgl::layout::texture::{Format, Rows, TextureDesc};
use blinkgl::layout::{
    self, DATA_PAGE, ObjectError, ObjectType, SLOT_WORDS, Slot, WINDOW_WORDS, WindowDesc, context, cursor,
    slot, texture,
};
use blinkgl::limits::{
    MAX_CONTEXT_PROGRAM_WORDS, MAX_CURSOR_SIZE, MAX_EXTENTS, MAX_OBJECTS, MAX_PROGRAM_WORDS,
    MAX_TEXTURE_SIZE, MAX_WINDOWS, PAGE_SIZE, REGISTERS,
};
use blinkgl::ops::Callback;
use blinkgl::shm::{OutOfBounds, Shm, ShmOffset};
use blinkgl::wire::{HEADER_WORDS, WireProgram};
use ipc::limits::MAX_SCAN_RETRIES;
use std::collections::HashMap;

/// An object as copied in and checked by itself.
#[derive(Clone, Debug)]
pub enum Object {
    /// A window's description.
    Window(Box<WindowDesc>),
    /// A procedure, still to be verified.
    Procedure {
        /// The callback that it is for.
        callback: Callback,
        /// Its words.
        program: WireProgram,
    },
    /// A texture.
    Texture(Texture),
    /// A vertex or index buffer.
    Buffer {
        /// Its bytes.
        bytes: Vec<u8>,
    },
    /// A register file, used in place.
    Registers {
        /// Where its words are in the context.
        at: ShmOffset,
    },
    /// A cursor image.
    Cursor(Cursor),
}

/// A texture's pixels, within limits.
#[derive(Clone, Debug)]
pub struct Texture {
    /// Its shape.
    pub desc: TextureDesc,
    /// The rows of level 0 that changed, if nothing else did since the last update of this OID.
    pub rows: Option<Rows>,
    /// Those rows, or all `desc.bytes()` bytes.
    pub bytes: Vec<u8>,
}

/// A cursor image: `width * height * 4` bytes BGRA.
#[derive(Clone, Debug)]
pub struct Cursor {
    /// Pixels.
    pub width: u32,
    /// Pixels.
    pub height: u32,
    /// Hot spot from the left.
    pub hot_x: u32,
    /// Hot spot from the top.
    pub hot_y: u32,
    /// BGRA.
    pub bytes: Vec<u8>,
}

/// Why an object was refused: what the client is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// The rule.
    pub error: ObjectError,
    /// Values by error, see [`ObjectError`].
    pub values: [u32; 2],
}

impl std::fmt::Display for Refusal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let [c, d] = self.values;
        write!(f, "{} ({c}, {d})", self.error.message())
    }
}

/// What a scan found different from the one before.
#[derive(Clone, Debug)]
pub enum Change {
    /// The slot holds this object now.
    Updated {
        /// Its id.
        oid: u32,
        /// Its version.
        version: u32,
        /// It.
        object: Object,
    },
    /// The slot holds something that was refused; what the OID named before stays in use.
    Refused {
        /// Its id, as the slot says.
        oid: u32,
        /// What it wanted to be, if that is a type.
        kind: Option<ObjectType>,
        /// Why.
        refusal: Refusal,
    },
    /// The object is gone.
    Removed {
        /// Its id.
        oid: u32,
    },
}

/// Result of a scan.
#[derive(Debug)]
pub enum Scan {
    /// What changed; `commit` is the commit counter it belongs to.
    Done {
        /// In slot order, removals first.
        changes: Vec<Change>,
        /// To be written back as `SCANNED`.
        commit: u32,
    },
    /// The client was in the middle of a commit each time: try again.
    Busy,
}

/// What the last scan saw in a slot.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Seen {
    version: u32,
    /// 0 = the slot was free.
    oid: u32,
    type_code: u32,
    /// Bytes that the object's copy took of the budget.
    bytes: usize,
    /// The slot's object is the one in use for its OID (not refused as a duplicate).
    owner: bool,
    /// Version and shape of the texture in use for its OID.
    texture: Option<(u32, TextureDesc)>,
}

/// A context's VSO array as the last scan saw it.
#[derive(Debug, Default)]
pub struct Array {
    seen: Vec<Seen>,
}

impl Array {
    /// Scans.
    ///
    /// # Errors
    /// The context has no room for its own fixed pages: it was not checked by the caller.
    pub fn scan(&mut self, memory: &Shm) -> Result<Scan, OutOfBounds> {
        for _ in 0..=MAX_SCAN_RETRIES {
            let commit = memory.load(ShmOffset(context::COMMIT))?;
            if !commit.is_multiple_of(2) {
                continue;
            }
            let mut attempt = Attempt::new(memory, &self.seen);
            let stable = attempt.run()?;
            // The copies above are complete before this load: `Shm::copy_in` ends with an acquire fence.
            if stable && memory.load(ShmOffset(context::COMMIT))? == commit {
                let Attempt { now, removed, updated, .. } = attempt;
                self.seen = now;
                let mut changes = removed;
                changes.extend(updated);
                return Ok(Scan::Done { changes, commit });
            }
        }
        Ok(Scan::Busy)
    }

    /// What an OID named before stays in use although its slot holds something else: it takes `bytes` at least.
    pub fn keep(&mut self, oid: u32, bytes: usize) {
        if let Some(seen) = self.seen.iter_mut().find(|s| s.owner && s.oid == oid) {
            seen.bytes = seen.bytes.max(bytes);
        }
    }

    /// The texture that an OID names was lost: its next update is taken as a whole.
    pub fn forget_texture(&mut self, oid: u32) {
        for seen in self.seen.iter_mut().filter(|s| s.oid == oid) {
            seen.texture = None;
        }
    }

    /// Bytes copied for the objects in use.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.seen.iter().map(|s| s.bytes).sum()
    }

    /// Slots in use.
    #[must_use]
    pub fn objects(&self) -> usize {
        self.seen.iter().filter(|s| s.oid != 0).count()
    }
}

/// One try of a scan.
struct Attempt<'a> {
    memory: &'a Shm,
    before: &'a [Seen],
    now: Vec<Seen>,
    removed: Vec<Change>,
    updated: Vec<Change>,
    /// OID -> slot, of the slots that own theirs.
    owners: HashMap<u32, usize>,
    /// Bytes that copies may still take: an honest client's objects don't share pages, so that they
    /// can't be more than its memory.
    budget: usize,
    program_budget: usize,
    windows: usize,
}

impl<'a> Attempt<'a> {
    fn new(memory: &'a Shm, before: &'a [Seen]) -> Attempt<'a> {
        Attempt {
            memory,
            before,
            now: Vec::new(),
            removed: Vec::new(),
            updated: Vec::new(),
            owners: HashMap::new(),
            budget: memory.size(),
            program_budget: MAX_CONTEXT_PROGRAM_WORDS * 4,
            windows: 0,
        }
    }

    /// False: a slot was being written.
    fn run(&mut self) -> Result<bool, OutOfBounds> {
        let slots = self.memory.load(ShmOffset(context::SLOTS))?;
        let slots = usize::try_from(slots).unwrap_or(MAX_OBJECTS).min(MAX_OBJECTS);
        self.now = vec![Seen::default(); slots];
        let mut changed = Vec::new();
        // Unchanged objects first: they keep their OIDs and their part of the budgets.
        for index in 0..slots {
            let at = layout::slot_offset(index);
            let version = self.memory.load(ShmOffset(at + slot::VERSION * 4))?;
            let before = self.before.get(index).copied().unwrap_or_default();
            if version == before.version {
                self.now[index] = before;
                if before.owner {
                    self.owners.insert(before.oid, index);
                }
                self.take_budget(before.type_code, before.bytes);
            } else if version.is_multiple_of(2) {
                changed.push(index);
            } else {
                return Ok(false);
            }
        }
        let mut slots_words = Vec::with_capacity(changed.len());
        for &index in &changed {
            let mut words = [0; SLOT_WORDS];
            self.memory.copy_in(ShmOffset(layout::slot_offset(index)), &mut words)?;
            slots_words.push((index, Slot::decode(&words)));
        }
        for (index, untrusted) in slots_words {
            self.slot(index, &untrusted);
        }
        for (index, before) in self.before.iter().enumerate() {
            let after = self.now.get(index).copied().unwrap_or_default();
            let moved_on = before.owner && !(after.owner && after.oid == before.oid);
            if moved_on && !self.owners.contains_key(&before.oid) {
                self.removed.push(Change::Removed { oid: before.oid });
            }
        }
        Ok(true)
    }

    fn take_budget(&mut self, type_code: u32, bytes: usize) {
        self.budget = self.budget.saturating_sub(bytes);
        if type_code == ObjectType::Procedure as u32 {
            self.program_budget = self.program_budget.saturating_sub(bytes);
        }
        if type_code == ObjectType::Window as u32 {
            self.windows += 1;
        }
    }

    fn slot(&mut self, index: usize, untrusted: &Slot) {
        let mut seen = Seen { version: untrusted.version, ..Seen::default() };
        if untrusted.type_code == 0 {
            self.now[index] = seen;
            return;
        }
        match self.object(index, untrusted) {
            Ok((object, bytes)) => {
                seen.type_code = untrusted.type_code;
                seen.oid = untrusted.oid;
                seen.owner = true;
                seen.bytes = bytes;
                if let Object::Texture(texture) = &object {
                    seen.texture = Some((untrusted.version, texture.desc));
                }
                self.owners.insert(untrusted.oid, index);
                self.take_budget(untrusted.type_code, bytes);
                let version = untrusted.version;
                self.updated.push(Change::Updated { oid: untrusted.oid, version, object });
            }
            Err(refusal) => {
                // The OID stays this slot's, so that its last good object is not taken for removed.
                let before = self.before.get(index).copied().unwrap_or_default();
                if before.owner && before.oid == untrusted.oid {
                    seen.oid = before.oid;
                    seen.owner = true;
                    seen.type_code = before.type_code;
                    seen.bytes = before.bytes;
                    seen.texture = before.texture;
                    self.owners.insert(before.oid, index);
                    self.take_budget(before.type_code, before.bytes);
                }
                let kind = ObjectType::from_code(untrusted.type_code);
                self.updated.push(Change::Refused { oid: untrusted.oid, kind, refusal });
            }
        }
        self.now[index] = seen;
    }

    /// Checks and copies an object; with it the bytes that it takes of the budget.
    fn object(&self, index: usize, untrusted: &Slot) -> Result<(Object, usize), Refusal> {
        let owner = self.owners.get(&untrusted.oid);
        if untrusted.oid == 0 || owner.is_some_and(|&o| o != index) {
            return Err(refuse(ObjectError::BadOid, owner.map_or(0, |&o| to_u32(o)), 0));
        }
        let checked = Checked::new(untrusted)?;
        let extents = Extents::check(untrusted, self.memory.size() / PAGE_SIZE)?;
        let bytes = usize::try_from(untrusted.bytes).unwrap_or(usize::MAX);
        let budget = match checked {
            Checked::Procedure(_) => self.budget.min(self.program_budget),
            Checked::Window if self.windows >= MAX_WINDOWS => {
                return Err(refuse(ObjectError::TooMany, to_u32(MAX_WINDOWS), 0));
            }
            Checked::Window
            | Checked::Registers
            | Checked::Texture(..)
            | Checked::Cursor
            | Checked::Buffer => self.budget,
        };
        if bytes > budget {
            return Err(refuse(ObjectError::OverBudget, untrusted.bytes, to_u32(budget)));
        }
        let params = &untrusted.params;
        let object = match checked {
            Checked::Window => {
                let mut words = [0; WINDOW_WORDS];
                for (to, from) in words.iter_mut().zip(extents.copy_words(self.memory, WINDOW_WORDS)?) {
                    *to = from;
                }
                Object::Window(Box::new(WindowDesc::decode(&words)))
            }
            Checked::Registers => Object::Registers { at: extents.first() },
            Checked::Procedure(callback) => {
                let words = extents.copy_words(self.memory, bytes / 4)?;
                Object::Procedure { callback, program: WireProgram::from_words(words) }
            }
            Checked::Texture(desc, rows) => {
                // Rows are enough if the rest is what the last update of this OID brought.
                let before = self.before.get(index).copied().unwrap_or_default();
                let base = (params[texture::BASE_VERSION], desc);
                let rows = rows.filter(|_| before.oid == untrusted.oid && before.texture == Some(base));
                let bytes = match rows {
                    Some(rows) => {
                        // No overflow: the rows are in the image, which has at most `bytes` bytes.
                        let [first, count] = [rows.first, rows.count].map(|n| (n * desc.stride) as usize);
                        extents.copy_part(self.memory, first, count)?
                    }
                    None => extents.copy_bytes(self.memory, bytes)?,
                };
                Object::Texture(Texture { desc, rows, bytes })
            }
            Checked::Cursor => Object::Cursor(Cursor {
                width: params[cursor::WIDTH],
                height: params[cursor::HEIGHT],
                hot_x: params[cursor::HOT_X],
                hot_y: params[cursor::HOT_Y],
                bytes: extents.copy_bytes(self.memory, bytes)?,
            }),
            Checked::Buffer => Object::Buffer { bytes: extents.copy_bytes(self.memory, bytes)? },
        };
        Ok((object, bytes))
    }
}

/// A slot whose size and parameters are what its type allows.
#[derive(Clone, Copy, Debug)]
enum Checked {
    Window,
    Procedure(Callback),
    Texture(TextureDesc, Option<Rows>),
    Buffer,
    Registers,
    Cursor,
}

impl Checked {
    fn new(untrusted: &Slot) -> Result<Checked, Refusal> {
        let kind = ObjectType::from_code(untrusted.type_code)
            .ok_or_else(|| refuse(ObjectError::UnknownType, untrusted.type_code, 0))?;
        let bytes = usize::try_from(untrusted.bytes).unwrap_or(usize::MAX);
        let exactly = |wanted: usize, checked: Checked| {
            if bytes == wanted { Ok(checked) } else { Err(wrong_size(bytes, wanted)) }
        };
        let params = &untrusted.params;
        match kind {
            ObjectType::Window => exactly(WINDOW_WORDS * 4, Checked::Window),
            ObjectType::Registers => exactly(REGISTERS * 4, Checked::Registers),
            ObjectType::Procedure => {
                let callback = Callback::from_code(params[0]).ok_or_else(|| bad_parameter(0, params))?;
                if !bytes.is_multiple_of(4) || bytes < HEADER_WORDS * 4 {
                    return Err(wrong_size(bytes, HEADER_WORDS * 4));
                }
                if bytes > MAX_PROGRAM_WORDS * 4 {
                    return Err(wrong_size(bytes, MAX_PROGRAM_WORDS * 4));
                }
                Ok(Checked::Procedure(callback))
            }
            ObjectType::Texture => texture(params, bytes),
            ObjectType::Cursor => {
                for side in [cursor::WIDTH, cursor::HEIGHT] {
                    if params[side] == 0 || params[side] > MAX_CURSOR_SIZE {
                        return Err(bad_parameter(side, params));
                    }
                }
                for (hot, side) in [(cursor::HOT_X, cursor::WIDTH), (cursor::HOT_Y, cursor::HEIGHT)] {
                    if params[hot] >= params[side] {
                        return Err(bad_parameter(hot, params));
                    }
                }
                // No overflow: both are at most MAX_CURSOR_SIZE.
                exactly((params[cursor::WIDTH] * params[cursor::HEIGHT] * 4) as usize, Checked::Cursor)
            }
            ObjectType::VertexBuffer | ObjectType::IndexBuffer => Ok(Checked::Buffer),
        }
    }
}

fn to_u32(value: usize) -> u32 {
    u32::try_from(value).unwrap_or(u32::MAX)
}

/// Checked extents lie inside the memory, so that a copy can't miss; if it did, the extent is to blame.
impl From<OutOfBounds> for Refusal {
    fn from(_: OutOfBounds) -> Refusal {
        refuse(ObjectError::BadExtent, 0, 0)
    }
}

fn refuse(error: ObjectError, c: u32, d: u32) -> Refusal {
    Refusal { error, values: [c, d] }
}

fn bad_parameter(parameter: usize, params: &[u32; 8]) -> Refusal {
    refuse(ObjectError::BadParameter, to_u32(parameter), params[parameter])
}

fn wrong_size(bytes: usize, wanted: usize) -> Refusal {
    refuse(ObjectError::BadSize, to_u32(bytes), to_u32(wanted))
}

fn texture(params: &[u32; 8], bytes: usize) -> Result<Checked, Refusal> {
    let desc = TextureDesc::decode(params).map_err(|parameter| bad_parameter(parameter, params))?;
    for side in [texture::WIDTH, texture::HEIGHT] {
        if params[side] == 0 || params[side] > MAX_TEXTURE_SIZE {
            return Err(bad_parameter(side, params));
        }
    }
    let TextureDesc { format, width, height, stride, .. } = desc;
    let unaligned = !stride.is_multiple_of(format.texel_bytes());
    if stride < format.min_stride(width) || stride > MAX_TEXTURE_SIZE * 8 || unaligned {
        return Err(bad_parameter(texture::STRIDE, params));
    }
    if !desc.levels_exist() {
        return Err(bad_parameter(texture::LEVELS, params));
    }
    let rows = Rows::from_code(params[texture::ROWS]);
    if rows.is_some_and(|rows| rows.count == 0 || rows.end() > height || format == Format::Yuv420) {
        return Err(bad_parameter(texture::ROWS, params));
    }
    let wanted = desc.bytes().unwrap_or(usize::MAX);
    if bytes != wanted {
        return Err(wrong_size(bytes, wanted));
    }
    Ok(Checked::Texture(desc, rows))
}

/// Checked extents: inside the context's data pages, together at least as long as the object.
struct Extents {
    /// (byte offset, bytes).
    runs: Vec<(usize, usize)>,
}

impl Extents {
    fn check(untrusted: &Slot, pages: usize) -> Result<Extents, Refusal> {
        let count = usize::try_from(untrusted.extent_count).unwrap_or(usize::MAX);
        if count > MAX_EXTENTS {
            return Err(refuse(ObjectError::TooManyExtents, untrusted.extent_count, 0));
        }
        let mut runs = Vec::with_capacity(count);
        let mut total = 0usize;
        for (i, &(first, length)) in untrusted.extents.iter().take(count).enumerate() {
            let bad = refuse(ObjectError::BadExtent, to_u32(i), first);
            let (Ok(first), Ok(length)) = (usize::try_from(first), usize::try_from(length)) else {
                return Err(bad);
            };
            let end = first.checked_add(length).ok_or(bad)?;
            if length == 0 || first < DATA_PAGE || end > pages {
                return Err(bad);
            }
            // No overflow: `end <= pages`, and the context's bytes fit a usize.
            runs.push((first * PAGE_SIZE, length * PAGE_SIZE));
            total = total.saturating_add(length * PAGE_SIZE);
        }
        if runs.is_empty() || total < usize::try_from(untrusted.bytes).unwrap_or(usize::MAX) {
            return Err(refuse(ObjectError::ExtentsTooShort, untrusted.bytes, to_u32(total)));
        }
        Ok(Extents { runs })
    }

    fn first(&self) -> ShmOffset {
        ShmOffset(self.runs.first().map_or(0, |&(offset, _)| offset))
    }

    fn copy_words(&self, memory: &Shm, words: usize) -> Result<Vec<u32>, Refusal> {
        let mut copied = vec![0; words];
        let mut rest = copied.as_mut_slice();
        for &(offset, bytes) in &self.runs {
            let (now, later) = rest.split_at_mut(rest.len().min(bytes / 4));
            memory.copy_in(ShmOffset(offset), now)?;
            rest = later;
        }
        Ok(copied)
    }

    fn copy_bytes(&self, memory: &Shm, bytes: usize) -> Result<Vec<u8>, Refusal> {
        let mut copied = Vec::with_capacity(bytes.next_multiple_of(8));
        for &(offset, length) in &self.runs {
            let length = length.min(bytes - copied.len());
            memory.copy_bytes_in(ShmOffset(offset), length, &mut copied)?;
        }
        Ok(copied)
    }

    /// Copies `bytes` bytes from `start` on; less if the extents end before.
    fn copy_part(&self, memory: &Shm, start: usize, bytes: usize) -> Result<Vec<u8>, Refusal> {
        let mut copied = Vec::with_capacity(bytes.next_multiple_of(8) + 8);
        let mut skip = start;
        let mut rest = bytes;
        for &(offset, length) in &self.runs {
            if skip >= length {
                skip -= length;
                continue;
            }
            let now = rest.min(length - skip);
            // Bulk copies start at double words, which the pages of an extent begin with.
            let before = skip % 8;
            let at = copied.len();
            memory.copy_bytes_in(ShmOffset(offset + skip - before), now + before, &mut copied)?;
            copied.drain(at..at + before);
            rest -= now;
            skip = 0;
            if rest == 0 {
                break;
            }
        }
        Ok(copied)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAGES: usize = 64;

    /// A client that does by hand what the client library does.
    struct Writer {
        memory: Shm,
        version: u32,
    }

    impl Writer {
        fn new() -> Writer {
            Writer { memory: Shm::anonymous(PAGES * PAGE_SIZE), version: 0 }
        }

        fn slot(&mut self, index: usize, slot: Slot) {
            self.version += 2;
            let slot = Slot { version: self.version, ..slot };
            self.memory.copy_out(ShmOffset(layout::slot_offset(index)), &slot.encode()).unwrap();
            let slots = self.memory.load(ShmOffset(context::SLOTS)).unwrap().max(to_u32(index) + 1);
            self.memory.store(ShmOffset(context::SLOTS), slots).unwrap();
        }

        fn scan(&self, array: &mut Array) -> Vec<Change> {
            match array.scan(&self.memory).unwrap() {
                Scan::Done { changes, .. } => changes,
                Scan::Busy => panic!("busy"),
            }
        }
    }

    fn object(oid: u32, kind: ObjectType, bytes: u32, page: u32) -> Slot {
        let mut extents = [(0, 0); MAX_EXTENTS];
        extents[0] = (page, bytes.div_ceil(4096).max(1));
        Slot { version: 0, oid, type_code: kind as u32, bytes, extent_count: 1, params: [0; 8], extents }
    }

    fn registers(oid: u32, page: u32) -> Slot {
        object(oid, ObjectType::Registers, 128, page)
    }

    fn refusals(changes: &[Change]) -> Vec<ObjectError> {
        changes
            .iter()
            .map(|c| match c {
                Change::Refused { refusal, .. } => refusal.error,
                Change::Updated { .. } | Change::Removed { .. } => panic!("{c:?}"),
            })
            .collect()
    }

    #[test]
    fn only_changes_are_seen() {
        let mut writer = Writer::new();
        let mut array = Array::default();
        writer.slot(0, registers(5, 19));
        writer.slot(2, registers(6, 20));
        assert_eq!(writer.scan(&mut array).len(), 2);
        assert_eq!(writer.scan(&mut array).len(), 0);
        writer.slot(2, registers(6, 21));
        assert!(matches!(
            writer.scan(&mut array).as_slice(),
            [Change::Updated { oid: 6, object: Object::Registers { at }, .. }] if at.0 == 21 * PAGE_SIZE
        ));
        writer.slot(0, Slot { type_code: 0, ..registers(5, 19) });
        assert!(matches!(writer.scan(&mut array).as_slice(), [Change::Removed { oid: 5 }]));
        assert_eq!((array.objects(), array.bytes()), (1, 128));
    }

    #[test]
    fn an_object_may_move_to_another_slot() {
        let mut writer = Writer::new();
        let mut array = Array::default();
        writer.slot(3, registers(5, 19));
        writer.scan(&mut array);
        writer.slot(3, Slot { type_code: 0, ..registers(5, 19) });
        writer.slot(1, registers(5, 20));
        let changes = writer.scan(&mut array);
        assert!(matches!(changes.as_slice(), [Change::Updated { oid: 5, .. }]), "{changes:?}");
    }

    #[test]
    fn nothing_is_taken_from_the_middle_of_a_commit() {
        let mut writer = Writer::new();
        let mut array = Array::default();
        writer.memory.store(ShmOffset(context::COMMIT), 1).unwrap();
        writer.slot(0, registers(5, 19));
        assert!(matches!(array.scan(&writer.memory).unwrap(), Scan::Busy));
        // A slot that is being written, without a commit around it: the same.
        writer.memory.store(ShmOffset(context::COMMIT), 2).unwrap();
        writer.memory.store(ShmOffset(layout::slot_offset(0)), 7).unwrap();
        assert!(
            matches!(array.scan(&writer.memory).unwrap(), Scan::Done { ref changes, .. } if changes.is_empty())
                || matches!(array.scan(&writer.memory).unwrap(), Scan::Busy)
        );
        writer.slot(0, registers(5, 19));
        assert_eq!(writer.scan(&mut array).len(), 1);
    }

    #[test]
    fn wrong_page_lists_are_refused() {
        let pages = to_u32(PAGES);
        let mut cases = Vec::new();
        for (first, length) in
            [(0, 1), (18, 1), (pages, 1), (pages - 1, 2), (u32::MAX, 2), (20, 0), (20, u32::MAX)]
        {
            let mut slot = registers(9, 19);
            slot.extents[0] = (first, length);
            cases.push((slot, ObjectError::BadExtent));
        }
        cases.push((Slot { extent_count: 9, ..registers(9, 19) }, ObjectError::TooManyExtents));
        cases.push((Slot { extent_count: 0, ..registers(9, 19) }, ObjectError::ExtentsTooShort));
        cases.push((
            Slot { bytes: 5000, extents: [(20, 1); 8], ..object(9, ObjectType::VertexBuffer, 5000, 20) },
            ObjectError::ExtentsTooShort,
        ));
        for (slot, error) in cases {
            let mut writer = Writer::new();
            writer.slot(0, slot.clone());
            assert_eq!(refusals(&writer.scan(&mut Array::default())), [error], "{slot:?}");
        }
    }

    #[test]
    fn wrong_sizes_types_and_parameters_are_refused() {
        let texture = |params: [u32; 8], bytes| Slot { params, ..object(9, ObjectType::Texture, bytes, 19) };
        for (slot, error) in [
            (Slot { type_code: 99, ..registers(9, 19) }, ObjectError::UnknownType),
            (registers(0, 19), ObjectError::BadOid),
            (object(9, ObjectType::Registers, 64, 19), ObjectError::BadSize),
            (object(9, ObjectType::Window, 128, 19), ObjectError::BadSize),
            (object(9, ObjectType::Procedure, 6, 19), ObjectError::BadSize),
            (Slot { params: [5; 8], ..object(9, ObjectType::Procedure, 64, 19) }, ObjectError::BadParameter),
            (texture([9, 8, 8, 32, 0, 0, 0, 0], 256), ObjectError::BadParameter),
            (texture([1, 0, 8, 32, 0, 0, 0, 0], 256), ObjectError::BadParameter),
            (texture([1, 8, 5000, 32, 0, 0, 0, 0], 256), ObjectError::BadParameter),
            (texture([1, 8, 8, 28, 0, 0, 0, 0], 256), ObjectError::BadParameter),
            (texture([1, 8, 8, 33, 0, 0, 0, 0], 264), ObjectError::BadParameter),
            (texture([1, 8, 8, 32, 4, 0, 0, 0], 256), ObjectError::BadParameter),
            (texture([1, 8, 8, 32, 0, 0, 0, 0], 255), ObjectError::BadSize),
            (texture([2, 8, 8, 8, 0, 0, 0, 0], 64), ObjectError::BadSize),
            (texture([8, 8, 8, 32, 0, 0, 0, 0], 256), ObjectError::BadParameter),
            // Strides of no whole texels.
            (texture([3, 8, 8, 34, 0, 0, 0, 0], 272), ObjectError::BadParameter),
            (texture([4, 8, 8, 25, 0, 0, 0, 0], 200), ObjectError::BadParameter),
            (texture([6, 8, 8, 17, 0, 0, 0, 0], 136), ObjectError::BadParameter),
            // Rows that are too short for the format.
            (texture([4, 8, 8, 21, 0, 0, 0, 0], 168), ObjectError::BadParameter),
            (texture([7, 8, 8, 7, 0, 0, 0, 0], 56), ObjectError::BadParameter),
            // Levels that the size or the format has not, or that are not all there.
            (texture([7, 8, 8, 8, 0, 5, 0, 0], 85), ObjectError::BadParameter),
            (texture([7, 8, 8, 8, 0, u32::MAX - 1, 0, 0], 64), ObjectError::BadParameter),
            (texture([2, 8, 8, 8, 0, 2, 0, 0], 96), ObjectError::BadParameter),
            (texture([2, 8, 8, 8, 0, u32::MAX, 0, 0], 96), ObjectError::BadParameter),
            (texture([7, 8, 8, 8, 0, 4, 0, 0], 84), ObjectError::BadSize),
            (texture([7, 8, 8, 8, 0, u32::MAX, 0, 0], 85), ObjectError::BadSize),
            // Rows that the image has not, no rows, and rows of planes.
            (texture([7, 8, 8, 8, 0, 0, 0, 8 | 1 << 16], 64), ObjectError::BadParameter),
            (texture([7, 8, 8, 8, 0, 0, 0, 1 | 8 << 16], 64), ObjectError::BadParameter),
            (texture([7, 8, 8, 8, 0, 0, 0, u32::MAX], 64), ObjectError::BadParameter),
            (texture([7, 8, 8, 8, 0, 0, 0, 3], 64), ObjectError::BadParameter),
            (texture([2, 8, 8, 8, 0, 0, 0, 1 << 16], 96), ObjectError::BadParameter),
            (
                Slot { params: [65, 1, 0, 0, 0, 0, 0, 0], ..object(9, ObjectType::Cursor, 260, 19) },
                ObjectError::BadParameter,
            ),
            (
                Slot { params: [4, 4, 4, 0, 0, 0, 0, 0], ..object(9, ObjectType::Cursor, 64, 19) },
                ObjectError::BadParameter,
            ),
        ] {
            let mut writer = Writer::new();
            writer.slot(0, slot.clone());
            assert_eq!(refusals(&writer.scan(&mut Array::default())), [error], "{slot:?}");
        }
        let mut writer = Writer::new();
        writer.slot(0, texture([2, 7, 7, 8, 3, 0, 0, 0], 8 * 7 + 2 * 4 * 4));
        assert!(matches!(
            writer.scan(&mut Array::default()).as_slice(),
            [Change::Updated { object: Object::Texture(t), .. }] if t.bytes.len() == 88
        ));
        // Each format, with a level, with all that there are, and with those that the server makes.
        for (format, texel) in [(1, 4), (3, 4), (4, 3), (5, 1), (6, 2), (7, 1)] {
            for (levels, texels) in [(0, 35), (1, 35), (3, 35 + 6 + 1), (u32::MAX, 35)] {
                let mut writer = Writer::new();
                let bytes = texels * texel;
                writer.slot(0, texture([format, 7, 5, 7 * texel, 0, levels, 0, 0], bytes));
                assert!(matches!(
                    writer.scan(&mut Array::default()).as_slice(),
                    [Change::Updated { object: Object::Texture(t), .. }] if t.bytes.len() == bytes as usize
                ));
            }
        }
    }

    fn update(changes: &[Change]) -> &Texture {
        // What it replaces is removed before it.
        match changes.last() {
            Some(Change::Updated { object: Object::Texture(texture), .. }) => texture,
            Some(Change::Refused { refusal, .. }) => panic!("{refusal}"),
            Some(Change::Updated { .. } | Change::Removed { .. }) | None => panic!("no texture"),
        }
    }

    /// A texture of 60 rows of 100 bytes, in two extents that don't follow each other.
    fn striped(writer: &Writer, value: u8, base: u32, rows: u32) -> Slot {
        let pixels: Vec<u8> = (0..60).flat_map(|row| [row + value; 100]).collect();
        writer.memory.copy_bytes_out(ShmOffset(30 * PAGE_SIZE), &pixels[..PAGE_SIZE]).unwrap();
        writer.memory.copy_bytes_out(ShmOffset(22 * PAGE_SIZE), &pixels[PAGE_SIZE..]).unwrap();
        let mut slot = object(5, ObjectType::Texture, 6000, 30);
        slot.extents[0] = (30, 1);
        slot.extents[1] = (22, 1);
        Slot { extent_count: 2, params: [5, 100, 60, 100, 0, 0, base, rows], ..slot }
    }

    #[test]
    fn only_changed_rows_are_copied() {
        let mut writer = Writer::new();
        let mut array = Array::default();
        writer.slot(0, striped(&writer, 0, 0, 0));
        let first = writer.version;
        assert_eq!(update(&writer.scan(&mut array)).bytes.len(), 6000);
        // Wherever the rows are: they may go over the end of an extent, and begin and end at any byte.
        for (row, count) in [(0, 1), (59, 1), (38, 5), (40, 1), (41, 7), (3, 57), (0, 60)] {
            let base = writer.version;
            writer.slot(0, striped(&writer, 7, base, row | count << 16));
            let changes = writer.scan(&mut array);
            let texture = update(&changes);
            assert_eq!(texture.rows, Some(Rows { first: row, count }));
            let wanted: Vec<u8> =
                (row..row + count).flat_map(|y| [u8::try_from(y).unwrap() + 7; 100]).collect();
            assert!(texture.bytes == wanted, "{row} {count}");
            assert_eq!(array.bytes(), 6000, "they count as the texture that they are part of");
        }
        // A base that is not what the server has: all is taken.
        for base in [first, 0, 1, writer.version + 2, u32::MAX] {
            writer.slot(0, striped(&writer, 9, base, 3 | 2 << 16));
            let changes = writer.scan(&mut array);
            assert_eq!((update(&changes).rows, update(&changes).bytes.len()), (None, 6000), "{base}");
        }
    }

    /// A base of the right version does not do if it was another texture, or never seen as one.
    #[test]
    fn rows_need_the_texture_that_they_are_rows_of() {
        let rows = 3 | 2 << 16;
        let taken = |change: &dyn Fn(&mut Writer, &mut Array)| {
            let mut writer = Writer::new();
            let mut array = Array::default();
            writer.slot(0, striped(&writer, 0, 0, 0));
            writer.scan(&mut array);
            change(&mut writer, &mut array);
            writer.slot(0, striped(&writer, 9, writer.version, rows));
            update(&writer.scan(&mut array)).bytes.len()
        };
        assert_eq!(taken(&|_, _| {}), 200);
        let scanned = |change: fn(Slot) -> Slot| {
            move |writer: &mut Writer, array: &mut Array| {
                let slot = change(striped(writer, 1, 0, 0));
                writer.slot(0, slot);
                writer.scan(array);
            }
        };
        assert_eq!(taken(&scanned(|slot| slot)), 200);
        assert_eq!(taken(&scanned(|slot| Slot { oid: 6, ..slot })), 6000, "another object");
        assert_eq!(taken(&scanned(|slot| Slot { type_code: 0, ..slot })), 6000, "removed");
        assert_eq!(taken(&scanned(|slot| Slot { type_code: 4, ..slot })), 6000, "another type");
        assert_eq!(taken(&scanned(|slot| Slot { bytes: 5999, ..slot })), 6000, "refused");
        let other = |slot| Slot { params: [7, 100, 60, 100, 0, 0, 0, 0], ..slot };
        assert_eq!(taken(&scanned(other)), 6000, "another format");
        assert_eq!(taken(&|_, array| array.forget_texture(5)), 6000, "lost");
        let moved = |writer: &mut Writer, array: &mut Array| {
            writer.slot(0, Slot { type_code: 0, ..registers(5, 40) });
            writer.slot(1, striped(writer, 3, 0, 0));
            writer.scan(array);
            writer.slot(1, Slot { type_code: 0, ..registers(5, 40) });
        };
        assert_eq!(taken(&moved), 6000, "another slot");
        // A version that was refused is no base, but the one before it still is.
        let mut writer = Writer::new();
        let mut array = Array::default();
        writer.slot(0, striped(&writer, 0, 0, 0));
        let good = writer.version;
        writer.scan(&mut array);
        writer.slot(0, Slot { bytes: 1, ..striped(&writer, 0, 0, 0) });
        writer.scan(&mut array);
        writer.slot(0, striped(&writer, 9, good, rows));
        assert_eq!(update(&writer.scan(&mut array)).bytes.len(), 200);
    }

    #[test]
    fn a_second_object_of_a_name_and_a_refused_one_change_nothing() {
        let mut writer = Writer::new();
        let mut array = Array::default();
        writer.slot(0, registers(5, 19));
        writer.scan(&mut array);
        writer.slot(1, registers(5, 20));
        assert_eq!(refusals(&writer.scan(&mut array)), [ObjectError::BadOid]);
        writer.slot(0, Slot { bytes: 4, ..registers(5, 19) });
        assert_eq!(refusals(&writer.scan(&mut array)), [ObjectError::BadSize], "and not removed");
        writer.slot(0, Slot { type_code: 0, ..registers(5, 19) });
        assert!(matches!(writer.scan(&mut array).as_slice(), [Change::Removed { oid: 5 }]));
    }

    /// Objects that share pages could make the server copy far more than the client has.
    #[test]
    fn copies_never_exceed_the_memory() {
        let mut writer = Writer::new();
        let bytes = to_u32((PAGES - DATA_PAGE) * PAGE_SIZE);
        for index in 0..40 {
            writer.slot(index, object(to_u32(index) + 1, ObjectType::VertexBuffer, bytes, to_u32(DATA_PAGE)));
        }
        let mut array = Array::default();
        let changes = writer.scan(&mut array);
        let refused = changes.iter().filter(|c| matches!(c, Change::Refused { .. })).count();
        assert_eq!(refused, 39);
        assert!(array.bytes() <= PAGES * PAGE_SIZE);
        let mut writer = Writer::new();
        for index in 0..40 {
            writer.slot(index, object(to_u32(index) + 1, ObjectType::Window, 256, 19));
        }
        let changes = writer.scan(&mut Array::default());
        let windows = changes.iter().filter(|c| matches!(c, Change::Updated { .. })).count();
        assert_eq!(windows, MAX_WINDOWS);
    }

    /// Textures whose parameters are nearly right, each based on some version: what is taken over fits its shape,
    /// and its rows are those of the image.
    #[test]
    fn random_textures_are_harmless() {
        let mut rng = fastrand::Rng::with_seed(8);
        let (mut all, mut rows, mut refused) = (0, 0, 0);
        let mut shape = [5, 20, 30, 20, 0];
        let mut writer = Writer::new();
        let mut array = Array::default();
        let pixels: Vec<u8> = (0..4 * PAGE_SIZE).map(|_| rng.u8(..)).collect();
        writer.memory.copy_bytes_out(ShmOffset(30 * PAGE_SIZE), &pixels).unwrap();
        for _ in 0..20_000 {
            if rng.u8(0..8) == 0 {
                let format = *rng.choice(&[1, 2, 3, 4, 5, 5, 5, 6, 7, 8]).unwrap();
                let [width, height] = [rng.u32(0..40), rng.u32(0..60)];
                let texel = Format::from_code(format).map_or(1, Format::texel_bytes);
                let stride = width * texel + if rng.u8(0..8) == 0 { rng.u32(0..8) } else { 0 };
                let levels = *rng.choice(&[0, 0, 0, 1, 3, 6, 7, u32::MAX, u32::MAX - 1]).unwrap();
                shape = [format, width, height, stride, levels];
            }
            let [format, width, height, stride, levels] = shape;
            let base = *rng.choice(&[writer.version, writer.version, 0, writer.version + 2, 3]).unwrap();
            let part = rng.u32(0..height + 1) | rng.u32(0..height + 2) << 16;
            let part = if rng.u8(0..4) == 0 { rng.u32(..) } else { part };
            let params = [format, width, height, stride, 0, levels, base, part];
            let wanted = TextureDesc::decode(&params).ok().and_then(|desc| desc.bytes()).unwrap_or(64);
            let bytes = if rng.u8(0..16) == 0 { rng.u32(..) } else { to_u32(wanted) };
            let mut slot = Slot { params, extent_count: 2, ..object(5, ObjectType::Texture, bytes, 31) };
            slot.extents[0] = (30, 1);
            slot.extents[1] = (31, rng.u32(1..4));
            writer.slot(0, slot);
            match writer.scan(&mut array).pop() {
                Some(Change::Updated { object: Object::Texture(t), .. }) => {
                    let start = t.rows.map_or(0, |rows| (rows.first * t.desc.stride) as usize);
                    let size = match t.rows {
                        Some(rows) => {
                            assert!(rows.end() <= t.desc.height);
                            (rows.count * t.desc.stride) as usize
                        }
                        None => t.desc.bytes().unwrap(),
                    };
                    assert!(t.bytes == pixels[start..start + size], "{t:?}");
                    if t.rows.is_some() { rows += 1 } else { all += 1 }
                }
                Some(Change::Refused { .. }) => refused += 1,
                other => panic!("{other:?}"),
            }
        }
        assert!(all > 300 && rows > 300 && refused > 300, "{all} {rows} {refused}");
    }

    /// Whatever a client writes: no panic, copies within the memory, and what is taken over is within limits.
    #[test]
    fn random_memory_is_harmless() {
        let mut rng = fastrand::Rng::with_seed(3);
        for _ in 0..300 {
            let mut writer = Writer::new();
            let mut array = Array::default();
            for _ in 0..4 {
                for index in 0..rng.usize(1..12) {
                    let mut words = [0; SLOT_WORDS];
                    for word in &mut words {
                        *word = match rng.u8(0..4) {
                            0 => rng.u32(..),
                            1 => rng.u32(0..9),
                            2 => rng.u32(0..70),
                            _ => rng.u32(0..9000),
                        };
                    }
                    let slot = Slot::decode(&words);
                    writer
                        .slot(index, Slot { type_code: rng.u32(0..9), extent_count: rng.u32(0..10), ..slot });
                }
                for change in writer.scan(&mut array) {
                    if let Change::Updated { oid, object: Object::Texture(t), .. } = change {
                        assert!(oid != 0 && t.desc.width <= MAX_TEXTURE_SIZE);
                        let rows = t.rows.map(|rows| t.desc.format.bytes(t.desc.stride, rows.count));
                        assert_eq!(Some(t.bytes.len()), rows.unwrap_or_else(|| t.desc.bytes()));
                    }
                }
                assert!(array.bytes() <= PAGES * PAGE_SIZE);
            }
        }
    }
}
