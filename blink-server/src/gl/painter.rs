//! Receives a running program's commands and segments, and makes as few draws of them as it can.

use super::arrays::{self, ARRAYS, COLOR, Elements, Key, NORMAL, POSITION, Source, TEX_COORD};
use super::batch::{Contents, INTERIOR, MAX_BATCH_VERTICES, Piece, SMOOTH};
use super::record::Record;
use super::resource::ResourceScope;
use super::state::{Hard, WindowState};
use super::tracker::{Drawing, Framebuffer, Tracker};
use crate::geometry::Rect;
use blinkgl::Op;
use blinkgl::limits::{MAX_ARRAY_ELEMENTS, MAX_DRAWS};
use blinkgl::ops::Class;
use jit::{Assembly, Dynamic, Given, Gl, Segment, Vertex};
use std::sync::Arc;

/// Where a program may draw.
#[derive(Clone, Copy, Debug)]
pub struct Target<'a> {
    /// Into this.
    pub framebuffer: &'a Framebuffer,
    /// The window's content: origin and size of the program's coordinates.
    pub window: Rect,
    /// The part that may change.
    pub clip: Rect,
}

/// A program's brush.
#[derive(Debug)]
pub struct Painter<'a> {
    tracker: &'a mut Tracker,
    target: Target<'a>,
    state: &'a mut WindowState,
    resources: ResourceScope<'a>,
    pieces: Vec<Piece>,
    /// Vertices of the pieces, assembled.
    vertices: usize,
    /// What the pieces are drawn with.
    assembly: Assembly,
    hard: Hard,
    /// The state's hard part may differ from `hard`.
    hard_touched: bool,
    records: Vec<Record>,
    /// The record of the state as it is, if it was packed since soft state changed last.
    current: Option<u32>,
    /// Draws and clears so far, those that were left out included.
    draws: u64,
    /// Buffers (bits of a clear's mask) that no clear that comes now is the first thing for.
    opened: u32,
}

impl<'a> Painter<'a> {
    pub(super) fn new(
        tracker: &'a mut Tracker,
        target: Target<'a>,
        state: &'a mut WindowState,
        resources: ResourceScope<'a>,
    ) -> Painter<'a> {
        let hard = state.hard;
        Painter {
            tracker,
            target,
            state,
            resources,
            pieces: Vec::new(),
            vertices: 0,
            assembly: Assembly::Triangles,
            hard,
            hard_touched: false,
            records: Vec::new(),
            current: None,
            draws: 0,
            opened: 0,
        }
    }

    /// Draws what is left. Gives how many draws and clears above [`MAX_DRAWS`] were left out, and whether some
    /// were because they took too long.
    pub fn finish(mut self) -> (u64, bool) {
        self.flush();
        (self.draws.saturating_sub(MAX_DRAWS), self.tracker.is_stopped())
    }

    /// Counts a draw or clear; may it be done?
    fn admit(&mut self) -> bool {
        self.draws = self.draws.saturating_add(1);
        self.draws <= MAX_DRAWS
    }

    /// The number of the state's record in the batch.
    fn record(&mut self) -> u32 {
        if let Some(current) = self.current {
            return current;
        }
        let record = Record::new(self.state);
        // Programs return to states that they had a moment ago; further back is not worth the look.
        let recent = self.records.len().saturating_sub(4);
        let same = self.records[recent..].iter().position(|r| *r == record).map(|i| recent + i);
        let index = same.unwrap_or_else(|| {
            self.records.push(record);
            self.records.len() - 1
        });
        let index = u32::try_from(index).unwrap_or(0);
        self.current = Some(index);
        index
    }

    fn flush(&mut self) {
        let pieces = std::mem::take(&mut self.pieces);
        let records = std::mem::take(&mut self.records);
        self.vertices = 0;
        self.current = None;
        if !pieces.is_empty() {
            self.draw_batch(&records, &Contents::Pieces(&pieces));
        }
    }

    fn draw_batch(&mut self, records: &[Record], contents: &Contents<'_>) {
        self.opened = u32::MAX;
        if !self.admit() {
            return;
        }
        let drawing = Drawing {
            assembly: self.assembly,
            hard: &self.hard,
            textures: self
                .hard
                .units
                .map(|unit| if unit.on { self.resources.texture(unit.texture) } else { None }),
            records,
            lights: &self.state.lights,
        };
        self.tracker.confine(&self.target, &self.hard);
        self.tracker.draw_batch(&drawing, contents);
    }
}

