//! Fog and clip planes.

use super::shapes::{ball, clear, lit, name, square, vertices, view};
use crate::scene::{Class, Scene, Texture};
use blinkgl::Recorder;
use blinkgl::gl::{
    BlendFactor, Capability, ClipPlane, Face, FogMode, FogParameter, HintMode, HintTarget, PolygonMode,
    Primitive, TexEnvMode,
};
use blinkgl::ops::{CLIP_PLANE, FOG_MODE};

/// A floor and a ceiling that go away, and things that stand in between.
fn hall(p: &mut Recorder) {
    for y in [-0.9f32, 0.9] {
        p.primitive(Primitive::QuadStrip, |p| {
            for i in 0..12u8 {
                let z = 1.0 - f32::from(i) * 1.3;
                p.color4(0.9, 0.4 + 0.3 * y, 0.1, 0.7);
                p.tex_coord2(0.0, f32::from(i));
                p.vertex3(-0.9, y, z);
                p.tex_coord2(4.0, f32::from(i));
                p.vertex3(0.9, y, z);
            }
        });
    }
    p.color4(0.2, 0.9, 0.4, 1.0);
    for i in 0..4u8 {
        let n = f32::from(i);
        p.pushed(|p| {
            p.translate(0.5 * n - 0.8, 0.0, -2.2 * n);
            square(p, [-0.2, -0.5, 0.2, 0.5], 0.0);
        });
    }
    p.point_size(5.0);
    p.line_width(3.0);
    p.primitive(Primitive::Points, |p| {
        for i in 0..8u8 {
            p.vertex3(0.6, 0.3, -f32::from(i) * 1.4);
        }
    });
    p.primitive(Primitive::Lines, |p| {
        p.vertex3(-0.7, -0.5, 0.0);
        p.vertex3(-0.6, 0.6, -12.0);
    });
}

fn fog_scene(name: &str, set: impl FnOnce(&mut Recorder)) -> Scene {
    Scene::new(format!("fog-{name}"), 96, 96, |p| {
        p.clear_color(0.1, 0.1, 0.3, 1.0);
        clear(p);
        view(p);
        p.enable(Capability::DepthTest);
        p.enable(Capability::Fog);
        set(p);
        hall(p);
    })
}

fn color(p: &mut Recorder) {
    p.fog(FogParameter::Color, 0.7, 0.8, 0.6, 0.2);
}

