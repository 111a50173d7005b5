//! The tables of docs/BENCHMARKS.md.

use crate::report::{ArithFigures, Both, GlFigures, MixFigures, Report};
use std::fmt::Write;

/// What a target says of a figure.
#[derive(Clone, Copy)]
struct Target {
    most: f64,
    digits: usize,
}

fn at_most(most: f64) -> Target {
    Target { most, digits: if most.fract() == 0.0 { 0 } else { 2 } }
}

/// All tables.
pub fn text(report: &Report) -> String {
    let mut text = targets(report);
    text.push('\n');
    text += &mixes(report);
    text.push('\n');
    text += &opengl(report);
    text.push('\n');
    text += &stops(report);
    text.push('\n');
    text += &cranelift(report);
    text
}

/// Targets and what is measured of them.
fn targets(report: &Report) -> String {
    let mut text = String::from("| figure | paper | target | measured | |\n|---|---|---|---|---|\n");
    // Writing to a string does not fail.
    let mut row = |name: &str, paper: &str, target: Target, value: f64, digits: usize, unit: &str| {
        let is_met = if value <= target.most { "met" } else { "missed" };
        let (most, most_digits) = (target.most, target.digits);
        let _ = writeln!(
            text,
            "| {name} | {paper} | <= {most:.most_digits$}{unit} | {value:.digits$}{unit} | {is_met} |"
        );
    };
    let Report { opengl_mix, opengl_mix_dynamic, arith_mix, gl, cache, slice, .. } = report;
    let (plain, dynamic) = (&opengl_mix.median, &opengl_mix_dynamic.median);
    let ArithFigures { mix: arith, gcc } = &arith_mix.median;
    let gl = &gl.whole.figures.median;
    row("accept, OpenGL-mix, cold", "102", at_most(60.0), plain.accept_cold_cpi, 1, "");
    row("accept, OpenGL-mix, warm", "41", at_most(30.0), plain.accept_warm_cpi, 1, "");
    row("accept, Arith-mix, cold", "99", at_most(60.0), arith.accept_cold_cpi, 1, "");
    row("accept, Arith-mix, warm", "55", at_most(30.0), arith.accept_warm_cpi, 1, "");
    row("execute OpenGL-mix, interpreter", "-", at_most(8.0), plain.exec_interp_cpi, 1, "");
    row("execute OpenGL-mix, native", "41", at_most(3.0), plain.exec_native_cpi, 1, "");
    row("accept, dynamic, warm", "41", at_most(40.0), dynamic.accept_warm_cpi, 1, "");
    row("execute dynamic, interpreter", "-", at_most(25.0), dynamic.exec_interp_cpi, 1, "");
    row("execute dynamic, native", "41", at_most(8.0), dynamic.exec_native_cpi, 1, "");
    row("execute Arith-mix, interpreter", "-", at_most(15.0), arith.exec_interp_cpi, 1, "");
    row("execute Arith-mix, native", "50", at_most(8.0), arith.exec_native_cpi, 1, "");
    row("Arith-mix, native / gcc -O3", "\"similar\"", at_most(1.1), gcc.native_vs_gcc, 2, "");
    row("real GL: redraw / immediate mode", "1.00", at_most(0.25), gl.redraw_vs_immediate, 2, "");
    row("real GL: first frame / immediate mode", "1.18", at_most(0.6), gl.first_frame_vs_immediate, 2, "");
    row("second VM, same program", "-", at_most(20.0), cache.median.second_vm_us, 1, " us");
    let stops = slice.interpreter.stops.saturating_add(slice.native.stops);
    let name = format!("stop after the end of a slice, worst of {stops}");
    row(&name, "-", at_most(2.0), slice.stop_worst_ms, 2, " ms");
    row(&format!("{name}, CPU time"), "-", at_most(2.0), slice.stop_worst_cpu_ms, 2, " ms");
    text
}

