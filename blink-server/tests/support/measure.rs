//! How much two pictures of a scene differ.
#![allow(dead_code, reason = "each test uses its part")]

use crate::scene::{Blink, Scene};
use blink_server::gl::context::Flavor;
use jit::TierChoice;

/// Channels may differ by this much...
pub const TOLERANCE: u8 = 2;
/// ... and more in at most one of so many of a scene's pixels.
pub const ONE_OF: usize = 200;

/// A comparison of two pictures.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Difference {
    /// Pixels that are not the background's in one of them.
    pub drawn: usize,
    /// Pixels that differ by more than [`TOLERANCE`].
    pub different: usize,
    /// The largest difference of a channel.
    pub worst: u8,
}

/// Compares two pictures of the same size.
pub fn difference(found: &[u8], wanted: &[u8]) -> Difference {
    assert_eq!(found.len(), wanted.len());
    let background = background(wanted);
    let mut all = Difference { drawn: 0, different: 0, worst: 0 };
    for (a, b) in found.chunks_exact(4).zip(wanted.chunks_exact(4)) {
        let by = a.iter().zip(b).map(|(a, b)| a.abs_diff(*b)).max().unwrap_or(0);
        all.drawn += usize::from(a != background || b != background);
        all.different += usize::from(by > TOLERANCE);
        all.worst = all.worst.max(by);
    }
    all
}

/// The pixel that a picture has most often.
fn background(picture: &[u8]) -> &[u8] {
    let mut counts = std::collections::HashMap::new();
    for pixel in picture.chunks_exact(4) {
        *counts.entry(pixel).or_insert(0) += 1;
    }
    counts.into_iter().max_by_key(|&(_, count)| count).map_or(&[], |(pixel, _)| pixel)
}

/// The tracker's picture of a scene, which is the same by interpreter and native code.
pub fn picture_of_both_tiers(blink: &mut Blink, scene: &Scene) -> Vec<u8> {
    let found = blink.picture(scene, TierChoice::Interpreter);
    let again = blink.picture(scene, TierChoice::Native);
    if found != again {
        crate::support::save_png(&format!("{}-interpreted", scene.name), scene.width, scene.height, &found);
        crate::support::save_png(&format!("{}-native", scene.name), scene.width, scene.height, &again);
        panic!("{}: the pictures of interpreter and native code differ", scene.name);
    }
    found
}

/// Has this kind of OpenGL all that the scene needs? OpenGL ES has no logical operations.
pub fn drawn_by(flavor: Flavor, scene: &Scene) -> bool {
    match flavor {
        Flavor::Desktop => true,
        Flavor::Embedded => !scene.needs_logic_ops(),
    }
}

/// What keeps a scene from being as OpenGL's.
pub fn fault(scene: &Scene, found: Difference) -> Option<String> {
    let Difference { drawn, different, worst } = found;
    let all = (scene.width * scene.height) as usize;
    if drawn < 40 {
        return Some(format!("only {drawn} pixels are drawn, which shows nothing"));
    }
    if different * ONE_OF > all {
        return Some(format!("{different} of {all} pixels differ, by {worst} at most"));
    }
    if different > 0 && scene.class.is_none() {
        return Some(format!(
            "{different} pixels differ, by {worst} at most, and no class says why they may"
        ));
    }
    None
}
