//! Random programs, drawn by the tracker and by OpenGL's compatibility profile: orders and combinations of state
//! that nobody thought of.
#![allow(
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    clippy::cast_sign_loss,
    missing_docs,
    reason = "a test"
)]

#[path = "support/compat.rs"]
mod compat;
#[path = "support/scene.rs"]
mod scene;
mod support;

use blink_server::gl::context::Flavor;
use blinkgl::ops::{Callback, Class, Kind, OPS, Op};
use blinkgl::wire::Arg;
use blinkgl::{Recorder, Reg};
use jit::TierChoice;
use scene::{Blink, Scene, Texture};
use std::collections::BTreeSet;
use std::ops::Range;
use support::save_png;
use verifier::verify;

const PROGRAMS: u64 = 100;
const SIDE: u32 = 96;
/// Registers that hold values on their way into operands, in turn: more than an instruction has operands.
const REGISTERS: u32 = 24;

/// Buffers of all programs: places, normals and colors side by side; indices.
const VERTICES: u32 = 20;
const INDICES: u32 = 21;
const ARRAY_VERTICES: u32 = 24;
const ARRAY_STRIDE: u32 = 20;

fn vertices() -> Vec<u8> {
    let mut bytes = Vec::new();
    for i in 0..ARRAY_VERTICES {
        let n = i as f32;
        for value in [(n * 2.3).sin() * 0.9, (n * 1.7).cos() * 0.9, (n * 0.9).sin() * 0.5] {
            bytes.extend(value.to_le_bytes());
        }
        bytes.extend([(i * 5) as u8, (i * 3) as u8, 90, 0]);
        bytes.extend([(i * 10) as u8, (250 - i * 9) as u8, (i * 37) as u8, (100 + i * 5) as u8]);
    }
    bytes
}

type Instruction = (Op, Vec<Arg>);
/// Instructions that only make sense together.
type Action = Vec<Instruction>;

#[derive(Clone, Debug, Default)]
struct Listing {
    lists: Vec<Vec<Action>>,
    redraw: Vec<Action>,
}

impl Listing {
    /// The same, said more simply: without lists, each call of which is replaced by what is in it, and with four
    /// coordinates wherever there may be fewer. OpenGL is given this, as Mesa 22.3 draws nothing of some lists
    /// whose vertices have two coordinates first and then three, and takes a wrong q where two texture coordinates
    /// follow four.
    fn flat(&self) -> Listing {
        Listing { lists: vec![], redraw: self.expanded(&self.redraw) }
    }

    fn expanded(&self, actions: &[Action]) -> Vec<Action> {
        let mut all = Vec::new();
        for (op, args) in actions.iter().flatten() {
            match (op, args.as_slice()) {
                (Op::CallList, &[Arg::Const(number)]) => {
                    let list = self.lists.get(number as usize - 1).map_or(&[][..], |list| list);
                    all.extend(self.expanded(list));
                }
                (Op::Vertex2, &[x, y]) => {
                    all.push(vec![(Op::Vertex4, vec![x, y, 0.0f32.into(), 1.0f32.into()])]);
                }
                (Op::Vertex3, &[x, y, z]) => all.push(vec![(Op::Vertex4, vec![x, y, z, 1.0f32.into()])]),
                (Op::TexCoord2, &[s, t]) => {
                    all.push(vec![(Op::TexCoord4, vec![s, t, 0.0f32.into(), 1.0f32.into()])]);
                }
                _ => all.push(vec![(*op, args.clone())]),
            }
        }
        all
    }

    /// The scene; `None` if the verifier refuses it, as it may what is left of a program that was shortened.
    fn scene(&self, name: &str) -> Option<Scene> {
        let mut init = Recorder::new();
        for (number, actions) in (1u32..).zip(&self.lists) {
            init.instruction(Op::NewList, &[Arg::Const(number)]);
            put(&mut init, actions);
            init.instruction(Op::EndList, &[]);
        }
        let mut redraw = Recorder::new();
        put(&mut redraw, &self.redraw);
        let (init, redraw) = (init.finish().ok()?, redraw.finish().ok()?);
        verify(init.clone(), Callback::Init).ok()?;
        verify(redraw.clone(), Callback::Redraw).ok()?;
        let mut scene = Scene::new(name, SIDE, SIDE, |_| {});
        scene.programs.clear();
        let texture = |oid, width, height| {
            Texture::bgra(oid, width, height, |x, y| {
                let n = x * 37 + y * 91 + oid * 50;
                [(n * 3) as u8, (n * 5) as u8, (n * 11) as u8, 255 - (n * 2 % 200) as u8]
            })
        };
        let scene = scene.program(Callback::Init, init).program(Callback::Redraw, redraw);
        let scene = scene.texture(texture(1, 4, 4)).texture(texture(2, 7, 3));
        Some(
            scene
                .buffer(VERTICES, vertices())
                .buffer(INDICES, (0..64u32).map(|i| (i * 7 % ARRAY_VERTICES) as u8).collect()),
        )
    }

