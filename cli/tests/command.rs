//! The command as its users see it: arguments in, text and exit status out.
#![allow(missing_docs, reason = "test")]

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

fn blinkgl(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_blinkgl")).args(arguments).output().expect("the command runs")
}

fn stdout(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).expect("UTF-8")
}

fn stderr(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).expect("UTF-8")
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("in the workspace").to_path_buf()
}

/// A directory for the files of one test.
fn scratch(test: &str) -> PathBuf {
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(test);
    std::fs::create_dir_all(&path).expect("can be made");
    path
}

fn text(path: &Path) -> &str {
    path.to_str().expect("UTF-8")
}

/// All `.bgl` files of the examples and of the tests, with what their comments promise.
fn programs() -> Vec<(PathBuf, String)> {
    let mut found = vec![];
    for directory in ["blinkgl/programs", "cli/tests/programs"] {
        for entry in std::fs::read_dir(root().join(directory)).expect("is there") {
            let path = entry.expect("is there").path();
            let text = std::fs::read_to_string(&path).expect("is text");
            let promise = text.lines().find_map(|line| line.strip_prefix("; verify: "));
            let promise =
                promise.unwrap_or_else(|| panic!("{} promises nothing", path.display())).to_string();
            found.push((path, promise));
        }
    }
    assert!(found.len() >= 8, "the programs are not where this test looks");
    found
}

#[test]
fn programs_are_accepted_or_refused_as_they_promise() {
    for (path, promise) in programs() {
        let output = blinkgl(&["verify", text(&path)]);
        if promise == "accepted" {
            assert!(output.status.success(), "{}", stderr(&output));
            assert!(stdout(&output).starts_with("accepted for "), "{}", stdout(&output));
            continue;
        }
        let (rule, op) = promise
            .strip_prefix("error ")
            .and_then(|error| error.split_once(" @"))
            .unwrap_or_else(|| panic!("{}: `{promise}` is no promise", path.display()));
        let message = stderr(&output);
        assert_eq!(output.status.code(), Some(1), "{message}");
        assert!(message.contains(&format!("error: {rule} ")), "{promise}, but: {message}");
        if !matches!(rule, "V03" | "V21") {
            assert!(message.contains(&format!("at op {op} ")), "{promise}, but: {message}");
        }
    }
}

/// What a server with such a budget refuses, and the least budget with which it does not.
#[test]
fn budgets_are_those_of_a_server() {
    let file = scratch("budget").join("clear.bgl");
    std::fs::write(&file, "clear_color 0, 1, 0, 1\nclear color\n").expect("can be written");
    let output = blinkgl(&["verify", text(&file)]);
    let needed =
        stdout(&output).lines().find_map(|line| line.strip_prefix("needs a budget  of ")).map(str::to_owned);
    assert_eq!(needed.as_deref(), Some("17 units of fuel, 2 GL calls, 0 vertices, 0 bytes to upload"));
    for (option, value, is_enough) in
        [("--max-calls", "2", true), ("--max-calls", "1", false), ("--max-fuel", "16", false)]
    {
        let output = blinkgl(&["verify", text(&file), option, value]);
        assert_eq!(output.status.success(), is_enough, "{option} {value}: {}", stderr(&output));
        assert!(is_enough || stderr(&output).contains("V35 at the program's end"), "{}", stderr(&output));
    }
}

#[test]
fn text_and_words_are_the_same_program() {
    let directory = scratch("same");
    for (path, _) in programs() {
        let words = directory.join(path.with_extension("bglo").file_name().expect("has a name"));
        let output = blinkgl(&["asm", text(&path), "-o", text(&words)]);
        assert!(output.status.success(), "{}", stderr(&output));
        let from_text = blinkgl(&["dis", text(&path)]);
        let from_words = blinkgl(&["dis", text(&words)]);
        let without_callback: String = stdout(&from_text)
            .lines()
            .filter(|l| !l.starts_with(".callback"))
            .map(|l| format!("{l}\n"))
            .collect();
        assert_eq!(without_callback, stdout(&from_words), "{}", path.display());
    }
}

