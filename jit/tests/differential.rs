//! The same program by three executions: an obvious one that shares no code with the lowering, the interpreter, and
//! native code. All that can be seen must be equal: drawing, registers, effects, stops.
#![allow(
    clippy::missing_panics_doc,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "test"
)]
#![allow(clippy::cast_possible_wrap, clippy::wildcard_enum_match_arm, reason = "test")]
mod common;

use blinkgl::ops::Callback;
use common::generate::Generator;
use common::reference::{Reference, ReferenceLists};
use common::{Seen, Words, environment, run};
use jit::{Environment, Lists, Outcome, Tier, TierChoice};

/// What a batch of programs did, so that a test can say that it tested something.
#[derive(Debug, Default)]
struct Coverage {
    primitives: usize,
    commands: usize,
    stops: usize,
    notifications: usize,
}

/// What is compared with the reference. Compiling is what takes time, above all without optimisation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Tiers {
    Interpreter,
    Both,
}

/// Runs a program by all, on the same state.
#[allow(clippy::too_many_arguments, reason = "test")]
fn compare(
    words: &Words,
    callback: Callback,
    registers: &mut [u32; 32],
    environment: &Environment,
    lists: &mut Lists,
    reference_lists: &mut ReferenceLists,
    tiers: Tiers,
    what: &str,
) -> Seen {
    let verified = words.verify(callback);
    let expected = Reference::run(&verified, *registers, environment, reference_lists);
    let program = jit::Program::new(verified);
    let mut native_lists = lists.clone();
    let interpreted = run(&program, TierChoice::Interpreter, *registers, environment, lists);
    assert_eq!(interpreted.outcome.tier, Tier::Interpreter);
    let expected = Seen {
        trace: expected.trace,
        registers: expected.registers,
        outcome: Outcome {
            effects: expected.effects,
            stop: expected.stop,
            fuel_used: expected.fuel,
            vertices: expected.drawn,
            tier: Tier::Interpreter,
        },
    };
    same(&interpreted, &expected, what, "interpreter and reference");
    if tiers == Tiers::Both {
        let native = run(&program, TierChoice::Native, *registers, environment, &mut native_lists);
        assert_eq!(native.outcome.tier, Tier::Native, "{what}: it was compiled");
        let native =
            Seen { outcome: Outcome { tier: Tier::Interpreter, ..native.outcome.clone() }, ..native };
        same(&native, &interpreted, what, "native code and interpreter");
    }
    *registers = interpreted.registers;
    interpreted
}

/// Compares piece by piece, so that a difference is found in a screenful.
fn same(a: &Seen, b: &Seen, what: &str, who: &str) {
    assert_eq!(a.outcome, b.outcome, "{what}: {who}");
    assert_eq!(a.registers, b.registers, "{what}: {who}");
    for (i, (x, y)) in a.trace.commands.iter().zip(&b.trace.commands).enumerate() {
        assert_eq!(x, y, "{what}: {who}: command {i}");
    }
    for (i, (x, y)) in a.trace.primitives.iter().zip(&b.trace.primitives).enumerate() {
        assert_eq!(x, y, "{what}: {who}: primitive {i}");
    }
    assert_eq!(a.trace, b.trace, "{what}: {who}");
}

fn batch(seeds: std::ops::Range<u64>, length: usize, wild: bool, tiers: Tiers) -> Coverage {
    let mut coverage = Coverage::default();
    for seed in seeds {
        let environment = environment(seed);
        let mut registers = std::array::from_fn(|i| (i as f32 - 7.5).to_bits());
        let (mut lists, mut reference_lists) = (Lists::default(), ReferenceLists::default());
        let init = Generator::lists(seed, length / 3, wild);
        let redraw = Generator::redraw(!seed, length);
        for (words, callback) in [(&init, Callback::Init), (&redraw, Callback::Redraw)] {
            let what = format!("seed {seed}, {callback}");
            let seen = compare(
                words,
                callback,
                &mut registers,
                &environment,
                &mut lists,
                &mut reference_lists,
                tiers,
                &what,
            );
            coverage.primitives += seen.trace.primitives.len();
            coverage.commands += seen.trace.commands.len();
            coverage.stops += usize::from(seen.outcome.stop.is_some());
            coverage.notifications += seen.outcome.effects.notifications.len();
        }
    }
    coverage
}

#[test]
fn thousands_of_programs_by_the_interpreter() {
    let coverage = batch(0..4000, 120, false, Tiers::Interpreter);
    assert!(coverage.primitives > 20_000 && coverage.commands > 20_000, "{coverage:?}");
    assert!(coverage.notifications > 200, "{coverage:?}");
}

#[test]
fn hundreds_of_programs_by_both_tiers() {
    let coverage = batch(5000..5400, 120, false, Tiers::Both);
    assert!(coverage.primitives > 2000 && coverage.commands > 2000, "{coverage:?}");
    assert!(coverage.notifications > 20, "{coverage:?}");
}

#[test]
fn great_programs() {
    let coverage = batch(10_000..10_004, 6000, false, Tiers::Both);
    assert!(coverage.primitives > 1000, "{coverage:?}");
}

#[test]
fn lists_that_call_any_list() {
    let coverage = batch(20_000..20_040, 600, true, Tiers::Both);
    assert!(coverage.stops > 0, "{coverage:?}");
}
