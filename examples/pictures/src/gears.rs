//! The classic three gears: geometry, light, colors, view and angles as in the program that every OpenGL
//! installation has, recorded as stored procedures.
//!
//! Registers of the window, by number:
//!
//! | register | written by | what |
//! |---|---|---|
//! | [`VIEW_X`], [`VIEW_Y`] | `input` | the view's rotation about the x and y axes, degrees |
//! | [`LAST_X`], [`LAST_Y`], [`HELD`] | `input` | where the pointer was, and whether a button is held |
//! | [`CLIENT_ANGLE`] | the client | the angle of the next update (`switch` mode) |
//! | [`ANGLE`] | `redraw` or `update` | the angle of the first gear, degrees |

use crate::Picture;
use alloc::vec;
use blinkgl::gl::{
    Capability, ClearMask, External, Face, Light, LightParameter, MaterialParameter, MatrixMode, Predicate,
    Primitive, ShadeModel,
};
use blinkgl::limits::REGISTERS;
use blinkgl::{Callback, RecordError, Recorder, Reg, WireProgram};
use libm::{cos, hypot, sin};

/// Number of the register that holds the view's rotation about the x axis.
pub const VIEW_X: u32 = 0;
/// Number of the register that holds the view's rotation about the y axis.
pub const VIEW_Y: u32 = 1;
/// Number of the register that holds the pointer's x at the last `input`.
pub const LAST_X: u32 = 2;
/// Number of the register that holds the pointer's y at the last `input`.
pub const LAST_Y: u32 = 3;
/// Number of the register that is 1 while a button is held, else 0.
pub const HELD: u32 = 4;
/// Number of the register in which the client leaves the angle for `update`.
pub const CLIENT_ANGLE: u32 = 5;
/// Number of the register that holds the first gear's angle.
pub const ANGLE: u32 = 6;

/// The view's rotation at the start, degrees about x and y.
pub const VIEW: [f32; 2] = [20.0, 30.0];

/// Degrees that the first gear turns in a second.
pub const SPEED: f32 = 70.0;

/// Degrees that the view turns for each pixel of a drag.
pub const DRAG: f32 = 0.5;

/// Seconds after which all gears stand as at the start: one turn of the first, two of the others.
pub const PERIOD: f32 = 360.0 / SPEED;

/// A gear.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Gear {
    /// Radius of the hole.
    pub inner_radius: f32,
    /// Radius at the middle of the teeth.
    pub outer_radius: f32,
    /// Thickness.
    pub width: f32,
    /// Number of teeth.
    pub teeth: u32,
    /// Depth of a tooth.
    pub tooth_depth: f32,
    /// Material, ambient and diffuse.
    pub color: [f32; 4],
    /// Where its middle is.
    pub place: [f32; 2],
    /// Its angle is this times the first gear's...
    pub ratio: f32,
    /// ... plus this, in degrees, so that the teeth mesh.
    pub phase: f32,
}

/// The three gears. Display list `1 + index` draws the gear of that index.
pub const GEARS: [Gear; 3] = [
    Gear {
        inner_radius: 1.0,
        outer_radius: 4.0,
        width: 1.0,
        teeth: 20,
        tooth_depth: 0.7,
        color: [0.8, 0.1, 0.0, 1.0],
        place: [-3.0, -2.0],
        ratio: 1.0,
        phase: 0.0,
    },
    Gear {
        inner_radius: 0.5,
        outer_radius: 2.0,
        width: 2.0,
        teeth: 10,
        tooth_depth: 0.7,
        color: [0.0, 0.8, 0.2, 1.0],
        place: [3.1, -2.0],
        ratio: -2.0,
        phase: -9.0,
    },
    Gear {
        inner_radius: 1.3,
        outer_radius: 2.0,
        width: 0.5,
        teeth: 10,
        tooth_depth: 0.7,
        color: [0.2, 0.2, 1.0, 1.0],
        place: [-3.1, 4.2],
        ratio: -2.0,
        phase: -25.0,
    },
];

