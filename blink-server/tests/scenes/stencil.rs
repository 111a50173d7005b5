//! Stencil, alpha test, logical operations.

use super::shapes::{COLOR, cell, clear, colorful, column, gradient, name, square};
use crate::scene::{Class, Scene, Texture};
use blinkgl::Recorder;
use blinkgl::gl::{
    BlendFactor, Capability, ClearMask, Comparison, LogicOp, Primitive, StencilOp, TexEnvMode,
};
use blinkgl::ops::{COMPARISON, LOGIC_OP, STENCIL_OP};
use blinkgl::record::Raw;

const SIDE: i32 = 64;
const ALL: [f32; 4] = [-1.0, -1.0, 1.0, 1.0];

/// Adds up colors of the bits that are set in the stencil buffer, so that each value has another.
fn reveal(p: &mut Recorder) {
    p.disable(Capability::ScissorTest);
    p.disable(Capability::DepthTest);
    p.enable(Capability::StencilTest);
    p.enable(Capability::Blend);
    p.blend_func(BlendFactor::One, BlendFactor::One);
    p.stencil_op(StencilOp::Keep, StencilOp::Keep, StencilOp::Keep);
    for bit in 0..8u8 {
        let mut color = [0.0; 3];
        // Three bits of red, three of green, two of blue.
        color[usize::from(bit / 3)] = f32::from(1u8 << (bit % 3)) / 7.0;
        p.stencil_func(Comparison::Notequal, 0, Raw::bits(1 << bit));
        p.color3(color[0], color[1], color[2]);
        square(p, ALL, 0.0);
    }
}

/// Columns with these values in the stencil buffer, and none of the colors.
fn columns(p: &mut Recorder, values: &[i32]) {
    clear(p);
    let count = i32::try_from(values.len()).expect("a few");
    for (number, &value) in (0..).zip(values) {
        column(p, number, count, SIDE, SIDE);
        p.clear_stencil(value);
        p.clear(ClearMask::STENCIL);
    }
    p.disable(Capability::ScissorTest);
}

fn invisible(p: &mut Recorder, place: [f32; 4], z: f32) {
    p.color_mask(false, false, false, false);
    square(p, place, z);
    p.color_mask(true, true, true, true);
}

fn scene(name: &str, draw: impl FnOnce(&mut Recorder)) -> Scene {
    Scene::new(name, 64, 64, draw)
}

