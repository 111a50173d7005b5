//! What compiling a program may take, known before it is begun.
//!
//! The unit is an instruction of register work, two to four microseconds. `examples/worst_compile.rs` has programs that are
//! made to be dear, and what they take by this measure.

use crate::lower::LoweredProgram;
use crate::step::Step;

/// The cost of compiling a program.
pub(crate) fn compile_cost(program: &LoweredProgram) -> usize {
    // Where paths meet, each register may be another value on each; where a run may be left, each may have to be stored,
    // with a look whether it is a NaN.
    let registers = program.registers.count_ones() as usize;
    let steps = program.body.steps.iter().map(|step| match step {
        // Has its instructions.
        Step::Work { .. } => 1,
        Step::Jump { .. } | Step::JumpIf { .. } => 1 + registers / 2,
        Step::Yield | Step::CallList { .. } => 4 + 3 * registers,
        Step::RequestFrame
        | Step::Damage { .. }
        | Step::Notify { .. }
        | Step::Commands { .. }
        | Step::Command { .. }
        | Step::Draw { .. }
        | Step::DrawArrays { .. }
        | Step::DrawWords { .. }
        | Step::Open { .. }
        | Step::Patch { .. }
        | Step::DrawOpen { .. }
        | Step::DefineList { .. } => 2,
    });
    steps.fold(program.work(), usize::saturating_add)
}
