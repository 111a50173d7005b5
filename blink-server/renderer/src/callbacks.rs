//! Runs the callbacks that don't draw, and takes over what came of any run.

use super::renderer::{Frame, Renderer};
use super::running::{Finished, Running, StateInSlice};
use super::views::Sight;
use super::window::{Damage, Published, Surroundings, Window};
use blinkgl::layout::{EventKind, QuotaKind};
use blinkgl::limits::EVENT_RING_ENTRIES;
use blinkgl::ops::Callback;
use gl::{Slice, StateOnly, Stride};
use ipc::WindowId;
use ipc::limits::MAX_LIST_BYTES;
use jit::{Environment, Outcome, Program, Stop};
use std::sync::Arc;

impl Renderer {
    pub(super) fn prepare_all(&mut self, now: u64) {
        for sight in self.views.sights() {
            self.prepare(&sight, now);
        }
    }

    /// Runs `init`, `reshape` and `update` where they are due.
    fn prepare(&mut self, view: &Sight, now: u64) {
        self.drop_stale(view);
        let env = self.surroundings(view).environment();
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
    fn run_state(&mut self, view: &Sight, published: Published, env: &Environment, now: u64) -> bool {
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
        view: &Sight,
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
    fn state_ran(&mut self, view: &Sight, run: Running, now: u64) {
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
        let Some(view) = self.sight(id) else { return };
        // It is seen in the next frame.
        let Frame { presentation, refresh, .. } = self.frame;
        let next = (now / refresh + 1).saturating_mul(refresh);
        let mut surroundings = self.surroundings(&view);
        surroundings.presentation = next.max(presentation);
        let mut env = surroundings.environment();
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
        view: &Sight,
        program: &Arc<Program>,
        outcome: &Outcome,
        hot: bool,
        now: u64,
    ) {
        let tick = self.frame.tick(now);
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
            self.programs.compile.submit(view.id.client.0, program);
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
        let tick = self.frame.tick(now);
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

    pub(super) fn surroundings(&self, view: &Sight) -> Surroundings {
        let client = self.clients.get(&view.id.client);
        let of = self.views.get(view.id);
        Surroundings {
            presentation: self.frame.presentation,
            frame: client.map_or(0, |client| client.frames),
            refresh: self.frame.refresh,
            content: view.content,
            pointer: of.map_or((-1, -1), |view| view.pointer),
            inside: of.is_some_and(|view| view.inside),
            buttons: of.map_or(0, |view| view.buttons),
            focus: of.is_some_and(|view| view.focus),
            budget: client.map(|client| client.info.budget).unwrap_or_default(),
        }
    }
}
