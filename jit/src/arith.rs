//! What every compute op means: the one definition, for the interpreter, constant folding and the tests of native code.
//!
//! Values are the 32 bits of a register. Arithmetic is IEEE single precision, rounded to nearest, with
//! denormals, and each operation rounded for itself (no fused multiply-add). A NaN that arithmetic makes is
//! always [`CANONICAL_NAN`], because the payload is what processors disagree about. Ops that only choose
//! or move bits (`mov`, `select`, `neg`, `abs`, `min`, `max`) leave the payload of a NaN as it is.

/// The bits of every NaN that arithmetic makes.
pub const CANONICAL_NAN: u32 = 0x7fc0_0000;

/// Compute ops of one operand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unary {
    /// All bits as they are.
    Mov,
    /// Sign bit flipped.
    Neg,
    /// Sign bit cleared.
    Abs,
    /// Rounded towards minus infinity.
    Floor,
    /// `a - floor(a)`.
    Fract,
    /// Square root.
    Sqrt,
    /// Sine.
    Sin,
    /// Cosine.
    Cos,
}

/// Compute ops of two operands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Binary {
    /// Sum.
    Add,
    /// Difference.
    Sub,
    /// Product.
    Mul,
    /// Quotient.
    Div,
    /// `a` if `a < b`, else `b`.
    Min,
    /// `a` if `a > b`, else `b`.
    Max,
    /// Angle of the vector `(b, a)`.
    Atan2,
}

/// A comparison. With a NaN only [`Predicate::Ne`] holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Predicate {
    /// Less.
    Lt,
    /// Less or equal.
    Le,
    /// Equal.
    Eq,
    /// Not equal.
    Ne,
    /// Greater or equal.
    Ge,
    /// Greater.
    Gt,
}

impl Predicate {
    /// The predicate of a verified code (`blinkgl::ops::PREDICATE`).
    #[must_use]
    pub fn from_code(code: u32) -> Predicate {
        match code {
            0 => Predicate::Lt,
            1 => Predicate::Le,
            2 => Predicate::Eq,
            3 => Predicate::Ne,
            4 => Predicate::Ge,
            _ => Predicate::Gt,
        }
    }
}

/// The bits of a result of arithmetic.
#[inline]
#[must_use]
pub fn canonical(value: f32) -> u32 {
    if value.is_nan() { CANONICAL_NAN } else { value.to_bits() }
}

/// Does a unary op make new values (whose NaNs are canonical), or only move bits?
#[must_use]
pub fn unary_is_arithmetic(op: Unary) -> bool {
    match op {
        Unary::Mov | Unary::Neg | Unary::Abs => false,
        Unary::Floor | Unary::Fract | Unary::Sqrt | Unary::Sin | Unary::Cos => true,
    }
}

/// A compute op of one operand.
#[inline]
#[must_use]
pub fn unary(op: Unary, a: u32) -> u32 {
    let x = f32::from_bits(a);
    match op {
        Unary::Mov => a,
        Unary::Neg => a ^ 0x8000_0000,
        Unary::Abs => a & 0x7fff_ffff,
        Unary::Floor => canonical(x.floor()),
        Unary::Fract => canonical(x - x.floor()),
        Unary::Sqrt => canonical(x.sqrt()),
        Unary::Sin => canonical(libm::sinf(x)),
        Unary::Cos => canonical(libm::cosf(x)),
    }
}

/// A compute op of two operands.
#[inline]
#[must_use]
pub fn binary(op: Binary, a: u32, b: u32) -> u32 {
    let (x, y) = (f32::from_bits(a), f32::from_bits(b));
    match op {
        Binary::Add => canonical(x + y),
        Binary::Sub => canonical(x - y),
        Binary::Mul => canonical(x * y),
        Binary::Div => canonical(x / y),
        Binary::Min => {
            if x < y {
                a
            } else {
                b
            }
        }
        Binary::Max => {
            if x > y {
                a
            } else {
                b
            }
        }
        Binary::Atan2 => canonical(libm::atan2f(x, y)),
    }
}

/// Does a comparison hold?
#[inline]
#[must_use]
#[allow(clippy::float_cmp, reason = "the op's meaning")]
pub fn compare(predicate: Predicate, a: u32, b: u32) -> bool {
    let (a, b) = (f32::from_bits(a), f32::from_bits(b));
    match predicate {
        Predicate::Lt => a < b,
        Predicate::Le => a <= b,
        Predicate::Eq => a == b,
        Predicate::Ne => a != b,
        Predicate::Ge => a >= b,
        Predicate::Gt => a > b,
    }
}

