//! GLUT's shapes. Spheres and cones are GLU's, as in the first GLUT. The teapot is left out: its patches need
//! evaluators, which Blink has not.

use crate::error::Mistake;
use crate::export::calls;
use crate::state::State;
use crate::value::single;
use blinkgl::Recorder;
use blinkgl::gl::Primitive;
use blinkgl::record::{DrawStyle, Orientation, Quadric};
use std::f64::consts::TAU;

/// The faces of a cube around the origin, sides of 1: normals and corners, counterclockwise seen from outside.
const FACES: [([f32; 3], [[f32; 3]; 4]); 6] = {
    const N: f32 = -0.5;
    const P: f32 = 0.5;
    [
        ([-1.0, 0.0, 0.0], [[N, N, N], [N, N, P], [N, P, P], [N, P, N]]),
        ([0.0, 1.0, 0.0], [[N, P, N], [N, P, P], [P, P, P], [P, P, N]]),
        ([1.0, 0.0, 0.0], [[P, P, N], [P, P, P], [P, N, P], [P, N, N]]),
        ([0.0, -1.0, 0.0], [[P, N, N], [P, N, P], [N, N, P], [N, N, N]]),
        ([0.0, 0.0, 1.0], [[N, N, P], [P, N, P], [P, P, P], [N, P, P]]),
        ([0.0, 0.0, -1.0], [[N, P, N], [P, P, N], [P, N, N], [N, N, N]]),
    ]
};

fn cube(p: &mut Recorder, size: f64, mode: Primitive) {
    let size = single(size);
    for (normal, corners) in FACES {
        p.primitive(mode, |p| {
            p.normal3v(normal);
            for corner in corners {
                p.vertex3v(corner.map(|c| c * size));
            }
        });
    }
}

/// A point of a torus around the z axis: normal and place.
fn torus_point(inner: f64, outer: f64, side: f64, ring: f64) -> [[f32; 3]; 2] {
    let ([sin_side, cos_side], [sin_ring, cos_ring]) = ([side.sin(), side.cos()], [ring.sin(), ring.cos()]);
    let radius = outer + inner * cos_side;
    [
        [cos_ring * cos_side, sin_ring * cos_side, sin_side].map(single),
        [radius * cos_ring, radius * sin_ring, inner * sin_side].map(single),
    ]
}

fn torus(p: &mut Recorder, inner: f64, outer: f64, sides: i32, rings: i32, wire: bool) {
    let point = |p: &mut Recorder, side: i32, ring: i32| {
        let angle = |i: i32, n: i32| TAU * f64::from(i % n) / f64::from(n);
        let [normal, place] = torus_point(inner, outer, angle(side, sides), angle(ring, rings));
        p.normal3v(normal);
        p.vertex3v(place);
    };
    if wire {
        for ring in 0..rings {
            p.primitive(Primitive::LineLoop, |p| (0..sides).for_each(|side| point(p, side, ring)));
        }
        for side in 0..sides {
            p.primitive(Primitive::LineLoop, |p| (0..rings).for_each(|ring| point(p, side, ring)));
        }
        return;
    }
    for ring in 0..rings {
        p.primitive(Primitive::QuadStrip, |p| {
            for side in 0..=sides {
                point(p, side, ring);
                point(p, side, ring + 1);
            }
        });
    }
}

fn checked_torus(
    s: &mut State,
    radii: [f64; 2],
    [sides, rings]: [i32; 2],
    wire: bool,
) -> Result<(), Mistake> {
    if sides < 3 || rings < 3 {
        return Err(Mistake::value(format!(
            "a torus has at least 3 sides and rings, not {sides} and {rings}"
        )));
    }
    s.compose(|p| torus(p, radii[0], radii[1], sides, rings, wire))
}

fn parts(slices: i32, stacks: i32) -> [u32; 2] {
    // What is negative is refused with 0.
    [slices, stacks].map(|n| u32::try_from(n).unwrap_or(0))
}

fn quadric(wire: bool) -> Quadric {
    Quadric { draw_style: if wire { DrawStyle::Line } else { DrawStyle::Fill }, ..Quadric::default() }
}

fn sphere(s: &mut State, radius: f64, slices: i32, stacks: i32, wire: bool) -> Result<(), Mistake> {
    let [slices, stacks] = parts(slices, stacks);
    s.compose(|p| quadric(wire).sphere(p, radius, slices, stacks))
}

fn cone(s: &mut State, base: f64, height: f64, slices: i32, stacks: i32, wire: bool) -> Result<(), Mistake> {
    let [slices, stacks] = parts(slices, stacks);
    s.compose(|p| {
        if !wire {
            let below = Quadric { orientation: Orientation::Inside, ..Quadric::default() };
            below.disk(p, 0.0, base, slices, 1);
        }
        quadric(wire).cylinder(p, base, 0.0, height, slices, stacks);
    })
}

calls! {
    fn glutSolidCube(s, size: f64) {
        s.compose(|p| cube(p, size, Primitive::Quads))
    }
    fn glutWireCube(s, size: f64) {
        s.compose(|p| cube(p, size, Primitive::LineLoop))
    }
    fn glutSolidSphere(s, radius: f64, slices: i32, stacks: i32) {
        sphere(s, radius, slices, stacks, false)
    }
    fn glutWireSphere(s, radius: f64, slices: i32, stacks: i32) {
        sphere(s, radius, slices, stacks, true)
    }
    fn glutSolidCone(s, base: f64, height: f64, slices: i32, stacks: i32) {
        cone(s, base, height, slices, stacks, false)
    }
    fn glutWireCone(s, base: f64, height: f64, slices: i32, stacks: i32) {
        cone(s, base, height, slices, stacks, true)
    }
    fn glutSolidTorus(s, inner: f64, outer: f64, sides: i32, rings: i32) {
        checked_torus(s, [inner, outer], [sides, rings], false)
    }
    fn glutWireTorus(s, inner: f64, outer: f64, sides: i32, rings: i32) {
        checked_torus(s, [inner, outer], [sides, rings], true)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn dot(a: [f32; 3], b: [f32; 3]) -> f32 {
        a.iter().zip(b).map(|(a, b)| a * b).sum()
    }

    fn minus(a: [f32; 3], b: [f32; 3]) -> [f32; 3] {
        [a[0] - b[0], a[1] - b[1], a[2] - b[2]]
    }

    fn cross(a: [f32; 3], b: [f32; 3]) -> [f32; 3] {
        [a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]]
    }

    #[test]
    fn faces_look_outward() {
        for (normal, [a, b, c, d]) in FACES {
            assert!(dot(normal, cross(minus(b, a), minus(c, b))) > 0.99, "{normal:?}");
            assert!(dot(normal, a) > 0.49 && dot(normal, d) > 0.49);
        }
        // The first quad of the torus' strip: (0, 0), (0, 1), (1, 1), (1, 0).
        let at = |side, ring| torus_point(1.0, 3.0, side, ring);
        let [[normal, a], [_, b], [_, c]] = [at(0.0, 0.0), at(0.0, 0.1), at(0.1, 0.1)];
        assert!(dot(normal, cross(minus(b, a), minus(c, b))) > 0.0);
    }
}
