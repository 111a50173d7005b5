//! Assembles `.bgl` text.
//!
//! One instruction a line; everything after `;` is a comment.
//!
//! ```text
//! .callback redraw                  ; optional: which callback the program is for
//!     clear color|depth             ; names of a bit set, joined by |
//!     time_mod r0, 5.142857         ; registers r0 to r31; floats
//!     jmp_if gt, r0, 2.5, slow      ; names from the op table; labels
//!     viewport 0, 0, 300, 300       ; integers, where the operand is one
//!     notify 0x00000007             ; exact bits, in place of any constant
//! slow:                             ; a label: alone, or before an instruction
//!     request_frame
//! ```
//!
//! Operands and the names that they take are those of the op table (`docs/OPS.md`). An operand of 32 raw bits
//! (`mov`, `notify`) takes a float, which needs its point, or exact bits: `mov r0, 1` would
//! otherwise look like the number 1, which it is not. Three directives:
//!
//! | directive | meaning |
//! |---|---|
//! | `.callback NAME` | for tools: the callback that the program is written for |
//! | `.word BITS, ...` | words as they are, to write what no instruction can say |
//! | `.header BITS, ...` | replaces the program's header, before the first instruction |
//!
//! The assembler checks spelling, not sense: jumps backward, unbalanced matrix stacks and the like are for
//! the verifier to refuse, which needs such programs for its tests.

mod operand;

use crate::limits::MAX_PROGRAM_WORDS;
use crate::ops::{Callback, OPS, Op};
use crate::wire::{HEADER_WORDS, WireProgram, head_word, header};
use alloc::collections::BTreeMap;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::fmt;

/// Errors that one run reports: more say little about the text that the first ones don't.
const MAX_ERRORS: usize = 20;

/// A mistake in the text.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line}, column {column}: {kind}")]
pub struct AsmError {
    /// From 1.
    pub line: usize,
    /// From 1, in characters.
    pub column: usize,
    /// What is wrong.
    pub kind: AsmErrorKind,
}

/// What is wrong with a place in the text.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AsmErrorKind {
    /// No op has this name.
    #[error("there is no op `{found}`{suggestion}")]
    UnknownOp {
        /// What stands there.
        found: String,
        /// A name that is near.
        suggestion: Suggestion,
    },
    /// No directive has this name.
    #[error("there is no directive `{found}` (they are .callback, .header and .word){suggestion}")]
    UnknownDirective {
        /// What stands there.
        found: String,
        /// A name that is near.
        suggestion: Suggestion,
    },
    /// Too many or too few operands.
    #[error("`{op}` takes {needed} operand{s} ({names}), found {found}", s = if *needed == 1 { "" } else { "s" })]
    OperandCount {
        /// The op.
        op: Op,
        /// Operands of its row.
        needed: usize,
        /// Their names.
        names: String,
        /// Operands in the text.
        found: usize,
    },
    /// An operand is not what its row says.
    #[error("operand `{operand}` of `{op}`: found `{found}`, expected {expected}{suggestion}")]
    Operand {
        /// The op.
        op: Op,
        /// The operand's name.
        operand: &'static str,
        /// What stands there.
        found: String,
        /// What may stand there.
        expected: String,
        /// A name that is near.
        suggestion: Suggestion,
    },
    /// A directive's operand is not what it takes.
    #[error("`{directive}`: found `{found}`, expected {expected}")]
    DirectiveOperand {
        /// The directive.
        directive: &'static str,
        /// What stands there.
        found: String,
        /// What may stand there.
        expected: &'static str,
    },
    /// `.header` after an instruction, or `.header` or `.callback` twice.
    #[error("`{directive}` may stand only once, and before the first instruction")]
    DirectiveTooLate {
        /// The directive.
        directive: &'static str,
    },
    /// Instructions after a header that is shorter than headers are.
    #[error("no instruction can follow a header of {words} words: it has {HEADER_WORDS}")]
    ShortHeader {
        /// Words of the header.
        words: usize,
    },
    /// A jump to a label that is nowhere.
    #[error("there is no label `{label}`{suggestion}")]
    UnknownLabel {
        /// Its name.
        label: String,
        /// A name that is near.
        suggestion: Suggestion,
    },
    /// A label stands at two places.
    #[error("label `{label}` stands in line {first} already")]
    LabelTwice {
        /// Its name.
        label: String,
        /// Line of the first.
        first: usize,
    },
    /// A label has no proper name.
    #[error("`{found}` cannot name a label: letters, digits and _, not a digit first, not a register")]
    BadLabel {
        /// What stands there.
        found: String,
    },
    /// The program has more words than a program may have.
    #[error("the program is longer than {MAX_PROGRAM_WORDS} words")]
    TooLong,
}

