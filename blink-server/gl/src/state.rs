//! A window's OpenGL state: plain data, no OpenGL objects, and what each command does to it.
//!
//! A command with a value that OpenGL would answer with an error (an overflowing matrix stack, a
//! frustum without depth; both can come out of registers) is ignored, as OpenGL does.

mod attributes;

use super::arrays::{self, ARRAYS, ArrayPointer};
use super::matrix::Matrix;
use attributes::Saved;
use blinkgl::gl;
use blinkgl::layout::texture::{Levels, TextureDesc};
use blinkgl::limits::{
    MAX_CLIP_PLANES, MAX_LIGHTS, MAX_OBJECTS, MAX_TEXTURE_UNITS, MODELVIEW_STACK, PROJECTION_STACK,
    TEXTURE_STACK,
};
use blinkgl::ops::{AttributeOp, DrawOp, StateOp};
use jit::{Assembly, Attributes, CommandOp, Dynamic, Gl, Segment};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Values of OpenGL enumerants that the state interprets.
mod value {
    use blinkgl::gl::{
        Capability, ClipPlane, Face, FogParameter, LightModelParameter, LightParameter, MaterialParameter,
        MatrixMode, PointParameter, ShadeModel, TexCoordinate, TexEnvParameter, TexEnvScale, TexGenPlane,
        TexParameter, TextureUnit,
    };

    pub const FRONT: u32 = Face::Front.value();
    pub const BACK: u32 = Face::Back.value();
    pub const AMBIENT: u32 = MaterialParameter::Ambient.value();
    pub const DIFFUSE: u32 = MaterialParameter::Diffuse.value();
    pub const SPECULAR: u32 = MaterialParameter::Specular.value();
    pub const POSITION: u32 = LightParameter::Position.value();
    pub const SPOT_DIRECTION: u32 = LightParameter::SpotDirection.value();
    pub const SPOT_EXPONENT: u32 = LightParameter::SpotExponent.value();
    pub const SPOT_CUTOFF: u32 = LightParameter::SpotCutoff.value();
    pub const CONSTANT_ATTENUATION: u32 = LightParameter::ConstantAttenuation.value();
    pub const LINEAR_ATTENUATION: u32 = LightParameter::LinearAttenuation.value();
    pub const QUADRATIC_ATTENUATION: u32 = LightParameter::QuadraticAttenuation.value();
    pub const EMISSION: u32 = MaterialParameter::Emission.value();
    pub const SHININESS: u32 = MaterialParameter::Shininess.value();
    pub const AMBIENT_AND_DIFFUSE: u32 = MaterialParameter::AmbientAndDiffuse.value();
    pub const MODELVIEW: u32 = MatrixMode::Modelview.value();
    pub const PROJECTION: u32 = MatrixMode::Projection.value();
    pub const FLAT: u32 = ShadeModel::Flat.value();
    pub const LOCAL_VIEWER: u32 = LightModelParameter::LocalViewer.value();
    pub const TWO_SIDE: u32 = LightModelParameter::TwoSide.value();
    pub const CULL_FACE: u32 = Capability::CullFace.value();
    pub const LIGHTING: u32 = Capability::Lighting.value();
    pub const COLOR_MATERIAL: u32 = Capability::ColorMaterial.value();
    pub const DEPTH_TEST: u32 = Capability::DepthTest.value();
    pub const NORMALIZE: u32 = Capability::Normalize.value();
    pub const BLEND: u32 = Capability::Blend.value();
    pub const SCISSOR_TEST: u32 = Capability::ScissorTest.value();
    pub const TEXTURE_2D: u32 = Capability::Texture2d.value();
    pub const RESCALE_NORMAL: u32 = Capability::RescaleNormal.value();
    pub const LIGHT0: u32 = Capability::Light0.value();
    pub const MAG_FILTER: u32 = TexParameter::MagFilter.value();
    pub const MIN_FILTER: u32 = TexParameter::MinFilter.value();
    pub const WRAP_S: u32 = TexParameter::WrapS.value();
    pub const FOG: u32 = Capability::Fog.value();
    pub const STENCIL_TEST: u32 = Capability::StencilTest.value();
    pub const ALPHA_TEST: u32 = Capability::AlphaTest.value();
    pub const COLOR_LOGIC_OP: u32 = Capability::ColorLogicOp.value();
    pub const TEXTURE_GEN_S: u32 = Capability::TextureGenS.value();
    pub const POLYGON_OFFSET_POINT: u32 = Capability::PolygonOffsetPoint.value();
    pub const POLYGON_OFFSET_LINE: u32 = Capability::PolygonOffsetLine.value();
    pub const POLYGON_OFFSET_FILL: u32 = Capability::PolygonOffsetFill.value();
    pub const CLIP_PLANE0: u32 = ClipPlane::ClipPlane0.value();
    pub const SIZE_MIN: u32 = PointParameter::SizeMin.value();
    pub const SIZE_MAX: u32 = PointParameter::SizeMax.value();
    pub const FADE_THRESHOLD_SIZE: u32 = PointParameter::FadeThresholdSize.value();
    pub const FOG_DENSITY: u32 = FogParameter::Density.value();
    pub const FOG_START: u32 = FogParameter::Start.value();
    pub const FOG_END: u32 = FogParameter::End.value();
    pub const TEXTURE0: u32 = TextureUnit::Texture0.value();
    pub const COMBINE_RGB: u32 = TexEnvParameter::CombineRgb.value();
    pub const COMBINE_ALPHA: u32 = TexEnvParameter::CombineAlpha.value();
    pub const SRC0_RGB: u32 = TexEnvParameter::Src0Rgb.value();
    pub const SRC0_ALPHA: u32 = TexEnvParameter::Src0Alpha.value();
    pub const OPERAND0_RGB: u32 = TexEnvParameter::Operand0Rgb.value();
    pub const OPERAND0_ALPHA: u32 = TexEnvParameter::Operand0Alpha.value();
    pub const RGB_SCALE: u32 = TexEnvScale::RgbScale.value();
    pub const S: u32 = TexCoordinate::S.value();
    pub const OBJECT_PLANE: u32 = TexGenPlane::ObjectPlane.value();
}

