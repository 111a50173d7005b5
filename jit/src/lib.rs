//! From a verified stored procedure to GL work: lowering, interpreter, native code.
//!
//! `VerifiedProgram -> LoweredProgram` at once ([`lower()`]), and native code later on a worker thread. Both
//! tiers give the same calls, registers and effects, bit for bit: GL steps are the same code
//! (`run`), and what arithmetic means is said once ([`arith`]).
//!
//! What is constant is data, not code: constant primitives stay words until they are drawn first, and the native
//! tier only computes registers and decides jumps between calls that work through tables.
pub mod arith;
mod builder;
mod cache;
mod compile_cost;
mod edges;
pub mod env;
mod expand;
pub mod gl;
mod interp;
pub mod limits;
mod lower;
mod native;
mod primitive;
mod program;
mod queue;
mod run;
mod step;
pub mod trace;
mod translate;
mod words;
mod work;
mod yields;

pub use cache::ProgramCache;
pub use edges::{PrimitiveRun, interior_edges};
pub use env::{DamageRect, Effects, Environment, Stop};
pub use gl::{
    Assembly, Attributes, Command, CommandOp, Dynamic, Given, Gl, Inherited, Segment, SegmentId, Shape,
    Summary, Vertex,
};
pub use lower::{LoweredProgram, lower, lower_with_yields};
pub use native::{CompileError, Effort, NativeSize};
pub use program::{Program, Progress, Suspended, Tier, TierChoice};
pub use queue::{CompileQueue, CompileReport, CompileStats};
pub use run::{Lists, Outcome, Run};
