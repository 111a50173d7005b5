//! The pointer's picture: a window may give one for its content. It is drawn by the server, last, above
//! everything, and only while the pointer is over that window's content, so that it can't cover anybody
//! else's pixels by more than the size of a cursor.

use super::client::Stored;
use super::server::Server;
use gl::Image;
use glass::Part;
use ipc::geometry::{Rect, Region};
use ipc::{ClientId, WindowId};

/// A pointer's picture on the output.
#[derive(Debug)]
pub struct Pointer {
    /// The window that it belongs to.
    window: WindowId,
    image: Image,
    /// Pixels covered.
    area: Rect,
    /// Hot spot in the picture.
    hot: (i32, i32),
}

impl Server {
    /// Does the server draw the pointer, so that the output must not?
    #[must_use]
    pub fn draws_pointer(&self) -> bool {
        self.pointer.is_some()
    }

    /// The pointer moved, or windows did: moves its picture, takes it away, or makes it.
    pub(super) fn move_pointer(&mut self) {
        let (x, y) = self.seat.pointer();
        let over = match self.stack.at(x, y) {
            Some((id, Part::Content)) => Some(id),
            Some((_, Part::Label | Part::Close | Part::Border { .. })) | None => None,
        };
        let shown = self.pointer.as_ref().map(|p| p.window);
        if shown != over {
            self.drop_pointer();
            self.pointer = over.and_then(|id| self.make_pointer(id));
        }
        let Some(pointer) = &mut self.pointer else { return };
        let corner = (x.saturating_sub(pointer.hot.0), y.saturating_sub(pointer.hot.1));
        let area = Rect { x: corner.0, y: corner.1, ..pointer.area };
        if area != pointer.area {
            let damage = [pointer.area, area];
            pointer.area = area;
            for rect in damage {
                self.damage_output(rect);
            }
        }
    }

    /// A context's cursor changed: takes the picture away if it may be that.
    pub(super) fn renew_pointer(&mut self, client: ClientId, context: u32) {
        let shown = self.pointer.as_ref().map(|p| (p.window.client, p.window.context));
        if shown == Some((client, context)) {
            self.drop_pointer();
        }
    }

    /// Takes the picture away, for one that is made anew where it is wanted.
    pub(super) fn drop_pointer(&mut self) {
        if let Some(pointer) = self.pointer.take() {
            self.damage_output(pointer.area);
            self.tracker.delete_image(pointer.image);
        }
    }

    fn make_pointer(&mut self, id: WindowId) -> Option<Pointer> {
        let context = self.clients.get(&id.client)?.contexts.get(&id.context)?;
        let Stored::Cursor(cursor) = context.objects.get(&context.windows.get(&id.oid)?.desc.cursor)? else {
            return None;
        };
        let mut pixels = cursor.bytes.clone();
        for pixel in pixels.chunks_exact_mut(4) {
            pixel.swap(0, 2);
        }
        // At most MAX_CURSOR_SIZE each.
        let hot = (i32::try_from(cursor.hot_x).ok()?, i32::try_from(cursor.hot_y).ok()?);
        let (width, height) = (cursor.width, cursor.height);
        match self.tracker.create_image(width, height, &pixels) {
            Ok(image) => {
                // Off the output: the first move damages where it really is.
                let area = Rect::new(i32::MIN, i32::MIN, width, height);
                Some(Pointer { window: id, image, area, hot })
            }
            Err(error) => {
                log::error!("no cursor image: {error}");
                None
            }
        }
    }

    /// Draws the picture where it meets the damage of a frame.
    pub(super) fn draw_pointer(&mut self, damage: &Region) {
        let Some(pointer) = &self.pointer else { return };
        for rect in damage.rects() {
            if rect.intersects(&pointer.area) {
                let corner = (pointer.area.x, pointer.area.y);
                self.tracker.draw_image(&self.screen, &pointer.image, corner, *rect);
            }
        }
    }
}
