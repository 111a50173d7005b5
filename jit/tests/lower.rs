//! What lowering makes of programs: where segments begin and end, records, inherited attributes, patches.
#![allow(clippy::missing_panics_doc, clippy::cast_possible_truncation, clippy::float_cmp, reason = "test")]
mod common;

use blinkgl::limits::{MAX_FUEL, MAX_LIST_NESTING, MAX_VERTICES};
use blinkgl::ops::{Callback, Op};
use common::{A, F, R, U, Words, environment, run};
use jit::limits::MAX_COMPILE_COST;
use jit::trace::{NullGl, TraceGl};
use jit::{
    Assembly, Attributes, CommandOp, CompileError, CompileQueue, Dynamic, Given, Gl, Inherited, Lists, Run,
    Segment, Stop, Tier, TierChoice, Vertex,
};
use std::sync::Arc;

const POINTS: A = U(0);
const LINES: A = U(1);
const TRIANGLES: A = U(4);
const QUADS: A = U(7);
const POLYGON: A = U(9);
const FLAT: A = U(0x1d00);
const SMOOTH: A = U(0x1d01);
const FRONT: A = U(0x404);
const DIFFUSE: A = U(0x1201);

/// What came, in order.
#[derive(Debug)]
enum Event {
    Command(Op, Vec<u32>),
    Draw(Arc<Segment>, Option<Vec<Vertex>>, Attributes),
}

#[derive(Debug, Default)]
struct Events(Vec<Event>);

impl Gl for Events {
    fn command(&mut self, op: CommandOp, args: &[u32]) {
        self.0.push(Event::Command(op.op(), args.to_vec()));
    }

    fn draw(&mut self, segment: &Arc<Segment>, dynamic: Option<Dynamic<'_>>) {
        let exit = dynamic.map_or_else(|| segment.shape().exit, |values| values.exit);
        self.0.push(Event::Draw(Arc::clone(segment), dynamic.map(|values| values.vertices.to_vec()), exit));
    }
}

fn events(words: &Words, registers: [u32; 32]) -> Vec<Event> {
    let mut events = Events::default();
    let mut registers = registers;
    let (environment, mut lists) = (environment(1), Lists::default());
    words.program(Callback::Redraw).run(
        TierChoice::Interpreter,
        &mut Run { registers: &mut registers, environment: &environment, lists: &mut lists, gl: &mut events },
    );
    events.0
}

fn segments(words: &Words) -> Vec<Arc<Segment>> {
    events(words, [0; 32])
        .into_iter()
        .filter_map(|e| match e {
            Event::Draw(segment, ..) => Some(segment),
            Event::Command(..) => None,
        })
        .collect()
}

fn vertices(w: &mut Words, count: usize) {
    for i in 0..count {
        w.op(Op::Vertex2, &[F(i as f32), F(0.5)]);
    }
}

fn primitive(w: &mut Words, mode: A, count: usize) {
    w.op(Op::Begin, &[mode]);
    vertices(w, count);
    w.op(Op::End, &[]);
}

fn material(w: &mut Words, value: A) {
    w.op(Op::Material, &[FRONT, DIFFUSE, value, F(0.0), F(0.0), F(1.0)]);
}

#[test]
fn primitives_of_one_assembly_are_one_segment() {
    let mut w = Words::default();
    primitive(&mut w, TRIANGLES, 3);
    w.op(Op::ShadeModel, &[FLAT]);
    primitive(&mut w, QUADS, 4);
    w.op(Op::Add, &[R(1), R(2), F(1.0)]).op(Op::RequestFrame, &[]);
    primitive(&mut w, POLYGON, 3);
    primitive(&mut w, LINES, 2);
    w.op(Op::DepthMask, &[U(0)]);
    primitive(&mut w, LINES, 2);
    let all = segments(&w);
    let shape: Vec<_> =
        all.iter().map(|s| (s.assembly, s.shape().vertices.len(), s.shape().indices.len())).collect();
    assert_eq!(
        shape,
        [(Assembly::Triangles, 10, 12), (Assembly::Lines, 2, 2), (Assembly::Lines, 2, 2)],
        "source vertices are kept once; another assembly and hard state begin another segment"
    );
    assert_eq!(all[0].shape().indices, [0, 1, 2, 3, 4, 6, 4, 5, 6, 8, 9, 7]);
    assert!(all.iter().all(|s| !s.dynamic));
}

