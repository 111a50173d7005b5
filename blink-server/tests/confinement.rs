//! A program draws in its window and its clip, and nowhere else; and what it does to the state of OpenGL does
//! not reach the next window.
#![allow(
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    clippy::cast_possible_wrap,
    clippy::cast_sign_loss,
    missing_docs,
    reason = "a test"
)]

#[path = "support/scene.rs"]
mod scene;

use blink_server::geometry::Rect;
use blink_server::gl::{Framebuffer, ResourceKey};
use blinkgl::gl::{
    BlendFactor, Capability, ClearMask, Comparison, Face, Light, LightModelParameter, LightParameter,
    MaterialParameter, MatrixMode, Primitive, ShadeModel, TexEnvMode, TexParameter, TexValue, TextureUnit,
};
use blinkgl::limits::{ATTRIB_STACK, MAX_DRAWS};
use blinkgl::ops::{Class, Kind, OPS, Op};
use blinkgl::wire::Arg;
use blinkgl::{Recorder, Reg};
use examples::gears;
use jit::TierChoice;
use scene::{Blink, Scene, Texture, Window};
use std::collections::BTreeSet;
use verifier::verify;

const PROGRAMS: u64 = 400;
/// The framebuffer, and the window in its middle.
const SIDE: u32 = 192;
const WINDOW: Rect = Rect { x: 50, y: 40, width: 80, height: 70 };

/// A float that may be anything.
fn wild(random: &mut fastrand::Rng) -> f32 {
    match random.u8(..12) {
        0 => f32::NAN,
        1 => f32::INFINITY,
        2 => f32::NEG_INFINITY,
        3 => random.f32() * 1e30,
        4 => -1e-30 * random.f32(),
        5 => f32::from_bits(random.u32(..)),
        6 => random.f32() * 4000.0 - 2000.0,
        _ => random.f32() * 4.0 - 2.0,
    }
}

fn wild_int(random: &mut fastrand::Rng) -> i32 {
    match random.u8(..8) {
        0 => i32::MIN,
        1 => i32::MAX,
        2 => random.i32(..),
        3 => random.i32(-70_000..70_000),
        _ => random.i32(-200..400),
    }
}

fn argument(random: &mut fastrand::Rng, kind: Kind) -> Arg {
    if kind.takes_register() && (kind == Kind::Dst || random.u8(..5) == 0) {
        // Registers 0 to 7 keep the wild values that they start with.
        let number = if kind == Kind::Dst { random.u32(8..12) } else { random.u32(..12) };
        return Arg::Reg(Reg::new(number).unwrap());
    }
    Arg::Const(match kind {
        Kind::Dst => unreachable!("a register"),
        Kind::Float => wild(random).to_bits(),
        Kind::Int => wild_int(random).cast_unsigned(),
        Kind::Raw => random.u32(..),
        Kind::Enum(set) => random.choice(set.values).unwrap().1,
        Kind::Bits(set) => random.u32(..) & set.all_bits(),
        Kind::Bool => random.u32(..2),
        Kind::Texture | Kind::Buffer => random.u32(..4),
        Kind::Count => random.u32(..20),
        Kind::List => random.u32(1..4),
        Kind::Label => unreachable!("no jumps"),
    })
}

/// Ops by where they may stand: outside of primitives, and between Begin and End.
fn rows(inside: bool) -> Vec<Op> {
    let stands = |class: Class| match class {
        Class::Vertex(_) => inside,
        Class::Attribute(_) | Class::Compute(_) => true,
        Class::State(_) | Class::Draw(_) | Class::Signal(_) | Class::ListCall(_) => !inside,
        // Put by the generator, as they come in pairs, or have no part in drawing.
        Class::Begin(_) | Class::End(_) | Class::Jump(_) | Class::ListDefinition(_) | Class::Read(_) => false,
    };
    OPS.iter().filter(|row| stands(row.class)).map(|row| row.op).collect()
}

