//! The Arith-mix by gcc: the same program as C, compiled with -O3 when this runs, against native code in turns.
//!
//! Both take the register file from memory, and leave all 32 results there, NaNs in their one form.

use crate::mixes::{registers, verify};
use crate::report::{Both, GccFigures, cpi, ratio};
use benches::mix::Mix;
use benches::tsc::{Samples, now};
use blinkgl::ops::{Class, ComputeOp};
use jit::trace::NullGl;
use jit::{Environment, Lists, Program, Run, Tier, TierChoice};
use std::ffi::{CStr, CString, c_char, c_void};
use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::process::Command;
use verifier::VerifiedProgram;

/// Why there is no comparison.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("the program is refused: {0}")]
    Verify(#[from] verifier::VerifyError),
    #[error("it is not compiled: {0}")]
    Compile(#[from] jit::CompileError),
    #[error("no C for {0} is known")]
    Op(&'static str),
    #[error("files for gcc: {0}")]
    File(#[from] std::io::Error),
    #[error("gcc cannot be started (on Debian: apt-get install gcc): {0}")]
    Start(std::io::Error),
    #[error("gcc refuses the program: {0}")]
    Gcc(String),
    #[error("what gcc made cannot be loaded: {0}")]
    Load(String),
    #[error("register {0} is {1:#x} by gcc, {2:#x} by native code")]
    Different(usize, u32, u32),
    #[error("native code did not execute it")]
    Tier,
}

/// `gcc -O3` as the paper's, and with what this processor has beyond the least of its kind, which Cranelift uses too.
const SETS: [&[&str]; 2] = [&["-O3"], &["-O3", "-march=native"]];

/// Measures native code against gcc's.
pub fn measure(runs: usize) -> Result<Both<GccFigures>, Error> {
    let verified = verify(&Mix::Arith.words())?;
    let instructions = verified.facts().instructions;
    let source = source(&verified)?;
    let [plain, whole] = SETS.map(|options| Library::compile(&source, options));
    let libraries = [plain?, whole?];
    let program = Program::new(verified);
    program.compile()?;
    let mut native = Native { program, environment: Environment::at(0), lists: Lists::default() };

    let mut wanted = registers();
    native.run(&mut wanted)?;
    for library in &libraries {
        let mut found = registers();
        library.run(&mut found);
        if let Some((number, (&a, &b))) = (0..).zip(found.iter().zip(&wanted)).find(|(_, (a, b))| a != b) {
            return Err(Error::Different(number, a, b));
        }
    }

    let mut gcc = [Samples::default(), Samples::default()];
    let mut ours = Samples::default();
    for _ in 0..runs {
        for (library, samples) in libraries.iter().zip(&mut gcc) {
            let mut file = registers();
            let start = now();
            library.run(&mut file);
            samples.add(now().saturating_sub(start));
            std::hint::black_box(file);
        }
        let mut file = registers();
        let start = now();
        native.run(&mut file)?;
        ours.add(now().saturating_sub(start));
        std::hint::black_box(file);
    }
    let [plain, whole] = &gcc;
    Ok(Both::of(|pick| GccFigures {
        native_vs_gcc: ratio(pick(&ours), pick(plain)),
        native_vs_gcc_march_native: ratio(pick(&ours), pick(whole)),
        gcc_cpi: cpi(pick(plain), instructions),
        gcc_march_native_cpi: cpi(pick(whole), instructions),
    }))
}

struct Native {
    program: Program,
    environment: Environment,
    lists: Lists,
}

impl Native {
    fn run(&mut self, registers: &mut [u32; 32]) -> Result<(), Error> {
        let mut gl = NullGl::default();
        let run = &mut Run { registers, environment: &self.environment, lists: &mut self.lists, gl: &mut gl };
        let outcome = self.program.run(TierChoice::Native, run);
        if outcome.tier == Tier::Native && outcome.stop.is_none() { Ok(()) } else { Err(Error::Tier) }
    }
}

/// What an operation of A and B is in C, for those that the mix has.
fn in_c(op: ComputeOp) -> Option<&'static str> {
    use ComputeOp::*;
    match op {
        Add => Some("A + B"),
        Sub => Some("A - B"),
        Mul => Some("A * B"),
        Div => Some("A / B"),
        Min => Some("A < B ? A : B"),
        Max => Some("A > B ? A : B"),
        Neg => Some("-A"),
        Abs => Some("fabsf(A)"),
        Mov | Floor | Fract | Sqrt | Sin | Cos | Atan2 | Cmp | Select => None,
    }
}

/// The program as a C function of the register file.
fn source(program: &VerifiedProgram) -> Result<String, Error> {
    let mut c = String::from("#include <math.h>\nvoid mix(float *restrict file) {\n");
    // Writing to a string does not fail.
    for n in 0..32 {
        let _ = writeln!(c, "float r{n} = file[{n}];");
    }
    for i in program.instructions() {
        let name = i.info.name;
        let (d, a, b) = match (i.mask, i.args) {
            (0b11, &[d, a]) => (d, a, a),
            (0b111, &[d, a, b]) => (d, a, b),
            _ => return Err(Error::Op(name)),
        };
        let Class::Compute(op) = i.info.class else { return Err(Error::Op(name)) };
        let text = in_c(op).ok_or(Error::Op(name))?;
        let text = text.replace('A', &format!("r{a}")).replace('B', &format!("r{b}"));
        let _ = writeln!(c, "r{d} = {text};");
    }
    for n in 0..32 {
        let _ = writeln!(c, "file[{n}] = r{n} == r{n} ? r{n} : __builtin_nanf(\"\");");
    }
    c.push_str("}\n");
    Ok(c)
}

/// A function that gcc compiled.
struct Library {
    handle: *mut c_void,
    function: unsafe extern "C" fn(*mut u32),
}

impl Library {
    fn compile(source: &str, options: &[&str]) -> Result<Library, Error> {
        let folder = Folder::new()?;
        let (from, to) = (folder.0.join("mix.c"), folder.0.join("mix.so"));
        std::fs::write(&from, source)?;
        let mut gcc = Command::new("gcc");
        // Each operation is rounded by itself, as BlinkGL's are.
        gcc.args(options).args(["-ffp-contract=off", "-fPIC", "-shared", "-o"]).arg(&to).arg(&from);
        let output = gcc.output().map_err(Error::Start)?;
        if !output.status.success() {
            return Err(Error::Gcc(String::from_utf8_lossy(&output.stderr).into_owned()));
        }
        Library::load(&to)
    }

    fn load(path: &Path) -> Result<Library, Error> {
        let text = path.to_str().and_then(|path| CString::new(path).ok());
        let path = text.ok_or_else(|| Error::Load("its path is no text".into()))?;
        // SAFETY: the path is a C string. The library was just made from our source, which has no constructors.
        let handle = unsafe { libc::dlopen(path.as_ptr(), libc::RTLD_NOW) };
        if handle.is_null() {
            return Err(Error::Load(last_error()));
        }
        // SAFETY: the handle is open, the name a C string.
        let address = unsafe { libc::dlsym(handle, c"mix".as_ptr()) };
        if address.is_null() {
            return Err(Error::Load(last_error()));
        }
        // SAFETY: `mix` takes a pointer to floats, which are as large as `u32`, and gives nothing: see `source`.
        let function = unsafe { std::mem::transmute::<*mut c_void, unsafe extern "C" fn(*mut u32)>(address) };
        Ok(Library { handle, function })
    }

    fn run(&self, registers: &mut [u32; 32]) {
        // SAFETY: the function reads and writes 32 floats there and nothing else; any bits are a float.
        unsafe { (self.function)(registers.as_mut_ptr()) }
    }
}

impl Drop for Library {
    fn drop(&mut self) {
        // SAFETY: the handle is open, and nobody calls the function any more. A failure leaves it loaded, no more.
        unsafe { libc::dlclose(self.handle) };
    }
}

fn last_error() -> String {
    // SAFETY: it takes nothing, and gives null or a C string that stays until the next call on this thread.
    unsafe {
        let text: *const c_char = libc::dlerror();
        if text.is_null() { String::new() } else { CStr::from_ptr(text).to_string_lossy().into_owned() }
    }
}

/// A folder that is gone in the end.
struct Folder(PathBuf);

impl Folder {
    fn new() -> Result<Folder, Error> {
        static COUNT: std::sync::atomic::AtomicU32 = std::sync::atomic::AtomicU32::new(0);
        let count = COUNT.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        let path = std::env::temp_dir().join(format!("blink-cpi-{}-{count}", std::process::id()));
        // Fails if it is there: it would be somebody else's.
        std::fs::create_dir(&path)?;
        Ok(Folder(path))
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // What stays is in the folder for such things.
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_source_has_each_operation_and_each_result() {
        let program = verify(&Mix::Arith.words()).unwrap();
        let c = source(&program).unwrap();
        assert_eq!(c.lines().count(), program.facts().instructions as usize + 64 + 3);
        assert!(matches!(source(&verify(&Mix::OpenGl.words()).unwrap()), Err(Error::Op(_))));
    }
}