/// One face's material.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Material {
    /// Ambient reflection.
    pub ambient: [f32; 4],
    /// Diffuse reflection; its alpha is the lit color's.
    pub diffuse: [f32; 4],
    /// Specular reflection.
    pub specular: [f32; 4],
    /// Light of its own.
    pub emission: [f32; 4],
    /// Specular exponent.
    pub shininess: f32,
}

impl Default for Material {
    fn default() -> Self {
        Material {
            ambient: [0.2, 0.2, 0.2, 1.0],
            diffuse: [0.8, 0.8, 0.8, 1.0],
            specular: [0.0, 0.0, 0.0, 1.0],
            emission: [0.0, 0.0, 0.0, 1.0],
            shininess: 0.0,
        }
    }
}

/// A light. Position and direction in eye coordinates.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Light {
    /// Ambient color.
    pub ambient: [f32; 4],
    /// Diffuse color.
    pub diffuse: [f32; 4],
    /// Specular color.
    pub specular: [f32; 4],
    /// Position; w = 0: direction.
    pub position: [f32; 4],
    /// Where a spot points.
    pub spot_direction: [f32; 3],
    /// How it is focused.
    pub spot_exponent: f32,
    /// Half its cone in degrees; 180: no spot.
    pub spot_cutoff: f32,
    /// Constant, linear, quadratic.
    pub attenuation: [f32; 3],
}

impl Light {
    fn new(index: usize) -> Light {
        let color = if index == 0 { [1.0; 4] } else { [0.0, 0.0, 0.0, 1.0] };
        Light {
            ambient: [0.0, 0.0, 0.0, 1.0],
            diffuse: color,
            specular: color,
            position: [0.0, 0.0, 1.0, 0.0],
            spot_direction: [0.0, 0.0, -1.0],
            spot_exponent: 0.0,
            spot_cutoff: 180.0,
            attenuation: [1.0, 0.0, 0.0],
        }
    }
}

/// Lights and light model: what changes between draws only rarely.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Lights {
    /// The lights.
    pub lights: [Light; MAX_LIGHTS],
    /// Ambient color of the scene.
    pub ambient: [f32; 4],
    /// The eye is at the origin, not far away.
    pub local_viewer: bool,
}

/// What the vertex stage consumes and the record carries, matrices aside.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Soft {
    /// Front and back.
    pub materials: [Material; 2],
    /// Flat shading.
    pub flat: bool,
    /// Lighting is on.
    pub lighting: bool,
    /// Lights that are on, by bit.
    pub lights: u32,
    /// glColorMaterial is on.
    pub color_material: bool,
    /// Faces that it tracks: bit 0 front, bit 1 back.
    pub color_material_faces: u32,
    /// What it tracks.
    pub color_material_mode: u32,
    /// Normals are made unit vectors.
    pub normalize: bool,
    /// Normals are rescaled.
    pub rescale: bool,
}

/// A rectangle in window coordinates, from the lower left; sides not negative.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Area {
    /// Left.
    pub x: i32,
    /// Bottom.
    pub y: i32,
    /// Width.
    pub width: i32,
    /// Height.
    pub height: i32,
}

/// Filters and wraps of a texture.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Sampling {
    /// GL_TEXTURE_MAG_FILTER.
    pub mag: u32,
    /// GL_TEXTURE_MIN_FILTER.
    pub min: u32,
    /// GL_TEXTURE_WRAP_S.
    pub wrap_s: u32,
    /// GL_TEXTURE_WRAP_T.
    pub wrap_t: u32,
}

impl Sampling {
    /// Does any filter mix texels?
    #[must_use]
    pub fn is_smooth(&self) -> bool {
        // GL_NEAREST and the mipmap filters that take the nearest texel.
        let nearest = [
            gl::TexValue::Nearest.value(),
            gl::TexValue::NearestMipmapNearest.value(),
            gl::TexValue::NearestMipmapLinear.value(),
        ];
        !(nearest.contains(&self.mag) && nearest.contains(&self.min))
    }
}

/// No minification filter was set.
const INITIAL: u32 = 0;

impl Default for Sampling {
    fn default() -> Self {
        let (linear, repeat) = (gl::TexValue::Linear.value(), gl::TexValue::Repeat.value());
        Sampling { mag: linear, min: INITIAL, wrap_s: repeat, wrap_t: repeat }
    }
}

impl Sampling {
    /// How a texture is sampled. OpenGL's initial minification filter needs mipmaps; where there are none, textures
    /// are smooth instead of invalid.
    #[must_use]
    pub fn of(self, texture: &TextureDesc) -> Sampling {
        let min = match self.min {
            INITIAL if matches!(texture.levels, Levels::Given(0 | 1)) => gl::TexValue::Linear.value(),
            INITIAL => gl::TexValue::NearestMipmapLinear.value(),
            set => set,
        };
        Sampling { min, ..self }
    }
}

/// One texture unit's `combine`: functions, sources and operands as OpenGL numbers them.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Combine {
    /// Functions of color and alpha.
    pub functions: [u32; 2],
    /// Sources of color.
    pub sources_rgb: [u32; 3],
    /// Sources of alpha.
    pub sources_alpha: [u32; 3],
    /// Operands of color.
    pub operands_rgb: [u32; 3],
    /// Operands of alpha.
    pub operands_alpha: [u32; 3],
    /// Scales of color and alpha: 1, 2 or 4.
    pub scales: [f32; 2],
}

impl Default for Combine {
    fn default() -> Self {
        let [function, texture, previous, constant, color, alpha] = [
            gl::TexEnvValue::Modulate,
            gl::TexEnvValue::Texture,
            gl::TexEnvValue::Previous,
            gl::TexEnvValue::Constant,
            gl::TexEnvValue::SrcColor,
            gl::TexEnvValue::SrcAlpha,
        ]
        .map(gl::TexEnvValue::value);
        Combine {
            functions: [function; 2],
            sources_rgb: [texture, previous, constant],
            sources_alpha: [texture, previous, constant],
            operands_rgb: [color, color, alpha],
            operands_alpha: [alpha; 3],
            scales: [1.0; 2],
        }
    }
}

