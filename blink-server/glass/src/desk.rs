//! The desk: clients, their windows, where these are, and which has the keyboard.
//!
//! It decides places and keeps the books of what changed: pixels to be composed anew, windows whose renderer must be told,
//! clients whose places the broker must be told.

use crate::decoration::{Caption, LABEL, Style, clean_title, text_width};
use crate::heads::Heads;
use crate::place;
use crate::stack::{Key, Stack};
use crate::window::{Closing, Moves, Window};
use ipc::geometry::Rect;
use ipc::glass::{ClassId, ShownClient, Wish};
use ipc::{ClientId, Placement, WindowId};
use slab::Slab;
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// A client.
#[derive(Debug)]
pub struct Client {
    /// The class whose renderer may speak of its windows.
    pub class: ClassId,
    /// The name in its labels.
    pub name: String,
    /// Red, green, blue of its borders.
    pub color: [u8; 3],
    /// What people are to know of its class.
    pub note: Option<String>,
    /// How many windows it has.
    pub windows: usize,
    /// Where its windows were.
    remembered: HashMap<WindowId, Placement>,
}

/// Who has the keyboard.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Focus {
    /// Nobody, and the first window that comes may have it.
    #[default]
    Free,
    /// A window.
    Window(WindowId),
    /// Nobody: what had it closed by itself, or the user took it away. Only the user, or a new window of the client
    /// that had it, changes that.
    Rests(Option<ClientId>),
}

/// All windows.
#[derive(Debug, Default)]
pub struct Desk {
    windows: Slab<Window>,
    keys: HashMap<WindowId, Key>,
    clients: BTreeMap<ClientId, Client>,
    stack: Stack,
    focus: Focus,
    /// Counts places given to new windows, for the cascade.
    placed: u32,
    /// The greatest stamp of a window.
    last_stamp: u32,
    /// Counts changes of what is where.
    version: u64,
    changes: Changes,
}

/// What changed since somebody asked.
#[derive(Debug, Default)]
struct Changes {
    /// Pixels to be composed anew.
    damage: Vec<Rect>,
    /// Windows whose renderer may not know the last state.
    untold: BTreeSet<Key>,
    /// Clients with windows that moved.
    moved: BTreeSet<ClientId>,
}

// ---- What is there ----------------------------------------------------------------------------

impl Desk {
    /// Counts changes of what is where.
    pub fn version(&self) -> u64 {
        self.version
    }

    /// The windows' order.
    pub fn stack(&self) -> &Stack {
        &self.stack
    }

    /// One more than the highest number of a key.
    pub fn capacity(&self) -> usize {
        self.windows.capacity()
    }

    /// Finds a window by its name.
    pub fn find(&self, id: WindowId) -> Option<Key> {
        self.keys.get(&id).copied()
    }

    /// A window.
    pub fn get(&self, key: Key) -> Option<&Window> {
        self.windows.get(key.0)
    }

    /// A window, to be changed otherwise than in its place.
    pub fn get_mut(&mut self, key: Key) -> Option<&mut Window> {
        self.windows.get_mut(key.0)
    }

    /// A window by its name.
    pub fn window(&self, id: WindowId) -> Option<&Window> {
        self.find(id).and_then(|key| self.get(key))
    }

    /// All windows, in no order.
    pub fn windows(&self) -> impl Iterator<Item = (Key, &Window)> {
        self.windows.iter().map(|(key, window)| (Key(key), window))
    }

    /// A client.
    pub fn client(&self, id: ClientId) -> Option<&Client> {
        self.clients.get(&id)
    }

    /// All clients.
    pub fn clients(&self) -> impl Iterator<Item = (ClientId, &Client)> {
        self.clients.iter().map(|(&id, client)| (id, client))
    }

    /// The content of a window's parent, if it has one.
    fn origin(&self, parent: Option<Key>) -> Option<Rect> {
        Some(self.get(parent?)?.content)
    }

