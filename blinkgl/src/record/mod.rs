//! Records stored procedures: one method for each op, named as in OpenGL, that appends the
//! instruction to the program's words.
//!
//! A register can stand wherever a number can. Mistakes do not interrupt the recording: the first
//! is kept, and [`Recorder::finish`] returns it.
//!
//! ```
//! use blinkgl::gl::{ClearMask, Predicate, Primitive};
//! use blinkgl::Recorder;
//!
//! let mut p = Recorder::new();
//! p.clear(ClearMask::COLOR | ClearMask::DEPTH);
//!
//! // 70 degrees a second, computed when the frame is drawn.
//! let angle = p.alloc();
//! p.time_mod(angle, 360.0 / 70.0);
//! p.mul(angle, angle, 70.0);
//!
//! p.pushed(|p| {
//!     p.rotate(angle, 0.0, 0.0, 1.0);
//!     p.primitive(Primitive::Triangles, |p| {
//!         p.color3(1.0, 0.0, 0.0);
//!         p.vertex2(-1.0, -1.0);
//!         p.vertex2(1.0, -1.0);
//!         p.vertex2(0.0, 1.0);
//!     });
//! });
//!
//! // Another frame only in the first half of a turn.
//! let done = p.label();
//! p.jmp_if(Predicate::Ge, angle, 180.0, done);
//! p.request_frame();
//! p.bind(done);
//!
//! let program = p.finish()?;
//! assert_eq!(program.untrusted_words()[0], blinkgl::wire::MAGIC);
//! # Ok::<(), blinkgl::RecordError>(())
//! ```

mod calls;
mod forms;
mod glu;
mod names;
mod quadric;
mod scopes;
mod values;

pub use names::{BufferId, ListId, TextureId};
pub use quadric::{DrawStyle, Normals, Orientation, Quadric};
pub use values::{Float, Int, Parameter, Raw};

use crate::gl::Predicate;
use crate::limits::{MAX_LISTS, MAX_PROGRAM_WORDS, REGISTERS};
use crate::ops::{Op, Operand};
use crate::wire::{Arg, HEADER_WORDS, Reg, WireProgram, head_word, header};
use alloc::vec::Vec;

/// A mistake in a recording. Op indices count from 0, as the verifier's do.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RecordError {
    /// The program outgrew its limit.
    #[error(
        "op {op_index} (`{op}`) makes the program longer than {MAX_PROGRAM_WORDS} words: split it, or move \
        geometry into display lists of another procedure"
    )]
    TooLong {
        /// The first op that had no room.
        op_index: usize,
        /// Which op it is.
        op: Op,
    },
    /// A label was bound twice.
    #[error("label {label} is bound at op {second}, but was bound at op {first} already")]
    LabelBoundTwice {
        /// Number of the label, in the order of [`Recorder::label`] calls.
        label: u32,
        /// Op index of the first binding.
        first: usize,
        /// Op index of the second.
        second: usize,
    },
    /// A jump to a label that is bound already would go backward.
    #[error("op {op_index} jumps back to label {label} at op {target}: jumps go forward only")]
    BackwardJump {
        /// Number of the label.
        label: u32,
        /// The jump.
        op_index: usize,
        /// Where the label is bound.
        target: usize,
    },
    /// A label has a jump to it, but no place.
    #[error("op {op_index} jumps to label {label}, which is bound nowhere: call bind(label) before finish()")]
    LabelUnbound {
        /// Number of the label.
        label: u32,
        /// The last jump to it.
        op_index: usize,
    },
    /// The label comes from another recorder.
    #[error("op {op_index} uses label {label}, which this recorder did not make")]
    UnknownLabel {
        /// Number of the label.
        label: u32,
        /// Op index at which it was used.
        op_index: usize,
    },
    /// A register number above the last.
    #[error("op {op_index}: register {number} does not exist, they are 0 to {last}", last = REGISTERS - 1)]
    NoSuchRegister {
        /// The number.
        number: u32,
        /// Op index at which it was asked for.
        op_index: usize,
    },
    /// All registers are taken.
    #[error("op {op_index}: all {REGISTERS} registers are in use, release some")]
    NoRegisterLeft {
        /// Op index at which another was asked for.
        op_index: usize,
    },
    /// All names of display lists are taken.
    #[error("op {op_index}: all {MAX_LISTS} names of display lists are in use")]
    NoListLeft {
        /// Op index at which another was asked for.
        op_index: usize,
    },
    /// A [`Quadric`] cannot have this shape; GLU reports `GLU_INVALID_VALUE` then.
    #[error("op {op_index}: a {shape} needs {needs}")]
    Quadric {
        /// Where it would have been.
        op_index: usize,
        /// Which of the quadrics.
        shape: &'static str,
        /// What it needs.
        needs: &'static str,
    },
    /// [`Recorder::instruction`] got too many or too few operands.
    #[error("op {op_index}: `{op}` takes {needed} operands, got {found}")]
    OperandCount {
        /// Where.
        op_index: usize,
        /// The op.
        op: Op,
        /// Operands of its row.
        needed: usize,
        /// Operands given.
        found: usize,
    },
    /// [`Recorder::instruction`] got a register where only a constant can stand, or the reverse.
    #[error("op {op_index}: operand `{operand}` of `{op}` cannot be {found}")]
    OperandForm {
        /// Where.
        op_index: usize,
        /// The op.
        op: Op,
        /// The operand's name.
        operand: &'static str,
        /// "a register" or "a constant".
        found: &'static str,
    },
}

