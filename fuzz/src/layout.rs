//! What shared memory holds besides programs: objects survive being written as words, and a texture's planes
//! fill its data.

use crate::{Mismatch, ensure};
use blinkgl::layout::texture::{ColorSpace, Format, Levels, Rows, TextureDesc};
use blinkgl::layout::{Event, Slot, WindowDesc};
use fastrand::Rng;

const FORMATS: [Format; 7] = [
    Format::Bgra8,
    Format::Rgba8,
    Format::Rgb8,
    Format::Luminance8,
    Format::LuminanceAlpha8,
    Format::Alpha8,
    Format::Yuv420,
];

/// Checks one object of each kind.
pub fn check(rng: &mut Rng) -> Result<(), Mismatch> {
    let slot = Slot {
        version: rng.u32(..),
        oid: rng.u32(..),
        type_code: rng.u32(..),
        bytes: rng.u32(..),
        extent_count: rng.u32(..),
        params: std::array::from_fn(|_| rng.u32(..)),
        extents: std::array::from_fn(|_| (rng.u32(..), rng.u32(..))),
    };
    let again = Slot::decode(&slot.encode());
    ensure!(again == slot, "layout", "{slot:?} becomes {again:?}");
    let window = window(rng);
    let again = WindowDesc::decode(&window.encode());
    ensure!(again == window, "layout", "{window:?} becomes {again:?}");
    let event = Event {
        kind: rng.u32(..),
        window: rng.u32(..),
        time: rng.u64(..),
        words: std::array::from_fn(|_| rng.u32(..)),
    };
    let again = Event::decode(event.encode());
    ensure!(again == event, "layout", "{event:?} becomes {again:?}");
    texture(rng)
}

fn window(rng: &mut Rng) -> WindowDesc {
    WindowDesc {
        x: rng.i32(..),
        y: rng.i32(..),
        width: rng.u32(..),
        height: rng.u32(..),
        min_width: rng.u32(..),
        min_height: rng.u32(..),
        max_width: rng.u32(..),
        max_height: rng.u32(..),
        offscreen: rng.bool(),
        popup: rng.bool(),
        parent: rng.u32(..),
        procedures: std::array::from_fn(|_| rng.u32(..)),
        registers: rng.u32(..),
        cursor: rng.u32(..),
        update_serial: rng.u32(..),
        title_bytes: rng.u32(..),
        title: std::array::from_fn(|_| rng.u8(..)),
    }
}

fn texture(rng: &mut Rng) -> Result<(), Mismatch> {
    let format = FORMATS[rng.usize(..FORMATS.len())];
    let (width, height) = (rng.u32(1..70), rng.u32(1..70));
    let color_space = ColorSpace::from_code(rng.u32(0..3)).unwrap_or_default();
    let levels = if rng.bool() { Levels::Generated } else { Levels::Given(rng.u32(1..8)) };
    let stride = format.min_stride(width) + rng.u32(0..9);
    let texture = TextureDesc { format, width, height, stride, color_space, levels };
    let again = TextureDesc::decode(&texture.encode());
    ensure!(again == Ok(texture), "layout", "{texture:?} becomes {again:?}");
    if let Some(bytes) = texture.bytes() {
        // Plane after plane, with nothing between them.
        let mut end = 0;
        for level in 0..levels.given() {
            for plane in 0..format.planes() {
                let Some(place) = texture.plane(level, plane) else {
                    return Err(Mismatch::new(
                        "layout",
                        format!("{texture:?} has no plane {plane} of {level}"),
                    ));
                };
                ensure!(place.offset == end, "layout", "{texture:?}: {place:?} is not at {end}");
                end += place.stride as usize * place.height as usize;
            }
        }
        ensure!(end == bytes, "layout", "{texture:?} ends at {end} of {bytes} bytes");
    }
    let rows = Rows { first: rng.u32(0..4096), count: rng.u32(1..4096) };
    ensure!(Rows::from_code(rows.code()) == Some(rows), "layout", "{rows:?} by its code");
    Ok(())
}
