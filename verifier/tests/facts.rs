//! What the facts say of programs, and what they must not claim.
#![allow(clippy::cast_possible_truncation, reason = "test")]
mod build;

use blinkgl::ops::{Callback, External, Op};
use build::{A, F, I, R, U, op, program, verify};
use verifier::{Confinement, Cost, Facts, Occurs};

use Callback::{Init, Input, Redraw};

fn facts(callback: Callback, instructions: &[Vec<u32>]) -> Facts {
    match verify(&program(instructions), callback) {
        Ok(program) => program.facts().clone(),
        Err(error) => panic!("{error}"),
    }
}

fn jmp(target: u32) -> Vec<u32> {
    op(Op::Jmp, &[U(target)])
}
/// Five words.
fn jmp_if(target: u32) -> Vec<u32> {
    op(Op::JmpIf, &[U(0), R(1), F(0.5), U(target)])
}
const COLOR: u32 = 0x4000;
const DEPTH: u32 = 0x100;
const STENCIL: u32 = 0x400;
const SCISSOR_TEST: u32 = 0x0c11;
/// Two words.
fn clear(mask: u32) -> Vec<u32> {
    op(Op::Clear, &[U(mask)])
}
fn enable(capability: u32) -> Vec<u32> {
    op(Op::Enable, &[U(capability)])
}
fn disable(capability: u32) -> Vec<u32> {
    op(Op::Disable, &[U(capability)])
}
fn call(list: u32) -> Vec<u32> {
    op(Op::CallList, &[U(list)])
}
fn plain(o: Op) -> Vec<u32> {
    op(o, &[])
}
fn primitive(mode: u32, vertices: usize) -> Vec<u32> {
    let mut words = op(Op::Begin, &[U(mode)]);
    for _ in 0..vertices {
        words.extend(op(Op::Vertex2, &[F(0.0), F(0.0)]));
    }
    words.extend(plain(Op::End));
    words
}

#[test]
fn an_unconditional_clear_makes_a_window_opaque() {
    let f = facts(Redraw, &[clear(COLOR | DEPTH), primitive(4, 3)]);
    let color = f.body.opening_color_clear.expect("clears first");
    assert_eq!(
        (color.offset, color.scissor, color.mask),
        (4, Confinement::Inherited, Confinement::Inherited)
    );
    assert_eq!((f.body.clears_color, f.body.clears_depth), (Occurs::Always, Occurs::Always));
    assert_eq!(f.body.draws, Occurs::Always);
    assert!(f.body.may_use_depth() && f.body.touches_pixels());
    // The state at entry decides.
    assert!(f.body.is_opaque(true, true));
    assert!(!f.body.is_opaque(false, true) && !f.body.is_opaque(true, false));
}

#[test]
fn a_conditional_clear_makes_nothing_opaque() {
    // Skipped, in either way of skipping; and after an early exit.
    for program in [
        vec![jmp_if(11), clear(COLOR)],
        vec![jmp(8), clear(COLOR)],
        vec![jmp_if(12), plain(Op::LoadIdentity), clear(COLOR)],
    ] {
        let f = facts(Redraw, &program);
        assert_eq!((f.body.clears_color, f.body.opening_color_clear), (Occurs::Maybe, None));
        assert!(!f.body.is_opaque(true, true));
        assert!(f.body.touches_pixels());
    }
    // Behind the join it is unconditional again.
    let f = facts(Redraw, &[jmp_if(10), plain(Op::LoadIdentity), clear(COLOR)]);
    assert!(f.body.is_opaque(true, true));
}

#[test]
fn drawing_before_the_clear_is_no_opening() {
    for first in [primitive(0, 1), call(3)] {
        let f = facts(Redraw, &[first, clear(COLOR)]);
        assert_eq!((f.body.clears_color, f.body.opening_color_clear), (Occurs::Always, None));
    }
    // The depth clear before it does not matter.
    let f = facts(Redraw, &[clear(DEPTH), clear(COLOR)]);
    assert_eq!(f.body.opening_color_clear.map(|c| c.offset), Some(6));
    assert_eq!(f.body.opening_depth_clear.map(|c| c.offset), Some(4));
}

