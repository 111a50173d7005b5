//! The workers that compile behind the frames.
//!
//! No frame waits for the compiler: a program runs in the interpreter until its native code is there, and the
//! next run after that uses it. A program whose compilation fails, panics or is late stays with the interpreter for ever.
//!
//! Clients take turns, one program each, so that one with a thousand programs is no reason for the others to wait. Of
//! the programs that a client has waiting, the oldest are dropped: they may ask again.
//!
//! A compilation cannot be stopped. So what is long is not begun (`MAX_COMPILE_COST` bounds it), and should one
//! exceed its deadline all the same, another worker takes its worker's place and its result is thrown away.

use crate::limits::{
    COMPILE_MILLISECONDS, MAX_CLIENT_LATE_COMPILES, MAX_CLIENT_NATIVE_PROGRAMS, MAX_LATE_COMPILES,
    MAX_WAITING_COMPILES,
};
use crate::lower::LoweredProgram;
use crate::native::{Charge, CompileError, Native, guarded};
use crate::program::Program;
use blinkgl::ops::Callback;
use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, Weak};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// How long a compilation may take. An unoptimised compiler takes some twenty times as long as the one that clients meet.
const DEADLINE: Duration =
    Duration::from_millis(COMPILE_MILLISECONDS * if cfg!(debug_assertions) { 20 } else { 1 });

/// Reports that are kept until somebody takes them; the oldest give way.
const KEPT_REPORTS: usize = 64;

/// Threads that compile what is submitted.
#[derive(Debug)]
pub struct CompileQueue {
    shared: Arc<Shared>,
}

/// What a [`CompileQueue`] did so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CompileStats {
    /// Programs compiled.
    pub compiled: u64,
    /// Programs that could not be compiled; they stay with the interpreter.
    pub failed: u64,
    /// Programs whose compilation was late; they stay with the interpreter.
    pub late: u64,
    /// Programs that were gone when their turn came.
    pub skipped: u64,
    /// Programs that gave way to later ones of the same client.
    pub dropped: u64,
    /// Nanoseconds of all compilations together.
    pub total_ns: u64,
    /// Nanoseconds of the longest.
    pub longest_ns: u64,
}

/// A program that will never have native code, though it was submitted.
#[derive(Debug)]
pub struct CompileReport {
    /// Who submitted it.
    pub client: u32,
    /// What it is for.
    pub callback: Callback,
    /// Its instructions.
    pub instructions: u32,
    /// Why.
    pub error: CompileError,
}

type Compile = dyn Fn(&LoweredProgram) -> Result<Native, CompileError> + Send + Sync;

struct Shared {
    state: Mutex<State>,
    /// For workers: something waits, or the queue is closed.
    wake: Condvar,
    /// For who waits until nothing is pending.
    done: Condvar,
    compile: Box<Compile>,
}

impl std::fmt::Debug for Shared {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Shared").field("state", &self.state).finish_non_exhaustive()
    }
}

#[derive(Debug, Default)]
struct State {
    clients: HashMap<u32, Client>,
    /// Clients that have something waiting, each once, the next one first.
    turns: VecDeque<u32>,
    jobs: Vec<Job>,
    /// Workers that compile at a time, besides the late ones.
    wanted: usize,
    /// All threads are there from the start, those that will take the place of late ones too; none is started later.
    is_staffed: bool,
    /// Those that there are, by number.
    workers: HashMap<u64, JoinHandle<()>>,
    /// Those that have begun to wait for work.
    started: usize,
    late: usize,
    /// Numbers workers and jobs.
    last_number: u64,
    stats: CompileStats,
    reports: VecDeque<CompileReport>,
    closed: bool,
}

#[derive(Debug, Default)]
struct Client {
    waiting: VecDeque<Weak<Program>>,
    /// Its programs that have native code.
    native: Arc<()>,
    /// Compilations that were late.
    late: u32,
}

