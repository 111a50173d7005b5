//! Time in cycles of the time stamp counter, as in the paper, and statistics over runs.

/// The time stamp counter now.
#[cfg(target_arch = "x86_64")]
#[must_use]
pub fn now() -> u64 {
    // SAFETY: the instruction reads a counter and exists on every x86-64 processor.
    unsafe { core::arch::x86_64::_rdtsc() }
}

/// Nanoseconds, where there is no time stamp counter: figures are then nanoseconds per instruction.
#[cfg(not(target_arch = "x86_64"))]
#[must_use]
pub fn now() -> u64 {
    static START: std::sync::OnceLock<std::time::Instant> = std::sync::OnceLock::new();
    u64::try_from(START.get_or_init(std::time::Instant::now).elapsed().as_nanos()).unwrap_or(u64::MAX)
}

/// Cycles of each of several runs.
#[derive(Clone, Debug, Default)]
pub struct Samples(Vec<u64>);

impl Samples {
    /// Runs `work` once for nothing, then `runs` times under the clock. What it returns is dropped after the clock is read.
    pub fn take<T>(runs: usize, mut work: impl FnMut() -> T) -> Samples {
        drop(work());
        let mut samples = Samples::default();
        for _ in 0..runs {
            let start = now();
            let result = std::hint::black_box(work());
            samples.add(now().saturating_sub(start));
            drop(result);
        }
        samples
    }

    /// Adds a run.
    pub fn add(&mut self, cycles: u64) {
        self.0.push(cycles);
    }

    /// Adds runs.
    pub fn extend(&mut self, cycles: impl IntoIterator<Item = u64>) {
        self.0.extend(cycles);
    }

    /// Cycles of the fastest run; 0 if there was none.
    #[must_use]
    pub fn minimum(&self) -> u64 {
        self.0.iter().copied().min().unwrap_or_default()
    }

    /// Cycles of the median run; 0 if there was none.
    #[must_use]
    pub fn median(&self) -> u64 {
        let mut sorted = self.0.clone();
        sorted.sort_unstable();
        sorted.get(sorted.len() / 2).copied().unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statistics() {
        let samples = Samples(vec![7, 1, 100, 3, 5]);
        assert_eq!((samples.minimum(), samples.median()), (1, 5));
        assert_eq!(Samples::default().median(), 0);
        let mut runs = 0;
        let samples = Samples::take(4, || runs += 1);
        assert_eq!((samples.0.len(), runs), (4, 5));
    }
}
