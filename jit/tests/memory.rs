//! Code memory: never writable and executable at once, and given back with the program. Alone in its process, because it
//! looks at all of the process's mappings.
#![cfg(target_os = "linux")]
mod common;

use blinkgl::ops::{Callback, Op};
use common::{F, R, Words};

/// Anonymous executable mappings; fails on one that is also writable.
fn executable_mappings() -> usize {
    let maps = std::fs::read_to_string("/proc/self/maps").expect("Linux has it");
    let mut count = 0;
    for line in maps.lines() {
        let fields: Vec<&str> = line.split_whitespace().collect();
        let permissions = fields[1];
        assert!(!(permissions.contains('w') && permissions.contains('x')), "{line}");
        count += usize::from(permissions.contains('x') && fields.len() == 5);
    }
    count
}

#[test]
fn code_is_never_writable_and_goes_with_its_program() {
    let mut words = Words::default();
    for _ in 0..2000 {
        words.op(Op::Mul, &[R(1), R(1), F(1.5)]);
    }
    let before = executable_mappings();
    let programs: Vec<_> = (0..5)
        .map(|_| {
            let program = words.program(Callback::Input);
            program.compile().expect("it can be compiled");
            program
        })
        .collect();
    let with = executable_mappings();
    assert!(with > before, "{with} after {before}: native code is somewhere");
    drop(programs);
    assert_eq!(executable_mappings(), before);
}
