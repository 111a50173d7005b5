//! Random programs that keep the verifier's rules.

use super::{A, F, R, U, Words};
use blinkgl::ops::{
    ARRAY, BLEND_EQUATION, BLEND_FACTOR, CLIP_PLANE, COMPARISON, EXTERNAL, EnumSet, FACE, FOG_MODE,
    HINT_MODE, HINT_TARGET, INDEX_DATA, LIGHT, LOGIC_OP, MATERIAL, MATRIX_MODE, Op, POLYGON_MODE, PREDICATE,
    PRIMITIVE, SHADE_MODEL, STENCIL_OP, TEX_COORDINATE, TEX_ENV_SCALE, TEX_GEN_PLANE, TEXTURE_UNIT, WINDING,
};
use fastrand::Rng;

const TRANSFORM: u32 = 0x1000;
const TEXTURE0: u32 = 0x84c0;
const MODELVIEW: u32 = 0x1700;

/// Lists that programs define and call.
pub const LISTS: u32 = 6;

/// Bits that arithmetic stumbles over.
const EDGES: &[u32] = &[
    0,
    0x8000_0000,
    0x3f80_0000,
    0xbf80_0000,
    0x7f80_0000,
    0xff80_0000,
    0x7fc0_0000,
    0xffc1_2345,
    0x7fa0_0001,
    1,
    0x807f_ffff,
    0x7f7f_ffff,
    0x4b00_0001,
    0x4f00_0000,
];

/// Makes programs.
#[derive(Debug)]
pub struct Generator {
    pub rng: Rng,
    pub words: Words,
    /// How many of the 32 registers are used: few, so that they meet each other.
    registers: u32,
    /// Of 10 operands that can be a register, how many are.
    share: u32,
    depth: u32,
}

impl Generator {
    /// A program that may draw: a `redraw` callback.
    pub fn redraw(seed: u64, length: usize) -> Words {
        let mut g = Generator::new(seed);
        g.block(length, true);
        g.words
    }

    /// A program that defines lists: an `init` callback. They call only lists of greater names, or any if `wild`.
    pub fn lists(seed: u64, length: usize, wild: bool) -> Words {
        let mut g = Generator::new(seed);
        for name in 1..=LISTS {
            if g.rng.u32(0..8) == 0 {
                continue;
            }
            g.block(length / 4, false);
            g.words.op(Op::NewList, &[U(name)]);
            let end = g.words.len() + length;
            while g.words.len() < end {
                match g.rng.u32(0..10) {
                    0..=3 => g.primitive(false),
                    4..=7 => g.state(),
                    8 if g.rng.bool() => g.arrays(),
                    8 => g.attribute(),
                    _ if wild => {
                        let other = g.rng.u32(1..=LISTS);
                        g.words.op(Op::CallList, &[U(other)]);
                    }
                    _ if name < LISTS => {
                        let other = g.rng.u32(name + 1..=LISTS);
                        g.words.op(Op::CallList, &[U(other)]);
                    }
                    _ => {}
                }
            }
            g.words.op(Op::EndList, &[]);
        }
        g.words
    }

    fn new(seed: u64) -> Generator {
        let mut rng = Rng::with_seed(seed);
        let registers = rng.choice([2, 5, 32]).unwrap_or(5);
        let share = rng.choice([0, 1, 3, 8]).unwrap_or(3);
        Generator { rng, words: Words::default(), registers, share, depth: 0 }
    }

    pub fn value(&mut self) -> u32 {
        match self.rng.u32(0..4) {
            0 => self.rng.choice(EDGES.iter().copied()).unwrap_or_default(),
            1 => self.rng.u32(..),
            _ => (self.rng.f32() * 8.0 - 4.0).to_bits(),
        }
    }

    fn reg(&mut self) -> u32 {
        self.rng.u32(0..self.registers)
    }

    fn arg(&mut self) -> A {
        if self.rng.u32(0..10) < self.share { R(self.reg()) } else { U(self.value()) }
    }

    /// An operand whose constant must be in a range.
    fn within(&mut self, low: f32, high: f32) -> A {
        if self.rng.u32(0..10) < self.share { R(self.reg()) } else { F(low + self.rng.f32() * (high - low)) }
    }

    fn one_of(&mut self, set: &EnumSet) -> A {
        U(self.rng.choice(set.values.iter()).map(|v| v.1).unwrap_or_default())
    }

