//! The video player on a real server.

mod support;

use rustix::process::Signal;
use support::{Display, wait_for};

/// evdev codes.
const SPACE: u32 = 57;
const RIGHT: u32 = 106;
const Q: u32 = 16;

/// Captures of a window that must be the same.
const CAPTURES: usize = 10;

#[test]
fn plays_pauses_seeks_and_quits() {
    let display = Display::start();
    let clip = display.clip(20);
    let mut client = display.client("player", "player", &[&clip, "--loop"]);
    let window = display.window(&client);
    assert_eq!((window.width, window.height), (512, 304), "the film's own size");

    let first = display.content(&window);
    for color in [[255, 0, 0], [0, 255, 0], [255, 255, 0], [0, 0, 255], [255, 0, 255], [0, 255, 255]] {
        // Six bars of pure colors, so the matrix from YUV is right.
        let near = first.count(|p| (0..3).all(|i| p[i].abs_diff(color[i]) <= 12));
        assert!(near > 8_000, "{near} pixels are {color:?}");
    }
    let counter = |picture: &support::Picture| picture.part(200, 220, 112, 80);
    let mut before = first;
    for _ in 0..3 {
        let old = counter(&before);
        before = wait_for("the counter to move", || {
            let now = display.content(&window);
            (counter(&now) != old).then_some(now)
        });
    }

    display.key(SPACE);
    let frozen = wait_for("the film to stop", || {
        let (one, two) = (display.content(&window), display.content(&window));
        (one == two).then_some(two)
    });
    let redraws = display.count(&window, "redraws");
    for _ in 0..CAPTURES {
        assert!(display.content(&window) == frozen, "a paused film moves");
    }
    assert_eq!(display.count(&window, "redraws"), redraws, "a paused film is drawn");

    // Seeking shows the other picture at once, and stays paused.
    display.key(RIGHT);
    let sought = display.changed(&window, &frozen);
    wait_for("the film to stop", || (display.content(&window) == display.content(&window)).then_some(()));
    assert!(counter(&sought) != counter(&frozen));

    display.key(SPACE);
    let moving = display.changed(&window, &sought);
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
    wait_for("the last picture", || {
        let redraws = display.count(&window, "redraws");
        std::thread::sleep(std::time::Duration::from_millis(1500));
        (display.count(&window, "redraws") == redraws).then_some(())
    });
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
        (rows(0, 98).lit() == 0 && rows(406, 98).lit() == 0).then_some(picture)
    });
    assert!(picture.part(0, 102, 512, 300).lit() > 140_000);
    display.changed(&tall, &picture);
}

#[test]
fn says_what_cannot_be_played() {
    let display = Display::start();
    let mut client = display.client("player", "player", &["/dev/null"]);
    assert_eq!(client.end().code(), Some(1));
    assert!(client.log().contains("/dev/null"), "{}", client.log());
}
