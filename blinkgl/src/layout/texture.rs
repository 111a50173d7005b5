//! Parameters of a texture's slot, and where its texels are in its data.

use crate::planted;

/// Parameter: [`Format`] code.
pub const FORMAT: usize = 0;
/// Parameter: width in texels.
pub const WIDTH: usize = 1;
/// Parameter: height in texels. Rows go from the image's top (t = 0) down.
pub const HEIGHT: usize = 2;
/// Parameter: bytes from one row of level 0 (of its first plane) to the next.
pub const STRIDE: usize = 3;
/// Parameter: [`ColorSpace`] code, for YUV.
pub const COLOR_SPACE: usize = 4;
/// Parameter: [`Levels`] code.
pub const LEVELS: usize = 5;
/// Parameter: the version of the slot that this one differs from only in [`ROWS`].
pub const BASE_VERSION: usize = 6;
/// Parameter: [`Rows`] code.
pub const ROWS: usize = 7;

/// Layout of the texels.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u32)]
pub enum Format {
    /// Four bytes a texel: blue, green, red, alpha.
    Bgra8 = 1,
    /// Planar YUV 4:2:0: Y (`stride * height` bytes), then U and V, each with rows of
    /// `stride.div_ceil(2)` bytes, `height.div_ceil(2)` of them.
    Yuv420 = 2,
    /// Four bytes a texel: red, green, blue, alpha.
    Rgba8 = 3,
    /// Three bytes a texel: red, green, blue.
    Rgb8 = 4,
    /// A byte a texel, which is its red, green and blue.
    Luminance8 = 5,
    /// Two bytes a texel: luminance, alpha.
    LuminanceAlpha8 = 6,
    /// A byte a texel: alpha.
    Alpha8 = 7,
}

impl Format {
    /// All formats, in the order of their codes.
    pub const ALL: [Format; 7] = [
        Format::Bgra8,
        Format::Yuv420,
        Format::Rgba8,
        Format::Rgb8,
        Format::Luminance8,
        Format::LuminanceAlpha8,
        Format::Alpha8,
    ];

    /// The format of a code.
    #[must_use]
    pub fn from_code(code: u32) -> Option<Format> {
        Format::ALL.into_iter().find(|&f| f as u32 == code)
    }

    /// Bytes of a texel (of the first plane). A stride is a multiple of it.
    #[must_use]
    pub fn texel_bytes(self) -> u32 {
        match self {
            Format::Bgra8 | Format::Rgba8 => 4,
            Format::Rgb8 => 3,
            Format::LuminanceAlpha8 => 2,
            Format::Yuv420 | Format::Luminance8 | Format::Alpha8 => 1,
        }
    }

    /// Planes of an image.
    #[must_use]
    pub fn planes(self) -> usize {
        match self {
            Format::Yuv420 => 3,
            Format::Bgra8
            | Format::Rgba8
            | Format::Rgb8
            | Format::Luminance8
            | Format::LuminanceAlpha8
            | Format::Alpha8 => 1,
        }
    }

    /// Texels have a color: texture environments leave a fragment's color alone otherwise.
    #[must_use]
    pub fn has_color(self) -> bool {
        self != Format::Alpha8
    }

    /// Texels have an alpha: texture environments leave a fragment's alpha alone otherwise.
    #[must_use]
    pub fn has_alpha(self) -> bool {
        match self {
            Format::Bgra8 | Format::Rgba8 | Format::LuminanceAlpha8 | Format::Alpha8 => true,
            Format::Yuv420 | Format::Rgb8 | Format::Luminance8 => false,
        }
    }

    /// Bytes of an image of one level, or `None` on overflow.
    #[must_use]
    pub fn bytes(self, stride: u32, height: u32) -> Option<usize> {
        let (stride, height) = (u64::from(stride), u64::from(height));
        let chroma_rows = planted!(ChromaRowsDown, height / 2, height.div_ceil(2));
        let chroma = if self.planes() == 1 { 0 } else { 2 * stride.div_ceil(2) * chroma_rows };
        usize::try_from((stride * height).checked_add(chroma)?).ok()
    }

    /// Least stride of a row.
    #[must_use]
    pub fn min_stride(self, width: u32) -> u32 {
        width.saturating_mul(self.texel_bytes())
    }
}

/// Meaning of YUV values.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
#[repr(u32)]
pub enum ColorSpace {
    /// ITU-R BT.601, limited range (16-235).
    #[default]
    Bt601Limited = 0,
    /// ITU-R BT.601, full range.
    Bt601Full = 1,
    /// ITU-R BT.709, limited range.
    Bt709Limited = 2,
    /// ITU-R BT.709, full range.
    Bt709Full = 3,
}

impl ColorSpace {
    /// The color space of a code.
    #[must_use]
    pub fn from_code(code: u32) -> Option<ColorSpace> {
        match code {
            0 => Some(ColorSpace::Bt601Limited),
            1 => Some(ColorSpace::Bt601Full),
            2 => Some(ColorSpace::Bt709Limited),
            3 => Some(ColorSpace::Bt709Full),
            _ => None,
        }
    }
}

