//! Attacks on the real server: over its sockets, and with the descriptors that it shares with a client.
//!
//! Beside each, a client that behaves has a red window, which must be there, and red, at the end, drawn by the
//! renderer of the start.
#![allow(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::wildcard_enum_match_arm,
    missing_docs,
    reason = "a test"
)]

#[path = "support/process.rs"]
mod process;

use blink_client::seqpacket::{self, Received};
use blink_client::{Connection, Context};
use blinkgl::layout::{
    DATA_PAGE, ObjectType, SLOT_WORDS, Slot, WINDOW_WORDS, WindowDesc, aperture, context, slot_offset,
};
use blinkgl::limits::{MAX_EXTENTS, MAX_OBJECTS, MIN_APERTURE_BYTES, PAGE_SIZE};
use blinkgl::local::{Answer, Hello};
use process::{Server, descriptors, is_red, raw_socket, red_window, rest, send_signal, until};
use rustix::fd::{AsFd, BorrowedFd, OwnedFd};
use rustix::fs::{FallocateFlags, OFlags};
use rustix::io::Errno;
use rustix::process::Signal;
use std::time::Instant;

/// A client's own ends, as it gets them, without a library between.
struct Hostile {
    socket: OwnedFd,
    memory: OwnedFd,
    doorbell: OwnedFd,
    wake: OwnedFd,
    id: u32,
}

impl Hostile {
    fn connect(server: &Server) -> Hostile {
        let socket = raw_socket(&server.socket);
        let hello = Hello::new("evil", MIN_APERTURE_BYTES as u64);
        seqpacket::send(socket.as_fd(), &hello.encode(), &[]).unwrap();
        let (packet, fds) = until("the welcome", || match seqpacket::receive(socket.as_fd()).unwrap() {
            Received::Message(packet, fds) => Some((packet, fds)),
            Received::Nothing => None,
            Received::Closed => panic!("refused"),
        });
        let Answer::Welcome { client, .. } = Answer::decode(&packet).unwrap() else { panic!("refused") };
        let [memory, doorbell, wake] = <[OwnedFd; 3]>::try_from(fds).unwrap();
        Hostile { socket, memory, doorbell, wake, id: client }
    }

    fn write(&self, offset: usize, words: &[u32]) {
        let bytes: Vec<u8> = words.iter().flat_map(|word| word.to_le_bytes()).collect();
        assert_eq!(rustix::io::pwrite(&self.memory, &bytes, offset as u64), Ok(bytes.len()));
    }

    fn read(&self, offset: usize) -> u32 {
        let mut bytes = [0; 4];
        assert_eq!(rustix::io::pread(&self.memory, &mut bytes, offset as u64), Ok(4));
        u32::from_le_bytes(bytes)
    }

    /// Offset in context 0.
    fn at(offset: usize) -> usize {
        PAGE_SIZE + offset
    }

    /// Makes context 0 of all pages.
    fn open(&self) {
        let pages = (MIN_APERTURE_BYTES / PAGE_SIZE - 1) as u32;
        self.write(aperture::DIRECTORY, &[1, 1, pages]);
    }

    fn ring(&self) -> Result<usize, Errno> {
        rustix::io::write(&self.doorbell, &1u64.to_le_bytes())
    }

    /// Commits a window in slot 0 and waits until the server has seen that.
    fn commit_window(&self, version: u32, desc: &WindowDesc) {
        let words: [u32; WINDOW_WORDS] = desc.encode();
        self.write(Hostile::at(DATA_PAGE * PAGE_SIZE), &words);
        let mut extents = [(0, 0); MAX_EXTENTS];
        extents[0] = (DATA_PAGE as u32, 1);
        let slot = Slot {
            version,
            oid: 1,
            type_code: ObjectType::Window as u32,
            bytes: (WINDOW_WORDS * 4) as u32,
            extent_count: 1,
            params: [0; 8],
            extents,
        };
        let slot: [u32; SLOT_WORDS] = slot.encode();
        self.write(Hostile::at(slot_offset(0)), &slot);
        self.write(Hostile::at(context::SLOTS), &[1]);
        self.write(Hostile::at(context::COMMIT), &[version]);
        self.ring().unwrap();
        until("the scan", || (self.read(Hostile::at(context::SCANNED)) == version).then_some(()));
    }
}

/// A server with a client that behaves.
struct Scene {
    server: Server,
    _connection: Connection,
    context: Context,
    renderer: u32,
}

impl Scene {
    fn new(server: Server) -> Scene {
        let mut connection = server.connect("good").unwrap();
        let mut context = connection.context().unwrap();
        red_window(&mut context);
        until("the picture", || is_red(&server, [20, 40, 100, 80]).then_some(()));
        let renderer = server.renderer();
        Scene { server, _connection: connection, context, renderer }
    }

