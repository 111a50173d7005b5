//! Vertex arrays: what the array pointers say, and reading vertices from the buffers that they point into.
//!
//! A buffer is a private copy of the client's bytes. What a pointer reaches outside of it reads as 0, as in OpenGL
//! with robust buffer access.

use blinkgl::limits::MAX_TEXTURE_UNITS;
use ipc::limits::MAX_ARRAY_BYTES;
use jit::{Segment, Vertex};
use std::collections::HashMap;
use std::sync::Arc;

/// Positions, normals, colors, and texture coordinates of each unit.
pub const ARRAYS: usize = 3 + MAX_TEXTURE_UNITS;

/// Positions.
pub const POSITION: usize = 0;
/// Normals.
pub const NORMAL: usize = 1;
/// Colors.
pub const COLOR: usize = 2;
/// Texture coordinates of unit 0; those of unit 1 follow.
pub const TEX_COORD: usize = 3;

/// The index of an array by its enumerant: dense, but for GL_INDEX_ARRAY.
#[must_use]
pub fn index(array: u32) -> Option<usize> {
    match array {
        0x8074 => Some(POSITION),
        0x8075 => Some(NORMAL),
        0x8076 => Some(COLOR),
        0x8078 => Some(TEX_COORD),
        0x8079 => Some(TEX_COORD + 1),
        _ => None,
    }
}

/// A vertex array.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ArrayPointer {
    /// glEnableClientState.
    pub on: bool,
    /// Components.
    pub size: u32,
    /// GL_FLOAT and so on.
    pub data: u32,
    /// Bytes from one element to the next; 0: packed.
    pub stride: u32,
    /// OID of the buffer.
    pub buffer: u32,
    /// Bytes to the first element.
    pub offset: u32,
}

impl ArrayPointer {
    /// OpenGL's initial state.
    #[must_use]
    pub fn new(index: usize) -> ArrayPointer {
        let size = if index == NORMAL { 3 } else { 4 };
        ArrayPointer { on: false, size, data: 0x1406, stride: 0, buffer: 0, offset: 0 }
    }
}

/// Bytes of a component.
fn component_bytes(data: u32) -> usize {
    match data {
        0x1400 | 0x1401 => 1,
        0x1402 | 0x1403 => 2,
        0x140a => 8,
        _ => 4,
    }
}

/// A component as a number; integers of a `normalized` array stand for -1 to 1, or 0 to 1 without sign.
#[allow(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    reason = "rounding to f32 is what OpenGL does"
)]
fn component(data: u32, bytes: &[u8], normalized: bool) -> f32 {
    let first = |n: usize| bytes.get(..n).unwrap_or_default();
    let b2 = || first(2).try_into().unwrap_or([0; 2]);
    let b4 = || first(4).try_into().unwrap_or([0; 4]);
    let signed = |value: f64, max: i32| {
        if normalized { (value / f64::from(max)).max(-1.0) as f32 } else { value as f32 }
    };
    let unsigned = |value: f64, max: u32| {
        if normalized { (value / f64::from(max)) as f32 } else { value as f32 }
    };
    let b1 = || bytes.first().copied().unwrap_or_default();
    match data {
        0x1400 => signed(f64::from(b1().cast_signed()), i32::from(i8::MAX)),
        0x1401 => unsigned(f64::from(b1()), u32::from(u8::MAX)),
        0x1402 => signed(f64::from(i16::from_le_bytes(b2())), i32::from(i16::MAX)),
        0x1403 => unsigned(f64::from(u16::from_le_bytes(b2())), u32::from(u16::MAX)),
        0x1404 => signed(f64::from(i32::from_le_bytes(b4())), i32::MAX),
        0x1405 => unsigned(f64::from(u32::from_le_bytes(b4())), u32::MAX),
        0x140a => f64::from_le_bytes(first(8).try_into().unwrap_or([0; 8])) as f32,
        _ => f32::from_le_bytes(b4()),
    }
}

/// An array with the bytes that it points into.
#[derive(Clone, Copy, Debug)]
pub struct Source<'a> {
    /// Which of the arrays.
    pub index: usize,
    /// What its pointer says.
    pub pointer: ArrayPointer,
    /// All of the buffer.
    pub bytes: &'a [u8],
}

