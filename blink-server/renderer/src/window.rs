//! A window's own state: description, OpenGL state, display lists, registers, and what is due.

use super::client::{Context, Stored};
use super::running::Running;
use super::scan::Refusal;
use blinkgl::layout::{ObjectError, WindowDesc};
use blinkgl::limits::REGISTERS;
use blinkgl::ops::{Callback, External};
use budget::Budget;
use gl::{Framebuffer, Stride, WindowState};
use ipc::geometry::Rect;
use ipc::glass::CursorImage;
use jit::{Environment, Lists, Outcome, Program};
use std::collections::{BTreeSet, VecDeque};
use std::sync::Arc;
use verifier::Facts;

/// Which part of a window's content must be drawn anew. Content coordinates, from the upper left.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Damage {
    /// Nothing.
    #[default]
    None,
    /// A part.
    Part(Rect),
    /// All.
    All,
}

impl Damage {
    /// This and another.
    pub fn add(&mut self, other: Damage) {
        *self = match (*self, other) {
            (Damage::All, _) | (_, Damage::All) => Damage::All,
            (Damage::None, damage) | (damage, Damage::None) => damage,
            (Damage::Part(a), Damage::Part(b)) => Damage::Part(a.union(&b)),
        };
    }
}

/// A program as a client published it.
#[derive(Clone, Debug)]
pub struct Published {
    /// The program, which other clients may have published too.
    pub program: Arc<Program>,
    /// The version of its object.
    pub version: u32,
}

impl Published {
    /// The same program, published once.
    #[must_use]
    pub fn is(&self, other: &Published) -> bool {
        Arc::ptr_eq(&self.program, &other.program) && self.version == other.version
    }
}

/// Tests of fragments against buffers that stay from one frame to the next.
#[derive(Clone, Copy, Debug, Default)]
pub struct Tests {
    /// The depth test.
    pub depth: bool,
    /// The stencil test.
    pub stencil: bool,
}

/// What the display lists of a window may do, for those who plan by the facts of its `redraw`.
#[derive(Clone, Debug, Default)]
pub struct ListUse {
    /// Tests that one may enable.
    pub tests: Tests,
    /// Textures and buffers that one may bind or read.
    pub resources: BTreeSet<u32>,
}

impl ListUse {
    /// A program that may define lists ran.
    pub fn note(&mut self, facts: &Facts) {
        for list in &facts.lists {
            self.tests.depth |= list.body.may_use_depth();
            self.tests.stencil |= list.body.may_use_stencil();
            self.resources.extend(&list.body.textures);
            self.resources.extend(&list.body.buffers);
        }
    }
}

/// A window.
#[derive(Debug)]
pub struct Window {
    /// What the client says about it.
    pub desc: WindowDesc,
    /// The title as it may be shown.
    pub title: String,
    /// OpenGL state that `init`, `reshape` and `update` left.
    pub state: WindowState,
    /// Display lists.
    pub lists: Lists,
    /// What they may do.
    pub list_use: ListUse,
    /// Registers, where the client gave no file.
    pub registers: [u32; REGISTERS],
    /// The program that `init` ran last; another one starts the window afresh.
    initialized: Option<Option<Published>>,
    /// The program that `reshape` ran last, and the content that it ran for.
    reshaped: Option<(Option<Published>, Rect)>,
    /// The update serial that `update` ran for; `None` before the first description was seen.
    updated: Option<u32>,
    /// To be drawn in this frame.
    pub damage: Damage,
    /// To be drawn in the next.
    pub next_damage: Damage,
    /// What it is drawn into. The glass has the last complete picture, so that nobody sees what is half done here.
    pub picture: Option<Framebuffer>,
    /// What of the picture is complete and new: to be handed over to the glass.
    pub complete: Option<Rect>,
    /// The pointer's picture as the glass was told.
    pub cursor: Option<CursorImage>,
    /// It should have a picture, but its client's windows have too many pixels.
    pub unbuffered: bool,
    /// A suspended run of a callback other than `redraw`: all others wait.
    pub busy: Option<Box<Running>>,
    /// A slow window's `redraw` that is not at its end.
    pub redrawing: Option<Box<Running>>,
    /// Runs of `input` that wait.
    pub waiting: VecDeque<Environment>,
    /// A run went past its slice: until then (nanoseconds), the window is *slow*, and drawn in slices into a buffer of
    /// its own.
    pub slow_until: Option<u64>,
    /// Its client was told that it is slow.
    pub is_told_slow: bool,
    /// A suspended `redraw` was given up for a newer one, and no picture was complete since.
    pub is_replacing: bool,
    /// How large the steps of its drawing may be.
    pub stride: Stride,
    /// Bytes of `lists`.
    pub list_bytes: usize,
    /// What is wrong with the window, for `blinkctl list`.
    pub error: Option<String>,
    /// A quota stopped its last `redraw`.
    pub stopped: bool,
    /// Runs of `redraw`.
    pub redraws: u64,
}

