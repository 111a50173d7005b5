//! OpenGL's compatibility profile: a context without a screen, and the functions of the fixed pipeline, which glow has not.

use super::Error;
use glutin::api::egl::context::PossiblyCurrentContext;
use glutin::api::egl::device::Device;
use glutin::api::egl::display::Display;
use glutin::config::{ConfigSurfaceTypes, ConfigTemplateBuilder};
use glutin::context::{ContextApi, ContextAttributesBuilder, GlProfile, Version};
use glutin::display::GlDisplay;
use std::ffi::{CString, c_void};

macro_rules! fixed_functions {
    ($( $name:ident = $text:literal ( $($arg:ty),* ); )*) => {
        /// The functions.
        pub struct Fixed { $( pub $name: unsafe extern "system" fn($($arg),*), )* }

        impl Fixed {
            /// # Safety
            /// `address` gives the functions of a compatibility context by their names.
            unsafe fn load(address: impl Fn(&str) -> *const c_void) -> Result<Fixed, Error> {
                Ok(Fixed { $( $name: {
                    let address = address($text);
                    if address.is_null() {
                        return Err(Error::Function($text));
                    }
                    // SAFETY: the address is the named function's, whose type is that of the headers.
                    unsafe { std::mem::transmute::<*const c_void, unsafe extern "system" fn($($arg),*)>(address) }
                }, )* })
            }

            /// Functions that do nothing, for what going through the calls costs by itself.
            pub fn empty() -> Fixed {
                Fixed { $( $name: {
                    unsafe extern "system" fn nothing( $( _: $arg ),* ) {}
                    nothing
                }, )* }
            }
        }
    };
}

fixed_functions! {
    begin = "glBegin" (u32);
    end = "glEnd" ();
    vertex3 = "glVertex3f" (f32, f32, f32);
    normal3 = "glNormal3f" (f32, f32, f32);
    material = "glMaterialfv" (u32, u32, *const f32);
    light = "glLightfv" (u32, u32, *const f32);
    shade_model = "glShadeModel" (u32);
    enable = "glEnable" (u32);
    matrix_mode = "glMatrixMode" (u32);
    load_identity = "glLoadIdentity" ();
    frustum = "glFrustum" (f64, f64, f64, f64, f64, f64);
    translate = "glTranslatef" (f32, f32, f32);
    rotate = "glRotatef" (f32, f32, f32, f32);
    new_list = "glNewList" (u32, u32);
    end_list = "glEndList" ();
    call_list = "glCallList" (u32);
    enable_client_state = "glEnableClientState" (u32);
    vertex_pointer = "glVertexPointer" (i32, u32, i32, usize);
    normal_pointer = "glNormalPointer" (u32, i32, usize);
}

/// A compatibility context that is current on the thread that made it.
pub struct Compatibility {
    pub gl: glow::Context,
    pub fixed: Fixed,
    _context: PossiblyCurrentContext,
    _display: Display,
}

impl Compatibility {
    /// Makes one, on the device that the server takes: a GPU if there is one, else software.
    pub fn new() -> Result<Compatibility, Error> {
        let devices = Device::query_devices().map_err(|error| Error::Compatibility(error.to_string()))?;
        let mut devices: Vec<Device> = devices.collect();
        devices.sort_by_key(|device| device.extensions().contains("EGL_MESA_device_software"));
        let mut failure = "there is no EGL device".to_owned();
        for device in &devices {
            match Compatibility::on(device) {
                Ok(made) => return Ok(made),
                Err(error) => failure = error.to_string(),
            }
        }
        Err(Error::Compatibility(failure))
    }

    fn on(device: &Device) -> Result<Compatibility, Error> {
        let failed = |error: glutin::error::Error| Error::Compatibility(error.to_string());
        // SAFETY: no raw display handle is given, so there is none that must outlive the display.
        let display = unsafe { Display::with_device(device, None) }.map_err(failed)?;
        let template = ConfigTemplateBuilder::new().with_surface_type(ConfigSurfaceTypes::empty()).build();
        // SAFETY: the template names no native window.
        let config = unsafe { display.find_configs(template) }.map_err(failed)?.next();
        let config = config.ok_or_else(|| Error::Compatibility("the device has no configuration".into()))?;
        let attributes = ContextAttributesBuilder::new()
            .with_context_api(ContextApi::OpenGl(Some(Version::new(3, 3))))
            .with_profile(GlProfile::Compatibility)
            .build(None);
        // SAFETY: the attributes name no native window.
        let context = unsafe { display.create_context(&config, &attributes) };
        let context = context.and_then(|context| context.make_current_surfaceless()).map_err(failed)?;
        let address =
            |name: &str| CString::new(name).map_or(std::ptr::null(), |name| display.get_proc_address(&name));
        // SAFETY: the context is this display's and current on this thread.
        let gl = unsafe { glow::Context::from_loader_function(address) };
        // SAFETY: as above, and the context is of the compatibility profile.
        let fixed = unsafe { Fixed::load(address) }?;
        Ok(Compatibility { gl, fixed, _context: context, _display: display })
    }
}
