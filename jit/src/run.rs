//! One run of a program: what both tiers do alike, because it is the same code.
//!
//! # Quotas
//! A program is charged for its worst path when it starts (the verifier has it within the limits), and for a
//! display list's worst case each time it is called, before the call. So lists that call lists cannot
//! multiply without end, and neither tier counts single steps.
//!
//! # Slices
//! At yield points the run asks whether its slice of the frame is over, and if so leaves its [`State`] behind, from which
//! the interpreter goes on later. (Register work of a program takes the interpreter a fraction of a millisecond; what is
//! long is GL work, which is the same code in both tiers.)

use crate::arith;
use crate::env::{DamageRect, Effects, Environment, Stop};
use crate::gl::{self, Attributes, Gl, Segment, SegmentId, Vertex};
use crate::lower::LoweredProgram;
use crate::program::Tier;
use crate::step::{Body, CommandRow, Dynamic, EXIT, LEADING, List, Patch, Step, VERTEX_WORDS};
use crate::words;
use blinkgl::limits::{MAX_LIST_NESTING, MAX_LISTS, MAX_OPERANDS, REGISTERS};
use blinkgl::ops::Callback;
use blinkgl::planted;
use std::cell::Cell;
use std::ops::ControlFlow;
use std::sync::Arc;

/// A window's display lists. A clone is cheap, and independent of the original.
#[derive(Debug, Default)]
pub struct Lists {
    /// By name; grows to the greatest name.
    by_name: Arc<Vec<Option<Arc<List>>>>,
    /// Buffer for dynamic segments, kept so that it is not allocated in each run.
    buffer: Vec<Vertex>,
}

impl Clone for Lists {
    fn clone(&self) -> Lists {
        Lists { by_name: Arc::clone(&self.by_name), buffer: Vec::new() }
    }
}

impl Lists {
    /// Lists that are defined.
    #[must_use]
    pub fn len(&self) -> usize {
        self.by_name.iter().flatten().count()
    }

    /// Is none defined?
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Bytes that their bodies take, about.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.by_name.iter().flatten().map(|l| l.body.bytes()).sum()
    }

    fn get(&self, name: u32) -> Option<Arc<List>> {
        self.by_name.get(usize::try_from(name).ok()?)?.clone()
    }

    fn define(&mut self, name: u32, list: Arc<List>) {
        // The verifier's V12 says the same; the size of a table must not rest on it.
        if !(1..=MAX_LISTS).contains(&name) {
            return;
        }
        let Ok(name) = usize::try_from(name) else { return };
        let lists = Arc::make_mut(&mut self.by_name);
        if lists.len() <= name {
            lists.resize(name + 1, None);
        }
        if let Some(slot) = lists.get_mut(name) {
            *slot = planted!(ListUndefined, slot.take().or(Some(list)), Some(list));
        }
    }
}

/// What a run works on.
pub struct Run<'a> {
    /// The register file: a private copy, changed by the run.
    pub registers: &'a mut [u32; REGISTERS],
    /// External state.
    pub environment: &'a Environment,
    /// The window's display lists.
    pub lists: &'a mut Lists,
    /// Receives the drawing.
    pub gl: &'a mut dyn Gl,
}

impl std::fmt::Debug for Run<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Run")
            .field("registers", &self.registers)
            .field("environment", &self.environment)
            .field("lists", &self.lists.len())
            .finish_non_exhaustive()
    }
}

/// What came of a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// What it said to the outside.
    pub effects: Effects,
    /// Why it ended early, if it did.
    pub stop: Option<Stop>,
    /// Fuel units charged: the program's worst path, and each list called.
    pub fuel_used: u64,
    /// Vertices drawn, after assembly into points, lines and triangles.
    pub vertices: u64,
    /// What executed it.
    pub tier: Tier,
}

/// A place in a program: a step, and a word if it is in the middle of register work, else 0.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct At {
    pub(crate) step: usize,
    pub(crate) word: usize,
}

/// What a run is about, without what it works on.
#[derive(Debug)]
pub(crate) struct State {
    callback: Callback,
    effects: Effects,
    fuel: u64,
    /// Vertices charged.
    charged: u64,
    /// Vertices drawn.
    drawn: u64,
    stop: Option<Stop>,
    /// Vertices of the open dynamic segment, with [`LEADING`] ones in front.
    buffer: Vec<Vertex>,
    /// The open segment, if its records have patches.
    patched: Option<Box<Segment>>,
    /// Lists being executed, the innermost last.
    calls: Vec<Call>,
    /// May it be suspended?
    in_slices: bool,
    /// It was suspended, and goes on here.
    suspended: Option<At>,
}

