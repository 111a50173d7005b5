//! Attacks of a client that may write anything into its aperture at any time, on a server in this process.
//!
//! Each attack runs beside a neighbour: turning gears, drawn for some frames. What the
//! neighbour shows, hears and keeps in its registers must be bit for bit what it is without the attacker, and
//! when the attacker is gone, nothing of it may be left on the output.
#![allow(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::cast_possible_wrap,
    clippy::wildcard_enum_match_arm,
    missing_docs,
    reason = "a test"
)]

mod support;

use blink_server::budget::Budget;
use blink_server::geometry::Rect;
use blink_server::gl::Counted;
use blink_server::ipc::{ClientId, Command, Input, WindowId};
use blinkgl::gl::ClearMask;
use blinkgl::layout::{
    DATA_PAGE, EventKind, ObjectError, ObjectType, QuotaKind, SLOT_WORDS, Slot, WindowDesc, aperture,
    context, slot, slot_offset,
};
use blinkgl::limits::{
    MAX_CONTEXTS, MAX_DRAWS, MAX_EXTENTS, MAX_FUEL, MAX_NOTIFICATIONS, MAX_OBJECTS, MAX_PROGRAM_WORDS,
    MAX_TEXTURE_SIZE, MAX_WINDOWS, MIN_WINDOW_SIZE, PAGE_SIZE,
};
use blinkgl::ops::{Callback, OPS};
use blinkgl::wire::{head_word, header};
use blinkgl::{Recorder, WireProgram};
use examples::gears;
use ipc::limits::{
    FIRST_SLOW_SECONDS, MAX_CLIENT_PROGRAM_BYTES, MAX_FRAME_FUEL, MAX_OFFSCREEN_PIXELS, MAX_SCAN_BYTES,
    PROCEDURE_BYTE_COST, STRIKES,
};
use serde_json::Value;
use support::raw::Raw;
use support::{Fixture, Guest, REFRESH};

const WIDTH: u32 = 480;
const HEIGHT: u32 = 360;
const APERTURE: usize = 4 << 20;

fn assemble(text: &str) -> WireProgram {
    blinkgl::asm::assemble(text).unwrap_or_else(|errors| panic!("{errors}\n{text}")).program
}

fn clear_to([r, g, b]: [f32; 3]) -> WireProgram {
    let mut p = Recorder::new();
    p.clear_color(r, g, b, 1.0);
    p.clear(ClearMask::COLOR);
    p.finish().unwrap()
}

fn at(x: i32, y: i32, width: u32, height: u32) -> WindowDesc {
    WindowDesc { x, y, width, height, ..WindowDesc::default() }
}

fn with(mut desc: WindowDesc, callback: Callback, oid: u32) -> WindowDesc {
    desc.procedures[callback as usize] = oid;
    desc
}

/// A client that behaves: gears in a window, and its pictures.
struct Neighbour {
    guest: Guest,
    window: u32,
    registers: blink_client::Registers,
}

impl Neighbour {
    fn new(fixture: &mut Fixture) -> Neighbour {
        let mut guest = fixture.guest();
        let mut commit = guest.context.commit();
        let mut desc = at(20, 60, 160, 160);
        for (callback, program) in [
            (Callback::Init, gears::init()),
            (Callback::Reshape, gears::reshape()),
            (Callback::Redraw, gears::redraw(gears::Angle::Time)),
            (Callback::Input, gears::input()),
        ] {
            let oid = commit.procedure(callback, &program.unwrap()).unwrap();
            desc.procedures[callback as usize] = oid.number();
        }
        let file = commit.registers().unwrap();
        desc.registers = file.number();
        let window = commit.window(&desc).unwrap().number();
        let registers = commit.register_file(file).unwrap();
        registers.set(blinkgl::Reg::new(gears::VIEW_X).unwrap(), gears::VIEW[0]);
        commit.finish().unwrap();
        fixture.sync(&mut guest);
        Neighbour { guest, window, registers }
    }

    /// What it shows and has heard; raised before, as others may lie above it by right.
    fn state(&mut self, fixture: &mut Fixture) -> (Vec<u8>, Vec<u32>, Vec<String>) {
        let content = fixture.content(&self.guest, self.window);
        let registers =
            (0..32).map(|r| self.registers.get(blinkgl::Reg::new(r).unwrap()).to_bits()).collect();
        let heard = std::iter::from_fn(|| self.guest.context.next_event());
        (fixture.part(content), registers, heard.map(|event| format!("{event:?}")).collect())
    }
}

struct Attack<'a> {
    fixture: &'a mut Fixture,
    id: ClientId,
    raw: Raw,
}

impl Attack<'_> {
    fn errors(&mut self) -> Vec<String> {
        let all = self.listed()["errors"].clone();
        all.as_array().unwrap().iter().map(|e| e.as_str().unwrap().to_owned()).collect()
    }

    fn listed(&mut self) -> Value {
        let now = self.fixture.now;
        let list = self.fixture.server.command(Command::List, now).unwrap().value;
        let id = self.id.0;
        list.as_array().unwrap().iter().find(|c| c["client"] == id).unwrap().clone()
    }

    fn window(&mut self, oid: u32) -> Option<Value> {
        let id = format!("{}.0.{oid}", self.id);
        let listed = self.listed();
        listed["windows"].as_array().unwrap().iter().find(|w| w["id"] == id.as_str()).cloned()
    }

    fn stats(&mut self) -> Value {
        let now = self.fixture.now;
        let stats = self.fixture.server.command(Command::Stats, now).unwrap().value;
        let id = self.id.0;
        stats["clients"].as_array().unwrap().iter().find(|c| c["client"] == id).unwrap().clone()
    }
}

