//! The broker's loop: hears what happens, and says who acts on it.

use crate::control::machines::Machines;
use crate::control::{Control, Request};
use crate::house::{House, Rules};
use crate::keeping::{self, Keeping};
use crate::policy::file::{Policy, PolicyError};
use crate::reactor::{Reactor, Source};
use crate::registry::Registry;
use crate::supervision::process::Programs;
use crate::supervision::{Hopeless, News, Supervisor};
use crate::transport::Transport;
use crate::transport::door::{Access, BindError, Directory, Door, Listener};
use crate::transport::local::Local;
use crate::transport::qemu::Qemu;
use crate::transport::xen::Domains;
use crate::warnings::Warnings;
use budget::Budget;
use ipc::options::OutputOption;
use ipc::{ClientId, Command, Key, Placement, control_path};
use os::signals::Signals;
use rustix::event::epoll::EventFlags;
use rustix::fd::OwnedFd;
use rustix::io::Errno;
use rustix::net::SocketType;
use serde_json::Value;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::Instant;

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
    /// How much the logs say; for the other processes.
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
    /// A process of the server never came up.
    #[error(transparent)]
    Hopeless(#[from] Hopeless),
}

/// Serves until a signal, `blinkctl quit`, or the user closes the output's window. `keeper` is the socket to the
/// process that holds what the next broker needs, and has what the last one left.
///
/// # Errors
/// The sockets are taken, or there is no output.
pub fn main(options: Options, keeper: OwnedFd) -> Result<(), BrokerError> {
    let signals = Signals::new()?;
    let _directory = Directory::make(&options.socket)?;
    let mut broker = Broker::new(options, &signals, keeper)?;
    broker.take_over()?;
    broker.domains.find(&mut broker.house);
    let result = broker.work();
    broker.end();
    result
}

/// Who acts on what happens.
#[derive(Debug)]
struct Broker {
    options: Options,
    house: House,
    local: Local,
    qemu: Qemu,
    domains: Domains,
    control: Control,
    /// It was told that the server is ready.
    announced: bool,
    quit: bool,
}

impl Broker {
    fn new(options: Options, signals: &Signals, keeper: OwnedFd) -> Result<Broker, BrokerError> {
        let mut reactor = Reactor::new()?;
        reactor.watch(signals, Source::Signals, EventFlags::IN)?;
        let mut open = |path: &Path, source| -> Result<Door, BrokerError> {
            let listener = Listener::bind(path, SocketType::SEQPACKET, &Access::default())?;
            Ok(Door::open(listener, source, &mut reactor)?)
        };
        let clients = open(&options.socket, Source::LocalDoor)?;
        let control = open(&control_path(&options.socket), Source::ControlDoor)?;
        let keeping = Keeping::new(keeper, &mut reactor)?;
        let programs = Programs { verbose: options.verbose };
        Ok(Broker {
            house: House {
                reactor,
                registry: Registry::default(),
                supervisor: Supervisor::new(Box::new(programs), options.output),
                keeping,
                warnings: Warnings::default(),
                rules: Rules::default(),
            },
            local: Local::new(clients),
            qemu: Qemu::new(options.socket.clone()),
            domains: Domains::default(),
            control: Control::new(control),
            announced: false,
            quit: false,
            options,
        })
    }

    /// Takes over what the last broker left; the first one reads the policy.
    fn take_over(&mut self) -> Result<(), BrokerError> {
        let kept = self.house.keeping.take()?;
        if keeping::restore(kept, &mut self.house, &mut self.qemu)? {
            // The first broker announced it.
            self.announced = true;
            return Ok(());
        }
        let mut policy = self.options.policy.as_deref().map(Policy::read).transpose()?.unwrap_or_default();
        policy.limit(self.options.limit);
        self.house.rules = Rules::of(&policy);
        self.house.supervisor.set_up(policy.isolation, 0);
        self.house.keeping.change(&[Key::Server]);
        let mut machines = Machines { qemu: &mut self.qemu, domains: &mut self.domains };
        for vm in policy.vms {
            machines.add(vm, &mut self.house).map_err(BrokerError::Vm)?;
        }
        Ok(())
    }

    fn work(&mut self) -> Result<(), BrokerError> {
        loop {
            self.turn()?;
            if self.quit {
                return Ok(());
            }
            for (token, flags) in self.house.reactor.wait(self.due())? {
                // Forgotten since the event was made?
                if let Some(source) = self.house.reactor.source(token) {
                    self.event(source, flags)?;
                }
                if self.quit {
                    return Ok(());
                }
            }
        }
    }

    /// Ends all processes; clients learn it by their sockets, and the files go with the doors.
    fn end(self) {
        let House { mut reactor, registry, supervisor, .. } = self.house;
        // First the clients: a process that is slow to end must not keep them.
        drop(self.local);
        drop(registry);
        supervisor.end(&mut reactor);
    }

    // Time

    fn due(&self) -> Option<Instant> {
        let now = Instant::now();
        let dues = [
            self.control.due(),
            self.local.due(now),
            self.qemu.due(now),
            self.domains.due(now),
            self.house.supervisor.due(),
            self.house.keeping.due(),
        ];
        dues.into_iter().flatten().min()
    }

