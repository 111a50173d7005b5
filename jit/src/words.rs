//! Words of a dynamic segment, looked at when it is drawn first.

use crate::builder::SegmentBuilder;
use crate::gl::Command;
use crate::step::{Body, Lazy, Opened};
use blinkgl::ops::Op;
use blinkgl::planted;
use blinkgl::wire;
use std::sync::Arc;

/// Builds the segment that the words are; `None` only of words that no verifier saw. What stands between its primitives
/// and is no part of it was lowered apart.
pub(crate) fn open(lazy: &Lazy) -> Option<Opened> {
    let words = lazy.words.get(lazy.range.clone()).unwrap_or_default();
    let mut builder = SegmentBuilder::new(0);
    builder.in_list = lazy.in_list;
    let mut body = Body::default();
    // What stands before the first `begin`: attributes, and what is no part of it.
    let mut waiting = Vec::new();
    let mut at = 0;
    while let Ok(Some(instruction)) = wire::decode(words, at) {
        at += instruction.words();
        let (op, args, mask) = (instruction.op(), instruction.args, instruction.mask);
        match (op, args) {
            (Op::Begin, &[mode]) => {
                builder.begin(mode, &body);
                for (op, args, mask) in waiting.drain(..) {
                    builder.part(op, args, mask, &mut body);
                }
            }
            (Op::Material | Op::ShadeModel, args) if builder.open => {
                builder.soft(Command { op, args: args.into() }, mask, &mut body);
            }
            (op, args) if builder.open => builder.part(op, args, mask, &mut body),
            (op, args) => planted!(WaitingDropped, (), waiting.push((op, args, mask))),
        }
    }
    builder.is_dynamic();
    builder.close(&Arc::from([]), &mut body);
    Some(Opened { dynamic: body.dynamics.pop()?, patches: body.patches })
}
