//! A real server and real clients for a test: on a socket of their own, ended when the test ends.

#![allow(dead_code, reason = "each test uses a part of it")]

use examples::control::{Control, WindowInfo};
use examples::process::Usage;
use rustix::process::{Pid, Signal, kill_process};
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread::sleep;
use std::time::{Duration, Instant};

/// How long something that must come may take. Not a measure: only so that a test ends.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// A server.
pub struct Display {
    directory: PathBuf,
    server: Child,
    pub control: Control,
}

/// A client's process. It is ended with the value.
pub struct Client {
    process: Child,
    pub title: String,
    log: PathBuf,
}

/// What was done until now.
#[derive(Clone, Copy, Debug)]
pub struct Progress {
    /// Of the whole output.
    pub frames: u64,
    /// Runs of `redraw` that the client's windows had.
    pub redraws: u64,
    /// Slices of those runs that had more than one.
    pub slices: u64,
}

/// A picture of the output or of a part of it: RGBA, top row first.
#[derive(Clone, PartialEq, Eq)]
pub struct Picture {
    pub width: u32,
    pub height: u32,
    pub pixels: Vec<[u8; 4]>,
}

/// The build directory, where all programs are.
fn programs() -> &'static Path {
    Path::new(env!("CARGO_BIN_EXE_gears")).parent().expect("a program is in a directory")
}

fn program(name: &str) -> PathBuf {
    let path = programs().join(name);
    assert!(path.exists(), "{} is not built: run  cargo build --workspace", path.display());
    path
}

/// Polls until `what` gives a value.
pub fn wait_for<T>(name: &str, mut what: impl FnMut() -> Option<T>) -> T {
    let began = Instant::now();
    loop {
        if let Some(value) = what() {
            return value;
        }
        assert!(began.elapsed() < PATIENCE, "waited {} s in vain for {name}", PATIENCE.as_secs());
        sleep(Duration::from_millis(20));
    }
}

/// Sends a signal.
pub fn signal(pid: u32, signal: Signal) {
    let pid = i32::try_from(pid).ok().and_then(Pid::from_raw).expect("a process number");
    kill_process(pid, signal).expect("the process is there");
}

impl Display {
    /// Starts a server that draws into memory, 1024x768 at 60 Hz, and waits until it answers.
    pub fn start() -> Display {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        // Short: a socket's path has at most 108 bytes.
        let directory = std::env::temp_dir().join(format!("blink-test-{}-{number}", std::process::id()));
        fs::create_dir(&directory).expect("the directory is new");
        let socket = directory.join("blink");
        let server = Command::new(program("blink-server"))
            .arg("--socket")
            .arg(&socket)
            .args(["--headless", "1024x768@60"])
            .stdin(Stdio::null())
            .stderr(File::create(directory.join("server.log")).expect("a log"))
            .spawn()
            .expect("the server starts");
        let control = Control::new(&program("blinkctl"), &socket);
        let display = Display { directory, server, control };
        wait_for("the server", || display.control.list().ok());
        display
    }

    /// Starts a client with this title.
    pub fn client(&self, name: &str, title: &str, arguments: &[&str]) -> Client {
        self.start_client(&program(name), title, &[arguments, &["--title", title]].concat())
    }

    /// Starts a client that gives its window this title by itself.
    pub fn start_client(&self, program: &Path, title: &str, arguments: &[&str]) -> Client {
        let log = self.directory.join(format!("{title}.log"));
        let process = Command::new(program)
            .args(arguments)
            .env("BLINK_DISPLAY", self.directory.join("blink"))
            .stdin(Stdio::null())
            .stderr(File::create(&log).expect("a log"))
            .spawn()
            .expect("the client starts");
        Client { process, title: title.to_owned(), log }
    }

    /// A clip of some seconds, 25 pictures a second, made by the script that makes the demo's.
    pub fn clip(&self, seconds: u32) -> String {
        self.clip_at_rate(seconds, 25)
    }

