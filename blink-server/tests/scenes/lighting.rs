//! Lights, materials, color material.

use super::shapes::{RINGS, ball, clear, lit, name, ring, view, wall};
use crate::scene::Scene;
use blinkgl::Recorder;
use blinkgl::gl::{
    Capability, ColorMaterialMode, Face, Light, LightModelParameter, LightParameter, MaterialParameter,
    Primitive, ShadeModel,
};
use blinkgl::ops::{CAPABILITY, FACE, LIGHT, MATERIAL};

fn lighting_scene(name: &str, set: impl FnOnce(&mut Recorder), draw: impl FnOnce(&mut Recorder)) -> Scene {
    Scene::new(format!("light-{name}"), 160, 160, |p| {
        clear(p);
        view(p);
        p.translate(0.0, 0.0, -0.9);
        lit(p);
        set(p);
        p.rotate(25.0, 1.0, 0.3, 0.0);
        draw(p);
    })
}

fn shiny(p: &mut Recorder) {
    p.material(Face::FrontAndBack, MaterialParameter::Specular, 0.9, 0.9, 0.6, 1.0);
    p.material(Face::FrontAndBack, MaterialParameter::Shininess, 20.0, 0.0, 0.0, 0.0);
}

fn near_light(p: &mut Recorder) {
    p.light(Light::Light0, LightParameter::Position, 0.8, 0.9, 1.4, 1.0);
}

