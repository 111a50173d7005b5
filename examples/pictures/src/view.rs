//! What procedures of several windows have in common.

use blinkgl::gl::{External, MatrixMode};
use blinkgl::{Recorder, Reg};

/// Records for `reshape`: the whole window as viewport, and how far the view then reaches from its middle, in
/// `x` and `y`: `reach` in the direction in which the window is smaller.
fn view(p: &mut Recorder, reach: f32) -> [Reg; 2] {
    let [width, height, least] = [p.alloc(), p.alloc(), p.alloc()];
    p.read(width, External::Width);
    p.read(height, External::Height);
    p.viewport(0, 0, width, height);
    p.min(least, width, height);
    p.div(least, reach, least);
    p.mul(width, width, least);
    p.mul(height, height, least);
    p.release(least);
    [width, height]
}

/// Records for `reshape`: the whole window, and a projection that is at least `fov` degrees wide and high.
pub fn perspective(p: &mut Recorder, fov: f32, near: f32, far: f32) {
    let [right, top] = view(p, near * libm::tanf(fov.to_radians() / 2.0));
    let [left, bottom] = [p.alloc(), p.alloc()];
    p.neg(left, right);
    p.neg(bottom, top);
    p.matrix(MatrixMode::Projection, |p| {
        p.load_identity();
        p.frustum(left, right, bottom, top, near, far);
    });
    for register in [right, top, left, bottom] {
        p.release(register);
    }
}

/// Records for `reshape`: the whole window, and a plane of which at least -1 to 1 is seen in both directions.
pub fn plane(p: &mut Recorder) {
    let [right, top] = view(p, 1.0);
    let [left, bottom] = [p.alloc(), p.alloc()];
    p.neg(left, right);
    p.neg(bottom, top);
    p.matrix(MatrixMode::Projection, |p| {
        p.load_identity();
        p.ortho(left, right, bottom, top, -1.0, 1.0);
    });
    for register in [right, top, left, bottom] {
        p.release(register);
    }
}

/// Records: `d` is an angle in degrees that goes round once in `seconds`.
pub fn turning(p: &mut Recorder, d: Reg, seconds: f32) {
    p.time_mod(d, seconds);
    p.mul(d, d, 360.0 / seconds);
}