/// "did you mean", if anything is near.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Suggestion(pub Option<String>);

impl fmt::Display for Suggestion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Some(name) => write!(f, ", did you mean `{name}`?"),
            None => Ok(()),
        }
    }
}

impl Suggestion {
    /// The name with the fewest letters to change, if at most a third of `found` is wrong.
    fn nearest<'a>(found: &str, names: impl Iterator<Item = &'a str>) -> Suggestion {
        let near = names.map(|name| (distance(found, name), name)).min();
        let limit = (found.chars().count() / 3).max(1);
        Suggestion(near.filter(|&(far, _)| far <= limit).map(|(_, name)| name.to_string()))
    }
}

/// Letters to insert, delete, replace or swap with their neighbour to get from `a` to `b`.
fn distance(a: &str, b: &str) -> usize {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().take(32).collect(), b.chars().take(32).collect());
    let mut before: Vec<usize> = Vec::new();
    let mut above: Vec<usize> = (0..=b.len()).collect();
    for i in 1..=a.len() {
        let mut row = Vec::with_capacity(above.len());
        row.push(i);
        for j in 1..=b.len() {
            let replaced = above[j - 1] + usize::from(a[i - 1] != b[j - 1]);
            let mut best = replaced.min(above[j] + 1).min(row[j - 1] + 1);
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                best = best.min(before[j - 2] + 1);
            }
            row.push(best);
        }
        before = core::mem::replace(&mut above, row);
    }
    above.last().copied().unwrap_or(0)
}

/// All mistakes found in a text, in the order of its lines, at most 20; at least one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AsmErrors(pub Vec<AsmError>);

impl fmt::Display for AsmErrors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, error) in self.0.iter().enumerate() {
            if i > 0 {
                f.write_str("\n")?;
            }
            error.fmt(f)?;
        }
        Ok(())
    }
}

impl core::error::Error for AsmErrors {}

/// A program with what its text says beyond it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Assembled {
    /// The program.
    pub program: WireProgram,
    /// From `.callback`.
    pub callback: Option<Callback>,
    /// `(word offset, line)` of each instruction and `.word` line, ascending.
    lines: Vec<(usize, usize)>,
}

impl Assembled {
    /// The line (from 1) of the instruction at word `offset`.
    #[must_use]
    pub fn line_of(&self, offset: usize) -> Option<usize> {
        let after = self.lines.partition_point(|&(start, _)| start <= offset);
        Some(self.lines.get(after.checked_sub(1)?)?.1)
    }
}

/// Assembles a text.
///
/// ```
/// let text = "
///     clear color
///     jmp_if lt, r0, 1.0, done
///     request_frame
/// done:
/// ";
/// let assembled = blinkgl::asm::assemble(text)?;
/// assert_eq!(assembled.program.untrusted_words().len(), 4 + 2 + 5 + 1);
/// assert_eq!(assembled.line_of(6), Some(3));
///
/// let errors = blinkgl::asm::assemble("begin qauds").unwrap_err();
/// assert!(errors.to_string().starts_with("line 1, column 7: operand `mode` of `begin`: found `qauds`"));
/// assert!(errors.to_string().ends_with("did you mean `quads`?"));
/// # Ok::<(), blinkgl::asm::AsmErrors>(())
/// ```
///
/// # Errors
/// All mistakes that were found.
pub fn assemble(text: &str) -> Result<Assembled, AsmErrors> {
    let mut assembler = Assembler {
        words: Vec::from(header(HEADER_WORDS)),
        callback: None,
        own_header: None,
        lines: Vec::new(),
        labels: BTreeMap::new(),
        wanted: Vec::new(),
        errors: Vec::new(),
    };
    for (number, line) in (1..).zip(text.lines()) {
        assembler.line(number, line);
        if assembler.errors.len() >= MAX_ERRORS {
            break;
        }
    }
    assembler.finish()
}

