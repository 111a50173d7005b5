//! Descriptions of images, and writing their pixels row by row.

use crate::Error;
use crate::pages::Pages;
use blinkgl::layout::{cursor, texture};
use blinkgl::limits::{MAX_CURSOR_SIZE, MAX_TEXTURE_SIZE};
use blinkgl::shm::Shm;

pub use blinkgl::layout::texture::{ColorSpace, Format};

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
    /// Bytes from one row of the first plane to the next.
    pub stride: u32,
    /// Meaning of YUV values.
    pub color_space: ColorSpace,
}

impl TextureInfo {
    /// Four bytes a texel, blue, green, red, alpha, rows without gaps.
    #[must_use]
    pub fn bgra(width: u32, height: u32) -> TextureInfo {
        let (format, color_space) = (Format::Bgra8, ColorSpace::default());
        TextureInfo { format, width, height, stride: format.min_stride(width), color_space }
    }

    /// Planar YUV 4:2:0, as video decoders give it. The stride is rounded up to 16 bytes; write it
    /// by [`TextureWriter::write_rows`], which takes any source stride.
    #[must_use]
    pub fn yuv420(width: u32, height: u32, color_space: ColorSpace) -> TextureInfo {
        let stride = width.checked_next_multiple_of(YUV_STRIDE).unwrap_or(width);
        TextureInfo { format: Format::Yuv420, width, height, stride, color_space }
    }

    /// Bytes of all planes.
    ///
    /// # Errors
    /// Size or stride are out of range.
    pub fn bytes(&self) -> Result<usize, Error> {
        let (width, height, limit) = (self.width, self.height, MAX_TEXTURE_SIZE);
        if !(1..=limit).contains(&width) || !(1..=limit).contains(&height) {
            return Err(Error::ImageSize { what: "texture", width, height, limit });
        }
        let wanted = self.format.min_stride(width);
        if self.stride < wanted {
            return Err(Error::Stride { stride: self.stride, wanted });
        }
        let too_large = Error::ImageSize { what: "texture", width, height, limit };
        let bytes = self.format.bytes(self.stride, height).ok_or(too_large)?;
        // The size of an object is a word in its slot.
        u32::try_from(bytes).map_err(|_| Error::Stride { stride: self.stride, wanted })?;
        Ok(bytes)
    }

    pub(crate) fn params(&self) -> [u32; 8] {
        let mut params = [0; 8];
        params[texture::FORMAT] = self.format as u32;
        params[texture::WIDTH] = self.width;
        params[texture::HEIGHT] = self.height;
        params[texture::STRIDE] = self.stride;
        params[texture::COLOR_SPACE] = self.color_space as u32;
        params
    }

    /// A plane's place: {start, stride, bytes of a row, rows}.
    fn plane(&self, plane: usize) -> Option<[usize; 4]> {
        let [width, height, stride] =
            [self.width, self.height, self.stride].map(|v| usize::try_from(v).unwrap_or(usize::MAX));
        let (half_stride, half_height) = (stride.div_ceil(2), height.div_ceil(2));
        match (self.format, plane) {
            (Format::Bgra8, 0) => Some([0, stride, width * 4, height]),
            (Format::Yuv420, 0) => Some([0, stride, width, height]),
            (Format::Yuv420, 1 | 2) => {
                let start = stride * height + (plane - 1) * half_stride * half_height;
                Some([start, half_stride, width.div_ceil(2), half_height])
            }
            (Format::Bgra8 | Format::Yuv420, _) => None,
        }
    }
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

    /// Writes rows of a plane (0, or 0 to 2 for Y, U, V), from row `first` on: as many as `source` has,
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
        let outside = |end, rows| Error::Rows { plane, first, end, rows };
        let [start, stride, row_bytes, rows] = self.info.plane(plane).ok_or_else(|| outside(first, 0))?;
        if source_stride < row_bytes {
            let [stride, wanted] = [source_stride, row_bytes].map(|v| u32::try_from(v).unwrap_or(u32::MAX));
            return Err(Error::Stride { stride, wanted });
        }
        let row = usize::try_from(first).unwrap_or(usize::MAX);
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
    fn sizes_are_checked() {
        assert!(TextureInfo::bgra(0, 1).bytes().is_err());
        assert!(TextureInfo::bgra(u32::MAX, 1).bytes().is_err());
        assert!(TextureInfo { stride: 3, ..TextureInfo::bgra(1, 1) }.bytes().is_err());
        assert!(TextureInfo { stride: u32::MAX, ..TextureInfo::bgra(4096, 4096) }.bytes().is_err());
        assert_eq!(TextureInfo::bgra(3, 2).bytes().ok(), Some(24));
        let cursor = CursorInfo { width: 2, height: 2, hot_x: 1, hot_y: 1 };
        assert!(cursor.check(16).is_ok());
        assert!(cursor.check(15).is_err());
        assert!(CursorInfo { hot_y: 2, ..cursor }.check(16).is_err());
    }
}
