//! The OpenGL-mix by OpenGL itself, as a program without Blink calls it: in immediate mode, from a display list, and
//! from a static vertex buffer.

use super::calls::{Arrays, Call, Calls, Step};
use super::fixed::{Compatibility, Fixed};
use super::{Error, PIXEL, SIDE, VIEW};
use benches::tsc::now;
use glow::HasContext;

/// How OpenGL is given the vertices.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// glBegin, glVertex3f... each time.
    Immediate,
    /// glCallList of the same calls.
    DisplayList,
    /// glDrawArrays from a buffer, for each primitive, with the state calls between.
    StaticBuffer,
}

impl Way {
    /// All of them.
    pub const ALL: [Way; 3] = [Way::Immediate, Way::DisplayList, Way::StaticBuffer];
}

const LIST: u32 = 1;
const COMPILE: u32 = 0x1300;
const PROJECTION: u32 = 0x1701;
const MODELVIEW: u32 = 0x1700;
const VERTEX_ARRAY: u32 = 0x8074;
const NORMAL_ARRAY: u32 = 0x8075;
const FLOAT: u32 = 0x1406;
const STRIDE: i32 = 24;

/// A compatibility context with a window's framebuffer, and the program in its three forms.
pub struct Native {
    context: Compatibility,
    calls: Calls,
    arrays: Arrays,
}

impl Native {
    /// Makes everything that is made once.
    pub fn new(calls: Calls) -> Result<Native, Error> {
        let arrays = Arrays::of(&calls);
        let native = Native { context: Compatibility::new()?, calls, arrays };
        let (gl, fixed) = (&native.context.gl, &native.context.fixed);
        let (side, [x, y]) = (SIDE.cast_signed(), VIEW);
        // SAFETY: the context is current on this thread, and stays so while `native` lives, which leaves the thread
        // as little as the context does. The buffer is as long as its slice, and the pointers are offsets into it.
        unsafe {
            native.framebuffer()?;
            gl.viewport(0, 0, side, side);
            (fixed.matrix_mode)(PROJECTION);
            (fixed.load_identity)();
            (fixed.frustum)(-1.0, 1.0, -1.0, 1.0, 5.0, 60.0);
            (fixed.matrix_mode)(MODELVIEW);
            (fixed.load_identity)();
            (fixed.translate)(0.0, 0.0, -40.0);
            (fixed.rotate)(x, 1.0, 0.0, 0.0);
            (fixed.rotate)(y, 0.0, 1.0, 0.0);
            gl.enable(glow::SCISSOR_TEST);

            let buffer = gl.create_buffer().map_err(Error::Object)?;
            gl.bind_buffer(glow::ARRAY_BUFFER, Some(buffer));
            let bytes: Vec<u8> =
                native.arrays.vertices.as_flattened().iter().flat_map(|value| value.to_ne_bytes()).collect();
            gl.buffer_data_u8_slice(glow::ARRAY_BUFFER, &bytes, glow::STATIC_DRAW);
            (fixed.vertex_pointer)(3, FLOAT, STRIDE, 0);
            (fixed.normal_pointer)(FLOAT, STRIDE, 12);
            (fixed.enable_client_state)(VERTEX_ARRAY);
            (fixed.enable_client_state)(NORMAL_ARRAY);

            (fixed.new_list)(LIST, COMPILE);
            native.immediate(fixed);
            (fixed.end_list)();
        }
        Ok(native)
    }

    /// # Safety
    /// The context is current.
    unsafe fn framebuffer(&self) -> Result<(), Error> {
        let gl = &self.context.gl;
        let side = SIDE.cast_signed();
        // SAFETY: the caller's.
        unsafe {
            let color = gl.create_texture().map_err(Error::Object)?;
            gl.bind_texture(glow::TEXTURE_2D, Some(color));
            gl.tex_storage_2d(glow::TEXTURE_2D, 1, glow::RGBA8, side, side);
            let depth = gl.create_renderbuffer().map_err(Error::Object)?;
            gl.bind_renderbuffer(glow::RENDERBUFFER, Some(depth));
            gl.renderbuffer_storage(glow::RENDERBUFFER, glow::DEPTH24_STENCIL8, side, side);
            let framebuffer = gl.create_framebuffer().map_err(Error::Object)?;
            gl.bind_framebuffer(glow::FRAMEBUFFER, Some(framebuffer));
            let target = glow::TEXTURE_2D;
            gl.framebuffer_texture_2d(glow::FRAMEBUFFER, glow::COLOR_ATTACHMENT0, target, Some(color), 0);
            let (depth_attachment, target) = (glow::DEPTH_STENCIL_ATTACHMENT, glow::RENDERBUFFER);
            gl.framebuffer_renderbuffer(glow::FRAMEBUFFER, depth_attachment, target, Some(depth));
            gl.bind_texture(glow::TEXTURE_2D, None);
            if gl.check_framebuffer_status(glow::FRAMEBUFFER) != glow::FRAMEBUFFER_COMPLETE {
                return Err(Error::Object("no complete framebuffer".into()));
            }
        }
        Ok(())
    }

