//! A case: programs that run one after the other in one window, and all else that a check of them depends on.

use crate::generate::Generator;
use crate::mutate;
use blinkgl::External;
use blinkgl::ops::Callback;
use blinkgl::wire::WireProgram;
use fastrand::Rng;
use jit::Environment;
use std::fmt::Write;
use std::sync::LazyLock;
use verifier::Rule;

/// What the verifier must say of a program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expect {
    /// It keeps all rules.
    Valid,
    /// It breaks this rule, at the instruction at this word if it is known.
    Breaks(u32, Option<usize>),
    /// Anything.
    Any,
}

/// A program of a case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part {
    /// What it is for.
    pub callback: Callback,
    /// The program.
    pub words: Vec<u32>,
    /// What the verifier must say.
    pub expect: Expect,
}

/// Which of the dearer checks are done.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Checks {
    /// Compiled, and run by native code.
    pub native: bool,
    /// Run in slices.
    pub slices: bool,
    /// From the cache of programs.
    pub cache: bool,
    /// As text.
    pub text: bool,
    /// With a budget that is just enough, and one that is not.
    pub budget: bool,
    /// Objects other than programs, too.
    pub layout: bool,
}

/// A case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Case {
    /// The programs; each finds the registers and lists as the one before left them.
    pub parts: Vec<Part>,
    /// The registers at the beginning.
    pub registers: [u32; 32],
    /// For what checks draw by chance, and the environment.
    pub seed: u64,
    /// Which checks are done.
    pub checks: Checks,
}

/// Every how many cases with an accepted program one is compiled, if nothing else is said.
pub const NATIVE_EVERY: u32 = 200;

/// Programs that are changed: those by which the verifier's rules are explained.
static CORPUS: LazyLock<Vec<(Callback, Vec<u32>)>> = LazyLock::new(|| {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../verifier/tests/programs");
    let mut paths: Vec<_> = std::fs::read_dir(folder)
        .map(|entries| entries.flatten().map(|entry| entry.path()).collect())
        .unwrap_or_default();
    // The order of a folder is any.
    paths.sort();
    let mut corpus = Vec::new();
    for path in paths {
        let text = std::fs::read_to_string(path).unwrap_or_default();
        for program in text.split("; verify: ").skip(1) {
            if let Ok(assembled) = blinkgl::asm::assemble(&format!("; {program}"))
                && let Some(callback) = assembled.callback
            {
                let words = assembled.program.into_words().to_vec();
                if words.len() < 1000 {
                    corpus.push((callback, words));
                }
            }
        }
    }
    corpus
});

/// Programs that there are to be changed.
#[must_use]
pub fn corpus_size() -> usize {
    CORPUS.len()
}

fn length(rng: &mut Rng) -> usize {
    match rng.u32(0..1000) {
        0 => rng.usize(1000..20_000),
        1..=20 => rng.usize(300..1500),
        21..=300 => rng.usize(80..300),
        _ => rng.usize(5..80),
    }
}

impl Case {
    /// The case of a number: the same for each run.
    #[must_use]
    pub fn new(seed: u64, number: u64, native_every: u32) -> Case {
        let mut rng = Rng::with_seed(
            seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ number.wrapping_mul(0xd134_2543_de82_ef95),
        );
        let parts = Case::parts(&mut rng);
        let words: usize = parts.iter().map(|part| part.words.len()).sum();
        let mut g_value = |_| match rng.u8(..4) {
            0 => crate::generate::EDGES[rng.usize(..crate::generate::EDGES.len())],
            1 => rng.u32(..),
            _ => (rng.f32() * 8.0 - 4.0).to_bits(),
        };
        let registers = std::array::from_fn(&mut g_value);
        let checks = Checks {
            native: words < 2000 && rng.u32(0..native_every.max(1)) == 0,
            slices: rng.u8(..4) == 0,
            cache: rng.u8(..16) == 0,
            text: rng.u8(..16) == 0,
            budget: rng.u8(..8) == 0,
            layout: rng.u8(..64) == 0,
        };
        Case { parts, registers, seed: rng.u64(..), checks }
    }

    fn parts(rng: &mut Rng) -> Vec<Part> {
        let callback = Callback::ALL[rng.usize(..5)];
        let length = length(rng);
        let part = |callback, words, expect| Part { callback, words, expect };
        match rng.u32(0..1000) {
            0..=2 => {
                let limit = rng.bool();
                let (init, redraw) = if limit { Generator::at_limit(rng) } else { Generator::deep(rng) };
                vec![part(Callback::Init, init, Expect::Valid), part(Callback::Redraw, redraw, Expect::Valid)]
            }
            3..=220 => {
                // Lists, and what calls them.
                let init = Generator::lists(rng, length.min(300) / 3);
                let redraw = Generator::valid(rng, Callback::Redraw, length);
                vec![part(Callback::Init, init, Expect::Valid), part(Callback::Redraw, redraw, Expect::Valid)]
            }
            221..=400 => vec![part(callback, Generator::valid(rng, callback, length), Expect::Valid)],
            401..=650 => {
                let rules = Rule::ALL;
                let rule = rules[rng.usize(..rules.len())].number();
                let broken = Generator::broken(rng, rule, length.min(300));
                vec![part(broken.callback, broken.words, Expect::Breaks(rule, broken.offset))]
            }
            651..=750 => vec![part(callback, mutate::noise(rng), Expect::Any)],
            751..=800 if !CORPUS.is_empty() => {
                let (callback, mut words) = CORPUS[rng.usize(..CORPUS.len())].clone();
                mutate::mutate(rng, &mut words);
                vec![part(callback, words, Expect::Any)]
            }
            _ => {
                let mut words = Generator::valid(rng, callback, length);
                mutate::mutate(rng, &mut words);
                vec![part(callback, words, Expect::Any)]
            }
        }
    }

