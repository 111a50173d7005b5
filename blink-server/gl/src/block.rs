//! The uniform block of a draw: what the shaders consume besides records and lights, packed by std140.

use super::state::{Hard, Points, Unit};
use super::texture::{Texture, yuv_conversion};
use blinkgl::layout::texture::Format;
use blinkgl::limits::{MAX_CLIP_PLANES, MAX_TEXTURE_UNITS};

/// `vec4`s before the units.
const COMMON: usize = 7 + MAX_CLIP_PLANES + 4;
/// `vec4`s of a unit.
const UNIT: usize = 11;
/// `vec4`s of the block.
pub const BLOCK_VECTORS: usize = COMMON + MAX_TEXTURE_UNITS * UNIT;

/// A packed block: bits of floats and integers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Block(pub [[u32; 4]; BLOCK_VECTORS]);

/// What polygons are taken apart into by the polygon mode: which faces, as bits 0 front, 1 back.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Outline {
    /// Faces that this draw draws.
    pub faces: u32,
    /// Their depth is offset.
    pub offset: bool,
}

impl Block {
    /// Packs the state of a draw with these textures.
    #[must_use]
    pub fn new(
        hard: &Hard,
        textures: [Option<&Texture>; MAX_TEXTURE_UNITS],
        outline: Outline,
        depth_unit: f32,
    ) -> Block {
        let mut block = Block([[0; 4]; BLOCK_VECTORS]);
        let Points { size, min, max, attenuation: [a, b, c], .. } = hard.points;
        block.floats(0, [size, min, max, 0.0]);
        block.floats(1, [a, b, c, 0.0]);
        let fog = &hard.fog;
        // As in Mesa, where the ends meet.
        let scale = if fog.end == fog.start { 1.0 } else { 1.0 / (fog.end - fog.start) };
        block.floats(2, [fog.density, fog.end, scale, hard.alpha_reference]);
        block.floats(3, fog.color);
        let [factor, units] = hard.polygon_offset;
        let [near, far] = hard.depth_range;
        // Half the range: depth goes over two units before the viewport's transformation.
        block.floats(4, [factor, units * depth_unit, (far - near) / 2.0, 0.0]);
        #[allow(clippy::cast_precision_loss, reason = "viewports are small")]
        let half = |side: i32| side as f32 / 2.0;
        let (half_width, half_height) = (half(hard.viewport.width), half(hard.viewport.height));
        #[allow(clippy::cast_precision_loss, reason = "pixels of a window")]
        let (left, bottom) = (hard.viewport.x as f32, hard.viewport.y as f32);
        block.floats(5, [half_width, half_height, left + half_width, bottom + half_height]);
        let clockwise = u32::from(hard.front_face == CLOCKWISE);
        block.words(6, [outline.faces, clockwise, u32::from(outline.offset), 0]);
        for (i, plane) in hard.clip_planes.iter().enumerate() {
            block.floats(7 + i, *plane);
        }
        for (column, values) in hard.texture_matrix_1.0.chunks_exact(4).enumerate() {
            if let &[x, y, z, w] = values {
                block.floats(7 + MAX_CLIP_PLANES + column, [x, y, z, w]);
            }
        }
        for (i, (unit, texture)) in hard.units.iter().zip(textures).enumerate() {
            block.unit(COMMON + i * UNIT, unit, texture);
        }
        block
    }

    fn unit(&mut self, at: usize, unit: &Unit, texture: Option<&Texture>) {
        self.floats(at, unit.env_color);
        let [rgb, alpha] = unit.combine.scales;
        self.floats(at + 1, [rgb, alpha, 0.0, 0.0]);
        let generation = unit.generation.map(|g| match (g.on, g.mode) {
            (false, _) => 0,
            (true, EYE_LINEAR) => 1,
            (true, OBJECT_LINEAR) => 2,
            (true, _) => 3,
        });
        self.words(at + 2, generation);
        for (i, g) in unit.generation.iter().enumerate() {
            self.floats(at + 3 + i, if g.mode == OBJECT_LINEAR { g.object_plane } else { g.eye_plane });
        }
        if let Some(texture) = texture.filter(|t| t.desc.format == Format::Yuv420) {
            let ([a, b, c, d, e, f, g, h, i], [x, y, z]) = yuv_conversion(texture.desc.color_space);
            for (row, [x, y, z]) in [[a, b, c], [d, e, f], [g, h, i], [x, y, z]].into_iter().enumerate() {
                self.floats(at + 7 + row, [x, y, z, 0.0]);
            }
        }
    }

    fn words(&mut self, at: usize, words: [u32; 4]) {
        if let Some(to) = self.0.get_mut(at) {
            *to = words;
        }
    }

    fn floats(&mut self, at: usize, floats: [f32; 4]) {
        self.words(at, floats.map(f32::to_bits));
    }
}

const CLOCKWISE: u32 = 0x900;
const EYE_LINEAR: u32 = 0x2400;
const OBJECT_LINEAR: u32 = 0x2401;
