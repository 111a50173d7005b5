//! What the template is asked: it is a renderer that has drawn once, has no client and never gets one, and of which renderers
//! are copies.

use crate::glass::ClassId;
use serde::{Deserialize, Serialize};

/// What a renderer may take from the machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Share {
    /// Bytes of private memory (`RLIMIT_DATA`).
    pub memory: u64,
}

/// From the broker to the template.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "type")]
pub enum ToTemplate {
    /// Make a renderer: its socket to the broker comes with this.
    Fork {
        /// Whose.
        class: ClassId,
        /// What it may take.
        share: Share,
    },
}

/// From the template to the broker.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "type")]
pub enum FromTemplate {
    /// It has drawn.
    Ready {
        /// OpenGL's version and renderer strings, for the log.
        gl: String,
        /// It has one thread only, so that it can be copied. If not, renderers are programs started anew.
        forks: bool,
    },
    /// A renderer is there; a descriptor of its process (pidfd) comes with this.
    Forked {
        /// Whose.
        class: ClassId,
        /// Its process.
        pid: i32,
    },
    /// No renderer could be made.
    NotForked {
        /// Whose.
        class: ClassId,
        /// Why.
        reason: String,
    },
    /// A renderer ended. (Its parent is the template: only that is told how.)
    Ended {
        /// Its process.
        pid: i32,
        /// As `exit status: 1` or `signal: 9 (SIGKILL)`.
        status: String,
    },
}
