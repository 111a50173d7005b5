//! A renderer that a guest has taken over, against a real glass: the test is the broker, an innocent renderer with one red
//! window, and a hostile one. Whatever that says and writes, nothing of the innocent window's frame, label, content, keys and
//! pointer changes, and the glass keeps answering.
//!
//! `BLINK_LONG=1`: 100,000 hostile messages instead of 20,000.
#![allow(
    clippy::cast_possible_truncation,
    clippy::cast_possible_wrap,
    clippy::cast_sign_loss,
    clippy::wildcard_enum_match_arm,
    missing_docs,
    reason = "a test, which looks for some messages"
)]

use blink_server::geometry::Rect;
use blink_server::ipc::glass::{
    ClassId, CursorImage, Drawn, FromGlass, FromRenderer, Heard, ShownClient, ToDraw, ToGlass, Wish,
    half_bytes,
};
use blink_server::ipc::{ClientId, Command, Input, WindowId};
use blink_server::socket::{self, Received};
use fastrand::Rng;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use rustix::net::{AddressFamily, SocketFlags, SocketType, socketpair};
use serde_json::Value;
use shm::{Shm, ShmOffset};
use std::collections::BTreeMap;
use std::process::{Child, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

/// Everything that is waited for comes much sooner.
const PATIENCE: Duration = Duration::from_secs(20);
/// The glass answers within this, whatever renderers do; time in which it waited for a processor is not its own.
const ANSWER: Duration = Duration::from_millis(100);
/// Private memory that the glass may take more than before.
const MORE_KIB: u64 = 64 << 10;
const OUTPUT: (usize, usize) = (640, 480);
const GOOD: u32 = 1;
const EVIL: u32 = 2;
/// The innocent window's content.
const CONTENT: Rect = Rect { x: 60, y: 60, width: 200, height: 120 };
/// All that the glass draws of the innocent window: with borders, and the label above.
const FRAME: Rect = Rect { x: 57, y: 39, width: 206, height: 144 };
/// Where the pointer is when pictures are compared.
const POINTER: (f64, f64) = (160.0, 120.0);
const RED: u32 = 0x00ff_0000;

fn pair() -> (OwnedFd, OwnedFd) {
    socketpair(AddressFamily::UNIX, SocketType::SEQPACKET, SocketFlags::CLOEXEC, None).expect("a socket pair")
}

fn id(client: u32, context: u32, oid: u32) -> WindowId {
    WindowId { client: ClientId(client), context, oid }
}

fn innocent() -> WindowId {
    id(GOOD, 0, 1)
}

fn json(message: &FromRenderer) -> Vec<u8> {
    serde_json::to_vec(message).expect("JSON")
}

/// Nanoseconds in which a process wanted to run and another one had the processor.
fn waited(pid: u32) -> Duration {
    let text = std::fs::read_to_string(format!("/proc/{pid}/schedstat")).unwrap_or_default();
    let waited = text.split_whitespace().nth(1).and_then(|number| number.parse().ok());
    Duration::from_nanos(waited.unwrap_or(0))
}

/// The real glass, and the broker's end of its socket.
struct Glass {
    child: Child,
    socket: OwnedFd,
    serial: u64,
    /// How long answers took.
    times: Vec<Duration>,
    /// How often the hostile renderer was thrown out.
    thrown_out: usize,
}

impl Glass {
    fn start() -> Glass {
        let (socket, theirs) = pair();
        let child = std::process::Command::new(env!("CARGO_BIN_EXE_blink-server"))
            .args(["glass", "--headless", "640x480@60"])
            // Each renderer that is thrown out is a line.
            .env("RUST_LOG", "off")
            .stdin(Stdio::from(theirs))
            .stdout(Stdio::null())
            .spawn()
            .expect("blink-server starts");
        let glass = Glass { child, socket, serial: 0, times: Vec::new(), thrown_out: 0 };
        let (ready, _) = glass.next();
        assert!(matches!(ready, FromGlass::Ready { .. }), "{ready:?}");
        for client in [GOOD, EVIL] {
            glass.tell(
                &ToGlass::Client(ShownClient {
                    id: ClientId(client),
                    class: ClassId(client),
                    name: ["", "bank", "games"][client as usize].into(),
                    color: [[0; 3], [40, 200, 40], [200, 40, 40]][client as usize],
                    placements: Vec::new(),
                }),
                &[],
            );
        }
        glass
    }

    fn tell(&self, message: &ToGlass, fds: &[BorrowedFd<'_>]) {
        let bytes = serde_json::to_vec(message).expect("JSON");
        socket::send(self.socket.as_fd(), &bytes, fds).expect("the glass lives");
    }

    fn next(&self) -> (FromGlass, Vec<OwnedFd>) {
        let time = Timespec { tv_sec: PATIENCE.as_secs() as i64, tv_nsec: 0 };
        let polled = poll(&mut [PollFd::new(&self.socket, PollFlags::IN)], Some(&time));
        assert_eq!(polled, Ok(1), "the glass says nothing");
        match socket::receive(self.socket.as_fd()).expect("the glass lives") {
            Received::Message(bytes, fds) => (serde_json::from_slice(&bytes).expect("a message"), fds),
            Received::Nothing => panic!("ready without a message"),
            Received::Closed => panic!("the glass is dead"),
        }
    }

    /// A new renderer of a class.
    fn renderer(&self, class: u32) -> Renderer {
        let (ours, theirs) = pair();
        self.tell(&ToGlass::Renderer { class: ClassId(class), life: 1 }, &[theirs.as_fd()]);
        Renderer {
            socket: ours,
            class,
            buffers: BTreeMap::new(),
            asked: None,
            heard: Vec::new(),
            is_closed: false,
            is_sly: false,
        }
    }

    /// The answer to a command. What the glass reports meanwhile must be true: of the class that did it, of its own windows.
    fn ask(&mut self, command: Command) -> (Value, Vec<OwnedFd>) {
        self.serial += 1;
        let (begun, before) = (Instant::now(), waited(self.child.id()) + waited(std::process::id()));
        self.tell(&ToGlass::Command { serial: self.serial, command }, &[]);
        loop {
            let (message, fds) = self.next();
            match message {
                FromGlass::Reply { serial, result } => {
                    assert_eq!(serial, self.serial);
                    let others =
                        (waited(self.child.id()) + waited(std::process::id())).saturating_sub(before);
                    self.times.push(begun.elapsed().saturating_sub(others));
                    return (result.expect("an answer"), fds);
                }
                FromGlass::Misbehaved { class, reason, .. } => {
                    assert_eq!(class, ClassId(EVIL), "the innocent one is blamed: {reason}");
                    assert!(!reason.is_empty());
                    self.thrown_out += 1;
                }
                FromGlass::Placed { client, windows } => {
                    assert!(
                        windows.iter().all(|place| place.window.client == client),
                        "{client}: {windows:?}"
                    );
                }
                FromGlass::Pace { class, .. } => {
                    assert_eq!(class, ClassId(EVIL), "the innocent one is called late")
                }
                other => panic!("nobody did that: {other:?}"),
            }
        }
    }

    fn input(&mut self, events: Vec<Input>) {
        self.ask(Command::Input { events });
    }

    fn key(&mut self, code: u32) {
        self.input(vec![Input::Key { code, pressed: true }, Input::Key { code, pressed: false }]);
    }

    /// The pixels of the innocent window and its frame, RGBA.
    fn picture(&mut self) -> Vec<u8> {
        let (size, fds) = self.ask(Command::Screenshot);
        assert_eq!((size["width"].as_u64(), size["height"].as_u64()), (Some(640), Some(480)));
        let all = socket::read_memory(&fds[0], OUTPUT.0 * OUTPUT.1 * 4).expect("pixels");
        let rows = FRAME.y as usize..(FRAME.y as usize + FRAME.height as usize);
        let row =
            |y: usize| all[(y * OUTPUT.0 + FRAME.x as usize) * 4..][..FRAME.width as usize * 4].to_vec();
        rows.flat_map(row).collect()
    }

    /// A number of `/proc/PID/status`, KiB.
    fn kib(&self, name: &str) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).expect("it lives");
        let line =
            status.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':')).expect("a number");
        line.trim().trim_end_matches(" kB").parse().expect("a number")
    }

    fn focused(&mut self) -> Option<String> {
        let (list, _) = self.ask(Command::List);
        let clients = list.as_array().expect("clients");
        let windows = clients.iter().flat_map(|client| client["windows"].as_array().expect("windows"));
        windows
            .filter(|window| window["focus"] == true)
            .map(|window| window["id"].as_str().unwrap_or("?").into())
            .next()
    }

    /// How long answers took: median, 99th percentile, longest.
    fn check_times(&mut self) {
        self.times.sort_unstable();
        let at = |percent: usize| self.times[(self.times.len() - 1) * percent / 100];
        println!(
            "{} answers: p50 {:?}, p99 {:?}, max {:?}; thrown out {} times",
            self.times.len(),
            at(50),
            at(99),
            at(100),
            self.thrown_out
        );
        assert!(at(100) < ANSWER, "an answer took {:?}", at(100));
    }
}

