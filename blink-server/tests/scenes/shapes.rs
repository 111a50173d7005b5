//! What scenes are made of.

use blinkgl::Recorder;
use blinkgl::gl::{
    Capability, ClearMask, Face, Light, LightParameter, MaterialParameter, MatrixMode, Primitive,
};
use blinkgl::ops::EnumSet;

pub const COLOR: ClearMask = ClearMask::COLOR;

pub fn clear(p: &mut Recorder) {
    p.clear(ClearMask::COLOR | ClearMask::DEPTH);
}

/// A vertex with attributes of its own, all of them from its number.
pub fn vertex(p: &mut Recorder, number: u32, x: f32, y: f32, z: f32) {
    let n = number as f32;
    p.color4((n * 0.37).fract(), (n * 0.61 + 0.3).fract(), (n * 0.83 + 0.6).fract(), 1.0);
    p.normal3((n * 1.3).sin() * 0.6, (n * 2.1).cos() * 0.6, 1.0);
    p.vertex3(x, y, z);
}

/// Vertices in an order that makes areas of each primitive.
pub fn vertices(p: &mut Recorder, mode: Primitive) {
    use Primitive as P;
    match mode {
        P::Points => {
            for i in 0..400 {
                // None lies on the border of two pixels.
                let (x, y) = ((i % 20) as f32, (i / 20) as f32);
                vertex(p, i, x * 0.09 - 0.857, y * 0.09 - 0.857, 0.0);
            }
        }
        P::Lines | P::LineStrip | P::LineLoop | P::Polygon => {
            let count = if mode == P::Polygon { 9 } else { 23 };
            for i in 0..count {
                let a = i as f32 / count as f32 * std::f32::consts::TAU;
                // Lines jump over the circle; polygons go around it.
                let a = if mode == P::Polygon { a } else { a * 9.0 };
                vertex(p, i, a.cos() * 0.91, a.sin() * 0.87, 0.1 * a.sin());
            }
        }
        P::TriangleFan => {
            vertex(p, 0, 0.05, 0.03, 0.4);
            for i in 0..8 {
                let a = i as f32 * 0.8;
                vertex(p, i + 1, a.cos() * 0.9, a.sin() * 0.9, 0.0);
            }
        }
        P::Triangles => {
            for cell in 0..9u32 {
                let (cx, cy) = ((cell % 3) as f32 * 0.6 - 0.6, (cell / 3) as f32 * 0.6 - 0.6);
                for corner in 0..3 {
                    let a = 0.4 * cell as f32 + corner as f32 / 3.0 * std::f32::consts::TAU;
                    let turn = if cell % 2 == 0 { 1.0 } else { -1.0 };
                    let z = if corner == 2 { 0.3 } else { 0.0 };
                    vertex(p, cell * 4 + corner, cx + turn * a.cos() * 0.28, cy + a.sin() * 0.28, z);
                }
            }
            // An incomplete one.
            vertex(p, 3, 0.0, 0.0, 0.9);
        }
        // OpenGL leaves open along which diagonal a quad is cut, and drivers differ (Mesa's: with the shade
        // model). So these are flat, and their colors such that the cut does not show.
        P::Quads => {
            for cell in 0..9u32 {
                let (cx, cy) = ((cell % 3) as f32 * 0.6 - 0.6, (cell / 3) as f32 * 0.6 - 0.6);
                let turn = if cell % 2 == 0 { 0.28 } else { -0.28 };
                let a = 0.4 * cell as f32;
                p.normal3(a.sin() * 0.6, a.cos() * 0.6, 1.0);
                for corner in 0..4u8 {
                    let around = a + f32::from(corner) * std::f32::consts::FRAC_PI_2;
                    let (along, up) = ([0.0, 1.0, 1.0, 0.0], [0.0, 0.0, 1.0, 1.0]);
                    let (along, up) = (along[usize::from(corner)], up[usize::from(corner)]);
                    p.color4(0.1 * cell as f32, 0.2 + 0.7 * along, 0.9 - 0.5 * up, 1.0);
                    p.vertex3(cx + turn * around.cos(), cy + around.sin() * 0.28, 0.2 * up);
                }
            }
            // An incomplete one.
            vertex(p, 3, 0.0, 0.0, 0.9);
        }
        P::TriangleStrip | P::QuadStrip => {
            for i in 0..13u32 {
                let x = (i / 2) as f32 * 0.28 - 0.85;
                let y = if i % 2 == 0 { 0.6 } else { -0.6 } + 0.2 * (i as f32).sin();
                vertex(p, i, x, y, 0.1 * (i % 3) as f32);
            }
        }
    }
}

