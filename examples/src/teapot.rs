//! Newell's teapot in chrome: a sphere map of a landscape that is computed here.
//!
//! Body, lid and bottom are Bézier curves that go round the axis; handle and spout are Bézier patches of which one
//! half mirrors the other. They are evaluated while recording.

use blink_client::TextureInfo;
use blinkgl::gl::{
    Capability, ClearMask, Primitive, TexCoordinate, TexEnvMode, TexGenMode, TexParameter, TexValue,
};
use blinkgl::record::{ListId, TextureId};
use blinkgl::{Callback, RecordError, Recorder, WireProgram};
use pictures::{Procedures, view};
use std::f32::consts::TAU;

/// Seconds of a turn.
pub const PERIOD: f32 = 10.0;

/// Width and height of the sphere map in texels.
const SIZE: u16 = 128;

const TEAPOT: ListId = ListId::new(1);

/// Control points of the curves that go round: {distance from the axis, height}. All go down the
/// outside, and under the bottom back to the axis.
const TURNED: [[[f32; 2]; 4]; 6] = [
    [[0.0, 3.15], [0.8, 3.15], [0.0, 2.85], [0.2, 2.7]],
    [[0.2, 2.7], [0.4, 2.55], [1.3, 2.55], [1.3, 2.4]],
    [[1.4, 2.4], [1.3375, 2.53125], [1.4375, 2.53125], [1.5, 2.4]],
    [[1.5, 2.4], [1.75, 1.875], [2.0, 1.35], [2.0, 0.9]],
    [[2.0, 0.9], [2.0, 0.45], [1.5, 0.225], [1.5, 0.15]],
    [[1.5, 0.15], [1.5, 0.075], [1.425, 0.0], [0.0, 0.0]],
];

/// A row of control points of a tube's patch: both ends in the plane of symmetry {x, z}, and how far the two points
/// between them are from it.
type Row = ([f32; 2], [f32; 2], f32);

/// Handle and spout.
const TUBES: [[Row; 4]; 4] = [
    [
        ([-1.6, 2.025], [-1.5, 2.25], 0.3),
        ([-2.3, 2.025], [-2.5, 2.25], 0.3),
        ([-2.7, 2.025], [-3.0, 2.25], 0.3),
        ([-2.7, 1.8], [-3.0, 1.8], 0.3),
    ],
    [
        ([-2.7, 1.8], [-3.0, 1.8], 0.3),
        ([-2.7, 1.575], [-3.0, 1.35], 0.3),
        ([-2.5, 1.125], [-2.65, 0.9375], 0.3),
        ([-2.0, 0.9], [-1.9, 0.6], 0.3),
    ],
    [
        ([1.7, 1.425], [1.7, 0.6], 0.66),
        ([2.6, 1.425], [3.1, 0.825], 0.66),
        ([2.3, 2.1], [2.4, 2.025], 0.25),
        ([2.7, 2.4], [3.3, 2.4], 0.25),
    ],
    [
        ([2.7, 2.4], [3.3, 2.4], 0.25),
        ([2.8, 2.475], [3.525, 2.49375], 0.25),
        ([2.9, 2.475], [3.45, 2.5125], 0.15),
        ([2.8, 2.4], [3.2, 2.4], 0.15),
    ],
];

/// A point and its derivatives in two directions.
type Point = [[f32; 3]; 3];

/// A cubic Bézier curve and its derivative at `t`.
fn bezier<const N: usize>(points: [[f32; N]; 4], t: f32) -> [[f32; N]; 2] {
    let u = 1.0 - t;
    let value = [u * u * u, 3.0 * u * u * t, 3.0 * u * t * t, t * t * t];
    let slope = [-3.0 * u * u, 3.0 * u * (u - 2.0 * t), 3.0 * t * (2.0 * u - t), 3.0 * t * t];
    [value, slope].map(|weights| {
        std::array::from_fn(|axis| weights.iter().zip(points).map(|(w, point)| w * point[axis]).sum())
    })
}

/// A turned curve at `t`, turned by `part` of a whole turn.
fn turned(curve: [[f32; 2]; 4], t: f32, part: f32) -> Point {
    let [[radius, height], [outward, up]] = bezier(curve, t);
    let (sin, cos) = (part * TAU).sin_cos();
    [[radius * cos, radius * sin, height], [outward * cos, outward * sin, up], [-sin, cos, 0.0]]
}

