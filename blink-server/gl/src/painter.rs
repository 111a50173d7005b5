//! Receives a running program's commands and segments, and makes as few draws of them as it can.
//!
//! When the slice is over, what the program does until its next yield point is not drawn but queued, and the painter can
//! be paused: it is then plain data, and the rest is drawn in the program's next slice.

use super::arrays::{self, ARRAYS, COLOR, Elements, Key, NORMAL, POSITION, Source, TEX_COORD};
use super::batch::{Contents, INTERIOR, MAX_BATCH_VERTICES, Piece, SMOOTH};
use super::drawing::{Clear, Cursor, Drawing};
use super::record::Record;
use super::resource::ResourceScope;
use super::screen::Target;
use super::state::{Hard, Lights, WindowState};
use super::tracker::Tracker;
use blinkgl::limits::{MAX_ARRAY_ELEMENTS, MAX_DRAWS};
use blinkgl::ops::{DrawOp, StateOp};
use jit::{Assembly, CommandOp, Dynamic, Given, Gl, Segment, Vertex};
use std::collections::VecDeque;
use std::sync::Arc;

/// What is to be drawn.
#[derive(Debug)]
enum Job {
    Batch { batch: Box<Batch>, from: Cursor },
    Clear { clear: Box<Clear>, from: Cursor },
}

/// A batch with all that it depends on, textures aside: they are those of the moment.
#[derive(Debug)]
struct Batch {
    assembly: Assembly,
    hard: Hard,
    lights: Lights,
    records: Vec<Record>,
    contents: Contents,
}

/// What of a painter goes from slice to slice.
#[derive(Debug)]
pub struct Paused {
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
    /// What comes before the pieces and was not drawn, as the slice was over.
    queue: VecDeque<Job>,
}

impl Paused {
    /// Is all drawn that the program drew so far?
    #[must_use]
    pub fn is_drawn(&self) -> bool {
        self.queue.is_empty()
    }
}

/// What became of a program's drawing, now that the program is at its end.
#[derive(Debug)]
pub enum Painted {
    /// All is drawn, or left out: so many draws and clears above [`MAX_DRAWS`].
    Whole {
        /// Draws and clears.
        left_out: u64,
    },
    /// The slice ended before.
    Part(Box<Paused>),
}

/// A program's brush.
#[derive(Debug)]
pub struct Painter<'a> {
    tracker: &'a mut Tracker,
    target: Target<'a>,
    state: &'a mut WindowState,
    resources: ResourceScope<'a>,
    kept: Paused,
}

impl Tracker {
    /// Starts a program's drawing, in the slice that has begun, or with all the time that it takes.
    pub fn begin<'a>(
        &'a mut self,
        target: Target<'a>,
        state: &'a mut WindowState,
        resources: ResourceScope<'a>,
    ) -> Painter<'a> {
        self.draw_for(resources.client());
        Painter::new(self, target, state, resources)
    }

    /// Goes on with a program's drawing in another slice: draws what is left of it. The target and the state are those of
    /// before.
    pub fn resume<'a>(
        &'a mut self,
        target: Target<'a>,
        state: &'a mut WindowState,
        resources: ResourceScope<'a>,
        paused: Paused,
    ) -> Painter<'a> {
        self.draw_for(resources.client());
        Painter::resume(self, target, state, resources, paused)
    }
}

