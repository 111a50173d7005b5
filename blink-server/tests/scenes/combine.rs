//! Texture environments that combine, coordinate generation, and two units.

use super::shapes::{ball, cell, clear, lit, name, view};
use crate::scene::{Scene, Texture};
use blinkgl::Recorder;
use blinkgl::gl::{
    Capability, MatrixMode, Primitive, TexCoordinate, TexEnvMode, TexEnvParameter, TexEnvScale, TexEnvValue,
    TexGenMode, TexGenPlane, TexParameter, TexValue, TextureUnit,
};
use blinkgl::ops::{TEX_COORDINATE, TEX_ENV_MODE, TEX_ENV_PARAMETER, TEX_ENV_VALUE, TEX_GEN_MODE};

/// Two textures in which all channels change, each in its way.
fn textures(scene: Scene) -> Scene {
    let first = Texture::bgra(1, 8, 8, |x, y| {
        [(x * 32) as u8, (255 - y * 30) as u8, (x * 17 + y * 13) as u8, (40 + x * 11 + y * 15) as u8]
    });
    let second = Texture::bgra(2, 4, 4, |x, y| {
        [(200 - y * 40) as u8, (30 + x * 60) as u8, (x * y * 25) as u8, (250 - x * 50 - y * 10) as u8]
    });
    scene.texture(first).texture(second)
}

fn nearest(p: &mut Recorder) {
    p.tex_parameter(TexParameter::MagFilter, TexValue::Nearest);
    p.tex_parameter(TexParameter::MinFilter, TexValue::Nearest);
}

/// A square with colors, alphas and coordinates of both units that change.
fn square(p: &mut Recorder, [left, bottom, right, top]: [f32; 4]) {
    p.primitive(Primitive::Quads, |p| {
        for (a, b) in [(0.0, 0.0), (1.0, 0.0), (1.0, 1.0), (0.0, 1.0)] {
            p.color4(0.2 + 0.7 * a, 0.9 - 0.5 * b, 0.3 + 0.3 * a + 0.3 * b, 0.8 - 0.6 * a);
            p.tex_coord2(0.01 + 0.98 * a, 0.01 + 0.98 * b);
            p.multi_tex_coord4(TextureUnit::Texture1, 0.98 - 0.9 * b, 0.03 + 0.9 * a, 0.0, 1.0);
            p.vertex2(left + a * (right - left), bottom + b * (top - bottom));
        }
    });
}

/// Unit 0 with texture 1, unit 1 with texture 2 which only lets pass.
fn scene(name: &str, record: impl FnOnce(&mut Recorder)) -> Scene {
    textures(Scene::new(name, 96, 96, |p| {
        p.clear_color(0.1, 0.2, 0.3, 0.5);
        clear(p);
        p.active_texture(TextureUnit::Texture1);
        p.bind_texture(2);
        nearest(p);
        p.active_texture(TextureUnit::Texture0);
        p.bind_texture(1);
        nearest(p);
        p.enable(Capability::Texture2d);
        p.tex_env_color(0.7, 0.2, 0.5, 0.35);
        record(p);
    }))
}

/// Lets unit 1 give on what comes from unit 0, so that it may be a source.
fn second_unit_passes(p: &mut Recorder) {
    p.active_texture(TextureUnit::Texture1);
    p.enable(Capability::Texture2d);
    p.tex_env_mode(TexEnvMode::Combine);
    p.tex_env_combine(TexEnvParameter::CombineRgb, TexEnvValue::Replace);
    p.tex_env_combine(TexEnvParameter::CombineAlpha, TexEnvValue::Replace);
    p.tex_env_combine(TexEnvParameter::Src0Rgb, TexEnvValue::Previous);
    p.tex_env_combine(TexEnvParameter::Src0Alpha, TexEnvValue::Previous);
    p.active_texture(TextureUnit::Texture0);
}

