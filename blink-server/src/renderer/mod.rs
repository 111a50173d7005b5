//! The renderer process.
pub mod scan;
