//! The paper's Table 2: what a program costs from its words to its results, GL aside.

use crate::Error;
use crate::options::Options;
use crate::report::{Both, CacheFigures, MixFigures, cpi};
use benches::mix::Mix;
use benches::tsc::{Samples, now};
use blinkgl::ops::Callback;
use blinkgl::wire::WireProgram;
use jit::trace::NullGl;
use jit::{
    CommandOp, Dynamic, Environment, Gl, Lists, LoweredProgram, Program, ProgramCache, Run, Segment, Tier,
    TierChoice, lower,
};
use std::process::Command;
use std::sync::Arc;
use std::time::Instant;
use verifier::{Budget, VerifiedProgram, VerifyError};

/// Verifies a `redraw` from its words.
pub fn verify(words: &[u32]) -> Result<VerifiedProgram, VerifyError> {
    verifier::verify(WireProgram::from_words(words), Callback::Redraw)
}

fn accept(words: &[u32]) -> Result<(VerifiedProgram, LoweredProgram), VerifyError> {
    let verified = verify(words)?;
    let lowered = lower(&verified);
    Ok((verified, lowered))
}

/// Accepts a program once, in this process that has done nothing else yet. Gives the cycles.
pub fn accept_cold(mix: Mix) -> Result<u64, Error> {
    let words = mix.words();
    let start = now();
    let accepted = accept(&words)?;
    let cycles = now().saturating_sub(start);
    drop(accepted);
    Ok(cycles)
}

/// The registers that executions start with: none is zero, so that nothing is divided by it.
pub fn registers() -> [u32; 32] {
    std::array::from_fn(|i| {
        #[allow(clippy::cast_precision_loss, reason = "below 32")]
        let value = i as f32 + 0.5;
        value.to_bits()
    })
}

/// Measures a program.
pub fn measure(mix: Mix, options: &Options) -> Result<Both<MixFigures>, Error> {
    let words = mix.words();
    let verified = verify(&words)?;
    let instructions = verified.facts().instructions;

    let mut cold = Samples::default();
    for _ in 0..options.cold_runs() {
        let output = Command::new(std::env::current_exe()?).args(["--cold", mix.name()]).output()?;
        let text = String::from_utf8_lossy(&output.stdout);
        cold.add(text.trim().parse().map_err(|_| Error::Answer(text.clone().into_owned()))?);
    }
    let runs = options.runs();
    let accepting = Samples::take(runs, || accept(&words));
    // `accept` copies the words and verifies them; the copies for this one are made outside of the clock.
    let mut copies: Vec<WireProgram> = (0..=runs).map(|_| WireProgram::from_words(&words[..])).collect();
    let verifying =
        Samples::take(runs, || copies.pop().map(|program| verifier::verify(program, Callback::Redraw)));
    let lowering = Samples::take(runs, || lower(&verified));
    let first = first_runs(&verified, runs);

    let mut compiling = Samples::default();
    for _ in 0..options.compile_runs() {
        let program = Program::new(verified.clone());
        let start = now();
        program.compile()?;
        compiling.add(now().saturating_sub(start));
    }
    let program = Program::new(verified);
    let interpreting = execute(&program, TierChoice::Interpreter, Tier::Interpreter, runs)?;
    program.compile()?;
    let native = execute(&program, TierChoice::Native, Tier::Native, runs)?;

    Ok(Both::of(|pick| {
        let cpi = |samples: &Samples| cpi(pick(samples), instructions);
        MixFigures {
            instructions,
            accept_cold_cpi: cpi(&cold),
            accept_warm_cpi: cpi(&accepting),
            verify_warm_cpi: cpi(&verifying),
            lower_warm_cpi: cpi(&lowering),
            compile_native_cpi: cpi(&compiling),
            first_run_cpi: cpi(&first),
            exec_interp_cpi: cpi(&interpreting),
            exec_native_cpi: cpi(&native),
        }
    }))
}

/// A GL that only wants to see the vertices, as one that draws does at the first run.
#[derive(Debug, Default)]
struct Looking {
    vertices: usize,
}

impl Gl for Looking {
    fn command(&mut self, _op: CommandOp, _args: &[u32]) {}

    fn draw(&mut self, segment: &Arc<Segment>, dynamic: Option<Dynamic<'_>>) {
        self.vertices += match dynamic {
            Some(values) => values.vertices.len(),
            None => segment.shape().vertices.len(),
        };
    }
}

/// The first run of a program: makes vertices of what was words until then.
fn first_runs(verified: &VerifiedProgram, runs: usize) -> Samples {
    let environment = Environment::at(1_000_000_000);
    let mut programs: Vec<Program> = (0..=runs).map(|_| Program::new(verified.clone())).collect();
    Samples::take(runs, || {
        let (mut registers, mut lists, mut gl) = ([0; 32], Lists::default(), Looking::default());
        let program = programs.pop();
        if let Some(program) = &program {
            program.run(
                TierChoice::Interpreter,
                &mut Run {
                    registers: &mut registers,
                    environment: &environment,
                    lists: &mut lists,
                    gl: &mut gl,
                },
            );
        }
        (program, gl.vertices)
    })
}

/// Runs a program against a GL that only counts.
/// Executes a compiled or an interpreted program.
pub fn execute(program: &Program, choice: TierChoice, tier: Tier, runs: usize) -> Result<Samples, Error> {
    let environment = Environment::at(1_000_000_000);
    let mut lists = Lists::default();
    let mut is_right = true;
    let samples = Samples::take(runs, || {
        let (mut registers, mut gl) = (registers(), NullGl::default());
        let outcome = program.run(
            choice,
            &mut Run { registers: &mut registers, environment: &environment, lists: &mut lists, gl: &mut gl },
        );
        is_right &= outcome.tier == tier && outcome.stop.is_none();
        (registers, gl)
    });
    if is_right { Ok(samples) } else { Err(Error::Tier(tier)) }
}

/// The OpenGL-mix from a second client.
pub fn second_client(options: &Options) -> Result<Both<CacheFigures>, Error> {
    let words = Mix::OpenGl.words();
    let mut cache = ProgramCache::default();
    let [first, second] = [1, 2];
    cache.accept(WireProgram::from_words(&words[..]), Callback::Redraw, first, Budget::default())?;
    let mut nanoseconds = Samples::default();
    for _ in 0..options.runs() {
        let copy = WireProgram::from_words(&words[..]);
        let start = Instant::now();
        let (program, was_there) = cache.accept(copy, Callback::Redraw, second, Budget::default())?;
        nanoseconds.add(u64::try_from(start.elapsed().as_nanos()).unwrap_or(u64::MAX));
        if !was_there || program.words().len() != words.len() {
            return Err(Error::Cache);
        }
    }
    Ok(Both::of(|pick| CacheFigures { second_vm_us: crate::report::ratio(pick(&nanoseconds), 1000) }))
}