impl Source<'_> {
    /// Element `element`; components that the array has not are 0, the fourth 1.
    fn get(&self, element: u32) -> [f32; 4] {
        let ArrayPointer { size, data, stride, offset, .. } = self.pointer;
        let component_bytes = component_bytes(data);
        let size = usize::try_from(size).unwrap_or(usize::MAX).min(4);
        let wide = |v: u32| u64::from(v);
        let stride = if stride == 0 { (size * component_bytes) as u64 } else { wide(stride) };
        // Below 2^65: no overflow of u64 would need elements or strides above 32 bits.
        let start = wide(offset).saturating_add(stride.saturating_mul(wide(element)));
        let element = usize::try_from(start)
            .ok()
            .and_then(|start| self.bytes.get(start..start.checked_add(size * component_bytes)?));
        let mut value = [0.0, 0.0, 0.0, 1.0];
        let normalized = matches!(self.index, NORMAL | COLOR);
        for (i, to) in value.iter_mut().take(size).enumerate() {
            *to = element
                .and_then(|bytes| bytes.get(i * component_bytes..))
                .map_or(0.0, |bytes| component(data, bytes, normalized));
        }
        value
    }
}

/// The vertices that the arrays have for these elements, in their order.
pub fn gather(sources: &[Source<'_>], elements: impl Iterator<Item = u32>) -> Vec<Vertex> {
    elements
        .map(|element| {
            let mut vertex = Vertex::default();
            for source in sources {
                let value = source.get(element);
                match source.index {
                    POSITION => vertex.position = value,
                    NORMAL => {
                        let [x, y, z, _] = value;
                        vertex.normal = [x, y, z];
                    }
                    COLOR => vertex.color = value,
                    TEX_COORD => vertex.tex_coord = value,
                    _ => vertex.tex_coord1 = value,
                }
            }
            vertex
        })
        .collect()
}

/// Index `n` of an index buffer; outside of it 0.
#[must_use]
pub fn element(bytes: &[u8], data: u32, offset: u32, n: u32) -> u32 {
    let size = component_bytes(data);
    let start = usize::try_from(u64::from(offset) + u64::from(n) * size as u64).unwrap_or(usize::MAX);
    let mut word = [0; 4];
    let found = start.checked_add(size).and_then(|end| bytes.get(start..end));
    for (to, from) in word.iter_mut().zip(found.unwrap_or_default()) {
        *to = *from;
    }
    u32::from_le_bytes(word)
}

/// What decides the vertices of a draw from arrays.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Key {
    /// The primitive.
    pub mode: u32,
    /// Elements.
    pub count: u32,
    /// Which they are.
    pub elements: Elements,
    /// The arrays that are on: which, its pointer, and its buffer's contents by their identity.
    pub arrays: Vec<(usize, ArrayPointer, u64)>,
}

/// The elements of a draw.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Elements {
    /// From this one on.
    First(u32),
    /// By an index buffer: its contents' identity, the type, bytes to the first.
    Indices(u64, u32, u32),
}

/// A segment that is kept.
#[derive(Debug)]
struct Kept {
    segment: Arc<Segment>,
    /// The client whose arrays it was made from.
    client: u32,
    /// The frame that used it last.
    used: u64,
}

impl Kept {
    /// Bytes that it takes with its key.
    fn bytes(&self) -> usize {
        self.segment.bytes() + KEY_BYTES
    }
}

/// Bytes of a key and its place in the table, at most.
const KEY_BYTES: usize = size_of::<(Key, Kept)>() + ARRAYS * size_of::<(usize, ArrayPointer, u64)>();

/// What draws from arrays made, so that it need not be made again while frames repeat.
#[derive(Debug, Default)]
pub struct Segments {
    /// By what decides them.
    segments: HashMap<Key, Kept>,
    bytes: usize,
}

impl Segments {
    /// The segment of a client's key, made now if it is not there.
    pub fn get(&mut self, key: Key, client: u32, frame: u64, make: impl FnOnce() -> Segment) -> Arc<Segment> {
        if let Some(kept) = self.segments.get_mut(&key) {
            kept.used = frame;
            return Arc::clone(&kept.segment);
        }
        let segment = Arc::new(make());
        let kept = Kept { segment: Arc::clone(&segment), client, used: frame };
        let bytes = kept.bytes();
        // Who has most loses, so that nobody pays for what others draw.
        while self.bytes > 0 && self.bytes.saturating_add(bytes) > MAX_ARRAY_BYTES {
            self.give_up_largest(client, bytes);
        }
        self.bytes = self.bytes.saturating_add(bytes);
        self.segments.insert(key, kept);
        segment
    }

