//! docs/CONFORMANCE.md: what is drawn as OpenGL draws it, what is not, and how that is known.

use crate::coverage::{Coverage, Point, all_points, without_effect};
use crate::measure::{Difference, difference, drawn_by, picture_of_both_tiers};
use crate::scene::{Blink, Class, Scene};
use crate::{compat, scenes};
use blink_server::gl::context::Flavor;
use blinkgl::ops::OPS;
use std::fmt::Write as _;

const BEGIN: &str = "<!-- measured -->\n";
const END: &str = "<!-- /measured -->\n";
/// Scenes in the table of the worst.
const WORST: usize = 40;

/// What Blink has not. Naming it is an error when a program is recorded or compiled: there is no such function,
/// constant or op.
const LEFT_OUT: &[(&str, &str)] = &[
    (
        "glGet*, glIsEnabled",
        "a program runs later, in the server: there is nothing to ask. The C library answers what it knows itself",
    ),
    (
        "glReadPixels, glCopyPixels, glCopyTexImage",
        "what a window shows never goes back to a client: the server draws it when the client may be stopped",
    ),
    ("Occlusion queries", "as above"),
    ("Feedback and selection", "as above; picking is arithmetic on registers, or the client's"),
    (
        "glDrawPixels, glBitmap, glRasterPos, pixel transfer",
        "a textured rectangle does the same, and needs no second path into the framebuffer",
    ),
    (
        "Stipples of lines and polygons",
        "core OpenGL has none, and a texture with the alpha test does the same",
    ),
    (
        "Smooth points, lines and polygons; multisampling",
        "what they look like is the driver's choice, so no picture could be promised",
    ),
    ("Accumulation buffer", "no hardware has one, and it would be memory for each window"),
    ("Evaluators", "a client tessellates once; registers animate"),
    ("Edge flags", "only polygon modes look at them; a primitive's own edges are known"),
    (
        "1D, 3D and cube textures; borders, border color; LOD bias; priorities",
        "beyond OpenGL ES 1.1; a 2D texture of one row is a 1D one",
    ),
    (
        "Compressed and paletted textures, color tables",
        "textures are shared memory that the client writes as it is",
    ),
    (
        "Secondary color, separate specular color, fog coordinates",
        "beyond OpenGL ES 1.1, and hardly a program of its time has them",
    ),
    ("Color index mode", "no display has palettes"),
];

/// What OpenGL leaves open, so that no scene has it.
const OPEN: &[(&str, &str)] = &[
    ("What is current after a draw from arrays", "undefined for attributes whose arrays are on"),
    (
        "The environment `decal` with textures of luminance or alpha",
        "undefined in OpenGL's table of environments",
    ),
    (
        "Smooth quads whose colors are in no plane",
        "along which diagonal a quad is cut; scenes have quads on which it does not show",
    ),
    ("Fog behind the eye of a parallel projection", "whether distances or places are interpolated"),
    ("Polygons that are not convex, or not flat", "what they look like is undefined"),
    ("Arrays that reach beyond their buffer", "Blink reads zeros there; OpenGL may end the program"),
    (
        "Parts of polygons with borders, nearer than the view begins",
        "whether there are corners where the view cuts them",
    ),
];

/// What the driver that the scenes are compared with gets wrong, and what OpenGL is given instead.
const DRIVER: &[(&str, &str)] = &[
    (
        "A color waits until it is given to the material that tracks it; what is tracked by then may be another one",
        "the color is looked at before `glColorMaterial`, `glPushAttrib`, `glPopAttrib`",
    ),
    (
        "After `glPopAttrib` draws have the current color, normal and coordinates of before",
        "they are set again",
    ),
    ("`glPopAttrib` does not bring back what changed within another push and pop", "one push of both"),
    ("`glPopAttrib` of `GL_ENABLE_BIT` does not switch lights off again", "they are switched off"),
    ("`GL_POLYGON_OFFSET_LINE` and `_POINT` move filled polygons", "no offset"),
    (
        "With both faces lit, the material of one face may not change at each vertex",
        "it changes between primitives",
    ),
    ("Positions for lighting and fog are not divided by w", "w is 1 there"),
];

