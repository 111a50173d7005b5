//! Two receivers of GL work that draw nothing: one counts, one records.

use crate::gl::{Assembly, Attributes, Command, CommandOp, Dynamic, Gl, Segment};
use blinkgl::gl::TextureUnit;
use blinkgl::ops::{AttributeOp, DrawOp, StateOp};
use std::sync::Arc;

/// Counts what it is given.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct NullGl {
    /// Commands outside of segments.
    pub commands: u64,
    /// Segments.
    pub draws: u64,
    /// Indices of segments: vertices after assembly.
    pub vertices: u64,
}

impl Gl for NullGl {
    fn command(&mut self, _op: CommandOp, _args: &[u32]) {
        self.commands += 1;
    }

    fn draw(&mut self, segment: &Arc<Segment>, _dynamic: Option<Dynamic<'_>>) {
        self.draws += 1;
        self.vertices += u64::from(segment.assembled);
    }
}

/// The current attributes of OpenGL, as bits, so that they compare exactly.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Current {
    /// Color.
    pub color: [u32; 4],
    /// Texture coordinate of unit 0.
    pub tex_coord: [u32; 4],
    /// Texture coordinate of unit 1.
    pub tex_coord1: [u32; 4],
    /// Normal.
    pub normal: [u32; 3],
}

impl Default for Current {
    fn default() -> Current {
        Current {
            color: [1.0f32; 4].map(f32::to_bits),
            tex_coord: [0.0f32, 0.0, 0.0, 1.0].map(f32::to_bits),
            tex_coord1: [0.0f32, 0.0, 0.0, 1.0].map(f32::to_bits),
            normal: [0.0f32, 0.0, 1.0].map(f32::to_bits),
        }
    }
}

impl Current {
    /// Sets an attribute by its op. `false`: the op sets none (a material), or its arguments are others.
    pub fn set(&mut self, op: AttributeOp, args: &[u32]) -> bool {
        const ONE: u32 = 0x3f80_0000;
        let unit0 = TextureUnit::Texture0.value();
        let four = || args.first_chunk::<4>().copied();
        let (to, value) = match op {
            AttributeOp::Color4 => (&mut self.color, four()),
            AttributeOp::TexCoord2 => (&mut self.tex_coord, args.first_chunk().map(|&[s, t]| [s, t, 0, ONE])),
            AttributeOp::TexCoord4 => (&mut self.tex_coord, four()),
            AttributeOp::MultiTexCoord4 => {
                let to =
                    if args.first() == Some(&unit0) { &mut self.tex_coord } else { &mut self.tex_coord1 };
                (to, args.get(1..).and_then(|rest| rest.first_chunk().copied()))
            }
            AttributeOp::Normal3 => {
                let value = args.first_chunk::<3>();
                self.normal = value.copied().unwrap_or(self.normal);
                return value.is_some();
            }
            AttributeOp::Material => return false,
        };
        *to = value.unwrap_or(*to);
        value.is_some()
    }

    fn leave(&mut self, exit: &Attributes) {
        if let Some(color) = exit.color {
            self.color = color.map(f32::to_bits);
        }
        if let Some(tex_coord) = exit.tex_coord {
            self.tex_coord = tex_coord.map(f32::to_bits);
        }
        if let Some(tex_coord1) = exit.tex_coord1 {
            self.tex_coord1 = tex_coord1.map(f32::to_bits);
        }
        if let Some(normal) = exit.normal {
            self.normal = normal.map(f32::to_bits);
        }
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

/// A vertex with everything resolved.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TracedVertex {
    /// Object coordinates.
    pub position: [u32; 4],
    /// Its attributes.
    pub attributes: Current,
    /// State commands before it: which material, shade model and so on it has.
    pub commands: usize,
}

/// A point, line or triangle.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TracedPrimitive {
    /// Which of them.
    pub assembly: Assembly,
    /// One, two or three vertices; the last gives flat shading its color.
    pub vertices: Vec<TracedVertex>,
}

/// Records what a picture depends on, independent of how work was cut into segments: two executions
/// that compare equal draw the same.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct TraceGl {
    /// All commands that set no vertex attribute, in order.
    pub commands: Vec<Command>,
    /// All primitives, in order.
    pub primitives: Vec<TracedPrimitive>,
    /// The attributes in force at each command that uses them: `push_attrib`, `pop_attrib` and what draws arrays.
    pub used: Vec<Current>,
    /// The attributes at the end.
    pub current: Current,
}

impl Gl for TraceGl {
    fn command(&mut self, op: CommandOp, args: &[u32]) {
        let sets = match op {
            CommandOp::Attribute(op) => self.current.set(op, args),
            CommandOp::State(_) | CommandOp::Draw(_) => false,
        };
        if !sets {
            if uses_current(op) {
                self.used.push(self.current);
            }
            self.commands.push(Command { op, args: args.into() });
        }
    }

    fn draw(&mut self, segment: &Arc<Segment>, dynamic: Option<Dynamic<'_>>) {
        let shape = segment.shape();
        // How many commands there are when each record is in force.
        let mut counts = Vec::with_capacity(segment.records.len());
        for record in &segment.records {
            self.commands.extend_from_slice(record);
            counts.push(self.commands.len());
        }
        self.commands.extend_from_slice(&segment.trailing);
        let vertices = dynamic.map_or(shape.vertices.as_slice(), |d| d.vertices);
        let traced: Vec<TracedVertex> = (0u32..)
            .zip(vertices)
            .map(|(i, v)| {
                let mut attributes = self.current;
                attributes.leave(&Attributes {
                    color: (i >= shape.inherited.color).then_some(v.color),
                    tex_coord: (i >= shape.inherited.tex_coord).then_some(v.tex_coord),
                    tex_coord1: (i >= shape.inherited.tex_coord1).then_some(v.tex_coord1),
                    normal: (i >= shape.inherited.normal).then_some(v.normal),
                });
                let commands = counts.get(v.record as usize).copied().unwrap_or(usize::MAX);
                TracedVertex { position: v.position.map(f32::to_bits), attributes, commands }
            })
            .collect();
        for primitive in shape.indices.chunks(segment.assembly.corners()) {
            let vertices = primitive.iter().filter_map(|&i| traced.get(i as usize).copied()).collect();
            self.primitives.push(TracedPrimitive { assembly: segment.assembly, vertices });
        }
        self.current.leave(&dynamic.map_or(shape.exit, |d| d.exit));
    }
}
