//! Why a program was refused: the rule, the place, the values, and what to do.

use crate::matrix::Stack;
use crate::rule::Rule;
use blinkgl::limits::{ATTRIB_STACK, MAX_LISTS, MAX_PROGRAM_WORDS, REGISTERS};
use blinkgl::ops::{Callback, EnumSet, Op};
use blinkgl::wire::{HEADER_WORDS, MAGIC, VERSION_MAJOR, VERSION_MINOR};
use core::fmt;

/// A program that breaks a rule: the first such place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct VerifyError {
    /// The rule.
    pub rule: Rule,
    /// Index of the instruction, from 0. In the header 0; at the program's end the number of instructions.
    pub op_index: u32,
    /// Word offset of the instruction from word 0 of the program.
    pub offset: u32,
    /// The op; `None` in the header, at the program's end, and where the code is unknown.
    pub op: Option<Op>,
    /// The operand, from 0, where one is at fault.
    pub operand: Option<u32>,
    /// The values that failed.
    pub detail: Detail,
}

/// A constant in a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Number {
    /// Bits of an `i32`.
    Int(i32),
    /// A count, or bytes.
    Count(u32),
    /// Bits of an `f32`: as bits, so that a NaN equals itself.
    Float(u32),
}

impl fmt::Display for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Number::Int(value) => value.fmt(f),
            Number::Count(value) => value.fmt(f),
            Number::Float(bits) => f32::from_bits(bits).fmt(f),
        }
    }
}

/// What a budget bounds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Resource {
    /// Fuel units.
    Fuel,
    /// GL calls.
    Calls,
    /// Vertices after assembly.
    Vertices,
    /// Bytes of vertices to upload.
    UploadBytes,
    /// Definitions of display lists in one program.
    ListDefinitions,
}

impl fmt::Display for Resource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Resource::Fuel => "units of fuel",
            Resource::Calls => "GL calls",
            Resource::Vertices => "vertices",
            Resource::UploadBytes => "bytes of vertices to upload",
            Resource::ListDefinitions => "definitions of display lists",
        })
    }
}

