//! A client as the renderer knows it: its aperture, the contexts in it, and their objects.

use super::channel::Channel;
use super::conduct::Conduct;
use super::doorbell::Doorbell;
use super::scan::{Array, Change, Cursor, Object, Refusal, Scan};
use super::stats::ClientStats;
use super::wake::Wake;
use super::window::{Published, Window};
use blinkgl::layout::texture::{Levels, TextureDesc};
use blinkgl::layout::{DATA_PAGE, EventKind, ObjectError, ObjectType, QuotaKind, WindowDesc, aperture};
use blinkgl::limits::{MAX_CONTEXTS, PAGE_SIZE, REGISTERS};
use blinkgl::ops::Callback;
use blinkgl::shm::{Shm, ShmOffset};
use blinkgl::wire::WireProgram;
use ipc::limits::{
    MAX_CLIENT_PROGRAM_BYTES, MAX_FRAME_FUEL, MAX_FRAME_VERTICES, MAX_SCAN_BYTES, MIPMAP_BYTE_COST,
    MIPMAP_LEVEL_BYTES, PROCEDURE_BYTE_COST,
};
use ipc::throttle::Throttle;
use ipc::{ClientInfo, WindowId};
use jit::{Outcome, Program, ProgramCache};
use std::collections::BTreeMap;
use std::collections::VecDeque;
use std::ops::Range;
use std::sync::Arc;
use std::time::Instant;

/// Errors and notes, of each, that are kept for `blinkctl list`.
const KEPT_ERRORS: usize = 8;

/// A procedure as it is in use: the last good program, and what is wrong with the newest, if it is.
#[derive(Debug)]
pub struct Procedure {
    /// Version of the newest.
    pub version: u32,
    /// The last one that was accepted.
    pub program: Option<Arc<Program>>,
    /// Its version.
    pub program_version: u32,
    /// Bytes of its words.
    pub program_bytes: usize,
    /// Bytes that it takes, before it was drawn or compiled.
    pub kept_bytes: usize,
    /// Runs of the program since it was accepted.
    pub runs: u32,
    /// Why the newest was refused.
    pub error: Option<String>,
}

/// An object in use.
#[derive(Debug)]
pub enum Stored {
    /// A window's description; its state is in [`Context::windows`].
    Window,
    /// A procedure.
    Procedure(Procedure),
    /// A texture; its pixels are with the GPU.
    Texture(TextureDesc),
    /// A vertex or index buffer; its bytes are with the resources.
    Buffer,
    /// A register file.
    Registers {
        /// Where in the context.
        at: ShmOffset,
    },
    /// A cursor.
    Cursor(Cursor),
}

/// What a scan did to the rest of the server: what must be created, drawn or dropped.
#[derive(Debug)]
pub enum Consequence {
    /// A window is there, or its description changed.
    Window(u32),
    /// A window is gone.
    WindowGone(u32),
    /// A procedure was replaced or removed.
    Procedure(u32),
    /// A texture has new pixels: to be uploaded.
    Texture(u32, super::scan::Texture),
    /// A texture is gone.
    TextureGone(u32),
    /// A buffer has new bytes.
    Buffer(u32, Vec<u8>),
    /// A buffer is gone.
    BufferGone(u32),
    /// A cursor changed.
    Cursor(u32),
}

/// A context: one application's objects and windows.
#[derive(Debug)]
pub struct Context {
    /// The directory entry's generation.
    pub generation: u32,
    /// Its pages in the aperture.
    pub pages: Range<usize>,
    /// Its pages.
    pub memory: Shm,
    /// Events, clock, status.
    pub channel: Channel,
    /// Its VSO array.
    pub array: Array,
    /// Its objects.
    pub objects: BTreeMap<u32, Stored>,
    /// Its windows.
    pub windows: BTreeMap<u32, Window>,
    /// An event was put since the client was last woken.
    pub unheard: bool,
}

