//! What `blinkctl stats` shows of the glass.

use ipc::samples::Samples;

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
