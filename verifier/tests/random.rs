//! Random programs: nothing panics, and what is accepted behaves as the facts say on random walks through it.
//!
//! The walk is an oracle of its own: it runs one path instruction by instruction, where the verifier joins all.
#![allow(clippy::cast_possible_truncation, reason = "test")]
mod build;

use blinkgl::limits::{ATTRIB_STACK, MAX_PROGRAM_WORDS, MODELVIEW_STACK, PROJECTION_STACK, TEXTURE_STACK};
use blinkgl::ops::{Callback, Class, Kind, OPS, Op, OpInfo};
use blinkgl::wire::{self, HEADER_WORDS};
use build::{program, verify};
use fastrand::Rng;
use verifier::{BodyFacts, ClearFact, Cost, Occurs, VerifiedProgram};

/// An instruction of this row with operands that its kinds allow. Labels are 0.
fn random_instruction(rng: &mut Rng, info: &OpInfo) -> Vec<u32> {
    let mut mask = 0;
    let mut words = vec![0];
    for (i, operand) in info.operands.iter().enumerate() {
        let register = operand.kind == Kind::Dst || operand.kind.takes_register() && rng.u8(..4) == 0;
        if register {
            mask |= 1 << i;
            // Few registers, so that what is read was sometimes written.
            words.push(rng.u32(..6));
            continue;
        }
        words.push(match operand.kind {
            Kind::Dst | Kind::Label => 0,
            Kind::Float if info.op == Op::TexEnvScale => [1.0f32, 2.0, 4.0][rng.usize(..3)].to_bits(),
            Kind::Float => (rng.f32() + i as f32).to_bits(),
            Kind::Int | Kind::Raw => rng.u32(..100),
            Kind::Enum(set) => set.values[rng.usize(..set.values.len())].1,
            Kind::Bits(set) => rng.u32(..) & set.all_bits(),
            Kind::Bool => rng.u32(..2),
            Kind::Texture | Kind::Buffer => rng.u32(..5),
            Kind::Count => rng.u32(..9),
            Kind::List => rng.u32(1..4),
        });
    }
    words[0] = wire::head_word(info.op, mask);
    words
}

fn one(rng: &mut Rng, op: Op) -> Vec<u32> {
    random_instruction(rng, op.info())
}

/// As `random_instruction`, but rarely with constants that OpenGL refuses: most of what could stand in an
/// `array_pointer` would be, and then little else would be looked at.
fn sensible_instruction(rng: &mut Rng, info: &OpInfo) -> Vec<u32> {
    loop {
        let words = random_instruction(rng, info);
        let refused = verify(&program(std::slice::from_ref(&words)), Callback::Redraw)
            .is_err_and(|error| matches!(error.rule.number(), 33 | 34));
        if !refused || rng.u8(..64) == 0 {
            return words;
        }
    }
}

/// Any op of one of the classes.
fn any(rng: &mut Rng, classes: &[Class]) -> Vec<u32> {
    loop {
        let info = &OPS[rng.usize(..OPS.len())];
        // These are placed in pairs, and modes go back.
        let paired = matches!(
            info.op,
            Op::PushMatrix
                | Op::PopMatrix
                | Op::MatrixMode
                | Op::ActiveTexture
                | Op::PushAttrib
                | Op::PopAttrib
        );
        if classes.contains(&info.class) && !paired {
            return sensible_instruction(rng, info);
        }
    }
}

/// An op that may narrow or open what a clear reaches.
fn confining(rng: &mut Rng) -> Vec<u32> {
    match rng.u8(..8) {
        0 => build::op(Op::Enable, &[build::U(SCISSOR_TEST)]),
        1 => build::op(Op::Disable, &[build::U(SCISSOR_TEST)]),
        2 => build::op(Op::ColorMask, &[build::U(1); 4]),
        3 => build::op(Op::StencilMask, &[build::U(rng.u32(..) | 0xff)]),
        4 => one(rng, Op::Scissor),
        5 => one(rng, Op::ColorMask),
        6 => one(rng, Op::DepthMask),
        _ => one(rng, Op::StencilMask),
    }
}

const SCISSOR_TEST: u32 = 0x0c11;

