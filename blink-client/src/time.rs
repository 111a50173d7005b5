//! The server's clock, for a client whose own machine has another one: what the server last told, and how long ago
//! that is at most.

use core::cell::Cell;

/// How much faster than the server's this machine's clock may be: nanoseconds a second.
const DRIFT: u64 = 200_000;

/// How far the server's clock is ahead of ours.
#[derive(Clone, Copy, Debug)]
struct Offset {
    /// Added to our time, wrapping.
    ahead: u64,
    /// Our time when it was found.
    found: u64,
}

/// An estimate that gets better with each look at the server's clock.
#[derive(Debug, Default)]
pub(crate) struct Estimate(Cell<Option<Offset>>);

impl Estimate {
    /// The server's time now, where its clock said `told` some time ago, and ours says `ours` now.
    pub fn now(&self, told: u64, ours: u64) -> u64 {
        // What was told is old by an unknown time, so that of all offsets the greatest is the best, but for the drift.
        let sample = told.wrapping_sub(ours);
        let ahead = match self.0.get() {
            None => sample,
            Some(Offset { ahead, found }) => {
                let seconds = ours.saturating_sub(found) / 1_000_000;
                let kept = ahead.wrapping_sub(seconds.saturating_mul(DRIFT) / 1000);
                // As signed numbers: either clock may be ahead.
                if sample.wrapping_sub(kept).cast_signed() > 0 { sample } else { ahead }
            }
        };
        if self.0.get().is_none_or(|offset| offset.ahead != ahead) {
            self.0.set(Some(Offset { ahead, found: ours }));
        }
        ours.wrapping_add(ahead)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: u64 = 1_000_000_000;

    #[test]
    fn the_freshest_word_counts() {
        for (ahead, name) in [(1000 * SECOND, "server"), ((1000 * SECOND).wrapping_neg(), "client")] {
            let estimate = Estimate::default();
            let server = |ours: u64| ours.wrapping_add(ahead);
            let start = 5000 * SECOND;
            // The server's words are 5, 1 and 9 ms old when we look at them.
            for (at, age, error) in [(0, 5, 5), (20, 1, 1), (40, 9, 1), (60, 100, 1)] {
                let ours = start + at * 1_000_000;
                let now = estimate.now(server(ours) - age * 1_000_000, ours);
                assert_eq!(server(ours) - now, error * 1_000_000, "{name} ahead, {at} ms");
            }
            // Nobody tells anything for a minute: our clock goes on.
            let told = server(start + 60_000_000);
            assert_eq!(server(start + 60 * SECOND) - estimate.now(told, start + 60 * SECOND), 1_000_000);
        }
    }

    /// Our clock is faster than the server's: what was the best offset once is too much later.
    #[test]
    fn a_clock_that_drifts_is_followed() {
        let estimate = Estimate::default();
        let mut worst = 0;
        for second in 0..10_000_u64 {
            let server = 1000 * SECOND + second * SECOND;
            // 100 ppm.
            let ours = second * SECOND + second * 100_000;
            worst = estimate.now(server - 2_000_000, ours).abs_diff(server).max(worst);
        }
        assert!(worst <= 3_000_000, "{worst} ns off");
    }
}
