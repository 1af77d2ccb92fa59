//! Error responses: generated for each route from its `x-error-codes`, one per status.

use std::collections::BTreeMap;

use rogerrat_domain::Code;
use serde_json::{Map, Value, json};

use crate::web::{ANY_HOST, problem};

/// Adds the error responses of every operation, and the `X-Request-Id` header of every response.
pub(super) fn add(api: &mut Value) {
    api["components"]["schemas"]["Problem"] = problem_schema();
    api["components"]["headers"]["X-Request-Id"] = json!({
        "description": "The request id. Report it to the operator if something goes wrong.",
        "schema": {"type": "string", "format": "uuid"},
    });
    let mut responses = Map::new();
    for (path, operations) in api["paths"].as_object_mut().into_iter().flatten() {
        for operation in operations.as_object_mut().into_iter().flat_map(Map::values_mut) {
            add_errors(path, operation, &mut responses);
        }
    }
    api["components"]["responses"] = responses.into();
}

/// Adds the error responses of one operation. Routes share a response if its codes are the same; it is named after
/// them.
fn add_errors(path: &str, operation: &mut Value, responses: &mut Map<String, Value>) {
    let own = operation["x-error-codes"].as_array().cloned().unwrap_or_default();
    let everywhere =
        [Code::Internal, Code::Misdirected, Code::Forbidden, Code::Banned].map(|code| json!(code.as_str()));
    let any_host = ANY_HOST.contains(&path);
    let documented: Vec<_> = own.iter().chain(everywhere.iter().take(if any_host { 1 } else { 4 })).collect();
    let mut by_status = BTreeMap::<u16, Vec<&str>>::new();
    for code in Code::ALL.iter().filter(|code| documented.iter().any(|known| *known == code.as_str())) {
        by_status.entry(problem::status(*code).as_u16()).or_default().push(code.as_str());
    }
    for response in operation["responses"].as_object_mut().into_iter().flat_map(Map::values_mut) {
        response["headers"]["X-Request-Id"] = request_id();
    }
    for (status, codes) in &by_status {
        let name = codes.join("-");
        operation["responses"][status.to_string()] = json!({"$ref": format!("#/components/responses/{name}")});
        responses.entry(name).or_insert_with(|| response(*status, codes));
    }
    operation["x-error-codes"] = by_status.values().flatten().copied().collect();
}

fn response(status: u16, codes: &[&str]) -> Value {
    let names: Vec<_> = codes.iter().map(|code| format!("`{code}`")).collect();
    let schema = json!({"$ref": "#/components/schemas/Problem", "properties": {"code": {"enum": codes}}});
    let mut response = json!({"description": names.join(", "), "content": {"application/json": {"schema": schema}}});
    response["headers"]["X-Request-Id"] = request_id();
    let number = |description| json!({"description": description, "schema": {"type": "integer", "minimum": 0}});
    if status == 429 || status == 503 {
        response["headers"]["Retry-After"] = number("Seconds to wait before retrying.");
    }
    if status == 429 {
        response["headers"]["X-RateLimit-Limit"] = number("Sends allowed per minute, if sends are limited.");
        response["headers"]["X-RateLimit-Remaining"] = number("Sends left in the current minute.");
        response["headers"]["X-RateLimit-Reset"] = number("When the next send is allowed, in seconds since the epoch.");
    }
    response
}

fn request_id() -> Value {
    json!({"$ref": "#/components/headers/X-Request-Id"})
}

/// The schema of every error body.
fn problem_schema() -> Value {
    json!({
        "type": "object",
        "description": "An error. Programs should act on `code`.",
        "required": ["error", "code", "request_id"],
        "properties": {
            "error": {"type": "string", "description": "What is wrong, for people."},
            "code": {
                "type": "string",
                "enum": Code::ALL.map(Code::as_str),
                "description": "The error code, for programs.",
            },
            "hint": {"type": "string", "description": "How to fix it."},
            "retry_after_seconds": {"type": "integer", "minimum": 1, "description": "Seconds to wait before retrying."},
            "field": {
                "type": "string",
                "description": "The field that is wrong or missing: `owner_password`, `identity_key` or `callsign`; with \
                    `not_found`, `task` if the channel exists and the task does not.",
            },
            "free_callsign": {"type": "string", "description": "With `callsign_taken`: a callsign that is free."},
            "outcome": {"type": "string", "enum": ["unknown"], "description": "The request may have been performed."},
            "draining": {"type": "boolean", "description": "The hub is shutting down."},
            "state": {"type": "string", "description": "With `task_taken`, `task_closed` and `fence_stale`: the state of the task."},
            "holder": {"type": "string", "description": "With these codes: the callsign of who has the task, if somebody has."},
            "fence": {"type": "integer", "minimum": 1, "description": "With these codes: its current fence, if it was ever taken."},
            "lease_until": {
                "type": "integer",
                "description": "With these codes: when the lease ends, in milliseconds since the epoch. Absent if no lease runs.",
            },
            "request_id": {"type": "string", "format": "uuid", "description": "The same as `X-Request-Id`."},
        },
    })
}
