//! What `blinkctl stats` shows of the glass.

use serde_json::{Value, json};

/// Durations that are kept for quantiles: a minute at 60 Hz.
const KEPT: usize = 3600;
/// Nanoseconds of a millisecond.
const MILLISECOND: f64 = 1e6;

/// The last durations of one kind.
#[derive(Clone, Debug, Default)]
pub struct Samples {
    /// Nanoseconds, a ring once it is full.
    values: Vec<u64>,
    next: usize,
}

impl Samples {
    /// Keeps a duration, nanoseconds.
    pub fn add(&mut self, value: u64) {
        if self.values.len() < KEPT {
            self.values.push(value);
        } else if let Some(slot) = self.values.get_mut(self.next) {
            *slot = value;
        }
        self.next = (self.next + 1) % KEPT;
    }

    /// Median, 99th percentile and greatest in milliseconds; `null` without samples.
    pub fn summary(&self) -> Value {
        let mut sorted = self.values.clone();
        sorted.sort_unstable();
        let at = |percent: usize| {
            let index = (sorted.len().saturating_sub(1) * percent).div_ceil(100);
            #[allow(clippy::cast_precision_loss, reason = "nanoseconds of seconds fit a double")]
            sorted.get(index).map(|&v| (v as f64 / MILLISECOND * 1000.0).round() / 1000.0)
        };
        json!({ "median": at(50), "p99": at(99), "max": at(100) })
    }
}

/// Counters of the glass.
#[derive(Clone, Debug, Default)]
pub struct Stats {
    /// Frames that changed the picture.
    pub composed: u64,
    /// Bytes copied out of windows' memory.
    pub copied: u64,
    /// Durations from the tick to the composed picture.
    pub latency: Samples,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles() {
        let mut samples = Samples::default();
        assert_eq!(samples.summary()["median"], Value::Null);
        for v in (1..=100).rev() {
            samples.add(v * 1_000_000);
        }
        assert_eq!(samples.summary(), json!({ "median": 51.0, "p99": 100.0, "max": 100.0 }));
        (0..2 * KEPT).for_each(|_| samples.add(7_000_000));
        assert_eq!(samples.summary(), json!({ "median": 7.0, "p99": 7.0, "max": 7.0 }));
    }
}
