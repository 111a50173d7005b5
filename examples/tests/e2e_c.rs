//! The C examples on a real server: they look as OpenGL draws them from the same source, they move, and they end as
//! GLUT programs do.

mod support;

use examples::process::Usage;
use rustix::process::Signal;
use std::fs;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;
use support::{Client, Display, Picture, wait_for};

/// Channels may differ by this much...
const TOLERANCE: u8 = 2;
/// ... and more in one of so many pixels: half a percent.
const ONE_OF: usize = 200;

/// The programs and the titles of their windows.
const PROGRAMS: [(&str, &str); 5] = [
    ("gears", "Gears in C"),
    ("gears-idle", "Gears in C"),
    ("lights", "Lights"),
    ("fogmirror", "Fog and mirror"),
    ("arrays", "Textures and arrays"),
];

/// Where the C programs are. They are built once for all tests of a process, by the script that a user would run.
fn built() -> &'static Path {
    static DIRECTORY: OnceLock<PathBuf> = OnceLock::new();
    DIRECTORY.get_or_init(|| {
        let programs = Path::new(env!("CARGO_BIN_EXE_gears")).parent().expect("a program is in a directory");
        let directory = programs.join("c-examples");
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../scripts/c-examples");
        let output = Command::new(script)
            .arg("--debug")
            .arg(&directory)
            .env("CARGO_TARGET_DIR", programs.parent().expect("the build directory"))
            .output()
            .expect("the script starts");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        directory
    })
}

fn start(display: &Display, name: &str, title: &str, arguments: &[&str]) -> Client {
    display.start_client(&built().join("blink").join(name), title, arguments)
}

/// What OpenGL draws of an example at a time.
fn opengl(name: &str, seconds: &str) -> Picture {
    let file = built().join(format!("{name}-{seconds}.ppm"));
    let source = if name == "gears-idle" { "gears" } else { name };
    let output = Command::new(built().join("opengl").join(source))
        .args(["--frame", seconds, "--ppm"])
        .arg(&file)
        .output()
        .expect("it starts");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && said.is_empty(), "{name} for OpenGL: {said}");
    let bytes = fs::read(&file).expect("a picture");
    let mut parts = bytes.splitn(4, |byte| *byte == b'\n');
    let mut line = || parts.next().expect("a PPM");
    assert_eq!(line(), b"P6");
    let size: Vec<u32> =
        String::from_utf8_lossy(line()).split(' ').map(|n| n.parse().expect("a size")).collect();
    line();
    let pixels = line().chunks_exact(3).map(|p| [p[0], p[1], p[2], 255]).collect();
    Picture { width: size[0], height: size[1], pixels }
}

/// How many pixels differ by more than the tolerance, and by how much at most.
fn difference(a: &Picture, b: &Picture) -> (usize, u8) {
    assert_eq!((a.width, a.height), (b.width, b.height));
    let by = |(a, b): (&[u8; 4], &[u8; 4])| (0..3).map(|i| a[i].abs_diff(b[i])).max().unwrap_or(0);
    let all = || a.pixels.iter().zip(&b.pixels).map(by);
    (all().filter(|d| *d > TOLERANCE).count(), all().max().unwrap_or(0))
}

#[test]
fn they_look_as_opengl_draws_them() {
    let display = Display::start();
    for (name, title) in PROGRAMS {
        for seconds in ["0.4", "2.75"] {
            let wanted = opengl(name, seconds);
            assert!(wanted.lit() > 10_000, "{name}: OpenGL drew {} pixels", wanted.lit());
            let mut client = start(&display, name, title, &["--frame", seconds]);
            let window = display.window(&client);
            let allowed = wanted.pixels.len() / ONE_OF;
            // The first picture may be stopped because making its shaders took too long: the server tries again.
            let found = wait_for(&format!("{name} at {seconds} s as OpenGL draws it"), || {
                let found = difference(&display.content(&window), &wanted);
                if found.0 > allowed {
                    eprintln!("{name} at {seconds} s: {} pixels differ, by {} at most", found.0, found.1);
                }
                (found.0 <= allowed).then_some(found)
            });
            let all = wanted.pixels.len();
            println!("{name} at {seconds} s: {} of {all} pixels differ, by {} at most", found.0, found.1);
            // Their time stands still, so nothing is left to draw, and a wrong time would have been another picture.
            let other = opengl(name, if seconds == "0.4" { "2.75" } else { "0.4" });
            assert!(difference(&display.content(&window), &other).0 > allowed, "{name}: the time is seen");
            // That the first picture took too long depends on the machine; anything else would be a mistake.
            let log = client.log();
            let mistakes: Vec<_> =
                log.lines().filter(|line| !line.contains("it drew for more than")).collect();
            assert!(mistakes.is_empty(), "{name} says: {mistakes:?}");
            display.control.run(&["close", &window.id]).expect("the server answers");
            assert_eq!(client.end().code(), Some(0), "{}", client.log());
            wait_for("the window to go", || display.control.windows().ok()?.is_empty().then_some(()));
        }
    }
}

