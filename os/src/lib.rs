//! What the processes of Blink ask of Linux, written once: packets with descriptors, shared memory, signals, the clock.

pub mod clock;
pub mod descriptors;
pub mod memory;
pub mod seqpacket;
pub mod signals;