impl Drop for Glass {
    fn drop(&mut self) {
        let (_killed, _waited) = (self.child.kill(), self.child.wait());
    }
}

/// A window's memory, as its renderer has it.
#[derive(Clone)]
struct Buffer {
    serial: u32,
    width: u32,
    height: u32,
    memory: Shm,
}

/// A renderer of paper.
struct Renderer {
    socket: OwnedFd,
    class: u32,
    buffers: BTreeMap<WindowId, Buffer>,
    /// The frame that it was asked for.
    asked: Option<u64>,
    heard: Vec<(WindowId, Heard)>,
    is_closed: bool,
    /// Of a hostile one: it keeps most rules.
    is_sly: bool,
}

impl Renderer {
    fn say(&self, message: &FromRenderer) {
        socket::send(self.socket.as_fd(), &json(message), &[]).expect("the glass listens");
    }

    /// Takes what the glass said. It must be about windows of its own clients only.
    fn listen(&mut self) {
        loop {
            match socket::receive(self.socket.as_fd()) {
                Ok(Received::Message(bytes, fds)) => {
                    let message = serde_json::from_slice(&bytes).expect("the glass speaks JSON");
                    self.hear(message, fds);
                }
                Ok(Received::Nothing) => return,
                Ok(Received::Closed) | Err(_) => {
                    self.is_closed = true;
                    return;
                }
            }
        }
    }

