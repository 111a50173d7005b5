//! What `blinkctl stats` shows: counters, and intervals between events.

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

/// Counters of a client.
#[derive(Clone, Debug, Default)]
pub struct ClientStats {
    /// Runs of `update`.
    pub updates: u64,
    /// Runs of `redraw`.
    pub redraws: u64,
    /// Runs of `input`.
    pub inputs: u64,
    /// Scans that found something.
    pub scans: u64,
    /// Procedures accepted.
    pub procedures: u64,
    /// Procedures refused.
    pub refusals: u64,
    /// Bytes copied in.
    pub copied_bytes: u64,
    /// Those of them that were procedures.
    pub program_bytes: u64,
    /// Intervals between updates.
    pub update_intervals: Samples,
    /// Intervals between frames that ran `redraw`.
    pub redraw_intervals: Samples,
    /// Durations of scans.
    pub scan_time: Samples,
    /// Durations from a procedure's words to a program that can run.
    pub accept_time: Samples,
    /// Procedures that were in the cache, published before by this client or another.
    pub cached_procedures: u64,
    /// Procedures whose compilation failed or took too long.
    pub not_compiled: u64,
    /// Durations of `redraw`, GL calls included, those of all slices together.
    pub redraw_time: Samples,
    /// Runs that were suspended.
    pub suspended: u64,
    /// Slices of suspended runs.
    pub slices: u64,
    /// Draw calls.
    pub gl_draws: u64,
    /// GL state calls.
    pub gl_state_calls: u64,
    /// Bytes uploaded to the GPU.
    pub uploaded_bytes: u64,
}

impl ClientStats {
    /// As `blinkctl stats` gives them.
    #[must_use]
    pub fn to_json(&self) -> Value {
        json!({
            "updates": self.updates,
            "redraws": self.redraws,
            "inputs": self.inputs,
            "scans": self.scans,
            "procedures": self.procedures,
            "refusals": self.refusals,
            "copied_bytes": self.copied_bytes,
            "uploaded_bytes": self.uploaded_bytes,
            "update_interval_ms": self.update_intervals.summary(MILLISECOND),
            "redraw_interval_ms": self.redraw_intervals.summary(MILLISECOND),
            "scan_us": self.scan_time.summary(MICROSECOND),
            "accept_us": self.accept_time.summary(MICROSECOND),
            "cached_procedures": self.cached_procedures,
            "not_compiled": self.not_compiled,
            "redraw_us": self.redraw_time.summary(MICROSECOND),
            "suspended": self.suspended,
            "slices": self.slices,
            "gl_draws": self.gl_draws,
            "gl_state_calls": self.gl_state_calls,
        })
    }
}

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
}
