//! What the user trusts: names, borders, and what no client can cover.
#![allow(missing_docs, reason = "a test")]

mod support;

use ipc::Command;
use ipc::geometry::Rect;
use ipc::glass::*;
use support::*;

/// Where the picture shows these pixels, if it does.
fn find(bench: &Bench, needle: &[Vec<[u8; 3]>]) -> Option<(i32, i32)> {
    let area = bench.glass.heads().bounds();
    let picture = bench.picture();
    let at = |x: usize, y: usize| {
        let at = (y * area.width as usize + x) * 4;
        [picture[at], picture[at + 1], picture[at + 2]]
    };
    let (width, height) = (needle[0].len(), needle.len());
    for y in 0..=area.height as usize - height {
        for x in 0..=area.width as usize - width {
            if (0..height).all(|dy| (0..width).all(|dx| at(x + dx, y + dy) == needle[dy][dx])) {
                return Some((i32::try_from(x).unwrap(), i32::try_from(y).unwrap()));
            }
        }
    }
    None
}

/// The name of client 1, as its label shows it.
fn name(focus: bool) -> Vec<Vec<[u8; 3]>> {
    let mut bench = Bench::new(640, 480);
    bench.client(1);
    bench.client(2);
    if !focus {
        bench.window(2, 1, wish(300, 300, 100, 100));
    }
    bench.window(1, 1, wish(100, 100, 200, 50));
    bench.settle();
    let width = i32::try_from((shown(1).name.len() + 2) * 8).unwrap();
    (82..100).map(|y| (100..100 + width).map(|x| bench.pixel(x, y)).collect()).collect()
}

#[test]
fn the_name_is_always_readable() {
    let name = name(true);
    for wish in [
        wish(-120, 60, 400, 100),
        wish(60, 250, 16, 100),
        wish(620, 250, 100, 100),
        wish(-190, 470, 200, 100),
        wish(-9999, -9999, 9999, 9999),
        wish(9999, 9999, 16, 16),
        Wish { least: (2000, 2000), ..wish(-100, 40, 2000, 2000) },
    ] {
        let mut bench = Bench::new(640, 480);
        bench.client(1);
        let window = bench.window(1, 1, wish.clone());
        bench.settle();
        assert!(find(&bench, &name).is_some(), "{wish:?} at {:?}", bench.content(window));
        let content = bench.content(window);
        assert!(content.width <= 640 && content.height <= 480);
    }
}

#[test]
fn popups_do_not_hide_the_name_or_all_of_the_output() {
    let name = name(false);
    let mut rng = fastrand::Rng::with_seed(4);
    for round in 0..60 {
        let mut bench = Bench::new(640, 480);
        bench.client(2);
        bench.window(2, 1, wish(300, 300, 20, 20));
        bench.client(1);
        let root = bench.window(1, 1, wish(rng.i32(-100..600), rng.i32(0..480), rng.u32(16..300), 100));
        let mut popups = Vec::new();
        for oid in 2..6 {
            let parent = rng.u32(1..oid);
            let wish = match rng.u32(0..3) {
                0 => popup(parent, 0, 0, 2000, 2000),
                1 => popup(parent, -10, -25, 340, 240),
                _ => popup(parent, rng.i32(-50..50), rng.i32(-50..50), rng.u32(16..99), rng.u32(16..99)),
            };
            popups.push(bench.window(1, oid, wish));
        }
        for step in 0..6 {
            bench.settle();
            assert!(find(&bench, &name).is_some(), "round {round}, step {step}");
            let head = glass::decoration::Style::TopLevel.head(&bench.content(root));
            for popup in &popups {
                let frame = glass::decoration::Style::Popup.frame(&bench.content(*popup));
                assert!(Rect::new(0, 0, 640, 480).contains_rect(&frame));
                assert!(!frame.intersects(&head), "{frame:?} on {head:?}");
            }
            if rng.bool() {
                bench.command(Command::Move { window: root, x: rng.i32(-200..700), y: rng.i32(-200..700) });
            } else {
                let (width, height) = (rng.u32(0..700), rng.u32(0..700));
                bench.command(Command::Resize { window: root, width, height });
            }
        }
    }
}

#[test]
fn notes_are_shown() {
    let mut bench = Bench::new(640, 480);
    bench.client(1);
    bench.window(1, 1, wish(100, 100, 300, 50));
    bench.settle();
    let before = bench.picture();
    let note = |note: Option<&str>| ToGlass::Note { class: ClassId(1), note: note.map(str::to_owned) };
    bench.glass.tell(note(Some("slow")), bench.now);
    bench.settle();
    assert!(bench.picture() != before);
    let list = bench.command(Command::List);
    assert_eq!(list[0]["note"], "slow");
    bench.glass.tell(note(None), bench.now);
    bench.settle();
    assert!(bench.picture() == before);
}

#[test]
fn the_pointers_picture_stays_on_the_content() {
    let mut bench = Bench::new(300, 300);
    bench.client(1);
    bench.client(2);
    let window = bench.window(1, 1, wish(100, 100, 100, 100));
    let above = bench.window(2, 1, wish(150, 150, 100, 100));
    bench.draw(window, 0x11_1111);
    bench.draw(above, 0x22_2222);
    let plain = bench.picture();
    let pixels = "ff0000ff".repeat(64 * 64);
    let image = CursorImage { width: 64, height: 64, hot: (32, 32), pixels };
    bench.hear(1, FromRenderer::Cursor { window, image: Some(image) }).unwrap();
    for (x, y) in [(100, 100), (199, 101), (149, 149), (148, 190), (120, 120), (50, 50), (160, 160)] {
        bench.motion(x, y);
        bench.settle();
        let picture = bench.picture();
        let mut red = 0;
        for (i, (now, before)) in picture.chunks(4).zip(plain.chunks(4)).enumerate() {
            let (px, py) = (i32::try_from(i % 300).unwrap(), i32::try_from(i / 300).unwrap());
            let is_content = Rect::new(100, 100, 100, 100).contains(px, py)
                && !Rect::new(147, 129, 106, 124).contains(px, py);
            if now != before {
                assert!(is_content && now[..3] == [255, 0, 0], "at {px}, {py}");
                red += 1;
            }
        }
        let is_over =
            Rect::new(100, 100, 100, 100).contains(x, y) && !Rect::new(147, 129, 99, 99).contains(x, y);
        assert_eq!((red > 0, bench.glass.draws_pointer()), (is_over, is_over), "pointer at {x}, {y}");
    }
    bench.motion(120, 120);
    bench.hear(1, FromRenderer::Cursor { window, image: None }).unwrap();
    bench.settle();
    assert!(bench.picture() == plain);
}

#[test]
fn any_window_can_be_put_below_another() {
    let mut bench = Bench::new(640, 480);
    bench.client(1);
    bench.client(2);
    let victim = bench.window(1, 1, wish(100, 100, 100, 100));
    let evil = bench.window(2, 1, wish(90, 90, 150, 150));
    for oid in 2..20 {
        bench.window(2, oid, popup(oid - 1, 5, 5, 150, 150));
    }
    bench.window(2, 20, Wish { parent: Some(1), ..wish(0, 0, 200, 200) });
    bench.draw(victim, 0x11_2233);
    bench.command(Command::Raise { window: victim });
    bench.settle();
    for (x, y) in [(100, 100), (199, 199), (150, 150)] {
        assert_eq!(bench.pixel(x, y), [0x11, 0x22, 0x33]);
    }
    bench.command(Command::Raise { window: evil });
    bench.settle();
    assert_eq!(bench.pixel(150, 150), [0; 3]);
}