/// The half of a tube on the side of `side` (1 or -1), at `t` along it and `s` across it.
fn tube(rows: [Row; 4], side: f32, t: f32, s: f32) -> Point {
    let across = rows.map(|([x0, z0], [x1, z1], y)| {
        let y = side * y;
        bezier([[x0, 0.0, z0], [x0, y, z0], [x1, y, z1], [x1, 0.0, z1]], s)
    });
    let [point, along] = bezier(across.map(|[point, _]| point), t);
    let [slope, _] = bezier(across.map(|[_, slope]| slope), t);
    [point, along, slope]
}

/// Records a point whose derivatives' cross product, times `side`, points outward.
fn record_point(p: &mut Recorder, [point, u, v]: Point, side: f32) {
    let normal = [u[1] * v[2] - u[2] * v[1], u[2] * v[0] - u[0] * v[2], u[0] * v[1] - u[1] * v[0]];
    let length = normal.iter().map(|n| n * n).sum::<f32>().sqrt();
    // At the axis the derivatives are parallel: the knob and the bottom are flat there.
    let normal = if length > 1e-6 {
        normal.map(|n| side * n / length)
    } else {
        [0.0, 0.0, if point[2] > 1.0 { 1.0 } else { -1.0 }]
    };
    p.normal3v(normal);
    p.vertex3v(point);
}

/// Records the teapot: its axis is z, its bottom at 0; each curve in `steps` pieces.
pub fn record_teapot(p: &mut Recorder, steps: u8) {
    let part = |i: u8, of: u8| f32::from(i) / f32::from(of);
    let around = 4 * steps;
    for curve in TURNED {
        for i in 0..steps {
            p.primitive(Primitive::QuadStrip, |p| {
                for j in 0..=around {
                    for row in [i, i + 1] {
                        record_point(p, turned(curve, part(row, steps), part(j, around)), 1.0);
                    }
                }
            });
        }
    }
    for (rows, side) in TUBES.into_iter().flat_map(|rows| [(rows, 1.0), (rows, -1.0)]) {
        for i in 0..steps {
            p.primitive(Primitive::QuadStrip, |p| {
                for j in 0..=steps {
                    // On the other side across is the other way round.
                    let s = if side > 0.0 { part(j, steps) } else { part(steps - j, steps) };
                    for row in [i, i + 1] {
                        record_point(p, tube(rows, side, part(row, steps), s), side);
                    }
                }
            });
        }
    }
}

/// The sphere map and its texels: what a chrome ball far away would show.
#[must_use]
pub fn texture() -> (TextureInfo, Vec<u8>) {
    let size = f32::from(SIZE);
    let texel = |i: u16, j: u16| {
        let at = |i: u16| 2.0 * (f32::from(i) + 0.5) / size - 1.0;
        let (x, y) = (at(i), at(j));
        let z = (1.0 - x * x - y * y).max(0.0).sqrt();
        // The ray from the eye along -z, reflected by the ball.
        landscape([2.0 * z * x, 2.0 * z * y, 2.0 * z * z - 1.0])
    };
    let texels = (0..SIZE).flat_map(|j| (0..SIZE).flat_map(move |i| texel(i, j))).collect();
    let info = TextureInfo::rgb(u32::from(SIZE), u32::from(SIZE)).generate_mipmaps();
    (info, texels)
}

/// What is seen in a direction: a sky with a sun and a window, a horizon, a ground of stripes.
fn landscape([x, y, z]: [f32; 3]) -> [u8; 3] {
    let sun = x * 0.5 + y * 0.7 + z * 0.51;
    let color = if sun > 0.97 {
        [1.0, 1.0, 0.95]
    } else if y > 0.0 {
        let high = y.sqrt();
        [0.85 - 0.65 * high, 0.9 - 0.5 * high, 1.0 - 0.2 * high]
    } else {
        let stripe = if (4.0 * x / (0.2 - y)).sin() * (4.0 * z / (0.2 - y)).sin() > 0.0 { 0.08 } else { 0.0 };
        let far = (1.0 + y).powi(6);
        [0.3 + 0.35 * far + stripe, 0.22 + 0.3 * far + stripe, 0.12 + 0.25 * far]
    };
    #[allow(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "casts saturate, as colors do"
    )]
    color.map(|c: f32| (c * 255.0).round() as u8)
}

/// The window's procedures.
///
/// # Errors
/// None: the recorder's, if they are changed.
pub fn procedures(texture: impl Into<TextureId>) -> Result<Procedures, RecordError> {
    Ok(vec![
        (Callback::Init, init(texture.into())?),
        (Callback::Reshape, reshape()?),
        (Callback::Redraw, redraw()?),
    ])
}

