//! Constants that OpenGL would refuse with `GL_INVALID_VALUE` or `GL_INVALID_ENUM` (V33, V34).
//!
//! A register's value is not known here: the state tracker checks it when it comes.

use crate::error::{Detail, Number};
use blinkgl::ops::{Op, TEX_PARAMETER, TEX_VALUE};

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
            Some(value) if value < 0 => {
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
        self.differ(4, 5, ("near", "far"))
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
            Some(0x1601) => self.float(2, |v| (0.0..=128.0).contains(&v), "shininess is 0 to 128"),
            _ => Ok(()),
        }
    }

    pub(crate) fn light(&self) -> Result<(), Fault> {
        match self.word(1) {
            Some(0x1205) => self.float(2, |v| (0.0..=128.0).contains(&v), "a spot exponent is 0 to 128"),
            Some(0x1206) => {
                self.float(2, |v| (0.0..=90.0).contains(&v) || v == 180.0, "a spot cutoff is 0 to 90, or 180")
            }
            Some(0x1207..=0x1209) => self.float(2, |v| v >= 0.0, "an attenuation must not be negative"),
            _ => Ok(()),
        }
    }

    pub(crate) fn tex_parameter(&self) -> Result<(), Fault> {
        let (Some(name), Some(value)) = (self.word(0), self.word(1)) else { return Ok(()) };
        let is_filter = matches!(name, 0x2800 | 0x2801);
        if is_filter == matches!(value, 0x2600 | 0x2601) {
            return Ok(());
        }
        let must =
            if is_filter { "use nearest or linear" } else { "use repeat, clamp_to_edge or mirrored_repeat" };
        let name = TEX_PARAMETER.name_of(name).unwrap_or(Op::TexParameter.info().name);
        Err((1, Detail::TexParameter { name, value: TEX_VALUE.name_of(value).unwrap_or("?"), must }))
    }
}