#[test]
fn a_refused_program_is_shown_with_its_place() {
    let directory = scratch("refused");
    let path = directory.join("refused.bgl");
    std::fs::write(&path, "    clear color\n    begin quads ; too late\n    push_matrix\n    end\n")
        .expect("written");
    let output = blinkgl(&["verify", text(&path)]);
    let message = stderr(&output);
    let mut lines = message.lines();
    let place = format!("{}:3: error: V18 at op 2 (`push_matrix`): ", text(&path));
    assert!(lines.next().is_some_and(|line| line.starts_with(&place)), "{message}");
    assert_eq!(lines.next(), Some("    3 |     push_matrix"));
    assert_eq!(stdout(&output), "");

    let words = directory.join("refused.bglo");
    assert!(blinkgl(&["asm", text(&path)]).status.success(), "writes {}", words.display());
    let message = stderr(&blinkgl(&["verify", text(&words)]));
    assert!(message.ends_with("\nword 0x8 | push_matrix\n"), "{message}");

    let message = stderr(&blinkgl(&["verify", "--callback", "input", text(&words)]));
    assert!(message.contains("error: V22 at op 0 (`clear`)"), "{message}");
}

#[test]
fn mistakes_in_text_are_reported_as_compilers_do() {
    let path = scratch("mistakes").join("mistakes.bgl");
    std::fs::write(&path, "begin qauds\nend\nfoo\n").expect("written");
    for command in ["asm", "dis", "verify"] {
        let output = blinkgl(&[command, text(&path)]);
        assert_eq!(output.status.code(), Some(1));
        let message = stderr(&output);
        let starts: Vec<&str> = message.lines().filter_map(|line| line.split(": error: ").next()).collect();
        assert_eq!(
            starts,
            [format!("{}:1:7", path.display()), format!("{}:3:1", path.display())],
            "{message}"
        );
    }
    assert!(!path.with_extension("bglo").exists(), "nothing is written for a text with mistakes");
}

#[test]
fn files_that_are_no_programs_are_told_apart() {
    let directory = scratch("files");
    let missing = directory.join("missing.bgl");
    let output = blinkgl(&["verify", text(&missing)]);
    assert_eq!((output.status.code(), stderr(&output).starts_with("cannot read")), (Some(2), true));

    let odd = directory.join("odd.bglo");
    std::fs::write(&odd, b"BGL1abc").expect("written");
    let output = blinkgl(&["dis", text(&odd)]);
    assert_eq!((output.status.code(), stderr(&output).contains("has 7 bytes")), (Some(2), true));

    let noise = directory.join("noise");
    std::fs::write(&noise, [0xff; 8]).expect("written");
    assert!(stderr(&blinkgl(&["dis", text(&noise)])).contains("is neither text"));
    let output = blinkgl(&["dis", "--binary", text(&noise)]);
    assert_eq!(stdout(&output), ".header 0xffffffff, 0xffffffff\n");
    let output = blinkgl(&["verify", "--binary", text(&noise)]);
    assert_eq!((output.status.code(), stderr(&output).contains("error: V0")), (Some(1), true));
}

#[test]
fn the_reference_page_is_up_to_date() {
    let output = blinkgl(&["ops", "--markdown"]);
    let page = std::fs::read_to_string(root().join("docs/OPS.md")).expect("is there");
    assert_eq!(stdout(&output), page, "run: blinkgl ops --markdown > docs/OPS.md");
}

#[test]
fn ops_are_found_by_a_part_of_their_name() {
    let found = stdout(&blinkgl(&["ops", "blend"]));
    assert!(found.starts_with("blend_func source, destination\n    glBlendFunc.\n"), "{found}");
    assert!(found.contains("source: blend factor, one of zero one src_color"), "{found}");
    assert_eq!(blinkgl(&["ops", "no such op"]).status.code(), Some(2));
}

