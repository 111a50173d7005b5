//! Programs by their words: what one client published, the next one gets without verifying, lowering or compiling.
//!
//! A program is what its words and its callback say, whoever published it; registers, lists and state are a window's
//! own. So sharing one shares nothing that a client wrote but its own words. (It does let a client measure whether
//! somebody else has published the very words that it publishes.)

use crate::program::Program;
use blinkgl::limits::MAX_CACHED_PROGRAM_BYTES;
use blinkgl::ops::Callback;
use blinkgl::wire::WireProgram;
use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;
use verifier::VerifyError;

#[derive(Debug)]
struct Entry {
    program: Arc<Program>,
    bytes: usize,
    used: u64,
}

/// The programs that are kept, those not used for longest given up first.
#[derive(Debug)]
pub struct ProgramCache {
    /// By hash. Of two programs with one hash the later one stays.
    entries: HashMap<u64, Entry>,
    bytes: usize,
    /// Counts uses.
    clock: u64,
    /// Drawn when the process starts: clients cannot choose words that meet.
    seed: u64,
}

impl Default for ProgramCache {
    fn default() -> ProgramCache {
        let seed = RandomState::new().hash_one(0u8);
        ProgramCache { entries: HashMap::new(), bytes: 0, clock: 0, seed }
    }
}

impl ProgramCache {
    /// The program of these words, and whether it was there: else it is verified and lowered now.
    ///
    /// # Errors
    /// It breaks a rule.
    pub fn accept(
        &mut self,
        words: WireProgram,
        callback: Callback,
    ) -> Result<(Arc<Program>, bool), VerifyError> {
        self.clock += 1;
        let hash = self.hash(words.untrusted_words(), callback);
        if let Some(entry) = self.entries.get_mut(&hash)
            && entry.program.callback() == callback
            && entry.program.words() == words.untrusted_words()
        {
            entry.used = self.clock;
            return Ok((Arc::clone(&entry.program), true));
        }
        let program = Arc::new(Program::new(verifier::verify(words, callback)?));
        // The lowered form shares the words; native code comes later, and may be twice as much again.
        let bytes = 3 * size_of_val(program.words()) + program.bytes();
        self.make_room(bytes);
        let entry = Entry { program: Arc::clone(&program), bytes, used: self.clock };
        if let Some(old) = self.entries.insert(hash, entry) {
            self.bytes -= old.bytes;
        }
        self.bytes += bytes;
        Ok((program, false))
    }

    /// Programs that are kept.
    #[must_use]
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Is none kept?
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Gives up the programs used longest ago, down to half of the limit, so that this is rare.
    fn make_room(&mut self, bytes: usize) {
        if self.bytes.saturating_add(bytes) <= MAX_CACHED_PROGRAM_BYTES {
            return;
        }
        let mut by_use: Vec<(u64, u64)> = self.entries.iter().map(|(&hash, e)| (e.used, hash)).collect();
        by_use.sort_unstable();
        for (_, hash) in by_use {
            if self.bytes <= MAX_CACHED_PROGRAM_BYTES / 2 {
                break;
            }
            if let Some(entry) = self.entries.remove(&hash) {
                self.bytes -= entry.bytes;
            }
        }
    }

    /// Four lanes, because each step of one waits for its multiplication.
    fn hash(&self, words: &[u32], callback: Callback) -> u64 {
        let mix = |lane: u64, value: u64| (lane ^ value).wrapping_mul(PRIME).rotate_left(29);
        let mut lanes = [0u64, 1, 2, 3].map(|lane| mix(self.seed, lane ^ u64::from(callback as u32) << 8));
        let (blocks, rest) = words.as_chunks::<8>();
        for &[a, b, c, d, e, f, g, h] in blocks {
            let pairs = [[a, b], [c, d], [e, f], [g, h]];
            for (lane, [low, high]) in lanes.iter_mut().zip(pairs) {
                *lane = mix(*lane, u64::from(high) << 32 | u64::from(low));
            }
        }
        let [first, ..] = &mut lanes;
        for &word in rest {
            *first = mix(*first, u64::from(word));
        }
        lanes.into_iter().fold(words.len() as u64, mix)
    }
}

/// Odd, with its bits well spread: the golden ratio.
const PRIME: u64 = 0x9e37_79b9_7f4a_7c15;

#[cfg(test)]
mod tests {
    use super::*;
    use blinkgl::Recorder;
    use blinkgl::gl::ClearMask;

    fn program(value: f32, length: usize) -> WireProgram {
        let mut p = Recorder::new();
        for _ in 0..length {
            p.clear_color(value, 0.0, 0.0, 1.0);
        }
        p.clear(ClearMask::COLOR);
        p.finish().expect("a program")
    }

    #[test]
    fn equal_words_give_the_same_program() {
        let mut cache = ProgramCache::default();
        let (first, cached) = cache.accept(program(0.5, 3), Callback::Redraw).unwrap();
        assert!(!cached);
        let (second, cached) = cache.accept(program(0.5, 3), Callback::Redraw).unwrap();
        assert!(cached && Arc::ptr_eq(&first, &second));
        for other in [program(0.25, 3), program(0.5, 4), program(0.5, 5)] {
            assert!(!cache.accept(other, Callback::Redraw).unwrap().1);
        }
        assert_eq!(cache.len(), 4);
        // What is allowed depends on the callback.
        assert!(cache.accept(program(0.5, 3), Callback::Init).is_err());
        assert_eq!(cache.len(), 4, "what is refused is not kept");
    }

    /// Two programs with one hash: what counts is the words.
    #[test]
    fn a_hash_alone_proves_nothing() {
        let mut cache = ProgramCache::default();
        let (first, _) = cache.accept(program(0.5, 3), Callback::Redraw).unwrap();
        let other = program(0.25, 3);
        let hash = cache.hash(other.untrusted_words(), Callback::Redraw);
        cache.entries.insert(hash, Entry { program: Arc::clone(&first), bytes: 0, used: 0 });
        let (second, cached) = cache.accept(other.clone(), Callback::Redraw).unwrap();
        assert!(!cached && second.words() == other.untrusted_words());
    }

    #[test]
    fn the_cache_has_a_limit_and_keeps_what_is_used() {
        let mut cache = ProgramCache::default();
        let (kept, _) = cache.accept(program(0.5, 3), Callback::Redraw).unwrap();
        for i in 0..200 {
            #[allow(clippy::cast_precision_loss, reason = "a small number")]
            let (_, cached) = cache.accept(program(i as f32, 40_000), Callback::Redraw).unwrap();
            assert!(!cached);
            assert!(cache.bytes <= MAX_CACHED_PROGRAM_BYTES);
            let (again, _) = cache.accept(program(0.5, 3), Callback::Redraw).unwrap();
            assert!(Arc::ptr_eq(&again, &kept));
        }
        assert_eq!(cache.bytes, cache.entries.values().map(|e| e.bytes).sum::<usize>());
    }
}
