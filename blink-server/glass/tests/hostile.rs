//! A renderer that says anything: no panic, and nothing of another class changes.
#![allow(missing_docs, reason = "a test")]

mod support;

use fastrand::Rng;
use ipc::geometry::Rect;
use ipc::glass::*;
use ipc::{ClientId, WindowId};
use support::*;

fn number(rng: &mut Rng) -> u32 {
    match rng.u32(0..8) {
        0 => rng.u32(..),
        1 => u32::MAX,
        2 => 0,
        3 => rng.u32(0..9000),
        _ => rng.u32(0..6),
    }
}

fn place(rng: &mut Rng) -> i32 {
    match rng.u32(0..8) {
        0 => rng.i32(..),
        1 => i32::MAX,
        2 => i32::MIN,
        _ => rng.i32(-300..900),
    }
}

fn window(rng: &mut Rng) -> WindowId {
    let client = if rng.u32(0..50) == 0 { number(rng) } else { 1 };
    let context = if rng.u32(0..20) == 0 { number(rng) } else { 0 };
    WindowId { client: ClientId(client), context, oid: number(rng) % 40 }
}

fn text(rng: &mut Rng) -> String {
    let some = ["", "title", "\u{202e}x", "\n\x1b[2J", "é", "vm2"];
    some[rng.usize(0..some.len())].repeat(rng.usize(0..12))
}

fn wish(rng: &mut Rng) -> Wish {
    let mut pair = || (number(rng), number(rng));
    let (size, least, most) = (pair(), pair(), pair());
    let mut at = || rng.bool().then(|| place(rng));
    Wish {
        size,
        least: if least.0 > 9000 { (0, 0) } else { least },
        most,
        place: (at(), at()),
        title: text(rng),
        parent: rng.bool().then(|| number(rng) % 40),
        popup: rng.bool(),
    }
}

fn message(rng: &mut Rng, bench: &Bench) -> FromRenderer {
    let paper = &bench.papers[&ClassId(1)];
    match rng.u32(0..10) {
        0..=3 => FromRenderer::Window { window: window(rng), wish: wish(rng) },
        4 => FromRenderer::WindowGone { window: window(rng) },
        5 => FromRenderer::All { client: ClientId(if rng.u32(0..20) == 0 { number(rng) } else { 1 }) },
        6 => {
            let (width, height) = (number(rng) % 80, number(rng) % 80);
            let digits = if rng.bool() { width as usize * height as usize * 8 } else { rng.usize(0..99) };
            let pixels = ["f", "0", "é", "-"][rng.usize(0..4)].repeat(digits);
            let image = CursorImage { width, height, hot: (number(rng), number(rng)), pixels };
            FromRenderer::Cursor { window: window(rng), image: rng.bool().then_some(image) }
        }
        7 => FromRenderer::Want,
        _ => {
            let number_of =
                if rng.u32(0..20) == 0 { u64::from(number(rng)) } else { paper.asked.unwrap_or(0) };
            let drawn = (0..rng.usize(0..6)).map(|_| {
                let window = window(rng);
                let known = paper.windows.get(&window).map_or(0, |known| known.serial);
                Drawn {
                    window,
                    buffer: if rng.u32(0..20) == 0 { number(rng) } else { known },
                    half: if rng.u32(0..20) == 0 { 200 } else { rng.u8(0..2) },
                    damage: Rect::new(place(rng), place(rng), number(rng), number(rng)),
                    tell: rng.bool(),
                }
            });
            let drawn = drawn.collect();
            FromRenderer::Done { number: number_of, drawn, more: rng.bool() }
        }
    }
}