impl Context {
    /// The program of a window's callback: the object is there, is a procedure for this callback, and
    /// has a good program.
    #[must_use]
    pub fn program(&self, desc: &WindowDesc, callback: Callback) -> Option<Arc<Program>> {
        self.published(desc, callback).map(|published| published.program)
    }

    /// The same with the version by which it was published: the same words published again are the same program, and
    /// shall run again all the same.
    #[must_use]
    pub fn published(&self, desc: &WindowDesc, callback: Callback) -> Option<Published> {
        match self.objects.get(&desc.procedure(callback))? {
            Stored::Procedure(Procedure { program: Some(program), program_version, .. })
                if program.callback() == callback =>
            {
                Some(Published { program: Arc::clone(program), version: *program_version })
            }
            Stored::Procedure(_)
            | Stored::Window
            | Stored::Texture(_)
            | Stored::Buffer
            | Stored::Registers { .. }
            | Stored::Cursor(_) => None,
        }
    }

    /// Where the register file that a window names is.
    #[must_use]
    pub fn registers(&self, desc: &WindowDesc) -> Option<ShmOffset> {
        match self.objects.get(&desc.registers)? {
            Stored::Registers { at } => Some(*at),
            Stored::Window
            | Stored::Procedure(_)
            | Stored::Texture(_)
            | Stored::Buffer
            | Stored::Cursor(_) => None,
        }
    }

    /// Copies a register file in.
    #[must_use]
    pub fn load_registers(&self, at: ShmOffset) -> [u32; REGISTERS] {
        let mut words = [0; REGISTERS];
        let copied = self.memory.copy_in(at, &mut words);
        debug_assert!(copied.is_ok(), "the scan checked that the file is inside");
        words
    }

    /// Writes the registers that changed back.
    pub fn store_registers(&self, at: ShmOffset, before: &[u32; REGISTERS], now: &[u32; REGISTERS]) {
        for (i, (before, &now)) in before.iter().zip(now).enumerate() {
            if *before != now {
                let stored = self.memory.store(ShmOffset(at.0 + i * 4), now);
                debug_assert!(stored.is_ok(), "the scan checked that the file is inside");
            }
        }
    }

    /// Puts an event into the client's ring.
    pub fn event(&mut self, kind: EventKind, window: u32, time: u64, words: [u32; 4]) {
        self.unheard |= self.channel.put(kind, window, time, words);
    }
}

/// A client.
#[derive(Debug)]
pub struct Client {
    /// As the broker named it.
    pub info: ClientInfo,
    /// Its aperture.
    pub memory: Shm,
    /// The client rings it.
    pub doorbell: Option<Doorbell>,
    /// The server rings it.
    pub wake: Option<Wake>,
    /// Its contexts, by directory index.
    pub contexts: BTreeMap<u32, Context>,
    /// It rang since the last scan.
    pub rang: bool,
    /// Counters.
    pub stats: ClientStats,
    /// The last refusals, for people.
    pub errors: VecDeque<String>,
    /// What is done otherwise than people may think.
    pub notes: VecDeque<String>,
    /// Directory entries that were refused, to refuse each of them once.
    refused: BTreeMap<u32, Entry>,
    throttle: Throttle,
    /// The time, nanoseconds, before which it is not scanned again.
    pub scan_from: u64,
    spent: Spent,
    /// Bytes of the images that levels of detail were made from, and of the levels as they are counted.
    generated_bytes: u64,
    /// Frames in which a window of it was drawn: what it may know of the count of frames.
    pub frames: u64,
    /// The last of them, as the glass counts.
    pub drawn_in: Option<u64>,
    /// The glass was told of all its windows.
    pub is_told: bool,
    /// What it did that others of its class pay for.
    pub conduct: Conduct,
    /// Nanoseconds that its runs took in this frame, where they were not suspended ones.
    pub used: u64,
    /// The window that had the last slice.
    pub last_turn: Option<WindowId>,
}

/// Words of a directory entry: generation, first page, pages.
type Entry = [u32; 3];

