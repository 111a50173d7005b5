//! A window on the user's desktop (X11, or Wayland as a feature). No OpenGL: the picture is copied into memory that the
//! desktop shows.

use super::fit::Fit;
use super::wheel::Wheel;
use super::{Output, OutputEvent};
use crate::heads::{Head, HeadMode, Heads};
use crate::sandbox::Needs;
use ipc::Input;
use ipc::geometry::{Rect, Region};
use rustix::fd::{AsFd, BorrowedFd};
use softbuffer::{Buffer, Context, Surface};
use std::num::NonZeroU32;
use std::rc::Rc;
use std::time::{Duration, Instant};
use winit::application::ApplicationHandler;
use winit::dpi::PhysicalSize;
use winit::event::{DeviceEvent, DeviceId, ElementState, MouseButton, MouseScrollDelta, WindowEvent};
use winit::event_loop::{ActiveEventLoop, EventLoop};
use winit::platform::pump_events::{EventLoopExtPumpEvents, PumpStatus};
use winit::platform::scancode::PhysicalKeyExtScancode;
use winit::window::{Window, WindowAttributes, WindowId};

/// Pixels of a wheel step, for devices that scroll by pixels.
const STEP_PIXELS: f64 = 40.0;
/// Pixels of the largest window for which memory can be had after the start, when no files can be made any more.
const LARGEST: (u32, u32) = (4096, 4096);
/// Around the picture: `0xAARRGGBB`.
const BLACK: u32 = 0xff00_0000;

type Screen = Surface<Rc<Window>, Rc<Window>>;

/// An output in a window of the desktop.
pub struct WindowOutput {
    events: EventLoop<()>,
    app: App,
    mode: HeadMode,
}

impl std::fmt::Debug for WindowOutput {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "WindowOutput({:?})", self.mode)
    }
}

/// What winit's loop fills in.
struct App {
    size: PhysicalSize<u32>,
    parts: Option<Result<Parts, String>>,
    /// What was not pumped yet.
    queue: Vec<OutputEvent>,
    wheel: Wheel,
    /// The desktop draws its pointer over the window.
    draws_pointer: bool,
}

struct Parts {
    screen: Screen,
    window: Rc<Window>,
    /// Pixels of the window that `screen` has memory for.
    size: (u32, u32),
    fit: Fit,
    /// All of the window must be drawn, around the picture too.
    is_exposed: bool,
}

impl WindowOutput {
    /// Opens the window.
    ///
    /// # Errors
    /// There is no display, or it shows no pictures.
    pub fn new(width: u32, height: u32) -> Result<WindowOutput, String> {
        let mut events =
            EventLoop::new().map_err(|e| format!("no display ({e}); is DISPLAY or WAYLAND_DISPLAY set?"))?;
        let size = PhysicalSize::new(width, height);
        let mut app =
            App { size, parts: None, queue: Vec::new(), wheel: Wheel::default(), draws_pointer: true };
        // The first turns of the loop call `resumed`, which opens the window.
        for _ in 0..50 {
            events.pump_app_events(Some(Duration::from_millis(20)), &mut app);
            if app.parts.is_some() {
                break;
            }
        }
        let parts = match &mut app.parts {
            Some(Ok(parts)) => parts,
            Some(Err(error)) => return Err(error.clone()),
            None => return Err("the display did not open a window".into()),
        };
        // The memory stays if the size becomes smaller: from now on there is enough.
        parts.resize(LARGEST)?;
        parts.follow((width, height))?;
        // The desktop's pointer is read from files, which can't be opened any more when it is needed.
        parts.window.set_cursor_visible(false);
        parts.window.set_cursor_visible(true);
        let millihertz = parts.window.current_monitor().and_then(|m| m.refresh_rate_millihertz());
        let refresh = 1_000_000_000_000 / u64::from(millihertz.unwrap_or(60_000).max(1000));
        let mode = HeadMode { width, height, refresh, scale: parts.window.scale_factor() };
        Ok(WindowOutput { events, app, mode })
    }
}

impl Output for WindowOutput {
    fn mode(&self) -> HeadMode {
        self.mode
    }

