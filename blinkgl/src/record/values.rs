//! What may stand where an operand takes a number: one type for each kind, so that a number of
//! the wrong kind does not compile instead of becoming other bits.

use crate::wire::{Arg, Reg};

/// A value for a `Float` operand: an `f32` or a register.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Float(pub(super) Arg);

impl From<f32> for Float {
    fn from(value: f32) -> Float {
        Float(Arg::from(value))
    }
}

impl From<Reg> for Float {
    fn from(reg: Reg) -> Float {
        Float(Arg::from(reg))
    }
}

/// A value for an `Int` operand: an `i32`, or a register, whose `f32` is converted when the
/// instruction runs (truncated, saturating, NaN to 0).
///
/// A float constant is refused by the compiler:
/// ```compile_fail
/// let mut p = blinkgl::Recorder::new();
/// p.viewport(0, 0, 300.0, 300);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Int(pub(super) Arg);

impl From<i32> for Int {
    fn from(value: i32) -> Int {
        Int(Arg::from(value))
    }
}

impl From<Reg> for Int {
    fn from(reg: Reg) -> Int {
        Int(Arg::from(reg))
    }
}

/// A value for a `Raw` operand: the bits of an `f32`, those of a register, or any 32 by [`Raw::bits`].
///
/// Integers need [`Raw::bits`], because registers hold `f32`s and `mov(r, 1)` would not set one to 1:
/// ```compile_fail
/// let mut p = blinkgl::Recorder::new();
/// let r = p.alloc();
/// p.mov(r, 1);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Raw(pub(super) Arg);

impl Raw {
    /// These 32 bits.
    #[must_use]
    pub const fn bits(bits: u32) -> Raw {
        Raw(Arg::Const(bits))
    }
}

impl From<f32> for Raw {
    fn from(value: f32) -> Raw {
        Raw(Arg::from(value))
    }
}

impl From<Reg> for Raw {
    fn from(reg: Reg) -> Raw {
        Raw(Arg::from(reg))
    }
}

/// A value of a parameter that is a number, a switch, three or four numbers, as what `glLightfv` and the like
/// point to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Parameter(pub(super) [Float; 4]);

impl From<f32> for Parameter {
    fn from(value: f32) -> Parameter {
        Parameter([Float::from(value), Float::from(0.0), Float::from(0.0), Float::from(0.0)])
    }
}

impl From<Reg> for Parameter {
    fn from(reg: Reg) -> Parameter {
        Parameter([Float::from(reg), Float::from(0.0), Float::from(0.0), Float::from(0.0)])
    }
}

impl From<bool> for Parameter {
    fn from(on: bool) -> Parameter {
        Parameter::from(if on { 1.0 } else { 0.0 })
    }
}

impl<T: Into<Float>> From<[T; 3]> for Parameter {
    fn from(values: [T; 3]) -> Parameter {
        let [a, b, c] = values.map(Into::into);
        Parameter([a, b, c, Float::from(0.0)])
    }
}

impl<T: Into<Float>> From<[T; 4]> for Parameter {
    fn from(values: [T; 4]) -> Parameter {
        Parameter(values.map(Into::into))
    }
}
