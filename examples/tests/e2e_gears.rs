//! Gears on a real server: they turn, in the server's time and not in the client's.

mod support;

use examples::process::Usage;
use rustix::process::Signal;
use std::os::unix::process::ExitStatusExt;
use support::{Display, wait_for};

/// Captures of a window of which each must differ from the one before.
const CAPTURES: usize = 10;

#[test]
fn both_modes_turn() {
    let display = Display::start();
    let clients = [("sp", "gears (sp)"), ("switch", "gears (switch)")]
        .map(|(mode, title)| display.client("gears", title, &["--mode", mode]));
    for client in &clients {
        let window = display.window(client);
        let first = display.content(&window);
        assert!(first.lit() > 10_000, "{} of {} pixels are gears", first.lit(), first.pixels.len());
        for color in [0, 1, 2] {
            // Each gear has its own color, and light: many shades of it.
            let of_color = first.count(|p| {
                (0..3).all(|other| other == color || p[other] < p[color] / 2 + 8) && p[color] > 60
            });
            assert!(of_color > 500, "{}: only {of_color} pixels of color {color}", client.title);
        }
        let second = display.changed(&window, &first);
        display.changed(&window, &second);
    }
    let [sp, switch] = clients.map(|client| (display.window(&client), client));
    assert_eq!(display.count(&sp.0, "updates"), 0, "nobody asks the client of the sp gears");
    assert!(
        display.count(&switch.0, "updates") > 0,
        "the client of the switch gears is asked for each frame"
    );
}

#[test]
fn a_stopped_client_changes_nothing() {
    let display = Display::start();
    let client = display.client("gears", "gears", &["--mode", "sp"]);
    let window = display.window(&client);
    let mut before = display.content(&window);

    // A running client sleeps: frames cost it nothing either.
    let asleep = client.usage();
    for _ in 0..CAPTURES {
        before = display.changed(&window, &before);
    }
    assert_eq!(client.usage().since(asleep), Usage::default(), "the client ran while its window was drawn");

    client.signal(Signal::STOP);
    wait_for("the client to stop", || {
        std::fs::read_to_string(format!("/proc/{}/stat", client.pid())).ok()?.contains(") T ").then_some(())
    });
    let stopped = client.usage();
    // The server's frames and the window's runs of redraw go on in step, but for runs that a busy machine
    // drives into a second slice.
    let start = display.progress(&window);
    for _ in 0..CAPTURES {
        before = display.changed(&window, &before);
    }
    let end = display.progress(&window);
    let (frames, redraws) = (end.frames - start.frames, end.redraws - start.redraws);
    assert!(redraws >= CAPTURES as u64);
    assert!(
        frames.abs_diff(redraws) <= end.slices - start.slices,
        "each frame draws the window: {start:?}, {end:?}"
    );

    // Seen from 30 degrees the gears' faces are wide; turned by a right angle they are edges.
    let faces = before.lit();
    let (x, y) = (window.x + 50, window.y + 150);
    display.drag((x, y), (x + 150, y));
    let edges = wait_for("the view to turn", || {
        let lit = display.content(&window).lit();
        (lit < faces * 3 / 4).then_some(lit)
    });
    assert!(edges > 0, "the gears are still there");
    assert!(display.count(&window, "inputs") >= 3, "press, motion, release");
    assert_eq!(client.usage().since(stopped), Usage::default(), "the client is stopped");

    // It goes on as if nothing had been.
    client.signal(Signal::CONT);
    display.changed(&window, &display.content(&window));
}

#[test]
fn close_ends_the_client() {
    let display = Display::start();
    let mut client = display.client("gears", "gears", &["--mode", "sp"]);
    let window = display.window(&client);
    display.control.run(&["close", &window.id]).expect("the server answers");
    assert!(client.end().success(), "{}", client.log());
    wait_for("the window to go", || display.control.windows().ok()?.is_empty().then_some(()));
}

#[test]
fn interrupt_ends_the_client() {
    let display = Display::start();
    for mode in ["sp", "switch"] {
        let mut client = display.client("gears", mode, &["--mode", mode]);
        display.window(&client);
        client.signal(Signal::INT);
        // As the shell expects it of a program that Ctrl-C ends.
        assert_eq!(client.end().signal(), Some(Signal::INT.as_raw()));
    }
    wait_for("the windows to go", || display.control.windows().ok()?.is_empty().then_some(()));
}

#[test]
fn a_client_says_that_the_server_went() {
    let mut display = Display::start();
    let mut clients = ["sp", "switch"].map(|mode| display.client("gears", mode, &["--mode", mode]));
    for client in &clients {
        display.window(client);
    }
    display.kill();
    for client in &mut clients {
        assert_eq!(client.end().code(), Some(1));
        assert!(client.log().contains("server"), "{}", client.log());
    }
}

#[test]
fn frames_and_seconds_end_by_themselves() {
    let display = Display::start();
    let mut by_frames = display.client("gears", "by frames", &["--mode", "switch", "--frames", "10"]);
    assert!(by_frames.end().success(), "{}", by_frames.log());
    let mut by_time = display.client("gears", "by time", &["--mode", "sp", "--seconds", "1"]);
    assert!(by_time.end().success(), "{}", by_time.log());
}
