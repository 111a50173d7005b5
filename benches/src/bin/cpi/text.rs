//! The figures for people at a terminal.

use crate::report::{Both, GccFigures, Gl, GlFigures, MixFigures, Report, StopFigures};

/// Prints everything.
pub fn print(report: &Report) {
    mixes(report);
    gl(&report.gl);
    let (median, min) = (report.cache.median.second_vm_us, report.cache.min.second_vm_us);
    println!("\nOpenGL-mix that another client published before: {median:.1} ({min:.1}) us");
    stops(&report.slice);
    println!("\nArith-mix by Cranelift's settings, cycles per instruction, fastest runs");
    println!("{:<28}{:>10}{:>10}", "", "compile", "execute");
    for row in &report.cranelift {
        let name = format!("{}, {}", row.opt_level, row.allocator);
        println!("{name:<28}{:>10.0}{:>10.1}", row.compile_cpi, row.execute_cpi);
    }
}

fn mixes(report: &Report) {
    let Both { median, min } = &report.arith_mix;
    let arith = Both { median: median.mix.clone(), min: min.mix.clone() };
    let columns = [&report.opengl_mix, &report.opengl_mix_dynamic, &arith];
    println!("cycles per BlinkGL instruction: median (fastest)");
    println!("{:<28}{:>22}{:>22}{:>22}", "", "OpenGL-mix", "OpenGL-mix, dynamic", "Arith-mix");
    let row = |name: &str, cells: [String; 3]| {
        let [a, b, c] = cells;
        println!("{name:<28}{a:>22}{b:>22}{c:>22}");
    };
    row("instructions", columns.map(|f| f.median.instructions.to_string()));
    let both = |name: &str, pick: fn(&MixFigures) -> f64| {
        let cell = |f: &Both<MixFigures>| format!("{:.1} ({:.1})", pick(&f.median), pick(&f.min));
        row(name, columns.map(cell));
    };
    both("accept, cold", |f| f.accept_cold_cpi);
    both("accept, warm", |f| f.accept_warm_cpi);
    both("  verify, warm", |f| f.verify_warm_cpi);
    both("  lower, warm", |f| f.lower_warm_cpi);
    both("compile (Cranelift)", |f| f.compile_native_cpi);
    both("first run, with vertices", |f| f.first_run_cpi);
    both("execute, interpreter", |f| f.exec_interp_cpi);
    both("execute, native", |f| f.exec_native_cpi);
    for (name, pick) in [
        ("execute, gcc -O3", (|f| f.gcc_cpi) as fn(&GccFigures) -> f64),
        ("execute, gcc -march=native", |f| f.gcc_march_native_cpi),
        ("native / gcc -O3", |f| f.native_vs_gcc),
        ("native / gcc -march=native", |f| f.native_vs_gcc_march_native),
    ] {
        let cell = format!("{:.2} ({:.2})", pick(&median.gcc), pick(&min.gcc));
        row(name, ["-".into(), "-".into(), cell]);
    }
    let paper = |name: &str, a: &str, c: &str| row(name, [a.into(), "-".into(), c.into()]);
    println!("\nthe paper (its JIT is what accept is here; it has no interpreter):");
    paper("compile, cold", "102", "99");
    paper("compile, warm", "41", "55");
    paper("execute", "41", "50");
}

fn gl(gl: &Gl) {
    let columns = [&gl.whole.figures, &gl.front_end.figures];
    println!("\nOpenGL-mix by {}, one pixel, {:.1} draws a redraw", gl.whole.renderer, gl.whole.draws);
    println!("cycles per command{:>32}{:>22}", "with rasteriser", "front end alone");
    let row = |name: &str, digits: usize, pick: fn(&GlFigures) -> f64| {
        let [whole, front] =
            columns.map(|f| format!("{:.digits$} ({:.digits$})", pick(&f.median), pick(&f.min)));
        println!("{name:<28}{whole:>22}{front:>22}");
    };
    row("OpenGL immediate mode", 1, |f| f.immediate_cpi);
    row("  of it the array of calls", 1, |f| f.walk_cpi);
    row("OpenGL display list", 1, |f| f.display_list_cpi);
    row("OpenGL static buffer", 1, |f| f.static_vbo_cpi);
    row("Blink redraw, interpreter", 1, |f| f.redraw_interp_cpi);
    row("Blink redraw, native", 1, |f| f.redraw_native_cpi);
    row("Blink first frame", 1, |f| f.first_frame_cpi);
    row("redraw / immediate", 3, |f| f.redraw_vs_immediate);
    row("redraw / display list", 3, |f| f.redraw_vs_display_list);
    row("redraw / static buffer", 3, |f| f.redraw_vs_static_vbo);
    row("first frame / immediate", 3, |f| f.first_frame_vs_immediate);
}

fn stops(figures: &StopFigures) {
    println!("\nstops after the end of a slice, milliseconds");
    println!("{:<28}{:>10}{:>10}{:>10}{:>22}", "", "median", "99.99 %", "worst", "worst, CPU time");
    for (name, row) in [("interpreter", &figures.interpreter), ("native", &figures.native)] {
        let (median, p9999, worst) = (row.median_ms, row.p9999_ms, row.worst_ms);
        let cpu = format!("{:.3} {}", row.worst_cpu_ms, row.worst_program);
        println!("{name:<28}{median:>10.3}{p9999:>10.3}{worst:>10.3}{cpu:>30}");
    }
}
