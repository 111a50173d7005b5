//! A clock that goes on while its client is stopped: see `examples::clock`.

use clap::Parser;
use examples::clock::{self, Time};
use examples::show::{self, Window};
use jiff::Zoned;
use std::process::ExitCode;

/// A clock, drawn by the server from its own time.
#[derive(Debug, Parser)]
#[command(name = "clock")]
struct Options {
    #[command(flatten)]
    window: Window,
}

fn main() -> ExitCode {
    show::main("clock", &Options::parse().window, |commit| {
        let server = commit.now();
        Ok(clock::picture(Time::Server(since_midnight(), server))?)
    })
}

/// Seconds on the clock of this place since its midnight.
fn since_midnight() -> f64 {
    let time = Zoned::now().time();
    let whole = (f64::from(time.hour()) * 60.0 + f64::from(time.minute())) * 60.0 + f64::from(time.second());
    whole + f64::from(time.subsec_nanosecond()) / 1e9
}