pub fn fog() -> Vec<Scene> {
    use FogParameter as F;
    let mut scenes = vec![];
    for &mode in FogMode::ALL {
        let mode_name = name(&FOG_MODE, mode.value());
        scenes.push(fog_scene(&format!("{mode_name}-default"), |p| p.fog_mode(mode)));
        scenes.push(fog_scene(mode_name, |p| {
            p.fog_mode(mode);
            color(p);
            p.fog(F::Density, 0.13, 0.0, 0.0, 0.0);
            p.fog(F::Start, 3.0, 0.0, 0.0, 0.0);
            p.fog(F::End, 12.0, 0.0, 0.0, 0.0);
        }));
        // Where Start and End are what matters, Density does not, and the reverse.
        scenes.push(fog_scene(&format!("{mode_name}-dense"), |p| {
            p.fog_mode(mode);
            color(p);
            p.fog(F::Density, 0.4, 0.0, 0.0, 0.0);
            p.fog(F::Start, 5.5, 0.0, 0.0, 0.0);
            p.fog(F::End, 7.0, 0.0, 0.0, 0.0);
        }));
    }
    scenes.push(fog_scene("initially", color));
    scenes.push(fog_scene("off", |p| {
        color(p);
        p.disable(Capability::Fog);
    }));
    scenes.push(fog_scene("backwards", |p| {
        p.fog_mode(FogMode::Linear);
        color(p);
        p.fog(F::Start, 12.0, 0.0, 0.0, 0.0);
        p.fog(F::End, 3.0, 0.0, 0.0, 0.0);
    }));
    scenes.push(fog_scene("color-clamped", |p| {
        p.fog_mode(FogMode::Exp);
        p.fog(F::Density, 0.2, 0.0, 0.0, 0.0);
        p.fog(F::Color, 1.7, -0.5, 0.5, 3.0);
    }));
    scenes.push(fog_scene("from-registers", |p| {
        let (density, red) = (p.alloc(), p.alloc());
        p.mov(density, 0.2);
        p.mov(red, 0.9);
        p.fog(F::Density, density, 0.0, 0.0, 0.0);
        p.fog(F::Color, red, density, density, 1.0);
    }));
    scenes.push(fog_scene("blended", |p| {
        color(p);
        p.fog(F::Density, 0.1, 0.0, 0.0, 0.0);
        p.enable(Capability::Blend);
        p.blend_func(BlendFactor::SrcAlpha, BlendFactor::OneMinusSrcAlpha);
    }));
    scenes.push(fog_scene("lit", |p| {
        color(p);
        p.fog(F::Density, 0.1, 0.0, 0.0, 0.0);
        p.enable(Capability::Lighting);
        p.enable(Capability::Light0);
        p.enable(Capability::ColorMaterial);
        p.normal3(0.3, 0.2, 1.0);
    }));
    scenes.push(
        fog_scene("textured", |p| {
            color(p);
            p.fog(F::Density, 0.1, 0.0, 0.0, 0.0);
            p.enable(Capability::Texture2d);
            p.bind_texture(1);
            p.tex_env_mode(TexEnvMode::Modulate);
        })
        .texture(Texture::bgra(1, 4, 4, |x, y| [200, 60 * (x % 2) as u8 + 90, 30 + 40 * y as u8, 255])),
    );
    // Distance is that of the eye's z, whatever the projection. (Behind the eye too, but there OpenGL leaves open
    // whether distances or places are interpolated; and Mesa 22.3 takes z as it is, undivided by w.)
    scenes.push(Scene::new("fog-of-an-ortho-view", 96, 96, |p| {
        clear(p);
        p.enable(Capability::Fog);
        color(p);
        p.fog_mode(FogMode::Linear);
        p.ortho(-1.0, 1.0, -1.0, 1.0, -5.0, 5.0);
        p.fog(F::Start, 0.5, 0.0, 0.0, 0.0);
        p.fog(F::End, 2.0, 0.0, 0.0, 0.0);
        p.primitive(Primitive::Triangles, |p| {
            for (x, y, z) in [(-0.9, -0.9, -3.0), (0.9, -0.8, -0.1), (0.0, 0.9, -1.2)] {
                p.color4(0.9, 0.2, 0.1, 1.0);
                p.vertex3(x, y, z);
            }
        });
    }));
    // Hints change nothing.
    scenes.push(fog_scene("hints", |p| {
        color(p);
        p.fog(F::Density, 0.15, 0.0, 0.0, 0.0);
        for &target in HintTarget::ALL {
            for &mode in HintMode::ALL {
                p.hint(target, mode);
            }
        }
        p.disable(Capability::Dither);
        p.hint(HintTarget::Fog, HintMode::DontCare);
    }));
    scenes
}

/// Turns, so that a plane and another are not the same for any shape.
const PLANES: [[f32; 4]; 6] = [
    [1.0, 0.2, 0.0, 0.15],
    [-0.4, 1.0, 0.3, 0.25],
    [-1.0, -0.3, 0.1, 0.3],
    [0.2, -1.0, 0.4, 0.2],
    [0.3, 0.5, 1.0, 0.1],
    [0.1, -0.6, -1.0, -0.05],
];

fn clipped(name: &str, set: impl FnOnce(&mut Recorder), draw: impl FnOnce(&mut Recorder)) -> Scene {
    Scene::new(format!("clip-{name}"), 96, 96, |p| {
        p.clear_color(0.1, 0.1, 0.3, 1.0);
        clear(p);
        view(p);
        p.translate(0.0, 0.0, -0.7);
        p.enable(Capability::DepthTest);
        set(p);
        p.rotate(20.0, 0.3, 1.0, 0.0);
        draw(p);
    })
    .differs(Class::Threshold)
}

fn set_plane(p: &mut Recorder, plane: ClipPlane, number: usize) {
    let [a, b, c, d] = PLANES[number];
    p.clip_plane(plane, a, b, c, d);
}