/// Runs an attack for some frames. `step` does its worst before each frame; the doorbell is rung for it.
fn attack(frames: usize, mut step: impl FnMut(&mut Attack<'_>, usize)) {
    let mut expected: Vec<(Vec<u8>, Vec<u32>, Vec<String>)> = Vec::new();
    let mut alone = None;
    for attacked in [false, true] {
        let mut fixture = Fixture::new(WIDTH, HEIGHT);
        let mut neighbour = Neighbour::new(&mut fixture);
        let (id, memory) = fixture.client(APERTURE);
        let mut raw = Some(Raw::new(memory));
        let window = WindowId { client: neighbour.guest.id, context: 0, oid: neighbour.window };
        for i in 0..frames {
            if attacked {
                let mut attack = Attack { fixture: &mut fixture, id, raw: raw.take().unwrap() };
                step(&mut attack, i);
                raw = Some(attack.raw);
            }
            let now = fixture.now;
            fixture.server.command(Command::Raise { window }, now).unwrap();
            // The neighbour has the focus.
            fixture.server.input(Input::Key { code: 30, pressed: i % 2 == 0 }, now);
            fixture.server.rang(id);
            assert!(fixture.frame().is_some(), "the gears turn");
            // What the attacker changed is seen now, and the neighbour lies above it again.
            let now = fixture.now;
            fixture.server.command(Command::Raise { window }, now).unwrap();
            fixture.frame();
            let state = neighbour.state(&mut fixture);
            if attacked {
                let expected = &expected[i];
                assert_eq!(state.2, expected.2, "frame {i}: the neighbour heard something else");
                assert_eq!(state.1, expected.1, "frame {i}: the neighbour's registers are others");
                assert!(state.0 == expected.0, "frame {i}: the neighbour is not what it is alone");
            } else {
                expected.push(state);
            }
        }
        fixture.server.remove_client(id);
        fixture.frame();
        fixture.frame();
        let picture = fixture.picture();
        match &alone {
            None => alone = Some(picture),
            Some(alone) => assert!(*alone == picture, "something of the attacker is left"),
        }
    }
}

#[test]
fn every_rule_of_the_verifier_is_told_and_listed() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../verifier/tests/programs");
    let mut programs = Vec::new();
    for rule in 1..=39u32 {
        let text = std::fs::read_to_string(folder.join(format!("V{rule:02}.bgl"))).unwrap();
        let all = text.split("; verify: ").skip(1).filter_map(|p| p.split_once('\n'));
        for (verdict, source) in all.filter(|(_, source)| !source.contains("; budget:")) {
            let assembled = blinkgl::asm::assemble(source).unwrap();
            let rule = (verdict != "ok").then_some(rule);
            programs.push((rule, verdict.to_owned(), assembled.callback.unwrap(), assembled.program));
        }
    }
    assert!(programs.len() > 100);
    let good = clear_to([0.0, 0.0, 1.0]);
    let mut rules = std::collections::BTreeSet::new();
    attack(programs.len() / 8 + 2, |attack, frame| {
        let place = Rect::new(260, 60, 60, 60);
        if frame == 0 {
            attack.raw.procedure(0, 1, Callback::Redraw, &good);
            attack.raw.window(1, 2, &with(at(260, 60, 60, 60), Callback::Redraw, 1));
            attack.raw.committed();
            return;
        }
        let events = attack.raw.events();
        let listed = attack.errors();
        if frame >= 2 {
            let batch =
                &programs[((frame - 2) * 8).min(programs.len())..((frame - 1) * 8).min(programs.len())];
            for (i, (rule, verdict, ..)) in batch.iter().enumerate() {
                let oid = 10 + i as u32;
                let refused = events.iter().find(|e| e.words[0] == oid);
                if verdict.ends_with("the header alone has 4") {
                    // No program at all: the scan refuses it before the verifier.
                    let told = refused.map(|e| (e.kind, e.words[1]));
                    assert_eq!(told, Some((EventKind::ObjectRejected as u32, ObjectError::BadSize as u32)));
                    continue;
                }
                let told = refused.map(|e| (e.kind, e.words[1]));
                assert_eq!(told, rule.map(|rule| (EventKind::ProcedureRejected as u32, rule)), "{verdict}");
                if let Some(rule) = rule {
                    rules.insert(*rule);
                    assert!(listed.iter().any(|text| text.contains(verdict)), "{verdict} in {listed:?}");
                }
            }
            let pixels = attack.fixture.part(place);
            assert!(pixels.chunks_exact(4).all(|p| p == [0, 0, 255, 255]), "the last good program draws");
        }
        attack.raw.page = DATA_PAGE + 4;
        let batch = programs.iter().skip((frame - 1) * 8).take(8);
        for (i, (_, _, callback, program)) in batch.enumerate() {
            attack.raw.procedure(2 + i, 10 + i as u32, *callback, program);
        }
        attack.raw.committed();
    });
    assert!(rules.len() >= 37, "only {rules:?}");
}

/// Each object that is refused: what is wrong, and the error's words.
#[test]
fn bad_objects_are_told_and_listed() {
    type Spoil = Box<dyn Fn(&mut Slot)>;
    let texture = |change: fn(&mut [u32; 8])| -> Spoil {
        Box::new(move |slot: &mut Slot| {
            slot.type_code = ObjectType::Texture as u32;
            slot.params = [1, 16, 16, 64, 0, 0, 0, 0];
            slot.bytes = 1024;
            change(&mut slot.params);
        })
    };
    let cases: Vec<(&str, Spoil, ObjectError)> = vec![
        ("type 0xffffffff", Box::new(|s| s.type_code = u32::MAX), ObjectError::UnknownType),
        ("OID 0", Box::new(|s| s.oid = 0), ObjectError::BadOid),
        ("the OID of slot 0", Box::new(|s| s.oid = 1), ObjectError::BadOid),
        ("extents without end", Box::new(|s| s.extent_count = u32::MAX), ObjectError::TooManyExtents),
        ("the aperture's header", Box::new(|s| s.extents[0].0 = 0), ObjectError::BadExtent),
        ("the event ring", Box::new(|s| s.extents[0].0 = 1), ObjectError::BadExtent),
        ("the VSO array", Box::new(|s| s.extents[0].0 = DATA_PAGE as u32 - 1), ObjectError::BadExtent),
        ("beyond the end", Box::new(|s| s.extents[0].0 = 1023), ObjectError::BadExtent),
        ("a wrapping extent", Box::new(|s| s.extents[0] = (u32::MAX, 2)), ObjectError::BadExtent),
        ("an empty extent", Box::new(|s| s.extents[0].1 = 0), ObjectError::BadExtent),
        ("no extents", Box::new(|s| s.extent_count = 0), ObjectError::ExtentsTooShort),
        ("registers too long", Box::new(|s| s.bytes = 132), ObjectError::BadSize),
        ("bytes without end", Box::new(|s| s.bytes = u32::MAX), ObjectError::BadSize),
        (
            "registers in the context's header",
            Box::new(|s| {
                s.extents[0] = (0, 1);
            }),
            ObjectError::BadExtent,
        ),
        (
            "a procedure of another callback",
            Box::new(|s| {
                s.type_code = ObjectType::Procedure as u32;
                s.params[0] = 77;
            }),
            ObjectError::BadParameter,
        ),
        (
            "a procedure too long",
            Box::new(|s| {
                s.type_code = ObjectType::Procedure as u32;
                s.params[0] = 0;
                s.bytes = (MAX_PROGRAM_WORDS as u32 + 1) * 4;
            }),
            ObjectError::BadSize,
        ),
        ("a texture too wide", texture(|p| p[1] = MAX_TEXTURE_SIZE + 1), ObjectError::BadParameter),
        ("a texture of no height", texture(|p| p[2] = 0), ObjectError::BadParameter),
        ("a stride too short", texture(|p| p[3] = 60), ObjectError::BadParameter),
        ("a stride without end", texture(|p| p[3] = !3), ObjectError::BadParameter),
        ("a format from the future", texture(|p| p[0] = 99), ObjectError::BadParameter),
        ("a color space from the future", texture(|p| p[4] = 4), ObjectError::BadParameter),
        ("more levels than there are", texture(|p| p[5] = 6), ObjectError::BadParameter),
        ("levels without end", texture(|p| p[5] = u32::MAX - 1), ObjectError::BadParameter),
        ("levels that are not there", texture(|p| p[5] = 5), ObjectError::BadSize),
        ("rows below the image", texture(|p| p[7] = 15 | 2 << 16), ObjectError::BadParameter),
        ("rows without end", texture(|p| p[7] = u32::MAX), ObjectError::BadParameter),
        ("a texture with other bytes", texture(|p| p[2] = 15), ObjectError::BadSize),
        (
            "a buffer larger than the memory allows",
            Box::new(|s| {
                s.type_code = ObjectType::VertexBuffer as u32;
                s.bytes = 6 << 20;
                s.extent_count = 8;
                s.extents = [(DATA_PAGE as u32, 900); MAX_EXTENTS];
            }),
            ObjectError::OverBudget,
        ),
        (
            "a cursor whose hot spot is outside",
            Box::new(|s| {
                s.type_code = ObjectType::Cursor as u32;
                s.bytes = 256;
                s.params = [8, 8, 8, 0, 0, 0, 0, 0];
            }),
            ObjectError::BadParameter,
        ),
    ];
    attack(cases.len() + 1, |attack, frame| {
        if frame == 0 {
            attack.raw.procedure(0, 1, Callback::Redraw, &clear_to([1.0, 0.0, 0.0]));
        } else {
            let (what, _, error) = &cases[frame - 1];
            let told = attack.raw.event(EventKind::ObjectRejected).unwrap_or_else(|| panic!("{what}"));
            assert_eq!(told.words[1], *error as u32, "{what}: {}", attack.errors().last().unwrap());
            let listed = attack.errors();
            assert!(listed.iter().any(|e| e.contains(error.message())), "{what}: {listed:?}");
        }
        if let Some((_, spoil, _)) = cases.get(frame) {
            attack.raw.page = DATA_PAGE + 8;
            let mut slot = attack.raw.object(7, ObjectType::Registers, &[0; 32], [0; 8]);
            spoil(&mut slot);
            attack.raw.slot(1, &slot);
        }
        attack.raw.committed();
    });
}

