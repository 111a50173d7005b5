//! How often renderers are started for clients that come: making one costs all, and clients come as often as they like.

use ipc::Owner;
use std::collections::BTreeMap;
use std::time::{Duration, Instant};

/// Classes of one owner that are started one after the other at once: as many as there are places for one user's processes, twice.
const BURST: u32 = 96;
/// After that, one in each of these. A new renderer compiles shaders, and is not held to its frames in its first second: with ten
/// a second, each of costly programs, an owner took most frames of a neighbour's on two cores.
const INTERVAL: Duration = Duration::from_millis(500);
/// Nobody waits for longer than so many of them: whoever floods is a user's program, and not all programs of that user.
const LONGEST: u32 = 4;

/// The starts of owners that have some to pay for.
#[derive(Debug, Default)]
pub struct Pacing {
    /// When all that an owner started is paid for.
    paid: BTreeMap<Owner, Instant>,
}

impl Pacing {
    /// When the next class of an owner is to be started.
    pub fn next(&mut self, owner: Owner, now: Instant) -> Instant {
        self.paid.retain(|_, paid| *paid > now);
        let paid = self.paid.entry(owner).or_insert(now);
        *paid = (*paid + INTERVAL).min(now + INTERVAL * (BURST + LONGEST));
        paid.checked_sub(INTERVAL * BURST).map_or(now, |start| start.max(now))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whoever_comes_again_and_again_waits_and_others_do_not() {
        let start = Instant::now() + Duration::from_secs(1000);
        let mut pacing = Pacing::default();
        let waits: Vec<u128> =
            (0..BURST + 3).map(|_| (pacing.next(Owner::User(7), start) - start).as_millis()).collect();
        let at_once = usize::try_from(BURST).unwrap();
        assert!(waits[..at_once].iter().all(|&wait| wait == 0));
        assert_eq!(waits[at_once..], [500, 1000, 1500]);
        assert_eq!(pacing.next(Owner::User(8), start), start);
        let longest = (0..1_000).map(|_| pacing.next(Owner::User(7), start)).max().unwrap();
        assert_eq!(longest - start, Duration::from_secs(2));
        let later = start + Duration::from_secs(60);
        assert_eq!(pacing.next(Owner::User(7), later), later);
        assert_eq!(pacing.paid.len(), 1, "what is paid is forgotten");
    }
}
