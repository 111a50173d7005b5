//! Steps to CLIF: pure translation, nothing here is executed.
//!
//! - Registers are SSA variables of type `f32`, loaded once at entry. `mov`, `select` and the like move
//!   them without looking at them, so that all bits survive.
//! - Jumps are branches between blocks, one for each jump target.
//! - Steps that are neither register work nor jumps stay data: a run of them is one call of
//!   `act(context, first, end)`, before which the registers that they read are stored.
//! - A NaN is made canonical before anyone can see its bits, not after each operation: an arithmetic op
//!   does not care which NaN it gets. `dirty` has the registers whose NaN may have other bits.
//! - `stale` has the registers whose stored copy is older than their variable. It is stored at the end, and
//!   before a display list is called, which may read any register and may end the run.

use crate::arith::{Binary, CANONICAL_NAN, Predicate, Unary};
use crate::lower::LoweredProgram;
use crate::step::{Body, Patch, Step};
use crate::work::{self, Work};
use blinkgl::External;
use blinkgl::limits::REGISTERS;
use blinkgl::planted;
use cranelift_codegen::ir::condcodes::FloatCC;
use cranelift_codegen::ir::immediates::Ieee32;
use cranelift_codegen::ir::{Block, FuncRef, InstBuilder, MemFlagsData, Value, types};
use cranelift_frontend::{FunctionBuilder, Variable};

/// The functions that native code calls.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Imports {
    /// `(context, first, end) -> stopped`.
    pub(crate) act: FuncRef,
    /// `(context, step, word) -> suspended`.
    pub(crate) pause: FuncRef,
    /// `f32 -> f32`.
    pub(crate) sin: FuncRef,
    /// `f32 -> f32`.
    pub(crate) cos: FuncRef,
    /// `(y, x) -> f32`.
    pub(crate) atan2: FuncRef,
    /// `(context, hi, lo) -> f32`.
    pub(crate) time_since: FuncRef,
    /// `(context, period) -> f32`.
    pub(crate) time_mod: FuncRef,
}

/// Fills the function `(context, registers, values)` of `builder` with a program.
pub(crate) fn translate(program: &LoweredProgram, builder: &mut FunctionBuilder<'_>, imports: Imports) {
    let body = &program.body;
    let entry = builder.create_block();
    builder.append_block_params_for_function_params(entry);
    builder.switch_to_block(entry);
    builder.seal_block(entry);
    let &[context, registers, values] = builder.block_params(entry) else { return };
    let variables = std::array::from_fn(|_| builder.declare_var(types::F32));
    let blocks = blocks(body, builder);
    let stop = builder.create_block();
    builder.set_cold_block(stop);
    let mut t = Translator {
        body,
        words: &program.words,
        chunk: program.chunk as usize,
        builder,
        imports,
        context,
        registers,
        values,
        variables,
        used: program.registers,
        blocks,
        stop,
        stale: 0,
        dirty: 0,
        reachable: true,
    };
    t.run();
}

/// A jump target: its block, and the registers that are stale on some path into it.
#[derive(Clone, Copy)]
struct Target {
    block: Block,
    stale: u32,
}

/// A block for each step that a jump leads to, and for the end.
fn blocks(body: &Body, builder: &mut FunctionBuilder<'_>) -> Vec<Option<Target>> {
    let mut blocks = vec![None; body.steps.len() + 1];
    let end = blocks.len() - 1;
    let mut add = |step: usize| {
        if let Some(slot @ None) = blocks.get_mut(step) {
            *slot = Some(Target { block: builder.create_block(), stale: 0 });
        }
    };
    add(end);
    for step in &body.steps {
        if let Step::Jump { target } | Step::JumpIf { target, .. } = *step {
            add(target as usize);
        }
    }
    blocks
}

