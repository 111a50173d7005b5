//! The user's pointer and keyboard: what is held, by whom it is heard, and what the glass keeps for itself.
//!
//! A window hears of the pointer only while it is over its content, or while a button that was pressed there is held; of keys
//! only while it has the focus. What was pressed in a window is released there. Modifiers are the user's: a window that gets
//! the focus hears that they are held.

use crate::decoration::Part;
use crate::desk::Desk;
use crate::scene::Scene;
use crate::window::Window;
use ipc::geometry::Rect;
use ipc::glass::Heard;
use ipc::limits::MIN_WINDOW_SIZE;
use ipc::{Input, WindowId};

/// Nanoseconds for which a window gets no click that came under the pointer by itself, or that its client put over another
/// client's window, wherever the pointer was.
pub const GUARD: u64 = 300_000_000;
/// Buttons: left, middle, right, back, forward.
const BUTTONS: u8 = 5;
/// Codes of keys: up to KEY_MAX of Linux.
const KEYS: u32 = 768;
/// Keys that are held at once.
const MAX_HELD: usize = 64;
/// Ctrl, shift, alt and meta, left and right: evdev.
const MODIFIERS: [u32; 8] = [29, 97, 42, 54, 56, 100, 125, 126];
/// Of these, ctrl.
const CTRL: [u32; 2] = [29, 97];
/// Of these, alt.
const ALT: [u32; 2] = [56, 100];
/// With ctrl and alt: takes the keyboard from every client, and ends every grab.
const ESCAPE: u32 = 1;

/// What input leads to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// A window hears something.
    Deliver {
        /// The window.
        window: WindowId,
        /// What it hears.
        event: Heard,
        /// The pointer on the output, pixels.
        at: (i32, i32),
        /// Buttons that were pressed in it and are held: bit 0 is the left one.
        buttons: u32,
    },
    /// A window comes to the top and gets the focus.
    Activate(WindowId),
    /// The user moves or resizes a content.
    Place(WindowId, Rect),
    /// The user clicked on a cross.
    Close(WindowId),
    /// The user takes the keyboard from everybody.
    Unfocus,
}

/// What held buttons hold of a window.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Hold {
    /// The content.
    Content,
    /// The label: the content's corner from the pointer.
    Label(i32, i32),
    /// A border, on these sides: where the pointer and the content were.
    Border { sides: (i32, i32), from: (i32, i32), content: Rect },
    /// The cross: closes if it is released there.
    Cross,
}

/// What the seat looks at.
#[derive(Clone, Copy, Debug)]
pub struct Ground<'a> {
    /// Windows.
    pub desk: &'a Desk,
    /// What shows where.
    pub scene: &'a Scene,
}

impl Ground<'_> {
    /// The window and its part at a point.
    pub fn at(&self, (x, y): (i32, i32)) -> Option<(WindowId, Part)> {
        let (key, part) = self.scene.at(self.desk, x, y)?;
        Some((self.desk.get(key)?.id, part))
    }

    fn content_at(&self, at: (i32, i32)) -> Option<WindowId> {
        match self.at(at) {
            Some((id, Part::Content)) => Some(id),
            Some((_, Part::Label | Part::Close | Part::Border { .. })) | None => None,
        }
    }

    /// Did a client put its window over another client's so lately that the user can't have seen it?
    fn is_fresh(&self, id: WindowId, at: (i32, i32), now: u64) -> bool {
        let layers = self.scene.layers().iter().filter(|layer| layer.rect.contains(at.0, at.1));
        let windows = layers.filter_map(|layer| self.desk.get(layer.key));
        let mut windows = windows.skip_while(|window| window.id != id);
        // Its client may have put several there.
        let is_fresh = |window: &&Window| window.id.client == id.client && window.moves.is_fresh(at, now);
        let Some(seen) = windows.by_ref().find(|window| !is_fresh(window)) else { return false };
        seen.id.client != id.client
    }

    fn content(&self, id: WindowId) -> Option<Rect> {
        self.desk.window(id).map(|window| window.content)
    }
}