/// Appends a well-formed block.
fn block(rng: &mut Rng, callback: Callback, in_list: bool, nesting: u32, words: &mut Vec<u32>) {
    for _ in 0..rng.u32(..6) {
        let here = words.len();
        let may_draw = in_list || callback == Callback::Redraw;
        match rng.u8(..12) {
            0 if may_draw => {
                words.extend(one(rng, Op::Begin));
                for _ in 0..rng.u32(..7) {
                    let compute: &[Class] = if in_list { &[] } else { &[Class::Compute, Class::Read] };
                    let classes = [&[Class::Vertex, Class::Attribute], compute].concat();
                    words.extend(any(rng, &classes));
                }
                words.extend(one(rng, Op::End));
            }
            1 if callback != Callback::Input => {
                words.extend(one(rng, Op::PushMatrix));
                if nesting > 0 {
                    block(rng, callback, in_list, nesting - 1, words);
                }
                words.extend(one(rng, Op::PopMatrix));
            }
            2 if callback != Callback::Input => {
                words.extend(build::op(Op::MatrixMode, &[build::U(0x1701)]));
                words.extend(one(rng, Op::PushMatrix));
                words.extend(one(rng, Op::LoadIdentity));
                words.extend(one(rng, Op::PopMatrix));
                words.extend(build::op(Op::MatrixMode, &[build::U(0x1700)]));
            }
            8 if callback != Callback::Input => {
                // What pop_attrib brings back need not be known before it.
                let groups = [0x1000 | 0x40000, 0xfffff, 0x41000 | rng.u32(..0x100000)][rng.usize(..3)];
                words.extend(build::op(Op::PushAttrib, &[build::U(groups)]));
                if nesting > 0 {
                    block(rng, callback, in_list, nesting - 1, words);
                }
                let jump = words.len();
                let jumps = !in_list && rng.bool();
                if jumps {
                    words.extend(one(rng, Op::JmpIf));
                }
                words.extend(one(rng, Op::MatrixMode));
                words.extend(one(rng, Op::ActiveTexture));
                if rng.bool() {
                    words.extend(one(rng, Op::PushMatrix));
                    words.extend(one(rng, Op::PopMatrix));
                }
                if jumps {
                    words[jump + 4] = words.len() as u32;
                }
                words.extend(one(rng, Op::PopAttrib));
            }
            9 if callback != Callback::Input => {
                // Of groups that do not matter to modes and units, and what could confine a clear.
                words.extend(build::op(Op::PushAttrib, &[build::U(rng.u32(..0x100000) & !0x41000)]));
                for _ in 0..rng.u8(..4) {
                    words.extend(confining(rng));
                }
                words.extend(one(rng, Op::PopAttrib));
            }
            10 if callback != Callback::Input => words.extend(confining(rng)),
            11 if callback != Callback::Input => {
                words.extend(build::op(Op::ActiveTexture, &[build::U(0x84c1)]));
                words.extend(build::op(Op::MatrixMode, &[build::U(0x1702)]));
                words.extend(one(rng, Op::PushMatrix));
                words.extend(build::op(Op::ActiveTexture, &[build::U(0x84c0)]));
                words.extend(one(rng, Op::PushMatrix));
                words.extend(one(rng, Op::PopMatrix));
                words.extend(build::op(Op::ActiveTexture, &[build::U(0x84c1)]));
                words.extend(one(rng, Op::PopMatrix));
                words.extend(build::op(Op::ActiveTexture, &[build::U(0x84c0)]));
                words.extend(build::op(Op::MatrixMode, &[build::U(0x1700)]));
            }
            3 | 4 if nesting > 0 && !in_list => {
                // if, or if and else
                words.extend(one(rng, Op::JmpIf));
                block(rng, callback, in_list, nesting - 1, words);
                let with_else = rng.bool();
                let jmp = words.len();
                if with_else {
                    words.extend(one(rng, Op::Jmp));
                }
                words[here + 4] = words.len() as u32;
                if with_else {
                    block(rng, callback, in_list, nesting - 1, words);
                    words[jmp + 1] = words.len() as u32;
                }
            }
            5 if may_draw => words.extend(any(rng, &[Class::Draw, Class::ListCall])),
            6 if !in_list && nesting > 0 && matches!(callback, Callback::Init | Callback::Update) => {
                words.extend(one(rng, Op::NewList));
                block(rng, callback, true, nesting - 1, words);
                words.extend(one(rng, Op::EndList));
            }
            7 if callback != Callback::Input => words.extend(any(rng, &[Class::State, Class::Attribute])),
            _ if !in_list => words.extend(any(rng, &[Class::Compute, Class::Read, Class::Signal])),
            _ => {}
        }
    }
}