    /// The class of a window's client.
    pub fn class_of(&self, key: Key) -> Option<ClassId> {
        self.client(self.get(key)?.id.client).map(|client| client.class)
    }

    /// The window that has the keyboard.
    pub fn focused(&self) -> Option<WindowId> {
        match self.focus {
            Focus::Window(id) => Some(id),
            Focus::Free | Focus::Rests(_) => None,
        }
    }

    /// The top-level window that a popup belongs to; any other window is its own.
    pub fn root(&self, key: Key) -> Key {
        let mut at = key;
        while let Some(window) = self.get(at).filter(|window| window.style == Style::Popup) {
            let Some(parent) = window.parent else { break };
            at = parent;
        }
        at
    }

    /// A window and all that stay above it.
    pub fn family(&self, key: Key) -> Vec<Key> {
        self.descend(key, |_| true)
    }

    /// The popups of a window, and those of them.
    pub fn popups(&self, key: Key) -> Vec<Key> {
        let mut family = self.descend(key, |window| window.style == Style::Popup);
        family.remove(0);
        family
    }

    fn descend(&self, key: Key, which: impl Fn(&Window) -> bool) -> Vec<Key> {
        let mut family = vec![key];
        let mut next = 0;
        while let Some(&at) = family.get(next) {
            let children = self.get(at).map(|window| window.children.as_slice()).unwrap_or_default();
            family.extend(children.iter().filter(|child| self.get(**child).is_some_and(&which)));
            next += 1;
        }
        family
    }

    /// Characters of the words in a window's label that are not its client's.
    pub fn trusted_characters(&self, key: Key) -> usize {
        let Some(window) = self.get(key) else { return 0 };
        let Some(client) = self.client(window.id.client) else { return 0 };
        let note = client.note.as_ref().map_or(0, |note| note.chars().count() + 3);
        let offer = if matches!(window.closing, Closing::Offered(_)) { OFFER.chars().count() } else { 0 };
        client.name.chars().count() + note + offer
    }

    /// What a window's label says.
    pub fn caption(&self, key: Key) -> Option<Caption> {
        let window = self.get(key)?;
        let client = self.client(window.id.client)?;
        let mut trusted = client.name.clone();
        if let Some(note) = &client.note {
            trusted.push_str(&format!(" [{note}]"));
        }
        if matches!(window.closing, Closing::Offered(_)) {
            trusted.push_str(OFFER);
        }
        let focus = self.focused() == Some(window.id);
        Some(Caption { trusted, title: window.title.clone(), color: client.color, focus })
    }

    /// Where a client's windows are.
    pub fn placements(&self, client: ClientId) -> Vec<Placement> {
        let windows = self.stack.order().iter().filter_map(|&key| self.get(key));
        windows
            .filter(|window| window.id.client == client)
            .map(|window| {
                let Rect { x, y, width, height } = window.content;
                let focus = self.focused() == Some(window.id);
                Placement { window: window.id, x, y, width, height, stack: window.stamp, focus }
            })
            .collect()
    }
}

/// What a label says of a window that does not close.
const OFFER: &str = " does not answer: close again to end it";

// ---- What changed -----------------------------------------------------------------------------

impl Desk {
    /// These pixels must be composed anew.
    pub fn damage(&mut self, rect: Rect) {
        self.changes.damage.push(rect);
    }

    /// All pixels of a window and its frame must be composed anew.
    pub fn damage_window(&mut self, key: Key) {
        if let Some(window) = self.get(key) {
            let frame = window.frame();
            self.damage(frame);
        }
    }

    /// What a window's label says has changed.
    pub fn relabel(&mut self, key: Key) {
        // A name tag may be needed, or another one: the scene damages it then. One that stays as it was is damaged here.
        self.version += 1;
        let Some(window) = self.get(key) else { return };
        let head = window.style.head(&window.content);
        self.damage(head);
        self.damage_tag(key);
    }

