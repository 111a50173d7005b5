//! GLUT's main loop over a Blink window.
//!
//! The display function is recorded into `redraw`, the reshape function into `reshape`, and what is called outside of
//! both into `init`, which grows: so a server that restarts gets all of it. A function is run again when GLUT would
//! run it, and what it records is published if it is not what is published already.
//!
//! Each callback of Blink starts in matrix mode modelview with texture unit 0; a GLUT program leaves others behind. What
//! it left is followed, and selected where a recording begins.

mod keys;
mod log;
mod shapes;

use crate::display::{Display, Pending};
use crate::error::Mistake;
use crate::export::calls;
use crate::recording::{Recording, Selected};
use crate::state::{State, enter, text};
use blink_client::{ObjectId, What};
use blinkgl::gl::External;
use blinkgl::layout::WindowDesc;
use blinkgl::ops::Callback;
use blinkgl::{Recorder, WireProgram};
use keys::{Key, Modifiers};
use log::Log;
use std::collections::VecDeque;
use std::ffi::{c_char, c_int};
use std::time::{Duration, Instant};

/// From one idle call to the next while nothing new is shown: a frame at 60 Hz.
const TICK: Duration = Duration::from_millis(16);
/// How long the next picture waits for the one before to be shown. A hidden window's is not.
const HIDDEN_TICK: Duration = Duration::from_millis(100);
/// `GLUT_ELAPSED_TIME`.
const ELAPSED_TIME: u32 = 700;

type Function = Option<extern "C" fn()>;
type OnTwo = Option<extern "C" fn(c_int, c_int)>;
type OnKey = Option<extern "C" fn(u8, c_int, c_int)>;
type OnSpecial = Option<extern "C" fn(c_int, c_int, c_int)>;
type OnMouse = Option<extern "C" fn(c_int, c_int, c_int, c_int)>;
type OnInt = Option<extern "C" fn(c_int)>;

/// What can be said before there is a window.
#[derive(Debug, Default)]
pub struct Settings {
    name: String,
    size: Option<[u32; 2]>,
    place: Option<[i32; 2]>,
    /// By the person who started the program: before what the program asks for.
    asked_size: Option<[u32; 2]>,
    asked_place: Option<[i32; 2]>,
    started: Option<Instant>,
    idle: Function,
    /// When, what, and its number.
    timers: Vec<(Instant, extern "C" fn(c_int), c_int)>,
    modifiers: Modifiers,
}

/// The functions that the program gave.
#[derive(Debug, Default)]
struct Functions {
    display: Function,
    reshape: OnTwo,
    keyboard: OnKey,
    keyboard_up: OnKey,
    special: OnSpecial,
    special_up: OnSpecial,
    mouse: OnMouse,
    motion: OnTwo,
    passive_motion: OnTwo,
    visibility: OnInt,
}

/// A procedure of the window.
#[derive(Debug, Default)]
struct Procedure {
    oid: Option<ObjectId>,
    published: Option<WireProgram>,
}

impl Procedure {
    /// Publishes another program by the next commit; false if it is the same.
    fn set(
        &mut self,
        display: &mut Display,
        callback: Callback,
        program: WireProgram,
    ) -> Result<bool, Mistake> {
        if self.published.as_ref() == Some(&program) {
            return Ok(false);
        }
        let oid = match self.oid {
            Some(oid) => oid,
            None => display.context.reserve()?,
        };
        self.oid = Some(oid);
        display.set_procedure(oid, callback, program.clone());
        self.published = Some(program);
        Ok(true)
    }
}

/// A program with a window.
#[derive(Debug)]
pub struct Glut {
    window: ObjectId,
    /// Width and height.
    pub size: [u32; 2],
    /// What the program has selected, between recordings.
    pub selected: Selected,
    /// The display function's recording, while a list is defined.
    pub suspended: Option<Recording>,
    functions: Functions,
    log: Log,
    /// The log as a program, if it is not published yet.
    verified: Option<WireProgram>,
    init: Procedure,
    reshape: Procedure,
    redraw: Procedure,
    /// The reshape function is to be run.
    resized: bool,
    /// The display function is to be run.
    posted: bool,
    shown: bool,
    visible: bool,
    /// A picture was published that is not known to be shown.
    in_flight: Option<Instant>,
    next_idle: Instant,
    waiting: VecDeque<Call>,
}

