//! The same scenes by the real OpenGL: its compatibility profile, on a thread of its own.
//!
//! Each instruction of a verified program becomes the OpenGL call that its row of the op table names. The
//! registers are computed here once more, without the JIT.

use crate::scene::Scene;
use blinkgl::layout::texture::{Format, Levels};
use blinkgl::ops::{External, Op};
use glow::HasContext;
use glutin::api::egl::context::PossiblyCurrentContext;
use glutin::api::egl::device::Device;
use glutin::api::egl::display::Display;
use glutin::config::{ConfigSurfaceTypes, ConfigTemplateBuilder};
use glutin::context::{ContextApi, ContextAttributesBuilder, GlProfile, Version};
use glutin::display::GlDisplay;
use glutin::prelude::PossiblyCurrentGlContext;
use jit::Environment;
use std::collections::HashMap;
use std::ffi::{CString, c_void};
use verifier::{VerifiedInstruction, VerifiedProgram};

/// OpenGL's fixed functions, which glow has not.
macro_rules! fixed_functions {
    ($( $name:ident = $text:literal ( $($arg:ty),* ); )*) => {
        struct Fixed { $( $name: unsafe extern "system" fn($($arg),*), )* }

        impl Fixed {
            /// # Safety
            /// `address` gives the functions of a compatibility context by their names.
            unsafe fn load(address: impl Fn(&str) -> *const c_void) -> Fixed {
                Fixed { $( $name: {
                    let address = address($text);
                    assert!(!address.is_null(), "OpenGL has no {}", $text);
                    // SAFETY: the address is the named function's, whose type is that of the headers.
                    unsafe { std::mem::transmute::<*const c_void, unsafe extern "system" fn($($arg),*)>(address) }
                }, )* }
            }
        }
    };
}

fixed_functions! {
    begin = "glBegin" (u32);
    end = "glEnd" ();
    vertex2 = "glVertex2f" (f32, f32);
    vertex3 = "glVertex3f" (f32, f32, f32);
    vertex4 = "glVertex4f" (f32, f32, f32, f32);
    normal3 = "glNormal3f" (f32, f32, f32);
    color4 = "glColor4f" (f32, f32, f32, f32);
    tex_coord2 = "glTexCoord2f" (f32, f32);
    tex_coord4 = "glTexCoord4f" (f32, f32, f32, f32);
    material = "glMaterialfv" (u32, u32, *const f32);
    matrix_mode = "glMatrixMode" (u32);
    load_identity = "glLoadIdentity" ();
    load_matrix = "glLoadMatrixf" (*const f32);
    mult_matrix = "glMultMatrixf" (*const f32);
    push_matrix = "glPushMatrix" ();
    pop_matrix = "glPopMatrix" ();
    translate = "glTranslatef" (f32, f32, f32);
    rotate = "glRotatef" (f32, f32, f32, f32);
    scale = "glScalef" (f32, f32, f32);
    frustum = "glFrustum" (f64, f64, f64, f64, f64, f64);
    ortho = "glOrtho" (f64, f64, f64, f64, f64, f64);
    shade_model = "glShadeModel" (u32);
    point_size = "glPointSize" (f32);
    light = "glLightfv" (u32, u32, *const f32);
    light_model = "glLightModelfv" (u32, *const f32);
    color_material = "glColorMaterial" (u32, u32);
    tex_env_int = "glTexEnvi" (u32, u32, i32);
    tex_env_floats = "glTexEnvfv" (u32, u32, *const f32);
    new_list = "glNewList" (u32, u32);
    end_list = "glEndList" ();
    call_list = "glCallList" (u32);
    multi_tex_coord4 = "glMultiTexCoord4f" (u32, f32, f32, f32, f32);
    alpha_func = "glAlphaFunc" (u32, f32);
    clip_plane = "glClipPlane" (u32, *const f64);
    fog_int = "glFogi" (u32, i32);
    fog_floats = "glFogfv" (u32, *const f32);
    push_attrib = "glPushAttrib" (u32);
    pop_attrib = "glPopAttrib" ();
    get_floats = "glGetFloatv" (u32, *mut f32);
    hint = "glHint" (u32, u32);
    logic_op = "glLogicOp" (u32);
    point_parameter = "glPointParameterfv" (u32, *const f32);
    tex_env_float = "glTexEnvf" (u32, u32, f32);
    tex_gen_int = "glTexGeni" (u32, u32, i32);
    tex_gen_floats = "glTexGenfv" (u32, u32, *const f32);
    client_active_texture = "glClientActiveTexture" (u32);
    enable_client_state = "glEnableClientState" (u32);
    disable_client_state = "glDisableClientState" (u32);
    vertex_pointer = "glVertexPointer" (i32, u32, i32, usize);
    normal_pointer = "glNormalPointer" (u32, i32, usize);
    color_pointer = "glColorPointer" (i32, u32, i32, usize);
    tex_coord_pointer = "glTexCoordPointer" (i32, u32, i32, usize);
}