/// Parameters of colors and of alphas: function, sources, operands.
const RGB: [TexEnvParameter; 7] = [
    TexEnvParameter::CombineRgb,
    TexEnvParameter::Src0Rgb,
    TexEnvParameter::Src1Rgb,
    TexEnvParameter::Src2Rgb,
    TexEnvParameter::Operand0Rgb,
    TexEnvParameter::Operand1Rgb,
    TexEnvParameter::Operand2Rgb,
];
const ALPHA: [TexEnvParameter; 7] = [
    TexEnvParameter::CombineAlpha,
    TexEnvParameter::Src0Alpha,
    TexEnvParameter::Src1Alpha,
    TexEnvParameter::Src2Alpha,
    TexEnvParameter::Operand0Alpha,
    TexEnvParameter::Operand1Alpha,
    TexEnvParameter::Operand2Alpha,
];
const FUNCTIONS: [TexEnvValue; 8] = [
    TexEnvValue::Replace,
    TexEnvValue::Modulate,
    TexEnvValue::Add,
    TexEnvValue::AddSigned,
    TexEnvValue::Interpolate,
    TexEnvValue::Subtract,
    TexEnvValue::Dot3Rgb,
    TexEnvValue::Dot3Rgba,
];
const SOURCES: [TexEnvValue; 6] = [
    TexEnvValue::Texture,
    TexEnvValue::Texture0,
    TexEnvValue::Texture1,
    TexEnvValue::Constant,
    TexEnvValue::PrimaryColor,
    TexEnvValue::Previous,
];
const OPERANDS: [TexEnvValue; 4] = [
    TexEnvValue::SrcColor,
    TexEnvValue::OneMinusSrcColor,
    TexEnvValue::SrcAlpha,
    TexEnvValue::OneMinusSrcAlpha,
];

fn alpha_too(function: TexEnvValue) -> bool {
    !matches!(function, TexEnvValue::Dot3Rgb | TexEnvValue::Dot3Rgba)
}

pub fn functions() -> Vec<Scene> {
    let mut scenes = vec![];
    // Initial values: modulate texture with what comes, and so on.
    scenes.push(scene("combine-initially", |p| {
        p.tex_env_mode(TexEnvMode::Combine);
        square(p, cell(1, 1, 0));
    }));
    for function in FUNCTIONS {
        let function_name = name(&TEX_ENV_VALUE, function.value());
        scenes.push(scene(&format!("combine-function-{function_name}"), |p| {
            p.tex_env_mode(TexEnvMode::Combine);
            p.tex_env_combine(TexEnvParameter::CombineRgb, function);
            square(p, cell(1, 2, 0));
            if alpha_too(function) {
                p.tex_env_combine(TexEnvParameter::CombineRgb, TexEnvValue::Modulate);
                p.tex_env_combine(TexEnvParameter::CombineAlpha, function);
            }
            square(p, cell(1, 2, 1));
        }));
        // With all scales, of both.
        scenes.push(scene(&format!("combine-scales-of-{function_name}"), |p| {
            p.tex_env_mode(TexEnvMode::Combine);
            p.tex_env_combine(TexEnvParameter::CombineRgb, function);
            if alpha_too(function) {
                p.tex_env_combine(TexEnvParameter::CombineAlpha, function);
            }
            let scale = p.alloc();
            for (i, (rgb, alpha)) in [(1.0, 2.0), (2.0, 4.0), (4.0, 1.0), (1.0, 1.0)].into_iter().enumerate()
            {
                p.mov(scale, rgb);
                p.tex_env_scale(TexEnvScale::RgbScale, scale);
                p.tex_env_scale(TexEnvScale::AlphaScale, alpha);
                square(p, cell(2, 2, i));
            }
        }));
    }
    // Each parameter for itself: it alone is not what it was initially.
    for (parameter, values) in RGB.iter().zip(0..).chain(ALPHA.iter().zip(0..)).map(|(parameter, number)| {
        let values = match number {
            0 => &FUNCTIONS[..],
            1..=3 => &SOURCES[..],
            _ => &OPERANDS[..],
        };
        (*parameter, values)
    }) {
        let of_alpha = ALPHA.contains(&parameter);
        let parameter_name = name(&TEX_ENV_PARAMETER, parameter.value());
        scenes.push(scene(&format!("combine-{parameter_name}"), |p| {
            second_unit_passes(p);
            p.tex_env_mode(TexEnvMode::Combine);
            p.tex_env_combine(TexEnvParameter::CombineRgb, TexEnvValue::Interpolate);
            p.tex_env_combine(TexEnvParameter::CombineAlpha, TexEnvValue::Interpolate);
            let values = values.iter().filter(|&&v| {
                let color = matches!(v, TexEnvValue::SrcColor | TexEnvValue::OneMinusSrcColor);
                !of_alpha || (alpha_too(v) && !color)
            });
            for (i, &value) in values.enumerate() {
                p.tex_env_combine(parameter, value);
                square(p, cell(3, 3, i));
            }
        }));
    }
    scenes
}

