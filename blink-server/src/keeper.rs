//! The keeper: the process that is there first, and holds what the broker can't lose.
//!
//! It starts the broker, and another when that dies. It keeps copies of the descriptors that make a client: memory,
//! doorbell, wake-up and the connection, with what the broker knows of it. So the next broker goes on where the last
//! one was, and clients and virtual machines notice nothing: their connections were open all the time.
//!
//! It understands nothing of what it keeps, listens to nobody but the broker, and does nothing else: so that it
//! does not die.

use broker::Backoff;
use ipc::{FromKeeper, Key, ToKeeper};
use os::seqpacket::{self, Received, SocketError};
use os::signals::Signals;
use rustix::event::{PollFd, PollFlags, poll};
use rustix::fd::{AsFd, BorrowedFd, OwnedFd};
use rustix::io::Errno;
use rustix::net::{AddressFamily, SocketFlags, SocketType};
use rustix::process::{Pid, PidfdFlags, Signal};
use std::collections::BTreeMap;
use std::ffi::OsString;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::process::{Child, Command, ExitCode, ExitStatus, Stdio};
use std::time::Instant;

/// What the runtime of Rust ends a process with that panicked.
const PANIC_STATUS: i32 = 101;
/// What a shell says of a process that a signal ended, plus the signal's number.
const SIGNAL_STATUS: i32 = 128;

/// Messages taken from the broker before signals have their turn.
const MESSAGES_A_TURN: usize = 64;

