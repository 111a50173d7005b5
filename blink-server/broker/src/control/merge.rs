//! What `blinkctl list` and `stats` show, made of what the glass and the renderers say.
//!
//! The glass's word counts for what people see of a window: its name, title, place. What a renderer says is taken only for clients
//! that the glass knows, so it can't invent any. Whoever calls this has left out what a renderer says of clients of other classes.

use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

/// Fields of a client that are lists, and that are there also if its renderer says nothing.
const LISTS: [&str; 3] = ["windows", "errors", "notes"];
/// Quantiles that can be merged: of all renderers, the greatest.
const QUANTILES: [&str; 3] = ["median", "p99", "max"];
/// Counters of a renderer that are taken, at most: it decides how many it sends.
const MAX_COUNTERS: usize = 64;

/// The clients: those of the glass's list, each with what its renderer adds. `renderers`: a list of each.
#[must_use]
pub fn list(glass: Value, renderers: Vec<Value>) -> Value {
    let mut told: BTreeMap<u64, Map<String, Value>> = BTreeMap::new();
    for client in renderers.into_iter().flat_map(elements) {
        if let Some(id) = number(&client, "client") {
            told.entry(id).or_insert(client);
        }
    }
    let mut clients: Vec<(u64, Map<String, Value>)> = elements(glass)
        .into_iter()
        .filter_map(|client| number(&client, "client").map(|id| (id, client)))
        .map(|(id, client)| (id, merge_client(told.remove(&id).unwrap_or_default(), client)))
        .collect();
    clients.sort_by_key(|&(id, _)| id);
    clients.into_iter().map(|(_, client)| Value::Object(client)).collect()
}

/// A client as its renderer says, and as the glass says.
fn merge_client(mut told: Map<String, Value>, mut shown: Map<String, Value>) -> Map<String, Value> {
    let drawn: BTreeMap<String, Map<String, Value>> = elements(told.remove("windows").unwrap_or_default())
        .into_iter()
        .filter_map(|window| Some((window.get("id")?.as_str()?.to_owned(), window)))
        .collect();
    let windows: Vec<Value> = elements(shown.remove("windows").unwrap_or_default())
        .into_iter()
        .map(|window| {
            let id = window.get("id").and_then(Value::as_str);
            let mut merged = id.and_then(|id| drawn.get(id)).cloned().unwrap_or_default();
            merged.extend(window);
            Value::Object(merged)
        })
        .collect();
    told.extend(shown);
    told.insert("windows".to_owned(), Value::Array(windows));
    for name in LISTS {
        if !told.get(name).is_some_and(Value::is_array) {
            told.insert(name.to_owned(), json!([]));
        }
    }
    told
}

/// The counters: `frames` and `refresh_hz` of the glass, sums and greatest quantiles of all renderers, the counters of all
/// clients, and under `glass` whatever the glass says.
#[must_use]
pub fn stats(glass: Value, renderers: Vec<Value>) -> Value {
    let mut all = Map::new();
    let mut clients: Vec<Map<String, Value>> = Vec::new();
    for renderer in renderers {
        let Value::Object(mut renderer) = renderer else { continue };
        clients.extend(elements(renderer.remove("clients").unwrap_or_default()));
        for (name, value) in renderer {
            if all.contains_key(&name) || all.len() < MAX_COUNTERS {
                let before = all.remove(&name);
                all.extend(merge_counter(before, value).map(|merged| (name, merged)));
            }
        }
    }
    clients.sort_by_key(|client| number(client, "client"));
    let clients: Vec<Value> = clients.into_iter().map(Value::Object).collect();
    all.insert("clients".to_owned(), Value::Array(clients));
    for name in ["frames", "refresh_hz"] {
        all.insert(name.to_owned(), glass.get(name).cloned().unwrap_or_default());
    }
    let wakeups = [all.remove("wakeups"), glass.get("wakeups").cloned()];
    let wakeups: u64 = wakeups.iter().flatten().filter_map(Value::as_u64).fold(0, u64::saturating_add);
    all.insert("wakeups".to_owned(), json!(wakeups));
    all.insert("glass".to_owned(), glass);
    Value::Object(all)
}

/// A counter of one renderer more: numbers are added, of quantiles the greatest stay. Others are left out.
fn merge_counter(before: Option<Value>, value: Value) -> Option<Value> {
    match (before, value) {
        (Some(Value::Number(a)), Value::Number(b)) => Some(match (a.as_u64(), b.as_u64()) {
            (Some(a), Some(b)) => json!(a.saturating_add(b)),
            _ => json!(a.as_f64().unwrap_or(0.0) + b.as_f64().unwrap_or(0.0)),
        }),
        (None, value @ Value::Number(_)) => Some(value),
        (before, Value::Object(value)) => {
            let before = before.unwrap_or_default();
            let greatest = |name: &str| {
                let [a, b] =
                    [before.get(name), value.get(name)].map(|v| v.filter(|v| v.is_number()).cloned());
                let is_less = |a: &Value, b: &Value| a.as_f64() < b.as_f64();
                match (a, b) {
                    (Some(a), Some(b)) => Some(if is_less(&a, &b) { b } else { a }),
                    (a, b) => a.or(b),
                }
            };
            let merged: Map<String, Value> =
                QUANTILES.iter().map(|&name| (name.to_owned(), greatest(name).unwrap_or_default())).collect();
            Some(Value::Object(merged))
        }
        (before, Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_)) => {
            before
        }
    }
}

