//! GLU: matrices, quadrics, error texts.

use crate::error::{self, Mistake};
use crate::export::calls;
use crate::recording::Recording;
use crate::state::{State, read};
use crate::value::single;
use blinkgl::Recorder;
use blinkgl::ops::{Callback, Class};
use blinkgl::record::{DrawStyle, Normals, Orientation, Quadric};
use blinkgl::wire::{Arg, HEADER_WORDS, decode};
use std::ffi::{CStr, c_char};

impl State {
    /// Records what `record` does to a recorder, or, if that is wrong, nothing.
    pub fn compose(&mut self, record: impl FnOnce(&mut Recorder)) -> Result<(), Mistake> {
        let mut scratch = Recorder::new();
        record(&mut scratch);
        let program = scratch.finish().map_err(|error| Mistake::value(error.to_string()))?;
        let call = self.call;
        let recording = self.recording()?;
        let mut offset = HEADER_WORDS;
        while let Ok(Some(instruction)) = decode(program.untrusted_words(), offset) {
            if offset == HEADER_WORDS {
                check(recording, instruction.info.class)?;
            }
            offset += instruction.words();
            let args: Vec<Arg> = (0..instruction.args.len()).filter_map(|i| instruction.arg(i)).collect();
            recording.p.instruction(instruction.op(), &args);
        }
        recording.credit(call);
        Ok(())
    }
}

/// Can what begins with an op of this class stand here? Matrices can, and so can primitives in `redraw` and lists.
fn check(recording: &Recording, class: Class) -> Result<(), Mistake> {
    let draws = !matches!(class, Class::State(_));
    if recording.in_begin {
        return Err(Mistake::operation("not between glBegin and glEnd"));
    }
    if draws && recording.callback != Callback::Redraw && recording.list.is_none() {
        return Err(Mistake::operation(
            "only the redraw callback (GLUT's display function) draws, or a display list",
        ));
    }
    if recording.callback == Callback::Input {
        return Err(Mistake::operation("the input callback has no OpenGL"));
    }
    Ok(())
}

calls! {
    fn gluPerspective(s, fovy: f64, aspect: f64, near: f64, far: f64) {
        s.compose(|p| p.perspective(fovy, aspect, near, far))
    }
    fn gluOrtho2D(s, left: f64, right: f64, bottom: f64, top: f64) {
        s.compose(|p| p.ortho_2d(single(left), single(right), single(bottom), single(top)))
    }
    fn gluLookAt(
        s, eye_x: f64, eye_y: f64, eye_z: f64, x: f64, y: f64, z: f64, up_x: f64, up_y: f64, up_z: f64,
    ) {
        s.compose(|p| p.look_at([eye_x, eye_y, eye_z], [x, y, z], [up_x, up_y, up_z]))
    }
    fn gluPickMatrix(s, x: f64, y: f64, width: f64, height: f64, viewport: *const i32) {
        let viewport = read("the viewport", viewport)?;
        s.compose(|p| p.pick_matrix([x, y], [width, height], viewport))
    }
    fn gluDeleteQuadric(_s, quadric: *mut Quadric) {
        if !quadric.is_null() {
            // SAFETY: not null; the caller promises that it is from gluNewQuadric and not used after this.
            drop(unsafe { Box::from_raw(quadric) });
        }
        Ok(())
    }
    fn gluQuadricDrawStyle(_s, quadric: *mut Quadric, style: u32) {
        change(quadric)?.draw_style = match style {
            100_010 => DrawStyle::Point,
            100_011 => DrawStyle::Line,
            100_012 => DrawStyle::Fill,
            100_013 => DrawStyle::Silhouette,
            other => return Err(Mistake::name("draw style", other)),
        };
        Ok(())
    }
    fn gluQuadricNormals(_s, quadric: *mut Quadric, normals: u32) {
        change(quadric)?.normals = match normals {
            100_000 => Normals::Smooth,
            100_001 => Normals::Flat,
            100_002 => Normals::None,
            other => return Err(Mistake::name("kind of normals", other)),
        };
        Ok(())
    }
    fn gluQuadricOrientation(_s, quadric: *mut Quadric, orientation: u32) {
        change(quadric)?.orientation = match orientation {
            100_020 => Orientation::Outside,
            100_021 => Orientation::Inside,
            other => return Err(Mistake::name("orientation", other)),
        };
        Ok(())
    }
    fn gluQuadricTexture(_s, quadric: *mut Quadric, texture: u8) {
        change(quadric)?.texture = texture != 0;
        Ok(())
    }
    fn gluSphere(s, quadric: *mut Quadric, radius: f64, slices: i32, stacks: i32) {
        let (q, [slices, stacks]) = (*change(quadric)?, parts([slices, stacks])?);
        s.compose(|p| q.sphere(p, radius, slices, stacks))
    }
    fn gluCylinder(s, quadric: *mut Quadric, base: f64, top: f64, height: f64, slices: i32, stacks: i32) {
        let (q, [slices, stacks]) = (*change(quadric)?, parts([slices, stacks])?);
        s.compose(|p| q.cylinder(p, base, top, height, slices, stacks))
    }
    fn gluDisk(s, quadric: *mut Quadric, inner: f64, outer: f64, slices: i32, loops: i32) {
        let (q, [slices, loops]) = (*change(quadric)?, parts([slices, loops])?);
        s.compose(|p| q.disk(p, inner, outer, slices, loops))
    }
    fn gluPartialDisk(
        s, quadric: *mut Quadric, inner: f64, outer: f64, slices: i32, loops: i32, start: f64, sweep: f64,
    ) {
        let (q, [slices, loops]) = (*change(quadric)?, parts([slices, loops])?);
        s.compose(|p| q.partial_disk(p, inner, outer, slices, loops, start, sweep))
    }
}

fn parts(counts: [i32; 2]) -> Result<[u32; 2], Mistake> {
    match counts.map(u32::try_from) {
        [Ok(a), Ok(b)] => Ok([a, b]),
        _ => Err(Mistake::value(format!("{} and {} parts", counts[0], counts[1]))),
    }
}

fn change<'a>(quadric: *mut Quadric) -> Result<&'a mut Quadric, Mistake> {
    // SAFETY: the caller promises that it is null, or from gluNewQuadric, not yet deleted, and not used by another
    // thread meanwhile. The reference does not outlive the call.
    unsafe { quadric.as_mut() }.ok_or_else(|| Mistake::null("the quadric"))
}

/// `gluNewQuadric`.
#[unsafe(no_mangle)]
pub(crate) extern "C" fn gluNewQuadric() -> *mut Quadric {
    Box::into_raw(Box::new(Quadric::default()))
}

/// `gluErrorString`.
#[unsafe(no_mangle)]
pub(crate) extern "C" fn gluErrorString(code: u32) -> *const c_char {
    let text: &CStr = match code {
        error::gl::NO_ERROR => c"no error",
        error::gl::INVALID_ENUM => c"invalid enumerant",
        error::gl::INVALID_VALUE => c"invalid value",
        error::gl::INVALID_OPERATION => c"invalid operation",
        0x503 => c"stack overflow",
        0x504 => c"stack underflow",
        error::gl::OUT_OF_MEMORY => c"out of memory",
        _ => return std::ptr::null(),
    };
    text.as_ptr()
}
