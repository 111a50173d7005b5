//! The shaders that are compiled, by variant, and which of them is in use.

use super::driver::Driver;
use super::error::GlError;
use super::shader::{self, Sources};
use super::uniforms;
use super::variant::Variant;
use ipc::limits::MAX_SHADERS;
use std::collections::HashMap;

/// The shaders.
#[derive(Debug, Default)]
pub(super) struct Programs {
    /// With the frame that used each last; `None`: does not compile.
    compiled: HashMap<Variant, (Option<glow::Program>, u64)>,
    /// `None`: it may be any.
    in_use: Option<Variant>,
}

impl Programs {
    /// Was this variant compiled before?
    pub fn has(&self, variant: &Variant) -> bool {
        self.compiled.contains_key(variant)
    }

    /// The server draws: which one is in use for guests is not known any more.
    pub fn forget_use(&mut self) {
        self.in_use = None;
    }

    /// Uses the shader of a variant, compiled now if need be. False: it can't be, which is logged once.
    pub fn select(&mut self, driver: &Driver, variant: Variant, frame: u64) -> bool {
        let Some(program) = self.find(driver, variant, frame) else { return false };
        if self.in_use != Some(variant) {
            driver.use_program(Some(program));
            driver.count(|all| all.state_calls += 1);
            self.in_use = Some(variant);
        }
        true
    }

    fn find(&mut self, driver: &Driver, variant: Variant, frame: u64) -> Option<glow::Program> {
        if let Some((program, used)) = self.compiled.get_mut(&variant) {
            *used = frame;
            return *program;
        }
        if self.compiled.len() >= MAX_SHADERS {
            let oldest = self.compiled.iter().min_by_key(|(_, (_, used))| *used).map(|(variant, _)| *variant);
            if let Some((Some(program), _)) = oldest.and_then(|variant| self.compiled.remove(&variant)) {
                driver.delete_program(program);
            }
        }
        // The compiled one is used at once, and may have the name of one that was deleted.
        self.in_use = None;
        let program = compile(driver, &variant).map_err(|error| log::error!("{error}")).ok();
        self.compiled.insert(variant, (program, frame));
        program
    }

    pub fn delete(&mut self, driver: &Driver) {
        for program in self.compiled.drain().filter_map(|(_, (program, _))| program) {
            driver.delete_program(program);
        }
    }
}

fn compile(driver: &Driver, variant: &Variant) -> Result<glow::Program, GlError> {
    let Sources { vertex, geometry, fragment } =
        shader::sources(variant, driver.limits().records, driver.is_embedded());
    let mut stages = vec![(glow::VERTEX_SHADER, vertex.as_str()), (glow::FRAGMENT_SHADER, &fragment)];
    if let Some(geometry) = &geometry {
        stages.push((glow::GEOMETRY_SHADER, geometry));
    }
    let program = driver.link(&stages)?;
    for (name, binding) in uniforms::BLOCKS {
        if let Some(index) = driver.get_uniform_block_index(program, name) {
            driver.uniform_block_binding(program, index, binding);
        }
    }
    driver.use_program(Some(program));
    let samplers = ["image0", "image0_u", "image0_v", "image1", "image1_u", "image1_v"];
    for (unit, name) in (0..).zip(samplers) {
        driver.uniform_1_i32(driver.get_uniform_location(program, name).as_ref(), unit);
    }
    Ok(program)
}
