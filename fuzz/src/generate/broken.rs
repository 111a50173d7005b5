//! Programs that break one rule and no other, and where the verifier must say so.

use super::{ALL_GROUPS, BY_CLASS, Generator, MODELVIEW, PROJECTION, Place, STACKS, TEXTURE, TEXTURE1, TOP};
use blinkgl::limits::{ATTRIB_STACK, MAX_FUEL, MAX_LISTS, MAX_PROGRAM_WORDS, MAX_UPLOAD_BYTES, MAX_VERTICES};
use blinkgl::ops::{Callback, Class, Kind, OPS, Op, OpInfo};
use blinkgl::wire::HEADER_WORDS;
use fastrand::Rng;

/// A program that breaks one rule.
#[derive(Clone, Debug)]
pub struct Broken {
    /// The program.
    pub words: Vec<u32>,
    /// What it is for.
    pub callback: Callback,
    /// The rule's number.
    pub rule: u32,
    /// Word offset of the instruction at fault, if known.
    pub offset: Option<usize>,
}

/// A rule to be broken.
#[derive(Clone, Copy, Debug)]
pub(super) struct Plan {
    rule: u32,
    /// Statements before.
    wait: u32,
    /// It must be now.
    force: bool,
}

impl Plan {
    /// Does a jump to the end meet it there, so that another rule is broken first?
    pub(super) fn is_met_by_exits(self) -> bool {
        matches!(self.rule, 29 | 38)
    }

    /// Is it about paths that meet?
    pub(super) fn is_of_paths(self) -> bool {
        matches!(self.rule, 30 | 31 | 39)
    }
}

/// Rules about a program's end: nothing may come after what breaks them.
const AT_END: [u32; 5] = [6, 21, 26, 29, 38];

/// Callbacks in whose programs a rule can be broken.
fn callbacks(rule: u32) -> &'static [Callback] {
    use Callback::{Init, Input, Redraw, Reshape, Update};
    match rule {
        1..=11 | 13..=15 => &Callback::ALL,
        // What draws, or what draws in lists.
        12 | 18 | 19 | 20 | 21 | 27 | 28 | 29 | 32 | 33 | 34 | 35 | 36 | 37 | 38 => {
            &[Init, Update, Reshape, Redraw]
        }
        16 => &[Redraw],
        17 | 23..=26 => &[Init, Update, Reshape],
        22 => &[Init, Update, Reshape, Redraw, Input],
        30 | 31 | 39 => &[Init, Update, Reshape, Redraw],
        _ => unreachable!("there is no rule {rule}"),
    }
}

impl Generator {
    /// A program of about `length` words that breaks a rule.
    #[must_use]
    pub fn broken(rng: &mut Rng, rule: u32, length: usize) -> Broken {
        let of = callbacks(rule);
        let callback = of[rng.usize(..of.len())];
        let mut g = Generator::new(rng, callback);
        if rule <= 4 {
            g.block(length);
            g.finish();
            g.break_header(rule);
            return Broken { words: g.words, callback, rule, offset: None };
        }
        let wait = g.rng.u32(0..8);
        g.fault = Some(Plan { rule, wait, force: false });
        g.block(length);
        if let Some(plan) = &mut g.fault {
            plan.force = true;
        }
        g.break_rule();
        let offset = g.fault_offset.expect("each rule can be broken at a program's end");
        // What a jump into a following instruction needs.
        g.finish();
        if matches!(rule, 14) {
            // Past the end: known now.
            let beyond = g.pick(&[1, 2, 100]);
            let target = if g.chance(4) { u32::MAX } else { g.here() as u32 + beyond };
            let operand = offset + usize::from(g.words[offset] as u16 == Op::JmpIf as u16) * 3 + 1;
            g.words[operand] = target;
        }
        Broken { words: g.words, callback, rule, offset: Some(offset).filter(|&at| at != usize::MAX) }
    }