struct Translator<'a, 'b> {
    body: &'a Body,
    words: &'a [u32],
    /// Words of register work between yield points.
    chunk: usize,
    builder: &'a mut FunctionBuilder<'b>,
    imports: Imports,
    context: Value,
    registers: Value,
    values: Value,
    variables: [Variable; REGISTERS],
    used: u32,
    blocks: Vec<Option<Target>>,
    stop: Block,
    stale: u32,
    dirty: u32,
    /// Does the code at hand have a predecessor?
    reachable: bool,
}

impl Translator<'_, '_> {
    fn run(&mut self) {
        for number in bits(self.used) {
            let offset = offset(number);
            let value = self.builder.ins().load(types::F32, MemFlagsData::trusted(), self.registers, offset);
            self.builder.def_var(self.variable(number), value);
        }
        let mut at = 0;
        while at < self.body.steps.len() {
            self.arrive(at);
            at = if self.reachable { self.step(at) } else { at + 1 };
        }
        self.arrive(at);
        for number in bits(self.stale) {
            self.store(number);
        }
        self.builder.ins().return_(&[]);
        self.builder.switch_to_block(self.stop);
        self.builder.ins().return_(&[]);
        self.builder.seal_all_blocks();
    }

    /// Before the step at `at`: if jumps lead here, its block begins.
    fn arrive(&mut self, at: usize) {
        let Some(Some(target)) = self.blocks.get(at).copied() else { return };
        if self.reachable {
            self.leave(at);
            self.builder.ins().jump(target.block, &[]);
        }
        self.builder.switch_to_block(target.block);
        // Jumps go forward, so all of them are there.
        self.builder.seal_block(target.block);
        self.stale = self.blocks.get(at).copied().flatten().map_or(0, |t| t.stale);
        self.dirty = 0;
        self.reachable = true;
    }

    /// Before a jump to the step at `at`.
    fn leave(&mut self, at: usize) {
        for number in bits(self.dirty) {
            self.clean(number);
        }
        if let Some(Some(target)) = self.blocks.get_mut(at) {
            planted!(StaleOnOnePath, target.stale = self.stale, target.stale |= self.stale);
        }
    }

