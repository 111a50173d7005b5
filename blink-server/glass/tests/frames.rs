//! Frames of a glass with renderers of paper: what is shown, and when.
#![allow(missing_docs, reason = "a test")]

mod support;

use ipc::Command;
use ipc::geometry::Rect;
use ipc::glass::*;
use support::*;

#[test]
fn a_window_is_shown_with_its_frame() {
    let mut bench = Bench::new(400, 300);
    bench.client(1);
    let window = bench.window(1, 5, wish(50, 60, 100, 80));
    bench.settle();
    let known = bench.known(window).clone();
    assert_eq!(known.place, Some((Rect::new(50, 60, 100, 80), true, true)));
    assert_eq!((known.size, known.serial), ((100, 80), 1));
    assert_eq!(bench.pixel(50, 60), [0, 0, 0], "no picture yet");
    bench.draw_with(window, |x, y| if x == 0 && y == 0 { 0x00ff_0000 } else { 0x0000_8000 + x });
    assert_eq!(bench.pixel(50, 60), [255, 0, 0]);
    assert_eq!(bench.pixel(149, 139), [0, 128, 99]);
    assert_eq!(bench.pixel(47, 139), shown(1).color);
    assert_eq!(bench.pixel(0, 0), [31, 33, 38]);
}

#[test]
fn nothing_to_do_is_nothing_to_wake_for() {
    let mut bench = Bench::new(400, 300);
    bench.client(1);
    let window = bench.window(1, 5, wish(50, 60, 100, 80));
    bench.draw(window, 0xff);
    bench.settle();
    bench.until(bench.now + 1_000_000_000);
    assert_eq!(bench.glass.next(bench.now), None);
    assert_eq!(bench.turn(), None);
}

#[test]
fn when_idle_a_frame_begins_at_once_and_the_answer_is_composed_at_once() {
    let mut bench = Bench::new(400, 300);
    bench.client(1);
    let window = bench.window(1, 5, wish(50, 60, 100, 80));
    bench.settle();
    bench.now += 12_345_678_901;
    bench.hear(1, FromRenderer::Want).unwrap();
    assert_eq!(bench.glass.next(bench.now), Some(bench.now));
    assert_eq!(bench.turn(), None);
    let now = bench.now;
    let paper = bench.papers.get_mut(&ClassId(1)).unwrap();
    let number = paper.asked.take().unwrap();
    assert_eq!(paper.frames.last(), Some(&(number, now + REFRESH)));
    let drawn = vec![Drawn { tell: true, ..paper.paint(window, |_, _| 0xabcdef).unwrap() }];
    bench.hear(1, FromRenderer::Done { number, drawn, more: true }).unwrap();
    let changed = bench.turn().unwrap();
    assert_eq!(changed.bounds(), Rect::new(50, 60, 100, 80));
    assert_eq!(bench.pixel(60, 70), [0xab, 0xcd, 0xef]);
    let presented = &bench.papers[&ClassId(1)].presented;
    assert_eq!(presented, &[(number, now + REFRESH, vec![window])]);
    // The next one begins at the tick.
    assert_eq!(bench.glass.next(bench.now), Some(now + REFRESH));
}

#[test]
fn moved_raised_and_uncovered_without_the_renderers() {
    let mut bench = Bench::new(400, 300);
    for client in [1, 2] {
        bench.client(client);
    }
    let below = bench.window(1, 5, wish(50, 60, 100, 80));
    bench.draw(below, 0xff_0000);
    let above = bench.window(2, 5, wish(60, 70, 100, 80));
    bench.draw(above, 0x00_ff00);
    assert_eq!(bench.pixel(100, 100), [0, 255, 0]);
    bench.glass.gone(ClassId(1), bench.now);
    bench.glass.gone(ClassId(2), bench.now);
    bench.command(Command::Raise { window: below });
    bench.settle();
    assert_eq!(bench.pixel(100, 100), [255, 0, 0]);
    bench.command(Command::Move { window: below, x: 200, y: 150 });
    bench.settle();
    assert_eq!((bench.pixel(100, 100), bench.pixel(250, 200)), ([0, 255, 0], [255, 0, 0]));
}

