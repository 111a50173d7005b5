//! Words of a dynamic segment, looked at when it is drawn first.

use crate::builder::SegmentBuilder;
use crate::gl::Command;
use crate::lower::is_soft;
use crate::step::{Body, Lazy, Opened};
use blinkgl::ops::AttributeOp::{self, Color4, Material, MultiTexCoord4, Normal3, TexCoord2, TexCoord4};
use blinkgl::ops::{BeginOp, Class, EndOp};
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
    // Attributes before the first `begin`.
    let mut waiting: Vec<(AttributeOp, &[u32], u16)> = Vec::new();
    let mut at = 0;
    while let Ok(Some(instruction)) = wire::decode(words, at) {
        at += instruction.words();
        let (args, mask) = (instruction.args, instruction.mask);
        match instruction.info.class {
            Class::Begin(BeginOp::Begin) => {
                builder.begin(args.first().copied().unwrap_or_default(), &body);
                for (op, args, mask) in waiting.drain(..) {
                    builder.attribute(op, args, mask);
                }
            }
            Class::Vertex(op) => builder.vertex(op, args, mask, &mut body),
            Class::End(EndOp::End) => builder.end(),
            Class::Attribute(op @ (Normal3 | Color4 | TexCoord2 | TexCoord4 | MultiTexCoord4)) => {
                if builder.open {
                    builder.attribute(op, args, mask);
                } else {
                    planted!(WaitingDropped, (), waiting.push((op, args, mask)));
                }
            }
            Class::Attribute(op @ Material) if builder.open => {
                builder.soft(Command { op: op.into(), args: args.into() }, mask, &mut body);
            }
            Class::State(op) if builder.open && is_soft(op) => {
                builder.soft(Command { op: op.into(), args: args.into() }, mask, &mut body);
            }
            // No part of it: soft state before the first `begin`, and what stands between primitives.
            Class::Attribute(Material)
            | Class::State(_)
            | Class::Compute(_)
            | Class::Read(_)
            | Class::Signal(_)
            | Class::Jump(_)
            | Class::Draw(_)
            | Class::ListDefinition(_)
            | Class::ListCall(_) => {}
        }
    }
    builder.is_dynamic();
    builder.close(&Arc::from([]), &mut body);
    Some(Opened { dynamic: body.dynamics.pop()?, patches: body.patches })
}
