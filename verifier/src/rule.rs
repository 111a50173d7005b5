//! The rules' numbers and titles. What they are for is said in the crate's documentation.

use core::fmt;

macro_rules! rules {
    ($( $Name:ident = $number:literal, $title:literal; )*) => {
        /// A rule of the verifier, by its number.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[repr(u32)]
        pub enum Rule { $( #[doc = $title] $Name = $number, )* }

        impl Rule {
            /// All rules, in the order of their numbers, which are dense from 1.
            pub const ALL: &'static [Rule] = &[ $( Rule::$Name ),* ];

            /// What the rule demands, in a few words.
            #[must_use]
            pub fn title(self) -> &'static str {
                match self { $( Rule::$Name => $title, )* }
            }
        }
    };
}

rules! {
    V01 = 1, "word 0 is the magic";
    V02 = 2, "the version is one that the server knows";
    V03 = 3, "word 2 is the program's real length, within the limit";
    V04 = 4, "word 3 is 0";
    V05 = 5, "the op code is known";
    V06 = 6, "all operand words are there";
    V07 = 7, "the register mask has no bits beyond the operands";
    V08 = 8, "a register's number is below 32";
    V09 = 9, "an operand that is written is a register";
    V10 = 10, "an operand that selects something is a constant";
    V11 = 11, "a constant is one of its operand's set";
    V12 = 12, "a display list's name is in 1..=1024";
    V13 = 13, "jumps go forward";
    V14 = 14, "jumps stay in the program";
    V15 = 15, "jumps lead to the start of an instruction or the end";
    V16 = 16, "no jump leads between begin and end";
    V17 = 17, "no jump leads into a display list's definition";
    V18 = 18, "between begin and end stand only vertices, attributes and register work";
    V19 = 19, "vertices and end stand between begin and end";
    V20 = 20, "begin does not nest";
    V21 = 21, "each begin has its end";
    V22 = 22, "an op stands only in callbacks that may execute it";
    V23 = 23, "in a display list stand only GL calls";
    V24 = 24, "list definitions do not nest";
    V25 = 25, "end_list ends a list";
    V26 = 26, "each new_list has its end_list";
    V27 = 27, "a matrix stack does not overflow";
    V28 = 28, "a matrix stack is not popped below its depth at entry";
    V29 = 29, "matrix stacks end as deep as they began";
    V30 = 30, "paths that meet have matrix stacks of the same depth";
    V31 = 31, "push_matrix and pop_matrix know their stack";
    V32 = 32, "display lists begin and end in matrix mode modelview with texture unit 0";
    V33 = 33, "a constant is in the range that OpenGL allows";
    V34 = 34, "a parameter has a value of its own kind";
    V35 = 35, "the worst case is within the budget";
    V36 = 36, "an attribute stack does not overflow";
    V37 = 37, "pop_attrib has a push_attrib before it";
    V38 = 38, "each push_attrib has its pop_attrib";
    V39 = 39, "paths that meet have the same attributes pushed";
}

impl Rule {
    /// The number after the V: what a `ProcedureRejected` event carries.
    #[must_use]
    pub fn number(self) -> u32 {
        self as u32
    }

    /// The rule of a number.
    #[must_use]
    pub fn from_number(number: u32) -> Option<Rule> {
        Rule::ALL.get(usize::try_from(number.checked_sub(1)?).ok()?).copied()
    }
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "V{:02}", self.number())
    }
}
