//! The wire format of a stored procedure: 32-bit words, little-endian.
//!
//! ```text
//! word 0   magic, the bytes "BGL1"
//! word 1   version: major << 16 | minor
//! word 2   length of the program in words, this header included
//! word 3   0
//! then one instruction after the other:
//!          code | register mask << 16, then one word for each operand of the op's row:
//!          bit i of the mask set: operand i is a register, its word is the register's number
//!          bit i clear: operand i is a constant, its word is the value
//! ```
//!
//! A jump target is a word offset from word 0 of the program. The program ends where its length
//! says; falling off the end and jumping to it are the way to stop.

use crate::limits::REGISTERS;
use crate::ops::{Op, OpInfo};
use crate::planted;
use alloc::sync::Arc;

/// First word of a program: the bytes `BGL1`.
pub const MAGIC: u32 = u32::from_le_bytes(*b"BGL1");
/// Major version: a program of another major version is refused.
pub const VERSION_MAJOR: u16 = 1;
/// Minor version: a program of a greater minor version may use ops that this table lacks, and is refused.
pub const VERSION_MINOR: u16 = 0;
/// Words of the header.
pub const HEADER_WORDS: usize = 4;

/// The version word of programs that this crate writes.
#[must_use]
pub fn version_word() -> u32 {
    u32::from(VERSION_MAJOR) << 16 | u32::from(VERSION_MINOR)
}

/// The header of a program of `length` words. A length that does not fit becomes `u32::MAX`, which no
/// program may have.
#[must_use]
pub fn header(length: usize) -> [u32; HEADER_WORDS] {
    [MAGIC, version_word(), u32::try_from(length).unwrap_or(u32::MAX), 0]
}

/// A virtual register, `0..REGISTERS`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Reg(u8);

impl Reg {
    /// The register of a number.
    #[must_use]
    #[allow(clippy::cast_possible_truncation, reason = "below REGISTERS, which is 32")]
    pub const fn new(number: u32) -> Option<Reg> {
        if (number as usize) < REGISTERS { Some(Reg(number as u8)) } else { None }
    }

    /// Its number.
    #[must_use]
    pub const fn number(self) -> u32 {
        self.0 as u32
    }

    /// Its number as an index into a register file.
    #[must_use]
    pub const fn index(self) -> usize {
        self.0 as usize
    }
}

/// An argument of an instruction: a register, or a constant's 32 bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Arg {
    /// A constant: the bits of the `f32`, the `i32`, or the value.
    Const(u32),
    /// A register.
    Reg(Reg),
}

impl From<f32> for Arg {
    fn from(value: f32) -> Arg {
        Arg::Const(value.to_bits())
    }
}

impl From<i32> for Arg {
    fn from(value: i32) -> Arg {
        Arg::Const(value.cast_unsigned())
    }
}

impl From<Reg> for Arg {
    fn from(reg: Reg) -> Arg {
        Arg::Reg(reg)
    }
}

/// A program as it came from a client: copied out of shared memory, not yet checked.
/// Only the verifier makes anything of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WireProgram(Arc<[u32]>);

impl WireProgram {
    /// Takes words as they are.
    #[must_use]
    pub fn from_words(words: impl Into<Arc<[u32]>>) -> WireProgram {
        WireProgram(words.into())
    }

    /// The words, unchecked.
    #[must_use]
    pub fn untrusted_words(&self) -> &[u32] {
        &self.0
    }

    /// Gives the words away.
    #[must_use]
    pub fn into_words(self) -> Arc<[u32]> {
        self.0
    }
}

/// One decoded instruction. Only its shape is known: a known op with all its operand words present.
#[derive(Clone, Copy, Debug)]
pub struct Instruction<'a> {
    /// The op's row.
    pub info: &'static OpInfo,
    /// Bit `i`: operand `i` is a register. May have bits beyond the operands until verified.
    pub mask: u16,
    /// One word for each operand.
    pub args: &'a [u32],
}

impl Instruction<'_> {
    /// The op.
    #[must_use]
    #[inline]
    pub fn op(&self) -> Op {
        self.info.op
    }

    /// Words that the instruction takes.
    #[must_use]
    #[inline]
    pub fn words(&self) -> usize {
        1 + self.args.len()
    }

    /// Is operand `i` a register?
    #[must_use]
    #[inline]
    pub fn is_register(&self, i: usize) -> bool {
        planted!(SixteenthConstant, i < 15 && self.mask >> i & 1 != 0, self.mask >> i & 1 != 0)
    }

    /// Operand `i`; `None` if there is none or the register's number is too large.
    #[must_use]
    #[inline]
    pub fn arg(&self, i: usize) -> Option<Arg> {
        let &word = self.args.get(i)?;
        if self.is_register(i) { Reg::new(word).map(Arg::Reg) } else { Some(Arg::Const(word)) }
    }
}

/// Why words are not an instruction.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DecodeError {
    /// No row has this code.
    #[error("unknown op code {code:#06x}")]
    UnknownOp {
        /// The code.
        code: u16,
    },
    /// The operands run past the end of the program.
    #[error("`{op}` needs {needed} operand words, the program ends after {found}")]
    Truncated {
        /// The op.
        op: Op,
        /// Operand words of its row.
        needed: usize,
        /// Operand words before the end.
        found: usize,
    },
}

/// Decodes the instruction at word `offset`: the one decoder. `Ok(None)` at (or past) the end.
///
/// # Errors
/// The words are no instruction.
#[inline]
pub fn decode(words: &[u32], offset: usize) -> Result<Option<Instruction<'_>>, DecodeError> {
    let Some((&head, rest)) = words.get(offset..).and_then(<[u32]>::split_first) else {
        return Ok(None);
    };
    let [code, mask] = halves(head);
    let Some(info) = Op::info_from_code(code) else {
        return Err(DecodeError::UnknownOp { code });
    };
    let needed = info.operands.len();
    match rest.get(..planted!(EndForgottenInDecode, needed.min(rest.len()), needed)) {
        Some(args) => Ok(Some(Instruction { info, mask, args })),
        None => Err(DecodeError::Truncated { op: info.op, needed, found: rest.len() }),
    }
}

#[inline]
fn halves(word: u32) -> [u16; 2] {
    let [a, b, c, d] = word.to_le_bytes();
    [u16::from_le_bytes([a, b]), u16::from_le_bytes([c, d])]
}

/// The head word of an instruction.
#[must_use]
pub fn head_word(op: Op, mask: u16) -> u32 {
    planted!(MaskCut, u32::from(mask & 0x3fff), u32::from(mask)) << 16 | u32::from(op.code())
}