const CURRENT_COLOR: u32 = 0x0b00;
const VERTEX_ARRAY: u32 = 0x8074;
const NORMAL_ARRAY: u32 = 0x8075;
const COLOR_ARRAY: u32 = 0x8076;
const TEXTURE_COORD_ARRAY: u32 = 0x8078;

/// The pictures of scenes: RGBA, top row first.
pub fn pictures(scenes: &[Scene]) -> Vec<Vec<u8>> {
    let references: Vec<&Scene> = scenes.iter().map(|s| s.reference.as_deref().unwrap_or(s)).collect();
    let pictures = try_pictures(&references).into_iter().zip(references);
    let checked = pictures.map(|(picture, scene)| {
        picture.unwrap_or_else(|error| panic!("{}: OpenGL refuses a call: {error:#x}", scene.name))
    });
    checked.collect()
}

/// The same, of programs with mistakes too: OpenGL's error code where it refuses a call.
pub fn try_pictures(scenes: &[&Scene]) -> Vec<Result<Vec<u8>, u32>> {
    // The tracker's context is current on the caller's thread and has to stay so.
    std::thread::scope(|scope| {
        let drawn = scenes.iter().map(|scene| picture(scene));
        scope.spawn(|| drawn.collect::<Vec<_>>()).join().expect("OpenGL draws them")
    })
}

