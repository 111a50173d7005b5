//! The processes of the server: one glass, one template, and a renderer for each isolation class that has clients.
//!
//! The supervisor starts them, connects them, tells them who there is, starts them again, and believes nothing that they say.
//! What the rest of the broker must do about it, it tells as [`News`].

mod backoff;
pub mod classes;
mod line;
mod news;
pub mod outbox;
mod pacing;
pub mod process;
mod renderer;
mod single;
mod template;
#[cfg(test)]
mod tests;
mod worker;

pub use backoff::Backoff;
use backoff::is_forgiven;
pub use line::is_hung_up;
pub use news::{Hopeless, News, RendererState};
pub use single::MAX_FIRST_DEATHS;

use crate::policy::file::Isolation;
use crate::reactor::{Reactor, Source};
use crate::registry::Registry;
use crate::warnings::{self, excerpt};
use classes::Classes;
use ipc::glass::{ClassId, FromGlass, ToGlass};
use ipc::options::OutputOption;
use ipc::template::Share;
use ipc::{ClientId, Command, MAX_PART_BYTES, Question, ToBroker, ToRenderer};
use line::{Heard, Line};
use outbox::About;
use pacing::Pacing;
use process::{Launch, Process, Role, pair};
use renderer::{End, Fault, LATE_NICE, Life, RECYCLE_PAUSE, Renderer, Up, reason};
use rustix::event::epoll::EventFlags;
use rustix::fd::{AsFd, OwnedFd};
use rustix::io::Errno;
use single::Single;
use std::collections::BTreeMap;
use std::time::{Duration, Instant};
use template::{Makes, Said, Template};
use worker::{END_TIME, Endings, Watch, Worker};

/// Messages taken from one process before others have their turn.
const MESSAGES_A_TURN: usize = 32;
/// Messages that are still taken from a process that has died: what it said last may be that the user wants to quit.
const LAST_MESSAGES: usize = 4096;
/// Bytes of a renderer's message, at most: a part whose every character is escaped.
const MAX_RENDERER_MESSAGE: usize = 2 * MAX_PART_BYTES + 1024;
/// Time for the template to make a copy. One that takes longer is ended: renderers must not wait for it.
const FORK_TIME: Duration = Duration::from_secs(5);
/// Time for a renderer to be ready. One that is not is as good as dead.
const READY_TIME: Duration = Duration::from_secs(30);

/// See the [module](self).
#[derive(Debug)]
pub struct Supervisor {
    launcher: Box<dyn Launch>,
    classes: Classes,
    glass: Single,
    template: Template,
    renderers: BTreeMap<ClassId, Renderer>,
    pacing: Pacing,
    /// Renderers that were started, by this broker and those before.
    starts: u64,
    endings: Endings,
    news: Vec<News>,
    started: Instant,
}

impl Supervisor {
    /// Starts glass and template at the first [turn](Supervisor::turn).
    #[must_use]
    pub fn new(launcher: Box<dyn Launch>, output: OutputOption) -> Supervisor {
        let now = Instant::now();
        let glass = [Source::Glass, Source::GlassProcess];
        Supervisor {
            launcher,
            classes: Classes::default(),
            glass: Single::new("glass", Role::Glass(output), glass, now),
            template: Template::new(now),
            renderers: BTreeMap::new(),
            pacing: Pacing::default(),
            starts: 0,
            endings: Endings::default(),
            news: Vec::new(),
            started: now,
        }
    }

    /// Before any client comes: who shares a renderer, and how many renderers the brokers before started.
    pub fn set_up(&mut self, isolation: Isolation, starts: u64) {
        debug_assert!(self.renderers.is_empty(), "classes would be others");
        self.classes = Classes::new(isolation);
        self.starts = starts;
    }

    /// Glass and template were ready in the life of a broker before: the server is not given up if they are not now.
    pub fn were_ready(&mut self) {
        self.glass.assume_ready();
        self.template.single.assume_ready();
    }

    /// What happened since the last call.
    pub fn take_news(&mut self) -> Vec<News> {
        std::mem::take(&mut self.news)
    }

    /// Can clients come and be seen?
    #[must_use]
    pub fn is_ready(&self) -> bool {
        self.glass.is_ready() && (self.template.makes() == Makes::Copies || self.template.single.is_spent())
    }

