//! Which client of a class may run how long in a frame, and runs that take more than their slice. Other classes are other
//! processes: nothing here concerns them.
//!
//! Runs that are quick go first, all of them in this frame. Those of each client may take half of it; one that goes past that
//! is suspended. Suspended runs have the other half of the frame, which is shared out among their clients; where these
//! are more than fit into it, they take turns.
//!
//! A window whose `redraw` was suspended is *slow* from then on: it is drawn in slices, and the glass shows its last complete
//! picture.

use super::conduct::seconds;
use super::renderer::Renderer;
use super::running::Running;
use super::views::Sight;
use super::window::{Damage, Window};
use blinkgl::layout::{EventKind, QuotaKind};
use blinkgl::ops::Callback;
use gl::{Slice, Stride, Taken};
use ipc::geometry::Rect;
use ipc::limits::{
    FIRST_SLOW_SECONDS, FRAME_PARTS, MAX_SUSPENDED_REDRAWS, MIN_SLICE_MICROSECONDS, SLOW_SECONDS,
};
use ipc::{ClientId, WindowId};
use std::collections::BTreeSet;

const MIN_SLICE: u64 = MIN_SLICE_MICROSECONDS * 1000;

/// Why a window is slow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reason {
    /// Its `redraw` took too long.
    Long,
    /// Its client's windows did together.
    Together,
}

impl Renderer {
    /// How long a client's next quick run may take; `None`: not in this frame.
    pub(super) fn slice_of(&self, client: ClientId) -> Option<u64> {
        let left = (self.frame.refresh / FRAME_PARTS).saturating_sub(self.clients.get(&client)?.used);
        Some(left).filter(|&left| left > 0)
    }

    /// The same for a run that does not draw. Clients whose windows are slow have their turns for them.
    pub(super) fn slice_of_state(&self, client: ClientId, now: u64) -> Option<u64> {
        self.slice_of(client).filter(|_| self.clients.get(&client).is_some_and(|c| !c.conduct.is_slow(now)))
    }

    /// A client's quick run took so long.
    pub(super) fn charge(&mut self, client: ClientId, time: u64) {
        if let Some(client) = self.clients.get_mut(&client) {
            client.used = client.used.saturating_add(time);
        }
    }

    /// What follows is drawn for a client, or for nobody: what others left to be done is their time.
    pub(super) fn serve(&mut self, client: Option<ClientId>) {
        for (client, time) in self.tracker.serve(client.map(|client| client.0)) {
            self.charge(ClientId(client), time);
        }
    }

    /// A new frame: what quick runs took in the last one does not count any more.
    fn forget_used(&mut self) {
        for client in self.clients.values_mut() {
            client.used = 0;
        }
    }

    /// The time of the last frame.
    fn frame_time(&self) -> u64 {
        self.frame.presentation
    }

    /// A run had a slice.
    pub(super) fn count_slice(&mut self, id: WindowId, run: &mut Running, taken: Taken, is_done: bool) {
        run.time = run.time.saturating_add(taken.time);
        run.slices = run.slices.saturating_add(1);
        if !is_done {
            self.turns.lateness.add(taken.late);
        }
        let is_slow = self.window(id).is_some_and(Window::is_slow);
        let now = self.tracker.clock().now();
        let frame_time = self.frame_time();
        if let Some(client) = self.clients.get_mut(&id.client) {
            if is_slow {
                client.conduct.rest_after(taken.whole, now);
            }
            if taken.stride.is_small && !client.conduct.has_small_steps(frame_time) {
                client.conduct.was_late(taken.late, self.frame.refresh, frame_time);
            }
            if !is_done && run.slices == 1 {
                client.stats.suspended += 1;
            }
            if !is_done || run.slices > 1 {
                client.stats.slices += 1;
            }
        }
    }

    /// How large the steps of a window may be.
    pub(super) fn stride_of(&self, id: WindowId) -> Stride {
        let now = self.frame_time();
        let is_small = self.clients.get(&id.client).is_some_and(|c| c.conduct.has_small_steps(now));
        let mut stride = self.window(id).map(|window| window.stride).unwrap_or_default();
        stride.is_small = is_small;
        stride
    }

