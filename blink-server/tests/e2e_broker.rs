//! The real server: both processes, its sockets, and `blinkctl`.
#![allow(missing_docs, reason = "a test")]

#[path = "support/process.rs"]
mod process;

use blink_client::seqpacket::{self, Received};
use blink_client::{Connection, Context, Error, ObjectId, Options, Wake, What};
use blinkgl::limits::MAX_APERTURE_BYTES;
use blinkgl::local::{Answer, Hello};
use process::{
    PATIENCE, Server, descriptors, is_red, is_running, launch, raw_socket, red_window, send_signal, until,
};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fd::{AsFd, OwnedFd};
use rustix::process::Signal;
use serde_json::Value;
use std::process::Command;
use std::time::Duration;

/// The server's next packet on a socket; `None`: it hung up.
fn next_packet(socket: &OwnedFd) -> Option<Vec<u8>> {
    let time = Timespec { tv_sec: PATIENCE.as_secs().try_into().unwrap(), tv_nsec: 0 };
    assert_eq!(poll(&mut [PollFd::new(socket, PollFlags::IN)], Some(&time)), Ok(1), "no answer");
    match seqpacket::receive(socket.as_fd()).unwrap() {
        Received::Message(packet, fds) => {
            assert!(fds.is_empty(), "a refusal gives nothing away");
            Some(packet)
        }
        Received::Closed => None,
        Received::Nothing => panic!("ready without a packet"),
    }
}

fn refusal(server: &Server, packet: &[u8]) -> String {
    let socket = raw_socket(&server.socket);
    // As it is: `seqpacket::send` puts what means "elsewhere" into memory.
    rustix::net::send(&socket, packet, rustix::net::SendFlags::empty()).unwrap();
    let Answer::Refused { reason } = Answer::decode(&next_packet(&socket).unwrap()).unwrap() else {
        panic!("{packet:?} was welcome")
    };
    assert_eq!(next_packet(&socket), None, "a refusal ends the connection");
    reason
}

#[test]
fn a_client_draws_and_blinkctl_steers_it() {
    let server = Server::start();
    assert_eq!(server.blinkctl(&["list"]).unwrap(), Value::Array(vec![]));
    let mut connection = server.connect("red\u{1b}").unwrap();
    let mut context = connection.context().unwrap();
    let window = red_window(&mut context);
    let id = format!("{}.0.{window}", connection.client());
    let listed = until("the window", || server.window(&id));
    assert_eq!(
        (&listed["title"], &listed["x"], &listed["y"], &listed["width"]),
        (&"Red".into(), &20.into(), &40.into(), &100.into())
    );
    until("the picture", || is_red(&server, [20, 40, 100, 80]).then_some(()));
    let client = server.blinkctl(&["list"]).unwrap()[0].clone();
    assert_eq!((&client["name"], &client["pid"]), (&"local: red".into(), &std::process::id().into()));

    server.blinkctl(&["move", &id, "150", "100"]).unwrap();
    assert!(is_red(&server, [150, 100, 100, 80]));
    server.blinkctl(&["close", &id]).unwrap();
    until("the wish to close", || {
        assert_ne!(connection.wait(Some(PATIENCE)).unwrap(), Wake::ServerGone);
        std::iter::from_fn(|| context.next_event()).find(|e| e.what == What::Close)
    });
    let stats = server.blinkctl(&["stats"]).unwrap();
    assert_eq!(stats["clients"][0]["pid"], std::process::id());
    for counter in ["cpu_ms", "context_switches"] {
        assert!(stats["clients"][0][counter].is_u64(), "{stats}");
        assert!(stats[format!("renderer_{counter}")].is_u64() && stats[format!("broker_{counter}")].is_u64());
    }

    // Errors say what to do, and go to standard error with exit status 1.
    for command in [["move", "9.0.1", "1", "2"].as_slice(), &["kill", "9"]] {
        let error = server.blinkctl(command).unwrap_err();
        assert!(error.starts_with("blinkctl: there is no ") && error.contains("blinkctl list"), "{error}");
    }

    server.blinkctl(&["kill", &connection.client().to_string()]).unwrap();
    until("the hang-up", || (connection.wait(Some(PATIENCE)).unwrap() == Wake::ServerGone).then_some(()));
    assert_eq!(server.blinkctl(&["list"]).unwrap(), Value::Array(vec![]));
    server.blinkctl(&["quit"]).unwrap();
    until("the end", || (!server.directory.exists()).then_some(()));
    assert!(server.blinkctl(&["list"]).unwrap_err().contains("no Blink server"));
}