/// A piece of a line and where it stands.
#[derive(Clone, Copy)]
struct Token<'a> {
    text: &'a str,
    line: usize,
    column: usize,
}

impl Token<'_> {
    fn error(self, kind: AsmErrorKind) -> AsmError {
        AsmError { line: self.line, column: self.column, kind }
    }
}

struct Assembler<'a> {
    words: Vec<u32>,
    callback: Option<Callback>,
    own_header: Option<Vec<u32>>,
    lines: Vec<(usize, usize)>,
    /// Name to (word offset, line).
    labels: BTreeMap<&'a str, (usize, usize)>,
    /// Operand words to fill in with the offset of a label.
    wanted: Vec<(usize, Token<'a>)>,
    errors: Vec<AsmError>,
}

impl<'a> Assembler<'a> {
    fn line(&mut self, number: usize, line: &'a str) {
        let code = line.split(';').next().unwrap_or("");
        // A part of `code` as a token, without the blanks around it.
        let token = |part: &'a str| {
            let text = part.trim();
            let start = text.as_ptr() as usize - line.as_ptr() as usize;
            let column = line.get(..start).map_or(0, |before| before.chars().count()) + 1;
            Token { text, line: number, column }
        };
        let mut rest = code.trim();
        while let Some((label, after)) = rest.split_once(':') {
            self.label(token(label));
            rest = after.trim();
        }
        if rest.is_empty() {
            return;
        }
        let (name, operands) = rest.split_once(char::is_whitespace).unwrap_or((rest, ""));
        let operands: Vec<Token<'a>> = match operands.trim() {
            "" => Vec::new(),
            list => list.split(',').map(token).collect(),
        };
        let before = self.words.len();
        let result = if name.starts_with('.') {
            self.directive(token(name), &operands)
        } else {
            self.instruction(token(name), &operands)
        };
        if let Err(error) = result {
            self.errors.push(error);
        }
        if self.words.len() > before {
            self.lines.push((before, number));
        }
        if self.words.len() > MAX_PROGRAM_WORDS {
            self.errors.push(token(name).error(AsmErrorKind::TooLong));
            self.words.truncate(before);
        }
    }

    fn label(&mut self, label: Token<'a>) {
        let found = || label.text.to_string();
        if !is_label(label.text) {
            self.errors.push(label.error(AsmErrorKind::BadLabel { found: found() }));
        } else if let Some(&(_, first)) = self.labels.get(label.text) {
            self.errors.push(label.error(AsmErrorKind::LabelTwice { label: found(), first }));
        } else {
            self.labels.insert(label.text, (self.words.len(), label.line));
        }
    }

    fn directive(&mut self, name: Token<'a>, operands: &[Token<'a>]) -> Result<(), AsmError> {
        match name.text {
            ".callback" => {
                if self.callback.is_some() || self.words.len() > HEADER_WORDS {
                    return Err(name.error(AsmErrorKind::DirectiveTooLate { directive: ".callback" }));
                }
                let found = operands.first().copied().unwrap_or(Token { text: "", ..name });
                let callback = Callback::ALL.into_iter().find(|c| c.name() == found.text);
                if callback.is_none() || operands.len() != 1 {
                    return Err(found.error(AsmErrorKind::DirectiveOperand {
                        directive: ".callback",
                        found: found.text.to_string(),
                        expected: "one of init, update, reshape, redraw, input",
                    }));
                }
                self.callback = callback;
            }
            ".header" => {
                if self.own_header.is_some() || self.words.len() > HEADER_WORDS {
                    return Err(name.error(AsmErrorKind::DirectiveTooLate { directive: ".header" }));
                }
                let expected = "at most 4 words as 0x and hexadecimal digits";
                let words = bits(".header", expected, operands)?;
                if let Some(&fifth) = operands.get(HEADER_WORDS) {
                    return Err(fifth.error(AsmErrorKind::DirectiveOperand {
                        directive: ".header",
                        found: fifth.text.to_string(),
                        expected,
                    }));
                }
                self.own_header = Some(words);
            }
            ".word" => {
                let words = bits(".word", "words as 0x and hexadecimal digits", operands)?;
                self.words.extend(words);
            }
            found => {
                let suggestion = Suggestion::nearest(found, [".callback", ".header", ".word"].into_iter());
                return Err(
                    name.error(AsmErrorKind::UnknownDirective { found: found.to_string(), suggestion })
                );
            }
        }
        Ok(())
    }

    fn instruction(&mut self, name: Token<'a>, operands: &[Token<'a>]) -> Result<(), AsmError> {
        let Some(op) = Op::from_name(name.text) else {
            let suggestion = Suggestion::nearest(name.text, OPS.iter().map(|row| row.name));
            return Err(name.error(AsmErrorKind::UnknownOp { found: name.text.to_string(), suggestion }));
        };
        let row = op.info();
        let (needed, found) = (row.operands.len(), operands.len());
        if needed != found {
            let names: Vec<&str> = row.operands.iter().map(|o| o.name).collect();
            let names = if names.is_empty() { "none".to_string() } else { names.join(", ") };
            let at = operands.get(needed).copied().unwrap_or(name);
            return Err(at.error(AsmErrorKind::OperandCount { op, needed, names, found }));
        }
        let head = self.words.len();
        let mut mask = 0;
        self.words.push(0);
        let mut first_error = Ok(());
        for (i, (operand, &token)) in row.operands.iter().zip(operands).enumerate() {
            let word = match operand::parse(op, operand, token) {
                Ok(operand::Word::Register(number)) => {
                    mask |= 1 << i;
                    number
                }
                Ok(operand::Word::Constant(bits)) => bits,
                Ok(operand::Word::Label) => {
                    self.wanted.push((self.words.len(), token));
                    0
                }
                Err(error) => {
                    first_error = first_error.and(Err(error));
                    0
                }
            };
            self.words.push(word);
        }
        self.words[head] = head_word(op, mask);
        first_error
    }

    fn finish(mut self) -> Result<Assembled, AsmErrors> {
        for &(at, token) in &self.wanted {
            let target = self.labels.get(token.text).and_then(|&(offset, _)| u32::try_from(offset).ok());
            match (target, self.words.get_mut(at)) {
                (Some(target), Some(word)) => *word = target,
                (None, _) => {
                    let suggestion = Suggestion::nearest(token.text, self.labels.keys().copied());
                    let label = token.text.to_string();
                    self.errors.push(token.error(AsmErrorKind::UnknownLabel { label, suggestion }));
                }
                // Cut off by `TooLong`, which is reported already.
                (Some(_), None) => {}
            }
        }
        let mut start = header(self.words.len()).to_vec();
        if let Some(own) = self.own_header {
            if let (true, Some(&(_, line))) = (own.len() < HEADER_WORDS, self.lines.first()) {
                let kind = AsmErrorKind::ShortHeader { words: own.len() };
                self.errors.push(AsmError { line, column: 1, kind });
            }
            start = own;
        }
        if !self.errors.is_empty() {
            self.errors.sort_by_key(|e| (e.line, e.column));
            self.errors.truncate(MAX_ERRORS);
            return Err(AsmErrors(self.errors));
        }
        self.words.splice(..HEADER_WORDS, start);
        Ok(Assembled {
            program: WireProgram::from_words(self.words),
            callback: self.callback,
            lines: self.lines,
        })
    }
}

/// A proper label name: not a number, and not to be taken for a register.
fn is_label(name: &str) -> bool {
    let first_fits = name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
    let all_fit = name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    first_fits && all_fit && operand::register_digits(name).is_none()
}

/// The words of a directive that takes exact bits.
fn bits(
    directive: &'static str,
    expected: &'static str,
    operands: &[Token<'_>],
) -> Result<Vec<u32>, AsmError> {
    operands
        .iter()
        .map(|token| {
            operand::hexadecimal(token.text).ok_or_else(|| {
                let found = token.text.to_string();
                token.error(AsmErrorKind::DirectiveOperand { directive, found, expected })
            })
        })
        .collect()
}

#[cfg(test)]
mod tests;
