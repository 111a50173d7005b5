//! Tests: scopes, short forms and names record what they say.

use super::*;
use crate::asm::assemble;
use crate::gl::{
    AttribGroup, BlendEquation, Capability, Face, FogParameter, Light, LightModelParameter, LightParameter,
    MaterialParameter, MatrixMode, PointParameter, Predicate, TexCoordinate, TexGenMode, TexGenPlane,
    TextureUnit,
};

/// What `record` records is what `text` assembles to.
fn same(record: impl FnOnce(&mut Recorder), text: &str) {
    let mut p = Recorder::new();
    record(&mut p);
    let found = p.finish().unwrap();
    let expected = assemble(text).unwrap().program;
    let text = |program: &WireProgram| crate::dis::disassemble(program.untrusted_words(), None);
    assert_eq!(text(&found), text(&expected));
    assert_eq!(found, expected);
}

#[test]
fn scopes_end() {
    same(
        |p| {
            p.pushed_attrib(AttribGroup::ENABLE | AttribGroup::FOG, |p| p.request_frame());
            p.unit(TextureUnit::Texture1, |p| p.bind_texture(7));
            p.matrix(MatrixMode::Projection, |p| p.load_identity());
            p.enabled(Capability::Blend, |p| p.end());
        },
        "push_attrib enable | fog\nrequest_frame\npop_attrib\n\
        active_texture texture1\nbind_texture 7\nactive_texture texture0\n\
        matrix_mode projection\nload_identity\nmatrix_mode modelview\n\
        enable blend\nend\ndisable blend",
    );
}

#[test]
fn conditions_hold_for_nan_as_their_predicate_does() {
    let r = Reg::new(31).unwrap();
    // Equality has an opposite. Order has none: a NaN is neither less nor not less.
    same(
        |p| p.condition(Predicate::Eq, r, 1.0, |p| p.request_frame()),
        "jmp_if ne, r31, 1.0, end\nrequest_frame\nend:",
    );
    same(
        |p| p.condition(Predicate::Ne, r, 1.0, |p| p.request_frame()),
        "jmp_if eq, r31, 1.0, end\nrequest_frame\nend:",
    );
    for (predicate, name) in
        [(Predicate::Lt, "lt"), (Predicate::Le, "le"), (Predicate::Ge, "ge"), (Predicate::Gt, "gt")]
    {
        same(
            |p| p.condition(predicate, r, 1.0, |p| p.request_frame()),
            &alloc::format!("jmp_if {name}, r31, 1.0, then\njmp end\nthen:\nrequest_frame\nend:"),
        );
    }
    same(
        |p| p.either(Predicate::Eq, r, 1.0, |p| p.request_frame(), |p| p.load_identity()),
        "jmp_if ne, r31, 1.0, without\nrequest_frame\njmp end\nwithout:\nload_identity\nend:",
    );
}

#[test]
fn short_forms_are_the_long_ones() {
    let r = Reg::new(3).unwrap();
    same(
        |p| {
            p.rect(1.0, r, 3.0, 4.0);
            p.blend_equation(BlendEquation::Max);
            p.color_rgb8([255, 0, 51]);
            p.color3v([0.5, 0.25, 1.0]);
            p.color4v([r; 4]);
            p.vertex2v([1.0, 2.0]);
            p.vertex3v([1.0, 2.0, 3.0]);
            p.vertex4v([1.0, 2.0, 3.0, 4.0]);
            p.normal3v([Float::from(0.0), r.into(), 1.0.into()]);
            p.tex_coord3(1.0, 2.0, 3.0);
            p.tex_coord2v([1.0, 2.0]);
            p.tex_coord4v([1.0, 2.0, 3.0, 4.0]);
            p.multi_tex_coord2(TextureUnit::Texture1, 1.0, 2.0);
        },
        "begin polygon\nvertex2 1.0, r3\nvertex2 3.0, r3\nvertex2 3.0, 4.0\nvertex2 1.0, 4.0\nend\n\
        blend_equation max, max\n\
        color4 1.0, 0.0, 0.2, 1.0\ncolor4 0.5, 0.25, 1.0, 1.0\ncolor4 r3, r3, r3, r3\n\
        vertex2 1.0, 2.0\nvertex3 1.0, 2.0, 3.0\nvertex4 1.0, 2.0, 3.0, 4.0\nnormal3 0.0, r3, 1.0\n\
        tex_coord4 1.0, 2.0, 3.0, 1.0\ntex_coord2 1.0, 2.0\ntex_coord4 1.0, 2.0, 3.0, 4.0\n\
        multi_tex_coord4 texture1, 1.0, 2.0, 0.0, 1.0",
    );
}