/// The values that failed, with what to do in the message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Detail {
    /// V01.
    #[error("word 0 is {found:#010x}; a program begins with {MAGIC:#010x} (\"BGL1\")")]
    Magic {
        /// Word 0.
        found: u32,
    },
    /// V02.
    #[error("version {major}.{minor} is not known here; write version {VERSION_MAJOR}.{VERSION_MINOR}")]
    Version {
        /// Major version of the program.
        major: u16,
        /// Minor version of the program.
        minor: u16,
    },
    /// V03: not even a header.
    #[error("{words} words are no program; the header alone has {HEADER_WORDS}")]
    NoHeader {
        /// Words given.
        words: usize,
    },
    /// V03: word 2 is wrong.
    #[error("word 2 says {claimed} words, the program has {real}; they must be equal")]
    Length {
        /// What word 2 says.
        claimed: u32,
        /// Words given.
        real: usize,
    },
    /// V03: too long.
    #[error(
        "{words} words are more than {MAX_PROGRAM_WORDS}; split the program or move parts to display lists"
    )]
    TooLong {
        /// Words given.
        words: usize,
    },
    /// V04.
    #[error("word 3 is {found:#x}; it is reserved and must be 0")]
    Reserved {
        /// Word 3.
        found: u32,
    },
    /// V05.
    #[error("op code {code:#06x} is not in the op table")]
    UnknownOp {
        /// The code.
        code: u16,
    },
    /// V06.
    #[error("needs {needed} operand words, the program ends after {found}")]
    Truncated {
        /// Operand words of its row.
        needed: usize,
        /// Operand words before the end.
        found: usize,
    },
    /// V07.
    #[error("register mask {mask:#06x} has bits beyond its {operands} operands; clear them")]
    Mask {
        /// The mask.
        mask: u16,
        /// Operands of the op.
        operands: usize,
    },
    /// V08.
    #[error("there is no register {number}; use 0 to {}", REGISTERS - 1)]
    RegisterNumber {
        /// The number.
        number: u32,
    },
    /// V09.
    #[error("is written and must be a register, but is the constant {value:#x}")]
    ConstantWritten {
        /// The constant's bits.
        value: u32,
    },
    /// V10.
    #[error("must be a constant, but is register {number}; branch with jmp_if to choose at run time")]
    RegisterSelects {
        /// The register's number, unchecked.
        number: u32,
    },
    /// V11: not in an enum set.
    #[error("{value:#x} is no {}", .set.name)]
    NotInSet {
        /// The constant.
        value: u32,
        /// The set of its operand.
        set: &'static EnumSet,
    },
    /// V11: bits that a bit set lacks.
    #[error("{value:#x} has bits that are no {}; the known ones are {:#x}", .set.name, .set.all_bits())]
    NotInBits {
        /// The constant.
        value: u32,
        /// The set of its operand.
        set: &'static EnumSet,
    },
    /// V11: not a Bool.
    #[error("{value:#x} is neither 0 nor 1")]
    NotBool {
        /// The constant.
        value: u32,
    },
    /// V12.
    #[error("{value} is no name of a display list; use 1 to {MAX_LISTS}")]
    ListName {
        /// The name.
        value: u32,
    },
    /// V13.
    #[error("jumps backward to word {target}; jumps go forward only, here to word {next} or later")]
    Backward {
        /// The target.
        target: u32,
        /// Offset of the next instruction.
        next: usize,
    },
    /// V14.
    #[error("jumps to word {target}, past the end; the program's end is word {end}")]
    PastEnd {
        /// The target.
        target: u32,
        /// Length of the program.
        end: usize,
    },
    /// V15.
    #[error("jumps to word {target}, into the middle of the instruction at word {instruction}")]
    IntoMiddle {
        /// The target.
        target: u32,
        /// Start of the instruction that holds it.
        instruction: usize,
    },
    /// V16.
    #[error("jumps to word {target}, between begin and end; jump before begin or after end")]
    IntoPrimitive {
        /// The target.
        target: u32,
    },
    /// V17.
    #[error("jumps to word {target}, into the definition of a display list; jump before or after all of it")]
    IntoList {
        /// The target.
        target: u32,
    },
    /// V18.
    #[error("is not allowed between begin and end; move it before begin or after end")]
    InPrimitive,
    /// V19.
    #[error("is allowed only between begin and end")]
    OutsidePrimitive,
    /// V20.
    #[error("stands between begin and end; write end first")]
    NestedBegin,
    /// V21.
    #[error("the begin at word {begin} has no end")]
    MissingEnd {
        /// Offset of `begin`.
        begin: usize,
    },
    /// V22.
    #[error("is not allowed in {callback}; {}", callback_advice(*.callback))]
    Callback {
        /// The callback that the program is for.
        callback: Callback,
    },
    /// V23.
    #[error("is not allowed in a display list; move it before new_list or after end_list")]
    InList,
    /// V24.
    #[error("stands in a display list; write end_list first")]
    NestedList,
    /// V25.
    #[error("there is no new_list before it")]
    NoList,
    /// V26.
    #[error("the new_list at word {new_list} has no end_list")]
    MissingEndList {
        /// Offset of `new_list`.
        new_list: usize,
    },
    /// V27.
    #[error("the {stack} matrix stack holds {capacity} matrices; pop before pushing more")]
    Overflow {
        /// The stack.
        stack: Stack,
        /// What it holds.
        capacity: usize,
    },
    /// V28.
    #[error("the {stack} matrix stack is as deep as at entry; push before popping")]
    Underflow {
        /// The stack.
        stack: Stack,
    },
    /// V29.
    #[error(
        "the {stack} matrix stack is left {excess} deeper than it was at entry; pop as often as you push"
    )]
    Unbalanced {
        /// The stack.
        stack: Stack,
        /// Matrices too many.
        excess: u8,
    },
    /// V30.
    #[error(
        "at its target, word {target}, the {stack} matrix stack is {jumped} deep by this jump and {other} deep by another path; push and pop alike on both"
    )]
    JoinDepth {
        /// The target.
        target: u32,
        /// The stack.
        stack: Stack,
        /// Depth that the jump brings.
        jumped: u8,
        /// Depth of the other paths.
        other: u8,
    },
    /// V31.
    #[error("the matrix mode differs between the paths that lead here; set it with matrix_mode first")]
    UnknownMode,
    /// V31: in matrix mode texture.
    #[error(
        "the active texture unit differs between the paths that lead here; set it with active_texture first"
    )]
    UnknownUnit,
    /// V32: at a call.
    #[error("a display list is called in matrix mode modelview only; set it with matrix_mode first")]
    CallMode,
    /// V32: at a call.
    #[error("a display list is called with texture unit 0 only; set it with active_texture first")]
    CallUnit,
    /// V32: at a list's end.
    #[error("the list ends with texture unit 1; a display list must leave unit 0")]
    ListEndUnit,
    /// V32: at a list's end.
    #[error("the list ends in matrix mode {mode}; a display list must leave modelview")]
    ListEndMode {
        /// The mode.
        mode: Stack,
    },
    /// V33: one constant.
    #[error("{value} is out of range; {must}")]
    Range {
        /// The constant.
        value: Number,
        /// What it must be.
        must: &'static str,
    },
    /// V33: two constants that make a volume empty.
    #[error("equals `{other}` ({value}); they must differ")]
    EmptyVolume {
        /// Name of the other operand.
        other: &'static str,
        /// Their value.
        value: Number,
    },
    /// V34.
    #[error("`{value}` is no value for `{name}`; {must}")]
    Pair {
        /// Name of the parameter.
        name: &'static str,
        /// Name of the value.
        value: &'static str,
        /// What it must be.
        must: &'static str,
    },
    /// V36.
    #[error("the attribute stack is {ATTRIB_STACK} deep; pop before pushing more")]
    AttributeOverflow,
    /// V37.
    #[error("no push_attrib is open; push before popping")]
    AttributeUnderflow,
    /// V38.
    #[error("{excess} push_attrib more than pop_attrib; pop as often as you push")]
    AttributesLeft {
        /// Pushes too many.
        excess: u8,
    },
    /// V39.
    #[error(
        "at its target, word {target}, other attributes are pushed by this jump than by another path; push them before the paths part, or pop them before they meet"
    )]
    JoinAttributes {
        /// The target.
        target: u32,
    },
    /// V35.
    #[error("needs {needed} {resource} at worst, the budget is {limit}")]
    Budget {
        /// What there is too little of.
        resource: Resource,
        /// Worst case.
        needed: u64,
        /// The limit.
        limit: u64,
    },
}