impl<'a> Painter<'a> {
    fn new(
        tracker: &'a mut Tracker,
        target: Target<'a>,
        state: &'a mut WindowState,
        resources: ResourceScope<'a>,
    ) -> Painter<'a> {
        let kept = Paused {
            pieces: Vec::new(),
            vertices: 0,
            assembly: Assembly::Triangles,
            hard: state.hard,
            hard_touched: false,
            records: Vec::new(),
            current: None,
            draws: 0,
            opened: 0,
            queue: VecDeque::new(),
        };
        Painter { tracker, target, state, resources, kept }
    }

    fn resume(
        tracker: &'a mut Tracker,
        target: Target<'a>,
        state: &'a mut WindowState,
        resources: ResourceScope<'a>,
        kept: Paused,
    ) -> Painter<'a> {
        let mut painter = Painter { tracker, target, state, resources, kept };
        while let Some(job) = painter.kept.queue.pop_front() {
            if let Some(rest) = painter.perform(job) {
                painter.kept.queue.push_front(rest);
                break;
            }
        }
        painter
    }

    /// Is all drawn that the program drew so far? If not, it must wait.
    #[must_use]
    pub fn is_drawn(&self) -> bool {
        self.kept.is_drawn()
    }

    /// Stops where the program was suspended.
    #[must_use]
    pub fn pause(self) -> Box<Paused> {
        Box::new(self.kept)
    }

    /// Draws what is left, at the program's end.
    #[must_use]
    pub fn finish(mut self) -> Painted {
        self.flush();
        if self.is_drawn() {
            Painted::Whole { left_out: self.kept.draws.saturating_sub(MAX_DRAWS) }
        } else {
            Painted::Part(self.pause())
        }
    }

    /// Counts a draw or clear; may it be done?
    fn admit(&mut self) -> bool {
        self.kept.draws = self.kept.draws.saturating_add(1);
        self.kept.draws <= MAX_DRAWS
    }

    /// The number of the state's record in the batch.
    fn record(&mut self) -> u32 {
        if let Some(current) = self.kept.current {
            return current;
        }
        let record = Record::new(self.state);
        // Programs return to states that they had a moment ago; further back is not worth the look.
        let recent = self.kept.records.len().saturating_sub(4);
        let same = self.kept.records[recent..].iter().position(|r| *r == record).map(|i| recent + i);
        let index = same.unwrap_or_else(|| {
            self.kept.records.push(record);
            self.kept.records.len() - 1
        });
        let index = u32::try_from(index).unwrap_or(0);
        self.kept.current = Some(index);
        index
    }

    fn flush(&mut self) {
        let pieces = std::mem::take(&mut self.kept.pieces);
        let records = std::mem::take(&mut self.kept.records);
        self.kept.vertices = 0;
        self.kept.current = None;
        if !pieces.is_empty() {
            self.draw_batch(records, Contents::Pieces(pieces));
        }
    }

    fn draw_batch(&mut self, records: Vec<Record>, contents: Contents) {
        self.kept.opened = u32::MAX;
        if !self.admit() {
            return;
        }
        let (assembly, hard, lights) = (self.kept.assembly, self.kept.hard, self.state.lights);
        let batch = Box::new(Batch { assembly, hard, lights, records, contents });
        self.submit(Job::Batch { batch, from: Cursor::default() });
    }

    /// Does a job now, or what of it fits into the slice, or none of it.
    fn submit(&mut self, job: Job) {
        let rest = if self.is_drawn() && !self.tracker.is_over() { self.perform(job) } else { Some(job) };
        self.kept.queue.extend(rest);
    }

    /// Does a job; gives what of it is left when the slice is over.
    fn perform(&mut self, job: Job) -> Option<Job> {
        match job {
            Job::Batch { batch, from } => {
                let Batch { assembly, hard, lights, records, contents } = &*batch;
                let texture = |on: bool, oid| if on { self.resources.texture(oid) } else { None };
                let textures = hard.units.map(|unit| texture(unit.on, unit.texture));
                let drawing = Drawing { assembly: *assembly, hard, textures, records, lights };
                self.tracker.confine(&self.target, hard);
                let from = self.tracker.draw_batch(self.target.framebuffer, &drawing, contents, from)?;
                Some(Job::Batch { batch, from })
            }
            Job::Clear { clear, from } => {
                self.tracker.confine(&self.target, &clear.hard);
                let from = self.tracker.clear(self.target.framebuffer, &clear, from)?;
                Some(Job::Clear { clear, from })
            }
        }
    }
}

/// The bit of a record's number that says how it is shaded.
fn smooth(state: &WindowState) -> u32 {
    if state.soft.flat { 0 } else { SMOOTH }
}

