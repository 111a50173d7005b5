#![allow(clippy::cast_possible_truncation, clippy::wildcard_enum_match_arm, reason = "test")]

use super::*;
use crate::dis::{self, disassemble};
use crate::limits::REGISTERS;
use crate::ops::{ENUM_SETS, Kind};
use crate::wire::{Arg, decode};
use alloc::format;
use alloc::vec;

fn words(text: &str) -> Vec<u32> {
    match assemble(text) {
        Ok(assembled) => assembled.program.untrusted_words().to_vec(),
        Err(errors) => panic!("{errors}\nin\n{text}"),
    }
}

/// Words that an operand of this kind may have after verification, and odd ones, by turns.
fn random_constant(rng: &mut fastrand::Rng, kind: Kind, length: u32) -> u32 {
    let odd = [0, 1, u32::MAX, 0x7fc0_0000, 0x7fc0_0001, 0xffc0_0000, 0x7f80_0000, 0xff80_0000, 0x8000_0000];
    if rng.u32(0..4) == 0 {
        return odd[rng.usize(..odd.len())];
    }
    match kind {
        Kind::Dst => unreachable!("always a register"),
        Kind::Float | Kind::Raw if rng.bool() => (rng.f32() * 100.0 - 50.0).to_bits(),
        Kind::Float | Kind::Raw | Kind::Int => rng.u32(..),
        Kind::Enum(set) => set.values[rng.usize(..set.values.len())].1,
        Kind::Bits(set) => rng.u32(..) & set.all_bits(),
        Kind::Bool => rng.u32(0..3),
        Kind::Texture | Kind::Buffer | Kind::Count | Kind::List => rng.u32(0..2000),
        Kind::Label => rng.u32(0..length + 4),
    }
}

/// A program of well-shaped instructions, each op of the table at least once.
fn random_program(rng: &mut fastrand::Rng) -> Vec<u32> {
    let mut ops: Vec<Op> = OPS.iter().map(|row| row.op).collect();
    rng.shuffle(&mut ops);
    let length: usize = ops.iter().map(|op| 1 + op.info().operands.len()).sum::<usize>() + HEADER_WORDS;
    let mut words = header(length).to_vec();
    for op in ops {
        let head = words.len();
        words.push(0);
        let mut mask = 0;
        for (i, operand) in op.info().operands.iter().enumerate() {
            if operand.kind.takes_register() && (operand.kind == Kind::Dst || rng.bool()) {
                mask |= 1 << i;
                words.push(rng.u32(0..REGISTERS as u32));
            } else {
                words.push(random_constant(rng, operand.kind, length as u32));
            }
        }
        words[head] = head_word(op, mask);
    }
    words
}

fn check_round_trip(words: &[u32]) {
    let text = disassemble(words, None);
    let again = self::words(&text);
    assert_eq!(again, words, "{text}");
}

#[test]
fn programs_over_the_whole_table_survive_their_text() {
    let mut rng = fastrand::Rng::with_seed(1);
    for _ in 0..100 {
        let words = random_program(&mut rng);
        check_round_trip(&words);
        let text = disassemble(&words, None);
        assert!(!text.contains(".word"), "each of these instructions has a text:\n{text}");
    }
}

#[test]
fn broken_programs_survive_their_text() {
    let mut rng = fastrand::Rng::with_seed(2);
    for round in 0..300 {
        let mut words = random_program(&mut rng);
        match round % 4 {
            0 => words.truncate(rng.usize(..words.len())),
            1 => words = (0..rng.usize(0..40)).map(|_| rng.u32(..)).collect(),
            2 => {
                for _ in 0..20 {
                    let at = rng.usize(..words.len());
                    words[at] ^= 1 << rng.u32(..32);
                }
            }
            // Heads stay, operands become anything, so that lengths stay right.
            _ => {
                let mut at = HEADER_WORDS;
                while let Ok(Some(instruction)) = decode(&words, at) {
                    let count = instruction.args.len();
                    if let Some(i) = (count > 0).then(|| rng.usize(..count)) {
                        words[at + 1 + i] = rng.u32(..);
                        words[at] ^= 0x1_0000 << rng.u32(..16);
                    }
                    at += 1 + count;
                }
            }
        }
        check_round_trip(&words);
    }
}

