//! The server's window on an X11 desktop: a virtual one, whose screen can be read from a file.
#![allow(missing_docs, reason = "a test")]

#[path = "support/process.rs"]
mod process;

use process::{PATIENCE, red_window, send_signal, until};
use rustix::process::Signal;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

/// A virtual X11 desktop.
struct Desktop {
    child: Child,
    folder: PathBuf,
    display: String,
}

impl Desktop {
    fn start() -> Desktop {
        let folder = std::env::temp_dir().join(format!("blink-desktop-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let mut child = Command::new("Xvfb")
            .args(["-displayfd", "1", "-screen", "0", "640x480x24", "-fbdir"])
            .arg(&folder)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("Xvfb: scripts/setup installs it");
        let mut number = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut number).unwrap();
        Desktop { child, folder, display: format!(":{}", number.trim()) }
    }

    /// The pixel of the screen: red, green, blue. The file is an X window dump (XWDFile.h): a header of
    /// 32-bit words, most significant byte first; a color map of 12 bytes an entry; rows of BGRX pixels.
    fn pixel(&self, x: usize, y: usize) -> [u8; 3] {
        let dump = std::fs::read(self.folder.join("Xvfb_screen0")).unwrap();
        let word = |index: usize| {
            let bytes: [u8; 4] = dump[index * 4..index * 4 + 4].try_into().unwrap();
            usize::try_from(u32::from_be_bytes(bytes)).unwrap()
        };
        let (header, row, colors) = (word(0), word(12), word(19));
        let at = header + colors * 12 + y * row + x * 4;
        [dump[at + 2], dump[at + 1], dump[at]]
    }
}

impl Drop for Desktop {
    fn drop(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
        std::fs::remove_dir_all(&self.folder).unwrap();
    }
}

fn start(desktop: &Desktop, socket: &Path) -> Child {
    let mut child = Command::new(env!("CARGO_BIN_EXE_blink-server"))
        .args(["--window", "--size", "400x300", "--socket"])
        .arg(socket)
        .env("DISPLAY", &desktop.display)
        .env_remove("WAYLAND_DISPLAY")
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    assert!(line.contains("ready"), "{line:?}");
    child
}

#[test]
fn a_window_on_the_desktop_shows_the_picture() {
    let desktop = Desktop::start();
    let folder = desktop.folder.join("server");
    let child = start(&desktop, &folder.join("s"));
    let server = process::Server { child, socket: folder.join("s"), directory: folder };
    let mut connection = server.connect("red").unwrap();
    let mut context = connection.context().unwrap();
    red_window(&mut context);
    // The desktop has no window manager, so the server's window is in its corner.
    until("red on the desktop", || (desktop.pixel(60, 80) == [255, 0, 0]).then_some(()));
    assert_ne!(desktop.pixel(300, 250), [255, 0, 0], "outside of the client's window");
    assert_eq!(desktop.pixel(500, 400), [0, 0, 0], "outside of the server's window");
    let pid = server.child.id();
    send_signal(pid, Signal::TERM);
    assert!(connection.wait(Some(PATIENCE)).is_ok());
    assert!(server.end(Signal::TERM).success());
}