    fn actions(&self) -> impl Iterator<Item = &Action> {
        self.lists.iter().flatten().chain(&self.redraw)
    }

    /// All programs with one action, or one instruction, less.
    fn shorter(&self) -> Vec<Listing> {
        let mut all = Vec::new();
        for list in 0..=self.lists.len() {
            let count = self.lists.get(list).unwrap_or(&self.redraw).len();
            for at in (0..count).rev() {
                let mut without = self.clone();
                without.body(list).remove(at);
                all.push(without);
            }
            for at in 0..count {
                for instruction in 0..self.lists.get(list).unwrap_or(&self.redraw)[at].len() {
                    let mut without = self.clone();
                    without.body(list)[at].remove(instruction);
                    all.push(without);
                }
            }
        }
        all
    }

    fn body(&mut self, list: usize) -> &mut Vec<Action> {
        self.lists.get_mut(list).unwrap_or(&mut self.redraw)
    }
}

fn put(p: &mut Recorder, actions: &[Action]) {
    for (op, args) in actions.iter().flatten() {
        p.instruction(*op, args);
    }
}

/// Makes the actions of one body.
struct Writer<'a> {
    random: &'a mut fastrand::Rng,
    /// In a display list there is no register work.
    list: bool,
    action: Action,
    /// The last one that was taken.
    register: u32,
    /// May it light both faces? (Then Mesa 22.3 draws wrong colors where the material of one only changes.)
    two_side: bool,
    /// Is there fog, and are there sphere maps? Then w is 1: Mesa 22.3 takes places undivided by w there.
    fog: bool,
    theme: Theme,
}

/// What a program plays with most: what takes several switches to be seen would hardly ever be.
#[derive(Clone, Copy, PartialEq)]
enum Theme {
    Everything,
    Light,
    ColorMaterial,
    Texture,
}

