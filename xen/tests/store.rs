//! XenStore's client against daemons that do what they should, and against some that don't.
#![allow(missing_docs, reason = "test")]

use rustix::fd::{AsFd, OwnedFd};
use rustix::net::{AddressFamily, SocketFlags, SocketType, socketpair};
use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::time::{Duration, Instant};
use xen::fake::FakeStore;
use xen::store::wire::{Header, Message};
use xen::store::{Access, Permission, Store, StoreError, WatchEvent};

const READ: u32 = 2;
const WATCH: u32 = 4;
const EVENT: u32 = 15;
const ERROR: u32 = 16;

/// A store, and the daemon's end of it.
fn scripted() -> (Store, UnixStream) {
    let (ours, theirs) =
        socketpair(AddressFamily::UNIX, SocketType::STREAM, SocketFlags::CLOEXEC, None).unwrap();
    (Store::over(ours), UnixStream::from(theirs))
}

fn message(kind: u32, request: u32, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).unwrap();
    Message { header: Header { kind, request, transaction: 0, length }, payload: payload.to_vec() }.encode()
}

/// Reads one request; the daemon's side.
fn request(daemon: &mut UnixStream) -> Message {
    let mut head = [0; 16];
    daemon.read_exact(&mut head).unwrap();
    let header = Header::decode(&head).unwrap();
    let mut payload = vec![0; header.length as usize];
    daemon.read_exact(&mut payload).unwrap();
    Message { header, payload }
}

/// Answers the next request with these bytes, made of its number.
fn answering(
    mut daemon: UnixStream,
    answer: impl FnOnce(u32) -> Vec<u8> + Send + 'static,
) -> std::thread::JoinHandle<(Message, UnixStream)> {
    std::thread::spawn(move || {
        let asked = request(&mut daemon);
        daemon.write_all(&answer(asked.header.request)).unwrap();
        (asked, daemon)
    })
}

fn event(path: &str, token: &str) -> WatchEvent {
    WatchEvent { path: path.into(), token: token.into() }
}

#[test]
fn requests_are_the_bytes_of_the_protocol() {
    type Ask = fn(&mut Store) -> Result<(), StoreError>;
    let cases: [(Ask, u32, &[u8], &[u8]); 9] = [
        (|s| s.read("a/b").map(|value| assert_eq!(value.as_deref(), Some("x y"))), 2, b"a/b\0", b"x y"),
        (|s| s.write("a/b", "value"), 11, b"a/b\0value", b"OK\0"),
        (|s| s.write("a/b", ""), 11, b"a/b\0", b"OK\0"),
        (|s| s.remove("/a"), 13, b"/a\0", b"OK\0"),
        (|s| s.list("/a").map(|names| assert_eq!(names, ["b", "c"])), 1, b"/a\0", b"b\0c\0"),
        (|s| s.watch("a", "t"), 4, b"a\0t\0", b"OK\0"),
        (|s| s.unwatch("a", "t"), 5, b"a\0t\0", b"OK\0"),
        (|s| s.is_introduced(7).map(|is| assert!(is)), 17, b"7\0", b"T\0"),
        (
            |s| {
                let of = |domain, access| Permission { domain, access };
                s.set_permissions(
                    "a",
                    &[of(3, Access::None), of(0, Access::Read), of(1, Access::Write), of(2, Access::Both)],
                )
            },
            14,
            b"a\0n3\0r0\0w1\0b2\0",
            b"OK\0",
        ),
    ];
    for (ask, kind, payload, reply) in cases {
        let (mut store, daemon) = scripted();
        let daemon = answering(daemon, move |request| message(kind, request, reply));
        ask(&mut store).unwrap();
        let (asked, _) = daemon.join().unwrap();
        assert_eq!((asked.header.kind, asked.header.transaction), (kind, 0));
        assert_eq!(asked.payload, payload, "{:?}", String::from_utf8_lossy(&asked.payload));
    }
}

#[test]
fn what_is_not_there_is_no_error() {
    for (name, is_absent) in [("ENOENT", true), ("EACCES", false)] {
        for ask in [
            |s: &mut Store| s.read("x").map(|value| assert_eq!(value, None)),
            |s: &mut Store| s.list("x").map(|names| assert!(names.is_empty())),
            |s: &mut Store| s.remove("x"),
        ] {
            let (mut store, daemon) = scripted();
            let daemon =
                answering(daemon, move |request| message(ERROR, request, format!("{name}\0").as_bytes()));
            let result = ask(&mut store);
            daemon.join().unwrap();
            if is_absent {
                assert_eq!(result, Ok(()));
            } else {
                assert_eq!(result, Err(StoreError::Refused { path: "x".into(), reason: name.into() }));
            }
        }
    }
}

