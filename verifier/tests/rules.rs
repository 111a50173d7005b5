//! For each rule, programs that keep it and programs that break it and nothing else.
#![allow(clippy::cast_possible_truncation, reason = "test")]
mod build;

use blinkgl::limits::{MAX_LISTS, MAX_PROGRAM_WORDS};
use blinkgl::ops::{Callback, Op};
use blinkgl::wire::{VERSION_MAJOR, WireProgram};
use build::{F, I, R, U, op, program, verify};
use verifier::{Budget, Resource, Rule};

use Callback::{Init, Input, Redraw, Reshape, Update};

const MODELVIEW: u32 = 0x1700;
const PROJECTION: u32 = 0x1701;
const TEXTURE: u32 = 0x1702;
const TRIANGLES: u32 = 4;

/// A program that must be refused: the rule is the one it is listed under.
struct Bad {
    callback: Callback,
    words: Vec<u32>,
    /// (op index, op, operand) that the error must name.
    at: (u32, Option<Op>, Option<u32>),
}

#[derive(Default)]
struct Cases {
    good: Vec<(Callback, Vec<u32>)>,
    bad: Vec<Bad>,
}

impl Cases {
    fn good(mut self, callback: Callback, instructions: &[Vec<u32>]) -> Cases {
        self.good.push((callback, program(instructions)));
        self
    }

    fn bad(
        self,
        callback: Callback,
        instructions: &[Vec<u32>],
        index: u32,
        op: Op,
        operand: impl Into<Option<u32>>,
    ) -> Cases {
        self.bad_words(callback, program(instructions), (index, Some(op), operand.into()))
    }

    fn bad_words(mut self, callback: Callback, words: Vec<u32>, at: (u32, Option<Op>, Option<u32>)) -> Cases {
        self.bad.push(Bad { callback, words, at });
        self
    }

    /// A fault in the header of an empty program.
    fn bad_header(self, word: usize, value: u32) -> Cases {
        let mut words = program(&[]);
        words[word] = value;
        self.bad_words(Redraw, words, (0, None, None))
    }

    /// A fault of the program's end, after `index` instructions.
    fn bad_end(self, callback: Callback, instructions: &[Vec<u32>]) -> Cases {
        let at = (instructions.len() as u32, None, None);
        self.bad_words(callback, program(instructions), at)
    }
}

fn begin() -> Vec<u32> {
    op(Op::Begin, &[U(TRIANGLES)])
}
fn end() -> Vec<u32> {
    op(Op::End, &[])
}
fn vertex() -> Vec<u32> {
    op(Op::Vertex3, &[F(1.0), R(3), F(0.0)])
}
fn identity() -> Vec<u32> {
    op(Op::LoadIdentity, &[])
}
fn push() -> Vec<u32> {
    op(Op::PushMatrix, &[])
}
fn pop() -> Vec<u32> {
    op(Op::PopMatrix, &[])
}
fn mode(mode: u32) -> Vec<u32> {
    op(Op::MatrixMode, &[U(mode)])
}
fn new_list(name: u32) -> Vec<u32> {
    op(Op::NewList, &[U(name)])
}
fn end_list() -> Vec<u32> {
    op(Op::EndList, &[])
}
fn call(name: u32) -> Vec<u32> {
    op(Op::CallList, &[U(name)])
}
/// Two words.
fn jmp(target: u32) -> Vec<u32> {
    op(Op::Jmp, &[U(target)])
}
/// Five words.
fn jmp_if(target: u32) -> Vec<u32> {
    op(Op::JmpIf, &[U(0), R(1), F(0.5), U(target)])
}
fn clear(mask: u32) -> Vec<u32> {
    op(Op::Clear, &[U(mask)])
}
fn add(d: u32, a: build::A, b: build::A) -> Vec<u32> {
    op(Op::Add, &[R(d), a, b])
}
fn six(op_: Op, values: [f32; 6]) -> Vec<u32> {
    op(op_, &values.map(F))
}