impl Writer<'_> {
    fn float(&mut self, range: Range<f32>) -> f32 {
        range.start + self.random.f32() * (range.end - range.start)
    }

    /// A float operand: a constant, or now and then a register.
    fn operand(&mut self, value: f32) -> Arg {
        if self.list || self.random.u8(..12) > 0 {
            return value.into();
        }
        self.register = (self.register + 1) % REGISTERS;
        let reg = Reg::new(self.register).unwrap();
        self.action.push((Op::Mov, vec![reg.into(), value.into()]));
        reg.into()
    }

    fn floats(&mut self, values: &[f32]) -> Vec<Arg> {
        values.iter().map(|&v| self.operand(v)).collect()
    }

    fn push(&mut self, op: Op, enums: &[u32], values: &[f32]) {
        let mut args: Vec<Arg> = enums.iter().map(|&e| Arg::Const(e)).collect();
        args.extend(self.floats(values));
        self.action.push((op, args));
    }

    fn choose(&mut self, values: &[u32]) -> u32 {
        *self.random.choice(values).unwrap()
    }

    fn color(&mut self) -> [f32; 4] {
        [(); 4].map(|()| self.float(-0.1..1.1))
    }

    fn attribute(&mut self, mode: u32) {
        match self.random.u8(..if matches!(mode, 2 | 9) { 3 } else { 7 }) {
            0..3 => {
                let color = self.color();
                self.push(Op::Color4, &[], &color);
            }
            3 | 4 => {
                let (x, y, z) = (self.float(-0.7..0.7), self.float(-0.7..0.7), self.float(0.3..1.0));
                self.push(Op::Normal3, &[], &[x, y, z]);
            }
            5 => {
                let (s, t) = (self.float(-1.0..2.0), self.float(-1.0..2.0));
                if self.random.u8(..3) == 0 {
                    let (unit, q) = (0x84c0 + self.random.u32(..2), self.float(0.8..1.5));
                    self.push(Op::MultiTexCoord4, &[unit], &[s, t, 0.2, q]);
                } else if self.random.bool() {
                    self.push(Op::TexCoord2, &[], &[s, t]);
                } else {
                    let q = self.float(0.8..1.5);
                    self.push(Op::TexCoord4, &[], &[s, t, 0.0, q]);
                }
            }
            _ => self.material(),
        }
    }

    fn face(&mut self) -> u32 {
        if self.two_side { 0x408 } else { self.choose(&[0x404, 0x405, 0x408]) }
    }

    fn material(&mut self) {
        let face = self.face();
        let name = self.choose(&[0x1200, 0x1201, 0x1202, 0x1600, 0x1601, 0x1602]);
        let mut value = self.color();
        if name == 0x1601 {
            value[0] = self.float(0.0..60.0);
        }
        self.push(Op::Material, &[face, name], &value);
    }

    /// Quads are left out: OpenGL does not say along which diagonal they are cut.
    fn primitive(&mut self) {
        let mode = self.choose(&[0, 1, 2, 3, 4, 4, 5, 5, 6, 6, 9]);
        self.action.push((Op::Begin, vec![Arg::Const(mode)]));
        if matches!(mode, 2 | 9) {
            // Mesa 22.3 loses the last line of a loop, or of a polygon's border, in which an attribute comes up for the first time after the
            // first vertex. So here it is all colors.
            self.push(Op::Color4, &[], &[0.5; 4]);
        }
        let count = self.random.u32(3..10);
        let (turn, size) = (self.float(0.0..6.0), self.float(0.4..0.95));
        let (cx, cy, height) = (self.float(-0.3..0.3), self.float(-0.3..0.3), self.float(-0.5..0.5));
        for i in 0..count {
            while self.random.u8(..3) > 0 {
                self.attribute(mode);
            }
            // Polygons have to be convex, and flat.
            let (mut x, mut y, mut z) = (0.0, 0.0, self.float(-0.6..0.6));
            if mode == 9 {
                let a = turn + i as f32 / count as f32 * std::f32::consts::TAU;
                (x, y, z) = (cx + a.cos() * size, cy + a.sin() * size, height);
            } else {
                x += self.float(-0.95..0.95);
                y += self.float(-0.95..0.95);
            }
            match self.random.u8(..3) {
                0 if mode != 9 => self.push(Op::Vertex2, &[], &[x, y]),
                1 => {
                    // (Mesa 22.3 takes positions for lighting as they are, undivided by w.)
                    let lit = matches!(self.theme, Theme::Light | Theme::ColorMaterial);
                    let w = if lit || self.fog { 1.0 } else { self.float(0.9..1.2) };
                    self.push(Op::Vertex4, &[], &[x * w, y * w, z * w, w]);
                }
                _ => self.push(Op::Vertex3, &[], &[x, y, z]),
            }
        }
        self.action.push((Op::End, vec![]));
    }

    fn matrix(&mut self) {
        match self.random.u8(..5) {
            0 => {
                let by = [(); 3].map(|()| self.float(-0.2..0.2));
                self.push(Op::Translate, &[], &by);
            }
            1 | 2 => {
                let (angle, z) = (self.float(-40.0..40.0), self.float(0.4..1.0));
                let (x, y) = (self.float(-0.5..0.5), self.float(-0.5..0.5));
                self.push(Op::Rotate, &[], &[angle, x, y, z]);
            }
            3 => {
                let by = [(); 3].map(|()| self.float(0.8..1.2));
                self.push(Op::Scale, &[], &by);
            }
            _ => {
                let mut m = [1.0, 0.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 0.0, 1.0];
                // No perspective: for normals, OpenGL leaves two ways of it open.
                for at in [0, 1, 2, 4, 5, 6, 8, 9, 10] {
                    m[at] += self.float(-0.1..0.1);
                }
                self.push(Op::MultMatrix, &[], &m);
            }
        }
    }

    fn in_mode(&mut self, mode: u32, what: impl FnOnce(&mut Self)) {
        self.action.push((Op::MatrixMode, vec![Arg::Const(mode)]));
        what(self);
        self.action.push((Op::MatrixMode, vec![Arg::Const(0x1700)]));
    }

    fn light(&mut self) {
        // Mostly those that are on.
        let light =
            if self.random.bool() { self.choose(&[0x4000, 0x4002]) } else { 0x4000 + self.random.u32(..8) };
        let name = self.random.u32(0x1200..=0x1209);
        let value = match name {
            0x1203 => {
                let [x, y, z] = [(); 3].map(|()| self.float(-2.0..2.0));
                [x, y, z + 2.5, f32::from(self.random.u8(..2))]
            }
            0x1204 => [self.float(-0.6..0.6), self.float(-0.6..0.6), -1.0, 0.0],
            0x1205 => [self.float(0.0..10.0), 0.0, 0.0, 0.0],
            0x1206 => [if self.random.bool() { 180.0 } else { self.float(20.0..90.0) }, 0.0, 0.0, 0.0],
            0x1207 => [self.float(0.5..1.5), 0.0, 0.0, 0.0],
            0x1208 | 0x1209 => [self.float(0.0..0.3), 0.0, 0.0, 0.0],
            _ => self.color(),
        };
        self.push(Op::Light, &[light, name], &value);
    }

    /// What a program of the theme starts with.
    fn opening(&mut self) {
        match self.theme {
            Theme::Everything => {}
            Theme::Light | Theme::ColorMaterial => {
                for capability in [0xb50, 0x4000, 0x4002] {
                    self.push(Op::Enable, &[capability], &[]);
                }
                self.push(Op::Light, &[0x4000, 0x1203], &[0.4, 0.7, 1.5, 1.0]);
                self.push(Op::Light, &[0x4002, 0x1201], &[0.2, 0.9, 0.4, 1.0]);
                self.push(Op::Light, &[0x4002, 0x1203], &[-0.5, 0.3, 0.5, 1.0]);
                self.push(Op::Light, &[0x4002, 0x1204], &[0.3, -0.4, -1.0, 0.0]);
                self.push(Op::Light, &[0x4002, 0x1206], &[60.0, 0.0, 0.0, 0.0]);
                let value = self.color();
                self.push(Op::Material, &[0x408, 0x1202], &value);
                self.push(Op::Material, &[0x408, 0x1601], &[12.0, 0.0, 0.0, 0.0]);
                if self.theme == Theme::ColorMaterial {
                    self.push(Op::Enable, &[0xb57], &[]);
                }
            }
            Theme::Texture => {
                self.push(Op::Enable, &[0xde1], &[]);
                self.push(Op::BindTexture, &[1], &[]);
            }
        }
    }

    /// What it ends with, before a last primitive.
    fn closing(&mut self) {
        if self.theme == Theme::ColorMaterial {
            // What has the material become?
            for _ in 0..self.random.u8(..4) {
                match self.random.u8(..3) {
                    0 => self.material(),
                    1 => {
                        let color = self.color();
                        self.push(Op::Color4, &[], &color);
                    }
                    _ => self.push(Op::Enable, &[0xb57], &[]),
                }
            }
            self.push(Op::Disable, &[0xb57], &[]);
        }
    }

    fn state(&mut self) {
        let rest = 0..24;
        let range = match self.theme {
            Theme::Everything => rest,
            // Lights, light model, color material.
            Theme::Light if self.random.bool() => 15..18,
            Theme::ColorMaterial if self.random.bool() => 16..19,
            // Binding, environment, parameters, matrices.
            Theme::Texture if self.random.bool() => 19..24,
            Theme::Light | Theme::ColorMaterial | Theme::Texture => rest,
        };
        match self.random.u8(range) {
            0..4 => {
                const CAPABILITIES: [u32; 17] = [
                    0xb44, 0xb50, 0xb50, 0xb57, 0xb71, 0xba1, 0xba1, 0xbe2, 0xc11, 0xde1, 0x803a, 0x4000,
                    0x4000, 0x4001, 0x4002, 0x4005, 0x4007,
                ];
                let what = self.choose(&CAPABILITIES);
                let op = if self.random.u8(..3) > 0 { Op::Enable } else { Op::Disable };
                self.push(op, &[what], &[]);
            }
            4 => {
                let mode = self.choose(&[0x1d00, 0x1d01]);
                self.push(Op::ShadeModel, &[mode], &[]);
            }
            5 => {
                let face = self.choose(&[0x404, 0x405, 0x405]);
                self.push(Op::CullFace, &[face], &[]);
            }
            6 => {
                let winding = self.choose(&[0x900, 0x901]);
                self.push(Op::FrontFace, &[winding], &[]);
            }
            7 => {
                let function = self.choose(&[0x201, 0x203, 0x204, 0x206, 0x207]);
                self.push(Op::DepthFunc, &[function], &[]);
            }
            8 => {
                let on = self.random.u32(..2);
                self.push(Op::DepthMask, &[on], &[]);
            }
            9 => {
                let (near, far) = (self.float(0.0..0.3), self.float(0.6..1.0));
                self.push(Op::DepthRange, &[], &[near, far]);
            }
            10 => {
                let mask = [(); 4].map(|()| u32::from(self.random.u8(..4) > 0));
                self.push(Op::ColorMask, &mask, &[]);
            }
            11 => {
                let source = self.choose(&[0, 1, 0x302, 0x303, 0x306, 0x308]);
                let destination = self.choose(&[0, 1, 0x300, 0x301, 0x302, 0x303, 0x304]);
                self.push(Op::BlendFunc, &[source, destination], &[]);
            }
            12 => {
                let op = if self.random.bool() { Op::Scissor } else { Op::Viewport };
                let least = if op == Op::Scissor { 20 } else { 50 };
                let mut values = [(); 2].map(|()| self.random.i32(-20..40)).to_vec();
                values.extend([(); 2].map(|()| self.random.i32(least..150)));
                self.action.push((op, values.into_iter().map(Arg::from).collect()));
            }
            13 => {
                let op = if self.random.bool() { Op::ClearColor } else { Op::TexEnvColor };
                let color = self.color();
                self.push(op, &[], &color);
            }
            14 => {
                let (far, mask) = (self.float(0.5..1.0), self.choose(&[0x100, 0x4000, 0x4100, 0x4500]));
                self.push(Op::ClearDepth, &[], &[far]);
                self.push(Op::Clear, &[mask], &[]);
            }
            15 | 16 => self.light(),
            17 => {
                let name = self.choose(if self.two_side { &[0xb51, 0xb52, 0xb53] } else { &[0xb51, 0xb53] });
                let value = match name {
                    0xb53 => self.color(),
                    _ => [f32::from(self.random.u8(..2)), 0.0, 0.0, 0.0],
                };
                self.push(Op::LightModel, &[name], &value);
            }
            18 if self.theme == Theme::ColorMaterial && self.random.bool() => {
                let op = if self.random.bool() { Op::Enable } else { Op::Disable };
                self.push(op, &[0xb57], &[]);
            }
            18 => {
                let face = self.face();
                let mode = self.choose(&[0x1200, 0x1201, 0x1202, 0x1600, 0x1602]);
                self.push(Op::ColorMaterial, &[face, mode], &[]);
            }
            19 => {
                let texture = self.choose(&[0, 1, 1, 2, 2, 3]);
                self.push(Op::BindTexture, &[texture], &[]);
            }
            20 => {
                let mode = self.choose(&[0x104, 0xbe2, 0x1e01, 0x2100, 0x2101]);
                self.push(Op::TexEnvMode, &[mode], &[]);
            }
            21 => {
                let texture = self.choose(&[1, 2]);
                self.push(Op::BindTexture, &[texture], &[]);
                let name = self.choose(&[0x2800, 0x2801, 0x2802, 0x2803]);
                let value =
                    if name < 0x2802 { [0x2600, 0x2601].as_slice() } else { &[0x2901, 0x812f, 0x8370] };
                let value = self.choose(value);
                self.push(Op::TexParameter, &[name, value], &[]);
            }
            22 => self.matrix(),
            _ => {
                let mode = self.choose(&[0x1701, 0x1702, 0x1702]);
                self.in_mode(mode, Writer::matrix);
            }
        }
    }

    /// What of the second unit, if it is that one's turn.
    fn of_a_unit(&mut self, what: impl FnOnce(&mut Self)) {
        let second = self.random.bool();
        if second {
            self.push(Op::ActiveTexture, &[0x84c1], &[]);
        }
        what(self);
        if second {
            self.push(Op::ActiveTexture, &[0x84c0], &[]);
        }
    }

    fn plane(&mut self) -> [f32; 4] {
        [(); 4].map(|()| self.float(-1.0..1.0))
    }

    fn combine(&mut self) {
        const FUNCTIONS: &[u32] = &[0x1e01, 0x2100, 0x104, 0x8574, 0x8575, 0x84e7, 0x86ae, 0x86af];
        const SOURCES: &[u32] = &[0x1702, 0x84c0, 0x8576, 0x8577, 0x8578];
        match self.random.u8(..7) {
            0 | 1 => self.push(Op::TexEnvMode, &[0x8570], &[]),
            2 => {
                let function = self.choose(FUNCTIONS);
                self.push(Op::TexEnvCombine, &[0x8571, function], &[]);
            }
            3 => {
                let function = self.choose(&FUNCTIONS[..6]);
                self.push(Op::TexEnvCombine, &[0x8572, function], &[]);
            }
            4 => {
                let name = self.choose(&[0x8580, 0x8581, 0x8582, 0x8588, 0x8589, 0x858a]);
                // (Texture 1 only where it is on for sure, which is nowhere.)
                let source = self.choose(SOURCES);
                self.push(Op::TexEnvCombine, &[name, if source == 0x84c0 { 0x1702 } else { source }], &[]);
            }
            5 => {
                let color = self.random.bool();
                let name = if color { 0x8590 } else { 0x8598 } + self.random.u32(..3);
                let operand =
                    self.choose(if color { &[0x300, 0x301, 0x302, 0x303] } else { &[0x302, 0x303] });
                self.push(Op::TexEnvCombine, &[name, operand], &[]);
            }
            _ => {
                let (name, scale) = (self.choose(&[0xd1c, 0x8573]), self.choose(&[1, 2, 4]) as f32);
                self.push(Op::TexEnvScale, &[name], &[scale]);
            }
        }
    }

    fn generation(&mut self) {
        let number = self.random.u32(..4);
        match self.random.u8(..5) {
            0 | 1 => self.push(Op::Enable, &[0xc60 + number], &[]),
            2 => self.push(Op::Disable, &[0xc60 + number], &[]),
            3 => {
                let modes =
                    if number < 2 && self.fog { &[0x2400, 0x2401, 0x2402][..] } else { &[0x2400, 0x2401] };
                let mode = self.choose(modes);
                self.push(Op::TexGenMode, &[0x2000 + number, mode], &[]);
            }
            _ => {
                let (plane, mut value) = (self.choose(&[0x2501, 0x2502]), self.plane());
                if number == 3 {
                    // q is not near 0.
                    value = [0.1 * value[0], 0.1 * value[1], 0.0, 1.2];
                }
                self.push(Op::TexGenPlane, &[0x2000 + number, plane], &value);
            }
        }
    }

    /// Vertices from the buffers of [`Listing::scene`]. What is current afterwards, OpenGL does not say.
    fn arrays(&mut self) {
        for (array, size, data, offset) in
            [(0x8074, 3, 0x1406, 0), (0x8075, 3, 0x1400, 12), (0x8076, 4, 0x1401, 16)]
        {
            let on = u32::from(array == 0x8074 || self.random.bool());
            self.push(Op::ArrayPointer, &[array, size, data, ARRAY_STRIDE, VERTICES, offset], &[]);
            self.push(Op::EnableArray, &[array, on], &[]);
        }
        let mode = self.choose(&[0, 1, 3, 4, 5, 6]);
        if self.random.bool() {
            let first = self.random.u32(..ARRAY_VERTICES / 2);
            let count = self.random.u32(1..ARRAY_VERTICES / 2);
            self.push(Op::DrawArrays, &[mode, first, count], &[]);
        } else {
            let count = self.random.u32(1..ARRAY_VERTICES);
            self.push(Op::DrawElements, &[mode, count, 0x1401, INDICES, 0], &[]);
        }
        let color = self.color();
        self.push(Op::Color4, &[], &color);
        self.push(Op::Normal3, &[], &[0.1, 0.2, 1.0]);
    }

    /// The state that came with the rest of fixed function.
    fn more_state(&mut self) {
        match self.random.u8(..20) {
            0 => {
                let factors = [(); 4].map(|()| {
                    self.choose(&[
                        0, 1, 0x300, 0x301, 0x302, 0x303, 0x304, 0x305, 0x306, 0x307, 0x8001, 0x8004,
                    ])
                });
                self.push(Op::BlendFuncSeparate, &factors, &[]);
            }
            1 => {
                let equations =
                    [(); 2].map(|()| self.choose(&[0x8006, 0x8006, 0x8007, 0x8008, 0x800a, 0x800b]));
                self.push(Op::BlendEquation, &equations, &[]);
            }
            2 => {
                let color = self.color();
                self.push(Op::BlendColor, &[], &color);
            }
            3 => {
                let (function, reference) =
                    (self.choose(&[0x201, 0x203, 0x204, 0x206, 0x207]), self.float(0.0..0.6));
                self.push(Op::AlphaFunc, &[function], &[reference]);
                self.push(Op::Enable, &[0xbc0], &[]);
            }
            4 => self.push(Op::Disable, &[0xbc0], &[]),
            5 | 6 => {
                let (function, reference) = (0x201 + self.random.u32(..7), self.random.u32(..4));
                let mask = self.choose(&[!0, 1, 3]);
                self.push(Op::StencilFunc, &[function, reference, mask], &[]);
                self.push(Op::Enable, &[0xb90], &[]);
            }
            7 => {
                let ops = [(); 3]
                    .map(|()| self.choose(&[0, 0x150a, 0x1e00, 0x1e01, 0x1e02, 0x1e03, 0x8507, 0x8508]));
                self.push(Op::StencilOp, &ops, &[]);
            }
            8 => {
                let (mask, value) = (self.choose(&[!0, 1, 6]), self.random.u32(..4));
                self.push(Op::StencilMask, &[mask], &[]);
                self.push(Op::ClearStencil, &[value], &[]);
                self.push(Op::Clear, &[0x400], &[]);
            }
            9 => self.push(Op::Disable, &[0xb90], &[]),
            10 => {
                // Both faces: where their modes differ, one is drawn after the other, and covers it.
                let mode = self.choose(&[0x1b01, 0x1b02, 0x1b02]);
                self.push(Op::PolygonMode, &[0x408, mode], &[]);
            }
            11 => {
                let (factor, units) = (self.float(-2.0..2.0), self.float(-90_000.0..90_000.0));
                self.push(Op::PolygonOffset, &[], &[factor, units]);
                let op = if self.random.bool() { Op::Enable } else { Op::Disable };
                self.push(op, &[0x8037], &[]);
            }
            12 => {
                let value = [self.float(0.3..1.0), self.float(0.0..0.2), 0.0];
                self.push(Op::PointParameter, &[0x8129], &value);
                let size = self.float(1.0..9.0);
                self.push(Op::PointSize, &[], &[size]);
            }
            13 => {
                let (number, mut value) = (self.random.u32(..6), self.plane());
                value[3] += 0.6;
                self.push(Op::ClipPlane, &[0x3000 + number], &value);
                let op = if self.random.u8(..3) > 0 { Op::Enable } else { Op::Disable };
                self.push(op, &[0x3000 + number], &[]);
            }
            14 if self.fog => {
                let mode = self.choose(&[0x800, 0x801, 0x2601]);
                self.push(Op::FogMode, &[mode], &[]);
                self.push(Op::Enable, &[0xb60], &[]);
            }
            14 | 15 => {
                let (name, mut value) = (self.choose(&[0xb62, 0xb63, 0xb64, 0xb66]), self.color());
                match name {
                    0xb62 => value[0] = self.float(0.0..0.4),
                    0xb63 => value[0] = self.float(2.0..4.0),
                    0xb64 => value[0] = self.float(4.5..6.0),
                    _ => {}
                }
                self.push(Op::Fog, &[name], &value);
            }
            16 => self.of_a_unit(Writer::combine),
            17 => self.of_a_unit(Writer::generation),
            18 => {
                self.push(Op::ActiveTexture, &[0x84c1], &[]);
                let texture = self.choose(&[1, 2]);
                self.push(Op::BindTexture, &[texture], &[]);
                let op = if self.random.u8(..3) > 0 { Op::Enable } else { Op::Disable };
                self.push(op, &[0xde1], &[]);
                self.push(Op::ActiveTexture, &[0x84c0], &[]);
            }
            _ => {
                let (target, mode) = (0xc50 + self.random.u32(..5), 0x1100 + self.random.u32(..3));
                self.push(Op::Hint, &[target, mode], &[]);
                // Without its switch: OpenGL ES has it not.
                let operation = 0x1500 + self.random.u32(..16);
                self.push(Op::LogicOp, &[operation], &[]);
            }
        }
    }

    /// Actions between push_attrib and pop_attrib. No others are in between: Mesa 22.3 forgets what changes in there;
    /// and it does not bring back lights that were off, so that GL_ENABLE_BIT is left out.
    fn pushed(&mut self) {
        let groups = self.random.u32(..) & 0xf_dfff;
        self.action.push((Op::PushAttrib, vec![Arg::Const(groups)]));
        let before = std::mem::take(&mut self.action);
        let inside = self.actions(5, 0, 0);
        self.action = before;
        self.action.extend(inside.into_iter().flatten());
        self.action.push((Op::PopAttrib, vec![]));
    }

    fn actions(&mut self, count: u32, lists: u32, depth: u32) -> Vec<Action> {
        let mut all = Vec::new();
        for _ in 0..count {
            match self.random.u8(..21) {
                0..5 => self.state(),
                16..20 => self.more_state(),
                20 if depth > 0 && !self.list => self.pushed(),
                5..11 => self.primitive(),
                11 if !self.list => self.arrays(),
                11 | 12 => self.attribute(0),
                13 => self.matrix(),
                14 if lists > 0 => {
                    let list = self.random.u32(1..=lists);
                    self.push(Op::CallList, &[list], &[]);
                }
                _ if depth > 0 => {
                    self.action.push((Op::PushMatrix, vec![]));
                    let before = std::mem::take(&mut self.action);
                    let inside = self.actions(4, lists, depth - 1);
                    self.action = before;
                    self.action.extend(inside.into_iter().flatten());
                    self.action.push((Op::PopMatrix, vec![]));
                }
                _ => self.state(),
            }
            all.push(std::mem::take(&mut self.action));
        }
        all
    }
}

