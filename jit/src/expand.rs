//! From a segment's words to its vertices: when it is drawn for the first time, not when its program is accepted.

use crate::edges;
use crate::gl::{Attributes, Inherited, Shape, Vertex};
use crate::primitive;
use blinkgl::Op;
use blinkgl::planted;
use blinkgl::wire;

/// What a segment of constant primitives is made of: instructions from the first attribute or `begin` to the last one
/// that belongs to it. Between primitives there may be instructions that are no part of it.
///
/// The words are verified, so that decoding ends at their end. Were they not, the shape would be a shorter one.
pub(crate) fn expand(words: &[u32], vertices: usize, indices: usize) -> Shape {
    let mut expansion = Expansion {
        shape: Shape {
            vertices: Vec::with_capacity(vertices),
            indices: Vec::with_capacity(indices),
            ..Shape::default()
        },
        current: Vertex::default(),
        first: 0,
        mode: 0,
        is_open: false,
        is_pending: false,
        records: 0,
        set: [None; 4],
    };
    let mut at = 0;
    while let Some((&head, rest)) = words.get(at..).and_then(<[u32]>::split_first) {
        // The ops that there are most of, without a look at the table. A head without register mask is the op's code.
        at += match (head, rest) {
            (VERTEX3, &[x, y, z, ..]) => {
                expansion.vertex([x, y, z, ONE]);
                4
            }
            (NORMAL3, &[x, y, z, ..]) => {
                expansion.current.normal = [x, y, z].map(f32::from_bits);
                expansion.note(NORMAL);
                4
            }
            (COLOR4, &[r, g, b, a, ..]) => {
                expansion.current.color = [r, g, b, a].map(f32::from_bits);
                expansion.note(COLOR);
                5
            }
            (VERTEX2, &[x, y, ..]) => {
                expansion.vertex([x, y, 0, planted!(PointAtInfinity, 0, ONE)]);
                3
            }
            (TEX_COORD2, &[s, t, ..]) => {
                expansion.current.tex_coord = [s, t, 0, ONE].map(f32::from_bits);
                expansion.note(TEX_COORD);
                3
            }
            _ => match wire::decode(words, at) {
                Ok(Some(instruction)) => {
                    expansion.other(instruction.op(), instruction.args);
                    instruction.words()
                }
                Ok(None) | Err(_) => break,
            },
        };
    }
    expansion.finish()
}

const VERTEX2: u32 = Op::Vertex2 as u32;
const VERTEX3: u32 = Op::Vertex3 as u32;
const NORMAL3: u32 = Op::Normal3 as u32;
const COLOR4: u32 = Op::Color4 as u32;
const TEX_COORD2: u32 = Op::TexCoord2 as u32;

/// The bits of 1.0.
const ONE: u32 = 0x3f80_0000;

/// Attributes by their place in [`Expansion::set`].
const COLOR: usize = 0;
const TEX_COORD: usize = 1;
const TEX_COORD1: usize = 2;
const NORMAL: usize = 3;

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

    #[inline]
    fn vertex(&mut self, position: [u32; 4]) {
        if self.is_pending {
            self.is_pending = false;
            self.records += 1;
            self.current.record = self.records;
        }
        self.current.position = position.map(f32::from_bits);
        self.shape.vertices.push(self.current);
    }

    #[inline]
    fn note(&mut self, attribute: usize) {
        let next = self.next();
        if let Some(set) = self.set.get_mut(attribute) {
            set.get_or_insert(next);
        }
    }

    fn other(&mut self, op: Op, args: &[u32]) {
        match (op, args) {
            (Op::Begin, &[mode]) => {
                self.is_open = true;
                self.mode = mode;
                self.first = self.next();
            }
            (Op::End, []) => {
                let indices = &mut self.shape.indices;
                let next = u32::try_from(self.shape.vertices.len()).unwrap_or(u32::MAX);
                primitive::assemble(self.mode, self.first, next, indices);
                if primitive::is_cut(self.mode) {
                    let end = u32::try_from(indices.len()).unwrap_or(u32::MAX);
                    edges::note(&mut self.shape.primitives, self.mode, end);
                }
            }
            (Op::Vertex4, &[x, y, z, w]) => self.vertex([x, y, z, w]),
            (Op::TexCoord4, &[s, t, r, q]) => {
                self.current.tex_coord = [s, t, r, q].map(f32::from_bits);
                self.note(TEX_COORD);
            }
            (Op::MultiTexCoord4, &[unit, s, t, r, q]) => {
                let value = [s, t, r, q].map(f32::from_bits);
                if planted!(UnitsSwapped, unit != UNIT0, unit == UNIT0) {
                    self.current.tex_coord = value;
                    self.note(TEX_COORD);
                } else {
                    self.current.tex_coord1 = value;
                    self.note(TEX_COORD1);
                }
            }
            // What stands before the first `begin` is no part of the segment.
            (Op::Material | Op::ShadeModel, _) => {
                planted!(MaterialForAll, self.is_pending = false, self.is_pending |= self.is_open)
            }
            // Register work and signals between primitives.
            (_, _) => {}
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

/// GL_TEXTURE0.
const UNIT0: u32 = 0x84c0;
