//! Batches: what one draw call draws, and the vertex buffers that outlive a frame.
//!
//! A batch of static segments that comes again (the same segments, the same records' numbers, the same
//! inherited attributes) finds its vertices on the GPU. Only its records are uploaded.

use super::state::WindowState;
use jit::{Assembly, Inherited, Segment, Shape, Vertex};
use std::collections::{HashMap, VecDeque};
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

/// Vertices of a batch.
#[derive(Debug, Default)]
pub struct Mesh {
    /// In drawing order, or in any order if there are indices.
    pub vertices: Vec<Vertex>,
    /// The drawing order, all in range; none: that of the vertices.
    pub indices: Vec<u32>,
}

impl Mesh {
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
    pub fn assemble_chunk(&self, first: usize, to: &mut Vec<Vertex>) {
        to.clear();
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
    segments: Vec<jit::SegmentId>,
    words: Vec<u32>,
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

/// OpenGL's name of an assembly.
#[must_use]
pub fn primitive(assembly: Assembly) -> u32 {
    match assembly {
        Assembly::Points => glow::POINTS,
        Assembly::Lines => glow::LINES,
        Assembly::Triangles => glow::TRIANGLES,
    }
}

/// Vertices on the GPU.
#[derive(Clone, Copy, Debug)]
pub struct Buffer {
    /// The vertex array with its attributes.
    pub array: glow::VertexArray,
    /// The vertices.
    pub buffer: glow::Buffer,
    /// The indices, if it is drawn by some.
    pub indices: glow::Buffer,
    /// Bytes that there is room for: vertices, indices.
    pub room: [usize; 2],
    /// Corners to draw.
    pub count: i32,
    /// By indices.
    pub is_indexed: bool,
    /// The frame that used it last.
    pub used: u64,
}

/// Bytes that a vertex array and a buffer take besides the vertices: about what Mesa's do. Without it, many small
/// batches would be as good as free.
const OBJECT_BYTES: usize = 16 << 10;

impl Buffer {
    /// Bytes that it takes, about.
    fn cost(&self) -> usize {
        self.room.iter().fold(OBJECT_BYTES, |sum, room| sum.saturating_add(*room))
    }
}

/// The room that a buffer for so many bytes has: up to a fourth more, so that there are few sizes and another batch may have it
/// next.
#[must_use]
pub fn room_for(bytes: usize) -> usize {
    let grain = (bytes.checked_next_power_of_two().unwrap_or(bytes) / 8).max(4096);
    if bytes == 0 { 0 } else { bytes.checked_next_multiple_of(grain).unwrap_or(bytes) }
}

/// Buffers that no batch has: a driver fills new ones with zeros, page by page, which takes longer than the vertices do.
#[derive(Debug, Default)]
pub struct Spare {
    /// The oldest first.
    buffers: VecDeque<Buffer>,
    bytes: usize,
}

impl Spare {
    /// Takes one with this room.
    pub fn take(&mut self, room: [usize; 2]) -> Option<Buffer> {
        let at = self.buffers.iter().position(|buffer| buffer.room == room)?;
        let buffer = self.buffers.remove(at)?;
        self.bytes -= buffer.cost();
        Some(buffer)
    }

    /// Keeps buffers of at most `limit` bytes. What it gives up is to be deleted.
    #[must_use]
    pub fn keep(&mut self, buffers: Vec<Buffer>, limit: usize) -> Vec<Buffer> {
        self.bytes += buffers.iter().map(Buffer::cost).sum::<usize>();
        self.buffers.extend(buffers);
        let mut given_up = Vec::new();
        while self.bytes > limit {
            let Some(oldest) = self.buffers.pop_front() else { break };
            self.bytes -= oldest.cost();
            given_up.push(oldest);
        }
        given_up
    }
}

#[derive(Debug)]
struct Entry {
    buffer: Buffer,
    /// One of the batch's segments: without it, the batch can't come again.
    segment: Weak<Segment>,
}

/// Buffers by what is in them.
#[derive(Debug, Default)]
pub struct Cache {
    buffers: HashMap<Key, Entry>,
    bytes: usize,
}

impl Cache {
    /// The buffer of a key, now used in `frame`.
    pub fn get(&mut self, key: &Key, frame: u64) -> Option<Buffer> {
        let entry = self.buffers.get_mut(key)?;
        entry.buffer.used = frame;
        Some(entry.buffer)
    }

    /// Keeps a buffer, and gives up others if they take more than `limit` bytes: those not used for longest, down
    /// to half of it, so that the search for them is rare. `segment`: one of the batch's.
    #[must_use]
    pub fn insert(&mut self, key: Key, segment: Weak<Segment>, buffer: Buffer, limit: usize) -> Vec<Buffer> {
        let mut given_up = Vec::new();
        if self.bytes.saturating_add(buffer.cost()) > limit {
            let mut by_use: Vec<(u64, Key)> =
                self.buffers.iter().map(|(key, entry)| (entry.buffer.used, key.clone())).collect();
            by_use.sort_by_key(|&(used, _)| used);
            for (_, key) in by_use {
                if self.bytes <= limit / 2 {
                    break;
                }
                given_up.extend(self.remove(&key));
            }
        }
        // Only now: the buffer is about to be drawn from.
        given_up.extend(self.remove(&key));
        self.bytes += buffer.cost();
        self.buffers.insert(key, Entry { buffer, segment });
        given_up
    }

    fn remove(&mut self, key: &Key) -> Option<Buffer> {
        let Entry { buffer, .. } = self.buffers.remove(key)?;
        self.bytes -= buffer.cost();
        Some(buffer)
    }

    /// Gives up what no frame used since `frame`, and what can't come again.
    #[must_use]
    pub fn expire(&mut self, frame: u64) -> Vec<Buffer> {
        let is_over = |entry: &Entry| entry.buffer.used < frame || entry.segment.strong_count() == 0;
        let given_up: Vec<Buffer> =
            self.buffers.extract_if(|_, entry| is_over(entry)).map(|(_, entry)| entry.buffer).collect();
        self.bytes -= given_up.iter().map(Buffer::cost).sum::<usize>();
        given_up
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::num::NonZeroU32;

    fn segment() -> Arc<Segment> {
        Arc::new(Segment::from_vertices(QUADS, Vec::new(), [], jit::Given::default()))
    }

    fn key(number: u32) -> Key {
        Key { segments: vec![], words: vec![number] }
    }

    fn buffer(name: u32, used: u64) -> Buffer {
        let name = NonZeroU32::new(name).unwrap_or(NonZeroU32::MIN);
        let (array, buffer) = (glow::NativeVertexArray(name), glow::NativeBuffer(name));
        Buffer { array, buffer, indices: buffer, room: [1000, 0], count: 1, is_indexed: false, used }
    }

    #[test]
    fn what_is_not_used_goes_and_what_is_new_stays() {
        let limit = 8 * (OBJECT_BYTES + 1000);
        let segment = segment();
        let mut cache = Cache::default();
        for i in 1..=8 {
            assert!(cache.insert(key(i), Arc::downgrade(&segment), buffer(i, 1), limit).is_empty());
        }
        assert!(cache.get(&key(3), 2).is_some());
        // Used in the same frame as the others: nothing but being new speaks for it.
        let given_up = cache.insert(key(9), Arc::downgrade(&segment), buffer(9, 1), limit);
        assert_eq!(given_up.len(), 4);
        assert!(given_up.iter().all(|b| b.array != buffer(9, 1).array && b.array != buffer(3, 1).array));
        assert!(cache.get(&key(9), 2).is_some() && cache.get(&key(3), 2).is_some());
        assert_eq!(cache.buffers.len(), 5);
        assert_eq!(cache.expire(2).len(), 3);
        assert_eq!(cache.expire(u64::MAX).len(), 2);
        assert_eq!(cache.bytes, 0);
    }

    #[test]
    fn one_that_is_larger_than_all_room_is_kept_alone() {
        let mut cache = Cache::default();
        let _ = cache.insert(key(1), Weak::new(), buffer(1, 1), 100);
        assert_eq!(cache.insert(key(2), Weak::new(), buffer(2, 1), 100).len(), 1);
        assert_eq!(cache.insert(key(2), Weak::new(), buffer(3, 1), 100).len(), 1, "the one that had the key");
        assert_eq!(cache.buffers.len(), 1);
    }

    #[test]
    fn batches_whose_program_is_gone_make_room() {
        let segment = segment();
        let mut cache = Cache::default();
        let _ = cache.insert(key(1), Arc::downgrade(&segment), buffer(1, 5), 1 << 20);
        assert!(cache.expire(5).is_empty());
        drop(segment);
        assert_eq!(cache.expire(5).len(), 1);
    }

    #[test]
    fn spare_buffers_are_taken_by_their_room_and_the_oldest_go() {
        let mut spare = Spare::default();
        let cost = buffer(1, 0).cost();
        assert!(spare.keep((1..=3).map(|i| buffer(i, 0)).collect(), 3 * cost).is_empty());
        let old = spare.keep(vec![buffer(4, 0)], 3 * cost);
        assert_eq!(old.iter().map(|b| b.array).collect::<Vec<_>>(), [buffer(1, 0).array]);
        assert!(spare.take([2000, 0]).is_none());
        assert_eq!(spare.take([1000, 0]).map(|b| b.array), Some(buffer(2, 0).array));
        assert_eq!(spare.keep(Vec::new(), 0).len(), 2);
        assert_eq!(spare.bytes, 0);
    }

    #[test]
    fn room_is_at_most_a_fourth_more() {
        assert_eq!([0, 1, 4096, 4097].map(room_for), [0, 4096, 4096, 8192]);
        for bytes in [100_000, 397_120, 1 << 20, (1 << 20) + 1, usize::MAX] {
            let room = room_for(bytes);
            assert!(room >= bytes && room - bytes <= bytes / 4, "{bytes}: {room}");
        }
    }
}