/// How one texture coordinate is generated.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Generation {
    /// GL_TEXTURE_GEN_S and so on.
    pub on: bool,
    /// GL_TEXTURE_GEN_MODE.
    pub mode: u32,
    /// GL_OBJECT_PLANE.
    pub object_plane: [f32; 4],
    /// GL_EYE_PLANE, in eye coordinates.
    pub eye_plane: [f32; 4],
}

impl Generation {
    fn new(coordinate: usize) -> Generation {
        let plane = match coordinate {
            0 => [1.0, 0.0, 0.0, 0.0],
            1 => [0.0, 1.0, 0.0, 0.0],
            _ => [0.0; 4],
        };
        Generation {
            on: false,
            mode: gl::TexGenMode::EyeLinear.value(),
            object_plane: plane,
            eye_plane: plane,
        }
    }
}

/// A texture unit, its matrices aside.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Unit {
    /// GL_TEXTURE_2D.
    pub on: bool,
    /// OID of the bound texture; 0 = none.
    pub texture: u32,
    /// Sampling of the bound texture.
    pub sampling: Sampling,
    /// GL_TEXTURE_ENV_MODE.
    pub env_mode: u32,
    /// GL_TEXTURE_ENV_COLOR.
    pub env_color: [f32; 4],
    /// What GL_COMBINE does.
    pub combine: Combine,
    /// Generation of s, t, r, q.
    pub generation: [Generation; 4],
}

impl Default for Unit {
    fn default() -> Self {
        Unit {
            on: false,
            texture: 0,
            sampling: Sampling::default(),
            env_mode: gl::TexEnvMode::Modulate.value(),
            env_color: [0.0; 4],
            combine: Combine::default(),
            generation: std::array::from_fn(Generation::new),
        }
    }
}

/// Fog.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Fog {
    /// GL_FOG.
    pub on: bool,
    /// GL_FOG_MODE.
    pub mode: u32,
    /// GL_FOG_DENSITY.
    pub density: f32,
    /// GL_FOG_START.
    pub start: f32,
    /// GL_FOG_END.
    pub end: f32,
    /// GL_FOG_COLOR.
    pub color: [f32; 4],
}

/// The stencil test.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stencil {
    /// GL_STENCIL_TEST.
    pub on: bool,
    /// glStencilFunc.
    pub function: u32,
    /// Its reference.
    pub reference: i32,
    /// Its mask.
    pub mask: u32,
    /// glStencilOp: stencil fails, depth fails, both pass.
    pub operations: [u32; 3],
    /// glStencilMask.
    pub write_mask: u32,
}

/// Points.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Points {
    /// glPointSize.
    pub size: f32,
    /// GL_POINT_SIZE_MIN.
    pub min: f32,
    /// GL_POINT_SIZE_MAX.
    pub max: f32,
    /// GL_POINT_FADE_THRESHOLD_SIZE: kept, without effect.
    pub fade_threshold: f32,
    /// GL_POINT_DISTANCE_ATTENUATION.
    pub attenuation: [f32; 3],
}

/// State that ends a draw when it changes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Hard {
    /// GL_DEPTH_TEST.
    pub depth_test: bool,
    /// glDepthFunc.
    pub depth_func: u32,
    /// glDepthMask.
    pub depth_mask: bool,
    /// glDepthRange.
    pub depth_range: [f32; 2],
    /// The stencil test.
    pub stencil: Stencil,
    /// GL_CULL_FACE.
    pub cull: bool,
    /// glCullFace.
    pub cull_face: u32,
    /// glFrontFace.
    pub front_face: u32,
    /// glPolygonMode of front and back.
    pub polygon_mode: [u32; 2],
    /// glPolygonOffset: factor, units.
    pub polygon_offset: [f32; 2],
    /// It is on for points, lines, filled polygons.
    pub polygon_offset_on: [bool; 3],
    /// GL_BLEND.
    pub blend: bool,
    /// glBlendFuncSeparate: source and destination of color, then of alpha.
    pub blend_func: [u32; 4],
    /// glBlendEquationSeparate.
    pub blend_equation: [u32; 2],
    /// glBlendColor.
    pub blend_color: [f32; 4],
    /// GL_COLOR_LOGIC_OP.
    pub logic: bool,
    /// glLogicOp.
    pub logic_op: u32,
    /// GL_ALPHA_TEST.
    pub alpha_test: bool,
    /// glAlphaFunc's function.
    pub alpha_func: u32,
    /// Its reference.
    pub alpha_reference: f32,
    /// glColorMask.
    pub color_mask: [bool; 4],
    /// GL_SCISSOR_TEST.
    pub scissor_test: bool,
    /// glScissor.
    pub scissor: Area,
    /// glViewport.
    pub viewport: Area,
    /// Texture units.
    pub units: [Unit; MAX_TEXTURE_UNITS],
    /// The matrix of the second unit (the first one's is in the records).
    pub texture_matrix_1: Matrix,
    /// Points.
    pub points: Points,
    /// glLineWidth.
    pub line_width: f32,
    /// Fog.
    pub fog: Fog,
    /// Clip planes in eye coordinates.
    pub clip_planes: [[f32; 4]; MAX_CLIP_PLANES],
    /// Those that are on, by bit.
    pub clip_planes_on: u32,
    /// Both faces are lit (GL_LIGHT_MODEL_TWO_SIDE): another shader.
    pub two_side: bool,
}

impl Hard {
    /// Are primitives of this assembly drawn as their borders or corners?
    #[must_use]
    pub fn is_outlined(&self, assembly: Assembly) -> bool {
        assembly == Assembly::Triangles && self.polygon_mode != [FILL; 2]
    }

