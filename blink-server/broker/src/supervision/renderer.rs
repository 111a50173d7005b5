//! The renderer of one class: its life, its answers, and what it does wrong.
//!
//! A renderer handles hostile bytes, so each message is checked, counted, and held against limits. One that breaks them is
//! killed, and its class hears why.

use super::backoff::{Backoff, signal_of};
use super::line::Line;
use super::worker::Watch;
use crate::warnings::excerpt;
use ipc::template::Share;
use ipc::throttle::Throttle;
use ipc::{MAX_ANSWER_BYTES, MAX_PART_BYTES};
use rustix::process::Signal;
use std::collections::BTreeMap;
use std::time::{Duration, Instant};

/// Deaths in a row, each after a short life, that end a renderer's restarts until the class's clients are others.
pub const MAX_SHORT_LIVES: u32 = 6;
/// Messages that make no sense, of one life. An honest renderer sends none.
const MAX_FAULTS: u32 = 16;
/// Bytes that a part counts for, at least: so parts without text do not come for ever.
const PART_COST: usize = 1 << 10;
/// An answer that was given up because it is too long may go on up to so many bytes.
const MAX_LOST_BYTES: usize = 4 * MAX_ANSWER_BYTES;
/// Questions that a renderer may leave open; it is asked nothing more until it has answered one.
const MAX_OPEN: usize = 4;
/// From one renderer of a class that is ended to have its priority back, to the next.
pub const RECYCLE_PAUSE: Duration = Duration::from_secs(30);
/// What the runtime of Rust ends a process with that panicked.
const PANICKED: &str = "exit status: 101";
/// The priority of renderers that miss their frames.
pub const LATE_NICE: i32 = 19;

/// The renderer of one class.
#[derive(Debug)]
pub struct Renderer {
    /// What it may take from the machine.
    pub share: Share,
    /// Where it is in its life.
    pub life: Life,
    /// When to start the next one.
    pub backoff: Backoff,
    /// Starts so far.
    pub starts: u64,
    /// Its first start waits for its turn among those of its owner, if it has to.
    pub is_paced: bool,
    /// The glass says that it misses its frames.
    pub late: bool,
    /// It keeps its frames again, but the system does not give its priority back: a new one has it.
    pub recycle: bool,
    /// When that was done last.
    pub recycled: Option<Instant>,
    /// How the last one ended.
    pub end: Option<End>,
    /// What the glass was told that people are to know.
    pub note: Option<String>,
    /// Of log lines about what it does wrong.
    pub faults: Throttle,
    /// Of log lines about its ends, which are not to be lost among those.
    pub ends: Throttle,
}

/// How a renderer ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct End {
    /// Its process.
    pub pid: Option<i32>,
    /// For people.
    pub reason: String,
    /// The reason is not yet the kernel's word.
    pub is_guess: bool,
    /// How long it had lived.
    pub age: Duration,
}

impl End {
    /// It never lived.
    #[must_use]
    pub fn before(reason: String) -> End {
        End { pid: None, reason, is_guess: false, age: Duration::ZERO }
    }
}

/// Where a renderer is in its life.
#[derive(Debug)]
pub enum Life {
    /// There is none; the next one starts then.
    Waiting(Instant),
    /// There is one, or the template was asked for one.
    Up(Box<Up>),
    /// It died too often.
    Failed,
}

/// A renderer that lives.
#[derive(Debug)]
pub struct Up {
    /// Counts the lives of all renderers.
    pub life: u64,
    /// The life of the template when it was made: a copy may die with its template.
    pub template: u64,
    /// Its process; `None`: the template has not answered yet.
    pub watch: Option<Watch>,
    /// Its socket.
    pub line: Line,
    /// When it was started.
    pub since: Instant,
    /// It said that it can draw.
    pub ready: bool,
    /// The priority that it has.
    pub nice: i32,
    /// It is killed only to have its priority back.
    pub is_recycled: bool,
    /// Why it was killed, if it was.
    pub blame: Option<String>,
    /// How it ended, if the template was faster than its death.
    pub status: Option<String>,
    faults: u32,
    questions: BTreeMap<u64, Answering>,
}

