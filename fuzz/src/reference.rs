//! A slow and obvious machine: it executes a verified program one instruction after the other, as OpenGL's
//! text says, and assembles each primitive at its End. It shares nothing with the lowering, the interpreter and native
//! code but the types of what goes in and comes out.

use crate::arithmetic as a;
use crate::trace::{Corner, Current, Trace, Vertex};
use blinkgl::limits::{MAX_LIST_NESTING, MAX_NOTIFICATIONS};
use blinkgl::ops::{
    BeginOp, Class, DrawOp, EndOp, JumpOp, Kind, ListCallOp, ListDefinitionOp, ReadOp, SignalOp, VertexOp,
};
use jit::{DamageRect, Effects, Environment, Stop};
use std::collections::HashMap;
use std::sync::Arc;
use verifier::{Cost, VerifiedInstruction, VerifiedProgram};

/// A display list: a part of the program that defined it.
#[derive(Clone, Debug)]
struct List {
    program: Arc<VerifiedProgram>,
    start: usize,
    end: usize,
    worst: Cost,
}

/// A window's display lists.
#[derive(Clone, Debug, Default)]
pub struct ReferenceLists(HashMap<u32, List>);

/// The machine, as it is after a run.
#[derive(Debug)]
pub struct Reference<'a> {
    /// What was drawn.
    pub trace: Trace,
    /// The attributes in force.
    pub current: Current,
    /// The registers.
    pub registers: [u32; 32],
    /// What was said to the outside.
    pub effects: Effects,
    /// Why it ended early.
    pub stop: Option<Stop>,
    /// Fuel charged.
    pub fuel: u64,
    /// Vertices drawn, after assembly.
    pub drawn: u64,
    /// Vertices charged, after assembly.
    pub charged: u64,
    /// What was really executed, that of lists included.
    pub measured: Measured,
    /// The most that it may be: the worst case of the program, and that of each list at each call.
    pub bound: Measured,
    program: &'a Arc<VerifiedProgram>,
    environment: &'a Environment,
    lists: &'a mut ReferenceLists,
    /// The open Begin: its mode and vertices.
    primitive: Option<(u32, Vec<Corner>)>,
}

/// A sum of costs: more than [`Cost`] can count.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Measured {
    /// Instructions.
    pub ops: u64,
    /// Fuel.
    pub fuel: u64,
    /// GL calls.
    pub gl_calls: u64,
    /// Vertices before assembly.
    pub vertices: u64,
    /// Vertices after assembly.
    pub assembled: u64,
    /// Bytes of vertices.
    pub bytes: u64,
}

impl Measured {
    fn add(&mut self, cost: &Cost) {
        self.ops += u64::from(cost.ops);
        self.fuel += u64::from(cost.fuel);
        self.gl_calls += u64::from(cost.gl_calls);
        self.vertices += u64::from(cost.vertices);
        self.assembled += u64::from(cost.assembled);
        self.bytes += cost.upload_bytes();
    }

    /// Is nothing more than in `bound`?
    #[must_use]
    pub fn within(&self, bound: &Measured) -> bool {
        self.ops <= bound.ops
            && self.fuel <= bound.fuel
            && self.gl_calls <= bound.gl_calls
            && self.vertices <= bound.vertices
            && self.assembled <= bound.assembled
            && self.bytes <= bound.bytes
    }
}