#[test]
fn windows_that_name_what_is_not_there_are_told() {
    type Spoil = fn(&mut WindowDesc);
    let cases: [(&str, ObjectError, Spoil); 7] = [
        ("a procedure that is missing", ObjectError::BadReference, |d| d.procedures[2] = 99),
        ("registers for a procedure", ObjectError::BadReference, |d| d.procedures[0] = 3),
        ("a procedure for another callback", ObjectError::BadReference, |d| d.procedures[0] = 1),
        ("a procedure for registers", ObjectError::BadReference, |d| d.registers = 1),
        ("a window for a cursor", ObjectError::BadReference, |d| d.cursor = 2),
        ("itself for a parent", ObjectError::BadParent, |d| d.parent = 2),
        ("its child for a parent", ObjectError::BadParent, |d| d.parent = 4),
    ];
    attack(cases.len() + 1, |attack, frame| {
        if frame == 0 {
            attack.raw.procedure(0, 1, Callback::Redraw, &clear_to([1.0, 0.0, 0.0]));
            let registers = attack.raw.object(3, ObjectType::Registers, &[0; 32], [0; 8]);
            attack.raw.slot(1, &registers);
            // The child first: its parent is in a later slot.
            attack.raw.window(2, 4, &WindowDesc { parent: 2, popup: true, ..at(10, 10, 40, 40) });
            attack.raw.window(3, 2, &with(at(260, 60, 60, 60), Callback::Redraw, 1));
            attack.raw.committed();
            return;
        }
        let (what, error, _) = &cases[(frame - 1).max(1) - 1];
        if frame > 1 {
            let told = attack.raw.event(EventKind::ObjectRejected).unwrap_or_else(|| panic!("{what}"));
            assert_eq!((told.words[0], told.words[1]), (2, *error as u32), "{what}");
            let listed = attack.window(2).unwrap();
            assert!(listed["error"].as_str().unwrap().contains(error.message()), "{what}: {listed}");
        } else {
            assert_eq!(attack.raw.event(EventKind::ObjectRejected), None);
            let [x, y] = ["x", "y"].map(|v| attack.window(4).unwrap()[v].as_i64().unwrap());
            assert_eq!((x, y), (270, 70), "a child stands where its parent is");
        }
        let mut desc = with(at(260, 60, 60, 60), Callback::Redraw, 1);
        cases[frame - 1].2(&mut desc);
        attack.raw.page = DATA_PAGE + 8;
        attack.raw.window(3, 2, &desc);
        attack.raw.committed();
    });
}

#[test]
fn versions_that_play_games_change_nothing() {
    attack(12, |attack, frame| {
        let raw = &mut attack.raw;
        match frame {
            0 => {
                raw.procedure(0, 1, Callback::Redraw, &clear_to([1.0, 0.0, 0.0]));
                raw.window(1, 2, &with(at(260, 60, 60, 60), Callback::Redraw, 1));
                raw.committed();
            }
            // Odd for ever, and going backwards.
            1..=4 => {
                let version = slot_offset(1) + slot::VERSION * 4;
                raw.put(version, [7, 0xffff_ffff, 3, 1][frame - 1]);
                raw.put(slot_offset(1) + slot::TYPE * 4, ObjectType::Texture as u32);
                raw.committed();
            }
            // A commit that never ends.
            5 | 6 => {
                raw.put(slot_offset(1) + slot::TYPE * 4, ObjectType::Window as u32);
                raw.put(slot_offset(1) + slot::VERSION * 4, 2);
                raw.put(context::COMMIT, 77);
            }
            // Slots without end.
            7 => {
                raw.put(context::SLOTS, u32::MAX);
                raw.committed();
            }
            // The OID moves to another slot, and its type changes, back and forth.
            _ => {
                raw.page = DATA_PAGE + 4;
                let registers = raw.object(2, ObjectType::Registers, &[0; 32], [0; 8]);
                raw.slot(1, &registers);
                let red = clear_to([1.0, 0.0, 0.0]);
                raw.procedure(frame % 3 * 2, 1, Callback::Redraw, &red);
                raw.committed();
            }
        }
        if (1..8).contains(&frame) {
            assert!(attack.window(2).is_some(), "frame {frame}: the last whole version stays");
        }
        if frame > 8 {
            assert_eq!(attack.window(2), None, "frame {frame}");
        }
    });
}

#[test]
fn a_client_may_die_between_any_two_words_of_a_publication() {
    // The stores of a first publication: a procedure, registers and a window.
    let publish = |raw: &mut Raw| {
        let program = clear_to([1.0, 0.0, 1.0]);
        let words = program.untrusted_words().to_vec();
        let procedure =
            raw.object(1, ObjectType::Procedure, &words, [Callback::Redraw as u32, 0, 0, 0, 0, 0, 0, 0]);
        let desc = WindowDesc { registers: 3, ..with(at(260, 60, 60, 60), Callback::Redraw, 1) };
        let window = raw.object(2, ObjectType::Window, &desc.encode(), [0; 8]);
        let registers = raw.object(3, ObjectType::Registers, &[0; 32], [0; 8]);
        raw.publication(&[procedure, window, registers])
    };
    let mut fixture = Fixture::new(WIDTH, HEIGHT);
    let mut neighbour = Neighbour::new(&mut fixture);
    let background = fixture.part(Rect::new(240, 20, 120, 140));
    let mut shown = 0;
    let mut length = 1;
    let mut died_at = 0;
    while died_at < length {
        let (id, memory) = fixture.client(1 << 20);
        let mut raw = Raw::new(memory);
        let writes = publish(&mut raw);
        length = writes.len() + 1;
        for &(offset, value) in &writes[..died_at] {
            raw.whole(offset, value);
        }
        fixture.server.rang(id);
        fixture.frame();
        let listed = fixture.server.command(Command::List, 0).unwrap().value;
        let windows = listed.as_array().unwrap().last().unwrap()["windows"].as_array().unwrap().len();
        assert!(windows == 0 || died_at == length - 1, "half a publication is shown after {died_at} words");
        shown += windows;
        fixture.server.remove_client(id);
        fixture.frame();
        died_at += 1;
    }
    assert_eq!(shown, 1, "the whole publication is shown");
    assert!(fixture.part(Rect::new(240, 20, 120, 140)) == background);
    assert!(neighbour.state(&mut fixture).2.iter().all(|event| !event.contains("Rejected")));
}