    fn new(all: Area) -> Hard {
        Hard {
            depth_test: false,
            depth_func: gl::Comparison::Less.value(),
            depth_mask: true,
            depth_range: [0.0, 1.0],
            stencil: Stencil {
                on: false,
                function: gl::Comparison::Always.value(),
                reference: 0,
                mask: u32::MAX,
                operations: [gl::StencilOp::Keep.value(); 3],
                write_mask: u32::MAX,
            },
            cull: false,
            cull_face: value::BACK,
            front_face: gl::Winding::Ccw.value(),
            polygon_mode: [FILL; 2],
            polygon_offset: [0.0; 2],
            polygon_offset_on: [false; 3],
            blend: false,
            blend_func: [1, 0, 1, 0],
            blend_equation: [gl::BlendEquation::Add.value(); 2],
            blend_color: [0.0; 4],
            logic: false,
            logic_op: gl::LogicOp::Copy.value(),
            alpha_test: false,
            alpha_func: gl::Comparison::Always.value(),
            alpha_reference: 0.0,
            color_mask: [true; 4],
            scissor_test: false,
            scissor: all,
            viewport: all,
            units: [Unit::default(); MAX_TEXTURE_UNITS],
            texture_matrix_1: Matrix::IDENTITY,
            points: Points {
                size: 1.0,
                min: 0.0,
                max: MAX_POINT_SIZE,
                fade_threshold: 1.0,
                attenuation: [1.0, 0.0, 0.0],
            },
            line_width: 1.0,
            fog: Fog {
                on: false,
                mode: gl::FogMode::Exp.value(),
                density: 1.0,
                start: 0.0,
                end: 1.0,
                color: [0.0; 4],
            },
            clip_planes: [[0.0; 4]; MAX_CLIP_PLANES],
            clip_planes_on: 0,
            two_side: false,
        }
    }
}

/// GL_FILL.
pub const FILL: u32 = gl::PolygonMode::Fill.value();
/// GL_LINE.
pub const LINE: u32 = gl::PolygonMode::Line.value();
/// GL_COMBINE.
pub const COMBINE: u32 = gl::TexEnvMode::Combine.value();
/// GL_CLAMP.
pub const CLAMP: u32 = gl::TexValue::Clamp.value();

/// GL_POINT_SIZE_MAX at first: what OpenGL draws is clamped to what it can.
const MAX_POINT_SIZE: f32 = 8192.0;

/// A window's OpenGL state.
#[derive(Clone, Debug, PartialEq)]
pub struct WindowState {
    mode: u32,
    /// The active texture unit.
    active: usize,
    modelview: Vec<Matrix>,
    projection: Vec<Matrix>,
    texture_matrices: [Vec<Matrix>; MAX_TEXTURE_UNITS],
    /// glPushAttrib: groups, and the state of the moment.
    attributes: Vec<(u32, Box<Saved>)>,
    /// Current color.
    pub color: [f32; 4],
    /// Current normal.
    pub normal: [f32; 3],
    /// Current texture coordinate of unit 0.
    pub tex_coord: [f32; 4],
    /// Current texture coordinate of unit 1.
    pub tex_coord1: [f32; 4],
    /// Soft state.
    pub soft: Soft,
    /// Lights.
    pub lights: Lights,
    /// Hard state.
    pub hard: Hard,
    /// glClearColor.
    pub clear_color: [f32; 4],
    /// glClearDepth.
    pub clear_depth: f32,
    /// glClearStencil.
    pub clear_stencil: i32,
    /// Vertex arrays.
    pub arrays: [ArrayPointer; ARRAYS],
    /// glTexParameter of textures that had any, by OID.
    samplings: BTreeMap<u32, Sampling>,
}

/// All of a window.
fn all(width: u32, height: u32) -> Area {
    let side = |pixels: u32| i32::try_from(pixels).unwrap_or(i32::MAX);
    Area { x: 0, y: 0, width: side(width), height: side(height) }
}

impl WindowState {
    /// The window has another size, and no program that says what follows from it: a viewport or scissor that was the whole
    /// window is so again, as GLUT's default `reshape` does.
    pub fn follow(&mut self, before: (u32, u32), now: (u32, u32)) {
        let (before, now) = (all(before.0, before.1), all(now.0, now.1));
        for area in [&mut self.hard.viewport, &mut self.hard.scissor] {
            if *area == before {
                *area = now;
            }
        }
    }

    /// OpenGL's initial state for a window of this size.
    #[must_use]
    pub fn new(width: u32, height: u32) -> WindowState {
        let all = all(width, height);
        WindowState {
            mode: value::MODELVIEW,
            active: 0,
            modelview: vec![Matrix::IDENTITY],
            projection: vec![Matrix::IDENTITY],
            texture_matrices: std::array::from_fn(|_| vec![Matrix::IDENTITY]),
            attributes: Vec::new(),
            color: [1.0; 4],
            normal: [0.0, 0.0, 1.0],
            tex_coord: [0.0, 0.0, 0.0, 1.0],
            tex_coord1: [0.0, 0.0, 0.0, 1.0],
            soft: Soft {
                materials: [Material::default(); 2],
                flat: false,
                lighting: false,
                lights: 0,
                color_material: false,
                color_material_faces: 3,
                color_material_mode: value::AMBIENT_AND_DIFFUSE,
                normalize: false,
                rescale: false,
            },
            lights: Lights {
                lights: std::array::from_fn(Light::new),
                ambient: [0.2, 0.2, 0.2, 1.0],
                local_viewer: false,
            },
            hard: Hard::new(all),
            clear_color: [0.0; 4],
            clear_depth: 1.0,
            clear_stencil: 0,
            arrays: std::array::from_fn(ArrayPointer::new),
            samplings: BTreeMap::new(),
        }
    }

    /// Each callback starts in matrix mode modelview, with texture unit 0 active, and pops what it pushes.
    pub fn start_callback(&mut self) {
        self.mode = value::MODELVIEW;
        self.active = 0;
        self.attributes.clear();
    }

    /// All bits of the stencil buffer are written.
    #[must_use]
    pub fn stencil_mask_open(&self) -> bool {
        self.hard.stencil.write_mask & 0xff == 0xff
    }

    /// The stencil test is on.
    #[must_use]
    pub fn stencil_test(&self) -> bool {
        self.hard.stencil.on
    }

    /// Is this texture bound to a unit, or does an array lie in this buffer?
    #[must_use]
    pub fn binds(&self, oid: u32) -> bool {
        self.hard.units.iter().any(|unit| unit.texture == oid)
            || self.arrays.iter().any(|array| array.buffer == oid)
    }

