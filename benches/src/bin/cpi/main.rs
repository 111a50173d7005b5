//! Blink against the figures of its paper: see `--help`.

mod cranelift;
mod gcc;
mod markdown;
mod mixes;
mod opengl;
mod options;
mod report;
mod stop;
mod text;

use benches::mix::Mix;
use clap::Parser;
use options::Options;
use report::Report;
use std::process::ExitCode;

/// Why there are no figures.
#[derive(Debug, thiserror::Error)]
enum Error {
    #[error("the program is refused: {0}")]
    Verify(#[from] verifier::VerifyError),
    #[error("it is not compiled: {0}")]
    Compile(#[from] jit::CompileError),
    #[error("it is stopped, or not executed by {0:?}, which is measured")]
    Tier(jit::Tier),
    #[error("a second client's program is not found")]
    Cache,
    #[error("a fresh process for a cold run cannot be started: {0}")]
    Start(#[from] std::io::Error),
    #[error("the file with figures: {0}")]
    File(std::io::Error),
    #[error("a fresh process printed no number of cycles but {0:?}")]
    Answer(String),
    #[error("no program is called {0:?}")]
    Name(String),
    #[error("against gcc: {0}")]
    Gcc(#[from] gcc::Error),
    #[error("stops: {0}")]
    Stop(#[from] stop::Error),
    #[error(transparent)]
    Gl(#[from] opengl::Error),
    #[error("JSON: {0}")]
    Json(#[from] serde_json::Error),
}

fn main() -> ExitCode {
    match run(&Options::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("cpi: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(options: &Options) -> Result<(), Error> {
    if let Some(name) = &options.cold {
        let mix = Mix::from_name(name).ok_or_else(|| Error::Name(name.clone()))?;
        println!("{}", mixes::accept_cold(mix)?);
        return Ok(());
    }
    if let Some(driver) = options.gl {
        let rows = opengl::measure_here(options.frames(), driver.draws())?;
        println!("{}", serde_json::to_string(&rows)?);
        return Ok(());
    }
    let report = match &options.from {
        Some(file) => serde_json::from_slice(&std::fs::read(file).map_err(Error::File)?)?,
        None => measure(options)?,
    };
    if options.markdown {
        print!("{}", markdown::text(&report));
    } else if options.json {
        println!("{}", serde_json::to_string(&report)?);
    } else {
        text::print(&report);
    }
    Ok(())
}

fn measure(options: &Options) -> Result<Report, Error> {
    let mix = |mix: Mix| {
        options.progress(&format!("{}: accept, compile, execute", mix.name()));
        mixes::measure(mix, options)
    };
    let (opengl_mix, opengl_mix_dynamic) = (mix(Mix::OpenGl)?, mix(Mix::OpenGlDynamic)?);
    let arith = mix(Mix::Arith)?;
    options.progress("arith_mix by gcc");
    let arith_mix = arith.with(gcc::measure(options.runs())?);
    options.progress("opengl_mix of a second client");
    let cache = mixes::second_client(options)?;
    options.progress("opengl_mix on real OpenGL");
    let gl = opengl::measure(options.frames())?;
    let slice = stop::measure(options.stops(), |what| options.progress(what))?;
    options.progress("arith_mix by other settings of Cranelift");
    let cranelift = cranelift::measure(options)?;
    Ok(Report { opengl_mix, opengl_mix_dynamic, arith_mix, gl, cache, slice, cranelift })
}