    fn hear(&mut self, message: ToDraw, fds: Vec<OwnedFd>) {
        let own = |window: WindowId| {
            assert_eq!(window.client, ClientId(self.class), "it hears of another's window")
        };
        match message {
            ToDraw::Buffer { window, serial, width, height } => {
                own(window);
                let memory = os::memory::map(&fds[0], 2 * half_bytes(width, height)).expect("memory");
                self.buffers.insert(window, Buffer { serial, width, height, memory });
            }
            ToDraw::Frame { number, .. } => self.asked = Some(number),
            ToDraw::Input { window, event, .. } => {
                own(window);
                self.heard.push((window, event));
            }
            ToDraw::Place { window, .. } | ToDraw::Close { window } => own(window),
            ToDraw::Presented { windows, .. } => windows.into_iter().for_each(own),
        }
    }

    fn until(&mut self, what: &str, mut is: impl FnMut(&Renderer) -> bool) {
        let end = Instant::now() + PATIENCE;
        loop {
            self.listen();
            if is(self) {
                return;
            }
            assert!(Instant::now() < end && !self.is_closed, "{what} does not come");
            std::thread::sleep(Duration::from_millis(1));
        }
    }

    /// A window of one color, drawn.
    fn window(&mut self, window: WindowId, content: Rect, color: u32) {
        let wish = Wish {
            title: "balance".into(),
            size: (content.width, content.height),
            place: (Some(content.x), Some(content.y)),
            ..Wish::default()
        };
        self.say(&FromRenderer::Window { window, wish });
        self.until("memory", |of| of.buffers.contains_key(&window));
        let buffer = self.buffers[&window].clone();
        let pixels = vec![color; (buffer.width * buffer.height) as usize];
        buffer.memory.copy_out(ShmOffset(0), &pixels).expect("within the first half");
        self.say(&FromRenderer::Want);
        self.until("a frame", |of| of.asked.is_some());
        let number = self.asked.take().expect("it was asked");
        let damage = Rect::new(0, 0, buffer.width, buffer.height);
        let drawn = vec![Drawn { window, buffer: buffer.serial, half: 0, damage, tell: false }];
        self.say(&FromRenderer::Done { number, drawn, more: false });
    }
}

/// The glass, and the innocent window as it is to stay.
struct Scene {
    glass: Glass,
    good: Renderer,
    picture: Vec<u8>,
}

