//! The command line.

use clap::Parser;
use std::path::PathBuf;

/// Measures Blink as its paper does: Table 2 (cycles per BlinkGL instruction of accepting, compiling and executing) and
/// Table 3 (the same program on real OpenGL, by the server and by OpenGL's own immediate mode, display list and buffer).
///
/// Figures are medians; the fastest runs are beside them. It takes about two minutes, says on standard error
/// what it is at, and should have the machine for itself. Real OpenGL is Mesa's llvmpipe in one thread, so that all of a
/// frame's cycles are counted; gcc compiles the program that native code is compared with.
#[derive(Debug, Parser)]
#[command(name = "cpi")]
pub struct Options {
    /// Prints one JSON object.
    #[arg(long, conflicts_with = "markdown")]
    pub json: bool,
    /// Prints the tables of docs/BENCHMARKS.md.
    #[arg(long)]
    pub markdown: bool,
    /// Measures nothing: takes the figures from a file that --json printed.
    #[arg(long, value_name = "FILE")]
    pub from: Option<PathBuf>,
    /// A tenth of the runs, and no word of what it is at: for a quick look.
    #[arg(long)]
    pub quiet: bool,
    /// Warm runs of each measurement.
    #[arg(long, value_name = "N", default_value_t = 200)]
    runs: usize,
    /// Fresh processes for cold runs.
    #[arg(long, value_name = "N", default_value_t = 15)]
    cold_runs: usize,
    /// Compilations by Cranelift.
    #[arg(long, value_name = "N", default_value_t = 5)]
    compile_runs: usize,
    /// Frames of each way of drawing with real OpenGL.
    #[arg(long, value_name = "N", default_value_t = 500)]
    frames: usize,
    /// Stops of each tier at the end of a slice.
    #[arg(long, value_name = "N", default_value_t = 100_000)]
    stops: usize,
    /// Accepts this program once and prints the cycles: what a fresh process is started for.
    #[arg(long, hide = true)]
    pub cold: Option<String>,
    /// Measures real OpenGL and prints JSON: as above, with what the environment says for Mesa.
    #[arg(long, hide = true)]
    pub gl: Option<crate::opengl::Driver>,
}

impl Options {
    fn few(&self, runs: usize) -> usize {
        if self.quiet { runs.div_ceil(10) } else { runs }.max(1)
    }

    /// Warm runs.
    pub fn runs(&self) -> usize {
        self.few(self.runs)
    }

    /// Fresh processes.
    pub fn cold_runs(&self) -> usize {
        self.few(self.cold_runs)
    }

    /// Compilations.
    pub fn compile_runs(&self) -> usize {
        self.few(self.compile_runs)
    }

    /// Frames.
    pub fn frames(&self) -> usize {
        self.few(self.frames)
    }

    /// Stops.
    pub fn stops(&self) -> usize {
        self.few(self.stops)
    }

    /// Says what it is at.
    pub fn progress(&self, what: &str) {
        if !self.quiet {
            eprintln!("cpi: {what}");
        }
    }
}
