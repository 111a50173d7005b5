//! A process of which there is one, started again when it dies: the glass, the template.

use super::backoff::Backoff;
use super::line::CLOSED;
use super::process::{Launch, Role};
use super::worker::Worker;
use crate::reactor::{Reactor, Source};
use crate::warnings::{self, excerpt};
use ipc::throttle::Throttle;
use std::time::Instant;

/// Deaths in a row of a process that was never ready, before the server gives up.
pub const MAX_FIRST_DEATHS: u32 = 5;
/// Messages of one life that make no sense, before it is ended. An honest process sends none.
const MAX_FAULTS: u32 = 64;

/// Where it is in its life.
#[derive(Debug)]
pub enum Life {
    /// There is none; the next one starts then.
    Waiting(Instant),
    /// It lives.
    Up(Box<Worker>),
    /// It is not needed any more.
    Spent,
}

/// See the [module](self).
#[derive(Debug)]
pub struct Single {
    name: &'static str,
    role: Role,
    sources: [Source; 2],
    life: Life,
    backoff: Backoff,
    /// Counts its lives.
    generation: u64,
    ready: bool,
    was_ready: bool,
    faults: u32,
    throttle: Throttle,
}

impl Single {
    /// One that is to start at once.
    #[must_use]
    pub fn new(name: &'static str, role: Role, sources: [Source; 2], now: Instant) -> Single {
        Single {
            name,
            role,
            sources,
            life: Life::Waiting(now),
            backoff: Backoff::default(),
            generation: 0,
            ready: false,
            was_ready: false,
            faults: 0,
            throttle: Throttle::default(),
        }
    }

    /// The process, while it lives.
    pub fn up(&mut self) -> Option<&mut Worker> {
        match &mut self.life {
            Life::Up(worker) => Some(worker),
            Life::Waiting(_) | Life::Spent => None,
        }
    }

    /// Is there one?
    #[must_use]
    pub fn is_up(&self) -> bool {
        matches!(self.life, Life::Up(_))
    }

    /// Has it done its work, so that it is not needed any more?
    #[must_use]
    pub fn is_spent(&self) -> bool {
        matches!(self.life, Life::Spent)
    }

    /// Its process id.
    #[must_use]
    pub fn pid(&self) -> Option<i32> {
        match &self.life {
            Life::Up(worker) => Some(worker.watch.process.pid()),
            Life::Waiting(_) | Life::Spent => None,
        }
    }

    /// Which life it is in.
    #[must_use]
    pub fn generation(&self) -> u64 {
        self.generation
    }

    /// It said that it is ready, in this life.
    #[must_use]
    pub fn is_ready(&self) -> bool {
        self.ready
    }

    /// It said so in some life.
    #[must_use]
    pub fn was_ready(&self) -> bool {
        self.was_ready
    }

    /// It says that it is ready.
    pub fn is_ready_now(&mut self) {
        (self.ready, self.was_ready) = (true, true);
    }

    /// It was ready in the life of another broker.
    pub fn assume_ready(&mut self) {
        self.was_ready = true;
    }

    /// Deaths in a row, each after a short life.
    #[must_use]
    pub fn short_lives(&self) -> u32 {
        self.backoff.short_lives()
    }

    /// Does the process of this life still live? False as soon as the kernel begins to end it: earlier than those hear of it that
    /// are to die with it.
    #[must_use]
    pub fn lives(&self, generation: u64) -> bool {
        match &self.life {
            Life::Up(worker) => {
                generation == self.generation
                    && worker.line.broken().is_none()
                    && !worker.line.is_hung_up()
                    && !worker.watch.process.is_dead()
            }
            Life::Waiting(_) | Life::Spent => false,
        }
    }

    /// When [`Single::turn`] is to be called.
    #[must_use]
    pub fn due(&self) -> Option<Instant> {
        match &self.life {
            Life::Waiting(due) => Some(*due),
            Life::Up(worker) => worker.line.due(),
            Life::Spent => None,
        }
    }

    /// Starts it if it is time. True: it has started.
    ///
    /// # Errors
    /// It never could be started.
    pub fn turn(
        &mut self,
        now: Instant,
        launcher: &mut dyn Launch,
        reactor: &mut Reactor,
    ) -> std::io::Result<bool> {
        match &mut self.life {
            Life::Waiting(due) if *due <= now => {}
            Life::Up(worker) => {
                worker.line.turn(now, reactor);
                if let Some(why) = worker.line.broken() {
                    // Its death will be told; to kill it twice does no harm. One that ends closes its socket first.
                    if why != CLOSED {
                        log::error!("the {} is killed: {why}", self.name);
                    }
                    worker.watch.process.kill();
                }
                return Ok(false);
            }
            Life::Waiting(_) | Life::Spent => return Ok(false),
        }
        match Worker::start(launcher, self.role, self.sources, reactor) {
            Ok(worker) => {
                self.generation += 1;
                (self.ready, self.faults) = (false, 0);
                log::info!("the {} starts, process {}", self.name, worker.watch.process.pid());
                self.life = Life::Up(Box::new(worker));
                Ok(true)
            }
            Err(error) if self.generation == 0 => Err(error),
            Err(error) => {
                let delay = self.backoff.after(std::time::Duration::ZERO);
                log::error!("the {} can't be started: {error}; once more in {delay:?}", self.name);
                self.life = Life::Waiting(now + delay);
                Ok(false)
            }
        }
    }

    /// It sent something that makes no sense. `time`: nanoseconds since some start.
    pub fn fault(&mut self, what: &str, time: u64) {
        let (name, text) = (self.name, excerpt(what));
        warnings::warn(&mut self.throttle, time, name, format_args!("the {name}: {text}"));
        self.faults += 1;
        if self.faults > MAX_FAULTS
            && let Life::Up(worker) = &self.life
        {
            worker.watch.process.kill();
        }
    }

    /// It died, if it did. True: it was never ready, too often.
    pub fn died(&mut self, now: Instant, reactor: &mut Reactor) -> Option<bool> {
        let Life::Up(worker) = &mut self.life else { return None };
        let status = worker.watch.process.status()?;
        let age = worker.watch.process.age();
        let delay = self.backoff.after_end(age, &status);
        log::error!("the {} died ({status}) after {age:?}; the next starts in {delay:?}", self.name);
        if let Life::Up(worker) = std::mem::replace(&mut self.life, Life::Waiting(now + delay)) {
            worker.line.close(reactor);
            worker.watch.bury(reactor);
        }
        self.ready = false;
        Some(!self.was_ready && self.backoff.short_lives() >= MAX_FIRST_DEATHS)
    }

    /// It is not needed any more.
    pub fn spend(&mut self) -> Option<Worker> {
        match std::mem::replace(&mut self.life, Life::Spent) {
            Life::Up(worker) => Some(*worker),
            Life::Waiting(_) | Life::Spent => None,
        }
    }
}
