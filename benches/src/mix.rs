//! The programs of the paper's Table 2.

use blinkgl::gl::{Capability, Face, Light, LightParameter, MaterialParameter};
use blinkgl::wire::{HEADER_WORDS, decode, head_word};
use blinkgl::{Op, Recorder, WireProgram};
use examples::gears::{GEARS, record_gear};

/// A program to measure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mix {
    /// The set-up phase of glxgears, six times (paper, section 3.1).
    OpenGl,
    /// The same, with a register as one argument of each vertex.
    OpenGlDynamic,
    /// Eight arithmetic operations over each pair of the 32 registers.
    Arith,
}

impl Mix {
    /// All of them.
    pub const ALL: [Mix; 3] = [Mix::OpenGl, Mix::OpenGlDynamic, Mix::Arith];

    /// Its key in the output.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Mix::OpenGl => "opengl_mix",
            Mix::OpenGlDynamic => "opengl_mix_dynamic",
            Mix::Arith => "arith_mix",
        }
    }

    /// The mix of a key.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Mix> {
        Mix::ALL.into_iter().find(|m| m.name() == name)
    }

    /// Its words, for a `redraw` callback.
    #[must_use]
    pub fn words(self) -> Vec<u32> {
        match self {
            Mix::OpenGl => opengl().untrusted_words().to_vec(),
            Mix::OpenGlDynamic => dynamic(opengl().untrusted_words().to_vec()),
            Mix::Arith => arith().untrusted_words().to_vec(),
        }
    }
}

/// The recorder fails only on programs that are too long or use too many registers; these are fixed.
fn finish(p: Recorder) -> WireProgram {
    p.finish().unwrap_or_else(|error| panic!("a fixed program: {error}"))
}

fn opengl() -> WireProgram {
    let mut p = Recorder::new();
    for _ in 0..6 {
        p.light(Light::Light0, LightParameter::Position, 5.0, 5.0, 10.0, 0.0);
        for capability in
            [Capability::CullFace, Capability::Lighting, Capability::Light0, Capability::DepthTest]
        {
            p.enable(capability);
        }
        for gear in &GEARS {
            let [r, g, b, a] = gear.color;
            p.material(Face::Front, MaterialParameter::AmbientAndDiffuse, r, g, b, a);
            record_gear(&mut p, gear);
        }
        p.enable(Capability::Normalize);
    }
    finish(p)
}

/// Puts register 7 in place of each vertex's last constant.
fn dynamic(mut words: Vec<u32>) -> Vec<u32> {
    let mut at = HEADER_WORDS;
    while let Ok(Some(instruction)) = decode(&words, at) {
        let (op, length) = (instruction.op(), instruction.words());
        if op == Op::Vertex3 {
            words[at] = head_word(op, 1 << 2);
            words[at + 3] = 7;
        }
        at += length;
    }
    words
}

/// Each operation uses the result of the one before, and none is undone by the next, so that a compiler finds nothing to leave
/// out. (A minimum and a maximum with the same number, one after the other, would be that number; a sign that is lost at
/// once would not matter.) The numbers stay between 1 and 33, so that no processor takes an easy way. The pair of a
/// register with itself, which is zero over zero, comes first in its row.
fn arith() -> WireProgram {
    let mut p = Recorder::new();
    let registers: [_; 32] = std::array::from_fn(|n| p.reg(u32::try_from(n).unwrap_or(0)));
    for (row, &a) in registers.iter().enumerate() {
        for &b in registers.iter().cycle().skip(row).take(registers.len()) {
            p.mul(a, a, b);
            p.sub(a, a, b);
            p.neg(a, a);
            p.min(a, a, b);
            p.abs(a, a);
            p.add(a, a, b);
            p.div(a, a, b);
            p.max(a, a, b);
        }
    }
    finish(p)
}

#[cfg(test)]
mod tests {
    use super::*;
    use blinkgl::ops::Callback;

    #[test]
    fn mixes_are_programs_of_about_8000_instructions() {
        for mix in Mix::ALL {
            assert_eq!(Mix::from_name(mix.name()), Some(mix));
            let program = verifier::verify(WireProgram::from_words(mix.words()), Callback::Redraw)
                .unwrap_or_else(|error| panic!("{}: {error}", mix.name()));
            let instructions = program.facts().instructions;
            assert!((7800..8300).contains(&instructions), "{}: {instructions}", mix.name());
            let registers = match mix {
                Mix::OpenGl => 0,
                Mix::OpenGlDynamic => 1 << 7,
                Mix::Arith => u32::MAX,
            };
            assert_eq!(program.facts().body.registers_read, registers, "{}", mix.name());
        }
    }
}
