//! Makes a case smaller, as long as the same oracle still finds fault with it.

use crate::campaign::examine;
use crate::case::{Case, Checks, Expect};
use crate::stats::Stats;
use blinkgl::ops::Kind;
use blinkgl::wire::{self, HEADER_WORDS};
use std::ops::Range;

/// Checks that are made at most.
const TRIES: usize = 5000;

/// A smaller case with which the oracle finds fault; the case itself if there is none, or if what is wrong is the
/// verdict: what it should be of another program is not known.
#[must_use]
pub fn minimise(case: &Case, oracle: &'static str) -> Case {
    let mut best = case.clone();
    if oracle == "verdict" {
        return best;
    }
    let mut search = Search { oracle, left: TRIES };
    for part in &mut best.parts {
        part.expect = Expect::Any;
    }
    if !search.fails(&best) {
        return case.clone();
    }
    while best.parts.len() > 1 {
        let mut fewer = best.clone();
        fewer.parts.remove(0);
        if !search.fails(&fewer) {
            break;
        }
        best = fewer;
    }
    let off: [fn(&mut Checks); 6] = [
        |checks| checks.native = false,
        |checks| checks.slices = false,
        |checks| checks.cache = false,
        |checks| checks.text = false,
        |checks| checks.budget = false,
        |checks| checks.layout = false,
    ];
    for off in off {
        let mut fewer = best.clone();
        off(&mut fewer.checks);
        search.keep(&mut best, fewer);
    }
    let mut zero = best.clone();
    zero.registers = [0; 32];
    search.keep(&mut best, zero);
    loop {
        let before: usize = best.parts.iter().map(|part| part.words.len()).sum();
        for part in 0..best.parts.len() {
            search.drop_instructions(&mut best, part);
        }
        let after: usize = best.parts.iter().map(|part| part.words.len()).sum();
        if after == before || search.left == 0 {
            break;
        }
    }
    for part in 0..best.parts.len() {
        search.simplify_operands(&mut best, part);
    }
    best
}

struct Search {
    oracle: &'static str,
    left: usize,
}

impl Search {
    fn fails(&mut self, case: &Case) -> bool {
        if self.left == 0 {
            return false;
        }
        self.left -= 1;
        examine(case, false, &mut Stats::default()).is_err_and(|mismatch| mismatch.oracle == self.oracle)
    }

    /// Goes on with `other` if it fails too.
    fn keep(&mut self, best: &mut Case, other: Case) -> bool {
        let fails = self.fails(&other);
        if fails {
            *best = other;
        }
        fails
    }

    /// Drops runs of instructions, long ones first.
    fn drop_instructions(&mut self, best: &mut Case, part: usize) {
        let Some(count) = starts(&best.parts[part].words).map(|starts| starts.len()) else { return };
        let mut run = count / 2;
        while run > 0 {
            let mut at = 0;
            while let Some(starts) = starts(&best.parts[part].words)
                && at < starts.len()
                && self.left > 0
            {
                let mut fewer = best.clone();
                let words = &mut fewer.parts[part].words;
                let end = starts.get(at + run).copied().unwrap_or(words.len());
                drop_words(words, starts[at]..end);
                if !self.keep(best, fewer) {
                    at += run;
                }
            }
            run /= 2;
        }
    }

    /// Makes constants 0, and registers constants.
    fn simplify_operands(&mut self, best: &mut Case, part: usize) {
        let Some(starts) = starts(&best.parts[part].words) else { return };
        for start in starts {
            let words = &best.parts[part].words;
            let Ok(Some(instruction)) = wire::decode(words, start) else { return };
            for i in 0..instruction.args.len() {
                let mut simpler = best.clone();
                let words = &mut simpler.parts[part].words;
                words[start + 1 + i] = 0;
                self.keep(best, simpler.clone());
                simpler.parts[part].words[start] &= !(1 << (16 + i));
                self.keep(best, simpler);
            }
        }
    }
}

/// Where instructions begin, if all of the words are instructions.
fn starts(words: &[u32]) -> Option<Vec<usize>> {
    let mut starts = Vec::new();
    let mut at = HEADER_WORDS;
    loop {
        match wire::decode(words, at) {
            Ok(Some(instruction)) => {
                starts.push(at);
                at += instruction.words();
            }
            Ok(None) => return Some(starts),
            Err(_) => return None,
        }
    }
}

/// Drops whole instructions; jumps lead to where they led, or to what came after it.
fn drop_words(words: &mut Vec<u32>, dropped: Range<usize>) {
    let length = (dropped.end - dropped.start) as u32;
    let (from, to) = (dropped.start as u32, dropped.end as u32);
    words.drain(dropped);
    if let Some(claimed) = words.get_mut(2) {
        *claimed = claimed.wrapping_sub(length);
    }
    let mut at = HEADER_WORDS;
    while let Ok(Some(instruction)) = wire::decode(words, at) {
        let label = instruction.info.operands.iter().position(|operand| operand.kind == Kind::Label);
        let next = at + instruction.words();
        if let Some(target) = label.and_then(|i| words.get_mut(at + 1 + i)) {
            if *target >= to {
                *target -= length;
            } else if *target > from {
                *target = from;
            }
        }
        at = next;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn jumps_follow_what_is_left() {
        let text = "    request_frame\n    jmp L2\n    request_frame\nL1:\n    jmp L2\n    request_frame\nL2:\n    notify 0x00000001\n";
        let assembled = blinkgl::asm::assemble(text).expect("it assembles");
        let words = assembled.program.into_words().to_vec();
        let starts = starts(&words).expect("instructions");
        let without = |from: usize, to: usize| {
            let mut left = words.clone();
            drop_words(&mut left, starts[from]..starts[to]);
            assert_eq!(left[2] as usize, left.len());
            blinkgl::dis::disassemble(&left, None)
        };
        assert_eq!(
            without(2, 3),
            "    request_frame\n    jmp L1\n    jmp L1\n    request_frame\nL1:\n    notify 0x00000001\n"
        );
        // What a jump led to is gone: it leads to what comes after.
        let mut left = words.clone();
        let target = starts[5];
        drop_words(&mut left, starts[3]..words.len());
        assert_eq!(left[starts[1] + 1] as usize, left.len(), "not {target}");
    }
}
