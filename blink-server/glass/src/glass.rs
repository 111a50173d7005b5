//! The glass, without sockets, clocks or outputs of its own, so that tests can drive it at any time they like.

use crate::class::{Class, MAX_MEMORY};
use crate::compose::compose;
use crate::desk::Desk;
use crate::heads::{HeadMode, Heads};
use crate::outbox::Outbox;
use crate::pace::{Clock, Tick};
use crate::scene::Scene;
use crate::seat::{Ground, Seat};
use crate::stack::Key;
use crate::stats::Stats;
use crate::surface::Surface;
use crate::window::{Closing, Told};
use ipc::ClientId;
use ipc::geometry::{Rect, Region};
use ipc::glass::{ClassId, FromGlass, ToDraw, ToGlass};
use rustix::fd::OwnedFd;
use std::collections::BTreeMap;

/// Nanoseconds until a window that the user wants closed counts as not answering.
const CLOSE_TIME: u64 = 2_000_000_000;
/// Nanoseconds for which the user is offered to end a client that does not answer.
const OFFER_TIME: u64 = 30_000_000_000;

/// The glass.
#[derive(Debug)]
pub struct Glass {
    pub(crate) heads: Heads,
    pub(crate) desk: Desk,
    pub(crate) scene: Scene,
    pub(crate) seat: Seat,
    /// The window whose picture the pointer has, and the pixels of that.
    pub(crate) pointer: Option<(Key, Rect)>,
    pub(crate) classes: BTreeMap<ClassId, Class>,
    pub(crate) clock: Clock,
    /// What is composed and was not shown by the outputs yet.
    unshown: Region,
    pub(crate) outbox: Outbox,
    pub(crate) stats: Stats,
    /// The latest time that was told, nanoseconds.
    pub(crate) now: u64,
}

impl Glass {
    /// A glass for these outputs.
    pub fn new(heads: &[HeadMode]) -> Glass {
        let heads = Heads::new(heads);
        let mut clock = Clock::new(heads.refresh());
        clock.want(0);
        Glass {
            heads,
            desk: Desk::default(),
            scene: Scene::default(),
            seat: Seat::default(),
            pointer: None,
            classes: BTreeMap::new(),
            clock,
            outbox: Outbox::default(),
            stats: Stats::default(),
            unshown: Region::default(),
            now: 0,
        }
    }

    /// The outputs.
    pub fn heads(&self) -> &Heads {
        &self.heads
    }

    /// The windows.
    pub fn desk(&self) -> &Desk {
        &self.desk
    }

    // ---- The broker ----------------------------------------------------------------------------

    /// The broker says something.
    pub fn tell(&mut self, message: ToGlass, now: u64) {
        self.passed(now);
        match message {
            ToGlass::Client(client) => {
                let note = self.class(client.class).note.clone();
                self.desk.add_client(client, note);
            }
            ToGlass::ClientGone { id } => self.remove_client(id),
            ToGlass::Renderer { class, life } => {
                self.class(class).renew(life, now);
                self.forget_announcements(class);
            }
            ToGlass::ClassGone { class } => {
                self.classes.remove(&class);
            }
            ToGlass::Note { class, note } => {
                let note = note.map(|note| crate::decoration::clean_title(&note));
                self.desk.set_note(class, note.as_deref());
                self.class(class).note = note;
            }
            ToGlass::Command { .. } => {
                log::error!("a command must go to `Glass::command`, which answers");
            }
        }
        self.settle();
    }

    /// A class's renderer hung up. Its windows keep their last picture.
    pub fn gone(&mut self, class: ClassId, now: u64) {
        self.passed(now);
        if let Some(class) = self.classes.get_mut(&class) {
            class.end();
        }
        self.settle();
    }

    fn class(&mut self, class: ClassId) -> &mut Class {
        let now = self.now;
        self.classes.entry(class).or_insert_with(|| Class::new(now))
    }

