//! The reference of the op table, as plain text and as the page `docs/OPS.md`.

use blinkgl::ops::{
    AttributeOp, BeginOp, Callback, Class, ComputeOp, DrawOp, ENUM_SETS, EndOp, External, JumpOp, Kind,
    ListCallOp, ListDefinitionOp, OPS, OpInfo, ReadOp, SignalOp, StateOp, VertexOp,
};
use std::fmt::Write as _;

/// First code of each section of the table, with its title.
const SECTIONS: [(u16, &str); 12] = [
    (0x001, "Registers"),
    (0x020, "Jumps"),
    (0x030, "External state"),
    (0x040, "Signals"),
    (0x100, "Immediate mode"),
    (0x120, "Matrices"),
    (0x140, "State"),
    (0x160, "Lighting"),
    (0x170, "Attribute stack"),
    (0x180, "Textures"),
    (0x1a0, "Display lists"),
    (0x1b0, "Vertex arrays"),
];

/// The name of an op's class.
fn class_name(class: Class) -> &'static str {
    match class {
        Class::Compute(_) => "compute",
        Class::Read(_) => "read",
        Class::Signal(_) => "signal",
        Class::Jump(_) => "jump",
        Class::State(_) => "state",
        Class::Attribute(_) => "attribute",
        Class::Vertex(_) => "vertex",
        Class::Begin(_) => "begin",
        Class::End(_) => "end",
        Class::Draw(_) => "draw",
        Class::ListDefinition(_) => "list definition",
        Class::ListCall(_) => "list call",
    }
}

/// An op of each class, in the order of the places where the classes may stand.
const CLASSES: [Class; 12] = [
    Class::Compute(ComputeOp::Mov),
    Class::Read(ReadOp::Read),
    Class::Signal(SignalOp::RequestFrame),
    Class::Jump(JumpOp::Jmp),
    Class::State(StateOp::MatrixMode),
    Class::Attribute(AttributeOp::Normal3),
    Class::Vertex(VertexOp::Vertex2),
    Class::Begin(BeginOp::Begin),
    Class::End(EndOp::End),
    Class::Draw(DrawOp::Clear),
    Class::ListDefinition(ListDefinitionOp::NewList),
    Class::ListCall(ListCallOp::CallList),
];

/// What an operand may be, in a word.
fn kind_name(kind: Kind) -> String {
    match kind {
        Kind::Dst => "register".to_string(),
        Kind::Float => "float".to_string(),
        Kind::Int => "int".to_string(),
        Kind::Raw => "raw".to_string(),
        Kind::Enum(set) | Kind::Bits(set) => set.name.to_string(),
        Kind::Bool => "bool".to_string(),
        Kind::Texture => "texture".to_string(),
        Kind::Buffer => "buffer".to_string(),
        Kind::Count => "count".to_string(),
        Kind::List => "list".to_string(),
        Kind::Label => "label".to_string(),
    }
}

/// Some lines on one op.
pub(crate) fn plain(row: &OpInfo) -> String {
    let mut text = format!("{}\n    {}\n", blinkgl::dis::signature(row.op), row.doc);
    for operand in row.operands {
        let (form, set) = match operand.kind {
            Kind::Enum(set) => ("one of", Some(set)),
            Kind::Bits(set) => ("an or of", Some(set)),
            Kind::Dst
            | Kind::Float
            | Kind::Int
            | Kind::Raw
            | Kind::Bool
            | Kind::Texture
            | Kind::Buffer
            | Kind::Count
            | Kind::List
            | Kind::Label => ("", None),
        };
        let values = set.map_or_else(String::new, |set| {
            let names: Vec<&str> = set.values.iter().map(|&(name, _)| name).collect();
            format!(", {form} {}", names.join(" "))
        });
        let _ = writeln!(text, "    {}: {}{values}", operand.name, kind_name(operand.kind));
    }
    let _ =
        writeln!(text, "    code {:#05x}, class {}, fuel {}", row.op.code(), class_name(row.class), row.cost);
    text
}

/// The page `docs/OPS.md`.
pub(crate) fn markdown() -> String {
    let mut page = String::from(INTRODUCTION);
    for (i, &(first, title)) in SECTIONS.iter().enumerate() {
        let end = SECTIONS.get(i + 1).map_or(u16::MAX, |&(next, _)| next);
        let _ = writeln!(
            page,
            "\n## {title}\n\n| code | op and operands | class | fuel | meaning |\n|---|---|---|---|---|"
        );
        for row in OPS.iter().filter(|row| (first..end).contains(&row.op.code())) {
            let operands: Vec<String> =
                row.operands.iter().map(|o| format!("*{}*: {}", o.name, kind_name(o.kind))).collect();
            let _ = writeln!(
                page,
                "| `{:#05x}` | {} | {} | {} | {} |",
                row.op.code(),
                format!("**`{}`** {}", row.name, operands.join(", ")).trim_end(),
                class_name(row.class),
                row.cost,
                escaped(row.doc)
            );
        }
    }
    classes(&mut page);
    page.push_str(KINDS);
    sets(&mut page);
    page
}