fn well_formed(rng: &mut Rng, callback: Callback) -> Vec<u32> {
    let mut words = program(&[]);
    block(rng, callback, false, 4, &mut words);
    if rng.u8(..4) == 0 {
        // An early exit.
        let here = words.len();
        words.extend(one(rng, Op::JmpIf));
        block(rng, callback, false, 2, &mut words);
        words[here + 4] = words.len() as u32;
    }
    words[2] = words.len() as u32;
    words
}

fn mutate(rng: &mut Rng, words: &mut Vec<u32>) {
    for _ in 0..rng.u32(1..4) {
        let at = rng.usize(..words.len());
        match rng.u8(..7) {
            0 => words[at] = rng.u32(..),
            1 => words[at] ^= 1 << rng.u32(..32),
            2 => words[at] = rng.u32(..words.len() as u32 + 2),
            3 => words[at] = wire::head_word(OPS[rng.usize(..OPS.len())].op, rng.u16(..) & rng.u16(..)),
            4 => {
                words.remove(at);
            }
            5 => words.insert(at, rng.u32(..64)),
            _ => {
                let other = rng.usize(..words.len());
                words.swap(at, other);
            }
        }
        if words.is_empty() {
            return;
        }
    }
    if words.len() > 2 && rng.u8(..8) != 0 {
        words[2] = words.len() as u32;
    }
}

fn add(cost: &mut Cost, info: &OpInfo, arrays: Option<(u32, u32)>) {
    cost.ops += 1;
    cost.fuel += info.cost;
    cost.gl_calls += u32::from(info.class.is_gl());
    cost.vertices += u32::from(info.class == Class::Vertex);
    if let Some((mode, count)) = arrays {
        cost.fuel += count;
        cost.vertices += count;
        cost.assembled += verifier::assembled(mode, count) as u32;
    }
}

fn within(cost: Cost, worst: Cost) -> bool {
    cost.ops <= worst.ops
        && cost.fuel <= worst.fuel
        && cost.gl_calls <= worst.gl_calls
        && cost.vertices <= worst.vertices
        && cost.assembled <= worst.assembled
}

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
        let mut bit = || rng.bool();
        Confines { scissor_test: bit(), rectangle: bit(), color: bit(), depth: bit(), stencil: bit() }
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

/// What one body did on one path.
#[derive(Clone)]
struct Seen {
    cost: Cost,
    written: u32,
    read: u32,
    draws: bool,
    clears_color: bool,
    clears_depth: bool,
    clears_stencil: bool,
    opened: bool,
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
    /// Clears: where, of which buffers, and how confined.
    clears: Vec<(u32, u32, Confines)>,
}

impl Seen {
    fn new(entry: Confines) -> Seen {
        Seen {
            cost: Cost::default(),
            written: 0,
            read: 0,
            draws: false,
            clears_color: false,
            clears_depth: false,
            clears_stencil: false,
            opened: false,
            textures: vec![],
            buffers: vec![],
            calls: vec![],
            depth: [1; 4],
            peak: [1; 4],
            mode: 0,
            unit: 0,
            saved: vec![],
            entry,
            confines: entry,
            clears: vec![],
        }
    }

    /// The matrix stack that is selected.
    fn stack(&self) -> usize {
        if self.mode == 2 { 2 + self.unit } else { self.mode }
    }

    /// What is said of an opening clear holds for the clear.
    fn opens(&self, fact: Option<ClearFact>, buffer: u32, mask: fn(Confines) -> bool) {
        let Some(fact) = fact else { return };
        let &(_, _, at) = self
            .clears
            .iter()
            .find(|&&(offset, buffers, _)| offset == fact.offset && buffers & buffer != 0)
            .expect("it happens in each run");
        if fact.covers_window(!self.entry.scissor(), !mask(self.entry)) {
            assert!(!at.scissor() && !mask(at), "{fact:?}: {:?} at entry, {at:?}", self.entry);
        }
    }

