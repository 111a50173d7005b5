//! A program put together from recordings, one after the other: what a GLUT program did outside of its display and
//! reshape functions.

use crate::error::Mistake;
use crate::recording::Recorded;
use blinkgl::WireProgram;
use blinkgl::ops::Kind;
use blinkgl::wire::{HEADER_WORDS, decode, header};

/// The recordings so far.
#[derive(Clone, Debug, Default)]
pub struct Log {
    /// Without a header.
    words: Vec<u32>,
    calls: Vec<&'static str>,
}

impl Log {
    /// Appends a recording. Its jumps stay its own.
    pub fn append(&mut self, recorded: &Recorded) -> Result<(), Mistake> {
        let words = recorded.program.untrusted_words();
        let moved = u32::try_from(self.words.len()).unwrap_or(u32::MAX);
        let mut offset = HEADER_WORDS;
        while let Some(instruction) =
            decode(words, offset).map_err(|error| Mistake::operation(error.to_string()))?
        {
            self.words.extend(words.get(offset));
            for (operand, word) in instruction.info.operands.iter().zip(instruction.args) {
                let is_target = operand.kind == Kind::Label;
                self.words.push(if is_target { word.saturating_add(moved) } else { *word });
            }
            offset += instruction.words();
        }
        self.calls.extend(&recorded.calls);
        Ok(())
    }

    /// All of it as one program.
    pub fn program(&self) -> Recorded {
        let mut words = header(HEADER_WORDS + self.words.len()).to_vec();
        words.extend(&self.words);
        Recorded { program: WireProgram::from_words(words), calls: self.calls.clone() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use blinkgl::Recorder;
    use blinkgl::gl::Predicate;

    fn recorded(record: impl Fn(&mut Recorder)) -> Recorded {
        let mut p = Recorder::new();
        record(&mut p);
        let calls = vec!["call"; p.op_count()];
        Recorded { program: p.finish().unwrap(), calls }
    }

    #[test]
    fn parts_are_one_program() {
        let part = |p: &mut Recorder| {
            let end = p.label();
            let r = p.reg(3);
            p.jmp_if(Predicate::Lt, r, 2.0, end);
            p.request_frame();
            p.bind(end);
            p.point_size(2.0);
        };
        let mut log = Log::default();
        for _ in 0..3 {
            log.append(&recorded(part)).unwrap();
        }
        let whole = recorded(|p| (0..3).for_each(|_| part(p)));
        assert_eq!(log.program().program, whole.program);
        assert_eq!(log.program().calls, whole.calls);
    }
}