    fn remove_client(&mut self, id: ClientId) {
        for key in self.desk.windows_of(id) {
            self.remove_window(key);
        }
        let class = self.desk.client(id).map(|client| client.class);
        if let Some(class) = class.and_then(|class| self.classes.get_mut(&class)) {
            class.forget(id);
        }
        self.desk.remove_client(id);
        self.outbox.placements().forget(id);
        // The broker says that a class is gone only if it had a renderer.
        if let Some(class) = class
            && self.classes.get(&class).is_some_and(|class| !class.is_alive)
            && !self.desk.clients().any(|(_, client)| client.class == class)
        {
            self.classes.remove(&class);
        }
    }

    /// A new renderer knows of no window: it is told of each when it speaks of it.
    fn forget_announcements(&mut self, class: ClassId) {
        let is_of = |key: &Key| self.desk.class_of(*key) == Some(class);
        let keys: Vec<Key> = self.desk.windows().map(|(key, _)| key).filter(is_of).collect();
        for key in keys {
            if let Some(window) = self.desk.get_mut(key) {
                window.announced = false;
                window.told = None;
            }
        }
    }

    // ---- Time ----------------------------------------------------------------------------------

    /// The time never goes back.
    pub(crate) fn passed(&mut self, now: u64) {
        self.now = self.now.max(now);
    }

    /// From when on a class's renderer may be listened to: it said much.
    pub fn listens_from(&self, class: ClassId) -> u64 {
        self.classes.get(&class).map_or(0, Class::speaks_from)
    }

    /// When [`Glass::turn`] is to be called next; `None`: nothing is to be done until somebody speaks.
    pub fn next(&self, now: u64) -> Option<u64> {
        let (is_waited_for, is_drawing) = self.drawing(now);
        let composes = self.clock.composes(is_waited_for, is_drawing);
        let reports = self.classes.values().filter(|class| class.is_alive);
        let reports = reports.filter_map(|class| class.pace.report_due()).min();
        let closing = self.desk.windows().filter_map(|(_, window)| closing_due(window.closing)).min();
        let placements = self.outbox.due();
        [self.clock.due(), composes, reports, closing, placements]
            .into_iter()
            .flatten()
            .min()
            .map(|due| due.max(now))
    }

    /// Is somebody drawing that is waited for, and somebody that is not?
    fn drawing(&self, now: u64) -> (bool, bool) {
        let drawing = self.classes.values().filter(|class| class.is_drawing() && !class.pace.hangs(now));
        drawing.fold(
            (false, false),
            |(waited, other), class| {
                if class.pace.is_waited_for() { (true, other) } else { (waited, true) }
            },
        )
    }

    /// Begins a frame, or composes it, if it is time. Gives what changed on the outputs.
    pub fn turn(&mut self, now: u64) -> Option<Region> {
        self.passed(now);
        self.tend_closing();
        self.report();
        self.settle();
        if let Some(tick) = self.clock.begin(now) {
            self.begin(tick);
        }
        let (is_waited_for, is_drawing) = self.drawing(now);
        let changed = self
            .clock
            .composes(is_waited_for, is_drawing)
            .filter(|&due| due <= now)
            .and(self.clock.open())
            .and_then(|tick| self.compose(tick));
        self.settle();
        changed
    }

    fn begin(&mut self, tick: Tick) {
        // Renderers draw what can be seen now.
        self.scene.follow(&mut self.desk, &self.heads);
        self.tell_windows();
        for (&id, class) in &mut self.classes {
            if class.is_alive && class.wants && !class.is_drawing() {
                class.wants = false;
                // Its own count: that of all frames would tell it how often others are drawn.
                class.frames += 1;
                let tick = Tick { number: class.frames, ..tick };
                class.pace.ask(tick);
                let Tick { number, presentation, .. } = tick;
                self.outbox.say(id, ToDraw::Frame { number, presentation, refresh: self.clock.refresh() });
            }
        }
    }

    fn compose(&mut self, tick: Tick) -> Option<Region> {
        self.clock.end();
        for class in self.classes.values_mut() {
            class.pace.composed(self.now);
        }
        self.compose_now();
        self.tell_presented(tick);
        let changed = std::mem::take(&mut self.unshown);
        if changed.is_empty() {
            return None;
        }
        self.stats.composed += 1;
        self.stats.latency.add(self.now.saturating_sub(tick.begun));
        Some(changed)
    }

