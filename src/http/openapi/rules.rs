//! Rules between the fields of a body: a schema of fields alone cannot say them.

use serde_json::{Map, Value, json};

/// Adds the rules to the schemas of the bodies.
pub(super) fn add(api: &mut Value) {
    let schemas = &mut api["components"]["schemas"];
    schemas["SendInput"]["allOf"] = sending();
    schemas["CreateInput"]["allOf"] = creating();
    // An empty body means all defaults.
    for body in [
        "/paths/~1api~1channels/post/requestBody",
        "/paths/~1api~1channels~1{id}~1join/post/requestBody",
        "/paths/~1api~1account~1identities/post/requestBody",
    ] {
        api.pointer_mut(body).into_iter().for_each(|body| body["required"] = json!(false));
    }
    for operation in api["paths"].as_object_mut().into_iter().flat_map(Map::values_mut).flat_map(values) {
        for at in ["/parameters", "/responses/200/headers"] {
            operation.pointer_mut(at).into_iter().flat_map(values).for_each(never_null);
        }
    }
}

/// What is in a list or an object.
fn values(of: &mut Value) -> Box<dyn Iterator<Item = &mut Value> + '_> {
    match of {
        Value::Array(items) => Box::new(items.iter_mut()),
        Value::Object(fields) => Box::new(fields.values_mut()),
        _ => Box::new(std::iter::empty()),
    }
}

/// A parameter or header that is not there is not null: there is no null in a query or a header.
fn never_null(place: &mut Value) {
    if let Some([kind, _null]) = place["schema"]["type"].as_array().map(Vec::as_slice) {
        place["schema"]["type"] = kind.clone();
    }
}

/// There is a text, or there are attachments; a status has a short text and drops attachments.
fn sending() -> Value {
    let status = rogerrat_domain::limits::STATUS_CHARS;
    let said = |max: usize| {
        let text = json!({"type": "string", "minLength": 1, "maxLength": max});
        json!([
            {"required": ["message"], "properties": {"message": text}},
            {"required": ["text"], "properties": {"text": text, "message": {"type": "null"}}},
        ])
    };
    let mut message = said(rogerrat_domain::limits::TEXT_CHARS);
    let files = json!({"required": ["attachments"], "properties": {"attachments": {"type": "array", "minItems": 1}}});
    message.as_array_mut().into_iter().for_each(|ways| ways.push(files.clone()));
    json!([{
        "if": {"required": ["kind"], "properties": {"kind": {"const": "status"}}},
        "then": {"anyOf": said(status)},
        "else": {"anyOf": message},
    }])
}

/// `trusted` needs a password or identities, `private` claimed callsigns, a transcript with text a disk.
fn creating() -> Value {
    let is = |field: &str, value: Value| json!({"required": [field], "properties": {field: {"const": value}}});
    json!([
        {
            "if": is("trust_mode", json!("trusted")),
            "then": {"anyOf": [
                {"required": ["owner_password"], "properties": {"owner_password": {"type": "string", "pattern": r"\S"}}},
                {"required": ["require_identity"], "properties": {"require_identity": {"const": true}}},
            ]},
        },
        {
            "if": is("dm_visibility", json!("private")),
            "then": {"properties": {"claim_callsigns": {"const": true}}},
        },
        {
            "if": is("durability", json!("memory")),
            "then": {"properties": {"retention": {"enum": ["none", "metadata"]}}},
        },
    ])
}
