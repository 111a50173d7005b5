//! The figures, as they are printed and read again.

use benches::tsc::Samples;
use serde::{Deserialize, Serialize};

/// Everything that is measured.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Report {
    pub opengl_mix: Both<MixFigures>,
    pub opengl_mix_dynamic: Both<MixFigures>,
    pub arith_mix: Both<ArithFigures>,
    pub gl: Gl,
    pub cache: Both<CacheFigures>,
    pub slice: StopFigures,
    /// Not in files from before it was measured.
    #[serde(default)]
    pub cranelift: Vec<CraneliftRow>,
}

/// The Arith-mix by Cranelift with some of its settings: the fastest runs, in cycles per instruction.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CraneliftRow {
    pub opt_level: String,
    pub allocator: String,
    /// By servers.
    pub is_used: bool,
    pub compile_cpi: f64,
    pub execute_cpi: f64,
}

/// The medians, and the same of the fastest runs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Both<T> {
    #[serde(flatten)]
    pub median: T,
    pub min: T,
}

impl<T> Both<T> {
    /// Of figures that are made of the cycles that stand for all runs.
    pub fn of(figures: impl Fn(fn(&Samples) -> u64) -> T) -> Both<T> {
        Both { median: figures(Samples::median), min: figures(Samples::minimum) }
    }
}

/// A program against a GL that only counts. Cycles per instruction.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct MixFigures {
    pub instructions: u32,
    /// From the client's words to a program that can run, in a fresh process.
    pub accept_cold_cpi: f64,
    /// The same, later.
    pub accept_warm_cpi: f64,
    /// Of it, and without the copy of the words.
    pub verify_warm_cpi: f64,
    pub lower_warm_cpi: f64,
    /// Cranelift.
    pub compile_native_cpi: f64,
    /// The first run, which makes vertices of words.
    pub first_run_cpi: f64,
    pub exec_interp_cpi: f64,
    pub exec_native_cpi: f64,
}

/// The Arith-mix, by C too.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ArithFigures {
    #[serde(flatten)]
    pub mix: MixFigures,
    #[serde(flatten)]
    pub gcc: GccFigures,
}

impl Both<MixFigures> {
    /// With those of gcc.
    pub fn with(self, gcc: Both<GccFigures>) -> Both<ArithFigures> {
        Both {
            median: ArithFigures { mix: self.median, gcc: gcc.median },
            min: ArithFigures { mix: self.min, gcc: gcc.min },
        }
    }
}

/// Native code against gcc's, in the same run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct GccFigures {
    /// `gcc -O3`.
    pub native_vs_gcc: f64,
    /// `gcc -O3 -march=native`.
    pub native_vs_gcc_march_native: f64,
    pub gcc_cpi: f64,
    pub gcc_march_native_cpi: f64,
}

/// How long runs go on after the end of their slice.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct StopFigures {
    /// Of both tiers.
    pub stop_worst_ms: f64,
    /// The same by this thread's time of the processor.
    pub stop_worst_cpu_ms: f64,
    pub interpreter: StopRow,
    pub native: StopRow,
}

/// Stops of one tier.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct StopRow {
    pub stops: usize,
    pub median_ms: f64,
    /// All but one of ten thousand are below it.
    pub p9999_ms: f64,
    pub worst_ms: f64,
    /// An upper bound of the processor's time.
    pub worst_cpu_ms: f64,
    /// The program that it was.
    pub worst_program: String,
}

/// What a program costs that some client published before.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CacheFigures {
    /// The OpenGL-mix, from the words of a second client to a program that can run: microseconds.
    pub second_vm_us: f64,
}

/// Real OpenGL.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Gl {
    /// Everything in the calling thread: all cycles that a frame takes.
    #[serde(flatten)]
    pub whole: GlRows,
    /// With a driver that draws nothing: the part of OpenGL's library, and ours.
    pub front_end: GlRows,
}

/// All ways of drawing.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct GlRows {
    /// OpenGL's version and renderer.
    pub renderer: String,
    /// Frames of each row.
    pub frames: usize,
    /// OpenGL draws of a redraw by the server.
    pub draws: f64,
    #[serde(flatten)]
    pub figures: Both<GlFigures>,
}

/// Cycles per command, and their ratios.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct GlFigures {
    pub commands: u32,
    pub redraw_vs_immediate: f64,
    pub first_frame_vs_immediate: f64,
    pub redraw_vs_static_vbo: f64,
    pub redraw_vs_display_list: f64,
    pub immediate_cpi: f64,
    pub display_list_cpi: f64,
    pub static_vbo_cpi: f64,
    pub redraw_interp_cpi: f64,
    pub redraw_native_cpi: f64,
    pub first_frame_cpi: f64,
    /// Going through the calls of immediate mode without making them: part of `immediate_cpi`.
    pub walk_cpi: f64,
}

/// Cycles as cycles per instruction.
pub fn cpi(cycles: u64, instructions: u32) -> f64 {
    ratio(cycles, u64::from(instructions))
}

/// As many digits as are worth printing.
pub fn round(value: f64) -> f64 {
    (value * 1000.0).round() / 1000.0
}

/// A quotient with as many digits as are worth printing.
#[allow(clippy::cast_precision_loss, reason = "cycles of a run are far below 2^53")]
pub fn ratio(a: u64, b: u64) -> f64 {
    if b == 0 { 0.0 } else { round(a as f64 / b as f64) }
}