pub fn lighting() -> Vec<Scene> {
    use LightParameter as L;
    let all = |p: &mut Recorder| ball(p, 0);
    let cut = |p: &mut Recorder| {
        p.rotate(-75.0, 1.0, 0.2, 0.0);
        ball(p, 5);
    };
    let two_side = |p: &mut Recorder| p.light_model(LightModelParameter::TwoSide, 1.0, 0.0, 0.0, 0.0);
    let mut scenes = vec![
        lighting_scene("directional", |_| {}, all),
        lighting_scene("positional", near_light, all),
        lighting_scene(
            "attenuation",
            |p| {
                near_light(p);
                p.light(Light::Light0, L::ConstantAttenuation, 0.5, 0.0, 0.0, 0.0);
                p.light(Light::Light0, L::LinearAttenuation, 0.3, 0.0, 0.0, 0.0);
                p.light(Light::Light0, L::QuadraticAttenuation, 0.6, 0.0, 0.0, 0.0);
            },
            all,
        ),
        lighting_scene(
            "spot",
            |p| {
                near_light(p);
                p.light(Light::Light0, L::SpotDirection, -0.5, -0.6, -0.9, 0.0);
                p.light(Light::Light0, L::SpotCutoff, 35.0, 0.0, 0.0, 0.0);
                p.light(Light::Light0, L::SpotExponent, 3.0, 0.0, 0.0, 0.0);
            },
            all,
        ),
        lighting_scene(
            "spot-on-a-wall",
            |p| {
                p.light(Light::Light0, L::Position, 0.3, 0.2, 1.5, 1.0);
                p.light(Light::Light0, L::SpotDirection, -0.1, -0.2, -0.9, 0.0);
                p.light(Light::Light0, L::SpotCutoff, 27.0, 0.0, 0.0, 0.0);
                p.light(Light::Light0, L::SpotExponent, 9.0, 0.0, 0.0, 0.0);
            },
            wall,
        ),
        lighting_scene(
            "said-again",
            |p| p.light(Light::Light0, L::Diffuse, 0.2, 0.9, 0.4, 1.0),
            |p| {
                // In one place of the matrix stack: a direction that is turned is another one.
                ball(p, 0);
                p.light(Light::Light0, L::Diffuse, 0.2, 0.9, 0.4, 1.0);
                p.translate(0.5, 0.0, 0.0);
                ball(p, 1);
            },
        ),
        lighting_scene(
            "said-otherwise",
            |_| {},
            |p| {
                ball(p, 0);
                p.light(Light::Light0, L::Diffuse, 0.2, 0.9, 0.4, 1.0);
                p.translate(0.5, 0.0, 0.0);
                ball(p, 1);
            },
        ),
        lighting_scene("specular", shiny, all),
        lighting_scene(
            "specular-near-local-viewer",
            |p| {
                shiny(p);
                near_light(p);
                p.light_model(LightModelParameter::LocalViewer, 1.0, 0.0, 0.0, 0.0);
            },
            all,
        ),
        lighting_scene(
            "specular-without-shininess",
            |p| p.material(Face::Front, MaterialParameter::Specular, 0.4, 0.4, 0.4, 1.0),
            all,
        ),
        lighting_scene(
            "emission-and-scene-ambient",
            |p| {
                p.material(Face::Front, MaterialParameter::Emission, 0.0, 0.1, 0.3, 1.0);
                p.light_model(LightModelParameter::Ambient, 0.5, 0.1, 0.1, 1.0);
                p.light(Light::Light0, L::Ambient, 0.0, 0.2, 0.0, 1.0);
            },
            all,
        ),
        lighting_scene(
            "eight",
            |p| {
                for (i, &light) in (0i16..).zip(Light::ALL) {
                    let a = f32::from(i) * 0.8;
                    p.light(light, L::Position, a.cos() * 2.0, a.sin() * 2.0, 1.0, f32::from(i % 2));
                    p.light(light, L::Diffuse, 0.5 + 0.5 * a.cos(), 0.5, 0.5 + 0.5 * a.sin(), 1.0);
                    p.light(light, L::Specular, 0.3, 0.3, 0.3, 1.0);
                    p.enable(Capability::from_value(light.value()).expect("lights are capabilities"));
                }
                shiny(p);
                p.disable(Capability::Light3);
            },
            all,
        ),
        lighting_scene("two-side-off", |_| {}, cut),
        lighting_scene("two-side", two_side, cut),
        lighting_scene(
            "two-side-materials-flat",
            move |p| {
                two_side(p);
                p.shade_model(ShadeModel::Flat);
                p.material(Face::Back, MaterialParameter::AmbientAndDiffuse, 0.1, 0.2, 0.9, 1.0);
                p.material(Face::Back, MaterialParameter::Shininess, 3.0, 0.0, 0.0, 0.0);
                p.material(Face::Back, MaterialParameter::Specular, 1.0, 0.0, 0.0, 1.0);
            },
            cut,
        ),
        lighting_scene(
            "two-side-color-material",
            move |p| {
                two_side(p);
                p.color_material(Face::FrontAndBack, ColorMaterialMode::AmbientAndDiffuse);
                p.enable(Capability::ColorMaterial);
            },
            cut,
        ),
    ];
    for (mode, name) in [
        (ColorMaterialMode::Ambient, "ambient"),
        (ColorMaterialMode::Diffuse, "diffuse"),
        (ColorMaterialMode::Specular, "specular"),
        (ColorMaterialMode::Emission, "emission"),
        (ColorMaterialMode::AmbientAndDiffuse, "ambient-and-diffuse"),
    ] {
        scenes.push(lighting_scene(
            &format!("color-material-{name}"),
            move |p| {
                shiny(p);
                p.color_material(Face::FrontAndBack, mode);
                p.enable(Capability::ColorMaterial);
            },
            all,
        ));
    }
    // What the colors of one primitive leave in the material counts for the next.
    scenes.push(lighting_scene(
        "color-material-left-behind",
        |p| {
            p.color_material(Face::Front, ColorMaterialMode::Diffuse);
            p.enable(Capability::ColorMaterial);
            p.color4(0.1, 0.9, 0.2, 1.0);
            p.disable(Capability::ColorMaterial);
            p.color4(1.0, 0.0, 0.0, 1.0);
        },
        all,
    ));
    for (capability, name) in [
        (None, "scaled"),
        (Some(Capability::RescaleNormal), "scaled-rescale"),
        (Some(Capability::Normalize), "scaled-normalize"),
    ] {
        scenes.push(lighting_scene(
            name,
            |p| {
                p.disable(Capability::Normalize);
                if let Some(capability) = capability {
                    p.enable(capability);
                }
            },
            |p| {
                p.scale(1.3, 1.3, 1.3);
                ball(p, 0);
            },
        ));
    }
    for capability in [Capability::RescaleNormal, Capability::Normalize] {
        scenes.push(lighting_scene(
            &format!("off-again-{}", name(&CAPABILITY, capability.value())),
            |p| p.disable(Capability::Normalize),
            |p| {
                p.scale(0.7, 0.7, 0.7);
                p.enable(capability);
                p.translate(-0.7, 0.0, 0.0);
                ball(p, 0);
                p.disable(capability);
                p.translate(1.4, 0.0, 0.0);
                ball(p, 0);
            },
        ));
    }
    for face in [Face::Back, Face::Front] {
        scenes.push(color_material_of_one_face(face, true).instead(color_material_of_one_face(face, false)));
    }
    scenes.extend(single_parameters());
    scenes.push(lighting_scene(
        "stretched-normalize",
        |_| {},
        |p| {
            p.scale(1.2, 0.5, 0.8);
            ball(p, 0);
        },
    ));
    scenes
}

