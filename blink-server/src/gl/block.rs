//! The uniform block of a draw: what the shaders consume besides records and lights, packed by std140.

use super::state::{CLAMP, Hard, Points, Unit};
use super::texture::{Texture, yuv_conversion};
use blinkgl::layout::texture::Format;
use blinkgl::limits::{MAX_CLIP_PLANES, MAX_TEXTURE_UNITS};

/// `vec4`s before the units.
const COMMON: usize = 8 + MAX_CLIP_PLANES + 4;
/// `vec4`s of a unit.
const UNIT: usize = 17;
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
        let attenuated = u32::from([a, b, c] != [1.0, 0.0, 0.0]);
        let alpha_function = if hard.alpha_test { hard.alpha_func } else { ALWAYS };
        let fog = &hard.fog;
        let fog_mode = match (fog.on, fog.mode) {
            (false, _) => 0,
            (true, LINEAR) => 1,
            (true, EXP) => 2,
            (true, _) => 3,
        };
        block.words(2, [fog_mode, alpha_function, hard.clip_planes_on, attenuated]);
        // As in Mesa, where the ends meet.
        let scale = if fog.end == fog.start { 1.0 } else { 1.0 / (fog.end - fog.start) };
        block.floats(3, [fog.density, fog.end, scale, hard.alpha_reference]);
        block.floats(4, fog.color);
        let [factor, units] = hard.polygon_offset;
        let [near, far] = hard.depth_range;
        // Half the range: depth goes over two units before the viewport's transformation.
        block.floats(5, [factor, units * depth_unit, (far - near) / 2.0, 0.0]);
        #[allow(clippy::cast_precision_loss, reason = "viewports are small")]
        let half = |side: i32| side as f32 / 2.0;
        block.floats(6, [half(hard.viewport.width), half(hard.viewport.height), 0.0, 0.0]);
        let clockwise = u32::from(hard.front_face == CLOCKWISE);
        block.words(7, [outline.faces, clockwise, u32::from(outline.offset), 0]);
        for (i, plane) in hard.clip_planes.iter().enumerate() {
            block.floats(8 + i, *plane);
        }
        for (column, values) in hard.texture_matrix_1.0.chunks_exact(4).enumerate() {
            if let &[x, y, z, w] = values {
                block.floats(8 + MAX_CLIP_PLANES + column, [x, y, z, w]);
            }
        }
        for (i, (unit, texture)) in hard.units.iter().zip(textures).enumerate() {
            block.unit(COMMON + i * UNIT, unit, texture);
        }
        block
    }

    fn unit(&mut self, at: usize, unit: &Unit, texture: Option<&Texture>) {
        let kind = match texture.map(|t| t.desc.format) {
            None => 0,
            Some(Format::Yuv420) => 2,
            Some(_) => 1,
        };
        let base = texture.map_or(0, |t| u32::from(t.desc.has_color()) | u32::from(t.desc.has_alpha()) << 1);
        let clamp = |wrap: u32| u32::from(wrap == CLAMP && unit.sampling.is_smooth());
        let clamps = clamp(unit.sampling.wrap_s) | clamp(unit.sampling.wrap_t) << 1;
        self.words(at, [kind, unit.env_mode, base, clamps]);
        self.floats(at + 1, unit.env_color);
        let combine = &unit.combine;
        let [rgb, alpha] = combine.functions;
        self.words(at + 2, [rgb, alpha, 0, 0]);
        let [rgb, alpha] = combine.scales;
        self.floats(at + 3, [rgb, alpha, 0.0, 0.0]);
        let lists =
            [combine.sources_rgb, combine.operands_rgb, combine.sources_alpha, combine.operands_alpha];
        for (i, [x, y, z]) in lists.into_iter().enumerate() {
            self.words(at + 4 + i, [x, y, z, 0]);
        }
        let generation = unit.generation.map(|g| match (g.on, g.mode) {
            (false, _) => 0,
            (true, EYE_LINEAR) => 1,
            (true, OBJECT_LINEAR) => 2,
            (true, _) => 3,
        });
        self.words(at + 8, generation);
        for (i, g) in unit.generation.iter().enumerate() {
            self.floats(at + 9 + i, if g.mode == OBJECT_LINEAR { g.object_plane } else { g.eye_plane });
        }
        if let Some(texture) = texture.filter(|_| kind == 2) {
            let ([a, b, c, d, e, f, g, h, i], [x, y, z]) = yuv_conversion(texture.desc.color_space);
            for (row, [x, y, z]) in [[a, b, c], [d, e, f], [g, h, i], [x, y, z]].into_iter().enumerate() {
                self.floats(at + 13 + row, [x, y, z, 0.0]);
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

const ALWAYS: u32 = 0x207;
const EXP: u32 = 0x800;
const LINEAR: u32 = 0x2601;
const CLOCKWISE: u32 = 0x900;
const EYE_LINEAR: u32 = 0x2400;
const OBJECT_LINEAR: u32 = 0x2401;

/// Does the draw need no more than the small shaders do: at most one texture, and none of fog, alpha test, clip
/// planes, generated coordinates, combined environments and attenuated points?
#[must_use]
pub fn is_plain(hard: &Hard) -> bool {
    let [first, second] = &hard.units;
    let sampling = first.sampling;
    !(second.on || hard.fog.on || hard.alpha_test)
        && hard.clip_planes_on == 0
        && hard.points.attenuation == [1.0, 0.0, 0.0]
        && !(first.on
            && (first.env_mode == super::state::COMBINE
                || first.generation.iter().any(|g| g.on)
                || (sampling.is_smooth() && [sampling.wrap_s, sampling.wrap_t].contains(&CLAMP))))
}
