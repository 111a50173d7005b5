//! Drawing one window: its content by its own `redraw`, its frame by the server.

use super::running::{Finished, Running};
use super::server::{BACKGROUND, EMPTY, Server};
use super::slow::{Reason, framebuffers};
use super::window::{Damage, Label, Published, Window};
use blinkgl::layout::{EventKind, QuotaKind};
use blinkgl::limits::{MAX_DRAWS, MAX_OFFSCREEN_PIXELS};
use blinkgl::ops::Callback;
use gl::{Framebuffer, Painted, Slice, Target, WindowState};
use glass::View;
use glass::decoration::{LABEL, label_image, shade};
use ipc::WindowId;
use ipc::geometry::Rect;
use verifier::Facts;

impl Server {
    /// Draws the part `clip` of a window's content.
    pub(super) fn draw_content(&mut self, view: &View, clip: Rect, presentation: u64, now: u64) {
        let id = view.id;
        let Some(context) = self.context_mut(id.client, id.context) else { return };
        let Some(window) = context.windows.get(&id.oid) else { return };
        let (offscreen, is_busy) = (window.desc.offscreen, window.busy.is_some());
        if window.is_slow() {
            self.show_buffer(view, clip);
            return;
        }
        let Some(published) = context.published(&window.desc, Callback::Redraw) else {
            self.tracker.fill(&self.screen, &[clip], clip, EMPTY);
            self.drawn(id);
            return;
        };
        if is_busy {
            // It is drawn when that run is at its end.
            self.show_buffer(view, clip);
            if let Some(window) = self.window_mut(id) {
                window.damage = Damage::All;
            }
        } else if self.over_quota(id, Callback::Redraw, now) {
            self.tracker.fill(&self.screen, &[clip], clip, EMPTY);
            if let Some(window) = self.window_mut(id) {
                window.damage = Damage::All;
            }
            self.ask_for_frame();
        } else if offscreen && self.may_buffer(view, now) {
            self.draw_offscreen(view, clip, published, presentation, now);
        } else {
            if offscreen {
                self.drop_buffer(id);
            }
            if self.redraw(view, clip, published, presentation, now, None) {
                self.drawn(id);
            } else {
                self.show_buffer(view, clip);
            }
        }
    }

    /// Windows that are drawn directly again have a complete picture on the screen: nobody needs their last one from before.
    pub(super) fn drop_old_buffers(&mut self) {
        let ids: Vec<WindowId> = self.stack.views().iter().map(|view| view.id).collect();
        for id in ids {
            let is_old = self
                .window(id)
                .is_some_and(|w| !w.is_slow() && !w.desc.offscreen && w.damage == Damage::None);
            if is_old {
                self.drop_buffer(id);
            }
        }
    }

    fn drop_buffer(&mut self, id: WindowId) {
        if let Some(buffer) = self.window_mut(id).and_then(|w| w.buffer.take()) {
            self.tracker.delete_framebuffer(buffer);
        }
    }

