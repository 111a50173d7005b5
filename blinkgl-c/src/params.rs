//! Calls with a parameter name: light, material, fog, texture environment and generation, points.

use crate::error::Mistake;
use crate::export::calls;
use crate::state::{State, read};
use crate::value::{Number, Value};
use blinkgl::gl::{FogParameter, LightModelParameter, LightParameter, MaterialParameter, PointParameter};
use blinkgl::ops::{
    FOG_PARAMETER, LIGHT_MODEL, LIGHT_PARAMETER, MATERIAL, Op, POINT_PARAMETER, TEX_ENV_PARAMETER,
    TEX_ENV_SCALE, TEX_GEN_PLANE,
};

/// `GL_FOG_MODE`.
pub const FOG_MODE: u32 = 0x0b65;
/// `GL_TEXTURE_ENV`.
pub const TEXTURE_ENV: u32 = 0x2300;
/// `GL_TEXTURE_ENV_MODE`.
pub const TEXTURE_ENV_MODE: u32 = 0x2200;
/// `GL_TEXTURE_ENV_COLOR`.
pub const TEXTURE_ENV_COLOR: u32 = 0x2201;
/// `GL_TEXTURE_GEN_MODE`.
pub const TEXTURE_GEN_MODE: u32 = 0x2500;

/// How many values a parameter has, and whether integers stand for fractions (colors).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Shape {
    /// One number.
    One,
    /// So many numbers.
    Several(usize),
    /// A color.
    Color,
}

fn light(name: u32) -> Result<Shape, Mistake> {
    Ok(match LightParameter::from_value(name) {
        None => return Err(Mistake::name(LIGHT_PARAMETER.name, name)),
        Some(LightParameter::Ambient | LightParameter::Diffuse | LightParameter::Specular) => Shape::Color,
        Some(LightParameter::Position) => Shape::Several(4),
        Some(LightParameter::SpotDirection) => Shape::Several(3),
        Some(
            LightParameter::SpotExponent
            | LightParameter::SpotCutoff
            | LightParameter::ConstantAttenuation
            | LightParameter::LinearAttenuation
            | LightParameter::QuadraticAttenuation,
        ) => Shape::One,
    })
}

fn light_model(name: u32) -> Result<Shape, Mistake> {
    Ok(match LightModelParameter::from_value(name) {
        None => return Err(Mistake::name(LIGHT_MODEL.name, name)),
        Some(LightModelParameter::Ambient) => Shape::Color,
        Some(LightModelParameter::LocalViewer | LightModelParameter::TwoSide) => Shape::One,
    })
}

fn material(name: u32) -> Result<Shape, Mistake> {
    Ok(match MaterialParameter::from_value(name) {
        None => return Err(Mistake::name(MATERIAL.name, name)),
        Some(MaterialParameter::Shininess) => Shape::One,
        Some(
            MaterialParameter::Ambient
            | MaterialParameter::Diffuse
            | MaterialParameter::Specular
            | MaterialParameter::Emission
            | MaterialParameter::AmbientAndDiffuse,
        ) => Shape::Color,
    })
}

fn fog(name: u32) -> Result<Shape, Mistake> {
    Ok(match FogParameter::from_value(name) {
        None => return Err(Mistake::name(FOG_PARAMETER.name, name)),
        Some(FogParameter::Color) => Shape::Color,
        Some(FogParameter::Density | FogParameter::Start | FogParameter::End) => Shape::One,
    })
}

fn point(name: u32) -> Result<Shape, Mistake> {
    Ok(match PointParameter::from_value(name) {
        None => return Err(Mistake::name(POINT_PARAMETER.name, name)),
        Some(PointParameter::DistanceAttenuation) => Shape::Several(3),
        Some(PointParameter::SizeMin | PointParameter::SizeMax | PointParameter::FadeThresholdSize) => {
            Shape::One
        }
    })
}

/// Values that C points to, completed by zeros.
fn values<T: Number>(shape: Shape, from: *const T) -> Result<[Value; 4], Mistake> {
    let what = "the parameter";
    let mut all = [0.0; 4];
    match shape {
        Shape::One => all[0] = read::<T, 1>(what, from)?[0].number(),
        Shape::Several(3) => {
            for (to, from) in all.iter_mut().zip(read::<T, 3>(what, from)?) {
                *to = from.number();
            }
        }
        Shape::Several(_) => all = read::<T, 4>(what, from)?.map(Number::number),
        Shape::Color => all = read::<T, 4>(what, from)?.map(Number::fraction),
    }
    Ok(all.map(Value::from))
}

/// One value, for a parameter that has one.
fn one<T: Number>(shape: Shape, value: T) -> Result<[Value; 4], Mistake> {
    if shape != Shape::One {
        return Err(Mistake::new(
            crate::error::gl::INVALID_ENUM,
            "this parameter has several values: use the form with a `v`",
        ));
    }
    Ok([value.number(), 0.0, 0.0, 0.0].map(Value::from))
}

fn put(s: &mut State, op: Op, names: &[u32], values: &[Value]) -> Result<(), Mistake> {
    let operands: Vec<Value> = names.iter().map(|&name| name.into()).chain(values.iter().copied()).collect();
    s.put(op, &operands)
}

/// An enumerant that came as a number. What is no such integer is no enumerant.
pub fn enumerant<T: Number>(value: T) -> u32 {
    let number = f64::from(value.number());
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "saturating, then compared")]
    let integer = number as u32;
    if f64::from(integer).to_bits() == number.to_bits() { integer } else { u32::MAX }
}