#[test]
fn the_scissor_can_narrow_a_clear() {
    let rectangle = || op(Op::Scissor, &[I(0), I(0), I(10), I(10)]);
    let opening = |before: &[Vec<u32>]| {
        let mut all = before.to_vec();
        all.push(clear(COLOR));
        facts(Redraw, &all).body.opening_color_clear.expect("unconditional").scissor
    };
    assert_eq!(opening(&[]), Confinement::Inherited);
    assert_eq!(opening(&[enable(SCISSOR_TEST)]), Confinement::Unknown);
    assert_eq!(opening(&[rectangle()]), Confinement::Unknown);
    assert_eq!(opening(&[disable(SCISSOR_TEST)]), Confinement::Open);
    assert_eq!(opening(&[disable(SCISSOR_TEST), rectangle()]), Confinement::Open);
    assert_eq!(opening(&[rectangle(), disable(SCISSOR_TEST)]), Confinement::Open);
    assert_eq!(opening(&[jmp_if(11), disable(SCISSOR_TEST)]), Confinement::Unknown);
    assert_eq!(opening(&[jmp_if(11), enable(SCISSOR_TEST)]), Confinement::Unknown);
    assert_eq!(opening(&[disable(SCISSOR_TEST), jmp_if(13), disable(SCISSOR_TEST)]), Confinement::Open);
    assert!(facts(Redraw, &[rectangle()]).body.uses.scissor);
}

#[test]
fn masks_can_narrow_a_clear() {
    let color_mask = |a| op(Op::ColorMask, &[U(1), U(1), U(1), U(a)]);
    let depth_mask = |write| op(Op::DepthMask, &[U(write)]);
    let f = facts(Redraw, &[color_mask(0), depth_mask(1), clear(COLOR | DEPTH)]);
    assert_eq!(f.body.opening_color_clear.map(|c| c.mask), Some(Confinement::Unknown));
    assert_eq!(f.body.opening_depth_clear.map(|c| c.mask), Some(Confinement::Open));
    assert!(f.body.uses.color_mask && !f.body.is_opaque(true, true));
    let f = facts(Redraw, &[color_mask(1), depth_mask(0), clear(COLOR | DEPTH)]);
    assert_eq!(f.body.opening_color_clear.map(|c| c.mask), Some(Confinement::Open));
    assert_eq!(f.body.opening_depth_clear.map(|c| c.mask), Some(Confinement::Unknown));
    assert!(f.body.is_opaque(true, false), "the program opens the mask itself");
}

#[test]
fn stencil_is_like_depth() {
    let stencil_mask = |mask| op(Op::StencilMask, &[mask]);
    let f = facts(Redraw, &[clear(STENCIL), primitive(4, 3)]);
    assert_eq!((f.body.clears_stencil, f.body.clears_depth), (Occurs::Always, Occurs::Never));
    assert_eq!(f.body.opening_stencil_clear.map(|c| (c.offset, c.mask)), Some((4, Confinement::Inherited)));
    assert!(f.body.may_use_stencil() && !f.body.may_use_depth() && f.body.touches_pixels());
    assert!(!facts(Redraw, &[clear(COLOR | DEPTH)]).body.may_use_stencil());
    assert!(facts(Redraw, &[enable(0x0b90)]).body.may_use_stencil());
    // Eight bits of it are there.
    for (mask, confinement) in [
        (U(0xff), Confinement::Open),
        (U(0xffff_ffff), Confinement::Open),
        (U(0xffff_fffe), Confinement::Unknown),
        (U(0x7f), Confinement::Unknown),
        (R(31), Confinement::Unknown),
    ] {
        let f = facts(Redraw, &[stencil_mask(mask), clear(STENCIL)]);
        assert_eq!(f.body.opening_stencil_clear.map(|c| c.mask), Some(confinement), "{mask:?}");
    }
    // 4 jmp_if, 9 stencil_mask, 11 clear
    let f = facts(Redraw, &[jmp_if(11), stencil_mask(U(0xff)), clear(STENCIL)]);
    assert_eq!(f.body.opening_stencil_clear.map(|c| c.mask), Some(Confinement::Unknown), "on one way only");
    let f = facts(Redraw, &[primitive(4, 3), clear(STENCIL)]);
    assert_eq!((f.body.clears_stencil, f.body.opening_stencil_clear), (Occurs::Always, None));
}

