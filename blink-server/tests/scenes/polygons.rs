//! Polygon mode and polygon offset.

use super::shapes::{clear, lit, name, ring, vertices, view};
use crate::scene::{Class, Scene};
use blinkgl::Recorder;
use blinkgl::gl::{
    Capability, Comparison, Face, LightModelParameter, MaterialParameter, PolygonMode, Primitive, ShadeModel,
    Winding,
};
use blinkgl::ops::{FACE, POLYGON_MODE, PRIMITIVE};

/// Shapes that show the front, and others that show the back.
fn two_faces(p: &mut Recorder) {
    p.pushed(|p| {
        p.scale(0.5, 0.9, 1.0);
        p.translate(-0.95, 0.0, 0.0);
        p.primitive(Primitive::Polygon, |p| vertices(p, Primitive::Polygon));
    });
    p.pushed(|p| {
        p.scale(-0.5, 0.9, 1.0);
        p.translate(-0.95, 0.0, 0.0);
        p.primitive(Primitive::TriangleStrip, |p| vertices(p, Primitive::TriangleStrip));
    });
}

/// A square that leans back, so that its depth changes from pixel to pixel.
fn slope(p: &mut Recorder, [left, bottom, right, top]: [f32; 4]) {
    p.primitive(Primitive::Quads, |p| {
        for (x, y) in [(left, bottom), (right, bottom), (right, top), (left, top)] {
            p.vertex3(x, y, 0.7 * x + 0.2 * y);
        }
    });
}

const OFFSETS: [Capability; 3] =
    [Capability::PolygonOffsetFill, Capability::PolygonOffsetLine, Capability::PolygonOffsetPoint];

/// A slope, and others a little behind it, which are seen where an offset counts and is enough.
fn offset(name: &str, mode: PolygonMode, enabled: &[Capability]) -> Scene {
    Scene::new(name, 120, 120, |p| {
        clear(p);
        p.enable(Capability::DepthTest);
        p.color4(0.2, 0.3, 0.6, 1.0);
        slope(p, [-0.95, -0.95, 0.95, 0.95]);
        p.depth_func(Comparison::Less);
        for &capability in enabled {
            p.enable(capability);
        }
        for capability in OFFSETS.into_iter().filter(|c| !enabled.contains(c)) {
            p.enable(capability);
            p.disable(capability);
        }
        p.polygon_mode(Face::FrontAndBack, mode);
        p.translate(0.0, 0.0, 0.012);
        let offsets =
            [(-3.0, 0.0), (-0.1, 0.0), (0.0, -400_000.0), (0.0, 0.0), (1.0, 1.0), (-3.0, 400_000.0)];
        for (i, (factor, units)) in offsets.into_iter().enumerate() {
            p.polygon_offset(factor, units);
            p.color4(0.9, 0.15 * i as f32, 0.3, 1.0);
            let (x, y) = ((i % 3) as f32 * 0.6 - 0.83, (i / 3) as f32 * 0.9 - 0.81);
            slope(p, [x, y, x + 0.5, y + 0.7]);
        }
        p.depth_func(Comparison::Always);
        slope(p, [-0.1, -0.1, 0.1, 0.1]);
    })
}

