//! The OpenGL objects, and the drawing that the server does for itself.
//!
//! Guest drawing and the server's share one OpenGL context. Each sets all the state that it depends on:
//! [`Tracker::draw_batch`] and [`Tracker::clear`] for guests, always inside the scissor that
//! [`Tracker::confine`] set, and the public functions below for the server.

use super::arrays;
use super::batch::{Buffer, Cache, Contents, Key, Mesh, Spare, primitive, room_for};
use super::block::{BLOCK_VECTORS, Block, Outline};
use super::context::{Functions, LogicOp};
use super::pace::{Allowances, Clock, Pace, Slice, Step, Taken};
use super::painter::{Painter, Paused, Target};
use super::record::{LIGHTS_VECTORS, RECORD_BYTES, Record, pack_lights};
use super::resource::ResourceScope;
use super::shader::{self, Polygons, Sources, Variant};
use super::stage::Stage;
use super::state::{Area, CLAMP, FILL, Hard, LINE, Lights, Sampling, Stencil, WindowState};
use super::texture::{Texture, Transfer};
use blinkgl::layout::texture::{Levels, Rows, TextureDesc};
use blinkgl::limits::{MAX_SHADERS, MAX_SPARE_VERTEX_BYTES, MAX_TEXTURE_UNITS, MAX_VERTEX_CACHE_BYTES};
use glow::HasContext;
use ipc::geometry::Rect;
use jit::{Assembly, Segment, Vertex};
use std::cell::Cell;
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Instant;

/// Why OpenGL did not do something.
#[derive(Debug, thiserror::Error)]
pub enum GlError {
    /// It gives no object of this kind.
    #[error("OpenGL gives no {what}: {why}")]
    Object {
        /// The kind.
        what: &'static str,
        /// What it says.
        why: String,
    },
    /// One of our shaders does not compile: an error of ours or the driver's.
    #[error("a shader of the server does not compile: {0}")]
    Shader(String),
    /// A framebuffer of this size is not complete.
    #[error("no framebuffer of {width}x{height} pixels")]
    Framebuffer {
        /// Pixels.
        width: u32,
        /// Pixels.
        height: u32,
    },
    /// Fewer bytes than the image has.
    #[error("the image has {found} bytes, its shape needs {wanted}")]
    ShortImage {
        /// Given.
        found: usize,
        /// Needed.
        wanted: usize,
    },
}

/// What OpenGL was asked to do since the last look.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    /// Draw calls and clears for guests.
    pub draws: u64,
    /// State calls for guests.
    pub state_calls: u64,
    /// Bytes of vertices, records and pixels uploaded.
    pub uploaded_bytes: u64,
    /// Vertices drawn.
    pub vertices: u64,
    /// Batches whose vertices were on the GPU already.
    pub reused: u64,
}

/// A color texture with a depth and stencil buffer, to be drawn into.
#[derive(Debug)]
pub struct Framebuffer {
    framebuffer: glow::Framebuffer,
    color: glow::Texture,
    depth: glow::Renderbuffer,
    width: u32,
    height: u32,
    /// No program has written anything but 0 into its stencil buffer.
    blank_stencil: Cell<bool>,
}

impl Framebuffer {
    /// Width and height in pixels.
    #[must_use]
    pub fn size(&self) -> (u32, u32) {
        (self.width, self.height)
    }

    fn area(&self) -> Rect {
        Rect::new(0, 0, self.width, self.height)
    }

    /// A rectangle from the upper left corner as OpenGL counts it, from the lower left.
    #[must_use]
    pub fn flip(&self, rect: &Rect) -> Area {
        let height = signed(self.height);
        Area {
            x: rect.x,
            y: height.saturating_sub(rect.bottom()),
            width: signed(rect.width),
            height: signed(rect.height),
        }
    }
}

/// What OpenGL's state was set to for guests, so that it is not set again; `None`: it may be anything.
#[derive(Debug, Default)]
struct Applied {
    framebuffer: Option<glow::Framebuffer>,
    scissor_test: Option<bool>,
    scissor: Option<Area>,
    viewport: Option<Area>,
    program: Option<Variant>,
    depth_test: Option<bool>,
    depth_func: Option<u32>,
    depth_mask: Option<bool>,
    depth_range: Option<[f32; 2]>,
    stencil_test: Option<bool>,
    stencil_func: Option<(u32, i32, u32)>,
    stencil_op: Option<[u32; 3]>,
    stencil_mask: Option<u32>,
    cull: Option<bool>,
    cull_face: Option<u32>,
    front_face: Option<u32>,
    blend: Option<bool>,
    blend_func: Option<[u32; 4]>,
    blend_equation: Option<[u32; 2]>,
    blend_color: Option<[f32; 4]>,
    logic: Option<bool>,
    logic_op: Option<u32>,
    offset_fill: Option<bool>,
    polygon_offset: Option<[f32; 2]>,
    line_width: Option<f32>,
    color_mask: Option<[bool; 4]>,
    clear_color: Option<[f32; 4]>,
    clear_depth: Option<f32>,
    clear_stencil: Option<i32>,
}

/// Sets a piece of state unless it is so already.
fn set<T: PartialEq>(is: &mut Option<T>, wanted: T, calls: &mut u64, call: impl FnOnce(&T)) {
    if is.as_ref() != Some(&wanted) {
        call(&wanted);
        *calls += 1;
        *is = Some(wanted);
    }
}

/// What a batch is drawn with.
#[derive(Debug)]
pub(super) struct Drawing<'a> {
    pub assembly: Assembly,
    pub hard: &'a Hard,
    /// Of each unit, if it is on.
    pub textures: [Option<&'a Texture>; MAX_TEXTURE_UNITS],
    pub records: &'a [Record],
    pub lights: &'a Lights,
}

/// A clear, with all that it depends on.
#[derive(Debug)]
pub(super) struct Clear {
    pub mask: u32,
    pub hard: Hard,
    pub color: [f32; 4],
    pub depth: f32,
    pub stencil: i32,
}

/// How far a batch or a clear is drawn.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Cursor {
    /// The pass.
    pass: usize,
    /// The vertex that the chunk begins with, where batches are drawn in chunks.
    chunk: usize,
    /// The vertex that the step begins with, in the chunk.
    first: i32,
    /// The band of the step.
    band: u32,
}

/// One of the ways to go through a batch: polygons whose faces have different modes need two.
#[derive(Clone, Copy, Debug)]
struct Pass {
    variant: Variant,
    outline: Outline,
    /// Faces that are not drawn, as OpenGL names them.
    cull: Option<u32>,
}

impl Drawing<'_> {
    fn passes(&self, outlines: bool) -> Vec<Pass> {
        let hard = self.hard;
        let points = self.assembly == Assembly::Points;
        let variant = Variant::new(hard, self.textures, Stage::new(self.records, self.lights), points);
        let filled = |cull| Pass { variant, outline: Outline::default(), cull };
        if !hard.is_outlined(self.assembly) || !outlines {
            return vec![filled(hard.cull.then_some(hard.cull_face))];
        }
        let culled = match (hard.cull, hard.cull_face) {
            (false, _) => 0,
            (true, FRONT) => 1,
            (true, BACK) => 2,
            (true, _) => 3,
        };
        let [front, back] = hard.polygon_mode;
        let mut modes = vec![front];
        if back != front {
            modes.push(back);
        }
        let mut passes = Vec::new();
        for mode in modes {
            let faces = (u32::from(front == mode) | u32::from(back == mode) << 1) & !culled;
            if faces == 0 {
                continue;
            }
            if mode == FILL {
                passes.push(filled([None, Some(BACK), Some(FRONT), None][faces as usize % 4]));
                continue;
            }
            let (polygons, offset) = if mode == LINE {
                (Polygons::Lines, hard.polygon_offset_on[1])
            } else {
                (Polygons::Points, hard.polygon_offset_on[0])
            };
            let variant = Variant { polygons, ..variant };
            passes.push(Pass { variant, outline: Outline { faces, offset }, cull: None });
        }
        passes
    }
}

