//! What the processes of Blink ask of Linux, written once: packets with descriptors, and signals.

pub mod seqpacket;
pub mod signals;
