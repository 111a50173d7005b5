//! Programs that are long, each by another kind of work.

use super::Error;
use blinkgl::gl::{AttribGroup, MatrixMode, Primitive};
use blinkgl::limits::MAX_PROGRAM_WORDS;
use blinkgl::{Recorder, Reg};

/// The registers that runs start with: the first few are as slow as a sine's argument and a period can be.
pub fn registers() -> [u32; 32] {
    let mut registers = crate::mixes::registers();
    registers[HUGE as usize] = 3.0e38f32.to_bits();
    registers[TINY as usize] = 1.0e-38f32.to_bits();
    registers
}

const HUGE: u32 = 1;
const TINY: u32 = 2;

/// Words and instructions that are left for a program's ends.
const SPARE: usize = 512;

/// A long program.
#[derive(Debug)]
pub struct Long {
    pub name: &'static str,
    /// Its window's `init`.
    pub init: Vec<u32>,
    /// Its words: a `redraw`.
    pub words: Vec<u32>,
}

/// All of them, of at most so many instructions.
pub fn all(most: usize) -> Result<Vec<Long>, Error> {
    type Record = fn(&mut Recorder, usize);
    const ALL: [(&str, Record); 9] = [
        ("arithmetic", arithmetic),
        ("sines", sines),
        ("moments", moments),
        ("many_primitives", many_primitives),
        ("one_primitive", one_primitive),
        ("patched_vertices", patched_vertices),
        ("matrices", matrices),
        ("attributes", attributes),
        ("lists", call_lists),
    ];
    let words = |name, record: Record| {
        let mut p = Recorder::new();
        record(&mut p, most);
        let program = p.finish().map_err(|error| Error::Record(name, error))?;
        Ok::<_, Error>(program.untrusted_words().to_vec())
    };
    ALL.into_iter()
        .map(|(name, record)| {
            Ok(Long { name, init: words(name, |p, _| define_lists(p))?, words: words(name, record)? })
        })
        .collect()
}

/// Records until the program is as long as it may be.
fn fill(p: &mut Recorder, most: usize, mut record: impl FnMut(&mut Recorder)) {
    while p.word_count() + SPARE < MAX_PROGRAM_WORDS && p.op_count() + SPARE < most {
        record(p);
    }
}

fn file(p: &mut Recorder) -> [Reg; 4] {
    [0, HUGE, TINY, 3].map(|number| p.reg(number))
}

fn arithmetic(p: &mut Recorder, most: usize) {
    let [a, _, _, b] = file(p);
    fill(p, most, |p| {
        p.div(a, a, b);
        p.add(a, a, b);
    });
}

/// Of numbers as large as there are, whose sines take longest.
fn sines(p: &mut Recorder, most: usize) {
    let [a, huge, ..] = file(p);
    fill(p, most, |p| {
        p.sin(a, huge);
    });
}

/// Divisions of the time by periods as short as there are.
fn moments(p: &mut Recorder, most: usize) {
    let [a, _, tiny, _] = file(p);
    fill(p, most, |p| p.time_mod(a, tiny));
}

fn many_primitives(p: &mut Recorder, most: usize) {
    fill(p, most, |p| p.primitive(Primitive::Quads, |p| square(p, 0.0)));
}

fn square(p: &mut Recorder, z: f32) {
    for (x, y) in [(0.0, 0.0), (1.0, 0.0), (1.0, 1.0), (0.0, 1.0)] {
        p.vertex3(x, y, z);
    }
}

/// A strip: each vertex but two is a triangle.
fn one_primitive(p: &mut Recorder, most: usize) {
    p.primitive(Primitive::TriangleStrip, |p| fill(p, most, |p| p.vertex2(1.0, 2.0)));
}

fn patched_vertices(p: &mut Recorder, most: usize) {
    let [a, ..] = file(p);
    p.primitive(Primitive::TriangleStrip, |p| fill(p, most, |p| p.vertex2(a, 2.0)));
}

fn matrices(p: &mut Recorder, most: usize) {
    let [a, ..] = file(p);
    p.matrix_mode(MatrixMode::Modelview);
    fill(p, most, |p| {
        p.rotate(a, 1.0, 1.0, 1.0);
        p.load_identity();
    });
}

fn attributes(p: &mut Recorder, most: usize) {
    let all = AttribGroup::ALL.iter().fold(AttribGroup::CURRENT, |all, &group| all | group);
    fill(p, most, |p| p.pushed_attrib(all, |p| p.color3(1.0, 0.0, 0.0)));
}

/// Lists that call lists, six deep and four wide; the innermost are empty. List 1 has vertices.
fn define_lists(p: &mut Recorder) {
    p.list(1, |p| {
        p.primitive(Primitive::TriangleStrip, |p| (0..5000).for_each(|_| p.vertex2(1.0, 2.0)));
    });
    p.list(2, |_| {});
    for list in 3..9 {
        p.list(list, |p| (0..4).for_each(|_| p.call_list(list - 1)));
    }
}

fn call_lists(p: &mut Recorder, _most: usize) {
    for _ in 0..100 {
        p.call_list(8);
        p.call_list(1);
    }
}
