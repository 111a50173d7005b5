//! A spot that goes around a still life of quadrics, and a weak light from above.

use blinkgl::gl::{
    Capability, ClearMask, Face, Light, LightModelParameter, LightParameter, MaterialParameter, Primitive,
};
use blinkgl::record::{Float, ListId, Quadric};
use blinkgl::{Callback, RecordError, Recorder, WireProgram};
use pictures::{Procedures, view};
use std::f32::consts::TAU;

/// Seconds in which the spot goes around.
pub const PERIOD: f32 = 6.0;

const STAGE: ListId = ListId::new(1);

/// Squares along the floor: many, because light is computed at corners.
const SQUARES: i8 = 40;
/// Half the floor's width.
const FLOOR_SIZE: f32 = 4.0;

/// The window's procedures.
///
/// # Errors
/// None: the recorder's, if they are changed.
pub fn procedures() -> Result<Procedures, RecordError> {
    Ok(vec![(Callback::Init, init()?), (Callback::Reshape, reshape()?), (Callback::Redraw, redraw()?)])
}

/// `init`: the lights' colors and the stage as a list.
///
/// # Errors
/// As [`procedures`].
pub fn init() -> Result<WireProgram, RecordError> {
    let mut p = Recorder::new();
    p.clear_color(0.03, 0.03, 0.05, 1.0);
    p.light_modelv(LightModelParameter::LocalViewer, true);
    p.light_modelv(LightModelParameter::Ambient, [0.1, 0.1, 0.12, 1.0]);
    p.lightv(Light::Light0, LightParameter::Diffuse, [1.6, 1.5, 1.25, 1.0]);
    p.lightv(Light::Light0, LightParameter::Specular, [1.0, 1.0, 1.0, 1.0]);
    p.lightv(Light::Light0, LightParameter::SpotCutoff, 24.0);
    p.lightv(Light::Light0, LightParameter::SpotExponent, 30.0);
    p.light_attenuation(Light::Light0, 1.0, 0.0, 0.02);
    p.lightv(Light::Light1, LightParameter::Diffuse, [0.12, 0.14, 0.25, 1.0]);
    p.materialv(Face::Front, MaterialParameter::Specular, [0.5, 0.5, 0.5, 1.0]);
    p.materialv(Face::Front, MaterialParameter::Shininess, 30.0);
    p.enable_all([
        Capability::Lighting,
        Capability::Light0,
        Capability::Light1,
        Capability::ColorMaterial,
        Capability::DepthTest,
        Capability::Normalize,
        Capability::CullFace,
    ]);
    p.list(STAGE, stage);
    p.finish()
}

fn stage(p: &mut Recorder) {
    let step = 2.0 * FLOOR_SIZE / f32::from(SQUARES);
    let at = |i: i8| f32::from(i) * step - FLOOR_SIZE;
    p.color3(0.75, 0.72, 0.68);
    p.normal3(0.0, 0.0, 1.0);
    for i in 0..SQUARES {
        p.primitive(Primitive::QuadStrip, |p| {
            for j in 0..=SQUARES {
                p.vertex3(at(i), at(j), 0.0);
                p.vertex3(at(i + 1), at(j), 0.0);
            }
        });
    }
    let quadric = Quadric::default();
    p.pushed(|p| {
        p.translate(-1.4, 0.3, 0.8);
        p.color3(0.9, 0.25, 0.2);
        quadric.sphere(p, 0.8, 32, 24);
    });
    p.pushed(|p| {
        p.translate(0.3, 1.3, 0.0);
        p.color3(0.25, 0.7, 0.3);
        quadric.cylinder(p, 0.5, 0.5, 1.8, 32, 12);
        p.translate(0.0, 0.0, 1.8);
        quadric.disk(p, 0.15, 0.5, 32, 4);
        p.color3(0.5, 0.5, 0.55);
        quadric.cylinder(p, 0.15, 0.15, 0.4, 24, 4);
        p.translate(0.0, 0.0, 0.4);
        quadric.disk(p, 0.0, 0.15, 24, 1);
    });
    p.pushed(|p| {
        p.translate(1.5, -0.5, 0.0);
        p.color3(0.3, 0.45, 0.9);
        quadric.cylinder(p, 0.75, 0.0, 1.6, 32, 16);
    });
}

/// `reshape`.
///
/// # Errors
/// As [`procedures`].
pub fn reshape() -> Result<WireProgram, RecordError> {
    let mut p = Recorder::new();
    view::perspective(&mut p, 40.0, 1.0, 30.0);
    p.load_identity();
    p.look_at([0.0, -8.0, 5.0], [0.0, 0.0, 0.5], [0.0, 0.0, 1.0]);
    p.finish()
}

/// `redraw`: the spot stands above and looks at a point that goes around.
///
/// # Errors
/// As [`procedures`].
pub fn redraw() -> Result<WireProgram, RecordError> {
    let mut p = Recorder::new();
    let [angle, x, y] = [p.alloc(), p.alloc(), p.alloc()];
    p.time_mod(angle, PERIOD);
    p.mul(angle, angle, TAU / PERIOD);
    p.cos(x, angle);
    p.sin(y, angle);
    p.mul(x, x, 1.7);
    p.mul(y, y, 1.1);
    p.request_frame();
    p.clear(ClearMask::COLOR | ClearMask::DEPTH);
    p.light_position(Light::Light0, [0.0, -1.5, 5.0, 1.0]);
    // From there to {x, y, 0}.
    p.add(y, y, 1.5);
    p.lightv(Light::Light0, LightParameter::SpotDirection, [x.into(), y.into(), Float::from(-5.0)]);
    p.light_position(Light::Light1, [-1.0, -1.0, 2.0, 0.0]);
    p.call_list(STAGE);
    p.finish()
}

#[cfg(test)]
mod tests {
    use super::*;
    use verifier::verify;

    #[test]
    fn the_spot_moves_in_the_server() {
        for (callback, program) in procedures().expect("they record") {
            let program = verify(program, callback).expect("the server accepts it");
            let draws = callback == Callback::Redraw;
            assert_eq!(
                program.facts().uses_time && program.facts().requests_frame.may(),
                draws,
                "{callback}"
            );
        }
    }
}