/// What of the state a command may change, as far as a batch differs by it.
#[derive(Clone, Copy, Debug)]
enum Touched {
    /// What records have.
    Records,
    /// The selected matrix: the second texture unit's is hard state, all others are in records.
    Matrix,
    /// Hard state.
    Hard,
    /// Lights, which a batch reads once.
    Lights,
    /// Lights or hard state.
    LightsOrHard,
    /// What was pushed, of any kind.
    Restored,
}

impl Touched {
    fn by(op: StateOp) -> Touched {
        use StateOp::*;
        match op {
            ShadeModel | ColorMaterial | MatrixMode => Touched::Records,
            LoadIdentity | LoadMatrix | MultMatrix | PushMatrix | PopMatrix | Translate | Rotate | Scale
            | Frustum | Ortho => Touched::Matrix,
            Enable | Disable | CullFace | FrontFace | DepthFunc | DepthMask | DepthRange | ColorMask
            | BlendFunc | Scissor | Viewport | ClearColor | ClearDepth | PointSize | LineWidth
            | BlendFuncSeparate | BlendEquation | BlendColor | LogicOp | AlphaFunc | StencilFunc
            | StencilOp | StencilMask | ClearStencil | PolygonMode | PolygonOffset | PointParameter
            | ClipPlane | FogMode | Fog | PushAttrib | Hint | BindTexture | TexEnvMode | TexEnvColor
            | TexParameter | ActiveTexture | TexEnvCombine | TexEnvScale | TexGenMode | TexGenPlane
            | ArrayPointer | EnableArray => Touched::Hard,
            Light => Touched::Lights,
            LightModel => Touched::LightsOrHard,
            PopAttrib => Touched::Restored,
        }
    }
}

impl Gl for Painter<'_> {
    fn command(&mut self, op: CommandOp, args: &[u32]) {
        match op {
            CommandOp::State(op) => self.change(op, args),
            CommandOp::Attribute(op) => {
                self.state.command(op, args);
                self.kept.current = None;
            }
            CommandOp::Draw(DrawOp::Clear) => self.clear(args),
            CommandOp::Draw(op @ (DrawOp::DrawArrays | DrawOp::DrawElements)) => self.draw_arrays(op, args),
        }
    }

    fn draw(&mut self, segment: &Arc<Segment>, dynamic: Option<Dynamic<'_>>) {
        let room = self.tracker.max_records();
        let assembled = usize::try_from(segment.assembled).unwrap_or(usize::MAX);
        // What it keeps, and what it draws: primitives without enough vertices are kept too.
        let most = assembled.max(segment.vertices());
        let vertices = self.kept.vertices.saturating_add(most);
        let full = self.kept.records.len() + segment.records.len() > room || vertices > MAX_BATCH_VERTICES;
        let hard_differs = self.kept.hard_touched && self.kept.hard != self.state.hard;
        self.kept.hard_touched = false;
        if self.kept.assembly != segment.assembly || hard_differs || full {
            self.flush();
            self.kept.assembly = segment.assembly;
            if hard_differs {
                self.kept.hard = self.state.hard;
            }
        }
        if segment.records.len() > room {
            self.draw_in_parts(segment, dynamic);
            return;
        }
        let mut piece = Piece::new(segment, dynamic.map(|d| d.vertices), self.state);
        if self.tracker.is_slow() {
            piece.keep_shape();
        }
        for (k, commands) in segment.records.iter().enumerate() {
            if k > 0 {
                for command in commands {
                    self.state.command(command.op, &command.args);
                }
                self.kept.current = None;
            }
            let record = self.record();
            piece.records.push(record | smooth(self.state));
        }
        for command in &segment.trailing {
            self.state.command(command.op, &command.args);
            self.kept.current = None;
        }
        // Primitives without enough vertices are state, and nothing else.
        if assembled > 0 {
            self.kept.vertices = self.kept.vertices.saturating_add(most);
            self.kept.pieces.push(piece);
        }
        self.leave(segment, dynamic);
    }

    /// What is queued waits for another slice, and so does the program.
    fn is_slice_over(&mut self) -> bool {
        !self.is_drawn() || self.tracker.is_slice_over()
    }
}