fn capability(plane: ClipPlane) -> Capability {
    Capability::from_value(plane.value()).expect("clip planes are capabilities")
}

pub fn clip_planes() -> Vec<Scene> {
    let mut scenes = vec![];
    let all = |p: &mut Recorder| ball(p, 0);
    for (number, &plane) in ClipPlane::ALL.iter().enumerate() {
        // The others are set too, and off.
        scenes.push(clipped(
            name(&CLIP_PLANE, plane.value()),
            |p| {
                for (number, &plane) in ClipPlane::ALL.iter().enumerate() {
                    set_plane(p, plane, number);
                }
                p.enable(capability(plane));
            },
            all,
        ));
        scenes.push(clipped(
            &format!("all-but-{number}"),
            |p| {
                for (number, &plane) in ClipPlane::ALL.iter().enumerate() {
                    let [a, b, c, d] = PLANES[number];
                    p.clip_plane(plane, a, b, c, d + 0.5);
                    p.enable(capability(plane));
                }
                p.disable(capability(plane));
            },
            all,
        ));
    }
    scenes.push(clipped("default-planes", |p| p.enable(Capability::ClipPlane3), all));
    // A plane is where the modelview matrix was when it was set.
    scenes.push(clipped(
        "moved-planes",
        |p| {
            p.pushed(|p| {
                p.rotate(40.0, 0.2, 0.4, 1.0);
                p.scale(1.0, 0.5, 2.0);
                p.translate(0.1, -0.1, 0.2);
                set_plane(p, ClipPlane::ClipPlane0, 0);
            });
            set_plane(p, ClipPlane::ClipPlane1, 1);
            p.enable(Capability::ClipPlane0);
            p.enable(Capability::ClipPlane1);
        },
        all,
    ));
    scenes.push(clipped(
        "registers",
        |p| {
            let (a, d) = (p.alloc(), p.alloc());
            p.mov(a, 1.0);
            p.mov(d, 0.2);
            p.clip_plane(ClipPlane::ClipPlane2, a, a, 0.0, d);
            p.enable(Capability::ClipPlane2);
        },
        all,
    ));
    scenes.push(clipped(
        "lit-and-fogged",
        |p| {
            lit(p);
            p.enable(Capability::Fog);
            p.fog(FogParameter::Density, 0.15, 0.0, 0.0, 0.0);
            set_plane(p, ClipPlane::ClipPlane0, 2);
            p.enable(Capability::ClipPlane0);
        },
        all,
    ));
    for mode in
        [Primitive::Points, Primitive::Lines, Primitive::LineLoop, Primitive::Triangles, Primitive::Polygon]
    {
        let class = match mode {
            Primitive::Points => Class::Edge,
            Primitive::Lines | Primitive::LineLoop => Class::ClippedLine,
            Primitive::LineStrip
            | Primitive::Triangles
            | Primitive::TriangleStrip
            | Primitive::TriangleFan
            | Primitive::Quads
            | Primitive::QuadStrip
            | Primitive::Polygon => Class::Threshold,
        };
        scenes.push(
            clipped(
                &format!("of-{mode:?}").to_lowercase(),
                |p| {
                    set_plane(p, ClipPlane::ClipPlane4, 0);
                    set_plane(p, ClipPlane::ClipPlane5, 3);
                    p.enable(Capability::ClipPlane4);
                    p.enable(Capability::ClipPlane5);
                    p.point_size(5.0);
                    p.line_width(3.0);
                },
                |p| p.primitive(mode, |p| vertices(p, mode)),
            )
            .differs(class),
        );
    }
    scenes.push(
        clipped(
            "polygon-lines",
            |p| {
                set_plane(p, ClipPlane::ClipPlane0, 0);
                p.enable(Capability::ClipPlane0);
                p.polygon_mode(Face::FrontAndBack, PolygonMode::Line);
            },
            |p| p.primitive(Primitive::Triangles, |p| vertices(p, Primitive::Triangles)),
        )
        .differs(Class::ClippedLine),
    );
    scenes
}