    /// Renderers that were started.
    #[must_use]
    pub fn starts(&self) -> u64 {
        self.starts
    }

    /// OpenGL's version and renderer strings, if they are known.
    #[must_use]
    pub fn gl(&self) -> Option<&str> {
        self.template.gl()
    }

    /// The glass's process.
    #[must_use]
    pub fn glass_pid(&self) -> Option<i32> {
        self.glass.pid()
    }

    /// The template's process.
    #[must_use]
    pub fn template_pid(&self) -> Option<i32> {
        self.template.single.pid()
    }

    /// The class of a client that is run.
    #[must_use]
    pub fn class_of(&self, client: ClientId) -> Option<ClassId> {
        self.classes.of(client)
    }

    /// The renderers.
    #[must_use]
    pub fn renderers(&self, registry: &Registry) -> Vec<RendererState> {
        let describe = |(&class, renderer): (&ClassId, &Renderer)| {
            let clients = self.classes.members(class).filter_map(|id| registry.client(id));
            RendererState {
                class,
                names: clients.map(|client| client.info.name.clone()).collect(),
                pid: renderer.pid(),
                starts: renderer.starts,
                nice: match &renderer.life {
                    Life::Up(up) => up.nice,
                    Life::Waiting(_) | Life::Failed => 0,
                },
                state: renderer.state(),
                last_end: renderer.end.as_ref().map(|end| end.reason.clone()),
            }
        };
        self.renderers.iter().map(describe).collect()
    }

    // Clients

    /// A client is to be run and shown. `share`: of its renderer, if it is the first one of its class.
    pub fn add(&mut self, id: ClientId, share: Share, registry: &Registry, reactor: &mut Reactor) {
        let Some(client) = registry.active(id) else { return };
        let now = Instant::now();
        let (class, is_first) = self.classes.join(id, client.info.owner);
        if is_first {
            self.renderers.insert(class, Renderer::new(share, now));
        } else if let Some(renderer) = self.renderers.get_mut(&class) {
            renderer.try_again(now);
        }
        if let Some(glass) = self.glass.up() {
            let message = ToGlass::Client(client.shown(class));
            glass.line.introduce(About::Client(id), &message, &[], reactor);
        }
        self.introduce(class, id, registry, reactor);
    }

    /// A client is not to be run or shown any more.
    pub fn remove(&mut self, id: ClientId, reactor: &mut Reactor) {
        let Some((class, is_last)) = self.classes.leave(id) else { return };
        let now = Instant::now();
        if let Some(glass) = self.glass.up() {
            if glass.line.withdraw(About::Client(id)) {
                glass.line.send(&ToGlass::ClientGone { id }, &[], reactor);
            }
            if is_last {
                glass.line.withdraw(About::Note(class));
                if glass.line.withdraw(About::Renderer(class)) {
                    glass.line.send(&ToGlass::ClassGone { class }, &[], reactor);
                }
            }
        }
        if is_last {
            if let Some(Renderer { life: Life::Up(up), .. }) = self.renderers.remove(&class) {
                self.retire(class, *up, now, reactor);
            }
        } else if let Some(renderer) = self.renderers.get_mut(&class) {
            renderer.try_again(now);
            if let Some(up) = renderer.up() {
                up.line.withdraw(About::Port(id));
                if up.line.withdraw(About::Client(id)) {
                    up.line.send(&ToRenderer::ClientGone { id }, &[], reactor);
                }
            }
        }
    }

    /// A client's serial port is another one.
    pub fn port(&mut self, id: ClientId, registry: &Registry, reactor: &mut Reactor) {
        let Some(class) = self.classes.of(id) else { return };
        let (Some(port), Some(up)) =
            (registry.port(id), self.renderers.get_mut(&class).and_then(Renderer::up))
        else {
            return;
        };
        up.line.introduce(About::Port(id), &ToRenderer::Port { id }, &[port], reactor);
    }

