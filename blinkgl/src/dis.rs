//! Words to `.bgl` text that assembles to the same words.
//!
//! Every sequence of words has a text. What is no instruction, or an instruction that the assembler
//! would refuse, becomes `.word` directives with a comment; the words after it are tried again, so
//! a broken program shows as much of itself as can be read. The text is canonical: it depends on the
//! words only.

use crate::ops::{Callback, EnumSet, Kind, Op};
use crate::wire::{Arg, DecodeError, HEADER_WORDS, Instruction, decode, header};
use alloc::collections::BTreeMap;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::fmt::Write;

/// The text of a program.
///
/// ```
/// let text = "    clear color\nL1:\n    jmp L1\n    .word 0x0000ffff ; unknown op code 0xffff\n";
/// let words = blinkgl::asm::assemble(text)?.program.into_words();
/// assert_eq!(blinkgl::dis::disassemble(&words, None), text);
/// # Ok::<(), blinkgl::asm::AsmErrors>(())
/// ```
#[must_use]
pub fn disassemble(words: &[u32], callback: Option<Callback>) -> String {
    let mut text = String::new();
    if let Some(callback) = callback {
        line(&mut text, format_args!(".callback {callback}"));
    }
    let given = words.get(..HEADER_WORDS).unwrap_or(words);
    if given != header(words.len()) {
        let given: Vec<String> = given.iter().map(|word| format!("{word:#010x}")).collect();
        line(&mut text, format_args!(".header {}", given.join(", ")).to_string().trim_end());
    }
    let items = items(words);
    let labels = labels(words, &items);
    for item in &items {
        if let Some(number) = labels.get(&item.offset) {
            line(&mut text, format_args!("L{number}:"));
        }
        match &item.content {
            Content::Instruction(instruction) => {
                let plain = instruction_text(instruction, |target| labels.get(&target).copied());
                line(&mut text, format_args!("    {}", plain.unwrap_or_default()));
            }
            Content::Words { count, why } => {
                let end = item.offset.saturating_add(*count).min(words.len());
                for (i, word) in words.get(item.offset..end).unwrap_or_default().iter().enumerate() {
                    let (mark, why) = if i == 0 { (" ; ", why.as_str()) } else { ("", "") };
                    line(&mut text, format_args!("    .word {word:#010x}{mark}{why}"));
                }
            }
        }
    }
    if let Some(number) = labels.get(&words.len()) {
        line(&mut text, format_args!("L{number}:"));
    }
    text
}

/// The text of one instruction, for messages and traces; jump targets are word offsets. Parts that
/// no text can say are shown by their bits.
#[must_use]
pub fn instruction(instruction: &Instruction<'_>) -> String {
    instruction_text(instruction, |_| None).unwrap_or_else(|| {
        let args: Vec<String> = (0..instruction.args.len())
            .map(|i| match (instruction.arg(i), instruction.args.get(i)) {
                (Some(Arg::Reg(reg)), _) => format!("r{}", reg.number()),
                (_, Some(bits)) if instruction.is_register(i) => format!("r{bits}"),
                (_, bits) => format!("{:#x}", bits.copied().unwrap_or(0)),
            })
            .collect();
        format!("{} {}", instruction.op(), args.join(", ")).trim_end().to_string()
    })
}

/// The text of a constant for an operand of this kind.
#[must_use]
pub fn constant(kind: Kind, bits: u32) -> String {
    let exact = || format!("{bits:#x}");
    match kind {
        Kind::Dst | Kind::Label => exact(),
        Kind::Float => float(bits),
        // What is most likely a number is shown as one: bits with a middling exponent, and zero.
        Kind::Raw => match f32::from_bits(bits).abs() {
            magnitude if magnitude == 0.0 || (1e-6..1e9).contains(&magnitude) => float(bits),
            _ => format!("{bits:#010x}"),
        },
        Kind::Int => bits.cast_signed().to_string(),
        Kind::Texture | Kind::Buffer | Kind::Count | Kind::List => bits.to_string(),
        Kind::Bool => match bits {
            0 => "false".to_string(),
            1 => "true".to_string(),
            _ => exact(),
        },
        Kind::Enum(set) => set.name_of(bits).map_or_else(exact, str::to_string),
        Kind::Bits(set) => bit_names(set, bits).unwrap_or_else(exact),
    }
}

/// The shortest text that is read back as the same bits: NaNs have a payload, so those are exact bits.
fn float(bits: u32) -> String {
    let value = f32::from_bits(bits);
    if value.is_nan() { format!("{bits:#010x}") } else { format!("{value:?}") }
}

