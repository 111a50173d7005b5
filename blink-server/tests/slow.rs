//! Windows whose runs take more than their slice, beside others that behave: by a clock that only drawing moves.
#![allow(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::cast_possible_wrap,
    clippy::wildcard_enum_match_arm,
    missing_docs,
    reason = "a test"
)]

mod support;

use blink_client::{ObjectId, TextureInfo, What, WindowDesc};
use blink_server::geometry::Rect;
use blink_server::gl::Counted;
use blink_server::ipc::{Command, Input, Owner, WindowId};
use blinkgl::ops::Callback;
use blinkgl::{Reg, WireProgram};
use examples::gears;
use ipc::limits::{
    DRAW_FRAGMENTS, FIRST_SLOW_SECONDS, FRAME_PARTS, MAX_OFFSCREEN_PIXELS, MAX_SUSPENDED_REDRAWS,
    MIN_SLICE_MICROSECONDS, MIN_STEP_FRAGMENTS, SLOW_SECONDS, STRIKE_SECONDS, STRIKES, VERTEX_FRAGMENTS,
};
use serde_json::Value;
use support::{Fixture, Guest, REFRESH};

const WIDTH: u32 = 480;
const HEIGHT: u32 = 360;

fn assemble(text: &str) -> WireProgram {
    blinkgl::asm::assemble(text).unwrap_or_else(|errors| panic!("{errors}\n{text}")).program
}

/// So many triangles, each larger than the window, in a list.
fn list_of_triangles(count: usize) -> String {
    let triangle = "vertex2 -1.0, -1.0\nvertex2 3.0, -1.0\nvertex2 -1.0, 3.0\n";
    format!("new_list 1\nbegin triangles\n{}end\nend_list\n", triangle.repeat(count))
}

/// Draws the list so many times in white, and then a triangle over all of it in a color of its own.
fn pile(calls: usize, color: &str) -> String {
    format!(
        "clear color\ncolor4 1.0, 1.0, 1.0, 1.0\n{}color4 {color}, 1.0\nbegin triangles\nvertex2 -1.0, -1.0\n\
         vertex2 3.0, -1.0\nvertex2 -1.0, 3.0\nend\n",
        "call_list 1\n".repeat(calls)
    )
}

/// Publishes a window with these callbacks; gives it and its procedures.
fn publish(guest: &mut Guest, rect: Rect, programs: &[(Callback, &str)]) -> (ObjectId, Vec<ObjectId>) {
    let mut commit = guest.context.commit();
    let mut desc =
        WindowDesc { x: rect.x, y: rect.y, width: rect.width, height: rect.height, ..WindowDesc::default() };
    let mut oids = Vec::new();
    for (callback, text) in programs {
        let oid = commit.procedure(*callback, &assemble(text)).unwrap();
        desc.procedures[*callback as usize] = oid.number();
        oids.push(oid);
    }
    desc.registers = commit.registers().unwrap().number();
    let window = commit.window(&desc).unwrap();
    commit.finish().unwrap();
    (window, oids)
}

fn publish_gears(guest: &mut Guest, rect: Rect) -> ObjectId {
    let mut commit = guest.context.commit();
    let mut desc =
        WindowDesc { x: rect.x, y: rect.y, width: rect.width, height: rect.height, ..WindowDesc::default() };
    for (callback, program) in [
        (Callback::Init, gears::init()),
        (Callback::Reshape, gears::reshape()),
        (Callback::Redraw, gears::redraw(gears::Angle::Time)),
    ] {
        desc.procedures[callback as usize] = commit.procedure(callback, &program.unwrap()).unwrap().number();
    }
    let window = commit.window(&desc).unwrap();
    commit.finish().unwrap();
    window
}

fn replace(guest: &mut Guest, procedure: ObjectId, callback: Callback, text: &str) {
    let mut commit = guest.context.commit();
    commit.set_procedure(procedure, callback, &assemble(text)).unwrap();
    commit.finish().unwrap();
}

fn stats(fixture: &mut Fixture, guest: &Guest) -> Value {
    let now = fixture.now;
    let stats = fixture.server.command(Command::Stats, now).unwrap().value;
    let clients = stats["clients"].as_array().unwrap().clone();
    clients.into_iter().find(|c| c["client"] == guest.id.0).unwrap()
}

fn count(fixture: &mut Fixture, guest: &Guest, what: &str) -> u64 {
    stats(fixture, guest)[what].as_u64().unwrap()
}

fn window_of(fixture: &mut Fixture, guest: &Guest, window: ObjectId) -> Value {
    let now = fixture.now;
    let list = fixture.server.command(Command::List, now).unwrap().value;
    let id = format!("{}.0.{}", guest.id, window.number());
    let windows = list.as_array().unwrap().iter().flat_map(|c| c["windows"].as_array().unwrap().clone());
    windows.into_iter().find(|w| w["id"] == id.as_str()).unwrap()
}

fn is_slow(fixture: &mut Fixture, guest: &Guest, window: ObjectId) -> bool {
    window_of(fixture, guest, window)["slow"].as_bool().unwrap()
}

/// Quota events of drawing time.
fn told(guest: &mut Guest) -> usize {
    let events = std::iter::from_fn(|| guest.context.next_event());
    events
        .filter(|e| format!("{:?}", e.what).contains("Time") && matches!(e.what, What::Quota { .. }))
        .count()
}

/// All pixels of a picture, if they are equal.
fn single_color(pixels: &[u8]) -> Option<[u8; 4]> {
    let first: [u8; 4] = pixels.get(..4)?.try_into().ok()?;
    pixels.chunks_exact(4).all(|p| p == first).then_some(first)
}

