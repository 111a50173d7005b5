//! From a segment's words to its vertices: when it is drawn for the first time, not when its program is accepted.

use crate::edges;
use crate::gl::{Attributes, Inherited, Shape, Vertex};
use crate::lower::is_soft;
use crate::primitive;
use blinkgl::gl::TextureUnit;
use blinkgl::ops::{AttributeOp, BeginOp, Class, EndOp, VertexOp};
use blinkgl::planted;
use blinkgl::wire;

/// What a segment of constant primitives is made of: instructions from the first attribute or `begin` to the last one
/// that belongs to it. Between primitives there may be instructions that are no part of it.
///
/// The words are verified, so that decoding ends at their end. Were they not, the shape would be a shorter one.
pub(crate) fn expand(words: &[u32], vertices: usize, indices: usize) -> Shape {
    let mut expansion = Expansion::default();
    expansion.shape.vertices.reserve(vertices);
    expansion.shape.indices.reserve(indices);
    let mut at = 0;
    while let Some((&head, rest)) = words.get(at..).and_then(<[u32]>::split_first) {
        // The ops that there are most of, without a look at the table. A head without register mask is the op's code.
        let operands = if let Some(op) = VertexOp::from_code(head) {
            expansion.vertex(op, rest)
        } else if let Some(op) = AttributeOp::from_code(head) {
            expansion.attribute(op, rest)
        } else {
            None
        };
        if let Some(operands) = operands {
            at += 1 + operands;
            continue;
        }
        let Some(length) = expansion.instruction(words, at) else { break };
        at += length;
    }
    expansion.finish()
}

/// The bits of 1.0.
const ONE: u32 = 0x3f80_0000;

/// Attributes by their place in [`Expansion::set`].
const COLOR: usize = 0;
const TEX_COORD: usize = 1;
const TEX_COORD1: usize = 2;
const NORMAL: usize = 3;

#[derive(Default)]
struct Expansion {
    shape: Shape,
    current: Vertex,
    /// First vertex of the open primitive.
    first: u32,
    mode: u32,
    /// A `begin` was seen.
    is_open: bool,
    /// Soft state changed since the last vertex.
    is_pending: bool,
    records: u32,
    /// The vertex from which on an attribute is set.
    set: [Option<u32>; 4],
}

impl Expansion {
    #[inline]
    fn next(&self) -> u32 {
        u32::try_from(self.shape.vertices.len()).unwrap_or(u32::MAX)
    }

    /// A vertex. Gives how many operands it has; `None`: fewer than that are there.
    #[inline]
    fn vertex(&mut self, op: VertexOp, rest: &[u32]) -> Option<usize> {
        let (position, operands) = match op {
            VertexOp::Vertex2 => {
                let &[x, y] = rest.first_chunk()?;
                ([x, y, 0, planted!(PointAtInfinity, 0, ONE)], 2)
            }
            VertexOp::Vertex3 => {
                let &[x, y, z] = rest.first_chunk()?;
                ([x, y, z, ONE], 3)
            }
            VertexOp::Vertex4 => (*rest.first_chunk()?, 4),
        };
        if self.is_pending {
            self.is_pending = false;
            self.records += 1;
            self.current.record = self.records;
        }
        self.current.position = position.map(f32::from_bits);
        self.shape.vertices.push(self.current);
        Some(operands)
    }

