//! The scenes that Blink and OpenGL both draw, by what they are about. Together they have each row of the op table
//! and each value of its enum sets; `conformance.rs` says which has what.

mod arithmetic;
mod arrays;
pub mod attributes;
mod combine;
mod fog;
mod fragments;
mod lighting;
mod matrices;
mod points_lines;
mod polygons;
mod primitives;
pub mod shapes;
mod stencil;
mod textures;

use crate::scene::Scene;

/// Scenes about one thing.
#[allow(dead_code, reason = "each test uses its part")]
pub struct Group {
    pub name: &'static str,
    pub scenes: fn() -> Vec<Scene>,
}

pub static GROUPS: &[Group] = &[
    Group { name: "gears", scenes: primitives::gears },
    Group { name: "primitives", scenes: primitives::primitives },
    Group { name: "lighting", scenes: lighting::lighting },
    Group { name: "materials", scenes: lighting::materials },
    Group { name: "fragments", scenes: fragments::fragments },
    Group { name: "blending", scenes: fragments::blending },
    Group { name: "stencil", scenes: stencil::stencil },
    Group { name: "alpha", scenes: stencil::alpha },
    Group { name: "logic", scenes: stencil::logic },
    Group { name: "polygons", scenes: polygons::polygons },
    Group { name: "points-lines", scenes: points_lines::points_and_lines },
    Group { name: "fog", scenes: fog::fog },
    Group { name: "clip", scenes: fog::clip_planes },
    Group { name: "matrices", scenes: matrices::matrices },
    Group { name: "arithmetic", scenes: arithmetic::arithmetic },
    Group { name: "attributes", scenes: attributes::attributes },
    Group { name: "textures", scenes: textures::textures },
    Group { name: "formats", scenes: textures::formats },
    Group { name: "wraps", scenes: textures::wraps },
    Group { name: "mipmaps", scenes: textures::mipmaps },
    Group { name: "videos", scenes: textures::videos },
    Group { name: "combine-functions", scenes: combine::functions },
    Group { name: "combine-arguments", scenes: combine::arguments },
    Group { name: "generation", scenes: combine::generation },
    Group { name: "units", scenes: combine::units },
    Group { name: "arrays", scenes: arrays::arrays },
];

/// The scenes of a group.
#[allow(dead_code, reason = "each test uses its part")]
pub fn group(name: &str) -> Vec<Scene> {
    let group = GROUPS.iter().find(|g| g.name == name).unwrap_or_else(|| panic!("no group {name}"));
    (group.scenes)()
}

/// All of them.
#[allow(dead_code, reason = "each test uses its part")]
pub fn all() -> Vec<Scene> {
    GROUPS.iter().flat_map(|g| (g.scenes)()).collect()
}
