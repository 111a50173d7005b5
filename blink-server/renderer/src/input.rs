//! What the glass says of places, focus and the user's input: runs `input` callbacks and tells clients.

use super::renderer::Renderer;
use super::window::Damage;
use blinkgl::layout::EventKind;
use blinkgl::ops::External;
use ipc::WindowId;
use ipc::geometry::Rect;
use ipc::glass::Heard;

/// Codes of the `event` external, see [`External::Event`].
const MOTION: f32 = 1.0;
const BUTTON: f32 = 2.0;
const WHEEL: f32 = 3.0;
const KEY: f32 = 4.0;
const LEFT: f32 = 6.0;

impl Renderer {
    /// A window is here now.
    pub(super) fn place(&mut self, id: WindowId, content: Rect, visible: bool, focus: bool, now: u64) {
        // It may be gone: the glass does not know yet.
        let Some(window) = self.window(id) else { return };
        let wished = (window.desc.width, window.desc.height);
        let is_new = self.views.get(id).is_none();
        let view = self.views.entry(id, content);
        let before = if is_new { None } else { Some((view.content, view.visible)) };
        let had_focus = std::mem::replace(&mut view.focus, focus);
        (view.content, view.visible) = (content, visible);
        let is_told = match before {
            // A new window that is as its client wished it needs no telling.
            None => (content.width, content.height) == wished,
            Some((old, _)) => old == content,
        };
        if !is_told {
            let Rect { x, y, width, height } = content;
            self.event(id, EventKind::Reshape, now, [x.cast_unsigned(), y.cast_unsigned(), width, height]);
            self.pending = true;
        }
        if had_focus != focus {
            self.event(id, EventKind::Focus, now, [u32::from(focus), 0, 0, 0]);
            self.pending |= self.window(id).is_some_and(|window| window.damage != Damage::None);
        }
        let is_uncovered = visible && before.is_none_or(|(_, was_visible)| !was_visible);
        self.pending |= is_new || is_uncovered;
    }

    /// A window hears of input. `at`: the pointer, from its content's upper left corner.
    #[allow(clippy::cast_precision_loss, reason = "registers are f32")]
    pub(super) fn input(&mut self, id: WindowId, heard: Heard, at: (i32, i32), buttons: u32, now: u64) {
        let Some(view) = self.views.get_mut(id) else { return };
        (view.pointer, view.buttons) = (at, buttons);
        view.inside = match heard {
            Heard::Leave => false,
            Heard::Motion | Heard::Button { .. } | Heard::Wheel { .. } => true,
            Heard::Key { .. } => view.inside,
        };
        self.run_input(id, now, |env| match heard {
            Heard::Motion => env.set(External::Event, MOTION),
            // So that the program can put a highlight out.
            Heard::Leave => env.set(External::Event, LEFT),
            Heard::Button { .. } => env.set(External::Event, BUTTON),
            Heard::Wheel { steps } => {
                env.set(External::Event, WHEEL);
                env.set(External::Wheel, steps as f32);
            }
            Heard::Key { code, pressed } => {
                env.set(External::Event, KEY);
                env.set(External::Key, code as f32);
                env.set(External::KeyState, f32::from(u8::from(pressed)));
            }
        });
        let [x, y] = [at.0.cast_unsigned(), at.1.cast_unsigned()];
        let (kind, words) = match heard {
            Heard::Motion => (EventKind::Pointer, [x, y, buttons, 0]),
            Heard::Leave => (EventKind::Pointer, [x, y, buttons, 1]),
            Heard::Button { button, pressed } => {
                (EventKind::Button, [x, y, buttons, u32::from(button) | u32::from(pressed) << 8])
            }
            Heard::Wheel { steps } => (EventKind::Wheel, [x, y, steps.cast_unsigned(), 0]),
            Heard::Key { code, pressed } => (EventKind::Key, [code, u32::from(pressed), 0, 0]),
        };
        self.event(id, kind, now, words);
    }
}
