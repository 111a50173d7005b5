//! Vertex arrays and buffers.
//!
//! Arrays in the program's memory are read when the draw is recorded, as OpenGL reads them for a display list. Where all
//! arrays are in buffers, the draw is recorded as such, and the server reads the buffers when it draws.

use crate::display::{Display, Pending};
use crate::error::Mistake;
use crate::export::calls;
use crate::state::{State, bytes, read, write};
use crate::value::{Number, Value, single};
use blink_client::ObjectId;
use blinkgl::gl::Array;
use blinkgl::limits::MAX_ARRAY_ELEMENTS;
use blinkgl::ops::Op;
use std::collections::BTreeMap;
use std::ffi::c_void;

/// `GL_ARRAY_BUFFER`.
const ARRAY_BUFFER: u32 = 0x8892;
/// `GL_ELEMENT_ARRAY_BUFFER`.
const ELEMENT_ARRAY_BUFFER: u32 = 0x8893;
/// The array whose elements make vertices: the first of [`ORDER`].
const VERTEX: usize = 0;

/// The arrays, in the order of the op table's set.
const ORDER: [Array; 5] = [Array::Vertex, Array::Normal, Array::Color, Array::TexCoord0, Array::TexCoord1];

/// What `gl*Pointer` said.
#[derive(Clone, Copy, Debug)]
struct Pointer {
    enabled: bool,
    size: u32,
    kind: u32,
    stride: u32,
    /// The buffer's name; 0: in the program's memory.
    buffer: u32,
    /// The address, or the offset in the buffer.
    at: usize,
}

/// A buffer object.
#[derive(Debug, Default)]
struct Buffer {
    data: Vec<u8>,
    /// Its object at the server where vertices are read from it.
    vertices: Option<ObjectId>,
    /// The same for indices.
    indices: Option<ObjectId>,
    changed: bool,
}

/// Vertex arrays and buffers of the program.
#[derive(Debug)]
pub struct Arrays {
    pointers: [Pointer; ORDER.len()],
    /// The unit of `glClientActiveTexture`.
    unit: usize,
    buffers: BTreeMap<u32, Buffer>,
    last: u32,
    /// Bound to `GL_ARRAY_BUFFER`.
    pub array_buffer: u32,
    /// Bound to `GL_ELEMENT_ARRAY_BUFFER`.
    pub element_buffer: u32,
}

impl Default for Arrays {
    fn default() -> Arrays {
        let pointer = Pointer { enabled: false, size: 4, kind: 0x1406, stride: 0, buffer: 0, at: 0 };
        Arrays {
            pointers: [pointer; ORDER.len()],
            unit: 0,
            buffers: BTreeMap::new(),
            last: 0,
            array_buffer: 0,
            element_buffer: 0,
        }
    }
}

/// Bytes of a component.
fn component(kind: u32) -> Option<usize> {
    match kind {
        0x1400 | 0x1401 => Some(1),
        0x1402 | 0x1403 => Some(2),
        0x1404..=0x1406 => Some(4),
        0x140a => Some(8),
        _ => None,
    }
}

/// A component as a number: a fraction for colors and normals.
fn number(kind: u32, b: &[u8], fraction: bool) -> f32 {
    fn of<T: Number>(value: T, fraction: bool) -> f32 {
        if fraction { value.fraction() } else { value.number() }
    }
    let two = || [b[0], b[1]];
    let four = || [b[0], b[1], b[2], b[3]];
    match kind {
        0x1400 => of(i8::from_ne_bytes([b[0]]), fraction),
        0x1401 => of(b[0], fraction),
        0x1402 => of(i16::from_ne_bytes(two()), fraction),
        0x1403 => of(u16::from_ne_bytes(two()), fraction),
        0x1404 => of(i32::from_ne_bytes(four()), fraction),
        0x1405 => of(u32::from_ne_bytes(four()), fraction),
        0x1406 => f32::from_ne_bytes(four()),
        _ => single(f64::from_ne_bytes([b[0], b[1], b[2], b[3], b[4], b[5], b[6], b[7]])),
    }
}

