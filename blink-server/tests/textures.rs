//! Textures and buffers from a client's memory to the picture: formats, levels of detail, and changes.
#![allow(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::cast_precision_loss,
    missing_docs,
    reason = "a test"
)]

#[path = "support/compat.rs"]
mod compat;
#[path = "support/scene.rs"]
mod scene;
mod support;

use blink_client::{ObjectId, TextureArea, TextureInfo, WindowDesc};
use blink_server::geometry::Rect;
use blink_server::gl::ResourceKey;
use blink_server::gl::context::Flavor;
use blink_server::ipc::Command;
use blinkgl::gl::{
    Array, ArrayData, Capability, ClearMask, IndexData, Primitive, TexEnvMode, TexParameter, TexValue,
};
use blinkgl::layout::texture::{Format, Rows};
use blinkgl::ops::Callback;
use blinkgl::{Recorder, WireProgram};
use ipc::limits::{MAX_SCAN_BYTES, MIPMAP_BYTE_COST, MIPMAP_LEVEL_BYTES};
use jit::TierChoice;
use scene::{Blink, Scene, Texture};
use support::{Fixture, Guest, save_png};

const SIZE: u32 = 64;

const PLAIN: [Format; 6] =
    [Format::Bgra8, Format::Rgba8, Format::Rgb8, Format::Luminance8, Format::LuminanceAlpha8, Format::Alpha8];

/// Texels that all differ, in each component.
fn texel(x: u32, y: u32) -> [u8; 4] {
    [
        (x * 31 + y * 3) as u8,
        (x * 7 + y * 53 + 40) as u8,
        (x * y * 11 + 90) as u8,
        (x * 17 + y * 29 + 60) as u8,
    ]
}

/// Draws texture 7 over the window, `scale` times.
fn covered(p: &mut Recorder, mode: TexEnvMode, min: TexValue, mag: TexValue, scale: f32) {
    p.clear_color(0.2, 0.4, 0.6, 0.8);
    p.clear(ClearMask::COLOR);
    p.enable(Capability::Texture2d);
    p.bind_texture(7);
    p.tex_env_mode(mode);
    p.tex_env_color(0.9, 0.5, 0.1, 0.3);
    p.tex_parameter(TexParameter::MinFilter, min);
    p.tex_parameter(TexParameter::MagFilter, mag);
    p.color4(0.9, 0.7, 0.5, 0.6);
    p.primitive(Primitive::Quads, |p| {
        for (x, y) in [(-1.0, -1.0), (1.0, -1.0), (1.0, 1.0), (-1.0, 1.0)] {
            p.tex_coord2((x * 0.5 + 0.5) * scale, (0.5 - y * 0.5) * scale);
            p.vertex2(x, y);
        }
    });
}

fn differences(a: &[u8], b: &[u8]) -> usize {
    assert_eq!(a.len(), b.len());
    let differs = |(a, b): (&[u8], &[u8])| a.iter().zip(b).any(|(a, b)| a.abs_diff(*b) > 2);
    a.chunks_exact(4).zip(b.chunks_exact(4)).filter(|&pair| differs(pair)).count()
}

/// Each scene as OpenGL draws it, in all contexts that the server may have.
fn compare(scenes: &[Scene]) {
    let wanted = compat::pictures(scenes);
    for flavor in Flavor::ALL {
        let mut blink = Blink::of(flavor);
        for (scene, wanted) in scenes.iter().zip(&wanted) {
            let found = blink.picture(scene, TierChoice::Interpreter);
            let different = differences(&found, wanted);
            if different > 20 {
                save_png(&format!("{}-wanted", scene.name), SIZE, SIZE, wanted);
                save_png(&format!("{}-found", scene.name), SIZE, SIZE, &found);
                panic!("{flavor:?}, {}: {different} pixels differ", scene.name);
            }
        }
    }
}

#[test]
fn formats_are_opengls() {
    let mut scenes = vec![];
    for format in PLAIN {
        for mode in
            [TexEnvMode::Replace, TexEnvMode::Modulate, TexEnvMode::Decal, TexEnvMode::Blend, TexEnvMode::Add]
        {
            // OpenGL leaves decals of other formats open.
            let rgb = matches!(format, Format::Bgra8 | Format::Rgba8 | Format::Rgb8);
            if mode == TexEnvMode::Decal && !rgb {
                continue;
            }
            let scene = Scene::new(format!("{format:?}-{mode:?}"), SIZE, SIZE, |p| {
                covered(p, mode, TexValue::Nearest, TexValue::Nearest, 1.0);
            });
            // A width that no alignment of rows divides.
            scenes.push(scene.texture(Texture::of(7, format, 7, 5, texel)));
        }
    }
    compare(&scenes);
}

