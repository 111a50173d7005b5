//! Frames: when one begins, who is waited for, when it is composed, and who misses too many.
//!
//! A frame begins at once if none began within the last refresh interval, else at the next tick. It is composed when all
//! renderers that are waited for are done, at the latest at the deadline. A renderer is waited for if it answered its last
//! [`PROBATION`] frames in time (more, if it is late again and again) and is not known as slow, judged by the time of its `Done` against its own `Frame`. (Judged by "was composed in its
//! tick", one late frame would exclude it for ever.) While one that is not waited for is drawing, nothing is composed before
//! [`PATIENCE`]: it may be in time after all.

/// Frames in time after a late one, before a renderer is waited for again.
pub const PROBATION: u32 = 30;
/// The same, at most: the number doubles with each frame that is late soon after it was waited for again, for each costs the
/// others a whole refresh interval.
const LONG_PROBATION: u32 = 16 * PROBATION;
/// Nanoseconds after the tick before which a frame is not composed without somebody; at most a quarter of the refresh interval.
pub const PATIENCE: u64 = 4_000_000;
/// Of the refresh interval, the part after which a frame is composed, percent.
pub const DEADLINE_PERCENT: u64 = 85;
/// Nanoseconds of the windows in which lateness is summed up.
const WINDOW: u64 = 500_000_000;
/// Nanoseconds of lateness in a window that are too many: a quarter.
const TOO_LATE: u64 = WINDOW / 4;
/// Nanoseconds without lateness after which a renderer counts as keeping its frames again.
const REDEEMED: u64 = 5_000_000_000;
/// Nanoseconds from a renderer's first frame in which only that it hangs is held against it: many start together, each lets
/// the driver compile its first shaders, and there is nobody to protect from them by making all of them wait.
const NEW: u64 = 1_000_000_000;

/// The glass's clock.
#[derive(Debug)]
pub struct Clock {
    refresh: u64,
    /// When the last frame began, nanoseconds.
    last_tick: Option<u64>,
    /// Counts frames.
    number: u64,
    /// Somebody wants a frame, from then on.
    wanted: Option<u64>,
    /// The frame that is not composed yet.
    open: Option<Tick>,
}

/// A frame's times, nanoseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tick {
    /// Counts frames.
    pub number: u64,
    /// When it began.
    pub begun: u64,
    /// When it is composed at the latest.
    pub deadline: u64,
    /// When it will be seen, as is predicted.
    pub presentation: u64,
}

impl Clock {
    /// A clock that ticks each `refresh` nanoseconds.
    pub fn new(refresh: u64) -> Clock {
        Clock { refresh, last_tick: None, number: 0, wanted: None, open: None }
    }

    /// Nanoseconds from frame to frame.
    pub fn refresh(&self) -> u64 {
        self.refresh
    }

    /// Frames that began.
    pub fn number(&self) -> u64 {
        self.number
    }

    /// The frame that is not composed yet.
    pub fn open(&self) -> Option<Tick> {
        self.open
    }

    /// Somebody wants a frame, which begins then at the earliest.
    pub fn want(&mut self, from: u64) {
        self.wanted = Some(self.wanted.map_or(from, |wanted| wanted.min(from)));
    }

    /// When the next frame begins; `None`: nobody wants one, or one is open.
    pub fn due(&self) -> Option<u64> {
        let wanted = self.wanted.filter(|_| self.open.is_none())?;
        Some(self.last_tick.map_or(wanted, |tick| wanted.max(tick.saturating_add(self.refresh))))
    }

    /// Begins the frame that is due.
    pub fn begin(&mut self, now: u64) -> Option<Tick> {
        let due = self.due().filter(|&due| due <= now)?;
        self.wanted = None;
        // Late by whole frames: these are left out.
        let begun = due + (now - due) / self.refresh * self.refresh;
        self.last_tick = Some(begun);
        self.number += 1;
        let tick = Tick {
            number: self.number,
            begun,
            deadline: begun.saturating_add(self.refresh / 100 * DEADLINE_PERCENT),
            presentation: begun.saturating_add(self.refresh),
        };
        self.open = Some(tick);
        Some(tick)
    }

    /// When the open frame is composed, given whether somebody that is waited for is drawing, and somebody that is not.
    pub fn composes(&self, is_waited_for: bool, is_drawing: bool) -> Option<u64> {
        let open = self.open?;
        Some(match (is_waited_for, is_drawing) {
            (true, _) => open.deadline,
            (false, true) => open.begun.saturating_add(PATIENCE.min(self.refresh / 4)).min(open.deadline),
            (false, false) => open.begun,
        })
    }

    /// The open frame is composed.
    pub fn end(&mut self) {
        self.open = None;
    }
}

