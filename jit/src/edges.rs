//! Which edges of a segment's triangles its primitives have, and which only come from taking them apart: what
//! `glPolygonMode` draws as lines and points, and what not.

use crate::gl::Shape;

/// The primitives that a part of a segment's triangles comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PrimitiveRun {
    /// The part ends before this index of [`Shape::indices`], and begins where the one before ends.
    pub end: u32,
    /// Their mode, as glBegin takes it. One polygon, or any number of primitives of another mode.
    pub mode: u32,
}

const QUADS: u32 = 7;
const QUAD_STRIP: u32 = 8;
pub(crate) const POLYGON: u32 = 9;

/// Notes that a primitive's indices go to `end`.
#[inline]
pub(crate) fn note(runs: &mut Vec<PrimitiveRun>, mode: u32, end: u32) {
    match runs.last_mut() {
        // Where a polygon begins and ends decides which of its edges are its own.
        Some(run) if run.mode == mode && mode != POLYGON => run.end = end,
        Some(run) if run.end == end => {}
        None if end == 0 => {}
        Some(_) | None => runs.push(PrimitiveRun { end, mode }),
    }
}

/// For each triangle of a shape three bits: bit `i` is set if the edge from corner `i` to corner `(i + 1) % 3` is
/// interior, so no edge of the quad or polygon that the triangle is a part of. Of the corners whose bit is not set,
/// each primitive has each of its vertices once. Nothing for points or lines.
pub fn interior_edges(shape: &Shape) -> impl Iterator<Item = u8> + '_ {
    let mut first = 0;
    shape.primitives.iter().flat_map(move |run| {
        let triangles = run.end.saturating_sub(first) / 3;
        first = run.end;
        let mode = run.mode;
        (0..triangles).map(move |triangle| interior(mode, triangle, triangles))
    })
}

/// The bits of one of a run's triangles, by the patterns of [`crate::primitive::assemble`].
fn interior(mode: u32, triangle: u32, triangles: u32) -> u8 {
    match mode {
        // The diagonal is the second edge of the first triangle, and the third of the second.
        QUADS | QUAD_STRIP if triangle.is_multiple_of(2) => 0b010,
        QUADS | QUAD_STRIP => 0b100,
        // From the first vertex to all others but its neighbors.
        POLYGON => u8::from(triangle + 1 < triangles) << 1 | u8::from(triangle > 0) << 2,
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gl::{Given, Segment, Vertex};

    /// Vertices of each primitive around it: what its edges are is known without taking it apart.
    fn outlines(mode: u32, count: u32) -> Vec<Vec<u32>> {
        match mode {
            4 => (0..count / 3).map(|t| vec![3 * t, 3 * t + 1, 3 * t + 2]).collect(),
            5 => (0..count.saturating_sub(2)).map(|t| vec![t, t + 1, t + 2]).collect(),
            6 => (1..count.saturating_sub(1)).map(|t| vec![0, t, t + 1]).collect(),
            7 => (0..count / 4).map(|q| (4 * q..4 * q + 4).collect()).collect(),
            8 => (0..(count / 2).saturating_sub(1))
                .map(|q| vec![2 * q, 2 * q + 1, 2 * q + 3, 2 * q + 2])
                .collect(),
            _ if count > 2 => vec![(0..count).collect()],
            _ => vec![],
        }
    }

    fn sorted(a: u32, b: u32) -> (u32, u32) {
        (a.min(b), a.max(b))
    }

    #[test]
    fn what_is_not_interior_is_the_outline() {
        for mode in 4..=9 {
            for count in 0..12 {
                let vertices = vec![Vertex::default(); count as usize];
                let segment = Segment::from_vertices(mode, vertices, 0..count, Given::default());
                let mut edges = Vec::new();
                let mut corners = Vec::new();
                let bits: Vec<u8> = interior_edges(&segment.shape()).collect();
                assert_eq!(bits.len(), segment.shape().indices.len() / 3, "mode {mode}, {count} vertices");
                for (triangle, bits) in segment.shape().indices.chunks(3).zip(bits) {
                    for corner in 0..3 {
                        if bits >> corner & 1 == 0 {
                            edges.push(sorted(triangle[corner], triangle[(corner + 1) % 3]));
                            corners.push(triangle[corner]);
                        }
                    }
                }
                let outlines = outlines(mode, count);
                let mut wanted: Vec<(u32, u32)> = outlines
                    .iter()
                    .flat_map(|o| (0..o.len()).map(|i| sorted(o[i], o[(i + 1) % o.len()])))
                    .collect();
                let mut wanted_corners = outlines.concat();
                for list in [&mut edges, &mut wanted] {
                    list.sort_unstable();
                }
                corners.sort_unstable();
                wanted_corners.sort_unstable();
                assert_eq!(edges, wanted, "mode {mode}, {count} vertices");
                assert_eq!(corners, wanted_corners, "mode {mode}, {count} vertices");
            }
        }
    }

    #[test]
    fn runs_are_merged_but_for_polygons() {
        let mut runs = Vec::new();
        for (mode, end) in [(9, 0), (7, 6), (7, 12), (9, 12), (9, 18), (9, 24), (4, 24), (4, 27)] {
            note(&mut runs, mode, end);
        }
        let runs: Vec<(u32, u32)> = runs.iter().map(|run| (run.mode, run.end)).collect();
        assert_eq!(runs, [(7, 12), (9, 18), (9, 24), (4, 27)]);
    }

    #[test]
    fn lines_and_points_have_no_triangles() {
        for mode in 0..4 {
            let segment = Segment::from_vertices(mode, vec![Vertex::default(); 6], 0..6, Given::default());
            assert_eq!(interior_edges(&segment.shape()).count(), 0);
            assert!(segment.shape().primitives.is_empty());
        }
    }
}
