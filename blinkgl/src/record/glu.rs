//! What GLU and the shorter forms of GL calls offer: computed while recording, so constants only.

use super::{Raw, Recorder};
use crate::layout::split;
use crate::wire::Reg;

impl Recorder {
    /// `glColor3f`.
    pub fn color3(
        &mut self,
        r: impl Into<super::Float>,
        g: impl Into<super::Float>,
        b: impl Into<super::Float>,
    ) {
        self.color4(r, g, b, 1.0);
    }

    /// `glColor3ub`: 255 is 1.0.
    pub fn color3ub(&mut self, r: u8, g: u8, b: u8) {
        self.color4ub(r, g, b, 255);
    }

    /// `glColor4ub`: 255 is 1.0.
    pub fn color4ub(&mut self, r: u8, g: u8, b: u8, a: u8) {
        let [r, g, b, a] = [r, g, b, a].map(|c| f32::from(c) / 255.0);
        self.color4(r, g, b, a);
    }

    /// [`Recorder::time_since`] a moment known while recording, in nanoseconds of the server's clock.
    pub fn time_since_ns(&mut self, d: Reg, moment: u64) {
        let [low, high] = split(moment);
        self.time_since(d, Raw::bits(high), Raw::bits(low));
    }

    /// `gluPerspective`: field of view in degrees from bottom to top; aspect is width / height.
    pub fn perspective(&mut self, fovy: f64, aspect: f64, near: f64, far: f64) {
        let top = near * libm::tan(fovy.to_radians() / 2.0);
        let right = top * aspect;
        let [left, right, bottom, top, near, far] = [-right, right, -top, top, near, far].map(narrow);
        self.frustum(left, right, bottom, top, near, far);
    }

    /// `gluOrtho2D`.
    pub fn ortho_2d(&mut self, left: f32, right: f32, bottom: f32, top: f32) {
        self.ortho(left, right, bottom, top, -1.0, 1.0);
    }

    /// `gluLookAt`: looks from `eye` to `center`, with `up` upwards.
    pub fn look_at(&mut self, eye: [f64; 3], center: [f64; 3], up: [f64; 3]) {
        let forward = normalized([center[0] - eye[0], center[1] - eye[1], center[2] - eye[2]]);
        let side = normalized(cross(forward, up));
        let up = cross(side, forward);
        // Column by column: the rows are side, up, and backward.
        #[rustfmt::skip]
        let matrix = [
            side[0], up[0], -forward[0], 0.0,
            side[1], up[1], -forward[1], 0.0,
            side[2], up[2], -forward[2], 0.0,
            0.0,     0.0,   0.0,         1.0,
        ];
        self.mult_matrix(matrix.map(narrow));
        let [x, y, z] = eye.map(|c| narrow(-c));
        self.translate(x, y, z);
    }
}

#[allow(
    clippy::cast_possible_truncation,
    reason = "operands are f32; rounding is what GLU's callers get too"
)]
fn narrow(value: f64) -> f32 {
    value as f32
}

fn cross(a: [f64; 3], b: [f64; 3]) -> [f64; 3] {
    [a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]]
}

/// `v` with length 1; a vector without length stays as it is, as in GLU.
fn normalized(v: [f64; 3]) -> [f64; 3] {
    let length = libm::sqrt(v[0] * v[0] + v[1] * v[1] + v[2] * v[2]);
    if length == 0.0 { v } else { v.map(|c| c / length) }
}
