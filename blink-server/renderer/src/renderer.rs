//! The renderer without sockets and clocks of its own: clients, windows and frames, so that tests can drive it at any time
//! they like.

use super::client::{Client, Context};
use super::doorbell::Doorbell;
use super::views::{Sight, Surface, Views};
use super::wake::Wake;
use super::window::{Damage, Window};
use blinkgl::layout::EventKind;
use blinkgl::shm::Shm;
use gl::{Resources, Tracker};
use ipc::glass::{Drawn, FromRenderer, ToDraw};
use ipc::samples::Samples;
use ipc::{ClientId, ClientInfo, WindowId};
use jit::{CompileQueue, ProgramCache};
use rustix::fd::{AsFd, BorrowedFd, OwnedFd};
use std::collections::BTreeMap;

/// A frame, as the glass asked for it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Frame {
    /// Counts frames of the glass.
    pub number: u64,
    /// When it will be seen, nanoseconds of the monotonic clock.
    pub presentation: u64,
    /// Nanoseconds from frame to frame.
    pub refresh: u64,
}

impl Frame {
    /// The interval of length `refresh` that a time lies in: frames of one interval share what a frame may cost.
    #[must_use]
    pub fn tick(&self, now: u64) -> u64 {
        now / self.refresh.max(1)
    }
}

/// What is to be told to the glass.
#[derive(Debug, Default)]
pub(super) struct Outbox {
    messages: Vec<FromRenderer>,
    /// The glass knows that a frame is wanted, and has not sent it yet.
    has_asked: bool,
    /// What the frame that is being made has drawn.
    pub(super) drawn: Vec<Drawn>,
}

impl Outbox {
    pub(super) fn put(&mut self, message: FromRenderer) {
        self.messages.push(message);
    }
}

/// Turns of runs that take long.
#[derive(Debug, Default)]
pub(super) struct Turns {
    /// The client that had the last slice for suspended runs.
    pub(super) last: Option<ClientId>,
    /// Nanoseconds from the end of a slice to the run's stop.
    pub(super) lateness: Samples,
}

/// Programs: verified and lowered ones, and those that are being compiled.
#[derive(Debug)]
pub(super) struct Programs {
    pub(super) cache: ProgramCache,
    pub(super) compile: CompileQueue,
}

/// See the [module](self).
#[derive(Debug)]
pub struct Renderer {
    pub(super) tracker: Tracker,
    pub(super) resources: Resources,
    pub(super) programs: Programs,
    pub(super) clients: BTreeMap<ClientId, Client>,
    pub(super) views: Views,
    pub(super) outbox: Outbox,
    pub(super) turns: Turns,
    /// The last one.
    pub(super) frame: Frame,
    /// Something is to be scanned, run or drawn.
    pub(super) pending: bool,
}

impl Renderer {
    /// A renderer that draws by this tracker. `refresh`: nanoseconds from frame to frame, until the glass says.
    #[must_use]
    pub fn new(tracker: Tracker, refresh: u64) -> Renderer {
        let programs = Programs { cache: ProgramCache::default(), compile: CompileQueue::new(1) };
        Renderer::with(tracker, programs, refresh)
    }

    fn with(tracker: Tracker, programs: Programs, refresh: u64) -> Renderer {
        Renderer {
            tracker,
            resources: Resources::default(),
            programs,
            clients: BTreeMap::new(),
            views: Views::default(),
            outbox: Outbox::default(),
            turns: Turns::default(),
            frame: Frame { refresh: refresh.max(1), ..Frame::default() },
            pending: false,
        }
    }

    /// The same for a process that can't start threads later.
    #[must_use]
    pub fn staffed(tracker: Tracker, refresh: u64) -> Renderer {
        let programs = Programs { cache: ProgramCache::default(), compile: CompileQueue::staffed(1) };
        Renderer::with(tracker, programs, refresh)
    }

    // ---- Clients ---------------------------------------------------------------------------

    /// A client came. `memory` is its aperture.
    pub fn add_client(
        &mut self,
        info: ClientInfo,
        memory: Shm,
        doorbell: Option<Doorbell>,
        wake: Option<Wake>,
    ) {
        self.clients.insert(info.id, Client::new(info, memory, doorbell, wake));
        self.pending = true;
    }

