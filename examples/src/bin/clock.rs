//! A clock that goes on while its client is stopped: see `examples::clock`.

use blinkgl::Reg;
use clap::Parser;
use examples::clock;
use examples::show::{self, Published, Window};
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
        let registers = commit.registers()?;
        let phase = Reg::new(clock::PHASE).ok_or("the phase has no register")?;
        commit.register_file(registers)?.set(phase, clock::phase(since_midnight(), blink_client::now()));
        Ok(Published { procedures: clock::procedures()?, registers: Some(registers) })
    })
}

/// Seconds on the clock of this place since its midnight.
fn since_midnight() -> f64 {
    let time = Zoned::now().time();
    let whole = (f64::from(time.hour()) * 60.0 + f64::from(time.minute())) * 60.0 + f64::from(time.second());
    whole + f64::from(time.subsec_nanosecond()) / 1e9
}
