//! Operands: values that the rules allow, some of them on the edge; and values just beyond it.
//!
//! What OpenGL refuses is said here a second time, independent of the verifier.

use super::Generator;
use blinkgl::limits::{MAX_APERTURE_BYTES, MAX_LISTS};
use blinkgl::ops::{AttributeOp, Class, DrawOp, Kind, OPS, Op, OpInfo, StateOp};
use std::sync::LazyLock;

/// Bits that arithmetic stumbles over.
pub const EDGES: &[u32] = &[
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
    0xcf00_0000,
    0x4eff_ffff,
];

/// Lists that programs define and call.
pub const LISTS: u32 = 6;

/// The greatest place in an aperture.
const MOST: u32 = MAX_APERTURE_BYTES as u32;

const SHININESS: u32 = 0x1601;
const SPOT_EXPONENT: u32 = 0x1205;
const SPOT_CUTOFF: u32 = 0x1206;
const DENSITY: u32 = 0x0b62;
const VERTEX: u32 = 0x8074;
const NORMAL: u32 = 0x8075;
const COLOR: u32 = 0x8076;

const TEX_FILTERS: [u32; 6] = [0x2600, 0x2601, 0x2700, 0x2701, 0x2702, 0x2703];
const TEX_WRAPS: [u32; 4] = [0x2900, 0x2901, 0x812f, 0x8370];
const FUNCTIONS: [u32; 6] = [0x1e01, 0x2100, 0x0104, 0x8574, 0x8575, 0x84e7];
const DOTS: [u32; 2] = [0x86ae, 0x86af];
const SOURCES: [u32; 6] = [0x1702, 0x84c0, 0x84c1, 0x8576, 0x8577, 0x8578];
const COLORS: [u32; 2] = [0x300, 0x301];
const ALPHAS: [u32; 2] = [0x302, 0x303];
const SCALES: [u32; 3] = [0x3f80_0000, 0x4000_0000, 0x4080_0000];
const SIGNED: [u32; 5] = [0x1400, 0x1402, 0x1404, 0x1406, 0x140a];
const WIDE: [u32; 4] = [0x1402, 0x1404, 0x1406, 0x140a];

/// What an operand's constant must be, beyond its kind.
pub enum Demand {
    /// Nothing.
    Any,
    /// A float in a range, or the other value.
    Range(f32, f32, f32),
    /// A float above 0.
    Positive,
    /// Finite, and different from the operand before if it is odd: sides of a volume. With `true` also above 0.
    Side(bool),
    /// An integer that is not negative.
    Size,
    /// A count or place up to a greatest.
    UpTo(u32),
    /// A count in a range.
    Count(u32, u32),
    /// One of these; of its set, what is none of these breaks rule 34. With `true` it breaks rule 33.
    OneOf(&'static [&'static [u32]], bool),
}

/// What operand `i` of an op must be, whose operands before it are `args`.
pub fn demand(op: Op, i: usize, args: &[u32]) -> Demand {
    use Demand::{Any, Range, UpTo};
    match op.class() {
        Class::State(op) => of_state(op, i, args),
        Class::Attribute(op) => match op {
            AttributeOp::Material if i == 2 && args[1] == SHININESS => Range(0.0, 128.0, 0.0),
            AttributeOp::Material
            | AttributeOp::Normal3
            | AttributeOp::Color4
            | AttributeOp::TexCoord2
            | AttributeOp::TexCoord4
            | AttributeOp::MultiTexCoord4 => Any,
        },
        Class::Draw(op) => match (op, i) {
            (DrawOp::DrawArrays, 1) | (DrawOp::DrawElements, 4) => UpTo(MOST),
            (DrawOp::DrawArrays | DrawOp::DrawElements | DrawOp::Clear, _) => Any,
        },
        Class::Compute(_)
        | Class::Read(_)
        | Class::Signal(_)
        | Class::Jump(_)
        | Class::Vertex(_)
        | Class::Begin(_)
        | Class::End(_)
        | Class::ListDefinition(_)
        | Class::ListCall(_) => Any,
    }
}