/// What is drawn smaller shows the level that OpenGL shows, whoever made it; what is missing is the last one.
#[test]
fn levels_are_opengls() {
    let colors =
        [[200, 30, 10, 255], [10, 220, 60, 200], [40, 50, 240, 150], [250, 250, 10, 100], [90, 0, 90, 50]];
    let mut scenes = vec![];
    for scale in [0.4, 1.0, 2.1, 4.3, 9.0, 40.0] {
        for (name, min) in [
            ("nearest", TexValue::NearestMipmapNearest),
            ("linear", TexValue::LinearMipmapNearest),
            ("between", TexValue::NearestMipmapLinear),
            ("trilinear", TexValue::LinearMipmapLinear),
            ("none", TexValue::Nearest),
        ] {
            let scene = |levels: &str| {
                Scene::new(format!("levels-{levels}-{name}-{scale}"), SIZE, SIZE, |p| {
                    covered(p, TexEnvMode::Replace, min, TexValue::Nearest, scale);
                })
            };
            let plain = |x: u32, y: u32| [(x * 3) as u8, (y * 3) as u8, 128, 255];
            for count in [1, 3, 5] {
                let texture = Texture::of(7, Format::Rgb8, 64, 32, |_, _| colors[0])
                    .with_levels(count, |level, _, _| colors[level as usize]);
                scenes.push(scene(&count.to_string()).texture(texture));
            }
            let made = Texture::of(7, Format::Rgba8, 64, 64, plain).generate_mipmaps();
            scenes.push(scene("generated").texture(made));
        }
    }
    compare(&scenes);
}

/// Rows that are uploaded by themselves make the texture that is uploaded as a whole, its smaller levels too.
#[test]
fn rows_are_changed_in_place() {
    let mut picture_count = 0;
    for flavor in Flavor::ALL {
        let mut blink = Blink::of(flavor);
        for format in PLAIN {
            for generated in [false, true] {
                // More than two texels a pixel: what is drawn is level 1 or 2.
                let scale = if generated { 9.0 } else { 1.0 };
                let scene = Scene::new("rows", SIZE, SIZE, |p| {
                    covered(p, TexEnvMode::Modulate, TexValue::LinearMipmapNearest, TexValue::Nearest, scale);
                });
                let texture = |change: u8| {
                    let of = Texture::of(7, format, 19, 21, |x, y| {
                        let changed = if (4..9).contains(&y) { change } else { 0 };
                        texel(x, y).map(|v| v ^ changed)
                    });
                    if generated { of.generate_mipmaps() } else { of }
                };
                let (before, after) = (texture(0), texture(0xa5));
                let with = |texture: &Texture| scene.clone().texture(texture.clone());
                let (old, wanted) = [&before, &after]
                    .map(|texture| blink.picture(&with(texture), TierChoice::Interpreter))
                    .into();
                assert!(differences(&old, &wanted) > 100, "the change shows");
                blink.picture(&with(&before), TierChoice::Interpreter);
                let key = ResourceKey { client: 1, context: 0, oid: 7 };
                let stride = after.desc.stride as usize;
                let rows = Rows { first: 4, count: 5 };
                let (tracker, resources) = (&mut blink.tracker, &mut blink.resources);
                let bytes = &after.bytes[4 * stride..9 * stride];
                tracker.take_counters();
                resources.set_texture(tracker, key, &after.desc, Some(rows), bytes).unwrap();
                assert_eq!(tracker.take_counters().uploaded_bytes, 5 * stride as u64);
                let found = blink.picture(&scene, TierChoice::Interpreter);
                assert!(found == wanted, "{flavor:?} {format:?} {generated}");
                picture_count += 1;

                // Rows of what is not there, or has another shape, are no image.
                let (tracker, resources) = (&mut blink.tracker, &mut blink.resources);
                let other = ResourceKey { oid: 8, ..key };
                assert!(resources.set_texture(tracker, other, &after.desc, Some(rows), bytes).is_err());
                let outside = Rows { first: 20, count: 5 };
                assert!(resources.set_texture(tracker, key, &after.desc, Some(outside), bytes).is_err());
                assert!(resources.set_texture(tracker, key, &after.desc, Some(rows), &bytes[1..]).is_err());
            }
        }
    }
    assert_eq!(picture_count, Flavor::ALL.len() * 12);
}

// ---- By a client ------------------------------------------------------------------------------------

fn redraw(draw: impl FnOnce(&mut Recorder)) -> WireProgram {
    let mut p = Recorder::new();
    draw(&mut p);
    p.finish().unwrap()
}