/// Why the keeper ends.
#[derive(Debug, thiserror::Error)]
pub enum KeeperError {
    /// The system failed.
    #[error("{0}")]
    System(#[from] Errno),
    /// No broker can be started.
    #[error("the broker can't be started: {0}")]
    Broker(#[from] std::io::Error),
    /// Its socket failed.
    #[error("the broker's socket: {0}")]
    Socket(#[from] SocketError),
    /// A message can't be written: an error of ours.
    #[error("a message can't be written: {0}")]
    Message(#[from] serde_json::Error),
}

/// What is kept, by what it is of.
#[derive(Debug, Default)]
struct Store(BTreeMap<Key, (String, Vec<OwnedFd>)>);

impl Store {
    fn handle(&mut self, message: ToKeeper, fds: Vec<OwnedFd>) {
        match message {
            ToKeeper::Keep { key, value } => {
                self.0.insert(key, (value, fds));
            }
            ToKeeper::Note { key, value } => {
                if let Some((kept, _)) = self.0.get_mut(&key) {
                    *kept = value;
                }
            }
            ToKeeper::Drop { key } => {
                self.0.remove(&key);
            }
        }
    }

    /// Hands all of it to a new broker.
    fn give(&self, broker: &OwnedFd) -> Result<(), KeeperError> {
        let send = |message: &FromKeeper, fds: &[OwnedFd]| -> Result<(), KeeperError> {
            let fds: Vec<BorrowedFd<'_>> = fds.iter().map(AsFd::as_fd).collect();
            Ok(seqpacket::send(broker.as_fd(), &serde_json::to_vec(message)?, &fds)?)
        };
        for (&key, (value, fds)) in &self.0 {
            send(&FromKeeper::Kept { key, value: value.clone() }, fds)?;
        }
        send(&FromKeeper::All, &[])
    }
}

/// The broker's process.
struct Broker {
    child: Child,
    process: OwnedFd,
    socket: OwnedFd,
    started: Instant,
}

impl Broker {
    fn start(arguments: &[OsString]) -> Result<Broker, KeeperError> {
        let (socket, theirs) =
            rustix::net::socketpair(AddressFamily::UNIX, SocketType::SEQPACKET, SocketFlags::CLOEXEC, None)?;
        let mut command = Command::new("/proc/self/exe");
        command.arg0("blink-server").arg("broker").args(arguments).stdin(Stdio::from(theirs));
        // A group of its own: Ctrl-C in the terminal is for the keeper, which passes it on once.
        command.process_group(0);
        let mut child = command.spawn()?;
        let pid = i32::try_from(child.id()).ok().and_then(Pid::from_raw);
        match pid.ok_or(Errno::SRCH).and_then(|pid| rustix::process::pidfd_open(pid, PidfdFlags::empty())) {
            Ok(process) => Ok(Broker { child, process, socket, started: Instant::now() }),
            Err(error) => {
                child.kill()?;
                child.wait()?;
                Err(error.into())
            }
        }
    }

    /// Takes what it sends to be kept. True: there may be more.
    fn listen(&self, store: &mut Store) -> bool {
        for _ in 0..MESSAGES_A_TURN {
            match seqpacket::receive(self.socket.as_fd()) {
                Ok(Received::Message(bytes, fds)) => match serde_json::from_slice(&bytes) {
                    Ok(message) => store.handle(message, fds),
                    Err(error) => log::error!("a message of the broker makes no sense: {error}"),
                },
                Ok(Received::Nothing | Received::Closed) => return false,
                Err(error) if error.is_fatal() => {
                    log::error!("the broker's socket: {error}");
                    return false;
                }
                Err(error) => log::error!("a message of the broker is lost: {error}"),
            }
        }
        true
    }

    /// Keeps for it until it ends. Signals are passed on as wishes to end; `asked` says that there was one.
    fn attend(
        &mut self,
        store: &mut Store,
        signals: &Signals,
        asked: &mut bool,
    ) -> Result<ExitStatus, KeeperError> {
        loop {
            let mut fds = [
                PollFd::new(&self.process, PollFlags::IN),
                PollFd::new(signals, PollFlags::IN),
                PollFd::new(&self.socket, PollFlags::IN),
            ];
            match poll(&mut fds, None) {
                Ok(_) | Err(Errno::INTR) => {}
                Err(error) => return Err(error.into()),
            }
            let [ended, signal, message] = fds.map(|fd| !fd.revents().is_empty());
            if signal {
                *asked = true;
                signals.take();
                // If it has just ended, that is told next.
                let _told = rustix::process::pidfd_send_signal(&self.process, Signal::TERM);
            }
            if message {
                self.listen(store);
            }
            if ended {
                // All that it said is there.
                while self.listen(store) {}
                return Ok(self.child.wait()?);
            }
        }
    }
}

/// Keeps until a broker ends by itself, by a wish, or because it can't work. `arguments` are those of the command line.
///
/// # Errors
/// The system has no processes or descriptors left.
pub fn main(arguments: &[OsString]) -> Result<ExitCode, KeeperError> {
    let signals = Signals::new()?;
    let mut store = Store::default();
    let mut backoff = Backoff::default();
    let mut asked = false;
    loop {
        let mut broker = Broker::start(arguments)?;
        if let Err(error) = store.give(&broker.socket) {
            // It is ending, and says why itself; or it is of no use.
            log::info!("the broker does not take what was kept: {error}");
            broker.child.kill()?;
        }
        let status = broker.attend(&mut store, &signals, &mut asked)?;
        let fell = status.signal().is_some() || status.code() == Some(PANIC_STATUS);
        if asked || !fell {
            let code = status.code().unwrap_or_else(|| SIGNAL_STATUS + status.signal().unwrap_or(0));
            return Ok(u8::try_from(code).map_or(ExitCode::FAILURE, ExitCode::from));
        }
        let delay = backoff.after_end(broker.started.elapsed(), &status.to_string());
        log::error!("the broker died ({status}); the next starts in {delay:?}");
        std::thread::sleep(delay);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ipc::ClientId;

    #[test]
    fn what_is_kept_is_handed_over_and_what_is_dropped_is_closed() {
        let (ours, theirs) =
            rustix::net::socketpair(AddressFamily::UNIX, SocketType::SEQPACKET, SocketFlags::CLOEXEC, None)
                .unwrap();
        let mut store = Store::default();
        let fds = || vec![seqpacket::memory("test", b"kept").unwrap()];
        let (one, two) = (Key::Client(ClientId(1)), Key::Client(ClientId(2)));
        store.handle(ToKeeper::Keep { key: Key::Server, value: "7".into() }, vec![]);
        store.handle(ToKeeper::Keep { key: one, value: "one".into() }, fds());
        store.handle(ToKeeper::Keep { key: two, value: "two".into() }, fds());
        store.handle(ToKeeper::Note { key: two, value: "2".into() }, vec![]);
        store.handle(ToKeeper::Drop { key: one }, vec![]);
        store.handle(ToKeeper::Note { key: one, value: "gone".into() }, vec![]);
        // As often as there are brokers.
        for _ in 0..2 {
            store.give(&ours).unwrap();
            let next = || match seqpacket::receive(theirs.as_fd()).unwrap() {
                Received::Message(bytes, fds) => (serde_json::from_slice(&bytes).unwrap(), fds),
                Received::Nothing | Received::Closed => panic!("nothing came"),
            };
            let (message, fds) = next();
            assert_eq!((message, fds.len()), (FromKeeper::Kept { key: Key::Server, value: "7".into() }, 0));
            let (message, fds) = next();
            assert_eq!(message, FromKeeper::Kept { key: two, value: "2".into() });
            assert_eq!(seqpacket::read_memory(&fds[0], 100).unwrap(), b"kept");
            assert_eq!(next().0, FromKeeper::All);
        }
    }
}
