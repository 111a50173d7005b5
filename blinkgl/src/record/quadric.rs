//! GLU's quadrics: spheres, cylinders and disks, with the primitives, vertices, normals and texture
//! coordinates of SGI's GLU, so that a ported program draws the same pixels. Computed while recording.
//!
//! GLU's axes: the axis is z; slices begin at +y and go towards +x.

use super::glu::narrow;
use super::{RecordError, Recorder};
use crate::gl::Primitive;
use alloc::vec::Vec;
use core::f64::consts::{PI, TAU};

/// Slices, and stacks of a sphere, that GLU makes at most.
const MAX_PARTS: u32 = 239;

/// `gluQuadricDrawStyle`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum DrawStyle {
    /// `GLU_FILL`: polygons.
    #[default]
    Fill,
    /// `GLU_LINE`: their edges.
    Line,
    /// `GLU_SILHOUETTE`: edges but for those between polygons of one plane.
    Silhouette,
    /// `GLU_POINT`: their corners.
    Point,
}

/// `gluQuadricNormals`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Normals {
    /// `GLU_SMOOTH`: one for each vertex.
    #[default]
    Smooth,
    /// `GLU_FLAT`: one for each polygon.
    Flat,
    /// `GLU_NONE`.
    None,
}

/// `gluQuadricOrientation`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Orientation {
    /// `GLU_OUTSIDE`: front faces and normals point outward; a disk's to +z.
    #[default]
    Outside,
    /// `GLU_INSIDE`.
    Inside,
}

/// How spheres, cylinders and disks are drawn; the default is `gluNewQuadric`'s.
///
/// ```
/// use blinkgl::Recorder;
/// use blinkgl::record::Quadric;
///
/// let mut init = Recorder::new();
/// let ball = init.gen_list();
/// init.list(ball, |p| Quadric { texture: true, ..Quadric::default() }.sphere(p, 1.0, 24, 16));
/// # init.finish()?;
/// # Ok::<(), blinkgl::RecordError>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Quadric {
    /// Polygons, lines, or points.
    pub draw_style: DrawStyle,
    /// Which normals are recorded.
    pub normals: Normals,
    /// Which side is the front.
    pub orientation: Orientation,
    /// Whether texture coordinates are recorded.
    pub texture: bool,
}

/// Sine and cosine of an angle, rounded where GLU rounds.
fn direction(angle: f64) -> [f64; 2] {
    let angle = f64::from(narrow(angle));
    [libm::sin(angle), libm::cos(angle)]
}

/// Sine and cosine of each slice's edge, times `factor`. The last is the first again.
fn circle(slices: u32, shift: f64, factor: f64) -> Vec<[f32; 2]> {
    let at = |i: u32| direction(TAU * (f64::from(i) + shift) / f64::from(slices)).map(|c| narrow(c * factor));
    (0..slices).chain([0]).map(at).collect()
}

/// `i / n` as GLU computes it.
fn part(i: u32, n: u32) -> f32 {
    narrow(f64::from(i)) / narrow(f64::from(n))
}

fn index(i: u32) -> usize {
    usize::try_from(i).unwrap_or(usize::MAX)
}

/// 0 to `last`, or down from it.
fn towards(last: u32, down: bool) -> impl Iterator<Item = u32> {
    (0..=last).map(move |i| if down { last - i } else { i })
}

impl Quadric {
    fn outside(&self) -> bool {
        self.orientation == Orientation::Outside
    }

    fn sign(&self) -> f64 {
        if self.outside() { 1.0 } else { -1.0 }
    }

