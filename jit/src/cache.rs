//! Programs by their words: what one client published, the next one gets without verifying, lowering or compiling.
//!
//! A program is what its words and its callback say, whoever published it; registers, lists and state are a window's
//! own. So sharing one shares nothing that a client wrote but its own words. (It does let a client measure whether
//! somebody else has published the very words that it publishes.)
//!
//! What a client may have is its own matter: a program that is here because one client may have it is refused to
//! another one whose budget is smaller.
//!
//! What a client can do to others here: make room for its own programs, so that those of others are verified, lowered
//! and compiled again when they are *published* again (who uses a program keeps it). So room is taken from the client
//! that has most, as each program counts for the client that brought it: one that publishes without end loses its
//! own. And two programs that meet in one place push each other out, so where they go depends on keys that
//! clients do not know.

use crate::limits::{MAX_CACHED_PROGRAM_BYTES, MAX_CLIENT_NATIVE_PROGRAMS};
use crate::program::Program;
use blinkgl::ops::Callback;
use blinkgl::planted;
use blinkgl::wire::WireProgram;
use std::collections::{BinaryHeap, HashMap};
use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;
use verifier::{Budget, VerifyError};

#[derive(Debug)]
struct Entry {
    program: Arc<Program>,
    bytes: usize,
    used: u64,
    /// Who brought it.
    client: u32,
    /// May be compiled.
    has_work: bool,
}

/// Bytes that the smallest program takes here, about.
const ENTRY_BYTES: usize = 1 << 10;

/// Bytes that native code takes at least: pages of its own, and what the compiler keeps of it. See `examples/replace.rs`.
const NATIVE_BYTES: usize = 16 << 10;

/// Programs of one client that are kept and may be compiled: fewer than its native programs may be, so that those that
/// are only kept never take all of its places.
const MAX_CLIENT_KEPT: usize = MAX_CLIENT_NATIVE_PROGRAMS / 2;

/// The programs that are kept, as many as [`MAX_CACHED_PROGRAM_BYTES`] hold.
#[derive(Debug)]
pub struct ProgramCache {
    /// By hash. Of two programs with one hash the later one stays.
    entries: HashMap<u64, Entry>,
    bytes: usize,
    /// Of each client: programs that may be compiled.
    may_compile: HashMap<u32, usize>,
    /// Counts uses.
    clock: u64,
    /// Drawn when the process starts.
    keys: [u64; 4],
}

impl Default for ProgramCache {
    fn default() -> ProgramCache {
        let random = RandomState::new();
        ProgramCache {
            entries: HashMap::new(),
            bytes: 0,
            may_compile: HashMap::new(),
            clock: 0,
            keys: [0u8, 1, 2, 3].map(|lane| random.hash_one(lane) | 1),
        }
    }
}

impl ProgramCache {
    /// The program of these words for a client (whatever number the caller has for it) with this budget, and whether it
    /// was there: else it is verified and lowered now.
    ///
    /// # Errors
    /// It breaks a rule: the same error whether it was there or not.
    pub fn accept(
        &mut self,
        words: WireProgram,
        callback: Callback,
        client: u32,
        budget: Budget,
    ) -> Result<(Arc<Program>, bool), VerifyError> {
        self.clock += 1;
        let hash = self.hash(words.untrusted_words(), callback);
        if let Some(entry) = self.entries.get_mut(&hash)
            && planted!(AnyCallback, true, entry.program.callback() == callback)
            && planted!(StaleHit, true, entry.program.words() == words.untrusted_words())
            && planted!(BudgetNotAsked, true, budget.allows(&entry.program.facts().needs))
        {
            entry.used = self.clock;
            return Ok((Arc::clone(&entry.program), true));
        }
        let program = Arc::new(Program::new(verifier::verify_within(words, callback, budget)?));
        let has_work = program.has_work();
        // The lowered form shares the words; native code comes later, and may be twice as much again.
        let native = if has_work { NATIVE_BYTES } else { 0 };
        let bytes = ENTRY_BYTES + native + 3 * size_of_val(program.words()) + program.bytes();
        self.make_room(bytes);
        if has_work {
            self.make_room_of(client);
            *self.may_compile.entry(client).or_default() += 1;
        }
        self.remove(hash);
        let entry = Entry { program: Arc::clone(&program), bytes, used: self.clock, client, has_work };
        self.entries.insert(hash, entry);
        self.bytes += bytes;
        Ok((program, false))
    }

