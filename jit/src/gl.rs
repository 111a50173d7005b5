//! What a lowered program calls: the boundary between the JIT and the GL state tracker.
//!
//! A program never calls OpenGL. It gives a [`Gl`] two things, in program order: state commands with
//! their arguments resolved, and [`Segment`]s, which are whole runs of primitives with everything
//! that GL would have assembled from Begin, Color, Normal, Vertex and End already done.
//!
//! **Soft state** (what the vertex stage consumes: matrices, materials, shade model, lighting switches) varies inside
//! a segment by *records*, so that primitives with different materials stay one draw. **Hard state**
//! (depth, blending, textures, scissor...) ends a draw.

use crate::edges::{self, PrimitiveRun};
use crate::expand;
use crate::primitive;
use blinkgl::ops::{AttributeOp, DrawOp, Op, StateOp};
use std::ops::Range;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};

/// A vertex as it is uploaded: 80 bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
#[repr(C)]
pub struct Vertex {
    /// Object coordinates.
    pub position: [f32; 4],
    /// Current color.
    pub color: [f32; 4],
    /// Current texture coordinate of unit 0.
    pub tex_coord: [f32; 4],
    /// Current normal.
    pub normal: [f32; 3],
    /// Which of its segment's records this vertex belongs to.
    pub record: u32,
    /// Current texture coordinate of unit 1.
    pub tex_coord1: [f32; 4],
}

/// What primitives were taken apart into.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Assembly {
    /// Single points.
    Points,
    /// Pairs of vertices.
    Lines,
    /// Triples of vertices. The last of each is the one that flat shading takes its color from
    /// (OpenGL 3.3's `LAST_VERTEX_CONVENTION`).
    Triangles,
}

impl Assembly {
    /// Vertices of each.
    #[must_use]
    pub fn corners(self) -> usize {
        match self {
            Assembly::Points => 1,
            Assembly::Lines => 2,
            Assembly::Triangles => 3,
        }
    }
}

/// The op of a state command: of the classes that a program hands on, and of no other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum CommandOp {
    /// Changes the state.
    State(StateOp),
    /// Changes a current vertex attribute or a material.
    Attribute(AttributeOp),
    /// Draws without Begin.
    Draw(DrawOp),
}

impl CommandOp {
    /// The same among the ops of all classes.
    #[must_use]
    pub fn op(self) -> Op {
        match self {
            CommandOp::State(op) => op.op(),
            CommandOp::Attribute(op) => op.op(),
            CommandOp::Draw(op) => op.op(),
        }
    }
}

impl From<StateOp> for CommandOp {
    fn from(op: StateOp) -> CommandOp {
        CommandOp::State(op)
    }
}

impl From<AttributeOp> for CommandOp {
    fn from(op: AttributeOp) -> CommandOp {
        CommandOp::Attribute(op)
    }
}

impl From<DrawOp> for CommandOp {
    fn from(op: DrawOp) -> CommandOp {
        CommandOp::Draw(op)
    }
}

/// A state command with its arguments resolved: constants' bits, `f32` bits, `i32` bits.
#[derive(Clone, Debug, PartialEq)]
pub struct Command {
    /// The op.
    pub op: CommandOp,
    /// One word for each operand of its row, converted to the operand's kind.
    pub args: Box<[u32]>,
}

/// Vertex attributes that are GL state: what `color4` and the like leave behind.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Attributes {
    /// The color, if set.
    pub color: Option<[f32; 4]>,
    /// The texture coordinate of unit 0, if set.
    pub tex_coord: Option<[f32; 4]>,
    /// The texture coordinate of unit 1, if set.
    pub tex_coord1: Option<[f32; 4]>,
    /// The normal, if set.
    pub normal: Option<[f32; 3]>,
}

/// How many leading vertices take an attribute from the state in force when the segment is drawn.
/// Such vertices are always the first ones: once set in a segment, an attribute stays set.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Inherited {
    /// Vertices that take the current color.
    pub color: u32,
    /// Vertices that take the current texture coordinate of unit 0.
    pub tex_coord: u32,
    /// Vertices that take the current texture coordinate of unit 1.
    pub tex_coord1: u32,
    /// Vertices that take the current normal.
    pub normal: u32,
}