fn program(seed: u64) -> Listing {
    let random = &mut fastrand::Rng::with_seed(seed);
    let (two_side, fog) = (random.bool(), random.bool());
    let theme =
        *random.choice(&[Theme::Everything, Theme::Light, Theme::ColorMaterial, Theme::Texture]).unwrap();
    let mut listing = Listing::default();
    for number in 0..random.u32(..3) {
        let mut writer = Writer { random, list: true, action: vec![], register: 0, two_side, fog, theme };
        let actions = writer.actions(5, number, 1);
        listing.lists.push(actions);
    }
    let lists = listing.lists.len() as u32;
    let count = random.u32(4..25);
    let mut writer = Writer { random, list: false, action: vec![], register: 0, two_side, fog, theme };
    let clear = vec![
        (Op::ClearColor, [0.2f32, 0.3, 0.1, 0.6].map(Arg::from).to_vec()),
        (Op::Clear, vec![Arg::Const(0x4500)]),
    ];
    let view = vec![
        (Op::MatrixMode, vec![Arg::Const(0x1701)]),
        (Op::Frustum, [-1.0f32, 1.0, -1.0, 1.0, 3.0, 20.0].map(Arg::from).to_vec()),
        (Op::MatrixMode, vec![Arg::Const(0x1700)]),
        (Op::Translate, [0.0f32, 0.0, -4.2].map(Arg::from).to_vec()),
    ];
    listing.redraw = vec![clear, view];
    writer.opening();
    listing.redraw.push(std::mem::take(&mut writer.action));
    listing.redraw.extend(writer.actions(count, lists, 2));
    // Something to see what the state has come to.
    writer.closing();
    writer.primitive();
    listing.redraw.push(writer.action);
    listing
}

