//! Where the user's input goes: to the server (labels, borders, close buttons), or to one window.
//!
//! A window hears of the pointer only while it is over its content, or while a button that was
//! pressed there is held; of keys only while it has the focus. Nothing here reads client memory.

use glass::{Part, Stack};
use ipc::geometry::Rect;
use ipc::{Input, WindowId};

/// What a window hears, with coordinates from its content's upper left corner.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Heard {
    /// The pointer moved.
    Motion,
    /// A button changed.
    Button {
        /// 0 left, 1 middle, 2 right.
        button: u8,
        /// Down or up.
        pressed: bool,
    },
    /// The wheel turned.
    Wheel {
        /// Positive away from the user.
        steps: i32,
    },
    /// A key changed.
    Key {
        /// Linux evdev code.
        code: u32,
        /// Down or up.
        pressed: bool,
    },
}

/// What input leads to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// A window hears something.
    Deliver(WindowId, Heard),
    /// A window comes to the top and gets the focus.
    Activate(WindowId),
    /// A window's content moves or changes its size.
    Place(WindowId, Rect),
    /// The user asks a window to close.
    Close(WindowId),
}

/// What a held button holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Grab {
    None,
    /// The window in whose content the button went down.
    Window(WindowId),
    /// A label: the content's corner relative to the pointer.
    Move {
        window: WindowId,
        dx: i32,
        dy: i32,
    },
    /// A border: where the pointer and the content were.
    Resize {
        window: WindowId,
        from: (i32, i32),
        content: Rect,
        horizontal: i32,
        vertical: i32,
    },
    /// A close button: closes if it is released there.
    Close(WindowId),
}

/// Pointer and buttons.
#[derive(Clone, Debug)]
pub struct Seat {
    x: i32,
    y: i32,
    buttons: u32,
    grab: Grab,
}

impl Default for Seat {
    fn default() -> Self {
        // Outside of every output, until the first motion.
        Seat { x: -1, y: -1, buttons: 0, grab: Grab::None }
    }
}

impl Seat {
    /// Where the pointer is on the output.
    #[must_use]
    pub fn pointer(&self) -> (i32, i32) {
        (self.x, self.y)
    }

    /// Buttons held, bit 0 left, 1 middle, 2 right.
    #[must_use]
    pub fn buttons(&self) -> u32 {
        self.buttons
    }

    /// A window is gone.
    pub fn forget(&mut self, window: WindowId) {
        let held = match self.grab {
            Grab::None => None,
            Grab::Window(id) | Grab::Close(id) => Some(id),
            Grab::Move { window, .. } | Grab::Resize { window, .. } => Some(window),
        };
        if held == Some(window) {
            self.grab = Grab::None;
        }
    }

    /// Takes an input; what it leads to, in order.
    pub fn handle(&mut self, input: Input, stack: &Stack) -> Vec<Action> {
        match input {
            Input::Motion { x, y } => {
                (self.x, self.y) = (pixel(x), pixel(y));
                self.motion(stack)
            }
            Input::Button { button, pressed } if button < 3 => self.button(button, pressed, stack),
            Input::Button { .. } => Vec::new(),
            Input::Wheel { steps } => {
                self.listener(stack).map(|w| Action::Deliver(w, Heard::Wheel { steps })).into_iter().collect()
            }
            Input::Key { code, pressed } => {
                let heard = Heard::Key { code, pressed };
                stack.focus().map(|w| Action::Deliver(w, heard)).into_iter().collect()
            }
        }
    }

    /// The window that hears of the pointer.
    fn listener(&self, stack: &Stack) -> Option<WindowId> {
        match self.grab {
            Grab::Window(id) => Some(id),
            Grab::None => match stack.at(self.x, self.y) {
                Some((id, Part::Content)) => Some(id),
                Some((_, Part::Label | Part::Close | Part::Border { .. })) | None => None,
            },
            Grab::Move { .. } | Grab::Resize { .. } | Grab::Close(_) => None,
        }
    }

    fn motion(&mut self, stack: &Stack) -> Vec<Action> {
        match self.grab {
            Grab::Move { window, dx, dy } => stack
                .get(window)
                .map(|view| {
                    let (x, y) = (self.x.saturating_add(dx), self.y.saturating_add(dy));
                    Action::Place(window, Rect { x, y, ..view.content })
                })
                .into_iter()
                .collect(),
            Grab::Resize { window, from, content, horizontal, vertical } => {
                let (dx, dy) = (self.x.saturating_sub(from.0), self.y.saturating_sub(from.1));
                let grow = |side: i32, by: i32| if side > 0 { by } else { 0 };
                let shift = |side: i32, by: i32| if side < 0 { by } else { 0 };
                let least = i32::try_from(blinkgl::limits::MIN_WINDOW_SIZE).unwrap_or(16);
                let left = content
                    .x
                    .saturating_add(shift(horizontal, dx))
                    .min(content.right().saturating_sub(least));
                let top =
                    content.y.saturating_add(shift(vertical, dy)).min(content.bottom().saturating_sub(least));
                let right =
                    content.right().saturating_add(grow(horizontal, dx)).max(left.saturating_add(least));
                let bottom =
                    content.bottom().saturating_add(grow(vertical, dy)).max(top.saturating_add(least));
                vec![Action::Place(window, Rect::between(left, top, right, bottom))]
            }
            Grab::Close(_) => Vec::new(),
            Grab::None | Grab::Window(_) => {
                self.listener(stack).map(|w| Action::Deliver(w, Heard::Motion)).into_iter().collect()
            }
        }
    }

