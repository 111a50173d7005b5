//! The renderer's process: its loop over the broker's socket, doorbells, the output and the time.

use super::control::Answer;
use super::doorbell::Doorbell;
use super::mapping;
use super::sandbox;
use super::server::Server;
use super::wake::Wake;
use crate::output::headless::Headless;
use crate::output::{Output, OutputEvent};
use blinkgl::limits::MAX_CLIENTS;
use gl::Tracker;
use gl::context::{self, Functions};
use ipc::options::OutputOption;
use ipc::{ClientId, ClientInfo, Command, ToBroker, ToRenderer};
use os::seqpacket::{self, Received};
use rustix::event::epoll::{self, EventData, EventFlags};
use rustix::fd::{AsFd, BorrowedFd, OwnedFd};
use rustix::time::{ClockId, Itimerspec, TimerfdClockId, TimerfdFlags, TimerfdTimerFlags, Timespec};
use serde_json::json;
use std::process::ExitCode;
use xen::channel::EventChannel;

/// Which descriptor woke the loop.
const BROKER: u64 = 0;
const TIMER: u64 = 1;
const OUTPUT: u64 = 2;
/// One of the clients' doorbells.
const DOORBELLS: u64 = 3;

/// Why the renderer ends.
#[derive(Debug, thiserror::Error)]
enum Failure {
    #[error("{0}")]
    Output(String),
    #[error("OpenGL: {0}")]
    Gl(#[from] gl::GlError),
    #[error("the OpenGL context: {0}")]
    Context(#[from] context::ContextError),
    #[error("{0}")]
    System(#[from] rustix::io::Errno),
    #[error("the broker's socket: {0}")]
    Broker(#[from] seqpacket::SocketError),
    #[error("the OpenGL context is lost")]
    ContextLost,
}

/// Runs the renderer on the broker's socket until the broker hangs up.
#[must_use]
pub fn main(broker: OwnedFd, output: OutputOption) -> ExitCode {
    match run(broker, output) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            log::error!("renderer: {failure}");
            ExitCode::FAILURE
        }
    }
}

/// Nanoseconds of the monotonic clock: the server's clock, the same for every life of the renderer.
fn now() -> u64 {
    let time = rustix::time::clock_gettime(ClockId::Monotonic);
    let [seconds, nanoseconds] = [time.tv_sec, time.tv_nsec].map(|t| u64::try_from(t).unwrap_or(0));
    seconds.saturating_mul(1_000_000_000).saturating_add(nanoseconds)
}

fn open_output(option: OutputOption) -> Result<(Box<dyn Output>, Functions, u32, u32), Failure> {
    match option {
        OutputOption::Headless { width, height, hz } => {
            let (context, gl) = context::Headless::new()?;
            Ok((Box::new(Headless::new(context, hz)), gl, width, height))
        }
        #[cfg(any(feature = "x11", feature = "wayland"))]
        OutputOption::Window { width, height } => {
            let (window, gl) =
                crate::output::window::WindowOutput::new(width, height).map_err(Failure::Output)?;
            Ok((Box::new(window), gl, width, height))
        }
        #[cfg(not(any(feature = "x11", feature = "wayland")))]
        OutputOption::Window { .. } => Err(Failure::Output(
            "this server was built without windows: build it with the feature x11 or wayland".into(),
        )),
    }
}

struct Process {
    broker: OwnedFd,
    epoll: OwnedFd,
    /// Watches the doorbells, edge by edge; is itself watched only while no frame is due, so that a client that
    /// rings without end wakes the loop no more often than there are frames.
    doorbells: OwnedFd,
    listening: bool,
    timer: OwnedFd,
    /// Before the output, which owns the OpenGL context that its objects are deleted in.
    server: Server,
    output: Box<dyn Output>,
    gl: String,
    wakeups: u64,
    quit: bool,
}

fn run(broker: OwnedFd, option: OutputOption) -> Result<(), Failure> {
    let (output, gl, width, height) = open_output(option)?;
    let tracker = Tracker::new(gl)?;
    let gl = tracker.describe();
    // The compile worker is started by the server, so the sandbox must be entered before.
    match sandbox::enter() {
        Ok(status) => log::info!("renderer: {status}"),
        Err(error) => log::error!("renderer: no sandbox: {error}"),
    }
    let server = Server::new(tracker, width, height, output.refresh())?;
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
    let doorbells = epoll::create(epoll::CreateFlags::CLOEXEC)?;
    epoll::add(&epoll, &doorbells, EventData::new_u64(DOORBELLS), EventFlags::IN | EventFlags::ONESHOT)?;
    let mut process = Process {
        broker,
        epoll,
        doorbells,
        listening: true,
        timer,
        output,
        server,
        gl,
        wakeups: 0,
        quit: false,
    };
    process.send(&ToBroker::Ready { gl: process.gl.clone() }, &[])?;
    process.work()
}

impl Process {
    fn work(&mut self) -> Result<(), Failure> {
        let mut events = Vec::with_capacity(32);
        loop {
            self.pump();
            if self.quit {
                return Ok(());
            }
            if self.server.next_frame(now()).is_some_and(|due| due <= now()) {
                self.frame()?;
            }
            self.tell_placements()?;
            self.arm();
            if !self.listening && self.server.next_frame(now()).is_none() {
                let flags = EventFlags::IN | EventFlags::ONESHOT;
                epoll::modify(&self.epoll, &self.doorbells, EventData::new_u64(DOORBELLS), flags)?;
                self.listening = true;
            }
            events.clear();
            match epoll::wait(&self.epoll, rustix::buffer::spare_capacity(&mut events), None) {
                Ok(_) => {}
                Err(rustix::io::Errno::INTR) => continue,
                Err(error) => return Err(error.into()),
            }
            self.wakeups += 1;
            for event in &events {
                match event.data.u64() {
                    BROKER => self.broker_messages()?,
                    TIMER => drain(self.timer.as_fd()),
                    DOORBELLS => {
                        self.listening = false;
                        self.hear()?;
                    }
                    // The output: its events are taken at the loop's start.
                    _ => {}
                }
            }
        }
    }

    /// Wakes the loop when the next frame is due, or placements are.
    fn arm(&self) {
        let dues = [self.server.next_frame(now()), self.server.next_placements()];
        let Some(due) = dues.into_iter().flatten().min() else { return };
        let value = Timespec {
            tv_sec: i64::try_from(due / 1_000_000_000).unwrap_or(i64::MAX),
            // Below a thousand million.
            tv_nsec: i64::try_from(due % 1_000_000_000).unwrap_or(0),
        };
        let once = Itimerspec { it_interval: Timespec { tv_sec: 0, tv_nsec: 0 }, it_value: value };
        if let Err(error) = rustix::time::timerfd_settime(&self.timer, TimerfdTimerFlags::ABSTIME, &once) {
            log::error!("the frame timer can't be set: {error}");
        }
    }

    fn frame(&mut self) -> Result<(), Failure> {
        self.hear()?;
        let damage = self.server.make_frame(now());
        if damage.is_some() {
            let (tracker, screen) = self.server.picture();
            self.output.present(tracker, screen).map_err(Failure::Output)?;
            if tracker.context_lost() {
                // The next renderer starts with a new context and finds everything in the apertures.
                return Err(Failure::ContextLost);
            }
        }
        Ok(())
    }

    fn pump(&mut self) {
        for event in self.output.pump() {
            match event {
                OutputEvent::Input(input) => self.server.input(input, now()),
                OutputEvent::Exposed => self.server.damage_all(),
                OutputEvent::Quit => {
                    if let Err(error) = self.send(&ToBroker::Quit, &[]) {
                        log::error!("renderer: {error}");
                    }
                    self.quit = true;
                }
            }
        }
    }

    /// Which clients rang since the last call?
    fn hear(&mut self) -> Result<(), Failure> {
        let at_once = Timespec { tv_sec: 0, tv_nsec: 0 };
        let mut events = Vec::with_capacity(MAX_CLIENTS);
        match epoll::wait(&self.doorbells, rustix::buffer::spare_capacity(&mut events), Some(&at_once)) {
            Ok(_) | Err(rustix::io::Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
        for event in &events {
            if let Ok(id) = u32::try_from(event.data.u64()) {
                self.server.heard(ClientId(id));
            }
        }
        Ok(())
    }

    fn broker_messages(&mut self) -> Result<(), Failure> {
        loop {
            match seqpacket::receive(self.broker.as_fd())? {
                Received::Message(bytes, fds) => match serde_json::from_slice(&bytes) {
                    Ok(message) => {
                        // Mapping its pages took time: a frame may be due.
                        let is_guest = matches!(&message, ToRenderer::Client(info) if info.channel.is_some());
                        self.message(message, fds)?;
                        if is_guest {
                            return Ok(());
                        }
                    }
                    Err(error) => log::error!("a message of the broker makes no sense: {error}"),
                },
                Received::Nothing => return Ok(()),
                Received::Closed => {
                    self.quit = true;
                    return Ok(());
                }
            }
        }
    }

    fn message(&mut self, message: ToRenderer, fds: Vec<OwnedFd>) -> Result<(), Failure> {
        match message {
            ToRenderer::Client(info) => {
                let id = info.id;
                if let Err(reason) = self.add_client(info, fds) {
                    // A guest of Xen that has ended meanwhile, most often.
                    log::warn!("client {id}: {reason}");
                    self.send(&ToBroker::Unfit { client: id, reason }, &[])?;
                }
            }
            ToRenderer::ClientGone { id } => {
                if let Some(doorbell) = self.server.doorbell(id) {
                    let removed = epoll::delete(&self.doorbells, doorbell);
                    debug_assert!(removed.is_ok(), "it was added with the client");
                }
                self.server.remove_client(id);
            }
            ToRenderer::Port { id } => match <[OwnedFd; 1]>::try_from(fds) {
                Ok([port]) => self.server.add_port(id, port),
                Err(fds) => log::error!("the broker sent {} descriptors instead of a port", fds.len()),
            },
            ToRenderer::Command { serial, command } => {
                let stats = command == Command::Stats;
                let (result, pixels) = match self.server.command(command, now()) {
                    Ok(Answer { mut value, pixels }) => {
                        if stats {
                            value["wakeups"] = json!(self.wakeups);
                            value["gl"] = json!(self.gl);
                        }
                        (Ok(value), pixels)
                    }
                    Err(error) => (Err(error), None),
                };
                let memory = pixels.map(|p| seqpacket::memory("blink-screenshot", &p)).transpose()?;
                let fds: Vec<BorrowedFd<'_>> = memory.iter().map(AsFd::as_fd).collect();
                match self.send(&ToBroker::Reply { serial, result }, &fds) {
                    // Clients decide how long a list of them is: that must not end the renderer.
                    Err(Failure::Broker(seqpacket::SocketError::TooLarge(bytes))) => {
                        let result =
                            Err(format!("the answer is too large: {bytes} bytes; close some clients"));
                        self.send(&ToBroker::Reply { serial, result }, &[])?;
                    }
                    sent => sent?,
                }
            }
        }
        Ok(())
    }

    fn add_client(&mut self, info: ClientInfo, fds: Vec<OwnedFd>) -> Result<(), String> {
        let Ok([memory, doorbell, wake]) = <[OwnedFd; 3]>::try_from(fds) else {
            return Err("the broker must send three descriptors".into());
        };
        let (memory, doorbell, wake) = match info.channel {
            None => {
                let memory = mapping::map(&memory, info.bytes).map_err(|e| e.to_string())?;
                (memory, Doorbell::Eventfd(doorbell), Wake::new(wake).map_err(|e| e.to_string())?)
            }
            Some(port) => {
                let begun = now();
                let memory = mapping::map_granted(&memory, info.bytes).map_err(|e| e.to_string())?;
                let (pages, time) = (info.bytes >> 12, now().saturating_sub(begun) / 1000);
                log::info!("client {}: maps {pages} pages in {time} us", info.id);
                let doorbell = EventChannel::of_parts(doorbell, port).map_err(|e| e.to_string())?;
                let wake = Wake::by_channel(wake, port).map_err(|e| e.to_string())?;
                (memory, Doorbell::Channel(doorbell), wake)
            }
        };
        let data = EventData::new_u64(u64::from(info.id.0));
        epoll::add(&self.doorbells, &doorbell, data, EventFlags::IN | EventFlags::ET)
            .map_err(|e| e.to_string())?;
        self.server.add_client(info, memory, Some(doorbell), Some(wake));
        Ok(())
    }

    fn tell_placements(&mut self) -> Result<(), Failure> {
        for (client, windows) in self.server.take_placements(now()) {
            let Some(bytes) = written(&ToBroker::Placed { client, windows }) else { continue };
            // The broker is busy: frames do not wait for it.
            if !seqpacket::try_send(self.broker.as_fd(), &bytes, &[])? {
                self.server.return_placements(client);
            }
        }
        Ok(())
    }

    fn send(&self, message: &ToBroker, fds: &[BorrowedFd<'_>]) -> Result<(), Failure> {
        if let Some(bytes) = written(message) {
            seqpacket::send(self.broker.as_fd(), &bytes, fds)?;
        }
        Ok(())
    }
}

/// A message as it is sent.
fn written(message: &ToBroker) -> Option<Vec<u8>> {
    let bytes = serde_json::to_vec(message);
    bytes.inspect_err(|error| log::error!("a message to the broker can't be written: {error}")).ok()
}

/// Takes the count of the timer.
fn drain(fd: BorrowedFd<'_>) {
    let mut count = [0; 8];
    // Nothing to read is as good as something: the next wait tells.
    let _count = rustix::io::read(fd, &mut count);
}
