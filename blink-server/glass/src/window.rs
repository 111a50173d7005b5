//! A window: what its client wishes, where it is, and what it shows.

use crate::cursor::Picture;
use crate::decoration::{Label, Style};
use crate::seat::GUARD;
use crate::stack::Key;
use crate::surface::Surface;
use ipc::WindowId;
use ipc::geometry::Rect;
use ipc::glass::Wish;

/// What the renderer was told of a window's place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Told {
    /// The content on the output, pixels.
    pub content: Rect,
    /// Some of the content can be seen.
    pub visible: bool,
    /// It has the keyboard focus.
    pub focus: bool,
}

/// Whether the user wants the window closed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Closing {
    /// No.
    #[default]
    No,
    /// The client was asked at this time, nanoseconds.
    Asked(u64),
    /// It did not answer: the next click on the cross ends it. Since this time, nanoseconds.
    Offered(u64),
}

/// The window's memory.
#[derive(Debug, Default)]
pub struct Buffers {
    /// What is shown.
    pub shown: Option<Surface>,
    /// What the renderer draws into: shown from the first `Done` that names it.
    pub next: Option<Surface>,
    /// The class has no memory left for it.
    pub starved: bool,
}

impl Buffers {
    /// The one that the renderer was given last.
    pub fn newest(&self) -> Option<&Surface> {
        self.next.as_ref().or(self.shown.as_ref())
    }

    /// Bytes of all.
    pub fn bytes(&self) -> u64 {
        self.shown.iter().chain(&self.next).map(Surface::bytes).sum()
    }
}

/// A window.
#[derive(Debug)]
pub struct Window {
    /// Its name outside of the glass.
    pub id: WindowId,
    /// The last wish: only one that differs from it is a new wish.
    pub wish: Wish,
    /// The title as it may be shown.
    pub title: String,
    /// The content on the output, pixels.
    pub content: Rect,
    /// How it is framed.
    pub style: Style,
    /// The window that it stays above and moves with.
    pub parent: Option<Key>,
    /// The windows whose parent it is.
    pub children: Vec<Key>,
    /// The content's corner from the parent's.
    pub offset: (i32, i32),
    /// Orders the stack: it grows with each new window and each that is raised. So a window's own is all that has to be
    /// remembered of it, whoever comes and goes.
    pub stamp: u32,
    /// It was there before a restart.
    pub is_restored: bool,
    /// Its memory.
    pub buffers: Buffers,
    /// The pointer's picture over its content.
    pub cursor: Option<Picture>,
    /// The label's picture, once it was needed.
    pub label: Option<Label>,
    /// The name tag's picture, once it was needed.
    pub tag: Option<Label>,
    /// What its renderer knows; `None`: nothing yet.
    pub told: Option<Told>,
    /// The renderer that the class has now spoke of it.
    pub announced: bool,
    /// Some of the content can be seen, as of the last frame.
    pub visible: bool,
    /// Whether the user wants it closed.
    pub closing: Closing,
    /// What its client did to its frame lately.
    pub moves: Moves,
}

/// Where a client's window was before its client placed it anew, so that it takes no click meant for what it covers now.
#[derive(Clone, Copy, Debug, Default)]
pub struct Moves {
    /// The last time, nanoseconds; `None`: never.
    last: Option<u64>,
    /// The frame before that, and before all that came as soon after another.
    settled: Rect,
}

impl Moves {
    /// The client changes the frame, which was this.
    pub fn moved(&mut self, before: Rect, now: u64) {
        if self.last.is_none_or(|last| now.saturating_sub(last) >= GUARD) {
            self.settled = before;
        }
        self.last = Some(now);
    }

    /// Is it so short a time over this place that a click there is not meant for it?
    pub fn is_fresh(&self, (x, y): (i32, i32), now: u64) -> bool {
        self.last.is_some_and(|last| now.saturating_sub(last) < GUARD) && !self.settled.contains(x, y)
    }
}

impl Window {
    /// Content and frame.
    pub fn frame(&self) -> Rect {
        self.style.frame(&self.content)
    }
}
