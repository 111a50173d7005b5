//! Clips for tests, made by ffmpeg.

use std::path::{Path, PathBuf};
use std::process::Command;

/// A directory of the test's own.
pub struct Directory(pub PathBuf);

impl Directory {
    pub fn new(name: &str) -> Directory {
        let path = std::env::temp_dir().join(format!("blink-decode-{name}-{}", std::process::id()));
        std::fs::create_dir(&path).unwrap();
        Directory(path)
    }

    /// Has ffmpeg make a file of this name, from a generated pattern.
    pub fn make(&self, name: &str, pattern: &str, arguments: &[&str]) -> PathBuf {
        let file = self.0.join(name);
        ffmpeg_makes(&["-f", "lavfi", "-i", pattern], arguments, &file);
        file
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// Runs ffmpeg.
pub fn ffmpeg_makes(input: &[&str], arguments: &[&str], file: &Path) {
    let made = Command::new("ffmpeg")
        .args(["-nostdin", "-v", "error", "-y"])
        .args(input)
        .args(arguments)
        .args(["-threads", "1", "-bitexact"])
        .arg(file)
        .status();
    assert!(made.expect("ffmpeg is there: scripts/setup").success());
}
