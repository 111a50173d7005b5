//! The tracker: what guests' drawing needs, put together, and the server's own drawing beside it.
//!
//! Guest drawing and the server's share one OpenGL context. Each sets all the state that it depends on:
//! [`Tracker::draw_batch`] and [`Tracker::clear`] for guests, always inside the scissor that
//! [`Tracker::confine`] set, and the public functions below for the server.

use super::applied::Applied;
use super::arrays;
use super::batch::Contents;
use super::block::Block;
use super::context::Functions;
use super::drawing::{Clear, Cursor, Drawing, Pass};
use super::driver::{Counters, Driver};
use super::error::GlError;
use super::meshes::Meshes;
use super::pace::{Allowances, Clock, Pace, Slice, Step, Taken};
use super::programs::Programs;
use super::samplers::Samplers;
use super::screen::{Framebuffer, Target};
use super::state::{Area, Hard};
use super::uniforms::Uniforms;
use ipc::geometry::Rect;
use jit::{Assembly, Segment};
use std::sync::Arc;
use std::time::Instant;

/// The state tracker's OpenGL side. It stays on the thread of its context:
///
/// ```compile_fail
/// fn leaves_its_thread<T: Send>() {}
/// leaves_its_thread::<gl::Tracker>();
/// ```
pub struct Tracker {
    driver: Driver,
    applied: Applied,
    programs: Programs,
    uniforms: Uniforms,
    samplers: Samplers,
    meshes: Meshes,
    frame: u64,
    pace: Pace,
    /// Whose program draws.
    client: u32,
    allowances: Allowances,
    /// Off only in the test that proves that the scissor is what confines.
    confinement: bool,
}

impl std::fmt::Debug for Tracker {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Tracker").field("frame", &self.frame).field("driver", &self.driver).finish()
    }
}

/// What one unit of glPolygonOffset is in a depth buffer of 24 bits.
const DEPTH_UNIT: f32 = 1.0 / (1 << 24) as f32;

impl Tracker {
    /// Takes a context that is current on this thread, and stays so for the tracker's life.
    ///
    /// # Errors
    /// OpenGL is out of memory.
    pub fn new(functions: Functions) -> Result<Tracker, GlError> {
        let driver = Driver::new(functions);
        Ok(Tracker {
            applied: Applied::default(),
            programs: Programs::default(),
            uniforms: Uniforms::new(&driver)?,
            samplers: Samplers::default(),
            meshes: Meshes::new(&driver)?,
            frame: 0,
            pace: Pace::new(Clock::machine()),
            client: 0,
            allowances: Allowances::default(),
            confinement: true,
            driver,
        })
    }

    /// OpenGL's version and renderer, for people.
    #[must_use]
    pub fn describe(&self) -> String {
        self.driver.describe()
    }

    /// Was the context lost (the GPU was reset)? A robust context says so as an error of its own
    /// (GL_KHR_robustness).
    #[must_use]
    pub fn context_lost(&self) -> bool {
        const CONTEXT_LOST: u32 = 0x0507;
        self.driver.get_error() == CONTEXT_LOST
    }

    /// The counters since the last call.
    pub fn take_counters(&mut self) -> Counters {
        self.driver.take_counters()
    }

    /// Measures slices by another clock than the machine's.
    #[doc(hidden)]
    pub fn set_clock_for_tests(&mut self, clock: Clock) {
        self.pace.set_clock(clock);
    }

    /// Switches the guests' scissor off, to prove that a test of it can fail.
    #[doc(hidden)]
    pub fn set_confinement_for_tests(&mut self, on: bool) {
        self.confinement = on;
    }

    /// What textures are made and filled by.
    pub(super) fn driver(&self) -> &Driver {
        &self.driver
    }

    // ---- The server's framebuffers and drawing ---------------------------------------------

    /// The driver for the server's own drawing, after which OpenGL's state may be anything.
    fn trusted(&mut self) -> &Driver {
        self.applied = Applied::default();
        self.programs.forget_use();
        &self.driver
    }

    /// The driver for what binds a framebuffer, and changes nothing else that guests' drawing depends on.
    fn binding(&mut self) -> &Driver {
        self.applied.forget_framebuffer();
        &self.driver
    }

