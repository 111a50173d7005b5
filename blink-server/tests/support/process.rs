//! A real server in a directory of its own, and what tests do with it.
#![allow(dead_code, reason = "each test uses its part")]

use blink_client::seqpacket::{self, Received};
use blink_client::{Connection, Context, Error, ObjectId, Options, WindowDesc};
use blink_server::ipc::{Answer, Command as Ask};
use blinkgl::gl::ClearMask;
use blinkgl::limits::MIN_APERTURE_BYTES;
use blinkgl::{Callback, Recorder};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fd::{AsFd, OwnedFd};
use rustix::net::{AddressFamily, SocketAddrUnix, SocketFlags, SocketType};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

/// Everything that is waited for comes much sooner.
pub const PATIENCE: Duration = Duration::from_secs(20);

/// A running server with a directory of its own.
pub struct Server {
    pub child: Child,
    pub directory: PathBuf,
    pub socket: PathBuf,
}

impl Server {
    pub fn start() -> Server {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let name = format!("blink-e2e-{}-{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
        let directory = std::env::temp_dir().join(name);
        let socket = directory.join("s");
        Server { child: launch(&socket), directory, socket }
    }

    /// A server with more options.
    pub fn start_with(options: &[&str]) -> Server {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let name = format!("blink-with-{}-{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
        let directory = std::env::temp_dir().join(name);
        let socket = directory.join("s");
        Server { child: launch_with(&socket, Stdio::inherit(), options), directory, socket }
    }

    /// A server whose log goes to a file.
    pub fn start_logged(log: &Path) -> Server {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let name = format!("blink-log-{}-{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
        let directory = std::env::temp_dir().join(name);
        let socket = directory.join("s");
        let file = std::fs::File::create(log).unwrap();
        Server { child: launch_logged(&socket, Stdio::from(file)), directory, socket }
    }

    pub fn connect(&self, name: &str) -> Result<Connection, Error> {
        let options = Options { name: name.into(), bytes: Some(MIN_APERTURE_BYTES) };
        Connection::open_at(&self.socket, &options)
    }

    pub fn blinkctl(&self, arguments: &[&str]) -> Result<Value, String> {
        let program = Path::new(env!("CARGO_BIN_EXE_blink-server")).with_file_name("blinkctl");
        let output = Command::new(program)
            .arg("--json")
            .arg("--socket")
            .arg(&self.socket)
            .args(arguments)
            .output()
            .unwrap();
        if output.status.success() {
            Ok(serde_json::from_slice(&output.stdout).unwrap())
        } else {
            assert_eq!(output.status.code(), Some(1));
            Err(String::from_utf8(output.stderr).unwrap())
        }
    }

    /// The renderer of the first class: there is one while there is a client.
    pub fn renderer(&self) -> u32 {
        until("a renderer", || {
            let stats = self.blinkctl(&["stats"]).ok()?;
            u32::try_from(stats["renderers"][0]["pid"].as_u64()?).ok()
        })
    }

    /// The process that shows.
    pub fn glass(&self) -> u32 {
        self.blinkctl(&["stats"]).unwrap()["glass_pid"].as_u64().unwrap().try_into().unwrap()
    }

    pub fn broker(&self) -> u32 {
        self.blinkctl(&["stats"]).unwrap()["broker_pid"].as_u64().unwrap().try_into().unwrap()
    }

    /// Waits for a new renderer to answer.
    pub fn next_renderer(&self, old: u32) -> u32 {
        until("a new renderer", || {
            let stats = self.blinkctl(&["stats"]).ok()?;
            let pid = u32::try_from(stats["renderers"][0]["pid"].as_u64()?).ok()?;
            (pid != old).then_some(pid)
        })
    }

    /// Asks over a connection of its own, without a process: the answer, and the descriptor of a picture. An error too if no
    /// broker listens now.
    pub fn ask(&self, command: &Ask) -> Result<(Value, Vec<OwnedFd>), String> {
        let say = |error: &dyn std::fmt::Display| error.to_string();
        let flags = SocketFlags::CLOEXEC;
        let socket =
            rustix::net::socket_with(AddressFamily::UNIX, SocketType::SEQPACKET, flags, None).unwrap();
        let path = SocketAddrUnix::new(self.directory.join("s.control")).unwrap();
        rustix::net::connect(&socket, &path).map_err(|error| say(&error))?;
        let command = serde_json::to_vec(command).unwrap();
        seqpacket::send(socket.as_fd(), &command, &[]).map_err(|error| say(&error))?;
        let time = Timespec { tv_sec: PATIENCE.as_secs().try_into().unwrap(), tv_nsec: 0 };
        assert_eq!(poll(&mut [PollFd::new(&socket, PollFlags::IN)], Some(&time)), Ok(1), "no answer");
        match seqpacket::receive(socket.as_fd()).map_err(|error| say(&error))? {
            Received::Message(bytes, fds) => {
                let answer: Answer = serde_json::from_slice(&bytes).unwrap();
                answer.map(|value| (value, fds))
            }
            Received::Nothing | Received::Closed => Err("the broker hung up".into()),
        }
    }

    /// All pixels of the output, RGBA, the top row first.
    pub fn picture(&self) -> Result<Vec<u8>, String> {
        let (_size, fds) = self.ask(&Ask::Screenshot)?;
        seqpacket::read_memory(&fds[0], 320 * 240 * 4).map_err(|error| error.to_string())
    }

    pub fn window(&self, id: &str) -> Option<Value> {
        let list = self.blinkctl(&["list"]).ok()?;
        let mut windows = list.as_array()?.iter().flat_map(|c| c["windows"].as_array().into_iter().flatten());
        windows.find(|w| w["id"] == id).cloned()
    }

    pub fn end(mut self, signal: Signal) -> ExitStatus {
        send_signal(self.child.id(), signal);
        self.child.wait().unwrap()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if let Ok(None) = self.child.try_wait() {
            self.child.kill().unwrap();
            self.child.wait().unwrap();
        }
        if self.directory.exists() {
            std::fs::remove_dir_all(&self.directory).unwrap();
        }
    }
}

/// A policy file, which a broker that starts again reads again.
pub struct PolicyFile(PathBuf);

impl PolicyFile {
    pub fn new(text: &str) -> PolicyFile {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let name =
            format!("blink-policy-{}-{}.toml", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
        let path = std::env::temp_dir().join(name);
        std::fs::write(&path, text).unwrap();
        PolicyFile(path)
    }

    /// A server with this policy.
    pub fn start(&self) -> Server {
        Server::start_with(&["--policy", self.0.to_str().unwrap()])
    }
}

impl Drop for PolicyFile {
    fn drop(&mut self) {
        std::fs::remove_file(&self.0).unwrap();
    }
}

pub fn launch(socket: &Path) -> Child {
    launch_logged(socket, Stdio::inherit())
}

/// Launches a server whose log goes to `log`.
pub fn launch_logged(socket: &Path, log: Stdio) -> Child {
    launch_with(socket, log, &[])
}

fn launch_with(socket: &Path, log: Stdio, options: &[&str]) -> Child {
    let mut child = Command::new(env!("CARGO_BIN_EXE_blink-server"))
        .args(["--headless", "320x240@60", "--socket"])
        .arg(socket)
        .args(options)
        .stderr(log)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    assert_eq!(line, format!("blink-server: ready on {}\n", socket.display()));
    child
}

pub fn send_signal(pid: u32, signal: Signal) {
    kill_process(Pid::from_raw(pid.try_into().unwrap()).unwrap(), signal).unwrap();
}

pub fn until<T>(what: &str, mut check: impl FnMut() -> Option<T>) -> T {
    let end = Instant::now() + PATIENCE;
    loop {
        if let Some(result) = check() {
            return result;
        }
        assert!(Instant::now() < end, "{what} does not come");
        std::thread::sleep(Duration::from_millis(10));
    }
}

pub fn descriptors(pid: u32) -> usize {
    std::fs::read_dir(format!("/proc/{pid}/fd")).unwrap().count()
}

/// Waits until a process has nothing to do.
pub fn rest(pid: u32) {
    let mut asleep = 0;
    until("rest", || {
        let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
        let sleeps = stat.rsplit_once(") ").is_some_and(|(_, rest)| rest.starts_with('S'));
        asleep = if sleeps { asleep + 1 } else { 0 };
        (asleep == 20).then_some(())
    });
}

pub fn is_running(pid: u32) -> bool {
    // One that has ended but was not waited for is Z. Its command line is gone before that, while its sockets are still open.
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat"));
    stat.is_ok_and(|stat| !stat.rsplit(") ").next().is_some_and(|rest| rest.starts_with(['Z', 'X'])))
}

/// Publishes a window of one color.
pub fn red_window(context: &mut Context) -> ObjectId {
    let mut redraw = Recorder::new();
    redraw.clear_color(1.0, 0.0, 0.0, 1.0);
    redraw.clear(ClearMask::COLOR);
    let mut commit = context.commit();
    let procedure = commit.procedure(Callback::Redraw, &redraw.finish().unwrap()).unwrap();
    let mut desc = WindowDesc { x: 20, y: 40, width: 100, height: 80, ..WindowDesc::default() };
    desc.set_title("Red");
    desc.procedures[Callback::Redraw as usize] = procedure.into();
    let window = commit.window(&desc).unwrap();
    commit.finish().unwrap();
    window
}

/// Are all pixels of the rectangle red?
pub fn is_red(server: &Server, [x, y, width, height]: [usize; 4]) -> bool {
    // Beside the server's directory, which must be empty when it ends.
    let file = server.directory.with_extension("png");
    server.blinkctl(&["screenshot", file.to_str().unwrap()]).unwrap();
    let mut reader =
        png::Decoder::new(BufReader::new(std::fs::File::open(&file).unwrap())).read_info().unwrap();
    let mut pixels = vec![0; reader.output_buffer_size().unwrap()];
    let info = reader.next_frame(&mut pixels).unwrap();
    std::fs::remove_file(&file).unwrap();
    assert_eq!((info.width, info.height), (320, 240));
    (y..y + height).all(|y| (x..x + width).all(|x| pixels[(y * 320 + x) * 4..][..4] == [255, 0, 0, 255]))
}

pub fn raw_socket(path: &Path) -> OwnedFd {
    let socket =
        rustix::net::socket_with(AddressFamily::UNIX, SocketType::SEQPACKET, SocketFlags::CLOEXEC, None)
            .unwrap();
    rustix::net::connect(&socket, &SocketAddrUnix::new(path).unwrap()).unwrap();
    socket
}
