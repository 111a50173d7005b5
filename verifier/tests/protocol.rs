//! docs/PROTOCOL.md lists the rules.

#![allow(clippy::unwrap_used, reason = "test")]

use verifier::Rule;

#[test]
fn all_rules_are_in_the_protocol() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/PROTOCOL.md");
    let text = std::fs::read_to_string(path).unwrap();
    let listed: Vec<&str> = text.lines().filter(|line| line.starts_with("| V")).collect();
    let rules: Vec<String> = Rule::ALL.iter().map(|rule| format!("| {rule} | {} |", rule.title())).collect();
    assert_eq!(listed, rules);
}
