//! The differential programme: random programs, and what must hold of each.
//!
//! - [`generate`] makes programs: valid ones for each callback, ones that break one rule and no other, and noise; [`mutate`]
//!   changes them.
//! - [`walk`] knows what the verifier's facts mean, [`mod@reference`] what a program does, [`arithmetic`] what the ops of
//!   registers compute. They are slow, obvious, and share nothing with what they judge.
//! - [`layout`] looks at what shared memory holds besides programs.
//! - [`oracles`] holds all against each other: verifier, reference, interpreter, native code, slices, cache, text.
//! - [`campaign`] does so until the time is up; [`minimise`] makes what it finds small; `defects` shows that it finds
//!   anything: each fault that can be planted must be caught.
#![forbid(unsafe_code)]
#![allow(
    clippy::cast_possible_truncation,
    clippy::cast_possible_wrap,
    clippy::cast_precision_loss,
    clippy::cast_sign_loss,
    clippy::wildcard_enum_match_arm,
    reason = "runs in tests only, on programs of its own making"
)]

pub mod arithmetic;
pub mod campaign;
pub mod case;
#[cfg(feature = "planted")]
pub mod defects;
pub mod generate;
pub mod layout;
pub mod minimise;
pub mod mutate;
pub mod oracles;
pub mod reference;
pub mod stats;
pub mod trace;
pub mod walk;

/// Something that should not be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mismatch {
    /// Which oracle says so.
    pub oracle: &'static str,
    /// What it saw.
    pub detail: String,
}

impl Mismatch {
    /// A mismatch.
    #[must_use]
    pub fn new(oracle: &'static str, detail: impl Into<String>) -> Mismatch {
        Mismatch { oracle, detail: detail.into() }
    }
}

impl std::fmt::Display for Mismatch {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}: {}", self.oracle, self.detail)
    }
}

/// Returns a [`Mismatch`] of an oracle unless a condition holds.
#[macro_export]
macro_rules! ensure {
    ($good:expr, $oracle:expr, $($detail:tt)+) => {
        if !$good {
            return Err($crate::Mismatch::new($oracle, format!($($detail)+)));
        }
    };
}
