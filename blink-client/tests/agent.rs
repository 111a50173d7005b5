//! The agent of a virtual machine, whose device is made of files, and applications of it.
#![allow(missing_docs, clippy::cast_possible_truncation, reason = "a test")]

#[path = "support/machine.rs"]
mod machine;

use blink_client::agent::Agent;
use blink_client::seqpacket::{self, Received};
use blink_client::transport::Transport;
use blink_client::transport::ivshmem::Ivshmem;
use blink_client::{Connection, Context, Error, Options, Wake};
use blinkgl::layout::{aperture, context};
use blinkgl::limits::{MAX_CONTEXTS, PAGE_SIZE};
use blinkgl::local::{ANSWER_BYTES, Answer, Hello};
use blinkgl::shm::{Shm, ShmOffset};
use machine::{BYTES, Device, Machine, REGISTERS, SLOT, good};
use rustix::event::EventfdFlags;
use rustix::fd::{AsFd, OwnedFd};
use rustix::fs::{Mode, OFlags};
use rustix::net::{AddressFamily, SendFlags, SocketAddrUnix, SocketFlags, SocketType};
use std::fs;
use std::io::{Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// Everything that is waited for comes much sooner.
const PATIENCE: Duration = Duration::from_secs(20);

/// Pages of the machine without the header.
const PAGES: u32 = (BYTES / PAGE_SIZE) as u32 - 1;

struct Scene {
    machine: Machine,
    device: Device,
    agent: Agent<Ivshmem>,
    /// The device's memory, as the agent has it.
    memory: Shm,
}

impl Scene {
    fn new() -> Scene {
        let machine = Machine::new();
        let device = machine.device(SLOT, good());
        Scene::of(machine, device)
    }

    fn of(machine: Machine, device: Device) -> Scene {
        let transport = machine.open().unwrap();
        let memory = transport.memory().clone();
        let agent = Agent::new(transport, &machine.root.join("agent"), Mode::RWXU).unwrap();
        Scene { machine, device, agent, memory }
    }

    fn socket(&self) -> PathBuf {
        self.machine.root.join("agent")
    }

    /// Runs the agent until nothing more happens.
    fn settle(&mut self) {
        for _ in 0..8 {
            self.agent.step(Some(Duration::ZERO)).unwrap();
        }
    }

    /// An application that wishes for so many bytes.
    fn connect(&mut self, bytes: Option<usize>) -> Result<Connection, Error> {
        let (socket, options) = (self.socket(), Options { name: "test".into(), bytes });
        let application = std::thread::spawn(move || Connection::open_at(&socket, &options));
        while !application.is_finished() {
            self.agent.step(Some(Duration::from_millis(1))).unwrap();
        }
        application.join().unwrap()
    }

    fn application(&mut self) -> (Connection, Context) {
        let mut connection = self.connect(Some(20 * PAGE_SIZE)).unwrap();
        let context = connection.context().unwrap();
        (connection, context)
    }

    fn entry(&self, index: usize) -> [u32; 3] {
        let at = |word| ShmOffset(aperture::DIRECTORY + index * aperture::ENTRY_BYTES + word);
        [aperture::ENTRY_GENERATION, aperture::ENTRY_FIRST_PAGE, aperture::ENTRY_PAGES]
            .map(|word| self.memory.load(at(word)).unwrap())
    }

    fn generation(&self, index: usize) -> u32 {
        self.entry(index)[0]
    }

    /// Was the device rung since the last look?
    fn was_rung(&self) -> bool {
        let path = self.device.path.join("resource0");
        let mut registers = fs::read(&path).unwrap();
        let bell = &mut registers[REGISTERS as usize + 12..][..4];
        let rung = bell == [0; 4];
        bell.fill(0xff);
        // In place: it is mapped.
        fs::OpenOptions::new().write(true).open(&path).unwrap().write_all(&registers).unwrap();
        rung
    }
}

/// A process of its own with an application, so that it can be killed. This is its program.
#[test]
fn program() {
    let Some(socket) = std::env::var_os("BLINK_TEST_AGENT") else { return };
    let options = Options { name: "program".into(), bytes: Some(30 * PAGE_SIZE) };
    let mut connection = Connection::open_at(socket.as_ref(), &options).unwrap();
    let _context = connection.context().unwrap();
    while connection.wait(None).unwrap() != Wake::ServerGone {}
    println!("the agent is gone");
}

impl Scene {
    /// Starts the program, and waits until it has the context of an entry.
    fn start_program(&mut self, entry: usize) -> Child {
        let before = self.generation(entry);
        assert_eq!(before, 0);
        let child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "program", "--nocapture"])
            .env("BLINK_TEST_AGENT", self.socket())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        self.step_until("the program", |scene| scene.generation(entry) != 0);
        child
    }

    fn step_until(&mut self, what: &str, done: impl Fn(&Scene) -> bool) {
        let end = Instant::now() + PATIENCE;
        while !done(self) {
            assert!(Instant::now() < end, "{what} does not come");
            self.agent.step(Some(Duration::from_millis(1))).unwrap();
        }
    }
}