/// With both faces lit, Mesa 22.3 draws wrong colors where the material of one face only changes with each vertex. So
/// OpenGL is given what tracking means: materials, between primitives.
fn color_material_of_one_face(face: Face, track: bool) -> Scene {
    let name = format!("color-material-{}-only", name(&FACE, face.value()));
    lighting_scene(
        &name,
        |p| {
            p.light_model(LightModelParameter::TwoSide, 1.0, 0.0, 0.0, 0.0);
            if track {
                p.color_material(face, ColorMaterialMode::AmbientAndDiffuse);
                p.enable(Capability::ColorMaterial);
            }
        },
        |p| {
            p.rotate(-75.0, 1.0, 0.2, 0.0);
            for number in 5..RINGS {
                let n = number as f32 * 0.07;
                if track {
                    p.color4(n, 0.5, 1.0 - n, n);
                } else {
                    p.material(face, MaterialParameter::AmbientAndDiffuse, n, 0.5, 1.0 - n, n);
                }
                ring(p, number, |_, _| {});
            }
        },
    )
}

/// One parameter of a light or of a material changed, each for itself, with both faces in view.
fn single_parameters() -> Vec<Scene> {
    let both = |p: &mut Recorder| {
        p.rotate(-75.0, 1.0, 0.2, 0.0);
        ball(p, 5);
    };
    let mut scenes = vec![];
    for &light in Light::ALL {
        scenes.push(lighting_scene(
            &format!("alone-{}", name(&LIGHT, light.value())),
            |p| {
                shiny(p);
                p.disable(Capability::Light0);
                p.enable(Capability::from_value(light.value()).expect("lights are capabilities"));
                p.light(light, LightParameter::Position, -1.0, 2.0, 2.0, 1.0);
                p.light(light, LightParameter::Diffuse, 0.2, 0.9, 0.5, 1.0);
                p.light(light, LightParameter::Specular, 0.7, 0.3, 0.9, 1.0);
                p.light(light, LightParameter::Ambient, 0.2, 0.1, 0.3, 1.0);
            },
            both,
        ));
    }
    for &off in Light::ALL {
        scenes.push(lighting_scene(
            &format!("all-but-{}", name(&LIGHT, off.value())),
            |p| {
                for (i, &light) in (0i16..).zip(Light::ALL) {
                    let a = f32::from(i) * 0.785;
                    p.light(light, LightParameter::Position, a.cos() * 2.0, a.sin() * 2.0, 0.5, 1.0);
                    p.light(light, LightParameter::Diffuse, 0.5, 0.3 + 0.1 * f32::from(i % 3), 0.4, 1.0);
                    p.light(light, LightParameter::Specular, 0.0, 0.0, 0.0, 1.0);
                    p.enable(Capability::from_value(light.value()).expect("lights are capabilities"));
                }
                p.disable(Capability::from_value(off.value()).expect("lights are capabilities"));
            },
            both,
        ));
    }
    for &face in Face::ALL {
        for &parameter in MaterialParameter::ALL {
            scenes.push(lighting_scene(
                &format!("material-{}-{}", name(&FACE, face.value()), name(&MATERIAL, parameter.value())),
                |p| {
                    p.light_model(LightModelParameter::TwoSide, 1.0, 0.0, 0.0, 0.0);
                    p.light(Light::Light0, LightParameter::Ambient, 0.3, 0.3, 0.3, 1.0);
                    p.material(Face::FrontAndBack, MaterialParameter::Specular, 0.6, 0.6, 0.6, 1.0);
                    p.material(Face::FrontAndBack, MaterialParameter::Shininess, 30.0, 0.0, 0.0, 0.0);
                    let [a, b, c] = if parameter == MaterialParameter::Shininess {
                        [2.0, 0.0, 0.0]
                    } else {
                        [0.1, 0.7, 0.9]
                    };
                    p.material(face, parameter, a, b, c, 0.5);
                },
                both,
            ));
        }
    }
    scenes
}