impl Scene {
    fn new() -> Scene {
        let glass = Glass::start();
        let mut good = glass.renderer(GOOD);
        good.window(innocent(), CONTENT, RED);
        let center = ((CONTENT.y - FRAME.y) as usize * FRAME.width as usize + 50) * 4;
        let end = Instant::now() + PATIENCE;
        let mut scene = Scene { glass, good, picture: Vec::new() };
        loop {
            scene.picture = scene.show();
            if scene.picture[center..center + 3] == [255, 0, 0] {
                break;
            }
            assert!(Instant::now() < end, "the innocent window is not shown");
        }
        // Content and frame differ, and there is a name in the label.
        let colors: std::collections::BTreeSet<&[u8]> = scene.picture.chunks(4).collect();
        assert!(colors.len() > 3, "there is no frame to compare: {colors:?}");
        scene
    }

    /// The innocent window on top, the pointer over it.
    fn show(&mut self) -> Vec<u8> {
        self.glass.ask(Command::Raise { window: innocent() });
        self.glass.input(vec![Input::Motion { x: POINTER.0, y: POINTER.1 }]);
        self.glass.picture()
    }

    /// What must hold at all times, while the hostile renderer has nothing under way.
    fn check(&mut self, evil: &mut Renderer, keys: bool) {
        let picture = self.show();
        let differs =
            picture.iter().zip(&self.picture).position(|(now, before)| now != before).map(|at| at / 4);
        assert_eq!(
            differs.map(|at| (at % FRAME.width as usize, at / FRAME.width as usize)),
            None,
            "a pixel of the innocent frame changed"
        );
        if !keys {
            return;
        }
        // Whatever was over or under the pointer before has heard that it left.
        self.glass.ask(Command::List);
        self.good.listen();
        evil.listen();
        (self.good.heard, evil.heard) = (Vec::new(), Vec::new());
        for code in [30, 31, 32] {
            self.glass.key(code);
            let x = POINTER.0 + f64::from(code) - 30.0;
            self.glass.input(vec![Input::Motion { x, y: POINTER.1 }]);
        }
        let last = (innocent(), Heard::Motion);
        self.good.until("its input", |good| {
            good.heard.iter().filter(|heard| **heard == last).count() == 3 && good.heard.len() == 9
        });
        let keys = self.good.heard.iter().filter(|(window, heard)| {
            *window == innocent() && matches!(heard, Heard::Key { code: 30..=32, .. })
        });
        assert_eq!(keys.count(), 6, "{:?}", self.good.heard);
        // What was for the hostile one would have been sent with it.
        self.glass.ask(Command::List);
        evil.listen();
        assert!(evil.heard.is_empty(), "it hears what is meant for others: {:?}", evil.heard);
    }

    /// Ctrl+Alt+Escape takes the keyboard from everybody.
    fn check_chord(&mut self, evil: &mut Renderer) {
        const CHORD: [u32; 3] = [29, 56, 1];
        assert_eq!(self.glass.focused(), Some("1.0.1".into()));
        let keys = |pressed| CHORD.map(|code| Input::Key { code, pressed }).to_vec();
        self.glass.input(keys(true));
        assert_eq!(self.glass.focused(), None, "the chord does not take the keyboard");
        self.glass.input(keys(false));
        self.glass.key(33);
        self.glass.ask(Command::List);
        for renderer in [&mut self.good, evil] {
            renderer.listen();
            let heard = std::mem::take(&mut renderer.heard);
            let is_told = heard.iter().any(|(_, heard)| matches!(heard, Heard::Key { code: 1 | 33, .. }));
            assert!(!is_told, "keys without focus: {heard:?}");
        }
    }
}

// ---- What it says ------------------------------------------------------------------------------

/// Numbers at which arithmetic goes wrong.
fn wild(rng: &mut Rng) -> i32 {
    let wild = [0, 1, -1, 16, 60, 300, 639, 8192, -8192, i32::MAX, i32::MIN, i32::MAX - 1, 1 << 16];
    if rng.bool() { wild[rng.usize(..wild.len())] } else { rng.i32(-100..700) }
}

fn size(rng: &mut Rng) -> u32 {
    if rng.u8(..4) == 0 { wild(rng).cast_unsigned() } else { rng.u32(1..300) }
}

fn title(rng: &mut Rng, bytes: usize) -> String {
    let pieces = ["bank", "\u{202e}", "\u{1b}[31m", "\n", "\0", "ÄÖ", "🂡", "\u{fdfd}", " — ", "local: "];
    let mut title = String::new();
    while title.len() < bytes {
        title.push_str(pieces[rng.usize(..pieces.len())]);
    }
    while title.len() > bytes {
        title.pop();
    }
    title
}

