//! Rules about primitives, matrices and lists, and the budget.

use crate::generate::{BY_CLASS, Generator, MODELVIEW, PROJECTION, STACKS, TEXTURE, TEXTURE1};
use blinkgl::limits::{MAX_FUEL, MAX_LISTS, MAX_UPLOAD_BYTES, MAX_VERTICES};
use blinkgl::ops::{Class, ListDefinitionOp, OPS, Op, OpInfo};

impl Generator {
    pub(super) fn break_primitive(&mut self, rule: u32, force: bool) -> Option<usize> {
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
                    Class::Signal(_) | Class::Jump(_) | Class::State(_) | Class::Draw(_) | Class::ListCall(_) => true,
                    Class::ListDefinition(ListDefinitionOp::NewList) => place.in_list,
                    Class::ListDefinition(ListDefinitionOp::EndList)
                    | Class::Compute(_)
                    | Class::Read(_)
                    | Class::Attribute(_)
                    | Class::Vertex(_)
                    | Class::Begin(_)
                    | Class::End(_) => false,
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

    pub(super) fn break_matrices(&mut self, rule: u32, force: bool) -> Option<usize> {
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
    pub(super) fn break_modes(&mut self) -> Option<usize> {
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

    pub(super) fn break_budget(&mut self) -> Option<usize> {
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
