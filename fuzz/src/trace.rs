//! What a run draws, independent of how the work was cut into segments: two runs that give the same trace draw
//! the same picture.
//!
//! A trace is some hashes, as millions of them are compared. It can keep all that went into them too, to show
//! where two runs part.

use blinkgl::ops::{AttributeOp, DrawOp, StateOp};
use jit::{CommandOp, Dynamic, Gl, Segment};
use std::sync::Arc;

const ONE: u32 = 0x3f80_0000;

/// The current vertex attributes of OpenGL, as bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Current {
    /// Color.
    pub color: [u32; 4],
    /// Texture coordinates of both units.
    pub tex_coords: [[u32; 4]; 2],
    /// Normal.
    pub normal: [u32; 3],
}

impl Default for Current {
    fn default() -> Current {
        let tex_coord = [0, 0, 0, ONE];
        Current { color: [ONE; 4], tex_coords: [tex_coord; 2], normal: [0, 0, ONE] }
    }
}

impl Current {
    /// Does what an op says that sets an attribute. Of a material nothing, and `false`.
    ///
    /// # Panics
    /// Operands are missing.
    pub fn set(&mut self, op: AttributeOp, args: &[u32]) -> bool {
        match op {
            AttributeOp::Color4 => self.color = [args[0], args[1], args[2], args[3]],
            AttributeOp::Normal3 => self.normal = [args[0], args[1], args[2]],
            AttributeOp::TexCoord2 => self.tex_coords[0] = [args[0], args[1], 0, ONE],
            AttributeOp::TexCoord4 => self.tex_coords[0] = [args[0], args[1], args[2], args[3]],
            AttributeOp::MultiTexCoord4 => {
                let unit = usize::from(args[0] != 0x84c0);
                self.tex_coords[unit] = [args[1], args[2], args[3], args[4]];
            }
            AttributeOp::Material => return false,
        }
        true
    }
}

/// Does a command depend on the current attributes?
fn uses_current(op: CommandOp) -> bool {
    use StateOp::*;
    match op {
        CommandOp::Draw(DrawOp::DrawArrays | DrawOp::DrawElements) => true,
        CommandOp::Draw(DrawOp::Clear) | CommandOp::Attribute(_) => false,
        CommandOp::State(PushAttrib | PopAttrib) => true,
        CommandOp::State(
            MatrixMode | LoadIdentity | LoadMatrix | MultMatrix | PushMatrix | PopMatrix | Translate | Rotate
            | Scale | Frustum | Ortho | Enable | Disable | ShadeModel | CullFace | FrontFace | DepthFunc
            | DepthMask | DepthRange | ColorMask | BlendFunc | Scissor | Viewport | ClearColor | ClearDepth
            | PointSize | LineWidth | BlendFuncSeparate | BlendEquation | BlendColor | LogicOp | AlphaFunc
            | StencilFunc | StencilOp | StencilMask | ClearStencil | PolygonMode | PolygonOffset
            | PointParameter | ClipPlane | FogMode | Fog | Light | LightModel | ColorMaterial | Hint
            | BindTexture | TexEnvMode | TexEnvColor | TexParameter | ActiveTexture | TexEnvCombine
            | TexEnvScale | TexGenMode | TexGenPlane | ArrayPointer | EnableArray,
        ) => false,
    }
}

/// A vertex with all that it depends on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Vertex {
    /// Object coordinates.
    pub position: [u32; 4],
    /// Its attributes.
    pub current: Current,
    /// State commands before it.
    pub commands: u32,
}

/// One thing of a trace, as it is kept to be shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Entry {
    /// A state command, with the current attributes if it uses them.
    Command(CommandOp, Vec<u32>, Option<Current>),
    /// A point, line or triangle.
    Primitive(Vec<Vertex>),
}

/// What was drawn so far.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Trace {
    /// State commands.
    pub commands: u32,
    /// Points, lines and triangles.
    pub primitives: u32,
    commands_hash: u64,
    primitives_hash: u64,
    /// Commands and primitives, each in order; kept if asked for.
    kept: Option<(Vec<Entry>, Vec<Entry>)>,
}

impl Trace {
    /// One that keeps everything.
    #[must_use]
    pub fn keeping() -> Trace {
        Trace { kept: Some(Default::default()), ..Trace::default() }
    }

    /// A state command, and the attributes in force.
    pub fn command(&mut self, op: CommandOp, args: &[u32], current: &Current) {
        let uses = uses_current(op);
        let mut hash = mix(self.commands_hash, u64::from(op.op().code()) << 32 | args.len() as u64);
        hash = mix_all(hash, args);
        if uses {
            hash = mix(hash, of_current(current));
        }
        self.commands_hash = hash;
        self.commands += 1;
        if let Some((commands, _)) = &mut self.kept {
            commands.push(Entry::Command(op, args.to_vec(), uses.then_some(*current)));
        }
    }

    /// A point, line or triangle.
    pub fn primitive(&mut self, corners: &[Corner]) {
        let mut hash = mix(self.primitives_hash, corners.len() as u64);
        for corner in corners {
            hash = mix(hash, corner.hash);
        }
        self.primitives_hash = hash;
        self.primitives += 1;
        if let Some((_, primitives)) = &mut self.kept {
            primitives.push(Entry::Primitive(corners.iter().map(|corner| corner.vertex).collect()));
        }
    }

    /// Where two traces part, in words.
    #[must_use]
    pub fn difference(&self, other: &Trace) -> String {
        let (Some(a), Some(b)) = (&self.kept, &other.kept) else { return "traces differ".to_owned() };
        for (what, a, b) in [("command", &a.0, &b.0), ("primitive", &a.1, &b.1)] {
            if let Some(at) = (0..a.len().max(b.len())).find(|&at| a.get(at) != b.get(at)) {
                return format!("{what} {at}: {:?} and {:?}", a.get(at), b.get(at));
            }
        }
        "no difference in what was kept".to_owned()
    }
}

