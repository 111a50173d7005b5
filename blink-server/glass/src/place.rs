//! Where a window may be: arithmetic on rectangles, so that the user always sees whose a window is and can reach it.

use crate::decoration::{BORDER, LABEL, POPUP_BORDER, Style};
use ipc::geometry::Rect;
use ipc::glass::Wish;
use ipc::limits::{MAX_WINDOW_SIZE, MIN_WINDOW_SIZE};

/// Pixels of a window's label that must stay on the output, so that it can be fetched back.
const REACHABLE: i32 = 40;

/// A content's size within the client's hints.
pub fn within_hints(wish: &Wish, content: Rect) -> Rect {
    let hint = |size: u32, least: u32, most: u32| {
        let size = if most == 0 { size } else { size.min(most) };
        size.max(least).clamp(MIN_WINDOW_SIZE, MAX_WINDOW_SIZE)
    };
    let width = hint(content.width, wish.least.0, wish.most.0);
    let height = hint(content.height, wish.least.1, wish.most.1);
    Rect { width, height, ..content }
}

/// The content of a top-level window, so that the user can reach the window and see whose it is.
///
/// No window is larger than the output: its frame could lie outside of it, and nothing would tell what is
/// inside from another client's windows. The row of the label is always on the output.
pub fn top_level(content: Rect, output: &Rect) -> Rect {
    let width = side(content.width, output.width);
    let height = side(content.height, output.height);
    let signed_width = i32::try_from(width).unwrap_or(i32::MAX);
    let reach = signed_width.min(REACHABLE);
    let left = output.x.saturating_sub(signed_width).saturating_add(reach);
    let right = output.right().saturating_sub(reach).max(left);
    let top = output.y.saturating_add(LABEL + BORDER);
    let bottom = output.bottom().max(top);
    Rect { x: content.x.clamp(left, right), y: content.y.clamp(top, bottom), width, height }
}

/// The content of a popup. It has no label, so all of its frame lies on the output, and none of it on `label`: what tells
/// whose window it belongs to.
pub fn popup(content: Rect, output: &Rect, label: &Rect) -> Rect {
    let frame = 2 * POPUP_BORDER.unsigned_abs();
    let width = side(content.width, output.width.saturating_sub(frame));
    let height = side(content.height, output.height.saturating_sub(frame));
    let inside = |wish: i32, low: i32, high: i32, size: u32| {
        let low = low.saturating_add(POPUP_BORDER);
        wish.clamp(low, high.saturating_sub(POPUP_BORDER).saturating_sub_unsigned(size).max(low))
    };
    let x = inside(content.x, output.x, output.right(), width);
    let y = inside(content.y, output.y, output.bottom(), height);
    let wish = Rect { x, y, width, height };
    let label = label.intersection(output);
    if !Style::Popup.frame(&wish).intersects(&label) {
        return wish;
    }
    let below = Rect::between(output.x, label.bottom(), output.right(), output.bottom());
    let above = Rect::between(output.x, output.y, output.right(), label.y);
    let right = Rect::between(label.right(), output.y, output.right(), output.bottom());
    let left = Rect::between(output.x, output.y, label.x, output.bottom());
    let fits = |room: &&Rect| room.height >= height + frame && room.width >= width + frame;
    // If it can't have its size anywhere, it is made smaller.
    let larger = if below.height >= above.height { below } else { above };
    let room = [below, above, right, left].iter().find(fits).copied().unwrap_or(larger);
    let height = side(height, room.height.saturating_sub(frame));
    Rect {
        x: inside(x, room.x, room.right(), width),
        y: inside(y, room.y, room.bottom(), height),
        width,
        height,
    }
}

fn side(wish: u32, most: u32) -> u32 {
    wish.min(MAX_WINDOW_SIZE).min(most).max(MIN_WINDOW_SIZE)
}

/// Where a top-level window without a wish goes, the `step`th of them: a cascade over the output.
pub fn cascade(step: u32, width: u32, height: u32, output: &Rect) -> Rect {
    let room = |side: u32, size: u32| {
        i32::try_from(side.saturating_sub(size.saturating_add(60)).max(1)).unwrap_or(1)
    };
    let offset = i32::try_from(step % 1000).unwrap_or(0) * 40;
    let x = output.x.saturating_add(20 + offset % room(output.width, width));
    let y = output.y.saturating_add(40 + offset % room(output.height, height));
    Rect::new(x, y, width, height)
}

#[cfg(test)]
mod tests {
    use super::*;

    const OUTPUT: Rect = Rect::new(0, 0, 640, 480);

    #[test]
    fn windows_stay_reachable() {
        for wild in [
            Rect::new(i32::MIN, i32::MIN, 300, 300),
            Rect::new(i32::MAX, i32::MAX, u32::MAX, 0),
            Rect::new(-5000, 9000, 8192, 8192),
        ] {
            let popup = popup(wild, &OUTPUT, &Rect::default());
            assert!(OUTPUT.contains_rect(&Style::Popup.frame(&popup)), "{popup:?}");
            let content = top_level(wild, &OUTPUT);
            assert!(content.width <= 640 && content.height <= 480);
            let seen = Style::TopLevel.label(&content).intersection(&OUTPUT);
            assert!(seen.width >= 16 && seen.height >= 18, "{content:?}");
        }
        for step in 0..100 {
            let place = cascade(step, 300, 300, &OUTPUT);
            assert!(OUTPUT.contains_rect(&Style::TopLevel.frame(&place)), "{place:?}");
        }
    }

    #[test]
    fn popups_leave_the_label_of_their_window_free() {
        let mut rng = fastrand::Rng::with_seed(3);
        for _ in 0..20_000 {
            let root = top_level(
                Rect::new(rng.i32(-300..700), rng.i32(-50..500), rng.u32(0..700), rng.u32(0..500)),
                &OUTPUT,
            );
            let label = Rect::between(root.x - 3, root.y - 21, root.right() + 3, root.y);
            let wish = Rect::new(rng.i32(-300..700), rng.i32(-300..700), rng.u32(0..900), rng.u32(0..900));
            let frame = Style::Popup.frame(&popup(wish, &OUTPUT, &label));
            assert!(OUTPUT.contains_rect(&frame), "{frame:?}");
            assert!(!frame.intersects(&label), "{frame:?} on {label:?}");
        }
    }
}