pub fn arguments() -> Vec<Scene> {
    let mut scenes = vec![];
    // In the second unit, where what comes from before is not the primary color.
    scenes.push(scene("combine-sources-of-the-second-unit", |p| {
        p.tex_env_mode(TexEnvMode::Add);
        p.active_texture(TextureUnit::Texture1);
        p.enable(Capability::Texture2d);
        p.tex_env_color(0.2, 0.9, 0.4, 0.7);
        p.tex_env_mode(TexEnvMode::Combine);
        for (number, source) in SOURCES.into_iter().enumerate() {
            for parameter in [TexEnvParameter::Src0Rgb, TexEnvParameter::Src0Alpha] {
                p.tex_env_combine(parameter, source);
            }
            p.active_texture(TextureUnit::Texture0);
            square(p, cell(2, 3, number));
            p.active_texture(TextureUnit::Texture1);
        }
        p.active_texture(TextureUnit::Texture0);
    }));
    for function in FUNCTIONS {
        let function_name = name(&TEX_ENV_VALUE, function.value());
        // Each argument of the function: all sources, all operands.
        for argument in 0..3usize {
            let scene_name = format!("combine-arguments-{function_name}-{argument}");
            scenes.push(scene(&scene_name, |p| {
                second_unit_passes(p);
                p.tex_env_mode(TexEnvMode::Combine);
                p.tex_env_combine(TexEnvParameter::CombineRgb, function);
                if alpha_too(function) {
                    p.tex_env_combine(TexEnvParameter::CombineAlpha, function);
                }
                for (number, source) in SOURCES.into_iter().enumerate() {
                    p.tex_env_combine(RGB[1 + argument], source);
                    p.tex_env_combine(ALPHA[1 + argument], source);
                    for (other, operand) in OPERANDS.into_iter().enumerate() {
                        p.tex_env_combine(RGB[4 + argument], operand);
                        if other >= 2 {
                            p.tex_env_combine(ALPHA[4 + argument], operand);
                        }
                        square(p, cell(4, 6, number * 4 + other));
                    }
                }
            }));
        }
    }
    scenes
}

const PLANES: [[f32; 4]; 4] =
    [[0.8, 0.3, 0.2, 0.1], [-0.2, 0.9, 0.4, 0.3], [0.5, -0.7, 0.6, 0.2], [0.1, 0.05, -0.1, 1.1]];

fn generate(coordinate: TexCoordinate) -> Capability {
    match coordinate {
        TexCoordinate::S => Capability::TextureGenS,
        TexCoordinate::T => Capability::TextureGenT,
        TexCoordinate::R => Capability::TextureGenR,
        TexCoordinate::Q => Capability::TextureGenQ,
    }
}

/// Lets r be seen, which a texture of two dimensions does not look at: s and t become what r adds to them.
fn r_counts(p: &mut Recorder) {
    p.matrix_mode(MatrixMode::Texture);
    #[rustfmt::skip]
    p.load_matrix([
        1.0, 0.0, 0.0, 0.0,
        0.0, 1.0, 0.0, 0.0,
        0.6, -0.8, 1.0, 0.0f32,
        0.0, 0.0, 0.0, 1.0,
    ]);
    p.matrix_mode(MatrixMode::Modelview);
}

/// A ball with coordinates of its own.
fn mapped_ball(p: &mut Recorder) {
    p.tex_coord4(0.4, 0.2, 0.3, 1.2);
    p.multi_tex_coord4(TextureUnit::Texture1, 0.6, 0.1, 0.2, 1.1);
    ball(p, 0);
}

fn generation_scene(name: &str, unit: TextureUnit, set: impl FnOnce(&mut Recorder)) -> Scene {
    textures(Scene::new(format!("generate-{name}"), 96, 96, |p| {
        clear(p);
        view(p);
        p.translate(0.0, 0.0, -0.9);
        p.enable(Capability::DepthTest);
        p.active_texture(unit);
        p.bind_texture(1);
        p.tex_parameter(TexParameter::MagFilter, TexValue::Linear);
        p.enable(Capability::Texture2d);
        p.rotate(-20.0, 0.2, 1.0, 0.3);
        set(p);
        p.active_texture(TextureUnit::Texture0);
        p.rotate(40.0, 1.0, 0.3, 0.0);
        mapped_ball(p);
    }))
}

