//! Textures of one unit.

use super::shapes::{clear, lit};
use crate::scene::{Scene, Texture};
use blink_server::gl::TextureDesc;
use blinkgl::Recorder;
use blinkgl::gl::{BlendFactor, Capability, MatrixMode, Primitive, TexEnvMode, TexParameter, TexValue};
use blinkgl::layout::texture::{ColorSpace, Format, Levels};
use blinkgl::ops::{TEX_ENV_MODE, TEX_VALUE};

fn test_texture() -> Texture {
    Texture::bgra(7, 16, 8, |x, y| {
        let checker = if (x + y) % 2 == 0 { 255 } else { 60 };
        [(x * 16) as u8, (y * 32) as u8, checker, (255 - x * 10) as u8]
    })
}

fn textured(p: &mut Recorder) {
    p.primitive(Primitive::Quads, |p| {
        for (x, y, s, t, n) in [
            (-0.9, -0.9, -0.6, -0.4, 0.0),
            (0.9, -0.9, 1.7, -0.3, 0.3),
            (0.9, 0.9, 1.5, 1.8, 0.6),
            (-0.9, 0.9, -0.8, 1.7, 0.3),
        ] {
            p.color4(1.0 - n, 0.3 + n, 0.8, 1.0 - 0.5 * n);
            p.tex_coord2(s, t);
            p.vertex2(x, y);
        }
    });
}

pub fn textures() -> Vec<Scene> {
    let scene = |name: String, set: &dyn Fn(&mut Recorder), draw: &dyn Fn(&mut Recorder)| {
        Scene::new(format!("texture-{name}"), 128, 128, |p| {
            p.clear_color(0.1, 0.2, 0.3, 1.0);
            clear(p);
            p.enable(Capability::Texture2d);
            p.bind_texture(7);
            set(p);
            draw(p);
        })
        .texture(test_texture())
    };
    let mut scenes = vec![];
    for &mode in TexEnvMode::ALL {
        for blend in [false, true] {
            let name = format!("{mode:?}{}", if blend { "-blended" } else { "" });
            scenes.push(scene(
                name,
                &|p| {
                    p.tex_env_mode(mode);
                    p.tex_env_color(0.9, 0.5, 0.1, 0.3);
                    if blend {
                        p.enable(Capability::Blend);
                        p.blend_func(BlendFactor::SrcAlpha, BlendFactor::OneMinusSrcAlpha);
                    }
                },
                &textured,
            ));
        }
    }
    for filter in [TexValue::Nearest, TexValue::Linear] {
        for wrap in [TexValue::Repeat, TexValue::ClampToEdge, TexValue::MirroredRepeat] {
            scenes.push(scene(
                format!("{filter:?}-{wrap:?}"),
                &|p| {
                    p.tex_env_mode(TexEnvMode::Replace);
                    for name in [TexParameter::MagFilter, TexParameter::MinFilter] {
                        p.tex_parameter(name, filter);
                    }
                    p.tex_parameter(TexParameter::WrapS, wrap);
                    p.tex_parameter(TexParameter::WrapT, TexValue::Repeat);
                },
                &textured,
            ));
        }
    }
    scenes.push(scene("default-parameters".into(), &|_| {}, &textured));
    scenes.push(scene("small".into(), &|p| p.scale(0.05, 0.05, 1.0), &|p| {
        for i in 0..8u8 {
            p.rotate(f32::from(i) * 45.0, 0.0, 0.0, 1.0);
            p.translate(4.0, 0.5, 0.0);
            textured(p);
        }
    }));
    scenes.push(scene(
        "matrix-and-q".into(),
        &|p| {
            p.matrix_mode(MatrixMode::Texture);
            p.rotate(30.0, 0.0, 0.0, 1.0);
            p.scale(0.7, 1.2, 1.0);
            p.matrix_mode(MatrixMode::Modelview);
        },
        &|p| {
            p.primitive(Primitive::Quads, |p| {
                for (x, y, s, t, q) in [
                    (-0.9, -0.9, 0.0, 0.0, 1.0),
                    (0.9, -0.9, 2.0, 0.0, 2.0),
                    (0.9, 0.9, 2.0, 2.0, 1.5),
                    (-0.9, 0.9, 0.0, 2.0, 0.5),
                ] {
                    p.tex_coord4(s, t, 0.0, q);
                    p.vertex2(x, y);
                }
            });
        },
    ));
    scenes.push(scene("lit".into(), &lit, &|p| {
        p.normal3(0.2, 0.3, 1.0);
        textured(p);
    }));
    // A texture that is not there, and none: as if texturing was off.
    scenes.push(scene("none".into(), &|p| p.bind_texture(0), &textured));
    scenes.push(scene("not-there".into(), &|p| p.bind_texture(8), &textured));
    scenes.push(scene("changes".into(), &|p| p.tex_env_mode(TexEnvMode::Replace), &|p| {
        p.scale(0.5, 0.5, 1.0);
        textured(p);
        p.bind_texture(9);
        p.translate(0.7, 0.7, 0.0);
        textured(p);
        p.disable(Capability::Texture2d);
        p.translate(-1.0, 0.2, 0.0);
        textured(p);
        p.enable(Capability::Texture2d);
        p.bind_texture(7);
        p.tex_parameter(TexParameter::MagFilter, TexValue::Nearest);
        p.translate(0.5, -1.6, 0.0);
        textured(p);
    }));
    let second = Texture::bgra(9, 5, 3, |x, y| [(x * 50) as u8, 200, (y * 80) as u8, 255]);
    let last = scenes.pop().unwrap();
    scenes.push(last.texture(second));
    scenes
}

