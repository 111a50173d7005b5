//! How long a run may draw at a time. What a program draws is limited, but not the pixels that each of its triangles
//! covers: a million triangles as large as the window would hold up every other window for minutes. So a run has
//! *slices*: when one is over, the run is suspended, and goes on in another frame.
//!
//! What a draw costs is known only when it is done. So drawing goes in steps that are small enough by the worst
//! that they can cover, and after each the clock is looked at. How large they may be is learned from how long they took:
//! most of what a program of any sense draws covers far less than it could.
//!
//! Little is not waited for, as waiting costs more than it. But it is kept in mind, over the runs of a client and from one client
//! to the next: what is little in each of many runs is much together, and somebody's.

use ipc::limits::{
    DRAW_FRAGMENTS, FREE_SHADER_SECONDS, FREE_SHADERS, LATE_MICROSECONDS, MAX_CLIENTS, MAX_OPEN_FRAGMENTS,
    MAX_SLOW_STEP_FRAGMENTS, MAX_STEP_FRAGMENTS, MIN_STEP_FRAGMENTS, STEP_MICROSECONDS,
};
use std::collections::HashMap;
use std::time::{Duration, Instant};

/// Vertices of a step, at least: whole points, lines and triangles.
const LEAST: u64 = 6;

/// What drawing time is measured by. Nanoseconds.
#[derive(Debug)]
pub enum Clock {
    /// The machine's clock, since then.
    Machine(Instant),
    /// One for tests.
    Counted(Counted),
}

/// A clock that only drawing moves, so that tests need no time.
#[derive(Clone, Copy, Debug, Default)]
pub struct Counted {
    /// The time.
    pub now: u64,
    /// What a step takes at once.
    pub step: u64,
    /// What a yield point takes.
    pub yielding: u64,
    /// Fragments, by the worst that is possible, that take a nanosecond; 0: they take no time. It passes when they are
    /// waited for.
    pub fragments: u64,
    /// Those that were not waited for yet.
    pub open: u64,
    /// What an element of vertex arrays takes.
    pub element: u64,
}

impl Clock {
    /// The machine's clock.
    #[must_use]
    pub fn machine() -> Clock {
        Clock::Machine(Instant::now())
    }

    /// The time.
    #[must_use]
    pub fn now(&self) -> u64 {
        match self {
            Clock::Machine(origin) => u64::try_from(origin.elapsed().as_nanos()).unwrap_or(u64::MAX),
            Clock::Counted(counted) => counted.now,
        }
    }

    fn stepped(&mut self, fragments: u64) {
        if let Clock::Counted(counted) = self {
            counted.now = counted.now.saturating_add(counted.step);
            counted.open = counted.open.saturating_add(fragments);
        }
    }

    /// All that was drawn was waited for.
    fn finished(&mut self) {
        if let Clock::Counted(counted) = self {
            let cost = std::mem::take(&mut counted.open).checked_div(counted.fragments).unwrap_or(0);
            counted.now = counted.now.saturating_add(cost);
        }
    }

    fn yielded(&mut self) {
        if let Clock::Counted(counted) = self {
            counted.now = counted.now.saturating_add(counted.yielding);
        }
    }
}

/// Fragments, by the worst that they can cover, of a window's steps: what was learned of it.
#[derive(Clone, Copy, Debug)]
pub struct Stride {
    fragments: u64,
    /// A step of its client took long beyond the end of its slice: steps stay small.
    pub is_small: bool,
}

impl Default for Stride {
    fn default() -> Stride {
        Stride { fragments: MIN_STEP_FRAGMENTS, is_small: false }
    }
}

impl Stride {
    /// A step of so many fragments took so long, and ended so long after its slice.
    fn learn(&mut self, fragments: u64, took: u64, late: u64, is_slow: bool) {
        let most = if is_slow { MAX_SLOW_STEP_FRAGMENTS } else { MAX_STEP_FRAGMENTS };
        let wanted = STEP_MICROSECONDS * 1000;
        if late > LATE_MICROSECONDS * 1000 && fragments > MIN_STEP_FRAGMENTS {
            self.is_small = true;
        }
        if self.is_small {
            self.fragments = MIN_STEP_FRAGMENTS;
        } else if took > wanted {
            self.fragments = (self.fragments / 2).max(MIN_STEP_FRAGMENTS);
        } else if took < wanted / 2 && fragments > self.fragments / 2 {
            self.fragments = self.fragments.saturating_mul(2);
        }
        self.fragments = self.fragments.min(most);
    }
}

