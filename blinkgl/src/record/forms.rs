//! The shorter and the vector forms of GL calls.

use super::{Float, Parameter, Raw, Recorder};
use crate::gl::{
    BlendEquation, Capability, Face, FogParameter, Light, LightModelParameter, LightParameter,
    MaterialParameter, PointParameter, Primitive, TexCoordinate, TexGenMode, TexGenPlane, TextureUnit,
};
use crate::layout::split;
use crate::wire::Reg;

impl Recorder {
    /// `glColor3f`.
    pub fn color3(&mut self, r: impl Into<Float>, g: impl Into<Float>, b: impl Into<Float>) {
        self.color4(r, g, b, 1.0);
    }

    /// `glColor3ub`: 255 is 1.0.
    pub fn color3ub(&mut self, r: u8, g: u8, b: u8) {
        self.color4ub(r, g, b, 255);
    }

    /// `glColor4ub`: 255 is 1.0.
    pub fn color4ub(&mut self, r: u8, g: u8, b: u8, a: u8) {
        let [r, g, b, a] = [r, g, b, a].map(|c| f32::from(c) / 255.0);
        self.color4(r, g, b, a);
    }

    /// `glColor3ubv`: 255 is 1.0.
    pub fn color_rgb8(&mut self, [r, g, b]: [u8; 3]) {
        self.color3ub(r, g, b);
    }

    /// `glColor3fv`.
    pub fn color3v(&mut self, [r, g, b]: [impl Into<Float>; 3]) {
        self.color3(r, g, b);
    }

    /// `glColor4fv`.
    pub fn color4v(&mut self, [r, g, b, a]: [impl Into<Float>; 4]) {
        self.color4(r, g, b, a);
    }

    /// `glVertex2fv`.
    pub fn vertex2v(&mut self, [x, y]: [impl Into<Float>; 2]) {
        self.vertex2(x, y);
    }

    /// `glVertex3fv`.
    pub fn vertex3v(&mut self, [x, y, z]: [impl Into<Float>; 3]) {
        self.vertex3(x, y, z);
    }

    /// `glVertex4fv`.
    pub fn vertex4v(&mut self, [x, y, z, w]: [impl Into<Float>; 4]) {
        self.vertex4(x, y, z, w);
    }

    /// `glNormal3fv`.
    pub fn normal3v(&mut self, [x, y, z]: [impl Into<Float>; 3]) {
        self.normal3(x, y, z);
    }

    /// `glTexCoord3f`.
    pub fn tex_coord3(&mut self, s: impl Into<Float>, t: impl Into<Float>, r: impl Into<Float>) {
        self.tex_coord4(s, t, r, 1.0);
    }

    /// `glTexCoord2fv`.
    pub fn tex_coord2v(&mut self, [s, t]: [impl Into<Float>; 2]) {
        self.tex_coord2(s, t);
    }

    /// `glTexCoord4fv`.
    pub fn tex_coord4v(&mut self, [s, t, r, q]: [impl Into<Float>; 4]) {
        self.tex_coord4(s, t, r, q);
    }

    /// `glMultiTexCoord2f`.
    pub fn multi_tex_coord2(&mut self, unit: TextureUnit, s: impl Into<Float>, t: impl Into<Float>) {
        self.multi_tex_coord4(unit, s, t, 0.0, 1.0);
    }

    /// `glRectf`.
    pub fn rect(
        &mut self,
        x1: impl Into<Float>,
        y1: impl Into<Float>,
        x2: impl Into<Float>,
        y2: impl Into<Float>,
    ) {
        let (x1, y1, x2, y2) = (x1.into(), y1.into(), x2.into(), y2.into());
        self.primitive(Primitive::Polygon, |p| {
            p.vertex2(x1, y1);
            p.vertex2(x2, y1);
            p.vertex2(x2, y2);
            p.vertex2(x1, y2);
        });
    }

    /// `glBlendEquation`.
    pub fn blend_equation(&mut self, mode: BlendEquation) {
        self.blend_equation_separate(mode, mode);
    }