impl Pointer {
    /// Bytes of an element.
    fn bytes(&self) -> usize {
        usize::try_from(self.size).unwrap_or(0) * component(self.kind).unwrap_or(0)
    }

    fn step(&self) -> usize {
        if self.stride == 0 { self.bytes() } else { usize::try_from(self.stride).unwrap_or(0) }
    }
}

impl Arrays {
    /// Has the commit that is to come what changed.
    pub fn hand_over(&mut self, display: &mut Display) {
        for buffer in self.buffers.values_mut().filter(|b| b.changed && !b.data.is_empty()) {
            if let Some(oid) = buffer.vertices {
                display.pending.insert(oid, Pending::Vertices(buffer.data.clone()));
            }
            if let Some(oid) = buffer.indices {
                display.pending.insert(oid, Pending::Indices(buffer.data.clone()));
            }
            buffer.changed = false;
        }
    }

    fn slot(&self, array: u32) -> Result<usize, Mistake> {
        match array {
            0x8074 => Ok(0),
            0x8075 => Ok(1),
            0x8076 => Ok(2),
            0x8078 => Ok(3 + self.unit),
            other => Err(Mistake::name("array", other)),
        }
    }

    fn set(
        &mut self,
        array: u32,
        size: i32,
        kind: u32,
        stride: i32,
        at: *const c_void,
    ) -> Result<(), Mistake> {
        let (sizes, kinds): (&[i32], &[u32]) = match array {
            0x8074 => (&[2, 3, 4], &[0x1402, 0x1404, 0x1406, 0x140a]),
            0x8075 => (&[3], &[0x1400, 0x1402, 0x1404, 0x1406, 0x140a]),
            0x8076 => (&[3, 4], &[0x1400, 0x1401, 0x1402, 0x1403, 0x1404, 0x1405, 0x1406, 0x140a]),
            _ => (&[1, 2, 3, 4], &[0x1402, 0x1404, 0x1406, 0x140a]),
        };
        let size = u32::try_from(size).ok().filter(|_| sizes.contains(&size));
        let size = size.ok_or_else(|| Mistake::value("not as many components as this array has"))?;
        let stride = u32::try_from(stride).map_err(|_| Mistake::value(format!("a stride of {stride}")))?;
        if !kinds.contains(&kind) {
            return Err(Mistake::name("type of this array", kind));
        }
        let slot = self.slot(array)?;
        let pointer = &mut self.pointers[slot];
        *pointer =
            Pointer { size, kind, stride, buffer: self.array_buffer, at: at.expose_provenance(), ..*pointer };
        Ok(())
    }

    /// The bytes of an element.
    fn element(&self, pointer: &Pointer, index: u32) -> Result<[u8; 32], Mistake> {
        let (count, index) = (pointer.bytes(), usize::try_from(index).unwrap_or(usize::MAX));
        let at = pointer.at.wrapping_add(index.wrapping_mul(pointer.step()));
        let source = if pointer.buffer == 0 {
            bytes("a vertex array", std::ptr::with_exposed_provenance(at), count)?
        } else {
            let data = self.buffers.get(&pointer.buffer).map_or(&[][..], |buffer| &buffer.data);
            let end = at.saturating_add(count);
            data.get(at..end)
                .ok_or_else(|| Mistake::operation(format!("element {index} is beyond its buffer")))?
        };
        let mut all = [0; 32];
        all[..source.len()].copy_from_slice(source);
        Ok(all)
    }

    fn bound(&mut self, target: u32) -> Result<&mut Buffer, Mistake> {
        let name = match target {
            ARRAY_BUFFER => self.array_buffer,
            ELEMENT_ARRAY_BUFFER => self.element_buffer,
            other => return Err(Mistake::name("buffer target", other)),
        };
        self.buffers.get_mut(&name).ok_or_else(|| Mistake::operation("no buffer is bound"))
    }
}