    /// Makes a framebuffer: black and far.
    ///
    /// # Errors
    /// OpenGL has no memory for it, or does not make any of this size.
    pub fn create_framebuffer(&mut self, width: u32, height: u32) -> Result<Framebuffer, GlError> {
        Framebuffer::create(self.trusted(), width, height)
    }

    /// Deletes a framebuffer.
    pub fn delete_framebuffer(&mut self, framebuffer: Framebuffer) {
        // Its name may be given to the next one.
        framebuffer.delete(self.binding());
    }

    /// Reads pixels: RGBA, top row first. What is outside of the framebuffer is left out.
    pub fn read_pixels(&mut self, framebuffer: &Framebuffer, rect: Rect) -> Vec<u8> {
        framebuffer.read(self.binding(), rect)
    }

    /// Reads a rectangle into a picture as large as the framebuffer: 4 bytes a pixel, blue, green, red, alpha, the bottom row
    /// first. Only the rectangle's pixels are written. False: `picture` is too short, and nothing was read.
    pub fn read_into(&mut self, framebuffer: &Framebuffer, rect: Rect, picture: &mut [u8]) -> bool {
        framebuffer.read_into(self.binding(), rect, picture)
    }

    /// Fills rectangles with a color, inside `clip`.
    pub fn fill(&mut self, framebuffer: &Framebuffer, rects: &[Rect], clip: Rect, color: [f32; 4]) {
        for rect in rects {
            let part = rect.intersection(&clip).intersection(&framebuffer.area());
            if !part.is_empty() {
                framebuffer.fill(self.trusted(), &part, color);
            }
        }
    }

    /// Makes everything inside `clip` far, and its stencil 0.
    pub fn clear_depth(&mut self, framebuffer: &Framebuffer, clip: Rect) {
        framebuffer.clear_depth(self.trusted(), clip);
    }

    /// A frame is drawn. One call a frame: it ages the vertex cache.
    pub fn finish(&mut self) {
        self.frame += 1;
        self.meshes.age(&self.driver, self.frame);
        self.driver.finish();
        self.pace.finished();
    }

    // ---- Whose time it is ------------------------------------------------------------------

    /// The time by which slices are measured, in nanoseconds.
    #[must_use]
    pub fn clock(&self) -> &Clock {
        self.pace.clock()
    }

    /// A run's slice begins.
    pub fn begin_slice(&mut self, slice: Slice) {
        self.pace.begin(slice);
    }

    /// A client is gone.
    pub fn forget_client(&mut self, client: u32) {
        self.allowances.forget(client);
    }

    /// So many pixels were made or cleared. Waits for them if they are many, so that it is in the time of whom they are for.
    pub fn wait_for_pixels(&mut self, pixels: u64) {
        if self.pace.must_wait(pixels) {
            self.driver.finish();
            self.pace.finished();
        }
    }

    /// What follows is drawn for this client, or for nobody. Finishes what others left to be done, if that is much, and gives
    /// whose time that was: nanoseconds of each.
    pub fn serve(&mut self, client: Option<u32>) -> Vec<(u32, u64)> {
        if !self.pace.serve(client) {
            return Vec::new();
        }
        let begun = self.pace.clock().now();
        self.driver.finish();
        self.pace.settle(begun)
    }

    /// Is the slice over? Asked at a yield point.
    pub fn is_slice_over(&mut self) -> bool {
        self.pace.is_over_at_yield()
    }

    /// The slice ends, with the run or before.
    pub fn end_slice(&mut self) -> Taken {
        if self.pace.is_unsure() {
            self.look();
        }
        let taken = self.pace.taken();
        self.pace.begin(Slice::ENDLESS);
        taken
    }

    /// A program of this client's draws from now on.
    pub(super) fn draw_for(&mut self, client: u32) {
        self.client = client;
    }

    /// Is the slice over for the next batch?
    pub(super) fn is_over(&mut self) -> bool {
        self.pace.is_over()
    }

    /// Does a slow window draw?
    pub(super) fn is_slow(&self) -> bool {
        self.pace.is_slow()
    }

    /// Looks at the clock, once all that was drawn is done.
    fn look(&mut self) {
        self.driver.finish();
        self.pace.look();
    }

    /// May a step of this cost be drawn in this slice? Looks at the clock when too much was drawn since.
    fn admit(&mut self, cost: u64) -> bool {
        if self.pace.must_look(cost) {
            self.look();
        }
        self.pace.admit(cost)
    }

