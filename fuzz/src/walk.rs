//! An oracle of the verifier's facts: walks one path of a program instruction by instruction, with jumps taken at random,
//! where the verifier joins all paths; what it sees must not be against the facts.
//!
//! Where a program has no jumps there is but one path, and the facts must say exactly what happens on it.

use crate::{Mismatch, ensure};
use blinkgl::limits::{ATTRIB_STACK, MODELVIEW_STACK, PROJECTION_STACK, TEXTURE_STACK};
use blinkgl::ops::{Class, Kind, Op, OpInfo};
use blinkgl::wire::{self, HEADER_WORDS};
use fastrand::Rng;
use verifier::{BodyFacts, ClearFact, Cost, Occurs, PrimitiveFacts, RegisterWork, Uses, VerifiedProgram};

const SCISSOR_TEST: u32 = 0x0c11;
const COLOR: u32 = 0x4000;
const DEPTH: u32 = 0x100;
const STENCIL: u32 = 0x400;

/// What confines a clear, as it is and not as it is known.
#[derive(Clone, Copy, Debug)]
struct Confines {
    scissor_test: bool,
    /// The scissor rectangle is smaller than the window.
    rectangle: bool,
    color: bool,
    depth: bool,
    stencil: bool,
}

impl Confines {
    fn random(rng: &mut Rng) -> Confines {
        let bits = rng.u8(..);
        let bit = |n: u8| bits >> n & 1 != 0;
        Confines { scissor_test: bit(0), rectangle: bit(1), color: bit(2), depth: bit(3), stencil: bit(4) }
    }

    fn scissor(self) -> bool {
        self.scissor_test && self.rectangle
    }

    /// What `pop_attrib` makes of the state.
    fn restore(&mut self, groups: u32, saved: Confines) {
        if groups & (0x2000 | 0x80000) != 0 {
            self.scissor_test = saved.scissor_test;
        }
        if groups & 0x80000 != 0 {
            self.rectangle = saved.rectangle;
        }
        if groups & 0x4000 != 0 {
            self.color = saved.color;
        }
        if groups & 0x100 != 0 {
            self.depth = saved.depth;
        }
        if groups & 0x400 != 0 {
            self.stencil = saved.stencil;
        }
    }
}

/// What `push_attrib` saves of what is followed here.
#[derive(Clone, Copy, Debug)]
struct Saved {
    groups: u32,
    mode: usize,
    unit: usize,
    confines: Confines,
}

/// A clear that happened.
#[derive(Clone, Copy, Debug)]
struct Cleared {
    offset: u32,
    buffers: u32,
    confines: Confines,
}

/// What one body did on one path.
#[derive(Clone, Debug)]
struct Seen {
    cost: Cost,
    written: u32,
    read: u32,
    draws: bool,
    /// Buffers cleared.
    cleared: u32,
    uses: Uses,
    /// Buffers whose first clear was before any drawing.
    opened: u32,
    textures: Vec<u32>,
    buffers: Vec<u32>,
    calls: Vec<u32>,
    depth: [usize; 4],
    peak: [usize; 4],
    mode: usize,
    unit: usize,
    saved: Vec<Saved>,
    entry: Confines,
    confines: Confines,
    clears: Vec<Cleared>,
}

impl Seen {
    fn new(entry: Confines) -> Seen {
        Seen {
            cost: Cost::default(),
            written: 0,
            read: 0,
            draws: false,
            cleared: 0,
            uses: Uses::default(),
            opened: 0,
            textures: Vec::new(),
            buffers: Vec::new(),
            calls: Vec::new(),
            depth: [1; 4],
            peak: [1; 4],
            mode: 0,
            unit: 0,
            saved: Vec::new(),
            entry,
            confines: entry,
            clears: Vec::new(),
        }
    }

    /// The matrix stack that is selected.
    fn stack(&self) -> usize {
        if self.mode == 2 { 2 + self.unit } else { self.mode }
    }

