//! The uniform blocks of the shaders, and what is in them.

use super::block::{BLOCK_VECTORS, Block};
use super::driver::Driver;
use super::error::GlError;
use super::record::{LIGHTS_VECTORS, RECORD_BYTES, Record, pack_lights};
use super::state::Lights;

const RECORDS: u32 = 0;
const LIGHTS: u32 = 1;
const DRAW: u32 = 2;

/// The blocks' names in the shaders, and where they are bound.
pub(super) const BLOCKS: [(&str, u32); 3] = [("Records", RECORDS), ("Lights", LIGHTS), ("Draw", DRAW)];

/// The buffers of the blocks.
#[derive(Debug)]
pub(super) struct Uniforms {
    records: glow::Buffer,
    lights: glow::Buffer,
    /// What is in `lights`.
    lights_are: Option<Lights>,
    block: glow::Buffer,
    /// What is in `block`.
    block_is: Option<Block>,
}

impl Uniforms {
    pub fn new(driver: &Driver) -> Result<Uniforms, GlError> {
        let buffer = || driver.create_buffer().map_err(GlError::object("buffer"));
        let [records, lights, block] = [buffer()?, buffer()?, buffer()?];
        Ok(Uniforms { records, lights, lights_are: None, block, block_is: None })
    }

    /// Uploads what the vertices of a batch name and consume.
    pub fn set_records(&mut self, driver: &Driver, records: &[Record], lights: &Lights) {
        let room = driver.limits().records;
        let mut bytes = Vec::with_capacity(records.len() * RECORD_BYTES);
        for record in records.iter().take(room) {
            extend_vectors(&mut bytes, &record.0);
        }
        // The block in the shader has `room` entries, and OpenGL wants all of them backed: by a new store, which also keeps
        // this upload from waiting for earlier draws. Vertices name only the entries filled here.
        driver.fill_uniforms(self.records, room * RECORD_BYTES, &bytes);
        driver.bind_buffer_base(glow::UNIFORM_BUFFER, RECORDS, Some(self.records));
        if self.lights_are.as_ref() != Some(lights) {
            let mut bytes = Vec::with_capacity(LIGHTS_VECTORS * 16);
            extend_vectors(&mut bytes, &pack_lights(lights));
            driver.fill_uniforms(self.lights, bytes.len(), &bytes);
            self.lights_are = Some(*lights);
        }
        driver.bind_buffer_base(glow::UNIFORM_BUFFER, LIGHTS, Some(self.lights));
    }

    /// Uploads the block of a draw, unless it is there already.
    pub fn set_block(&mut self, driver: &Driver, block: &Block) {
        if self.block_is.as_ref() != Some(block) {
            let mut bytes = Vec::with_capacity(BLOCK_VECTORS * 16);
            for word in block.0.as_flattened() {
                bytes.extend_from_slice(&word.to_ne_bytes());
            }
            driver.fill_uniforms(self.block, bytes.len(), &bytes);
            driver.count(|all| all.state_calls += 1);
            self.block_is = Some(*block);
        }
        driver.bind_buffer_base(glow::UNIFORM_BUFFER, DRAW, Some(self.block));
    }

    pub fn delete(&mut self, driver: &Driver) {
        for buffer in [self.records, self.lights, self.block] {
            driver.delete_buffer(buffer);
        }
    }
}

fn extend_vectors(bytes: &mut Vec<u8>, vectors: &[[f32; 4]]) {
    for value in vectors.iter().flatten() {
        bytes.extend_from_slice(&value.to_ne_bytes());
    }
}
