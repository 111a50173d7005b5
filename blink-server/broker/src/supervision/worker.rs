//! A process and the line to it.

use super::line::Line;
use super::process::{Launch, Process, Role};
use crate::reactor::{Reactor, Source, Token};
use rustix::event::epoll::EventFlags;
use rustix::fd::OwnedFd;
use std::time::{Duration, Instant};

/// Time for a process to end by itself when its socket was closed.
pub const END_TIME: Duration = Duration::from_secs(2);
/// Processes that may be about to end. Beyond that the oldest is killed at once: clients that come and go must not fill the
/// machine with renderers.
const MAX_ENDING: usize = 32;

/// A process that is watched.
#[derive(Debug)]
pub struct Watch {
    /// The process.
    pub process: Process,
    token: Token,
}

impl Watch {
    /// Watches a process.
    ///
    /// # Errors
    /// The system has no memory left. The process is killed then.
    pub fn new(process: Process, source: Source, reactor: &mut Reactor) -> std::io::Result<Watch> {
        match reactor.watch(&process, source, EventFlags::IN) {
            Ok(token) => Ok(Watch { process, token }),
            Err(error) => {
                process.end_by(Instant::now());
                Err(error.into())
            }
        }
    }

    /// It has died, and needs no watching any more.
    pub fn bury(self, reactor: &mut Reactor) {
        reactor.forget(&self.process, self.token);
    }
}

/// A process of which there is one: the glass, the template.
#[derive(Debug)]
pub struct Worker {
    /// The process.
    pub watch: Watch,
    /// Its socket.
    pub line: Line,
}

impl Worker {
    /// Starts a process.
    ///
    /// # Errors
    /// The system has no processes or descriptors left.
    pub fn start(
        launcher: &mut dyn Launch,
        role: Role,
        [socket, process]: [Source; 2],
        reactor: &mut Reactor,
    ) -> std::io::Result<Worker> {
        let (started, ours) = launcher.launch(role)?;
        let watch = Watch::new(started, process, reactor)?;
        match open(ours, socket, reactor) {
            Ok(line) => Ok(Worker { watch, line }),
            Err(error) => {
                reactor.forget(&watch.process, watch.token);
                watch.process.end_by(Instant::now());
                Err(error)
            }
        }
    }
}

fn open(socket: OwnedFd, source: Source, reactor: &mut Reactor) -> std::io::Result<Line> {
    Ok(Line::open(socket, source, reactor)?)
}

/// Processes that nobody needs any more and that have some time to end by themselves.
#[derive(Debug, Default)]
pub struct Endings(Vec<Ending>);

#[derive(Debug)]
struct Ending {
    watch: Watch,
    /// When it is killed; `None`: it was.
    due: Option<Instant>,
}

impl Endings {
    /// A process is to end: its socket was closed.
    pub fn add(&mut self, watch: Watch, now: Instant, reactor: &mut Reactor) {
        reactor.rename(watch.token, Source::Ending);
        if self.0.iter().filter(|ending| ending.due.is_some()).count() >= MAX_ENDING
            && let Some(oldest) = self.0.iter_mut().find(|ending| ending.due.is_some())
        {
            oldest.watch.process.kill();
            oldest.due = None;
        }
        self.0.push(Ending { watch, due: Some(now + END_TIME) });
    }

    /// Forgets those that have died.
    pub fn event(&mut self, reactor: &mut Reactor) {
        for mut ending in std::mem::take(&mut self.0) {
            if ending.watch.process.is_dead() {
                // A child is waited for.
                let _status = ending.watch.process.status();
                ending.watch.bury(reactor);
            } else {
                self.0.push(ending);
            }
        }
    }

    /// When [`Endings::turn`] is to be called.
    #[must_use]
    pub fn due(&self) -> Option<Instant> {
        self.0.iter().filter_map(|ending| ending.due).min()
    }

    /// Kills those whose time is up.
    pub fn turn(&mut self, now: Instant) {
        for ending in self.0.iter_mut().filter(|ending| ending.due.is_some_and(|due| due <= now)) {
            log::warn!("process {} does not end by itself and is killed", ending.watch.process.pid());
            ending.watch.process.kill();
            ending.due = None;
        }
    }

    /// All of them.
    pub fn take(&mut self) -> impl Iterator<Item = Process> {
        std::mem::take(&mut self.0).into_iter().map(|ending| ending.watch.process)
    }
}
