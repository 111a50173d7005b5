//! How much of a client's mistakes goes to the log: a client decides how many it makes.

use crate::limits::MAX_LOG_LINES;

/// Nanoseconds for which [`MAX_LOG_LINES`] are allowed.
const PERIOD: u64 = 10_000_000_000;

/// Counts lines.
#[derive(Clone, Copy, Debug, Default)]
pub struct Throttle {
    /// The period that `lines` is of: time over [`PERIOD`].
    period: u64,
    lines: u32,
    held: u64,
}

impl Throttle {
    /// May a line be written at `now` (nanoseconds)? With it, how many were held back since the last.
    pub fn admit(&mut self, now: u64) -> Option<u64> {
        if self.period != now / PERIOD {
            *self = Throttle { period: now / PERIOD, lines: 0, held: self.held };
        }
        if self.lines >= MAX_LOG_LINES {
            self.held += 1;
            return None;
        }
        self.lines += 1;
        Some(std::mem::take(&mut self.held))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flood_is_ten_lines_and_a_count() {
        let mut throttle = Throttle::default();
        let written = (0..1_000_000).filter(|&i| throttle.admit(i).is_some()).count();
        assert_eq!(written, 10);
        assert_eq!(throttle.admit(PERIOD), Some(999_990));
        assert_eq!(throttle.admit(PERIOD), Some(0));
    }
}