#[test]
fn events_between_a_request_and_its_reply_are_kept() {
    let (mut store, daemon) = scripted();
    let daemon = answering(daemon, |request| {
        let mut bytes = message(EVENT, 0, b"a/b\0one\0");
        bytes.extend(message(EVENT, 0, b"a/b\0one\0"));
        bytes.extend(message(EVENT, 77, b"a/c\0two\0"));
        bytes.extend(message(READ, request, b"value"));
        bytes.extend(message(EVENT, 0, b"@releaseDomain\0three\0"));
        bytes
    });
    assert!(!store.has_events());
    assert_eq!(store.next_event(), Ok(None), "never waits");
    assert_eq!(store.read("v"), Ok(Some("value".into())));
    daemon.join().unwrap();
    assert!(store.has_events());
    assert_eq!(store.next_event(), Ok(Some(event("a/b", "one"))), "two that are equal are one");
    assert_eq!(store.next_event(), Ok(Some(event("a/c", "two"))));
    assert_eq!(store.next_event(), Ok(Some(event("@releaseDomain", "three"))));
    assert!(!store.has_events());
    assert_eq!(store.next_event(), Err(StoreError::Closed), "the daemon is gone");
}

/// Bytes come as they come.
#[test]
fn messages_in_pieces_are_put_together() {
    let (mut store, mut daemon) = scripted();
    let slow = std::thread::spawn(move || {
        let asked = request(&mut daemon);
        let mut bytes = message(EVENT, 0, b"a\0t\0");
        bytes.extend(message(READ, asked.header.request, b"value"));
        for byte in bytes {
            daemon.write_all(&[byte]).unwrap();
            std::thread::sleep(Duration::from_micros(200));
        }
        daemon
    });
    assert_eq!(store.read("v"), Ok(Some("value".into())));
    assert_eq!(store.next_event(), Ok(Some(event("a", "t"))));
    let mut daemon = slow.join().unwrap();
    daemon.write_all(&message(EVENT, 0, b"a\0t\0")[..17]).unwrap();
    assert_eq!(store.next_event(), Ok(None), "half an event is none");
}

#[test]
fn malformed_answers_end_it() {
    type Answer = fn(u32) -> Vec<u8>;
    let cases: [(&str, Answer); 4] = [
        ("too long", |request| {
            Header { kind: READ, request, transaction: 0, length: 4097 }.encode().to_vec()
        }),
        ("another kind", |request| message(WATCH, request, b"OK\0")),
        ("a kind that there is not", |request| message(99, request, b"OK\0")),
        ("an event without a name", |_| message(EVENT, 0, b"path\0")),
    ];
    for (what, answer) in cases {
        let (mut store, daemon) = scripted();
        let daemon = answering(daemon, answer);
        let error = store.read("v").unwrap_err();
        assert!(matches!(error, StoreError::Malformed(_)), "{what}: {error}");
        let _daemon = daemon.join().unwrap();
        // And stays so: what follows can't be told apart.
        assert_eq!(store.read("v"), Err(error.clone()));
        assert_eq!(store.next_event(), Err(error));
    }
}

#[test]
fn values_that_are_no_text_are_an_error_of_that_node_only() {
    let (mut store, mut daemon) = scripted();
    let daemon = std::thread::spawn(move || {
        for value in [&b"\xff\xfe"[..], b"text"] {
            let asked = request(&mut daemon);
            daemon.write_all(&message(READ, asked.header.request, value)).unwrap();
        }
    });
    assert_eq!(store.read("v"), Err(StoreError::NoText { path: "v".into() }));
    assert_eq!(store.read("v"), Ok(Some("text".into())));
    daemon.join().unwrap();
}

#[test]
fn what_cannot_be_sent_is_not() {
    let (mut store, _daemon) = scripted();
    let long = "x".repeat(4096);
    for result in [
        store.read("a\0b").map(|_| ()),
        store.read(&long).map(|_| ()),
        store.write("a", &long),
        store.watch("a", "t\0u"),
    ] {
        assert!(matches!(result, Err(StoreError::Unsendable { .. })), "{result:?}");
    }
}

#[test]
fn a_reply_that_does_not_come_is_an_error_and_a_late_one_is_dropped() {
    let (mut store, mut daemon) = scripted();
    let begin = Instant::now();
    assert_eq!(store.read("slow"), Err(StoreError::NoAnswer));
    assert!(begin.elapsed() >= Duration::from_secs(5));
    let late = request(&mut daemon);
    daemon.write_all(&message(READ, late.header.request, b"late")).unwrap();
    assert_eq!(store.next_event(), Ok(None));
    let daemon = answering(daemon, |request| {
        let mut bytes = message(READ, request - 1, b"later still");
        bytes.extend(message(READ, request, b"in time"));
        bytes
    });
    assert_eq!(store.read("quick"), Ok(Some("in time".into())));
    daemon.join().unwrap();
}

#[test]
fn a_daemon_that_goes_is_an_error() {
    let (mut store, daemon) = scripted();
    drop(daemon);
    assert_eq!(store.read("v"), Err(StoreError::Closed));
    assert_eq!(store.next_event(), Err(StoreError::Closed));
}

