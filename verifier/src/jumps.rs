//! Jumps whose target still lies ahead.

use crate::facts::Path;
use alloc::collections::BinaryHeap;
use blinkgl::ops::Op;
use core::cmp::Ordering;

/// A jump and the state that it brings to its target.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Jump {
    pub(crate) target: u32,
    pub(crate) op_index: u32,
    pub(crate) offset: usize,
    pub(crate) op: Op,
    /// `None`: no path leads to the jump.
    pub(crate) path: Option<Path>,
}

/// Nearest target first; of the same target, the earliest jump, so that errors do not depend on the heap.
impl Ord for Jump {
    fn cmp(&self, other: &Jump) -> Ordering {
        (other.target, other.op_index).cmp(&(self.target, self.op_index))
    }
}

impl PartialOrd for Jump {
    fn partial_cmp(&self, other: &Jump) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Jump {
    fn eq(&self, other: &Jump) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Jump {}

/// The pending jumps. A heap, because a client chooses the order of their targets: a sorted list would
/// take quadratic time for programs made for it.
#[derive(Debug)]
pub(crate) struct Pending {
    heap: BinaryHeap<Jump>,
    /// Nearest target; `usize::MAX` if none.
    pub(crate) next: usize,
}

impl Pending {
    pub(crate) fn new() -> Pending {
        Pending { heap: BinaryHeap::new(), next: usize::MAX }
    }

    pub(crate) fn push(&mut self, jump: Jump) {
        self.heap.push(jump);
        self.update();
    }

    /// Takes the nearest jump whose target is at or before `offset`.
    pub(crate) fn arrive(&mut self, offset: usize) -> Option<Jump> {
        if self.next > offset {
            return None;
        }
        let jump = self.heap.pop();
        self.update();
        jump
    }

    /// Is the code here skipped by some path?
    pub(crate) fn is_empty(&self) -> bool {
        self.heap.is_empty()
    }

    fn update(&mut self) {
        self.next = self.heap.peek().and_then(|j| usize::try_from(j.target).ok()).unwrap_or(usize::MAX);
    }
}
