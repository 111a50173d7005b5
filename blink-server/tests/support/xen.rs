//! Xen in QEMU, as `scripts/xen-boot` starts it: what is told to dom0, and what comes out.
#![allow(dead_code, reason = "each test uses its part")]

use serde_json::Value;
use std::io::BufReader;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// An emulated machine is slow, and others may be busy with this one's processor.
pub const PATIENCE: Duration = Duration::from_secs(90);

/// A picture: RGBA, top row first.
#[derive(Clone, PartialEq, Eq)]
pub struct Picture {
    pub width: usize,
    pub height: usize,
    pub pixels: Vec<u8>,
}

impl Picture {
    pub fn read(file: &Path) -> Picture {
        let file = BufReader::new(std::fs::File::open(file).unwrap());
        let mut reader = png::Decoder::new(file).read_info().unwrap();
        let mut pixels = vec![0; reader.output_buffer_size().unwrap()];
        let info = reader.next_frame(&mut pixels).unwrap();
        assert_eq!(info.color_type, png::ColorType::Rgba);
        Picture { width: info.width as usize, height: info.height as usize, pixels }
    }

    /// The content of a window, as `blinkctl list` describes it.
    pub fn content(&self, window: &Value) -> Vec<u8> {
        let [x, y, width, height] = ["x", "y", "width", "height"]
            .map(|name| usize::try_from(window[name].as_i64().unwrap()).expect("it is on the output"));
        assert!(x + width <= self.width && y + height <= self.height, "{window} is not on the output");
        (y..y + height).flat_map(|y| &self.pixels[(y * self.width + x) * 4..][..width * 4]).copied().collect()
    }
}

/// The directory of the scripts, and that of the build.
pub fn directories() -> (PathBuf, PathBuf) {
    let build = Path::new(env!("CARGO_TARGET_TMPDIR")).parent().expect("the build directory").to_owned();
    (Path::new(env!("CARGO_MANIFEST_DIR")).join("../scripts"), build)
}

/// A script, which finds the build directory where this test has it.
pub fn script(name: &str) -> Command {
    let (scripts, build) = directories();
    let mut command = Command::new(scripts.join(name));
    command.env("CARGO_TARGET_DIR", build);
    command
}

/// A machine with Xen, in a folder of its own.
#[derive(Debug)]
pub struct Xen {
    child: Child,
    pub folder: PathBuf,
    pub launch: Instant,
}

impl Xen {
    /// Builds what is not built yet, and boots it.
    pub fn boot() -> Xen {
        let output = script("xen-image").output().expect("the script starts");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let folder = std::env::temp_dir().join(format!("blink-xen-{}", std::process::id()));
        std::fs::create_dir_all(folder.join("share")).unwrap();
        let launch = Instant::now();
        let child = script("xen-boot").arg(&folder).stdin(Stdio::null()).spawn().expect("the script starts");
        let mut xen = Xen { child, folder, launch };
        xen.until("dom0", |xen| {
            assert!(xen.child.try_wait().unwrap().is_none(), "the machine has ended");
            xen.folder.join("ready").exists().then_some(())
        });
        xen
    }

    /// A file of the folder that dom0 has as /share.
    pub fn shared(&self, name: &str) -> PathBuf {
        self.folder.join("share").join(name)
    }

    /// Runs a command in dom0; an error: what it wrote.
    pub fn run(&self, command: &str) -> Result<String, String> {
        let output = script("xen-boot").arg("--run").arg(&self.folder).arg(command).output().unwrap();
        let text = |bytes| String::from_utf8_lossy(bytes).into_owned();
        match output.status.success() {
            true => Ok(text(&output.stdout)),
            false => Err(text(&output.stdout) + &text(&output.stderr)),
        }
    }

    /// Runs a command in dom0 that must succeed.
    pub fn dom0(&self, command: &str) -> String {
        self.run(command).unwrap_or_else(|error| panic!("{command}: {error}"))
    }

    /// Waits for something.
    pub fn until<T>(&mut self, what: &str, mut check: impl FnMut(&mut Xen) -> Option<T>) -> T {
        let end = Instant::now() + PATIENCE;
        loop {
            if let Some(result) = check(self) {
                return result;
            }
            assert!(Instant::now() < end, "{what} does not come");
            // Not often: each look takes the one processor from what it waits for.
            std::thread::sleep(Duration::from_millis(700));
        }
    }

