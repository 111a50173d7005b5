//! What was done, so that a run can say that it tested something.

use verifier::Rule;

/// What was done so far.
#[derive(Clone, Debug, Default)]
pub struct Stats {
    /// Programs given to the verifier, each counted once.
    pub executions: u64,
    /// Of these, accepted.
    pub accepted: u64,
    /// Programs run by native code.
    pub compiled: u64,
    /// Programs run from the cache.
    pub cached: u64,
    /// Yield points passed.
    pub yields: u64,
    /// Runs suspended.
    pub suspended: u64,
    /// Runs that a limit ended.
    pub stops: u64,
    /// Points, lines and triangles drawn by the reference.
    pub primitives: u64,
    /// Refusals, by rule.
    pub rules: Rules,
}

/// Counts by rule.
#[derive(Clone, Copy, Debug)]
pub struct Rules(pub(crate) [u64; 64]);

impl Default for Rules {
    fn default() -> Rules {
        Rules([0; 64])
    }
}

impl Rules {
    /// How often a rule was met.
    #[must_use]
    pub fn of(&self, rule: Rule) -> u64 {
        self.0[rule.number() as usize]
    }
}

impl Stats {
    /// Adds another's.
    pub fn add(&mut self, other: &Stats) {
        self.executions += other.executions;
        self.accepted += other.accepted;
        self.compiled += other.compiled;
        self.cached += other.cached;
        self.yields += other.yields;
        self.suspended += other.suspended;
        self.stops += other.stops;
        self.primitives += other.primitives;
        for (sum, n) in self.rules.0.iter_mut().zip(other.rules.0) {
            *sum += n;
        }
    }

    /// Rules that were met.
    #[must_use]
    pub fn rules_met(&self) -> usize {
        Rule::ALL.iter().filter(|rule| self.rules.of(**rule) > 0).count()
    }
}