fn opengl(listing: &Listing) -> Vec<u8> {
    let scene = listing.flat().scene("flat").expect("the verifier takes it with lists too");
    compat::pictures(&[scene]).remove(0)
}

/// Pixels that differ, pixels that are drawn.
fn differences(blink: &mut Blink, listing: &Listing, scene: &Scene) -> (usize, usize) {
    let wanted = opengl(listing);
    let found = blink.picture(scene, TierChoice::Interpreter);
    let native = blink.picture(scene, TierChoice::Native);
    assert!(found == native, "{}: the tiers' pictures differ", scene.name);
    let background = wanted.get(..4).unwrap_or_default();
    let (mut drawn, mut different) = (0, 0);
    for (a, b) in found.chunks_exact(4).zip(wanted.chunks_exact(4)) {
        drawn += usize::from(a != background || b != background);
        different += usize::from(a.iter().zip(b).any(|(a, b)| a.abs_diff(*b) > 2));
    }
    (different, drawn)
}

fn differs(blink: &mut Blink, listing: &Listing) -> bool {
    let Some(scene) = listing.scene("shortened") else { return false };
    let (different, _) = differences(blink, listing, &scene);
    different > 40
}

#[test]
fn random_programs() {
    let number = |name, default| std::env::var(name).map_or(default, |v| v.parse().expect(name));
    // More than the usual ones, for who changes the tracker.
    let (first, count) = (number("FIRST_PROGRAM", 0), number("PROGRAMS", PROGRAMS));
    let half = first + count / 2;
    draw(Flavor::Desktop, first..half);
    draw(Flavor::Embedded, half..first + count);
}

