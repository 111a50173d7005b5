//! What must hold of a case.
//!
//! - `verdict`: a valid program is accepted, one with one broken rule is refused with that rule's number, at its place.
//! - `round trip`: words to instructions to words, words to text to words, are the same words.
//! - `shape`, `place`, `facts`, `exact`, `cost`: what the verifier says of what it accepted, by [`crate::walk`].
//! - `budget`: the worst case is enough, and one less is not.
//! - `interpreter`, `native`, `cached`, `slices`: drawing, registers, effects, stops and costs are those of the
//!   [`mod@crate::reference`], and suspended where the other tier is suspended.
//! - `bound`: what was really executed is within the static worst case.
//! - `layout`: objects survive their words, by [`crate::layout`].
//! - `panic`: nothing panics.

mod words;

use crate::case::{Case, Expect, Part};
use crate::reference::{Reference, ReferenceLists};
use crate::stats::Stats;
use crate::trace::{Current, Observer, Over, Trace};
use crate::{Mismatch, ensure, layout, walk};
use blinkgl::limits::MAX_PROGRAM_WORDS;
use blinkgl::wire::{HEADER_WORDS, WireProgram};
use fastrand::Rng;
use jit::{
    CompileError, Effects, Environment, Lists, Outcome, Program, ProgramCache, Progress, Run, Stop, Tier,
    TierChoice,
};
use std::sync::Arc;
use verifier::{Budget, VerifiedProgram};

/// All that can be seen of a run.
#[derive(Clone, Debug, PartialEq)]
struct Seen {
    trace: Trace,
    current: Current,
    registers: [u32; 32],
    effects: Effects,
    stop: Option<Stop>,
    fuel: u64,
    drawn: u64,
}

impl Seen {
    /// Is everything the same as in another run? `who`: the oracle that asks.
    fn same(&self, expected: &Seen, who: &'static str) -> Result<(), Mismatch> {
        if self == expected {
            return Ok(());
        }
        let (a, b) = (self, expected);
        let ends = |seen: &Seen| (seen.effects.clone(), seen.stop, seen.fuel, seen.drawn);
        let detail = if a.trace != b.trace {
            a.trace.difference(&b.trace)
        } else if let Some(r) = (0..32).find(|&r| a.registers[r] != b.registers[r]) {
            format!("r{r} is {:#x} and {:#x}", a.registers[r], b.registers[r])
        } else if a.current != b.current {
            format!("attributes at the end: {:?} and {:?}", a.current, b.current)
        } else {
            format!("{:?} and {:?}", ends(a), ends(b))
        };
        Err(Mismatch::new(who, detail))
    }
}

/// Checks a case. `keep`: keeps traces, to say where they part.
///
/// # Errors
/// What should not be.
pub fn check(case: &Case, keep: bool, stats: &mut Stats) -> Result<(), Mismatch> {
    let mut rng = Rng::with_seed(!case.seed);
    let distance = rng.choice([1, 16, 40, 300, 2000]);
    let mut check = Check {
        case,
        environment: case.environment(),
        registers: case.registers,
        reference_lists: ReferenceLists::default(),
        lists: Lists::default(),
        rng,
        distance,
        keep,
    };
    if case.checks.layout {
        layout::check(&mut check.rng)?;
    }
    for part in &case.parts {
        // The assembler makes no program that is too long.
        if case.checks.text && part.words.len() <= MAX_PROGRAM_WORDS {
            words::text(part)?;
        }
        words::decoding(part)?;
        stats.executions += 1;
        match verifier::verify(part.wire(), part.callback) {
            Err(error) => {
                stats.rules.0[error.rule.number() as usize] += 1;
                words::refused(part, &error)?;
                if case.checks.text {
                    ensure!(!error.to_string().is_empty(), "verdict", "nothing to say of {error:?}");
                }
            }
            Ok(verified) => {
                stats.accepted += 1;
                if let Expect::Breaks(rule, at) = part.expect {
                    return Err(Mismatch::new(
                        "verdict",
                        match at {
                            Some(at) => format!("V{rule:02} is broken at word {at}, but it is accepted"),
                            None => format!("V{rule:02} is broken, but it is accepted"),
                        },
                    ));
                }
                check.accepted(part, verified, stats)?;
            }
        }
    }
    Ok(())
}

struct Check<'a> {
    case: &'a Case,
    environment: Environment,
    registers: [u32; 32],
    reference_lists: ReferenceLists,
    lists: Lists,
    rng: Rng,
    /// Between yield points; the same for all programs, as lists keep that of the program that defined them.
    distance: Option<u32>,
    keep: bool,
}

