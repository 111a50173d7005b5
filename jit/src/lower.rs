//! `VerifiedProgram -> LoweredProgram`: one pass, no failure.
//!
//! - A run of constant state commands becomes one step over a table.
//! - A run of primitives of one assembly becomes one [`Segment`](crate::Segment), which material, shade
//!   model, register work and signals in between do not end, as none of them touches what is drawn
//!   before. Hard state, jumps, jump targets and lists end it.
//! - Register work stays words.
//!
//! The rules of the verifier that this rests on: no jump leads into a primitive or a list, both are
//! balanced, operands are what their kind says. Should one be broken, the result is a wrong picture
//! and nothing worse: no index of a table comes from a client's word.

use crate::arith::Predicate;
use crate::builder::{SegmentBuilder, index};
use crate::gl::{Command, CommandOp};
use crate::step::{Body, CommandRow, List, Step};
use crate::{work, yields};
use blinkgl::ops::{
    AttributeOp, BeginOp, Callback, Class, DrawOp, EndOp, JumpOp, Kind, ListCallOp, ListDefinitionOp, OPS,
    SignalOp, StateOp,
};
use blinkgl::planted;
use std::sync::Arc;
use verifier::{PrimitiveFacts, RegisterWork, VerifiedInstruction, VerifiedProgram};

/// A program as it is executed. Only [`lower`] makes one.
#[derive(Clone, Debug)]
pub struct LoweredProgram {
    pub(crate) body: Body,
    pub(crate) callback: Callback,
    /// Fuel and vertices of its worst path, without the lists that it calls.
    pub(crate) fuel: u64,
    pub(crate) vertices: u64,
    /// Registers that it may read or write.
    pub(crate) registers: u32,
    /// The program's words, where its register work is.
    pub(crate) words: Arc<[u32]>,
    /// Words of register work between yield points.
    pub(crate) chunk: u32,
    /// Instructions of register work, and jumps.
    work: u32,
}

impl LoweredProgram {
    /// Steps, those of its display lists not included.
    #[must_use]
    pub fn steps(&self) -> usize {
        self.body.steps.len()
    }

    /// Registers (bit by number) that it names, those of its display lists included.
    #[must_use]
    pub fn registers(&self) -> u32 {
        self.registers
    }

    /// Bytes that it takes, about, without the words that it shares.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.body.bytes()
    }

    /// Instructions of register work and jumps: what native code does faster.
    #[must_use]
    pub fn work(&self) -> usize {
        self.work as usize
    }
}

/// Lowers a program.
#[must_use]
pub fn lower(program: &VerifiedProgram) -> LoweredProgram {
    lower_with_yields(program, yields::DISTANCE)
}

/// Lowers a program, with yield points at another distance than the usual one: tests put them close.
#[must_use]
pub fn lower_with_yields(program: &VerifiedProgram, distance: u32) -> LoweredProgram {
    let facts = program.facts();
    let vertices = facts.lists.iter().map(|l| l.body.worst.vertices).max().unwrap_or_default();
    let vertices = vertices.max(facts.body.worst.vertices) as usize;
    let mut lowering = Lowering {
        program,
        body: Body::default(),
        outer: None,
        lists: 0,
        distance,
        primitives: facts.primitives.iter(),
        works: facts.works.iter(),
        segment: SegmentBuilder::new(vertices),
        waiting: Vec::new(),
        barrier: 0,
        jumps: Vec::new(),
        targets: Vec::with_capacity(program.jump_targets().len()),
    };
    // Steps at most: what primitives have inside, vertices and their ends, makes none of its own, nor does register work.
    let inside: u32 = facts.primitives.iter().filter(|p| p.plain).map(|p| p.vertices.saturating_add(2)).sum();
    let work: u32 = facts.works.iter().map(|work| work.instructions.saturating_sub(1)).sum();
    lowering.body.steps.reserve(facts.instructions.saturating_sub(inside).saturating_sub(work) as usize);
    let mut instructions = program.instructions();
    while let Some(instruction) = instructions.next() {
        if instruction.is_target {
            lowering.target();
        }
        if let Some(end) = lowering.instruction(instruction) {
            instructions.skip_to(end);
        }
    }
    lowering.finish()
}

