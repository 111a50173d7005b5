//! Descriptions of images, and writing their pixels row by row.

use crate::Error;
use crate::pages::Pages;
use blinkgl::layout::cursor;
use blinkgl::layout::texture::{Plane, TextureDesc};
use blinkgl::limits::{MAX_CURSOR_SIZE, MAX_TEXTURE_SIZE};
use blinkgl::shm::Shm;

pub use blinkgl::layout::texture::{ColorSpace, Format, Levels};

/// Bytes to which [`TextureInfo::yuv420`] rounds its stride up: the rows of all planes then start at
/// double words, which copies fastest.
const YUV_STRIDE: u32 = 16;

/// Size and layout of a texture's pixels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TextureInfo {
    /// Layout of the pixels.
    pub format: Format,
    /// Texels.
    pub width: u32,
    /// Texels; rows go from the image's top down.
    pub height: u32,
    /// Bytes from one row of level 0 (of its first plane) to the next: a multiple of a texel's.
    pub stride: u32,
    /// Meaning of YUV values.
    pub color_space: ColorSpace,
    /// Levels of detail.
    pub levels: Levels,
}

impl TextureInfo {
    /// A texture of one level, rows without gaps.
    #[must_use]
    pub fn new(format: Format, width: u32, height: u32) -> TextureInfo {
        let (color_space, levels) = (ColorSpace::default(), Levels::default());
        TextureInfo { format, width, height, stride: format.min_stride(width), color_space, levels }
    }

    /// Four bytes a texel, blue, green, red, alpha, rows without gaps.
    #[must_use]
    pub fn bgra(width: u32, height: u32) -> TextureInfo {
        TextureInfo::new(Format::Bgra8, width, height)
    }

    /// Four bytes a texel, red, green, blue, alpha, rows without gaps.
    #[must_use]
    pub fn rgba(width: u32, height: u32) -> TextureInfo {
        TextureInfo::new(Format::Rgba8, width, height)
    }

    /// Three bytes a texel, red, green, blue, rows without gaps.
    #[must_use]
    pub fn rgb(width: u32, height: u32) -> TextureInfo {
        TextureInfo::new(Format::Rgb8, width, height)
    }

    /// A byte a texel, which is its red, green and blue; rows without gaps.
    #[must_use]
    pub fn luminance(width: u32, height: u32) -> TextureInfo {
        TextureInfo::new(Format::Luminance8, width, height)
    }

    /// Two bytes a texel, luminance and alpha, rows without gaps.
    #[must_use]
    pub fn luminance_alpha(width: u32, height: u32) -> TextureInfo {
        TextureInfo::new(Format::LuminanceAlpha8, width, height)
    }

    /// A byte a texel, its alpha; rows without gaps.
    #[must_use]
    pub fn alpha(width: u32, height: u32) -> TextureInfo {
        TextureInfo::new(Format::Alpha8, width, height)
    }

    /// Planar YUV 4:2:0, as video decoders give it. The stride is rounded up to 16 bytes; write it
    /// by [`TextureWriter::write_rows`], which takes any source stride.
    #[must_use]
    pub fn yuv420(width: u32, height: u32, color_space: ColorSpace) -> TextureInfo {
        let stride = width.checked_next_multiple_of(YUV_STRIDE).unwrap_or(width);
        TextureInfo { stride, color_space, ..TextureInfo::new(Format::Yuv420, width, height) }
    }

    /// With so many levels of detail, level 0 included, all of them given by the client one after the other.
    /// Each is half as wide and high as the one before, at least 1; from level 1 on, rows have no gaps.
    #[must_use]
    pub fn with_levels(self, levels: u32) -> TextureInfo {
        TextureInfo { levels: Levels::Given(levels), ..self }
    }

    /// With all levels of detail that the size has, made by the server from level 0.
    #[must_use]
    pub fn generate_mipmaps(self) -> TextureInfo {
        TextureInfo { levels: Levels::Generated, ..self }
    }

