//! The process: sockets, memory, the sandbox, a desktop; with a broker and renderers of paper around it.
#![allow(missing_docs, reason = "a test")]
#![allow(clippy::wildcard_enum_match_arm, reason = "a test looks for one message")]

use ipc::geometry::Rect;
use ipc::glass::*;
use ipc::options::OutputOption;
use ipc::{ClientId, Command, WindowId};
use os::seqpacket::{self, Received};
use rustix::event::{PollFd, PollFlags, poll};
use rustix::net::{AddressFamily, SocketFlags, SocketType, socketpair};
use std::os::fd::{AsFd, OwnedFd};
use std::process::{Child, ExitCode, Stdio};
use std::time::{Duration, Instant};

/// Says to a child what it is.
const ROLE: &str = "BLINK_GLASS_TEST";

/// Not a test: the glass of the others.
#[test]
fn child() {
    let Ok(role) = std::env::var(ROLE) else { return };
    // The test runs in a thread of its own; the glass is a process of one.
    // SAFETY: the only other thread waits for this one, and holds no lock.
    match unsafe { libc::fork() } {
        0 => {}
        child => {
            let mut status = 0;
            // SAFETY: `status` is valid for the call.
            unsafe {
                assert_eq!(libc::waitpid(child, &raw mut status, 0), child);
                if libc::WIFSIGNALED(status) {
                    libc::raise(libc::WTERMSIG(status));
                }
                libc::_exit(libc::WEXITSTATUS(status));
            }
        }
    }
    let socket = std::io::stdin().as_fd().try_clone_to_owned().unwrap();
    let option = match role.as_str() {
        "headless" => OutputOption::Headless { width: 400, height: 300, hz: 60 },
        "window" => OutputOption::Window { width: 400, height: 300 },
        call => return forbidden(call),
    };
    let code = glass::main(socket, option);
    std::process::exit(i32::from(code != ExitCode::SUCCESS));
}

fn spawn(role: &str, stdin: Stdio) -> Child {
    let mut command = std::process::Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", "child", "--test-threads=1", "--nocapture"]);
    command.env(ROLE, role).stdin(stdin).stdout(Stdio::null()).spawn().unwrap()
}

fn pair() -> (OwnedFd, OwnedFd) {
    socketpair(AddressFamily::UNIX, SocketType::SEQPACKET, SocketFlags::CLOEXEC, None).unwrap()
}

/// The next message, if it comes.
fn read<T: serde::de::DeserializeOwned>(socket: &OwnedFd) -> Option<(T, Vec<OwnedFd>)> {
    let patience = rustix::event::Timespec { tv_sec: 10, tv_nsec: 0 };
    let mut fds = [PollFd::new(socket, PollFlags::IN)];
    assert_eq!(poll(&mut fds, Some(&patience)), Ok(1), "nothing comes");
    match seqpacket::receive(socket.as_fd()).unwrap() {
        Received::Message(bytes, fds) => Some((serde_json::from_slice(&bytes).unwrap(), fds)),
        Received::Nothing => panic!("nothing came"),
        Received::Closed => None,
    }
}

fn write(socket: &OwnedFd, message: &impl serde::Serialize, fd: Option<OwnedFd>) {
    let fds: Vec<_> = fd.iter().map(AsFd::as_fd).collect();
    seqpacket::send(socket.as_fd(), &serde_json::to_vec(message).unwrap(), &fds).unwrap();
}

struct Broker {
    child: Child,
    socket: OwnedFd,
    serial: u64,
}

impl Broker {
    fn start(role: &str) -> Broker {
        let (socket, other) = pair();
        let broker = Broker { child: spawn(role, other.into()), socket, serial: 0 };
        let Some((FromGlass::Ready { .. }, _)) = read(&broker.socket) else { panic!("no glass") };
        let status = broker.status();
        for line in ["Seccomp:\t2", "NoNewPrivs:\t1", "Threads:\t1", "CapPrm:\t0000000000000000"] {
            assert!(status.contains(line), "{line} in {status}");
        }
        broker
    }

    /// `/proc/PID/status` of the glass.
    fn status(&self) -> String {
        let parent = format!("PPid:\t{}\n", self.child.id());
        let processes = std::fs::read_dir("/proc").unwrap().filter_map(Result::ok);
        let status = |entry: std::fs::DirEntry| std::fs::read_to_string(entry.path().join("status")).ok();
        processes.filter_map(status).find(|status| status.contains(&parent)).expect("it runs")
    }