fn draw(flavor: Flavor, seeds: Range<u64>) {
    let mut blink = Blink::of(flavor);
    let mut faults = Vec::new();
    let mut seen = BTreeSet::new();
    for seed in seeds.clone() {
        let listing = program(seed);
        let scene =
            listing.scene(&format!("random-{seed}")).expect("the verifier takes what is written here");
        let (different, drawn) = differences(&mut blink, &listing, &scene);
        seen.extend(listing.actions().flatten().map(|(op, _)| *op));
        // Colors and depths that are just at a step fall to either side: some lines' pixels.
        if different * 50 > drawn.max(500) {
            faults.push((seed, different));
        }
    }
    if let Some(&(seed, _)) = faults.first() {
        report(&mut blink, program(seed));
        panic!(
            "{flavor:?}: of programs {seeds:?} differ (seed, pixels): {faults:?}; the first, shortened, is above"
        );
    }
    let untried: Vec<&str> = OPS
        .iter()
        .filter(|row| {
            matches!(
                row.class,
                Class::State(_)
                    | Class::Attribute(_)
                    | Class::Vertex(_)
                    | Class::Draw(_)
                    | Class::ListCall(_)
            )
        })
        .filter(|row| !seen.contains(&row.op))
        .map(|row| row.name)
        .collect();
    let left_out = ["load_identity", "load_matrix", "frustum", "ortho", "point_size", "line_width"];
    let forgotten: Vec<&&str> = untried.iter().filter(|name| !left_out.contains(name)).collect();
    assert!(seeds.end - seeds.start < PROGRAMS / 2 || forgotten.is_empty(), "no program tries {forgotten:?}");
}