const EMPTY: [u8; 4] = [0, 0, 0, 255];
const GREEN: [u8; 4] = [0, 255, 0, 255];
const BLUE: [u8; 4] = [0, 0, 255, 255];

/// What drawing costs: so many fragments in a nanosecond.
fn fragments(fragments: u64) -> Counted {
    Counted { fragments, ..Counted::default() }
}

/// Makes frames until a window shows one color but that of nothing; gives how many.
fn until_drawn(fixture: &mut Fixture, content: Rect, color: [u8; 4]) -> usize {
    for frame in 0..500 {
        let found = single_color(&fixture.part(content));
        if found == Some(color) {
            return frame;
        }
        assert_eq!(found, Some(EMPTY), "frame {frame}: half a picture");
        fixture.frame();
    }
    panic!("it is never drawn");
}

// ---- Beside others -----------------------------------------------------------------------------------

#[test]
fn a_neighbour_keeps_its_frames_and_nobody_sees_half_a_picture() {
    const FRAMES: usize = 300;
    let place = Rect::new(250, 60, 20, 20);
    let mut expected = Vec::new();
    for is_attacked in [false, true] {
        let mut fixture = Fixture::new(WIDTH, HEIGHT);
        fixture.set_costs(fragments(4));
        let mut neighbour = fixture.guest();
        let gears = publish_gears(&mut neighbour, Rect::new(20, 60, 160, 160));
        fixture.sync(&mut neighbour);
        let gears = fixture.content(&neighbour, gears.number());
        let mut hostile = fixture.guest();
        if is_attacked {
            // A million triangles.
            let redraw =
                format!("time_mod r0, 10.0\nmul r0, r0, 0.1\n{}request_frame", pile(50, "0.0, r0, 1.0"));
            let programs = [(Callback::Init, list_of_triangles(20_000)), (Callback::Redraw, redraw)];
            publish(
                &mut hostile,
                place,
                &programs.each_ref().map(|(callback, text)| (*callback, text.as_str())),
            );
            fixture.server.rang(hostile.id);
        }
        let mut pictures = Vec::new();
        let (mut late, mut shown) = (0, Vec::new());
        for frame in 0..FRAMES {
            let before = fixture.drawing_time();
            assert!(fixture.frame().is_some(), "the gears turn");
            late += (fixture.drawing_time() - before) / REFRESH;
            pictures.push(fixture.part(gears));
            if is_attacked {
                assert!(
                    pictures[frame] == expected[frame],
                    "frame {frame}: the neighbour's picture is another"
                );
                let color = single_color(&fixture.part(place));
                let color = color.unwrap_or_else(|| panic!("frame {frame}: half a picture"));
                assert!(color == EMPTY || color[0] == 0 && color[2] == 255, "frame {frame}: {color:?}");
                if shown.last() != Some(&color) {
                    shown.push(color);
                }
            }
        }
        assert_eq!(count(&mut fixture, &neighbour, "redraws"), FRAMES as u64 + 1);
        assert!(late * 100 <= FRAMES as u64, "{late} frames are late");
        if is_attacked {
            assert!(shown.len() >= 3 && shown[0] == EMPTY && !shown[1..].contains(&EMPTY), "{shown:?}");
            assert_eq!(told(&mut hostile), 1, "once, not in each frame");
            // Those that were tried directly, and the last one.
            let suspended = count(&mut fixture, &hostile, "suspended");
            let in_vain = suspended - count(&mut fixture, &hostile, "redraws");
            assert!((2..=STRIKES as u64 + 1).contains(&in_vain), "{in_vain}");
            assert!(count(&mut fixture, &hostile, "slices") > FRAMES as u64 / 2);
            let now = fixture.now;
            let all = fixture.server.command(Command::Stats, now).unwrap().value;
            let worst = all["slice_late_us"]["max"].as_f64().unwrap();
            assert!(worst < 2000.0, "it was stopped {worst} us after the end of its slice");
        }
        expected = pictures;
    }
}

/// Steps that were quick are longer. One that then takes long is late, once.
#[test]
fn who_waits_until_its_steps_are_long_wins_one_frame() {
    let mut fixture = Fixture::new(WIDTH, HEIGHT);
    let mut hostile = fixture.guest();
    let redraw = format!("{}request_frame", pile(3, "0.0, 0.0, 1.0"));
    publish(
        &mut hostile,
        Rect::new(50, 60, 20, 20),
        &[(Callback::Init, &list_of_triangles(20_000)), (Callback::Redraw, &redraw)],
    );
    // It covers nearly nothing for a while.
    fixture.set_costs(fragments(1 << 12));
    fixture.sync(&mut hostile);
    for _ in 0..12 {
        fixture.frame();
    }
    let redraws = count(&mut fixture, &hostile, "redraws");
    assert!(redraws >= 12, "it is drawn directly: {redraws}");
    fixture.set_costs(fragments(1));
    let mut late = Vec::new();
    for _ in 0..100 {
        let before = fixture.drawing_time();
        fixture.frame();
        // Each half of a frame may end a step late.
        late.push((fixture.drawing_time() - before) / (REFRESH + REFRESH / 4));
    }
    assert!(late[0] > 0, "it is late at first: {late:?}");
    assert_eq!(late[1..].iter().sum::<u64>(), 0, "{late:?}");
}

