//! What the processes of Blink ask of Linux, written once: packets with descriptors, shared memory, signals.

pub mod descriptors;
pub mod memory;
pub mod seqpacket;
pub mod signals;