/// A compilation under way.
#[derive(Debug)]
struct Job {
    number: u64,
    worker: u64,
    client: u32,
    program: Arc<Program>,
    charge: Charge,
    started: Instant,
    is_late: bool,
}

impl CompileQueue {
    /// Starts `workers` threads (at least one). If the system gives none, what is submitted stays with the interpreter.
    #[must_use]
    pub fn new(workers: usize) -> CompileQueue {
        CompileQueue::with_compiler(workers, Box::new(Native::compile))
    }

    /// The same for a process that can't start threads later: those that may have to take the place of late ones wait from
    /// the start.
    #[must_use]
    pub fn staffed(workers: usize) -> CompileQueue {
        CompileQueue::staffed_with(workers, Box::new(Native::compile))
    }

    fn with_compiler(workers: usize, compile: Box<Compile>) -> CompileQueue {
        let state = Mutex::new(State { wanted: workers.max(1), ..State::default() });
        let shared = Arc::new(Shared { state, wake: Condvar::new(), done: Condvar::new(), compile });
        Shared::hire(&shared, &mut shared.lock());
        CompileQueue { shared }
    }

    fn staffed_with(workers: usize, compile: Box<Compile>) -> CompileQueue {
        let wanted = workers.max(1);
        let state = Mutex::new(State { wanted: wanted + MAX_LATE_COMPILES, ..State::default() });
        let shared = Arc::new(Shared { state, wake: Condvar::new(), done: Condvar::new(), compile });
        let mut state = shared.lock();
        Shared::hire(&shared, &mut state);
        (state.wanted, state.is_staffed) = (wanted, true);
        // A thread's start takes system calls that its process may give up next.
        while state.started < state.workers.len() {
            state = shared.done.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        drop(state);
        CompileQueue { shared }
    }

    /// Compiles a program when its client's turn comes, whatever number the caller has for the client. One that
    /// waits for this client already, or was compiled, is not submitted again; one that is gone when its turn comes is
    /// skipped.
    pub fn submit(&self, client: u32, program: &Arc<Program>) {
        if !program.should_compile() {
            return;
        }
        let mut state = self.shared.lock();
        let State { clients, turns, stats, .. } = &mut *state;
        let queue = clients.entry(client).or_default();
        let is_there = queue.waiting.iter().any(|other| std::ptr::eq(other.as_ptr(), Arc::as_ptr(program)));
        if is_there || queue.late >= MAX_CLIENT_LATE_COMPILES {
            return;
        }
        if queue.waiting.is_empty() {
            turns.push_back(client);
        } else if queue.waiting.len() >= MAX_WAITING_COMPILES {
            queue.waiting.pop_front();
            stats.dropped += 1;
        }
        queue.waiting.push_back(Arc::downgrade(program));
        drop(state);
        self.shared.wake.notify_one();
    }

    /// A client is gone: nothing of it is begun any more.
    pub fn forget(&self, client: u32) {
        let mut state = self.shared.lock();
        state.clients.remove(&client);
        state.turns.retain(|&other| other != client);
        drop(state);
        self.shared.done.notify_all();
    }

    /// Gives up compilations that are late at this time, and puts other workers in the place of theirs. To be called
    /// about once a frame.
    pub fn tend(&self, now: Instant) {
        Shared::expire(&self.shared, now);
    }

    /// Why programs that were submitted stay with the interpreter: what came up since the last call.
    pub fn take_reports(&self) -> Vec<CompileReport> {
        self.shared.lock().reports.drain(..).collect()
    }

    /// Programs that wait or are being compiled, late ones not included.
    #[must_use]
    pub fn pending(&self) -> usize {
        self.shared.lock().pending()
    }

    /// Waits until nothing is pending. For tests and benchmarks: a server never waits.
    pub fn wait_idle(&self) {
        let mut state = self.shared.lock();
        while !state.workers.is_empty() && state.pending() > 0 {
            state = self.shared.done.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// What was done so far.
    #[must_use]
    pub fn stats(&self) -> CompileStats {
        self.shared.lock().stats
    }
}

impl Drop for CompileQueue {
    fn drop(&mut self) {
        let workers = {
            let mut state = self.shared.lock();
            state.closed = true;
            state.clients.clear();
            state.turns.clear();
            std::mem::take(&mut state.workers)
        };
        self.shared.wake.notify_all();
        // Late ones are not waited for.
        for thread in workers.into_values() {
            if thread.join().is_err() {
                log::error!("a compiling thread panicked");
            }
        }
    }
}

impl State {
    /// Compilations under way that are not late.
    fn compiling(&self) -> usize {
        self.jobs.iter().filter(|job| !job.is_late).count()
    }

    fn pending(&self) -> usize {
        let waiting: usize = self.clients.values().map(|client| client.waiting.len()).sum();
        waiting + self.compiling()
    }

    fn number(&mut self) -> u64 {
        self.last_number += 1;
        self.last_number
    }

    /// The next program of the client whose turn it is, if one waits that is still to be compiled.
    fn next_job(&mut self, worker: u64) -> Option<(u64, Arc<Program>)> {
        while let Some(id) = self.turns.pop_front() {
            let Some(client) = self.clients.get_mut(&id) else { continue };
            let Some(program) = client.waiting.pop_front() else { continue };
            if !client.waiting.is_empty() {
                self.turns.push_back(id);
            }
            let Some(program) = program.upgrade() else {
                self.stats.skipped += 1;
                continue;
            };
            let charge = Charge::new(&client.native);
            // Another client's turn may have come before.
            if charge.count() > MAX_CLIENT_NATIVE_PROGRAMS || !program.claim() {
                continue;
            }
            let number = self.number();
            self.jobs.push(Job {
                number,
                worker,
                client: id,
                program: Arc::clone(&program),
                charge,
                started: Instant::now(),
                is_late: false,
            });
            return Some((number, program));
        }
        None
    }

    fn report(&mut self, client: u32, program: &Program, error: CompileError) {
        if self.reports.len() >= KEPT_REPORTS {
            self.reports.pop_front();
        }
        let (callback, instructions) = (program.callback(), program.facts().instructions);
        self.reports.push_back(CompileReport { client, callback, instructions, error });
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Starts the workers that are missing, unless too many are late.
    fn hire(shared: &Arc<Shared>, state: &mut State) {
        if state.is_staffed {
            return;
        }
        while state.workers.len() < state.wanted && state.late <= MAX_LATE_COMPILES {
            let number = state.number();
            let this = Arc::clone(shared);
            let thread = std::thread::Builder::new().name(format!("blink-compile-{number}"));
            match thread.spawn(move || this.work(number)) {
                Ok(handle) => state.workers.insert(number, handle),
                Err(error) => {
                    log::error!("cannot start a thread for compiling: {error}");
                    return;
                }
            };
        }
    }

    fn work(self: Arc<Self>, worker: u64) {
        // The thread's key for hash maps is chosen by a system call, once.
        let _key = std::hash::RandomState::new();
        self.lock().started += 1;
        self.done.notify_all();
        while let Some((job, program)) = self.next(worker) {
            // The compiler is somebody else's code, fed with a client's program.
            let result = guarded(|| (self.compile)(program.lowered()));
            drop(program);
            if !Shared::finish(&self, job, result) {
                return;
            }
        }
    }

    /// A compilation came to its end. Does its worker go on?
    fn finish(shared: &Arc<Shared>, number: u64, result: Result<Native, CompileError>) -> bool {
        let mut state = shared.lock();
        let Some(at) = state.jobs.iter().position(|job| job.number == number) else { return false };
        let job = state.jobs.swap_remove(at);
        if job.is_late {
            state.late -= 1;
            Shared::hire(shared, &mut state);
        } else {
            let spent = u64::try_from(job.started.elapsed().as_nanos()).unwrap_or(u64::MAX);
            state.stats.total_ns = state.stats.total_ns.saturating_add(spent);
            state.stats.longest_ns = state.stats.longest_ns.max(spent);
            match result {
                Ok(native) => {
                    state.stats.compiled += 1;
                    job.program.settle(Some(native.charged(job.charge)));
                }
                Err(error) => {
                    state.stats.failed += 1;
                    job.program.settle(None);
                    state.report(job.client, &job.program, error);
                }
            }
        }
        shared.done.notify_all();
        !job.is_late || state.is_staffed
    }

    /// Gives up the compilations that are late.
    fn expire(shared: &Arc<Shared>, now: Instant) {
        let mut state = shared.lock();
        let is_late = |job: &Job| !job.is_late && now.saturating_duration_since(job.started) >= DEADLINE;
        while let Some(job) = state.jobs.iter_mut().find(|job| is_late(job)) {
            job.is_late = true;
            let (worker, client, program) = (job.worker, job.client, Arc::clone(&job.program));
            program.settle(None);
            state.late += 1;
            state.stats.late += 1;
            if let Some(client) = state.clients.get_mut(&client) {
                client.late += 1;
                if client.late >= MAX_CLIENT_LATE_COMPILES {
                    client.waiting.clear();
                }
            }
            state.report(client, &program, CompileError::Late);
            if state.is_staffed {
                shared.wake.notify_one();
            } else {
                // Its handle is let go: nobody waits for it.
                state.workers.remove(&worker);
            }
            shared.done.notify_all();
        }
        Shared::hire(shared, &mut state);
    }

    /// Waits for a program; `None` when the queue is closed.
    fn next(&self, worker: u64) -> Option<(u64, Arc<Program>)> {
        let mut state = self.lock();
        loop {
            if state.closed {
                return None;
            }
            let has_place = !state.is_staffed || state.compiling() < state.wanted;
            if has_place && let Some(job) = state.next_job(worker) {
                return Some(job);
            }
            // What was skipped is not pending any more.
            self.done.notify_all();
            state = self.wake.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }
}

#[cfg(test)]
#[allow(clippy::cast_possible_truncation, clippy::cast_precision_loss, reason = "test")]
mod tests {
    use super::*;
    use crate::program::{Tier, TierChoice};
    use blinkgl::ops::Callback;
    use std::sync::mpsc::{Receiver, Sender, channel};

    /// A program that is known by its instructions.
    fn program(instructions: usize) -> Arc<Program> {
        let text = ".callback input\n".to_owned() + &"add r1, r1, 1.0\n".repeat(instructions);
        let words = blinkgl::asm::assemble(&text).expect("it assembles").program;
        Arc::new(Program::new(verifier::verify(words, Callback::Input).expect("it keeps the rules")))
    }

    /// A queue whose compilations begin, and wait here until they are told how to go on.
    struct Held {
        /// Instructions of what was begun, and who waits for leave to go on. Dropped before the queue, which waits for who
        /// waits here.
        begun: Receiver<(usize, Sender<Verdict>)>,
        queue: CompileQueue,
    }

    enum Verdict {
        Good,
        Bad,
        Panics,
    }

    impl Held {
        fn new(workers: usize) -> Held {
            Held::made(|compile| CompileQueue::with_compiler(workers, compile))
        }

        fn staffed(workers: usize) -> Held {
            Held::made(|compile| CompileQueue::staffed_with(workers, compile))
        }

        fn made(make: impl FnOnce(Box<Compile>) -> CompileQueue) -> Held {
            let (sender, begun) = channel();
            let compile = move |lowered: &LoweredProgram| {
                let (go_on, leave) = channel();
                sender.send((lowered.work(), go_on)).expect("the test is there");
                match leave.recv().expect("the test is there") {
                    Verdict::Good => Native::compile(lowered),
                    Verdict::Bad => Err(CompileError::Host("a bad day")),
                    Verdict::Panics => panic!("a compiler's defect"),
                }
            };
            Held { queue: make(Box::new(compile)), begun }
        }

        /// The next one that begins: must be this one.
        fn begins(&self, instructions: usize) -> Sender<Verdict> {
            let (found, leave) = self.begun.recv().expect("workers are there");
            assert_eq!(found, instructions);
            leave
        }

        /// The next one that begins must be this one, and is compiled.
        fn goes_on(&self, instructions: usize) {
            self.begins(instructions).send(Verdict::Good).expect("it waits");
        }

        /// All that is under way is late.
        fn expire(&self) {
            self.queue.tend(Instant::now() + DEADLINE);
        }

        /// Waits until nothing is under way, not even what is late.
        fn wait_ended(&self) {
            let mut state = self.queue.shared.lock();
            while !state.jobs.is_empty() {
                state = self.queue.shared.done.wait(state).expect("no panic");
            }
        }

        fn workers(&self) -> usize {
            self.queue.shared.lock().workers.len()
        }

        fn reports(&self) -> Vec<String> {
            let reports = self.queue.take_reports().into_iter();
            reports.map(|r| format!("{} {} {}: {}", r.client, r.callback, r.instructions, r.error)).collect()
        }
    }

    #[test]
    fn clients_take_turns() {
        let held = Held::new(1);
        let queue = &held.queue;
        let programs: Vec<_> = (0..17).map(|i| program(10 + i)).collect();
        queue.submit(1, &programs[0]);
        let first = held.begins(10);
        for (client, number) in [(1, 1), (1, 2), (1, 3), (1, 4), (2, 5), (3, 6), (3, 7)] {
            queue.submit(client, &programs[number]);
            queue.submit(client, &programs[number]);
        }
        assert_eq!(queue.pending(), 8);
        first.send(Verdict::Good).unwrap();
        for number in [1, 5, 6, 2, 7] {
            held.goes_on(10 + number);
        }
        let last = held.begins(13);
        // Who comes now is behind one of each.
        queue.submit(2, &programs[8]);
        last.send(Verdict::Good).unwrap();
        held.goes_on(14);
        held.goes_on(18);
        queue.wait_idle();
        assert_eq!((queue.stats().compiled, queue.stats().dropped), (9, 0));
        assert!(programs[..9].iter().all(|p| p.tier() == Tier::Native && !p.should_compile()));
    }

    #[test]
    fn of_many_that_wait_the_oldest_are_dropped_and_may_ask_again() {
        let held = Held::new(1);
        let queue = &held.queue;
        let programs: Vec<_> = (0..MAX_WAITING_COMPILES + 3).map(|i| program(10 + i)).collect();
        let (first, other) = (program(5), program(6));
        queue.submit(1, &first);
        let leave = held.begins(5);
        for program in &programs {
            queue.submit(1, program);
        }
        queue.submit(2, &other);
        assert_eq!((queue.stats().dropped, queue.pending()), (3, 1 + MAX_WAITING_COMPILES + 1));
        leave.send(Verdict::Good).unwrap();
        held.goes_on(13);
        held.goes_on(6);
        for number in 4..programs.len() {
            held.goes_on(10 + number);
        }
        queue.wait_idle();
        assert!(programs[3..].iter().all(|p| p.tier() == Tier::Native));
        for (i, program) in programs[..3].iter().enumerate() {
            assert!(program.should_compile());
            queue.submit(1, program);
            held.goes_on(10 + i);
        }
    }

    #[test]
    fn a_late_compilation_is_given_up_and_its_result_thrown_away() {
        let held = Held::new(1);
        let queue = &held.queue;
        let (slow, next) = (program(10), program(11));
        queue.submit(1, &slow);
        let leave = held.begins(10);
        queue.submit(2, &next);
        queue.tend(Instant::now());
        assert_eq!((queue.stats().late, queue.pending()), (0, 2), "it has time");
        held.expire();
        // Another worker goes on at once, while the first is not done.
        held.goes_on(11);
        queue.wait_idle();
        assert_eq!((slow.tier(), next.tier()), (Tier::Interpreter, Tier::Native));
        assert!(!slow.should_compile());
        leave.send(Verdict::Good).unwrap();
        held.wait_ended();
        assert_eq!(slow.tier(), Tier::Interpreter);
        // Nor is it compiled by whoever wants native code at any price.
        slow.compile().unwrap();
        assert!(slow.native_size().is_none());
        let stats = queue.stats();
        assert_eq!((stats.compiled, stats.failed, stats.late), (1, 0, 1));
        let late = "1 input 10: compiling it takes longer than 500 ms; the interpreter runs it";
        assert_eq!(held.reports(), [late]);
        assert!(held.reports().is_empty());
        // The late worker's end made no second one.
        let (one, two) = (program(12), program(13));
        queue.submit(1, &one);
        let leave = held.begins(12);
        queue.submit(1, &two);
        assert_eq!(held.workers(), 1);
        leave.send(Verdict::Good).unwrap();
        held.goes_on(13);
    }

    #[test]
    fn late_workers_are_few() {
        let held = Held::new(1);
        let queue = &held.queue;
        let slow: Vec<_> = (0..=MAX_LATE_COMPILES).map(|i| program(10 + i)).collect();
        let mut leaves = Vec::new();
        for (client, program) in (1..).zip(&slow) {
            queue.submit(client, program);
            leaves.push(held.begins(10 + client as usize - 1));
            held.expire();
        }
        let next = program(50);
        queue.submit(9, &next);
        assert_eq!((held.workers(), queue.pending()), (0, 1));
        // When one is done, there is room for a worker again.
        leaves.pop().unwrap().send(Verdict::Bad).unwrap();
        held.goes_on(50);
        queue.wait_idle();
        assert_eq!(next.tier(), Tier::Native);
        assert_eq!((queue.stats().late, queue.stats().failed), (slow.len() as u64, 0));
        for leave in leaves {
            leave.send(Verdict::Panics).unwrap();
        }
        held.wait_ended();
        assert_eq!(held.workers(), 1);
    }

    #[test]
    fn who_is_late_again_and_again_is_not_compiled_any_more() {
        let held = Held::new(1);
        let queue = &held.queue;
        for i in 0..MAX_CLIENT_LATE_COMPILES {
            let slow = program(10 + i as usize);
            queue.submit(1, &slow);
            let leave = held.begins(10 + i as usize);
            held.expire();
            leave.send(Verdict::Good).unwrap();
            held.wait_ended();
        }
        let (refused, good) = (program(50), program(51));
        queue.submit(1, &refused);
        queue.submit(2, &good);
        held.goes_on(51);
        queue.wait_idle();
        assert_eq!((refused.tier(), queue.pending()), (Tier::Interpreter, 0));
        // The same program is compiled for another client.
        queue.submit(2, &refused);
        held.goes_on(50);
    }

    /// In a process that can start no threads, one that waited from the start takes the place of a late one, which goes on
    /// when it comes to its end.
    #[test]
    fn who_is_staffed_starts_no_threads() {
        let held = Held::staffed(1);
        let queue = &held.queue;
        let workers = queue.shared.lock().workers.len();
        assert_eq!(workers, 1 + MAX_LATE_COMPILES);
        let (slow, good, last) = (program(10), program(11), program(12));
        queue.submit(1, &slow);
        queue.submit(2, &good);
        let leave = held.begins(10);
        assert!(held.begun.recv_timeout(Duration::from_millis(50)).is_err(), "one at a time");
        held.expire();
        held.goes_on(11);
        queue.wait_idle();
        leave.send(Verdict::Good).unwrap();
        held.wait_ended();
        queue.submit(2, &last);
        held.goes_on(12);
        queue.wait_idle();
        let tiers = [&slow, &good, &last].map(|program| program.tier());
        assert_eq!(tiers, [Tier::Interpreter, Tier::Native, Tier::Native]);
        let state = queue.shared.lock();
        assert_eq!((state.workers.len(), state.late), (workers, 0));
    }

    #[test]
    fn failures_and_panics_cost_one_program_each() {
        let held = Held::new(1);
        let queue = &held.queue;
        let programs: Vec<_> = (0..3).map(|i| program(10 + i)).collect();
        for program in &programs {
            queue.submit(7, program);
        }
        for (number, verdict) in [Verdict::Bad, Verdict::Panics, Verdict::Good].into_iter().enumerate() {
            held.begins(10 + number).send(verdict).unwrap();
        }
        queue.wait_idle();
        assert_eq!((queue.stats().failed, queue.stats().compiled), (2, 1));
        assert_eq!(
            held.reports(),
            ["7 input 10: no native code for this processor: a bad day", "7 input 11: the compiler panicked"]
        );
        for (program, tier) in programs.iter().zip([Tier::Interpreter, Tier::Interpreter, Tier::Native]) {
            assert_eq!(program.tier(), tier);
            assert!(!program.should_compile());
            let (mut registers, environment) = ([0; 32], crate::Environment::at(0));
            let (mut lists, mut gl) = (crate::Lists::default(), crate::trace::TraceGl::default());
            let outcome = program.run(
                TierChoice::Best,
                &mut crate::Run {
                    registers: &mut registers,
                    environment: &environment,
                    lists: &mut lists,
                    gl: &mut gl,
                },
            );
            assert_eq!(outcome.tier, tier);
            let count = program.facts().instructions as f32;
            assert_eq!(registers[1], count.to_bits());
        }
    }

    #[test]
    fn a_program_of_two_clients_is_compiled_once_in_the_earlier_turn() {
        let held = Held::new(1);
        let queue = &held.queue;
        let (first, shared, last) = (program(10), program(11), program(12));
        queue.submit(1, &first);
        let leave = held.begins(10);
        queue.submit(1, &last);
        queue.submit(1, &shared);
        // It does not wait behind what the first client has.
        queue.submit(2, &shared);
        leave.send(Verdict::Good).unwrap();
        held.goes_on(12);
        held.goes_on(11);
        queue.wait_idle();
        assert_eq!((queue.stats().compiled, queue.stats().skipped), (3, 0));
        queue.submit(2, &shared);
        assert_eq!(queue.pending(), 0);
    }

    #[test]
    fn what_is_gone_is_not_begun() {
        let held = Held::new(1);
        let queue = &held.queue;
        let programs: Vec<_> = (0..4).map(|i| program(10 + i)).collect();
        queue.submit(1, &programs[0]);
        let leave = held.begins(10);
        queue.submit(1, &programs[1]);
        queue.submit(2, &programs[2]);
        queue.submit(3, &program(50));
        queue.submit(4, &programs[3]);
        queue.forget(1);
        queue.forget(2);
        assert_eq!(queue.pending(), 3);
        leave.send(Verdict::Good).unwrap();
        held.goes_on(13);
        queue.wait_idle();
        assert_eq!((queue.stats().compiled, queue.stats().skipped), (2, 1));
        assert!(programs[1].should_compile() && programs[2].should_compile());
    }

    #[test]
    fn a_client_has_only_so_many_native_programs() {
        let queue = CompileQueue::new(1);
        let mut programs: Vec<_> = (0..=MAX_CLIENT_NATIVE_PROGRAMS).map(|_| program(4)).collect();
        for program in &programs {
            queue.submit(1, program);
            queue.wait_idle();
        }
        let last = programs.pop().unwrap();
        assert!(programs.iter().all(|p| p.tier() == Tier::Native));
        assert!(last.should_compile(), "it may ask again");
        queue.submit(1, &last);
        queue.wait_idle();
        assert_eq!(last.tier(), Tier::Interpreter);
        let other = program(4);
        queue.submit(2, &other);
        queue.wait_idle();
        assert_eq!(other.tier(), Tier::Native);
        // Who gives one up has room for another.
        programs.pop();
        queue.submit(1, &last);
        queue.wait_idle();
        assert_eq!(last.tier(), Tier::Native);
    }
}