/// It does not help to have other windows for it.
#[test]
fn who_wins_a_frame_by_long_steps_wins_no_other_by_another_window() {
    let mut fixture = Fixture::new(WIDTH, HEIGHT);
    let (init, redraw) = (list_of_triangles(20_000), pile(3, "0.0, 0.0, 1.0"));
    let programs = [(Callback::Init, init.as_str()), (Callback::Redraw, redraw.as_str())];
    let mut late = Vec::new();
    let mut guest = fixture.guest();
    let windows: Vec<ObjectId> =
        (0..3).map(|i| publish(&mut guest, Rect::new(i * 30, 60, 20, 20), &programs).0).collect();
    // They cover nearly nothing for a while.
    fixture.set_costs(fragments(1 << 12));
    for _ in 0..12 {
        let mut commit = guest.context.commit();
        windows.iter().for_each(|&window| commit.request_update(window).unwrap());
        commit.finish().unwrap();
        fixture.sync(&mut guest);
    }
    // Then each does so in another frame.
    fixture.set_costs(fragments(1));
    for &window in &windows {
        let mut commit = guest.context.commit();
        commit.request_update(window).unwrap();
        commit.finish().unwrap();
        let before = fixture.drawing_time();
        fixture.sync(&mut guest);
        late.push((fixture.drawing_time() - before) / (REFRESH + REFRESH / 4));
    }
    assert!(late[0] > 0, "it is late at first: {late:?}");
    assert_eq!(late[1..].iter().sum::<u64>(), 0, "{late:?}");
}

#[test]
fn clients_with_slow_windows_take_turns() {
    const CLIENTS: usize = 15;
    let mut fixture = Fixture::new(WIDTH, HEIGHT);
    fixture.set_costs(fragments(1));
    let mut guests = Vec::new();
    for i in 0..CLIENTS {
        let mut guest = fixture.guest();
        let programs =
            [(Callback::Init, list_of_triangles(10_000)), (Callback::Redraw, pile(10, "0.0, 1.0, 0.0"))];
        let rect = Rect::new(i as i32 * 30, 40, 20, 20);
        publish(&mut guest, rect, &programs.each_ref().map(|(callback, text)| (*callback, text.as_str())));
        fixture.server.rang(guest.id);
        guests.push(guest);
    }
    fixture.frame();
    let slices = |fixture: &mut Fixture| -> Vec<u64> {
        guests.iter().map(|guest| count(fixture, guest, "slices")).collect()
    };
    let before = slices(&mut fixture);
    const FRAMES: u64 = 30;
    for _ in 0..FRAMES {
        let before = fixture.drawing_time();
        fixture.frame();
        let took = fixture.drawing_time() - before;
        assert!(took < REFRESH, "{took} ns");
    }
    let had: Vec<u64> = slices(&mut fixture).iter().zip(before).map(|(now, before)| now - before).collect();
    let in_a_frame = REFRESH / FRAME_PARTS / (MIN_SLICE_MICROSECONDS * 1000);
    assert_eq!(had.iter().sum::<u64>(), FRAMES * in_a_frame);
    let (least, most) = (had.iter().min().unwrap(), had.iter().max().unwrap());
    assert!(most - least <= 1, "{had:?}");
}

/// A first picture waits for the driver, and so does the first one that is drawn elsewhere; then the window is quick.
#[test]
fn a_window_that_is_late_at_first_is_quick_again_and_its_client_hears_nothing() {
    let mut fixture = Fixture::new(WIDTH, HEIGHT);
    let mut guest = fixture.guest();
    let redraw = format!("{}request_frame", pile(10, "0.0, 0.0, 1.0"));
    let programs = [(Callback::Init, list_of_triangles(1_000)), (Callback::Redraw, redraw)];
    let programs = programs.each_ref().map(|(callback, text)| (*callback, text.as_str()));
    let (window, _) = publish(&mut guest, PLACE, &programs);
    let moment = FIRST_SLOW_SECONDS * 1_000_000_000;
    for strike in 1..STRIKES {
        fixture.set_costs(fragments(1));
        let redraws = count(&mut fixture, &guest, "redraws");
        fixture.sync(&mut guest);
        assert!(is_slow(&mut fixture, &guest, window), "strike {strike}");
        while count(&mut fixture, &guest, "redraws") == redraws {
            fixture.frame();
        }
        fixture.frame();
        fixture.set_costs(fragments(64));
        for frame in 0..20 {
            fixture.now += if frame == 10 { moment } else { 0 };
            fixture.frame();
            assert_eq!(
                single_color(&fixture.part(PLACE)),
                Some(BLUE),
                "its last picture, until it has another"
            );
        }
        assert!(!is_slow(&mut fixture, &guest, window));
        fixture.now += STRIKE_SECONDS / 2 * 1_000_000_000;
    }
    let suspended = count(&mut fixture, &guest, "suspended");
    for _ in 0..20 {
        fixture.frame();
    }
    assert_eq!(count(&mut fixture, &guest, "suspended"), suspended);
    assert_eq!(told(&mut guest), 0);
}

/// Windows that are quick one by one, but not all together.
#[test]
fn many_quick_windows_of_a_client_are_not_quick() {
    let mut fixture = Fixture::new(WIDTH, HEIGHT);
    fixture.set_costs(fragments(1));
    let mut neighbour = fixture.guest();
    let gears = publish_gears(&mut neighbour, Rect::new(20, 60, 60, 60));
    fixture.sync(&mut neighbour);
    let mut guest = fixture.guest();
    let init = list_of_triangles(500);
    let redraw = format!("{}request_frame", pile(1, "0.0, 0.0, 1.0"));
    for i in 0..12 {
        publish(
            &mut guest,
            Rect::new(100 + i * 25, 60, 20, 20),
            &[(Callback::Init, &init), (Callback::Redraw, &redraw)],
        );
    }
    fixture.server.rang(guest.id);
    for frame in 0..50 {
        let before = fixture.drawing_time();
        fixture.frame();
        let took = fixture.drawing_time() - before;
        // Half a frame for each client's quick windows, and half a one for the slow ones of all. In the first few, all of
        // them have their chance.
        let most = if frame < 4 { 2 * REFRESH } else { REFRESH * 3 / 2 };
        assert!(took <= most, "frame {frame} took {took} ns");
    }
    assert!(!is_slow(&mut fixture, &neighbour, gears));
    assert_eq!(count(&mut fixture, &neighbour, "redraws"), 51);
    for i in 0..12 {
        let place = Rect::new(100 + i * 25, 60, 20, 20);
        assert_eq!(single_color(&fixture.part(place)), Some(BLUE), "window {i}");
    }
}

