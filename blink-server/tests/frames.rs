//! Frames of a server with clients in the same process: what is drawn, and when.
#![allow(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::cast_possible_wrap,
    clippy::wildcard_enum_match_arm,
    missing_docs,
    reason = "a test"
)]

mod support;

use blink_client::{ObjectId, What, WindowDesc};
use blink_server::geometry::Rect;
use blink_server::ipc::{Command, Input, Placement, WindowId};
use blinkgl::gl::{ClearMask, Primitive};
use blinkgl::ops::{Callback, Op};
use blinkgl::{Recorder, WireProgram};
use examples::gears;
use ipc::limits::{PLACEMENT_MILLISECONDS, PLACEMENTS_AT_ONCE};
use support::{Fixture, Guest};

/// Publishes the sp gears; gives the window's OID.
fn publish_gears(guest: &mut Guest, x: i32, y: i32) -> u32 {
    let mut commit = guest.context.commit();
    let mut desc = WindowDesc { x, y, width: 300, height: 300, ..WindowDesc::default() };
    desc.set_title("Gears");
    for (callback, program) in [
        (Callback::Init, gears::init()),
        (Callback::Reshape, gears::reshape()),
        (Callback::Redraw, gears::redraw(gears::Angle::Time)),
        (Callback::Input, gears::input()),
    ] {
        let oid = commit.procedure(callback, &program.unwrap()).unwrap();
        desc.procedures[callback as usize] = oid.number();
    }
    let registers = commit.registers().unwrap();
    desc.registers = registers.number();
    let window = commit.window(&desc).unwrap();
    let file = commit.register_file(registers).unwrap();
    file.set(blinkgl::Reg::new(gears::VIEW_X).unwrap(), gears::VIEW[0]);
    file.set(blinkgl::Reg::new(gears::VIEW_Y).unwrap(), gears::VIEW[1]);
    commit.finish().unwrap();
    window.number()
}

#[test]
fn gears_turn_without_their_client() {
    let mut fixture = Fixture::new(800, 480);
    let mut first = fixture.guest();
    let mut second = fixture.guest();
    publish_gears(&mut first, 40, 60);
    let oid = publish_gears(&mut second, 420, 100);
    fixture.sync(&mut first);
    fixture.sync(&mut second);
    let content = fixture.content(&second, oid);
    let mut pictures = vec![fixture.part(content)];
    for _ in 0..10 {
        assert!(fixture.frame().is_some(), "an animation asks for each frame");
        pictures.push(fixture.part(content));
    }
    fixture.save("two-gears");
    // The second one's four procedures are the first one's.
    let cached = [0, 1].map(|client| stats(&mut fixture, client)["cached_procedures"].as_u64());
    assert_eq!(cached, [Some(0), Some(4)]);
    for pair in pictures.windows(2) {
        assert_ne!(pair[0], pair[1], "each frame shows another angle");
    }
    let colors = pictures[5].chunks_exact(4).filter(|p| p[0] > 60 || p[1] > 60 || p[2] > 60).count();
    assert!(colors > 10_000, "lit gears fill a third of their window, these only {colors} pixels");
}

/// A window whose `redraw` clears it to a color; gives window and procedure.
fn publish_color(guest: &mut Guest, rect: Rect, color: [f32; 3]) -> (ObjectId, ObjectId) {
    let mut commit = guest.context.commit();
    let redraw = commit.procedure(Callback::Redraw, &clear_to(color)).unwrap();
    let mut desc =
        WindowDesc { x: rect.x, y: rect.y, width: rect.width, height: rect.height, ..WindowDesc::default() };
    desc.procedures[Callback::Redraw as usize] = redraw.number();
    let window = commit.window(&desc).unwrap();
    commit.finish().unwrap();
    (window, redraw)
}

fn clear_to([r, g, b]: [f32; 3]) -> WireProgram {
    let mut p = Recorder::new();
    p.clear_color(r, g, b, 1.0);
    p.clear(ClearMask::COLOR);
    p.finish().unwrap()
}

fn stats(fixture: &mut Fixture, client: usize) -> serde_json::Value {
    let now = fixture.now;
    fixture.server.command(Command::Stats, now).unwrap().value["clients"][client].clone()
}

/// All pixels of a picture, if they are equal.
fn single_color(pixels: &[u8]) -> Option<[u8; 4]> {
    let first: [u8; 4] = pixels.get(..4)?.try_into().ok()?;
    pixels.chunks_exact(4).all(|p| p == first).then_some(first)
}