fn place(rng: &mut Rng) -> Option<i32> {
    rng.bool().then(|| wild(rng))
}

fn wish(rng: &mut Rng) -> Wish {
    let length = rng.usize(..=128);
    Wish {
        title: title(rng, length),
        size: (size(rng), size(rng)),
        place: (place(rng), place(rng)),
        least: if rng.u8(..8) == 0 { (size(rng), size(rng)) } else { (0, 0) },
        most: if rng.u8(..8) == 0 { (size(rng), size(rng)) } else { (0, 0) },
        parent: rng.bool().then(|| rng.u32(..12)),
        popup: rng.bool(),
    }
}

fn own(rng: &mut Rng) -> WindowId {
    id(EVIL, rng.u32(..2), rng.u32(..12))
}

/// A window that it must not speak of, most often.
fn foreign(rng: &mut Rng) -> WindowId {
    let clients = [GOOD, 0, 3, u32::MAX];
    let contexts = [0, 15, 16, u32::MAX];
    let client = if rng.u8(..4) == 0 { EVIL } else { clients[rng.usize(..clients.len())] };
    id(client, contexts[rng.usize(..contexts.len())], rng.u32(..3))
}

fn damage(rng: &mut Rng) -> Rect {
    Rect { x: wild(rng), y: wild(rng), width: size(rng), height: size(rng) }
}

fn cursor(rng: &mut Rng) -> CursorImage {
    let (width, height) = (rng.u32(1..=64), rng.u32(1..=64));
    let pixels = (0..width * height).map(|_| "ff00ffff").collect();
    CursorImage { width, height, hot: (rng.u32(..width), rng.u32(..height)), pixels }
}

fn done(rng: &mut Rng, evil: &mut Renderer, is_right: bool) -> FromRenderer {
    let asked = evil.asked.take();
    let number = match asked {
        Some(number) if is_right => number,
        _ => [0, 1, u64::MAX, rng.u64(..100_000)][rng.usize(..4)],
    };
    let mut drawn: Vec<Drawn> = evil
        .buffers
        .iter()
        .map(|(&window, buffer)| Drawn {
            window,
            buffer: buffer.serial,
            half: rng.u8(..2),
            damage: damage(rng),
            tell: rng.bool(),
        })
        .collect();
    rng.shuffle(&mut drawn);
    drawn.truncate(rng.usize(..=20));
    if !is_right {
        for drawn in &mut drawn {
            match rng.u8(..4) {
                0 => drawn.half = rng.u8(..),
                1 => drawn.buffer = rng.u32(..),
                2 => drawn.window = foreign(rng),
                _ => {}
            }
        }
    }
    FromRenderer::Done { number, drawn, more: rng.bool() }
}

/// Bytes that are no message.
fn garbage(rng: &mut Rng) -> Vec<u8> {
    match rng.u8(..6) {
        0 => (0..rng.usize(2..2000)).map(|_| rng.u8(..)).collect(),
        1 => vec![b'['; rng.usize(2..60_000)],
        2 => b"{\"type\":\"window\",\"window\":{\"client\":1}}".to_vec(),
        3 => {
            let mut cut = json(&FromRenderer::Window { window: own(rng), wish: wish(rng) });
            cut.truncate(rng.usize(2..cut.len()));
            cut
        }
        // Longer than a packet: it goes in memory of its own. Longer than a message may be.
        4 => vec![b' '; 100_000],
        _ => vec![b'"'; (1 << 20) + 1],
    }
}