    /// Bytes of all planes of all levels that the client gives.
    ///
    /// # Errors
    /// Size, stride or levels are out of range.
    pub fn bytes(&self) -> Result<usize, Error> {
        let (width, height, limit) = (self.width, self.height, MAX_TEXTURE_SIZE);
        let too_large = || Error::ImageSize { what: "texture", width, height, limit };
        if !(1..=limit).contains(&width) || !(1..=limit).contains(&height) {
            return Err(too_large());
        }
        let wanted = self.format.min_stride(width);
        if self.stride < wanted || !self.stride.is_multiple_of(self.format.texel_bytes()) {
            return Err(Error::Stride { stride: self.stride, wanted });
        }
        let most = if self.format == Format::Yuv420 { 1 } else { Levels::most(width, height) };
        if !self.desc().levels_exist() || self.levels == Levels::Given(0) {
            return Err(Error::Levels { levels: self.levels, most });
        }
        let bytes = self.desc().bytes().ok_or_else(too_large)?;
        // The size of an object is a word in its slot.
        u32::try_from(bytes).map_err(|_| Error::Stride { stride: self.stride, wanted })?;
        Ok(bytes)
    }

    fn desc(&self) -> TextureDesc {
        let TextureInfo { format, width, height, stride, color_space, levels } = *self;
        TextureDesc { format, width, height, stride, color_space, levels }
    }

    pub(crate) fn params(&self) -> [u32; 8] {
        self.desc().encode()
    }

    /// What [`Self::params`] were made from.
    pub(crate) fn of_params(params: &[u32; 8]) -> Option<TextureInfo> {
        let TextureDesc { format, width, height, stride, color_space, levels } =
            TextureDesc::decode(params).ok()?;
        Some(TextureInfo { format, width, height, stride, color_space, levels })
    }
}

/// A rectangle of a level of a texture, in texels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TextureArea {
    /// The level of detail.
    pub level: u32,
    /// Its left column.
    pub x: u32,
    /// Its first row, from the image's top.
    pub y: u32,
    /// Columns.
    pub width: u32,
    /// Rows.
    pub height: u32,
}

/// Writes pixels straight into the pages of a texture that is not published yet.
#[derive(Debug)]
pub struct TextureWriter<'a> {
    pub(crate) memory: &'a Shm,
    pub(crate) pages: &'a Pages,
    pub(crate) info: TextureInfo,
}

