//! Runs the differential programme: `fuzz run`, `fuzz replay`, `fuzz defects`.
#![forbid(unsafe_code)]

use clap::{Parser, Subcommand};
use fuzz::campaign::{self, Found, Plan, examine, is_evidence, summary};
use fuzz::case::{Case, NATIVE_EVERY};
use fuzz::stats::Stats;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::{Duration, Instant};

/// Random programs through verifier, reference, interpreter and native code, all held against each other.
#[derive(Debug, Parser)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Checks random cases until the time is up. A mismatch is made small, written down, and ends it with code 1.
    Run {
        /// Seconds to run.
        #[arg(long, default_value_t = 60)]
        seconds: u64,
        /// Cases to check at most.
        #[arg(long, default_value_t = u64::MAX)]
        cases: u64,
        /// Seed: the cases of a seed are always the same.
        #[arg(long, default_value_t = 1)]
        seed: u64,
        /// Threads [default: one for each processor].
        #[arg(long)]
        threads: Option<usize>,
        /// One of so many cases is compiled to native code, too.
        #[arg(long, default_value_t = NATIVE_EVERY)]
        native_every: u32,
        /// Folder for what is found.
        #[arg(long, default_value = "target/fuzz")]
        folder: PathBuf,
    },
    /// Checks the cases in files that `run` wrote.
    Replay {
        /// The files.
        #[arg(required = true)]
        files: Vec<PathBuf>,
    },
    /// Checks that each planted defect is caught. Needs a build with `--features planted`.
    Defects {
        /// Cases to check at most for each.
        #[arg(long, default_value_t = 400_000)]
        cases: u64,
        /// Seed.
        #[arg(long, default_value_t = 1)]
        seed: u64,
        /// Only those with this in their name.
        #[arg(long, default_value = "")]
        only: String,
    },
}

fn main() -> ExitCode {
    let result = match Arguments::parse().command {
        Command::Run { seconds, cases, seed, threads, native_every, folder } => {
            let plan = Plan {
                seed,
                threads: threads.unwrap_or_else(processors),
                time: Duration::from_secs(seconds),
                cases,
                native_every,
                report: Some(Duration::from_secs(10)),
            };
            run(plan, &folder)
        }
        Command::Replay { files } => replay(&files),
        Command::Defects { cases, seed, only } => defects(cases, seed, &only),
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
    let (stats, found) = campaign::run(plan);
    println!("{} in {:.1} s, seed {}", summary(&stats), start.elapsed().as_secs_f64(), plan.seed);
    if let Some(found) = found {
        let (seed, number) = (plan.seed, found.number);
        println!("case {number} of seed {seed}: {}", found.mismatch);
        let found = found.minimised();
        let file = write(&found, seed, folder).map_err(|error| format!("{}: {error}", folder.display()))?;
        println!("{}\nthe same again: cargo run -p fuzz -- replay {}", found.mismatch, file.display());
        return Err("a mismatch".to_owned());
    }
    println!("0 mismatches");
    is_evidence(&stats)
}

/// Writes what was found, once to be read and once to be replayed; the file to be replayed.
fn write(found: &Found, seed: u64, folder: &Path) -> std::io::Result<PathBuf> {
    std::fs::create_dir_all(folder)?;
    let name = format!("{seed}-{}", found.number);
    let mut text = String::new();
    for part in &found.case.parts {
        text += &blinkgl::dis::disassemble(&part.words, Some(part.callback));
        text += "\n";
    }
    let comment: String = found.mismatch.to_string().lines().map(|line| format!("; {line}\n")).collect();
    std::fs::write(folder.join(format!("{name}.bgl")), format!("{comment}\n{text}"))?;
    let file = folder.join(format!("{name}.case"));
    std::fs::write(&file, found.case.to_text())?;
    Ok(file)
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
fn defects(cases: u64, seed: u64, only: &str) -> Result<(), String> {
    fuzz::defects::catch_all(cases, seed, processors(), only)
}

#[cfg(not(feature = "planted"))]
fn defects(_cases: u64, _seed: u64, _only: &str) -> Result<(), String> {
    Err("no defects are planted in this build: cargo run -p fuzz --features planted -- defects".to_owned())
}
