//! Cases one after the other, on as many threads as wanted, until the time is up or something is found.

use crate::case::Case;
use crate::oracles;
use crate::stats::Stats;
use crate::{Mismatch, minimise};
use std::cell::RefCell;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, Once, PoisonError};
use std::time::{Duration, Instant};
use verifier::Rule;

/// What to run.
#[derive(Clone, Copy, Debug)]
pub struct Plan {
    /// Seed of all cases: the case of a seed and a number is always the same.
    pub seed: u64,
    /// Threads.
    pub threads: usize,
    /// When to end.
    pub time: Duration,
    /// How many cases at most.
    pub cases: u64,
    /// One of so many cases is compiled.
    pub native_every: u32,
    /// Prints how far it is, so often.
    pub report: Option<Duration>,
}

/// What came of it.
#[derive(Clone, Debug)]
pub struct Found {
    /// The case.
    pub case: Case,
    /// Its number.
    pub number: u64,
    /// What is wrong.
    pub mismatch: Mismatch,
}

thread_local! {
    /// What a caught panic said; `None`: panics are printed as ever.
    static PANIC: RefCell<Option<String>> = const { RefCell::new(None) };
}

/// Takes what panics of this program's threads say, while they are in [`examine`].
fn listen() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let usual = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |info| {
            let taken =
                PANIC.with_borrow_mut(|said| said.as_mut().map(|said| *said = info.to_string()).is_some());
            if !taken {
                usual(info);
            }
        }));
    });
}

/// Checks a case; a panic is a mismatch like any other.
///
/// # Errors
/// What should not be.
pub fn examine(case: &Case, keep: bool, stats: &mut Stats) -> Result<(), Mismatch> {
    listen();
    PANIC.set(Some(String::new()));
    let result = catch_unwind(AssertUnwindSafe(|| oracles::check(case, keep, stats)));
    let said = PANIC.take().unwrap_or_default();
    result.unwrap_or_else(|_| Err(Mismatch::new("panic", said)))
}

/// Runs until the time is up, the cases are done, or something is found.
#[must_use]
pub fn run(plan: Plan) -> (Stats, Option<Found>) {
    let (next, done) = (AtomicU64::new(0), AtomicBool::new(false));
    let total = Mutex::new(Stats::default());
    let found: Mutex<Option<Found>> = Mutex::new(None);
    let start = Instant::now();
    std::thread::scope(|scope| {
        let workers: Vec<_> = (0..plan.threads.max(1))
            .map(|_| scope.spawn(|| work(plan, start, &next, &done, &total, &found)))
            .collect();
        let mut reported = start;
        while let Some(every) = plan.report
            && !workers.iter().all(|worker| worker.is_finished())
        {
            std::thread::sleep(Duration::from_millis(50));
            if reported.elapsed() >= every {
                reported = Instant::now();
                let stats = total.lock().unwrap_or_else(PoisonError::into_inner).clone();
                println!("{:5} s: {}", start.elapsed().as_secs(), summary(&stats));
            }
        }
    });
    let stats = total.into_inner().unwrap_or_else(PoisonError::into_inner);
    (stats, found.into_inner().unwrap_or_else(PoisonError::into_inner))
}

/// Cases that a worker takes at once.
const BATCH: u64 = 64;

fn work(
    plan: Plan,
    start: Instant,
    next: &AtomicU64,
    done: &AtomicBool,
    total: &Mutex<Stats>,
    found: &Mutex<Option<Found>>,
) {
    while !done.load(Ordering::Relaxed) && start.elapsed() < plan.time {
        let first = next.fetch_add(BATCH, Ordering::Relaxed);
        let mut stats = Stats::default();
        for number in first..(first + BATCH).min(plan.cases) {
            let case = Case::new(plan.seed, number, plan.native_every);
            if let Err(mismatch) = examine(&case, false, &mut stats) {
                done.store(true, Ordering::Relaxed);
                let mut found = found.lock().unwrap_or_else(PoisonError::into_inner);
                // Of what several threads find, the first by number.
                if found.as_ref().is_none_or(|other| other.number > number) {
                    *found = Some(Found { case, number, mismatch });
                }
                break;
            }
        }
        total.lock().unwrap_or_else(PoisonError::into_inner).add(&stats);
        if first + BATCH >= plan.cases {
            return;
        }
    }
}

impl Found {
    /// The same, as small as it gets, and with all that can be said of it.
    #[must_use]
    pub fn minimised(self) -> Found {
        let case = minimise::minimise(&self.case, self.mismatch.oracle);
        let mismatch = examine(&case, true, &mut Stats::default()).err().unwrap_or(self.mismatch);
        Found { case, mismatch, ..self }
    }

    /// Writes it to a folder: each of its programs to be read, and the case to be replayed, whose file it gives.
    ///
    /// # Errors
    /// The folder cannot be made, or a file in it not be written.
    pub fn write(&self, folder: &Path, seed: u64) -> io::Result<PathBuf> {
        std::fs::create_dir_all(folder)?;
        let name = format!("{seed}-{}", self.number);
        let comment: String = self.mismatch.to_string().lines().map(|line| format!("; {line}\n")).collect();
        for (number, part) in (1..).zip(&self.case.parts) {
            let heading = format!("; program {number} of {}\n", self.case.parts.len());
            let text = blinkgl::dis::disassemble(&part.words, Some(part.callback));
            std::fs::write(folder.join(format!("{name}-{number}.bgl")), heading + &comment + "\n" + &text)?;
        }
        let file = folder.join(format!("{name}.case"));
        std::fs::write(&file, self.case.to_text())?;
        Ok(file)
    }
}

/// How far a run is, in a line.
#[must_use]
pub fn summary(stats: &Stats) -> String {
    format!(
        "{} executions, {} accepted ({:.1} %), {} compiled, {} cached, {} suspended, {} stops, {} of {} rules met",
        stats.executions,
        stats.accepted,
        share(stats),
        stats.compiled,
        stats.cached,
        stats.suspended,
        stats.stops,
        stats.rules_met(),
        Rule::ALL.len()
    )
}

fn share(stats: &Stats) -> f64 {
    100.0 * stats.accepted as f64 / stats.executions.max(1) as f64
}

/// Was a run one that shows something? Of a short one nothing is asked.
///
/// # Errors
/// What is missing.
pub fn is_evidence(stats: &Stats) -> Result<(), String> {
    if stats.executions < 20_000 {
        return Ok(());
    }
    let share = share(stats);
    if !(20.0..=80.0).contains(&share) {
        return Err(format!("{share:.1} % of the programs were accepted, not 20 to 80 %"));
    }
    let unmet: Vec<String> =
        Rule::ALL.iter().filter(|rule| stats.rules.of(**rule) == 0).map(|rule| rule.to_string()).collect();
    if !unmet.is_empty() {
        return Err(format!("no program was refused by {}", unmet.join(", ")));
    }
    if stats.compiled == 0 || stats.cached == 0 || stats.stops == 0 || stats.primitives == 0 {
        return Err(format!("something was not tested: {}", summary(stats)));
    }
    Ok(())
}