    /// A block that leaves matrices as they were.
    fn block(&mut self, length: usize, draws: bool) {
        self.depth += 1;
        let end = self.words.len() + length;
        while self.words.len() < end {
            match self.rng.u32(0..20) {
                0..=4 => self.compute(),
                5..=8 if draws => self.primitive(true),
                9..=11 => self.state(),
                12..=13 => self.attribute(),
                14 => self.signal(),
                15..=16 if self.depth < 4 => self.conditional(length / 4, draws),
                17 if self.depth < 4 => {
                    self.words.op(Op::PushMatrix, &[]);
                    self.block(length / 8, draws);
                    self.words.op(Op::PopMatrix, &[]);
                }
                18 if self.rng.bool() && self.depth < 4 => {
                    let groups = self.rng.u32(0..1 << 20) | TRANSFORM;
                    self.words.op(Op::PushAttrib, &[U(groups)]);
                    self.block(length / 8, draws);
                    self.modes();
                    self.words.op(Op::PopAttrib, &[]);
                    self.words.op(Op::ActiveTexture, &[U(TEXTURE0)]);
                }
                18 if draws => {
                    let name = self.rng.u32(1..=LISTS);
                    self.words.op(Op::CallList, &[U(name)]);
                }
                19 if draws && self.rng.bool() => self.arrays(),
                19 if draws => {
                    let mask = self.rng.choice([0x100, 0x400, 0x4000, 0x4500]).unwrap_or(0x100);
                    self.words.op(Op::Clear, &[U(mask)]);
                }
                _ => self.compute(),
            }
        }
        self.depth -= 1;
    }

    /// Matrix mode and texture unit, which the caller sets back.
    fn modes(&mut self) {
        let (mode, unit) = (self.one_of(&MATRIX_MODE), self.one_of(&TEXTURE_UNIT));
        self.words.op(Op::MatrixMode, &[mode]).op(Op::ActiveTexture, &[unit]).op(Op::LoadIdentity, &[]);
    }

    fn arrays(&mut self) {
        let mode = self.one_of(&PRIMITIVE);
        let (from, count, buffer) = (self.rng.u32(0..100), self.rng.u32(0..14), self.rng.u32(0..9));
        if self.rng.bool() {
            self.words.op(Op::DrawArrays, &[mode, U(from), U(count)]);
        } else {
            let data = self.one_of(&INDEX_DATA);
            self.words.op(Op::DrawElements, &[mode, U(count), data, U(buffer), U(from)]);
        }
    }

    fn conditional(&mut self, length: usize, draws: bool) {
        if self.rng.u32(0..5) == 0 {
            self.words.op(Op::Jmp, &[U(0)]);
        } else {
            let (p, a, b) = (self.one_of(&PREDICATE), self.arg(), self.arg());
            self.words.op(Op::JmpIf, &[p, a, b, U(0)]);
        }
        let hole = self.words.0.len() - 1;
        self.block(length, draws);
        // Sometimes an else branch.
        if self.rng.bool() {
            self.words.op(Op::Jmp, &[U(0)]);
            let second = self.words.0.len() - 1;
            self.words.0[hole] = self.words.here();
            self.block(length, draws);
            self.words.0[second] = self.words.here();
        } else {
            self.words.0[hole] = self.words.here();
        }
    }

    fn compute(&mut self) {
        let d = R(self.reg());
        match self.rng.u32(0..22) {
            n @ 0..=6 => {
                let op = [Op::Add, Op::Sub, Op::Mul, Op::Div, Op::Min, Op::Max, Op::Atan2][n as usize];
                let (a, b) = (self.arg(), self.arg());
                self.words.op(op, &[d, a, b]);
            }
            n @ 7..=14 => {
                let ops = [Op::Mov, Op::Neg, Op::Abs, Op::Floor, Op::Fract, Op::Sqrt, Op::Sin, Op::Cos];
                let a = self.arg();
                self.words.op(ops[n as usize - 7], &[d, a]);
            }
            15 => {
                let (p, a, b) = (self.one_of(&PREDICATE), self.arg(), self.arg());
                self.words.op(Op::Cmp, &[d, p, a, b]);
            }
            16 => {
                let (c, a, b) = (self.arg(), self.arg(), self.arg());
                self.words.op(Op::Select, &[d, c, a, b]);
            }
            17 => {
                let what = self.one_of(&EXTERNAL);
                self.words.op(Op::Read, &[d, what]);
            }
            18 => {
                let (hi, lo) = (self.arg(), self.arg());
                self.words.op(Op::TimeSince, &[d, hi, lo]);
            }
            19 => {
                let period = self.arg();
                self.words.op(Op::TimeMod, &[d, period]);
            }
            _ => {
                let (a, b) = (R(self.reg()), R(self.reg()));
                self.words.op(Op::Mul, &[d, a, b]);
            }
        }
    }

