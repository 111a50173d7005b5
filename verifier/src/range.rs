//! Constants that OpenGL would refuse with `GL_INVALID_VALUE` or `GL_INVALID_ENUM` (V33, V34).
//!
//! A register's value is not known here: the state tracker checks it when it comes.

use crate::error::{Detail, Number};
use blinkgl::limits::MAX_APERTURE_BYTES;
use blinkgl::ops::{
    ARRAY, ARRAY_DATA, Array, EnumSet, TEX_COORDINATE, TEX_ENV_PARAMETER, TEX_ENV_VALUE, TEX_GEN_MODE,
    TEX_PARAMETER, TEX_VALUE,
};
use blinkgl::planted;

/// Arguments of one instruction, of which only the constants are looked at.
#[derive(Clone, Copy)]
pub(crate) struct Constants<'a> {
    pub(crate) mask: u16,
    pub(crate) args: &'a [u32],
}

/// A fault of an operand.
type Fault = (usize, Detail);

impl Constants<'_> {
    fn word(&self, i: usize) -> Option<u32> {
        if self.mask >> i & 1 != 0 { None } else { self.args.get(i).copied() }
    }

    fn float(&self, i: usize, good: impl Fn(f32) -> bool, must: &'static str) -> Result<(), Fault> {
        match self.word(i) {
            Some(bits) if !good(f32::from_bits(bits)) => {
                Err((i, Detail::Range { value: Number::Float(bits), must }))
            }
            _ => Ok(()),
        }
    }

    fn size(&self, i: usize) -> Result<(), Fault> {
        match self.word(i).map(u32::cast_signed) {
            Some(value) if planted!(EmptySizeRefused, value <= 0, value < 0) => {
                Err((i, Detail::Range { value: Number::Int(value), must: "it must not be negative" }))
            }
            _ => Ok(()),
        }
    }

    fn differ(&self, a: usize, b: usize, names: (&'static str, &'static str)) -> Result<(), Fault> {
        match (self.word(a), self.word(b)) {
            #[allow(clippy::float_cmp, reason = "OpenGL refuses exact equality")]
            (Some(x), Some(y)) if f32::from_bits(x) == f32::from_bits(y) => {
                Err((b, Detail::EmptyVolume { other: names.0, value: Number::Float(y) }))
            }
            _ => Ok(()),
        }
    }

    fn volume(&self) -> Result<(), Fault> {
        for i in 0..6 {
            self.float(i, f32::is_finite, "it must be finite")?;
        }
        self.differ(0, 1, ("left", "right"))?;
        self.differ(2, 3, ("bottom", "top"))?;
        planted!(EqualSides, Ok(()), self.differ(4, 5, ("near", "far")))
    }

    pub(crate) fn frustum(&self) -> Result<(), Fault> {
        for i in [4, 5] {
            self.float(i, |v| v > 0.0, "near and far of a frustum must be above 0")?;
        }
        self.volume()
    }

    pub(crate) fn ortho(&self) -> Result<(), Fault> {
        self.volume()
    }

    /// Scissor and viewport: width and height.
    pub(crate) fn rectangle(&self) -> Result<(), Fault> {
        self.size(2)?;
        self.size(3)
    }

    /// Point size and line width.
    pub(crate) fn width(&self) -> Result<(), Fault> {
        self.float(0, |v| v > 0.0, "it must be above 0")
    }

    pub(crate) fn material(&self) -> Result<(), Fault> {
        match self.word(1) {
            Some(0x1601) => self.float(
                2,
                |v| {
                    planted!(
                        ShininessOfNan,
                        v.is_nan() || (0.0..=128.0).contains(&v),
                        (0.0..=128.0).contains(&v)
                    )
                },
                "shininess is 0 to 128",
            ),
            _ => Ok(()),
        }
    }

    pub(crate) fn light(&self) -> Result<(), Fault> {
        match self.word(1) {
            Some(0x1205) => self.float(2, |v| (0.0..=128.0).contains(&v), "a spot exponent is 0 to 128"),
            Some(0x1206) => self.float(
                2,
                |v| {
                    planted!(CutoffBelow90, (0.0..90.0).contains(&v), (0.0..=90.0).contains(&v)) || v == 180.0
                },
                "a spot cutoff is 0 to 90, or 180",
            ),
            Some(0x1207..=0x1209) => self.float(2, |v| v >= 0.0, "an attenuation must not be negative"),
            _ => Ok(()),
        }
    }

    pub(crate) fn tex_env_scale(&self) -> Result<(), Fault> {
        self.float(1, |v| [1.0, 2.0, 4.0].contains(&v), "it must be 1, 2 or 4")
    }

    pub(crate) fn point_parameter(&self) -> Result<(), Fault> {
        match self.word(0) {
            // The others are the factors of the attenuation, which may be anything.
            Some(0x8126..=0x8128) => self.float(1, |v| v >= 0.0, "a point size must not be negative"),
            _ => Ok(()),
        }
    }

    pub(crate) fn fog(&self) -> Result<(), Fault> {
        match self.word(0) {
            Some(0x0b62) => self.float(1, |v| v >= 0.0, "a density must not be negative"),
            _ => Ok(()),
        }
    }

    fn count(&self, i: usize, good: impl Fn(u32) -> bool, must: &'static str) -> Result<(), Fault> {
        match self.word(i) {
            Some(value) if !good(value) => Err((i, Detail::Range { value: Number::Count(value), must })),
            _ => Ok(()),
        }
    }

    /// Bytes or vertices from a buffer's beginning, or from one vertex to the next: none is larger than an aperture.
    pub(crate) fn place(&self, i: usize) -> Result<(), Fault> {
        self.count(
            i,
            |v| usize::try_from(v).is_ok_and(|v| v <= MAX_APERTURE_BYTES),
            "no aperture has as many bytes",
        )
    }

    pub(crate) fn array_pointer(&self) -> Result<(), Fault> {
        let array = self.word(0).unwrap_or_default();
        match array {
            VERTEX => self.count(1, |v| (2..=4).contains(&v), "a vertex has 2 to 4 components")?,
            NORMAL => self.count(1, |v| v == 3, "a normal has 3 components")?,
            COLOR => self.count(1, |v| matches!(v, 3 | 4), "a color has 3 or 4 components")?,
            _ => self.count(1, |v| (1..=4).contains(&v), "a texture coordinate has 1 to 4 components")?,
        }
        let good = match array {
            COLOR => true,
            NORMAL => matches!(self.word(2), Some(0x1400 | 0x1402 | 0x1404 | 0x1406 | 0x140a)),
            _ => matches!(self.word(2), Some(0x1402 | 0x1404 | 0x1406 | 0x140a)),
        };
        let must = match array {
            NORMAL => "use byte, short, int, float or double",
            _ => "use short, int, float or double",
        };
        self.pair((0, &ARRAY), (2, &ARRAY_DATA), good, must)?;
        self.place(3)?;
        self.place(5)
    }

    /// Two operands of which the first decides what the second may be.
    fn pair(
        &self,
        (name, names): (usize, &EnumSet),
        (value, values): (usize, &EnumSet),
        good: bool,
        must: &'static str,
    ) -> Result<(), Fault> {
        if good {
            return Ok(());
        }
        let text = |i: usize, set: &EnumSet| self.word(i).and_then(|word| set.name_of(word)).unwrap_or("?");
        Err((value, Detail::Pair { name: text(name, names), value: text(value, values), must }))
    }

    pub(crate) fn tex_parameter(&self) -> Result<(), Fault> {
        let (Some(name), Some(value)) = (self.word(0), self.word(1)) else { return Ok(()) };
        let (good, must) = match name {
            0x2800 => (
                planted!(
                    MagnifiedByLevels,
                    matches!(value, 0x2600 | 0x2601 | 0x2700),
                    matches!(value, 0x2600 | 0x2601)
                ),
                "use nearest or linear",
            ),
            0x2801 => (
                matches!(value, 0x2600 | 0x2601 | 0x2700..=0x2703),
                "use nearest, linear or one of the mipmap filters",
            ),
            _ => (
                matches!(value, 0x2900 | 0x2901 | 0x812f | 0x8370),
                "use repeat, clamp, clamp_to_edge or mirrored_repeat",
            ),
        };
        self.pair((0, &TEX_PARAMETER), (1, &TEX_VALUE), good, must)
    }

    pub(crate) fn tex_env_combine(&self) -> Result<(), Fault> {
        let (Some(name), Some(value)) = (self.word(0), self.word(1)) else { return Ok(()) };
        let function = matches!(value, 0x1e01 | 0x2100 | 0x0104 | 0x8574 | 0x8575 | 0x84e7);
        let (good, must) = match name {
            0x8571 => (
                function || matches!(value, 0x86ae | 0x86af),
                "use replace, modulate, add, add_signed, interpolate, subtract, dot3_rgb or dot3_rgba",
            ),
            0x8572 => (function, "use replace, modulate, add, add_signed, interpolate or subtract"),
            0x8580..=0x8582 | 0x8588..=0x858a => (
                matches!(value, 0x1702 | 0x84c0 | 0x84c1 | 0x8576 | 0x8577 | 0x8578),
                "use texture, texture0, texture1, constant, primary_color or previous",
            ),
            0x8590..=0x8592 => (
                matches!(value, 0x300..=0x303),
                "use src_color, one_minus_src_color, src_alpha or one_minus_src_alpha",
            ),
            _ => (matches!(value, 0x302 | 0x303), "use src_alpha or one_minus_src_alpha"),
        };
        self.pair((0, &TEX_ENV_PARAMETER), (1, &TEX_ENV_VALUE), good, must)
    }

    pub(crate) fn tex_gen_mode(&self) -> Result<(), Fault> {
        let (Some(coordinate), Some(mode)) = (self.word(0), self.word(1)) else { return Ok(()) };
        // A sphere map has two coordinates.
        let good = mode != 0x2402 || matches!(coordinate, 0x2000 | 0x2001);
        self.pair((0, &TEX_COORDINATE), (1, &TEX_GEN_MODE), good, "use eye_linear or object_linear")
    }
}

const VERTEX: u32 = Array::Vertex as u32;
const NORMAL: u32 = Array::Normal as u32;
const COLOR: u32 = Array::Color as u32;
