//! What OpenGL's state was set to for guests, so that it is not set again.
//!
//! Enumerants of guests are OpenGL's own: the verifier checked them against the op table's sets.

use super::drawing::{Clear, Drawing, Pass};
use super::driver::Driver;
use super::state::{Area, Hard, Stencil};

/// All state but programs, uniforms and textures. `None`: it may be anything.
#[derive(Debug, Default)]
pub(super) struct Applied {
    framebuffer: Option<glow::Framebuffer>,
    place: Place,
    masks: Masks,
    values: Values,
    depth: Depth,
    stencil: StencilTest,
    faces: Faces,
    blend: Blend,
    logic: Logic,
    rasters: Rasters,
}

/// Where is drawn.
#[derive(Debug, Default)]
struct Place {
    test: Option<bool>,
    scissor: Option<Area>,
    viewport: Option<Area>,
}

/// What is written.
#[derive(Debug, Default)]
struct Masks {
    color: Option<[bool; 4]>,
    depth: Option<bool>,
    stencil: Option<u32>,
}

/// What clears write.
#[derive(Debug, Default)]
struct Values {
    color: Option<[f32; 4]>,
    depth: Option<f32>,
    stencil: Option<i32>,
}

#[derive(Debug, Default)]
struct Depth {
    test: Option<bool>,
    function: Option<u32>,
    range: Option<[f32; 2]>,
}

#[derive(Debug, Default)]
struct StencilTest {
    test: Option<bool>,
    function: Option<(u32, i32, u32)>,
    operations: Option<[u32; 3]>,
}

#[derive(Debug, Default)]
struct Faces {
    test: Option<bool>,
    culled: Option<u32>,
    front: Option<u32>,
}

#[derive(Debug, Default)]
struct Blend {
    on: Option<bool>,
    functions: Option<[u32; 4]>,
    equations: Option<[u32; 2]>,
    color: Option<[f32; 4]>,
}

#[derive(Debug, Default)]
struct Logic {
    on: Option<bool>,
    operation: Option<u32>,
}

/// How primitives become fragments.
#[derive(Debug, Default)]
struct Rasters {
    offset_on: Option<bool>,
    offset: Option<[f32; 2]>,
    line_width: Option<f32>,
}

/// Sets a piece of state unless it is so already.
fn set<T: PartialEq>(is: &mut Option<T>, wanted: T, driver: &Driver, call: impl FnOnce(&T)) {
    if is.as_ref() != Some(&wanted) {
        call(&wanted);
        driver.count(|all| all.state_calls += 1);
        *is = Some(wanted);
    }
}

/// Switches a capability, unless it is so already.
fn switch(is: &mut Option<bool>, capability: u32, on: bool, driver: &Driver) {
    set(is, on, driver, |_| if on { driver.enable(capability) } else { driver.disable(capability) });
}

impl Applied {
    /// Another framebuffer may be bound now, or the name of the bound one is another's.
    pub fn forget_framebuffer(&mut self) {
        self.framebuffer = None;
    }

    /// The scissor's rectangle, if it was set.
    pub fn scissor(&self) -> Option<Area> {
        self.place.scissor
    }

    /// Sets where is drawn. `confines`: the scissor test is on.
    pub fn confine(
        &mut self,
        driver: &Driver,
        framebuffer: glow::Framebuffer,
        confines: bool,
        scissor: Area,
        viewport: Area,
    ) {
        set(&mut self.framebuffer, framebuffer, driver, |&name| {
            driver.bind_framebuffer(glow::FRAMEBUFFER, Some(name));
        });
        let Place { test, scissor: is, viewport: view } = &mut self.place;
        switch(test, glow::SCISSOR_TEST, confines, driver);
        set(is, scissor, driver, |a| driver.scissor(a.x, a.y, a.width, a.height));
        set(view, viewport, driver, |v| driver.viewport(v.x, v.y, v.width, v.height));
    }

    /// Sets what a clear depends on but the place: its stencil is this, of which these bits are written.
    pub fn set_clear(&mut self, driver: &Driver, clear: &Clear, to: i32, bits: u32) {
        self.masks.set(driver, &clear.hard, bits);
        let Values { color, depth, stencil } = &mut self.values;
        set(color, clear.color, driver, |&[r, g, b, a]| driver.clear_color(r, g, b, a));
        set(depth, clear.depth, driver, |&far| driver.clear_depth_f32(far));
        set(stencil, to, driver, |&to| driver.clear_stencil(to));
    }