#[test]
fn a_still_picture_makes_no_frames() {
    let mut fixture = Fixture::new(400, 300);
    let mut guest = fixture.guest();
    publish_color(&mut guest, Rect::new(50, 50, 100, 80), [1.0, 0.0, 0.0]);
    assert!(fixture.sync(&mut guest).is_some());
    for _ in 0..10 {
        assert!(fixture.sync(&mut guest).is_none());
    }
    assert_eq!(stats(&mut fixture, 0)["redraws"], 1);
}

#[test]
fn a_refused_procedure_leaves_the_last_good_one_in_use() {
    let mut fixture = Fixture::new(400, 300);
    let mut guest = fixture.guest();
    let (window, redraw) = publish_color(&mut guest, Rect::new(50, 50, 100, 80), [1.0, 0.0, 0.0]);
    fixture.sync(&mut guest);
    let content = fixture.content(&guest, window.number());
    assert_eq!(single_color(&fixture.part(content)), Some([255, 0, 0, 255]));

    // A jump backward: op 1 of a program whose first op is fine.
    let mut words = clear_to([0.0, 1.0, 0.0]).untrusted_words().to_vec();
    words.extend([u32::from(Op::Jmp.code()), 4]);
    words[2] = u32::try_from(words.len()).unwrap();
    let mut commit = guest.context.commit();
    commit.set_procedure(redraw, Callback::Redraw, &WireProgram::from_words(words)).unwrap();
    commit.finish().unwrap();
    fixture.sync(&mut guest);
    let refusal = std::iter::from_fn(|| guest.context.next_event())
        .find_map(|e| match e.what {
            What::ProcedureRejected(refusal) => Some(refusal),
            _ => None,
        })
        .expect("the client is told");
    assert_eq!((refusal.oid, refusal.op_index), (redraw.number(), 2));
    let now = fixture.now;
    let list = fixture.server.command(Command::List, now).unwrap().value;
    let error = list[0]["windows"][0]["procedures"][0]["error"].as_str().unwrap().to_owned();
    assert!(error.contains("op 2") && error.contains("jmp"), "{error}");
    // Drawn again, it is still red.
    fixture.server.damage_all();
    fixture.frame();
    assert_eq!(single_color(&fixture.part(content)), Some([255, 0, 0, 255]));

    let mut commit = guest.context.commit();
    commit.set_procedure(redraw, Callback::Redraw, &clear_to([0.0, 0.0, 1.0])).unwrap();
    commit.finish().unwrap();
    fixture.sync(&mut guest);
    assert_eq!(single_color(&fixture.part(content)), Some([0, 0, 255, 255]));
    let now = fixture.now;
    let list = fixture.server.command(Command::List, now).unwrap().value;
    assert!(list[0]["windows"][0]["procedures"][0]["error"].is_null());
}

/// Clears to a color whose red has gone through 8,192 operations, in each frame.
fn work_for_color([r, g, b]: [f32; 3]) -> WireProgram {
    let mut p = Recorder::new();
    let red = p.alloc();
    p.mov(red, r);
    for _ in 0..4096 {
        p.add(red, red, 1.0);
        p.sub(red, red, 1.0);
    }
    p.clear_color(red, g, b, 1.0);
    p.clear(ClearMask::COLOR);
    p.request_frame();
    p.finish().unwrap()
}

#[test]
fn a_long_procedure_is_drawn_in_the_frame_after_its_publication_and_in_each_one_then() {
    let mut fixture = Fixture::new(400, 300);
    let mut guest = fixture.guest();
    let (window, redraw) = publish_color(&mut guest, Rect::new(50, 50, 100, 80), [1.0, 1.0, 1.0]);
    fixture.sync(&mut guest);
    let content = fixture.content(&guest, window.number());
    for color in [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [1.0, 0.0, 1.0]] {
        let mut commit = guest.context.commit();
        commit.set_procedure(redraw, Callback::Redraw, &work_for_color(color)).unwrap();
        commit.finish().unwrap();
        let [r, g, b] = color.map(|level| (level * 255.0) as u8);
        assert!(fixture.sync(&mut guest).is_some(), "the next frame");
        assert_eq!(single_color(&fixture.part(content)), Some([r, g, b, 255]));
        // The compiler works behind these, and what it makes is taken up between two of them.
        for _ in 0..100 {
            assert!(fixture.frame().is_some());
            assert_eq!(single_color(&fixture.part(content)), Some([r, g, b, 255]));
        }
    }
    let redraws = stats(&mut fixture, 0)["redraws"].as_u64();
    assert_eq!(redraws, Some(1 + 3 * 101), "no frame was left out");
}

