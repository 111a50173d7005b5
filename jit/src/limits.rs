//! The limits of compiling and keeping programs, each with its unit and its reason.

/// What compiling a program may cost, or Cranelift is not asked: an instruction of register work costs 1, two to four
/// microseconds, and a jump up to 17, as it concerns each register. So the worst takes a quarter of
/// [`COMPILE_MILLISECONDS`].
pub const MAX_COMPILE_COST: usize = 1 << 15;

/// Milliseconds after which a compilation is given up: longer than any that is begun takes, on a
/// machine with other work too.
pub const COMPILE_MILLISECONDS: u64 = 500;

/// Programs of one client that wait to be compiled; the oldest are dropped, and may ask again.
pub const MAX_WAITING_COMPILES: usize = 64;

/// Compilations given up that are still under way, for each of which there is another worker.
pub const MAX_LATE_COMPILES: usize = 2;

/// Compilations of one client that are given up before none of it is begun any more.
pub const MAX_CLIENT_LATE_COMPILES: u32 = 4;

/// Programs of one client with native code: each takes up to two of the 65,530 memory mappings that Linux lets a
/// process have, and a server has up to 64 clients.
pub const MAX_CLIENT_NATIVE_PROGRAMS: usize = 256;

/// Bytes of the stack that native code may take: an eighth of what the renderer's thread has. What costs
/// [`MAX_COMPILE_COST`] takes less, 16 bytes for each value that the program computes.
pub const MAX_NATIVE_FRAME_BYTES: usize = 1 << 20;

/// Bytes of the programs, as the server keeps them, that are kept for the next client that publishes the same: those of
/// some dozen applications.
pub const MAX_CACHED_PROGRAM_BYTES: usize = 64 << 20;