struct Lowering<'a> {
    program: &'a VerifiedProgram,
    body: Body,
    /// The program's body while a list's is built, and the list's name.
    outer: Option<Box<(Body, u32)>>,
    /// Lists begun so far.
    lists: usize,
    /// Between yield points.
    distance: u32,
    /// Primitives not begun so far.
    primitives: std::slice::Iter<'a, PrimitiveFacts>,
    /// Runs of register work not begun so far.
    works: std::slice::Iter<'a, RegisterWork>,
    segment: SegmentBuilder,
    /// Attribute ops with no Begin before them: part of the segment if a Begin follows, else commands.
    waiting: Vec<(AttributeOp, VerifiedInstruction<'a>)>,
    /// Steps before this one are in front of a jump target: nothing is added to them.
    barrier: usize,
    /// Jump steps, whose targets are indices of `targets` until the end.
    jumps: Vec<usize>,
    /// Steps of the jump targets passed.
    targets: Vec<u32>,
}

/// Is it soft state, which varies inside a segment by records (see [`crate::gl`])? Of attributes a material is.
pub(crate) fn is_soft(op: StateOp) -> bool {
    use StateOp::*;
    match op {
        ShadeModel => true,
        MatrixMode | LoadIdentity | LoadMatrix | MultMatrix | PushMatrix | PopMatrix | Translate | Rotate
        | Scale | Frustum | Ortho | Enable | Disable | CullFace | FrontFace | DepthFunc | DepthMask
        | DepthRange | ColorMask | BlendFunc | Scissor | Viewport | ClearColor | ClearDepth | PointSize
        | LineWidth | BlendFuncSeparate | BlendEquation | BlendColor | LogicOp | AlphaFunc | StencilFunc
        | StencilOp | StencilMask | ClearStencil | PolygonMode | PolygonOffset | PointParameter
        | ClipPlane | FogMode | Fog | Light | LightModel | ColorMaterial | PushAttrib | PopAttrib | Hint
        | BindTexture | TexEnvMode | TexEnvColor | TexParameter | ActiveTexture | TexEnvCombine
        | TexEnvScale | TexGenMode | TexGenPlane | ArrayPointer | EnableArray => false,
    }
}

impl<'a> Lowering<'a> {
    /// Lowers an instruction. Gives where the next one is, if some that follow were lowered with it.
    #[inline(always)]
    fn instruction(&mut self, i: VerifiedInstruction<'a>) -> Option<usize> {
        match i.info.class {
            Class::Compute(_) | Class::Read(_) => return self.register_work(),
            Class::Begin(BeginOp::Begin) => {
                let end = self.plain_primitive(i);
                if end.is_none() {
                    self.begin(i);
                }
                return end;
            }
            Class::Vertex(op) => self.segment.vertex(op, i.args, i.mask, &mut self.body),
            Class::End(EndOp::End) => self.segment.end(),
            Class::Attribute(op) => self.attribute(op, i),
            Class::State(op) if is_soft(op) => self.soft(op.into(), i),
            Class::State(op) => self.hard(op.into(), i),
            Class::Draw(op) => self.draw(op, i),
            Class::ListDefinition(ListDefinitionOp::NewList) => self.new_list(i),
            Class::ListDefinition(ListDefinitionOp::EndList) => self.end_list(),
            Class::ListCall(ListCallOp::CallList) => {
                self.close();
                let name = i.args.first().copied().unwrap_or_default();
                self.body.steps.push(Step::CallList { name });
            }
            Class::Signal(op) => self.signal(op, i),
            Class::Jump(op) => self.jump(op, i),
        }
        None
    }

    fn signal(&mut self, op: SignalOp, i: VerifiedInstruction<'a>) {
        let step = match op {
            SignalOp::RequestFrame => Step::RequestFrame,
            SignalOp::Damage => {
                let words = index(self.body.words.len());
                self.body.words.extend_from_slice(i.args);
                Step::Damage { regs: i.mask, words }
            }
            SignalOp::Notify => {
                Step::Notify { reg: i.mask != 0, value: i.args.first().copied().unwrap_or_default() }
            }
        };
        self.body.steps.push(step);
    }

