//! What a server with real clients survives, and what it does while nothing happens.

mod support;

use examples::process::Usage;
use rustix::process::Signal;
use std::thread::sleep;
use std::time::{Duration, Instant};
use support::{Display, descriptors, shared_mappings, signal, wait_for};

/// What the project promises: all windows are drawn again by then.
const RESTART: Duration = Duration::from_secs(2);

#[test]
fn a_killed_renderer_comes_back_with_all_windows() {
    let display = Display::start();
    let clip = display.clip(20);
    let mut clients = [
        display.client("gears", "gears (sp)", &["--mode", "sp", "--at", "40,60"]),
        display.client("gears", "gears (switch)", &["--mode", "switch", "--at", "400,60"]),
        display.client("player", "player", &[&clip, "--loop", "--at", "40,420"]),
    ];
    let windows = clients.each_ref().map(|client| display.window(client));
    let first = display.renderer().expect("the broker has a renderer");

    signal(first, Signal::KILL);
    let killed = Instant::now();
    let second = wait_for("another renderer", || display.renderer().filter(|pid| *pid != first));
    let again = clients.each_ref().map(|client| display_again(&display, &client.title));
    let took = killed.elapsed();
    assert_ne!(first, second);
    assert!(took < RESTART, "all windows were drawn again only after {took:?}");

    for (before, after) in windows.iter().zip(&again) {
        let place = |w: &examples::control::WindowInfo| (w.x, w.y, w.width, w.height);
        assert_eq!(place(before), place(after), "{} is where it was", after.title);
        // Its client has not noticed: it goes on.
        display.changed(after, &display.content(after));
    }
    for client in &mut clients {
        assert!(client.runs(), "{} ended: {}", client.title, client.log());
    }
}

/// The window of this title, once the renderer of the moment drew it.
fn display_again(display: &Display, title: &str) -> examples::control::WindowInfo {
    wait_for(title, || {
        // Between two renderers nobody answers.
        let windows = display.control.windows().ok()?;
        windows.into_iter().find(|w| w.title == title && w.all["redraws"].as_u64() > Some(0))
    })
}

#[test]
fn a_killed_client_leaves_nothing() {
    let display = Display::start();
    let stays = display.client("gears", "stays", &["--mode", "sp", "--at", "40,60"]);
    let window = display.window(&stays);
    let renderer = display.renderer().expect("the broker has a renderer");
    let held = |pid| (descriptors(pid), shared_mappings(pid));
    // The broker may not yet have closed the last blinkctl's connection: the least of some looks is what stays.
    let looks = (0..20).map(|_| {
        sleep(Duration::from_millis(20));
        (held(display.broker()), held(renderer))
    });
    let before = looks.min().expect("twenty looks");

    for mode in ["sp", "switch"] {
        let goes = display.client("gears", mode, &["--mode", mode, "--at", "400,60"]);
        display.window(&goes);
        assert!(
            descriptors(display.broker()) > before.0.0,
            "a client holds descriptors, so the test sees them"
        );
        assert!(shared_mappings(renderer) > before.1.1, "a client's memory is mapped, so the test sees it");
        goes.signal(Signal::KILL);
        wait_for("the window to go", || (display.control.windows().ok()?.len() == 1).then_some(()));
        wait_for("all that it held to be released", || {
            ((held(display.broker()), held(renderer)) == before).then_some(())
        });
        display.changed(&window, &display.content(&window));
    }
    assert_eq!(display.renderer(), Some(renderer), "the same renderer all the time");
}

#[test]
fn with_nothing_moving_the_server_sleeps() {
    let display = Display::start();
    let client = display.client("hello", "Hello", &[]);
    let window = display.window(&client);
    let picture = display.content(&window);
    assert!(picture.lit() > 1000, "the window shows something");
    let renderer = display.renderer().expect("the broker has a renderer");

    // Until the last frame that the start asked for is made, and the compiler is done.
    let processes = [display.broker(), renderer, client.pid()];
    let used = || processes.map(|pid| Usage::of(pid).expect("the process is there"));
    let settled = || {
        let before = used();
        std::thread::sleep(Duration::from_millis(500));
        (used() == before).then_some(())
    };
    wait_for("the server to sleep", settled);

    let frames = display.frames();
    wait_for("the server to sleep again", settled);
    let before = used();
    std::thread::sleep(Duration::from_secs(5));
    for (after, before) in used().into_iter().zip(before) {
        assert_eq!(
            after.since(before),
            Usage::default(),
            "woken up, or on a CPU, in 5 s in which nothing happened"
        );
    }
    assert_eq!(display.frames(), frames, "frames made in 5 s in which nothing happened");
    assert!(display.content(&window) == picture);
}