    /// Hands a client to its renderer. Without one: the next one gets all clients of its class.
    fn introduce(&mut self, class: ClassId, id: ClientId, registry: &Registry, reactor: &mut Reactor) {
        let Some(up) = self.renderers.get_mut(&class).and_then(Renderer::up) else { return };
        let Some(client) = registry.client(id) else { return };
        let message = ToRenderer::Client(client.info.clone());
        let introduced =
            client.shared.with_parts(|parts| up.line.introduce(About::Client(id), &message, parts, reactor));
        match introduced {
            Ok(()) => self.port(id, registry, reactor),
            Err(error) => {
                log::error!("client {id} can't be shown: {error}");
                self.news.push(News::Unfit { client: id, reason: error.to_string() });
            }
        }
    }

    // Commands

    /// Passes a command to the glass. False: there is none now.
    pub fn command(&mut self, serial: u64, command: Command, reactor: &mut Reactor) -> bool {
        let Some(glass) = self.glass.up() else { return false };
        glass.line.send(&ToGlass::Command { serial, command }, &[], reactor);
        true
    }

    /// Asks all renderers. Those that were asked, and why others were not.
    pub fn ask(
        &mut self,
        serial: u64,
        question: Question,
        reactor: &mut Reactor,
    ) -> Vec<(ClassId, Result<(), String>)> {
        let mut asked = Vec::new();
        for (&class, renderer) in &mut self.renderers {
            // One that does not live says nothing; its state says why.
            let Some(up) = renderer.up() else { continue };
            asked.push((
                class,
                if up.answers() {
                    up.asked(serial);
                    up.line.send(&ToRenderer::Ask { serial, question }, &[], reactor);
                    Ok(())
                } else {
                    Err("it does not answer".to_owned())
                },
            ));
        }
        asked
    }

    /// Nobody waits for the answers to a question any more.
    pub fn give_up(&mut self, serial: u64) {
        for renderer in self.renderers.values_mut() {
            if let Some(up) = renderer.up() {
                up.give_up(serial);
            }
        }
    }

    /// A renderer said something that makes no sense.
    pub fn complain(&mut self, class: ClassId, what: &str) {
        self.fault(class, &Fault::new(what));
    }

    // Time

    /// When [`Supervisor::turn`] is to be called.
    #[must_use]
    pub fn due(&self) -> Option<Instant> {
        let can_start = self.can_start();
        let renderers = self.renderers.values().filter_map(|renderer| match &renderer.life {
            Life::Waiting(due) => can_start.then_some(*due),
            Life::Failed => None,
            Life::Up(up) => {
                let fork = up.watch.is_none().then(|| up.since + FORK_TIME);
                let ready = (!up.ready && up.blame.is_none()).then(|| up.since + READY_TIME);
                let recycle = renderer.recycle.then(|| recycle_due(renderer, up.since));
                [up.line.due(), fork, ready, recycle].into_iter().flatten().min()
            }
        });
        let others = [self.glass.due(), self.template.single.due(), self.endings.due()];
        renderers.chain(others.into_iter().flatten()).min()
    }

    /// Does what is due.
    pub fn turn(&mut self, now: Instant, registry: &Registry, reactor: &mut Reactor) {
        match self.glass.turn(now, &mut *self.launcher, reactor) {
            Ok(true) => self.glass_started(registry, reactor),
            Ok(false) => {}
            Err(error) => self.news.push(News::Hopeless(Hopeless::Start("glass", error))),
        }
        match self.template.single.turn(now, &mut *self.launcher, reactor) {
            Ok(_) => {}
            Err(error) => self.news.push(News::Hopeless(Hopeless::Start("template", error))),
        }
        let classes: Vec<ClassId> = self.renderers.keys().copied().collect();
        for class in classes {
            self.renderer_turn(class, now, registry, reactor);
        }
        self.endings.turn(now);
    }

