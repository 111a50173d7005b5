//! The connection, windows, procedures, registers and events, as C sees them.

use crate::error::Mistake;
use crate::export::calls;
use crate::recording::Recording;
use crate::state::{State, text};
use crate::textures::Texture;
use blink_client::{Connection, Context, Event, ObjectId, Wake, What};
use blinkgl::layout::WindowDesc;
use blinkgl::limits::REGISTERS;
use blinkgl::ops::Callback;
use blinkgl::{Reg, WireProgram};
use std::collections::BTreeMap;
use std::ffi::c_char;
use std::time::Duration;

/// A change that the next commit makes.
#[derive(Clone, Debug)]
pub enum Pending {
    /// A procedure.
    Procedure(Callback, WireProgram),
    /// A texture.
    Texture(Texture),
    /// A vertex buffer.
    Vertices(Vec<u8>),
    /// An index buffer.
    Indices(Vec<u8>),
    /// A new register file.
    Registers([f32; REGISTERS]),
    /// A window, as `Display::windows` has it.
    Window,
    /// Away with it.
    Remove,
}

/// A connection with one context.
#[derive(Debug)]
pub struct Display {
    /// Its objects.
    pub context: Context,
    /// After the context, which ends first.
    connection: Connection,
    /// What changed since the last commit.
    pub pending: BTreeMap<ObjectId, Pending>,
    /// Procedures, for windows that are to run them.
    procedures: BTreeMap<ObjectId, Callback>,
    /// What windows are to be.
    pub windows: BTreeMap<ObjectId, WindowDesc>,
}

impl Display {
    /// Connects to the server that `BLINK_DISPLAY` names, or to the default one.
    pub fn open(name: &str) -> Result<Display, Mistake> {
        let mut connection = Connection::open(name)?;
        let context = connection.context()?;
        Ok(Display {
            context,
            connection,
            pending: BTreeMap::new(),
            procedures: BTreeMap::new(),
            windows: BTreeMap::new(),
        })
    }

    /// Makes all changes visible at once. If it fails they stay pending.
    pub fn commit(&mut self) -> Result<(), Mistake> {
        let mut commit = self.context.commit();
        for (&oid, change) in &self.pending {
            match change {
                Pending::Procedure(callback, program) => commit.set_procedure(oid, *callback, program)?,
                Pending::Texture(texture) => {
                    let (info, texels) = texture.published();
                    commit.set_texture(oid, &info, &texels)?;
                }
                Pending::Vertices(bytes) => commit.set_vertex_buffer(oid, bytes)?,
                Pending::Indices(bytes) => commit.set_index_buffer(oid, bytes)?,
                Pending::Registers(values) => commit.set_registers(oid, values)?,
                Pending::Window | Pending::Remove => {}
            }
        }
        // Windows name the others; what is removed may be named until then.
        for (&oid, change) in &self.pending {
            if let (Pending::Window, Some(desc)) = (change, self.windows.get(&oid)) {
                commit.set_window(oid, desc)?;
            }
        }
        for (&oid, change) in &self.pending {
            if let Pending::Remove = change {
                match commit.remove(oid) {
                    // What was never published needs no removal.
                    Ok(()) | Err(blink_client::Error::NoObject(_)) => {}
                    Err(error) => return Err(error.into()),
                }
            }
        }
        commit.finish()?;
        self.pending.clear();
        Ok(())
    }

    /// A procedure of the next commit.
    pub fn new_procedure(&mut self, callback: Callback, program: WireProgram) -> Result<ObjectId, Mistake> {
        let oid = self.context.reserve()?;
        self.set_procedure(oid, callback, program);
        Ok(oid)
    }

    /// Replaces a procedure by the next commit.
    pub fn set_procedure(&mut self, oid: ObjectId, callback: Callback, program: WireProgram) {
        self.procedures.insert(oid, callback);
        self.pending.insert(oid, Pending::Procedure(callback, program));
    }

    /// Waits for the server; true if there may be events.
    pub fn wait(&mut self, timeout: Option<Duration>) -> Result<bool, Mistake> {
        match self.connection.wait(timeout)? {
            Wake::Events => Ok(true),
            Wake::Timeout => Ok(false),
            Wake::ServerGone => Err(Mistake::operation("the server is gone")),
        }
    }

    /// A window's description, to be changed: the next commit publishes it.
    pub fn window(&mut self, window: u32) -> Result<&mut WindowDesc, Mistake> {
        let missing = || Mistake::value(format!("there is no window {window}"));
        let oid = ObjectId::new(window).ok_or_else(missing)?;
        let desc = self.windows.get_mut(&oid).ok_or_else(missing)?;
        self.pending.insert(oid, Pending::Window);
        Ok(desc)
    }
}

/// `BlinkEvent` of `blinkgl.h`.
#[derive(Clone, Copy, Debug, Default)]
#[repr(C)]
pub struct BlinkEvent {
    kind: u32,
    window: u32,
    time: f64,
    x: i32,
    y: i32,
    width: i32,
    height: i32,
    buttons: u32,
    button: i32,
    pressed: i32,
    steps: i32,
    key: u32,
    value: f32,
    value_bits: u32,
}