/// A vertex with its hash, which is needed as often as it is a corner.
#[derive(Clone, Copy, Debug)]
pub struct Corner {
    vertex: Vertex,
    hash: u64,
}

impl Corner {
    /// That of a vertex.
    #[must_use]
    pub fn new(vertex: Vertex) -> Corner {
        let hash = mix_all(u64::from(vertex.commands), &vertex.position);
        Corner { vertex, hash: mix(hash, of_current(&vertex.current)) }
    }
}

fn of_current(current: &Current) -> u64 {
    let [first, second] = &current.tex_coords;
    mix_all(mix_all(mix_all(mix_all(0, &current.color), first), second), &current.normal)
}

fn mix(hash: u64, value: u64) -> u64 {
    (hash.rotate_left(23) ^ value).wrapping_mul(0x9e37_79b9_7f4a_7c15)
}

fn mix_all(hash: u64, words: &[u32]) -> u64 {
    words.iter().fold(hash, |hash, &word| mix(hash, u64::from(word)))
}

/// A receiver of a program's drawing that traces it, and says when slices are over.
#[derive(Debug, Default)]
pub struct Observer {
    /// What was drawn.
    pub trace: Trace,
    /// The attributes in force.
    pub current: Current,
    /// What was drawn at each yield point passed: the hash of each.
    pub yields: Vec<u64>,
    /// Fuel of commands outside of segments since the last yield point, and how many they are.
    since: (u32, u32),
    /// The most of it, where there were several.
    pub farthest: u32,
    /// At which yield points, counted from 0, the slice is over.
    pub over: Over,
    corners: Vec<Corner>,
    counts: Vec<u32>,
}

/// Yield points at which a slice is over.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Over {
    /// None.
    #[default]
    Never,
    /// One of them.
    At(usize),
    /// Every so many, not 0.
    Every(usize),
}

impl Over {
    /// Is the slice over at this yield point, counted from 0?
    #[must_use]
    pub fn is_at(self, nth: usize) -> bool {
        match self {
            Over::Never => false,
            Over::At(at) => at == nth,
            Over::Every(distance) => nth % distance == distance - 1,
        }
    }
}

impl Observer {
    /// One that goes on with a trace, and ends slices where `over` says.
    #[must_use]
    pub fn new(trace: Trace, over: Over) -> Observer {
        Observer { trace, over, ..Observer::default() }
    }
}

impl Gl for Observer {
    fn command(&mut self, op: CommandOp, args: &[u32]) {
        self.since = (self.since.0 + op.op().info().cost, self.since.1 + 1);
        if self.since.1 > 1 {
            self.farthest = self.farthest.max(self.since.0);
        }
        let sets = match op {
            CommandOp::Attribute(op) => self.current.set(op, args),
            CommandOp::State(_) | CommandOp::Draw(_) => false,
        };
        if !sets {
            self.trace.command(op, args, &self.current);
        }
    }

    fn draw(&mut self, segment: &Arc<Segment>, dynamic: Option<Dynamic<'_>>) {
        let shape = segment.shape();
        // How many commands there are when each record is in force.
        self.counts.clear();
        for record in &segment.records {
            for command in record {
                self.trace.command(command.op, &command.args, &self.current);
            }
            self.counts.push(self.trace.commands);
        }
        for command in &segment.trailing {
            self.trace.command(command.op, &command.args, &self.current);
        }
        let inherited = shape.inherited;
        self.corners.clear();
        for (i, v) in (0u32..).zip(dynamic.map_or(shape.vertices.as_slice(), |d| d.vertices)) {
            let mut current = self.current;
            if i >= inherited.color {
                current.color = v.color.map(f32::to_bits);
            }
            if i >= inherited.tex_coord {
                current.tex_coords[0] = v.tex_coord.map(f32::to_bits);
            }
            if i >= inherited.tex_coord1 {
                current.tex_coords[1] = v.tex_coord1.map(f32::to_bits);
            }
            if i >= inherited.normal {
                current.normal = v.normal.map(f32::to_bits);
            }
            let commands = self.counts.get(v.record as usize).copied().unwrap_or(u32::MAX);
            self.corners.push(Corner::new(Vertex {
                position: v.position.map(f32::to_bits),
                current,
                commands,
            }));
        }
        let mut corners = Vec::with_capacity(3);
        for primitive in shape.indices.chunks(segment.assembly.corners()) {
            corners.clear();
            corners.extend(primitive.iter().filter_map(|&i| self.corners.get(i as usize)));
            self.trace.primitive(&corners);
        }
        let exit = dynamic.map_or(shape.exit, |d| d.exit);
        if let Some(color) = exit.color {
            self.current.color = color.map(f32::to_bits);
        }
        if let Some(tex_coord) = exit.tex_coord {
            self.current.tex_coords[0] = tex_coord.map(f32::to_bits);
        }
        if let Some(tex_coord) = exit.tex_coord1 {
            self.current.tex_coords[1] = tex_coord.map(f32::to_bits);
        }
        if let Some(normal) = exit.normal {
            self.current.normal = normal.map(f32::to_bits);
        }
    }

    fn is_slice_over(&mut self) -> bool {
        let nth = self.yields.len();
        self.since = (0, 0);
        let trace = &self.trace;
        self.yields.push(mix(trace.commands_hash, trace.primitives_hash));
        self.over.is_at(nth)
    }
}