    /// `gluCylinder`: from z = 0, where its radius is `base`, to `height`, where it is `top`.
    pub fn cylinder(&self, p: &mut Recorder, base: f64, top: f64, height: f64, slices: u32, stacks: u32) {
        let slices = slices.min(MAX_PARTS);
        let slope = narrow(base - top);
        let length = narrow(libm::sqrt(f64::from(slope * slope) + height * height));
        if slices < 2 || stacks < 1 || !(base >= 0.0 && top >= 0.0 && height >= 0.0 && length > 0.0) {
            return p.bad_shape("cylinder", "2 slices, 1 stack, a size, and nothing negative");
        }
        let z_normal = slope / length;
        let ratio = self.sign() * f64::from(narrow(height / f64::from(length)));
        let points = circle(slices, 0.0, 1.0);
        let corners = circle(slices, 0.0, ratio);
        let faces = circle(slices, -0.5, ratio);

        let vertex = |p: &mut Recorder, i: u32, j: u32| {
            let [x, y] = points[index(i)];
            if self.texture {
                p.tex_coord2(1.0 - part(i, slices), part(j, stacks));
            }
            let radius = narrow(base - f64::from(slope * part(j, stacks)));
            p.vertex3(radius * x, radius * y, narrow(f64::from(j) * height / f64::from(stacks)));
        };
        let edge_normal = |p: &mut Recorder, i: u32| {
            let [x, y] = match self.normals {
                Normals::Smooth => corners[index(i)],
                Normals::Flat => faces[index(i)],
                Normals::None => return,
            };
            p.normal3(x, y, z_normal);
        };
        let ring = |p: &mut Recorder, j: u32| {
            p.primitive(Primitive::LineStrip, |p| {
                for i in 0..=slices {
                    edge_normal(p, i);
                    vertex(p, i, j);
                }
            });
        };
        match self.draw_style {
            DrawStyle::Fill => {
                for j in 0..stacks {
                    let [first, second] = if self.outside() { [j, j + 1] } else { [j + 1, j] };
                    p.primitive(Primitive::QuadStrip, |p| {
                        for i in 0..=slices {
                            edge_normal(p, i);
                            vertex(p, i, first);
                            vertex(p, i, second);
                        }
                    });
                }
            }
            DrawStyle::Point => p.primitive(Primitive::Points, |p| {
                for i in 0..slices {
                    if self.normals != Normals::None {
                        let [x, y] = corners[index(i)];
                        p.normal3(x, y, z_normal);
                    }
                    (0..=stacks).for_each(|j| vertex(p, i, j));
                }
            }),
            DrawStyle::Line | DrawStyle::Silhouette => {
                if self.draw_style == DrawStyle::Line {
                    (1..stacks).for_each(|j| ring(p, j));
                }
                [0, stacks].into_iter().for_each(|j| ring(p, j));
                for i in 0..slices {
                    if self.normals != Normals::None {
                        let [x, y] = corners[index(i)];
                        p.normal3(x, y, 0.0);
                    }
                    p.primitive(Primitive::LineStrip, |p| (0..=stacks).for_each(|j| vertex(p, i, j)));
                }
            }
        }
    }

    /// `gluDisk`, in the plane z = 0.
    pub fn disk(&self, p: &mut Recorder, inner: f64, outer: f64, slices: u32, loops: u32) {
        self.partial_disk(p, inner, outer, slices, loops, 0.0, 360.0);
    }

