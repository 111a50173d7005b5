//! A window's shared memory: two halves, of which the renderer fills one while the glass reads the other.

use ipc::geometry::Rect;
use ipc::glass::{PIXEL_BYTES, half_bytes};
use os::memory::{self, MemoryError};
use rustix::fd::OwnedFd;
use shm::{Shm, ShmOffset};

/// Memory for the pictures of one window, of one size.
#[derive(Debug)]
pub struct Surface {
    memory: Shm,
    /// As the renderer names it.
    pub serial: u32,
    /// Pixels from left to right.
    pub width: u32,
    /// Pixels from top to bottom.
    pub height: u32,
    /// The half that has the picture.
    pub front: u8,
}

impl Surface {
    /// New memory, all zero, and its descriptor for the renderer.
    ///
    /// # Errors
    /// The system has no memory or descriptors left.
    pub fn new(serial: u32, width: u32, height: u32) -> Result<(Surface, OwnedFd), MemoryError> {
        let bytes = Surface::bytes_of(width, height);
        let fd = memory::create("blink-window", bytes)?;
        let memory = memory::map(&fd, bytes)?;
        Ok((Surface { memory, serial, width, height, front: 0 }, fd))
    }

    /// Bytes of both halves.
    pub fn bytes_of(width: u32, height: u32) -> u64 {
        2 * half_bytes(width, height)
    }

    /// Bytes that it takes.
    pub fn bytes(&self) -> u64 {
        Surface::bytes_of(self.width, self.height)
    }

    /// Copies pixels of the row `y` from `x` on, both from the upper left corner of the content, into a picture. What the
    /// surface has not is left alone.
    pub fn copy_row(&self, x: u32, y: u32, into: &mut [u32]) {
        let length = into.len().min(self.width.saturating_sub(x) as usize);
        let Some(into) = into.get_mut(..length).filter(|into| !into.is_empty()) else { return };
        let Some(row) = self.height.checked_sub(y.saturating_add(1)) else { return };
        let pixel = u64::from(row) * u64::from(self.width) + u64::from(x);
        let half = u64::from(self.front & 1) * half_bytes(self.width, self.height);
        let offset = usize::try_from(half + pixel * PIXEL_BYTES).unwrap_or(usize::MAX);
        let copied = self.memory.copy_pixels_in(ShmOffset(offset), into);
        debug_assert!(copied.is_ok(), "the row is inside the half");
    }

    /// The part of a content of this size that it has a picture for, from the content's corner.
    pub fn covers(&self, content: &Rect) -> Rect {
        Rect { width: content.width.min(self.width), height: content.height.min(self.height), ..*content }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rustix::io::pwrite;

    #[test]
    fn the_front_half_is_read_bottom_up_and_opaque() {
        let (mut surface, fd) = Surface::new(1, 33, 32).unwrap();
        let half = half_bytes(33, 32);
        assert_eq!(half, 8192);
        let put = |half: u64, x: u64, row: u64, pixel: u32| {
            pwrite(&fd, &pixel.to_le_bytes(), half + (row * 33 + x) * 4).unwrap();
        };
        put(0, 5, 31, 0x0011_2233);
        put(half, 32, 0, 0xff44_5566);
        let mut row = [7; 4];
        surface.copy_row(4, 0, &mut row);
        assert_eq!(row, [0xff00_0000, 0xff11_2233, 0xff00_0000, 0xff00_0000]);
        surface.front = 1;
        let mut row = [7; 4];
        surface.copy_row(31, 31, &mut row);
        assert_eq!(row, [0xff00_0000, 0xff44_5566, 7, 7], "what is outside is left alone");
        surface.copy_row(33, 31, &mut row);
        surface.copy_row(0, 32, &mut row);
        surface.copy_row(u32::MAX, u32::MAX, &mut row);
        assert_eq!(row[3], 7);
    }
}
