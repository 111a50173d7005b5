//! Attribute groups: what is pushed comes back, what is not does not.

use super::shapes::{cell, clear, name, ring, square, vertices, view};
use crate::scene::{Class, Scene, Texture};
use blinkgl::Recorder;
use blinkgl::gl::{
    AttribGroup, BlendEquation, BlendFactor, Capability, ClearMask, ClipPlane, ColorMaterialMode, Comparison,
    Face, FogMode, FogParameter, HintMode, HintTarget, Light, LightModelParameter, LightParameter, LogicOp,
    MaterialParameter, MatrixMode, PointParameter, PolygonMode, Primitive, ShadeModel, StencilOp,
    TexCoordinate, TexEnvMode, TexGenMode, TexGenPlane, TexParameter, TexValue, TextureUnit, Winding,
};
use blinkgl::ops::ATTRIB_GROUP;
use blinkgl::record::Raw;

fn switch(p: &mut Recorder, capability: Capability, on: bool) {
    if on { p.enable(capability) } else { p.disable(capability) }
}

/// Sets every piece of state to one of two values. Whatever they are, something is to be seen.
fn set(p: &mut Recorder, b: bool) {
    let of = |first: f32, second: f32| if b { second } else { first };
    let either = |p: &mut Recorder, first: Capability, second: Capability| {
        switch(p, first, !b);
        switch(p, second, b);
    };
    // Current.
    p.color4(of(0.9, 0.2), of(0.4, 0.8), of(0.2, 0.9), of(0.9, 0.7));
    p.normal3(of(0.3, -0.4), of(0.2, 0.5), 0.8);
    p.multi_tex_coord4(TextureUnit::Texture0, of(0.2, 0.8), of(0.3, 0.1), 0.0, 1.0);
    p.multi_tex_coord4(TextureUnit::Texture1, of(0.7, 0.3), of(0.9, 0.4), 0.0, 1.0);
    // Points and lines.
    p.point_size(of(6.0, 9.0));
    p.point_parameter(PointParameter::DistanceAttenuation, of(0.5, 1.0), of(0.03, 0.0), of(0.0, 0.01));
    p.point_parameter(PointParameter::SizeMin, of(1.0, 4.0), 0.0, 0.0);
    p.line_width(of(3.0, 1.0));
    // Polygons.
    p.polygon_mode(Face::Front, if b { PolygonMode::Line } else { PolygonMode::Fill });
    p.polygon_mode(Face::Back, if b { PolygonMode::Fill } else { PolygonMode::Line });
    p.cull_face(if b { Face::Front } else { Face::Back });
    p.front_face(if b { Winding::Cw } else { Winding::Ccw });
    either(p, Capability::PolygonOffsetFill, Capability::PolygonOffsetLine);
    p.polygon_offset(of(-1.0, 2.0), of(-2.0, 3.0));
    // Lighting.
    p.shade_model(if b { ShadeModel::Flat } else { ShadeModel::Smooth });
    p.enable(Capability::Lighting);
    p.enable(Capability::Light1);
    switch(p, Capability::Light0, !b);
    p.light(Light::Light0, LightParameter::Diffuse, of(0.9, 0.3), 0.8, of(0.7, 0.9), 1.0);
    p.light(Light::Light1, LightParameter::Diffuse, of(0.3, 0.9), of(0.2, 0.8), 0.5, 1.0);
    p.light(Light::Light1, LightParameter::Position, of(1.0, -1.0), 0.5, 1.0, 0.0);
    p.light_model(LightModelParameter::Ambient, of(0.2, 0.4), of(0.4, 0.1), 0.2, 1.0);
    p.light_model(LightModelParameter::TwoSide, of(1.0, 0.0), 0.0, 0.0, 0.0);
    p.material(Face::Front, MaterialParameter::Emission, of(0.0, 0.2), of(0.1, 0.0), 0.0, 1.0);
    p.material(Face::Back, MaterialParameter::Diffuse, of(0.1, 0.8), of(0.8, 0.1), 0.4, 1.0);
    p.material(Face::FrontAndBack, MaterialParameter::Shininess, of(10.0, 40.0), 0.0, 0.0, 0.0);
    p.material(Face::FrontAndBack, MaterialParameter::Specular, of(0.8, 0.3), of(0.2, 0.6), 0.4, 1.0);
    p.color_material(
        Face::FrontAndBack,
        if b { ColorMaterialMode::Ambient } else { ColorMaterialMode::Diffuse },
    );
    p.enable(Capability::ColorMaterial);
    // Fog.
    switch(p, Capability::Fog, !b);
    p.fog_mode(if b { FogMode::Exp } else { FogMode::Linear });
    p.fog(FogParameter::Color, of(0.3, 0.6), of(0.6, 0.3), 0.5, 1.0);
    p.fog(FogParameter::Density, of(0.1, 0.2), 0.0, 0.0, 0.0);
    p.fog(FogParameter::Start, of(1.0, 2.0), 0.0, 0.0, 0.0);
    p.fog(FogParameter::End, of(9.0, 7.0), 0.0, 0.0, 0.0);
    // Depth.
    switch(p, Capability::DepthTest, !b);
    p.depth_func(if b { Comparison::Greater } else { Comparison::Lequal });
    p.depth_mask(!b);
    p.clear_depth(of(1.0, 0.75));
    // Stencil.
    switch(p, Capability::StencilTest, !b);
    p.stencil_func(
        if b { Comparison::Gequal } else { Comparison::Always },
        if b { 3 } else { 9 },
        Raw::bits(if b { 7 } else { !0 }),
    );
    p.stencil_op(StencilOp::Keep, StencilOp::Keep, if b { StencilOp::Incr } else { StencilOp::Replace });
    p.stencil_mask(Raw::bits(if b { 0x0f } else { 0x3b }));
    p.clear_stencil(if b { 5 } else { 2 });
    // Viewport.
    p.viewport(
        if b { 10 } else { 0 },
        if b { 4 } else { 0 },
        if b { 80 } else { 96 },
        if b { 90 } else { 96 },
    );
    p.depth_range(of(0.0, 0.3), of(1.0, 0.8));
    // Transformation.
    p.clip_plane(ClipPlane::ClipPlane0, 1.0, of(0.2, -0.4), 0.0, of(0.8, 0.6));
    switch(p, Capability::ClipPlane0, !b);
    switch(p, Capability::Normalize, !b);
    switch(p, Capability::RescaleNormal, b);
    // Color buffer.
    p.clear_color(of(0.1, 0.5), of(0.2, 0.1), of(0.4, 0.2), of(1.0, 0.6));
    switch(p, Capability::Blend, !b);
    p.blend_func(
        BlendFactor::SrcAlpha,
        if b { BlendFactor::One } else { BlendFactor::OneMinusConstantAlpha },
    );
    p.blend_equation_separate(
        if b { BlendEquation::ReverseSubtract } else { BlendEquation::Add },
        BlendEquation::Max,
    );
    p.blend_color(0.5, 0.5, of(0.3, 0.7), of(0.6, 0.2));
    switch(p, Capability::AlphaTest, !b);
    p.alpha_func(Comparison::Greater, of(0.05, 0.3));
    p.color_mask(true, !b, true, b);
    p.logic_op(if b { LogicOp::Xor } else { LogicOp::Equiv });
    switch(p, Capability::Dither, b);
    p.hint(HintTarget::Fog, if b { HintMode::Nicest } else { HintMode::Fastest });
    // Textures of both units.
    for (unit, texture) in [(TextureUnit::Texture0, 1), (TextureUnit::Texture1, 2)] {
        p.active_texture(unit);
        p.bind_texture(if b { 3 - texture } else { texture });
        switch(p, Capability::Texture2d, (texture == 1) != b);
        p.tex_env_mode(if b { TexEnvMode::Blend } else { TexEnvMode::Modulate });
        p.tex_env_color(of(0.8, 0.1), of(0.2, 0.9), of(0.5, 0.6), 1.0);
        p.tex_parameter(TexParameter::MagFilter, if b { TexValue::Nearest } else { TexValue::Linear });
        p.tex_gen_mode(TexCoordinate::S, if b { TexGenMode::ObjectLinear } else { TexGenMode::SphereMap });
        p.tex_gen_plane(TexCoordinate::S, TexGenPlane::ObjectPlane, of(0.5, 1.5), 0.2, 0.0, 0.1);
        switch(p, Capability::TextureGenS, !b);
    }
    // Scissor.
    let edge = if b { 20 } else { 2 };
    p.scissor(edge, edge / 2, 94 - edge, 90 - edge / 2);
    switch(p, Capability::ScissorTest, !b);
    // What decides where the next matrix and the next environment go.
    p.active_texture(if b { TextureUnit::Texture0 } else { TextureUnit::Texture1 });
    p.matrix_mode(if b { MatrixMode::Texture } else { MatrixMode::Projection });
}