/// A list that is being executed.
#[derive(Debug)]
struct Call {
    list: Arc<List>,
    /// Its next step.
    next: usize,
}

impl State {
    pub(crate) fn new(program: &LoweredProgram, in_slices: bool) -> State {
        State {
            callback: program.callback,
            effects: Effects::default(),
            fuel: program.fuel,
            charged: program.vertices,
            drawn: 0,
            stop: None,
            buffer: Vec::new(),
            patched: None,
            calls: Vec::new(),
            in_slices,
            suspended: None,
        }
    }

    /// Where it goes on, if it is suspended.
    pub(crate) fn suspended(&self) -> Option<At> {
        self.suspended
    }

    pub(crate) fn finish(self, tier: Tier) -> Outcome {
        Outcome { effects: self.effects, stop: self.stop, fuel_used: self.fuel, vertices: self.drawn, tier }
    }
}

/// A run at work.
pub(crate) struct Machine<'a> {
    /// Cells, because native code keeps a pointer to them.
    pub(crate) registers: &'a [Cell<u32>; REGISTERS],
    pub(crate) environment: &'a Environment,
    lists: &'a mut Lists,
    gl: &'a mut dyn Gl,
    state: State,
}

impl<'a> Machine<'a> {
    /// The run goes on, or begins.
    pub(crate) fn new(mut state: State, run: &'a mut Run<'_>) -> Machine<'a> {
        if state.buffer.is_empty() {
            state.buffer = std::mem::take(&mut run.lists.buffer);
        }
        state.suspended = None;
        Machine {
            registers: Cell::from_mut(run.registers).as_array_of_cells(),
            environment: run.environment,
            lists: run.lists,
            gl: run.gl,
            state,
        }
    }

    /// Leaves the state behind.
    pub(crate) fn leave(mut self) -> State {
        if self.state.suspended.is_none() {
            self.lists.buffer = std::mem::take(&mut self.state.buffer);
        }
        self.state
    }

    /// Goes on within the lists that were being executed when the run was suspended.
    pub(crate) fn resume_lists(&mut self, at: At) -> ControlFlow<()> {
        let flow = self.call_on();
        if flow.is_break() {
            self.go_on_at(at.step);
        }
        flow
    }

    /// At a yield point: is the slice over? Then the run goes on at `at` in the next one.
    pub(crate) fn is_suspended(&mut self, at: At) -> bool {
        let is_over = self.state.in_slices && self.gl.is_slice_over();
        if is_over {
            self.state.suspended = Some(at);
        }
        is_over
    }

    /// Should it be suspended within a list, then this is the program's next step.
    pub(crate) fn go_on_at(&mut self, step: usize) {
        if let Some(at) = &mut self.state.suspended {
            *at = At { step, word: 0 };
        }
    }

    #[inline]
    pub(crate) fn register(&self, number: u32) -> u32 {
        self.registers[number as usize % REGISTERS].get()
    }

    /// An operand: a register's bits or the word itself.
    #[inline]
    pub(crate) fn operand(&self, is_register: bool, word: u32) -> u32 {
        if is_register { self.register(word) } else { word }
    }

    /// Executes a step that is neither register work nor a jump nor a yield point; those do nothing here.
    pub(crate) fn act(&mut self, body: &Body, step: &Step) -> ControlFlow<()> {
        match *step {
            Step::Commands { first, end } => {
                let rows = body.commands.get(first as usize..end as usize).unwrap_or_default();
                for row in rows {
                    self.constant(body, row);
                }
            }
            Step::DrawArrays { command, vertices } => {
                self.state.drawn += u64::from(vertices);
                if let Some(row) = body.commands.get(command as usize) {
                    self.constant(body, row);
                }
            }
            Step::Draw { segment } => {
                if let Some(segment) = body.segments.get(segment as usize) {
                    self.state.drawn += u64::from(segment.assembled);
                    self.gl.draw(segment, None);
                }
            }
            Step::Command { command, regs, ints } => self.command(body, command, regs, ints),
            Step::DrawWords { lazy } => {
                let lazy = body.lazies.get(lazy as usize);
                let opened = lazy.and_then(|lazy| lazy.opened.get_or_init(|| words::open(lazy)).as_ref());
                if let Some(opened) = opened {
                    self.open(&opened.dynamic);
                    self.patch(&opened.dynamic, &opened.patches);
                    self.draw_open(&opened.dynamic);
                }
            }
            Step::Open { dynamic } => {
                if let Some(dynamic) = body.dynamics.get(dynamic as usize) {
                    self.open(dynamic);
                }
            }
            Step::Patch { dynamic, first, end } => {
                let patches = body.patches.get(first as usize..end as usize);
                if let (Some(dynamic), Some(patches)) = (body.dynamics.get(dynamic as usize), patches) {
                    self.patch(dynamic, patches);
                }
            }
            Step::DrawOpen { dynamic } => {
                if let Some(dynamic) = body.dynamics.get(dynamic as usize) {
                    self.draw_open(dynamic);
                }
            }
            Step::RequestFrame => self.state.effects.request_frame = true,
            Step::Damage { regs, words } => {
                let at = words as usize;
                if let Some(&[x, y, width, height]) = body.words.get(at..at + 4) {
                    let int = |bit: u32, word: u32| {
                        if regs >> bit & 1 != 0 {
                            arith::to_int(self.register(word))
                        } else {
                            word.cast_signed()
                        }
                    };
                    let rect = DamageRect {
                        x: int(0, x),
                        y: int(1, y),
                        width: int(2, width),
                        height: int(3, height),
                    };
                    self.state.effects.add_damage(rect);
                }
            }
            Step::Notify { reg, value } => {
                let value = self.operand(reg, value);
                self.state.effects.notify(value);
            }
            Step::DefineList { name, list } => {
                if let Some(list) = body.lists.get(list as usize) {
                    self.lists.define(name, Arc::clone(list));
                }
            }
            Step::CallList { name } => {
                self.enter(name)?;
                return self.call_on();
            }
            Step::Work { .. } | Step::Yield | Step::Jump { .. } | Step::JumpIf { .. } => {}
        }
        ControlFlow::Continue(())
    }

    /// Executes the steps `first..end`, none of which is register work, a jump or a yield point.
    pub(crate) fn act_all(&mut self, body: &Body, first: u32, end: u32) -> ControlFlow<()> {
        let steps = body.steps.get(first as usize..end as usize).unwrap_or_default();
        for (at, step) in (first as usize..).zip(steps) {
            if self.act(body, step).is_break() {
                self.go_on_at(at + 1);
                return ControlFlow::Break(());
            }
        }
        ControlFlow::Continue(())
    }

    /// A command without registers.
    #[inline]
    fn constant(&mut self, body: &Body, row: &CommandRow) {
        let at = row.first as usize;
        if let Some(args) = body.words.get(at..at + usize::from(row.args)) {
            self.gl.command(row.op, args);
        }
    }

    fn command(&mut self, body: &Body, command: u32, regs: u16, ints: u16) {
        let Some(row) = body.commands.get(command as usize) else { return };
        let at = row.first as usize;
        let count = usize::from(row.args);
        let mut resolved = [0u32; MAX_OPERANDS];
        let (Some(args), Some(resolved)) = (body.words.get(at..at + count), resolved.get_mut(..count)) else {
            return;
        };
        for (bit, (to, &word)) in (0u32..).zip(resolved.iter_mut().zip(args)) {
            *to = self.operand(regs >> bit & 1 != 0, word);
            if ints >> bit & 1 != 0 {
                *to = planted!(
                    IntsUnsigned,
                    arith::to_int(*to).max(0).cast_unsigned(),
                    arith::to_int(*to).cast_unsigned()
                );
            }
        }
        self.gl.command(row.op, resolved);
    }

    fn open(&mut self, dynamic: &Dynamic) {
        self.state.buffer.clear();
        self.state.buffer.extend_from_slice(&[dynamic.exit, Vertex::default()]);
        self.state.buffer.extend_from_slice(&dynamic.segment.shape().vertices);
        // Another segment each time, and never the same again: its records differ.
        self.state.patched = (!dynamic.places.is_empty())
            .then(|| Box::new(Segment { id: SegmentId::new(), ..Segment::clone(&dynamic.segment) }));
    }

    fn patch(&mut self, dynamic: &Dynamic, patches: &[Patch]) {
        let words = vertex_words(&mut self.state.buffer);
        for &Patch { place, source } in patches {
            let value = if source < Patch::WORD {
                self.registers[source as usize % REGISTERS].get()
            } else {
                words.get((source - Patch::WORD) as usize).copied().unwrap_or_default()
            };
            if place & Patch::RECORD == 0 {
                if let Some(word) = words.get_mut(place as usize) {
                    *word = value;
                }
            } else if let (Some(segment), Some(at)) =
                (&mut self.state.patched, dynamic.places.get((place & !Patch::RECORD) as usize))
            {
                let record = segment.records.get_mut(at.record as usize).unwrap_or(&mut segment.trailing);
                let command = record.get_mut(at.command as usize);
                if let Some(word) = command.and_then(|c| c.args.get_mut(at.arg as usize)) {
                    *word = value;
                }
            }
        }
    }

    fn draw_open(&mut self, dynamic: &Dynamic) {
        let Some((leading, vertices)) = self.state.buffer.split_at_checked(LEADING) else { return };
        let Some(now) = leading.get(EXIT) else { return };
        let constant = dynamic.segment.summary().0.exit;
        let exit = Attributes {
            color: constant.color.map(|_| now.color),
            tex_coord: constant.tex_coord.map(|_| now.tex_coord),
            tex_coord1: constant.tex_coord1.map(|_| now.tex_coord1),
            normal: planted!(NormalAtExit, constant.normal, constant.normal.map(|_| now.normal)),
        };
        self.state.drawn += u64::from(dynamic.segment.assembled);
        let values = gl::Dynamic { vertices, exit };
        match self.state.patched.take() {
            Some(segment) => self.gl.draw(&Arc::new(*segment), Some(values)),
            None => self.gl.draw(&dynamic.segment, Some(values)),
        }
    }

    /// Begins a list.
    fn enter(&mut self, name: u32) -> ControlFlow<()> {
        // As in OpenGL: what does not exist, or is nested too deep, is ignored.
        if planted!(
            NestedTooDeep,
            self.state.calls.len() > MAX_LIST_NESTING as usize,
            self.state.calls.len() >= MAX_LIST_NESTING as usize
        ) {
            return ControlFlow::Continue(());
        }
        let Some(list) = self.lists.get(name) else { return ControlFlow::Continue(()) };
        let callback = self.state.callback;
        self.state.fuel = self.state.fuel.saturating_add(list.fuel);
        let limit = self.environment.fuel;
        if planted!(FuelOneLess, self.state.fuel >= limit, self.state.fuel > limit) {
            self.state.stop = Some(Stop::Fuel { callback, limit });
            return ControlFlow::Break(());
        }
        self.state.charged = self.state.charged.saturating_add(list.vertices);
        let limit = self.environment.vertices;
        if planted!(VerticesUnlimited, false, self.state.charged > limit) {
            self.state.stop = Some(Stop::Vertices { callback, limit });
            return ControlFlow::Break(());
        }
        self.state.calls.push(Call { list, next: 0 });
        ControlFlow::Continue(())
    }

    /// Executes the lists that were begun, to their end, a stop, or where the run is suspended.
    fn call_on(&mut self) -> ControlFlow<()> {
        while let Some(call) = self.state.calls.last() {
            let (list, mut next) = (Arc::clone(&call.list), call.next);
            let depth = self.state.calls.len();
            loop {
                let Some(step) = list.body.steps.get(next) else {
                    self.state.calls.truncate(depth - 1);
                    break;
                };
                next += 1;
                if *step == Step::Yield {
                    // Where the program goes on is known to the one who called.
                    if self.is_suspended(At::default()) {
                        planted!(ListGoesOnLater, self.note(next + 1), self.note(next));
                        return ControlFlow::Break(());
                    }
                } else if let Step::CallList { name } = *step {
                    self.note(next);
                    self.enter(name)?;
                    if self.state.calls.len() > depth {
                        break;
                    }
                } else {
                    self.act(&list.body, step)?;
                }
            }
        }
        ControlFlow::Continue(())
    }

    /// The innermost list goes on at this step.
    fn note(&mut self, next: usize) {
        if let Some(call) = self.state.calls.last_mut() {
            call.next = next;
        }
    }
}

fn vertex_words(vertices: &mut [Vertex]) -> &mut [u32] {
    let words = vertices.len() * VERTEX_WORDS;
    // SAFETY: `Vertex` is `repr(C)` and made of `VERTEX_WORDS` fields of 4 bytes (`f32`, `u32`; its size is asserted
    // in `step`), so it has no padding, any bits are a valid value of each field, and its alignment is that
    // of `u32`. The slice covers exactly the vertices, which stay mutably borrowed.
    unsafe { std::slice::from_raw_parts_mut(vertices.as_mut_ptr().cast::<u32>(), words) }
}