    /// Do matrix commands change a texture matrix?
    #[must_use]
    pub fn is_texture_mode(&self) -> bool {
        !matches!(self.mode, value::MODELVIEW | value::PROJECTION)
    }

    /// Nothing is confined by the scissor test.
    #[must_use]
    pub fn scissor_open(&self) -> bool {
        !self.hard.scissor_test
    }

    /// All color channels are written.
    #[must_use]
    pub fn color_mask_open(&self) -> bool {
        self.hard.color_mask == [true; 4]
    }

    /// Depth is written.
    #[must_use]
    pub fn depth_mask_open(&self) -> bool {
        self.hard.depth_mask
    }

    /// The depth test is on.
    #[must_use]
    pub fn depth_test(&self) -> bool {
        self.hard.depth_test
    }

    /// The modelview matrix.
    #[must_use]
    pub fn modelview(&self) -> &Matrix {
        top(&self.modelview)
    }

    /// The projection matrix.
    #[must_use]
    pub fn projection(&self) -> &Matrix {
        top(&self.projection)
    }

    /// The first unit's texture matrix.
    #[must_use]
    pub fn texture_matrix(&self) -> &Matrix {
        top(&self.texture_matrices[0])
    }

    fn stack(&mut self) -> (&mut Vec<Matrix>, usize) {
        match self.mode {
            value::MODELVIEW => (&mut self.modelview, MODELVIEW_STACK),
            value::PROJECTION => (&mut self.projection, PROJECTION_STACK),
            _ => (&mut self.texture_matrices[self.active % MAX_TEXTURE_UNITS], TEXTURE_STACK),
        }
    }

    /// The active texture unit.
    fn unit(&mut self) -> &mut Unit {
        &mut self.hard.units[self.active % MAX_TEXTURE_UNITS]
    }

    fn set_matrix(&mut self, matrix: Matrix) {
        if let Some(top) = self.stack().0.last_mut() {
            *top = matrix;
        }
        self.follow_texture_matrix();
    }

    /// The second unit's texture matrix is hard state.
    fn follow_texture_matrix(&mut self) {
        if self.is_texture_mode() {
            self.hard.texture_matrix_1 = *top(&self.texture_matrices[1]);
        }
    }

    fn multiply(&mut self, matrix: &Matrix) {
        if let Some(top) = self.stack().0.last_mut() {
            *top = top.multiply(matrix);
        }
        self.follow_texture_matrix();
    }

    /// The current attributes become these, where there are some.
    pub fn set_attributes(&mut self, attributes: &Attributes) {
        if let Some(color) = attributes.color {
            self.set_color(color);
        }
        self.tex_coord = attributes.tex_coord.unwrap_or(self.tex_coord);
        self.tex_coord1 = attributes.tex_coord1.unwrap_or(self.tex_coord1);
        self.normal = attributes.normal.unwrap_or(self.normal);
    }

    fn set_color(&mut self, color: [f32; 4]) {
        self.color = color;
        self.track_color();
    }

    /// Under glColorMaterial, the current color is the material's.
    fn track_color(&mut self) {
        if !self.soft.color_material {
            return;
        }
        let (color, mode) = (self.color, self.soft.color_material_mode);
        for (face, material) in self.soft.materials.iter_mut().enumerate() {
            if self.soft.color_material_faces >> face & 1 != 0 {
                set_material(material, mode, color);
            }
        }
    }

    /// A command changes the state. What draws does not.
    #[inline]
    pub fn command(&mut self, op: impl Into<CommandOp>, args: &[u32]) {
        match op.into() {
            CommandOp::State(op) => self.state(op, args),
            CommandOp::Attribute(op) => self.attribute(op, args),
            CommandOp::Draw(DrawOp::Clear | DrawOp::DrawArrays | DrawOp::DrawElements) => {}
        }
    }

    fn attribute(&mut self, op: AttributeOp, args: &[u32]) {
        let word = |i: usize| args.get(i).copied().unwrap_or(0);
        let float = |i: usize| f32::from_bits(word(i));
        let four = |i: usize| [float(i), float(i + 1), float(i + 2), float(i + 3)];
        match op {
            AttributeOp::Color4 => self.set_color(four(0)),
            AttributeOp::Normal3 => self.normal = [float(0), float(1), float(2)],
            AttributeOp::TexCoord2 => self.tex_coord = [float(0), float(1), 0.0, 1.0],
            AttributeOp::TexCoord4 => self.tex_coord = four(0),
            AttributeOp::MultiTexCoord4 if word(0) == value::TEXTURE0 => self.tex_coord = four(1),
            AttributeOp::MultiTexCoord4 => self.tex_coord1 = four(1),
            AttributeOp::Material => self.material(word(0), word(1), four(2)),
        }
    }