/// A question that a renderer answers.
#[derive(Debug, Default)]
struct Answering {
    text: String,
    /// What its parts count for.
    cost: usize,
    /// Nobody waits for it any more.
    lost: bool,
}

/// A renderer broke the rules: how.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// For people.
    pub what: String,
    /// It is of no use any more.
    pub is_fatal: bool,
}

impl Fault {
    /// One that counts.
    #[must_use]
    pub fn new(what: impl Into<String>) -> Fault {
        Fault { what: what.into(), is_fatal: false }
    }

    /// One that no honest renderer makes.
    #[must_use]
    pub fn fatal(what: impl Into<String>) -> Fault {
        Fault { what: what.into(), is_fatal: true }
    }
}

impl Renderer {
    /// One that is to start.
    #[must_use]
    pub fn new(share: Share, now: Instant) -> Renderer {
        Renderer {
            share,
            life: Life::Waiting(now),
            backoff: Backoff::default(),
            starts: 0,
            is_paced: false,
            late: false,
            recycle: false,
            recycled: None,
            end: None,
            note: None,
            faults: Throttle::default(),
            ends: Throttle::default(),
        }
    }

    /// The one that lives.
    pub fn up(&mut self) -> Option<&mut Up> {
        match &mut self.life {
            Life::Up(up) => Some(up),
            Life::Waiting(_) | Life::Failed => None,
        }
    }

    /// Its process.
    #[must_use]
    pub fn pid(&self) -> Option<i32> {
        match &self.life {
            Life::Up(up) => up.pid(),
            Life::Waiting(_) | Life::Failed => None,
        }
    }

    /// For people: `running`, `starting`, or `failed` and why.
    #[must_use]
    pub fn state(&self) -> String {
        match &self.life {
            Life::Up(up) if up.ready => "running".to_owned(),
            Life::Up(_) | Life::Waiting(_) => "starting".to_owned(),
            Life::Failed => self.failure(),
        }
    }

    /// What people are to know in the labels of its windows.
    #[must_use]
    pub fn due_note(&self) -> Option<String> {
        match &self.life {
            Life::Failed => Some(self.failure()),
            Life::Up(_) | Life::Waiting(_) => self.late.then(|| "slow".to_owned()),
        }
    }

    fn failure(&self) -> String {
        format!("failed: {}", self.end.as_ref().map_or("it died", |end| &end.reason))
    }

    /// Its last death was not its own.
    pub fn forgive(&mut self, now: Instant) {
        self.backoff.forgive();
        if matches!(self.life, Life::Failed) {
            self.life = Life::Waiting(now);
        }
    }

    /// The set of the class's clients is another one: whoever failed may try again.
    pub fn try_again(&mut self, now: Instant) {
        if matches!(self.life, Life::Failed) {
            self.backoff = Backoff::default();
            self.life = Life::Waiting(now);
        }
    }

    /// It broke a rule: it is killed, at once or after some more.
    pub fn fault(&mut self, fault: &Fault) {
        let Life::Up(up) = &mut self.life else { return };
        up.faults += 1;
        if fault.is_fatal || up.faults > MAX_FAULTS {
            up.kill(&fault.what);
        }
    }

    /// It died, or could not be made; `now` is the time. Says what follows, for the log.
    pub fn died(&mut self, end: End, is_its_own: bool, now: Instant) -> String {
        let (reason, age) = (end.reason.clone(), end.age);
        self.end = Some(end);
        (self.late, self.recycle) = (false, false);
        if !is_its_own {
            self.life = Life::Waiting(now);
            return format!("{reason}; the next starts at once");
        }
        let delay = self.backoff.after(age);
        if self.backoff.short_lives() >= MAX_SHORT_LIVES {
            self.life = Life::Failed;
            return format!(
                "{reason}, {MAX_SHORT_LIVES} times in a row: no other starts until its clients are others"
            );
        }
        self.life = Life::Waiting(now + delay);
        format!("{reason}; the next starts in {delay:?}")
    }
}

impl Up {
    /// One whose process may still have to come.
    #[must_use]
    pub fn new(life: u64, template: u64, watch: Option<Watch>, line: Line, now: Instant) -> Up {
        Up {
            life,
            template,
            watch,
            line,
            since: now,
            ready: false,
            nice: 0,
            is_recycled: false,
            blame: None,
            status: None,
            faults: 0,
            questions: BTreeMap::new(),
        }
    }

