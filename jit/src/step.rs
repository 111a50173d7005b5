//! The lowered form of a program: steps of 16 bytes, and the tables that they point into.

use crate::arith::Predicate;
use crate::gl::{CommandOp, Segment, Vertex};
use std::ops::Range;
use std::sync::{Arc, OnceLock};

/// 32-bit words of a [`Vertex`].
pub(crate) const VERTEX_WORDS: usize = 20;
const _: () = assert!(size_of::<Vertex>() == 4 * VERTEX_WORDS);

/// Vertices in front of a dynamic segment's own in the buffer that patches go to: the attributes at
/// exit, and the captured ones.
pub(crate) const LEADING: usize = 2;
/// The leading vertex whose attributes are those after the segment.
pub(crate) const EXIT: usize = 0;
/// The leading vertex that keeps a register's value for later vertices when the register is about to change.
pub(crate) const CAPTURED: usize = 1;

/// One step. Operands are words; the bit of an operand in `regs` says that its word is a register's number.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Step {
    /// Register work: words of the program.
    Work {
        begin: u32,
        end: u32,
    },
    /// Here the run may be suspended.
    Yield,
    /// `target`: a step's index.
    Jump {
        target: u32,
    },
    JumpIf {
        predicate: Predicate,
        regs: u16,
        a: u32,
        b: u32,
        target: u32,
    },
    RequestFrame,
    /// Four `Int` operands from `words`.
    Damage {
        regs: u16,
        words: u32,
    },
    Notify {
        reg: bool,
        value: u32,
    },
    /// A run of constant commands.
    Commands {
        first: u32,
        end: u32,
    },
    /// A command with register operands; those in `ints` are converted.
    Command {
        command: u32,
        regs: u16,
        ints: u16,
    },
    /// Draws from arrays, by a command without registers; `vertices` after assembly.
    DrawArrays {
        command: u32,
        vertices: u32,
    },
    /// Draws a constant segment.
    Draw {
        segment: u32,
    },
    /// Draws a dynamic segment of words.
    DrawWords {
        lazy: u32,
    },
    /// Opens a dynamic segment: puts its template into the buffer.
    Open {
        dynamic: u32,
    },
    /// Applies patches to the open dynamic segment.
    Patch {
        dynamic: u32,
        first: u32,
        end: u32,
    },
    /// Draws the open dynamic segment.
    DrawOpen {
        dynamic: u32,
    },
    DefineList {
        name: u32,
        list: u32,
    },
    CallList {
        name: u32,
    },
}

const _: () = assert!(size_of::<Step>() == 16);

/// A row of the command table. In this order, as the interpreter's loop over rows is shortest with it.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub(crate) struct CommandRow {
    pub(crate) op: CommandOp,
    pub(crate) args: u8,
    /// Fuel of the op, for [`crate::yields`].
    pub(crate) fuel: u8,
    /// Index of the first argument in `words`.
    pub(crate) first: u32,
}

const _: () = assert!(size_of::<CommandRow>() == 8);

/// Where a patch's value goes, and where it comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Patch {
    /// A word of the buffer, or with [`Patch::RECORD`] the index of a [`RecordPlace`].
    pub(crate) place: u32,
    /// A register, or a word of the buffer plus [`Patch::WORD`].
    pub(crate) source: u32,
}

impl Patch {
    pub(crate) const RECORD: u32 = 1 << 31;
    pub(crate) const WORD: u32 = 32;
}

/// An argument of a command in a segment's records; `record` = number of records: in `trailing`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct RecordPlace {
    pub(crate) record: u32,
    pub(crate) command: u32,
    pub(crate) arg: u32,
}

/// A segment with register arguments.
#[derive(Clone, Debug)]
pub(crate) struct Dynamic {
    pub(crate) segment: Arc<Segment>,
    /// Attributes at exit, the constant ones.
    pub(crate) exit: Vertex,
    /// Arguments within records that come from registers.
    pub(crate) places: Vec<RecordPlace>,
}