/// How a renderer keeps its frames.
#[derive(Debug, Default)]
pub struct Pace {
    /// The frame that it was asked for and has not drawn yet.
    asked: Option<Tick>,
    /// The deadline of that frame passed and was counted.
    is_counted: bool,
    /// Frames to be in time for until it is waited for again.
    probation: u32,
    /// What `probation` was set to last.
    sentence: u32,
    /// When its first frame began, nanoseconds.
    since: Option<u64>,
    /// When the current window began, and the lateness in it, nanoseconds.
    window: (u64, u64),
    /// When it was late last.
    last_late: u64,
    /// The broker was told that it is late.
    is_reported: bool,
    /// Frames that it drew.
    pub frames: u64,
    /// Frames that it drew too late.
    pub late: u64,
}

impl Pace {
    /// Another renderer draws from now on, or none.
    pub fn renew(&mut self) {
        *self = Pace { frames: self.frames, late: self.late, ..Pace::default() };
    }

    /// It was asked for a frame.
    pub fn ask(&mut self, tick: Tick) {
        self.asked = Some(tick);
        self.since.get_or_insert(tick.begun);
        self.is_counted = false;
    }

    /// The frame that it is drawing.
    pub fn asked(&self) -> Option<Tick> {
        self.asked
    }

    /// Is it waited for? Nobody waits for one that is known as slow.
    pub fn is_waited_for(&self) -> bool {
        self.probation == 0 && !self.is_reported
    }

    /// Does it draw for so long that nobody need expect an answer?
    pub fn hangs(&self, now: u64) -> bool {
        self.asked.is_some_and(|tick| tick.begun.saturating_add(WINDOW) <= now)
    }

    /// It drew the frame that it was asked for.
    pub fn done(&mut self, refresh: u64, now: u64) {
        let Some(tick) = self.asked.take() else { return };
        self.frames += 1;
        if now > tick.deadline {
            if !self.is_counted {
                self.misses(now);
            }
            self.probation = self.sentence;
            self.late += 1;
            self.count(now.saturating_sub(tick.deadline).max(refresh), now);
        } else {
            self.probation = self.probation.saturating_sub(1);
        }
    }

    /// A frame was composed: whoever was asked for it and has not drawn it, misses it.
    pub fn composed(&mut self, now: u64) {
        if self.asked.is_some_and(|tick| now >= tick.deadline) && !self.is_counted {
            self.is_counted = true;
            self.misses(now);
        }
    }

    /// It is late: it is not waited for.
    fn misses(&mut self, now: u64) {
        let was_waited_for = self.is_waited_for();
        if now.saturating_sub(self.last_late) >= REDEEMED {
            self.sentence = PROBATION;
        } else if was_waited_for {
            self.sentence = self.sentence.saturating_mul(2).clamp(PROBATION, LONG_PROBATION);
        }
        self.probation = self.sentence;
        self.last_late = now;
    }

    fn count(&mut self, lateness: u64, now: u64) {
        if self.since.is_none_or(|since| now.saturating_sub(since) < NEW) {
            return;
        }
        if now.saturating_sub(self.window.0) > WINDOW {
            self.window = (now, 0);
        }
        self.window.1 = self.window.1.saturating_add(lateness);
        self.last_late = now;
    }

    /// When [`Pace::report`] may have something to say even if nothing is heard of the renderer.
    pub fn report_due(&self) -> Option<u64> {
        let tick = self.asked.filter(|_| !self.is_reported)?;
        Some(tick.begun.saturating_add(WINDOW))
    }