#[test]
fn a_run_prints_what_the_program_does() {
    let program =
        |name: &str| root().join("blinkgl/programs").join(name).to_str().expect("UTF-8").to_string();
    let triangle = program("triangle.bgl");
    let output = blinkgl(&["run", "--trace", "--time", "1.5", &triangle]);
    let expected = format!(
        "{triangle}, redraw (interpreter)
  command       clear depth|color
  command       push_matrix
  command       rotate 105.0, 0.0, 0.0, 1.0
  primitive     triangle
                  -0.5 -0.5 0.0 1.0   color 1.0 0.0 0.0 1.0
                  0.5 -0.5 0.0 1.0   color 0.0 1.0 0.0 1.0
                  0.0 0.75 0.0 1.0   color 0.0 0.0 1.0 1.0
  command       pop_matrix
  drawn         4 commands, 1 primitives
  charged       43 units of fuel, 3 vertices
  attributes    color 0.0 0.0 1.0 1.0
  register      r0 = 105.0 (0x42d20000) (was 0.0 (0x00000000))
  effect        asks for the next frame
"
    );
    assert_eq!((stdout(&output), stderr(&output)), (expected, String::new()));

    // After half a turn the triangle rests.
    let output = blinkgl(&["run", "--time", "3", &triangle]);
    assert!(!stdout(&output).contains("next frame"), "{}", stdout(&output));

    // Lists of one program are there for the next.
    let alone = blinkgl(&["run", &program("clock.bgl")]);
    assert!(stdout(&alone).contains(" 0 primitives"), "{}", stdout(&alone));
    let both = blinkgl(&["run", &program("hand.bgl"), &program("clock.bgl")]);
    assert!(stdout(&both).contains(" 4 primitives"), "{}", stdout(&both));
}

#[test]
fn a_run_takes_registers_and_external_state() {
    let hover = root().join("blinkgl/programs/hover.bgl");
    let run = |arguments: &[&str]| {
        let output = blinkgl(&[&["run", text(&hover)], arguments].concat());
        assert!(output.status.success(), "{}", stderr(&output));
        stdout(&output)
    };
    let entered = run(&["--set", "width=200", "--set", "pointer_x=99"]);
    assert!(entered.contains("effect        notifies 1.0 (0x3f800000)\n"), "{entered}");
    assert!(entered.contains("effect        damages 200 x 300 pixels at 0, 0\n"), "{entered}");
    let stayed = run(&["--set", "width=200", "--set", "pointer_x=99", "--reg", "r4=1"]);
    assert!(!stayed.contains("effect"), "{stayed}");
    for wrong in [["--reg", "r32=1"], ["--reg", "x"], ["--set", "size=1"], ["--time", "-1"]] {
        let output = blinkgl(&[&["run", text(&hover)], &wrong[..]].concat());
        assert_eq!(output.status.code(), Some(2), "{wrong:?}");
    }
}

#[test]
fn a_run_verifies_first() {
    let path = root().join("cli/tests/programs/backward_jump.bgl");
    let output = blinkgl(&["run", text(&path)]);
    assert_eq!((output.status.code(), stdout(&output)), (Some(1), String::new()));
    assert!(stderr(&output).contains("error: V13 at op 1"), "{}", stderr(&output));
}

/// Lines `; run: ARGUMENTS` of a program: both tiers must do the same. Lines `; prints: TEXT` after one: it must print them.
#[test]
fn both_tiers_do_what_the_programs_promise() {
    let mut runs = 0;
    for (path, promise) in programs() {
        if promise != "accepted" {
            continue;
        }
        let run = |arguments: &str| {
            let arguments: Vec<&str> = arguments.split_whitespace().collect();
            let output = blinkgl(&[&["run", "--tier", "both", text(&path)], arguments.as_slice()].concat());
            assert!(output.status.success(), "{arguments:?}: {}", stderr(&output));
            let printed = stdout(&output);
            assert!(printed.contains("(both tiers, no difference)"), "{printed}");
            printed
        };
        let mut printed = run("");
        let source = std::fs::read_to_string(&path).expect("is text");
        for line in source.lines() {
            if let Some(arguments) = line.strip_prefix("; run: ") {
                printed = run(arguments);
                runs += 1;
            } else if let Some(expected) = line.strip_prefix("; prints: ") {
                let found = printed.lines().any(|line| line.trim() == expected);
                assert!(found, "{}: `{expected}` is not in\n{printed}", path.display());
            }
        }
    }
    assert!(runs > 10, "the programs' runs were not found");
}