impl State {
    /// Records an element of all arrays that are enabled.
    fn array_element(&mut self, index: u32) -> Result<(), Mistake> {
        let pointers = self.arrays.pointers;
        // The vertex comes last: it takes the others.
        for (slot, pointer) in pointers.iter().enumerate().rev().filter(|(_, p)| p.enabled) {
            let raw = self.arrays.element(pointer, index)?;
            let size = component(pointer.kind).unwrap_or(1);
            let fraction = matches!(ORDER[slot], Array::Normal | Array::Color);
            let mut values = [0.0, 0.0, 0.0, 1.0];
            let count = usize::try_from(pointer.size).unwrap_or(0);
            for (to, from) in values.iter_mut().zip(raw.chunks_exact(size)).take(count) {
                *to = number(pointer.kind, from, fraction);
            }
            let v = values.map(Value::from);
            match ORDER[slot] {
                Array::Vertex => {
                    let op = [Op::Vertex2, Op::Vertex3, Op::Vertex4][count - 2];
                    self.put(op, &v[..count])?;
                }
                Array::Normal => self.put(Op::Normal3, &v[..3])?,
                Array::Color => self.put(Op::Color4, &v)?,
                Array::TexCoord0 => self.put(Op::TexCoord4, &v)?,
                Array::TexCoord1 => {
                    let unit = Value::from(blinkgl::gl::TextureUnit::Texture1.value());
                    self.put(Op::MultiTexCoord4, &[unit, v[0], v[1], v[2], v[3]])?;
                }
            }
        }
        Ok(())
    }

    /// Records the elements one by one.
    fn array_elements(&mut self, mode: u32, indices: impl Iterator<Item = u32>) -> Result<(), Mistake> {
        if !self.arrays.pointers[VERTEX].enabled {
            // OpenGL draws nothing then.
            return Ok(());
        }
        self.put(Op::Begin, &[mode.into()])?;
        for index in indices {
            if let Err(mistake) = self.array_element(index) {
                self.put(Op::End, &[])?;
                return Err(mistake);
            }
        }
        self.put(Op::End, &[])
    }

    /// Are all enabled arrays in buffers, so that the server can read them? In a list they are read now.
    fn server_reads_arrays(&mut self) -> Result<bool, Mistake> {
        let in_buffers = self.arrays.pointers.iter().filter(|p| p.enabled).all(|p| p.buffer != 0);
        Ok(in_buffers && self.arrays.pointers[VERTEX].enabled && self.recording()?.list.is_none())
    }

    /// Makes the program's arrays those of the C program.
    fn put_pointers(&mut self) -> Result<(), Mistake> {
        for (slot, array) in ORDER.into_iter().enumerate() {
            let pointer = self.arrays.pointers[slot];
            let wanted = if pointer.enabled {
                let oid = self.buffer_oid(pointer.buffer, |buffer| &mut buffer.vertices)?;
                let offset = u32::try_from(pointer.at).unwrap_or(u32::MAX);
                [pointer.size, pointer.kind, pointer.stride, oid, offset]
            } else {
                [0; 5]
            };
            let known = self.recording()?.arrays[slot];
            if known == Some(wanted) {
                continue;
            }
            let array = Value::from(array.value());
            if pointer.enabled {
                let [size, kind, stride, oid, offset] = wanted.map(Value::from);
                self.put(Op::ArrayPointer, &[array, size, kind, stride, oid, offset])?;
            }
            self.put(Op::EnableArray, &[array, u32::from(pointer.enabled).into()])?;
            self.recording()?.arrays[slot] = Some(wanted);
        }
        Ok(())
    }