/// Measures all scenes, on each kind of OpenGL: the table of the worst.
pub fn measured(scenes: &[Scene]) -> String {
    let wanted = compat::pictures(scenes);
    let mut rows: Vec<(usize, usize, Flavor, Difference)> = vec![];
    let mut driver = String::new();
    for flavor in Flavor::ALL {
        let mut blink = Blink::of(flavor);
        writeln!(driver, "- {flavor:?}: {}", blink.tracker.describe()).unwrap();
        for (number, scene) in scenes.iter().enumerate().filter(|(_, scene)| drawn_by(flavor, scene)) {
            let found = difference(&picture_of_both_tiers(&mut blink, scene), &wanted[number]);
            let millionths = found.different * 1_000_000 / (scene.width * scene.height) as usize;
            rows.push((millionths, number, flavor, found));
        }
    }
    let pictures = rows.len();
    let equal = rows.iter().filter(|(.., found)| found.different == 0).count();
    rows.retain(|(.., found)| found.different > 0);
    rows.sort_by_key(|&(millionths, number, ..)| (std::cmp::Reverse(millionths), number));
    let mut text = format!(
        "Of {pictures} pictures, {equal} have no pixel that differs by more than 2/255. Measured with\n\n{driver}\n\
         | scene | OpenGL | pixels that differ | of all | by at most | class |\n|---|---|---|---|---|---|\n"
    );
    // One row where both are the same.
    let mut rows: Vec<(usize, usize, String, Difference)> =
        rows.into_iter().map(|(m, n, flavor, found)| (m, n, format!("{flavor:?}"), found)).collect();
    rows.dedup_by(|second, first| {
        let same = (second.0, second.1, second.3) == (first.0, first.1, first.3);
        if same {
            first.2 = "both".into();
        }
        same
    });
    for (millionths, number, flavor, found) in rows.into_iter().take(WORST) {
        let scene = &scenes[number];
        let class = scene.class.map_or("none", Class::name);
        let percent = millionths as f64 / 10_000.0;
        writeln!(
            text,
            "| `{}` | {flavor} | {} | {percent:.3} % | {}/255 | {class} |",
            scene.name, found.different, found.worst
        )
        .unwrap();
    }
    text
}

/// The measured part of a report.
pub fn measured_part(report: &str) -> Option<&str> {
    let (_, rest) = report.split_once(BEGIN)?;
    Some(rest.split_once(END)?.0)
}

/// Each scene of the table is there, has that class, and keeps the rule.
pub fn check_measured(scenes: &[Scene], measured: &str) {
    let rows: Vec<&str> = measured.lines().filter(|line| line.starts_with("| `")).collect();
    assert!(!rows.is_empty(), "no scene differs at all?");
    for row in rows {
        let cells: Vec<&str> = row.split('|').map(str::trim).collect();
        let name = cells[1].trim_matches('`');
        let scene = scenes.iter().find(|s| s.name == name).unwrap_or_else(|| panic!("no scene {name}"));
        assert_eq!(cells[6], scene.class.map_or("none", Class::name), "{name}");
        let percent: f64 = cells[4].trim_end_matches(" %").parse().unwrap();
        assert!(percent <= 0.5, "{row}");
    }
}

fn table(text: &mut String, head: &str, rows: &[(&str, &str)]) {
    writeln!(text, "| {head} |\n|---|---|").unwrap();
    for (left, right) in rows {
        writeln!(text, "| {left} | {right} |").unwrap();
    }
}

