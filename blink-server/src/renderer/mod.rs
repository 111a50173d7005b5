//! The renderer process.
pub mod channel;
pub mod scan;
pub mod stats;