/// Does the command change state that a batch reads once, so that the batch must end?
fn ends_batch(op: Op) -> bool {
    matches!(op, Op::Light | Op::LightModel | Op::Clear)
}

/// The bit of a record's number that says how it is shaded.
fn smooth(state: &WindowState) -> u32 {
    if state.soft.flat { 0 } else { SMOOTH }
}

/// May the command change hard state?
fn touches_hard(op: Op, state: &WindowState) -> bool {
    match op.info().class {
        Class::Attribute => false,
        Class::State if matches!(op, Op::ShadeModel | Op::Light | Op::ColorMaterial | Op::MatrixMode) => {
            false
        }
        Class::State if op.code() & !0xf == MATRIX_OPS => state.is_texture_mode(),
        Class::State
        | Class::Compute
        | Class::Read
        | Class::Signal
        | Class::Jump
        | Class::Vertex
        | Class::Begin
        | Class::End
        | Class::Draw
        | Class::ListDefinition
        | Class::ListCall => true,
    }
}

/// The codes of matrix ops, their last digit aside.
const MATRIX_OPS: u16 = Op::MatrixMode as u16;

impl Gl for Painter<'_> {
    fn command(&mut self, op: Op, args: &[u32]) {
        if ends_batch(op) || op == Op::PopAttrib && self.state.pop_changes_lights() {
            self.flush();
        }
        if matches!(op, Op::DrawArrays | Op::DrawElements) {
            self.draw_arrays(op, args);
            return;
        }
        if op == Op::Clear {
            let mask = args.first().copied().unwrap_or(0);
            // The compositor relies on the clear that a program opens with ([`verifier::BodyFacts::is_opaque`]):
            // whatever the limits say, it is done. There is one for each buffer.
            let opens = mask & !self.opened != 0;
            self.opened |= mask;
            if !self.admit() && !opens {
                return;
            }
            self.tracker.confine(&self.target, &self.state.hard);
            self.tracker.clear(self.state, mask, opens);
            return;
        }
        self.hard_touched |= touches_hard(op, self.state);
        self.state.command(op, args);
        self.current = None;
    }

    fn draw(&mut self, segment: &Arc<Segment>, dynamic: Option<Dynamic<'_>>) {
        let room = self.tracker.max_records();
        let assembled = usize::try_from(segment.assembled).unwrap_or(usize::MAX);
        let vertices = self.vertices.saturating_add(assembled);
        let full = self.records.len() + segment.records.len() > room || vertices > MAX_BATCH_VERTICES;
        let hard_differs = self.hard_touched && self.hard != self.state.hard;
        self.hard_touched = false;
        if self.assembly != segment.assembly || hard_differs || full {
            self.flush();
            self.assembly = segment.assembly;
            if hard_differs {
                self.hard = self.state.hard;
            }
        }
        if segment.records.len() > room {
            self.draw_in_parts(segment, dynamic);
            return;
        }
        let mut piece = Piece::new(segment, dynamic.map(|d| d.vertices), self.state);
        for (k, commands) in segment.records.iter().enumerate() {
            if k > 0 {
                for command in commands {
                    self.state.command(command.op, &command.args);
                }
                self.current = None;
            }
            let record = self.record();
            piece.records.push(record | smooth(self.state));
        }
        for command in &segment.trailing {
            self.state.command(command.op, &command.args);
            self.current = None;
        }
        // Primitives without enough vertices are state, and nothing else.
        if assembled > 0 {
            self.vertices = self.vertices.saturating_add(assembled);
            self.pieces.push(piece);
        }
        self.leave(segment, dynamic);
    }
}

