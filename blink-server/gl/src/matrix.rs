//! 4x4 matrices as OpenGL defines them: column by column, `m[column * 4 + row]`.

/// A matrix.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Matrix(pub [f32; 16]);

impl Matrix {
    /// glLoadIdentity.
    pub const IDENTITY: Matrix =
        Matrix([1.0, 0.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 0.0, 1.0]);

    /// `self * other`.
    #[must_use]
    pub fn multiply(&self, other: &Matrix) -> Matrix {
        let mut product = [0.0; 16];
        for column in 0..4 {
            for row in 0..4 {
                let mut sum = 0.0;
                for k in 0..4 {
                    sum += self.0[k * 4 + row] * other.0[column * 4 + k];
                }
                product[column * 4 + row] = sum;
            }
        }
        Matrix(product)
    }

    /// `self * vector`.
    #[must_use]
    pub fn transform(&self, v: [f32; 4]) -> [f32; 4] {
        let m = &self.0;
        [0, 1, 2, 3].map(|row| m[row] * v[0] + m[4 + row] * v[1] + m[8 + row] * v[2] + m[12 + row] * v[3])
    }

    /// A plane `p` of this matrix's own coordinates, `p * self`: what a plane becomes whose points are transformed by
    /// the inverse of this.
    #[must_use]
    pub fn transform_plane(&self, p: [f32; 4]) -> [f32; 4] {
        let m = &self.0;
        [0, 4, 8, 12].map(|c| m[c] * p[0] + m[c + 1] * p[1] + m[c + 2] * p[2] + m[c + 3] * p[3])
    }

    /// The inverse; the identity for a matrix that has none, as in Mesa.
    #[must_use]
    pub fn inverse(&self) -> Matrix {
        let mut m = self.0.map(f64::from);
        let mut inverse = Matrix::IDENTITY.0.map(f64::from);
        for column in 0..4 {
            let at = |row: usize| column * 4 + row;
            let Some(pivot) = (column..4).max_by(|&a, &b| m[at(a)].abs().total_cmp(&m[at(b)].abs())) else {
                return Matrix::IDENTITY;
            };
            if m[at(pivot)] == 0.0 || !m[at(pivot)].is_finite() {
                return Matrix::IDENTITY;
            }
            for c in 0..4 {
                m.swap(c * 4 + column, c * 4 + pivot);
                inverse.swap(c * 4 + column, c * 4 + pivot);
            }
            let scale = 1.0 / m[at(column)];
            for c in 0..4 {
                m[c * 4 + column] *= scale;
                inverse[c * 4 + column] *= scale;
            }
            for row in (0..4).filter(|&row| row != column) {
                let factor = m[at(row)];
                for c in 0..4 {
                    m[c * 4 + row] -= factor * m[c * 4 + column];
                    inverse[c * 4 + row] -= factor * inverse[c * 4 + column];
                }
            }
        }
        #[allow(clippy::cast_possible_truncation, reason = "matrices are f32")]
        Matrix(inverse.map(|v| v as f32))
    }

    /// glTranslatef's.
    #[must_use]
    pub fn translation(x: f32, y: f32, z: f32) -> Matrix {
        let mut m = Matrix::IDENTITY;
        m.0[12..15].copy_from_slice(&[x, y, z]);
        m
    }

    /// glScalef's.
    #[must_use]
    pub fn scaling(x: f32, y: f32, z: f32) -> Matrix {
        Matrix([x, 0.0, 0.0, 0.0, 0.0, y, 0.0, 0.0, 0.0, 0.0, z, 0.0, 0.0, 0.0, 0.0, 1.0])
    }

    /// glRotatef's: `angle` in degrees about (x, y, z); the identity if that vector has no direction.
    #[must_use]
    pub fn rotation(angle: f32, x: f32, y: f32, z: f32) -> Matrix {
        // One portable sine and cosine, so that pictures do not depend on the host's C library.
        let radians = f64::from(angle).to_radians();
        #[allow(clippy::cast_possible_truncation, reason = "matrices are f32")]
        let (s, c) = (libm::sin(radians) as f32, libm::cos(radians) as f32);
        let length = (x * x + y * y + z * z).sqrt();
        if length.is_nan() || length <= 0.0 || length.is_infinite() {
            return Matrix::IDENTITY;
        }
        let (x, y, z) = (x / length, y / length, z / length);
        let t = 1.0 - c;
        Matrix([
            x * x * t + c,
            y * x * t + z * s,
            z * x * t - y * s,
            0.0,
            x * y * t - z * s,
            y * y * t + c,
            z * y * t + x * s,
            0.0,
            x * z * t + y * s,
            y * z * t - x * s,
            z * z * t + c,
            0.0,
            0.0,
            0.0,
            0.0,
            1.0,
        ])
    }