fn of_state(op: StateOp, i: usize, args: &[u32]) -> Demand {
    use Demand::{Any, Count, OneOf, Positive, Range, Side, Size, UpTo};
    use StateOp::*;
    let name = args.first().copied().unwrap_or_default();
    match (op, i) {
        (Frustum, 4..) => Side(true),
        (Frustum | Ortho, _) => Side(false),
        (Scissor | Viewport, 2..) => Size,
        (PointSize | LineWidth, _) => Positive,
        (Light, 2) => match args[1] {
            SPOT_EXPONENT => Range(0.0, 128.0, 0.0),
            SPOT_CUTOFF => Range(0.0, 90.0, 180.0),
            0x1207..=0x1209 => Range(0.0, f32::INFINITY, 0.0),
            _ => Any,
        },
        (PointParameter, 1) if name != 0x8129 => Range(0.0, f32::INFINITY, 0.0),
        (Fog, 1) if name == DENSITY => Range(0.0, f32::INFINITY, 0.0),
        (TexEnvScale, 1) => OneOf(&[&SCALES], true),
        (ArrayPointer, 1) => match name {
            VERTEX => Count(2, 4),
            NORMAL => Count(3, 3),
            COLOR => Count(3, 4),
            _ => Count(1, 4),
        },
        (ArrayPointer, 2) => match name {
            COLOR => Any,
            NORMAL => OneOf(&[&SIGNED], false),
            _ => OneOf(&[&WIDE], false),
        },
        (ArrayPointer, 3 | 5) => UpTo(MOST),
        (TexParameter, 1) => match name {
            0x2800 => OneOf(&[&[0x2600, 0x2601]], false),
            0x2801 => OneOf(&[&TEX_FILTERS], false),
            _ => OneOf(&[&TEX_WRAPS], false),
        },
        (TexEnvCombine, 1) => match name {
            0x8571 => OneOf(&[&FUNCTIONS, &DOTS], false),
            0x8572 => OneOf(&[&FUNCTIONS], false),
            0x8580..=0x8582 | 0x8588..=0x858a => OneOf(&[&SOURCES], false),
            0x8590..=0x8592 => OneOf(&[&COLORS, &ALPHAS], false),
            _ => OneOf(&[&ALPHAS], false),
        },
        (TexGenMode, 1) => match name {
            0x2000 | 0x2001 => Any,
            _ => OneOf(&[&[0x2400, 0x2401]], false),
        },
        // Other operands of these, and ops that take any.
        (
            Scissor | Viewport | Light | PointParameter | Fog | TexEnvScale | ArrayPointer | TexParameter
            | TexEnvCombine | TexGenMode,
            _,
        )
        | (
            MatrixMode | LoadIdentity | LoadMatrix | MultMatrix | PushMatrix | PopMatrix | Translate | Rotate
            | Scale | Enable | Disable | ShadeModel | CullFace | FrontFace | DepthFunc | DepthMask
            | DepthRange | ColorMask | BlendFunc | ClearColor | ClearDepth | BlendFuncSeparate
            | BlendEquation | BlendColor | LogicOp | AlphaFunc | StencilFunc | StencilOp | StencilMask
            | ClearStencil | PolygonMode | PolygonOffset | ClipPlane | FogMode | LightModel | ColorMaterial
            | PushAttrib | PopAttrib | Hint | BindTexture | TexEnvMode | TexEnvColor | ActiveTexture
            | TexGenPlane | EnableArray,
            _,
        ) => Any,
    }
}

/// Ops with a demand on an operand, for some values of the operands before it.
pub static DEMANDING: LazyLock<Vec<Op>> = LazyLock::new(|| {
    let is_demanding = |row: &&OpInfo| {
        let values = |i: usize| match row.operands.get(i).map(|operand| operand.kind) {
            Some(Kind::Enum(set)) => set.values.iter().map(|&(_, value)| value).collect(),
            _ => vec![0],
        };
        let (first, second) = (values(0), values(1));
        let is_free = |i| {
            let mut pairs = first.iter().flat_map(|&a| second.iter().map(move |&b| [a, b]));
            pairs.all(|args| matches!(demand(row.op, i, &args), Demand::Any))
        };
        !(0..row.operands.len()).all(is_free)
    };
    OPS.iter().filter(is_demanding).map(|row| row.op).collect()
});

impl Generator {
    /// 32 bits for a register's value or a constant.
    pub fn value(&mut self) -> u32 {
        match self.rng.u32(0..5) {
            0 => EDGES[self.rng.usize(..EDGES.len())],
            1 => self.rng.u32(..),
            // Often enough that two of them are compared: both zeros, and both ones.
            2 => self.pick(&EDGES[..4]),
            _ => (self.rng.f32() * 8.0 - 4.0).to_bits(),
        }
    }

    pub(super) fn pick<T: Copy>(&mut self, of: &[T]) -> T {
        of[self.rng.usize(..of.len())]
    }

    /// The number of a register; rarely the last one.
    pub(super) fn register(&mut self) -> u32 {
        if self.rng.u8(..64) == 0 { 31 } else { self.rng.u32(0..self.registers) }
    }

    /// One in `n`.
    pub(super) fn chance(&mut self, n: u32) -> bool {
        self.rng.u32(0..n) == 0
    }

    /// Appends an instruction that is good wherever its op may stand. A jump's target is 0.
    pub fn instruction(&mut self, op: Op) {
        self.instruction_with(op.info(), &[]);
    }

    /// The same, of which some operands are given.
    pub fn instruction_with(&mut self, info: &'static OpInfo, given: &[u32]) {
        let head = self.words.len();
        self.words.push(0);
        let mut mask = 0u32;
        for (i, operand) in info.operands.iter().enumerate() {
            let word = if let Some(&word) = given.get(i) {
                word
            } else if operand.kind == Kind::Dst
                || operand.kind.takes_register() && self.rng.u32(0..10) < self.share
            {
                mask |= 1 << i;
                self.register()
            } else {
                let demand = demand(info.op, i, &self.words[head + 1..]);
                self.constant(info.op, i, operand.kind, demand)
            };
            self.words.push(word);
        }
        // As the format says, not by what is under test.
        self.words[head] = u32::from(info.op.code()) | mask << 16;
    }