#[test]
fn a_renderer_that_says_anything() {
    let mut rng = Rng::with_seed(11);
    let mut bench = Bench::new(500, 400);
    bench.client(2);
    bench.client(1);
    let victim = bench.window(2, 1, support::wish(150, 100, 200, 150));
    bench.draw_with(victim, |x, y| x * 256 + y);
    let count = if std::env::var_os("NEXTEST").is_some() { 100_000 } else { 20_000 };
    let (mut refused, mut looked) = (0, 0);
    for step in 0..count {
        let message = message(&mut rng, &bench);
        let is_done = matches!(message, FromRenderer::Done { .. });
        let text = serde_json::to_string(&message).unwrap();
        let message = serde_json::from_str(&text).unwrap();
        match bench.glass.hear(ClassId(1), message, bench.now) {
            Ok(()) if is_done => bench.papers.get_mut(&ClassId(1)).unwrap().asked = None,
            Ok(()) => {}
            Err(reason) => {
                assert!(!reason.is_empty());
                refused += 1;
                bench.glass.gone(ClassId(1), bench.now);
                bench.renderer(1);
            }
        }
        bench.deliver();
        if step % 7 == 0 {
            bench.motion(rng.i32(0..500), rng.i32(0..400));
            bench.button(rng.u8(0..5), rng.bool());
            bench.key(rng.u32(0..60), rng.bool());
        }
        bench.now += rng.u64(0..4_000_000);
        bench.turn();
        if step % 500 == 0 {
            looked += 1;
            bench.now += 1_000_000_000;
            bench.glass.release_input(bench.now);
            bench.deliver();
            bench.command(ipc::Command::Move { window: victim, x: 150, y: 100 });
            bench.command(ipc::Command::Resize { window: victim, width: 200, height: 150 });
            bench.command(ipc::Command::Raise { window: victim });
            bench.motion(1, 1);
            bench.until(bench.now + 2 * REFRESH);
            bench.deliver();
            let serial = bench.known(victim).serial;
            if bench.known(victim).size == (200, 150) && serial > 0 {
                bench.draw_with(victim, |x, y| x * 256 + y);
            }
            let at = |x, y| bench.pixel(150 + x, 100 + y);
            for (x, y) in [(0, 0), (199, 0), (0, 149), (199, 149), (77, 55)] {
                let [x8, y8] = [x, y].map(|v| u8::try_from(v).unwrap());
                assert_eq!(at(x, y), [0, x8, y8], "step {step}");
            }
            let [border, label] = [bench.pixel(148, 150), bench.pixel(151, 84)];
            assert_eq!([border, label], [shown(2).color; 2], "step {step}");
            let list = bench.command(ipc::Command::List);
            assert!(list[0]["windows"].as_array().unwrap().len() <= 512);
            assert_eq!(list[1]["windows"].as_array().unwrap().len(), 1);
        }
    }
    assert!(refused > count / 100 && refused < count / 2, "{refused} of {count}");
    assert!(looked > 30);
}

#[test]
fn each_rule_is_a_rule() {
    let mut bench = Bench::new(500, 400);
    bench.client(1);
    bench.client(2);
    let mine = bench.window(1, 1, support::wish(150, 100, 200, 150));
    let other = bench.window(2, 1, support::wish(150, 100, 200, 150));
    bench.settle();
    let wish = support::wish(0, 0, 20, 20);
    let drawn = |window, buffer, half| Drawn { window, buffer, half, damage: Rect::default(), tell: false };
    let done = |number, drawn| FromRenderer::Done { number, drawn, more: false };
    let image = |width, pixels: &str| CursorImage { width, height: 1, hot: (0, 0), pixels: pixels.into() };
    let cursor = |image| FromRenderer::Cursor { window: mine, image: Some(image) };
    for bad in [
        FromRenderer::Window { window: other, wish: wish.clone() },
        FromRenderer::Window { window: WindowId { context: 16, ..mine }, wish: wish.clone() },
        FromRenderer::Window { window: id(3, 1), wish: wish.clone() },
        FromRenderer::Window { window: mine, wish: Wish { title: "x".repeat(129), ..wish.clone() } },
        FromRenderer::WindowGone { window: other },
        FromRenderer::All { client: other.client },
        FromRenderer::Cursor { window: other, image: None },
        cursor(image(65, "")),
        cursor(image(1, "0000000g")),
        done(1, vec![]),
    ] {
        assert!(bench.hear(1, bad.clone()).is_err(), "{bad:?}");
    }
    for spoil in [
        drawn(other, 1, 0),
        drawn(mine, 1, 2),
        drawn(mine, 0, 0),
        drawn(mine, 99, 0),
        drawn(WindowId { context: 99, ..mine }, 1, 0),
    ] {
        bench.hear(1, FromRenderer::Want).unwrap();
        bench.settle();
        let number = bench.papers.get_mut(&ClassId(1)).unwrap().asked.take().unwrap();
        assert!(bench.hear(1, done(number + 1, vec![])).is_err());
        assert!(bench.hear(1, done(number, vec![spoil])).is_err(), "{spoil:?}");
        // What is nobody's fault: a window that is gone, memory that was replaced.
        bench.hear(1, done(number, vec![drawn(id(1, 77), 1, 0)])).unwrap();
        assert!(bench.hear(1, done(number, vec![])).is_err(), "done twice");
    }
    for oid in 2..=512 {
        bench.hear(1, FromRenderer::Window { window: id(1, oid), wish: wish.clone() }).unwrap();
    }
    assert!(bench.hear(1, FromRenderer::Window { window: id(1, 513), wish: wish.clone() }).is_err());
    // Of a client that went, a renderer may still speak: it hears of it later.
    bench.glass.tell(ToGlass::ClientGone { id: mine.client }, bench.now);
    bench.hear(1, FromRenderer::Window { window: mine, wish: wish.clone() }).unwrap();
    assert!(bench.glass.desk().window(mine).is_none());
    assert!(bench.hear(2, FromRenderer::Window { window: mine, wish }).is_err());
    let flooded = (0..100_000).any(|_| bench.hear(1, FromRenderer::Want).is_err());
    assert!(flooded);
    assert!(bench.hear(3, FromRenderer::Want).is_err(), "nobody");
}