#[test]
fn soft_state_becomes_records() {
    let mut w = Words::default();
    primitive(&mut w, POINTS, 1);
    material(&mut w, F(0.25));
    w.op(Op::ShadeModel, &[SMOOTH]);
    w.op(Op::Begin, &[POINTS]);
    vertices(&mut w, 1);
    material(&mut w, F(0.5));
    vertices(&mut w, 2);
    w.op(Op::End, &[]);
    w.op(Op::ShadeModel, &[FLAT]);
    let all = segments(&w);
    let [s] = all.as_slice() else { panic!("one segment: {all:?}") };
    assert_eq!(s.shape().vertices.iter().map(|v| v.record).collect::<Vec<_>>(), [0, 1, 2, 2]);
    let ops = |r: &[jit::Command]| r.iter().map(|c| (c.op.op(), c.args.to_vec())).collect::<Vec<_>>();
    let diffuse = |x: f32| (Op::Material, vec![0x404, 0x1201, x.to_bits(), 0, 0, 1.0f32.to_bits()]);
    assert!(s.records[0].is_empty());
    assert_eq!(ops(&s.records[1]), [diffuse(0.25), (Op::ShadeModel, vec![0x1d01])]);
    assert_eq!(ops(&s.records[2]), [diffuse(0.5)]);
    assert_eq!(s.records.len(), 3);
    assert_eq!(ops(&s.trailing), [(Op::ShadeModel, vec![0x1d00])]);
}

#[test]
fn attributes_are_inherited_until_they_are_set() {
    let mut w = Words::default();
    w.op(Op::Color4, &[F(1.0), F(0.5), F(0.25), F(1.0)]);
    w.op(Op::Begin, &[POINTS]);
    vertices(&mut w, 2);
    w.op(Op::Normal3, &[F(0.0), F(1.0), F(0.0)]);
    vertices(&mut w, 1);
    w.op(Op::End, &[]);
    w.op(Op::TexCoord2, &[F(3.0), F(4.0)]);
    let all = segments(&w);
    let [s] = all.as_slice() else { panic!("one segment: {all:?}") };
    assert_eq!(s.shape().inherited, Inherited { color: 0, tex_coord: 3, tex_coord1: 3, normal: 2 });
    assert_eq!(
        s.shape().vertices[0].color,
        [1.0, 0.5, 0.25, 1.0],
        "a color before Begin belongs to the segment"
    );
    assert_eq!(s.shape().vertices[2].normal, [0.0, 1.0, 0.0]);
    let exit = Attributes {
        color: Some([1.0, 0.5, 0.25, 1.0]),
        tex_coord: Some([3.0, 4.0, 0.0, 1.0]),
        tex_coord1: None,
        normal: Some([0.0, 1.0, 0.0]),
    };
    assert_eq!(s.shape().exit, exit);
}

#[test]
fn attributes_without_a_primitive_are_commands() {
    let mut w = Words::default();
    w.op(Op::Color4, &[F(1.0), R(3), F(0.25), F(1.0)]);
    w.op(Op::Normal3, &[F(0.0), F(1.0), F(0.0)]);
    w.op(Op::Viewport, &[U(1), R(4), U(30), R(5)]);
    let mut registers = [0; 32];
    registers[3] = 7.5f32.to_bits();
    registers[4] = (-2.9f32).to_bits();
    registers[5] = 1e30f32.to_bits();
    let all: Vec<_> = events(&w, registers)
        .into_iter()
        .map(|e| match e {
            Event::Command(op, args) => (op, args),
            Event::Draw(..) => panic!("nothing is drawn"),
        })
        .collect();
    let one = 1.0f32.to_bits();
    assert_eq!(
        all,
        [
            (Op::Color4, vec![one, 7.5f32.to_bits(), 0.25f32.to_bits(), one]),
            (Op::Normal3, vec![0, one, 0]),
            (Op::Viewport, vec![1, (-2i32).cast_unsigned(), 30, i32::MAX.cast_unsigned()]),
        ]
    );
}

