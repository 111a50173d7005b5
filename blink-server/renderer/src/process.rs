//! A renderer's process: its loop over the sockets to broker and glass, and the doorbells. It has no timer: the glass says
//! when to draw.

use super::aperture;
use super::doorbell::Doorbell;
use super::renderer::Renderer;
use super::sandbox::{self, Stage};
use super::template::Warm;
use super::wake::Wake;
use ipc::glass::ToDraw;
use ipc::limits::MAX_CLIENTS;
use ipc::template::Share;
use ipc::{ClientId, ClientInfo, MAX_PART_BYTES, Question, ToBroker, ToRenderer};
use os::clock::now;
use os::seqpacket::{self, Received, SocketError};
use rustix::event::epoll::{self, EventData, EventFlags};
use rustix::fd::{AsFd, OwnedFd};
use rustix::io::Errno;
use rustix::time::Timespec;
use serde_json::json;
use xen::channel::EventChannel;

/// Which descriptor woke the loop.
const BROKER: u64 = 0;
const GLASS: u64 = 1;
/// One of the clients' doorbells.
const DOORBELLS: u64 = 2;

/// Nanoseconds from frame to frame, until the glass says.
const FIRST_REFRESH: u64 = 16_666_667;

/// Messages taken from one socket before the others have their turn.
const MESSAGES_A_TURN: usize = 64;