#[test]
fn parameters_are_numbers_switches_or_vectors() {
    let r = Reg::new(3).unwrap();
    same(
        |p| {
            p.lightv(Light::Light1, LightParameter::SpotCutoff, 20.0);
            p.lightv(Light::Light1, LightParameter::SpotDirection, [0.0, -1.0, 0.5]);
            p.light_position(Light::Light1, [r.into(), Float::from(1.0), Float::from(2.0), Float::from(0.0)]);
            p.light_attenuation(Light::Light2, 1.0, 0.5, 0.25);
            p.light_modelv(LightModelParameter::TwoSide, true);
            p.light_modelv(LightModelParameter::LocalViewer, false);
            p.materialv(Face::Front, MaterialParameter::Shininess, r);
            p.materialv(Face::Back, MaterialParameter::Diffuse, [0.1, 0.2, 0.3, 0.4]);
            p.fogv(FogParameter::Density, 0.5);
            p.point_parameterv(PointParameter::DistanceAttenuation, [1.0, 0.0, 0.5]);
        },
        "light light1, spot_cutoff, 20.0, 0.0, 0.0, 0.0\n\
        light light1, spot_direction, 0.0, -1.0, 0.5, 0.0\n\
        light light1, position, r3, 1.0, 2.0, 0.0\n\
        light light2, constant_attenuation, 1.0, 0.0, 0.0, 0.0\n\
        light light2, linear_attenuation, 0.5, 0.0, 0.0, 0.0\n\
        light light2, quadratic_attenuation, 0.25, 0.0, 0.0, 0.0\n\
        light_model two_side, 1.0, 0.0, 0.0, 0.0\n\
        light_model local_viewer, 0.0, 0.0, 0.0, 0.0\n\
        material front, shininess, r3, 0.0, 0.0, 0.0\n\
        material back, diffuse, 0.1, 0.2, 0.3, 0.4\n\
        fog density, 0.5, 0.0, 0.0, 0.0\n\
        point_parameter distance_attenuation, 1.0, 0.0, 0.5",
    );
}

#[test]
fn generated_coordinates_are_enabled() {
    same(
        |p| {
            p.tex_gen(TexCoordinate::ALL.iter().copied(), TexGenMode::ObjectLinear);
            p.tex_gen_planev(TexCoordinate::R, TexGenPlane::EyePlane, [1.0, 2.0, 3.0, 4.0]);
        },
        "tex_gen_mode s, object_linear\nenable texture_gen_s\ntex_gen_mode t, object_linear\n\
        enable texture_gen_t\ntex_gen_mode r, object_linear\nenable texture_gen_r\n\
        tex_gen_mode q, object_linear\nenable texture_gen_q\n\
        tex_gen_plane r, eye_plane, 1.0, 2.0, 3.0, 4.0",
    );
}

#[test]
fn list_names_are_given_out_once() {
    let mut p = Recorder::new();
    let [first, second] = p.gen_lists();
    assert_eq!([first, second], [ListId::new(1), ListId::new(2)]);
    p.list(7, |p| p.call_lists([first, second]));
    assert_eq!(p.gen_list(), ListId::new(8), "7 is in use");
    p.new_list(MAX_LISTS);
    let op_index = p.op_count();
    p.gen_list();
    assert_eq!(p.finish(), Err(RecordError::NoListLeft { op_index }));
}

/// A point in the picked rectangle's corner comes to the view's corner.
#[test]
fn the_picked_rectangle_fills_the_view() {
    let mut p = Recorder::new();
    p.pick_matrix([30.0, 40.0], [10.0, 20.0], [0, 0, 200, 100]);
    p.pick_matrix([30.0, 40.0], [0.0, 20.0], [0, 0, 200, 100]);
    let program = p.finish().unwrap();
    let expected = assemble("translate 14.0, 1.0, 0.0\nscale 20.0, 5.0, 1.0").unwrap().program;
    assert_eq!(program, expected, "and a rectangle without size is ignored");
    // Pixel 35 of 200 is -0.65 in the view; pixel 50 of 100 is 0.
    assert!((-0.65_f32 * 20.0 + 14.0 - 1.0).abs() < 1e-5);
    assert!((0.0_f32 * 5.0 + 1.0 - 1.0).abs() < 1e-5);
}
