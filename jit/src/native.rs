//! Native code: made by Cranelift, loaded, run and freed here. The only place where memory becomes executable.
//!
//! Code memory is written while it is writable and not executable, then made executable and not writable
//! (`JITModule::finalize_definitions`); it is never both. One module a program, freed with it.
//!
//! Native code does no memory access at an address that a client's value decides: it reads and writes
//! the register file and the environment's values at constant offsets, and everything else is done by
//! [`act`] and the other functions below, which check what they are given.

use crate::compile_cost::compile_cost;
use crate::limits::{COMPILE_MILLISECONDS, MAX_COMPILE_COST, MAX_NATIVE_FRAME_BYTES};
use crate::lower::LoweredProgram;
use crate::run::{At, Machine};
use crate::step::Body;
use crate::translate::{self, Imports};
use cranelift_codegen::ir::{AbiParam, FuncRef, Type, types};
use cranelift_codegen::settings::{self, Configurable};
use cranelift_frontend::{FunctionBuilder, FunctionBuilderContext};
use cranelift_jit::{JITBuilder, JITModule};
use cranelift_module::{Linkage, Module, ModuleError};
use std::any::Any;
use std::cell::Cell;
use std::ops::ControlFlow;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::{Arc, Mutex};

/// Why a program has no native code. It then runs in the interpreter, for ever.
#[derive(Debug, thiserror::Error)]
pub enum CompileError {
    /// Above the size at which the compiler is asked.
    #[error("compiling it would cost {cost}, more than {MAX_COMPILE_COST}; the interpreter runs it")]
    TooLong {
        /// What it would cost: an instruction costs 1, a jump up to 17.
        cost: usize,
    },
    /// The compiler does not know this machine.
    #[error("no native code for this processor: {0}")]
    Host(&'static str),
    /// A setting that the compiler does not have.
    #[error("the compiler refuses a setting: {0}")]
    Setting(#[from] settings::SetError),
    /// The compiler's settings do not fit together.
    #[error("the compiler refuses its settings: {0}")]
    Codegen(#[from] cranelift_codegen::CodegenError),
    /// It took longer than [`COMPILE_MILLISECONDS`].
    #[error("compiling it takes longer than {COMPILE_MILLISECONDS} ms; the interpreter runs it")]
    Late,
    /// Its code would take too much of the stack.
    #[error(
        "its code needs {bytes} bytes of the stack, more than {MAX_NATIVE_FRAME_BYTES}; the interpreter runs it"
    )]
    Frame {
        /// Bytes.
        bytes: usize,
    },
    /// The compiler panicked: a defect of it or of our use of it.
    #[error("the compiler panicked")]
    Panicked,
    /// The compiler refuses the program, or memory for its code is missing.
    #[error("compiling failed: {0}")]
    Module(Box<ModuleError>),
}

impl From<ModuleError> for CompileError {
    fn from(error: ModuleError) -> CompileError {
        CompileError::Module(Box::new(error))
    }
}

/// `(context, registers, values)`.
type Entry = unsafe extern "C" fn(*mut Context<'_, '_>, *const Cell<u32>, *const f32);

/// A program's native code.
pub(crate) struct Native {
    /// Owns the code's memory. `None` only while dropped. (A mutex makes it `Sync`; nobody waits for it.)
    module: Mutex<Option<JITModule>>,
    entry: Entry,
    size: NativeSize,
    /// Counts it, if somebody does.
    charge: Option<Charge>,
}

/// Counts a client's programs that have native code: one each.
#[derive(Clone, Debug)]
pub(crate) struct Charge(Arc<()>);

impl Charge {
    /// One more of a client's.
    pub(crate) fn new(client: &Arc<()>) -> Charge {
        Charge(Arc::clone(client))
    }

    /// How many the client has, this one included. The client itself holds one too.
    pub(crate) fn count(&self) -> usize {
        Arc::strong_count(&self.0) - 1
    }
}

/// Runs the compiler. It is somebody else's code, fed with a client's program: a panic there must not end the server.
pub(crate) fn guarded<T>(compile: impl FnOnce() -> Result<T, CompileError>) -> Result<T, CompileError> {
    catch_unwind(AssertUnwindSafe(compile)).unwrap_or(Err(CompileError::Panicked))
}

/// What a program's native code takes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct NativeSize {
    /// Bytes of machine code.
    pub code_bytes: usize,
    /// Bytes of the stack while it runs.
    pub frame_bytes: usize,
}

impl std::fmt::Debug for Native {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Native").field("size", &self.size).finish_non_exhaustive()
    }
}

