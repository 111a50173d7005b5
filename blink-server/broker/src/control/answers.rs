//! Makes the whole answer of its parts, and adds what only the broker knows.

use super::merge;
use super::process_stats::ProcessStats;
use crate::house::House;
use ipc::glass::ClassId;
use ipc::{ClientId, Question};
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

/// Bytes of all renderers' parts of one answer. Beyond, the largest are left out: so small ones are there, however much others
/// say. Together with the glass's part it is less than a message may have.
const MAX_PARTS_BYTES: usize = 8 << 20;

/// What each renderer said, or why it did not.
pub type Parts = BTreeMap<ClassId, Result<String, String>>;

/// The answer to a question.
pub fn complete(question: Question, glass: Value, parts: Parts, house: &mut House) -> Value {
    let (values, errors) = read(question, parts, house);
    match question {
        Question::List => {
            let mut list = merge::list(glass, values);
            complete_list(&mut list, &errors, house);
            list
        }
        Question::Stats => {
            let mut stats = merge::stats(glass, values);
            complete_stats(&mut stats, &errors, house);
            stats
        }
    }
}

/// Reads the parts: only what each says of its own clients. With them, what is wrong with the others.
fn read(question: Question, parts: Parts, house: &mut House) -> (Vec<Value>, BTreeMap<ClassId, String>) {
    let (mut texts, mut errors) = (Vec::new(), BTreeMap::new());
    for (class, part) in parts {
        match part {
            Ok(text) => texts.push((class, text)),
            Err(error) => {
                errors.insert(class, error);
            }
        }
    }
    texts.sort_by_key(|(_, text)| text.len());
    let (mut values, mut bytes) = (Vec::new(), 0);
    for (class, text) in texts {
        bytes += text.len();
        if bytes > MAX_PARTS_BYTES {
            errors.insert(class, "its answer is too long beside those of others".to_owned());
            continue;
        }
        match serde_json::from_str(&text) {
            Ok(value) => values.push(own_part(question, class, value, house)),
            Err(error) => {
                let what = format!("its answer makes no sense: {error}");
                house.supervisor.complain(class, &what);
                errors.insert(class, what);
            }
        }
    }
    (values, errors)
}

/// A renderer's part without what it says of others' clients.
fn own_part(question: Question, class: ClassId, mut value: Value, house: &House) -> Value {
    let is_own = |client: &Value| {
        let id = client.get("client").and_then(Value::as_u64).and_then(|id| u32::try_from(id).ok());
        id.is_some_and(|id| house.supervisor.class_of(ClientId(id)) == Some(class))
    };
    let clients = match question {
        Question::List => Some(&mut value),
        Question::Stats => value.get_mut("clients"),
    };
    if let Some(Value::Array(clients)) = clients {
        clients.retain(is_own);
    }
    value
}

/// Each client of a list: its id, its class, its fields.
fn each_client<'a>(
    list: &'a mut Value,
    house: &'a House,
) -> impl Iterator<Item = (ClientId, Option<ClassId>, &'a mut Map<String, Value>)> {
    list.as_array_mut().into_iter().flatten().filter_map(|entry| {
        let fields = entry.as_object_mut()?;
        let id = fields.get("client").and_then(Value::as_u64).and_then(|id| u32::try_from(id).ok())?;
        Some((ClientId(id), house.supervisor.class_of(ClientId(id)), fields))
    })
}

fn complete_list(list: &mut Value, errors: &BTreeMap<ClassId, String>, house: &House) {
    let states: BTreeMap<ClassId, String> = house
        .supervisor
        .renderers(&house.registry)
        .into_iter()
        .map(|renderer| (renderer.class, renderer.state))
        .collect();
    for (id, class, fields) in each_client(list, house) {
        fields.insert("class".to_owned(), json!(class));
        fields.insert("state".to_owned(), json!(class.and_then(|class| states.get(&class))));
        if let Some(client) = house.registry.client(id) {
            fields.insert("pid".to_owned(), json!(client.pid()));
            fields.insert("domain".to_owned(), json!(client.shared.guest()));
            fields.entry("name").or_insert_with(|| json!(client.info.name));
            fields.entry("memory_bytes").or_insert_with(|| json!(client.info.bytes));
        }
        if let (Some(class), Some(Value::Array(all))) = (class, fields.get_mut("errors"))
            && let Some(error) = errors.get(&class)
        {
            all.push(json!(format!("renderer of class {class}: {error}")));
        }
    }
}

fn complete_stats(stats: &mut Value, errors: &BTreeMap<ClassId, String>, house: &House) {
    if let Some(clients) = stats.get_mut("clients") {
        for (id, class, fields) in each_client(clients, house) {
            let Some(client) = house.registry.client(id) else { continue };
            fields.insert("class".to_owned(), json!(class));
            fields.insert("name".to_owned(), json!(client.info.name));
            fields.insert("pid".to_owned(), json!(client.pid()));
            fields.insert("domain".to_owned(), json!(client.shared.guest()));
            if let Some(stats) = client.pid().and_then(ProcessStats::of) {
                fields.insert("cpu_ms".to_owned(), json!(stats.cpu_ms));
                fields.insert("context_switches".to_owned(), json!(stats.context_switches));
            }
        }
    }
    let Value::Object(fields) = stats else { return };
    let supervisor = &house.supervisor;
    let broker = i32::try_from(std::process::id()).ok();
    for (who, pid) in
        [("glass", supervisor.glass_pid()), ("template", supervisor.template_pid()), ("broker", broker)]
    {
        fields.insert(format!("{who}_pid"), json!(pid));
        insert_counters(fields, who, pid.and_then(ProcessStats::of));
    }
    let (mut all, mut total) = (Vec::new(), None::<ProcessStats>);
    let renderers = supervisor.renderers(&house.registry);
    for renderer in &renderers {
        let stats = renderer.pid.and_then(ProcessStats::of);
        if let Some(stats) = stats {
            let sum = total.get_or_insert_default();
            sum.cpu_ms = sum.cpu_ms.saturating_add(stats.cpu_ms);
            sum.context_switches = sum.context_switches.saturating_add(stats.context_switches);
        }
        all.push(json!({
            "class": renderer.class,
            "names": renderer.names,
            "pid": renderer.pid,
            "starts": renderer.starts,
            "nice": renderer.nice,
            "cpu_ms": stats.map(|stats| stats.cpu_ms),
            "context_switches": stats.map(|stats| stats.context_switches),
            "memory_bytes": stats.map(|stats| stats.data_bytes),
            "state": renderer.state,
            "last_end": renderer.last_end,
            "error": errors.get(&renderer.class),
        }));
    }
    // The one of the lowest class, for those who know of one renderer only; before there is any, what it will be a copy of.
    let first = renderers.iter().find_map(|renderer| renderer.pid);
    let template = fields.get("template_pid").cloned().unwrap_or_default();
    fields.insert("renderer_pid".to_owned(), first.map_or(template, |pid| json!(pid)));
    insert_counters(fields, "renderer", total);
    fields.insert("renderer_starts".to_owned(), json!(supervisor.starts()));
    fields.insert("renderers".to_owned(), Value::Array(all));
    fields.insert("gl".to_owned(), json!(supervisor.gl()));
    fields.insert("uptime_ms".to_owned(), json!(house.warnings.now() / 1_000_000));
}

fn insert_counters(fields: &mut Map<String, Value>, who: &str, stats: Option<ProcessStats>) {
    fields.insert(format!("{who}_cpu_ms"), json!(stats.map(|stats| stats.cpu_ms)));
    fields.insert(format!("{who}_context_switches"), json!(stats.map(|stats| stats.context_switches)));
}