#[test]
fn what_pop_attrib_restores_is_known() {
    let push = |groups| op(Op::PushAttrib, &[U(groups)]);
    let pop = || plain(Op::PopAttrib);
    let rectangle = || op(Op::Scissor, &[I(0), I(0), I(10), I(10)]);
    let color_mask = |a| op(Op::ColorMask, &[U(1), U(1), U(1), U(a)]);
    let (scissor, enables, color_buffer, depth_buffer, stencil_buffer) =
        (0x80000, 0x2000, 0x4000, 0x100, 0x400);
    let opening = |before: &[Vec<u32>]| {
        let mut all = before.to_vec();
        all.push(clear(COLOR | DEPTH | STENCIL));
        let body = facts(Redraw, &all).body;
        let color = body.opening_color_clear.expect("unconditional");
        let masks = [Some(color), body.opening_depth_clear, body.opening_stencil_clear];
        (color.scissor, masks.map(|clear| clear.expect("unconditional").mask))
    };
    use Confinement::{Inherited, Open, Unknown};
    let scissored = |before: &[Vec<u32>]| opening(before).0;
    assert_eq!(scissored(&[push(scissor), enable(SCISSOR_TEST), rectangle(), pop()]), Inherited);
    assert_eq!(scissored(&[push(enables), enable(SCISSOR_TEST), pop()]), Unknown);
    assert_eq!(scissored(&[push(enables), enable(0x0b71), pop()]), Inherited);
    assert_eq!(scissored(&[push(color_buffer), enable(SCISSOR_TEST), pop()]), Unknown);
    let off = || disable(SCISSOR_TEST);
    assert_eq!(scissored(&[off(), push(enables), enable(SCISSOR_TEST), rectangle(), pop()]), Open);
    assert_eq!(scissored(&[push(enables), off(), rectangle(), pop()]), Unknown, "another rectangle");
    assert_eq!(scissored(&[push(scissor), off(), pop()]), Inherited, "no longer off");
    assert_eq!(
        scissored(&[push(scissor), off(), push(scissor), enable(SCISSOR_TEST), pop(), push(0), pop(), pop()]),
        Inherited
    );
    let all = [color_mask(0), op(Op::DepthMask, &[U(0)]), op(Op::StencilMask, &[U(0)])].concat();
    let masked = |groups| opening(&[push(groups), all.clone(), pop()]).1;
    assert_eq!(masked(color_buffer), [Inherited, Unknown, Unknown]);
    assert_eq!(masked(depth_buffer), [Unknown, Inherited, Unknown]);
    assert_eq!(masked(stencil_buffer), [Unknown, Unknown, Inherited]);
    assert_eq!(opening(&[color_mask(1), push(color_buffer), color_mask(0), pop()]).1[0], Open);
    assert_eq!(opening(&[push(color_buffer), color_mask(1), pop()]).1[0], Inherited);
    // What a list leaves behind comes back, too.
    let f = facts(Redraw, &[call(1), push(scissor), off(), pop(), clear(COLOR)]);
    assert_eq!(f.body.opening_color_clear, None);
}