pub fn generation() -> Vec<Scene> {
    let mut scenes = vec![];
    for (unit, unit_name) in [(TextureUnit::Texture0, "0"), (TextureUnit::Texture1, "1")] {
        for (number, &coordinate) in TexCoordinate::ALL.iter().enumerate() {
            let coordinate_name = name(&TEX_COORDINATE, coordinate.value());
            for &mode in TexGenMode::ALL {
                if mode == TexGenMode::SphereMap && matches!(coordinate, TexCoordinate::R | TexCoordinate::Q)
                {
                    continue;
                }
                let mode_name = name(&TEX_GEN_MODE, mode.value());
                scenes.push(generation_scene(
                    &format!("{coordinate_name}-{mode_name}-unit-{unit_name}"),
                    unit,
                    |p| {
                        r_counts(p);
                        // Something for the others, that s alone is not all.
                        for (other, &coordinate) in TexCoordinate::ALL.iter().take(2).enumerate() {
                            let [a, b, c, d] = PLANES[3 - other];
                            p.tex_gen_mode(coordinate, TexGenMode::ObjectLinear);
                            p.tex_gen_plane(coordinate, TexGenPlane::ObjectPlane, c, a, b, d);
                            p.enable(generate(coordinate));
                        }
                        let [a, b, c, d] = PLANES[number];
                        p.tex_gen_mode(coordinate, mode);
                        p.tex_gen_plane(coordinate, TexGenPlane::ObjectPlane, a, b, c, d);
                        p.tex_gen_plane(coordinate, TexGenPlane::EyePlane, 1.3 * b, a, c, d + 0.2);
                        p.enable(generate(coordinate));
                    },
                ));
            }
        }
    }
    let zero = TextureUnit::Texture0;
    // Initial values: eye_linear with the planes of s and t along the axes, and zeros for r and q.
    scenes.push(generation_scene("initially", zero, |p| {
        p.enable(Capability::TextureGenS);
        p.enable(Capability::TextureGenT);
    }));
    // One after the other is switched off again.
    for &off in TexCoordinate::ALL {
        scenes.push(generation_scene(&format!("off-{}", name(&TEX_COORDINATE, off.value())), zero, |p| {
            r_counts(p);
            for (number, &coordinate) in TexCoordinate::ALL.iter().enumerate() {
                let [a, b, c, d] = PLANES[number];
                p.tex_gen_mode(coordinate, TexGenMode::ObjectLinear);
                p.tex_gen_plane(coordinate, TexGenPlane::ObjectPlane, a, b, c, d);
                p.enable(generate(coordinate));
            }
            p.disable(generate(off));
        }));
    }
    scenes.push(generation_scene("set-and-off", zero, |p| {
        p.enable(Capability::TextureGenS);
        p.tex_gen_mode(TexCoordinate::T, TexGenMode::ObjectLinear);
        p.enable(Capability::TextureGenT);
        p.disable(Capability::TextureGenS);
    }));
    for with_lights in [false, true] {
        scenes.push(generation_scene(if with_lights { "sphere-map-lit" } else { "sphere-map" }, zero, |p| {
            if with_lights {
                lit(p);
            }
            for coordinate in [TexCoordinate::S, TexCoordinate::T] {
                p.tex_gen_mode(coordinate, TexGenMode::SphereMap);
                p.enable(generate(coordinate));
            }
        }));
    }
    scenes.push(generation_scene("sphere-map-scaled-normals", zero, |p| {
        p.scale(0.8, 1.1, 0.9);
        p.enable(Capability::Normalize);
        for coordinate in [TexCoordinate::S, TexCoordinate::T] {
            p.tex_gen_mode(coordinate, TexGenMode::SphereMap);
            p.enable(generate(coordinate));
        }
    }));
    // An eye plane is where the modelview matrix was when it was set.
    scenes.push(generation_scene("moved-eye-planes", zero, |p| {
        p.pushed(|p| {
            p.rotate(50.0, 0.1, 0.5, 1.0);
            p.scale(1.5, 0.7, 1.0);
            p.tex_gen_plane(TexCoordinate::S, TexGenPlane::EyePlane, 0.9, 0.1, 0.0, 0.2);
        });
        let (a, d) = (p.alloc(), p.alloc());
        p.mov(a, 0.7);
        p.mov(d, 2.4);
        p.tex_gen_plane(TexCoordinate::T, TexGenPlane::EyePlane, 0.0, a, a, d);
        p.enable(Capability::TextureGenS);
        p.enable(Capability::TextureGenT);
    }));
    scenes.push(generation_scene("of-all-four", zero, |p| {
        r_counts(p);
        for (number, &coordinate) in TexCoordinate::ALL.iter().enumerate() {
            let [a, b, c, d] = PLANES[number];
            let mode = if number % 2 == 0 { TexGenMode::ObjectLinear } else { TexGenMode::EyeLinear };
            p.tex_gen_mode(coordinate, mode);
            p.tex_gen_plane(coordinate, TexGenPlane::ObjectPlane, a, b, c, d);
            p.tex_gen_plane(coordinate, TexGenPlane::EyePlane, b, a, 0.1 * c, d + 0.5);
            p.enable(generate(coordinate));
        }
    }));
    scenes
}

