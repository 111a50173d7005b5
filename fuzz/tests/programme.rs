//! A small part of the programme, with each run of the tests: the long runs are `scripts/fuzz`.

use blinkgl::ops::Callback;
use fastrand::Rng;
use fuzz::Mismatch;
use fuzz::campaign::{self, Found, Plan, examine};
use fuzz::case::{Case, Checks, Expect, Part, corpus_size};
use fuzz::generate::Generator;
use fuzz::mutate;
use fuzz::stats::Stats;
use std::path::Path;
use std::time::Duration;

#[test]
fn thousands_of_cases_without_a_mismatch() {
    let plan = Plan {
        seed: 7,
        threads: 2,
        time: Duration::from_secs(3600),
        cases: 25_000,
        native_every: 50,
        report: None,
    };
    let (stats, found) = campaign::run(plan);
    assert!(
        found.is_none(),
        "{}",
        found.map(|found| found.minimised().mismatch.to_string()).unwrap_or_default()
    );
    assert!(stats.executions > 20_000, "{stats:?}");
    campaign::is_evidence(&stats).unwrap();
    assert!(stats.compiled > 200 && stats.suspended > 5000 && stats.primitives > 20_000, "{stats:?}");
}

/// Many steps: long tables, far jumps, many segments. By both tiers.
#[test]
fn great_programs() {
    let mut stats = Stats::default();
    for seed in 0..6 {
        let mut rng = Rng::with_seed(seed);
        let init = Generator::lists(&mut rng, 400);
        let redraw = Generator::valid(&mut rng, Callback::Redraw, 8000);
        let part = |callback, words| Part { callback, words, expect: Expect::Valid };
        let case = Case {
            parts: vec![part(Callback::Init, init), part(Callback::Redraw, redraw)],
            registers: [0x3f00_0000; 32],
            seed,
            checks: Checks {
                native: true,
                slices: true,
                cache: seed % 2 == 0,
                text: true,
                budget: true,
                layout: false,
            },
        };
        examine(&case, false, &mut stats).unwrap();
    }
    assert!(stats.compiled >= 6 && stats.primitives > 1000, "{stats:?}");
}

#[test]
fn a_case_is_always_the_same_and_survives_its_text() {
    let mut refusals = 0;
    for number in 0..500 {
        let case = Case::new(3, number, 10);
        assert_eq!(case, Case::new(3, number, 10));
        refusals += usize::from(case.parts.iter().any(|part| matches!(part.expect, Expect::Breaks(..))));
        assert_eq!(Case::from_text(&case.to_text()), Ok(case));
    }
    assert!(refusals > 50);
    assert_ne!(Case::new(3, 0, 10), Case::new(4, 0, 10));
}

#[test]
fn files_that_are_no_cases_are_told_apart() {
    let text = Case::new(3, 0, 10).to_text();
    let bad = text.replace("\nregisters", "\nregister");
    let (no_program, _) = text.split_once("\nprogram").unwrap();
    for (text, said) in [
        ("", "empty"),
        ("; program 1 of 2\n.callback redraw\n", ".case"),
        (bad.as_str(), "line 3"),
        (no_program, "no program"),
    ] {
        let error = Case::from_text(text).unwrap_err();
        assert!(error.contains(said), "{error}");
    }
}

#[test]
fn what_is_found_is_written_to_be_read_and_to_be_replayed() {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("found");
    let case = (0..).map(|number| Case::new(3, number, 10)).find(|case| case.parts.len() == 2).unwrap();
    let found = Found { case: case.clone(), number: 7, mismatch: Mismatch::new("facts", "a test") };
    let file = found.write(&folder, 3).unwrap();
    assert_eq!(file, folder.join("3-7.case"));
    assert_eq!(Case::from_text(&std::fs::read_to_string(&file).unwrap()), Ok(case.clone()));
    for (number, part) in (1..).zip(&case.parts) {
        let text = std::fs::read_to_string(folder.join(format!("3-7-{number}.bgl"))).unwrap();
        let assembled = blinkgl::asm::assemble(&text).unwrap();
        assert_eq!(
            (assembled.callback, assembled.program.untrusted_words()),
            (Some(part.callback), &*part.words)
        );
    }
}

#[test]
fn the_corpus_is_there() {
    assert!(corpus_size() > 200, "{}", corpus_size());
}

#[test]
fn mutations_change_programs() {
    let mut rng = Rng::with_seed(9);
    let changed = (0..100).filter(|_| {
        let words = Generator::valid(&mut rng, Callback::Redraw, 50);
        let mut other = words.clone();
        mutate::mutate(&mut rng, &mut other);
        words != other
    });
    assert!(changed.count() > 80);
}

/// An oracle that nothing fails would be none: a case that expects the wrong thing is a mismatch.
#[test]
fn wrong_expectations_are_mismatches() {
    let mut rng = Rng::with_seed(5);
    let valid = Generator::valid(&mut rng, Callback::Update, 40);
    let broken = Generator::broken(&mut rng, 8, 40);
    let oracle = |callback, words: &[u32], expect| {
        let parts = vec![Part { callback, words: words.to_vec(), expect }];
        let case = Case { parts, registers: [0; 32], seed: 1, checks: Checks::default() };
        examine(&case, false, &mut Stats::default()).map_err(|mismatch| mismatch.oracle)
    };
    assert_eq!(oracle(Callback::Update, &valid, Expect::Valid), Ok(()));
    assert_eq!(oracle(Callback::Update, &valid, Expect::Breaks(8, None)), Err("verdict"));
    assert_eq!(oracle(broken.callback, &broken.words, Expect::Breaks(8, broken.offset)), Ok(()));
    assert_eq!(oracle(broken.callback, &broken.words, Expect::Breaks(9, None)), Err("verdict"));
    assert_eq!(oracle(broken.callback, &broken.words, Expect::Breaks(8, Some(3))), Err("verdict"));
    assert_eq!(oracle(broken.callback, &broken.words, Expect::Valid), Err("verdict"));
    assert_eq!(oracle(broken.callback, &broken.words, Expect::Any), Ok(()));
}
