//! What `blinkctl list` says of procedures that are not as their client wants them.
#![allow(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::cast_possible_wrap,
    clippy::wildcard_enum_match_arm,
    missing_docs,
    reason = "a test"
)]

mod support;

use blink_client::WindowDesc;
use blink_server::ipc::Command;
use blinkgl::WireProgram;
use blinkgl::ops::Callback;
use serde_json::{Value, json};
use std::time::{Duration, Instant};
use support::{Fixture, Guest};
use verifier::Rule;

fn assemble(text: &str) -> WireProgram {
    blinkgl::asm::assemble(text).unwrap_or_else(|errors| panic!("{errors}\n{text}")).program
}

fn list(fixture: &mut Fixture) -> Value {
    let now = fixture.now;
    fixture.server.command(Command::List, now).unwrap().value[0].clone()
}

/// A window with this `redraw`; gives the procedure's OID.
fn publish(guest: &mut Guest, redraw: &WireProgram) -> u32 {
    let mut commit = guest.context.commit();
    let redraw = commit.procedure(Callback::Redraw, redraw).unwrap().number();
    let mut desc = WindowDesc { width: 100, height: 100, ..WindowDesc::default() };
    desc.procedures[Callback::Redraw as usize] = redraw;
    commit.window(&desc).unwrap();
    commit.finish().unwrap();
    redraw
}

/// What the client prints of a refusal that only this server's budget explains.
#[test]
fn a_refusal_by_the_budget_says_so() {
    let refused =
        blink_client::ProcedureRejected { oid: 1, rule: Rule::V35.number(), op_index: 8, operand: None };
    assert!(refused.to_string().contains("more than this server allows"), "{refused}");
    let refused = blink_client::ProcedureRejected { rule: Rule::V34.number(), ..refused };
    assert!(refused.to_string().contains("rule V34 at op 8"), "{refused}");
}

#[test]
fn a_procedure_that_was_never_accepted_has_its_callback_and_no_tier() {
    let mut fixture = Fixture::new(200, 200);
    let mut guest = fixture.guest();
    let oid = publish(&mut guest, &WireProgram::from_words([0u32; 4].as_slice()));
    fixture.sync(&mut guest);
    let listed = list(&mut fixture);
    let procedure = &listed["windows"][0]["procedures"][0];
    assert_eq!((&procedure["oid"], &procedure["callback"]), (&json!(oid), &json!("redraw")));
    assert_eq!((&procedure["tier"], &procedure["instructions"]), (&Value::Null, &Value::Null));
    let error = procedure["error"].as_str().unwrap();
    assert!(error.starts_with("V01 "), "{error}");
    assert_eq!(listed["errors"], json!([format!("procedure 0.{oid} (redraw): {error}")]));
}

/// Here a compilation is given up, as if half a second had passed: the interpreter goes on, and that is no error.
#[test]
fn a_compilation_that_was_given_up_is_a_note() {
    let mut fixture = Fixture::new(200, 200);
    let mut guest = fixture.guest();
    let mut instructions = 0;
    // The compiler may be done before it is asked to give up; then with another program.
    for attempt in 0..20 {
        let text = format!("{}request_frame", "add r0, r0, 1.5\nsin r1, r0\n".repeat(8000 + attempt));
        instructions = 2 * (8000 + attempt) + 1;
        publish(&mut guest, &assemble(&text));
        fixture.sync(&mut guest);
        for _ in 0..8 {
            fixture.frame();
        }
        let queue = fixture.server.renderer.compile_queue();
        while queue.pending() > 0 {
            queue.tend(Instant::now() + Duration::from_secs(3600));
        }
        if queue.stats().late > 0 {
            break;
        }
    }
    assert_eq!(fixture.server.renderer.compile_queue().stats().late, 1);
    fixture.frame();
    let listed = list(&mut fixture);
    let note = format!(
        "a redraw procedure of {instructions} instructions: compiling it takes longer than 500 ms; the interpreter runs it"
    );
    assert_eq!((&listed["notes"], &listed["errors"]), (&json!([note]), &json!([])));
    let windows = listed["windows"].as_array().unwrap();
    assert_eq!(windows.last().unwrap()["procedures"][0]["tier"], json!("interpreter"));
}