    /// Sets what a draw depends on but the place.
    pub fn set_draw(&mut self, driver: &Driver, drawing: &Drawing<'_>, pass: &Pass) {
        let hard = drawing.hard;
        self.masks.set(driver, hard, hard.stencil.write_mask);
        self.depth.set(driver, hard);
        self.stencil.set(driver, &hard.stencil);
        self.faces.set(driver, hard, pass);
        self.blend.set(driver, hard);
        if driver.has_logic_op() {
            self.logic.set(driver, hard);
        }
        self.rasters.set(driver, drawing, pass);
    }
}

impl Masks {
    fn set(&mut self, driver: &Driver, hard: &Hard, stencil: u32) {
        set(&mut self.color, hard.color_mask, driver, |&[r, g, b, a]| driver.color_mask(r, g, b, a));
        set(&mut self.depth, hard.depth_mask, driver, |&on| driver.depth_mask(on));
        set(&mut self.stencil, stencil, driver, |&mask| driver.stencil_mask(mask));
    }
}

impl Depth {
    fn set(&mut self, driver: &Driver, hard: &Hard) {
        switch(&mut self.test, glow::DEPTH_TEST, hard.depth_test, driver);
        set(&mut self.function, hard.depth_func, driver, |&function| driver.depth_func(function));
        set(&mut self.range, hard.depth_range, driver, |&[near, far]| driver.depth_range_f32(near, far));
    }
}

impl StencilTest {
    fn set(&mut self, driver: &Driver, stencil: &Stencil) {
        let Stencil { on, function, reference, mask, operations, .. } = *stencil;
        switch(&mut self.test, glow::STENCIL_TEST, on, driver);
        if on {
            set(&mut self.function, (function, reference, mask), driver, |&(function, reference, mask)| {
                driver.stencil_func(function, reference, mask);
            });
            set(&mut self.operations, operations, driver, |&[fail, far, pass]| {
                driver.stencil_op(fail, far, pass);
            });
        }
    }
}

impl Faces {
    fn set(&mut self, driver: &Driver, hard: &Hard, pass: &Pass) {
        switch(&mut self.test, glow::CULL_FACE, pass.cull.is_some(), driver);
        if let Some(face) = pass.cull {
            set(&mut self.culled, face, driver, |&face| driver.cull_face(face));
        }
        set(&mut self.front, hard.front_face, driver, |&winding| driver.front_face(winding));
    }
}

impl Blend {
    fn set(&mut self, driver: &Driver, hard: &Hard) {
        switch(&mut self.on, glow::BLEND, hard.blend, driver);
        if hard.blend {
            set(&mut self.functions, hard.blend_func, driver, |&[a, b, c, d]| {
                driver.blend_func_separate(a, b, c, d);
            });
            set(&mut self.equations, hard.blend_equation, driver, |&[color, alpha]| {
                driver.blend_equation_separate(color, alpha);
            });
            set(&mut self.color, hard.blend_color, driver, |&[r, g, b, a]| driver.blend_color(r, g, b, a));
        }
    }
}

impl Logic {
    fn set(&mut self, driver: &Driver, hard: &Hard) {
        switch(&mut self.on, glow::COLOR_LOGIC_OP, hard.logic, driver);
        if hard.logic {
            set(&mut self.operation, hard.logic_op, driver, |&operation| driver.logic_op(operation));
        }
    }
}

impl Rasters {
    fn set(&mut self, driver: &Driver, drawing: &Drawing<'_>, pass: &Pass) {
        let hard = drawing.hard;
        let is_offset = pass.is_offset(hard);
        switch(&mut self.offset_on, glow::POLYGON_OFFSET_FILL, is_offset, driver);
        if is_offset {
            set(&mut self.offset, hard.polygon_offset, driver, |&[factor, units]| {
                driver.polygon_offset(factor, units);
            });
        }
        if pass.has_lines(drawing.assembly) {
            let [least, most] = driver.limits().line_width;
            let width = hard.line_width.min(most).max(least);
            set(&mut self.line_width, width, driver, |&width| driver.line_width(width));
        }
    }
}
