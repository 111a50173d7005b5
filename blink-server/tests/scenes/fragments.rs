//! Culling, depth, masks, clears, viewports, blending.

use super::shapes::{COLOR, cell, clear, colorful, gradient, name, square, vertices, view};
use crate::scene::Scene;
use blinkgl::Recorder;
use blinkgl::gl::{BlendEquation, BlendFactor, Capability, ClearMask, Comparison, Face, Primitive, Winding};
use blinkgl::ops::{BLEND_FACTOR, Op};
use blinkgl::record::Raw;

pub fn fragments() -> Vec<Scene> {
    let mut scenes = vec![];
    for face in [Face::Front, Face::Back, Face::FrontAndBack] {
        for winding in [Winding::Ccw, Winding::Cw] {
            scenes.push(Scene::new(format!("cull-{face:?}-{winding:?}"), 120, 120, |p| {
                clear(p);
                view(p);
                p.enable(Capability::CullFace);
                p.cull_face(face);
                p.front_face(winding);
                p.primitive(Primitive::Triangles, |p| vertices(p, Primitive::Triangles));
                // Lines and points have no faces.
                p.primitive(Primitive::LineStrip, |p| vertices(p, Primitive::LineStrip));
            }));
        }
    }
    scenes.push(Scene::new("cull-off-again", 120, 120, |p| {
        clear(p);
        view(p);
        p.enable(Capability::CullFace);
        p.primitive(Primitive::TriangleStrip, |p| vertices(p, Primitive::TriangleStrip));
        p.disable(Capability::CullFace);
        p.primitive(Primitive::Triangles, |p| vertices(p, Primitive::Triangles));
    }));
    for &func in Comparison::ALL {
        scenes.push(Scene::new(format!("depth-{func:?}"), 120, 120, |p| {
            clear(p);
            p.enable(Capability::DepthTest);
            p.color4(0.2, 0.3, 0.9, 1.0);
            p.depth_func(Comparison::Always);
            square(p, [-0.9, -0.9, 0.5, 0.5], 0.25);
            p.depth_mask(false);
            square(p, [-0.7, -0.7, 0.9, -0.5], -0.9);
            p.depth_mask(true);
            p.depth_func(func);
            for (i, z) in [-0.5f32, 0.25, 0.75].into_iter().enumerate() {
                let x = i as f32 * 0.5 - 0.8;
                p.color4(0.9, 0.3 * i as f32, 0.1, 1.0);
                square(p, [x, -0.8, x + 0.4, 0.8], z);
            }
        }));
    }
    scenes.push(Scene::new("depth-range", 120, 120, |p| {
        p.clear_depth(0.75);
        clear(p);
        p.enable(Capability::DepthTest);
        for (i, range) in [(0.0, 1.0), (0.5, 1.0), (0.8, 0.2), (0.0, 0.1)].into_iter().enumerate() {
            let x = i as f32 * 0.45 - 0.9;
            p.depth_range(range.0, range.1);
            p.color4(0.9, 0.3 * i as f32, 0.1, 1.0);
            p.primitive(Primitive::Quads, |p| {
                for (x, y, z) in [(x, -0.8, -1.0), (x + 0.4, -0.8, 0.0), (x + 0.4, 0.8, 1.0), (x, 0.8, 0.0)] {
                    p.vertex3(x, y, z);
                }
            });
        }
    }));
    scenes.push(Scene::new("clears-and-masks", 120, 120, |p| {
        p.clear_color(0.2, 0.5, 0.7, 0.4);
        p.clear(COLOR);
        p.enable(Capability::ScissorTest);
        p.scissor(10, 20, 60, 50);
        p.color_mask(true, false, true, false);
        p.clear_color(0.9, 0.9, 0.1, 0.9);
        p.clear(COLOR);
        p.scissor(-20, 60, 100, 40);
        p.color_mask(false, true, false, true);
        p.clear(COLOR);
        square(p, [-1.0, -1.0, 1.0, 1.0], 0.0);
        p.disable(Capability::ScissorTest);
        p.color_mask(true, true, false, true);
        p.color4(0.6, 0.1, 1.0, 0.2);
        square(p, [0.2, -0.8, 0.8, 0.3], 0.0);
    }));
    scenes.push(Scene::new("viewports", 150, 100, |p| {
        clear(p);
        for (i, [x, y, width, height]) in
            [[0, 0, 75, 50], [75, 20, 60, 90], [-30, 40, 90, 60], [140, 90, 400, 300], [5, 5, 0, 40]]
                .into_iter()
                .enumerate()
        {
            p.viewport(x, y, width, height);
            p.color4(0.3 * i as f32, 0.9, 0.5, 1.0);
            p.primitive(Primitive::Triangles, |p| vertices(p, Primitive::Triangles));
        }
    }));
    scenes.push(Scene::new("masks-of-channels", 64, 64, |p| {
        p.clear_color(0.2, 0.5, 0.7, 0.4);
        p.clear(COLOR);
        for i in 0..16u8 {
            let on = |bit: u8| i >> bit & 1 != 0;
            p.color_mask(on(0), on(1), on(2), on(3));
            colorful(p, cell(4, 4, usize::from(i)));
        }
    }));
    // Each buffer cleared alone, together, and not at all.
    for bits in 0..8u8 {
        scenes.push(Scene::new(format!("clear-{bits}"), 64, 64, |p| {
            let all = ClearMask::COLOR | ClearMask::DEPTH | ClearMask::STENCIL;
            p.clear_color(0.3, 0.1, 0.4, 1.0);
            p.clear_depth(0.5);
            p.clear_stencil(3);
            p.clear(all);
            p.clear_color(0.1, 0.6, 0.2, 0.5);
            p.clear_depth(0.9);
            p.clear_stencil(5);
            p.enable(Capability::ScissorTest);
            p.scissor(8, 8, 48, 30);
            let chosen = ClearMask::ALL.iter().zip(0..).filter(|&(_, i)| bits >> i & 1 != 0);
            p.clear(chosen.fold(ClearMask::default(), |all, (&mask, _)| all | mask));
            p.disable(Capability::ScissorTest);
            p.enable(Capability::DepthTest);
            p.enable(Capability::StencilTest);
            // Depth 0.7: behind the first depth, before the second.
            for (x, reference) in [(-0.9, 3), (0.1, 5)] {
                p.stencil_func(Comparison::Equal, reference, Raw::bits(!0));
                for (y, z) in [(-0.9, -0.2), (-0.1, 0.4)] {
                    p.color4(0.9, 0.5 + z, 0.2, 1.0);
                    square(p, [x, y, x + 0.7, y + 0.7], z);
                }
            }
        }));
    }
    scenes
}

