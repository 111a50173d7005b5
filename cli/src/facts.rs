//! What the verifier knows of a program, for people.

use blinkgl::External;
use std::fmt::{Display, Write as _};
use verifier::{BodyFacts, Occurs, VerifiedProgram};

/// All facts, one a line.
pub(crate) fn describe(program: &VerifiedProgram) -> String {
    let facts = program.facts();
    let mut text = String::new();
    let mut line = |name: &str, value: &dyn Display| {
        let _ = writeln!(text, "{name:<16}{value}");
    };
    line("accepted for", &program.callback());
    line("size", &format!("{} instructions, {} words", facts.instructions, program.words().len()));
    let needs = &facts.needs;
    line(
        "needs a budget",
        &format!(
            "of {} units of fuel, {} GL calls, {} vertices, {} bytes to upload",
            needs.fuel, needs.calls, needs.vertices, needs.upload_bytes
        ),
    );
    for (name, value) in body(&facts.body) {
        line(name, &value);
    }
    line(
        "writes",
        &format!(
            "{} ({} in each run)",
            registers(facts.registers_written),
            registers(facts.registers_always_written)
        ),
    );
    let externals: Vec<&str> = External::ALL
        .iter()
        .filter(|e| facts.externals >> e.value() & 1 != 0)
        .filter_map(|e| blinkgl::ops::EXTERNAL.name_of(e.value()))
        .collect();
    line("external state", &list(&externals));
    line("uses the time", &if facts.uses_time { "yes" } else { "no" });
    line("next frame", &occurs(facts.requests_frame));
    line("damage", &occurs(facts.damages));
    line("notify", &occurs(facts.notifies));
    for defined in &facts.lists {
        let _ = writeln!(
            text,
            "\ndisplay list {}, defined {}, words {:#x} to {:#x}",
            defined.name,
            occurs(defined.defined),
            defined.words.start,
            defined.words.end
        );
        for (name, value) in body(&defined.body) {
            let _ = writeln!(text, "  {name:<14}{value}");
        }
    }
    text
}

fn body(facts: &BodyFacts) -> Vec<(&'static str, String)> {
    let worst = &facts.worst;
    let uses = &facts.uses;
    let state: Vec<&str> = [
        (uses.depth_test, "depth test"),
        (uses.stencil_test, "stencil test"),
        (uses.blending, "blending"),
        (uses.scissor, "scissor"),
        (uses.color_mask, "color mask"),
        (uses.viewport, "viewport"),
        (uses.lighting, "lighting"),
        (uses.texturing, "texturing"),
    ]
    .into_iter()
    .filter_map(|(used, name)| used.then_some(name))
    .collect();
    let opaque = match (facts.is_opaque(false, false), facts.is_opaque(true, true)) {
        (true, _) => "yes",
        (false, true) => "yes, where scissor test and color mask are open before",
        (false, false) => "no",
    };
    let [modelview, projection, texture, texture1] = facts.matrix_rise;
    vec![
        (
            "worst case",
            format!(
                "{} ops, {} of them GL calls; {} units of fuel; {} vertices ({} after assembly, {} bytes to upload)",
                worst.ops,
                worst.gl_calls,
                worst.fuel,
                worst.vertices,
                worst.assembled,
                worst.upload_bytes()
            ),
        ),
        ("draws", occurs(facts.draws).to_string()),
        (
            "clears",
            format!(
                "color {}, depth {}, stencil {}",
                occurs(facts.clears_color),
                occurs(facts.clears_depth),
                occurs(facts.clears_stencil)
            ),
        ),
        ("opaque", opaque.to_string()),
        ("state", list(&state)),
        ("textures", list(&facts.textures)),
        ("buffers", list(&facts.buffers)),
        ("calls lists", list(&facts.calls)),
        (
            "matrix stacks",
            format!("modelview +{modelview}, projection +{projection}, texture +{texture} and +{texture1}"),
        ),
        ("reads", registers(facts.registers_read)),
    ]
}

fn occurs(occurs: Occurs) -> &'static str {
    match occurs {
        Occurs::Never => "never",
        Occurs::Maybe => "on some paths",
        Occurs::Always => "always",
    }
}

fn registers(bits: u32) -> String {
    let names: Vec<String> = (0..32).filter(|n| bits >> n & 1 != 0).map(|n| format!("r{n}")).collect();
    list(&names)
}

fn list(items: &[impl ToString]) -> String {
    if items.is_empty() {
        return "none".to_string();
    }
    items.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}