const FRONT: u32 = 0x404;
const BACK: u32 = 0x405;

/// The state tracker's OpenGL side.
pub struct Tracker {
    gl: glow::Context,
    embedded: bool,
    /// With the frame that used each last; `None`: does not compile.
    programs: HashMap<Variant, (Option<glow::Program>, u64)>,
    /// Geometry shaders are there.
    outlines: bool,
    logic_op: Option<LogicOp>,
    line_widths: [f32; 2],
    samplers: HashMap<Sampling, glow::Sampler>,
    record_buffer: glow::Buffer,
    lights_buffer: glow::Buffer,
    /// What is in `lights_buffer`.
    lights: Option<Lights>,
    block_buffer: glow::Buffer,
    /// What is in `block_buffer`.
    block: Option<Block>,
    max_records: usize,
    max_viewport: i32,
    applied: Applied,
    cache: Cache,
    spare: Spare,
    array_segments: arrays::Segments,
    stream: Buffer,
    /// For assembling vertices, kept for its memory.
    scratch: Mesh,
    frame: u64,
    counters: Counters,
    pace: Pace,
    /// Whose program draws.
    client: u32,
    allowances: Allowances,
    /// Off only in the test that proves that the scissor is what confines.
    confinement: bool,
}

impl std::fmt::Debug for Tracker {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Tracker").field("frame", &self.frame).field("counters", &self.counters).finish()
    }
}

/// Frames after which vertices that nobody drew are given up.
const EXPIRE_FRAMES: u64 = 600;

/// Vertices that memory is kept for between frames: 4 MiB.
const SCRATCH_VERTICES: usize = 1 << 16;

/// Bytes of vertices that OpenGL is trusted to have memory for.
const SMALL_BYTES: usize = 1 << 20;

const UNIFORM_RECORDS: u32 = 0;
const UNIFORM_LIGHTS: u32 = 1;
const UNIFORM_DRAW: u32 = 2;

/// Planes of a texture: the units of OpenGL that one of ours takes.
const PLANES: u32 = 3;

/// What one unit of glPolygonOffset is in a depth buffer of 24 bits.
const DEPTH_UNIT: f32 = 1.0 / (1 << 24) as f32;

fn signed(value: u32) -> i32 {
    i32::try_from(value).unwrap_or(i32::MAX)
}

fn signed_bytes(bytes: usize) -> i32 {
    i32::try_from(bytes).unwrap_or(i32::MAX)
}

fn object<T>(what: &'static str) -> impl FnOnce(String) -> GlError {
    let _: Option<T> = None;
    move |why| GlError::Object { what, why }
}

impl Tracker {
    /// Takes a context that is current on this thread, and stays so for the tracker's life.
    ///
    /// # Errors
    /// OpenGL is too old for our shaders, or out of memory.
    pub fn new(functions: Functions) -> Result<Tracker, GlError> {
        let Functions { gl, logic_op } = functions;
        let embedded = gl.version().is_embedded;
        // SAFETY: see the module `gl`.
        unsafe {
            let block = gl.get_parameter_i32(glow::MAX_UNIFORM_BLOCK_SIZE);
            let max_records = usize::try_from(block).unwrap_or(0).max(16 * 1024) / RECORD_BYTES;
            let mut viewport = [0; 2];
            gl.get_parameter_i32_slice(glow::MAX_VIEWPORT_DIMS, &mut viewport);
            let max_viewport = viewport[0].min(viewport[1]).clamp(1024, 32_767);
            let record_buffer = gl.create_buffer().map_err(object::<glow::Buffer>("buffer"))?;
            let lights_buffer = gl.create_buffer().map_err(object::<glow::Buffer>("buffer"))?;
            let block_buffer = gl.create_buffer().map_err(object::<glow::Buffer>("buffer"))?;
            let version = gl.version();
            let outlines = !embedded || (version.major, version.minor) >= (3, 2);
            let mut line_widths = [1.0; 2];
            gl.get_parameter_f32_slice(glow::ALIASED_LINE_WIDTH_RANGE, &mut line_widths);
            let stream = make_buffer(&gl)?;
            if !embedded {
                gl.enable(glow::PROGRAM_POINT_SIZE);
            }
            gl.pixel_store_i32(glow::UNPACK_ALIGNMENT, 1);
            gl.pixel_store_i32(glow::PACK_ALIGNMENT, 1);
            Ok(Tracker {
                embedded,
                programs: HashMap::new(),
                samplers: HashMap::new(),
                record_buffer,
                lights_buffer,
                lights: None,
                block_buffer,
                block: None,
                outlines,
                logic_op,
                line_widths,
                // More would only make the block's upload longer.
                max_records: max_records.min(128),
                max_viewport,
                applied: Applied::default(),
                cache: Cache::default(),
                spare: Spare::default(),
                array_segments: arrays::Segments::default(),
                stream,
                scratch: Mesh::default(),
                frame: 0,
                counters: Counters::default(),
                pace: Pace::new(Clock::machine()),
                client: 0,
                allowances: Allowances::default(),
                confinement: true,
                gl,
            })
        }
    }

    /// OpenGL's version and renderer, for people.
    #[must_use]
    pub fn describe(&self) -> String {
        // SAFETY: see the module `gl`.
        unsafe {
            let version = self.gl.get_parameter_string(glow::VERSION);
            let renderer = self.gl.get_parameter_string(glow::RENDERER);
            format!("{version}, {renderer}")
        }
    }

    /// Was the context lost (the GPU was reset)? A robust context says so as an error of its own
    /// (GL_KHR_robustness).
    #[must_use]
    pub fn context_lost(&self) -> bool {
        const CONTEXT_LOST: u32 = 0x0507;
        // SAFETY: see the module `gl`.
        unsafe { self.gl.get_error() == CONTEXT_LOST }
    }

