//! What Mesa does with drawing, which it is told by the environment of a fresh process.

use super::Error;
use crate::report::{Gl, GlRows};
use std::process::Command;

/// How much of OpenGL there is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Driver {
    /// All of it. In the calling thread, so that its clock sees all work.
    Whole,
    /// Nothing behind Mesa's front end, as if drawing took no time: what is left is OpenGL's library, and ours.
    FrontEnd,
}

impl Driver {
    /// Does it draw?
    pub fn draws(self) -> bool {
        self == Driver::Whole
    }

    fn name(self) -> &'static str {
        match self {
            Driver::Whole => "whole",
            Driver::FrontEnd => "front-end",
        }
    }

    fn environment(self) -> [(&'static str, &'static str); 2] {
        match self {
            Driver::Whole => [("LP_NUM_THREADS", "0"), ("GALLIUM_THREAD", "0")],
            // With a thread of its own, this driver falls over buffers that are written to again (Mesa 22.3).
            Driver::FrontEnd => [("GALLIUM_NOOP", "1"), ("GALLIUM_THREAD", "0")],
        }
    }

    fn rows(self, frames: usize) -> Result<GlRows, Error> {
        let frames = frames.to_string();
        let mut command = Command::new(std::env::current_exe()?);
        command.args(["--gl", self.name(), "--frames", &frames]).envs(self.environment());
        let output = command.stderr(std::process::Stdio::inherit()).output()?;
        if !output.status.success() {
            return Err(Error::Child(self.name()));
        }
        Ok(serde_json::from_slice(&output.stdout)?)
    }
}

/// Measures with both.
pub fn measure(frames: usize) -> Result<Gl, Error> {
    Ok(Gl { whole: Driver::Whole.rows(frames)?, front_end: Driver::FrontEnd.rows(frames)? })
}
