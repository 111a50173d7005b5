//! Where input goes: the table of what windows hear, and of what they don't.
#![allow(missing_docs, clippy::wildcard_enum_match_arm, reason = "a test")]

mod support;

use ipc::Command;
use ipc::geometry::Rect;
use ipc::glass::*;
use support::*;

const MS: u64 = 1_000_000;

fn key(code: u32, pressed: bool) -> Heard {
    Heard::Key { code, pressed }
}

fn button(button: u8, pressed: bool) -> Heard {
    Heard::Button { button, pressed }
}

/// Two windows of two VMs, side by side; the first has the focus.
fn two() -> (Bench, ipc::WindowId, ipc::WindowId) {
    let mut bench = Bench::new(640, 480);
    bench.client(1);
    bench.client(2);
    let a = bench.window(1, 1, wish(50, 60, 100, 100));
    let b = bench.window(2, 1, wish(300, 60, 100, 100));
    bench.settle();
    bench.now += 1000 * MS;
    assert!(bench.known(a).place.unwrap().2 && !bench.known(b).place.unwrap().2);
    (bench, a, b)
}

#[test]
fn a_key_is_released_where_it_was_pressed() {
    let (mut bench, a, b) = two();
    bench.key(30, true);
    bench.command(Command::Focus { window: b });
    bench.key(30, false);
    assert_eq!(bench.heard(a), [key(30, true), key(30, false)]);
    assert_eq!(bench.heard(b), []);
    assert!(bench.known(b).place.unwrap().2);
}

#[test]
fn modifiers_are_carried_over() {
    let (mut bench, a, b) = two();
    bench.key(42, true);
    bench.command(Command::Focus { window: b });
    bench.key(31, true);
    bench.key(31, false);
    bench.key(42, false);
    bench.command(Command::Focus { window: a });
    bench.key(32, true);
    assert_eq!(bench.heard(a), [key(42, true), key(42, false), key(32, true)]);
    assert_eq!(bench.heard(b), [key(42, true), key(31, true), key(31, false), key(42, false)]);
}

#[test]
fn the_same_by_click_by_closing_and_by_a_vm_that_goes() {
    // By click.
    let (mut bench, a, b) = two();
    bench.key(42, true);
    bench.key(30, true);
    bench.click(350, 100);
    assert_eq!(bench.heard(a), [key(42, true), key(30, true), key(42, false), key(30, false)]);
    assert_eq!(
        bench.heard(b).iter().filter(|h| matches!(h, Heard::Key { .. })).collect::<Vec<_>>(),
        [&key(42, true)]
    );
    // By closing: to another window of the same client.
    let c = bench.window(2, 2, wish(300, 250, 100, 100));
    assert!(bench.known(c).place.unwrap().2, "it takes the focus from its own");
    assert_eq!(bench.heard(c), [key(42, true)]);
    bench.key(31, true);
    bench.hear(2, FromRenderer::WindowGone { window: c }).unwrap();
    bench.key(31, false);
    bench.key(42, false);
    assert!(bench.known(b).place.unwrap().2);
    bench.heard(b);
    // By a VM that goes: nobody gets what follows.
    bench.key(33, true);
    bench.glass.tell(ToGlass::ClientGone { id: b.client }, bench.now);
    bench.deliver();
    bench.key(33, false);
    bench.key(34, true);
    bench.heard(b);
    assert_eq!(bench.heard(a), []);
    assert_eq!(bench.glass.desk().focused(), None);
}

#[test]
fn after_a_window_closed_no_other_vm_gets_the_keys() {
    let (mut bench, a, b) = two();
    bench.hear(1, FromRenderer::WindowGone { window: a }).unwrap();
    bench.key(30, true);
    // Not even one that comes now.
    let c = bench.window(2, 2, wish(300, 250, 100, 100));
    bench.key(31, true);
    assert_eq!((bench.heard(b), bench.heard(c)), (vec![], vec![]));
    // One of the client that had it does.
    let d = bench.window(1, 2, wish(50, 250, 100, 100));
    bench.key(32, true);
    assert_eq!(bench.heard(d), [key(32, true)]);
    bench.click(350, 100);
    bench.key(33, true);
    assert!(bench.heard(b).contains(&key(33, true)));
}

