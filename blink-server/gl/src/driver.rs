//! The driver: the only file that calls OpenGL, so that all others are safe code.
//!
//! OpenGL answers a wrong number, or a name that is gone, with an error and does nothing. So a call can break our memory
//! only where OpenGL reads or writes that memory by a pointer, or reads what is in its own buffers by numbers of ours:
//! pixels, vertices, indices. Here these calls take slices and compare their lengths; all others are in one table. Shaders are
//! ours, and the buffers of their uniform blocks are as large as the blocks ([`super::uniforms`]).
//!
//! The context is current on this thread in every call. [`Driver::new`] is given the functions of the context that was
//! made current there, neither they nor a `Driver` can go to another thread, and nobody makes another context current.

use super::batch::Mesh;
use super::cache::{Buffer, room_for};
use super::context::{Functions, LogicOp};
use super::error::GlError;
use super::pixels::Pixels;
use super::record::RECORD_BYTES;
use super::state::Area;
use glow::HasContext;
use jit::{Assembly, Vertex};
use std::cell::Cell;
use std::marker::PhantomData;

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

/// What this OpenGL can do.
#[derive(Clone, Copy, Debug)]
pub(super) struct Limits {
    /// Records of a uniform block.
    pub records: usize,
    /// Pixels of a viewport, and how far away it may be.
    pub viewport: i32,
    /// The least and the most.
    pub line_width: [f32; 2],
    /// Geometry shaders are there, and borders of textures.
    pub outlines: bool,
}

/// OpenGL.
pub(super) struct Driver {
    gl: glow::Context,
    logic_op: Option<LogicOp>,
    limits: Limits,
    counters: Cell<Counters>,
    /// The context is current on one thread only.
    _thread: PhantomData<*const ()>,
}

impl std::fmt::Debug for Driver {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Driver").field("limits", &self.limits).field("counters", &self.counters).finish()
    }
}