/// Pointer, buttons and keys.
#[derive(Debug)]
pub struct Seat {
    /// The pointer on the output; outside of every output, until the first motion.
    at: (i32, i32),
    /// The window that held buttons hold.
    grab: Option<(WindowId, Hold)>,
    /// Buttons of the grab that are held.
    held: u32,
    /// Buttons whose press nobody heard: nobody hears the release.
    swallowed: u32,
    /// The window that heard of the pointer last, and the last place inside.
    hover: Option<(WindowId, (i32, i32))>,
    /// What the user saw under the pointer.
    under: Option<WindowId>,
    /// A window that came under the pointer by itself, and until when it gets no click.
    guard: Option<(WindowId, u64)>,
    /// Keys held, and the windows that heard so.
    keys: Vec<(u32, Option<WindowId>)>,
}

impl Default for Seat {
    fn default() -> Self {
        let (grab, hover, under, guard, keys) = (None, None, None, None, Vec::new());
        Seat { at: (-1, -1), grab, held: 0, swallowed: 0, hover, under, guard, keys }
    }
}

impl Seat {
    /// Where the pointer is on the output.
    pub fn pointer(&self) -> (i32, i32) {
        self.at
    }

    /// Takes an input; what it leads to, in order.
    pub fn handle(&mut self, input: Input, ground: Ground<'_>, now: u64) -> Vec<Action> {
        let mut actions = Vec::new();
        match input {
            Input::Motion { x, y } => {
                self.at = (pixel(x), pixel(y));
                self.saw(ground);
                self.motion(ground, &mut actions);
            }
            Input::Button { button, pressed: true } if button < BUTTONS => {
                self.press(button, ground, now, &mut actions);
            }
            Input::Button { button, pressed: false } if button < BUTTONS => {
                self.release(button, ground, &mut actions);
            }
            Input::Button { .. } => {}
            Input::Wheel { steps } => {
                if let Some(window) = self.listener(ground) {
                    self.deliver(window, Heard::Wheel { steps }, ground, &mut actions);
                }
            }
            Input::Key { code, pressed } if code < KEYS => self.key(code, pressed, ground, &mut actions),
            Input::Key { .. } => {}
        }
        actions
    }

    /// A window hears something of the pointer.
    fn deliver(&mut self, window: WindowId, event: Heard, ground: Ground<'_>, actions: &mut Vec<Action>) {
        let at = self.at;
        let is_inside = ground.content(window).is_some_and(|content| content.contains(at.0, at.1));
        let last = self.hover.filter(|(hover, _)| *hover == window).map(|(_, last)| last);
        self.hover = Some((window, if is_inside { at } else { last.unwrap_or(at) }));
        actions.push(self.tell(window, event));
    }

    fn tell(&self, window: WindowId, event: Heard) -> Action {
        let buttons = if self.grab == Some((window, Hold::Content)) { self.held } else { 0 };
        Action::Deliver { window, event, at: self.at, buttons }
    }

    // ---- The pointer ---------------------------------------------------------------------------

    /// The window that hears of the pointer.
    fn listener(&self, ground: Ground<'_>) -> Option<WindowId> {
        match self.grab {
            Some((id, Hold::Content)) => Some(id),
            Some(_) => None,
            None => ground.content_at(self.at),
        }
    }

    /// Tells a window that the pointer is not over it any more.
    pub fn leave(&mut self, ground: Ground<'_>) -> Option<Action> {
        let (window, last) = self.hover?;
        if self.listener(ground) == Some(window) {
            return None;
        }
        self.hover = None;
        ground.content(window)?;
        Some(Action::Deliver { window, event: Heard::Leave, at: last, buttons: 0 })
    }