    fn break_header(&mut self, rule: u32) {
        match rule {
            1 => self.words[0] ^= 1 << self.rng.u32(0..32),
            2 => {
                self.words[1] = match self.rng.u32(0..3) {
                    0 => self.words[1] + 1,
                    1 => self.words[1] + 0x1_0000,
                    _ => self.words[1] - 0x1_0000,
                }
            }
            3 => match self.rng.u32(0..40) {
                0..=9 => self.words[2] += 1,
                10..=19 => self.words[2] -= 1,
                20..=29 => self.words[2] = self.rng.u32(0x4_0000..),
                30..=37 => {
                    let length = self.rng.usize(..HEADER_WORDS);
                    self.words.truncate(length);
                }
                _ => {
                    self.words.resize(MAX_PROGRAM_WORDS + 1, u32::from(Op::RequestFrame.code()));
                    self.words[2] = self.words.len() as u32;
                }
            },
            _ => self.words[3] = 1 << self.rng.u32(0..32),
        }
    }

    /// At the beginning of a statement: breaks the rule, if it is time.
    pub(super) fn break_rule(&mut self) {
        let Some(plan) = &mut self.fault else { return };
        if plan.wait > 0 && !plan.force {
            plan.wait -= 1;
            return;
        }
        let plan = *plan;
        if !plan.force && (AT_END.contains(&plan.rule) || self.rng.bool()) {
            return;
        }
        let before = self.words.len();
        if let Some(offset) = self.break_here(plan.rule, plan.force) {
            self.fault = None;
            self.fault_offset = Some(offset);
        } else {
            self.words.truncate(before);
        }
    }

    /// The same in a new list.
    fn in_list(&mut self, rule: u32) -> Option<usize> {
        if !self.defines_lists() {
            return None;
        }
        self.instruction(Op::NewList);
        let outer = std::mem::replace(&mut self.place, Place { in_list: true, ..TOP });
        let offset = self.break_here(rule, true);
        self.place = outer;
        self.op(Op::EndList, &[]);
        offset
    }

    /// A good instruction, to be made a bad one.
    fn good(&mut self, op: Op) -> (usize, &'static OpInfo) {
        let head = self.here();
        self.instruction(op);
        if op.info().class == Class::Jump {
            self.words[head + op.info().operands.len()] = self.here() as u32;
        }
        (head, op.info())
    }

    /// An op that may stand here and is good here, of which `wanted` is true.
    fn any_op(&mut self, wanted: impl Fn(&OpInfo) -> bool) -> Option<Op> {
        let (in_list, draws, has_gl) = (self.place.in_list, self.draws(), self.has_gl());
        let stands = |row: &&OpInfo| {
            wanted(row)
                && match row.class {
                    Class::Compute | Class::Read | Class::Signal | Class::Jump => !in_list,
                    Class::State => has_gl && !matches!(row.op, Op::PopMatrix | Op::PopAttrib),
                    Class::Attribute => has_gl,
                    Class::Begin | Class::Draw | Class::ListCall => draws,
                    Class::Vertex | Class::End | Class::ListDefinition => false,
                }
        };
        let all: Vec<Op> = OPS.iter().filter(stands).map(|row| row.op).collect();
        (!all.is_empty()).then(|| self.pick(&all))
    }

    /// `jmp_if` (or `jmp`) with its target to be filled in: (offset, place of the target).
    fn fault_jump(&mut self) -> (usize, usize) {
        let offset = self.here();
        let op = if self.chance(4) { Op::Jmp } else { Op::JmpIf };
        let hole = self.jump(op);
        (offset, hole)
    }

    /// A jump that may be taken or not: never an unconditional one, after which what it jumps over is dead.
    fn fault_branch(&mut self) -> (usize, usize) {
        let offset = self.here();
        (offset, self.jump(Op::JmpIf))
    }

    fn target(&mut self, hole: usize) {
        self.words[hole] = self.here() as u32;
    }

    /// The jump leads here, and no other does: of several the first would be at fault.
    fn meet(&mut self, hole: usize) {
        self.target(hole);
        self.instruction(Op::LoadIdentity);
    }