    /// Drops a window's suspended runs whose procedure or whose window's size is another one now: they start anew.
    pub(super) fn drop_stale(&mut self, view: &Sight) {
        let Some(context) = self.context_mut(view.id.client, view.id.context) else { return };
        let Some(window) = context.windows.get(&view.id.oid) else { return };
        if window.busy.is_none() && window.redrawing.is_none() {
            return;
        }
        let published = |callback| context.published(&window.desc, callback);
        let is_gone = |run: &Running| !published(run.callback()).is_some_and(|now| now.is(&run.published));
        let (init, reshape) = (published(Callback::Init), published(Callback::Reshape));
        let starts_afresh = window.due(init.as_ref(), reshape.as_ref(), view.content).init;
        let is_stale = |run: &Running| {
            let is_elsewhere = run.callback() == Callback::Reshape && run.content != view.content;
            is_gone(run) || starts_afresh || is_elsewhere
        };
        let size = |rect: &Rect| (rect.width, rect.height);
        let busy = window.busy.as_ref().is_some_and(|run| is_stale(run));
        // Who publishes the procedure again in each frame must come to a picture: one that replaced another ends.
        let is_outdated =
            |run: &Running| is_gone(run) && (!window.is_replacing || published(run.callback()).is_none());
        let redrawing = window
            .redrawing
            .as_ref()
            .is_some_and(|run| is_outdated(run) || size(&run.content) != size(&view.content));
        let Some(window) = context.windows.get_mut(&view.id.oid) else { return };
        if busy {
            window.busy = None;
        }
        if redrawing {
            window.redrawing = None;
            window.is_replacing = true;
            window.damage = Damage::All;
        }
    }

    // ---- Slow windows ----------------------------------------------------------------------

    /// A window's run went past its slice: the window is slow, at first for a moment that its client does not hear of.
    pub(super) fn becomes_slow(&mut self, id: WindowId, reason: Reason, now: u64) {
        let Some(client) = self.clients.get_mut(&id.client) else { return };
        if client.conduct.strike(now) {
            self.stays_slow(id, reason, now);
        } else {
            self.is_slow_until(id, now.saturating_add(seconds(FIRST_SLOW_SECONDS)));
        }
    }

    /// A window is slow for long, and so are those that its client makes. The client is told, once for each window.
    fn stays_slow(&mut self, id: WindowId, reason: Reason, now: u64) {
        let Some(client) = self.clients.get_mut(&id.client) else { return };
        client.conduct.stays_slow(now);
        self.is_slow_until(id, now.saturating_add(seconds(SLOW_SECONDS)));
        let Some(window) = self.window_mut(id) else { return };
        if std::mem::replace(&mut window.is_told_slow, true) {
            return;
        }
        let milliseconds = self.frame.refresh / FRAME_PARTS / 1_000_000;
        let limit = u32::try_from(milliseconds).unwrap_or(u32::MAX);
        self.event(id, EventKind::Quota, now, [Callback::Redraw as u32, QuotaKind::Time as u32, limit, 0]);
        if let Some(client) = self.clients.get_mut(&id.client) {
            let who = match reason {
                Reason::Long => "its redraw took",
                Reason::Together => "the client's windows together took",
            };
            let why = format!("{who} more than {milliseconds} ms of a frame");
            client.note(now, format!("window {id}: {why}: it is drawn in slices"));
        }
    }

    /// A slow window's `redraw` takes long. In slices it harms nobody: in the moment after a strike it may well be the driver
    /// again, which compiles for another target. One that goes on beyond that moment is not the driver.
    fn is_long(&mut self, id: WindowId, now: u64) {
        let is_told = self.clients.get(&id.client).is_some_and(|client| client.conduct.is_slow(now));
        if is_told {
            self.stays_slow(id, Reason::Long, now);
        } else if self.window(id).is_some_and(|window| window.slow_until <= Some(now)) {
            self.becomes_slow(id, Reason::Long, now);
        }
    }

    fn is_slow_until(&mut self, id: WindowId, until: u64) {
        let Some(window) = self.window_mut(id) else { return };
        let was_slow = window.is_slow();
        window.slow_until = window.slow_until.max(Some(until));
        if !was_slow {
            self.draw_in_slices(id);
        }
    }

    /// The window is drawn in slices from now on.
    fn draw_in_slices(&mut self, id: WindowId) {
        let Some(window) = self.window_mut(id) else { return };
        window.damage = Damage::All;
        // What it learned as a quick window is too bold for a slow one.
        window.stride = Stride::default();
        self.pending = true;
    }