impl<'a> Reference<'a> {
    /// Runs a program. `trace`: an empty one; `current`: the attributes at the start.
    pub fn run(
        program: &'a Arc<VerifiedProgram>,
        registers: [u32; 32],
        environment: &'a Environment,
        lists: &'a mut ReferenceLists,
        trace: Trace,
    ) -> Reference<'a> {
        let worst = program.facts().body.worst;
        let mut bound = Measured::default();
        bound.add(&worst);
        let mut machine = Reference {
            trace,
            current: Current::default(),
            registers,
            effects: Effects::default(),
            stop: None,
            fuel: u64::from(worst.fuel),
            drawn: 0,
            charged: u64::from(worst.assembled),
            measured: Measured::default(),
            bound,
            program,
            environment,
            lists,
            primitive: None,
        };
        let mut all = program.instructions();
        while let Some(i) = all.next() {
            machine.count(&i);
            match i.info.class {
                Class::Jump(JumpOp::Jmp) => all = program.instructions_from(i.args[0] as usize),
                Class::Jump(JumpOp::JmpIf) => {
                    if a::holds(i.args[0], machine.value(&i, 1), machine.value(&i, 2)) {
                        all = program.instructions_from(i.args[3] as usize);
                    }
                }
                Class::ListDefinition(ListDefinitionOp::NewList) => {
                    let end = all.by_ref().find(ends_list).expect("verified");
                    machine.count(&end);
                    machine.define(i.args[0], &i, &end);
                }
                Class::ListDefinition(ListDefinitionOp::EndList) => unreachable!("found by its new_list"),
                Class::Compute(_)
                | Class::Read(_)
                | Class::Signal(_)
                | Class::State(_)
                | Class::Attribute(_)
                | Class::Vertex(_)
                | Class::Begin(_)
                | Class::End(_)
                | Class::Draw(_)
                | Class::ListCall(_) => machine.step(&i, 0),
            }
            if machine.stop.is_some() {
                break;
            }
        }
        machine
    }

    fn define(&mut self, name: u32, new_list: &VerifiedInstruction<'_>, end: &VerifiedInstruction<'_>) {
        let start = new_list.offset + 2;
        let facts = self.program.facts().lists.iter().find(|list| list.words.start as usize == start);
        let worst = facts.expect("a list that the program has").body.worst;
        let program = Arc::clone(self.program);
        self.lists.0.insert(name, List { program, start, end: end.offset, worst });
    }

    fn count(&mut self, i: &VerifiedInstruction<'_>) {
        let measured = &mut self.measured;
        measured.ops += 1;
        measured.fuel += u64::from(i.info.cost);
        measured.gl_calls += u64::from(i.info.class.is_gl());
        measured.vertices += u64::from(matches!(i.info.class, Class::Vertex(_)));
    }

    fn value(&self, i: &VerifiedInstruction<'_>, operand: usize) -> u32 {
        let word = i.args[operand];
        if i.is_register(operand) { self.registers[word as usize] } else { word }
    }

    /// Operand `operand` as a GL call takes it.
    fn resolved(&self, i: &VerifiedInstruction<'_>, operand: usize) -> u32 {
        let value = self.value(i, operand);
        let is_integer = i.info.operands[operand].kind == Kind::Int;
        if is_integer && i.is_register(operand) { a::integer(value) } else { value }
    }

    fn step(&mut self, i: &VerifiedInstruction<'_>, nesting: u32) {
        let mut resolved = [0; 16];
        for (operand, value) in resolved.iter_mut().enumerate().take(i.args.len()) {
            *value = self.resolved(i, operand);
        }
        let args = &resolved[..i.args.len()];
        match i.info.class {
            Class::Compute(op) => self.registers[i.args[0] as usize] = a::compute(op, &args[1..]),
            Class::Read(op) => {
                let now = self.environment.presentation_ns;
                self.registers[i.args[0] as usize] = match op {
                    ReadOp::Read => self.environment.values[args[1] as usize].to_bits(),
                    ReadOp::TimeSince => a::time_since(now, args[1], args[2]),
                    ReadOp::TimeMod => a::time_mod(now, args[1]),
                };
            }
            Class::Signal(op) => self.signal(op, args),
            Class::Begin(BeginOp::Begin) => self.primitive = Some((args[0], Vec::new())),
            Class::Vertex(VertexOp::Vertex2 | VertexOp::Vertex3 | VertexOp::Vertex4) => {
                let mut position = [0, 0, 0, 1.0f32.to_bits()];
                position[..args.len()].copy_from_slice(args);
                let vertex = Vertex { position, current: self.current, commands: self.trace.commands };
                self.primitive.as_mut().expect("in a primitive").1.push(Corner::new(vertex));
            }
            Class::End(EndOp::End) => self.end(),
            Class::ListCall(ListCallOp::CallList) => self.call(args[0], nesting),
            Class::Attribute(op) => {
                if !self.current.set(op, args) {
                    self.trace.command(op.into(), args, &self.current);
                }
            }
            // What state means is OpenGL's, and the same for all that run it.
            Class::State(op) => self.trace.command(op.into(), args, &self.current),
            Class::Draw(op) => {
                self.draw(op, args);
                self.trace.command(op.into(), args, &self.current);
            }
            Class::Jump(_) | Class::ListDefinition(_) => unreachable!("neither in a list nor here"),
        }
    }

    fn signal(&mut self, op: SignalOp, args: &[u32]) {
        let effects = &mut self.effects;
        match op {
            SignalOp::RequestFrame => effects.request_frame = true,
            SignalOp::Notify => {
                if effects.notifications.len() < MAX_NOTIFICATIONS {
                    effects.notifications.push(args[0]);
                } else {
                    effects.notifications_dropped += 1;
                }
            }
            SignalOp::Damage => {
                let [x, y, width, height] = [0, 1, 2, 3].map(|i| args[i].cast_signed());
                if width > 0 && height > 0 {
                    let rect = DamageRect { x, y, width, height };
                    effects.damage = Some(effects.damage.map_or(rect, |old| bounds(old, rect)));
                }
            }
        }
    }

    /// The table of primitives of OpenGL's text, one primitive at a time, provoking vertex last.
    fn end(&mut self) {
        let (mode, v) = self.primitive.take().expect("in a primitive");
        let n = v.len();
        let mut draw = |corners: &[Corner]| {
            self.drawn += corners.len() as u64;
            self.measured.assembled += corners.len() as u64;
            self.trace.primitive(corners);
        };
        match mode {
            0 => v.iter().for_each(|&p| draw(&[p])),
            1 => v.chunks_exact(2).for_each(draw),
            2 if n > 1 => (0..n).for_each(|i| draw(&[v[i], v[(i + 1) % n]])),
            3 => v.windows(2).for_each(draw),
            4 => v.chunks_exact(3).for_each(draw),
            5 => {
                for (i, w) in v.windows(3).enumerate() {
                    draw(&if i % 2 == 0 { [w[0], w[1], w[2]] } else { [w[1], w[0], w[2]] });
                }
            }
            6 if n > 2 => v[1..].windows(2).for_each(|w| draw(&[v[0], w[0], w[1]])),
            7 => {
                for q in v.chunks_exact(4) {
                    draw(&[q[0], q[1], q[3]]);
                    draw(&[q[1], q[2], q[3]]);
                }
            }
            8 => {
                for q in v.windows(4).step_by(2) {
                    // Corners around the quad: 0, 1, 3, 2. Vertex 3 gives the color.
                    draw(&[q[2], q[0], q[3]]);
                    draw(&[q[0], q[1], q[3]]);
                }
            }
            9 if n > 2 => v[1..].windows(2).for_each(|w| draw(&[w[0], w[1], v[0]])),
            _ => {}
        }
        self.measured.bytes += 80 * n as u64;
    }

    /// Counts what is drawn from arrays, a vertex at a time for those that are cheap to think of.
    fn draw(&mut self, op: DrawOp, args: &[u32]) {
        let (mode, count) = match op {
            DrawOp::Clear => return,
            DrawOp::DrawArrays => (args[0], args[2]),
            DrawOp::DrawElements => (args[0], args[1]),
        };
        let n = u64::from(count);
        let drawn = match mode {
            0 => n,
            1 => n - n % 2,
            2 if n > 1 => 2 * n,
            3 if n > 1 => 2 * (n - 1),
            4 => n - n % 3,
            5 | 6 | 9 if n > 2 => 3 * (n - 2),
            7 => n / 4 * 6,
            8 if n > 3 => (n - 2) / 2 * 6,
            _ => 0,
        };
        self.drawn += drawn;
        self.measured.assembled += drawn;
        self.measured.vertices += n;
        self.measured.fuel += n;
        self.measured.bytes += 80 * n;
    }

    fn call(&mut self, name: u32, nesting: u32) {
        if nesting >= MAX_LIST_NESTING {
            return;
        }
        let Some(list) = self.lists.0.get(&name).cloned() else { return };
        let callback = self.program.callback();
        self.fuel += u64::from(list.worst.fuel);
        let limit = self.environment.fuel;
        if self.fuel > limit {
            self.stop = Some(Stop::Fuel { callback, limit });
            return;
        }
        self.charged += u64::from(list.worst.assembled);
        let limit = self.environment.vertices;
        if self.charged > limit {
            self.stop = Some(Stop::Vertices { callback, limit });
            return;
        }
        self.bound.add(&list.worst);
        for i in list.program.instructions_from(list.start).take_while(|i| i.offset < list.end) {
            self.count(&i);
            self.step(&i, nesting + 1);
            if self.stop.is_some() {
                return;
            }
        }
    }
}

fn ends_list(i: &VerifiedInstruction<'_>) -> bool {
    matches!(i.info.class, Class::ListDefinition(ListDefinitionOp::EndList))
}

/// The rectangle around two.
fn bounds(a: DamageRect, b: DamageRect) -> DamageRect {
    let wide = i64::from;
    let most = wide(i32::MAX);
    let side = |from: i64, to: i64| i32::try_from((to.min(most) - from).min(most)).expect("at least 0");
    let right = (wide(a.x) + wide(a.width)).max(wide(b.x) + wide(b.width));
    let top = (wide(a.y) + wide(a.height)).max(wide(b.y) + wide(b.height));
    let (x, y) = (a.x.min(b.x), a.y.min(b.y));
    DamageRect { x, y, width: side(wide(x), right), height: side(wide(y), top) }
}