/// Identity of a segment for caches: equal ids mean the same segment, for the life of the process.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SegmentId(u64);

impl SegmentId {
    /// An id that was never given out before.
    #[must_use]
    #[allow(clippy::new_without_default, reason = "each call gives another id")]
    pub fn new() -> SegmentId {
        static NEXT: AtomicU64 = AtomicU64::new(1);
        SegmentId(NEXT.fetch_add(1, Ordering::Relaxed))
    }
}

/// Vertices of a segment and what they are drawn as.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Shape {
    /// In the order of the vertex ops. Of a dynamic segment a template: see [`Gl::draw`].
    pub vertices: Vec<Vertex>,
    /// Into `vertices`, all in range.
    pub indices: Vec<u32>,
    /// Which primitives the indices come from, to their end. Only of triangles, for [`crate::interior_edges`].
    pub primitives: Vec<PrimitiveRun>,
    /// Vertices that take attributes from the state.
    pub inherited: Inherited,
    /// Attributes that the state has after the segment.
    pub exit: Attributes,
}

/// Where a segment's shape comes from.
#[derive(Clone, Debug)]
pub(crate) enum Content {
    /// Made already.
    Shape(Arc<Shape>),
    /// Constant words, and how many vertices they have.
    Words { words: Arc<[u32]>, range: Range<usize>, vertices: u32 },
}

/// What of a segment's shape outlives the vertices.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Summary {
    /// [`Shape::inherited`].
    pub inherited: Inherited,
    /// [`Shape::exit`].
    pub exit: Attributes,
}

/// A run of primitives of one assembly, with nothing but attributes and soft state between them.
///
/// The vertices of a constant segment are made from its program's words when they are asked for, so that a
/// program is accepted without looking at each.
#[derive(Clone, Debug)]
pub struct Segment {
    /// Its identity.
    pub id: SegmentId,
    /// What its indices are.
    pub assembly: Assembly,
    /// Indices that it has: vertices after assembly.
    pub assembled: u32,
    /// `records[k]`: the soft-state commands that lead from record `k - 1` to record `k`. `records[0]`
    /// is empty: the state in force when the segment is drawn. Never empty itself; a vertex's
    /// `record` is below its length.
    pub records: Vec<Vec<Command>>,
    /// Commands after the last vertex that belong to the state afterwards.
    pub trailing: Vec<Command>,
    /// Is it drawn by the procedure itself, by no display list and from no arrays?
    pub immediate: bool,
    /// Has it arguments from registers? Then its vertices are different at each execution.
    pub dynamic: bool,
    pub(crate) content: Content,
    pub(crate) summary: OnceLock<Summary>,
}

impl Segment {
    /// Its vertices and indices, made now if they come from words.
    #[must_use]
    pub fn shape(&self) -> Arc<Shape> {
        match &self.content {
            Content::Shape(shape) => Arc::clone(shape),
            Content::Words { words, range, vertices } => {
                let words = words.get(range.clone()).unwrap_or_default();
                let size = |count: u32| usize::try_from(count).unwrap_or(0);
                Arc::new(expand::expand(words, size(*vertices), size(self.assembled)))
            }
        }
    }

    /// Vertices that it has, also those that no primitive needs.
    #[must_use]
    pub fn vertices(&self) -> usize {
        match &self.content {
            Content::Shape(shape) => shape.vertices.len(),
            Content::Words { vertices, .. } => usize::try_from(*vertices).unwrap_or(usize::MAX),
        }
    }

    /// The summary of its shape, and the shape too if it had to be made for that.
    pub fn summary(&self) -> (Summary, Option<Arc<Shape>>) {
        if let Some(summary) = self.summary.get() {
            return (*summary, None);
        }
        let shape = self.shape();
        let summary = *self.summary.get_or_init(|| Summary { inherited: shape.inherited, exit: shape.exit });
        (summary, Some(shape))
    }

    /// Bytes that it takes, about. Words that it shares with its program are not counted.
    #[must_use]
    pub fn bytes(&self) -> usize {
        let content = match &self.content {
            Content::Shape(shape) => {
                size_of_val(shape.vertices.as_slice())
                    + size_of_val(shape.indices.as_slice())
                    + size_of_val(shape.primitives.as_slice())
            }
            Content::Words { words, range, .. } if range.len() == words.len() => size_of_val(&**words),
            Content::Words { .. } => 0,
        };
        let commands = self.records.iter().chain([&self.trailing]).map(Vec::len).sum::<usize>();
        size_of::<Segment>() + ALLOCATIONS + content + commands * 64
    }
}

