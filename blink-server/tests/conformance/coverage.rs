//! Which scene has which row of the op table, and which values of its operands.

use crate::scene::Scene;
use blinkgl::WireProgram;
use blinkgl::ops::{Class, Kind, OPS, Op};

use std::collections::BTreeMap;
use std::fmt;
use verifier::verify;

/// A row, or a value of one of its operands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Point {
    pub op: Op,
    /// Which operand; `None`: the row itself.
    pub operand: Option<usize>,
    /// A value of its set; one bit of a set of bits.
    pub value: u32,
}

impl Point {
    fn kind(self) -> Option<Kind> {
        Some(self.op.info().operands.get(self.operand?)?.kind)
    }

    /// The values that the operand may have.
    pub fn values(self) -> Vec<u32> {
        match self.kind() {
            Some(Kind::Enum(set) | Kind::Bits(set)) => set.values.iter().map(|&(_, v)| v).collect(),
            Some(Kind::Bool) => vec![0, 1],
            Some(
                Kind::Dst
                | Kind::Float
                | Kind::Int
                | Kind::Raw
                | Kind::Texture
                | Kind::Buffer
                | Kind::Count
                | Kind::List
                | Kind::Label,
            )
            | None => vec![],
        }
    }

    /// A value's name.
    pub fn name_of(self, value: u32) -> &'static str {
        match self.kind() {
            Some(Kind::Enum(set) | Kind::Bits(set)) => set.name_of(value).unwrap_or("?"),
            _ => ["false", "true"][usize::from(value != 0)],
        }
    }

    /// The scene with another value in place of this one, wherever it stands; `None`: the verifier refuses that.
    pub fn confused(self, scene: &Scene, other: u32) -> Option<Scene> {
        let operand = self.operand?;
        let mut confused = scene.clone();
        for program in &mut confused.programs {
            let mut words = program.words().to_vec();
            for i in program.instructions().filter(|i| i.op() == self.op) {
                let word = &mut words[i.offset + 1 + operand];
                if matches!(self.kind()?, Kind::Bits(_)) {
                    if *word & self.value != 0 {
                        *word = *word & !self.value | other;
                    }
                } else if *word == self.value {
                    *word = other;
                }
            }
            *program = verify(WireProgram::from_words(words), program.callback()).ok()?;
        }
        Some(confused)
    }
}

impl fmt::Display for Point {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.operand {
            None => write!(f, "{}", self.op),
            Some(i) => {
                write!(f, "{} {} {}", self.op, self.op.info().operands[i].name, self.name_of(self.value))
            }
        }
    }
}

/// Every row and every value.
pub fn all_points() -> Vec<Point> {
    let mut points = vec![];
    for row in OPS {
        let whole = Point { op: row.op, operand: None, value: 0 };
        points.push(whole);
        for operand in 0..row.operands.len() {
            let point = Point { operand: Some(operand), ..whole };
            points.extend(point.values().into_iter().map(|value| Point { value, ..point }));
        }
    }
    points
}

/// The scenes of each point.
pub struct Coverage(BTreeMap<Point, Vec<String>>);

impl Coverage {
    pub fn of(scenes: &[Scene]) -> Coverage {
        let mut all: BTreeMap<Point, Vec<String>> = BTreeMap::new();
        for scene in scenes {
            for i in scene.instructions() {
                let whole = Point { op: i.op(), operand: None, value: 0 };
                let mut found = vec![whole];
                for (operand, &word) in i.args.iter().enumerate() {
                    let point = Point { operand: Some(operand), ..whole };
                    let has = |value: u32| match point.kind() {
                        Some(Kind::Bits(_)) => word & value != 0,
                        _ => word == value,
                    };
                    found.extend(
                        point.values().into_iter().filter(|&v| has(v)).map(|value| Point { value, ..point }),
                    );
                }
                for point in found {
                    let names = all.entry(point).or_default();
                    if names.last() != Some(&scene.name) {
                        names.push(scene.name.clone());
                    }
                }
            }
        }
        Coverage(all)
    }

    /// The scenes that have it.
    pub fn scenes(&self, point: Point) -> &[String] {
        self.0.get(&point).map_or(&[], Vec::as_slice)
    }
}

/// Why no picture depends on it, if none does.
pub fn without_effect(point: Point) -> Option<&'static str> {
    let value = || point.name_of(point.value);
    let operand = point.operand.map(|i| point.op.info().operands[i].name);
    match (point.op, operand) {
        (Op::Hint, Some(_)) => Some("hints change nothing: quality is always the same"),
        (Op::Enable | Op::Disable, Some(_)) if value() == "dither" => {
            Some("colors have eight bits, so there is nothing to dither")
        }
        (Op::PointParameter, Some(_)) if value() == "fade_threshold_size" => {
            Some("fading is of multisampling, which Blink has not")
        }
        (Op::PushAttrib, Some(_))
            if matches!(
                value(),
                "polygon_stipple" | "pixel_mode" | "accum_buffer" | "hint" | "eval" | "list"
            ) =>
        {
            Some("a group of state that Blink has not: named, it saves nothing")
        }
        _ => None,
    }
}

/// Do two values of an operand mean the same? For alpha, a color's factor is its alpha's.
pub fn same(point: Point, other: u32) -> bool {
    let operand = point.operand.map(|i| point.op.info().operands[i].name);
    let alpha = |value: u32| match point.name_of(value) {
        "src_color" | "src_alpha" => "src",
        "one_minus_src_color" | "one_minus_src_alpha" => "one_minus_src",
        "dst_color" | "dst_alpha" => "dst",
        "one_minus_dst_color" | "one_minus_dst_alpha" => "one_minus_dst",
        "constant_color" | "constant_alpha" => "constant",
        "one_minus_constant_color" | "one_minus_constant_alpha" => "one_minus_constant",
        "one" | "src_alpha_saturate" => "one",
        name => name,
    };
    point.op == Op::BlendFuncSeparate
        && matches!(operand, Some("source_alpha" | "destination_alpha"))
        && alpha(point.value) == alpha(other)
}

/// Heading of a row in the report.
pub fn part(class: Class) -> &'static str {
    if class.is_gl() { "OpenGL" } else { "Registers" }
}