/// A part of a ball, with a hole where the pole would be.
fn cap(p: &mut Recorder) {
    for number in 8..11 {
        ring(p, number, |p, [r, g, b, a]| p.color4(r, g, b, a));
    }
}

/// Draws what looks different with each piece of state.
fn draw(p: &mut Recorder) {
    // In the matrix mode and unit of the moment.
    p.scale(1.1, 0.8, 1.0);
    p.tex_env_color(0.9, 0.9, 0.1, 0.5);
    p.matrix_mode(MatrixMode::Modelview);
    p.active_texture(TextureUnit::Texture0);

    p.clear(ClearMask::COLOR | ClearMask::DEPTH | ClearMask::STENCIL);
    p.pushed(|p| {
        // Caps of a ball from outside and from inside; none of their faces is seen from the edge.
        p.scale(0.6, 0.6, 0.6);
        p.translate(-0.6, 0.5, 0.0);
        p.rotate(85.0, 1.0, 0.1, 0.0);
        cap(p);
        p.rotate(-85.0, 1.0, 0.1, 0.0);
        p.translate(1.3, -0.1, 0.0);
        p.rotate(-95.0, 1.0, 0.1, 0.0);
        cap(p);
    });
    // With the attributes that are left.
    p.primitive(Primitive::Points, |p| {
        for i in 0..5u8 {
            p.vertex3(f32::from(i) * 0.39 - 0.82, 0.83, -f32::from(i));
        }
    });
    p.primitive(Primitive::Lines, |p| {
        p.vertex2(-0.91, -0.37);
        p.vertex2(0.93, -0.45);
    });
    p.pushed(|p| {
        p.translate(0.0, -0.75, 0.2);
        p.scale(0.9, 0.3, 1.0);
        for n in [0.0, -0.01] {
            p.primitive(Primitive::TriangleStrip, |p| vertices(p, Primitive::TriangleStrip));
            p.translate(0.0, 0.1, n);
        }
    });
    reveal(p);
}

