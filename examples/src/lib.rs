//! What the example clients are made of, for themselves and for tests and benchmarks that draw the
//! same pictures.

pub mod client;
pub mod control;
pub mod gears;
pub mod process;
