//! The renderer's process as the broker sees it: starting it, talking to it, starting it again.
//!
//! It handles hostile bytes, so nothing that it does may stop the broker: messages to it wait in a
//! bounded queue, and a renderer that does not take them is killed.

use super::outbox::Outbox;
use ipc::options::OutputOption;
use rustix::fd::{AsFd, BorrowedFd, OwnedFd};
use rustix::io::Errno;
use rustix::net::{AddressFamily, SocketFlags, SocketType};
use rustix::process::{Pid, PidfdFlags};
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

/// Longest wait before the next start, in a loop of crashes.
const MAX_DELAY: Duration = Duration::from_secs(1);
/// First wait, after the second crash in a row.
const FIRST_DELAY: Duration = Duration::from_millis(50);
/// A renderer that lived so long ends a loop of crashes.
const GOOD_LIFE: Duration = Duration::from_secs(10);
/// Time for the renderer to end by itself when the server ends.
const END_TIME: Duration = Duration::from_secs(2);

/// A running renderer.
#[derive(Debug)]
pub struct Renderer {
    child: Child,
    process: OwnedFd,
    /// Messages to it; and from it.
    pub outbox: Outbox,
    started: Instant,
    /// It said that its output is there.
    pub ready: bool,
}

impl Renderer {
    /// Starts one: this program again, its standard input the other end of a socket pair.
    ///
    /// # Errors
    /// The system has no processes or descriptors left.
    pub fn start(output: OutputOption, verbose: u8) -> std::io::Result<Renderer> {
        let (ours, theirs) =
            rustix::net::socketpair(AddressFamily::UNIX, SocketType::SEQPACKET, SocketFlags::CLOEXEC, None)?;
        let mut command = Command::new("/proc/self/exe");
        command.arg0("blink-server").arg("renderer");
        match output {
            OutputOption::Headless { width, height, hz } => {
                command.arg("--headless").arg(format!("{width}x{height}@{hz}"))
            }
            OutputOption::Window { width, height } => {
                command.args(["--window", "--size"]).arg(format!("{width}x{height}"))
            }
        };
        command.args((0..verbose).map(|_| "-v"));
        // A group of its own: Ctrl-C in the terminal is for the broker, which ends the renderer.
        command.stdin(Stdio::from(theirs)).stdout(Stdio::null()).process_group(0);
        let mut child = command.spawn()?;
        let pid = i32::try_from(child.id()).ok().and_then(Pid::from_raw);
        let process =
            pid.ok_or(Errno::SRCH).and_then(|pid| rustix::process::pidfd_open(pid, PidfdFlags::empty()));
        match process {
            Ok(process) => Ok(Renderer {
                child,
                process,
                outbox: Outbox::new(ours),
                started: Instant::now(),
                ready: false,
            }),
            Err(error) => {
                child.kill()?;
                child.wait()?;
                Err(error.into())
            }
        }
    }

    /// Its process id.
    #[must_use]
    pub fn pid(&self) -> i32 {
        i32::try_from(self.child.id()).unwrap_or(0)
    }

    /// Readable when it has died.
    #[must_use]
    pub fn process(&self) -> BorrowedFd<'_> {
        self.process.as_fd()
    }

    /// Kills it; [`Renderer::process`] will tell its death.
    pub fn kill(&mut self) {
        if let Err(error) = self.child.kill() {
            log::error!("the renderer can't be killed: {error}");
        }
    }

    /// How it ended, if it has.
    pub fn ended(&mut self) -> Option<ExitStatus> {
        match self.child.try_wait() {
            Ok(status) => status,
            Err(error) => {
                log::error!("the renderer can't be waited for: {error}");
                None
            }
        }
    }

    /// How long it has lived.
    #[must_use]
    pub fn age(&self) -> Duration {
        self.started.elapsed()
    }

    /// Ends it: hangs up, and kills it if it takes too long.
    pub fn end(self) {
        let Renderer { mut child, process, outbox, .. } = self;
        drop(outbox);
        let mut fds = [rustix::event::PollFd::new(&process, rustix::event::PollFlags::IN)];
        let end = Instant::now() + END_TIME;
        let has_ended = loop {
            let left = end.saturating_duration_since(Instant::now());
            let time = rustix::event::Timespec {
                tv_sec: i64::try_from(left.as_secs()).unwrap_or(i64::MAX),
                tv_nsec: i64::from(left.subsec_nanos()),
            };
            match rustix::event::poll(&mut fds, Some(&time)) {
                // A signal, such as a second Ctrl-C.
                Err(Errno::INTR) => {}
                result => break matches!(result, Ok(1..)),
            }
        };
        if !has_ended {
            log::warn!("the renderer does not end by itself and is killed");
            if let Err(error) = child.kill() {
                log::error!("the renderer can't be killed: {error}");
            }
        }
        if let Err(error) = child.wait() {
            log::error!("the renderer can't be waited for: {error}");
        }
    }
}

/// When to start the next renderer after one died.
#[derive(Debug, Default)]
pub struct Backoff {
    /// Deaths in a row, each after a short life.
    deaths: u32,
}

impl Backoff {
    /// The wait before the next start: none after a good life or for the first death, then twice as long each time.
    pub fn after(&mut self, life: Duration) -> Duration {
        if life >= GOOD_LIFE {
            self.deaths = 0;
        }
        let delay = match self.deaths {
            0 => Duration::ZERO,
            n => FIRST_DELAY.saturating_mul(1 << (n - 1).min(10)).min(MAX_DELAY),
        };
        self.deaths = self.deaths.saturating_add(1);
        delay
    }

    /// Deaths in a row, each after a short life.
    #[must_use]
    pub fn deaths(&self) -> u32 {
        self.deaths
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn crash_loops_slow_down_and_recover() {
        let mut backoff = Backoff::default();
        let short = Duration::from_millis(5);
        let delays: Vec<u128> = (0..9).map(|_| backoff.after(short).as_millis()).collect();
        assert_eq!(delays, [0, 50, 100, 200, 400, 800, 1000, 1000, 1000]);
        assert_eq!(backoff.after(GOOD_LIFE), Duration::ZERO);
        assert_eq!(backoff.after(short).as_millis(), 50);
    }
}
