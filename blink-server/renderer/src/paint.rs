//! Drawing one window: its content by its own `redraw`, into its own target; and handing it over to the glass.

use super::process::MAX_DRAWN;
use super::renderer::Renderer;
use super::running::{Finished, Running};
use super::slow::Reason;
use super::views::{Sight, drawn};
use super::window::{Damage, Published, Window};
use blinkgl::layout::{EventKind, QuotaKind};
use blinkgl::limits::MAX_DRAWS;
use blinkgl::ops::Callback;
use gl::{Framebuffer, Painted, Slice, Target, WindowState};
use ipc::WindowId;
use ipc::geometry::Rect;
use ipc::limits::MAX_OFFSCREEN_PIXELS;
use verifier::Facts;

/// A window's content before it draws.
const EMPTY: [f32; 4] = [0.0, 0.0, 0.0, 1.0];

impl Renderer {
    /// Draws the windows that are damaged and can be seen.
    pub(super) fn draw_all(&mut self, now: u64) {
        for sight in self.views.sights() {
            let Some(window) = self.window_mut(sight.id) else { continue };
            let next = std::mem::take(&mut window.next_damage);
            window.damage.add(next);
            // What a hidden window asked for stays asked; a slow one is drawn in its turn.
            if sight.visible && window.damage != Damage::None && !window.is_slow() && window.busy.is_none() {
                self.draw_window(&sight, now);
            }
        }
        self.serve(None);
    }

    /// Draws the damage of a window's content.
    fn draw_window(&mut self, view: &Sight, now: u64) {
        let id = view.id;
        if self.views.get(id).is_none_or(|view| view.surface.is_none()) || !self.may_have_picture(view, now) {
            return;
        }
        let (width, height) = (view.content.width, view.content.height);
        let all = Rect::new(0, 0, width, height);
        let Some(window) = self.window_mut(id) else { return };
        let kept = window.picture.take();
        let is_new = kept.as_ref().is_none_or(|picture| picture.size() != (width, height));
        let clip = match window.damage {
            Damage::Part(part) if !is_new => part.intersection(&all),
            Damage::None | Damage::Part(_) | Damage::All => all,
        };
        self.serve(Some(id.client));
        let begun = self.tracker.clock().now();
        let made = self.framebuffer_of(id, kept, width, height);
        self.charge(id.client, self.tracker.clock().now().saturating_sub(begun));
        let Some(picture) = made else {
            // It is not tried again in each frame.
            self.is_drawn(id);
            return;
        };
        let context = self.context_mut(id.client, id.context);
        let desc = context.as_ref().and_then(|context| context.windows.get(&id.oid)).map(|w| w.desc.clone());
        let published =
            context.zip(desc).and_then(|(context, desc)| context.published(&desc, Callback::Redraw));
        let is_done = match published {
            None => {
                self.tracker.fill(&picture, &[clip], clip, EMPTY);
                true
            }
            Some(_) if self.over_quota(id, Callback::Redraw, now) => {
                self.pending = true;
                false
            }
            Some(published) => self.redraw(view, clip, published, now, &picture),
        };
        if let Some(window) = self.window_mut(id) {
            window.picture = Some(picture);
            if is_done {
                window.damage = Damage::None;
                window.completed(clip);
            } else {
                window.damage = Damage::All;
            }
        }
    }

    /// Hands all pictures that are complete and new over to the glass.
    pub(super) fn hand_over(&mut self, now: u64) {
        let frame = self.frame;
        let mut drawn_clients = std::collections::BTreeSet::new();
        for sight in self.views.sights() {
            let id = sight.id;
            let Renderer { clients, views, tracker, outbox, .. } = self;
            let context = clients.get_mut(&id.client).and_then(|c| c.contexts.get_mut(&id.context));
            let Some(context) = context else { continue };
            let tell = context.channel.wants_presented();
            let Some(window) = context.windows.get_mut(&id.oid) else { continue };
            let Some(damage) = window.complete else { continue };
            if outbox.drawn.len() >= MAX_DRAWN {
                // It is told with the next frame.
                self.pending = true;
                continue;
            }
            let Some(picture) = &window.picture else { continue };
            let Some(surface) = views.get_mut(id).and_then(|view| view.surface.as_mut()) else { continue };
            if surface.size() != picture.size() {
                // Another buffer is under way.
                window.damage = Damage::All;
                continue;
            }
            window.complete = None;
            let read = |part: Rect, pixels: &mut [u8]| tracker.read_into(picture, part, pixels);
            match surface.hand_over(damage, read) {
                Some(at) => outbox.drawn.push(drawn(id, at, damage, tell)),
                None => log::error!("window {id}: its memory has no room for its picture"),
            }
            drawn_clients.insert((id.client, id.context));
        }
        // The clock is told of frames in which a window of the context was drawn, so that it says nothing of others.
        for (client, context) in drawn_clients {
            let Some(client) = self.clients.get_mut(&client) else { continue };
            if client.drawn_in != Some(frame.number) {
                client.drawn_in = Some(frame.number);
                client.frames += 1;
            }
            let frames = client.frames;
            if let Some(context) = client.contexts.get_mut(&context) {
                context.channel.clock(now, frame.presentation, frame.refresh, frames);
            }
        }
    }