/// All of the report.
pub fn text(scenes: &[Scene], measured: &str) -> String {
    let coverage = Coverage::of(scenes);
    let points = all_points();
    let (values, idle): (Vec<&Point>, Vec<&Point>) = points
        .iter()
        .filter(|point| point.operand.is_some())
        .partition(|&point| without_effect(*point).is_none());
    let mut text = String::from(
        "# Conformance\n\n<!-- Written by `UPDATE_CONFORMANCE=1 cargo nextest run -p blink-server the_report`; a test \
         compares. -->\n\n\
         Blink's OpenGL is the fixed function of OpenGL 1, and its measure is OpenGL itself. Each *scene* is a program \
         in the language of stored procedures. The tracker draws it on OpenGL 3.3 (core profile) and on OpenGL ES, \
         by the interpreter and by native code, which must give the same bytes. Then each of its instructions becomes \
         the call of OpenGL that its row of the op table names, in the compatibility profile of the same driver, and \
         the pictures are compared.\n\n\
         The rule: at most 0.5 % of a scene's pixels differ by more than 2/255 in a channel, and a scene in which \
         *any* differs names the class of its differences, in the code next to it. A scene without a class has none.\n\n",
    );
    writeln!(
        text,
        "There are {} scenes in {} groups. They have all {} rows of the op table and all {} values of operands that \
         change a picture; {} change none, by design. For each of these values, a test puts another one of its \
         set in its place, and one of its scenes must look different. Each scene is also drawn next to a hostile \
         client's window, which leaves every piece of state odd and fills color, depth and stencil buffers: no \
         pixel changes. `blink-server/tests/draws.txt` has what each scene costs.\n",
        scenes.len(),
        scenes::GROUPS.len(),
        OPS.len(),
        values.len(),
        idle.len()
    )
    .unwrap();
    text += "## Differences\n\n| class | what it is | scenes that may have it |\n|---|---|---|\n";
    for class in Class::ALL {
        let count = scenes.iter().filter(|s| s.class == Some(class)).count();
        writeln!(text, "| {} | {} | {count} |", class.name(), class.explanation()).unwrap();
    }
    text += "\nThe worst scenes:\n\n";
    text += BEGIN;
    text += measured;
    text += END;
    text += "\n## Left out\n\nThere is no function, constant or op for these, so a program that names one is refused when \
             it is compiled or recorded.\n\n";
    table(&mut text, "what | why", LEFT_OUT);
    text +=
        "\n## Without effect\n\nThese may be named, and change no picture.\n\n| value | why |\n|---|---|\n";
    for point in &idle {
        writeln!(text, "| `{point}` | {} |", without_effect(**point).unwrap_or_default()).unwrap();
    }
    text += "\n## On OpenGL ES\n\n\
             OpenGL ES has no logical operations: a server that has only OpenGL ES draws as if they were off, and the \
             scenes that enable them are not compared there. Polygon modes need its version 3.2, for geometry shaders.\n\
             \n## Known to differ\n\n\
             Where front and back faces have different polygon modes, a batch draws the faces of one mode after those \
             of the other. Without a depth test, a primitive that comes later may so be covered by one before it.\n\
             \n## What OpenGL leaves open\n\nNo scene depends on these.\n\n";
    table(&mut text, "what | why", OPEN);
    text += "\n## What the driver gets wrong\n\nWhere Mesa 22.3 is not OpenGL, it is given the same said another way.\n\n";
    table(&mut text, "Mesa 22.3 | what it is given", DRIVER);
    text += "\n## Rows and scenes\n\nFor each row the number of scenes that have it, and one; for each value of an operand \
             one of the smallest that have it.\n";
    let mut part = "";
    for row in OPS {
        let heading = crate::coverage::part(row.class);
        if heading != part {
            part = heading;
            writeln!(text, "\n### {part}\n").unwrap();
        }
        let of =
            |operand: Option<usize>| points.iter().filter(move |p| p.op == row.op && p.operand == operand);
        let smallest = |names: &[String]| {
            let of = scenes.iter().filter(|s| names.contains(&s.name));
            of.min_by_key(|s| s.instructions().count()).map_or("", |s| s.name.as_str()).to_owned()
        };
        for point in of(None) {
            let names = coverage.scenes(*point);
            writeln!(text, "- **`{}`**: {}, `{}`", row.name, names.len(), smallest(names)).unwrap();
        }
        for (number, operand) in row.operands.iter().enumerate() {
            let cells: Vec<String> = of(Some(number))
                .filter(|p| without_effect(**p).is_none())
                .map(|p| format!("{} `{}`", p.name_of(p.value), smallest(coverage.scenes(*p))))
                .collect();
            if !cells.is_empty() {
                writeln!(text, "  - *{}*: {}", operand.name, cells.join(", ")).unwrap();
            }
        }
    }
    text
}