    /// What a domain has written on its console.
    pub fn log(&self, domain: &str) -> String {
        let file = self.shared("console").join(format!("guest-{domain}.log"));
        String::from_utf8_lossy(&std::fs::read(file).unwrap_or_default()).replace('\r', "")
    }

    /// Starts a domain.
    pub fn start(&self, domain: &str, commands: &str) {
        self.dom0(&format!("domain start {domain} '{commands}'"));
    }

    /// Tells a domain's shell something.
    pub fn tell(&self, domain: &str, commands: &str) {
        self.dom0(&format!("domain tell {domain} '{commands}'"));
    }

    /// The state of a domain as `xl list` shows it, such as `-b----`; `None`: there is none.
    pub fn state(&self, domain: &str) -> Option<String> {
        let list = self.dom0("xl list");
        let line = list.lines().find(|line| line.split_whitespace().next() == Some(domain))?;
        line.split_whitespace().nth(4).map(str::to_owned)
    }

    /// Starts a server in dom0, and waits until it answers.
    pub fn start_server(&mut self, options: &str) {
        self.dom0(&format!(
            "blink-server --socket /run/blink {options} -v </dev/null >>/share/server.log 2>&1 &"
        ));
        self.until("the server", |xen| xen.blinkctl("list").ok());
    }

    /// Asks the server.
    pub fn blinkctl(&self, arguments: &str) -> Result<Value, String> {
        let text = self.run(&format!("blinkctl --json --socket /run/blink {arguments}"))?;
        serde_json::from_str(&text).map_err(|error| format!("{error}: {text}"))
    }

    /// The window of a domain, once it was drawn.
    pub fn window(&self, domain: &str) -> Option<Value> {
        let list = self.blinkctl("list").ok()?;
        let client = list.as_array()?.iter().find(|client| client["name"] == domain)?;
        client["windows"].as_array()?.iter().find(|window| window["redraws"].as_u64() > Some(0)).cloned()
    }

    /// All windows of a domain, drawn or not.
    pub fn windows(&self, domain: &str) -> Option<usize> {
        let list = self.blinkctl("list").ok()?;
        let client = list.as_array()?.iter().find(|client| client["name"] == domain);
        Some(client.map_or(0, |client| client["windows"].as_array().map_or(0, Vec::len)))
    }

    /// Counters of the server, and of a domain.
    pub fn count(&self, domain: &str, counter: &str) -> Option<u64> {
        let stats = self.blinkctl("stats").ok()?;
        stats["clients"].as_array()?.iter().find(|client| client["name"] == domain)?[counter].as_u64()
    }

    /// What is on the output.
    pub fn picture(&self) -> Picture {
        self.blinkctl("screenshot /share/picture.png").unwrap();
        Picture::read(&self.shared("picture.png"))
    }

    /// Seconds that dom0's clock shows.
    pub fn clock(&self) -> f64 {
        let text = self.dom0("cut -d \" \" -f 1 /proc/uptime");
        text.trim().parse().unwrap()
    }
}

impl Drop for Xen {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let files = ["console.log", "share/server.log"].map(|name| self.folder.join(name));
            let consoles = std::fs::read_dir(self.shared("console")).into_iter().flatten().flatten();
            for file in files.into_iter().chain(consoles.map(|entry| entry.path())) {
                let text = String::from_utf8_lossy(&std::fs::read(&file).unwrap_or_default()).into_owned();
                eprintln!("---- {}\n{text}", file.display());
            }
        }
        // The script ends QEMU when it is asked to end, and not when it is killed.
        let pid = i32::try_from(self.child.id()).ok().and_then(rustix::process::Pid::from_raw);
        if let (Ok(None), Some(pid)) = (self.child.try_wait(), pid) {
            let _asked = rustix::process::kill_process(pid, rustix::process::Signal::TERM);
            let _ended = self.child.wait();
        }
        let _removed = std::fs::remove_dir_all(&self.folder);
    }
}
