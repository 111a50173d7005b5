//! One method for each op, in the order of the op table.

use super::{BufferId, Float, Int, ListId, Raw, Recorder, TextureId};
use crate::gl::{
    Array, ArrayData, AttribGroup, BlendEquation, BlendFactor, Capability, ClearMask, ClipPlane,
    ColorMaterialMode, Comparison, External, Face, FogMode, FogParameter, HintMode, HintTarget, IndexData,
    Light, LightModelParameter, LightParameter, LogicOp, MaterialParameter, MatrixMode, PointParameter,
    PolygonMode, Predicate, Primitive, ShadeModel, StencilOp, TexCoordinate, TexEnvMode, TexEnvParameter,
    TexEnvScale, TexEnvValue, TexGenMode, TexGenPlane, TexParameter, TexValue, TextureUnit, Winding,
};
use crate::ops::Op;
use crate::wire::{Arg, Reg};

/// The Rust type of a parameter.
macro_rules! parameter {
    (dst) => { Reg };
    (float) => { impl Into<Float> };
    (int) => { impl Into<Int> };
    (raw) => { impl Into<Raw> };
    (bool) => { bool };
    (texture) => { impl Into<TextureId> };
    (buffer) => { impl Into<BufferId> };
    (count) => { u32 };
    (list) => { impl Into<ListId> };
    (matrix) => { [impl Into<Float>; 16] };
    (($Type:ident)) => { $Type };
}

/// The arguments that a parameter becomes: an array of one, or of 16 for a matrix.
macro_rules! arguments {
    (dst $value:ident) => {
        [Arg::Reg($value)]
    };
    (float $value:ident) => {
        [$value.into().0]
    };
    (int $value:ident) => {
        [$value.into().0]
    };
    (raw $value:ident) => {
        [$value.into().0]
    };
    (bool $value:ident) => {
        [Arg::Const(u32::from($value))]
    };
    (texture $value:ident) => {
        [Arg::Const($value.into().number())]
    };
    (buffer $value:ident) => {
        [Arg::Const($value.into().number())]
    };
    (count $value:ident) => {
        [Arg::Const($value)]
    };
    (list $value:ident) => {
        [Arg::Const($value.into().name())]
    };
    (matrix $value:ident) => {
        $value.map(|element| element.into().0)
    };
    (($Type:ident) $value:ident) => {
        [Arg::Const($value.value())]
    };
}

