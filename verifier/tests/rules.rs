//! For each rule, programs that keep it and programs that break it and nothing else: `tests/programs/Vnn.bgl`.
//!
//! A file holds many programs. Each begins with a line `; verify: ` and what the verifier must say of it: `ok`, or the
//! whole text of its error. `; budget: RESOURCE N, RESOURCE N` lowers the budget. To write the verifier's
//! present answers into the files (and then to read the difference), run the tests with `UPDATE_PROGRAMS=1`.
#![allow(clippy::cast_possible_truncation, reason = "test")]
mod build;

use blinkgl::limits::{MAX_CALLS, MAX_FUEL, MAX_LISTS, MAX_PROGRAM_WORDS, MAX_UPLOAD_BYTES, MAX_VERTICES};
use blinkgl::ops::{Callback, OPS, Op};
use blinkgl::wire::HEADER_WORDS;
use build::{F, R, U, op, program, verify};
use std::path::PathBuf;
use verifier::{Budget, Detail, Resource, Rule, VERTEX_BYTES, VerifyError, verify_within};

const VERDICT: &str = "; verify: ";

fn file(rule: Rule) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(format!("tests/programs/{rule}.bgl"))
}

/// Verifies one program of a file.
fn judge(text: &str) -> Result<(), VerifyError> {
    let assembled = blinkgl::asm::assemble(text).unwrap_or_else(|errors| panic!("{errors}\n{text}"));
    let callback = assembled.callback.unwrap_or_else(|| panic!("no .callback in\n{text}"));
    let mut budget = Budget::default();
    let line = text.lines().find_map(|line| line.strip_prefix("; budget: "));
    for part in line.into_iter().flat_map(|line| line.split(", ")) {
        let (resource, limit) = part.split_once(' ').expect("RESOURCE N");
        let limit = limit.parse().expect("a number");
        match resource {
            "fuel" => budget.fuel = limit,
            "calls" => budget.calls = limit,
            "vertices" => budget.vertices = limit,
            "upload_bytes" => budget.upload_bytes = limit,
            other => panic!("no resource `{other}`"),
        }
    }
    let (words, verified) = (assembled.program.clone(), verify_within(assembled.program, callback, budget));
    // What a program needs is exactly what it is refused without.
    for needs in verified.iter().map(|v| v.facts().needs) {
        assert!(budget.allows(&needs), "{needs:?}\n{text}");
        let again = verify_within(words.clone(), callback, needs).map(|v| v.facts().needs);
        assert_eq!(again, Ok(needs), "{text}");
        for (resource, less) in less(needs) {
            match verify_within(words.clone(), callback, less) {
                Err(VerifyError { detail: Detail::Budget { resource: r, .. }, .. }) if r == resource => {}
                other => panic!("{resource}: {other:?}\n{text}"),
            }
        }
    }
    verified.map(|_| ())
}

/// Budgets that have one unit less of one resource.
fn less(needs: Budget) -> impl Iterator<Item = (Resource, Budget)> {
    let Budget { fuel, calls, vertices, upload_bytes } = needs;
    let less = |resource, limit: u64, with: fn(Budget, u64) -> Budget| {
        limit.checked_sub(1).map(|limit| (resource, with(needs, limit)))
    };
    [
        less(Resource::Fuel, fuel, |needs, fuel| Budget { fuel, ..needs }),
        less(Resource::Calls, calls, |needs, calls| Budget { calls, ..needs }),
        less(Resource::Vertices, vertices, |needs, vertices| Budget { vertices, ..needs }),
        less(Resource::UploadBytes, upload_bytes, |needs, upload_bytes| Budget { upload_bytes, ..needs }),
    ]
    .into_iter()
    .flatten()
}

#[test]
fn every_rule_has_programs_that_keep_and_that_break_it() {
    let update = std::env::var_os("UPDATE_PROGRAMS").is_some();
    for &rule in Rule::ALL {
        let path = file(rule);
        let text =
            std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        let (head, programs) = text.split_once(VERDICT).unwrap_or_else(|| panic!("{rule}: no program"));
        assert!(head.starts_with(&format!("; {rule}: {}\n", rule.title())), "{rule}: {head}");
        let mut updated = head.to_owned();
        let (mut kept, mut broken) = (0, 0);
        for program in programs.split(&format!("\n{VERDICT}")) {
            let (expected, program) = program.split_once('\n').unwrap_or((program, ""));
            let found = match judge(program) {
                Ok(()) => {
                    kept += 1;
                    "ok".to_owned()
                }
                Err(error) => {
                    broken += 1;
                    assert_eq!(error.rule, rule, "{error}\n{program}");
                    error.to_string()
                }
            };
            assert!(
                update || found == expected,
                "{rule}\nexpected: {expected}\n   found: {found}\n{program}"
            );
            let newline = if updated.ends_with("\n\n") { "" } else { "\n" };
            updated += &format!("{newline}{VERDICT}{found}\n{program}");
        }
        assert!(kept > 0 && broken > 0, "{rule}: {kept} programs keep it, {broken} break it");
        if update {
            std::fs::write(&path, updated).expect("the test's own file");
        }
    }
}

