//! What calls become: their ops, and their errors.

use crate::arrays::*;
use crate::error::gl;
use crate::fixed::*;
use crate::glu::*;
use crate::lists::*;
use crate::params::*;
use crate::query::*;
use crate::recording::Recording;
use crate::registers::*;
use crate::state::{State, enter};
use crate::textures::*;
use crate::value::BlinkValue;
use crate::vertex::*;
use blinkgl::ops::Callback;

/// The text of what `calls` record, which the verifier accepts.
fn recorded(callback: Callback, calls: impl FnOnce()) -> Vec<String> {
    begin(callback);
    calls();
    let text = enter("a test", |s| {
        let recording = s.recording.take().expect("it is being recorded");
        assert_eq!(s.take_error(), gl::NO_ERROR, "{:?}", s.message);
        let program = recording.finish()?.verify(callback)?;
        Ok(blinkgl::dis::disassemble(program.untrusted_words(), None))
    });
    assert_eq!(glGetError(), gl::NO_ERROR, "{}", message());
    // Whole numbers without their fraction, to be read more easily.
    let short = |line: &str| line.replace(".0,", ",").strip_suffix(".0").map(str::to_owned);
    text.lines().map(str::trim).map(|line| short(line).unwrap_or_else(|| line.replace(".0,", ","))).collect()
}

fn begin(callback: Callback) {
    enter("a test", |s| {
        *s = State::default();
        s.recording = Some(Recording::new(callback));
        Ok(())
    });
}

fn message() -> String {
    enter("a test", |s| Ok(s.message.to_string_lossy().into_owned()))
}

/// The error of a call, and that nothing was recorded.
fn error_of(call: impl FnOnce()) -> u32 {
    let count = || enter("a test", |s| Ok(s.recording.as_ref().map_or(0, |r| r.p.op_count())));
    let before = count();
    call();
    assert_eq!(count(), before, "a wrong call records nothing");
    assert!(message().contains("GL_"), "{}", message());
    glGetError()
}

#[test]
fn vertices_in_all_forms() {
    let ops = recorded(Callback::Redraw, || {
        glBegin(0);
        glNormal3b(-128, 0, 127);
        glNormal3fv([0.0, 0.5, 1.0].as_ptr());
        glColor3ub(255, 0, 51);
        glColor4us(0, 65535, 0, 65535);
        glColor3iv([i32::MAX, i32::MIN, i32::MAX].as_ptr());
        glColor4d(0.25, 0.5, 0.75, 1.0);
        glTexCoord1f(0.5);
        glTexCoord2i(2, 3);
        glTexCoord3s(1, 2, 3);
        glTexCoord4dv([1.0, 2.0, 3.0, 4.0].as_ptr());
        glMultiTexCoord2f(0x84c1, 0.5, 0.25);
        glVertex2s(1, -2);
        glVertex3dv([1.0, 2.0, 3.0].as_ptr());
        glVertex4i(1, 2, 3, 4);
        glMaterialf(0x404, 0x1601, 9.0);
        glMaterialiv(0x408, 0x1200, [i32::MAX, 0, 0, i32::MAX].as_ptr());
        glEnd();
        glRecti(1, 2, 3, 4);
    });
    let expected = "begin points
normal3 -1, 0.003921569, 1
normal3 0, 0.5, 1
color4 1, 0, 0.2, 1
color4 0, 1, 0, 1
color4 1, -1, 1, 1
color4 0.25, 0.5, 0.75, 1
tex_coord4 0.5, 0, 0, 1
tex_coord2 2, 3
tex_coord4 1, 2, 3, 1
tex_coord4 1, 2, 3, 4
multi_tex_coord4 texture1, 0.5, 0.25, 0, 1
vertex2 1, -2
vertex3 1, 2, 3
vertex4 1, 2, 3, 4
material front, shininess, 9, 0, 0, 0
material front_and_back, ambient, 1, 0, 0, 1
end
begin polygon
vertex2 1, 2
vertex2 3, 2
vertex2 3, 4
vertex2 1, 4
end";
    for (found, expected) in ops.iter().zip(expected.lines()) {
        // 0 of an integer color is half a step above 0.
        let found = found.replace("2.3283064e-10", "0");
        assert_eq!(found, expected);
    }
    assert_eq!(ops.len(), expected.lines().count());
}