/// Random words in the header, the array and the data, mostly of a likely size, mostly in whole commits.
#[test]
fn random_words_in_the_aperture() {
    for seed in 0..3 {
        let mut rng = fastrand::Rng::with_seed(seed);
        let programs = [clear_to([1.0, 1.0, 0.0]), gears::init().unwrap(), gears::input().unwrap()];
        attack(60, |attack, frame| {
            let raw = &mut attack.raw;
            if frame % 10 == 0 {
                raw.page = DATA_PAGE;
                for (i, program) in programs.iter().enumerate() {
                    let callback = [Callback::Redraw, Callback::Init, Callback::Input][i];
                    raw.procedure(i, i as u32 + 1, callback, program);
                }
                for i in 3..9 {
                    let wild = [0, 1, 30, 4000, -9000, i32::MIN, i32::MAX, rng.i32(-50..400)];
                    let mut any = || wild[rng.usize(0..wild.len())];
                    let mut desc = at(any(), any(), any() as u32, any() as u32);
                    (desc.min_width, desc.max_width) = (any() as u32, any() as u32);
                    (desc.min_height, desc.max_height) = (any() as u32, any() as u32);
                    desc.parent = rng.u32(0..10);
                    desc.popup = rng.bool();
                    desc.offscreen = rng.bool();
                    desc.procedures = [2, 0, 0, 1, 0];
                    desc.title_bytes = rng.u32(..);
                    desc.title.fill_with(|| rng.u8(..));
                    raw.window(i, i as u32 + 1, &desc);
                }
            }
            for _ in 0..rng.usize(0..30) {
                let value = match rng.u8(0..5) {
                    0 => rng.u32(..),
                    1 => rng.u32(0..10),
                    2 => DATA_PAGE as u32 + rng.u32(0..9),
                    3 => f32::NAN.to_bits(),
                    _ => 1 << rng.u32(0..32),
                };
                let offset = match rng.u8(0..4) {
                    0 => rng.usize(0..0x80) & !3,
                    1 | 2 => slot_offset(rng.usize(0..10)) + rng.usize(0..SLOT_WORDS) * 4,
                    _ => (DATA_PAGE + rng.usize(0..9)) * PAGE_SIZE + rng.usize(0..64) * 4,
                };
                raw.put(offset, value);
            }
            for i in 0..9 {
                raw.put(
                    slot_offset(i) + slot::VERSION * 4,
                    rng.u32(..) & if rng.u8(0..20) == 0 { !0 } else { !1 },
                );
            }
            if rng.u8(0..10) == 0 {
                let at = aperture::DIRECTORY + rng.usize(0..MAX_CONTEXTS) * aperture::ENTRY_BYTES;
                raw.whole(at + rng.usize(0..3) * 4, rng.u32(0..1100));
            }
            raw.committed();
        });
    }
}

/// Each op with values that no program of sense has: alone, and between begin and end.
#[test]
fn every_op_with_wild_values() {
    let floats =
        [f32::NAN, f32::INFINITY, -f32::INFINITY, f32::MAX, -f32::MAX, f32::MIN_POSITIVE, 1e-45, -0.0];
    let bits =
        floats.map(f32::to_bits).into_iter().chain([0, 1, u32::MAX, 0x7fff_ffff, 0x8000_0000, 1 << 20]);
    let bits: Vec<u32> = bits.collect();
    let mut rng = fastrand::Rng::with_seed(1);
    let mut ran = 0;
    attack(OPS.len(), |attack, frame| {
        let info = &OPS[frame];
        let raw = &mut attack.raw;
        if frame == 0 {
            for i in 0..8 {
                let desc = with(at(200 + i * 30, 60, 24, 200), Callback::Redraw, i as u32 + 1);
                let desc = with(desc, Callback::Init, 40 + i as u32);
                raw.window(32 + i as usize, i as u32 + 20, &WindowDesc { registers: 60, ..desc });
            }
            let file: Vec<u32> = (0..32).map(|i| bits[i % bits.len()]).collect();
            let registers = raw.object(60, ObjectType::Registers, &file, [0; 8]);
            raw.slot(50, &registers);
        }
        raw.page = DATA_PAGE + 16;
        // With constants, and with registers that hold such values.
        for i in 0..8 {
            let count = info.operands.len();
            let mask = if i % 2 == 0 { 0 } else { (1u32 << count) - 1 };
            let mut words = vec![head_word(info.op, mask as u16)];
            words.extend(
                (0..count).map(|_| if mask == 0 { bits[rng.usize(0..bits.len())] } else { rng.u32(0..32) }),
            );
            let triangle =
                assemble("begin triangles\nvertex2 0.0, 0.0\nvertex2 r3, r4\nvertex2 1.0, 1.0\nend");
            let mut body = words.clone();
            body.extend(&triangle.untrusted_words()[4..]);
            let mut program = Vec::from(header(0));
            if i % 4 >= 2 {
                program.extend([head_word(blinkgl::ops::Op::Begin, 0), 4]);
                program.extend(&words);
                program.push(head_word(blinkgl::ops::Op::End, 0));
            } else {
                program.extend(&body);
            }
            program[2] = program.len() as u32;
            let program = WireProgram::from_words(program);
            ran += usize::from(verifier::verify(program.clone(), Callback::Redraw).is_ok());
            raw.procedure(i, i as u32 + 1, Callback::Redraw, &program);
        }
        raw.committed();
    });
    assert!(ran > OPS.len(), "most ops must get through the verifier in some way, only {ran} programs did");
}

/// A list that calls lists that call lists: the worst that one run may ask for, in many windows.
#[test]
fn list_bombs_cost_two_runs_a_frame() {
    let mut bomb = String::from("new_list 1\n");
    bomb.push_str(&"rotate r0, 0.0, 0.0, 1.0\n".repeat(64));
    bomb.push_str("end_list\n");
    for list in 2..=12 {
        bomb.push_str(&format!(
            "new_list {list}\n{}end_list\n",
            format!("call_list {}\n", list - 1).repeat(16)
        ));
    }
    let init = assemble(&bomb);
    let redraw = assemble("call_list 12\nrequest_frame");
    attack(3, |attack, frame| {
        if frame == 0 {
            attack.raw.procedure(0, 1, Callback::Init, &init);
            attack.raw.procedure(1, 2, Callback::Redraw, &redraw);
            for i in 0..MAX_WINDOWS {
                let desc = at(200 + i as i32 * 8, 60 + i as i32 * 5, 30, 30);
                let desc = with(with(desc, Callback::Init, 1), Callback::Redraw, 2);
                attack.raw.window(2 + i, 10 + i as u32, &desc);
            }
            attack.raw.committed();
            return;
        }
        let quota = attack.raw.event(EventKind::Quota).expect("the client is told");
        assert_eq!(quota.words[1], QuotaKind::Fuel as u32);
        assert!([MAX_FUEL, MAX_FRAME_FUEL].contains(&u64::from(quota.words[2])));
        let listed = attack.listed()["windows"].clone();
        assert!(listed.as_array().unwrap().iter().any(|w| w["error"].is_string()), "{listed}");
        let redraws = attack.stats()["redraws"].as_u64().unwrap();
        let frames = 2 * frame as u64;
        assert!(redraws <= frames * 4, "{redraws} runs of a bomb in {frames} frames");
    });
}