/// Material and shade model change between and in primitives, more often than a uniform block has records.
pub fn materials() -> Vec<Scene> {
    let mut scenes = vec![];
    for (mode, name) in [
        (Primitive::Quads, "quads"),
        (Primitive::QuadStrip, "quad-strip"),
        (Primitive::TriangleFan, "fan"),
        (Primitive::Polygon, "polygon"),
        (Primitive::LineLoop, "line-loop"),
    ] {
        for shade in [ShadeModel::Smooth, ShadeModel::Flat] {
            scenes.push(Scene::new(format!("materials-{name}-{shade:?}"), 160, 160, |p| {
                clear(p);
                view(p);
                lit(p);
                p.shade_model(shade);
                p.normal3(0.1, 0.2, 1.0);
                let material = |p: &mut Recorder, i: u16| {
                    let n = f32::from(i);
                    let [r, g, b] = [n * 0.011, n * 0.017 + 0.3, n * 0.023 + 0.6].map(f32::fract);
                    p.material(Face::Front, MaterialParameter::AmbientAndDiffuse, r, g, b, 1.0);
                };
                match mode {
                    Primitive::Quads => p.primitive(mode, |p| {
                        for i in 0..400u16 {
                            let (x, y) = (f32::from(i % 20) * 0.09 - 0.9, f32::from(i / 20) * 0.09 - 0.9);
                            for (dx, dy) in [(0.0, 0.0), (0.08, 0.0), (0.08, 0.08), (0.0, 0.08)] {
                                material(p, i + if dx > 0.0 { 50 } else { 0 });
                                p.vertex2(x + dx, y + dy);
                            }
                        }
                    }),
                    Primitive::QuadStrip => p.primitive(mode, |p| {
                        for i in 0..300u16 {
                            let x = f32::from(i / 2) * 0.012 - 0.9;
                            material(p, i * 5);
                            p.vertex2(x, if i % 2 == 0 { 0.8 } else { -0.8 });
                        }
                    }),
                    Primitive::Points
                    | Primitive::Lines
                    | Primitive::LineLoop
                    | Primitive::LineStrip
                    | Primitive::Triangles
                    | Primitive::TriangleStrip
                    | Primitive::TriangleFan
                    | Primitive::Polygon => p.primitive(mode, |p| {
                        for i in 0..300u16 {
                            let a = f32::from(i) / 300.0 * std::f32::consts::TAU;
                            material(p, i * 5 + 7);
                            p.vertex2(a.cos() * 0.9, a.sin() * 0.9);
                        }
                    }),
                }
            }));
        }
    }
    scenes
}
