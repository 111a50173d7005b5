//! Applications of a virtual machine on a real server, by the machine's agent; the machine is only a QEMU's socket.
#![allow(missing_docs, reason = "a test")]

#[path = "support/process.rs"]
mod process;
#[path = "support/qemu.rs"]
mod qemu;

use blink_client::agent::Agent;
use blink_client::{Connection, Options, Wake, What};
use blinkgl::limits::PAGE_SIZE;
use process::{PATIENCE, Server, descriptors, is_red, red_window, send_signal, until};
use qemu::Device;
use rustix::fs::Mode;
use rustix::process::Signal;
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::process::{Child, Command};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

const VARIABLE: &str = "BLINK_TEST_AGENT";

fn connect(socket: &Path) -> Connection {
    let options = Options { name: "test".into(), bytes: Some(30 * PAGE_SIZE) };
    Connection::open_at(socket, &options).unwrap()
}

/// What the process does that is killed: it shows a red window.
#[test]
fn program() {
    let Some(socket) = std::env::var_os(VARIABLE) else { return };
    let mut connection = connect(socket.as_ref());
    let mut context = connection.context().unwrap();
    red_window(&mut context);
    while connection.wait(None).unwrap() != Wake::ServerGone {}
}

fn start_program(socket: &Path) -> Child {
    Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "program"])
        .env(VARIABLE, socket)
        .stdout(std::process::Stdio::null())
        .spawn()
        .unwrap()
}

/// An agent that runs beside the test.
struct Running {
    socket: PathBuf,
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Running {
    fn new(device: Device) -> Running {
        let socket = std::env::temp_dir().join(format!("blink-agent-{}", std::process::id()));
        let stop = Arc::new(AtomicBool::new(false));
        let mut agent = Agent::new(device, &socket, Mode::RWXU).unwrap();
        let told = Arc::clone(&stop);
        let thread = std::thread::spawn(move || {
            while !told.load(Ordering::Relaxed) {
                agent.step(Some(Duration::from_millis(10))).unwrap();
            }
        });
        Running { socket, stop, thread: Some(thread) }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            thread.join().unwrap();
        }
    }
}

fn windows(server: &Server) -> Vec<Value> {
    let list = server.blinkctl(&["list"]).unwrap();
    list.as_array().unwrap().iter().flat_map(|c| c["windows"].as_array().unwrap()).cloned().collect()
}

#[test]
fn an_application_that_is_killed_takes_only_its_window_along() {
    let server = Server::start();
    let vm = server.blinkctl(&["vm", "add", "work", "--memory", "1M"]).unwrap();
    let agent = Running::new(Device::connect(vm["socket"].as_str().unwrap().as_ref()));
    let mut connection = connect(&agent.socket);
    assert!(connection.is_in_vm());
    assert_eq!(vm["client"], connection.client());
    let mut context = connection.context().unwrap();
    let window = red_window(&mut context);
    let id = format!("{}.0.{window}", connection.client());
    until("a window", || server.window(&id));
    server.blinkctl(&["move", &id, "150", "100"]).unwrap();
    until("the picture", || is_red(&server, [150, 100, 100, 80]).then_some(()));
    let before = descriptors(std::process::id());
    let mut longest = Duration::ZERO;
    // More than there is room for at once.
    for _ in 0..12 {
        let mut program = start_program(&agent.socket);
        until("two windows", || (windows(&server).len() == 2).then_some(()));
        assert_eq!(server.blinkctl(&["list"]).unwrap().as_array().unwrap().len(), 1, "one client");
        until("both pictures", || {
            (is_red(&server, [20, 40, 100, 80]) && is_red(&server, [150, 100, 100, 80])).then_some(())
        });
        let begin = Instant::now();
        program.kill().unwrap();
        until("one window", || (windows(&server).len() == 1).then_some(()));
        longest = longest.max(begin.elapsed());
        assert!(!is_red(&server, [20, 40, 100, 80]));
        assert!(is_red(&server, [150, 100, 100, 80]));
        program.wait().unwrap();
    }
    println!("from an application's death to its window's end: {longest:.0?} at most");
    until("all descriptors closed", || (descriptors(std::process::id()) == before).then_some(()));

    // The other is woken for what is its own, also by the next renderer.
    for _ in 0..2 {
        while connection.wait(Some(Duration::ZERO)).unwrap() == Wake::Events {}
        while context.next_event().is_some() {}
        server.blinkctl(&["close", &id]).unwrap();
        assert_eq!(connection.wait(Some(PATIENCE)).unwrap(), Wake::Events);
        assert!(std::iter::from_fn(|| context.next_event()).any(|event| event.what == What::Close));
        let old = server.renderer();
        send_signal(old, Signal::KILL);
        server.next_renderer(old);
        until("the picture", || is_red(&server, [150, 100, 100, 80]).then_some(()));
    }

    drop(agent);
    until("no window", || windows(&server).is_empty().then_some(()));
    // What came before comes first.
    while connection.wait(None).unwrap() != Wake::ServerGone {}
}
