//! The programs of one animated window on a real server: their pictures move while their clients do nothing.

mod support;

use examples::process::Usage;
use rustix::process::Signal;
use support::{Client, Display, wait_for};

/// Captures of a window of which each must differ from the one before.
const CAPTURES: usize = 5;

/// Stops a client as `kill -STOP` does, and waits until it is.
fn stop(client: &Client) {
    client.signal(Signal::STOP);
    wait_for("the client to stop", || {
        std::fs::read_to_string(format!("/proc/{}/stat", client.pid())).ok()?.contains(") T ").then_some(())
    });
}

#[test]
fn the_clock_of_a_stopped_client_goes_on() {
    let display = Display::start();
    let client = display.client("clock", "clock", &[]);
    let window = display.window(&client);
    stop(&client);
    let stopped = client.usage();
    let mut before = display.content(&window);
    let red = |[r, g, b, _]: [u8; 4]| r > 180 && g < 60 && b < 60;
    for _ in 0..CAPTURES {
        assert!(before.count(red) > 100, "the second's needle is there");
        before = display.changed(&window, &before);
    }
    // Of whole turns of the second's needle one sees only its own: the others moved by less than 7 degrees.
    let needles = |picture: &support::Picture| picture.count(|[r, g, b, _]| r < 40 && g < 40 && b < 50);
    assert!(needles(&before) > 500, "hours and minutes are there: {}", needles(&before));
    assert_eq!(client.usage().since(stopped), Usage::default(), "the client is stopped");
    assert_eq!(display.count(&window, "updates"), 0, "nobody asks it");
    client.signal(Signal::CONT);
    display.changed(&window, &before);
}

#[test]
fn each_moves_without_its_client() {
    let display = Display::start();
    let clients = ["cube", "mirror", "spot", "teapot"].map(|name| display.client(name, name, &[]));
    for client in &clients {
        let window = display.window(client);
        stop(client);
        // On a machine with much else to do, making the first shaders may take the server too long: it tries again.
        let mut before = wait_for(&format!("a picture of {}", client.title), || {
            Some(display.content(&window)).filter(|picture| picture.lit() > 10_000)
        });
        for _ in 0..CAPTURES {
            before = display.changed(&window, &before);
        }
        assert!(!client.log().contains("rule"), "it has no procedure refused: {}", client.log());
    }
}

#[test]
fn they_end_by_close_and_by_time() {
    let display = Display::start();
    let mut closed = display.client("mirror", "closed", &[]);
    let window = display.window(&closed);
    display.control.run(&["close", &window.id]).expect("the server answers");
    assert!(closed.end().success(), "{}", closed.log());
    let mut timed =
        display.client("cube", "timed", &["--seconds", "1", "--size", "200x100", "--at", "10,20"]);
    assert!(timed.end().success(), "{}", timed.log());
}