/// `init`: the sphere map and the teapot as a list.
///
/// # Errors
/// As [`procedures`].
pub fn init(texture: TextureId) -> Result<WireProgram, RecordError> {
    let mut p = Recorder::new();
    p.clear_color(0.25, 0.3, 0.38, 1.0);
    p.bind_texture(texture);
    p.tex_parameter(TexParameter::MinFilter, TexValue::LinearMipmapLinear);
    p.tex_parameter(TexParameter::WrapS, TexValue::ClampToEdge);
    p.tex_parameter(TexParameter::WrapT, TexValue::ClampToEdge);
    p.tex_env_mode(TexEnvMode::Replace);
    p.tex_gen([TexCoordinate::S, TexCoordinate::T], TexGenMode::SphereMap);
    p.enable_all([Capability::Texture2d, Capability::DepthTest]);
    p.list(TEAPOT, |p| record_teapot(p, 8));
    p.finish()
}

/// `reshape`.
///
/// # Errors
/// As [`procedures`].
pub fn reshape() -> Result<WireProgram, RecordError> {
    let mut p = Recorder::new();
    view::perspective(&mut p, 35.0, 1.0, 40.0);
    p.load_identity();
    p.look_at([0.0, -10.5, 4.8], [0.15, 0.0, 1.45], [0.0, 0.0, 1.0]);
    p.finish()
}

/// `redraw`.
///
/// # Errors
/// As [`procedures`].
pub fn redraw() -> Result<WireProgram, RecordError> {
    let mut p = Recorder::new();
    let angle = p.alloc();
    view::turning(&mut p, angle, PERIOD);
    p.request_frame();
    p.clear(ClearMask::COLOR | ClearMask::DEPTH);
    p.rotate(angle, 0.0, 0.0, 1.0);
    p.call_list(TEAPOT);
    p.finish()
}

#[cfg(test)]
mod tests {
    use super::*;
    use blinkgl::Op;
    use verifier::verify;

    #[test]
    fn it_turns_in_the_server() {
        for (callback, program) in procedures(3).expect("they record") {
            let program = verify(program, callback).expect("the server accepts it");
            let draws = callback == Callback::Redraw;
            assert_eq!(
                program.facts().uses_time && program.facts().requests_frame.may(),
                draws,
                "{callback}"
            );
        }
    }

    #[test]
    fn the_texture_has_its_texels() {
        let (info, texels) = texture();
        assert_eq!(info.bytes().expect("it is a texture"), texels.len());
    }

    /// Normals have length 1 and point away from the inside: from the axis in the middle of the body, from the
    /// tubes' own middle elsewhere.
    #[test]
    fn normals_point_outward() {
        let mut p = Recorder::new();
        p.primitive(Primitive::Points, |p| {
            for curve in TURNED {
                record_point(p, turned(curve, 0.4, 0.3), 1.0);
            }
        });
        let program = verify_list(p);
        for (normal, point) in &program {
            let length: f32 = normal.iter().map(|n| n * n).sum();
            assert!((length - 1.0).abs() < 1e-4, "{normal:?}");
            // Seen from the middle of the pot the surface turns its outside away, but for the waist of the lid's
            // knob and the rim.
            if point[2] < 2.4 {
                let away = normal[0] * point[0] + normal[1] * point[1] + normal[2] * (point[2] - 1.2);
                assert!(away > 0.0, "{normal:?} at {point:?}");
            }
        }
        for (rows, side) in TUBES.into_iter().flat_map(|rows| [(rows, 1.0), (rows, -1.0)]) {
            let [point, u, v] = tube(rows, side, 0.5, 0.5);
            let y = side * (u[2] * v[0] - u[0] * v[2]);
            assert!(y * point[1] > 0.0, "the side of a tube looks to its side");
        }
    }

    /// Normals and points of a program.
    fn verify_list(mut p: Recorder) -> Vec<([f32; 3], [f32; 3])> {
        p.clear(ClearMask::COLOR);
        let program = verify(p.finish().expect("it records"), Callback::Redraw).expect("it verifies");
        let numbers = |of: Op| {
            let of = program.instructions().filter(move |i| i.op() == of);
            of.map(|i| [0, 1, 2].map(|n| f32::from_bits(i.args[n]))).collect::<Vec<_>>()
        };
        numbers(Op::Normal3).into_iter().zip(numbers(Op::Vertex3)).collect()
    }
}
