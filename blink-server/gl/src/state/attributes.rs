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
    use blinkgl::gl::{Capability, TextureUnit};
    use blinkgl::ops::{AttributeOp, StateOp};
    use jit::CommandOp;

    const ALL: u32 = 0xf_ffff;

    /// Some state of each group.
    fn disturb(state: &mut WindowState) {
        let bits = f32::to_bits;
        for (op, args) in [
            (CommandOp::from(AttributeOp::Color4), vec![bits(0.1); 4]),
            (AttributeOp::Normal3.into(), vec![bits(1.0), 0, 0]),
            (AttributeOp::MultiTexCoord4.into(), vec![0x84c1, bits(3.0), bits(3.0), 0, bits(1.0)]),
            (StateOp::PointSize.into(), vec![bits(3.0)]),
            (StateOp::LineWidth.into(), vec![bits(3.0)]),
            (StateOp::CullFace.into(), vec![0x404]),
            (StateOp::PolygonMode.into(), vec![0x408, 0x1b01]),
            (StateOp::PolygonOffset.into(), vec![bits(1.0), bits(2.0)]),
            (StateOp::ShadeModel.into(), vec![0x1d00]),
            (StateOp::LightModel.into(), vec![0x0b52, bits(1.0), 0, 0, 0]),
            (StateOp::Light.into(), vec![0x4001, 0x1201, bits(1.0), 0, 0, bits(1.0)]),
            (StateOp::FogMode.into(), vec![0x2601]),
            (StateOp::DepthFunc.into(), vec![0x207]),
            (StateOp::ClearDepth.into(), vec![0]),
            (StateOp::StencilFunc.into(), vec![0x200, 5, 7]),
            (StateOp::ClearStencil.into(), vec![9]),
            (StateOp::Viewport.into(), vec![1, 2, 3, 4]),
            (StateOp::MatrixMode.into(), vec![0x1701]),
            (StateOp::ClipPlane.into(), vec![0x3002, bits(1.0), 0, 0, 0]),
            (StateOp::AlphaFunc.into(), vec![0x201, bits(0.5)]),
            (StateOp::BlendFunc.into(), vec![0, 1]),
            (StateOp::BlendEquation.into(), vec![0x8007, 0x8008]),
            (StateOp::ColorMask.into(), vec![0, 1, 0, 1]),
            (StateOp::ClearColor.into(), vec![bits(0.5); 4]),
            (StateOp::Scissor.into(), vec![5, 5, 5, 5]),
            (StateOp::ActiveTexture.into(), vec![0x84c1]),
            (StateOp::TexEnvMode.into(), vec![0x8570]),
            (StateOp::TexEnvCombine.into(), vec![0x8581, 0x1702]),
            (StateOp::TexGenMode.into(), vec![0x2001, 0x2402]),
            (StateOp::BindTexture.into(), vec![7]),
        ] {
            state.command(op, &args);
        }
        for capability in Capability::ALL {
            state.command(StateOp::Enable, &[capability.value()]);
        }
    }

    #[test]
    fn what_is_pushed_comes_back_and_nothing_else() {
        let mut state = WindowState::new(100, 100);
        let start = state.clone();
        state.command(StateOp::PushAttrib, &[ALL]);
        disturb(&mut state);
        assert_ne!(state.hard, start.hard);
        let disturbed = state.clone();
        state.command(StateOp::PopAttrib, &[]);
        assert_eq!(state, start);

        state.command(StateOp::PushAttrib, &[0]);
        disturb(&mut state);
        state.command(StateOp::PopAttrib, &[]);
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
            state.command(StateOp::PushAttrib, &[group.value()]);
            state.command(StateOp::Enable, &[capability.value()]);
            state.command(StateOp::PopAttrib, &[]);
            assert_eq!(state.hard.fog.on, is_on, "{group:?}");
        }
    }

    #[test]
    fn the_active_unit_comes_back_with_the_textures() {
        let mut state = WindowState::new(100, 100);
        state.command(StateOp::PushAttrib, &[AttribGroup::TEXTURE.value()]);
        state.command(StateOp::ActiveTexture, &[TextureUnit::Texture1.value()]);
        state.command(StateOp::PopAttrib, &[]);
        assert_eq!(state.active, 0);
        for _ in 0..2 * ATTRIB_STACK {
            state.command(StateOp::PushAttrib, &[ALL]);
        }
        assert_eq!(state.attributes.len(), ATTRIB_STACK);
    }
}