    /// `gluPartialDisk`: of a [`disk`](Quadric::disk), `sweep` degrees from `start` on.
    #[allow(clippy::too_many_arguments, reason = "those of GLU")]
    pub fn partial_disk(
        &self,
        p: &mut Recorder,
        inner: f64,
        outer: f64,
        slices: u32,
        loops: u32,
        start: f64,
        sweep: f64,
    ) {
        let slices = slices.min(MAX_PARTS);
        if slices < 2 || loops < 1 || !(inner >= 0.0 && outer > 0.0 && inner <= outer) {
            return p.bad_shape("disk", "2 slices, 1 loop, a size, and an inner radius up to the outer");
        }
        let sweep = if (-360.0..=360.0).contains(&sweep) { sweep } else { 360.0 };
        let (start, sweep) = if sweep < 0.0 { (start + sweep, -sweep) } else { (start, sweep) };
        let whole = sweep >= 360.0;
        let offset = f64::from(narrow(start / 180.0 * PI));
        let mut points: Vec<[f32; 2]> = (0..=slices)
            .map(|i| offset + PI * sweep / 180.0 * f64::from(i) / f64::from(slices))
            .map(|angle| direction(angle).map(narrow))
            .collect();
        if whole {
            points[index(slices)] = points[0];
        }
        let rays = if whole { slices } else { slices + 1 };

        if self.normals != Normals::None {
            p.normal3(0.0, 0.0, narrow(self.sign()));
        }
        let width = narrow(outer - inner);
        let vertex = |p: &mut Recorder, i: u32, j: u32| {
            let radius = narrow(outer - f64::from(width * part(j, loops)));
            let [x, y] = points[index(i)];
            if self.texture {
                let scale = narrow(f64::from(radius) / outer / 2.0);
                p.tex_coord2v([x, y].map(|c| narrow(f64::from(scale * c) + 0.5)));
            }
            p.vertex3(radius * x, radius * y, 0.0);
        };
        let ring = |p: &mut Recorder, j: u32| {
            p.primitive(Primitive::LineStrip, |p| (0..=slices).for_each(|i| vertex(p, i, j)));
        };
        let ray = |p: &mut Recorder, i: u32| {
            p.primitive(Primitive::LineStrip, |p| (0..=loops).for_each(|j| vertex(p, i, j)));
        };
        match self.draw_style {
            DrawStyle::Fill => {
                let mut strips = loops;
                if inner == 0.0 {
                    strips = loops - 1;
                    p.primitive(Primitive::TriangleFan, |p| {
                        if self.texture {
                            p.tex_coord2(0.5, 0.5);
                        }
                        p.vertex3(0.0, 0.0, 0.0);
                        towards(slices, self.outside()).for_each(|i| vertex(p, i, strips));
                    });
                }
                for j in 0..strips {
                    let [first, second] = if self.outside() { [j, j + 1] } else { [j + 1, j] };
                    p.primitive(Primitive::QuadStrip, |p| {
                        for i in 0..=slices {
                            vertex(p, i, first);
                            vertex(p, i, second);
                        }
                    });
                }
            }
            DrawStyle::Point => p.primitive(Primitive::Points, |p| {
                for i in 0..rays {
                    (0..=loops).for_each(|j| vertex(p, i, j));
                }
            }),
            DrawStyle::Line => {
                if inner < outer {
                    (0..=loops).for_each(|j| ring(p, j));
                    (0..rays).for_each(|i| ray(p, i));
                } else {
                    ring(p, 0);
                }
            }
            DrawStyle::Silhouette => {
                if !whole {
                    [0, slices].into_iter().for_each(|i| ray(p, i));
                }
                ring(p, 0);
                if inner < outer {
                    ring(p, loops);
                }
            }
        }
    }