    /// The pixels that a window's name tag may cover.
    fn damage_tag(&mut self, key: Key) {
        let Some(window) = self.get(key).filter(|window| window.tag.is_some()) else { return };
        let width = text_width(self.trusted_characters(key)).saturating_add(LABEL.unsigned_abs());
        let width = i32::try_from(width).unwrap_or(i32::MAX);
        let label = window.style.label(&window.content);
        self.damage(label.grown(width, 0, width, 0));
    }

    /// A renderer may not know a window's last state.
    pub fn untold(&mut self, key: Key) {
        self.changes.untold.insert(key);
    }

    /// Windows whose renderer may not know the last state; from then on none are.
    pub fn take_untold(&mut self) -> BTreeSet<Key> {
        std::mem::take(&mut self.changes.untold)
    }

    /// Pixels to be composed anew; from then on none are.
    pub fn take_damage(&mut self) -> Vec<Rect> {
        std::mem::take(&mut self.changes.damage)
    }

    /// Clients with windows that moved; from then on none are.
    pub fn take_moved(&mut self) -> BTreeSet<ClientId> {
        std::mem::take(&mut self.changes.moved)
    }

    /// The scene says whether some of a content can be seen.
    pub fn set_visible(&mut self, key: Key, visible: bool) {
        if let Some(window) = self.get_mut(key)
            && window.visible != visible
        {
            window.visible = visible;
            self.untold(key);
        }
    }
}

// ---- Clients ----------------------------------------------------------------------------------

impl Desk {
    /// A client came, or is described anew.
    pub fn add_client(&mut self, client: ShownClient, note: Option<String>) {
        let ShownClient { id, class, name, color, placements } = client;
        let remembered = placements.into_iter().map(|placement| (placement.window, placement)).collect();
        let windows = self.clients.get(&id).map_or(0, |client| client.windows);
        let name = clean_title(&name);
        self.clients.insert(id, Client { class, name, color, note, windows, remembered });
        self.relabel_client(id);
    }

    /// People are to know something of a class.
    pub fn set_note(&mut self, class: ClassId, note: Option<&str>) {
        let clients = self.clients.iter_mut().filter(|(_, client)| client.class == class);
        let set = |(&id, client): (&ClientId, &mut Client)| (client.note = note.map(str::to_owned), id).1;
        let changed: Vec<ClientId> = clients.map(set).collect();
        changed.into_iter().for_each(|id| self.relabel_client(id));
    }

    fn relabel_client(&mut self, id: ClientId) {
        for key in self.windows_of(id) {
            self.relabel(key);
            self.damage_window(key);
        }
    }

    /// A client went. Its windows must be gone.
    pub fn remove_client(&mut self, id: ClientId) {
        self.clients.remove(&id);
        self.changes.moved.remove(&id);
    }

    /// A client's windows, the lowest first.
    pub fn windows_of(&self, client: ClientId) -> Vec<Key> {
        let is_of = |key: &&Key| self.get(**key).is_some_and(|window| window.id.client == client);
        self.stack.order().iter().filter(is_of).copied().collect()
    }
}

// ---- Windows ----------------------------------------------------------------------------------