    fn introduce(&self, client: u32, class: u32) {
        write(
            &self.socket,
            &ToGlass::Client(ShownClient {
                id: ClientId(client),
                class: ClassId(class),
                name: format!("vm{client}"),
                color: [200, 100, 50],
                placements: Vec::new(),
            }),
            None,
        );
    }

    fn client(&self, client: u32) -> OwnedFd {
        self.introduce(client, client);
        let (socket, other) = pair();
        write(&self.socket, &ToGlass::Renderer { class: ClassId(client), life: 1 }, Some(other));
        socket
    }

    /// The answer to a command, and what came before it.
    fn ask(&mut self, command: Command) -> (serde_json::Value, Vec<OwnedFd>, Vec<FromGlass>) {
        self.serial += 1;
        write(&self.socket, &ToGlass::Command { serial: self.serial, command }, None);
        let mut before = Vec::new();
        loop {
            match read(&self.socket) {
                Some((FromGlass::Reply { serial, result }, fds)) => {
                    assert_eq!(serial, self.serial);
                    return (result.unwrap(), fds, before);
                }
                Some((other, _)) => before.push(other),
                None => panic!("the glass is gone"),
            }
        }
    }

    fn pixel(&mut self, x: usize, y: usize) -> [u8; 3] {
        let (size, fds, _) = self.ask(Command::Screenshot);
        assert_eq!(size["width"], 400);
        let pixels = seqpacket::read_memory(&fds[0], 1 << 20).unwrap();
        let at = (y * 400 + x) * 4;
        pixels[at..at + 3].try_into().unwrap()
    }

    fn end(mut self) {
        drop(self.socket);
        assert!(self.child.wait().unwrap().success());
    }
}

