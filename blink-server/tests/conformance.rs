//! What the golden scenes are worth: each row of the op table and each value of its sets is drawn by one that would
//! look different without it; no other client's state shows; and what each costs. Writes docs/CONFORMANCE.md.
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
#[path = "conformance/coverage.rs"]
mod coverage;
#[path = "support/measure.rs"]
mod measure;
#[path = "conformance/report.rs"]
mod report;
#[path = "support/scene.rs"]
mod scene;
mod scenes;
mod support;

use blink_server::geometry::Rect;
use blink_server::gl::context::Flavor;
use coverage::{Coverage, Point};
use jit::TierChoice;
use scene::{Blink, Scene};
use std::collections::HashMap;
use std::path::PathBuf;

/// Is this variable set? Then a test writes what it would compare.
fn updates(variable: &str) -> bool {
    std::env::var_os(variable).is_some()
}

fn path(of: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(of)
}

#[test]
fn scenes_have_names_of_their_own() {
    let mut seen = std::collections::BTreeSet::new();
    for scene in scenes::all() {
        assert!(seen.insert(scene.name.clone()), "two scenes are called {}", scene.name);
    }
}

#[test]
fn each_row_and_each_value_has_a_scene() {
    let coverage = Coverage::of(&scenes::all());
    let missing: Vec<String> = coverage::all_points()
        .into_iter()
        .filter(|point| coverage.scenes(*point).is_empty() && coverage::without_effect(*point).is_none())
        .map(|point| point.to_string())
        .collect();
    assert!(missing.is_empty(), "no scene has\n{}", missing.join("\n"));
}

/// Another value of the set in its place would be seen in one of the scenes that have it.
#[test]
fn values_are_not_confused_with_the_next() {
    confusions(|values, value| {
        let at = values.iter().position(|&v| v == value).expect("it is one of them");
        vec![values[(at + 1) % values.len()]]
    });
}

/// The same with all others of the set. Takes minutes: for who adds rows or scenes.
#[test]
#[ignore = "takes minutes"]
fn values_are_not_confused_with_any() {
    confusions(|values, value| values.iter().copied().filter(|&other| other != value).collect());
}

fn confusions(others: impl Fn(&[u32], u32) -> Vec<u32>) {
    let scenes = scenes::all();
    let coverage = Coverage::of(&scenes);
    let mut pictures: HashMap<&str, Vec<u8>> = HashMap::new();
    let mut unseen = Vec::new();
    let mut tries = 0;
    for point in coverage::all_points() {
        let Point { operand: Some(_), .. } = point else { continue };
        if coverage::without_effect(point).is_some() {
            continue;
        }
        let names = coverage.scenes(point);
        let mut candidates: Vec<&Scene> = scenes.iter().filter(|s| names.contains(&s.name)).collect();
        // Those about it first, then the smallest.
        let value = point.name_of(point.value);
        candidates
            .sort_by_key(|s| (s.reference.is_some(), !s.name.contains(value), s.instructions().count()));
        for other in others(&point.values(), point.value) {
            if coverage::same(point, other) {
                continue;
            }
            let shows = candidates.iter().any(|scene| {
                // What the verifier refuses can't be confused.
                let Some(confused) = point.confused(scene, other) else { return false };
                tries += 1;
                let original = pictures
                    .entry(&scene.name)
                    .or_insert_with(|| compat::try_pictures(&[scene]).remove(0).expect("golden.rs draws it"));
                compat::try_pictures(&[&confused]).remove(0).as_ref() != Ok(original)
            });
            let refused = candidates.iter().all(|scene| point.confused(scene, other).is_none());
            if !shows && !refused {
                unseen.push(format!("{point}, taken for {}", point.name_of(other)));
            }
        }
    }
    println!("{tries} pictures with another value");
    assert!(unseen.is_empty(), "no scene looks different with\n{}", unseen.join("\n"));
}

/// A scene in a framebuffer that another client's window has been drawn into: the one `hostile` makes, if any.
fn picture_after(blink: &mut Blink, scene: &Scene, hostile: Option<&Scene>) -> Vec<u8> {
    let (width, height) = (scene.width + 40, scene.height + 30);
    let all = Rect::new(0, 0, width, height);
    let place = Rect::new(11, 17, scene.width, scene.height);
    let framebuffer = blink.tracker.create_framebuffer(width, height).unwrap();
    if let Some(hostile) = hostile {
        let mut window = blink.window(hostile, 2, TierChoice::Interpreter);
        blink.redraw(&mut window, &framebuffer, all, all, TierChoice::Interpreter);
        // As the server does between windows.
        blink.tracker.fill(&framebuffer, &[place], place, [0.0, 0.0, 0.0, 1.0]);
        blink.tracker.clear_depth(&framebuffer, place);
    }
    let mut window = blink.window(scene, 1, TierChoice::Interpreter);
    blink.redraw(&mut window, &framebuffer, place, place, TierChoice::Interpreter);
    let picture = blink.tracker.read_pixels(&framebuffer, place);
    blink.tracker.delete_framebuffer(framebuffer);
    picture
}

