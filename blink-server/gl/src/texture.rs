//! A client's texture on the GPU.

use super::driver::{Driver, signed};
use super::error::GlError;
use super::pixels::Pixels;
use super::state::Area;
use blinkgl::layout::texture::{ColorSpace, Format, Levels, Rows, TextureDesc};

/// How OpenGL takes texels of a format, and what they are when sampled.
#[derive(Clone, Copy, Debug)]
pub(super) struct Transfer {
    /// The texture's own format.
    pub internal: u32,
    /// Of the texels given.
    pub format: u32,
    /// Type of their components.
    pub kind: u32,
    /// What red, green, blue and alpha are taken from. OpenGL's core profile and OpenGL ES have no
    /// luminance and alpha formats; this is what OpenGL 1 makes of them.
    pub swizzle: [u32; 4],
}

impl Transfer {
    /// Of a format, for a context of OpenGL or OpenGL ES.
    pub fn new(format: Format, embedded: bool) -> Transfer {
        const RGBA: [u32; 4] = [glow::RED, glow::GREEN, glow::BLUE, glow::ALPHA];
        let transfer = |internal, format, swizzle| {
            let kind = glow::UNSIGNED_BYTE;
            Transfer { internal, format, kind, swizzle }
        };
        match format {
            // This combination needs no swizzling on software renderers; OpenGL ES has it not.
            Format::Bgra8 if !embedded => {
                let kind = glow::UNSIGNED_INT_8_8_8_8_REV;
                Transfer { kind, ..transfer(glow::RGBA, glow::BGRA, RGBA) }
            }
            Format::Bgra8 => {
                transfer(glow::RGBA8, glow::RGBA, [glow::BLUE, glow::GREEN, glow::RED, glow::ALPHA])
            }
            Format::Rgba8 => transfer(glow::RGBA8, glow::RGBA, RGBA),
            Format::Rgb8 => transfer(glow::RGB8, glow::RGB, RGBA),
            Format::Yuv420 => transfer(glow::R8, glow::RED, RGBA),
            Format::Luminance8 => transfer(glow::R8, glow::RED, [glow::RED, glow::RED, glow::RED, glow::ONE]),
            Format::LuminanceAlpha8 => {
                transfer(glow::RG8, glow::RG, [glow::RED, glow::RED, glow::RED, glow::GREEN])
            }
            Format::Alpha8 => transfer(glow::R8, glow::RED, [glow::ZERO, glow::ZERO, glow::ZERO, glow::RED]),
        }
    }
}

/// A texture on the GPU: three planes for YUV, one for all else.
#[derive(Debug)]
pub struct Texture {
    pub(super) planes: Vec<glow::Texture>,
    pub(super) desc: TextureDesc,
}

impl Texture {
    /// Makes one, without an image.
    pub(super) fn create(driver: &Driver, desc: &TextureDesc) -> Result<Texture, GlError> {
        let mut texture = Texture { planes: Vec::with_capacity(3), desc: *desc };
        for _ in 0..desc.format.planes() {
            match driver.create_texture() {
                Ok(plane) => texture.planes.push(plane),
                Err(why) => {
                    texture.delete(driver);
                    return Err(GlError::Object { what: "texture", why });
                }
            }
        }
        Ok(texture)
    }

    pub(super) fn delete(self, driver: &Driver) {
        for plane in self.planes {
            driver.delete_texture(plane);
        }
    }

    /// Uploads an image; the caller checked that `bytes` holds it.
    pub(super) fn fill(&self, driver: &Driver, bytes: &[u8]) {
        let desc = &self.desc;
        let Transfer { internal, format, kind, swizzle } = Transfer::new(desc.format, driver.is_embedded());
        let last = match desc.levels {
            Levels::Given(levels) => levels.saturating_sub(1),
            Levels::Generated => Levels::most(desc.width, desc.height).saturating_sub(1),
        };
        for (i, &plane) in self.planes.iter().enumerate() {
            driver.active_texture(glow::TEXTURE0);
            driver.bind_texture(glow::TEXTURE_2D, Some(plane));
            for level in 0..desc.levels.given() {
                let Some(shape) = desc.plane(level, i) else { continue };
                let Some(texels) = bytes.get(shape.offset..) else { continue };
                let pixels = Pixels { format, kind, row: shape.stride / desc.format.texel_bytes() };
                driver.tex_image(level, internal, [shape.width, shape.height], pixels, Some(texels));
            }
            driver.tex_parameter_i32(glow::TEXTURE_2D, glow::TEXTURE_MAX_LEVEL, signed(last));
            for (name, from) in [
                (glow::TEXTURE_SWIZZLE_R, swizzle[0]),
                (glow::TEXTURE_SWIZZLE_G, swizzle[1]),
                (glow::TEXTURE_SWIZZLE_B, swizzle[2]),
                (glow::TEXTURE_SWIZZLE_A, swizzle[3]),
            ] {
                driver.tex_parameter_i32(glow::TEXTURE_2D, name, from.cast_signed());
            }
            if desc.levels == Levels::Generated {
                driver.generate_mipmap(glow::TEXTURE_2D);
            }
        }
        driver.count(|all| all.uploaded_bytes += bytes.len() as u64);
    }

    /// Uploads rows of level 0 of a texture of one plane; the caller checked that the image has them and that `bytes`
    /// holds them.
    pub(super) fn fill_rows(&self, driver: &Driver, rows: Rows, bytes: &[u8]) {
        let desc = &self.desc;
        let Transfer { format, kind, .. } = Transfer::new(desc.format, driver.is_embedded());
        let [plane] = self.planes[..] else { return };
        let area =
            Area { x: 0, y: signed(rows.first), width: signed(desc.width), height: signed(rows.count) };
        driver.active_texture(glow::TEXTURE0);
        driver.bind_texture(glow::TEXTURE_2D, Some(plane));
        let row = desc.stride / desc.format.texel_bytes();
        driver.tex_sub_image(area, Pixels { format, kind, row }, bytes);
        if desc.levels == Levels::Generated {
            driver.generate_mipmap(glow::TEXTURE_2D);
        }
        driver.count(|all| all.uploaded_bytes += bytes.len() as u64);
    }
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
