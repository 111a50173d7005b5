//! Batches: what one draw call draws.
//!
//! A batch of static segments that comes again (the same segments, the same records' numbers, the same
//! inherited attributes) finds its vertices on the GPU. Only its records are uploaded.

use super::state::WindowState;
use jit::{Inherited, Segment, Shape, Vertex};
use std::ops::Range;
use std::sync::{Arc, Weak};

/// Vertices of a batch (5 MiB), unless one segment alone has more: all that a run may draw would take a quarter of a
/// gigabyte of the server's memory, three times over.
pub const MAX_BATCH_VERTICES: usize = 1 << 16;

/// Vertices that a slow window's batch is assembled and uploaded by: what is left of them when a slice ends is
/// assembled again in the next. Whole quads, so a multiple of 6.
pub const CHUNK_VERTICES: usize = 6 << 10;

/// The bit of a vertex's record which says that the edge from it to the next corner is inside of a polygon: only for
/// outlined pieces. Records are far fewer.
pub const INTERIOR: u32 = 1 << 31;

/// The bit of a piece's record which says that it is smooth shaded.
pub const SMOOTH: u32 = 1 << 30;

/// A segment in a batch.
#[derive(Debug)]
pub struct Piece {
    /// The segment.
    pub segment: Arc<Segment>,
    /// Its shape, where that had to be made to know what is inherited.
    shape: Option<Arc<Shape>>,
    inherited: Inherited,
    /// Its vertices, where they come from registers.
    pub dynamic: Option<Vec<Vertex>>,
    /// Polygons are drawn as their borders or corners.
    pub outlined: bool,
    /// The batch's record for each of the segment's, with [`SMOOTH`].
    pub records: Vec<u32>,
    /// Attributes at the segment's beginning, for the vertices that inherit them.
    pub color: [f32; 4],
    /// As `color`.
    pub tex_coord: [f32; 4],
    /// As `color`.
    pub tex_coord1: [f32; 4],
    /// As `color`.
    pub normal: [f32; 3],
}

impl Piece {
    /// A segment as the state finds it; records follow.
    #[must_use]
    pub fn new(segment: &Arc<Segment>, dynamic: Option<&[Vertex]>, state: &WindowState) -> Piece {
        let (summary, shape) = segment.summary();
        Piece {
            segment: Arc::clone(segment),
            shape,
            inherited: summary.inherited,
            dynamic: dynamic.map(<[Vertex]>::to_vec),
            outlined: state.hard.is_outlined(segment.assembly),
            records: Vec::with_capacity(segment.records.len()),
            color: state.color,
            tex_coord: state.tex_coord,
            tex_coord1: state.tex_coord1,
            normal: state.normal,
        }
    }

    /// Appends what identifies the piece's vertices to a key.
    fn identify(&self, key: &mut Key) {
        let inherited = self.inherited;
        key.segments.push(self.segment.id);
        key.words
            .push(u32::try_from(self.records.len()).unwrap_or(u32::MAX) ^ u32::from(self.outlined) << 31);
        key.words.extend(&self.records);
        let mut attribute = |count: u32, values: &[f32]| {
            if count > 0 {
                key.words.extend(values.iter().map(|v| v.to_bits()));
            }
        };
        attribute(inherited.color, &self.color);
        attribute(inherited.tex_coord, &self.tex_coord);
        attribute(inherited.tex_coord1, &self.tex_coord1);
        attribute(inherited.normal, &self.normal);
    }

    /// Makes its shape once for all that follows, if it is larger than a chunk.
    pub fn keep_shape(&mut self) {
        if self.count().max(self.segment.vertices()) > CHUNK_VERTICES && self.shape.is_none() {
            self.shape = Some(self.segment.shape());
        }
    }

    /// Vertices in drawing order.
    #[must_use]
    pub fn count(&self) -> usize {
        usize::try_from(self.segment.assembled).unwrap_or(usize::MAX)
    }

    fn shape(&self) -> Arc<Shape> {
        self.shape.clone().unwrap_or_else(|| self.segment.shape())
    }

    /// Appends the vertices in drawing order.
    pub fn assemble(&self, to: &mut Vec<Vertex>) {
        let shape = self.shape();
        self.assemble_part(&shape, 0..shape.indices.len(), to);
    }

    /// The last place up to `at` where the vertices may be cut in two: between primitives, and quads stay whole, as how
    /// they are cut into triangles is seen from all of one.
    fn cut(&self, shape: &Shape, at: usize) -> usize {
        let at = at.min(shape.indices.len());
        let whole = at - at % self.segment.assembly.corners();
        let end = |run: &jit::PrimitiveRun| usize::try_from(run.end).unwrap_or(usize::MAX);
        let after = shape.primitives.partition_point(|run| end(run) <= whole);
        let first = after.checked_sub(1).and_then(|before| shape.primitives.get(before)).map_or(0, end);
        match shape.primitives.get(after) {
            Some(run) if run.mode == QUADS => first + whole.saturating_sub(first) / 6 * 6,
            Some(_) | None => whole,
        }
    }

