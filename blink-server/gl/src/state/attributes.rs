//! The attribute stack: glPushAttrib and glPopAttrib (OpenGL 2.1 specification, section 6.1.14 and its state
//! tables).

use super::{Hard, Lights, Sampling, Soft, WindowState};
use blinkgl::gl::AttribGroup;
use blinkgl::limits::{ATTRIB_STACK, MAX_TEXTURE_UNITS};

/// The state at a push. All of it, because a group's state is all over it: the groups are told apart at the pop.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Saved {
    mode: u32,
    active: usize,
    color: [f32; 4],
    normal: [f32; 3],
    tex_coord: [f32; 4],
    tex_coord1: [f32; 4],
    soft: Soft,
    lights: Lights,
    hard: Hard,
    clear_color: [f32; 4],
    clear_depth: f32,
    clear_stencil: i32,
}

impl WindowState {
    /// glPushAttrib. A full stack is OpenGL's error: the command is ignored.
    pub(super) fn push_attributes(&mut self, groups: u32) {
        if self.attributes.len() >= ATTRIB_STACK {
            return;
        }
        let saved = Saved {
            mode: self.mode,
            active: self.active,
            color: self.color,
            normal: self.normal,
            tex_coord: self.tex_coord,
            tex_coord1: self.tex_coord1,
            soft: self.soft,
            lights: self.lights,
            hard: self.hard,
            clear_color: self.clear_color,
            clear_depth: self.clear_depth,
            clear_stencil: self.clear_stencil,
        };
        self.attributes.push((groups, Box::new(saved)));
    }

    /// Would glPopAttrib change the lights, which a batch reads once?
    pub(crate) fn pop_changes_lights(&self) -> bool {
        let lighting = AttribGroup::LIGHTING.value();
        self.attributes
            .last()
            .is_some_and(|(groups, saved)| groups & lighting != 0 && saved.lights != self.lights)
    }

    /// glPopAttrib. An empty stack is OpenGL's error: the command is ignored.
    pub(super) fn pop_attributes(&mut self) {
        let Some((groups, saved)) = self.attributes.pop() else { return };
        let named = |group: AttribGroup| groups & group.value() != 0;
        self.enables(&saved, named);
        if named(AttribGroup::POINT) {
            self.hard.points = saved.hard.points;
        }
        if named(AttribGroup::LINE) {
            self.hard.line_width = saved.hard.line_width;
        }
        if named(AttribGroup::POLYGON) {
            let (to, from) = (&mut self.hard, &saved.hard);
            (to.cull_face, to.front_face) = (from.cull_face, from.front_face);
            (to.polygon_mode, to.polygon_offset) = (from.polygon_mode, from.polygon_offset);
        }
        if named(AttribGroup::LIGHTING) {
            self.lights = saved.lights;
            self.hard.two_side = saved.hard.two_side;
            let (to, from) = (&mut self.soft, &saved.soft);
            (to.materials, to.flat) = (from.materials, from.flat);
            to.color_material_faces = from.color_material_faces;
            to.color_material_mode = from.color_material_mode;
        }
        if named(AttribGroup::FOG) {
            self.hard.fog = saved.hard.fog;
        }
        if named(AttribGroup::DEPTH_BUFFER) {
            self.hard.depth_func = saved.hard.depth_func;
            self.hard.depth_mask = saved.hard.depth_mask;
            self.clear_depth = saved.clear_depth;
        }
        if named(AttribGroup::STENCIL_BUFFER) {
            self.hard.stencil = saved.hard.stencil;
            self.clear_stencil = saved.clear_stencil;
        }
        if named(AttribGroup::VIEWPORT) {
            self.hard.viewport = saved.hard.viewport;
            self.hard.depth_range = saved.hard.depth_range;
        }
        if named(AttribGroup::TRANSFORM) {
            self.mode = saved.mode;
            self.hard.clip_planes = saved.hard.clip_planes;
        }
        if named(AttribGroup::COLOR_BUFFER) {
            let (to, from) = (&mut self.hard, &saved.hard);
            (to.alpha_func, to.alpha_reference) = (from.alpha_func, from.alpha_reference);
            (to.blend_func, to.blend_equation) = (from.blend_func, from.blend_equation);
            (to.blend_color, to.logic_op, to.color_mask) = (from.blend_color, from.logic_op, from.color_mask);
            self.clear_color = saved.clear_color;
        }
        if named(AttribGroup::SCISSOR) {
            self.hard.scissor = saved.hard.scissor;
        }
        if named(AttribGroup::TEXTURE) {
            self.restore_textures(&saved);
        }
        if named(AttribGroup::CURRENT) {
            (self.normal, self.tex_coord, self.tex_coord1) =
                (saved.normal, saved.tex_coord, saved.tex_coord1);
            self.set_color(saved.color);
        }
    }

