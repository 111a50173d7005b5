//! Which pixels belong to whom: the stack of windows, their frames, and the plan of a frame.
//!
//! Nothing here touches OpenGL or a client's memory: it is arithmetic on rectangles, and tested as such.

pub mod decoration;
pub mod plan;
pub mod stack;

pub use decoration::{Part, Style};
pub use plan::{Plan, plan};
pub use stack::{Stack, View};
