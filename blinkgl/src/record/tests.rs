#![allow(clippy::cast_possible_truncation, reason = "test")]

use super::*;
use crate::gl;
use crate::ops::{ENUM_SETS, Kind, OPS};
use crate::wire::decode;
use alloc::vec;

/// Gives each parameter of a recorded op a value, and remembers what word it must become.
pub(super) struct Samples {
    registers: bool,
    next: u32,
    expected: Vec<Arg>,
}

impl Samples {
    fn next(&mut self) -> u32 {
        self.next += 1;
        self.next
    }

    pub(super) fn reg(&mut self) -> Reg {
        let reg = Reg::new(self.next() % 32).unwrap();
        self.expected.push(Arg::Reg(reg));
        reg
    }

    pub(super) fn value<T: From<Reg> + From<C>, C: Copy>(&mut self, constant: fn(u32) -> (C, u32)) -> T {
        if self.registers {
            return T::from(self.reg());
        }
        let (value, bits) = constant(self.next());
        self.expected.push(Arg::Const(bits));
        T::from(value)
    }

    pub(super) fn constant<T>(&mut self, value: T, bits: u32) -> T {
        self.expected.push(Arg::Const(bits));
        value
    }
}

fn float(n: u32) -> (f32, u32) {
    let value = n as f32 + 0.25;
    (value, value.to_bits())
}

fn int(n: u32) -> (i32, u32) {
    (-n.cast_signed(), (-n.cast_signed()).cast_unsigned())
}

pub(super) fn float_sample(samples: &mut Samples) -> Float {
    samples.value(float)
}

pub(super) fn int_sample(samples: &mut Samples) -> Int {
    samples.value(int)
}

pub(super) fn raw_sample(samples: &mut Samples) -> Raw {
    samples.value(float)
}

macro_rules! sample {
    (dst $samples:ident) => {
        $samples.reg()
    };
    (float $samples:ident) => {
        super::tests::float_sample($samples)
    };
    (int $samples:ident) => {
        super::tests::int_sample($samples)
    };
    (raw $samples:ident) => {
        super::tests::raw_sample($samples)
    };
    (bool $samples:ident) => {
        $samples.constant(true, 1)
    };
    (texture $samples:ident) => {
        $samples.constant(7, 7)
    };
    (buffer $samples:ident) => {
        $samples.constant(5, 5)
    };
    (count $samples:ident) => {
        $samples.constant(11, 11)
    };
    (list $samples:ident) => {
        $samples.constant(9, 9)
    };
    (matrix $samples:ident) => {
        core::array::from_fn::<Float, 16, _>(|_| super::tests::float_sample($samples))
    };
    (($Type:ident) $samples:ident) => {{
        let value = *$Type::ALL.last().unwrap();
        $samples.constant(value, value.value())
    }};
}
pub(super) use sample;

#[test]
fn every_op_is_recorded_as_its_row_says() {
    let mut seen = vec![Op::Jmp, Op::JmpIf]; // Their operands are labels: tested below.
    for &(op, record) in calls::SAMPLES {
        seen.push(op);
        for registers in [false, true] {
            let mut p = Recorder::new();
            let mut samples = Samples { registers, next: 3, expected: vec![] };
            record(&mut p, &mut samples);
            let program = p.finish().unwrap();
            let words = program.untrusted_words();
            let instruction = decode(words, HEADER_WORDS).unwrap().unwrap();
            assert_eq!(instruction.op(), op);
            assert_eq!(HEADER_WORDS + instruction.words(), words.len(), "{op}");
            assert_eq!(words[2] as usize, words.len());
            assert_eq!(
                u32::from(instruction.mask) >> op.info().operands.len(),
                0,
                "{op}: bits beyond the operands"
            );
            assert_eq!(samples.expected.len(), op.info().operands.len(), "{op}");
            for (i, operand) in op.info().operands.iter().enumerate() {
                let arg = instruction.arg(i).unwrap();
                assert_eq!(arg, samples.expected[i], "{op}: {}", operand.name);
                let is_register = matches!(arg, Arg::Reg(_));
                match operand.kind {
                    Kind::Dst => assert!(is_register),
                    Kind::Float | Kind::Int | Kind::Raw => assert_eq!(is_register, registers),
                    Kind::Bool | Kind::Texture | Kind::Buffer | Kind::Count | Kind::List | Kind::Label => {
                        assert!(!is_register)
                    }
                    Kind::Enum(set) => assert!(set.contains(samples_bits(arg))),
                    Kind::Bits(set) => assert_eq!(samples_bits(arg) & !set.all_bits(), 0),
                }
            }
            // The general way gives the same words.
            let mut q = Recorder::new();
            q.instruction(op, &samples.expected);
            assert_eq!(q.finish().unwrap(), program);
        }
    }
    seen.sort();
    assert_eq!(seen, OPS.iter().map(|row| row.op).collect::<Vec<_>>(), "each op has one method");
}

