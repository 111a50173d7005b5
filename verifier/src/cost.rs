//! What a path costs, and the budget that the worst one must keep.

use crate::error::{Detail, Resource};
use crate::rows::Step;
use blinkgl::limits::{MAX_FUEL, MAX_VERTICES};

/// Bytes of a vertex as it is uploaded.
pub const VERTEX_BYTES: u64 = 80;

/// A cost. At a join each field is the greater of the paths', so a worst case may belong to no single path.
///
/// None can overflow: a program has at most 2^18 words, so at most 2^18 ops of at most 16 units of fuel and
/// 3 assembled vertices each, and what drawing from arrays adds is held against the budget at once.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Cost {
    /// Instructions.
    pub ops: u32,
    /// Fuel units: the sum of [`blinkgl::OpInfo::cost`].
    pub fuel: u32,
    /// Ops that are GL calls.
    pub gl_calls: u32,
    /// Vertex ops and vertices drawn from arrays: those that are uploaded.
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

    /// Adds the drawing of `count` vertices from arrays, with a unit of fuel for each: unlike the vertices of ops,
    /// they are not paid for with words.
    pub(crate) fn add_arrays(&mut self, mode: u32, count: u32, budget: Budget) -> Result<(), Detail> {
        let fuel = u64::from(self.fuel) + u64::from(count);
        let all = u64::from(self.assembled).saturating_add(assembled(mode, count));
        (self.fuel, self.assembled) =
            (within(Resource::Fuel, fuel, budget.fuel)?, within(Resource::Vertices, all, budget.vertices)?);
        // Less than the fuel, so it has room.
        self.vertices += count;
        Ok(())
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
        within(Resource::Fuel, worst.fuel.into(), self.fuel)?;
        within(Resource::Vertices, worst.assembled.into(), self.vertices)?;
        Ok(())
    }
}

/// The most of a resource that is counted, whatever the budget: single ops can then add theirs without looking.
const MOST: u32 = 1 << 31;

fn within(resource: Resource, needed: u64, limit: u64) -> Result<u32, Detail> {
    let limit = limit.min(MOST.into());
    match u32::try_from(needed) {
        Ok(fits) if needed <= limit => Ok(fits),
        _ => Err(Detail::Budget { resource, needed, limit }),
    }
}

/// Vertices that `source` vertices of a primitive become when it is taken apart into points, lines or
/// triangles. Incomplete primitives are dropped, as in OpenGL.
#[must_use]
pub fn assembled(primitive: u32, source: u32) -> u64 {
    let source = u64::from(source);
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