#[test]
fn each_application_has_a_part_and_its_end_frees_it() {
    let mut scene = Scene::new();
    assert!(scene.was_rung(), "what was shown before is gone");
    let (mut first, _first) = scene.application();
    let mut program = scene.start_program(1);
    let (second, context) = scene.application();
    let parts: Vec<[u32; 3]> = (0..3).map(|index| scene.entry(index)).collect();
    assert_eq!(parts, [[1, 1, 20], [1, 21, 30], [1, 51, 20]]);
    assert_eq!((scene.agent.applications(), scene.agent.free_pages()), (3, PAGES - 70));
    scene.settle();
    assert!(scene.was_rung(), "for the new contexts");
    scene.settle();
    assert!(!scene.was_rung());
    // More than its part is not to be had.
    let error = first.context_of(20).unwrap_err();
    assert!(matches!(error, Error::NoRoomForContext { free: 0, .. }), "{error}");

    program.kill().unwrap();
    program.wait().unwrap();
    scene.step_until("its end", |scene| scene.agent.applications() == 2);
    assert_eq!([0, 1, 2].map(|index| scene.generation(index)), [1, 0, 1], "only its context goes");
    assert!(scene.was_rung(), "so that the server sees it");
    assert_eq!(scene.agent.free_pages(), PAGES - 40);

    // One that ends by itself; and who comes next has the places of both, under other generations.
    drop((second, context));
    scene.step_until("its end", |scene| scene.agent.applications() == 1);
    let mut next = scene.start_program(1);
    assert_eq!(scene.entry(1), [2, 21, 30]);

    // The agent's end is the end of all.
    let Scene { machine: _machine, device: _device, agent, memory } = scene;
    drop(agent);
    assert_eq!(memory.load(ShmOffset(aperture::DIRECTORY)), Ok(0));
    assert_eq!(first.wait(None).unwrap(), Wake::ServerGone);
    let mut told = String::new();
    next.stdout.take().unwrap().read_to_string(&mut told).unwrap();
    assert!(told.contains("the agent is gone"), "{told}");
    assert!(next.wait().unwrap().success());
}

/// It serves until it is told to end, and then leaves nothing that is shown.
#[test]
fn an_agent_that_is_told_to_end_clears_up() {
    let mut scene = Scene::new();
    let (connection, _context) = scene.application();
    assert_eq!(scene.generation(0), 1);
    let flags = EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK;
    let end = rustix::event::eventfd(0, flags).unwrap();
    rustix::io::write(&end, &1_u64.to_ne_bytes()).unwrap();
    let Scene { machine: _machine, device: _device, mut agent, memory } = scene;
    agent.serve(end.as_fd()).unwrap();
    drop(agent);
    assert_eq!(memory.load(ShmOffset(aperture::DIRECTORY)), Ok(0));
    assert_eq!(connection.wait(None).unwrap(), Wake::ServerGone);
}

