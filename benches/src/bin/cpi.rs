//! Cycles per instruction.
fn main() {}