pub fn stencil() -> Vec<Scene> {
    let mut scenes = vec![];
    for &function in Comparison::ALL {
        scenes.push(scene(&format!("stencil-func-{}", name(&COMPARISON, function.value())), |p| {
            // Less than the reference, equal, more; and equal only where the mask is.
            columns(p, &[2, 5, 9, 0x25, 0xa2, 255]);
            p.enable(Capability::StencilTest);
            for (row, (reference, mask)) in
                [(5, !0), (5, 0x0f), (0x15, 0x0f), (5, 0), (-7, !0), (300, !0)].into_iter().enumerate()
            {
                p.stencil_func(function, reference, Raw::bits(mask));
                colorful(p, cell(1, 6, row));
            }
            // (So that something is drawn by each of them.)
            p.disable(Capability::StencilTest);
            colorful(p, [-0.2, -0.2, 0.2, 0.2]);
        }));
    }
    // What is in the stencil buffer, by a draw or by a clear, outlives clears of the depth buffer.
    scenes.push(scene("stencil-and-clear-depth", |p| {
        clear(p);
        let keep = StencilOp::Keep;
        p.clear(ClearMask::DEPTH);
        p.enable(Capability::StencilTest);
        p.stencil_func(Comparison::Always, 0xa5, Raw::bits(!0));
        p.stencil_op(keep, keep, StencilOp::Replace);
        invisible(p, cell(1, 2, 1), 0.0);
        p.disable(Capability::StencilTest);
        p.clear(ClearMask::DEPTH);
        p.enable(Capability::ScissorTest);
        p.scissor(SIDE / 2, 0, SIDE / 2, SIDE / 2);
        p.clear_stencil(0x3c);
        p.clear(ClearMask::STENCIL);
        p.disable(Capability::ScissorTest);
        p.clear_stencil(0x11);
        p.clear(ClearMask::DEPTH);
        reveal(p);
    }));
    for &op in StencilOp::ALL {
        scenes.push(scene(&format!("stencil-op-{}", name(&STENCIL_OP, op.value())), |p| {
            columns(p, &[0, 1, 5, 0x7f, 0xa9, 254, 255, 256 + 77]);
            p.enable(Capability::StencilTest);
            p.enable(Capability::DepthTest);
            let keep = StencilOp::Keep;
            // Fails the stencil test, fails the depth test, passes; and again where the buffer is masked.
            for (half, mask) in [(0, !0u32), (3, 0x0f)] {
                p.stencil_mask(Raw::bits(mask));
                p.stencil_func(Comparison::Never, 0xc3, Raw::bits(!0));
                p.stencil_op(op, keep, keep);
                invisible(p, cell(1, 6, half), 0.0);
                p.stencil_func(Comparison::Always, 0xc3, Raw::bits(!0));
                p.depth_func(Comparison::Never);
                p.stencil_op(keep, op, keep);
                invisible(p, cell(1, 6, half + 1), 0.0);
                p.depth_func(Comparison::Less);
                p.stencil_op(keep, keep, op);
                invisible(p, cell(1, 6, half + 2), 0.0);
            }
            reveal(p);
        }));
    }
    scenes.push(scene("stencil-all-three-ops", |p| {
        columns(p, &[10, 11, 12, 13]);
        p.enable(Capability::StencilTest);
        p.enable(Capability::DepthTest);
        p.color_mask(false, false, false, false);
        square(p, [-1.0, -1.0, 1.0, 0.0], -0.5);
        p.stencil_func(Comparison::Less, 11, Raw::bits(!0));
        p.stencil_op(StencilOp::Zero, StencilOp::Incr, StencilOp::Invert);
        square(p, [-0.9, -0.9, 0.9, 0.9], 0.5);
        p.color_mask(true, true, true, true);
        reveal(p);
    }));
    // What the depth test would say counts only where it is on.
    scenes.push(scene("stencil-without-depth", |p| {
        columns(p, &[10, 20]);
        p.enable(Capability::StencilTest);
        p.depth_func(Comparison::Never);
        p.stencil_op(StencilOp::Zero, StencilOp::Invert, StencilOp::Incr);
        invisible(p, [-0.9, -0.9, 0.9, 0.9], 0.5);
        reveal(p);
    }));
    scenes.push(scene("stencil-off", |p| {
        columns(p, &[10, 20]);
        p.stencil_func(Comparison::Never, 3, Raw::bits(!0));
        p.stencil_op(StencilOp::Invert, StencilOp::Invert, StencilOp::Invert);
        colorful(p, [-0.9, -0.9, 0.3, 0.9]);
        reveal(p);
    }));
    scenes.push(scene("stencil-clear-masked", |p| {
        for (number, (value, mask)) in
            (0..).zip([(0xff, !0u32), (0xff, 0x0f), (0x5a, 0xf0), (0x1a5, !0), (-1, !0), (0x33, 0)])
        {
            column(p, number, 6, SIDE, SIDE);
            p.stencil_mask(Raw::bits(!0));
            p.clear_stencil(0x42);
            p.clear(ClearMask::STENCIL | ClearMask::COLOR);
            p.stencil_mask(Raw::bits(mask));
            p.clear_stencil(value);
            p.clear(ClearMask::STENCIL);
        }
        reveal(p);
    }));
    // Initial values: all passes, nothing is written; and what the first frame finds is 0.
    scenes.push(scene("stencil-initially", |p| {
        p.enable(Capability::StencilTest);
        colorful(p, [-0.9, -0.9, 0.3, 0.9]);
        reveal(p);
        p.stencil_func(Comparison::Equal, 0, Raw::bits(!0));
        p.color3(0.2, 0.2, 0.5);
        square(p, [0.0, -0.5, 0.9, 0.5], 0.0);
    }));
    // Points and lines are tested too, and registers may say how.
    scenes.push(scene("stencil-registers", |p| {
        let (reference, mask, write, value) = (p.alloc(), p.alloc(), p.alloc(), p.alloc());
        columns(p, &[2, 5, 9, 0x25]);
        p.mov(reference, 5.9);
        p.mov(mask, Raw::bits(0x0f));
        p.mov(write, Raw::bits(0x3c));
        p.mov(value, 60.2);
        p.clear_stencil(value);
        p.enable(Capability::ScissorTest);
        p.scissor(0, 0, SIDE, 12);
        p.clear(ClearMask::STENCIL);
        p.disable(Capability::ScissorTest);
        p.enable(Capability::StencilTest);
        p.stencil_func(Comparison::Equal, reference, mask);
        p.stencil_mask(write);
        p.stencil_op(StencilOp::Incr, StencilOp::Keep, StencilOp::Invert);
        p.color3(0.0, 0.0, 0.0);
        p.line_width(3.0);
        p.primitive(Primitive::Lines, |p| {
            p.vertex2(-0.9, -0.62);
            p.vertex2(0.9, 0.31);
        });
        p.point_size(9.0);
        p.primitive(Primitive::Points, |p| {
            for i in 0..5u8 {
                p.vertex2(f32::from(i) * 0.37 - 0.77, 0.71);
            }
        });
        p.stencil_mask(Raw::bits(!0));
        reveal(p);
    }));
    // The mirror of a floor, as demos do it.
    scenes.push(scene("stencil-mirror", |p| {
        p.clear(ClearMask::COLOR | ClearMask::DEPTH | ClearMask::STENCIL);
        p.enable(Capability::StencilTest);
        p.stencil_func(Comparison::Always, 1, Raw::bits(!0));
        p.stencil_op(StencilOp::Keep, StencilOp::Keep, StencilOp::Replace);
        invisible(p, [-0.7, -0.9, 0.7, 0.0], 0.0);
        p.stencil_func(Comparison::Equal, 1, Raw::bits(!0));
        p.stencil_op(StencilOp::Keep, StencilOp::Keep, StencilOp::Keep);
        p.pushed(|p| {
            p.scale(1.0, -1.0, 1.0);
            colorful(p, [-0.9, 0.1, 0.2, 0.8]);
        });
        p.disable(Capability::StencilTest);
        colorful(p, [-0.9, 0.1, 0.2, 0.8]);
    }));
    scenes
}