fn picture(scene: &Scene) -> Result<Vec<u8>, u32> {
    // A context for each, so that each starts from OpenGL's own initial state.
    let (context, display) = compatibility_context();
    let address = |name: &str| display.get_proc_address(&CString::new(name).unwrap());
    // SAFETY: the context is current on this thread until the end of the function, with its functions.
    let (gl, fixed) = unsafe { (glow::Context::from_loader_function(address), Fixed::load(address)) };
    let (width, height) = (scene.width.cast_signed(), scene.height.cast_signed());
    let mut pixels = vec![0; scene.width as usize * scene.height as usize * 4];
    // SAFETY: as above; `pixels` has room for all of the framebuffer, and the textures for their texels.
    let refused = unsafe {
        let color = gl.create_texture().unwrap();
        gl.bind_texture(glow::TEXTURE_2D, Some(color));
        let nothing = glow::PixelUnpackData::Slice(None);
        let format = glow::RGBA8.cast_signed();
        gl.tex_image_2d(
            glow::TEXTURE_2D,
            0,
            format,
            width,
            height,
            0,
            glow::RGBA,
            glow::UNSIGNED_BYTE,
            nothing,
        );
        let depth = gl.create_renderbuffer().unwrap();
        gl.bind_renderbuffer(glow::RENDERBUFFER, Some(depth));
        gl.renderbuffer_storage(glow::RENDERBUFFER, glow::DEPTH24_STENCIL8, width, height);
        gl.bind_framebuffer(glow::FRAMEBUFFER, Some(gl.create_framebuffer().unwrap()));
        let target = glow::TEXTURE_2D;
        gl.framebuffer_texture_2d(glow::FRAMEBUFFER, glow::COLOR_ATTACHMENT0, target, Some(color), 0);
        let target = glow::RENDERBUFFER;
        gl.framebuffer_renderbuffer(glow::FRAMEBUFFER, glow::DEPTH_STENCIL_ATTACHMENT, target, Some(depth));
        assert_eq!(gl.check_framebuffer_status(glow::FRAMEBUFFER), glow::FRAMEBUFFER_COMPLETE);
        // What a new window has.
        gl.viewport(0, 0, width, height);
        gl.scissor(0, 0, width, height);
        gl.clear_color(0.0, 0.0, 0.0, 1.0);
        gl.clear(glow::COLOR_BUFFER_BIT | glow::DEPTH_BUFFER_BIT | glow::STENCIL_BUFFER_BIT);
        gl.clear_color(0.0, 0.0, 0.0, 0.0);

        gl.pixel_store_i32(glow::UNPACK_ALIGNMENT, 1);
        let textures = scene.textures.iter().map(|t| (t.oid, upload(&gl, t))).collect();
        gl.bind_texture(glow::TEXTURE_2D, None);
        let buffers = scene.buffers.iter().map(|b| (b.oid, upload_buffer(&gl, b))).collect();
        let environment = scene.environment();
        let mut registers = scene.registers.map(f32::from_bits);
        let mut refused = None;
        for program in &scene.programs {
            (fixed.matrix_mode)(0x1700);
            gl.active_texture(glow::TEXTURE0);
            let mut walk = Walk {
                gl: &gl,
                fixed: &fixed,
                textures: &textures,
                buffers: &buffers,
                environment: &environment,
            };
            walk.program(program, &mut registers);
            refused = refused.or(Some(gl.get_error()).filter(|&error| error != glow::NO_ERROR));
        }
        let into = glow::PixelPackData::Slice(Some(&mut pixels));
        gl.read_pixels(0, 0, width, height, glow::RGBA, glow::UNSIGNED_BYTE, into);
        refused
    };
    // A context that is current is not destroyed.
    drop(context.make_not_current().unwrap());
    match refused {
        None => Ok(pixels.chunks_exact(scene.width as usize * 4).rev().flatten().copied().collect()),
        Some(error) => Err(error),
    }
}

fn compatibility_context() -> (PossiblyCurrentContext, Display) {
    let mut devices: Vec<Device> = Device::query_devices().unwrap().collect();
    devices.sort_by_key(|device| device.extensions().contains("EGL_MESA_device_software"));
    for device in &devices {
        // SAFETY: no raw display handle is given, so there is none that must outlive the display.
        let Ok(display) = (unsafe { Display::with_device(device, None) }) else { continue };
        let template = ConfigTemplateBuilder::new().with_surface_type(ConfigSurfaceTypes::empty()).build();
        // SAFETY: the template names no native window.
        let Some(config) = unsafe { display.find_configs(template) }.ok().and_then(|mut all| all.next())
        else {
            continue;
        };
        let attributes = ContextAttributesBuilder::new()
            .with_context_api(ContextApi::OpenGl(Some(Version::new(3, 3))))
            .with_profile(GlProfile::Compatibility)
            .build(None);
        // SAFETY: the attributes name no native window.
        let context = unsafe { display.create_context(&config, &attributes) };
        if let Ok(context) = context.and_then(|context| context.make_current_surfaceless()) {
            return (context, display);
        }
    }
    panic!("no EGL device has OpenGL's compatibility profile");
}