    fn motion(&mut self, ground: Ground<'_>, actions: &mut Vec<Action>) {
        actions.extend(self.leave(ground));
        match self.grab {
            Some((window, Hold::Label(dx, dy))) => {
                let (x, y) = (self.at.0.saturating_add(dx), self.at.1.saturating_add(dy));
                let content = ground.content(window).map(|content| Rect { x, y, ..content });
                actions.extend(content.map(|content| Action::Place(window, content)));
            }
            Some((window, Hold::Border { sides, from, content })) => {
                let (dx, dy) = (self.at.0.saturating_sub(from.0), self.at.1.saturating_sub(from.1));
                let (left, right) = stretch(content.x, content.right(), sides.0, dx);
                let (top, bottom) = stretch(content.y, content.bottom(), sides.1, dy);
                actions.push(Action::Place(window, Rect::between(left, top, right, bottom)));
            }
            Some((_, Hold::Cross)) => {}
            Some((_, Hold::Content)) | None => {
                if let Some(window) = self.listener(ground) {
                    self.deliver(window, Heard::Motion, ground, actions);
                }
            }
        }
    }

    fn press(&mut self, button: u8, ground: Ground<'_>, now: u64, actions: &mut Vec<Action>) {
        let bit = 1 << button;
        let heard = Heard::Button { button, pressed: true };
        if (self.held | self.swallowed) & bit != 0 {
            return;
        }
        if let Some((window, hold)) = self.grab {
            if hold == Hold::Content {
                self.held |= bit;
                self.deliver(window, heard, ground, actions);
            } else {
                self.swallowed |= bit;
            }
            return;
        }
        let is_meant = |id: WindowId| !self.guards(id, now) && !ground.is_fresh(id, self.at, now);
        let Some((window, part)) = ground.at(self.at).filter(|(id, _)| is_meant(*id)) else {
            self.swallowed |= bit;
            return;
        };
        actions.push(Action::Activate(window));
        let (content, from) = (ground.content(window).unwrap_or_default(), self.at);
        let hold = match part {
            Part::Content => Hold::Content,
            Part::Label => Hold::Label(content.x.saturating_sub(from.0), content.y.saturating_sub(from.1)),
            Part::Close => Hold::Cross,
            Part::Border { horizontal, vertical } => {
                Hold::Border { sides: (horizontal, vertical), from, content }
            }
        };
        (self.grab, self.held) = (Some((window, hold)), bit);
        if hold == Hold::Content {
            self.deliver(window, heard, ground, actions);
        }
    }

    fn release(&mut self, button: u8, ground: Ground<'_>, actions: &mut Vec<Action>) {
        let bit = 1 << button;
        self.swallowed &= !bit;
        let Some((window, hold)) = self.grab.filter(|_| self.held & bit != 0) else { return };
        self.held &= !bit;
        if hold == Hold::Content {
            self.deliver(window, Heard::Button { button, pressed: false }, ground, actions);
        }
        if self.held == 0 {
            if hold == Hold::Cross && ground.at(self.at) == Some((window, Part::Close)) {
                actions.push(Action::Close(window));
            }
            self.grab = None;
            actions.extend(self.leave(ground));
        }
    }

    /// Ends every grab: the window that has it hears the releases. The buttons that are held mean nothing any more.
    pub fn end_grab(&mut self, ground: Ground<'_>) -> Vec<Action> {
        let mut actions = Vec::new();
        let held = self.held;
        for button in (0..BUTTONS).filter(|button| held & (1 << button) != 0) {
            self.held &= !(1 << button);
            if let Some((window, Hold::Content)) = self.grab {
                self.deliver(window, Heard::Button { button, pressed: false }, ground, &mut actions);
            }
        }
        self.swallowed |= held;
        self.grab = None;
        actions.extend(self.leave(ground));
        actions
    }

    /// A window is gone.
    pub fn forget(&mut self, window: WindowId) {
        if self.grab.is_some_and(|(held, _)| held == window) {
            self.grab = None;
            self.swallowed |= std::mem::take(&mut self.held);
        }
        self.hover = self.hover.filter(|(hover, _)| *hover != window);
        for (_, hears) in self.keys.iter_mut().filter(|(_, hears)| *hears == Some(window)) {
            *hears = None;
        }
    }

    // ---- The guard -----------------------------------------------------------------------------

    /// The user sees what is under the pointer: it came there by what the user did.
    pub fn saw(&mut self, ground: Ground<'_>) {
        self.under = ground.at(self.at).map(|(id, _)| id);
    }