    /// External state.
    #[must_use]
    pub fn environment(&self) -> Environment {
        let mut rng = Rng::with_seed(self.seed);
        // From the clock's beginning to the end of what it can count.
        let mut environment = Environment::at(rng.u64(..) >> rng.u32(0..64));
        for &external in External::ALL.iter().skip(1) {
            environment.set(external, rng.f32() * 1000.0 - 200.0);
        }
        // Sometimes so little that lists soon reach it.
        match rng.u8(..16) {
            0 => environment.fuel = rng.u64(..1000),
            1 => environment.vertices = rng.u64(..100),
            _ => {}
        }
        environment
    }

    /// As the text of a file, which [`Case::from_text`] reads.
    #[must_use]
    pub fn to_text(&self) -> String {
        let Checks { native, slices, cache, text, budget, layout } = self.checks;
        let mut out = format!(
            "seed {}\nchecks {native} {slices} {cache} {text} {budget} {layout}\nregisters",
            self.seed
        );
        for register in self.registers {
            let _ = write!(out, " {register:#x}");
        }
        for Part { callback, words, expect } in &self.parts {
            let expect = match expect {
                Expect::Valid => "valid".to_owned(),
                Expect::Any => "any".to_owned(),
                Expect::Breaks(rule, at) => {
                    format!("breaks {rule} {}", at.map_or("-".to_owned(), |at| at.to_string()))
                }
            };
            let _ = write!(out, "\nprogram {callback} {expect}\nwords");
            for word in words {
                let _ = write!(out, " {word:#x}");
            }
        }
        out.push('\n');
        out
    }

    /// Reads what [`Case::to_text`] wrote.
    ///
    /// # Errors
    /// The line that cannot be read, or that there is no program.
    pub fn from_text(text: &str) -> Result<Case, String> {
        if text.trim().is_empty() {
            return Err("it is empty".to_owned());
        }
        if !text.starts_with("seed ") {
            return Err("this is no case, which begins with `seed`: replay takes the .case file, and the .bgl files beside \
                        it are for people and for `blinkgl`"
                .to_owned());
        }
        let mut case = Case { parts: Vec::new(), registers: [0; 32], seed: 0, checks: Checks::default() };
        for (number, line) in (1..).zip(text.lines()) {
            let beginning: String = line.chars().take(60).collect();
            case.line(line).ok_or_else(|| format!("line {number} cannot be read: {beginning}"))?;
        }
        if case.parts.is_empty() { Err("it has no program".to_owned()) } else { Ok(case) }
    }

    fn line(&mut self, line: &str) -> Option<()> {
        let number = |word: &str| u32::from_str_radix(word.strip_prefix("0x")?, 16).ok();
        let fields: Vec<&str> = line.split_whitespace().collect();
        match *fields.as_slice() {
            ["seed", seed] => self.seed = seed.parse().ok()?,
            ["checks", a, b, c, d, e, f] => {
                let [native, slices, cache, text, budget, layout] =
                    [a, b, c, d, e, f].map(|word| word == "true");
                self.checks = Checks { native, slices, cache, text, budget, layout };
            }
            ["registers", ref values @ ..] => {
                let values: Option<Vec<u32>> = values.iter().map(|word| number(word)).collect();
                self.registers = values?.try_into().ok()?;
            }
            ["program", callback, ref expect @ ..] => {
                let callback = Callback::ALL.into_iter().find(|known| known.name() == callback)?;
                let expect = match *expect {
                    ["valid"] => Expect::Valid,
                    ["any"] => Expect::Any,
                    ["breaks", rule, at] => Expect::Breaks(rule.parse().ok()?, at.parse().ok()),
                    _ => return None,
                };
                self.parts.push(Part { callback, words: Vec::new(), expect });
            }
            ["words", ref words @ ..] => {
                let words: Option<Vec<u32>> = words.iter().map(|word| number(word)).collect();
                self.parts.last_mut()?.words = words?;
            }
            [] => {}
            _ => return None,
        }
        Some(())
    }
}

impl Part {
    /// Its words, as they come from a client.
    #[must_use]
    pub fn wire(&self) -> WireProgram {
        WireProgram::from_words(self.words.as_slice())
    }
}