/// Why the renderer ends.
#[derive(Debug, thiserror::Error)]
pub(super) enum Failure {
    #[error("OpenGL: {0}")]
    Gl(#[from] gl::GlError),
    #[error("the OpenGL context: {0}")]
    Context(#[from] gl::context::ContextError),
    #[error("{0}")]
    System(#[from] Errno),
    #[error("the broker's socket: {0}")]
    Broker(#[from] SocketError),
    #[error("the sandbox: {0}")]
    Sandbox(#[from] sandbox::SandboxError),
    #[error("the OpenGL context is lost")]
    ContextLost,
}

/// Runs a renderer that is no copy of a template: where OpenGL's driver has threads of its own.
pub fn main(broker: OwnedFd, share: Share) -> ! {
    let run = || {
        sandbox::enter(Stage::Start)?;
        let warm = Warm::new()?;
        serve(broker, warm, share)
    };
    end(run())
}

/// Ends a renderer. At once: what Rust's library tidies up at a program's end takes calls that the sandbox has not.
pub(super) fn end(result: Result<(), Failure>) -> ! {
    let code = match result {
        Ok(()) => 0,
        Err(failure) => {
            log::error!("renderer: {failure}");
            1
        }
    };
    log::logger().flush();
    // SAFETY: the process ends here; nothing of it is used any more, and the kernel gives back what it had.
    unsafe { libc::_exit(code) }
}

/// See the [module](self).
struct Process {
    /// Before the context, in which its objects are deleted.
    renderer: Renderer,
    _context: gl::context::Headless,
    gl: String,
    broker: OwnedFd,
    glass: Option<OwnedFd>,
    epoll: OwnedFd,
    /// Watches the doorbells, edge by edge; is itself watched only while no frame is wanted, so that a client that rings
    /// without end wakes the loop no more often than there are frames.
    doorbells: OwnedFd,
    is_listening: bool,
    wakeups: u64,
    quit: bool,
}

/// Serves until the broker hangs up.
pub(super) fn serve(broker: OwnedFd, warm: Warm, share: Share) -> Result<(), Failure> {
    let Warm { context, tracker, gl } = warm;
    let epoll = epoll::create(epoll::CreateFlags::CLOEXEC)?;
    epoll::add(&epoll, &broker, EventData::new_u64(BROKER), EventFlags::IN)?;
    let doorbells = epoll::create(epoll::CreateFlags::CLOEXEC)?;
    epoll::add(&epoll, &doorbells, EventData::new_u64(DOORBELLS), EventFlags::IN | EventFlags::ONESHOT)?;
    // The first look at the clock asks the kernel where its clock is.
    let _ = now();
    // The compiler's threads are there before the sandbox, which allows no new ones.
    let renderer = Renderer::staffed(tracker, FIRST_REFRESH);
    sandbox::limit(share)?;
    sandbox::enter(Stage::Guests)?;
    let mut process = Process {
        renderer,
        _context: context,
        gl,
        broker,
        glass: None,
        epoll,
        doorbells,
        is_listening: true,
        wakeups: 0,
        quit: false,
    };
    let result = process.say(&ToBroker::Ready { gl: process.gl.clone() }).and_then(|()| process.work());
    // The process ends. Ending the compiler's threads before would take calls that the sandbox has not.
    std::mem::forget(process);
    result
}

impl Process {
    fn work(&mut self) -> Result<(), Failure> {
        let mut events = Vec::with_capacity(8);
        while !self.quit {
            self.tell_glass();
            if !self.is_listening && !self.renderer.wants_frame() {
                let flags = EventFlags::IN | EventFlags::ONESHOT;
                epoll::modify(&self.epoll, &self.doorbells, EventData::new_u64(DOORBELLS), flags)?;
                self.is_listening = true;
            }
            events.clear();
            match epoll::wait(&self.epoll, rustix::buffer::spare_capacity(&mut events), None) {
                Ok(_) => {}
                Err(Errno::INTR) => continue,
                Err(error) => return Err(error.into()),
            }
            self.wakeups += 1;
            for event in &events {
                match event.data.u64() {
                    BROKER => self.hear_broker()?,
                    GLASS => self.hear_glass()?,
                    _ => {
                        self.is_listening = false;
                        self.hear_doorbells()?;
                        self.renderer.scan(now());
                        self.renderer.wake_clients();
                    }
                }
            }
        }
        Ok(())
    }

    // ---- The glass -------------------------------------------------------------------------

    /// Tells the glass what there is to tell. It always takes what it is sent, sooner or later.
    fn tell_glass(&mut self) {
        let Some(glass) = &self.glass else { return };
        let messages = self.renderer.take_messages();
        for message in messages {
            let sent = match serde_json::to_vec(&message) {
                Ok(bytes) => seqpacket::send(glass.as_fd(), &bytes, &[]),
                Err(error) => {
                    log::error!("a message to the glass can't be written: {error}");
                    continue;
                }
            };
            if let Err(error) = sent {
                // It has ended: the broker will send the socket of the next one.
                log::info!("the glass hears nothing: {error}");
                self.lose_glass();
                return;
            }
        }
    }

    fn lose_glass(&mut self) {
        if let Some(glass) = self.glass.take() {
            let removed = epoll::delete(&self.epoll, &glass);
            debug_assert!(removed.is_ok(), "it was added when it came");
        }
    }

    fn hear_glass(&mut self) -> Result<(), Failure> {
        for _ in 0..MESSAGES_A_TURN {
            let Some(glass) = &self.glass else { return Ok(()) };
            match seqpacket::receive(glass.as_fd()) {
                Ok(Received::Message(bytes, fds)) => match serde_json::from_slice::<ToDraw>(&bytes) {
                    Ok(message) => {
                        let is_frame = matches!(message, ToDraw::Frame { .. });
                        if is_frame {
                            self.hear_doorbells()?;
                        }
                        self.renderer.hear(message, fds.into_iter().next(), now());
                        if self.renderer.tracker().context_lost() {
                            // The next renderer starts with a new context and finds everything in the apertures.
                            return Err(Failure::ContextLost);
                        }
                        if is_frame {
                            // The glass waits for its answer, and says little before it has it.
                            return Ok(());
                        }
                    }
                    Err(error) => log::error!("a message of the glass makes no sense: {error}"),
                },
                Ok(Received::Nothing) => return Ok(()),
                Ok(Received::Closed) | Err(SocketError::System(_)) => {
                    self.lose_glass();
                    return Ok(());
                }
                Err(error) => log::error!("a message of the glass is lost: {error}"),
            }
        }
        Ok(())
    }

    /// Which clients rang since the last call?
    fn hear_doorbells(&mut self) -> Result<(), Failure> {
        let at_once = Timespec { tv_sec: 0, tv_nsec: 0 };
        let mut events = Vec::with_capacity(MAX_CLIENTS);
        match epoll::wait(&self.doorbells, rustix::buffer::spare_capacity(&mut events), Some(&at_once)) {
            Ok(_) | Err(Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
        for event in &events {
            if let Ok(id) = u32::try_from(event.data.u64()) {
                self.renderer.heard(ClientId(id));
            }
        }
        Ok(())
    }

    // ---- The broker ------------------------------------------------------------------------

    fn hear_broker(&mut self) -> Result<(), Failure> {
        for _ in 0..MESSAGES_A_TURN {
            match seqpacket::receive(self.broker.as_fd())? {
                Received::Message(bytes, fds) => match serde_json::from_slice(&bytes) {
                    Ok(message) => self.message(message, fds)?,
                    Err(error) => log::error!("a message of the broker makes no sense: {error}"),
                },
                Received::Nothing => return Ok(()),
                Received::Closed => {
                    self.quit = true;
                    return Ok(());
                }
            }
        }
        Ok(())
    }

    fn message(&mut self, message: ToRenderer, fds: Vec<OwnedFd>) -> Result<(), Failure> {
        match message {
            ToRenderer::Glass => {
                let Ok([glass]) = <[OwnedFd; 1]>::try_from(fds) else {
                    log::error!("the broker sent no socket to the glass");
                    return Ok(());
                };
                self.lose_glass();
                epoll::add(&self.epoll, &glass, EventData::new_u64(GLASS), EventFlags::IN)?;
                self.glass = Some(glass);
                self.renderer.new_glass();
            }
            ToRenderer::Client(info) => {
                let id = info.id;
                if let Err(reason) = self.add_client(info, fds) {
                    // A guest of Xen that has ended meanwhile, most often.
                    log::warn!("client {id}: {reason}");
                    self.say(&ToBroker::Unfit { client: id, reason })?;
                }
            }
            ToRenderer::ClientGone { id } => {
                if let Some(doorbell) = self.renderer.doorbell(id) {
                    let removed = epoll::delete(&self.doorbells, doorbell);
                    debug_assert!(removed.is_ok(), "it was added with the client");
                }
                self.renderer.remove_client(id);
            }
            ToRenderer::Port { id } => match <[OwnedFd; 1]>::try_from(fds) {
                Ok([port]) => self.renderer.add_port(id, port),
                Err(fds) => log::error!("the broker sent {} descriptors instead of a port", fds.len()),
            },
            ToRenderer::Ask { serial, question } => {
                let answer = match question {
                    Question::List => self.renderer.list(),
                    Question::Stats => {
                        let mut stats = self.renderer.stats();
                        stats["wakeups"] = json!(self.wakeups);
                        stats
                    }
                };
                self.answer(serial, &answer.to_string())?;
            }
        }
        Ok(())
    }

    /// Answers in parts that fit into a packet each: this process makes no memory to put more into.
    fn answer(&self, serial: u64, text: &str) -> Result<(), Failure> {
        // A character is escaped to six at most.
        let mut rest = text;
        loop {
            let mut end = rest.len().min(MAX_PART_BYTES / 8);
            while !rest.is_char_boundary(end) {
                end -= 1;
            }
            let (part, more) = rest.split_at(end);
            let last = more.is_empty();
            self.say(&ToBroker::Part { serial, text: part.to_owned(), last })?;
            if last {
                return Ok(());
            }
            rest = more;
        }
    }

    fn add_client(&mut self, info: ClientInfo, fds: Vec<OwnedFd>) -> Result<(), String> {
        let Ok([memory, doorbell, wake]) = <[OwnedFd; 3]>::try_from(fds) else {
            return Err("the broker must send three descriptors".into());
        };
        let (memory, doorbell, wake) = match info.channel {
            None => {
                let memory = aperture::map(&memory, info.bytes).map_err(|e| e.to_string())?;
                (memory, Doorbell::Eventfd(doorbell), Wake::new(wake, info.owner))
            }
            Some(port) => {
                let begun = now();
                let memory = aperture::map_granted(&memory, info.bytes).map_err(|e| e.to_string())?;
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
        self.renderer.add_client(info, memory, Some(doorbell), Some(wake));
        self.renderer.scan(now());
        Ok(())
    }

    fn say(&self, message: &ToBroker) -> Result<(), Failure> {
        match serde_json::to_vec(message) {
            Ok(bytes) => seqpacket::send(self.broker.as_fd(), &bytes, &[])?,
            Err(error) => log::error!("a message to the broker can't be written: {error}"),
        }
        Ok(())
    }
}

/// Drawn windows that one `Done` can hold: what fits into a packet, as this process makes no memory to put more into.
pub(super) const MAX_DRAWN: usize = 256;