    fn state(&mut self, op: StateOp, args: &[u32]) {
        let word = |i: usize| args.get(i).copied().unwrap_or(0);
        let float = |i: usize| f32::from_bits(word(i));
        let int = |i: usize| word(i).cast_signed();
        let four = |i: usize| [float(i), float(i + 1), float(i + 2), float(i + 3)];
        let on = |i: usize| word(i) != 0;
        match op {
            StateOp::MatrixMode => self.mode = word(0),
            StateOp::LoadIdentity => self.set_matrix(Matrix::IDENTITY),
            StateOp::LoadMatrix => self.set_matrix(Matrix(std::array::from_fn(float))),
            StateOp::MultMatrix => self.multiply(&Matrix(std::array::from_fn(float))),
            StateOp::PushMatrix => {
                let (stack, depth) = self.stack();
                if stack.len() < depth {
                    stack.push(*top(stack));
                }
            }
            StateOp::PopMatrix => {
                let (stack, _) = self.stack();
                if stack.len() > 1 {
                    stack.pop();
                }
                self.follow_texture_matrix();
            }
            StateOp::Translate => self.multiply(&Matrix::translation(float(0), float(1), float(2))),
            StateOp::Rotate => self.multiply(&Matrix::rotation(float(0), float(1), float(2), float(3))),
            StateOp::Scale => self.multiply(&Matrix::scaling(float(0), float(1), float(2))),
            StateOp::Frustum => {
                if let Some(matrix) = Matrix::frustum(std::array::from_fn(float)) {
                    self.multiply(&matrix);
                }
            }
            StateOp::Ortho => {
                if let Some(matrix) = Matrix::ortho(std::array::from_fn(float)) {
                    self.multiply(&matrix);
                }
            }
            StateOp::Enable => self.capability(word(0), true),
            StateOp::Disable => self.capability(word(0), false),
            StateOp::ShadeModel => self.soft.flat = word(0) == value::FLAT,
            StateOp::CullFace => self.hard.cull_face = word(0),
            StateOp::FrontFace => self.hard.front_face = word(0),
            StateOp::DepthFunc => self.hard.depth_func = word(0),
            StateOp::DepthMask => self.hard.depth_mask = on(0),
            StateOp::DepthRange => self.hard.depth_range = [unit(float(0)), unit(float(1))],
            StateOp::ColorMask => self.hard.color_mask = [on(0), on(1), on(2), on(3)],
            StateOp::BlendFunc => self.hard.blend_func = [word(0), word(1), word(0), word(1)],
            StateOp::BlendFuncSeparate => self.hard.blend_func = [word(0), word(1), word(2), word(3)],
            StateOp::BlendEquation => self.hard.blend_equation = [word(0), word(1)],
            StateOp::BlendColor => self.hard.blend_color = four(0).map(unit),
            StateOp::LogicOp => self.hard.logic_op = word(0),
            StateOp::AlphaFunc => {
                self.hard.alpha_func = word(0);
                self.hard.alpha_reference = unit(float(1));
            }
            StateOp::StencilFunc => {
                let stencil = &mut self.hard.stencil;
                (stencil.function, stencil.reference, stencil.mask) = (word(0), int(1), word(2));
            }
            StateOp::StencilOp => self.hard.stencil.operations = [word(0), word(1), word(2)],
            StateOp::StencilMask => self.hard.stencil.write_mask = word(0),
            StateOp::ClearStencil => self.clear_stencil = int(0),
            StateOp::PolygonMode => {
                for (face, mode) in self.hard.polygon_mode.iter_mut().enumerate() {
                    if faces(word(0)) >> face & 1 != 0 {
                        *mode = word(1);
                    }
                }
            }
            StateOp::PolygonOffset => self.hard.polygon_offset = [float(0), float(1)],
            StateOp::PointParameter => self.point_parameter(word(0), [float(1), float(2), float(3)]),
            StateOp::ClipPlane => {
                let plane =
                    self.modelview().inverse().transform_plane([float(1), float(2), float(3), float(4)]);
                let index = usize::try_from(word(0).wrapping_sub(value::CLIP_PLANE0)).unwrap_or(usize::MAX);
                if let Some(to) = self.hard.clip_planes.get_mut(index) {
                    *to = plane;
                }
            }
            StateOp::FogMode => self.hard.fog.mode = word(0),
            StateOp::Fog => self.fog(word(0), four(1)),
            StateOp::PushAttrib => self.push_attributes(word(0)),
            StateOp::PopAttrib => self.pop_attributes(),
            StateOp::Hint => {}
            StateOp::ActiveTexture => {
                let unit = usize::try_from(word(0).wrapping_sub(value::TEXTURE0)).unwrap_or(usize::MAX);
                if unit < MAX_TEXTURE_UNITS {
                    self.active = unit;
                }
            }
            StateOp::TexEnvCombine => self.combine(word(0), word(1)),
            StateOp::TexEnvScale => {
                let scale = float(1);
                if [1.0, 2.0, 4.0].contains(&scale) {
                    let alpha = usize::from(word(0) != value::RGB_SCALE);
                    self.unit().combine.scales[alpha] = scale;
                }
            }
            StateOp::TexGenMode => {
                if let Some(generation) = self.generation(word(0)) {
                    generation.mode = word(1);
                }
            }
            StateOp::TexGenPlane => {
                let object = word(1) == value::OBJECT_PLANE;
                let plane = four(2);
                let eye = self.modelview().inverse().transform_plane(plane);
                if let Some(generation) = self.generation(word(0)) {
                    if object { generation.object_plane = plane } else { generation.eye_plane = eye }
                }
            }
            StateOp::ArrayPointer => {
                if let Some(array) = self.array(word(0)) {
                    (array.size, array.data, array.stride) = (word(1), word(2), word(3));
                    (array.buffer, array.offset) = (word(4), word(5));
                }
            }
            StateOp::EnableArray => {
                if let Some(array) = self.array(word(0)) {
                    array.on = on(1);
                }
            }
            StateOp::Scissor => set_area(&mut self.hard.scissor, [int(0), int(1), int(2), int(3)]),
            StateOp::Viewport => set_area(&mut self.hard.viewport, [int(0), int(1), int(2), int(3)]),
            StateOp::ClearColor => self.clear_color = four(0).map(unit),
            StateOp::ClearDepth => self.clear_depth = unit(float(0)),
            StateOp::PointSize => set_positive(&mut self.hard.points.size, float(0)),
            StateOp::LineWidth => set_positive(&mut self.hard.line_width, float(0)),
            StateOp::Light => self.light(word(0), word(1), four(2)),
            StateOp::LightModel => match word(0) {
                value::LOCAL_VIEWER => self.lights.local_viewer = float(1) != 0.0,
                value::TWO_SIDE => self.hard.two_side = float(1) != 0.0,
                _ => self.lights.ambient = four(1),
            },
            StateOp::ColorMaterial => {
                self.soft.color_material_faces = faces(word(0));
                self.soft.color_material_mode = word(1);
                self.track_color();
            }
            StateOp::BindTexture => {
                let sampling = self.samplings.get(&word(0)).copied().unwrap_or_default();
                let unit = self.unit();
                (unit.texture, unit.sampling) = (word(0), sampling);
            }
            StateOp::TexEnvMode => self.unit().env_mode = word(0),
            StateOp::TexEnvColor => self.unit().env_color = four(0).map(unit),
            StateOp::TexParameter => self.tex_parameter(word(0), word(1)),
        }
    }

