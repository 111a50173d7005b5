//! One run of a program: what both tiers do alike, because it is the same code.
//!
//! # Quotas
//! A program is charged for its worst path when it starts (the verifier has it within the limits), and for a
//! display list's worst case each time it is called, before the call. So lists that call lists cannot
//! multiply without end, and neither tier counts single steps.

use crate::arith;
use crate::env::{DamageRect, Effects, Environment, Stop};
use crate::gl::{self, Attributes, Gl, Segment, SegmentId, Vertex};
use crate::lower::LoweredProgram;
use crate::program::Tier;
use crate::step::{Body, CommandRow, Dynamic, EXIT, LEADING, List, Patch, Step, VERTEX_WORDS};
use crate::words;
use blinkgl::limits::{MAX_FUEL, MAX_LIST_NESTING, MAX_LISTS, MAX_OPERANDS, MAX_VERTICES, REGISTERS};
use blinkgl::ops::Callback;
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
            *slot = Some(list);
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

/// The state of a run.
pub(crate) struct Machine<'a> {
    /// Cells, because native code keeps a pointer to them.
    pub(crate) registers: &'a [Cell<u32>; REGISTERS],
    pub(crate) environment: &'a Environment,
    lists: &'a mut Lists,
    gl: &'a mut dyn Gl,
    callback: Callback,
    effects: Effects,
    fuel: u64,
    /// Vertices charged.
    charged: u64,
    /// Vertices drawn.
    drawn: u64,
    nesting: u32,
    stop: Option<Stop>,
    /// Vertices of the open dynamic segment, with [`LEADING`] ones in front.
    buffer: Vec<Vertex>,
    /// The open segment, if its records have patches.
    patched: Option<Box<Segment>>,
}

impl<'a> Machine<'a> {
    pub(crate) fn new(program: &LoweredProgram, run: &'a mut Run<'_>) -> Machine<'a> {
        Machine {
            registers: Cell::from_mut(run.registers).as_array_of_cells(),
            environment: run.environment,
            buffer: std::mem::take(&mut run.lists.buffer),
            lists: run.lists,
            gl: run.gl,
            callback: program.callback,
            effects: Effects::default(),
            fuel: program.fuel,
            charged: program.vertices,
            drawn: 0,
            nesting: 0,
            stop: None,
            patched: None,
        }
    }

    pub(crate) fn finish(self, tier: Tier) -> Outcome {
        self.lists.buffer = self.buffer;
        Outcome { effects: self.effects, stop: self.stop, fuel_used: self.fuel, vertices: self.drawn, tier }
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

    /// Executes a step that is neither register work nor a jump; those do nothing here.
    pub(crate) fn act(&mut self, body: &Body, step: &Step) -> ControlFlow<()> {
        match *step {
            Step::Commands { first, end } => {
                let rows = body.commands.get(first as usize..end as usize).unwrap_or_default();
                for row in rows {
                    self.constant(body, row);
                }
            }
            Step::DrawArrays { command, vertices } => {
                self.drawn += u64::from(vertices);
                if let Some(row) = body.commands.get(command as usize) {
                    self.constant(body, row);
                }
            }
            Step::Draw { segment } => {
                if let Some(segment) = body.segments.get(segment as usize) {
                    self.drawn += u64::from(segment.assembled);
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
            Step::RequestFrame => self.effects.request_frame = true,
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
                    self.effects.add_damage(rect);
                }
            }
            Step::Notify { reg, value } => {
                let value = self.operand(reg, value);
                self.effects.notify(value);
            }
            Step::DefineList { name, list } => {
                if let Some(list) = body.lists.get(list as usize) {
                    self.lists.define(name, Arc::clone(list));
                }
            }
            Step::CallList { name } => return self.call(name),
            Step::Unary { .. }
            | Step::Binary { .. }
            | Step::Compare { .. }
            | Step::Select { .. }
            | Step::Read { .. }
            | Step::TimeSince { .. }
            | Step::TimeMod { .. }
            | Step::Jump { .. }
            | Step::JumpIf { .. } => {}
        }
        ControlFlow::Continue(())
    }

    /// Executes the steps `first..end`, none of which is register work or a jump.
    pub(crate) fn act_all(&mut self, body: &Body, first: u32, end: u32) -> ControlFlow<()> {
        for step in body.steps.get(first as usize..end as usize).unwrap_or_default() {
            self.act(body, step)?;
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
                *to = arith::to_int(*to).cast_unsigned();
            }
        }
        self.gl.command(row.op, resolved);
    }

    fn open(&mut self, dynamic: &Dynamic) {
        self.buffer.clear();
        self.buffer.extend_from_slice(&[dynamic.exit, Vertex::default()]);
        self.buffer.extend_from_slice(&dynamic.segment.shape().vertices);
        // Another segment each time, and never the same again: its records differ.
        self.patched = (!dynamic.places.is_empty())
            .then(|| Box::new(Segment { id: SegmentId::new(), ..Segment::clone(&dynamic.segment) }));
    }

    fn patch(&mut self, dynamic: &Dynamic, patches: &[Patch]) {
        let words = vertex_words(&mut self.buffer);
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
                (&mut self.patched, dynamic.places.get((place & !Patch::RECORD) as usize))
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
        let Some((leading, vertices)) = self.buffer.split_at_checked(LEADING) else { return };
        let Some(now) = leading.get(EXIT) else { return };
        let constant = dynamic.segment.summary().0.exit;
        let exit = Attributes {
            color: constant.color.map(|_| now.color),
            tex_coord: constant.tex_coord.map(|_| now.tex_coord),
            tex_coord1: constant.tex_coord1.map(|_| now.tex_coord1),
            normal: constant.normal.map(|_| now.normal),
        };
        self.drawn += u64::from(dynamic.segment.assembled);
        let values = gl::Dynamic { vertices, exit };
        match self.patched.take() {
            Some(segment) => self.gl.draw(&Arc::new(*segment), Some(values)),
            None => self.gl.draw(&dynamic.segment, Some(values)),
        }
    }

    fn call(&mut self, name: u32) -> ControlFlow<()> {
        // As in OpenGL: what does not exist, or is nested too deep, is ignored.
        if self.nesting >= MAX_LIST_NESTING {
            return ControlFlow::Continue(());
        }
        let Some(list) = self.lists.get(name) else { return ControlFlow::Continue(()) };
        let callback = self.callback;
        self.fuel = self.fuel.saturating_add(list.fuel);
        if self.fuel > MAX_FUEL {
            self.stop = Some(Stop::Fuel { callback, limit: MAX_FUEL });
            return ControlFlow::Break(());
        }
        self.charged = self.charged.saturating_add(list.vertices);
        if self.charged > MAX_VERTICES {
            self.stop = Some(Stop::Vertices { callback, limit: MAX_VERTICES });
            return ControlFlow::Break(());
        }
        self.nesting += 1;
        for step in &list.body.steps {
            self.act(&list.body, step)?;
        }
        self.nesting -= 1;
        ControlFlow::Continue(())
    }
}

fn vertex_words(vertices: &mut [Vertex]) -> &mut [u32] {
    let words = vertices.len() * VERTEX_WORDS;
    // SAFETY: `Vertex` is `repr(C)` and made of `VERTEX_WORDS` fields of 4 bytes (`f32`, `u32`; its size is asserted
    // in `step`), so it has no padding, any bits are a valid value of each field, and its alignment is that
    // of `u32`. The slice covers exactly the vertices, which stay mutably borrowed.
    unsafe { std::slice::from_raw_parts_mut(vertices.as_mut_ptr().cast::<u32>(), words) }
}
