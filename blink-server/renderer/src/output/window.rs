//! A window on the user's desktop (X11, or Wayland as a feature).

use super::{Output, OutputEvent};
use gl::context::Functions;
use gl::{Framebuffer, Tracker};
use glutin::config::{Config, ConfigTemplateBuilder};
use glutin::context::{
    ContextApi, ContextAttributesBuilder, GlProfile, NotCurrentGlContext, PossiblyCurrentContext, Robustness,
    Version,
};
use glutin::display::{GetGlDisplay, GlDisplay};
use glutin::surface::{GlSurface, Surface, SwapInterval, WindowSurface};
use glutin_winit::{DisplayBuilder, GlWindow};
use ipc::Input;
use raw_window_handle::HasWindowHandle;
use rustix::fd::{AsFd, BorrowedFd};
use std::time::Duration;
use winit::application::ApplicationHandler;
use winit::dpi::PhysicalSize;
use winit::event::{ElementState, MouseButton, MouseScrollDelta, WindowEvent};
use winit::event_loop::{ActiveEventLoop, EventLoop};
use winit::platform::pump_events::{EventLoopExtPumpEvents, PumpStatus};
use winit::platform::scancode::PhysicalKeyExtScancode;
use winit::window::{Window, WindowAttributes, WindowId};

/// Pixels of a wheel step, for devices that scroll by pixels.
const STEP_PIXELS: f64 = 40.0;

/// An output in a window of the desktop.
#[derive(Debug)]
pub struct WindowOutput {
    events: EventLoop<()>,
    app: App,
    refresh: u64,
}

/// What winit's loop fills in.
#[derive(Debug)]
struct App {
    size: PhysicalSize<u32>,
    parts: Option<Result<Parts, String>>,
    /// What was not pumped yet.
    queue: Vec<OutputEvent>,
    /// Fractions of wheel steps.
    wheel: f64,
}

#[derive(Debug)]
struct Parts {
    surface: Surface<WindowSurface>,
    context: PossiblyCurrentContext,
    window: Window,
    config: Config,
}

impl WindowOutput {
    /// Opens the window and makes its OpenGL context current.
    ///
    /// # Errors
    /// There is no display, or no usable OpenGL on it.
    pub fn new(width: u32, height: u32) -> Result<(WindowOutput, Functions), String> {
        let mut events =
            EventLoop::new().map_err(|e| format!("no display ({e}); is DISPLAY or WAYLAND_DISPLAY set?"))?;
        let mut app =
            App { size: PhysicalSize::new(width, height), parts: None, queue: Vec::new(), wheel: 0.0 };
        // The first turns of the loop call `resumed`, which opens the window.
        for _ in 0..50 {
            events.pump_app_events(Some(Duration::from_millis(20)), &mut app);
            if app.parts.is_some() {
                break;
            }
        }
        let parts = match &app.parts {
            Some(Ok(parts)) => parts,
            Some(Err(error)) => return Err(error.clone()),
            None => return Err("the display did not open a window".into()),
        };
        let display = parts.config.display();
        // SAFETY: the context is this display's, and current on this thread (`open` made it so).
        let gl = unsafe { Functions::load(&display) };
        let interval = parts.surface.set_swap_interval(&parts.context, SwapInterval::DontWait);
        if let Err(error) = interval {
            log::warn!("the swap interval can't be set: {error}");
        }
        let millihertz = parts.window.current_monitor().and_then(|m| m.refresh_rate_millihertz());
        let refresh = 1_000_000_000_000 / u64::from(millihertz.unwrap_or(60_000).max(1000));
        Ok((WindowOutput { events, app, refresh }, gl))
    }
}

impl Output for WindowOutput {
    fn refresh(&self) -> u64 {
        self.refresh
    }

    fn pump(&mut self) -> Vec<OutputEvent> {
        if let PumpStatus::Exit(_) = self.events.pump_app_events(Some(Duration::ZERO), &mut self.app) {
            self.app.queue.push(OutputEvent::Quit);
        }
        std::mem::take(&mut self.app.queue)
    }

    fn poll_fd(&self) -> Option<BorrowedFd<'_>> {
        Some(self.events.as_fd())
    }

    fn present(&mut self, tracker: &mut Tracker, screen: &Framebuffer) -> Result<(), String> {
        let Some(Ok(parts)) = &self.app.parts else { return Ok(()) };
        let size = parts.window.inner_size();
        tracker.blit_to_default(screen, size.width, size.height);
        parts.surface.swap_buffers(&parts.context).map_err(|e| format!("the picture can't be shown: {e}"))
    }
}