impl Check<'_> {
    fn accepted(
        &mut self,
        part: &Part,
        verified: VerifiedProgram,
        stats: &mut Stats,
    ) -> Result<(), Mismatch> {
        words::instructions(&verified)?;
        let paths = verified.jump_targets().len().min(3);
        for _ in 0..=paths {
            walk::walk(&mut self.rng, &verified)?;
        }
        if self.case.checks.budget {
            words::budget(part, &verified)?;
        }
        self.run(part, &Arc::new(verified), stats)
    }

    fn trace(&self) -> Trace {
        if self.keep { Trace::keeping() } else { Trace::default() }
    }

    fn run(
        &mut self,
        part: &Part,
        verified: &Arc<VerifiedProgram>,
        stats: &mut Stats,
    ) -> Result<(), Mismatch> {
        let before = self.registers;
        let trace = self.trace();
        let machine = Reference::run(verified, before, &self.environment, &mut self.reference_lists, trace);
        let (measured, bound) = (machine.measured, machine.bound);
        ensure!(measured.within(&bound), "bound", "{measured:?} exceeds {bound:?}");
        ensure!(measured.fuel <= machine.fuel, "bound", "{measured:?} for {} units of fuel", machine.fuel);
        let expected = Seen {
            trace: machine.trace,
            current: machine.current,
            registers: machine.registers,
            effects: machine.effects,
            stop: machine.stop,
            fuel: machine.fuel,
            drawn: machine.drawn,
        };
        stats.stops += u64::from(expected.stop.is_some());
        stats.primitives += u64::from(expected.trace.primitives);
        let checks = self.case.checks;
        let lists = self.lists.clone();
        let distance = self.distance.filter(|_| checks.slices && !checks.cache);
        let program = if checks.cache {
            stats.cached += 1;
            self.cached(part)?
        } else {
            let verified = VerifiedProgram::clone(verified);
            Arc::new(match distance {
                Some(distance) => Program::with_yields(verified, distance),
                None => Program::new(verified),
            })
        };
        let mut after = lists.clone();
        let interpreted = self.once(&program, TierChoice::Interpreter, &mut after)?;
        interpreted.same(&expected, if checks.cache { "cached" } else { "interpreter" })?;
        if checks.cache {
            // What the first run made and kept, the second one finds.
            self.once(&program, TierChoice::Interpreter, &mut lists.clone())?.same(&expected, "cached")?;
        }
        let is_native = checks.native && compiles(&program)?;
        if is_native {
            stats.compiled += 1;
            self.once(&program, TierChoice::Native, &mut lists.clone())?.same(&expected, "native")?;
        }
        if checks.slices {
            self.slices(&program, distance, is_native, &lists, &expected, stats)?;
        }
        self.registers = expected.registers;
        self.lists = after;
        Ok(())
    }

    /// A program from a cache in which programs like it are, too.
    fn cached(&mut self, part: &Part) -> Result<Arc<Program>, Mismatch> {
        let mut cache = ProgramCache::default();
        let mut accept = |words: &[u32], callback| match cache.accept(
            WireProgram::from_words(words),
            callback,
            1,
            Budget::default(),
        ) {
            Ok((program, was_there)) => {
                let same = program.words() == words && program.callback() == callback;
                ensure!(same, "cached", "another program comes out of the cache for {callback} {words:x?}");
                Ok(Some((program, was_there)))
            }
            Err(_) => Ok(None),
        };
        let mut other = part.words.clone();
        let at = self.rng.usize(HEADER_WORDS..other.len().max(HEADER_WORDS + 1));
        if let Some(word) = other.get_mut(at) {
            *word ^= 1;
        }
        accept(&other, part.callback)?;
        for callback in blinkgl::Callback::ALL {
            if callback != part.callback && verifier::verify(part.wire(), callback).is_ok() {
                accept(&part.words, callback)?;
            }
        }
        accept(&part.words, part.callback)?;
        accept(&other, part.callback)?;
        match accept(&part.words, part.callback)? {
            Some((program, true)) => {
                let needs = program.facts().needs;
                let less = Budget { fuel: needs.fuel.saturating_sub(1), ..needs };
                for (budget, good) in [(needs, true), (less, needs.fuel == 0)] {
                    let accepted = cache.accept(part.wire(), part.callback, 2, budget).is_ok();
                    ensure!(accepted == good, "cached", "{budget:?} of {needs:?}: accepted is {accepted}");
                }
                Ok(program)
            }
            other => Err(Mismatch::new("cached", format!("it was not kept: {}", other.is_some()))),
        }
    }

    fn seen(observer: Observer, registers: [u32; 32], outcome: Outcome) -> Seen {
        Seen {
            trace: observer.trace,
            current: observer.current,
            registers,
            effects: outcome.effects,
            stop: outcome.stop,
            fuel: outcome.fuel_used,
            drawn: outcome.vertices,
        }
    }

    fn observer(&self, over: Over) -> Observer {
        Observer::new(self.trace(), over)
    }

    /// Runs a program in one go.
    fn once(&self, program: &Program, choice: TierChoice, lists: &mut Lists) -> Result<Seen, Mismatch> {
        let (mut observer, mut registers) = (self.observer(Over::Every(1)), self.registers);
        let environment = &self.environment;
        let mut run = Run { registers: &mut registers, environment, lists, gl: &mut observer };
        let outcome = program.run(choice, &mut run);
        let tier = if choice == TierChoice::Native { Tier::Native } else { Tier::Interpreter };
        ensure!(outcome.tier == tier, "native", "{choice:?} ran in the {:?} tier", outcome.tier);
        Ok(Check::seen(observer, registers, outcome))
    }

    /// Runs a program in slices, of which there may be so many: what is seen at the end, at the first suspension, and at the yield points.
    fn sliced(
        &self,
        program: &Arc<Program>,
        choice: TierChoice,
        over: Over,
        lists: &Lists,
        most: usize,
    ) -> Result<Sliced, Mismatch> {
        let (mut observer, mut registers, mut lists) = (self.observer(over), self.registers, lists.clone());
        let mut suspensions = Vec::new();
        let environment = &self.environment;
        let mut run = Run { registers: &mut registers, environment, lists: &mut lists, gl: &mut observer };
        let mut progress = program.start(choice, &mut run);
        let outcome = loop {
            match progress {
                Progress::Done(outcome) => break outcome,
                Progress::Suspended(suspended) => {
                    suspensions.push((observer.yields.len(), registers));
                    ensure!(
                        suspensions.len() <= most,
                        "slices",
                        "{over:?}: suspended more than {most} times"
                    );
                    let mut run =
                        Run { registers: &mut registers, environment, lists: &mut lists, gl: &mut observer };
                    progress = suspended.resume(&mut run);
                }
            }
        };
        let (yields, farthest) = (std::mem::take(&mut observer.yields), observer.farthest);
        Ok(Sliced { seen: Check::seen(observer, registers, outcome), suspensions, yields, farthest })
    }

    /// Runs in slices end as those in one go; both tiers are suspended at the same places, with the same registers.
    fn slices(
        &mut self,
        program: &Arc<Program>,
        distance: Option<u32>,
        is_native: bool,
        lists: &Lists,
        expected: &Seen,
        stats: &mut Stats,
    ) -> Result<(), Mismatch> {
        let whole = self.sliced(program, TierChoice::Interpreter, Over::Never, lists, 0)?;
        whole.seen.same(expected, "slices")?;
        ensure!(whole.suspensions.is_empty(), "slices", "suspended, though no slice was over");
        if let Some(distance) = distance {
            let farthest = whole.farthest * COMMAND;
            ensure!(
                farthest <= distance,
                "slices",
                "{farthest} of work without a yield point, not {distance}"
            );
        }
        let points = whole.yields.len();
        stats.yields += points as u64;
        let mut scripts = vec![Over::Never];
        if points > 0 {
            scripts.push(Over::At(self.rng.usize(..points)));
            scripts.push(Over::Every(self.rng.usize(1..=points.min(64))));
        }
        for over in scripts {
            let sliced = self.sliced(program, TierChoice::Interpreter, over, lists, points)?;
            sliced.seen.same(expected, "slices")?;
            ensure!(sliced.yields == whole.yields, "slices", "{over:?}: other yield points than in one go");
            let wanted: Vec<usize> = (0..points).filter(|&at| over.is_at(at)).map(|at| at + 1).collect();
            let places: Vec<usize> = sliced.suspensions.iter().map(|at| at.0).collect();
            ensure!(places == wanted, "slices", "{over:?}: suspended at {places:?}, not {wanted:?}");
            stats.suspended += places.len() as u64;
            if is_native {
                let native = self.sliced(program, TierChoice::Native, over, lists, points)?;
                native.seen.same(expected, "slices")?;
                ensure!(native.yields == whole.yields, "slices", "{over:?}: native code yields elsewhere");
                let same = native.suspensions == sliced.suspensions;
                let (a, b) = (&native.suspensions, &sliced.suspensions);
                ensure!(same, "slices", "{over:?}: native code is suspended as {a:x?}, not {b:x?}");
            }
        }
        Ok(())
    }
}

/// A run in slices.
struct Sliced {
    seen: Seen,
    /// Yield points passed, and the registers, at each suspension.
    suspensions: Vec<(usize, [u32; 32])>,
    /// The traces at yield points.
    yields: Vec<u64>,
    /// The most fuel of several commands between two yield points.
    farthest: u32,
}

/// How much a unit of fuel of a command counts between yield points.
const COMMAND: u32 = 8;

/// Compiles a program. `false` if it is too large for that.
fn compiles(program: &Program) -> Result<bool, Mismatch> {
    match program.compile() {
        Ok(()) => Ok(program.tier() == Tier::Native),
        Err(CompileError::Panicked) => Err(Mismatch::new("panic", "the compiler panicked")),
        Err(_) => Ok(false),
    }
}