#[test]
fn registers_are_patched_in_program_order() {
    let mut w = Words::default();
    w.op(Op::Begin, &[POINTS]);
    w.op(Op::Color4, &[R(1), F(0.5), F(0.5), R(2)]);
    w.op(Op::Vertex3, &[R(1), F(2.0), F(3.0)]);
    w.op(Op::Add, &[R(1), R(1), F(10.0)]);
    w.op(Op::Vertex3, &[R(1), F(2.0), F(3.0)]); // The color keeps the old value.
    w.op(Op::Normal3, &[R(1), F(0.0), F(0.0)]);
    w.op(Op::Mov, &[R(1), F(99.0)]);
    w.op(Op::Vertex2, &[F(0.0), R(1)]);
    w.op(Op::End, &[]);
    let mut registers = [0; 32];
    registers[1] = 1.0f32.to_bits();
    registers[2] = 0.75f32.to_bits();
    let all = events(&w, registers);
    let [Event::Draw(segment, Some(v), exit)] = all.as_slice() else { panic!("one draw: {all:?}") };
    assert!(segment.dynamic);
    assert_eq!(
        v.iter().map(|v| v.position).collect::<Vec<_>>(),
        [[1.0, 2.0, 3.0, 1.0], [11.0, 2.0, 3.0, 1.0], [0.0, 99.0, 0.0, 1.0]]
    );
    assert!(v.iter().all(|v| v.color == [1.0, 0.5, 0.5, 0.75]));
    assert_eq!(v[2].normal, [11.0, 0.0, 0.0]);
    assert_eq!(exit.color, Some([1.0, 0.5, 0.5, 0.75]));
    assert_eq!(exit.normal, Some([11.0, 0.0, 0.0]));
    assert_eq!(exit.tex_coord, None);
}

#[test]
fn a_segment_knows_its_primitives() {
    let mut w = Words::default();
    for (mode, count) in [(QUADS, 4), (QUADS, 9), (POLYGON, 5), (POLYGON, 2), (POLYGON, 3), (TRIANGLES, 3)] {
        w.op(Op::Begin, &[mode]);
        vertices(&mut w, count);
        w.op(Op::End, &[]);
    }
    let all = segments(&w);
    let [s] = all.as_slice() else { panic!("one segment: {all:?}") };
    let runs: Vec<(u32, u32)> = s.shape().primitives.iter().map(|run| (run.mode, run.end)).collect();
    assert_eq!(runs, [(7, 18), (9, 27), (9, 30), (4, 33)]);
    let edges: Vec<u8> = jit::interior_edges(&s.shape()).collect();
    assert_eq!(edges, [2, 4, 2, 4, 2, 4, 2, 6, 4, 0, 0]);
}

#[test]
fn drawing_from_arrays_is_a_command_that_counts() {
    let mut w = Words::default();
    w.op(Op::Color4, &[F(1.0), F(0.0), F(0.0), F(1.0)]);
    w.op(Op::LoadIdentity, &[]);
    w.op(Op::Normal3, &[R(3), F(0.0), F(0.0)]);
    w.op(Op::DrawArrays, &[QUADS, U(2), U(9)]);
    w.op(Op::Begin, &[TRIANGLES]);
    vertices(&mut w, 3);
    w.op(Op::End, &[]);
    w.op(Op::DrawElements, &[POLYGON, U(5), U(0x1403), U(7), U(4)]);
    let all = events(&w, [0; 32]);
    let [
        Event::Command(Op::Color4, _),
        Event::Command(Op::LoadIdentity, _),
        Event::Command(Op::Normal3, _),
        Event::Command(Op::DrawArrays, arrays),
        Event::Draw(..),
        Event::Command(Op::DrawElements, elements),
    ] = all.as_slice()
    else {
        panic!("in this order: {all:?}")
    };
    assert_eq!((arrays.as_slice(), elements.as_slice()), (&[7, 2, 9][..], &[9, 5, 0x1403, 7, 4][..]));
    let program = w.program(Callback::Redraw);
    for tier in [TierChoice::Interpreter, TierChoice::Native] {
        let seen = run(&program, tier, [0; 32], &environment(1), &mut Lists::default());
        assert_eq!(seen.outcome.vertices, 12 + 3 + 9);
        assert_eq!(seen.outcome.vertices, u64::from(program.facts().body.worst.assembled));
    }
}