/// Which levels of detail a texture has. Each is half as wide and high as the one before, at least 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Levels {
    /// So many, from level 0 on: its data holds them one after the other.
    Given(u32),
    /// All that its size has: the server makes them from level 0.
    Generated,
}

impl Default for Levels {
    fn default() -> Levels {
        Levels::Given(1)
    }
}

impl Levels {
    /// The code of [`Levels::Generated`].
    pub const GENERATED: u32 = u32::MAX;

    /// The levels of a code; 0 is one level too, for clients that know of no others.
    #[must_use]
    pub fn from_code(code: u32) -> Levels {
        match code {
            Levels::GENERATED => Levels::Generated,
            count => Levels::Given(count.max(1)),
        }
    }

    /// Its code.
    #[must_use]
    pub fn code(self) -> u32 {
        match self {
            Levels::Given(count) => count,
            Levels::Generated => Levels::GENERATED,
        }
    }

    /// Levels in the texture's data.
    #[must_use]
    pub fn given(self) -> u32 {
        match self {
            Levels::Given(count) => count,
            Levels::Generated => 1,
        }
    }

    /// Levels that an image of a size can have: down to a single texel.
    #[must_use]
    pub fn most(width: u32, height: u32) -> u32 {
        u32::BITS - width.max(height).leading_zeros()
    }
}

/// Rows of level 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rows {
    /// The first.
    pub first: u32,
    /// How many.
    pub count: u32,
}

impl Rows {
    /// The rows of a code, whether or not the image has them; `None`: all.
    #[must_use]
    pub fn from_code(code: u32) -> Option<Rows> {
        if code == 0 { None } else { Some(Rows { first: code & 0xffff, count: code >> 16 }) }
    }

    /// Its code, for rows of an image within the limits.
    #[must_use]
    pub fn code(self) -> u32 {
        self.first & 0xffff | self.count << 16
    }

    /// One past the last.
    #[must_use]
    pub fn end(self) -> u32 {
        self.first.saturating_add(self.count)
    }

    /// The least range that has the rows of both.
    #[must_use]
    pub fn and(self, other: Rows) -> Rows {
        let first = self.first.min(other.first);
        Rows { first, count: self.end().max(other.end()) - first }
    }
}

/// A texture's shape, as its slot's parameters have it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TextureDesc {
    /// Layout of the texels.
    pub format: Format,
    /// Texels.
    pub width: u32,
    /// Texels.
    pub height: u32,
    /// Bytes from one row of level 0 (of its first plane) to the next.
    pub stride: u32,
    /// Meaning of YUV values.
    pub color_space: ColorSpace,
    /// Levels of detail.
    pub levels: Levels,
}

/// Where a plane of a level is in a texture's data.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Plane {
    /// Its first byte.
    pub offset: usize,
    /// Texels.
    pub width: u32,
    /// Texels.
    pub height: u32,
    /// Bytes from one row to the next.
    pub stride: u32,
}

impl TextureDesc {
    /// As a slot's parameters, with [`ROWS`] saying that all is new.
    #[must_use]
    pub fn encode(&self) -> [u32; 8] {
        let mut params = [0; 8];
        params[FORMAT] = self.format as u32;
        params[WIDTH] = self.width;
        params[HEIGHT] = self.height;
        params[STRIDE] = self.stride;
        params[COLOR_SPACE] = self.color_space as u32;
        params[LEVELS] = self.levels.code();
        params
    }

    /// From a slot's parameters. Of the sizes nothing is checked.
    ///
    /// # Errors
    /// The parameter that has no such value.
    pub fn decode(params: &[u32; 8]) -> Result<TextureDesc, usize> {
        Ok(TextureDesc {
            format: Format::from_code(params[FORMAT]).ok_or(FORMAT)?,
            width: params[WIDTH],
            height: params[HEIGHT],
            stride: params[STRIDE],
            color_space: ColorSpace::from_code(params[COLOR_SPACE]).ok_or(COLOR_SPACE)?,
            levels: Levels::from_code(params[LEVELS]),
        })
    }

    /// Has it as many levels of detail as its format and size allow, and not more?
    #[must_use]
    pub fn levels_exist(&self) -> bool {
        match self.format {
            Format::Yuv420 => self.levels == Levels::Given(1),
            Format::Bgra8
            | Format::Rgba8
            | Format::Rgb8
            | Format::Luminance8
            | Format::LuminanceAlpha8
            | Format::Alpha8 => self.levels.given() <= Levels::most(self.width, self.height),
        }
    }

    /// Bytes of its data, or `None` on overflow or for levels that its size has not.
    #[must_use]
    pub fn bytes(&self) -> Option<usize> {
        if !self.levels_exist() {
            return None;
        }
        (0..self.levels.given()).try_fold(0usize, |sum, level| sum.checked_add(self.level_bytes(level)?))
    }

    /// Bytes of one level.
    fn level_bytes(&self, level: u32) -> Option<usize> {
        let [_, height, stride] = self.level(level);
        self.format.bytes(stride, height)
    }

