//! Records: the state that the vertex stage consumes, packed as the shader's uniform blocks (std140).

use super::state::{Light, Lights, Material, WindowState};
use blinkgl::limits::MAX_LIGHTS;

/// `vec4`s of a record in the uniform block.
pub const RECORD_VECTORS: usize = 24;
/// Bytes of a record.
pub const RECORD_BYTES: usize = RECORD_VECTORS * 16;
/// `vec4`s of the lights' block.
pub const LIGHTS_VECTORS: usize = MAX_LIGHTS * 6 + 1;

/// Bits of a record's flags; the same numbers stand in the shader.
pub mod flag {
    /// Lights that are on: bits 0 to 7.
    pub const LIGHTS: u32 = 0xff;
    /// Lighting.
    pub const LIGHTING: u32 = 1 << 8;
    /// Flat shading.
    pub const FLAT: u32 = 1 << 9;
    /// Unit normals.
    pub const NORMALIZE: u32 = 1 << 10;
    /// Rescaled normals.
    pub const RESCALE: u32 = 1 << 11;
    /// glColorMaterial for the front.
    pub const TRACK_FRONT: u32 = 1 << 12;
    /// glColorMaterial for the back.
    pub const TRACK_BACK: u32 = 1 << 13;
    /// It tracks: 0 ambient, 1 diffuse, 2 specular, 3 emission, 4 ambient and diffuse.
    pub const TRACK_MODE_SHIFT: u32 = 16;
    /// See [`TRACK_MODE_SHIFT`].
    pub const TRACK_SPECULAR: u32 = 2;
}

/// A packed record.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Record(pub [[f32; 4]; RECORD_VECTORS]);

impl Record {
    /// Packs what the vertex stage consumes of a state.
    #[must_use]
    pub fn new(state: &WindowState) -> Record {
        let mut vectors = [[0.0; 4]; RECORD_VECTORS];
        let modelview = state.modelview();
        let product = state.projection().multiply(modelview);
        let normal = modelview.normal_matrix();
        put_matrix(&mut vectors[0..4], &product.0);
        put_matrix(&mut vectors[4..8], &modelview.0);
        for (to, [x, y, z]) in vectors[8..11].iter_mut().zip(normal) {
            *to = [x, y, z, 0.0];
        }
        vectors[8][3] = rescale_factor(normal);
        put_matrix(&mut vectors[11..15], &state.texture_matrix().0);
        let soft = &state.soft;
        let [front, back] = &soft.materials;
        put_material(&mut vectors[15..19], front);
        put_material(&mut vectors[19..23], back);
        // The flags are below 2^24, so a float holds them; bits of a small integer would be a denormal,
        // which a GPU may flush to zero.
        #[allow(clippy::cast_precision_loss, reason = "below 2^24")]
        let flags = flags(state) as f32;
        vectors[23] = [front.shininess, back.shininess, flags, 0.0];
        Record(vectors)
    }

    /// Matrices and what follows from them.
    #[must_use]
    pub fn transform(&self) -> &[[f32; 4]] {
        &self.0[..15]
    }

    /// Materials, and the flags.
    #[must_use]
    pub fn material(&self) -> &[[f32; 4]] {
        &self.0[15..]
    }

    /// The flags.
    #[must_use]
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "it was made of a `u32`")]
    pub fn flags(&self) -> u32 {
        let [_, _, flags, _] = self.0[RECORD_VECTORS - 1];
        flags as u32
    }

    /// Specular colors of the materials: front, back.
    #[must_use]
    pub fn specular(&self) -> [[f32; 4]; 2] {
        [self.0[17], self.0[21]]
    }
}

fn flags(state: &WindowState) -> u32 {
    let soft = &state.soft;
    let bit = |on: bool, bit: u32| if on { bit } else { 0 };
    let mode = match soft.color_material_mode {
        0x1200 => 0,
        0x1201 => 1,
        0x1202 => 2,
        0x1600 => 3,
        _ => 4,
    };
    soft.lights & flag::LIGHTS
        | bit(soft.lighting, flag::LIGHTING)
        | bit(soft.flat, flag::FLAT)
        | bit(soft.normalize, flag::NORMALIZE)
        | bit(soft.rescale, flag::RESCALE)
        | bit(soft.color_material && soft.color_material_faces & 1 != 0, flag::TRACK_FRONT)
        | bit(soft.color_material && soft.color_material_faces & 2 != 0, flag::TRACK_BACK)
        | mode << flag::TRACK_MODE_SHIFT
}

/// GL_RESCALE_NORMAL's factor: one over the length of the third row of the inverse modelview, which is
/// the third column of its transpose.
fn rescale_factor(normal: [[f32; 3]; 3]) -> f32 {
    let [x, y, z] = normal[2];
    let length = (x * x + y * y + z * z).sqrt();
    if length > 0.0 && length.is_finite() { 1.0 / length } else { 1.0 }
}

fn put_matrix(to: &mut [[f32; 4]], matrix: &[f32; 16]) {
    for (to, from) in to.iter_mut().zip(matrix.chunks_exact(4)) {
        to.copy_from_slice(from);
    }
}

fn put_material(to: &mut [[f32; 4]], material: &Material) {
    to.copy_from_slice(&[material.ambient, material.diffuse, material.specular, material.emission]);
}

/// Packs the lights.
#[must_use]
pub fn pack_lights(lights: &Lights) -> [[f32; 4]; LIGHTS_VECTORS] {
    let mut vectors = [[0.0; 4]; LIGHTS_VECTORS];
    for (to, light) in vectors.chunks_exact_mut(6).zip(&lights.lights) {
        to.copy_from_slice(&pack_light(light));
    }
    vectors[MAX_LIGHTS * 6] = lights.ambient;
    vectors
}

fn pack_light(light: &Light) -> [[f32; 4]; 6] {
    let [x, y, z] = light.spot_direction;
    let [constant, linear, quadratic] = light.attenuation;
    // Below every cosine: no spot.
    let cosine = if light.spot_cutoff == 180.0 { -2.0 } else { light.spot_cutoff.to_radians().cos() };
    [
        light.position,
        light.ambient,
        light.diffuse,
        light.specular,
        [x, y, z, cosine],
        [light.spot_exponent, constant, linear, quadratic],
    ]
}
