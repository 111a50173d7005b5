//! A ring that turns and bobs above a floor that mirrors it; both go under in fog.
//!
//! The reflection is the ring drawn upside down, where the stencil says that the floor is seen, and only what is
//! above the floor (a clip plane). The half transparent floor then lies over it.

use blinkgl::gl::{
    BlendFactor, Capability, ClearMask, ClipPlane, Comparison, Face, FogMode, FogParameter, Light,
    LightParameter, MaterialParameter, Primitive, StencilOp, Winding,
};
use blinkgl::record::{ListId, Quadric, Raw};
use blinkgl::{Callback, RecordError, Recorder, Reg, WireProgram};
use pictures::{Procedures, view};
use std::f32::consts::TAU;

/// Seconds of a turn.
pub const PERIOD: f32 = 8.0;

const RING: ListId = ListId::new(1);
const FLOOR: ListId = ListId::new(2);

/// Color of the fog and of what is behind all.
const FOG: [f32; 4] = [0.72, 0.76, 0.8, 1.0];
/// Half the floor's width, and squares along it.
const FLOOR_SIZE: f32 = 12.0;
const SQUARES: i8 = 24;
const LIGHT: [f32; 4] = [2.0, 6.0, 3.0, 0.0];

/// The window's procedures.
///
/// # Errors
/// None: the recorder's, if they are changed.
pub fn procedures() -> Result<Procedures, RecordError> {
    Ok(vec![(Callback::Init, init()?), (Callback::Reshape, reshape()?), (Callback::Redraw, redraw()?)])
}

/// `init`: fog, light and the lists.
///
/// # Errors
/// As [`procedures`].
pub fn init() -> Result<WireProgram, RecordError> {
    let mut p = Recorder::new();
    let [r, g, b, a] = FOG;
    p.clear_color(r, g, b, a);
    p.fog_mode(FogMode::Exp2);
    p.fogv(FogParameter::Density, 0.085);
    p.fogv(FogParameter::Color, FOG);
    p.lightv(Light::Light0, LightParameter::Ambient, [0.25, 0.25, 0.25, 1.0]);
    p.materialv(Face::Front, MaterialParameter::Specular, [0.8, 0.8, 0.8, 1.0]);
    p.materialv(Face::Front, MaterialParameter::Shininess, 40.0);
    p.enable_all([
        Capability::Fog,
        Capability::Light0,
        Capability::Normalize,
        Capability::DepthTest,
        Capability::CullFace,
    ]);
    p.blend_func(BlendFactor::SrcAlpha, BlendFactor::OneMinusSrcAlpha);
    p.list(RING, |p| {
        p.materialv(Face::Front, MaterialParameter::AmbientAndDiffuse, [0.85, 0.45, 0.1, 1.0]);
        torus(p, 0.9, 0.3, 36, 18);
        p.materialv(Face::Front, MaterialParameter::AmbientAndDiffuse, [0.15, 0.4, 0.8, 1.0]);
        p.pushed(|p| {
            p.translate(0.9, 0.0, 0.0);
            Quadric::default().sphere(p, 0.42, 24, 16);
        });
    });
    p.list(FLOOR, |p| {
        let step = 2.0 * FLOOR_SIZE / f32::from(SQUARES);
        let at = |i: i8| f32::from(i) * step - FLOOR_SIZE;
        p.primitive(Primitive::Quads, |p| {
            for (i, j) in (0..SQUARES).flat_map(|i| (0..SQUARES).map(move |j| (i, j))) {
                let shade = if (i + j) % 2 == 0 { [0.2, 0.25, 0.3, 0.6] } else { [0.9, 0.9, 0.9, 0.6] };
                p.color4v(shade);
                p.vertex3(at(i), 0.0, at(j));
                p.vertex3(at(i), 0.0, at(j + 1));
                p.vertex3(at(i + 1), 0.0, at(j + 1));
                p.vertex3(at(i + 1), 0.0, at(j));
            }
        });
    });
    p.finish()
}