/// `glLight*` and the like: the plain forms and the vector forms, of floats and integers.
macro_rules! parameters {
    ($( $shape:ident $op:ident ( $($name:ident)* ): $f:ident $i:ident $fv:ident $iv:ident $take:expr; )*) => { $(
        calls! {
            fn $f(s $(, $name: u32)*, pname: u32, value: f32) {
                let v = one($shape(pname)?, value)?;
                put(s, Op::$op, &[$($name,)* pname], &v[..$take])
            }
            fn $i(s $(, $name: u32)*, pname: u32, value: i32) {
                let v = one($shape(pname)?, value)?;
                put(s, Op::$op, &[$($name,)* pname], &v[..$take])
            }
            fn $fv(s $(, $name: u32)*, pname: u32, from: *const f32) {
                let v = values($shape(pname)?, from)?;
                put(s, Op::$op, &[$($name,)* pname], &v[..$take])
            }
            fn $iv(s $(, $name: u32)*, pname: u32, from: *const i32) {
                let v = values($shape(pname)?, from)?;
                put(s, Op::$op, &[$($name,)* pname], &v[..$take])
            }
        }
    )* };
}

parameters! {
    light Light(light_name): glLightf glLighti glLightfv glLightiv 4;
    light_model LightModel(): glLightModelf glLightModeli glLightModelfv glLightModeliv 4;
    material Material(face): glMaterialf glMateriali glMaterialfv glMaterialiv 4;
    point PointParameter(): glPointParameterf glPointParameteri glPointParameterfv glPointParameteriv 3;
}

fn fog_value<T: Number>(s: &mut State, name: u32, value: T) -> Result<(), Mistake> {
    if name == FOG_MODE {
        return s.put(Op::FogMode, &[enumerant(value).into()]);
    }
    let v = one(fog(name)?, value)?;
    put(s, Op::Fog, &[name], &v)
}

fn fog_values<T: Number>(s: &mut State, name: u32, from: *const T) -> Result<(), Mistake> {
    if name == FOG_MODE {
        return fog_value(s, name, read::<T, 1>("the mode", from)?[0]);
    }
    let v = values(fog(name)?, from)?;
    put(s, Op::Fog, &[name], &v)
}

fn environment(target: u32) -> Result<(), Mistake> {
    if target == TEXTURE_ENV { Ok(()) } else { Err(Mistake::name("texture environment target", target)) }
}

fn tex_env<T: Number>(s: &mut State, target: u32, name: u32, value: T) -> Result<(), Mistake> {
    environment(target)?;
    if name == TEXTURE_ENV_MODE {
        s.put(Op::TexEnvMode, &[enumerant(value).into()])
    } else if TEX_ENV_SCALE.contains(name) {
        s.put(Op::TexEnvScale, &[name.into(), value.number().into()])
    } else if TEX_ENV_PARAMETER.contains(name) {
        s.put(Op::TexEnvCombine, &[name.into(), enumerant(value).into()])
    } else {
        Err(Mistake::name("texture environment parameter", name))
    }
}

fn tex_env_values<T: Number>(s: &mut State, target: u32, name: u32, from: *const T) -> Result<(), Mistake> {
    environment(target)?;
    if name == TEXTURE_ENV_COLOR {
        return s.put(Op::TexEnvColor, &values(Shape::Color, from)?);
    }
    tex_env(s, target, name, read::<T, 1>("the parameter", from)?[0])
}

fn tex_gen<T: Number>(s: &mut State, coordinate: u32, name: u32, value: T) -> Result<(), Mistake> {
    if name != TEXTURE_GEN_MODE {
        return Err(Mistake::name("texture generation parameter of one value", name));
    }
    s.put(Op::TexGenMode, &[coordinate.into(), enumerant(value).into()])
}

fn tex_gen_values<T: Number>(
    s: &mut State,
    coordinate: u32,
    name: u32,
    from: *const T,
) -> Result<(), Mistake> {
    if TEX_GEN_PLANE.contains(name) {
        let plane = values(Shape::Several(4), from)?;
        return put(s, Op::TexGenPlane, &[coordinate, name], &plane);
    }
    tex_gen(s, coordinate, name, read::<T, 1>("the parameter", from)?[0])
}

calls! {
    fn glFogf(s, name: u32, value: f32) { fog_value(s, name, value) }
    fn glFogi(s, name: u32, value: i32) { fog_value(s, name, value) }
    fn glFogfv(s, name: u32, from: *const f32) { fog_values(s, name, from) }
    fn glFogiv(s, name: u32, from: *const i32) { fog_values(s, name, from) }
    fn glTexEnvf(s, target: u32, name: u32, value: f32) { tex_env(s, target, name, value) }
    fn glTexEnvi(s, target: u32, name: u32, value: i32) { tex_env(s, target, name, value) }
    fn glTexEnvfv(s, target: u32, name: u32, from: *const f32) { tex_env_values(s, target, name, from) }
    fn glTexEnviv(s, target: u32, name: u32, from: *const i32) { tex_env_values(s, target, name, from) }
    fn glTexGenf(s, coordinate: u32, name: u32, value: f32) { tex_gen(s, coordinate, name, value) }
    fn glTexGend(s, coordinate: u32, name: u32, value: f64) { tex_gen(s, coordinate, name, value) }
    fn glTexGeni(s, coordinate: u32, name: u32, value: i32) { tex_gen(s, coordinate, name, value) }
    fn glTexGenfv(s, coordinate: u32, name: u32, from: *const f32) { tex_gen_values(s, coordinate, name, from) }
    fn glTexGendv(s, coordinate: u32, name: u32, from: *const f64) { tex_gen_values(s, coordinate, name, from) }
    fn glTexGeniv(s, coordinate: u32, name: u32, from: *const i32) { tex_gen_values(s, coordinate, name, from) }
}
