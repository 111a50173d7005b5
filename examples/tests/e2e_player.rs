//! The video player on a real server.

mod support;

use examples::control::WindowInfo;
use rustix::process::Signal;
use std::thread::sleep;
use std::time::Duration;
use support::{Display, Picture, signal, wait_for};

/// evdev codes.
const SPACE: u32 = 57;
const LEFT: u32 = 105;
const RIGHT: u32 = 106;
const Q: u32 = 16;

/// Captures of a window that must be the same.
const CAPTURES: usize = 10;

#[test]
fn shows_the_film_in_its_colors_and_its_counter_moves() {
    let display = Display::start();
    let clip = display.clip(20);
    let client = display.client("player", "player", &[&clip, "--loop"]);
    let window = display.window(&client);
    assert_eq!((window.width, window.height), (512, 304), "the film's own size");
    let first = display.content(&window);
    for color in [[255, 0, 0], [0, 255, 0], [255, 255, 0], [0, 0, 255], [255, 0, 255], [0, 255, 255]] {
        // Six bars of pure colors, so the matrix from YUV is right.
        let near = first.count(|p| (0..3).all(|i| p[i].abs_diff(color[i]) <= 12));
        assert!(near > 8_000, "{near} pixels are {color:?}");
    }
    let mut before = counter(&first);
    for _ in 0..3 {
        before = wait_for("the counter to move", || {
            let now = counter(&display.content(&window));
            (now != before).then_some(now)
        });
    }
}

/// The part of the film with its counter.
fn counter(picture: &Picture) -> Picture {
    picture.part(200, 220, 112, 80)
}

/// Waits until nothing is drawn any more. A film that plays is looked at in each frame.
fn wait_for_rest(display: &Display, window: &WindowInfo) {
    wait_for("the film to stop", || {
        let redraws = display.count(window, "redraws");
        sleep(Duration::from_millis(300));
        (display.count(window, "redraws") == redraws).then_some(())
    });
}

#[test]
fn goes_on_after_a_server_that_was_away() {
    let display = Display::start();
    let clip = display.clip_at_rate(10, 25);
    let client = display.client("player", "player", &[&clip, "--loop"]);
    let window = display.window(&client);
    display.changed(&window, &display.content(&window));
    let renderer = display.renderer().expect("it runs");
    signal(renderer, Signal::STOP);
    wait_for("the player to notice", || client.log().contains("takes no pictures").then_some(()));
    signal(renderer, Signal::CONT);
    let mut before = counter(&display.content(&window));
    for _ in 0..3 {
        before = wait_for("the counter to move", || {
            let now = counter(&display.content(&window));
            (now != before).then_some(now)
        });
    }
    assert_eq!(client.log().matches("takes no pictures").count(), 1, "{}", client.log());
}

#[test]
fn pauses_seeks_and_quits() {
    let display = Display::start();
    // So slow that what is decoded would be shown for some seconds, if the pause did not hold it.
    let clip = display.clip_at_rate(30, 2);
    let mut client = display.client("player", "player", &[&clip, "--loop", "--ahead", "16"]);
    let window = display.window(&client);
    display.changed(&window, &display.content(&window));

    let start = display.progress(&window);
    display.key(SPACE);
    wait_for_rest(&display, &window);
    let end = display.progress(&window);
    // Without the pause all would be shown before the rest: 8 pictures at least, 240 frames.
    assert!(end.redraws - start.redraws < 120, "{start:?} to {end:?}");
    assert!(end.frames - start.frames < 120, "{start:?} to {end:?}");
    let frozen = display.content(&window);
    for _ in 0..CAPTURES {
        assert!(display.content(&window) == frozen, "a paused film moves");
    }
    assert_eq!(display.count(&window, "redraws"), end.redraws, "a paused film is drawn");

    // Seeking shows the other picture at once, and stays paused.
    display.key(RIGHT);
    let sought = display.changed(&window, &frozen);
    wait_for_rest(&display, &window);
    assert!(display.content(&window) == sought && counter(&sought) != counter(&frozen));
    display.key(LEFT);
    let back = display.changed(&window, &sought);
    wait_for_rest(&display, &window);
    assert!(back == frozen, "5 s forth and 5 s back");

    display.key(SPACE);
    let moving = display.changed(&window, &back);
    display.changed(&window, &moving);
    display.key(Q);
    assert!(client.end().success(), "{}", client.log());
}

#[test]
fn plays_on_while_its_client_is_stopped_as_far_as_it_decoded() {
    let display = Display::start();
    // Slow: what is decoded must last for several looks at the window, also on a busy machine.
    let clip = display.clip_at_rate(30, 2);
    let client = display.client("player", "player", &[&clip, "--loop", "--ahead", "16"]);
    let window = display.window(&client);
    display.changed(&window, &display.content(&window));
    client.signal(Signal::STOP);
    // What is decoded is shown, picture after picture, then the last stays and nothing is drawn.
    let mut before = display.content(&window);
    for _ in 0..3 {
        before = display.changed(&window, &before);
    }
    wait_for_rest(&display, &window);
    client.signal(Signal::CONT);
    display.changed(&window, &display.content(&window));
}

#[test]
fn ends_with_the_film() {
    let display = Display::start();
    let clip = display.clip(1);
    let mut client = display.client("player", "player", &[&clip]);
    assert!(client.end().success(), "{}", client.log());
}

#[test]
fn blends_and_letterboxes() {
    let display = Display::start();
    let clip = display.clip(20);
    let client = display.client("player", "player", &[&clip, "--loop", "--blend"]);
    let window = display.window(&client);
    display.control.run(&["resize", &window.id, "512", "504"]).expect("the server answers");
    let tall = wait_for("the new size", || display.drawn(&client).filter(|w| w.height == 504));
    let picture = wait_for("the film between bars", || {
        let picture = display.content(&tall);
        let rows = |from, to| picture.part(0, from, 512, to);
        // 100 rows above and below: the film keeps its ratio.
        // On a busy machine, nothing is there for a moment.
        let is_there = rows(102, 300).lit() > 140_000;
        (is_there && rows(0, 98).lit() == 0 && rows(406, 98).lit() == 0).then_some(picture)
    });
    display.changed(&tall, &picture);
}

#[test]
fn says_what_cannot_be_played() {
    let display = Display::start();
    let mut client = display.client("player", "player", &["/dev/null"]);
    assert_eq!(client.end().code(), Some(1));
    assert!(client.log().contains("/dev/null"), "{}", client.log());
}