/// A function of the program that is to be called now, with the state free.
#[derive(Clone, Copy, Debug)]
enum Call {
    Nothing,
    Display(extern "C" fn()),
    Reshape(extern "C" fn(c_int, c_int), [u32; 2]),
    Idle(extern "C" fn()),
    Two(extern "C" fn(c_int, c_int), [c_int; 2]),
    Key(extern "C" fn(u8, c_int, c_int), u8, [c_int; 2]),
    Special(extern "C" fn(c_int, c_int, c_int), c_int, [c_int; 2]),
    Mouse(extern "C" fn(c_int, c_int, c_int, c_int), [c_int; 4]),
    Int(extern "C" fn(c_int), c_int),
    /// The window was closed.
    End,
}

impl Call {
    fn run(self) {
        let number = |value: u32| c_int::try_from(value).unwrap_or(c_int::MAX);
        match self {
            Call::Nothing | Call::End => {}
            Call::Display(f) | Call::Idle(f) => f(),
            Call::Reshape(f, [width, height]) => f(number(width), number(height)),
            Call::Two(f, [a, b]) => f(a, b),
            Call::Key(f, key, [x, y]) => f(key, x, y),
            Call::Special(f, key, [x, y]) => f(key, x, y),
            Call::Mouse(f, [button, state, x, y]) => f(button, state, x, y),
            Call::Int(f, value) => f(value),
        }
    }
}

/// A reshape function's stand-in: the viewport is the window.
fn default_reshape() -> Result<WireProgram, Mistake> {
    let mut p = Recorder::new();
    let (width, height) = (p.alloc(), p.alloc());
    p.read(width, External::Width);
    p.read(height, External::Height);
    p.viewport(0, 0, width, height);
    p.finish().map_err(|error| Mistake::operation(error.to_string()))
}

impl Glut {
    /// Keeps what was recorded outside of the display and reshape functions.
    pub fn keep(&mut self, mut recording: Recording) -> Result<(), Mistake> {
        recording.select("the end of a function", Selected::default())?;
        let mut longer = self.log.clone();
        longer.append(&recording.finish()?)?;
        // What is wrong is left out, so that what comes later counts.
        self.verified = Some(longer.program().verify(Callback::Init)?);
        self.log = longer;
        Ok(())
    }

    /// Takes an event in.
    fn event(&mut self, what: &What, pointer: &mut [c_int; 2], settings: &mut Settings) {
        let functions = &self.functions;
        if let What::Pointer { x, y, buttons } = *what {
            *pointer = [x, y];
            let f = if buttons == 0 { functions.passive_motion } else { functions.motion };
            self.waiting.extend(f.map(|f| Call::Two(f, [x, y])));
        } else if let What::Button { x, y, button, pressed, .. } = *what {
            *pointer = [x, y];
            let state = c_int::from(!pressed);
            self.waiting.extend(functions.mouse.map(|f| Call::Mouse(f, [button.into(), state, x, y])));
        } else if let What::Wheel { x, y, steps } = *what {
            // As X11 has it, and so every GLUT: buttons 3 and 4, a click for each step.
            let button = if steps > 0 { 3 } else { 4 };
            for _ in 0..steps.unsigned_abs().min(16) {
                for state in [0, 1] {
                    self.waiting.extend(functions.mouse.map(|f| Call::Mouse(f, [button, state, x, y])));
                }
            }
        } else if let What::Key { code, pressed } = *what {
            let at = *pointer;
            match settings.modifiers.key(code, pressed) {
                Some(Key::Character(key)) => {
                    let f = if pressed { functions.keyboard } else { functions.keyboard_up };
                    self.waiting.extend(f.map(|f| Call::Key(f, key, at)));
                }
                Some(Key::Special(key)) => {
                    let f = if pressed { functions.special } else { functions.special_up };
                    self.waiting.extend(f.map(|f| Call::Special(f, key, at)));
                }
                None => {}
            }
        } else if let What::Reshape { width, height, .. } = *what {
            if self.size != [width, height] {
                self.size = [width, height];
                self.resized = true;
            }
        } else if let What::Presented { .. } = *what {
            self.in_flight = None;
            self.next_idle = Instant::now();
        } else if *what == What::Close {
            self.waiting.push_back(Call::End);
        }
    }
}

