//! `blinkctl`: its connections, and its commands that wait for answers.
//!
//! Commands about what is shown go to the glass. `list` and `stats` go to the glass and to all renderers, and their answers
//! are merged. No renderer delays an answer for long: one that is slow is left out, and the answer says so.

mod answers;
pub mod machines;
pub mod merge;
mod process_stats;
#[cfg(test)]
mod tests;

use crate::clients::Origin;
use crate::house::House;
use crate::policy::places::{self, Room, Waiting};
use crate::reactor::{ConnectionId, Source, Watched};
use crate::transport::door::Door;
use answers::Parts;
use ipc::glass::ClassId;
use ipc::{Answer, Command, Question};
use os::seqpacket::{self, Received, SocketError};
use rustix::event::epoll::EventFlags;
use rustix::fd::{AsFd, BorrowedFd, OwnedFd};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

/// Connections accepted, and messages taken from one of them, before others have their turn.
const ACCEPTS_A_TURN: usize = 64;
/// Commands of one connection that may wait.
const MAX_PENDING: usize = 16;
/// Time for the glass to answer a command.
const ANSWER_TIME: Duration = Duration::from_secs(10);
/// Time for a renderer to answer: it is left out after that.
const RENDERER_TIME: Duration = Duration::from_secs(1);

/// A `blinkctl`.
#[derive(Debug)]
struct Connection {
    socket: Watched,
    origin: Origin,
    /// When it came.
    since: Instant,
}

/// A command that waits for its answer.
#[derive(Debug)]
struct Pending {
    connection: ConnectionId,
    /// When the asker is told that no answer came.
    deadline: Instant,
    /// It is merged with what renderers say.
    question: Option<Asked>,
    /// The answer has a picture.
    is_screenshot: bool,
}

/// What is known of an answer that has many parts.
#[derive(Debug)]
struct Asked {
    question: Question,
    glass: Option<Value>,
    /// Renderers whose parts are due.
    awaited: BTreeSet<ClassId>,
    parts: Parts,
    /// When those that have not answered are left out.
    patience: Instant,
}

impl Asked {
    fn is_complete(&self) -> bool {
        self.glass.is_some() && self.awaited.is_empty()
    }

    fn leave_out(&mut self, class: ClassId, error: String) {
        if self.awaited.remove(&class) {
            self.parts.insert(class, Err(error));
        }
    }
}

/// See the [module](self).
#[derive(Debug)]
pub struct Control {
    door: Door,
    /// In the order in which they came.
    connections: BTreeMap<ConnectionId, Connection>,
    last_connection: u64,
    pending: BTreeMap<u64, Pending>,
    last_serial: u64,
}

/// A command that somebody sent.
#[derive(Debug)]
pub struct Request {
    /// Where the answer goes.
    pub connection: ConnectionId,
    /// The command.
    pub command: Command,
}

impl Control {
    /// `blinkctl`s come by this door.
    #[must_use]
    pub fn new(door: Door) -> Control {
        Control {
            door,
            connections: BTreeMap::new(),
            last_connection: 0,
            pending: BTreeMap::new(),
            last_serial: 0,
        }
    }

    /// A descriptor has something: the commands that came.
    pub fn event(&mut self, source: Source, house: &mut House) -> Vec<Request> {
        match source {
            Source::ControlDoor => self.accept(house),
            Source::Control(id) => self.listen(id, house),
            Source::Signals
            | Source::Keeper
            | Source::LocalDoor
            | Source::Newcomer(_)
            | Source::Client(_)
            | Source::DeviceDoor(_)
            | Source::PortDoor(_)
            | Source::Port(_)
            | Source::Xen
            | Source::Glass
            | Source::GlassProcess
            | Source::Template
            | Source::TemplateProcess
            | Source::Renderer(_)
            | Source::RendererProcess(_)
            | Source::Ending => Vec::new(),
        }
    }

    fn accept(&mut self, house: &mut House) -> Vec<Request> {
        let mut requests = Vec::new();
        for _ in 0..ACCEPTS_A_TURN {
            let now = Instant::now();
            // Whoever waits for an answer is not shut out.
            let busy: BTreeSet<ConnectionId> =
                self.pending.values().map(|pending| pending.connection).collect();
            let idle = self.connections.iter().filter(|(id, _)| !busy.contains(id));
            let idle = idle.map(|(&id, &Connection { origin, since, .. })| Waiting { id, origin, since });
            let loser = match places::room(idle, now) {
                Room::Free => None,
                Room::After(loser) => Some(loser),
                Room::Later(then) => {
                    self.door.pause(then, &house.reactor);
                    break;
                }
            };
            let Some(socket) = self.door.accept(&house.reactor) else { break };
            if let Some(loser) = loser {
                house.warnings.warn(format_args!(
                    "too many blinkctls: one of process {} is shut out",
                    self.connections.get(&loser).map_or(0, |connection| connection.origin.pid)
                ));
                self.close(loser, house);
            }
            match self.add(socket, now, house) {
                // Its command is there already, most often.
                Ok(id) => requests.extend(self.listen(id, house)),
                Err(error) => log::error!("a blinkctl can't be served: {error}"),
            }
        }
        requests
    }

