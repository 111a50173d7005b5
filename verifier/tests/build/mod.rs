//! Builds words, right or wrong, without the assembler's checks.
#![allow(clippy::cast_possible_truncation, reason = "test")]
#![allow(dead_code, reason = "each test uses a part")]

use blinkgl::ops::{Callback, Op};
use blinkgl::wire::{self, HEADER_WORDS, WireProgram};
use verifier::{VerifiedProgram, VerifyError};

/// An operand.
#[derive(Clone, Copy, Debug)]
pub enum A {
    F(f32),
    I(i32),
    U(u32),
    R(u32),
}
pub use A::{F, I, R, U};

/// Words of one instruction.
pub fn op(op: Op, args: &[A]) -> Vec<u32> {
    let mut mask = 0;
    let mut words = vec![0];
    for (i, arg) in args.iter().enumerate() {
        words.push(match *arg {
            F(value) => value.to_bits(),
            I(value) => value.cast_unsigned(),
            U(value) => value,
            R(number) => {
                mask |= 1 << i;
                number
            }
        });
    }
    words[0] = wire::head_word(op, mask);
    words
}

/// A whole program, with a right header.
pub fn program(instructions: &[Vec<u32>]) -> Vec<u32> {
    let body = instructions.concat();
    let length = (HEADER_WORDS + body.len()) as u32;
    let mut words = vec![wire::MAGIC, wire::version_word(), length, 0];
    words.extend(body);
    words
}

/// Verifies words.
pub fn verify(words: &[u32], callback: Callback) -> Result<VerifiedProgram, VerifyError> {
    verifier::verify(WireProgram::from_words(words), callback)
}
