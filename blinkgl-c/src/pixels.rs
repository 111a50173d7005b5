//! Pixels of C programs as textures have them: OpenGL's unpacking, internal formats, and smaller levels.

use crate::error::Mistake;
use crate::state::bytes;
use blinkgl::limits::MAX_TEXTURE_SIZE;

/// `GL_UNSIGNED_BYTE`.
const UNSIGNED_BYTE: u32 = 0x1401;

/// What texels have: OpenGL's base internal formats.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Base {
    /// Alpha only.
    Alpha,
    /// Luminance only.
    Luminance,
    /// Luminance and alpha.
    LuminanceAlpha,
    /// Red, green, blue.
    Rgb,
    /// Red, green, blue, alpha.
    Rgba,
}

impl Base {
    /// Of a texture's internal format. All have eight bits a component here.
    pub fn of_internal(format: i32) -> Result<Base, Mistake> {
        Ok(match format {
            0x1906 | 0x803c => Base::Alpha,
            1 | 0x1909 | 0x8040 => Base::Luminance,
            2 | 0x190a | 0x8045 => Base::LuminanceAlpha,
            3 | 0x1907 | 0x8051 => Base::Rgb,
            4 | 0x1908 | 0x8058 => Base::Rgba,
            other => {
                return Err(Mistake::value(format!(
                    "Blink has no internal format {:#06x}",
                    other.cast_unsigned()
                )));
            }
        })
    }

    /// Bytes of a texel.
    pub fn size(self) -> usize {
        match self {
            Base::Alpha | Base::Luminance => 1,
            Base::LuminanceAlpha => 2,
            Base::Rgb => 3,
            Base::Rgba => 4,
        }
    }

    /// From a color, as OpenGL chooses components.
    fn push(self, [r, g, b, a]: [u8; 4], to: &mut Vec<u8>) {
        match self {
            Base::Alpha => to.push(a),
            Base::Luminance => to.push(r),
            Base::LuminanceAlpha => to.extend([r, a]),
            Base::Rgb => to.extend([r, g, b]),
            Base::Rgba => to.extend([r, g, b, a]),
        }
    }
}

/// How a C program's pixels are laid out: `GL_RGBA`...
#[derive(Clone, Copy, Debug)]
pub struct PixelFormat {
    /// Bytes of a pixel.
    pub size: usize,
    color: fn(&[u8]) -> [u8; 4],
}

impl PixelFormat {
    /// Of the format and type in `glTexImage2D`.
    pub fn new(format: u32, kind: u32) -> Result<PixelFormat, Mistake> {
        if kind != UNSIGNED_BYTE {
            return Err(Mistake::name("type of pixels", kind));
        }
        Ok(match format {
            0x1906 => PixelFormat { size: 1, color: |p| [0, 0, 0, p[0]] },
            0x1907 => PixelFormat { size: 3, color: |p| [p[0], p[1], p[2], 255] },
            0x1908 => PixelFormat { size: 4, color: |p| [p[0], p[1], p[2], p[3]] },
            0x1909 => PixelFormat { size: 1, color: |p| [p[0], p[0], p[0], 255] },
            0x190a => PixelFormat { size: 2, color: |p| [p[0], p[0], p[0], p[1]] },
            0x80e1 => PixelFormat { size: 4, color: |p| [p[2], p[1], p[0], p[3]] },
            other => return Err(Mistake::name("pixel format", other)),
        })
    }
}

/// `glPixelStorei`.
#[derive(Clone, Copy, Debug)]
pub struct Unpack {
    /// `GL_UNPACK_ALIGNMENT`.
    pub alignment: usize,
    /// `GL_UNPACK_ROW_LENGTH`.
    pub row_length: usize,
}

impl Default for Unpack {
    fn default() -> Unpack {
        Unpack { alignment: 4, row_length: 0 }
    }
}

impl Unpack {
    /// Bytes from one row to the next.
    fn stride(self, width: usize, pixel: usize) -> usize {
        let row = if self.row_length > 0 { self.row_length } else { width };
        (row * pixel).next_multiple_of(self.alignment.max(1))
    }

    /// Reads an image from C's memory.
    pub fn read(
        self,
        format: PixelFormat,
        base: Base,
        [width, height]: [usize; 2],
        from: *const u8,
    ) -> Result<Vec<u8>, Mistake> {
        let (row, stride) = (width * format.size, self.stride(width, format.size));
        if row == 0 || height == 0 {
            return Ok(Vec::new());
        }
        let source = bytes("the image", from, stride * (height - 1) + row)?;
        let mut texels = Vec::with_capacity(width * height * base.size());
        for line in source.chunks(stride) {
            for pixel in line[..row].chunks_exact(format.size) {
                base.push((format.color)(pixel), &mut texels);
            }
        }
        Ok(texels)
    }
}

/// A side of an image, if textures can have it.
pub fn side(value: i32) -> Result<usize, Mistake> {
    match u32::try_from(value) {
        Ok(value) if value <= MAX_TEXTURE_SIZE => Ok(usize::try_from(value).unwrap_or(0)),
        Ok(_) | Err(_) => {
            Err(Mistake::value(format!("a side of {value}: textures have 0 to {MAX_TEXTURE_SIZE}")))
        }
    }
}