/// Windows each of which draws too little to be waited for.
#[test]
fn what_nobody_waits_for_is_its_clients_time() {
    const WINDOWS: i32 = 31;
    let mut fixture = Fixture::new(WIDTH, HEIGHT);
    fixture.set_costs(fragments(1));
    let place = |i: i32| Rect::new(i % 8 * 25, 40 + i / 8 * 45, 20, 20);
    let triangles = (MIN_STEP_FRAGMENTS - 2 * DRAW_FRAGMENTS - 400) / (400 + 3 * VERTEX_FRAGMENTS) / 2 * 2;
    let init = list_of_triangles(triangles as usize);
    let redraw = "clear color\ncolor4 0.0, 0.0, 1.0, 1.0\ncall_list 1\nrequest_frame";
    let mut guest = fixture.guest();
    let windows: Vec<ObjectId> = (0..WINDOWS)
        .map(|i| publish(&mut guest, place(i), &[(Callback::Init, &init), (Callback::Redraw, redraw)]).0)
        .collect();
    fixture.server.rang(guest.id);
    let mut neighbour = fixture.guest();
    let gears = publish_gears(&mut neighbour, Rect::new(300, 60, 60, 60));
    fixture.server.rang(neighbour.id);
    let mut late = Vec::new();
    for _ in 0..60 {
        let before = fixture.drawing_time();
        fixture.frame();
        late.push((fixture.drawing_time() - before) / (REFRESH + REFRESH / 2));
    }
    assert_eq!(late[5..].iter().sum::<u64>(), 0, "{late:?}");
    assert!(windows.iter().any(|&window| is_slow(&mut fixture, &guest, window)));
    assert!(!is_slow(&mut fixture, &neighbour, gears), "it is nobody else's time");
    assert_eq!(count(&mut fixture, &neighbour, "redraws"), 60);
}

/// What the server clears for windows, which may be larger than the screen, is their clients' time.
#[test]
fn large_grounds_that_the_server_clears_count() {
    const SIDE: u32 = 2000;
    let mut fixture = Fixture::new(WIDTH, HEIGHT);
    // Four milliseconds for each ground.
    fixture.set_costs(fragments(1));
    let mut guests = Vec::new();
    for i in 0..3 {
        let mut guest = fixture.guest();
        let mut commit = guest.context.commit();
        let mut desc =
            WindowDesc { y: 40, width: SIDE, height: SIDE, offscreen: true, ..WindowDesc::default() };
        desc.procedures[Callback::Redraw as usize] = commit
            .procedure(Callback::Redraw, &assemble("enable depth_test\nrequest_frame"))
            .unwrap()
            .number();
        for window in 0..4 {
            desc.x = (3 - i) * 120 + (3 - window) * 25;
            commit.window(&desc).unwrap();
        }
        commit.finish().unwrap();
        fixture.server.rang(guest.id);
        guests.push(guest);
    }
    let mut late = 0;
    let before = fixture.drawing_time();
    for _ in 0..200 {
        let before = fixture.drawing_time();
        fixture.frame();
        let took = fixture.drawing_time() - before;
        late += u64::from(took > REFRESH);
        // A clock that only drawing moves has no time in between.
        fixture.wait(REFRESH - took.min(REFRESH));
    }
    assert!(fixture.drawing_time() - before < 210 * REFRESH);
    assert!(late < 10, "{late} frames are late");
}

#[test]
fn inputs_for_which_there_is_no_time_wait() {
    let mut fixture = Fixture::new(WIDTH, HEIGHT);
    let mut guest = fixture.guest();
    let input = format!("{}add r2, r2, 1.0", "sin r0, r1\n".repeat(60_000));
    let mut commit = guest.context.commit();
    let mut desc = WindowDesc { x: 60, y: 60, width: 40, height: 40, ..WindowDesc::default() };
    desc.procedures[Callback::Input as usize] =
        commit.procedure(Callback::Input, &assemble(&input)).unwrap().number();
    let file = commit.registers().unwrap();
    desc.registers = file.number();
    commit.window(&desc).unwrap();
    let registers = commit.register_file(file).unwrap();
    commit.finish().unwrap();
    fixture.sync(&mut guest);
    // Some milliseconds each.
    fixture.set_costs(Counted { yielding: 200_000, ..Counted::default() });
    let before = fixture.drawing_time();
    for i in 0..20 {
        let now = fixture.now;
        fixture.server.input(Input::Motion { x: 65.0 + f64::from(i), y: 80.0 }, now);
    }
    let took = fixture.drawing_time() - before;
    assert!(took <= REFRESH / FRAME_PARTS + 1_000_000, "{took} ns");
    let inputs = count(&mut fixture, &guest, "inputs");
    assert!((1..10).contains(&inputs), "{inputs}");
    for _ in 0..40 {
        fixture.frame();
    }
    assert_eq!(registers.get(Reg::new(2).unwrap()), 20.0);
}