    /// May a window have the buffers that it needs, given those that its client has? If not, it is told, once.
    pub(super) fn may_buffer(&mut self, view: &View, now: u64) -> bool {
        let id = view.id;
        let pixels = |(width, height): (u32, u32)| u64::from(width) * u64::from(height);
        let of = |window: &Window| window.framebuffers().map(|b| pixels(b.size())).sum::<u64>();
        let Some(window) = self.window(id) else { return false };
        let (own, needed, is_slow) = (of(window), framebuffers(window), window.is_slow());
        let others = self.windows_of(id.client).map(of).sum::<u64>().saturating_sub(own);
        // Old ones of another size are there until the new ones have a picture.
        let wanted = others.saturating_add(needed * pixels((view.content.width, view.content.height)));
        let refused = wanted > MAX_OFFSCREEN_PIXELS;
        let Some(window) = self.window_mut(id) else { return false };
        if refused && !window.unbuffered {
            let instead = if is_slow { "not drawn" } else { "drawn directly" };
            let error = format!(
                "the client's off-screen buffers would have {wanted} pixels of {MAX_OFFSCREEN_PIXELS}; this window \
                 is {instead}"
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

    /// The damage of a window was drawn.
    fn drawn(&mut self, id: WindowId) {
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

    /// Redraws into the window's own buffer if the content changed, and copies the part to the output.
    fn draw_offscreen(&mut self, view: &View, clip: Rect, published: Published, presentation: u64, now: u64) {
        let (width, height) = (view.content.width, view.content.height);
        let Some(window) = self.window_mut(view.id) else { return };
        let fits = window.buffer.as_ref().is_some_and(|b| b.size() == (width, height));
        let stale = window.damage != Damage::None || !fits;
        let kept = window.buffer.take();
        self.serve(Some(view.id.client));
        let begun = self.tracker.clock().now();
        let made = self.framebuffer_of(view.id, kept, width, height);
        self.charge(view.id.client, self.tracker.clock().now().saturating_sub(begun));
        let Some(buffer) = made else {
            self.tracker.fill(&self.screen, &[clip], clip, EMPTY);
            return;
        };
        let all = Rect::new(0, 0, width, height);
        if !stale || self.redraw(view, all, published, presentation, now, Some(&buffer)) {
            if let Some(window) = self.window_mut(view.id) {
                window.buffer = Some(buffer);
            }
            self.drawn(view.id);
        } else {
            // Half a picture is none.
            self.tracker.delete_framebuffer(buffer);
        }
        self.show_buffer(view, clip);
    }

    /// Runs `redraw` into `buffer` (whose origin is the content's), or straight into the output. Is it at its end? If not,
    /// the window is slow now.
    fn redraw(
        &mut self,
        view: &View,
        clip: Rect,
        published: Published,
        presentation: u64,
        now: u64,
        buffer: Option<&Framebuffer>,
    ) -> bool {
        let id = view.id;
        let Some(length) = self.slice_of(id.client) else {
            // The client's windows together take more than it has.
            self.becomes_slow(id, Reason::Together, now);
            return false;
        };
        self.serve(Some(id.client));
        let stride = self.stride_of(id);
        let place = if buffer.is_some() {
            Rect::new(0, 0, view.content.width, view.content.height)
        } else {
            view.content
        };
        let env = self.surroundings(view, presentation).environment();
        let Some(context) = self.context_mut(id.client, id.context) else { return true };
        let Some(mut run) = Running::new(context, id.oid, published, env, view.content) else { return true };
        let length = length.saturating_sub(self.clear_ground(id, &mut run, buffer, clip));
        let slice = Slice { length: Some(length), stride, is_slow: false };
        let left_out = if length > 0 { self.paint(id, &mut run, buffer, place, clip, slice) } else { None };
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

    /// Gives a `redraw` a slice, to draw into `buffer` or the output. If it came to its end: how many draws were left
    /// out.
    pub(super) fn paint(
        &mut self,
        id: WindowId,
        run: &mut Running,
        buffer: Option<&Framebuffer>,
        place: Rect,
        clip: Rect,
        slice: Slice,
    ) -> Option<u64> {
        let Server { tracker, resources, screen, .. } = self;
        let target = Target { framebuffer: buffer.unwrap_or(screen), window: place, clip };
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
        buffer: Option<&Framebuffer>,
        clip: Rect,
    ) -> u64 {
        let Some(lists) = self.window(id).map(|window| window.list_use.tests) else { return 0 };
        let Server { tracker, screen, .. } = self;
        let framebuffer = buffer.unwrap_or(screen);
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
    pub(super) fn redrawn(&mut self, view: &View, run: Running, left_out: u64, now: u64) {
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

    /// Draws the frame around a window where it meets `clip`.
    pub(super) fn draw_decoration(&mut self, view: &View, clip: Rect) {
        let Some(client) = self.clients.get(&view.id.client) else { return };
        let focus = self.stack.focus() == Some(view.id);
        let color = client.info.color;
        let [r, g, b] = shade(color, focus).map(|c| f32::from(c) / 255.0);
        let border = view.style.border(&view.content);
        self.tracker.fill(&self.screen, &border, clip, [r, g, b, 1.0]);
        let label = view.style.label(&view.content);
        if !label.intersects(&clip) {
            return;
        }
        // The label's picture is as wide as the window, which is at most MAX_WINDOW_SIZE.
        let name = client.info.name.clone();
        let Some(window) = self.window(view.id) else { return };
        let made_of = (label.width, window.title.clone(), focus);
        let is_stale = window.label.as_ref().map(|l| &l.made_of) != Some(&made_of);
        if is_stale && self.slice_of(view.id.client).is_none() {
            // A client may change all its titles in each frame.
            self.damage_output(label);
        } else if is_stale {
            let begun = self.tracker.clock().now();
            let pixels = label_image(label.width, color, &name, &made_of.1, focus);
            let image = self.tracker.create_image(label.width, LABEL.unsigned_abs(), &pixels);
            let Some(window) = self.window_mut(view.id) else { return };
            let old = window.label.take();
            match image {
                Ok(image) => window.label = Some(Label { made_of, image }),
                Err(error) => log::error!("no label image: {error}"),
            }
            if let Some(old) = old {
                self.tracker.delete_image(old.image);
            }
            self.charge(view.id.client, self.tracker.clock().now().saturating_sub(begun));
        }
        let Server { tracker, screen, clients, .. } = self;
        let label_of = |id: WindowId| {
            clients.get(&id.client)?.contexts.get(&id.context)?.windows.get(&id.oid)?.label.as_ref()
        };
        match label_of(view.id) {
            Some(picture) => tracker.draw_image(screen, &picture.image, (label.x, label.y), clip),
            None => tracker.fill(screen, &[label], clip, BACKGROUND),
        }
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
