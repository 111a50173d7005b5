//! The headers against the library, the op table, and OpenGL's own headers.
#![allow(missing_docs, reason = "a test")]

use blinkgl::ops::{ENUM_SETS, EnumSet, OPS};
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

const HEADERS: [&str; 2] = ["blinkgl.h", "blinkglut.h"];

fn header(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("include").join(name)
}

/// A header without its comments.
fn code(path: &Path) -> String {
    let text = fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let mut code = String::new();
    let mut rest = text.as_str();
    while let Some((before, after)) = rest.split_once("/*") {
        code.push_str(before);
        rest = after.split_once("*/").expect("comments end").1;
    }
    code + rest
}

fn ours() -> String {
    HEADERS.iter().map(|name| code(&header(name))).collect()
}

/// `#define NAME number`.
fn defines(code: &str) -> BTreeMap<&str, u32> {
    let mut found = BTreeMap::new();
    for line in code.lines() {
        let words: Vec<&str> = line.split_whitespace().collect();
        if let ["#define", name, value] = words[..] {
            let number = match value.strip_prefix("0x") {
                Some(hex) => u32::from_str_radix(hex, 16),
                None => value.parse(),
            };
            if let Ok(number) = number {
                found.entry(name).or_insert(number);
            }
        }
    }
    found
}

/// Types of result and parameters of each function that is declared, without the parameters' names.
fn functions(code: &str) -> BTreeMap<String, Vec<String>> {
    let mut found = BTreeMap::new();
    let plain = code.replace("GLAPIENTRY", " ").replace("APIENTRY", " ").replace("GLAPI", " ");
    let lines: Vec<&str> = plain.lines().filter(|line| !line.trim_start().starts_with('#')).collect();
    for statement in lines.join(" ").split([';', '{', '}']) {
        let statement = statement.trim();
        let Some((head, parameters)) = statement.split_once('(') else { continue };
        let Some(parameters) = parameters.strip_suffix(')') else { continue };
        let head = head.trim_end();
        let at = head.rfind(|c: char| !c.is_alphanumeric() && c != '_').map_or(0, |i| i + 1);
        let (result, name) = head.split_at(at);
        if !is_ours(name)
            || result.contains("static")
            || result.contains("return")
            || result.contains("typedef")
        {
            continue;
        }
        let mut types = vec![type_of(result)];
        if parameters.contains('(') {
            types.push("functions".to_owned());
        } else {
            types.extend(parameters.split(',').map(|parameter| {
                let parameter = parameter.trim();
                let at = parameter.rfind(|c: char| !c.is_alphanumeric() && c != '_').map_or(0, |i| i + 1);
                type_of(if at == 0 { parameter } else { &parameter[..at] })
            }));
        }
        found.insert(name.to_owned(), types);
    }
    found
}

/// A type in one spelling.
fn type_of(text: &str) -> String {
    let text = format!("{text} ")
        .replace('*', " * ")
        .replace("extern", " ")
        .replace("GLvoid", "void")
        .replace("GLclamp", "GL");
    // A clamped float is a float.
    let text = text.replace("GLf ", "GLfloat ").replace("GLd ", "GLdouble ");
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[test]
fn they_compile_as_c_and_cpp() {
    let directory = std::env::temp_dir().join(format!("blinkgl-header-{}", std::process::id()));
    fs::create_dir_all(&directory).expect("a directory");
    for (file, standard) in [("a.c", "c99"), ("a.c", "c17"), ("a.cpp", "c++98"), ("a.cpp", "c++17")] {
        let source = directory.join(file);
        // Twice: they guard themselves.
        let text: String =
            HEADERS.iter().chain(&HEADERS).map(|name| format!("#include <{name}>\n")).collect();
        fs::write(&source, text + "int main() { return blinkReg(3).word == 3 ? 0 : 1; }\n").expect("a file");
        let output = Command::new("cc")
            .args(["-Wall", "-Wextra", "-pedantic", "-Werror", "-fsyntax-only"])
            .arg(format!("-std={standard}"))
            .arg("-I")
            .arg(header(""))
            .arg(&source)
            .output()
            .expect("a C compiler");
        assert!(output.status.success(), "{standard}: {}", String::from_utf8_lossy(&output.stderr));
    }
    fs::remove_dir_all(&directory).expect("it is there");
}

/// The functions that the library exports, built and installed as a user would.
fn exported() -> BTreeSet<String> {
    let temporary = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let prefix = temporary.join("blinkgl-header");
    let output = Command::new(header("../../scripts/install-c"))
        .arg("--debug")
        .arg(&prefix)
        .env("CARGO_TARGET_DIR", temporary.parent().expect("it is in the build directory"))
        .output()
        .expect("the script starts");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let output = Command::new("nm")
        .args(["--defined-only", "--extern-only", "--format=posix"])
        .arg(prefix.join("lib/libblinkgl.a"))
        .output()
        .expect("nm is with the compiler");
    let listed = String::from_utf8_lossy(&output.stdout);
    let symbols = listed.lines().filter_map(|line| line.split_once(" T ").map(|(name, _)| name));
    symbols.filter(|name| is_ours(name)).map(str::to_owned).collect()
}

/// As `glBegin`, `gluSphere`, `glutInit`, `blinkAdd`.
fn is_ours(name: &str) -> bool {
    ["gl", "glu", "glut", "blink"].iter().any(|prefix| {
        name.strip_prefix(prefix).is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_uppercase()))
    })
}

