//! Intervals and durations that `blinkctl stats` shows as quantiles.

use serde_json::{Value, json};

/// Intervals that are kept for quantiles: a minute at 60 Hz.
const KEPT: usize = 3600;

/// The last intervals between events of one kind, or durations.
#[derive(Clone, Debug, Default)]
pub struct Samples {
    /// Nanoseconds, a ring once it is full.
    values: Vec<u64>,
    next: usize,
    last_event: Option<u64>,
}

impl Samples {
    /// An event happened at `now` (nanoseconds): keeps the interval since the one before.
    pub fn event(&mut self, now: u64) {
        if let Some(last) = self.last_event.replace(now) {
            self.add(now.saturating_sub(last));
        }
    }

    /// Keeps a duration in nanoseconds.
    pub fn add(&mut self, value: u64) {
        if self.values.len() < KEPT {
            self.values.push(value);
        } else if let Some(slot) = self.values.get_mut(self.next) {
            *slot = value;
        }
        self.next = (self.next + 1) % KEPT;
    }

    /// Median, 99th percentile and greatest, in units of `unit` nanoseconds; `null` without samples.
    #[must_use]
    pub fn summary(&self, unit: f64) -> Value {
        let mut sorted = self.values.clone();
        sorted.sort_unstable();
        let at = |percent: usize| {
            let index = (sorted.len().saturating_sub(1) * percent).div_ceil(100);
            #[allow(clippy::cast_precision_loss, reason = "nanoseconds of seconds fit a double")]
            sorted.get(index).map(|&v| (v as f64 / unit * 1000.0).round() / 1000.0)
        };
        json!({ "median": at(50), "p99": at(99), "max": at(100) })
    }
}

/// Nanoseconds of a millisecond.
pub const MILLISECOND: f64 = 1e6;
/// Nanoseconds of a microsecond.
pub const MICROSECOND: f64 = 1e3;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles() {
        let mut samples = Samples::default();
        assert_eq!(samples.summary(1.0)["median"], Value::Null);
        for v in (1..=100).rev() {
            samples.add(v);
        }
        assert_eq!(samples.summary(1.0), json!({ "median": 51.0, "p99": 100.0, "max": 100.0 }));
        let mut events = Samples::default();
        for t in [5, 15, 35] {
            events.event(t);
        }
        assert_eq!(events.summary(1.0)["max"], 20.0);
    }
    #[test]
    fn only_the_last_durations_count() {
        let mut samples = Samples::default();
        assert_eq!(samples.summary(MILLISECOND)["median"], Value::Null);
        for v in (1..=100).rev() {
            samples.add(v * 1_000_000);
        }
        assert_eq!(samples.summary(MILLISECOND), json!({ "median": 51.0, "p99": 100.0, "max": 100.0 }));
        (0..2 * KEPT).for_each(|_| samples.add(7_000_000));
        assert_eq!(samples.summary(MILLISECOND), json!({ "median": 7.0, "p99": 7.0, "max": 7.0 }));
    }
}
