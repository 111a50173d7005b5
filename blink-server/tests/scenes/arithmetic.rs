//! Registers: each op's results as the heights of bars, and jumps by what is drawn.

use super::shapes::{COLOR, cell, clear, name, square};
use crate::scene::Scene;
use blinkgl::gl::{Capability, External, Predicate, Primitive};
use blinkgl::ops::{EXTERNAL, PREDICATE};
use blinkgl::record::Raw;
use blinkgl::{Recorder, Reg};

/// Bars side by side, as high as the values that `value` leaves in the register, from 0 to `most`; negative ones
/// hang down.
fn bars(p: &mut Recorder, count: u16, most: f32, mut value: impl FnMut(&mut Recorder, Reg, u16)) {
    let height = p.alloc();
    for i in 0..count {
        value(p, height, i);
        p.mul(height, height, 0.97 / most);
        let x = f32::from(i) / f32::from(count) * 1.9 - 0.95;
        p.color4(0.9, f32::from(i) / f32::from(count), 0.3, 1.0);
        p.primitive(Primitive::Quads, |p| {
            p.vertex2(x, 0.013);
            p.vertex2(x + 1.6 / f32::from(count), 0.013);
            p.vertex2(x + 1.6 / f32::from(count), height);
            p.vertex2(x, height);
        });
    }
    p.release(height);
}

const PAIRS: [(f32, f32); 12] = [
    (0.5, 2.25),
    (2.25, 0.5),
    (-1.3, 1.7),
    (1.7, -1.3),
    (-0.7, -2.1),
    (3.1, 3.1),
    (2.9, 0.9),
    (-3.3, 0.6),
    (0.1, -3.9),
    (1.2, 1.4),
    (-2.6, 3.2),
    (3.6, -0.4),
];

type Binary = fn(&mut Recorder, Reg, Reg, Reg);
const BINARY: [(&str, Binary); 9] = [
    ("add", |p, d, a, b| p.add(d, a, b)),
    ("sub", |p, d, a, b| p.sub(d, a, b)),
    ("mul", |p, d, a, b| p.mul(d, a, b)),
    ("div", |p, d, a, b| p.div(d, a, b)),
    ("min", |p, d, a, b| p.min(d, a, b)),
    ("max", |p, d, a, b| p.max(d, a, b)),
    ("atan2", |p, d, a, b| p.atan2(d, a, b)),
    ("select", |p, d, a, b| p.select(d, a, b, 1.1)),
    ("select-zero", |p, d, a, b| p.select(d, 0.0, a, b)),
];

type Unary = fn(&mut Recorder, Reg, Reg);
const UNARY: [(&str, Unary); 8] = [
    ("mov", |p, d, a| p.mov(d, a)),
    ("neg", |p, d, a| p.neg(d, a)),
    ("abs", |p, d, a| p.abs(d, a)),
    ("floor", |p, d, a| p.floor(d, a)),
    ("fract", |p, d, a| p.fract(d, a)),
    ("sqrt", |p, d, a| {
        // Of negative numbers there is none.
        p.mul(d, a, a);
        p.add(d, d, 0.3);
        p.sqrt(d, d);
    }),
    ("sin", |p, d, a| p.sin(d, a)),
    ("cos", |p, d, a| p.cos(d, a)),
];

fn scene(name: &str, draw: impl FnOnce(&mut Recorder)) -> Scene {
    Scene::new(format!("registers-{name}"), 96, 96, |p| {
        clear(p);
        draw(p);
    })
}

