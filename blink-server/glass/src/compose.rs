//! Makes the picture: copies what is damaged out of the windows' memory, and draws borders, labels, name tags and the pointer.
//!
//! Of each pixel only the layer that shows is drawn. A pixel of a window's content is read once, into the output's private
//! picture.

use crate::cursor::Picture;
use crate::decoration::{Label, opaque, shade};
use crate::desk::Desk;
use crate::heads::{BACKGROUND, Head, Heads};
use crate::scene::{Layer, Scene, What};
use crate::stack::Key;
use crate::window::Window;
use ipc::geometry::{Rect, Region};

/// A window's content before it has a picture: black.
const EMPTY: u32 = 0xff00_0000;

/// The pointer's picture where it is shown.
#[derive(Debug)]
pub struct Pointer<'a> {
    /// The window that it belongs to.
    pub key: Key,
    /// The picture.
    pub picture: &'a Picture,
    /// The pixels that it covers, where the window's content shows.
    pub area: Rect,
}

/// Composes what is damaged. Gives what changed on the outputs, and how many bytes were copied out of windows' memory.
pub fn compose(
    heads: &mut Heads,
    scene: &Scene,
    desk: &mut Desk,
    pointer: Option<(Key, Rect)>,
) -> (Region, u64) {
    let mut changed = Region::default();
    let mut copied = 0;
    for head in heads.all_mut() {
        let damage = head.take_damage();
        for rect in damage.rects() {
            changed.add(*rect);
            scene.blocks(rect, |block, layer| match layer {
                Some(layer) => copied += draw(head, desk, layer, &block),
                None => fill(head, &block, BACKGROUND),
            });
            if let Some((key, area)) = pointer
                && let Some(picture) = desk.get(key).and_then(|window| window.cursor.as_ref())
            {
                draw_pointer(head, scene, desk, rect, &Pointer { key, picture, area });
            }
        }
    }
    (changed, copied)
}

fn fill(head: &mut Head, block: &Rect, color: u32) {
    for y in block.y..block.bottom() {
        head.row(y, block.x, block.right()).fill(color);
    }
}

/// Draws a part of a layer. Gives the bytes that were copied.
fn draw(head: &mut Head, desk: &mut Desk, layer: &Layer, block: &Rect) -> u64 {
    match layer.what {
        What::Tag => {
            draw_label(head, desk, layer, &layer.rect, block);
            0
        }
        What::Window => {
            let Some(window) = desk.get(layer.key) else { return 0 };
            let content = window.content;
            let copied = draw_content(head, window, &block.intersection(&content));
            if content.contains_rect(block) {
                return copied;
            }
            let label = window.style.label(&content);
            let color = desk.client(window.id.client).map(|client| client.color).unwrap_or_default();
            let border = opaque(shade(color, desk.focused() == Some(window.id)));
            let inner = content.union(&label);
            block.subtract(&inner, |part| fill(head, &part, border));
            draw_label(head, desk, layer, &label, &block.intersection(&label));
            copied
        }
    }
}

/// Copies a part of a window's picture. One of another size than the content is shown from the upper left corner, the rest is
/// black.
fn draw_content(head: &mut Head, window: &Window, block: &Rect) -> u64 {
    let content = window.content;
    let Some(surface) = &window.buffers.shown else {
        fill(head, block, EMPTY);
        return 0;
    };
    let covered = surface.covers(&content);
    block.subtract(&covered, |part| fill(head, &part, EMPTY));
    let part = block.intersection(&covered);
    for y in part.y..part.bottom() {
        let from = (part.x.saturating_sub(content.x), y.saturating_sub(content.y));
        let row = head.row(y, part.x, part.right());
        surface.copy_row(from.0.cast_unsigned(), from.1.cast_unsigned(), row);
    }
    u64::from(part.width) * u64::from(part.height) * 4
}

/// Draws a part of a window's label, or name tag, at `place`.
fn draw_label(head: &mut Head, desk: &mut Desk, layer: &Layer, place: &Rect, block: &Rect) {
    let part = block.intersection(place);
    if part.is_empty() {
        return;
    }
    let Some(mut caption) = desk.caption(layer.key) else { return };
    let Some(window) = desk.get_mut(layer.key) else { return };
    let kept = match layer.what {
        What::Window => &mut window.label,
        What::Tag => {
            // The client's words have no place here.
            caption.title.clear();
            &mut window.tag
        }
    };
    if !kept.as_ref().is_some_and(|label| label.is(place.width, &caption)) {
        *kept = Some(Label::new(place.width, caption));
    }
    let Some(label) = kept else { return };
    let left = part.x.saturating_sub(place.x).cast_unsigned() as usize;
    for y in part.y..part.bottom() {
        let row = label.row(y.saturating_sub(place.y).cast_unsigned());
        let row = row.get(left..left + part.width as usize).unwrap_or_default();
        let into = head.row(y, part.x, part.right());
        if into.len() == row.len() {
            into.copy_from_slice(row);
        }
    }
}

/// Draws the pointer's picture where a rectangle shows its window's content.
fn draw_pointer(head: &mut Head, scene: &Scene, desk: &Desk, rect: &Rect, pointer: &Pointer<'_>) {
    let Some(content) = desk.get(pointer.key).map(|window| window.content) else { return };
    let clip = rect.intersection(&pointer.area).intersection(&content);
    if clip.is_empty() {
        return;
    }
    scene.blocks(&clip, |block, layer| {
        if layer.is_some_and(|layer| layer.key == pointer.key && layer.what == What::Window) {
            pointer.picture.draw(head, &pointer.area, &block);
        }
    });
}