    fn remove(&mut self, hash: u64) -> Option<Entry> {
        let entry = self.entries.remove(&hash)?;
        self.bytes -= entry.bytes;
        if entry.has_work
            && let Some(count) = self.may_compile.get_mut(&entry.client)
        {
            *count -= 1;
            if *count == 0 {
                self.may_compile.remove(&entry.client);
            }
        }
        Some(entry)
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

    /// Gives up programs down to half of the limit, so that this is rare: each time the one used longest ago of the client
    /// that has most.
    fn make_room(&mut self, bytes: usize) {
        if self.bytes.saturating_add(bytes) <= MAX_CACHED_PROGRAM_BYTES {
            return;
        }
        // Of each client: bytes, and programs with those used last in front.
        let mut clients: HashMap<u32, (usize, Vec<(u64, u64)>)> = HashMap::new();
        for (&hash, entry) in &self.entries {
            let (held, programs) = clients.entry(entry.client).or_default();
            *held += entry.bytes;
            programs.push((entry.used, hash));
        }
        let sorted = clients.into_values().map(|(held, mut programs)| {
            programs.sort_unstable_by(|a, b| b.cmp(a));
            (held, programs)
        });
        let mut sorted: BinaryHeap<_> = sorted.collect();
        while self.bytes > MAX_CACHED_PROGRAM_BYTES / 2
            && let Some((mut held, mut programs)) = sorted.pop()
        {
            let last = programs.pop().and_then(|(_, hash)| self.remove(hash));
            if let Some(entry) = last {
                held -= entry.bytes;
                sorted.push((held, programs));
            }
        }
    }

    /// Gives up programs of a client that may be compiled, the ones used longest ago, down to half of their limit.
    fn make_room_of(&mut self, client: u32) {
        if self.may_compile.get(&client).is_none_or(|&count| count < MAX_CLIENT_KEPT) {
            return;
        }
        let of_client = self.entries.iter().filter(|(_, entry)| entry.client == client && entry.has_work);
        let mut programs: Vec<(u64, u64)> = of_client.map(|(&hash, entry)| (entry.used, hash)).collect();
        programs.sort_unstable();
        programs.truncate(MAX_CLIENT_KEPT / 2);
        for (_, hash) in programs {
            self.remove(hash);
        }
    }

    /// Four lanes, because each step of one waits for its multiplication. Both factors have a key that nobody knows, and
    /// the upper half of the product is folded in: that is what makes it hard to choose words that meet.
    fn hash(&self, words: &[u32], callback: Callback) -> u64 {
        let keys = self.keys;
        let [a, b, c, d] = keys;
        let mut lanes = keys.map(|key| key.rotate_left(32));
        let (blocks, rest) = words.as_chunks::<16>();
        for block in blocks {
            let (quads, _) = block.as_chunks::<4>();
            for ((lane, key), &[w, x, y, z]) in lanes.iter_mut().zip([b, c, d, a]).zip(quads) {
                *lane = mix(*lane ^ pair(w, x), pair(y, z) ^ key);
            }
        }
        // Where the comparison is left out on purpose, equal hashes must be found in a lifetime.
        let which = planted!(AnyCallback, 0, u64::from(callback as u32));
        let length = mix((words.len() as u64) << 8 | which, a);
        let all = lanes.into_iter().fold(length, |all, lane| mix(all ^ lane, b));
        planted!(StaleHit, all, rest.iter().fold(all, |all, &word| mix(all ^ u64::from(word), c)))
    }
}

fn pair(low: u32, high: u32) -> u64 {
    u64::from(high) << 32 | u64::from(low)
}

/// The lower half of the product folded with the upper one.
fn mix(a: u64, b: u64) -> u64 {
    let (low, high) = a.carrying_mul(b, 0);
    low ^ high
}

#[cfg(test)]
mod tests {
    use super::*;
    use blinkgl::Recorder;
    use blinkgl::gl::ClearMask;

    const ALL: Budget =
        Budget { fuel: u64::MAX, calls: u64::MAX, vertices: u64::MAX, upload_bytes: u64::MAX };

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
        let (first, cached) = cache.accept(program(0.5, 3), Callback::Redraw, 1, ALL).unwrap();
        assert!(!cached);
        let (second, cached) = cache.accept(program(0.5, 3), Callback::Redraw, 1, ALL).unwrap();
        assert!(cached && Arc::ptr_eq(&first, &second));
        for other in [program(0.25, 3), program(0.5, 4), program(0.5, 5)] {
            assert!(!cache.accept(other, Callback::Redraw, 1, ALL).unwrap().1);
        }
        assert_eq!(cache.len(), 4);
        // What is allowed depends on the callback.
        assert!(cache.accept(program(0.5, 3), Callback::Init, 1, ALL).is_err());
        assert_eq!(cache.len(), 4, "what is refused is not kept");
    }

    /// Two programs with one hash: what counts is the words.
    #[test]
    fn a_hash_alone_proves_nothing() {
        let mut cache = ProgramCache::default();
        let (first, _) = cache.accept(program(0.5, 3), Callback::Redraw, 1, ALL).unwrap();
        let other = program(0.25, 3);
        let hash = cache.hash(other.untrusted_words(), Callback::Redraw);
        cache.entries.insert(
            hash,
            Entry { program: Arc::clone(&first), bytes: 0, used: 0, client: 1, has_work: false },
        );
        let (second, cached) = cache.accept(other.clone(), Callback::Redraw, 1, ALL).unwrap();
        assert!(!cached && second.words() == other.untrusted_words());
    }