/// Events of one wake one. With a serial port, and without anything that wakes.
#[test]
fn applications_are_woken_for_their_own_events() {
    for port in [true, false] {
        let machine = Machine::new();
        let device = machine.device(SLOT, good());
        let port = port.then(|| {
            let path = machine.port("vport0p1", "org.blink.wake");
            fs::OpenOptions::new().read(true).write(true).open(path).unwrap()
        });
        let mut scene = Scene::of(machine, device);
        let (one, _one) = scene.application();
        let (two, _two) = scene.application();
        let [_, page, _] = scene.entry(1);
        let put = ShmOffset(page as usize * PAGE_SIZE + context::EVENTS_PUT);
        for count in 1..3 {
            scene.settle();
            for connection in [&one, &two] {
                assert_eq!(connection.wait(Some(Duration::ZERO)).unwrap(), Wake::Timeout);
            }
            scene.memory.store(put, count).unwrap();
            if let Some(mut port) = port.as_ref() {
                port.write_all(&[1]).unwrap();
            }
            while two.wait(Some(Duration::ZERO)).unwrap() == Wake::Timeout {
                scene.agent.step(Some(Duration::from_millis(1))).unwrap();
            }
            assert_eq!(one.wait(Some(Duration::ZERO)).unwrap(), Wake::Timeout);
        }
    }
}

#[test]
fn who_comes_too_late_or_wants_too_much_is_refused() {
    let mut scene = Scene::new();
    let refused = |scene: &mut Scene, bytes| match scene.connect(bytes) {
        Err(Error::Refused(why)) => why,
        other => panic!("{other:?}"),
    };
    let why = refused(&mut scene, Some(BYTES));
    assert!(why.contains("1020 KiB of memory left") && why.contains("needs 1024"), "{why}");
    let why = refused(&mut scene, Some(usize::MAX));
    assert!(why.contains("end others"), "{why}");
    assert_eq!(scene.agent.free_pages(), PAGES);

    // Those without a wish share what there is.
    let usual = scene.connect(None).unwrap();
    assert_eq!(usual.free_pages(), 64);
    drop(usual);
    scene.step_until("its end", |scene| scene.agent.applications() == 0);
    let mut all: Vec<Connection> = (0..12).map(|_| scene.connect(Some(20 * PAGE_SIZE)).unwrap()).collect();
    let why = refused(&mut scene, None);
    assert!(why.contains("60 KiB"), "{why}");
    drop(all.pop());
    scene.step_until("its end", |scene| scene.agent.applications() == 11);
    assert_eq!(scene.connect(Some(35 * PAGE_SIZE)).unwrap().free_pages(), 35);

    // As many as the directory has entries; wishes below what a context needs are taken for that.
    let machine = Machine::new();
    let [magic, version, pages, client] = good();
    let device = machine.device_of(SLOT, [magic, version, 2 * pages, client], 2 * BYTES);
    let mut scene = Scene::of(machine, device);
    let small = |scene: &mut Scene| scene.connect(Some(1)).unwrap();
    let all: Vec<Connection> = (0..MAX_CONTEXTS).map(|_| small(&mut scene)).collect();
    assert!(all.iter().all(|connection| connection.free_pages() == 20));
    let why = refused(&mut scene, Some(1));
    assert!(why.contains("16 applications are the limit"), "{why}");
}

/// Whoever may connect can say anything: it is sent away, and the others don't notice.
#[test]
fn rubbish_and_silence_disturb_nobody() {
    let mut scene = Scene::new();
    let (good, mut context) = scene.application();
    let dial = |scene: &Scene| {
        let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
        let socket =
            rustix::net::socket_with(AddressFamily::UNIX, SocketType::SEQPACKET, flags, None).unwrap();
        rustix::net::connect(&socket, &SocketAddrUnix::new(scene.socket()).unwrap()).unwrap();
        socket
    };
    let mut random = fastrand::Rng::with_seed(5);
    let mut silent = Vec::new();
    for round in 0..100_usize {
        let socket = dial(&scene);
        if round.is_multiple_of(10) {
            silent.push(socket);
        } else {
            let bytes: Vec<u8> = (0..random.usize(1..200)).map(|_| random.u8(..)).collect();
            rustix::net::send(&socket, &bytes, SendFlags::NOSIGNAL).unwrap();
        }
        scene.settle();
    }
    let too_new = Hello { version_min: 2 << 16, version_max: 3 << 16, ..Hello::new("new", 0) };
    let socket = dial(&scene);
    rustix::net::send(&socket, &too_new.encode(), SendFlags::NOSIGNAL).unwrap();
    scene.settle();
    let mut answer = [0; ANSWER_BYTES];
    rustix::io::read(&socket, &mut answer).unwrap();
    let Ok(Answer::Refused { reason }) = Answer::decode(&answer) else { panic!("it is not refused") };
    assert!(reason.contains("knows the layouts 0x20000 to 0x30000"), "{reason}");
    assert_eq!((scene.agent.applications(), scene.agent.free_pages()), (1, PAGES - 20));
    // The good one can publish, and others can come.
    scene.was_rung();
    let mut commit = context.commit();
    commit.registers().unwrap();
    commit.finish().unwrap();
    scene.settle();
    assert!(scene.was_rung());
    assert!(!context.is_seen(), "by nobody yet");
    assert_eq!(good.wait(Some(Duration::ZERO)).unwrap(), Wake::Timeout);
    scene.application();
}