    fn agrees(&self, facts: &BodyFacts) {
        assert!(within(self.cost, facts.worst), "{:?} exceeds {:?}", self.cost, facts.worst);
        assert_eq!(self.read & !facts.registers_read, 0, "reads a register that is not live at entry");
        happened(self.draws, facts.draws);
        happened(self.clears_color, facts.clears_color);
        happened(self.clears_depth, facts.clears_depth);
        assert!(facts.opening_color_clear.is_none() || self.opened, "no color clear before drawing");
        happened(self.clears_stencil, facts.clears_stencil);
        self.opens(facts.opening_color_clear, 0x4000, |c| c.color);
        self.opens(facts.opening_depth_clear, 0x100, |c| c.depth);
        self.opens(facts.opening_stencil_clear, 0x400, |c| c.stencil);
        assert!(self.textures.iter().all(|&t| t == 0 || facts.textures.contains(&t)));
        assert!(self.buffers.iter().all(|&b| b == 0 || facts.buffers.contains(&b)));
        assert!(self.calls.iter().all(|l| facts.calls.contains(l)));
        assert_eq!(self.depth, [1; 4], "unbalanced");
        assert!(self.saved.is_empty(), "unbalanced");
        for (peak, rise) in self.peak.into_iter().zip(facts.matrix_rise) {
            assert!(peak <= 1 + usize::from(rise));
        }
    }
}

fn happened(did: bool, occurs: Occurs) {
    match occurs {
        Occurs::Never => assert!(!did),
        Occurs::Maybe => {}
        Occurs::Always => assert!(did),
    }
}

