//! A stored procedure as the server holds it: lowered, and in time compiled.

use crate::interp;
use crate::lower::{self, LoweredProgram};
use crate::native::{CompileError, Native};
use crate::run::{Machine, Outcome, Run};
use crate::step::Step;
use blinkgl::ops::Callback;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use verifier::{Facts, VerifiedProgram};

/// What executes a program.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Tier {
    /// The interpreter over the lowered form: there from the start.
    Interpreter,
    /// Native code: there once the compiler is done.
    Native,
}

/// Which tier a run shall use.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum TierChoice {
    /// Native code if it is there.
    Best,
    /// The interpreter.
    Interpreter,
    /// Native code, compiled now if need be; the interpreter if that fails.
    Native,
}

/// How far a run came.
#[derive(Debug)]
pub enum Progress {
    /// To its end or its stop.
    Done(Outcome),
    /// To a yield point, from where it can go on.
    Suspended(Box<Suspended>),
}

/// A run that waits for its next slice. Its registers and lists are those of the [`Run`] that it was started with: who
/// resumes it gives the same ones again, and the same environment.
#[derive(Debug)]
pub struct Suspended {
    program: Arc<Program>,
}

impl Suspended {
    /// The program.
    #[must_use]
    pub fn program(&self) -> &Arc<Program> {
        &self.program
    }

    /// Goes on, to the end or to where the next slice is over.
    #[must_use]
    pub fn resume(self: Box<Self>, run: &mut Run<'_>) -> Progress {
        Progress::Done(self.program.run(TierChoice::Interpreter, run))
    }
}

/// A verified and lowered program, to be shared in an `Arc`.
#[derive(Debug)]
pub struct Program {
    lowered: LoweredProgram,
    facts: Facts,
    words: Arc<[u32]>,
    /// `None` inside: cannot be compiled.
    native: OnceLock<Option<Native>>,
    /// Given to a compile queue.
    claimed: AtomicBool,
}

/// Steps of register work and jumps from which on native code is worth a compilation.
const MIN_COMPILE_STEPS: usize = 4;

impl Program {
    /// Lowers a program; it can run at once.
    #[must_use]
    #[allow(clippy::needless_pass_by_value, reason = "the lowered form takes the program's place")]
    pub fn new(verified: VerifiedProgram) -> Program {
        Program {
            lowered: lower::lower(&verified),
            facts: verified.facts().clone(),
            words: Arc::clone(verified.shared_words()),
            native: OnceLock::new(),
            claimed: AtomicBool::new(false),
        }
    }

    /// The callback that it is for.
    #[must_use]
    pub fn callback(&self) -> Callback {
        self.lowered.callback
    }

    /// Its words.
    #[must_use]
    pub fn words(&self) -> &[u32] {
        &self.words
    }

    /// What the verifier found.
    #[must_use]
    pub fn facts(&self) -> &Facts {
        &self.facts
    }

    /// Its lowered form.
    #[must_use]
    pub fn lowered(&self) -> &LoweredProgram {
        &self.lowered
    }

    /// Bytes that it takes, about: facts, lowered form and machine code.
    #[must_use]
    pub fn bytes(&self) -> usize {
        let native = self.native.get().and_then(Option::as_ref);
        let primitives = size_of_val(&*self.facts.primitives);
        primitives + self.lowered.bytes() + native.map_or(0, Native::code_bytes)
    }

    /// What [`TierChoice::Best`] uses now.
    #[must_use]
    pub fn tier(&self) -> Tier {
        match self.native.get() {
            Some(Some(_)) => Tier::Native,
            Some(None) | None => Tier::Interpreter,
        }
    }

    /// Is native code worth a compilation, once the program has run often? Constant drawing gains nothing: it is data in
    /// both tiers. So it depends on how much register work there is.
    #[must_use]
    pub fn should_compile(&self) -> bool {
        if self.claimed.load(Ordering::Relaxed) || self.native.get().is_some() {
            return false;
        }
        let work = self.lowered.body.steps.iter().filter(|step| match step {
            Step::Unary { .. }
            | Step::Binary { .. }
            | Step::Compare { .. }
            | Step::Select { .. }
            | Step::Read { .. }
            | Step::TimeSince { .. }
            | Step::TimeMod { .. }
            | Step::Jump { .. }
            | Step::JumpIf { .. } => true,
            Step::RequestFrame
            | Step::Damage { .. }
            | Step::Notify { .. }
            | Step::Commands { .. }
            | Step::Command { .. }
            | Step::Draw { .. }
            | Step::DrawArrays { .. }
            | Step::DrawWords { .. }
            | Step::Open { .. }
            | Step::Patch { .. }
            | Step::DrawOpen { .. }
            | Step::DefineList { .. }
            | Step::CallList { .. } => false,
        });
        work.count() >= MIN_COMPILE_STEPS
    }

    /// Compiles it, if that was not done; the next run with [`TierChoice::Best`] uses the native code.
    ///
    /// # Errors
    /// The compiler refused it now; `Ok` too if it did so earlier.
    pub fn compile(&self) -> Result<(), CompileError> {
        let mut result = Ok(());
        self.native.get_or_init(|| {
            // The compiler is somebody else's code, fed with a client's program: a panic there must not end the server.
            match catch_unwind(AssertUnwindSafe(|| Native::compile(&self.lowered))) {
                Ok(Ok(native)) => Some(native),
                Ok(Err(error)) => {
                    result = Err(error);
                    None
                }
                Err(_) => {
                    result = Err(CompileError::Panicked);
                    None
                }
            }
        });
        result
    }

    /// True once: for the first queue that asks.
    pub(crate) fn claim(&self) -> bool {
        self.native.get().is_none() && !self.claimed.swap(true, Ordering::Relaxed)
    }

    /// Runs it in slices: where [`Gl::is_slice_over`](crate::Gl::is_slice_over) says so at a yield point, it is suspended.
    pub fn start(self: &Arc<Self>, choice: TierChoice, run: &mut Run<'_>) -> Progress {
        Progress::Done(self.run(choice, run))
    }

    /// Runs it to its end or its stop.
    pub fn run(&self, choice: TierChoice, run: &mut Run<'_>) -> Outcome {
        let native = match choice {
            TierChoice::Interpreter => None,
            TierChoice::Best => self.native.get().and_then(Option::as_ref),
            TierChoice::Native => {
                if let Err(error) = self.compile() {
                    log::warn!("a {} procedure runs in the interpreter: {error}", self.callback());
                }
                self.native.get().and_then(Option::as_ref)
            }
        };
        let mut machine = Machine::new(&self.lowered, run);
        let tier = match native {
            Some(native) => {
                native.run(&self.lowered, &mut machine);
                Tier::Native
            }
            None => {
                interp::run(&self.lowered, &mut machine);
                Tier::Interpreter
            }
        };
        machine.finish(tier)
    }
}