#[test]
fn gears_turn_without_their_client() {
    let display = Display::start();
    let client = start(&display, "gears", "Gears in C", &[]);
    let window = display.window(&client);
    client.signal(Signal::STOP);
    wait_for("the client to stop", || {
        fs::read_to_string(format!("/proc/{}/stat", client.pid())).ok()?.contains(") T ").then_some(())
    });
    let stopped = client.usage();
    let mut before = wait_for("gears", || Some(display.content(&window)).filter(|p| p.lit() > 10_000));
    for _ in 0..5 {
        before = display.changed(&window, &before);
    }
    assert_eq!(client.usage().since(stopped), Usage::default(), "the client is stopped");
}

#[test]
fn an_idle_function_makes_each_picture() {
    let display = Display::start();
    let client = start(&display, "gears-idle", "Gears in C", &[]);
    let window = display.window(&client);
    let mut before = display.content(&window);
    for _ in 0..5 {
        before = display.changed(&window, &before);
    }
    // One picture after the other, not as many as the processor can record.
    let frames = || {
        let list = display.control.list().expect("the server answers");
        let versions = &list[0]["windows"][0]["procedures"];
        let redraw = versions.as_array().into_iter().flatten().find(|p| p["callback"] == "redraw");
        (display.frames(), redraw.and_then(|p| p["version"].as_u64()).unwrap_or_else(|| panic!("{list}")) / 2)
    };
    let (frames_before, recorded_before) = frames();
    before = display.changed(&window, &before);
    display.changed(&window, &before);
    let (frames_after, recorded_after) = frames();
    assert!(recorded_after > recorded_before);
    assert!(
        recorded_after - recorded_before <= frames_after - frames_before + 4,
        "recorded {recorded_before} to {recorded_after} times in frames {frames_before} to {frames_after}"
    );
}

#[test]
fn keys_reach_it_and_escape_ends_it() {
    let display = Display::start();
    let mut client = start(&display, "gears", "Gears in C", &["--frame", "1"]);
    let window = display.window(&client);
    let before = wait_for("gears", || Some(display.content(&window)).filter(|p| p.lit() > 10_000));
    // Left, of linux/input-event-codes.h: the program turns its view, and records another picture.
    display.key(105);
    display.changed(&window, &before);
    display.key(1);
    assert_eq!(client.end().code(), Some(0), "{}", client.log());
    wait_for("the window to go", || display.control.windows().ok()?.is_empty().then_some(()));
}

#[test]
fn a_program_without_glut() {
    let display = Display::start();
    let mut client = start(&display, "hello", "Hello from C", &[]);
    let window = display.window(&client);
    let mut before = wait_for("a triangle", || Some(display.content(&window)).filter(|p| p.lit() > 10_000));
    for _ in 0..3 {
        before = display.changed(&window, &before);
    }
    let middle = before.at(150, 150);
    assert!(middle.iter().take(3).all(|c| *c > 60), "all corners' colors meet in the middle: {middle:?}");
    // It hears of keys, and changes its window.
    display.key(28);
    wait_for("another title", || {
        display.control.windows().ok()?.iter().any(|w| w.title == "Key 28").then_some(())
    });
    display.control.run(&["close", &window.id]).expect("the server answers");
    assert_eq!(client.end().code(), Some(0), "{}", client.log());
    assert_eq!(client.log(), "", "it has nothing to complain of");
}

#[test]
fn calls_outside_of_the_display_function_count() {
    let display = Display::start();
    let source = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/c/late.c"));
    let client = display.start_client(&compile("late", &source.expect("a program")), "Late", &[]);
    let window = display.window(&client);
    // The middles of five of the squares, from the top left.
    let marks = || {
        let picture = display.content(&window);
        [(15, 15), (75, 15), (45, 45), (15, 75), (75, 75)].map(|(x, y)| {
            let [r, g, b, _] = picture.at(x, y);
            [r, g, b].map(|c| if c > 127 { '1' } else { '0' }).iter().collect::<String>()
        })
    };
    let until = |wanted: [&str; 5]| {
        let mut last = marks();
        wait_for(&format!("{wanted:?}, after {last:?}"), || {
            last = marks();
            (last == wanted).then_some(())
        });
    };
    // The texture is blue; the timer's square is white; the list that the display function defined is red.
    until(["001", "111", "000", "100", "010"]);
    // B: the background becomes cyan. T: the texture becomes magenta.
    display.key(48);
    until(["001", "111", "011", "100", "010"]);
    display.key(20);
    until(["101", "111", "011", "100", "010"]);
    // What is wrong is refused, named, and changes nothing: E pops a matrix that it did not push.
    display.key(18);
    wait_for("its complaint", || client.log().contains("glPopMatrix").then_some(()));
    until(["101", "111", "011", "100", "010"]);
    // A server that restarts gets all of it.
    let renderer = display.renderer().expect("it runs");
    support::signal(renderer, Signal::KILL);
    wait_for("another renderer", || display.renderer().filter(|pid| *pid != renderer));
    wait_for("its window", || display.drawn(&client));
    until(["101", "111", "011", "100", "010"]);
}