/// The calls by which OpenGL reads and writes none of our memory, under the names that glow gives them.
macro_rules! calls {
    ($($(#[$doc:meta])* fn $name:ident($($argument:ident: $type:ty),*) $(-> $result:ty)?;)*) => {
        impl Driver {
            $($(#[$doc])*
            pub(super) fn $name(&self, $($argument: $type),*) $(-> $result)? {
                // SAFETY: the context is current on this thread, as it is in every call (see the file's head). Numbers and
                // names are given by value, and OpenGL answers wrong ones with an error. Of texts glow makes copies that
                // end with 0, and what OpenGL answers it writes into room that glow made for it.
                unsafe { self.gl.$name($($argument),*) }
            })*
        }
    };
}

calls! {
    fn enable(capability: u32);
    fn disable(capability: u32);
    fn finish();
    fn get_error() -> u32;

    fn scissor(x: i32, y: i32, width: i32, height: i32);
    fn viewport(x: i32, y: i32, width: i32, height: i32);

    fn color_mask(red: bool, green: bool, blue: bool, alpha: bool);
    fn depth_mask(on: bool);
    fn stencil_mask(mask: u32);
    fn clear_color(red: f32, green: f32, blue: f32, alpha: f32);
    fn clear_depth_f32(depth: f32);
    fn clear_stencil(stencil: i32);
    fn clear(mask: u32);

    fn depth_func(function: u32);
    fn depth_range_f32(near: f32, far: f32);
    fn stencil_func(function: u32, reference: i32, mask: u32);
    fn stencil_op(stencil_fails: u32, depth_fails: u32, both_pass: u32);
    fn cull_face(face: u32);
    fn front_face(winding: u32);
    fn blend_func_separate(source: u32, destination: u32, source_alpha: u32, destination_alpha: u32);
    fn blend_equation_separate(color: u32, alpha: u32);
    fn blend_color(red: f32, green: f32, blue: f32, alpha: f32);
    fn polygon_offset(factor: f32, units: f32);
    fn line_width(width: f32);

    fn delete_program(program: glow::Program);
    fn use_program(program: Option<glow::Program>);
    fn get_uniform_location(program: glow::Program, name: &str) -> Option<glow::UniformLocation>;
    fn uniform_1_i32(location: Option<&glow::UniformLocation>, value: i32);
    fn get_uniform_block_index(program: glow::Program, name: &str) -> Option<u32>;
    fn uniform_block_binding(program: glow::Program, index: u32, binding: u32);

    fn create_texture() -> Result<glow::Texture, String>;
    fn delete_texture(texture: glow::Texture);
    fn active_texture(unit: u32);
    fn bind_texture(target: u32, texture: Option<glow::Texture>);
    fn tex_parameter_i32(target: u32, name: u32, value: i32);
    fn generate_mipmap(target: u32);
    fn create_sampler() -> Result<glow::Sampler, String>;
    fn delete_sampler(sampler: glow::Sampler);
    fn bind_sampler(unit: u32, sampler: Option<glow::Sampler>);
    fn sampler_parameter_i32(sampler: glow::Sampler, name: u32, value: i32);

    fn create_framebuffer() -> Result<glow::Framebuffer, String>;
    fn delete_framebuffer(framebuffer: glow::Framebuffer);
    fn bind_framebuffer(target: u32, framebuffer: Option<glow::Framebuffer>);
    fn framebuffer_texture_2d(target: u32, attachment: u32, kind: u32, texture: Option<glow::Texture>, level: i32);
    fn framebuffer_renderbuffer(target: u32, attachment: u32, kind: u32, buffer: Option<glow::Renderbuffer>);
    fn check_framebuffer_status(target: u32) -> u32;
    fn create_renderbuffer() -> Result<glow::Renderbuffer, String>;
    fn delete_renderbuffer(renderbuffer: glow::Renderbuffer);
    fn bind_renderbuffer(target: u32, renderbuffer: Option<glow::Renderbuffer>);
    fn renderbuffer_storage(target: u32, format: u32, width: i32, height: i32);

    fn create_buffer() -> Result<glow::Buffer, String>;
    fn delete_buffer(buffer: glow::Buffer);
    fn bind_buffer_base(target: u32, index: u32, buffer: Option<glow::Buffer>);
    fn delete_vertex_array(array: glow::VertexArray);
}

impl Driver {
    /// Takes the functions of a context, and sets what never changes again.
    pub(super) fn new(functions: Functions) -> Driver {
        let Functions { gl, logic_op, .. } = functions;
        let (mut viewport, mut line_width) = ([0; 2], [1.0; 2]);
        // SAFETY: the context is current on this thread, as `functions` are of the one that is and can't leave it. Of the
        // values asked for, OpenGL says that the size of a block is one, the viewport's dimensions and the range of line
        // widths are two each: the slices have two.
        let block = unsafe {
            gl.pixel_store_i32(glow::UNPACK_ALIGNMENT, 1);
            gl.pixel_store_i32(glow::PACK_ALIGNMENT, 1);
            gl.get_parameter_i32_slice(glow::MAX_VIEWPORT_DIMS, &mut viewport);
            gl.get_parameter_f32_slice(glow::ALIASED_LINE_WIDTH_RANGE, &mut line_width);
            gl.get_parameter_i32(glow::MAX_UNIFORM_BLOCK_SIZE)
        };
        let records = usize::try_from(block).unwrap_or(0).max(16 * 1024) / RECORD_BYTES;
        let version = gl.version();
        let limits = Limits {
            // More would only make the block's upload longer.
            records: records.min(128),
            viewport: viewport[0].min(viewport[1]).clamp(1024, 32_767),
            line_width,
            outlines: !version.is_embedded || (version.major, version.minor) >= (3, 2),
        };
        let driver = Driver { gl, logic_op, limits, counters: Cell::default(), _thread: PhantomData };
        if !driver.is_embedded() {
            driver.enable(glow::PROGRAM_POINT_SIZE);
        }
        driver
    }

    /// Is it OpenGL ES?
    pub(super) fn is_embedded(&self) -> bool {
        self.gl.version().is_embedded
    }

    pub(super) fn limits(&self) -> &Limits {
        &self.limits
    }

    /// OpenGL's version and renderer, for people.
    pub(super) fn describe(&self) -> String {
        // SAFETY: the context is current on this thread. Both are texts that OpenGL has, ended by 0; glow copies them.
        let [version, renderer] =
            [glow::VERSION, glow::RENDERER].map(|what| unsafe { self.gl.get_parameter_string(what) });
        format!("{version}, {renderer}")
    }

    /// Counts something that it was asked to do.
    pub(super) fn count(&self, add: impl FnOnce(&mut Counters)) {
        let mut counters = self.counters.get();
        add(&mut counters);
        self.counters.set(counters);
    }

    /// The counters since the last call.
    pub(super) fn take_counters(&self) -> Counters {
        self.counters.take()
    }

    /// Are there logical operations?
    pub(super) fn has_logic_op(&self) -> bool {
        self.logic_op.is_some()
    }

    pub(super) fn logic_op(&self, operation: u32) {
        if let Some(function) = self.logic_op {
            // SAFETY: it is the current context's glLogicOp ([`Functions::load`]), which takes a number and answers a wrong
            // one with an error.
            unsafe { function(operation) }
        }
    }

    // ---- Shaders ---------------------------------------------------------------------------

    /// Compiles and links. What an error leaves over is deleted.
    pub(super) fn link(&self, stages: &[(u32, &str)]) -> Result<glow::Program, GlError> {
        let gl = &self.gl;
        // SAFETY: the context is current on this thread. OpenGL copies the sources, whose lengths glow gives with them, and
        // writes logs into room that glow made for their lengths. All names are of objects that are made here.
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

    /// Gives a buffer of uniforms a new store of `room` bytes that begins with these.
    pub(super) fn fill_uniforms(&self, buffer: glow::Buffer, room: usize, bytes: &[u8]) {
        const TARGET: u32 = glow::UNIFORM_BUFFER;
        // SAFETY: the context is current on this thread. glow gives the slice's length with its pointer, and OpenGL copies
        // the bytes before it returns; more than there is room for is an error of OpenGL's.
        unsafe {
            self.gl.bind_buffer(TARGET, Some(buffer));
            if bytes.len() == room {
                self.gl.buffer_data_u8_slice(TARGET, bytes, glow::STREAM_DRAW);
            } else {
                self.gl.buffer_data_size(TARGET, signed_bytes(room), glow::STREAM_DRAW);
                self.gl.buffer_sub_data_u8_slice(TARGET, 0, bytes);
            }
        }
        self.count(|all| all.uploaded_bytes += bytes.len() as u64);
    }

    // ---- Pixels ----------------------------------------------------------------------------

    /// Gives a level of the bound texture these texels, or room for some. The texture has `internal` format.
    pub(super) fn tex_image(
        &self,
        level: u32,
        internal: u32,
        [width, height]: [u32; 2],
        pixels: Pixels,
        bytes: Option<&[u8]>,
    ) {
        let (width, height) = (signed(width), signed(height));
        if bytes.is_some_and(|bytes| !pixels.are_in(bytes.len(), width, height)) {
            return;
        }
        let Pixels { format, kind, row } = pixels;
        let given = glow::PixelUnpackData::Slice(bytes);
        // SAFETY: the context is current on this thread. OpenGL reads `height` rows of `width` texels, `row` texels apart
        // as that is set here, without padding as [`Driver::new`] set; `bytes` has them, which was looked at above. No
        // buffer is ever bound that would make the pointer an offset.
        unsafe {
            self.gl.pixel_store_i32(glow::UNPACK_ROW_LENGTH, signed(row));
            self.gl.tex_image_2d(
                glow::TEXTURE_2D,
                signed(level),
                internal.cast_signed(),
                width,
                height,
                0,
                format,
                kind,
                given,
            );
        }
    }

    /// Gives a part of level 0 of the bound texture these texels.
    pub(super) fn tex_sub_image(&self, area: Area, pixels: Pixels, bytes: &[u8]) {
        let Area { x, y, width, height } = area;
        if !pixels.are_in(bytes.len(), width, height) {
            return;
        }
        let Pixels { format, kind, row } = pixels;
        let given = glow::PixelUnpackData::Slice(Some(bytes));
        // SAFETY: the context is current on this thread. OpenGL reads `height` rows of `width` texels, `row` texels apart
        // as that is set here, without padding as [`Driver::new`] set; `bytes` has them, which was looked at above. No
        // buffer is ever bound that would make the pointer an offset.
        unsafe {
            self.gl.pixel_store_i32(glow::UNPACK_ROW_LENGTH, signed(row));
            self.gl.tex_sub_image_2d(glow::TEXTURE_2D, 0, x, y, width, height, format, kind, given);
        }
    }

    /// Reads pixels of the bound framebuffer, the bottom row first.
    pub(super) fn read_pixels(&self, area: Area, pixels: Pixels, into: &mut [u8]) {
        let Area { x, y, width, height } = area;
        if !pixels.are_in(into.len(), width, height) {
            return;
        }
        let Pixels { format, kind, row } = pixels;
        let taken = glow::PixelPackData::Slice(Some(into));
        // SAFETY: the context is current on this thread. OpenGL writes `height` rows of `width` pixels, `row` pixels apart
        // as that is set here, without padding as [`Driver::new`] set; `into` has room for them, which was looked at above,
        // and nobody else sees it meanwhile. No buffer is ever bound that would make the pointer an offset.
        unsafe {
            self.gl.pixel_store_i32(glow::PACK_ROW_LENGTH, signed(row));
            self.gl.read_pixels(x, y, width, height, format, kind, taken);
        }
    }

    // ---- Vertices --------------------------------------------------------------------------

    /// A vertex array with a buffer of [`Vertex`].
    pub(super) fn make_buffer(&self) -> Result<Buffer, GlError> {
        let gl = &self.gl;
        // SAFETY: the context is current on this thread; the names are of objects that are made here. The attributes are
        // offsets into the buffer that is bound, as OpenGL remembers with each, and all inside of a `Vertex`'s 80 bytes.
        unsafe {
            let array = gl.create_vertex_array().map_err(GlError::object("vertex array"))?;
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

    /// Puts vertices into a buffer. `None`: OpenGL has no memory for them.
    pub(super) fn upload(&self, into: Buffer, mesh: &Mesh, usage: u32) -> Option<Buffer> {
        let gl = &self.gl;
        let count = i32::try_from(mesh.count()).ok()?;
        let (vertices, indices) = (vertex_bytes(mesh.vertices()), index_bytes(mesh.indices()));
        let parts = [
            (glow::ARRAY_BUFFER, into.buffer, vertices),
            (glow::ELEMENT_ARRAY_BUFFER, into.indices, indices),
        ];
        let mut room = into.room;
        // SAFETY: the context is current on this thread. (Indices are part of the vertex array that is bound.)
        unsafe { gl.bind_vertex_array(Some(into.array)) }
        for ((target, buffer, bytes), room) in parts.into_iter().zip(&mut room) {
            if bytes.is_empty() {
                continue;
            }
            let grows = bytes.len() > *room;
            if grows {
                *room = room_for(bytes.len());
            }
            // SAFETY: the context is current on this thread. A new store takes nothing of ours, and its size is one number.
            let is_short = unsafe {
                gl.bind_buffer(target, Some(buffer));
                if grows {
                    gl.buffer_data_size(target, signed_bytes(*room), usage);
                }
                // Large ones may find no memory, and nothing may be drawn from a buffer that is too small.
                grows
                    && *room > SMALL_BYTES
                    && gl.get_buffer_parameter_i32(target, glow::BUFFER_SIZE) < signed_bytes(*room)
            };
            if is_short {
                log::warn!("OpenGL has no memory for {count} vertices: they are not drawn");
                return None;
            }
            // SAFETY: the context is current on this thread. glow gives the slice's length with its pointer, and OpenGL
            // copies the bytes before it returns.
            unsafe { gl.buffer_sub_data_u8_slice(target, 0, bytes) }
        }
        self.count(|all| all.uploaded_bytes += vertices.len().saturating_add(indices.len()) as u64);
        Some(Buffer { room, count, is_indexed: !indices.is_empty(), ..into })
    }

    /// Draws corners of a buffer: those that it has of these.
    ///
    /// # Safety
    /// `buffer` is what the last [`Driver::upload`] into its objects gave, and these are not deleted.
    pub(super) unsafe fn draw(&self, assembly: Assembly, buffer: &Buffer, first: i32, count: i32) {
        let first = first.clamp(0, buffer.count);
        let count = count.clamp(0, buffer.count - first);
        // SAFETY: the context is current on this thread. The upload put `buffer.count` vertices, or indices of four bytes
        // each, into the vertex array's buffers, as the caller says, and none beyond are asked for; indices are of vertices
        // that are there ([`Mesh`]). OpenGL had the memory: the upload asked where that is in doubt ([`SMALL_BYTES`]).
        unsafe {
            self.gl.bind_vertex_array(Some(buffer.array));
            if buffer.is_indexed {
                let offset = first.saturating_mul(4);
                self.gl.draw_elements(primitive(assembly), count, glow::UNSIGNED_INT, offset);
            } else {
                self.gl.draw_arrays(primitive(assembly), first, count);
            }
        }
    }
}

/// Bytes of vertices that OpenGL is trusted to have memory for.
const SMALL_BYTES: usize = 1 << 20;

pub(super) fn signed(value: u32) -> i32 {
    i32::try_from(value).unwrap_or(i32::MAX)
}

fn signed_bytes(bytes: usize) -> i32 {
    i32::try_from(bytes).unwrap_or(i32::MAX)
}

const _: () = assert!(size_of::<Vertex>() == 80, "the attribute offsets and `vertex_bytes` rely on it");

/// OpenGL's name of an assembly.
fn primitive(assembly: Assembly) -> u32 {
    match assembly {
        Assembly::Points => glow::POINTS,
        Assembly::Lines => glow::LINES,
        Assembly::Triangles => glow::TRIANGLES,
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