    /// The segment's vertices as they are: from registers or words.
    fn given<'a>(&'a self, shape: &'a Shape) -> &'a [Vertex] {
        self.dynamic.as_deref().unwrap_or(&shape.vertices)
    }

    /// A vertex with what it inherits, and the batch's record with [`SMOOTH`].
    fn resolve(&self, index: u32, mut vertex: Vertex) -> Vertex {
        let inherited = self.inherited;
        if index < inherited.color {
            vertex.color = self.color;
        }
        if index < inherited.tex_coord {
            vertex.tex_coord = self.tex_coord;
        }
        if index < inherited.tex_coord1 {
            vertex.tex_coord1 = self.tex_coord1;
        }
        if index < inherited.normal {
            vertex.normal = self.normal;
        }
        let local = usize::try_from(vertex.record).unwrap_or(usize::MAX);
        vertex.record = self.records.get(local).copied().unwrap_or(0);
        vertex
    }

    /// Appends each vertex once, and the indices of the drawing order.
    fn index(&self, to: &mut Mesh) {
        let shape = self.shape();
        let given = self.given(&shape);
        let (first, first_index) = (to.vertices.len(), to.indices.len());
        let base = u32::try_from(first).unwrap_or(u32::MAX);
        let count = u32::try_from(given.len()).unwrap_or(u32::MAX);
        to.vertices.extend((0..).zip(given).map(|(index, vertex)| self.resolve(index, *vertex)));
        // They are all in range; but OpenGL reads memory by them.
        if shape.indices.iter().any(|&index| index >= count) {
            to.vertices.push(Vertex::default());
        }
        to.indices.extend(shape.indices.iter().map(|index| base.saturating_add(*index.min(&count))));
        let Mesh { vertices, indices } = to;
        let added = indices.get_mut(first_index..).unwrap_or_default();
        if self.segment.immediate {
            let record =
                |index: u32| usize::try_from(index).ok().and_then(|at| vertices.get(at)).map(|v| v.record);
            let is_smooth = |index: u32| record(index).is_some_and(|record| record & SMOOTH != 0);
            cut_smooth_quads(&shape, 0, added, is_smooth, |index, _| index);
        }
        for vertex in vertices.get_mut(first..).unwrap_or_default() {
            vertex.record &= !SMOOTH;
        }
    }

    /// Appends some of the vertices: from a place that [`Piece::cut`] gave to another.
    fn assemble_part(&self, shape: &Shape, range: Range<usize>, to: &mut Vec<Vertex>) {
        let vertices = self.given(shape);
        let start = range.start;
        let indices = shape.indices.get(range).unwrap_or_default();
        to.reserve(indices.len());
        let first = to.len();
        to.extend(indices.iter().map(|&index| {
            // The segment's indices are in range.
            let at = usize::try_from(index).unwrap_or(usize::MAX);
            self.resolve(index, vertices.get(at).copied().unwrap_or_default())
        }));
        let added = to.get_mut(first..).unwrap_or_default();
        if self.outlined {
            let interiors = jit::interior_edges(shape).skip(start / 3);
            for (triangle, interior) in added.chunks_exact_mut(3).zip(interiors) {
                for (corner, vertex) in triangle.iter_mut().enumerate() {
                    if interior >> corner & 1 != 0 {
                        vertex.record |= INTERIOR;
                    }
                }
            }
        }
        if self.segment.immediate {
            let inner = |vertex: Vertex, is: bool| {
                let bit = if is && self.outlined { INTERIOR } else { 0 };
                Vertex { record: vertex.record & !INTERIOR | bit, ..vertex }
            };
            cut_smooth_quads(shape, start, added, |vertex| vertex.record & SMOOTH != 0, inner);
        }
        for vertex in added {
            vertex.record &= !SMOOTH;
        }
    }
}

/// OpenGL leaves open along which diagonal a quad is cut. Mesa takes the one from its first vertex for smooth
/// quads of immediate mode, and the other one, which lets the last vertex be the last of both triangles, for all
/// others; so programs look the same here. `added`: the corners from `start` on; `inner`: a corner with the edge after it
/// being inside of the quad, or not.
fn cut_smooth_quads<T: Copy>(
    shape: &Shape,
    start: usize,
    added: &mut [T],
    is_smooth: impl Fn(T) -> bool,
    inner: impl Fn(T, bool) -> T,
) {
    let mut first = 0;
    for run in &shape.primitives {
        if first >= added.len() {
            return;
        }
        let end = usize::try_from(run.end).unwrap_or(usize::MAX).saturating_sub(start).min(added.len());
        if run.mode == QUADS {
            for quad in added.get_mut(first..end).unwrap_or_default().chunks_exact_mut(6) {
                if let &mut [a, b, d, _, c, _] = quad
                    && is_smooth(d)
                {
                    quad.copy_from_slice(&[
                        inner(a, false),
                        inner(b, false),
                        inner(c, true),
                        inner(a, true),
                        inner(c, false),
                        inner(d, false),
                    ]);
                }
            }
        }
        first = end;
    }
}