    fn jump(&mut self, op: JumpOp, i: VerifiedInstruction<'a>) {
        self.close();
        match op {
            JumpOp::Jmp => {
                if let [target] = *i.args {
                    self.jump_to(|target| Step::Jump { target }, target);
                }
            }
            JumpOp::JmpIf => {
                if let [predicate, a, b, target] = *i.args {
                    let predicate = Predicate::from_code(predicate);
                    let regs = i.mask >> 1;
                    self.jump_to(|target| Step::JumpIf { predicate, regs, a, b, target }, target);
                }
            }
        }
    }

    /// State that a segment can't vary.
    #[inline(always)]
    fn hard(&mut self, op: CommandOp, i: VerifiedInstruction<'a>) {
        self.close();
        self.command(op, i);
    }

    fn draw(&mut self, op: DrawOp, i: VerifiedInstruction<'a>) {
        match op {
            DrawOp::Clear => self.hard(op.into(), i),
            DrawOp::DrawArrays => {
                if let [mode, _, count] = *i.args {
                    self.arrays(op, i, mode, count);
                }
            }
            DrawOp::DrawElements => {
                if let [mode, count, ..] = *i.args {
                    self.arrays(op, i, mode, count);
                }
            }
        }
    }

    fn attribute(&mut self, op: AttributeOp, i: VerifiedInstruction<'a>) {
        match op {
            AttributeOp::Material => {
                if self.segment.open && !self.segment.inside && i.mask != 0 {
                    // Its value would have to be kept in a record of its own for each run.
                    self.close();
                }
                self.soft(op.into(), i);
            }
            AttributeOp::Normal3
            | AttributeOp::Color4
            | AttributeOp::TexCoord2
            | AttributeOp::TexCoord4
            | AttributeOp::MultiTexCoord4 => {
                if !self.segment.open {
                    self.waiting.push((op, i));
                } else if self.segment.words.is_some() {
                    self.segment.extend_words(end(i), registers(i));
                } else {
                    self.segment.attribute(op, i.args, i.mask);
                }
            }
        }
    }

    /// A plain primitive, at its `begin`: becomes part of a segment of words, without a look at each of them. Gives
    /// where it ends.
    #[inline(always)]
    fn plain_primitive(&mut self, i: VerifiedInstruction<'a>) -> Option<usize> {
        let facts = self.primitives.next()?;
        if self.segment.open && !self.segment.continues(facts.mode, facts.vertices) {
            self.close();
        }
        if !facts.plain || self.segment.open && self.segment.words.is_none() {
            self.look_at_words();
            return None;
        }
        let end = usize::try_from(facts.end).ok()?;
        let start = self.waiting.first().map_or(i.offset, |(_, attribute)| attribute.offset);
        self.segment.plain(facts, start, end);
        let mut waiting = std::mem::take(&mut self.waiting);
        for (_, attribute) in waiting.drain(..).filter(|(_, attribute)| attribute.mask != 0) {
            let registers = registers(attribute);
            self.segment.extend_words(end, registers);
        }
        self.waiting = waiting;
        Some(end)
    }

    /// A segment that was words alone gets something that is none: looks at its words after all.
    fn look_at_words(&mut self) {
        use AttributeOp::{Color4, Material, MultiTexCoord4, Normal3, TexCoord2, TexCoord4};
        let Some(words) = self.segment.give_up_words() else { return };
        for i in self.program.instructions_from(words.start) {
            if i.offset >= words.end {
                break;
            }
            match i.info.class {
                Class::Begin(BeginOp::Begin) => self.begin(i),
                Class::Vertex(op) => self.segment.vertex(op, i.args, i.mask, &mut self.body),
                Class::End(EndOp::End) => self.segment.end(),
                Class::Attribute(op @ (Normal3 | Color4 | TexCoord2 | TexCoord4 | MultiTexCoord4)) => {
                    self.attribute(op, i);
                }
                Class::Attribute(op @ Material) if self.segment.open => self.attribute(op, i),
                Class::State(op) if self.segment.open && is_soft(op) => self.soft(op.into(), i),
                // Lowered already: soft state before the first `begin`, and what is no part of it.
                Class::Attribute(Material)
                | Class::State(_)
                | Class::Compute(_)
                | Class::Read(_)
                | Class::Signal(_)
                | Class::Jump(_)
                | Class::Draw(_)
                | Class::ListDefinition(_)
                | Class::ListCall(_) => {}
            }
        }
    }