    /// A clip of some seconds with so many pictures a second.
    pub fn clip_at_rate(&self, seconds: u32, rate: u32) -> String {
        let file = self.directory.join(format!("clip-{seconds}-{rate}.avi"));
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../scripts/clip");
        let made = Command::new(script)
            .arg(&file)
            .args([seconds, rate].map(|n| n.to_string()))
            .status()
            .expect("the script starts");
        assert!(made.success(), "scripts/clip failed");
        file.to_str().expect("the path is UTF-8").to_owned()
    }

    /// The client's window as it is now; `None` before it was drawn.
    pub fn drawn(&self, client: &Client) -> Option<WindowInfo> {
        let windows = self.control.windows().expect("the server answers");
        windows.into_iter().find(|w| w.title == client.title && w.all["redraws"].as_u64() > Some(0))
    }

    /// The client's window, once it was drawn.
    pub fn window(&self, client: &Client) -> WindowInfo {
        wait_for(&format!("the window of {}", client.title), || self.drawn(client))
    }

    /// What is on the output.
    pub fn picture(&self) -> Picture {
        let file = self.directory.join("picture.png");
        self.control.run(&["screenshot", file.to_str().expect("UTF-8")]).expect("the server answers");
        let decoder = png::Decoder::new(std::io::BufReader::new(File::open(&file).expect("the picture")));
        let mut reader = decoder.read_info().expect("a PNG");
        let mut bytes = vec![0; reader.output_buffer_size().expect("a size")];
        let info = reader.next_frame(&mut bytes).expect("a whole PNG");
        let samples = info.color_type.samples();
        let pixels = bytes[..info.buffer_size()]
            .chunks_exact(samples)
            .map(|p| [p[0], p[1], p[2], p.get(3).copied().unwrap_or(255)])
            .collect();
        Picture { width: info.width, height: info.height, pixels }
    }

    /// What the window shows.
    pub fn content(&self, window: &WindowInfo) -> Picture {
        self.picture().part(window.x, window.y, window.width, window.height)
    }

    /// Waits until the window shows something else than `before`.
    pub fn changed(&self, window: &WindowInfo, before: &Picture) -> Picture {
        wait_for(&format!("another picture of {}", window.title), || {
            let now = self.content(window);
            (now != *before).then_some(now)
        })
    }

    /// A counter of a window's client.
    pub fn count(&self, window: &WindowInfo, name: &str) -> u64 {
        let stats = self.control.client_stats(window.client).expect("the server answers");
        stats[name].as_u64().unwrap_or_else(|| panic!("{name} is no counter in {stats}"))
    }

    /// Frames of the whole output.
    pub fn frames(&self) -> u64 {
        self.control.stats().expect("the server answers")["frames"].as_u64().expect("a counter")
    }

    /// How far the output and the window's client are: all at one moment.
    pub fn progress(&self, window: &WindowInfo) -> Progress {
        let stats = self.control.stats().expect("the server answers");
        let clients = stats["clients"].as_array().expect("a list");
        let client =
            clients.iter().find(|c| c["client"].as_u64() == Some(window.client)).expect("it is there");
        let counter = |of: &serde_json::Value, name| of[name].as_u64().expect("a counter");
        Progress {
            frames: counter(&stats, "frames"),
            redraws: counter(client, "redraws"),
            slices: counter(client, "slices"),
        }
    }

    /// The broker's process.
    pub fn broker(&self) -> u32 {
        let stats = self.control.stats().expect("the server answers");
        stats["broker_pid"].as_u64().and_then(|pid| u32::try_from(pid).ok()).expect("it has a process")
    }

    /// The renderer's process; `None` while there is none.
    pub fn renderer(&self) -> Option<u32> {
        let stats = self.control.stats().ok()?;
        stats["renderers"][0]["pid"]
            .as_u64()
            .and_then(|pid| u32::try_from(pid).ok())
            .filter(|pid| Usage::of(*pid).is_ok())
    }