#[test]
fn hidden_windows_are_told_so() {
    let mut bench = Bench::new(400, 300);
    bench.client(1);
    bench.client(2);
    let below = bench.window(1, 5, wish(50, 60, 100, 80));
    bench.draw(below, 0xff);
    let above = bench.window(2, 5, wish(40, 60, 200, 100));
    bench.settle();
    assert!(!bench.known(below).place.unwrap().1);
    bench.hear(2, FromRenderer::WindowGone { window: above }).unwrap();
    bench.settle();
    assert!(bench.known(below).place.unwrap().1);
    assert_eq!(bench.pixel(60, 70), [0, 0, 255], "the last picture");
}

#[test]
fn while_the_size_changes_the_old_picture_stays() {
    let mut bench = Bench::new(400, 300);
    bench.client(1);
    let window = bench.window(1, 5, wish(50, 60, 100, 80));
    bench.draw(window, 0xff_ffff);
    bench.command(Command::Resize { window, width: 150, height: 60 });
    bench.settle();
    assert_eq!(bench.known(window).size, (150, 60));
    assert_eq!((bench.pixel(149, 119), bench.pixel(150, 60)), ([255; 3], [0; 3]));
    bench.draw(window, 0x12_3456);
    assert_eq!(bench.pixel(199, 60), [0x12, 0x34, 0x56]);
}

#[test]
fn a_new_renderer_gets_new_memory_and_the_picture_stays() {
    let mut bench = Bench::new(400, 300);
    bench.client(1);
    let windows = [1, 2, 3].map(|oid| {
        let window = bench.window(1, oid, wish(40 + 60 * i32::try_from(oid).unwrap(), 60, 40, 40));
        bench.draw(window, 0xff_ffff);
        window
    });
    bench.command(Command::Move { window: windows[1], x: 200, y: 200 });
    bench.glass.gone(ClassId(1), bench.now);
    bench.renderer(1);
    bench.settle();
    assert_eq!(bench.pixel(210, 210), [255; 3]);
    for window in &windows[..2] {
        bench.window(1, window.oid, wish(40 + 60 * i32::try_from(window.oid).unwrap(), 60, 40, 40));
        assert!(bench.known(*window).serial > 3);
    }
    assert_eq!(bench.content(windows[1]).x, 200, "the user placed it");
    assert!(bench.glass.desk().window(windows[2]).is_some());
    bench.hear(1, FromRenderer::All { client: windows[0].client }).unwrap();
    assert!(bench.glass.desk().window(windows[2]).is_none());
    bench.settle();
    assert_eq!(bench.pixel(210, 210), [255; 3]);
    bench.draw(windows[1], 0x00_00ff);
    assert_eq!(bench.pixel(210, 210), [0, 0, 255]);
}

#[test]
fn a_late_frame_is_shown_in_the_next() {
    let mut bench = Bench::new(400, 300);
    for client in [1, 2] {
        bench.client(client);
    }
    let (slow, quick) = (bench.window(1, 1, wish(40, 60, 40, 40)), bench.window(2, 1, wish(140, 60, 40, 40)));
    bench.settle();
    bench.until(bench.now + 1_000_000_000);
    bench.hear(1, FromRenderer::Want).unwrap();
    bench.hear(2, FromRenderer::Want).unwrap();
    bench.turn();
    let tick = bench.now;
    let numbers = [1, 2].map(|class| bench.papers.get_mut(&ClassId(class)).unwrap().asked.take().unwrap());
    let drawn = bench.papers.get_mut(&ClassId(2)).unwrap().paint(quick, |_, _| 0xff);
    bench
        .hear(2, FromRenderer::Done { number: numbers[1], drawn: drawn.into_iter().collect(), more: false })
        .unwrap();
    assert_eq!(bench.turn(), None, "the other is waited for");
    let deadline = tick + REFRESH / 100 * 85;
    assert_eq!(bench.glass.next(bench.now), Some(deadline));
    bench.now = deadline;
    assert!(bench.turn().is_some());
    assert_eq!(bench.pixel(150, 70), [0, 0, 255]);
    bench.now = tick + 2 * REFRESH + 5;
    let drawn = bench.papers.get_mut(&ClassId(1)).unwrap().paint(slow, |_, _| 0xff);
    bench
        .hear(1, FromRenderer::Done { number: numbers[0], drawn: drawn.into_iter().collect(), more: false })
        .unwrap();
    assert!(bench.turn().is_some());
    assert_eq!(bench.pixel(50, 70), [0, 0, 255]);
    // It is not waited for now: others are composed after a moment.
    bench.until(bench.now + 10 * REFRESH);
    bench.hear(1, FromRenderer::Want).unwrap();
    bench.hear(2, FromRenderer::Want).unwrap();
    bench.turn();
    let tick = bench.now;
    let number = bench.papers.get_mut(&ClassId(2)).unwrap().asked.take().unwrap();
    let drawn = bench.papers.get_mut(&ClassId(2)).unwrap().paint(quick, |_, _| 0xff00);
    bench.hear(2, FromRenderer::Done { number, drawn: drawn.into_iter().collect(), more: false }).unwrap();
    assert_eq!((bench.turn(), bench.glass.next(bench.now)), (None, Some(tick + 4_000_000)));
    bench.now = tick + 4_000_000;
    assert!(bench.turn().is_some());
}