#[test]
fn what_is_declared_is_exported() {
    let code = ours();
    let declared: BTreeSet<String> = functions(&code).into_keys().collect();
    assert!(declared.len() > 400, "{} functions", declared.len());
    let exported = exported();
    let missing: Vec<_> = declared.difference(&exported).collect();
    let hidden: Vec<_> = exported.difference(&declared).collect();
    assert!(missing.is_empty() && hidden.is_empty(), "not exported: {missing:?}; not declared: {hidden:?}");
}

/// The name of a value in OpenGL's headers.
fn gl_name(set: &EnumSet, value: &str) -> Option<String> {
    let upper = value.to_uppercase();
    Some(match set.name {
        "predicate" => return Some(format!("BLINK_{upper}")),
        "external" => return Some(format!("BLINK_READ_{upper}")),
        "clear mask" if value == "color" => "GL_COLOR_BUFFER_BIT".to_owned(),
        "clear mask" => format!("GL_{upper}_BUFFER_BIT"),
        "attribute groups" => format!("GL_{upper}_BIT"),
        "light model" => format!("GL_LIGHT_MODEL_{upper}"),
        "fog parameter" => format!("GL_FOG_{upper}"),
        "texture parameter" => format!("GL_TEXTURE_{upper}"),
        "point parameter" => format!("GL_POINT_{upper}"),
        "hint target" => format!("GL_{upper}_HINT"),
        "array" => match value {
            "tex_coord0" => "GL_TEXTURE_COORD_ARRAY".to_owned(),
            // OpenGL has it by glClientActiveTexture.
            "tex_coord1" => return None,
            _ => format!("GL_{upper}_ARRAY"),
        },
        _ => format!("GL_{upper}"),
    })
}

#[test]
fn each_value_of_the_table_is_defined() {
    let code = ours();
    let defines = defines(&code);
    for set in ENUM_SETS {
        for &(value, number) in set.values {
            let Some(name) = gl_name(set, value) else { continue };
            assert_eq!(defines.get(&*name), Some(&number), "{name} of the {} set", set.name);
        }
    }
}

#[test]
fn each_op_is_recorded_by_a_call() {
    let code = ours();
    let declared = functions(&code);
    for row in OPS.iter().filter(|row| row.class.is_gl()) {
        // The table's descriptions begin with OpenGL's name.
        let name: String = row.doc.chars().take_while(|c| c.is_alphanumeric()).collect();
        let name = if row.doc.starts_with("gl*Pointer") { "glVertexPointer" } else { &*name };
        assert!(declared.contains_key(name), "{}: the header has no {name}", row.name);
        let registers = row.operands.iter().any(|operand| operand.kind.takes_register());
        let with_registers = declared.keys().any(|declared| {
            declared.strip_suffix("_r").is_some_and(|plain| {
                plain.trim_end_matches(['v', 'f', 'd']) == name.trim_end_matches(['v', 'f', 'd', 'i'])
            })
        });
        assert!(!registers || with_registers, "{}: the header has no {name}_r", row.name);
    }
}

#[test]
fn opengl_has_the_same() {
    let system = |name: &str| code(&Path::new("/usr/include/GL").join(name));
    let theirs = ["gl.h", "glext.h", "glu.h"].map(system).concat();
    let (their_defines, their_functions) = (defines(&theirs), functions(&theirs));
    let code = ours();
    let mut compared = 0;
    for (name, value) in defines(&code) {
        if name.starts_with("GL_") || name.starts_with("GLU_") {
            assert_eq!(their_defines.get(name), Some(&value), "{name}");
            compared += 1;
        }
    }
    assert!(compared > 300, "{compared} values");
    let mut compared = 0;
    for (name, types) in functions(&code) {
        let of_opengl = !name.starts_with("glut") && !name.starts_with("blink") && !name.ends_with("_r");
        if of_opengl {
            assert_eq!(their_functions.get(&name), Some(&types), "{name}");
            compared += 1;
        }
    }
    assert!(compared > 250, "{compared} functions");
}
