//! Cycles per instruction: the paper's Table 2.
//!
//! *Accept* is all between a client's words and a program that can run: copying the words, verifying, lowering. *Cold* is
//! the first time in a fresh process (this program starts itself for it), *warm* a later one. *Execute* is against a GL
//! that only counts, as in the paper, whose calls went to an empty function.

use benches::mix::Mix;
use benches::tsc::{Samples, now};
use blinkgl::ops::{Callback, Op};
use blinkgl::wire::WireProgram;
use clap::Parser;
use jit::trace::NullGl;
use jit::{
    Dynamic, Environment, Gl, Lists, LoweredProgram, Program, ProgramCache, Run, Segment, Tier, TierChoice,
    lower,
};
use serde::Serialize;
use std::process::{Command, ExitCode};
use std::sync::Arc;
use std::time::Instant;
use verifier::{VerifiedProgram, VerifyError};

/// Cycles per BlinkGL instruction of verifying, lowering, compiling and executing (paper, Table 2).
#[derive(Debug, Parser)]
struct Options {
    /// Prints one JSON object.
    #[arg(long)]
    json: bool,
    /// Warm runs of each measurement.
    #[arg(long, default_value_t = 200)]
    runs: usize,
    /// Fresh processes for cold runs.
    #[arg(long, default_value_t = 15)]
    cold_runs: usize,
    /// Compilations by Cranelift.
    #[arg(long, default_value_t = 5)]
    compile_runs: usize,
    /// Accepts this program once and prints the cycles.
    #[arg(long, hide = true)]
    cold: Option<String>,
}

/// Figures of one program. Cycles per instruction, the median of all runs; `_min` the fastest.
#[derive(Debug, Serialize)]
struct Figures {
    instructions: u32,
    accept_cold_cpi: f64,
    accept_cold_cpi_min: f64,
    accept_warm_cpi: f64,
    accept_warm_cpi_min: f64,
    verify_warm_cpi: f64,
    verify_warm_cpi_min: f64,
    lower_warm_cpi: f64,
    lower_warm_cpi_min: f64,
    compile_native_cpi: f64,
    compile_native_cpi_min: f64,
    first_run_cpi: f64,
    first_run_cpi_min: f64,
    exec_interp_cpi: f64,
    exec_interp_cpi_min: f64,
    exec_native_cpi: f64,
    exec_native_cpi_min: f64,
}

#[derive(Debug, Serialize)]
struct Report {
    opengl_mix: Figures,
    opengl_mix_dynamic: Figures,
    arith_mix: Figures,
    cache: CacheFigures,
}

/// What a program costs that some client published before: microseconds, the median and the fastest.
#[derive(Debug, Serialize)]
struct CacheFigures {
    /// The OpenGL mix, from the words of a second client to a program that can run.
    second_vm_us: f64,
    second_vm_us_min: f64,
}