    fn signal(&mut self) {
        match self.rng.u32(0..3) {
            0 => self.words.op(Op::RequestFrame, &[]),
            1 => {
                let args =
                    [(); 4].map(|()| if self.rng.bool() { R(self.reg()) } else { U(self.rng.u32(0..300)) });
                self.words.op(Op::Damage, &args)
            }
            _ => {
                let value = self.arg();
                self.words.op(Op::Notify, &[value])
            }
        };
    }

    fn attribute(&mut self) {
        match self.rng.u32(0..5) {
            0 => {
                let args = [(); 4].map(|()| self.arg());
                self.words.op(Op::Color4, &args);
            }
            4 => {
                let unit = self.one_of(&TEXTURE_UNIT);
                let args = [(); 4].map(|()| self.arg());
                self.words.op(Op::MultiTexCoord4, &[unit, args[0], args[1], args[2], args[3]]);
            }
            1 => {
                let args = [(); 3].map(|()| self.arg());
                self.words.op(Op::Normal3, &args);
            }
            2 => {
                let args = [(); 2].map(|()| self.arg());
                self.words.op(Op::TexCoord2, &args);
            }
            _ => {
                let args = [(); 4].map(|()| self.arg());
                self.words.op(Op::TexCoord4, &args);
            }
        }
    }

    fn material(&mut self) {
        let (face, name) = (self.one_of(&FACE), self.one_of(&MATERIAL));
        let args = [(); 4].map(|()| self.within(0.0, 1.0));
        self.words.op(Op::Material, &[face, name, args[0], args[1], args[2], args[3]]);
    }

    fn state(&mut self) {
        match self.rng.u32(0..18) {
            0..=2 => self.material(),
            14..=15 => self.fragment_state(),
            16 => self.geometry_state(),
            17 => {
                self.modes();
                self.words.op(Op::MatrixMode, &[U(MODELVIEW)]).op(Op::ActiveTexture, &[U(TEXTURE0)]);
            }
            3..=4 => {
                let mode = self.one_of(&SHADE_MODEL);
                self.words.op(Op::ShadeModel, &[mode]);
            }
            5 => {
                let args = [(); 3].map(|()| self.arg());
                self.words.op(Op::Translate, &args);
            }
            6 => {
                let args = [(); 4].map(|()| self.arg());
                self.words.op(Op::Rotate, &args);
            }
            7 => {
                let on = self.rng.choice([Op::Enable, Op::Disable]).unwrap_or(Op::Enable);
                let what = self.rng.choice([0x0b50, 0x0b57, 0x0b71, 0x0be2, 0x0ba1]).unwrap_or(0x0b50);
                self.words.op(on, &[U(what)]);
            }
            8 => {
                let args = [(); 16].map(|()| self.arg());
                self.words.op(Op::MultMatrix, &args);
            }
            9 => {
                let args =
                    [(); 4].map(|()| if self.rng.bool() { R(self.reg()) } else { U(self.rng.u32(0..500)) });
                self.words.op(Op::Viewport, &args);
            }
            10 => {
                let (a, b) = (self.one_of(&BLEND_FACTOR), self.one_of(&BLEND_FACTOR));
                self.words.op(Op::BlendFunc, &[a, b]);
            }
            11 => {
                let (function, winding) = (self.one_of(&COMPARISON), self.one_of(&WINDING));
                self.words.op(Op::DepthFunc, &[function]).op(Op::FrontFace, &[winding]);
            }
            12 => {
                let width = self.within(0.5, 8.0);
                let op = self.rng.choice([Op::PointSize, Op::LineWidth]).unwrap_or(Op::PointSize);
                self.words.op(op, &[width]);
            }
            _ => {
                let light = self.one_of(&LIGHT);
                let args = [(); 4].map(|()| self.arg());
                self.words.op(Op::Light, &[light, U(0x1203), args[0], args[1], args[2], args[3]]);
            }
        }
    }