/// An application shares the flags and the count of its doorbell. So the agent must not read it, in which it could be
/// held for ever: each ring is passed on, and the count stays as it is.
#[test]
fn a_doorbell_is_heard_and_never_read() {
    let mut scene = Scene::new();
    let socket =
        rustix::net::socket_with(AddressFamily::UNIX, SocketType::SEQPACKET, SocketFlags::CLOEXEC, None)
            .unwrap();
    rustix::net::connect(&socket, &SocketAddrUnix::new(scene.socket()).unwrap()).unwrap();
    seqpacket::send(socket.as_fd(), &Hello::new("evil", 20 * PAGE_SIZE as u64).encode(), &[]).unwrap();
    scene.settle();
    let Received::Message(_, fds) = seqpacket::receive(socket.as_fd()).unwrap() else { panic!("refused") };
    let [_, doorbell, _] = <[OwnedFd; 3]>::try_from(fds).unwrap();
    let flags = rustix::fs::fcntl_getfl(&doorbell).unwrap();
    rustix::fs::fcntl_setfl(&doorbell, flags - OFlags::NONBLOCK).unwrap();
    let ring = || rustix::io::write(&doorbell, &1_u64.to_ne_bytes()).unwrap();
    let take = || {
        let mut count = [0; 8];
        rustix::io::read(&doorbell, &mut count).unwrap();
        u64::from_ne_bytes(count)
    };
    scene.was_rung();
    for _ in 0..3 {
        ring();
        scene.settle();
        assert!(scene.was_rung());
        scene.settle();
        assert!(!scene.was_rung(), "a ring is passed on once");
    }
    // Whatever is there: this shall not wait.
    rustix::fs::fcntl_setfl(&doorbell, flags).unwrap();
    assert_eq!(take(), 3, "the agent took some");
    // Rung and taken back, before the agent has looked.
    ring();
    take();
    scene.settle();
    let mut good = scene.connect(Some(20 * PAGE_SIZE)).unwrap();
    scene.settle();
    // Who is gone can't ring any more.
    drop(socket);
    scene.settle();
    assert_eq!(scene.agent.applications(), 1);
    scene.was_rung();
    ring();
    scene.settle();
    assert!(!scene.was_rung());
    let mut context = good.context().unwrap();
    let mut commit = context.commit();
    commit.registers().unwrap();
    commit.finish().unwrap();
    scene.settle();
    assert!(scene.was_rung());
}

/// One agent has the socket, as one program has the device; what is left of a dead one is in nobody's way.
#[test]
fn the_socket_is_of_one_agent_and_of_those_who_may_use_it() {
    let scene = Scene::new();
    assert_eq!(fs::metadata(scene.socket()).unwrap().permissions().mode() & 0o777, 0o700);
    let other = Machine::new();
    let device = other.device(SLOT, good());
    let error = Agent::new(other.open().unwrap(), &scene.socket(), Mode::RWXU).unwrap_err();
    assert!(matches!(&error, Error::Agent { .. }), "{error}");
    let socket = scene.socket();
    let stale = other.root.join("agent");
    drop(scene);
    assert!(!socket.exists());
    let listener = std::os::unix::net::UnixListener::bind(&stale).unwrap();
    drop(listener);
    let mut scene = Scene::of(other, device);
    scene.application();
}
