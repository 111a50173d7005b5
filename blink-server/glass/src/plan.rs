//! What a frame must draw: from the damaged pixels, the windows to run and the part of each.
//!
//! Windows are drawn from the lowest to the highest, each clipped to one rectangle. That rectangle may
//! be larger than the window's damaged visible part (a scissor is a rectangle) and so touch windows
//! above: these are then damaged too, and drawn later in the same frame. A window with no damaged
//! visible pixel is not run at all.

use super::stack::Stack;
use ipc::WindowId;
use ipc::geometry::{Rect, Region};

/// A frame's work.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Plan {
    /// Where no window is: the background's.
    pub background: Vec<Rect>,
    /// Windows with the part to draw, in this order.
    pub windows: Vec<(WindowId, Rect)>,
    /// Everything that changes.
    pub damage: Region,
}

/// Plans a frame. `dirty`: what must be drawn anew.
#[must_use]
pub fn plan(stack: &Stack, dirty: &Region, output: &Rect) -> Plan {
    let mut damage = dirty.clipped(output);
    let mut bare = damage.clone();
    for view in stack.views() {
        bare.remove(&view.frame());
    }
    let mut windows = Vec::new();
    for view in stack.views() {
        let clip = stack.visible(view.id, output).common_bounds(&damage);
        if !clip.is_empty() {
            windows.push((view.id, clip));
            damage.add(clip);
        }
    }
    Plan { background: bare.rects().to_vec(), windows, damage }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::decoration::Style;
    use crate::stack::View;
    use ipc::ClientId;

    /// Whatever the damage, a frame leaves on each pixel the window that is on top there, and draws
    /// nothing outside the plan's damage. A window that is hidden where it is damaged is not run.
    #[test]
    fn every_pixel_ends_with_its_owner() {
        let output = Rect::new(0, 0, 64, 64);
        let mut rng = fastrand::Rng::with_seed(7);
        let mut skipped = 0;
        for _ in 0..2000 {
            let mut stack = Stack::default();
            for oid in 1..=rng.u32(1..6) {
                stack.add(View {
                    id: WindowId { client: ClientId(1), context: 0, oid },
                    content: Rect::new(rng.i32(-9..60), rng.i32(-9..60), rng.u32(4..40), rng.u32(4..40)),
                    style: Style::Popup,
                    parent: None,
                });
            }
            let owner = |x: i32, y: i32| {
                stack.views().iter().rev().find(|v| v.frame().contains(x, y)).map_or(0, |v| v.id.oid)
            };
            let mut dirty = Region::default();
            for _ in 0..rng.usize(0..4) {
                dirty.add(Rect::new(rng.i32(-9..60), rng.i32(-9..60), rng.u32(1..20), rng.u32(1..20)));
            }
            let plan = plan(&stack, &dirty, &output);
            skipped += stack.views().len() - plan.windows.len();
            for y in 0..64 {
                for x in 0..64 {
                    let is_dirty = dirty.rects().iter().any(|r| r.contains(x, y));
                    // Garbage where dirty, the right owner elsewhere.
                    let mut pixel = if is_dirty { 99 } else { owner(x, y) };
                    let mut touched = false;
                    if plan.background.iter().any(|r| r.contains(x, y)) {
                        pixel = 0;
                        touched = true;
                    }
                    for (id, clip) in &plan.windows {
                        let frame = stack.get(*id).unwrap().frame();
                        if clip.contains(x, y) && frame.contains(x, y) {
                            pixel = id.oid;
                            touched = true;
                        }
                    }
                    assert_eq!(pixel, owner(x, y), "pixel {x}, {y} of {stack:?} dirty {dirty:?}");
                    let planned = plan.damage.rects().iter().any(|r| r.contains(x, y));
                    assert!(!touched || planned);
                }
            }
        }
        assert!(skipped > 1000, "hidden and undamaged windows must be skipped");
    }
}
