//! What GLU offers for matrices: computed while recording, so constants only. Its quadrics are
//! [`Quadric`](super::Quadric).

use super::Recorder;

impl Recorder {
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

    /// `gluPickMatrix`: what lies around pixel `center` of the viewport {x, y, width, height}, as far as `size`,
    /// fills the view. A size that is not positive is ignored, as in GLU.
    pub fn pick_matrix(&mut self, center: [f64; 2], size: [f64; 2], viewport: [i32; 4]) {
        let [x, y, width, height] = viewport.map(f64::from);
        if size[0] <= 0.0 || size[1] <= 0.0 {
            return;
        }
        let shift = [(width - 2.0 * (center[0] - x)) / size[0], (height - 2.0 * (center[1] - y)) / size[1]];
        self.translate(narrow(shift[0]), narrow(shift[1]), 0.0);
        self.scale(narrow(width / size[0]), narrow(height / size[1]), 1.0);
    }
}

#[allow(
    clippy::cast_possible_truncation,
    reason = "operands are f32; rounding is what GLU's callers get too"
)]
pub(super) fn narrow(value: f64) -> f32 {
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