pub fn units() -> Vec<Scene> {
    let mut scenes = vec![];
    let modes: Vec<TexEnvMode> =
        TexEnvMode::ALL.iter().copied().filter(|&m| m != TexEnvMode::Combine).collect();
    for &mode in &modes {
        // All modes of unit 1 after this one of unit 0.
        scenes.push(scene(&format!("units-{}", name(&TEX_ENV_MODE, mode.value())), |p| {
            p.tex_env_mode(mode);
            for (i, &second) in modes.iter().enumerate() {
                p.active_texture(TextureUnit::Texture1);
                p.enable(Capability::Texture2d);
                p.tex_env_mode(second);
                p.tex_env_color(0.1, 0.8, 0.4, 0.6);
                p.active_texture(TextureUnit::Texture0);
                square(p, cell(2, 3, i));
            }
        }));
    }
    // Each alone, both, and exchanged.
    for (name, zero, one) in [
        ("none", 0, 0),
        ("first-alone", 1, 0),
        ("second-alone", 0, 2),
        ("both", 1, 2),
        ("exchanged", 2, 1),
        ("same-twice", 1, 1),
    ] {
        scenes.push(scene(&format!("units-{name}"), |p| {
            for (unit, texture) in [(TextureUnit::Texture0, zero), (TextureUnit::Texture1, one)] {
                p.active_texture(unit);
                p.bind_texture(texture);
                if texture == 0 { p.disable(Capability::Texture2d) } else { p.enable(Capability::Texture2d) }
            }
            p.active_texture(TextureUnit::Texture0);
            p.tex_env_mode(TexEnvMode::Modulate);
            square(p, cell(1, 1, 0));
        }));
    }
    // A texture that is not there lets pass what comes.
    scenes.push(scene("units-second-not-there", |p| {
        p.active_texture(TextureUnit::Texture1);
        p.enable(Capability::Texture2d);
        p.bind_texture(99);
        p.active_texture(TextureUnit::Texture0);
        square(p, cell(1, 1, 0));
    }));
    scenes.push(scene("units-matrices", |p| {
        for (unit, angle) in [(TextureUnit::Texture0, 25.0), (TextureUnit::Texture1, -40.0)] {
            p.active_texture(unit);
            p.enable(Capability::Texture2d);
            p.matrix_mode(MatrixMode::Texture);
            p.push_matrix();
            p.rotate(angle, 0.1, 0.0, 1.0);
            p.scale(1.3, 0.7, 1.0);
        }
        p.active_texture(TextureUnit::Texture0);
        square(p, cell(2, 1, 0));
        for unit in [TextureUnit::Texture1, TextureUnit::Texture0] {
            p.active_texture(unit);
            p.pop_matrix();
        }
        square(p, cell(2, 1, 1));
    }));
    scenes.push(scene("units-coordinates-of-four", |p| {
        p.active_texture(TextureUnit::Texture1);
        p.enable(Capability::Texture2d);
        p.tex_env_mode(TexEnvMode::Add);
        p.active_texture(TextureUnit::Texture0);
        let q = p.alloc();
        p.mov(q, 1.0);
        p.primitive(Primitive::TriangleStrip, |p| {
            for (x, y, s, t) in
                [(-0.9, -0.9, 0.1, 0.1), (0.9, -0.9, 0.9, 0.1), (-0.9, 0.9, 0.1, 0.9), (0.9, 0.9, 0.9, 0.9)]
            {
                p.multi_tex_coord4(TextureUnit::Texture0, s, t, 0.5, q);
                p.multi_tex_coord4(TextureUnit::Texture1, t, q, 0.5, 2.3);
                p.add(q, q, 0.3);
                p.vertex2(x, y);
            }
        });
    }));
    // One texture on both units has one set of parameters.
    scenes.push(scene("units-share-parameters", |p| {
        p.active_texture(TextureUnit::Texture1);
        p.bind_texture(1);
        p.enable(Capability::Texture2d);
        p.tex_parameter(TexParameter::MagFilter, TexValue::Linear);
        p.active_texture(TextureUnit::Texture0);
        square(p, cell(1, 1, 0));
    }));
    scenes
}
