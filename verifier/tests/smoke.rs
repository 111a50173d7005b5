//! The product's interface.
#![allow(clippy::missing_panics_doc, reason = "test")]
mod build;

use blinkgl::ops::{Callback, Op};
use build::{F, R, U, op, program, verify};

#[test]
fn instructions_come_back_in_order_with_their_targets() {
    let words = program(&[
        op(Op::JmpIf, &[U(0), R(0), F(1.0), U(11)]), // 4..9
        op(Op::LoadIdentity, &[]),                   // 9
        op(Op::PushMatrix, &[]),                     // 10
    ]);
    let error = verify(&words, Callback::Redraw).expect_err("depths differ at the end");
    assert_eq!(
        error.to_string(),
        "V30 at op 0 (`jmp_if`, operand 3 `target`): at its target, word 11, the modelview matrix stack is 1 deep by \
         this jump and 2 deep by another path; push and pop alike on both"
    );

    let words = program(&[
        op(Op::JmpIf, &[U(0), R(0), F(1.0), U(11)]), // 4..9
        op(Op::LoadIdentity, &[]),                   // 9
        op(Op::LoadIdentity, &[]),                   // 10
        op(Op::RequestFrame, &[]),                   // 11
    ]);
    let good = verify(&words, Callback::Redraw).expect("keeps all rules");
    let seen: Vec<_> = good.instructions().map(|i| (i.offset, i.op(), i.mask, i.is_target)).collect();
    assert_eq!(
        seen,
        [
            (4, Op::JmpIf, 2, false),
            (9, Op::LoadIdentity, 0, false),
            (10, Op::LoadIdentity, 0, false),
            (11, Op::RequestFrame, 0, true),
        ]
    );
    assert_eq!(good.jump_targets(), [11]);
    assert_eq!((good.words(), good.callback()), (&words[..], Callback::Redraw));
    assert_eq!(good.facts().body.registers_read, 1);
}