/// Walks one path, with jumps taken at random, and holds what it sees against the facts.
fn walk(rng: &mut Rng, verified: &VerifiedProgram) {
    let words = verified.words();
    let facts = verified.facts();
    let capacity = [MODELVIEW_STACK, PROJECTION_STACK, TEXTURE_STACK, TEXTURE_STACK];
    let mut body = Seen::new(Confines::random(rng));
    let mut outer = None;
    let mut primitive = None;
    let mut signals = [false; 3];
    let mut externals = 0u32;
    let mut offset = HEADER_WORDS;
    let mut steps = 0;
    let (mut used_depth_test, mut used_blending, mut used_stencil_test) = (false, false, false);
    while offset < words.len() {
        steps += 1;
        assert!(steps <= facts.instructions, "does not end");
        let instruction = wire::decode(words, offset).expect("an instruction").expect("not past the end");
        let info = instruction.info;
        let args = instruction.args;
        assert_eq!(u32::from(instruction.mask) >> args.len(), 0);
        let mut written = 0;
        for (i, operand) in info.operands.iter().enumerate() {
            if instruction.is_register(i) {
                assert!(operand.kind.takes_register() && args[i] < 32);
                if operand.kind == Kind::Dst {
                    written = 1 << args[i];
                } else {
                    body.read |= (1 << args[i]) & !body.written;
                }
            } else {
                assert!(operand.kind.takes_constant());
                if let Kind::Enum(set) = operand.kind {
                    assert!(set.contains(args[i]));
                }
            }
        }
        body.written |= written;
        assert_eq!(written & !facts.registers_written, 0);
        let in_list = outer.is_some();
        assert!(if in_list {
            info.class.in_list() || info.op == Op::EndList
        } else {
            info.class.allowed_in(verified.callback())
        });
        assert!(primitive.is_none() || info.class.inside_begin());
        let mut next = offset + instruction.words();
        if info.op != Op::EndList {
            let arrays = if info.op == Op::DrawArrays {
                Some((args[0], args[2]))
            } else if info.op == Op::DrawElements {
                Some((args[0], args[1]))
            } else {
                None
            };
            add(&mut body.cost, info, arrays);
        }
        let stack = body.stack();
        #[allow(clippy::wildcard_enum_match_arm, reason = "an oracle for some ops")]
        match info.op {
            Op::Jmp => next = args[0] as usize,
            Op::JmpIf if rng.bool() => next = args[3] as usize,
            Op::Begin => {
                primitive = Some(args[0]);
                body.draws = true;
            }
            Op::End => assert!(primitive.take().is_some()),
            Op::Vertex2 | Op::Vertex3 | Op::Vertex4 => assert!(primitive.is_some()),
            Op::Clear => {
                if args[0] & 0x4000 != 0 {
                    body.opened |= !body.draws;
                    body.clears_color = true;
                }
                body.clears_depth |= args[0] & 0x100 != 0;
                body.clears_stencil |= args[0] & 0x400 != 0;
                body.clears.push((offset as u32, args[0], body.confines));
            }
            Op::DrawArrays => body.draws = true,
            Op::DrawElements => {
                body.draws = true;
                body.buffers.push(args[3]);
            }
            Op::ArrayPointer => body.buffers.push(args[4]),
            Op::ActiveTexture => body.unit = (args[0] - 0x84c0) as usize,
            Op::PushAttrib => {
                let (mode, unit, confines) = (body.mode, body.unit, body.confines);
                body.saved.push(Saved { groups: args[0], mode, unit, confines });
                assert!(body.saved.len() <= ATTRIB_STACK);
            }
            Op::PopAttrib => {
                let saved = body.saved.pop().expect("pushed before");
                if saved.groups & 0x1000 != 0 {
                    body.mode = saved.mode;
                }
                if saved.groups & 0x40000 != 0 {
                    body.unit = saved.unit;
                }
                body.confines.restore(saved.groups, saved.confines);
            }
            Op::Scissor => body.confines.rectangle = true,
            Op::ColorMask => body.confines.color = args != [1; 4],
            Op::DepthMask => body.confines.depth = args[0] != 1,
            Op::StencilMask => {
                body.confines.stencil = instruction.mask != 0 || args[0] & 0xff != 0xff;
            }
            Op::MatrixMode => body.mode = (args[0] - 0x1700) as usize,
            Op::PushMatrix => {
                body.depth[stack] += 1;
                assert!(body.depth[stack] <= capacity[stack]);
                body.peak[stack] = body.peak[stack].max(body.depth[stack]);
            }
            Op::PopMatrix => {
                assert!(body.depth[stack] > 1);
                body.depth[stack] -= 1;
            }
            Op::BindTexture => body.textures.push(args[0]),
            Op::CallList => {
                assert_eq!((body.mode, body.unit), (0, 0));
                body.calls.push(args[0]);
                body.draws = true;
                // It may leave anything behind.
                body.confines = Confines::random(rng);
            }
            Op::NewList => {
                let list = Seen::new(Confines::random(rng));
                outer = Some((std::mem::replace(&mut body, list), args[0], next));
            }
            Op::EndList => {
                let (program, name, start) = outer.take().expect("in a list");
                assert_eq!((primitive, body.mode, body.unit), (None, 0, 0));
                let list = std::mem::replace(&mut body, program);
                let range = start as u32..offset as u32;
                let known = facts.lists.iter().find(|l| l.name == name && l.words == range);
                list.agrees(&known.expect("the list is known").body);
                add(&mut body.cost, info, None);
            }
            Op::RequestFrame => signals[0] = true,
            Op::Damage => signals[1] = true,
            Op::Notify => signals[2] = true,
            Op::Read => externals |= 1 << args[1],
            Op::Disable if args[0] == SCISSOR_TEST => body.confines.scissor_test = false,
            Op::Enable => {
                body.confines.scissor_test |= args[0] == SCISSOR_TEST;
                used_stencil_test |= args[0] == 0x0b90 && !in_list;
                used_depth_test |= args[0] == 0x0b71 && !in_list;
                used_blending |= args[0] == 0x0be2 && !in_list;
            }
            _ => {}
        }
        assert!(next > offset);
        if next != offset + instruction.words() {
            assert!(verified.jump_targets().binary_search(&(next as u32)).is_ok());
            assert!(primitive.is_none() && outer.is_none());
        }
        offset = next;
    }
    assert_eq!(offset, words.len());
    assert!(primitive.is_none() && outer.is_none());
    body.agrees(&facts.body);
    assert_eq!(facts.registers_always_written & !body.written, 0);
    for (did, occurs) in signals.into_iter().zip([facts.requests_frame, facts.damages, facts.notifies]) {
        happened(did, occurs);
    }
    assert_eq!(externals & !facts.externals, 0);
    assert!(!used_depth_test || facts.body.uses.depth_test);
    assert!(!used_stencil_test || facts.body.uses.stencil_test);
    assert!(!used_blending || facts.body.uses.blending);
}

