//! Receives a running program's commands and segments, and makes as few draws of them as it can.

use super::batch::{Contents, MAX_BATCH_VERTICES, Piece};
use super::record::Record;
use super::shader::{Texturing, Variant};
use super::state::{Hard, WindowState};
use super::texture::{Texture, TextureScope};
use super::tracker::{Drawing, Framebuffer, Tracker};
use crate::geometry::Rect;
use blinkgl::Op;
use blinkgl::layout::texture::Format;
use blinkgl::limits::MAX_DRAWS;
use jit::{Assembly, Attributes, Gl, Segment, Vertex};
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
    textures: TextureScope<'a>,
    pieces: Vec<Piece>,
    /// Vertices of the pieces, assembled.
    vertices: usize,
    /// What the pieces are drawn with.
    assembly: Assembly,
    hard: Hard,
    records: Vec<Record>,
    /// The record of the state as it is, if it was packed since soft state changed last.
    current: Option<u32>,
    /// Draws and clears so far, those that were left out included.
    draws: u64,
}

impl<'a> Painter<'a> {
    pub(super) fn new(
        tracker: &'a mut Tracker,
        target: Target<'a>,
        state: &'a mut WindowState,
        textures: TextureScope<'a>,
    ) -> Painter<'a> {
        let hard = state.hard;
        Painter {
            tracker,
            target,
            state,
            textures,
            pieces: Vec::new(),
            vertices: 0,
            assembly: Assembly::Triangles,
            hard,
            records: Vec::new(),
            current: None,
            draws: 0,
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
        if !self.admit() {
            return;
        }
        let texture = self.bound_texture();
        let texturing = match texture.map(|t| t.desc.format) {
            None => Texturing::Off,
            Some(Format::Bgra8) => Texturing::Rgba,
            Some(Format::Yuv420) => Texturing::Yuv,
        };
        let drawing = Drawing {
            variant: Variant { texturing, two_side: self.hard.two_side },
            assembly: self.assembly,
            hard: &self.hard,
            texture,
            records,
            lights: &self.state.lights,
        };
        self.tracker.confine(&self.target, &self.hard);
        self.tracker.draw_batch(&drawing, contents);
    }

    fn bound_texture(&self) -> Option<&'a Texture> {
        if self.hard.texturing { self.textures.get(self.hard.texture) } else { None }
    }
}

/// Does the command change state that a batch reads once, so that the batch must end?
fn ends_batch(op: Op) -> bool {
    matches!(op, Op::Light | Op::LightModel | Op::Clear)
}

impl Gl for Painter<'_> {
    fn command(&mut self, op: Op, args: &[u32]) {
        if ends_batch(op) {
            self.flush();
        }
        if op == Op::Clear {
            if !self.admit() {
                return;
            }
            let mask = args.first().copied().unwrap_or(0);
            self.tracker.confine(&self.target, &self.state.hard);
            self.tracker.clear(self.state, mask);
            return;
        }
        self.state.command(op, args);
        self.current = None;
    }

    fn draw(&mut self, segment: &Arc<Segment>, dynamic: Option<&[Vertex]>, exit: &Attributes) {
        let room = self.tracker.max_records();
        let vertices = self.vertices.saturating_add(segment.indices.len());
        let full = self.records.len() + segment.records.len() > room || vertices > MAX_BATCH_VERTICES;
        if self.assembly != segment.assembly || self.hard != self.state.hard || full {
            self.flush();
            self.assembly = segment.assembly;
            self.hard = self.state.hard;
        }
        if segment.records.len() > room {
            self.draw_in_parts(segment, dynamic, exit);
            return;
        }
        let mut piece = Piece::new(segment, dynamic, self.state);
        for (k, commands) in segment.records.iter().enumerate() {
            if k > 0 {
                for command in commands {
                    self.state.command(command.op, &command.args);
                }
                self.current = None;
            }
            let record = self.record();
            piece.records.push(record);
        }
        for command in &segment.trailing {
            self.state.command(command.op, &command.args);
            self.current = None;
        }
        // Primitives without enough vertices are state, and nothing else.
        if !segment.indices.is_empty() {
            self.vertices = self.vertices.saturating_add(segment.indices.len());
            self.pieces.push(piece);
        }
        self.leave(exit);
    }
}

impl Painter<'_> {
    /// The state after a segment.
    fn leave(&mut self, exit: &Attributes) {
        self.state.set_attributes(exit);
        if self.state.soft.color_material && exit.color.is_some() {
            self.current = None;
        }
    }

    /// A segment with more records than a uniform block holds: as many primitives at a time as have records
    /// enough. Each vertex is looked at once, whatever the client wrote.
    fn draw_in_parts(&mut self, segment: &Arc<Segment>, dynamic: Option<&[Vertex]>, exit: &Attributes) {
        let room = self.tracker.max_records();
        let corners = match segment.assembly {
            Assembly::Points => 1,
            Assembly::Lines => 2,
            Assembly::Triangles => 3,
        };
        let mut piece = Piece::new(segment, dynamic, self.state);
        let mut packed: Vec<Record> = Vec::new();
        for commands in &segment.records {
            for command in commands {
                self.state.command(command.op, &command.args);
            }
            let record = Record::new(self.state);
            if packed.last() != Some(&record) {
                packed.push(record);
            }
            piece.records.push(u32::try_from(packed.len() - 1).unwrap_or(0));
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
                let at = usize::try_from(vertex.record).unwrap_or(usize::MAX);
                let (Some(place), Some(record)) = (places.get_mut(at), packed.get(at)) else { continue };
                if place.0 != part {
                    *place = (part, u32::try_from(self.records.len()).unwrap_or(0));
                    self.records.push(*record);
                }
                vertex.record = place.1;
            }
        }
        self.draw_part(vertices.get(start..).unwrap_or_default());
        self.leave(exit);
    }

    /// Draws assembled vertices with the records gathered for them.
    fn draw_part(&mut self, vertices: &[Vertex]) {
        let records = std::mem::take(&mut self.records);
        self.current = None;
        self.draw_batch(&records, &Contents::Vertices(vertices));
    }
}