/// Squares over a background on which each channel differs, alpha too.
fn blended(name: &str, cells: usize, mut set: impl FnMut(&mut Recorder, usize) -> bool) -> Scene {
    let columns = (1..).find(|n| n * n >= cells).unwrap_or(1);
    Scene::new(name, 96, 96, |p| {
        p.clear(COLOR);
        gradient(
            p,
            [-1.0, -1.0, 1.0, 1.0],
            [0.2, 0.9, 0.5, 0.8],
            [0.6, -0.3, 0.2, -0.4],
            [-0.1, -0.5, 0.2, -0.3],
        );
        p.enable(Capability::Blend);
        for number in 0..cells {
            if set(p, number) {
                colorful(p, cell(columns, columns, number));
            }
        }
    })
}

pub fn blending() -> Vec<Scene> {
    let factors = BlendFactor::ALL;
    let mut scenes = vec![];
    for &source in factors {
        let name = format!("blend-source-{}", name(&BLEND_FACTOR, source.value()));
        scenes.push(blended(&name, factors.len(), |p, i| {
            p.blend_color(0.7, 0.4, 0.9, 0.3);
            p.blend_func(source, factors[i]);
            true
        }));
    }
    let (one, zero) = (BlendFactor::One, BlendFactor::Zero);
    for (number, operand) in Op::BlendFuncSeparate.info().operands.iter().enumerate() {
        scenes.push(blended(&format!("blend-separate-{}", operand.name), factors.len(), |p, i| {
            p.blend_color(0.2, 0.8, 0.5, 0.6);
            let mut of = [one, zero, one, zero];
            of[number] = factors[i];
            p.blend_func_separate(of[0], of[1], of[2], of[3]);
            true
        }));
    }
    let equations = BlendEquation::ALL;
    for (name, source, destination) in [
        ("blend-equations", one, one),
        ("blend-equations-with-factors", BlendFactor::SrcAlpha, BlendFactor::OneMinusConstantColor),
    ] {
        scenes.push(blended(name, equations.len() * equations.len(), |p, i| {
            p.blend_color(0.3, 0.6, 0.1, 0.8);
            p.blend_func(source, destination);
            p.blend_equation_separate(equations[i / equations.len()], equations[i % equations.len()]);
            true
        }));
    }
    // Of its initial value (zeros), clamped, and without blending.
    scenes.push(blended("blend-color", 4, |p, i| {
        p.blend_func(BlendFactor::ConstantColor, BlendFactor::ConstantAlpha);
        match i {
            0 => {}
            1 => p.blend_color(0.3, 0.6, 0.1, 0.8),
            2 => p.blend_color(-1.0, 2.0, 0.5, 1.5),
            _ => p.disable(Capability::Blend),
        }
        true
    }));
    scenes
}
