//! Arguments of C calls on their way to operands of the op table.

use blinkgl::Reg;

/// `BlinkValue` of `blinkgl.h`: a constant, or a register.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub struct BlinkValue {
    /// [`CONSTANT`], [`REGISTER`] or [`BITS`].
    kind: u32,
    /// The constant.
    constant: f32,
    /// The register's number, or the bits.
    word: u32,
}

#[cfg(test)]
impl BlinkValue {
    /// `blinkConst`.
    pub fn constant(constant: f32) -> BlinkValue {
        BlinkValue { kind: CONSTANT, constant, word: 0 }
    }

    /// `blinkReg`.
    pub fn register(word: u32) -> BlinkValue {
        BlinkValue { kind: REGISTER, constant: 0.0, word }
    }
}

/// `BlinkValue::kind`: a float.
const CONSTANT: u32 = 0;
/// `BlinkValue::kind`: a register.
const REGISTER: u32 = 1;
/// `BlinkValue::kind`: 32 bits as they are.
const BITS: u32 = 2;

/// An argument as the C caller gave it. What it becomes depends on the operand: see `Recording`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Value {
    /// A number with a fraction.
    Float(f32),
    /// A signed integer.
    Int(i32),
    /// An enumerant, a name, a mask.
    Bits(u32),
    /// A virtual register.
    Register(Reg),
    /// A register number that does not exist, or a value that `blinkConst`, `blinkReg` or `blinkBits` did not make.
    Bad(u32),
}

impl From<BlinkValue> for Value {
    fn from(value: BlinkValue) -> Value {
        match value.kind {
            CONSTANT => Value::Float(value.constant),
            REGISTER => Reg::new(value.word).map_or(Value::Bad(value.word), Value::Register),
            BITS => Value::Bits(value.word),
            other => Value::Bad(other),
        }
    }
}

impl From<f32> for Value {
    fn from(value: f32) -> Value {
        Value::Float(value)
    }
}

impl From<f64> for Value {
    fn from(value: f64) -> Value {
        Value::Float(single(value))
    }
}

impl From<i32> for Value {
    fn from(value: i32) -> Value {
        Value::Int(value)
    }
}

impl From<i16> for Value {
    fn from(value: i16) -> Value {
        Value::Int(value.into())
    }
}

impl From<u32> for Value {
    fn from(value: u32) -> Value {
        Value::Bits(value)
    }
}

/// `GLboolean`.
impl From<u8> for Value {
    fn from(value: u8) -> Value {
        Value::Bits(value.into())
    }
}

/// Doubles and integers become what operands are: `f32`, rounded.
#[allow(clippy::cast_possible_truncation, reason = "rounding to f32 is what OpenGL does with it too")]
pub fn single(value: f64) -> f32 {
    value as f32
}

/// A number of a vertex, a matrix or a parameter.
pub trait Number: Copy {
    /// Its value.
    fn number(self) -> f32;
    /// Its value where integers stand for -1 to 1, or 0 to 1 without sign: as Mesa's `*_TO_FLOAT`.
    fn fraction(self) -> f32;
}

impl Number for f32 {
    fn number(self) -> f32 {
        self
    }
    fn fraction(self) -> f32 {
        self
    }
}

impl Number for f64 {
    fn number(self) -> f32 {
        single(self)
    }
    fn fraction(self) -> f32 {
        single(self)
    }
}

macro_rules! integers {
    ($( $Type:ty, $scale:expr, $offset:expr; )*) => { $(
        impl Number for $Type {
            fn number(self) -> f32 {
                single(f64::from(self))
            }
            fn fraction(self) -> f32 {
                single((f64::from(self) * $scale + $offset) / ((1_u64 << <$Type>::BITS) - 1) as f64)
            }
        }
    )* };
}

integers! {
    i8, 2.0, 1.0;
    i16, 2.0, 1.0;
    i32, 2.0, 1.0;
    u8, 1.0, 0.0;
    u16, 1.0, 0.0;
    u32, 1.0, 0.0;
}

#[cfg(test)]
mod tests {
    #![allow(clippy::float_cmp, reason = "the ends of a range are exact")]
    use super::*;

    #[test]
    fn integers_cover_their_range() {
        assert_eq!([i8::MIN.fraction(), i8::MAX.fraction()], [-1.0, 1.0]);
        assert_eq!([i16::MIN.fraction(), i16::MAX.fraction()], [-1.0, 1.0]);
        assert_eq!([i32::MIN.fraction(), i32::MAX.fraction()], [-1.0, 1.0]);
        assert_eq!([0_u8.fraction(), 51_u8.fraction(), u8::MAX.fraction()], [0.0, 0.2, 1.0]);
        assert_eq!([0_u16.fraction(), u16::MAX.fraction()], [0.0, 1.0]);
        assert_eq!([0_u32.fraction(), u32::MAX.fraction()], [0.0, 1.0]);
        assert_eq!([(-3_i16).number(), 7.25_f64.number()], [-3.0, 7.25]);
    }

    #[test]
    fn values_of_c_are_checked() {
        let value = |kind, word| Value::from(BlinkValue { kind, constant: 1.5, word });
        assert_eq!(value(CONSTANT, 99), Value::Float(1.5));
        assert_eq!(value(REGISTER, 31), Value::Register(Reg::new(31).unwrap()));
        assert_eq!(value(REGISTER, 32), Value::Bad(32));
        assert_eq!(value(BITS, 7), Value::Bits(7));
        assert_eq!(value(3, 7), Value::Bad(3));
    }
}