impl State {
    fn glut(&mut self) -> Result<&mut Glut, Mistake> {
        self.glut.as_mut().ok_or_else(|| Mistake::operation("no window: call glutCreateWindow first"))
    }

    /// Ends what is being recorded outside of display and reshape.
    fn keep_recording(&mut self) {
        if let (Some(recording), Some(glut)) = (self.recording.take(), &mut self.glut) {
            glut.selected = recording.selected;
            if let Err(mistake) = glut.keep(recording) {
                self.tell(mistake);
            }
        }
    }

    /// Begins the recording of a function.
    fn begin(&mut self, callback: Callback) -> Result<(), Mistake> {
        self.keep_recording();
        let mut recording = Recording::new(callback);
        recording.select("the begin of a function", self.glut()?.selected)?;
        self.recording = Some(recording);
        Ok(())
    }

    /// Ends it; the program, if it is right.
    fn end(&mut self, callback: Callback) -> Result<WireProgram, Mistake> {
        let recording =
            self.recording.take().ok_or_else(|| Mistake::operation("glNewList without glEndList"))?;
        self.glut()?.selected = recording.selected;
        recording.finish()?.verify(callback)
    }

    /// What is to be done next. Waits until there is something.
    fn next_call(&mut self) -> Result<Option<Call>, Mistake> {
        loop {
            if let Some(call) = self.call_that_waits()? {
                return Ok(Some(call));
            }
            let now = Instant::now();
            let timers = &mut self.glut_settings.timers;
            let first =
                timers.iter().enumerate().min_by_key(|(_, timer)| timer.0).map(|(i, timer)| (i, timer.0));
            if let Some((i, at)) = first
                && at <= now
            {
                let (_, f, value) = timers.swap_remove(i);
                return Ok(Some(Call::Int(f, value)));
            }
            let idle = self.glut_settings.idle;
            let glut = self.glut()?;
            if glut.in_flight.is_some_and(|since| now >= since + HIDDEN_TICK) {
                glut.in_flight = None;
            }
            let mut wakes = vec![];
            match glut.in_flight {
                Some(since) => wakes.push(since + HIDDEN_TICK),
                None => {
                    if let (true, Some(display)) = (glut.posted, glut.functions.display) {
                        glut.posted = false;
                        return Ok(Some(Call::Display(display)));
                    }
                    if let Some(idle) = idle {
                        if glut.next_idle <= now {
                            glut.next_idle = now + TICK;
                            return Ok(Some(Call::Idle(idle)));
                        }
                        wakes.push(glut.next_idle);
                    }
                }
            }
            if let Err(mistake) = self.publish() {
                self.tell(mistake);
            }
            wakes.extend(first.map(|(_, at)| at));
            let timeout = wakes.into_iter().min().map(|at| at.saturating_duration_since(Instant::now()));
            self.display()?.wait(timeout)?;
            self.take_events()?;
        }
    }