impl TextureWriter<'_> {
    /// What is written.
    #[must_use]
    pub fn info(&self) -> TextureInfo {
        self.info
    }

    /// Writes rows of a plane (0, or 0 to 2 for Y, U, V) of level 0, from row `first` on: as many as `source` has,
    /// `source_stride` bytes from one to the next. The last one needs no more bytes than a row has.
    ///
    /// # Errors
    /// There is no such plane, or it has fewer rows; the stride is shorter than a row.
    pub fn write_rows(
        &mut self,
        plane: usize,
        first: u32,
        source: &[u8],
        source_stride: usize,
    ) -> Result<(), Error> {
        let outside = Error::Rows { plane, first, end: first, rows: 0 };
        let shape = self.info.desc().plane(0, plane).ok_or(outside)?;
        self.write_plane(plane, shape, first, source, source_stride)
    }

    /// Writes a level of detail, as [`Self::write_rows`] writes level 0.
    ///
    /// # Errors
    /// The texture has no such level or the server makes it, or it has fewer rows; the stride is shorter than a row.
    pub fn write_level(&mut self, level: u32, source: &[u8], source_stride: usize) -> Result<(), Error> {
        let shape = self.level(level)?;
        self.write_plane(0, shape, 0, source, source_stride)
    }

    fn level(&self, level: u32) -> Result<Plane, Error> {
        let missing =
            Error::Levels { levels: Levels::Given(level.saturating_add(1)), most: self.info.levels.given() };
        self.info.desc().plane(level, 0).ok_or(missing)
    }

    fn write_plane(
        &mut self,
        plane: usize,
        shape: Plane,
        first: u32,
        source: &[u8],
        source_stride: usize,
    ) -> Result<(), Error> {
        let outside = |end, rows| Error::Rows { plane, first, end, rows };
        let row_bytes = index(self.info.format.min_stride(shape.width));
        let (start, stride, rows) = (shape.offset, index(shape.stride), index(shape.height));
        if source_stride < row_bytes {
            let [stride, wanted] = [source_stride, row_bytes].map(|v| u32::try_from(v).unwrap_or(u32::MAX));
            return Err(Error::Stride { stride, wanted });
        }
        let row = index(first);
        let count = source.len().saturating_add(source_stride - row_bytes) / source_stride.max(1);
        let end = row.saturating_add(count);
        if end > rows {
            let [end, rows] = [end, rows].map(|v| u32::try_from(v).unwrap_or(u32::MAX));
            return Err(outside(end, rows));
        }
        if source_stride == stride {
            // One copy; the gaps between rows go with it.
            let bytes = source.get(..(count * stride).min(source.len())).unwrap_or_default();
            let room = (rows - row) * stride;
            let bytes = bytes.get(..room.min(bytes.len())).unwrap_or_default();
            return Ok(self.pages.write(self.memory, start + row * stride, bytes)?);
        }
        for (row, line) in (row..end).zip(source.chunks(source_stride)) {
            let line = line.get(..row_bytes).unwrap_or_default();
            self.pages.write(self.memory, start + row * stride, line)?;
        }
        Ok(())
    }

    /// Writes a rectangle of a level; `source` has its rows, `source_stride` bytes from one to the next. The
    /// last one needs no more bytes than it has texels.
    ///
    /// # Errors
    /// The texture is planar or has no such texels, or `source` has not.
    pub fn write_area(
        &mut self,
        area: TextureArea,
        source: &[u8],
        source_stride: usize,
    ) -> Result<(), Error> {
        let shape = self.level(area.level)?;
        let inside = |at: u32, size: u32, all: u32| at.checked_add(size).is_some_and(|end| end <= all);
        let planar = self.info.format.planes() > 1;
        if planar || !inside(area.x, area.width, shape.width) || !inside(area.y, area.height, shape.height) {
            return Err(Error::Area { area, width: shape.width, height: shape.height, planar });
        }
        let [row_bytes, left] = [area.width, area.x].map(|texels| index(self.info.format.min_stride(texels)));
        if source_stride < row_bytes {
            let [stride, wanted] = [source_stride, row_bytes].map(|v| u32::try_from(v).unwrap_or(u32::MAX));
            return Err(Error::Stride { stride, wanted });
        }
        let rows = index(area.height);
        let wanted = if rows == 0 || row_bytes == 0 {
            0
        } else {
            source_stride.saturating_mul(rows - 1).saturating_add(row_bytes)
        };
        if source.len() < wanted {
            return Err(Error::PixelBytes { found: source.len(), wanted });
        }
        if wanted == 0 {
            return Ok(());
        }
        let first = shape.offset + index(area.y) * index(shape.stride) + left;
        for (i, line) in source.chunks(source_stride).take(rows).enumerate() {
            let line = line.get(..row_bytes).unwrap_or_default();
            self.pages.write(self.memory, first + i * index(shape.stride), line)?;
        }
        Ok(())
    }

    /// Writes all of the texture, laid out as [`Self::info`] says.
    ///
    /// # Errors
    /// Not as many bytes as it has.
    pub fn write_all(&mut self, pixels: &[u8]) -> Result<(), Error> {
        let wanted = self.info.bytes()?;
        if pixels.len() != wanted {
            return Err(Error::PixelBytes { found: pixels.len(), wanted });
        }
        Ok(self.pages.write(self.memory, 0, pixels)?)
    }
}

/// Sizes within the limits fit an index on every machine that can map an aperture.
fn index(value: u32) -> usize {
    usize::try_from(value).unwrap_or(usize::MAX)
}

/// Size and hot spot of a cursor image; pixels are BGRA without gaps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CursorInfo {
    /// Pixels.
    pub width: u32,
    /// Pixels.
    pub height: u32,
    /// The pixel that points, from the left.
    pub hot_x: u32,
    /// The pixel that points, from the top.
    pub hot_y: u32,
}

