//! Rectangles and regions in pixels of the output, from its upper left corner.

use serde::{Deserialize, Serialize};

/// A rectangle: `x..x + width`, `y..y + height`. Empty if a side is 0.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Rect {
    /// Left edge.
    pub x: i32,
    /// Top edge.
    pub y: i32,
    /// Width.
    pub width: u32,
    /// Height.
    pub height: u32,
}

impl Rect {
    /// A rectangle.
    #[must_use]
    pub const fn new(x: i32, y: i32, width: u32, height: u32) -> Rect {
        Rect { x, y, width, height }
    }

    /// The rectangle between two corners; empty if they are the wrong way round.
    #[must_use]
    pub fn between(left: i32, top: i32, right: i32, bottom: i32) -> Rect {
        let side = |from: i32, to: i32| u32::try_from(i64::from(to) - i64::from(from)).unwrap_or(0);
        Rect { x: left, y: top, width: side(left, right), height: side(top, bottom) }
    }

    /// One past the right edge.
    #[must_use]
    pub fn right(&self) -> i32 {
        self.x.saturating_add_unsigned(self.width)
    }

    /// One past the bottom edge.
    #[must_use]
    pub fn bottom(&self) -> i32 {
        self.y.saturating_add_unsigned(self.height)
    }

    /// Holds no pixel.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.width == 0 || self.height == 0
    }

    /// Is the pixel inside?
    #[must_use]
    pub fn contains(&self, x: i32, y: i32) -> bool {
        x >= self.x && y >= self.y && x < self.right() && y < self.bottom()
    }

    /// Is all of `other` inside?
    #[must_use]
    pub fn contains_rect(&self, other: &Rect) -> bool {
        other.is_empty()
            || (other.x >= self.x
                && other.y >= self.y
                && other.right() <= self.right()
                && other.bottom() <= self.bottom())
    }

    /// What both have; may be empty.
    #[must_use]
    pub fn intersection(&self, other: &Rect) -> Rect {
        Rect::between(
            self.x.max(other.x),
            self.y.max(other.y),
            self.right().min(other.right()),
            self.bottom().min(other.bottom()),
        )
    }

    /// Have they a pixel in common?
    #[must_use]
    pub fn intersects(&self, other: &Rect) -> bool {
        !self.intersection(other).is_empty()
    }

    /// The smallest rectangle around both; an empty one counts for nothing.
    #[must_use]
    pub fn union(&self, other: &Rect) -> Rect {
        if self.is_empty() {
            return *other;
        }
        if other.is_empty() {
            return *self;
        }
        Rect::between(
            self.x.min(other.x),
            self.y.min(other.y),
            self.right().max(other.right()),
            self.bottom().max(other.bottom()),
        )
    }

    /// Grown by `left`, `top`, `right`, `bottom` pixels.
    #[must_use]
    pub fn grown(&self, left: i32, top: i32, right: i32, bottom: i32) -> Rect {
        Rect::between(
            self.x.saturating_sub(left),
            self.y.saturating_sub(top),
            self.right().saturating_add(right),
            self.bottom().saturating_add(bottom),
        )
    }

    /// Moved.
    #[must_use]
    pub fn translated(&self, dx: i32, dy: i32) -> Rect {
        Rect { x: self.x.saturating_add(dx), y: self.y.saturating_add(dy), ..*self }
    }

    /// What is left of it without `hole`: up to four rectangles that don't overlap.
    pub fn subtract(&self, hole: &Rect, mut each: impl FnMut(Rect)) {
        let cut = self.intersection(hole);
        if cut.is_empty() {
            if !self.is_empty() {
                each(*self);
            }
            return;
        }
        for part in [
            Rect::between(self.x, self.y, self.right(), cut.y),
            Rect::between(self.x, cut.bottom(), self.right(), self.bottom()),
            Rect::between(self.x, cut.y, cut.x, cut.bottom()),
            Rect::between(cut.right(), cut.y, self.right(), cut.bottom()),
        ] {
            if !part.is_empty() {
                each(part);
            }
        }
    }
}