#[test]
fn fuel_of_input_procedures_is_limited_too() {
    // Input procedures can't call lists; straight work up to the limit of one run.
    let input = assemble(&"sin r0, r1\n".repeat(60_000));
    let mut fixture = Fixture::new(WIDTH, HEIGHT);
    let (id, memory) = fixture.client(APERTURE);
    let mut raw = Raw::new(memory);
    raw.procedure(0, 1, Callback::Input, &input);
    raw.window(1, 2, &with(at(50, 60, 200, 200), Callback::Input, 1));
    raw.committed();
    fixture.server.rang(id);
    fixture.frame();
    let cost = u64::from(verifier::verify(input, Callback::Input).unwrap().facts().body.worst.fuel);
    let allowed = MAX_FRAME_FUEL / cost + 1;
    for i in 0..2 * allowed {
        let now = fixture.now;
        fixture.server.input(Input::Motion { x: 60.0 + (i % 100) as f64, y: 80.0 }, now);
    }
    let stats = fixture.server.command(Command::Stats, 0).unwrap().value;
    assert_eq!(stats["clients"][0]["inputs"], allowed, "as many as the quota of a frame allows");
    let events = raw.events();
    let heard = events.iter().filter(|e| e.kind == EventKind::Pointer as u32).count() as u64;
    assert!(heard >= allowed.min(100), "the client hears of all: {heard}");
    assert!(events.iter().any(|e| e.kind == EventKind::Quota as u32) || heard > 200);
}

#[test]
fn the_pixels_of_a_clients_windows_have_a_limit_and_the_rest_is_not_drawn() {
    const SIDE: u32 = 2048;
    let mut fixture = Fixture::new(SIDE, SIDE);
    let (id, memory) = fixture.client(APERTURE);
    let mut raw = Raw::new(memory);
    raw.procedure(0, 1, Callback::Redraw, &clear_to([0.0, 1.0, 0.0]));
    let most = (MAX_OFFSCREEN_PIXELS / u64::from(SIDE * SIDE)) as usize;
    for i in 0..=most {
        // Each is seen by a strip.
        let desc = at(i as i32 * 20, 40 + i as i32 * 20, SIDE, SIDE);
        raw.window(1 + i, 10 + i as u32, &with(desc, Callback::Redraw, 1));
    }
    raw.committed();
    fixture.server.rang(id);
    fixture.frame();
    let events = raw.events();
    let told = |kind: QuotaKind| {
        events.iter().filter(|e| e.kind == EventKind::Quota as u32 && e.words[1] == kind as u32).count()
    };
    assert_eq!(told(QuotaKind::Buffers), 1);
    let list = fixture.server.command(Command::List, 0).unwrap().value;
    let windows = list[0]["windows"].as_array().unwrap();
    assert_eq!(windows.iter().filter(|w| w["error"].is_string()).count(), 1, "{list}");
    for i in 0..=most {
        let pixel = fixture.part(Rect::new(i as i32 * 20 + 8, 1000, 1, 1));
        let color = if i < most { [0, 255, 0, 255] } else { [0, 0, 0, 255] };
        assert_eq!(pixel, color, "window {i}");
    }
}

/// Lists outlive their procedures: a client that makes new ones for ever loses them.
#[test]
fn display_lists_have_a_limit() {
    let mut body = String::new();
    for _ in 0..20_000 {
        body.push_str("vertex3 0.0, 0.0, 0.0\nvertex3 1.0, 0.0, 0.0\nvertex3 0.0, 1.0, 0.0\n");
    }
    let mut told = false;
    let mut fixture = Fixture::new(WIDTH, HEIGHT);
    let (id, memory) = fixture.client(16 << 20);
    let mut raw = Raw::new(memory);
    for round in 1..=160u32 {
        raw.page = DATA_PAGE;
        let mut desc = with(at(50, 60, 100, 100), Callback::Update, 1);
        desc.update_serial = round;
        let first = round == 1;
        let text = format!("new_list {round}\nbegin triangles\n{body}end\nend_list");
        raw.procedure(0, 1, Callback::Update, &assemble(&text));
        raw.window(1, 2, &desc);
        raw.committed();
        for _ in 0..4 {
            fixture.server.rang(id);
            fixture.frame();
        }
        let lists = raw
            .events()
            .into_iter()
            .find(|e| e.kind == EventKind::Quota as u32 && e.words[1] == QuotaKind::Lists as u32);
        told |= lists.is_some();
        assert!(!(first && told), "one list is within the limit");
        if told {
            break;
        }
    }
    assert!(told, "160 lists of 60,000 vertices are more than the limit");
}

/// Large good programs behind small bad ones: what stays in use stays counted.
#[test]
fn programs_that_stay_in_use_stay_counted() {
    let large = assemble(&"sin r0, r1\n".repeat(80_000));
    let bad = WireProgram::from_words(vec![0, 0, 0, 0]);
    let mut fixture = Fixture::new(WIDTH, HEIGHT);
    let (id, memory) = fixture.client(32 << 20);
    let mut raw = Raw::new(memory);
    let mut refused = None;
    for i in 0..12 {
        raw.page = DATA_PAGE;
        raw.procedure(i, i as u32 + 1, Callback::Redraw, &large);
        raw.committed();
        // A large commit is followed by frames without a scan.
        for _ in 0..3 {
            fixture.server.rang(id);
            fixture.frame();
        }
        raw.procedure(i, i as u32 + 1, Callback::Redraw, &bad);
        raw.committed();
        for _ in 0..3 {
            fixture.server.rang(id);
            fixture.frame();
        }
        if raw.events().iter().any(|e| {
            e.words[1] == ObjectError::OverBudget as u32 && e.kind == EventKind::ObjectRejected as u32
        }) {
            refused = Some(i);
            break;
        }
    }
    // 8 MiB of procedures a context, 0.92 MiB each.
    assert_eq!(refused, Some(8));
}

/// Contexts over each other's pages would copy the same bytes many times.
#[test]
fn contexts_may_not_overlap_and_storms_of_them_are_heard() {
    attack(20, |attack, frame| {
        let raw = &mut attack.raw;
        for index in 0..MAX_CONTEXTS {
            let generation = 100 * (frame as u32 + 1) + index as u32;
            let first = [1, 2, 30, 100 + 30 * index as u32][index % 4];
            let pages = [20, 1000, 1 << 31, 30][index % 4];
            raw.directory(index, generation, first, pages);
        }
        raw.committed();
        if frame > 0 {
            let listed = attack.errors();
            assert!(listed.iter().any(|e| e.contains("overlap")), "{listed:?}");
            assert!(listed.iter().any(|e| e.contains("must lie within")), "{listed:?}");
        }
    });
}