/// What the command line allows holds for each client, also in the next renderer.
#[test]
fn programs_over_the_budget_are_refused_with_the_limit() {
    let server = Server::start_with(&["--max-calls", "1"]);
    let mut connection = server.connect("red").unwrap();
    let mut context = connection.context().unwrap();
    red_window(&mut context);
    let error = "V35 at the program's end: needs 2 GL calls at worst, the budget is 1";
    for life in 1..=2 {
        until("the refusal", || {
            let list = server.blinkctl(&["list"]).ok()?;
            list[0]["errors"][0].as_str().is_some_and(|text| text.ends_with(error)).then_some(())
        });
        let refused = until("the event", || {
            assert_ne!(connection.wait(Some(PATIENCE)).unwrap(), Wake::ServerGone);
            let mut events = std::iter::from_fn(|| context.next_event());
            events.find(|event| matches!(event.what, What::ProcedureRejected(_)))
        });
        let What::ProcedureRejected(refused) = refused.what else { unreachable!("{refused:?}") };
        assert_eq!((refused.rule, refused.op_index), (35, 2));
        if life == 1 {
            let old = server.renderer();
            send_signal(old, Signal::KILL);
            server.next_renderer(old);
        }
    }
}

#[test]
fn strangers_are_refused_with_a_reason_and_disturb_nobody() {
    let server = Server::start();
    let mut connection = server.connect("good").unwrap();
    let mut context = connection.context().unwrap();
    red_window(&mut context);
    // Says nothing until the end of the test.
    let silent = raw_socket(&server.socket);
    let good = Hello::new("x", 0);
    let mut bad_magic = good.encode();
    bad_magic[0] ^= 1;
    let too_new = Hello { version_min: 2 << 16, version_max: 3 << 16, ..good.clone() };
    let too_large = Hello { bytes: u64::try_from(MAX_APERTURE_BYTES).unwrap() + 1, ..good.clone() };
    for (packet, reason) in [
        (bad_magic.as_slice(), "another protocol"),
        (b"GET / HTTP/1.1", "another protocol"),
        (&[0], "another protocol"),
        (&too_new.encode(), "the client speaks versions 2.0 to 3.0, this server 1.0"),
        (&too_large.encode(), "1073741825 bytes is out of range"),
        (&Hello { bytes: 4096, ..good }.encode(), "4096 bytes is out of range"),
    ] {
        let found = refusal(&server, packet);
        assert!(found.contains(reason), "{found:?} for {packet:?}");
    }
    let options = Options { name: String::new(), bytes: Some(1) };
    let Err(Error::Refused(reason)) = Connection::open_at(&server.socket, &options) else { panic!() };
    assert!(reason.contains("out of range"));

    let others: Vec<Connection> = (1..8).map(|_| server.connect("many").unwrap()).collect();
    let Err(Error::Refused(reason)) = server.connect("too many") else { panic!("one too many") };
    assert!(reason.contains("has 8 clients, which is the limit for one process"), "{reason}");
    drop(others);
    until("room", || server.connect("again").ok());

    for nonsense in ["", "{}", "[[[[", r#"{"command":"fly"}"#, "\u{0}"] {
        let control = raw_socket(&server.directory.join("s.control"));
        // An empty packet can't be told from a hang-up.
        if !nonsense.is_empty() {
            seqpacket::send(control.as_fd(), nonsense.as_bytes(), &[]).unwrap();
            let answer = next_packet(&control).unwrap();
            let answer: Result<Value, String> = serde_json::from_slice(&answer).unwrap();
            assert!(answer.unwrap_err().starts_with("no command"));
        }
    }

    let Answer::Refused { reason } = Answer::decode(&next_packet(&silent).unwrap()).unwrap() else {
        panic!()
    };
    assert_eq!(reason, "no Hello came within 5 seconds");
    assert_eq!(connection.wait(Some(Duration::ZERO)).map(|w| w == Wake::ServerGone).ok(), Some(false));
    assert!(is_red(&server, [20, 40, 100, 80]));
}

#[test]
fn a_client_that_goes_leaves_no_descriptor() {
    let server = Server::start();
    // One that stays, for which there is a renderer.
    let mut resident = server.connect("stays").unwrap();
    red_window(&mut resident.context().unwrap());
    let (broker, renderer) = (server.broker(), server.renderer());
    let count = || {
        // A `blinkctl` before may not be gone yet; the answer to this one is the last thing before its own end.
        server.blinkctl(&["list"]).unwrap();
        [descriptors(broker), descriptors(renderer)]
    };
    let clients = || server.blinkctl(&["list"]).unwrap().as_array().unwrap().len();
    let before = until("rest", || {
        let [first, second] = [count(), count()];
        (first == second).then_some(first)
    });
    for _ in 0..3 {
        let mut connections: Vec<Connection> = (0..5).map(|_| server.connect("brief").unwrap()).collect();
        let mut contexts: Vec<Context> = connections.iter_mut().map(|c| c.context().unwrap()).collect();
        for context in &mut contexts {
            red_window(context);
        }
        until("all", || (clients() == 6).then_some(()));
        let [with_broker, with_renderer] = count();
        assert!(with_broker >= before[0] + 5 * 4 && with_renderer >= before[1] + 5 * 2);
        server.blinkctl(&["kill", &connections[0].client().to_string()]).unwrap();
        drop(connections);
        drop(contexts);
        until("none", || (clients() == 1).then_some(()));
        until("all descriptors closed", || (count() == before).then_some(()));
    }
}

