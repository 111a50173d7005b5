//! Builds segments: what OpenGL would do between Begin and End, done once. Constant primitives stay words
//! ([`crate::expand`] looks at them when they are drawn); others are taken apart when a program is lowered.

use crate::edges::{self, PrimitiveRun};
use crate::gl::{Assembly, Attributes, Command, Content, Inherited, Segment, SegmentId, Shape, Vertex};
use crate::primitive;
use crate::step::{Body, CAPTURED, Dynamic, EXIT, LEADING, Lazy, Patch, RecordPlace, Step, VERTEX_WORDS};
use blinkgl::gl::TextureUnit;
use blinkgl::ops::{AttributeOp, VertexOp};
use blinkgl::planted;
use std::sync::{Arc, OnceLock};
use verifier::PrimitiveFacts;

/// Vertices of a segment, unless one primitive has more: a segment is drawn without a yield point, and making its
/// vertices takes the first draw up to 72 cycles each.
pub(crate) const MAX_SEGMENT_VERTICES: u32 = 1 << 14;

/// The bits of 1.0.
const ONE: u32 = 0x3f80_0000;

/// Words of a vertex, by attribute.
const POSITION: usize = 0;
const COLOR: usize = 4;
const TEX_COORD: usize = 8;
const NORMAL: usize = 12;
const TEX_COORD1: usize = 16;

/// A vertex attribute that lasts until it is set again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Attribute {
    Color,
    TexCoord,
    TexCoord1,
    Normal,
}

/// Where the words of a segment are, and what they have.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Words {
    pub(crate) start: usize,
    pub(crate) end: usize,
    vertices: u32,
    assembled: u32,
}

/// The segment being built, if any.
///
/// Registers are tracked by the words of a vertex: `sources[w]` says where word `w` of the current
/// attributes comes from, if bit `w` of `from_register` is set. Patches run in program order, and a
/// register that is about to be written is first put where it is needed ([`SegmentBuilder::before_write`]).
#[derive(Debug)]
pub(crate) struct SegmentBuilder {
    /// A Begin was seen, and what came since belongs to one segment.
    pub(crate) open: bool,
    /// Between Begin and End.
    pub(crate) inside: bool,
    /// Between NewList and EndList.
    pub(crate) in_list: bool,
    /// Nothing but plain primitives so far, not looked at: the segment is its words.
    pub(crate) words: Option<Words>,
    /// Registers (bit by number) that stand in these words; none if there are none.
    pub(crate) word_registers: u32,
    mode: u32,
    assembly: Assembly,
    primitive_first: u32,
    vertices: Vec<Vertex>,
    indices: Vec<u32>,
    primitives: Vec<PrimitiveRun>,
    records: Vec<Vec<Command>>,
    /// Commands since the last vertex.
    pending: Vec<Command>,
    /// The current attributes; words from registers are 0.
    current: Vertex,
    from_register: u32,
    sources: [u32; VERTEX_WORDS],
    color_set: bool,
    tex_coord_set: bool,
    tex_coord1_set: bool,
    normal_set: bool,
    inherited: Inherited,
    places: Vec<RecordPlace>,
    dynamic: bool,
    /// [`Step::Open`] is there.
    opened: bool,
    /// Patches from here on have no step yet, and read these registers.
    unstepped: usize,
    unstepped_reads: u32,
}

impl SegmentBuilder {
    pub(crate) fn new(vertices: usize) -> SegmentBuilder {
        SegmentBuilder {
            open: false,
            inside: false,
            in_list: false,
            words: None,
            word_registers: 0,
            mode: 0,
            assembly: Assembly::Points,
            primitive_first: 0,
            vertices: Vec::with_capacity(vertices),
            indices: Vec::with_capacity(vertices),
            primitives: Vec::new(),
            records: Vec::new(),
            pending: Vec::new(),
            current: Vertex::default(),
            from_register: 0,
            sources: [0; VERTEX_WORDS],
            color_set: false,
            tex_coord_set: false,
            tex_coord1_set: false,
            normal_set: false,
            inherited: Inherited::default(),
            places: Vec::new(),
            dynamic: false,
            opened: false,
            unstepped: 0,
            unstepped_reads: 0,
        }
    }

    /// Can a primitive of so many vertices go on with the open segment?
    pub(crate) fn continues(&self, mode: u32, vertices: u32) -> bool {
        let before = self.words.map_or_else(|| self.next_vertex(), |words| words.vertices);
        let fits = before == 0 || before.saturating_add(vertices) <= MAX_SEGMENT_VERTICES;
        planted!(
            LinesAndTriangles,
            self.open && fits,
            self.open && fits && self.assembly == primitive::assembly(mode)
        )
    }