#[test]
fn state_and_parameters() {
    let ops = recorded(Callback::Init, || {
        glFogi(0x0b65, 0x2601);
        glFogf(0x0b63, 2.5);
        glFogfv(0x0b66, [0.1, 0.2, 0.3, 1.0].as_ptr());
        glLighti(0x4003, 0x1206, 30);
        glLightiv(0x4003, 0x1203, [1, 2, 3, 0].as_ptr());
        glLightfv(0x4003, 0x1204, [0.0, -1.0, 0.0].as_ptr());
        glLightModeli(0x0b52, 1);
        glTexEnvi(0x2300, 0x2200, 0x8570);
        glTexEnvf(0x2300, 0x8573, 2.0);
        glTexEnvi(0x2300, 0x8571, 0x84e7);
        glTexEnvfv(0x2300, 0x2201, [1.0, 0.0, 0.5, 1.0].as_ptr());
        glTexGeni(0x2000, 0x2500, 0x2401);
        glTexGendv(0x2000, 0x2501, [1.0, 0.0, 0.0, 0.5].as_ptr());
        glClipPlane(0x3001, [0.0, 1.0, 0.0, 2.0].as_ptr());
        glPointParameterfv(0x8129, [1.0, 0.5, 0.25].as_ptr());
        glBlendEquation(0x8007);
        glStencilFunc(0x202, 3, 0xff);
        glColorMask(1, 0, 7, 0);
        glDepthRange(0.25, 1.0);
        glPushAttrib(u32::MAX);
        glMatrixMode(0x1701);
        glPopAttrib();
        assert_eq!(crate_matrix_mode(), 0x1700, "popped");
        glViewport(0, 0, 300, 200);
        glLoadMatrixd([1.0; 16].as_ptr());
    });
    let expected = "fog_mode linear
fog start, 2.5, 0, 0, 0
fog color, 0.1, 0.2, 0.3, 1
light light3, spot_cutoff, 30, 0, 0, 0
light light3, position, 1, 2, 3, 0
light light3, spot_direction, 0, -1, 0, 0
light_model two_side, 1, 0, 0, 0
tex_env_mode combine
tex_env_scale rgb_scale, 2
tex_env_combine combine_rgb, subtract
tex_env_color 1, 0, 0.5, 1
tex_gen_mode s, object_linear
tex_gen_plane s, object_plane, 1, 0, 0, 0.5
clip_plane clip_plane1, 0, 1, 0, 2
point_parameter distance_attenuation, 1, 0.5, 0.25
blend_equation min, min
stencil_func equal, 3, 255
color_mask true, false, true, false
depth_range 0.25, 1";
    let plain: Vec<_> = ops.iter().map(String::as_str).collect();
    assert_eq!(plain[..19].join("\n").replace("0x000000ff", "255"), expected);
    assert!(plain[19].starts_with("push_attrib current|point|"), "{}", plain[19]);
    assert_eq!(plain[20..23], ["matrix_mode projection", "pop_attrib", "viewport 0, 0, 300, 200"]);
    assert_eq!(plain[23], format!("load_matrix {}", ["1"; 16].join(", ")));
}

fn crate_matrix_mode() -> u32 {
    let mut mode = [0];
    glGetIntegerv(0x0ba0, mode.as_mut_ptr());
    mode[0].cast_unsigned()
}

#[test]
fn lists_of_lists() {
    let ops = recorded(Callback::Init, || {
        let first = glGenLists(3);
        assert_eq!((first, glGenLists(1), glIsList(2), glIsList(9)), (1, 4, 1, 0));
        glNewList(2, 0x1300);
        glBegin(4);
        for point in [[0, 0], [1, 0], [0, 1]] {
            glVertex2iv(point.as_ptr());
        }
        glEnd();
        glEndList();
        glNewList(3, 0x1300);
        glListBase(100);
        glCallLists(2, 0x1400, [-98_i8, -97].as_ptr().cast());
        glCallLists(1, 0x1407, [0_u8, 2].as_ptr().cast());
        glCallList(0);
        glEndList();
        glDeleteLists(2, 1);
        assert_eq!(glIsList(2), 0);
    });
    let expected = [
        "new_list 2",
        "begin triangles",
        "vertex2 0, 0",
        "vertex2 1, 0",
        "vertex2 0, 1",
        "end",
        "end_list",
        "new_list 3",
        "call_list 2",
        "call_list 3",
        "call_list 102",
        "end_list",
        "new_list 2",
        "end_list",
    ];
    assert_eq!(ops, expected);
}