/// What the server knows when a callback runs.
#[derive(Clone, Copy, Debug)]
pub struct Surroundings {
    /// Predicted presentation, nanoseconds.
    pub presentation: u64,
    /// Frame number.
    pub frame: u64,
    /// Refresh interval, nanoseconds.
    pub refresh: u64,
    /// The window's content on the output.
    pub content: Rect,
    /// The pointer's last place in the content, from its upper left corner.
    pub pointer: (i32, i32),
    /// It is there now.
    pub inside: bool,
    /// Buttons that were pressed there and are held.
    pub buttons: u32,
    /// The window has the focus.
    pub focus: bool,
    /// What a run may use.
    pub budget: Budget,
}

impl Surroundings {
    /// As a program reads them.
    #[must_use]
    #[allow(clippy::cast_precision_loss, clippy::cast_possible_truncation, reason = "registers are f32")]
    pub fn environment(&self) -> Environment {
        let mut env = Environment::at(self.presentation);
        let budget = verifier::Budget::from(self.budget);
        (env.fuel, env.vertices) = (budget.fuel, budget.vertices);
        let content = &self.content;
        for (what, value) in [
            (External::Frame, self.frame as f32),
            (External::Refresh, (self.refresh as f64 / 1e9) as f32),
            (External::X, content.x as f32),
            (External::Y, content.y as f32),
            (External::Width, content.width as f32),
            (External::Height, content.height as f32),
            (External::Scale, 1.0),
            (External::PointerX, self.pointer.0 as f32),
            (
                External::PointerY,
                i32::try_from(content.height)
                    .unwrap_or(i32::MAX)
                    .saturating_sub(1)
                    .saturating_sub(self.pointer.1) as f32,
            ),
            (External::PointerInside, f32::from(u8::from(self.inside))),
            (External::Buttons, self.buttons as f32),
            (External::Focus, f32::from(u8::from(self.focus))),
        ] {
            env.set(what, value);
        }
        env
    }
}

/// What must run before the window can be drawn.
#[derive(Debug, Default)]
pub struct Due {
    /// Start afresh, and run this if there is one.
    pub init: bool,
    /// Run `reshape`.
    pub reshape: bool,
    /// Run `update`.
    pub update: bool,
}

impl Window {
    /// A window that nothing ran for.
    #[must_use]
    pub fn new(desc: WindowDesc) -> Window {
        let mut window = Window {
            title: String::new(),
            state: WindowState::new(desc.width, desc.height),
            desc: WindowDesc::default(),
            lists: Lists::default(),
            list_use: ListUse::default(),
            registers: [0; REGISTERS],
            initialized: None,
            reshaped: None,
            updated: None,
            damage: Damage::All,
            next_damage: Damage::None,
            picture: None,
            complete: None,
            cursor: None,
            unbuffered: false,
            busy: None,
            redrawing: None,
            is_replacing: false,
            waiting: VecDeque::new(),
            slow_until: None,
            is_told_slow: false,
            stride: Stride::default(),
            list_bytes: 0,
            error: None,
            stopped: false,
            redraws: 0,
        };
        window.describe(desc);
        window
    }

    /// Is it drawn in slices, into a buffer of its own?
    #[must_use]
    pub fn is_slow(&self) -> bool {
        self.slow_until.is_some()
    }

    /// What of it is suspended, if something is.
    #[must_use]
    pub fn suspended(&self) -> Option<Callback> {
        self.busy.as_ref().or(self.redrawing.as_ref()).map(|run| run.callback())
    }

    /// A part of the picture is complete, and not handed over yet.
    pub fn completed(&mut self, part: Rect) {
        self.complete = Some(self.complete.map_or(part, |old| old.union(&part)));
    }

    /// Takes a description over.
    pub fn describe(&mut self, desc: WindowDesc) {
        let bytes = usize::try_from(desc.title_bytes).unwrap_or(usize::MAX).min(desc.title.len());
        self.title = String::from_utf8_lossy(&desc.title[..bytes]).into_owned();
        self.damage = Damage::All;
        if self.updated.is_none() {
            self.updated = Some(desc.update_serial);
        }
        self.desc = desc;
    }