    /// Width, height and stride of a level. Level 0 has the stride that was asked for, the others have
    /// no gaps between their rows.
    fn level(&self, level: u32) -> [u32; 3] {
        let [width, height] =
            [self.width, self.height].map(|size| size.checked_shr(level).unwrap_or(0).max(1));
        let stride = if level == 0 { self.stride } else { self.format.min_stride(width) };
        [width, height, stride]
    }

    /// A plane of a level in the data, if it is there.
    #[must_use]
    pub fn plane(&self, level: u32, plane: usize) -> Option<Plane> {
        if level >= self.levels.given() || !self.levels_exist() || plane >= self.format.planes() {
            return None;
        }
        let before = (0..level).try_fold(0usize, |sum, level| sum.checked_add(self.level_bytes(level)?))?;
        let [width, height, stride] = self.level(level);
        if plane == 0 {
            return Some(Plane { offset: before, width, height, stride });
        }
        let (w, h, half) = (width.div_ceil(2), height.div_ceil(2), stride.div_ceil(2));
        let bytes =
            |stride: u32, rows: u32| usize::try_from(stride).ok()?.checked_mul(usize::try_from(rows).ok()?);
        let chroma = bytes(half, h)?.checked_mul(plane - 1)?;
        let offset = before.checked_add(bytes(stride, height)?)?.checked_add(chroma)?;
        Some(Plane { offset, width: w, height: h, stride: half })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec::Vec;

    fn desc(format: Format, width: u32, height: u32, levels: Levels) -> TextureDesc {
        let stride = format.min_stride(width);
        TextureDesc { format, width, height, stride, color_space: ColorSpace::default(), levels }
    }

    #[test]
    fn levels_follow_each_other() {
        let texture = TextureDesc { stride: 24, ..desc(Format::Rgb8, 5, 3, Levels::Given(3)) };
        let planes: Vec<_> = (0..4).map(|level| texture.plane(level, 0)).collect();
        let plane = |offset, width, height, stride| Some(Plane { offset, width, height, stride });
        assert_eq!(planes, [plane(0, 5, 3, 24), plane(72, 2, 1, 6), plane(78, 1, 1, 3), None]);
        assert_eq!((texture.bytes(), texture.plane(0, 1)), (Some(81), None));
        let generated = TextureDesc { levels: Levels::Generated, ..texture };
        assert_eq!((generated.bytes(), generated.plane(1, 0)), (Some(72), None));
        let too_many = TextureDesc { levels: Levels::Given(4), ..texture };
        assert_eq!((too_many.bytes(), too_many.plane(3, 0)), (None, None));
        let video = TextureDesc { stride: 7, ..desc(Format::Yuv420, 5, 3, Levels::Given(1)) };
        assert_eq!(video.plane(0, 2), plane(21 + 8, 3, 2, 4));
        assert_eq!((video.bytes(), video.plane(0, 3)), (Some(37), None));
        assert_eq!(TextureDesc { levels: Levels::Generated, ..video }.bytes(), None);
    }

    /// Nothing is checked before: whatever the parameters say, no arithmetic overflows, and planes lie
    /// within the bytes.
    #[test]
    fn any_parameters_are_harmless() {
        let mut rng = fastrand::Rng::with_seed(1);
        let mut found = 0;
        for _ in 0..20_000 {
            let params = [0; 8].map(|_: u32| match rng.u8(0..4) {
                0 => rng.u32(..),
                1 => u32::MAX - rng.u32(0..4),
                2 => 1 << rng.u32(0..32),
                _ => rng.u32(0..9),
            });
            let params = [rng.u32(0..9), params[1], params[2], params[3], rng.u32(0..5), params[5], 0, 0];
            let Ok(desc) = TextureDesc::decode(&params) else { continue };
            let level = rng.u32(0..40);
            for plane in (0..4).filter_map(|plane| desc.plane(level, plane)) {
                let Some(bytes) = desc.bytes() else { continue };
                found += 1;
                assert!(plane.offset + plane.stride as usize * plane.height as usize <= bytes, "{desc:?}");
            }
        }
        assert!(found > 100, "{found}");
    }

    #[test]
    fn codes_are_there_and_back() {
        for format in Format::ALL {
            assert_eq!(Format::from_code(format as u32), Some(format));
            for levels in [Levels::Given(1), Levels::Given(3), Levels::Generated] {
                let desc = desc(format, 7, 4, levels);
                assert_eq!(TextureDesc::decode(&desc.encode()), Ok(desc));
            }
        }
        assert_eq!(Levels::from_code(0), Levels::Given(1));
        assert_eq!([0, 1, 2, 3, 4, 5, 4096].map(|size| Levels::most(size, 1)), [1, 1, 2, 2, 3, 3, 13]);
        let rows = Rows { first: 3, count: 4095 };
        assert_eq!((Rows::from_code(rows.code()), Rows::from_code(0)), (Some(rows), None));
        assert_eq!(Rows { first: 2, count: 3 }.and(Rows { first: 7, count: 1 }), Rows { first: 2, count: 6 });
    }
}
