//! Matrices, registers, display lists.

use super::shapes::{clear, square, vertices, view};
use crate::scene::Scene;
use blinkgl::gl::{MatrixMode, Primitive};

pub fn matrices() -> Vec<Scene> {
    let mut scenes = vec![
        Scene::new("matrix-ortho-and-stacks", 160, 120, |p| {
            clear(p);
            p.matrix_mode(MatrixMode::Projection);
            p.ortho(-4.0, 4.0, -3.0, 3.0, -5.0, 5.0);
            p.matrix_mode(MatrixMode::Modelview);
            for i in 0..5u8 {
                p.push_matrix();
                p.rotate(f32::from(i) * 72.0, 0.0, 0.0, 1.0);
                p.translate(1.8, 0.0, f32::from(i) * 0.1);
                p.pushed(|p| {
                    p.scale(0.8, 0.5, -1.0);
                    p.rotate(33.0, 1.0, 2.0, 0.5);
                    p.primitive(Primitive::QuadStrip, |p| vertices(p, Primitive::QuadStrip));
                });
                p.primitive(Primitive::LineLoop, |p| {
                    for (x, y) in [(-0.5, -0.5), (0.5, -0.5), (0.0, 0.6)] {
                        p.vertex2(x, y);
                    }
                });
                p.pop_matrix();
            }
        }),
        Scene::new("matrix-load-and-mult", 120, 120, |p| {
            clear(p);
            let m = [0.5, 0.1, 0.0, 0.0, -0.2, 0.6, 0.1, 0.0, 0.3, 0.0, 0.4, 0.05, 0.1, 0.2, -0.1, 1.0f32];
            p.load_matrix(m);
            p.mult_matrix(m);
            p.scale(2.0, 2.0, 2.0);
            p.primitive(Primitive::TriangleFan, |p| vertices(p, Primitive::TriangleFan));
        }),
        Scene::new("matrix-homogeneous-vertices", 120, 120, |p| {
            clear(p);
            p.primitive(Primitive::TriangleStrip, |p| {
                for (n, [x, y, z, w]) in [
                    [-1.0, -1.0, 0.0, 1.5],
                    [1.0, -1.0, 0.0, 2.5],
                    [-2.0, 2.0, 1.0, 2.2],
                    [0.5, 0.5, 0.1, 0.6],
                ]
                .into_iter()
                .enumerate()
                {
                    p.color4(n as f32 * 0.3, 1.0 - n as f32 * 0.2, 0.5, 1.0);
                    p.vertex4(x, y, z, w);
                }
            });
        }),
        Scene::new("matrix-clipped", 120, 120, |p| {
            clear(p);
            view(p);
            p.rotate(80.0, 0.2, 1.0, 0.1);
            p.scale(5.0, 1.0, 1.0);
            p.primitive(Primitive::Triangles, |p| vertices(p, Primitive::Triangles));
            p.primitive(Primitive::LineStrip, |p| vertices(p, Primitive::LineStrip));
        }),
    ];
    // Values from registers: arithmetic, jumps and vertices.
    scenes.push(Scene::new("registers", 120, 120, |p| {
        clear(p);
        let (a, x, y, turn) = (p.alloc(), p.alloc(), p.alloc(), p.alloc());
        p.mov(turn, 10.0);
        let skip = p.label();
        p.jmp_if(blinkgl::gl::Predicate::Lt, turn, 5.0, skip);
        p.rotate(turn, 0.0, 0.0, 1.0);
        p.bind(skip);
        p.mov(a, 0.0);
        p.begin(Primitive::Polygon);
        for _ in 0..7 {
            p.cos(x, a);
            p.sin(y, a);
            p.color4(x, y, 0.7, 1.0);
            p.mul(x, x, 0.8);
            p.mul(y, y, 0.7);
            p.vertex2(x, y);
            p.add(a, a, 0.9);
        }
        p.end();
    }));
    // Lists: what is in them, what they leave, lists in lists.
    scenes.push(
        Scene::new("lists", 120, 120, |p| {
            clear(p);
            view(p);
            p.call_list(3);
            p.translate(0.2, 0.3, 0.0);
            p.call_list(1);
            p.call_list(9);
        })
        .init(|p| {
            p.list(1, |p| {
                p.color4(0.9, 0.2, 0.1, 1.0);
                p.primitive(Primitive::Triangles, |p| {
                    for (x, y) in [(-0.5, -0.5), (0.5, -0.5), (0.0, 0.6)] {
                        p.vertex2(x, y);
                    }
                });
                p.color4(0.1, 0.9, 0.5, 1.0);
                p.rotate(20.0, 0.0, 0.0, 1.0);
            });
            p.list(3, |p| {
                p.call_list(1);
                square(p, [-0.9, -0.9, -0.4, 0.2], 0.0);
                p.call_list(1);
                square(p, [-0.2, 0.6, 0.9, 0.9], 0.0);
            });
        }),
    );
    scenes
}