    /// Appends what breaks the rule; the offset of the instruction at fault. `None`: not possible here.
    fn break_here(&mut self, rule: u32, force: bool) -> Option<usize> {
        let place = self.place;
        let is_operand = matches!(rule, 5 | 7..=15);
        if place.in_list && matches!(rule, 6 | 13..=17 | 22 | 26 | 30 | 31 | 39) {
            return None;
        }
        // A body of its own, where the rule is the same.
        let lists = self.defines_lists();
        let wants_list = match rule {
            18..=21 | 32 => lists && !self.draws(),
            23 | 24 => lists,
            27..=29 | 33 | 34 | 36..=38 => lists && self.chance(3),
            _ => false,
        };
        if wants_list {
            return self.in_list(rule);
        }
        if is_operand {
            return self.break_operand(rule);
        }
        match rule {
            6 => {
                let op = self.any_op(|row| !row.operands.is_empty()).filter(|_| force)?;
                let (head, info) = self.good(op);
                let kept = self.rng.usize(..info.operands.len());
                self.words.truncate(head + 1 + kept);
                Some(head)
            }
            16 => {
                let (offset, hole) = self.fault_jump();
                self.instruction(Op::Begin);
                for _ in 0..self.rng.u32(0..3) {
                    self.one(|ops| &ops.vertex);
                }
                self.target(hole);
                for _ in 0..self.rng.u32(0..3) {
                    self.one(|ops| &ops.vertex);
                }
                self.instruction(Op::End);
                Some(offset)
            }
            17 => {
                let (offset, hole) = self.fault_jump();
                self.instruction(Op::NewList);
                for _ in 0..self.rng.u32(0..3) {
                    self.one(|ops| &ops.state);
                }
                self.target(hole);
                self.op(Op::EndList, &[]);
                Some(offset)
            }
            18..=21 => self.break_primitive(rule, force),
            22 => {
                let callback = self.callback;
                let refused = |row: &&OpInfo| !row.class.allowed_in(callback);
                let all: Vec<Op> = OPS.iter().filter(refused).map(|row| row.op).collect();
                let op = self.pick(&all);
                Some(self.good(op).0)
            }
            23 if place.in_list => {
                let open = self.chance(4);
                if open {
                    self.instruction(Op::Begin);
                }
                // Between begin and end jumps and signals break another rule.
                let all: Vec<Op> = OPS
                    .iter()
                    .filter(|row| match row.class {
                        Class::Compute | Class::Read => true,
                        Class::Signal | Class::Jump => !open,
                        _ => false,
                    })
                    .map(|row| row.op)
                    .collect();
                let op = self.pick(&all);
                let offset = self.good(op).0;
                if open {
                    self.instruction(Op::End);
                }
                Some(offset)
            }
            24 if place.in_list => Some(self.good(Op::NewList).0),
            25 if !place.in_list => Some(self.good(Op::EndList).0),
            26 if force => {
                self.instruction(Op::NewList);
                for _ in 0..self.rng.u32(0..3) {
                    self.one(|ops| &ops.state);
                }
                Some(self.here())
            }
            27..=29 => self.break_matrices(rule, force),
            30 => {
                // The modelview stack may be full.
                let stack = self.pick(if place.depth == 1 { &STACKS } else { &STACKS[1..] });
                self.select(stack);
                let (offset, hole) = self.fault_branch();
                self.instruction(Op::PushMatrix);
                if self.rng.bool() {
                    self.instruction(Op::LoadIdentity);
                }
                self.meet(hole);
                Some(offset)
            }
            31 => {
                let unit = self.rng.bool();
                if unit {
                    self.op(Op::MatrixMode, &[TEXTURE]);
                }
                let (_, hole) = self.fault_branch();
                if unit {
                    self.op(Op::ActiveTexture, &[TEXTURE1]);
                } else {
                    let mode = self.pick(&[PROJECTION, TEXTURE]);
                    self.op(Op::MatrixMode, &[mode]);
                }
                self.target(hole);
                let op = self.pick(&[Op::PushMatrix, Op::PopMatrix]);
                Some(self.good(op).0)
            }
            32 => self.break_modes(),
            33 | 34 => {
                let range = rule == 33;
                let ops: Vec<Op> = OPS.iter().filter(|row| self.has_demand(row)).map(|row| row.op).collect();
                // Not each draw of the operands before has one that can be wrong.
                (0..50).find_map(|_| {
                    let before = self.here();
                    let op = self.pick(&ops);
                    let done = self.out_of_range(op.info(), range);
                    if !done {
                        self.words.truncate(before);
                    }
                    done.then_some(before)
                })
            }
            35 => self.break_budget(),
            36 => {
                for _ in place.attributes..ATTRIB_STACK {
                    self.instruction(Op::PushAttrib);
                }
                Some(self.good(Op::PushAttrib).0)
            }
            37 => {
                for _ in 0..place.attributes {
                    self.instruction(Op::PopAttrib);
                }
                // Pushed ones may have brought other modes back; no matter.
                Some(self.good(Op::PopAttrib).0)
            }
            38 => {
                if place.in_list && place.depth > 1 {
                    return None;
                }
                if place.in_list {
                    let groups = self.rng.u32(..) & ALL_GROUPS;
                    self.op(Op::PushAttrib, &[groups]);
                    let offset = self.here();
                    self.op(Op::EndList, &[]);
                    return Some(offset);
                }
                if !force {
                    return None;
                }
                self.instruction(Op::PushAttrib);
                Some(self.here())
            }
            39 => {
                // Pushed on one path only, or on each by another push.
                let both = self.rng.bool() && place.attributes < ATTRIB_STACK;
                if !both && place.attributes == ATTRIB_STACK {
                    return None;
                }
                if both {
                    self.instruction(Op::PushAttrib);
                }
                let (offset, hole) = self.fault_branch();
                if both {
                    self.instruction(Op::PopAttrib);
                }
                self.instruction(Op::PushAttrib);
                self.meet(hole);
                Some(offset)
            }
            _ => None,
        }
    }