#[test]
fn covered_windows_are_not_run_until_they_are_uncovered() {
    let mut fixture = Fixture::new(500, 400);
    let mut below = fixture.guest();
    let mut above = fixture.guest();
    let gears = publish_gears(&mut below, 60, 60);
    fixture.sync(&mut below);
    for _ in 0..3 {
        assert!(fixture.frame().is_some());
    }
    let (cover, _) = publish_color(&mut above, Rect::new(40, 40, 400, 340), [0.0, 0.5, 0.0]);
    fixture.sync(&mut above);
    let runs = stats(&mut fixture, 0)["redraws"].as_u64().unwrap();
    for _ in 0..5 {
        assert!(fixture.frame().is_none(), "an animation that nobody sees makes no frames");
    }
    assert_eq!(stats(&mut fixture, 0)["redraws"], runs);
    let mut commit = above.context.commit();
    commit.remove(cover).unwrap();
    commit.finish().unwrap();
    fixture.sync(&mut above);
    let content = fixture.content(&below, gears);
    let first = fixture.part(content);
    assert!(fixture.frame().is_some());
    assert_ne!(fixture.part(content), first, "and goes on");
}

#[test]
fn a_commit_is_shown_whole_or_not_at_all() {
    let mut fixture = Fixture::new(500, 300);
    let mut guest = fixture.guest();
    let (left, a) = publish_color(&mut guest, Rect::new(20, 40, 100, 80), [1.0, 0.0, 0.0]);
    let (right, b) = publish_color(&mut guest, Rect::new(200, 40, 100, 80), [1.0, 0.0, 0.0]);
    fixture.sync(&mut guest);
    let mut commit = guest.context.commit();
    commit.set_procedure(a, Callback::Redraw, &clear_to([0.0, 0.0, 1.0])).unwrap();
    commit.set_procedure(b, Callback::Redraw, &clear_to([0.0, 0.0, 1.0])).unwrap();
    // The client stops here, in the middle; the server looks, and sees what was.
    fixture.server.rang(guest.id);
    fixture.server.damage_all();
    // `commit` holds the context, so the picture is looked at by the server's hand alone.
    let places = [Rect::new(20, 40, 100, 80), Rect::new(200, 40, 100, 80)];
    fixture.frame();
    for place in places {
        assert_eq!(single_color(&fixture.part(place)), Some([255, 0, 0, 255]));
    }
    commit.finish().unwrap();
    fixture.sync(&mut guest);
    for window in [left, right] {
        let content = fixture.content(&guest, window.number());
        assert_eq!(single_color(&fixture.part(content)), Some([0, 0, 255, 255]));
    }
}

#[test]
fn another_renderer_draws_the_same_picture() {
    let mut fixture = Fixture::new(900, 480);
    let mut first = fixture.guest();
    let mut second = fixture.guest();
    publish_gears(&mut first, 40, 60);
    let gears = publish_gears(&mut second, 420, 100);
    let (small, _) = publish_color(&mut first, Rect::new(300, 200, 200, 150), [0.2, 0.4, 0.6]);
    fixture.sync(&mut first);
    fixture.sync(&mut second);
    // The user places and raises windows, and turns one's gears.
    let id = |guest: &Guest, oid| WindowId { client: guest.id, context: 0, oid };
    for command in [
        Command::Move { window: id(&second, gears), x: 500, y: 130 },
        Command::Raise { window: id(&first, small.number()) },
    ] {
        let now = fixture.now;
        fixture.server.command(command, now).unwrap();
    }
    for input in [
        Input::Motion { x: 650.0, y: 300.0 },
        Input::Button { button: 0, pressed: true },
        Input::Motion { x: 700.0, y: 330.0 },
        Input::Button { button: 0, pressed: false },
    ] {
        let now = fixture.now;
        fixture.server.input(input, now);
    }
    fixture.frame();
    fixture.frame();
    let before = fixture.picture();
    fixture.save("before-restart");
    let now = fixture.now;
    let placements: Vec<Placement> = fixture.server.take_placements().into_values().flatten().collect();
    assert_eq!(placements.len(), 3);
    fixture.restart(&placements);
    fixture.now = now - support::REFRESH;
    fixture.frame();
    assert_eq!(fixture.now, now);
    fixture.save("restarted");
    assert!(fixture.picture() == before, "the picture at the same time is the same, bit for bit");
}