/// What a client's callbacks used in a frame.
#[derive(Clone, Copy, Debug, Default)]
struct Spent {
    tick: u64,
    fuel: u64,
    vertices: u64,
}

impl Client {
    /// A client that has not been scanned yet.
    #[must_use]
    pub fn new(info: ClientInfo, memory: Shm, doorbell: Option<Doorbell>, wake: Option<Wake>) -> Client {
        Client {
            info,
            memory,
            doorbell,
            wake,
            contexts: BTreeMap::new(),
            rang: true,
            stats: ClientStats::default(),
            errors: VecDeque::new(),
            notes: VecDeque::new(),
            refused: BTreeMap::new(),
            throttle: Throttle::default(),
            scan_from: 0,
            spent: Spent::default(),
            generated_bytes: 0,
            frames: 0,
            drawn_in: None,
            is_told: false,
            conduct: Conduct::default(),
            used: 0,
            last_turn: None,
        }
    }

    /// Something was refused or left out: keeps it for `blinkctl list`, and writes it to the log unless the client fills
    /// that.
    pub fn error(&mut self, now: u64, text: String) {
        self.log(now, &text);
        keep(&mut self.errors, text);
    }

    /// Everything is done, but otherwise than its developer may think: kept and written likewise.
    pub fn note(&mut self, now: u64, text: String) {
        self.log(now, &text);
        keep(&mut self.notes, text);
    }

    fn log(&mut self, now: u64, text: &str) {
        if let Some(held) = self.throttle.admit(now) {
            let (id, name) = (self.info.id, &self.info.name);
            if held > 0 {
                log::warn!("client {id} ({name}): {held} more lines were not written");
            }
            log::warn!("client {id} ({name}): {text}");
        }
    }

    /// A callback ran in frame `tick`.
    pub fn spend(&mut self, tick: u64, outcome: &Outcome) {
        if self.spent.tick != tick {
            self.spent = Spent { tick, ..Spent::default() };
        }
        self.spent.fuel = self.spent.fuel.saturating_add(outcome.fuel_used);
        self.spent.vertices = self.spent.vertices.saturating_add(outcome.vertices);
    }

    /// The quota of frame `tick` that is used up, and the limit.
    #[must_use]
    pub fn exhausted(&self, tick: u64) -> Option<(QuotaKind, u64)> {
        let Spent { tick: at, fuel, vertices } = self.spent;
        if at != tick {
            None
        } else if fuel >= MAX_FRAME_FUEL {
            Some((QuotaKind::Fuel, MAX_FRAME_FUEL))
        } else if vertices >= MAX_FRAME_VERTICES {
            Some((QuotaKind::Vertices, MAX_FRAME_VERTICES))
        } else {
            None
        }
    }

    /// The scans of a frame took bytes of this cost: the next one comes when that many frames' shares are over.
    pub fn rest(&mut self, now: u64, refresh: u64, cost: u64) {
        let frames = cost / MAX_SCAN_BYTES;
        self.scan_from =
            if frames == 0 { 0 } else { (now / refresh).saturating_add(frames).saturating_mul(refresh) };
    }

    /// Bytes taken so far, each as dear as it is to take.
    #[must_use]
    pub fn scan_cost(&self) -> u64 {
        let programs = self.stats.program_bytes.saturating_mul(PROCEDURE_BYTE_COST);
        let levels = self.generated_bytes.saturating_mul(MIPMAP_BYTE_COST);
        self.stats.copied_bytes.saturating_add(programs).saturating_add(levels)
    }