    /// The counters since the last call.
    pub fn take_counters(&mut self) -> Counters {
        std::mem::take(&mut self.counters)
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

    // ---- Framebuffers ----------------------------------------------------------------------

    /// Makes a framebuffer: black and far.
    ///
    /// # Errors
    /// OpenGL has no memory for it, or does not make any of this size.
    pub fn create_framebuffer(&mut self, width: u32, height: u32) -> Result<Framebuffer, GlError> {
        self.applied.framebuffer = None;
        // Of the formats without a size drivers take the one that `format` and `kind` describe, of those with one their own.
        let internal = if self.embedded { glow::RGBA8 } else { glow::RGBA };
        let (format, kind) = self.read_format();
        let gl = &self.gl;
        // SAFETY: see the module `gl`.
        let framebuffer = unsafe {
            let color = gl.create_texture().map_err(object::<glow::Texture>("texture"))?;
            gl.bind_texture(glow::TEXTURE_2D, Some(color));
            gl.tex_image_2d(
                glow::TEXTURE_2D,
                0,
                internal.cast_signed(),
                signed(width),
                signed(height),
                0,
                format,
                kind,
                glow::PixelUnpackData::Slice(None),
            );
            for (name, value) in
                [(glow::TEXTURE_MIN_FILTER, glow::NEAREST), (glow::TEXTURE_MAG_FILTER, glow::NEAREST)]
            {
                gl.tex_parameter_i32(glow::TEXTURE_2D, name, value.cast_signed());
            }
            let depth = match gl.create_renderbuffer() {
                Ok(depth) => depth,
                Err(why) => {
                    gl.delete_texture(color);
                    return Err(GlError::Object { what: "renderbuffer", why });
                }
            };
            gl.bind_renderbuffer(glow::RENDERBUFFER, Some(depth));
            gl.renderbuffer_storage(
                glow::RENDERBUFFER,
                glow::DEPTH24_STENCIL8,
                signed(width),
                signed(height),
            );
            let framebuffer = match gl.create_framebuffer() {
                Ok(framebuffer) => framebuffer,
                Err(why) => {
                    gl.delete_texture(color);
                    gl.delete_renderbuffer(depth);
                    return Err(GlError::Object { what: "framebuffer", why });
                }
            };
            gl.bind_framebuffer(glow::FRAMEBUFFER, Some(framebuffer));
            gl.framebuffer_texture_2d(
                glow::FRAMEBUFFER,
                glow::COLOR_ATTACHMENT0,
                glow::TEXTURE_2D,
                Some(color),
                0,
            );
            gl.framebuffer_renderbuffer(
                glow::FRAMEBUFFER,
                glow::DEPTH_STENCIL_ATTACHMENT,
                glow::RENDERBUFFER,
                Some(depth),
            );
            Framebuffer { framebuffer, color, depth, width, height, blank_stencil: Cell::new(false) }
        };
        // SAFETY: see the module `gl`.
        let status = unsafe { gl.check_framebuffer_status(glow::FRAMEBUFFER) };
        if status != glow::FRAMEBUFFER_COMPLETE {
            self.delete_framebuffer(framebuffer);
            return Err(GlError::Framebuffer { width, height });
        }
        let all = framebuffer.area();
        self.fill(&framebuffer, &[all], all, [0.0, 0.0, 0.0, 1.0]);
        self.clear_depth(&framebuffer, all);
        Ok(framebuffer)
    }

    /// Deletes a framebuffer.
    pub fn delete_framebuffer(&mut self, framebuffer: Framebuffer) {
        // Its name may be given to the next one.
        self.applied.framebuffer = None;
        // SAFETY: see the module `gl`.
        unsafe {
            self.gl.delete_framebuffer(framebuffer.framebuffer);
            self.gl.delete_renderbuffer(framebuffer.depth);
            self.gl.delete_texture(framebuffer.color);
        }
    }

    /// Reads pixels: RGBA, top row first. What is outside of the framebuffer is left out.
    pub fn read_pixels(&mut self, framebuffer: &Framebuffer, rect: Rect) -> Vec<u8> {
        let rect = rect.intersection(&framebuffer.area());
        let area = framebuffer.flip(&rect);
        let row = rect.width as usize * 4;
        let mut upside_down = vec![0; row * rect.height as usize];
        if upside_down.is_empty() {
            return upside_down;
        }
        self.applied.framebuffer = None;
        // SAFETY: see the module `gl`; the slice has room for the rectangle with packed rows.
        unsafe {
            self.gl.bind_framebuffer(glow::FRAMEBUFFER, Some(framebuffer.framebuffer));
            self.gl.read_pixels(
                area.x,
                area.y,
                area.width,
                area.height,
                glow::RGBA,
                glow::UNSIGNED_BYTE,
                glow::PixelPackData::Slice(Some(&mut upside_down)),
            );
        }
        upside_down.chunks_exact(row).rev().flatten().copied().collect()
    }

    /// Reads a rectangle into a picture as large as the framebuffer: 4 bytes a pixel, blue, green, red, alpha, the bottom row
    /// first. Only the rectangle's pixels are written. False: `picture` is too short, and nothing was read.
    pub fn read_into(&mut self, framebuffer: &Framebuffer, rect: Rect, picture: &mut [u8]) -> bool {
        let rect = rect.intersection(&framebuffer.area());
        if rect.is_empty() {
            return true;
        }
        let area = framebuffer.flip(&rect);
        let row = framebuffer.width as usize * 4;
        let bottom = usize::try_from(area.y).unwrap_or(usize::MAX);
        let left = usize::try_from(area.x).unwrap_or(usize::MAX).saturating_mul(4);
        let first = row.saturating_mul(bottom).saturating_add(left);
        let length = row * (rect.height as usize - 1) + rect.width as usize * 4;
        let Some(pixels) = picture.get_mut(first..).and_then(|rest| rest.get_mut(..length)) else {
            return false;
        };
        self.applied.framebuffer = None;
        let (format, kind) = self.read_format();
        // SAFETY: see the module `gl`. OpenGL writes `height` rows, `row` bytes apart, of `width` pixels: from the start of
        // `pixels` to its end, whose length is made of just that.
        unsafe {
            self.gl.bind_framebuffer(glow::FRAMEBUFFER, Some(framebuffer.framebuffer));
            self.gl.pixel_store_i32(glow::PACK_ROW_LENGTH, signed(framebuffer.width));
            self.gl.read_pixels(
                area.x,
                area.y,
                area.width,
                area.height,
                format,
                kind,
                glow::PixelPackData::Slice(Some(&mut *pixels)),
            );
            self.gl.pixel_store_i32(glow::PACK_ROW_LENGTH, 0);
        }
        if self.embedded {
            for row in pixels.chunks_mut(row) {
                let width = row.len().min(rect.width as usize * 4);
                row[..width].chunks_exact_mut(4).for_each(|pixel| pixel.swap(0, 2));
            }
        }
        true
    }

    /// How pixels are read. Framebuffers are made with the same, so that drivers keep them in that order and reading is
    /// a copy: 300x300 pixels take 5 us then on llvmpipe, and 27 where they must be reordered.
    fn read_format(&self) -> (u32, u32) {
        // OpenGL ES reads no other order of bytes for sure.
        if self.embedded {
            (glow::RGBA, glow::UNSIGNED_BYTE)
        } else {
            (glow::BGRA, glow::UNSIGNED_INT_8_8_8_8_REV)
        }
    }

    // ---- The server's drawing --------------------------------------------------------------

    /// Binds a framebuffer for the server's drawing, which no guest state may disturb.
    fn trusted(&mut self, framebuffer: &Framebuffer, clip: &Rect) {
        self.applied = Applied::default();
        let gl = &self.gl;
        let area = framebuffer.flip(&clip.intersection(&framebuffer.area()));
        // SAFETY: see the module `gl`.
        unsafe {
            gl.bind_framebuffer(glow::FRAMEBUFFER, Some(framebuffer.framebuffer));
            gl.enable(glow::SCISSOR_TEST);
            gl.scissor(area.x, area.y, area.width, area.height);
            gl.viewport(0, 0, signed(framebuffer.width), signed(framebuffer.height));
            gl.color_mask(true, true, true, true);
            gl.depth_mask(true);
            gl.stencil_mask(u32::MAX);
            for capability in [glow::DEPTH_TEST, glow::STENCIL_TEST, glow::CULL_FACE, glow::BLEND] {
                gl.disable(capability);
            }
            if self.logic_op.is_some() {
                gl.disable(glow::COLOR_LOGIC_OP);
            }
        }
    }

    /// Fills rectangles with a color, inside `clip`.
    pub fn fill(&mut self, framebuffer: &Framebuffer, rects: &[Rect], clip: Rect, [r, g, b, a]: [f32; 4]) {
        for rect in rects {
            let part = rect.intersection(&clip).intersection(&framebuffer.area());
            if part.is_empty() {
                continue;
            }
            self.trusted(framebuffer, &part);
            // SAFETY: see the module `gl`.
            unsafe {
                self.gl.clear_color(r, g, b, a);
                self.gl.clear(glow::COLOR_BUFFER_BIT);
            }
        }
    }

    /// Makes everything inside `clip` far, and its stencil 0.
    pub fn clear_depth(&mut self, framebuffer: &Framebuffer, clip: Rect) {
        self.trusted(framebuffer, &clip);
        // SAFETY: see the module `gl`.
        unsafe {
            self.gl.clear_depth_f32(1.0);
            self.gl.clear_stencil(0);
            self.gl.clear(glow::DEPTH_BUFFER_BIT | glow::STENCIL_BUFFER_BIT);
        }
        if clip.intersection(&framebuffer.area()) == framebuffer.area() {
            framebuffer.blank_stencil.set(true);
        }
    }

    /// A frame is drawn. One call a frame: it ages the vertex cache.
    pub fn finish(&mut self) {
        self.frame += 1;
        let old = self.cache.expire(self.frame.saturating_sub(EXPIRE_FRAMES));
        self.give_up(old);
        self.array_segments.expire(self.frame.saturating_sub(EXPIRE_FRAMES));
        // One large batch must not keep its memory for ever.
        self.scratch.clear();
        self.scratch.shrink_to(SCRATCH_VERTICES);
        // SAFETY: see the module `gl`.
        unsafe { self.gl.finish() }
        self.pace.finished();
    }

    // ---- Guests' textures ------------------------------------------------------------------

    pub(super) fn make_planes(&mut self, desc: &TextureDesc) -> Result<Vec<glow::Texture>, GlError> {
        let mut planes = Vec::with_capacity(3);
        for _ in 0..desc.format.planes() {
            // SAFETY: see the module `gl`.
            match unsafe { self.gl.create_texture() } {
                Ok(texture) => planes.push(texture),
                Err(why) => {
                    self.delete_planes(planes);
                    return Err(GlError::Object { what: "texture", why });
                }
            }
        }
        Ok(planes)
    }

    pub(super) fn delete_planes(&mut self, planes: Vec<glow::Texture>) {
        for plane in planes {
            // SAFETY: see the module `gl`.
            unsafe { self.gl.delete_texture(plane) }
        }
    }

    /// Uploads an image; the caller checked that `bytes` holds it.
    pub(super) fn fill_planes(&mut self, texture: &Texture, bytes: &[u8]) {
        let desc = &texture.desc;
        let Transfer { internal, format, kind, swizzle } = Transfer::new(desc.format, self.embedded);
        let last = match desc.levels {
            Levels::Given(levels) => levels.saturating_sub(1),
            Levels::Generated => Levels::most(desc.width, desc.height).saturating_sub(1),
        };
        let gl = &self.gl;
        for (i, &plane) in texture.planes.iter().enumerate() {
            // SAFETY: see the module `gl`.
            unsafe {
                gl.active_texture(glow::TEXTURE0);
                gl.bind_texture(glow::TEXTURE_2D, Some(plane));
            }
            for level in 0..desc.levels.given() {
                let Some(shape) = desc.plane(level, i) else { continue };
                let Some(pixels) = bytes.get(shape.offset..) else { continue };
                // SAFETY: see the module `gl`. OpenGL reads `height` rows, `stride` bytes apart, of `width`
                // texels: inside the image, which `bytes` holds whole.
                unsafe {
                    let row = shape.stride / desc.format.texel_bytes();
                    gl.pixel_store_i32(glow::UNPACK_ROW_LENGTH, signed(row));
                    gl.tex_image_2d(
                        glow::TEXTURE_2D,
                        signed(level),
                        internal.cast_signed(),
                        signed(shape.width),
                        signed(shape.height),
                        0,
                        format,
                        kind,
                        glow::PixelUnpackData::Slice(Some(pixels)),
                    );
                }
            }
            // SAFETY: see the module `gl`.
            unsafe {
                gl.pixel_store_i32(glow::UNPACK_ROW_LENGTH, 0);
                gl.tex_parameter_i32(glow::TEXTURE_2D, glow::TEXTURE_MAX_LEVEL, signed(last));
                for (name, from) in [
                    (glow::TEXTURE_SWIZZLE_R, swizzle[0]),
                    (glow::TEXTURE_SWIZZLE_G, swizzle[1]),
                    (glow::TEXTURE_SWIZZLE_B, swizzle[2]),
                    (glow::TEXTURE_SWIZZLE_A, swizzle[3]),
                ] {
                    gl.tex_parameter_i32(glow::TEXTURE_2D, name, from.cast_signed());
                }
                if desc.levels == Levels::Generated {
                    gl.generate_mipmap(glow::TEXTURE_2D);
                }
            }
        }
        self.counters.uploaded_bytes += bytes.len() as u64;
    }

    /// Uploads rows of level 0 of a texture of one plane; the caller checked that the image has them and that
    /// `bytes` holds them.
    pub(super) fn fill_rows(&mut self, texture: &Texture, rows: Rows, bytes: &[u8]) {
        let desc = &texture.desc;
        let Transfer { format, kind, .. } = Transfer::new(desc.format, self.embedded);
        let [plane] = texture.planes[..] else { return };
        let gl = &self.gl;
        // SAFETY: see the module `gl`. OpenGL reads `count` rows, `stride` bytes apart, of `width` texels: the
        // caller's, all of them in `bytes`.
        unsafe {
            gl.active_texture(glow::TEXTURE0);
            gl.bind_texture(glow::TEXTURE_2D, Some(plane));
            gl.pixel_store_i32(glow::UNPACK_ROW_LENGTH, signed(desc.stride / desc.format.texel_bytes()));
            gl.tex_sub_image_2d(
                glow::TEXTURE_2D,
                0,
                0,
                signed(rows.first),
                signed(desc.width),
                signed(rows.count),
                format,
                kind,
                glow::PixelUnpackData::Slice(Some(bytes)),
            );
            gl.pixel_store_i32(glow::UNPACK_ROW_LENGTH, 0);
            if desc.levels == Levels::Generated {
                gl.generate_mipmap(glow::TEXTURE_2D);
            }
        }
        self.counters.uploaded_bytes += bytes.len() as u64;
    }

    fn sampler(&mut self, sampling: Sampling) -> Option<glow::Sampler> {
        if let Some(&sampler) = self.samplers.get(&sampling) {
            return Some(sampler);
        }
        // GL_CLAMP mixes in the border, which is black and transparent, where it mixes at all: the shader limits the
        // coordinates. OpenGL ES has no border before 3.2.
        let border = sampling.is_smooth() && self.outlines;
        let wrap = |wrap: u32| match wrap {
            CLAMP if border => glow::CLAMP_TO_BORDER,
            CLAMP => glow::CLAMP_TO_EDGE,
            other => other,
        };
        // SAFETY: see the module `gl`.
        let sampler = unsafe {
            let sampler = self.gl.create_sampler().ok()?;
            for (name, value) in [
                (glow::TEXTURE_MAG_FILTER, sampling.mag),
                (glow::TEXTURE_MIN_FILTER, sampling.min),
                (glow::TEXTURE_WRAP_S, wrap(sampling.wrap_s)),
                (glow::TEXTURE_WRAP_T, wrap(sampling.wrap_t)),
            ] {
                self.gl.sampler_parameter_i32(sampler, name, value.cast_signed());
            }
            sampler
        };
        self.samplers.insert(sampling, sampler);
        Some(sampler)
    }

    // ---- Guests' drawing -------------------------------------------------------------------

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
            // SAFETY: see the module `gl`.
            unsafe { self.gl.finish() }
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
        // SAFETY: see the module `gl`.
        unsafe { self.gl.finish() }
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

    /// Starts a program's drawing, in the slice that has begun, or with all the time that it takes.
    pub fn begin<'a>(
        &'a mut self,
        target: Target<'a>,
        state: &'a mut WindowState,
        resources: ResourceScope<'a>,
    ) -> Painter<'a> {
        self.client = resources.client();
        Painter::new(self, target, state, resources)
    }

    /// Goes on with a program's drawing in another slice: draws what is left of it. The target and the state are those of
    /// before.
    pub fn resume<'a>(
        &'a mut self,
        target: Target<'a>,
        state: &'a mut WindowState,
        resources: ResourceScope<'a>,
        paused: Paused,
    ) -> Painter<'a> {
        self.client = resources.client();
        Painter::resume(self, target, state, resources, paused)
    }

    /// Is the slice over for the next batch?
    pub(super) fn is_over(&mut self) -> bool {
        self.pace.is_over()
    }

    /// Does a slow window draw?
    pub(super) fn is_slow(&self) -> bool {
        self.pace.is_slow()
    }

    /// What a draw from arrays draws.
    pub(super) fn array_segment(&mut self, key: arrays::Key, make: impl FnOnce() -> Segment) -> Arc<Segment> {
        let start = self.pace.clock().now();
        let mut made = 0;
        let elements = u64::from(key.count);
        let make = || {
            made = elements;
            make()
        };
        let segment = self.array_segments.get(key, self.client, self.frame, make);
        self.pace.read(made, start);
        segment
    }

    /// Records that a batch can have.
    pub(super) fn max_records(&self) -> usize {
        self.max_records
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
        let area = framebuffer.flip(&clip);
        let window = framebuffer.flip(&target.window);
        let limit = self.max_viewport;
        let viewport = Area {
            x: window.x.saturating_add(hard.viewport.x).clamp(-limit, limit),
            y: window.y.saturating_add(hard.viewport.y).clamp(-limit, limit),
            width: hard.viewport.width.min(limit),
            height: hard.viewport.height.min(limit),
        };
        let Tracker { gl, applied, counters, .. } = self;
        let calls = &mut counters.state_calls;
        set(&mut applied.framebuffer, framebuffer.framebuffer, calls, |&name| {
            // SAFETY: see the module `gl`.
            unsafe { gl.bind_framebuffer(glow::FRAMEBUFFER, Some(name)) }
        });
        switch(gl, &mut applied.scissor_test, glow::SCISSOR_TEST, self.confinement, calls);
        // SAFETY: as above.
        set(&mut applied.scissor, area, calls, |a| unsafe { gl.scissor(a.x, a.y, a.width, a.height) });
        // SAFETY: as above.
        set(&mut applied.viewport, viewport, calls, |v| unsafe { gl.viewport(v.x, v.y, v.width, v.height) });
    }

    /// A program's clear, inside what [`Tracker::confine`] set: from a band on. Gives the band that it came to, if the
    /// slice is over.
    pub(super) fn clear(&mut self, framebuffer: &Framebuffer, clear: &Clear, from: Cursor) -> Option<Cursor> {
        self.pace.weigh(1, 0);
        let known = glow::COLOR_BUFFER_BIT | glow::DEPTH_BUFFER_BIT | glow::STENCIL_BUFFER_BIT;
        let (mut mask, mut stencil, mut hard) = (clear.mask & known, clear.stencil, clear.hard);
        let clears = |bit| mask & bit != 0;
        if clears(glow::STENCIL_BUFFER_BIT) {
            if stencil != 0 {
                framebuffer.blank_stencil.set(false);
            }
        } else if clears(glow::DEPTH_BUFFER_BIT) && hard.depth_mask && framebuffer.blank_stencil.get() {
            // Both share their words: to clear these is much faster than to keep the stencil's bits, and where all of them
            // are 0 nobody sees it.
            mask |= glow::STENCIL_BUFFER_BIT;
            (stencil, hard.stencil.write_mask) = (0, u32::MAX);
        }
        self.write_masks(&hard);
        let Tracker { gl, applied, counters, .. } = self;
        let calls = &mut counters.state_calls;
        // SAFETY: see the module `gl`.
        set(&mut applied.clear_color, clear.color, calls, |&[r, g, b, a]| unsafe {
            gl.clear_color(r, g, b, a);
        });
        // SAFETY: as above.
        set(&mut applied.clear_depth, clear.depth, calls, |&far| unsafe { gl.clear_depth_f32(far) });
        // SAFETY: as above.
        set(&mut applied.clear_stencil, stencil, calls, |&to| unsafe { gl.clear_stencil(to) });
        let step = self.pace.plan(1, 1);
        // SAFETY: see the module `gl`.
        let left = self.bands(&step, from.band, |gl| unsafe { gl.clear(mask) });
        self.counters.draws += 1;
        left.map(|band| Cursor { band, ..from })
    }

    /// Does a step, band by band: one covers all that [`Tracker::confine`] left, several each a part. Gives the band
    /// that it came to, if the slice is over.
    fn bands(&mut self, step: &Step, from: u32, draw: impl Fn(&glow::Context)) -> Option<u32> {
        let all = self.applied.scissor.filter(|_| self.confinement && step.bands > 1);
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
                // SAFETY: see the module `gl`.
                unsafe { self.gl.scissor(x, bottom, width, top.saturating_sub(bottom)) }
            }
            draw(&self.gl);
        }
        if let Some(Area { x, y, width, height }) = all {
            // SAFETY: see the module `gl`.
            unsafe { self.gl.scissor(x, y, width, height) }
        }
        left
    }

    /// May a step of this cost be drawn in this slice? Looks at the clock when too much was drawn since.
    fn admit(&mut self, cost: u64) -> bool {
        if self.pace.must_look(cost) {
            self.look();
        }
        self.pace.admit(cost)
    }

    /// Which channels, which bits of the stencil, and whether depth, are written.
    fn write_masks(&mut self, hard: &Hard) {
        let Tracker { gl, applied, counters, .. } = self;
        let calls = &mut counters.state_calls;
        // SAFETY: see the module `gl`.
        set(&mut applied.color_mask, hard.color_mask, calls, |&[r, g, b, a]| unsafe {
            gl.color_mask(r, g, b, a);
        });
        // SAFETY: as above.
        set(&mut applied.depth_mask, hard.depth_mask, calls, |&on| unsafe { gl.depth_mask(on) });
        let mask = hard.stencil.write_mask;
        // SAFETY: as above.
        set(&mut applied.stencil_mask, mask, calls, |&mask| unsafe { gl.stencil_mask(mask) });
    }

    /// The shader of a variant, compiled now if need be. `None`: it can't be, which is logged once.
    fn program(&mut self, variant: Variant) -> Option<glow::Program> {
        if let Some((program, used)) = self.programs.get_mut(&variant) {
            *used = self.frame;
            return *program;
        }
        if self.programs.len() >= MAX_SHADERS {
            let oldest = self.programs.iter().min_by_key(|(_, (_, used))| *used).map(|(variant, _)| *variant);
            if let Some((Some(program), _)) = oldest.and_then(|variant| self.programs.remove(&variant)) {
                // SAFETY: see the module `gl`; the map gave it up.
                unsafe { self.gl.delete_program(program) }
            }
            // Its name may be given to the next one.
            self.applied.program = None;
        }
        let program = self.compile(&variant).map_err(|error| log::error!("{error}")).ok();
        self.programs.insert(variant, (program, self.frame));
        program
    }

    fn compile(&mut self, variant: &Variant) -> Result<glow::Program, GlError> {
        let Sources { vertex, geometry, fragment } =
            shader::sources(variant, self.max_records, self.embedded);
        let mut stages = vec![(glow::VERTEX_SHADER, vertex.as_str()), (glow::FRAGMENT_SHADER, &fragment)];
        if let Some(geometry) = &geometry {
            stages.push((glow::GEOMETRY_SHADER, geometry));
        }
        let gl = &self.gl;
        self.applied.program = None;
        // SAFETY: see the module `gl`.
        unsafe {
            let program = link(gl, &stages)?;
            let blocks = [("Records", UNIFORM_RECORDS), ("Lights", UNIFORM_LIGHTS), ("Draw", UNIFORM_DRAW)];
            for (name, binding) in blocks {
                if let Some(index) = gl.get_uniform_block_index(program, name) {
                    gl.uniform_block_binding(program, index, binding);
                }
            }
            gl.use_program(Some(program));
            let samplers = ["image0", "image0_u", "image0_v", "image1", "image1_u", "image1_v"];
            for (unit, name) in (0..).zip(samplers) {
                gl.uniform_1_i32(gl.get_uniform_location(program, name).as_ref(), unit);
            }
            Ok(program)
        }
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
            framebuffer.blank_stencil.set(false);
        }
        let passes = drawing.passes(self.outlines);
        let mut at = from;
        if self.pace.is_slow() {
            while let Some(pass) = passes.get(at.pass) {
                let buffer = self.chunk(contents, at.chunk)?;
                if buffer.count == 0 {
                    at = Cursor { pass: at.pass + 1, ..Cursor::default() };
                    continue;
                }
                if let Some(left) = self.draw_pass(drawing, pass, &buffer, at) {
                    return Some(left);
                }
                let drawn = usize::try_from(buffer.count).unwrap_or(0);
                at = Cursor { pass: at.pass, chunk: at.chunk.saturating_add(drawn), first: 0, band: 0 };
            }
            return None;
        }
        let buffer = self.vertices(contents)?;
        while let Some(pass) = passes.get(at.pass).filter(|_| buffer.count > 0) {
            if let Some(left) = self.draw_pass(drawing, pass, &buffer, at) {
                return Some(left);
            }
            at = Cursor { pass: at.pass + 1, ..Cursor::default() };
        }
        None
    }

    /// Sets a pass up and draws it.
    fn draw_pass(
        &mut self,
        drawing: &Drawing<'_>,
        pass: &Pass,
        buffer: &Buffer,
        at: Cursor,
    ) -> Option<Cursor> {
        self.upload_uniforms(drawing);
        let compiling = (!self.programs.contains_key(&pass.variant)).then(|| {
            // What was drawn before is not excused.
            // SAFETY: see the module `gl`.
            unsafe { self.gl.finish() }
            Instant::now()
        });
        let program = self.program(pass.variant)?;
        self.apply(drawing, pass, program);
        self.pace.weigh(pass.variant.weight(), pass.variant.vertex_weight());
        if let Some(started) = compiling {
            self.compiled(drawing.assembly, buffer, started);
        }
        self.draw_steps(drawing.assembly, buffer, at)
    }

    /// Compiling takes long, some of it not before the first draw: so there is one now, of nothing. A few shaders are
    /// what every program needs; what is drawn with them is its own.
    fn compiled(&mut self, assembly: Assembly, buffer: &Buffer, started: Instant) {
        // SAFETY: see the module `gl`; the vertex array's buffer holds `count` vertices.
        unsafe {
            self.gl.bind_vertex_array(Some(buffer.array));
            self.gl.scissor(0, 0, 0, 0);
            draw(&self.gl, assembly, buffer, 0, buffer.count.min(3));
            if let Some(area) = self.applied.scissor {
                self.gl.scissor(area.x, area.y, area.width, area.height);
            }
            self.gl.finish();
        }
        let now = Instant::now();
        let is_free = self.allowances.take(self.client, now);
        self.pace.compiled(now.saturating_duration_since(started), is_free);
    }

    /// Looks at the clock, once all that was drawn is done.
    fn look(&mut self) {
        // SAFETY: see the module `gl`.
        unsafe { self.gl.finish() }
        self.pace.look();
    }

    fn draw_steps(&mut self, assembly: Assembly, buffer: &Buffer, from: Cursor) -> Option<Cursor> {
        // SAFETY: see the module `gl`; the vertex array's buffer holds `count` vertices.
        unsafe {
            self.gl.bind_vertex_array(Some(buffer.array));
        }
        let corners = assembly.corners() as u64;
        let mut at = from;
        while at.first < buffer.count {
            let wanted = buffer.count.saturating_sub(at.first);
            let step = self.pace.plan(corners, u64::from(wanted.unsigned_abs()));
            let (first, count) = (at.first, i32::try_from(step.vertices).unwrap_or(wanted).min(wanted));
            // SAFETY: as above; `first + count` is at most `buffer.count`.
            let left = self.bands(&step, at.band, |gl| unsafe {
                draw(gl, assembly, buffer, first, count);
            });
            if let Some(band) = left {
                return Some(Cursor { band, ..at });
            }
            self.counters.draws += 1;
            self.counters.vertices += u64::from(count.unsigned_abs());
            at = Cursor { first: first.saturating_add(count), band: 0, ..at };
        }
        None
    }

    /// Some of the batch's vertices on the GPU, which are not kept: those of a slow window are not likely to be the same
    /// in its next picture, which comes many frames later.
    fn chunk(&mut self, contents: &Contents, first: usize) -> Option<Buffer> {
        let mut mesh = std::mem::take(&mut self.scratch);
        contents.assemble_chunk(first, &mut mesh.vertices);
        mesh.indices.clear();
        let buffer = self.upload(self.stream, &mesh, glow::STREAM_DRAW);
        self.scratch = mesh;
        buffer
    }

    /// The batch's vertices on the GPU: those of the same batch before, or uploaded now.
    fn vertices(&mut self, contents: &Contents) -> Option<Buffer> {
        let key = contents.key();
        if let Some(kept) = key.as_ref().and_then(|key| self.cache.get(key, self.frame)) {
            self.counters.reused += 1;
            return Some(kept);
        }
        let mut mesh = std::mem::take(&mut self.scratch);
        contents.assemble(&mut mesh);
        let buffer = match key {
            None => self.upload(self.stream, &mesh, glow::STREAM_DRAW),
            Some(key) => self.keep(key, contents, &mesh),
        };
        self.scratch = mesh;
        buffer
    }

    /// Puts vertices into a buffer that is kept for the batch.
    fn keep(&mut self, key: Key, contents: &Contents, mesh: &Mesh) -> Option<Buffer> {
        let room =
            [vertex_bytes(&mesh.vertices), index_bytes(&mesh.indices)].map(|bytes| room_for(bytes.len()));
        let made = match self.spare.take(room) {
            Some(spare) => Ok(spare),
            // SAFETY: see the module `gl`.
            None => unsafe { make_buffer(&self.gl) },
        };
        let made = made.inspect_err(|error| log::error!("{error}")).ok()?;
        let Some(buffer) = self.upload(made, mesh, glow::STATIC_DRAW) else {
            self.delete_buffers(vec![made]);
            return None;
        };
        let old = self.cache.insert(key, contents.segment(), buffer, MAX_VERTEX_CACHE_BYTES);
        self.give_up(old);
        Some(buffer)
    }

    /// Buffers that no batch has any more.
    fn give_up(&mut self, buffers: Vec<Buffer>) {
        let old = self.spare.keep(buffers, MAX_SPARE_VERTEX_BYTES);
        self.delete_buffers(old);
    }

    /// Puts vertices into a buffer. `None`: OpenGL has no memory for them.
    fn upload(&mut self, into: Buffer, mesh: &Mesh, usage: u32) -> Option<Buffer> {
        let gl = &self.gl;
        let count = i32::try_from(mesh.count()).ok()?;
        let (vertices, indices) = (vertex_bytes(&mesh.vertices), index_bytes(&mesh.indices));
        let parts = [
            (glow::ARRAY_BUFFER, into.buffer, vertices),
            (glow::ELEMENT_ARRAY_BUFFER, into.indices, indices),
        ];
        let mut room = into.room;
        // SAFETY: see the module `gl`. (Indices are part of the vertex array that is bound.)
        unsafe { gl.bind_vertex_array(Some(into.array)) }
        for ((target, buffer, bytes), room) in parts.into_iter().zip(&mut room) {
            if bytes.is_empty() {
                continue;
            }
            // SAFETY: see the module `gl`.
            unsafe { gl.bind_buffer(target, Some(buffer)) }
            if bytes.len() > *room {
                *room = room_for(bytes.len());
                // SAFETY: see the module `gl`.
                unsafe { gl.buffer_data_size(target, signed_bytes(*room), usage) }
                // Large ones may find no memory, and nothing may be drawn from a buffer that is too small.
                // SAFETY: see the module `gl`.
                let short = *room > SMALL_BYTES
                    && unsafe { gl.get_buffer_parameter_i32(target, glow::BUFFER_SIZE) }
                        < signed_bytes(*room);
                if short {
                    log::warn!("OpenGL has no memory for {count} vertices: they are not drawn");
                    return None;
                }
            }
            // SAFETY: see the module `gl`; it has the room.
            unsafe { gl.buffer_sub_data_u8_slice(target, 0, bytes) }
        }
        self.counters.uploaded_bytes += vertices.len().saturating_add(indices.len()) as u64;
        Some(Buffer { room, count, is_indexed: !indices.is_empty(), used: self.frame, ..into })
    }

    fn delete_buffers(&mut self, buffers: Vec<Buffer>) {
        for buffer in buffers {
            // SAFETY: see the module `gl`.
            unsafe {
                self.gl.delete_vertex_array(buffer.array);
                self.gl.delete_buffer(buffer.buffer);
                self.gl.delete_buffer(buffer.indices);
            }
        }
    }

    fn upload_uniforms(&mut self, drawing: &Drawing<'_>) {
        let gl = &self.gl;
        let mut records = Vec::with_capacity(drawing.records.len() * RECORD_BYTES);
        for record in drawing.records.iter().take(self.max_records) {
            extend_vectors(&mut records, &record.0);
        }
        // The block in the shader has `max_records` entries, and OpenGL wants all of them backed: by a new store, which
        // also keeps this upload from waiting for earlier draws. Vertices name only the entries filled here.
        let block = signed_bytes(self.max_records * RECORD_BYTES);
        // SAFETY: see the module `gl`.
        unsafe {
            gl.bind_buffer(glow::UNIFORM_BUFFER, Some(self.record_buffer));
            gl.buffer_data_size(glow::UNIFORM_BUFFER, block, glow::STREAM_DRAW);
            gl.buffer_sub_data_u8_slice(glow::UNIFORM_BUFFER, 0, &records);
            gl.bind_buffer_base(glow::UNIFORM_BUFFER, UNIFORM_RECORDS, Some(self.record_buffer));
        }
        self.counters.uploaded_bytes += records.len() as u64;
        if self.lights.as_ref() != Some(drawing.lights) {
            let mut bytes = Vec::with_capacity(LIGHTS_VECTORS * 16);
            extend_vectors(&mut bytes, &pack_lights(drawing.lights));
            // SAFETY: see the module `gl`.
            unsafe {
                gl.bind_buffer(glow::UNIFORM_BUFFER, Some(self.lights_buffer));
                gl.buffer_data_u8_slice(glow::UNIFORM_BUFFER, &bytes, glow::STREAM_DRAW);
            }
            self.counters.uploaded_bytes += bytes.len() as u64;
            self.lights = Some(*drawing.lights);
        }
        // SAFETY: see the module `gl`.
        unsafe { gl.bind_buffer_base(glow::UNIFORM_BUFFER, UNIFORM_LIGHTS, Some(self.lights_buffer)) }
    }

    /// Sets everything that a draw depends on but framebuffer, scissor and viewport.
    fn apply(&mut self, drawing: &Drawing<'_>, pass: &Pass, program: glow::Program) {
        let hard = drawing.hard;
        self.write_masks(hard);
        self.apply_block(&Block::new(hard, drawing.textures, pass.outline, DEPTH_UNIT));
        let line_width = {
            let [least, most] = self.line_widths;
            hard.line_width.min(most).max(least)
        };
        let logic_op = self.logic_op;
        let Tracker { gl, applied, counters, .. } = self;
        let calls = &mut counters.state_calls;
        switch(gl, &mut applied.depth_test, glow::DEPTH_TEST, hard.depth_test, calls);
        switch(gl, &mut applied.cull, glow::CULL_FACE, pass.cull.is_some(), calls);
        switch(gl, &mut applied.blend, glow::BLEND, hard.blend, calls);
        switch(gl, &mut applied.stencil_test, glow::STENCIL_TEST, hard.stencil.on, calls);
        let offset = hard.polygon_offset_on[2] && pass.variant.polygons == Polygons::Filled;
        switch(gl, &mut applied.offset_fill, glow::POLYGON_OFFSET_FILL, offset, calls);
        // Enumerants were checked by the verifier against the op table's sets.
        // SAFETY: see the module `gl`.
        set(&mut applied.program, pass.variant, calls, |_| unsafe { gl.use_program(Some(program)) });
        // SAFETY: as above.
        set(&mut applied.depth_func, hard.depth_func, calls, |&func| unsafe { gl.depth_func(func) });
        // SAFETY: as above.
        set(&mut applied.depth_range, hard.depth_range, calls, |&[near, far]| unsafe {
            gl.depth_range_f32(near, far);
        });
        if let Some(face) = pass.cull {
            // SAFETY: as above.
            set(&mut applied.cull_face, face, calls, |&face| unsafe { gl.cull_face(face) });
        }
        // SAFETY: as above.
        set(&mut applied.front_face, hard.front_face, calls, |&winding| unsafe { gl.front_face(winding) });
        if hard.stencil.on {
            let Stencil { function, reference, mask, operations, .. } = hard.stencil;
            // SAFETY: as above.
            set(&mut applied.stencil_func, (function, reference, mask), calls, |&(f, r, m)| unsafe {
                gl.stencil_func(f, r, m);
            });
            // SAFETY: as above.
            set(&mut applied.stencil_op, operations, calls, |&[fail, far, pass]| unsafe {
                gl.stencil_op(fail, far, pass);
            });
        }
        if hard.blend {
            // SAFETY: as above.
            set(&mut applied.blend_func, hard.blend_func, calls, |&[a, b, c, d]| unsafe {
                gl.blend_func_separate(a, b, c, d);
            });
            // SAFETY: as above.
            set(&mut applied.blend_equation, hard.blend_equation, calls, |&[rgb, alpha]| unsafe {
                gl.blend_equation_separate(rgb, alpha);
            });
            // SAFETY: as above.
            set(&mut applied.blend_color, hard.blend_color, calls, |&[r, g, b, a]| unsafe {
                gl.blend_color(r, g, b, a);
            });
        }
        if let Some(function) = logic_op {
            switch(gl, &mut applied.logic, glow::COLOR_LOGIC_OP, hard.logic, calls);
            if hard.logic {
                // SAFETY: as above.
                set(&mut applied.logic_op, hard.logic_op, calls, |&op| unsafe { function(op) });
            }
        }
        if offset {
            // SAFETY: as above.
            set(&mut applied.polygon_offset, hard.polygon_offset, calls, |&[factor, units]| unsafe {
                gl.polygon_offset(factor, units);
            });
        }
        if drawing.assembly == Assembly::Lines || pass.variant.polygons == Polygons::Lines {
            // SAFETY: as above.
            set(&mut applied.line_width, line_width, calls, |&width| unsafe { gl.line_width(width) });
        }
        self.bind_textures(drawing);
    }

    /// Uploads the uniform block, unless it is there already.
    fn apply_block(&mut self, block: &Block) {
        let Tracker { gl, counters, .. } = self;
        if self.block.as_ref() != Some(block) {
            let mut bytes = Vec::with_capacity(BLOCK_VECTORS * 16);
            for word in block.0.as_flattened() {
                bytes.extend_from_slice(&word.to_ne_bytes());
            }
            // SAFETY: see the module `gl`.
            unsafe {
                gl.bind_buffer(glow::UNIFORM_BUFFER, Some(self.block_buffer));
                gl.buffer_data_u8_slice(glow::UNIFORM_BUFFER, &bytes, glow::STREAM_DRAW);
            }
            counters.uploaded_bytes += bytes.len() as u64;
            counters.state_calls += 1;
            self.block = Some(*block);
        }
        // SAFETY: see the module `gl`.
        unsafe { gl.bind_buffer_base(glow::UNIFORM_BUFFER, UNIFORM_DRAW, Some(self.block_buffer)) }
    }

    /// Binds the units' textures. Not remembered: textures come and go, and their names return.
    fn bind_textures(&mut self, drawing: &Drawing<'_>) {
        let mut last = 0;
        for ((first, texture), unit) in
            (0u32..).step_by(PLANES as usize).zip(drawing.textures).zip(&drawing.hard.units)
        {
            let Some(texture) = texture else { continue };
            let sampler = self.sampler(unit.sampling.of(&texture.desc));
            for (at, &plane) in (first..).zip(&texture.planes) {
                // SAFETY: see the module `gl`.
                unsafe {
                    self.gl.active_texture(glow::TEXTURE0 + at);
                    self.gl.bind_texture(glow::TEXTURE_2D, Some(plane));
                    self.gl.bind_sampler(at, sampler);
                }
                self.counters.state_calls += 3;
                last = at;
            }
        }
        if last > 0 {
            // SAFETY: see the module `gl`.
            unsafe { self.gl.active_texture(glow::TEXTURE0) }
            self.counters.state_calls += 1;
        }
    }
}

