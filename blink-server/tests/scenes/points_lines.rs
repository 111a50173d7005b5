//! Sizes of points, widths of lines.

use super::shapes::{clear, vertices, view};
use crate::scene::Scene;
use blinkgl::Recorder;
use blinkgl::gl::{Capability, PointParameter, Primitive, ShadeModel};

/// Rows of points, smaller from row to row, and away from the viewer.
fn rows(p: &mut Recorder, sizes: &[f32]) {
    for (row, &size) in sizes.iter().enumerate() {
        p.point_size(size);
        p.primitive(Primitive::Points, |p| {
            for i in 0..6u8 {
                let n = f32::from(i);
                p.color4(0.3 + 0.1 * n, 1.0 - 0.15 * n, 0.2 * row as f32, 1.0);
                p.vertex3(n * 0.32 - 0.81, row as f32 * 0.41 - 0.77, -0.8 * n);
            }
        });
    }
}

/// Lines like the rays of a star, and steps along both axes.
fn star(p: &mut Recorder) {
    p.primitive(Primitive::Lines, |p| {
        for i in 0..15u8 {
            let a = f32::from(i) * 0.43 + 0.1;
            p.color4(0.2 + 0.05 * f32::from(i), 0.9 - 0.05 * f32::from(i), 0.6, 1.0);
            p.vertex2(a.cos() * 0.17, a.sin() * 0.17);
            p.color4(0.9, 0.8, 0.3, 1.0);
            p.vertex2(a.cos() * 0.87, a.sin() * 0.87);
        }
    });
}

/// What is no size leaves it as it was: for OpenGL it is an error.
fn from_registers(wrong_too: bool) -> Scene {
    Scene::new("points-and-lines-from-registers", 120, 120, |p| {
        clear(p);
        let size = p.alloc();
        p.mov(size, 3.0);
        p.line_width(size);
        star(p);
        p.add(size, size, 4.0);
        p.point_size(size);
        p.primitive(Primitive::Points, |p| p.vertex2(0.53, 0.11));
        if wrong_too {
            p.mov(size, -1.0);
            p.point_size(size);
            p.line_width(size);
        }
        p.primitive(Primitive::Points, |p| p.vertex2(-0.53, 0.11));
        p.primitive(Primitive::Lines, |p| {
            p.vertex2(-0.83, -0.91);
            p.vertex2(0.77, -0.93);
        });
    })
}

/// A name, and what is set.
type Parameters = (&'static str, &'static [(PointParameter, [f32; 3])]);

pub fn points_and_lines() -> Vec<Scene> {
    let mut scenes = vec![];
    for size in [1.0f32, 0.6, 1.4, 1.5, 2.5, 2.6, 3.5, 4.0, 5.0] {
        scenes.push(Scene::new(format!("points-{size}"), 120, 120, |p| {
            clear(p);
            p.point_size(size);
            p.primitive(Primitive::Points, |p| vertices(p, Primitive::Points));
        }));
    }
    for width in [1.0f32, 0.6, 1.4, 1.6, 2.0, 2.5, 3.0, 5.0] {
        for mode in [Primitive::Lines, Primitive::LineStrip, Primitive::LineLoop] {
            scenes.push(Scene::new(
                format!("lines-{width}-{}", format!("{mode:?}").to_lowercase()),
                120,
                120,
                |p| {
                    clear(p);
                    p.line_width(width);
                    match mode {
                        Primitive::Lines => star(p),
                        Primitive::Points
                        | Primitive::LineLoop
                        | Primitive::LineStrip
                        | Primitive::Triangles
                        | Primitive::TriangleStrip
                        | Primitive::TriangleFan
                        | Primitive::Quads
                        | Primitive::QuadStrip
                        | Primitive::Polygon => {
                            p.rotate(7.0, 0.0, 0.0, 1.0);
                            p.scale(0.9, 0.9, 1.0);
                            p.primitive(mode, |p| vertices(p, mode));
                        }
                    }
                },
            ));
        }
    }
    // Flat: a line has the color of its second vertex.
    scenes.push(Scene::new("lines-flat", 120, 120, |p| {
        clear(p);
        p.shade_model(ShadeModel::Flat);
        p.line_width(3.0);
        star(p);
    }));
    scenes.push(Scene::new("lines-in-perspective", 120, 120, |p| {
        clear(p);
        view(p);
        p.enable(Capability::DepthTest);
        p.line_width(2.0);
        p.rotate(50.0, 0.3, 1.0, 0.0);
        star(p);
        p.rotate(70.0, 0.3, 1.0, 0.0);
        star(p);
    }));
    scenes.push(from_registers(true).instead(from_registers(false)));
    let parameters: [Parameters; 8] = [
        ("constant", &[(PointParameter::DistanceAttenuation, [0.25, 0.0, 0.0])]),
        ("linear", &[(PointParameter::DistanceAttenuation, [0.0, 0.09, 0.0])]),
        ("quadratic", &[(PointParameter::DistanceAttenuation, [0.0, 0.0, 0.02])]),
        ("all", &[(PointParameter::DistanceAttenuation, [0.1, 0.05, 0.01])]),
        (
            "min",
            &[
                (PointParameter::DistanceAttenuation, [0.0, 0.0, 0.05]),
                (PointParameter::SizeMin, [5.0, 0.0, 0.0]),
            ],
        ),
        ("max", &[(PointParameter::SizeMax, [4.0, 0.0, 0.0])]),
        (
            "min-and-max",
            &[
                (PointParameter::DistanceAttenuation, [0.0, 0.0, 0.03]),
                (PointParameter::SizeMax, [8.0, 0.0, 0.0]),
                (PointParameter::SizeMin, [3.0, 0.0, 0.0]),
            ],
        ),
        ("fade", &[(PointParameter::FadeThresholdSize, [20.0, 0.0, 0.0])]),
    ];
    for (name, parameters) in parameters {
        scenes.push(Scene::new(format!("points-attenuation-{name}"), 120, 120, |p| {
            clear(p);
            view(p);
            for &(parameter, [a, b, c]) in parameters {
                p.point_parameter(parameter, a, b, c);
            }
            rows(p, &[3.0, 7.0, 12.0, 1.0, 16.0]);
        }));
    }
    scenes.push(Scene::new("points-attenuation-from-registers", 120, 120, |p| {
        clear(p);
        view(p);
        let (a, b) = (p.alloc(), p.alloc());
        p.mov(a, 0.05);
        p.mov(b, 4.0);
        p.point_parameter(PointParameter::DistanceAttenuation, a, a, 0.0);
        p.point_parameter(PointParameter::SizeMin, b, 0.0, 0.0);
        rows(p, &[3.0, 7.0, 12.0, 1.0, 16.0]);
    }));
    scenes
}