fn hostile_neighbors(flavor: Flavor) {
    let mut blink = Blink::of(flavor);
    let hostile = [false, true].map(scenes::attributes::hostile);
    let mut disturbed = Vec::new();
    for (number, scene) in scenes::all().iter().enumerate() {
        let alone = picture_after(&mut blink, scene, None);
        let after = picture_after(&mut blink, scene, Some(&hostile[number % 2]));
        if alone != after {
            disturbed.push(scene.name.clone());
        }
    }
    assert!(disturbed.is_empty(), "{flavor:?}: another client's window changes {disturbed:?}");
}

#[test]
fn a_hostile_neighbor_changes_no_pixel() {
    hostile_neighbors(Flavor::Desktop);
}

#[test]
fn a_hostile_neighbor_changes_no_pixel_on_es() {
    hostile_neighbors(Flavor::Embedded);
}

/// Does the comparison above see anything? The other window is drawn, and over this one's place.
#[test]
fn the_hostile_neighbor_is_seen() {
    let mut blink = Blink::new();
    for hostile in [false, true].map(scenes::attributes::hostile) {
        let empty = Scene::new("nothing", 64, 64, |_| {});
        let alone = picture_after(&mut blink, &empty, None);
        assert!(alone.chunks_exact(4).all(|p| p == [0, 0, 0, 255]));
        let picture = blink.picture(&hostile, TierChoice::Interpreter);
        assert!(measure::difference(&picture, &vec![0; picture.len()]).different > 1000);
    }
}

/// A scene's name, and its costs; `None` for a comment.
fn cost(line: &str) -> Option<(&str, &str)> {
    line.split_once(' ').filter(|(name, _)| *name != "#")
}

/// Draws and state calls of each scene's second frame.
#[test]
fn costs_of_scenes() {
    let mut blink = Blink::new();
    let mut text = String::from(
        "# Draws, and state calls of OpenGL, of each scene's second frame. A test compares;\n\
         # UPDATE_DRAWS=1 cargo nextest run -p blink-server costs_of_scenes rewrites.\n",
    );
    for scene in scenes::all() {
        blink.picture(&scene, TierChoice::Interpreter);
        let all = Rect::new(0, 0, scene.width, scene.height);
        let mut window = blink.window(&scene, 1, TierChoice::Interpreter);
        let framebuffer = blink.tracker.create_framebuffer(scene.width, scene.height).unwrap();
        for _ in 0..2 {
            blink.tracker.take_counters();
            blink.redraw(&mut window, &framebuffer, all, all, TierChoice::Interpreter);
            blink.tracker.finish();
        }
        let counters = blink.tracker.take_counters();
        blink.tracker.delete_framebuffer(framebuffer);
        text += &format!("{} {} {}\n", scene.name, counters.draws, counters.state_calls);
    }
    let file = path("tests/draws.txt");
    if updates("UPDATE_DRAWS") {
        std::fs::write(&file, text).unwrap();
        return;
    }
    let before = std::fs::read_to_string(&file).unwrap_or_default();
    let known: HashMap<&str, &str> = before.lines().filter_map(cost).collect();
    let mut differences = Vec::new();
    for (name, costs) in text.lines().filter_map(cost) {
        let was = known.get(name).copied().unwrap_or("no numbers");
        if was != costs {
            differences.push(format!("{name}: {was} before, now {costs}"));
        }
    }
    assert!(differences.is_empty(), "draws and state calls:\n{}", differences.join("\n"));
    assert_eq!(before, text, "the file has other scenes too, or another order");
}

#[test]
fn the_report_says_what_is_so() {
    let scenes = scenes::all();
    let file = path("../docs/CONFORMANCE.md");
    if updates("UPDATE_CONFORMANCE") {
        let measured = report::measured(&scenes);
        std::fs::write(&file, report::text(&scenes, &measured)).unwrap();
        return;
    }
    let before = std::fs::read_to_string(&file).unwrap_or_default();
    let measured = report::measured_part(&before).expect("the report has a table of the worst scenes");
    report::check_measured(&scenes, measured);
    let text = report::text(&scenes, measured);
    if before != text {
        let line = before.lines().zip(text.lines()).find(|(a, b)| a != b);
        panic!("docs/CONFORMANCE.md is old: {line:?}\nUPDATE_CONFORMANCE=1 rewrites it");
    }
}