    /// Windows whose runs fit into their slices for long enough are drawn directly again.
    pub(super) fn forget_slowness(&mut self, now: u64) {
        for Sight { id, .. } in self.views.sights() {
            let is_over = |until: Option<u64>| until.is_some_and(|until| until <= now);
            let Some(window) = self.window_mut(id) else { continue };
            if !is_over(window.slow_until) || window.redrawing.is_some() {
                continue;
            }
            window.slow_until = None;
            window.is_told_slow = false;
            window.unbuffered = false;
            window.stride = Stride::default();
            window.damage = Damage::All;
        }
    }

    // ---- Turns -----------------------------------------------------------------------------

    /// Goes on with suspended runs, and starts those of slow windows.
    pub(super) fn continue_runs(&mut self, now: u64) {
        self.forget_used();
        let mut clients = self.waiting_clients(now);
        let waiting = clients.len();
        let time = self.tracker.clock().now();
        clients.retain(|id| self.clients.get(id).is_none_or(|client| !client.conduct.rests(time)));
        let after = clients.partition_point(|&id| self.turns.last.is_some_and(|last| id <= last));
        clients.rotate_left(after);
        let all = self.frame.refresh / FRAME_PARTS;
        let most = usize::try_from((all / MIN_SLICE).max(1)).unwrap_or(usize::MAX);
        clients.truncate(most);
        let is_more = waiting > clients.len();
        let end = self.tracker.clock().now().saturating_add(all);
        for (turn, &id) in clients.iter().enumerate() {
            // Who had the last turn has nothing that follows: this is the time of the turns, which all share.
            let _times = self.tracker.serve(Some(id.0));
            let turns = u64::try_from(clients.len() - turn).unwrap_or(u64::MAX);
            let left = end.saturating_sub(self.tracker.clock().now());
            self.take_turn(id, (left / turns).max(MIN_SLICE), now);
            self.turns.last = Some(id);
        }
        if waiting > 0 {
            let _times = self.tracker.serve(None);
        }
        if is_more || clients.iter().any(|&id| !self.waiting_windows(id, now).is_empty()) {
            self.pending = true;
        }
    }

    /// Clients with windows that wait, in their order.
    fn waiting_clients(&mut self, now: u64) -> Vec<ClientId> {
        let mut views = self.views.sights();
        views.retain(|view| self.is_waiting(view, now));
        let clients: BTreeSet<ClientId> = views.iter().map(|view| view.id.client).collect();
        clients.into_iter().collect()
    }

    /// A client's windows that have suspended runs or are slow and to be drawn: in the order of their turns.
    fn waiting_windows(&mut self, client: ClientId, now: u64) -> Vec<WindowId> {
        let mut views = self.views.sights();
        views.retain(|view| view.id.client == client);
        let mut ids = Vec::new();
        for view in views {
            if self.is_waiting(&view, now) {
                ids.push(view.id);
            }
        }
        ids.sort_unstable();
        let last = self.clients.get(&client).and_then(|client| client.last_turn);
        let after = ids.partition_point(|&id| last.is_some_and(|last| id <= last));
        ids.rotate_left(after);
        ids
    }

    fn is_waiting(&mut self, view: &Sight, now: u64) -> bool {
        let Some(window) = self.window(view.id) else { return false };
        if window.busy.is_some() || !window.waiting.is_empty() {
            return true;
        }
        let is_due = window.redrawing.is_some() || window.damage != Damage::None;
        window.is_slow()
            && is_due
            && view.visible
            && self.views.get(view.id).is_some_and(|view| view.surface.is_some())
            && self.may_have_picture(view, now)
    }

    /// A client's suspended runs have a slice together.
    fn take_turn(&mut self, client: ClientId, length: u64, now: u64) {
        let end = self.tracker.clock().now().saturating_add(length);
        for id in self.waiting_windows(client, now) {
            let left = end.saturating_sub(self.tracker.clock().now());
            let Some(view) = self.sight(id).filter(|_| left > 0) else { return };
            if let Some(client) = self.clients.get_mut(&client) {
                client.last_turn = Some(id);
            }
            let Some(window) = self.window_mut(id) else { continue };
            if let Some(run) = window.busy.take() {
                self.advance_state(&view, run, left, now);
            } else if let Some(env) = window.waiting.pop_front() {
                self.start_waiting(&view, env, left, now);
            } else {
                self.redraw_slowly(&view, left, now);
            }
        }
    }

