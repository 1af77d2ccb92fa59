//! The refusals of each route: its `x-error-codes` become responses, each with the codes its status is told with.

use std::collections::BTreeMap;

use rogerrat_domain::Code;
use serde_json::{Map, Value, json};

use super::super::problem;
use crate::web::ANY_HOST;

/// Adds to every operation what it can be refused with, and to every answer the header it has.
pub(super) fn add(api: &mut Value) {
    api["components"]["schemas"]["Problem"] = shape();
    api["components"]["headers"]["X-Request-Id"] = json!({
        "description": "The request's id: give it to the operator when something is wrong.",
        "schema": {"type": "string", "format": "uuid"},
    });
    let mut responses = Map::new();
    for (path, operations) in api["paths"].as_object_mut().into_iter().flatten() {
        for operation in operations.as_object_mut().into_iter().flat_map(Map::values_mut) {
            refusable(path, operation, &mut responses);
        }
    }
    api["components"]["responses"] = responses.into();
}

/// Responses that routes have in common stand once, under the names of their codes.
fn refusable(path: &str, operation: &mut Value, responses: &mut Map<String, Value>) {
    let own = operation["x-error-codes"].as_array().cloned().unwrap_or_default();
    let everywhere = [Code::Internal, Code::Misdirected, Code::Forbidden].map(|code| json!(code.as_str()));
    let any_host = ANY_HOST.contains(&path);
    let told: Vec<_> = own.iter().chain(everywhere.iter().take(if any_host { 1 } else { 3 })).collect();
    let mut by_status = BTreeMap::<u16, Vec<&str>>::new();
    for code in Code::ALL.iter().filter(|code| told.iter().any(|told| *told == code.as_str())) {
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
    let said: Vec<_> = codes.iter().map(|code| format!("`{code}`")).collect();
    let schema = json!({"$ref": "#/components/schemas/Problem", "properties": {"code": {"enum": codes}}});
    let mut response = json!({"description": said.join(", "), "content": {"application/json": {"schema": schema}}});
    response["headers"]["X-Request-Id"] = request_id();
    let number = |what| json!({"description": what, "schema": {"type": "integer", "minimum": 0}});
    if status == 429 || status == 503 {
        response["headers"]["Retry-After"] = number("Ask again after so many seconds.");
    }
    if status == 429 {
        response["headers"]["X-RateLimit-Limit"] = number("Sends allowed in a minute, where sends are limited.");
        response["headers"]["X-RateLimit-Remaining"] = number("Sends left of them.");
        response["headers"]["X-RateLimit-Reset"] = number("The second of the epoch at which one is free again.");
    }
    response
}

fn request_id() -> Value {
    json!({"$ref": "#/components/headers/X-Request-Id"})
}

/// The one shape of an error.
fn shape() -> Value {
    json!({
        "type": "object",
        "description": "Why a request was refused. Act on `code`.",
        "required": ["error", "code", "request_id"],
        "properties": {
            "error": {"type": "string", "description": "What is wrong, in words."},
            "code": {"type": "string", "enum": Code::ALL.map(Code::as_str), "description": "What is wrong, for programs."},
            "hint": {"type": "string", "description": "What to do about it."},
            "retry_after_seconds": {"type": "integer", "minimum": 1, "description": "When to ask again, in seconds."},
            "request_id": {"type": "string", "format": "uuid", "description": "The same as `X-Request-Id`."},
        },
    })
}
