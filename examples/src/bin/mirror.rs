//! A turning ring above a floor that mirrors it, in fog: see `examples::mirror`.

use clap::Parser;
use examples::mirror;
use examples::show::{self, Window};
use std::process::ExitCode;

/// A turning ring above a floor that mirrors it, in fog, animated in the server.
#[derive(Debug, Parser)]
#[command(name = "mirror")]
struct Options {
    #[command(flatten)]
    window: Window,
}

fn main() -> ExitCode {
    show::main("mirror", &Options::parse().window, |_| Ok(mirror::procedures()?.into()))
}