#[test]
fn arrays_are_drawn_and_counted() {
    let pointer = |buffer| op(Op::ArrayPointer, &[U(0x8074), U(3), U(0x1406), U(0), U(buffer), U(0)]);
    let arrays = |mode, count| op(Op::DrawArrays, &[U(mode), U(5), U(count)]);
    let elements =
        |mode, count, buffer| op(Op::DrawElements, &[U(mode), U(count), U(0x1403), U(buffer), U(2)]);
    let f = facts(
        Redraw,
        &[pointer(9), pointer(0), elements(7, 9, 4), pointer(9), arrays(4, 7), elements(0, 1, 0)],
    );
    assert_eq!(*f.body.buffers, [4, 9]);
    assert_eq!(f.body.draws, Occurs::Always);
    assert!(f.body.touches_pixels());
    let cost = Cost { ops: 6, fuel: 3 + 3 * 16 + 17, gl_calls: 6, vertices: 17, assembled: 12 + 6 + 1 };
    assert_eq!(f.body.worst, cost);
    assert_eq!(facts(Redraw, &[pointer(9)]).body.draws, Occurs::Never);
    // Drawing before the clear.
    assert_eq!(facts(Redraw, &[arrays(4, 3), clear(COLOR)]).body.opening_color_clear, None);
    // In a list, it is the list's.
    let new_list = op(Op::NewList, &[U(1)]);
    let f = facts(Init, &[new_list, pointer(3), arrays(0, 4), plain(Op::EndList)]);
    assert_eq!((f.body.buffers.len(), f.body.worst.vertices), (0, 0));
    assert_eq!((&*f.lists[0].body.buffers, f.lists[0].body.worst.assembled), (&[3][..], 4));
    assert_eq!(verifier::assembled(5, u32::MAX), 3 * (u64::from(u32::MAX) - 2));
}

#[test]
fn each_unit_has_a_texture_stack() {
    let (mode, unit) = (|m| op(Op::MatrixMode, &[U(m)]), |u: u32| op(Op::ActiveTexture, &[U(0x84c0 + u)]));
    let (push, pop) = (|| plain(Op::PushMatrix), || plain(Op::PopMatrix));
    let f = facts(
        Redraw,
        &[mode(0x1702), unit(1), push(), push(), unit(0), push(), pop(), unit(1), pop(), pop()],
    );
    assert_eq!(f.body.matrix_rise, [0, 0, 1, 2]);
}

#[test]
fn capabilities_count_when_enabled() {
    let used = |instructions: &[Vec<u32>]| facts(Redraw, instructions).body.uses;
    assert!(used(&[enable(0x0b71)]).depth_test && !used(&[disable(0x0b71)]).depth_test);
    assert!(used(&[enable(0x0b90)]).stencil_test && !used(&[disable(0x0b90)]).stencil_test);
    assert!(used(&[enable(0x0be2)]).blending && !used(&[disable(0x0be2)]).blending);
    assert!(used(&[enable(0x0b50)]).lighting && !used(&[enable(0x0b44)]).lighting);
    assert!(used(&[enable(0x0de1)]).texturing);
    assert!(used(&[jmp(8), enable(0x0be2)]).blending, "dead code counts, too");
    assert!(used(&[op(Op::Viewport, &[I(0), I(0), R(0), R(0)])]).viewport);
}

#[test]
fn worst_cost_is_the_dearest_way_field_by_field() {
    // 4 jmp_if, 9 clear, 11 jmp, 13 triangles (2 + 3 * 3 + 1 = 12 words), 25 end
    let f = facts(Redraw, &[jmp_if(13), clear(COLOR), jmp(25), primitive(4, 3)]);
    let upper = Cost { ops: 3, fuel: 1 + 16 + 1, gl_calls: 1, vertices: 0, assembled: 0 };
    let lower = Cost { ops: 1 + 5, fuel: 1 + 2 + 3 + 2, gl_calls: 5, vertices: 3, assembled: 3 };
    let worst = Cost { fuel: upper.fuel, ..lower };
    assert_eq!(f.body.worst, worst);
    assert_eq!(f.body.worst.upload_bytes(), 240);
    assert_eq!(f.instructions, 8);
    // Dead code costs nothing.
    let f = facts(Redraw, &[jmp(18), primitive(4, 3)]);
    assert_eq!(f.body.worst, Cost { ops: 1, fuel: 1, ..Cost::default() });
}