/// Records a torus around the z axis.
fn torus(p: &mut Recorder, radius: f32, thickness: f32, around: u8, across: u8) {
    let point = |p: &mut Recorder, i: u8, j: u8| {
        let (sin_i, cos_i) = (f32::from(i) / f32::from(around) * TAU).sin_cos();
        let (sin_j, cos_j) = (f32::from(j) / f32::from(across) * TAU).sin_cos();
        p.normal3(cos_j * cos_i, cos_j * sin_i, sin_j);
        let from_axis = radius + thickness * cos_j;
        p.vertex3(from_axis * cos_i, from_axis * sin_i, thickness * sin_j);
    };
    for i in 0..around {
        p.primitive(Primitive::QuadStrip, |p| {
            for j in 0..=across {
                point(p, i, j);
                point(p, i + 1, j);
            }
        });
    }
}

/// `reshape`.
///
/// # Errors
/// As [`procedures`].
pub fn reshape() -> Result<WireProgram, RecordError> {
    let mut p = Recorder::new();
    view::perspective(&mut p, 40.0, 1.0, 40.0);
    p.load_identity();
    p.look_at([0.0, 2.8, 8.0], [0.0, 0.1, 0.0], [0.0, 1.0, 0.0]);
    p.finish()
}

/// `redraw`: the mirror's stencil, the reflection, the floor, the ring.
///
/// # Errors
/// As [`procedures`].
pub fn redraw() -> Result<WireProgram, RecordError> {
    let mut p = Recorder::new();
    let [angle, height] = [p.alloc(), p.alloc()];
    p.time_mod(height, PERIOD);
    p.mul(angle, height, 360.0 / PERIOD);
    // It dips into the floor, twice in a turn.
    p.mul(height, height, 2.0 * TAU / PERIOD);
    p.sin(height, height);
    p.mul(height, height, 0.5);
    p.add(height, height, 1.15);
    p.request_frame();
    p.clear(ClearMask::COLOR | ClearMask::DEPTH | ClearMask::STENCIL);

    // 1 where the floor is seen.
    p.enable(Capability::StencilTest);
    p.stencil_func(Comparison::Always, 1, Raw::bits(u32::MAX));
    p.stencil_op(StencilOp::Keep, StencilOp::Keep, StencilOp::Replace);
    p.color_mask(false, false, false, false);
    p.depth_mask(false);
    p.call_list(FLOOR);
    p.color_mask(true, true, true, true);
    p.depth_mask(true);

    p.stencil_func(Comparison::Equal, 1, Raw::bits(u32::MAX));
    p.stencil_op(StencilOp::Keep, StencilOp::Keep, StencilOp::Keep);
    p.pushed(|p| {
        p.scale(1.0, -1.0, 1.0);
        p.clip_plane(ClipPlane::ClipPlane0, 0.0, 1.0, 0.0, 0.0);
        // Mirrored polygons wind the other way.
        p.front_face(Winding::Cw);
        p.enabled(Capability::ClipPlane0, |p| ring(p, angle, height));
        p.front_face(Winding::Ccw);
    });
    p.disable(Capability::StencilTest);

    p.enabled(Capability::Blend, |p| p.call_list(FLOOR));
    ring(&mut p, angle, height);
    p.finish()
}

fn ring(p: &mut Recorder, angle: Reg, height: Reg) {
    p.light_position(Light::Light0, LIGHT);
    p.enabled(Capability::Lighting, |p| {
        p.pushed(|p| {
            p.translate(0.0, height, 0.0);
            p.rotate(angle, 0.0, 1.0, 0.0);
            p.rotate(angle, 1.0, 0.0, 0.0);
            p.call_list(RING);
        });
    });
}

#[cfg(test)]
mod tests {
    use super::*;
    use verifier::{Facts, verify};

    fn facts(of: Callback) -> Facts {
        let mut all = procedures().expect("they record").into_iter();
        let (callback, program) = all.find(|(callback, _)| *callback == of).expect("it has it");
        verify(program, callback).expect("the server accepts it").facts().clone()
    }

    #[test]
    fn it_mirrors_by_stencil_in_the_server() {
        let init = facts(Callback::Init);
        assert_eq!(init.lists.len(), 2);
        assert!(!init.body.touches_pixels());
        facts(Callback::Reshape);
        let redraw = facts(Callback::Redraw);
        assert!(redraw.uses_time && redraw.requests_frame.may());
        assert!(redraw.body.uses.stencil_test && redraw.body.uses.blending && redraw.body.uses.lighting);
        assert!(redraw.body.opening_stencil_clear.is_some(), "what was there does not show");
        assert!(redraw.body.opening_color_clear.is_some());
    }
}
