//! What a program may and will do, for those who plan by it: compositor, lowering, accounting.
//!
//! Facts err on the side of safety (paper, section 2.3). What may happen on any path, reachable or not, counts as
//! [`Occurs::Maybe`]; only what stands outside of every conditional scope is [`Occurs::Always`].
//! They are about one program alone: the state that it starts from was left by other programs, and the
//! display lists that it calls are known when it runs. Who asks about a window takes all of them together.

use crate::attributes::Attributes;
use crate::cost::{Budget, Cost};
use crate::error::Detail;
use crate::matrix::Stacks;
use alloc::boxed::Box;
use alloc::vec::Vec;
use blinkgl::gl::ClearMask;
use blinkgl::limits::MAX_LISTS;
use blinkgl::planted;
use core::ops::Range;

/// Does it happen in a run?
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Occurs {
    /// On no path.
    #[default]
    Never,
    /// On some paths, as far as is known.
    Maybe,
    /// In each run that is not stopped by a quota before.
    Always,
}

impl Occurs {
    /// Can it happen at all?
    #[must_use]
    pub fn may(self) -> bool {
        self != Occurs::Never
    }

    pub(crate) fn note(&mut self, unconditional: bool) {
        *self = (*self).max(if unconditional { Occurs::Always } else { Occurs::Maybe });
    }
}

/// A piece of state that can confine what a clear reaches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Confinement {
    /// As the program found it.
    Inherited,
    /// Confines nothing: scissor test off, all color channels, depth, or all stencil bits writable.
    Open,
    /// The program may have narrowed it.
    Unknown,
}

impl Confinement {
    fn join(self, other: Confinement) -> Confinement {
        if self == other { self } else { Confinement::Unknown }
    }

    /// Does it confine nothing, if the state at entry confined nothing (`open_at_entry`) or may have?
    #[must_use]
    pub fn is_open(self, open_at_entry: bool) -> bool {
        match self {
            Confinement::Inherited => open_at_entry,
            Confinement::Open => true,
            Confinement::Unknown => false,
        }
    }
}

/// A clear of a buffer that happens in each run, before anything else is drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClearFact {
    /// Word offset of the `clear`.
    pub offset: u32,
    /// Scissor test and rectangle.
    pub scissor: Confinement,
    /// Color, depth or stencil mask, as the buffer's.
    pub mask: Confinement,
}

impl ClearFact {
    /// Does it clear the whole window? `scissor_open`, `mask_open`: the state at entry has the scissor
    /// test off, and the mask of this buffer all open.
    #[must_use]
    pub fn covers_window(&self, scissor_open: bool, mask_open: bool) -> bool {
        self.scissor.is_open(scissor_open) && self.mask.is_open(mask_open)
    }
}

/// State that may be used: what is not set here is left as it was found.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Uses {
    /// Enables the depth test.
    pub depth_test: bool,
    /// Enables the stencil test.
    pub stencil_test: bool,
    /// Enables blending.
    pub blending: bool,
    /// Sets a scissor rectangle, or enables or disables the test.
    pub scissor: bool,
    /// Sets the color mask.
    pub color_mask: bool,
    /// Sets the viewport.
    pub viewport: bool,
    /// Enables lighting.
    pub lighting: bool,
    /// Enables texturing.
    pub texturing: bool,
}

impl Uses {
    /// What either uses.
    #[must_use]
    pub fn union(self, other: Uses) -> Uses {
        Uses {
            depth_test: self.depth_test | other.depth_test,
            stencil_test: self.stencil_test | other.stencil_test,
            blending: self.blending | other.blending,
            scissor: self.scissor | other.scissor,
            color_mask: self.color_mask | other.color_mask,
            viewport: self.viewport | other.viewport,
            lighting: self.lighting | other.lighting,
            texturing: self.texturing | other.texturing,
        }
    }
}