    /// Its process.
    #[must_use]
    pub fn pid(&self) -> Option<i32> {
        self.watch.as_ref().map(|watch| watch.process.pid())
    }

    /// Kills it, now or when its process is there.
    pub fn kill(&mut self, why: &str) {
        self.blame.get_or_insert_with(|| excerpt(why));
        if let Some(watch) = &self.watch {
            watch.process.kill();
        }
    }

    /// May it be asked something more?
    #[must_use]
    pub fn answers(&self) -> bool {
        self.questions.len() < MAX_OPEN && !self.questions.values().any(|answering| answering.lost)
    }

    /// It is asked.
    pub fn asked(&mut self, serial: u64) {
        self.questions.insert(serial, Answering::default());
    }

    /// Nobody waits for an answer any more. True: it was due.
    pub fn give_up(&mut self, serial: u64) -> bool {
        let Some(answering) = self.questions.get_mut(&serial) else { return false };
        answering.text = String::new();
        !std::mem::replace(&mut answering.lost, true)
    }

    /// Questions whose answers somebody waits for.
    #[must_use]
    pub fn open_questions(&self) -> Vec<u64> {
        self.questions.iter().filter(|(_, answering)| !answering.lost).map(|(&serial, _)| serial).collect()
    }

    /// A part of an answer: the whole answer, if it is complete, or why there is none.
    ///
    /// # Errors
    /// It breaks the rules.
    pub fn part(
        &mut self,
        serial: u64,
        text: &str,
        last: bool,
    ) -> Result<Option<Result<String, String>>, Fault> {
        if text.len() > MAX_PART_BYTES {
            return Err(Fault::fatal(format!("it sends a part of {} bytes", text.len())));
        }
        let Some(answering) = self.questions.get_mut(&serial) else {
            return Err(Fault::new("it answers what nobody asked"));
        };
        answering.cost = answering.cost.saturating_add(text.len().max(PART_COST));
        if answering.cost > MAX_LOST_BYTES {
            return Err(Fault::fatal("it answers without end"));
        }
        let is_too_long = answering.text.len() + text.len() > MAX_ANSWER_BYTES;
        let answer = if answering.lost {
            None
        } else if is_too_long {
            answering.lost = true;
            answering.text = String::new();
            Some(Err(format!("its answer is longer than {MAX_ANSWER_BYTES} bytes")))
        } else {
            answering.text.push_str(text);
            last.then(|| Ok(std::mem::take(&mut answering.text)))
        };
        if last {
            self.questions.remove(&serial);
        }
        Ok(answer)
    }
}