    fn call_that_waits(&mut self) -> Result<Option<Call>, Mistake> {
        let glut = self.glut()?;
        if let Some(call) = glut.waiting.pop_front() {
            return Ok(Some(call));
        }
        if glut.resized {
            glut.resized = false;
            glut.posted = true;
            if let Some(reshape) = glut.functions.reshape {
                return Ok(Some(Call::Reshape(reshape, glut.size)));
            }
            let program = default_reshape()?;
            let State { glut: Some(glut), display: Some(display), .. } = self else { return Ok(None) };
            glut.reshape.set(display, Callback::Reshape, program)?;
        }
        let glut = self.glut()?;
        if !glut.visible && glut.shown {
            glut.visible = true;
            return Ok(glut.functions.visibility.map(|f| Call::Int(f, 1)));
        }
        Ok(None)
    }

    fn take_events(&mut self) -> Result<(), Mistake> {
        let mut complaints = Vec::new();
        let State { glut: Some(glut), display: Some(display), glut_settings, pointer, .. } = self else {
            return Ok(());
        };
        while let Some(event) = display.context.next_event() {
            complaints.extend(Mistake::of_event(&event.what));
            glut.event(&event.what, pointer, glut_settings);
        }
        for complaint in complaints {
            self.tell(complaint);
        }
        Ok(())
    }

    /// What a function recorded, after it returned.
    fn finish_call(&mut self, call: Call) -> Result<(), Mistake> {
        match call {
            Call::Display(_) => {
                let program = self.end(Callback::Redraw)?;
                let animated = self.glut_settings.idle.is_some() || self.glut()?.posted;
                let State { glut: Some(glut), display: Some(display), .. } = self else { return Ok(()) };
                display.context.want_presented(animated);
                if glut.redraw.set(display, Callback::Redraw, program)? && animated && glut.shown {
                    glut.in_flight = Some(Instant::now());
                }
                self.publish()
            }
            Call::Reshape(..) => {
                let program = self.end(Callback::Reshape)?;
                let State { glut: Some(glut), display: Some(display), .. } = self else { return Ok(()) };
                glut.reshape.set(display, Callback::Reshape, program)?;
                Ok(())
            }
            Call::Nothing
            | Call::Idle(_)
            | Call::Two(..)
            | Call::Key(..)
            | Call::Special(..)
            | Call::Mouse(..)
            | Call::Int(..)
            | Call::End => Ok(()),
        }
    }

    /// Commits what changed. The window is there from the first picture on.
    fn publish(&mut self) -> Result<(), Mistake> {
        self.keep_recording();
        if self.glut()?.redraw.oid.is_none() {
            return Ok(());
        }
        let State { glut: Some(glut), display: Some(display), .. } = self else { return Ok(()) };
        if let Some(program) = glut.verified.take() {
            glut.init.set(display, Callback::Init, program)?;
        }
        if !glut.shown {
            let procedures = [
                (Callback::Init, &glut.init),
                (Callback::Reshape, &glut.reshape),
                (Callback::Redraw, &glut.redraw),
            ];
            let desc = display.window(glut.window.number())?;
            for (callback, procedure) in procedures {
                desc.procedures[callback as usize] = procedure.oid.map_or(0, ObjectId::number);
            }
            glut.shown = true;
        } else if let Some(init) = glut.init.oid {
            // The first call outside of the display function may come late.
            let number = glut.window.number();
            if display.windows.get(&glut.window).is_some_and(|d| d.procedures[Callback::Init as usize] == 0) {
                display.window(number)?.procedures[Callback::Init as usize] = init.number();
            }
        }
        self.commit()
    }
}

/// `glutMainLoop`.
#[unsafe(no_mangle)]
extern "C" fn glutMainLoop() {
    loop {
        let call = enter("glutMainLoop", |s| {
            let call = s.next_call()?.unwrap_or(Call::Nothing);
            match call {
                Call::Display(_) => s.begin(Callback::Redraw)?,
                Call::Reshape(..) => s.begin(Callback::Reshape)?,
                Call::Nothing
                | Call::Idle(_)
                | Call::Two(..)
                | Call::Key(..)
                | Call::Special(..)
                | Call::Mouse(..)
                | Call::Int(..)
                | Call::End => {}
            }
            Ok(Some(call))
        });
        let Some(call) = call else { std::process::exit(1) };
        if matches!(call, Call::End) {
            // As every GLUT: the program ends with its window.
            std::process::exit(0);
        }
        call.run();
        enter("a callback of GLUT", |s| s.finish_call(call));
    }
}