/// The bits of 1.0 or 0.0.
#[inline]
#[must_use]
pub fn truth(holds: bool) -> u32 {
    if holds { 1.0f32.to_bits() } else { 0 }
}

/// `a` if `c` is not zero, else `b`.
#[inline]
#[must_use]
pub fn select(c: u32, a: u32, b: u32) -> u32 {
    if f32::from_bits(c) == 0.0 { b } else { a }
}

/// A register as an `Int` operand: truncated, saturating, NaN to 0.
#[inline]
#[must_use]
#[allow(clippy::cast_possible_truncation, reason = "the conversion's meaning")]
pub fn to_int(bits: u32) -> i32 {
    f32::from_bits(bits) as i32
}

/// Seconds from the moment `{hi, lo}` to the presentation time, both in nanoseconds.
#[must_use]
#[allow(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    reason = "rounding is the op's meaning"
)]
pub fn time_since(presentation_ns: u64, hi: u32, lo: u32) -> u32 {
    let moment = u64::from(hi) << 32 | u64::from(lo);
    // The difference is exact; only its conversion rounds.
    let seconds = if presentation_ns >= moment {
        (presentation_ns - moment) as f64 / 1e9
    } else {
        -((moment - presentation_ns) as f64 / 1e9)
    };
    (seconds as f32).to_bits()
}

/// The presentation time in seconds modulo a period: in `[0, period)`, or 0 where the period is not positive and finite.
#[must_use]
#[allow(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    reason = "rounding is the op's meaning"
)]
pub fn time_mod(presentation_ns: u64, period: u32) -> u32 {
    let period = f32::from_bits(period);
    if !period.is_finite() || period <= 0.0 {
        return 0;
    }
    // The remainder of a division is exact, so no period can drift.
    let rest = libm::fmod(presentation_ns as f64 / 1e9, f64::from(period)) as f32;
    // Rounding may have reached the period itself.
    if rest < period { rest.to_bits() } else { 0 }
}

#[cfg(test)]
#[allow(clippy::cast_possible_truncation, reason = "test")]
mod tests {
    use super::*;

    const INF: u32 = 0x7f80_0000;
    const NEG_INF: u32 = 0xff80_0000;
    const NEG_ZERO: u32 = 0x8000_0000;
    const PAYLOAD: u32 = 0xffc1_2345;
    const DENORMAL: u32 = 1;

    fn f(x: f32) -> u32 {
        x.to_bits()
    }

    #[test]
    fn arithmetic_makes_canonical_nans_only() {
        for op in [Binary::Add, Binary::Sub, Binary::Mul, Binary::Div, Binary::Atan2] {
            assert_eq!(binary(op, PAYLOAD, f(1.0)), CANONICAL_NAN, "{op:?}");
            assert_eq!(binary(op, f(1.0), PAYLOAD), CANONICAL_NAN, "{op:?}");
        }
        assert_eq!(binary(Binary::Sub, INF, INF), CANONICAL_NAN);
        assert_eq!(binary(Binary::Add, INF, NEG_INF), CANONICAL_NAN);
        assert_eq!(binary(Binary::Mul, INF, 0), CANONICAL_NAN);
        assert_eq!(binary(Binary::Div, 0, NEG_ZERO), CANONICAL_NAN);
        assert_eq!(binary(Binary::Div, f(1.0), NEG_ZERO), NEG_INF);
        for op in [Unary::Floor, Unary::Fract, Unary::Sqrt, Unary::Sin, Unary::Cos] {
            assert!(unary_is_arithmetic(op));
            assert_eq!(unary(op, PAYLOAD), CANONICAL_NAN, "{op:?}");
        }
        for op in [Unary::Fract, Unary::Sin, Unary::Cos] {
            assert_eq!(unary(op, INF), CANONICAL_NAN, "{op:?}");
        }
        assert_eq!(unary(Unary::Sqrt, f(-1.0)), CANONICAL_NAN);
        assert_eq!(unary(Unary::Sqrt, NEG_ZERO), NEG_ZERO);
        assert_eq!(unary(Unary::Floor, NEG_INF), NEG_INF);
    }