/// All but YUV.
const FORMATS: [(Format, &str); 6] = [
    (Format::Bgra8, "bgra"),
    (Format::Rgba8, "rgba"),
    (Format::Rgb8, "rgb"),
    (Format::Luminance8, "luminance"),
    (Format::LuminanceAlpha8, "luminance-alpha"),
    (Format::Alpha8, "alpha"),
];

/// A square over all of the window, with coordinates from 0 to `times`.
fn map(p: &mut Recorder, times: f32) {
    p.primitive(Primitive::Quads, |p| {
        for (x, y) in [(0.0, 0.0), (1.0, 0.0), (1.0, 1.0), (0.0, 1.0)] {
            p.color4(0.3 + 0.6 * x, 0.9 - 0.5 * y, 0.6, 0.2 + 0.7 * y);
            p.tex_coord2(x * times, y * times);
            p.vertex2(x * 1.9 - 0.95, y * 1.9 - 0.95);
        }
    });
}

/// Formats with each environment, and with the filter and wrap that mix in the border's color.
pub fn formats() -> Vec<Scene> {
    let mut scenes = vec![];
    for (format, name) in FORMATS {
        let texture = Texture::of(5, format, 7, 5, |x, y| {
            [(x * 35 + 20) as u8, (y * 50) as u8, (200 - x * 20) as u8, (250 - x * 20 - y * 18) as u8]
        });
        for &mode in TexEnvMode::ALL {
            // What this comes to, OpenGL leaves open.
            if mode == TexEnvMode::Decal && !matches!(format, Format::Bgra8 | Format::Rgba8 | Format::Rgb8) {
                continue;
            }
            let name = format!("format-{name}-{}", TEX_ENV_MODE.name_of(mode.value()).unwrap_or("?"));
            scenes.push(
                Scene::new(name, 64, 64, |p| {
                    p.clear_color(0.1, 0.2, 0.3, 0.6);
                    clear(p);
                    p.enable(Capability::Texture2d);
                    p.bind_texture(5);
                    p.tex_parameter(TexParameter::MagFilter, TexValue::Nearest);
                    p.tex_env_mode(mode);
                    p.tex_env_color(0.9, 0.5, 0.1, 0.3);
                    map(p, 1.0);
                })
                .texture(texture.clone()),
            );
        }
        scenes.push(
            Scene::new(format!("format-{name}-clamped"), 64, 64, |p| {
                clear(p);
                p.enable(Capability::Texture2d);
                p.bind_texture(5);
                p.tex_env_mode(TexEnvMode::Replace);
                for parameter in [TexParameter::WrapS, TexParameter::WrapT] {
                    p.tex_parameter(parameter, TexValue::Clamp);
                }
                p.matrix_mode(MatrixMode::Texture);
                p.translate(-0.4, -0.3, 0.0);
                p.matrix_mode(MatrixMode::Modelview);
                map(p, 1.8);
            })
            .texture(texture),
        );
    }
    scenes
}