#[test]
fn a_press_is_released_in_its_window_and_the_pointer_is_told_to_nobody_else() {
    let (mut bench, a, b) = two();
    bench.motion(60, 70);
    bench.button(0, true);
    bench.motion(350, 70);
    bench.button(2, true);
    bench.button(0, false);
    bench.motion(10, 10);
    bench.button(2, false);
    bench.motion(350, 71);
    let heard = bench.heard_at(a);
    assert_eq!(
        heard,
        [
            (Heard::Motion, 10, 10, 0),
            (button(0, true), 10, 10, 1),
            (Heard::Motion, 300, 10, 1),
            (button(2, true), 300, 10, 5),
            (button(0, false), 300, 10, 4),
            (Heard::Motion, -40, -50, 4),
            (button(2, false), -40, -50, 0),
            (Heard::Leave, 10, 10, 0),
        ]
    );
    assert_eq!(bench.heard_at(b), [(Heard::Motion, 50, 11, 0)]);
}

#[test]
fn a_window_hears_once_that_the_pointer_left() {
    let (mut bench, a, b) = two();
    bench.motion(60, 70);
    bench.motion(61, 70);
    bench.motion(10, 10);
    bench.motion(11, 10);
    assert_eq!(bench.heard_at(a)[2..], [(Heard::Leave, 11, 10, 0)]);
    // Covered.
    bench.motion(70, 70);
    let cover = bench.window(2, 2, wish(60, 60, 50, 50));
    assert_eq!(bench.heard(a), [Heard::Motion, Heard::Leave]);
    assert_eq!(bench.heard(cover), [], "it hears of the pointer when that moves");
    bench.motion(71, 70);
    assert_eq!(bench.heard(cover), [Heard::Motion]);
    // Hidden with its client, then uncovered.
    bench.glass.tell(ToGlass::ClientGone { id: b.client }, bench.now);
    bench.motion(72, 70);
    assert_eq!(bench.heard(a), [Heard::Motion]);
    // It moves away itself.
    bench.command(Command::Move { window: a, x: 200, y: 200 });
    assert_eq!(bench.heard_at(a).last().map(|h| h.0), Some(Heard::Leave));
}

#[test]
fn the_wheel_and_all_five_buttons() {
    let (mut bench, a, _) = two();
    bench.motion(60, 70);
    for number in 0..6 {
        bench.button(number, true);
        bench.button(number, true);
        bench.button(number, false);
        bench.button(number, false);
    }
    bench.input(ipc::Input::Wheel { steps: -3 });
    let heard = bench.heard(a);
    let wanted: Vec<Heard> =
        (0..5).flat_map(|number| [button(number, true), button(number, false)]).collect();
    assert_eq!(heard[1..11], wanted);
    assert_eq!(heard[11..], [Heard::Wheel { steps: -3 }]);
    bench.motion(10, 10);
    bench.input(ipc::Input::Wheel { steps: -3 });
    assert_eq!(bench.heard(a), [Heard::Leave]);
}

#[test]
fn a_window_that_comes_under_the_pointer_gets_no_click_for_a_while() {
    let (mut bench, a, _) = two();
    bench.motion(80, 100);
    bench.heard(a);
    let evil = bench.window(2, 2, wish(70, 90, 50, 50));
    bench.now += 299 * MS;
    bench.button(0, true);
    bench.now += 500 * MS;
    bench.button(0, false);
    assert_eq!((bench.heard(a), bench.heard(evil)), (vec![Heard::Leave], vec![]));
    assert_eq!(bench.glass.desk().focused(), Some(a));
    bench.button(0, true);
    assert_eq!(bench.heard(evil), [button(0, true)], "later it does");
    bench.button(0, false);
    // Moved there by its client.
    bench.hear(2, FromRenderer::Window { window: evil, wish: wish(400, 300, 50, 50) }).unwrap();
    bench.button(0, true);
    bench.button(0, false);
    assert_eq!(bench.heard(a), [], "uncovered by another client");
    bench.now += 300 * MS;
    bench.button(0, true);
    bench.button(0, false);
    assert_eq!(bench.heard(a), [button(0, true), button(0, false)]);
    bench.hear(2, FromRenderer::Window { window: evil, wish: wish(70, 90, 50, 50) }).unwrap();
    bench.heard(evil);
    bench.button(0, true);
    bench.button(0, false);
    assert_eq!(bench.heard(evil), []);
    // The user put it there: no guard.
    bench.now += 1000 * MS;
    bench.command(Command::Raise { window: a });
    bench.command(Command::Raise { window: evil });
    bench.heard(evil);
    bench.button(0, true);
    assert_eq!(bench.heard(evil), [button(0, true)]);
}