#[test]
fn segments_from_arrays() {
    let vertex = |x: f32| Vertex { position: [x, 0.0, 0.0, 1.0], record: 7, ..Vertex::default() };
    let vertices: Vec<Vertex> = [0.0, 1.0, 2.0, 3.0].map(vertex).to_vec();
    let given = Given { color: true, ..Given::default() };
    let s = Segment::from_vertices(7, vertices, [3, 3, 0, 1, 9, 2, 0, 3, 1], given);
    let at: Vec<u32> = s.shape().indices.clone();
    assert_eq!(at, [3, 3, 1, 3, 0, 1, 4, 2, 3, 2, 0, 3], "quads of 3 3 0 1 and of 9 2 0 3");
    assert_eq!(s.shape().vertices[4].position, [0.0, 0.0, 0.0, 1.0], "what is not there is at the origin");
    assert!(s.shape().vertices.iter().all(|v| v.record == 0) && s.records == [vec![]] && !s.dynamic);
    assert_eq!(s.shape().inherited, Inherited { color: 0, tex_coord: 5, tex_coord1: 5, normal: 5 });
    assert_eq!(s.shape().exit, Attributes::default());

    // As the state tracker draws it.
    let mut trace = TraceGl::default();
    trace.draw(&Arc::new(s), None);
    let colors: Vec<_> = trace.primitives.iter().map(|p| p.vertices[0].attributes.color).collect();
    assert_eq!(colors, [[0; 4]; 4]);
    assert_eq!(trace.primitives[0].vertices[0].attributes.normal, [0, 0, 1.0f32.to_bits()], "inherited");
}

#[test]
fn texture_coordinates_of_both_units() {
    let (first, second) = (U(0x84c0), U(0x84c1));
    let mut w = Words::default();
    w.op(Op::Begin, &[POINTS]);
    vertices(&mut w, 1);
    w.op(Op::MultiTexCoord4, &[second, F(1.0), R(3), F(3.0), R(1)]);
    vertices(&mut w, 1);
    w.op(Op::Mov, &[R(3), F(99.0)]);
    w.op(Op::MultiTexCoord4, &[first, F(5.0), F(6.0), R(3), F(8.0)]);
    vertices(&mut w, 1);
    w.op(Op::End, &[]);
    let mut registers = [0; 32];
    registers[1] = 4.0f32.to_bits();
    registers[3] = 2.0f32.to_bits();
    let all = events(&w, registers);
    let [Event::Draw(segment, Some(v), exit)] = all.as_slice() else { panic!("one draw: {all:?}") };
    assert_eq!(segment.shape().inherited, Inherited { color: 3, tex_coord: 2, tex_coord1: 1, normal: 3 });
    assert_eq!([v[1].tex_coord1, v[2].tex_coord1], [[1.0, 2.0, 3.0, 4.0]; 2], "as it was when it was set");
    assert_eq!(v[2].tex_coord, [5.0, 6.0, 99.0, 8.0]);
    assert_eq!(exit.tex_coord1, Some([1.0, 2.0, 3.0, 4.0]));
    assert_eq!(exit.tex_coord, Some([5.0, 6.0, 99.0, 8.0]));
    assert_eq!(exit.color, None);

    // Outside of primitives it is a command as it stands.
    let mut w = Words::default();
    w.op(Op::MultiTexCoord4, &[second, F(1.0), R(3), F(0.0), F(0.0)]);
    w.op(Op::LoadIdentity, &[]);
    let all = events(&w, registers);
    let [Event::Command(Op::MultiTexCoord4, args), Event::Command(Op::LoadIdentity, _)] = all.as_slice()
    else {
        panic!("two commands: {all:?}")
    };
    assert_eq!(args.as_slice(), [0x84c1, 1.0f32.to_bits(), 2.0f32.to_bits(), 0, 0]);
}