    /// Begin: opens a segment if none is open.
    pub(crate) fn begin(&mut self, mode: u32, body: &Body) {
        if !self.open {
            self.open = true;
            self.assembly = primitive::assembly(mode);
            self.records.push(Vec::new());
            self.unstepped = body.patches.len();
        }
        self.inside = true;
        self.mode = mode;
        self.primitive_first = self.next_vertex();
    }

    /// The segment counts as dynamic, whatever its words say.
    pub(crate) fn is_dynamic(&mut self) {
        self.dynamic = true;
    }

    /// A vertex.
    #[inline]
    pub(crate) fn vertex(&mut self, op: VertexOp, args: &[u32], mask: u16, body: &mut Body) {
        if let Some(position) = position_of(op, args) {
            self.add_vertex(position, mask, body);
        }
    }

    /// A vertex attribute.
    #[inline]
    pub(crate) fn attribute(&mut self, op: AttributeOp, args: &[u32], mask: u16) {
        if let Some((what, words, mask)) = attribute_of(op, args, mask) {
            self.set(what, words, mask);
        }
    }

    /// The end of a primitive.
    pub(crate) fn end(&mut self) {
        primitive::assemble(self.mode, self.primitive_first, self.next_vertex(), &mut self.indices);
        if self.assembly == Assembly::Triangles {
            edges::note(&mut self.primitives, self.mode, index(self.indices.len()));
        }
        self.inside = false;
    }

    /// Sets an attribute; bit `i` of `mask`: word `i` is a register.
    #[inline]
    fn set(&mut self, what: Attribute, words: [u32; 4], mask: u16) {
        let next = self.next_vertex();
        let value = constants(words, mask);
        let (base, all): (usize, u32) = match what {
            Attribute::Color => {
                self.current.color = value;
                if !self.color_set {
                    self.color_set = true;
                    self.inherited.color = planted!(ColorForAll, 0, next);
                }
                (COLOR, 0xf)
            }
            Attribute::TexCoord => {
                self.current.tex_coord = value;
                if !self.tex_coord_set {
                    self.tex_coord_set = true;
                    self.inherited.tex_coord = next;
                }
                (TEX_COORD, 0xf)
            }
            Attribute::TexCoord1 => {
                self.current.tex_coord1 = value;
                if !self.tex_coord1_set {
                    self.tex_coord1_set = true;
                    self.inherited.tex_coord1 = next;
                }
                (TEX_COORD1, 0xf)
            }
            Attribute::Normal => {
                let [x, y, z, _] = value;
                self.current.normal = [x, y, z];
                if !self.normal_set {
                    self.normal_set = true;
                    self.inherited.normal = next;
                }
                (NORMAL, 0x7)
            }
        };
        planted!(RegisterStays, (), self.from_register &= !(all << base));
        if mask != 0 {
            self.dynamic = true;
            self.from_register |= u32::from(mask) << base;
            for (source, word) in self.sources.iter_mut().skip(base).zip(words) {
                *source = word;
            }
        }
    }

    #[inline]
    fn add_vertex(&mut self, words: [u32; 4], mask: u16, body: &mut Body) {
        if !self.pending.is_empty() {
            self.records.push(std::mem::take(&mut self.pending));
            self.current.record = planted!(
                RecordBefore,
                self.current.record,
                u32::try_from(self.records.len() - 1).unwrap_or(u32::MAX)
            );
        }
        self.current.position = constants(words, mask);
        if u32::from(mask) | self.from_register != 0 {
            self.patch_vertex(words, mask, body);
        }
        self.vertices.push(self.current);
    }

    fn patch_vertex(&mut self, words: [u32; 4], mask: u16, body: &mut Body) {
        self.dynamic = true;
        for (source, word) in self.sources.iter_mut().zip(words) {
            *source = word;
        }
        let words_from_registers = self.from_register | u32::from(mask) << POSITION;
        self.patch_words(LEADING + self.vertices.len(), words_from_registers, body);
    }

    /// Patches for the words `mask` of the buffer's vertex `vertex` from their sources.
    fn patch_words(&mut self, vertex: usize, mask: u32, body: &mut Body) {
        let mut rest = mask;
        while rest != 0 {
            let word = rest.trailing_zeros() as usize;
            rest &= rest - 1;
            let source = planted!(
                NeighbourRegister,
                self.sources.get(word.saturating_sub(usize::from(word == 9))).copied().unwrap_or_default(),
                self.sources.get(word).copied().unwrap_or_default()
            );
            self.patch(place(vertex, word), source, body);
        }
    }

    fn patch(&mut self, place: u32, source: u32, body: &mut Body) {
        if source < Patch::WORD {
            self.unstepped_reads |= 1 << source;
        }
        body.patches.push(Patch { place, source });
    }

