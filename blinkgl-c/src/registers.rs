//! What OpenGL has not: work on registers, time, jumps; and OpenGL's calls with registers where numbers stand.

use crate::error::Mistake;
use crate::export::{calls, ops};
use crate::params::{TEXTURE_ENV, TEXTURE_ENV_COLOR};
use crate::state::{State, read};
use crate::value::{BlinkValue, Value, single};
use blinkgl::gl::Predicate;
use blinkgl::layout::split;
use blinkgl::ops::{External, Op, PREDICATE, TEX_ENV_SCALE};
use blinkgl::record::Label;
use blinkgl::{Reg, wire::Arg};

/// The register that is written.
fn target(number: u32) -> Value {
    Reg::new(number).map_or(Value::Bad(number), Value::Register)
}

ops! {
    blinkMov(d: u32, a: BlinkValue) => Mov[target(d), a];
    blinkAdd(d: u32, a: BlinkValue, b: BlinkValue) => Add[target(d), a, b];
    blinkSub(d: u32, a: BlinkValue, b: BlinkValue) => Sub[target(d), a, b];
    blinkMul(d: u32, a: BlinkValue, b: BlinkValue) => Mul[target(d), a, b];
    blinkDiv(d: u32, a: BlinkValue, b: BlinkValue) => Div[target(d), a, b];
    blinkMin(d: u32, a: BlinkValue, b: BlinkValue) => Min[target(d), a, b];
    blinkMax(d: u32, a: BlinkValue, b: BlinkValue) => Max[target(d), a, b];
    blinkNeg(d: u32, a: BlinkValue) => Neg[target(d), a];
    blinkAbs(d: u32, a: BlinkValue) => Abs[target(d), a];
    blinkFloor(d: u32, a: BlinkValue) => Floor[target(d), a];
    blinkFract(d: u32, a: BlinkValue) => Fract[target(d), a];
    blinkSqrt(d: u32, a: BlinkValue) => Sqrt[target(d), a];
    blinkSin(d: u32, a: BlinkValue) => Sin[target(d), a];
    blinkCos(d: u32, a: BlinkValue) => Cos[target(d), a];
    blinkAtan2(d: u32, y: BlinkValue, x: BlinkValue) => Atan2[target(d), y, x];
    blinkCmp(d: u32, predicate: u32, a: BlinkValue, b: BlinkValue) => Cmp[target(d), predicate, a, b];
    blinkSelect(d: u32, c: BlinkValue, a: BlinkValue, b: BlinkValue) => Select[target(d), c, a, b];
    blinkRequestFrame() => RequestFrame[];
    blinkDamage(x: BlinkValue, y: BlinkValue, width: BlinkValue, height: BlinkValue) => Damage[x, y, width, height];
    blinkNotify(value: BlinkValue) => Notify[value];

    glVertex2f_r(x: BlinkValue, y: BlinkValue) => Vertex2[x, y];
    glVertex3f_r(x: BlinkValue, y: BlinkValue, z: BlinkValue) => Vertex3[x, y, z];
    glVertex4f_r(x: BlinkValue, y: BlinkValue, z: BlinkValue, w: BlinkValue) => Vertex4[x, y, z, w];
    glNormal3f_r(x: BlinkValue, y: BlinkValue, z: BlinkValue) => Normal3[x, y, z];
    glColor3f_r(r: BlinkValue, g: BlinkValue, b: BlinkValue) => Color4[r, g, b, 1.0_f32];
    glColor4f_r(r: BlinkValue, g: BlinkValue, b: BlinkValue, a: BlinkValue) => Color4[r, g, b, a];
    glTexCoord2f_r(s1: BlinkValue, t: BlinkValue) => TexCoord2[s1, t];
    glTexCoord4f_r(s1: BlinkValue, t: BlinkValue, r: BlinkValue, q: BlinkValue) => TexCoord4[s1, t, r, q];
    glMultiTexCoord2f_r(unit: u32, s1: BlinkValue, t: BlinkValue) => MultiTexCoord4[unit, s1, t, 0.0_f32, 1.0_f32];
    glMultiTexCoord4f_r(unit: u32, s1: BlinkValue, t: BlinkValue, r: BlinkValue, q: BlinkValue) => MultiTexCoord4[unit, s1, t, r, q];
    glMaterialf_r(face: u32, name: u32, value: BlinkValue) => Material[face, name, value, 0.0_f32, 0.0_f32, 0.0_f32];
    glMaterialfv_r(face: u32, name: u32, a: BlinkValue, b: BlinkValue, c: BlinkValue, d: BlinkValue) => Material[face, name, a, b, c, d];
    glTranslatef_r(x: BlinkValue, y: BlinkValue, z: BlinkValue) => Translate[x, y, z];
    glRotatef_r(angle: BlinkValue, x: BlinkValue, y: BlinkValue, z: BlinkValue) => Rotate[angle, x, y, z];
    glScalef_r(x: BlinkValue, y: BlinkValue, z: BlinkValue) => Scale[x, y, z];
    glFrustum_r(left: BlinkValue, right: BlinkValue, bottom: BlinkValue, top: BlinkValue, near: BlinkValue, far: BlinkValue) => Frustum[left, right, bottom, top, near, far];
    glOrtho_r(left: BlinkValue, right: BlinkValue, bottom: BlinkValue, top: BlinkValue, near: BlinkValue, far: BlinkValue) => Ortho[left, right, bottom, top, near, far];
    glDepthRange_r(near: BlinkValue, far: BlinkValue) => DepthRange[near, far];
    glScissor_r(x: BlinkValue, y: BlinkValue, width: BlinkValue, height: BlinkValue) => Scissor[x, y, width, height];
    glViewport_r(x: BlinkValue, y: BlinkValue, width: BlinkValue, height: BlinkValue) => Viewport[x, y, width, height];
    glClearColor_r(r: BlinkValue, g: BlinkValue, b: BlinkValue, a: BlinkValue) => ClearColor[r, g, b, a];
    glClearDepth_r(depth: BlinkValue) => ClearDepth[depth];
    glClearStencil_r(value: BlinkValue) => ClearStencil[value];
    glPointSize_r(size: BlinkValue) => PointSize[size];
    glLineWidth_r(width: BlinkValue) => LineWidth[width];
    glBlendColor_r(r: BlinkValue, g: BlinkValue, b: BlinkValue, a: BlinkValue) => BlendColor[r, g, b, a];
    glAlphaFunc_r(func: u32, reference: BlinkValue) => AlphaFunc[func, reference];
    glStencilFunc_r(func: u32, reference: BlinkValue, mask: BlinkValue) => StencilFunc[func, reference, mask];
    glStencilMask_r(mask: BlinkValue) => StencilMask[mask];
    glPolygonOffset_r(factor: BlinkValue, units: BlinkValue) => PolygonOffset[factor, units];
    glPointParameterf_r(name: u32, value: BlinkValue) => PointParameter[name, value, 0.0_f32, 0.0_f32];
    glPointParameterfv_r(name: u32, a: BlinkValue, b: BlinkValue, c: BlinkValue) => PointParameter[name, a, b, c];
    glClipPlane_r(plane: u32, a: BlinkValue, b: BlinkValue, c: BlinkValue, d: BlinkValue) => ClipPlane[plane, a, b, c, d];
    glFogf_r(name: u32, value: BlinkValue) => Fog[name, value, 0.0_f32, 0.0_f32, 0.0_f32];
    glFogfv_r(name: u32, a: BlinkValue, b: BlinkValue, c: BlinkValue, d: BlinkValue) => Fog[name, a, b, c, d];
    glLightf_r(light: u32, name: u32, value: BlinkValue) => Light[light, name, value, 0.0_f32, 0.0_f32, 0.0_f32];
    glLightfv_r(light: u32, name: u32, a: BlinkValue, b: BlinkValue, c: BlinkValue, d: BlinkValue) => Light[light, name, a, b, c, d];
    glLightModelf_r(name: u32, value: BlinkValue) => LightModel[name, value, 0.0_f32, 0.0_f32, 0.0_f32];
    glLightModelfv_r(name: u32, a: BlinkValue, b: BlinkValue, c: BlinkValue, d: BlinkValue) => LightModel[name, a, b, c, d];
    glTexGenfv_r(coordinate: u32, plane: u32, a: BlinkValue, b: BlinkValue, c: BlinkValue, d: BlinkValue) => TexGenPlane[coordinate, plane, a, b, c, d];
}