    /// Clients changed what is under the pointer, perhaps. A window that comes there so, or is uncovered by another client,
    /// gets no click for a while: the user aimed at something else.
    pub fn check_guard(&mut self, ground: Ground<'_>, now: u64) {
        let under = ground.at(self.at).map(|(id, _)| id);
        if under == self.under {
            return;
        }
        let before = std::mem::replace(&mut self.under, under);
        let Some(window) = under else { return };
        let is_gone = |id: WindowId| ground.content(id).is_none();
        if !before.is_some_and(|before| before.client == window.client && is_gone(before)) {
            self.guard = Some((window, now.saturating_add(GUARD)));
        }
    }

    fn guards(&self, window: WindowId, now: u64) -> bool {
        self.guard.is_some_and(|(guarded, until)| guarded == window && now < until)
    }

    // ---- Keys ----------------------------------------------------------------------------------

    fn key(&mut self, code: u32, pressed: bool, ground: Ground<'_>, actions: &mut Vec<Action>) {
        let event = Heard::Key { code, pressed };
        let held = self.keys.iter().position(|(held, _)| *held == code);
        let holds = |keys: [u32; 2]| self.keys.iter().any(|(code, _)| keys.contains(code));
        let window = match (pressed, held) {
            (true, None) if code == ESCAPE && holds(CTRL) && holds(ALT) => {
                self.keys.push((code, None));
                actions.extend(self.end_grab(ground));
                actions.push(Action::Unfocus);
                None
            }
            (true, None) if self.keys.len() < MAX_HELD => {
                self.keys.push((code, ground.desk.focused()));
                ground.desk.focused()
            }
            (false, Some(index)) => self.keys.remove(index).1,
            (true, _) | (false, None) => None,
        };
        actions.extend(window.map(|window| self.tell(window, event)));
    }

    /// A window loses the focus: it hears the releases of all keys that it heard pressed.
    pub fn lose_keys(&mut self, window: WindowId) -> Vec<Action> {
        self.hand_over(Some(window), None, |_| true)
    }

    /// A window got the focus: it hears of the modifiers that are held.
    pub fn gain_keys(&mut self, window: WindowId) -> Vec<Action> {
        self.hand_over(None, Some(window), |code| MODIFIERS.contains(&code))
    }

    /// Keys that one window heard of are another one's.
    fn hand_over(
        &mut self,
        from: Option<WindowId>,
        to: Option<WindowId>,
        which: impl Fn(u32) -> bool,
    ) -> Vec<Action> {
        let keys = self.keys.iter_mut().filter(|(code, hears)| *hears == from && which(*code));
        let codes: Vec<u32> = keys.map(|(code, hears)| (*hears = to, *code).1).collect();
        let event = |code| Heard::Key { code, pressed: to.is_some() };
        let window = from.or(to);
        codes.into_iter().filter_map(|code| Some(self.tell(window?, event(code)))).collect()
    }

    /// The user's devices are elsewhere now: everything that is held counts as released.
    pub fn release_all(&mut self, ground: Ground<'_>) -> Vec<Action> {
        let mut actions = self.end_grab(ground);
        self.swallowed = 0;
        for (code, window) in std::mem::take(&mut self.keys) {
            let event = Heard::Key { code, pressed: false };
            actions.extend(window.map(|window| self.tell(window, event)));
        }
        actions
    }
}

/// Both ends of a side of which one follows the pointer: the `low` one for -1, the `high` one for 1.
fn stretch(low: i32, high: i32, which: i32, by: i32) -> (i32, i32) {
    let least = i32::try_from(MIN_WINDOW_SIZE).unwrap_or(16);
    match which {
        ..0 => (low.saturating_add(by).min(high.saturating_sub(least)), high),
        0 => (low, high),
        1.. => (low, high.saturating_add(by).max(low.saturating_add(least))),
    }
}

/// A coordinate as a pixel: rounded down, saturating, NaN to 0.
#[allow(clippy::cast_possible_truncation, reason = "`as` from float to integer saturates")]
fn pixel(value: f64) -> i32 {
    value.floor() as i32
}
