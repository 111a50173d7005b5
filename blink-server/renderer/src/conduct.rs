//! What a client did that others of its class pay for, and for how long it is held against it. It is forgotten when the
//! client goes: another program of the same user is another program.

use ipc::limits::{
    FIRST_SLOW_SECONDS, LATE_FRAMES, MIN_SLICE_MICROSECONDS, REST_AFTER_WHOLE, SLOW_SECONDS, STRIKE_SECONDS,
    STRIKES,
};
use std::collections::VecDeque;

/// Seconds as nanoseconds.
pub(super) const fn seconds(seconds: u64) -> u64 {
    seconds.saturating_mul(1_000_000_000)
}

/// A client's conduct. Times are nanoseconds, those of frames.
#[derive(Clone, Debug, Default)]
pub struct Conduct {
    /// Until then, windows that it makes are slow from the start.
    slow_until: u64,
    /// The last frames in which its runs went past their slices.
    strikes: VecDeque<u64>,
    /// Until then, the steps of its windows are small.
    small_until: u64,
    /// Until then (by the tracker's clock), its suspended runs have no slices.
    rests_until: u64,
}

impl Conduct {
    /// A run went past its slice. Was that once too often? A first picture waits for the driver to compile shaders, and a
    /// machine may be busy with something else for a moment: what goes past in one frame is one strike.
    pub fn strike(&mut self, now: u64) -> bool {
        self.strikes.retain(|&at| now.saturating_sub(at) < seconds(STRIKE_SECONDS));
        if self.strikes.back() != Some(&now) {
            self.strikes.push_back(now);
        }
        let is_too_often = self.strikes.len() >= STRIKES || self.is_slow(now);
        if is_too_often {
            self.strikes.clear();
            self.stays_slow(now);
        }
        is_too_often
    }

    /// Is it a client whose windows are slow, and which was told?
    #[must_use]
    pub fn is_slow(&self, now: u64) -> bool {
        self.slow_until > now
    }

    /// Until when its new windows are slow.
    #[must_use]
    pub fn slow_until(&self, now: u64) -> Option<u64> {
        Some(self.slow_until).filter(|&until| until > now)
    }

    /// Do the steps of its windows stay small?
    #[must_use]
    pub fn has_small_steps(&self, now: u64) -> bool {
        self.small_until > now
    }

    /// A step of one of its windows ended so long after its slice. Some frames' time is held against it. Less may be the machine's
    /// fault, which is busy with something else: the clock of the wall does not tell, and small steps cost a window many
    /// times its time.
    pub fn was_late(&mut self, late: u64, refresh: u64, now: u64) {
        if late > refresh.saturating_mul(LATE_FRAMES) {
            self.small_until = self.small_until.max(now.saturating_add(seconds(SLOW_SECONDS)));
        }
    }

    /// What can't be cut took a suspended run so long, until `time` by the tracker's clock. If it cost the others a part of a
    /// frame, they have the next hundred. But a rest is short: a driver that once takes long for a shader must not stop a window
    /// that was never drawn.
    pub fn rest_after(&mut self, whole: u64, time: u64) {
        if whole > MIN_SLICE_MICROSECONDS * 1000 {
            let rest = whole.saturating_mul(REST_AFTER_WHOLE).min(seconds(FIRST_SLOW_SECONDS));
            self.rests_until = self.rests_until.max(time.saturating_add(rest));
        }
    }

    /// Have its suspended runs no slices?
    #[must_use]
    pub fn rests(&self, time: u64) -> bool {
        self.rests_until > time
    }

    /// It is slow for a while from now on.
    pub fn stays_slow(&mut self, now: u64) {
        self.slow_until = self.slow_until.max(now.saturating_add(seconds(SLOW_SECONDS)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_took_long_rests_a_hundred_times_as_long_but_not_for_ever() {
        let rest = |whole| {
            let mut conduct = Conduct::default();
            conduct.rest_after(whole, 7);
            conduct.rests_until.saturating_sub(7)
        };
        assert_eq!(rest(MIN_SLICE_MICROSECONDS * 1000), 0);
        assert_eq!(rest(seconds(1) / 100), seconds(1));
        assert_eq!(rest(seconds(40)), seconds(FIRST_SLOW_SECONDS));
        assert_eq!(rest(u64::MAX), seconds(FIRST_SLOW_SECONDS));
    }

    #[test]
    fn three_strikes_within_a_time_are_too_often() {
        let mut conduct = Conduct::default();
        let time = seconds(STRIKE_SECONDS);
        for frame in [0, 1, time, time + 1, 2 * time] {
            assert!(!conduct.strike(frame), "at {frame}");
            assert!(!conduct.strike(frame), "one in a frame");
        }
        assert!(!conduct.strike(2 * time + 1));
        let now = 2 * time + 2;
        assert!(!conduct.is_slow(now) && conduct.strike(now));
        assert!(conduct.strike(now + time) && conduct.is_slow(now + time), "it was told");
        let later = now + time + seconds(SLOW_SECONDS);
        assert!(!conduct.is_slow(later) && !conduct.strike(later));
    }

    #[test]
    fn steps_stay_small_after_a_late_one() {
        let mut conduct = Conduct::default();
        conduct.was_late(10 * LATE_FRAMES, 10, 1);
        assert!(!conduct.has_small_steps(1));
        conduct.was_late(10 * LATE_FRAMES + 1, 10, 1);
        let until = 1 + seconds(SLOW_SECONDS);
        assert!(conduct.has_small_steps(until - 1) && !conduct.has_small_steps(until));
    }
}
