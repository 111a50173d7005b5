//! Primitives taken apart: points, lines, triangles.
//!
//! In each line and triangle the last index is the vertex that flat shading takes its color from (the
//! table "provoking vertex selection" of the OpenGL compatibility profile), and triangles keep
//! their winding. Incomplete primitives are dropped, as in OpenGL.

use crate::gl::Assembly;
use blinkgl::planted;

/// What a primitive is taken apart into.
pub(crate) fn assembly(mode: u32) -> Assembly {
    match mode {
        0 => Assembly::Points,
        1..=3 => Assembly::Lines,
        _ => Assembly::Triangles,
    }
}

/// Is it taken apart into triangles?
pub(crate) fn is_cut(mode: u32) -> bool {
    assembly(mode) == Assembly::Triangles
}

/// Adds the indices of a primitive whose vertices are `first..end`.
pub(crate) fn assemble(mode: u32, first: u32, end: u32, indices: &mut Vec<u32>) {
    let count = end.saturating_sub(first);
    match mode {
        // Points.
        0 => indices.extend(first..end),
        // Lines.
        1 => indices.extend(first..first + planted!(OddLine, count, count / 2 * 2)),
        // Line loop and strip.
        2 | 3 => {
            if count >= 2 {
                for i in first..end - 1 {
                    indices.extend([i, i + 1]);
                }
                if mode == 2 {
                    indices.extend([end - 1, first]);
                }
            }
        }
        // Triangles.
        4 => indices.extend(first..first + count / 3 * 3),
        // Triangle strip: every second triangle is wound the other way round.
        5 => {
            for i in 0..count.saturating_sub(2) {
                let (a, b) = if planted!(StripWinding, true, i % 2 == 0) { (i, i + 1) } else { (i + 1, i) };
                indices.extend([first + a, first + b, first + i + 2]);
            }
        }
        // Triangle fan.
        6 => {
            for i in 1..count.saturating_sub(1) {
                indices.extend([first, first + i, first + i + 1]);
            }
        }
        // Quads.
        7 => {
            for quad in 0..count / 4 {
                let v = first + 4 * quad;
                indices.extend(planted!(
                    QuadDiagonal,
                    [v, v + 1, v + 2, v, v + 2, v + 3],
                    [v, v + 1, v + 3, v + 1, v + 2, v + 3]
                ));
            }
        }
        // Quad strip: around each quad are the vertices 0, 1, 3, 2.
        8 => {
            for quad in 0..(count / 2).saturating_sub(1) {
                let v = first + 2 * quad;
                indices.extend([v + 2, v, v + 3, v, v + 1, v + 3]);
            }
        }
        // Polygon: the first vertex gives its color.
        _ => {
            for i in 1..count.saturating_sub(1) {
                indices.extend(planted!(
                    PolygonColor,
                    [first, first + i, first + i + 1],
                    [first + i, first + i + 1, first]
                ));
            }
        }
    }
}

#[cfg(test)]
#[allow(clippy::cast_possible_truncation, reason = "test")]
mod tests {
    use super::*;

    fn indices(mode: u32, count: u32) -> Vec<u32> {
        let mut indices = Vec::new();
        assemble(mode, 10, 10 + count, &mut indices);
        indices
    }

    #[test]
    fn points_and_lines() {
        assert_eq!(indices(0, 3), [10, 11, 12]);
        assert_eq!(indices(1, 5), [10, 11, 12, 13]);
        assert_eq!(indices(2, 3), [10, 11, 11, 12, 12, 10]);
        assert_eq!(indices(2, 2), [10, 11, 11, 10]);
        assert_eq!(indices(3, 3), [10, 11, 11, 12]);
        assert!(indices(1, 1).is_empty() && indices(2, 1).is_empty() && indices(3, 0).is_empty());
    }

    #[test]
    fn triangles() {
        assert_eq!(indices(4, 7), [10, 11, 12, 13, 14, 15]);
        assert_eq!(indices(5, 5), [10, 11, 12, 12, 11, 13, 12, 13, 14]);
        assert_eq!(indices(6, 4), [10, 11, 12, 10, 12, 13]);
        for mode in 4..=6 {
            assert!(indices(mode, 2).is_empty() && indices(mode, 0).is_empty());
        }
    }

    #[test]
    fn quads_and_polygons() {
        assert_eq!(indices(7, 7), [10, 11, 13, 11, 12, 13]);
        assert_eq!(indices(8, 7), [12, 10, 13, 10, 11, 13, 14, 12, 15, 12, 13, 15]);
        assert_eq!(indices(9, 4), [11, 12, 10, 12, 13, 10]);
        assert!(indices(7, 3).is_empty() && indices(8, 3).is_empty() && indices(9, 2).is_empty());
    }

    /// Vertices on a circle, counterclockwise: all triangles of all primitives are wound alike, cover the same
    /// area, and their last vertex is the one of OpenGL's table.
    #[test]
    fn winding_and_provoking_vertices() {
        let around = |n: u32| {
            (0..n).map(move |i| f64::from(i) / f64::from(n) * std::f64::consts::TAU).collect::<Vec<_>>()
        };
        // Strips zigzag: the circle's points in the order 0, 1, n-1, 2, n-2...
        let zigzag = |n: u32| {
            let a = around(n);
            let n = n as usize;
            (0..n).map(|i| if i % 2 == 1 { a[i.div_ceil(2)] } else { a[(n - i / 2) % n] }).collect::<Vec<_>>()
        };
        type Provoking = fn(usize) -> u32;
        let cases: [(u32, Vec<f64>, Provoking); 5] = [
            (5, zigzag(8), |t| t as u32 + 2),
            (6, around(8), |t| t as u32 + 2),
            (7, around(4), |t| 4 * (t as u32 / 2) + 3),
            (8, zigzag(8), |t| 2 * (t as u32 / 2) + 3),
            (9, around(8), |_| 0),
        ];
        for (mode, angles, provoking) in cases {
            let mut indices = Vec::new();
            assemble(mode, 0, angles.len() as u32, &mut indices);
            assert_eq!(indices.len(), 3 * (angles.len() - 2), "mode {mode}");
            for (t, triangle) in indices.chunks(3).enumerate() {
                let p = |i: usize| (angles[triangle[i] as usize].cos(), angles[triangle[i] as usize].sin());
                let (a, b, c) = (p(0), p(1), p(2));
                let area = (b.0 - a.0) * (c.1 - a.1) - (b.1 - a.1) * (c.0 - a.0);
                assert!(area > 0.0, "mode {mode}: triangle {t} is wound the wrong way");
                assert_eq!(triangle[2], provoking(t), "mode {mode}, triangle {t}");
            }
        }
    }
}
