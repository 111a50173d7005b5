//! When to start a process again that died.

use rustix::process::Signal;
use std::time::Duration;

/// Longest wait before the next start, in a loop of crashes.
const MAX_DELAY: Duration = Duration::from_secs(1);
/// First wait, after the second crash in a row.
const FIRST_DELAY: Duration = Duration::from_millis(50);
/// A process that lived so long ends a loop of crashes.
const GOOD_LIFE: Duration = Duration::from_secs(10);

/// A process that was killed after such a life is not to blame.
const KILLED_LIFE: Duration = Duration::from_secs(1);

/// The signal that ended a process, of its exit status as Rust writes it: `signal: 9 (SIGKILL)`, `signal: 9`.
#[must_use]
pub fn signal_of(status: &str) -> Option<Signal> {
    let number = status.strip_prefix("signal: ")?.split(' ').next()?;
    number.parse().ok().and_then(Signal::from_named_raw)
}

/// Was a process killed that had done well: by hand, most likely, or for lack of memory that others took? That is no sign that the
/// next one would die, too. (Of one that this server killed, this is not asked.)
#[must_use]
pub fn is_forgiven(life: Duration, status: &str) -> bool {
    signal_of(status) == Some(Signal::KILL) && life >= KILLED_LIFE
}

/// When to start the next process after one died.
#[derive(Clone, Copy, Debug, Default)]
pub struct Backoff {
    /// Deaths in a row: all but the first after a short life.
    deaths: u32,
    /// Deaths in a row, each after a short life.
    short: u32,
}

impl Backoff {
    /// The wait before the next start: none after a good life or for the first death, then twice as long each time.
    pub fn after(&mut self, life: Duration) -> Duration {
        if life >= GOOD_LIFE {
            *self = Backoff::default();
        } else {
            self.short = self.short.saturating_add(1);
        }
        let delay = match self.deaths {
            0 => Duration::ZERO,
            n => FIRST_DELAY.saturating_mul(1 << (n - 1).min(10)).min(MAX_DELAY),
        };
        self.deaths = self.deaths.saturating_add(1);
        delay
    }

    /// As [`Backoff::after`], of a process whose exit status is known: one that was killed by hand after it did well is no loop of
    /// crashes.
    pub fn after_end(&mut self, life: Duration, status: &str) -> Duration {
        let delay = self.after(life);
        if is_forgiven(life, status) {
            self.forgive();
        }
        delay
    }

    /// The last death counts no more: it was no fault of the process.
    pub fn forgive(&mut self) {
        (self.short, self.deaths) = (self.short.saturating_sub(1), self.deaths.saturating_sub(1));
    }

    /// Deaths in a row, each after a short life.
    #[must_use]
    pub fn short_lives(&self) -> u32 {
        self.short
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn crash_loops_slow_down_and_recover() {
        let mut backoff = Backoff::default();
        let short = Duration::from_millis(5);
        let delays: Vec<u128> = (0..9).map(|_| backoff.after(short).as_millis()).collect();
        assert_eq!(delays, [0, 50, 100, 200, 400, 800, 1000, 1000, 1000]);
        assert_eq!(backoff.short_lives(), 9);
        assert_eq!(backoff.after(GOOD_LIFE), Duration::ZERO);
        assert_eq!((backoff.after(short).as_millis(), backoff.short_lives()), (50, 1));
        backoff.forgive();
        assert_eq!(backoff.after_end(Duration::from_secs(2), "signal: 9 (SIGKILL)").as_millis(), 50);
        assert_eq!((backoff.after(short).as_millis(), backoff.short_lives()), (50, 1));
    }
}
