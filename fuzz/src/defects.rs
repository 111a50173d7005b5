//! Shows that the programme finds anything: each planted defect, one after the other, must be caught.

use crate::campaign::{self, Found, Plan};
use blinkgl::planted::{Defect, activate};
use std::path::Path;
use std::time::{Duration, Instant};

/// The defects with this in their names.
///
/// # Errors
/// There is none: then what there are.
pub fn named(part: &str) -> Result<Vec<Defect>, String> {
    let name = |defect: &Defect| format!("{defect:?}");
    let named: Vec<Defect> =
        Defect::ALL.iter().copied().filter(|defect| name(defect).contains(part)).collect();
    if named.is_empty() {
        let all: Vec<String> = Defect::ALL.iter().map(name).collect();
        return Err(format!("no defect has `{part}` in its name; there are {}", all.join(", ")));
    }
    Ok(named)
}

/// The defect with this name.
///
/// # Errors
/// There is none: then what there are.
pub fn one(name: &str) -> Result<Defect, String> {
    let is_it = |defect: &Defect| format!("{defect:?}") == name;
    named(name)?.into_iter().find(is_it).ok_or_else(|| format!("`{name}` is only a part of a defect's name"))
}

/// Runs the programme with a defect; `None` if it is not caught within `cases` cases.
#[must_use]
pub fn catch(defect: Defect, cases: u64, seed: u64, threads: usize) -> Option<Found> {
    activate(Some(defect));
    // Native code more often than usual: it is what some of the defects are in.
    let plan = Plan { seed, threads, time: Duration::from_secs(3600), cases, native_every: 20, report: None };
    let (_, found) = campaign::run(plan);
    activate(None);
    found
}

/// Checks that each defect with `only` in its name is caught, and prints by what; the case goes to a folder of the
/// defect's name in `folder`.
///
/// # Errors
/// Some are not, or something is wrong even without any.
pub fn catch_all(
    cases: u64,
    seed: u64,
    threads: usize,
    only: &str,
    folder: Option<&Path>,
) -> Result<(), String> {
    let wanted = named(only)?;
    let start = Instant::now();
    println!("seed {seed}");
    let plan =
        Plan { seed, threads, time: Duration::from_secs(3600), cases: 2000, native_every: 20, report: None };
    activate(None);
    if let (_, Some(found)) = campaign::run(plan) {
        return Err(format!("without any defect, case {}: {}", found.number, found.mismatch));
    }
    let mut missed = Vec::new();
    let mut caught_in_all = 0;
    for defect in wanted {
        let name = format!("{defect:?}");
        match catch(defect, cases, seed, threads) {
            Some(found) => {
                caught_in_all += 1;
                let (oracle, number) = (found.mismatch.oracle, found.number);
                println!("{name:24} {oracle:12} case {number:6}  {}", defect.what());
                if let Some(folder) = folder {
                    activate(Some(defect));
                    let found = found.minimised();
                    activate(None);
                    let file = found.write(&folder.join(&name), seed).map_err(|error| error.to_string())?;
                    println!("{:24} {}", "", file.display());
                }
            }
            None => {
                println!("{name:24} NOT CAUGHT in {cases} cases  {}", defect.what());
                missed.push(name);
            }
        }
    }
    let seconds = start.elapsed().as_secs_f64();
    println!("{caught_in_all} defects caught, {} not, in {seconds:.1} s", missed.len());
    if missed.is_empty() { Ok(()) } else { Err(format!("not caught: {}", missed.join(", "))) }
}
