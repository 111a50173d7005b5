//! Register work: executed from the program's words as they are. The verifier has noted where each run of it is, so
//! lowering need not look at it.

use crate::arith::{self, Binary, Predicate, Unary};
use crate::env::Environment;
use blinkgl::limits::REGISTERS;
use blinkgl::ops::{ComputeOp, ReadOp};
use blinkgl::planted;
use std::cell::Cell;

/// An instruction that writes a register. Operands are words; the bit of an operand in `regs` says that its word is a
/// register's number.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Work {
    Unary {
        op: Unary,
        reg: bool,
        a: u32,
    },
    Binary {
        op: Binary,
        regs: u16,
        a: u32,
        b: u32,
    },
    Compare {
        predicate: Predicate,
        regs: u16,
        a: u32,
        b: u32,
    },
    /// Bits of `regs`: c, a, b.
    Select {
        regs: u16,
        c: u32,
        a: u32,
        b: u32,
    },
    /// `what`: code of the external state.
    Read {
        what: u32,
    },
    TimeSince {
        regs: u16,
        hi: u32,
        lo: u32,
    },
    TimeMod {
        reg: bool,
        period: u32,
    },
}

/// The register work at word `at`: the register that it writes, what it does, and how many words it has.
/// `None`: something else.
#[inline(always)]
pub(crate) fn decode(words: &[u32], at: usize) -> Option<((u32, Work), usize)> {
    let rest = words.get(at..)?;
    let (&head, args) = rest.split_first()?;
    #[allow(clippy::cast_possible_truncation, reason = "the high half")]
    let (code, mask) = (head & 0xffff, (head >> 16) as u16);
    let unary = |op| {
        let &[d, a] = args.first_chunk()?;
        Some(((d, Work::Unary { op, reg: mask & 2 != 0, a }), 3))
    };
    let binary = |op| {
        let &[d, a, b] = args.first_chunk()?;
        Some(((d, Work::Binary { op, regs: mask >> 1, a, b }), 4))
    };
    if let Some(op) = ComputeOp::from_code(code) {
        return match op {
            ComputeOp::Mov => unary(Unary::Mov),
            ComputeOp::Neg => unary(Unary::Neg),
            ComputeOp::Abs => unary(Unary::Abs),
            ComputeOp::Floor => unary(Unary::Floor),
            ComputeOp::Fract => unary(Unary::Fract),
            ComputeOp::Sqrt => unary(Unary::Sqrt),
            ComputeOp::Sin => unary(Unary::Sin),
            ComputeOp::Cos => unary(Unary::Cos),
            ComputeOp::Add => binary(Binary::Add),
            ComputeOp::Sub => binary(Binary::Sub),
            ComputeOp::Mul => binary(Binary::Mul),
            ComputeOp::Div => binary(Binary::Div),
            ComputeOp::Min => binary(Binary::Min),
            ComputeOp::Max => binary(Binary::Max),
            ComputeOp::Atan2 => binary(Binary::Atan2),
            ComputeOp::Cmp => {
                let &[d, predicate, a, b] = args.first_chunk()?;
                let predicate = Predicate::from_code(predicate);
                Some(((d, Work::Compare { predicate, regs: mask >> 2, a, b }), 5))
            }
            ComputeOp::Select => {
                let &[d, c, a, b] = args.first_chunk()?;
                Some(((d, Work::Select { regs: mask >> 1, c, a, b }), 5))
            }
        };
    }
    match ReadOp::from_code(code)? {
        ReadOp::Read => {
            let &[d, what] = args.first_chunk()?;
            Some(((d, Work::Read { what }), 3))
        }
        ReadOp::TimeSince => {
            let &[d, hi, lo] = args.first_chunk()?;
            Some(((d, Work::TimeSince { regs: mask >> 1, hi, lo }), 4))
        }
        ReadOp::TimeMod => {
            let &[d, period] = args.first_chunk()?;
            Some(((d, Work::TimeMod { reg: mask & 2 != 0, period }), 3))
        }
    }
}

/// Executes the register work in `words[at..end]` up to its next yield point, at least `chunk` words on, or its end; gives
/// where that is.
pub(crate) fn execute(
    words: &[u32],
    mut at: usize,
    end: usize,
    chunk: usize,
    registers: &[Cell<u32>; REGISTERS],
    environment: &Environment,
) -> usize {
    let words = words.get(..end).unwrap_or(words);
    let until = at.saturating_add(chunk);
    let operand = |is_register: bool, word: u32| {
        if is_register { registers[word as usize % REGISTERS].get() } else { word }
    };
    while planted!(YieldsLater, at <= until, at < until) {
        let Some(((d, work), length)) = decode(words, at) else { return end };
        let value = match work {
            Work::Unary { op, reg, a } => arith::unary(op, operand(reg, a)),
            Work::Binary { op, regs, a, b } => {
                arith::binary(op, operand(regs & 1 != 0, a), operand(regs & 2 != 0, b))
            }
            Work::Compare { predicate, regs, a, b } => {
                arith::truth(arith::compare(predicate, operand(regs & 1 != 0, a), operand(regs & 2 != 0, b)))
            }
            Work::Select { regs, c, a, b } => arith::select(
                operand(regs & 1 != 0, c),
                operand(regs & 2 != 0, a),
                planted!(SelectOfConstant, b, operand(regs & 4 != 0, b)),
            ),
            Work::Read { what } => environment.values.get(what as usize).map_or(0, |value| value.to_bits()),
            Work::TimeSince { regs, hi, lo } => {
                let (hi, lo) = (operand(regs & 1 != 0, hi), operand(regs & 2 != 0, lo));
                arith::time_since(environment.presentation_ns, hi, lo)
            }
            Work::TimeMod { reg, period } => {
                arith::time_mod(environment.presentation_ns, operand(reg, period))
            }
        };
        registers[d as usize % REGISTERS].set(value);
        at += length;
    }
    at
}

/// The registers (bit by number) that the work in `words[at..end]` names, and those of them that it writes.
pub(crate) fn registers(words: &[u32], mut at: usize, end: usize) -> (u32, u32) {
    let words = words.get(..end).unwrap_or(words);
    let (mut named, mut written) = (0, 0);
    while let Some(((d, _), length)) = decode(words, at) {
        let instruction = words.get(at..at + length).unwrap_or_default();
        if let Some((&head, args)) = instruction.split_first() {
            for (_, &number) in (16u32..).zip(args).filter(|&(bit, _)| head >> bit & 1 != 0) {
                named |= 1 << (number % u32::BITS);
            }
        }
        written |= 1 << (d % u32::BITS);
        at += length;
    }
    (named, written)
}