/// The next smaller level, as GLU makes it: averages of four, or of two where a side is 1.
pub fn halved(texels: &[u8], [width, height]: [usize; 2], size: usize) -> (Vec<u8>, [usize; 2]) {
    let half = [(width / 2).max(1), (height / 2).max(1)];
    let mut to = Vec::with_capacity(half[0] * half[1] * size);
    let flat = width == 1 || height == 1;
    for y in 0..half[1] {
        for x in 0..half[0] {
            for c in 0..size {
                let at = |dx: usize, dy: usize| {
                    let (x, y) = ((2 * x + dx).min(width - 1), (2 * y + dy).min(height - 1));
                    u16::from(texels[(y * width + x) * size + c])
                };
                let sum = if flat {
                    (at(0, 0) + at(1, 1)) / 2
                } else {
                    (at(0, 0) + at(1, 0) + at(0, 1) + at(1, 1) + 2) / 4
                };
                to.push(u8::try_from(sum).unwrap_or(u8::MAX));
            }
        }
    }
    (to, half)
}

/// Another size, each texel the average of what it covers: as `gluScaleImage`'s box.
pub fn scaled(texels: &[u8], from: [usize; 2], to: [usize; 2], size: usize) -> Vec<u8> {
    // The shares of source texels in a texel, in units of 1 / (from * to).
    let shares = |i: usize, from: usize, to: usize| {
        let (start, end) = (i * from, (i + 1) * from);
        (start / to..end.div_ceil(to)).map(move |s| (s, end.min((s + 1) * to) - start.max(s * to)))
    };
    let area = (from[0] * from[1]).max(1);
    let mut result = Vec::with_capacity(to[0] * to[1] * size);
    for y in 0..to[1] {
        for x in 0..to[0] {
            for c in 0..size {
                let mut sum = 0;
                for (row, height) in shares(y, from[1], to[1]) {
                    for (column, width) in shares(x, from[0], to[0]) {
                        sum += usize::from(texels[(row * from[0] + column) * size + c]) * width * height;
                    }
                }
                result.push(u8::try_from((sum + area / 2) / area).unwrap_or(u8::MAX));
            }
        }
    }
    result
}

/// The power of two that GLU takes for a side: the nearest, at most the limit.
pub fn power_of_two(side: usize) -> usize {
    let below = 1 << side.max(1).ilog2();
    let limit = usize::try_from(MAX_TEXTURE_SIZE).unwrap_or(usize::MAX);
    (if side * 2 >= below * 3 { below * 2 } else { below }).min(limit)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formats_and_rows() {
        let unpack = Unpack { alignment: 4, row_length: 3 };
        let format = PixelFormat::new(0x80e1, UNSIGNED_BYTE).unwrap();
        let image: Vec<u8> = (0..20).collect();
        let read = |base| unpack.read(format, base, [2, 2], image.as_ptr()).unwrap();
        assert_eq!(read(Base::Rgba), [2, 1, 0, 3, 6, 5, 4, 7, 14, 13, 12, 15, 18, 17, 16, 19]);
        assert_eq!(read(Base::Alpha), [3, 7, 15, 19]);
        assert_eq!(read(Base::LuminanceAlpha), [2, 3, 6, 7, 14, 15, 18, 19]);
        // Rows of one byte, four apart.
        let format = PixelFormat::new(0x1909, UNSIGNED_BYTE).unwrap();
        let texels = Unpack::default().read(format, Base::Rgb, [1, 3], image.as_ptr()).unwrap();
        assert_eq!(texels, [0, 0, 0, 4, 4, 4, 8, 8, 8]);
        assert!(Unpack::default().read(format, Base::Rgb, [1, 3], std::ptr::null()).is_err());
        assert!(PixelFormat::new(0x1900, UNSIGNED_BYTE).is_err(), "no color tables");
        assert!(PixelFormat::new(0x1908, 0x1406).is_err(), "no floats");
        assert!(Base::of_internal(0x8d64).is_err(), "nothing compressed");
        assert!(side(-1).is_err() && side(1 << 20).is_err());
    }

    #[test]
    fn smaller_levels() {
        assert_eq!(halved(&[0, 1, 2, 7], [2, 2], 1), (vec![3], [1, 1]));
        assert_eq!(halved(&[1, 4], [1, 2], 1), (vec![2], [1, 1]));
        assert_eq!(halved(&[1, 10, 3, 20], [2, 1], 2), (vec![2, 15], [1, 1]));
        assert_eq!(scaled(&[0, 30, 90], [3, 1], [2, 1], 1), [10, 70]);
        assert_eq!(scaled(&[7; 12], [2, 2], [4, 4], 3), [7; 48]);
        assert_eq!([1, 2, 3, 5, 6, 100].map(power_of_two), [1, 2, 4, 4, 8, 128]);
    }
}