/// The next thing that it says. True: it may be thrown out for it.
fn hostile(rng: &mut Rng, evil: &mut Renderer) -> (Vec<u8>, bool) {
    // Whoever is sly is seldom thrown out, and comes far with what is allowed.
    let is_sly = evil.is_sly && rng.u8(..50) != 0;
    let (message, is_bad) = match rng.u8(..if is_sly { 82 } else { 100 }) {
        0..40 => (FromRenderer::Window { window: own(rng), wish: wish(rng) }, false),
        40..46 => (FromRenderer::WindowGone { window: own(rng) }, false),
        46..62 => match evil.asked {
            Some(_) => (done(rng, evil, true), false),
            None => (FromRenderer::Want, false),
        },
        62..70 => (FromRenderer::Want, false),
        70..80 => (FromRenderer::Cursor { window: own(rng), image: rng.bool().then(|| cursor(rng)) }, false),
        80..82 => (FromRenderer::All { client: ClientId(EVIL) }, false),
        82..86 => (FromRenderer::Window { window: foreign(rng), wish: wish(rng) }, true),
        86..88 => (FromRenderer::WindowGone { window: foreign(rng) }, true),
        88..90 => (done(rng, evil, false), true),
        90..92 => (FromRenderer::Cursor { window: foreign(rng), image: Some(cursor(rng)) }, true),
        92 => (FromRenderer::All { client: ClientId([GOOD, 3, u32::MAX][rng.usize(..3)]) }, true),
        93 => {
            let image = CursorImage { width: size(rng), height: size(rng), ..cursor(rng) };
            (FromRenderer::Cursor { window: own(rng), image: Some(image) }, true)
        }
        94..96 => {
            let length = [129, 1000, 60_000, 300_000][rng.usize(..4)];
            (
                FromRenderer::Window {
                    window: own(rng),
                    wish: Wish { title: title(rng, length), ..wish(rng) },
                },
                true,
            )
        }
        _ => return (garbage(rng), true),
    };
    (json(&message), is_bad)
}

/// Waits until the glass has taken all that a renderer said.
fn settle(evil: &mut Renderer) {
    let end = Instant::now() + PATIENCE;
    loop {
        let mut bytes: libc::c_int = 0;
        // SAFETY: `bytes` is valid for the call, which writes one integer.
        let asked = unsafe { libc::ioctl(evil.socket.as_raw_fd(), libc::TIOCOUTQ, &raw mut bytes) };
        assert_eq!(asked, 0, "{}", std::io::Error::last_os_error());
        evil.listen();
        if bytes == 0 || evil.is_closed {
            return;
        }
        assert!(Instant::now() < end, "{bytes} bytes are not taken");
        std::thread::sleep(Duration::from_millis(1));
    }
}

/// Writes into the memory of the hostile renderer's windows, wherever it likes, whenever it likes.
fn scribble(memories: &Mutex<Vec<Shm>>, stop: &AtomicBool) -> u64 {
    let (mut rng, mut written) = (Rng::with_seed(7), 0);
    while !stop.load(Ordering::Relaxed) {
        let memories: Vec<Shm> = memories.lock().expect("nobody panicked").clone();
        for memory in memories {
            let noise: Vec<u32> = (0..256).map(|_| rng.u32(..)).collect();
            let at = rng.usize(..memory.size() / 4) * 4;
            let room = (memory.size() - at) / 4;
            memory.copy_out(ShmOffset(at), &noise[..room.min(256)]).expect("within the memory");
            written += 1;
        }
        std::thread::sleep(Duration::from_micros(200));
    }
    written
}