    /// After an attack.
    fn check(&mut self) {
        until("the picture", || is_red(&self.server, [20, 40, 100, 80]).then_some(()));
        assert_eq!(self.server.renderer(), self.renderer, "the renderer was restarted");
        let told: Vec<String> =
            std::iter::from_fn(|| self.context.next_event()).map(|event| format!("{event:?}")).collect();
        assert!(told.len() < 5 && !told.iter().any(|e| e.contains("Rejected")), "{told:?}");
    }

    fn clients(&self) -> usize {
        self.server.blinkctl(&["list"]).unwrap().as_array().unwrap().len()
    }
}

fn nonblocking(fd: &OwnedFd, on: bool) {
    let flags = rustix::fs::fcntl_getfl(fd).unwrap();
    rustix::fs::fcntl_setfl(fd, if on { flags | OFlags::NONBLOCK } else { flags - OFlags::NONBLOCK })
        .unwrap();
}

#[test]
fn a_doorbell_storm_wakes_nobody_more_than_some_times_a_frame() {
    let mut scene = Scene::new(Server::start());
    let hostile = Hostile::connect(&scene.server);
    hostile.open();
    until("the client", || (scene.clients() == 2).then_some(()));
    let wakeups = || scene.server.blinkctl(&["stats"]).unwrap()["wakeups"].as_u64().unwrap();
    let (before, start) = (wakeups(), Instant::now());
    nonblocking(&hostile.doorbell, true);
    let mut rung = 0u64;
    for _ in 0..300_000 {
        rung += u64::from(hostile.ring().is_ok());
    }
    let after = wakeups();
    let frames = (start.elapsed().as_secs_f64() * 60.0).ceil() as u64 + 2;
    assert!(rung == 300_000);
    // The renderer hears the doorbell and its frame; the glass its wish, its answer, and the time.
    assert!(after - before <= 5 * frames + 20, "{} wake-ups in at most {frames} frames", after - before);
    // It is still heard.
    hostile.commit_window(2, &WindowDesc { x: 200, y: 100, width: 50, height: 50, ..WindowDesc::default() });
    // And costs nothing when it is silent: nothing but the commands themselves wakes glass and renderer.
    let quiet = until("rest", || {
        let [first, second] = [wakeups(), wakeups()];
        (second - first <= 4).then_some(second)
    });
    std::thread::sleep(std::time::Duration::from_millis(300));
    assert!(wakeups() - quiet <= 6, "a silent client keeps the renderer awake");
    scene.check();
}

#[test]
fn descriptors_with_other_flags_and_full_of_rubbish() {
    let mut scene = Scene::new(Server::start());
    for blocking in [true, false] {
        let hostile = Hostile::connect(&scene.server);
        hostile.open();
        for fd in [&hostile.doorbell, &hostile.wake, &hostile.socket] {
            nonblocking(fd, !blocking);
        }
        // Memory can't be taken from under the server.
        for size in [0, 1, (MIN_APERTURE_BYTES - 1) as u64, 1 << 40] {
            assert_eq!(rustix::fs::ftruncate(&hostile.memory, size), Err(Errno::PERM));
        }
        let seals = rustix::fs::SealFlags::WRITE;
        assert_eq!(rustix::fs::fcntl_add_seals(&hostile.memory, seals), Err(Errno::PERM));
        hostile
            .commit_window(2, &WindowDesc { x: 200, y: 150, width: 50, height: 50, ..WindowDesc::default() });
        // The doorbell is full: whoever wrote to it would block.
        nonblocking(&hostile.doorbell, true);
        let full = rustix::io::write(&hostile.doorbell, &(u64::MAX - 2).to_le_bytes());
        assert!(full.is_ok() || full == Err(Errno::AGAIN));
        // Wake-ups that nobody takes, and rubbish for the other end.
        while rustix::net::send(&hostile.wake, &[7; 1000], rustix::net::SendFlags::DONTWAIT).is_ok() {}
        let id = format!("{}.0.1", hostile.id);
        for x in ["150", "160", "200"] {
            scene.server.blinkctl(&["move", &id, x, "150"]).unwrap();
        }
        // Holes in the memory read as zeros.
        let punch = FallocateFlags::PUNCH_HOLE | FallocateFlags::KEEP_SIZE;
        rustix::fs::fallocate(&hostile.memory, punch, 0, MIN_APERTURE_BYTES as u64).unwrap();
        hostile.write(Hostile::at(context::COMMIT), &[4]);
        // Its doorbell is full: the broker's commands make frames that see it all the same.
        scene.check();
    }
    until("the end of the others", || (scene.clients() == 1).then_some(()));
}