    /// `gluSphere`, around the origin. Its stacks go from +z to -z.
    pub fn sphere(&self, p: &mut Recorder, radius: f64, slices: u32, stacks: u32) {
        let (slices, stacks) = (slices.min(MAX_PARTS), stacks.min(MAX_PARTS));
        if slices < 2 || stacks < 1 || radius.is_nan() || radius < 0.0 {
            return p.bad_shape("sphere", "2 slices, 1 stack, and a radius that is not negative");
        }
        let around = circle(slices, 0.0, 1.0);
        let around_faces = circle(slices, -0.5, 1.0);
        let down = |shift: f64, factor: f64| -> Vec<[f32; 2]> {
            let at = |j: u32| direction(PI * (f64::from(j) + shift) / f64::from(stacks));
            (0..=stacks).map(|j| at(j).map(|c| narrow(c * factor))).collect()
        };
        let mut rings = down(0.0, radius);
        // It comes to a point.
        for j in [0, stacks] {
            rings[index(j)][0] = 0.0;
        }
        let (corners, faces) = (down(0.0, self.sign()), down(-0.5, self.sign()));

        let normal = |p: &mut Recorder, [x, y]: [f32; 2], [sin, cos]: [f32; 2]| {
            p.normal3(x * sin, y * sin, cos);
        };
        let vertex = |p: &mut Recorder, i: u32, j: u32| {
            if self.texture {
                p.tex_coord2(1.0 - part(i, slices), 1.0 - part(j, stacks));
            }
            let ([x, y], [sin, z]) = (around[index(i)], rings[index(j)]);
            p.vertex3(sin * x, sin * y, z);
        };
        // A fan around +z (j = 0) or -z (j = stacks), to the ring next to it.
        let cap = |p: &mut Recorder, j: u32| {
            let (ring, face) = if j == 0 { (1, 1) } else { (stacks - 1, stacks) };
            let descending = (j == 0) == self.outside();
            if self.normals == Normals::Smooth {
                normal(p, around[0], corners[index(j)]);
            }
            p.primitive(Primitive::TriangleFan, |p| {
                p.vertex3(0.0, 0.0, narrow(if j == 0 { radius } else { -radius }));
                for i in towards(slices, descending) {
                    match self.normals {
                        Normals::Smooth => normal(p, around[index(i)], corners[index(ring)]),
                        // A triangle has the normal of its last corner: going down, the face is above it.
                        Normals::Flat if !descending => {
                            normal(p, around_faces[index(i)], faces[index(face)]);
                        }
                        Normals::Flat if i != slices => {
                            normal(p, around_faces[index(i + 1)], faces[index(face)]);
                        }
                        Normals::Flat | Normals::None => {}
                    }
                    let ([x, y], [sin, z]) = (around[index(i)], rings[index(ring)]);
                    p.vertex3(sin * x, sin * y, z);
                }
            });
        };
        match self.draw_style {
            DrawStyle::Fill => {
                // With a texture each triangle at a pole has coordinates of its own there.
                let strips = if self.texture {
                    0..stacks
                } else {
                    cap(p, 0);
                    cap(p, stacks);
                    1..stacks - 1
                };
                for j in strips {
                    let [first, second] = if self.outside() { [j + 1, j] } else { [j, j + 1] };
                    p.primitive(Primitive::QuadStrip, |p| {
                        for i in 0..=slices {
                            if self.normals == Normals::Smooth {
                                normal(p, around[index(i)], corners[index(first)]);
                            }
                            vertex(p, i, first);
                            match self.normals {
                                Normals::Smooth => normal(p, around[index(i)], corners[index(second)]),
                                Normals::Flat => normal(p, around_faces[index(i)], faces[index(j + 1)]),
                                Normals::None => {}
                            }
                            vertex(p, i, second);
                        }
                    });
                }
            }
            DrawStyle::Point => p.primitive(Primitive::Points, |p| {
                for j in 0..=stacks {
                    for i in 0..slices {
                        if self.normals != Normals::None {
                            normal(p, around[index(i)], corners[index(j)]);
                        }
                        vertex(p, i, j);
                    }
                }
            }),
            DrawStyle::Line | DrawStyle::Silhouette => {
                for j in 1..stacks {
                    p.primitive(Primitive::LineStrip, |p| {
                        for i in 0..=slices {
                            match self.normals {
                                Normals::Smooth => normal(p, around[index(i)], corners[index(j)]),
                                Normals::Flat => normal(p, around_faces[index(i)], corners[index(j)]),
                                Normals::None => {}
                            }
                            vertex(p, i, j);
                        }
                    });
                }
                for i in 0..slices {
                    p.primitive(Primitive::LineStrip, |p| {
                        for j in 0..=stacks {
                            match self.normals {
                                Normals::Smooth => normal(p, around[index(i)], corners[index(j)]),
                                Normals::Flat => normal(p, around[index(i)], faces[index(j)]),
                                Normals::None => {}
                            }
                            vertex(p, i, j);
                        }
                    });
                }
            }
        }
    }
}

impl Recorder {
    fn bad_shape(&mut self, shape: &'static str, needs: &'static str) {
        self.fail(RecordError::Quadric { op_index: self.op_count, shape, needs });
    }
}