    /// Gives up all that one client has: the one with most, if `client` had `more`.
    fn give_up_largest(&mut self, client: u32, more: usize) {
        let mut by_client: HashMap<u32, usize> = HashMap::new();
        for kept in self.segments.values() {
            *by_client.entry(kept.client).or_default() += kept.bytes();
        }
        if let Some(bytes) = by_client.get_mut(&client) {
            *bytes += more;
        }
        let largest = by_client.into_iter().max_by_key(|&(_, bytes)| bytes).map(|(client, _)| client);
        self.segments.retain(|_, kept| Some(kept.client) != largest);
        self.count();
    }

    /// Gives up what no frame used since `frame`.
    pub fn expire(&mut self, frame: u64) {
        self.segments.retain(|_, kept| kept.used >= frame);
        self.count();
    }

    fn count(&mut self) {
        self.bytes = self.segments.values().map(Kept::bytes).sum();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn source(index: usize, bytes: &[u8], pointer: ArrayPointer) -> Source<'_> {
        Source { index, pointer, bytes }
    }

    #[test]
    fn elements_are_read_by_type_stride_and_offset() {
        let floats: Vec<u8> =
            [9.0f32, 1.0, 2.0, 9.0, 3.0, 4.0].iter().flat_map(|v| v.to_le_bytes()).collect();
        let pointer = ArrayPointer { size: 2, stride: 12, offset: 4, ..ArrayPointer::new(POSITION) };
        let positions = source(POSITION, &floats, pointer);
        assert_eq!(positions.get(1), [3.0, 4.0, 0.0, 1.0]);
        let colors = ArrayPointer { size: 3, data: 0x1401, ..ArrayPointer::new(COLOR) };
        let vertices =
            gather(&[positions, source(COLOR, &[0, 0, 0, 255, 0, 51], colors)], [1, 0, 2].into_iter());
        assert_eq!(vertices[0].color, [1.0, 0.0, 0.2, 1.0]);
        assert_eq!(vertices[1].position, [1.0, 2.0, 0.0, 1.0]);
        // The third is not there.
        assert_eq!((vertices[2].position, vertices[2].color), ([0.0, 0.0, 0.0, 1.0], [0.0, 0.0, 0.0, 1.0]));
    }

    #[test]
    fn integers_are_numbers_or_fractions() {
        let bytes = [0x80, 0xff, 0x7f, 0x00];
        for (data, normalized, expected) in [
            (0x1400, true, -1.0),
            (0x1400, false, -128.0),
            (0x1401, true, 128.0 / 255.0),
            (0x1402, false, -128.0),
            (0x1403, true, 65408.0 / 65535.0),
            (0x1404, false, 8_388_480.0),
        ] {
            assert_eq!(component(data, &bytes, normalized), expected, "{data:#x} {normalized}");
        }
        assert_eq!(component(0x140a, &2.5f64.to_le_bytes(), false), 2.5);
    }

    #[test]
    fn segments_are_kept_while_they_are_used_and_fit() {
        let key = |first| Key { mode: 0, count: 1, elements: Elements::First(first), arrays: vec![] };
        let large = || {
            let vertices = vec![Vertex::default(); MAX_ARRAY_BYTES / size_of::<Vertex>() / 3 - 1000];
            Segment::from_vertices(0, vertices, [], jit::Given::default())
        };
        let mut segments = Segments::default();
        let first = segments.get(key(0), 1, 1, large);
        assert!(Arc::ptr_eq(&first, &segments.get(key(0), 1, 2, || unreachable!("it is there"))));
        for other in 1..10 {
            segments.get(key(other), 2, 2, large);
            assert!(segments.bytes <= MAX_ARRAY_BYTES);
        }
        segments.get(key(0), 1, 2, || unreachable!("a client with more takes nothing from others"));
        segments.expire(3);
        assert_eq!((segments.segments.len(), segments.bytes), (0, 0));
    }

    #[test]
    fn nothing_outside_is_read() {
        for (stride, offset, at) in
            [(u32::MAX, u32::MAX, u32::MAX), (0, u32::MAX, 0), (1, 0, u32::MAX), (0, 13, 0), (0, 0, 1)]
        {
            let pointer = ArrayPointer { stride, offset, ..ArrayPointer::new(POSITION) };
            assert_eq!(source(POSITION, &[1; 16], pointer).get(at), [0.0; 4]);
        }
        assert_eq!(element(&[1, 2, 3], 0x1403, 0, 0), 0x0201);
        assert_eq!(element(&[1, 2, 3], 0x1403, 0, 1), 0);
        assert_eq!(element(&[1, 2, 3], 0x1405, u32::MAX, u32::MAX), 0);
    }
}