    /// What is said of an opening clear holds for the clear.
    fn opens(
        &self,
        fact: Option<ClearFact>,
        buffer: u32,
        mask: fn(Confines) -> bool,
    ) -> Result<(), Mismatch> {
        let Some(fact) = fact else { return Ok(()) };
        ensure!(
            self.opened & buffer != 0,
            "facts",
            "{fact:?}, but {buffer:#x} is drawn to before, or not cleared"
        );
        let first = self.clears.iter().find(|clear| clear.buffers & buffer != 0);
        let Some(at) = first.filter(|clear| clear.offset == fact.offset) else {
            return Err(Mismatch::new("facts", format!("{fact:?}, but the first clear is {first:?}")));
        };
        if fact.covers_window(!self.entry.scissor(), !mask(self.entry)) {
            let confined = at.confines.scissor() || mask(at.confines);
            ensure!(
                !confined,
                "facts",
                "{fact:?} covers the window, but it is {at:?}, at entry {:?}",
                self.entry
            );
        }
        Ok(())
    }

    fn clear(&mut self, offset: usize, buffers: u32) {
        if !self.draws {
            self.opened |= buffers & !self.cleared;
        }
        self.cleared |= buffers;
        self.clears.push(Cleared { offset: offset as u32, buffers, confines: self.confines });
    }

    fn capability(&mut self, capability: u32, on: bool) {
        let uses = &mut self.uses;
        match capability {
            SCISSOR_TEST => {
                uses.scissor = true;
                self.confines.scissor_test = on;
            }
            0x0b71 => uses.depth_test |= on,
            0x0b90 => uses.stencil_test |= on,
            0x0be2 => uses.blending |= on,
            0x0b50 => uses.lighting |= on,
            0x0de1 => uses.texturing |= on,
            _ => {}
        }
    }

    /// Holds what was seen against the facts. `exact`: there is no other path.
    fn agrees(&self, facts: &BodyFacts, exact: bool) -> Result<(), Mismatch> {
        ensure!(within(self.cost, facts.worst), "cost", "{:?} exceeds {:?}", self.cost, facts.worst);
        let bound = facts.worst.upload_bytes();
        ensure!(
            bound >= u64::from(self.cost.vertices) * 80,
            "cost",
            "{} vertices in {bound} bytes",
            self.cost.vertices
        );
        ensure!(
            self.read & !facts.registers_read == 0,
            "facts",
            "reads {:#x}, which is not live at entry",
            self.read
        );
        happened("draws", self.draws, facts.draws)?;
        happened("clears color", self.cleared & COLOR != 0, facts.clears_color)?;
        happened("clears depth", self.cleared & DEPTH != 0, facts.clears_depth)?;
        happened("clears stencil", self.cleared & STENCIL != 0, facts.clears_stencil)?;
        self.opens(facts.opening_color_clear, COLOR, |c| c.color)?;
        self.opens(facts.opening_depth_clear, DEPTH, |c| c.depth)?;
        self.opens(facts.opening_stencil_clear, STENCIL, |c| c.stencil)?;
        ensure!(
            facts.uses == facts.uses.union(self.uses),
            "facts",
            "{:?} is not in {:?}",
            self.uses,
            facts.uses
        );
        named("textures", &self.textures, &facts.textures, exact)?;
        named("buffers", &self.buffers, &facts.buffers, exact)?;
        named("lists", &self.calls, &facts.calls, exact)?;
        ensure!(self.depth == [1; 4] && self.saved.is_empty(), "facts", "unbalanced: {:?}", self.depth);
        for (peak, rise) in self.peak.into_iter().zip(facts.matrix_rise) {
            ensure!(
                peak <= 1 + usize::from(rise),
                "facts",
                "{:?} is deeper than {:?}",
                self.peak,
                facts.matrix_rise
            );
            ensure!(
                !exact || peak == 1 + usize::from(rise),
                "exact",
                "{:?} for {:?}",
                facts.matrix_rise,
                self.peak
            );
        }
        if exact {
            ensure!(self.cost == facts.worst, "exact", "{:?} for {:?}", facts.worst, self.cost);
            ensure!(
                self.read == facts.registers_read,
                "exact",
                "reads {:#x} for {:#x}",
                facts.registers_read,
                self.read
            );
            ensure!(self.uses == facts.uses, "exact", "{:?} for {:?}", facts.uses, self.uses);
            // A list that is called may draw or not; it is not known here.
            if self.calls.is_empty() {
                let certain = |did| if did { Occurs::Always } else { Occurs::Never };
                let cleared = |buffer| certain(self.cleared & buffer != 0);
                let (said, seen) = (
                    [facts.draws, facts.clears_color, facts.clears_depth, facts.clears_stencil],
                    [certain(self.draws), cleared(COLOR), cleared(DEPTH), cleared(STENCIL)],
                );
                ensure!(said == seen, "exact", "draws and clears {said:?} for {seen:?}");
                let opening =
                    [facts.opening_color_clear, facts.opening_depth_clear, facts.opening_stencil_clear];
                for (fact, buffer) in opening.into_iter().zip([COLOR, DEPTH, STENCIL]) {
                    let opened = self.opened & buffer != 0;
                    ensure!(fact.is_some() == opened, "exact", "{fact:?}, but opened is {opened}");
                }
            }
        }
        Ok(())
    }
}

