//! How long a run goes on after its slice of a frame is over, by the programs with the longest ways between two yield points
//! that are known.
//!
//! GL here is what a redraw makes of segments and commands before OpenGL: vertices from words, and the window's state.
//! A machine with other work stops this process where it likes, so there are two clocks: that of the wall, and that of
//! the processor's time for this thread. The latter is read at each yield point, and counts from the last one before the end
//! of the slice, so it is an upper bound.

mod programs;

use crate::report::{StopFigures, StopRow, round};
use benches::tsc::now;
use blink_server::gl::WindowState;
use blinkgl::limits::REGISTERS;
use blinkgl::ops::Callback;
use blinkgl::wire::WireProgram;
use jit::limits::MAX_COMPILE_COST;
use jit::{CommandOp, Dynamic, Environment, Gl, Lists, Outcome, Program, Progress, Run, Segment, TierChoice};
use programs::Long;
use rustix::time::{ClockId, clock_gettime};
use std::sync::Arc;
use std::time::Instant;

/// Why there are no figures.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("the program {0} cannot be recorded: {1}")]
    Record(&'static str, blinkgl::RecordError),
    #[error("the program {0} is refused: {1}")]
    Verify(&'static str, verifier::VerifyError),
    #[error("the program {0} is not compiled: {1}")]
    Compile(&'static str, jit::CompileError),
    #[error("the program {0} ends early: {1:?}")]
    Stopped(&'static str, Outcome),
    #[error("no program is ever suspended by {0}")]
    NeverSuspended(&'static str),
}

/// The longest slice in seconds: what is before a stop is only waited for.
const LONGEST: f64 = 0.0004;

/// A stop in seconds, by both clocks.
#[derive(Clone, Copy)]
struct Stop {
    wall: f64,
    cpu: f64,
}

/// What receives the drawing, and has a clock.
struct Clocked {
    state: WindowState,
    vertices: usize,
    /// Time stamp at which the slice is over.
    deadline: u64,
    /// The thread's time when it was not over.
    before: f64,
}

impl Gl for Clocked {
    fn command(&mut self, op: CommandOp, args: &[u32]) {
        self.state.command(op, args);
    }

    fn draw(&mut self, segment: &Arc<Segment>, dynamic: Option<Dynamic<'_>>) {
        // Made each time, as at the first.
        let shape = segment.shape();
        self.vertices += shape.indices.len();
        for command in segment.records.iter().flatten().chain(&segment.trailing) {
            self.state.command(command.op, &command.args);
        }
        self.state.set_attributes(&dynamic.map_or(shape.exit, |values| values.exit));
    }

    fn is_slice_over(&mut self) -> bool {
        let is_over = now() >= self.deadline;
        if !is_over {
            self.before = thread_time();
        }
        is_over
    }
}

/// Seconds of the processor for this thread.
fn thread_time() -> f64 {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    #[allow(clippy::cast_precision_loss, reason = "seconds of a process")]
    let seconds = time.tv_sec as f64 + time.tv_nsec as f64 / 1e9;
    seconds
}

/// Uniform in 0..1, the same in each run of this program.
struct Random(u64);

impl Random {
    fn next(&mut self) -> f64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        #[allow(clippy::cast_precision_loss, reason = "53 bits")]
        let value = (self.0 >> 11) as f64 / (1u64 << 53) as f64;
        value
    }
}

/// Time stamps in a second.
fn frequency() -> f64 {
    let (start, from) = (Instant::now(), now());
    while start.elapsed().as_millis() < 20 {
        std::hint::spin_loop();
    }
    #[allow(clippy::cast_precision_loss, reason = "a fraction of a second")]
    let ticks = now().saturating_sub(from) as f64;
    ticks / start.elapsed().as_secs_f64()
}

/// Measures so many stops of each tier. `progress` hears what is measured.
pub fn measure(stops: usize, progress: impl Fn(&str)) -> Result<StopFigures, Error> {
    let frequency = frequency();
    let mut rows = Vec::new();
    // Longer ones are not compiled: an instruction costs 2 at most, and yield points some more.
    for (choice, name, most) in [
        (TierChoice::Interpreter, "interpreter", usize::MAX),
        (TierChoice::Native, "native", MAX_COMPILE_COST / 3),
    ] {
        let programs = programs::all(most)?;
        let share = stops.div_ceil(programs.len());
        let mut suspensions = 0;
        let mut all: Vec<(Stop, &'static str)> = Vec::with_capacity(stops);
        for Long { name: program, init, words } in &programs {
            progress(&format!("stops of {program}, {name}"));
            let accept = |words: &[u32], callback| {
                verifier::verify(WireProgram::from_words(words), callback)
                    .map(|verified| Arc::new(Program::new(verified)))
                    .map_err(|error| Error::Verify(program, error))
            };
            let mut meter = Meter {
                name: program,
                init: accept(init, Callback::Init)?,
                program: accept(words, Callback::Redraw)?,
                choice,
                environment: Environment::at(3_600_000_000_000),
                frequency,
                random: Random(0x9e37_79b9_7f4a_7c15),
                suspensions: 0,
            };
            if choice == TierChoice::Native {
                meter.program.compile().map_err(|error| Error::Compile(program, error))?;
            }
            let stops = meter.stops(share)?;
            let worst = row(&stops.iter().map(|&stop| (stop, *program)).collect::<Vec<_>>());
            progress(&format!("  worst {:.3} ms, {:.3} ms of CPU time", worst.worst_ms, worst.worst_cpu_ms));
            all.extend(stops.into_iter().map(|stop| (stop, *program)));
            suspensions += meter.suspensions;
        }
        if suspensions == 0 {
            return Err(Error::NeverSuspended(name));
        }
        rows.push(row(&all));
    }
    let [interpreter, native] = <[StopRow; 2]>::try_from(rows).unwrap_or_default();
    Ok(StopFigures {
        stop_worst_ms: interpreter.worst_ms.max(native.worst_ms),
        stop_worst_cpu_ms: interpreter.worst_cpu_ms.max(native.worst_cpu_ms),
        interpreter,
        native,
    })
}

struct Meter {
    name: &'static str,
    /// Defines the lists.
    init: Arc<Program>,
    program: Arc<Program>,
    choice: TierChoice,
    environment: Environment,
    frequency: f64,
    random: Random,
    /// Stops that left something to be done.
    suspensions: u64,
}

impl Meter {
    /// Stops at times that are spread over the program: by the interpreter over all of it, in slices; native code
    /// is always started from the beginning, since the interpreter is what goes on with a run.
    fn stops(&mut self, count: usize) -> Result<Vec<Stop>, Error> {
        let whole = self.whole_run()?;
        let slice = match self.choice {
            TierChoice::Interpreter => (whole / 8.0).min(LONGEST),
            TierChoice::Best | TierChoice::Native => whole.min(LONGEST),
        };
        let mut stops = Vec::with_capacity(count);
        while stops.len() < count {
            let (mut registers, mut lists) = (programs::registers(), Lists::default());
            let mut gl = Clocked { state: WindowState::new(300, 300), vertices: 0, deadline: 0, before: 0.0 };
            let mut suspended = None;
            loop {
                let ticks = self.random.next() * slice * self.frequency;
                #[allow(
                    clippy::cast_possible_truncation,
                    clippy::cast_sign_loss,
                    reason = "part of a second"
                )]
                let ticks = ticks as u64;
                gl.before = thread_time();
                gl.deadline = now().saturating_add(ticks);
                let run = &mut Run {
                    registers: &mut registers,
                    environment: &self.environment,
                    lists: &mut lists,
                    gl: &mut gl,
                };
                let progress = match suspended.take() {
                    None => self.program.start(self.choice, run),
                    Some(suspended) => jit::Suspended::resume(suspended, run),
                };
                let (end, cpu) = (now(), thread_time());
                if end >= gl.deadline {
                    #[allow(clippy::cast_precision_loss, reason = "part of a second")]
                    let wall = end.saturating_sub(gl.deadline) as f64 / self.frequency;
                    stops.push(Stop { wall, cpu: cpu - gl.before });
                }
                match progress {
                    Progress::Done(outcome) if outcome.stop.is_some() => {
                        return Err(Error::Stopped(self.name, outcome));
                    }
                    Progress::Done(_) => break,
                    Progress::Suspended(state) => {
                        self.suspensions += 1;
                        if self.choice == TierChoice::Native || stops.len() >= count {
                            break;
                        }
                        suspended = Some(state);
                    }
                }
            }
        }
        Ok(stops)
    }

    /// What a run starts with: registers, the lists that `init` made, and a GL that is not stopped.
    fn window(&self) -> ([u32; REGISTERS], Lists, Clocked) {
        let (mut registers, mut lists) = (programs::registers(), Lists::default());
        let state = WindowState::new(300, 300);
        let mut gl = Clocked { state, vertices: 0, deadline: u64::MAX, before: 0.0 };
        let run = &mut Run {
            registers: &mut registers,
            environment: &self.environment,
            lists: &mut lists,
            gl: &mut gl,
        };
        self.init.run(TierChoice::Interpreter, run);
        (registers, lists, gl)
    }

    /// Seconds of a run that is not stopped.
    fn whole_run(&self) -> Result<f64, Error> {
        let (mut registers, mut lists, mut gl) = self.window();
        let start = Instant::now();
        let outcome = self.program.run(
            self.choice,
            &mut Run {
                registers: &mut registers,
                environment: &self.environment,
                lists: &mut lists,
                gl: &mut gl,
            },
        );
        let whole = start.elapsed().as_secs_f64();
        if outcome.stop.is_some() { Err(Error::Stopped(self.name, outcome)) } else { Ok(whole) }
    }
}

fn row(stops: &[(Stop, &'static str)]) -> StopRow {
    let mut wall: Vec<f64> = stops.iter().map(|(stop, _)| stop.wall).collect();
    wall.sort_by(f64::total_cmp);
    // All but one of ten thousand are not above it.
    let at = |of: usize| wall.get(wall.len() - 1 - wall.len() / of).copied().unwrap_or_default();
    let worst = stops.iter().max_by(|(a, _), (b, _)| a.cpu.total_cmp(&b.cpu));
    let ms = |seconds: f64| round(seconds * 1e3);
    StopRow {
        stops: stops.len(),
        median_ms: ms(at(2)),
        p9999_ms: ms(at(10_000)),
        worst_ms: ms(wall.last().copied().unwrap_or_default()),
        worst_cpu_ms: ms(worst.map_or(0.0, |(stop, _)| stop.cpu)),
        worst_program: worst.map_or("", |(_, name)| name).to_owned(),
    }
}
