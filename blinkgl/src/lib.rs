//! BlinkGL: the language of stored procedures, and the memory that a client shares with the server.
//!
//! The rules of this world:
//!
//! - **One op table** ([`ops`]). Encoder, decoder, assembler, verifier, interpreter, lowering and the
//!   reference page in `docs/` come from it or are checked exhaustively against it.
//! - **One way for bytes to travel**: a client publishes versioned shared objects ([`layout`]); the
//!   server copies each object in *once* ([`shm`]), then checks it, then uses the copy. A version is
//!   even while the object is stable and odd while the client writes it; a change of version means
//!   "look again", nothing else.
//! - **Nobody holds a reference into shared memory.** [`shm::Shm`] is the only access, by atomic
//!   words, because the other side may change any byte at any time.
//! - **Every limit is in [`limits`]**, with its unit and reason.
//!
//! The crate is `no_std` + `alloc`, so that a client without an operating system can link it.
#![no_std]
extern crate alloc;

pub mod asm;
pub mod dis;
pub mod gl;
pub mod layout;
pub mod limits;
pub mod local;
pub mod ops;
pub mod planted;
pub mod record;
pub mod wire;

pub use ops::{Callback, Class, EnumSet, External, Kind, Op, OpInfo};
pub use record::{RecordError, Recorder};
pub use shm;
pub use wire::{Arg, Instruction, Reg, WireProgram};