/// Tries an op: gives it up if the verifier would not take it.
fn put(p: &mut Vec<(Op, Vec<Arg>)>, random: &mut fastrand::Rng, op: Op) {
    let matrix = matches!(op, Op::PushMatrix | Op::PopMatrix | Op::MatrixMode | Op::TexParameter);
    if matrix {
        return;
    }
    let pushed = p.iter().filter(|(op, _)| *op == Op::PushAttrib).count();
    let popped = p.iter().filter(|(op, _)| *op == Op::PopAttrib).count();
    if op == Op::PushAttrib || op == Op::PopAttrib {
        if op == Op::PushAttrib && pushed - popped < ATTRIB_STACK {
            p.push((op, vec![argument(random, op.info().operands[0].kind)]));
        } else if op == Op::PopAttrib && pushed > popped {
            p.push((op, vec![]));
        }
        return;
    }
    if op == Op::CallList {
        // Lists are called with unit 0 only.
        p.push((Op::ActiveTexture, vec![Arg::Const(TextureUnit::Texture0.value())]));
    }
    for _ in 0..8 {
        let args: Vec<Arg> = op.info().operands.iter().map(|o| argument(random, o.kind)).collect();
        // Constants out of the range of OpenGL are refused (V33): alone, so that one op does not spoil the program.
        let mut alone = Recorder::new();
        if matches!(op.class(), Class::Vertex(_)) {
            alone.begin(Primitive::Points);
        }
        alone.instruction(op, &args);
        if matches!(op.class(), Class::Vertex(_)) {
            alone.end();
        }
        if verify(alone.finish().unwrap(), blinkgl::ops::Callback::Redraw).is_ok() {
            p.push((op, args));
            return;
        }
    }
}

fn triangle(p: &mut Vec<(Op, Vec<Arg>)>, random: &mut fastrand::Rng) {
    let float = |value: f32| Arg::Const(value.to_bits());
    p.push((Op::Begin, vec![Arg::Const(random.u32(..10))]));
    for _ in 0..4 {
        let corner = [(); 3].map(|()| float(random.f32() * 6.0 - 3.0));
        p.push((Op::Vertex3, corner.to_vec()));
    }
    p.push((Op::End, vec![]));
}

/// A program of everything.
fn program(seed: u64, seen: &mut BTreeSet<Op>) -> Scene {
    let random = &mut fastrand::Rng::with_seed(seed);
    let (outside, inside) = (rows(false), rows(true));
    let mut ops = Vec::new();
    for _ in 0..random.u32(5..60) {
        match random.u8(..10) {
            0..4 => {
                let op = *random.choice(&outside).unwrap();
                put(&mut ops, random, op);
            }
            // What is most likely to reach out.
            4 => {
                let op = *random.choice(&[Op::Viewport, Op::Scissor, Op::PointSize, Op::Enable]).unwrap();
                put(&mut ops, random, op);
            }
            5 => put(&mut ops, random, Op::Clear),
            6 | 7 => triangle(&mut ops, random),
            _ => {
                ops.push((Op::Begin, vec![Arg::Const(random.u32(..10))]));
                for _ in 0..random.u32(..12) {
                    let op = *random.choice(&inside).unwrap();
                    put(&mut ops, random, op);
                }
                ops.push((Op::End, vec![]));
            }
        }
    }
    triangle(&mut ops, random);
    let pushed = ops.iter().filter(|(op, _)| *op == Op::PushAttrib).count();
    let popped = ops.iter().filter(|(op, _)| *op == Op::PopAttrib).count();
    for _ in popped..pushed {
        ops.push((Op::PopAttrib, vec![]));
    }
    seen.extend(ops.iter().map(|(op, _)| *op));
    let mut scene = Scene::new(format!("program {seed}"), WINDOW.width, WINDOW.height, |p| {
        for (op, args) in &ops {
            p.instruction(*op, args);
        }
    })
    .init(|p| {
        for list in 1..3 {
            p.list(list, |p| {
                p.clear(ClearMask::COLOR);
                p.viewport(-1000, -1000, 4000, 4000);
                p.scissor(-1000, -1000, 4000, 4000);
                p.primitive(Primitive::TriangleFan, |p| {
                    for i in 0..5u8 {
                        p.vertex3(f32::from(i) * 1e3, -3.0, wild(&mut fastrand::Rng::with_seed(seed)));
                    }
                });
            });
        }
    })
    .texture(Texture::bgra(1, 4, 4, |x, y| [x as u8 * 60, y as u8 * 60, 200, 128]));
    for register in &mut scene.registers {
        *register = wild(random).to_bits();
    }
    scene
}

