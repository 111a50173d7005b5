//! What the processes of Blink ask of Linux, written once: packets with descriptors, shared memory, signals, the clock, threads,
//! the end of root.

pub mod clock;
pub mod descriptors;
pub mod memory;
pub mod root;
pub mod seqpacket;
pub mod signals;
pub mod threads;