fn matrix(from: *const BlinkValue) -> Result<[Value; 16], Mistake> {
    Ok(read("the matrix", from)?.map(Value::from))
}

fn label(s: &mut State, number: u32) -> Result<Label, Mistake> {
    let found = usize::try_from(number).ok().and_then(|n| s.recording.as_ref()?.labels.get(n).copied());
    found.ok_or_else(|| Mistake::value(format!("this recording has no label {number}")))
}

/// Jumps and their labels stand in one program: not in those calls of a GLUT program that are put together.
fn jump_place(s: &mut State) -> Result<(), Mistake> {
    let recording = s.recording()?;
    if recording.in_begin || recording.list.is_some() {
        return Err(Mistake::operation("no jumps between glBegin and glEnd, or in a display list"));
    }
    Ok(())
}

fn environment(of: u32) -> Result<(), Mistake> {
    if of == TEXTURE_ENV { Ok(()) } else { Err(Mistake::name("texture environment target", of)) }
}

/// The time that is recorded instead of being read, if time is frozen.
fn frozen(s: &State, value: impl FnOnce(f64) -> f64) -> Option<Value> {
    s.frozen_time.map(|time| Value::Float(single(value(time))))
}

calls! {
    fn glLoadMatrixf_r(s, m: *const BlinkValue) {
        s.put(Op::LoadMatrix, &matrix(m)?)
    }
    fn glMultMatrixf_r(s, m: *const BlinkValue) {
        s.put(Op::MultMatrix, &matrix(m)?)
    }
    fn glTexEnvf_r(s, of: u32, name: u32, value: BlinkValue) {
        environment(of)?;
        if !TEX_ENV_SCALE.contains(name) {
            return Err(Mistake::name("texture environment parameter that can be a register, as", name));
        }
        s.put(Op::TexEnvScale, &[name.into(), value.into()])
    }
    fn glTexEnvfv_r(s, of: u32, name: u32, r: BlinkValue, g: BlinkValue, b: BlinkValue, a: BlinkValue) {
        environment(of)?;
        if name != TEXTURE_ENV_COLOR {
            return Err(Mistake::name("texture environment parameter of four values", name));
        }
        s.put(Op::TexEnvColor, &[r, g, b, a].map(Value::from))
    }
    fn blinkRead(s, d: u32, what: u32) {
        match frozen(s, |time| time) {
            Some(time) if what == External::Time.value() => s.put(Op::Mov, &[target(d), time]),
            Some(_) | None => s.put(Op::Read, &[target(d), what.into()]),
        }
    }
    fn blinkTimeMod(s, d: u32, period: BlinkValue) {
        let period = Value::from(period);
        if s.frozen_time.is_some() {
            let Value::Float(seconds) = period else {
                return Err(Mistake::operation("while time is frozen, a period is a constant"));
            };
            let time = frozen(s, |time| time.rem_euclid(seconds.into())).unwrap_or(Value::Float(0.0));
            return s.put(Op::Mov, &[target(d), time]);
        }
        s.put(Op::TimeMod, &[target(d), period])
    }
    fn blinkTimeSince(s, d: u32, moment: f64) {
        if let Some(time) = frozen(s, |time| time - moment) {
            return s.put(Op::Mov, &[target(d), time]);
        }
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "saturating is meant")]
        let [low, high] = split((moment * 1e9) as u64);
        s.put(Op::TimeSince, &[target(d), high.into(), low.into()])
    }
    fn blinkFreezeTime(s, seconds: f64) {
        s.frozen_time = (seconds >= 0.0).then_some(seconds);
        Ok(())
    }
    fn blinkLabel(s) -> u32 {
        let recording = s.recording()?;
        let label = recording.p.label();
        recording.labels.push(label);
        Ok(u32::try_from(recording.labels.len() - 1).unwrap_or(u32::MAX))
    }
    fn blinkBind(s, number: u32) {
        jump_place(s)?;
        let label = label(s, number)?;
        s.recording()?.p.bind(label);
        Ok(())
    }
    fn blinkJmp(s, number: u32) {
        jump_place(s)?;
        let (call, label) = (s.call, label(s, number)?);
        let recording = s.recording()?;
        recording.p.jmp(label);
        recording.credit(call);
        Ok(())
    }
    fn blinkJmpIf(s, predicate: u32, a: BlinkValue, b: BlinkValue, number: u32) {
        jump_place(s)?;
        let chosen = Predicate::from_value(predicate).ok_or_else(|| Mistake::name(PREDICATE.name, predicate))?;
        let (call, label) = (s.call, label(s, number)?);
        let recording = s.recording()?;
        match [a, b].map(Value::from).map(operand) {
            [Some(Arg::Reg(a)), Some(Arg::Reg(b))] => recording.p.jmp_if(chosen, a, b, label),
            [Some(Arg::Reg(a)), Some(Arg::Const(b))] => recording.p.jmp_if(chosen, a, f32::from_bits(b), label),
            [Some(Arg::Const(a)), Some(Arg::Reg(b))] => recording.p.jmp_if(chosen, f32::from_bits(a), b, label),
            [Some(Arg::Const(a)), Some(Arg::Const(b))] => {
                recording.p.jmp_if(chosen, f32::from_bits(a), f32::from_bits(b), label);
            }
            _ => return Err(Mistake::value("what is compared is a constant or a register")),
        }
        recording.credit(call);
        Ok(())
    }
}

fn operand(value: Value) -> Option<Arg> {
    match value {
        Value::Float(number) => Some(number.into()),
        Value::Register(reg) => Some(reg.into()),
        Value::Int(_) | Value::Bits(_) | Value::Bad(_) => None,
    }
}