impl Desk {
    /// Puts a new window on the desk. True: it was there before a restart, and had the keyboard.
    pub fn add(&mut self, id: WindowId, wish: Wish, heads: &Heads) -> (Key, bool) {
        let parent = wish.parent.filter(|&oid| oid != id.oid);
        let parent = parent.and_then(|oid| self.find(WindowId { oid, ..id }));
        let style = if wish.popup && parent.is_some() { Style::Popup } else { Style::TopLevel };
        let client = self.clients.get_mut(&id.client);
        let remembered = client.and_then(|client| {
            client.windows += 1;
            client.remembered.remove(&id)
        });
        // The origin's corner is 0, 0 for a window without a parent.
        let origin = self.origin(parent).unwrap_or_default();
        let (width, height) = wish.size;
        let content = match (remembered, wish.place) {
            (Some(p), _) => Rect::new(p.x, p.y, p.width, p.height),
            (None, (Some(x), Some(y))) => Rect::new(x, y, width, height).translated(origin.x, origin.y),
            (None, _) => {
                let first = heads.all().first().map(|head| head.area()).unwrap_or_default();
                self.placed = self.placed.wrapping_add(1);
                place::cascade(self.placed.wrapping_sub(1), width, height, &first)
            }
        };
        let root = parent.map(|parent| self.root(parent));
        let content = self.fit(style, &wish, root, content, heads);
        let offset = (content.x.saturating_sub(origin.x), content.y.saturating_sub(origin.y));
        let stamp = match (remembered, parent) {
            (Some(placement), _) => placement.stack,
            // A window in the background can't come to the top by a popup.
            (None, Some(parent)) if style == Style::Popup => {
                let stamps = self.family(parent).into_iter().filter_map(|key| self.get(key)).map(|w| w.stamp);
                stamps.max().unwrap_or_default()
            }
            (None, _) => self.last_stamp.saturating_add(1),
        };
        self.last_stamp = self.last_stamp.max(stamp);
        let key = Key(self.windows.insert(Window {
            id,
            title: clean_title(&wish.title),
            wish,
            content,
            style,
            parent,
            children: Vec::new(),
            offset,
            stamp,
            is_restored: remembered.is_some(),
            buffers: Default::default(),
            cursor: None,
            label: None,
            tag: None,
            told: None,
            announced: true,
            // It comes on top; the next frame knows better.
            visible: true,
            closing: Closing::No,
            moves: Moves::default(),
        }));
        self.keys.insert(id, key);
        if let Some(parent) = parent.and_then(|parent| self.get_mut(parent)) {
            parent.children.push(key);
        }
        // After a restart, windows come back in any order.
        let windows = &self.windows;
        let stamp_of = |key: &Key| windows.get(key.0).map_or(0, |window| window.stamp);
        self.stack.push_below(key, |other| stamp_of(other) > stamp);
        self.changed(key);
        (key, remembered.is_some_and(|placement| placement.focus))
    }

    /// Takes a window off the desk. Its children become top-level windows, as without a label the user could not
    /// reach them.
    pub fn remove(&mut self, key: Key, heads: &Heads) -> Option<Window> {
        let mut window = self.windows.try_remove(key.0)?;
        self.keys.remove(&window.id);
        self.stack.remove(key);
        self.changes.untold.remove(&key);
        self.damage(window.frame());
        self.version += 1;
        if let Some(client) = self.clients.get_mut(&window.id.client) {
            client.windows = client.windows.saturating_sub(1);
            self.changes.moved.insert(window.id.client);
        }
        if let Some(parent) = window.parent.and_then(|parent| self.get_mut(parent)) {
            parent.children.retain(|&child| child != key);
        }
        for child in std::mem::take(&mut window.children) {
            self.damage_window(child);
            let Some(orphan) = self.get_mut(child) else { continue };
            orphan.parent = None;
            orphan.style = Style::TopLevel;
            let content = orphan.content;
            self.place(child, content, heads);
            self.changed(child);
        }
        Some(window)
    }

    /// A window's place or frame is another one.
    fn changed(&mut self, key: Key) {
        self.version += 1;
        self.damage_window(key);
        self.untold(key);
        if let Some(window) = self.get(key) {
            let client = window.id.client;
            self.changes.moved.insert(client);
        }
    }

    /// A content as it may be.
    fn fit(&self, style: Style, wish: &Wish, root: Option<Key>, content: Rect, heads: &Heads) -> Rect {
        let content = place::within_hints(wish, content);
        let area = heads.home(&content);
        match (style, root.and_then(|root| self.get(root))) {
            (Style::Popup, Some(root)) => place::popup(content, &area, &root.style.head(&root.content)),
            (Style::Popup, None) | (Style::TopLevel, _) => place::top_level(content, &area),
        }
    }