/// Are all of `seen` but 0 among `facts`, which are sorted?
fn named(what: &str, seen: &[u32], facts: &[u32], exact: bool) -> Result<(), Mismatch> {
    ensure!(facts.windows(2).all(|pair| pair[0] < pair[1]), "facts", "{what} {facts:?} are not sorted");
    for name in seen {
        ensure!(*name == 0 || facts.contains(name), "facts", "{name} is not in the {what} {facts:?}");
    }
    ensure!(!exact || facts.iter().all(|name| seen.contains(name)), "exact", "{what} {facts:?} for {seen:?}");
    Ok(())
}

fn happened(what: &str, did: bool, occurs: Occurs) -> Result<(), Mismatch> {
    let good = match occurs {
        Occurs::Never => !did,
        Occurs::Maybe => true,
        Occurs::Always => did,
    };
    ensure!(good, "facts", "{what}: {occurs:?}, but it is {did}");
    Ok(())
}

fn within(cost: Cost, worst: Cost) -> bool {
    cost.ops <= worst.ops
        && cost.fuel <= worst.fuel
        && cost.gl_calls <= worst.gl_calls
        && cost.vertices <= worst.vertices
        && cost.assembled <= worst.assembled
}

fn add(cost: &mut Cost, info: &OpInfo, args: &[u32]) {
    cost.ops += 1;
    cost.fuel += info.cost;
    cost.gl_calls += u32::from(info.class.is_gl());
    cost.vertices += u32::from(info.class == Class::Vertex);
    let arrays = match (info.op, args) {
        (Op::DrawArrays, &[mode, _, count]) | (Op::DrawElements, &[mode, count, ..]) => Some((mode, count)),
        _ => None,
    };
    if let Some((mode, count)) = arrays {
        cost.fuel += count;
        cost.vertices += count;
        cost.assembled += assembled(mode, count);
    }
}

/// Vertices after assembly, by counting primitives.
fn assembled(mode: u32, n: u32) -> u32 {
    let (primitives, corners) = match mode {
        0 => (n, 1),
        1 => (n / 2, 2),
        2 => (if n < 2 { 0 } else { n }, 2),
        3 => (n.max(1) - 1, 2),
        4 => (n / 3, 3),
        7 => (n / 4 * 2, 3),
        8 => (n.max(2) / 2 * 2 - 2, 3),
        _ => (n.max(2) - 2, 3),
    };
    primitives * corners
}

/// A primitive as it is walked through.
#[derive(Clone, Copy, Debug)]
struct Primitive {
    facts: PrimitiveFacts,
}

/// Follows runs of register work: as long as they can be, and never jumped into.
struct Works<'a> {
    facts: &'a [RegisterWork],
    /// The run at hand: where it began, and how many instructions it has.
    open: Option<(usize, u32)>,
}