/// Switches a capability, unless it is so already.
fn switch(gl: &glow::Context, is: &mut Option<bool>, capability: u32, on: bool, calls: &mut u64) {
    // SAFETY: see the module `gl`.
    set(is, on, calls, |_| unsafe { if on { gl.enable(capability) } else { gl.disable(capability) } });
}

impl Drop for Tracker {
    fn drop(&mut self) {
        let cached = self.cache.expire(u64::MAX);
        self.delete_buffers(cached);
        let spare = self.spare.keep(Vec::new(), 0);
        self.delete_buffers(spare);
        self.delete_buffers(vec![self.stream]);
        // SAFETY: see the module `gl`.
        unsafe {
            for program in self.programs.values().filter_map(|(program, _)| *program) {
                self.gl.delete_program(program);
            }
            self.gl.delete_buffer(self.record_buffer);
            self.gl.delete_buffer(self.lights_buffer);
            self.gl.delete_buffer(self.block_buffer);
            for &sampler in self.samplers.values() {
                self.gl.delete_sampler(sampler);
            }
        }
    }
}

/// A rectangle of a window's coordinates as one of the output's.
fn placed(window: &Rect, area: &Area) -> Rect {
    let left = window.x.saturating_add(area.x);
    let bottom = window.bottom().saturating_sub(area.y);
    Rect::between(left, bottom.saturating_sub(area.height), left.saturating_add(area.width), bottom)
}