    /// A soft-state command; bit `i` of `mask`: argument `i` is a register.
    pub(crate) fn soft(&mut self, command: Command, mask: u16, body: &mut Body) {
        let mut command = command;
        let record = u32::try_from(self.records.len()).unwrap_or(u32::MAX);
        let index = u32::try_from(self.pending.len()).unwrap_or(u32::MAX);
        for (arg, word) in (0u32..).zip(&mut command.args) {
            if mask >> arg & 1 != 0 {
                self.dynamic = true;
                let at = u32::try_from(self.places.len()).unwrap_or(u32::MAX) & !Patch::RECORD;
                self.places.push(RecordPlace { record, command: index, arg });
                self.patch(Patch::RECORD | at, *word, body);
                *word = 0;
            }
        }
        self.pending.push(command);
    }

    /// Before a step that writes register `d`: what still needs its old value takes it now.
    pub(crate) fn before_write(&mut self, d: u32, body: &mut Body) {
        if !self.open || !self.dynamic {
            return;
        }
        let mut rest = self.from_register;
        while rest != 0 {
            let word = rest.trailing_zeros() as usize;
            rest &= rest - 1;
            if planted!(CaptureForgotten, false, self.sources.get(word) == Some(&d)) {
                let captured = place(CAPTURED, word);
                self.patch(captured, d, body);
                if let Some(source) = self.sources.get_mut(word) {
                    *source = Patch::WORD + captured;
                }
            }
        }
        if planted!(PatchesTooLate, false, self.unstepped_reads >> d & 1 != 0) {
            self.step_patches(body);
        }
    }

    fn step_patches(&mut self, body: &mut Body) {
        let dynamic = index(body.dynamics.len());
        if !self.opened {
            self.opened = true;
            body.steps.push(Step::Open { dynamic });
        }
        if body.patches.len() > self.unstepped {
            let (first, end) = (index(self.unstepped), index(body.patches.len()));
            body.steps.push(Step::Patch { dynamic, first, end });
            self.unstepped = body.patches.len();
        }
        self.unstepped_reads = 0;
    }

    /// Adds a plain primitive to a segment of words: the open one, or one that begins at `start`.
    pub(crate) fn plain(&mut self, facts: &PrimitiveFacts, start: usize, end: usize) {
        if !self.open {
            self.open = true;
            self.assembly = primitive::assembly(facts.mode);
            self.records.push(Vec::new());
            self.words = Some(Words { start, end, vertices: 0, assembled: 0 });
        }
        if facts.vertices > 0 && !self.pending.is_empty() {
            self.records.push(std::mem::take(&mut self.pending));
        }
        if let Some(words) = &mut self.words {
            words.end = end;
            planted!(WordsWithoutRegisters, (), self.word_registers |= facts.registers);
            words.vertices = words.vertices.saturating_add(facts.vertices);
            let assembled = verifier::assembled(facts.mode, facts.vertices);
            words.assembled = words.assembled.saturating_add(u32::try_from(assembled).unwrap_or(u32::MAX));
        }
    }

    /// More words belong to the open segment of words.
    pub(crate) fn extend_words(&mut self, to: usize, registers: u32) {
        if let Some(words) = &mut self.words {
            words.end = to;
            self.word_registers |= registers;
        }
    }

    /// Gives up being words: nothing is open any more, and what these words say is to be added again.
    pub(crate) fn give_up_words(&mut self) -> Option<Words> {
        let words = self.words.take()?;
        self.word_registers = 0;
        self.open = false;
        self.records.clear();
        self.pending.clear();
        Some(words)
    }

