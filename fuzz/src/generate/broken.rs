//! Programs that break one rule and no other, and where the verifier must say so.

mod operands;
mod places;

use super::{ALL_GROUPS, Generator, PROJECTION, Pairing, Place, STACKS, TEXTURE, TEXTURE1, TOP, pairing};
use blinkgl::limits::{ATTRIB_STACK, MAX_PROGRAM_WORDS};
use blinkgl::ops::{Callback, Class, OPS, Op, OpInfo};
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
        if matches!(op.class(), Class::Jump(_)) {
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
                    Class::Compute(_) | Class::Read(_) | Class::Signal(_) | Class::Jump(_) => !in_list,
                    Class::State(op) => has_gl && pairing(op) != Pairing::Pop,
                    Class::Attribute(_) => has_gl,
                    Class::Begin(_) | Class::Draw(_) | Class::ListCall(_) => draws,
                    Class::Vertex(_) | Class::End(_) | Class::ListDefinition(_) => false,
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
                        Class::Compute(_) | Class::Read(_) => true,
                        Class::Signal(_) | Class::Jump(_) => !open,
                        Class::State(_)
                        | Class::Attribute(_)
                        | Class::Vertex(_)
                        | Class::Begin(_)
                        | Class::End(_)
                        | Class::Draw(_)
                        | Class::ListDefinition(_)
                        | Class::ListCall(_) => false,
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
}