/// The objects in an array.
fn elements(array: Value) -> Vec<Map<String, Value>> {
    let Value::Array(array) = array else { return Vec::new() };
    let objects = array.into_iter().filter_map(|value| match value {
        Value::Object(object) => Some(object),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => None,
    });
    objects.collect()
}

fn number(object: &Map<String, Value>, name: &str) -> Option<u64> {
    object.get(name).and_then(Value::as_u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_window_has_what_both_say_and_the_glass_is_right() {
        let glass = json!([
            {"client": 2, "name": "play", "class": 2, "windows": []},
            {"client": 1, "name": "work", "class": 1, "windows": [
                {"id": "1.0.2", "title": "Gears", "x": 10, "y": 30, "width": 300, "height": 200, "stack": 0, "focus": true,
                 "visible": true, "note": "slow"},
                {"id": "1.0.9", "title": "new", "x": 0, "y": 0}]}]);
        let renderers = vec![
            json!([{"client": 2, "name": "play", "memory_bytes": 5, "errors": ["e"], "notes": ["n"], "objects": 3,
                "windows": [{"id": "2.0.2", "redraws": 1}]}]),
            json!([{"client": 1, "name": "lies", "class": 9, "windows": [
                {"id": "1.0.2", "title": "lies", "x": 0, "redraws": 7, "slow": false, "procedures": [{"oid": 1}]},
                {"id": "2.0.2", "title": "of another"}]}]),
        ];
        let merged = list(glass, renderers);
        assert_eq!(
            merged,
            json!([
                {"client": 1, "name": "work", "class": 1, "errors": [], "notes": [], "windows": [
                    {"id": "1.0.2", "title": "Gears", "x": 10, "y": 30, "width": 300, "height": 200, "stack": 0,
                     "focus": true, "visible": true, "note": "slow", "redraws": 7, "slow": false,
                     "procedures": [{"oid": 1}]},
                    {"id": "1.0.9", "title": "new", "x": 0, "y": 0}]},
                {"client": 2, "name": "play", "class": 2, "memory_bytes": 5, "errors": ["e"], "notes": ["n"], "objects": 3,
                 "windows": []}])
        );
    }

    #[test]
    fn a_client_whose_renderer_is_dead_is_there_and_an_invented_one_is_not() {
        let glass = json!([{"client": 1, "name": "work", "class": 1, "windows": [{"id": "1.0.2"}]}]);
        let nonsense =
            vec![json!(null), json!({"client": 1}), json!([3, "x", {"client": "1"}, {"client": 7}])];
        let merged = list(glass, nonsense);
        assert_eq!(
            merged,
            json!([{"client": 1, "name": "work", "class": 1, "errors": [], "notes": [], "windows": [{"id": "1.0.2"}]}])
        );
        assert_eq!(list(json!("x"), vec![]), json!([]));
        let merged = list(
            json!([{"client": 1, "windows": 5}]),
            vec![json!([{"client": 1, "errors": "x", "windows": {}}, {"client": 1, "errors": ["second"]}])],
        );
        assert_eq!(merged, json!([{"client": 1, "errors": [], "notes": [], "windows": []}]));
    }

    #[test]
    fn counters_are_those_of_all_renderers() {
        let glass = json!({"frames": 600, "refresh_hz": 60.0, "wakeups": 5, "composed_us": {"median": 1}});
        let renderers = vec![
            json!({"frames": 9, "wakeups": 1, "compiled": 3, "late_us": {"median": 2.0, "p99": null, "max": 4},
                "gl": "x", "clients": [{"client": 3}, {"client": 4}]}),
            json!({"frames": 8, "wakeups": 2, "compiled": 4, "late_us": {"median": 1.0, "p99": 9, "max": 5},
                "clients": [{"client": 1}, 7]}),
            json!([]),
        ];
        let merged = stats(glass.clone(), renderers);
        assert_eq!(
            merged,
            json!({"frames": 600, "refresh_hz": 60.0, "wakeups": 8, "compiled": 7,
                "late_us": {"median": 2.0, "p99": 9, "max": 5},
                "clients": [{"client": 1}, {"client": 3}, {"client": 4}], "glass": glass})
        );
        let alone = stats(json!({"frames": 1}), vec![]);
        assert_eq!(
            alone,
            json!({"frames": 1, "refresh_hz": null, "wakeups": 0, "clients": [], "glass": {"frames": 1}})
        );
    }

    #[test]
    fn a_renderer_does_not_decide_how_many_counters_there_are() {
        let many: Map<String, Value> = (0..10_000).map(|i| (format!("n{i}"), json!(u64::MAX))).collect();
        let merged = stats(json!({}), vec![Value::Object(many.clone()), Value::Object(many)]);
        assert!(merged.as_object().unwrap().len() < 100);
        assert_eq!(merged["n0"], u64::MAX);
    }
}