/// A segment with register arguments that is words until it is drawn first. No step between its primitives writes a
/// register that stands in it, so that all of them can be read when it is drawn.
#[derive(Debug)]
pub(crate) struct Lazy {
    pub(crate) words: Arc<[u32]>,
    pub(crate) range: Range<usize>,
    /// Registers (bit by number) that stand in it.
    pub(crate) registers: u32,
    pub(crate) in_list: bool,
    /// Vertices that it has, and those after assembly.
    pub(crate) vertices: u32,
    pub(crate) assembled: u32,
    pub(crate) opened: OnceLock<Option<Opened>>,
}

/// What a [`Lazy`] segment's words say.
#[derive(Debug)]
pub(crate) struct Opened {
    pub(crate) dynamic: Dynamic,
    pub(crate) patches: Vec<Patch>,
}

impl Lazy {
    /// Bytes that it takes at most, about: once it is opened, with each word of each vertex from a register. Who limits
    /// what is kept looks before that. Words that it shares with its program are not counted.
    fn bytes(&self) -> usize {
        let words = if self.in_list { size_of_val(&*self.words) } else { 0 };
        let count = |count: u32| usize::try_from(count).unwrap_or(usize::MAX);
        let vertex = size_of::<Vertex>() + VERTEX_WORDS * size_of::<Patch>();
        let vertices = count(self.vertices).saturating_mul(vertex);
        let indices = count(self.assembled).saturating_mul(size_of::<u32>());
        size_of::<Lazy>() + size_of::<Opened>() + size_of::<Segment>() + words + vertices + indices
    }
}

/// A lowered program or display list.
#[derive(Clone, Debug, Default)]
pub(crate) struct Body {
    pub(crate) steps: Vec<Step>,
    pub(crate) commands: Vec<CommandRow>,
    /// Arguments of commands.
    pub(crate) words: Vec<u32>,
    pub(crate) segments: Vec<Arc<Segment>>,
    pub(crate) dynamics: Vec<Dynamic>,
    pub(crate) lazies: Vec<Arc<Lazy>>,
    pub(crate) patches: Vec<Patch>,
    pub(crate) lists: Vec<Arc<List>>,
}

/// A display list's body and what a call of it costs.
#[derive(Clone, Debug)]
pub(crate) struct List {
    pub(crate) body: Body,
    pub(crate) fuel: u64,
    pub(crate) vertices: u64,
}

impl Body {
    /// Bytes that it takes, about.
    pub(crate) fn bytes(&self) -> usize {
        size_of_val(self.steps.as_slice())
            + size_of_val(self.commands.as_slice())
            + size_of_val(self.words.as_slice())
            + size_of_val(self.patches.as_slice())
            + self.segments.iter().map(|s| s.bytes()).sum::<usize>()
            + self.dynamics.iter().map(|d| d.segment.bytes()).sum::<usize>()
            + self.lazies.iter().map(|lazy| lazy.bytes()).sum::<usize>()
            + self.lists.iter().map(|l| l.body.bytes()).sum::<usize>()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use blinkgl::Recorder;
    use blinkgl::gl::{Primitive, TextureUnit};
    use blinkgl::ops::Callback;

    /// A display list is counted when it is defined, and opened when it is called: no more may come of it then.
    #[test]
    fn words_count_as_what_they_become() {
        let mut p = Recorder::new();
        let r = p.alloc();
        p.list(1, |p| {
            p.primitive(Primitive::QuadStrip, |p| {
                p.color4(r, r, r, r);
                p.normal3(r, r, r);
                p.tex_coord4(r, r, r, r);
                p.multi_tex_coord4(TextureUnit::Texture1, r, r, r, r);
                for _ in 0..1000 {
                    p.vertex2(r, r);
                }
            });
        });
        let words = p.finish().expect("a program");
        let lowered = crate::lower::lower(&verifier::verify(words, Callback::Init).expect("it is good"));
        let lazy = &lowered.body.lists[0].body.lazies[0];
        let opened = crate::words::open(lazy).expect("words of a segment");
        let patches = size_of_val(opened.patches.as_slice());
        let real = opened.dynamic.segment.bytes() + patches + size_of_val(&*lazy.words);
        assert!(patches > 1000 * 17 * size_of::<Patch>());
        assert!(lazy.bytes() >= real && lowered.body.bytes() >= real, "{} for {real}", lazy.bytes());
    }
}