    fn needs(&self) -> Needs {
        super::desktop::NEEDS
    }

    fn describe(&self) -> String {
        let HeadMode { width, height, refresh, .. } = self.mode;
        format!("window {width}x{height}, a frame each {} us", refresh / 1000)
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

    fn present(&mut self, heads: &Heads, changed: &Region) -> Result<(), String> {
        let (Some(Ok(parts)), Some(head)) = (&mut self.app.parts, heads.all().first()) else { return Ok(()) };
        parts.present(head, changed)
    }

    fn show_pointer(&mut self, is_shown: bool) {
        if let Some(Ok(parts)) = &self.app.parts
            && self.app.draws_pointer != is_shown
        {
            self.app.draws_pointer = is_shown;
            parts.window.set_cursor_visible(is_shown);
        }
    }
}

impl Parts {
    fn open(events: &ActiveEventLoop, size: PhysicalSize<u32>) -> Result<Parts, String> {
        let attributes =
            WindowAttributes::default().with_title("Blink").with_inner_size(size).with_resizable(false);
        let window = Rc::new(events.create_window(attributes).map_err(|e| format!("no window: {e}"))?);
        let context = Context::new(Rc::clone(&window)).map_err(|e| format!("no pictures: {e}"))?;
        let screen = Surface::new(&context, Rc::clone(&window)).map_err(|e| format!("no pictures: {e}"))?;
        let size = (size.width, size.height);
        Ok(Parts { screen, window, size: (0, 0), fit: Fit::new(size, size), is_exposed: true })
    }

    fn resize(&mut self, (width, height): (u32, u32)) -> Result<(), String> {
        let sides = [width, height].map(NonZeroU32::new);
        let [Some(wide), Some(high)] = sides else { return Ok(()) };
        self.screen.resize(wide, high).map_err(|e| format!("no memory for {width}x{height} pixels: {e}"))?;
        self.size = (width, height);
        Ok(())
    }

    /// The window may have another size now. True: it has.
    fn follow(&mut self, picture: (u32, u32)) -> Result<bool, String> {
        let PhysicalSize { width, height } = self.window.inner_size();
        let size = (width.clamp(1, LARGEST.0), height.clamp(1, LARGEST.1));
        if size == self.size {
            return Ok(false);
        }
        self.resize(size)?;
        self.fit = Fit::new(picture, size);
        Ok(true)
    }

    fn present(&mut self, head: &Head, changed: &Region) -> Result<(), String> {
        let picture = head.area();
        let is_new = self.follow((picture.width, picture.height))? | std::mem::take(&mut self.is_exposed);
        let (fit, size) = (self.fit, self.size);
        let failed = |e: softbuffer::SoftBufferError| format!("the picture can't be shown: {e}");
        let mut buffer = self.screen.buffer_mut().map_err(failed)?;
        // What was there before is there only if the desktop says so.
        let parts = if is_new || buffer.age() != 1 {
            buffer.fill(BLACK);
            draw(&mut buffer, size, head, &fit, &fit.area());
            vec![Rect::new(0, 0, size.0, size.1)]
        } else {
            let parts =
                changed.rects().iter().map(|rect| fit.to_window(&rect.translated(-picture.x, -picture.y)));
            let parts: Vec<Rect> = parts.filter(|part| !part.is_empty()).collect();
            parts.iter().for_each(|part| draw(&mut buffer, size, head, &fit, part));
            parts
        };
        let damage: Vec<softbuffer::Rect> = parts.iter().filter_map(damage).collect();
        buffer.present_with_damage(&damage).map_err(failed)
    }
}

fn damage(part: &Rect) -> Option<softbuffer::Rect> {
    let Rect { x, y, width, height } = *part;
    Some(softbuffer::Rect {
        x: x.max(0).cast_unsigned(),
        y: y.max(0).cast_unsigned(),
        width: NonZeroU32::new(width)?,
        height: NonZeroU32::new(height)?,
    })
}

/// Draws the part of the window that `part` is.
fn draw(
    buffer: &mut Buffer<'_, Rc<Window>, Rc<Window>>,
    size: (u32, u32),
    head: &Head,
    fit: &Fit,
    part: &Rect,
) {
    let part = part.intersection(&Rect::new(0, 0, size.0, size.1));
    let stride = head.area().width as usize;
    for y in part.y..part.bottom() {
        let start = fit.row(y) * stride;
        let from = head.pixels().get(start..start + stride).unwrap_or_default();
        let to = y.cast_unsigned() as usize * size.0 as usize + part.x.cast_unsigned() as usize;
        let row = buffer.get_mut(to..to + part.width as usize).unwrap_or_default();
        if fit.is_exact() {
            let first = fit.column(part.x);
            if let Some(from) = from.get(first..first + row.len()) {
                row.copy_from_slice(from);
            }
        } else {
            for (x, pixel) in (part.x..).zip(row) {
                *pixel = from.get(fit.column(x)).copied().unwrap_or(BLACK);
            }
        }
    }
}

impl ApplicationHandler for App {
    fn resumed(&mut self, events: &ActiveEventLoop) {
        if self.parts.is_none() {
            self.parts = Some(Parts::open(events, self.size));
        }
    }

