//! The text of one operand to its word.

use super::{AsmError, AsmErrorKind, Suggestion, Token, is_label};
use crate::ops::{EnumSet, Kind, Op, Operand};
use crate::wire::Reg;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

/// What an operand's text stands for.
pub(super) enum Word {
    Register(u32),
    Constant(u32),
    /// The offset of the label that the text names.
    Label,
}

/// Exact bits: `0x` and one to eight hexadecimal digits.
pub(super) fn hexadecimal(text: &str) -> Option<u32> {
    let digits = text.strip_prefix("0x")?;
    // `from_str_radix` takes a sign.
    if digits.starts_with('+') { None } else { u32::from_str_radix(digits, 16).ok() }
}

/// The digits of what looks like a register.
pub(super) fn register_digits(text: &str) -> Option<&str> {
    text.strip_prefix('r').filter(|d| !d.is_empty() && d.bytes().all(|b| b.is_ascii_digit()))
}

pub(super) fn parse(op: Op, operand: &Operand, token: Token<'_>) -> Result<Word, AsmError> {
    let text = token.text;
    let fail = |expected: &str, suggestion: Suggestion| {
        token.error(AsmErrorKind::Operand {
            op,
            operand: operand.name,
            found: text.to_string(),
            expected: expected.to_string(),
            suggestion,
        })
    };
    if let Some(digits) = register_digits(text) {
        if !operand.kind.takes_register() {
            let expected = format!("{}, which cannot be a register", expected(operand.kind));
            return Err(fail(&expected, Suggestion::default()));
        }
        return match digits.parse().ok().and_then(Reg::new) {
            Some(reg) => Ok(Word::Register(reg.number())),
            None => Err(fail("a register, r0 to r31", Suggestion::default())),
        };
    }
    if operand.kind.takes_constant()
        && let Some(bits) = hexadecimal(text)
    {
        return Ok(Word::Constant(bits));
    }
    let constant = match operand.kind {
        Kind::Dst => None,
        Kind::Float => float(text),
        // Without a point it would look like an integer, which registers do not hold.
        Kind::Raw => float(text).filter(|_| !text.bytes().all(|b| b.is_ascii_digit() || b"+-".contains(&b))),
        Kind::Int => text.parse::<i32>().ok().map(i32::cast_unsigned),
        Kind::Texture | Kind::Buffer | Kind::Count | Kind::List => {
            text.parse::<u32>().ok().filter(|_| !text.starts_with('+'))
        }
        Kind::Bool => match text {
            "true" | "1" => Some(1),
            "false" | "0" => Some(0),
            _ => None,
        },
        Kind::Enum(set) => match set.value_of(text) {
            Some(value) => Some(value),
            None => return Err(fail(&expected(operand.kind), suggestion(set, text))),
        },
        Kind::Bits(set) => {
            let mut all = 0;
            for name in text.split('|').map(str::trim) {
                match set.value_of(name) {
                    Some(value) => all |= value,
                    None => return Err(fail(&expected(operand.kind), suggestion(set, name))),
                }
            }
            Some(all)
        }
        Kind::Label if is_label(text) => return Ok(Word::Label),
        Kind::Label => None,
    };
    constant.map(Word::Constant).ok_or_else(|| fail(&expected(operand.kind), Suggestion::default()))
}

/// The bits of an `f32`. A finite number that is too large for one is refused, not made infinite.
fn float(text: &str) -> Option<u32> {
    let value: f32 = text.parse().ok()?;
    let written_infinite = text.contains(['i', 'I']);
    if value.is_infinite() && !written_infinite { None } else { Some(value.to_bits()) }
}

/// What may stand for a kind of operand.
fn expected(kind: Kind) -> String {
    match kind {
        Kind::Dst => "a register, r0 to r31".to_string(),
        Kind::Float => "a register or an f32, such as 1.5, -2e3 or inf".to_string(),
        Kind::Int => "a register or an integer from -2147483648 to 2147483647".to_string(),
        Kind::Raw => "a register, an f32 with its point (1.0), or 32 bits (0x1)".to_string(),
        Kind::Enum(set) => format!("a {} ({})", set.name, names(set, ", ")),
        Kind::Bits(set) => format!("a {} ({})", set.name, names(set, "|")),
        Kind::Bool => "true or false".to_string(),
        Kind::Texture => "the OID of a texture, or 0 for none".to_string(),
        Kind::Buffer => "the OID of a vertex or index buffer".to_string(),
        Kind::Count => "a number from 0 to 4294967295".to_string(),
        Kind::List => "the number of a display list".to_string(),
        Kind::Label => "a label, or a word offset (0x2a)".to_string(),
    }
}

fn names(set: &EnumSet, between: &str) -> String {
    set.values.iter().map(|&(name, _)| name).collect::<Vec<_>>().join(between)
}

fn suggestion(set: &EnumSet, found: &str) -> Suggestion {
    Suggestion::nearest(found, set.values.iter().map(|&(name, _)| name))
}
