//! The outputs: where each is in the plane of all, how large, how often it shows a frame, and the picture that it shows.

use ipc::geometry::{Rect, Region};

/// What an output can do.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct HeadMode {
    /// Pixels from left to right.
    pub width: u32,
    /// Pixels from top to bottom.
    pub height: u32,
    /// Nanoseconds from frame to frame.
    pub refresh: u64,
    /// Pixels of the output for one of an output of usual density.
    pub scale: f64,
}

/// Where no window is: `0xAARRGGBB`.
pub const BACKGROUND: u32 = 0xff1f_2126;

/// One output, and its picture.
#[derive(Debug)]
pub struct Head {
    area: Rect,
    refresh: u64,
    scale: f64,
    damage: Region,
    /// `0xAARRGGBB`, the top row first.
    pixels: Vec<u32>,
}

impl Head {
    /// The pixels that it shows.
    pub fn area(&self) -> Rect {
        self.area
    }

    /// Nanoseconds from frame to frame.
    pub fn refresh(&self) -> u64 {
        self.refresh
    }

    /// See [`HeadMode::scale`].
    pub fn scale(&self) -> f64 {
        self.scale
    }

    /// Its picture: `0xAARRGGBB`, the top row first.
    pub fn pixels(&self) -> &[u32] {
        &self.pixels
    }

    /// What must be composed anew; from then on nothing is.
    pub(crate) fn take_damage(&mut self) -> Region {
        std::mem::take(&mut self.damage)
    }

    /// The pixels from `left` to `right` of the row `y`, to be written.
    pub(crate) fn row(&mut self, y: i32, left: i32, right: i32) -> &mut [u32] {
        let row = Rect::between(left, y, right, y.saturating_add(1)).intersection(&self.area);
        let (start, length) = index(&self.area, &row);
        self.pixels.get_mut(start..start + length).unwrap_or_default()
    }
}

/// Index of a rectangle's first pixel in a picture of `area`, and pixels of its first row.
fn index(area: &Rect, rect: &Rect) -> (usize, usize) {
    let x = rect.x.saturating_sub(area.x).cast_unsigned() as usize;
    let y = rect.y.saturating_sub(area.y).cast_unsigned() as usize;
    if rect.is_empty() { (0, 0) } else { (y * area.width as usize + x, rect.width as usize) }
}

/// All outputs. They stand side by side, from the left to the right.
#[derive(Debug)]
pub struct Heads {
    heads: Vec<Head>,
}

impl Heads {
    /// Outputs of these modes; there is always one.
    pub fn new(modes: &[HeadMode]) -> Heads {
        let usual = [HeadMode { width: 1024, height: 768, refresh: 1_000_000_000 / 60, scale: 1.0 }];
        let modes = if modes.is_empty() { &usual } else { modes };
        let mut left = 0;
        let mut heads = Vec::with_capacity(modes.len());
        for mode in modes {
            let area = Rect::new(left, 0, mode.width.clamp(1, 16384), mode.height.clamp(1, 16384));
            left = area.right();
            heads.push(Head {
                area,
                refresh: mode.refresh.max(1000),
                scale: mode.scale,
                damage: Region::from_rect(area),
                pixels: vec![BACKGROUND; area.width as usize * area.height as usize],
            });
        }
        Heads { heads }
    }

    /// Each, from the left.
    pub fn all(&self) -> &[Head] {
        &self.heads
    }

    pub(crate) fn all_mut(&mut self) -> &mut [Head] {
        &mut self.heads
    }

    /// Nanoseconds from frame to frame of the fastest: the glass's clock.
    pub fn refresh(&self) -> u64 {
        self.heads.iter().map(|head| head.refresh).min().unwrap_or(1_000_000_000 / 60)
    }

    /// The smallest rectangle around all.
    pub fn bounds(&self) -> Rect {
        self.heads.iter().fold(Rect::default(), |all, head| all.union(&head.area))
    }

    /// The area of the output that shows most of a rectangle; of the nearest, if none shows any.
    pub fn home(&self, rect: &Rect) -> Rect {
        let shown = |head: &&Head| {
            let part = head.area.intersection(rect);
            u64::from(part.width) * u64::from(part.height)
        };
        let far = |head: &&Head| {
            let beyond = |low: i32, high: i32, at: i32| {
                i64::from(low).saturating_sub(at.into()).max(i64::from(at).saturating_sub(high.into())).max(0)
            };
            let area = head.area;
            beyond(area.x, area.right(), rect.x).saturating_add(beyond(area.y, area.bottom(), rect.y))
        };
        let best = self.heads.iter().rev().max_by_key(|head| (shown(head), std::cmp::Reverse(far(head))));
        best.map(|head| head.area).unwrap_or_default()
    }

    /// These pixels must be composed anew.
    pub fn damage(&mut self, rect: Rect) {
        for head in &mut self.heads {
            head.damage.add(rect.intersection(&head.area));
        }
    }

    /// All pixels must be composed anew.
    pub fn damage_all(&mut self) {
        for head in &mut self.heads {
            head.damage = Region::from_rect(head.area);
        }
    }

    /// A part of the picture: red, green, blue, alpha, the top row first. Black where no output is.
    pub fn read(&self, rect: Rect) -> Vec<u8> {
        let rect = rect.intersection(&self.bounds());
        let width = rect.width as usize;
        let mut bytes = [0, 0, 0, 255].repeat(width * rect.height as usize);
        for head in &self.heads {
            let part = rect.intersection(&head.area);
            for y in part.y..part.bottom() {
                let row = Rect { y, height: 1, ..part };
                let ((from, length), (to, _)) = (index(&head.area, &row), index(&rect, &row));
                let row = head.pixels.get(from..from + length).unwrap_or_default();
                let into = bytes.get_mut(to * 4..(to + length) * 4).unwrap_or_default();
                for (pixel, into) in row.iter().zip(into.chunks_exact_mut(4)) {
                    let [b, g, r, a] = pixel.to_le_bytes();
                    into.copy_from_slice(&[r, g, b, a]);
                }
            }
        }
        bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn heads_stand_side_by_side() {
        let mode = |width, height, refresh| HeadMode { width, height, refresh, scale: 1.5 };
        let mut heads = Heads::new(&[mode(100, 80, 16_666_666), mode(50, 120, 8_333_333)]);
        assert_eq!((heads.bounds(), heads.refresh()), (Rect::new(0, 0, 150, 120), 8_333_333));
        assert_eq!(heads.home(&Rect::new(90, 0, 30, 10)), Rect::new(100, 0, 50, 120));
        assert_eq!(heads.home(&Rect::new(900, 0, 30, 10)), Rect::new(100, 0, 50, 120));
        assert_eq!(heads.home(&Rect::new(-900, 0, 30, 10)), Rect::new(0, 0, 100, 80));
        heads.all_mut()[1].row(100, 0, 300).fill(0xff01_0203);
        let row = heads.read(Rect::new(99, 100, 3, 1));
        assert_eq!(row, [0, 0, 0, 255, 1, 2, 3, 255, 1, 2, 3, 255]);
        assert_eq!(heads.read(Rect::new(0, 0, 9999, 9999)).len(), 150 * 120 * 4);
    }
}