    /// Rules about codes, masks, operands and where jumps lead.
    fn break_operand(&mut self, rule: u32) -> Option<usize> {
        let place = self.place;
        match rule {
            5 => {
                let mask = self.rng.u32(0..4) << 16;
                let offset = self.here();
                loop {
                    let code = if self.rng.bool() { self.rng.u16(..) } else { self.rng.u16(0..0x200) };
                    if Op::from_code(code).is_none() {
                        self.words.push(mask | u32::from(code));
                        return Some(offset);
                    }
                }
            }
            7 => {
                let op = self.any_op(|row| row.operands.len() < 16)?;
                let (head, info) = self.good(op);
                self.words[head] |= 1 << (16 + self.rng.usize(info.operands.len()..16));
                Some(head)
            }
            8 => {
                let op = self.any_op(|row| row.operands.iter().any(|o| o.kind.takes_register()))?;
                let (head, info) = self.good(op);
                let i = self.operand(info, |kind| kind.takes_register())?;
                self.words[head] |= 1 << (16 + i);
                self.words[head + 1 + i] = if self.rng.bool() { 32 } else { self.rng.u32(32..) };
                Some(head)
            }
            9 => {
                let op = self.any_op(|row| row.operands.first().is_some_and(|o| o.kind == Kind::Dst))?;
                let (head, _) = self.good(op);
                self.words[head] &= !(1 << 16);
                Some(head)
            }
            10 => {
                let op = self.any_op(|row| row.operands.iter().any(|o| !o.kind.takes_register()))?;
                let (head, info) = self.good(op);
                let i = self.operand(info, |kind| !kind.takes_register())?;
                self.words[head] |= 1 << (16 + i);
                if self.rng.bool() {
                    self.words[head + 1 + i] = self.register();
                }
                Some(head)
            }
            11 => {
                let is_set = |kind: Kind| matches!(kind, Kind::Enum(_) | Kind::Bits(_) | Kind::Bool);
                let op = self.any_op(|row| row.operands.iter().any(|o| is_set(o.kind)))?;
                let (head, info) = self.good(op);
                let i = self.operand(info, is_set)?;
                let word = self.words[head + 1 + i];
                self.words[head + 1 + i] = match info.operands[i].kind {
                    Kind::Enum(set) => loop {
                        let near = [
                            word.wrapping_add(1),
                            word.wrapping_sub(1),
                            self.rng.u32(..),
                            word ^ 1 << self.rng.u32(0..32),
                        ];
                        let value = self.pick(&near);
                        if !set.contains(value) {
                            break value;
                        }
                    },
                    Kind::Bits(set) => {
                        let others: Vec<u32> = (0..32).filter(|bit| set.all_bits() >> bit & 1 == 0).collect();
                        word | 1 << self.pick(&others)
                    }
                    _ => self.pick(&[2, 3, u32::MAX]),
                };
                Some(head)
            }
            12 => {
                let op = if place.in_list || self.callback == Callback::Redraw {
                    Op::CallList
                } else {
                    Op::NewList
                };
                let (head, _) = self.good(op);
                self.words[head + 1] = self.pick(&[0, MAX_LISTS + 1, u32::MAX]);
                Some(head)
            }
            13 => {
                let (offset, hole) = self.fault_jump();
                let next = self.here() as u32;
                let random = self.rng.u32(0..next);
                self.words[hole] = self.pick(&[next - 1, offset as u32, 0, HEADER_WORDS as u32, random]);
                Some(offset)
            }
            // Its target is known when the program is finished.
            14 => {
                let (offset, hole) = self.fault_jump();
                self.words[hole] = u32::MAX;
                Some(offset)
            }
            15 => {
                let (offset, hole) = self.fault_jump();
                if self.rng.bool() {
                    self.op(Op::RequestFrame, &[]);
                }
                let op = self.any_op(|row| {
                    !row.operands.is_empty() && row.class != Class::Jump && row.op != Op::PushAttrib
                })?;
                let (head, info) = self.good(op);
                self.words[hole] = (head + self.rng.usize(1..=info.operands.len())) as u32;
                Some(offset)
            }
            _ => None,
        }
    }