#[test]
fn primitives_are_counted_as_assembled() {
    // (primitive, [assembled vertices of 0, 1, ... 9 source vertices]), by hand from OpenGL's definitions.
    let table: [(u32, [u32; 10]); 10] = [
        (0, [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]),
        (1, [0, 0, 2, 2, 4, 4, 6, 6, 8, 8]),
        (2, [0, 0, 4, 6, 8, 10, 12, 14, 16, 18]),
        (3, [0, 0, 2, 4, 6, 8, 10, 12, 14, 16]),
        (4, [0, 0, 0, 3, 3, 3, 6, 6, 6, 9]),
        (5, [0, 0, 0, 3, 6, 9, 12, 15, 18, 21]),
        (6, [0, 0, 0, 3, 6, 9, 12, 15, 18, 21]),
        (7, [0, 0, 0, 0, 6, 6, 6, 6, 12, 12]),
        (8, [0, 0, 0, 0, 6, 6, 12, 12, 18, 18]),
        (9, [0, 0, 0, 3, 6, 9, 12, 15, 18, 21]),
    ];
    for (mode, counts) in table {
        for (source, &assembled) in counts.iter().enumerate() {
            let worst = facts(Redraw, &[primitive(0, 2), primitive(mode, source)]).body.worst;
            assert_eq!(
                (worst.vertices, worst.assembled),
                (2 + source as u32, 2 + assembled),
                "mode {mode}, {source}"
            );
        }
    }
}

#[test]
fn registers_read_are_those_live_at_entry() {
    let mov = |d: u32, a: A| op(Op::Mov, &[R(d), a]);
    let f = facts(Input, &[mov(2, R(3)), mov(4, R(2)), mov(5, U(0)), mov(5, R(5))]);
    assert_eq!(f.body.registers_read, 1 << 3);
    assert_eq!(f.registers_written, 1 << 2 | 1 << 4 | 1 << 5);
    assert_eq!(f.registers_always_written, f.registers_written);
    // An op reads before it writes.
    assert_eq!(facts(Input, &[mov(7, R(7))]).body.registers_read, 1 << 7);
    // Written on one way only.
    let f = facts(Input, &[jmp_if(12), mov(6, U(1)), mov(8, R(6))]);
    assert_eq!(f.body.registers_read, 1 << 1 | 1 << 6);
    assert_eq!((f.registers_written, f.registers_always_written), (1 << 6 | 1 << 8, 1 << 8));
    // Written on both: 4 jmp_if, 9 mov, 12 jmp, 14 mov, 17 mov
    let f = facts(Input, &[jmp_if(14), mov(6, U(1)), jmp(17), mov(6, U(2)), mov(8, R(6))]);
    assert_eq!(f.body.registers_read, 1 << 1);
    assert_eq!(f.registers_always_written, 1 << 6 | 1 << 8);
}

#[test]
fn signals_and_externals_are_seen() {
    let read = |what: External| op(Op::Read, &[R(0), U(what as u32)]);
    let f = facts(Input, &[read(External::PointerX), read(External::Key), plain(Op::RequestFrame)]);
    assert_eq!(f.externals, 1 << External::PointerX as u32 | 1 << External::Key as u32);
    assert!(!f.uses_time);
    assert_eq!((f.requests_frame, f.damages, f.notifies), (Occurs::Always, Occurs::Never, Occurs::Never));
    let f = facts(Input, &[jmp_if(11), op(Op::Notify, &[U(1)]), op(Op::Damage, &[I(0), I(0), I(1), I(1)])]);
    assert_eq!((f.requests_frame, f.damages, f.notifies), (Occurs::Never, Occurs::Always, Occurs::Maybe));
    for timed in [read(External::Time), read(External::Frame), op(Op::TimeMod, &[R(0), F(1.0)])] {
        assert!(facts(Input, &[timed]).uses_time);
    }
    assert!(facts(Input, &[op(Op::TimeSince, &[R(0), U(0), R(1)])]).uses_time);
}