/// Where the angle of a frame comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Angle {
    /// `redraw` computes it from the presentation time and asks for the next frame.
    Time,
    /// The client leaves it in [`CLIENT_ANGLE`] for each frame, and `update` takes it over.
    Client,
}

/// The window; `update` is there only if there is something to update.
///
/// # Errors
/// As [`init`].
pub fn picture(angle: Angle) -> Result<Picture, RecordError> {
    let mut procedures = vec![
        (Callback::Init, init()?),
        (Callback::Reshape, reshape()?),
        (Callback::Redraw, redraw(angle)?),
        (Callback::Input, input()?),
    ];
    if angle == Angle::Client {
        procedures.push((Callback::Update, update()?));
    }
    let mut registers = [0.0; REGISTERS];
    [registers[VIEW_X as usize], registers[VIEW_Y as usize]] = VIEW;
    Ok(Picture { procedures, registers: Some(registers) })
}

/// The file's registers, by the numbers above.
fn named(p: &mut Recorder, number: u32) -> Reg {
    p.reg(number)
}

/// `init`: light, materials and the three display lists.
///
/// # Errors
/// None with the table above; the recorder's, if it is made larger.
pub fn init() -> Result<WireProgram, RecordError> {
    let mut p = Recorder::new();
    p.light(Light::Light0, LightParameter::Position, 5.0, 5.0, 10.0, 0.0);
    for capability in [
        Capability::CullFace,
        Capability::Lighting,
        Capability::Light0,
        Capability::DepthTest,
        Capability::Normalize,
    ] {
        p.enable(capability);
    }
    for (list, gear) in (1..).zip(&GEARS) {
        p.list(list, |p| {
            let [r, g, b, a] = gear.color;
            p.material(Face::Front, MaterialParameter::AmbientAndDiffuse, r, g, b, a);
            record_gear(p, gear);
        });
    }
    p.finish()
}

/// `reshape`: the viewport and the perspective for the window's size, in registers.
///
/// # Errors
/// As [`init`].
pub fn reshape() -> Result<WireProgram, RecordError> {
    let mut p = Recorder::new();
    let (width, height, top, bottom) = (p.alloc(), p.alloc(), p.alloc(), p.alloc());
    p.read(width, External::Width);
    p.read(height, External::Height);
    p.viewport(0, 0, width, height);
    p.div(top, height, width);
    p.neg(bottom, top);
    p.matrix_mode(MatrixMode::Projection);
    p.load_identity();
    p.frustum(-1.0, 1.0, bottom, top, 5.0, 60.0);
    p.matrix_mode(MatrixMode::Modelview);
    p.load_identity();
    p.translate(0.0, 0.0, -40.0);
    p.finish()
}

/// `update` of [`Angle::Client`]: takes the client's angle over.
///
/// # Errors
/// As [`init`].
pub fn update() -> Result<WireProgram, RecordError> {
    let mut p = Recorder::new();
    let (from, to) = (named(&mut p, CLIENT_ANGLE), named(&mut p, ANGLE));
    p.mov(to, from);
    p.finish()
}

/// `redraw`: clears, turns the gears and draws them.
///
/// # Errors
/// As [`init`].
pub fn redraw(angle: Angle) -> Result<WireProgram, RecordError> {
    let mut p = Recorder::new();
    let (view_x, view_y) = (named(&mut p, VIEW_X), named(&mut p, VIEW_Y));
    let turn = named(&mut p, ANGLE);
    if angle == Angle::Time {
        p.time_mod(turn, PERIOD);
        p.mul(turn, turn, SPEED);
        p.request_frame();
    }
    p.clear(ClearMask::COLOR | ClearMask::DEPTH);
    p.pushed(|p| {
        p.rotate(view_x, 1.0, 0.0, 0.0);
        p.rotate(view_y, 0.0, 1.0, 0.0);
        let own = p.alloc();
        for (list, gear) in (1..).zip(&GEARS) {
            p.mul(own, turn, gear.ratio);
            p.add(own, own, gear.phase);
            p.pushed(|p| {
                let [x, y] = gear.place;
                p.translate(x, y, 0.0);
                p.rotate(own, 0.0, 0.0, 1.0);
                p.call_list(list);
            });
        }
    });
    p.finish()
}

