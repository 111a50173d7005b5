//! How long the compiler takes for programs that are made to keep it busy: what `MAX_COMPILE_COST` is chosen by.
//!
//! `cargo run --release -p jit --example worst_compile [INSTRUCTIONS]`
#![allow(clippy::print_stdout, reason = "its output")]

use blinkgl::limits::REGISTERS;
use blinkgl::ops::{Callback, Op};
use blinkgl::wire::{self, WireProgram};
use jit::Program;
use std::error::Error;
use std::time::Instant;

/// A program as it grows. Registers are words below 32 where the mask says so.
struct Writer {
    words: Vec<u32>,
    /// Words that hold jump targets to be filled in.
    open: Vec<usize>,
}

impl Writer {
    fn new() -> Writer {
        Writer { words: vec![wire::MAGIC, wire::version_word(), 0, 0], open: Vec::new() }
    }

    fn op(&mut self, op: Op, mask: u16, args: &[u32]) {
        self.words.push(wire::head_word(op, mask));
        self.words.extend_from_slice(args);
    }

    /// `add rD, rA, 1.0`.
    fn add(&mut self, d: usize, a: usize) {
        self.op(Op::Add, 0b11, &[register(d), register(a), 1.0f32.to_bits()]);
    }

    /// `sin rD, rA`.
    fn sin(&mut self, d: usize, a: usize) {
        self.op(Op::Sin, 0b11, &[register(d), register(a)]);
    }

    /// A jump that depends on a register; to be closed.
    fn jump(&mut self, r: usize) {
        self.op(Op::JmpIf, 0b10, &[0, register(r), 0.5f32.to_bits(), 0]);
        self.open.push(self.words.len() - 1);
    }

    /// Here is where the jump with this index of those still open leads.
    fn close(&mut self, index: usize) {
        let at = self.open.remove(index);
        self.words[at] = u32::try_from(self.words.len()).unwrap_or(u32::MAX);
    }

    fn finish(mut self) -> Result<Program, Box<dyn Error>> {
        while !self.open.is_empty() {
            self.close(0);
        }
        self.words[2] = u32::try_from(self.words.len())?;
        Ok(Program::new(verifier::verify(WireProgram::from_words(self.words), Callback::Redraw)?))
    }
}

fn register(number: usize) -> u32 {
    u32::try_from(number % REGISTERS).unwrap_or(0)
}

/// A name, and what adds about `n` instructions.
type Family = (&'static str, fn(&mut Writer, usize));

const FAMILIES: &[Family] = &[
    ("no jumps", |w, n| (0..n).for_each(|i| w.add(i, i + 7))),
    ("sines, all registers live", |w, n| (0..n).for_each(|i| w.sin(i, i + 7))),
    ("a jump to the end after each instruction", |w, n| {
        for i in 0..n / 2 {
            w.add(i, i + 7);
            w.jump(i + 3);
        }
    }),
    ("nothing but jumps to the end", |w, n| (0..n).for_each(|i| w.jump(i))),
    ("jumps over one instruction", |w, n| {
        for i in 0..n / 2 {
            w.jump(i + 3);
            w.add(i, i + 7);
            w.close(0);
        }
    }),
    ("jumps over 32 instructions", |w, n| {
        for i in 0..n / 33 {
            w.jump(i);
            (0..REGISTERS).for_each(|r| w.add(r, r + i));
            w.close(0);
        }
    }),
    ("all jumps, then all targets in order", |w, n| {
        for i in 0..n / 3 {
            w.add(i, i + 7);
            w.jump(i + 3);
        }
        for i in 0..n / 3 {
            w.close(0);
            w.add(i, i + 5);
        }
    }),
    ("all jumps, then all targets, nested", |w, n| {
        for i in 0..n / 3 {
            w.add(i, i + 7);
            w.jump(i + 3);
        }
        for i in 0..n / 3 {
            w.close(w.open.len() - 1);
            w.add(i, i + 5);
        }
    }),
    ("jumps ahead by 32 targets", |w, n| {
        for i in 0..n / 2 {
            w.jump(i + 3);
            if w.open.len() > 32 {
                w.close(0);
            }
            w.add(i, i + 7);
        }
    }),
    ("jumps ahead by 1000 targets", |w, n| {
        for i in 0..n / 2 {
            w.jump(i + 3);
            if w.open.len() > 1000 {
                w.close(0);
            }
            w.add(i, i + 7);
        }
    }),
    ("a sine after each jump", |w, n| {
        for i in 0..n / 2 {
            w.jump(i + 3);
            if w.open.len() > 2 {
                w.close(0);
            }
            w.sin(i, i + 7);
        }
    }),
    ("signals between instructions", |w, n| {
        for i in 0..n / 2 {
            w.op(Op::RequestFrame, 0, &[]);
            w.add(i, i + 7);
        }
    }),
    ("notifications of registers between instructions", |w, n| {
        for i in 0..n / 2 {
            w.op(Op::Notify, 1, &[register(i)]);
            w.add(i, i + 7);
        }
    }),
    ("a signal after each jump", |w, n| {
        for i in 0..n / 3 {
            w.jump(i + 3);
            if w.open.len() > 2 {
                w.close(0);
            }
            w.op(Op::Notify, 1, &[register(i)]);
            w.add(i, i + 7);
        }
    }),
    ("calls of lists", |w, n| {
        (0..REGISTERS).for_each(|r| w.add(r, r + 7));
        for i in 0..n / 2 {
            w.op(Op::CallList, 0, &[1]);
            w.add(i, i + 7);
        }
    }),
    ("calls of lists behind 32 instructions", |w, n| {
        for _ in 0..n / 33 {
            (0..REGISTERS).for_each(|r| w.add(r, r + 7));
            w.op(Op::CallList, 0, &[1]);
        }
    }),
    ("large drawing from arrays", |w, n| {
        for i in 0..n.min(400) {
            (0..REGISTERS.min(n / 400)).for_each(|r| w.add(r, r + i));
            w.op(Op::DrawArrays, 0, &[0, 0, 8300]);
        }
    }),
];

fn main() -> Result<(), Box<dyn Error>> {
    let n = std::env::args().nth(1).map_or(Ok(16_000), |n| n.parse())?;
    println!("{:>12} {:>10} {:>10} {:>10}", "instructions", "ms", "code", "frame");
    for (name, family) in FAMILIES {
        let mut writer = Writer::new();
        family(&mut writer, n);
        let program = writer.finish()?;
        let start = Instant::now();
        let result = program.compile();
        let ms = start.elapsed().as_secs_f64() * 1e3;
        let size = program.native_size().unwrap_or_default();
        print!("{:>12} {ms:>10.1} ", program.facts().instructions);
        print!("{:>10} {:>10}  {name}", size.code_bytes, size.frame_bytes);
        println!("{}", result.err().map_or(String::new(), |error| format!(": {error}")));
    }
    Ok(())
}