    /// What glEnable switches: saved by its own group, and by the group of what it is about.
    fn enables(&mut self, saved: &Saved, named: impl Fn(AttribGroup) -> bool) {
        let with = |group: AttribGroup| named(group | AttribGroup::ENABLE);
        let (to, from) = (&mut self.hard, &saved.hard);
        if with(AttribGroup::POLYGON) {
            (to.cull, to.polygon_offset_on) = (from.cull, from.polygon_offset_on);
        }
        if with(AttribGroup::FOG) {
            to.fog.on = from.fog.on;
        }
        if with(AttribGroup::DEPTH_BUFFER) {
            to.depth_test = from.depth_test;
        }
        if with(AttribGroup::STENCIL_BUFFER) {
            to.stencil.on = from.stencil.on;
        }
        if with(AttribGroup::COLOR_BUFFER) {
            (to.alpha_test, to.blend, to.logic) = (from.alpha_test, from.blend, from.logic);
        }
        if with(AttribGroup::SCISSOR) {
            to.scissor_test = from.scissor_test;
        }
        if with(AttribGroup::TRANSFORM) {
            to.clip_planes_on = from.clip_planes_on;
            (self.soft.normalize, self.soft.rescale) = (saved.soft.normalize, saved.soft.rescale);
        }
        if with(AttribGroup::TEXTURE) {
            for (to, from) in to.units.iter_mut().zip(&from.units) {
                to.on = from.on;
                for (to, from) in to.generation.iter_mut().zip(&from.generation) {
                    to.on = from.on;
                }
            }
        }
        if with(AttribGroup::LIGHTING) {
            (self.soft.lighting, self.soft.lights) = (saved.soft.lighting, saved.soft.lights);
            self.soft.color_material = saved.soft.color_material;
        }
    }

    /// Units, and the parameters of the textures that were bound (not: their matrices).
    fn restore_textures(&mut self, saved: &Saved) {
        self.active = saved.active;
        let bound: [(u32, Sampling); MAX_TEXTURE_UNITS] = saved.hard.units.map(|u| (u.texture, u.sampling));
        for (texture, sampling) in bound {
            if let Some(known) = self.samplings.get_mut(&texture) {
                *known = sampling;
            }
        }
        self.hard.units = saved.hard.units;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use blinkgl::Op;
    use blinkgl::gl::{Capability, TextureUnit};

    const ALL: u32 = 0xf_ffff;

    /// Some state of each group.
    fn disturb(state: &mut WindowState) {
        let bits = f32::to_bits;
        for (op, args) in [
            (Op::Color4, vec![bits(0.1); 4]),
            (Op::Normal3, vec![bits(1.0), 0, 0]),
            (Op::MultiTexCoord4, vec![0x84c1, bits(3.0), bits(3.0), 0, bits(1.0)]),
            (Op::PointSize, vec![bits(3.0)]),
            (Op::LineWidth, vec![bits(3.0)]),
            (Op::CullFace, vec![0x404]),
            (Op::PolygonMode, vec![0x408, 0x1b01]),
            (Op::PolygonOffset, vec![bits(1.0), bits(2.0)]),
            (Op::ShadeModel, vec![0x1d00]),
            (Op::LightModel, vec![0x0b52, bits(1.0), 0, 0, 0]),
            (Op::Light, vec![0x4001, 0x1201, bits(1.0), 0, 0, bits(1.0)]),
            (Op::FogMode, vec![0x2601]),
            (Op::DepthFunc, vec![0x207]),
            (Op::ClearDepth, vec![0]),
            (Op::StencilFunc, vec![0x200, 5, 7]),
            (Op::ClearStencil, vec![9]),
            (Op::Viewport, vec![1, 2, 3, 4]),
            (Op::MatrixMode, vec![0x1701]),
            (Op::ClipPlane, vec![0x3002, bits(1.0), 0, 0, 0]),
            (Op::AlphaFunc, vec![0x201, bits(0.5)]),
            (Op::BlendFunc, vec![0, 1]),
            (Op::BlendEquation, vec![0x8007, 0x8008]),
            (Op::ColorMask, vec![0, 1, 0, 1]),
            (Op::ClearColor, vec![bits(0.5); 4]),
            (Op::Scissor, vec![5, 5, 5, 5]),
            (Op::ActiveTexture, vec![0x84c1]),
            (Op::TexEnvMode, vec![0x8570]),
            (Op::TexEnvCombine, vec![0x8581, 0x1702]),
            (Op::TexGenMode, vec![0x2001, 0x2402]),
            (Op::BindTexture, vec![7]),
        ] {
            state.command(op, &args);
        }
        for capability in Capability::ALL {
            state.command(Op::Enable, &[capability.value()]);
        }
    }

    #[test]
    fn what_is_pushed_comes_back_and_nothing_else() {
        let mut state = WindowState::new(100, 100);
        let start = state.clone();
        state.command(Op::PushAttrib, &[ALL]);
        disturb(&mut state);
        assert_ne!(state.hard, start.hard);
        let disturbed = state.clone();
        state.command(Op::PopAttrib, &[]);
        assert_eq!(state, start);

        state.command(Op::PushAttrib, &[0]);
        disturb(&mut state);
        state.command(Op::PopAttrib, &[]);
        let mut expected = disturbed;
        expected.attributes.clear();
        assert_eq!(state, expected);
    }

    #[test]
    fn enables_belong_to_two_groups() {
        for (group, capability, is_on) in [
            (AttribGroup::ENABLE, Capability::Fog, false),
            (AttribGroup::FOG, Capability::Fog, false),
            (AttribGroup::TEXTURE, Capability::Fog, true),
        ] {
            let mut state = WindowState::new(100, 100);
            state.command(Op::PushAttrib, &[group.value()]);
            state.command(Op::Enable, &[capability.value()]);
            state.command(Op::PopAttrib, &[]);
            assert_eq!(state.hard.fog.on, is_on, "{group:?}");
        }
    }

    #[test]
    fn the_active_unit_comes_back_with_the_textures() {
        let mut state = WindowState::new(100, 100);
        state.command(Op::PushAttrib, &[AttribGroup::TEXTURE.value()]);
        state.command(Op::ActiveTexture, &[TextureUnit::Texture1.value()]);
        state.command(Op::PopAttrib, &[]);
        assert_eq!(state.active, 0);
        for _ in 0..2 * ATTRIB_STACK {
            state.command(Op::PushAttrib, &[ALL]);
        }
        assert_eq!(state.attributes.len(), ATTRIB_STACK);
    }
}