/// GLUT's own options of a program.
#[derive(Debug, Default, PartialEq)]
struct Options {
    /// Arguments that are the program's.
    kept: Vec<usize>,
    /// `--frame SECONDS`: the time stands still.
    frame: Option<f64>,
    /// `-geometry WIDTHxHEIGHT+X+Y`, as X programs have it: what the person who starts the program wants.
    size: Option<[u32; 2]>,
    place: Option<[i32; 2]>,
}

impl Options {
    /// Takes GLUT's own options out of the program's.
    fn take(arguments: &[String]) -> Result<Options, Mistake> {
        let mut options = Options::default();
        let mut rest = arguments.iter().enumerate();
        while let Some((i, argument)) = rest.next() {
            match argument.as_str() {
                "--frame" if i > 0 => {
                    let value = rest.next().and_then(|(_, text)| text.parse().ok());
                    let seconds = value.filter(|s: &f64| *s >= 0.0);
                    options.frame =
                        Some(seconds.ok_or_else(|| Mistake::value("--frame wants seconds, such as 1.5"))?);
                }
                "-geometry" if i > 0 => {
                    let value = rest.next().and_then(|(_, text)| geometry(text));
                    let wants = "-geometry wants WIDTHxHEIGHT or WIDTHxHEIGHT+X+Y, such as 300x300+10+40";
                    let (size, place) = value.ok_or_else(|| Mistake::value(wants))?;
                    (options.size, options.place) = (Some(size), place);
                }
                _ => options.kept.push(i),
            }
        }
        Ok(options)
    }
}

fn geometry(text: &str) -> Option<([u32; 2], Option<[i32; 2]>)> {
    let (size, place) = match text.split_once('+') {
        Some((size, place)) => (size, Some(place)),
        None => (text, None),
    };
    let (width, height) = size.split_once('x')?;
    let size = [width.parse().ok()?, height.parse().ok()?];
    let place = match place {
        Some(place) => {
            let (x, y) = place.split_once('+')?;
            Some([x.parse().ok()?, y.parse().ok()?])
        }
        None => None,
    };
    (size[0] > 0 && size[1] > 0).then_some((size, place))
}

