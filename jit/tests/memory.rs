//! Memory of programs: code is never writable and executable at once, and all of it is given back with the program. Alone in
//! its process, because it looks at all of the process's mappings.
#![cfg(target_os = "linux")]
#![allow(clippy::cast_precision_loss, reason = "test")]
mod common;

use blinkgl::ops::{Callback, Op};
use blinkgl::wire::WireProgram;
use common::{F, R, Words, environment, run};
use jit::{CompileQueue, Lists, ProgramCache, Tier, TierChoice};
use verifier::Budget;

/// Anonymous executable memory: mappings and bytes. Fails on memory that is also writable.
fn executable() -> (usize, usize) {
    let maps = std::fs::read_to_string("/proc/self/maps").expect("Linux has it");
    let (mut count, mut bytes) = (0, 0);
    for line in maps.lines() {
        let fields: Vec<&str> = line.split_whitespace().collect();
        let permissions = fields[1];
        assert!(!(permissions.contains('w') && permissions.contains('x')), "{line}");
        if permissions.contains('x') && fields.len() == 5 {
            let (from, to) = fields[0].split_once('-').expect("a range");
            let number = |text| usize::from_str_radix(text, 16).expect("an address");
            bytes += number(to) - number(from);
            count += 1;
        }
    }
    (count, bytes)
}

/// Bytes of memory that this process has of the machine.
fn resident() -> usize {
    let status = std::fs::read_to_string("/proc/self/status").expect("Linux has it");
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).expect("a line of it");
    1024 * line.trim().split(' ').next().and_then(|kilobytes| kilobytes.parse().ok()).unwrap_or(0)
}

/// One test, as they would see each other's memory.
#[test]
fn memory_goes_with_its_program() {
    code_is_never_writable_and_goes_with_its_program();
    replaced_programs_leave_nothing_behind();
}

fn code_is_never_writable_and_goes_with_its_program() {
    let mut words = Words::default();
    for _ in 0..2000 {
        words.op(Op::Mul, &[R(1), R(1), F(1.5)]);
    }
    let before = executable();
    let programs: Vec<_> = (0..5)
        .map(|_| {
            let program = words.program(Callback::Input);
            program.compile().expect("it can be compiled");
            program
        })
        .collect();
    let with = executable();
    assert!(with > before, "{with:?} after {before:?}: native code is somewhere");
    drop(programs);
    assert_eq!(executable(), before);
}

/// A program of its own for each number.
fn numbered(number: u32) -> WireProgram {
    let mut words = Words::default();
    words.op(Op::Mov, &[R(1), F(number as f32)]);
    for r in 2..12 {
        words.op(Op::Mul, &[R(r), R(r - 1), F(1.5)]).op(Op::Sin, &[R(r), R(r)]);
    }
    words.op(Op::RequestFrame, &[]);
    let mut words = words.0;
    words[2] = u32::try_from(words.len()).expect("short");
    WireProgram::from_words(words)
}

/// As the server does it: through the cache, the compile queue, and a few runs. A program that was compiled has a page of code
/// at least; were a thousandth of them kept, it would show.
fn replaced_programs_leave_nothing_behind() {
    const REPLACED: u32 = 100_000;
    /// One in so many is compiled: the compiler is not optimised here. `examples/replace.rs` compiles all.
    const COMPILED: u32 = 50;
    let before = executable();
    let (mut cache, queue) = (ProgramCache::default(), CompileQueue::new(1));
    let (mut lists, environment) = (Lists::default(), environment(1));
    let (mut seen, mut most) = (Vec::new(), (0, 0));
    for number in 0..REPLACED {
        let program = numbered(number);
        let (program, was_there) =
            cache.accept(program, Callback::Input, 1, Budget::default()).expect("it keeps the rules");
        assert!(!was_there);
        let tier = if number % COMPILED == 0 {
            queue.submit(1, &program);
            queue.wait_idle();
            Tier::Native
        } else {
            Tier::Interpreter
        };
        let outcome = run(&program, TierChoice::Best, [0; 32], &environment, &mut lists).outcome;
        assert_eq!((outcome.tier, outcome.effects.request_frame), (tier, true), "{number}");
        if number % (REPLACED / 20) == 0 {
            let (mappings, bytes) = executable();
            most = (most.0.max(mappings), most.1.max(bytes));
            seen.push(resident());
        }
    }
    assert_eq!(queue.stats().compiled, u64::from(REPLACED / COMPILED));
    // What the cache keeps.
    assert!(most.0 - before.0 <= 300 && most.1 - before.1 <= 4 << 20, "{most:?} after {before:?}");
    let (start, end) = (seen[seen.len() / 4], seen[seen.len() - 1]);
    assert!(end <= start + (4 << 20), "bytes resident: {seen:?}");
    drop(cache);
    assert_eq!(executable(), before);
}