/// The picture's texel: no two neighbors are equal.
fn texel(x: u32, y: u32) -> [u8; 4] {
    [x as u8, y as u8, (x * 7 + y * 13) as u8, 255]
}

/// A window that shows the picture pixel by pixel.
fn picture() -> Scene {
    Scene::new("picture", SIDE, SIDE, |p| {
        p.enable(Capability::Texture2d);
        p.bind_texture(1);
        p.tex_env_mode(TexEnvMode::Replace);
        p.tex_parameter(TexParameter::MinFilter, TexValue::Nearest);
        p.tex_parameter(TexParameter::MagFilter, TexValue::Nearest);
        p.primitive(Primitive::Quads, |p| {
            for (x, y) in [(-1.0, -1.0), (1.0, -1.0), (1.0, 1.0), (-1.0, 1.0)] {
                p.tex_coord2(x * 0.5 + 0.5, 0.5 - y * 0.5);
                p.vertex2(x, y);
            }
        });
    })
    .texture(Texture::bgra(1, SIDE, SIDE, texel))
}

/// Shows the picture, and puts the server's rectangles over parts of it.
fn pattern(blink: &mut Blink, picture: &mut Window, framebuffer: &Framebuffer) {
    let all = Rect::new(0, 0, SIDE, SIDE);
    blink.redraw(picture, framebuffer, all, all, TierChoice::Interpreter);
    let rects = [Rect::new(0, 0, 9, 7), Rect::new(45, 30, 20, 150), Rect::new(170, 100, 40, 3)];
    blink.tracker.fill(framebuffer, &rects, all, [1.0, 0.0, 0.0, 1.0]);
    let wanted: Vec<u8> = (0..SIDE * SIDE)
        .map(|i| (i % SIDE, i / SIDE))
        .flat_map(|(x, y)| {
            let is_filled = rects.iter().any(|rect| rect.contains(x as i32, y as i32));
            if is_filled { [255, 0, 0, 255] } else { texel(x, y) }
        })
        .collect();
    let shown = blink.tracker.read_pixels(framebuffer, all);
    assert!(shown == wanted, "both are drawn pixel by pixel, whatever was drawn before");
}

/// Makes white what is as far as can be.
fn probe(p: &mut Recorder) {
    p.enable(Capability::DepthTest);
    p.depth_func(Comparison::Equal);
    p.depth_mask(false);
    p.primitive(Primitive::Quads, |p| {
        for (x, y) in [(-1.0, -1.0), (1.0, -1.0), (1.0, 1.0), (-1.0, 1.0)] {
            p.vertex3(x, y, 1.0);
        }
    });
}

