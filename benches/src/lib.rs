//! Support for the benchmarks: programs to measure, a clock in cycles, and statistics.
pub mod mix;
pub mod tsc;
