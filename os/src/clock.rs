//! The clock that all processes of Blink share.

use rustix::time::ClockId;

/// Nanoseconds of the monotonic clock: the same for every process and every life of it.
#[must_use]
pub fn now() -> u64 {
    let time = rustix::time::clock_gettime(ClockId::Monotonic);
    let [seconds, nanoseconds] = [time.tv_sec, time.tv_nsec].map(|t| u64::try_from(t).unwrap_or(0));
    seconds.saturating_mul(1_000_000_000).saturating_add(nanoseconds)
}
