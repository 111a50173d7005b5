//! What renderers say. Nothing of it is believed: each message is charged to its class, checked, and refused as a whole if it
//! breaks a rule.

use crate::class::MESSAGE_BYTES;
use crate::cursor::Picture;
use crate::decoration::Style;
use crate::desk::Focus;
use crate::glass::Glass;
use crate::pace::PATIENCE;
use crate::stack::Key;
use ipc::geometry::Rect;
use ipc::glass::{ClassId, Drawn, FromRenderer, Wish};
use ipc::limits::{MAX_CONTEXTS, MAX_TITLE_BYTES, MAX_WINDOWS};
use ipc::{ClientId, WindowId};

/// Windows of a client.
const MAX_CLIENT_WINDOWS: usize = MAX_CONTEXTS * MAX_WINDOWS;
/// Windows of a `Done` that cost as much as a message.
const DRAWN_A_MESSAGE: usize = 16;

/// Whether a renderer may speak of a client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Standing {
    /// It may.
    Known,
    /// The client went, and the renderer does not know yet: what it says means nothing any more.
    Gone,
}

impl Glass {
    /// A renderer says something.
    ///
    /// # Errors
    /// It breaks the rules: the reason. It is of no use any more.
    pub fn hear(&mut self, class: ClassId, message: FromRenderer, now: u64) -> Result<(), String> {
        self.passed(now);
        let now = self.now;
        let Some(of) = self.classes.get_mut(&class).filter(|class| class.is_alive) else {
            return Err("the class has no renderer".into());
        };
        if !of.charge(cost(&message), now) {
            return Err("it says more than is read".into());
        }
        // A renderer draws a new window when it has memory for it: a frame that shows nothing of it may wait for that.
        let is_window = matches!(message, FromRenderer::Window { .. });
        let shown_from = if is_window { now.saturating_add(PATIENCE) } else { now };
        let result = match message {
            FromRenderer::Window { window, wish } => self.show(class, window, wish),
            FromRenderer::WindowGone { window } => {
                let standing = self.standing(class, window);
                if standing == Ok(Standing::Known)
                    && let Some(key) = self.desk.find(window)
                {
                    self.remove_window(key);
                }
                standing.map(|_| ())
            }
            FromRenderer::All { client } => self.all(class, client),
            FromRenderer::Cursor { window, image } => {
                let picture = image.map(|image| Picture::new(&image)).transpose().map_err(|e| e.to_string());
                picture.and_then(|picture| self.set_cursor(class, window, picture))
            }
            FromRenderer::Want => {
                of.wants = true;
                Ok(())
            }
            FromRenderer::Done { number, drawn, more } => self.done(class, number, drawn, more),
        };
        self.settle_from(shown_from);
        result
    }

    /// Has the broker told of the client that a message is about? If it has not, the message may be a lie, or older than what
    /// the broker has said since.
    #[must_use]
    pub fn was_told_of(&self, class: ClassId, message: &FromRenderer) -> bool {
        let client = match message {
            FromRenderer::Window { window, .. }
            | FromRenderer::WindowGone { window }
            | FromRenderer::Cursor { window, .. } => window.client,
            FromRenderer::All { client } => *client,
            // A picture is of a window that the glass gave memory for.
            FromRenderer::Want | FromRenderer::Done { .. } => return true,
        };
        self.standing_of(class, client).is_ok()
    }

    /// May this class speak of this window?
    fn standing(&self, class: ClassId, window: WindowId) -> Result<Standing, String> {
        if usize::try_from(window.context).map_or(true, |context| context >= MAX_CONTEXTS) {
            return Err(format!("the window {window} is of a context that can't be"));
        }
        self.standing_of(class, window.client)
    }

    fn standing_of(&self, class: ClassId, client: ClientId) -> Result<Standing, String> {
        match self.desk.client(client) {
            Some(known) if known.class == class => Ok(Standing::Known),
            None if self.classes.get(&class).is_some_and(|class| class.knew(client)) => Ok(Standing::Gone),
            Some(_) | None => Err(format!("the client {client} is not of this class")),
        }
    }

    fn show(&mut self, class: ClassId, id: WindowId, wish: Wish) -> Result<(), String> {
        if self.standing(class, id)? == Standing::Gone {
            return Ok(());
        }
        if wish.title.len() > MAX_TITLE_BYTES {
            return Err(format!("the window {id} has a title of {} bytes", wish.title.len()));
        }
        match self.desk.find(id) {
            Some(key) => {
                let before = self.desk.get(key).map(|window| window.frame()).unwrap_or_default();
                if let Some(window) = self.desk.get_mut(key)
                    && !window.announced
                {
                    window.announced = true;
                    self.desk.untold(key);
                }
                self.desk.wish(key, wish, &self.heads);
                let after = self.desk.get(key).map(|window| window.frame()).unwrap_or_default();
                if before != after {
                    if let Some(window) = self.desk.get_mut(key) {
                        window.moves.moved(before, self.now);
                    }
                    self.client_changed(&[before, after]);
                }
            }
            None => {
                if self.desk.client(id.client).is_some_and(|client| client.windows >= MAX_CLIENT_WINDOWS) {
                    return Err(format!(
                        "the client {} has more than {MAX_CLIENT_WINDOWS} windows",
                        id.client
                    ));
                }
                let (key, had_focus) = self.desk.add(id, wish, &self.heads);
                self.welcome(key, id, had_focus);
            }
        }
        Ok(())
    }

