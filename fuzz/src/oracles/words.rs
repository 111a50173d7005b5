//! What must hold of words and of what the verifier says of them, without running them.

use crate::case::{Expect, Part};
use crate::{Mismatch, ensure};
use blinkgl::Op;
use blinkgl::wire::{self, DecodeError, HEADER_WORDS};
use verifier::{Budget, Cost, Rule, VerifiedProgram, VerifyError};

/// Is a refusal right?
pub(super) fn refused(part: &Part, error: &VerifyError) -> Result<(), Mismatch> {
    match part.expect {
        Expect::Any => {}
        Expect::Valid => return Err(Mismatch::new("verdict", format!("a valid program: {error}"))),
        Expect::Breaks(rule, at) => {
            let (found, offset) = (error.rule.number(), error.offset as usize);
            ensure!(found == rule, "verdict", "breaks V{rule:02} at {at:?}, but found is {error}");
            ensure!(
                at.is_none_or(|at| at == offset),
                "verdict",
                "breaks V{rule:02} at {at:?}, not {offset}: {error}"
            );
        }
    }
    Ok(())
}

/// Every sequence of words has a text that assembles to the same words.
pub(super) fn text(part: &Part) -> Result<(), Mismatch> {
    let text = blinkgl::dis::disassemble(&part.words, Some(part.callback));
    match blinkgl::asm::assemble(&text) {
        Ok(assembled) => {
            let same = assembled.program.untrusted_words() == part.words
                && assembled.callback == Some(part.callback);
            ensure!(same, "round trip", "other words by the text {}", beginning(&text));
            Ok(())
        }
        Err(errors) => Err(Mismatch::new("round trip", format!("{errors}: {}", beginning(&text)))),
    }
}

/// What is decoded is there, and is what the words say; what is not has a reason.
pub(super) fn decoding(part: &Part) -> Result<(), Mismatch> {
    let mut at = HEADER_WORDS;
    loop {
        let rest = part.words.get(at..).unwrap_or_default();
        let known = rest.first().and_then(|&head| Op::from_code(head as u16)).map(Op::info);
        let good = match (wire::decode(&part.words, at), known) {
            (Ok(None), _) => {
                ensure!(rest.is_empty(), "round trip", "nothing is decoded at word {at}");
                return Ok(());
            }
            (Ok(Some(i)), Some(info)) => {
                let needed = info.operands.len();
                at += 1 + needed;
                i.op() == info.op
                    && rest.get(1..1 + needed) == Some(i.args)
                    && rest.first() == Some(&(u32::from(info.op.code()) | u32::from(i.mask) << 16))
            }
            (Err(DecodeError::Truncated { .. }), Some(info)) => {
                ensure!(rest.len() <= info.operands.len(), "round trip", "word {at} is not cut short");
                return Ok(());
            }
            (Err(DecodeError::UnknownOp { .. }), None) => return Ok(()),
            _ => false,
        };
        ensure!(good, "round trip", "word {at}: {:?} of {known:?}", wire::decode(&part.words, at));
    }
}

/// As much of a text as fits a message.
fn beginning(text: &str) -> &str {
    text.get(..400).unwrap_or(text)
}

/// Words to instructions, and back.
pub(super) fn instructions(verified: &VerifiedProgram) -> Result<(), Mismatch> {
    let words = verified.words();
    let (mut at, mut count, mut marked) = (HEADER_WORDS, 0, 0);
    for i in verified.instructions() {
        let operands = i.info.operands.len();
        let same = i.offset == at
            && words.get(at) == Some(&wire::head_word(i.op(), i.mask))
            && i.args.len() == operands
            && words.get(at + 1..at + 1 + operands) == Some(i.args);
        ensure!(same, "round trip", "the instruction at word {at} is {i:?}");
        at += 1 + operands;
        count += 1;
        marked += usize::from(i.is_target);
    }
    ensure!(at == words.len(), "round trip", "instructions end at word {at} of {}", words.len());
    let facts = verified.facts();
    ensure!(count == facts.instructions, "facts", "{count} instructions, not {}", facts.instructions);
    let targets = verified.jump_targets();
    ensure!(targets.windows(2).all(|pair| pair[0] < pair[1]), "facts", "targets {targets:?} are not sorted");
    let to_end = targets.last().is_some_and(|&target| target as usize == words.len());
    ensure!(
        marked + usize::from(to_end) == targets.len(),
        "facts",
        "{marked} targets of {targets:?} are met"
    );
    Ok(())
}

/// What a program needs is enough of a budget, and less of anything is not.
pub(super) fn budget(part: &Part, verified: &VerifiedProgram) -> Result<(), Mismatch> {
    let facts = verified.facts();
    let bodies = || facts.lists.iter().map(|list| list.body.worst).chain([facts.body.worst]);
    let most = |of: fn(&Cost) -> u64| bodies().map(|worst| of(&worst)).max().unwrap_or(0);
    let worst = Budget {
        fuel: most(|worst| worst.fuel.into()),
        calls: most(|worst| worst.gl_calls.into()),
        vertices: most(|worst| worst.assembled.into()),
        upload_bytes: most(Cost::upload_bytes),
    };
    let needs = facts.needs;
    // Arrays count against the budget where they stand, reached or not.
    let has = |wanted: &[Op]| verified.instructions().any(|i| wanted.contains(&i.op()));
    let is_exact = !has(&[Op::Jmp]) || !has(&[Op::DrawArrays, Op::DrawElements]);
    let good = if is_exact { needs == worst } else { needs.allows(&worst) };
    ensure!(good, "budget", "needs {needs:?} for {worst:?}");
    let verify = |budget| verifier::verify_within(part.wire(), part.callback, budget);
    match verify(needs) {
        Ok(again) => ensure!(again == *verified, "budget", "other facts with a budget"),
        Err(error) => return Err(Mismatch::new("budget", format!("{needs:?}: {error}"))),
    }
    let fields: [fn(&mut Budget) -> &mut u64; 4] = [
        |budget| &mut budget.fuel,
        |budget| &mut budget.calls,
        |budget| &mut budget.vertices,
        |budget| &mut budget.upload_bytes,
    ];
    for field in fields {
        let mut less = needs;
        let value = field(&mut less);
        if *value > 0 {
            *value -= 1;
            let rule = verify(less).err().map(|error| error.rule);
            ensure!(rule == Some(Rule::V35), "budget", "{less:?}: {rule:?}, not V35");
        }
    }
    Ok(())
}
