//! The server: clients, windows and frames, without sockets, clocks or outputs of its own, so that
//! tests can drive it at any time they like.

use super::client::{Client, Consequence, Context, Procedure, Stored};
use super::crowd::Crowd;
use super::doorbell::Doorbell;
use super::known::{Kept, Known};
use super::pointer::Pointer;
use super::running::{Finished, Running, StateInSlice};
use super::scan::Texture;
use super::seat::Seat;
use super::stats::Samples;
use super::wake::Wake;
use super::window::{self, Damage, Published, Surroundings, Window};
use blinkgl::layout::{EventKind, ObjectError, PLACE_ANYWHERE, QuotaKind};
use blinkgl::limits::{EVENT_RING_ENTRIES, MAX_LIST_BYTES};
use blinkgl::ops::Callback;
use blinkgl::shm::Shm;
use gl::{Framebuffer, ResourceKey, Resources, Slice, StateOnly, Stride, Tracker};
use glass::{Plan, Stack, Style, View, plan, stack::confine};
use ipc::geometry::{Rect, Region};
use ipc::{ClientId, ClientInfo, Placement, WindowId};
use jit::{CompileQueue, Environment, Outcome, Program, ProgramCache, Stop};
use rustix::fd::{AsFd, BorrowedFd, OwnedFd};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

/// Where no window is.
pub(super) const BACKGROUND: [f32; 4] = [0.12, 0.13, 0.15, 1.0];
/// A window's content before it draws.
pub(super) const EMPTY: [f32; 4] = [0.0, 0.0, 0.0, 1.0];

/// The server.
#[derive(Debug)]
pub struct Server {
    pub(super) tracker: Tracker,
    pub(super) resources: Resources,
    /// What is on the output; kept from frame to frame.
    pub(super) screen: Framebuffer,
    /// The output: `0, 0, width, height`.
    pub(super) area: Rect,
    /// Nanoseconds from frame to frame.
    pub(super) refresh: u64,
    pub(super) clients: BTreeMap<ClientId, Client>,
    pub(super) stack: Stack,
    pub(super) seat: Seat,
    /// Pixels to be drawn anew.
    pub(super) dirty: Region,
    pub(super) compile: CompileQueue,
    /// All clients' programs.
    programs: ProgramCache,
    /// Frames made.
    pub(super) frame: u64,
    /// The refresh interval that the last frame was made in.
    last_tick: Option<u64>,
    /// Something asks for a frame.
    pending: bool,
    /// Where windows were in the renderer's last life.
    remembered: HashMap<WindowId, Placement>,
    /// Clients whose windows moved since [`Server::take_placements`].
    moved: BTreeSet<ClientId>,
    /// The pointer's picture, where a window gives one.
    pub(super) pointer: Option<Pointer>,
    /// What is known of clients that are gone.
    known: Known,
    /// Quick runs that take too long together.
    pub(super) crowd: Crowd,
    /// Clients of which a window became slow in this frame.
    pub(super) newly_slow: BTreeSet<ClientId>,
    /// The client that had the last slice for suspended runs.
    pub(super) last_turn: Option<ClientId>,
    /// Nanoseconds from the end of a slice to the run's stop.
    pub(super) lateness: Samples,
}

impl Server {
    /// A server for an output of this size.
    ///
    /// # Errors
    /// OpenGL refuses the framebuffer.
    pub fn new(mut tracker: Tracker, width: u32, height: u32, refresh: u64) -> Result<Server, gl::GlError> {
        let screen = tracker.create_framebuffer(width, height)?;
        let area = Rect::new(0, 0, width, height);
        Ok(Server {
            tracker,
            resources: Resources::default(),
            screen,
            area,
            refresh,
            clients: BTreeMap::new(),
            stack: Stack::default(),
            seat: Seat::default(),
            dirty: Region::from_rect(area),
            compile: CompileQueue::new(1),
            programs: ProgramCache::default(),
            frame: 0,
            last_tick: None,
            pending: true,
            remembered: HashMap::new(),
            moved: BTreeSet::new(),
            pointer: None,
            known: Known::default(),
            crowd: Crowd::default(),
            newly_slow: BTreeSet::new(),
            last_turn: None,
            lateness: Samples::default(),
        })
    }