/// A place ahead in a program, for forward jumps. Made by [`Recorder::label`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Label(u32);

/// What is known of a label.
#[derive(Clone, Copy, Debug)]
enum LabelState {
    /// No jump yet.
    Unused,
    /// The operand word at index `last` is to be filled in; it holds the index of the one before, 0 for
    /// none (index 0 is the header). `op_index` is the jump of `last`.
    Wanted { last: usize, op_index: usize },
    /// Bound before the op of this index.
    Bound { op_index: usize },
}

/// Records one stored procedure. See the [module](self).
#[derive(Clone, Debug)]
pub struct Recorder {
    words: Vec<u32>,
    op_count: usize,
    labels: Vec<LabelState>,
    /// Bit `n`: register `n` was given out.
    taken: u32,
    /// Highest name of a display list that was given out or defined.
    last_list: u32,
    error: Option<RecordError>,
}

impl Default for Recorder {
    fn default() -> Recorder {
        Recorder::new()
    }
}

impl Recorder {
    /// An empty program.
    #[must_use]
    pub fn new() -> Recorder {
        let mut words = Vec::with_capacity(256);
        words.extend(header(HEADER_WORDS));
        Recorder { words, op_count: 0, labels: Vec::new(), taken: 0, last_list: 0, error: None }
    }

    /// Ops recorded so far: the index that the next will have.
    #[must_use]
    pub fn op_count(&self) -> usize {
        self.op_count
    }

    /// Words recorded so far, header included.
    #[must_use]
    pub fn word_count(&self) -> usize {
        self.words.len()
    }

    /// Ends the recording.
    ///
    /// # Errors
    /// The first mistake of the recording.
    pub fn finish(mut self) -> Result<WireProgram, RecordError> {
        for (label, state) in (0..).zip(&self.labels) {
            if let (LabelState::Wanted { op_index, .. }, None) = (state, &self.error) {
                self.error = Some(RecordError::LabelUnbound { label, op_index: *op_index });
            }
        }
        if let Some(error) = self.error {
            return Err(error);
        }
        self.words.splice(..HEADER_WORDS, header(self.words.len()));
        Ok(WireProgram::from_words(self.words))
    }

    fn fail(&mut self, error: RecordError) {
        self.error.get_or_insert(error);
    }

    // ---- Registers -------------------------------------------------------------------------

    /// Register `number` by its number, for values shared with the client or with other procedures.
    /// [`Recorder::alloc`] does not give it out any more.
    pub fn reg(&mut self, number: u32) -> Reg {
        match Reg::new(number) {
            Some(reg) => {
                self.taken |= 1 << number;
                reg
            }
            None => {
                self.fail(RecordError::NoSuchRegister { number, op_index: self.op_count });
                FIRST_REG
            }
        }
    }

    /// A register that this recording does not use yet, highest numbers first, so that low ones stay
    /// for those with a fixed meaning.
    pub fn alloc(&mut self) -> Reg {
        let number = (!self.taken).checked_ilog2();
        match number.and_then(Reg::new) {
            Some(reg) => {
                self.taken |= 1 << reg.number();
                reg
            }
            None => {
                self.fail(RecordError::NoRegisterLeft { op_index: self.op_count });
                FIRST_REG
            }
        }
    }

    /// Lets [`Recorder::alloc`] give out `reg` again.
    pub fn release(&mut self, reg: Reg) {
        self.taken &= !(1 << reg.number());
    }

    // ---- Instructions ----------------------------------------------------------------------