    fn turn(&mut self) -> Result<(), BrokerError> {
        let now = Instant::now();
        let house = &mut self.house;
        self.control.turn(now, house);
        self.local.turn(now, house);
        self.qemu.turn(now, house);
        self.domains.turn(now, house);
        house.supervisor.turn(now, &house.registry, &mut house.reactor);
        self.hear_news()?;
        self.house.settle();
        Ok(())
    }

    // Events

    fn event(&mut self, source: Source, flags: EventFlags) -> Result<(), BrokerError> {
        let house = &mut self.house;
        match source {
            Source::Signals => {
                log::info!("a signal ends the server");
                self.quit = true;
            }
            Source::ControlDoor | Source::Control(_) => {
                for request in self.control.event(source, house) {
                    self.request(request);
                }
            }
            Source::Keeper => house.keeping.event(flags, &mut house.reactor),
            Source::LocalDoor | Source::Newcomer(_) => self.local.event(source, flags, house),
            Source::DeviceDoor(_) | Source::PortDoor(_) | Source::Port(_) => {
                self.qemu.event(source, flags, house);
            }
            Source::Xen => self.domains.event(source, flags, house),
            Source::Client(id) => {
                self.transport(id, |transport, house| transport.event(source, flags, house));
            }
            Source::Glass
            | Source::GlassProcess
            | Source::Template
            | Source::TemplateProcess
            | Source::Renderer(_)
            | Source::RendererProcess(_)
            | Source::Ending => {
                house.supervisor.event(source, flags, &mut house.reactor);
            }
        }
        self.hear_news()?;
        self.house.settle();
        Ok(())
    }

    /// Lets the transport act by which a client came. `None`: there is no such client.
    fn transport<T>(
        &mut self,
        id: ClientId,
        act: impl FnOnce(&mut dyn Transport, &mut House) -> T,
    ) -> Option<T> {
        use crate::clients::Via;
        let transport: &mut dyn Transport = match self.house.registry.client(id)?.via {
            Via::Local => &mut self.local,
            Via::Qemu => &mut self.qemu,
            Via::Xen => &mut self.domains,
        };
        Some(act(transport, &mut self.house))
    }

    fn hear_news(&mut self) -> Result<(), BrokerError> {
        loop {
            // What is done about one may make others.
            let all = self.house.supervisor.take_news();
            if all.is_empty() {
                return Ok(());
            }
            for news in all {
                self.hear(news)?;
            }
        }
    }

    fn hear(&mut self, news: News) -> Result<(), BrokerError> {
        let house = &mut self.house;
        match news {
            News::Progress => {
                house.keeping.change(&[Key::Server]);
                if house.supervisor.is_ready() {
                    self.announce();
                }
            }
            News::Placed { client, windows } => self.placed(client, windows),
            News::Unfit { client, reason } => {
                self.transport(client, |transport, house| transport.unfit(client, &reason, house));
            }
            News::End { client } => {
                log::info!("the user ends client {client}");
                self.kill(client);
            }
            News::Reply { serial, answer, fds } => self.control.reply(serial, answer, &fds, house),
            News::GlassDied => self.control.glass_died(house),
            News::Told { serial, class, answer } => self.control.told(serial, class, answer, house),
            News::Quit => self.quit = true,
            News::Hopeless(hopeless) => {
                // What it said last may be that the user wants to quit.
                if !self.quit {
                    return Err(hopeless.into());
                }
            }
        }
        Ok(())
    }

    /// Says once that clients can come. Whoever started the server may have closed the pipe: no error.
    fn announce(&mut self) {
        if !std::mem::replace(&mut self.announced, true) {
            let path = self.options.socket.display();
            let _told = writeln!(std::io::stdout(), "blink-server: ready on {path}");
        }
    }

    fn placed(&mut self, id: ClientId, windows: Vec<Placement>) {
        // A client that is suspended, or has just gone: the glass did not know yet.
        if self.house.supervisor.class_of(id).is_none() {
            return;
        }
        let Some(client) = self.house.registry.client_mut(id) else { return };
        match client.place(windows) {
            // Guests of Xen are not kept as clients.
            Ok(()) => {
                let is_guest = client.shared.guest().is_some();
                self.house.keeping.note(if is_guest { Key::Vm(id) } else { Key::Client(id) });
            }
            Err(error) => self.house.warnings.warn(format_args!("the glass: {error}")),
        }
    }

    /// Ends a client. False: there is none.
    fn kill(&mut self, id: ClientId) -> bool {
        self.transport(id, |transport, house| transport.part(id, house)).is_some()
    }

    // Commands

    fn request(&mut self, Request { connection, command }: Request) {
        let answer = match command {
            Command::Kill { client } => {
                if self.kill(client) {
                    Ok(Value::Null)
                } else {
                    Err(format!("there is no client {client}; `blinkctl list` shows those that are"))
                }
            }
            Command::Vm(command) => {
                let mut machines = Machines { qemu: &mut self.qemu, domains: &mut self.domains };
                machines.command(command, &mut self.house)
            }
            Command::Quit => {
                log::info!("`blinkctl quit` ends the server");
                self.quit = true;
                Ok(Value::Null)
            }
            Command::List
            | Command::Stats
            | Command::Screenshot
            | Command::Input { .. }
            | Command::Move { .. }
            | Command::Resize { .. }
            | Command::Raise { .. }
            | Command::Focus { .. }
            | Command::Close { .. } => {
                return self.control.pass_on(connection, command, &mut self.house);
            }
        };
        self.control.answer(connection, &answer, &[], &mut self.house);
    }
}