/// Draws the programs, in and out of a clip; gives how many changed something outside, and inside.
fn escapes(confinement: bool) -> (u64, u64) {
    let all = Rect::new(0, 0, SIDE, SIDE);
    let mut blink = Blink::new();
    blink.tracker.set_confinement_for_tests(confinement);
    let framebuffer = blink.tracker.create_framebuffer(SIDE, SIDE).unwrap();
    let mut probe = blink.window(&Scene::new("probe", SIDE, SIDE, probe), 2, TierChoice::Interpreter);
    let mut picture = blink.window(&picture(), 3, TierChoice::Interpreter);
    let (mut out, mut inside, mut depths) = (0, 0, 0);
    let mut seen = BTreeSet::new();
    for seed in 0..PROGRAMS {
        let scene = program(seed, &mut seen);
        pattern(&mut blink, &mut picture, &framebuffer);
        blink.tracker.clear_depth(&framebuffer, all);
        let before = blink.tracker.read_pixels(&framebuffer, all);
        let clip = match seed % 4 {
            0 => Rect::new(70, 50, 20, 30),
            // Reaches out of the window: the window still confines.
            1 => Rect::new(20, 60, 60, 200),
            _ => WINDOW,
        };
        let mut window = blink.window(&scene, 1, TierChoice::Interpreter);
        blink.redraw(&mut window, &framebuffer, WINDOW, clip, TierChoice::Interpreter);
        let after = blink.tracker.read_pixels(&framebuffer, all);
        let may = clip.intersection(&WINDOW);
        let changed = |wanted: bool| {
            (0..).zip(before.chunks_exact(4).zip(after.chunks_exact(4))).any(|(i, (a, b)): (u32, _)| {
                let place = ((i % SIDE) as i32, (i / SIDE) as i32);
                a != b && may.contains(place.0, place.1) == wanted
            })
        };
        blink.tracker.set_confinement_for_tests(true);
        blink.redraw(&mut probe, &framebuffer, all, all, TierChoice::Interpreter);
        blink.tracker.set_confinement_for_tests(confinement);
        let probed = blink.tracker.read_pixels(&framebuffer, all);
        let deep = |wanted: bool| {
            (0..).zip(probed.chunks_exact(4)).any(|(i, pixel): (u32, _)| {
                let place = ((i % SIDE) as i32, (i / SIDE) as i32);
                pixel != [255; 4] && may.contains(place.0, place.1) == wanted
            })
        };
        depths += u64::from(deep(confinement));
        out += u64::from(changed(false));
        inside += u64::from(changed(true));
        if confinement {
            assert!(!changed(false), "program {seed} drew outside of {may:?}");
            assert!(!deep(false), "program {seed} changed depths outside of {may:?}");
        }
    }
    let untried: Vec<&str> = OPS
        .iter()
        .filter(|row| {
            matches!(row.class, Class::State(_) | Class::Draw(_) | Class::Attribute(_) | Class::Vertex(_))
        })
        .filter(|row| !seen.contains(&row.op))
        .map(|row| row.name)
        .collect();
    assert_eq!(
        untried,
        ["matrix_mode", "push_matrix", "pop_matrix", "tex_parameter"],
        "what the programs try"
    );
    // With confinement, the programs write depths inside; without, outside too.
    assert!(depths > PROGRAMS / 40, "only {depths} programs write depths");
    blink.tracker.delete_framebuffer(framebuffer);
    (out, inside)
}

#[test]
fn nothing_is_drawn_outside() {
    let (out, inside) = escapes(true);
    assert_eq!(out, 0);
    assert!(inside > PROGRAMS / 4, "only {inside} programs draw anything");
}

/// The test above can fail: without the scissor, the same programs draw outside.
#[test]
fn without_the_scissor_they_escape() {
    let (out, _) = escapes(false);
    assert!(out > PROGRAMS / 10, "only {out} programs get out");
}

/// Changes all the state that there is.
fn hostile(p: &mut Recorder) {
    p.matrix_mode(MatrixMode::Projection);
    p.frustum(-9.0, 1.0, -2.0, 1.0, 0.1, 3.0);
    p.matrix_mode(MatrixMode::Texture);
    p.scale(7.0, -3.0, 1.0);
    p.matrix_mode(MatrixMode::Modelview);
    p.rotate(77.0, 1.0, 2.0, 3.0);
    for &capability in Capability::ALL {
        p.enable(capability);
    }
    p.shade_model(ShadeModel::Flat);
    p.cull_face(Face::FrontAndBack);
    p.depth_range(1.0, 0.0);
    p.blend_func(BlendFactor::Zero, BlendFactor::OneMinusSrcColor);
    p.viewport(3, 5, 7, 11);
    p.scissor(1, 1, 20, 20);
    p.clear_color(1.0, 0.0, 1.0, 0.5);
    p.clear_depth(0.1);
    p.point_size(30.0);
    p.line_width(7.0);
    for &light in Light::ALL {
        p.light(light, LightParameter::Diffuse, 0.0, 1.0, 0.0, 1.0);
        p.light(light, LightParameter::Position, 1.0, 0.0, -5.0, 1.0);
        p.light(light, LightParameter::SpotCutoff, 10.0, 0.0, 0.0, 0.0);
    }
    p.light_model(LightModelParameter::TwoSide, 1.0, 0.0, 0.0, 0.0);
    p.light_model(LightModelParameter::LocalViewer, 1.0, 0.0, 0.0, 0.0);
    p.light_model(LightModelParameter::Ambient, 1.0, 1.0, 0.0, 1.0);
    p.material(Face::FrontAndBack, MaterialParameter::Emission, 1.0, 0.0, 0.0, 1.0);
    p.color4(0.0, 0.0, 1.0, 0.3);
    p.normal3(0.0, -1.0, 0.0);
    p.bind_texture(1);
    p.tex_env_mode(TexEnvMode::Blend);
    p.tex_env_color(0.3, 0.9, 0.9, 0.1);
    for face in [Face::FrontAndBack, Face::Front] {
        p.clear(ClearMask::COLOR | ClearMask::DEPTH);
        p.cull_face(face);
        for primitive in [Primitive::Points, Primitive::Lines, Primitive::Triangles] {
            p.primitive(primitive, |p| {
                for (x, y) in [(-1.0, -1.0), (1.0, -1.0), (0.0, 1.0)] {
                    p.tex_coord2(x, y);
                    p.vertex2(x, y);
                }
            });
        }
        p.depth_func(Comparison::Never);
        p.depth_mask(false);
        p.color_mask(false, true, false, false);
    }
}