    /// Whether it misses its frames, if that is news.
    pub fn report(&mut self, now: u64) -> Option<bool> {
        let hangs = self.hangs(now);
        if hangs {
            self.last_late = now;
        }
        let is_late = hangs || (self.window.1 >= TOO_LATE && now.saturating_sub(self.window.0) <= WINDOW);
        let is_redeemed = self.asked.is_none() && now.saturating_sub(self.last_late) >= REDEEMED;
        match (self.is_reported, is_late) {
            (false, true) => {
                self.is_reported = true;
                Some(true)
            }
            (true, false) if is_redeemed => {
                self.is_reported = false;
                Some(false)
            }
            (false, false) | (true, _) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const REFRESH: u64 = 16_000_000;

    fn begin(clock: &mut Clock, now: u64) -> Tick {
        clock.want(now);
        clock.begin(clock.due().unwrap()).unwrap()
    }

    #[test]
    fn frames_begin_at_once_when_idle_and_else_at_the_tick() {
        let mut clock = Clock::new(REFRESH);
        assert_eq!(clock.due(), None);
        assert_eq!(begin(&mut clock, 1000).begun, 1000);
        clock.want(2000);
        assert_eq!((clock.due(), clock.begin(9 * REFRESH)), (None, None), "one is open");
        clock.end();
        assert_eq!(clock.due(), Some(1000 + REFRESH));
        assert_eq!(clock.begin(2000), None);
        // The loop woke up 50 us late: the phase stays. 2.5 frames late: it stays, too.
        assert_eq!(clock.begin(1000 + REFRESH + 50_000).map(|t| t.begun), Some(1000 + REFRESH));
        clock.end();
        clock.want(1000 + REFRESH + 60_000);
        let late = clock.begin(1000 + 2 * REFRESH + 5 * REFRESH / 2).unwrap();
        assert_eq!(late.begun, 1000 + 4 * REFRESH);
        assert_eq!((late.number, late.presentation), (3, 1000 + 5 * REFRESH));
        clock.end();
        // Idle: the phase begins anew.
        assert_eq!(begin(&mut clock, 100 * REFRESH + 7).begun, 100 * REFRESH + 7);
    }

    #[test]
    fn composed_when_those_that_are_waited_for_are_done() {
        let mut clock = Clock::new(REFRESH);
        begin(&mut clock, 0);
        assert_eq!(clock.composes(true, true), Some(13_600_000));
        assert_eq!(clock.composes(false, true), Some(4_000_000));
        assert_eq!(clock.composes(false, false), Some(0));
        let mut fast = Clock::new(1_000_000);
        begin(&mut fast, 0);
        assert_eq!(fast.composes(false, true), Some(250_000));
        fast.end();
        assert_eq!(fast.composes(true, true), None);
    }

    /// Draws `frames` frames, each in `time`; gives the time after them.
    fn draw(pace: &mut Pace, clock: &mut Clock, mut now: u64, frames: u32, time: u64) -> u64 {
        for _ in 0..frames {
            let tick = begin(clock, now);
            pace.ask(tick);
            clock.end();
            now = tick.begun + time;
            pace.composed(now.min(tick.deadline));
            pace.done(REFRESH, now);
        }
        now
    }

    #[test]
    fn one_late_frame_excludes_for_thirty_and_not_for_ever() {
        let (mut pace, mut clock) = (Pace::default(), Clock::new(REFRESH));
        assert!(pace.is_waited_for(), "a new one is");
        let now = draw(&mut pace, &mut clock, 0, 1, 15_000_000);
        assert!(!pace.is_waited_for());
        assert_eq!(pace.report(now), None);
        let now = draw(&mut pace, &mut clock, now, 29, 1_000_000);
        assert!(!pace.is_waited_for());
        let now = draw(&mut pace, &mut clock, now, 1, 1_000_000);
        assert!(pace.is_waited_for());
        assert_eq!((pace.frames, pace.late, pace.report(now)), (31, 1, None));
    }

    #[test]
    fn late_again_and_again_is_waited_for_more_and_more_seldom() {
        let (mut pace, mut clock) = (Pace::default(), Clock::new(REFRESH));
        let mut now = 0;
        for sentence in [30, 60, 120, 240, 480, 480] {
            // Two in a row are one.
            now = draw(&mut pace, &mut clock, now, 2, 15_000_000);
            now = draw(&mut pace, &mut clock, now, sentence - 1, 1_000_000);
            assert!(!pace.is_waited_for(), "{sentence}");
            now = draw(&mut pace, &mut clock, now, 1, 1_000_000);
            assert!(pace.is_waited_for(), "{sentence}");
            if sentence == 480 {
                break;
            }
        }
        // It kept all for longer than it takes to be forgiven.
        now = draw(&mut pace, &mut clock, now, 1, 15_000_000);
        draw(&mut pace, &mut clock, now, 30, 1_000_000);
        assert!(pace.is_waited_for());
    }

    #[test]
    fn whoever_misses_a_quarter_is_reported_until_it_keeps_all_for_five_seconds() {
        let (mut pace, mut clock) = (Pace::default(), Clock::new(REFRESH));
        // New: the driver compiles.
        let mut now = draw(&mut pace, &mut clock, 0, 62, 15_000_000);
        assert!(now < NEW);
        assert_eq!(pace.report(now), None);
        now = draw(&mut pace, &mut clock, now, 1, 1_000_000);
        now = draw(&mut pace, &mut clock, now, 7, 15_000_000);
        assert_eq!(pace.report(now), None);
        now = draw(&mut pace, &mut clock, now, 1, 15_000_000);
        assert_eq!((pace.report(now), pace.report(now)), (Some(true), None));
        now = draw(&mut pace, &mut clock, now, 300, 1_000_000);
        assert_eq!(pace.report(now), None, "4.8 s");
        now = draw(&mut pace, &mut clock, now, 15, 1_000_000);
        assert_eq!((pace.report(now), pace.report(now)), (Some(false), None));
        // One of ten: never.
        for _ in 0..100 {
            now = draw(&mut pace, &mut clock, now, 1, 15_000_000);
            now = draw(&mut pace, &mut clock, now, 9, 1_000_000);
            assert_eq!(pace.report(now), None);
        }
        // No answer at all: not from a new one either.
        pace.renew();
        let tick = begin(&mut clock, now);
        pace.ask(tick);
        assert_eq!(pace.report_due(), Some(tick.begun + 500_000_000));
        assert_eq!(pace.report(tick.begun + 499_000_000), None);
        assert!(!pace.hangs(tick.begun + 499_000_000) && pace.hangs(tick.begun + 500_000_000));
        assert_eq!(pace.report(tick.begun + 500_000_000), Some(true));
        assert_eq!(pace.report_due(), None, "nothing more to say");
    }
}
