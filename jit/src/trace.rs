//! Two receivers of GL work that draw nothing: one counts, one records.

use crate::gl::{Assembly, Attributes, Command, Dynamic, Gl, Segment};
use blinkgl::Op;
use blinkgl::ops::TextureUnit;
use std::sync::Arc;

/// Counts what it is given.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct NullGl {
    /// Commands outside of segments.
    pub commands: u64,
    /// Segments.
    pub draws: u64,
    /// Indices of segments: vertices after assembly.
    pub vertices: u64,
}

impl Gl for NullGl {
    fn command(&mut self, _op: Op, _args: &[u32]) {
        self.commands += 1;
    }

    fn draw(&mut self, segment: &Arc<Segment>, _dynamic: Option<Dynamic<'_>>) {
        self.draws += 1;
        self.vertices += u64::from(segment.assembled);
    }
}

/// The current attributes of OpenGL, as bits, so that they compare exactly.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Current {
    /// Color.
    pub color: [u32; 4],
    /// Texture coordinate of unit 0.
    pub tex_coord: [u32; 4],
    /// Texture coordinate of unit 1.
    pub tex_coord1: [u32; 4],
    /// Normal.
    pub normal: [u32; 3],
}

impl Default for Current {
    fn default() -> Current {
        Current {
            color: [1.0f32; 4].map(f32::to_bits),
            tex_coord: [0.0f32, 0.0, 0.0, 1.0].map(f32::to_bits),
            tex_coord1: [0.0f32, 0.0, 0.0, 1.0].map(f32::to_bits),
            normal: [0.0f32, 0.0, 1.0].map(f32::to_bits),
        }
    }
}

impl Current {
    /// Sets an attribute by its op; of other ops nothing is done, and `false` returned.
    pub fn set(&mut self, op: Op, args: &[u32]) -> bool {
        const ONE: u32 = 0x3f80_0000;
        if op == Op::Color4
            && let &[r, g, b, a] = args
        {
            self.color = [r, g, b, a];
        } else if op == Op::TexCoord2
            && let &[s, t] = args
        {
            self.tex_coord = [s, t, 0, ONE];
        } else if op == Op::TexCoord4
            && let &[s, t, r, q] = args
        {
            self.tex_coord = [s, t, r, q];
        } else if op == Op::MultiTexCoord4
            && let &[unit, s, t, r, q] = args
        {
            let first = unit == TextureUnit::Texture0.value();
            *(if first { &mut self.tex_coord } else { &mut self.tex_coord1 }) = [s, t, r, q];
        } else if op == Op::Normal3
            && let &[x, y, z] = args
        {
            self.normal = [x, y, z];
        } else {
            return false;
        }
        true
    }

    fn leave(&mut self, exit: &Attributes) {
        if let Some(color) = exit.color {
            self.color = color.map(f32::to_bits);
        }
        if let Some(tex_coord) = exit.tex_coord {
            self.tex_coord = tex_coord.map(f32::to_bits);
        }
        if let Some(tex_coord1) = exit.tex_coord1 {
            self.tex_coord1 = tex_coord1.map(f32::to_bits);
        }
        if let Some(normal) = exit.normal {
            self.normal = normal.map(f32::to_bits);
        }
    }
}

/// A vertex with everything resolved.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TracedVertex {
    /// Object coordinates.
    pub position: [u32; 4],
    /// Its attributes.
    pub attributes: Current,
    /// State commands before it: which material, shade model and so on it has.
    pub commands: usize,
}

/// A point, line or triangle.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TracedPrimitive {
    /// Which of them.
    pub assembly: Assembly,
    /// One, two or three vertices; the last gives flat shading its color.
    pub vertices: Vec<TracedVertex>,
}

/// Records what a picture depends on, independent of how work was cut into segments: two executions
/// that compare equal draw the same.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct TraceGl {
    /// All commands that set no vertex attribute, in order.
    pub commands: Vec<Command>,
    /// All primitives, in order.
    pub primitives: Vec<TracedPrimitive>,
    /// The attributes in force at each command that uses them: `push_attrib`, `pop_attrib` and what draws arrays.
    pub used: Vec<Current>,
    /// The attributes at the end.
    pub current: Current,
}

impl Gl for TraceGl {
    fn command(&mut self, op: Op, args: &[u32]) {
        if !self.current.set(op, args) {
            if matches!(op, Op::PushAttrib | Op::PopAttrib | Op::DrawArrays | Op::DrawElements) {
                self.used.push(self.current);
            }
            self.commands.push(Command { op, args: args.into() });
        }
    }

    fn draw(&mut self, segment: &Arc<Segment>, dynamic: Option<Dynamic<'_>>) {
        let shape = segment.shape();
        // How many commands there are when each record is in force.
        let mut counts = Vec::with_capacity(segment.records.len());
        for record in &segment.records {
            self.commands.extend_from_slice(record);
            counts.push(self.commands.len());
        }
        self.commands.extend_from_slice(&segment.trailing);
        let vertices = dynamic.map_or(shape.vertices.as_slice(), |d| d.vertices);
        let traced: Vec<TracedVertex> = (0u32..)
            .zip(vertices)
            .map(|(i, v)| {
                let mut attributes = self.current;
                attributes.leave(&Attributes {
                    color: (i >= shape.inherited.color).then_some(v.color),
                    tex_coord: (i >= shape.inherited.tex_coord).then_some(v.tex_coord),
                    tex_coord1: (i >= shape.inherited.tex_coord1).then_some(v.tex_coord1),
                    normal: (i >= shape.inherited.normal).then_some(v.normal),
                });
                let commands = counts.get(v.record as usize).copied().unwrap_or(usize::MAX);
                TracedVertex { position: v.position.map(f32::to_bits), attributes, commands }
            })
            .collect();
        for primitive in shape.indices.chunks(segment.assembly.corners()) {
            let vertices = primitive.iter().filter_map(|&i| traced.get(i as usize).copied()).collect();
            self.primitives.push(TracedPrimitive { assembly: segment.assembly, vertices });
        }
        self.current.leave(&dynamic.map_or(shape.exit, |d| d.exit));
    }
}
