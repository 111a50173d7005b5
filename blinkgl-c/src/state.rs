//! What the library remembers between calls: one state for each thread, as OpenGL's current context.
//!
//! Every exported function goes through [`enter`], so no panic reaches C. A callback of the C program is never run
//! while the state is borrowed.

use crate::arrays::Arrays;
use crate::display::Display;
use crate::error::{self, Mistake, gl};
use crate::glut::{Glut, Settings};
use crate::lists::Lists;
use crate::query::Followed;
use crate::recording::Recording;
use crate::textures::Textures;
use crate::value::Value;
use blinkgl::ops::{Callback, Op};
use std::cell::RefCell;
use std::collections::BTreeSet;
use std::ffi::CString;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// The library's state of a thread.
#[derive(Debug, Default)]
pub struct State {
    /// The call that is being served.
    pub call: &'static str,
    /// For `glGetError`.
    gl_error: u32,
    /// Messages that were printed: each is printed once.
    told: BTreeSet<String>,
    /// For `blinkError`.
    pub message: CString,
    /// The procedure that is being recorded.
    pub recording: Option<Recording>,
    /// Display lists by name.
    pub lists: Lists,
    /// Texture objects by name, and how pixels are read.
    pub textures: Textures,
    /// Buffers by name, and the vertex arrays.
    pub arrays: Arrays,
    /// What `glGet` tells.
    pub followed: Followed,
    /// The connection.
    pub display: Option<Display>,
    /// `blinkFreezeTime`: seconds.
    pub frozen_time: Option<f64>,
    /// What GLUT was told before its window.
    pub glut_settings: Settings,
    /// The pointer, as the last event had it.
    pub pointer: [i32; 2],
    /// The program with GLUT's main loop, once `glutCreateWindow` was called.
    pub glut: Option<Glut>,
}

thread_local! {
    static STATE: RefCell<State> = RefCell::default();
}

/// Serves a call of C. What goes wrong becomes an error, and `R`'s default is returned.
pub fn enter<R: Default>(call: &'static str, serve: impl FnOnce(&mut State) -> Result<R, Mistake>) -> R {
    let served = catch_unwind(AssertUnwindSafe(|| {
        STATE.try_with(|state| {
            let mut state = state.try_borrow_mut().ok()?;
            state.call = call;
            match serve(&mut state) {
                Ok(value) => Some(value),
                Err(mistake) => {
                    state.tell(mistake);
                    None
                }
            }
        })
    }));
    match served {
        Ok(Ok(value)) => value.unwrap_or_default(),
        // The thread ends: its state is gone.
        Ok(Err(_)) => R::default(),
        Err(_) => {
            let _ = catch_unwind(|| {
                let _ = STATE.try_with(|state| {
                    if let Ok(mut state) = state.try_borrow_mut() {
                        state.tell(Mistake::operation("an error of this library, see the message above"));
                    }
                });
            });
            R::default()
        }
    }
}

impl State {
    /// Remembers an error, and prints it if it is new.
    pub fn tell(&mut self, mistake: Mistake) {
        if self.gl_error == gl::NO_ERROR {
            self.gl_error = mistake.code;
        }
        let mut text = format!("{}: {}", self.call, mistake.text);
        if mistake.code != gl::NO_ERROR {
            text += &format!(" ({})", error::name(mistake.code));
        }
        // No C string has a zero in it.
        self.message = CString::new(text.replace('\0', "?")).unwrap_or_default();
        if !self.told.contains(&text) && self.told.len() < 1000 {
            eprintln!("blinkgl: {text}");
            self.told.insert(text);
        }
    }

    /// `glGetError`.
    pub fn take_error(&mut self) -> u32 {
        std::mem::replace(&mut self.gl_error, gl::NO_ERROR)
    }

    /// The procedure that is being recorded. A GLUT program's calls outside of its callbacks go to `init`.
    pub fn recording(&mut self) -> Result<&mut Recording, Mistake> {
        if self.recording.is_none()
            && let Some(glut) = &self.glut
        {
            let selected = glut.selected;
            let mut recording = Recording::new(Callback::Init);
            recording.select(self.call, selected)?;
            self.recording = Some(recording);
        }
        self.recording.as_mut().ok_or_else(|| {
            Mistake::operation("nothing is being recorded: call blinkBegin (or glutCreateWindow) first")
        })
    }

    /// Records an op.
    pub fn put(&mut self, op: Op, values: &[Value]) -> Result<(), Mistake> {
        let call = self.call;
        self.recording()?.put(call, op, values)
    }

    /// The connection.
    pub fn display(&mut self) -> Result<&mut Display, Mistake> {
        self.display.as_mut().ok_or_else(|| Mistake::operation("no connection: call blinkConnect first"))
    }
}

/// `N` values that C points to.
pub fn read<T: Copy, const N: usize>(what: &str, from: *const T) -> Result<[T; N], Mistake> {
    if from.is_null() {
        return Err(Mistake::null(what));
    }
    // SAFETY: not null; the header says how many values each call reads, and the caller promises that they
    // are there, as with OpenGL. They need not be aligned.
    Ok(unsafe { from.cast::<[T; N]>().read_unaligned() })
}

/// So many bytes that C points to.
pub fn bytes<'a>(what: &str, from: *const u8, count: usize) -> Result<&'a [u8], Mistake> {
    if count == 0 {
        return Ok(&[]);
    }
    if from.is_null() {
        return Err(Mistake::null(what));
    }
    // SAFETY: not null, and bytes are aligned everywhere; the caller promises that as many are there as the
    // call's sizes say, as with OpenGL, and does not change them during the call.
    Ok(unsafe { std::slice::from_raw_parts(from, count) })
}

/// Puts values where C wants them.
pub fn write<T: Copy>(what: &str, to: *mut T, values: &[T]) -> Result<(), Mistake> {
    if to.is_null() {
        return Err(Mistake::null(what));
    }
    for (i, value) in values.iter().enumerate() {
        // SAFETY: not null; the caller promises room for as many values as the header says.
        unsafe { to.add(i).write_unaligned(*value) };
    }
    Ok(())
}

/// A text of C. What is not UTF-8 is replaced.
pub fn text(what: &str, from: *const std::ffi::c_char) -> Result<String, Mistake> {
    if from.is_null() {
        return Err(Mistake::null(what));
    }
    // SAFETY: not null; the caller promises a text that ends with a zero.
    Ok(unsafe { std::ffi::CStr::from_ptr(from) }.to_string_lossy().into_owned())
}