    fn constant(&mut self, op: Op, i: usize, kind: Kind, demand: Demand) -> u32 {
        let edge = self.chance(4);
        match demand {
            Demand::Any => self.any(op, i, kind),
            Demand::Range(low, high, other) => {
                if edge {
                    self.pick(&[low, high, other, -low, f32::MIN_POSITIVE]).to_bits()
                } else {
                    (low + self.rng.f32() * (high.min(1000.0) - low)).to_bits()
                }
            }
            Demand::Positive if edge => self.pick(&[1, 0x7f80_0000, 0x7f7f_ffff]),
            Demand::Positive => (0.01 + self.rng.f32() * 9.0).to_bits(),
            Demand::Side(positive) => {
                // Apart by which side it is: the pairs differ.
                let odd = if i % 2 == 1 { 4.0 } else { 0.0 };
                if edge && i % 2 == 1 {
                    f32::MAX.to_bits()
                } else if edge && positive {
                    1
                } else {
                    (0.25 + odd + self.rng.f32()).to_bits()
                }
            }
            Demand::Size if edge => self.pick(&[0, i32::MAX.cast_unsigned()]),
            Demand::Size => self.rng.u32(0..500),
            Demand::UpTo(most) if edge => self.pick(&[0, most]),
            Demand::UpTo(_) => self.rng.u32(0..100),
            Demand::Count(low, high) => self.rng.u32(low..=high),
            Demand::OneOf(sets, _) => {
                let set = self.pick(sets);
                self.pick(set)
            }
        }
    }

    fn any(&mut self, op: Op, i: usize, kind: Kind) -> u32 {
        match kind {
            Kind::Dst | Kind::Label => 0,
            Kind::Float | Kind::Raw => self.value(),
            Kind::Int if self.chance(4) => self.rng.u32(..),
            Kind::Int => self.rng.u32(0..400),
            Kind::Enum(set) => set.values[self.rng.usize(..set.values.len())].1,
            // Groups of state are told apart one by one, so all and none must not be rare.
            Kind::Bits(set) => {
                self.rng.u32(..) & set.all_bits() & if self.rng.bool() { u32::MAX } else { self.rng.u32(..) }
            }
            Kind::Bool => self.rng.u32(0..2),
            Kind::Texture | Kind::Buffer => self.rng.u32(0..5),
            Kind::Count if matches!((op, i), (Op::DrawArrays, 2) | (Op::DrawElements, 1)) => {
                self.rng.u32(0..14)
            }
            Kind::Count => self.rng.u32(0..100),
            Kind::List if self.chance(16) => self.pick(&[1, MAX_LISTS]),
            Kind::List => self.rng.u32(1..=LISTS),
        }
    }

    /// A constant for operand `i` that breaks rule 33 or 34 (`range` or not), if there is one.
    pub(super) fn beyond(&mut self, info: &OpInfo, i: usize, args: &[u32], range: bool) -> Option<u32> {
        let operand = info.operands.get(i)?;
        match demand(info.op, i, args) {
            Demand::Range(low, high, other) if range => {
                let bad = [low - 1.0, -f32::MIN_POSITIVE, f32::NAN, high.next_up(), other.next_up()];
                let bad: Vec<f32> =
                    bad.into_iter().filter(|v| !(low..=high).contains(v) && *v != other).collect();
                Some(self.pick(&bad).to_bits())
            }
            Demand::Positive if range => {
                Some(self.pick(&[0, 0x8000_0000, 0x8000_0001, 0x7fc0_0000, 0xff80_0000]))
            }
            Demand::Side(positive) if range => {
                let zero = if positive { 0 } else { 0x7f80_0000 };
                let same = if i % 2 == 1 { args[i - 1] } else { 0x7fc0_0000 };
                Some(self.pick(&[0x7f80_0000, 0x7fc0_0000, zero, same]))
            }
            Demand::Size if range => Some(self.pick(&[u32::MAX, 1 << 31])),
            Demand::UpTo(most) if range => Some(self.pick(&[most + 1, u32::MAX])),
            Demand::Count(low, high) if range => Some(self.pick(&[low - 1, high + 1, u32::MAX])),
            Demand::OneOf(sets, range_rule) if range_rule == range => match operand.kind {
                Kind::Enum(set) => {
                    let all: Vec<u32> = set.values.iter().map(|v| v.1).collect();
                    let good = |v: &u32| sets.iter().any(|set| set.contains(v));
                    let bad: Vec<u32> = all.into_iter().filter(|v| !good(v)).collect();
                    (!bad.is_empty()).then(|| self.pick(&bad))
                }
                _ => Some(self.pick(&[0, 0x4040_0000, 0x4080_0001, 0x7fc0_0000])),
            },
            // Of coordinates that no sphere map has all modes but that one are good.
            _ => None,
        }
    }
}
