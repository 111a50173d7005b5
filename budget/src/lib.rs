//! What one run of a client's program may cost: decided by the broker's policy, enforced by the renderer.
//!
//! The fields are the keys of the policy file, and, as `--max-fuel` and so on, options: of `blink-server`, which sets the
//! budget, and of `blinkgl verify`, which says whether a program keeps it.
#![forbid(unsafe_code)]

use clap::Args;
use serde::{Deserialize, Serialize};

/// The limits that hold for everybody: those of `blinkgl::limits`, which a process that only passes budgets on does not
/// depend on. A test holds both together.
const MAX_FUEL: u64 = 4 << 20;
const MAX_VERTICES: u64 = 4 << 20;
const MAX_CALLS: u64 = 3 << 16;
const MAX_UPLOAD_BYTES: u64 = 256 << 20;

/// The worst case up to which a client's programs are accepted. Dearer ones are refused before anything is made of
/// them, with verifier rule V35, which names what there is too much of, how much, and this limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, Args)]
#[serde(default, deny_unknown_fields)]
pub struct Budget {
    /// Units of fuel.
    #[arg(long = "max-fuel", value_name = "UNITS", default_value_t = MAX_FUEL, help_heading = HEADING)]
    pub fuel: u64,
    /// GL calls.
    #[arg(long = "max-calls", value_name = "CALLS", default_value_t = MAX_CALLS, help_heading = HEADING)]
    pub calls: u64,
    /// Vertices, after assembly into points, lines and triangles.
    #[arg(long = "max-vertices", value_name = "VERTICES", default_value_t = MAX_VERTICES, help_heading = HEADING)]
    pub vertices: u64,
    /// Bytes of vertices to upload.
    #[arg(
        long = "max-upload-bytes", value_name = "BYTES", default_value_t = MAX_UPLOAD_BYTES, help_heading = HEADING
    )]
    pub upload_bytes: u64,
}

/// Of the options. Not for a whole struct: it would go on to the options after it.
const HEADING: &str = "Budget: what a program or a display list may cost at worst; fuel and vertices also what a run adds up to";

impl Default for Budget {
    /// The limits, which hold for everybody.
    fn default() -> Budget {
        Budget { fuel: MAX_FUEL, calls: MAX_CALLS, vertices: MAX_VERTICES, upload_bytes: MAX_UPLOAD_BYTES }
    }
}

impl Budget {
    /// The lower of both, each by itself.
    #[must_use]
    pub fn at_most(self, other: Budget) -> Budget {
        Budget {
            fuel: self.fuel.min(other.fuel),
            calls: self.calls.min(other.calls),
            vertices: self.vertices.min(other.vertices),
            upload_bytes: self.upload_bytes.min(other.upload_bytes),
        }
    }
}

#[cfg(feature = "verifier")]
impl From<Budget> for verifier::Budget {
    /// A budget can only be smaller than the limits.
    fn from(budget: Budget) -> verifier::Budget {
        let Budget { fuel, calls, vertices, upload_bytes } = budget;
        verifier::Budget { fuel, calls, vertices, upload_bytes }.at_most(verifier::Budget::default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_said_is_the_limit() {
        assert_eq!(serde_json::from_str::<Budget>("{}").unwrap(), Budget::default());
        let some: Budget = serde_json::from_str(r#"{"calls": 5}"#).unwrap();
        assert_eq!(some, Budget { calls: 5, ..Budget::default() });
        assert!(serde_json::from_str::<Budget>(r#"{"call": 5}"#).is_err());
    }

    #[cfg(feature = "verifier")]
    #[test]
    fn no_budget_is_above_the_limits() {
        let limits = verifier::Budget::default();
        assert_eq!(verifier::Budget::from(Budget::default()), limits);
        let much = Budget { fuel: u64::MAX, calls: u64::MAX, vertices: u64::MAX, upload_bytes: 5 };
        assert_eq!(verifier::Budget::from(much), verifier::Budget { upload_bytes: 5, ..limits });
    }
}