pub fn polygons() -> Vec<Scene> {
    let mut scenes = vec![];
    for &face in Face::ALL {
        for &mode in PolygonMode::ALL {
            let name =
                format!("polygon-mode-{}-{}", name(&FACE, face.value()), name(&POLYGON_MODE, mode.value()));
            scenes.push(Scene::new(name, 120, 120, |p| {
                clear(p);
                p.point_size(5.0);
                p.line_width(2.0);
                // What the face has not is the other one's.
                let other = if mode == PolygonMode::Line { PolygonMode::Point } else { PolygonMode::Line };
                p.polygon_mode(Face::FrontAndBack, other);
                p.polygon_mode(face, mode);
                two_faces(p);
            }));
        }
    }
    // The lines between the triangles of one primitive are no edges.
    for mode in [
        Primitive::Triangles,
        Primitive::TriangleStrip,
        Primitive::TriangleFan,
        Primitive::Quads,
        Primitive::QuadStrip,
        Primitive::Polygon,
    ] {
        for (polygon, shade) in [
            (PolygonMode::Line, ShadeModel::Smooth),
            (PolygonMode::Line, ShadeModel::Flat),
            (PolygonMode::Point, ShadeModel::Smooth),
            (PolygonMode::Point, ShadeModel::Flat),
        ] {
            let name = format!(
                "polygon-{}-of-{}-{shade:?}",
                name(&POLYGON_MODE, polygon.value()),
                name(&PRIMITIVE, mode.value())
            );
            let scene = Scene::new(name.to_lowercase(), 120, 120, |p| {
                clear(p);
                view(p);
                // So that nothing is nearer than the view begins.
                p.translate(0.0, 0.0, -0.4);
                p.shade_model(shade);
                p.polygon_mode(Face::FrontAndBack, polygon);
                p.point_size(3.0);
                p.primitive(mode, |p| vertices(p, mode));
            });
            let is_smooth_line = polygon == PolygonMode::Line && shade == ShadeModel::Smooth;
            scenes.push(if is_smooth_line { scene.differs(Class::Rounding) } else { scene });
        }
    }
    for (culled, winding) in [
        (Face::Front, Winding::Ccw),
        (Face::Back, Winding::Ccw),
        (Face::Back, Winding::Cw),
        (Face::FrontAndBack, Winding::Ccw),
    ] {
        scenes.push(Scene::new(
            format!("polygon-mode-culled-{culled:?}-{winding:?}").to_lowercase(),
            120,
            120,
            |p| {
                clear(p);
                p.polygon_mode(Face::Front, PolygonMode::Line);
                p.polygon_mode(Face::Back, PolygonMode::Point);
                p.point_size(4.0);
                p.enable(Capability::CullFace);
                p.cull_face(culled);
                p.front_face(winding);
                two_faces(p);
                // Lines have no face.
                p.primitive(Primitive::Lines, |p| {
                    p.vertex2(-0.9, -0.95);
                    p.vertex2(0.9, -0.93);
                });
            },
        ));
    }
    for mode in [PolygonMode::Line, PolygonMode::Point] {
        scenes.push(Scene::new(
            format!("polygon-mode-lit-both-sides-{mode:?}").to_lowercase(),
            120,
            120,
            |p| {
                clear(p);
                view(p);
                lit(p);
                p.light_model(LightModelParameter::TwoSide, 1.0, 0.0, 0.0, 0.0);
                p.material(Face::Back, MaterialParameter::AmbientAndDiffuse, 0.1, 0.9, 0.9, 1.0);
                p.polygon_mode(Face::FrontAndBack, mode);
                p.point_size(3.0);
                p.primitive(Primitive::Triangles, |p| vertices(p, Primitive::Triangles));
            },
        ));
    }
    for (number, (front, back)) in [
        (PolygonMode::Line, PolygonMode::Fill),
        (PolygonMode::Fill, PolygonMode::Line),
        (PolygonMode::Point, PolygonMode::Line),
    ]
    .into_iter()
    .enumerate()
    {
        scenes.push(Scene::new(format!("polygon-mode-of-a-ball-{number}"), 120, 120, |p| {
            clear(p);
            view(p);
            p.translate(0.0, 0.0, -0.9);
            p.enable(Capability::DepthTest);
            p.polygon_mode(Face::Front, front);
            p.polygon_mode(Face::Back, back);
            p.rotate(25.0, 1.0, 0.3, 0.0);
            // (Not to its pole, where quads have no area.)
            for number in 4..11 {
                ring(p, number, |p, [r, g, b, a]| p.color4(r, g, b, a));
            }
        }));
    }
    scenes.push(Scene::new("polygon-mode-clipped-by-the-view", 120, 120, |p| {
        clear(p);
        view(p);
        p.polygon_mode(Face::FrontAndBack, PolygonMode::Line);
        p.scale(1.7, 1.7, 1.0);
        p.rotate(20.0, 0.3, 1.0, 0.2);
        p.primitive(Primitive::Triangles, |p| vertices(p, Primitive::Triangles));
    }));
    scenes.push(
        Scene::new("polygon-mode-in-lists-and-stacks", 120, 120, |p| {
            clear(p);
            p.polygon_mode(Face::Front, PolygonMode::Line);
            two_faces(p);
            p.scale(0.6, 0.6, 1.0);
            p.call_list(1);
            p.scale(0.6, 0.6, 1.0);
            two_faces(p);
        })
        .init(|p| {
            p.list(1, |p| {
                p.polygon_mode(Face::Back, PolygonMode::Line);
                p.polygon_mode(Face::Front, PolygonMode::Fill);
                two_faces(p);
                p.polygon_mode(Face::FrontAndBack, PolygonMode::Point);
            });
        }),
    );

    for (what, capability, mode) in [
        ("fill", Capability::PolygonOffsetFill, PolygonMode::Fill),
        ("line", Capability::PolygonOffsetLine, PolygonMode::Line),
        ("point", Capability::PolygonOffsetPoint, PolygonMode::Point),
    ] {
        let name = format!("polygon-offset-{what}");
        scenes.push(offset(&format!("{name}-on"), mode, &[capability]));
        // All but the one that counts. (Mesa 22.3 moves filled polygons then too, and gets none.)
        let others: Vec<Capability> = OFFSETS.into_iter().filter(|&other| other != capability).collect();
        let off = format!("{name}-off");
        scenes.push(offset(&off, mode, &others).instead(offset(&off, mode, &[])));
    }
    // How far: against planes in front, a step of depth after the other.
    scenes.push(Scene::new("polygon-offset-amounts", 120, 120, |p| {
        clear(p);
        p.enable(Capability::DepthTest);
        let factor = p.alloc();
        p.color4(0.2, 0.3, 0.6, 1.0);
        slope(p, [-0.95, -0.95, 0.95, 0.95]);
        p.enable(Capability::PolygonOffsetFill);
        for i in 0..12u8 {
            let n = f32::from(i);
            p.mov(factor, -6.0 + n);
            p.polygon_offset(factor, 0.0);
            p.color4(0.9, 0.08 * n, 0.3, 1.0);
            // Pushed back by the distance that some of the offsets make up for.
            p.pushed(|p| {
                p.translate(0.0, 0.0, 0.04);
                slope(p, [n * 0.15 - 0.9, -0.9, n * 0.15 - 0.78, 0.9]);
            });
        }
    }));
    scenes
}