fn callback_advice(callback: Callback) -> &'static str {
    match callback {
        Callback::Init | Callback::Update | Callback::Reshape => {
            "draw in redraw, or in a display list between new_list and end_list"
        }
        Callback::Redraw => "define display lists in init, update or reshape",
        Callback::Input => "compute registers in input, and use them in redraw",
    }
}

impl Detail {
    /// The rule that the detail belongs to.
    #[must_use]
    pub fn rule(&self) -> Rule {
        match self {
            Detail::Magic { .. } => Rule::V01,
            Detail::Version { .. } => Rule::V02,
            Detail::NoHeader { .. } | Detail::Length { .. } | Detail::TooLong { .. } => Rule::V03,
            Detail::Reserved { .. } => Rule::V04,
            Detail::UnknownOp { .. } => Rule::V05,
            Detail::Truncated { .. } => Rule::V06,
            Detail::Mask { .. } => Rule::V07,
            Detail::RegisterNumber { .. } => Rule::V08,
            Detail::ConstantWritten { .. } => Rule::V09,
            Detail::RegisterSelects { .. } => Rule::V10,
            Detail::NotInSet { .. } | Detail::NotInBits { .. } | Detail::NotBool { .. } => Rule::V11,
            Detail::ListName { .. } => Rule::V12,
            Detail::Backward { .. } => Rule::V13,
            Detail::PastEnd { .. } => Rule::V14,
            Detail::IntoMiddle { .. } => Rule::V15,
            Detail::IntoPrimitive { .. } => Rule::V16,
            Detail::IntoList { .. } => Rule::V17,
            Detail::InPrimitive => Rule::V18,
            Detail::OutsidePrimitive => Rule::V19,
            Detail::NestedBegin => Rule::V20,
            Detail::MissingEnd { .. } => Rule::V21,
            Detail::Callback { .. } => Rule::V22,
            Detail::InList => Rule::V23,
            Detail::NestedList => Rule::V24,
            Detail::NoList => Rule::V25,
            Detail::MissingEndList { .. } => Rule::V26,
            Detail::Overflow { .. } => Rule::V27,
            Detail::Underflow { .. } => Rule::V28,
            Detail::Unbalanced { .. } => Rule::V29,
            Detail::JoinDepth { .. } => Rule::V30,
            Detail::UnknownMode | Detail::UnknownUnit => Rule::V31,
            Detail::CallMode | Detail::CallUnit | Detail::ListEndMode { .. } | Detail::ListEndUnit => {
                Rule::V32
            }
            Detail::Range { .. } | Detail::EmptyVolume { .. } => Rule::V33,
            Detail::Pair { .. } => Rule::V34,
            Detail::Budget { .. } => Rule::V35,
            Detail::AttributeOverflow => Rule::V36,
            Detail::AttributeUnderflow => Rule::V37,
            Detail::AttributesLeft { .. } => Rule::V38,
            Detail::JoinAttributes { .. } => Rule::V39,
        }
    }

    /// Is the fault in the header, not at an instruction?
    fn in_header(&self) -> bool {
        self.rule() <= Rule::V04
    }
}

impl fmt::Display for VerifyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ", self.rule)?;
        match self.op {
            Some(op) => {
                write!(f, "at op {} (`{op}`", self.op_index)?;
                if let Some(operand) = self.operand {
                    let name = usize::try_from(operand).ok().and_then(|i| op.info().operands.get(i));
                    write!(f, ", operand {operand} `{}`", name.map_or("?", |o| o.name))?;
                }
                write!(f, ")")?;
            }
            None if self.detail.in_header() => write!(f, "in the header")?,
            None if self.rule == Rule::V05 => write!(f, "at op {} (word {})", self.op_index, self.offset)?,
            None => write!(f, "at the program's end")?,
        }
        write!(f, ": {}", self.detail)
    }
}

impl core::error::Error for VerifyError {}
