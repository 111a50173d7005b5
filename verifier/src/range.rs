//! Constants that OpenGL would refuse with `GL_INVALID_VALUE` or `GL_INVALID_ENUM` (V33, V34).
//!
//! A register's value is not known here: the state tracker checks it when it comes.

use crate::error::{Detail, Number};
use blinkgl::gl::{
    Array, ArrayData, FogParameter, LightParameter, MaterialParameter, PointParameter, TexCoordinate,
    TexEnvParameter, TexEnvValue, TexGenMode, TexParameter, TexValue,
};
use blinkgl::limits::MAX_APERTURE_BYTES;
use blinkgl::ops::{
    ARRAY, ARRAY_DATA, EnumSet, TEX_COORDINATE, TEX_ENV_PARAMETER, TEX_ENV_VALUE, TEX_GEN_MODE,
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
        use MaterialParameter::{Ambient, AmbientAndDiffuse, Diffuse, Emission, Shininess, Specular};
        match self.word(1).and_then(MaterialParameter::from_value) {
            Some(Shininess) => self.float(
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
            Some(Ambient | Diffuse | Specular | Emission | AmbientAndDiffuse) | None => Ok(()),
        }
    }

    pub(crate) fn light(&self) -> Result<(), Fault> {
        use LightParameter::*;
        match self.word(1).and_then(LightParameter::from_value) {
            Some(SpotExponent) => {
                self.float(2, |v| (0.0..=128.0).contains(&v), "a spot exponent is 0 to 128")
            }
            Some(SpotCutoff) => self.float(
                2,
                |v| {
                    planted!(CutoffBelow90, (0.0..90.0).contains(&v), (0.0..=90.0).contains(&v)) || v == 180.0
                },
                "a spot cutoff is 0 to 90, or 180",
            ),
            Some(ConstantAttenuation | LinearAttenuation | QuadraticAttenuation) => {
                self.float(2, |v| v >= 0.0, "an attenuation must not be negative")
            }
            Some(Ambient | Diffuse | Specular | Position | SpotDirection) | None => Ok(()),
        }
    }

    pub(crate) fn tex_env_scale(&self) -> Result<(), Fault> {
        self.float(1, |v| [1.0, 2.0, 4.0].contains(&v), "it must be 1, 2 or 4")
    }

    pub(crate) fn point_parameter(&self) -> Result<(), Fault> {
        use PointParameter::{DistanceAttenuation, FadeThresholdSize, SizeMax, SizeMin};
        match self.word(0).and_then(PointParameter::from_value) {
            Some(SizeMin | SizeMax | FadeThresholdSize) => {
                self.float(1, |v| v >= 0.0, "a point size must not be negative")
            }
            // The factors of the attenuation may be anything.
            Some(DistanceAttenuation) | None => Ok(()),
        }
    }

    pub(crate) fn fog(&self) -> Result<(), Fault> {
        use FogParameter::{Color, Density, End, Start};
        match self.word(0).and_then(FogParameter::from_value) {
            Some(Density) => self.float(1, |v| v >= 0.0, "a density must not be negative"),
            Some(Start | End | Color) | None => Ok(()),
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
        use ArrayData::{Byte, Double, Float, Int, Short, UnsignedByte, UnsignedInt, UnsignedShort};
        // Both are members of their sets.
        let (Some(array), Some(data)) =
            (self.word(0).and_then(Array::from_value), self.word(2).and_then(ArrayData::from_value))
        else {
            return Ok(());
        };
        match array {
            Array::Vertex => self.count(1, |v| (2..=4).contains(&v), "a vertex has 2 to 4 components")?,
            Array::Normal => self.count(1, |v| v == 3, "a normal has 3 components")?,
            Array::Color => self.count(1, |v| matches!(v, 3 | 4), "a color has 3 or 4 components")?,
            Array::TexCoord0 | Array::TexCoord1 => {
                self.count(1, |v| (1..=4).contains(&v), "a texture coordinate has 1 to 4 components")?;
            }
        }
        let is_wide = match data {
            Short | Int | Float | Double => true,
            Byte | UnsignedByte | UnsignedShort | UnsignedInt => false,
        };
        let (good, must) = match array {
            Array::Color => (true, ""),
            Array::Normal => (is_wide || data == Byte, "use byte, short, int, float or double"),
            Array::Vertex | Array::TexCoord0 | Array::TexCoord1 => {
                (is_wide, "use short, int, float or double")
            }
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
        use TexValue::*;
        let (Some(name), Some(value)) =
            (self.word(0).and_then(TexParameter::from_value), self.word(1).and_then(TexValue::from_value))
        else {
            return Ok(());
        };
        let (good, must) = match name {
            TexParameter::MagFilter => (
                planted!(
                    MagnifiedByLevels,
                    matches!(value, Nearest | Linear | NearestMipmapNearest),
                    matches!(value, Nearest | Linear)
                ),
                "use nearest or linear",
            ),
            TexParameter::MinFilter => (
                matches!(
                    value,
                    Nearest
                        | Linear
                        | NearestMipmapNearest
                        | LinearMipmapNearest
                        | NearestMipmapLinear
                        | LinearMipmapLinear
                ),
                "use nearest, linear or one of the mipmap filters",
            ),
            TexParameter::WrapS | TexParameter::WrapT => (
                matches!(value, Clamp | Repeat | ClampToEdge | MirroredRepeat),
                "use repeat, clamp, clamp_to_edge or mirrored_repeat",
            ),
        };
        self.pair((0, &TEX_PARAMETER), (1, &TEX_VALUE), good, must)
    }

    pub(crate) fn tex_env_combine(&self) -> Result<(), Fault> {
        use TexEnvParameter::*;
        use TexEnvValue as V;
        let (Some(name), Some(value)) = (
            self.word(0).and_then(TexEnvParameter::from_value),
            self.word(1).and_then(TexEnvValue::from_value),
        ) else {
            return Ok(());
        };
        let function =
            matches!(value, V::Replace | V::Modulate | V::Add | V::AddSigned | V::Interpolate | V::Subtract);
        let (good, must) = match name {
            CombineRgb => (
                function || matches!(value, V::Dot3Rgb | V::Dot3Rgba),
                "use replace, modulate, add, add_signed, interpolate, subtract, dot3_rgb or dot3_rgba",
            ),
            CombineAlpha => (function, "use replace, modulate, add, add_signed, interpolate or subtract"),
            Src0Rgb | Src1Rgb | Src2Rgb | Src0Alpha | Src1Alpha | Src2Alpha => (
                matches!(
                    value,
                    V::Texture | V::Texture0 | V::Texture1 | V::Constant | V::PrimaryColor | V::Previous
                ),
                "use texture, texture0, texture1, constant, primary_color or previous",
            ),
            Operand0Rgb | Operand1Rgb | Operand2Rgb => (
                matches!(value, V::SrcColor | V::OneMinusSrcColor | V::SrcAlpha | V::OneMinusSrcAlpha),
                "use src_color, one_minus_src_color, src_alpha or one_minus_src_alpha",
            ),
            Operand0Alpha | Operand1Alpha | Operand2Alpha => {
                (matches!(value, V::SrcAlpha | V::OneMinusSrcAlpha), "use src_alpha or one_minus_src_alpha")
            }
        };
        self.pair((0, &TEX_ENV_PARAMETER), (1, &TEX_ENV_VALUE), good, must)
    }

    pub(crate) fn tex_gen_mode(&self) -> Result<(), Fault> {
        let (Some(coordinate), Some(mode)) =
            (self.word(0).and_then(TexCoordinate::from_value), self.word(1).and_then(TexGenMode::from_value))
        else {
            return Ok(());
        };
        // A sphere map has two coordinates.
        let good = match mode {
            TexGenMode::SphereMap => matches!(coordinate, TexCoordinate::S | TexCoordinate::T),
            TexGenMode::EyeLinear | TexGenMode::ObjectLinear => true,
        };
        self.pair((0, &TEX_COORDINATE), (1, &TEX_GEN_MODE), good, "use eye_linear or object_linear")
    }
}