/// The blocks of C in the porting note.
fn porting_note() -> Vec<String> {
    let text =
        fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/PORTING.md")).expect("a note");
    text.split("```c\n")
        .skip(1)
        .map(|block| block.split("```").next().unwrap_or_default().to_owned())
        .collect()
}

/// Builds a program as the porting note says.
fn compile(name: &str, source: &str) -> PathBuf {
    let file = built().join(format!("{name}.c"));
    fs::write(&file, source).expect("a file");
    let flags = Command::new("pkg-config")
        .args(["--cflags", "--libs", "--static", "blinkgl"])
        .env("PKG_CONFIG_PATH", built().join("lib/pkgconfig"))
        .output()
        .expect("pkg-config");
    let program = built().join(name);
    let output = Command::new("cc")
        .arg(&file)
        .arg("-o")
        .arg(&program)
        .args(String::from_utf8_lossy(&flags.stdout).split_whitespace())
        .arg("-lm")
        .output()
        .expect("a C compiler");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    program
}

#[test]
fn the_porting_note_leads_to_a_window() {
    let blocks = porting_note();
    let [demo, turning, main] = &blocks[..] else { panic!("the program, and two changes: {blocks:?}") };
    let ported = demo.replace(
        "#include <GL/glut.h>",
        "#ifdef BLINKGL\n#include <blinkglut.h>\n#else\n#include <GL/glut.h>\n#endif",
    );
    let animated = ported
        .replace("    glRotatef(angle, 1.0f, 1.0f, 0.0f);\n", turning)
        .replace("    glutIdleFunc(idle);\n", main);
    assert!(ported != *demo && animated != ported);

    let display = Display::start();
    let client = display.start_client(&compile("spin", &ported), "Spin", &[]);
    let window = display.window(&client);
    let before = wait_for("a pyramid", || Some(display.content(&window)).filter(|p| p.lit() > 5_000));
    display.changed(&window, &before);
    drop(client);
    wait_for("the window to go", || display.control.windows().ok()?.is_empty().then_some(()));

    // The function that is left over would be a warning.
    let client = display.start_client(&compile("spin-alone", &animated), "Spin", &[]);
    let window = display.window(&client);
    let mut before = wait_for("a pyramid", || Some(display.content(&window)).filter(|p| p.lit() > 5_000));
    client.signal(Signal::STOP);
    for _ in 0..3 {
        before = display.changed(&window, &before);
    }
}

#[test]
fn interrupt_ends_it() {
    let display = Display::start();
    let mut client = start(&display, "gears-idle", "Gears in C", &[]);
    display.window(&client);
    client.signal(Signal::INT);
    // As the shell expects it of a program that Ctrl-C ends.
    assert_eq!(client.end().signal(), Some(Signal::INT.as_raw()));
    wait_for("the window to go", || display.control.windows().ok()?.is_empty().then_some(()));
}

#[test]
fn without_a_server_it_says_so() {
    let output = Command::new(built().join("blink/gears"))
        .env("BLINK_DISPLAY", built().join("no such socket"))
        .output()
        .expect("it starts");
    assert_eq!(output.status.code(), Some(1));
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(said.contains("glutCreateWindow") && said.contains("no Blink server"), "{said}");
}

#[test]
fn a_restarted_server_gets_all_of_it() {
    let display = Display::start();
    let client = start(&display, "gears", "Gears in C", &["--frame", "1"]);
    let window = display.window(&client);
    let before = wait_for("gears", || Some(display.content(&window)).filter(|p| p.lit() > 10_000));
    let renderer = display.renderer().expect("it runs");
    support::signal(renderer, Signal::KILL);
    wait_for("another renderer", || display.renderer().filter(|pid| *pid != renderer));
    wait_for("the same picture", || {
        let now = display.drawn(&client)?;
        (display.content(&now) == before).then_some(())
    });
}