/// Shows what is in the stencil buffer in the corner, each bit a square.
fn reveal(p: &mut Recorder) {
    for capability in [
        Capability::Lighting,
        Capability::Fog,
        Capability::DepthTest,
        Capability::AlphaTest,
        Capability::ScissorTest,
        Capability::ClipPlane0,
        Capability::Blend,
    ] {
        p.disable(capability);
    }
    for unit in [TextureUnit::Texture1, TextureUnit::Texture0] {
        p.active_texture(unit);
        p.disable(Capability::Texture2d);
    }
    p.polygon_mode(Face::FrontAndBack, PolygonMode::Fill);
    p.color_mask(true, true, true, true);
    p.enable(Capability::StencilTest);
    p.stencil_op(StencilOp::Keep, StencilOp::Keep, StencilOp::Keep);
    for bit in 0..4u8 {
        p.stencil_func(Comparison::Notequal, 0, Raw::bits(1 << bit));
        p.color4(0.9, 0.2 * f32::from(bit), 0.3, 1.0);
        square(p, cell(8, 4, usize::from(bit) * 5), 0.0);
    }
    p.disable(Capability::StencilTest);
}

fn textures(scene: Scene) -> Scene {
    let texture = |oid: u32| {
        Texture::bgra(oid, 4, 4, move |x, y| {
            let n = x * 37 + y * 91 + oid * 50;
            [(n * 3) as u8 | 0x40, (n * 5) as u8 | 0x40, (n * 11) as u8 | 0x40, 255 - (n % 100) as u8]
        })
    };
    scene.texture(texture(1)).texture(texture(2))
}