/// Shortens a program for as long as the pictures differ, and shows what is left.
fn report(blink: &mut Blink, mut listing: Listing) {
    while let Some(shorter) = listing.shorter().into_iter().find(|l| differs(blink, l)) {
        listing = shorter;
    }
    for (number, list) in (1..).zip(&listing.lists) {
        println!("list {number}");
        print(list);
    }
    println!("redraw");
    print(&listing.redraw);
    let Some(scene) = listing.scene("random") else { return };
    save_png("random-wanted", SIDE, SIDE, &opengl(&listing));
    save_png("random-found", SIDE, SIDE, &blink.picture(&scene, TierChoice::Interpreter));
}

fn print(actions: &[Action]) {
    for (op, args) in actions.iter().flatten() {
        let args = args.iter().zip(op.info().operands).map(|(arg, operand)| match (arg, operand.kind) {
            (Arg::Reg(reg), _) => format!("r{}", reg.number()),
            (Arg::Const(word), Kind::Float | Kind::Raw) => f32::from_bits(*word).to_string(),
            (Arg::Const(word), Kind::Int) => word.cast_signed().to_string(),
            (Arg::Const(word), _) => format!("{word:#x}"),
        });
        println!("    {op} {}", args.collect::<Vec<_>>().join(", "));
    }
}
