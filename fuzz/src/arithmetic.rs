//! What the ops of registers mean, said a second time and as plainly as can be: the definitions of the reference.
//!
//! `fuzz/tests/arithmetic.rs` holds them against [`jit::arith`].

use blinkgl::ops::ComputeOp;

/// The result of arithmetic: all NaNs are one.
fn result(value: f32) -> u32 {
    if value.is_nan() { 0x7fc0_0000 } else { value.to_bits() }
}

/// The greatest integer that is not above.
fn floor(x: f32) -> f32 {
    // From 2^23 on all are integers; infinities and NaNs stay what they are.
    if x.is_nan() || x.abs() >= 8_388_608.0 {
        return x;
    }
    let whole = x as i32;
    let below = if whole as f32 > x { whole - 1 } else { whole };
    // The sign of zero stays.
    (below as f32).copysign(if below == 0 { x } else { below as f32 })
}

/// What an op makes of its operands, in wire order after the register that is written.
///
/// # Panics
/// Operands are missing.
#[must_use]
pub fn compute(op: ComputeOp, operands: &[u32]) -> u32 {
    let a = operands[0];
    let b = || operands[1];
    let (x, y) = (f32::from_bits(a), || f32::from_bits(operands[1]));
    match op {
        ComputeOp::Mov => a,
        ComputeOp::Neg => a ^ 1 << 31,
        ComputeOp::Abs => a & !(1 << 31),
        ComputeOp::Floor => result(floor(x)),
        ComputeOp::Fract => result(x - floor(x)),
        ComputeOp::Sqrt => result(x.sqrt()),
        ComputeOp::Sin => result(libm::sinf(x)),
        ComputeOp::Cos => result(libm::cosf(x)),
        ComputeOp::Add => result(x + y()),
        ComputeOp::Sub => result(x - y()),
        ComputeOp::Mul => result(x * y()),
        ComputeOp::Div => result(x / y()),
        ComputeOp::Min => {
            if x < y() {
                a
            } else {
                b()
            }
        }
        ComputeOp::Max => {
            if x > y() {
                a
            } else {
                b()
            }
        }
        ComputeOp::Atan2 => result(libm::atan2f(x, y())),
        ComputeOp::Cmp => truth(holds(a, operands[1], operands[2])),
        ComputeOp::Select => select(a, operands[1], operands[2]),
    }
}

/// Does a comparison hold? By the predicate's number on the wire.
#[must_use]
pub fn holds(predicate: u32, a: u32, b: u32) -> bool {
    use std::cmp::Ordering::{Equal, Greater, Less};
    let order = f32::from_bits(a).partial_cmp(&f32::from_bits(b));
    match predicate {
        0 => order == Some(Less),
        1 => matches!(order, Some(Less | Equal)),
        2 => order == Some(Equal),
        3 => order != Some(Equal),
        4 => matches!(order, Some(Greater | Equal)),
        _ => order == Some(Greater),
    }
}

/// 1.0 or 0.0.
#[must_use]
pub fn truth(holds: bool) -> u32 {
    if holds { 0x3f80_0000 } else { 0 }
}

/// `a` if `c` is not zero, else `b`.
#[must_use]
pub fn select(c: u32, a: u32, b: u32) -> u32 {
    // Both zeros.
    if c << 1 == 0 { b } else { a }
}

/// A register as an integer: towards zero, the nearest there is, NaN to 0.
#[must_use]
pub fn integer(bits: u32) -> u32 {
    let x = f64::from(f32::from_bits(bits));
    let integer = if x.is_nan() {
        0
    } else if x <= f64::from(i32::MIN) {
        i32::MIN
    } else if x >= f64::from(i32::MAX) {
        i32::MAX
    } else {
        x.trunc() as i32
    };
    integer.cast_unsigned()
}

/// Seconds from a moment to the presentation time.
#[must_use]
pub fn time_since(now_ns: u64, hi: u32, lo: u32) -> u32 {
    let moment = i128::from(hi) << 32 | i128::from(lo);
    let difference = i128::from(now_ns) - moment;
    ((difference as f64 / 1e9) as f32).to_bits()
}

/// The presentation time modulo a period.
#[must_use]
pub fn time_mod(now_ns: u64, period: u32) -> u32 {
    let period = f32::from_bits(period);
    if !(period > 0.0 && period < f32::INFINITY) {
        return 0;
    }
    let rest = ((now_ns as f64 / 1e9) % f64::from(period)) as f32;
    if rest >= period { 0 } else { rest.to_bits() }
}