    /// Makes the pictures of the outputs what the windows show now. What changes is shown with the next frame.
    pub(crate) fn compose_now(&mut self) {
        self.scene.follow(&mut self.desk, &self.heads);
        self.move_pointer();
        self.spread_damage();
        let (changed, copied) = compose(&mut self.heads, &self.scene, &mut self.desk, self.pointer);
        changed.rects().iter().for_each(|&rect| self.unshown.add(rect));
        self.stats.copied += copied;
    }

    fn tell_presented(&mut self, tick: Tick) {
        for (&id, class) in &mut self.classes {
            let mut windows = std::mem::take(&mut class.tell);
            while let Some(&(number, _)) = windows.first() {
                let (these, others): (Vec<_>, Vec<_>) = windows.into_iter().partition(|w| w.0 == number);
                windows = others;
                let these = these.into_iter().map(|(_, window)| window).collect();
                let time = tick.presentation;
                self.outbox.say(id, ToDraw::Presented { number, time, windows: these });
            }
        }
    }

    fn report(&mut self) {
        for (&class, of) in self.classes.iter_mut().filter(|(_, class)| class.is_alive) {
            if let Some(late) = of.pace.report(self.now) {
                self.outbox.report(FromGlass::Pace { class, life: of.life, late });
            }
        }
    }

    /// Windows that the user wants closed and that are still there.
    fn tend_closing(&mut self) {
        let now = self.now;
        let due = |closing| closing_due(closing).is_some_and(|due| due <= now);
        let windows = self.desk.windows().filter(|(_, window)| due(window.closing));
        let keys: Vec<Key> = windows.map(|(key, _)| key).collect();
        for key in keys {
            if let Some(window) = self.desk.get_mut(key) {
                window.closing = match window.closing {
                    Closing::Asked(_) => Closing::Offered(now),
                    Closing::Offered(_) | Closing::No => Closing::No,
                };
            }
            self.desk.relabel(key);
        }
    }

    /// All pixels are to be shown again.
    pub fn expose(&mut self) {
        self.heads.damage_all();
        self.clock.want(self.now);
    }

    /// After something changed: is a frame wanted?
    pub(crate) fn settle(&mut self) {
        self.settle_from(self.now);
    }

    /// The same, but what changed may be shown a little later, for more is to come.
    pub(crate) fn settle_from(&mut self, from: u64) {
        if self.spread_damage() {
            self.clock.want(from);
        }
        for client in self.desk.take_moved() {
            self.outbox.placements().moved(client);
        }
        let wants = |class: &Class| class.is_alive && class.wants && !class.is_drawing();
        if self.classes.values().any(wants) {
            self.clock.want(self.now);
        }
    }

    /// Pixels that changed must be composed anew. False: there are none.
    fn spread_damage(&mut self) -> bool {
        let damage = self.desk.take_damage();
        damage.iter().for_each(|rect| self.heads.damage(*rect));
        !damage.is_empty()
    }

    // ---- What is to be sent --------------------------------------------------------------------

    /// What renderers are to be told, in order; a window's memory comes with its `Buffer`.
    pub fn take_messages(&mut self) -> Vec<(ClassId, ToDraw, Option<OwnedFd>)> {
        // Who is uncovered now can ask for a frame before the next begins.
        self.scene.follow(&mut self.desk, &self.heads);
        self.leave();
        self.tell_windows();
        self.outbox.take_messages()
    }

    /// What the broker is to be told.
    pub fn take_reports(&mut self) -> Vec<FromGlass> {
        for client in self.outbox.placements().take(self.now) {
            let windows = self.desk.placements(client);
            self.outbox.report(FromGlass::Placed { client, windows });
        }
        self.outbox.take_reports()
    }

    /// Where a client's windows are could not be told: it is given again, or what is newer then.
    pub fn return_placements(&mut self, client: ClientId) {
        if self.desk.client(client).is_some() {
            self.outbox.placements().moved(client);
        }
    }