#[allow(clippy::too_many_lines, reason = "one arm for each rule")]
fn cases(rule: Rule) -> Cases {
    let c = Cases::default();
    match rule {
        Rule::V01 => c.good(Redraw, &[]).bad_header(0, 0x4247_4c31).bad_header(0, 0),
        Rule::V02 => {
            let major = u32::from(VERSION_MAJOR);
            c.good(Redraw, &[])
                .bad_header(1, (major + 1) << 16)
                .bad_header(1, major << 16 | 1)
                .bad_header(1, 0)
        }
        Rule::V03 => {
            let mut long = program(&[]);
            long.resize(MAX_PROGRAM_WORDS + 1, identity()[0]);
            long[2] = long.len() as u32;
            let mut longest = long[..MAX_PROGRAM_WORDS].to_vec();
            longest[2] = longest.len() as u32;
            let mut c = c.bad_header(2, 3).bad_header(2, 5).bad_words(Redraw, vec![], (0, None, None));
            c = c.bad_words(Redraw, program(&[])[..3].to_vec(), (0, None, None));
            c = c.bad_words(Redraw, long, (0, None, None));
            c.good.push((Redraw, longest));
            c
        }
        Rule::V04 => c.good(Redraw, &[]).bad_header(3, 1),
        Rule::V05 => {
            let at = |index| (index, None, None);
            c.good(Redraw, &[identity()])
                .bad_words(Redraw, program(&[vec![0]]), at(0))
                .bad_words(Redraw, program(&[identity(), vec![0xffff]]), at(1))
                .bad_words(Redraw, program(&[vec![0x1a3]]), at(0))
        }
        Rule::V06 => c
            .good(Redraw, &[op(Op::Scale, &[F(1.0), F(1.0), F(1.0)])])
            .bad(Redraw, &[op(Op::Scale, &[F(1.0), F(1.0)])], 0, Op::Scale, None)
            .bad(Redraw, &[identity(), op(Op::Mov, &[])], 1, Op::Mov, None),
        Rule::V07 => {
            let extra = |word: u32, bit: u32| vec![word | 1 << (16 + bit)];
            let translate = op(Op::Translate, &[R(0), R(1), R(31)]);
            let mut wrong = translate.clone();
            wrong[0] |= 1 << (16 + 3);
            c.good(Redraw, &[translate])
                .bad(Redraw, &[extra(identity()[0], 0)], 0, Op::LoadIdentity, None)
                .bad(Redraw, &[extra(identity()[0], 15)], 0, Op::LoadIdentity, None)
                .bad(Redraw, &[wrong], 0, Op::Translate, None)
        }
        Rule::V08 => c
            .good(Redraw, &[add(31, R(31), R(0))])
            .bad(Redraw, &[add(32, R(0), R(0))], 0, Op::Add, 0)
            .bad(Redraw, &[add(0, F(0.0), R(32))], 0, Op::Add, 2)
            .bad(Redraw, &[op(Op::Translate, &[R(0), R(u32::MAX), F(0.0)])], 0, Op::Translate, 1),
        Rule::V09 => c
            .good(Redraw, &[op(Op::Mov, &[R(1), U(5)])])
            .bad(Redraw, &[op(Op::Mov, &[U(1), U(5)])], 0, Op::Mov, 0)
            .bad(Input, &[op(Op::Read, &[F(1.0), U(0)])], 0, Op::Read, 0),
        Rule::V10 => c
            .good(Redraw, &[op(Op::Enable, &[U(0x0b71)])])
            .bad(Redraw, &[op(Op::Enable, &[R(1)])], 0, Op::Enable, 0)
            .bad(Redraw, &[op(Op::Jmp, &[R(6)])], 0, Op::Jmp, 0)
            .bad(Redraw, &[op(Op::Cmp, &[R(0), R(1), R(2), R(3)])], 0, Op::Cmp, 1)
            .bad(Redraw, &[op(Op::BindTexture, &[R(0)])], 0, Op::BindTexture, 0)
            .bad(Redraw, &[op(Op::DepthMask, &[R(0)])], 0, Op::DepthMask, 0)
            .bad(Redraw, &[op(Op::Clear, &[R(0)])], 0, Op::Clear, 0)
            .bad(Redraw, &[op(Op::CallList, &[R(0)])], 0, Op::CallList, 0),
        Rule::V11 => c
            .good(
                Redraw,
                &[op(Op::Enable, &[U(0x803a)]), clear(0x4100), clear(0), op(Op::DepthMask, &[U(1)])],
            )
            .good(Redraw, &[op(Op::BlendFunc, &[U(0x302), U(1)])])
            .bad(Redraw, &[op(Op::Enable, &[U(0x0b90)])], 0, Op::Enable, 0)
            .bad(Redraw, &[op(Op::Enable, &[U(0x4008)])], 0, Op::Enable, 0)
            .bad(Redraw, &[op(Op::BlendFunc, &[U(1), U(2)])], 0, Op::BlendFunc, 1)
            .bad(Redraw, &[clear(0x400)], 0, Op::Clear, 0)
            .bad(Redraw, &[op(Op::ColorMask, &[U(1), U(1), U(1), U(2)])], 0, Op::ColorMask, 3)
            .bad(Redraw, &[op(Op::Begin, &[U(10)]), end()], 0, Op::Begin, 0)
            .bad(Redraw, &[op(Op::Read, &[R(0), U(16)])], 0, Op::Read, 1)
            .bad(Redraw, &[op(Op::JmpIf, &[U(6), F(0.0), F(0.0), U(9)])], 0, Op::JmpIf, 0),
        Rule::V12 => c
            .good(Redraw, &[call(1), call(MAX_LISTS)])
            .bad(Redraw, &[call(0)], 0, Op::CallList, 0)
            .bad(Redraw, &[call(MAX_LISTS + 1)], 0, Op::CallList, 0)
            .bad(Init, &[new_list(0), end_list()], 0, Op::NewList, 0),
        Rule::V13 => c
            .good(Redraw, &[jmp(6), identity()])
            .bad(Redraw, &[jmp(4)], 0, Op::Jmp, 0)
            .bad(Redraw, &[jmp(5)], 0, Op::Jmp, 0)
            .bad(Redraw, &[jmp(0)], 0, Op::Jmp, 0)
            .bad(Redraw, &[identity(), identity(), jmp_if(5)], 2, Op::JmpIf, 3),
        Rule::V14 => c
            .good(Redraw, &[jmp(7), identity()])
            .bad(Redraw, &[jmp(8), identity()], 0, Op::Jmp, 0)
            .bad(Redraw, &[jmp_if(u32::MAX)], 0, Op::JmpIf, 3),
        Rule::V15 => c
            .good(Redraw, &[jmp(10), add(0, F(1.0), F(1.0)), identity()])
            .bad(Redraw, &[jmp(7), add(0, F(1.0), F(1.0)), identity()], 0, Op::Jmp, 0)
            .bad(Redraw, &[jmp(9), add(0, F(1.0), F(1.0)), identity()], 0, Op::Jmp, 0)
            .bad(Redraw, &[identity(), jmp_if(13), add(0, F(1.0), F(1.0))], 1, Op::JmpIf, 3),
        Rule::V16 => c
            .good(Redraw, &[jmp_if(16), begin(), vertex(), end(), identity()])
            .good(Redraw, &[jmp_if(9), begin(), vertex(), end()])
            .bad(Redraw, &[jmp_if(11), begin(), vertex(), end(), identity()], 0, Op::JmpIf, 3)
            .bad(Redraw, &[jmp_if(15), begin(), vertex(), end(), identity()], 0, Op::JmpIf, 3),
        Rule::V17 => c
            .good(Init, &[jmp_if(13), new_list(1), identity(), end_list(), identity()])
            .bad(Init, &[jmp_if(11), new_list(1), identity(), end_list()], 0, Op::JmpIf, 3)
            .bad(Init, &[jmp_if(12), new_list(1), identity(), end_list()], 0, Op::JmpIf, 3),
        Rule::V18 => c
            .good(
                Redraw,
                &[begin(), add(0, R(0), F(1.0)), op(Op::TexCoord2, &[F(0.0), R(0)]), vertex(), end()],
            )
            .good(
                Redraw,
                &[begin(), op(Op::Material, &[U(0x404), U(0x1200), F(0.), F(0.), F(0.), F(1.)]), end()],
            )
            .bad(Redraw, &[begin(), identity(), end()], 1, Op::LoadIdentity, None)
            .bad(Redraw, &[begin(), jmp(9), end()], 1, Op::Jmp, None)
            .bad(Redraw, &[begin(), clear(0x4000), end()], 1, Op::Clear, None)
            .bad(Redraw, &[begin(), call(1), end()], 1, Op::CallList, None)
            .bad(Redraw, &[begin(), op(Op::RequestFrame, &[]), end()], 1, Op::RequestFrame, None)
            .bad(Init, &[new_list(1), begin(), push(), end(), end_list()], 2, Op::PushMatrix, None),
        Rule::V19 => c
            .good(Redraw, &[begin(), vertex(), end()])
            .bad(Redraw, &[vertex()], 0, Op::Vertex3, None)
            .bad(Redraw, &[end()], 0, Op::End, None)
            .bad(Redraw, &[begin(), end(), end()], 2, Op::End, None)
            .bad(Init, &[new_list(1), vertex(), end_list()], 1, Op::Vertex3, None),
        Rule::V20 => c
            .good(Redraw, &[begin(), end(), begin(), end()])
            .bad(Redraw, &[begin(), begin(), end(), end()], 1, Op::Begin, None)
            .bad(Init, &[new_list(1), begin(), vertex(), begin(), end(), end_list()], 3, Op::Begin, None),
        Rule::V21 => c
            .good(Init, &[new_list(1), begin(), end(), end_list()])
            .bad_end(Redraw, &[begin(), vertex()])
            // The jump to the end does not hide it.
            .bad_end(Redraw, &[jmp_if(11), begin()])
            .bad(Init, &[new_list(1), begin(), end_list()], 2, Op::EndList, None),
        Rule::V22 => c
            .good(
                Init,
                &[new_list(1), begin(), vertex(), end(), clear(0x4000), call(2), end_list(), identity()],
            )
            .good(Update, &[new_list(1), end_list()])
            .good(Reshape, &[op(Op::Viewport, &[I(0), I(0), R(5), R(6)])])
            .good(Input, &[add(0, R(0), F(1.0)), op(Op::RequestFrame, &[]), op(Op::Notify, &[R(0)])])
            .bad(Init, &[begin(), end()], 0, Op::Begin, None)
            .bad(Update, &[clear(0x4000)], 0, Op::Clear, None)
            .bad(Reshape, &[call(1)], 0, Op::CallList, None)
            .bad(Update, &[vertex()], 0, Op::Vertex3, None)
            .bad(Init, &[new_list(1), end_list(), clear(0x4000)], 2, Op::Clear, None)
            .bad(Redraw, &[new_list(1), end_list()], 0, Op::NewList, None)
            .bad(Redraw, &[end_list()], 0, Op::EndList, None)
            .bad(Input, &[identity()], 0, Op::LoadIdentity, None)
            .bad(Input, &[op(Op::Color4, &[F(0.), F(0.), F(0.), F(0.)])], 0, Op::Color4, None),
        Rule::V23 => c
            .good(Init, &[new_list(1), push(), op(Op::Translate, &[R(1), R(2), F(0.)]), pop(), end_list()])
            .bad(Init, &[new_list(1), add(0, R(0), R(0)), end_list()], 1, Op::Add, None)
            .bad(Init, &[new_list(1), op(Op::Read, &[R(0), U(0)]), end_list()], 1, Op::Read, None)
            .bad(Init, &[new_list(1), jmp(8), end_list()], 1, Op::Jmp, None)
            .bad(Init, &[new_list(1), op(Op::Notify, &[U(0)]), end_list()], 1, Op::Notify, None)
            .bad(Init, &[new_list(1), begin(), add(0, R(0), R(0)), end(), end_list()], 2, Op::Add, None),
        Rule::V24 => c
            .good(Init, &[new_list(1), end_list(), new_list(2), end_list(), new_list(1), end_list()])
            .bad(Init, &[new_list(1), new_list(2), end_list(), end_list()], 1, Op::NewList, None),
        Rule::V25 => c
            .good(Init, &[new_list(1), end_list()])
            .bad(Init, &[end_list()], 0, Op::EndList, None)
            .bad(Init, &[new_list(1), end_list(), end_list()], 2, Op::EndList, None),
        Rule::V26 => c
            .good(Init, &[new_list(1), end_list()])
            .bad_end(Init, &[new_list(1)])
            .bad_end(Init, &[new_list(1), end_list(), jmp_if(15), new_list(2), identity()]),
        Rule::V27 => {
            let nest = |m: u32, depth: usize| {
                let mut all = vec![mode(m)];
                all.extend(std::iter::repeat_n(push(), depth));
                all.extend(std::iter::repeat_n(pop(), depth));
                all
            };
            c.good(Redraw, &nest(MODELVIEW, 31))
                .good(Redraw, &nest(PROJECTION, 3))
                .good(Redraw, &nest(TEXTURE, 3))
                .bad(Redraw, &nest(MODELVIEW, 32), 32, Op::PushMatrix, None)
                .bad(Init, &nest(PROJECTION, 4), 4, Op::PushMatrix, None)
                .bad(Redraw, &nest(TEXTURE, 4), 4, Op::PushMatrix, None)
        }
        Rule::V28 => c
            .good(Redraw, &[push(), pop()])
            .bad(Redraw, &[pop(), push()], 0, Op::PopMatrix, None)
            .bad(Redraw, &[push(), mode(PROJECTION), pop(), mode(MODELVIEW), pop()], 2, Op::PopMatrix, None)
            // What the program pushed is not the list's.
            .bad(Init, &[push(), new_list(1), pop(), push(), end_list(), pop()], 2, Op::PopMatrix, None),
        Rule::V29 => c
            .good(Init, &[push(), new_list(1), push(), pop(), end_list(), pop()])
            .bad_end(Redraw, &[push()])
            .bad_end(Redraw, &[mode(TEXTURE), push()])
            .bad(Init, &[new_list(1), push(), end_list()], 2, Op::EndList, None),
        Rule::V30 => c
            .good(Redraw, &[jmp_if(11), push(), pop(), identity()])
            .good(Redraw, &[jmp_if(12), push(), jmp(13), push(), pop()])
            // A jump that no path reaches brings nothing to its target.
            .good(Redraw, &[jmp(9), push(), jmp(9), identity()])
            .bad(Redraw, &[jmp_if(10), push(), pop()], 0, Op::JmpIf, 3)
            .bad(Redraw, &[push(), jmp_if(13), pop(), jmp(14), identity(), identity(), pop()], 3, Op::Jmp, 0)
            .bad(Redraw, &[jmp_if(12), push(), jmp(13), identity(), identity()], 2, Op::Jmp, 0),
        Rule::V31 => c
            .good(Redraw, &[jmp_if(11), mode(PROJECTION), identity(), mode(MODELVIEW), push(), pop()])
            .good(Redraw, &[jmp_if(13), mode(PROJECTION), mode(MODELVIEW), push(), pop()])
            .bad(Redraw, &[jmp_if(11), mode(PROJECTION), push(), pop()], 2, Op::PushMatrix, None)
            .bad(Redraw, &[push(), jmp_if(12), mode(PROJECTION), pop()], 3, Op::PopMatrix, None),
        Rule::V32 => c
            .good(Redraw, &[mode(PROJECTION), identity(), mode(MODELVIEW), call(1)])
            .good(
                Init,
                &[mode(PROJECTION), new_list(1), mode(TEXTURE), identity(), mode(MODELVIEW), end_list()],
            )
            // The mode of the program is back after the list.
            .good(Init, &[mode(PROJECTION), push(), new_list(1), end_list(), pop()])
            .bad(Redraw, &[mode(PROJECTION), call(1)], 1, Op::CallList, None)
            .bad(Redraw, &[jmp_if(11), mode(PROJECTION), call(1)], 2, Op::CallList, None)
            .bad(Init, &[new_list(1), mode(TEXTURE), end_list()], 2, Op::EndList, None)
            .bad(
                Init,
                &[new_list(1), mode(TEXTURE), call(2), mode(MODELVIEW), end_list()],
                2,
                Op::CallList,
                None,
            ),
        Rule::V33 => c
            .good(Redraw, &[op(Op::Scissor, &[I(-5), I(-5), I(0), I(9)])])
            .good(Redraw, &[op(Op::Viewport, &[R(0), R(1), R(2), R(3)])])
            .good(Redraw, &[six(Op::Ortho, [0.0, 1.0, 1.0, 0.0, -1.0, 1.0])])
            .good(Redraw, &[six(Op::Frustum, [-1.0, 1.0, -1.0, 1.0, 5.0, 60.0])])
            .good(Redraw, &[op(Op::Frustum, &[R(0), R(0), F(-1.0), F(1.0), F(5.0), R(0)])])
            .good(
                Redraw,
                &[light(0x1206, 180.0), light(0x1206, 90.0), light(0x1205, 128.0), light(0x1203, -1.0)],
            )
            .good(Redraw, &[shininess(0x1601, 128.0), shininess(0x1200, 500.0)])
            .bad(Redraw, &[op(Op::Scissor, &[I(0), I(0), I(-1), I(9)])], 0, Op::Scissor, 2)
            .bad(Redraw, &[op(Op::Viewport, &[I(0), I(0), R(1), I(i32::MIN)])], 0, Op::Viewport, 3)
            .bad(Redraw, &[six(Op::Ortho, [1.0, 1.0, 1.0, 0.0, -1.0, 1.0])], 0, Op::Ortho, 1)
            .bad(Redraw, &[six(Op::Ortho, [0.0, 1.0, 0.0, -0.0, -1.0, 1.0])], 0, Op::Ortho, 3)
            .bad(Redraw, &[six(Op::Ortho, [0.0, 1.0, f32::NAN, 0.0, -1.0, 1.0])], 0, Op::Ortho, 2)
            .bad(Redraw, &[six(Op::Frustum, [-1.0, 1.0, -1.0, 1.0, 0.0, 60.0])], 0, Op::Frustum, 4)
            .bad(Redraw, &[six(Op::Frustum, [-1.0, 1.0, -1.0, 1.0, 1.0, -1.0])], 0, Op::Frustum, 5)
            .bad(Redraw, &[six(Op::Frustum, [-1.0, 1.0, -1.0, 1.0, 1.0, f32::INFINITY])], 0, Op::Frustum, 5)
            .bad(Redraw, &[six(Op::Frustum, [-1.0, 1.0, -1.0, 1.0, 5.0, 5.0])], 0, Op::Frustum, 5)
            .bad(Redraw, &[op(Op::PointSize, &[F(0.0)])], 0, Op::PointSize, 0)
            .bad(Redraw, &[op(Op::LineWidth, &[F(f32::NAN)])], 0, Op::LineWidth, 0)
            .bad(Redraw, &[light(0x1206, 91.0)], 0, Op::Light, 2)
            .bad(Redraw, &[light(0x1205, -1.0)], 0, Op::Light, 2)
            .bad(Redraw, &[light(0x1209, -0.5)], 0, Op::Light, 2)
            .bad(Redraw, &[shininess(0x1601, 129.0)], 0, Op::Material, 2)
            .bad(Redraw, &[begin(), shininess(0x1601, f32::NAN), end()], 1, Op::Material, 2),
        Rule::V34 => c
            .good(Redraw, &[parameter(0x2800, 0x2600), parameter(0x2801, 0x2601)])
            .good(Redraw, &[parameter(0x2802, 0x2901), parameter(0x2803, 0x812f), parameter(0x2803, 0x8370)])
            .bad(Redraw, &[parameter(0x2800, 0x2901)], 0, Op::TexParameter, 1)
            .bad(Redraw, &[parameter(0x2801, 0x812f)], 0, Op::TexParameter, 1)
            .bad(Redraw, &[parameter(0x2802, 0x2601)], 0, Op::TexParameter, 1),
        Rule::V35 => {
            // Fuel and vertices: see `budgets_bound_the_worst_path`. No program of `MAX_PROGRAM_WORDS` exceeds the
            // default budget by itself.
            let lists = |n: u32| (0..n).flat_map(|_| [new_list(7), end_list()]).collect::<Vec<_>>();
            let many = 2 * MAX_LISTS;
            c.good(Init, &lists(MAX_LISTS)).bad(Init, &lists(MAX_LISTS + 1), many, Op::NewList, None)
        }
    }
}