pub fn arithmetic() -> Vec<Scene> {
    let mut scenes = vec![];
    for (name, op) in BINARY {
        scenes.push(scene(name, |p| {
            let (a, b) = (p.alloc(), p.alloc());
            bars(p, 12, 9.0, |p, d, i| {
                let (first, second) = PAIRS[usize::from(i)];
                p.mov(a, first);
                p.mov(b, second);
                op(p, d, a, b);
            });
        }));
    }
    for (name, op) in UNARY {
        scenes.push(scene(name, |p| {
            let a = p.alloc();
            bars(p, 12, 4.5, |p, d, i| {
                p.mov(a, PAIRS[usize::from(i)].0);
                op(p, d, a);
            });
        }));
    }
    let nan = f32::NAN;
    let compared = [(1.0, 2.0), (2.0, 2.0), (3.0, 2.0), (-0.0, 0.0), (nan, 1.0), (1.0, nan), (nan, nan)];
    for &predicate in Predicate::ALL {
        let predicate_name = name(&PREDICATE, predicate.value());
        scenes.push(scene(&format!("cmp-{predicate_name}"), |p| {
            bars(p, 7, 1.2, |p, d, i| {
                let (a, b) = compared[usize::from(i)];
                p.cmp(d, predicate, a, b);
                p.add(d, d, 0.1);
            });
        }));
        scenes.push(scene(&format!("jmp-if-{predicate_name}"), |p| {
            bars(p, 7, 1.2, |p, d, i| {
                let (a, b) = compared[usize::from(i)];
                let (skip, a_register) = (p.label(), p.alloc());
                p.mov(a_register, a);
                p.mov(d, 1.0);
                p.jmp_if(predicate, a_register, b, skip);
                p.mov(d, 0.3);
                p.bind(skip);
                p.release(a_register);
            });
        }));
    }
    scenes.push(scene("jmp", |p| {
        let (end, over) = (p.label(), p.label());
        square(p, cell(2, 2, 0), 0.0);
        p.jmp(over);
        p.color4(1.0, 0.0, 0.0, 1.0);
        square(p, cell(2, 2, 1), 0.0);
        p.bind(over);
        square(p, cell(2, 2, 2), 0.0);
        p.jmp(end);
        square(p, cell(2, 2, 3), 0.0);
        p.bind(end);
    }));
    for &what in External::ALL {
        let mut read = scene(&format!("read-{}", name(&EXTERNAL, what.value())), |p| {
            bars(p, 2, 9.0, |p, d, i| {
                p.read(d, what);
                if what == External::Width || what == External::Height {
                    p.mul(d, d, 0.05);
                }
                p.add(d, d, 0.5 * f32::from(i));
            });
        });
        read.time_ns = 3_234_000_000;
        // So that width and height are not the same.
        if what == External::Width {
            read.width = 60;
        } else if what == External::Height {
            read.height = 70;
        }
        scenes.push(read);
    }
    let mut times = scene("times", |p| {
        bars(p, 8, 3.0, |p, d, i| match i {
            0 => p.time_mod(d, 2.0),
            1 => p.time_mod(d, 0.7),
            2 => p.time_since_ns(d, 86_400_000_000_000),
            3 => p.time_since_ns(d, 86_402_000_000_000),
            4 => p.time_since(d, Raw::bits(20_116), Raw::bits(0)),
            5 => {
                p.mov(d, 1.9);
                p.time_mod(d, d);
            }
            6 => p.time_mod(d, -1.0),
            _ => p.time_mod(d, f32::NAN),
        });
    });
    times.time_ns = 86_401_300_000_000;
    scenes.push(times);
    // They are no drawing; that they do what they do, other tests say.
    scenes.push(scene("signals", |p| {
        let value = p.alloc();
        p.mov(value, 0.7);
        p.request_frame();
        p.damage(1, 2, 3, 4);
        p.damage(value, value, 10, value);
        p.notify(value);
        p.notify(Raw::bits(7));
        bars(p, 3, 1.0, |p, d, _| p.mov(d, value));
    }));
    scenes.extend(operands());
    scenes
}

/// Registers as operands of all kinds of calls.
fn operands() -> Vec<Scene> {
    let mut scenes = vec![];
    scenes.push(scene("as-attributes", |p| {
        let (a, b, c) = (p.alloc(), p.alloc(), p.alloc());
        p.mov(a, 0.2);
        p.mov(b, 0.7);
        p.primitive(Primitive::TriangleStrip, |p| {
            for i in 0..8u8 {
                let x = f32::from(i) * 0.25 - 0.9;
                p.fract(c, b);
                p.color4(c, a, 0.8, 1.0);
                if i % 2 == 0 {
                    p.vertex2(x, a)
                } else {
                    p.vertex3(x, -0.8, a)
                }
                p.add(b, b, 0.31);
                p.mul(a, a, 1.1);
            }
        });
    }));
    scenes.push(scene("as-state", |p| {
        let (a, b, c) = (p.alloc(), p.alloc(), p.alloc());
        p.mov(a, 0.25);
        p.mov(b, 40.9);
        p.mov(c, 8.2);
        p.clear_color(a, 0.6, a, 1.0);
        p.enable(Capability::ScissorTest);
        p.scissor(c, c, b, 60);
        p.clear(COLOR);
        p.disable(Capability::ScissorTest);
        p.viewport(c, c, b, b);
        p.rotate(b, 0.0, 0.0, 1.0);
        p.scale(0.7, a, 1.0);
        p.translate(a, a, 0.0);
        square(p, [-0.9, -0.9, 0.9, 0.9], 0.0);
        p.enable(Capability::DepthTest);
        p.depth_range(a, 0.9);
        p.load_identity();
        p.mult_matrix([
            a.into(),
            0.1f32.into(),
            0.0f32.into(),
            0.0f32.into(),
            0.0f32.into(),
            a.into(),
            0.0f32.into(),
            0.0f32.into(),
            0.0f32.into(),
            0.0f32.into(),
            1.0f32.into(),
            0.0f32.into(),
            0.3f32.into(),
            a.into(),
            0.0f32.into(),
            blinkgl::record::Float::from(1.0),
        ]);
        p.color4(a, 0.1, 0.9, 1.0);
        square(p, [-0.9, -0.9, 0.9, 0.9], 0.4);
    }));
    // A register in a list is read when the list is called.
    scenes.push(
        scene("in-lists", |p| {
            let r = p.reg(3);
            for i in 0..4u8 {
                p.mov(r, 0.2 + 0.2 * f32::from(i));
                p.call_list(1);
            }
        })
        .instead(scene("in-lists", |p| {
            for i in 0..4u8 {
                register_list(p, 0.2 + 0.2 * f32::from(i));
            }
        }))
        .init(|p| {
            p.list(1, |p| {
                let r = p.reg(3);
                register_list(p, r);
            });
        }),
    );
    scenes
}

fn register_list(p: &mut Recorder, r: impl Into<blinkgl::record::Float> + Copy) {
    p.color4(r, 0.4, 0.9, 1.0);
    p.primitive(Primitive::Triangles, |p| {
        p.vertex2(-0.9, -0.9);
        p.vertex2(r, -0.9);
        p.vertex2(r, r);
    });
    p.rotate(20.0, 0.0, 0.0, r);
}