/// How a process ended, for people, of its exit status as Rust writes it: `exit status: 1`, `signal: 9 (SIGKILL)`, `signal: 9`.
#[must_use]
pub fn reason(status: &str) -> String {
    let said = match signal_of(status) {
        // A failed allocation ends in calls that the sandbox has not, too.
        Some(Signal::SYS) => "broke its sandbox, or needed more memory than its limit (SIGSYS)",
        Some(Signal::ABORT) => "aborted: out of memory, most likely (SIGABRT)",
        Some(Signal::SEGV) => "crashed: out of memory or a fault in the driver (SIGSEGV)",
        Some(Signal::BUS) => "crashed: out of memory or a fault in the driver (SIGBUS)",
        Some(Signal::ILL) => "crashed (SIGILL)",
        Some(Signal::FPE) => "crashed (SIGFPE)",
        Some(Signal::XCPU) => "used too much processor time (SIGXCPU)",
        Some(Signal::KILL) => "killed: by the system, out of memory, or by hand (SIGKILL)",
        Some(_) | None if status == PANICKED => "panicked",
        Some(_) | None => return format!("ended: {}", excerpt(status)),
    };
    said.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reactor::{Reactor, Source};
    use crate::supervision::process::pair;
    use ipc::glass::ClassId;

    fn up() -> Up {
        let mut reactor = Reactor::new().unwrap();
        let (ours, _theirs) = pair().unwrap();
        let line = Line::open(ours, Source::Renderer(ClassId(1)), &mut reactor).unwrap();
        Up::new(1, 1, None, line, Instant::now())
    }

    #[test]
    fn answers_come_in_parts() {
        let mut up = up();
        up.asked(7);
        assert_eq!(up.part(7, "[1,", false), Ok(None));
        assert_eq!(up.part(7, "2]", true), Ok(Some(Ok("[1,2]".to_owned()))));
        assert_eq!(up.part(7, "3", true), Err(Fault::new("it answers what nobody asked")));
        let long = "x".repeat(MAX_PART_BYTES + 1);
        assert!(up.part(7, &long, false).is_err_and(|fault| fault.is_fatal));
    }

    #[test]
    fn answers_are_not_longer_than_they_may_be_and_end() {
        let mut up = up();
        up.asked(1);
        let part = "x".repeat(MAX_PART_BYTES);
        let mut told = 0;
        let fault = loop {
            match up.part(1, &part, false) {
                Ok(None) => {}
                Ok(Some(answer)) => {
                    assert!(answer.unwrap_err().contains("longer than"));
                    told += 1;
                }
                Err(fault) => break fault,
            }
        };
        assert!(fault.is_fatal);
        assert_eq!(told, 1);
        up.asked(2);
        let parts = (0..1_000_000).take_while(|_| up.part(2, "", false).is_ok()).count();
        assert!(parts < 10_000, "{parts}");
    }

    #[test]
    fn whoever_does_not_answer_is_not_asked_again() {
        let mut up = up();
        assert!(up.answers());
        up.asked(1);
        assert!(up.answers());
        assert!(up.give_up(1) && !up.give_up(1) && !up.give_up(9));
        assert!(!up.answers());
        assert_eq!(up.open_questions(), [0; 0]);
        // It comes late, and is no fault.
        assert_eq!(up.part(1, "[]", true), Ok(None));
        assert!(up.answers());
        for serial in 2..6 {
            up.asked(serial);
        }
        assert!(!up.answers());
    }

    #[test]
    fn a_renderer_that_dies_again_and_again_fails_until_its_clients_are_others() {
        let start = Instant::now();
        let mut renderer = Renderer::new(Share { memory: 1 }, start);
        let end = |seconds| {
            let age = Duration::from_secs(seconds);
            End { pid: None, reason: reason("signal: 31 (SIGSYS)"), is_guess: false, age }
        };
        let mut waits = Vec::new();
        for _ in 0..5 {
            renderer.died(end(1), true, start);
            let Life::Waiting(due) = renderer.life else { panic!("{:?}", renderer.life) };
            waits.push((due - start).as_millis());
        }
        assert_eq!(waits, [0, 50, 100, 200, 400]);
        // Another's death is not its fault.
        renderer.died(end(1), false, start);
        assert!(matches!(renderer.life, Life::Waiting(due) if due == start));
        renderer.died(end(1), true, start);
        assert!(matches!(renderer.life, Life::Failed));
        assert_eq!(
            renderer.due_note().as_deref(),
            Some("failed: broke its sandbox, or needed more memory than its limit (SIGSYS)")
        );
        assert_eq!(
            renderer.state(),
            "failed: broke its sandbox, or needed more memory than its limit (SIGSYS)"
        );
        renderer.try_again(start);
        assert!(matches!(renderer.life, Life::Waiting(_)));
        assert_eq!((renderer.state().as_str(), renderer.due_note()), ("starting", None));
        // A long life between, and it counts anew.
        for _ in 0..20 {
            renderer.died(end(11), true, start);
        }
        assert!(matches!(renderer.life, Life::Waiting(due) if due == start));
    }

    #[test]
    fn ends_have_names() {
        for (status, said) in [
            ("signal: 31 (SIGSYS) (core dumped)", "broke its sandbox"),
            ("signal: 6 (SIGABRT)", "out of memory"),
            ("signal: 31", "broke its sandbox"),
            ("signal: 11 (SIGSEGV)", "crashed"),
            ("signal: 9 (SIGKILL)", "killed"),
            ("exit status: 101", "panicked"),
            ("exit status: 3", "ended: exit status: 3"),
            ("\u{1b}[2J", "ended: \\u{1b}[2J"),
        ] {
            assert!(reason(status).contains(said), "{}", reason(status));
        }
    }
}