    /// One of an op's operands of which `wanted` is true of its kind.
    fn operand(&mut self, info: &OpInfo, wanted: impl Fn(Kind) -> bool) -> Option<usize> {
        let all: Vec<usize> = (0..info.operands.len()).filter(|&i| wanted(info.operands[i].kind)).collect();
        (!all.is_empty()).then(|| self.pick(&all))
    }

    fn break_primitive(&mut self, rule: u32, force: bool) -> Option<usize> {
        let place = self.place;
        if !self.draws() {
            return None;
        }
        match rule {
            18 => {
                self.instruction(Op::Begin);
                if self.rng.bool() {
                    self.one(|ops| &ops.vertex);
                }
                let callback = self.callback;
                let refused = |row: &&OpInfo| match row.class {
                    Class::Signal | Class::Jump | Class::State | Class::Draw | Class::ListCall => true,
                    Class::ListDefinition => place.in_list && row.op == Op::NewList,
                    _ => false,
                } && (place.in_list || row.class.allowed_in(callback));
                let all: Vec<Op> = OPS.iter().filter(refused).map(|row| row.op).collect();
                let op = self.pick(&all);
                let offset = self.good(op).0;
                self.instruction(Op::End);
                Some(offset)
            }
            19 => {
                let op = if self.chance(4) { Op::End } else { self.pick(&BY_CLASS.vertex) };
                Some(self.good(op).0)
            }
            20 => {
                self.instruction(Op::Begin);
                let offset = self.good(Op::Begin).0;
                self.instruction(Op::End);
                Some(offset)
            }
            _ => {
                if !place.in_list && !force {
                    return None;
                }
                self.instruction(Op::Begin);
                for _ in 0..self.rng.u32(0..4) {
                    self.one(|ops| &ops.vertex);
                }
                let offset = self.here();
                if place.in_list {
                    self.op(Op::EndList, &[]);
                }
                Some(offset)
            }
        }
    }

