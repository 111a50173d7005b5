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
#[path = "support/measure.rs"]
mod measure;
#[path = "support/scene.rs"]
mod scene;
mod scenes;
mod support;

use blink_server::geometry::Rect;
use blink_server::gl::Counters;
use blink_server::gl::context::Flavor;
use examples::gears;
use jit::TierChoice;
use measure::{difference, drawn_by, fault, picture_of_both_tiers};
use scene::{Blink, Scene};
use support::save_png;

/// Compares the tracker's pictures of a group's scenes, by both tiers, with OpenGL's.
fn compare(group: &str) {
    let mut scenes = scenes::group(group);
    // One scene, for who looks into it.
    if let Ok(part) = std::env::var("SCENE") {
        scenes.retain(|s| s.name.contains(&part));
    }
    let wanted = compat::pictures(&scenes);
    if std::env::var_os("SAVE_WANTED").is_some() {
        for (scene, wanted) in scenes.iter().zip(&wanted) {
            save_png(&format!("{}-wanted", scene.name), scene.width, scene.height, wanted);
        }
    }
    let faults: Vec<String> =
        Flavor::ALL.into_iter().flat_map(|flavor| compare_on(flavor, &scenes, &wanted)).collect();
    assert!(faults.is_empty(), "\n{}", faults.join("\n"));
}

/// Gives what is wrong.
fn compare_on(flavor: Flavor, scenes: &[Scene], wanted: &[Vec<u8>]) -> Vec<String> {
    let mut blink = Blink::of(flavor);
    println!("{}", blink.tracker.describe());
    let mut faults = Vec::new();
    for (scene, wanted) in scenes.iter().zip(wanted).filter(|(scene, _)| drawn_by(flavor, scene)) {
        let name = &format!("{flavor:?}-{}", scene.name);
        let found = picture_of_both_tiers(&mut blink, scene);
        let by = difference(&found, wanted);
        println!("{name}: {} of {} pixels differ, by {} at most", by.different, by.drawn, by.worst);
        if let Some(fault) = fault(scene, by) {
            faults.push(format!("{name}: {fault}"));
            save_png(&format!("{name}-wanted"), scene.width, scene.height, wanted);
            save_png(&format!("{name}-found"), scene.width, scene.height, &found);
        }
    }
    faults
}

/// A test for each group of scenes, so that they run side by side.
macro_rules! groups {
    ($($test:ident = $group:literal),* $(,)?) => {
        $(
            #[test]
            fn $test() {
                compare($group);
            }
        )*

        #[test]
        fn each_group_has_a_test() {
            let names: Vec<&str> = scenes::GROUPS.iter().map(|g| g.name).collect();
            assert_eq!(names, [$($group),*]);
        }
    };
}

groups! {
    gears = "gears",
    primitives = "primitives",
    lighting = "lighting",
    materials = "materials",
    fragments = "fragments",
    blending = "blending",
    stencil = "stencil",
    alpha = "alpha",
    logic = "logic",
    polygons = "polygons",
    points_and_lines = "points-lines",
    fog = "fog",
    clip_planes = "clip",
    matrices = "matrices",
    arithmetic = "arithmetic",
    attributes = "attributes",
    textures = "textures",
    formats = "formats",
    wraps = "wraps",
    mipmaps = "mipmaps",
    videos = "videos",
    combine_functions = "combine-functions",
    combine_arguments = "combine-arguments",
    generation = "generation",
    units = "units",
    arrays = "arrays",
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

fn gears_scene() -> Scene {
    scenes::group("gears").into_iter().next().expect("there are some")
}

#[test]
fn gears_are_one_draw() {
    let [first, second] = costs(&gears_scene());
    assert_eq!((first.draws, first.reused), (2, 0), "the clear and the gears");
    assert_eq!((second.draws, second.reused), (2, 1));
    assert_eq!(first.vertices, second.vertices);
    let triangles: u64 = gears::GEARS.iter().map(|gear| u64::from(gear.teeth) * TRIANGLES_OF_A_TOOTH).sum();
    assert_eq!(first.vertices, triangles * 3);
    // All that the second frame needs is set already.
    assert!(first.state_calls > 10, "{first:?}");
    assert_eq!(second.state_calls, 0);
    // 80 bytes a vertex, which most triangles share, and 4 an index.
    let uploaded = first.uploaded_bytes / first.vertices;
    assert!((10..50).contains(&uploaded), "{uploaded} bytes a corner");
    assert!(second.uploaded_bytes < 10_000, "only records, not {} bytes", second.uploaded_bytes);
}