/// A slice to be given to a run.
#[derive(Clone, Copy, Debug)]
pub struct Slice {
    /// Nanoseconds; `None`: until the run's end.
    pub length: Option<u64>,
    /// What was learned of the window.
    pub stride: Stride,
    /// The window is one whose runs take more than a slice: steps grow less, and nothing is kept of what is drawn.
    pub is_slow: bool,
}

impl Slice {
    /// All the time that the run takes.
    pub const ENDLESS: Slice =
        Slice { length: None, stride: Stride { fragments: u64::MAX, is_small: false }, is_slow: false };
}

/// What a slice came to.
#[derive(Clone, Copy, Debug)]
pub struct Taken {
    /// Nanoseconds that it took.
    pub time: u64,
    /// Those of them that were beyond its end.
    pub late: u64,
    /// Those of them that went into something that can't be cut.
    pub whole: u64,
    /// What was learned.
    pub stride: Stride,
}

/// A step as it is planned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Step {
    /// Vertices that it draws.
    pub vertices: u64,
    /// Parts of the target that it draws them in, one after the other: each is a step of its own.
    pub bands: u32,
    /// Fragments of each, by the worst.
    pub cost: u64,
}

/// The time and the work of a slice.
#[derive(Debug)]
pub(super) struct Pace {
    clock: Clock,
    started: u64,
    end: Option<u64>,
    stride: Stride,
    is_slow: bool,
    /// Pixels that a primitive may cover: lines, and pixels of each.
    height: u32,
    width: u32,
    /// What a fragment costs, in those of the plainest shader.
    weight: u64,
    /// What a vertex costs, in the same.
    vertex: u64,
    /// When all that was drawn was done last.
    looked: u64,
    /// The client for which is drawn.
    client: Option<u32>,
    /// Fragments at most that were drawn for it since, in this slice and in those before.
    unchecked: u64,
    /// The same of other clients.
    open: Vec<(u32, u64)>,
    /// Nanoseconds of the longest thing in this slice that can't be cut.
    whole: u64,
    /// Nothing was drawn in this slice.
    is_fresh: bool,
    /// The slice is over: nothing more is drawn in it.
    is_over: bool,
}

impl Pace {
    pub(super) fn new(clock: Clock) -> Pace {
        Pace {
            clock,
            started: 0,
            end: None,
            stride: Slice::ENDLESS.stride,
            is_slow: false,
            height: 0,
            width: 0,
            weight: 1,
            vertex: 0,
            looked: 0,
            client: None,
            unchecked: 0,
            open: Vec::new(),
            whole: 0,
            is_fresh: true,
            is_over: false,
        }
    }

    /// Takes another clock.
    pub(super) fn set_clock(&mut self, clock: Clock) {
        self.clock = clock;
    }

    pub(super) fn clock(&self) -> &Clock {
        &self.clock
    }

    /// A slice begins.
    pub(super) fn begin(&mut self, mut slice: Slice) {
        if slice.stride.is_small {
            slice.stride.fragments = MIN_STEP_FRAGMENTS;
        }
        let now = self.clock.now();
        self.started = now;
        self.looked = now;
        self.end = slice.length.map(|length| now.saturating_add(length));
        self.stride = slice.stride;
        self.is_slow = slice.is_slow;
        self.whole = 0;
        self.is_fresh = true;
        self.is_over = false;
    }

    /// What it came to, all of it being drawn.
    pub(super) fn taken(&self) -> Taken {
        let now = self.clock.now();
        let late = self.end.map_or(0, |end| now.saturating_sub(end));
        Taken { time: now.saturating_sub(self.started), late, whole: self.whole, stride: self.stride }
    }

    /// Is the slice one that ends?
    pub(super) fn is_limited(&self) -> bool {
        self.end.is_some()
    }

    /// Is the window one whose runs take more than a slice?
    pub(super) fn is_slow(&self) -> bool {
        self.is_slow
    }

    /// Is the slice over? Without a look at what is still being drawn, which is not much.
    pub(super) fn is_over(&mut self) -> bool {
        self.is_over |= self.end.is_some_and(|end| self.clock.now() >= end);
        self.is_over
    }

    /// The same, where a program asks at a yield point.
    pub(super) fn is_over_at_yield(&mut self) -> bool {
        self.clock.yielded();
        self.is_over()
    }

    /// What follows is confined to this many pixels.
    pub(super) fn confine(&mut self, width: u32, height: u32) {
        (self.width, self.height) = (width, height);
    }