impl BlinkEvent {
    /// What an event says, and the text for `blinkError` if it is a complaint.
    fn new(event: &Event) -> (BlinkEvent, Option<Mistake>) {
        let mut e = BlinkEvent {
            window: event.window.map_or(0, ObjectId::number),
            time: seconds(event.time),
            ..BlinkEvent::default()
        };
        let mut complaint = None;
        let size = |pixels: u32| i32::try_from(pixels).unwrap_or(i32::MAX);
        if let What::Pointer { x, y, buttons } = event.what {
            e = BlinkEvent { kind: 1, x, y, buttons, ..e };
        } else if let What::Button { x, y, buttons, button, pressed } = event.what {
            e = BlinkEvent { kind: 2, x, y, buttons, button: button.into(), pressed: pressed.into(), ..e };
        } else if let What::Wheel { x, y, steps } = event.what {
            e = BlinkEvent { kind: 3, x, y, steps, ..e };
        } else if let What::Key { code, pressed } = event.what {
            e = BlinkEvent { kind: 4, key: code, pressed: pressed.into(), ..e };
        } else if let What::Focus { gained } = event.what {
            e = BlinkEvent { kind: 5, pressed: gained.into(), ..e };
        } else if let What::Reshape { x, y, width, height } = event.what {
            e = BlinkEvent { kind: 6, x, y, width: size(width), height: size(height), ..e };
        } else if event.what == What::Close {
            e.kind = 7;
        } else if let What::Presented { time, .. } = event.what {
            e = BlinkEvent { kind: 8, time: seconds(time), ..e };
        } else if let What::Notify { value } = event.what {
            e = BlinkEvent { kind: 9, value: f32::from_bits(value), value_bits: value, ..e };
        } else {
            complaint = Mistake::of_event(&event.what);
            e.kind = if complaint.is_some() { 10 } else { 0 };
        }
        (e, complaint)
    }
}

#[allow(clippy::cast_precision_loss, reason = "a double holds the nanoseconds of a hundred days")]
fn seconds(nanoseconds: u64) -> f64 {
    nanoseconds as f64 / 1e9
}

/// A time to wait. Negative: for ever.
pub fn duration(seconds: f64) -> Option<Duration> {
    if seconds >= 0.0 { Duration::try_from_secs_f64(seconds).ok() } else { None }
}

fn next_event(s: &mut State, to: *mut BlinkEvent) -> Result<bool, Mistake> {
    let Some(event) = s.display()?.context.next_event() else { return Ok(false) };
    let (event, complaint) = BlinkEvent::new(&event);
    if let Some(complaint) = complaint {
        s.tell(complaint);
    }
    crate::state::write("the event", to, &[event])?;
    Ok(true)
}

fn object(number: u32) -> Result<ObjectId, Mistake> {
    ObjectId::new(number).ok_or_else(|| Mistake::value("0 is no object"))
}

fn register(number: u32) -> Result<Reg, Mistake> {
    Reg::new(number).ok_or_else(|| Mistake::value(format!("there is no register {number}: they are 0 to 31")))
}

fn pixels(value: i32) -> Result<u32, Mistake> {
    u32::try_from(value).map_err(|_| Mistake::value(format!("{value} pixels")))
}

impl State {
    /// Ends the recording: its program, verified as the server will.
    fn end_recording(&mut self) -> Result<(Callback, WireProgram), Mistake> {
        if self.glut.is_some() {
            return Err(Mistake::operation("GLUT's callbacks are recorded by themselves"));
        }
        let recording = self.recording.take().ok_or_else(|| Mistake::operation("there was no blinkBegin"))?;
        let callback = recording.callback;
        Ok((callback, recording.finish()?.verify(callback)?))
    }

    /// Publishes everything that changed.
    pub fn commit(&mut self) -> Result<(), Mistake> {
        let State { display, textures, arrays, .. } = self;
        let display =
            display.as_mut().ok_or_else(|| Mistake::operation("no connection: call blinkConnect first"))?;
        textures.hand_over(display);
        arrays.hand_over(display);
        display.commit()
    }
}