/// What can't be cut is paid for.
#[test]
fn who_reads_long_arrays_in_each_picture_rests() {
    let mut fixture = Fixture::new(WIDTH, HEIGHT);
    // Ten milliseconds each.
    fixture.set_costs(Counted { element: 1000, ..fragments(64) });
    let mut guest = fixture.guest();
    let mut commit = guest.context.commit();
    let buffer = commit.vertex_buffer(&[[0.0f32; 2]; 10_000]).unwrap();
    commit.finish().unwrap();
    let draws: String = (0..2)
        .map(|i| {
            format!(
                "array_pointer vertex, 2, float, 8, {}, {i}\ndraw_arrays points, 0, 10000\n",
                buffer.number()
            )
        })
        .collect();
    let redraw = format!(
        "clear_color 0.0, 0.0, 1.0, 1.0\nclear color\nenable_array vertex, true\n{draws}request_frame"
    );
    publish(&mut guest, PLACE, &[(Callback::Redraw, &redraw)]);
    let mut late = 0;
    for frame in 0..300 {
        // Others in each picture.
        let mut commit = guest.context.commit();
        commit.set_buffer(buffer, &[[frame as f32; 2]; 10_000]).unwrap();
        commit.finish().unwrap();
        let before = fixture.drawing_time();
        fixture.sync(&mut guest);
        let took = fixture.drawing_time() - before;
        late += u64::from(took >= REFRESH / FRAME_PARTS);
        // A clock that only drawing moves has no time in between.
        fixture.wait(REFRESH - took.min(REFRESH));
    }
    assert!((2..=8).contains(&late), "{late} frames of 300 are late");
    assert!(count(&mut fixture, &guest, "redraws") >= 1);
    assert_eq!(single_color(&fixture.part(Rect { width: 10, ..PLACE })), Some(BLUE));
}

// ---- The picture -----------------------------------------------------------------------------------

#[test]
fn a_slow_windows_picture_is_that_of_one_drawn_at_once() {
    let mut blended = String::from("clear color\nenable blend\nblend_func src_alpha, one_minus_src_alpha\n");
    let mut random = fastrand::Rng::with_seed(3);
    for _ in 0..3000 {
        let mut number = |from: f32, to: f32| from + random.f32() * (to - from);
        blended.push_str(&format!(
            "begin triangles\ncolor4 {:.3}, {:.3}, {:.3}, 0.3\n",
            number(0.0, 1.0),
            number(0.0, 1.0),
            number(0.0, 1.0)
        ));
        for _ in 0..3 {
            blended.push_str(&format!("vertex2 {:.3}, {:.3}\n", number(-1.2, 1.2), number(-1.2, 1.2)));
        }
        blended.push_str("end\n");
    }
    let pictures = [0, 1].map(|costs| {
        let mut fixture = Fixture::new(WIDTH, HEIGHT);
        fixture.set_costs(fragments(costs));
        let mut guest = fixture.guest();
        let (window, _) = publish(&mut guest, Rect::new(60, 60, 200, 150), &[(Callback::Redraw, &blended)]);
        fixture.sync(&mut guest);
        for _ in 0..100 {
            fixture.frame();
        }
        assert_eq!(is_slow(&mut fixture, &guest, window), costs > 0);
        assert_eq!(count(&mut fixture, &guest, "redraws"), 1);
        fixture.part(Rect::new(60, 60, 200, 150))
    });
    assert_eq!(single_color(&pictures[0]), None);
    assert!(pictures[0] == pictures[1]);
}

/// A fixture with one slow window in the middle of its first picture, which is green.
struct Suspended {
    fixture: Fixture,
    guest: Guest,
    window: ObjectId,
    procedures: Vec<ObjectId>,
}

const PLACE: Rect = Rect { x: 60, y: 60, width: 40, height: 40 };

fn suspended() -> Suspended {
    suspended_on(WIDTH, HEIGHT, None)
}

fn suspended_on(width: u32, height: u32, owner: Option<Owner>) -> Suspended {
    let mut fixture = Fixture::new(width, height);
    fixture.owner = owner;
    fixture.set_costs(fragments(1));
    let mut guest = fixture.guest();
    let (window, procedures) = publish(
        &mut guest,
        PLACE,
        &[
            (Callback::Init, &list_of_triangles(5_000)),
            (Callback::Redraw, &pile(10, "0.0, 1.0, 0.0")),
            (Callback::Reshape, "read r0, width\nread r1, height\nviewport 0, 0, r0, r1"),
        ],
    );
    fixture.sync(&mut guest);
    fixture.frame();
    fixture.frame();
    assert!(is_slow(&mut fixture, &guest, window));
    assert_eq!(single_color(&fixture.part(PLACE)), Some(EMPTY));
    Suspended { fixture, guest, window, procedures }
}

/// Windows of it take too long one after the other, until it is told. One did already.
fn convict(fixture: &mut Fixture, guest: &mut Guest) {
    for strike in 2..=STRIKES {
        let programs =
            [(Callback::Init, list_of_triangles(5_000)), (Callback::Redraw, pile(10, "1.0, 0.0, 0.0"))];
        let (window, _) =
            publish(guest, PLACE, &programs.each_ref().map(|(callback, text)| (*callback, text.as_str())));
        fixture.sync(guest);
        assert!(is_slow(fixture, guest, window));
        assert_eq!(told(guest), usize::from(strike == STRIKES));
        let mut commit = guest.context.commit();
        commit.remove(window).unwrap();
        commit.finish().unwrap();
    }
    fixture.sync(guest);
}