#[test]
fn every_float_bit_pattern_survives() {
    let mut rng = fastrand::Rng::with_seed(3);
    let special =
        [0, 0x8000_0000, 1, 0x007f_ffff, 0x0080_0000, 0x7f7f_ffff, 0x7f80_0000, 0x7fc0_0001, 0xff80_0001];
    for bits in special.into_iter().chain((0..20_000).map(|_| rng.u32(..))) {
        for kind in [Kind::Float, Kind::Raw] {
            let text = dis::constant(kind, bits);
            let op = if kind == Kind::Float { "neg" } else { "mov" };
            assert_eq!(words(&format!("{op} r1, {text}"))[6], bits, "{text}");
        }
    }
    assert_eq!(dis::constant(Kind::Float, 0.1f32.to_bits()), "0.1");
    assert_eq!(dis::constant(Kind::Float, 0x7fc0_0001), "0x7fc00001");
    assert_eq!(dis::constant(Kind::Raw, 7), "0x00000007");
    assert_eq!(dis::constant(Kind::Raw, 1.5f32.to_bits()), "1.5");
}

#[test]
fn every_name_of_every_set_is_read() {
    let mut seen = vec![];
    for row in OPS {
        for (i, operand) in row.operands.iter().enumerate() {
            let (Kind::Enum(set) | Kind::Bits(set)) = operand.kind else { continue };
            seen.push(set.name);
            for &(name, value) in set.values {
                let args: Vec<&str> = (0..row.operands.len())
                    .map(|j| match row.operands[j].kind {
                        _ if j == i => name,
                        Kind::Dst => "r0",
                        Kind::Label => "end",
                        _ => "0x0",
                    })
                    .collect();
                let words = words(&format!("{} {}\nend:", row.name, args.join(", ")));
                assert_eq!(words[HEADER_WORDS + 1 + i], value, "{name}");
            }
        }
    }
    for set in ENUM_SETS {
        assert!(seen.contains(&set.name), "no op takes a {}", set.name);
    }
}

/// Comments, blanks, label places and number forms that canonical text does not have.
#[test]
fn text_by_hand_becomes_the_canonical_text() {
    let text = "
; A program.
.callback redraw
start: begin:clear depth | color;two labels
\tjmp_if  gt , r0 ,-1 , 0x4
    mov r31, 0x7fc00000 ; NaN
    scissor -1, +2, r3, 0x10
    depth_mask 1
    translate 1, 2., .5
    jmp end
    jmp start
    notify 0x7
    begin 0x7
end:
";
    let canonical = ".callback redraw
L1:
    clear depth|color
    jmp_if gt, r0, -1.0, L1
    mov r31, 0x7fc00000
    scissor -1, 2, r3, 16
    depth_mask true
    translate 1.0, 2.0, 0.5
    jmp L2
    jmp L1
    notify 0x00000007
    begin quads
L2:
";
    let assembled = assemble(text).unwrap();
    let words = assembled.program.untrusted_words();
    assert_eq!(assembled.callback, Some(Callback::Redraw));
    assert_eq!(disassemble(words, assembled.callback), canonical);
    assert_eq!(disassemble(&self::words(canonical), Some(Callback::Redraw)), canonical);
    assert_eq!(assembled.line_of(3), None);
    assert_eq!(assembled.line_of(4), Some(4), "the clear");
    assert_eq!(assembled.line_of(5), Some(4), "its operand");
    assert_eq!(assembled.line_of(6), Some(5));
}

