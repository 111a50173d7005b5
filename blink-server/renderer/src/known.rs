//! What is known of clients that are gone: whoever connects again is the same, for a while.

use super::conduct::{Conduct, seconds};
use blinkgl::limits::{MAX_CLIENTS, SLOW_SECONDS};
use gl::Allowance;
use ipc::Owner;
use std::collections::BTreeMap;

/// What is kept of a client.
#[derive(Clone, Debug, Default)]
pub(super) struct Kept {
    /// What it did that others pay for.
    pub(super) conduct: Conduct,
    /// Compilations that were late.
    pub(super) late_compiles: u32,
    /// Shaders that may be compiled for it without being its time; `None`: all.
    pub(super) shaders: Option<Allowance>,
}

/// What is kept, by who it was.
#[derive(Debug, Default)]
pub(super) struct Known {
    /// And until when.
    owners: BTreeMap<Owner, (Kept, u64)>,
}

impl Known {
    /// A client is gone. Who had several is known for the worst of each.
    pub(super) fn keep(&mut self, owner: Owner, kept: Kept, now: u64) {
        self.forget_old(now);
        if self.owners.len() >= 2 * MAX_CLIENTS && !self.owners.contains_key(&owner) {
            let oldest = self.owners.iter().min_by_key(|(_, (_, until))| *until).map(|(&owner, _)| owner);
            oldest.map(|oldest| self.owners.remove(&oldest));
        }
        let (known, until) = self.owners.entry(owner).or_default();
        *until = now.saturating_add(seconds(SLOW_SECONDS));
        known.conduct.join(&kept.conduct);
        known.late_compiles = known.late_compiles.max(kept.late_compiles);
        known.shaders = match (known.shaders, kept.shaders) {
            (Some(a), Some(b)) => Some(a.lesser(b)),
            (one, other) => one.or(other),
        };
    }

    /// One comes.
    pub(super) fn recall(&mut self, owner: Owner, now: u64) -> Option<Kept> {
        self.forget_old(now);
        self.owners.get(&owner).map(|(kept, _)| kept.clone())
    }

    fn forget_old(&mut self, now: u64) {
        self.owners.retain(|_, (_, until)| *until > now);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_comes_again_is_known_for_a_while() {
        let mut known = Known::default();
        let user = Owner::User(7);
        let mut conduct = Conduct::default();
        conduct.was_late(u64::MAX, 1, 5);
        known.keep(user, Kept { conduct, late_compiles: 3, ..Kept::default() }, 5);
        known.keep(user, Kept { late_compiles: 1, ..Kept::default() }, 6);
        let kept = known.recall(user, 7).unwrap();
        assert_eq!(kept.late_compiles, 3);
        assert!(kept.conduct.has_small_steps(7) && known.recall(Owner::User(8), 7).is_none());
        assert!(known.recall(user, 6 + seconds(SLOW_SECONDS)).is_none());
        for user in 0..1000 {
            known.keep(Owner::User(user), Kept::default(), u64::from(user));
        }
        assert_eq!(known.owners.len(), 2 * MAX_CLIENTS);
        assert!(known.recall(Owner::User(999), 999).is_some());
    }
}