fn samples_bits(arg: Arg) -> u32 {
    match arg {
        Arg::Const(bits) => bits,
        Arg::Reg(reg) => panic!("a constant, not register {reg:?}"),
    }
}

#[test]
fn types_and_sets_have_the_same_values() {
    macro_rules! check {
        ($($Type:ident $set:ident),* $(,)?) => {{
            let mut checked = vec![];
            $(
                let set = &crate::ops::$set;
                let values: Vec<u32> = gl::$Type::ALL.iter().map(|v| v.value()).collect();
                let expected: Vec<u32> = set.values.iter().map(|&(_, v)| v).collect();
                assert_eq!(values, expected, "{}", set.name);
                checked.push(set.name);
            )*
            assert_eq!(checked.len(), ENUM_SETS.len());
        }};
    }
    check!(
        Predicate PREDICATE, Primitive PRIMITIVE, Face FACE, MaterialParameter MATERIAL, MatrixMode MATRIX_MODE,
        Capability CAPABILITY, ShadeModel SHADE_MODEL, Winding WINDING, Comparison COMPARISON,
        BlendFactor BLEND_FACTOR, ClearMask CLEAR_MASK, Light LIGHT, LightParameter LIGHT_PARAMETER,
        LightModelParameter LIGHT_MODEL, ColorMaterialMode COLOR_MATERIAL, TexEnvMode TEX_ENV_MODE,
        TexParameter TEX_PARAMETER, TextureUnit TEXTURE_UNIT, TexEnvParameter TEX_ENV_PARAMETER,
        TexEnvValue TEX_ENV_VALUE, TexEnvScale TEX_ENV_SCALE, TexCoordinate TEX_COORDINATE,
        TexGenMode TEX_GEN_MODE, TexGenPlane TEX_GEN_PLANE, BlendEquation BLEND_EQUATION, LogicOp LOGIC_OP,
        StencilOp STENCIL_OP, PolygonMode POLYGON_MODE, PointParameter POINT_PARAMETER, ClipPlane CLIP_PLANE,
        FogMode FOG_MODE, FogParameter FOG_PARAMETER, AttribGroup ATTRIB_GROUP, HintTarget HINT_TARGET,
        HintMode HINT_MODE, Array ARRAY, ArrayData ARRAY_DATA, IndexData INDEX_DATA, TexValue TEX_VALUE,
        External EXTERNAL,
    );
    assert_eq!((gl::ClearMask::COLOR | gl::ClearMask::DEPTH).value(), 0x4100);
    assert_eq!(gl::Primitive::from_value(8), Some(gl::Primitive::QuadStrip));
    assert_eq!(gl::Primitive::from_value(10), None);
}

/// `(offset of the instruction, its target)` of each jump.
fn jumps(words: &[u32]) -> Vec<(usize, usize)> {
    let (mut offset, mut found) = (HEADER_WORDS, vec![]);
    while let Some(instruction) = decode(words, offset).unwrap() {
        if matches!(instruction.op(), Op::Jmp | Op::JmpIf) {
            found.push((offset, *instruction.args.last().unwrap() as usize));
        }
        offset += instruction.words();
    }
    found
}

#[test]
fn labels_are_filled_in_however_often_they_are_used() {
    let mut p = Recorder::new();
    let r = p.reg(5);
    let (middle, end, unused) = (p.label(), p.label(), p.label());
    p.jmp_if(gl::Predicate::Lt, r, 1.0, middle); // 4
    p.jmp(end); // 9
    p.jmp(middle); // 11
    p.bind(unused);
    p.jmp_if(gl::Predicate::Ne, 2.0, r, end); // 13
    p.bind(middle);
    p.request_frame(); // 18
    p.jmp(end); // 19
    p.bind(end); // 21
    let program = p.finish().unwrap();
    assert_eq!(jumps(program.untrusted_words()), [(4, 18), (9, 21), (11, 18), (13, 21), (19, 21)]);
    let jump = decode(program.untrusted_words(), 4).unwrap().unwrap();
    assert_eq!(
        (0..4).map(|i| jump.arg(i).unwrap()).collect::<Vec<_>>(),
        [Arg::Const(0), Arg::Reg(r), Arg::from(1.0), Arg::Const(18)]
    );
}