/// 512 objects, all of them new and bad in each scan.
#[test]
fn a_flood_of_refusals_and_notifications() {
    let notify = assemble(&format!("{}request_frame", "notify 0x00000007\n".repeat(100)));
    attack(20, |attack, frame| {
        let raw = &mut attack.raw;
        if frame == 0 {
            raw.procedure(0, 1, Callback::Redraw, &notify);
            raw.window(1, 2, &with(at(260, 60, 60, 60), Callback::Redraw, 1));
        }
        for index in 2..MAX_OBJECTS {
            raw.put(slot_offset(index) + slot::TYPE * 4, 99);
            raw.put(slot_offset(index) + slot::OID * 4, index as u32);
            raw.put(slot_offset(index), 2 * frame as u32 + 2);
        }
        raw.put(context::SLOTS, MAX_OBJECTS as u32);
        raw.committed();
        if frame > 1 {
            assert!(raw.get(context::EVENTS_DROPPED) > 200, "a full ring drops and counts");
            assert!(attack.errors().len() <= 8);
            assert!(attack.stats()["refusals"].as_u64().unwrap() >= 500);
        }
        if frame == 10 {
            let notified = attack.raw.events().iter().filter(|e| e.kind == EventKind::Notify as u32).count();
            assert!(notified <= MAX_NOTIFICATIONS * 2 * frame);
        }
    });
}

#[test]
fn a_window_takes_no_focus_no_keys_and_no_place_above_by_a_popup() {
    attack(8, |attack, frame| {
        let raw = &mut attack.raw;
        let typed = raw.events();
        assert!(typed.iter().all(|e| e.kind != EventKind::Key as u32), "frame {frame}: keys were stolen");
        // Its window is made anew in each frame, with a popup that would cover everything.
        let oid = 10 + 2 * frame as u32;
        raw.page = DATA_PAGE;
        raw.window(0, oid, &at(260, 60, 60, 60));
        let popup = WindowDesc { popup: true, parent: oid, ..at(-5000, -5000, 8192, 8192) };
        raw.window(1, oid + 1, &popup);
        raw.committed();
        if frame > 0 {
            let window = attack.window(oid - 1).unwrap();
            let [x, y, width, height] = ["x", "y", "width", "height"].map(|v| window[v].as_i64().unwrap());
            assert!(
                x >= 2 && y >= 2 && x + width <= i64::from(WIDTH) - 2 && y + height <= i64::from(HEIGHT) - 2
            );
            assert_eq!(window["focus"], false);
        }
    });
}

#[test]
fn windows_of_any_wish_can_be_reached() {
    let wild = [0, 1, u32::MAX, 8192, 1 << 31, 100];
    let mut rng = fastrand::Rng::with_seed(5);
    attack(30, |attack, frame| {
        let raw = &mut attack.raw;
        raw.page = DATA_PAGE;
        for i in 0..8 {
            let mut any = || wild[rng.usize(0..wild.len())];
            let mut desc = at(any() as i32, any() as i32, any(), any());
            (desc.min_width, desc.max_width) = (any(), any());
            (desc.min_height, desc.max_height) = (any(), any());
            desc.set_title("\u{202e}\u{1b}[31m local: vm2 \n\u{0}");
            raw.window(i, 10 + i as u32, &desc);
        }
        raw.committed();
        if frame == 0 {
            return;
        }
        for oid in 10..18 {
            let window = attack.window(oid).unwrap();
            let [x, y, width, height] = ["x", "y", "width", "height"].map(|v| window[v].as_i64().unwrap());
            assert!(width <= i64::from(WIDTH) && height <= i64::from(HEIGHT), "{window}");
            assert!(width >= i64::from(MIN_WINDOW_SIZE) && height >= i64::from(MIN_WINDOW_SIZE), "{window}");
            assert!(y >= 18 && y <= i64::from(HEIGHT), "the label is on the output: {window}");
            assert!(x < i64::from(WIDTH) && x + width > 0, "{window}");
            assert_eq!(window["title"], "[31m local: vm2 ");
        }
    });
}

/// A popup whose parent goes has a label from then on.
#[test]
fn a_popup_without_a_parent_is_a_window_like_others() {
    let mut fixture = Fixture::new(WIDTH, HEIGHT);
    let (id, memory) = fixture.client(APERTURE);
    let mut raw = Raw::new(memory);
    raw.window(0, 1, &at(50, 60, 100, 100));
    raw.window(1, 2, &WindowDesc { popup: true, parent: 1, ..at(150, 100, 80, 80) });
    raw.committed();
    fixture.server.rang(id);
    fixture.frame();
    let empty = Slot::decode(&[0; SLOT_WORDS]);
    raw.slot(0, &Slot { version: 100, ..empty });
    raw.committed();
    fixture.server.rang(id);
    fixture.frame();
    // By its label, the user moves it.
    for input in [
        Input::Motion { x: 210.0, y: 150.0 },
        Input::Button { button: 0, pressed: true },
        Input::Motion { x: 230.0, y: 170.0 },
        Input::Button { button: 0, pressed: false },
    ] {
        let now = fixture.now;
        fixture.server.input(input, now);
    }
    let list = fixture.server.command(Command::List, 0).unwrap().value;
    let windows = list[0]["windows"].as_array().unwrap();
    assert_eq!(windows.len(), 1);
    assert_eq!((&windows[0]["x"], &windows[0]["y"]), (&220.into(), &180.into()), "{list}");
}

/// Programs that are replaced all the time, each with work for the compiler.
#[test]
fn programs_replaced_a_thousand_times() {
    let window = with(at(260, 60, 60, 60), Callback::Redraw, 1);
    attack(40, |attack, frame| {
        attack.raw.page = DATA_PAGE;
        attack.raw.window(1, 2, &window);
        for i in 0..25 {
            let text = format!("{}request_frame", "add r0, r0, 1.5\nsin r1, r0\n".repeat(200 + i + frame));
            attack.raw.page = DATA_PAGE + 1;
            attack.raw.procedure(0, 1, Callback::Redraw, &assemble(&text));
            attack.raw.committed();
            let (id, server) = (attack.id, &mut attack.fixture.server);
            server.rang(id);
            server.make_frame(attack.fixture.now);
        }
        let errors = attack.errors();
        assert!(errors.is_empty(), "{errors:?}");
    });
}