impl App {
    fn open(&self, events: &ActiveEventLoop) -> Result<Parts, String> {
        let attributes =
            WindowAttributes::default().with_title("Blink").with_inner_size(self.size).with_resizable(false);
        let (window, config) = DisplayBuilder::new()
            .with_window_attributes(Some(attributes))
            .build(events, ConfigTemplateBuilder::new().with_alpha_size(0), |mut configs| {
                // Any will do: the picture is drawn elsewhere and copied. There is at least one, or
                // the builder would not call.
                let first = configs.next();
                first.unwrap_or_else(|| unreachable!("glutin calls with at least one config"))
            })
            .map_err(|e| format!("no OpenGL on this display: {e}"))?;
        let window = window.ok_or("the display did not open a window")?;
        let handle = window.window_handle().map_err(|e| e.to_string())?.as_raw();
        let display = config.display();
        let apis = [ContextApi::OpenGl(Some(Version::new(3, 3))), ContextApi::Gles(Some(Version::new(3, 0)))];
        let wanted = apis.into_iter().flat_map(|api| {
            [Robustness::RobustLoseContextOnReset, Robustness::NotRobust].map(|robustness| {
                ContextAttributesBuilder::new()
                    .with_context_api(api)
                    .with_profile(GlProfile::Core)
                    .with_robustness(robustness)
                    .build(Some(handle))
            })
        });
        let mut context = Err("no attributes".to_owned());
        for attributes in wanted {
            // SAFETY: `handle` is of `window`, which lives in the same `Parts` as the context.
            context = unsafe { display.create_context(&config, &attributes) }.map_err(|e| e.to_string());
            if context.is_ok() {
                break;
            }
        }
        let context = context.map_err(|e| format!("neither OpenGL 3.3 nor OpenGL ES 3.0: {e}"))?;
        let attributes = window.build_surface_attributes(Default::default()).map_err(|e| e.to_string())?;
        // SAFETY: the attributes hold the handle of `window`, which lives in the same `Parts` as the
        // surface and is dropped after it (fields drop in order).
        let surface =
            unsafe { display.create_window_surface(&config, &attributes) }.map_err(|e| e.to_string())?;
        let context = context.make_current(&surface).map_err(|e| e.to_string())?;
        Ok(Parts { surface, context, window, config })
    }
}

impl ApplicationHandler for App {
    fn resumed(&mut self, events: &ActiveEventLoop) {
        if self.parts.is_none() {
            self.parts = Some(self.open(events));
        }
    }

    #[allow(clippy::wildcard_enum_match_arm, reason = "winit has dozens of events that mean nothing here")]
    fn window_event(&mut self, _events: &ActiveEventLoop, _window: WindowId, event: WindowEvent) {
        let event = match event {
            WindowEvent::CloseRequested | WindowEvent::Destroyed => OutputEvent::Quit,
            WindowEvent::RedrawRequested | WindowEvent::Resized(_) => OutputEvent::Exposed,
            WindowEvent::CursorMoved { position, .. } => {
                OutputEvent::Input(Input::Motion { x: position.x, y: position.y })
            }
            WindowEvent::MouseInput { state, button, .. } => {
                let button = match button {
                    MouseButton::Left => 0,
                    MouseButton::Middle => 1,
                    MouseButton::Right => 2,
                    MouseButton::Back | MouseButton::Forward | MouseButton::Other(_) => return,
                };
                OutputEvent::Input(Input::Button { button, pressed: state == ElementState::Pressed })
            }
            WindowEvent::MouseWheel { delta, .. } => {
                self.wheel += match delta {
                    MouseScrollDelta::LineDelta(_, lines) => f64::from(lines),
                    MouseScrollDelta::PixelDelta(pixels) => pixels.y / STEP_PIXELS,
                };
                let steps = self.wheel.trunc();
                self.wheel -= steps;
                #[allow(clippy::cast_possible_truncation, reason = "`as` saturates")]
                let steps = steps as i32;
                if steps == 0 {
                    return;
                }
                OutputEvent::Input(Input::Wheel { steps })
            }
            WindowEvent::KeyboardInput { event, .. } if !event.repeat => {
                let Some(code) = event.physical_key.to_scancode() else { return };
                OutputEvent::Input(Input::Key { code, pressed: event.state == ElementState::Pressed })
            }
            _ => return,
        };
        self.queue.push(event);
    }
}