    fn begin(&mut self, i: VerifiedInstruction<'a>) {
        let mode = i.args.first().copied().unwrap_or_default();
        if self.segment.open && !self.segment.continues(mode, 0) {
            self.segment.close(self.program.shared_words(), &mut self.body);
        }
        self.segment.begin(mode, &self.body);
        let mut waiting = std::mem::take(&mut self.waiting);
        for (op, attribute) in waiting.drain(..) {
            self.segment.attribute(op, attribute.args, attribute.mask);
        }
        self.waiting = waiting;
    }

    /// Soft state: part of the open segment. Before one, it goes ahead of attributes that wait for a Begin: what a
    /// material and an attribute set is different, so their order does not matter.
    fn soft(&mut self, op: CommandOp, i: VerifiedInstruction<'a>) {
        if self.segment.open {
            if i.mask == 0 {
                self.segment.extend_words(end(i), 0);
            } else {
                self.look_at_words();
            }
            let command = Command { op, args: i.args.into() };
            self.segment.soft(command, i.mask, &mut self.body);
        } else {
            self.command(op, i);
        }
    }

    /// Ends what is open: a segment, or attributes with no Begin after them.
    fn close(&mut self) {
        self.segment.close(self.program.shared_words(), &mut self.body);
        if !self.waiting.is_empty() {
            let mut waiting = std::mem::take(&mut self.waiting);
            for (op, attribute) in waiting.drain(..) {
                self.command(op.into(), attribute);
            }
            self.waiting = waiting;
        }
    }

    /// Drawing from arrays: a command that the receiver makes segments of. What it draws is counted here.
    fn arrays(&mut self, op: DrawOp, i: VerifiedInstruction<'a>, mode: u32, count: u32) {
        self.close();
        let command = self.row(op.into(), i);
        // Within the verifier's budget, so it fits.
        let vertices = planted!(
            ArraysNotAssembled,
            count,
            u32::try_from(verifier::assembled(mode, count)).unwrap_or(u32::MAX)
        );
        self.body.steps.push(Step::DrawArrays { command, vertices });
    }

    /// A row of the command table, with its arguments; its index.
    fn row(&mut self, op: CommandOp, i: VerifiedInstruction<'a>) -> u32 {
        let command = index(self.body.commands.len());
        let first = index(self.body.words.len());
        self.body.words.extend_from_slice(i.args);
        let args = u8::try_from(i.args.len()).unwrap_or_default();
        let fuel = u8::try_from(i.info.cost).unwrap_or(u8::MAX);
        self.body.commands.push(CommandRow { op, args, fuel, first });
        command
    }

    /// A command outside of segments.
    fn command(&mut self, op: CommandOp, i: VerifiedInstruction<'a>) {
        let command = self.row(op, i);
        if i.mask != 0 {
            let ints = (0..)
                .zip(i.info.operands)
                .fold(0, |ints, (bit, operand)| ints | u16::from(operand.kind == Kind::Int) << bit);
            self.body.steps.push(Step::Command {
                command,
                regs: i.mask,
                ints: planted!(IntNotConverted, 0, ints & i.mask),
            });
            return;
        }
        let extendable = planted!(CommandsAcrossTarget, true, self.body.steps.len() > self.barrier);
        if let (true, Some(Step::Commands { end, .. })) = (extendable, self.body.steps.last_mut())
            && *end == command
        {
            *end += 1;
        } else {
            self.body.steps.push(Step::Commands { first: command, end: command + 1 });
        }
    }

    /// A run of register work, at its first instruction. Gives where it ends.
    fn register_work(&mut self) -> Option<usize> {
        let &RegisterWork { begin, end, .. } = self.works.next()?;
        if self.segment.open || !self.waiting.is_empty() {
            let (_, written) = work::registers(self.program.words(), begin as usize, end as usize);
            if planted!(
                AttributeAfterWrite,
                false,
                self.waiting.iter().any(|&(_, attribute)| registers(attribute) & written != 0)
            ) {
                self.close();
            }
            let mut rest = written;
            while planted!(WriteInSegment, false, self.segment.open && rest != 0) {
                self.before_write(rest.trailing_zeros());
                rest &= rest - 1;
            }
        }
        self.body.steps.push(Step::Work { begin, end });
        Some(end as usize)
    }