    /// A client came. `memory` is its aperture.
    pub fn add_client(
        &mut self,
        info: ClientInfo,
        memory: Shm,
        doorbell: Option<Doorbell>,
        wake: Option<Wake>,
    ) {
        for placement in &info.placements {
            self.remembered.insert(placement.window, *placement);
        }
        let (id, owner) = (info.id, info.owner);
        let mut client = Client::new(info, memory, doorbell, wake);
        if let Some(kept) = self.known.recall(owner, self.frame_time()) {
            client.conduct = kept.conduct;
            self.compile.recall(id.0, kept.late_compiles);
            if let Some(shaders) = kept.shaders {
                self.tracker.recall_client(id.0, shaders);
            }
        }
        self.clients.insert(id, client);
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
        let kept = Kept {
            conduct: client.conduct.clone(),
            late_compiles: self.compile.forget(id.0),
            shaders: self.tracker.forget_client(id.0),
        };
        self.known.keep(client.info.owner, kept, self.frame_time());
        for (index, context) in std::mem::take(&mut client.contexts) {
            self.drop_context(id, index, context);
        }
        self.remembered.retain(|window, _| window.client != id);
        self.crowd.forget(id);
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

    /// When the next frame is due, in nanoseconds; `None`: nothing changes.
    #[must_use]
    pub fn next_frame(&self, now: u64) -> Option<u64> {
        if !self.pending {
            return None;
        }
        let earliest = self.last_tick.map_or(0, |tick| (tick + 1).saturating_mul(self.refresh));
        Some(earliest.max(now))
    }

    /// Asks for a frame that draws these pixels of the output.
    pub(super) fn damage_output(&mut self, rect: Rect) {
        self.dirty.add(rect.intersection(&self.area));
        self.pending = true;
    }

    /// Asks for a frame that draws what is damaged then.
    pub(super) fn ask_for_frame(&mut self) {
        self.pending = true;
    }

    /// Asks for a frame that draws everything.
    pub fn damage_all(&mut self) {
        self.dirty.add(self.area);
        self.pending = true;
    }

    /// What windows are where now, for clients whose windows moved, each a few times at once and then a few times a second: a
    /// client can move all its windows in each frame.
    pub fn take_placements(&mut self, now: u64) -> Vec<(ClientId, Vec<Placement>)> {
        let mut due = Vec::new();
        for id in std::mem::take(&mut self.moved) {
            let Some(client) = self.clients.get_mut(&id) else { continue };
            if client.places_from() <= now {
                client.placed(now);
                due.push(id);
            } else {
                self.moved.insert(id);
            }
        }
        due.into_iter().map(|id| (id, self.placements(id))).collect()
    }

    /// What [`Server::take_placements`] gave could not be told: it gives it again, or what is newer then.
    pub fn return_placements(&mut self, client: ClientId) {
        self.moved.insert(client);
    }

    /// From when on it has something to give, if it has.
    #[must_use]
    pub fn next_placements(&self) -> Option<u64> {
        self.moved.iter().filter_map(|id| self.clients.get(id)).map(Client::places_from).min()
    }

    fn placements(&self, client: ClientId) -> Vec<Placement> {
        let views = (0u32..).zip(self.stack.views()).filter(|(_, v)| v.id.client == client);
        views
            .map(|(stack, view)| Placement {
                window: view.id,
                x: view.content.x,
                y: view.content.y,
                width: view.content.width,
                height: view.content.height,
                stack,
                focus: self.stack.focus() == Some(view.id),
            })
            .collect()
    }

    /// Makes a frame: scans who rang, runs what is due, draws what is damaged. Gives what changed on
    /// the output, or `None` if nothing did.
    pub fn make_frame(&mut self, now: u64) -> Option<Region> {
        self.pending = false;
        let tick = now / self.refresh;
        self.last_tick = Some(tick);
        let presentation = (tick + 1).saturating_mul(self.refresh);
        self.scan_all(now);
        self.forget_slowness(now);
        self.prepare_all(presentation, now);
        self.move_pointer();
        self.collect_damage();
        let mut damage = if self.dirty.is_empty() { None } else { Some(self.draw(presentation, now)) };
        self.drop_old_buffers();
        self.continue_runs(presentation, now);
        let newly_slow = std::mem::take(&mut self.newly_slow);
        if !newly_slow.is_empty() && !self.dirty.is_empty() {
            let plan = self.draw_again(&newly_slow, presentation, now);
            let damage = damage.get_or_insert_default();
            plan.damage.rects().iter().for_each(|&rect| damage.add(rect));
        }
        self.tend_compiler(now);
        self.tell_clock(now, presentation);
        for client in self.clients.values_mut() {
            client.wake();
        }
        self.pending |= self.wants_frame();
        damage
    }

    /// Does a window that can be seen want another frame?
    fn wants_frame(&self) -> bool {
        self.stack.views().iter().any(|view| {
            self.window(view.id).is_some_and(|w| w.next_damage != Damage::None)
                && !self.stack.visible(view.id, &self.area).is_empty()
        })
    }

    fn tell_clock(&mut self, now: u64, presentation: u64) {
        for client in self.clients.values_mut() {
            for context in client.contexts.values_mut() {
                context.channel.clock(now, presentation, self.refresh, self.frame);
            }
        }
    }

    // ---- Scan ------------------------------------------------------------------------------

    fn scan_all(&mut self, now: u64) {
        let tick = self.tick(now);
        let rings = self.clients.values().filter(|c| c.rang);
        let (rang, resting): (Vec<&Client>, Vec<&Client>) = rings.partition(|c| c.scan_from <= tick);
        self.pending |= !resting.is_empty();
        let rang: Vec<ClientId> = rang.iter().map(|c| c.info.id).collect();
        for id in rang {
            self.scan_client(id, now);
        }
    }

    fn scan_client(&mut self, id: ClientId, now: u64) {
        let Some(client) = self.clients.get_mut(&id) else { return };
        client.rang = false;
        let cost = client.scan_cost();
        let dropped = client.read_directory(now);
        for (index, context) in dropped {
            self.drop_context(id, index, context);
        }
        let Some(client) = self.clients.get(&id) else { return };
        let indices: Vec<u32> = client.contexts.keys().copied().collect();
        for index in indices {
            // In the middle of a commit, a client rings again at its end: nothing is lost by waiting.
            let Server { clients, programs, .. } = self;
            let scanned = clients.get_mut(&id).and_then(|client| client.scan(index, programs, now));
            let mut consequences = scanned.unwrap_or_default();
            // Parents before their children, in whatever slots they are; what a window names before it.
            if let Some(context) = self.context_mut(id, index) {
                consequences.sort_by_key(|consequence| match consequence {
                    Consequence::Window(oid) => 1 + window::depth(context, *oid),
                    Consequence::WindowGone(_)
                    | Consequence::Procedure(_)
                    | Consequence::Texture(..)
                    | Consequence::TextureGone(_)
                    | Consequence::Buffer(..)
                    | Consequence::BufferGone(_)
                    | Consequence::Cursor(_) => 0,
                });
            }
            for consequence in consequences {
                self.apply(id, index, consequence, now);
            }
        }
        let tick = self.tick(now);
        if let Some(client) = self.clients.get_mut(&id) {
            client.rest(tick, client.scan_cost().saturating_sub(cost));
        }
    }

    fn apply(&mut self, client: ClientId, context: u32, consequence: Consequence, now: u64) {
        let key = |oid| ResourceKey { client: client.0, context, oid };
        match consequence {
            Consequence::Window(oid) => self.show(WindowId { client, context, oid }, now),
            Consequence::WindowGone(oid) => {
                let window = self.context_mut(client, context).and_then(|c| c.windows.remove(&oid));
                if let Some(window) = window {
                    self.unmap(WindowId { client, context, oid }, window);
                }
            }
            Consequence::Procedure(oid) => {
                self.damage_windows(client, context, |_, window| window.desc.procedures.contains(&oid));
            }
            Consequence::Texture(oid, image) => {
                let Texture { desc, rows, bytes } = image;
                let uploaded = self.resources.set_texture(&mut self.tracker, key(oid), &desc, rows, &bytes);
                if let (Err(error), Some(client)) = (uploaded, self.clients.get_mut(&client)) {
                    let size = u32::try_from(bytes.len()).unwrap_or(u32::MAX);
                    if let Some(context) = client.contexts.get_mut(&context) {
                        context.array.forget_texture(oid);
                        let words = [oid, ObjectError::OverBudget as u32, size, 0];
                        context.event(EventKind::ObjectRejected, 0, now, words);
                    }
                    client.error(now, format!("texture {context}.{oid}: {error}"));
                }
                self.damage_users(client, context, oid);
            }
            Consequence::TextureGone(oid) => {
                self.resources.remove_texture(&mut self.tracker, key(oid));
                self.damage_users(client, context, oid);
            }
            Consequence::Buffer(oid, bytes) => {
                self.resources.set_buffer(key(oid), bytes);
                self.damage_users(client, context, oid);
            }
            Consequence::BufferGone(oid) => {
                self.resources.remove_buffer(key(oid));
                self.damage_users(client, context, oid);
            }
            Consequence::Cursor(_) => self.renew_pointer(client, context),
        }
    }

    /// Damages the windows of a context whose picture may show a texture or buffer: their `redraw` or a list
    /// names it, or it is bound in the state that they start from.
    fn damage_users(&mut self, client: ClientId, context: u32, resource: u32) {
        self.damage_windows(client, context, |context, window| {
            let program = context.program(&window.desc, Callback::Redraw);
            let named = program.is_some_and(|program| {
                let body = &program.facts().body;
                body.textures.contains(&resource) || body.buffers.contains(&resource)
            });
            named || window.list_use.resources.contains(&resource) || window.state.binds(resource)
        });
    }

    fn damage_windows(&mut self, client: ClientId, context: u32, which: impl Fn(&Context, &Window) -> bool) {
        let Some(context) = self.context_mut(client, context) else { return };
        let oids: Vec<u32> =
            context.windows.iter().filter(|(_, w)| which(context, w)).map(|(&oid, _)| oid).collect();
        for oid in oids {
            if let Some(window) = context.windows.get_mut(&oid) {
                window.damage = Damage::All;
            }
        }
    }

    /// A window is new or described anew: puts it on the output, or follows its client's wishes.
    fn show(&mut self, id: WindowId, now: u64) {
        let Some(context) = self.context_mut(id.client, id.context) else { return };
        let Some(window) = context.windows.get(&id.oid) else { return };
        let desc = window.desc.clone();
        let refusal = window::bad_reference(context, id.oid, &desc);
        if let Some(refusal) = refusal {
            let [c, d] = refusal.values;
            context.event(EventKind::ObjectRejected, id.oid, now, [id.oid, refusal.error as u32, c, d]);
        }
        if let Some(window) = context.windows.get_mut(&id.oid) {
            window.error = refusal.map(|r| r.to_string());
        }
        if let (Some(refusal), Some(client)) = (refusal, self.clients.get_mut(&id.client)) {
            client.error(now, format!("window {id}: {refusal}"));
        }
        let parent = Some(WindowId { oid: desc.parent, ..id })
            .filter(|parent| desc.parent != 0 && *parent != id)
            .filter(|_| refusal.is_none_or(|r| r.error != ObjectError::BadParent))
            .and_then(|parent| self.stack.get(parent).copied());
        let style = if desc.popup && parent.is_some() { Style::Popup } else { Style::TopLevel };
        let wanted = |at: i32, from: Option<i32>| {
            if at == PLACE_ANYWHERE { None } else { Some(from.map_or(at, |from| from.saturating_add(at))) }
        };
        let x = wanted(desc.x, parent.map(|p| p.content.x));
        let y = wanted(desc.y, parent.map(|p| p.content.y));
        let size = (desc.width, desc.height);
        let view = self.stack.get(id).copied();
        let asked = self.window(id).map_or(((0, 0), (None, None)), |w| w.asked);
        let remembered = if view.is_none() { self.remembered.remove(&id) } else { None };
        let content = match view {
            None => match (remembered, x, y) {
                (Some(p), _, _) => Rect::new(p.x, p.y, p.width, p.height),
                (None, Some(x), Some(y)) => Rect::new(x, y, desc.width, desc.height),
                (None, _, _) => self.stack.cascade(desc.width, desc.height, &self.area),
            },
            // Only a changed wish is a wish: the user may have placed the window otherwise since.
            Some(view) => {
                let mut content = view.content;
                if asked.0 != size {
                    (content.width, content.height) = size;
                }
                if asked.1 != (x, y) {
                    content.x = x.unwrap_or(content.x);
                    content.y = y.unwrap_or(content.y);
                }
                content
            }
        };
        let content = confine(style, self.within_hints(id, content), &self.area);
        if let Some(window) = self.window_mut(id) {
            window.asked = (size, (x, y));
        }
        if view.is_none() {
            self.stack.add(View { id, content, style, parent: parent.map(|p| p.id) });
            self.damage_output(style.frame(&content));
            if (content.width, content.height) != size {
                let words =
                    [content.x.cast_unsigned(), content.y.cast_unsigned(), content.width, content.height];
                self.event(id, EventKind::Reshape, now, words);
            }
            // What the user types goes where it went: a new window takes no keys from another client's.
            let free = self.stack.focus().is_none_or(|focus| focus.client == id.client);
            if style == Style::TopLevel && free {
                self.focus(Some(id), now);
            }
            if remembered.is_some() {
                self.restore_order(now);
            }
            self.moved.insert(id.client);
        } else {
            self.place(id, content, now);
        }
    }

    /// After a restart, windows come back in any order: puts them as they were.
    fn restore_order(&mut self, now: u64) {
        let mut order = HashMap::new();
        let mut focus = None;
        for placement in self.clients.values().flat_map(|c| &c.info.placements) {
            order.insert(placement.window, placement.stack);
            if placement.focus && self.stack.get(placement.window).is_some() {
                focus = Some(placement.window);
            }
        }
        self.stack.restore_order(|id| order.get(&id).copied());
        if focus.is_some() {
            self.focus(focus, now);
        }
    }

    /// Takes a window off the output, and releases what it had on the GPU.
    fn unmap(&mut self, id: WindowId, window: Window) {
        for buffer in window.buffer.into_iter().chain(window.canvas) {
            self.tracker.delete_framebuffer(buffer);
        }
        if let Some(label) = window.label {
            self.tracker.delete_image(label.image);
        }
        let focus = self.stack.focus();
        let children: Vec<WindowId> =
            self.stack.views().iter().filter(|v| v.parent == Some(id)).map(|v| v.id).collect();
        if let Some(view) = self.stack.remove(id) {
            self.damage_output(view.frame());
        }
        for child in children {
            if let Some(view) = self.stack.get(child).copied() {
                self.stack.place(child, confine(view.style, view.content, &self.area));
            }
            if let Some(view) = self.stack.get(child).copied() {
                self.damage_output(view.frame());
            }
        }
        self.seat.forget(id);
        self.moved.insert(id.client);
        if focus == Some(id)
            && let Some(next) = self.stack.focus().and_then(|f| self.stack.get(f))
        {
            self.damage_output(next.frame());
        }
    }

    fn drop_context(&mut self, client: ClientId, index: u32, context: Context) {
        for (oid, window) in context.windows {
            self.unmap(WindowId { client, context: index, oid }, window);
        }
        self.resources.remove_context(&mut self.tracker, client.0, index);
    }

    // ---- Places ----------------------------------------------------------------------------

    /// Places a window's content, and tells its client.
    pub(super) fn place(&mut self, id: WindowId, content: Rect, now: u64) {
        let Some(view) = self.stack.get(id).copied() else { return };
        let content = confine(view.style, self.within_hints(id, content), &self.area);
        if view.content == content {
            return;
        }
        let before: Vec<View> = self.stack.views().to_vec();
        self.stack.place(id, content);
        let mut told = Vec::new();
        for (old, new) in before.iter().zip(self.stack.views()) {
            if old.content != new.content {
                self.dirty.add(old.frame().intersection(&self.area));
                self.dirty.add(new.frame().intersection(&self.area));
                told.push(*new);
            }
        }
        for view in told {
            let Rect { x, y, width, height } = view.content;
            let words = [x.cast_unsigned(), y.cast_unsigned(), width, height];
            self.event(view.id, EventKind::Reshape, now, words);
        }
        self.moved.insert(id.client);
        self.pending = true;
    }

    fn within_hints(&self, id: WindowId, mut content: Rect) -> Rect {
        if let Some(window) = self.window(id) {
            let hint = |size: u32, least: u32, most: u32| {
                let size = if most == 0 { size } else { size.min(most) };
                size.max(least).clamp(blinkgl::limits::MIN_WINDOW_SIZE, blinkgl::limits::MAX_WINDOW_SIZE)
            };
            content.width = hint(content.width, window.desc.min_width, window.desc.max_width);
            content.height = hint(content.height, window.desc.min_height, window.desc.max_height);
        }
        content
    }

    /// Brings a window to the top and gives it the focus.
    pub(super) fn activate(&mut self, id: WindowId, now: u64) {
        let order: Vec<WindowId> = self.stack.views().iter().map(|v| v.id).collect();
        self.stack.raise(id);
        let raised = self.stack.views().iter().map(|v| v.id).ne(order);
        if raised {
            for view in self.stack.views().iter().filter(|v| v.id == id || v.parent == Some(id)) {
                self.dirty.add(view.frame().intersection(&self.area));
            }
            self.moved.insert(id.client);
            self.pending = true;
        }
        self.focus(Some(id), now);
    }

    /// Gives a window the keyboard focus.
    pub(super) fn focus(&mut self, id: Option<WindowId>, now: u64) {
        let before = self.stack.focus();
        if !self.stack.set_focus(id) {
            return;
        }
        for (window, gained) in [(before, 0), (id, 1)] {
            let Some(window) = window else { continue };
            if let Some(view) = self.stack.get(window) {
                self.dirty.add(view.frame().intersection(&self.area));
            }
            self.event(window, EventKind::Focus, now, [gained, 0, 0, 0]);
            self.moved.insert(window.client);
        }
        self.pending = true;
    }

    // ---- Callbacks -------------------------------------------------------------------------

    fn prepare_all(&mut self, presentation: u64, now: u64) {
        let views: Vec<View> = self.stack.views().to_vec();
        for view in views {
            self.prepare(&view, presentation, now);
        }
    }

    /// Runs `init`, `reshape` and `update` where they are due.
    fn prepare(&mut self, view: &View, presentation: u64, now: u64) {
        self.drop_stale(view);
        let env = self.surroundings(view, presentation).environment();
        let Some(context) = self.context_mut(view.id.client, view.id.context) else { return };
        let Some(window) = context.windows.get(&view.id.oid) else { return };
        if window.busy.is_some() {
            return;
        }
        let init = context.published(&window.desc, Callback::Init);
        let reshape = context.published(&window.desc, Callback::Reshape);
        let update = context.published(&window.desc, Callback::Update);
        let serial = window.desc.update_serial;
        let due = window.due(init.as_ref(), reshape.as_ref(), view.content);
        if !(due.init || due.reshape || due.update) {
            return;
        }
        if self.over_quota(view.id, Callback::Update, now) || self.slice_of(view.id.client).is_none() {
            // It stays due.
            self.pending = true;
            return;
        }
        if due.init {
            if let Some(window) = self.window_mut(view.id) {
                window.start_afresh(init.clone(), view.content);
            }
            if init.is_some_and(|init| !self.run_state(view, init, &env, now)) {
                return;
            }
        }
        if due.reshape {
            match reshape {
                Some(reshape) => {
                    if !self.run_state(view, reshape, &env, now) {
                        return;
                    }
                }
                None => {
                    if let Some(window) = self.window_mut(view.id) {
                        window.reshaped(None, view.content);
                    }
                }
            }
        }
        if due.update {
            match update {
                Some(update) => {
                    self.run_state(view, update, &env, now);
                }
                None => {
                    if let Some(window) = self.window_mut(view.id) {
                        window.updated(serial);
                    }
                }
            }
        }
    }

    /// Runs a callback that does not draw. Is it at its end? If not, the window is busy with it.
    fn run_state(&mut self, view: &View, published: Published, env: &Environment, now: u64) -> bool {
        let length = self.slice_of_state(view.id.client, now);
        let Some(context) = self.context_mut(view.id.client, view.id.context) else { return true };
        let Some(run) = Running::new(context, view.id.oid, published, env.clone(), view.content) else {
            return true;
        };
        let Some(length) = length else {
            // It starts when it is its client's turn.
            if let Some(window) = self.window_mut(view.id) {
                window.busy = Some(Box::new(run));
            }
            self.pending = true;
            return false;
        };
        let (is_at_end, time) = self.advance_state(view, Box::new(run), length, now);
        self.charge(view.id.client, time);
        is_at_end
    }

    /// Gives a run that does not draw a slice. Is it at its end, and how long did it take so far?
    pub(super) fn advance_state(
        &mut self,
        view: &View,
        mut run: Box<Running>,
        length: u64,
        now: u64,
    ) -> (bool, u64) {
        let tracker = &mut self.tracker;
        tracker.begin_slice(Slice { length: Some(length), stride: Stride::default(), is_slow: false });
        let (state, mut program) = run.split();
        let is_at_end =
            program.advance(&mut StateInSlice { state: StateOnly(state), tracker: &mut *tracker });
        let taken = tracker.end_slice();
        self.count_slice(view.id, &mut run, taken, is_at_end);
        let time = run.time;
        if is_at_end {
            self.state_ran(view, *run, now);
        } else {
            if let Some(window) = self.window_mut(view.id) {
                window.busy = Some(run);
            }
            self.pending = true;
        }
        (is_at_end, time)
    }

    /// A run that does not draw is at its end.
    fn state_ran(&mut self, view: &View, run: Running, now: u64) {
        let id = view.id;
        let (callback, content, serial) = (run.callback(), run.content, run.serial);
        let Some(context) = self.context_mut(id.client, id.context) else { return };
        let Some((finished, hot)) = run.finish(context, id.oid) else { return };
        let Finished { published, state, outcome } = finished;
        if let Some(window) = context.windows.get_mut(&id.oid) {
            if callback != Callback::Input {
                window.state = state;
                window.list_use.note(published.program.facts());
            }
            window.damage.add(Window::wish(&outcome, &content));
            match callback {
                Callback::Reshape => window.reshaped(Some(published.clone()), content),
                Callback::Update => window.updated(serial),
                Callback::Init | Callback::Redraw | Callback::Input => {}
            }
            self.pending |= self.window(id).is_some_and(|w| w.damage != Damage::None);
        }
        if let Some(client) = self.clients.get_mut(&id.client) {
            match callback {
                Callback::Update => {
                    client.stats.updates += 1;
                    client.stats.update_intervals.event(now);
                }
                Callback::Input => client.stats.inputs += 1,
                Callback::Init | Callback::Reshape | Callback::Redraw => {}
            }
        }
        self.settle(view, &published.program, &outcome, hot, now);
    }

    /// Runs a window's `input`, if it has one. Its GL state is not touched.
    pub(super) fn run_input(&mut self, id: WindowId, now: u64, event: impl FnOnce(&mut Environment)) {
        let Some(view) = self.stack.get(id).copied() else { return };
        let presentation = (now / self.refresh + 1).saturating_mul(self.refresh);
        let mut env = self.surroundings(&view, presentation).environment();
        event(&mut env);
        let Some(context) = self.context_mut(id.client, id.context) else { return };
        let Some(window) = context.windows.get(&id.oid) else { return };
        let Some(published) = context.published(&window.desc, Callback::Input) else { return };
        let is_waiting = self.slice_of_state(id.client, now).is_none();
        // Its client hears of the input all the same.
        if self.over_quota(id, Callback::Input, now) {
            return;
        }
        let Some(window) = self.window_mut(id) else { return };
        if is_waiting || window.busy.is_some() || !window.waiting.is_empty() {
            if window.waiting.len() < EVENT_RING_ENTRIES as usize {
                window.waiting.push_back(env);
            }
            self.pending = true;
            return;
        }
        self.run_state(&view, published, &env, now);
    }

    /// Takes over what a run said: notifications, a stop, and whether its program is hot.
    pub(super) fn settle(
        &mut self,
        view: &View,
        program: &Arc<Program>,
        outcome: &Outcome,
        hot: bool,
        now: u64,
    ) {
        let tick = self.tick(now);
        if let Some(client) = self.clients.get_mut(&view.id.client) {
            client.spend(tick, outcome);
        }
        for &value in &outcome.effects.notifications {
            self.event(view.id, EventKind::Notify, now, [value, 0, 0, 0]);
        }
        if let Some(stop) = outcome.stop {
            let (kind, callback, limit) = match stop {
                Stop::Fuel { callback, limit } => (QuotaKind::Fuel, callback, limit),
                Stop::Vertices { callback, limit } => (QuotaKind::Vertices, callback, limit),
            };
            let limit = u32::try_from(limit).unwrap_or(u32::MAX);
            self.event(view.id, EventKind::Quota, now, [callback as u32, kind as u32, limit, 0]);
        }
        if let Some(window) = self.window_mut(view.id) {
            if let Some(stop) = outcome.stop {
                window.error = Some(stop.to_string());
                window.stopped = true;
            } else if window.stopped && program.callback() == Callback::Redraw {
                window.error = None;
                window.stopped = false;
            }
        }
        if !program.facts().lists.is_empty() {
            self.count_lists(view.id, program.callback(), now);
        }
        if hot && program.should_compile() {
            self.compile.submit(view.id.client.0, program);
        }
    }

    /// A window's lists may be others now: takes them away if its client has too many.
    fn count_lists(&mut self, id: WindowId, callback: Callback, now: u64) {
        let Some(window) = self.window_mut(id) else { return };
        window.list_bytes = window.lists.bytes();
        let all: usize = self.windows_of(id.client).map(|w| w.list_bytes).sum();
        if all <= MAX_LIST_BYTES {
            return;
        }
        let Some(window) = self.window_mut(id) else { return };
        window.lists = jit::Lists::default();
        window.list_bytes = 0;
        let error = format!(
            "the client's display lists take {all} bytes of {MAX_LIST_BYTES}; this window's are gone"
        );
        window.error = Some(error.clone());
        let limit = u32::try_from(MAX_LIST_BYTES).unwrap_or(u32::MAX);
        self.event(id, EventKind::Quota, now, [callback as u32, QuotaKind::Lists as u32, limit, 0]);
        if let Some(client) = self.clients.get_mut(&id.client) {
            client.error(now, format!("window {id}: {error}"));
        }
    }

    /// Has the client used up what its windows may in this frame? Then it is told.
    pub(super) fn over_quota(&mut self, id: WindowId, callback: Callback, now: u64) -> bool {
        let tick = self.tick(now);
        let Some((kind, limit)) = self.clients.get(&id.client).and_then(|c| c.exhausted(tick)) else {
            return false;
        };
        // Once for each time that it is stopped: its ring must not fill with the same event frame by frame.
        if self.window(id).is_some_and(|window| !window.stopped) {
            let words = [callback as u32, kind as u32, u32::try_from(limit).unwrap_or(u32::MAX), 0];
            self.event(id, EventKind::Quota, now, words);
        }
        if let Some(window) = self.window_mut(id) {
            let what = match kind {
                QuotaKind::Vertices => "vertices",
                QuotaKind::Fuel
                | QuotaKind::Lists
                | QuotaKind::Buffers
                | QuotaKind::Draws
                | QuotaKind::Time => "units of fuel",
            };
            window.error = Some(format!("the client's windows need more than {limit} {what} in a frame"));
            window.stopped = true;
        }
        true
    }

    /// The time of the last frame.
    pub(super) fn frame_time(&self) -> u64 {
        self.last_tick.unwrap_or(0).saturating_mul(self.refresh)
    }

    pub(super) fn tick(&self, now: u64) -> u64 {
        now / self.refresh
    }

    /// All windows of a client.
    pub(super) fn windows_of(&self, client: ClientId) -> impl Iterator<Item = &Window> {
        let contexts = self.clients.get(&client).into_iter().flat_map(|c| c.contexts.values());
        contexts.flat_map(|context| context.windows.values())
    }

    pub(super) fn surroundings(&self, view: &View, presentation: u64) -> Surroundings {
        Surroundings {
            presentation,
            frame: self.frame,
            refresh: self.refresh,
            content: view.content,
            pointer: self.seat.pointer(),
            buttons: self.seat.buttons(),
            focus: self.stack.focus() == Some(view.id),
            budget: self.clients.get(&view.id.client).map(|client| client.info.budget).unwrap_or_default(),
        }
    }

    // ---- Draw ------------------------------------------------------------------------------

    /// What windows asked for becomes damage of the output.
    fn collect_damage(&mut self) {
        let views: Vec<View> = self.stack.views().to_vec();
        for view in views {
            let Some(window) = self.window_mut(view.id) else { continue };
            let next = std::mem::take(&mut window.next_damage);
            window.damage.add(next);
            if window.is_slow() || (window.busy.is_some() && !window.desc.offscreen) {
                // There is nothing new to be seen until a run is at its end.
                continue;
            }
            let part = match window.damage {
                Damage::None => continue,
                Damage::Part(part) => {
                    part.translated(view.content.x, view.content.y).intersection(&view.content)
                }
                Damage::All => view.content,
            };
            if self.stack.visible(view.id, &self.area).is_empty() {
                // Hidden: it is drawn when it is uncovered. What it asked for stays asked.
                continue;
            }
            self.dirty.add(part.intersection(&self.area));
        }
    }

    fn draw(&mut self, presentation: u64, now: u64) -> Region {
        self.frame += 1;
        let plan = self.draw_dirty(presentation, now);
        self.serve(None);
        self.tracker.finish();
        let [low, high] = blinkgl::layout::split(self.frame);
        let [time_low, time_high] = blinkgl::layout::split(presentation);
        for (id, _) in &plan.windows {
            if self.context_mut(id.client, id.context).is_some_and(|c| c.channel.wants_presented()) {
                self.event(*id, EventKind::Presented, now, [low, high, time_low, time_high]);
            }
        }
        plan.damage
    }

    /// Draws windows that became slow in this frame: their pictures may be there already, and if the machine was only busy
    /// with something else for a moment, nobody sees that they were not. Windows over and around them are drawn with them,
    /// some for the second time in this frame: that is not their clients' doing, and costs these nothing.
    fn draw_again(&mut self, newly_slow: &BTreeSet<ClientId>, presentation: u64, now: u64) -> Plan {
        let is_other = |id: &ClientId| !newly_slow.contains(id);
        for (_, client) in self.clients.iter_mut().filter(|(id, _)| is_other(id)) {
            client.forgive_spent();
        }
        let plan = self.draw_dirty(presentation, now);
        self.serve(None);
        for (_, client) in self.clients.iter_mut().filter(|(id, _)| is_other(id)) {
            client.used = 0;
        }
        plan
    }

    fn draw_dirty(&mut self, presentation: u64, now: u64) -> Plan {
        let dirty = std::mem::take(&mut self.dirty);
        let plan = plan(&self.stack, &dirty, &self.area);
        self.tracker.fill(&self.screen, &plan.background, self.area, BACKGROUND);
        for (id, clip) in &plan.windows {
            let Some(view) = self.stack.get(*id).copied() else { continue };
            self.draw_window(&view, *clip, presentation, now);
        }
        self.draw_pointer(&plan.damage);
        plan
    }

    fn draw_window(&mut self, view: &View, clip: Rect, presentation: u64, now: u64) {
        let content = clip.intersection(&view.content);
        if !content.is_empty() {
            self.draw_content(view, content, presentation, now);
        }
        if !view.content.contains_rect(&clip) {
            self.draw_decoration(view, clip);
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

    pub(super) fn event(&mut self, id: WindowId, kind: EventKind, now: u64, words: [u32; 4]) {
        if let Some(context) = self.context_mut(id.client, id.context) {
            context.event(kind, id.oid, now, words);
        }
    }

    /// The picture, and what shows it.
    pub fn picture(&mut self) -> (&mut Tracker, &Framebuffer) {
        (&mut self.tracker, &self.screen)
    }

    /// A client's doorbell.
    #[must_use]
    pub fn doorbell(&self, id: ClientId) -> Option<BorrowedFd<'_>> {
        self.clients.get(&id)?.doorbell.as_ref().map(AsFd::as_fd)
    }

    /// Wakes the clients that have events, outside of a frame.
    pub fn wake_clients(&mut self) {
        for client in self.clients.values_mut() {
            client.wake();
        }
    }

    /// The compile worker, for statistics.
    #[must_use]
    pub fn compile_queue(&self) -> &CompileQueue {
        &self.compile
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

    /// Procedures of a context, for lists.
    pub(super) fn procedures(context: &Context) -> impl Iterator<Item = (u32, &Procedure)> {
        context.objects.iter().filter_map(|(&oid, stored)| match stored {
            Stored::Procedure(procedure) => Some((oid, procedure)),
            Stored::Window
            | Stored::Texture(_)
            | Stored::Buffer
            | Stored::Registers { .. }
            | Stored::Cursor(_) => None,
        })
    }
}