/// # Safety
/// The context is current.
unsafe fn upload(gl: &glow::Context, texture: &crate::scene::Texture) -> glow::Texture {
    let desc = &texture.desc;
    let (internal, format) = match desc.format {
        Format::Bgra8 => (glow::RGBA8, glow::BGRA),
        Format::Rgba8 => (glow::RGBA8, glow::RGBA),
        Format::Rgb8 => (glow::RGB8, glow::RGB),
        Format::Luminance8 => (0x8040, glow::LUMINANCE),
        Format::LuminanceAlpha8 => (0x8045, glow::LUMINANCE_ALPHA),
        Format::Alpha8 => (0x803c, glow::ALPHA),
        Format::Yuv420 => panic!("what OpenGL itself can draw"),
    };
    // SAFETY: the caller's; the texels of each level are all there, or its slice would end the test.
    unsafe {
        let name = gl.create_texture().unwrap();
        gl.bind_texture(glow::TEXTURE_2D, Some(name));
        gl.pixel_store_i32(glow::UNPACK_ALIGNMENT, 1);
        for level in 0..desc.levels.given() {
            let plane = desc.plane(level, 0).unwrap();
            assert_eq!(plane.stride, desc.format.min_stride(plane.width), "rows without gaps");
            let size = (plane.stride * plane.height) as usize;
            let texels = glow::PixelUnpackData::Slice(Some(&texture.bytes[plane.offset..][..size]));
            let (width, height) = (plane.width.cast_signed(), plane.height.cast_signed());
            let (level, internal) = (level.cast_signed(), internal.cast_signed());
            let kind = glow::UNSIGNED_BYTE;
            gl.tex_image_2d(glow::TEXTURE_2D, level, internal, width, height, 0, format, kind, texels);
        }
        if desc.levels == Levels::Generated {
            gl.generate_mipmap(glow::TEXTURE_2D);
        } else {
            let last = desc.levels.given().cast_signed() - 1;
            gl.tex_parameter_i32(glow::TEXTURE_2D, glow::TEXTURE_MAX_LEVEL, last);
        }
        // Blink's initial value where there are no mipmaps, which OpenGL's needs.
        if desc.levels == Levels::Given(1) {
            gl.tex_parameter_i32(glow::TEXTURE_2D, glow::TEXTURE_MIN_FILTER, glow::LINEAR.cast_signed());
        }
        name
    }
}

/// # Safety
/// The context is current.
unsafe fn upload_buffer(gl: &glow::Context, buffer: &crate::scene::Buffer) -> glow::Buffer {
    // SAFETY: the caller's.
    unsafe {
        let name = gl.create_buffer().unwrap();
        gl.bind_buffer(glow::ARRAY_BUFFER, Some(name));
        gl.buffer_data_u8_slice(glow::ARRAY_BUFFER, &buffer.bytes, glow::STATIC_DRAW);
        gl.bind_buffer(glow::ARRAY_BUFFER, None);
        name
    }
}

struct Walk<'a> {
    gl: &'a glow::Context,
    fixed: &'a Fixed,
    textures: &'a HashMap<u32, glow::Texture>,
    buffers: &'a HashMap<u32, glow::Buffer>,
    environment: &'a Environment,
}

