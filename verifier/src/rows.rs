//! The op table prepared for one pass: per op, masks and checks instead of lists of kinds.

use crate::cost::Cost;
use blinkgl::limits::{MAX_LISTS, MAX_OPERANDS};
use blinkgl::ops::{CODE_LIMIT, Class, EnumSet, Kind, OPS, Op, OpInfo};

/// What a constant-only operand is checked against.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Check {
    /// A member of a set. Bit `v - base` of `window` is set for each member `v` in `base..base + 64`: all members of
    /// most sets, so that the set's list is rarely searched.
    Member { operand: u8, base: u32, window: u64, set: &'static EnumSet },
    /// An or of members of a set.
    Bits { operand: u8, all: u32, set: &'static EnumSet },
    /// 0 or 1.
    Bool { operand: u8 },
    /// A display list's name.
    List { operand: u8 },
}

impl Check {
    /// The operand at fault, if the constants fail the check.
    #[inline]
    pub(crate) fn fails(&self, args: &[u32]) -> Option<usize> {
        let (operand, good) = match *self {
            Check::Member { operand, base, window, set } => {
                let value = word(args, operand);
                let bit = value.wrapping_sub(base);
                (operand, (bit < 64 && window >> bit & 1 != 0) || set.contains(value))
            }
            Check::Bits { operand, all, .. } => (operand, word(args, operand) & !all == 0),
            Check::Bool { operand } => (operand, word(args, operand) <= 1),
            Check::List { operand } => (operand, (1..=MAX_LISTS).contains(&word(args, operand))),
        };
        if good { None } else { Some(usize::from(operand)) }
    }
}

#[inline]
fn word(args: &[u32], operand: u8) -> u32 {
    args.get(usize::from(operand)).copied().unwrap_or(u32::MAX)
}

/// Checks of one row at most: `color_mask` has four.
const MAX_CHECKS: usize = 4;

/// A row of the op table, prepared.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Row {
    pub(crate) info: &'static OpInfo,
    checks: u8,
    /// Bit `i`: operand `i` may be a register. No bits beyond the operands, so this one mask finds V07 and V10.
    pub(crate) may_register: u16,
    /// Bit `i`: operand `i` must be a register: it is written.
    pub(crate) must_register: u16,
    /// One bit: what kind of thing it is, for [`crate::place::Place`].
    pub(crate) kind: u16,
    /// Done once its register operands, place and cost are: no constants to check, no effect on what is tracked.
    pub(crate) plain: bool,
    /// Cost of one execution.
    pub(crate) cost: Cost,
    check: [Check; MAX_CHECKS],
}

impl Row {
    #[inline]
    pub(crate) fn checks(&self) -> &[Check] {
        self.check.get(..usize::from(self.checks)).unwrap_or_default()
    }
}

/// The row of a code from the wire.
#[inline]
pub(crate) fn row(code: u16) -> Option<&'static Row> {
    let row = *ROW_OF.get(usize::from(code))?;
    ROWS.get(usize::from(row))
}

/// {low, high} halves of a word: {code, mask} of an instruction's head.
#[inline]
pub(crate) fn halves(word: u32) -> [u16; 2] {
    let [a, b, c, d] = word.to_le_bytes();
    [u16::from_le_bytes([a, b]), u16::from_le_bytes([c, d])]
}

/// Operand words of a code from the wire, 0 for an unknown one.
///
/// A table of its own, although the row has the number: where the next instruction starts depends on this load, so
/// its latency is the speed of every loop over instructions.
#[inline]
pub(crate) fn operands(code: u16) -> usize {
    OPERANDS_OF.get(usize::from(code)).copied().map_or(0, usize::from)
}

/// The bit of an op's kind: its class, with `new_list` and `end_list` apart.
pub(crate) const fn kind_bit(op: Op, class: Class) -> u16 {
    match class {
        Class::Compute => 1,
        Class::Read => 1 << 1,
        Class::Signal => 1 << 2,
        Class::Jump => 1 << 3,
        Class::State => 1 << 4,
        Class::Attribute => 1 << 5,
        Class::Vertex => 1 << 6,
        Class::Begin => 1 << 7,
        Class::End => 1 << 8,
        Class::Draw => 1 << 9,
        Class::ListDefinition if op as u16 == Op::NewList as u16 => 1 << 10,
        Class::ListDefinition => 1 << 11,
        Class::ListCall => 1 << 12,
    }
}

const NO_ROW: u8 = u8::MAX;

static ROW_OF: [u8; CODE_LIMIT] = {
    let mut table = [NO_ROW; CODE_LIMIT];
    let mut i = 0;
    assert!(OPS.len() < NO_ROW as usize, "row numbers no longer fit a byte");
    while i < OPS.len() {
        #[allow(clippy::cast_possible_truncation, reason = "asserted above")]
        let row = i as u8;
        table[OPS[i].op as usize] = row;
        i += 1;
    }
    table
};

