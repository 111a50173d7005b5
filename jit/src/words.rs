//! Words of a dynamic segment, looked at when it is drawn first.

use crate::builder::{Attribute, SegmentBuilder};
use crate::gl::Command;
use crate::step::{Body, Lazy, Opened};
use blinkgl::ops::{Op, TextureUnit};
use blinkgl::wire;
use std::sync::Arc;

/// The bits of 1.0.
pub(crate) const ONE: u32 = 0x3f80_0000;

/// Builds the segment that the words are; `None` only of words that no verifier saw. What stands between its primitives and is no part of it was lowered apart.
pub(crate) fn open(lazy: &Lazy) -> Option<Opened> {
    let words = lazy.words.get(lazy.range.clone()).unwrap_or_default();
    let mut builder = SegmentBuilder::new(0);
    builder.in_list = lazy.in_list;
    let mut body = Body::default();
    // Attributes before the first `begin`.
    let mut waiting = Vec::new();
    let mut at = 0;
    while let Ok(Some(instruction)) = wire::decode(words, at) {
        at += instruction.words();
        let (op, args, mask) = (instruction.op(), instruction.args, instruction.mask);
        match (op, args) {
            (Op::Begin, &[mode]) => {
                builder.begin(mode, &body);
                for (what, values, mask) in waiting.drain(..) {
                    builder.attribute(what, values, mask);
                }
            }
            (Op::End, []) => builder.end(),
            (Op::Vertex2, &[x, y]) => builder.vertex([x, y, 0, ONE], mask, &mut body),
            (Op::Vertex3, &[x, y, z]) => builder.vertex([x, y, z, ONE], mask, &mut body),
            (Op::Vertex4, &[x, y, z, w]) => builder.vertex([x, y, z, w], mask, &mut body),
            (Op::Material | Op::ShadeModel, args) if builder.open => {
                builder.soft(Command { op, args: args.into() }, mask, &mut body);
            }
            (op, args) => {
                if let Some((what, values, mask)) = attribute(op, args, mask) {
                    if builder.open {
                        builder.attribute(what, values, mask);
                    } else {
                        waiting.push((what, values, mask));
                    }
                }
            }
        }
    }
    builder.is_dynamic();
    builder.close(&Arc::from([]), &mut body);
    Some(Opened { dynamic: body.dynamics.pop()?, patches: body.patches })
}

/// An op that sets an attribute: which, its four words, and which of them are registers.
#[inline]
pub(crate) fn attribute(op: Op, args: &[u32], mask: u16) -> Option<(Attribute, [u32; 4], u16)> {
    match (op, args) {
        (Op::Color4, &[r, g, b, a]) => Some((Attribute::Color, [r, g, b, a], mask)),
        (Op::TexCoord2, &[s, t]) => Some((Attribute::TexCoord, [s, t, 0, ONE], mask)),
        (Op::TexCoord4, &[s, t, r, q]) => Some((Attribute::TexCoord, [s, t, r, q], mask)),
        (Op::MultiTexCoord4, &[unit, s, t, r, q]) => {
            let first = unit == TextureUnit::Texture0.value();
            let what = if first { Attribute::TexCoord } else { Attribute::TexCoord1 };
            Some((what, [s, t, r, q], mask >> 1))
        }
        (Op::Normal3, &[x, y, z]) => Some((Attribute::Normal, [x, y, z, 0], mask)),
        (_, _) => None,
    }
}