    /// An attribute or a material, likewise.
    #[inline]
    fn attribute(&mut self, op: AttributeOp, rest: &[u32]) -> Option<usize> {
        Some(match op {
            AttributeOp::Normal3 => {
                let &[x, y, z] = rest.first_chunk()?;
                self.current.normal = [x, y, z].map(f32::from_bits);
                self.note(NORMAL);
                3
            }
            AttributeOp::Color4 => {
                let &[r, g, b, a] = rest.first_chunk()?;
                self.current.color = [r, g, b, a].map(f32::from_bits);
                self.note(COLOR);
                4
            }
            AttributeOp::TexCoord2 => {
                let &[s, t] = rest.first_chunk()?;
                self.current.tex_coord = [s, t, 0, ONE].map(f32::from_bits);
                self.note(TEX_COORD);
                2
            }
            AttributeOp::TexCoord4 => {
                let &[s, t, r, q] = rest.first_chunk()?;
                self.current.tex_coord = [s, t, r, q].map(f32::from_bits);
                self.note(TEX_COORD);
                4
            }
            AttributeOp::MultiTexCoord4 => {
                let &[unit, s, t, r, q] = rest.first_chunk()?;
                let value = [s, t, r, q].map(f32::from_bits);
                if planted!(UnitsSwapped, unit != UNIT0, unit == UNIT0) {
                    self.current.tex_coord = value;
                    self.note(TEX_COORD);
                } else {
                    self.current.tex_coord1 = value;
                    self.note(TEX_COORD1);
                }
                5
            }
            AttributeOp::Material => {
                let &[_, _, _, _, _, _] = rest.first_chunk()?;
                self.soft();
                6
            }
        })
    }

    /// Soft state. What stands before the first `begin` is no part of the segment.
    fn soft(&mut self) {
        planted!(MaterialForAll, self.is_pending = false, self.is_pending |= self.is_open);
    }

    #[inline]
    fn note(&mut self, attribute: usize) {
        let next = self.next();
        if let Some(set) = self.set.get_mut(attribute) {
            set.get_or_insert(next);
        }
    }

    /// Any instruction. Gives how many words it has; `None` at the end.
    #[inline(never)]
    fn instruction(&mut self, words: &[u32], at: usize) -> Option<usize> {
        let instruction = wire::decode(words, at).ok()??;
        let args = instruction.args;
        match instruction.info.class {
            Class::Vertex(op) => {
                self.vertex(op, args);
            }
            Class::Attribute(op) => {
                self.attribute(op, args);
            }
            Class::Begin(BeginOp::Begin) => {
                self.is_open = true;
                self.mode = args.first().copied().unwrap_or_default();
                self.first = self.next();
            }
            Class::End(EndOp::End) => self.end(),
            Class::State(op) if is_soft(op) => self.soft(),
            // No part of the segment: register work and signals between primitives.
            Class::State(_)
            | Class::Compute(_)
            | Class::Read(_)
            | Class::Signal(_)
            | Class::Jump(_)
            | Class::Draw(_)
            | Class::ListDefinition(_)
            | Class::ListCall(_) => {}
        }
        Some(instruction.words())
    }

    fn end(&mut self) {
        let next = self.next();
        let indices = &mut self.shape.indices;
        primitive::assemble(self.mode, self.first, next, indices);
        if primitive::is_cut(self.mode) {
            let end = u32::try_from(indices.len()).unwrap_or(u32::MAX);
            edges::note(&mut self.shape.primitives, self.mode, end);
        }
    }

    fn finish(self) -> Shape {
        let count = self.next();
        let Expansion { mut shape, current, set, .. } = self;
        let [color, tex_coord, tex_coord1, normal] = set;
        shape.inherited = Inherited {
            color: color.unwrap_or(count),
            tex_coord: tex_coord.unwrap_or(count),
            tex_coord1: tex_coord1.unwrap_or(count),
            normal: normal.unwrap_or(count),
        };
        shape.exit = Attributes {
            color: color.map(|_| current.color),
            tex_coord: tex_coord.map(|_| current.tex_coord),
            tex_coord1: tex_coord1.map(|_| current.tex_coord1),
            normal: normal.map(|_| current.normal),
        };
        shape
    }
}

const UNIT0: u32 = TextureUnit::Texture0.value();

#[cfg(test)]
mod tests {
    use super::*;

    /// Ops without a look at the table are as long as the table says.
    #[test]
    fn operands_are_those_of_the_table() {
        for op in VertexOp::ALL {
            let taken = Expansion::default().vertex(*op, &[0; 16]);
            assert_eq!(taken, Some(op.op().info().operands.len()), "{op:?}");
        }
        for op in AttributeOp::ALL {
            let taken = Expansion::default().attribute(*op, &[0; 16]);
            assert_eq!(taken, Some(op.op().info().operands.len()), "{op:?}");
        }
    }
}