    /// Enables each of these.
    pub fn enable_all(&mut self, capabilities: impl IntoIterator<Item = Capability>) {
        for capability in capabilities {
            self.enable(capability);
        }
    }

    /// `glLightf` or `glLightfv`: a number, three or four.
    ///
    /// ```
    /// # use blinkgl::{Recorder, gl::{Light, LightParameter}};
    /// let mut p = Recorder::new();
    /// p.lightv(Light::Light0, LightParameter::Diffuse, [1.0, 0.9, 0.7, 1.0]);
    /// p.lightv(Light::Light0, LightParameter::SpotDirection, [0.0, -1.0, 0.0]);
    /// p.lightv(Light::Light0, LightParameter::SpotCutoff, 20.0);
    /// # p.finish()?;
    /// # Ok::<(), blinkgl::RecordError>(())
    /// ```
    pub fn lightv(&mut self, light: Light, name: LightParameter, value: impl Into<Parameter>) {
        let Parameter([a, b, c, d]) = value.into();
        self.light(light, name, a, b, c, d);
    }

    /// `glLightfv(light, GL_POSITION, ...)`: transformed by the modelview matrix of the moment; directional where
    /// the last is 0.
    pub fn light_position(&mut self, light: Light, position: [impl Into<Float>; 4]) {
        self.lightv(light, LightParameter::Position, position);
    }

    /// The three attenuations of a light.
    pub fn light_attenuation(&mut self, light: Light, constant: f32, linear: f32, quadratic: f32) {
        self.lightv(light, LightParameter::ConstantAttenuation, constant);
        self.lightv(light, LightParameter::LinearAttenuation, linear);
        self.lightv(light, LightParameter::QuadraticAttenuation, quadratic);
    }

    /// `glLightModelf` or `glLightModelfv`: a number, `true` or `false`, four numbers.
    pub fn light_modelv(&mut self, name: LightModelParameter, value: impl Into<Parameter>) {
        let Parameter([a, b, c, d]) = value.into();
        self.light_model(name, a, b, c, d);
    }

    /// `glMaterialf` or `glMaterialfv`.
    pub fn materialv(&mut self, face: Face, name: MaterialParameter, value: impl Into<Parameter>) {
        let Parameter([a, b, c, d]) = value.into();
        self.material(face, name, a, b, c, d);
    }

    /// `glFogf` or `glFogfv`.
    pub fn fogv(&mut self, name: FogParameter, value: impl Into<Parameter>) {
        let Parameter([a, b, c, d]) = value.into();
        self.fog(name, a, b, c, d);
    }

    /// `glPointParameterf` or `glPointParameterfv`.
    pub fn point_parameterv(&mut self, name: PointParameter, value: impl Into<Parameter>) {
        let Parameter([a, b, c, _]) = value.into();
        self.point_parameter(name, a, b, c);
    }

    /// Generates these texture coordinates in this mode: sets and enables it.
    pub fn tex_gen(&mut self, coordinates: impl IntoIterator<Item = TexCoordinate>, mode: TexGenMode) {
        for coordinate in coordinates {
            self.tex_gen_mode(coordinate, mode);
            self.enable(match coordinate {
                TexCoordinate::S => Capability::TextureGenS,
                TexCoordinate::T => Capability::TextureGenT,
                TexCoordinate::R => Capability::TextureGenR,
                TexCoordinate::Q => Capability::TextureGenQ,
            });
        }
    }

    /// `glTexGenfv` of a plane.
    pub fn tex_gen_planev(
        &mut self,
        coordinate: TexCoordinate,
        plane: TexGenPlane,
        [a, b, c, d]: [impl Into<Float>; 4],
    ) {
        self.tex_gen_plane(coordinate, plane, a, b, c, d);
    }

    /// [`Recorder::time_since`] a moment known while recording, in nanoseconds of the server's clock.
    pub fn time_since_ns(&mut self, d: Reg, moment: u64) {
        let [low, high] = split(moment);
        self.time_since(d, Raw::bits(high), Raw::bits(low));
    }
}
