//! Vertices on the GPU: those of batches that come again, and those that are drawn once.

use super::arrays::Segments;
use super::batch::{Contents, Key, Mesh};
use super::cache::{Buffer, Cache, Spare, room_for};
use super::driver::Driver;
use super::error::GlError;
use ipc::limits::{MAX_SPARE_VERTEX_BYTES, MAX_VERTEX_CACHE_BYTES};
use jit::Assembly;

/// The vertex buffers.
#[derive(Debug)]
pub(super) struct Meshes {
    /// Those of batches that may come again.
    cache: Cache,
    /// Those that no batch has.
    spare: Spare,
    /// The one of batches that are drawn once.
    stream: Buffer,
    /// What draws from arrays draw.
    segments: Segments,
    /// What is drawn from.
    current: Option<Buffer>,
    /// For assembling vertices, kept for its memory.
    scratch: Mesh,
}

/// Frames after which vertices that nobody drew are given up.
const EXPIRE_FRAMES: u64 = 600;

/// Vertices that memory is kept for between frames: 4 MiB.
const SCRATCH_VERTICES: usize = 1 << 16;

impl Meshes {
    pub fn new(driver: &Driver) -> Result<Meshes, GlError> {
        Ok(Meshes {
            cache: Cache::default(),
            spare: Spare::default(),
            stream: driver.make_buffer()?,
            segments: Segments::default(),
            current: None,
            scratch: Mesh::default(),
        })
    }

    /// What draws from arrays draw.
    pub fn segments(&mut self) -> &mut Segments {
        &mut self.segments
    }

    /// Has some of a batch's vertices drawn from now on. They are not kept: those of a slow window are not likely to be the
    /// same in its next picture, which comes many frames later. Gives how many corners there are. `None`: OpenGL has no memory
    /// for them.
    pub fn take_chunk(&mut self, driver: &Driver, contents: &Contents, first: usize) -> Option<i32> {
        contents.assemble_chunk(first, &mut self.scratch);
        self.current = driver.upload(self.stream, &self.scratch, glow::STREAM_DRAW);
        self.current.map(|buffer| buffer.count)
    }

    /// The same with all of a batch's vertices: those of the same batch before, or uploaded now.
    pub fn take(&mut self, driver: &Driver, contents: &Contents, frame: u64) -> Option<i32> {
        let key = contents.key();
        self.current = key.as_ref().and_then(|key| self.cache.get(key, frame));
        if self.current.is_some() {
            driver.count(|all| all.reused += 1);
        } else {
            contents.assemble(&mut self.scratch);
            self.current = match key {
                None => driver.upload(self.stream, &self.scratch, glow::STREAM_DRAW),
                Some(key) => self.keep(driver, key, contents, frame),
            };
        }
        self.current.map(|buffer| buffer.count)
    }

    /// Draws corners of the batch or chunk that was taken last.
    pub fn draw(&self, driver: &Driver, assembly: Assembly, first: i32, count: i32) {
        if let Some(buffer) = &self.current {
            // SAFETY: `current` is what the last upload into its objects gave: uploads are made by [`Meshes::take`] and
            // [`Meshes::take_chunk`] only, which set `current` afterwards. Its objects are not deleted: `take` deletes
            // others, as [`Cache::insert`] does not give up what it is given, and [`Meshes::age`] and [`Meshes::delete`]
            // clear `current`.
            unsafe { driver.draw(assembly, buffer, first, count) }
        }
    }

    /// Puts the assembled vertices into a buffer that is kept for the batch.
    fn keep(&mut self, driver: &Driver, key: Key, contents: &Contents, frame: u64) -> Option<Buffer> {
        let mesh = &self.scratch;
        let room = [size_of_val(mesh.vertices()), size_of_val(mesh.indices())].map(room_for);
        let made = match self.spare.take(room) {
            Some(spare) => Ok(spare),
            None => driver.make_buffer(),
        };
        let made = made.inspect_err(|error| log::error!("{error}")).ok()?;
        let Some(buffer) = driver.upload(made, mesh, glow::STATIC_DRAW) else {
            delete(driver, vec![made]);
            return None;
        };
        let buffer = Buffer { used: frame, ..buffer };
        let old = self.cache.insert(key, contents.segment(), buffer, MAX_VERTEX_CACHE_BYTES);
        self.give_up(driver, old);
        Some(buffer)
    }

    /// Buffers that no batch has any more.
    fn give_up(&mut self, driver: &Driver, buffers: Vec<Buffer>) {
        delete(driver, self.spare.keep(buffers, MAX_SPARE_VERTEX_BYTES));
    }

    /// A frame is drawn: gives up what no frame drew for long.
    pub fn age(&mut self, driver: &Driver, frame: u64) {
        self.current = None;
        let oldest = frame.saturating_sub(EXPIRE_FRAMES);
        let old = self.cache.expire(oldest);
        self.give_up(driver, old);
        self.segments.expire(oldest);
        // One large batch must not keep its memory for ever.
        self.scratch.clear();
        self.scratch.shrink_to(SCRATCH_VERTICES);
    }

    pub fn delete(&mut self, driver: &Driver) {
        self.current = None;
        delete(driver, self.cache.expire(u64::MAX));
        delete(driver, self.spare.keep(Vec::new(), 0));
        delete(driver, vec![self.stream]);
    }
}

fn delete(driver: &Driver, buffers: Vec<Buffer>) {
    for Buffer { array, buffer, indices, .. } in buffers {
        driver.delete_vertex_array(array);
        driver.delete_buffer(buffer);
        driver.delete_buffer(indices);
    }
}
