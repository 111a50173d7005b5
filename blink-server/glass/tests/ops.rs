//! Anything that users and clients do, in any order: after each, the picture is what composing all of it anew gives, and each
//! pixel shows the highest window there.
#![allow(missing_docs, reason = "a test")]

mod support;

use fastrand::Rng;
use glass::decoration::Style;
use ipc::geometry::Rect;
use ipc::glass::*;
use ipc::{ClientId, Command, WindowId};
use support::*;

/// Something happens.
fn step(rng: &mut Rng, bench: &mut Bench) {
    let client = rng.u32(1..4);
    let oid = rng.u32(1..7);
    let window = id(client, oid);
    let wish = Wish {
        size: (rng.u32(10..220), rng.u32(10..180)),
        place: (rng.bool().then(|| rng.i32(-80..330)), rng.bool().then(|| rng.i32(-80..330))),
        parent: rng.bool().then(|| rng.u32(1..7)),
        popup: rng.bool(),
        title: ["", "a", "title"][rng.usize(0..3)].into(),
        ..Wish::default()
    };
    let is_there = bench.glass.desk().window(window).is_some();
    match rng.u32(0..18) {
        0..=3 => bench.hear(client, FromRenderer::Window { window, wish }).unwrap(),
        4 => bench.hear(client, FromRenderer::WindowGone { window }).unwrap(),
        5..=7 if is_there => {
            let color = color(window);
            bench.draw(window, color);
        }
        8 if is_there => {
            bench.command(Command::Move { window, x: rng.i32(-80..330), y: rng.i32(-80..330) });
        }
        9 if is_there => {
            let (width, height) = (rng.u32(0..400), rng.u32(0..400));
            bench.command(Command::Resize { window, width, height });
        }
        10 if is_there => drop(bench.command(Command::Raise { window })),
        11 if is_there => drop(bench.command(Command::Focus { window })),
        12 => {
            bench.motion(rng.i32(-10..310), rng.i32(-10..310));
            bench.button(0, rng.bool());
        }
        13 => {
            let image = CursorImage { width: 5, height: 5, hot: (2, 2), pixels: "11223380".repeat(25) };
            bench.hear(client, FromRenderer::Cursor { window, image: rng.bool().then_some(image) }).unwrap();
        }
        14 => {
            bench.glass.gone(ClassId(client), bench.now);
            bench.renderer(client);
        }
        15 if rng.u32(0..10) == 0 => {
            bench.glass.tell(ToGlass::ClientGone { id: ClientId(client) }, bench.now);
            bench.glass.tell(ToGlass::Client(shown(client)), bench.now);
        }
        16 => {
            let note = rng.bool().then(|| "slow".to_owned());
            bench.glass.tell(ToGlass::Note { class: ClassId(client), note }, bench.now);
        }
        17 => bench.hear(client, FromRenderer::All { client: ClientId(client) }).unwrap(),
        _ => bench.now += rng.u64(0..3_000_000_000),
    }
}

fn color(window: WindowId) -> u32 {
    window.client.0 << 16 | window.oid << 8 | 0x77
}

/// Each pixel shows the highest window there, for all that is not a name tag or the pointer.
fn check_pixels(rng: &mut Rng, bench: &Bench) {
    let desk = bench.glass.desk();
    let order: Vec<_> = desk.stack().order().iter().map(|&key| desk.get(key).unwrap()).collect();
    for _ in 0..100 {
        let (x, y) = (rng.i32(0..300), rng.i32(0..300));
        let pixel = bench.pixel(x, y);
        let Some(window) = order.iter().rev().find(|w| w.frame().contains(x, y)) else {
            continue;
        };
        let border = Rect { height: 3, ..window.frame() };
        let is_sure = window.content.contains(x, y) || border.contains(x, y);
        if !is_sure || pixel == [31, 33, 38] {
            assert_ne!(pixel, [31, 33, 38], "the background shows at {x}, {y}");
            continue;
        }
        let [_, r, g, b] = color(window.id).to_be_bytes();
        // Nobody else's color shows where this window is.
        for other in order.iter().filter(|other| other.id != window.id) {
            let [_, r, g, b] = color(other.id).to_be_bytes();
            assert_ne!(pixel, [r, g, b], "{} shows at {x}, {y}, not {}", other.id, window.id);
        }
        if pixel == [r, g, b] {
            assert!(window.content.contains(x, y));
        }
    }
}

fn check_desk(bench: &Bench) {
    let desk = bench.glass.desk();
    let area = Rect::new(0, 0, 300, 300);
    let order = desk.stack().order();
    assert_eq!(order.len(), desk.windows().count());
    for (place, &key) in order.iter().enumerate() {
        let window = desk.get(key).unwrap();
        assert_eq!(desk.find(window.id), Some(key));
        assert!(window.content.width <= 300 && window.content.height <= 300);
        if window.style == Style::Popup {
            assert!(area.contains_rect(&window.frame()), "{:?}", window.frame());
        }
        if let Some(parent) = window.parent {
            assert!(desk.get(parent).unwrap().children.contains(&key));
            let below = order.iter().position(|&other| other == parent).unwrap();
            assert!(window.style == Style::TopLevel || below < place, "a popup is above its parent");
        }
        for &child in &window.children {
            assert_eq!(desk.get(child).unwrap().parent, Some(key));
        }
    }
    for (id, client) in desk.clients() {
        assert_eq!(client.windows, desk.windows_of(id).len());
    }
    if let Some(focus) = desk.focused() {
        assert!(desk.window(focus).is_some());
    }
}

#[test]
fn whatever_happens_the_picture_is_right() {
    for seed in 0..20 {
        let mut rng = Rng::with_seed(seed);
        let mut bench = Bench::new(300, 300);
        for client in 1..4 {
            bench.client(client);
        }
        for number in 0..150 {
            step(&mut rng, &mut bench);
            bench.deliver();
            bench.settle();
            check_desk(&bench);
            let before = bench.picture();
            check_pixels(&mut rng, &bench);
            bench.glass.expose();
            bench.settle();
            assert!(bench.picture() == before, "seed {seed}, step {number}: damage was forgotten");
            for (_, window) in bench.glass.desk().windows() {
                if let Some(told) = window.told {
                    assert_eq!((told.content, told.visible), (window.content, window.visible));
                }
            }
        }
    }
}