    fn device_event(&mut self, _events: &ActiveEventLoop, _device: DeviceId, event: DeviceEvent) {
        match event {
            DeviceEvent::Button { button: 4..=7, .. } => self.wheel.is_buttons(),
            DeviceEvent::MouseWheel { .. } => self.wheel.is_axis(),
            DeviceEvent::Button { .. }
            | DeviceEvent::Added
            | DeviceEvent::Removed
            | DeviceEvent::MouseMotion { .. }
            | DeviceEvent::Motion { .. }
            | DeviceEvent::Key(_) => {}
        }
    }

    #[allow(clippy::wildcard_enum_match_arm, reason = "winit has dozens of events that mean nothing here")]
    fn window_event(&mut self, _events: &ActiveEventLoop, _window: WindowId, event: WindowEvent) {
        let event = match event {
            WindowEvent::CloseRequested | WindowEvent::Destroyed => OutputEvent::Quit,
            WindowEvent::RedrawRequested | WindowEvent::Resized(_) => {
                if let Some(Ok(parts)) = &mut self.parts {
                    parts.is_exposed = true;
                }
                OutputEvent::Exposed
            }
            WindowEvent::Focused(false) => OutputEvent::Left,
            WindowEvent::CursorMoved { position, .. } => {
                let Some(Ok(parts)) = &mut self.parts else { return };
                if let Err(error) = parts.follow((self.size.width, self.size.height)) {
                    log::error!("glass: {error}");
                }
                let (x, y) = parts.fit.to_picture(position.x, position.y);
                OutputEvent::Input(Input::Motion { x, y })
            }
            WindowEvent::MouseInput { state, button, .. } => {
                let button = match button {
                    MouseButton::Left => 0,
                    MouseButton::Middle => 1,
                    MouseButton::Right => 2,
                    MouseButton::Back => 3,
                    MouseButton::Forward => 4,
                    MouseButton::Other(_) => return,
                };
                OutputEvent::Input(Input::Button { button, pressed: state == ElementState::Pressed })
            }
            WindowEvent::MouseWheel { delta, .. } => {
                let lines = match delta {
                    // To the side: no window hears of that.
                    MouseScrollDelta::LineDelta(_, 0.0) => return,
                    MouseScrollDelta::LineDelta(_, lines) => f64::from(lines),
                    MouseScrollDelta::PixelDelta(pixels) => pixels.y / STEP_PIXELS,
                };
                let steps = self.wheel.turn(lines, Instant::now());
                if steps == 0 {
                    return;
                }
                OutputEvent::Input(Input::Wheel { steps })
            }
            // What winit makes up when the focus changes was not done by the user here.
            WindowEvent::KeyboardInput { event, is_synthetic: false, .. } if !event.repeat => {
                let Some(code) = event.physical_key.to_scancode() else { return };
                OutputEvent::Input(Input::Key { code, pressed: event.state == ElementState::Pressed })
            }
            _ => return,
        };
        self.queue.push(event);
    }
}