#[test]
fn the_first_mistake_is_reported() {
    fn error(record: impl FnOnce(&mut Recorder)) -> RecordError {
        let mut p = Recorder::new();
        p.request_frame();
        record(&mut p);
        p.finish().unwrap_err()
    }
    assert_eq!(
        error(|p| {
            let l = p.label();
            p.jmp(l);
            p.jmp(l);
        }),
        RecordError::LabelUnbound { label: 0, op_index: 2 }
    );
    assert_eq!(
        error(|p| {
            let (_, l) = (p.label(), p.label());
            p.bind(l);
            p.request_frame();
            p.jmp(l);
            p.bind(l);
        }),
        RecordError::BackwardJump { label: 1, op_index: 2, target: 1 }
    );
    assert_eq!(
        error(|p| {
            let l = p.label();
            p.bind(l);
            p.request_frame();
            p.bind(l);
            p.jmp(l);
        }),
        RecordError::LabelBoundTwice { label: 0, first: 1, second: 2 }
    );
    let foreign = Recorder::new().label();
    assert_eq!(error(|p| p.jmp(foreign)), RecordError::UnknownLabel { label: 0, op_index: 1 });
    assert_eq!(error(|p| p.bind(foreign)), RecordError::UnknownLabel { label: 0, op_index: 1 });
    assert_eq!(
        error(|p| {
            p.reg(32);
            p.reg(33);
        }),
        RecordError::NoSuchRegister { number: 32, op_index: 1 }
    );
    assert_eq!(
        error(|p| p.instruction(Op::Translate, &[Arg::from(1.0)])),
        RecordError::OperandCount { op_index: 1, op: Op::Translate, needed: 3, found: 1 }
    );
    let r = Reg::new(3).unwrap();
    assert_eq!(
        error(|p| p.instruction(Op::Begin, &[Arg::Reg(r)])),
        RecordError::OperandForm { op_index: 1, op: Op::Begin, operand: "mode", found: "a register" }
    );
    assert_eq!(
        error(|p| p.instruction(Op::Neg, &[Arg::Const(1), Arg::Reg(r)])),
        RecordError::OperandForm { op_index: 1, op: Op::Neg, operand: "d", found: "a constant" }
    );
}

#[test]
fn programs_end_at_their_limit() {
    let fill = |words: usize| {
        let mut p = Recorder::new();
        let l = p.label();
        p.jmp(l);
        while p.word_count() < words {
            p.request_frame();
        }
        (p, l)
    };
    let (mut p, l) = fill(MAX_PROGRAM_WORDS);
    p.bind(l);
    assert_eq!(p.finish().unwrap().untrusted_words().len(), MAX_PROGRAM_WORDS);

    let (mut p, l) = fill(MAX_PROGRAM_WORDS - 1);
    let op_index = p.op_count();
    p.jmp(l); // Has no room, so nothing may be filled in there.
    p.request_frame();
    p.bind(l);
    assert_eq!(p.finish().unwrap_err(), RecordError::TooLong { op_index, op: Op::Jmp });
}

#[test]
fn registers_are_given_out_once() {
    let mut p = Recorder::new();
    assert_eq!(p.reg(31).number(), 31);
    let all: Vec<u32> = (0..31).map(|_| p.alloc().number()).collect();
    assert_eq!(all, (0..31).rev().collect::<Vec<_>>());
    p.release(Reg::new(9).unwrap());
    assert_eq!(p.alloc().number(), 9);
    p.alloc();
    p.alloc();
    assert_eq!(p.finish().unwrap_err(), RecordError::NoRegisterLeft { op_index: 0 });
}

/// The constants of the program's only instruction of `op`.
fn constants(program: &WireProgram, op: Op) -> Vec<f32> {
    let mut offset = HEADER_WORDS;
    while let Some(instruction) = decode(program.untrusted_words(), offset).unwrap() {
        if instruction.op() == op {
            return instruction.args.iter().map(|&bits| f32::from_bits(bits)).collect();
        }
        offset += instruction.words();
    }
    panic!("no {op} in the program");
}

#[test]
fn glu_forms_give_the_matrices_of_glu() {
    let mut p = Recorder::new();
    p.perspective(90.0, 2.0, 1.0, 10.0);
    p.look_at([0.0, 0.0, 5.0], [5.0, 0.0, 5.0], [0.0, 3.0, 0.0]);
    p.color3ub(255, 0, 51);
    let program = p.finish().unwrap();
    let close = |found: &[f32], expected: &[f32]| {
        assert_eq!(found.len(), expected.len());
        assert!(
            found.iter().zip(expected).all(|(f, e)| (f - e).abs() < 1e-6),
            "{found:?} is not {expected:?}"
        );
    };
    close(&constants(&program, Op::Frustum), &[-2.0, 2.0, -1.0, 1.0, 1.0, 10.0]);
    // Looking along +x: what lies at +x must come to -z, what lies at +z to the right (+x).
    #[rustfmt::skip]
    close(&constants(&program, Op::MultMatrix), &[
        0.0, 0.0, -1.0, 0.0,
        0.0, 1.0, 0.0, 0.0,
        1.0, 0.0, 0.0, 0.0,
        0.0, 0.0, 0.0, 1.0,
    ]);
    close(&constants(&program, Op::Translate), &[0.0, 0.0, -5.0]);
    close(&constants(&program, Op::Color4), &[1.0, 0.0, 0.2, 1.0]);
}

#[test]
fn a_moment_is_recorded_high_word_first() {
    let mut p = Recorder::new();
    let r = p.alloc();
    p.time_since_ns(r, 0x0000_0012_3456_789a);
    let program = p.finish().unwrap();
    let instruction = decode(program.untrusted_words(), HEADER_WORDS).unwrap().unwrap();
    assert_eq!(instruction.args, [31, 0x12, 0x3456_789a]);
}