    fn renderer_turn(&mut self, class: ClassId, now: Instant, registry: &Registry, reactor: &mut Reactor) {
        let can_start = self.can_start();
        let Some(renderer) = self.renderers.get_mut(&class) else { return };
        let recycle_due = match &renderer.life {
            Life::Up(up) => renderer.recycle && recycle_due(renderer, up.since) <= now,
            Life::Waiting(_) | Life::Failed => false,
        };
        match &mut renderer.life {
            Life::Waiting(due) if *due <= now && can_start => {
                let owner = self.classes.members(class).find_map(|id| registry.client(id));
                if !std::mem::replace(&mut renderer.is_paced, true)
                    && let Some(owner) = owner.map(|client| client.info.owner)
                {
                    *due = self.pacing.next(owner, now);
                }
                if *due <= now {
                    self.start(class, now, registry, reactor);
                }
            }
            Life::Waiting(_) | Life::Failed => {}
            Life::Up(up) => {
                up.line.turn(now, reactor);
                let broken = up.line.broken().map(str::to_owned);
                if let Some(why) = broken {
                    // A renderer that ends closes its socket first: then the status says more.
                    if up.watch.is_some() && up.blame.is_none() && why != line::CLOSED {
                        log::error!("the renderer of class {class} is killed: {why}");
                        up.blame = Some(why);
                    }
                    if let Some(watch) = &up.watch {
                        watch.process.kill();
                    }
                } else if recycle_due {
                    up.is_recycled = true;
                    (renderer.recycle, renderer.recycled) = (false, Some(now));
                    up.kill("has its priority back");
                } else if !up.ready && up.blame.is_none() && up.since + READY_TIME <= now {
                    up.kill(&format!("was not ready within {} s", READY_TIME.as_secs()));
                } else if up.watch.is_none() && up.since + FORK_TIME <= now {
                    log::error!("the template is killed: it makes no copies");
                    up.since = now;
                    if let Some(template) = self.template.single.up() {
                        template.watch.process.kill();
                    }
                }
            }
        }
        self.note(class, reactor);
    }

    /// Are there a glass to connect renderers to, and a way to make them?
    fn can_start(&self) -> bool {
        self.glass.is_up() && self.template.makes() != Makes::Nothing
    }

    // Starting

    fn start(&mut self, class: ClassId, now: Instant, registry: &Registry, reactor: &mut Reactor) {
        match self.make(class, now, reactor) {
            Ok(up) => {
                self.starts += 1;
                if let Some(renderer) = self.renderers.get_mut(&class) {
                    renderer.starts += 1;
                    (renderer.late, renderer.recycle) = (false, false);
                    renderer.life = Life::Up(Box::new(up));
                }
                self.connect(class, reactor);
                let members: Vec<ClientId> = self.classes.members(class).collect();
                for id in members {
                    self.introduce(class, id, registry, reactor);
                }
                self.news.push(News::Progress);
            }
            Err(error) => {
                self.end_life(class, End::before(format!("can't be started: {error}")), true, now);
            }
        }
    }

    fn make(&mut self, class: ClassId, now: Instant, reactor: &mut Reactor) -> std::io::Result<Up> {
        let life = self.starts + 1;
        let share = self.renderers.get(&class).map_or(Share { memory: 0 }, |renderer| renderer.share);
        let (watch, line) = match self.template.makes() {
            Makes::Copies => {
                let ours = self.template.ask(class, life, share, reactor)?;
                (None, Line::open(ours, Source::Renderer(class), reactor)?)
            }
            Makes::Programs | Makes::Nothing => {
                let sources = [Source::Renderer(class), Source::RendererProcess(class)];
                let Worker { watch, line } =
                    Worker::start(&mut *self.launcher, Role::Renderer(share), sources, reactor)?;
                log::info!("renderer {life}, of class {class}, starts, process {}", watch.process.pid());
                (Some(watch), line)
            }
        };
        Ok(Up::new(life, self.template.single.generation(), watch, line, now))
    }

    /// Connects a renderer and the glass.
    fn connect(&mut self, class: ClassId, reactor: &mut Reactor) {
        let (Some(glass), Some(up)) =
            (self.glass.up(), self.renderers.get_mut(&class).and_then(Renderer::up))
        else {
            return;
        };
        match pair() {
            Ok((renderers, glasses)) => {
                up.line.introduce(About::Glass, &ToRenderer::Glass, &[renderers.as_fd()], reactor);
                let message = ToGlass::Renderer { class, life: up.life };
                glass.line.introduce(About::Renderer(class), &message, &[glasses.as_fd()], reactor);
            }
            Err(error) => up.kill(&format!("can't be connected: {error}")),
        }
    }