/// Facts of a body: the program without the display lists that it defines, or one such list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BodyFacts {
    /// Worst case on any path. A `call_list` counts as itself; the list's own cost is charged when it is called.
    pub worst: Cost,
    /// State that it may use.
    pub uses: Uses,
    /// Draws primitives or arrays, or calls lists.
    pub draws: Occurs,
    /// Clears the color buffer.
    pub clears_color: Occurs,
    /// Clears the depth buffer.
    pub clears_depth: Occurs,
    /// Clears the stencil buffer.
    pub clears_stencil: Occurs,
    /// A clear of color in each run before anything is drawn or color is cleared otherwise.
    pub opening_color_clear: Option<ClearFact>,
    /// The same of depth.
    pub opening_depth_clear: Option<ClearFact>,
    /// The same of stencil.
    pub opening_stencil_clear: Option<ClearFact>,
    /// Registers (bit by number) that may be read before the body wrote them: live at entry.
    /// The lists that it calls read theirs in addition.
    pub registers_read: u32,
    /// OIDs of textures that it may bind, sorted, without 0.
    pub textures: Box<[u32]>,
    /// OIDs of buffers that it may take vertices or indices from, sorted, without 0.
    pub buffers: Box<[u32]>,
    /// Display lists that it may call, sorted.
    pub calls: Box<[u32]>,
    /// How much deeper than at entry each stack may get, in the order of [`crate::Stack::ALL`].
    pub matrix_rise: [u8; 4],
}

impl BodyFacts {
    /// May change pixels by itself or by its lists.
    #[must_use]
    pub fn touches_pixels(&self) -> bool {
        self.draws.may() || self.clears_color.may() || self.clears_depth.may() || self.clears_stencil.may()
    }

    /// May need the depth buffer: enables the test or clears it. (The state at entry may have the test on.)
    #[must_use]
    pub fn may_use_depth(&self) -> bool {
        self.uses.depth_test || self.clears_depth.may()
    }

    /// May need the stencil buffer: enables the test or clears it. (The state at entry may have the test on.)
    #[must_use]
    pub fn may_use_stencil(&self) -> bool {
        self.uses.stencil_test || self.clears_stencil.may()
    }

    /// Is nothing of what lies beneath the window visible after each run? `scissor_open`, `mask_open`: the
    /// state at entry has the scissor test off, and all color channels writable.
    #[must_use]
    pub fn is_opaque(&self, scissor_open: bool, mask_open: bool) -> bool {
        self.opening_color_clear.is_some_and(|clear| clear.covers_window(scissor_open, mask_open))
    }
}

/// Facts of a display list that a program defines.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListFacts {
    /// Its name.
    pub name: u32,
    /// Words of its body: after `new_list` to before `end_list`.
    pub words: Range<u32>,
    /// Is it defined in each run of the program?
    pub defined: Occurs,
    /// Facts of its body.
    pub body: BodyFacts,
}

/// A primitive: what stands from a `begin` to its `end`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PrimitiveFacts {
    /// Word offset of the `begin`.
    pub begin: u32,
    /// Word offset after the `end`.
    pub end: u32,
    /// What `begin` names.
    pub mode: u32,
    /// Vertices.
    pub vertices: u32,
    /// It is nothing but vertices and their attributes: no register work, no material.
    pub plain: bool,
    /// Registers (bit by number) that stand in it.
    pub registers: u32,
}

/// A run of instructions that do nothing but write registers, with no jump into its middle.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RegisterWork {
    /// Word offset of the first.
    pub begin: u32,
    /// Word offset after the last.
    pub end: u32,
    /// How many.
    pub instructions: u32,
}