static OPERANDS_OF: [u8; CODE_LIMIT] = {
    let mut table = [0; CODE_LIMIT];
    let mut i = 0;
    while i < OPS.len() {
        assert!(OPS[i].operands.len() <= MAX_OPERANDS, "more operands than the register mask has bits");
        #[allow(clippy::cast_possible_truncation, reason = "asserted above")]
        let operands = OPS[i].operands.len() as u8;
        table[OPS[i].op as usize] = operands;
        i += 1;
    }
    table
};

static ROWS: [Row; OPS.len()] = {
    let mut rows = [prepare(&OPS[0]); OPS.len()];
    let mut i = 0;
    while i < OPS.len() {
        rows[i] = prepare(&OPS[i]);
        i += 1;
    }
    rows
};

const fn prepare(info: &'static OpInfo) -> Row {
    let mut row = Row {
        info,
        checks: 0,
        may_register: 0,
        must_register: 0,
        kind: kind_bit(info.op, info.class),
        plain: false,
        cost: Cost {
            ops: 1,
            fuel: info.cost,
            gl_calls: is_gl(info.class) as u32,
            vertices: matches!(info.class, Class::Vertex) as u32,
            assembled: 0,
        },
        check: [Check::Bool { operand: 0 }; MAX_CHECKS],
    };
    let mut operand = 0;
    while (operand as usize) < info.operands.len() {
        let bit = 1 << operand;
        let check = match info.operands[operand as usize].kind {
            Kind::Dst => {
                row.may_register |= bit;
                row.must_register |= bit;
                None
            }
            Kind::Float | Kind::Int | Kind::Raw => {
                row.may_register |= bit;
                None
            }
            Kind::Enum(set) => {
                let (base, window) = first_window(set);
                Some(Check::Member { operand, base, window, set })
            }
            Kind::Bits(set) => Some(Check::Bits { operand, all: all_bits(set), set }),
            Kind::Bool => Some(Check::Bool { operand }),
            Kind::List => Some(Check::List { operand }),
            Kind::Texture | Kind::Label => None,
        };
        if let Some(check) = check {
            row.check[row.checks as usize] = check;
            row.checks += 1;
        }
        operand += 1;
    }
    row.plain = row.checks == 0 && is_plain(info.class);
    row
}

/// Classes whose ops the verifier keeps no state about.
const fn is_plain(class: Class) -> bool {
    match class {
        Class::Compute | Class::Attribute | Class::Vertex => true,
        Class::Read
        | Class::Signal
        | Class::Jump
        | Class::State
        | Class::Begin
        | Class::End
        | Class::Draw
        | Class::ListDefinition
        | Class::ListCall => false,
    }
}

/// [`Class::is_gl`] at compile time; a test compares them.
const fn is_gl(class: Class) -> bool {
    !matches!(class, Class::Compute | Class::Read | Class::Signal | Class::Jump)
}

const fn first_window(set: &EnumSet) -> (u32, u64) {
    let base = set.values[0].1;
    let (mut window, mut i) = (0, 0);
    while i < set.values.len() {
        let bit = set.values[i].1.wrapping_sub(base);
        if bit < 64 {
            window |= 1 << bit;
        }
        i += 1;
    }
    (base, window)
}

const fn all_bits(set: &EnumSet) -> u32 {
    let (mut all, mut i) = (0, 0);
    while i < set.values.len() {
        all |= set.values[i].1;
        i += 1;
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_say_what_the_op_table_says() {
        for info in OPS {
            let row = row(info.op.code()).expect("every op has a row");
            assert_eq!(row.info.op, info.op);
            assert_eq!(operands(info.op.code()), info.operands.len());
            assert_eq!(row.cost.gl_calls == 1, info.class.is_gl(), "{}", info.name);
            for (i, operand) in info.operands.iter().enumerate() {
                assert_eq!(
                    row.may_register >> i & 1 != 0,
                    operand.kind.takes_register(),
                    "{} {i}",
                    info.name
                );
                assert_eq!(
                    row.must_register >> i & 1 == 0,
                    operand.kind.takes_constant(),
                    "{} {i}",
                    info.name
                );
            }
            assert_eq!(u32::from(row.may_register) >> info.operands.len(), 0);
            for check in row.checks() {
                if let Check::Member { base, window, set, .. } = check {
                    for value in 0..=0xffff {
                        let bit = value - *base.min(&value);
                        if value >= *base && bit < 64 {
                            assert_eq!(
                                window >> bit & 1 != 0,
                                set.contains(value),
                                "{} {value:#x}",
                                set.name
                            );
                        }
                    }
                }
            }
        }
        assert!(row(0).is_none() && row(u16::MAX).is_none());
    }
}
