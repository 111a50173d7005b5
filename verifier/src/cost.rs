//! What a path costs, and the budget that the worst one must keep.

use crate::error::{Detail, Resource};
use crate::rows::Step;
use blinkgl::limits::{MAX_CALLS, MAX_FUEL, MAX_UPLOAD_BYTES, MAX_VERTICES};
use blinkgl::planted;

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
    /// they are not paid for with words. Checked at once, as the sum might not fit otherwise.
    pub(crate) fn add_arrays(&mut self, mode: u32, count: u32, needs: &mut Needs) -> Result<(), Detail> {
        let fuel = u64::from(self.fuel) + u64::from(count);
        let all = u64::from(self.assembled).saturating_add(assembled(mode, count));
        (self.fuel, self.assembled) = (needs.fuel(fuel)?, needs.vertices(all)?);
        // Less than the fuel, so it has room.
        self.vertices += planted!(ArraysForFree, 0, count);
        needs.check(*self)
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

/// What the worst path of a body may cost. A display list's body counts for itself; what calls of lists add
/// up to is held against fuel and vertices when they run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Budget {
    /// Fuel units.
    pub fuel: u64,
    /// GL calls.
    pub calls: u64,
    /// Vertices after assembly.
    pub vertices: u64,
    /// Bytes of vertices to upload.
    pub upload_bytes: u64,
}

impl Default for Budget {
    /// The limits of one callback run.
    fn default() -> Budget {
        Budget { fuel: MAX_FUEL, calls: MAX_CALLS, vertices: MAX_VERTICES, upload_bytes: MAX_UPLOAD_BYTES }
    }
}

impl Budget {
    /// Nothing.
    pub const NONE: Budget = Budget { fuel: 0, calls: 0, vertices: 0, upload_bytes: 0 };

    /// Is a program that needs `needs` (its [`Facts::needs`](crate::Facts::needs)) within it?
    #[must_use]
    pub fn allows(&self, needs: &Budget) -> bool {
        needs.fuel <= self.fuel
            && needs.calls <= self.calls
            && needs.vertices <= self.vertices
            && needs.upload_bytes <= self.upload_bytes
    }

    /// The smaller of both in each resource.
    #[must_use]
    pub fn at_most(self, other: Budget) -> Budget {
        Budget {
            fuel: self.fuel.min(other.fuel),
            calls: self.calls.min(other.calls),
            vertices: self.vertices.min(other.vertices),
            upload_bytes: self.upload_bytes.min(other.upload_bytes),
        }
    }
}

/// The budget, and what of it was needed so far.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Needs {
    budget: Budget,
    /// The least budget with which everything so far is accepted: that of the dearest body, in each resource.
    pub(crate) least: Budget,
}

/// The most of a resource that is counted, whatever the budget: single ops can then add theirs without looking.
const MOST: u32 = 1 << 31;

impl Needs {
    pub(crate) fn new(budget: Budget) -> Needs {
        Needs { budget, least: Budget::NONE }
    }

    /// Is this cost, of a body or of a part of one, within the budget?
    pub(crate) fn check(&mut self, worst: Cost) -> Result<(), Detail> {
        self.fuel(worst.fuel.into())?;
        within(Resource::Calls, worst.gl_calls.into(), self.budget.calls, &mut self.least.calls)?;
        self.vertices(worst.assembled.into())?;
        let bytes = worst.upload_bytes();
        within(Resource::UploadBytes, bytes, self.budget.upload_bytes, &mut self.least.upload_bytes)
    }

    fn fuel(&mut self, needed: u64) -> Result<u32, Detail> {
        counted(Resource::Fuel, needed, self.budget.fuel, &mut self.least.fuel)
    }

    fn vertices(&mut self, needed: u64) -> Result<u32, Detail> {
        counted(Resource::Vertices, needed, self.budget.vertices, &mut self.least.vertices)
    }
}

fn within(resource: Resource, needed: u64, limit: u64, least: &mut u64) -> Result<(), Detail> {
    if needed > planted!(OneOverBudget, limit.saturating_add(1), limit) {
        return Err(Detail::Budget { resource, needed, limit });
    }
    *least = needed.max(*least);
    Ok(())
}

fn counted(resource: Resource, needed: u64, limit: u64, least: &mut u64) -> Result<u32, Detail> {
    let limit = limit.min(MOST.into());
    within(resource, needed, limit, least)?;
    u32::try_from(needed).map_err(|_| Detail::Budget { resource, needed, limit })
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
        2 if source >= 2 => 2 * planted!(LoopNotClosed, source - 1, source),
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