impl CursorInfo {
    pub(crate) fn check(&self, pixels: usize) -> Result<[u32; 8], Error> {
        let CursorInfo { width, height, hot_x, hot_y } = *self;
        let limit = MAX_CURSOR_SIZE;
        if !(1..=limit).contains(&width) || !(1..=limit).contains(&height) {
            return Err(Error::ImageSize { what: "cursor", width, height, limit });
        }
        if hot_x >= width || hot_y >= height {
            return Err(Error::HotSpot { x: hot_x, y: hot_y, width, height });
        }
        let wanted = usize::try_from(width * height * 4).unwrap_or(usize::MAX);
        if pixels != wanted {
            return Err(Error::PixelBytes { found: pixels, wanted });
        }
        let mut params = [0; 8];
        params[cursor::WIDTH] = width;
        params[cursor::HEIGHT] = height;
        params[cursor::HOT_X] = hot_x;
        params[cursor::HOT_Y] = hot_y;
        Ok(params)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::cast_possible_truncation, reason = "test")]
    use super::*;
    use crate::pages::Extent;
    use alloc::vec;
    use alloc::vec::Vec;
    use blinkgl::limits::PAGE_SIZE;
    use blinkgl::shm::ShmOffset;

    /// Planes of odd size, each value its own, from a source with another stride.
    #[test]
    fn planes_go_where_the_format_says() {
        for stride in [13, 16, 21] {
            let memory = Shm::anonymous(2 * PAGE_SIZE);
            let pages = Pages(vec![Extent { first: 1, pages: 1 }]);
            let info = TextureInfo { stride, ..TextureInfo::yuv420(13, 5, ColorSpace::Bt601Limited) };
            let mut writer = TextureWriter { memory: &memory, pages: &pages, info };
            let plane = |from: u8, width: usize, rows: usize, stride: usize| {
                let mut bytes = vec![0xee; stride * (rows - 1) + width];
                for (i, row) in bytes.chunks_mut(stride).enumerate() {
                    row[..width].fill(from + i as u8);
                }
                bytes
            };
            writer.write_rows(0, 0, &plane(10, 13, 5, 16), 16).unwrap();
            writer.write_rows(1, 0, &plane(50, 7, 3, 7), 7).unwrap();
            writer.write_rows(2, 0, &plane(80, 7, 2, 9), 9).unwrap();
            writer.write_rows(2, 2, &[99; 7], 9).unwrap();
            let mut found = Vec::new();
            memory.copy_bytes_in(ShmOffset(PAGE_SIZE), info.bytes().unwrap(), &mut found).unwrap();
            let (stride, half) = (stride as usize, stride.div_ceil(2) as usize);
            for y in 0..5 {
                assert_eq!(found[y * stride..][..13], [10 + y as u8; 13], "stride {stride}, row {y}");
            }
            for (y, value) in [50, 51, 52].into_iter().enumerate() {
                assert_eq!(found[5 * stride + y * half..][..7], [value; 7]);
            }
            for (y, value) in [80, 81, 99].into_iter().enumerate() {
                assert_eq!(found[5 * stride + (3 + y) * half..][..7], [value; 7]);
            }
            assert!(writer.write_rows(3, 0, &[], 16).is_err());
            assert!(writer.write_rows(2, 2, &[0; 16], 9).is_err());
            assert!(writer.write_rows(0, 0, &[0; 16], 12).is_err());
            assert!(writer.write_all(&[0; 4]).is_err());
        }
    }

    #[test]
    fn levels_and_areas_go_where_the_layout_says() {
        let memory = Shm::anonymous(2 * PAGE_SIZE);
        let pages = Pages(vec![Extent { first: 1, pages: 1 }]);
        let info = TextureInfo { stride: 15, ..TextureInfo::rgb(4, 3) }.with_levels(3);
        assert_eq!(info.bytes().ok(), Some(45 + 6 + 3));
        let mut writer = TextureWriter { memory: &memory, pages: &pages, info };
        writer.write_all(&[0; 54]).unwrap();
        writer.write_level(0, &[1; 3 * 12], 12).unwrap();
        writer.write_level(1, &[2; 6], 6).unwrap();
        writer.write_level(2, &[3; 3], 8).unwrap();
        let area = TextureArea { level: 0, x: 1, y: 1, width: 2, height: 2 };
        writer.write_area(area, &[[7; 8], [8; 8]].concat()[..14], 8).unwrap();
        writer.write_area(TextureArea { level: 1, x: 1, y: 0, width: 1, height: 1 }, &[9; 3], 3).unwrap();
        let mut found = Vec::new();
        memory.copy_bytes_in(ShmOffset(PAGE_SIZE), 54, &mut found).unwrap();
        let row = |middle: u8| [vec![1; 3], vec![middle; 6], vec![1; 3], vec![0; 3]].concat();
        assert_eq!(found, [row(1), row(7), row(8), vec![2, 2, 2, 9, 9, 9], vec![3; 3]].concat());

        assert!(matches!(writer.write_level(3, &[0; 3], 3), Err(Error::Levels { most: 3, .. })));
        assert!(writer.write_level(1, &[0; 12], 6).is_err(), "too many rows");
        for outside in [
            TextureArea { x: 3, ..area },
            TextureArea { y: 2, ..area },
            TextureArea { x: u32::MAX, ..area },
            TextureArea { height: u32::MAX, ..area },
            TextureArea { level: 1, ..area },
        ] {
            assert!(
                matches!(writer.write_area(outside, &[0; 99], 8), Err(Error::Area { .. })),
                "{outside:?}"
            );
        }
        assert!(matches!(writer.write_area(area, &[0; 13], 8), Err(Error::PixelBytes { wanted: 14, .. })));
        assert!(matches!(writer.write_area(area, &[0; 99], 5), Err(Error::Stride { wanted: 6, .. })));
        writer.write_area(TextureArea { height: 0, ..area }, &[], 8).unwrap();
        let planar = TextureInfo::yuv420(4, 3, ColorSpace::Bt601Full);
        let mut writer = TextureWriter { memory: &memory, pages: &pages, info: planar };
        assert!(matches!(writer.write_area(area, &[0; 99], 8), Err(Error::Area { planar: true, .. })));
    }

    #[test]
    fn sizes_are_checked() {
        assert!(TextureInfo::bgra(0, 1).bytes().is_err());
        assert!(TextureInfo::bgra(u32::MAX, 1).bytes().is_err());
        assert!(TextureInfo { stride: 3, ..TextureInfo::bgra(1, 1) }.bytes().is_err());
        assert!(TextureInfo { stride: u32::MAX, ..TextureInfo::bgra(4096, 4096) }.bytes().is_err());
        assert_eq!(TextureInfo::bgra(3, 2).bytes().ok(), Some(24));
        assert!(TextureInfo { stride: 8, ..TextureInfo::rgb(2, 1) }.bytes().is_err(), "not of whole texels");
        for (info, bytes) in [
            (TextureInfo::rgba(4, 2), 32),
            (TextureInfo::rgb(4, 2), 24),
            (TextureInfo::luminance(4, 2), 8),
            (TextureInfo::luminance_alpha(4, 2), 16),
            (TextureInfo::alpha(4, 2), 8),
            (TextureInfo::alpha(4, 2).with_levels(3), 11),
            (TextureInfo::alpha(4, 2).generate_mipmaps(), 8),
        ] {
            assert_eq!(info.bytes().ok(), Some(bytes), "{info:?}");
        }
        let video = TextureInfo::yuv420(4, 2, ColorSpace::Bt601Full);
        for info in [
            TextureInfo::alpha(4, 2).with_levels(4),
            TextureInfo::alpha(4, 2).with_levels(0),
            video.with_levels(2),
            video.generate_mipmaps(),
        ] {
            assert!(matches!(info.bytes(), Err(Error::Levels { .. })), "{info:?}");
        }
        let cursor = CursorInfo { width: 2, height: 2, hot_x: 1, hot_y: 1 };
        assert!(cursor.check(16).is_ok());
        assert!(cursor.check(15).is_err());
        assert!(CursorInfo { hot_y: 2, ..cursor }.check(16).is_err());
    }
}
