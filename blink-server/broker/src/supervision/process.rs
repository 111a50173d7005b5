//! A process of the server as the broker sees it: how it is started, watched, slowed down and ended.

use ipc::options::OutputOption;
use ipc::template::Share;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use rustix::io::Errno;
use rustix::net::{AddressFamily, SocketFlags, SocketType};
use rustix::process::{Pid, PidfdFlags, Signal};
use std::fmt::Debug;
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// What makes Mesa's software renderer draw in the one thread of its process, and open no files: so that a template can be
/// copied, a renderer takes one core at most, and its CPU time is its class's.
const DRAWS_ALONE: [(&str, &str); 2] = [("LP_NUM_THREADS", "0"), ("MESA_SHADER_CACHE_DISABLE", "true")];

/// What a process of the server does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Shows.
    Glass(OutputOption),
    /// Waits to be copied.
    Template,
    /// Runs the programs of a class; started anew, not copied.
    Renderer(Share),
}

/// Starts processes. Tests have one of their own.
pub trait Launch: Debug {
    /// Starts one; with it, our end of its socket.
    ///
    /// # Errors
    /// The system has no processes or descriptors left.
    fn launch(&mut self, role: Role) -> std::io::Result<(Process, OwnedFd)>;
}

/// Starts this program again, with the other end of a socket as its standard input.
#[derive(Clone, Copy, Debug)]
pub struct Programs {
    /// How much the logs say.
    pub verbose: u8,
}

impl Launch for Programs {
    fn launch(&mut self, role: Role) -> std::io::Result<(Process, OwnedFd)> {
        let (ours, theirs) = pair()?;
        let mut command = Command::new("/proc/self/exe");
        command.arg0("blink-server");
        match role {
            Role::Glass(OutputOption::Headless { width, height, hz }) => {
                command.args(["glass", "--headless"]).arg(format!("{width}x{height}@{hz}"))
            }
            Role::Glass(OutputOption::Window { width, height }) => {
                command.args(["glass", "--window", "--size"]).arg(format!("{width}x{height}"))
            }
            Role::Template => command.envs(DRAWS_ALONE).arg("template"),
            Role::Renderer(Share { memory }) => {
                command.envs(DRAWS_ALONE).args(["renderer", "--memory"]).arg(memory.to_string())
            }
        };
        command.args((0..self.verbose).map(|_| "-v"));
        // A group of its own: Ctrl-C in the terminal is for the keeper. But no session of its own: the kernel compares the
        // priorities of processes within a session only, where it groups them by sessions.
        command.stdin(Stdio::from(theirs)).stdout(Stdio::null()).process_group(0);
        Ok((Process::of_child(command.spawn()?)?, ours))
    }
}

/// A pair of connected sockets for messages.
///
/// # Errors
/// No descriptors are left.
pub fn pair() -> Result<(OwnedFd, OwnedFd), Errno> {
    rustix::net::socketpair(AddressFamily::UNIX, SocketType::SEQPACKET, SocketFlags::CLOEXEC, None)
}

/// A running process.
#[derive(Debug)]
pub struct Process {
    pid: Pid,
    /// Readable when it has died.
    handle: OwnedFd,
    /// If it is our child: copies are the template's.
    child: Option<Child>,
    started: Instant,
}

impl Process {
    /// A child.
    ///
    /// # Errors
    /// No descriptor is left. The child is killed then.
    pub fn of_child(mut child: Child) -> std::io::Result<Process> {
        let pid = i32::try_from(child.id()).ok().and_then(Pid::from_raw).ok_or(Errno::SRCH);
        match pid.and_then(|pid| Ok((pid, rustix::process::pidfd_open(pid, PidfdFlags::empty())?))) {
            Ok((pid, handle)) => Ok(Process { pid, handle, child: Some(child), started: Instant::now() }),
            Err(error) => {
                child.kill()?;
                child.wait()?;
                Err(error.into())
            }
        }
    }

    /// A process whose descriptor the template sent.
    ///
    /// # Errors
    /// It is no descriptor of a process, or the process is gone.
    pub fn of_handle(handle: OwnedFd) -> std::io::Result<Process> {
        // The number is the kernel's word, not the sender's.
        let text = std::fs::read_to_string(format!("/proc/self/fdinfo/{}", handle.as_raw_fd()))?;
        let number = text.lines().find_map(|line| line.strip_prefix("Pid:")?.trim().parse::<i32>().ok());
        let pid = number.filter(|&pid| pid > 0).and_then(Pid::from_raw).ok_or(Errno::SRCH)?;
        Ok(Process { pid, handle, child: None, started: Instant::now() })
    }