    /// Starts an `input` that had to wait.
    fn start_waiting(&mut self, view: &Sight, env: jit::Environment, length: u64, now: u64) {
        let Some(context) = self.context_mut(view.id.client, view.id.context) else { return };
        let Some(window) = context.windows.get(&view.id.oid) else { return };
        let Some(published) = context.published(&window.desc, Callback::Input) else { return };
        if let Some(run) = Running::new(context, view.id.oid, published, env, view.content) {
            self.advance_state(view, Box::new(run), length, now);
        }
    }

    /// May a client have another suspended `redraw`? What they hold is in memory. Those that can't go on make room: hidden
    /// windows and such without buffers start anew when they are seen.
    fn may_start_redraw(&mut self, client: ClientId) -> bool {
        let sights = self.views.sights();
        let views = sights.iter().filter(|view| view.id.client == client);
        let is_drawn = |id: &WindowId| self.window(*id).is_some_and(|window| window.redrawing.is_some());
        let suspended: Vec<WindowId> = views.map(|view| view.id).filter(is_drawn).collect();
        if suspended.len() < MAX_SUSPENDED_REDRAWS {
            return true;
        }
        let is_stuck = |id: &WindowId| {
            self.sight(*id).is_none_or(|view| !view.visible)
                || self.window(*id).is_some_and(|window| window.unbuffered)
        };
        let stuck = suspended.into_iter().find(is_stuck);
        let Some(window) = stuck.and_then(|id| self.window_mut(id)) else { return false };
        window.redrawing = None;
        window.damage = Damage::All;
        true
    }

    /// Starts a slow window's `redraw`, or goes on with it.
    fn redraw_slowly(&mut self, view: &Sight, length: u64, now: u64) {
        let id = view.id;
        let redrawing = self.window_mut(id).and_then(|window| window.redrawing.take());
        let Some(mut run) = redrawing.or_else(|| self.start_redraw(view, now)) else { return };
        let Some(picture) = self.window_mut(id).and_then(|window| window.picture.take()) else { return };
        let (width, height) = picture.size();
        let all = Rect::new(0, 0, width, height);
        let slice = Slice { length: Some(length), stride: self.stride_of(id), is_slow: true };
        let left_out = self.paint(id, &mut run, &picture, all, slice);
        if run.time > self.frame.refresh / FRAME_PARTS {
            self.is_long(id, now);
        }
        let Some(window) = self.window_mut(id) else { return };
        window.picture = Some(picture);
        let Some(left_out) = left_out else {
            window.redrawing = Some(run);
            return;
        };
        window.is_replacing = false;
        window.completed(all);
        self.redrawn(view, *run, left_out, now);
    }

    /// Starts a slow window's `redraw`.
    fn start_redraw(&mut self, view: &Sight, now: u64) -> Option<Box<Running>> {
        let id = view.id;
        let context = self.context_mut(id.client, id.context)?;
        let window = context.windows.get(&id.oid)?;
        let Some(published) = context.published(&window.desc, Callback::Redraw) else {
            // It has nothing to draw any more, and so nothing that takes long.
            let window = context.windows.get_mut(&id.oid)?;
            window.slow_until = None;
            self.pending = true;
            return None;
        };
        // Other windows may have got their pictures in this turn.
        if self.over_quota(id, Callback::Redraw, now)
            || !self.may_have_picture(view, now)
            || !self.may_start_redraw(id.client)
        {
            return None;
        }
        let (width, height) = (view.content.width, view.content.height);
        let kept = self.window_mut(id)?.picture.take();
        let begun = self.tracker.clock().now();
        let picture = self.framebuffer_of(id, kept, width, height);
        // If there is none, it is not tried again in each frame.
        let window = self.window_mut(id)?;
        window.damage = Damage::None;
        // What was complete is drawn over.
        window.complete = None;
        let picture = picture?;
        let env = self.surroundings(view).environment();
        let context = self.context_mut(id.client, id.context)?;
        let mut run = Running::new(context, id.oid, published, env, view.content)?;
        self.clear_ground(id, &mut run, &picture, Rect::new(0, 0, width, height));
        // Neither can be cut.
        let time = self.tracker.clock().now();
        if let Some(client) = self.clients.get_mut(&id.client) {
            client.conduct.rest_after(time.saturating_sub(begun), time);
        }
        let window = self.window_mut(id)?;
        window.picture = Some(picture);
        Some(Box::new(run))
    }
}
