//! Replaces a program time after time, as a client may: each is verified, lowered, compiled, run and given up. Memory must
//! stay as it is.
//!
//! `cargo run --release -p jit --example replace [COUNT]`: 100,000 without a number.
#![allow(clippy::print_stdout, reason = "its output")]

use blinkgl::ops::{Callback, Op};
use blinkgl::wire::{self, WireProgram};
use jit::trace::TraceGl;
use jit::{CompileQueue, Environment, Lists, ProgramCache, Run, Tier, TierChoice};
use std::error::Error;
use std::time::Instant;
use verifier::Budget;

/// Register work and a jump; the number makes each another program.
fn words(number: u32) -> Vec<u32> {
    let mut words = vec![wire::MAGIC, wire::version_word(), 0, 0];
    let mut op = |op, mask, args: &[u32]| {
        words.push(wire::head_word(op, mask));
        words.extend_from_slice(args);
    };
    op(Op::Mov, 1, &[1, number]);
    for i in 0..20 {
        op(Op::Mul, 0b11, &[i % 7, (i + 1) % 7, 1.5f32.to_bits()]);
        op(Op::Sin, 0b11, &[(i + 2) % 7, i % 7]);
    }
    words[2] = u32::try_from(words.len()).unwrap_or(0);
    words
}

/// Of this process: resident kilobytes, kilobytes of executable memory that no file has, and its mappings of such.
fn memory() -> Result<(usize, usize, usize), Box<dyn Error>> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let resident = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let resident = resident.and_then(|line| line.trim().split(' ').next()).ok_or("no VmRSS")?.parse()?;
    let (mut bytes, mut count) = (0, 0);
    for line in std::fs::read_to_string("/proc/self/maps")?.lines() {
        let fields: Vec<&str> = line.split_whitespace().collect();
        if let [range, permissions, _, _, _] = fields[..]
            && permissions.contains('x')
        {
            let (from, to) = range.split_once('-').ok_or("no range")?;
            bytes += usize::from_str_radix(to, 16)? - usize::from_str_radix(from, 16)?;
            count += 1;
        }
    }
    Ok((resident, bytes / 1024, count))
}

fn main() -> Result<(), Box<dyn Error>> {
    let count = std::env::args().nth(1).map_or(Ok(100_000), |n| n.parse())?;
    let (mut cache, queue) = (ProgramCache::default(), CompileQueue::new(1));
    let (environment, mut lists) = (Environment::at(0), Lists::default());
    let start = Instant::now();
    println!("{:>9} {:>9} {:>12} {:>12} {:>9}", "programs", "seconds", "resident KB", "code KB", "mappings");
    for number in 0..=count {
        if number % (count / 10).max(1) == 0 {
            let (resident, code, mappings) = memory()?;
            let seconds = start.elapsed().as_secs_f64();
            println!("{number:>9} {seconds:>9.1} {resident:>12} {code:>12} {mappings:>9}");
        }
        let words = WireProgram::from_words(words(number));
        let (program, was_there) = cache.accept(words, Callback::Input, 1, Budget::default())?;
        queue.submit(1, &program);
        queue.wait_idle();
        let mut gl = TraceGl::default();
        let run =
            &mut Run { registers: &mut [0; 32], environment: &environment, lists: &mut lists, gl: &mut gl };
        let outcome = program.run(TierChoice::Best, run);
        if was_there || outcome.tier != Tier::Native {
            return Err(format!("program {number} was not compiled").into());
        }
    }
    println!("{:?}", queue.stats());
    drop(cache);
    let (resident, code, mappings) = memory()?;
    println!("{:>9} {:>9} {resident:>12} {code:>12} {mappings:>9}", "none", "");
    Ok(())
}
