//! A program that keeps every rule.

use crate::facts::Facts;
use crate::pass::Outcome;
use crate::rows;
use alloc::boxed::Box;
use alloc::sync::Arc;
use blinkgl::ops::{Callback, Op, OpInfo};
use blinkgl::wire::HEADER_WORDS;

/// A program that keeps every rule, for one callback. Only [`crate::verify`] makes one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VerifiedProgram {
    words: Arc<[u32]>,
    callback: Callback,
    targets: Box<[u32]>,
    facts: Facts,
}

impl VerifiedProgram {
    pub(crate) fn new(words: Arc<[u32]>, callback: Callback, outcome: Outcome) -> VerifiedProgram {
        VerifiedProgram { words, callback, targets: outcome.targets, facts: outcome.facts }
    }

    /// The words, header included.
    #[must_use]
    pub fn words(&self) -> &[u32] {
        &self.words
    }

    /// The words, shared: for what refers to them.
    #[must_use]
    pub fn shared_words(&self) -> &Arc<[u32]> {
        &self.words
    }

    /// The callback that it was verified for.
    #[must_use]
    pub fn callback(&self) -> Callback {
        self.callback
    }

    /// What it may and will do.
    #[must_use]
    pub fn facts(&self) -> &Facts {
        &self.facts
    }

    /// Word offsets that jumps lead to, sorted, each once. The program's length is among them if a jump leads
    /// to the end.
    #[must_use]
    pub fn jump_targets(&self) -> &[u32] {
        &self.targets
    }

    /// The instructions in order, those of display lists included.
    #[must_use]
    pub fn instructions(&self) -> Instructions<'_> {
        Instructions { words: &self.words, offset: HEADER_WORDS, targets: &self.targets }
    }

    /// The instructions from the one at `offset` on. They do not say where jumps lead.
    #[must_use]
    pub fn instructions_from(&self, offset: usize) -> Instructions<'_> {
        Instructions { words: &self.words, offset, targets: &[] }
    }
}

/// An instruction of a verified program.
#[derive(Clone, Copy, Debug)]
pub struct VerifiedInstruction<'a> {
    /// Its word offset from word 0 of the program.
    pub offset: usize,
    /// The op's row.
    pub info: &'static OpInfo,
    /// Bit `i`: operand `i` is a register. No bits beyond the operands.
    pub mask: u16,
    /// One word for each operand: a register's number below 32, or a constant's bits.
    pub args: &'a [u32],
    /// Does a jump lead here?
    pub is_target: bool,
}

impl VerifiedInstruction<'_> {
    /// The op.
    #[must_use]
    #[inline]
    pub fn op(&self) -> Op {
        self.info.op
    }

    /// Is operand `i` a register?
    #[must_use]
    #[inline]
    pub fn is_register(&self, i: usize) -> bool {
        self.mask >> i & 1 != 0
    }
}

/// Iterates over the instructions of a verified program; ends at its end, nowhere else.
#[derive(Clone, Debug)]
pub struct Instructions<'a> {
    words: &'a [u32],
    offset: usize,
    /// Targets not yet passed.
    targets: &'a [u32],
}

impl Instructions<'_> {
    /// Goes on at `offset`, the start of an instruction ahead that no jump target lies before.
    #[inline]
    pub fn skip_to(&mut self, offset: usize) {
        self.offset = self.offset.max(offset);
    }

    /// The offset of the next instruction.
    #[must_use]
    #[inline]
    pub fn offset(&self) -> usize {
        self.offset
    }
}

impl<'a> Iterator for Instructions<'a> {
    type Item = VerifiedInstruction<'a>;

    #[inline]
    fn next(&mut self) -> Option<VerifiedInstruction<'a>> {
        // Words that the pass accepted decode without error.
        let (&head, rest) = self.words.get(self.offset..)?.split_first()?;
        let [code, mask] = rows::halves(head);
        let info = Op::info_from_code(code)?;
        // The row, not `info`: the next instruction waits for this number, and the row has it one load earlier.
        let args = rest.get(..usize::from(rows::row(code).operands))?;
        let offset = self.offset;
        let is_target = match self.targets.split_first() {
            Some((&target, rest)) if usize::try_from(target) == Ok(offset) => {
                self.targets = rest;
                true
            }
            _ => false,
        };
        self.offset += 1 + args.len();
        Some(VerifiedInstruction { offset, info, mask, args, is_target })
    }
}

impl core::iter::FusedIterator for Instructions<'_> {}
