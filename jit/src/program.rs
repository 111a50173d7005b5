//! A stored procedure as the server holds it: lowered, and in time compiled.

use crate::interp;
use crate::lower::{self, LoweredProgram};
use crate::run::{Machine, Outcome, Run};
use blinkgl::ops::Callback;
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

/// A verified and lowered program, to be shared in an `Arc`.
#[derive(Debug)]
pub struct Program {
    lowered: LoweredProgram,
    facts: Facts,
}

impl Program {
    /// Lowers a program; it can run at once.
    #[must_use]
    #[allow(clippy::needless_pass_by_value, reason = "the lowered form takes the program's place")]
    pub fn new(verified: VerifiedProgram) -> Program {
        Program { lowered: lower::lower(&verified), facts: verified.facts().clone() }
    }

    /// The callback that it is for.
    #[must_use]
    pub fn callback(&self) -> Callback {
        self.lowered.callback
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

    /// What [`TierChoice::Best`] would use now.
    #[must_use]
    pub fn tier(&self) -> Tier {
        Tier::Interpreter
    }

    /// Runs it.
    pub fn run(&self, _choice: TierChoice, run: &mut Run<'_>) -> Outcome {
        let mut machine = Machine::new(&self.lowered, run);
        interp::run(&self.lowered, &mut machine);
        machine.finish(Tier::Interpreter)
    }
}