#[test]
fn a_suspended_run_ends_and_then_nothing_asks_for_frames() {
    let Suspended { mut fixture, guest, .. } = suspended();
    assert!(until_drawn(&mut fixture, PLACE, GREEN) > 5);
    fixture.frame();
    for _ in 0..10 {
        assert!(fixture.frame().is_none());
        assert_eq!(fixture.server.next_frame(fixture.now), None);
    }
    assert_eq!(count(&mut fixture, &guest, "redraws"), 1);
    // What covers it and goes leaves its picture.
    fixture.server.damage_all();
    fixture.frame();
    assert_eq!(single_color(&fixture.part(PLACE)), Some(GREEN));
    assert_eq!(count(&mut fixture, &guest, "redraws"), 1);
}

#[test]
fn a_procedure_that_is_replaced_while_it_is_suspended_starts_anew() {
    let Suspended { mut fixture, mut guest, window, procedures } = suspended();
    replace(&mut guest, procedures[1], Callback::Redraw, "clear_color 0.0, 0.0, 1.0, 1.0\nclear color");
    fixture.sync(&mut guest);
    fixture.frame();
    assert_eq!(single_color(&fixture.part(PLACE)), Some(BLUE));
    assert_eq!(count(&mut fixture, &guest, "redraws"), 1, "the one before never came to its end");
    assert!(is_slow(&mut fixture, &guest, window));
    // The same again, over a picture.
    replace(&mut guest, procedures[1], Callback::Redraw, &pile(10, "0.0, 1.0, 0.0"));
    fixture.sync(&mut guest);
    for _ in 0..5 {
        assert_eq!(single_color(&fixture.part(PLACE)), Some(BLUE), "the last complete picture");
        fixture.frame();
    }
    replace(&mut guest, procedures[0], Callback::Init, &list_of_triangles(1));
    fixture.sync(&mut guest);
    fixture.frame();
    fixture.frame();
    assert_eq!(
        single_color(&fixture.part(PLACE)),
        Some(GREEN),
        "the window starts afresh, with a short list"
    );
    // Without a procedure there is no picture.
    let mut commit = guest.context.commit();
    commit.remove(procedures[1]).unwrap();
    commit.finish().unwrap();
    fixture.sync(&mut guest);
    fixture.frame();
    fixture.frame();
    assert_eq!(single_color(&fixture.part(PLACE)), Some(EMPTY));
}

#[test]
fn who_replaces_its_procedure_in_each_frame_comes_to_a_picture() {
    let Suspended { mut fixture, mut guest, procedures, .. } = suspended();
    for i in 0..100 {
        // Each version is another program.
        let text = format!("clear_color 0.0, 0.0, 0.{i:03}, 1.0\n") + &pile(10, "0.0, 1.0, 0.0");
        replace(&mut guest, procedures[1], Callback::Redraw, &text);
        fixture.sync(&mut guest);
        fixture.frame();
    }
    assert_eq!(single_color(&fixture.part(PLACE)), Some(GREEN));
    assert!(count(&mut fixture, &guest, "redraws") > 1);
}

#[test]
fn a_window_that_is_resized_while_it_is_suspended_starts_anew() {
    let Suspended { mut fixture, guest, window, .. } = suspended();
    let id = WindowId { client: guest.id, context: 0, oid: window.number() };
    let slices = count(&mut fixture, &guest, "suspended");
    let now = fixture.now;
    fixture.server.command(Command::Resize { window: id, width: 60, height: 30 }, now).unwrap();
    let place = Rect { width: 60, height: 30, ..PLACE };
    fixture.frame();
    until_drawn(&mut fixture, place, GREEN);
    assert_eq!(count(&mut fixture, &guest, "suspended"), slices + 1);
    assert_eq!(count(&mut fixture, &guest, "redraws"), 1);
    // Moved, it goes on.
    let now = fixture.now;
    fixture.server.command(Command::Resize { window: id, width: 40, height: 40 }, now).unwrap();
    for i in 0..4 {
        let now = fixture.now;
        fixture.server.command(Command::Move { window: id, x: 100 + i, y: 60 }, now).unwrap();
        fixture.frame();
    }
    for _ in 0..100 {
        fixture.frame();
    }
    assert_eq!(single_color(&fixture.part(Rect { x: 103, ..PLACE })), Some(GREEN));
}

#[test]
fn what_goes_while_it_is_suspended_leaves_nothing() {
    for is_client in [false, true] {
        let Suspended { mut fixture, mut guest, window, .. } = suspended();
        if is_client {
            fixture.server.remove_client(guest.id);
        } else {
            let mut commit = guest.context.commit();
            commit.remove(window).unwrap();
            commit.finish().unwrap();
            fixture.sync(&mut guest);
        }
        for _ in 0..3 {
            fixture.frame();
        }
        let all = fixture.picture();
        assert!(single_color(&all).is_some(), "only the background is left");
        assert_eq!(fixture.server.next_frame(fixture.now), None);
    }
}

