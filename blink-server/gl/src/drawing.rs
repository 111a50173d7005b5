//! What a batch or a clear is drawn with, and how far it is drawn.

use super::block::Outline;
use super::record::Record;
use super::stage::Stage;
use super::state::{FILL, Hard, LINE, Lights};
use super::texture::Texture;
use super::variant::{Polygons, Variant};
use blinkgl::limits::MAX_TEXTURE_UNITS;
use jit::Assembly;

/// What a batch is drawn with.
#[derive(Debug)]
pub(super) struct Drawing<'a> {
    pub assembly: Assembly,
    pub hard: &'a Hard,
    /// Of each unit, if it is on.
    pub textures: [Option<&'a Texture>; MAX_TEXTURE_UNITS],
    pub records: &'a [Record],
    pub lights: &'a Lights,
}

/// A clear, with all that it depends on.
#[derive(Debug)]
pub(super) struct Clear {
    pub mask: u32,
    pub hard: Hard,
    pub color: [f32; 4],
    pub depth: f32,
    pub stencil: i32,
}

/// How far a batch or a clear is drawn.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Cursor {
    /// The pass.
    pub pass: usize,
    /// The vertex that the chunk begins with, where batches are drawn in chunks.
    pub chunk: usize,
    /// The vertex that the step begins with, in the chunk.
    pub first: i32,
    /// The band of the step.
    pub band: u32,
}

/// One of the ways to go through a batch: polygons whose faces have different modes need two.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pass {
    pub variant: Variant,
    pub outline: Outline,
    /// Faces that are not drawn, as OpenGL names them.
    pub cull: Option<u32>,
}

impl Pass {
    /// Are filled polygons moved away by glPolygonOffset? For others the shader does it.
    pub fn is_offset(&self, hard: &Hard) -> bool {
        hard.polygon_offset_on[2] && self.variant.polygons == Polygons::Filled
    }

    /// Does the width of lines matter?
    pub fn has_lines(&self, assembly: Assembly) -> bool {
        assembly == Assembly::Lines || self.variant.polygons == Polygons::Lines
    }
}

impl Drawing<'_> {
    /// `outlines`: polygons can be drawn as their borders or corners.
    pub fn passes(&self, outlines: bool) -> Vec<Pass> {
        let hard = self.hard;
        let points = self.assembly == Assembly::Points;
        let variant = Variant::new(hard, self.textures, Stage::new(self.records, self.lights), points);
        let filled = |cull| Pass { variant, outline: Outline::default(), cull };
        if !hard.is_outlined(self.assembly) || !outlines {
            return vec![filled(hard.cull.then_some(hard.cull_face))];
        }
        let culled = match (hard.cull, hard.cull_face) {
            (false, _) => 0,
            (true, glow::FRONT) => 1,
            (true, glow::BACK) => 2,
            (true, _) => 3,
        };
        let [front, back] = hard.polygon_mode;
        let mut modes = vec![front];
        if back != front {
            modes.push(back);
        }
        let mut passes = Vec::new();
        for mode in modes {
            let faces = (u32::from(front == mode) | u32::from(back == mode) << 1) & !culled;
            if faces == 0 {
                continue;
            }
            if mode == FILL {
                passes.push(filled([None, Some(glow::BACK), Some(glow::FRONT), None][faces as usize % 4]));
                continue;
            }
            let (polygons, offset) = if mode == LINE {
                (Polygons::Lines, hard.polygon_offset_on[1])
            } else {
                (Polygons::Points, hard.polygon_offset_on[0])
            };
            let variant = Variant { polygons, ..variant };
            passes.push(Pass { variant, outline: Outline { faces, offset }, cull: None });
        }
        passes
    }
}