fn classes(page: &mut String) {
    page.push_str(
        "\n## Where each class may stand\n\nA callback *executes* an op, or *compiles* it into a display list; \
        what is compiled does not count as executed.\n\n| class | between begin and end | in a display list |",
    );
    for callback in Callback::ALL {
        let _ = write!(page, " {callback} |");
    }
    page.push_str("\n|---|---|---|---|---|---|---|---|\n");
    for class in CLASSES {
        let name = class_name(class);
        let mark = |may| if may { "yes" } else { "-" };
        let inside = match class {
            Class::Vertex(_) | Class::End(_) => "only",
            Class::Compute(_)
            | Class::Read(_)
            | Class::Signal(_)
            | Class::Jump(_)
            | Class::State(_)
            | Class::Attribute(_)
            | Class::Begin(_)
            | Class::Draw(_)
            | Class::ListDefinition(_)
            | Class::ListCall(_) => mark(class.inside_begin()),
        };
        let _ = write!(page, "| {name} | {inside} | {} |", mark(class.in_list()));
        for callback in Callback::ALL {
            let _ = write!(page, " {} |", mark(class.allowed_in(callback)));
        }
        page.push('\n');
    }
}

fn sets(page: &mut String) {
    page.push_str(
        "\n## Constants\n\nThe values are those of the OpenGL headers where OpenGL has the name.\n",
    );
    for set in ENUM_SETS {
        let _ = writeln!(page, "\n### {}\n", set.name);
        if set.name == blinkgl::ops::EXTERNAL.name {
            page.push_str(
                "What `read` gives, always as an `f32`.\n\n| name | value | meaning |\n|---|---|---|\n",
            );
            for (&(name, value), doc) in set.values.iter().zip(External::DOCS) {
                let _ = writeln!(page, "| `{name}` | {value} | {} |", escaped(doc));
            }
        } else {
            page.push_str("| name | value |\n|---|---|\n");
            for (name, value) in set.values {
                let _ = writeln!(page, "| `{name}` | `{value:#06x}` |");
            }
        }
    }
}

/// A bar would end the table's cell.
fn escaped(doc: &str) -> String {
    doc.replace('|', "\\|")
}

const INTRODUCTION: &str = "\
# The ops of BlinkGL

<!-- Written by `blinkgl ops --markdown`; a test compares. Change blinkgl/src/ops.rs instead. -->

How instructions are encoded is in [PROTOCOL.md](PROTOCOL.md#programs). In `.bgl` text an instruction is the op's
name and its operands, separated by commas: `rotate r0, 0.0, 0.0, 1.0`. *Fuel* is what one execution costs of the
budget of a callback's run.
";

const KINDS: &str = "
## Kinds of operands

| kind | register | constant | meaning |
|---|---|---|---|
| register | only | - | the register that is written |
| float | yes | an `f32` | |
| int | yes | an `i32` | a register's `f32` is converted: truncated, saturating, NaN to 0 |
| raw | yes | any 32 bits | taken as they are |
| bool | - | 0 or 1 | `false`, `true` |
| texture | - | an OID | of a texture of the same context; 0 for none |
| buffer | - | an OID | of a vertex or index buffer of the same context |
| count | - | a `u32` | how many, or from where; never a register, so that a program's cost is known before it runs |
| list | - | a name | of a display list of the window |
| label | - | a word offset | from word 0 of the program, to the start of an instruction ahead or to the program's end |
| others | - | one of the set below | of `clear mask` and `attribute groups`: an or of its values |
";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_op_and_class_is_in_the_reference() {
        let page = markdown();
        for row in OPS {
            let line = format!("| `{:#05x}` | **`{}`**", row.op.code(), row.name);
            assert_eq!(page.matches(&line).count(), 1, "{line}");
            let same = |class| std::mem::discriminant(class) == std::mem::discriminant(&row.class);
            assert!(CLASSES.iter().any(same), "no class of {}", row.name);
            assert!(plain(row).starts_with(row.name));
        }
    }

    #[test]
    fn every_bit_set_is_named_in_the_kinds() {
        let bits = OPS.iter().flat_map(|row| row.operands).filter_map(|operand| match operand.kind {
            Kind::Bits(set) => Some(set.name),
            Kind::Dst
            | Kind::Float
            | Kind::Int
            | Kind::Raw
            | Kind::Enum(_)
            | Kind::Bool
            | Kind::Texture
            | Kind::Buffer
            | Kind::Count
            | Kind::List
            | Kind::Label => None,
        });
        let others = KINDS.lines().last().unwrap_or("");
        for name in bits {
            assert!(others.contains(&format!("`{name}`")), "{name}");
        }
    }

    /// A row of another class in the middle of a section would be found by a reader who looks for it there.
    #[test]
    fn sections_begin_with_an_op() {
        for (first, title) in SECTIONS {
            assert!(OPS.iter().any(|row| row.op.code() == first), "{title}");
        }
        assert!(SECTIONS.is_sorted_by_key(|&(first, _)| first));
    }
}