calls! {
    fn blinkConnect(s, name: *const c_char) -> u8 {
        if s.display.is_some() {
            return Err(Mistake::operation("there is a connection already"));
        }
        let name = if name.is_null() { "a C program".to_owned() } else { text("the name", name)? };
        s.display = Some(Display::open(&name)?);
        Ok(1)
    }
    fn blinkDisconnect(s) {
        // Names of objects go with their connection.
        *s = State::default();
        Ok(())
    }
    fn blinkError(s) -> *const c_char {
        Ok(s.message.as_ptr())
    }
    fn blinkBegin(s, callback: u32) -> u8 {
        if s.recording.is_some() || s.glut.is_some() {
            return Err(Mistake::operation("a procedure is being recorded already"));
        }
        let callback = Callback::from_code(callback)
            .ok_or_else(|| Mistake::new(crate::error::gl::INVALID_ENUM, format!("there is no callback {callback}")))?;
        s.recording = Some(Recording::new(callback));
        Ok(1)
    }
    fn blinkEnd(s) -> u32 {
        let (callback, program) = s.end_recording()?;
        Ok(s.display()?.new_procedure(callback, program)?.number())
    }
    fn blinkEndInto(s, procedure: u32) -> u8 {
        let oid = object(procedure)?;
        let (callback, program) = s.end_recording()?;
        s.display()?.set_procedure(oid, callback, program);
        Ok(1)
    }
    fn blinkCreateWindow(s, title: *const c_char, width: i32, height: i32) -> u32 {
        let title = text("the title", title)?;
        let mut desc = WindowDesc { width: pixels(width)?, height: pixels(height)?, ..WindowDesc::default() };
        desc.set_title(&title);
        let display = s.display()?;
        let oid = display.context.reserve()?;
        display.windows.insert(oid, desc);
        display.pending.insert(oid, Pending::Window);
        Ok(oid.number())
    }
    fn blinkWindowTitle(s, window: u32, title: *const c_char) -> u8 {
        let title = text("the title", title)?;
        s.display()?.window(window)?.set_title(&title);
        Ok(1)
    }
    fn blinkWindowSize(s, window: u32, width: i32, height: i32) -> u8 {
        let (width, height) = (pixels(width)?, pixels(height)?);
        let desc = s.display()?.window(window)?;
        (desc.width, desc.height) = (width, height);
        Ok(1)
    }
    fn blinkWindowPosition(s, window: u32, x: i32, y: i32) -> u8 {
        let desc = s.display()?.window(window)?;
        (desc.x, desc.y) = (x, y);
        Ok(1)
    }
    fn blinkWindowProcedure(s, window: u32, procedure: u32) -> u8 {
        let display = s.display()?;
        let callback = display.procedures.get(&object(procedure)?);
        let at = *callback.ok_or_else(|| Mistake::value(format!("there is no procedure {procedure}")))? as usize;
        if let Some(named) = display.window(window)?.procedures.get_mut(at) {
            *named = procedure;
        }
        Ok(1)
    }
    fn blinkWindowRegisters(s, window: u32, registers: u32) -> u8 {
        s.display()?.window(window)?.registers = registers;
        Ok(1)
    }
    fn blinkRequestUpdate(s, window: u32) -> u8 {
        let desc = s.display()?.window(window)?;
        desc.update_serial = desc.update_serial.wrapping_add(1);
        Ok(1)
    }
    fn blinkDelete(s, object_id: u32) -> u8 {
        let oid = object(object_id)?;
        let display = s.display()?;
        display.windows.remove(&oid);
        display.procedures.remove(&oid);
        display.pending.insert(oid, Pending::Remove);
        Ok(1)
    }
    fn blinkCreateRegisters(s) -> u32 {
        let display = s.display()?;
        let oid = display.context.reserve()?;
        display.pending.insert(oid, Pending::Registers([0.0; REGISTERS]));
        Ok(oid.number())
    }
    fn blinkSetRegister(s, file: u32, number: u32, value: f32) -> u8 {
        let (oid, register) = (object(file)?, register(number)?);
        let display = s.display()?;
        if let Some(Pending::Registers(values)) = display.pending.get_mut(&oid) {
            if let Some(to) = values.get_mut(register.index()) {
                *to = value;
            }
        } else {
            display.context.registers(oid)?.set(register, value);
        }
        Ok(1)
    }
    fn blinkGetRegister(s, file: u32, number: u32) -> f32 {
        let (oid, register) = (object(file)?, register(number)?);
        let display = s.display()?;
        if let Some(Pending::Registers(values)) = display.pending.get(&oid) {
            return Ok(values.get(register.index()).copied().unwrap_or(0.0));
        }
        Ok(display.context.registers(oid)?.get(register))
    }
    fn blinkCommit(s) -> u8 {
        s.commit()?;
        Ok(1)
    }
    fn blinkWantPresented(s, wanted: u8) -> u8 {
        s.display()?.context.want_presented(wanted != 0);
        Ok(1)
    }
    fn blinkPollEvent(s, event: *mut BlinkEvent) -> i32 {
        Ok(i32::from(next_event(s, event)?))
    }
    fn blinkTime(s) -> f64 {
        Ok(seconds(s.display.as_ref().map_or_else(blink_client::now, |display| display.context.now())))
    }
}

/// Waits at most so many seconds (negative: for ever) for an event. 1: there is one; 0: none came; -1: an error.
#[unsafe(no_mangle)]
extern "C" fn blinkWaitEvent(timeout: f64, event: *mut BlinkEvent) -> i32 {
    let found = crate::state::enter("blinkWaitEvent", |s| {
        if next_event(s, event)? {
            return Ok(Some(1));
        }
        s.display()?.wait(duration(timeout))?;
        Ok(Some(i32::from(next_event(s, event)?)))
    });
    found.unwrap_or(-1)
}