/// `input`: while a button is held, the pointer turns the view. The client takes no part in it.
///
/// # Errors
/// As [`init`].
pub fn input() -> Result<WireProgram, RecordError> {
    let mut p = Recorder::new();
    let [view_x, view_y] = [named(&mut p, VIEW_X), named(&mut p, VIEW_Y)];
    let [last_x, last_y, held] = [LAST_X, LAST_Y, HELD].map(|number| named(&mut p, number));
    let [x, y, moved, now] = [p.alloc(), p.alloc(), p.alloc(), p.alloc()];
    p.read(x, External::PointerX);
    p.read(y, External::PointerY);
    p.read(now, External::Buttons);
    p.min(now, now, 1.0);

    // Only a move with the button held before and after it is a drag.
    let still = p.label();
    p.mul(moved, now, held);
    p.jmp_if(Predicate::Eq, moved, 0.0, still);
    for (view, at, last, sign) in [(view_y, x, last_x, DRAG), (view_x, y, last_y, -DRAG)] {
        p.sub(moved, at, last);
        p.mul(moved, moved, sign);
        p.add(view, view, moved);
    }
    p.request_frame();
    p.bind(still);
    p.mov(last_x, x);
    p.mov(last_y, y);
    p.mov(held, now);
    p.finish()
}

/// Records a gear's faces, flat, and its hole, smooth.
pub fn record_gear(p: &mut Recorder, gear: &Gear) {
    let inner = f64::from(gear.inner_radius);
    let root = f64::from(gear.outer_radius) - f64::from(gear.tooth_depth) / 2.0;
    let tip = f64::from(gear.outer_radius) + f64::from(gear.tooth_depth) / 2.0;
    let front = gear.width * 0.5;
    let back = -front;
    // A tooth's four parts: up, along the tip, down, along the root.
    let step = core::f64::consts::TAU / f64::from(gear.teeth) / 4.0;
    let tooth = |i: u32| f64::from(i) * core::f64::consts::TAU / f64::from(gear.teeth);
    let point = |p: &mut Recorder, radius: f64, angle: f64, z: f32| {
        p.vertex3(single(radius * cos(angle)), single(radius * sin(angle)), z);
    };

    p.shade_model(ShadeModel::Flat);
    p.normal3(0.0, 0.0, 1.0);
    p.primitive(Primitive::QuadStrip, |p| {
        for i in 0..=gear.teeth {
            let angle = tooth(i);
            point(p, inner, angle, front);
            point(p, root, angle, front);
            if i < gear.teeth {
                point(p, inner, angle, front);
                point(p, root, angle + 3.0 * step, front);
            }
        }
    });
    p.primitive(Primitive::Quads, |p| {
        for i in 0..gear.teeth {
            let angle = tooth(i);
            point(p, root, angle, front);
            point(p, tip, angle + step, front);
            point(p, tip, angle + 2.0 * step, front);
            point(p, root, angle + 3.0 * step, front);
        }
    });

    p.normal3(0.0, 0.0, -1.0);
    p.primitive(Primitive::QuadStrip, |p| {
        for i in 0..=gear.teeth {
            let angle = tooth(i);
            point(p, root, angle, back);
            point(p, inner, angle, back);
            if i < gear.teeth {
                point(p, root, angle + 3.0 * step, back);
                point(p, inner, angle, back);
            }
        }
    });
    p.primitive(Primitive::Quads, |p| {
        for i in 0..gear.teeth {
            let angle = tooth(i);
            point(p, root, angle + 3.0 * step, back);
            point(p, tip, angle + 2.0 * step, back);
            point(p, tip, angle + step, back);
            point(p, root, angle, back);
        }
    });

    // The outward sides of the teeth, each with the normal of the side that ends at its points.
    p.primitive(Primitive::QuadStrip, |p| {
        let side = |p: &mut Recorder, radius: f64, angle: f64| {
            point(p, radius, angle, front);
            point(p, radius, angle, back);
        };
        let across = |p: &mut Recorder, from: (f64, f64), to: (f64, f64)| {
            let u = to.0 * cos(to.1) - from.0 * cos(from.1);
            let v = to.0 * sin(to.1) - from.0 * sin(from.1);
            let length = hypot(u, v);
            p.normal3(single(v / length), single(-u / length), 0.0);
        };
        for i in 0..gear.teeth {
            let angle = tooth(i);
            let outward = |p: &mut Recorder| p.normal3(single(cos(angle)), single(sin(angle)), 0.0);
            side(p, root, angle);
            across(p, (root, angle), (tip, angle + step));
            side(p, tip, angle + step);
            outward(p);
            side(p, tip, angle + 2.0 * step);
            across(p, (tip, angle + 2.0 * step), (root, angle + 3.0 * step));
            side(p, root, angle + 3.0 * step);
            outward(p);
        }
        side(p, root, 0.0);
    });

    p.shade_model(ShadeModel::Smooth);
    p.primitive(Primitive::QuadStrip, |p| {
        for i in 0..=gear.teeth {
            let angle = tooth(i);
            p.normal3(single(-cos(angle)), single(-sin(angle)), 0.0);
            point(p, inner, angle, back);
            point(p, inner, angle, front);
        }
    });
}