impl Works<'_> {
    fn instruction(&mut self, offset: usize, class: Class, targets: &[u32]) -> Result<(), Mismatch> {
        if targets.binary_search(&(offset as u32)).is_ok() {
            self.end(offset)?;
        }
        if !matches!(class, Class::Compute | Class::Read) {
            return self.end(offset);
        }
        let (begin, instructions) = self.open.unwrap_or((offset, 0));
        self.open = Some((begin, instructions + 1));
        Ok(())
    }

    /// After a jump nothing is open: it is no register work, and what follows may have been jumped over.
    fn jumped(&mut self) {
        self.open = None;
    }

    fn end(&mut self, offset: usize) -> Result<(), Mismatch> {
        let Some((begin, instructions)) = self.open.take() else { return Ok(()) };
        let seen = RegisterWork { begin: begin as u32, end: offset as u32, instructions };
        while let Some((first, rest)) = self.facts.split_first()
            && first.begin < seen.begin
        {
            self.facts = rest;
        }
        let said = self.facts.first();
        ensure!(said == Some(&seen), "facts", "register work {said:?} for {seen:?}");
        Ok(())
    }
}

/// What a path did that is of the whole program.
#[derive(Debug, Default)]
struct Whole {
    externals: u32,
    uses_time: bool,
    signals: [bool; 3],
    defined: Vec<(u32, u32)>,
}

