//! Primitives, and gears.

use super::shapes::{clear, lit, vertices, view};
use crate::scene::Scene;
use blinkgl::gl::{Primitive, ShadeModel};
use blinkgl::ops::Callback;
use examples::gears;

pub fn gears_at(seconds: f64) -> Scene {
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

pub fn gears() -> Vec<Scene> {
    let mut scenes: Vec<Scene> = [0.0, 0.1, 0.55, 1.3, 2.75, 3.9, 5.0, 1234.5].map(gears_at).into();
    let mut above = gears_at(0.7);
    above.name = "gears-from-above".into();
    above.registers[gears::VIEW_X as usize] = (-65.0f32).to_bits();
    scenes.push(above);
    scenes
}

pub fn primitives() -> Vec<Scene> {
    let mut scenes = vec![];
    for mode in Primitive::ALL.iter().copied() {
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