/// Verifies; if accepted, walks and verifies again.
fn examine(rng: &mut Rng, words: &[u32], callback: Callback) -> bool {
    match verify(words, callback) {
        Ok(verified) => {
            let instructions =
                verified.instructions().inspect(|i| assert!(i.args.len() == i.info.operands.len()));
            assert_eq!(instructions.count(), verified.facts().instructions as usize);
            let marked = verified.instructions().filter(|i| i.is_target).count();
            let to_end = verified.jump_targets().last() == Some(&(words.len() as u32));
            assert_eq!(marked + usize::from(to_end), verified.jump_targets().len());
            for _ in 0..3 {
                walk(rng, &verified);
            }
            let again = verify(verified.words(), callback);
            assert_eq!(again.as_ref(), Ok(&verified));
            true
        }
        Err(error) => {
            assert!(!error.to_string().is_empty());
            assert_eq!(verify(words, callback), Err(error));
            false
        }
    }
}

#[test]
fn well_formed_programs_are_accepted_and_keep_their_facts() {
    let mut rng = Rng::with_seed(1);
    for _ in 0..30_000 {
        let callback = Callback::ALL[rng.usize(..5)];
        let words = well_formed(&mut rng, callback);
        // The generator draws constants that OpenGL refuses (V33, V34), nothing else wrong.
        if let Err(error) = verify(&words, callback) {
            assert!(matches!(error.rule.number(), 33 | 34), "{error}");
        } else {
            assert!(examine(&mut rng, &words, callback));
        }
    }
}

#[test]
fn mutated_programs_never_panic_and_never_break_what_is_promised() {
    let mut rng = Rng::with_seed(2);
    let (mut accepted, programs) = (0, 150_000);
    let mut rules = [0u32; 40];
    for _ in 0..programs {
        let callback = Callback::ALL[rng.usize(..5)];
        let mut words = well_formed(&mut rng, callback);
        mutate(&mut rng, &mut words);
        if examine(&mut rng, &words, callback) {
            accepted += 1;
        } else if let Err(error) = verify(&words, callback) {
            rules[error.rule.number() as usize] += 1;
        }
    }
    // Else the test would test little.
    assert!(accepted > programs / 20, "only {accepted} accepted");
    let found = rules.iter().filter(|&&n| n > 0).count();
    assert!(found >= 25, "mutation met only {found} rules: {rules:?}");
}

#[test]
fn noise_never_panics() {
    let mut rng = Rng::with_seed(3);
    for _ in 0..50_000 {
        let callback = Callback::ALL[rng.usize(..5)];
        let mut words = program(&[]);
        for _ in 0..rng.usize(..40) {
            let noise = match rng.u8(..3) {
                0 => rng.u32(..),
                1 => rng.u32(..40),
                _ => wire::head_word(
                    OPS[rng.usize(..OPS.len())].op,
                    if rng.bool() { 0 } else { rng.u16(..16) },
                ),
            };
            words.push(noise);
        }
        words[2] = words.len() as u32;
        examine(&mut rng, &words, callback);
    }
}

#[test]
fn the_largest_programs_of_jumps_are_done_in_one_pass() {
    // Every jump to the end, and every jump nearer than the one before: the orders that are worst
    // for a list of pending jumps. (Quadratic time would be minutes.)
    let count = (MAX_PROGRAM_WORDS - HEADER_WORDS) / 6;
    for nested in [false, true] {
        let mut words = program(&[]);
        let length = HEADER_WORDS + 6 * count;
        for i in 0..count {
            let target = if nested { length - i } else { length };
            words.extend(build::op(
                Op::JmpIf,
                &[build::U(0), build::R(0), build::F(0.0), build::U(target as u32)],
            ));
        }
        words.extend(std::iter::repeat_n(u32::from(Op::LoadIdentity.code()), count));
        words[2] = words.len() as u32;
        let verified = verify(&words, Callback::Redraw).expect("keeps all rules");
        assert_eq!(verified.facts().body.worst.ops as usize, 2 * count);
        assert_eq!(verified.jump_targets().len(), if nested { count } else { 1 });
    }
}
