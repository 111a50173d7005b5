//! Rules about codes, masks, operands and where jumps lead, and about constants.

use crate::generate::Generator;
use crate::generate::operands::DEMANDING;
use blinkgl::limits::MAX_LISTS;
use blinkgl::ops::{Callback, Class, Kind, Op, OpInfo, StateOp};
use blinkgl::wire::HEADER_WORDS;

impl Generator {
    /// Rules about codes, masks, operands and where jumps lead.
    pub(super) fn break_operand(&mut self, rule: u32) -> Option<usize> {
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
                    !row.operands.is_empty()
                        && !matches!(row.class, Class::Jump(_) | Class::State(StateOp::PushAttrib))
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

    /// Has an op operands whose constants have a range?
    pub(super) fn has_demand(&self, row: &OpInfo) -> bool {
        let stands = if matches!(row.class, Class::Draw(_)) { self.draws() } else { self.has_gl() };
        stands && DEMANDING.contains(&row.op)
    }

    /// Appends an instruction with one constant that is out of its range, or (`range` not set) of another kind.
    pub(super) fn out_of_range(&mut self, info: &'static OpInfo, range: bool) -> bool {
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
}