#[derive(Debug, thiserror::Error)]
enum Error {
    #[error("the program is refused: {0}")]
    Verify(#[from] VerifyError),
    #[error("it is not compiled: {0}")]
    Compile(#[from] jit::CompileError),
    #[error("a fresh process for a cold run cannot be started: {0}")]
    Start(#[from] std::io::Error),
    #[error("a fresh process printed no number of cycles but {0:?}")]
    Answer(String),
    #[error("no program is called {0:?}")]
    Name(String),
    #[error("the report cannot be written: {0}")]
    Json(#[from] serde_json::Error),
}

fn main() -> ExitCode {
    match run(&Options::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("cpi: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(options: &Options) -> Result<(), Error> {
    if let Some(name) = &options.cold {
        let mix = Mix::from_name(name).ok_or_else(|| Error::Name(name.clone()))?;
        let words = mix.words();
        let start = now();
        let accepted = accept(&words)?;
        let cycles = now().saturating_sub(start);
        println!("{cycles}");
        drop(accepted);
        return Ok(());
    }
    let report = Report {
        opengl_mix: measure(Mix::OpenGl, options)?,
        opengl_mix_dynamic: measure(Mix::OpenGlDynamic, options)?,
        arith_mix: measure(Mix::Arith, options)?,
        cache: second_client(options)?,
    };
    if options.json {
        println!("{}", serde_json::to_string(&report)?);
    } else {
        print(&report);
    }
    Ok(())
}

fn second_client(options: &Options) -> Result<CacheFigures, Error> {
    let words = Mix::OpenGl.words();
    let mut cache = ProgramCache::default();
    cache.accept(WireProgram::from_words(&words[..]), Callback::Redraw, 1, verifier::Budget::default())?;
    let mut times = Vec::with_capacity(options.runs);
    for _ in 0..options.runs {
        let copy = WireProgram::from_words(&words[..]);
        let start = Instant::now();
        let (program, was_there) = cache.accept(copy, Callback::Redraw, 1, verifier::Budget::default())?;
        times.push(start.elapsed().as_secs_f64() * 1e6);
        assert!(was_there && program.words().len() == words.len());
    }
    times.sort_by(f64::total_cmp);
    let at = |i: usize| times.get(i).copied().unwrap_or_default();
    Ok(CacheFigures { second_vm_us: at(times.len() / 2), second_vm_us_min: at(0) })
}

fn verify(words: &[u32]) -> Result<VerifiedProgram, VerifyError> {
    verifier::verify(WireProgram::from_words(words), Callback::Redraw)
}

fn accept(words: &[u32]) -> Result<(VerifiedProgram, LoweredProgram), VerifyError> {
    let verified = verify(words)?;
    let lowered = lower(&verified);
    Ok((verified, lowered))
}

fn measure(mix: Mix, options: &Options) -> Result<Figures, Error> {
    let words = mix.words();
    let verified = verify(&words)?;
    let instructions = verified.facts().instructions;

    let mut cold = Samples::default();
    for _ in 0..options.cold_runs {
        let output = Command::new(std::env::current_exe()?).args(["--cold", mix.name()]).output()?;
        let text = String::from_utf8_lossy(&output.stdout);
        cold.add(text.trim().parse().map_err(|_| Error::Answer(text.clone().into_owned()))?);
    }
    let accepted = Samples::take(options.runs, || accept(&words));
    // `accept` copies the words and verifies them; the copies for this one are made outside of the clock.
    let mut copies: Vec<WireProgram> =
        (0..=options.runs).map(|_| WireProgram::from_words(&words[..])).collect();
    let verifying = Samples::take(options.runs, || {
        copies.pop().map(|program| verifier::verify(program, Callback::Redraw))
    });
    let lowering = Samples::take(options.runs, || lower(&verified));

    let first = first_runs(&verified, options.runs);

    let mut compiling = Samples::default();
    for _ in 0..options.compile_runs {
        let program = Program::new(verified.clone());
        let start = now();
        program.compile()?;
        compiling.add(now().saturating_sub(start));
    }
    let program = Program::new(verified);
    let interpreting = execute(&program, TierChoice::Interpreter, Tier::Interpreter, options.runs);
    program.compile()?;
    let native = execute(&program, TierChoice::Native, Tier::Native, options.runs);

    let cpi = |cycles: u64| {
        #[allow(clippy::cast_precision_loss, reason = "cycles of a run are far below 2^53")]
        let cpi = cycles as f64 / f64::from(instructions);
        (cpi * 100.0).round() / 100.0
    };
    Ok(Figures {
        instructions,
        accept_cold_cpi: cpi(cold.median()),
        accept_cold_cpi_min: cpi(cold.minimum()),
        accept_warm_cpi: cpi(accepted.median()),
        accept_warm_cpi_min: cpi(accepted.minimum()),
        verify_warm_cpi: cpi(verifying.median()),
        verify_warm_cpi_min: cpi(verifying.minimum()),
        lower_warm_cpi: cpi(lowering.median()),
        lower_warm_cpi_min: cpi(lowering.minimum()),
        compile_native_cpi: cpi(compiling.median()),
        compile_native_cpi_min: cpi(compiling.minimum()),
        first_run_cpi: cpi(first.median()),
        first_run_cpi_min: cpi(first.minimum()),
        exec_interp_cpi: cpi(interpreting.median()),
        exec_interp_cpi_min: cpi(interpreting.minimum()),
        exec_native_cpi: cpi(native.median()),
        exec_native_cpi_min: cpi(native.minimum()),
    })
}

/// A GL that only wants to see the vertices, as one that draws does at the first run.
#[derive(Debug, Default)]
struct Looking {
    vertices: usize,
}

impl Gl for Looking {
    fn command(&mut self, _op: Op, _args: &[u32]) {}

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

fn execute(program: &Program, choice: TierChoice, tier: Tier, runs: usize) -> Samples {
    let environment = Environment::at(1_000_000_000);
    let mut lists = Lists::default();
    Samples::take(runs, || {
        let mut registers: [u32; 32] = std::array::from_fn(|i| {
            #[allow(clippy::cast_precision_loss, reason = "below 32")]
            let value = i as f32 + 0.5;
            value.to_bits()
        });
        let mut gl = NullGl::default();
        let outcome = program.run(
            choice,
            &mut Run { registers: &mut registers, environment: &environment, lists: &mut lists, gl: &mut gl },
        );
        assert_eq!(outcome.tier, tier, "executed by the tier that is measured");
        (registers, gl)
    })
}

fn print(report: &Report) {
    let columns = [&report.opengl_mix, &report.opengl_mix_dynamic, &report.arith_mix];
    println!("cycles per BlinkGL instruction: median (fastest)");
    println!("{:<28}{:>22}{:>22}{:>22}", "", "OpenGL-mix", "OpenGL-mix, dynamic", "Arith-mix");
    let row = |name: &str, cells: [String; 3]| {
        let [a, b, c] = cells;
        println!("{name:<28}{a:>22}{b:>22}{c:>22}");
    };
    row("instructions", columns.map(|f| f.instructions.to_string()));
    let both = |name: &str, pick: fn(&Figures) -> (f64, f64)| {
        row(
            name,
            columns.map(|f| {
                let (median, fastest) = pick(f);
                format!("{median:.1} ({fastest:.1})")
            }),
        );
    };
    both("accept, cold", |f| (f.accept_cold_cpi, f.accept_cold_cpi_min));
    both("accept, warm", |f| (f.accept_warm_cpi, f.accept_warm_cpi_min));
    both("  verify, warm", |f| (f.verify_warm_cpi, f.verify_warm_cpi_min));
    both("  lower, warm", |f| (f.lower_warm_cpi, f.lower_warm_cpi_min));
    both("compile (Cranelift)", |f| (f.compile_native_cpi, f.compile_native_cpi_min));
    both("first run, with vertices", |f| (f.first_run_cpi, f.first_run_cpi_min));
    both("execute, interpreter", |f| (f.exec_interp_cpi, f.exec_interp_cpi_min));
    both("execute, native", |f| (f.exec_native_cpi, f.exec_native_cpi_min));
    let paper = |name: &str, a: &str, c: &str| row(name, [a.into(), "-".into(), c.into()]);
    println!("\nthe paper (its JIT is what accept is here; it has no interpreter):");
    paper("compile, cold", "102", "99");
    paper("compile, warm", "41", "55");
    paper("execute", "41", "50");
    let CacheFigures { second_vm_us, second_vm_us_min } = report.cache;
    println!(
        "\nOpenGL-mix that another client published before: {second_vm_us:.1} ({second_vm_us_min:.1}) us"
    );
}
