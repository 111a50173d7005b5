//! Shows that the programme finds anything: each planted defect, one after the other, must be caught.

use crate::campaign::{self, Plan};
use blinkgl::planted::{Defect, activate};
use std::time::{Duration, Instant};

/// A defect that is caught by the programme: by what, and after how much.
#[derive(Clone, Debug)]
pub struct Caught {
    /// The oracle.
    pub oracle: &'static str,
    /// The case that showed it: its number is about how many were checked.
    pub number: u64,
}

/// Runs the programme with a defect; `None` if it is not caught within `cases` cases.
#[must_use]
pub fn catch(defect: Defect, cases: u64, seed: u64, threads: usize) -> Option<Caught> {
    activate(Some(defect));
    // Native code more often than usual: it is what some of the defects are in.
    let plan = Plan { seed, threads, time: Duration::from_secs(3600), cases, native_every: 20, report: None };
    let (_, found) = campaign::run(plan);
    activate(None);
    found.map(|found| Caught { oracle: found.mismatch.oracle, number: found.number })
}

/// Checks that each defect with `only` in its name is caught, and prints by what.
///
/// # Errors
/// Some are not, or something is wrong even without any.
pub fn catch_all(cases: u64, seed: u64, threads: usize, only: &str) -> Result<(), String> {
    let start = Instant::now();
    let plan =
        Plan { seed, threads, time: Duration::from_secs(3600), cases: 2000, native_every: 20, report: None };
    activate(None);
    if let (_, Some(found)) = campaign::run(plan) {
        return Err(format!("without any defect, case {}: {}", found.number, found.mismatch));
    }
    let mut missed = Vec::new();
    let wanted = |defect: &&Defect| format!("{defect:?}").contains(only);
    let mut caught_in_all = 0;
    for &defect in Defect::ALL.iter().filter(wanted) {
        let name = format!("{defect:?}");
        match catch(defect, cases, seed, threads) {
            Some(caught) => {
                caught_in_all += 1;
                println!("{name:24} {:12} case {:6}  {}", caught.oracle, caught.number, defect.what());
            }
            None => {
                println!("{name:24} NOT CAUGHT in {cases} cases  {}", defect.what());
                missed.push(name);
            }
        }
    }
    let seconds = start.elapsed().as_secs_f64();
    println!("{caught_in_all} defects caught, {} not, in {seconds:.1} s, seed {seed}", missed.len());
    if missed.is_empty() { Ok(()) } else { Err(format!("not caught: {}", missed.join(", "))) }
}
