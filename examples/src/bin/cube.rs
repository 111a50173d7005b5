//! A textured cube of glass that turns: see `examples::cube`.

use clap::Parser;
use examples::cube;
use examples::show::{self, Window};
use std::process::ExitCode;

/// A textured cube of glass that turns, animated in the server.
#[derive(Debug, Parser)]
#[command(name = "cube")]
struct Options {
    #[command(flatten)]
    window: Window,
}

fn main() -> ExitCode {
    show::main("cube", &Options::parse().window, |commit| {
        let (info, texels) = cube::texture();
        let texture = commit.texture(&info, &texels)?;
        Ok(cube::procedures(texture)?.into())
    })
}