fn scene(name: &str, record: impl FnOnce(&mut Recorder)) -> Scene {
    let scene = Scene::new(format!("attributes-{name}"), 96, 96, |p| {
        clear(p);
        view(p);
        record(p);
    });
    // Where the borders of two polygons are in the same place, the last bits of their depths say which is seen.
    textures(scene).differs(Class::Threshold)
}

fn group_scene(name: &str, groups: AttribGroup) -> Scene {
    scene(name, |p| {
        set(p, false);
        p.push_attrib(groups);
        set(p, true);
        p.pop_attrib();
        draw(p);
    })
}

pub fn attributes() -> Vec<Scene> {
    let mut scenes = vec![];
    for (number, &group) in AttribGroup::ALL.iter().enumerate() {
        let group_name = name(&ATTRIB_GROUP, group.value());
        scenes.push(group_scene(group_name, group));
        // The other way round, with another group pushed too.
        let other = AttribGroup::ALL[(number + 7) % AttribGroup::ALL.len()];
        let back = |off_again: bool| {
            scene(&format!("{group_name}-back"), |p| {
                set(p, true);
                p.push_attrib(group | other);
                set(p, false);
                p.pop_attrib();
                if off_again {
                    p.disable(Capability::Light0);
                }
                draw(p);
            })
        };
        // (Mesa 22.3 does not switch lights off again, where not all of lighting is popped.)
        let needs_help = (group | other).value() & (AttribGroup::ENABLE | AttribGroup::LIGHTING).value()
            == AttribGroup::ENABLE.value();
        scenes.push(if needs_help { back(false).instead(back(true)) } else { back(false) });
    }
    let all = AttribGroup::ALL.iter().fold(AttribGroup::default(), |all, &group| all | group);
    scenes.push(group_scene("all", all));
    scenes.push(group_scene("none", AttribGroup::default()));
    // (Mesa 22.3 forgets on pop_attrib that what the group pushed before has has changed. So it is given both in one.)
    let outer = AttribGroup::LIGHTING | AttribGroup::ENABLE;
    let inner = AttribGroup::COLOR_BUFFER | AttribGroup::CURRENT;
    let nested = scene("nested", |p| {
        set(p, false);
        p.push_attrib(outer);
        p.push_attrib(inner);
        set(p, true);
        p.pop_attrib();
        p.push_attrib(AttribGroup::FOG);
        p.pop_attrib();
        p.pop_attrib();
        draw(p);
    });
    scenes.push(nested.instead(group_scene("nested", outer | inner)));
    scenes.push(scene("sixteen-deep", |p| {
        for i in 0..16u8 {
            p.color4(0.05 * f32::from(i), 0.9, 1.0 - 0.05 * f32::from(i), 1.0);
            p.push_attrib(AttribGroup::CURRENT);
        }
        for i in 0..16usize {
            p.pop_attrib();
            square(p, cell(4, 4, i), 0.0);
        }
    }));
    scenes.push(scene("between-lights", |p| {
        p.enable(Capability::Lighting);
        p.enable(Capability::Light0);
        for i in 0..4usize {
            p.push_attrib(AttribGroup::LIGHTING);
            p.light(Light::Light0, LightParameter::Diffuse, 0.2 * i as f32, 0.5, 0.1, 1.0);
            p.light_model(LightModelParameter::Ambient, 0.1, 0.1, 0.3 * i as f32, 1.0);
            square(p, cell(2, 4, 2 * i), 0.0);
            p.pop_attrib();
            square(p, cell(2, 4, 2 * i + 1), 0.0);
        }
    }));
    // Between the primitives of one batch; and the material that colors have left.
    scenes.push(scene("between-primitives", |p| {
        p.enable(Capability::Lighting);
        p.enable(Capability::Light0);
        p.enable(Capability::ColorMaterial);
        for i in 0..9usize {
            p.color4(0.1 * i as f32, 0.8, 0.3, 1.0);
            p.push_attrib(AttribGroup::LIGHTING | AttribGroup::CURRENT);
            p.color4(0.9, 0.1 * i as f32, 0.9, 1.0);
            if i % 2 == 0 {
                p.disable(Capability::Lighting);
            }
            let [left, bottom, right, top] = cell(3, 3, i);
            square(p, [left, bottom, right - 0.3, top], 0.0);
            p.pop_attrib();
            square(p, [right - 0.25, bottom, right, top], 0.0);
        }
    }));
    scenes.push(
        in_list(|p| p.call_list(1))
            .instead(in_list(pushed_and_popped))
            .init(|p| p.list(1, pushed_and_popped)),
    );
    scenes
}