    /// A register is about to be written while a segment is open.
    #[inline(never)]
    fn before_write(&mut self, d: u32) {
        if self.segment.word_registers >> d & 1 != 0 {
            self.look_at_words();
        }
        self.segment.before_write(d, &mut self.body);
    }

    fn jump_to(&mut self, step: impl Fn(u32) -> Step, target: u32) {
        // Found by the verifier, so the search succeeds.
        let nth = self.program.jump_targets().binary_search(&target).unwrap_or_else(|nth| nth);
        self.jumps.push(self.body.steps.len());
        self.body.steps.push(step(index(nth)));
    }

    fn target(&mut self) {
        planted!(JumpIntoSegment, self.segment.word_registers = 0, self.close());
        self.targets.push(index(self.body.steps.len()));
        self.barrier = self.body.steps.len();
    }

    fn new_list(&mut self, i: VerifiedInstruction<'a>) {
        self.close();
        let name = i.args.first().copied().unwrap_or_default();
        let body = std::mem::take(&mut self.body);
        self.outer = Some(Box::new((body, name)));
        self.segment.in_list = true;
        self.barrier = 0;
    }

    fn end_list(&mut self) {
        self.close();
        self.segment.in_list = false;
        let Some(outer) = self.outer.take() else { return };
        let (body, name) = *outer;
        let mut list = std::mem::replace(&mut self.body, body);
        yields::place(&mut list, self.distance);
        list.steps.shrink_to_fit();
        let cost = self
            .program
            .facts()
            .lists
            .get(planted!(FirstListCost, 0, self.lists))
            .map(|l| l.body.worst)
            .unwrap_or_default();
        self.lists += 1;
        let nth = index(self.body.lists.len());
        self.body.lists.push(Arc::new(List {
            body: list,
            fuel: planted!(ListForFree, 0, u64::from(cost.fuel)),
            vertices: u64::from(cost.assembled),
        }));
        self.body.steps.push(Step::DefineList { name, list: nth });
        self.barrier = 0;
    }

    fn finish(mut self) -> LoweredProgram {
        self.close();
        let end = index(self.body.steps.len());
        for &jump in &self.jumps {
            if let Some(Step::Jump { target } | Step::JumpIf { target, .. }) = self.body.steps.get_mut(jump) {
                // A target that no instruction has is the end.
                let nth = usize::try_from(*target).unwrap_or(usize::MAX);
                *target = planted!(NextTarget, self.targets.get(nth + 1), self.targets.get(nth))
                    .copied()
                    .unwrap_or(end);
            }
        }
        yields::place(&mut self.body, self.distance);
        self.body.steps.shrink_to_fit();
        let facts = self.program.facts();
        let worst = facts.body.worst;
        let read = facts.lists.iter().fold(facts.body.registers_read, |all, l| all | l.body.registers_read);
        LoweredProgram {
            body: self.body,
            callback: self.program.callback(),
            fuel: u64::from(worst.fuel),
            vertices: u64::from(worst.assembled),
            registers: read | facts.registers_written,
            words: Arc::clone(self.program.shared_words()),
            chunk: yields::chunk(self.distance),
            work: facts
                .works
                .iter()
                .fold(index(self.jumps.len()), |all, w| all.saturating_add(w.instructions)),
        }
    }
}

/// A row of the command table has a byte for it.
const _: () = {
    let mut i = 0;
    while i < OPS.len() {
        assert!(OPS[i].cost <= u8::MAX as u32, "an op costs more fuel than a command may");
        i += 1;
    }
};

/// Where an instruction ends.
fn end(i: VerifiedInstruction<'_>) -> usize {
    i.offset + 1 + i.args.len()
}

/// The registers (bit by number) that an instruction names.
#[inline]
fn registers(i: VerifiedInstruction<'_>) -> u32 {
    let mut registers = 0;
    let mut rest = i.mask;
    while rest != 0 {
        let operand = rest.trailing_zeros() as usize;
        rest &= rest - 1;
        registers |= 1 << (i.args.get(operand).copied().unwrap_or_default() % u32::BITS);
    }
    registers
}
