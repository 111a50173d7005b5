//! How pixels lie in our memory, which OpenGL reads and writes by it.

/// How pixels lie in our memory.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pixels {
    /// OpenGL's format of them.
    pub format: u32,
    /// Type of their components.
    pub kind: u32,
    /// Pixels from the beginning of a row to that of the next. 0: as many as a row has.
    pub row: u32,
}

impl Pixels {
    /// Bytes from the first pixel to the last. `None`: this is no format that we know.
    fn bytes(self, width: i32, height: i32) -> Option<usize> {
        let pixel = match (self.format, self.kind) {
            (glow::RED, glow::UNSIGNED_BYTE) => 1,
            (glow::RG, glow::UNSIGNED_BYTE) => 2,
            (glow::RGB, glow::UNSIGNED_BYTE) => 3,
            (glow::RGBA | glow::BGRA, glow::UNSIGNED_BYTE | glow::UNSIGNED_INT_8_8_8_8_REV) => 4,
            _ => return None,
        };
        let (width, height) = (usize::try_from(width).ok()?, usize::try_from(height).ok()?);
        let row = if self.row == 0 { width } else { usize::try_from(self.row).ok()? };
        let Some(before) = height.checked_sub(1) else { return Some(0) };
        row.checked_mul(before)?.checked_add(width)?.checked_mul(pixel)
    }

    /// Has a slice of this length all the pixels? If not, that is our error.
    pub fn are_in(self, length: usize, width: i32, height: i32) -> bool {
        let is = self.bytes(width, height).is_some_and(|wanted| wanted <= length);
        if !is {
            log::error!("{width}x{height} pixels ({self:x?}) are not in {length} bytes");
        }
        is
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pixels_end_with_the_last_row() {
        let pixels = |format, row| Pixels { format, kind: glow::UNSIGNED_BYTE, row };
        assert_eq!(pixels(glow::RGB, 0).bytes(5, 3), Some(45));
        assert_eq!(pixels(glow::RGBA, 9).bytes(5, 3), Some((9 + 9 + 5) * 4));
        assert_eq!(pixels(glow::RED, 9).bytes(5, 0), Some(0));
        assert_eq!(pixels(glow::RGBA, u32::MAX).bytes(i32::MAX, i32::MAX), None, "more than there can be");
        assert_eq!(pixels(glow::RED, 0).bytes(-1, 1), None);
        assert_eq!(pixels(glow::DEPTH_COMPONENT, 0).bytes(1, 1), None);
        assert!(pixels(glow::RG, 0).are_in(8, 2, 2) && !pixels(glow::RG, 0).are_in(7, 2, 2));
    }
}