/// Each wrap in each direction, with each of the filters, at a size and at another.
pub fn wraps() -> Vec<Scene> {
    let mut scenes = vec![];
    let name = |value: TexValue| TEX_VALUE.name_of(value.value()).unwrap_or("?");
    for filter in [TexValue::Nearest, TexValue::Linear] {
        for wrap in [TexValue::Clamp, TexValue::Repeat, TexValue::ClampToEdge, TexValue::MirroredRepeat] {
            for (parameter, other, direction) in [
                (TexParameter::WrapS, TexParameter::WrapT, "s"),
                (TexParameter::WrapT, TexParameter::WrapS, "t"),
            ] {
                let name = format!("wrap-{direction}-{}-{}", name(wrap), name(filter));
                scenes.push(
                    Scene::new(name, 96, 96, |p| {
                        clear(p);
                        p.enable(Capability::Texture2d);
                        p.bind_texture(7);
                        p.tex_env_mode(TexEnvMode::Replace);
                        p.tex_parameter(TexParameter::MagFilter, filter);
                        p.tex_parameter(TexParameter::MinFilter, filter);
                        p.tex_parameter(parameter, wrap);
                        p.tex_parameter(other, TexValue::ClampToEdge);
                        p.matrix_mode(MatrixMode::Texture);
                        p.translate(-1.3, -1.3, 0.0);
                        p.matrix_mode(MatrixMode::Modelview);
                        map(p, 3.7);
                        p.scale(0.07, 0.07, 1.0);
                        p.translate(12.0, 12.0, 0.0);
                        map(p, 3.7);
                    })
                    .texture(test_texture()),
                );
            }
        }
    }
    scenes
}

/// Levels of detail of distinct colors.
fn leveled() -> Texture {
    const COLORS: [[u8; 3]; 6] =
        [[230, 40, 40], [40, 220, 60], [50, 60, 240], [230, 220, 40], [220, 50, 210], [40, 220, 220]];
    let texel = |level: u32, x: u32, y: u32| {
        let [r, g, b] = COLORS[level as usize % COLORS.len()];
        let shade = 35 * ((x + y) % 2) as u8;
        [r - shade, g - shade, b - shade, 255 - (level * 30) as u8]
    };
    Texture::bgra(6, 32, 16, |x, y| texel(0, x, y)).with_levels(6, texel)
}

pub fn mipmaps() -> Vec<Scene> {
    let mut scenes = vec![];
    let name = |value: TexValue| TEX_VALUE.name_of(value.value()).unwrap_or("?");
    let filters = [
        TexValue::Nearest,
        TexValue::Linear,
        TexValue::NearestMipmapNearest,
        TexValue::LinearMipmapNearest,
        TexValue::NearestMipmapLinear,
        TexValue::LinearMipmapLinear,
    ];
    let floor = |p: &mut Recorder| {
        // Larger than it is on the left, smaller and smaller to the right.
        for i in 0..7u8 {
            let size = 1.1 * 0.62f32.powi(i32::from(i));
            let x = -0.95 + 1.1 * (1.0 - 0.62f32.powi(i32::from(i))) / 0.38 * 0.65;
            p.primitive(Primitive::Quads, |p| {
                for (a, b) in [(0.0, 0.0), (1.0, 0.0), (1.0, 1.0), (0.0, 1.0)] {
                    p.tex_coord2(a * 2.03, b * 3.02);
                    p.vertex2(x + a * size * 0.6, -0.9 + b * size * 1.6);
                }
            });
        }
    };
    for filter in filters {
        for (texture, kind) in
            [(leveled(), "given"), (leveled().generate_mipmaps(), "generated"), (short(), "some")]
        {
            scenes.push(
                Scene::new(format!("mipmaps-{kind}-{}", name(filter)), 128, 96, |p| {
                    clear(p);
                    p.enable(Capability::Texture2d);
                    p.bind_texture(6);
                    p.tex_env_mode(TexEnvMode::Replace);
                    p.tex_parameter(TexParameter::MinFilter, filter);
                    p.tex_parameter(TexParameter::MagFilter, TexValue::Nearest);
                    floor(p);
                })
                .texture(texture),
            );
        }
        // On a floor that goes away, so that the level changes from pixel to pixel.
        scenes.push(
            Scene::new(format!("mipmaps-in-perspective-{}", name(filter)), 96, 96, |p| {
                clear(p);
                p.matrix_mode(MatrixMode::Projection);
                p.frustum(-1.0, 1.0, -1.0, 1.0, 1.0, 50.0);
                p.matrix_mode(MatrixMode::Modelview);
                p.enable(Capability::Texture2d);
                p.bind_texture(6);
                p.tex_env_mode(TexEnvMode::Replace);
                p.tex_parameter(TexParameter::MinFilter, filter);
                p.primitive(Primitive::Quads, |p| {
                    for (x, z) in [(-3.0, -1.2), (3.0, -1.2), (3.0, -20.0), (-3.0, -20.0)] {
                        p.tex_coord2(x * 0.97 + 0.013, z * 0.7 + 0.007);
                        p.vertex3(x, -1.0, z);
                    }
                });
            })
            .texture(leveled()),
        );
    }
    scenes
}