/// Facts of a program.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Facts {
    /// Facts of the program's own body.
    pub body: BodyFacts,
    /// Instructions, those of display lists included.
    pub instructions: u32,
    /// Registers (bit by number) that may be written.
    pub registers_written: u32,
    /// Registers (bit by number) that are written in each run.
    pub registers_always_written: u32,
    /// External state that may be read: bit by [`blinkgl::External`] code.
    pub externals: u32,
    /// May depend on the time or the frame number: its picture can change with nothing else changing.
    pub uses_time: bool,
    /// Asks for the next frame.
    pub requests_frame: Occurs,
    /// Marks damage.
    pub damages: Occurs,
    /// Notifies the client.
    pub notifies: Occurs,
    /// Display lists that it may define, in the order of their definitions. A name can occur twice.
    pub lists: Box<[ListFacts]>,
    /// The least budget with which it is accepted.
    pub needs: Budget,
    /// Its primitives in order, those of display lists included.
    pub primitives: Box<[PrimitiveFacts]>,
    /// Register work, in order: all instructions of the classes Compute and Read, each run as long as it can be.
    pub works: Box<[RegisterWork]>,
}

/// State at one point of a path; what differs between paths is joined where they meet.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Path {
    pub(crate) cost: Cost,
    /// Registers written on every path that leads here.
    pub(crate) written: u32,
    pub(crate) stacks: Stacks,
    pub(crate) scissor: Confinement,
    pub(crate) color_mask: Confinement,
    pub(crate) depth_mask: Confinement,
    pub(crate) stencil_mask: Confinement,
    /// What `push_attrib` saved: a number for the whole stack, 0 for none. See [`crate::attributes`].
    pub(crate) attributes: u32,
}

impl Path {
    pub(crate) const ENTRY: Path = Path {
        cost: Cost { ops: 0, fuel: 0, gl_calls: 0, vertices: 0, assembled: 0 },
        written: 0,
        stacks: Stacks::ENTRY,
        scissor: Confinement::Inherited,
        color_mask: Confinement::Inherited,
        depth_mask: Confinement::Inherited,
        stencil_mask: Confinement::Inherited,
        attributes: 0,
    };

    pub(crate) fn join(&mut self, jumped: Path, target: u32) -> Result<(), Detail> {
        self.stacks.join(jumped.stacks, target)?;
        if planted!(AttributesNotJoined, false, self.attributes != jumped.attributes) {
            return Err(Detail::JoinAttributes { target });
        }
        self.cost = planted!(CheaperPath, jumped.cost, self.cost.max(jumped.cost));
        planted!(WrittenOnOnePath, self.written |= jumped.written, self.written &= jumped.written);
        self.scissor = self.scissor.join(jumped.scissor);
        self.color_mask = self.color_mask.join(jumped.color_mask);
        self.depth_mask = self.depth_mask.join(jumped.depth_mask);
        self.stencil_mask = self.stencil_mask.join(jumped.stencil_mask);
        Ok(())
    }
}

/// A set of display list names.
#[derive(Clone, Debug)]
struct ListSet([u64; LIST_WORDS]);

const LIST_WORDS: usize = MAX_LISTS as usize / 64 + 1;

impl ListSet {
    fn insert(&mut self, name: u32) {
        let word = usize::try_from(name / 64).ok().and_then(|i| self.0.get_mut(i));
        if let Some(word) = word {
            *word |= 1 << (name % 64);
        }
    }

    fn sorted(&self) -> Box<[u32]> {
        (1..=MAX_LISTS)
            .filter(|&name| {
                let word = usize::try_from(name / 64).ok().and_then(|i| self.0.get(i));
                word.is_some_and(|word| word >> (name % 64) & 1 != 0)
            })
            .collect()
    }
}

/// Facts of a body as they gather.
#[derive(Clone, Debug)]
pub(crate) struct Body {
    pub(crate) path: Path,
    attributes: Attributes,
    pub(crate) uses: Uses,
    pub(crate) draws: Occurs,
    clears_color: Occurs,
    clears_depth: Occurs,
    clears_stencil: Occurs,
    opening_color_clear: Option<ClearFact>,
    opening_depth_clear: Option<ClearFact>,
    opening_stencil_clear: Option<ClearFact>,
    pub(crate) registers_read: u32,
    textures: Vec<u32>,
    buffers: Vec<u32>,
    calls: Option<Box<ListSet>>,
}