/// A video behind a slow procedure is seen: new pictures do not end the run.
#[test]
fn textures_may_change_while_a_run_is_suspended() {
    let mut fixture = Fixture::new(WIDTH, HEIGHT);
    fixture.set_costs(fragments(1));
    let mut guest = fixture.guest();
    let mut commit = guest.context.commit();
    let info = TextureInfo::bgra(1, 1);
    let texture = commit.texture(&info, &[0, 255, 0, 255]).unwrap();
    commit.finish().unwrap();
    let redraw = format!(
        "{}color4 1.0, 1.0, 1.0, 1.0\nenable texture_2d\nbind_texture {}\nbegin triangles\nvertex2 -1.0, -1.0\n\
         vertex2 3.0, -1.0\nvertex2 -1.0, 3.0\nend\n",
        pile(10, "1.0, 0.0, 0.0"),
        texture.number()
    );
    publish(&mut guest, PLACE, &[(Callback::Init, &list_of_triangles(5_000)), (Callback::Redraw, &redraw)]);
    let mut redraws = 0;
    for frame in 0..200 {
        let mut commit = guest.context.commit();
        commit.set_texture(texture, &info, &[frame as u8, 255, 0, 255]).unwrap();
        commit.finish().unwrap();
        fixture.sync(&mut guest);
        let color = single_color(&fixture.part(PLACE)).expect("half a picture");
        assert!(color == EMPTY || color[1] == 255, "{color:?}");
        redraws = count(&mut fixture, &guest, "redraws");
    }
    assert!((3..100).contains(&redraws), "{redraws} pictures in 200 frames");
}

#[test]
fn windows_that_were_slow_are_quick_again_after_a_while() {
    let Suspended { mut fixture, mut guest, window, procedures } = suspended();
    convict(&mut fixture, &mut guest);
    replace(
        &mut guest,
        procedures[1],
        Callback::Redraw,
        "clear_color 0.0, 0.0, 1.0, 1.0\nclear color\nrequest_frame",
    );
    fixture.sync(&mut guest);
    for _ in 0..5 {
        fixture.frame();
    }
    assert!(is_slow(&mut fixture, &guest, window));
    // And so is what its client makes later.
    let place = Rect { x: 120, ..PLACE };
    let (other, _) =
        publish(&mut guest, place, &[(Callback::Redraw, "clear_color 0.0, 1.0, 0.0, 1.0\nclear color")]);
    fixture.sync(&mut guest);
    fixture.frame();
    assert!(is_slow(&mut fixture, &guest, other));
    assert_eq!(single_color(&fixture.part(place)), Some(GREEN));
    fixture.now += (SLOW_SECONDS + 1) * 1_000_000_000 / REFRESH * REFRESH;
    fixture.frame();
    fixture.frame();
    for (window, place, color) in [(window, PLACE, BLUE), (other, place, GREEN)] {
        assert!(!is_slow(&mut fixture, &guest, window));
        assert_eq!(single_color(&fixture.part(place)), Some(color));
    }
}

#[test]
fn a_slow_window_without_buffers_is_empty_and_its_client_hears_it() {
    const SIDE: u32 = 2048;
    let Suspended { mut fixture, mut guest, .. } = suspended_on(SIDE, SIDE, None);
    convict(&mut fixture, &mut guest);
    // Large buffers are a matter of another test.
    fixture.set_costs(fragments(64));
    fixture.wait(10_000_000_000);
    // One has a picture, another is drawn.
    let most = MAX_OFFSCREEN_PIXELS / u64::from(SIDE * SIDE);
    let mut windows = Vec::new();
    for i in 0..most as i32 {
        // Each is seen by a strip.
        let rect = Rect::new(200 + i * 40, 60 + i * 40, SIDE, SIDE);
        let (window, _) =
            publish(&mut guest, rect, &[(Callback::Redraw, "clear_color 0.0, 1.0, 0.0, 1.0\nclear color")]);
        windows.push(window);
    }
    fixture.sync(&mut guest);
    until_drawn(&mut fixture, PLACE, GREEN);
    for _ in 0..20 {
        fixture.frame();
    }
    let listed: Vec<Value> = windows.iter().map(|&window| window_of(&mut fixture, &guest, window)).collect();
    let refused: Vec<usize> = (0..windows.len()).filter(|&i| listed[i]["error"].is_string()).collect();
    let [refused] = refused[..] else {
        let errors: Vec<(&Value, &Value, &Value)> =
            listed.iter().map(|w| (&w["error"], &w["redraws"], &w["slow"])).collect();
        panic!("one has no room: {errors:?} {}", listed[0])
    };
    assert!(listed[refused]["error"].as_str().unwrap().contains("not drawn"));
    let strip = |i: usize| Rect::new(205 + i as i32 * 40, 400, 20, 20);
    for i in 0..windows.len() {
        let color = if i == refused { EMPTY } else { GREEN };
        assert_eq!(single_color(&fixture.part(strip(i))), Some(color), "window {i}");
    }
    let events: Vec<String> =
        std::iter::from_fn(|| guest.context.next_event()).map(|e| format!("{:?}", e.what)).collect();
    assert_eq!(events.iter().filter(|e| e.contains("Buffers")).count(), 1, "{events:?}");
    assert_eq!(fixture.server.next_frame(fixture.now), None, "and nothing asks for frames in vain");
    // With less it has its picture.
    let now = fixture.now;
    let id = WindowId { client: guest.id, context: 0, oid: windows[refused].number() };
    fixture.server.command(Command::Resize { window: id, width: 300, height: 300 }, now).unwrap();
    fixture.server.command(Command::Raise { window: id }, now).unwrap();
    fixture.frame();
    fixture.frame();
    assert_eq!(single_color(&fixture.part(strip(refused))), Some(GREEN));
}

// ---- Other callbacks ---------------------------------------------------------------------------------