calls! {
    fn glutInit(s, count: *mut c_int, arguments: *mut *mut c_char) {
        s.glut_settings.started.get_or_insert_with(Instant::now);
        if count.is_null() || arguments.is_null() {
            return Ok(());
        }
        let [number] = crate::state::read("argc", count.cast_const())?;
        let mut pointers = Vec::new();
        let mut texts = Vec::new();
        for i in 0..usize::try_from(number).unwrap_or(0) {
            let [pointer] = crate::state::read("argv", arguments.wrapping_add(i).cast_const())?;
            texts.push(text("an argument", pointer.cast_const())?);
            pointers.push(pointer);
        }
        if let Some(name) = texts.first().and_then(|path| path.rsplit('/').next()) {
            name.clone_into(&mut s.glut_settings.name);
        }
        let Options { kept, frame, size, place } = Options::take(&texts)?;
        if frame.is_some() {
            s.frozen_time = frame;
        }
        (s.glut_settings.asked_size, s.glut_settings.asked_place) = (size, place);
        let mut rest: Vec<*mut c_char> = kept.iter().filter_map(|&i| pointers.get(i).copied()).collect();
        crate::state::write("argc", count, &[c_int::try_from(rest.len()).unwrap_or(0)])?;
        if rest.len() < pointers.len() {
            // There was something in that place, so there is room for the end.
            rest.push(std::ptr::null_mut());
        }
        crate::state::write("argv", arguments, &rest)
    }
    fn glutInitDisplayMode(_s, _mode: u32) {
        // A window has it all: RGBA, double buffering, depth, stencil.
        Ok(())
    }
    fn glutInitWindowSize(s, width: c_int, height: c_int) {
        s.glut_settings.size = match (u32::try_from(width), u32::try_from(height)) {
            (Ok(width), Ok(height)) if width > 0 && height > 0 => Some([width, height]),
            _ => return Err(Mistake::value(format!("a window of {width} x {height}"))),
        };
        Ok(())
    }
    fn glutInitWindowPosition(s, x: c_int, y: c_int) {
        s.glut_settings.place = (x >= 0 && y >= 0).then_some([x, y]);
        Ok(())
    }
    fn glutSetWindowTitle(s, title: *const c_char) {
        let (title, window) = (text("the title", title)?, s.glut()?.window.number());
        s.display()?.window(window)?.set_title(&title);
        Ok(())
    }
    fn glutReshapeWindow(s, width: c_int, height: c_int) {
        let (Ok(width), Ok(height)) = (u32::try_from(width), u32::try_from(height)) else {
            return Err(Mistake::value(format!("a window of {width} x {height}")));
        };
        let window = s.glut()?.window.number();
        let desc = s.display()?.window(window)?;
        (desc.width, desc.height) = (width, height);
        Ok(())
    }
    fn glutDestroyWindow(s, _window: c_int) {
        s.glut()?.waiting.push_back(Call::End);
        Ok(())
    }
    fn glutGetWindow(s) -> c_int {
        Ok(c_int::from(s.glut.is_some()))
    }
    fn glutSetWindow(s, window: c_int) {
        s.glut()?;
        if window == 1 { Ok(()) } else { Err(Mistake::value(format!("there is no window {window}"))) }
    }
    fn glutPostRedisplay(s) {
        s.glut()?.posted = true;
        Ok(())
    }
    fn glutSwapBuffers(s) {
        // The picture is what the display function recorded when it returns.
        s.glut()?;
        Ok(())
    }
    fn glutGet(s, what: u32) -> c_int {
        let milliseconds = match s.frozen_time {
            Some(time) => time * 1000.0,
            None => s.glut_settings.started.get_or_insert_with(Instant::now).elapsed().as_secs_f64() * 1000.0,
        };
        let size = s.glut.as_ref().map_or([0; 2], |glut| glut.size);
        let number = |value: u32| c_int::try_from(value).unwrap_or(c_int::MAX);
        #[allow(clippy::cast_possible_truncation, reason = "saturating is meant")]
        Ok(match what {
            ELAPSED_TIME => milliseconds.round() as c_int,
            102 => number(size[0]),
            103 => number(size[1]),
            // GLUT_WINDOW_DEPTH_SIZE, _STENCIL_SIZE, _DOUBLEBUFFER, _RGBA.
            106 => 24,
            105 => 8,
            115 => 1,
            116 => 0,
            other => return Err(Mistake::name("value of glutGet, as", other)),
        })
    }
    fn glutGetModifiers(s) -> c_int {
        Ok(s.glut_settings.modifiers.bits())
    }
    fn glutIdleFunc(s, f: Function) {
        s.glut_settings.idle = f;
        Ok(())
    }
    fn glutTimerFunc(s, milliseconds: u32, f: OnInt, value: c_int) {
        let f = f.ok_or_else(|| Mistake::null("the function"))?;
        let at = Instant::now() + Duration::from_millis(milliseconds.into());
        s.glut_settings.timers.push((at, f, value));
        Ok(())
    }
    fn glutDisplayFunc(s, f: Function) {
        s.glut()?.functions.display = Some(f.ok_or_else(|| Mistake::null("the function"))?);
        Ok(())
    }
    fn glutReshapeFunc(s, f: OnTwo) {
        s.glut()?.functions.reshape = f;
        Ok(())
    }
    fn glutKeyboardFunc(s, f: OnKey) { s.glut()?.functions.keyboard = f; Ok(()) }
    fn glutKeyboardUpFunc(s, f: OnKey) { s.glut()?.functions.keyboard_up = f; Ok(()) }
    fn glutSpecialFunc(s, f: OnSpecial) { s.glut()?.functions.special = f; Ok(()) }
    fn glutSpecialUpFunc(s, f: OnSpecial) { s.glut()?.functions.special_up = f; Ok(()) }
    fn glutMouseFunc(s, f: OnMouse) { s.glut()?.functions.mouse = f; Ok(()) }
    fn glutMotionFunc(s, f: OnTwo) { s.glut()?.functions.motion = f; Ok(()) }
    fn glutPassiveMotionFunc(s, f: OnTwo) { s.glut()?.functions.passive_motion = f; Ok(()) }
    fn glutVisibilityFunc(s, f: OnInt) { s.glut()?.functions.visibility = f; Ok(()) }
}