fn light(name: u32, value: f32) -> Vec<u32> {
    op(Op::Light, &[U(0x4000), U(name), F(value), F(0.0), F(0.0), F(0.0)])
}
fn shininess(name: u32, value: f32) -> Vec<u32> {
    op(Op::Material, &[U(0x404), U(name), F(value), F(0.0), F(0.0), F(0.0)])
}
fn parameter(name: u32, value: u32) -> Vec<u32> {
    op(Op::TexParameter, &[U(name), U(value)])
}

#[test]
fn every_rule_has_programs_that_keep_and_that_break_it() {
    for &rule in Rule::ALL {
        let cases = cases(rule);
        assert!(!cases.good.is_empty() && !cases.bad.is_empty(), "{rule} lacks a case");
        for (i, (callback, words)) in cases.good.iter().enumerate() {
            if let Err(error) = verify(words, *callback) {
                panic!("{rule}, good program {i}: {error}");
            }
        }
        for (i, bad) in cases.bad.iter().enumerate() {
            let Err(error) = verify(&bad.words, bad.callback) else {
                panic!("{rule}, bad program {i} was accepted");
            };
            assert_eq!(error.rule, rule, "bad program {i}: {error}");
            assert_eq!((error.op_index, error.op, error.operand), bad.at, "{rule}, bad program {i}: {error}");
            assert_eq!(error.rule, error.detail.rule());
        }
    }
}

