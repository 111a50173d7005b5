//! What others do wrong, in the log: they decide how much that is, so it is held back.

use ipc::throttle::Throttle;
use std::fmt::Arguments;
use std::time::Instant;

/// Characters of another's text that are written somewhere.
const MAX_CHARACTERS: usize = 200;

/// Text of another process, without what could fool a terminal, and not too long.
#[must_use]
pub fn excerpt(untrusted: &str) -> String {
    let cut: String = untrusted.chars().take(MAX_CHARACTERS).collect();
    cut.escape_debug().to_string().replace("\\\"", "\"").replace("\\'", "'")
}

/// Warnings about whoever connects.
#[derive(Debug)]
pub struct Warnings {
    started: Instant,
    throttle: Throttle,
}

impl Default for Warnings {
    fn default() -> Warnings {
        Warnings { started: Instant::now(), throttle: Throttle::default() }
    }
}

impl Warnings {
    /// Nanoseconds since the broker started.
    #[must_use]
    pub fn now(&self) -> u64 {
        u64::try_from(self.started.elapsed().as_nanos()).unwrap_or(u64::MAX)
    }

    /// Writes a warning, unless they fill the log.
    pub fn warn(&mut self, text: Arguments<'_>) {
        let now = self.now();
        warn(&mut self.throttle, now, "connections", text);
    }
}

/// Writes a warning about something that has a throttle of its own. `now`: nanoseconds since some start.
pub fn warn(throttle: &mut Throttle, now: u64, what: &str, text: Arguments<'_>) {
    if let Some(held) = throttle.admit(now) {
        if held > 0 {
            log::warn!("{held} more warnings about {what} were not written");
        }
        log::warn!("{text}");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_of_others_are_short_and_harmless() {
        assert_eq!(excerpt("a \"b\" 'c'\u{1b}[0m\n"), "a \"b\" 'c'\\u{1b}[0m\\n");
        assert_eq!(excerpt(&"x".repeat(10_000)).len(), MAX_CHARACTERS);
    }
}