fn mixes(report: &Report) -> String {
    let arith = {
        let Both { median, min } = &report.arith_mix;
        Both { median: median.mix.clone(), min: min.mix.clone() }
    };
    let columns = [&report.opengl_mix, &report.opengl_mix_dynamic, &arith];
    let mut text = String::from(
        "| cycles per instruction | OpenGL-mix | OpenGL-mix, dynamic | Arith-mix |\n|---|---|---|---|\n",
    );
    let mut row = |name: &str, cells: [String; 3]| {
        let _ = writeln!(text, "| {name} | {} |", cells.join(" | "));
    };
    row("instructions", columns.map(|f| f.median.instructions.to_string()));
    let mut both = |name: &str, pick: fn(&MixFigures) -> f64| {
        row(name, columns.map(|f| pair(pick(&f.median), pick(&f.min), 1)));
    };
    both("accept, cold", |f| f.accept_cold_cpi);
    both("accept, warm", |f| f.accept_warm_cpi);
    both("of it verify", |f| f.verify_warm_cpi);
    both("of it lower", |f| f.lower_warm_cpi);
    both("first run, with vertices", |f| f.first_run_cpi);
    both("compile", |f| f.compile_native_cpi);
    both("execute, interpreter", |f| f.exec_interp_cpi);
    both("execute, native", |f| f.exec_native_cpi);
    let Both { median, min } = &report.arith_mix;
    let gcc = |name: &str, median: f64, min: f64| format!("| {name} | | | {} |\n", pair(median, min, 2));
    text += &gcc("execute, gcc -O3", median.gcc.gcc_cpi, min.gcc.gcc_cpi);
    let (of_median, of_min) = (median.gcc.gcc_march_native_cpi, min.gcc.gcc_march_native_cpi);
    text += &gcc("execute, gcc -O3 -march=native", of_median, of_min);
    text += "| *paper: compile, cold* | *102* | | *99* |\n";
    text += "| *paper: compile, warm* | *41* | | *55* |\n";
    text += "| *paper: execute* | *41* | | *50* |\n";
    text
}

fn opengl(report: &Report) -> String {
    let columns = [&report.gl.whole.figures, &report.gl.front_end.figures];
    let mut text =
        String::from("| cycles per command | with rasteriser | front end alone |\n|---|---|---|\n");
    let mut row = |name: &str, digits: usize, pick: fn(&GlFigures) -> f64| {
        let [whole, front] = columns.map(|f| pair(pick(&f.median), pick(&f.min), digits));
        let _ = writeln!(text, "| {name} | {whole} | {front} |");
    };
    row("OpenGL, immediate mode", 1, |f| f.immediate_cpi);
    row("of it the array of calls", 1, |f| f.walk_cpi);
    row("OpenGL, display list", 1, |f| f.display_list_cpi);
    row("OpenGL, static buffer", 1, |f| f.static_vbo_cpi);
    row("Blink, redraw, interpreter", 1, |f| f.redraw_interp_cpi);
    row("Blink, redraw, native", 1, |f| f.redraw_native_cpi);
    row("Blink, first frame", 1, |f| f.first_frame_cpi);
    row("redraw / immediate mode", 2, |f| f.redraw_vs_immediate);
    row("redraw / display list", 2, |f| f.redraw_vs_display_list);
    row("redraw / static buffer", 2, |f| f.redraw_vs_static_vbo);
    row("first frame / immediate mode", 2, |f| f.first_frame_vs_immediate);
    text
}

fn stops(report: &Report) -> String {
    let mut text = String::from(
        "| stops, milliseconds | median | 99.99 % | worst | worst, CPU time | of |\n|---|---|---|---|---|---|\n",
    );
    let slice = &report.slice;
    for (name, row) in [("interpreter", &slice.interpreter), ("native", &slice.native)] {
        let _ = writeln!(
            text,
            "| {name}, {} stops | {:.3} | {:.3} | {:.3} | {:.3} | {} |",
            row.stops, row.median_ms, row.p9999_ms, row.worst_ms, row.worst_cpu_ms, row.worst_program
        );
    }
    text
}

fn cranelift(report: &Report) -> String {
    let mut text = String::from("| opt_level, register allocator | compile | execute |\n|---|---|---|\n");
    for row in &report.cranelift {
        let used = if row.is_used { " (used)" } else { "" };
        let _ = writeln!(
            text,
            "| {}, {}{used} | {:.0} | {:.1} |",
            row.opt_level, row.allocator, row.compile_cpi, row.execute_cpi
        );
    }
    text
}

fn pair(median: f64, min: f64, digits: usize) -> String {
    format!("{median:.digits$} ({min:.digits$})")
}
