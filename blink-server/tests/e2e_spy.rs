//! What a client can learn of others, by all that the server writes into its memory and by how it wakes it.
#![allow(clippy::cast_possible_truncation, missing_docs, reason = "a test")]

#[path = "support/process.rs"]
mod process;

use blink_client::seqpacket::{self, Received};
use blink_client::{Connection, Context, Event, ObjectId, What, WindowDesc};
use blink_server::ipc::{ClientId, Command as Ask, Input, WindowId};
use blinkgl::gl::ClearMask;
use blinkgl::layout::{aperture, context};
use blinkgl::limits::{MIN_APERTURE_BYTES, PAGE_SIZE};
use blinkgl::local::{Answer, Hello};
use blinkgl::ops::External;
use blinkgl::{Callback, Recorder, Reg};
use process::{PolicyFile, Server, raw_socket, until};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fd::{AsFd, OwnedFd};
use std::time::Duration;

/// A client that only looks.
struct Spy {
    _socket: OwnedFd,
    memory: OwnedFd,
    doorbell: OwnedFd,
    wake: OwnedFd,
}

impl Spy {
    /// It asks to be told of presented frames, too, though it has no window.
    fn connect(server: &Server) -> Spy {
        let socket = raw_socket(&server.socket);
        let hello = Hello::new("spy", MIN_APERTURE_BYTES as u64);
        seqpacket::send(socket.as_fd(), &hello.encode(), &[]).expect("the server listens");
        let (packet, fds) =
            until("the welcome", || match seqpacket::receive(socket.as_fd()).expect("an answer") {
                Received::Message(packet, fds) => Some((packet, fds)),
                Received::Nothing => None,
                Received::Closed => panic!("refused"),
            });
        assert!(matches!(Answer::decode(&packet), Ok(Answer::Welcome { .. })), "refused");
        let [memory, doorbell, wake] = <[OwnedFd; 3]>::try_from(fds).expect("three descriptors");
        let spy = Spy { _socket: socket, memory, doorbell, wake };
        let pages = (MIN_APERTURE_BYTES / PAGE_SIZE - 1) as u32;
        spy.write(aperture::DIRECTORY, &[1, 1, pages]);
        spy.write(PAGE_SIZE + context::WANT_PRESENTED, &[1]);
        spy.write(PAGE_SIZE + context::COMMIT, &[2]);
        rustix::io::write(&spy.doorbell, &1u64.to_le_bytes()).expect("room");
        until("the scan", || (spy.read(PAGE_SIZE + context::SCANNED) == 2).then_some(()));
        spy
    }

    fn write(&self, at: usize, words: &[u32]) {
        let bytes: Vec<u8> = words.iter().flat_map(|word| word.to_le_bytes()).collect();
        assert_eq!(rustix::io::pwrite(&self.memory, &bytes, at as u64), Ok(bytes.len()));
    }

    fn read(&self, at: usize) -> u32 {
        let mut bytes = [0; 4];
        assert_eq!(rustix::io::pread(&self.memory, &mut bytes, at as u64), Ok(4));
        u32::from_le_bytes(bytes)
    }

    /// Everything that it shares with the server: status, clock, events.
    fn all(&self) -> Vec<u8> {
        let mut bytes = vec![0; MIN_APERTURE_BYTES];
        assert_eq!(rustix::io::pread(&self.memory, &mut bytes, 0), Ok(bytes.len()));
        bytes
    }

    /// Was it woken since the last call?
    fn was_woken(&self) -> bool {
        let at_once = Timespec { tv_sec: 0, tv_nsec: 0 };
        let mut was = false;
        while poll(&mut [PollFd::new(&self.wake, PollFlags::IN)], Some(&at_once)) == Ok(1) {
            was = true;
            let mut bytes = [0; 64];
            let taken = rustix::net::recv(&self.wake, &mut bytes, rustix::net::RecvFlags::DONTWAIT);
            assert!(taken.is_ok_and(|(count, _)| count > 0), "the wake socket closed");
        }
        was
    }
}

/// A client with a window, whose `redraw` writes into registers that the client sees where the pointer is.
struct Client {
    connection: Connection,
    context: Context,
    window: ObjectId,
    registers: ObjectId,
}

/// Registers: where the pointer is, whether it is inside.
const X: u32 = 4;
const Y: u32 = 5;
const INSIDE: u32 = 6;

impl Client {
    fn new(server: &Server, name: &str, x: i32) -> Client {
        let mut connection = server.connect(name).expect("the server takes clients");
        let mut context = connection.context().expect("a context");
        let mut redraw = Recorder::new();
        redraw.clear(ClearMask::COLOR);
        let reads = [(X, External::PointerX), (Y, External::PointerY), (INSIDE, External::PointerInside)];
        for (number, external) in reads {
            let register = redraw.reg(number);
            redraw.read(register, external);
        }
        redraw.request_frame();
        let mut commit = context.commit();
        let registers = commit.registers().expect("room");
        let procedure =
            commit.procedure(Callback::Redraw, &redraw.finish().expect("a recording")).expect("room");
        let mut desc = WindowDesc { x, y: 60, width: 100, height: 100, ..WindowDesc::default() };
        desc.registers = registers.into();
        desc.procedures[Callback::Redraw as usize] = procedure.into();
        let window = commit.window(&desc).expect("room");
        commit.finish().expect("a commit");
        let client = Client { connection, context, window, registers };
        until("frames", || (client.context.clock().frame > 2).then_some(()));
        client
    }