#[test]
fn textures_and_calls_are_sorted_and_unique() {
    let bind = |oid| op(Op::BindTexture, &[U(oid)]);
    let f = facts(
        Redraw,
        &[bind(9), bind(0), bind(4), bind(9), bind(9), call(1024), call(63), call(64), call(63)],
    );
    assert_eq!(*f.body.textures, [4, 9]);
    assert_eq!(*f.body.calls, [63, 64, 1024]);
    assert_eq!(f.body.draws, Occurs::Maybe);
}

#[test]
fn lists_have_facts_of_their_own() {
    let new_list = |name| op(Op::NewList, &[U(name)]);
    let translate = op(Op::Translate, &[R(4), F(0.0), F(0.0)]);
    // 4 new_list, 6 push, 7 translate, 11 push, 12 clear, 14 bind, 16 call, 18 pop, 19 pop, 20 end_list, 21
    let f = facts(
        Init,
        &[
            new_list(5),
            plain(Op::PushMatrix),
            translate,
            plain(Op::PushMatrix),
            clear(COLOR),
            op(Op::BindTexture, &[U(77)]),
            call(6),
            plain(Op::PopMatrix),
            plain(Op::PopMatrix),
            plain(Op::EndList),
            jmp_if(29),
            new_list(6),
            plain(Op::EndList),
        ],
    );
    assert_eq!(f.lists.len(), 2);
    let list = &f.lists[0];
    assert_eq!((list.name, list.words.clone(), list.defined), (5, 6..20, Occurs::Always));
    assert_eq!(list.body.worst.ops, 8);
    assert_eq!(list.body.worst.fuel, 2 + 4 + 2 + 16 + 2 + 4 + 2 + 2);
    assert_eq!(list.body.clears_color, Occurs::Always);
    assert_eq!(list.body.registers_read, 1 << 4);
    assert_eq!(list.body.matrix_rise, [2, 0, 0, 0]);
    assert_eq!((&*list.body.textures, &*list.body.calls), (&[77][..], &[6][..]));
    assert_eq!((f.lists[1].name, f.lists[1].words.clone(), f.lists[1].defined), (6, 28..28, Occurs::Maybe));
    // None of it is the program's own.
    assert!(!f.body.touches_pixels());
    assert_eq!((f.body.registers_read, f.body.textures.len(), f.body.matrix_rise), (1 << 1, 0, [0; 4]));
    assert_eq!(f.body.worst, Cost { ops: 5, fuel: 2 + 2 + 1 + 2 + 2, gl_calls: 4, ..Cost::default() });
}

#[test]
fn register_work_comes_in_runs_that_jumps_split() {
    let program = facts(
        Redraw,
        &[
            op(Op::Mov, &[R(1), F(1.0)]),
            op(Op::Read, &[R(2), U(0)]),
            // To the `mul`, in the middle of what would be one run.
            jmp_if(19),
            op(Op::Add, &[R(1), R(1), R(2)]),
            op(Op::Mul, &[R(1), R(1), R(2)]),
            op(Op::Clear, &[U(0x4000)]),
            op(Op::Sin, &[R(3), R(1)]),
        ],
    );
    let works: Vec<_> = program.works.iter().map(|w| (w.begin, w.end, w.instructions)).collect();
    assert_eq!(works, [(4, 10, 2), (15, 19, 1), (19, 23, 1), (25, 28, 1)]);
}