    /// A state call, or one of immediate mode.
    ///
    /// # Safety
    /// The functions are the current context's, or do nothing.
    #[inline(always)]
    unsafe fn call(&self, fixed: &Fixed, call: Call) {
        // SAFETY: the caller's; the values are four floats.
        unsafe {
            match call {
                Call::Begin(mode) => (fixed.begin)(mode),
                Call::End => (fixed.end)(),
                Call::Vertex([x, y, z]) => (fixed.vertex3)(x, y, z),
                Call::Normal([x, y, z]) => (fixed.normal3)(x, y, z),
                Call::Material { face, name, values } => {
                    (fixed.material)(face, name, self.calls.values(values).as_ptr());
                }
                Call::Light { light, name, values } => {
                    (fixed.light)(light, name, self.calls.values(values).as_ptr());
                }
                Call::ShadeModel(model) => (fixed.shade_model)(model),
                Call::Enable(capability) => (fixed.enable)(capability),
            }
        }
    }

    /// # Safety
    /// As [`Native::call`].
    #[inline(never)]
    unsafe fn immediate(&self, fixed: &Fixed) {
        for &call in &self.calls.calls {
            // SAFETY: the caller's.
            unsafe { self.call(fixed, call) }
        }
    }

    /// # Safety
    /// The context is current.
    unsafe fn draw(&self, way: Way) {
        let (gl, fixed) = (&self.context.gl, &self.context.fixed);
        // SAFETY: the caller's; each draw's vertices are in the buffer.
        unsafe {
            match way {
                Way::Immediate => self.immediate(fixed),
                Way::DisplayList => (fixed.call_list)(LIST),
                Way::StaticBuffer => {
                    for &step in &self.arrays.steps {
                        match step {
                            Step::State(call) => self.call(fixed, call),
                            Step::Draw { mode, first, count } => gl.draw_arrays(mode, first, count),
                        }
                    }
                }
            }
        }
    }

    /// Cycles of a frame in one pixel, to its end.
    pub fn frame(&self, way: Way) -> u64 {
        let [x, y] = PIXEL;
        // SAFETY: the context is current on this thread, see `new`.
        unsafe {
            self.context.gl.scissor(x.cast_signed(), (SIDE - 1 - y).cast_signed(), 1, 1);
            let start = now();
            self.draw(way);
            self.context.gl.finish();
            now().saturating_sub(start)
        }
    }

    /// Cycles of going through the calls of immediate mode, with functions that do nothing.
    pub fn walk(&self) -> u64 {
        let fixed = std::hint::black_box(Fixed::empty());
        let start = now();
        // SAFETY: these functions do nothing.
        unsafe { self.immediate(&fixed) }
        now().saturating_sub(start)
    }

    /// The whole picture of a frame: RGBA, top row first.
    pub fn picture(&self, way: Way) -> Result<Vec<u8>, Error> {
        let gl = &self.context.gl;
        let side = SIDE.cast_signed();
        let row = SIDE as usize * 4;
        let mut pixels = vec![0; row * SIDE as usize];
        // SAFETY: as in `frame`; the slice has room for all pixels.
        let error = unsafe {
            gl.scissor(0, 0, side, side);
            gl.clear_color(0.0, 0.0, 0.0, 1.0);
            gl.clear(glow::COLOR_BUFFER_BIT | glow::DEPTH_BUFFER_BIT);
            self.draw(way);
            let into = glow::PixelPackData::Slice(Some(&mut pixels));
            gl.read_pixels(0, 0, side, side, glow::RGBA, glow::UNSIGNED_BYTE, into);
            gl.get_error()
        };
        if error != glow::NO_ERROR {
            return Err(Error::Refused(error));
        }
        Ok(pixels.chunks_exact(row).rev().flatten().copied().collect())
    }

    /// OpenGL's version and renderer, for people.
    pub fn describe(&self) -> String {
        let gl = &self.context.gl;
        // SAFETY: as in `frame`.
        unsafe {
            format!("{}, {}", gl.get_parameter_string(glow::VERSION), gl.get_parameter_string(glow::RENDERER))
        }
    }
}