    /// Translates the step at `at`, and others with it; returns where to go on.
    fn step(&mut self, at: usize) -> usize {
        let Some(&step) = self.body.steps.get(at) else { return at + 1 };
        match step {
            Step::Work { begin, end } => self.work(at, begin as usize, end as usize),
            Step::Yield => planted!(YieldsForgotten, (), self.pause(at + 1, 0)),
            Step::Jump { target } => {
                self.jump(target as usize);
                self.reachable = false;
            }
            Step::JumpIf { predicate, regs, a, b, target } => {
                let holds = self.compare(predicate, regs, a, b);
                let target = target as usize;
                self.leave(target);
                if let Some(Some(to)) = self.blocks.get(target).copied() {
                    let next = self.builder.create_block();
                    self.builder.ins().brif(holds, to.block, &[], next, &[]);
                    self.builder.switch_to_block(next);
                    self.builder.seal_block(next);
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
            | Step::CallList { .. } => return self.act(at),
        }
        at + 1
    }

    /// Register work: the words of the step at `at`.
    fn work(&mut self, at: usize, begin: usize, end: usize) {
        let words = self.words.get(..end).unwrap_or(self.words);
        let (mut word, mut since) = (begin, begin);
        while let Some(((d, work), length)) = work::decode(words, word) {
            if planted!(WorkYieldsForgotten, false, word - since >= self.chunk) {
                self.pause(at, planted!(PauseElsewhere, 0, word));
                since = word;
            }
            self.instruction(d, work);
            word += length;
        }
    }

    fn instruction(&mut self, d: u32, work: Work) {
        match work {
            Work::Unary { op, reg, a } => self.unary(op, d, reg, a),
            Work::Binary { op, regs, a, b } => self.binary(op, d, regs, a, b),
            Work::Compare { predicate, regs, a, b } => {
                let holds = self.compare(predicate, regs, a, b);
                let (one, zero) = (self.constant(1.0f32.to_bits()), self.constant(0));
                let value = self.builder.ins().select(holds, one, zero);
                self.write(d, value, false);
            }
            Work::Select { regs, c, a, b } => {
                let (a, b) = (self.exact(regs & 2 != 0, a), self.exact(regs & 4 != 0, b));
                let (c, zero) = (self.operand(regs & 1 != 0, c), self.constant(0));
                let is_zero = self.builder.ins().fcmp(FloatCC::Equal, c, zero);
                let value = self.builder.ins().select(is_zero, b, a);
                self.write(d, value, false);
            }
            Work::Read { what } => {
                let place = i32::try_from(what).ok().filter(|_| External::from_code(what).is_some());
                let value = match place {
                    Some(place) => {
                        let trusted = MemFlagsData::trusted();
                        self.builder.ins().load(types::F32, trusted, self.values, 4 * place)
                    }
                    None => self.constant(0),
                };
                self.write(d, value, false);
            }
            Work::TimeSince { regs, hi, lo } => {
                let (hi, lo) = (self.exact(regs & 1 != 0, hi), self.exact(regs & 2 != 0, lo));
                let value = self.call(self.imports.time_since, &[self.context, hi, lo]);
                self.write(d, value, false);
            }
            Work::TimeMod { reg, period } => {
                let period = self.operand(reg, period);
                let value = self.call(self.imports.time_mod, &[self.context, period]);
                self.write(d, value, false);
            }
        }
    }

    /// A yield point: if the run is suspended, all registers are stored, and it ends.
    fn pause(&mut self, step: usize, word: usize) {
        let step = self.index(step);
        let word = self.index(word);
        let is_suspended = self.call(self.imports.pause, &[self.context, step, word]);
        let (leave, next) = (self.builder.create_block(), self.builder.create_block());
        self.builder.set_cold_block(leave);
        self.builder.ins().brif(is_suspended, leave, &[], next, &[]);
        self.builder.switch_to_block(leave);
        self.builder.seal_block(leave);
        for number in bits(planted!(PauseWithoutStores, 0, self.stale)) {
            let value = self.builder.use_var(self.variable(number));
            let value = if self.dirty >> number & 1 != 0 { self.canonical(value) } else { value };
            self.store_value(number, value);
        }
        self.builder.ins().jump(self.stop, &[]);
        self.builder.switch_to_block(next);
        self.builder.seal_block(next);
    }

    fn index(&mut self, index: usize) -> Value {
        self.builder.ins().iconst(types::I32, i64::try_from(index).unwrap_or(0))
    }

    /// The run of steps from `at` on that are data: one call.
    fn act(&mut self, at: usize) -> usize {
        let (mut end, mut reads, mut may_stop) = (at, 0, false);
        while let Some(step) = self.body.steps.get(end) {
            if end > at && self.blocks.get(end).is_some_and(Option::is_some) {
                break;
            }
            match *step {
                Step::RequestFrame
                | Step::Commands { .. }
                | Step::Draw { .. }
                | Step::DrawArrays { .. }
                | Step::Open { .. }
                | Step::DrawOpen { .. }
                | Step::DefineList { .. } => {}
                Step::Damage { regs, words } => {
                    let words = self.body.words.get(words as usize..).unwrap_or_default();
                    reads |= named(regs, words);
                }
                Step::DrawWords { lazy } => {
                    reads |= self.body.lazies.get(lazy as usize).map_or(0, |lazy| lazy.registers);
                }
                Step::Notify { reg, value } => reads |= named(u16::from(reg), &[value]),
                Step::Command { command, regs, .. } => {
                    let row = self.body.commands.get(command as usize);
                    let words = row.and_then(|row| self.body.words.get(row.first as usize..));
                    reads |= named(regs, words.unwrap_or_default());
                }
                Step::Patch { first, end, .. } => {
                    let patches = self.body.patches.get(first as usize..end as usize).unwrap_or_default();
                    for patch in patches.iter().filter(|p| p.source < Patch::WORD) {
                        planted!(PatchReadsForgotten, reads |= 0, reads |= 1 << patch.source);
                    }
                }
                Step::CallList { .. } => {
                    // The list may read any register, and a stop shows them all.
                    reads = planted!(StopWithoutStores, reads, u32::MAX);
                    may_stop = true;
                }
                Step::Work { .. } | Step::Yield | Step::Jump { .. } | Step::JumpIf { .. } => break,
            }
            end += 1;
        }
        for number in bits(self.stale & reads) {
            self.store(number);
        }
        self.stale &= !reads;
        let (first, last) = (self.index(at), self.index(end));
        let stopped = self.call(self.imports.act, &[self.context, first, last]);
        if may_stop {
            let next = self.builder.create_block();
            self.builder.ins().brif(stopped, self.stop, &[], next, &[]);
            self.builder.switch_to_block(next);
            self.builder.seal_block(next);
        }
        end
    }

    fn unary(&mut self, op: Unary, d: u32, reg: bool, a: u32) {
        let (value, dirty) = match op {
            Unary::Mov => {
                let dirty = planted!(CleanMov, false, reg && self.dirty >> a & 1 != 0);
                (self.operand(reg, a), dirty)
            }
            Unary::Neg => {
                let a = self.exact(reg, a);
                (self.builder.ins().fneg(a), false)
            }
            Unary::Abs => {
                let a = self.exact(reg, a);
                (self.builder.ins().fabs(a), false)
            }
            Unary::Floor => {
                let a = self.operand(reg, a);
                (self.builder.ins().floor(a), true)
            }
            Unary::Fract => {
                let a = self.operand(reg, a);
                let floor = self.builder.ins().floor(a);
                (self.builder.ins().fsub(a, floor), true)
            }
            Unary::Sqrt => {
                let a = self.operand(reg, a);
                (self.builder.ins().sqrt(a), true)
            }
            Unary::Sin => {
                let a = self.operand(reg, a);
                (self.call(self.imports.sin, &[a]), true)
            }
            Unary::Cos => {
                let a = self.operand(reg, a);
                (self.call(self.imports.cos, &[a]), true)
            }
        };
        self.write(d, value, dirty);
    }

    fn binary(&mut self, op: Binary, d: u32, regs: u16, a: u32, b: u32) {
        let (x, y) = match op {
            // These show the bits of one of them.
            Binary::Min | Binary::Max => (self.exact(regs & 1 != 0, a), self.exact(regs & 2 != 0, b)),
            Binary::Add | Binary::Sub | Binary::Mul | Binary::Div | Binary::Atan2 => {
                (self.operand(regs & 1 != 0, a), self.operand(regs & 2 != 0, b))
            }
        };
        let (value, dirty) = match op {
            Binary::Add => (self.builder.ins().fadd(x, y), true),
            Binary::Sub => (self.builder.ins().fsub(x, y), true),
            Binary::Mul => (self.builder.ins().fmul(x, y), true),
            Binary::Div => (self.builder.ins().fdiv(x, y), true),
            Binary::Min => {
                let less = self.builder.ins().fcmp(
                    planted!(MinOfEquals, FloatCC::LessThanOrEqual, FloatCC::LessThan),
                    x,
                    y,
                );
                (self.builder.ins().select(less, x, y), false)
            }
            Binary::Max => {
                let greater = self.builder.ins().fcmp(FloatCC::GreaterThan, x, y);
                (self.builder.ins().select(greater, x, y), false)
            }
            Binary::Atan2 => (self.call(self.imports.atan2, &[x, y]), true),
        };
        self.write(d, value, dirty);
    }

    fn compare(&mut self, predicate: Predicate, regs: u16, a: u32, b: u32) -> Value {
        let (a, b) = (self.operand(regs & 1 != 0, a), self.operand(regs & 2 != 0, b));
        let code = match predicate {
            Predicate::Lt => FloatCC::LessThan,
            Predicate::Le => planted!(LessForLessOrEqual, FloatCC::LessThan, FloatCC::LessThanOrEqual),
            Predicate::Eq => FloatCC::Equal,
            Predicate::Ne => planted!(NotEqualNan, FloatCC::OrderedNotEqual, FloatCC::NotEqual),
            Predicate::Ge => FloatCC::GreaterThanOrEqual,
            Predicate::Gt => FloatCC::GreaterThan,
        };
        self.builder.ins().fcmp(code, a, b)
    }

    fn jump(&mut self, target: usize) {
        self.leave(target);
        if let Some(Some(to)) = self.blocks.get(target).copied() {
            self.builder.ins().jump(to.block, &[]);
        }
    }

    fn call(&mut self, function: FuncRef, args: &[Value]) -> Value {
        let call = self.builder.ins().call(function, args);
        match self.builder.inst_results(call) {
            &[value, ..] => value,
            // Each import has one result.
            [] => self.constant(0),
        }
    }

    /// An operand whose bits do not show.
    fn operand(&mut self, is_register: bool, word: u32) -> Value {
        if is_register { self.builder.use_var(self.variable(word)) } else { self.constant(word) }
    }

    /// An operand whose bits show.
    fn exact(&mut self, is_register: bool, word: u32) -> Value {
        if is_register && self.dirty >> (word % u32::BITS) & 1 != 0 {
            self.clean(word);
        }
        self.operand(is_register, word)
    }

    /// Makes a register's NaN canonical.
    fn clean(&mut self, number: u32) {
        let variable = self.variable(number);
        let value = self.builder.use_var(variable);
        let value = self.canonical(value);
        self.builder.def_var(variable, value);
        self.dirty &= !(1 << number);
    }

    /// A value whose NaN is canonical.
    fn canonical(&mut self, value: Value) -> Value {
        let nan = self.constant(CANONICAL_NAN);
        let is_nan = self.builder.ins().fcmp(FloatCC::Unordered, value, value);
        planted!(AnyNan, value, self.builder.ins().select(is_nan, nan, value))
    }

    /// Stores a register.
    fn store(&mut self, number: u32) {
        let value = self.exact(true, number);
        self.store_value(number, value);
    }

    fn store_value(&mut self, number: u32, value: Value) {
        let offset = offset(number);
        self.builder.ins().store(MemFlagsData::trusted(), value, self.registers, offset);
    }

    fn write(&mut self, d: u32, value: Value, dirty: bool) {
        self.builder.def_var(self.variable(d), value);
        let bit = 1 << (d % u32::BITS);
        self.stale |= bit;
        if dirty {
            self.dirty |= bit;
        } else {
            self.dirty &= !bit;
        }
    }

    fn constant(&mut self, bits: u32) -> Value {
        self.builder.ins().f32const(Ieee32::with_bits(bits))
    }

    fn variable(&self, number: u32) -> Variable {
        self.variables[number as usize % REGISTERS]
    }
}

/// Bytes of a register from the start of the register file.
fn offset(number: u32) -> i32 {
    i32::try_from(number as usize % REGISTERS).unwrap_or(0) * 4
}

/// The registers that a mask's operands name.
fn named(mask: u16, words: &[u32]) -> u32 {
    (0u32..16)
        .zip(words)
        .filter(|&(i, _)| mask >> i & 1 != 0)
        .fold(0, |all, (_, w)| all | 1 << (w % u32::BITS))
}

/// The numbers of a mask's bits.
fn bits(mask: u32) -> impl Iterator<Item = u32> {
    (0..u32::BITS).filter(move |i| mask >> i & 1 != 0)
}
