//! What `blinkctl stats` shows: counters of a client.

use ipc::samples::{MICROSECOND, MILLISECOND, Samples};
use serde_json::{Value, json};

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
