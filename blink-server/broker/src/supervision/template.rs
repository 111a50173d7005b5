//! The template: a renderer that has drawn once and has no client, of which renderers are copies.

use super::process::{Process, Role, pair};
use super::single::Single;
use crate::reactor::{Reactor, Source};
use crate::warnings::excerpt;
use ipc::glass::ClassId;
use ipc::template::{FromTemplate, Share, ToTemplate};
use rustix::fd::{AsFd, OwnedFd};
use std::collections::VecDeque;
use std::time::Instant;

/// Short lives of a template that was ready once, until renderers are started without it.
const SHORT_LIVES: u32 = 3;

/// How renderers are made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Makes {
    /// By the template.
    Copies,
    /// As programs.
    Programs,
    /// Not now.
    Nothing,
}

/// What the template said.
#[derive(Debug)]
pub enum Said {
    /// It has drawn.
    Ready {
        /// It can be copied.
        forks: bool,
    },
    /// A copy is there.
    Copy {
        /// Whose.
        class: ClassId,
        /// For which life of a renderer.
        life: u64,
        /// The copy.
        process: Process,
    },
    /// No copy could be made.
    NoCopy {
        /// Whose.
        class: ClassId,
        /// For which life of a renderer.
        life: u64,
        /// Why.
        reason: String,
    },
    /// A copy ended.
    Ended {
        /// Its process.
        pid: i32,
        /// As `exit status: 1` or `signal: 9 (SIGKILL)`.
        status: String,
    },
}

/// See the [module](self).
#[derive(Debug)]
pub struct Template {
    /// Its process.
    pub single: Single,
    /// Copies that it was asked for, in that order: whose, and for which life.
    forks: VecDeque<(ClassId, u64)>,
    /// OpenGL's version and renderer strings.
    gl: Option<String>,
}

impl Template {
    /// One that is to start at once.
    #[must_use]
    pub fn new(now: Instant) -> Template {
        let sources = [Source::Template, Source::TemplateProcess];
        let single = Single::new("template", Role::Template, sources, now);
        Template { single, forks: VecDeque::new(), gl: None }
    }

    /// How renderers are made now.
    #[must_use]
    pub fn makes(&self) -> Makes {
        if self.single.is_spent() {
            Makes::Programs
        } else if self.single.is_up() && self.single.is_ready() {
            Makes::Copies
        } else if self.single.was_ready() && self.single.short_lives() >= SHORT_LIVES {
            Makes::Programs
        } else {
            Makes::Nothing
        }
    }

    /// OpenGL's version and renderer strings, if they are known.
    #[must_use]
    pub fn gl(&self) -> Option<&str> {
        self.gl.as_deref()
    }

    /// A renderer says them, which may be the first that does.
    pub fn learn_gl(&mut self, untrusted_gl: &str) {
        self.gl.get_or_insert_with(|| excerpt(untrusted_gl));
    }

    /// Asks for a copy: our end of its socket.
    ///
    /// # Errors
    /// No descriptors are left.
    pub fn ask(
        &mut self,
        class: ClassId,
        life: u64,
        share: Share,
        reactor: &mut Reactor,
    ) -> std::io::Result<OwnedFd> {
        let (ours, theirs) = pair()?;
        if let Some(worker) = self.single.up() {
            worker.line.send(&ToTemplate::Fork { class, share }, &[theirs.as_fd()], reactor);
            self.forks.push_back((class, life));
        }
        Ok(ours)
    }

    /// What it was asked for never comes.
    pub fn take_asked(&mut self) -> impl Iterator<Item = (ClassId, u64)> {
        std::mem::take(&mut self.forks).into_iter()
    }

    /// Copies that it was asked for and that are not there yet.
    #[cfg(test)]
    pub fn asked(&self) -> usize {
        self.forks.len()
    }

    /// Reads a message.
    ///
    /// # Errors
    /// It makes no sense.
    pub fn hear(&mut self, message: FromTemplate, fds: Vec<OwnedFd>) -> Result<Said, String> {
        Ok(match message {
            FromTemplate::Ready { gl, forks } => {
                let how =
                    if forks { "renderers are its copies" } else { "renderers are programs of their own" };
                let gl = self.gl.insert(excerpt(&gl));
                log::info!("the template is ready: {gl}; {how}");
                self.single.is_ready_now();
                Said::Ready { forks }
            }
            FromTemplate::Forked { class, pid } => {
                let life = self.answered(class)?;
                let [handle] =
                    <[OwnedFd; 1]>::try_from(fds).map_err(|_| "a copy comes without its process")?;
                let process =
                    Process::of_handle(handle).map_err(|error| format!("process {pid}: {error}"))?;
                Said::Copy { class, life, process }
            }
            FromTemplate::NotForked { class, reason } => {
                Said::NoCopy { class, life: self.answered(class)?, reason: excerpt(&reason) }
            }
            FromTemplate::Ended { pid, status } => Said::Ended { pid, status },
        })
    }

    /// The life that an answer is for: it answers in the order in which it was asked.
    fn answered(&mut self, class: ClassId) -> Result<u64, String> {
        let at = self.forks.iter().position(|&(asked, _)| asked == class);
        let (_, life) = at
            .and_then(|at| self.forks.remove(at))
            .ok_or_else(|| format!("it was asked for no copy for class {class}"))?;
        Ok(life)
    }
}