/// Walks one path, and holds what it sees against the facts.
pub fn walk(rng: &mut Rng, verified: &VerifiedProgram) -> Result<(), Mismatch> {
    let words = verified.words();
    let facts = verified.facts();
    let capacity = [MODELVIEW_STACK, PROJECTION_STACK, TEXTURE_STACK, TEXTURE_STACK];
    let exact = verified.jump_targets().is_empty();
    let mut works = Works { facts: &facts.works, open: None };
    let mut body = Seen::new(Confines::random(rng));
    let mut outer: Option<(Seen, u32, usize)> = None;
    let mut primitive: Option<Primitive> = None;
    let mut primitives = facts.primitives.iter();
    let mut whole = Whole::default();
    let mut offset = HEADER_WORDS;
    let mut steps = 0;
    while offset < words.len() {
        steps += 1;
        ensure!(steps <= facts.instructions, "facts", "more than {} steps", facts.instructions);
        let instruction = match wire::decode(words, offset) {
            Ok(Some(instruction)) => instruction,
            other => return Err(Mismatch::new("shape", format!("word {offset}: {other:?}"))),
        };
        let (info, args) = (instruction.info, instruction.args);
        works.instruction(offset, info.class, verified.jump_targets())?;
        ensure!(
            u32::from(instruction.mask) >> args.len() == 0,
            "shape",
            "word {offset}: mask {:#x}",
            instruction.mask
        );
        let (mut written, mut named) = (0, 0);
        for (i, operand) in info.operands.iter().enumerate() {
            let value = args[i];
            if instruction.is_register(i) {
                let good = operand.kind.takes_register() && value < 32;
                ensure!(good, "shape", "word {offset}: operand {i} is register {value}");
                named |= 1 << value;
                if operand.kind == Kind::Dst {
                    written = 1 << value;
                } else {
                    body.read |= (1 << value) & !body.written;
                }
            } else {
                let good = match operand.kind {
                    Kind::Dst => false,
                    Kind::Enum(set) => set.contains(value),
                    Kind::Bits(set) => value & !set.all_bits() == 0,
                    Kind::Bool => value < 2,
                    Kind::List => (1..1025).contains(&value),
                    Kind::Label => value as usize > offset + args.len() && value as usize <= words.len(),
                    Kind::Float | Kind::Int | Kind::Raw | Kind::Texture | Kind::Buffer | Kind::Count => true,
                };
                ensure!(good, "shape", "word {offset}: operand {i} is {value:#x}");
            }
        }
        body.written |= written;
        ensure!(written & !facts.registers_written == 0, "facts", "writes register set {written:#x}");
        let in_list = outer.is_some();
        let placed = if in_list {
            info.class.in_list() || info.op == Op::EndList
        } else {
            info.class.allowed_in(verified.callback())
        };
        let placed = placed && (primitive.is_none() || info.class.inside_begin());
        ensure!(placed, "place", "word {offset}: {} may not stand there", info.op);
        if let Some(primitive) = &mut primitive {
            let facts = &mut primitive.facts;
            facts.vertices += u32::from(info.class == Class::Vertex);
            facts.registers |= named;
            facts.plain &= matches!(info.class, Class::Vertex | Class::Attribute | Class::End);
            facts.plain &= info.op != Op::Material;
        }
        let mut next = offset + instruction.words();
        if info.op != Op::EndList {
            add(&mut body.cost, info, args);
        }
        match info.op {
            Op::Jmp => next = args[0] as usize,
            Op::JmpIf if rng.bool() => next = args[3] as usize,
            Op::Begin => {
                ensure!(primitive.is_none(), "place", "word {offset}: begin in begin");
                let begin = offset as u32;
                let empty =
                    PrimitiveFacts { begin, end: 0, mode: args[0], vertices: 0, plain: true, registers: 0 };
                primitive = Some(Primitive { facts: empty });
                body.draws = true;
            }
            Op::End => {
                let Some(Primitive { facts: mut seen }) = primitive.take() else {
                    return Err(Mismatch::new("place", format!("word {offset}: end without begin")));
                };
                seen.end = next as u32;
                body.cost.assembled += assembled(seen.mode, seen.vertices);
                // Others may have been jumped over.
                let said = primitives.find(|said| said.begin >= seen.begin);
                ensure!(said == Some(&seen), "facts", "{said:?} for {seen:?}");
            }
            Op::Vertex2 | Op::Vertex3 | Op::Vertex4 => {
                ensure!(primitive.is_some(), "place", "word {offset}: a vertex outside of begin and end");
            }
            Op::NewList => {
                ensure!(!in_list, "place", "word {offset}: a list in a list");
                let list = Seen::new(Confines::random(rng));
                outer = Some((std::mem::replace(&mut body, list), args[0], next));
            }
            Op::EndList => {
                let Some((program, name, start)) = outer.take() else {
                    return Err(Mismatch::new("place", format!("word {offset}: end_list without new_list")));
                };
                let good = primitive.is_none() && (body.mode, body.unit) == (0, 0);
                ensure!(
                    good,
                    "place",
                    "word {offset}: the list ends in mode {}, unit {}",
                    body.mode,
                    body.unit
                );
                let list = std::mem::replace(&mut body, program);
                let range = start as u32..offset as u32;
                let known = facts.lists.iter().find(|l| l.name == name && l.words == range);
                let Some(known) = known else {
                    return Err(Mismatch::new("facts", format!("list {name} at {range:?} is not known")));
                };
                list.agrees(&known.body, true)?;
                whole.defined.push((name, start as u32));
                add(&mut body.cost, info, args);
            }
            _ => state(rng, &mut body, &mut whole, &instruction, offset, capacity)?,
        }
        ensure!(next > offset, "place", "word {offset}: jumps to {next}");
        if matches!(info.op, Op::Jmp | Op::JmpIf) {
            works.jumped();
        }
        if next != offset + instruction.words() {
            let known = verified.jump_targets().binary_search(&(next as u32)).is_ok();
            ensure!(known, "facts", "word {offset}: jumps to {next}, which is not known to be a target");
            ensure!(primitive.is_none() && outer.is_none(), "place", "word {offset}: jumps out");
        }
        offset = next;
    }
    works.end(offset)?;
    ensure!(offset == words.len(), "place", "ends at word {offset} of {}", words.len());
    ensure!(primitive.is_none() && outer.is_none(), "place", "ends in a primitive or list");
    body.agrees(&facts.body, exact)?;
    let unwritten = facts.registers_always_written & !body.written;
    ensure!(unwritten == 0, "facts", "register set {unwritten:#x} is always written, but was not");
    for ((what, did), occurs) in ["request_frame", "damage", "notify"].into_iter().zip(whole.signals).zip([
        facts.requests_frame,
        facts.damages,
        facts.notifies,
    ]) {
        happened(what, did, occurs)?;
        ensure!(!exact || occurs != Occurs::Maybe, "exact", "{what}: {occurs:?}");
    }
    ensure!(whole.externals & !facts.externals == 0, "facts", "reads externals {:#x}", whole.externals);
    ensure!(facts.uses_time || !whole.uses_time, "facts", "depends on the time");
    for list in &facts.lists {
        let did = whole.defined.contains(&(list.name, list.words.start));
        happened("defines a list", did, list.defined)?;
        ensure!(!exact || list.defined == Occurs::Always, "exact", "list {}: {:?}", list.name, list.defined);
    }
    if exact {
        let said =
            (facts.externals, facts.uses_time, facts.registers_written, facts.registers_always_written);
        let seen = (whole.externals, whole.uses_time, body.written, body.written);
        ensure!(said == seen, "exact", "externals, time, written {said:?} for {seen:?}");
        ensure!(steps == facts.instructions, "exact", "{} instructions for {steps}", facts.instructions);
        ensure!(primitives.next().is_none(), "exact", "more primitives than there are");
    }
    Ok(())
}

