//! Runs that are suspended when their slice is over and go on in another: under a clock that only drawing moves.
#![allow(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::cast_possible_wrap,
    clippy::wildcard_enum_match_arm,
    missing_docs,
    reason = "a test"
)]

#[path = "support/scene.rs"]
mod scene;
mod scenes;
mod support;

use blink_server::gl::{Clock, Counted, Slice, Stride};
use blinkgl::Recorder;
use blinkgl::gl::{BlendFactor, Capability, ClearMask, Face, PolygonMode, Primitive};
use jit::TierChoice;
use scene::{Blink, Scene};

// ---- One run ---------------------------------------------------------------------------------------

/// Draws scenes whole and in slices of a step each, and compares. Gives the slices of all.
fn slices_of(scenes: impl Iterator<Item = Scene>) -> usize {
    let mut blink = Blink::new();
    let mut all = 0;
    for scene in scenes {
        let whole = blink.picture(&scene, TierChoice::Interpreter);
        for (choice, is_slow) in [(TierChoice::Interpreter, true), (TierChoice::Native, false)] {
            let counted = Counted { step: 1, yielding: 1, ..Counted::default() };
            blink.tracker.set_clock_for_tests(Clock::Counted(counted));
            let slice = Slice { length: Some(1), stride: Stride::default(), is_slow };
            let (found, slices) = blink.picture_in_slices(&scene, choice, slice);
            all += slices;
            if found != whole {
                let Scene { name, width, height, .. } = &scene;
                support::save_png(&format!("{name}-whole"), *width, *height, &whole);
                support::save_png(&format!("{name}-slices"), *width, *height, &found);
                panic!("{name}: drawn in {slices} slices ({slice:?}), it is another picture");
            }
        }
    }
    all
}

macro_rules! slices {
    ($($test:ident = [$($group:literal),*], $least:literal;)*) => {
        $(
            #[test]
            fn $test() {
                let groups = [$($group),*];
                let slices = slices_of(groups.into_iter().flat_map(scenes::group));
                assert!(slices >= $least, "only {slices} slices");
            }
        )*
    };
}

slices! {
    slices_of_geometry = ["gears", "primitives", "polygons", "points-lines", "arrays"], 2000;
    slices_of_fragments = ["blending", "stencil", "alpha", "fog", "clip", "textures"], 1500;
    slices_of_state = ["lighting", "materials", "matrices", "attributes", "arithmetic"], 6000;
}

/// Chunks of a batch's vertices end between quads, wherever these begin; and each pass goes through all of them.
#[test]
fn slices_of_quads_and_their_borders() {
    const QUADS: usize = 5_000;
    let scene = |name: &str, is_outlined: bool| {
        Scene::new(name, 64, 64, |p| {
            p.clear(ClearMask::COLOR | ClearMask::DEPTH);
            if is_outlined {
                p.polygon_mode(Face::Front, PolygonMode::Line);
                p.polygon_mode(Face::Back, PolygonMode::Point);
            }
            let mut random = fastrand::Rng::with_seed(5);
            let mut corner = move |p: &mut Recorder, x: f32, y: f32| {
                p.color3(random.f32(), random.f32(), random.f32());
                p.vertex2(x, y);
            };
            p.begin(Primitive::Triangles);
            for (x, y) in [(-1.0, -1.0), (1.0, -1.0), (-1.0, 1.0)] {
                corner(p, x, y);
            }
            p.end();
            p.begin(Primitive::Quads);
            for quad in 0..QUADS {
                let (x, y) = ((quad % 71) as f32 / 36.0 - 1.0, (quad / 71) as f32 / 36.0 - 1.0);
                for (dx, dy) in [(0.0, 0.0), (0.2, 0.0), (0.25, 0.3), (0.0, 0.2)] {
                    corner(p, x + dx, y + dy);
                }
            }
            p.end();
        })
    };
    let slices = slices_of([scene("quads", false), scene("quad-borders", true)].into_iter());
    assert!(slices > 6 * QUADS / 100, "only {slices} slices");
}

/// Two triangles may cover more than a step has: they are drawn part by part of the window.
#[test]
fn slices_of_few_large_triangles() {
    let texture = scene::Texture::bgra(3, 64, 64, |x, y| [x as u8 * 4, y as u8 * 4, 99, 128]);
    let scene = Scene::new("large", 500, 500, |p| {
        p.clear(ClearMask::COLOR);
        p.enable(Capability::Blend);
        p.blend_func(BlendFactor::SrcAlpha, BlendFactor::OneMinusSrcAlpha);
        p.enable(Capability::Texture2d);
        p.bind_texture(3);
        for layer in 0..4 {
            let by = layer as f32 * 0.1;
            p.begin(Primitive::Quads);
            for (s, t, x, y) in
                [(0.0, 0.0, -1.0, -0.9), (1.0, 0.1, 0.9, -1.0), (1.0, 1.0, 1.0, 1.0), (0.0, 2.0, -0.8, 1.0)]
            {
                p.tex_coord2(s, t);
                p.vertex2(x - by, y + by);
            }
            p.end();
        }
    });
    let slices = slices_of([scene.texture(texture)].into_iter());
    assert!(slices >= 2 * 4 * 2, "only {slices} slices");
}