    fn break_matrices(&mut self, rule: u32, force: bool) -> Option<usize> {
        let place = self.place;
        if !self.has_gl() {
            return None;
        }
        let stack = self.pick(&STACKS);
        let depth = if stack.mode == MODELVIEW { place.depth } else { 1 };
        match rule {
            27 => {
                self.select(stack);
                for _ in depth..stack.capacity {
                    self.instruction(Op::PushMatrix);
                }
                Some(self.good(Op::PushMatrix).0)
            }
            28 => {
                self.select(stack);
                for _ in 1..depth {
                    self.instruction(Op::PopMatrix);
                }
                Some(self.good(Op::PopMatrix).0)
            }
            _ => {
                if !place.in_list && !force {
                    return None;
                }
                self.select(stack);
                self.instruction(Op::PushMatrix);
                self.select(STACKS[0]);
                let offset = self.here();
                if place.in_list {
                    self.op(Op::EndList, &[]);
                }
                Some(offset)
            }
        }
    }

    /// A list called, or ended, in another mode or with another unit.
    fn break_modes(&mut self) -> Option<usize> {
        let unit = self.rng.bool();
        if unit {
            self.op(Op::ActiveTexture, &[TEXTURE1]);
        } else {
            let mode = self.pick(&[PROJECTION, TEXTURE]);
            self.op(Op::MatrixMode, &[mode]);
        }
        let op = if self.place.in_list && self.place.depth == 1 && self.rng.bool() {
            Op::EndList
        } else {
            Op::CallList
        };
        if op == Op::CallList && !self.draws() {
            return None;
        }
        Some(self.good(op).0)
    }

    /// Has an op operands whose constants have a range?
    fn has_demand(&self, row: &OpInfo) -> bool {
        let stands = match row.class {
            Class::Draw => self.draws(),
            _ => self.has_gl(),
        };
        stands
            && matches!(
                row.op,
                Op::Frustum
                    | Op::Ortho
                    | Op::Scissor
                    | Op::Viewport
                    | Op::PointSize
                    | Op::LineWidth
                    | Op::Material
                    | Op::Light
                    | Op::PointParameter
                    | Op::Fog
                    | Op::TexEnvScale
                    | Op::ArrayPointer
                    | Op::DrawArrays
                    | Op::DrawElements
                    | Op::TexParameter
                    | Op::TexEnvCombine
                    | Op::TexGenMode
            )
    }

    /// Appends an instruction with one constant that is out of its range, or (`range` not set) of another kind.
    fn out_of_range(&mut self, info: &'static OpInfo, range: bool) -> bool {
        let head = self.here();
        self.instruction(info.op);
        let mask = self.words[head] >> 16;
        let mut bad = Vec::new();
        for i in 0..info.operands.len() {
            let args = self.words[head + 1..].to_vec();
            // What another operand is compared with must be a constant too.
            let pair = matches!(info.op, Op::Frustum | Op::Ortho) && mask >> (i & !1) & 3 != 0;
            if pair {
                continue;
            }
            if let Some(word) = self.beyond(info, i, &args, range) {
                bad.push((i, word));
            }
        }
        if bad.is_empty() {
            return false;
        }
        let (i, word) = self.pick(&bad);
        self.words[head] &= !(1 << (16 + i));
        self.words[head + 1 + i] = word;
        true
    }

    fn break_budget(&mut self) -> Option<usize> {
        if self.draws() {
            let offset = self.here();
            let all = self.pick(&[MAX_FUEL as u32, u32::MAX, MAX_FUEL as u32 + 1]);
            let bytes = MAX_UPLOAD_BYTES as u32 / 80;
            let (mode, count) = self.pick(&[
                (0, all),
                (0, bytes + 1),
                // By their vertices alone.
                (2, MAX_VERTICES as u32 / 2 + 1),
                (5, MAX_VERTICES as u32 / 3 + 3),
            ]);
            if self.rng.bool() {
                self.op(Op::DrawArrays, &[mode, 0, count]);
            } else {
                self.op(Op::DrawElements, &[mode, count, 0x1401, 1, 0]);
            }
            return Some(offset);
        }
        if !self.defines_lists() {
            return None;
        }
        if self.chance(50) {
            // The lists before count too, so it is one of these, but it is not known which.
            for _ in 0..=MAX_LISTS {
                self.op(Op::NewList, &[1]);
                self.op(Op::EndList, &[]);
            }
            return Some(usize::MAX);
        }
        self.in_list(35)
    }
}
