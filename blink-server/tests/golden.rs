//! Pictures of the tracker against those of OpenGL's own fixed functions: the compatibility profile of the
//! same driver.
#![allow(
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    clippy::cast_sign_loss,
    clippy::many_single_char_names,
    missing_docs,
    reason = "a test"
)]

#[path = "support/compat.rs"]
mod compat;
#[path = "support/scene.rs"]
mod scene;
mod support;

use blink_server::geometry::Rect;
use blink_server::gl::context::Flavor;
use blink_server::gl::{Counters, TextureDesc};
use blinkgl::Recorder;
use blinkgl::gl::{
    BlendFactor, Capability, ClearMask, ColorMaterialMode, Comparison, Face, Light, LightModelParameter,
    LightParameter, MaterialParameter, MatrixMode, Primitive, ShadeModel, TexEnvMode, TexParameter, TexValue,
    Winding,
};
use blinkgl::layout::texture::{ColorSpace, Format, Levels};
use blinkgl::ops::Callback;
use examples::gears;
use jit::TierChoice;
use scene::{Blink, Scene, Texture};
use support::save_png;

/// Channels may differ by this much...
const TOLERANCE: u8 = 2;
/// ... and more in at most one of so many of the pixels that are drawn.
const ONE_OF: usize = 200;

/// Compares the tracker's pictures of scenes, by both tiers, with OpenGL's.
fn compare(scenes: &[Scene]) {
    compare_with(scenes, scenes);
}

/// The same with OpenGL's pictures of other scenes, which shall look alike.
fn compare_with(scenes: &[Scene], others: &[Scene]) {
    let wanted = compat::pictures(others);
    for flavor in Flavor::ALL {
        compare_on(flavor, scenes, &wanted);
    }
}