#[test]
fn rubbish_on_the_socket_and_descriptors_nobody_asked_for() {
    let mut scene = Scene::new(Server::start());
    let broker = scene.server.broker();
    let count = || {
        scene.server.blinkctl(&["list"]).unwrap();
        [descriptors(broker), descriptors(scene.renderer)]
    };
    let before = until("rest", || {
        let [first, second] = [count(), count()];
        (first == second).then_some(first)
    });
    for round in 0..3 {
        let hostile = Hostile::connect(&scene.server);
        let sent: Vec<BorrowedFd<'_>> =
            [&hostile.memory, &hostile.doorbell, &hostile.wake].map(AsFd::as_fd).into();
        for size in [1, 2, 88, 4096, 60_000] {
            for _ in 0..20 {
                let _sent = seqpacket::try_send(hostile.socket.as_fd(), &vec![round; size], &sent);
            }
        }
        // Before a Hello, too, and never one.
        let stranger = raw_socket(&scene.server.socket);
        let _sent = seqpacket::try_send(stranger.as_fd(), &[9; 1000], &sent);
        // A packet too long closes the connection of who sent it.
        let long = vec![1; seqpacket::MAX_PACKET + 1];
        let _sent = rustix::net::send(&hostile.socket, &long, rustix::net::SendFlags::NOSIGNAL);
        until("the hang-up", || match seqpacket::receive(hostile.socket.as_fd()) {
            Ok(Received::Closed) | Err(_) => Some(()),
            Ok(_) => None,
        });
    }
    // Many that connect and say nothing.
    let silent: Vec<OwnedFd> = (0..200).map(|_| raw_socket(&scene.server.socket)).collect();
    assert_eq!(scene.clients(), 1);
    drop(silent);
    until("all descriptors closed", || (count() == before).then_some(()));
    scene.check();
}

#[test]
fn a_flood_of_mistakes_is_some_lines_of_log() {
    let log = std::env::temp_dir().join(format!("blink-hostile-{}.log", std::process::id()));
    let mut scene = Scene::new(Server::start_logged(&log));
    let hostile = Hostile::connect(&scene.server);
    hostile.open();
    // 512 objects, each of a type that is none, in each commit.
    for commit in 1..=60u32 {
        for slot in 0..MAX_OBJECTS {
            hostile.write(Hostile::at(slot_offset(slot)), &[2 * commit, slot as u32 + 1, 99]);
        }
        hostile.write(Hostile::at(context::SLOTS), &[MAX_OBJECTS as u32]);
        hostile.write(Hostile::at(context::COMMIT), &[2 * commit]);
        hostile.ring().unwrap();
        until("the scan", || (hostile.read(Hostile::at(context::SCANNED)) == 2 * commit).then_some(()));
    }
    // Strangers with mistakes of their own.
    for _ in 0..200 {
        let stranger = raw_socket(&scene.server.socket);
        let _sent = seqpacket::try_send(stranger.as_fd(), b"rubbish", &[]);
    }
    let list = scene.server.blinkctl(&["list"]).unwrap();
    let errors = &list.as_array().unwrap().iter().find(|c| c["client"] == hostile.id).unwrap()["errors"];
    assert_eq!(errors.as_array().unwrap().len(), 8, "{errors}");
    scene.check();
    let lines = std::fs::read_to_string(&log).unwrap().lines().count();
    std::fs::remove_file(&log).unwrap();
    assert!(lines < 120, "{lines} lines of log for 30,720 mistakes and 200 strangers");
}

/// A keeper that is slow, while clients come and go: nobody suffers, nothing spins, and in the end it knows all.
#[test]
fn clients_that_come_and_go_faster_than_the_keeper_listens() {
    let mut scene = Scene::new(Server::start());
    let keeper = scene.server.child.id();
    let before = descriptors(keeper);
    let broker = scene.server.broker();
    let victim = Hostile::connect(&scene.server);
    send_signal(keeper, Signal::STOP);
    let mut last = 0;
    for _ in 0..600 {
        last = Hostile::connect(&scene.server).id;
    }
    // Who is thrown out learns it, whoever has copies of the connection.
    scene.server.blinkctl(&["kill", &victim.id.to_string()]).unwrap();
    until("the end", || {
        matches!(seqpacket::receive(victim.socket.as_fd()), Ok(Received::Closed) | Err(_)).then_some(())
    });
    let stays = Hostile::connect(&scene.server);
    // Sockets that are closed on the other side do not wake the broker for ever.
    rest(broker);
    send_signal(keeper, Signal::CONT);
    rest(keeper);
    assert_eq!(
        descriptors(keeper),
        before + 4,
        "connection, memory, doorbell and wake of the one that stays"
    );
    send_signal(broker, Signal::KILL);
    until("the next broker", || {
        let stats = scene.server.blinkctl(&["stats"]).ok()?;
        (stats["broker_pid"].as_u64() != Some(broker.into())).then_some(())
    });
    assert!(matches!(seqpacket::receive(stays.socket.as_fd()), Ok(Received::Nothing)));
    assert_eq!(scene.clients(), 2, "the good one, and the one that stayed");
    let next = Hostile::connect(&scene.server);
    assert!(next.id > stays.id && stays.id > last, "{} {} {last}", next.id, stays.id);
    scene.renderer = scene.server.renderer();
    scene.check();
}