    /// Reads the context directory: makes new contexts, drops those that are gone or made anew.
    /// Gives the indices of dropped ones, whose windows and textures are to be released.
    pub fn read_directory(&mut self, now: u64) -> Vec<(u32, Context)> {
        let mut dropped = Vec::new();
        let mut new = Vec::new();
        let pages = self.memory.size() / PAGE_SIZE;
        for index in 0..MAX_CONTEXTS {
            let at = aperture::DIRECTORY + index * aperture::ENTRY_BYTES;
            let mut entry = [0; aperture::ENTRY_BYTES / 4];
            if self.memory.copy_in(ShmOffset(at), &mut entry).is_err() {
                continue;
            }
            let key = u32::try_from(index).unwrap_or(u32::MAX);
            let [generation, first, length] = [
                entry[aperture::ENTRY_GENERATION / 4],
                entry[aperture::ENTRY_FIRST_PAGE / 4],
                entry[aperture::ENTRY_PAGES / 4],
            ];
            if self.contexts.get(&key).map_or(0, |c| c.generation) == generation {
                continue;
            }
            if let Some(old) = self.contexts.remove(&key) {
                dropped.push((key, old));
            }
            if generation == 0 {
                self.refused.remove(&key);
            } else if self.refused.get(&key) != Some(&[generation, first, length]) {
                new.push((key, [generation, first, length]));
            }
        }
        // Those that are gone have made room before those that are new are looked at.
        for (key, entry) in new {
            let [generation, first, length] = entry;
            match self.open_context(generation, first, length, pages) {
                Ok(context) => {
                    self.refused.remove(&key);
                    self.contexts.insert(key, context);
                }
                Err(why) => {
                    self.refused.insert(key, entry);
                    self.error(now, format!("context {key}: {why}"));
                }
            }
        }
        dropped
    }

    fn open_context(
        &self,
        generation: u32,
        first: u32,
        length: u32,
        pages: usize,
    ) -> Result<Context, String> {
        let (first, length) =
            (usize::try_from(first).unwrap_or(usize::MAX), usize::try_from(length).unwrap_or(usize::MAX));
        let inside = first >= 1 && first.checked_add(length).is_some_and(|end| end <= pages);
        if !inside || length <= DATA_PAGE {
            return Err(format!(
                "pages {first} + {length} must lie within 1..{pages} and be more than {DATA_PAGE}"
            ));
        }
        let range = first..first + length;
        // Each context may copy as much as its pages hold, so that the copies of all are no more than the aperture.
        let shared =
            self.contexts.iter().find(|(_, c)| c.pages.start < range.end && range.start < c.pages.end);
        if let Some((other, _)) = shared {
            return Err(format!("pages {first} + {length} overlap those of context {other}"));
        }
        let memory = self
            .memory
            .part(ShmOffset(first * PAGE_SIZE), length * PAGE_SIZE)
            .map_err(|error| error.to_string())?;
        let channel = Channel::new(memory.clone()).map_err(|error| error.to_string())?;
        Ok(Context {
            generation,
            pages: range,
            memory,
            channel,
            array: Array::default(),
            objects: BTreeMap::new(),
            windows: BTreeMap::new(),
            unheard: false,
        })
    }

    /// Scans a context and takes over what changed. `None`: the client was in the middle of a commit.
    pub fn scan(&mut self, index: u32, programs: &mut ProgramCache, now: u64) -> Option<Vec<Consequence>> {
        let started = Instant::now();
        let context = self.contexts.get_mut(&index)?;
        let (changes, commit) = match context.array.scan(&context.memory) {
            Ok(Scan::Done { changes, commit }) => (changes, commit),
            Ok(Scan::Busy) => return None,
            Err(error) => {
                // The context was opened with room for its fixed pages.
                log::error!("scan of a context that was checked: {error}");
                return Some(Vec::new());
            }
        };
        context.channel.scanned(commit);
        if changes.is_empty() {
            return Some(Vec::new());
        }
        self.stats.scans += 1;
        self.stats.scan_time.add(nanoseconds(started));
        let mut consequences = Vec::with_capacity(changes.len());
        for change in changes {
            self.take_over(index, change, programs, now, &mut consequences);
        }
        Some(consequences)
    }