    /// The fragments that follow cost as much as so many of the plainest shader each, the vertices as so many too.
    pub(super) fn weigh(&mut self, fragment: u64, vertex: u64) {
        (self.weight, self.vertex) = (fragment, vertex);
    }

    /// The next step, of `corners` a primitive and at most `wanted` vertices.
    pub(super) fn plan(&self, corners: u64, wanted: u64) -> Step {
        let area = u64::from(self.width) * u64::from(self.height);
        let cost = area.saturating_mul(self.weight).saturating_add(corners.saturating_mul(self.vertex));
        let room = self.stride.fragments.saturating_sub(DRAW_FRAGMENTS);
        let vertices = (room / cost.max(1)).saturating_mul(corners) / LEAST * LEAST;
        let vertices = vertices.max(LEAST).min(wanted);
        let all = vertices.div_ceil(corners.max(1)).saturating_mul(cost);
        // Even the fewest may cover too much.
        let bands = if self.is_limited() { all.div_ceil(room.max(1)) } else { 1 };
        let bands = u32::try_from(bands).unwrap_or(u32::MAX).clamp(1, self.height.max(1));
        Step { vertices, bands, cost: (all / u64::from(bands)).saturating_add(DRAW_FRAGMENTS) }
    }

    /// Must all that was drawn be done before a step of this cost?
    pub(super) fn must_look(&self, cost: u64) -> bool {
        self.end.is_some()
            && self.unchecked > 0
            && self.unchecked.saturating_add(cost) > self.stride.fragments
    }

    /// May a step be drawn? At least one may in each slice, or a run could never end.
    pub(super) fn admit(&mut self, cost: u64) -> bool {
        if !self.is_fresh && self.is_over() {
            return false;
        }
        self.is_fresh = false;
        self.drawn(cost);
        true
    }

    /// So many pixels are made or cleared, outside of a slice. Is that so much, with what was drawn before, that it must be
    /// waited for?
    pub(super) fn must_wait(&mut self, pixels: u64) -> bool {
        self.drawn(pixels);
        self.unchecked >= MIN_STEP_FRAGMENTS
    }

    fn drawn(&mut self, fragments: u64) {
        self.unchecked = self.unchecked.saturating_add(fragments);
        self.clock.stepped(fragments);
    }

    /// What follows is drawn for this client, or for nobody. Must what others left open be done before?
    pub(super) fn serve(&mut self, client: Option<u32>) -> bool {
        if self.client != client {
            let open = std::mem::take(&mut self.unchecked);
            self.open.extend(self.client.filter(|_| open > 0).map(|client| (client, open)));
            self.client = client;
        }
        self.open_fragments() > MAX_OPEN_FRAGMENTS
    }

    fn open_fragments(&self) -> u64 {
        self.open.iter().fold(0, |all, &(_, fragments)| all.saturating_add(fragments))
    }

    /// What others left open is done, from `begun` on: gives whose time that was, by what each left.
    pub(super) fn settle(&mut self, begun: u64) -> Vec<(u32, u64)> {
        self.clock.finished();
        let took = u128::from(self.clock.now().saturating_sub(begun));
        let all = u128::from(self.open_fragments().max(1));
        let part = |fragments| u64::try_from(took * u128::from(fragments) / all).unwrap_or(u64::MAX);
        self.unchecked = 0;
        std::mem::take(&mut self.open).into_iter().map(|(client, open)| (client, part(open))).collect()
    }

    /// All that was drawn is done.
    pub(super) fn finished(&mut self) {
        self.clock.finished();
        self.unchecked = 0;
        self.open.clear();
    }

    /// More was drawn for the client, in this slice and in those before, than can be left open.
    pub(super) fn is_unsure(&self) -> bool {
        self.end.is_some() && self.unchecked > MIN_STEP_FRAGMENTS
    }

    /// Compiling a shader took so long. Is that not the program's doing?
    pub(super) fn compiled(&mut self, time: Duration, is_free: bool) {
        let Clock::Machine(_) = self.clock else { return };
        let time = u64::try_from(time.as_nanos()).unwrap_or(u64::MAX);
        if is_free {
            self.started = self.started.saturating_add(time);
            self.looked = self.looked.saturating_add(time);
            self.end = self.end.map(|end| end.saturating_add(time));
        } else {
            self.whole = self.whole.max(time);
        }
    }

