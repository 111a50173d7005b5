//! A client's texture on the GPU.

use blinkgl::layout::texture::{ColorSpace, Format};

/// A texture's shape; checked against the limits by the scan.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TextureDesc {
    /// Layout of the pixels.
    pub format: Format,
    /// Texels.
    pub width: u32,
    /// Texels.
    pub height: u32,
    /// Bytes of a row of the first plane.
    pub stride: u32,
    /// Meaning of YUV values.
    pub color_space: ColorSpace,
}

/// A plane of an image.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Plane {
    /// First byte in the image.
    pub offset: usize,
    /// Texels.
    pub width: u32,
    /// Texels.
    pub height: u32,
    /// Bytes of a row.
    pub stride: u32,
}

impl TextureDesc {
    /// Has its base format color?
    #[must_use]
    pub fn has_color(&self) -> bool {
        match self.format {
            Format::Bgra8 | Format::Yuv420 => true,
        }
    }

    /// Has its base format alpha?
    #[must_use]
    pub fn has_alpha(&self) -> bool {
        match self.format {
            Format::Bgra8 => true,
            Format::Yuv420 => false,
        }
    }

    /// The planes, as [`Format`] lays them out.
    pub(super) fn planes(&self) -> Vec<Plane> {
        let TextureDesc { width, height, stride, .. } = *self;
        let first = Plane { offset: 0, width, height, stride };
        match self.format {
            Format::Bgra8 => vec![first],
            Format::Yuv420 => {
                let (w, h, half) = (width.div_ceil(2), height.div_ceil(2), stride.div_ceil(2));
                let u = stride as usize * height as usize;
                let v = u + half as usize * h as usize;
                let chroma = |offset| Plane { offset, width: w, height: h, stride: half };
                vec![first, chroma(u), chroma(v)]
            }
        }
    }
}

/// A texture on the GPU: one plane for RGBA, three for YUV.
#[derive(Debug)]
pub struct Texture {
    pub(super) planes: Vec<glow::Texture>,
    pub(super) desc: TextureDesc,
}

/// Matrix (column by column) and offset that turn YUV into RGB: ITU-R BT.601 and BT.709.
#[must_use]
pub fn yuv_conversion(space: ColorSpace) -> ([f32; 9], [f32; 3]) {
    let (kr, kb, full) = match space {
        ColorSpace::Bt601Limited => (0.299, 0.114, false),
        ColorSpace::Bt601Full => (0.299, 0.114, true),
        ColorSpace::Bt709Limited => (0.2126, 0.0722, false),
        ColorSpace::Bt709Full => (0.2126, 0.0722, true),
    };
    let kg = 1.0 - kr - kb;
    let (y, c, low) = if full { (1.0, 1.0, 0.0) } else { (255.0 / 219.0, 255.0 / 224.0, 16.0 / 255.0) };
    let red = 2.0 * (1.0 - kr) * c;
    let blue = 2.0 * (1.0 - kb) * c;
    let matrix = [y, y, y, 0.0, -blue * kb / kg, blue, red, -red * kr / kg, 0.0];
    (matrix, [low, 128.0 / 255.0, 128.0 / 255.0])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn white_and_red_come_out_right() {
        for (space, white, red) in [
            (ColorSpace::Bt601Limited, [235.0, 128.0, 128.0], [81.0, 90.0, 240.0]),
            (ColorSpace::Bt709Limited, [235.0, 128.0, 128.0], [63.0, 102.0, 240.0]),
            (ColorSpace::Bt601Full, [255.0, 128.0, 128.0], [76.0, 85.0, 255.0]),
        ] {
            let (m, offset) = yuv_conversion(space);
            let convert = |yuv: [f32; 3]| {
                let v = [0, 1, 2].map(|i| yuv[i] / 255.0 - offset[i]);
                [0, 1, 2].map(|row| m[row] * v[0] + m[3 + row] * v[1] + m[6 + row] * v[2])
            };
            for (rgb, wanted) in [(convert(white), [1.0; 3]), (convert(red), [1.0, 0.0, 0.0])] {
                for (a, b) in rgb.iter().zip(wanted) {
                    assert!((a - b).abs() < 0.02, "{space:?}: {rgb:?}");
                }
            }
        }
    }
}