    #[test]
    fn moves_keep_all_bits() {
        assert_eq!(unary(Unary::Mov, PAYLOAD), PAYLOAD);
        assert_eq!(unary(Unary::Neg, PAYLOAD), PAYLOAD ^ NEG_ZERO);
        assert_eq!(unary(Unary::Neg, 0), NEG_ZERO);
        assert_eq!(unary(Unary::Abs, PAYLOAD), 0x7fc1_2345);
        assert_eq!(unary(Unary::Abs, NEG_INF), INF);
        // Comparisons with a NaN fail, so `b` comes out, its bits untouched.
        for op in [Binary::Min, Binary::Max] {
            assert_eq!(binary(op, f(1.0), PAYLOAD), PAYLOAD);
            assert_eq!(binary(op, PAYLOAD, f(1.0)), f(1.0));
            assert_eq!(binary(op, 0, NEG_ZERO), NEG_ZERO);
        }
        assert_eq!(select(PAYLOAD, 1, 2), 1);
        assert_eq!(select(NEG_ZERO, 1, 2), 2);
        assert_eq!(select(DENORMAL, PAYLOAD, 2), PAYLOAD);
    }

    #[test]
    fn denormals_are_kept() {
        assert_eq!(binary(Binary::Add, DENORMAL, DENORMAL), 2);
        assert_eq!(binary(Binary::Mul, f(f32::MIN_POSITIVE), f(0.5)), 0x0040_0000);
        assert!(compare(Predicate::Gt, DENORMAL, 0));
    }

    #[test]
    fn rounding_downwards() {
        assert_eq!(unary(Unary::Floor, f(-0.5)), f(-1.0));
        assert_eq!(unary(Unary::Floor, NEG_ZERO), NEG_ZERO);
        assert_eq!(unary(Unary::Fract, f(-0.25)), f(0.75));
        assert_eq!(unary(Unary::Fract, f(2.0)), 0);
    }

    #[test]
    fn trigonometry() {
        assert_eq!(unary(Unary::Sin, 0), 0);
        assert_eq!(unary(Unary::Sin, NEG_ZERO), NEG_ZERO);
        assert_eq!(unary(Unary::Cos, 0), f(1.0));
        assert_eq!(binary(Binary::Atan2, f(1.0), 0), f(core::f32::consts::FRAC_PI_2));
        assert_eq!(binary(Binary::Atan2, 0, f(-1.0)), f(core::f32::consts::PI));
    }

    #[test]
    fn only_ne_holds_with_a_nan() {
        let all = [Predicate::Lt, Predicate::Le, Predicate::Eq, Predicate::Ne, Predicate::Ge, Predicate::Gt];
        for (code, p) in (0..).zip(all) {
            assert_eq!(Predicate::from_code(code), p);
            assert_eq!(compare(p, CANONICAL_NAN, CANONICAL_NAN), p == Predicate::Ne);
        }
        let holds = |a: f32, b: f32| all.map(|p| compare(p, f(a), f(b)));
        assert_eq!(holds(1.0, 2.0), [true, true, false, true, false, false]);
        assert_eq!(holds(0.0, -0.0), [false, true, true, false, true, false]);
        assert_eq!(holds(3.0, 2.0), [false, false, false, true, true, true]);
        assert_eq!((truth(true), truth(false)), (f(1.0), 0));
    }

    #[test]
    fn conversions_saturate() {
        assert_eq!(to_int(f(-1.9)), -1);
        assert_eq!(to_int(f(1e20)), i32::MAX);
        assert_eq!(to_int(NEG_INF), i32::MIN);
        assert_eq!(to_int(PAYLOAD), 0);
    }

    #[test]
    fn times_keep_precision() {
        let year = 365 * 24 * 3600 * 1_000_000_000u64;
        let split = |ns: u64| ((ns >> 32) as u32, (ns & 0xffff_ffff) as u32);
        let (hi, lo) = split(year);
        assert_eq!(time_since(year + 16_666_667, hi, lo), f(0.016_666_667));
        assert_eq!(time_since(year - 1_500_000_000, hi, lo), f(-1.5));
        assert_eq!(time_mod(year + 250_000_000, f(1.0)), f(0.25));
        assert_eq!(time_mod(7_500_000_000, f(2.5)), 0);
        for bad in [f(0.0), f(-1.0), INF, PAYLOAD] {
            assert_eq!(time_mod(year, bad), 0);
        }
        assert!(f32::from_bits(time_mod(u64::MAX, f(0.1))) < 0.1);
    }
}