    /// Its number.
    #[must_use]
    pub fn pid(&self) -> i32 {
        self.pid.as_raw_nonzero().get()
    }

    /// Is it our child, not the template's?
    #[must_use]
    pub fn is_child(&self) -> bool {
        self.child.is_some()
    }

    /// How long it has lived.
    #[must_use]
    pub fn age(&self) -> Duration {
        self.started.elapsed()
    }

    /// Kills it; its descriptor will tell its death.
    pub fn kill(&self) {
        match rustix::process::pidfd_send_signal(&self.handle, Signal::KILL) {
            Ok(()) | Err(Errno::SRCH) => {}
            Err(error) => log::error!("process {} can't be killed: {error}", self.pid()),
        }
    }

    /// Has it died?
    #[must_use]
    pub fn is_dead(&self) -> bool {
        self.dies_by(Instant::now())
    }

    /// How it ended, if it is our child and has: as `exit status: 1` or `signal: 9 (SIGKILL)`.
    pub fn status(&mut self) -> Option<String> {
        match self.child.as_mut()?.try_wait() {
            Ok(status) => status.map(|status| status.to_string()),
            Err(error) => {
                log::error!("process {} can't be waited for: {error}", self.pid());
                None
            }
        }
    }

    /// Gives all its threads this priority: 0 is usual, 19 the lowest.
    ///
    /// # Errors
    /// Only processes with rights may raise it.
    pub fn set_nice(&self, nice: i32) -> Result<(), Errno> {
        if self.is_dead() {
            // Another process may have its number.
            return Ok(());
        }
        rustix::process::setpriority_process(Some(self.pid), nice)?;
        let tasks = std::fs::read_dir(format!("/proc/{}/task", self.pid())).into_iter().flatten();
        for task in tasks.flatten() {
            let thread = task.file_name().to_str().and_then(|name| name.parse().ok()).and_then(Pid::from_raw);
            match thread.map(|thread| rustix::process::setpriority_process(Some(thread), nice)) {
                None | Some(Ok(()) | Err(Errno::SRCH)) => {}
                Some(Err(error)) => return Err(error),
            }
        }
        Ok(())
    }

    /// Waits for its death.
    fn dies_by(&self, end: Instant) -> bool {
        let mut fds = [PollFd::new(&self.handle, PollFlags::IN)];
        loop {
            let left = end.saturating_duration_since(Instant::now());
            let time = Timespec {
                tv_sec: i64::try_from(left.as_secs()).unwrap_or(i64::MAX),
                tv_nsec: i64::from(left.subsec_nanos()),
            };
            match poll(&mut fds, Some(&time)) {
                // A signal, such as a second Ctrl-C.
                Err(Errno::INTR) => {}
                result => return matches!(result, Ok(1..)),
            }
        }
    }

    /// Waits for its end, and kills it when the time is up.
    pub fn end_by(mut self, end: Instant) {
        if !self.dies_by(end) {
            log::warn!("process {} does not end by itself and is killed", self.pid());
            self.kill();
        }
        if let Some(child) = &mut self.child
            && let Err(error) = child.wait()
        {
            log::error!("process {} can't be waited for: {error}", self.pid());
        }
    }
}

impl AsFd for Process {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.handle.as_fd()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sleeper() -> Process {
        Process::of_child(Command::new("sleep").arg("1000").spawn().unwrap()).unwrap()
    }

    #[test]
    fn a_handle_says_itself_which_process_it_is() {
        let child = sleeper();
        let handle = rustix::io::fcntl_dupfd_cloexec(&child.handle, 0).unwrap();
        let other = Process::of_handle(handle).unwrap();
        assert_eq!((other.pid(), other.is_child()), (child.pid(), false));
        let (socket, _other) = pair().unwrap();
        assert!(Process::of_handle(socket).is_err());
        other.kill();
        let mut child = child;
        assert!(child.dies_by(Instant::now() + Duration::from_secs(10)));
        assert_eq!(child.status().unwrap(), "signal: 9 (SIGKILL)");
        assert!(other.is_dead() && other.status_of_none());
    }

    impl Process {
        fn status_of_none(mut self) -> bool {
            self.status().is_none()
        }
    }

    #[test]
    fn priorities_are_those_of_all_threads() {
        let child = sleeper();
        child.set_nice(19).unwrap();
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", child.pid())).unwrap();
        let (_, fields) = stat.rsplit_once(')').unwrap();
        assert_eq!(fields.split_whitespace().nth(16), Some("19"));
        child.end_by(Instant::now());
    }
}