/// The pointer is elsewhere when the window comes, and arrives before anybody could have seen it.
#[test]
fn a_window_that_is_put_over_anothers_gets_no_click_for_a_while_wherever_the_pointer_was() {
    let (mut bench, a, _) = two();
    bench.now += 1000 * MS;
    let clicked = |bench: &mut Bench, x: i32, y: i32| {
        bench.motion(x, y);
        bench.button(0, true);
        bench.button(0, false);
        bench.motion(700, 500);
    };
    bench.motion(700, 500);
    let evil = bench.window(2, 2, wish(70, 90, 40, 40));
    let upper = bench.window(2, 3, wish(75, 95, 20, 20));
    bench.now += 100 * MS;
    clicked(&mut bench, 100, 120);
    // Two, one above the other, are no better; nor is one that moves by a pixel at a time.
    clicked(&mut bench, 80, 100);
    for step in 0..10 {
        bench.now += 100 * MS;
        bench.hear(2, FromRenderer::Window { window: evil, wish: wish(70, 90, 41 + step, 40) }).unwrap();
        clicked(&mut bench, 100, 120);
    }
    let pressed = |heard: Vec<Heard>| heard.into_iter().filter(|event| *event == button(0, true)).count();
    assert_eq!((pressed(bench.heard(evil)), pressed(bench.heard(upper)), pressed(bench.heard(a))), (0, 0, 0));
    assert_eq!(bench.glass.desk().focused(), Some(a));
    // A popup of one's own is clicked at once.
    bench.now += 300 * MS;
    clicked(&mut bench, 100, 120);
    assert_eq!(pressed(bench.heard(evil)), 1);
    let menu = bench.window(2, 4, wish(80, 95, 20, 20));
    clicked(&mut bench, 90, 100);
    assert_eq!(pressed(bench.heard(menu)), 1);
    // What stays where it was is no surprise.
    bench.hear(2, FromRenderer::Window { window: evil, wish: wish(70, 90, 80, 40) }).unwrap();
    clicked(&mut bench, 108, 125);
    assert_eq!(pressed(bench.heard(evil)), 1);
}

#[test]
fn when_the_window_of_a_grab_goes_the_grab_ends() {
    let (mut bench, a, b) = two();
    bench.motion(60, 70);
    bench.button(0, true);
    bench.hear(1, FromRenderer::WindowGone { window: a }).unwrap();
    bench.motion(350, 70);
    bench.button(0, false);
    assert_eq!(bench.heard(b), [Heard::Motion]);
    bench.now += 1000 * MS;
    bench.button(0, true);
    assert_eq!(bench.heard(b), [button(0, true)]);
    // One that comes with the same name has no part in it.
    bench.button(0, false);
    bench.heard(b);
    bench.button(0, true);
    bench.hear(2, FromRenderer::WindowGone { window: b }).unwrap();
    bench.heard(b);
    bench.window(2, 1, wish(300, 60, 100, 100));
    bench.motion(10, 10);
    bench.button(0, false);
    assert_eq!(bench.heard(b), []);
}

#[test]
fn labels_move_borders_resize_and_crosses_close() {
    let (mut bench, a, _) = two();
    bench.motion(100, 50);
    bench.button(0, true);
    bench.motion(110, 70);
    bench.button(0, false);
    assert_eq!(bench.content(a), Rect::new(60, 80, 100, 100));
    bench.motion(161, 181);
    bench.button(0, true);
    bench.motion(171, 201);
    assert_eq!(bench.content(a), Rect::new(60, 80, 110, 120));
    bench.motion(i32::MIN, i32::MIN);
    bench.button(0, false);
    assert_eq!(bench.content(a), Rect::new(60, 80, 16, 16));
    assert_eq!(bench.known(a).size, (16, 16));
    let (mut bench, a, _) = two();
    bench.click(145, 50);
    assert_eq!(bench.known(a).closes, 1);
    bench.motion(145, 50);
    bench.button(0, true);
    bench.motion(0, 0);
    bench.button(0, false);
    assert_eq!(bench.known(a).closes, 1, "released elsewhere");
    assert_eq!(bench.heard(a), []);
}

