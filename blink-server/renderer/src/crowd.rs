//! Do the quick runs of all clients take more than their part of the frames together, though none of them goes past its
//! slice? By time and not by frames: clients that are heavy in one frame of three, all in the same one, are a crowd too.

use blinkgl::limits::FRAME_PARTS;
use ipc::{ClientId, Owner};
use std::collections::BTreeMap;

/// Frames that must have taken too long before somebody is slow for it: a machine that is busy with something else for a
/// moment is no reason.
const CROWDED_FRAMES: u32 = 3;

/// What part of what a frame has for quick runs is forgotten of those that took too long, in a frame that has time for all. Were
/// it the whole, they could make one frame of two late.
const FORGETTING: u64 = 8;

/// What quick runs took too long together.
#[derive(Debug, Default)]
pub(super) struct Crowd {
    /// Nanoseconds.
    over: u64,
    /// Since it was 0 last: frames that took too long, and what was taken beyond the shares in them.
    frames: u32,
    owners: BTreeMap<Owner, u64>,
    clients: BTreeMap<ClientId, (Owner, u64)>,
    /// The last frame's refresh interval, and what it took.
    last: Option<(u64, u64)>,
}

/// What a client's quick runs took in a frame, in nanoseconds.
#[derive(Clone, Copy, Debug)]
pub(super) struct Used {
    pub(super) client: ClientId,
    pub(super) owner: Owner,
    pub(super) time: u64,
}

impl Crowd {
    /// The quick runs of the frame of interval `tick` took so long. Gives the client that is to be slow for it: of the owner
    /// who took most beyond a fair share in frames that had no time for all, the client that did so. Who stays within a share is
    /// never slow for what others take, and it does not help to have several clients.
    pub(super) fn judge(&mut self, tick: u64, refresh: u64, used: &[Used]) -> Option<ClientId> {
        let part = refresh / FRAME_PARTS;
        let all = used.iter().fold(0, |all: u64, used| all.saturating_add(used.time));
        // Intervals without a frame had time for all, but not those that passed because a frame took so long.
        let idle = self.last.map_or(0, |(last, took)| {
            tick.saturating_sub(last).saturating_sub(1).saturating_sub(took / refresh.max(1))
        });
        self.last = Some((tick, all));
        self.over = self.over.saturating_sub(idle.saturating_mul(part / FORGETTING));
        match all.checked_sub(part) {
            Some(over) => {
                self.over = self.over.saturating_add(over);
                self.frames = self.frames.saturating_add(u32::from(over > 0));
                self.blame(part, used);
            }
            None => self.over = self.over.saturating_sub(part / FORGETTING),
        }
        let most = if self.frames >= CROWDED_FRAMES { self.most(refresh) } else { None };
        if self.over == 0 || most.is_some() {
            *self = Crowd { last: self.last, ..Crowd::default() };
        }
        most
    }

    /// A frame took more than its part: counts what is beyond shares.
    fn blame(&mut self, part: u64, used: &[Used]) {
        let mut owners: BTreeMap<Owner, u64> = BTreeMap::new();
        for used in used {
            let time = owners.entry(used.owner).or_default();
            *time = time.saturating_add(used.time);
        }
        let owners_share = share(part, owners.values().copied());
        for (owner, time) in owners {
            let Some(over) = time.checked_sub(owners_share).filter(|&over| over > 0) else { continue };
            let known = self.owners.entry(owner).or_default();
            *known = known.saturating_add(over);
            let own = used.iter().filter(|used| used.owner == owner);
            let clients_share = share(owners_share, own.clone().map(|used| used.time));
            for used in own {
                let over = used.time.saturating_sub(clients_share);
                let (_, known) = self.clients.entry(used.client).or_insert((owner, 0));
                *known = known.saturating_add(over);
            }
        }
    }

    /// Who took most, if it is too much. What was taken by an owner none of whose clients is left is nobody's any more.
    fn most(&mut self, refresh: u64) -> Option<ClientId> {
        while self.over > refresh
            && let Some((&owner, &over)) = self.owners.iter().max_by_key(|&(_, &over)| over)
        {
            let clients = self.clients.iter().filter(|(_, (of, over))| *of == owner && *over > 0);
            if let Some((&client, _)) = clients.max_by_key(|(_, (_, over))| *over) {
                return Some(client);
            }
            self.owners.remove(&owner);
            self.over = self.over.saturating_sub(over);
        }
        None
    }

    /// A client is gone. What it took stays its owner's, who may come again.
    pub(super) fn forget(&mut self, client: ClientId) {
        self.clients.remove(&client);
    }
}

/// What each may take of a part so that it is enough: where some need less than others, these have what is left.
fn share(part: u64, times: impl Iterator<Item = u64>) -> u64 {
    let mut times: Vec<u64> = times.collect();
    times.sort_unstable();
    let mut left = part;
    for (i, &time) in times.iter().enumerate() {
        let each = left / u64::try_from(times.len() - i).unwrap_or(u64::MAX);
        if time > each {
            return each;
        }
        left = left.saturating_sub(time);
    }
    u64::MAX
}