fn compare_on(flavor: Flavor, scenes: &[Scene], wanted: &[Vec<u8>]) {
    let mut blink = Blink::of(flavor);
    println!("{}", blink.tracker.describe());
    let mut faults = Vec::new();
    for (scene, wanted) in scenes.iter().zip(wanted) {
        let name = &format!("{flavor:?}-{}", scene.name);
        let found = blink.picture(scene, TierChoice::Interpreter);
        assert!(found == blink.picture(scene, TierChoice::Native), "{name}: the tiers' pictures differ");
        let background = background(wanted);
        let (mut drawn, mut different, mut worst) = (0, 0, 0);
        for (a, b) in found.chunks_exact(4).zip(wanted.chunks_exact(4)) {
            let difference = a.iter().zip(b).map(|(a, b)| a.abs_diff(*b)).max().unwrap_or(0);
            drawn += usize::from(a != background || b != background);
            different += usize::from(difference > TOLERANCE);
            worst = worst.max(difference);
        }
        println!("{name}: {different} of {drawn} pixels differ, by {worst} at most");
        // (Some blend functions leave the background as it is: that is then what shows.)
        if drawn < 40 && !scene.name.starts_with("blend-") {
            faults.push(format!("{name}: only {drawn} pixels are drawn, which shows nothing"));
        }
        if different * ONE_OF > drawn {
            faults.push(format!("{name}: {different} of {drawn} pixels differ, by {worst} at most"));
            save_png(&format!("{name}-wanted"), scene.width, scene.height, wanted);
            save_png(&format!("{name}-found"), scene.width, scene.height, &found);
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

/// The pixel that a picture has most often.
fn background(picture: &[u8]) -> &[u8] {
    let mut counts = std::collections::HashMap::new();
    for pixel in picture.chunks_exact(4) {
        *counts.entry(pixel).or_insert(0) += 1;
    }
    counts.into_iter().max_by_key(|&(_, count)| count).map_or(&[], |(pixel, _)| pixel)
}

const COLOR: ClearMask = ClearMask::COLOR;

fn clear(p: &mut Recorder) {
    p.clear(ClearMask::COLOR | ClearMask::DEPTH);
}

fn gears_at(seconds: f64) -> Scene {
    let mut scene = Scene::new(format!("gears-{seconds}"), 300, 300, |_| {});
    scene.programs.clear();
    scene.registers[gears::VIEW_X as usize] = gears::VIEW[0].to_bits();
    scene.registers[gears::VIEW_Y as usize] = gears::VIEW[1].to_bits();
    scene.time_ns = (seconds * 1e9) as u64;
    scene
        .program(Callback::Init, gears::init().unwrap())
        .program(Callback::Reshape, gears::reshape().unwrap())
        .program(Callback::Redraw, gears::redraw(gears::Angle::Time).unwrap())
}

#[test]
fn gears() {
    let mut scenes: Vec<Scene> = [0.0, 0.1, 0.55, 1.3, 2.75, 3.9, 5.0, 1234.5].map(gears_at).into();
    let mut above = gears_at(0.7);
    above.name = "gears-from-above".into();
    above.registers[gears::VIEW_X as usize] = (-65.0f32).to_bits();
    scenes.push(above);
    compare(&scenes);
}

// ---- Primitives ------------------------------------------------------------------------------------

/// A vertex with attributes of its own, all of them from its number.
fn vertex(p: &mut Recorder, number: u32, x: f32, y: f32, z: f32) {
    let n = number as f32;
    p.color4((n * 0.37).fract(), (n * 0.61 + 0.3).fract(), (n * 0.83 + 0.6).fract(), 1.0);
    p.normal3((n * 1.3).sin() * 0.6, (n * 2.1).cos() * 0.6, 1.0);
    p.vertex3(x, y, z);
}

/// Vertices in an order that makes areas of each primitive.
fn vertices(p: &mut Recorder, mode: Primitive) {
    use Primitive as P;
    match mode {
        P::Points => {
            for i in 0..400 {
                // None lies on the border of two pixels.
                let (x, y) = ((i % 20) as f32, (i / 20) as f32);
                vertex(p, i, x * 0.09 - 0.857, y * 0.09 - 0.857, 0.0);
            }
        }
        P::Lines | P::LineStrip | P::LineLoop | P::Polygon => {
            let count = if mode == P::Polygon { 9 } else { 23 };
            for i in 0..count {
                let a = i as f32 / count as f32 * std::f32::consts::TAU;
                // Lines jump over the circle; polygons go around it.
                let a = if mode == P::Polygon { a } else { a * 9.0 };
                vertex(p, i, a.cos() * 0.91, a.sin() * 0.87, 0.1 * a.sin());
            }
        }
        P::TriangleFan => {
            vertex(p, 0, 0.05, 0.03, 0.4);
            for i in 0..8 {
                let a = i as f32 * 0.8;
                vertex(p, i + 1, a.cos() * 0.9, a.sin() * 0.9, 0.0);
            }
        }
        P::Triangles => {
            for cell in 0..9u32 {
                let (cx, cy) = ((cell % 3) as f32 * 0.6 - 0.6, (cell / 3) as f32 * 0.6 - 0.6);
                for corner in 0..3 {
                    let a = 0.4 * cell as f32 + corner as f32 / 3.0 * std::f32::consts::TAU;
                    let turn = if cell % 2 == 0 { 1.0 } else { -1.0 };
                    let z = if corner == 2 { 0.3 } else { 0.0 };
                    vertex(p, cell * 4 + corner, cx + turn * a.cos() * 0.28, cy + a.sin() * 0.28, z);
                }
            }
            // An incomplete one.
            vertex(p, 3, 0.0, 0.0, 0.9);
        }
        // OpenGL leaves open along which diagonal a quad is cut, and drivers differ (Mesa's: with the shade
        // model). So these are flat, and their colors such that the cut does not show.
        P::Quads => {
            for cell in 0..9u32 {
                let (cx, cy) = ((cell % 3) as f32 * 0.6 - 0.6, (cell / 3) as f32 * 0.6 - 0.6);
                let turn = if cell % 2 == 0 { 0.28 } else { -0.28 };
                let a = 0.4 * cell as f32;
                p.normal3(a.sin() * 0.6, a.cos() * 0.6, 1.0);
                for corner in 0..4u8 {
                    let around = a + f32::from(corner) * std::f32::consts::FRAC_PI_2;
                    let (along, up) = ([0.0, 1.0, 1.0, 0.0], [0.0, 0.0, 1.0, 1.0]);
                    let (along, up) = (along[usize::from(corner)], up[usize::from(corner)]);
                    p.color4(0.1 * cell as f32, 0.2 + 0.7 * along, 0.9 - 0.5 * up, 1.0);
                    p.vertex3(cx + turn * around.cos(), cy + around.sin() * 0.28, 0.2 * up);
                }
            }
            // An incomplete one.
            vertex(p, 3, 0.0, 0.0, 0.9);
        }
        P::TriangleStrip | P::QuadStrip => {
            for i in 0..13u32 {
                let x = (i / 2) as f32 * 0.28 - 0.85;
                let y = if i % 2 == 0 { 0.6 } else { -0.6 } + 0.2 * (i as f32).sin();
                vertex(p, i, x, y, 0.1 * (i % 3) as f32);
            }
        }
    }
}

/// A perspective view of the square from -1 to 1.
fn view(p: &mut Recorder) {
    p.matrix_mode(MatrixMode::Projection);
    p.load_identity();
    p.frustum(-1.0, 1.0, -1.0, 1.0, 3.0, 20.0);
    p.matrix_mode(MatrixMode::Modelview);
    p.load_identity();
    p.translate(0.0, 0.0, -3.3);
}

fn lit(p: &mut Recorder) {
    for capability in [Capability::Lighting, Capability::Light0, Capability::Normalize, Capability::DepthTest]
    {
        p.enable(capability);
    }
    p.light(Light::Light0, LightParameter::Position, 2.0, 3.0, 4.0, 0.0);
    p.material(Face::FrontAndBack, MaterialParameter::AmbientAndDiffuse, 0.8, 0.5, 0.3, 1.0);
}

const PRIMITIVES: [Primitive; 10] = [
    Primitive::Points,
    Primitive::Lines,
    Primitive::LineLoop,
    Primitive::LineStrip,
    Primitive::Triangles,
    Primitive::TriangleStrip,
    Primitive::TriangleFan,
    Primitive::Quads,
    Primitive::QuadStrip,
    Primitive::Polygon,
];

fn primitive_scenes() -> Vec<Scene> {
    let mut scenes = vec![];
    for mode in PRIMITIVES {
        for (shade, shading) in [(ShadeModel::Flat, "flat"), (ShadeModel::Smooth, "smooth")] {
            for lighting in [false, true] {
                let light = if lighting { "lit" } else { "unlit" };
                let name = format!("{}-{shading}-{light}", format!("{mode:?}").to_lowercase());
                scenes.push(Scene::new(name, 160, 120, |p| {
                    clear(p);
                    view(p);
                    if lighting {
                        lit(p);
                    }
                    p.shade_model(shade);
                    p.primitive(mode, |p| vertices(p, mode));
                }));
            }
        }
    }
    scenes
}

#[test]
fn primitives() {
    compare(&primitive_scenes());
}

// ---- Lighting --------------------------------------------------------------------------------------

/// A ball of quad strips, so that lights show all they do. Its inside is seen too where it is cut open.
fn ball(p: &mut Recorder, from: i32) {
    colored_ball(p, from, |p, [r, g, b, a]| p.color4(r, g, b, a));
}

fn colored_ball(p: &mut Recorder, from: i32, color: impl Fn(&mut Recorder, [f32; 4])) {
    for number in from..RINGS {
        ring(p, number, &color);
    }
}

const RINGS: i32 = 12;

fn ring(p: &mut Recorder, number: i32, color: impl Fn(&mut Recorder, [f32; 4])) {
    let angle = |number: i32| (number as f32 / RINGS as f32 - 0.5) * std::f32::consts::PI;
    let (low, high) = (angle(number), angle(number + 1));
    p.primitive(Primitive::QuadStrip, |p| {
        for i in 0..=16 {
            let a = i as f32 / 16.0 * std::f32::consts::TAU;
            for b in [low, high] {
                let (x, y, z) = (a.cos() * b.cos(), b.sin(), a.sin() * b.cos());
                color(p, [0.5 + 0.5 * x, 0.5 + 0.5 * y, 0.5 - 0.5 * x, 0.5 + 0.5 * z]);
                p.normal3(x, y, z);
                p.vertex3(x, y, z);
            }
        }
    });
}

/// A wall of small squares, so that a spot has an edge.
fn wall(p: &mut Recorder) {
    p.normal3(0.0, 0.0, 1.0);
    for row in 0..40 {
        let y = row as f32 * 0.05 - 1.0;
        p.primitive(Primitive::QuadStrip, |p| {
            for i in 0..=40 {
                p.vertex2(i as f32 * 0.05 - 1.0, y + 0.05);
                p.vertex2(i as f32 * 0.05 - 1.0, y);
            }
        });
    }
}

fn lighting_scene(name: &str, set: impl FnOnce(&mut Recorder), draw: impl FnOnce(&mut Recorder)) -> Scene {
    Scene::new(format!("light-{name}"), 160, 160, |p| {
        clear(p);
        view(p);
        p.translate(0.0, 0.0, -0.9);
        lit(p);
        set(p);
        p.rotate(25.0, 1.0, 0.3, 0.0);
        draw(p);
    })
}

fn shiny(p: &mut Recorder) {
    p.material(Face::FrontAndBack, MaterialParameter::Specular, 0.9, 0.9, 0.6, 1.0);
    p.material(Face::FrontAndBack, MaterialParameter::Shininess, 20.0, 0.0, 0.0, 0.0);
}

fn near_light(p: &mut Recorder) {
    p.light(Light::Light0, LightParameter::Position, 0.8, 0.9, 1.4, 1.0);
}

fn lighting_scenes() -> Vec<Scene> {
    use LightParameter as L;
    let all = |p: &mut Recorder| ball(p, 0);
    let cut = |p: &mut Recorder| {
        p.rotate(-75.0, 1.0, 0.2, 0.0);
        ball(p, 5);
    };
    let two_side = |p: &mut Recorder| p.light_model(LightModelParameter::TwoSide, 1.0, 0.0, 0.0, 0.0);
    let mut scenes = vec![
        lighting_scene("directional", |_| {}, all),
        lighting_scene("positional", near_light, all),
        lighting_scene(
            "attenuation",
            |p| {
                near_light(p);
                p.light(Light::Light0, L::ConstantAttenuation, 0.5, 0.0, 0.0, 0.0);
                p.light(Light::Light0, L::LinearAttenuation, 0.3, 0.0, 0.0, 0.0);
                p.light(Light::Light0, L::QuadraticAttenuation, 0.6, 0.0, 0.0, 0.0);
            },
            all,
        ),
        lighting_scene(
            "spot",
            |p| {
                near_light(p);
                p.light(Light::Light0, L::SpotDirection, -0.5, -0.6, -0.9, 0.0);
                p.light(Light::Light0, L::SpotCutoff, 35.0, 0.0, 0.0, 0.0);
                p.light(Light::Light0, L::SpotExponent, 3.0, 0.0, 0.0, 0.0);
            },
            all,
        ),
        lighting_scene(
            "spot-on-a-wall",
            |p| {
                p.light(Light::Light0, L::Position, 0.3, 0.2, 1.5, 1.0);
                p.light(Light::Light0, L::SpotDirection, -0.1, -0.2, -0.9, 0.0);
                p.light(Light::Light0, L::SpotCutoff, 27.0, 0.0, 0.0, 0.0);
                p.light(Light::Light0, L::SpotExponent, 9.0, 0.0, 0.0, 0.0);
            },
            wall,
        ),
        lighting_scene("specular", shiny, all),
        lighting_scene(
            "specular-near-local-viewer",
            |p| {
                shiny(p);
                near_light(p);
                p.light_model(LightModelParameter::LocalViewer, 1.0, 0.0, 0.0, 0.0);
            },
            all,
        ),
        lighting_scene(
            "specular-without-shininess",
            |p| p.material(Face::Front, MaterialParameter::Specular, 0.4, 0.4, 0.4, 1.0),
            all,
        ),
        lighting_scene(
            "emission-and-scene-ambient",
            |p| {
                p.material(Face::Front, MaterialParameter::Emission, 0.0, 0.1, 0.3, 1.0);
                p.light_model(LightModelParameter::Ambient, 0.5, 0.1, 0.1, 1.0);
                p.light(Light::Light0, L::Ambient, 0.0, 0.2, 0.0, 1.0);
            },
            all,
        ),
        lighting_scene(
            "eight",
            |p| {
                for (i, &light) in (0i16..).zip(Light::ALL) {
                    let a = f32::from(i) * 0.8;
                    p.light(light, L::Position, a.cos() * 2.0, a.sin() * 2.0, 1.0, f32::from(i % 2));
                    p.light(light, L::Diffuse, 0.5 + 0.5 * a.cos(), 0.5, 0.5 + 0.5 * a.sin(), 1.0);
                    p.light(light, L::Specular, 0.3, 0.3, 0.3, 1.0);
                    p.enable(Capability::ALL[9 + i as usize]);
                }
                shiny(p);
                p.disable(Capability::Light3);
            },
            all,
        ),
        lighting_scene("two-side-off", |_| {}, cut),
        lighting_scene("two-side", two_side, cut),
        lighting_scene(
            "two-side-materials-flat",
            move |p| {
                two_side(p);
                p.shade_model(ShadeModel::Flat);
                p.material(Face::Back, MaterialParameter::AmbientAndDiffuse, 0.1, 0.2, 0.9, 1.0);
                p.material(Face::Back, MaterialParameter::Shininess, 3.0, 0.0, 0.0, 0.0);
                p.material(Face::Back, MaterialParameter::Specular, 1.0, 0.0, 0.0, 1.0);
            },
            cut,
        ),
        lighting_scene(
            "two-side-color-material",
            move |p| {
                two_side(p);
                p.color_material(Face::FrontAndBack, ColorMaterialMode::AmbientAndDiffuse);
                p.enable(Capability::ColorMaterial);
            },
            cut,
        ),
    ];
    for (mode, name) in [
        (ColorMaterialMode::Ambient, "ambient"),
        (ColorMaterialMode::Diffuse, "diffuse"),
        (ColorMaterialMode::Specular, "specular"),
        (ColorMaterialMode::Emission, "emission"),
        (ColorMaterialMode::AmbientAndDiffuse, "ambient-and-diffuse"),
    ] {
        scenes.push(lighting_scene(
            &format!("color-material-{name}"),
            move |p| {
                shiny(p);
                p.color_material(Face::FrontAndBack, mode);
                p.enable(Capability::ColorMaterial);
            },
            all,
        ));
    }
    // What the colors of one primitive leave in the material counts for the next.
    scenes.push(lighting_scene(
        "color-material-left-behind",
        |p| {
            p.color_material(Face::Front, ColorMaterialMode::Diffuse);
            p.enable(Capability::ColorMaterial);
            p.color4(0.1, 0.9, 0.2, 1.0);
            p.disable(Capability::ColorMaterial);
            p.color4(1.0, 0.0, 0.0, 1.0);
        },
        all,
    ));
    for (capability, name) in [
        (None, "scaled"),
        (Some(Capability::RescaleNormal), "scaled-rescale"),
        (Some(Capability::Normalize), "scaled-normalize"),
    ] {
        scenes.push(lighting_scene(
            name,
            |p| {
                p.disable(Capability::Normalize);
                if let Some(capability) = capability {
                    p.enable(capability);
                }
            },
            |p| {
                p.scale(1.3, 1.3, 1.3);
                ball(p, 0);
            },
        ));
    }
    scenes.push(lighting_scene(
        "stretched-normalize",
        |_| {},
        |p| {
            p.scale(1.2, 0.5, 0.8);
            ball(p, 0);
        },
    ));
    scenes
}

#[test]
fn lighting() {
    compare(&lighting_scenes());
}

/// With both faces lit, Mesa 22.3 draws wrong colors where the material of one face only changes with each vertex. So
/// OpenGL is given what tracking means: materials, between primitives.
#[test]
fn color_material_of_one_face() {
    for (face, name) in [(Face::Back, "back"), (Face::Front, "front")] {
        let scene = |track: bool| {
            lighting_scene(
                &format!("color-material-{name}-only"),
                |p| {
                    p.light_model(LightModelParameter::TwoSide, 1.0, 0.0, 0.0, 0.0);
                    if track {
                        p.color_material(face, ColorMaterialMode::AmbientAndDiffuse);
                        p.enable(Capability::ColorMaterial);
                    }
                },
                |p| {
                    p.rotate(-75.0, 1.0, 0.2, 0.0);
                    for number in 5..RINGS {
                        let n = number as f32 * 0.07;
                        if track {
                            p.color4(n, 0.5, 1.0 - n, n);
                        } else {
                            p.material(face, MaterialParameter::AmbientAndDiffuse, n, 0.5, 1.0 - n, n);
                        }
                        ring(p, number, |_, _| {});
                    }
                },
            )
        };
        compare_with(&[scene(true)], &[scene(false)]);
    }
}

/// Material and shade model change between and in primitives, more often than a uniform block has records.
fn material_scenes() -> Vec<Scene> {
    let mut scenes = vec![];
    for (mode, name) in [
        (Primitive::Quads, "quads"),
        (Primitive::QuadStrip, "quad-strip"),
        (Primitive::TriangleFan, "fan"),
        (Primitive::Polygon, "polygon"),
        (Primitive::LineLoop, "line-loop"),
    ] {
        for shade in [ShadeModel::Smooth, ShadeModel::Flat] {
            scenes.push(Scene::new(format!("materials-{name}-{shade:?}"), 160, 160, |p| {
                clear(p);
                view(p);
                lit(p);
                p.shade_model(shade);
                p.normal3(0.1, 0.2, 1.0);
                let material = |p: &mut Recorder, i: u16| {
                    let n = f32::from(i);
                    let [r, g, b] = [n * 0.011, n * 0.017 + 0.3, n * 0.023 + 0.6].map(f32::fract);
                    p.material(Face::Front, MaterialParameter::AmbientAndDiffuse, r, g, b, 1.0);
                };
                match mode {
                    Primitive::Quads => p.primitive(mode, |p| {
                        for i in 0..400u16 {
                            let (x, y) = (f32::from(i % 20) * 0.09 - 0.9, f32::from(i / 20) * 0.09 - 0.9);
                            for (dx, dy) in [(0.0, 0.0), (0.08, 0.0), (0.08, 0.08), (0.0, 0.08)] {
                                material(p, i + if dx > 0.0 { 50 } else { 0 });
                                p.vertex2(x + dx, y + dy);
                            }
                        }
                    }),
                    Primitive::QuadStrip => p.primitive(mode, |p| {
                        for i in 0..300u16 {
                            let x = f32::from(i / 2) * 0.012 - 0.9;
                            material(p, i * 5);
                            p.vertex2(x, if i % 2 == 0 { 0.8 } else { -0.8 });
                        }
                    }),
                    Primitive::Points
                    | Primitive::Lines
                    | Primitive::LineLoop
                    | Primitive::LineStrip
                    | Primitive::Triangles
                    | Primitive::TriangleStrip
                    | Primitive::TriangleFan
                    | Primitive::Polygon => p.primitive(mode, |p| {
                        for i in 0..300u16 {
                            let a = f32::from(i) / 300.0 * std::f32::consts::TAU;
                            material(p, i * 5 + 7);
                            p.vertex2(a.cos() * 0.9, a.sin() * 0.9);
                        }
                    }),
                }
            }));
        }
    }
    scenes
}

#[test]
fn materials_without_end() {
    compare(&material_scenes());
}

// ---- Fragments -------------------------------------------------------------------------------------

fn square(p: &mut Recorder, [left, bottom, right, top]: [f32; 4], z: f32) {
    p.primitive(Primitive::Quads, |p| {
        for (x, y) in [(left, bottom), (right, bottom), (right, top), (left, top)] {
            p.vertex3(x, y, z);
        }
    });
}

fn fragment_scenes() -> Vec<Scene> {
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
    for &source in BlendFactor::ALL {
        for &destination in BlendFactor::ALL {
            // OpenGL takes it as a source only before version 4.
            if destination == BlendFactor::SrcAlphaSaturate {
                continue;
            }
            scenes.push(Scene::new(format!("blend-{source:?}-{destination:?}"), 40, 40, |p| {
                p.clear_color(0.2, 0.5, 0.7, 0.4);
                p.clear(COLOR);
                p.enable(Capability::Blend);
                p.blend_func(source, destination);
                p.primitive(Primitive::Quads, |p| {
                    for (x, y, n) in
                        [(-0.9, -0.9, 0.0), (0.7, -0.9, 0.45), (0.9, 0.9, 0.9), (-0.7, 0.9, 0.45)]
                    {
                        p.color4(n, 1.0 - n, 0.5 * n, 0.9 - 0.8 * n);
                        p.vertex2(x, y);
                    }
                });
            }));
        }
    }
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
    for size in [1.0f32, 0.6] {
        scenes.push(Scene::new(format!("points-and-lines-{size}"), 120, 120, |p| {
            clear(p);
            p.point_size(size);
            p.line_width(size);
            p.primitive(Primitive::Points, |p| vertices(p, Primitive::Points));
            p.rotate(7.0, 0.0, 0.0, 1.0);
            p.primitive(Primitive::LineLoop, |p| vertices(p, Primitive::LineLoop));
        }));
    }
    scenes.push(Scene::new("points-wide", 120, 120, |p| {
        clear(p);
        p.point_size(4.0);
        p.primitive(Primitive::Points, |p| vertices(p, Primitive::Points));
    }));
    scenes
}

#[test]
fn fragments() {
    compare(&fragment_scenes());
}

// ---- Matrices --------------------------------------------------------------------------------------

fn matrix_scenes() -> Vec<Scene> {
    let mut scenes = vec![
        Scene::new("matrix-ortho-and-stacks", 160, 120, |p| {
            clear(p);
            p.matrix_mode(MatrixMode::Projection);
            p.ortho(-4.0, 4.0, -3.0, 3.0, -5.0, 5.0);
            p.matrix_mode(MatrixMode::Modelview);
            for i in 0..5u8 {
                p.push_matrix();
                p.rotate(f32::from(i) * 72.0, 0.0, 0.0, 1.0);
                p.translate(1.8, 0.0, f32::from(i) * 0.1);
                p.pushed(|p| {
                    p.scale(0.8, 0.5, -1.0);
                    p.rotate(33.0, 1.0, 2.0, 0.5);
                    p.primitive(Primitive::QuadStrip, |p| vertices(p, Primitive::QuadStrip));
                });
                p.primitive(Primitive::LineLoop, |p| {
                    for (x, y) in [(-0.5, -0.5), (0.5, -0.5), (0.0, 0.6)] {
                        p.vertex2(x, y);
                    }
                });
                p.pop_matrix();
            }
        }),
        Scene::new("matrix-load-and-mult", 120, 120, |p| {
            clear(p);
            let m = [0.5, 0.1, 0.0, 0.0, -0.2, 0.6, 0.1, 0.0, 0.3, 0.0, 0.4, 0.05, 0.1, 0.2, -0.1, 1.0f32];
            p.load_matrix(m);
            p.mult_matrix(m);
            p.scale(2.0, 2.0, 2.0);
            p.primitive(Primitive::TriangleFan, |p| vertices(p, Primitive::TriangleFan));
        }),
        Scene::new("matrix-homogeneous-vertices", 120, 120, |p| {
            clear(p);
            p.primitive(Primitive::TriangleStrip, |p| {
                for (n, [x, y, z, w]) in [
                    [-1.0, -1.0, 0.0, 1.5],
                    [1.0, -1.0, 0.0, 2.5],
                    [-2.0, 2.0, 1.0, 2.2],
                    [0.5, 0.5, 0.1, 0.6],
                ]
                .into_iter()
                .enumerate()
                {
                    p.color4(n as f32 * 0.3, 1.0 - n as f32 * 0.2, 0.5, 1.0);
                    p.vertex4(x, y, z, w);
                }
            });
        }),
        Scene::new("matrix-clipped", 120, 120, |p| {
            clear(p);
            view(p);
            p.rotate(80.0, 0.2, 1.0, 0.1);
            p.scale(5.0, 1.0, 1.0);
            p.primitive(Primitive::Triangles, |p| vertices(p, Primitive::Triangles));
            p.primitive(Primitive::LineStrip, |p| vertices(p, Primitive::LineStrip));
        }),
    ];
    // Values from registers: arithmetic, jumps and vertices.
    scenes.push(Scene::new("registers", 120, 120, |p| {
        clear(p);
        let (a, x, y, turn) = (p.alloc(), p.alloc(), p.alloc(), p.alloc());
        p.mov(turn, 10.0);
        let skip = p.label();
        p.jmp_if(blinkgl::gl::Predicate::Lt, turn, 5.0, skip);
        p.rotate(turn, 0.0, 0.0, 1.0);
        p.bind(skip);
        p.mov(a, 0.0);
        p.begin(Primitive::Polygon);
        for _ in 0..7 {
            p.cos(x, a);
            p.sin(y, a);
            p.color4(x, y, 0.7, 1.0);
            p.mul(x, x, 0.8);
            p.mul(y, y, 0.7);
            p.vertex2(x, y);
            p.add(a, a, 0.9);
        }
        p.end();
    }));
    // Lists: what is in them, what they leave, lists in lists.
    scenes.push(
        Scene::new("lists", 120, 120, |p| {
            clear(p);
            view(p);
            p.call_list(3);
            p.translate(0.2, 0.3, 0.0);
            p.call_list(1);
            p.call_list(9);
        })
        .init(|p| {
            p.list(1, |p| {
                p.color4(0.9, 0.2, 0.1, 1.0);
                p.primitive(Primitive::Triangles, |p| {
                    for (x, y) in [(-0.5, -0.5), (0.5, -0.5), (0.0, 0.6)] {
                        p.vertex2(x, y);
                    }
                });
                p.color4(0.1, 0.9, 0.5, 1.0);
                p.rotate(20.0, 0.0, 0.0, 1.0);
            });
            p.list(3, |p| {
                p.call_list(1);
                square(p, [-0.9, -0.9, -0.4, 0.2], 0.0);
                p.call_list(1);
                square(p, [-0.2, 0.6, 0.9, 0.9], 0.0);
            });
        }),
    );
    scenes
}

#[test]
fn matrices() {
    compare(&matrix_scenes());
}

// ---- Textures --------------------------------------------------------------------------------------

fn test_texture() -> Texture {
    Texture::bgra(7, 16, 8, |x, y| {
        let checker = if (x + y) % 2 == 0 { 255 } else { 60 };
        [(x * 16) as u8, (y * 32) as u8, checker, (255 - x * 10) as u8]
    })
}

fn textured(p: &mut Recorder) {
    p.primitive(Primitive::Quads, |p| {
        for (x, y, s, t, n) in [
            (-0.9, -0.9, -0.6, -0.4, 0.0),
            (0.9, -0.9, 1.7, -0.3, 0.3),
            (0.9, 0.9, 1.5, 1.8, 0.6),
            (-0.9, 0.9, -0.8, 1.7, 0.3),
        ] {
            p.color4(1.0 - n, 0.3 + n, 0.8, 1.0 - 0.5 * n);
            p.tex_coord2(s, t);
            p.vertex2(x, y);
        }
    });
}

fn texture_scenes() -> Vec<Scene> {
    let scene = |name: String, set: &dyn Fn(&mut Recorder), draw: &dyn Fn(&mut Recorder)| {
        Scene::new(format!("texture-{name}"), 128, 128, |p| {
            p.clear_color(0.1, 0.2, 0.3, 1.0);
            clear(p);
            p.enable(Capability::Texture2d);
            p.bind_texture(7);
            set(p);
            draw(p);
        })
        .texture(test_texture())
    };
    let mut scenes = vec![];
    for &mode in TexEnvMode::ALL {
        for blend in [false, true] {
            let name = format!("{mode:?}{}", if blend { "-blended" } else { "" });
            scenes.push(scene(
                name,
                &|p| {
                    p.tex_env_mode(mode);
                    p.tex_env_color(0.9, 0.5, 0.1, 0.3);
                    if blend {
                        p.enable(Capability::Blend);
                        p.blend_func(BlendFactor::SrcAlpha, BlendFactor::OneMinusSrcAlpha);
                    }
                },
                &textured,
            ));
        }
    }
    for filter in [TexValue::Nearest, TexValue::Linear] {
        for wrap in [TexValue::Repeat, TexValue::ClampToEdge, TexValue::MirroredRepeat] {
            scenes.push(scene(
                format!("{filter:?}-{wrap:?}"),
                &|p| {
                    p.tex_env_mode(TexEnvMode::Replace);
                    for name in [TexParameter::MagFilter, TexParameter::MinFilter] {
                        p.tex_parameter(name, filter);
                    }
                    p.tex_parameter(TexParameter::WrapS, wrap);
                    p.tex_parameter(TexParameter::WrapT, TexValue::Repeat);
                },
                &textured,
            ));
        }
    }
    scenes.push(scene("default-parameters".into(), &|_| {}, &textured));
    scenes.push(scene("small".into(), &|p| p.scale(0.05, 0.05, 1.0), &|p| {
        for i in 0..8u8 {
            p.rotate(f32::from(i) * 45.0, 0.0, 0.0, 1.0);
            p.translate(4.0, 0.5, 0.0);
            textured(p);
        }
    }));
    scenes.push(scene(
        "matrix-and-q".into(),
        &|p| {
            p.matrix_mode(MatrixMode::Texture);
            p.rotate(30.0, 0.0, 0.0, 1.0);
            p.scale(0.7, 1.2, 1.0);
            p.matrix_mode(MatrixMode::Modelview);
        },
        &|p| {
            p.primitive(Primitive::Quads, |p| {
                for (x, y, s, t, q) in [
                    (-0.9, -0.9, 0.0, 0.0, 1.0),
                    (0.9, -0.9, 2.0, 0.0, 2.0),
                    (0.9, 0.9, 2.0, 2.0, 1.5),
                    (-0.9, 0.9, 0.0, 2.0, 0.5),
                ] {
                    p.tex_coord4(s, t, 0.0, q);
                    p.vertex2(x, y);
                }
            });
        },
    ));
    scenes.push(scene("lit".into(), &lit, &|p| {
        p.normal3(0.2, 0.3, 1.0);
        textured(p);
    }));
    // A texture that is not there, and none: as if texturing was off.
    scenes.push(scene("none".into(), &|p| p.bind_texture(0), &textured));
    scenes.push(scene("not-there".into(), &|p| p.bind_texture(8), &textured));
    scenes.push(scene("changes".into(), &|p| p.tex_env_mode(TexEnvMode::Replace), &|p| {
        p.scale(0.5, 0.5, 1.0);
        textured(p);
        p.bind_texture(9);
        p.translate(0.7, 0.7, 0.0);
        textured(p);
        p.disable(Capability::Texture2d);
        p.translate(-1.0, 0.2, 0.0);
        textured(p);
        p.enable(Capability::Texture2d);
        p.bind_texture(7);
        p.tex_parameter(TexParameter::MagFilter, TexValue::Nearest);
        p.translate(0.5, -1.6, 0.0);
        textured(p);
    }));
    let second = Texture::bgra(9, 5, 3, |x, y| [(x * 50) as u8, 200, (y * 80) as u8, 255]);
    let last = scenes.pop().unwrap();
    scenes.push(last.texture(second));
    scenes
}

#[test]
fn textures() {
    compare(&texture_scenes());
}

/// YUV has no counterpart in OpenGL: pictures are compared with a conversion here.
#[test]
fn yuv_textures() {
    for flavor in Flavor::ALL {
        yuv_textures_on(flavor);
    }
}

fn yuv_textures_on(flavor: Flavor) {
    let (width, height) = (37u32, 23u32);
    let mut blink = Blink::of(flavor);
    for (color_space, kr, kb, full) in [
        (ColorSpace::Bt601Limited, 0.299, 0.114, false),
        (ColorSpace::Bt601Full, 0.299, 0.114, true),
        (ColorSpace::Bt709Limited, 0.2126, 0.0722, false),
        (ColorSpace::Bt709Full, 0.2126, 0.0722, true),
    ] {
        let stride = 40;
        let format = Format::Yuv420;
        let mut bytes = vec![0u8; format.bytes(stride, height).unwrap()];
        let mut random = fastrand::Rng::with_seed(5);
        random.fill(&mut bytes);
        let luma = bytes.clone();
        let desc = TextureDesc { format, width, height, stride, color_space, levels: Levels::default() };
        let scene = Scene::new(format!("yuv-{color_space:?}"), width, height, |p| {
            p.enable(Capability::Texture2d);
            p.bind_texture(3);
            p.tex_env_mode(TexEnvMode::Replace);
            for name in [TexParameter::MagFilter, TexParameter::MinFilter] {
                p.tex_parameter(name, TexValue::Nearest);
            }
            p.color4(0.3, 0.4, 0.5, 1.0);
            // The first row of an image is on top.
            p.primitive(Primitive::Quads, |p| {
                for (x, y, s, t) in [
                    (-1.0, -1.0, 0.0, 1.0),
                    (1.0, -1.0, 1.0, 1.0),
                    (1.0, 1.0, 1.0, 0.0),
                    (-1.0, 1.0, 0.0, 0.0),
                ] {
                    p.tex_coord2(s, t);
                    p.vertex2(x, y);
                }
            });
        })
        .texture(Texture { oid: 3, desc, bytes });
        let picture = blink.picture(&scene, TierChoice::Interpreter);
        let (half, rows) = (stride.div_ceil(2), height.div_ceil(2));
        let mut different = 0;
        for (at, pixel) in (0u32..).zip(picture.chunks_exact(4)) {
            let (x, y) = (at % width, at / width);
            // Nearest texel of a plane of half the size, rounded up, stretched over all of the picture.
            let (cx, cy) = (
                ((x as f64 + 0.5) / f64::from(width) * f64::from(width.div_ceil(2))) as u32,
                ((y as f64 + 0.5) / f64::from(height) * f64::from(rows)) as u32,
            );
            let chroma = (stride * height) as usize;
            let place = (cy * half + cx) as usize;
            let l = f64::from(luma[(y * stride + x) as usize]);
            let u = f64::from(luma[chroma + place]);
            let v = f64::from(luma[chroma + (half * rows) as usize + place]);
            let (l, u, v) = if full {
                (l / 255.0, (u - 128.0) / 255.0, (v - 128.0) / 255.0)
            } else {
                ((l - 16.0) / 219.0, (u - 128.0) / 224.0, (v - 128.0) / 224.0)
            };
            let red = l + 2.0 * (1.0 - kr) * v;
            let blue = l + 2.0 * (1.0 - kb) * u;
            let green = (l - kr * red - kb * blue) / (1.0 - kr - kb);
            let wanted = [red, green, blue, 1.0].map(|c: f64| (c * 255.0).round().clamp(0.0, 255.0) as u8);
            different += usize::from(pixel.iter().zip(wanted).any(|(a, b)| a.abs_diff(b) > TOLERANCE));
        }
        let all = (width * height) as usize;
        assert!(different * ONE_OF <= all, "{}: {different} of {all} pixels differ", scene.name);
    }
}

// ---- Counters --------------------------------------------------------------------------------------

/// What drawing a scene costs, the first time and the second.
fn costs(scene: &Scene) -> [Counters; 2] {
    let mut blink = Blink::new();
    let all = Rect::new(0, 0, scene.width, scene.height);
    let mut window = blink.window(scene, 1, TierChoice::Interpreter);
    let framebuffer = blink.tracker.create_framebuffer(scene.width, scene.height).unwrap();
    blink.tracker.take_counters();
    std::array::from_fn(|_| {
        blink.redraw(&mut window, &framebuffer, all, all, TierChoice::Interpreter);
        blink.tracker.finish();
        blink.tracker.take_counters()
    })
}

/// Faces front and back: 4 of the ring and 2 of the tooth itself each; outward 8, the hole 2.
const TRIANGLES_OF_A_TOOTH: u64 = 2 * 6 + 8 + 2;

#[test]
fn gears_are_one_draw() {
    let [first, second] = costs(&gears_at(1.0));
    assert_eq!((first.draws, first.reused), (2, 0), "the clear and the gears");
    assert_eq!((second.draws, second.reused), (2, 1));
    assert_eq!(first.vertices, second.vertices);
    let triangles: u64 = gears::GEARS.iter().map(|gear| u64::from(gear.teeth) * TRIANGLES_OF_A_TOOTH).sum();
    assert_eq!(first.vertices, triangles * 3);
    // All that the second frame needs is set already.
    assert!(first.state_calls > 10, "{first:?}");
    assert_eq!(second.state_calls, 0);
    assert!(first.uploaded_bytes > first.vertices * 64);
    assert!(second.uploaded_bytes < 10_000, "only records, not {} bytes", second.uploaded_bytes);
}

#[test]
fn draws_of_scenes() {
    let mut scenes = vec![gears_at(0.0)];
    for all in [lighting_scenes(), material_scenes(), matrix_scenes(), texture_scenes()] {
        scenes.extend(all);
    }
    let draws = |name: &str| {
        let scene = scenes.iter().find(|s| s.name == name).unwrap_or_else(|| panic!("no scene {name}"));
        costs(scene)[0].draws
    };
    for (name, wanted) in [
        ("gears-0", 2),
        ("light-directional", 2),
        ("light-two-side", 2),
        // 1,200 records that differ from the one before, 128 in a block.
        ("materials-quads-Smooth", 11),
        ("matrix-ortho-and-stacks", 11),
        ("lists", 2),
        ("texture-small", 2),
        ("texture-changes", 5),
    ] {
        assert_eq!(draws(name), wanted, "{name}");
    }
}