    /// glFrustum's; `None` where OpenGL has INVALID_VALUE.
    #[must_use]
    pub fn frustum([l, r, b, t, n, f]: [f32; 6]) -> Option<Matrix> {
        if n <= 0.0 || f <= 0.0 || l == r || b == t || n == f {
            return None;
        }
        let mut m = [0.0; 16];
        m[0] = 2.0 * n / (r - l);
        m[5] = 2.0 * n / (t - b);
        m[8] = (r + l) / (r - l);
        m[9] = (t + b) / (t - b);
        m[10] = -(f + n) / (f - n);
        m[11] = -1.0;
        m[14] = -2.0 * f * n / (f - n);
        Some(Matrix(m))
    }

    /// glOrtho's; `None` where OpenGL has INVALID_VALUE.
    #[must_use]
    pub fn ortho([l, r, b, t, n, f]: [f32; 6]) -> Option<Matrix> {
        if l == r || b == t || n == f {
            return None;
        }
        let mut m = Matrix::IDENTITY.0;
        m[0] = 2.0 / (r - l);
        m[5] = 2.0 / (t - b);
        m[10] = -2.0 / (f - n);
        m[12] = -(r + l) / (r - l);
        m[13] = -(t + b) / (t - b);
        m[14] = -(f + n) / (f - n);
        Some(Matrix(m))
    }

    /// The transposed inverse of the upper left 3x3, for normals: three columns. A matrix without an
    /// inverse gives zeros.
    #[must_use]
    pub fn normal_matrix(&self) -> [[f32; 3]; 3] {
        let m = &self.0;
        let a = |row: usize, column: usize| m[column * 4 + row];
        let cofactor = |row: usize, column: usize| {
            let (r1, r2) = ((row + 1) % 3, (row + 2) % 3);
            let (c1, c2) = ((column + 1) % 3, (column + 2) % 3);
            a(r1, c1) * a(r2, c2) - a(r1, c2) * a(r2, c1)
        };
        let determinant = (0..3).map(|c| a(0, c) * cofactor(0, c)).sum::<f32>();
        let scale = if determinant == 0.0 { 0.0 } else { 1.0 / determinant };
        [0, 1, 2].map(|column| [0, 1, 2].map(|row| cofactor(row, column) * scale))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn close(a: &[f32], b: &[f32]) -> bool {
        a.iter().zip(b).all(|(a, b)| (a - b).abs() < 1e-5)
    }

    #[test]
    fn rotations_turn_the_right_way() {
        let m = Matrix::rotation(90.0, 0.0, 0.0, 2.0);
        assert!(close(&m.transform([1.0, 0.0, 0.0, 1.0]), &[0.0, 1.0, 0.0, 1.0]));
        let m = Matrix::rotation(90.0, 1.0, 0.0, 0.0);
        assert!(close(&m.transform([0.0, 1.0, 0.0, 1.0]), &[0.0, 0.0, 1.0, 1.0]));
        assert_eq!(Matrix::rotation(5.0, 0.0, 0.0, 0.0), Matrix::IDENTITY);
    }

    #[test]
    fn products_apply_the_right_factor_first() {
        let m = Matrix::translation(1.0, 2.0, 3.0).multiply(&Matrix::scaling(2.0, 2.0, 2.0));
        assert!(close(&m.transform([1.0, 1.0, 1.0, 1.0]), &[3.0, 4.0, 5.0, 1.0]));
    }

    #[test]
    fn inverses_undo() {
        let m = Matrix::translation(1.0, -2.0, 3.0)
            .multiply(&Matrix::rotation(33.0, 1.0, 2.0, 0.5))
            .multiply(&Matrix::scaling(2.0, 0.5, 3.0));
        assert!(close(&m.multiply(&m.inverse()).0, &Matrix::IDENTITY.0));
        // The first pivot is zero.
        let m = Matrix::rotation(90.0, 0.0, 0.0, 1.0);
        assert!(close(&m.inverse().multiply(&m).0, &Matrix::IDENTITY.0));
        assert_eq!(Matrix([0.0; 16]).inverse(), Matrix::IDENTITY);
        // The plane x = 0 moved to x = 2: its inverse takes the point (2, 0, 0) to distance 0.
        let plane = Matrix::translation(2.0, 0.0, 0.0).inverse().transform_plane([1.0, 0.0, 0.0, 0.0]);
        assert!(close(&plane, &[1.0, 0.0, 0.0, -2.0]));
    }

    #[test]
    fn normals_of_a_scaled_surface() {
        let n = Matrix::scaling(2.0, 4.0, 1.0).normal_matrix();
        assert!(close(&n[0], &[0.5, 0.0, 0.0]) && close(&n[1], &[0.0, 0.25, 0.0]));
        let turned = Matrix::rotation(90.0, 0.0, 0.0, 1.0).normal_matrix();
        assert!(close(&turned[0], &[0.0, 1.0, 0.0]));
        assert_eq!(Matrix([0.0; 16]).normal_matrix(), [[0.0; 3]; 3]);
    }
}