/// Without the smallest levels.
fn short() -> Texture {
    Texture::bgra(6, 32, 16, |x, y| [(x * 8) as u8, (y * 16) as u8, 90, 255])
        .with_levels(3, |level, x, y| [200, (level * 100) as u8, (x * 9 + y * 13) as u8, 255])
}

/// Weights of red and blue in the luma of a color space, and whether its values fill the bytes.
fn weights(space: ColorSpace) -> (f64, f64, bool) {
    match space {
        ColorSpace::Bt601Limited => (0.299, 0.114, false),
        ColorSpace::Bt601Full => (0.299, 0.114, true),
        ColorSpace::Bt709Limited => (0.2126, 0.0722, false),
        ColorSpace::Bt709Full => (0.2126, 0.0722, true),
    }
}

/// A picture in YUV, of any bytes. OpenGL has no such textures, so it is given the picture converted here.
fn yuv(color_space: ColorSpace) -> Scene {
    let (width, height, stride) = (37u32, 23u32, 40u32);
    let desc =
        TextureDesc { format: Format::Yuv420, width, height, stride, color_space, levels: Levels::default() };
    let mut bytes = vec![0u8; desc.format.bytes(stride, height).expect("a small size")];
    fastrand::Rng::with_seed(5).fill(&mut bytes);
    let (half, rows) = (stride.div_ceil(2), height.div_ceil(2));
    let (kr, kb, full) = weights(color_space);
    let converted = Texture::bgra(3, width, height, |x, y| {
        // Nearest texel of a plane of half the size, rounded up, stretched over all of the picture.
        let nearest = |at: u32, size: u32| {
            ((f64::from(at) + 0.5) / f64::from(size) * f64::from(size.div_ceil(2))) as u32
        };
        let place = nearest(y, height) * half + nearest(x, width);
        let byte = |at: u32| f64::from(bytes[at as usize]);
        let (l, u, v) = (
            byte(y * stride + x),
            byte(stride * height + place),
            byte(stride * height + half * rows + place),
        );
        let (l, u, v) = if full {
            (l / 255.0, (u - 128.0) / 255.0, (v - 128.0) / 255.0)
        } else {
            ((l - 16.0) / 219.0, (u - 128.0) / 224.0, (v - 128.0) / 224.0)
        };
        let red = l + 2.0 * (1.0 - kr) * v;
        let blue = l + 2.0 * (1.0 - kb) * u;
        let green = (l - kr * red - kb * blue) / (1.0 - kr - kb);
        [red, green, blue, 1.0].map(|c: f64| (c * 255.0).round().clamp(0.0, 255.0) as u8)
    });
    let scene = |texture: Texture| {
        Scene::new(format!("yuv-{color_space:?}").to_lowercase(), width, height, |p| {
            p.enable(Capability::Texture2d);
            p.bind_texture(3);
            p.tex_env_mode(TexEnvMode::Replace);
            for name in [TexParameter::MagFilter, TexParameter::MinFilter] {
                p.tex_parameter(name, TexValue::Nearest);
            }
            p.color4(0.3, 0.4, 0.5, 1.0);
            // The first row of an image is on top.
            p.primitive(Primitive::Quads, |p| {
                for (x, y, s, t) in [
                    (-1.0, -1.0, 0.0, 1.0),
                    (1.0, -1.0, 1.0, 1.0),
                    (1.0, 1.0, 1.0, 0.0),
                    (-1.0, 1.0, 0.0, 0.0),
                ] {
                    p.tex_coord2(s, t);
                    p.vertex2(x, y);
                }
            });
        })
        .texture(texture)
    };
    scene(Texture { oid: 3, desc, bytes: bytes.clone() }).instead(scene(converted))
}

pub fn videos() -> Vec<Scene> {
    [ColorSpace::Bt601Limited, ColorSpace::Bt601Full, ColorSpace::Bt709Limited, ColorSpace::Bt709Full]
        .map(yuv)
        .into()
}