#[test]
fn two_outputs_show_one_plane() {
    let modes = [(200, 150), (160, 240)];
    let modes = modes.map(|(width, height)| glass::HeadMode { width, height, refresh: REFRESH, scale: 1.0 });
    let mut bench = Bench { glass: glass::Glass::new(&modes), ..Bench::new(10, 10) };
    bench.client(1);
    let across = bench.window(1, 1, wish(150, 60, 100, 60));
    bench.draw_with(across, |x, y| x << 8 | y);
    assert_eq!(bench.content(across), Rect::new(150, 60, 100, 60));
    assert_eq!((bench.pixel(199, 119), bench.pixel(200, 119)), ([0, 49, 59], [0, 50, 59]));
    // Each window is at home on one of them, and no larger than that.
    let right = bench.window(1, 2, wish(210, 500, 500, 500));
    assert_eq!((bench.content(right).width, bench.content(right).height), (160, 240));
    let left = bench.window(1, 3, wish(20, 40, 150, 500));
    assert_eq!((bench.content(left).width, bench.content(left).height), (150, 150));
    bench.settle();
    assert_eq!(bench.pixel(100, 200), [0; 3], "there is no output");
    bench.command(Command::Move { window: left, x: 250, y: 50 });
    bench.settle();
    assert_eq!(bench.pixel(10, 100), [31, 33, 38]);
    let before = bench.picture();
    bench.glass.expose();
    bench.settle();
    assert!(bench.picture() == before);
}

#[test]
fn a_new_window_is_shown_with_its_picture() {
    let mut bench = Bench::new(400, 300);
    bench.client(1);
    bench.until(bench.now + 1_000_000_000);
    let window = bench.window(1, 5, wish(50, 60, 100, 80));
    assert_eq!(bench.glass.next(bench.now), Some(bench.now + 4_000_000));
    assert_eq!(bench.turn(), None);
    bench.hear(1, FromRenderer::Want).unwrap();
    bench.turn();
    let paper = bench.papers.get_mut(&ClassId(1)).unwrap();
    let number = paper.asked.take().unwrap();
    let drawn = paper.paint(window, |_, _| 0xff).into_iter().collect();
    bench.hear(1, FromRenderer::Done { number, drawn, more: false }).unwrap();
    let changed = bench.turn().unwrap();
    assert_eq!(changed.bounds(), Rect::new(47, 39, 106, 104));
    assert_eq!(bench.pixel(60, 70), [0, 0, 255]);
    // One whose renderer does not draw is shown soon.
    let begun = bench.now;
    bench.until(begun + 1_000_000_000);
    let other = bench.window(1, 6, wish(200, 60, 100, 80));
    bench.until(bench.now + 4_000_000);
    assert_eq!(bench.pixel(bench.content(other).x - 1, 100), shown(1).color);
}
