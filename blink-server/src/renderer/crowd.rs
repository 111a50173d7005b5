//! Do the quick runs of all clients take more than their part of the frames together, though none of them goes past its
//! slice? By time and not by frames: clients that are heavy in one frame of three, all in the same one, are a crowd too.

use crate::ipc::ClientId;
use blinkgl::limits::FRAME_PARTS;
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
    /// Since it was 0 last: frames that took too long, and what clients took in all frames.
    frames: u32,
    times: BTreeMap<ClientId, u64>,
    /// The last frame's refresh interval, and what it took.
    last: Option<(u64, u64)>,
}

impl Crowd {
    /// The quick runs of the frame of interval `tick` took so long. Gives the client that is to be slow for it: the one that took
    /// most since there was room for all, which is more than its share.
    pub(super) fn judge(
        &mut self,
        tick: u64,
        refresh: u64,
        used: impl Iterator<Item = (ClientId, u64)>,
    ) -> Option<ClientId> {
        let part = refresh / FRAME_PARTS;
        let mut all: u64 = 0;
        for (id, time) in used {
            all = all.saturating_add(time);
            if time > 0 {
                let before = self.times.entry(id).or_default();
                *before = before.saturating_add(time);
            }
        }
        // Intervals without a frame had time for all, but not those that passed because a frame took so long.
        let idle = self.last.map_or(0, |(last, took)| {
            tick.saturating_sub(last).saturating_sub(1).saturating_sub(took / refresh.max(1))
        });
        self.last = Some((tick, all));
        self.over = self.over.saturating_sub(idle.saturating_mul(part / FORGETTING));
        self.over = match all.checked_sub(part) {
            Some(over) => self.over.saturating_add(over),
            None => self.over.saturating_sub(part / FORGETTING),
        };
        self.frames = self.frames.saturating_add(u32::from(all > part));
        let is_crowd = self.over > refresh && self.frames >= CROWDED_FRAMES;
        let most = self.times.iter().max_by_key(|&(_, &time)| time).map(|(&id, _)| id);
        if self.over == 0 || is_crowd {
            *self = Crowd { last: self.last, ..Crowd::default() };
        }
        most.filter(|_| is_crowd)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const REFRESH: u64 = 16_000_000;
    const MILLISECOND: u64 = 1_000_000;

    /// Frame by frame, what clients 1, 2 and so on took in milliseconds; who is slow first, and in which frame.
    fn judged(frames: impl Iterator<Item = Vec<u64>>) -> Option<(usize, u32)> {
        let mut crowd = Crowd::default();
        let mut tick = 0;
        for (frame, times) in frames.enumerate() {
            let all: u64 = times.iter().sum();
            tick += 1;
            let used = (1..).map(ClientId).zip(times.into_iter().map(|time| time * MILLISECOND));
            if let Some(ClientId(id)) = crowd.judge(tick, REFRESH, used) {
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
        let frames = |frame| if frame % 3 == 0 { vec![1, 8, 8, 7, 8] } else { vec![1] };
        let (frame, client) = judged((0..1000).map(frames)).unwrap();
        assert!(frame < 20 && [2, 3, 5].contains(&client), "{frame} {client}");
    }

    #[test]
    fn it_is_who_took_most_and_not_who_took_most_in_the_last_frame() {
        let frames = |frame| match frame % 4 {
            0 => vec![2, 30, 0],
            1 => vec![2, 0, 30],
            _ => vec![9, 0, 0],
        };
        let (_, client) = judged((0..1000).map(frames)).unwrap();
        assert!(client > 1);
    }
}
