//! A turning teapot of chrome: see `examples::teapot`.

use clap::Parser;
use examples::show::{self, Window};
use examples::teapot;
use std::process::ExitCode;

/// A turning teapot of chrome, animated in the server.
#[derive(Debug, Parser)]
#[command(name = "teapot")]
struct Options {
    #[command(flatten)]
    window: Window,
}

fn main() -> ExitCode {
    show::main("teapot", &Options::parse().window, |commit| {
        let (info, texels) = teapot::texture();
        let texture = commit.texture(&info, &texels)?;
        Ok(teapot::procedures(texture)?.into())
    })
}
