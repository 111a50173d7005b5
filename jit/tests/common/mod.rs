//! Programs and runs for tests.
#![allow(clippy::cast_sign_loss, clippy::wildcard_enum_match_arm, reason = "test")]
#![allow(dead_code, reason = "each test uses a part")]
#![allow(
    clippy::missing_panics_doc,
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    reason = "test"
)]
use blinkgl::External;
use blinkgl::ops::{Callback, Op};
use blinkgl::wire::{self, HEADER_WORDS, WireProgram};
use jit::trace::TraceGl;
use jit::{Environment, Lists, Outcome, Program, Run, TierChoice};
use verifier::VerifiedProgram;

/// An operand.
#[derive(Clone, Copy, Debug)]
pub enum A {
    /// A float.
    F(f32),
    /// Bits.
    U(u32),
    /// A register.
    R(u32),
}
pub use A::{F, R, U};

/// Words of a program as they gather.
#[derive(Debug)]
pub struct Words(pub Vec<u32>);

impl Default for Words {
    fn default() -> Words {
        Words(vec![wire::MAGIC, wire::version_word(), 0, 0])
    }
}

impl Words {
    pub fn op(&mut self, op: Op, args: &[A]) -> &mut Words {
        let mut mask = 0;
        let head = self.0.len();
        self.0.push(0);
        for (i, arg) in args.iter().enumerate() {
            self.0.push(match *arg {
                F(value) => value.to_bits(),
                U(value) => value,
                R(number) => {
                    mask |= 1 << i;
                    number
                }
            });
        }
        self.0[head] = wire::head_word(op, mask);
        self
    }

    pub fn here(&self) -> u32 {
        self.0.len() as u32
    }

    pub fn len(&self) -> usize {
        self.0.len() - HEADER_WORDS
    }

    pub fn verify(&self, callback: Callback) -> VerifiedProgram {
        let mut words = self.0.clone();
        words[2] = words.len() as u32;
        verifier::verify(WireProgram::from_words(words), callback).expect("the program keeps the rules")
    }

    pub fn program(&self, callback: Callback) -> Program {
        Program::new(self.verify(callback))
    }
}

pub fn environment(seed: u64) -> Environment {
    let mut environment = Environment::at(seed.wrapping_mul(1_234_567_891));
    for (i, &external) in External::ALL.iter().enumerate().skip(1) {
        environment.set(external, i as f32 * 1.25 - 3.0);
    }
    environment
}

/// All that can be seen of a run.
#[derive(Clone, Debug, PartialEq)]
pub struct Seen {
    pub trace: TraceGl,
    pub registers: [u32; 32],
    pub outcome: Outcome,
}

pub fn run(
    program: &Program,
    choice: TierChoice,
    registers: [u32; 32],
    environment: &Environment,
    lists: &mut Lists,
) -> Seen {
    let mut seen = Seen {
        trace: TraceGl::default(),
        registers,
        outcome: Outcome {
            effects: jit::Effects::default(),
            stop: None,
            fuel_used: 0,
            vertices: 0,
            tier: jit::Tier::Interpreter,
        },
    };
    seen.outcome = program
        .run(choice, &mut Run { registers: &mut seen.registers, environment, lists, gl: &mut seen.trace });
    seen
}
