//! A slow and obvious machine: it executes a verified program one instruction after the other, as OpenGL's
//! text says, and assembles each primitive at its End. Shares nothing with the lowering but [`jit::arith`].

use blinkgl::External;
use blinkgl::limits::{MAX_FUEL, MAX_LIST_NESTING, MAX_VERTICES};
use blinkgl::ops::{Callback, Class, Kind, Op};
use jit::arith::{self, Binary, Predicate, Unary};
use jit::trace::{TraceGl, TracedPrimitive, TracedVertex};
use jit::{Assembly, Command, DamageRect, Effects, Environment, Stop};
use std::collections::HashMap;
use verifier::VerifiedProgram;

#[derive(Clone, Debug)]
struct Instruction {
    offset: u32,
    op: Op,
    mask: u16,
    args: Vec<u32>,
}

#[derive(Clone, Debug)]
struct List {
    body: Vec<Instruction>,
    fuel: u64,
    vertices: u64,
}

/// A window's lists.
#[derive(Clone, Debug, Default)]
pub struct ReferenceLists(HashMap<u32, List>);

/// The machine.
#[derive(Debug)]
pub struct Reference<'a> {
    pub trace: TraceGl,
    pub registers: [u32; 32],
    pub effects: Effects,
    pub stop: Option<Stop>,
    pub fuel: u64,
    pub drawn: u64,
    charged: u64,
    environment: &'a Environment,
    lists: &'a mut ReferenceLists,
    primitive: Option<(u32, Vec<TracedVertex>)>,
    callback: Callback,
}