#[allow(clippy::cast_possible_truncation, reason = "rounding to f32 is what a vertex is")]
fn single(value: f64) -> f32 {
    value as f32
}

#[cfg(test)]
mod tests {
    use super::*;
    use verifier::{VerifiedProgram, verify};

    fn verified(program: Result<WireProgram, RecordError>, callback: Callback) -> VerifiedProgram {
        verify(program.expect("it records"), callback).expect("it verifies")
    }

    #[test]
    fn the_server_accepts_them() {
        let init = verified(init(), Callback::Init);
        assert_eq!(init.facts().lists.len(), GEARS.len());
        verified(reshape(), Callback::Reshape);
        verified(update(), Callback::Update);
        verified(input(), Callback::Input);
        let turning = verified(redraw(Angle::Time), Callback::Redraw);
        let asked = verified(redraw(Angle::Client), Callback::Redraw);
        assert!(turning.facts().uses_time && turning.facts().requests_frame.may());
        assert!(!asked.facts().uses_time && !asked.facts().requests_frame.may());
    }

    #[test]
    fn procedures_write_their_own_registers_only() {
        let view = 1 << VIEW_X | 1 << VIEW_Y;
        for angle in [Angle::Time, Angle::Client] {
            let redraw = verified(redraw(angle), Callback::Redraw);
            assert_eq!(redraw.facts().registers_written & (view | 1 << CLIENT_ANGLE), 0);
        }
        let input = verified(input(), Callback::Input);
        assert_eq!(input.facts().registers_written & (1 << CLIENT_ANGLE | 1 << ANGLE), 0);
        assert_eq!(input.facts().registers_written & view, view);
    }

    #[test]
    fn gears_have_the_vertices_of_their_teeth() {
        let init = verified(init(), Callback::Init);
        let vertices = init.instructions().filter(|i| i.op() == blinkgl::Op::Vertex3).count();
        // Front and back 4 for each tooth and 2, their sides 4, outward 8 and 2, the hole 2 and 2.
        let expected: u32 = GEARS.iter().map(|gear| gear.teeth * 26 + 8).sum();
        assert_eq!(vertices, expected as usize);
    }
}
