//! Quadrics against SGI's GLU: `glu/quadrics.txt` is what it calls, written by `glu/quadrics.c`.

use blinkgl::ops::Op;
use blinkgl::record::{DrawStyle, Normals, Orientation, Quadric, RecordError};
use blinkgl::wire::{HEADER_WORDS, decode};
use blinkgl::{Recorder, WireProgram};

/// Begins, sum of their modes, normals, texture coordinates, vertices; weighted sum of all numbers.
fn calls(program: &WireProgram) -> ([u32; 5], f64) {
    let (mut counts, mut arguments, mut sum) = ([0; 5], 0_u8, 0.0);
    let mut offset = HEADER_WORDS;
    while let Some(instruction) = decode(program.untrusted_words(), offset).expect("it is well formed") {
        offset += instruction.words();
        let op = instruction.op();
        if op == Op::Begin {
            counts[0] += 1;
            counts[1] += instruction.args[0];
        }
        let Some(kind) = [Op::Normal3, Op::TexCoord2, Op::Vertex3].iter().position(|o| *o == op) else {
            assert!(matches!(op, Op::Begin | Op::End), "quadrics need no {op}");
            continue;
        };
        counts[2 + kind] += 1;
        for &bits in instruction.args {
            arguments = (arguments + 1) % 7;
            sum += f64::from(f32::from_bits(bits)) * f64::from(1 + arguments);
        }
    }
    (counts, sum)
}

fn draw(p: &mut Recorder, shape: &str, q: Quadric) {
    match shape {
        "sphere" => q.sphere(p, 1.5, 7, 5),
        "cylinder" => q.cylinder(p, 1.0, 0.5, 2.0, 8, 3),
        "cone" => q.cylinder(p, 0.75, 0.0, 1.25, 5, 1),
        "disk" => q.disk(p, 0.0, 1.25, 9, 2),
        "ring" => q.disk(p, 0.5, 1.5, 6, 3),
        "circle" => q.disk(p, 1.0, 1.0, 6, 1),
        "sector" => q.partial_disk(p, 0.25, 1.0, 5, 2, 30.0, 200.0),
        "backwards" => q.partial_disk(p, 0.0, 1.0, 4, 1, 45.0, -90.0),
        other => panic!("which shape is {other}?"),
    }
}

#[test]
fn they_call_what_glu_calls() {
    let mut compared = 0;
    for line in include_str!("glu/quadrics.txt").lines() {
        let (setting, result) = line.split_once(": ").expect("setting: result");
        let (shape, numbers) = setting.split_once(' ').expect("a shape first");
        let numbers: Vec<usize> = numbers.split(' ').map(|n| n.parse().expect("a number")).collect();
        let quadric = Quadric {
            draw_style: [DrawStyle::Fill, DrawStyle::Line, DrawStyle::Silhouette, DrawStyle::Point]
                [numbers[0]],
            normals: [Normals::Smooth, Normals::Flat, Normals::None][numbers[1]],
            orientation: [Orientation::Outside, Orientation::Inside][numbers[2]],
            texture: numbers[3] == 1,
        };
        let mut p = Recorder::new();
        draw(&mut p, shape, quadric);
        let (counts, sum) = calls(&p.finish().expect("it records"));
        let (expected, expected_sum) = result.rsplit_once(' ').expect("the sum last");
        let counts: Vec<String> = counts.iter().map(u32::to_string).collect();
        assert_eq!(counts.join(" "), expected, "{setting}");
        let expected_sum: f64 = expected_sum.parse().expect("a number");
        assert!((sum - expected_sum).abs() < 1e-4, "{setting}: {sum} is not {expected_sum}");
        compared += 1;
    }
    assert_eq!(compared, 8 * 48 - 3 * 8, "all but flat points and silhouettes of solids");
}

#[test]
fn normals_of_a_sphere_are_its_points() {
    let mut p = Recorder::new();
    Quadric { texture: true, ..Quadric::default() }.sphere(&mut p, 2.0, 12, 6);
    let program = p.finish().expect("it records");
    let (mut offset, mut normal) = (HEADER_WORDS, [0.0; 3]);
    while let Some(instruction) = decode(program.untrusted_words(), offset).expect("it is well formed") {
        offset += instruction.words();
        let numbers: Vec<f32> = instruction.args.iter().map(|&bits| f32::from_bits(bits)).collect();
        if instruction.op() == Op::Normal3 {
            normal = [numbers[0], numbers[1], numbers[2]];
        }
        if instruction.op() == Op::Vertex3 {
            for (n, v) in normal.iter().zip(numbers) {
                assert!((2.0 * n - v).abs() < 1e-6, "{normal:?} at a vertex with {v}");
            }
        }
    }
}

#[test]
fn shapes_that_glu_refuses_are_mistakes() {
    let q = Quadric::default();
    let refused = |shape: &str, record: &dyn Fn(&mut Recorder)| {
        let mut p = Recorder::new();
        record(&mut p);
        let found = p.finish();
        assert!(matches!(found, Err(RecordError::Quadric { shape: s, .. }) if s == shape), "{found:?}");
    };
    refused("sphere", &|p| q.sphere(p, -1.0, 8, 8));
    refused("sphere", &|p| q.sphere(p, f64::NAN, 8, 8));
    refused("cylinder", &|p| q.cylinder(p, 1.0, 1.0, 1.0, 8, 0));
    refused("cylinder", &|p| q.cylinder(p, 1.0, 1.0, 0.0, 8, 1));
    refused("disk", &|p| q.disk(p, 2.0, 1.0, 8, 1));
}