    /// What is due, given the programs in force and the place.
    #[must_use]
    pub fn due(&self, init: Option<&Published>, reshape: Option<&Published>, content: Rect) -> Due {
        let same = |a: Option<&Published>, b: Option<&Published>| match (a, b) {
            (None, None) => true,
            (Some(a), Some(b)) => a.is(b),
            (None, Some(_)) | (Some(_), None) => false,
        };
        let afresh = !self.initialized.as_ref().is_some_and(|ran| same(ran.as_ref(), init));
        let moved =
            !self.reshaped.as_ref().is_some_and(|(ran, at)| same(ran.as_ref(), reshape) && *at == content);
        Due { init: afresh, reshape: afresh || moved, update: self.updated != Some(self.desc.update_serial) }
    }

    /// Forgets all OpenGL state, before `init`.
    pub fn start_afresh(&mut self, init: Option<Published>, content: Rect) {
        self.state = WindowState::new(content.width, content.height);
        self.lists = Lists::default();
        self.list_bytes = 0;
        self.list_use = ListUse::default();
        self.initialized = Some(init);
        self.reshaped = None;
        self.redrawing = None;
        self.damage = Damage::All;
    }

    /// `reshape` ran (or there is none) for this place.
    pub fn reshaped(&mut self, reshape: Option<Published>, content: Rect) {
        if reshape.is_none()
            && let Some((_, before)) = &self.reshaped
        {
            self.state.follow((before.width, before.height), (content.width, content.height));
        }
        self.reshaped = Some((reshape, content));
        self.damage = Damage::All;
    }

    /// `update` ran (or there is none) for this serial.
    pub fn updated(&mut self, serial: u32) {
        self.updated = Some(serial);
        self.damage.add(Damage::All);
    }

    /// What a callback other than `redraw` asked for, or `redraw` for its next frame.
    #[must_use]
    pub fn wish(outcome: &Outcome, content: &Rect) -> Damage {
        match outcome.effects.damage {
            Some(rect) => {
                // Content coordinates have their origin in the lower left corner, damage in the upper left.
                let height = i32::try_from(content.height).unwrap_or(i32::MAX);
                let top = height.saturating_sub(rect.y.saturating_add(rect.height));
                let rect = Rect::between(
                    rect.x,
                    top,
                    rect.x.saturating_add(rect.width),
                    top.saturating_add(rect.height),
                );
                let inside = rect.intersection(&Rect::new(0, 0, content.width, content.height));
                if inside.is_empty() { Damage::None } else { Damage::Part(inside) }
            }
            None if outcome.effects.request_frame => Damage::All,
            None => Damage::None,
        }
    }
}

/// Checks what a window says about other objects: the first reference that leads nowhere or to something else.
#[must_use]
pub fn bad_reference(context: &Context, oid: u32, desc: &WindowDesc) -> Option<Refusal> {
    let bad = |word, oid| Some(Refusal { error: ObjectError::BadReference, values: [word, oid] });
    for (word, callback) in (10u32..).zip(Callback::ALL) {
        let oid = desc.procedure(callback);
        // One whose first program was refused is there, and its refusal was told.
        let fits = match context.objects.get(&oid) {
            Some(Stored::Procedure(p)) => p.program.as_ref().is_none_or(|p| p.callback() == callback),
            Some(_) | None => false,
        };
        if oid != 0 && !fits {
            return bad(word, oid);
        }
    }
    let object = |oid: u32| context.objects.get(&oid);
    for (word, oid, fits) in [
        (15, desc.registers, matches!(object(desc.registers), Some(Stored::Registers { .. }))),
        (16, desc.cursor, matches!(object(desc.cursor), Some(Stored::Cursor(_)))),
        (9, desc.parent, matches!(object(desc.parent), Some(Stored::Window))),
    ] {
        if oid != 0 && !fits {
            return bad(word, oid);
        }
    }
    if ancestors(context, desc.parent).any(|ancestor| ancestor == oid) {
        return Some(Refusal { error: ObjectError::BadParent, values: [desc.parent, 0] });
    }
    None
}

/// Is a window its own ancestor?
#[must_use]
pub fn is_circle(context: &Context, oid: u32) -> bool {
    let parent = context.windows.get(&oid).map_or(0, |window| window.desc.parent);
    ancestors(context, parent).any(|ancestor| ancestor == oid)
}

/// A window's parent, the parent of that, and so on; no longer than there are windows, if it goes round.
fn ancestors(context: &Context, parent: u32) -> impl Iterator<Item = u32> {
    let next = |oid: &u32| context.windows.get(oid).map(|w| w.desc.parent).filter(|&parent| parent != 0);
    std::iter::successors(Some(parent).filter(|&parent| parent != 0), next).take(context.windows.len())
}

/// How many windows a window stands above: those with fewer must be there first.
#[must_use]
pub fn depth(context: &Context, oid: u32) -> usize {
    ancestors(context, context.windows.get(&oid).map_or(0, |w| w.desc.parent)).count()
}
