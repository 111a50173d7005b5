//! A spot that goes around a still life: see `examples::spot`.

use clap::Parser;
use examples::show::{self, Window};
use examples::spot;
use std::process::ExitCode;

/// A spot that goes around a still life, animated in the server.
#[derive(Debug, Parser)]
#[command(name = "spot")]
struct Options {
    #[command(flatten)]
    window: Window,
}

fn main() -> ExitCode {
    show::main("spot", &Options::parse().window, |_| Ok(spot::procedures()?.into()))
}
