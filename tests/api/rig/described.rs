//! Whether an answer is as `/openapi.json` describes it. Every answer the rig reads is looked at, so that what no
//! description speaks of is found by the test that first meets it.
//!
//! It is stricter than a reader of the API should be: a field nobody described is a fault here.

use std::collections::HashMap;
use std::sync::{LazyLock, Mutex, PoisonError};

use jsonschema::Validator;
use serde_json::{Map, Value};

use super::{Hub, Reply};

/// The description, from a hub of its own.
static API: LazyLock<Value> = LazyLock::new(|| {
    let hub = Hub::start();
    let (reply, _) = hub.get("/openapi.json").header("Connection", "close").unchecked(hub.dial());
    closed(reply.ok())
});

static VALIDATORS: LazyLock<Mutex<HashMap<String, &'static Validator>>> = LazyLock::new(Mutex::default);

/// The description as a hub serves it, with every object closed.
pub(crate) fn api() -> &'static Value {
    &API
}

/// Looks at an answer to a request.
#[track_caller]
pub(crate) fn check(method: &str, target: &str, reply: &Reply) {
    let path = target.split('?').next().unwrap_or_default();
    // What MCP says is described by MCP.
    // What agent-chatroom says, it says in shapes of its own; `tests/compat` holds it to them.
    let is_a_room = path.starts_with("/compat/") || path == "/health" || path.starts_with("/messages");
    if path == "/mcp" || path.starts_with("/mcp/") || is_a_room {
        return;
    }
    let Some((template, item)) = API["paths"].as_object().unwrap().iter().find(|(template, _)| fits(template, path))
    else {
        // Host and Origin are looked at before the path.
        return assert!([403, 404, 421].contains(&reply.status), "{path} is not described: {}", reply.status);
    };
    let Some(operation) = item.get(method.to_lowercase()) else { return };
    // What the parser of HTTP refuses comes before the router and has no body.
    if reply.header("x-request-id").is_none() {
        return;
    }
    let what = format!("{method} {template} {}", reply.status);
    let response = resolved(&operation["responses"][reply.status.to_string()]);
    assert!(response.is_object(), "{what} is not described: {}", reply.text());
    let Some(kinds) = response["content"].as_object() else { return };
    let kind = reply.header("content-type").unwrap_or_default().split(';').next().unwrap_or_default();
    let content = kinds.get(kind).unwrap_or_else(|| panic!("{what} is not described as {kind}"));
    if kind != "application/json" {
        return;
    }
    validate(&format!("{what} {kind}"), &content["schema"], &reply.json());
}

/// Looks at the data of an event of a stream.
#[track_caller]
pub(crate) fn check_event(name: &str, data: &Value) {
    let events = API["components"]["schemas"]["Event"]["oneOf"].as_array().unwrap();
    let event = events.iter().find(|event| event["properties"]["event"]["const"] == name);
    let event = event.unwrap_or_else(|| panic!("the event {name} is not described"));
    validate(&format!("event: {name}"), &event["properties"]["data"]["contentSchema"], data);
}

#[track_caller]
fn validate(what: &str, schema: &Value, said: &Value) {
    let faults = validator(what, schema).iter_errors(said);
    let faults: Vec<_> = faults.map(|fault| format!("{}: {fault}", fault.instance_path())).collect();
    assert!(faults.is_empty(), "{what} is not as described:\n{}\n{said}", faults.join("\n"));
}

/// Whether a path is one of those a template stands for.
fn fits(template: &str, path: &str) -> bool {
    let (mut wanted, mut said) = (template.split('/'), path.split('/'));
    loop {
        match (wanted.next(), said.next()) {
            (None, None) => return true,
            (Some("{tail}"), Some(_)) => return true,
            (Some(wanted), Some(said)) if wanted == said => {}
            (Some(wanted), Some(said)) if wanted.starts_with('{') && !said.is_empty() => {}
            _ => return false,
        }
    }
}

fn resolved(value: &Value) -> &Value {
    match value["$ref"].as_str() {
        Some(reference) => API.pointer(reference.trim_start_matches('#')).unwrap(),
        None => value,
    }
}

fn validator(name: &str, schema: &Value) -> &'static Validator {
    let mut known = VALIDATORS.lock().unwrap_or_else(PoisonError::into_inner);
    known.entry(name.to_owned()).or_insert_with(|| {
        let mut root = schema.clone();
        root["components"] = API["components"].clone();
        Box::leak(Box::new(jsonschema::draft202012::new(&root).unwrap()))
    })
}

/// The description with no room for fields it does not name. What is composed of several objects is closed as a whole.
fn closed(mut api: Value) -> Value {
    let open = api["components"]["schemas"].clone();
    for schema in api["components"]["schemas"].as_object_mut().unwrap().values_mut() {
        let Some(fields) = schema.as_object_mut() else { continue };
        if let Some(parts) = fields.get_mut("allOf").filter(|parts| parts[0]["$ref"].is_string()) {
            let name = parts[0]["$ref"].as_str().unwrap().rsplit('/').next().unwrap();
            parts[0] = open[name].clone();
            fields.insert("unevaluatedProperties".into(), false.into());
        } else {
            close(fields);
        }
    }
    api
}

fn close(fields: &mut Map<String, Value>) {
    for inner in fields.values_mut().filter_map(Value::as_object_mut) {
        close(inner);
    }
    if fields.get("type").is_some_and(|kind| kind == "object") && fields.contains_key("properties") {
        fields.insert("additionalProperties".into(), false.into());
    }
}