fn create(s: &mut State, title: &str) -> Result<c_int, Mistake> {
    if s.glut.is_some() {
        return Err(Mistake::operation("a GLUT program has one window in Blink"));
    }
    let settings = &s.glut_settings;
    let name = if settings.name.is_empty() { title } else { &settings.name };
    let mut display = Display::open(name)?;
    let size = settings.asked_size.or(settings.size).unwrap_or([300, 300]);
    let mut desc = WindowDesc { width: size[0], height: size[1], ..WindowDesc::default() };
    if let Some([x, y]) = settings.asked_place.or(settings.place) {
        (desc.x, desc.y) = (x, y);
    }
    desc.set_title(title);
    let window = display.context.reserve()?;
    display.windows.insert(window, desc);
    display.pending.insert(window, Pending::Window);
    s.display = Some(display);
    s.glut_settings.started.get_or_insert_with(Instant::now);
    s.glut = Some(Glut {
        window,
        size,
        selected: Selected::default(),
        suspended: None,
        functions: Functions::default(),
        log: Log::default(),
        verified: None,
        init: Procedure::default(),
        reshape: Procedure::default(),
        redraw: Procedure::default(),
        resized: true,
        posted: true,
        shown: false,
        visible: false,
        in_flight: None,
        next_idle: Instant::now(),
        waiting: VecDeque::new(),
    });
    Ok(1)
}

/// `glutCreateWindow`. Without a server the program ends, as without a display.
#[unsafe(no_mangle)]
extern "C" fn glutCreateWindow(title: *const c_char) -> c_int {
    let window = enter("glutCreateWindow", |s| {
        let title = text("the title", title)?;
        create(s, &title)
    });
    if window == 0 && !enter("glutCreateWindow", |s| Ok(s.glut.is_some())) {
        std::process::exit(1);
    }
    window
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn own_options_are_taken_out() {
        let take = |arguments: &[&str]| {
            Options::take(&arguments.iter().map(|a| (*a).to_owned()).collect::<Vec<_>>())
        };
        let options = take(&["gears", "-v", "--frame", "1.5", "x"]).unwrap();
        assert_eq!((options.kept, options.frame), (vec![0, 1, 4], Some(1.5)));
        let options = take(&["gears", "-geometry", "412x226+16+30", "-geometry", "400x200"]).unwrap();
        assert_eq!((options.kept, options.size, options.place), (vec![0], Some([400, 200]), None));
        let place = take(&["gears", "-geometry", "412x226+16+30"]).unwrap().place;
        assert_eq!(place, Some([16, 30]));
        assert_eq!(take(&["gears"]).unwrap(), Options { kept: vec![0], ..Options::default() });
        for wrong in [
            &["gears", "--frame"][..],
            &["gears", "--frame", "-1"],
            &["gears", "-geometry"],
            &["gears", "-geometry", "0x5"],
            &["gears", "-geometry", "5x5+1"],
            &["gears", "-geometry", "large"],
        ] {
            assert!(take(wrong).is_err(), "{wrong:?}");
        }
    }
}