    #[test]
    fn the_cache_has_a_limit_and_keeps_what_is_used() {
        let mut cache = ProgramCache::default();
        let (kept, _) = cache.accept(program(0.5, 3), Callback::Redraw, 1, ALL).unwrap();
        for i in 0..200 {
            #[allow(clippy::cast_precision_loss, reason = "a small number")]
            let (_, cached) = cache.accept(program(i as f32, 40_000), Callback::Redraw, 1, ALL).unwrap();
            assert!(!cached);
            assert!(cache.bytes <= MAX_CACHED_PROGRAM_BYTES);
            let (again, _) = cache.accept(program(0.5, 3), Callback::Redraw, 1, ALL).unwrap();
            assert!(Arc::ptr_eq(&again, &kept));
        }
        assert_eq!(cache.bytes, cache.entries.values().map(|e| e.bytes).sum::<usize>());
    }

    #[test]
    fn a_smaller_budget_is_kept_by_what_is_cached_too() {
        let mut cache = ProgramCache::default();
        let small = Budget { calls: 3, ..ALL };
        // Four calls: two verdicts on the same words, in either order.
        let refused = cache.accept(program(0.5, 3), Callback::Redraw, 2, small).unwrap_err();
        assert!(cache.is_empty());
        assert!(!cache.accept(program(0.5, 3), Callback::Redraw, 1, ALL).unwrap().1);
        let again = cache.accept(program(0.5, 3), Callback::Redraw, 2, small).unwrap_err();
        assert_eq!(refused, again);
        assert_eq!(again.to_string(), "V35 at the program's end: needs 4 GL calls at worst, the budget is 3");
        let enough = Budget { calls: 4, ..small };
        assert!(cache.accept(program(0.5, 3), Callback::Redraw, 2, enough).unwrap().1);
    }

    #[test]
    fn a_client_that_publishes_without_end_loses_its_own() {
        let mut cache = ProgramCache::default();
        let (kept, _) = cache.accept(program(0.5, 40_000), Callback::Redraw, 1, ALL).unwrap();
        for i in 0..200 {
            #[allow(clippy::cast_precision_loss, reason = "a small number")]
            cache.accept(program(i as f32, 40_000), Callback::Redraw, 2, ALL).unwrap();
        }
        let (again, cached) = cache.accept(program(0.5, 40_000), Callback::Redraw, 1, ALL).unwrap();
        assert!(cached && Arc::ptr_eq(&again, &kept));
    }

    /// Bits that a multiplication carries nowhere, or that a rotation leaves together: without keys that are secret,
    /// changing the same two in two words would always meet.
    #[test]
    fn single_bits_move_a_program_elsewhere() {
        let cache = ProgramCache::default();
        let words: Vec<u32> = (0..64).collect();
        let hash = cache.hash(&words, Callback::Redraw);
        let mut seen = std::collections::HashSet::from([hash]);
        for i in 0..words.len() {
            for bit in 0..32 {
                let mut other = words.clone();
                other[i] ^= 1 << bit;
                assert!(seen.insert(cache.hash(&other, Callback::Redraw)), "word {i}, bit {bit}");
                if let Some(next) = other.get_mut(i + 8) {
                    *next ^= 1 << ((bit + 29) % 32);
                    assert!(seen.insert(cache.hash(&other, Callback::Redraw)), "words {i}, bit {bit}");
                }
            }
        }
        assert_ne!(hash, ProgramCache::default().hash(&words, Callback::Redraw));
    }

    fn working_program(value: f32) -> WireProgram {
        let text = format!("add r0, r0, {value:?}\n").repeat(8);
        blinkgl::asm::assemble(&text).expect("it assembles").program
    }

    #[test]
    fn of_programs_that_may_be_compiled_each_client_has_a_share() {
        let mut cache = ProgramCache::default();
        let (constant, _) = cache.accept(program(0.5, 3), Callback::Redraw, 1, ALL).unwrap();
        cache.accept(working_program(-1.0), Callback::Input, 2, ALL).unwrap();
        for i in 0..10 * MAX_CLIENT_KEPT {
            #[allow(clippy::cast_precision_loss, reason = "a small number")]
            let i = i as f32;
            let (used, cached) = cache.accept(working_program(-2.0), Callback::Input, 1, ALL).unwrap();
            assert_eq!(cached, i > 0.0, "what is used stays");
            assert!(used.should_compile());
            cache.accept(working_program(i), Callback::Input, 1, ALL).unwrap();
            assert!(cache.may_compile[&1] <= MAX_CLIENT_KEPT);
            let counted = cache.entries.values().filter(|e| e.client == 1 && e.has_work).count();
            assert_eq!(counted, cache.may_compile[&1]);
        }
        // Neither what cannot be compiled nor what others have gives way.
        assert!(Arc::ptr_eq(&constant, &cache.accept(program(0.5, 3), Callback::Redraw, 1, ALL).unwrap().0));
        assert!(cache.accept(working_program(-1.0), Callback::Input, 2, ALL).unwrap().1);
        assert_eq!(cache.bytes, cache.entries.values().map(|e| e.bytes).sum::<usize>());
    }
}
