//! From a verified stored procedure to GL work: lowering, interpreter, native code.
//!
//! `VerifiedProgram -> LoweredProgram` at once, and `-> CompiledProgram` later on a worker thread. Both
//! tiers give the same calls, registers and effects, bit for bit.
pub mod env;
pub mod gl;

pub use env::{DamageRect, Effects, Environment, Stop};
pub use gl::{Assembly, Attributes, Command, Gl, Inherited, Segment, SegmentId, Vertex};