    /// Moves or resizes a content, and moves the window's children with it.
    pub fn place(&mut self, key: Key, content: Rect, heads: &Heads) {
        let origin = self.origin(self.get(key).and_then(|window| window.parent)).unwrap_or_default();
        self.place_one(key, content, heads);
        if let Some(window) = self.get_mut(key) {
            let Rect { x, y, .. } = window.content;
            window.offset = (x.saturating_sub(origin.x), y.saturating_sub(origin.y));
        }
        for &child in self.family(key).iter().skip(1) {
            let Some(window) = self.get(child) else { continue };
            let Some(origin) = self.origin(window.parent) else { continue };
            let (x, y) = (origin.x.saturating_add(window.offset.0), origin.y.saturating_add(window.offset.1));
            self.place_one(child, Rect { x, y, ..window.content }, heads);
        }
    }

    fn place_one(&mut self, key: Key, content: Rect, heads: &Heads) {
        let Some(window) = self.get(key) else { return };
        let root = window.parent.map(|parent| self.root(parent));
        let content = self.fit(window.style, &window.wish, root, content, heads);
        if window.content == content {
            return;
        }
        self.damage_window(key);
        if let Some(window) = self.get_mut(key) {
            window.content = content;
        }
        self.changed(key);
    }

    /// A client described a window again: only a changed wish is a wish, for the user may have placed the window otherwise
    /// since.
    pub fn wish(&mut self, key: Key, wish: Wish, heads: &Heads) {
        let Some(window) = self.get(key) else { return };
        let origin = self.origin(window.parent).unwrap_or_default();
        let mut content = window.content;
        if window.wish.size != wish.size {
            (content.width, content.height) = wish.size;
        }
        if window.wish.place != wish.place {
            content.x = wish.place.0.map_or(content.x, |x| x.saturating_add(origin.x));
            content.y = wish.place.1.map_or(content.y, |y| y.saturating_add(origin.y));
        }
        let title = clean_title(&wish.title);
        let is_renamed = window.title != title;
        if let Some(window) = self.get_mut(key) {
            window.title = title;
            window.wish = wish;
        }
        if is_renamed {
            self.relabel(key);
        }
        self.place(key, content, heads);
    }

    /// Raises a window with what stays above it; a popup with its whole window, so that it is never without that.
    pub fn raise(&mut self, key: Key) {
        let family = self.family(self.root(key));
        if self.stack.raise(&family) {
            let first = self.stack.order().len().saturating_sub(family.len());
            let raised: Vec<Key> = self.stack.order().iter().skip(first).copied().collect();
            for member in raised {
                self.last_stamp = self.last_stamp.saturating_add(1);
                let stamp = self.last_stamp;
                if let Some(window) = self.get_mut(member) {
                    window.stamp = stamp;
                }
                self.changed(member);
                self.damage_tag(member);
            }
        }
    }

    /// Gives the keyboard to somebody, who is there.
    pub fn set_focus(&mut self, focus: Focus) {
        let before = self.focused();
        self.focus = focus;
        for id in [before, self.focused()].into_iter().flatten() {
            self.changes.moved.insert(id.client);
            if let Some(key) = self.find(id) {
                self.untold(key);
                self.damage_window(key);
                self.damage_tag(key);
            }
        }
    }

    /// May a window that just came take the keyboard? What the user types goes where it went: never from one client to
    /// another by itself.
    pub fn may_take_focus(&self, id: WindowId) -> bool {
        match self.focus {
            Focus::Free => true,
            Focus::Window(had) => had.client == id.client,
            Focus::Rests(had) => had == Some(id.client),
        }
    }

    /// The highest top-level window of a client.
    pub fn highest_of(&self, client: ClientId) -> Option<WindowId> {
        let windows = self.stack.order().iter().rev().filter_map(|&key| self.get(key));
        windows.filter(|w| w.id.client == client && w.style == Style::TopLevel).map(|w| w.id).next()
    }
}
