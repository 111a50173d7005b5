//! `glGet` and the like, of what this side knows. What only the server knows, C can't ask for: it would have to wait.

use crate::error::{Mistake, gl};
use crate::export::calls;
use crate::state::{State, write};
use blinkgl::limits::{
    ATTRIB_STACK, MAX_CLIP_PLANES, MAX_LIGHTS, MAX_LIST_NESTING, MAX_TEXTURE_SIZE, MAX_TEXTURE_UNITS,
    MAX_WINDOW_SIZE, MODELVIEW_STACK, PROJECTION_STACK, TEXTURE_STACK,
};
use blinkgl::ops::{CAPABILITY, Callback};
use std::collections::BTreeSet;
use std::ffi::c_char;

/// What is followed to be told.
#[derive(Debug, Default)]
pub struct Followed {
    /// The last `glViewport`.
    pub viewport: Option<[i32; 4]>,
    enabled: BTreeSet<u32>,
    disabled: BTreeSet<u32>,
}

/// `GL_DITHER`: the capability that is enabled at the start.
const DITHER: u32 = 0x0bd0;

impl State {
    /// After `glEnable` or `glDisable`. In a display list nothing is enabled yet.
    pub fn follow_enable(&mut self, capability: u32, on: bool) {
        if self.recording.as_ref().is_some_and(|recording| recording.list.is_none()) {
            let Followed { enabled, disabled, .. } = &mut self.followed;
            let (to, from) = if on { (enabled, disabled) } else { (disabled, enabled) };
            to.insert(capability);
            from.remove(&capability);
        }
    }

    /// A value of state that is known here.
    fn get(&mut self, name: u32) -> Result<Vec<f64>, Mistake> {
        let size = |value: usize| f64::from(u32::try_from(value).unwrap_or(u32::MAX));
        let one = |value: f64| Ok(vec![value]);
        match name {
            0x0ba2 => {
                let window = self
                    .glut
                    .as_ref()
                    .map_or([0; 2], |glut| glut.size.map(|s| i32::try_from(s).unwrap_or(0)));
                let viewport = self.followed.viewport.unwrap_or([0, 0, window[0], window[1]]);
                Ok(viewport.map(f64::from).to_vec())
            }
            0x0ba0 => one(self.recording()?.selected.matrix_mode.into()),
            0x84e0 => one(self.recording()?.selected.unit.into()),
            0x8069 => {
                let unit = self.unit()?;
                one(self.textures.bound(unit).into())
            }
            0x0b32 => one(self.lists.base().into()),
            0x0b33 => one(self.recording()?.list.map_or(0, |list| list.name).into()),
            0x0cf5 => one(size(self.textures.unpack.alignment)),
            0x0cf2 => one(size(self.textures.unpack.row_length)),
            0x8894 => one(self.arrays.array_buffer.into()),
            0x8895 => one(self.arrays.element_buffer.into()),
            0x0d33 => one(MAX_TEXTURE_SIZE.into()),
            0x84e2 => one(size(MAX_TEXTURE_UNITS)),
            0x0d31 => one(size(MAX_LIGHTS)),
            0x0d32 => one(size(MAX_CLIP_PLANES)),
            0x0b31 => one(MAX_LIST_NESTING.into()),
            0x0d35 => one(size(ATTRIB_STACK)),
            0x0d36 => one(size(MODELVIEW_STACK)),
            0x0d38 => one(size(PROJECTION_STACK)),
            0x0d39 => one(size(TEXTURE_STACK)),
            0x0d3a => Ok(vec![MAX_WINDOW_SIZE.into(); 2]),
            0x0d52..=0x0d55 => one(8.0),
            0x0d56 => one(24.0),
            0x0d57 => one(8.0),
            0x0c31 | 0x0c32 => one(1.0),
            other => Err(Mistake::name("state that can be asked for here, as", other)),
        }
    }
}

#[allow(clippy::cast_possible_truncation, reason = "saturating; the values are integers")]
fn integer(value: f64) -> i32 {
    value as i32
}

calls! {
    fn glGetError(s) -> u32 {
        Ok(s.take_error())
    }
    fn glGetIntegerv(s, name: u32, to: *mut i32) {
        let values: Vec<i32> = s.get(name)?.into_iter().map(integer).collect();
        write("the result", to, &values)
    }
    fn glGetFloatv(s, name: u32, to: *mut f32) {
        let values: Vec<f32> = s.get(name)?.into_iter().map(crate::value::single).collect();
        write("the result", to, &values)
    }
    fn glGetDoublev(s, name: u32, to: *mut f64) {
        let values = s.get(name)?;
        write("the result", to, &values)
    }
    fn glGetBooleanv(s, name: u32, to: *mut u8) {
        let values: Vec<u8> = s.get(name)?.into_iter().map(|value| u8::from(value != 0.0)).collect();
        write("the result", to, &values)
    }
    fn glIsEnabled(s, capability: u32) -> u8 {
        if !CAPABILITY.contains(capability) {
            return Err(Mistake::name(CAPABILITY.name, capability));
        }
        let Followed { enabled, disabled, .. } = &s.followed;
        let at_start = capability == DITHER && !disabled.contains(&capability);
        Ok(u8::from(at_start || enabled.contains(&capability)))
    }
    fn glFlush(s) {
        // What is recorded becomes visible when it is published.
        check_outside_begin(s)
    }
    fn glFinish(s) {
        check_outside_begin(s)
    }
}

fn check_outside_begin(s: &State) -> Result<(), Mistake> {
    match &s.recording {
        Some(recording) if recording.in_begin && recording.callback == Callback::Redraw => {
            Err(Mistake::operation("not between glBegin and glEnd"))
        }
        Some(_) | None => Ok(()),
    }
}

/// `glGetString`.
#[unsafe(no_mangle)]
pub(crate) extern "C" fn glGetString(name: u32) -> *const c_char {
    let text = crate::state::enter("glGetString", |_s| {
        Ok(Some(match name {
            0x1f00 => c"Blink",
            0x1f01 => c"BlinkGL stored procedures",
            0x1f02 => c"1.4 BlinkGL",
            0x1f03 => c"GL_ARB_multitexture GL_ARB_texture_env_combine GL_ARB_vertex_buffer_object GL_SGIS_generate_mipmap",
            other => return Err(Mistake::new(gl::INVALID_ENUM, format!("there is no text {other:#06x}"))),
        }))
    });
    text.map_or(std::ptr::null(), std::ffi::CStr::as_ptr)
}