    // ---- Guests' drawing -------------------------------------------------------------------

    /// What a draw from arrays draws.
    pub(super) fn array_segment(&mut self, key: arrays::Key, make: impl FnOnce() -> Segment) -> Arc<Segment> {
        let start = self.pace.clock().now();
        let mut made = 0;
        let elements = u64::from(key.count);
        let make = || {
            made = elements;
            make()
        };
        let segment = self.meshes.segments().get(key, self.client, self.frame, make);
        self.pace.read(made, start);
        segment
    }

    /// Records that a batch can have.
    pub(super) fn max_records(&self) -> usize {
        self.driver.limits().records
    }

    /// Binds the framebuffer and confines all that follows: the scissor test is on, and its rectangle
    /// is the target's clip, or what the program's own scissor leaves of it.
    pub(super) fn confine(&mut self, target: &Target<'_>, hard: &Hard) {
        let framebuffer = target.framebuffer;
        let mut clip = target.clip.intersection(&target.window).intersection(&framebuffer.area());
        if hard.scissor_test {
            clip = clip.intersection(&placed(&target.window, &hard.scissor));
        }
        self.pace.confine(clip.width, clip.height);
        let window = framebuffer.flip(&target.window);
        let limit = self.driver.limits().viewport;
        let viewport = Area {
            x: window.x.saturating_add(hard.viewport.x).clamp(-limit, limit),
            y: window.y.saturating_add(hard.viewport.y).clamp(-limit, limit),
            width: hard.viewport.width.min(limit),
            height: hard.viewport.height.min(limit),
        };
        let scissor = framebuffer.flip(&clip);
        self.applied.confine(&self.driver, framebuffer.name(), self.confinement, scissor, viewport);
    }

    /// A program's clear, inside what [`Tracker::confine`] set: from a band on. Gives the band that it came to, if the
    /// slice is over.
    pub(super) fn clear(&mut self, framebuffer: &Framebuffer, clear: &Clear, from: Cursor) -> Option<Cursor> {
        self.pace.weigh(1, 0);
        let known = glow::COLOR_BUFFER_BIT | glow::DEPTH_BUFFER_BIT | glow::STENCIL_BUFFER_BIT;
        let (mask, to, bits) = framebuffer.widen_clear(clear.mask & known, clear.stencil, &clear.hard);
        self.applied.set_clear(&self.driver, clear, to, bits);
        let step = self.pace.plan(1, 1);
        let left = self.bands(&step, from.band, |tracker| tracker.driver.clear(mask));
        self.driver.count(|all| all.draws += 1);
        left.map(|band| Cursor { band, ..from })
    }

    /// Draws a batch, inside what [`Tracker::confine`] set: from a place on. Gives the place that it came to, if the
    /// slice is over.
    pub(super) fn draw_batch(
        &mut self,
        framebuffer: &Framebuffer,
        drawing: &Drawing<'_>,
        contents: &Contents,
        from: Cursor,
    ) -> Option<Cursor> {
        if drawing.hard.stencil.on {
            framebuffer.uses_stencil();
        }
        let passes = drawing.passes(self.driver.limits().outlines);
        let mut at = from;
        if self.pace.is_slow() {
            while let Some(pass) = passes.get(at.pass) {
                let count = self.meshes.take_chunk(&self.driver, contents, at.chunk)?;
                if count == 0 {
                    at = Cursor { pass: at.pass + 1, ..Cursor::default() };
                    continue;
                }
                if let Some(left) = self.draw_pass(drawing, pass, count, at) {
                    return Some(left);
                }
                let drawn = usize::try_from(count).unwrap_or(0);
                at = Cursor { pass: at.pass, chunk: at.chunk.saturating_add(drawn), first: 0, band: 0 };
            }
            return None;
        }
        let count = self.meshes.take(&self.driver, contents, self.frame)?;
        while let Some(pass) = passes.get(at.pass).filter(|_| count > 0) {
            if let Some(left) = self.draw_pass(drawing, pass, count, at) {
                return Some(left);
            }
            at = Cursor { pass: at.pass + 1, ..Cursor::default() };
        }
        None
    }