#[test]
fn materials_from_registers() {
    let mut w = Words::default();
    w.op(Op::Begin, &[POINTS]);
    vertices(&mut w, 1);
    material(&mut w, R(9));
    vertices(&mut w, 1);
    w.op(Op::End, &[]);
    material(&mut w, R(9));
    primitive(&mut w, POINTS, 1);
    let mut registers = [0; 32];
    registers[9] = 0.625f32.to_bits();
    let all = events(&w, registers);
    let [Event::Draw(first, Some(_), _), Event::Command(Op::Material, args), Event::Draw(second, None, _)] =
        all.as_slice()
    else {
        panic!("segment, material, segment: {all:?}")
    };
    assert_eq!(first.records[1][0].args[2], 0.625f32.to_bits());
    assert_eq!(args[2], 0.625f32.to_bits());
    assert_eq!(second.records.len(), 1);
}

#[test]
fn constant_commands_are_one_run_but_not_across_a_target() {
    let mut w = Words::default();
    w.op(Op::LoadIdentity, &[]);
    w.op(Op::JmpIf, &[U(0), R(0), F(0.0), U(0)]);
    let hole = w.0.len() - 1;
    w.op(Op::LoadIdentity, &[]).op(Op::Translate, &[F(1.0), F(2.0), F(3.0)]);
    w.0[hole] = w.here();
    w.op(Op::Scale, &[F(1.0), F(2.0), F(3.0)]).op(Op::LoadIdentity, &[]);
    let program = w.program(Callback::Redraw);
    assert_eq!(program.lowered().steps(), 4);
    let mut registers = [0; 32];
    for (value, commands) in [(1.0f32, 5), (-1.0, 3)] {
        registers[0] = value.to_bits();
        for choice in [TierChoice::Interpreter, TierChoice::Native] {
            let seen = run(&program, choice, registers, &environment(1), &mut Lists::default());
            assert_eq!(seen.trace.commands.len(), commands);
        }
    }
}

/// Lists 1..=count, each calling the next one twice; the last draws a polygon.
fn doubling(count: u32, corners: usize) -> Words {
    let mut w = Words::default();
    for name in 1..=count {
        w.op(Op::NewList, &[U(name)]);
        if name < count {
            w.op(Op::CallList, &[U(name + 1)]).op(Op::CallList, &[U(name + 1)]);
        } else {
            primitive(&mut w, POLYGON, corners);
        }
        w.op(Op::EndList, &[]);
    }
    w
}

fn call_first(lists: &mut Lists, choice: TierChoice) -> (jit::Outcome, [u32; 32], NullGl) {
    let mut w = Words::default();
    w.op(Op::Mov, &[R(1), F(5.0)]).op(Op::CallList, &[U(1)]).op(Op::Mov, &[R(1), F(6.0)]);
    let (mut registers, mut gl) = ([0; 32], NullGl::default());
    let environment = environment(1);
    let outcome = w
        .program(Callback::Redraw)
        .run(choice, &mut Run { registers: &mut registers, environment: &environment, lists, gl: &mut gl });
    (outcome, registers, gl)
}

/// A run may have less than the limits.
#[test]
fn calls_of_lists_are_stopped_by_what_the_run_may_use() {
    let mut lists = Lists::default();
    let init = doubling(3, 4).program(Callback::Init);
    run(&init, TierChoice::Best, [0; 32], &environment(1), &mut lists);
    let mut w = Words::default();
    let program = w.op(Op::CallList, &[U(1)]).op(Op::CallList, &[U(1)]).program(Callback::Redraw);
    for choice in [TierChoice::Interpreter, TierChoice::Native] {
        let mut environment = environment(1);
        let mut call = |environment: &_| run(&program, choice, [0; 32], environment, &mut lists).outcome;
        let free = call(&environment);
        assert!(free.stop.is_none() && free.vertices > 0);
        (environment.fuel, environment.vertices) = (free.fuel_used, free.vertices);
        assert_eq!(call(&environment), free);
        let callback = Callback::Redraw;
        environment.fuel -= 1;
        assert_eq!(call(&environment).stop, Some(Stop::Fuel { callback, limit: free.fuel_used - 1 }));
        (environment.fuel, environment.vertices) = (free.fuel_used, free.vertices - 1);
        assert_eq!(call(&environment).stop, Some(Stop::Vertices { callback, limit: free.vertices - 1 }));
    }
}