/// What native code hands back to the functions that it calls.
struct Context<'a, 'm> {
    machine: &'a mut Machine<'m>,
    body: &'a Body,
    /// A panic that must not unwind through native frames.
    panic: Option<Box<dyn Any + Send>>,
}

impl Native {
    /// Compiles a program.
    pub(crate) fn compile(program: &LoweredProgram) -> Result<Native, CompileError> {
        Native::compile_with(program, Effort::default())
    }

    pub(crate) fn compile_with(program: &LoweredProgram, effort: Effort) -> Result<Native, CompileError> {
        let cost = compile_cost(program);
        if cost > MAX_COMPILE_COST {
            return Err(CompileError::TooLong { cost });
        }
        let mut flags = settings::builder();
        for (name, value) in SETTINGS {
            flags.set(name, value)?;
        }
        flags.set("opt_level", effort.opt_level)?;
        flags.set("regalloc_algorithm", effort.allocator)?;
        let isa = cranelift_native::builder().map_err(CompileError::Host)?;
        let isa = isa.finish(settings::Flags::new(flags))?;
        let mut builder = JITBuilder::with_isa(isa, cranelift_module::default_libcall_names());
        let functions: [(&str, *const u8); 7] = [
            ("blink_act", act as *const u8),
            ("blink_pause", pause as *const u8),
            ("blink_sin", sin as *const u8),
            ("blink_cos", cos as *const u8),
            ("blink_atan2", atan2 as *const u8),
            ("blink_time_since", time_since as *const u8),
            ("blink_time_mod", time_mod as *const u8),
        ];
        builder.symbols(functions);
        let mut code = Code(Some(JITModule::new(builder)));
        // Present from construction to `finish`.
        let Some(module) = code.0.as_mut() else { return Err(CompileError::Host("no module")) };

        let pointer = module.target_config().pointer_type();
        let mut context = module.make_context();
        context.func.signature.params.extend([pointer; 3].map(AbiParam::new));
        let entry = module.declare_anonymous_function(&context.func.signature)?;
        let (f, i) = (types::F32, types::I32);
        let mut import = |name: &str, params: &[Type], result: Type| -> Result<FuncRef, CompileError> {
            let mut signature = module.make_signature();
            signature.params.extend(params.iter().copied().map(AbiParam::new));
            signature.returns.push(AbiParam::new(result));
            let function = module.declare_function(name, Linkage::Import, &signature)?;
            Ok(module.declare_func_in_func(function, &mut context.func))
        };
        let imports = Imports {
            act: import("blink_act", &[pointer, i, i], i)?,
            pause: import("blink_pause", &[pointer, i, i], i)?,
            sin: import("blink_sin", &[f], f)?,
            cos: import("blink_cos", &[f], f)?,
            atan2: import("blink_atan2", &[f, f], f)?,
            time_since: import("blink_time_since", &[pointer, f, f], f)?,
            time_mod: import("blink_time_mod", &[pointer, f], f)?,
        };
        let mut scratch = FunctionBuilderContext::new();
        let mut builder = FunctionBuilder::new(&mut context.func, &mut scratch);
        translate::translate(program, &mut builder, imports);
        builder.finalize(module.target_config());
        module.define_function(entry, &mut context)?;
        let size = context.compiled_code().map_or(NativeSize::default(), |code| NativeSize {
            code_bytes: code.code_buffer().len(),
            frame_bytes: code.buffer.frame_layout().map_or(0, |frame| frame.frame_to_fp_offset as usize),
        });
        if size.frame_bytes > MAX_NATIVE_FRAME_BYTES {
            return Err(CompileError::Frame { bytes: size.frame_bytes });
        }
        module.finalize_definitions()?;
        let address = module.get_finalized_function(entry);
        // SAFETY: the address is that of the function just compiled with the signature (pointer, pointer, pointer) in
        // the host's C calling convention, which is `Entry`'s; the module that owns it is kept beside it.
        let entry = unsafe { std::mem::transmute::<*const u8, Entry>(address) };
        Ok(Native { module: Mutex::new(code.0.take()), entry, size, charge: None })
    }

    /// The same, counted as long as it is there.
    pub(crate) fn charged(self, charge: Charge) -> Native {
        let mut native = self;
        native.charge = Some(charge);
        native
    }

    /// What it takes.
    pub(crate) fn size(&self) -> NativeSize {
        self.size
    }