/// A perspective view of the square from -1 to 1.
pub fn view(p: &mut Recorder) {
    p.matrix_mode(MatrixMode::Projection);
    p.load_identity();
    p.frustum(-1.0, 1.0, -1.0, 1.0, 3.0, 20.0);
    p.matrix_mode(MatrixMode::Modelview);
    p.load_identity();
    p.translate(0.0, 0.0, -3.3);
}

pub fn lit(p: &mut Recorder) {
    for capability in [Capability::Lighting, Capability::Light0, Capability::Normalize, Capability::DepthTest]
    {
        p.enable(capability);
    }
    p.light(Light::Light0, LightParameter::Position, 2.0, 3.0, 4.0, 0.0);
    p.material(Face::FrontAndBack, MaterialParameter::AmbientAndDiffuse, 0.8, 0.5, 0.3, 1.0);
}

/// A ball of quad strips, so that lights show all they do. Its inside is seen too where it is cut open.
pub fn ball(p: &mut Recorder, from: i32) {
    colored_ball(p, from, |p, [r, g, b, a]| p.color4(r, g, b, a));
}

pub fn colored_ball(p: &mut Recorder, from: i32, color: impl Fn(&mut Recorder, [f32; 4])) {
    for number in from..RINGS {
        ring(p, number, &color);
    }
}

pub const RINGS: i32 = 12;

pub fn ring(p: &mut Recorder, number: i32, color: impl Fn(&mut Recorder, [f32; 4])) {
    let angle = |number: i32| (number as f32 / RINGS as f32 - 0.5) * std::f32::consts::PI;
    let (low, high) = (angle(number), angle(number + 1));
    p.primitive(Primitive::QuadStrip, |p| {
        for i in 0..=16 {
            let a = i as f32 / 16.0 * std::f32::consts::TAU;
            for b in [low, high] {
                let (x, y, z) = (a.cos() * b.cos(), b.sin(), a.sin() * b.cos());
                color(p, [0.5 + 0.5 * x, 0.5 + 0.5 * y, 0.5 - 0.5 * x, 0.5 + 0.5 * z]);
                p.normal3(x, y, z);
                p.vertex3(x, y, z);
            }
        }
    });
}

/// A wall of small squares, so that a spot has an edge.
pub fn wall(p: &mut Recorder) {
    p.normal3(0.0, 0.0, 1.0);
    for row in 0..40 {
        let y = row as f32 * 0.05 - 1.0;
        p.primitive(Primitive::QuadStrip, |p| {
            for i in 0..=40 {
                p.vertex2(i as f32 * 0.05 - 1.0, y + 0.05);
                p.vertex2(i as f32 * 0.05 - 1.0, y);
            }
        });
    }
}

pub fn square(p: &mut Recorder, [left, bottom, right, top]: [f32; 4], z: f32) {
    p.primitive(Primitive::Quads, |p| {
        for (x, y) in [(left, bottom), (right, bottom), (right, top), (left, top)] {
            p.vertex3(x, y, z);
        }
    });
}

/// The name of a value of an enum set.
pub fn name(set: &EnumSet, value: u32) -> &'static str {
    set.name_of(value).expect("a value of the set")
}

/// A cell of a table of cells, in rows from the lower left corner.
pub fn cell(columns: usize, rows: usize, number: usize) -> [f32; 4] {
    let (width, height) = (1.9 / columns as f32, 1.9 / rows as f32);
    let (left, bottom) =
        ((number % columns) as f32 * width - 0.95, (number / columns) as f32 * height - 0.95);
    [left, bottom, left + width * 0.9, bottom + height * 0.9]
}

/// A square with a color that changes evenly, so that it does not matter along which diagonal it is cut.
pub fn gradient(
    p: &mut Recorder,
    [left, bottom, right, top]: [f32; 4],
    from: [f32; 4],
    along: [f32; 4],
    up: [f32; 4],
) {
    p.primitive(Primitive::Quads, |p| {
        for (x, y, a, b) in [
            (left, bottom, 0.0, 0.0),
            (right, bottom, 1.0, 0.0),
            (right, top, 1.0, 1.0),
            (left, top, 0.0, 1.0),
        ] {
            let [red, green, blue, alpha] = std::array::from_fn(|i| from[i] + a * along[i] + b * up[i]);
            p.color4(red, green, blue, alpha);
            p.vertex2(x, y);
        }
    });
}

/// A gradient in which every channel, alpha too, takes many values.
pub fn colorful(p: &mut Recorder, place: [f32; 4]) {
    gradient(p, place, [0.1, 0.9, 0.2, 0.05], [0.8, -0.3, 0.1, 0.5], [0.1, -0.5, 0.6, 0.4]);
}

/// Confines clears and draws to a column of `count`, of a window of `width` times `height` pixels.
pub fn column(p: &mut Recorder, number: i32, count: i32, width: i32, height: i32) {
    p.enable(Capability::ScissorTest);
    p.scissor(number * width / count, 0, width / count, height);
}
