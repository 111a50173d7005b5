//! The op table prepared for one pass: per op, masks and checks instead of lists of kinds.
//!
//! The pass spends about as long on an instruction as these loads take, so what every instruction needs is 24
//! bytes in one cache line, found by its code alone; the checks of constants are apart.

use blinkgl::limits::{MAX_LISTS, MAX_OPERANDS};
use blinkgl::ops::{
    AttributeOp, CODE_LIMIT, Class, ComputeOp, EnumSet, Kind, ListDefinitionOp, OPS, OpInfo, ReadOp,
};
use blinkgl::planted;

/// What each execution of an op adds to its path's [`crate::Cost`].
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Step {
    pub(crate) ops: u32,
    pub(crate) fuel: u32,
    pub(crate) gl_calls: u32,
    pub(crate) vertices: u32,
}

/// What the pass needs of an op for each instruction.
#[derive(Clone, Copy, Debug)]
#[repr(align(32))]
pub(crate) struct Row {
    pub(crate) step: Step,
    /// Bit `i`: operand `i` may be a register. No bits beyond the operands, so this one mask finds V07 and V10.
    pub(crate) may_register: u16,
    /// Bit 0: operand 0 is written, so it must be a register. No other operand is ever written.
    pub(crate) must_register: u16,
    /// One bit: what kind of thing it is, for [`crate::place::Place`]. None for an unknown op, so it may stand
    /// nowhere.
    pub(crate) kind: u16,
    /// Operand words.
    pub(crate) operands: u8,
    /// Done once its registers, place and cost are: no constants to check, no effect on what is tracked.
    pub(crate) plain: bool,
}

/// No op has this code.
static UNKNOWN: Row = Row {
    step: Step { ops: 0, fuel: 0, gl_calls: 0, vertices: 0 },
    may_register: 0,
    must_register: 0,
    kind: 0,
    operands: 0,
    plain: false,
};

/// The row of a code from the wire.
#[inline]
pub(crate) fn row(code: u16) -> &'static Row {
    ROWS.get(usize::from(code)).unwrap_or(&UNKNOWN)
}

/// {low, high} halves of a word: {code, mask} of an instruction's head.
#[inline]
pub(crate) fn halves(word: u32) -> [u16; 2] {
    let [a, b, c, d] = word.to_le_bytes();
    [u16::from_le_bytes([a, b]), u16::from_le_bytes([c, d])]
}

/// The bit of an op's kind: its class, with `new_list` and `end_list` apart.
pub(crate) const fn kind_bit(class: Class) -> u16 {
    match class {
        Class::Compute(_) => 1,
        Class::Read(_) => 1 << 1,
        Class::Signal(_) => 1 << 2,
        Class::Jump(_) => 1 << 3,
        Class::State(_) => 1 << 4,
        Class::Attribute(_) => 1 << 5,
        Class::Vertex(_) => 1 << 6,
        Class::Begin(_) => 1 << 7,
        Class::End(_) => 1 << 8,
        Class::Draw(_) => 1 << 9,
        Class::ListDefinition(ListDefinitionOp::NewList) => 1 << 10,
        Class::ListDefinition(ListDefinitionOp::EndList) => 1 << 11,
        Class::ListCall(_) => 1 << 12,
    }
}

/// The kinds of ops that do nothing but write a register.
pub(crate) const REGISTER_WORK: u16 =
    kind_bit(Class::Compute(ComputeOp::Mov)) | kind_bit(Class::Read(ReadOp::Read));

static ROWS: [Row; CODE_LIMIT] = {
    let mut rows = [UNKNOWN; CODE_LIMIT];
    let mut i = 0;
    while i < OPS.len() {
        rows[OPS[i].op as usize] = prepare(&OPS[i]);
        i += 1;
    }
    rows
};

const fn prepare(info: &'static OpInfo) -> Row {
    let mut row = UNKNOWN;
    row.kind = kind_bit(info.class);
    row.step = Step {
        ops: 1,
        fuel: info.cost,
        gl_calls: info.class.is_gl() as u32,
        vertices: matches!(info.class, Class::Vertex(_)) as u32,
    };
    let mut i = 0;
    assert!(info.operands.len() <= MAX_OPERANDS, "more operands than the register mask has bits");
    while i < info.operands.len() {
        match info.operands[i].kind {
            Kind::Dst => {
                assert!(i == 0, "the written register comes first");
                row.may_register |= 1;
                row.must_register = 1;
            }
            Kind::Float | Kind::Int | Kind::Raw => row.may_register |= 1 << i,
            Kind::Enum(_)
            | Kind::Bits(_)
            | Kind::Bool
            | Kind::List
            | Kind::Texture
            | Kind::Buffer
            | Kind::Count
            | Kind::Label => {}
        }
        row.operands += 1;
        i += 1;
    }
    row.plain = is_plain(info.class) && Checks::of(info).count == 0;
    row
}

