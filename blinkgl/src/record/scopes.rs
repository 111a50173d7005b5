//! Scopes: what begins and ends in pairs takes its body as a closure, so that no end is forgotten.

use super::{Float, ListId, Recorder};
use crate::gl::{AttribGroup, Capability, MatrixMode, Predicate, Primitive, TextureUnit};

impl Recorder {
    /// `begin`, what `body` records, `end`.
    pub fn primitive(&mut self, mode: Primitive, body: impl FnOnce(&mut Recorder)) {
        self.begin(mode);
        body(self);
        self.end();
    }

    /// `push_matrix`, what `body` records, `pop_matrix`.
    pub fn pushed(&mut self, body: impl FnOnce(&mut Recorder)) {
        self.push_matrix();
        body(self);
        self.pop_matrix();
    }

    /// `push_attrib`, what `body` records, `pop_attrib`: the state of these groups is after it as it was before.
    ///
    /// ```
    /// # use blinkgl::{Recorder, gl::{AttribGroup, Capability}};
    /// let mut p = Recorder::new();
    /// p.pushed_attrib(AttribGroup::ENABLE | AttribGroup::CURRENT, |p| {
    ///     p.disable(Capability::Lighting);
    ///     p.color3(1.0, 0.0, 0.0);
    /// });
    /// # p.finish()?;
    /// # Ok::<(), blinkgl::RecordError>(())
    /// ```
    pub fn pushed_attrib(&mut self, groups: AttribGroup, body: impl FnOnce(&mut Recorder)) {
        self.push_attrib(groups);
        body(self);
        self.pop_attrib();
    }

    /// `new_list`, what `body` records, `end_list`.
    pub fn list(&mut self, list: impl Into<ListId>, body: impl FnOnce(&mut Recorder)) {
        self.new_list(list);
        body(self);
        self.end_list();
    }

    /// Makes this texture unit the active one for what `body` records, then unit 0 again.
    pub fn unit(&mut self, unit: TextureUnit, body: impl FnOnce(&mut Recorder)) {
        self.active_texture(unit);
        body(self);
        self.active_texture(TextureUnit::Texture0);
    }

    /// What `body` records works on this matrix stack; then `modelview` is current again.
    pub fn matrix(&mut self, mode: MatrixMode, body: impl FnOnce(&mut Recorder)) {
        self.matrix_mode(mode);
        body(self);
        self.matrix_mode(MatrixMode::Modelview);
    }

    /// Enables `capability` for what `body` records, then disables it.
    pub fn enabled(&mut self, capability: Capability, body: impl FnOnce(&mut Recorder)) {
        self.enable(capability);
        body(self);
        self.disable(capability);
    }

    /// What `body` records happens only if `a` compares so with `b` when the program runs. With a NaN only
    /// [`Predicate::Ne`] holds.
    ///
    /// ```
    /// # use blinkgl::{Recorder, gl::Predicate};
    /// let mut p = Recorder::new();
    /// let seconds = p.alloc();
    /// p.time_mod(seconds, 60.0);
    /// p.condition(Predicate::Lt, seconds, 30.0, |p| p.color3(1.0, 0.0, 0.0));
    /// # p.finish()?;
    /// # Ok::<(), blinkgl::RecordError>(())
    /// ```
    pub fn condition(
        &mut self,
        predicate: Predicate,
        a: impl Into<Float>,
        b: impl Into<Float>,
        body: impl FnOnce(&mut Recorder),
    ) {
        let end = self.label();
        self.jmp_unless(predicate, a, b, end);
        body(self);
        self.bind(end);
    }

    /// What `then` records if `a` compares so with `b`, what `otherwise` records if not.
    pub fn either(
        &mut self,
        predicate: Predicate,
        a: impl Into<Float>,
        b: impl Into<Float>,
        then: impl FnOnce(&mut Recorder),
        otherwise: impl FnOnce(&mut Recorder),
    ) {
        let (without, end) = (self.label(), self.label());
        self.jmp_unless(predicate, a, b, without);
        then(self);
        self.jmp(end);
        self.bind(without);
        otherwise(self);
        self.bind(end);
    }

    /// Goes on at `label` if `a` does not compare so with `b`.
    fn jmp_unless(
        &mut self,
        predicate: Predicate,
        a: impl Into<Float>,
        b: impl Into<Float>,
        label: super::Label,
    ) {
        // With a NaN neither < nor >= holds, so only these two have an opposite.
        let opposite = match predicate {
            Predicate::Eq => Some(Predicate::Ne),
            Predicate::Ne => Some(Predicate::Eq),
            Predicate::Lt | Predicate::Le | Predicate::Ge | Predicate::Gt => None,
        };
        if let Some(opposite) = opposite {
            self.jmp_if(opposite, a, b, label);
        } else {
            let holds = self.label();
            self.jmp_if(predicate, a, b, holds);
            self.jmp(label);
            self.bind(holds);
        }
    }
}
