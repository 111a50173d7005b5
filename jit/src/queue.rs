//! The worker that compiles behind the frames.
//!
//! No frame waits for the compiler: a program runs in the interpreter until its native code is there, and the
//! next run after that uses it.

use crate::program::Program;
use std::collections::VecDeque;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, Weak};
use std::thread::JoinHandle;
use std::time::Instant;

/// Threads that compile what is submitted, first come first served.
#[derive(Debug)]
pub struct CompileQueue {
    shared: Arc<Shared>,
    threads: Vec<JoinHandle<()>>,
}

/// What a [`CompileQueue`] did so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CompileStats {
    /// Programs compiled.
    pub compiled: u64,
    /// Programs that could not be compiled; they stay with the interpreter.
    pub failed: u64,
    /// Programs that were gone when their turn came.
    pub skipped: u64,
    /// Nanoseconds of all compilations together.
    pub total_ns: u64,
    /// Nanoseconds of the longest.
    pub longest_ns: u64,
}

#[derive(Debug, Default)]
struct Shared {
    state: Mutex<State>,
    wake: Condvar,
    compiled: AtomicU64,
    failed: AtomicU64,
    skipped: AtomicU64,
    total_ns: AtomicU64,
    longest_ns: AtomicU64,
}

#[derive(Debug, Default)]
struct State {
    waiting: VecDeque<Weak<Program>>,
    /// Being compiled.
    busy: usize,
    closed: bool,
}

impl CompileQueue {
    /// Starts `workers` threads (at least one). If the system gives none, what is submitted stays with the interpreter.
    #[must_use]
    pub fn new(workers: usize) -> CompileQueue {
        let shared = Arc::new(Shared::default());
        let mut threads = Vec::new();
        for i in 0..workers.max(1) {
            let shared = Arc::clone(&shared);
            let thread = std::thread::Builder::new().name(format!("blink-compile-{i}"));
            match thread.spawn(move || shared.work()) {
                Ok(handle) => threads.push(handle),
                Err(error) => log::error!("cannot start a thread for compiling: {error}"),
            }
        }
        CompileQueue { shared, threads }
    }

    /// Compiles a program when its turn comes. Only the first call for a program does something; one that is
    /// dropped before its turn is skipped.
    pub fn submit(&self, program: &Arc<Program>) {
        if self.threads.is_empty() || !program.claim() {
            return;
        }
        self.shared.lock().waiting.push_back(Arc::downgrade(program));
        self.shared.wake.notify_all();
    }

    /// Programs that wait or are being compiled.
    #[must_use]
    pub fn pending(&self) -> usize {
        let state = self.shared.lock();
        state.waiting.len() + state.busy
    }

    /// Waits until nothing is pending. For tests and benchmarks: a server never waits.
    pub fn wait_idle(&self) {
        let mut state = self.shared.lock();
        while !self.threads.is_empty() && state.waiting.len() + state.busy > 0 {
            state = self.shared.wake.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// What was done so far.
    #[must_use]
    pub fn stats(&self) -> CompileStats {
        let get = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        CompileStats {
            compiled: get(&self.shared.compiled),
            failed: get(&self.shared.failed),
            skipped: get(&self.shared.skipped),
            total_ns: get(&self.shared.total_ns),
            longest_ns: get(&self.shared.longest_ns),
        }
    }
}

impl Drop for CompileQueue {
    fn drop(&mut self) {
        {
            let mut state = self.shared.lock();
            state.closed = true;
            state.waiting.clear();
        }
        self.shared.wake.notify_all();
        for thread in self.threads.drain(..) {
            if thread.join().is_err() {
                log::error!("a compiling thread panicked");
            }
        }
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn work(&self) {
        while let Some(program) = self.next() {
            match program.upgrade() {
                Some(program) => self.compile(&program),
                None => {
                    self.skipped.fetch_add(1, Ordering::Relaxed);
                }
            }
            self.lock().busy -= 1;
            self.wake.notify_all();
        }
    }

    /// Waits for a program; `None` when the queue is closed.
    fn next(&self) -> Option<Weak<Program>> {
        let mut state = self.lock();
        loop {
            if state.closed {
                return None;
            }
            if let Some(program) = state.waiting.pop_front() {
                state.busy += 1;
                return Some(program);
            }
            state = self.wake.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }

    fn compile(&self, program: &Program) {
        let start = Instant::now();
        let result = program.compile();
        let spent = u64::try_from(start.elapsed().as_nanos()).unwrap_or(u64::MAX);
        self.total_ns.fetch_add(spent, Ordering::Relaxed);
        self.longest_ns.fetch_max(spent, Ordering::Relaxed);
        match result {
            Ok(()) => {
                self.compiled.fetch_add(1, Ordering::Relaxed);
            }
            Err(error) => {
                self.failed.fetch_add(1, Ordering::Relaxed);
                // Not a warning: a client decides how often it comes. It is in the counters.
                log::debug!("a {} procedure stays with the interpreter: {error}", program.callback());
            }
        }
    }
}
