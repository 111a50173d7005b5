//! The example programs as the server draws them, against OpenGL's compatibility profile: whole programs, where the
//! scenes of `golden.rs` are single functions.
#![allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, missing_docs, reason = "a test")]

#[path = "support/compat.rs"]
mod compat;
#[path = "support/scene.rs"]
mod scene;
mod support;

use blink_client::TextureInfo;
use blink_server::gl::TextureDesc;
use blink_server::gl::context::Flavor;
use examples::Procedures;
use examples::clock::Time;
use examples::{clock, cube, mirror, spot, teapot};
use jit::TierChoice;
use scene::{Blink, Scene, Texture};
use support::save_png;

/// Channels may differ by this much...
const TOLERANCE: u8 = 2;
/// ... and more in at most one of so many of the pixels: some of the clock's dots lie on the border of two pixels.
const ONE_OF: usize = 200;
/// The example's texture.
const OID: u32 = 7;

fn scene(name: &str, seconds: f64, procedures: Procedures, texture: Option<(TextureInfo, Vec<u8>)>) -> Scene {
    let mut scene = Scene::new(format!("{name}-{seconds}"), 300, 240, |_| {});
    scene.programs.clear();
    scene.time_ns = (seconds * 1e9) as u64;
    for (callback, program) in procedures {
        scene = scene.program(callback, program);
    }
    if let Some((TextureInfo { format, width, height, stride, color_space, levels }, bytes)) = texture {
        let desc = TextureDesc { format, width, height, stride, color_space, levels };
        scene = scene.texture(Texture { oid: OID, desc, bytes });
    }
    scene
}

fn scenes() -> Vec<Scene> {
    let mut all = Vec::new();
    for seconds in [0.0, 1.7, 5.9, 100.3] {
        all.push(scene("cube", seconds, cube::procedures(OID).unwrap(), Some(cube::texture())));
        all.push(scene("mirror", seconds, mirror::procedures().unwrap(), None));
        all.push(scene("spot", seconds, spot::procedures().unwrap(), None));
        all.push(scene("teapot", seconds, teapot::procedures(OID).unwrap(), Some(teapot::texture())));
        let times = [("clock", Time::Server(36_610.0, 0)), ("clock-started", Time::Now(36_610.0))];
        for (name, time) in times {
            let picture = clock::picture(time).unwrap();
            let mut clock = scene(name, seconds, picture.procedures, None);
            clock.registers = picture.registers.unwrap().map(f32::to_bits);
            all.push(clock);
        }
    }
    all
}

#[test]
fn examples_look_as_opengl_draws_them() {
    let scenes = scenes();
    let wanted = compat::pictures(&scenes);
    let mut faults = Vec::new();
    for flavor in Flavor::ALL {
        let mut blink = Blink::of(flavor);
        for (scene, wanted) in scenes.iter().zip(&wanted) {
            let name = format!("{flavor:?}-{}", scene.name);
            let found = blink.picture(scene, TierChoice::Interpreter);
            assert!(found == blink.picture(scene, TierChoice::Native), "{name}: the tiers' pictures differ");
            let pixels = || found.chunks_exact(4).zip(wanted.chunks_exact(4));
            let by = |(a, b): (&[u8], &[u8])| a.iter().zip(b).map(|(a, b)| a.abs_diff(*b)).max().unwrap_or(0);
            let different = pixels().filter(|&pair| by(pair) > TOLERANCE).count();
            let worst = pixels().map(by).max().unwrap_or(0);
            // Of an empty window nothing could differ.
            let drawn = wanted.chunks_exact(4).filter(|pixel| *pixel != &wanted[..4]).count();
            println!("{name}: {different} of {drawn} pixels differ, by {worst} at most");
            if drawn < 5000 || different * ONE_OF > drawn {
                faults.push(format!("{name}: {different} of {drawn} pixels differ, by {worst} at most"));
                save_png(&format!("{name}-wanted"), scene.width, scene.height, wanted);
                save_png(&format!("{name}-found"), scene.width, scene.height, &found);
            }
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}