    fn id(&self) -> WindowId {
        WindowId { client: ClientId(self.connection.client()), context: 0, oid: self.window.into() }
    }

    fn events(&mut self) -> Vec<Event> {
        std::iter::from_fn(|| self.context.next_event()).collect()
    }

    /// What a procedure reads: the pointer, and whether it is inside.
    fn pointer(&self) -> (f32, f32, bool) {
        let registers = self.context.registers(self.registers).expect("it is published");
        let get = |number| registers.get(Reg::new(number).expect("a register"));
        (get(X), get(Y), get(INSIDE) != 0.0)
    }

    /// Lets frames pass.
    fn frames(&self, count: u64) {
        let before = self.context.clock().frame;
        until("frames", || (self.context.clock().frame >= before + count).then_some(()));
    }
}

fn input(server: &Server, events: Vec<Input>) {
    server.ask(&Ask::Input { events }).expect("input");
}

fn motion(server: &Server, x: i32, y: i32) {
    input(server, vec![Input::Motion { x: x.into(), y: y.into() }]);
}

/// Twenty keystrokes; between them the pointer moves, and time passes.
fn type_and_move(server: &Server, x: i32) {
    for code in 30..50 {
        input(server, [true, false].map(|pressed| Input::Key { code, pressed }).to_vec());
        motion(server, x + i32::try_from(code).expect("small"), 80);
        std::thread::sleep(Duration::from_millis(5));
    }
}

fn keys(events: &[Event]) -> usize {
    events.iter().filter(|event| matches!(event.what, What::Key { .. })).count()
}

fn is_of_pointer(event: &Event) -> bool {
    matches!(
        event.what,
        What::Pointer { .. } | What::PointerLeft { .. } | What::Button { .. } | What::Wheel { .. }
    )
}

/// Both ways to isolate; in `vm`, all clients here share a renderer.
fn servers() -> impl Iterator<Item = (PolicyFile, Server)> {
    ["vm", "client"].into_iter().map(|isolation| {
        let policy = PolicyFile::new(&format!("isolation = \"{isolation}\"\n"));
        let server = policy.start();
        (policy, server)
    })
}

/// Fails if any byte of its memory, or a wake-up, tells a client without a window that others get keys, motion or frames.
#[test]
fn a_client_without_a_window_learns_nothing() {
    for (_policy, server) in servers() {
        let mut other = Client::new(&server, "other", 20);
        server.ask(&Ask::Focus { window: other.id() }).expect("the window is there");
        let spy = Spy::connect(&server);
        // The other one's events of now.
        other.frames(3);
        other.events();
        let _woken = spy.was_woken();
        let before = spy.all();
        type_and_move(&server, 20);
        other.frames(20);
        let events = other.events();
        assert_eq!(keys(&events), 40, "the other one does get them: {events:?}");
        let after = spy.all();
        let differs = before.iter().zip(&after).position(|(a, b)| a != b);
        assert_eq!(differs, None, "a byte at this offset tells something: {differs:#x?}");
        assert!(!spy.was_woken(), "it is woken by others' input or frames");
    }
}

/// Fails if a window hears of keys without the focus, of the pointer elsewhere, or does not hear exactly once that it left; or if
/// a procedure can read where the pointer is while it is elsewhere.
#[test]
fn a_window_hears_of_its_own_pointer_and_keys_only() {
    for (_policy, server) in servers() {
        let mut watcher = Client::new(&server, "watcher", 20);
        let mut other = Client::new(&server, "other", 180);
        server.ask(&Ask::Focus { window: other.id() }).expect("the window is there");
        // Over the background; whatever was before.
        motion(&server, 160, 230);
        watcher.frames(3);
        watcher.events();
        other.events();

        // Keys and motion of the other one.
        type_and_move(&server, 180);
        other.frames(3);
        watcher.frames(3);
        let (own, others) = (watcher.events(), other.events());
        assert_eq!(keys(&others), 40, "{others:?}");
        assert!(others.iter().filter(|event| is_of_pointer(event)).count() >= 20, "{others:?}");
        assert!(!own.iter().any(is_of_pointer) && keys(&own) == 0, "it hears what is another's: {own:?}");

        // The pointer comes, moves, and goes on elsewhere.
        for x in [25, 60, 110] {
            motion(&server, x, 90);
        }
        watcher.frames(3);
        until("what it reads", || (watcher.pointer() == (90.0, 69.0, true)).then_some(()));
        for x in [150, 190, 250, 270] {
            motion(&server, x, 140);
        }
        watcher.frames(3);
        until("what it reads", || (watcher.pointer() == (90.0, 69.0, false)).then_some(()));
        let heard: Vec<What> =
            watcher.events().into_iter().filter(is_of_pointer).map(|event| event.what).collect();
        let at = |x| What::Pointer { x, y: 30, buttons: 0 };
        assert_eq!(heard, [at(5), at(40), at(90), What::PointerLeft { x: 90, y: 30 }]);
        // However it goes on elsewhere.
        type_and_move(&server, 180);
        watcher.frames(3);
        assert_eq!(watcher.pointer(), (90.0, 69.0, false));
        let own = watcher.events();
        assert!(!own.iter().any(is_of_pointer) && keys(&own) == 0, "{own:?}");
    }
}
