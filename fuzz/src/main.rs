//! Runs the differential programme: `fuzz run`, `fuzz replay`, `fuzz defects`.
#![forbid(unsafe_code)]

use clap::{Parser, Subcommand};
use fuzz::campaign::{self, Plan, examine, is_evidence, summary};
use fuzz::case::{Case, NATIVE_EVERY};
use fuzz::stats::Stats;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::{Duration, Instant};

/// Random programs through verifier, reference, interpreter and native code, all held against each other.
///
/// Exit status: 0 if all is as it should be. 1 for a mismatch, a run that tested too little to mean anything, a defect that was
/// not caught, or a file that cannot be read or written. 2 for wrong usage.
#[derive(Debug, Parser)]
#[command(name = "fuzz")]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Checks random cases until the time is up. A mismatch is made small and written down, and ends it.
    ///
    /// It is written to SEED-NUMBER.case, which `replay` takes, and for people to SEED-NUMBER-PART.bgl, a file for each
    /// program of the case.
    Run {
        /// Seconds to run.
        #[arg(long, default_value_t = 60)]
        seconds: u64,
        /// Cases to check at most [default: as many as there is time for]
        #[arg(long)]
        cases: Option<u64>,
        /// Seed: the cases of a seed are always the same, if --native-every is too.
        #[arg(long, default_value_t = 1)]
        seed: u64,
        /// Threads [default: one for each processor]
        #[arg(long)]
        threads: Option<usize>,
        /// One of so many cases is compiled to native code, too. The cases are others with another number.
        #[arg(long, default_value_t = NATIVE_EVERY)]
        native_every: u32,
        /// Folder for what is found.
        #[arg(long, default_value = "target/fuzz")]
        folder: PathBuf,
    },
    /// Checks the cases in files that `run` wrote.
    Replay {
        /// The files: SEED-NUMBER.case.
        #[arg(required = true)]
        files: Vec<PathBuf>,
        /// With this planted defect, by its whole name. Needs a build with `--features planted`.
        #[arg(long, value_name = "NAME")]
        defect: Option<String>,
    },
    /// Checks that each planted defect is caught. Needs a build with `--features planted`.
    Defects {
        /// Cases to check at most for each.
        #[arg(long, default_value_t = 400_000)]
        cases: u64,
        /// Seed.
        #[arg(long, default_value_t = 1)]
        seed: u64,
        /// Only those with this in their name [default: all]
        #[arg(long, value_name = "PART", default_value = "", hide_default_value = true)]
        only: String,
        /// Folder for the case that showed each, made small: `replay --defect` shows it again [default: none]
        #[arg(long)]
        folder: Option<PathBuf>,
    },
}

fn main() -> ExitCode {
    let result = match Arguments::parse().command {
        Command::Run { seconds, cases, seed, threads, native_every, folder } => {
            let plan = Plan {
                seed,
                threads: threads.unwrap_or_else(processors),
                time: Duration::from_secs(seconds),
                cases: cases.unwrap_or(u64::MAX),
                native_every,
                report: Some(Duration::from_secs(10)),
            };
            run(plan, &folder)
        }
        Command::Replay { files, defect } => plant(defect.as_deref()).and_then(|()| replay(&files)),
        Command::Defects { cases, seed, only, folder } => defects(cases, seed, &only, folder.as_deref()),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("fuzz: {message}");
            ExitCode::FAILURE
        }
    }
}

fn processors() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

fn run(plan: Plan, folder: &Path) -> Result<(), String> {
    let start = Instant::now();
    // First: so it is known of a run that is interrupted, too.
    println!("seed {}", plan.seed);
    let (stats, found) = campaign::run(plan);
    println!("{} in {:.1} s", summary(&stats), start.elapsed().as_secs_f64());
    if let Some(found) = found {
        let (seed, number) = (plan.seed, found.number);
        println!("case {number} of seed {seed}: {}", found.mismatch);
        let found = found.minimised();
        let file = found.write(folder, seed).map_err(|error| format!("{}: {error}", folder.display()))?;
        println!("{}\nthe same again: cargo run -p fuzz -- replay {}", found.mismatch, file.display());
        return Err("a mismatch".to_owned());
    }
    println!("0 mismatches");
    is_evidence(&stats)
}

fn replay(files: &[PathBuf]) -> Result<(), String> {
    let mut bad = 0;
    for file in files {
        let text = std::fs::read_to_string(file).map_err(|error| format!("{}: {error}", file.display()))?;
        let case = Case::from_text(&text).map_err(|error| format!("{}: {error}", file.display()))?;
        match examine(&case, true, &mut Stats::default()) {
            Ok(()) => println!("{}: no mismatch", file.display()),
            Err(mismatch) => {
                println!("{}: {mismatch}", file.display());
                bad += 1;
            }
        }
    }
    if bad > 0 { Err(format!("{bad} of {} cases", files.len())) } else { Ok(()) }
}

#[cfg(feature = "planted")]
fn plant(defect: Option<&str>) -> Result<(), String> {
    let defect = defect.map(fuzz::defects::one).transpose()?;
    blinkgl::planted::activate(defect);
    Ok(())
}

#[cfg(feature = "planted")]
fn defects(cases: u64, seed: u64, only: &str, folder: Option<&Path>) -> Result<(), String> {
    fuzz::defects::catch_all(cases, seed, processors(), only, folder)
}

#[cfg(not(feature = "planted"))]
const NONE_PLANTED: &str =
    "no defects are planted in this build: cargo run -p fuzz --features planted -- COMMAND";

#[cfg(not(feature = "planted"))]
fn plant(defect: Option<&str>) -> Result<(), String> {
    defect.map_or(Ok(()), |_| Err(NONE_PLANTED.to_owned()))
}

#[cfg(not(feature = "planted"))]
fn defects(_cases: u64, _seed: u64, _only: &str, _folder: Option<&Path>) -> Result<(), String> {
    Err(NONE_PLANTED.to_owned())
}
