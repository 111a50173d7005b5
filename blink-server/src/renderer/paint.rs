//! Drawing one window: its content by its own `redraw`, its frame by the server.

use super::server::{BACKGROUND, EMPTY, Server};
use super::window::{self, Damage, Label, Window};
use crate::compositor::View;
use crate::compositor::decoration::{LABEL, label_image, shade};
use crate::geometry::Rect;
use crate::gl::{Target, WindowState};
use crate::ipc::WindowId;
use blinkgl::layout::{EventKind, QuotaKind};
use blinkgl::limits::{MAX_DRAWS, MAX_OFFSCREEN_PIXELS};
use blinkgl::ops::Callback;
use jit::Program;
use std::sync::Arc;
use std::time::Instant;
use verifier::Facts;

impl Server {
    /// Draws the part `clip` of a window's content.
    pub(super) fn draw_content(&mut self, view: &View, clip: Rect, presentation: u64, now: u64) {
        let id = view.id;
        let Some(context) = self.context_mut(id.client, id.context) else { return };
        let Some(window) = context.windows.get(&id.oid) else { return };
        let offscreen = window.desc.offscreen;
        let Some(program) = context.program(&window.desc, Callback::Redraw) else {
            self.tracker.fill(&self.screen, &[clip], clip, EMPTY);
            self.drawn(id);
            return;
        };
        if self.over_quota(id, Callback::Redraw, now) {
            self.tracker.fill(&self.screen, &[clip], clip, EMPTY);
            if let Some(window) = self.window_mut(id) {
                window.damage = Damage::All;
            }
            self.ask_for_frame();
        } else if offscreen && self.may_buffer(view, now) {
            self.draw_offscreen(view, clip, &program, presentation, now);
        } else {
            self.drop_buffer(id);
            self.redraw(view, clip, &program, presentation, now, None);
            self.drawn(id);
        }
    }

    fn drop_buffer(&mut self, id: WindowId) {
        if let Some(buffer) = self.window_mut(id).and_then(|w| w.buffer.take()) {
            self.tracker.delete_framebuffer(buffer);
        }
    }

    /// May an off-screen window have its buffer, given those that its client has? If not, it is told, once.
    fn may_buffer(&mut self, view: &View, now: u64) -> bool {
        let id = view.id;
        let pixels = |(width, height): (u32, u32)| u64::from(width) * u64::from(height);
        let own = self.window(id).and_then(|w| w.buffer.as_ref()).map_or(0, |b| pixels(b.size()));
        let all: u64 =
            self.windows_of(id.client).filter_map(|w| w.buffer.as_ref()).map(|b| pixels(b.size())).sum();
        let wanted = all - own + pixels((view.content.width, view.content.height));
        let refused = wanted > MAX_OFFSCREEN_PIXELS;
        let Some(window) = self.window_mut(id) else { return false };
        if refused && !window.unbuffered {
            let error = format!(
                "the client's off-screen buffers would have {wanted} pixels of {MAX_OFFSCREEN_PIXELS}; this window \
                 is drawn directly"
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

    /// Redraws into the window's own buffer if the content changed, and copies the part to the output.
    fn draw_offscreen(
        &mut self,
        view: &View,
        clip: Rect,
        program: &Arc<Program>,
        presentation: u64,
        now: u64,
    ) {
        let (width, height) = (view.content.width, view.content.height);
        let Some(window) = self.window_mut(view.id) else { return };
        let fits = window.buffer.as_ref().is_some_and(|b| b.size() == (width, height));
        let stale = window.damage != Damage::None || !fits;
        let kept = window.buffer.take();
        let buffer = match (fits, kept) {
            (true, Some(buffer)) => buffer,
            (_, kept) => {
                if let Some(old) = kept {
                    self.tracker.delete_framebuffer(old);
                }
                match self.tracker.create_framebuffer(width, height) {
                    Ok(buffer) => buffer,
                    Err(error) => {
                        if let Some(window) = self.window_mut(view.id) {
                            window.error = Some(format!("no buffer of {width}x{height}: {error}"));
                        }
                        self.tracker.fill(&self.screen, &[clip], clip, EMPTY);
                        return;
                    }
                }
            }
        };
        if stale {
            let local = View { content: Rect::new(0, 0, width, height), ..*view };
            let all = local.content;
            self.redraw(view, all, program, presentation, now, Some(&buffer));
            self.drawn(view.id);
        }
        let from = clip.translated(view.content.x.saturating_neg(), view.content.y.saturating_neg());
        self.tracker.copy(&buffer, from, &self.screen, (clip.x, clip.y), clip);
        if let Some(window) = self.window_mut(view.id) {
            window.buffer = Some(buffer);
        }
    }

    /// Runs `redraw` into `buffer` (whose origin is the content's), or straight into the output.
    fn redraw(
        &mut self,
        view: &View,
        clip: Rect,
        program: &Arc<Program>,
        presentation: u64,
        now: u64,
        buffer: Option<&crate::gl::Framebuffer>,
    ) {
        let started = Instant::now();
        let env = self.surroundings(view, presentation).environment();
        let Some(window) = self.window(view.id) else { return };
        let (mut state, lists) = (window.state.clone(), window.list_use.tests);
        state.start_callback();
        let place = if buffer.is_some() {
            Rect::new(0, 0, view.content.width, view.content.height)
        } else {
            view.content
        };
        let Server { tracker, resources, screen, clients, .. } = self;
        let framebuffer = buffer.unwrap_or(screen);
        let facts = program.facts();
        if !clears_color(facts, &state) {
            tracker.fill(framebuffer, &[clip], clip, EMPTY);
        }
        // Without a test, nobody reads what is in the buffer.
        let tests_depth = facts.body.may_use_depth() || state.depth_test() || lists.depth;
        let tests_stencil = facts.body.may_use_stencil() || state.stencil_test() || lists.stencil;
        if (tests_depth && !clears_depth(facts, &state)) || (tests_stencil && !clears_stencil(facts, &state))
        {
            tracker.clear_depth(framebuffer, clip);
        }
        let Some(context) =
            clients.get_mut(&view.id.client).and_then(|c| c.contexts.get_mut(&view.id.context))
        else {
            return;
        };
        let target = Target { framebuffer, window: place, clip };
        let scope = resources.scope(view.id.client.0, view.id.context);
        let mut painter = tracker.begin(target, &mut state, scope);
        let outcome = window::run(context, view.id.oid, program, &env, &mut painter);
        let (left_out, too_slow) = painter.finish();
        if too_slow {
            self.drew_too_long(view.id, now);
        }
        self.time_redraw(view.id.client, started, now);
        if left_out > 0 {
            let limit = u32::try_from(MAX_DRAWS).unwrap_or(u32::MAX);
            let words = [Callback::Redraw as u32, QuotaKind::Draws as u32, limit, 0];
            self.event(view.id, EventKind::Quota, now, words);
        }
        let Some((outcome, hot)) = outcome else { return };
        if let Some(window) = self.window_mut(view.id) {
            window.redraws += 1;
            window.next_damage.add(Window::wish(&outcome, &view.content));
        }
        self.settle(view, program, &outcome, hot, now);
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
        if window.label.as_ref().map(|l| &l.made_of) != Some(&made_of) {
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