/// Does the verifier keep no state about it? Then its effect in the pass is none.
const fn is_plain(class: Class) -> bool {
    use AttributeOp::{Color4, Material, MultiTexCoord4, Normal3, TexCoord2, TexCoord4};
    match class {
        Class::Compute(_) | Class::Vertex(_) => true,
        Class::Attribute(Normal3 | Color4 | TexCoord2 | TexCoord4 | MultiTexCoord4) => true,
        Class::Attribute(Material) => false,
        Class::Read(_)
        | Class::Signal(_)
        | Class::Jump(_)
        | Class::State(_)
        | Class::Begin(_)
        | Class::End(_)
        | Class::Draw(_)
        | Class::ListDefinition(_)
        | Class::ListCall(_) => false,
    }
}

/// What a constant-only operand is checked against.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Check {
    /// A member of a set. Bit `v - base` of `window` is set for each member `v` in `base..base + 64`: all
    /// members of most sets, so that the set's list is rarely searched.
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
                (
                    operand,
                    (bit < 64 && planted!(AnyEnumerant, true, window >> bit & 1 != 0)) || set.contains(value),
                )
            }
            Check::Bits { operand, all, .. } => {
                (operand, planted!(AnyBits, true, word(args, operand) & !all == 0))
            }
            Check::Bool { operand } => {
                (operand, planted!(BoolOfTwo, word(args, operand) <= 2, word(args, operand) <= 1))
            }
            Check::List { operand } => (
                operand,
                planted!(
                    ListZero,
                    word(args, operand) <= MAX_LISTS,
                    (1..=MAX_LISTS).contains(&word(args, operand))
                ),
            ),
        };
        if good { None } else { Some(usize::from(operand)) }
    }
}

#[inline]
fn word(args: &[u32], operand: u8) -> u32 {
    args.get(usize::from(operand)).copied().unwrap_or(u32::MAX)
}

/// Checks of one op at most: `color_mask` has four.
const MAX_CHECKS: usize = 4;

/// The checks of an op's constants.
#[derive(Clone, Copy, Debug)]
struct Checks {
    count: u8,
    checks: [Check; MAX_CHECKS],
}

/// Checks in the order of the op table.
static CHECKS: [Checks; OPS.len()] = {
    let mut all = [Checks::NONE; OPS.len()];
    let mut i = 0;
    while i < OPS.len() {
        all[i] = Checks::of(&OPS[i]);
        i += 1;
    }
    all
};

/// The index of each code's op in the op table.
static INDEX_OF: [u8; CODE_LIMIT] = {
    let mut table = [u8::MAX; CODE_LIMIT];
    let mut i = 0;
    assert!(OPS.len() < u8::MAX as usize, "indices no longer fit a byte");
    while i < OPS.len() {
        #[allow(clippy::cast_possible_truncation, reason = "asserted above")]
        let index = i as u8;
        table[OPS[i].op as usize] = index;
        i += 1;
    }
    table
};

/// The op of a code, with its checks.
#[inline]
pub(crate) fn details(code: u16) -> Option<(&'static OpInfo, &'static [Check])> {
    let index = usize::from(*INDEX_OF.get(usize::from(code))?);
    let checks = CHECKS.get(index)?;
    Some((OPS.get(index)?, checks.checks.get(..usize::from(checks.count))?))
}

impl Checks {
    const NONE: Checks = Checks { count: 0, checks: [Check::Bool { operand: 0 }; MAX_CHECKS] };

    const fn of(info: &'static OpInfo) -> Checks {
        let mut all = Checks::NONE;
        let mut operand = 0;
        while (operand as usize) < info.operands.len() {
            let check = match info.operands[operand as usize].kind {
                Kind::Enum(set) => {
                    let (base, window) = first_window(set);
                    Some(Check::Member { operand, base, window, set })
                }
                Kind::Bits(set) => Some(Check::Bits { operand, all: all_bits(set), set }),
                Kind::Bool => Some(Check::Bool { operand }),
                Kind::List => Some(Check::List { operand }),
                Kind::Dst
                | Kind::Float
                | Kind::Int
                | Kind::Raw
                | Kind::Texture
                | Kind::Buffer
                | Kind::Count
                | Kind::Label => None,
            };
            if let Some(check) = check {
                all.checks[all.count as usize] = check;
                all.count += 1;
            }
            operand += 1;
        }
        all
    }
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
    use blinkgl::Op;

    #[test]
    fn rows_say_what_the_op_table_says() {
        assert_eq!(core::mem::size_of::<Row>(), 32);
        for info in OPS {
            let row = row(info.op.code());
            let (same, checks) = details(info.op.code()).expect("every op has details");
            assert_eq!(same.op, info.op);
            assert_eq!(usize::from(row.operands), info.operands.len());
            assert_eq!(row.step.gl_calls == 1, info.class.is_gl(), "{}", info.name);
            assert_eq!((row.step.ops, row.step.fuel), (1, info.cost));
            assert_eq!(u32::from(row.may_register) >> info.operands.len(), 0);
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
            for check in checks {
                assert!(!row.plain);
                if let Check::Member { base, window, set, .. } = check {
                    for value in *base..=base + 63 {
                        let bit = value - base;
                        assert_eq!(window >> bit & 1 != 0, set.contains(value), "{} {value:#x}", set.name);
                    }
                }
            }
        }
        for code in (0..=u16::MAX).filter(|&code| Op::from_code(code).is_none()) {
            assert!(row(code).kind == 0 && details(code).is_none());
        }
    }
}