    /// What a renderer was told is lost: it is told again where its windows are, and gets new memory.
    pub fn tell_again(&mut self, class: ClassId) {
        let is_of = |key: &Key| self.desk.class_of(*key) == Some(class);
        let keys: Vec<Key> = self.desk.windows().map(|(key, _)| key).filter(is_of).collect();
        for key in keys {
            if let Some(window) = self.desk.get_mut(key) {
                window.told = None;
            }
            self.desk.untold(key);
        }
    }

    /// Tells renderers of windows whose last state they may not know.
    fn tell_windows(&mut self) {
        for key in self.desk.take_untold() {
            self.tell_window(key);
        }
    }

    /// Tells a window's renderer where it is, and gives it memory if the content's size is another one.
    pub(crate) fn tell_window(&mut self, key: Key) {
        let focused = self.desk.focused();
        let Some(class_id) = self.desk.class_of(key) else { return };
        let Some(class) = self.classes.get_mut(&class_id).filter(|class| class.is_alive) else { return };
        let Some(window) = self.desk.get_mut(key).filter(|window| window.announced) else { return };
        let (id, content) = (window.id, window.content);
        let told = Told { content, visible: window.visible, focus: focused == Some(id) };
        let is_new = window.told.is_none();
        if window.told != Some(told) {
            window.told = Some(told);
            let Told { content, visible, focus } = told;
            self.outbox.say(class_id, ToDraw::Place { window: id, content, visible, focus });
        }
        let size = (content.width, content.height);
        if !is_new && window.buffers.newest().is_some_and(|newest| (newest.width, newest.height) == size) {
            return;
        }
        if !is_new && window.buffers.next.is_some() && class.is_drawing() {
            // One at a time: it gets another one when it has drawn into that.
            self.desk.untold(key);
            return;
        }
        class.memory -= window.buffers.next.take().map_or(0, |old| old.bytes()).min(class.memory);
        window.buffers.starved = class.memory.saturating_add(Surface::bytes_of(size.0, size.1)) > MAX_MEMORY;
        if window.buffers.starved {
            return;
        }
        match Surface::new(class.serial.wrapping_add(1), size.0, size.1) {
            Ok((surface, memory)) => {
                class.serial = surface.serial;
                class.memory += surface.bytes();
                let (width, height) = size;
                let buffer = ToDraw::Buffer { window: id, serial: surface.serial, width, height };
                window.buffers.next = Some(surface);
                self.outbox.give(class_id, buffer, memory);
            }
            Err(error) => {
                log::error!("no memory for the window {id}: {error}");
                window.buffers.starved = true;
            }
        }
    }

    /// Memory of a class came free: windows that have none get some.
    pub(crate) fn feed(&mut self, class: ClassId, bytes: u64) {
        if bytes == 0 {
            return;
        }
        if let Some(class) = self.classes.get_mut(&class) {
            class.memory -= bytes.min(class.memory);
        }
        let starved = self.desk.windows().filter(|(_, window)| window.buffers.starved).map(|(key, _)| key);
        let starved: Vec<Key> = starved.filter(|&key| self.desk.class_of(key) == Some(class)).collect();
        starved.into_iter().for_each(|key| self.desk.untold(key));
    }

    // ---- What is shown -------------------------------------------------------------------------

    /// A part of the picture: red, green, blue, alpha, the top row first.
    pub fn pixels(&self, rect: Rect) -> Vec<u8> {
        self.heads.read(rect)
    }

    /// Is the pointer's picture drawn, so that the output must not draw one?
    pub fn draws_pointer(&self) -> bool {
        self.pointer.is_some()
    }

    /// What the seat looks at.
    pub(crate) fn look(&mut self) -> (&mut Seat, Ground<'_>) {
        self.scene.follow_layers(&mut self.desk, &self.heads);
        (&mut self.seat, Ground { desk: &self.desk, scene: &self.scene })
    }
}

fn closing_due(closing: Closing) -> Option<u64> {
    match closing {
        Closing::No => None,
        Closing::Asked(at) => Some(at.saturating_add(CLOSE_TIME)),
        Closing::Offered(at) => Some(at.saturating_add(OFFER_TIME)),
    }
}