    /// Elements of arrays were read, which can't be cut, from `start` on.
    pub(super) fn read(&mut self, elements: u64, start: u64) {
        if let Clock::Counted(counted) = &mut self.clock {
            counted.now = counted.now.saturating_add(elements.saturating_mul(counted.element));
        }
        self.whole = self.whole.max(self.clock.now().saturating_sub(start));
    }

    /// All that was drawn is done: learns from it.
    pub(super) fn look(&mut self) {
        let unchecked = self.unchecked;
        self.finished();
        let Some(end) = self.end else { return };
        let now = self.clock.now();
        let took = now.saturating_sub(self.looked);
        self.stride.learn(unchecked, took, now.saturating_sub(end), self.is_slow);
        self.looked = now;
        self.is_over |= now >= end;
    }
}

/// Shaders that clients may have compiled without it being their drawing time.
#[derive(Debug, Default)]
pub(super) struct Allowances {
    clients: HashMap<u32, Allowance>,
}

/// Those of one.
#[derive(Clone, Copy, Debug)]
struct Allowance {
    left: u32,
    /// When one was added last.
    since: Instant,
}

impl Allowances {
    /// Takes one of a client's.
    pub(super) fn take(&mut self, client: u32, now: Instant) -> bool {
        if self.clients.len() >= 2 * MAX_CLIENTS && !self.clients.contains_key(&client) {
            // Numbers of clients are not used again: most of these are gone.
            self.clients.clear();
        }
        let Allowance { left, since } =
            self.clients.entry(client).or_insert(Allowance { left: FREE_SHADERS, since: now });
        let more = now.saturating_duration_since(*since).as_secs() / FREE_SHADER_SECONDS;
        if more > 0 {
            *left = left.saturating_add(u32::try_from(more).unwrap_or(u32::MAX)).min(FREE_SHADERS);
            *since = now;
        }
        let is_free = *left > 0;
        *left = left.saturating_sub(1);
        is_free
    }

