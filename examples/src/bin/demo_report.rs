//! The table of scripts/demo: what clients and server did during some seconds, and a picture of it.

use clap::Parser;
use examples::control::{Control, WindowInfo};
use examples::process::Usage;
use serde_json::Value;
use std::error::Error;
use std::io::{IsTerminal, Write};
use std::path::PathBuf;
use std::process::ExitCode;
use std::thread::sleep;
use std::time::{Duration, Instant};

/// Watches clients of a running server for some seconds, then prints a table.
#[derive(Debug, Parser)]
#[command(name = "demo_report")]
struct Options {
    /// Path of blinkctl.
    #[arg(long)]
    blinkctl: PathBuf,
    /// The server's socket.
    #[arg(long)]
    socket: PathBuf,
    /// How long to watch.
    #[arg(long, default_value_t = 10)]
    seconds: u32,
    /// Where the picture goes.
    #[arg(long)]
    picture: PathBuf,
    /// Title of a client's window, and the client's process.
    #[arg(required = true, value_name = "TITLE=PID", value_parser = client)]
    clients: Vec<(String, u32)>,
}

fn client(text: &str) -> Result<(String, u32), String> {
    let (title, pid) = text.rsplit_once('=').ok_or("write TITLE=PID")?;
    Ok((title.to_owned(), pid.parse().map_err(|error| format!("`{pid}` is no process number: {error}"))?))
}

/// How long the first frames may take: Mesa compiles its shaders then.
const START: Duration = Duration::from_secs(60);

/// What is known of a client at a moment.
struct Sample {
    usage: Usage,
    stats: Value,
}

fn main() -> ExitCode {
    match report(&Options::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("demo: {error}");
            ExitCode::FAILURE
        }
    }
}

fn report(options: &Options) -> Result<(), Box<dyn Error>> {
    let control = Control::new(&options.blinkctl, &options.socket);
    let windows = wait_for_windows(&control, &options.clients)?;
    let before = samples(&control, options, &windows)?;
    let began = Instant::now();
    watch(options);
    let seconds = began.elapsed().as_secs_f64();
    let after = samples(&control, options, &windows)?;
    let picture = options.picture.to_str().ok_or("the picture's path is no UTF-8")?;
    control.run(&["screenshot", picture])?;

    let row = |cells: [&str; 7]| {
        let [title, frames, updates, median, p99, cpu, switches] = cells;
        println!("{title:<16} {frames:>7} {updates:>8} {median:>10} {p99:>8} {cpu:>11} {switches:>9}");
    };
    println!();
    row(["", "", "", "interval", "", "client", "context"]);
    row(["client", "frames", "updates", "median, ms", "p99, ms", "CPU, ms", "switches"]);
    let mut idle = Vec::new();
    for ((title, _), (before, after)) in options.clients.iter().zip(before.iter().zip(&after)) {
        let counted = |name: &str| {
            let of = |sample: &Sample| sample.stats[name].as_u64().unwrap_or(0);
            of(after).saturating_sub(of(before))
        };
        let interval = |name: &str| match after.stats["redraw_interval_ms"][name].as_f64() {
            Some(ms) => format!("{ms:.1}"),
            None => "-".to_owned(),
        };
        let usage = after.usage.since(before.usage);
        let frames = counted("redraws");
        if frames == 0 {
            idle.push(title.as_str());
        }
        row([
            title,
            &frames.to_string(),
            &counted("updates").to_string(),
            &interval("median"),
            &interval("p99"),
            &format!("{:.1}", milliseconds(usage.cpu_ns)),
            &usage.context_switches.to_string(),
        ]);
    }
    println!("\nMeasured for {seconds:.1} s. A frame is a run of redraw; intervals are from frame to frame.");
    println!("The picture is {picture}");
    if !idle.is_empty() {
        return Err(format!("drew nothing: {}", idle.join(", ")).into());
    }
    Ok(())
}

#[allow(clippy::cast_precision_loss, reason = "a figure for people")]
fn milliseconds(ns: u64) -> f64 {
    ns as f64 / 1e6
}

/// The clients' windows, once each has been drawn.
fn wait_for_windows(control: &Control, clients: &[(String, u32)]) -> Result<Vec<WindowInfo>, Box<dyn Error>> {
    let began = Instant::now();
    loop {
        let shown = control.windows()?;
        let found: Vec<Option<WindowInfo>> = clients
            .iter()
            .map(|(title, _)| {
                let drawn = |w: &&WindowInfo| &w.title == title && w.all["redraws"].as_u64().unwrap_or(0) > 0;
                shown.iter().find(drawn).cloned()
            })
            .collect();
        if found.iter().all(Option::is_some) {
            return Ok(found.into_iter().flatten().collect());
        }
        for ((title, pid), window) in clients.iter().zip(&found) {
            Usage::of(*pid).map_err(|_| format!("{title} ended: see its messages above"))?;
            if window.is_none() && began.elapsed() > START {
                return Err(format!("{title} has drawn nothing after {} s", START.as_secs()).into());
            }
        }
        sleep(Duration::from_millis(100));
    }
}

fn samples(
    control: &Control,
    options: &Options,
    windows: &[WindowInfo],
) -> Result<Vec<Sample>, Box<dyn Error>> {
    let mut samples = Vec::new();
    for ((title, pid), window) in options.clients.iter().zip(windows) {
        samples.push(Sample {
            usage: Usage::of(*pid).map_err(|_| format!("{title} ended: see its messages above"))?,
            stats: control.client_stats(window.client).map_err(|error| format!("{title}: {error}"))?,
        });
    }
    Ok(samples)
}

/// Waits, and says so on a terminal.
fn watch(options: &Options) {
    let terminal = std::io::stderr().is_terminal();
    for second in 0..options.seconds {
        if terminal {
            eprint!("\rdemo: {} of {} s ", second + 1, options.seconds);
            // Progress that cannot be shown is no reason to end.
            let _ = std::io::stderr().flush();
        }
        sleep(Duration::from_secs(1));
    }
    if terminal {
        eprintln!();
    }
}