    fn take_over(
        &mut self,
        index: u32,
        change: Change,
        programs: &mut ProgramCache,
        now: u64,
        out: &mut Vec<Consequence>,
    ) {
        match change {
            Change::Removed { oid } => out.extend(self.remove(index, oid)),
            Change::Refused { oid, kind, refusal } => self.refuse(index, oid, kind, refusal, now),
            Change::Updated { oid, version, object } => {
                let before = self.contexts.get(&index).and_then(|c| c.objects.get(&oid));
                let same_type = match (before, &object) {
                    (None, _)
                    | (Some(Stored::Window), Object::Window(_))
                    | (Some(Stored::Procedure(_)), Object::Procedure { .. })
                    | (Some(Stored::Texture(_)), Object::Texture(_))
                    | (Some(Stored::Buffer), Object::Buffer { .. })
                    | (Some(Stored::Registers { .. }), Object::Registers { .. })
                    | (Some(Stored::Cursor(_)), Object::Cursor(_)) => true,
                    (Some(_), _) => false,
                };
                // An OID that changes its type is another object: what it was goes first.
                if !same_type {
                    out.extend(self.remove(index, oid));
                }
                out.extend(self.update(index, oid, version, object, programs, now));
            }
        }
    }

    fn remove(&mut self, index: u32, oid: u32) -> Option<Consequence> {
        match self.contexts.get_mut(&index)?.objects.remove(&oid)? {
            Stored::Window => Some(Consequence::WindowGone(oid)),
            Stored::Texture(_) => Some(Consequence::TextureGone(oid)),
            Stored::Procedure(_) => Some(Consequence::Procedure(oid)),
            Stored::Cursor(_) => Some(Consequence::Cursor(oid)),
            Stored::Buffer => Some(Consequence::BufferGone(oid)),
            Stored::Registers { .. } => None,
        }
    }

    fn refuse(&mut self, index: u32, oid: u32, kind: Option<ObjectType>, refusal: Refusal, now: u64) {
        let [c, d] = refusal.values;
        if let Some(context) = self.contexts.get_mut(&index) {
            context.event(EventKind::ObjectRejected, 0, now, [oid, refusal.error as u32, c, d]);
        }
        self.stats.refusals += 1;
        let kind = kind.map_or("object", ObjectType::name);
        self.error(now, format!("{kind} {index}.{oid}: {refusal}"));
    }

    fn update(
        &mut self,
        index: u32,
        oid: u32,
        version: u32,
        object: Object,
        programs: &mut ProgramCache,
        now: u64,
    ) -> Option<Consequence> {
        let slow_until = self.conduct.slow_until(now);
        let context = self.contexts.get_mut(&index)?;
        match object {
            Object::Window(desc) => {
                context.objects.insert(oid, Stored::Window);
                match context.windows.get_mut(&oid) {
                    Some(window) => window.describe(*desc),
                    None => {
                        let mut window = Window::new(*desc);
                        window.slow_until = slow_until;
                        context.windows.insert(oid, window);
                    }
                }
                Some(Consequence::Window(oid))
            }
            Object::Procedure { callback, program } => {
                self.procedure(index, oid, version, (callback, program), programs, now)
            }
            Object::Texture(image) => {
                self.stats.copied_bytes += image.bytes.len() as u64;
                if image.desc.levels == Levels::Generated {
                    let TextureDesc { width, height, .. } = image.desc;
                    let levels = u64::from(Levels::most(width, height)) * MIPMAP_LEVEL_BYTES;
                    self.generated_bytes += image.desc.bytes().unwrap_or_default() as u64 + levels;
                }
                context.objects.insert(oid, Stored::Texture(image.desc));
                Some(Consequence::Texture(oid, image))
            }
            Object::Buffer { bytes } => {
                self.stats.copied_bytes += bytes.len() as u64;
                context.objects.insert(oid, Stored::Buffer);
                Some(Consequence::Buffer(oid, bytes))
            }
            Object::Registers { at } => {
                context.objects.insert(oid, Stored::Registers { at });
                None
            }
            Object::Cursor(image) => {
                context.objects.insert(oid, Stored::Cursor(image));
                Some(Consequence::Cursor(oid))
            }
        }
    }

