//! Batches: what one draw call draws, and the vertex buffers that outlive a frame.
//!
//! A batch of static segments that comes again (the same segments, the same records' numbers, the same
//! inherited attributes) finds its vertices on the GPU. Only its records are uploaded.

use super::state::WindowState;
use jit::{Assembly, Segment, Vertex};
use std::collections::HashMap;
use std::sync::Arc;

/// A segment in a batch.
#[derive(Debug)]
pub struct Piece {
    /// The segment.
    pub segment: Arc<Segment>,
    /// Its vertices, where they come from registers.
    pub dynamic: Option<Vec<Vertex>>,
    /// The batch's record for each of the segment's.
    pub records: Vec<u32>,
    /// Attributes at the segment's beginning, for the vertices that inherit them.
    pub color: [f32; 4],
    /// As `color`.
    pub tex_coord: [f32; 4],
    /// As `color`.
    pub normal: [f32; 3],
}

impl Piece {
    /// A segment as the state finds it; records follow.
    #[must_use]
    pub fn new(segment: &Arc<Segment>, dynamic: Option<&[Vertex]>, state: &WindowState) -> Piece {
        Piece {
            segment: Arc::clone(segment),
            dynamic: dynamic.map(<[Vertex]>::to_vec),
            records: Vec::with_capacity(segment.records.len()),
            color: state.color,
            tex_coord: state.tex_coord,
            normal: state.normal,
        }
    }

    /// Appends what identifies the piece's vertices to a key.
    fn identify(&self, key: &mut Key) {
        let inherited = self.segment.inherited;
        key.segments.push(self.segment.id);
        key.words.push(u32::try_from(self.records.len()).unwrap_or(u32::MAX));
        key.words.extend(&self.records);
        let mut attribute = |count: u32, values: &[f32]| {
            if count > 0 {
                key.words.extend(values.iter().map(|v| v.to_bits()));
            }
        };
        attribute(inherited.color, &self.color);
        attribute(inherited.tex_coord, &self.tex_coord);
        attribute(inherited.normal, &self.normal);
    }

    /// Appends the vertices in drawing order.
    pub fn assemble(&self, to: &mut Vec<Vertex>) {
        let inherited = self.segment.inherited;
        let vertices = self.dynamic.as_deref().unwrap_or(&self.segment.vertices);
        to.reserve(self.segment.indices.len());
        for &index in &self.segment.indices {
            let at = usize::try_from(index).unwrap_or(usize::MAX);
            let Some(mut vertex) = vertices.get(at).copied() else { continue };
            if index < inherited.color {
                vertex.color = self.color;
            }
            if index < inherited.tex_coord {
                vertex.tex_coord = self.tex_coord;
            }
            if index < inherited.normal {
                vertex.normal = self.normal;
            }
            let local = usize::try_from(vertex.record).unwrap_or(usize::MAX);
            vertex.record = self.records.get(local).copied().unwrap_or(0);
            to.push(vertex);
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
    /// Bytes.
    pub bytes: usize,
    /// Vertices to draw.
    pub count: i32,
    /// The frame that used it last.
    pub used: u64,
}

/// Buffers by what is in them.
#[derive(Debug, Default)]
pub struct Cache {
    buffers: HashMap<Key, Buffer>,
    bytes: usize,
}

impl Cache {
    /// The buffer of a key, now used in `frame`.
    pub fn get(&mut self, key: &Key, frame: u64) -> Option<Buffer> {
        let buffer = self.buffers.get_mut(key)?;
        buffer.used = frame;
        Some(*buffer)
    }

    /// Keeps a buffer. What was given up for it is to be deleted.
    #[must_use]
    pub fn insert(&mut self, key: Key, buffer: Buffer, limit: usize) -> Vec<Buffer> {
        self.bytes += buffer.bytes;
        let mut given_up: Vec<Buffer> = self.buffers.insert(key, buffer).into_iter().collect();
        while self.bytes - given_up.iter().map(|b| b.bytes).sum::<usize>() > limit && self.buffers.len() > 1 {
            let oldest = self.buffers.iter().min_by_key(|(_, b)| b.used).map(|(key, _)| key.clone());
            let Some(old) = oldest.and_then(|key| self.buffers.remove(&key)) else { break };
            given_up.push(old);
        }
        self.bytes -= given_up.iter().map(|b| b.bytes).sum::<usize>();
        given_up
    }

    /// Gives up what no frame used since `frame`.
    #[must_use]
    pub fn expire(&mut self, frame: u64) -> Vec<Buffer> {
        let given_up: Vec<Buffer> =
            self.buffers.extract_if(|_, buffer| buffer.used < frame).map(|(_, buffer)| buffer).collect();
        self.bytes -= given_up.iter().map(|b| b.bytes).sum::<usize>();
        given_up
    }
}