    /// A client can be woken by this socket too.
    pub fn add_port(&mut self, id: ClientId, port: OwnedFd) {
        if let Some(wake) = self.clients.get_mut(&id).and_then(|client| client.wake.as_mut()) {
            wake.add_port(port);
        }
    }

    /// A client went: everything of it goes.
    pub fn remove_client(&mut self, id: ClientId) {
        let Some(mut client) = self.clients.remove(&id) else { return };
        self.programs.compile.forget(id.0);
        self.tracker.forget_client(id.0);
        for (index, context) in std::mem::take(&mut client.contexts) {
            self.drop_context(id, index, context);
        }
    }

    /// A client's doorbell was heard.
    pub fn heard(&mut self, id: ClientId) {
        if let Some(doorbell) = self.clients.get(&id).and_then(|client| client.doorbell.as_ref()) {
            doorbell.heard();
        }
        self.rang(id);
    }

    /// A client rang its doorbell: it is scanned before the next frame.
    pub fn rang(&mut self, id: ClientId) {
        if let Some(client) = self.clients.get_mut(&id) {
            client.rang = true;
            self.pending = true;
        }
    }

    /// A client's doorbell.
    #[must_use]
    pub fn doorbell(&self, id: ClientId) -> Option<BorrowedFd<'_>> {
        self.clients.get(&id)?.doorbell.as_ref().map(AsFd::as_fd)
    }

    /// Wakes the clients that have events.
    pub fn wake_clients(&mut self) {
        for client in self.clients.values_mut() {
            client.wake();
        }
    }

    // ---- The glass -------------------------------------------------------------------------

    /// The glass says something; a descriptor may come with it. A frame is made at once.
    pub fn hear(&mut self, message: ToDraw, memory: Option<OwnedFd>, now: u64) {
        match message {
            ToDraw::Buffer { window, serial, width, height } => {
                self.take_buffer(window, memory, (serial, width, height));
            }
            ToDraw::Place { window, content, visible, focus } => {
                self.place(window, content, visible, focus, now);
            }
            ToDraw::Frame { number, presentation, refresh } => {
                let refresh = refresh.max(1);
                // A multiple of the interval, whatever began the frame: a client's times say nothing of when others drew.
                let presentation = presentation / refresh * refresh;
                self.make_frame(Frame { number, presentation, refresh }, now);
            }
            ToDraw::Presented { number: _, time, windows } => self.presented(time, &windows, now),
            ToDraw::Input { window, event, x, y, buttons } => {
                self.input(window, event, (x, y), buttons, now);
            }
            ToDraw::Close { window } => self.event(window, EventKind::Close, now, [0; 4]),
        }
        self.wake_clients();
    }

    fn take_buffer(
        &mut self,
        id: WindowId,
        memory: Option<OwnedFd>,
        (serial, width, height): (u32, u32, u32),
    ) {
        let Some(memory) = memory else {
            log::error!("the glass sent no memory for window {id}");
            return;
        };
        // The window may be gone: the glass does not know yet.
        if self.window(id).is_none() {
            return;
        }
        match Surface::new(&memory, serial, width, height) {
            Ok(surface) => {
                let Some(view) = self.views.get_mut(id) else { return };
                view.surface = Some(surface);
                if let Some(window) = self.window_mut(id) {
                    window.damage = Damage::All;
                }
                self.pending = true;
            }
            Err(error) => log::error!("window {id}: its memory can't be used: {error}"),
        }
    }

    /// Another glass shows the windows: it is told of all of them.
    pub fn new_glass(&mut self) {
        self.views.clear();
        self.outbox = Outbox::default();
        let mut ids: Vec<(usize, WindowId)> = Vec::new();
        for (&client, known) in &mut self.clients {
            known.is_told = false;
            for (&context, of) in &known.contexts {
                for &oid in of.windows.keys() {
                    let depth = super::window::depth(of, oid);
                    ids.push((depth, WindowId { client, context, oid }));
                }
            }
        }
        // Parents before their children.
        ids.sort_unstable();
        for (_, id) in ids {
            if let Some(window) = self.window_mut(id) {
                window.redrawing = None;
                window.damage = Damage::All;
            }
            self.tell_window(id);
        }
        for client in self.clients.values_mut() {
            client.rang = true;
        }
        self.pending = true;
    }

    /// What is to be told to the glass. The last message asks for a frame, if one is wanted.
    pub fn take_messages(&mut self) -> Vec<FromRenderer> {
        if self.pending && !self.outbox.has_asked {
            self.outbox.has_asked = true;
            self.outbox.put(FromRenderer::Want);
        }
        std::mem::take(&mut self.outbox.messages)
    }

    /// Has it something to tell the glass?
    #[must_use]
    pub fn has_news(&self) -> bool {
        !self.outbox.messages.is_empty() || (self.pending && !self.outbox.has_asked)
    }

    /// Does it want a frame?
    #[must_use]
    pub fn wants_frame(&self) -> bool {
        self.pending
    }

    /// Makes a frame: scans who rang, runs what is due, draws what is damaged, and tells the glass what it drew.
    fn make_frame(&mut self, frame: Frame, now: u64) {
        self.frame = frame;
        self.pending = false;
        self.outbox.has_asked = false;
        self.scan(now);
        self.forget_slowness(now);
        self.prepare_all(now);
        self.draw_all(now);
        self.continue_runs(now);
        self.tracker.finish();
        self.hand_over(now);
        self.tend_compiler(now);
        self.pending |= self.is_animated();
        let drawn = std::mem::take(&mut self.outbox.drawn);
        self.outbox.has_asked = self.pending;
        self.outbox.put(FromRenderer::Done { number: frame.number, drawn, more: self.pending });
    }

    /// Does a window that can be seen want another frame?
    fn is_animated(&self) -> bool {
        self.views.sights().iter().any(|sight| {
            sight.visible && self.window(sight.id).is_some_and(|w| w.next_damage != Damage::None)
        })
    }

    /// A frame is on the output. Its number is the client's own count: the glass's would tell how often others are drawn.
    fn presented(&mut self, time: u64, windows: &[WindowId], now: u64) {
        let [time_low, time_high] = blinkgl::layout::split(time);
        for &id in windows {
            let frames = self.clients.get(&id.client).map_or(0, |client| client.frames);
            let [low, high] = blinkgl::layout::split(frames);
            self.event(id, EventKind::Presented, now, [low, high, time_low, time_high]);
        }
    }

    // ---- Access ----------------------------------------------------------------------------

    pub(super) fn context_mut(&mut self, client: ClientId, index: u32) -> Option<&mut Context> {
        self.clients.get_mut(&client)?.contexts.get_mut(&index)
    }

    pub(super) fn window(&self, id: WindowId) -> Option<&Window> {
        self.clients.get(&id.client)?.contexts.get(&id.context)?.windows.get(&id.oid)
    }

    pub(super) fn window_mut(&mut self, id: WindowId) -> Option<&mut Window> {
        self.context_mut(id.client, id.context)?.windows.get_mut(&id.oid)
    }

    /// All windows of a client.
    pub(super) fn windows_of(&self, client: ClientId) -> impl Iterator<Item = &Window> {
        let contexts = self.clients.get(&client).into_iter().flat_map(|c| c.contexts.values());
        contexts.flat_map(|context| context.windows.values())
    }

    pub(super) fn sight(&self, id: WindowId) -> Option<Sight> {
        self.views.sight(id)
    }

    pub(super) fn event(&mut self, id: WindowId, kind: EventKind, now: u64, words: [u32; 4]) {
        if let Some(context) = self.context_mut(id.client, id.context) {
            context.event(kind, id.oid, now, words);
        }
    }

    /// The tracker.
    pub fn tracker(&mut self) -> &mut Tracker {
        &mut self.tracker
    }

    /// The compile worker, for statistics.
    #[must_use]
    pub fn compile_queue(&self) -> &CompileQueue {
        &self.programs.compile
    }

    /// Counts what OpenGL was asked to do since the last call as a client's.
    pub(super) fn count_calls(&mut self, client: ClientId) {
        let counters = self.tracker.take_counters();
        if let Some(client) = self.clients.get_mut(&client) {
            client.stats.gl_draws += counters.draws;
            client.stats.gl_state_calls += counters.state_calls;
            client.stats.uploaded_bytes += counters.uploaded_bytes;
        }
    }
}
