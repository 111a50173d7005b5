//! The broker's loop.

use super::aperture::Aperture;
use super::commands::{self, Kind, MAX_PENDING, Pending};
use super::deposits::Deposits;
use super::outbox::{About, SendError};
use super::peers::{Client, Peer, PeerId, PeerKind, Shared};
use super::policy;
use super::policy_file::PolicyError;
use super::renderer::{Backoff, Renderer};
use super::sockets::{BindError, Directory, Listener};
use super::vms::{self, Vm};
use super::xen::Xen;
use blinkgl::layout::APERTURE_VERSION;
use blinkgl::limits::{MAX_CLIENTS, MAX_CONTEXTS, MAX_WINDOWS};
use blinkgl::local::{self, HELLO_SECONDS, Hello};
use budget::Budget;
use ipc::control_path;
use ipc::options::OutputOption;
use ipc::throttle::Throttle;
use ipc::{Answer, ClientId, ClientInfo, Command, Key, Owner, Placement, ToBroker, ToRenderer};
use os::seqpacket::{self, Received};
use os::signals::Signals;
use rustix::event::Timespec;
use rustix::event::epoll::{self, EventData, EventFlags};
use rustix::fd::{AsFd, BorrowedFd, OwnedFd};
use rustix::io::Errno;
use rustix::net::{Shutdown, SocketType};
use serde_json::Value;
use std::collections::BTreeMap;
use std::io::Write;
use std::path::PathBuf;
use std::time::{Duration, Instant};

mod domains;
mod keeping;
mod virtual_machines;

/// Connections that have not said Hello, and `blinkctl`s: beyond that the oldest is shut out.
const MAX_OTHERS: usize = 64;
/// Messages taken from one connection before the others have their turn.
const MESSAGES_A_TURN: usize = 64;
/// Time for the renderer to answer a command.
const ANSWER_TIME: Duration = Duration::from_secs(10);
/// Deaths in a row of a renderer that never had an output, before the server gives up.
const MAX_FIRST_DEATHS: u32 = 5;
/// Wait before the next try to accept when the system has no descriptors left.
const ACCEPT_PAUSE: Duration = Duration::from_millis(200);

/// What woke the loop. Connections, and sockets of virtual machines: their id above these.
const SIGNALS: u64 = 0;
const CLIENTS: u64 = 1;
const CONTROL: u64 = 2;
const RENDERER: u64 = 3;
const RENDERER_PROCESS: u64 = 4;
const KEEPER: u64 = 5;
const XEN: u64 = 6;
const FIRST_PEER: u64 = 16;

/// What the command line decides.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Options {
    /// Path of the socket for clients.
    pub socket: PathBuf,
    /// Where the picture goes.
    pub output: OutputOption,
    /// The file that says what clients may, and which virtual machines there are from the start.
    pub policy: Option<PathBuf>,
    /// Nobody may more than this.
    pub limit: Budget,
    /// How much the logs say; for the renderer.
    pub verbose: u8,
}