#[test]
fn a_renderer_that_is_killed_is_no_more_than_a_late_frame() {
    let server = Server::start();
    let mut connections: Vec<Connection> = (0..3).map(|_| server.connect("red").unwrap()).collect();
    let mut contexts: Vec<Context> = connections.iter_mut().map(|c| c.context().unwrap()).collect();
    let windows: Vec<ObjectId> = contexts.iter_mut().map(red_window).collect();
    let id = |i: usize| format!("{}.0.{}", connections[i].client(), windows[i]);
    for (i, x) in ["10", "110", "210"].into_iter().enumerate() {
        until("a window", || server.window(&id(i)));
        server.blinkctl(&["move", &id(i), x, "60"]).unwrap();
    }
    // Neighbours' borders cover some pixels at the sides.
    let all_red = || (0..3).all(|i| is_red(&server, [20 + 100 * i, 60, 80, 80])).then_some(());
    until("the picture", all_red);
    for round in 2..4 {
        let old = server.renderer();
        send_signal(old, Signal::KILL);
        server.next_renderer(old);
        until("the picture", all_red);
        let stats = server.blinkctl(&["stats"]).unwrap();
        assert_eq!(stats["renderer_starts"], round);
        for (i, (connection, context)) in connections.iter().zip(&contexts).enumerate() {
            while connection.wait(Some(Duration::ZERO)).unwrap() == Wake::Events {}
            assert_eq!(connection.wait(Some(Duration::ZERO)).unwrap(), Wake::Timeout);
            assert_eq!(context.server_epoch(), round);
            assert_eq!(server.window(&id(i)).unwrap()["x"], 10 + 100 * i);
        }
    }
}

/// A renderer that takes no messages does not hold anybody up, and is replaced when it stays so.
#[test]
fn a_renderer_that_is_stuck_blocks_nobody() {
    let server = Server::start();
    let mut connection = server.connect("red").unwrap();
    let mut context = connection.context().unwrap();
    let window = red_window(&mut context);
    let id = format!("{}.0.{window}", connection.client());
    until("the window", || server.window(&id));
    let stuck = server.renderer();
    send_signal(stuck, Signal::STOP);
    for _ in 0..100 {
        let other = server.connect("other").unwrap();
        server.blinkctl(&["kill", &other.client().to_string()]).unwrap();
        assert_eq!(other.wait(Some(PATIENCE)).unwrap(), Wake::ServerGone);
    }
    // It catches up when it goes on.
    send_signal(stuck, Signal::CONT);
    assert_eq!(server.blinkctl(&["list"]).unwrap().as_array().unwrap().len(), 1);
    assert_eq!(server.renderer(), stuck);
    send_signal(stuck, Signal::STOP);
    until("its end", || {
        server.connect("other").unwrap();
        (!is_running(stuck)).then_some(())
    });
    server.next_renderer(stuck);
    until("the picture", || is_red(&server, [20, 40, 100, 80]).then_some(()));
    assert_eq!(connection.wait(Some(Duration::ZERO)).map(|w| w == Wake::ServerGone).ok(), Some(false));
}

#[test]
fn nothing_is_left_behind() {
    for signal in [Signal::TERM, Signal::INT] {
        let server = Server::start();
        let connection = server.connect("x").unwrap();
        let renderer = server.renderer();
        let directory = server.directory.clone();
        assert!(server.end(signal).success());
        assert_eq!(connection.wait(Some(PATIENCE)).unwrap(), Wake::ServerGone);
        assert!(!is_running(renderer));
        assert!(!directory.exists());
    }
}

/// A server that is killed outright leaves its files, and the next one takes the place.
#[test]
fn a_dead_server_is_replaced_a_living_one_is_not() {
    let mut server = Server::start();
    let output = Command::new(env!("CARGO_BIN_EXE_blink-server"))
        .args(["--headless", "320x240@60", "--socket"])
        .arg(&server.socket)
        .output()
        .unwrap();
    assert!(!output.status.success());
    assert!(String::from_utf8(output.stderr).unwrap().contains("runs at"));
    let connection = server.connect("x").unwrap();
    let (broker, renderer) = (server.broker(), server.renderer());
    server.child.kill().unwrap();
    server.child.wait().unwrap();
    assert_eq!(connection.wait(Some(PATIENCE)).unwrap(), Wake::ServerGone);
    // The broker closes its sockets one by one: who connects before the last gets no answer.
    until("the broker's end", || (!is_running(broker)).then_some(()));
    until("the renderer's end", || (!is_running(renderer)).then_some(()));
    assert!(server.socket.exists(), "nobody could remove it");
    let error = server.connect("x").unwrap_err();
    assert!(matches!(error, Error::NoServer { .. }), "{error}");
    server.child = launch(&server.socket);
    server.connect("y").unwrap();
}

#[test]
fn a_window_without_a_desktop_is_told_at_once() {
    let output = Command::new(env!("CARGO_BIN_EXE_blink-server"))
        .args(["--window", "--socket", "/nowhere/blink"])
        .env_remove("DISPLAY")
        .env_remove("WAYLAND_DISPLAY")
        .output()
        .unwrap();
    assert!(!output.status.success());
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.lines().count() == 1 && said.contains("--headless"), "{said}");
}