    fn capability(&mut self, capability: u32, on: bool) {
        if let Some(generation) =
            self.generation(capability.wrapping_sub(value::TEXTURE_GEN_S).wrapping_add(value::S))
        {
            generation.on = on;
            return;
        }
        match capability {
            value::CULL_FACE => self.hard.cull = on,
            value::LIGHTING => self.soft.lighting = on,
            value::COLOR_MATERIAL => {
                self.soft.color_material = on;
                self.track_color();
            }
            value::DEPTH_TEST => self.hard.depth_test = on,
            value::NORMALIZE => self.soft.normalize = on,
            value::RESCALE_NORMAL => self.soft.rescale = on,
            value::BLEND => self.hard.blend = on,
            value::SCISSOR_TEST => self.hard.scissor_test = on,
            value::TEXTURE_2D => self.unit().on = on,
            value::FOG => self.hard.fog.on = on,
            value::STENCIL_TEST => self.hard.stencil.on = on,
            value::ALPHA_TEST => self.hard.alpha_test = on,
            value::COLOR_LOGIC_OP => self.hard.logic = on,
            value::POLYGON_OFFSET_POINT => self.hard.polygon_offset_on[0] = on,
            value::POLYGON_OFFSET_LINE => self.hard.polygon_offset_on[1] = on,
            value::POLYGON_OFFSET_FILL => self.hard.polygon_offset_on[2] = on,
            other => {
                let bit = |bits: u32, index: u32| bits & !(1 << index) | u32::from(on) << index;
                if let Some(index) = other.checked_sub(value::LIGHT0).filter(|&i| i < 8) {
                    self.soft.lights = bit(self.soft.lights, index);
                } else if let Some(index) = other.checked_sub(value::CLIP_PLANE0).filter(|&i| i < 6) {
                    self.hard.clip_planes_on = bit(self.hard.clip_planes_on, index);
                }
                // Dithering: colors of eight bits need none.
            }
        }
    }

    fn material(&mut self, face: u32, name: u32, values: [f32; 4]) {
        let tracked = if self.soft.color_material { self.soft.color_material_faces } else { 0 };
        let mode = self.soft.color_material_mode;
        for (i, material) in self.soft.materials.iter_mut().enumerate() {
            if faces(face) >> i & 1 == 0 {
                continue;
            }
            let before = *material;
            set_material(material, name, values);
            if tracked >> i & 1 != 0 {
                // What glColorMaterial tracks can't be set otherwise.
                restore_tracked(material, &before, mode);
            }
        }
    }

    fn light(&mut self, light: u32, name: u32, values: [f32; 4]) {
        let modelview = *self.modelview();
        let index = usize::try_from(light.wrapping_sub(value::LIGHT0)).unwrap_or(usize::MAX);
        let Some(light) = self.lights.lights.get_mut(index) else { return };
        let [a, b, c, _] = values;
        match name {
            value::AMBIENT => light.ambient = values,
            value::DIFFUSE => light.diffuse = values,
            value::SPECULAR => light.specular = values,
            value::POSITION => light.position = modelview.transform(values),
            value::SPOT_DIRECTION => {
                let [x, y, z, _] = modelview.transform([a, b, c, 0.0]);
                light.spot_direction = [x, y, z];
            }
            value::SPOT_EXPONENT if (0.0..=128.0).contains(&a) => light.spot_exponent = a,
            value::SPOT_CUTOFF if (0.0..=90.0).contains(&a) || a == 180.0 => light.spot_cutoff = a,
            value::CONSTANT_ATTENUATION if a >= 0.0 => light.attenuation[0] = a,
            value::LINEAR_ATTENUATION if a >= 0.0 => light.attenuation[1] = a,
            value::QUADRATIC_ATTENUATION if a >= 0.0 => light.attenuation[2] = a,
            _ => {}
        }
    }

    fn tex_parameter(&mut self, name: u32, parameter: u32) {
        let texture = self.unit().texture;
        if texture == 0 {
            return;
        }
        if self.samplings.len() >= MAX_OBJECTS && !self.samplings.contains_key(&texture) {
            // A context has no more objects than this, so some are gone: most likely the oldest, and the numbers of
            // objects rise.
            self.samplings.pop_first();
        }
        let sampling = self.samplings.entry(texture).or_default();
        match name {
            value::MAG_FILTER => sampling.mag = parameter,
            value::MIN_FILTER => sampling.min = parameter,
            value::WRAP_S => sampling.wrap_s = parameter,
            _ => sampling.wrap_t = parameter,
        }
        // Both units may have it.
        for unit in &mut self.hard.units {
            if unit.texture == texture {
                unit.sampling = *sampling;
            }
        }
    }

    fn point_parameter(&mut self, name: u32, [a, b, c]: [f32; 3]) {
        let points = &mut self.hard.points;
        let good = |v: f32| v >= 0.0 && v.is_finite();
        match name {
            value::SIZE_MIN if good(a) => points.min = a,
            value::SIZE_MAX if good(a) => points.max = a,
            value::FADE_THRESHOLD_SIZE if good(a) => points.fade_threshold = a,
            value::SIZE_MIN | value::SIZE_MAX | value::FADE_THRESHOLD_SIZE => {}
            _ => points.attenuation = [a, b, c],
        }
    }

    fn fog(&mut self, name: u32, values: [f32; 4]) {
        let fog = &mut self.hard.fog;
        match name {
            value::FOG_DENSITY if values[0] >= 0.0 => fog.density = values[0],
            value::FOG_DENSITY => {}
            value::FOG_START => fog.start = values[0],
            value::FOG_END => fog.end = values[0],
            _ => fog.color = values.map(unit),
        }
    }

