//! Words that no generator means: changed programs, and noise.

use blinkgl::ops::{OPS, Op};
use blinkgl::wire::{self, HEADER_WORDS};
use fastrand::Rng;

/// Changes a program in one to three places.
pub fn mutate(rng: &mut Rng, words: &mut Vec<u32>) {
    for _ in 0..rng.u32(1..4) {
        if words.is_empty() {
            return;
        }
        let at = rng.usize(..words.len());
        match rng.u8(..10) {
            0 => words[at] = rng.u32(..),
            1 => words[at] ^= 1 << rng.u32(..32),
            2 => words[at] = rng.u32(..words.len() as u32 + 2),
            3 => words[at] = wire::head_word(any_op(rng), rng.u16(..) & rng.u16(..)),
            4 => {
                words.remove(at);
            }
            5 => words.insert(at, rng.u32(..64)),
            6 => {
                let other = rng.usize(..words.len());
                words.swap(at, other);
            }
            // Whole instructions: what comes of these is a program more often.
            7 => {
                let (from, to) = instruction(rng, words);
                words.drain(from..to);
            }
            8 => {
                let (from, to) = instruction(rng, words);
                let copy = words[from..to].to_vec();
                let (at, _) = instruction(rng, words);
                words.splice(at..at, copy);
            }
            // An operand becomes a register or a constant.
            _ => {
                let (head, to) = instruction(rng, words);
                if to > head + 1 {
                    let i = rng.usize(..to - head - 1);
                    words[head] ^= 1 << (16 + i);
                    words[head + 1 + i] = if rng.bool() { rng.u32(..32) } else { words[head + 1 + i] };
                }
            }
        }
    }
    if words.len() > 2 && rng.u8(..8) != 0 {
        words[2] = words.len() as u32;
    }
}

/// Where one of the instructions is; nothing at the end if there is none.
fn instruction(rng: &mut Rng, words: &[u32]) -> (usize, usize) {
    let (mut found, mut at, mut seen) = ((words.len(), words.len()), HEADER_WORDS, 0);
    while let Ok(Some(instruction)) = wire::decode(words, at) {
        let next = at + instruction.words();
        seen += 1;
        if rng.u32(..seen) == 0 {
            found = (at, next);
        }
        at = next;
    }
    found
}

fn any_op(rng: &mut Rng) -> Op {
    OPS[rng.usize(..OPS.len())].op
}

/// A header and noise that looks a bit like instructions, or not even that.
pub fn noise(rng: &mut Rng) -> Vec<u32> {
    if rng.u8(..8) == 0 {
        return (0..rng.usize(..40)).map(|_| rng.u32(..)).collect();
    }
    let mut words = vec![wire::MAGIC, wire::version_word(), 0, 0];
    for _ in 0..rng.usize(..40) {
        words.push(match rng.u8(..3) {
            0 => rng.u32(..),
            1 => rng.u32(..40),
            _ => wire::head_word(any_op(rng), if rng.bool() { 0 } else { rng.u16(..16) }),
        });
    }
    words[2] = words.len() as u32;
    words
}