    /// Ends the open segment, if any, and draws it.
    pub(crate) fn close(&mut self, program: &Arc<[u32]>, body: &mut Body) {
        if !self.open {
            return;
        }
        if let Some(Words { start, end, vertices, assembled }) = self.words.take() {
            let registers = std::mem::take(&mut self.word_registers);
            self.open = false;
            let (words, range) = if self.in_list {
                // A list outlives its program: it keeps words of its own.
                let own: Arc<[u32]> = program.get(start..end).unwrap_or_default().into();
                let all = 0..own.len();
                (own, all)
            } else {
                (Arc::clone(program), start..end)
            };
            if registers != 0 {
                self.records.clear();
                self.pending.clear();
                body.steps.push(Step::DrawWords { lazy: index(body.lazies.len()) });
                let (in_list, opened) = (self.in_list, OnceLock::new());
                let lazy = Lazy { words, range, registers, in_list, vertices, assembled, opened };
                body.lazies.push(Arc::new(lazy));
                return;
            }
            body.steps.push(Step::Draw { segment: index(body.segments.len()) });
            body.segments.push(Arc::new(Segment {
                id: SegmentId::new(),
                assembly: self.assembly,
                assembled,
                records: std::mem::take(&mut self.records),
                trailing: std::mem::take(&mut self.pending),
                immediate: !self.in_list,
                dynamic: false,
                content: Content::Words { words, range, vertices },
                summary: OnceLock::new(),
            }));
            return;
        }
        let count = self.next_vertex();
        let unset = |set: bool, inherited: u32| if set { inherited } else { count };
        let inherited = Inherited {
            color: unset(self.color_set, self.inherited.color),
            tex_coord: unset(self.tex_coord_set, self.inherited.tex_coord),
            tex_coord1: unset(self.tex_coord1_set, self.inherited.tex_coord1),
            normal: unset(self.normal_set, self.inherited.normal),
        };
        if self.dynamic {
            planted!(ExitNotPatched, (), self.patch_words(EXIT, self.from_register, body));
            self.step_patches(body);
        }
        let exit = self.current;
        let shape = Shape {
            vertices: self.vertices.as_slice().to_vec(),
            indices: self.indices.as_slice().to_vec(),
            primitives: std::mem::take(&mut self.primitives),
            inherited,
            exit: Attributes {
                color: self.color_set.then_some(exit.color),
                tex_coord: self.tex_coord_set.then_some(exit.tex_coord),
                tex_coord1: self.tex_coord1_set.then_some(exit.tex_coord1),
                normal: self.normal_set.then_some(exit.normal),
            },
        };
        let segment = Arc::new(Segment {
            id: SegmentId::new(),
            assembly: self.assembly,
            assembled: index(self.indices.len()),
            records: std::mem::take(&mut self.records),
            trailing: std::mem::take(&mut self.pending),
            immediate: !self.in_list,
            dynamic: self.dynamic,
            content: Content::Shape(Arc::new(shape)),
            summary: OnceLock::new(),
        });
        if self.dynamic {
            body.steps.push(Step::DrawOpen { dynamic: index(body.dynamics.len()) });
            body.dynamics.push(Dynamic { segment, exit, places: std::mem::take(&mut self.places) });
        } else {
            body.steps.push(Step::Draw { segment: index(body.segments.len()) });
            body.segments.push(segment);
        }
        self.vertices.clear();
        self.indices.clear();
        self.current = Vertex::default();
        self.from_register = 0;
        (self.color_set, self.tex_coord_set, self.tex_coord1_set, self.normal_set) =
            (false, false, false, false);
        self.inherited = Inherited::default();
        (self.open, self.dynamic, self.opened) = (false, false, false);
        self.unstepped_reads = 0;
    }

    fn next_vertex(&self) -> u32 {
        index(self.vertices.len())
    }
}

/// Indices of a program's tables: a program has at most 2^18 words.
pub(crate) fn index(i: usize) -> u32 {
    u32::try_from(i).unwrap_or(u32::MAX)
}

fn place(vertex: usize, word: usize) -> u32 {
    index(vertex * VERTEX_WORDS + word)
}

/// The constant words as numbers, 0 for registers.
#[inline]
fn constants(words: [u32; 4], mask: u16) -> [f32; 4] {
    if mask == 0 {
        return words.map(f32::from_bits);
    }
    let mut bit = 0;
    words.map(|word| {
        let constant = mask >> bit & 1 == 0;
        bit += 1;
        if constant { f32::from_bits(word) } else { 0.0 }
    })
}

/// The four words of a vertex op's position. `None`: it has other arguments.
#[inline]
fn position_of(op: VertexOp, args: &[u32]) -> Option<[u32; 4]> {
    match op {
        VertexOp::Vertex2 => args.first_chunk().map(|&[x, y]| [x, y, 0, ONE]),
        VertexOp::Vertex3 => args.first_chunk().map(|&[x, y, z]| [x, y, z, ONE]),
        VertexOp::Vertex4 => args.first_chunk().copied(),
    }
}

/// What an op sets of a vertex: the attribute, its four words, and which of them are registers. `None`: nothing, or it has
/// other arguments.
#[inline]
fn attribute_of(op: AttributeOp, args: &[u32], mask: u16) -> Option<(Attribute, [u32; 4], u16)> {
    match op {
        AttributeOp::Color4 => args.first_chunk().map(|&words| (Attribute::Color, words, mask)),
        AttributeOp::TexCoord2 => {
            args.first_chunk().map(|&[s, t]| (Attribute::TexCoord, [s, t, 0, ONE], mask))
        }
        AttributeOp::TexCoord4 => args.first_chunk().map(|&words| (Attribute::TexCoord, words, mask)),
        AttributeOp::MultiTexCoord4 => args.first_chunk().map(|&[unit, s, t, r, q]| {
            let first = unit == TextureUnit::Texture0.value();
            let what = if first { Attribute::TexCoord } else { Attribute::TexCoord1 };
            (what, [s, t, r, q], mask >> 1)
        }),
        AttributeOp::Normal3 => args.first_chunk().map(|&[x, y, z]| (Attribute::Normal, [x, y, z, 0], mask)),
        // Soft state.
        AttributeOp::Material => None,
    }
}