    /// The server's name for a buffer's vertices or indices.
    fn buffer_oid(
        &mut self,
        name: u32,
        which: impl Fn(&mut Buffer) -> &mut Option<ObjectId>,
    ) -> Result<u32, Mistake> {
        let missing = || Mistake::operation("the array's buffer was deleted");
        if let Some(oid) = *which(self.arrays.buffers.get_mut(&name).ok_or_else(missing)?) {
            return Ok(oid.number());
        }
        let oid = self.display()?.context.reserve()?;
        let buffer = self.arrays.buffers.get_mut(&name).ok_or_else(missing)?;
        *which(buffer) = Some(oid);
        buffer.changed = true;
        Ok(oid.number())
    }

    fn draw_elements(&mut self, mode: u32, count: i32, kind: u32, at: *const c_void) -> Result<(), Mistake> {
        let size = match kind {
            0x1401 | 0x1403 | 0x1405 => component(kind).unwrap_or(1),
            other => return Err(Mistake::name("type of indices", other)),
        };
        let wanted = count_of(count)?;
        let element_buffer = self.arrays.element_buffer;
        if element_buffer != 0 && self.server_reads_arrays()? {
            self.put_pointers()?;
            let oid = self.buffer_oid(element_buffer, |buffer| &mut buffer.indices)?;
            let offset = u32::try_from(at.addr()).unwrap_or(u32::MAX);
            return self.put(Op::DrawElements, &[mode, wanted, kind, oid, offset].map(Value::from));
        }
        let length = usize::try_from(wanted).unwrap_or(0) * size;
        let raw = if element_buffer == 0 {
            bytes("the array of indices", at.cast(), length)?.to_vec()
        } else {
            let data = self.arrays.buffers.get(&element_buffer).map_or(&[][..], |buffer| &buffer.data);
            let end = at.addr().saturating_add(length);
            let inside = data.get(at.addr()..end);
            inside.ok_or_else(|| Mistake::operation("indices beyond their buffer"))?.to_vec()
        };
        self.array_elements(
            mode,
            raw.chunks_exact(size).map(|b| match *b {
                [a] => a.into(),
                [a, b] => u16::from_ne_bytes([a, b]).into(),
                _ => u32::from_ne_bytes([b[0], b[1], b[2], b[3]]),
            }),
        )
    }
}

fn count_of(count: i32) -> Result<u32, Mistake> {
    u32::try_from(count)
        .ok()
        .filter(|count| *count <= MAX_ARRAY_ELEMENTS)
        .ok_or_else(|| Mistake::value(format!("{count} elements: a draw has at most {MAX_ARRAY_ELEMENTS}")))
}