    /// Any op with its operands in wire order: for generators. Each op also has its own method.
    pub fn instruction(&mut self, op: Op, args: &[Arg]) {
        let op_index = self.op_count;
        let operands = op.info().operands;
        if args.len() != operands.len() {
            self.fail(RecordError::OperandCount { op_index, op, needed: operands.len(), found: args.len() });
            return;
        }
        for (Operand { name, kind }, arg) in operands.iter().zip(args) {
            let (fits, found) = match arg {
                Arg::Reg(_) => (kind.takes_register(), "a register"),
                Arg::Const(_) => (kind.takes_constant(), "a constant"),
            };
            if !fits {
                self.fail(RecordError::OperandForm { op_index, op, operand: name, found });
            }
        }
        self.put(op, [args]);
    }

    /// Appends an instruction whose operands, in one or several pieces, fit the op's row.
    #[inline]
    fn put<const N: usize>(&mut self, op: Op, args: [&[Arg]; N]) {
        if self.words.len() + 1 + op.info().operands.len() > MAX_PROGRAM_WORDS {
            self.fail(RecordError::TooLong { op_index: self.op_count, op });
            return;
        }
        let mut mask = 0;
        let head = self.words.len();
        self.words.push(0);
        for (i, arg) in args.into_iter().flatten().enumerate() {
            self.words.push(match arg {
                Arg::Const(bits) => *bits,
                Arg::Reg(reg) => {
                    mask |= 1 << i;
                    reg.number()
                }
            });
        }
        if op == Op::NewList {
            self.last_list = self.last_list.max(self.words.last().copied().unwrap_or(0));
        }
        self.words[head] = head_word(op, mask);
        self.op_count += 1;
    }

    // ---- Jumps -----------------------------------------------------------------------------

    /// A label, to be bound ahead of the jumps to it.
    pub fn label(&mut self) -> Label {
        let label = Label(u32::try_from(self.labels.len()).unwrap_or(u32::MAX));
        self.labels.push(LabelState::Unused);
        label
    }

    /// Binds `label` to the next op, or to the end of the program if none follows.
    pub fn bind(&mut self, label: Label) {
        let (op_index, here) = (self.op_count, u32::try_from(self.words.len()).unwrap_or(u32::MAX));
        match self.label_state(label) {
            None => self.fail(RecordError::UnknownLabel { label: label.0, op_index }),
            Some(&mut LabelState::Bound { op_index: first }) => {
                self.fail(RecordError::LabelBoundTwice { label: label.0, first, second: op_index });
            }
            Some(state) => {
                let mut next = match *state {
                    LabelState::Wanted { last, .. } => last,
                    LabelState::Unused | LabelState::Bound { .. } => 0,
                };
                *state = LabelState::Bound { op_index };
                while next >= HEADER_WORDS {
                    next = core::mem::replace(&mut self.words[next], here) as usize;
                }
            }
        }
    }

    /// Goes on at `label`.
    pub fn jmp(&mut self, label: Label) {
        self.jump(Op::Jmp, &[], label);
    }

    /// Goes on at `label` if `a` compares so with `b`. With a NaN only [`Predicate::Ne`] holds.
    pub fn jmp_if(&mut self, predicate: Predicate, a: impl Into<Float>, b: impl Into<Float>, label: Label) {
        self.jump(Op::JmpIf, &[Arg::Const(predicate.value()), a.into().0, b.into().0], label);
    }

    fn jump(&mut self, op: Op, args: &[Arg], label: Label) {
        let (op_index, at) = (self.op_count, self.words.len() + 1 + args.len());
        let mut before = 0;
        match self.label_state(label) {
            None => self.fail(RecordError::UnknownLabel { label: label.0, op_index }),
            Some(&mut LabelState::Bound { op_index: target }) => {
                self.fail(RecordError::BackwardJump { label: label.0, op_index, target });
            }
            Some(state) => {
                if let LabelState::Wanted { last, .. } = *state {
                    before = last;
                }
                // Without room `put` appends nothing; the chain must then not point there.
                if at < MAX_PROGRAM_WORDS {
                    *state = LabelState::Wanted { last: at, op_index };
                }
            }
        }
        let before = Arg::Const(u32::try_from(before).unwrap_or(0));
        self.put(op, [args, &[before]]);
    }

    fn label_state(&mut self, label: Label) -> Option<&mut LabelState> {
        self.labels.get_mut(label.0 as usize)
    }
}

const FIRST_REG: Reg = match Reg::new(0) {
    Some(reg) => reg,
    None => panic!("there is a register 0"),
};

#[cfg(test)]
mod idioms;
#[cfg(test)]
mod tests;