/// Blink calls lists in matrix mode modelview with unit 0. Where that makes no difference, C need not know.
#[test]
fn lists_that_do_not_need_a_mode_are_called_in_any() {
    begin(Callback::Init);
    glNewList(1, 0x1300);
    glColor3ub(255, 255, 255);
    glMatrixMode(0x1702);
    glLoadIdentity();
    glMatrixMode(0x1700);
    glEndList();
    glNewList(2, 0x1300);
    glTranslatef(1.0, 0.0, 0.0);
    glEndList();
    glNewList(3, 0x1300);
    glCallList(2);
    glEndList();
    glNewList(4, 0x1300);
    glDisable(0x0de1);
    glEndList();
    enter("a test", |s| {
        s.recording = Some(Recording::new(Callback::Redraw));
        Ok(())
    });
    glMatrixMode(0x1701);
    glActiveTexture(0x84c1);
    glCallList(1);
    for name in [2, 3, 4] {
        assert_eq!(error_of(|| glCallList(name)), gl::INVALID_OPERATION, "list {name}");
    }
    let words = enter("a test", |s| {
        let program = s.recording.take().expect("it is recorded").finish()?.verify(Callback::Redraw)?;
        Ok(blinkgl::dis::disassemble(program.untrusted_words(), None))
    });
    let lines: Vec<_> = words.lines().map(str::trim).collect();
    let expected = [
        "matrix_mode projection",
        "active_texture texture1",
        "matrix_mode modelview",
        "active_texture texture0",
        "call_list 1",
        "matrix_mode projection",
        "active_texture texture1",
    ];
    assert_eq!(lines, expected);
}

#[test]
fn arrays_in_memory_are_read_at_once() {
    let ops = recorded(Callback::Redraw, || {
        // Two shorts and two bytes that are not the array's, three times.
        let places: [i16; 9] = [1, 2, 99, 3, 4, 99, 5, 6, 99];
        let colors: [u8; 9] = [255, 0, 0, 0, 255, 0, 0, 0, 255];
        glVertexPointer(2, 0x1402, 6, places.as_ptr().cast());
        glColorPointer(3, 0x1401, 0, colors.as_ptr().cast());
        glEnableClientState(0x8074);
        glDrawArrays(1, 1, 2);
        glEnableClientState(0x8076);
        glDrawElements(0, 2, 0x1401, [2_u8, 0].as_ptr().cast());
        glBegin(0);
        glArrayElement(0);
        glEnd();
        glDisableClientState(0x8074);
        glDrawArrays(1, 0, 2);
    });
    let expected = [
        "begin lines",
        "vertex2 3, 4",
        "vertex2 5, 6",
        "end",
        "begin points",
        "color4 0, 0, 1, 1",
        "vertex2 5, 6",
        "color4 1, 0, 0, 1",
        "vertex2 1, 2",
        "end",
        "begin points",
        "color4 1, 0, 0, 1",
        "vertex2 1, 2",
        "end",
    ];
    assert_eq!(ops, expected);
}

#[test]
fn registers_and_jumps() {
    let (constant, register) = (BlinkValue::constant, BlinkValue::register);
    let ops = recorded(Callback::Redraw, || {
        let end = blinkLabel();
        blinkTimeMod(3, constant(2.0));
        blinkMul(4, register(3), constant(180.0));
        blinkRead(5, 5);
        blinkJmpIf(5, register(4), constant(90.0), end);
        glRotatef_r(register(4), constant(0.0), constant(0.0), constant(1.0));
        glViewport_r(constant(0.0), constant(2.0), register(5), register(5));
        glLightfv_r(0x4000, 0x1203, register(3), constant(1.0), constant(0.0), constant(0.0));
        blinkRequestFrame();
        blinkBind(end);
        blinkNotify(register(4));
        blinkFreezeTime(7.5);
        blinkTimeMod(3, constant(2.0));
    });
    let expected = [
        "time_mod r3, 2",
        "mul r4, r3, 180",
        "read r5, width",
        "jmp_if gt, r4, 90, L1",
        "rotate r4, 0, 0, 1",
        "viewport 0, 2, r5, r5",
        "light light0, position, r3, 1, 0, 0",
        "request_frame",
        "L1:",
        "notify r4",
        "mov r3, 1.5",
    ];
    assert_eq!(ops, expected);
    begin(Callback::Redraw);
    assert_eq!(error_of(|| blinkAdd(32, constant(1.0), constant(2.0))), gl::INVALID_VALUE);
    assert_eq!(error_of(|| blinkAdd(1, register(77), constant(2.0))), gl::INVALID_VALUE);
    assert_eq!(error_of(|| blinkJmp(0)), gl::INVALID_VALUE);
}

