//! The process: its loop over the broker's socket, the renderers' sockets, the output and the time.

use crate::command::Answer;
use crate::glass::Glass;
use crate::link::Link;
use crate::outputs::headless::Headless;
use crate::outputs::{Output, OutputEvent};
use crate::sandbox;
use ipc::Command;
use ipc::glass::{ClassId, FromGlass, FromRenderer, ToGlass};
use ipc::options::OutputOption;
use ipc::throttle::Throttle;
use os::clock::now;
use os::seqpacket::{self, Received, SocketError};
use rustix::event::epoll::{self, EventData, EventFlags};
use rustix::fd::{AsFd, BorrowedFd, OwnedFd};
use rustix::io::Errno;
use rustix::time::{Itimerspec, TimerfdClockId, TimerfdFlags, TimerfdTimerFlags, Timespec};
use serde_json::json;
use std::collections::{BTreeMap, VecDeque};
use std::process::ExitCode;

/// Which descriptor woke the loop: the broker's, the timer, the output's; a renderer's has its own number from there on.
const BROKER: u64 = 0;
const TIMER: u64 = 1;
const OUTPUT: u64 = 2;
const RENDERERS: u64 = 16;
/// Messages taken from one renderer before the others have their turn.
const MESSAGES_A_TURN: usize = 64;
/// Nanoseconds for which a renderer that said too much is not listened to: so a flood wakes the loop a few times a second.
const PAUSE: u64 = 20_000_000;
/// Bytes of a renderer's message: the longest are those of a frame of thousands of windows.
const MAX_MESSAGE: usize = 1 << 20;