impl<'a> Reference<'a> {
    /// Runs a program.
    pub fn run(
        program: &VerifiedProgram,
        registers: [u32; 32],
        environment: &'a Environment,
        lists: &'a mut ReferenceLists,
    ) -> Reference<'a> {
        let worst = program.facts().body.worst;
        let mut machine = Reference {
            trace: TraceGl::default(),
            registers,
            effects: Effects::default(),
            stop: None,
            fuel: u64::from(worst.fuel),
            drawn: 0,
            charged: u64::from(worst.assembled),
            environment,
            lists,
            primitive: None,
            callback: program.callback(),
        };
        let all: Vec<Instruction> = program
            .instructions()
            .map(|i| Instruction { offset: i.offset as u32, op: i.op(), mask: i.mask, args: i.args.to_vec() })
            .collect();
        let mut costs = program
            .facts()
            .lists
            .iter()
            .map(|l| (l.words.start, u64::from(l.body.worst.fuel), u64::from(l.body.worst.assembled)));
        // A list's cost, by where its body begins.
        let costs: HashMap<u32, (u64, u64)> = costs.by_ref().map(|(start, f, v)| (start, (f, v))).collect();
        let mut at = 0;
        while at < all.len() && machine.stop.is_none() {
            let i = &all[at];
            at += 1;
            match i.op {
                Op::Jmp => at = find(&all, i.args[0]),
                Op::JmpIf => {
                    let (a, b) = (machine.value(i, 1), machine.value(i, 2));
                    if arith::compare(Predicate::from_code(i.args[0]), a, b) {
                        at = find(&all, i.args[3]);
                    }
                }
                Op::NewList => {
                    let end = (at..all.len()).find(|&e| all[e].op == Op::EndList).expect("verified");
                    let (fuel, vertices) = costs[&(i.offset + 2)];
                    let list = List { body: all[at..end].to_vec(), fuel, vertices };
                    machine.lists.0.insert(i.args[0], list);
                    at = end + 1;
                }
                _ => machine.step(i, 0),
            }
        }
        machine
    }

    fn value(&self, i: &Instruction, operand: usize) -> u32 {
        let word = i.args[operand];
        if i.mask >> operand & 1 != 0 { self.registers[word as usize] } else { word }
    }

    /// All operands, resolved as a GL call takes them.
    fn resolved(&self, i: &Instruction) -> Vec<u32> {
        (0..i.args.len())
            .map(|operand| {
                let value = self.value(i, operand);
                let converts = i.op.info().operands[operand].kind == Kind::Int && i.mask >> operand & 1 != 0;
                if converts { arith::to_int(value) as u32 } else { value }
            })
            .collect()
    }

    fn step(&mut self, i: &Instruction, nesting: u32) {
        let one = 1.0f32.to_bits();
        let args = self.resolved(i);
        let unary = |op| Some(arith::unary(op, args[1]));
        let binary = |op| Some(arith::binary(op, args[1], args[2]));
        let written = match i.op {
            Op::Mov => unary(Unary::Mov),
            Op::Neg => unary(Unary::Neg),
            Op::Abs => unary(Unary::Abs),
            Op::Floor => unary(Unary::Floor),
            Op::Fract => unary(Unary::Fract),
            Op::Sqrt => unary(Unary::Sqrt),
            Op::Sin => unary(Unary::Sin),
            Op::Cos => unary(Unary::Cos),
            Op::Add => binary(Binary::Add),
            Op::Sub => binary(Binary::Sub),
            Op::Mul => binary(Binary::Mul),
            Op::Div => binary(Binary::Div),
            Op::Min => binary(Binary::Min),
            Op::Max => binary(Binary::Max),
            Op::Atan2 => binary(Binary::Atan2),
            Op::Cmp => Some(arith::truth(arith::compare(Predicate::from_code(args[1]), args[2], args[3]))),
            Op::Select => Some(arith::select(args[1], args[2], args[3])),
            Op::Read => Some(self.environment.get(External::from_code(args[1]).expect("verified")).to_bits()),
            Op::TimeSince => Some(arith::time_since(self.environment.presentation_ns, args[1], args[2])),
            Op::TimeMod => Some(arith::time_mod(self.environment.presentation_ns, args[1])),
            _ => None,
        };
        if let Some(value) = written {
            self.registers[i.args[0] as usize] = value;
            return;
        }
        match i.op {
            Op::RequestFrame => self.effects.request_frame = true,
            Op::Notify => self.effects.notify(args[0]),
            Op::Damage => self.effects.add_damage(DamageRect {
                x: args[0] as i32,
                y: args[1] as i32,
                width: args[2] as i32,
                height: args[3] as i32,
            }),
            Op::Begin => self.primitive = Some((args[0], Vec::new())),
            Op::Vertex2 => self.vertex([args[0], args[1], 0, one]),
            Op::Vertex3 => self.vertex([args[0], args[1], args[2], one]),
            Op::Vertex4 => self.vertex([args[0], args[1], args[2], args[3]]),
            Op::End => self.end(),
            Op::CallList => self.call(args[0], nesting),
            op => {
                assert!(
                    matches!(op.info().class, Class::State | Class::Attribute | Class::Draw),
                    "{op} is handled above"
                );
                if !self.trace.current.set(op, &args) {
                    if matches!(op, Op::PushAttrib | Op::PopAttrib | Op::DrawArrays | Op::DrawElements) {
                        self.trace.used.push(self.trace.current);
                    }
                    self.drawn += drawn_from_arrays(op, &args);
                    self.trace.commands.push(Command { op, args: args.into() });
                }
            }
        }
    }

    fn vertex(&mut self, position: [u32; 4]) {
        let vertex =
            TracedVertex { position, attributes: self.trace.current, commands: self.trace.commands.len() };
        self.primitive.as_mut().expect("verified").1.push(vertex);
    }

    /// The table of primitives of OpenGL's text, one primitive at a time, provoking vertex last.
    fn end(&mut self) {
        let (mode, v) = self.primitive.take().expect("verified");
        let n = v.len();
        let mut out: Vec<Vec<TracedVertex>> = Vec::new();
        match mode {
            0 => out.extend(v.iter().map(|&p| vec![p])),
            1 => out.extend(v.chunks_exact(2).map(<[_]>::to_vec)),
            2 if n > 1 => {
                for i in 0..n {
                    out.push(vec![v[i], v[(i + 1) % n]]);
                }
            }
            3 => out.extend(v.windows(2).map(<[_]>::to_vec)),
            4 => out.extend(v.chunks_exact(3).map(<[_]>::to_vec)),
            5 => {
                for (i, w) in v.windows(3).enumerate() {
                    out.push(if i % 2 == 0 { w.to_vec() } else { vec![w[1], w[0], w[2]] });
                }
            }
            6 if n > 2 => out.extend(v[1..].windows(2).map(|w| vec![v[0], w[0], w[1]])),
            7 => {
                for q in v.chunks_exact(4) {
                    out.push(vec![q[0], q[1], q[3]]);
                    out.push(vec![q[1], q[2], q[3]]);
                }
            }
            8 => {
                for q in v.windows(4).step_by(2) {
                    // Corners around the quad: 0, 1, 3, 2. Vertex 3 gives the color.
                    out.push(vec![q[2], q[0], q[3]]);
                    out.push(vec![q[0], q[1], q[3]]);
                }
            }
            9 if n > 2 => out.extend(v[1..].windows(2).map(|w| vec![w[0], w[1], v[0]])),
            _ => {}
        }
        for vertices in out {
            let assembly = [Assembly::Points, Assembly::Lines, Assembly::Triangles][vertices.len() - 1];
            self.drawn += vertices.len() as u64;
            self.trace.primitives.push(TracedPrimitive { assembly, vertices });
        }
    }

    fn call(&mut self, name: u32, nesting: u32) {
        if nesting >= MAX_LIST_NESTING {
            return;
        }
        let Some(list) = self.lists.0.get(&name).cloned() else { return };
        self.fuel += list.fuel;
        if self.fuel > MAX_FUEL {
            self.stop = Some(Stop::Fuel { callback: self.callback, limit: MAX_FUEL });
            return;
        }
        self.charged += list.vertices;
        if self.charged > MAX_VERTICES {
            self.stop = Some(Stop::Vertices { callback: self.callback, limit: MAX_VERTICES });
            return;
        }
        for i in &list.body {
            self.step(i, nesting + 1);
            if self.stop.is_some() {
                return;
            }
        }
    }
}

/// Corners of the points, lines and triangles that arrays are drawn as.
fn drawn_from_arrays(op: Op, args: &[u32]) -> u64 {
    let count = match op {
        Op::DrawArrays => args[2],
        Op::DrawElements => args[1],
        _ => return 0,
    };
    let n = u64::from(count);
    match args[0] {
        0 => n,
        1 => n - n % 2,
        2 if n > 1 => 2 * n,
        3 if n > 1 => 2 * (n - 1),
        4 => n - n % 3,
        5 | 6 | 9 if n > 2 => 3 * (n - 2),
        7 => n / 4 * 6,
        8 if n > 3 => (n - 2) / 2 * 6,
        _ => 0,
    }
}

fn find(all: &[Instruction], offset: u32) -> usize {
    all.iter().position(|i| i.offset == offset).unwrap_or(all.len())
}
