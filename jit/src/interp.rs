//! The interpreter: runs a lowered program at once.

use crate::arith;
use crate::lower::LoweredProgram;
use crate::run::{At, Machine};
use crate::step::Step;
use crate::work;
use blinkgl::planted;
use std::ops::ControlFlow;

/// Runs a program from `at` to its end, its stop, or where it is suspended.
pub(crate) fn run(program: &LoweredProgram, machine: &mut Machine<'_>, at: At) {
    let body = &program.body;
    let (words, chunk) = (&program.words, program.chunk as usize);
    let mut pc = at.step;
    let mut within = at.word;
    // Jumps go forward, so this ends; a jump to the end leads past the last step.
    while let Some(step) = body.steps.get(pc) {
        match *step {
            Step::Work { begin, end } => {
                let (begin, end) = (begin as usize, end as usize);
                let mut word = if within == 0 { begin } else { within };
                within = 0;
                loop {
                    word = work::execute(words, word, end, chunk, machine.registers, machine.environment);
                    if word >= end {
                        break;
                    }
                    if machine.is_suspended(At { step: pc, word }) {
                        return;
                    }
                }
            }
            Step::Jump { target } => {
                pc = target as usize;
                continue;
            }
            Step::JumpIf { predicate, regs, a, b, target } => {
                let (a, b) = (machine.operand(regs & 1 != 0, a), machine.operand(regs & 2 != 0, b));
                if arith::compare(predicate, a, b) {
                    pc = target as usize;
                    continue;
                }
            }
            Step::Yield => {
                if machine.is_suspended(At { step: planted!(YieldSkipsStep, pc + 2, pc + 1), word: 0 }) {
                    return;
                }
            }
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
            | Step::DefineList { .. }
            | Step::CallList { .. } => match machine.act(body, step) {
                ControlFlow::Continue(()) => {}
                ControlFlow::Break(()) => {
                    machine.go_on_at(pc + 1);
                    return;
                }
            },
        }
        pc += 1;
    }
}
