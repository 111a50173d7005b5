//! What the glass says of the windows: where they are, whether they can be seen, and the memory that their pictures go to.

use ipc::WindowId;
use ipc::geometry::Rect;
use ipc::glass::{Drawn, half_bytes};
use memmap2::{MmapOptions, MmapRaw};
use rustix::fd::OwnedFd;
use std::collections::BTreeMap;

/// The memory of a window's pictures, see [`ipc::glass`].
#[derive(Debug)]
pub struct Surface {
    mapping: MmapRaw,
    serial: u32,
    size: (u32, u32),
    /// The half that the glass reads.
    front: u8,
    /// What of each half is older than the window's target; `None`: nothing.
    stale: [Option<Rect>; 2],
}

impl Surface {
    /// Maps what the glass sent.
    ///
    /// # Errors
    /// It is not sealed memory of this size, or can't be mapped.
    pub fn new(memory: &OwnedFd, serial: u32, width: u32, height: u32) -> Result<Surface, String> {
        let bytes = 2 * half_bytes(width, height);
        os::memory::check(memory, bytes).map_err(|error| error.to_string())?;
        let length = usize::try_from(bytes).map_err(|error| error.to_string())?;
        let mapping = MmapOptions::new().len(length).map_raw(memory).map_err(|error| error.to_string())?;
        let all = Some(Rect::new(0, 0, width, height));
        Ok(Surface { mapping, serial, size: (width, height), front: 0, stale: [all; 2] })
    }

    /// Pixels.
    #[must_use]
    pub fn size(&self) -> (u32, u32) {
        self.size
    }

    /// A part of the window's target is new. `read` writes what it is asked for into the half that nobody reads, and the
    /// glass reads that half from now on. `None`: it could not.
    pub fn hand_over(
        &mut self,
        damage: Rect,
        read: impl FnOnce(Rect, &mut [u8]) -> bool,
    ) -> Option<(u32, u8)> {
        for stale in &mut self.stale {
            *stale = Some(stale.map_or(damage, |old| old.union(&damage)));
        }
        let half = 1 - self.front;
        let part = self.stale[usize::from(half)].unwrap_or(damage);
        let (width, height) = self.size;
        let length = usize::try_from(half_bytes(width, height)).ok()?;
        let first = length * usize::from(half);
        if first + length > self.mapping.len() {
            return None;
        }
        // SAFETY: the bytes are inside the mapping, checked above. It keeps them readable and writable, because the
        // memory is sealed against shrinking (checked in `new`). No other reference to them exists: this one ends with the
        // call, and `self` is borrowed mutably. The other process that has the memory, the glass, only reads it.
        let pixels = unsafe { std::slice::from_raw_parts_mut(self.mapping.as_mut_ptr().add(first), length) };
        if !read(part, pixels) {
            return None;
        }
        self.stale[usize::from(half)] = None;
        self.front = half;
        Some((self.serial, half))
    }
}

/// What the glass says of a window.
#[derive(Debug)]
pub struct View {
    /// Which.
    pub id: WindowId,
    /// Its content on the output.
    pub content: Rect,
    /// Some of it can be seen. What can't be is not drawn.
    pub visible: bool,
    /// It has the keyboard focus.
    pub focus: bool,
    /// The pointer's last place inside, from the content's upper left corner.
    pub pointer: (i32, i32),
    /// The pointer is inside now, or held by a button that was pressed inside.
    pub inside: bool,
    /// Buttons that were pressed in it and are held, bit 0 left, 1 middle, 2 right.
    pub buttons: u32,
    /// Where its pictures go.
    pub surface: Option<Surface>,
}

/// A view without its memory: what a run needs to know.
#[derive(Clone, Copy, Debug)]
pub struct Sight {
    /// Which.
    pub id: WindowId,
    /// See [`View::content`].
    pub content: Rect,
    /// See [`View::visible`].
    pub visible: bool,
}

/// All windows that the glass shows, in the order of their ids.
#[derive(Debug, Default)]
pub struct Views(BTreeMap<WindowId, View>);

impl Views {
    /// A window.
    #[must_use]
    pub fn get(&self, id: WindowId) -> Option<&View> {
        self.0.get(&id)
    }

    /// A window.
    pub fn get_mut(&mut self, id: WindowId) -> Option<&mut View> {
        self.0.get_mut(&id)
    }

    /// What runs need to know of a window.
    #[must_use]
    pub fn sight(&self, id: WindowId) -> Option<Sight> {
        self.0.get(&id).map(|view| Sight { id, content: view.content, visible: view.visible })
    }

    /// The same of all windows.
    #[must_use]
    pub fn sights(&self) -> Vec<Sight> {
        let sight = |view: &View| Sight { id: view.id, content: view.content, visible: view.visible };
        self.0.values().map(sight).collect()
    }

    /// The window, made if it is not there.
    pub fn entry(&mut self, id: WindowId, content: Rect) -> &mut View {
        self.0.entry(id).or_insert_with(|| View {
            id,
            content,
            visible: false,
            focus: false,
            pointer: (-1, -1),
            inside: false,
            buttons: 0,
            surface: None,
        })
    }

    /// A window is gone.
    pub fn remove(&mut self, id: WindowId) {
        self.0.remove(&id);
    }

    /// Another glass shows the windows: it will say anew what it said.
    pub fn clear(&mut self) {
        self.0.clear();
    }
}

/// What a frame hands over to the glass.
#[must_use]
pub fn drawn(window: WindowId, (buffer, half): (u32, u8), damage: Rect, tell: bool) -> Drawn {
    Drawn { window, buffer, half, damage, tell }
}