#[test]
fn what_blink_has_not_is_an_error() {
    begin(Callback::Redraw);
    // Line stipple, smooth points, color index clears, accumulation, borders, textures of three dimensions.
    assert_eq!(error_of(|| glEnable(0x0b24)), gl::INVALID_ENUM);
    assert!(message().starts_with("glEnable: ") && message().contains("0x0b24"), "{}", message());
    assert_eq!(error_of(|| glDisable(0x0b10)), gl::INVALID_ENUM);
    assert_eq!(error_of(|| glClear(0x200)), gl::INVALID_VALUE);
    assert_eq!(error_of(|| glTexEnvi(0x8861, 0x8862, 1)), gl::INVALID_ENUM);
    assert_eq!(error_of(|| glTexEnvf(0x2300, 0x8501, 0.5)), gl::INVALID_ENUM);
    assert_eq!(error_of(|| glFogi(0x8450, 1)), gl::INVALID_ENUM);
    assert_eq!(error_of(|| glFogi(0x0b65, 77)), gl::INVALID_ENUM);
    assert_eq!(error_of(|| glFogf(0x0b65, 9729.5)), gl::INVALID_ENUM);
    assert_eq!(error_of(|| glLightModeli(0x81f8, 0x81fa)), gl::INVALID_ENUM);
    assert_eq!(error_of(|| glMaterialf(0x404, 0x1603, 1.0)), gl::INVALID_ENUM);
    assert_eq!(error_of(|| glMaterialf(0x404, 0x1200, 1.0)), gl::INVALID_ENUM);
    assert_eq!(error_of(|| glTexParameteri(0x806f, 0x2801, 0x2600)), gl::INVALID_ENUM);
    assert_eq!(error_of(|| glTexParameteri(0xde1, 0x1004, 0)), gl::INVALID_ENUM);
    assert_eq!(error_of(|| glBindTexture(0xde0, 0)), gl::INVALID_ENUM);
    assert_eq!(error_of(|| glEnableClientState(0x8077)), gl::INVALID_ENUM);
    assert_eq!(error_of(|| glVertexPointer(2, 0x1401, 0, std::ptr::null())), gl::INVALID_ENUM);
    assert_eq!(error_of(|| glHint(0x84ef, 0x1100)), gl::INVALID_ENUM);
    assert_eq!(error_of(|| glBegin(10)), gl::INVALID_ENUM);
    assert_eq!(error_of(|| glPixelStorei(0x0cf4, 1)), gl::INVALID_ENUM);
    let mut to = [0; 16];
    assert_eq!(error_of(|| glGetIntegerv(0x0ba6, to.as_mut_ptr())), gl::INVALID_ENUM);
    assert!(glGetString(0x8b8c).is_null());
    assert_eq!(glGetError(), gl::INVALID_ENUM);
    // The first error stays until it is asked for.
    glEnable(0x0b24);
    glClear(0x200);
    assert_eq!((glGetError(), glGetError()), (gl::INVALID_ENUM, gl::NO_ERROR));
}