impl Walk<'_> {
    fn program(&mut self, program: &VerifiedProgram, registers: &mut [f32; 32]) {
        let instructions: Vec<VerifiedInstruction<'_>> = program.instructions().collect();
        let mut at = 0;
        while let Some(instruction) = instructions.get(at) {
            at += 1;
            if let Some(target) = self.instruction(instruction, registers) {
                at = instructions.partition_point(|i| i.offset < target as usize);
            }
        }
    }

    /// What OpenGL calls an array, whose texture unit becomes the active one of arrays.
    ///
    /// # Safety
    /// The context is current.
    unsafe fn client_state(&self, array: u32) -> u32 {
        let unit = array.saturating_sub(TEXTURE_COORD_ARRAY);
        // SAFETY: the caller's.
        unsafe { (self.fixed.client_active_texture)(glow::TEXTURE0 + unit) };
        array - unit
    }

    /// Makes Mesa 22.3 do what it put off: drawing, and giving the current color to the material that tracks it.
    /// Else that is what is tracked by then.
    ///
    /// # Safety
    /// The context is current.
    unsafe fn flush_current_values(&self) {
        let mut color = [0.0f32; 4];
        // SAFETY: the caller's; a color has four floats.
        unsafe {
            (self.fixed.get_floats)(CURRENT_COLOR, color.as_mut_ptr());
            self.gl.flush();
        }
    }

    /// Sets the current color, normal and texture coordinates to what they are: Mesa 22.3 restores them, but draws
    /// with those of before until they change. (Not where a list is compiled: scenes have others for OpenGL then.)
    ///
    /// # Safety
    /// The context is current, and no list is being compiled.
    unsafe fn take_notice_of_current_values(&self) {
        const CURRENT_NORMAL: u32 = 0x0b02;
        const CURRENT_TEXTURE_COORDS: u32 = 0x0b03;
        let (gl, fixed) = (self.gl, self.fixed);
        // SAFETY: the caller's; the values have four floats at most.
        unsafe {
            let get = |what: u32| {
                let mut value = [0.0f32; 4];
                (fixed.get_floats)(what, value.as_mut_ptr());
                value
            };
            let active = gl.get_parameter_i32(glow::ACTIVE_TEXTURE).cast_unsigned();
            let (color, normal) = (get(CURRENT_COLOR), get(CURRENT_NORMAL));
            let coordinates = [glow::TEXTURE0, glow::TEXTURE1].map(|unit| {
                gl.active_texture(unit);
                (unit, get(CURRENT_TEXTURE_COORDS))
            });
            gl.active_texture(active);
            // Others first, and looked at, so that these are a change.
            for by in [0.25, 0.0] {
                let [r, g, b, a] = color.map(|c| c + by);
                (fixed.color4)(r, g, b, a);
                let [x, y, z, _] = normal.map(|c| c + by);
                (fixed.normal3)(x, y, z);
                for (unit, value) in coordinates {
                    let [s, t, r, q] = value.map(|c| c + by);
                    (fixed.multi_tex_coord4)(unit, s, t, r, q);
                }
                self.flush_current_values();
            }
        }
    }

    /// Executes an instruction; gives the target if it jumps.
    fn instruction(&mut self, i: &VerifiedInstruction<'_>, registers: &mut [f32; 32]) -> Option<u32> {
        let file = *registers;
        let word = |n: usize| if i.is_register(n) { file[i.args[n] as usize].to_bits() } else { i.args[n] };
        let float = |n: usize| f32::from_bits(word(n));
        let int = |n: usize| if i.is_register(n) { float(n) as i32 } else { i.args[n].cast_signed() };
        let on = |n: usize| word(n) != 0;
        let floats = |n: usize| [float(n), float(n + 1), float(n + 2), float(n + 3)];
        let matrix = || std::array::from_fn::<f32, 16, _>(float);
        let holds = |n: usize, a: f32, b: f32| match i.args[n] {
            0 => a < b,
            1 => a <= b,
            2 => a == b,
            3 => a != b,
            4 => a >= b,
            _ => a > b,
        };
        let mut written = None;
        let mut set = |value: f32| written = Some(value);
        let (gl, fixed) = (self.gl, self.fixed);
        // SAFETY: the context is current, the pointers are to as many floats as the calls read, and calls that stand
        // at a wrong place or have wrong values are errors in OpenGL, which it ignores.
        unsafe {
            match i.op() {
                Op::Mov => set(float(1)),
                Op::Add => set(float(1) + float(2)),
                Op::Sub => set(float(1) - float(2)),
                Op::Mul => set(float(1) * float(2)),
                Op::Div => set(float(1) / float(2)),
                Op::Min => set(if float(1) < float(2) { float(1) } else { float(2) }),
                Op::Max => set(if float(1) > float(2) { float(1) } else { float(2) }),
                Op::Neg => set(-float(1)),
                Op::Abs => set(float(1).abs()),
                Op::Floor => set(float(1).floor()),
                Op::Fract => set(float(1) - float(1).floor()),
                Op::Sqrt => set(float(1).sqrt()),
                Op::Sin => set(float(1).sin()),
                Op::Cos => set(float(1).cos()),
                Op::Atan2 => set(float(1).atan2(float(2))),
                Op::Cmp => set(if holds(1, float(2), float(3)) { 1.0 } else { 0.0 }),
                Op::Select => set(if float(1) == 0.0 { float(3) } else { float(2) }),
                Op::Jmp => return Some(i.args[0]),
                Op::JmpIf => return holds(0, float(1), float(2)).then_some(i.args[3]),
                Op::Read => set(External::from_code(i.args[1]).map_or(0.0, |e| self.environment.get(e))),
                Op::TimeSince => {
                    let moment = u64::from(word(1)) << 32 | u64::from(word(2));
                    let since = i128::from(self.environment.presentation_ns) - i128::from(moment);
                    set((since as f64 / 1e9) as f32)
                }
                Op::TimeMod => {
                    let (now, period) = (self.environment.presentation_ns as f64 / 1e9, f64::from(float(1)));
                    set(if period > 0.0 && period.is_finite() { (now % period) as f32 } else { 0.0 })
                }
                Op::RequestFrame | Op::Damage | Op::Notify => {}
                Op::Begin => (fixed.begin)(word(0)),
                Op::End => (fixed.end)(),
                Op::Vertex2 => (fixed.vertex2)(float(0), float(1)),
                Op::Vertex3 => (fixed.vertex3)(float(0), float(1), float(2)),
                Op::Vertex4 => (fixed.vertex4)(float(0), float(1), float(2), float(3)),
                Op::Normal3 => (fixed.normal3)(float(0), float(1), float(2)),
                Op::Color4 => (fixed.color4)(float(0), float(1), float(2), float(3)),
                Op::TexCoord2 => (fixed.tex_coord2)(float(0), float(1)),
                Op::TexCoord4 => (fixed.tex_coord4)(float(0), float(1), float(2), float(3)),
                Op::Material => (fixed.material)(word(0), word(1), floats(2).as_ptr()),
                Op::MatrixMode => (fixed.matrix_mode)(word(0)),
                Op::LoadIdentity => (fixed.load_identity)(),
                Op::LoadMatrix => (fixed.load_matrix)(matrix().as_ptr()),
                Op::MultMatrix => (fixed.mult_matrix)(matrix().as_ptr()),
                Op::PushMatrix => (fixed.push_matrix)(),
                Op::PopMatrix => (fixed.pop_matrix)(),
                Op::Translate => (fixed.translate)(float(0), float(1), float(2)),
                Op::Rotate => (fixed.rotate)(float(0), float(1), float(2), float(3)),
                Op::Scale => (fixed.scale)(float(0), float(1), float(2)),
                op @ (Op::Frustum | Op::Ortho) => {
                    let [l, r, b, t, n, f] = std::array::from_fn(|n| f64::from(float(n)));
                    let call = if op == Op::Frustum { fixed.frustum } else { fixed.ortho };
                    call(l, r, b, t, n, f);
                }
                Op::Enable => gl.enable(word(0)),
                Op::Disable => gl.disable(word(0)),
                Op::ShadeModel => (fixed.shade_model)(word(0)),
                Op::CullFace => gl.cull_face(word(0)),
                Op::FrontFace => gl.front_face(word(0)),
                Op::DepthFunc => gl.depth_func(word(0)),
                Op::DepthMask => gl.depth_mask(on(0)),
                Op::DepthRange => gl.depth_range_f32(float(0), float(1)),
                Op::ColorMask => gl.color_mask(on(0), on(1), on(2), on(3)),
                Op::BlendFunc => gl.blend_func(word(0), word(1)),
                Op::Scissor => gl.scissor(int(0), int(1), int(2), int(3)),
                Op::Viewport => gl.viewport(int(0), int(1), int(2), int(3)),
                Op::ClearColor => gl.clear_color(float(0), float(1), float(2), float(3)),
                Op::ClearDepth => gl.clear_depth_f32(float(0)),
                Op::Clear => gl.clear(word(0)),
                Op::PointSize => (fixed.point_size)(float(0)),
                Op::LineWidth => gl.line_width(float(0)),
                Op::Light => (fixed.light)(word(0), word(1), floats(2).as_ptr()),
                Op::LightModel => (fixed.light_model)(word(0), floats(1).as_ptr()),
                Op::ColorMaterial => {
                    self.flush_current_values();
                    (fixed.color_material)(word(0), word(1));
                }
                Op::BindTexture => {
                    gl.bind_texture(glow::TEXTURE_2D, self.textures.get(&word(0)).copied());
                }
                Op::TexEnvMode => (fixed.tex_env_int)(0x2300, 0x2200, int(0)),
                Op::TexEnvColor => (fixed.tex_env_floats)(0x2300, 0x2201, floats(0).as_ptr()),
                Op::TexParameter => gl.tex_parameter_i32(glow::TEXTURE_2D, word(0), int(1)),
                Op::NewList => (fixed.new_list)(word(0), 0x1300),
                Op::EndList => (fixed.end_list)(),
                Op::CallList => (fixed.call_list)(word(0)),
                Op::MultiTexCoord4 => {
                    (fixed.multi_tex_coord4)(word(0), float(1), float(2), float(3), float(4));
                }
                Op::BlendFuncSeparate => gl.blend_func_separate(word(0), word(1), word(2), word(3)),
                Op::BlendEquation => gl.blend_equation_separate(word(0), word(1)),
                Op::BlendColor => gl.blend_color(float(0), float(1), float(2), float(3)),
                Op::LogicOp => (fixed.logic_op)(word(0)),
                Op::AlphaFunc => (fixed.alpha_func)(word(0), float(1)),
                Op::StencilFunc => gl.stencil_func(word(0), int(1), word(2)),
                Op::StencilOp => gl.stencil_op(word(0), word(1), word(2)),
                Op::StencilMask => gl.stencil_mask(word(0)),
                Op::ClearStencil => gl.clear_stencil(int(0)),
                Op::PolygonMode => gl.polygon_mode(word(0), word(1)),
                Op::PolygonOffset => gl.polygon_offset(float(0), float(1)),
                Op::PointParameter => {
                    (fixed.point_parameter)(word(0), [float(1), float(2), float(3)].as_ptr());
                }
                Op::ClipPlane => (fixed.clip_plane)(word(0), floats(1).map(f64::from).as_ptr()),
                Op::FogMode => (fixed.fog_int)(0x0b65, int(0)),
                Op::Fog => (fixed.fog_floats)(word(0), floats(1).as_ptr()),
                Op::PushAttrib => {
                    self.flush_current_values();
                    (fixed.push_attrib)(word(0));
                }
                Op::PopAttrib => {
                    self.flush_current_values();
                    (fixed.pop_attrib)();
                    self.take_notice_of_current_values();
                }
                Op::Hint => (fixed.hint)(word(0), word(1)),
                Op::ActiveTexture => gl.active_texture(word(0)),
                Op::TexEnvCombine => (fixed.tex_env_int)(0x2300, word(0), int(1)),
                Op::TexEnvScale => (fixed.tex_env_float)(0x2300, word(0), float(1)),
                Op::TexGenMode => (fixed.tex_gen_int)(word(0), 0x2500, int(1)),
                Op::TexGenPlane => (fixed.tex_gen_floats)(word(0), word(1), floats(2).as_ptr()),
                Op::ArrayPointer => {
                    gl.bind_buffer(glow::ARRAY_BUFFER, self.buffers.get(&word(4)).copied());
                    let (size, data, stride, offset) = (int(1), word(2), int(3), word(5) as usize);
                    match self.client_state(word(0)) {
                        VERTEX_ARRAY => (fixed.vertex_pointer)(size, data, stride, offset),
                        NORMAL_ARRAY => (fixed.normal_pointer)(data, stride, offset),
                        COLOR_ARRAY => (fixed.color_pointer)(size, data, stride, offset),
                        _ => (fixed.tex_coord_pointer)(size, data, stride, offset),
                    }
                }
                Op::EnableArray => {
                    let state = self.client_state(word(0));
                    if on(1) {
                        (fixed.enable_client_state)(state)
                    } else {
                        (fixed.disable_client_state)(state)
                    }
                }
                Op::DrawArrays => gl.draw_arrays(word(0), int(1), int(2)),
                Op::DrawElements => {
                    gl.bind_buffer(glow::ELEMENT_ARRAY_BUFFER, self.buffers.get(&word(3)).copied());
                    gl.draw_elements(word(0), int(1), word(2), int(4));
                }
            }
        }
        if let Some(value) = written {
            registers[i.args[0] as usize] = value;
        }
        None
    }
}
