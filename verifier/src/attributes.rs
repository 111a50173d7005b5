//! The attribute stack along a path: what `pop_attrib` restores of the state that the verifier follows.
//!
//! Matrix stacks are no attributes; the matrix mode and the active texture unit are.

use crate::error::Detail;
use crate::facts::{Confinement, Path};
use crate::matrix::Selection;
use alloc::vec::Vec;
use blinkgl::limits::ATTRIB_STACK;
use blinkgl::ops::AttribGroup;
use blinkgl::planted;

/// What one `push_attrib` saved.
#[derive(Clone, Copy, Debug)]
struct Saved {
    groups: u32,
    /// The stack below: see [`Path::attributes`].
    below: u32,
    /// Depth with it.
    depth: u8,
    selection: Selection,
    scissor: Confinement,
    color_mask: Confinement,
    depth_mask: Confinement,
    stencil_mask: Confinement,
}

/// All that was saved in a body. A path holds its stack as one number, as many paths may wait for their join: paths
/// with the same number have pushed at the same places, which the pass meets once, so with the same values.
#[derive(Clone, Debug, Default)]
pub(crate) struct Attributes {
    saved: Vec<Saved>,
}

impl Attributes {
    fn top(&self, path: &Path) -> Option<&Saved> {
        // 0 is the empty stack.
        self.saved.get(usize::try_from(path.attributes).ok()?.checked_sub(1)?)
    }

    pub(crate) fn push(&mut self, groups: u32, path: &mut Path) -> Result<(), Detail> {
        let depth = self.top(path).map_or(0, |top| top.depth);
        if planted!(
            AttributesOneDeeper,
            usize::from(depth) > ATTRIB_STACK,
            usize::from(depth) >= ATTRIB_STACK
        ) {
            return Err(Detail::AttributeOverflow);
        }
        self.saved.push(Saved {
            groups,
            below: path.attributes,
            depth: depth + 1,
            selection: path.stacks.selection,
            scissor: path.scissor,
            color_mask: path.color_mask,
            depth_mask: path.depth_mask,
            stencil_mask: path.stencil_mask,
        });
        // A program has at most 2^18 words, so it fits.
        path.attributes = u32::try_from(self.saved.len()).unwrap_or(u32::MAX);
        Ok(())
    }

    pub(crate) fn pop(&self, path: &mut Path) -> Result<(), Detail> {
        let saved = *self.top(path).ok_or(Detail::AttributeUnderflow)?;
        path.attributes = saved.below;
        let has = |group: AttribGroup| saved.groups & group.value() != 0;
        if has(AttribGroup::TRANSFORM) {
            path.stacks.selection.mode = saved.selection.mode;
        }
        if has(AttribGroup::TEXTURE) {
            path.stacks.selection.unit = saved.selection.unit;
        }
        if has(AttribGroup::SCISSOR) {
            planted!(ScissorNotRestored, (), path.scissor = saved.scissor);
        } else if has(AttribGroup::ENABLE) && path.scissor != saved.scissor {
            // The test is as it was, but the rectangle may be another.
            path.scissor =
                if saved.scissor == Confinement::Open { Confinement::Open } else { Confinement::Unknown };
        }
        if has(AttribGroup::COLOR_BUFFER) {
            path.color_mask = saved.color_mask;
        }
        if has(AttribGroup::DEPTH_BUFFER) {
            path.depth_mask = saved.depth_mask;
        }
        if has(AttribGroup::STENCIL_BUFFER) {
            path.stencil_mask = saved.stencil_mask;
        }
        Ok(())
    }

    /// Is a body done in order?
    pub(crate) fn balanced(&self, path: &Path) -> Result<(), Detail> {
        match self.top(path) {
            None => Ok(()),
            Some(top) => planted!(AttributesLeft, Ok(()), Err(Detail::AttributesLeft { excess: top.depth })),
        }
    }
}