/// A program that one client may have is cached. Another one whose budget is smaller may not have it for all that,
/// and is told what there is too much of.
#[test]
fn a_budget_holds_for_what_others_may() {
    let program = assemble(
        "clear_color 0, 1, 0, 1\nclear color\nbegin triangle_fan\n\
         vertex2 0, 0\nvertex2 1, 0\nvertex2 1, 1\nvertex2 0, 1\nend\n",
    );
    let enough = Budget { fuel: 25, calls: 8, vertices: 6, upload_bytes: 320 };
    let smaller = [
        (Budget { fuel: 24, ..enough }, "needs 25 units of fuel at worst, the budget is 24"),
        (Budget { calls: 7, ..enough }, "needs 8 GL calls at worst, the budget is 7"),
        (Budget { vertices: 5, ..enough }, "needs 6 vertices at worst, the budget is 5"),
        (
            Budget { upload_bytes: 319, ..enough },
            "needs 320 bytes of vertices to upload at worst, the budget is 319",
        ),
    ];
    let mut fixture = Fixture::new(WIDTH, HEIGHT);
    let mut publish = |budget: Budget, program: &WireProgram| {
        let (id, memory) = fixture.client_within(APERTURE, budget);
        let mut raw = Raw::new(memory);
        raw.procedure(0, 1, Callback::Redraw, &clear_to([0.0, 0.0, 1.0]));
        raw.window(1, 2, &with(at(50, 60, 100, 100), Callback::Redraw, 1));
        raw.committed();
        fixture.server.rang(id);
        fixture.frame();
        raw.procedure(0, 1, Callback::Redraw, program);
        raw.committed();
        fixture.server.rang(id);
        fixture.frame();
        let now = fixture.now;
        let stats = fixture.server.command(Command::Stats, now).unwrap().value;
        let cached = stats["clients"].as_array().unwrap().last().unwrap()["cached_procedures"].clone();
        let list = fixture.server.command(Command::List, now).unwrap().value;
        let listed = list.as_array().unwrap().last().unwrap().clone();
        let shown = fixture.part(Rect::new(60, 70, 1, 1));
        (raw.event(EventKind::ProcedureRejected), listed, cached, shown)
    };
    let (green, blue) = ([0, 255, 0, 255], [0, 0, 255, 255]);
    for (budget, text) in [smaller, smaller].concat() {
        let (told, listed, _, shown) = publish(budget, &program);
        assert_eq!(told.map(|event| event.words), Some([1, 35, 8, u32::MAX]), "{text}");
        let text = format!("V35 at the program's end: {text}");
        assert_eq!(listed["errors"][0], format!("procedure 0.1 (redraw): {text}"));
        assert_eq!(listed["windows"][0]["procedures"][0]["error"], text);
        assert_eq!(shown, blue, "the last good program stays");
        // From now on the cache has it.
        let (told, listed, _, shown) = publish(Budget::default(), &program);
        assert!(told.is_none() && listed["errors"].as_array().unwrap().is_empty(), "{listed}");
        assert_eq!(shown[1], 255, "{shown:?}");
    }
    // Just enough; both procedures came from the cache.
    let (told, _, cached, shown) = publish(enough, &program);
    assert_eq!((told, cached), (None, 2.into()));
    assert_eq!(shown, green);
}

/// Lists that call lists add up when they run: then the budget stops them.
#[test]
fn a_budget_holds_for_what_lists_add_up_to() {
    let init = "new_list 1\nclear color\nend_list\nnew_list 2\ncall_list 1\ncall_list 1\nend_list";
    let redraw = "clear_color 0, 1, 0, 1\ncall_list 2\ncall_list 2";
    let mut fixture = Fixture::new(WIDTH, HEIGHT);
    for (fuel, stopped) in [(100, false), (50, true)] {
        let (id, memory) = fixture.client_within(APERTURE, Budget { fuel, ..Budget::default() });
        let mut raw = Raw::new(memory);
        raw.procedure(0, 1, Callback::Init, &assemble(init));
        raw.procedure(1, 2, Callback::Redraw, &assemble(redraw));
        let window = with(at(50, 60, 100, 100), Callback::Init, 1);
        raw.window(2, 3, &with(window, Callback::Redraw, 2));
        raw.committed();
        fixture.server.rang(id);
        fixture.frame();
        let events = raw.events();
        let heard = |kind: EventKind| events.iter().find(|event| event.kind == kind as u32);
        assert_eq!(heard(EventKind::ProcedureRejected), None);
        let told = heard(EventKind::Quota).map(|event| (event.words[1], event.words[2]));
        assert_eq!(told, stopped.then_some((QuotaKind::Fuel as u32, 50)));
    }
}

/// Without anything to draw, a client that rings makes no frames.
#[test]
fn ringing_alone_draws_nothing() {
    let mut fixture = Fixture::new(WIDTH, HEIGHT);
    let (id, memory) = fixture.client(APERTURE);
    let mut raw = Raw::new(memory);
    raw.window(0, 1, &at(50, 60, 100, 100));
    raw.committed();
    fixture.server.rang(id);
    fixture.frame();
    let frames =
        |fixture: &mut Fixture| fixture.server.command(Command::Stats, 0).unwrap().value["frames"].clone();
    let before = frames(&mut fixture);
    for i in 0..100 {
        if i % 2 == 0 {
            raw.put(context::COMMIT, 1);
        } else {
            raw.committed();
        }
        fixture.server.rang(id);
        fixture.server.rang(id);
        assert_eq!(fixture.frame(), None);
        assert_eq!(fixture.server.next_frame(fixture.now), None);
    }
    assert_eq!(frames(&mut fixture), before);
}

/// A commit that takes long to verify is paid for by whoever made it: the next one is seen a frame later.
#[test]
fn a_large_commit_delays_the_next() {
    let large = assemble(&"sin r0, r1\n".repeat(87_000));
    let mut fixture = Fixture::new(WIDTH, HEIGHT);
    let (id, memory) = fixture.client(32 << 20);
    let mut contexts: Vec<Raw> =
        (0..2).map(|i| Raw::open(memory.clone(), i, 1, 1 + 4000 * i, 4000)).collect();
    for raw in &mut contexts {
        for i in 0..8 {
            raw.procedure(i, i as u32 + 1, Callback::Redraw, &large);
        }
    }
    let bytes = 16 * (large.untrusted_words().len() as u64 * 4) * (PROCEDURE_BYTE_COST + 1);
    assert_eq!(bytes / MAX_SCAN_BYTES, 2);
    let mut seen = Vec::new();
    for _ in 0..4 {
        for raw in &mut contexts {
            raw.window(8, 9, &at(50, 60, 100, 100));
            raw.committed();
        }
        // Rung once for both: what must wait is seen without another ring.
        if seen.len() < 2 {
            fixture.server.rang(id);
        }
        fixture.frame();
        seen.push(contexts.iter().all(|raw| raw.get(context::SCANNED) == raw.commit));
    }
    assert_eq!(seen, [true, false, true, false]);
}

/// As many windows as a client can have, all of them seen and all of them animated.
#[test]
fn five_hundred_windows() {
    let redraw = assemble("clear color\nrequest_frame");
    attack(3, |attack, frame| {
        if frame > 0 {
            let windows = attack.listed()["windows"].as_array().unwrap().len();
            assert_eq!(windows, MAX_CONTEXTS * MAX_WINDOWS);
            return;
        }
        let memory = attack.raw.memory.clone();
        attack.raw.directory(0, 0, 0, 0);
        for index in 0..MAX_CONTEXTS {
            let mut raw = Raw::open(memory.clone(), index, 7, 1 + 60 * index, 60);
            raw.procedure(0, 1, Callback::Redraw, &redraw);
            for i in 0..MAX_WINDOWS {
                let desc = at(i as i32 * 14, 30 + index as i32 * 20, 16, 16);
                raw.window(1 + i, 10 + i as u32, &with(desc, Callback::Redraw, 1));
            }
            raw.committed();
        }
    });
}

