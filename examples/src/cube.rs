//! A textured cube of glass that turns, with a ball inside.

use blink_client::TextureInfo;
use blinkgl::gl::{
    BlendFactor, Capability, ClearMask, Face, Light, LightParameter, MaterialParameter, Primitive,
    TexParameter, TexValue,
};
use blinkgl::record::{ListId, Quadric, TextureId};
use blinkgl::{Callback, RecordError, Recorder, WireProgram};
use pictures::{Procedures, view};

/// Seconds of a turn.
pub const PERIOD: f32 = 12.0;

/// Width and height of the texture in texels.
const SIZE: u32 = 64;
/// Width and height of one of its squares in texels.
const SQUARE: u32 = 8;

const CUBE: ListId = ListId::new(1);
const BALL: ListId = ListId::new(2);

/// A face of the cube: its normal, and the directions in which the texture's s and t grow.
const FACES: [[[f32; 3]; 3]; 6] = [
    [[0.0, 0.0, 1.0], [1.0, 0.0, 0.0], [0.0, 1.0, 0.0]],
    [[0.0, 0.0, -1.0], [-1.0, 0.0, 0.0], [0.0, 1.0, 0.0]],
    [[1.0, 0.0, 0.0], [0.0, 0.0, -1.0], [0.0, 1.0, 0.0]],
    [[-1.0, 0.0, 0.0], [0.0, 0.0, 1.0], [0.0, 1.0, 0.0]],
    [[0.0, 1.0, 0.0], [1.0, 0.0, 0.0], [0.0, 0.0, -1.0]],
    [[0.0, -1.0, 0.0], [1.0, 0.0, 0.0], [0.0, 0.0, 1.0]],
];

/// The checker and its texels.
#[must_use]
pub fn texture() -> (TextureInfo, Vec<u8>) {
    let texel = |x: u32, y: u32| {
        let dark = (x / SQUARE + y / SQUARE).is_multiple_of(2);
        let edge = x.is_multiple_of(SQUARE) || y.is_multiple_of(SQUARE);
        match (edge, dark) {
            (true, _) => [255, 255, 255],
            (false, true) => [40, 90, 200],
            (false, false) => [250, 200, 60],
        }
    };
    let texels = (0..SIZE).flat_map(|y| (0..SIZE).flat_map(move |x| texel(x, y))).collect();
    (TextureInfo::rgb(SIZE, SIZE).generate_mipmaps(), texels)
}

/// The window's procedures.
///
/// # Errors
/// None: the recorder's, if they are changed.
pub fn procedures(texture: impl Into<TextureId>) -> Result<Procedures, RecordError> {
    Ok(vec![
        (Callback::Init, init(texture.into())?),
        (Callback::Reshape, reshape()?),
        (Callback::Redraw, redraw()?),
    ])
}

/// `init`: texture, light and the lists.
///
/// # Errors
/// As [`procedures`].
pub fn init(texture: TextureId) -> Result<WireProgram, RecordError> {
    let mut p = Recorder::new();
    p.clear_color(0.08, 0.08, 0.12, 1.0);
    p.light_position(Light::Light0, [2.0, 4.0, 5.0, 0.0]);
    p.lightv(Light::Light0, LightParameter::Ambient, [0.3, 0.3, 0.3, 1.0]);
    p.enable_all([Capability::Lighting, Capability::Light0, Capability::DepthTest, Capability::CullFace]);
    p.blend_func(BlendFactor::SrcAlpha, BlendFactor::OneMinusSrcAlpha);
    p.bind_texture(texture);
    p.tex_parameter(TexParameter::MinFilter, TexValue::LinearMipmapLinear);
    p.tex_parameter(TexParameter::MagFilter, TexValue::Linear);

    p.list(CUBE, |p| {
        p.primitive(Primitive::Quads, |p| {
            for [normal, s, t] in FACES {
                p.normal3v(normal);
                for [u, v] in [[-1.0, -1.0], [1.0, -1.0], [1.0, 1.0], [-1.0, 1.0]] {
                    p.tex_coord2(f32::midpoint(u, 1.0), f32::midpoint(v, 1.0));
                    p.vertex3v([0, 1, 2].map(|i| normal[i] + u * s[i] + v * t[i]));
                }
            }
        });
    });
    p.list(BALL, |p| Quadric::default().sphere(p, 0.55, 24, 16));
    p.finish()
}

/// `reshape`.
///
/// # Errors
/// As [`procedures`].
pub fn reshape() -> Result<WireProgram, RecordError> {
    let mut p = Recorder::new();
    view::perspective(&mut p, 40.0, 1.0, 20.0);
    p.load_identity();
    p.translate(0.0, 0.0, -6.0);
    p.finish()
}

/// `redraw`: the ball, then the cube's inner sides, then its outer ones.
///
/// # Errors
/// As [`procedures`].
pub fn redraw() -> Result<WireProgram, RecordError> {
    let mut p = Recorder::new();
    let angle = p.alloc();
    view::turning(&mut p, angle, PERIOD);
    p.request_frame();
    p.clear(ClearMask::COLOR | ClearMask::DEPTH);
    p.rotate(25.0, 1.0, 0.0, 0.0);
    p.rotate(angle, 0.0, 1.0, 0.0);
    p.rotate(angle, 1.0, 0.0, 0.0);
    p.materialv(Face::Front, MaterialParameter::AmbientAndDiffuse, [0.9, 0.2, 0.15, 1.0]);
    p.call_list(BALL);

    // The texture has no alpha: the material's is that of the glass.
    p.materialv(Face::FrontAndBack, MaterialParameter::AmbientAndDiffuse, [1.0, 1.0, 1.0, 0.55]);
    p.enable_all([Capability::Texture2d, Capability::Blend]);
    for hidden in [Face::Front, Face::Back] {
        p.cull_face(hidden);
        p.call_list(CUBE);
    }
    p.finish()
}

#[cfg(test)]
mod tests {
    use super::*;
    use verifier::verify;

    #[test]
    fn it_turns_in_the_server() {
        for (callback, program) in procedures(7).expect("they record") {
            let program = verify(program, callback).expect("the server accepts it");
            let facts = program.facts();
            if callback == Callback::Init {
                assert_eq!(*facts.body.textures, [7]);
            }
            let draws = callback == Callback::Redraw;
            assert_eq!(facts.uses_time && facts.requests_frame.may(), draws, "{callback}");
            assert_eq!(facts.body.uses.blending && facts.body.uses.texturing, draws, "{callback}");
        }
    }

    #[test]
    fn faces_wind_outward() {
        for [normal, s, t] in FACES {
            let cross = [s[1] * t[2] - s[2] * t[1], s[2] * t[0] - s[0] * t[2], s[0] * t[1] - s[1] * t[0]];
            assert_eq!(cross, normal);
        }
    }

    #[test]
    fn the_texture_has_its_texels() {
        let (info, texels) = texture();
        assert_eq!(info.bytes().expect("it is a texture"), texels.len());
    }
}