#[test]
fn what_stands_in_the_wrong_place_is_an_error() {
    enter("a test", |s| {
        *s = State::default();
        Ok(())
    });
    assert_eq!(error_of(|| glLoadIdentity()), gl::INVALID_OPERATION);
    assert!(message().contains("blinkBegin"), "{}", message());
    begin(Callback::Redraw);
    assert_eq!(error_of(|| glVertex2f(0.0, 0.0)), gl::INVALID_OPERATION);
    assert_eq!(error_of(|| glEnd()), gl::INVALID_OPERATION);
    assert_eq!(error_of(|| glNewList(1, 0x1300)), gl::INVALID_OPERATION);
    assert_eq!(error_of(|| glNewList(0, 0x1300)), gl::INVALID_VALUE);
    assert_eq!(error_of(|| glBindTexture(0xde1, 3)), gl::INVALID_OPERATION);
    glBegin(7);
    assert_eq!(error_of(|| glEnable(0x0b50)), gl::INVALID_OPERATION);
    assert_eq!(error_of(|| glBegin(7)), gl::INVALID_OPERATION);
    assert_eq!(error_of(|| gluPerspective(45.0, 1.0, 1.0, 2.0)), gl::INVALID_OPERATION);
    assert_eq!(error_of(|| blinkRequestFrame()), gl::INVALID_OPERATION);
    assert_eq!(error_of(|| glFlush()), gl::INVALID_OPERATION);
    begin(Callback::Init);
    assert_eq!(error_of(|| glClear(0x4000)), gl::INVALID_OPERATION);
    assert_eq!(error_of(|| glCallList(1)), gl::INVALID_OPERATION);
    let quadric = gluNewQuadric();
    assert_eq!(error_of(|| gluSphere(quadric, 1.0, 8, 8)), gl::INVALID_OPERATION);
    begin(Callback::Redraw);
    assert_eq!(error_of(|| gluSphere(quadric, -1.0, 8, 8)), gl::INVALID_VALUE);
    assert_eq!(error_of(|| gluSphere(std::ptr::null_mut(), 1.0, 8, 8)), gl::INVALID_VALUE);
    gluDeleteQuadric(quadric);
    begin(Callback::Input);
    assert_eq!(error_of(|| glEnable(0x0b50)), gl::INVALID_OPERATION);
}

#[test]
fn null_pointers_are_errors() {
    begin(Callback::Redraw);
    assert_eq!(error_of(|| glLoadMatrixf(std::ptr::null())), gl::INVALID_VALUE);
    assert_eq!(error_of(|| glLightfv(0x4000, 0x1203, std::ptr::null())), gl::INVALID_VALUE);
    assert_eq!(error_of(|| glClipPlane(0x3000, std::ptr::null())), gl::INVALID_VALUE);
    assert_eq!(error_of(|| glGetIntegerv(0x0ba2, std::ptr::null_mut())), gl::INVALID_VALUE);
    assert_eq!(error_of(|| glGenTextures(2, std::ptr::null_mut())), gl::INVALID_VALUE);
    assert_eq!(error_of(|| glDeleteTextures(2, std::ptr::null())), gl::INVALID_VALUE);
    assert_eq!(error_of(|| glCallLists(2, 0x1401, std::ptr::null())), gl::INVALID_VALUE);
    assert_eq!(error_of(|| gluQuadricTexture(std::ptr::null_mut(), 1)), gl::INVALID_VALUE);
    glBegin(0);
    assert_eq!(error_of(|| glVertex3fv(std::ptr::null())), gl::INVALID_VALUE);
}

/// The verifier's refusal names the call.
#[test]
fn what_only_the_whole_shows_names_its_call() {
    begin(Callback::Redraw);
    glPushMatrix();
    glLineWidth(2.0);
    glPointSize(-1.0);
    glPopMatrix();
    let verified = enter("blinkEnd", |s| {
        let recording = s.recording.take().expect("it is being recorded");
        recording.finish()?.verify(Callback::Redraw).map(|_| true)
    });
    assert!(!verified);
    assert!(message().contains("wrong at glPointSize"), "{}", message());
}

#[test]
fn what_is_known_here_can_be_asked_for() {
    begin(Callback::Redraw);
    glEnable(0x0b71);
    glViewport(1, 2, 3, 4);
    assert_eq!((glIsEnabled(0x0b71), glIsEnabled(0x0b50), glIsEnabled(0x0bd0)), (1, 0, 1));
    let (mut ints, mut floats, mut bytes) = ([0; 4], [0.0_f32; 4], [0_u8; 4]);
    glGetIntegerv(0x0ba2, ints.as_mut_ptr());
    glGetFloatv(0x0d33, floats.as_mut_ptr());
    glGetBooleanv(0x0c32, bytes.as_mut_ptr());
    assert_eq!((ints, floats[0].to_bits(), bytes[0]), ([1, 2, 3, 4], 4096.0_f32.to_bits(), 1));
    assert_eq!(glGetError(), gl::NO_ERROR);
}