/// A domain that changes nodes all the time must not fill our memory.
#[test]
fn events_that_nobody_takes_are_bounded() {
    let (mut store, mut daemon) = scripted();
    let flood = std::thread::spawn(move || {
        let asked = request(&mut daemon);
        for i in 0..20_000 {
            let token = if i % 2 == 0 { "one" } else { "two" };
            daemon.write_all(&message(EVENT, 0, format!("a/{i}\0{token}\0").as_bytes())).unwrap();
        }
        daemon.write_all(&message(EVENT, 0, b"b\0three\0")).unwrap();
        daemon.write_all(&message(READ, asked.header.request, b"value")).unwrap();
        daemon
    });
    assert_eq!(store.read("v"), Ok(Some("value".into())));
    let _daemon = flood.join().unwrap();
    let mut events = Vec::new();
    while let Some(event) = store.next_event().unwrap() {
        events.push(event);
    }
    assert_eq!(events.len(), 1025, "and the one of the watch that had none yet");
    assert_eq!(events[0], event("a", "one"), "it stands for all that were left out");
    assert_eq!(events[2], event("a/2", "one"));
    assert_eq!(events.last(), Some(&event("b", "three")));
}

#[test]
fn a_transaction_is_all_or_nothing() {
    let fake = FakeStore::new();
    let mut store = fake.connect(5);
    let done: Result<u32, StoreError> = store.transaction(|store| {
        store.write("a", "1")?;
        assert_eq!(fake.get("/local/domain/5/a"), None, "not yet");
        assert_eq!(store.read("a")?, Some("1".into()), "but here");
        store.write("b", "2")?;
        Ok(7)
    });
    assert_eq!(done, Ok(7));
    assert_eq!(fake.history(), ["/local/domain/5/a=1 /local/domain/5/b=2"]);
    let stopped: Result<(), StoreError> = store.transaction(|store| {
        store.write("a", "3")?;
        Err(StoreError::Busy)
    });
    assert_eq!(stopped, Err(StoreError::Busy));
    assert_eq!(store.read("a"), Ok(Some("1".into())), "and none is under way");
}

#[test]
fn a_transaction_that_others_got_in_the_way_of_begins_anew() {
    let fake = FakeStore::new();
    let mut store = fake.connect(5);
    let mut attempts = 0;
    let done: Result<(), StoreError> = store.transaction(|store| {
        attempts += 1;
        let seen = store.read("/other")?.unwrap_or_default();
        if attempts < 3 {
            fake.set("/other", &attempts.to_string());
        }
        store.write("a", &seen)
    });
    assert_eq!((done, attempts), (Ok(()), 3));
    assert_eq!(fake.get("/local/domain/5/a").as_deref(), Some("2"), "what was there in the end");

    fake.fail_transactions(u32::MAX);
    let mut attempts = 0;
    let done: Result<(), StoreError> = store.transaction(|store| {
        attempts += 1;
        store.write("a", "never")
    });
    assert_eq!((done, attempts), (Err(StoreError::Busy), 32));
    assert_eq!(fake.get("/local/domain/5/a").as_deref(), Some("2"));
}

#[test]
fn watches_tell_of_a_node_and_of_all_below_it() {
    let fake = FakeStore::new();
    let mut store = fake.connect(0);
    let mut guest = fake.connect(5);
    let next = |store: &mut Store| {
        let end = Instant::now() + Duration::from_secs(5);
        loop {
            match store.next_event().unwrap() {
                Some(event) => return event,
                None => assert!(Instant::now() < end, "no event"),
            }
            std::thread::sleep(Duration::from_millis(1));
        }
    };
    store.watch("/local/domain/5/device", "device").unwrap();
    assert_eq!(next(&mut store), event("/local/domain/5/device", "device"), "at once");
    guest.write("device/blink/0/state", "3").unwrap();
    assert_eq!(next(&mut store), event("/local/domain/5/device/blink/0/state", "device"));
    guest.write("devices", "no").unwrap();
    guest.remove("device/blink").unwrap();
    assert_eq!(next(&mut store), event("/local/domain/5/device/blink", "device"));
    store.watch("@releaseDomain", "gone").unwrap();
    assert_eq!(next(&mut store), event("@releaseDomain", "gone"));
    assert_eq!(store.is_introduced(5), Ok(true));
    fake.release_domain(5);
    assert_eq!(next(&mut store), event("@releaseDomain", "gone"));
    assert_eq!(store.is_introduced(5), Ok(false));
    assert_eq!(store.list("/local/domain"), Ok(vec!["5".into()]));
    store.unwatch("/local/domain/5/device", "device").unwrap();
    guest.write("device/x", "1").unwrap();
    assert_eq!(store.next_event(), Ok(None));
    let _: OwnedFd = store.as_fd().try_clone_to_owned().unwrap();
}
