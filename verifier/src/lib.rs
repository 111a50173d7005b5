//! Static verification of stored procedures: untrusted words in, [`VerifiedProgram`] and [`Facts`] out.
//!
//! **Theorem.** Of a [`VerifiedProgram`], every word belongs to the header or to exactly one instruction of
//! the op table with all its operands; every register operand is a register below 32; every
//! constant-only operand is a constant of its set; every jump target is the start of an instruction or the
//! end of the program, and lies ahead. So [`VerifiedProgram::instructions`] cannot fail, and a
//! program ends after at most as many steps as it has instructions. What values registers
//! hold is *not* part of it: whoever uses one as an index or size checks it then.
//!
//! # Rules
//!
//! Shape of the words:
//! - V01 word 0 is the magic: anything else is no program.
//! - V02 the version is one that the server knows: another major version means other words, a greater minor
//!   version may use unknown ops.
//! - V03 word 2 is the program's real length, within the limit (`MAX_PROGRAM_WORDS`): a program
//!   cut short must not pass as a shorter one.
//! - V04 word 3 is 0: what is reserved today can mean something tomorrow.
//! - V05 the op code is known.
//! - V06 all operand words are there.
//! - V07 the register mask has no bits beyond the operands: each program has one encoding.
//!
//! Operands:
//! - V08 a register's number is below 32.
//! - V09 an operand that is written is a register.
//! - V10 an operand that selects something is a constant: modes, names and targets decide what the rest
//!   means, and what is lowered to what.
//! - V11 a constant is one of its operand's set (an enumerant, an or of bits, 0 or 1).
//! - V12 a display list's name is in 1..=1024 (`MAX_LISTS`).
//!
//! Jumps:
//! - V13 jumps go forward: so every program ends, and its worst case is a sum.
//! - V14 jumps stay in the program; its end is a target, and is how to stop.
//! - V15 jumps lead to the start of an instruction or the end.
//! - V16 no jump leads between begin and end: so each primitive is assembled when the program is lowered. (Over
//!   a whole primitive is fine.)
//! - V17 no jump leads into a display list's definition. (Over a whole one is fine.)
//!
//! Places:
//! - V18 between begin and end stand only vertices, attributes and register work: OpenGL's rule; jumps are
//!   among what is refused.
//! - V19 vertices and end stand between begin and end.
//! - V20 begin does not nest.
//! - V21 each begin has its end, in the same body.
//! - V22 an op stands only in callbacks that may execute it ([`blinkgl::Class::allowed_in`]): only `redraw`
//!   draws, `input` may not touch GL. What is compiled into a display list is not executed, so `init` may compile drawing.
//! - V23 in a display list stand only GL calls: register work, jumps and signals would run at the wrong time.
//! - V24 list definitions do not nest.
//! - V25 end_list ends a list.
//! - V26 each new_list has its end_list.
//!
//! Matrices:
//! - V27 a matrix stack does not overflow: its depth at entry counts as 1.
//! - V28 a matrix stack is not popped below its depth at entry: what is there belongs to the caller.
//! - V29 matrix stacks end as deep as they began, for the program and for each list: so callbacks and
//!   calls of lists cannot creep.
//! - V30 paths that meet have matrix stacks of the same depth: so depth is a function of the place.
//! - V31 push_matrix and pop_matrix know their stack: where paths with different matrix modes meet, the mode is
//!   unknown until the next matrix_mode; so is the texture unit, whose stack mode texture means.
//! - V32 display lists begin and end in matrix mode modelview with texture unit 0: call_list stands only where
//!   they are so, and a list's body leaves them so. So a body is checked alone, and a call changes nothing that is counted.
//!   (How deep the stacks are where a list is called is not known: the state tracker checks at run time, with
//!   [`BodyFacts::matrix_rise`] if it likes.)
//!
//! Values and costs:
//! - V33 a constant is in the range that OpenGL allows: what would be `GL_INVALID_VALUE` in each run is a
//!   mistake that the developer wants to hear of. The same value from a register is ignored at run time,
//!   as in OpenGL.
//! - V34 a parameter has a value of its own kind: the wire has one set of values for all parameters of a texture, of
//!   a texture environment, and of an array's data.
//! - V35 the worst case is within the budget ([`Budget`]: fuel, GL calls, vertices, bytes to upload; and at most
//!   `MAX_LISTS` list definitions). [`Facts::needs`] is the least budget with which a program is accepted, so that one
//!   that was accepted for one client need not be verified again to know whether another one may have it.
//!
//! Attributes:
//! - V36 an attribute stack does not overflow: each body counts what it pushes itself. (What is pushed where a list
//!   is called is not known: as with matrices, the state tracker checks at run time.)
//! - V37 pop_attrib has a push_attrib before it, in the same body: what lies deeper belongs to the caller.
//! - V38 each push_attrib has its pop_attrib, in the same body: as V29.
//! - V39 paths that meet have the same attributes pushed, by the same push_attrib: so what pop_attrib restores
//!   (matrix mode and texture unit among it) is a function of the place.
//!
//! Code that no path reaches is checked like the rest, as if the `jmp` before it went on there.
#![no_std]
#![forbid(unsafe_code)]
#![deny(clippy::cast_possible_truncation)]
extern crate alloc;

mod attributes;
mod cost;
mod error;
mod facts;
mod jumps;
mod matrix;
mod pass;
mod place;
mod program;
mod range;
mod rows;
mod rule;

pub use cost::{Budget, Cost, VERTEX_BYTES, assembled};
pub use error::{Detail, Number, Resource, VerifyError};
pub use facts::{
    BodyFacts, ClearFact, Confinement, Facts, ListFacts, Occurs, PrimitiveFacts, RegisterWork, Uses,
};
pub use matrix::Stack;
pub use program::{Instructions, VerifiedInstruction, VerifiedProgram};
pub use rule::Rule;

use blinkgl::ops::Callback;
use blinkgl::wire::WireProgram;

/// Verifies a program for a callback, with the limits of one callback run as its budget.
///
/// # Errors
/// The first rule that the program breaks, and where.
pub fn verify(program: WireProgram, callback: Callback) -> Result<VerifiedProgram, VerifyError> {
    verify_within(program, callback, Budget::default())
}

/// Verifies a program for a callback that may cost no more than `budget`.
///
/// # Errors
/// The first rule that the program breaks, and where.
pub fn verify_within(
    program: WireProgram,
    callback: Callback,
    budget: Budget,
) -> Result<VerifiedProgram, VerifyError> {
    let outcome = pass::check(program.untrusted_words(), callback, budget)?;
    Ok(VerifiedProgram::new(program.into_words(), callback, outcome))
}
