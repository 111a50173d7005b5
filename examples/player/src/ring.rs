//! Which textures hold which pictures, and when they are shown. All times are seconds after the epoch.

/// The ring of textures as the client knows it.
#[derive(Clone, Debug, PartialEq)]
pub struct Ring {
    /// When each entry is shown first; `None`: it may be filled.
    times: Vec<Option<f64>>,
}

impl Ring {
    /// A ring of free entries.
    #[must_use]
    pub fn new(entries: usize) -> Ring {
        Ring { times: vec![None; entries] }
    }

    /// When each entry is shown first.
    #[must_use]
    pub fn times(&self) -> &[Option<f64>] {
        &self.times
    }

    /// The entry that is shown at `now`.
    #[must_use]
    pub fn current(&self, now: f64) -> Option<usize> {
        let begun =
            self.times.iter().enumerate().filter_map(|(i, time)| time.filter(|t| *t <= now).map(|t| (t, i)));
        begun.max_by(|a, b| a.0.total_cmp(&b.0)).map(|(_, entry)| entry)
    }

    /// An entry that may be filled: neither shown at `now` nor to be shown later.
    #[must_use]
    pub fn free(&self, now: f64) -> Option<usize> {
        let current = self.current(now);
        (0..self.times.len()).find(|&i| Some(i) != current && self.times[i].is_none_or(|time| time <= now))
    }

    /// Entries that are to be shown after `now`.
    #[must_use]
    pub fn ahead(&self, now: f64) -> usize {
        self.times.iter().flatten().filter(|&&time| time > now).count()
    }

    /// An entry holds a picture that is shown first at `time`.
    pub fn fill(&mut self, entry: usize, time: f64) {
        self.times[entry] = Some(time);
    }

    /// The epoch is `by` seconds later now.
    pub fn shift(&mut self, by: f64) {
        for time in self.times.iter_mut().flatten() {
            *time -= by;
        }
    }

    /// When only `left` entries remain to be shown, so that the next batch is due; `None`: that is so
    /// already.
    #[must_use]
    pub fn due(&self, left: usize, now: f64) -> Option<f64> {
        let mut ahead: Vec<f64> = self.times.iter().flatten().copied().filter(|&time| time > now).collect();
        ahead.sort_unstable_by(f64::total_cmp);
        ahead.len().checked_sub(left + 1).map(|index| ahead[index])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ring() -> Ring {
        let mut ring = Ring::new(4);
        for (entry, time) in [(2, 0.0), (0, 0.1), (3, 0.3)] {
            ring.fill(entry, time);
        }
        ring
    }

    #[test]
    fn shows_the_last_that_has_begun() {
        let ring = ring();
        assert_eq!(ring.current(-0.1), None);
        assert_eq!(ring.current(0.0), Some(2));
        assert_eq!(ring.current(0.2), Some(0));
        assert_eq!(ring.current(9.0), Some(3));
    }

    #[test]
    fn never_gives_out_what_is_or_will_be_shown() {
        let mut ring = ring();
        assert_eq!(ring.free(0.0), Some(1));
        ring.fill(1, 0.4);
        assert_eq!(ring.free(0.0), None, "one is shown, three are to come");
        assert_eq!(ring.free(0.1), Some(2), "its successor is shown");
        ring.fill(2, 0.5);
        assert_eq!(ring.free(0.1), None);
        assert_eq!(ring.ahead(0.1), 3);
    }

    #[test]
    fn says_when_the_next_batch_is_due() {
        let ring = ring();
        assert_eq!(ring.due(0, 0.0), Some(0.3), "when the last begins, none is left");
        assert_eq!(ring.due(1, 0.0), Some(0.1));
        assert_eq!(ring.due(2, 0.0), None);
        assert_eq!(ring.due(0, 1.0), None);
    }

    #[test]
    fn another_epoch_changes_nothing_but_the_numbers() {
        let mut ring = ring();
        ring.shift(0.05);
        assert_eq!(ring.times(), [Some(0.1 - 0.05), None, Some(-0.05), Some(0.3 - 0.05)]);
        assert_eq!(ring.current(0.05), Some(0));
    }
}