#[test]
fn few_redraws_of_a_client_are_suspended_at_a_time() {
    const WINDOWS: i32 = 12;
    let mut fixture = Fixture::new(WIDTH, HEIGHT);
    fixture.set_costs(fragments(1));
    let mut guest = fixture.guest();
    let (init, redraw) = (list_of_triangles(2_000), pile(10, "0.0, 1.0, 0.0"));
    let programs = [(Callback::Init, init.as_str()), (Callback::Redraw, redraw.as_str())];
    let place = |i: i32| Rect::new(i * 30, 60, 20, 20);
    let windows: Vec<ObjectId> = (0..WINDOWS).map(|i| publish(&mut guest, place(i), &programs).0).collect();
    fixture.sync(&mut guest);
    let mut most = 0;
    for _ in 0..500 {
        let busy =
            windows.iter().filter(|&&w| window_of(&mut fixture, &guest, w)["busy"] == "redraw").count();
        most = most.max(busy);
        fixture.frame();
    }
    assert!((1..=MAX_SUSPENDED_REDRAWS).contains(&most), "{most}");
    for i in 0..WINDOWS {
        assert_eq!(single_color(&fixture.part(place(i))), Some(GREEN), "window {i}");
    }
}

/// Lists that call lists: they are suspended within.
#[test]
fn list_bombs_are_suspended_within_their_lists() {
    let mut init = String::from("new_list 1\n");
    init.push_str(&"rotate r0, 0.0, 0.0, 1.0\n".repeat(64));
    init.push_str("end_list\n");
    for list in 2..=12 {
        init.push_str(&format!(
            "new_list {list}\n{}end_list\n",
            format!("call_list {}\n", list - 1).repeat(4)
        ));
    }
    let mut fixture = Fixture::new(WIDTH, HEIGHT);
    fixture.set_costs(Counted { yielding: 100_000, ..fragments(64) });
    let mut guest = fixture.guest();
    let redraw = "clear_color 0.0, 1.0, 0.0, 1.0\nclear color\ncall_list 6\nrequest_frame";
    let (window, _) = publish(&mut guest, PLACE, &[(Callback::Init, &init), (Callback::Redraw, redraw)]);
    fixture.sync(&mut guest);
    fixture.frame();
    assert!(is_slow(&mut fixture, &guest, window));
    assert!(until_drawn(&mut fixture, PLACE, GREEN) > 1);
    let mut long = 0;
    for _ in 0..100 {
        let before = fixture.drawing_time();
        fixture.frame();
        let took = fixture.drawing_time() - before;
        assert!(took <= REFRESH + 200_000, "{took} ns");
        long += usize::from(took > REFRESH / FRAME_PARTS + 200_000);
    }
    assert!(long < STRIKES, "{long} frames had more than a slice of it");
    let redraws = count(&mut fixture, &guest, "redraws");
    assert!(redraws >= 2, "{redraws}");
}

#[test]
fn a_suspended_update_makes_the_others_wait() {
    let update = format!("{}mov r1, 7.0\ntranslate 0.5, 0.0, 0.0\n", "sin r0, r1\n".repeat(60_000));
    let redraw = "clear_color 0.0, 1.0, 0.0, 1.0\nclear color\nadd r3, r3, 1.0";
    let mut fixture = Fixture::new(WIDTH, HEIGHT);
    let mut guest = fixture.guest();
    let mut commit = guest.context.commit();
    let mut desc = WindowDesc { x: 60, y: 60, width: 40, height: 40, ..WindowDesc::default() };
    for (callback, text) in [
        (Callback::Update, update.as_str()),
        (Callback::Redraw, redraw),
        (Callback::Input, "add r2, r2, 1.0\nmov r4, r1"),
    ] {
        let oid = commit.procedure(callback, &assemble(text)).unwrap();
        desc.procedures[callback as usize] = oid.number();
    }
    let file = commit.registers().unwrap();
    desc.registers = file.number();
    let window = commit.window(&desc).unwrap();
    let registers = commit.register_file(file).unwrap();
    commit.finish().unwrap();
    let value = |register: u32| registers.get(Reg::new(register).unwrap());
    fixture.sync(&mut guest);
    assert_eq!((value(1), value(3)), (0.0, 1.0));
    fixture.set_costs(Counted { yielding: 8_000_000, ..Counted::default() });
    let mut commit = guest.context.commit();
    commit.request_update(window).unwrap();
    commit.finish().unwrap();
    fixture.sync(&mut guest);
    for i in 0..10 {
        let now = fixture.now;
        fixture.server.input(Input::Motion { x: 65.0 + f64::from(i), y: 80.0 }, now);
    }
    assert_eq!(count(&mut fixture, &guest, "updates"), 0, "it is suspended");
    assert_eq!(window_of(&mut fixture, &guest, window)["busy"], "update");
    assert_eq!((value(1), value(2)), (0.0, 0.0), "what it did so far is its own");
    fixture.server.damage_all();
    fixture.frame();
    assert_eq!(value(3), 1.0, "it is not redrawn meanwhile");
    let mut frames = 0;
    while count(&mut fixture, &guest, "updates") == 0 {
        fixture.frame();
        frames += 1;
        assert!(frames < 100);
    }
    assert!(frames > 1);
    for _ in 0..20 {
        fixture.frame();
    }
    assert_eq!((value(1), value(2), value(4)), (7.0, 10.0, 7.0), "inputs came after it, all of them");
    assert!(value(3) >= 2.0 && !is_slow(&mut fixture, &guest, window));
    assert_eq!(single_color(&fixture.part(PLACE)), Some(GREEN));
    assert_eq!(count(&mut fixture, &guest, "updates"), 1);
    // Another request while it is suspended is another run.
    for _ in 0..2 {
        let mut commit = guest.context.commit();
        commit.request_update(window).unwrap();
        commit.finish().unwrap();
        fixture.sync(&mut guest);
        fixture.frame();
    }
    for _ in 0..100 {
        fixture.frame();
    }
    assert_eq!(count(&mut fixture, &guest, "updates"), 3);
}