#[test]
fn calls_of_lists_are_stopped_by_fuel_and_vertices() {
    let (fuel, many) = (Stop::Fuel { callback: Callback::Redraw, limit: MAX_FUEL }, MAX_VERTICES);
    let vertices = Stop::Vertices { callback: Callback::Redraw, limit: many };
    // 2^39 calls; and 2^12 of 2000 corners each, which are 5994 vertices after assembly.
    for (definition, stop) in [(doubling(40, 0), fuel), (doubling(13, 2000), vertices)] {
        let mut lists = Lists::default();
        run(&definition.program(Callback::Init), TierChoice::Best, [0; 32], &environment(1), &mut lists);
        let results = [TierChoice::Interpreter, TierChoice::Native].map(|choice| {
            let (outcome, registers, gl) = call_first(&mut lists, choice);
            assert_eq!(outcome.stop, Some(stop));
            assert_eq!(registers[1], 5.0f32.to_bits(), "what was done stays done; the rest is not");
            assert_eq!(gl.vertices, outcome.vertices);
            assert!(outcome.vertices <= many);
            (outcome.fuel_used, gl)
        });
        assert_eq!(results[0], results[1]);
    }
}

#[test]
fn a_list_that_calls_itself_ends_at_the_nesting_limit() {
    let mut w = Words::default();
    w.op(Op::NewList, &[U(1)]).op(Op::LoadIdentity, &[]).op(Op::CallList, &[U(1)]).op(Op::EndList, &[]);
    let mut lists = Lists::default();
    run(&w.program(Callback::Init), TierChoice::Best, [0; 32], &environment(1), &mut lists);
    for choice in [TierChoice::Interpreter, TierChoice::Native] {
        let (outcome, _, gl) = call_first(&mut lists, choice);
        assert_eq!(outcome.stop, None);
        assert_eq!(gl.commands, u64::from(MAX_LIST_NESTING));
    }
}

#[test]
fn lists_read_registers_when_called_and_clones_are_independent() {
    let mut w = Words::default();
    w.op(Op::NewList, &[U(3)]).op(Op::Translate, &[R(1), R(2), F(0.0)]).op(Op::EndList, &[]);
    let mut lists = Lists::default();
    run(&w.program(Callback::Init), TierChoice::Best, [0; 32], &environment(1), &mut lists);
    let empty = Lists::default();
    let mut copy = lists.clone();
    assert_eq!((lists.len(), copy.len(), empty.len(), empty.is_empty()), (1, 1, 0, true));
    let mut again = Words::default();
    again.op(Op::NewList, &[U(3)]).op(Op::EndList, &[]).op(Op::NewList, &[U(4)]).op(Op::EndList, &[]);
    run(&again.program(Callback::Update), TierChoice::Best, [0; 32], &environment(1), &mut copy);
    assert_eq!((lists.len(), copy.len()), (1, 2));

    let mut w = Words::default();
    w.op(Op::Mov, &[R(1), F(8.0)]).op(Op::CallList, &[U(3)]).op(Op::CallList, &[U(77)]);
    let program = w.program(Callback::Redraw);
    let mut registers = [0; 32];
    registers[2] = 4.0f32.to_bits();
    for choice in [TierChoice::Interpreter, TierChoice::Native] {
        let seen = run(&program, choice, registers, &environment(1), &mut lists);
        assert_eq!(seen.trace.commands.len(), 1);
        assert_eq!(*seen.trace.commands[0].args, [8.0f32.to_bits(), 4.0f32.to_bits(), 0]);
        assert!(run(&program, choice, registers, &environment(1), &mut copy).trace.commands.is_empty());
    }
}

fn arithmetic(steps: usize) -> Words {
    let mut w = Words::default();
    for i in 0..steps {
        w.op(Op::Add, &[R(i as u32 % 32), R(7), F(1.0)]);
    }
    w
}

#[test]
fn what_is_too_long_stays_with_the_interpreter() {
    let program = arithmetic(MAX_COMPILE_COST + 1).program(Callback::Input);
    assert!(matches!(program.compile(), Err(CompileError::TooLong { cost }) if cost > MAX_COMPILE_COST));
    let seen = run(&program, TierChoice::Native, [0; 32], &environment(1), &mut Lists::default());
    assert_eq!((seen.outcome.tier, program.tier()), (Tier::Interpreter, Tier::Interpreter));
    assert!(!program.should_compile(), "it is not tried again");
}