    /// State of textures and of what becomes of fragments.
    fn fragment_state(&mut self) {
        let four = [(); 4].map(|()| self.arg());
        match self.rng.u32(0..14) {
            0 => {
                let factors = [(); 4].map(|()| self.one_of(&BLEND_FACTOR));
                self.words.op(Op::BlendFuncSeparate, &factors);
            }
            1 => {
                let equations = [(); 2].map(|()| self.one_of(&BLEND_EQUATION));
                self.words.op(Op::BlendEquation, &equations);
            }
            2 => {
                self.words.op(Op::BlendColor, &four);
            }
            3 => {
                let operation = self.one_of(&LOGIC_OP);
                self.words.op(Op::LogicOp, &[operation]);
            }
            4 => {
                let function = self.one_of(&COMPARISON);
                self.words.op(Op::AlphaFunc, &[function, four[0]]);
            }
            5 => {
                let function = self.one_of(&COMPARISON);
                self.words.op(Op::StencilFunc, &[function, four[0], four[1]]);
            }
            6 => {
                let operations = [(); 3].map(|()| self.one_of(&STENCIL_OP));
                self.words.op(Op::StencilOp, &operations);
            }
            7 => {
                self.words.op(Op::StencilMask, &[four[0]]).op(Op::ClearStencil, &[four[1]]);
            }
            8 => {
                let mode = self.one_of(&FOG_MODE);
                self.words
                    .op(Op::FogMode, &[mode])
                    .op(Op::Fog, &[U(0x0b66), four[0], four[1], four[2], four[3]]);
            }
            9 => {
                let density = self.within(0.0, 2.0);
                self.words.op(Op::Fog, &[U(0x0b62), density, four[1], four[2], four[3]]);
            }
            10 => {
                self.words.op(Op::TexEnvCombine, &[U(0x8571), U(0x86ae)]);
                self.words.op(Op::TexEnvMode, &[U(0x8570)]).op(Op::TexEnvColor, &four);
            }
            11 => {
                let scale = if self.rng.bool() { F(4.0) } else { R(self.reg()) };
                let name = self.one_of(&TEX_ENV_SCALE);
                self.words.op(Op::TexEnvScale, &[name, scale]);
            }
            12 => {
                let coordinate = self.one_of(&TEX_COORDINATE);
                self.words.op(Op::TexGenMode, &[coordinate, U(0x2400)]);
            }
            _ => {
                let (coordinate, plane) = (self.one_of(&TEX_COORDINATE), self.one_of(&TEX_GEN_PLANE));
                self.words.op(Op::TexGenPlane, &[coordinate, plane, four[0], four[1], four[2], four[3]]);
            }
        }
    }

    /// State of geometry, and of where vertices come from.
    fn geometry_state(&mut self) {
        let four = [(); 4].map(|()| self.arg());
        match self.rng.u32(0..6) {
            0 => {
                let (face, mode) = (self.one_of(&FACE), self.one_of(&POLYGON_MODE));
                self.words.op(Op::PolygonMode, &[face, mode]);
            }
            1 => {
                self.words.op(Op::PolygonOffset, &[four[0], four[1]]);
            }
            2 => {
                self.words.op(Op::PointParameter, &[U(0x8129), four[0], four[1], four[2]]);
                let size = self.within(0.0, 8.0);
                self.words.op(Op::PointParameter, &[U(0x8126), size, four[1], four[2]]);
            }
            3 => {
                let plane = self.one_of(&CLIP_PLANE);
                self.words.op(Op::ClipPlane, &[plane, four[0], four[1], four[2], four[3]]);
            }
            4 => {
                let (target, mode) = (self.one_of(&HINT_TARGET), self.one_of(&HINT_MODE));
                self.words.op(Op::Hint, &[target, mode]);
            }
            _ => {
                let (array, buffer) = (self.one_of(&ARRAY), U(self.rng.u32(0..9)));
                self.words.op(Op::ArrayPointer, &[array, U(3), U(0x1406), U(12), buffer, U(0)]);
                self.words.op(Op::EnableArray, &[array, U(1)]);
            }
        }
    }

    fn primitive(&mut self, registers: bool) {
        let mode = self.one_of(&PRIMITIVE);
        self.words.op(Op::Begin, &[mode]);
        for _ in 0..self.rng.u32(0..10) {
            match self.rng.u32(0..8) {
                0 => self.attribute(),
                1 => self.material(),
                2 if registers => self.compute(),
                3 => {
                    let args = [(); 4].map(|()| self.arg());
                    self.words.op(Op::Vertex4, &args);
                }
                4 => {
                    let args = [(); 2].map(|()| self.arg());
                    self.words.op(Op::Vertex2, &args);
                }
                _ => {
                    let args = [(); 3].map(|()| self.arg());
                    self.words.op(Op::Vertex3, &args);
                }
            }
        }
        self.words.op(Op::End, &[]);
    }
}
