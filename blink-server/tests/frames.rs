//! Frames of a server with clients in the same process: what is drawn, and when.
#![allow(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::cast_possible_wrap,
    missing_docs,
    reason = "a test"
)]

mod support;

use blink_client::WindowDesc;
use blinkgl::ops::Callback;
use examples::gears;
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
    for pair in pictures.windows(2) {
        assert_ne!(pair[0], pair[1], "each frame shows another angle");
    }
    let colors = pictures[5].chunks_exact(4).filter(|p| p[0] > 60 || p[1] > 60 || p[2] > 60).count();
    assert!(colors > 10_000, "lit gears fill a third of their window, these only {colors} pixels");
}