/// A plain picture that depends on much of the initial state.
fn plain(p: &mut Recorder) {
    p.clear(ClearMask::COLOR | ClearMask::DEPTH);
    for (n, primitive) in (0u8..).zip([Primitive::Triangles, Primitive::Lines, Primitive::Points]) {
        let n = f32::from(n) * 0.3;
        p.primitive(primitive, |p| {
            for (x, y) in [(-0.8, -0.7), (0.9 - n, -0.5), (0.1, 0.9 - n)] {
                p.vertex3(x, y, n);
            }
        });
    }
    p.enable(Capability::Texture2d);
    p.bind_texture(1);
    p.primitive(Primitive::Triangles, |p| {
        for (x, y) in [(0.1, 0.2), (0.9, 0.3), (0.6, 0.9)] {
            p.tex_coord2(x, y);
            p.vertex2(x, y);
        }
    });
    p.enable(Capability::Lighting);
    p.enable(Capability::Light0);
    p.enable(Capability::DepthTest);
    p.primitive(Primitive::Quads, |p| {
        for (x, y, z) in [(-0.9, 0.2, -0.5), (-0.2, 0.2, -0.5), (-0.2, 0.9, 0.5), (-0.9, 0.9, 0.5)] {
            p.vertex3(x, y, z);
        }
    });
}

fn gears_scene() -> Scene {
    let mut scene = Scene::new("gears", WINDOW.width, WINDOW.height, |_| {});
    scene.programs.clear();
    scene
        .program(blinkgl::ops::Callback::Init, gears::init().unwrap())
        .program(blinkgl::ops::Callback::Reshape, gears::reshape().unwrap())
        .program(blinkgl::ops::Callback::Redraw, gears::redraw(gears::Angle::Time).unwrap())
}

/// The server's own drawing.
fn trusted(blink: &mut Blink, framebuffer: &Framebuffer) {
    let all = Rect::new(0, 0, SIDE, SIDE);
    blink.tracker.fill(framebuffer, &[all], all, [0.1, 0.2, 0.3, 1.0]);
    blink.tracker.clear_depth(framebuffer, all);
    // Some reach out of the clip, and of the framebuffer.
    let rects = [Rect::new(10, 15, 20, 20), Rect::new(0, 60, 3, 200), Rect::new(20, 90, 30, 1)];
    blink.tracker.fill(framebuffer, &rects, Rect::new(2, 0, 25, 1000), [0.9, 0.4, 0.7, 0.2]);
}