/// Why the glass ends.
#[derive(Debug, thiserror::Error)]
enum Failure {
    #[error("{0}")]
    Output(String),
    #[error("no sandbox: {0}")]
    Sandbox(#[from] sandbox::SandboxError),
    #[error("{0}")]
    System(#[from] Errno),
    #[error("the broker's socket: {0}")]
    Broker(#[from] SocketError),
}

/// Runs the glass on the broker's socket until the broker hangs up.
pub fn main(broker: OwnedFd, option: OutputOption) -> ExitCode {
    match run(broker, option) {
        Ok(()) | Err(Failure::Broker(SocketError::System(Errno::PIPE))) => ExitCode::SUCCESS,
        Err(failure) => {
            log::error!("glass: {failure}");
            ExitCode::FAILURE
        }
    }
}

fn open_output(option: OutputOption) -> Result<Box<dyn Output>, Failure> {
    match option {
        OutputOption::Headless { width, height, hz } => Ok(Box::new(Headless::new(width, height, hz))),
        #[cfg(any(feature = "x11", feature = "wayland"))]
        OutputOption::Window { width, height } => {
            let window = crate::outputs::window::WindowOutput::new(width, height).map_err(Failure::Output)?;
            Ok(Box::new(window))
        }
        #[cfg(not(any(feature = "x11", feature = "wayland")))]
        OutputOption::Window { .. } => Err(Failure::Output(
            "this server was built without windows: build it with the feature x11 or wayland".into(),
        )),
    }
}

fn run(broker: OwnedFd, option: OutputOption) -> Result<(), Failure> {
    let output = open_output(option)?;
    let epoll = epoll::create(epoll::CreateFlags::CLOEXEC)?;
    let timer = rustix::time::timerfd_create(
        TimerfdClockId::Monotonic,
        TimerfdFlags::CLOEXEC | TimerfdFlags::NONBLOCK,
    )?;
    epoll::add(&epoll, &broker, EventData::new_u64(BROKER), EventFlags::IN)?;
    epoll::add(&epoll, &timer, EventData::new_u64(TIMER), EventFlags::IN)?;
    if let Some(fd) = output.poll_fd() {
        epoll::add(&epoll, fd, EventData::new_u64(OUTPUT), EventFlags::IN)?;
    }
    // The first look at the clock finds out how to read it, which is not allowed later.
    let _ = now();
    // Outside of the log's arguments, which are not evaluated where nobody reads them.
    let sandbox = sandbox::enter(output.needs())?;
    log::info!("glass: {sandbox}");
    let glass = Glass::new(&[output.mode()]);
    let output_name = output.describe();
    let mut process = Process {
        glass,
        output,
        epoll,
        timer,
        armed: None,
        broker: Broker { socket: broker, waiting: VecDeque::new(), listens_for_room: false },
        renderers: BTreeMap::new(),
        numbers: RENDERERS,
        throttle: Throttle::default(),
        wakeups: 0,
        quit: false,
    };
    process.broker.say(&FromGlass::Ready { output: output_name }, None)?;
    process.work()
}

/// The broker's socket, and what waits for room in it: answers, which the broker asked for, and few others.
struct Broker {
    socket: OwnedFd,
    waiting: VecDeque<(Vec<u8>, Option<OwnedFd>)>,
    listens_for_room: bool,
}

impl Broker {
    fn say(&mut self, message: &FromGlass, memory: Option<OwnedFd>) -> Result<(), SocketError> {
        match serde_json::to_vec(message) {
            Ok(bytes) if bytes.len() > seqpacket::MAX_BODY => {
                return Err(SocketError::TooLarge(u64::try_from(bytes.len()).unwrap_or(u64::MAX)));
            }
            Ok(bytes) => self.waiting.push_back((bytes, memory)),
            Err(error) => log::error!("a message to the broker can't be written: {error}"),
        }
        self.flush()
    }

    fn flush(&mut self) -> Result<(), SocketError> {
        while let Some((bytes, memory)) = self.waiting.front() {
            let memory: Vec<BorrowedFd<'_>> = memory.iter().map(AsFd::as_fd).collect();
            if !seqpacket::try_send(self.socket.as_fd(), bytes, &memory)? {
                return Ok(());
            }
            self.waiting.pop_front();
        }
        Ok(())
    }
}

/// A renderer's socket in the loop.
struct Renderer {
    class: ClassId,
    /// As the broker counts renderers.
    life: u64,
    link: Link,
    /// It said much: it is listened to again from then on.
    listens_from: Option<u64>,
    /// What the loop watches.
    interest: EventFlags,
}

struct Process {
    glass: Glass,
    output: Box<dyn Output>,
    epoll: OwnedFd,
    timer: OwnedFd,
    /// When the timer wakes the loop.
    armed: Option<u64>,
    broker: Broker,
    renderers: BTreeMap<u64, Renderer>,
    /// The next renderer's number in the loop.
    numbers: u64,
    /// Of warnings about renderers.
    throttle: Throttle,
    wakeups: u64,
    quit: bool,
}

impl Process {
    fn work(&mut self) -> Result<(), Failure> {
        let mut events = Vec::with_capacity(64);
        loop {
            self.pump()?;
            let mut presented = false;
            // What happened is told before a frame begins, so that renderers can answer it in that frame.
            self.send()?;
            let now = now();
            if self.glass.next(now).is_some_and(|due| due <= now) {
                if let Some(changed) = self.glass.turn(now) {
                    self.output.show_pointer(!self.glass.draws_pointer());
                    self.output.present(self.glass.heads(), &changed).map_err(Failure::Output)?;
                    presented = true;
                }
                self.send()?;
            }
            if self.quit {
                return Ok(());
            }
            self.watch()?;
            let at_once = Timespec { tv_sec: 0, tv_nsec: 0 };
            // Events may have come with the desktop's answer to a picture: nothing is readable then.
            let is_idle = self.arm()? && !(presented && self.output.poll_fd().is_some());
            let timeout = if is_idle { None } else { Some(&at_once) };
            events.clear();
            match epoll::wait(&self.epoll, rustix::buffer::spare_capacity(&mut events), timeout) {
                Ok(_) | Err(Errno::INTR) => {}
                Err(error) => return Err(error.into()),
            }
            self.wakeups += 1;
            for event in &events {
                match event.data.u64() {
                    BROKER => {
                        self.broker_messages()?;
                    }
                    TIMER => self.take_timer(),
                    // Its events are taken at the loop's start.
                    OUTPUT => {}
                    number => self.renderer_event(number, event.flags)?,
                }
            }
        }
    }

    /// Sets the timer for what is due next. False: that is now.
    fn arm(&mut self) -> Result<bool, Errno> {
        let now = now();
        let listens = self.renderers.values().filter_map(|renderer| renderer.listens_from);
        let due = listens.chain(self.glass.next(now)).min();
        if due.is_some_and(|due| due <= now) {
            return Ok(false);
        }
        if due != self.armed {
            let due = due.unwrap_or(0);
            let value = Timespec {
                tv_sec: i64::try_from(due / 1_000_000_000).unwrap_or(i64::MAX),
                // Below a thousand million.
                tv_nsec: i64::try_from(due % 1_000_000_000).unwrap_or(0),
            };
            let once = Itimerspec { it_interval: Timespec { tv_sec: 0, tv_nsec: 0 }, it_value: value };
            rustix::time::timerfd_settime(&self.timer, TimerfdTimerFlags::ABSTIME, &once)?;
            self.armed = Some(due).filter(|&due| due != 0);
        }
        Ok(true)
    }

    fn take_timer(&mut self) {
        self.armed = None;
        // Nothing to read is as good as something: the next wait tells.
        let _count = rustix::io::read(&self.timer, &mut [0; 8]);
    }

    /// Watches what matters: room in sockets only if something waits, a renderer's words only if it may speak.
    fn watch(&mut self) -> Result<(), Errno> {
        let listens = !self.broker.waiting.is_empty();
        if listens != self.broker.listens_for_room {
            self.broker.listens_for_room = listens;
            let flags = if listens { EventFlags::IN | EventFlags::OUT } else { EventFlags::IN };
            epoll::modify(&self.epoll, &self.broker.socket, EventData::new_u64(BROKER), flags)?;
        }
        let now = now();
        for (&number, renderer) in &mut self.renderers {
            if renderer.listens_from.is_none_or(|from| from <= now) {
                let from = self.glass.listens_from(renderer.class);
                renderer.listens_from = (from > now).then(|| from.saturating_add(PAUSE));
            }
            let mut interest = EventFlags::empty();
            interest.set(EventFlags::IN, renderer.listens_from.is_none());
            interest.set(EventFlags::OUT, renderer.link.is_waiting());
            if interest != renderer.interest {
                renderer.interest = interest;
                epoll::modify(&self.epoll, &renderer.link, EventData::new_u64(number), interest)?;
            }
        }
        Ok(())
    }

    fn pump(&mut self) -> Result<(), Failure> {
        for event in self.output.pump() {
            match event {
                OutputEvent::Input(input) => self.glass.input(input, now()),
                OutputEvent::Left => self.glass.release_input(now()),
                OutputEvent::Exposed => self.glass.expose(),
                OutputEvent::Quit => {
                    self.broker.say(&FromGlass::Quit, None)?;
                    self.quit = true;
                }
            }
        }
        Ok(())
    }

    /// Sends what renderers and the broker are to be told.
    fn send(&mut self) -> Result<(), Failure> {
        let messages = self.glass.take_messages();
        if !messages.is_empty() {
            let now = now();
            for (class, message, memory) in messages {
                if let Some((_, renderer)) = self.of_class(class) {
                    renderer.link.push(message, memory, now);
                }
            }
            let numbers: Vec<u64> = self.renderers.keys().copied().collect();
            numbers.into_iter().for_each(|number| self.flush(number));
        }
        for report in self.glass.take_reports() {
            // The broker is busy: it hears where windows are when it has read the rest.
            if let FromGlass::Placed { client, .. } = report
                && !self.broker.waiting.is_empty()
            {
                self.glass.return_placements(client);
            } else {
                self.broker.say(&report, None)?;
            }
        }
        Ok(())
    }

    // ---- The broker ----------------------------------------------------------------------------

    /// Reads what the broker has said. True: there may be more.
    fn broker_messages(&mut self) -> Result<bool, Failure> {
        self.broker.flush()?;
        for _ in 0..MESSAGES_A_TURN {
            match seqpacket::receive(self.broker.socket.as_fd())? {
                Received::Message(bytes, fds) => match serde_json::from_slice(&bytes) {
                    Ok(message) => self.broker_says(message, fds)?,
                    Err(error) => log::error!("a message of the broker makes no sense: {error}"),
                },
                Received::Nothing => return Ok(false),
                Received::Closed => {
                    self.quit = true;
                    return Ok(false);
                }
            }
        }
        Ok(true)
    }

    fn broker_says(&mut self, message: ToGlass, mut fds: Vec<OwnedFd>) -> Result<(), Failure> {
        match message {
            ToGlass::Command { serial, command } => return self.command(serial, command),
            ToGlass::Renderer { class, life } => {
                self.forget_renderer(class);
                match fds.pop() {
                    Some(socket) if fds.is_empty() => self.add_renderer(class, life, socket)?,
                    Some(_) | None => log::error!("the broker sent no socket, or several, for a renderer"),
                }
            }
            ToGlass::ClassGone { class } => self.forget_renderer(class),
            ToGlass::Client(_) | ToGlass::ClientGone { .. } | ToGlass::Note { .. } => {}
        }
        self.glass.tell(message, now());
        Ok(())
    }

    fn command(&mut self, serial: u64, command: Command) -> Result<(), Failure> {
        let asks_stats = command == Command::Stats;
        let (result, pixels) = match self.glass.command(command, now()) {
            Ok(Answer { mut value, pixels }) => {
                if asks_stats {
                    value["wakeups"] = json!(self.wakeups);
                }
                (Ok(value), pixels)
            }
            Err(error) => (Err(error), None),
        };
        let memory = pixels.map(|p| seqpacket::memory("blink-screenshot", &p)).transpose()?;
        match self.broker.say(&FromGlass::Reply { serial, result }, memory) {
            // Clients decide how long a list of them is: that must not end the glass.
            Err(SocketError::TooLarge(bytes)) => {
                let result = Err(format!("the answer is too large: {bytes} bytes; close some clients"));
                self.broker.say(&FromGlass::Reply { serial, result }, None)?;
            }
            said => said?,
        }
        Ok(())
    }

    // ---- Renderers -----------------------------------------------------------------------------

    fn of_class(&mut self, class: ClassId) -> Option<(u64, &mut Renderer)> {
        self.renderers.iter_mut().find(|(_, of)| of.class == class).map(|(&number, of)| (number, of))
    }

    fn add_renderer(&mut self, class: ClassId, life: u64, socket: OwnedFd) -> Result<(), Errno> {
        let number = self.numbers;
        self.numbers += 1;
        epoll::add(&self.epoll, &socket, EventData::new_u64(number), EventFlags::IN)?;
        let link = Link::new(socket);
        self.renderers
            .insert(number, Renderer { class, life, link, listens_from: None, interest: EventFlags::IN });
        Ok(())
    }

    /// Closes the socket of a class's renderer.
    fn forget_renderer(&mut self, class: ClassId) {
        if let Some((number, _)) = self.of_class(class)
            && let Some(renderer) = self.renderers.remove(&number)
        {
            let removed = epoll::delete(&self.epoll, &renderer.link);
            debug_assert!(removed.is_ok(), "it was added with the renderer");
        }
    }

    fn flush(&mut self, number: u64) {
        let Some(renderer) = self.renderers.get_mut(&number) else { return };
        let class = renderer.class;
        match renderer.link.flush(now()) {
            Ok(false) => {}
            Ok(true) => self.glass.tell_again(class),
            // It is gone: what it said last is still to be read.
            Err(_) if renderer.interest.contains(EventFlags::IN) => {}
            Err(_) => self.hung_up(class),
        }
    }

    fn renderer_event(&mut self, number: u64, flags: EventFlags) -> Result<(), Failure> {
        if flags.contains(EventFlags::OUT) {
            self.flush(number);
        }
        let Some(renderer) = self.renderers.get(&number) else { return Ok(()) };
        let (class, life) = (renderer.class, renderer.life);
        if renderer.listens_from.is_some() {
            if flags.intersects(EventFlags::HUP | EventFlags::ERR) {
                self.hung_up(class);
            }
            return Ok(());
        }
        for _ in 0..MESSAGES_A_TURN {
            let time = now();
            let Some(renderer) = self.renderers.get(&number) else { return Ok(()) };
            if self.glass.listens_from(class) > time {
                return Ok(());
            }
            let reason = match seqpacket::receive(renderer.link.as_fd()) {
                Ok(Received::Message(bytes, fds)) => match read(&bytes, &fds) {
                    Ok(message) => {
                        // The broker tells the glass of a client before it tells the renderer, so its word is here by now.
                        while !self.glass.was_told_of(class, &message) && self.broker_messages()? {}
                        if !self.renderers.contains_key(&number) {
                            return Ok(());
                        }
                        let is_done = matches!(message, FromRenderer::Done { .. });
                        match self.glass.hear(class, message, time) {
                            // It says nothing more before the next frame, most often: if it does, the next wait tells.
                            Ok(()) if is_done => return Ok(()),
                            Ok(()) => continue,
                            Err(reason) => reason,
                        }
                    }
                    Err(reason) => reason,
                },
                Ok(Received::Nothing) => return Ok(()),
                Ok(Received::Closed) => {
                    self.hung_up(class);
                    return Ok(());
                }
                Err(error) => error.to_string(),
            };
            if let Some(held) = self.throttle.admit(time) {
                let held = if held == 0 { String::new() } else { format!(" ({held} more like it)") };
                log::warn!("glass: the renderer of class {class} misbehaves: {reason}{held}");
            }
            self.hung_up(class);
            self.broker.say(&FromGlass::Misbehaved { class, life, reason }, None)?;
        }
        Ok(())
    }

    /// A renderer is gone. Its windows stay, with their last picture.
    fn hung_up(&mut self, class: ClassId) {
        self.forget_renderer(class);
        self.glass.gone(class, now());
    }
}

/// What a renderer says, if it makes sense.
fn read(bytes: &[u8], fds: &[OwnedFd]) -> Result<FromRenderer, String> {
    if !fds.is_empty() {
        return Err("it sent descriptors".into());
    }
    if bytes.len() > MAX_MESSAGE {
        return Err(format!("it sent {} bytes", bytes.len()));
    }
    serde_json::from_slice(bytes).map_err(|error| format!("it makes no sense: {error}"))
}
