//! Which of our shaders a draw needs, and what that one costs.
//!
//! A draw gets the shader that does what it needs and nothing else: one that does all of fixed function by looking
//! at uniforms took 48 times as long for each fragment on a software renderer. How many are kept is limited, and
//! the time that compiling takes is the client's ([`super::pace`]).

use super::stage::Stage;
use super::state::{Combine, Hard, Unit};
use super::texture::Texture;
use blinkgl::layout::texture::Format;
use blinkgl::limits::MAX_TEXTURE_UNITS;
use ipc::limits::{OUTLINE_VERTEX_FRAGMENTS, VERTEX_FRAGMENTS};

/// What polygons are drawn as.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Polygons {
    /// As they are: also for points and lines.
    Filled,
    /// As their borders (GL_LINE).
    Lines,
    /// As their corners (GL_POINT).
    Points,
}

/// What a texture unit does with a fragment's color.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Environment {
    /// By a mode (`GL_TEXTURE_ENV_MODE`), and what the texture's base format has.
    Mode {
        /// The mode.
        mode: u32,
        /// Color.
        has_color: bool,
        /// Alpha.
        has_alpha: bool,
    },
    /// By GL_COMBINE; the scales are uniforms.
    Combine {
        /// Functions of color and alpha.
        functions: [u32; 2],
        /// Sources of color, of alpha.
        sources: [[u32; 3]; 2],
        /// Operands of color, of alpha.
        operands: [[u32; 3]; 2],
    },
}

/// A texture unit that has a texture.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct UnitVariant {
    /// Three planes: YUV.
    pub yuv: bool,
    /// What it does.
    pub environment: Environment,
    /// GL_CLAMP of s, t: coordinates are limited, so that no more than half the border is mixed in.
    pub clamp: [bool; 2],
    /// Coordinates may be generated.
    pub generated: bool,
}

impl UnitVariant {
    fn new(unit: &Unit, texture: &Texture) -> UnitVariant {
        let Combine { functions, sources_rgb, sources_alpha, operands_rgb, operands_alpha, .. } =
            unit.combine;
        let environment = if unit.env_mode == super::state::COMBINE {
            Environment::Combine {
                functions,
                sources: [sources_rgb, sources_alpha],
                operands: [operands_rgb, operands_alpha],
            }
        } else {
            let (has_color, has_alpha) = (texture.desc.format.has_color(), texture.desc.format.has_alpha());
            Environment::Mode { mode: unit.env_mode, has_color, has_alpha }
        };
        let is_smooth = unit.sampling.of(&texture.desc).is_smooth();
        let clamp = |wrap: u32| wrap == super::state::CLAMP && is_smooth;
        UnitVariant {
            yuv: texture.desc.format == Format::Yuv420,
            environment,
            clamp: [clamp(unit.sampling.wrap_s), clamp(unit.sampling.wrap_t)],
            generated: unit.generation.iter().any(|g| g.on),
        }
    }
}

/// Which of the drawing shaders.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Variant {
    /// What vertices need.
    pub stage: Stage,
    /// Points are drawn.
    pub points: bool,
    /// The units that have a texture.
    pub units: [Option<UnitVariant>; MAX_TEXTURE_UNITS],
    /// GL_FOG_MODE, if fog is on.
    pub fog: Option<u32>,
    /// The alpha test's function, if it is on.
    pub alpha_test: Option<u32>,
    /// Clip planes that are on, by bit.
    pub clip_planes: u32,
    /// Back faces are lit by themselves.
    pub two_side: bool,
    /// Points get smaller with distance.
    pub attenuated: bool,
    /// The polygon mode.
    pub polygons: Polygons,
}

impl Variant {
    /// The shader that a state needs, for filled polygons.
    #[must_use]
    pub fn new(
        hard: &Hard,
        textures: [Option<&Texture>; MAX_TEXTURE_UNITS],
        stage: Stage,
        points: bool,
    ) -> Variant {
        let [first, second] = [0, 1].map(|u| textures[u].map(|t| UnitVariant::new(&hard.units[u], t)));
        Variant {
            stage,
            points,
            units: [first, second],
            fog: hard.fog.on.then_some(hard.fog.mode),
            alpha_test: (hard.alpha_test && hard.alpha_func != ALWAYS).then_some(hard.alpha_func),
            clip_planes: hard.clip_planes_on,
            two_side: hard.two_side,
            attenuated: points && hard.points.attenuation != [1.0, 0.0, 0.0],
            polygons: Polygons::Filled,
        }
    }

    /// What a fragment costs, in those of the plainest variant: about what was measured on llvmpipe.
    #[must_use]
    pub fn weight(&self) -> u64 {
        let units: u64 = self.units.iter().flatten().map(|unit| if unit.yuv { 12 } else { 4 }).sum();
        let rest = [self.fog.is_some(), self.alpha_test.is_some(), self.clip_planes != 0];
        let once = 1 + units + rest.into_iter().map(|on| 2 * u64::from(on)).sum::<u64>();
        // A triangle has three edges and three corners, and lines and points may be as large as the window.
        if self.polygons == Polygons::Filled { once } else { 3 * once }
    }

    /// What a vertex costs, in fragments of the plainest variant.
    #[must_use]
    pub fn vertex_weight(&self) -> u64 {
        if self.polygons == Polygons::Filled { VERTEX_FRAGMENTS } else { OUTLINE_VERTEX_FRAGMENTS }
    }

    /// Does the fragment stage want eye coordinates?
    #[must_use]
    pub fn wants_eye(&self) -> bool {
        self.fog.is_some() || self.clip_planes != 0
    }
}

/// GL_ALWAYS.
const ALWAYS: u32 = 0x207;
