//! Vertices and their attributes, in all of OpenGL's forms.

use crate::error::Mistake;
use crate::export::{calls, ops};
use crate::state::{State, read};
use crate::value::{BlinkValue, Number, Value};
use blinkgl::gl::Primitive;
use blinkgl::ops::Op;

ops! {
    glBegin(mode: u32) => Begin[mode];
    glEnd() => End[];
}

/// Values for operands that are missing: as OpenGL completes coordinates and colors.
const LAST: [f32; 4] = [0.0, 0.0, 0.0, 1.0];

fn completed<const N: usize>(given: [f32; N]) -> [Value; 4] {
    let mut all = LAST;
    for (to, from) in all.iter_mut().zip(given) {
        *to = from;
    }
    all.map(Value::from)
}

fn vertex<const N: usize>(s: &mut State, given: [f32; N]) -> Result<(), Mistake> {
    let op = [Op::Vertex2, Op::Vertex3, Op::Vertex4].get(N.wrapping_sub(2)).copied().unwrap_or(Op::Vertex4);
    s.put(op, &given.map(Value::from))
}

fn normal(s: &mut State, given: [f32; 3]) -> Result<(), Mistake> {
    s.put(Op::Normal3, &given.map(Value::from))
}

fn color<const N: usize>(s: &mut State, given: [f32; N]) -> Result<(), Mistake> {
    s.put(Op::Color4, &completed(given))
}

fn tex_coord<const N: usize>(s: &mut State, given: [f32; N]) -> Result<(), Mistake> {
    if N == 2 {
        return s.put(Op::TexCoord2, &given.map(Value::from));
    }
    s.put(Op::TexCoord4, &completed(given))
}

fn multi_tex_coord<const N: usize>(s: &mut State, unit: u32, given: [f32; N]) -> Result<(), Mistake> {
    let [a, b, c, d] = completed(given);
    s.put(Op::MultiTexCoord4, &[unit.into(), a, b, c, d])
}

/// Functions of an attribute, for each type: the plain form and the vector form.
macro_rules! attribute {
    ($attribute:ident, $how:ident; $( $Type:ty: $plain:ident ( $($arg:ident)* ) $vector:ident; )*) => { $(
        #[unsafe(no_mangle)]
        pub(crate) extern "C" fn $plain($($arg: $Type),*) {
            crate::state::enter(stringify!($plain), |s| $attribute(s, [$($arg.$how()),*]))
        }
        #[unsafe(no_mangle)]
        pub(crate) extern "C" fn $vector(v: *const $Type) {
            crate::state::enter(stringify!($vector), |s| {
                let [$($arg),*] = read("the vector", v)?;
                $attribute(s, [$($arg.$how()),*])
            })
        }
    )* };
}

/// The same with a texture unit.
macro_rules! unit_attribute {
    ($( $Type:ty: $plain:ident ( $($arg:ident)* ) $vector:ident; )*) => { $(
        #[unsafe(no_mangle)]
        pub(crate) extern "C" fn $plain(unit: u32 $(, $arg: $Type)*) {
            crate::state::enter(stringify!($plain), |s| multi_tex_coord(s, unit, [$($arg.number()),*]))
        }
        #[unsafe(no_mangle)]
        pub(crate) extern "C" fn $vector(unit: u32, v: *const $Type) {
            crate::state::enter(stringify!($vector), |s| {
                let [$($arg),*] = read("the vector", v)?;
                multi_tex_coord(s, unit, [$($arg.number()),*])
            })
        }
    )* };
}

attribute! {
    vertex, number;
    i16: glVertex2s(x y) glVertex2sv;
    i32: glVertex2i(x y) glVertex2iv;
    f32: glVertex2f(x y) glVertex2fv;
    f64: glVertex2d(x y) glVertex2dv;
    i16: glVertex3s(x y z) glVertex3sv;
    i32: glVertex3i(x y z) glVertex3iv;
    f32: glVertex3f(x y z) glVertex3fv;
    f64: glVertex3d(x y z) glVertex3dv;
    i16: glVertex4s(x y z w) glVertex4sv;
    i32: glVertex4i(x y z w) glVertex4iv;
    f32: glVertex4f(x y z w) glVertex4fv;
    f64: glVertex4d(x y z w) glVertex4dv;
}

attribute! {
    normal, fraction;
    i8: glNormal3b(x y z) glNormal3bv;
    i16: glNormal3s(x y z) glNormal3sv;
    i32: glNormal3i(x y z) glNormal3iv;
    f32: glNormal3f(x y z) glNormal3fv;
    f64: glNormal3d(x y z) glNormal3dv;
}

