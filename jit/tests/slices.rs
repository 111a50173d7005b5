//! Runs in slices: both tiers can be suspended at the same places, and what comes of a run does not depend on where it was.
#![allow(clippy::cast_possible_truncation, clippy::cast_precision_loss, reason = "test")]
mod common;

use blinkgl::Op;
use blinkgl::ops::Callback;
use common::{F, R, Seen, U, Words, environment, run};
use jit::trace::{NullGl, TraceGl};
use jit::{
    CommandOp, Dynamic, Environment, Gl, Lists, Outcome, Program, Progress, Run, Segment, Tier, TierChoice,
};
use std::sync::Arc;

/// Passes on, counts yield points, and ends the slice at some of them.
struct Sliced<'a> {
    gl: TraceGl,
    asked: usize,
    /// After how many more is the slice over?
    next: &'a mut dyn FnMut() -> usize,
    left: usize,
    /// What was done when each yield point was reached.
    seen: Vec<(usize, usize)>,
}

impl Gl for Sliced<'_> {
    fn command(&mut self, op: CommandOp, args: &[u32]) {
        self.gl.command(op, args);
    }

    fn draw(&mut self, segment: &Arc<Segment>, dynamic: Option<Dynamic<'_>>) {
        self.gl.draw(segment, dynamic);
    }

    fn is_slice_over(&mut self) -> bool {
        self.asked += 1;
        self.seen.push((self.gl.commands.len(), self.gl.primitives.len()));
        if self.left == 0 {
            self.left = (self.next)();
            return true;
        }
        self.left -= 1;
        false
    }
}

/// Runs to the end, in as many slices as it takes. With how often it was suspended, and the yield points.
fn in_slices(
    program: &Arc<Program>,
    choice: TierChoice,
    registers: [u32; 32],
    environment: &Environment,
    lists: &mut Lists,
    next: &mut dyn FnMut() -> usize,
) -> (Seen, usize, Vec<(usize, usize)>) {
    let left = next();
    let mut gl = Sliced { gl: TraceGl::default(), asked: 0, next, left, seen: Vec::new() };
    let mut registers = registers;
    let mut suspended = 0;
    let mut progress =
        program.start(choice, &mut Run { registers: &mut registers, environment, lists, gl: &mut gl });
    let outcome = loop {
        match progress {
            Progress::Done(outcome) => break outcome,
            Progress::Suspended(rest) => {
                suspended += 1;
                progress =
                    rest.resume(&mut Run { registers: &mut registers, environment, lists, gl: &mut gl });
            }
        }
    };
    (Seen { trace: gl.gl, registers, outcome }, suspended, gl.seen)
}

fn same(a: &Seen, b: &Seen, what: &str) {
    let any = |outcome: &Outcome| Outcome { tier: Tier::Interpreter, ..outcome.clone() };
    assert_eq!(any(&a.outcome), any(&b.outcome), "{what}");
    assert_eq!(a.registers, b.registers, "{what}");
    assert_eq!(a.trace, b.trace, "{what}");
}

/// The longest stretch without a yield point, in commands: each distance is kept on whichever path.
#[test]
fn no_path_gets_around_the_yield_points() {
    let mut words = Words::default();
    // Each block jumps over what follows it, but for its own two commands.
    for _ in 0..200 {
        words.op(Op::PointSize, &[F(2.0)]).op(Op::PointSize, &[F(3.0)]);
        let target = words.here() + 2 + 20 * 2;
        words.op(Op::Jmp, &[U(target)]);
        for _ in 0..20 {
            words.op(Op::PointSize, &[F(4.0)]);
        }
    }
    let distance = 300;
    let program = Arc::new(Program::with_yields(words.verify(Callback::Redraw), distance));
    for tier in [TierChoice::Interpreter, TierChoice::Native] {
        let mut never = || usize::MAX;
        let (seen, _, points) =
            in_slices(&program, tier, [0; 32], &environment(1), &mut Lists::default(), &mut never);
        assert_eq!(seen.trace.commands.len(), 400);
        let mut last = 0;
        for &(commands, _) in points.iter().chain(&[(400, 0)]) {
            assert!(commands - last <= 40, "{points:?}");
            last = commands;
        }
        assert!(points.len() >= 10);
    }
}

#[test]
fn long_register_work_yields_in_its_middle() {
    let mut words = Words::default();
    for i in 0..60_000u32 {
        words.op(Op::Add, &[R(i % 32), R((i + 1) % 32), F(1.0)]);
    }
    let program = Arc::new(Program::new(words.verify(Callback::Input)));
    let start: [u32; 32] = std::array::from_fn(|i| (i as f32).to_bits());
    let whole = run(&program, TierChoice::Interpreter, start, &environment(1), &mut Lists::default());
    let mut always = || 0;
    let (seen, suspended, _) = in_slices(
        &program,
        TierChoice::Interpreter,
        start,
        &environment(1),
        &mut Lists::default(),
        &mut always,
    );
    same(&seen, &whole, "register work");
    assert!((10..20).contains(&suspended), "{suspended}");
}

#[test]
fn an_ordinary_run_is_never_asked() {
    struct Panics(NullGl);
    impl Gl for Panics {
        fn command(&mut self, op: CommandOp, args: &[u32]) {
            self.0.command(op, args);
        }
        fn draw(&mut self, segment: &Arc<Segment>, dynamic: Option<Dynamic<'_>>) {
            self.0.draw(segment, dynamic);
        }
        fn is_slice_over(&mut self) -> bool {
            panic!("asked");
        }
    }
    let mut words = Words::default();
    for _ in 0..100 {
        words.op(Op::CallList, &[U(1)]);
    }
    let program = words.program(Callback::Redraw);
    let mut gl = Panics(NullGl::default());
    let (mut registers, mut lists) = ([0; 32], Lists::default());
    let environment = environment(1);
    let mut run =
        Run { registers: &mut registers, environment: &environment, lists: &mut lists, gl: &mut gl };
    for choice in [TierChoice::Interpreter, TierChoice::Native] {
        assert_eq!(program.run(choice, &mut run).stop, None);
    }
}