macro_rules! calls {
    ($( $(#[doc = $doc:literal])* $name:ident => $Op:ident ( $($arg:ident : $kind:tt),* ); )*) => {
        impl Recorder {
            $(
                $(#[doc = $doc])*
                #[inline]
                pub fn $name(&mut self, $($arg: parameter!($kind)),*) {
                    self.put(Op::$Op, [ $( &arguments!($kind $arg)[..] ),* ]);
                }
            )*
        }

        /// Each op has a method: those above, and jumps, which take labels.
        const _: fn(Op) = |op| match op {
            $( Op::$Op => {} )*
            Op::Jmp | Op::JmpIf => {}
        };

        /// For each op above: records one with samples of the parameters.
        #[cfg(test)]
        pub(super) static SAMPLES: &[(Op, fn(&mut Recorder, &mut super::tests::Samples))] = &[ $(
            (Op::$Op, |_p, _samples| _p.$name( $( super::tests::sample!($kind _samples) ),* )),
        )* ];
    };
}

calls! {
    /// Sets `d` to a, all 32 bits unchanged.
    mov => Mov(d: dst, a: raw);
    /// Sets `d` to a + b.
    add => Add(d: dst, a: float, b: float);
    /// Sets `d` to a - b.
    sub => Sub(d: dst, a: float, b: float);
    /// Sets `d` to a * b.
    mul => Mul(d: dst, a: float, b: float);
    /// Sets `d` to a / b.
    div => Div(d: dst, a: float, b: float);
    /// Sets `d` to a if a < b, else b.
    min => Min(d: dst, a: float, b: float);
    /// Sets `d` to a if a > b, else b.
    max => Max(d: dst, a: float, b: float);
    /// Sets `d` to -a (sign bit flipped).
    neg => Neg(d: dst, a: float);
    /// Sets `d` to |a| (sign bit cleared).
    abs => Abs(d: dst, a: float);
    /// Sets `d` to a rounded towards minus infinity.
    floor => Floor(d: dst, a: float);
    /// Sets `d` to a - floor(a).
    fract => Fract(d: dst, a: float);
    /// Sets `d` to square root of a.
    sqrt => Sqrt(d: dst, a: float);
    /// Sets `d` to sine of a radians.
    sin => Sin(d: dst, a: float);
    /// Sets `d` to cosine of a radians.
    cos => Cos(d: dst, a: float);
    /// Sets `d` to angle of the vector (x, y) in radians, in (-π, π\].
    atan2 => Atan2(d: dst, y: float, x: float);
    /// Sets `d` to 1.0 if the comparison of a with b holds, else 0.0. With a NaN only [`Predicate::Ne`] holds.
    cmp => Cmp(d: dst, predicate: (Predicate), a: float, b: float);
    /// Sets `d` to a if c is not zero (a NaN is not zero), else b; all 32 bits unchanged.
    select => Select(d: dst, c: float, a: raw, b: raw);
    /// Sets `d` to a piece of external state.
    read => Read(d: dst, what: (External));
    /// Sets `d` to seconds from the moment `hi, lo` (server clock, nanoseconds, high and low 32 bits) to the predicted presentation time.
    time_since => TimeSince(d: dst, hi: raw, lo: raw);
    /// Sets `d` to predicted presentation time in seconds, modulo period seconds; 0 where the period is not positive and finite.
    time_mod => TimeMod(d: dst, period: float);
    /// Asks for another frame after this one.
    request_frame => RequestFrame();
    /// Marks a rectangle of the window, pixels from its lower left corner, as needing a redraw in the next frame.
    damage => Damage(x: int, y: int, width: int, height: int);
    /// Sends a notify event with this value to the client.
    notify => Notify(value: raw);
    /// `glBegin`. See [`Recorder::primitive`].
    begin => Begin(mode: (Primitive));
    /// `glEnd`.
    end => End();
    /// `glVertex2f`.
    vertex2 => Vertex2(x: float, y: float);
    /// `glVertex3f`.
    vertex3 => Vertex3(x: float, y: float, z: float);
    /// `glVertex4f`.
    vertex4 => Vertex4(x: float, y: float, z: float, w: float);
    /// `glNormal3f`.
    normal3 => Normal3(x: float, y: float, z: float);
    /// `glColor4f`.
    color4 => Color4(r: float, g: float, b: float, a: float);
    /// `glTexCoord2f`.
    tex_coord2 => TexCoord2(s: float, t: float);
    /// `glTexCoord4f`.
    tex_coord4 => TexCoord4(s: float, t: float, r: float, q: float);
    /// `glMaterialfv`; [`MaterialParameter::Shininess`] takes its value from `a`.
    material => Material(face: (Face), name: (MaterialParameter), a: float, b: float, c: float, d: float);
    /// `glMultiTexCoord4f`.
    multi_tex_coord4 => MultiTexCoord4(unit: (TextureUnit), s: float, t: float, r: float, q: float);
    /// `glMatrixMode`. Each callback starts in [`MatrixMode::Modelview`].
    matrix_mode => MatrixMode(mode: (MatrixMode));
    /// `glLoadIdentity`.
    load_identity => LoadIdentity();
    /// `glLoadMatrixf`, column by column.
    load_matrix => LoadMatrix(m: matrix);
    /// `glMultMatrixf`, column by column.
    mult_matrix => MultMatrix(m: matrix);
    /// `glPushMatrix`.
    push_matrix => PushMatrix();
    /// `glPopMatrix`.
    pop_matrix => PopMatrix();
    /// `glTranslatef`.
    translate => Translate(x: float, y: float, z: float);
    /// `glRotatef`, angle in degrees.
    rotate => Rotate(angle: float, x: float, y: float, z: float);
    /// `glScalef`.
    scale => Scale(x: float, y: float, z: float);
    /// `glFrustum`.
    frustum => Frustum(left: float, right: float, bottom: float, top: float, near: float, far: float);
    /// `glOrtho`.
    ortho => Ortho(left: float, right: float, bottom: float, top: float, near: float, far: float);
    /// `glEnable`.
    enable => Enable(capability: (Capability));
    /// `glDisable`.
    disable => Disable(capability: (Capability));
    /// `glShadeModel`.
    shade_model => ShadeModel(mode: (ShadeModel));
    /// `glCullFace`.
    cull_face => CullFace(face: (Face));
    /// `glFrontFace`.
    front_face => FrontFace(winding: (Winding));
    /// `glDepthFunc`.
    depth_func => DepthFunc(function: (Comparison));
    /// `glDepthMask`.
    depth_mask => DepthMask(write: bool);
    /// `glDepthRange`.
    depth_range => DepthRange(near: float, far: float);
    /// `glColorMask`.
    color_mask => ColorMask(r: bool, g: bool, b: bool, a: bool);
    /// `glBlendFunc`.
    blend_func => BlendFunc(source: (BlendFactor), destination: (BlendFactor));
    /// `glScissor`, in pixels from the window's lower left corner; confined to the window.
    scissor => Scissor(x: int, y: int, width: int, height: int);
    /// `glViewport`, in pixels from the window's lower left corner; drawing stays confined to the window.
    viewport => Viewport(x: int, y: int, width: int, height: int);
    /// `glClearColor`.
    clear_color => ClearColor(r: float, g: float, b: float, a: float);
    /// `glClearDepth`.
    clear_depth => ClearDepth(depth: float);
    /// `glClear`.
    clear => Clear(mask: (ClearMask));
    /// `glPointSize`.
    point_size => PointSize(size: float);
    /// `glLineWidth`.
    line_width => LineWidth(width: float);
    /// `glBlendFuncSeparate`.
    blend_func_separate => BlendFuncSeparate(source_rgb: (BlendFactor), destination_rgb: (BlendFactor), source_alpha: (BlendFactor), destination_alpha: (BlendFactor));
    /// `glBlendEquationSeparate`.
    blend_equation_separate => BlendEquation(rgb: (BlendEquation), alpha: (BlendEquation));
    /// `glBlendColor`.
    blend_color => BlendColor(r: float, g: float, b: float, a: float);
    /// `glLogicOp`. Drawing without it where the server has OpenGL ES only.
    logic_op => LogicOp(operation: (LogicOp));
    /// `glAlphaFunc`.
    alpha_func => AlphaFunc(function: (Comparison), reference: float);
    /// `glStencilFunc`. The mask's bits are those of [`Raw::bits`].
    stencil_func => StencilFunc(function: (Comparison), reference: int, mask: raw);
    /// `glStencilOp`.
    stencil_op => StencilOp(stencil_fail: (StencilOp), depth_fail: (StencilOp), pass: (StencilOp));
    /// `glStencilMask`.
    stencil_mask => StencilMask(mask: raw);
    /// `glClearStencil`.
    clear_stencil => ClearStencil(value: int);
    /// `glPolygonMode`.
    polygon_mode => PolygonMode(face: (Face), mode: (PolygonMode));
    /// `glPolygonOffset`.
    polygon_offset => PolygonOffset(factor: float, units: float);
    /// `glPointParameterfv`; single values are taken from `a`.
    point_parameter => PointParameter(name: (PointParameter), a: float, b: float, c: float);
    /// `glClipPlane`: transformed by the inverse modelview matrix of the moment.
    clip_plane => ClipPlane(plane: (ClipPlane), a: float, b: float, c: float, d: float);
    /// `glFogi(GL_FOG_MODE, mode)`.
    fog_mode => FogMode(mode: (FogMode));
    /// `glFogfv`; single values are taken from `a`.
    fog => Fog(name: (FogParameter), a: float, b: float, c: float, d: float);
    /// `glLightfv`; single values are taken from `a`. Positions are transformed by the modelview matrix of the moment.
    light => Light(light: (Light), name: (LightParameter), a: float, b: float, c: float, d: float);
    /// `glLightModelfv`; single values are taken from `a`.
    light_model => LightModel(name: (LightModelParameter), a: float, b: float, c: float, d: float);
    /// `glColorMaterial`.
    color_material => ColorMaterial(face: (Face), mode: (ColorMaterialMode));
    /// `glPushAttrib`. See [`Recorder::pushed_attrib`].
    push_attrib => PushAttrib(groups: (AttribGroup));
    /// `glPopAttrib`.
    pop_attrib => PopAttrib();
    /// `glHint`. Without effect: quality is always the same.
    hint => Hint(target: (HintTarget), mode: (HintMode));
    /// `glBindTexture` of a texture object of the context; OID 0 for none.
    bind_texture => BindTexture(texture: texture);
    /// `glTexEnvi(GL_TEXTURE_ENV, GL_TEXTURE_ENV_MODE, mode)`.
    tex_env_mode => TexEnvMode(mode: (TexEnvMode));
    /// `glTexEnvfv(GL_TEXTURE_ENV, GL_TEXTURE_ENV_COLOR, ...)`.
    tex_env_color => TexEnvColor(r: float, g: float, b: float, a: float);
    /// `glTexParameteri` of the bound texture.
    tex_parameter => TexParameter(name: (TexParameter), value: (TexValue));
    /// `glActiveTexture`. Each callback starts with unit 0.
    active_texture => ActiveTexture(unit: (TextureUnit));
    /// `glTexEnvi(GL_TEXTURE_ENV, name, value)` of the parameters of [`TexEnvMode::Combine`].
    tex_env_combine => TexEnvCombine(name: (TexEnvParameter), value: (TexEnvValue));
    /// `glTexEnvf(GL_TEXTURE_ENV, GL_RGB_SCALE or GL_ALPHA_SCALE, scale)`: 1, 2 or 4.
    tex_env_scale => TexEnvScale(name: (TexEnvScale), scale: float);
    /// `glTexGeni(coordinate, GL_TEXTURE_GEN_MODE, mode)`.
    tex_gen_mode => TexGenMode(coordinate: (TexCoordinate), mode: (TexGenMode));
    /// `glTexGenfv`. An eye plane is transformed by the inverse modelview matrix of the moment.
    tex_gen_plane => TexGenPlane(coordinate: (TexCoordinate), plane: (TexGenPlane), a: float, b: float, c: float, d: float);
    /// `glNewList(list, GL_COMPILE)`. Register operands in the list are read when the list is called.
    new_list => NewList(list: list);
    /// `glEndList`.
    end_list => EndList();
    /// `glCallList`. A list that does not exist is ignored, as in OpenGL.
    call_list => CallList(list: list);
    /// `gl*Pointer` into a vertex buffer of the context: components, their type, bytes from one vertex to the next (0: packed), and to the first.
    array_pointer => ArrayPointer(array: (Array), size: count, data: (ArrayData), stride: count, buffer: buffer, offset: count);
    /// `glEnableClientState` or `glDisableClientState`.
    enable_array => EnableArray(array: (Array), on: bool);
    /// `glDrawArrays`. The arrays are read when it is executed, also in a display list.
    draw_arrays => DrawArrays(mode: (Primitive), first: count, count: count);
    /// `glDrawElements` with indices from an index buffer of the context, from byte `offset` on.
    draw_elements => DrawElements(mode: (Primitive), count: count, data: (IndexData), buffer: buffer, offset: count);
}