/// A set of pixels as rectangles that don't overlap.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Region {
    rects: Vec<Rect>,
}

/// Rectangles of a region above which it is replaced by its bounding box: more are dearer to
/// handle than the pixels that they save.
const MAX_RECTS: usize = 64;

impl Region {
    /// The region of one rectangle.
    #[must_use]
    pub fn from_rect(rect: Rect) -> Region {
        let mut region = Region::default();
        region.add(rect);
        region
    }

    /// Holds no pixel.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.rects.is_empty()
    }

    /// Its rectangles.
    #[must_use]
    pub fn rects(&self) -> &[Rect] {
        &self.rects
    }

    /// Adds the pixels of `rect`.
    pub fn add(&mut self, rect: Rect) {
        if rect.is_empty() || self.rects.iter().any(|r| r.contains_rect(&rect)) {
            return;
        }
        self.remove(&rect);
        self.rects.push(rect);
        if self.rects.len() > MAX_RECTS {
            let bounds = self.bounds();
            self.rects.clear();
            self.rects.push(bounds);
        }
    }

    /// Takes the pixels of `hole` away.
    pub fn remove(&mut self, hole: &Rect) {
        if !self.rects.iter().any(|r| r.intersects(hole)) {
            return;
        }
        let mut left = Vec::with_capacity(self.rects.len() + 3);
        for rect in &self.rects {
            rect.subtract(hole, |part| left.push(part));
        }
        self.rects = left;
    }

    /// The part inside `rect`.
    #[must_use]
    pub fn clipped(&self, rect: &Rect) -> Region {
        let rects = self.rects.iter().map(|r| r.intersection(rect)).filter(|r| !r.is_empty()).collect();
        Region { rects }
    }

    /// The smallest rectangle around it.
    #[must_use]
    pub fn bounds(&self) -> Rect {
        self.rects.iter().fold(Rect::default(), |all, r| all.union(r))
    }

    /// The smallest rectangle around what it shares with `other`.
    #[must_use]
    pub fn common_bounds(&self, other: &Region) -> Rect {
        let mut all = Rect::default();
        for a in &self.rects {
            for b in &other.rects {
                all = all.union(&a.intersection(b));
            }
        }
        all
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn random_rect(rng: &mut fastrand::Rng) -> Rect {
        Rect::new(rng.i32(-4..28), rng.i32(-4..28), rng.u32(0..12), rng.u32(0..12))
    }

    /// A region must hold exactly the pixels that adding and removing them one by one leaves.
    #[test]
    fn regions_equal_sets_of_pixels() {
        let mut rng = fastrand::Rng::with_seed(1);
        for _ in 0..300 {
            let mut region = Region::default();
            let mut pixels = [[false; 48]; 48];
            for _ in 0..12 {
                let rect = random_rect(&mut rng);
                let add = rng.bool();
                if add {
                    region.add(rect)
                } else {
                    region.remove(&rect)
                }
                for (y, row) in (-8..40).zip(pixels.iter_mut()) {
                    for (x, pixel) in (-8..40).zip(row.iter_mut()) {
                        if rect.contains(x, y) {
                            *pixel = add;
                        }
                    }
                }
                for (y, row) in (-8..40).zip(&pixels) {
                    for (x, &pixel) in (-8..40).zip(row) {
                        let holders = region.rects().iter().filter(|r| r.contains(x, y)).count();
                        assert_eq!(holders, usize::from(pixel), "at {x}, {y}: {region:?}");
                    }
                }
            }
        }
    }

    #[test]
    fn extreme_rectangles_do_not_overflow() {
        let huge = Rect::new(i32::MIN, i32::MIN, u32::MAX, u32::MAX);
        assert_eq!(huge.intersection(&Rect::new(1, 2, 3, 4)), Rect::new(1, 2, 3, 4));
        let far = Rect::new(i32::MAX - 1, i32::MAX - 1, 100, 100);
        assert!(far.intersection(&huge).width <= 1);
        assert!(!far.grown(5, 5, 5, 5).is_empty());
    }
}
