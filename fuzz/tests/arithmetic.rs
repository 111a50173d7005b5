//! The reference's arithmetic against that of interpreter and native code: they are written apart, and must mean the same.
#![allow(clippy::cast_sign_loss, reason = "test")]

use blinkgl::ops::Op;
use fastrand::Rng;
use fuzz::arithmetic as reference;
use fuzz::generate::EDGES;
use jit::arith::{self, Binary, Predicate, Unary};

/// Bits of all kinds: edges, their neighbours, integers and halves of all sizes, and any.
fn values() -> Vec<u32> {
    let mut rng = Rng::with_seed(1);
    let mut values: Vec<u32> =
        EDGES.iter().flat_map(|&edge| [edge, edge.wrapping_add(1), edge.wrapping_sub(1)]).collect();
    for exponent in 0..40u8 {
        let power = 2f32.powi(exponent.into());
        for value in [power, power + 1.0, power - 1.0, power + 0.5, power - 0.5, 1.0 / power, power / 3.0] {
            values.extend([value.to_bits(), (-value).to_bits()]);
        }
    }
    values.extend((0..200).map(|_| rng.u32(..)));
    values
}

#[test]
fn one_operand() {
    let ops = [
        (Op::Mov, Unary::Mov),
        (Op::Neg, Unary::Neg),
        (Op::Abs, Unary::Abs),
        (Op::Floor, Unary::Floor),
        (Op::Fract, Unary::Fract),
        (Op::Sqrt, Unary::Sqrt),
        (Op::Sin, Unary::Sin),
        (Op::Cos, Unary::Cos),
    ];
    for a in values() {
        for (op, unary) in ops {
            assert_eq!(reference::unary(op, a), Some(arith::unary(unary, a)), "{op} {a:#x}");
        }
        assert_eq!(reference::integer(a), arith::to_int(a) as u32, "{a:#x} as an integer");
    }
    assert_eq!(reference::unary(Op::Add, 0), None);
}

#[test]
fn two_operands() {
    let ops = [
        (Op::Add, Binary::Add),
        (Op::Sub, Binary::Sub),
        (Op::Mul, Binary::Mul),
        (Op::Div, Binary::Div),
        (Op::Min, Binary::Min),
        (Op::Max, Binary::Max),
        (Op::Atan2, Binary::Atan2),
    ];
    let values = values();
    for &a in &values {
        for &b in &values {
            for (op, binary) in ops {
                assert_eq!(
                    reference::binary(op, a, b),
                    Some(arith::binary(binary, a, b)),
                    "{op} {a:#x} {b:#x}"
                );
            }
            for code in 0..6 {
                let holds = arith::compare(Predicate::from_code(code), a, b);
                assert_eq!(reference::holds(code, a, b), holds, "predicate {code} {a:#x} {b:#x}");
                assert_eq!(reference::truth(holds), arith::truth(holds));
            }
            assert_eq!(reference::select(a, b, !b), arith::select(a, b, !b), "select {a:#x}");
        }
    }
    assert_eq!(reference::binary(Op::Mov, 0, 0), None);
}

#[test]
fn times() {
    let mut rng = Rng::with_seed(2);
    let values = values();
    for _ in 0..20_000 {
        let now = rng.u64(..) >> rng.u32(0..64);
        // Moments near the presentation time, and any.
        let moment = if rng.bool() {
            now.wrapping_add(rng.u64(0..1 << 33)).wrapping_sub(1 << 32)
        } else {
            rng.u64(..)
        };
        let [hi, lo] = [u32::try_from(moment >> 32), u32::try_from(moment & 0xffff_ffff)]
            .map(|half| half.expect("32 bits"));
        assert_eq!(reference::time_since(now, hi, lo), arith::time_since(now, hi, lo), "{now} {moment}");
        let period = values[rng.usize(..values.len())];
        assert_eq!(reference::time_mod(now, period), arith::time_mod(now, period), "{now} {period:#x}");
    }
}