impl Body {
    pub(crate) fn new() -> Body {
        Body {
            path: Path::ENTRY,
            attributes: Attributes::default(),
            uses: Uses::default(),
            draws: Occurs::Never,
            clears_color: Occurs::Never,
            clears_depth: Occurs::Never,
            clears_stencil: Occurs::Never,
            opening_color_clear: None,
            opening_depth_clear: None,
            opening_stencil_clear: None,
            registers_read: 0,
            textures: Vec::new(),
            buffers: Vec::new(),
            calls: None,
        }
    }

    pub(crate) fn bind_texture(&mut self, oid: u32) {
        if oid != 0 && self.textures.last() != Some(&oid) {
            self.textures.push(oid);
        }
    }

    pub(crate) fn use_buffer(&mut self, oid: u32) {
        if oid != 0 && planted!(BufferZeroOnly, self.buffers.is_empty(), self.buffers.last() != Some(&oid)) {
            self.buffers.push(oid);
        }
    }

    pub(crate) fn push_attributes(&mut self, groups: u32) -> Result<(), Detail> {
        self.attributes.push(groups, &mut self.path)
    }

    pub(crate) fn pop_attributes(&mut self) -> Result<(), Detail> {
        self.attributes.pop(&mut self.path)
    }

    /// Is everything that was pushed popped?
    pub(crate) fn balanced(&self) -> Result<(), Detail> {
        self.path.stacks.balanced()?;
        self.attributes.balanced(&self.path)
    }

    /// A list may draw, and may leave any state behind.
    pub(crate) fn call_list(&mut self, name: u32) {
        self.calls.get_or_insert_with(|| Box::new(ListSet([0; LIST_WORDS]))).insert(name);
        self.draws.note(false);
        self.path.scissor = Confinement::Unknown;
        self.path.color_mask = Confinement::Unknown;
        self.path.depth_mask = Confinement::Unknown;
        self.path.stencil_mask = Confinement::Unknown;
    }

    pub(crate) fn clear(&mut self, buffers: u32, offset: u32, unconditional: bool) {
        // The server does the first clear of each buffer whatever its limits say; so no other path may have one before.
        let opening = planted!(ClearAfterDrawing, unconditional, unconditional && !self.draws.may());
        let fact = |mask| Some(ClearFact { offset, scissor: self.path.scissor, mask });
        if buffers & CLEAR_COLOR != 0 {
            if opening && !self.clears_color.may() {
                self.opening_color_clear = fact(self.path.color_mask);
            }
            self.clears_color.note(unconditional);
        }
        if buffers & CLEAR_DEPTH != 0 {
            if opening && !self.clears_depth.may() {
                self.opening_depth_clear = fact(self.path.depth_mask);
            }
            self.clears_depth.note(unconditional);
        }
        if buffers & CLEAR_STENCIL != 0 {
            if opening && !self.clears_stencil.may() {
                self.opening_stencil_clear = fact(self.path.stencil_mask);
            }
            self.clears_stencil.note(unconditional);
        }
    }

    pub(crate) fn finish(mut self) -> BodyFacts {
        for oids in [&mut self.textures, &mut self.buffers] {
            oids.sort_unstable();
            oids.dedup();
        }
        BodyFacts {
            worst: self.path.cost,
            uses: self.uses,
            draws: self.draws,
            clears_color: self.clears_color,
            clears_depth: self.clears_depth,
            clears_stencil: self.clears_stencil,
            opening_color_clear: self.opening_color_clear,
            opening_depth_clear: self.opening_depth_clear,
            opening_stencil_clear: self.opening_stencil_clear,
            registers_read: self.registers_read,
            textures: self.textures.into_boxed_slice(),
            buffers: self.buffers.into_boxed_slice(),
            calls: self.calls.map(|calls| calls.sorted()).unwrap_or_default(),
            matrix_rise: self.path.stacks.rise(),
        }
    }
}

const CLEAR_DEPTH: u32 = ClearMask::DEPTH.value();
const CLEAR_STENCIL: u32 = ClearMask::STENCIL.value();
const CLEAR_COLOR: u32 = ClearMask::COLOR.value();