const PLACE: Rect = Rect { x: 40, y: 40, width: SIZE, height: SIZE };

fn window(programs: &[(Callback, ObjectId)]) -> WindowDesc {
    let mut desc = WindowDesc { x: PLACE.x, y: PLACE.y, width: SIZE, height: SIZE, ..WindowDesc::default() };
    for &(callback, oid) in programs {
        desc.procedures[callback as usize] = oid.number();
    }
    desc
}

fn counted(fixture: &mut Fixture, what: &str) -> u64 {
    let now = fixture.now;
    let stats = fixture.server.command(Command::Stats, now).unwrap().value;
    stats["clients"][0][what].as_u64().unwrap_or_else(|| panic!("no {what} in {stats}"))
}

/// A client changes a texture bit by bit: only the rows are copied, the picture is that of the whole texture, and
/// another server finds the same.
#[test]
fn a_client_changes_areas() {
    let mut fixture = Fixture::new(200, 160);
    let mut guest = fixture.guest();
    let info = TextureInfo::rgb(SIZE, SIZE);
    let mut model = vec![0_u8; (SIZE * SIZE * 3) as usize];
    for (i, value) in model.iter_mut().enumerate() {
        *value = (i * 7 % 251) as u8;
    }
    let mut commit = guest.context.commit();
    let texture = commit.texture(&info, &model).unwrap();
    // Bound by `init` only: a change must be drawn all the same.
    let init = redraw(|p| {
        p.bind_texture(texture.number());
        for name in [TexParameter::MinFilter, TexParameter::MagFilter] {
            p.tex_parameter(name, TexValue::Nearest);
        }
    });
    let init = commit.procedure(Callback::Init, &init).unwrap();
    let draw = redraw(|p| {
        p.enable(Capability::Texture2d);
        p.tex_env_mode(TexEnvMode::Replace);
        p.primitive(Primitive::Quads, |p| {
            for (x, y) in [(-1.0, -1.0), (1.0, -1.0), (1.0, 1.0), (-1.0, 1.0)] {
                p.tex_coord2(x * 0.5 + 0.5, 0.5 - y * 0.5);
                p.vertex2(x, y);
            }
        });
    });
    let draw = commit.procedure(Callback::Redraw, &draw).unwrap();
    commit.window(&window(&[(Callback::Init, init), (Callback::Redraw, draw)])).unwrap();
    commit.finish().unwrap();
    let look = |fixture: &mut Fixture, model: &[u8]| {
        let found = fixture.part(PLACE);
        let rgb: Vec<u8> = found.chunks_exact(4).flat_map(|p| [p[0], p[1], p[2]]).collect();
        assert!(rgb == model);
    };
    assert!(fixture.sync(&mut guest).is_some());
    look(&mut fixture, &model);

    let mut random = fastrand::Rng::with_seed(11);
    for round in 0..20 {
        let mut commit = guest.context.commit();
        let mut rows: Option<Rows> = None;
        for _ in 0..=round % 3 {
            let (x, y) = (random.u32(0..SIZE), random.u32(0..SIZE));
            let (width, height) = (random.u32(1..=SIZE - x), random.u32(1..=SIZE - y));
            let pixels: Vec<u8> = (0..width * height * 3).map(|_| random.u8(..)).collect();
            let stride = (width * 3) as usize;
            let area = TextureArea { level: 0, x, y, width, height };
            commit.set_texture_area(texture, area, &pixels, stride).unwrap();
            for (row, line) in (y as usize..).zip(pixels.chunks(stride)) {
                model[(row * SIZE as usize + x as usize) * 3..][..stride].copy_from_slice(line);
            }
            let changed = Rows { first: y, count: height };
            rows = Some(rows.map_or(changed, |rows| rows.and(changed)));
        }
        commit.finish().unwrap();
        let before = counted(&mut fixture, "copied_bytes");
        assert!(fixture.sync(&mut guest).is_some(), "a change is drawn");
        let wanted = u64::from(rows.unwrap().count * SIZE * 3);
        assert_eq!(counted(&mut fixture, "copied_bytes") - before, wanted);
        look(&mut fixture, &model);
    }
    // Two commits between scans: the server has not the version that the second is based on.
    for value in [77, 78] {
        let mut commit = guest.context.commit();
        let area = TextureArea { level: 0, x: 0, y: value - 70, width: 1, height: 1 };
        commit.set_texture_area(texture, area, &[value as u8; 3], 3).unwrap();
        commit.finish().unwrap();
        model[((value - 70) * SIZE * 3) as usize..][..3].fill(value as u8);
    }
    let before = counted(&mut fixture, "copied_bytes");
    fixture.sync(&mut guest);
    assert_eq!(counted(&mut fixture, "copied_bytes") - before, model.len() as u64);
    look(&mut fixture, &model);
    fixture.restart(&[]);
    fixture.frame();
    look(&mut fixture, &model);
}