#[test]
fn every_file_belongs_to_a_rule() {
    let files = std::fs::read_dir(file(Rule::V01).parent().expect("a directory")).expect("readable");
    assert_eq!(files.count(), Rule::ALL.len());
}

#[test]
fn rules_are_numbered_and_documented() {
    let documentation = include_str!("../src/lib.rs");
    for (i, &rule) in Rule::ALL.iter().enumerate() {
        assert_eq!(rule.number() as usize, i + 1);
        assert_eq!(Rule::from_number(rule.number()), Some(rule));
        let line = format!("- {rule} {}", rule.title());
        assert!(documentation.contains(&line), "not in the crate's documentation: {line}");
    }
    assert_eq!(Rule::from_number(0), None);
    assert_eq!(Rule::from_number(u32::MAX), None);
}

#[test]
fn length_limit() {
    let mut longest = program(&[]);
    longest.resize(MAX_PROGRAM_WORDS, u32::from(Op::RequestFrame.code()));
    longest[2] = longest.len() as u32;
    assert!(verify(&longest, Callback::Redraw).is_ok());
    longest.push(longest[4]);
    longest[2] = longest.len() as u32;
    let error = verify(&longest, Callback::Redraw).expect_err("one word too long");
    assert_eq!(error.rule, Rule::V03);
    assert_eq!(
        error.to_string(),
        "V03 in the header: 262145 words are more than 262144; split the program or move parts to display lists"
    );
}

#[test]
fn list_definition_limit() {
    let lists = |n| (0..n).flat_map(|_| [op(Op::NewList, &[U(7)]), op(Op::EndList, &[])]).collect::<Vec<_>>();
    assert!(verify(&program(&lists(MAX_LISTS)), Callback::Init).is_ok());
    let error = verify(&program(&lists(MAX_LISTS + 1)), Callback::Init).expect_err("one list too many");
    assert_eq!((error.rule, error.op_index, error.op), (Rule::V35, 2 * MAX_LISTS, Some(Op::NewList)));
}

#[test]
fn only_calls_without_operands_exceed_the_default_budget() {
    // Fails when that changes: then V35 wants more programs without a smaller budget. (Drawing from arrays is
    // paid for by its count.)
    let dearest = OPS.iter().map(|row| u64::from(row.cost).div_ceil(1 + row.operands.len() as u64)).max();
    assert!(dearest.unwrap_or(0) * MAX_PROGRAM_WORDS as u64 <= MAX_FUEL);
    assert!(3 * MAX_PROGRAM_WORDS as u64 <= MAX_VERTICES);
    // A vertex has three words at least.
    assert!(MAX_PROGRAM_WORDS as u64 / 3 * VERTEX_BYTES <= MAX_UPLOAD_BYTES);
    let calls = |count| verify(&program(&vec![op(Op::LoadIdentity, &[]); count]), Callback::Redraw);
    let most = MAX_CALLS as usize;
    assert!(calls(most).is_ok());
    let error = calls(most + 1).expect_err("one call too many");
    let text = "V35 at the program's end: needs 196609 GL calls at worst, the budget is 196608";
    assert_eq!(error.to_string(), text);
}

#[test]
fn every_op_of_redraw_is_accepted() {
    let all = blinkgl::asm::assemble(include_str!("every_op.bgl")).expect("assembles");
    let verified = verifier::verify(all.program, Callback::Redraw).unwrap_or_else(|error| panic!("{error}"));
    let missing = |row: &&blinkgl::OpInfo| !verified.instructions().any(|i| i.op() == row.op);
    let missing: Vec<Op> = OPS.iter().filter(missing).map(|row| row.op).collect();
    // Of other callbacks, and in the programs of V24.
    assert_eq!(missing, [Op::NewList, Op::EndList]);
}

#[test]
fn the_largest_programs_of_jumps_are_done_in_one_pass() {
    // Every jump to the end, and every jump nearer than the one before: the orders that are worst
    // for a list of pending jumps. (Quadratic time would be minutes.)
    let count = (MAX_PROGRAM_WORDS - HEADER_WORDS) / 6;
    for nested in [false, true] {
        let mut words = program(&[]);
        let length = HEADER_WORDS + 6 * count;
        for i in 0..count {
            let target = if nested { length - i } else { length };
            words.extend(op(Op::JmpIf, &[U(0), R(0), F(0.0), U(target as u32)]));
        }
        words.extend(std::iter::repeat_n(u32::from(Op::LoadIdentity.code()), count));
        words[2] = words.len() as u32;
        let verified = verify(&words, Callback::Redraw).expect("keeps all rules");
        assert_eq!(verified.facts().body.worst.ops as usize, 2 * count);
        assert_eq!(verified.jump_targets().len(), if nested { count } else { 1 });
    }
}