/// Names of all bits, if all have one and there is at least one.
fn bit_names(set: &EnumSet, bits: u32) -> Option<String> {
    if bits == 0 || bits & !set.all_bits() != 0 {
        return None;
    }
    let named: Vec<&str> =
        set.values.iter().filter(|&&(_, value)| bits & value == value).map(|&(name, _)| name).collect();
    Some(named.join("|"))
}

struct Item<'a> {
    offset: usize,
    content: Content<'a>,
}

enum Content<'a> {
    Instruction(Instruction<'a>),
    Words { count: usize, why: String },
}

/// Takes the words after the header apart.
fn items(words: &[u32]) -> Vec<Item<'_>> {
    let (mut items, mut offset) = (Vec::new(), HEADER_WORDS);
    loop {
        let (content, count) = match decode(words, offset) {
            Ok(None) => return items,
            Ok(Some(instruction)) => match unwritable(&instruction) {
                None => (Content::Instruction(instruction), instruction.words()),
                Some(why) => (Content::Words { count: instruction.words(), why }, instruction.words()),
            },
            Err(error @ DecodeError::UnknownOp { .. }) => {
                (Content::Words { count: 1, why: error.to_string() }, 1)
            }
            Err(error @ DecodeError::Truncated { .. }) => {
                let count = words.len().saturating_sub(offset);
                (Content::Words { count, why: error.to_string() }, count)
            }
        };
        items.push(Item { offset, content });
        offset += count;
    }
}

/// Why an instruction has no text of its own.
fn unwritable(instruction: &Instruction<'_>) -> Option<String> {
    let op = instruction.op();
    for (i, operand) in instruction.info.operands.iter().enumerate() {
        let wrong = match instruction.arg(i) {
            None => "is a register that does not exist",
            Some(Arg::Reg(_)) if !operand.kind.takes_register() => "is a register",
            Some(Arg::Const(_)) if !operand.kind.takes_constant() => "is not a register",
            Some(_) => continue,
        };
        return Some(format!("`{op}`: operand `{}` {wrong}", operand.name));
    }
    let beyond = u32::from(instruction.mask) >> instruction.info.operands.len() != 0;
    beyond.then(|| format!("`{op}`: register mask {:#06x} goes beyond its operands", instruction.mask))
}

/// Word offset to number of each jump target at which a label can stand.
fn labels(words: &[u32], items: &[Item<'_>]) -> BTreeMap<usize, usize> {
    let mut targets = BTreeMap::new();
    for item in items {
        let Content::Instruction(instruction) = &item.content else { continue };
        for (operand, &word) in instruction.info.operands.iter().zip(instruction.args) {
            let target = word as usize;
            let is_place = target == words.len() || items.binary_search_by_key(&target, |i| i.offset).is_ok();
            if operand.kind == Kind::Label && is_place {
                targets.insert(target, 0);
            }
        }
    }
    for (number, label) in (1..).zip(targets.values_mut()) {
        *label = number;
    }
    targets
}

/// `None` where the assembler could not read it back.
fn instruction_text(instruction: &Instruction<'_>, label: impl Fn(usize) -> Option<usize>) -> Option<String> {
    if unwritable(instruction).is_some() {
        return None;
    }
    let mut text = instruction.op().to_string();
    for (i, operand) in instruction.info.operands.iter().enumerate() {
        text.push_str(if i == 0 { " " } else { ", " });
        match instruction.arg(i)? {
            Arg::Reg(reg) => write(&mut text, format_args!("r{}", reg.number())),
            Arg::Const(bits) => match label(bits as usize) {
                Some(number) if operand.kind == Kind::Label => write(&mut text, format_args!("L{number}")),
                _ => text.push_str(&constant(operand.kind, bits)),
            },
        }
    }
    Some(text)
}

fn line(text: &mut String, content: impl core::fmt::Display) {
    write(text, format_args!("{content}\n"));
}

fn write(text: &mut String, content: core::fmt::Arguments<'_>) {
    // Writing to a `String` cannot fail.
    let _ = text.write_fmt(content);
}

/// An op's name and operands as on the reference page: `name operand, operand`.
#[must_use]
pub fn signature(op: Op) -> String {
    let names: Vec<&str> = op.info().operands.iter().map(|o| o.name).collect();
    format!("{op} {}", names.join(", ")).trim_end().to_string()
}