#[test]
fn rules_are_numbered_and_documented() {
    let documentation = include_str!("../src/lib.rs");
    for (i, &rule) in Rule::ALL.iter().enumerate() {
        assert_eq!(rule.number() as usize, i + 1);
        assert_eq!(Rule::from_number(rule.number()), Some(rule));
        let line = format!("- {rule} {}", rule.title());
        assert!(documentation.contains(&line), "not in the crate's documentation: {line}");
    }
    assert_eq!(Rule::from_number(0), None);
    assert_eq!(Rule::from_number(u32::MAX), None);
}

#[test]
fn budgets_bound_the_worst_path() {
    let within = |words: &[u32], callback, fuel, vertices| {
        verifier::verify_within(WireProgram::from_words(words), callback, Budget { fuel, vertices })
    };
    // One way: jmp_if 1, clear 16, jmp 1, the last identity 1. The other way: 3. Both together would be 20.
    let branches = program(&[jmp_if(13), clear(0x4000), jmp(14), identity(), identity()]);
    assert!(within(&branches, Redraw, 19, 0).is_ok(), "jmp_if, clear, jmp, identity");
    let error = within(&branches, Redraw, 18, 0).expect_err("one unit short");
    assert_eq!(error.rule, Rule::V35);
    assert_eq!(
        error.to_string(),
        "V35 at the program's end: needs 19 units of fuel at worst, the budget is 18"
    );

    let fan = program(&[op(Op::Begin, &[U(6)]), vertex(), vertex(), vertex(), vertex(), end()]);
    assert!(within(&fan, Redraw, 100, 6).is_ok(), "two triangles");
    let error = within(&fan, Redraw, 100, 5).expect_err("one vertex short");
    assert!(matches!(
        error.detail,
        verifier::Detail::Budget { resource: Resource::Vertices, needed: 6, limit: 5 }
    ));

    // A list's body counts for itself; its end_list is the program's.
    let list = program(&[new_list(1), clear(0x4000), clear(0x4000), end_list(), identity()]);
    assert!(within(&list, Init, 32, 0).is_ok());
    let error = within(&list, Init, 31, 0).expect_err("the list is too dear");
    assert_eq!((error.rule, error.op_index, error.op), (Rule::V35, 3, Some(Op::EndList)));
}

#[test]
fn no_program_exceeds_the_default_budget_by_its_own_ops() {
    // So V35 needs no case of its own with the default budget; this says when that changes.
    let dearest =
        blinkgl::ops::OPS.iter().map(|row| u64::from(row.cost).div_ceil(1 + row.operands.len() as u64)).max();
    assert!(dearest.unwrap() * MAX_PROGRAM_WORDS as u64 <= blinkgl::limits::MAX_FUEL);
    assert!(3 * MAX_PROGRAM_WORDS as u64 <= blinkgl::limits::MAX_VERTICES);
}