    /// A client is gone.
    pub(super) fn forget(&mut self, client: u32) {
        self.clients.remove(&client);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ipc::limits::VERTEX_FRAGMENTS;

    #[test]
    fn shaders_are_free_until_there_are_many() {
        let mut allowances = Allowances::default();
        let now = Instant::now();
        let free = (0..100).filter(|_| allowances.take(1, now)).count();
        assert_eq!(free, FREE_SHADERS as usize);
        assert!(allowances.take(2, now), "another client's are its own");
        let later = now + Duration::from_secs(FREE_SHADER_SECONDS);
        assert!(allowances.take(1, later) && !allowances.take(1, later));
        let much_later = later + Duration::from_secs(1_000_000);
        let free = (0..100).filter(|_| allowances.take(1, much_later)).count();
        assert_eq!(free, FREE_SHADERS as usize);
        allowances.forget(1);
        for client in 10..1000 {
            allowances.take(client, now);
        }
        assert!(allowances.clients.len() <= 2 * MAX_CLIENTS);
    }

    fn paced(slice: Slice, counted: Counted) -> Pace {
        let mut pace = Pace::new(Clock::Counted(counted));
        pace.begin(slice);
        pace
    }

    const MILLISECOND: u64 = 1_000_000;

    #[test]
    fn steps_have_few_vertices_where_each_may_cover_much() {
        let pace = |width, height, weight, vertex| {
            let slice = Slice { length: Some(MILLISECOND), stride: Stride::default(), is_slow: true };
            let mut pace = paced(slice, Counted::default());
            pace.confine(width, height);
            pace.weigh(weight, vertex);
            pace
        };
        assert_eq!(
            pace(16, 16, 1, 0).plan(3, 600),
            Step { vertices: 600, bands: 1, cost: 200 * 256 + DRAW_FRAGMENTS }
        );
        let step = pace(100, 100, 1, VERTEX_FRAGMENTS).plan(3, 15_000);
        assert_eq!((step.vertices, step.bands), (228, 1));
        assert!(step.cost <= MIN_STEP_FRAGMENTS);
        let step = pace(1920, 1080, 4, 0).plan(3, 15_000);
        assert_eq!((step.vertices, step.bands), (6, 17));
        assert!(step.cost <= MIN_STEP_FRAGMENTS);
        assert_eq!(pace(u32::MAX, u32::MAX, 1, 0).plan(3, 3).vertices, 3);
        assert_eq!(pace(0, 0, 1, 0).plan(1, 9), Step { vertices: 9, bands: 1, cost: DRAW_FRAGMENTS });
        let most = pace(0, 0, 1, VERTEX_FRAGMENTS).plan(3, u64::MAX).vertices;
        assert!(most <= MIN_STEP_FRAGMENTS / VERTEX_FRAGMENTS, "vertices count where nothing is covered");
        let step = paced(Slice::ENDLESS, Counted::default()).plan(3, 15_000);
        assert_eq!((step.vertices, step.bands), (15_000, 1));
    }

    #[test]
    fn steps_grow_while_they_are_quick_and_never_again_after_a_late_one() {
        let run = |pace: &mut Pace, fragments_of_ns: u64| {
            pace.clock = Clock::Counted(Counted { now: 0, fragments: fragments_of_ns, ..Counted::default() });
            pace.begin(Slice { length: Some(20 * MILLISECOND), stride: pace.stride, is_slow: pace.is_slow });
            while pace.admit(pace.stride.fragments) {
                pace.look();
            }
            (pace.stride.fragments, pace.taken().late)
        };
        for (is_slow, most) in [(false, MAX_STEP_FRAGMENTS), (true, MAX_SLOW_STEP_FRAGMENTS)] {
            let slice = Slice { length: None, stride: Stride::default(), is_slow };
            let mut pace = paced(slice, Counted::default());
            assert_eq!(run(&mut pace, 1 << 20).0, most, "it covers next to nothing");
            // And now it covers everything.
            let (fragments, late) = run(&mut pace, 1);
            assert!(late < most && (is_slow || late > MILLISECOND), "{late}");
            if late > LATE_MICROSECONDS * 1000 {
                assert_eq!(fragments, MIN_STEP_FRAGMENTS);
                assert_eq!(run(&mut pace, 1 << 20).0, MIN_STEP_FRAGMENTS, "it had its chance");
            }
            assert!(run(&mut pace, 1).1 <= 2 * MILLISECOND);
        }
    }

    #[test]
    fn what_is_little_in_each_of_many_runs_is_waited_for_together() {
        let slice = Slice { length: Some(20 * MILLISECOND), stride: Stride::default(), is_slow: false };
        let mut pace = paced(slice, Counted { fragments: 1, ..Counted::default() });
        let little = MIN_STEP_FRAGMENTS / 2;
        assert!(!pace.serve(Some(7)) && pace.admit(little) && !pace.is_unsure());
        assert_eq!(pace.taken().time, 0, "nobody waited for it");
        pace.begin(slice);
        assert!(!pace.serve(Some(7)) && !pace.must_look(little) && pace.must_look(little + 1));
        assert!(pace.admit(little + 1) && pace.is_unsure());
        pace.look();
        assert_eq!(pace.taken().time, 2 * little + 1, "what was drawn in both");
        assert!(!pace.serve(None) && !pace.is_unsure(), "it is done");
        // Grounds count too.
        assert!(!pace.serve(Some(7)) && !pace.must_wait(little) && pace.must_wait(little));
    }

    #[test]
    fn what_is_left_open_is_the_time_of_those_who_left_it() {
        let slice = Slice { length: Some(20 * MILLISECOND), stride: Stride::default(), is_slow: false };
        let mut pace = paced(slice, Counted { fragments: 1, ..Counted::default() });
        let least = MAX_OPEN_FRAGMENTS / 2;
        for client in [1, 2] {
            assert!(!pace.serve(Some(client)), "little that others left is not waited for");
            pace.admit(least);
            pace.begin(slice);
        }
        assert!(!pace.serve(Some(3)) && !pace.must_look(MIN_STEP_FRAGMENTS));
        pace.admit(2 * least);
        assert!(pace.serve(Some(4)), "what it left with that is much");
        let begun = pace.clock().now();
        assert_eq!(pace.settle(begun), [(1, least), (2, least), (3, 2 * least)]);
        assert!(!pace.serve(None) && pace.settle(begun).is_empty());
    }

    #[test]
    fn a_step_is_drawn_in_each_slice() {
        let slice = Slice { length: Some(0), stride: Stride::default(), is_slow: true };
        let mut pace = paced(slice, Counted::default());
        for _ in 0..3 {
            pace.begin(slice);
            assert!(pace.admit(1) && !pace.admit(1));
        }
        assert!(pace.is_over_at_yield());
        pace.begin(Slice::ENDLESS);
        assert!(
            !pace.is_over_at_yield() && pace.admit(u64::MAX) && pace.admit(u64::MAX) && !pace.must_look(1)
        );
    }
}