/// Starts `redraw`, with large triangles in buffer 9, in a window of its own: no frame takes longer than it should,
/// though the whole would take seconds.
fn is_suspended(redraw: &WireProgram, width: u32, height: u32) {
    let mut fixture = Fixture::new(WIDTH, HEIGHT);
    fixture.set_costs(Counted { fragments: 1, ..Counted::default() });
    let (id, memory) = fixture.client(APERTURE);
    let mut raw = Raw::new(memory);
    // Triangles larger than any window.
    let places: Vec<u32> = [-1.0f32, -1.0, 3.0, -1.0, -1.0, 3.0].map(f32::to_bits).repeat(87_382);
    let buffer = raw.object(9, ObjectType::VertexBuffer, &places, [0; 8]);
    raw.slot(0, &buffer);
    raw.procedure(1, 2, Callback::Redraw, redraw);
    raw.window(2, 3, &with(at(0, 30, width, height), Callback::Redraw, 2));
    raw.committed();
    fixture.server.rang(id);
    for _ in 0..20 {
        let before = fixture.drawing_time();
        fixture.frame();
        let took = fixture.drawing_time() - before;
        assert!(took < REFRESH + 4_000_000, "{took} ns");
    }
    let mut attack = Attack { fixture: &mut fixture, id, raw };
    let stats = attack.stats();
    assert_eq!((&stats["redraws"], &stats["suspended"]), (&Value::from(0), &Value::from(2)));
    assert!(stats["slices"].as_u64().unwrap() >= 20);
    assert!(attack.listed()["notes"].as_array().unwrap().is_empty());
    for _ in 1..STRIKES {
        attack.fixture.now += FIRST_SLOW_SECONDS * 1_000_000_000;
        attack.fixture.frame();
    }
    let notes = attack.listed()["notes"].clone();
    assert!(notes.as_array().unwrap().iter().any(|note| note.as_str().unwrap().contains("drawn in slices")));
    assert!(attack.errors().is_empty());
}

/// Millions of vertices that cover next to nothing, each lit by eight lights, in polygons drawn as their borders: many
/// seconds on a software renderer, in each frame.
#[test]
fn vertices_without_end_are_suspended() {
    let mut state = String::from("enable lighting\nlight_model two_side, 1.0, 0.0, 0.0, 0.0\n");
    for light in 0..8 {
        state.push_str(&format!("enable light{light}\nlight light{light}, position, 0.1, 0.2, 1.0, 1.0\n"));
        state.push_str(&format!("light light{light}, spot_cutoff, 89.0, 0.0, 0.0, 0.0\n"));
    }
    state.push_str("polygon_mode front_and_back, line\n");
    state.push_str("array_pointer vertex, 2, float, 8, 9, 0\nenable_array vertex, true\n");
    let draws: String = (0..5).map(|i| format!("draw_arrays triangle_strip, {i}, 262140\n")).collect();
    is_suspended(&assemble(&(state + &draws)), 16, 16);
}

/// What is drawn with shaders that are compiled first is the client's drawing time.
#[test]
fn what_new_shaders_draw_counts() {
    let mut text = String::from("array_pointer vertex, 2, float, 8, 9, 0\nenable_array vertex, true\n");
    for variant in 0..16 {
        for plane in 0..4 {
            let switch = if variant >> plane & 1 != 0 { "enable" } else { "disable" };
            text.push_str(&format!("{switch} clip_plane{plane}\n"));
        }
        text.push_str("draw_arrays triangles, 0, 3000\n");
    }
    is_suspended(&assemble(&text), WIDTH, HEIGHT - 30);
}

/// What a window leaves uncleared, as it has too many clears before, may not show what lies beneath it.
#[test]
fn a_clear_behind_many_is_done() {
    let mut fixture = Fixture::new(WIDTH, HEIGHT);
    let clears = "clear depth\n".repeat(MAX_DRAWS as usize + 1);
    let above = assemble(&format!("{clears}clear_color 0.0, 1.0, 0.0, 1.0\nclear color"));
    // Only one that all paths have in common is certain to be the first.
    let jumps = "enable scissor_test\nscissor 0, 0, 1, 1\njmp_if lt, 1.0, 0.0, on\nclear color\non: disable scissor_test\n";
    let behind = assemble(&format!("{jumps}{clears}clear_color 0.0, 1.0, 0.0, 1.0\nclear color"));
    for (x, program) in
        [(60, &clear_to([1.0, 0.0, 0.0])), (60, &above), (200, &clear_to([1.0, 0.0, 0.0])), (200, &behind)]
    {
        let (id, memory) = fixture.client(APERTURE);
        let mut raw = Raw::new(memory);
        raw.procedure(0, 1, Callback::Redraw, program);
        raw.window(1, 2, &with(at(x, 80, 80, 80), Callback::Redraw, 1));
        raw.committed();
        fixture.server.rang(id);
        fixture.frame();
    }
    for x in [60, 200] {
        let pixels = fixture.part(Rect::new(x, 80, 80, 80));
        assert!(pixels.chunks_exact(4).all(|p| p[0] == 0), "what lies beneath is seen");
    }
}

/// Primitives without vertices, by turns of points and lines: each becomes many times as many bytes as it has. In several
/// contexts, as each has a limit of its own on words.
#[test]
fn what_becomes_of_programs_is_limited() {
    const CONTEXTS: usize = 4;
    const PROGRAMS: usize = 8;
    let program = assemble(&"begin points\nend\nbegin lines\nend\n".repeat(43_000));
    let kept = jit::Program::new(verifier::verify(program.clone(), Callback::Redraw).unwrap()).bytes();
    let pages = DATA_PAGE + (program.untrusted_words().len() * 4).div_ceil(PAGE_SIZE) * PROGRAMS;
    let mut fixture = Fixture::new(WIDTH, HEIGHT);
    let (id, memory) = fixture.client((1 + CONTEXTS * pages) * PAGE_SIZE);
    let mut raws: Vec<Raw> =
        (0..CONTEXTS).map(|i| Raw::open(memory.clone(), i, 1, 1 + i * pages, pages)).collect();
    for raw in &mut raws {
        for i in 0..PROGRAMS {
            raw.page = DATA_PAGE;
            raw.procedure(i, 1 + i as u32, Callback::Redraw, &program);
        }
        raw.committed();
    }
    // A frame takes only so much.
    for _ in 0..40 {
        fixture.server.rang(id);
        fixture.frame();
    }
    let mut refused = 0;
    for event in raws.iter_mut().flat_map(Raw::events) {
        assert_eq!(
            (event.kind, event.words[1]),
            (EventKind::ObjectRejected as u32, ObjectError::OverBudget as u32)
        );
        refused += 1;
    }
    let accepted = CONTEXTS * PROGRAMS - refused;
    let most = MAX_CLIENT_PROGRAM_BYTES / kept;
    assert_eq!(accepted, most.min(CONTEXTS * PROGRAMS), "of {kept} bytes each");
    assert!(refused > 0);
}