#[test]
fn no_state_leaks() {
    let all = Rect::new(0, 0, SIDE, SIDE);
    let texture = || Texture::bgra(1, 4, 4, |x, y| [x as u8 * 60, y as u8 * 60, 200, 128]);
    let victims = [Scene::new("plain", WINDOW.width, WINDOW.height, plain).texture(texture()), gears_scene()];
    let enemy = Scene::new("hostile", WINDOW.width, WINDOW.height, hostile).texture(texture());
    for victim in &victims {
        let picture = |disturbed: bool| {
            let mut blink = Blink::new();
            let framebuffer = blink.tracker.create_framebuffer(SIDE, SIDE).unwrap();
            let other = blink.tracker.create_framebuffer(SIDE, SIDE).unwrap();
            let mut window = blink.window(victim, 1, TierChoice::Interpreter);
            let disturb = |blink: &mut Blink| {
                if disturbed {
                    let mut enemy = blink.window(&enemy, 2, TierChoice::Interpreter);
                    blink.redraw(&mut enemy, &other, all, all, TierChoice::Interpreter);
                }
            };
            disturb(&mut blink);
            trusted(&mut blink, &framebuffer);
            let mut pictures = vec![blink.tracker.read_pixels(&framebuffer, all)];
            disturb(&mut blink);
            // Twice: the second finds its vertices on the GPU.
            for _ in 0..2 {
                blink.redraw(&mut window, &framebuffer, WINDOW, WINDOW, TierChoice::Interpreter);
                pictures.push(blink.tracker.read_pixels(&framebuffer, all));
                disturb(&mut blink);
            }
            trusted(&mut blink, &framebuffer);
            blink.redraw(&mut window, &framebuffer, WINDOW, WINDOW, TierChoice::Interpreter);
            pictures.push(blink.tracker.read_pixels(&framebuffer, all));
            pictures
        };
        let (alone, after) = (picture(false), picture(true));
        for (at, (alone, after)) in alone.iter().zip(&after).enumerate() {
            assert!(alone == after, "{}: picture {at} differs after another window's drawing", victim.name);
        }
        assert!(alone[0] != alone[1], "{} draws something", victim.name);
        assert!(alone[1] == alone[2] && alone[2] == alone[3], "{}: each redraw is the same", victim.name);
    }
}

/// A texture that goes away while a window's state has it bound: drawn as without texturing.
#[test]
fn textures_go_while_bound() {
    let all = Rect::new(0, 0, 32, 32);
    let scene = Scene::new("bound", 32, 32, |p| {
        p.color4(0.0, 0.0, 1.0, 1.0);
        p.primitive(Primitive::Quads, |p| {
            for (x, y) in [(-1.0, -1.0), (1.0, -1.0), (1.0, 1.0), (-1.0, 1.0)] {
                p.vertex2(x, y);
            }
        });
    })
    .init(|p| {
        p.enable(Capability::Texture2d);
        p.bind_texture(1);
        p.tex_env_mode(TexEnvMode::Replace);
    })
    .texture(Texture::bgra(1, 4, 4, |_, _| [255, 0, 0, 255]));
    let mut blink = Blink::new();
    let framebuffer = blink.tracker.create_framebuffer(32, 32).unwrap();
    let mut window = blink.window(&scene, 1, TierChoice::Interpreter);
    let mut color = |blink: &mut Blink| {
        blink.redraw(&mut window, &framebuffer, all, all, TierChoice::Interpreter);
        blink.tracker.read_pixels(&framebuffer, Rect::new(16, 16, 1, 1))
    };
    assert_eq!(color(&mut blink), [255, 0, 0, 255]);
    blink.resources.remove_texture(&mut blink.tracker, ResourceKey { client: 1, context: 0, oid: 1 });
    assert_eq!(color(&mut blink), [0, 0, 255, 255]);
}

/// The largest window, and drawing without vertices.
#[test]
fn extremes() {
    let scene = Scene::new("wide", 8192, 16, |p| {
        p.clear_color(0.0, 1.0, 0.0, 1.0);
        p.clear(ClearMask::COLOR);
        for &primitive in Primitive::ALL {
            p.primitive(primitive, |_| {});
            p.primitive(primitive, |p| p.vertex2(5.0, 5.0));
        }
        p.color4(1.0, 0.0, 0.0, 1.0);
        p.primitive(Primitive::Quads, |p| {
            for (x, y) in [(0.5, -1.0), (1.0, -1.0), (1.0, 1.0), (0.5, 1.0)] {
                p.vertex2(x, y);
            }
        });
    });
    let picture = Blink::new().picture(&scene, TierChoice::Interpreter);
    let (row, _) = picture.split_at(8192 * 4);
    for (x, pixel) in row.chunks_exact(4).enumerate() {
        let wanted = if x < 6144 { [0, 255, 0, 255] } else { [255, 0, 0, 255] };
        assert_eq!(pixel, wanted, "pixel {x}");
    }
}

