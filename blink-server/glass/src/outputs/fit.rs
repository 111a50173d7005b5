//! A picture in a window of another size: scaled by one factor to fit, in the middle, black around it.

use ipc::geometry::Rect;

/// How a picture lies in a window.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Fit {
    /// Pixels of the picture.
    picture: (u32, u32),
    /// Where it lies in the window, pixels of that.
    area: Rect,
}

impl Fit {
    /// A picture in a window of these sizes, in pixels.
    pub fn new(picture: (u32, u32), window: (u32, u32)) -> Fit {
        let (picture_width, picture_height) = (u64::from(picture.0.max(1)), u64::from(picture.1.max(1)));
        let (width, height) = (u64::from(window.0), u64::from(window.1));
        let (wide, high) = if width * picture_height <= height * picture_width {
            (width, width * picture_height / picture_width)
        } else {
            (height * picture_width / picture_height, height)
        };
        let middle = |side: u64, part: u64| i32::try_from((side - part) / 2).unwrap_or(0);
        let side = |side: u64| u32::try_from(side).unwrap_or(u32::MAX);
        let area = Rect::new(middle(width, wide), middle(height, high), side(wide), side(high));
        Fit { picture, area }
    }

    /// Where the picture lies in the window.
    pub fn area(&self) -> Rect {
        self.area
    }

    /// Has the picture the size that it has in the window?
    pub fn is_exact(&self) -> bool {
        self.picture == (self.area.width, self.area.height)
    }

    /// The place in the picture that shows at a place of the window.
    pub fn to_picture(&self, x: f64, y: f64) -> (f64, f64) {
        let scale = |at: f64, from: i32, picture: u32, part: u32| {
            (at - f64::from(from)) * f64::from(picture) / f64::from(part.max(1))
        };
        (
            scale(x, self.area.x, self.picture.0, self.area.width),
            scale(y, self.area.y, self.picture.1, self.area.height),
        )
    }

    /// Pixels of the window that show some of a part of the picture.
    pub fn to_window(&self, part: &Rect) -> Rect {
        let scale = |at: i32, round_up: bool, picture: u32, part: u32, from: i32| {
            let product = i64::from(at) * i64::from(part);
            let picture = i64::from(picture.max(1));
            let at = if round_up {
                (product + picture - 1).div_euclid(picture)
            } else {
                product.div_euclid(picture)
            };
            from.saturating_add(i32::try_from(at).unwrap_or(i32::MAX))
        };
        let Fit { picture: (width, height), area } = *self;
        Rect::between(
            scale(part.x, false, width, area.width, area.x),
            scale(part.y, false, height, area.height, area.y),
            scale(part.right(), true, width, area.width, area.x),
            scale(part.bottom(), true, height, area.height, area.y),
        )
        .intersection(&area)
    }

    /// The column of the picture that shows in a column of the window.
    pub fn column(&self, x: i32) -> usize {
        index(x.saturating_sub(self.area.x), self.picture.0, self.area.width)
    }

    /// The row of the picture that shows in a row of the window.
    pub fn row(&self, y: i32) -> usize {
        index(y.saturating_sub(self.area.y), self.picture.1, self.area.height)
    }
}

fn index(at: i32, picture: u32, part: u32) -> usize {
    let at = u64::from(at.max(0).cast_unsigned()) * u64::from(picture) / u64::from(part.max(1));
    usize::try_from(at).unwrap_or(usize::MAX).min((picture as usize).saturating_sub(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What shows at a pixel of the window is what a click there hits.
    #[test]
    fn what_shows_is_hit() {
        let mut rng = fastrand::Rng::with_seed(1);
        for _ in 0..2000 {
            let picture = (rng.u32(1..2000), rng.u32(1..2000));
            let fit = Fit::new(picture, (rng.u32(1..2000), rng.u32(1..2000)));
            if fit.area().is_empty() {
                continue;
            }
            let area = fit.area();
            let x = rng.i32(area.x..area.right());
            let y = rng.i32(area.y..area.bottom());
            let (px, py) = fit.to_picture(f64::from(x), f64::from(y));
            let shown = [fit.column(x), fit.row(y)].map(|at| i32::try_from(at).unwrap());
            #[allow(clippy::cast_possible_truncation, reason = "small")]
            let hit = [(px + 1e-9).floor() as i32, (py + 1e-9).floor() as i32];
            assert_eq!(shown, hit, "{x}, {y} of {fit:?}");
            let part = Rect::new(shown[0], shown[1], 1, 1);
            assert!(fit.to_window(&part).contains(x, y));
        }
    }

    #[test]
    fn a_picture_of_twice_the_size() {
        let fit = Fit::new((800, 600), (400, 300));
        assert_eq!((fit.area(), fit.is_exact()), (Rect::new(0, 0, 400, 300), false));
        assert_eq!(fit.to_picture(200.0, 150.0), (400.0, 300.0));
        let fit = Fit::new((400, 300), (1000, 300));
        assert_eq!((fit.area(), fit.is_exact()), (Rect::new(300, 0, 400, 300), true));
        assert_eq!(fit.to_picture(300.0, 0.0), (0.0, 0.0));
    }
}
