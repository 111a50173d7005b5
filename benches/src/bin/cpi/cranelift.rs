//! What Cranelift's settings cost and gain, by the Arith-mix.

use crate::Error;
use crate::mixes::{execute, verify};
use crate::options::Options;
use crate::report::{CraneliftRow, cpi};
use benches::mix::Mix;
use benches::tsc::{Samples, now};
use jit::{Effort, Program, Tier, TierChoice};

/// From fast compilation to fast code. The first is what servers use.
const EFFORTS: [(&str, &str); 4] =
    [("none", "single_pass"), ("speed", "single_pass"), ("none", "backtracking"), ("speed", "backtracking")];

/// Measures each.
pub fn measure(options: &Options) -> Result<Vec<CraneliftRow>, Error> {
    let verified = verify(&Mix::Arith.words())?;
    let instructions = verified.facts().instructions;
    let row = |(opt_level, allocator)| {
        let effort = Effort { opt_level, allocator };
        let mut compiling = Samples::default();
        let mut program = Program::new(verified.clone());
        for _ in 0..options.compile_runs() {
            program = Program::new(verified.clone());
            let start = now();
            program.compile_with(effort)?;
            compiling.add(now().saturating_sub(start));
        }
        let executing = execute(&program, TierChoice::Native, Tier::Native, options.runs())?;
        Ok(CraneliftRow {
            opt_level: opt_level.to_owned(),
            allocator: allocator.to_owned(),
            is_used: effort == Effort::default(),
            compile_cpi: cpi(compiling.minimum(), instructions),
            execute_cpi: cpi(executing.minimum(), instructions),
        })
    };
    EFFORTS.into_iter().map(row).collect()
}