    /// May a window have a picture, given those that its client has? If not, the client is told, once.
    pub(super) fn may_have_picture(&mut self, view: &Sight, now: u64) -> bool {
        let id = view.id;
        let pixels = |(width, height): (u32, u32)| u64::from(width) * u64::from(height);
        let of = |window: &Window| window.picture.as_ref().map_or(0, |picture| pixels(picture.size()));
        let Some(window) = self.window(id) else { return false };
        let own = of(window);
        let others = self.windows_of(id.client).map(of).sum::<u64>().saturating_sub(own);
        let wanted = others.saturating_add(pixels((view.content.width, view.content.height)));
        let refused = wanted > MAX_OFFSCREEN_PIXELS;
        let Some(window) = self.window_mut(id) else { return false };
        if refused && !window.unbuffered {
            let error = format!(
                "the client's windows would have {wanted} pixels of {MAX_OFFSCREEN_PIXELS}; this window is not drawn"
            );
            window.error = Some(error.clone());
            let limit = u32::try_from(MAX_OFFSCREEN_PIXELS).unwrap_or(u32::MAX);
            let words = [Callback::Redraw as u32, QuotaKind::Buffers as u32, limit, 0];
            self.event(id, EventKind::Quota, now, words);
            if let Some(client) = self.clients.get_mut(&id.client) {
                client.error(now, format!("window {id}: {error}"));
            }
        }
        if let Some(window) = self.window_mut(id) {
            window.unbuffered = refused;
        }
        !refused
    }

    /// The damage of a window was drawn, or can't be.
    fn is_drawn(&mut self, id: WindowId) {
        if let Some(window) = self.window_mut(id) {
            window.damage = Damage::None;
        }
    }

    /// A framebuffer of this size: the one that is kept, if it has it.
    pub(super) fn framebuffer_of(
        &mut self,
        id: WindowId,
        kept: Option<Framebuffer>,
        width: u32,
        height: u32,
    ) -> Option<Framebuffer> {
        match kept {
            Some(buffer) if buffer.size() == (width, height) => return Some(buffer),
            Some(old) => self.tracker.delete_framebuffer(old),
            None => {}
        }
        match self.tracker.create_framebuffer(width, height) {
            Ok(buffer) => {
                self.tracker.wait_for_pixels(u64::from(width) * u64::from(height));
                Some(buffer)
            }
            Err(error) => {
                if let Some(window) = self.window_mut(id) {
                    window.error = Some(format!("no buffer of {width}x{height}: {error}"));
                }
                None
            }
        }
    }

    /// Runs `redraw` into the window's picture. Is it at its end? If not, the window is slow now.
    fn redraw(
        &mut self,
        view: &Sight,
        clip: Rect,
        published: Published,
        now: u64,
        picture: &Framebuffer,
    ) -> bool {
        let id = view.id;
        let Some(length) = self.slice_of(id.client) else {
            // The client's windows together take more than it has.
            self.becomes_slow(id, Reason::Together, now);
            return false;
        };
        let stride = self.stride_of(id);
        let env = self.surroundings(view).environment();
        let Some(context) = self.context_mut(id.client, id.context) else { return true };
        let Some(mut run) = Running::new(context, id.oid, published, env, view.content) else { return true };
        let length = length.saturating_sub(self.clear_ground(id, &mut run, picture, clip));
        let slice = Slice { length: Some(length), stride, is_slow: false };
        let left_out = if length > 0 { self.paint(id, &mut run, picture, clip, slice) } else { None };
        self.charge(id.client, run.time);
        match left_out {
            Some(left_out) => {
                self.redrawn(view, run, left_out, now);
                true
            }
            None => {
                self.becomes_slow(id, Reason::Long, now);
                false
            }
        }
    }

