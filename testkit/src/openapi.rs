//! Checks replies against `/openapi.json`. Every reply that the testkit reads is checked, so the first test that meets
//! something undocumented fails.
//!
//! The check is stricter than a client should be: an undocumented field is a failure here.

use std::collections::HashMap;
use std::sync::{LazyLock, Mutex, PoisonError};

use jsonschema::Validator;
use serde_json::{Map, Value};

use super::{Hub, Reply};

/// The document, from a hub that is started for it.
static API: LazyLock<Value> = LazyLock::new(|| {
    let hub = Hub::start();
    let (reply, _) = hub.get("/openapi.json").header("Connection", "close").unchecked(hub.connect());
    closed(reply.ok())
});

static VALIDATORS: LazyLock<Mutex<HashMap<String, &'static Validator>>> = LazyLock::new(Mutex::default);

/// The OpenAPI document of the hub, with every object closed to additional properties.
pub fn openapi_document() -> &'static Value {
    &API
}

/// Checks a reply to a request.
#[track_caller]
pub(crate) fn check_reply(method: &str, target: &str, reply: &Reply) {
    let path = target.split('?').next().unwrap_or_default();
    // MCP and agent-chatroom have formats of their own, which `tests/mcp` and `tests/compat` check.
    let is_a_room = path.starts_with("/compat/") || path == "/health" || path.starts_with("/messages");
    if path == "/mcp" || path.starts_with("/mcp/") || is_a_room {
        return;
    }
    let Some((template, item)) = API["paths"].as_object().unwrap().iter().find(|(template, _)| fits(template, path))
    else {
        // Host and Origin are checked before the path.
        return assert!([403, 404, 421].contains(&reply.status), "{path} is not documented: {}", reply.status);
    };
    let Some(operation) = item.get(method.to_lowercase()) else { return };
    // An error of the HTTP parser occurs before the router and has no body.
    if reply.header("x-request-id").is_none() {
        return;
    }
    let what = format!("{method} {template} {}", reply.status);
    let response = resolved(&operation["responses"][reply.status.to_string()]);
    assert!(response.is_object(), "{what} is not documented: {}", reply.text());
    let Some(kinds) = response["content"].as_object() else { return };
    let kind = reply.header("content-type").unwrap_or_default().split(';').next().unwrap_or_default();
    let content = kinds.get(kind).unwrap_or_else(|| panic!("{what} is not documented as {kind}"));
    if kind != "application/json" {
        return;
    }
    validate(&format!("{what} {kind}"), &content["schema"], &reply.json());
}

/// Checks the data of a stream's event.
#[track_caller]
pub(crate) fn check_event(name: &str, data: &Value) {
    let events = API["components"]["schemas"]["Event"]["oneOf"].as_array().unwrap();
    let event = events.iter().find(|event| event["properties"]["event"]["const"] == name);
    let event = event.unwrap_or_else(|| panic!("the event {name} is not documented"));
    validate(&format!("event: {name}"), &event["properties"]["data"]["contentSchema"], data);
}

#[track_caller]
fn validate(what: &str, schema: &Value, value: &Value) {
    let errors = validator(what, schema).iter_errors(value);
    let errors: Vec<_> = errors.map(|error| format!("{}: {error}", error.instance_path())).collect();
    assert!(errors.is_empty(), "{what} does not match its schema:\n{}\n{value}", errors.join("\n"));
}

/// Whether a path matches a path template.
fn fits(template: &str, path: &str) -> bool {
    let (mut wanted, mut given) = (template.split('/'), path.split('/'));
    loop {
        match (wanted.next(), given.next()) {
            (None, None) => return true,
            (Some("{tail}"), Some(_)) => return true,
            (Some(wanted), Some(given)) if wanted == given => {}
            (Some(wanted), Some(given)) if wanted.starts_with('{') && !given.is_empty() => {}
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

/// The document, with additional properties forbidden. A schema composed of several objects is closed as a whole.
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
