//! What a path costs, and the budget that the worst one must keep.

use crate::error::{Detail, Resource};
use crate::rows::Step;
use blinkgl::limits::{MAX_FUEL, MAX_VERTICES};

/// Bytes of a vertex as it is uploaded.
pub const VERTEX_BYTES: u64 = 64;

/// A cost. At a join each field is the greater of the paths', so a worst case may belong to no single path.
///
/// None can overflow: a program has at most 2^18 words, so at most 2^18 ops of at most 16 units of fuel and
/// 3 assembled vertices each.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Cost {
    /// Instructions.
    pub ops: u32,
    /// Fuel units: the sum of [`blinkgl::OpInfo::cost`].
    pub fuel: u32,
    /// Ops that are GL calls.
    pub gl_calls: u32,
    /// Vertex ops: the vertices that are uploaded.
    pub vertices: u32,
    /// Vertices after assembly into points, lines and triangles: what the vertex budget counts.
    pub assembled: u32,
}

impl Cost {
    /// Bytes of vertices to upload, if none are cached.
    #[must_use]
    pub fn upload_bytes(&self) -> u64 {
        u64::from(self.vertices) * VERTEX_BYTES
    }

    #[inline]
    pub(crate) fn add(&mut self, step: Step) {
        self.ops += step.ops;
        self.fuel += step.fuel;
        self.gl_calls += step.gl_calls;
        self.vertices += step.vertices;
    }

    /// Takes back what was added.
    pub(crate) fn sub(&mut self, step: Step) {
        self.ops -= step.ops;
        self.fuel -= step.fuel;
        self.gl_calls -= step.gl_calls;
        self.vertices -= step.vertices;
    }

    pub(crate) fn max(self, other: Cost) -> Cost {
        Cost {
            ops: self.ops.max(other.ops),
            fuel: self.fuel.max(other.fuel),
            gl_calls: self.gl_calls.max(other.gl_calls),
            vertices: self.vertices.max(other.vertices),
            assembled: self.assembled.max(other.assembled),
        }
    }
}

/// What the worst path of a body may cost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Budget {
    /// Fuel units.
    pub fuel: u64,
    /// Vertices after assembly.
    pub vertices: u64,
}

impl Default for Budget {
    /// The limits of one callback run.
    fn default() -> Budget {
        Budget { fuel: MAX_FUEL, vertices: MAX_VERTICES }
    }
}

impl Budget {
    pub(crate) fn check(self, worst: Cost) -> Result<(), Detail> {
        let over = |resource, needed: u32, limit| {
            let needed = u64::from(needed);
            if needed > limit { Err(Detail::Budget { resource, needed, limit }) } else { Ok(()) }
        };
        over(Resource::Fuel, worst.fuel, self.fuel)?;
        over(Resource::Vertices, worst.assembled, self.vertices)
    }
}

/// Vertices that `source` vertices of a primitive become when it is taken apart into points, lines or
/// triangles. Incomplete primitives are dropped, as in OpenGL.
pub(crate) fn assembled(primitive: u32, source: u32) -> u32 {
    let triangles = 3 * source.saturating_sub(2);
    match primitive {
        0 => source,
        1 => source / 2 * 2,
        2 if source >= 2 => 2 * source,
        2 => 0,
        3 => 2 * source.saturating_sub(1),
        4 => source / 3 * 3,
        5 | 6 | 9 => triangles,
        7 => source / 4 * 6,
        8 => (source / 2).saturating_sub(1) * 6,
        // No such primitive passes V11.
        _ => triangles,
    }
}