#[test]
fn what_is_no_instruction_is_shown_as_words() {
    let text = "\
.header 0x314c4742, 0x00020000, 0x00000010, 0x00000000
    .word 0x0000dead ; unknown op code 0xdead
    .word 0x00010100 ; `begin`: operand `mode` is a register
    .word 0x00000003
    .word 0x00010008 ; `neg`: operand `d` is a register that does not exist
    .word 0x00000020
    .word 0x00000000
    .word 0x00000008 ; `neg`: operand `d` is not a register
    .word 0x00000000
    .word 0x00000000
    request_frame
    .word 0x80000101 ; `end`: register mask 0x8000 goes beyond its operands
    .word 0x00000126 ; `translate` needs 3 operand words, the program ends after 1
    .word 0x3f800000
";
    assert_eq!(disassemble(&words(text), None), text);
    for short in ["", ".header\n", ".header 0x00000001, 0x00000002\n"] {
        assert_eq!(disassemble(&words(short), None), short);
    }
    assert_eq!(words(".header"), []);
}

#[test]
fn one_instruction_is_shown_even_if_it_is_broken() {
    let show = |text: &str| {
        let words = words(text);
        dis::instruction(&decode(&words, HEADER_WORDS).unwrap().unwrap())
    };
    assert_eq!(show("jmp_if lt, r1, 2.5, end\nend:"), "jmp_if lt, r1, 2.5, 0x9");
    assert_eq!(show(".word 0x00030008, 0x00000021, 0x00000001"), "neg r33, r1");
    assert_eq!(show(".word 0x00010100, 0x3"), "begin r3");
    assert_eq!(show(".word 0xffff0101"), "end");
}

/// The messages are what a developer reads: each is here in full.
#[test]
fn errors_say_where_and_what() {
    for (text, expected) in [
        ("  tranlsate 1, 2, 3", "line 1, column 3: there is no op `tranlsate`, did you mean `translate`?"),
        ("flush", "line 1, column 1: there is no op `flush`"),
        (
            "\n.wrod 0x1",
            "line 2, column 1: there is no directive `.wrod` (they are .callback, .header and .word), did you mean `.word`?",
        ),
        ("translate 1, 2", "line 1, column 1: `translate` takes 3 operands (x, y, z), found 2"),
        ("clear color, depth", "line 1, column 14: `clear` takes 1 operand (mask), found 2"),
        ("end 1", "line 1, column 5: `end` takes 0 operands (none), found 1"),
        (
            "translate 1,, 3",
            "line 1, column 13: operand `y` of `translate`: found ``, expected a register or an f32, such as 1.5, -2e3 or inf",
        ),
        (
            "color4 1, 2, 3, 1e39",
            "line 1, column 17: operand `a` of `color4`: found `1e39`, expected a register or an f32, such as 1.5, -2e3 or inf",
        ),
        (
            "scissor 0, 0.5, 1, 1",
            "line 1, column 12: operand `y` of `scissor`: found `0.5`, expected a register or an integer from -2147483648 to 2147483647",
        ),
        (
            "mov r0, 1",
            "line 1, column 9: operand `a` of `mov`: found `1`, expected a register, an f32 with its point (1.0), or 32 bits (0x1)",
        ),
        (
            "mov 1.0, r1",
            "line 1, column 5: operand `d` of `mov`: found `1.0`, expected a register, r0 to r31",
        ),
        (
            "mov 0x1, r1",
            "line 1, column 5: operand `d` of `mov`: found `0x1`, expected a register, r0 to r31",
        ),
        (
            "neg r32, r1",
            "line 1, column 5: operand `d` of `neg`: found `r32`, expected a register, r0 to r31",
        ),
        (
            "shade_model flatt",
            "line 1, column 13: operand `mode` of `shade_model`: found `flatt`, expected a shade model (flat, smooth), did you mean `flat`?",
        ),
        (
            "shade_model r1",
            "line 1, column 13: operand `mode` of `shade_model`: found `r1`, expected a shade model (flat, smooth), which cannot be a register",
        ),
        (
            "clear color|accum",
            "line 1, column 7: operand `mask` of `clear`: found `color|accum`, expected a clear mask (depth|stencil|color)",
        ),
        (
            "depth_mask yes",
            "line 1, column 12: operand `write` of `depth_mask`: found `yes`, expected true or false",
        ),
        (
            "bind_texture -1",
            "line 1, column 14: operand `texture` of `bind_texture`: found `-1`, expected the OID of a texture, or 0 for none",
        ),
        (
            "call_list x",
            "line 1, column 11: operand `list` of `call_list`: found `x`, expected the number of a display list",
        ),
        (
            "jmp 12",
            "line 1, column 5: operand `target` of `jmp`: found `12`, expected a label, or a word offset (0x2a)",
        ),
        ("jmp fnish\nfinish:", "line 1, column 5: there is no label `fnish`, did you mean `finish`?"),
        ("a:\na: b:", "line 2, column 1: label `a` stands in line 1 already"),
        (
            "r7: end",
            "line 1, column 1: `r7` cannot name a label: letters, digits and _, not a digit first, not a register",
        ),
        (
            ".word 0x123456789",
            "line 1, column 7: `.word`: found `0x123456789`, expected words as 0x and hexadecimal digits",
        ),
        (
            ".callback redrew",
            "line 1, column 11: `.callback`: found `redrew`, expected one of init, update, reshape, redraw, input",
        ),
        (
            "end\n.header 0x1",
            "line 2, column 1: `.header` may stand only once, and before the first instruction",
        ),
        (".header 0x1\nend", "line 2, column 1: no instruction can follow a header of 1 words: it has 4"),
        (
            "ü: end",
            "line 1, column 1: `ü` cannot name a label: letters, digits and _, not a digit first, not a register",
        ),
        ("end ü, 1", "line 1, column 5: `end` takes 0 operands (none), found 2"),
        (
            "mul r0, ü, 0x",
            "line 1, column 9: operand `a` of `mul`: found `ü`, expected a register or an f32, such as 1.5, -2e3 or inf",
        ),
    ] {
        let errors = assemble(text).map(|a| a.program).unwrap_err();
        assert_eq!(format!("{errors}"), expected, "{text}");
    }
}

