//! An OpenGL context without a screen: an EGL device, made current without a surface.

use glow::HasContext;
use glutin::api::egl::context::PossiblyCurrentContext;
use glutin::api::egl::device::Device;
use glutin::api::egl::display::Display;
use glutin::config::{ConfigSurfaceTypes, ConfigTemplateBuilder};
use glutin::context::{ContextApi, ContextAttributesBuilder, GlProfile, Robustness, Version};
use glutin::display::GlDisplay;
use std::ffi::c_void;
use std::marker::PhantomData;

/// Why there is no context.
#[derive(Debug, thiserror::Error)]
pub enum ContextError {
    /// EGL is missing or has no devices.
    #[error("EGL has no devices ({0}); on Debian, install libegl1 and libgl1-mesa-dri")]
    NoDevices(glutin::error::Error),
    /// No device gives a usable context.
    #[error("no EGL device gives OpenGL 3.3 or OpenGL ES 3.0: {0}")]
    NoContext(String),
}

/// glLogicOp.
pub type LogicOp = unsafe extern "system" fn(u32);

/// OpenGL's functions: glow's, and one that glow has not.
#[derive(Debug)]
pub struct Functions {
    pub(super) gl: glow::Context,
    /// `None`: OpenGL ES has none.
    pub(super) logic_op: Option<LogicOp>,
    /// The context is current on one thread only.
    pub(super) _thread: PhantomData<*const ()>,
}

impl Functions {
    /// The functions of the context that is current on this thread.
    ///
    /// # Safety
    /// The context is one of `display`'s, and stays current on this thread as long as the functions are used.
    pub unsafe fn load(display: &impl GlDisplay) -> Functions {
        // SAFETY: the loader gives the functions of the current context's display, as the caller says.
        let gl = unsafe { glow::Context::from_loader_function_cstr(|name| display.get_proc_address(name)) };
        let address = display.get_proc_address(c"glLogicOp");
        let logic_op = if gl.version().is_embedded || address.is_null() {
            None
        } else {
            // SAFETY: the address is the named function's, of which the OpenGL headers say that it takes a GLenum,
            // 32 bits, and gives nothing.
            Some(unsafe { std::mem::transmute::<*const c_void, LogicOp>(address) })
        };
        Functions { gl, logic_op, _thread: PhantomData }
    }
}

/// A current OpenGL context without a screen.
#[derive(Debug)]
pub struct Headless {
    _context: PossiblyCurrentContext,
    _display: Display,
}

/// Kinds of OpenGL that the shaders are written for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flavor {
    /// OpenGL 3.3, core profile.
    Desktop,
    /// OpenGL ES 3.0.
    Embedded,
}

impl Flavor {
    /// Both, in the order of preference.
    pub const ALL: [Flavor; 2] = [Flavor::Desktop, Flavor::Embedded];

    fn api(self) -> ContextApi {
        match self {
            Flavor::Desktop => ContextApi::OpenGl(Some(Version::new(3, 3))),
            Flavor::Embedded => ContextApi::Gles(Some(Version::new(3, 0))),
        }
    }
}

impl Headless {
    /// Makes a context current on this thread: on a GPU if there is one, else in software.
    ///
    /// # Errors
    /// There is none.
    pub fn new() -> Result<(Headless, Functions), ContextError> {
        Headless::of(&Flavor::ALL)
    }

    /// The same, of the first of these flavors that a device has.
    ///
    /// # Errors
    /// There is none.
    pub fn of(flavors: &[Flavor]) -> Result<(Headless, Functions), ContextError> {
        let mut devices: Vec<Device> = Device::query_devices().map_err(ContextError::NoDevices)?.collect();
        devices.sort_by_key(|device| device.extensions().contains("EGL_MESA_device_software"));
        let mut failure = "there is no EGL device".to_owned();
        for device in &devices {
            match Headless::on(device, flavors) {
                Ok(made) => return Ok(made),
                Err(error) => failure = error.to_string(),
            }
        }
        Err(ContextError::NoContext(failure))
    }

    fn on(device: &Device, flavors: &[Flavor]) -> Result<(Headless, Functions), glutin::error::Error> {
        // SAFETY: no raw display handle is given, so there is none that must outlive the display.
        let display = unsafe { Display::with_device(device, None) }?;
        // The default template asks for windows, which a device without a screen has not.
        let template = ConfigTemplateBuilder::new().with_surface_type(ConfigSurfaceTypes::empty()).build();
        // SAFETY: the template names no native window.
        let config = unsafe { display.find_configs(template) }?.next();
        let mut failure = None;
        if let Some(config) = config {
            let robust = [Robustness::RobustLoseContextOnReset, Robustness::NotRobust];
            for (flavor, robustness) in flavors.iter().flat_map(|&f| robust.map(|r| (f, r))) {
                let attributes = ContextAttributesBuilder::new()
                    .with_context_api(flavor.api())
                    .with_profile(GlProfile::Core)
                    .with_robustness(robustness)
                    .build(None);
                // SAFETY: the attributes name no native window.
                let made = unsafe { display.create_context(&config, &attributes) };
                match made.and_then(|context| context.make_current_surfaceless()) {
                    Ok(context) => {
                        // SAFETY: the context is this display's, and current on this thread: until another is, as EGL
                        // keeps a current context even if it is destroyed.
                        let gl = unsafe { Functions::load(&display) };
                        return Ok((Headless { _context: context, _display: display }, gl));
                    }
                    Err(error) => failure = Some(error),
                }
            }
        }
        Err(failure.unwrap_or_else(|| glutin::error::ErrorKind::BadConfig.into()))
    }
}