    /// A new window is on the desk.
    fn welcome(&mut self, key: Key, id: WindowId, had_focus: bool) {
        let Some(window) = self.desk.get_mut(key) else { return };
        let (frame, is_restored) = (window.frame(), window.is_restored);
        if !is_restored {
            window.moves.moved(Rect::default(), self.now);
        }
        // After a restart, the window that had the keyboard gets it again, in whatever order they come.
        let wants_focus = if is_restored { had_focus } else { window.style == Style::TopLevel };
        if wants_focus && self.desk.may_take_focus(id) {
            self.focus(Focus::Window(id));
        }
        self.client_changed(&[frame]);
    }

    fn all(&mut self, class: ClassId, client: ClientId) -> Result<(), String> {
        if self.standing_of(class, client)? == Standing::Gone {
            return Ok(());
        }
        for key in self.desk.windows_of(client) {
            if self.desk.get(key).is_some_and(|window| !window.announced) {
                self.remove_window(key);
            }
        }
        Ok(())
    }

    fn set_cursor(&mut self, class: ClassId, id: WindowId, picture: Option<Picture>) -> Result<(), String> {
        if self.standing(class, id)? == Standing::Gone {
            return Ok(());
        }
        let Some(key) = self.desk.find(id) else { return Ok(()) };
        if let Some(window) = self.desk.get_mut(key)
            && window.cursor != picture
        {
            window.cursor = picture;
            if let Some((_, area)) = self.pointer.filter(|(shown, _)| *shown == key) {
                self.desk.damage(area);
            }
            self.move_pointer();
        }
        Ok(())
    }

    /// A renderer drew a frame.
    fn done(&mut self, class: ClassId, number: u64, drawn: Vec<Drawn>, more: bool) -> Result<(), String> {
        let refresh = self.clock.refresh();
        let Some(of) = self.classes.get_mut(&class) else { return Ok(()) };
        if of.pace.asked().map(|tick| tick.number) != Some(number) {
            return Err(format!("it drew the frame {number}, which it was not asked for"));
        }
        let last_serial = of.serial;
        for drawn in &drawn {
            self.standing(class, drawn.window)?;
            if drawn.half > 1 || drawn.buffer > last_serial || drawn.buffer == 0 {
                let Drawn { window, buffer, half, .. } = *drawn;
                return Err(format!(
                    "it drew the half {half} of the buffer {buffer} of {window}, which is not there"
                ));
            }
        }
        if let Some(of) = self.classes.get_mut(&class) {
            of.pace.done(refresh, self.now);
            of.wants = more;
            if let Some(late) = of.pace.report(self.now) {
                self.outbox.report(ipc::glass::FromGlass::Pace { class, life: of.life, late });
            }
        }
        for drawn in drawn {
            self.drawn(class, number, drawn);
        }
        Ok(())
    }

    /// A window has a new picture. One that is gone, or of memory that was replaced, is nobody's fault.
    fn drawn(&mut self, class: ClassId, number: u64, drawn: Drawn) {
        let Some(key) = self.desk.find(drawn.window) else { return };
        let Some(window) = self.desk.get_mut(key) else { return };
        let content = window.content;
        let mut freed = 0;
        let damage = if window.buffers.next.as_ref().is_some_and(|next| next.serial == drawn.buffer) {
            let next = window.buffers.next.take();
            freed = std::mem::replace(&mut window.buffers.shown, next).map_or(0, |old| old.bytes());
            content
        } else {
            let whole = Rect::new(0, 0, content.width, content.height);
            drawn.damage.intersection(&whole).translated(content.x, content.y)
        };
        let Some(shown) = window.buffers.shown.as_mut().filter(|shown| shown.serial == drawn.buffer) else {
            return;
        };
        shown.front = drawn.half;
        if window.visible {
            self.desk.damage(damage);
        }
        if drawn.tell
            && let Some(class) = self.classes.get_mut(&class)
        {
            class.tell.push((number, drawn.window));
        }
        self.feed(class, freed);
    }
}

/// What a message costs: as many as this.
fn cost(message: &FromRenderer) -> u64 {
    let more = match message {
        FromRenderer::Cursor { image: Some(image), .. } => image.pixels.len() / MESSAGE_BYTES,
        FromRenderer::Done { drawn, .. } => drawn.len() / DRAWN_A_MESSAGE,
        FromRenderer::Cursor { image: None, .. }
        | FromRenderer::Window { .. }
        | FromRenderer::WindowGone { .. }
        | FromRenderer::All { .. }
        | FromRenderer::Want => 0,
    };
    1 + u64::try_from(more).unwrap_or(u64::MAX)
}