    /// The new glass hears of all clients, then of all renderers.
    fn glass_started(&mut self, registry: &Registry, reactor: &mut Reactor) {
        let clients: Vec<(ClientId, ClassId)> = self.classes.all().collect();
        if let Some(glass) = self.glass.up() {
            for (id, class) in clients {
                if let Some(client) = registry.client(id) {
                    let message = ToGlass::Client(client.shown(class));
                    glass.line.introduce(About::Client(id), &message, &[], reactor);
                }
            }
        }
        let classes: Vec<ClassId> = self.renderers.keys().copied().collect();
        for class in classes {
            self.connect(class, reactor);
            if let Some(renderer) = self.renderers.get_mut(&class) {
                renderer.note = None;
            }
            // The new glass judges anew who is late.
            self.pace(class, false, reactor);
            self.note(class, reactor);
        }
    }

    /// Tells the glass what people are to know of a class, if that is something else than before.
    fn note(&mut self, class: ClassId, reactor: &mut Reactor) {
        let (Some(glass), Some(renderer)) = (self.glass.up(), self.renderers.get_mut(&class)) else { return };
        let note = renderer.due_note();
        if note != renderer.note {
            let message = ToGlass::Note { class, note: note.clone() };
            glass.line.introduce(About::Note(class), &message, &[], reactor);
            renderer.note = note;
        }
    }

    // Ending

    /// A renderer that nobody needs any more is to end by itself.
    fn retire(&mut self, class: ClassId, up: Up, now: Instant, reactor: &mut Reactor) {
        for serial in up.open_questions() {
            self.news.push(News::Told { serial, class, answer: Err("its clients are gone".to_owned()) });
        }
        up.line.close(reactor);
        if let Some(watch) = up.watch {
            self.endings.add(watch, now, reactor);
        }
    }

    /// Ends all processes: hangs up, and kills those that take too long.
    pub fn end(mut self, reactor: &mut Reactor) {
        let mut processes: Vec<Process> = Vec::new();
        for (_, renderer) in std::mem::take(&mut self.renderers) {
            if let Life::Up(up) = renderer.life {
                up.line.close(reactor);
                processes.extend(up.watch.map(|watch| watch.process));
            }
        }
        for single in [&mut self.glass, &mut self.template.single] {
            if let Some(worker) = single.spend() {
                worker.line.close(reactor);
                processes.push(worker.watch.process);
            }
        }
        processes.extend(self.endings.take());
        let end = Instant::now() + END_TIME;
        for process in processes {
            process.end_by(end);
        }
    }

    // Events

    /// One of the processes has something.
    pub fn event(&mut self, source: Source, flags: EventFlags, reactor: &mut Reactor) {
        match source {
            Source::Glass => {
                if let Some(glass) = self.glass.up() {
                    glass.line.event(flags, reactor);
                }
                self.glass_messages(MESSAGES_A_TURN, reactor);
            }
            Source::GlassProcess => self.glass_died(reactor),
            Source::Template => {
                if let Some(template) = self.template.single.up() {
                    template.line.event(flags, reactor);
                }
                self.template_messages(MESSAGES_A_TURN, reactor);
            }
            Source::TemplateProcess => self.template_died(reactor),
            Source::Renderer(class) => {
                if let Some(up) = self.renderers.get_mut(&class).and_then(Renderer::up) {
                    up.line.event(flags, reactor);
                }
                self.renderer_messages(class, MESSAGES_A_TURN, reactor);
            }
            Source::RendererProcess(class) => self.renderer_died(class, reactor),
            Source::Ending => self.endings.event(reactor),
            Source::Signals
            | Source::ControlDoor
            | Source::Control(_)
            | Source::Keeper
            | Source::LocalDoor
            | Source::Newcomer(_)
            | Source::Client(_)
            | Source::DeviceDoor(_)
            | Source::PortDoor(_)
            | Source::Port(_)
            | Source::Xen => {}
        }
    }

    /// Nanoseconds since the start, for throttles.
    fn time(&self) -> u64 {
        u64::try_from(self.started.elapsed().as_nanos()).unwrap_or(u64::MAX)
    }

    // The glass

    fn glass_messages(&mut self, limit: usize, reactor: &mut Reactor) {
        for _ in 0..limit {
            let Some(glass) = self.glass.up() else { return };
            let fault = match glass.line.receive(reactor) {
                Heard::Nothing => return,
                Heard::Garbage(why) => why,
                Heard::Message(bytes, fds) => match serde_json::from_slice(&bytes) {
                    Ok(message) => match self.glass_message(message, fds, reactor) {
                        Ok(()) => continue,
                        Err(why) => why,
                    },
                    Err(error) => format!("a message makes no sense: {error}"),
                },
            };
            let time = self.time();
            self.glass.fault(&fault, time);
        }
    }

