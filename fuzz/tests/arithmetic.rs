//! The reference's arithmetic against that of interpreter and native code: they are written apart, and must mean the same.
#![allow(clippy::cast_sign_loss, reason = "test")]

use blinkgl::ops::ComputeOp;
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

/// What an op is in [`jit::arith`].
enum Meaning {
    Unary(Unary),
    Binary(Binary),
    Compare,
    Select,
}

fn meaning(op: ComputeOp) -> Meaning {
    match op {
        ComputeOp::Mov => Meaning::Unary(Unary::Mov),
        ComputeOp::Neg => Meaning::Unary(Unary::Neg),
        ComputeOp::Abs => Meaning::Unary(Unary::Abs),
        ComputeOp::Floor => Meaning::Unary(Unary::Floor),
        ComputeOp::Fract => Meaning::Unary(Unary::Fract),
        ComputeOp::Sqrt => Meaning::Unary(Unary::Sqrt),
        ComputeOp::Sin => Meaning::Unary(Unary::Sin),
        ComputeOp::Cos => Meaning::Unary(Unary::Cos),
        ComputeOp::Add => Meaning::Binary(Binary::Add),
        ComputeOp::Sub => Meaning::Binary(Binary::Sub),
        ComputeOp::Mul => Meaning::Binary(Binary::Mul),
        ComputeOp::Div => Meaning::Binary(Binary::Div),
        ComputeOp::Min => Meaning::Binary(Binary::Min),
        ComputeOp::Max => Meaning::Binary(Binary::Max),
        ComputeOp::Atan2 => Meaning::Binary(Binary::Atan2),
        ComputeOp::Cmp => Meaning::Compare,
        ComputeOp::Select => Meaning::Select,
    }
}

#[test]
fn registers() {
    let values = values();
    for &a in &values {
        assert_eq!(reference::integer(a), arith::to_int(a) as u32, "{a:#x} as an integer");
    }
    for &op in ComputeOp::ALL {
        for &a in &values {
            // Of one operand, the others do not matter.
            let others = match meaning(op) {
                Meaning::Unary(_) => &values[..1],
                Meaning::Binary(_) | Meaning::Compare | Meaning::Select => &values[..],
            };
            for &b in others {
                let same = |operands: &[u32], real: u32| {
                    assert_eq!(reference::compute(op, operands), real, "{op:?} {operands:x?}");
                };
                match meaning(op) {
                    Meaning::Unary(unary) => same(&[a], arith::unary(unary, a)),
                    Meaning::Binary(binary) => same(&[a, b], arith::binary(binary, a, b)),
                    Meaning::Compare => {
                        for code in 0..6 {
                            let holds = arith::compare(Predicate::from_code(code), a, b);
                            assert_eq!(reference::holds(code, a, b), holds, "predicate {code} {a:#x} {b:#x}");
                            same(&[code, a, b], arith::truth(holds));
                        }
                    }
                    Meaning::Select => same(&[a, b, !b], arith::select(a, b, !b)),
                }
            }
        }
    }
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