    /// Sets a pass up and draws it: so many corners.
    fn draw_pass(&mut self, drawing: &Drawing<'_>, pass: &Pass, count: i32, at: Cursor) -> Option<Cursor> {
        let driver = &self.driver;
        self.uniforms.set_records(driver, drawing.records, drawing.lights);
        let compiling = (!self.programs.has(&pass.variant)).then(|| {
            // What was drawn before is not excused.
            driver.finish();
            Instant::now()
        });
        if !self.programs.select(driver, pass.variant, self.frame) {
            return None;
        }
        self.applied.set_draw(driver, drawing, pass);
        let block = Block::new(drawing.hard, drawing.textures, pass.outline, DEPTH_UNIT);
        self.uniforms.set_block(driver, &block);
        self.samplers.bind(driver, drawing);
        self.pace.weigh(pass.variant.weight(), pass.variant.vertex_weight());
        if let Some(started) = compiling {
            self.compiled(drawing.assembly, count, started);
        }
        self.draw_steps(drawing.assembly, count, at)
    }

    /// Compiling takes long, some of it not before the first draw: so there is one now, of nothing. A few shaders are
    /// what every program needs; what is drawn with them is its own.
    fn compiled(&mut self, assembly: Assembly, count: i32, started: Instant) {
        let driver = &self.driver;
        driver.scissor(0, 0, 0, 0);
        self.meshes.draw(driver, assembly, 0, count.min(3));
        if let Some(area) = self.applied.scissor() {
            driver.scissor(area.x, area.y, area.width, area.height);
        }
        driver.finish();
        let now = Instant::now();
        let is_free = self.allowances.take(self.client, now);
        self.pace.compiled(now.saturating_duration_since(started), is_free);
    }

    /// Draws so many corners of what was taken, step by step.
    fn draw_steps(&mut self, assembly: Assembly, all: i32, from: Cursor) -> Option<Cursor> {
        let corners = assembly.corners() as u64;
        let mut at = from;
        while at.first < all {
            let wanted = all.saturating_sub(at.first);
            let step = self.pace.plan(corners, u64::from(wanted.unsigned_abs()));
            let (first, count) = (at.first, i32::try_from(step.vertices).unwrap_or(wanted).min(wanted));
            let left = self.bands(&step, at.band, |tracker| {
                tracker.meshes.draw(&tracker.driver, assembly, first, count);
            });
            if let Some(band) = left {
                return Some(Cursor { band, ..at });
            }
            self.driver.count(|all| {
                all.draws += 1;
                all.vertices += u64::from(count.unsigned_abs());
            });
            at = Cursor { first: first.saturating_add(count), band: 0, ..at };
        }
        None
    }

    /// Does a step, band by band: one covers all that [`Tracker::confine`] left, several each a part. Gives the band
    /// that it came to, if the slice is over.
    fn bands(&mut self, step: &Step, from: u32, draw: impl Fn(&Tracker)) -> Option<u32> {
        let all = self.applied.scissor().filter(|_| self.confinement && step.bands > 1);
        let count = if all.is_some() { step.bands } else { 1 };
        let mut left = None;
        for band in from.min(count)..count {
            if !self.admit(step.cost) {
                left = Some(band);
                break;
            }
            if let Some(Area { x, y, width, height }) = all {
                let edge = |band: u32| {
                    let edge = i64::from(height) * i64::from(band) / i64::from(count);
                    y.saturating_add(i32::try_from(edge).unwrap_or(height))
                };
                let (bottom, top) = (edge(band), edge(band.saturating_add(1)));
                self.driver.scissor(x, bottom, width, top.saturating_sub(bottom));
            }
            draw(self);
        }
        if let Some(Area { x, y, width, height }) = all {
            self.driver.scissor(x, y, width, height);
        }
        left
    }
}

impl Drop for Tracker {
    fn drop(&mut self) {
        self.meshes.delete(&self.driver);
        self.programs.delete(&self.driver);
        self.uniforms.delete(&self.driver);
        self.samplers.delete(&self.driver);
    }
}

/// A rectangle of a window's coordinates as one of the output's.
fn placed(window: &Rect, area: &Area) -> Rect {
    let left = window.x.saturating_add(area.x);
    let bottom = window.bottom().saturating_sub(area.y);
    Rect::between(left, bottom.saturating_sub(area.height), left.saturating_add(area.width), bottom)
}