/// Fails if the glass believes a renderer in anything: lets it speak of another's window, draw out of its content, keep the
/// focus, hear of others' input, or make it wait or grow.
#[test]
fn a_hostile_renderer_changes_nothing_of_others() {
    let messages = if std::env::var_os("BLINK_LONG").is_some() { 100_000 } else { 20_000 };
    let seed = 11;
    let mut rng = Rng::with_seed(seed);
    let mut scene = Scene::new();
    let before = scene.glass.kib("RssAnon");
    let (memories, stop) = (Arc::new(Mutex::new(Vec::new())), Arc::new(AtomicBool::new(false)));
    let scribbler = std::thread::spawn({
        let (memories, stop) = (memories.clone(), stop.clone());
        move || scribble(&memories, &stop)
    });
    let (mut said, mut lives, mut checks, mut most, mut windows) = (0, 0, 0, 0, 0);
    let mut evil = scene.glass.renderer(EVIL);
    while said < messages {
        let (bytes, is_bad) = hostile(&mut rng, &mut evil);
        let sent = if rng.u16(..500) == 0 {
            // Descriptors that nobody asked for: a socket to itself, say.
            let (a, b) = pair();
            socket::try_send(evil.socket.as_fd(), &bytes, &[a.as_fd(), b.as_fd()])
        } else {
            socket::try_send(evil.socket.as_fd(), &bytes, &[])
        };
        match sent {
            Ok(true) => said += 1,
            // The glass reads no more of it for a while.
            Ok(false) => std::thread::sleep(Duration::from_millis(1)),
            Err(_) => evil.is_closed = true,
        }
        if rng.u16(..700) == 0 {
            // A flood of what costs the renderer least.
            let want = json(&FromRenderer::Want);
            while matches!(socket::try_send(evil.socket.as_fd(), &want, &[]), Ok(true)) {
                said += 1;
            }
        }
        if is_bad || rng.u8(..16) == 0 {
            evil.listen();
            *memories.lock().expect("nobody panicked") =
                evil.buffers.values().map(|buffer| buffer.memory.clone()).collect();
        }
        // While much is under way, it still answers.
        if rng.u8(..32) == 0 {
            scene.glass.ask(Command::List);
        }
        if evil.is_closed {
            evil = scene.glass.renderer(EVIL);
            evil.is_sly = rng.u8(..8) == 0;
            lives += 1;
        }
        if said / 250 > checks {
            checks = said / 250;
            settle(&mut evil);
            windows = windows.max(evil.buffers.len());
            scene.check(&mut evil, checks % 4 == 0);
            most = most.max(scene.glass.kib("RssAnon"));
        }
    }
    settle(&mut evil);
    scene.check(&mut evil, true);
    scene.check_chord(&mut evil);
    scene.check(&mut evil, true);
    stop.store(true, Ordering::Relaxed);
    let written = scribbler.join().expect("it writes within its memory");
    println!(
        "seed {seed}: {said} messages in {lives} lives, {written} writes, up to {windows} windows, {checks} checks; \
         private memory {before} to {most} KiB"
    );
    assert!(windows > 5, "it hardly showed anything");
    assert!(scene.glass.thrown_out > said / 500 && lives > said / 500, "it was hardly ever thrown out");
    assert!(most < before + MORE_KIB, "the glass grew from {before} to {most} KiB");
    // With its client go its windows, and all their memory.
    scene.glass.tell(&ToGlass::ClientGone { id: ClientId(EVIL) }, &[]);
    scene.glass.tell(&ToGlass::ClassGone { class: ClassId(EVIL) }, &[]);
    scene.glass.ask(Command::List);
    let all = scene.glass.kib("VmRSS");
    assert!(all < 64 << 10, "{all} KiB are left");
    let picture = scene.show();
    assert!(picture == scene.picture, "a pixel of the innocent frame changed");
    scene.glass.check_times();
}

/// Fails if what waits for a renderer that never reads makes the glass grow or wait.
#[test]
fn a_renderer_that_never_reads_costs_nothing() {
    let events = 100_000;
    let mut scene = Scene::new();
    // One window, so that there is something to hear; from then on it reads nothing.
    let mut evil = scene.glass.renderer(EVIL);
    let window = id(EVIL, 0, 1);
    evil.window(window, Rect::new(350, 200, 200, 150), 0x00ff_ffff);
    settle(&mut evil);
    let before = scene.glass.kib("VmRSS");
    let mut most = before;
    for batch in 0..events / 50 {
        if batch % 2 == 0 {
            scene.glass.ask(Command::Raise { window });
        }
        let input = (0..25).flat_map(|n| {
            let n = batch * 25 + n;
            [
                Input::Motion { x: f64::from(360 + n % 180), y: f64::from(210 + n % 130) },
                Input::Key { code: 30 + n / 2 % 20, pressed: n % 2 == 0 },
            ]
        });
        scene.glass.input(input.collect());
        if batch % 50 == 0 {
            // The innocent one hears what is its own all the while.
            scene.glass.ask(Command::Raise { window: innocent() });
            scene.good.listen();
            scene.good.heard = Vec::new();
            scene.glass.key(40);
            scene.good.until("its key", |good| good.heard.len() >= 2);
            most = most.max(scene.glass.kib("VmRSS"));
        }
    }
    println!("{events} inputs for a renderer that does not read: {before} to {most} KiB");
    assert!(most < before + (8 << 10), "the glass grew from {before} to {most} KiB");
    // When it reads again, it is heard, and hears the newest state.
    let end = Instant::now() + PATIENCE;
    loop {
        evil.listen();
        scene.glass.ask(Command::Raise { window });
        scene.glass.key(41);
        std::thread::sleep(Duration::from_millis(5));
        if evil.heard.contains(&(window, Heard::Key { code: 41, pressed: true })) {
            break;
        }
        assert!(Instant::now() < end, "it is never told again");
    }
    scene.glass.check_times();
}