#[test]
fn memory_of_a_class_is_limited_and_comes_back() {
    let mut bench = Bench::new(4000, 2000);
    bench.client(1);
    bench.client(2);
    // 64 MB each.
    for oid in 1..10 {
        bench.window(1, oid, support::wish(0, 0, 4000, 2000));
    }
    bench.settle();
    let starved = |bench: &mut Bench| {
        let list = bench.command(ipc::Command::List);
        list[0]["windows"].as_array().unwrap().iter().filter(|w| !w["note"].is_null()).count()
    };
    assert_eq!(starved(&mut bench), 1);
    let innocent = bench.window(2, 1, support::wish(0, 0, 4000, 2000));
    bench.settle();
    assert_eq!(bench.known(innocent).size, (4000, 2000));
    bench.hear(1, FromRenderer::WindowGone { window: id(1, 1) }).unwrap();
    assert_eq!(starved(&mut bench), 0);
    let stats = bench.command(ipc::Command::Stats);
    assert_eq!(
        stats["classes"][0]["memory_bytes"].as_u64().unwrap(),
        8 * glass::surface::Surface::bytes_of(4000, 2000)
    );
    bench.glass.tell(ToGlass::ClientGone { id: ClientId(1) }, bench.now);
    let stats = bench.command(ipc::Command::Stats);
    assert_eq!(stats["classes"][0]["memory_bytes"], 0);
}

/// Hundreds of windows, popups of popups, new titles, moves: what they cost is in proportion to what is said.
#[test]
fn many_windows_are_not_dear() {
    let mut bench = Bench::new(1024, 768);
    let begun = std::time::Instant::now();
    for client in 1..=5 {
        bench.client(client);
    }
    for round in 0..3 {
        for client in 1..=5 {
            for n in 0..512u32 {
                let window = WindowId { client: ClientId(client), context: n / 32, oid: 1 + n % 32 };
                let (x, y) = (i32::try_from(n * 7 % 1000).unwrap(), i32::try_from(n * 13 % 740).unwrap());
                let wish =
                    if n % 32 == 0 { support::wish(x, y, 16, 16) } else { popup(n % 32, 2, 2, 16, 16) };
                let wish = Wish { title: format!("{round}"), ..wish };
                bench.glass.hear(ClassId(client), FromRenderer::Window { window, wish }, bench.now).unwrap();
            }
        }
        bench.now += REFRESH;
        bench.turn();
        for client in 1..=5 {
            for n in 0..512u32 {
                let window = WindowId { client: ClientId(client), context: n / 32, oid: 1 + n % 32 };
                bench.glass.hear(ClassId(client), FromRenderer::WindowGone { window }, bench.now).unwrap();
            }
        }
        bench.now += 3_000_000_000;
        bench.turn();
    }
    let took = begun.elapsed();
    println!("{took:?}");
    assert!(took.as_millis() < 3000, "{took:?}");
}

/// Clients that come and go before they have a renderer: the broker does not say that their classes are gone.
#[test]
fn classes_that_never_had_a_renderer_leave_nothing() {
    let mut bench = Bench::new(800, 600);
    bench.client(1);
    for client in 2..200 {
        bench.glass.tell(ToGlass::Client(shown(client)), bench.now);
        bench.glass.tell(ToGlass::ClientGone { id: ClientId(client) }, bench.now);
    }
    let stats = bench.glass.command(ipc::Command::Stats, bench.now).unwrap();
    assert_eq!(stats.value["classes"].as_array().unwrap().len(), 1);
}