    /// Runs it. `program` must be the one that it was compiled from, else steps are mixed up (but nothing worse).
    pub(crate) fn run(&self, program: &LoweredProgram, machine: &mut Machine<'_>) {
        let registers: *const Cell<u32> = machine.registers.as_ptr();
        let values: *const f32 = machine.environment.values.as_ptr();
        let mut context = Context { machine, body: &program.body, panic: None };
        // SAFETY: `entry` is alive as long as `self.module`. It takes a `Context` that it only hands back to the functions
        // below, the register file (32 words that outlive the call, in cells, so that writing them while `machine`
        // has a shared reference to them is allowed), and the environment's values (as many as `External::ALL` has, which
        // bounds the offsets compiled in), which it only reads. It unwinds never: panics are caught in `act`.
        unsafe { (self.entry)(&raw mut context, registers, values) };
        if let Some(panic) = context.panic {
            resume_unwind(panic);
        }
    }
}

impl Drop for Native {
    fn drop(&mut self) {
        let module = match self.module.get_mut() {
            Ok(module) => module,
            Err(poisoned) => poisoned.into_inner(),
        };
        drop(Code(module.take()));
    }
}

/// A module that frees its memory when it is dropped, also when compiling failed or panicked.
struct Code(Option<JITModule>);

impl Drop for Code {
    fn drop(&mut self) {
        if let Some(module) = self.0.take() {
            // SAFETY: its code is called only by `Native::run`, which borrows the `Native` that owns the module: either
            // none was made yet, or it is being dropped, so that no call is under way and none can follow.
            unsafe { module.free_memory() };
        }
    }
}

/// How much the compiler does for fast code. Servers take the default; benchmarks show what more would cost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Effort {
    /// Cranelift's `opt_level`.
    pub opt_level: &'static str,
    /// Cranelift's `regalloc_algorithm`.
    pub allocator: &'static str,
}

impl Default for Effort {
    /// Fast compilation: other optimisation levels and register allocators take two to five times as long and gain a quarter
    /// at most, see docs/BENCHMARKS.md.
    fn default() -> Effort {
        Effort { opt_level: "none", allocator: "single_pass" }
    }
}

/// Besides [`Effort`]: no verifier of the compiler's own input, which a test switches on; probes, because a hostile program can
/// make a frame greater than a stack's guard page.
const SETTINGS: &[(&str, &str)] = &[
    ("enable_verifier", if cfg!(test) { "true" } else { "false" }),
    ("is_pic", "false"),
    ("use_colocated_libcalls", "false"),
    ("enable_probestack", "true"),
    ("probestack_strategy", "inline"),
    ("unwind_info", "false"),
];

/// Executes steps that are data; 1 if the run ends here.
extern "C" fn act(context: *mut Context<'_, '_>, first: u32, end: u32) -> u32 {
    // SAFETY: native code passes on the pointer that `Native::run` gave it, to a `Context` that outlives the call and that
    // nothing else uses meanwhile.
    let context = unsafe { &mut *context };
    if context.panic.is_some() {
        return 1;
    }
    let (machine, body) = (&mut *context.machine, context.body);
    match catch_unwind(AssertUnwindSafe(|| machine.act_all(body, first, end))) {
        Ok(ControlFlow::Continue(())) => 0,
        Ok(ControlFlow::Break(())) => 1,
        Err(panic) => {
            context.panic = Some(panic);
            1
        }
    }
}

/// At a yield point; 1 if the run is suspended, to go on at this step and word.
extern "C" fn pause(context: *mut Context<'_, '_>, step: u32, word: u32) -> u32 {
    // SAFETY: as in `act`.
    let context = unsafe { &mut *context };
    let at = At { step: step as usize, word: word as usize };
    match catch_unwind(AssertUnwindSafe(|| context.machine.is_suspended(at))) {
        Ok(is_suspended) => u32::from(is_suspended),
        Err(panic) => {
            context.panic = Some(panic);
            1
        }
    }
}

extern "C" fn sin(a: f32) -> f32 {
    libm::sinf(a)
}

extern "C" fn cos(a: f32) -> f32 {
    libm::cosf(a)
}

extern "C" fn atan2(y: f32, x: f32) -> f32 {
    libm::atan2f(y, x)
}

extern "C" fn time_since(context: *const Context<'_, '_>, hi: f32, lo: f32) -> f32 {
    // SAFETY: as in `act`; only read.
    let now = unsafe { &*context }.machine.environment.presentation_ns;
    f32::from_bits(crate::arith::time_since(now, hi.to_bits(), lo.to_bits()))
}

extern "C" fn time_mod(context: *const Context<'_, '_>, period: f32) -> f32 {
    // SAFETY: as in `act`; only read.
    let now = unsafe { &*context }.machine.environment.presentation_ns;
    f32::from_bits(crate::arith::time_mod(now, period.to_bits()))
}