attribute! {
    color, fraction;
    i8: glColor3b(r g b) glColor3bv;
    i16: glColor3s(r g b) glColor3sv;
    i32: glColor3i(r g b) glColor3iv;
    u8: glColor3ub(r g b) glColor3ubv;
    u16: glColor3us(r g b) glColor3usv;
    u32: glColor3ui(r g b) glColor3uiv;
    f32: glColor3f(r g b) glColor3fv;
    f64: glColor3d(r g b) glColor3dv;
    i8: glColor4b(r g b a) glColor4bv;
    i16: glColor4s(r g b a) glColor4sv;
    i32: glColor4i(r g b a) glColor4iv;
    u8: glColor4ub(r g b a) glColor4ubv;
    u16: glColor4us(r g b a) glColor4usv;
    u32: glColor4ui(r g b a) glColor4uiv;
    f32: glColor4f(r g b a) glColor4fv;
    f64: glColor4d(r g b a) glColor4dv;
}

attribute! {
    tex_coord, number;
    i16: glTexCoord1s(s1) glTexCoord1sv;
    i32: glTexCoord1i(s1) glTexCoord1iv;
    f32: glTexCoord1f(s1) glTexCoord1fv;
    f64: glTexCoord1d(s1) glTexCoord1dv;
    i16: glTexCoord2s(s1 t) glTexCoord2sv;
    i32: glTexCoord2i(s1 t) glTexCoord2iv;
    f32: glTexCoord2f(s1 t) glTexCoord2fv;
    f64: glTexCoord2d(s1 t) glTexCoord2dv;
    i16: glTexCoord3s(s1 t r) glTexCoord3sv;
    i32: glTexCoord3i(s1 t r) glTexCoord3iv;
    f32: glTexCoord3f(s1 t r) glTexCoord3fv;
    f64: glTexCoord3d(s1 t r) glTexCoord3dv;
    i16: glTexCoord4s(s1 t r q) glTexCoord4sv;
    i32: glTexCoord4i(s1 t r q) glTexCoord4iv;
    f32: glTexCoord4f(s1 t r q) glTexCoord4fv;
    f64: glTexCoord4d(s1 t r q) glTexCoord4dv;
}

unit_attribute! {
    i16: glMultiTexCoord1s(s1) glMultiTexCoord1sv;
    i32: glMultiTexCoord1i(s1) glMultiTexCoord1iv;
    f32: glMultiTexCoord1f(s1) glMultiTexCoord1fv;
    f64: glMultiTexCoord1d(s1) glMultiTexCoord1dv;
    i16: glMultiTexCoord2s(s1 t) glMultiTexCoord2sv;
    i32: glMultiTexCoord2i(s1 t) glMultiTexCoord2iv;
    f32: glMultiTexCoord2f(s1 t) glMultiTexCoord2fv;
    f64: glMultiTexCoord2d(s1 t) glMultiTexCoord2dv;
    i16: glMultiTexCoord3s(s1 t r) glMultiTexCoord3sv;
    i32: glMultiTexCoord3i(s1 t r) glMultiTexCoord3iv;
    f32: glMultiTexCoord3f(s1 t r) glMultiTexCoord3fv;
    f64: glMultiTexCoord3d(s1 t r) glMultiTexCoord3dv;
    i16: glMultiTexCoord4s(s1 t r q) glMultiTexCoord4sv;
    i32: glMultiTexCoord4i(s1 t r q) glMultiTexCoord4iv;
    f32: glMultiTexCoord4f(s1 t r q) glMultiTexCoord4fv;
    f64: glMultiTexCoord4d(s1 t r q) glMultiTexCoord4dv;
}

/// `glRect`: a polygon, as OpenGL defines it.
fn rect(s: &mut State, corners: [Value; 4]) -> Result<(), Mistake> {
    let [x1, y1, x2, y2] = corners;
    s.put(Op::Begin, &[Primitive::Polygon.value().into()])?;
    for point in [[x1, y1], [x2, y1], [x2, y2], [x1, y2]] {
        s.put(Op::Vertex2, &point)?;
    }
    s.put(Op::End, &[])
}

macro_rules! rects {
    ($( $Type:ty: $plain:ident $vector:ident; )*) => { $(
        #[unsafe(no_mangle)]
        pub(crate) extern "C" fn $plain(x1: $Type, y1: $Type, x2: $Type, y2: $Type) {
            crate::state::enter(stringify!($plain), |s| rect(s, [x1, y1, x2, y2].map(Value::from)))
        }
        #[unsafe(no_mangle)]
        pub(crate) extern "C" fn $vector(v1: *const $Type, v2: *const $Type) {
            crate::state::enter(stringify!($vector), |s| {
                let ([x1, y1], [x2, y2]) = (read("v1", v1)?, read("v2", v2)?);
                rect(s, [x1, y1, x2, y2].map(Value::from))
            })
        }
    )* };
}

rects! {
    i16: glRects glRectsv;
    i32: glRecti glRectiv;
    f32: glRectf glRectfv;
    f64: glRectd glRectdv;
}

calls! {
    fn glRectf_r(s, x1: BlinkValue, y1: BlinkValue, x2: BlinkValue, y2: BlinkValue) {
        rect(s, [x1, y1, x2, y2].map(Value::from))
    }
}