    fn add(&mut self, socket: OwnedFd, since: Instant, house: &mut House) -> Result<ConnectionId, String> {
        let origin = Origin::of(&socket)?;
        self.last_connection += 1;
        let id = ConnectionId(self.last_connection);
        let socket = house.reactor.adopt(socket, Source::Control(id), EventFlags::IN);
        let socket = socket.map_err(|error| error.to_string())?;
        self.connections.insert(id, Connection { socket, origin, since });
        Ok(id)
    }

    fn close(&mut self, id: ConnectionId, house: &mut House) {
        if let Some(Connection { socket, .. }) = self.connections.remove(&id) {
            house.reactor.forget(&socket.fd, socket.token);
            let given_up = self.pending.iter().filter(|(_, pending)| pending.connection == id);
            let given_up: Vec<u64> = given_up.map(|(&serial, _)| serial).collect();
            for serial in given_up {
                self.pending.remove(&serial);
                house.supervisor.give_up(serial);
            }
        }
    }

    fn listen(&mut self, id: ConnectionId, house: &mut House) -> Vec<Request> {
        let mut requests = Vec::new();
        for _ in 0..ACCEPTS_A_TURN {
            let Some(connection) = self.connections.get(&id) else { break };
            match seqpacket::receive(connection.socket.fd.as_fd()) {
                Ok(Received::Nothing) => break,
                Ok(Received::Closed) => self.close(id, house),
                Ok(Received::Message(packet, _)) => match serde_json::from_slice(&packet) {
                    Ok(command) => requests.push(Request { connection: id, command }),
                    Err(error) => self.answer(id, &Err(format!("no command: {error}")), &[], house),
                },
                Err(error) => {
                    house.warnings.warn(format_args!("a blinkctl is disconnected: {error}"));
                    self.close(id, house);
                }
            }
        }
        requests
    }

    /// Passes a command to the glass, and to renderers if it is a question.
    pub fn pass_on(&mut self, id: ConnectionId, command: Command, house: &mut House) {
        if self.pending.values().filter(|pending| pending.connection == id).count() >= MAX_PENDING {
            let error = format!("{MAX_PENDING} commands of this connection wait for answers; wait for one");
            return self.answer(id, &Err(error), &[], house);
        }
        let question = match command {
            Command::List => Some(Question::List),
            Command::Stats => Some(Question::Stats),
            Command::Screenshot
            | Command::Input { .. }
            | Command::Move { .. }
            | Command::Resize { .. }
            | Command::Raise { .. }
            | Command::Focus { .. }
            | Command::Close { .. }
            | Command::Kill { .. }
            | Command::Vm(_)
            | Command::Quit => None,
        };
        let is_screenshot = command == Command::Screenshot;
        let serial = self.last_serial + 1;
        if !house.supervisor.command(serial, command, &mut house.reactor) {
            let error = "the glass is being started again; try again".to_owned();
            return self.answer(id, &Err(error), &[], house);
        }
        self.last_serial = serial;
        let now = Instant::now();
        let question = question.map(|question| {
            let mut asked = Asked {
                question,
                glass: None,
                awaited: BTreeSet::new(),
                parts: Parts::new(),
                patience: now + RENDERER_TIME,
            };
            for (class, asks) in house.supervisor.ask(serial, question, &mut house.reactor) {
                asked.awaited.insert(class);
                if let Err(error) = asks {
                    asked.leave_out(class, error);
                }
            }
            asked
        });
        let pending = Pending { connection: id, deadline: now + ANSWER_TIME, question, is_screenshot };
        self.pending.insert(serial, pending);
    }

    /// The glass answers.
    pub fn reply(&mut self, serial: u64, answer: Answer, fds: &[OwnedFd], house: &mut House) {
        let Some(pending) = self.pending.get_mut(&serial) else {
            house.warnings.warn(format_args!(
                "the glass answers command {serial}, which nobody asked or which took too long"
            ));
            return;
        };
        match (&mut pending.question, answer) {
            (Some(asked), Ok(glass)) => {
                asked.glass.get_or_insert(glass);
                self.finish(serial, house);
            }
            (None | Some(_), answer) => self.settle(serial, &answer, fds, house),
        }
    }