#[test]
fn where_windows_are_is_told_a_few_times_a_second_and_at_last() {
    let mut fixture = Fixture::new(400, 400);
    let mut guest = fixture.guest();
    let oid = publish_gears(&mut guest, 40, 60);
    fixture.sync(&mut guest);
    let id = WindowId { client: guest.id, context: 0, oid };
    let mut told = Vec::new();
    const FRAMES: u64 = 100;
    let take = |fixture: &mut Fixture, told: &mut Vec<(u64, i32)>| {
        let now = fixture.now;
        for (client, windows) in fixture.server.take_placements() {
            assert_eq!((client, windows.len()), (id.client, 1));
            told.push((now, windows[0].x));
        }
    };
    for x in 0..i32::try_from(FRAMES).unwrap() {
        let now = fixture.now;
        fixture.server.command(Command::Move { window: id, x, y: 60 }, now).unwrap();
        take(&mut fixture, &mut told);
        fixture.frame();
    }
    let interval = PLACEMENT_MILLISECONDS * 1_000_000;
    let most = PLACEMENTS_AT_ONCE + FRAMES * support::REFRESH / interval;
    assert!((PLACEMENTS_AT_ONCE + 1..=most).contains(&(told.len() as u64)), "{told:?}");
    assert!(
        told[PLACEMENTS_AT_ONCE as usize..].windows(2).all(|t| t[1].0 - t[0].0 >= interval / 2),
        "{told:?}"
    );
    // Nobody moves it any more: the last place is told when its time comes, and nothing after it.
    let pass = |fixture: &mut Fixture, told: &mut Vec<(u64, i32)>| {
        for _ in 0..=interval / support::REFRESH {
            fixture.frame();
            take(fixture, told);
        }
    };
    pass(&mut fixture, &mut told);
    assert_eq!(told.last().unwrap().1, 99);
    let before = told.len();
    pass(&mut fixture, &mut told);
    assert_eq!(told.len(), before);
    // What could not be told is given again.
    fixture.server.glass.return_placements(id.client);
    pass(&mut fixture, &mut told);
    assert_eq!(told.len(), before + 1);
}

#[test]
fn input_procedures_answer_without_the_client() {
    let mut fixture = Fixture::new(400, 400);
    let mut guest = fixture.guest();
    let oid = publish_gears(&mut guest, 40, 60);
    fixture.sync(&mut guest);
    let content = fixture.content(&guest, oid);
    let registers = guest.context.registers(ObjectId::new(5).unwrap());
    let registers = registers.expect("the register file is the fifth object");
    let view = |number| registers.get(blinkgl::Reg::new(number).unwrap());
    assert_eq!(view(gears::VIEW_Y), gears::VIEW[1]);
    let at = |x: i32, y: i32| Input::Motion { x: f64::from(content.x + x), y: f64::from(content.y + y) };
    for input in [
        at(100, 100),
        Input::Button { button: 0, pressed: true },
        at(120, 100),
        at(140, 90),
        Input::Button { button: 0, pressed: false },
        at(200, 200),
    ] {
        let now = fixture.now;
        fixture.server.input(input, now);
    }
    assert_eq!(view(gears::VIEW_Y), gears::VIEW[1] + 40.0 * gears::DRAG);
    assert_eq!(view(gears::VIEW_X), gears::VIEW[0] - 10.0 * gears::DRAG);
    // And the client can read what happened when it likes.
    let heard = std::iter::from_fn(|| guest.context.next_event()).count();
    assert!(heard >= 6, "{heard} events");
}

#[test]
fn a_client_that_goes_takes_only_its_own() {
    let mut fixture = Fixture::new(500, 300);
    let mut first = fixture.guest();
    let mut second = fixture.guest();
    publish_color(&mut first, Rect::new(20, 40, 150, 150), [1.0, 0.0, 0.0]);
    let (window, _) = publish_color(&mut second, Rect::new(100, 80, 150, 150), [0.0, 1.0, 0.0]);
    fixture.sync(&mut first);
    fixture.sync(&mut second);
    fixture.server.remove_client(first.id);
    fixture.frame();
    let content = fixture.content(&second, window.number());
    assert_eq!(single_color(&fixture.part(content)), Some([0, 255, 0, 255]));
    let background = fixture.part(Rect::new(0, 0, 90, 60));
    assert!(single_color(&background).is_some(), "nothing is left of the window");
    drop(first);
    fixture.server.remove_client(second.id);
    fixture.frame();
    let all = fixture.picture();
    assert_eq!(single_color(&all), single_color(&background));
}

