//! A stored procedure as the server holds it: lowered, and in time compiled.

use crate::compile_cost::compile_cost;
use crate::interp;
use crate::limits::MAX_COMPILE_COST;
use crate::lower::{self, LoweredProgram};
use crate::native::{CompileError, Effort, Native, NativeSize, guarded};
use crate::run::{At, Machine, Outcome, Run, State};
use blinkgl::ops::Callback;
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
    state: State,
    at: At,
}

impl Suspended {
    /// The program.
    #[must_use]
    pub fn program(&self) -> &Arc<Program> {
        &self.program
    }

    /// Goes on, in the interpreter, to the end or to where the next slice is over.
    #[must_use]
    pub fn resume(self: Box<Self>, run: &mut Run<'_>) -> Progress {
        let Suspended { program, state, at } = *self;
        let lowered = &program.lowered;
        let mut machine = Machine::new(state, run);
        if machine.resume_lists(at).is_continue() {
            interp::run(lowered, &mut machine, at);
        }
        let state = machine.leave();
        program.progress(state, Tier::Interpreter)
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
    /// A worker compiles it, or has.
    claimed: AtomicBool,
    /// Is it worth and capable of being compiled? Answered when it is asked first.
    is_worth: OnceLock<bool>,
}

/// Instructions of register work and jumps from which on native code is worth a compilation.
const MIN_COMPILE_WORK: usize = 4;

impl Program {
    /// Lowers a program; it can run at once.
    #[must_use]
    pub fn new(verified: VerifiedProgram) -> Program {
        let lowered = lower::lower(&verified);
        Program::from_lowered(verified, lowered)
    }

    /// The same with yield points at another distance: for tests, which put them close.
    #[must_use]
    pub fn with_yields(verified: VerifiedProgram, distance: u32) -> Program {
        let lowered = lower::lower_with_yields(&verified, distance);
        Program::from_lowered(verified, lowered)
    }

    #[allow(clippy::needless_pass_by_value, reason = "the lowered form takes the program's place")]
    fn from_lowered(verified: VerifiedProgram, lowered: LoweredProgram) -> Program {
        Program {
            lowered,
            facts: verified.facts().clone(),
            words: Arc::clone(verified.shared_words()),
            native: OnceLock::new(),
            claimed: AtomicBool::new(false),
            is_worth: OnceLock::new(),
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
        primitives + self.lowered.bytes() + native.map_or(0, |native| native.size().code_bytes)
    }

    /// What its native code takes, if it has any.
    #[must_use]
    pub fn native_size(&self) -> Option<NativeSize> {
        self.native.get().and_then(Option::as_ref).map(Native::size)
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
    /// both tiers. So it depends on how much register work there is; and what is too long is not compiled at all.
    #[must_use]
    pub fn should_compile(&self) -> bool {
        if self.claimed.load(Ordering::Relaxed) || self.native.get().is_some() {
            return false;
        }
        let compiles = || self.has_work() && compile_cost(&self.lowered) <= MAX_COMPILE_COST;
        *self.is_worth.get_or_init(compiles)
    }

    /// Is there enough register work?
    pub(crate) fn has_work(&self) -> bool {
        self.lowered.work() >= MIN_COMPILE_WORK
    }

    /// Compiles it, if that was not done; the next run with [`TierChoice::Best`] uses the native code.
    ///
    /// # Errors
    /// The compiler refused it now; `Ok` too if it did so earlier.
    pub fn compile(&self) -> Result<(), CompileError> {
        self.compile_with(Effort::default())
    }

    /// The same with an effort of the caller's choice. For benchmarks.
    ///
    /// # Errors
    /// The compiler refused it, or knows no such setting.
    pub fn compile_with(&self, effort: Effort) -> Result<(), CompileError> {
        let mut result = Ok(());
        self.native.get_or_init(|| {
            guarded(|| Native::compile_with(&self.lowered, effort)).map_err(|error| result = Err(error)).ok()
        });
        result
    }

    /// True once: for the first worker that asks.
    pub(crate) fn claim(&self) -> bool {
        self.native.get().is_none() && !self.claimed.swap(true, Ordering::Relaxed)
    }

    /// What the worker has to say; only the first word counts.
    pub(crate) fn settle(&self, native: Option<Native>) {
        // Else it is dropped here.
        let _settled = self.native.set(native);
    }

    /// Runs it in slices: where [`Gl::is_slice_over`](crate::Gl::is_slice_over) says so at a yield point, it is suspended.
    pub fn start(self: &Arc<Self>, choice: TierChoice, run: &mut Run<'_>) -> Progress {
        let (state, tier) = self.execute(choice, State::new(&self.lowered, true), run);
        Arc::clone(self).progress(state, tier)
    }

    /// Runs it to its end or its stop.
    pub fn run(&self, choice: TierChoice, run: &mut Run<'_>) -> Outcome {
        let (state, tier) = self.execute(choice, State::new(&self.lowered, false), run);
        state.finish(tier)
    }

    fn execute(&self, choice: TierChoice, state: State, run: &mut Run<'_>) -> (State, Tier) {
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
        let mut machine = Machine::new(state, run);
        let tier = match native {
            Some(native) => {
                native.run(&self.lowered, &mut machine);
                Tier::Native
            }
            None => {
                interp::run(&self.lowered, &mut machine, At::default());
                Tier::Interpreter
            }
        };
        (machine.leave(), tier)
    }

    fn progress(self: Arc<Self>, state: State, tier: Tier) -> Progress {
        match state.suspended() {
            Some(at) => Progress::Suspended(Box::new(Suspended { program: self, state, at })),
            None => Progress::Done(state.finish(tier)),
        }
    }
}
