//! The pointer's picture. A window gives one for its content; it is drawn last, and only on that content, so that it covers
//! no label, no border and no other window.

use crate::heads::Head;
use ipc::geometry::Rect;
use ipc::glass::CursorImage;
use ipc::limits::MAX_CURSOR_SIZE;

/// A picture that was checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Picture {
    width: u32,
    height: u32,
    hot: (i32, i32),
    /// Red, green, blue, alpha.
    pixels: Vec<[u8; 4]>,
}

/// Why a picture can't be shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PictureError {
    /// It is empty or too large.
    #[error("a cursor of {0}x{1} pixels; the sides are 1 to {MAX_CURSOR_SIZE}")]
    Size(u32, u32),
    /// The pixels are not as many as the size says, or no hexadecimal digits.
    #[error("the cursor's pixels are not {0} hexadecimal digits")]
    Pixels(usize),
    /// The pixel that points is outside.
    #[error("the cursor's hot spot {0}, {1} is outside")]
    Hot(u32, u32),
}

impl Picture {
    /// Checks what a renderer says.
    ///
    /// # Errors
    /// It is no picture.
    pub fn new(untrusted: &CursorImage) -> Result<Picture, PictureError> {
        let CursorImage { width, height, hot, ref pixels } = *untrusted;
        let sides = 1..=MAX_CURSOR_SIZE;
        if !sides.contains(&width) || !sides.contains(&height) {
            return Err(PictureError::Size(width, height));
        }
        if hot.0 >= width || hot.1 >= height {
            return Err(PictureError::Hot(hot.0, hot.1));
        }
        let digits = width as usize * height as usize * 8;
        let wrong = PictureError::Pixels(digits);
        if pixels.len() != digits || !pixels.bytes().all(|b| b.is_ascii_hexdigit()) {
            return Err(wrong);
        }
        let (quads, _) = pixels.as_bytes().as_chunks::<8>();
        let pixel = |quad: &[u8; 8]| {
            let text = std::str::from_utf8(quad).ok()?;
            u32::from_str_radix(text, 16).ok().map(u32::to_be_bytes)
        };
        let pixels: Option<Vec<[u8; 4]>> = quads.iter().map(pixel).collect();
        // At most MAX_CURSOR_SIZE each.
        let hot = (hot.0.cast_signed(), hot.1.cast_signed());
        Ok(Picture { width, height, hot, pixels: pixels.ok_or(wrong)? })
    }

    /// The pixels that it covers if it points there.
    pub fn area(&self, (x, y): (i32, i32)) -> Rect {
        Rect::new(x.saturating_sub(self.hot.0), y.saturating_sub(self.hot.1), self.width, self.height)
    }

    /// Draws the part `clip`, if the picture's corner is that of `area`.
    pub(crate) fn draw(&self, head: &mut Head, area: &Rect, clip: &Rect) {
        let clip = clip.intersection(area);
        for y in clip.y..clip.bottom() {
            let from = [clip.x.saturating_sub(area.x), y.saturating_sub(area.y)].map(i32::cast_unsigned);
            let start = from[1] as usize * self.width as usize + from[0] as usize;
            let row = self.pixels.get(start..start + clip.width as usize).unwrap_or_default();
            for (pixel, &over) in head.row(y, clip.x, clip.right()).iter_mut().zip(row) {
                *pixel = blend(*pixel, over);
            }
        }
    }
}

/// A pixel under one of red, green, blue, alpha: as OpenGL blends, rounded to the nearest.
fn blend(under: u32, [r, g, b, a]: [u8; 4]) -> u32 {
    let mix = |over: u8, under: u8| {
        let (over, under, a) = (u32::from(over), u32::from(under), u32::from(a));
        // At most 255.
        u8::try_from((over * a + under * (255 - a) + 127) / 255).unwrap_or(u8::MAX)
    };
    let [under_b, under_g, under_r, _] = under.to_le_bytes();
    u32::from_le_bytes([mix(b, under_b), mix(g, under_g), mix(r, under_r), 255])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn image(width: u32, height: u32, pixels: &str) -> CursorImage {
        CursorImage { width, height, hot: (0, 0), pixels: pixels.into() }
    }

    #[test]
    fn only_pictures_are_pictures() {
        let good = Picture::new(&image(2, 1, "ff000080010203FF")).unwrap();
        assert_eq!(good.pixels, [[255, 0, 0, 128], [1, 2, 3, 255]]);
        assert_eq!(good.area((10, 10)), Rect::new(10, 10, 2, 1));
        for (width, height, pixels) in
            [(0, 1, ""), (65, 1, ""), (1, 1, "1234567"), (1, 1, "+2345678"), (1, 1, "é234567")]
        {
            assert!(Picture::new(&image(width, height, pixels)).is_err());
        }
        assert!(Picture::new(&CursorImage { hot: (1, 0), ..image(1, 1, "00000000") }).is_err());
    }

    #[test]
    fn blending_rounds_to_the_nearest() {
        for over in 0..=255u8 {
            for alpha in 0..=255u8 {
                for under in [0u8, 1, 77, 128, 254, 255] {
                    let a = f64::from(alpha) / 255.0;
                    let exact = f64::from(over) * a + f64::from(under) * (1.0 - a);
                    let pixel = u32::from_le_bytes([under, 0, 0, 255]);
                    let [mixed, ..] = blend(pixel, [0, 0, over, alpha]).to_le_bytes();
                    assert!((exact - f64::from(mixed)).abs() <= 0.5 + 1e-9);
                }
            }
        }
    }
}