    fn glass_message(
        &mut self,
        message: FromGlass,
        fds: Vec<OwnedFd>,
        reactor: &mut Reactor,
    ) -> Result<(), String> {
        match message {
            FromGlass::Ready { output } => {
                log::info!("the glass is ready: {}", excerpt(&output));
                self.glass.is_ready_now();
                self.news.push(News::Progress);
            }
            FromGlass::Reply { serial, result } => {
                self.news.push(News::Reply { serial, answer: result, fds });
            }
            FromGlass::Placed { client, windows } => self.news.push(News::Placed { client, windows }),
            FromGlass::Pace { class, life, late } => {
                if self.is_in(class, life) {
                    self.pace(class, late, reactor);
                }
            }
            FromGlass::Misbehaved { class, life, reason } => {
                if self.is_in(class, life) {
                    self.fault(class, &Fault::fatal(reason));
                }
            }
            FromGlass::End { client } => self.news.push(News::End { client }),
            FromGlass::Quit => {
                log::info!("the user closed the output");
                self.news.push(News::Quit);
            }
        }
        Ok(())
    }

    fn glass_died(&mut self, reactor: &mut Reactor) {
        self.glass_messages(LAST_MESSAGES, reactor);
        match self.glass.died(Instant::now(), reactor) {
            None => {}
            Some(is_hopeless) => {
                self.news.push(News::GlassDied);
                if is_hopeless {
                    self.news.push(News::Hopeless(Hopeless::NoOutput(MAX_FIRST_DEATHS)));
                }
            }
        }
    }

    /// A renderer misses its frames, or keeps them again: whoever misses them has the lowest priority, so that others keep theirs.
    fn pace(&mut self, class: ClassId, late: bool, reactor: &mut Reactor) {
        let Some(renderer) = self.renderers.get_mut(&class) else { return };
        let Life::Up(up) = &mut renderer.life else { return };
        renderer.late = late;
        let nice = if late { LATE_NICE } else { 0 };
        if nice != up.nice
            && let Some(watch) = &up.watch
        {
            match watch.process.set_nice(nice) {
                Ok(()) => {
                    up.nice = nice;
                    renderer.recycle = false;
                }
                Err(Errno::ACCESS | Errno::PERM) if !late => renderer.recycle = true,
                Err(error) => log::error!("the renderer of class {class} keeps its priority: {error}"),
            }
        } else {
            renderer.recycle = false;
        }
        self.note(class, reactor);
    }

    // The template

    fn template_messages(&mut self, limit: usize, reactor: &mut Reactor) {
        for _ in 0..limit {
            let Some(worker) = self.template.single.up() else { return };
            let heard = match worker.line.receive(reactor) {
                Heard::Nothing => return,
                Heard::Garbage(why) => Err(why),
                Heard::Message(bytes, fds) => serde_json::from_slice(&bytes)
                    .map_err(|error| format!("a message makes no sense: {error}"))
                    .and_then(|message| self.template.hear(message, fds)),
            };
            match heard {
                Ok(said) => self.template_said(said, reactor),
                Err(fault) => {
                    let time = self.time();
                    self.template.single.fault(&fault, time);
                }
            }
        }
    }

    fn template_said(&mut self, said: Said, reactor: &mut Reactor) {
        match said {
            Said::Ready { forks } => {
                if !forks && let Some(worker) = self.template.single.spend() {
                    worker.line.close(reactor);
                    self.endings.add(worker.watch, Instant::now(), reactor);
                }
                self.news.push(News::Progress);
            }
            Said::Copy { class, life, process } => self.copied(class, life, process, reactor),
            Said::NoCopy { class, life, reason } => {
                if let Some(up) = self.take_up(class, life) {
                    up.line.close(reactor);
                    let end = End::before(format!("can't be started: {reason}"));
                    self.end_life(class, end, true, Instant::now());
                }
            }
            Said::Ended { pid, status } => self.ended(pid, &status, reactor),
        }
    }

    /// Is this the renderer of the class? What the glass says of one before came late.
    fn is_in(&mut self, class: ClassId, life: u64) -> bool {
        self.renderers.get_mut(&class).and_then(Renderer::up).is_some_and(|up| up.life == life)
    }

