//! A virtual machine in QEMU, and the other end of its `ivshmem-doorbell` device.
#![allow(dead_code, reason = "each test uses its part")]

use blink_client::seqpacket;
use blink_server::renderer::aperture as mapping;
use blinkgl::layout::{APERTURE_MAGIC, APERTURE_VERSION, aperture};
use blinkgl::limits::PAGE_SIZE;
use blinkgl::shm::{Shm, ShmOffset};
use rustix::event::{EventfdFlags, PollFd, PollFlags, Timespec, eventfd, poll};
use rustix::fd::{AsFd, BorrowedFd, OwnedFd};
use rustix::fs::{MemfdFlags, SealFlags, fcntl_add_seals, ftruncate, memfd_create};
use serde_json::{Value, json};
use std::io::{BufRead, BufReader, Write};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};

/// A machine is emulated, and others may be busy with this one's processor.
const PATIENCE: Timespec = Timespec { tv_sec: 60, tv_nsec: 0 };

/// A directory of its own, for sockets: their paths must be short.
fn directory() -> PathBuf {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let name = format!("blink-vm-{}-{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
    let directory = std::env::temp_dir().join(name);
    std::fs::create_dir(&directory).unwrap();
    directory
}

/// A server's end of the device, without a server.
#[derive(Debug)]
pub struct Peer {
    directory: PathBuf,
    listener: UnixListener,
    /// QEMU takes the end of it for the server's.
    device: Option<UnixStream>,
    memory_fd: OwnedFd,
    /// The device's memory, an aperture.
    pub memory: Shm,
    doorbell: OwnedFd,
    wake: OwnedFd,
}

impl Peer {
    /// With so many bytes of memory.
    pub fn new(bytes: usize) -> Peer {
        let directory = directory();
        let listener = UnixListener::bind(directory.join("device")).unwrap();
        let size = u64::try_from(bytes).unwrap();
        let memory_fd = memfd_create("aperture", MemfdFlags::ALLOW_SEALING | MemfdFlags::CLOEXEC).unwrap();
        ftruncate(&memory_fd, size).unwrap();
        fcntl_add_seals(&memory_fd, SealFlags::SHRINK | SealFlags::GROW | SealFlags::SEAL).unwrap();
        let memory = mapping::map(&memory_fd, size).unwrap();
        for (offset, word) in [
            (aperture::MAGIC, APERTURE_MAGIC),
            (aperture::VERSION, APERTURE_VERSION),
            (aperture::PAGES, u32::try_from(bytes / PAGE_SIZE).unwrap()),
            (aperture::CLIENT, 1),
        ] {
            memory.store(ShmOffset(offset), word).unwrap();
        }
        let flags = EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK;
        let [doorbell, wake] = [(); 2].map(|()| eventfd(0, flags).unwrap());
        Peer { directory, listener, device: None, memory_fd, memory, doorbell, wake }
    }

    /// Where QEMU connects to.
    pub fn socket(&self) -> PathBuf {
        self.directory.join("device")
    }

    /// Greets a QEMU that connects.
    pub fn greet(&mut self) {
        let (device, _) = self.listener.accept().unwrap();
        let messages: [(i64, Option<BorrowedFd<'_>>); 5] = [
            (0, None),
            (1, None),
            (-1, Some(self.memory_fd.as_fd())),
            (0, Some(self.doorbell.as_fd())),
            (1, Some(self.wake.as_fd())),
        ];
        for (number, fd) in messages {
            seqpacket::send(device.as_fd(), &number.to_le_bytes(), fd.as_slice()).unwrap();
        }
        self.device = Some(device);
    }

    /// Waits until the machine rings.
    pub fn wait_for_bell(&self) {
        let count = poll(&mut [PollFd::new(&self.doorbell, PollFlags::IN)], Some(&PATIENCE)).unwrap();
        assert_eq!(count, 1, "the machine does not ring");
        rustix::io::read(&self.doorbell, &mut [0; 8]).unwrap();
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        std::fs::remove_dir_all(&self.directory).unwrap();
    }
}

/// A running machine.
#[derive(Debug)]
pub struct Machine {
    pub child: Child,
    serial: BufReader<ChildStdout>,
    qmp: BufReader<UnixStream>,
    directory: PathBuf,
}

impl Machine {
    /// Starts a machine with a kernel, a display's socket, and further options. Its device greets QEMU in `greet`,
    /// which then goes on.
    pub fn start(kernel: &Path, socket: &Path, options: &[&str], greet: impl FnOnce()) -> Machine {
        let directory = directory();
        let qmp = directory.join("qmp");
        let listener = UnixListener::bind(&qmp).unwrap();
        let mut child = Command::new("qemu-system-x86_64")
            .args(["-accel", "tcg", "-nodefaults", "-display", "none", "-no-reboot", "-serial", "stdio"])
            .arg("-kernel")
            .arg(kernel)
            .arg("-chardev")
            .arg(format!("socket,path={},id=blink", socket.display()))
            .args(["-device", "ivshmem-doorbell,vectors=2,chardev=blink"])
            .arg("-qmp")
            .arg(format!("unix:{}", qmp.display()))
            .args(options)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("QEMU: scripts/setup installs it");
        let serial = BufReader::new(child.stdout.take().unwrap());
        let (qmp, _) = listener.accept().unwrap();
        greet();
        let mut machine = Machine { child, serial, qmp: BufReader::new(qmp), directory };
        machine.qmp_line();
        machine.qmp("qmp_capabilities", &json!({}));
        machine
    }

    /// The next line that the machine's program writes.
    pub fn line(&mut self) -> String {
        let mut line = String::new();
        self.serial.read_line(&mut line).unwrap();
        line.trim_end().to_owned()
    }

    /// Writes to the machine's console.
    pub fn write(&mut self, text: &str) {
        self.child.stdin.as_mut().unwrap().write_all(text.as_bytes()).unwrap();
    }

    fn qmp_line(&mut self) -> Value {
        let mut line = String::new();
        self.qmp.read_line(&mut line).unwrap();
        serde_json::from_str(&line).unwrap()
    }

    /// Runs a command of QEMU's monitor.
    pub fn qmp(&mut self, command: &str, arguments: &Value) -> Value {
        let text = json!({ "execute": command, "arguments": arguments }).to_string();
        self.qmp.get_mut().write_all(text.as_bytes()).unwrap();
        loop {
            let mut answer = self.qmp_line();
            assert!(answer.get("error").is_none(), "{command}: {answer}");
            // Events come in between.
            if let Some(value) = answer.get_mut("return") {
                return value.take();
            }
        }
    }

    /// Is the processor halted, as QEMU says?
    pub fn is_halted(&mut self) -> bool {
        let arguments = json!({ "command-line": "info registers" });
        self.qmp("human-monitor-command", &arguments).as_str().unwrap().contains("HLT=1")
    }

    /// Processor time that QEMU has used, in hundredths of a second.
    pub fn ticks(&self) -> u64 {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.child.id())).unwrap();
        let (_, numbers) = stat.rsplit_once(") ").unwrap();
        numbers.split(' ').skip(11).take(2).map(|ticks| ticks.parse::<u64>().unwrap()).sum()
    }
}

impl Drop for Machine {
    fn drop(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
        std::fs::remove_dir_all(&self.directory).unwrap();
    }
}