#[test]
fn the_queue_compiles_behind_the_runs() {
    let queue = CompileQueue::new(2);
    let kept: Vec<_> = (0..6).map(|i| Arc::new(arithmetic(100 + i).program(Callback::Input))).collect();
    let long = Arc::new(arithmetic(MAX_COMPILE_COST + 1).program(Callback::Input));
    for program in &kept {
        assert!(program.should_compile());
        queue.submit(1, program);
        queue.submit(1, program);
    }
    queue.submit(1, &long);
    queue.wait_idle();
    let stats = queue.stats();
    assert_eq!((stats.compiled, stats.failed, stats.skipped, queue.pending()), (6, 0, 0, 0));
    assert!(stats.longest_ns <= stats.total_ns);
    for program in &kept {
        assert_eq!(program.tier(), Tier::Native);
        let seen = run(program, TierChoice::Best, [0; 32], &environment(1), &mut Lists::default());
        assert_eq!(seen.outcome.tier, Tier::Native);
    }
    drop(queue);
}

#[test]
fn programs_that_are_gone_are_not_compiled() {
    let queue = CompileQueue::new(1);
    // While the only worker has the first, the others wait, and are dropped here.
    let first = Arc::new(arithmetic(8000).program(Callback::Input));
    queue.submit(1, &first);
    for _ in 0..4 {
        queue.submit(1, &Arc::new(arithmetic(8000).program(Callback::Input)));
    }
    queue.wait_idle();
    let stats = queue.stats();
    assert_eq!((stats.compiled + stats.skipped, stats.failed), (5, 0), "{stats:?}");
    assert!(stats.skipped >= 1, "{stats:?}");
    assert_eq!(first.tier(), Tier::Native);
}

#[test]
fn constant_drawing_is_not_worth_a_compilation() {
    let mut w = Words::default();
    for _ in 0..100 {
        primitive(&mut w, QUADS, 4);
        w.op(Op::LoadIdentity, &[]);
    }
    assert!(!w.program(Callback::Redraw).should_compile());
}

/// A receiver that fails.
struct Broken;

impl Gl for Broken {
    fn command(&mut self, _op: CommandOp, _args: &[u32]) {
        panic!("out of order");
    }

    fn draw(&mut self, _segment: &Arc<Segment>, _dynamic: Option<Dynamic<'_>>) {}
}

#[test]
fn a_panic_of_the_receiver_comes_out_of_both_tiers() {
    let mut w = Words::default();
    w.op(Op::Add, &[R(1), R(1), F(1.0)]).op(Op::LoadIdentity, &[]).op(Op::Add, &[R(1), R(1), F(1.0)]);
    w.op(Op::LoadIdentity, &[]);
    let program = w.program(Callback::Redraw);
    let environment = environment(1);
    for choice in [TierChoice::Interpreter, TierChoice::Native] {
        let result = std::panic::catch_unwind(|| {
            let (mut registers, mut lists) = ([0; 32], Lists::default());
            program.run(
                choice,
                &mut Run {
                    registers: &mut registers,
                    environment: &environment,
                    lists: &mut lists,
                    gl: &mut Broken,
                },
            )
        });
        let panic = result.expect_err("it comes out");
        assert_eq!(panic.downcast_ref(), Some(&"out of order"));
    }
}

#[test]
fn traces_see_the_same_in_segments_and_in_pieces() {
    // The same drawing, once as one segment, once cut by hard state that changes nothing.
    let draw = |cut: bool| {
        let mut w = Words::default();
        w.op(Op::Begin, &[TRIANGLES]);
        w.op(Op::Color4, &[F(1.0), F(0.0), F(0.0), F(1.0)]);
        vertices(&mut w, 3);
        w.op(Op::End, &[]);
        if cut {
            w.op(Op::JmpIf, &[U(2), F(0.0), F(0.0), U(0)]);
            let hole = w.0.len() - 1;
            w.0[hole] = w.here();
        }
        primitive(&mut w, TRIANGLES, 3);
        let program = w.program(Callback::Redraw);
        run(&program, TierChoice::Interpreter, [0; 32], &environment(1), &mut Lists::default())
    };
    let (whole, cut) = (draw(false), draw(true));
    assert_eq!(whole.trace, cut.trace);
    assert_ne!(whole.trace, TraceGl::default());
    assert_eq!(whole.trace.primitives.len(), 2);
}