fn extend_vectors(bytes: &mut Vec<u8>, vectors: &[[f32; 4]]) {
    for value in vectors.iter().flatten() {
        bytes.extend_from_slice(&value.to_ne_bytes());
    }
}

/// Vertices as bytes.
fn vertex_bytes(vertices: &[Vertex]) -> &[u8] {
    // SAFETY: `Vertex` is `repr(C)` and made of 19 `f32` and one `u32`: 80 bytes without padding, all of them
    // initialised; bytes need no alignment.
    unsafe { std::slice::from_raw_parts(vertices.as_ptr().cast(), size_of_val(vertices)) }
}

/// Indices as bytes.
fn index_bytes(indices: &[u32]) -> &[u8] {
    // SAFETY: integers have no padding, are initialised, and bytes need no alignment.
    unsafe { std::slice::from_raw_parts(indices.as_ptr().cast(), size_of_val(indices)) }
}

/// Draws corners of the buffer whose vertex array is bound.
///
/// # Safety
/// The context is current on this thread, and `first + count` is at most the buffer's count.
unsafe fn draw(gl: &glow::Context, assembly: Assembly, buffer: &Buffer, first: i32, count: i32) {
    // SAFETY: see the module `gl`, and the caller's: vertices, or indices of four bytes each, are there.
    unsafe {
        if buffer.is_indexed {
            gl.draw_elements(primitive(assembly), count, glow::UNSIGNED_INT, first.saturating_mul(4));
        } else {
            gl.draw_arrays(primitive(assembly), first, count);
        }
    }
}