/// The first redraw of a scene of 64x64: its draws and vertices, and the picture.
fn drawn(scene: &Scene) -> ((u64, u64), Vec<u8>) {
    let all = Rect::new(0, 0, 64, 64);
    let mut blink = Blink::new();
    let framebuffer = blink.tracker.create_framebuffer(64, 64).unwrap();
    let mut window = blink.window(scene, 1, TierChoice::Interpreter);
    blink.redraw(&mut window, &framebuffer, all, all, TierChoice::Interpreter);
    let counters = blink.tracker.take_counters();
    ((counters.draws, counters.vertices), blink.tracker.read_pixels(&framebuffer, all))
}

/// What a run may draw is taken in batches of bounded size, dynamic or not.
#[test]
fn batches_are_bounded() {
    for dynamic in [false, true] {
        let scene = Scene::new("vertices", 64, 64, |p| {
            p.clear(ClearMask::COLOR);
            for _ in 0..1000 {
                p.call_list(1);
            }
        })
        .init(|p| {
            let register = p.alloc();
            p.list(1, |p| {
                // Without vertices, or too few of them: nothing.
                p.primitive(Primitive::Points, |_| {});
                p.primitive(Primitive::Points, |p| {
                    for _ in 0..256 {
                        if dynamic {
                            p.vertex2(register, 0.5);
                        } else {
                            p.vertex2(0.0, 0.5);
                        }
                    }
                });
            });
        });
        let (costs, picture) = drawn(&scene);
        // The clear, and four of at most 65,536 vertices.
        assert_eq!(costs, (5, 256_000));
        assert_eq!(picture.chunks_exact(4).filter(|p| p[0] == 255).count(), 1);
    }
}

/// Vertices that no primitive needs take memory like all others.
#[test]
fn batches_are_bounded_by_the_vertices_that_they_keep() {
    let scene = Scene::new("unfinished", 64, 64, |p| {
        p.clear(ClearMask::COLOR);
        for _ in 0..1000 {
            p.call_list(1);
        }
    })
    .init(|p| {
        p.list(1, |p| {
            p.primitive(Primitive::Triangles, |p| {
                for _ in 0..3 {
                    p.vertex2(0.0, 0.5);
                }
            });
            for _ in 0..120 {
                // No third corner.
                p.primitive(Primitive::Triangles, |p| {
                    p.vertex2(0.0, 0.5);
                    p.vertex2(0.5, 0.5);
                });
            }
        });
    });
    // The clear, and four batches that keep at most 65,536 of 243,000 vertices; they draw 3000.
    assert_eq!(drawn(&scene).0, (5, 3000));
}

/// One redraw can't keep the GPU for longer than its number of draws allows; what is above is left out.
#[test]
fn draws_are_limited() {
    let scene = Scene::new("many", 16, 16, |p| {
        for _ in 0..100 {
            p.call_list(1);
        }
        p.clear_color(0.0, 0.0, 1.0, 1.0);
        p.clear(ClearMask::COLOR);
    })
    .init(|p| {
        p.list(1, |p| {
            for i in 0..100u8 {
                p.depth_func(if i % 2 == 0 { Comparison::Less } else { Comparison::Always });
                p.primitive(Primitive::Points, |p| p.vertex2(0.1, 0.1));
            }
        });
    });
    let all = Rect::new(0, 0, 16, 16);
    let mut blink = Blink::new();
    let framebuffer = blink.tracker.create_framebuffer(16, 16).unwrap();
    let mut window = blink.window(&scene, 1, TierChoice::Interpreter);
    let left_out = blink.redraw(&mut window, &framebuffer, all, all, TierChoice::Interpreter);
    assert_eq!(left_out, 100 * 100 + 1 - MAX_DRAWS);
    assert_eq!(blink.tracker.take_counters().draws, MAX_DRAWS);
    let corner = blink.tracker.read_pixels(&framebuffer, Rect::new(0, 0, 1, 1));
    assert_eq!(corner, [0, 0, 0, 255], "the clear was the last");
}
