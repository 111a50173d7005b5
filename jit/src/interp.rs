//! The interpreter: runs a lowered program at once.

use crate::arith;
use crate::lower::LoweredProgram;
use crate::run::Machine;
use crate::step::Step;
use blinkgl::limits::REGISTERS;
use std::ops::ControlFlow;

/// Runs a program to its end or its stop.
pub(crate) fn run(program: &LoweredProgram, machine: &mut Machine<'_>) {
    let body = &program.body;
    let mut pc = 0;
    // Jumps go forward, so this ends; a jump to the end leads past the last step.
    while let Some(step) = body.steps.get(pc) {
        pc += 1;
        let (d, value) = match *step {
            Step::Unary { op, d, reg, a } => (d, arith::unary(op, machine.operand(reg, a))),
            Step::Binary { op, d, regs, a, b } => {
                let (a, b) = (machine.operand(regs & 1 != 0, a), machine.operand(regs & 2 != 0, b));
                (d, arith::binary(op, a, b))
            }
            Step::Compare { predicate, d, regs, a, b } => {
                let (a, b) = (machine.operand(regs & 1 != 0, a), machine.operand(regs & 2 != 0, b));
                (d, arith::truth(arith::compare(predicate, a, b)))
            }
            Step::Select { d, regs, c, a, b } => {
                let (a, b) = (machine.operand(regs & 2 != 0, a), machine.operand(regs & 4 != 0, b));
                (d, arith::select(machine.operand(regs & 1 != 0, c), a, b))
            }
            Step::Read { d, what } => {
                (d, machine.environment.values.get(usize::from(what)).map_or(0, |v| v.to_bits()))
            }
            Step::TimeSince { d, regs, hi, lo } => {
                let (hi, lo) = (machine.operand(regs & 1 != 0, hi), machine.operand(regs & 2 != 0, lo));
                (d, arith::time_since(machine.environment.presentation_ns, hi, lo))
            }
            Step::TimeMod { d, reg, period } => {
                let period = machine.operand(reg, period);
                (d, arith::time_mod(machine.environment.presentation_ns, period))
            }
            Step::Jump { target } => {
                pc = target as usize;
                continue;
            }
            Step::JumpIf { predicate, regs, a, b, target } => {
                let (a, b) = (machine.operand(regs & 1 != 0, a), machine.operand(regs & 2 != 0, b));
                if arith::compare(predicate, a, b) {
                    pc = target as usize;
                }
                continue;
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
                ControlFlow::Continue(()) => continue,
                ControlFlow::Break(()) => return,
            },
        };
        machine.registers[usize::from(d) % REGISTERS].set(value);
    }
}
