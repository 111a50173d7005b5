//! Matrix mode, active texture unit, and the depths of the matrix stacks along a path.

use crate::error::Detail;
use blinkgl::gl::{MatrixMode, TextureUnit};
use blinkgl::limits::{MODELVIEW_STACK, PROJECTION_STACK, TEXTURE_STACK};
use blinkgl::planted;
use core::fmt;

/// A matrix stack, and the matrix mode that selects it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stack {
    /// Object to eye coordinates.
    Modelview = 0,
    /// Eye to clip coordinates.
    Projection = 1,
    /// Texture coordinates of unit 0. As a matrix mode: of the active unit.
    Texture = 2,
    /// Texture coordinates of unit 1.
    Texture1 = 3,
}

impl Stack {
    /// All stacks, in the order in which facts list them.
    pub const ALL: [Stack; 4] = [Stack::Modelview, Stack::Projection, Stack::Texture, Stack::Texture1];

    /// Matrices that it holds, the one of the entry included.
    #[must_use]
    pub fn capacity(self) -> usize {
        match self {
            Stack::Modelview => MODELVIEW_STACK,
            Stack::Projection => PROJECTION_STACK,
            Stack::Texture | Stack::Texture1 => TEXTURE_STACK,
        }
    }

    /// The mode that a constant of `matrix_mode` selects.
    fn from_mode(mode: u32) -> Option<Stack> {
        Some(match MatrixMode::from_value(mode)? {
            MatrixMode::Modelview => Stack::Modelview,
            MatrixMode::Projection => Stack::Projection,
            MatrixMode::Texture => Stack::Texture,
        })
    }
}

impl fmt::Display for Stack {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Stack::Modelview => "modelview",
            Stack::Projection => "projection",
            Stack::Texture => "texture",
            Stack::Texture1 => "unit 1 texture",
        })
    }
}

/// A unit that `active_texture` selects.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unit {
    Zero,
    One,
}

/// What selects a matrix stack. `None`: differs between the paths that lead here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Selection {
    /// One of the first three stacks.
    pub(crate) mode: Option<Stack>,
    pub(crate) unit: Option<Unit>,
}

/// Selection and depths at one point of a path. A body starts in `modelview` with unit 0, and each stack 1 deep.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Stacks {
    pub(crate) selection: Selection,
    depth: [u8; 4],
    /// Greatest depth on any path so far.
    peak: [u8; 4],
}

impl Stacks {
    pub(crate) const ENTRY: Stacks = Stacks {
        selection: Selection { mode: Some(Stack::Modelview), unit: Some(Unit::Zero) },
        depth: [1; 4],
        peak: [1; 4],
    };

    pub(crate) fn set_mode(&mut self, mode: u32) {
        self.selection.mode = Stack::from_mode(mode);
    }

    pub(crate) fn set_unit(&mut self, unit: u32) {
        self.selection.unit =
            Some(if unit == TextureUnit::Texture0.value() { Unit::Zero } else { Unit::One });
    }

    fn selected(&self) -> Result<Stack, Detail> {
        match (self.selection.mode, self.selection.unit) {
            (None, _) => Err(Detail::UnknownMode),
            (Some(Stack::Texture), None) => Err(Detail::UnknownUnit),
            (Some(Stack::Texture), Some(Unit::One)) => Ok(Stack::Texture1),
            (Some(stack), _) => Ok(stack),
        }
    }

    pub(crate) fn push(&mut self) -> Result<(), Detail> {
        let stack = self.selected()?;
        let depth = &mut self.depth[stack as usize];
        if planted!(
            StackOneDeeper,
            usize::from(*depth) > stack.capacity(),
            usize::from(*depth) >= stack.capacity()
        ) {
            return Err(Detail::Overflow { stack, capacity: stack.capacity() });
        }
        *depth += 1;
        let peak = &mut self.peak[stack as usize];
        *peak = planted!(PeakForgotten, *peak, (*peak).max(*depth));
        Ok(())
    }

    pub(crate) fn pop(&mut self) -> Result<(), Detail> {
        let stack = self.selected()?;
        let depth = &mut self.depth[stack as usize];
        if planted!(StackBelowEntry, *depth == 0, *depth <= 1) {
            return Err(Detail::Underflow { stack });
        }
        *depth -= 1;
        Ok(())
    }

    /// May a display list be called here?
    pub(crate) fn call(self) -> Result<(), Detail> {
        match self.selection {
            Selection { mode: Some(Stack::Modelview), unit: Some(Unit::Zero) } => Ok(()),
            Selection { mode: Some(Stack::Modelview), .. } => {
                planted!(CallWithAnyUnit, Ok(()), Err(Detail::CallUnit))
            }
            Selection { .. } => Err(Detail::CallMode),
        }
    }

    /// Is a body done in order?
    pub(crate) fn balanced(self) -> Result<(), Detail> {
        for stack in Stack::ALL {
            let excess = self.depth[stack as usize].saturating_sub(1);
            if planted!(Texture1Unbalanced, excess > 0 && stack != Stack::Texture1, excess > 0) {
                return Err(Detail::Unbalanced { stack, excess });
            }
        }
        Ok(())
    }

    /// Is a display list's body done in order? (It has no jumps, so its mode and unit are known.)
    pub(crate) fn list_end(self) -> Result<(), Detail> {
        self.balanced()?;
        match self.selection {
            Selection { mode: Some(Stack::Modelview) | None, unit: Some(Unit::One) } => {
                Err(Detail::ListEndUnit)
            }
            Selection { mode: Some(Stack::Modelview) | None, .. } => Ok(()),
            Selection { mode: Some(mode), .. } => Err(Detail::ListEndMode { mode }),
        }
    }

    /// Joins a path that jumped to `target`.
    pub(crate) fn join(&mut self, jumped: Stacks, target: u32) -> Result<(), Detail> {
        for stack in Stack::ALL {
            let (own, other) = (jumped.depth[stack as usize], self.depth[stack as usize]);
            if planted!(ProjectionNotJoined, own != other && stack != Stack::Projection, own != other) {
                return Err(Detail::JoinDepth { target, stack, jumped: own, other });
            }
        }
        if planted!(ModeNotJoined, false, self.selection.mode != jumped.selection.mode) {
            self.selection.mode = None;
        }
        if planted!(UnitNotJoined, false, self.selection.unit != jumped.selection.unit) {
            self.selection.unit = None;
        }
        for (peak, other) in self.peak.iter_mut().zip(jumped.peak) {
            *peak = (*peak).max(other);
        }
        Ok(())
    }

    /// How much deeper than at entry each stack gets.
    pub(crate) fn rise(self) -> [u8; 4] {
        self.peak.map(|peak| peak.saturating_sub(1))
    }
}