/// Triangles from a client's buffers, which it changes.
#[test]
fn a_client_changes_buffers() {
    let mut fixture = Fixture::new(200, 160);
    let mut guest = fixture.guest();
    let mut commit = guest.context.commit();
    let corners = |size: f32| [[-size, -size], [size, -size], [size, size], [-size, size]];
    let vertices = commit.vertex_buffer(&corners(1.0)).unwrap();
    let indices = commit.index_buffer(&[0_u16, 1, 2, 0, 2, 3]).unwrap();
    let init = redraw(|p| {
        p.array_pointer(Array::Vertex, 2, ArrayData::Float, 0, vertices.number(), 0);
        p.enable_array(Array::Vertex, true);
    });
    let init = commit.procedure(Callback::Init, &init).unwrap();
    let draw = redraw(|p| {
        p.clear_color(0.0, 0.0, 1.0, 1.0);
        p.clear(ClearMask::COLOR);
        p.color4(1.0, 0.0, 0.0, 1.0);
        p.draw_elements(Primitive::Triangles, 6, IndexData::UnsignedShort, indices.number(), 0);
    });
    let draw = commit.procedure(Callback::Redraw, &draw).unwrap();
    commit.window(&window(&[(Callback::Init, init), (Callback::Redraw, draw)])).unwrap();
    commit.finish().unwrap();
    let red =
        |fixture: &mut Fixture| fixture.part(PLACE).chunks_exact(4).filter(|p| p[..3] == [255, 0, 0]).count();
    let change =
        |guest: &mut Guest, fixture: &mut Fixture, change: &dyn Fn(&mut blink_client::Commit<'_>)| {
            let mut commit = guest.context.commit();
            change(&mut commit);
            commit.finish().unwrap();
            assert!(fixture.sync(guest).is_some(), "a change is drawn");
        };
    assert!(fixture.sync(&mut guest).is_some());
    assert_eq!(red(&mut fixture), 64 * 64);
    change(&mut guest, &mut fixture, &|commit| commit.set_buffer(vertices, &corners(0.5)).unwrap());
    assert_eq!(red(&mut fixture), 32 * 32);
    change(&mut guest, &mut fixture, &|commit| commit.set_buffer(indices, &[0_u16, 0, 0, 0, 2, 3]).unwrap());
    let half = red(&mut fixture);
    assert!((470..=544).contains(&half), "{half} pixels of half a square");
    change(&mut guest, &mut fixture, &|commit| commit.remove(indices).unwrap());
    assert_eq!(red(&mut fixture), 0);
}

/// A change of a row makes the server make all levels again: a client pays for these, not for the row.
#[test]
fn levels_that_the_server_makes_are_paid_for() {
    let frames_until_seen = |info: TextureInfo| {
        let mut fixture = Fixture::new(200, 160);
        let mut guest = fixture.guest();
        let mut commit = guest.context.commit();
        let textures: Vec<ObjectId> =
            (0..200).map(|_| commit.texture(&info, &[9; 32 * 32]).unwrap()).collect();
        commit.finish().unwrap();
        fixture.sync(&mut guest);
        assert!(guest.context.is_seen());
        for _ in 0..20 {
            fixture.frame();
        }
        let change = |guest: &mut Guest| {
            let mut commit = guest.context.commit();
            for &texture in &textures {
                let area = TextureArea { level: 0, x: 0, y: 7, width: 1, height: 1 };
                commit.set_texture_area(texture, area, &[1], 1).unwrap();
            }
            commit.finish().unwrap();
        };
        change(&mut guest);
        fixture.sync(&mut guest);
        assert!(guest.context.is_seen());
        change(&mut guest);
        let mut frames = 0;
        while !guest.context.is_seen() {
            frames += 1;
            assert!(frames < 20, "a commit is seen some time");
            fixture.sync(&mut guest);
        }
        frames
    };
    let info = TextureInfo::luminance(32, 32);
    let cost = 200 * MIPMAP_BYTE_COST * (32 * 32 + 6 * MIPMAP_LEVEL_BYTES);
    assert_eq!(cost / MAX_SCAN_BYTES, 2);
    assert_eq!((frames_until_seen(info), frames_until_seen(info.generate_mipmaps())), (1, 2));
}