/// Ops that neither jump nor open or close anything.
fn state(
    rng: &mut Rng,
    body: &mut Seen,
    whole: &mut Whole,
    instruction: &wire::Instruction<'_>,
    offset: usize,
    capacity: [usize; 4],
) -> Result<(), Mismatch> {
    let (op, args) = (instruction.op(), instruction.args);
    let stack = body.stack();
    match op {
        Op::Clear => body.clear(offset, args[0]),
        Op::DrawArrays => body.draws = true,
        Op::DrawElements => {
            body.draws = true;
            body.buffers.push(args[3]);
        }
        Op::ArrayPointer => body.buffers.push(args[4]),
        Op::BindTexture => body.textures.push(args[0]),
        Op::ActiveTexture => body.unit = (args[0] - 0x84c0) as usize,
        Op::MatrixMode => body.mode = (args[0] - 0x1700) as usize,
        Op::PushMatrix => {
            body.depth[stack] += 1;
            ensure!(body.depth[stack] <= capacity[stack], "place", "word {offset}: stack {stack} overflows");
            body.peak[stack] = body.peak[stack].max(body.depth[stack]);
        }
        Op::PopMatrix => {
            ensure!(body.depth[stack] > 1, "place", "word {offset}: stack {stack} underflows");
            body.depth[stack] -= 1;
        }
        Op::PushAttrib => {
            let (mode, unit, confines) = (body.mode, body.unit, body.confines);
            body.saved.push(Saved { groups: args[0], mode, unit, confines });
            ensure!(body.saved.len() <= ATTRIB_STACK, "place", "word {offset}: attributes overflow");
        }
        Op::PopAttrib => {
            let Some(saved) = body.saved.pop() else {
                return Err(Mismatch::new("place", format!("word {offset}: attributes underflow")));
            };
            if saved.groups & 0x1000 != 0 {
                body.mode = saved.mode;
            }
            if saved.groups & 0x40000 != 0 {
                body.unit = saved.unit;
            }
            body.confines.restore(saved.groups, saved.confines);
        }
        Op::Scissor => {
            body.uses.scissor = true;
            body.confines.rectangle = true;
        }
        Op::Viewport => body.uses.viewport = true,
        Op::ColorMask => {
            body.uses.color_mask = true;
            body.confines.color = args != [1; 4];
        }
        Op::DepthMask => body.confines.depth = args[0] != 1,
        Op::StencilMask => body.confines.stencil = instruction.mask != 0 || args[0] & 0xff != 0xff,
        Op::Enable => body.capability(args[0], true),
        Op::Disable => body.capability(args[0], false),
        Op::CallList => {
            let good = (body.mode, body.unit) == (0, 0);
            ensure!(good, "place", "word {offset}: called in mode {}, unit {}", body.mode, body.unit);
            body.calls.push(args[0]);
            body.draws = true;
            // It may leave anything behind.
            body.confines = Confines::random(rng);
        }
        Op::RequestFrame => whole.signals[0] = true,
        Op::Damage => whole.signals[1] = true,
        Op::Notify => whole.signals[2] = true,
        Op::Read => {
            whole.externals |= 1 << args[1];
            whole.uses_time |= args[1] < 2;
        }
        Op::TimeSince | Op::TimeMod => whole.uses_time = true,
        _ => {}
    }
    Ok(())
}