const _: () = assert!(size_of::<Vertex>() == 80, "the attribute offsets and `vertex_bytes` rely on it");

/// A vertex array with a buffer of [`Vertex`].
///
/// # Safety
/// The context is current on this thread.
unsafe fn make_buffer(gl: &glow::Context) -> Result<Buffer, GlError> {
    // SAFETY: see the module `gl`.
    unsafe {
        let array = gl.create_vertex_array().map_err(object::<glow::VertexArray>("vertex array"))?;
        let buffer = match gl.create_buffer() {
            Ok(buffer) => buffer,
            Err(why) => {
                gl.delete_vertex_array(array);
                return Err(GlError::Object { what: "buffer", why });
            }
        };
        let indices = match gl.create_buffer() {
            Ok(indices) => indices,
            Err(why) => {
                gl.delete_vertex_array(array);
                gl.delete_buffer(buffer);
                return Err(GlError::Object { what: "buffer", why });
            }
        };
        gl.bind_vertex_array(Some(array));
        gl.bind_buffer(glow::ARRAY_BUFFER, Some(buffer));
        for (location, size, offset) in [(0, 4, 0), (1, 4, 16), (2, 4, 32), (3, 3, 48), (5, 4, 64)] {
            gl.enable_vertex_attrib_array(location);
            gl.vertex_attrib_pointer_f32(location, size, glow::FLOAT, false, 80, offset);
        }
        gl.enable_vertex_attrib_array(4);
        gl.vertex_attrib_pointer_i32(4, 1, glow::UNSIGNED_INT, 80, 60);
        gl.bind_buffer(glow::ELEMENT_ARRAY_BUFFER, Some(indices));
        Ok(Buffer { array, buffer, indices, room: [0, 0], count: 0, is_indexed: false, used: 0 })
    }
}

/// Compiles and links. What an error leaves over is deleted.
///
/// # Safety
/// The context is current on this thread.
unsafe fn link(gl: &glow::Context, stages: &[(u32, &str)]) -> Result<glow::Program, GlError> {
    // SAFETY: see the module `gl`.
    unsafe {
        let program = gl.create_program().map_err(GlError::Shader)?;
        for &(kind, source) in stages {
            let shader = match gl.create_shader(kind) {
                Ok(shader) => shader,
                Err(why) => {
                    gl.delete_program(program);
                    return Err(GlError::Shader(why));
                }
            };
            gl.shader_source(shader, source);
            gl.compile_shader(shader);
            let compiled = gl.get_shader_compile_status(shader);
            let why = if compiled { String::new() } else { gl.get_shader_info_log(shader) };
            gl.attach_shader(program, shader);
            // It goes with the program.
            gl.delete_shader(shader);
            if !compiled {
                gl.delete_program(program);
                return Err(GlError::Shader(why));
            }
        }
        gl.link_program(program);
        if !gl.get_program_link_status(program) {
            let why = gl.get_program_info_log(program);
            gl.delete_program(program);
            return Err(GlError::Shader(why));
        }
        Ok(program)
    }
}