    fn button(&mut self, button: u8, pressed: bool, stack: &Stack) -> Vec<Action> {
        let before = self.buttons;
        if pressed {
            self.buttons |= 1 << button;
        } else {
            self.buttons &= !(1 << button);
        }
        let heard = Heard::Button { button, pressed };
        let mut actions = Vec::new();
        if pressed && before == 0 {
            let Some((window, part)) = stack.at(self.x, self.y) else { return actions };
            actions.push(Action::Activate(window));
            let content = stack.get(window).map(|v| v.content).unwrap_or_default();
            self.grab = match part {
                Part::Content => {
                    actions.push(Action::Deliver(window, heard));
                    Grab::Window(window)
                }
                Part::Label => Grab::Move {
                    window,
                    dx: content.x.saturating_sub(self.x),
                    dy: content.y.saturating_sub(self.y),
                },
                Part::Close => Grab::Close(window),
                Part::Border { horizontal, vertical } => {
                    Grab::Resize { window, from: (self.x, self.y), content, horizontal, vertical }
                }
            };
            return actions;
        }
        if let Grab::Window(window) = self.grab {
            actions.push(Action::Deliver(window, heard));
        }
        if self.buttons == 0 {
            if let Grab::Close(window) = self.grab
                && stack.at(self.x, self.y) == Some((window, Part::Close))
            {
                actions.push(Action::Close(window));
            }
            self.grab = Grab::None;
        }
        actions
    }
}

/// A coordinate as a pixel: rounded down, saturating, NaN to 0.
#[allow(clippy::cast_possible_truncation, reason = "`as` from float to integer saturates")]
fn pixel(value: f64) -> i32 {
    value.floor() as i32
}

#[cfg(test)]
mod tests {
    use super::*;
    use glass::{Style, View};
    use ipc::ClientId;

    fn stack() -> (Stack, WindowId, WindowId) {
        let id = |oid| WindowId { client: ClientId(1), context: 0, oid };
        let mut stack = Stack::default();
        for (oid, x) in [(1, 100), (2, 150)] {
            let content = Rect::new(x, 100, 100, 100);
            stack.add(View { id: id(oid), content, style: Style::TopLevel, parent: None });
        }
        (stack, id(1), id(2))
    }

    fn to(x: i32, y: i32) -> Input {
        Input::Motion { x: f64::from(x), y: f64::from(y) }
    }

    fn button(pressed: bool) -> Input {
        Input::Button { button: 0, pressed }
    }

    #[test]
    fn a_press_in_content_is_heard_there_until_release() {
        let (stack, first, _) = stack();
        let mut seat = Seat::default();
        assert_eq!(seat.handle(to(110, 110), &stack), [Action::Deliver(first, Heard::Motion)]);
        let press = Heard::Button { button: 0, pressed: true };
        assert_eq!(
            seat.handle(button(true), &stack),
            [Action::Activate(first), Action::Deliver(first, press)]
        );
        assert_eq!(seat.handle(to(220, 150), &stack), [Action::Deliver(first, Heard::Motion)]);
        let release = Heard::Button { button: 0, pressed: false };
        assert_eq!(seat.handle(button(false), &stack), [Action::Deliver(first, release)]);
        assert_eq!(seat.handle(to(0, 0), &stack), []);
    }

    #[test]
    fn labels_move_borders_resize_buttons_close() {
        let (stack, first, second) = stack();
        let mut seat = Seat::default();
        seat.handle(to(105, 90), &stack);
        assert_eq!(seat.handle(button(true), &stack), [Action::Activate(first)]);
        assert_eq!(seat.handle(to(95, 95), &stack), [Action::Place(first, Rect::new(90, 105, 100, 100))]);
        seat.handle(button(false), &stack);

        seat.handle(to(251, 201), &stack);
        assert_eq!(seat.handle(button(true), &stack), [Action::Activate(second)]);
        assert_eq!(seat.handle(to(261, 221), &stack), [Action::Place(second, Rect::new(150, 100, 110, 120))]);
        assert_eq!(
            seat.handle(to(i32::MIN, i32::MIN), &stack),
            [Action::Place(second, Rect::new(150, 100, 16, 16))]
        );
        seat.handle(button(false), &stack);

        seat.handle(to(245, 90), &stack);
        seat.handle(button(true), &stack);
        assert_eq!(seat.handle(button(false), &stack), [Action::Close(second)]);
        seat.handle(button(true), &stack);
        seat.handle(to(0, 0), &stack);
        assert_eq!(seat.handle(button(false), &stack), [], "released elsewhere");
    }

    #[test]
    fn keys_go_to_the_focus_only() {
        let (mut stack, first, _) = stack();
        let mut seat = Seat::default();
        let key = Input::Key { code: 57, pressed: true };
        assert_eq!(seat.handle(key, &stack), []);
        stack.set_focus(Some(first));
        let heard = Heard::Key { code: 57, pressed: true };
        assert_eq!(seat.handle(key, &stack), [Action::Deliver(first, heard)]);
        seat.handle(Input::Motion { x: f64::NAN, y: f64::INFINITY }, &stack);
        assert_eq!(seat.pointer(), (0, i32::MAX));
    }
}