#[test]
fn a_window_that_does_not_close_can_be_ended() {
    let (mut bench, a, _) = two();
    bench.glass.gone(ClassId(1), bench.now);
    let before = bench.picture();
    bench.click(145, 50);
    bench.settle();
    assert!(bench.picture() == before);
    bench.click(145, 50);
    let end = FromGlass::End { client: a.client };
    bench.until(bench.now + 1900 * MS);
    assert!(!bench.reports.contains(&end) && bench.picture() == before);
    bench.until(bench.now + 200 * MS);
    assert!(bench.picture() != before, "it says that it does not answer");
    let offered = bench.now;
    // The offer lapses.
    bench.until(offered + 31_000 * MS);
    assert!(bench.picture() == before);
    assert_eq!(bench.glass.next(bench.now), None);
    bench.click(145, 50);
    bench.until(bench.now + 2100 * MS);
    // The tag beside the narrow label has a cross, too.
    let tag_end = (0..640).rev().find(|&x| bench.pixel(x, 50) != [31, 33, 38]).unwrap();
    bench.click(tag_end - 8, 50);
    assert!(bench.reports.contains(&end));
}

#[test]
fn the_chord_always_works() {
    let (mut bench, a, b) = two();
    bench.motion(60, 70);
    bench.button(0, true);
    for code in [29, 56, 30] {
        bench.key(code, true);
    }
    bench.heard(a);
    bench.key(1, true);
    assert_eq!(bench.heard(a), [button(0, false), key(29, false), key(56, false), key(30, false)]);
    assert_eq!(bench.glass.desk().focused(), None);
    bench.key(1, false);
    bench.key(31, true);
    bench.motion(61, 70);
    bench.button(0, false);
    assert_eq!(bench.heard(a), [Heard::Motion]);
    bench.command(Command::Focus { window: b });
    assert_eq!(bench.heard(b), [key(29, true), key(56, true)], "modifiers are the user's");
}

#[test]
fn when_the_devices_go_elsewhere_all_is_released() {
    let (mut bench, a, _) = two();
    bench.motion(60, 70);
    bench.button(0, true);
    bench.key(42, true);
    bench.key(30, true);
    bench.heard(a);
    bench.glass.release_input(bench.now);
    bench.deliver();
    assert_eq!(bench.heard(a), [button(0, false), key(42, false), key(30, false)]);
    bench.key(30, false);
    bench.button(0, false);
    bench.key(30, true);
    assert_eq!(bench.heard(a), [key(30, true)]);
}

#[test]
fn places_come_back_with_order_and_focus_after_a_restart() {
    let (mut bench, a, b) = two();
    bench.command(Command::Move { window: a, x: 320, y: 80 });
    bench.command(Command::Raise { window: b });
    bench.command(Command::Raise { window: a });
    bench.command(Command::Focus { window: b });
    bench.until(bench.now + 10_000 * MS);
    let placed = |client: u32, reports: &[FromGlass]| {
        let of = |r: &FromGlass| match r {
            FromGlass::Placed { client: of, windows } if of.0 == client => Some(windows.clone()),
            _ => None,
        };
        reports.iter().rev().find_map(of).unwrap()
    };
    bench.glass.return_placements(a.client);
    bench.glass.return_placements(b.client);
    bench.deliver();
    let mut again = Bench::new(640, 480);
    for client in [1, 2] {
        let placements = placed(client, &bench.reports);
        again.glass.tell(ToGlass::Client(ShownClient { placements, ..shown(client) }), again.now);
        again.renderer(client);
    }
    again.window(1, 1, wish(50, 60, 100, 100));
    again.window(2, 1, wish(300, 60, 100, 100));
    again.settle();
    assert_eq!(again.content(a), Rect::new(320, 80, 100, 100));
    assert_eq!(again.glass.desk().focused(), Some(b));
    assert_eq!(again.glass.desk().highest_of(a.client), Some(a));
    bench.settle();
    assert!(bench.picture() == again.picture());
}
