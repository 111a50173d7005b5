//! Receives a running program's commands and segments, and makes as few draws of them as it can.

use super::batch::{Key, Piece};
use super::record::Record;
use super::shader::{Texturing, Variant};
use super::state::{Hard, WindowState};
use super::texture::{Texture, TextureScope};
use super::tracker::{Drawing, Framebuffer, Tracker};
use crate::geometry::Rect;
use blinkgl::Op;
use blinkgl::layout::texture::Format;
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
    /// What the pieces are drawn with.
    assembly: Assembly,
    hard: Hard,
    records: Vec<Record>,
    /// The record of the state as it is, if it was packed since soft state changed last.
    current: Option<u32>,
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
            assembly: Assembly::Triangles,
            hard,
            records: Vec::new(),
            current: None,
        }
    }

    /// Draws what is left.
    pub fn finish(mut self) {
        self.flush();
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
        self.current = None;
        if pieces.is_empty() {
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
            records: &records,
            lights: &self.state.lights,
        };
        self.tracker.confine(&self.target, &self.hard);
        self.tracker.draw_batch(&drawing, Key::new(&pieces), &pieces);
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
        let full = self.records.len() + segment.records.len() > room;
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
        self.pieces.push(piece);
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

    /// A segment with more records than a uniform block holds: drawn a block's worth at a time.
    fn draw_in_parts(&mut self, segment: &Arc<Segment>, dynamic: Option<&[Vertex]>, exit: &Attributes) {
        let room = self.tracker.max_records();
        let vertices = dynamic.unwrap_or(&segment.vertices);
        let corners = match segment.assembly {
            Assembly::Points => 1,
            Assembly::Lines => 2,
            Assembly::Triangles => 3,
        };
        let entry = self.state.clone();
        let record_of = |index: u32| {
            let vertex = usize::try_from(index).ok().and_then(|i| vertices.get(i));
            vertex.map_or(0, |v| usize::try_from(v.record).unwrap_or(0))
        };
        for first in (0..segment.records.len()).step_by(room / 2) {
            // A primitive belongs to the part of its last vertex; its others may lie in the part before,
            // which is why parts overlap by half.
            let part = first..first + room / 2;
            let window = first.saturating_sub(room / 2)..(first + room / 2).min(segment.records.len());
            let mut state = entry.clone();
            let mut records = vec![0; segment.records.len()];
            self.records.clear();
            for (k, commands) in segment.records.iter().enumerate().take(window.end) {
                for command in commands {
                    state.command(command.op, &command.args);
                }
                if window.contains(&k) {
                    records[k] = u32::try_from(self.records.len()).unwrap_or(0);
                    self.records.push(Record::new(&state));
                }
            }
            let mut piece = Piece::new(segment, Some(vertices), &entry);
            let mut shorter = Segment::clone(segment);
            shorter.indices = segment
                .indices
                .chunks_exact(corners)
                .filter(|p| p.last().is_some_and(|&i| part.contains(&record_of(i))))
                .flatten()
                .copied()
                .collect();
            piece.segment = Arc::new(shorter);
            piece.records = records;
            self.pieces.push(piece);
            self.flush();
        }
        for command in segment.records.iter().flatten().chain(&segment.trailing) {
            self.state.command(command.op, &command.args);
        }
        self.current = None;
        self.leave(exit);
    }
}
