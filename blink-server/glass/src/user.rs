//! What the user does, and what follows from it: input, focus, raising, closing.

use crate::desk::Focus;
use crate::glass::Glass;
use crate::seat::Action;
use crate::stack::Key;
use crate::window::Closing;
use ipc::geometry::Rect;
use ipc::glass::{FromGlass, ToDraw};
use ipc::{Input, WindowId};

impl Glass {
    /// The user did something.
    pub fn input(&mut self, input: Input, now: u64) {
        self.passed(now);
        let now = self.now;
        let (seat, ground) = self.look();
        let actions = seat.handle(input, ground, now);
        self.act_all(actions);
        self.moved_by_user();
    }

    /// The user's devices are elsewhere now: everything that is held counts as released.
    pub fn release_input(&mut self, now: u64) {
        self.passed(now);
        let (seat, ground) = self.look();
        let actions = seat.release_all(ground);
        self.act_all(actions);
        self.settle();
    }

    fn act_all(&mut self, actions: Vec<Action>) {
        for action in actions {
            match action {
                Action::Deliver { window, event, at, buttons } => {
                    let Some(key) = self.desk.find(window) else { continue };
                    // The window must know where it is when it hears where the pointer is.
                    self.tell_window(key);
                    let Some(content) = self.desk.get(key).map(|window| window.content) else { continue };
                    let (x, y) = (at.0.saturating_sub(content.x), at.1.saturating_sub(content.y));
                    self.say(window, ToDraw::Input { window, event, x, y, buttons });
                }
                Action::Activate(window) => self.activate(window),
                Action::Place(window, content) => self.place(window, content),
                Action::Close(window) => self.close_clicked(window),
                Action::Unfocus => self.focus(Focus::Rests(None)),
            }
        }
    }

    /// The user moved the pointer or windows: what is under the pointer is what the user wanted there.
    pub(crate) fn moved_by_user(&mut self) {
        let (seat, ground) = self.look();
        seat.saw(ground);
        self.move_pointer();
        self.settle();
    }

    /// A client changed what these rectangles show.
    pub(crate) fn client_changed(&mut self, rects: &[Rect]) {
        let (x, y) = self.seat.pointer();
        if rects.iter().any(|rect| rect.contains(x, y)) {
            let now = self.now;
            let (seat, ground) = self.look();
            seat.check_guard(ground, now);
        }
    }

    /// Tells the window that heard of the pointer last that it left, if it did.
    pub(crate) fn leave(&mut self) {
        let (seat, ground) = self.look();
        let action = seat.leave(ground);
        self.act_all(action.into_iter().collect());
    }

    /// The pointer's picture is that of the window whose content shows under it.
    pub(crate) fn move_pointer(&mut self) {
        let (x, y) = self.seat.pointer();
        let (_, ground) = self.look();
        let over = ground.scene.at(ground.desk, x, y);
        let over = over.filter(|(_, part)| *part == crate::decoration::Part::Content).map(|(key, _)| key);
        let shown = over.and_then(|key| {
            let picture = self.desk.get(key)?.cursor.as_ref()?;
            Some((key, picture.area((x, y))))
        });
        if shown != self.pointer {
            let before = std::mem::replace(&mut self.pointer, shown);
            [before, shown].into_iter().flatten().for_each(|(_, area)| self.desk.damage(area));
        }
    }

    /// Gives the keyboard to somebody. The window that had it hears the releases of its keys before, the one that gets it
    /// hears of held modifiers after.
    pub(crate) fn focus(&mut self, focus: Focus) {
        let before = self.desk.focused();
        if matches!(focus, Focus::Window(id) if before == Some(id) || self.desk.find(id).is_none()) {
            return;
        }
        if let Some(before) = before {
            let released = self.seat.lose_keys(before);
            self.act_all(released);
        }
        self.desk.set_focus(focus);
        for key in [before, self.desk.focused()].map(|id| self.desk.find(id?)).into_iter().flatten() {
            self.tell_window(key);
        }
        if let Some(after) = self.desk.focused() {
            let pressed = self.seat.gain_keys(after);
            self.act_all(pressed);
        }
    }

    /// Brings a window to the top and gives it the focus.
    pub(crate) fn activate(&mut self, id: WindowId) {
        if let Some(key) = self.desk.find(id) {
            self.desk.raise(key);
            self.focus(Focus::Window(id));
        }
    }

    /// The user places a window's content.
    pub(crate) fn place(&mut self, id: WindowId, content: Rect) {
        if let Some(key) = self.desk.find(id) {
            self.desk.place(key, content, &self.heads);
        }
    }

    /// The user clicked on a cross: the client is asked, and ended if it does not answer and the user says so again.
    fn close_clicked(&mut self, id: WindowId) {
        let now = self.now;
        let Some(key) = self.desk.find(id) else { return };
        let Some(window) = self.desk.get_mut(key) else { return };
        match window.closing {
            Closing::No => window.closing = Closing::Asked(now),
            Closing::Asked(_) => {}
            Closing::Offered(_) => {
                window.closing = Closing::No;
                self.desk.relabel(key);
                self.outbox.report(FromGlass::End { client: id.client });
                return;
            }
        }
        self.close(id);
    }

    /// Asks a window's client to close it.
    pub(crate) fn close(&mut self, window: WindowId) {
        self.say(window, ToDraw::Close { window });
    }

    /// Says something to a window's renderer, if it has one.
    fn say(&mut self, window: WindowId, message: ToDraw) {
        let class = self.desk.client(window.client).map(|client| client.class);
        if let Some(class) = class.filter(|class| self.classes.get(class).is_some_and(|class| class.is_alive))
        {
            self.outbox.say(class, message);
        }
    }

    /// A window goes. The focus goes to another window of its client, else to nobody.
    pub(crate) fn remove_window(&mut self, key: Key) {
        let class = self.desk.class_of(key);
        let had_focus = self.desk.get(key).is_some_and(|window| self.desk.focused() == Some(window.id));
        if let Some((_, area)) = self.pointer.filter(|(shown, _)| *shown == key) {
            self.desk.damage(area);
            self.pointer = None;
        }
        let Some(window) = self.desk.remove(key, &self.heads) else { return };
        self.seat.forget(window.id);
        if had_focus {
            let next = self.desk.highest_of(window.id.client).map(Focus::Window);
            self.focus(next.unwrap_or(Focus::Rests(Some(window.id.client))));
        }
        if let Some(class) = class {
            self.feed(class, window.buffers.bytes());
        }
        self.client_changed(&[window.frame()]);
    }
}