fn pushed_and_popped(p: &mut Recorder) {
    p.push_attrib(AttribGroup::CURRENT | AttribGroup::TEXTURE | AttribGroup::TRANSFORM);
    set(p, true);
    p.pop_attrib();
    p.matrix_mode(MatrixMode::Modelview);
}

/// A scene that has them in a list, or in line for OpenGL, see `compat.rs`.
fn in_list(record: impl FnOnce(&mut Recorder)) -> Scene {
    scene("in-lists", |p| {
        set(p, false);
        p.matrix_mode(MatrixMode::Modelview);
        p.active_texture(TextureUnit::Texture0);
        record(p);
        draw(p);
    })
}

/// Another client's window: leaves nothing as it was, neither state nor pixels, depths and stencils.
#[allow(dead_code, reason = "each test uses its part")]
pub fn hostile(b: bool) -> Scene {
    textures(Scene::new("hostile", 64, 64, |p| {
        view(p);
        set(p, b);
        draw(p);
        for capability in [Capability::ColorLogicOp, Capability::CullFace, Capability::ClipPlane5] {
            p.enable(capability);
        }
        p.logic_op(LogicOp::Invert);
        p.clip_plane(ClipPlane::ClipPlane5, 0.3, 0.1, 0.2, 0.9);
        p.disable(Capability::ScissorTest);
        p.stencil_mask(Raw::bits(!0));
        p.clear_stencil(0xa5);
        p.clear_depth(0.1);
        p.depth_mask(true);
        p.clear_color(0.9, 0.1, 0.8, 0.3);
        p.clear(ClearMask::COLOR | ClearMask::DEPTH | ClearMask::STENCIL);
        set(p, b);
        p.enable(Capability::ColorLogicOp);
        p.polygon_mode(Face::FrontAndBack, if b { PolygonMode::Line } else { PolygonMode::Point });
        p.line_width(7.0);
        for unit in [TextureUnit::Texture1, TextureUnit::Texture0] {
            p.active_texture(unit);
            p.enable(Capability::Texture2d);
            p.tex_env_mode(TexEnvMode::Combine);
        }
        p.primitive(Primitive::Triangles, |p| vertices(p, Primitive::Triangles));
        p.stencil_mask(Raw::bits(0));
        p.color_mask(false, false, true, false);
        p.depth_mask(false);
        p.primitive(Primitive::Lines, |p| vertices(p, Primitive::Lines));
        p.matrix_mode(MatrixMode::Modelview);
    }))
}