impl Painter<'_> {
    fn clear(&mut self, args: &[u32]) {
        self.flush();
        let mask = args.first().copied().unwrap_or(0);
        // The compositor relies on the clear that a program opens with ([`verifier::BodyFacts::is_opaque`]):
        // whatever the limits say, it is done. There is one for each buffer.
        let opens = mask & !self.kept.opened != 0;
        self.kept.opened |= mask;
        if !self.admit() && !opens {
            return;
        }
        let WindowState { hard, clear_color: color, clear_depth: depth, clear_stencil: stencil, .. } =
            *self.state;
        let clear = Box::new(Clear { mask, hard, color, depth, stencil });
        self.submit(Job::Clear { clear, from: Cursor::default() });
    }

    /// `draw_arrays`, `draw_elements`: vertices from buffers, then as any segment.
    fn draw_arrays(&mut self, op: DrawOp, args: &[u32]) {
        let (mode, count, elements, indices) = match (op, args) {
            (DrawOp::DrawArrays, &[mode, first, count]) => (mode, count, Elements::First(first), None),
            (DrawOp::DrawElements, &[mode, count, data, buffer, offset]) => {
                let Some(buffer) = self.resources.buffer(buffer) else { return };
                let elements = Elements::Indices(buffer.id, data, offset);
                (mode, count, elements, Some((buffer, data, offset)))
            }
            (DrawOp::Clear | DrawOp::DrawArrays | DrawOp::DrawElements, _) => return,
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
        // Without positions there are no vertices.
        if !has(POSITION) || count > MAX_ARRAY_ELEMENTS {
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

    /// Changes the state. What a batch reads once ends it, if it changes.
    fn change(&mut self, op: StateOp, args: &[u32]) {
        let touched = Touched::by(op);
        self.kept.hard_touched |= match touched {
            Touched::Records | Touched::Lights => false,
            Touched::Matrix => self.state.is_texture_mode(),
            Touched::Hard | Touched::LightsOrHard | Touched::Restored => true,
        };
        match touched {
            Touched::Lights | Touched::LightsOrHard => return self.set_lights(op, args),
            Touched::Restored if self.state.pop_changes_lights() => self.flush(),
            Touched::Records | Touched::Matrix | Touched::Hard | Touched::Restored => {}
        }
        self.state.command(op, args);
        self.kept.current = None;
    }

    /// Changes lights. A batch reads them once, so it ends, unless they are what they were.
    fn set_lights(&mut self, op: StateOp, args: &[u32]) {
        let before = self.state.lights;
        self.state.command(op, args);
        self.kept.current = None;
        if self.state.lights != before {
            let after = std::mem::replace(&mut self.state.lights, before);
            self.flush();
            self.state.lights = after;
        }
    }

    /// The state after a segment.
    fn leave(&mut self, segment: &Segment, dynamic: Option<Dynamic<'_>>) {
        let exit = dynamic.map_or_else(|| segment.summary().0.exit, |values| values.exit);
        self.state.set_attributes(&exit);
        if self.state.soft.color_material && exit.color.is_some() {
            self.kept.current = None;
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
            if self.kept.records.len() + corners > room {
                self.draw_part(vertices.get(start..first).unwrap_or_default());
                start = first;
                part += 1;
            }
            for vertex in vertices.iter_mut().skip(first).take(corners) {
                let at = usize::try_from(vertex.record & !INTERIOR).unwrap_or(usize::MAX);
                let (Some(place), Some(record)) = (places.get_mut(at), packed.get(at)) else { continue };
                if place.0 != part {
                    *place = (part, u32::try_from(self.kept.records.len()).unwrap_or(0));
                    self.kept.records.push(*record);
                }
                vertex.record = vertex.record & INTERIOR | place.1;
            }
        }
        self.draw_part(vertices.get(start..).unwrap_or_default());
        self.leave(segment, dynamic);
    }

    /// Draws assembled vertices with the records gathered for them.
    fn draw_part(&mut self, vertices: &[Vertex]) {
        let records = std::mem::take(&mut self.kept.records);
        self.kept.current = None;
        self.draw_batch(records, Contents::Vertices(vertices.to_vec()));
    }
}