#[test]
fn the_viewport_of_a_window_without_reshape_follows_its_size() {
    for reshapes in [false, true] {
        let mut fixture = Fixture::new(500, 400);
        let mut guest = fixture.guest();
        let mut redraw = Recorder::new();
        redraw.clear(ClearMask::COLOR);
        redraw.color3(1.0, 0.0, 0.0);
        redraw.primitive(Primitive::Quads, |p| {
            for (x, y) in [(-1.0, -1.0), (1.0, -1.0), (1.0, 1.0), (-1.0, 1.0)] {
                p.vertex2(x, y);
            }
        });
        let mut commit = guest.context.commit();
        let redraw = commit.procedure(Callback::Redraw, &redraw.finish().unwrap()).unwrap();
        let mut desc = WindowDesc { x: 50, y: 60, width: 100, height: 80, ..WindowDesc::default() };
        desc.procedures[Callback::Redraw as usize] = redraw.number();
        if reshapes {
            // One that leaves the viewport alone.
            let reshape = Recorder::new().finish().unwrap();
            let reshape = commit.procedure(Callback::Reshape, &reshape).unwrap();
            desc.procedures[Callback::Reshape as usize] = reshape.number();
        }
        let window = commit.window(&desc).unwrap();
        commit.finish().unwrap();
        fixture.sync(&mut guest);
        assert_eq!(single_color(&fixture.part(Rect::new(50, 60, 100, 80))), Some([255, 0, 0, 255]));
        desc.width = 200;
        let mut commit = guest.context.commit();
        commit.set_window(window, &desc).unwrap();
        commit.finish().unwrap();
        fixture.sync(&mut guest);
        let right = single_color(&fixture.part(Rect::new(155, 60, 90, 80)));
        assert_eq!(right, Some(if reshapes { [0, 0, 0, 255] } else { [255, 0, 0, 255] }));
    }
}

#[test]
fn offscreen_windows_are_copied_not_run_when_they_are_uncovered() {
    let mut fixture = Fixture::new(500, 300);
    let mut guest = fixture.guest();
    let mut commit = guest.context.commit();
    let redraw = commit.procedure(Callback::Redraw, &clear_to([0.0, 0.0, 1.0])).unwrap();
    let mut desc =
        WindowDesc { x: 50, y: 60, width: 100, height: 80, offscreen: true, ..WindowDesc::default() };
    desc.procedures[Callback::Redraw as usize] = redraw.number();
    commit.window(&desc).unwrap();
    commit.finish().unwrap();
    fixture.sync(&mut guest);
    let content = Rect::new(50, 60, 100, 80);
    assert_eq!(single_color(&fixture.part(content)), Some([0, 0, 255, 255]));
    for _ in 0..3 {
        fixture.server.damage_all();
        fixture.frame();
        assert_eq!(single_color(&fixture.part(content)), Some([0, 0, 255, 255]));
    }
    assert_eq!(stats(&mut fixture, 0)["redraws"], 1);
}

#[test]
fn popups_stay_with_their_parent() {
    let mut fixture = Fixture::new(500, 400);
    let mut guest = fixture.guest();
    let (parent, redraw) = publish_color(&mut guest, Rect::new(50, 60, 200, 200), [0.0, 0.0, 1.0]);
    let mut commit = guest.context.commit();
    let mut desc = WindowDesc {
        x: 30,
        y: 40,
        width: 80,
        height: 60,
        popup: true,
        parent: parent.number(),
        ..WindowDesc::default()
    };
    desc.procedures[Callback::Redraw as usize] = redraw.number();
    let popup = commit.window(&desc).unwrap();
    commit.finish().unwrap();
    fixture.sync(&mut guest);
    assert_eq!(fixture.content(&guest, popup.number()), Rect::new(80, 100, 80, 60));
    let now = fixture.now;
    let window = WindowId { client: guest.id, context: 0, oid: parent.number() };
    fixture.server.command(Command::Move { window, x: 100, y: 80 }, now).unwrap();
    fixture.frame();
    fixture.save("popup");
    assert_eq!(fixture.content(&guest, popup.number()), Rect::new(130, 120, 80, 60));
}

