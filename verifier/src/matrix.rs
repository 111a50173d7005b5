//! Matrix modes and the depths of the matrix stacks along a path.

use crate::error::Detail;
use blinkgl::limits::{MODELVIEW_STACK, PROJECTION_STACK, TEXTURE_STACK};
use core::fmt;

/// A matrix stack, and the matrix mode that selects it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stack {
    /// Object to eye coordinates.
    Modelview = 0,
    /// Eye to clip coordinates.
    Projection = 1,
    /// Texture coordinates.
    Texture = 2,
}

impl Stack {
    /// All stacks, in the order in which facts list them.
    pub const ALL: [Stack; 3] = [Stack::Modelview, Stack::Projection, Stack::Texture];

    /// Matrices that it holds, the one of the entry included.
    #[must_use]
    pub fn capacity(self) -> usize {
        match self {
            Stack::Modelview => MODELVIEW_STACK,
            Stack::Projection => PROJECTION_STACK,
            Stack::Texture => TEXTURE_STACK,
        }
    }

    /// The stack that a constant of `matrix_mode` selects.
    fn from_mode(mode: u32) -> Option<Stack> {
        match mode {
            0x1700 => Some(Stack::Modelview),
            0x1701 => Some(Stack::Projection),
            0x1702 => Some(Stack::Texture),
            _ => None,
        }
    }
}

impl fmt::Display for Stack {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Stack::Modelview => "modelview",
            Stack::Projection => "projection",
            Stack::Texture => "texture",
        })
    }
}

/// Mode and depths at one point of a path. A body starts in `modelview` with each stack 1 deep.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Stacks {
    /// `None`: differs between the paths that lead here.
    mode: Option<Stack>,
    depth: [u8; 3],
    /// Greatest depth on any path so far.
    peak: [u8; 3],
}

impl Stacks {
    pub(crate) const ENTRY: Stacks = Stacks { mode: Some(Stack::Modelview), depth: [1; 3], peak: [1; 3] };

    pub(crate) fn set_mode(&mut self, mode: u32) {
        self.mode = Stack::from_mode(mode);
    }

    pub(crate) fn push(&mut self) -> Result<(), Detail> {
        let stack = self.mode.ok_or(Detail::UnknownMode)?;
        let depth = &mut self.depth[stack as usize];
        if usize::from(*depth) >= stack.capacity() {
            return Err(Detail::Overflow { stack, capacity: stack.capacity() });
        }
        *depth += 1;
        let peak = &mut self.peak[stack as usize];
        *peak = (*peak).max(*depth);
        Ok(())
    }

    pub(crate) fn pop(&mut self) -> Result<(), Detail> {
        let stack = self.mode.ok_or(Detail::UnknownMode)?;
        let depth = &mut self.depth[stack as usize];
        if *depth <= 1 {
            return Err(Detail::Underflow { stack });
        }
        *depth -= 1;
        Ok(())
    }

    /// May a display list be called here?
    pub(crate) fn call(self) -> Result<(), Detail> {
        if self.mode == Some(Stack::Modelview) { Ok(()) } else { Err(Detail::CallMode) }
    }

    /// Is a body done in order?
    pub(crate) fn balanced(self) -> Result<(), Detail> {
        for stack in Stack::ALL {
            let excess = self.depth[stack as usize].saturating_sub(1);
            if excess > 0 {
                return Err(Detail::Unbalanced { stack, excess });
            }
        }
        Ok(())
    }

    /// Is a display list's body done in order? (It has no jumps, so its mode is known.)
    pub(crate) fn list_end(self) -> Result<(), Detail> {
        self.balanced()?;
        match self.mode {
            Some(Stack::Modelview) | None => Ok(()),
            Some(mode) => Err(Detail::ListEndMode { mode }),
        }
    }

    /// Joins a path that jumped to `target`.
    pub(crate) fn join(&mut self, jumped: Stacks, target: u32) -> Result<(), Detail> {
        for stack in Stack::ALL {
            let (own, other) = (jumped.depth[stack as usize], self.depth[stack as usize]);
            if own != other {
                return Err(Detail::JoinDepth { target, stack, jumped: own, other });
            }
        }
        if self.mode != jumped.mode {
            self.mode = None;
        }
        for (peak, other) in self.peak.iter_mut().zip(jumped.peak) {
            *peak = (*peak).max(other);
        }
        Ok(())
    }

    /// How much deeper than at entry each stack gets.
    pub(crate) fn rise(self) -> [u8; 3] {
        self.peak.map(|peak| peak.saturating_sub(1))
    }
}