    /// Takes a renderer that is in this life.
    fn take_up(&mut self, class: ClassId, life: u64) -> Option<Up> {
        let renderer = self.renderers.get_mut(&class)?;
        match &renderer.life {
            Life::Up(up) if up.life == life => {}
            Life::Up(_) | Life::Waiting(_) | Life::Failed => return None,
        }
        match std::mem::replace(&mut renderer.life, Life::Waiting(Instant::now())) {
            Life::Up(up) => Some(*up),
            Life::Waiting(_) | Life::Failed => None,
        }
    }

    /// A copy is there.
    fn copied(&mut self, class: ClassId, life: u64, process: Process, reactor: &mut Reactor) {
        let now = Instant::now();
        let pid = process.pid();
        let watch = match Watch::new(process, Source::RendererProcess(class), reactor) {
            Ok(watch) => watch,
            Err(error) => return log::error!("process {pid} can't be watched: {error}"),
        };
        let up = self.renderers.get_mut(&class).and_then(Renderer::up).filter(|up| up.life == life);
        match up {
            Some(up) if up.watch.is_none() => {
                log::info!("renderer {life}, of class {class}, is process {pid}");
                if up.blame.is_some() {
                    watch.process.kill();
                }
                up.watch = Some(watch);
            }
            // Its class is gone, and so is the other end of its socket.
            Some(_) | None => self.endings.add(watch, now, reactor),
        }
    }

    /// A copy ended: how, tells the template; when, the descriptor of the process.
    fn ended(&mut self, pid: i32, status: &str, reactor: &mut Reactor) {
        let mut known = None;
        for (&class, renderer) in &mut self.renderers {
            if renderer.pid() == Some(pid) {
                if let Some(up) = renderer.up() {
                    up.status = Some(status.to_owned());
                }
            } else if let Some(end) = renderer.end.as_mut().filter(|end| end.pid == Some(pid) && end.is_guess)
            {
                (end.reason, end.is_guess) = (reason(status), false);
                known = Some((class, end.reason.clone()));
                if is_forgiven(end.age, status) {
                    renderer.forgive(Instant::now());
                }
            }
        }
        if let Some((class, reason)) = known {
            self.log_end(class, &format!("the renderer of class {class}: {reason}"));
            self.note(class, reactor);
        }
    }

    fn template_died(&mut self, reactor: &mut Reactor) {
        self.template_messages(LAST_MESSAGES, reactor);
        let Some(is_hopeless) = self.template.single.died(Instant::now(), reactor) else { return };
        if is_hopeless {
            self.news.push(News::Hopeless(Hopeless::NoGl(MAX_FIRST_DEATHS)));
        }
        let now = Instant::now();
        let asked: Vec<(ClassId, u64)> = self.template.take_asked().collect();
        for (class, life) in asked {
            // What it was asked for never comes.
            let is_waiting =
                self.renderers.get_mut(&class).and_then(Renderer::up).is_some_and(|up| up.watch.is_none());
            if is_waiting && let Some(up) = self.take_up(class, life) {
                self.told_never(class, &up);
                up.line.close(reactor);
                self.end_life(class, End::before("the template died".to_owned()), false, now);
            }
        }
    }

    // Renderers

    fn renderer_messages(&mut self, class: ClassId, limit: usize, reactor: &mut Reactor) {
        for _ in 0..limit {
            let Some(up) = self.renderers.get_mut(&class).and_then(Renderer::up) else { return };
            let heard = up.line.receive(reactor);
            if up.blame.is_some() {
                // Nothing more is believed of it.
                return;
            }
            let fault = match heard {
                Heard::Nothing => return,
                Heard::Garbage(why) => Fault::new(why),
                Heard::Message(bytes, _) if bytes.len() > MAX_RENDERER_MESSAGE => {
                    Fault::fatal(format!("it sends a message of {} bytes", bytes.len()))
                }
                Heard::Message(bytes, _) => match serde_json::from_slice(&bytes) {
                    Ok(message) => match self.renderer_message(class, message) {
                        Ok(()) => continue,
                        Err(fault) => fault,
                    },
                    Err(error) => Fault::new(format!("it sends a message that makes no sense: {error}")),
                },
            };
            self.fault(class, &fault);
        }
    }