/// What `init` left bound is used by a `redraw` that does not name it: a new version of it is seen in the next frame.
#[test]
fn textures_and_buffers_of_init_are_followed() {
    use blink_client::TextureInfo;
    use blinkgl::gl::{Array, ArrayData, Capability, Primitive, TexEnvMode};
    let corners = |side: f32| -> Vec<u8> {
        let xy = [-side, -side, side, -side, side, side, -side, side];
        xy.iter().flat_map(|v: &f32| v.to_le_bytes()).collect()
    };
    let mut fixture = Fixture::new(400, 300);
    let mut guest = fixture.guest();
    let mut commit = guest.context.commit();
    let info = TextureInfo::bgra(1, 1);
    let texture = commit.texture(&info, &[0, 0, 255, 255]).unwrap();
    let buffer = commit.vertex_buffer(&corners(1.0)).unwrap();
    let mut p = Recorder::new();
    p.bind_texture(texture.number());
    p.enable(Capability::Texture2d);
    p.tex_env_mode(TexEnvMode::Replace);
    p.array_pointer(Array::Vertex, 2, ArrayData::Float, 0, buffer.number(), 0);
    p.enable_array(Array::Vertex, true);
    let init = commit.procedure(Callback::Init, &p.finish().unwrap()).unwrap();
    let mut p = Recorder::new();
    p.clear(ClearMask::COLOR);
    p.draw_arrays(Primitive::Quads, 0, 4);
    let redraw = commit.procedure(Callback::Redraw, &p.finish().unwrap()).unwrap();
    let mut desc = WindowDesc { x: 100, y: 100, width: 100, height: 100, ..WindowDesc::default() };
    desc.procedures[Callback::Init as usize] = init.number();
    desc.procedures[Callback::Redraw as usize] = redraw.number();
    let window = commit.window(&desc).unwrap().number();
    commit.finish().unwrap();
    fixture.sync(&mut guest);
    let content = fixture.content(&guest, window);
    let part = fixture.part(content);
    assert_eq!(single_color(&part), Some([255, 0, 0, 255]));

    let mut commit = guest.context.commit();
    commit.set_texture(texture, &info, &[255, 0, 0, 255]).unwrap();
    commit.finish().unwrap();
    assert!(fixture.sync(&mut guest).is_some(), "the texture changed");
    let part = fixture.part(content);
    assert_eq!(single_color(&part), Some([0, 0, 255, 255]));

    let mut commit = guest.context.commit();
    commit.set_buffer(buffer, &corners(0.5)).unwrap();
    commit.finish().unwrap();
    assert!(fixture.sync(&mut guest).is_some(), "the buffer changed");
    let blue = fixture.part(content).chunks_exact(4).filter(|p| *p == [0, 0, 255, 255]).count();
    assert_eq!(blue, 50 * 50);
}

/// The same words published again are the same program in the server's cache, and a new one to the client: it runs.
#[test]
fn an_init_that_is_published_again_runs_again() {
    let mut p = Recorder::new();
    let count = p.reg(3);
    p.add(count, count, 1.0);
    let program = p.finish().unwrap();
    let mut fixture = Fixture::new(400, 300);
    let mut guest = fixture.guest();
    let mut commit = guest.context.commit();
    let init = commit.procedure(Callback::Init, &program).unwrap();
    let redraw = commit.procedure(Callback::Redraw, &clear_to([1.0, 0.0, 0.0])).unwrap();
    let registers = commit.registers().unwrap();
    let mut desc = WindowDesc { x: 50, y: 50, width: 100, height: 80, ..WindowDesc::default() };
    desc.procedures[Callback::Init as usize] = init.number();
    desc.procedures[Callback::Redraw as usize] = redraw.number();
    desc.registers = registers.number();
    commit.window(&desc).unwrap();
    commit.finish().unwrap();
    fixture.sync(&mut guest);
    let counted =
        |guest: &Guest| guest.context.registers(registers).unwrap().get(blinkgl::Reg::new(3).unwrap());
    assert_eq!(counted(&guest), 1.0);
    let mut commit = guest.context.commit();
    commit.set_procedure(init, Callback::Init, &program).unwrap();
    commit.finish().unwrap();
    fixture.sync(&mut guest);
    assert_eq!(counted(&guest), 2.0);
    assert_eq!(stats(&mut fixture, 0)["cached_procedures"], 1);
}