pub fn alpha() -> Vec<Scene> {
    let mut scenes = vec![];
    // Exact alphas: eighths.
    let strips = |p: &mut Recorder| {
        for i in 0..9usize {
            let n = i as f32 / 8.0;
            p.color4(n, 1.0 - n, 0.5, n);
            square(p, cell(9, 1, i), 0.0);
        }
    };
    for &function in Comparison::ALL {
        scenes.push(scene(&format!("alpha-{}", name(&COMPARISON, function.value())), |p| {
            p.clear_color(0.1, 0.2, 0.3, 1.0);
            p.clear(COLOR);
            p.enable(Capability::AlphaTest);
            for (row, reference) in [0.5, 0.0, 1.0, -0.5, 1.5].into_iter().enumerate() {
                p.alpha_func(function, reference);
                p.pushed(|p| {
                    p.translate(0.0, row as f32 * 0.39 - 0.78, 0.0);
                    p.scale(1.0, 0.18, 1.0);
                    strips(p);
                });
            }
            p.disable(Capability::AlphaTest);
            colorful(p, [-0.3, -1.0, 0.3, -0.75]);
        }));
    }
    scenes.push(
        scene("alpha-of-gradients", |p| {
            clear(p);
            p.enable(Capability::AlphaTest);
            let reference = p.alloc();
            p.mov(reference, 0.3);
            p.alpha_func(Comparison::Greater, reference);
            colorful(p, [-0.9, -0.9, 0.9, 0.0]);
            p.alpha_func(Comparison::Less, 0.6);
            colorful(p, [-0.9, 0.1, 0.9, 0.9]);
        })
        .differs(Class::Threshold),
    );
    // What fails leaves depth and stencil alone; initially all passes.
    scenes.push(scene("alpha-before-depth-and-stencil", |p| {
        p.clear(ClearMask::COLOR | ClearMask::DEPTH | ClearMask::STENCIL);
        p.enable(Capability::AlphaTest);
        p.enable(Capability::DepthTest);
        p.enable(Capability::StencilTest);
        p.stencil_op(StencilOp::Incr, StencilOp::Invert, StencilOp::Incr);
        colorful(p, [-0.9, -0.9, 0.4, 0.4]);
        p.alpha_func(Comparison::Gequal, 0.5);
        gradient(p, [-0.6, -0.6, 0.9, 0.9], [0.0, 0.0, 0.3, 0.1], [0.5, 0.0, 0.0, 0.8], [0.0, 0.5, 0.0, 0.0]);
        p.disable(Capability::AlphaTest);
        p.color3(0.4, 0.1, 0.4);
        square(p, [-0.9, -0.2, 0.9, 0.2], 0.5);
        reveal(p);
    }));
    scenes.push(
        scene("alpha-of-texture", |p| {
            clear(p);
            p.enable(Capability::Texture2d);
            p.bind_texture(1);
            p.tex_env_mode(TexEnvMode::Replace);
            p.enable(Capability::AlphaTest);
            p.alpha_func(Comparison::Greater, 0.4);
            p.primitive(Primitive::Quads, |p| {
                for (x, y) in [(0.0, 0.0), (1.0, 0.0), (1.0, 1.0), (0.0, 1.0)] {
                    p.tex_coord2(x, y);
                    p.vertex2(x * 1.8 - 0.9, y * 1.8 - 0.9);
                }
            });
        })
        .texture(Texture::bgra(1, 8, 8, |x, y| {
            let alpha = u8::try_from((x * 37 + y * 71) % 256).unwrap_or(0);
            [200, 20 * u8::try_from(x).unwrap_or(0), 90, alpha]
        })),
    );
    scenes
}