#[cfg(test)]
mod tests {
    use super::*;

    const REFRESH: u64 = 16_000_000;
    const MILLISECOND: u64 = 1_000_000;

    /// What clients 1, 2 and so on took in milliseconds: three of each user.
    fn used(times: &[u64]) -> Vec<Used> {
        let one = |(id, &time): (u32, &u64)| Used {
            client: ClientId(id),
            owner: Owner::User((id - 1) / 3),
            time: time * MILLISECOND,
        };
        (1..).zip(times).map(one).collect()
    }

    /// Frame by frame, what clients 1, 2 and so on took in milliseconds; who is slow first, and in which frame.
    fn judged(frames: impl Iterator<Item = Vec<u64>>) -> Option<(usize, u32)> {
        let mut crowd = Crowd::default();
        let mut tick = 0;
        for (frame, times) in frames.enumerate() {
            let all: u64 = times.iter().sum();
            tick += 1;
            if let Some(ClientId(id)) = crowd.judge(tick, REFRESH, &used(&times)) {
                return Some((frame, id));
            }
            tick += all * MILLISECOND / REFRESH;
        }
        None
    }

    #[test]
    fn what_fits_or_is_over_soon_is_no_crowd() {
        assert_eq!(judged(std::iter::repeat_n(vec![2, 2, 4], 1000)), None);
        // A first picture, a busy machine.
        assert_eq!(judged((0..1000).map(|frame| if frame == 5 { vec![500, 3] } else { vec![1, 3] })), None);
        assert_eq!(
            judged((0..1000).map(|frame| if frame % 20 == 0 { vec![20, 1] } else { vec![1, 1] })),
            None
        );
    }

    #[test]
    fn heavy_in_one_frame_of_three_is_a_crowd() {
        let frames = |frame| if frame % 3 == 0 { vec![1, 7, 8, 7, 2] } else { vec![1] };
        let (frame, client) = judged((0..1000).map(frames)).unwrap();
        assert!(frame < 20 && client == 3, "{frame} {client}");
    }

    /// It takes half of what is for all in each frame, the other more than all in few.
    #[test]
    fn who_stays_within_a_share_is_not_slow_for_the_bursts_of_another() {
        let frames = |frame| if frame % 3 == 0 { vec![4, 0, 0, 9] } else { vec![4, 0, 0, 0] };
        assert_eq!(judged((0..1000).map(frames)).unwrap().1, 4);
        // Of what those leave who need little, it may take more than an equal share.
        let frames = |frame| if frame % 3 == 0 { vec![5, 0, 0, 9, 0, 0, 1] } else { vec![5, 0, 0, 0] };
        assert_eq!(judged((0..1000).map(frames)).unwrap().1, 4);
    }

    #[test]
    fn several_clients_are_not_several_shares() {
        assert_eq!(judged(std::iter::repeat_n(vec![3, 4, 3, 5], 1000)).unwrap().1, 2);
        assert_eq!(share(8, [1, 9, 1, 9].into_iter()), 3);
        assert_eq!(share(8, [4, 4].into_iter()), u64::MAX);
    }

    #[test]
    fn who_is_gone_is_not_slow_instead_of_who_is_there() {
        let frames = |crowd: &mut Crowd, ticks: std::ops::Range<u64>, times: &[u64]| {
            ticks.map(|tick| crowd.judge(tick, REFRESH, &used(times))).collect::<Vec<_>>()
        };
        let crowd_without_4 = || {
            let mut crowd = Crowd::default();
            assert_eq!(frames(&mut crowd, 0..2, &[4, 0, 0, 15]), [None; 2]);
            crowd.forget(ClientId(4));
            crowd
        };
        // Another client of the same user pays for it.
        assert_eq!(frames(&mut crowd_without_4(), 2..3, &[4, 0, 0, 0, 9]), [Some(ClientId(5))]);
        // There is none any more: who is slow is so for what was taken since, and not before that is too much.
        let mut crowd = crowd_without_4();
        let named = frames(&mut crowd, 2..20, &[6, 0, 0, 0, 0, 0, 5]);
        let first = named.iter().position(Option::is_some).unwrap();
        assert!(first > 3 && named[first] == Some(ClientId(1)), "{named:?}");
    }

    #[test]
    fn it_is_who_took_most_and_not_who_took_most_in_the_last_frame() {
        let frames = |frame| match frame % 4 {
            0 => vec![2, 0, 0, 30, 0, 0, 0],
            1 => vec![2, 0, 0, 0, 0, 0, 30],
            _ => vec![9, 0, 0, 0, 0, 0, 0],
        };
        let (_, client) = judged((0..1000).map(frames)).unwrap();
        assert!(client > 1);
    }
}