#[test]
fn all_errors_are_reported_up_to_a_limit() {
    let errors = assemble("x\nend\ny 1\njmp z\n").unwrap_err();
    assert_eq!(errors.0.iter().map(|e| e.line).collect::<Vec<_>>(), [1, 3, 4]);
    assert_eq!(assemble(&"x\n".repeat(1000)).unwrap_err().0.len(), MAX_ERRORS);
}

#[test]
fn programs_end_at_their_limit() {
    let room = MAX_PROGRAM_WORDS - HEADER_WORDS;
    assert_eq!(words(&"end\n".repeat(room)).len(), MAX_PROGRAM_WORDS);
    let errors = assemble(&format!("{}jmp x\nx:", "end\n".repeat(room - 1))).unwrap_err();
    assert_eq!(errors.0, [AsmError { line: room, column: 1, kind: AsmErrorKind::TooLong }]);
}

/// Text from anywhere must give an answer, not a panic.
#[test]
fn no_text_panics() {
    let mut rng = fastrand::Rng::with_seed(4);
    let good = disassemble(&random_program(&mut rng), None);
    for _ in 0..300 {
        let mut text: Vec<char> = good.chars().collect();
        for _ in 0..rng.usize(1..40) {
            let (at, from) = (rng.usize(..text.len()), rng.usize(..text.len()));
            match rng.u32(0..3) {
                0 => text[at] = *rng.choice(&['é', ',', ':', ';', '\n', '|', '\0', '.']).unwrap(),
                1 => text[at] = text[from],
                _ => drop(text.remove(at)),
            }
        }
        let text: String = text.into_iter().collect();
        if let Ok(assembled) = assemble(&text) {
            check_round_trip(assembled.program.untrusted_words());
        }
    }
}

#[test]
fn recorder_and_assembler_agree() {
    let mut p = crate::Recorder::new();
    let r = p.reg(2);
    let end = p.label();
    p.cmp(r, crate::gl::Predicate::Le, r, 0.5);
    p.jmp_if(crate::gl::Predicate::Ne, r, 0.0, end);
    p.viewport(0, 0, r, 300);
    p.instruction(Op::Notify, &[Arg::Const(9)]);
    p.bind(end);
    let text = "cmp r2, le, r2, 0.5\njmp_if ne, r2, 0, end\nviewport 0, 0, r2, 300\nnotify 0x9\nend:";
    assert_eq!(p.finish().unwrap().untrusted_words(), words(text));
}
