//! Matrices, and state that is one op a call.

use crate::error::Mistake;
use crate::export::{calls, ops};
use crate::state::read;
use crate::value::{Number, Value};
use blinkgl::ops::{ATTRIB_GROUP, Op};

ops! {
    glMatrixMode(mode: u32) => MatrixMode[mode];
    glLoadIdentity() => LoadIdentity[];
    glPushMatrix() => PushMatrix[];
    glPopMatrix() => PopMatrix[];
    glTranslatef(x: f32, y: f32, z: f32) => Translate[x, y, z];
    glTranslated(x: f64, y: f64, z: f64) => Translate[x, y, z];
    glRotatef(angle: f32, x: f32, y: f32, z: f32) => Rotate[angle, x, y, z];
    glRotated(angle: f64, x: f64, y: f64, z: f64) => Rotate[angle, x, y, z];
    glScalef(x: f32, y: f32, z: f32) => Scale[x, y, z];
    glScaled(x: f64, y: f64, z: f64) => Scale[x, y, z];
    glFrustum(left: f64, right: f64, bottom: f64, top: f64, near: f64, far: f64) => Frustum[left, right, bottom, top, near, far];
    glOrtho(left: f64, right: f64, bottom: f64, top: f64, near: f64, far: f64) => Ortho[left, right, bottom, top, near, far];
    glShadeModel(mode: u32) => ShadeModel[mode];
    glCullFace(mode: u32) => CullFace[mode];
    glFrontFace(mode: u32) => FrontFace[mode];
    glDepthFunc(func: u32) => DepthFunc[func];
    glDepthMask(flag: u8) => DepthMask[flag];
    glDepthRange(near: f64, far: f64) => DepthRange[near, far];
    glColorMask(r: u8, g: u8, b: u8, a: u8) => ColorMask[r, g, b, a];
    glBlendFunc(source: u32, destination: u32) => BlendFunc[source, destination];
    glBlendFuncSeparate(source_rgb: u32, destination_rgb: u32, source_alpha: u32, destination_alpha: u32) => BlendFuncSeparate[source_rgb, destination_rgb, source_alpha, destination_alpha];
    glBlendEquation(mode: u32) => BlendEquation[mode, mode];
    glBlendEquationSeparate(rgb: u32, alpha: u32) => BlendEquation[rgb, alpha];
    glBlendColor(r: f32, g: f32, b: f32, a: f32) => BlendColor[r, g, b, a];
    glLogicOp(operation: u32) => LogicOp[operation];
    glAlphaFunc(func: u32, reference: f32) => AlphaFunc[func, reference];
    glScissor(x: i32, y: i32, width: i32, height: i32) => Scissor[x, y, width, height];
    glClearColor(r: f32, g: f32, b: f32, a: f32) => ClearColor[r, g, b, a];
    glClearDepth(depth: f64) => ClearDepth[depth];
    glClearStencil(value: i32) => ClearStencil[value];
    glClear(mask: u32) => Clear[mask];
    glStencilFunc(func: u32, reference: i32, mask: u32) => StencilFunc[func, reference, mask];
    glStencilOp(fail: u32, depth_fail: u32, pass: u32) => StencilOp[fail, depth_fail, pass];
    glStencilMask(mask: u32) => StencilMask[mask];
    glPointSize(size: f32) => PointSize[size];
    glLineWidth(width: f32) => LineWidth[width];
    glPolygonMode(face: u32, mode: u32) => PolygonMode[face, mode];
    glPolygonOffset(factor: f32, units: f32) => PolygonOffset[factor, units];
    glColorMaterial(face: u32, mode: u32) => ColorMaterial[face, mode];
    glPopAttrib() => PopAttrib[];
    glHint(target: u32, mode: u32) => Hint[target, mode];
    glActiveTexture(unit: u32) => ActiveTexture[unit];
}

fn matrix<T: Number>(from: *const T) -> Result<[Value; 16], Mistake> {
    Ok(read("the matrix", from)?.map(|element| element.number().into()))
}

calls! {
    fn glLoadMatrixf(s, m: *const f32) {
        s.put(Op::LoadMatrix, &matrix(m)?)
    }
    fn glLoadMatrixd(s, m: *const f64) {
        s.put(Op::LoadMatrix, &matrix(m)?)
    }
    fn glMultMatrixf(s, m: *const f32) {
        s.put(Op::MultMatrix, &matrix(m)?)
    }
    fn glMultMatrixd(s, m: *const f64) {
        s.put(Op::MultMatrix, &matrix(m)?)
    }
    fn glEnable(s, capability: u32) {
        s.put(Op::Enable, &[capability.into()])?;
        s.follow_enable(capability, true);
        Ok(())
    }
    fn glDisable(s, capability: u32) {
        s.put(Op::Disable, &[capability.into()])?;
        s.follow_enable(capability, false);
        Ok(())
    }
    fn glViewport(s, x: i32, y: i32, width: i32, height: i32) {
        s.put(Op::Viewport, &[x, y, width, height].map(Value::from))?;
        s.followed.viewport = Some([x, y, width, height]);
        Ok(())
    }
    fn glPushAttrib(s, groups: u32) {
        // GL_ALL_ATTRIB_BITS of newer headers has all bits.
        let groups = if groups == u32::MAX { ATTRIB_GROUP.all_bits() } else { groups };
        s.put(Op::PushAttrib, &[groups.into()])
    }
    fn glClipPlane(s, plane: u32, equation: *const f64) {
        let [a, b, c, d] = read("the equation", equation)?.map(Value::from);
        s.put(Op::ClipPlane, &[plane.into(), a, b, c, d])
    }
}