fn until(what: &str, mut is: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !is() {
        assert!(begun.elapsed() < Duration::from_secs(10), "{what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

fn id(client: u32) -> WindowId {
    WindowId { client: ClientId(client), context: 0, oid: 1 }
}

/// Says that there is a window, and draws it white.
fn draw(socket: &OwnedFd, window: WindowId) {
    let wish = Wish { size: (100, 80), place: (Some(50), Some(60)), ..Wish::default() };
    write(socket, &FromRenderer::Window { window, wish }, None);
    let mut memory = None;
    while memory.is_none() {
        // Memory for an earlier wish may come first.
        if let (ToDraw::Buffer { serial, width: width @ 100, height: height @ 80, .. }, fds) =
            read(socket).unwrap()
        {
            let bytes = 2 * half_bytes(width, height);
            let shm = os::memory::map(&fds[0], bytes).unwrap();
            shm.copy_out(shm::ShmOffset(0), &[0x00ff_ffff; 100 * 80]).unwrap();
            memory = Some(serial);
        }
    }
    write(socket, &FromRenderer::Want, None);
    loop {
        if let (ToDraw::Frame { number, .. }, _) = read(socket).unwrap() {
            let damage = Rect::new(0, 0, 100, 80);
            let drawn = Drawn { window, buffer: memory.unwrap(), half: 0, damage, tell: true };
            write(socket, &FromRenderer::Done { number, drawn: vec![drawn], more: false }, None);
            return;
        }
    }
}

#[test]
fn a_renderer_draws_and_hangs_up_and_its_picture_stays() {
    let mut broker = Broker::start("headless");
    let renderer = broker.client(1);
    draw(&renderer, id(1));
    until("the window is white", || broker.pixel(60, 70) == [255; 3]);
    until("it is presented", || matches!(read(&renderer).unwrap().0, ToDraw::Presented { .. }));
    drop(renderer);
    broker.ask(Command::Move { window: id(1), x: 150, y: 60 });
    until("it moved", || broker.pixel(160, 70) == [255; 3]);
    broker.ask(Command::Resize { window: id(1), width: 50, height: 50 });
    let placed = |reports: Vec<FromGlass>| {
        reports.iter().any(|r| matches!(r, FromGlass::Placed { windows, .. } if windows[0].width == 50))
    };
    until("the broker is told", || placed(broker.ask(Command::List).2));
    broker.end();
}

#[test]
fn idle_means_asleep() {
    let mut broker = Broker::start("headless");
    let renderer = broker.client(1);
    draw(&renderer, id(1));
    until("the window is white", || broker.pixel(60, 70) == [255; 3]);
    std::thread::sleep(Duration::from_millis(700));
    let mut wakeups = || broker.ask(Command::Stats).0["wakeups"].as_u64().unwrap();
    let before = wakeups();
    std::thread::sleep(Duration::from_millis(500));
    assert_eq!(wakeups() - before, 1, "the question itself");
    broker.end();
}

#[test]
fn a_renderer_that_breaks_the_rules_is_cut_off() {
    let mut broker = Broker::start("headless");
    let good = broker.client(1);
    draw(&good, id(1));
    let spoil: [fn(&OwnedFd); 5] = [
        |socket| seqpacket::send(socket.as_fd(), b"{\"type\":\"done\"}", &[]).unwrap(),
        |socket| seqpacket::send(socket.as_fd(), &vec![b'['; 2 << 20], &[]).unwrap(),
        |socket| write(socket, &FromRenderer::WindowGone { window: id(1) }, None),
        |socket| write(socket, &FromRenderer::Done { number: 7, drawn: vec![], more: true }, None),
        |socket| write(socket, &FromRenderer::Want, Some(os::memory::create("test", 4096).unwrap())),
    ];
    for (client, spoil) in (2..).zip(spoil) {
        let bad = broker.client(client);
        spoil(&bad);
        let is_told = |reports: Vec<FromGlass>| {
            let class = ClassId(client);
            reports.iter().any(|r| matches!(r, FromGlass::Misbehaved { class: of, .. } if *of == class))
        };
        until("the broker is told", || is_told(broker.ask(Command::List).2));
        while read::<ToDraw>(&bad).is_some() {}
    }
    assert_eq!(broker.pixel(60, 70), [255; 3]);
    broker.end();
}

/// The renderer's socket has something first; what the broker said is in its own, unread.
#[test]
fn the_broker_is_heard_before_a_renderer_is_judged() {
    let mut broker = Broker::start("headless");
    let renderer = broker.client(1);
    draw(&renderer, id(1));
    until("the window is white", || broker.pixel(60, 70) == [255; 3]);
    let status = broker.status();
    let pid = status.lines().find_map(|line| line.strip_prefix("Pid:\t")).unwrap().parse().unwrap();
    let pid = rustix::process::Pid::from_raw(pid).unwrap();
    rustix::process::kill_process(pid, rustix::process::Signal::STOP).unwrap();
    until("it is stopped", || broker.status().contains("State:\tT"));
    write(&renderer, &FromRenderer::Want, None);
    broker.introduce(2, 1);
    write(&renderer, &FromRenderer::Window { window: id(2), wish: Wish::default() }, None);
    rustix::process::kill_process(pid, rustix::process::Signal::CONT).unwrap();
    let (_, _, before) = broker.ask(Command::List);
    assert!(!before.iter().any(|report| matches!(report, FromGlass::Misbehaved { .. })), "{before:?}");
    draw(&renderer, id(2));
    broker.end();
}

#[test]
fn floods_and_silence_cost_the_others_nothing() {
    let mut broker = Broker::start("headless");
    let (flood, silent, good) = (broker.client(1), broker.client(2), broker.client(3));
    let wish = Wish { size: (20, 20), place: (Some(300), Some(250)), ..Wish::default() };
    write(&silent, &FromRenderer::Window { window: id(2), wish }, None);
    let thread = std::thread::spawn(move || {
        let want = serde_json::to_vec(&FromRenderer::Want).unwrap();
        let begun = Instant::now();
        let mut sent = 0;
        while begun.elapsed() < Duration::from_secs(2) {
            if seqpacket::try_send(flood.as_fd(), &want, &[]).unwrap() {
                sent += 1;
            } else {
                std::thread::sleep(Duration::from_millis(1));
            }
        }
        sent
    });
    draw(&good, id(3));
    until("the window is white", || broker.pixel(60, 70) == [255; 3]);
    for x in 0..20_000 {
        let events = vec![
            ipc::Input::Motion { x: 305.0 + f64::from(x % 10), y: 255.0 },
            ipc::Input::Key { code: 30, pressed: x % 2 == 0 },
        ];
        let command = Command::Input { events };
        let begun = Instant::now();
        broker.ask(command);
        assert!(begun.elapsed() < Duration::from_secs(1));
    }
    let sent = thread.join().unwrap();
    assert!(sent < 4096 + 3 * 2000 + 1000, "{sent} messages were read");
    let status = broker.status();
    let rss = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    let kib: u64 = rss.trim().trim_end_matches(" kB").parse().unwrap();
    assert!(kib < 32 << 10, "{kib} KiB");
    broker.end();
}

// ---- The sandbox -------------------------------------------------------------------------------

fn forbidden(call: &str) {
    use rustix::mm::{MapFlags, MprotectFlags, ProtFlags, mmap_anonymous, mprotect};
    let (a, _b) = pair();
    glass::sandbox::enter(glass::sandbox::Needs::default()).unwrap();
    let read_write = ProtFlags::READ | ProtFlags::WRITE;
    // SAFETY: new memory, that nobody uses.
    let map = |prot| unsafe { mmap_anonymous(std::ptr::null_mut(), 4096, prot, MapFlags::PRIVATE) };
    // As the process does it: these go on.
    let memory = map(read_write).unwrap();
    drop(os::memory::map(&os::memory::create("test", 4096).unwrap(), 4096).unwrap());
    seqpacket::send(a.as_fd(), b"x", &[]).unwrap();
    let is_refused = match call {
        "none" => true,
        "map code" => map(read_write | ProtFlags::EXEC).is_err() && map(ProtFlags::EXEC).is_err(),
        "make code" => {
            let flags = MprotectFlags::READ | MprotectFlags::EXEC;
            // SAFETY: the memory is ours and not used.
            unsafe { mprotect(memory, 4096, flags) }.is_err()
        }
        "open" => std::fs::File::open("/etc/passwd").is_err(),
        "make" => std::fs::File::create("/tmp/blink-glass-test").is_err(),
        "socket" => std::net::UdpSocket::bind("127.0.0.1:0").is_err(),
        "pair" => {
            pair();
            false
        }
        "thread" => {
            std::thread::spawn(|| {}).join().unwrap();
            false
        }
        "run" => std::process::Command::new("/bin/true").spawn().is_err(),
        "kill" => rustix::process::test_kill_process(rustix::process::Pid::INIT).is_err(),
        "ptrace" => {
            // SAFETY: it traces itself, if anything.
            unsafe { libc::ptrace(libc::PTRACE_TRACEME) < 0 }
        }
        "dup" => rustix::io::dup(&a).is_err(),
        "root" => {
            // SAFETY: no memory is involved.
            unsafe { libc::setuid(0) < 0 }
        }
        other => panic!("{other}?"),
    };
    std::process::exit(if is_refused { 42 } else { 1 });
}

#[test]
fn what_was_given_up_can_not_be_had() {
    use std::os::unix::process::ExitStatusExt;
    for call in ["none", "map code", "make code"] {
        assert_eq!(spawn(call, Stdio::null()).wait().unwrap().code(), Some(42), "{call}");
    }
    for call in ["open", "make", "socket", "pair", "thread", "run", "kill", "ptrace", "dup", "root"] {
        assert_eq!(spawn(call, Stdio::null()).wait().unwrap().signal(), Some(libc::SIGSYS), "{call}");
    }
}

// ---- The desktop -------------------------------------------------------------------------------

/// A virtual X11 desktop.
#[cfg(feature = "x11")]
struct Desktop {
    child: Child,
    folder: std::path::PathBuf,
    display: String,
}

#[cfg(feature = "x11")]
impl Desktop {
    fn start() -> Desktop {
        use std::io::BufRead;
        let folder = std::env::temp_dir().join(format!("blink-glass-desktop-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let mut command = std::process::Command::new("Xvfb");
        command.args(["-displayfd", "1", "-screen", "0", "640x480x24", "-fbdir"]).arg(&folder);
        let mut child = command
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("Xvfb: scripts/setup installs it");
        let mut number = String::new();
        std::io::BufReader::new(child.stdout.take().unwrap()).read_line(&mut number).unwrap();
        Desktop { child, folder, display: format!(":{}", number.trim()) }
    }

    /// A pixel of the screen, from the window dump that it is (XWDFile.h): a header of 32-bit words, most significant byte
    /// first; a color map of 12 bytes an entry; rows of BGRX pixels.
    fn pixel(&self, x: usize, y: usize) -> [u8; 3] {
        let dump = std::fs::read(self.folder.join("Xvfb_screen0")).unwrap();
        let word = |index: usize| {
            let bytes: [u8; 4] = dump[index * 4..index * 4 + 4].try_into().unwrap();
            usize::try_from(u32::from_be_bytes(bytes)).unwrap()
        };
        let at = word(0) + word(19) * 12 + y * word(12) + x * 4;
        [dump[at + 2], dump[at + 1], dump[at]]
    }
}

#[cfg(feature = "x11")]
impl Drop for Desktop {
    fn drop(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
        std::fs::remove_dir_all(&self.folder).unwrap();
    }
}

#[cfg(feature = "x11")]
#[test]
fn a_window_of_the_desktop_shows_the_picture() {
    let desktop = Desktop::start();
    // SAFETY: this test is alone in its process, or others don't look at these.
    unsafe {
        std::env::set_var("DISPLAY", &desktop.display);
        std::env::remove_var("WAYLAND_DISPLAY");
    }
    let mut broker = Broker::start("window");
    let renderer = broker.client(1);
    draw(&renderer, id(1));
    until("the window is white", || broker.pixel(60, 70) == [255; 3]);
    until("it is on the desktop", || desktop.pixel(60, 70) == [255; 3]);
    assert_eq!(desktop.pixel(10, 10), [31, 33, 38]);
    broker.ask(Command::Move { window: id(1), x: 200, y: 100 });
    until("it moved on the desktop", || desktop.pixel(290, 170) == [255; 3]);
    assert_eq!(desktop.pixel(60, 70), [31, 33, 38]);
    std::thread::sleep(Duration::from_millis(700));
    let mut wakeups = || broker.ask(Command::Stats).0["wakeups"].as_u64().unwrap();
    let before = wakeups();
    std::thread::sleep(Duration::from_millis(500));
    assert_eq!(wakeups() - before, 1, "the question itself");
    broker.end();
}

/// What the desktop's user does, by XTEST: there are no devices on a virtual desktop.
#[cfg(feature = "x11")]
struct User {
    connection: x11rb::rust_connection::RustConnection,
    root: u32,
    window: u32,
}

#[cfg(feature = "x11")]
impl User {
    fn new(desktop: &Desktop) -> User {
        use x11rb::connection::Connection;
        use x11rb::protocol::xproto::ConnectionExt;
        let (connection, screen) = x11rb::connect(Some(&desktop.display)).unwrap();
        let root = connection.setup().roots[screen].root;
        let tree = connection.query_tree(root).unwrap().reply().unwrap();
        let is_shown = |window: &u32| {
            let geometry = connection.get_geometry(*window).unwrap().reply().unwrap();
            (geometry.width, geometry.height) == (400, 300)
        };
        let window = tree.children.into_iter().find(is_shown).expect("the glass has a window");
        User { connection, root, window }
    }

    fn fake(&self, kind: u8, detail: u8, x: i16, y: i16) {
        use x11rb::connection::Connection;
        use x11rb::protocol::xtest::ConnectionExt;
        self.connection.xtest_fake_input(kind, detail, 0, self.root, x, y, 0).unwrap();
        self.connection.flush().unwrap();
    }

    fn motion(&self, x: i16, y: i16) {
        self.fake(x11rb::protocol::xproto::MOTION_NOTIFY_EVENT, 0, x, y);
    }

    fn click(&self, button: u8) {
        self.fake(x11rb::protocol::xproto::BUTTON_PRESS_EVENT, button, 0, 0);
        self.fake(x11rb::protocol::xproto::BUTTON_RELEASE_EVENT, button, 0, 0);
    }

    fn key(&self, code: u8, pressed: bool) {
        use x11rb::protocol::xproto::{KEY_PRESS_EVENT, KEY_RELEASE_EVENT};
        self.fake(if pressed { KEY_PRESS_EVENT } else { KEY_RELEASE_EVENT }, code, 0, 0);
    }

    fn focus(&self, window: u32) {
        use x11rb::connection::Connection;
        use x11rb::protocol::xproto::{ConnectionExt, InputFocus};
        self.connection.set_input_focus(InputFocus::PARENT, window, 0u32).unwrap();
        self.connection.flush().unwrap();
    }

    fn resize(&self, width: u32, height: u32) {
        use x11rb::connection::Connection;
        use x11rb::protocol::xproto::{ConfigureWindowAux, ConnectionExt};
        let size = ConfigureWindowAux::new().width(width).height(height);
        self.connection.configure_window(self.window, &size).unwrap();
        self.connection.flush().unwrap();
    }
}

/// The next thing that a window hears of input.
#[cfg(feature = "x11")]
fn heard(socket: &OwnedFd) -> (Heard, i32, i32) {
    loop {
        if let (ToDraw::Input { event, x, y, .. }, _) = read(socket).unwrap() {
            return (event, x, y);
        }
    }
}

/// The next thing but motions, of which there may be more than were made: the desktop tells some twice.
#[cfg(feature = "x11")]
fn but_motion(socket: &OwnedFd) -> Heard {
    loop {
        let (event, ..) = heard(socket);
        if event != Heard::Motion {
            return event;
        }
    }
}

#[cfg(feature = "x11")]
#[test]
fn the_users_input_on_the_desktop() {
    let desktop = Desktop::start();
    // SAFETY: this test is alone in its process, or others don't look at these.
    unsafe {
        std::env::set_var("DISPLAY", &desktop.display);
        std::env::remove_var("WAYLAND_DISPLAY");
    }
    let mut broker = Broker::start("window");
    let renderer = broker.client(1);
    draw(&renderer, id(1));
    let image = CursorImage { width: 1, height: 1, hot: (0, 0), pixels: "ff0000ff".into() };
    write(&renderer, &FromRenderer::Cursor { window: id(1), image: Some(image) }, None);
    until("it is on the desktop", || desktop.pixel(60, 70) == [255; 3]);
    let user = User::new(&desktop);
    user.focus(user.window);
    user.motion(60, 70);
    assert_eq!(heard(&renderer), (Heard::Motion, 10, 10));
    until("the pointer's picture is composed", || broker.pixel(60, 70) == [255, 0, 0]);
    until("the pointer's picture is shown", || desktop.pixel(60, 70) == [255, 0, 0]);
    std::thread::sleep(Duration::from_millis(400));
    for (button, number) in [(1, 0), (2, 1), (3, 2), (8, 3), (9, 4)] {
        user.click(button);
        for pressed in [true, false] {
            assert_eq!(but_motion(&renderer), Heard::Button { button: number, pressed });
        }
    }
    for (button, steps) in [(4, 1), (4, 1), (5, -1), (4, 1)] {
        user.click(button);
        assert_eq!(but_motion(&renderer), Heard::Wheel { steps });
    }
    // To the side: nothing. Then evdev 30, 8 more in X11; a key that is held when the desktop's focus goes is released.
    user.click(6);
    user.key(38, true);
    assert_eq!(but_motion(&renderer), Heard::Key { code: 30, pressed: true });
    user.focus(user.root);
    assert_eq!(but_motion(&renderer), Heard::Key { code: 30, pressed: false });
    user.key(38, false);
    user.key(39, true);
    user.focus(user.window);
    user.key(39, false);
    user.key(40, true);
    assert_eq!(but_motion(&renderer), Heard::Key { code: 32, pressed: true }, "39 was pressed elsewhere");
    user.key(40, false);
    assert_eq!(but_motion(&renderer), Heard::Key { code: 32, pressed: false });
    // The window is half as large: what shows is hit.
    user.resize(200, 150);
    until("the picture is scaled", || {
        desktop.pixel(45, 50) == [255; 3] && desktop.pixel(80, 50) == [31, 33, 38]
    });
    user.motion(40, 40);
    until("what shows is hit", || heard(&renderer) == (Heard::Motion, 30, 20));
    user.resize(600, 300);
    until("there is black on both sides", || desktop.pixel(50, 250) == [0; 3]);
    until("the picture is in the middle", || desktop.pixel(100 + 60, 70) == [255; 3]);
    user.motion(100 + 55, 65);
    until("what shows is hit", || heard(&renderer) == (Heard::Motion, 5, 5));
    broker.end();
}