    fn renderer_message(&mut self, class: ClassId, message: ToBroker) -> Result<(), Fault> {
        let Some(up) = self.renderers.get_mut(&class).and_then(Renderer::up) else { return Ok(()) };
        match message {
            ToBroker::Ready { gl } => {
                if std::mem::replace(&mut up.ready, true) {
                    return Err(Fault::new("it is ready twice"));
                }
                self.template.learn_gl(&gl);
                self.news.push(News::Progress);
            }
            ToBroker::Part { serial, text, last } => {
                if let Some(answer) = up.part(serial, &text, last)? {
                    self.news.push(News::Told { serial, class, answer });
                }
            }
            ToBroker::Unfit { client, reason } => {
                if self.classes.of(client) == Some(class) {
                    self.news.push(News::Unfit { client, reason: excerpt(&reason) });
                } else if self.classes.of(client).is_some() {
                    return Err(Fault::new(format!("it speaks of client {client}, which is another's")));
                }
                // Else the client has just gone: the renderer does not know yet.
            }
        }
        Ok(())
    }

    /// A renderer broke a rule.
    fn fault(&mut self, class: ClassId, fault: &Fault) {
        let time = self.time();
        let Some(renderer) = self.renderers.get_mut(&class) else { return };
        renderer.fault(fault);
        let text = format_args!("the renderer of class {class}: {}", excerpt(&fault.what));
        warnings::warn(&mut renderer.faults, time, "a renderer", text);
    }

    /// Writes how a renderer ended to the log.
    fn log_end(&mut self, class: ClassId, text: &str) {
        let time = self.time();
        if let Some(renderer) = self.renderers.get_mut(&class) {
            warnings::warn(&mut renderer.ends, time, "ends of a renderer", format_args!("{text}"));
        }
    }

    fn renderer_died(&mut self, class: ClassId, reactor: &mut Reactor) {
        self.renderer_messages(class, MESSAGES_A_TURN, reactor);
        let now = Instant::now();
        let is_dead = |up: &Up| up.watch.as_ref().is_some_and(|watch| watch.process.is_dead());
        let life =
            self.renderers.get_mut(&class).and_then(Renderer::up).filter(|up| is_dead(up)).map(|up| up.life);
        let Some(mut up) = life.and_then(|life| self.take_up(class, life)) else { return };
        self.told_never(class, &up);
        let Some(mut watch) = up.watch.take() else { return };
        let process = &mut watch.process;
        let (pid, age, is_copy) = (process.pid(), process.age(), !process.is_child());
        let status = process.status().or(up.status);
        let is_its_own = !up.is_recycled && (!is_copy || self.template.single.lives(up.template));
        let (reason, is_guess) = match (&up.blame, &status) {
            (Some(blame), _) => (blame.clone(), false),
            (None, Some(status)) => (reason(status), false),
            (None, None) if !is_its_own => ("died with the template".to_owned(), false),
            (None, None) => ("it died".to_owned(), true),
        };
        let end = End { pid: Some(pid), reason, is_guess, age };
        let is_forgiven = up.blame.is_none() && status.is_some_and(|status| is_forgiven(age, &status));
        up.line.close(reactor);
        watch.bury(reactor);
        self.end_life(class, end, is_its_own, now);
        if is_forgiven && let Some(renderer) = self.renderers.get_mut(&class) {
            renderer.forgive(now);
        }
        self.note(class, reactor);
    }

    /// Nobody may wait for what it was asked.
    fn told_never(&mut self, class: ClassId, up: &Up) {
        for serial in up.open_questions() {
            self.news.push(News::Told { serial, class, answer: Err("it died".to_owned()) });
        }
    }

    fn end_life(&mut self, class: ClassId, end: End, is_its_own: bool, now: Instant) {
        let age = end.age;
        let Some(renderer) = self.renderers.get_mut(&class) else { return };
        let what = renderer.died(end, is_its_own, now);
        self.log_end(class, &format!("the renderer of class {class} after {age:?}: {what}"));
    }
}

/// When a renderer is ended to have its priority back.
fn recycle_due(renderer: &Renderer, since: Instant) -> Instant {
    renderer.recycled.map_or(since, |last| last + RECYCLE_PAUSE)
}