/// Why the server ends.
#[derive(Debug, thiserror::Error)]
pub enum BrokerError {
    /// No sockets.
    #[error(transparent)]
    Bind(#[from] BindError),
    /// The system failed.
    #[error("{0}")]
    System(#[from] Errno),
    /// The policy can't be used.
    #[error(transparent)]
    Policy(#[from] PolicyError),
    /// What the last broker left can't be had.
    #[error("the keeper: {0}")]
    Keeper(String),
    /// A virtual machine of the policy can't be.
    #[error("{0}")]
    Vm(String),
    /// No renderer can be started.
    #[error("the renderer can't be started: {0}")]
    Renderer(#[from] std::io::Error),
    /// The renderer never came up.
    #[error("the renderer died {0} times before it had an output; its messages are above")]
    NoOutput(u32),
}

/// Serves until a signal, `blinkctl quit`, or the user closes the output's window. `keeper` is the socket to the
/// process that holds what the next broker needs, and has what the last one left.
///
/// # Errors
/// The sockets are taken, or there is no output.
pub fn main(options: Options, keeper: OwnedFd) -> Result<(), BrokerError> {
    let signals = Signals::new()?;
    let _directory = Directory::make(&options.socket)?;
    let clients = Listener::bind(&options.socket, SocketType::SEQPACKET)?;
    let control = Listener::bind(&control_path(&options.socket), SocketType::SEQPACKET)?;
    let mut broker = Broker::new(options, &signals, clients, control, Deposits::new(keeper))?;
    if !broker.take_over()? {
        broker.read_policy()?;
    }
    broker.find_xen();
    let result = broker.work();
    broker.end();
    result
}

#[derive(Debug)]
struct Broker {
    options: Options,
    epoll: OwnedFd,
    client_listener: Listener,
    control_listener: Listener,
    /// Accepting goes on then: the system had no descriptors left.
    accept_again: Option<Instant>,
    peers: BTreeMap<PeerId, Peer>,
    last_peer: u64,
    clients: BTreeMap<ClientId, Client>,
    last_client: u32,
    vms: BTreeMap<ClientId, Vm>,
    /// If this is a domain of Xen's.
    xen: Option<Xen>,
    /// XenStore is looked for again then.
    find_xen_again: Option<Instant>,
    /// Of clients that have none of their own.
    budget: Budget,
    /// Keeps what the next broker needs.
    keeper: Option<Deposits>,
    renderer: Option<Renderer>,
    /// When to start the next one.
    start_renderer: Option<Instant>,
    renderer_starts: u64,
    backoff: Backoff,
    pending: BTreeMap<u64, Pending>,
    last_serial: u64,
    /// It was told that the server is ready.
    announced: bool,
    quit: bool,
    /// Of warnings about whoever connects.
    throttle: Throttle,
    started: Instant,
}

impl Broker {
    fn new(
        options: Options,
        signals: &Signals,
        client_listener: Listener,
        control_listener: Listener,
        keeper: Deposits,
    ) -> Result<Broker, BrokerError> {
        let epoll = epoll::create(epoll::CreateFlags::CLOEXEC)?;
        epoll::add(&epoll, signals, EventData::new_u64(SIGNALS), EventFlags::IN)?;
        epoll::add(&epoll, &client_listener, EventData::new_u64(CLIENTS), EventFlags::IN)?;
        epoll::add(&epoll, &control_listener, EventData::new_u64(CONTROL), EventFlags::IN)?;
        epoll::add(&epoll, &keeper, EventData::new_u64(KEEPER), EventFlags::empty())?;
        Ok(Broker {
            options,
            epoll,
            client_listener,
            control_listener,
            accept_again: None,
            peers: BTreeMap::new(),
            last_peer: FIRST_PEER,
            clients: BTreeMap::new(),
            last_client: 0,
            vms: BTreeMap::new(),
            xen: None,
            find_xen_again: None,
            budget: Budget::default(),
            keeper: Some(keeper),
            renderer: None,
            start_renderer: Some(Instant::now()),
            renderer_starts: 0,
            backoff: Backoff::default(),
            pending: BTreeMap::new(),
            last_serial: 0,
            announced: false,
            quit: false,
            throttle: Throttle::default(),
            started: Instant::now(),
        })
    }

    fn work(&mut self) -> Result<(), BrokerError> {
        let mut events = Vec::with_capacity(64);
        while !self.quit {
            self.timers()?;
            let timeout = self.next_timer().map(|due| {
                let left = due.saturating_duration_since(Instant::now());
                Timespec {
                    tv_sec: i64::try_from(left.as_secs()).unwrap_or(i64::MAX),
                    tv_nsec: i64::from(left.subsec_nanos()),
                }
            });
            events.clear();
            match epoll::wait(&self.epoll, rustix::buffer::spare_capacity(&mut events), timeout.as_ref()) {
                Ok(_) | Err(Errno::INTR) => {}
                Err(error) => return Err(error.into()),
            }
            for event in &events {
                match event.data.u64() {
                    SIGNALS => {
                        log::info!("a signal ends the server");
                        self.quit = true;
                    }
                    CLIENTS => self.accept(false),
                    CONTROL => self.accept(true),
                    KEEPER => self.keeper_socket(event.flags),
                    XEN => self.xen_events(),
                    RENDERER => self.renderer_socket(event.flags),
                    RENDERER_PROCESS => self.renderer_died()?,
                    peer => self.peer(PeerId(peer)),
                }
            }
        }
        Ok(())
    }

    /// Ends the renderer; clients learn it by their sockets, and the files go with the listeners.
    fn end(&mut self) {
        // First the clients: a renderer that is slow to end shall not keep them.
        self.peers.clear();
        self.clients.clear();
        self.vms.clear();
        if let Some(renderer) = self.renderer.take() {
            renderer.end();
        }
    }

    // Time

    fn next_timer(&self) -> Option<Instant> {
        let newcomers = self.peers.values().filter_map(|peer| match peer.kind {
            PeerKind::Newcomer { deadline } => Some(deadline),
            PeerKind::Client(_)
            | PeerKind::Control
            | PeerKind::Device(_)
            | PeerKind::Port(_)
            | PeerKind::Domain(_) => None,
        });
        let answers = self.pending.values().map(|pending| pending.deadline);
        let keeper = self.keeper.as_ref().and_then(Deposits::due);
        let renderer = self.renderer.as_ref().and_then(|renderer| renderer.outbox.due());
        let xen = self.xen.as_ref().and_then(|xen| xen.next(Instant::now()));
        let others = [self.start_renderer, self.accept_again, self.find_xen_again, keeper, renderer, xen];
        newcomers.chain(answers).chain(others.into_iter().flatten()).min()
    }

    fn timers(&mut self) -> Result<(), BrokerError> {
        let now = Instant::now();
        if self.start_renderer.is_some_and(|due| due <= now) {
            self.start_renderer = None;
            self.launch_renderer()?;
        }
        if self.accept_again.is_some_and(|due| due <= now) {
            self.accept_again = None;
            self.watch_listeners(EventFlags::IN);
        }
        if self.keeper.as_ref().and_then(Deposits::due).is_some_and(|due| due <= now) {
            self.tell_keeper();
        }
        if let Some(renderer) = &mut self.renderer
            && renderer.outbox.due().is_some_and(|due| due <= now)
        {
            let sent = renderer.outbox.flush();
            self.after_send(sent);
        }
        if self.find_xen_again.is_some_and(|due| due <= now) {
            self.find_xen_again = None;
            self.find_xen();
        }
        if self.xen.as_ref().and_then(|xen| xen.next(now)).is_some_and(|due| due <= now) {
            self.xen_events();
            self.look_at_domains(now);
        }
        let late = |peer: &Peer| matches!(peer.kind, PeerKind::Newcomer { deadline } if deadline <= now);
        let late: Vec<PeerId> = self.peers.iter().filter(|(_, peer)| late(peer)).map(|(&id, _)| id).collect();
        for id in late {
            self.refuse(id, &format!("no Hello came within {HELLO_SECONDS} seconds"));
        }
        let late: Vec<u64> =
            self.pending.iter().filter(|(_, p)| p.deadline <= now).map(|(&serial, _)| serial).collect();
        for serial in late {
            let seconds = ANSWER_TIME.as_secs();
            self.answer_pending(
                serial,
                Err(format!("the renderer did not answer within {seconds} seconds")),
                &[],
            );
        }
        Ok(())
    }

    /// Writes what somebody at the sockets did wrong to the log, unless they fill it.
    fn warn(&mut self, text: std::fmt::Arguments<'_>) {
        let now = u64::try_from(self.started.elapsed().as_nanos()).unwrap_or(u64::MAX);
        if let Some(held) = self.throttle.admit(now) {
            if held > 0 {
                log::warn!("{held} more warnings about connections were not written");
            }
            log::warn!("{text}");
        }
    }

    // Connections

    fn accept(&mut self, control: bool) {
        for _ in 0..MESSAGES_A_TURN {
            let listener = if control { &self.control_listener } else { &self.client_listener };
            match listener.accept() {
                Ok(Some(socket)) => self.add_peer(socket, control),
                Ok(None) => return,
                Err(error) => {
                    log::error!("a connection can't be accepted: {error}");
                    self.accept_again = Some(Instant::now() + ACCEPT_PAUSE);
                    self.watch_listeners(EventFlags::empty());
                    return;
                }
            }
        }
    }

    fn watch_listeners(&self, flags: EventFlags) {
        for (listener, data) in [(&self.client_listener, CLIENTS), (&self.control_listener, CONTROL)] {
            if let Err(error) = epoll::modify(&self.epoll, listener, EventData::new_u64(data), flags) {
                log::error!("a listening socket can't be watched: {error}");
            }
        }
        for (_, entrance) in self.vms.values().flat_map(Vm::entrances) {
            if let Err(error) = epoll::modify(&self.epoll, entrance, EventData::new_u64(entrance.id.0), flags)
            {
                log::error!("a VM's socket can't be watched: {error}");
            }
        }
    }

    fn add_peer(&mut self, socket: OwnedFd, control: bool) {
        let is_kind = |kind: PeerKind| match kind {
            PeerKind::Newcomer { .. } => !control,
            PeerKind::Control => control,
            PeerKind::Client(_) | PeerKind::Device(_) | PeerKind::Port(_) | PeerKind::Domain(_) => false,
        };
        let mut others = self.peers.iter().filter(|(_, peer)| is_kind(peer.kind)).map(|(&id, _)| id);
        let oldest = others.next();
        if others.count() + 1 >= MAX_OTHERS
            && let Some(oldest) = oldest
        {
            self.warn(format_args!("too many connections without a client: the oldest is shut out"));
            self.remove_peer(oldest);
        }
        self.last_peer += 1;
        let id = PeerId(self.last_peer);
        if let Err(error) = epoll::add(&self.epoll, &socket, EventData::new_u64(id.0), EventFlags::IN) {
            log::error!("a connection can't be watched: {error}");
            return;
        }
        let deadline = Instant::now() + Duration::from_secs(HELLO_SECONDS);
        let kind = if control { PeerKind::Control } else { PeerKind::Newcomer { deadline } };
        self.peers.insert(id, Peer { socket, kind });
    }

    /// Closes a connection, and forgets the client that it was.
    fn remove_peer(&mut self, id: PeerId) {
        let Some(peer) = self.peers.remove(&id) else { return };
        // Closing the descriptor does not take it out of the epoll set where the keeper or the renderer has it too,
        // and that it is closed on the other side would wake the loop for ever.
        let removed = epoll::delete(&self.epoll, &peer.socket);
        debug_assert!(removed.is_ok(), "it was added when it came");
        self.pending.retain(|_, pending| pending.peer != id);
        match peer.kind {
            PeerKind::Client(client) | PeerKind::Device(client) => {
                hang_up(&peer);
                if self.clients.remove(&client).is_some() {
                    self.drop_kept(&[Key::Client(client), Key::Aperture(client)]);
                    log::info!("client {client} is gone");
                    self.dismiss(client);
                }
            }
            PeerKind::Port(vm) => {
                hang_up(&peer);
                self.drop_kept(&[Key::Port(vm)]);
                if let Some(vm) = self.vms.get_mut(&vm) {
                    vm.connected_port = None;
                }
            }
            PeerKind::Domain(client) => {
                if let Some(guest) = self.clients.remove(&client).and_then(|client| client.shared.guest()) {
                    log::info!("client {client} is gone");
                    self.dismiss(client);
                    self.close_domain(guest);
                }
            }
            PeerKind::Newcomer { .. } | PeerKind::Control => {}
        }
    }

    fn peer(&mut self, id: PeerId) {
        if let Some((vm, side)) = vms::entrance(self.vms.iter(), id) {
            return self.accept_vm(vm, side);
        }
        for _ in 0..MESSAGES_A_TURN {
            // Gone since the event was made?
            let Some(peer) = self.peers.get(&id) else { return };
            let kind = peer.kind;
            match kind {
                PeerKind::Device(_) | PeerKind::Port(_) => return self.qemu(id),
                // Whatever it says, says that its program is gone.
                PeerKind::Domain(_) => return self.remove_peer(id),
                PeerKind::Newcomer { .. } | PeerKind::Client(_) | PeerKind::Control => {}
            }
            let received = match seqpacket::receive(peer.socket.as_fd()) {
                Ok(received) => received,
                Err(error) => {
                    self.warn(format_args!("a connection is closed: {error}"));
                    return self.remove_peer(id);
                }
            };
            match (received, kind) {
                (Received::Nothing, _) => return,
                (Received::Closed, _) => return self.remove_peer(id),
                (Received::Message(packet, _), PeerKind::Newcomer { .. }) => self.hello(id, &packet),
                (Received::Message(packet, _), PeerKind::Control) => self.control(id, &packet),
                // Nothing is due from a client any more; a later version may send what is not known here.
                (
                    Received::Message(..),
                    PeerKind::Client(_) | PeerKind::Device(_) | PeerKind::Port(_) | PeerKind::Domain(_),
                ) => {}
            }
        }
    }

    // Clients

    fn refuse(&mut self, id: PeerId, reason: &str) {
        self.warn(format_args!("a connection is refused: {reason}"));
        if let Some(peer) = self.peers.get(&id) {
            let answer = local::Answer::Refused { reason: reason.to_owned() };
            // If it can't be told, it will see the hang-up.
            let _told = seqpacket::try_send(peer.socket.as_fd(), &answer.encode(), &[]);
        }
        self.remove_peer(id);
    }

    fn hello(&mut self, id: PeerId, packet: &[u8]) {
        if let Err(reason) = self.welcome(id, packet) {
            self.refuse(id, &reason);
        }
    }

    /// Makes a client of a newcomer.
    fn welcome(&mut self, id: PeerId, packet: &[u8]) -> Result<(), String> {
        let hello = Hello::decode(packet).map_err(|e| e.to_string())?;
        let (version, lowest, highest) = (APERTURE_VERSION, hello.version_min, hello.version_max);
        if !(lowest..=highest).contains(&version) {
            let [lowest, highest, own] =
                [lowest, highest, version].map(|v| format!("{}.{}", v >> 16, v & 0xffff));
            return Err(format!(
                "the client speaks versions {lowest} to {highest}, this server {own}; update the older one"
            ));
        }
        if self.places_taken() >= MAX_CLIENTS {
            return Err(format!("{MAX_CLIENTS} clients are connected, which is the limit; close some"));
        }
        let number = self.last_client.checked_add(1).ok_or("no client ids are left; restart the server")?;
        let client = ClientId(number);
        let (aperture, wake) = Aperture::for_process(client, hello.bytes).map_err(|e| e.to_string())?;
        let Some(peer) = self.peers.get_mut(&id) else { return Ok(()) };
        let credentials = rustix::net::sockopt::socket_peercred(&peer.socket).map_err(|e| e.to_string())?;
        let bytes = aperture.bytes();
        let welcome = local::Answer::Welcome { version, client: number, bytes };
        let [memory, doorbell, _] = aperture.parts();
        let fds = [memory, doorbell, wake.as_fd()];
        match seqpacket::try_send(peer.socket.as_fd(), &welcome.encode(), &fds) {
            Ok(true) => {}
            Ok(false) => return Err("the socket is full".into()),
            Err(error) => return Err(error.to_string()),
        }
        self.last_client = number;
        peer.kind = PeerKind::Client(client);
        let info = ClientInfo {
            id: client,
            owner: Owner::User(credentials.uid.as_raw()),
            name: policy::local_name(&hello.name),
            color: policy::color(client),
            bytes,
            budget: self.budget,
            placements: Vec::new(),
            channel: None,
        };
        let pid = credentials.pid.as_raw_nonzero().get();
        log::info!("client {client} is \"{}\", process {pid}, {bytes} bytes", info.name);
        self.clients
            .insert(client, Client { peer: id, pid: Some(pid), info, shared: Shared::Made(aperture) });
        self.keep_client(client);
        self.introduce(client);
        Ok(())
    }

    /// Hands a client to the renderer. Without one: the next one gets all clients.
    fn introduce(&mut self, id: ClientId) {
        let suspended = self.vms.get(&id).is_some_and(|vm| vm.suspended);
        if let Some(client) = self.clients.get(&id).filter(|_| !suspended) {
            let Some(renderer) = &mut self.renderer else { return };
            let message = ToRenderer::Client(client.info.clone());
            let sent = client
                .shared
                .with_parts(|parts| renderer.outbox.introduce(About::Client(id), &message, parts));
            match sent {
                Ok(sent) => {
                    self.after_send(sent);
                    self.introduce_port(id);
                }
                Err(error) => {
                    log::error!("client {id} can't be shown: {error}");
                    self.unfit(id, &error.to_string());
                }
            }
        }
    }

    /// Tells the renderer that a client is gone, if it knows of it.
    fn dismiss(&mut self, id: ClientId) {
        if let Some(renderer) = &mut self.renderer
            && !renderer.outbox.withdraw(id)
        {
            self.tell_renderer(&ToRenderer::ClientGone { id });
        }
    }

    // The renderer

    fn launch_renderer(&mut self) -> Result<(), BrokerError> {
        let renderer = Renderer::start(self.options.output, self.options.verbose)?;
        epoll::add(&self.epoll, &renderer.outbox, EventData::new_u64(RENDERER), EventFlags::IN)?;
        epoll::add(&self.epoll, renderer.process(), EventData::new_u64(RENDERER_PROCESS), EventFlags::IN)?;
        self.renderer_starts += 1;
        self.keep_server();
        log::info!("renderer {} starts, process {}", self.renderer_starts, renderer.pid());
        self.renderer = Some(renderer);
        let clients: Vec<ClientId> = self.clients.keys().copied().collect();
        for id in clients {
            self.introduce(id);
        }
        Ok(())
    }

    fn tell_renderer(&mut self, message: &ToRenderer) {
        let Some(renderer) = &mut self.renderer else { return };
        let sent = renderer.outbox.send(message);
        self.after_send(sent);
    }

    /// Watches for room if messages wait; kills a renderer that can't be reached.
    fn after_send(&mut self, sent: Result<(), SendError>) {
        let Some(renderer) = &mut self.renderer else { return };
        let flags = match sent {
            Ok(()) => EventFlags::IN | renderer.outbox.interest(),
            // It closed its socket: its death will be told.
            Err(SendError::Socket(seqpacket::SocketError::System(Errno::PIPE | Errno::CONNRESET))) => return,
            Err(error) => {
                log::error!("the renderer is killed: {error}");
                renderer.kill();
                EventFlags::empty()
            }
        };
        if let Err(error) = epoll::modify(&self.epoll, &renderer.outbox, EventData::new_u64(RENDERER), flags)
        {
            log::error!("the renderer's socket can't be watched: {error}");
        }
    }

    fn renderer_socket(&mut self, flags: EventFlags) {
        if flags.contains(EventFlags::OUT)
            && let Some(renderer) = &mut self.renderer
        {
            renderer.outbox.has_room();
            let sent = renderer.outbox.flush();
            self.after_send(sent);
        }
        self.renderer_messages();
    }

    fn renderer_messages(&mut self) {
        for _ in 0..MESSAGES_A_TURN {
            let Some(renderer) = &mut self.renderer else { return };
            match renderer.outbox.receive() {
                Ok(Received::Nothing) => return,
                Ok(Received::Message(bytes, fds)) => match serde_json::from_slice(&bytes) {
                    Ok(message) => self.renderer_message(message, &fds),
                    Err(error) => log::error!("a message of the renderer makes no sense: {error}"),
                },
                Ok(Received::Closed) => {
                    // It ends, or has closed the socket by mistake: of no use any more in any case.
                    // Not watched any more, or a closed socket would wake the loop until its death is told.
                    let _removed = epoll::delete(&self.epoll, &renderer.outbox);
                    return renderer.kill();
                }
                Err(error) if error.is_fatal() => {
                    log::error!("the renderer's socket: {error}");
                    return renderer.kill();
                }
                Err(error) => log::error!("a message of the renderer is lost: {error}"),
            }
        }
    }

    fn renderer_message(&mut self, message: ToBroker, fds: &[OwnedFd]) {
        match message {
            ToBroker::Ready { gl } => {
                // Its text goes to the log only, without what could fool a terminal.
                log::info!("the renderer is ready: {}", gl.escape_debug());
                if let Some(renderer) = &mut self.renderer {
                    renderer.ready = true;
                }
                self.announce();
            }
            ToBroker::Reply { serial, result } => self.answer_pending(serial, result, fds),
            ToBroker::Placed { client, windows } => self.placed(client, windows),
            ToBroker::Unfit { client, reason } => self.unfit(client, &reason),
            ToBroker::Quit => {
                log::info!("the user closed the output");
                self.quit = true;
            }
        }
    }

    /// Says once that clients can come. Whoever started the server may have closed the pipe: no error.
    fn announce(&mut self) {
        if !std::mem::replace(&mut self.announced, true) {
            let path = self.options.socket.display();
            let _told = writeln!(std::io::stdout(), "blink-server: ready on {path}");
        }
    }

    fn placed(&mut self, id: ClientId, windows: Vec<Placement>) {
        // A client that has just gone: the renderer does not know yet.
        let Some(client) = self.clients.get_mut(&id) else { return };
        let limit = MAX_CONTEXTS * MAX_WINDOWS;
        if windows.len() > limit || windows.iter().any(|w| w.window.client != id) {
            log::error!("the renderer places {} windows of client {id}, or those of another", windows.len());
            return;
        }
        client.info.placements = windows;
        self.note_client(id);
    }

    fn renderer_died(&mut self) -> Result<(), BrokerError> {
        // What it said last may be that the user wants to quit.
        self.renderer_messages();
        let Some(renderer) = &mut self.renderer else { return Ok(()) };
        let Some(status) = renderer.ended() else { return Ok(()) };
        let (age, ready) = (renderer.age(), renderer.ready);
        self.renderer = None;
        let serials: Vec<u64> = self.pending.keys().copied().collect();
        for serial in serials {
            self.answer_pending(serial, Err("the renderer died; try again".into()), &[]);
        }
        if self.quit {
            return Ok(());
        }
        let delay = self.backoff.after(age);
        log::error!("the renderer died ({status}) after {age:?}; the next starts in {delay:?}");
        if !ready && !self.announced && self.backoff.deaths() >= MAX_FIRST_DEATHS {
            return Err(BrokerError::NoOutput(self.backoff.deaths()));
        }
        self.start_renderer = Some(Instant::now() + delay);
        Ok(())
    }

    // Commands

    fn control(&mut self, id: PeerId, packet: &[u8]) {
        let command = match serde_json::from_slice::<Command>(packet) {
            Ok(command) => command,
            Err(error) => return self.answer(id, &Err(format!("no command: {error}")), &[]),
        };
        match command {
            Command::Kill { client } => {
                let answer = match self.clients.get(&client).map(|c| c.peer) {
                    Some(peer) => {
                        self.remove_peer(peer);
                        Ok(Value::Null)
                    }
                    None => Err(format!("there is no client {client}; `blinkctl list` shows those that are")),
                };
                self.answer(id, &answer, &[]);
            }
            Command::Vm(command) => {
                let answer = self.vm_command(command);
                self.answer(id, &answer, &[]);
            }
            Command::Quit => {
                log::info!("`blinkctl quit` ends the server");
                self.answer(id, &Ok(Value::Null), &[]);
                self.quit = true;
            }
            Command::List
            | Command::Stats
            | Command::Screenshot
            | Command::Input { .. }
            | Command::Move { .. }
            | Command::Resize { .. }
            | Command::Raise { .. }
            | Command::Focus { .. }
            | Command::Close { .. } => self.pass_on(id, command),
        }
    }

    /// Passes a command to the renderer.
    fn pass_on(&mut self, id: PeerId, command: Command) {
        if self.pending.values().filter(|pending| pending.peer == id).count() >= MAX_PENDING {
            let error = format!("{MAX_PENDING} commands of this connection wait for answers; wait for one");
            return self.answer(id, &Err(error), &[]);
        }
        if self.renderer.is_none() {
            return self.answer(id, &Err("the renderer is being started again; try again".into()), &[]);
        }
        self.last_serial += 1;
        let serial = self.last_serial;
        let deadline = Instant::now() + ANSWER_TIME;
        self.pending.insert(serial, Pending { peer: id, kind: Kind::of(&command), deadline });
        self.tell_renderer(&ToRenderer::Command { serial, command });
    }

    /// Answers a command that waits; those that don't are not answered twice.
    fn answer_pending(&mut self, serial: u64, mut answer: Answer, fds: &[OwnedFd]) {
        let Some(pending) = self.pending.remove(&serial) else {
            log::warn!("the renderer answers command {serial}, which nobody asked or which took too long");
            return;
        };
        let server = commands::Server {
            renderer: self.renderer.as_ref().map_or(0, Renderer::pid),
            starts: self.renderer_starts,
        };
        commands::complete(pending.kind, &mut answer, &self.clients, server);
        let picture = if pending.kind == Kind::Screenshot { fds.first() } else { None };
        let fds: Vec<BorrowedFd<'_>> = picture.iter().map(|fd| fd.as_fd()).collect();
        self.answer(pending.peer, &answer, &fds);
    }

    fn answer(&mut self, id: PeerId, answer: &Answer, fds: &[BorrowedFd<'_>]) {
        let Some(peer) = self.peers.get(&id) else { return };
        let sent = match serde_json::to_vec(answer) {
            Ok(bytes) => seqpacket::try_send(peer.socket.as_fd(), &bytes, fds).map_err(|e| e.to_string()),
            Err(error) => Err(error.to_string()),
        };
        match sent {
            Ok(true) => {}
            Ok(false) => {
                self.warn(format_args!("a blinkctl does not take its answers and is shut out"));
                self.remove_peer(id);
            }
            Err(error) => {
                self.warn(format_args!("an answer can't be sent: {error}"));
                self.remove_peer(id);
            }
        }
    }
}

/// Closes a connection for whoever has a copy of it: the keeper may still have to be told.
fn hang_up(peer: &Peer) {
    // It fails if the other side was faster.
    let _closed = rustix::net::shutdown(&peer.socket, Shutdown::Both);
}