pub fn logic() -> Vec<Scene> {
    let mut scenes = vec![];
    for &operation in LogicOp::ALL {
        scenes.push(scene(&format!("logic-{}", name(&LOGIC_OP, operation.value())), |p| {
            p.clear(COLOR);
            // Each of all pairs of bits, in each channel.
            for (i, byte) in [0x00u8, 0x0f, 0x5a, 0xf3, 0xff].into_iter().enumerate() {
                p.color4ub(byte, byte ^ 0x33, byte ^ 0xc5, byte ^ 0x81);
                square(p, cell(5, 1, i), 0.0);
            }
            p.enable(Capability::ColorLogicOp);
            // Blending has no say then.
            p.enable(Capability::Blend);
            p.blend_func(BlendFactor::Zero, BlendFactor::One);
            p.logic_op(operation);
            for (i, byte) in [0x00u8, 0x36, 0x99, 0xff].into_iter().enumerate() {
                p.color4ub(byte, byte ^ 0x2e, byte ^ 0x72, byte ^ 0x0d);
                square(p, cell(1, 4, i), 0.0);
            }
            p.disable(Capability::ColorLogicOp);
            p.disable(Capability::Blend);
            colorful(p, [-0.05, -1.0, 0.05, 1.0]);
        }));
    }
    scenes.push(scene("logic-initially-and-masked", |p| {
        p.clear_color(0.3, 0.9, 0.5, 0.7);
        p.clear(COLOR);
        p.enable(Capability::ColorLogicOp);
        colorful(p, [-0.9, -0.9, 0.0, 0.0]);
        p.logic_op(LogicOp::Xor);
        p.color_mask(true, false, true, false);
        p.color4ub(0xff, 0xff, 0x0f, 0xff);
        square(p, [-0.5, -0.5, 0.5, 0.5], 0.0);
        // A clear is none of its business.
        p.enable(Capability::ScissorTest);
        p.scissor(40, 40, 20, 20);
        p.clear(COLOR);
    }));
    scenes
}