    /// Gives a `redraw` a slice, to draw into `picture`. If it came to its end: how many draws were left out.
    pub(super) fn paint(
        &mut self,
        id: WindowId,
        run: &mut Running,
        picture: &Framebuffer,
        clip: Rect,
        slice: Slice,
    ) -> Option<u64> {
        let Renderer { tracker, resources, .. } = self;
        let (width, height) = picture.size();
        let target = Target { framebuffer: picture, window: Rect::new(0, 0, width, height), clip };
        let scope = resources.scope(id.client.0, id.context);
        tracker.begin_slice(slice);
        let paused = run.paused.take();
        let (state, mut program) = run.split();
        let mut painter = match paused {
            None => tracker.begin(target, state, scope),
            Some(paused) => tracker.resume(target, state, scope, *paused),
        };
        if painter.is_drawn() {
            program.advance(&mut painter);
        }
        let painted = if program.is_at_end() { painter.finish() } else { Painted::Part(painter.pause()) };
        let taken = tracker.end_slice();
        let left_out = match painted {
            Painted::Whole { left_out } => Some(left_out),
            Painted::Part(paused) => {
                run.paused = Some(paused);
                None
            }
        };
        if let Some(window) = self.window_mut(id) {
            window.stride = taken.stride;
        }
        self.count_slice(id, run, taken, left_out.is_some());
        self.count_calls(id.client);
        left_out
    }

    /// Makes what a `redraw` starts on what it may rely on, where it does not do so itself. The time that it takes is the
    /// run's: a window may be much larger than the screen.
    pub(super) fn clear_ground(
        &mut self,
        id: WindowId,
        run: &mut Running,
        framebuffer: &Framebuffer,
        clip: Rect,
    ) -> u64 {
        let Some(lists) = self.window(id).map(|window| window.list_use.tests) else { return 0 };
        let tracker = &mut self.tracker;
        let (facts, state) = (run.published.program.facts(), &run.state);
        let begun = tracker.clock().now();
        let area = u64::from(clip.width) * u64::from(clip.height);
        let mut pixels: u64 = 0;
        if !clears_color(facts, state) {
            pixels = area;
            tracker.fill(framebuffer, &[clip], clip, EMPTY);
        }
        // Without a test, nobody reads what is in the buffer.
        let tests_depth = facts.body.may_use_depth() || state.depth_test() || lists.depth;
        let tests_stencil = facts.body.may_use_stencil() || state.stencil_test() || lists.stencil;
        if (tests_depth && !clears_depth(facts, state)) || (tests_stencil && !clears_stencil(facts, state)) {
            tracker.clear_depth(framebuffer, clip);
            pixels = pixels.saturating_add(area);
        }
        tracker.wait_for_pixels(pixels);
        let took = tracker.clock().now().saturating_sub(begun);
        run.time = run.time.saturating_add(took);
        took
    }

    /// A `redraw` is at its end, and all of it drawn.
    pub(super) fn redrawn(&mut self, view: &Sight, run: Running, left_out: u64, now: u64) {
        let time = run.time;
        if let Some(client) = self.clients.get_mut(&view.id.client) {
            client.stats.redraws += 1;
            client.stats.redraw_intervals.event(now);
            client.stats.redraw_time.add(time);
        }
        if left_out > 0 {
            let limit = u32::try_from(MAX_DRAWS).unwrap_or(u32::MAX);
            let words = [Callback::Redraw as u32, QuotaKind::Draws as u32, limit, 0];
            self.event(view.id, EventKind::Quota, now, words);
        }
        let Some(context) = self.context_mut(view.id.client, view.id.context) else { return };
        let Some((finished, hot)) = run.finish(context, view.id.oid) else { return };
        let Finished { published, outcome, .. } = finished;
        if let Some(window) = self.window_mut(view.id) {
            window.redraws += 1;
            window.next_damage.add(Window::wish(&outcome, &view.content));
        }
        self.settle(view, &published.program, &outcome, hot, now);
    }
}

/// Does the program itself, before it draws, clear all of its part of the color buffer?
fn clears_color(facts: &Facts, state: &WindowState) -> bool {
    facts.body.is_opaque(state.scissor_open(), state.color_mask_open())
}

/// The same for the depth buffer.
fn clears_depth(facts: &Facts, state: &WindowState) -> bool {
    let clear = facts.body.opening_depth_clear;
    clear.is_some_and(|clear| clear.covers_window(state.scissor_open(), state.depth_mask_open()))
}

/// The same for the stencil buffer.
fn clears_stencil(facts: &Facts, state: &WindowState) -> bool {
    let clear = facts.body.opening_stencil_clear;
    clear.is_some_and(|clear| clear.covers_window(state.scissor_open(), state.stencil_mask_open()))
}