calls! {
    fn glVertexPointer(s, size: i32, kind: u32, stride: i32, at: *const c_void) {
        s.arrays.set(0x8074, size, kind, stride, at)
    }
    fn glNormalPointer(s, kind: u32, stride: i32, at: *const c_void) {
        s.arrays.set(0x8075, 3, kind, stride, at)
    }
    fn glColorPointer(s, size: i32, kind: u32, stride: i32, at: *const c_void) {
        s.arrays.set(0x8076, size, kind, stride, at)
    }
    fn glTexCoordPointer(s, size: i32, kind: u32, stride: i32, at: *const c_void) {
        s.arrays.set(0x8078, size, kind, stride, at)
    }
    fn glEnableClientState(s, array: u32) {
        let slot = s.arrays.slot(array)?;
        s.arrays.pointers[slot].enabled = true;
        Ok(())
    }
    fn glDisableClientState(s, array: u32) {
        let slot = s.arrays.slot(array)?;
        s.arrays.pointers[slot].enabled = false;
        Ok(())
    }
    fn glClientActiveTexture(s, unit: u32) {
        s.arrays.unit = match unit {
            0x84c0 => 0,
            0x84c1 => 1,
            other => return Err(Mistake::name("texture unit", other)),
        };
        Ok(())
    }
    fn glArrayElement(s, index: i32) {
        let index = u32::try_from(index).map_err(|_| Mistake::value(format!("element {index}")))?;
        s.array_element(index)
    }
    fn glDrawArrays(s, mode: u32, first: i32, count: i32) {
        let count = count_of(count)?;
        let first = u32::try_from(first).map_err(|_| Mistake::value(format!("element {first}")))?;
        if s.server_reads_arrays()? {
            s.put_pointers()?;
            return s.put(Op::DrawArrays, &[mode, first, count].map(Value::from));
        }
        s.array_elements(mode, first..first.saturating_add(count))
    }
    fn glDrawElements(s, mode: u32, count: i32, kind: u32, at: *const c_void) {
        s.draw_elements(mode, count, kind, at)
    }
    fn glDrawRangeElements(s, mode: u32, start: u32, end: u32, count: i32, kind: u32, at: *const c_void) {
        if end < start {
            return Err(Mistake::value(format!("elements {start} to {end}")));
        }
        s.draw_elements(mode, count, kind, at)
    }
    fn glGenBuffers(s, count: i32, names: *mut u32) {
        let mut made = Vec::new();
        for _ in 0..u32::try_from(count).map_err(|_| Mistake::value(format!("{count} buffers")))? {
            s.arrays.last = s.arrays.last.wrapping_add(1).max(1);
            made.push(s.arrays.last);
        }
        write("the array of names", names, &made)?;
        s.arrays.buffers.extend(made.into_iter().map(|name| (name, Buffer::default())));
        Ok(())
    }
    fn glDeleteBuffers(s, count: i32, names: *const u32) {
        for i in 0..usize::try_from(count).map_err(|_| Mistake::value(format!("{count} buffers")))? {
            let [name] = read("the array of names", names.wrapping_add(i))?;
            let Some(buffer) = s.arrays.buffers.remove(&name) else { continue };
            for oid in [buffer.vertices, buffer.indices].into_iter().flatten() {
                s.display()?.pending.insert(oid, Pending::Remove);
            }
            let Arrays { array_buffer, element_buffer, .. } = &mut s.arrays;
            for bound in [array_buffer, element_buffer] {
                if *bound == name {
                    *bound = 0;
                }
            }
        }
        Ok(())
    }
    fn glIsBuffer(s, name: u32) -> u8 {
        Ok(u8::from(s.arrays.buffers.contains_key(&name)))
    }
    fn glBindBuffer(s, target: u32, name: u32) {
        match target {
            ARRAY_BUFFER => s.arrays.array_buffer = name,
            ELEMENT_ARRAY_BUFFER => s.arrays.element_buffer = name,
            other => return Err(Mistake::name("buffer target", other)),
        }
        if name != 0 {
            s.arrays.buffers.entry(name).or_default();
        }
        Ok(())
    }
    fn glBufferData(s, target: u32, size: isize, data: *const c_void, usage: u32) {
        if !(0x88e0..=0x88ea).contains(&usage) || usage & 3 == 3 {
            return Err(Mistake::name("buffer usage", usage));
        }
        let size = usize::try_from(size).map_err(|_| Mistake::value(format!("{size} bytes")))?;
        let buffer = s.arrays.bound(target)?;
        buffer.data = if data.is_null() { vec![0; size] } else { bytes("the data", data.cast(), size)?.to_vec() };
        buffer.changed = true;
        Ok(())
    }
    fn glBufferSubData(s, target: u32, offset: isize, size: isize, data: *const c_void) {
        let (Ok(start), Ok(size)) = (usize::try_from(offset), usize::try_from(size)) else {
            return Err(Mistake::value(format!("{size} bytes at {offset}")));
        };
        let source = bytes("the data", data.cast(), size)?;
        let buffer = s.arrays.bound(target)?;
        let end = start.saturating_add(size);
        let part = buffer.data.get_mut(start..end).ok_or_else(|| Mistake::value("not inside the buffer"))?;
        part.copy_from_slice(source);
        buffer.changed = true;
        Ok(())
    }
}