    /// Bytes that the programs in use take, each of which counts where it is used.
    fn program_bytes(&self) -> usize {
        let objects = self.contexts.values().flat_map(|context| context.objects.values());
        let bytes = objects.map(|object| match object {
            Stored::Procedure(procedure) => procedure.kept_bytes,
            Stored::Window
            | Stored::Texture(_)
            | Stored::Buffer
            | Stored::Registers { .. }
            | Stored::Cursor(_) => 0,
        });
        bytes.sum()
    }

    /// Verifies and lowers. A refused program leaves the last good one in use.
    fn procedure(
        &mut self,
        index: u32,
        oid: u32,
        version: u32,
        (callback, program): (Callback, WireProgram),
        programs: &mut ProgramCache,
        now: u64,
    ) -> Option<Consequence> {
        let bytes = program.untrusted_words().len() * 4;
        self.stats.copied_bytes += bytes as u64;
        self.stats.program_bytes += bytes as u64;
        let started = Instant::now();
        let accepted = programs.accept(program, callback, self.info.id.0, self.info.budget.into());
        self.stats.accept_time.add(nanoseconds(started));
        let kept = self.program_bytes();
        let context = self.contexts.get_mut(&index)?;
        let empty = || {
            Stored::Procedure(Procedure {
                version,
                program: None,
                program_version: 0,
                program_bytes: 0,
                kept_bytes: 0,
                runs: 0,
                error: None,
            })
        };
        let Stored::Procedure(stored) = context.objects.entry(oid).or_insert_with(empty) else {
            return None;
        };
        stored.version = version;
        match accepted {
            Ok((program, was_there)) => {
                let kept_bytes = program.bytes();
                let room = MAX_CLIENT_PROGRAM_BYTES.saturating_sub(kept - stored.kept_bytes);
                if kept_bytes > room {
                    let values = [kept_bytes, room].map(|bytes| u32::try_from(bytes).unwrap_or(u32::MAX));
                    let refusal = Refusal { error: ObjectError::OverBudget, values };
                    stored.error = Some(refusal.to_string());
                    context.array.keep(oid, stored.program_bytes);
                    self.refuse(index, oid, Some(ObjectType::Procedure), refusal, now);
                    return None;
                }
                stored.kept_bytes = kept_bytes;
                stored.program = Some(program);
                self.stats.cached_procedures += u64::from(was_there);
                stored.program_version = version;
                stored.program_bytes = bytes;
                stored.runs = 0;
                stored.error = None;
                self.stats.procedures += 1;
                Some(Consequence::Procedure(oid))
            }
            Err(error) => {
                let text = error.to_string();
                stored.error = Some(text.clone());
                // The last good program stays, and what it takes: or any number of large ones could be kept
                // behind small bad ones.
                context.array.keep(oid, stored.program_bytes);
                let operand = error.operand.unwrap_or(u32::MAX);
                let words = [oid, error.rule.number(), error.op_index, operand];
                context.event(EventKind::ProcedureRejected, 0, now, words);
                self.stats.refusals += 1;
                self.error(now, format!("procedure {index}.{oid} ({callback}): {text}"));
                None
            }
        }
    }

    /// Wakes the client if one of its contexts has events that it has not been woken for.
    pub fn wake(&mut self) {
        let mut unheard = false;
        for context in self.contexts.values_mut() {
            unheard |= std::mem::take(&mut context.unheard);
        }
        if let (true, Some(wake)) = (unheard, &mut self.wake) {
            wake.wake();
        }
    }
}

/// Adds a text that is not there yet; the oldest gives way.
fn keep(texts: &mut VecDeque<String>, text: String) {
    if texts.contains(&text) {
        return;
    }
    if texts.len() >= KEPT_ERRORS {
        texts.pop_front();
    }
    texts.push_back(text);
}

/// Nanoseconds since `start`.
#[must_use]
pub fn nanoseconds(start: Instant) -> u64 {
    u64::try_from(start.elapsed().as_nanos()).unwrap_or(u64::MAX)
}