/// Bytes of a segment's smallest allocations: its counts, and lists of records.
const ALLOCATIONS: usize = 128;

/// Which attributes the vertices of a segment have themselves; the others they inherit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Given {
    /// Color.
    pub color: bool,
    /// Texture coordinate of unit 0.
    pub tex_coord: bool,
    /// Texture coordinate of unit 1.
    pub tex_coord1: bool,
    /// Normal.
    pub normal: bool,
}

impl Segment {
    /// A segment of one primitive, or of as many as `mode` makes of these vertices, that no program contains: what
    /// `draw_arrays` and `draw_elements` draw. `order`: the vertices in drawing order, as indices of `vertices`; one
    /// that is out of range is a vertex at the origin. The attributes afterwards are those before.
    #[must_use]
    pub fn from_vertices(
        mode: u32,
        vertices: Vec<Vertex>,
        order: impl IntoIterator<Item = u32>,
        given: Given,
    ) -> Segment {
        let mut vertices = vertices;
        for vertex in &mut vertices {
            vertex.record = 0;
        }
        let count = u32::try_from(vertices.len()).unwrap_or(u32::MAX);
        let mut is_missing = false;
        let order: Vec<u32> = order
            .into_iter()
            .map(|at| {
                is_missing |= at >= count;
                at.min(count)
            })
            .collect();
        if is_missing {
            vertices.push(Vertex { position: [0.0, 0.0, 0.0, 1.0], ..Vertex::default() });
        }
        let mut indices = Vec::with_capacity(order.len());
        primitive::assemble(mode, 0, u32::try_from(order.len()).unwrap_or(u32::MAX), &mut indices);
        for index in &mut indices {
            *index = usize::try_from(*index).ok().and_then(|at| order.get(at)).copied().unwrap_or(0);
        }
        let assembly = primitive::assembly(mode);
        let mut primitives = Vec::new();
        if assembly == Assembly::Triangles {
            edges::note(&mut primitives, mode, u32::try_from(indices.len()).unwrap_or(u32::MAX));
        }
        let count = u32::try_from(vertices.len()).unwrap_or(u32::MAX);
        let unless = |given: bool| if given { 0 } else { count };
        let inherited = Inherited {
            color: unless(given.color),
            tex_coord: unless(given.tex_coord),
            tex_coord1: unless(given.tex_coord1),
            normal: unless(given.normal),
        };
        let exit = Attributes::default();
        Segment {
            id: SegmentId::new(),
            assembly,
            assembled: u32::try_from(indices.len()).unwrap_or(u32::MAX),
            records: vec![Vec::new()],
            trailing: Vec::new(),
            immediate: false,
            dynamic: false,
            content: Content::Shape(Arc::new(Shape { vertices, indices, primitives, inherited, exit })),
            summary: OnceLock::new(),
        }
    }
}

/// Receives what a program does.
pub trait Gl {
    /// A state command. Arguments are resolved as in [`Command`]. Attribute ops come here only when outside of a
    /// segment.
    fn command(&mut self, op: CommandOp, args: &[u32]);

    /// Draws a segment. `dynamic` is there for a segment with [`Segment::dynamic`]: its vertices with register values
    /// put in, in place of those of its shape, and the attributes afterwards.
    ///
    /// Order of effects: records are applied one after the other as the vertices need them, then
    /// `trailing`, then the current attributes become `exit` (of `dynamic`, or of the shape) where it has some.
    fn draw(&mut self, segment: &Arc<Segment>, dynamic: Option<Dynamic<'_>>);

    /// Asked at the yield points of a run by [`Program::start`](crate::Program::start): is the time up that the run has
    /// in this frame? If so, it is suspended there.
    fn is_slice_over(&mut self) -> bool {
        false
    }
}

/// A dynamic segment's values of one execution.
#[derive(Clone, Copy, Debug)]
pub struct Dynamic<'a> {
    /// As many as its shape has.
    pub vertices: &'a [Vertex],
    /// The attributes afterwards.
    pub exit: Attributes,
}