/// GL_QUADS.
const QUADS: u32 = 7;

/// Vertices of a batch. OpenGL reads memory by the indices, so all are of vertices that are there: only this file makes any,
/// in [`Piece::index`].
#[derive(Debug, Default)]
pub struct Mesh {
    vertices: Vec<Vertex>,
    indices: Vec<u32>,
}

impl Mesh {
    /// In drawing order, or in any order if there are indices.
    #[must_use]
    pub fn vertices(&self) -> &[Vertex] {
        &self.vertices
    }

    /// The drawing order; none: that of the vertices.
    #[must_use]
    pub fn indices(&self) -> &[u32] {
        &self.indices
    }

    /// Empty, with its memory.
    pub fn clear(&mut self) {
        self.vertices.clear();
        self.indices.clear();
    }

    /// Corners that are drawn.
    #[must_use]
    pub fn count(&self) -> usize {
        if self.indices.is_empty() { self.vertices.len() } else { self.indices.len() }
    }

    /// Keeps memory for at most so many vertices, and three indices for each.
    pub fn shrink_to(&mut self, vertices: usize) {
        self.vertices.shrink_to(vertices);
        self.indices.shrink_to(vertices.saturating_mul(3));
    }
}

/// What a batch draws.
#[derive(Debug)]
pub enum Contents {
    /// Pieces, whose vertices may be on the GPU already.
    Pieces(Vec<Piece>),
    /// Vertices in drawing order.
    Vertices(Vec<Vertex>),
}

impl Contents {
    /// What identifies the vertices; `None` if nothing does.
    #[must_use]
    pub fn key(&self) -> Option<Key> {
        match self {
            Contents::Pieces(pieces) => Key::new(pieces),
            Contents::Vertices(_) => None,
        }
    }

    /// One of the segments.
    #[must_use]
    pub fn segment(&self) -> Weak<Segment> {
        match self {
            Contents::Pieces(pieces) => pieces.first().map(|piece| Arc::downgrade(&piece.segment)),
            Contents::Vertices(_) => None,
        }
        .unwrap_or_default()
    }

    /// All vertices. Those of outlines differ from corner to corner, all others are there once.
    pub fn assemble(&self, to: &mut Mesh) {
        to.clear();
        match self {
            Contents::Pieces(pieces) if pieces.iter().any(|piece| piece.outlined) => {
                pieces.iter().for_each(|piece| piece.assemble(&mut to.vertices));
            }
            Contents::Pieces(pieces) => pieces.iter().for_each(|piece| piece.index(to)),
            Contents::Vertices(vertices) => to.vertices.extend_from_slice(vertices),
        }
    }

    /// The vertices from number `first` on: at most as many as a chunk has, and whole primitives; none at the end.
    pub fn assemble_chunk(&self, first: usize, to: &mut Mesh) {
        to.clear();
        let to = &mut to.vertices;
        let pieces = match self {
            Contents::Pieces(pieces) => pieces,
            Contents::Vertices(vertices) => {
                to.extend(vertices.iter().skip(first).take(CHUNK_VERTICES));
                return;
            }
        };
        let mut skipped = 0;
        for piece in pieces {
            let count = piece.count();
            let start = first.saturating_sub(skipped);
            skipped = skipped.saturating_add(count);
            if start >= count {
                continue;
            }
            let shape = piece.shape();
            let room = CHUNK_VERTICES.saturating_sub(to.len());
            let end = piece.cut(&shape, start.saturating_add(room));
            piece.assemble_part(&shape, start..end.max(start), to);
            if end < count {
                return;
            }
        }
    }
}

/// What identifies a batch's vertices.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Key {
    pub(super) segments: Vec<jit::SegmentId>,
    pub(super) words: Vec<u32>,
}

impl Key {
    /// The key of these pieces; `None` if one is dynamic.
    #[must_use]
    pub fn new(pieces: &[Piece]) -> Option<Key> {
        if pieces.iter().any(|piece| piece.dynamic.is_some()) {
            return None;
        }
        let mut key = Key::default();
        for piece in pieces {
            piece.identify(&mut key);
        }
        Some(key)
    }
}
