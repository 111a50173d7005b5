//! Steps of a wheel, out of what the desktop says of it.

use std::time::{Duration, Instant};

/// Time between the press and the release of a button that stands for a wheel, at most.
const PAIR: Duration = Duration::from_millis(100);

/// What is known of the device that turned last.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    /// It tells how far it turned.
    Axis,
    /// It presses and releases a button for each notch (VNC, XTEST), and winit makes a turn of both; or nothing is known.
    Buttons,
}

/// Counts steps.
#[derive(Debug)]
pub struct Wheel {
    kind: Kind,
    /// A fraction of a step.
    rest: f64,
    /// A turn that may be a press, whose release comes next.
    press: Option<(f64, Instant)>,
}

impl Default for Wheel {
    fn default() -> Wheel {
        Wheel { kind: Kind::Buttons, rest: 0.0, press: None }
    }
}

impl Wheel {
    /// A device told how far it turned.
    pub fn is_axis(&mut self) {
        self.kind = Kind::Axis;
    }

    /// A device pressed a button that stands for a wheel.
    pub fn is_buttons(&mut self) {
        self.kind = Kind::Buttons;
    }

    /// The wheel turned by `lines`, positive away from the user. Gives whole steps.
    pub fn turn(&mut self, lines: f64, now: Instant) -> i32 {
        if self.kind == Kind::Buttons && lines.abs() == 1.0 {
            let press = self.press.take();
            if press.is_some_and(|(before, at)| before == lines && now.saturating_duration_since(at) < PAIR) {
                return 0;
            }
            self.press = Some((lines, now));
        }
        self.rest += if lines.is_finite() { lines } else { 0.0 };
        let steps = self.rest.trunc();
        self.rest -= steps;
        #[allow(clippy::cast_possible_truncation, reason = "`as` saturates")]
        let steps = steps as i32;
        steps
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_notch_is_a_step() {
        let begin = Instant::now();
        let at = |ms| begin + Duration::from_millis(ms);
        let mut wheel = Wheel::default();
        let buttons =
            [(1.0, 0), (1.0, 1), (1.0, 20), (1.0, 60), (-1.0, 61), (-1.0, 62), (1.0, 300), (1.0, 310)];
        let steps: i32 = buttons[..4].iter().map(|&(lines, ms)| wheel.turn(lines, at(ms))).sum();
        assert_eq!(steps, 2);
        let steps: Vec<i32> = buttons[4..].iter().map(|&(lines, ms)| wheel.turn(lines, at(ms))).collect();
        assert_eq!(steps, [-1, 0, 1, 0]);
        wheel.is_axis();
        let steps: i32 = (0..10).map(|ms| wheel.turn(1.0, at(400 + ms))).sum();
        assert_eq!(steps, 10);
        let steps: i32 = (0..10).map(|ms| wheel.turn(0.25, at(500 + ms))).sum();
        assert_eq!(steps, 2);
        wheel.is_buttons();
        assert_eq!((wheel.turn(f64::NAN, at(600)), wheel.turn(1e300, at(600))), (0, i32::MAX));
    }
}