impl Painter<'_> {
    /// `draw_arrays`, `draw_elements`: vertices from buffers, then as any segment.
    fn draw_arrays(&mut self, op: Op, args: &[u32]) {
        let (mode, count, elements, indices) = match *args {
            [mode, first, count] if op == Op::DrawArrays => (mode, count, Elements::First(first), None),
            [mode, count, data, buffer, offset] => {
                let Some(buffer) = self.resources.buffer(buffer) else { return };
                let elements = Elements::Indices(buffer.id, data, offset);
                (mode, count, elements, Some((buffer, data, offset)))
            }
            _ => return,
        };
        let mut sources = Vec::with_capacity(ARRAYS);
        let mut key = Key { mode, count, elements, arrays: Vec::with_capacity(ARRAYS) };
        for (index, &pointer) in self.state.arrays.iter().enumerate() {
            // OpenGL does not say what a missing buffer is: nothing is drawn.
            if pointer.on {
                let Some(buffer) = self.resources.buffer(pointer.buffer) else { return };
                key.arrays.push((index, pointer, buffer.id));
                sources.push(Source { index, pointer, bytes: &buffer.bytes });
            }
        }
        let has = |index: usize| sources.iter().any(|source| source.index == index);
        // Without positions there are no vertices; and what is not drawn any more needs none.
        if !has(POSITION) || count > MAX_ARRAY_ELEMENTS || self.tracker.is_stopped() {
            return;
        }
        let given = Given {
            color: has(COLOR),
            tex_coord: has(TEX_COORD),
            tex_coord1: has(TEX_COORD + 1),
            normal: has(NORMAL),
        };
        let make = || {
            let vertices = match (elements, indices) {
                (Elements::First(first), _) => {
                    arrays::gather(&sources, (0..count).map(|n| first.saturating_add(n)))
                }
                (_, Some((buffer, data, offset))) => {
                    let element = |n| arrays::element(&buffer.bytes, data, offset, n);
                    arrays::gather(&sources, (0..count).map(element))
                }
                (_, None) => Vec::new(),
            };
            Segment::from_vertices(mode, vertices, 0..count, given)
        };
        let segment = self.tracker.array_segment(key, make);
        self.draw(&segment, None);
    }

    /// The state after a segment.
    fn leave(&mut self, segment: &Segment, dynamic: Option<Dynamic<'_>>) {
        let exit = dynamic.map_or_else(|| segment.summary().0.exit, |values| values.exit);
        self.state.set_attributes(&exit);
        if self.state.soft.color_material && exit.color.is_some() {
            self.current = None;
        }
    }

    /// A segment with more records than a uniform block holds: as many primitives at a time as have records
    /// enough. Each vertex is looked at once, whatever the client wrote.
    fn draw_in_parts(&mut self, segment: &Arc<Segment>, dynamic: Option<Dynamic<'_>>) {
        let room = self.tracker.max_records();
        let corners = segment.assembly.corners();
        let mut piece = Piece::new(segment, dynamic.map(|d| d.vertices), self.state);
        let mut packed: Vec<Record> = Vec::new();
        for commands in &segment.records {
            for command in commands {
                self.state.command(command.op, &command.args);
            }
            let record = Record::new(self.state);
            if packed.last() != Some(&record) {
                packed.push(record);
            }
            let record = u32::try_from(packed.len() - 1).unwrap_or(0);
            piece.records.push(record | smooth(self.state));
        }
        for command in &segment.trailing {
            self.state.command(command.op, &command.args);
        }
        let mut vertices = Vec::new();
        piece.assemble(&mut vertices);
        // Where each packed record is in the part's block, and the part that this was said in.
        let mut places = vec![(0u32, 0u32); packed.len()];
        let mut part = 1;
        let mut start = 0;
        for first in (0..vertices.len()).step_by(corners) {
            if self.records.len() + corners > room {
                self.draw_part(vertices.get(start..first).unwrap_or_default());
                start = first;
                part += 1;
            }
            for vertex in vertices.iter_mut().skip(first).take(corners) {
                let at = usize::try_from(vertex.record & !INTERIOR).unwrap_or(usize::MAX);
                let (Some(place), Some(record)) = (places.get_mut(at), packed.get(at)) else { continue };
                if place.0 != part {
                    *place = (part, u32::try_from(self.records.len()).unwrap_or(0));
                    self.records.push(*record);
                }
                vertex.record = vertex.record & INTERIOR | place.1;
            }
        }
        self.draw_part(vertices.get(start..).unwrap_or_default());
        self.leave(segment, dynamic);
    }

    /// Draws assembled vertices with the records gathered for them.
    fn draw_part(&mut self, vertices: &[Vertex]) {
        let records = std::mem::take(&mut self.records);
        self.current = None;
        self.draw_batch(&records, &Contents::Vertices(vertices));
    }
}