    /// A renderer answers, or never will.
    pub fn told(&mut self, serial: u64, class: ClassId, answer: Result<String, String>, house: &mut House) {
        let asked = self.pending.get_mut(&serial).and_then(|pending| pending.question.as_mut());
        if let Some(asked) = asked
            && asked.awaited.remove(&class)
        {
            asked.parts.insert(class, answer);
            self.finish(serial, house);
        }
    }

    /// The glass answers nothing any more.
    pub fn glass_died(&mut self, house: &mut House) {
        let serials: Vec<u64> = self.pending.keys().copied().collect();
        for serial in serials {
            self.settle(serial, &Err("the glass died; try again".into()), &[], house);
        }
    }

    /// Answers if all parts are there.
    fn finish(&mut self, serial: u64, house: &mut House) {
        let asked = self.pending.get_mut(&serial).and_then(|pending| pending.question.as_mut());
        let Some(asked) = asked.filter(|asked| asked.is_complete()) else { return };
        let (question, parts) = (asked.question, std::mem::take(&mut asked.parts));
        let glass = asked.glass.take().unwrap_or_default();
        let answer = answers::complete(question, glass, parts, house);
        self.settle(serial, &Ok(answer), &[], house);
    }

    /// A command has its answer.
    fn settle(&mut self, serial: u64, answer: &Answer, fds: &[OwnedFd], house: &mut House) {
        let Some(pending) = self.pending.remove(&serial) else { return };
        house.supervisor.give_up(serial);
        let picture = if pending.is_screenshot { fds.first() } else { None };
        let fds: Vec<BorrowedFd<'_>> = picture.iter().map(|fd| fd.as_fd()).collect();
        self.answer(pending.connection, answer, &fds, house);
    }

    /// Answers a command.
    pub fn answer(&mut self, id: ConnectionId, answer: &Answer, fds: &[BorrowedFd<'_>], house: &mut House) {
        let Some(connection) = self.connections.get(&id) else { return };
        let socket = connection.socket.fd.as_fd();
        let send = |answer: &Answer| match serde_json::to_vec(answer) {
            Ok(bytes) => seqpacket::try_send(socket, &bytes, fds),
            // An error of ours.
            Err(error) => seqpacket::try_send(socket, format!("{{\"Err\":\"{error}\"}}").as_bytes(), &[]),
        };
        let sent = match send(answer) {
            // Clients decide how long a list of them is.
            Err(SocketError::TooLarge(bytes)) => {
                send(&Err(format!("the answer is too large: {bytes} bytes; close some clients")))
            }
            sent => sent,
        };
        match sent {
            Ok(true) => {}
            Ok(false) => {
                house.warnings.warn(format_args!("a blinkctl does not take its answers and is shut out"));
                self.close(id, house);
            }
            Err(error) => {
                house.warnings.warn(format_args!("an answer can't be sent: {error}"));
                self.close(id, house);
            }
        }
    }

    /// When [`Control::turn`] is to be called.
    #[must_use]
    pub fn due(&self) -> Option<Instant> {
        let pending = self.pending.values().map(|pending| match &pending.question {
            Some(asked) if !asked.awaited.is_empty() => asked.patience.min(pending.deadline),
            Some(_) | None => pending.deadline,
        });
        pending.chain(self.door.due()).min()
    }

    /// Leaves out who does not answer.
    pub fn turn(&mut self, now: Instant, house: &mut House) {
        self.door.turn(now, &house.reactor);
        let mut impatient = Vec::new();
        for (&serial, pending) in &mut self.pending {
            if let Some(asked) = pending.question.as_mut().filter(|asked| asked.patience <= now) {
                for class in std::mem::take(&mut asked.awaited) {
                    let seconds = RENDERER_TIME.as_secs();
                    asked.parts.insert(class, Err(format!("it did not answer within {seconds} s")));
                    impatient.push(serial);
                }
            }
        }
        for serial in impatient {
            house.supervisor.give_up(serial);
            self.finish(serial, house);
        }
        let late = self.pending.iter().filter(|(_, pending)| pending.deadline <= now);
        let late: Vec<u64> = late.map(|(&serial, _)| serial).collect();
        for serial in late {
            let seconds = ANSWER_TIME.as_secs();
            let answer = Err(format!("the glass did not answer within {seconds} seconds"));
            self.settle(serial, &answer, &[], house);
        }
    }
}
