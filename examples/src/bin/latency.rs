//! How long a publication takes: from the doorbell to the server's scan, and from the commit to the first frame with it.
//!
//! Both ends are seen in the shared memory by the client, so that one clock measures, also in a virtual machine: the server
//! says which commit it has scanned, and puts an event when a frame is presented.

use blink_client::{Connection, Wake, What};
use blinkgl::gl::ClearMask;
use blinkgl::layout::WindowDesc;
use blinkgl::wire::WireProgram;
use blinkgl::{Callback, RecordError, Recorder};
use clap::Parser;
use examples::client::connect;
use std::error::Error;
use std::process::ExitCode;
use std::thread::{sleep, yield_now};
use std::time::{Duration, Instant};

/// Replaces a procedure again and again, and prints how long it took until the server had seen and shown it
#[derive(Debug, Parser)]
#[command(name = "latency")]
struct Options {
    /// How often
    #[arg(long, default_value_t = 300, value_parser = clap::value_parser!(u32).range(1..))]
    count: u32,
}

/// The server shows a publication in the next frame, unless it is stopped.
const PATIENCE: Duration = Duration::from_secs(10);
/// How long it looks without a pause, so that short times are measured well.
const IMPATIENCE: Duration = Duration::from_millis(50);

fn main() -> ExitCode {
    match run(&Options::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("latency: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(options: &Options) -> Result<(), Box<dyn Error>> {
    let mut connection = connect("latency", None)?;
    let mut context = connection.context()?;
    context.want_presented(true);
    let mut commit = context.commit();
    let redraw = commit.procedure(Callback::Redraw, &clear(0)?)?;
    let mut window = WindowDesc { width: 100, height: 100, ..WindowDesc::default() };
    window.set_title("Latency");
    window.procedures[Callback::Redraw as usize] = redraw.number();
    commit.window(&window)?;
    commit.finish()?;

    let [mut scans, mut frames] = [Vec::new(), Vec::new()];
    for round in 0..options.count {
        // At any moment of a refresh interval; what was shown before has been told by then.
        sleep(Duration::from_millis(u64::from(40 + round * 7 % 41)));
        while connection.wait(Some(Duration::ZERO))? == Wake::Events {}
        while context.next_event().is_some() {}
        let program = clear(round + 1)?;
        let begin = Instant::now();
        let mut commit = context.commit();
        commit.set_procedure(redraw, Callback::Redraw, &program)?;
        // Some words are written before the bell is rung; the server may have seen them when that returns.
        let rung = Instant::now();
        commit.finish()?;
        let mut scan = None;
        let frame = loop {
            if scan.is_none() && context.is_seen() {
                scan = Some(rung.elapsed());
            }
            if let Some(event) = context.next_event() {
                if matches!(event.what, What::Presented { .. }) {
                    break begin.elapsed();
                }
                if let Some(complaint) = event.what.complaint() {
                    return Err(complaint.into());
                }
            }
            if begin.elapsed() > PATIENCE {
                return Err(lost(&connection).into());
            }
            // Who waits for long must not take the processor from those that are waited for: there may be only one.
            if begin.elapsed() > IMPATIENCE { sleep(Duration::from_millis(1)) } else { yield_now() }
        };
        // Seen at the latest when shown.
        scans.push(scan.unwrap_or(frame));
        frames.push(frame);
    }
    print("from the doorbell to the scan", scans);
    print("from the commit to the first frame", frames);
    Ok(())
}

/// Clears the window to a color that depends on a number.
fn clear(number: u32) -> Result<WireProgram, RecordError> {
    let mut p = Recorder::new();
    let [red, green, ..] = number.to_le_bytes().map(|byte| f32::from(byte) / 255.0);
    p.clear_color(red, green, 0.5, 1.0);
    p.clear(ClearMask::COLOR);
    p.finish()
}

fn lost(connection: &Connection) -> &'static str {
    match connection.wait(Some(Duration::ZERO)) {
        Ok(Wake::ServerGone) | Err(_) => "the server is gone",
        Ok(Wake::Events | Wake::Timeout) => "the server does not show what is published",
    }
}

fn print(what: &str, mut times: Vec<Duration>) {
    times.sort_unstable();
    let at = |percent: usize| {
        let index = (times.len() * percent / 100).min(times.len().saturating_sub(1));
        times.get(index).map_or(0.0, |time| time.as_secs_f64() * 1e3)
    };
    println!("latency: {what}: median {:.2} ms, p99 {:.2} ms", at(50), at(99));
}