    fn combine(&mut self, name: u32, value: u32) {
        let combine = &mut self.unit().combine;
        match name {
            value::COMBINE_RGB => combine.functions[0] = value,
            value::COMBINE_ALPHA => combine.functions[1] = value,
            _ => {
                let of = |first: u32| usize::try_from(name.wrapping_sub(first)).unwrap_or(usize::MAX);
                let places = [
                    combine.sources_rgb.get_mut(of(value::SRC0_RGB)),
                    combine.sources_alpha.get_mut(of(value::SRC0_ALPHA)),
                    combine.operands_rgb.get_mut(of(value::OPERAND0_RGB)),
                    combine.operands_alpha.get_mut(of(value::OPERAND0_ALPHA)),
                ];
                if let Some(place) = places.into_iter().flatten().next() {
                    *place = value;
                }
            }
        }
    }

    /// The active unit's generation of a coordinate, by its enumerant.
    fn generation(&mut self, coordinate: u32) -> Option<&mut Generation> {
        let index = usize::try_from(coordinate.wrapping_sub(value::S)).ok()?;
        self.unit().generation.get_mut(index)
    }

    fn array(&mut self, name: u32) -> Option<&mut ArrayPointer> {
        self.arrays.get_mut(arrays::index(name)?)
    }
}

fn top(stack: &[Matrix]) -> &Matrix {
    stack.last().unwrap_or(&Matrix::IDENTITY)
}

/// Faces as bits: 0 front, 1 back.
fn faces(face: u32) -> u32 {
    match face {
        value::FRONT => 1,
        value::BACK => 2,
        _ => 3,
    }
}

fn set_material(material: &mut Material, name: u32, values: [f32; 4]) {
    match name {
        value::AMBIENT => material.ambient = values,
        value::DIFFUSE => material.diffuse = values,
        value::SPECULAR => material.specular = values,
        value::EMISSION => material.emission = values,
        value::AMBIENT_AND_DIFFUSE => {
            material.ambient = values;
            material.diffuse = values;
        }
        value::SHININESS if (0.0..=128.0).contains(&values[0]) => material.shininess = values[0],
        _ => {}
    }
}

fn restore_tracked(material: &mut Material, before: &Material, mode: u32) {
    match mode {
        value::AMBIENT => material.ambient = before.ambient,
        value::DIFFUSE => material.diffuse = before.diffuse,
        value::SPECULAR => material.specular = before.specular,
        value::EMISSION => material.emission = before.emission,
        _ => {
            material.ambient = before.ambient;
            material.diffuse = before.diffuse;
        }
    }
}

/// Clamped to 0..1; NaN to 0.
fn unit(value: f32) -> f32 {
    if value.is_nan() { 0.0 } else { value.clamp(0.0, 1.0) }
}

fn set_positive(to: &mut f32, value: f32) {
    if value > 0.0 && value.is_finite() {
        *to = value;
    }
}

/// A rectangle with a negative side is an error in OpenGL: the command is ignored.
fn set_area(area: &mut Area, [x, y, width, height]: [i32; 4]) {
    if width >= 0 && height >= 0 {
        *area = Area { x, y, width, height };
    }
}

/// Runs callbacks that may not draw: commands change the state, segments only what they leave behind.
#[derive(Debug)]
pub struct StateOnly<'a>(pub &'a mut WindowState);

impl Gl for StateOnly<'_> {
    fn command(&mut self, op: CommandOp, args: &[u32]) {
        self.0.command(op, args);
    }

    fn draw(&mut self, segment: &Arc<Segment>, dynamic: Option<Dynamic<'_>>) {
        for command in segment.records.iter().flatten().chain(&segment.trailing) {
            self.0.command(command.op, &command.args);
        }
        self.0.set_attributes(&dynamic.map_or_else(|| segment.summary().0.exit, |values| values.exit));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Programs come and go, and each may name other textures: the state stays small.
    #[test]
    fn parameters_of_textures_are_bounded() {
        let mut state = WindowState::new(100, 100);
        for oid in 1..=2000 {
            state.command(StateOp::BindTexture, &[oid]);
            state.command(StateOp::TexParameter, &[value::WRAP_S, 0x812f]);
        }
        assert_eq!(state.samplings.len(), MAX_OBJECTS);
        for (oid, wrap) in [(1, 0x2901), (2000, 0x812f)] {
            state.command(StateOp::BindTexture, &[oid]);
            assert_eq!(state.hard.units[0].sampling.wrap_s, wrap, "of texture {oid}");
        }
    }

    /// Values that OpenGL refuses come out of registers only; the command is ignored then.
    #[test]
    fn what_opengl_refuses_changes_nothing() {
        let mut state = WindowState::new(100, 100);
        let before = state.clone();
        let nan = f32::NAN.to_bits();
        let minus = (-1.0f32).to_bits();
        for (op, args) in [
            (CommandOp::from(StateOp::Viewport), vec![0, 0, u32::MAX, 5]),
            (StateOp::Scissor.into(), vec![0, 0, 5, u32::MAX]),
            (StateOp::PointSize.into(), vec![minus]),
            (StateOp::PointSize.into(), vec![nan]),
            (StateOp::LineWidth.into(), vec![0]),
            (StateOp::Light.into(), vec![value::LIGHT0, value::SPOT_CUTOFF, 91.0f32.to_bits(), 0, 0, 0]),
            (StateOp::Light.into(), vec![value::LIGHT0, value::SPOT_EXPONENT, nan, 0, 0, 0]),
            (StateOp::Light.into(), vec![value::LIGHT0, value::LINEAR_ATTENUATION, minus, 0, 0, 0]),
            (AttributeOp::Material.into(), vec![value::FRONT, value::SHININESS, 129.0f32.to_bits(), 0, 0, 0]),
            (StateOp::Frustum.into(), [-1.0f32, 1.0, -1.0, 1.0, 0.0, 5.0].map(f32::to_bits).to_vec()),
            (StateOp::Ortho.into(), [1.0f32, 1.0, -1.0, 1.0, 0.0, 5.0].map(f32::to_bits).to_vec()),
            (StateOp::PopMatrix.into(), vec![]),
        ] {
            state.command(op, &args);
            assert_eq!(state, before, "{op:?} {args:x?}");
        }
        for _ in 0..2 * MODELVIEW_STACK {
            state.command(StateOp::PushMatrix, &[]);
        }
        assert_eq!(state.modelview.len(), MODELVIEW_STACK);
    }
}
