//! How textures are sampled, and the units that they are bound to.

use super::drawing::Drawing;
use super::driver::Driver;
use super::state::{CLAMP, Sampling};
use std::collections::HashMap;

/// Planes of a texture: the units of OpenGL that one of ours takes.
const PLANES: usize = 3;

/// OpenGL's sampler objects: few, as there are few ways to sample.
#[derive(Debug, Default)]
pub(super) struct Samplers {
    made: HashMap<Sampling, glow::Sampler>,
}

impl Samplers {
    /// Binds the units' textures. Not remembered: textures come and go, and their names return.
    pub fn bind(&mut self, driver: &Driver, drawing: &Drawing<'_>) {
        let mut last = 0;
        for ((first, texture), unit) in
            (0u32..).step_by(PLANES).zip(drawing.textures).zip(&drawing.hard.units)
        {
            let Some(texture) = texture else { continue };
            let sampler = self.sampler(driver, unit.sampling.of(&texture.desc));
            for (at, &plane) in (first..).zip(&texture.planes) {
                driver.active_texture(glow::TEXTURE0 + at);
                driver.bind_texture(glow::TEXTURE_2D, Some(plane));
                driver.bind_sampler(at, sampler);
                driver.count(|all| all.state_calls += 3);
                last = at;
            }
        }
        if last > 0 {
            driver.active_texture(glow::TEXTURE0);
            driver.count(|all| all.state_calls += 1);
        }
    }

    fn sampler(&mut self, driver: &Driver, sampling: Sampling) -> Option<glow::Sampler> {
        if let Some(&sampler) = self.made.get(&sampling) {
            return Some(sampler);
        }
        // GL_CLAMP mixes in the border, which is black and transparent, where it mixes at all: the shader limits the
        // coordinates. OpenGL ES has no border before 3.2.
        let border = sampling.is_smooth() && driver.limits().outlines;
        let wrap = |wrap: u32| match wrap {
            CLAMP if border => glow::CLAMP_TO_BORDER,
            CLAMP => glow::CLAMP_TO_EDGE,
            other => other,
        };
        let sampler = driver.create_sampler().ok()?;
        for (name, value) in [
            (glow::TEXTURE_MAG_FILTER, sampling.mag),
            (glow::TEXTURE_MIN_FILTER, sampling.min),
            (glow::TEXTURE_WRAP_S, wrap(sampling.wrap_s)),
            (glow::TEXTURE_WRAP_T, wrap(sampling.wrap_t)),
        ] {
            driver.sampler_parameter_i32(sampler, name, value.cast_signed());
        }
        self.made.insert(sampling, sampler);
        Some(sampler)
    }

    pub fn delete(&mut self, driver: &Driver) {
        for (_, sampler) in self.made.drain() {
            driver.delete_sampler(sampler);
        }
    }
}