    /// Presses and releases a key (evdev code) as the user would.
    pub fn key(&self, code: u32) {
        self.input(&["key", &code.to_string()]);
    }

    /// Moves the pointer with the left button held.
    pub fn drag(&self, from: (u32, u32), to: (u32, u32)) {
        let motion = |(x, y): (u32, u32)| self.input(&["motion", &x.to_string(), &y.to_string()]);
        motion(from);
        self.input(&["button", "0", "down"]);
        motion(to);
        self.input(&["button", "0", "up"]);
    }

    fn input(&self, what: &[&str]) {
        self.control.run(&[&["input"], what].concat()).expect("the server answers");
    }

    /// Ends the server at once.
    pub fn kill(&mut self) {
        self.server.kill().expect("the server runs");
        self.server.wait().expect("the server is a child");
    }
}

impl Drop for Display {
    fn drop(&mut self) {
        if std::thread::panicking() {
            for entry in fs::read_dir(&self.directory).into_iter().flatten().flatten() {
                let path = entry.path();
                if path.extension().is_some_and(|e| e == "log") {
                    eprintln!("---- {}\n{}", path.display(), fs::read_to_string(&path).unwrap_or_default());
                }
            }
        }
        let pid = i32::try_from(self.server.id()).ok().and_then(Pid::from_raw);
        if let (Ok(None), Some(pid)) = (self.server.try_wait(), pid) {
            // Errors cannot be told from a destructor; what is left then is killed below.
            let _ = kill_process(pid, Signal::TERM);
            for _ in 0..100 {
                if !matches!(self.server.try_wait(), Ok(None)) {
                    break;
                }
                sleep(Duration::from_millis(50));
            }
            let _ = self.server.kill();
            let _ = self.server.wait();
        }
        let _ = fs::remove_dir_all(&self.directory);
    }
}

impl Client {
    pub fn pid(&self) -> u32 {
        self.process.id()
    }

    /// What it used so far.
    pub fn usage(&self) -> Usage {
        Usage::of(self.pid()).unwrap_or_else(|_| panic!("{} ended: {}", self.title, self.log()))
    }

    /// What it said.
    pub fn log(&self) -> String {
        fs::read_to_string(&self.log).unwrap_or_default()
    }

    pub fn signal(&self, what: Signal) {
        signal(self.pid(), what);
    }

    pub fn runs(&mut self) -> bool {
        matches!(self.process.try_wait(), Ok(None))
    }

    /// Waits until it ends by itself.
    pub fn end(&mut self) -> ExitStatus {
        let name = format!("the end of {}", self.title);
        wait_for(&name, || self.process.try_wait().expect("a child"))
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        // It may have ended.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

impl Picture {
    /// A part, cut at the edges.
    pub fn part(&self, x: u32, y: u32, width: u32, height: u32) -> Picture {
        let (right, bottom) = ((x + width).min(self.width), (y + height).min(self.height));
        let pixels = (y..bottom).flat_map(|row| (x..right).map(move |column| self.at(column, row))).collect();
        Picture { width: right - x, height: bottom - y, pixels }
    }

    pub fn at(&self, x: u32, y: u32) -> [u8; 4] {
        self.pixels[(y * self.width + x) as usize]
    }

    /// How many pixels satisfy this.
    pub fn count(&self, which: impl Fn([u8; 4]) -> bool) -> usize {
        self.pixels.iter().filter(|p| which(**p)).count()
    }

    /// How many pixels are not black.
    pub fn lit(&self) -> usize {
        self.count(|[r, g, b, _]| r > 8 || g > 8 || b > 8)
    }
}

/// File descriptors that a process has open.
pub fn descriptors(pid: u32) -> usize {
    fs::read_dir(format!("/proc/{pid}/fd")).expect("the process is there").count()
}

/// Memory files that a process has mapped.
pub fn shared_mappings(pid: u32) -> usize {
    let maps = fs::read_to_string(format!("/proc/{pid}/maps")).expect("the process is there");
    maps.lines().filter(|line| line.contains("memfd:")).count()
}
