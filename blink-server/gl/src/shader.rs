//! Our shaders' text: the only ones that are ever compiled. What clients choose is which of our lines are in it.

use super::block::BLOCK_VECTORS;
use super::fragment;
use super::variant::{Polygons, Variant};
use blinkgl::limits::{MAX_CLIP_PLANES, MAX_TEXTURE_UNITS};

/// Sources of a variant.
#[derive(Debug)]
pub struct Sources {
    /// Vertex shader.
    pub vertex: String,
    /// Geometry shader, for polygons that are not filled.
    pub geometry: Option<String>,
    /// Fragment shader.
    pub fragment: String,
}

/// Sources of a variant. `records`: length of the uniform block's array.
#[must_use]
pub fn sources(variant: &Variant, records: usize, embedded: bool) -> Sources {
    let outlined = variant.polygons != Polygons::Filled;
    let version = match (embedded, outlined) {
        (false, _) => "#version 330 core\n",
        (true, false) => "#version 300 es\n",
        // Geometry shaders came later, and those that size points as an extension.
        (true, true) => "#version 320 es\n#extension GL_EXT_geometry_point_size : enable\n",
    };
    let mut head = format!("{version}#define RECORDS {records}\n");
    if embedded {
        head += "precision highp float;\nprecision highp int;\n";
    }
    let [first, second] = variant.units;
    for (is_on, name) in [
        (variant.two_side, "TWO_SIDE"),
        (first.is_some(), "UNIT0"),
        (second.is_some(), "UNIT1"),
        (first.is_some_and(|u| u.generated), "GENERATED0"),
        (second.is_some_and(|u| u.generated), "GENERATED1"),
        (variant.wants_eye(), "EYE"),
        (variant.points, "POINTS"),
        (variant.attenuated, "ATTENUATED"),
        (outlined, "OUTLINED"),
        (variant.polygons == Polygons::Lines, "LINES"),
    ] {
        if is_on {
            head += &format!("#define {name}\n");
        }
    }
    head += &variant.stage.defines();
    head += include_str!("glsl/block.glsl");
    Sources {
        vertex: head.clone() + include_str!("glsl/vertex.glsl"),
        geometry: outlined.then(|| head.clone() + include_str!("glsl/geometry.glsl")),
        fragment: head + &fragment::text(variant),
    }
}

const _: () = assert!(
    MAX_CLIP_PLANES == 6 && MAX_TEXTURE_UNITS == 2 && BLOCK_VECTORS == 17 + 2 * 11,
    "the shaders' block has these"
);
