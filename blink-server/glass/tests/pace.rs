//! Renderers that draw for so long: who is waited for, and what it costs the others.
#![allow(missing_docs, reason = "a test")]

mod support;

use ipc::geometry::Rect;
use ipc::glass::*;
use support::*;

const MS: u64 = 1_000_000;

/// What became of the frames of a renderer.
#[derive(Debug, Default)]
struct Kept {
    /// Nanoseconds from the frame's begin to the picture that shows it.
    latencies: Vec<u64>,
}

impl Kept {
    fn percentile(&self, percent: usize) -> u64 {
        let mut sorted = self.latencies.clone();
        sorted.sort_unstable();
        sorted[(sorted.len() - 1) * percent / 100]
    }
}

/// Lets renderers animate for some seconds. `cost`: nanoseconds for a frame of a class, given how many it drew; `None`: for ever.
fn run(classes: u32, seconds: u64, cost: impl Fn(u32, usize) -> Option<u64>) -> (Bench, Vec<Kept>) {
    let mut bench = Bench::new(800, 600);
    for class in 1..=classes {
        bench.client(class);
        let x = i32::try_from(class * 60).unwrap();
        bench.window(class, 1, wish(x, 60, 40, 40));
    }
    bench.settle();
    bench.now += 1000 * MS;
    let end = bench.now + seconds * 1000 * MS;
    for class in 1..=classes {
        bench.hear(class, FromRenderer::Want).unwrap();
    }
    let mut kept: Vec<Kept> = (0..=classes).map(|_| Kept::default()).collect();
    // When it is done, and when the frame began.
    let mut drawing: Vec<Option<(u64, u64)>> = vec![None; classes as usize + 1];
    let mut finished: Vec<Option<u64>> = vec![None; classes as usize + 1];
    while bench.now < end {
        for class in 1..=classes {
            let index = class as usize;
            let paper = bench.papers.get_mut(&ClassId(class)).unwrap();
            if paper.asked.is_some() && drawing[index].is_none() {
                let begun = paper.frames.last().unwrap().1 - REFRESH;
                let cost = cost(class, paper.frames.len());
                drawing[index] = Some((cost.map_or(u64::MAX, |cost| bench.now + cost), begun));
            }
        }
        let done = drawing.iter().flatten().map(|(at, _)| *at).min().unwrap_or(u64::MAX);
        let next = bench.glass.next(bench.now).unwrap_or(u64::MAX);
        assert!(done.min(next) != u64::MAX, "everything stands still");
        bench.now = done.min(next);
        for class in 1..=classes {
            let index = class as usize;
            let Some((_, begun)) = drawing[index].take_if(|(at, _)| *at <= bench.now) else { continue };
            let paper = bench.papers.get_mut(&ClassId(class)).unwrap();
            let number = paper.asked.take().unwrap();
            let serial = paper.windows[&id(class, 1)].serial;
            let damage = Rect::new(0, 0, 40, 40);
            let drawn = vec![Drawn { window: id(class, 1), buffer: serial, half: 0, damage, tell: false }];
            finished[index] = Some(begun);
            bench.hear(class, FromRenderer::Done { number, drawn, more: true }).unwrap();
        }
        if bench.glass.next(bench.now) == Some(bench.now)
            && let Some(changed) = bench.turn()
        {
            for class in 1..=classes {
                let index = class as usize;
                let x = i32::try_from(class * 60).unwrap();
                let is_shown = changed.rects().iter().any(|rect| rect.contains(x, 60));
                if let Some(begun) = finished[index].take_if(|_| is_shown) {
                    kept[index].latencies.push(bench.now - begun);
                }
            }
        }
    }
    (bench, kept)
}

/// Frames of a class that were shown within their own refresh interval, percent.
fn share(kept: &Kept, seconds: u64) -> u64 {
    let in_time = kept.latencies.iter().filter(|latency| **latency < REFRESH).count();
    u64::try_from(in_time).unwrap() * 100 / (seconds * 1000 * MS / REFRESH)
}

#[test]
fn good_renderers_are_composed_when_the_last_is_done() {
    let (bench, kept) = run(8, 10, |class, _| Some(u64::from(class) * MS / 2));
    for kept in &kept[1..] {
        assert!(share(kept, 10) >= 99);
        assert_eq!((kept.percentile(50), kept.percentile(99)), (4 * MS, 4 * MS));
    }
    assert!(!bench.reports.iter().any(|report| matches!(report, FromGlass::Pace { .. })));
}

#[test]
fn one_that_spins_does_not_delay_the_others() {
    for spin in [None, Some(100 * MS), Some(15 * MS), Some(40 * MS)] {
        let (bench, kept) = run(8, 10, |class, _| if class == 8 { spin } else { Some(3 * MS) });
        for kept in &kept[1..8] {
            assert!(share(kept, 10) >= 99, "{spin:?}: {}", share(kept, 10));
            assert!(kept.percentile(50) <= 4 * MS, "{spin:?}: {} ns", kept.percentile(50));
            assert!(kept.percentile(97) <= 4 * MS, "{spin:?}: {} ns", kept.percentile(97));
        }
        let late = FromGlass::Pace { class: ClassId(8), life: 1, late: true };
        assert_eq!(bench.reports.iter().filter(|report| **report == late).count(), 1, "{spin:?}");
        assert_eq!(bench.reports.iter().filter(|report| matches!(report, FromGlass::Pace { .. })).count(), 1);
    }
}

#[test]
fn one_late_frame_is_forgiven_after_thirty() {
    let cold = |class, frame| Some(if class == 1 && frame == 5 { 65 * MS } else { 6 * MS });
    let (bench, kept) = run(2, 10, cold);
    for kept in &kept[1..] {
        assert!(share(kept, 10) >= 98, "{}", share(kept, 10));
        assert_eq!(kept.percentile(50), 6 * MS);
    }
    let stats = bench.glass.desk().clients().count();
    assert_eq!(stats, 2);
}

#[test]
fn whoever_keeps_its_frames_again_is_reported() {
    let cost = |_, frame| Some(if frame < 40 { 50 * MS } else { 2 * MS });
    let (bench, _) = run(1, 10, cost);
    let paces: Vec<&FromGlass> =
        bench.reports.iter().filter(|report| matches!(report, FromGlass::Pace { .. })).collect();
    let pace = |late| FromGlass::Pace { class: ClassId(1), life: 1, late };
    assert_eq!(paces, [&pace(true), &pace(false)]);
}
