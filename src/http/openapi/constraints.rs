//! Constraints between the fields of a body, which derived schemas cannot express.

use serde_json::{Map, Value, json};

/// The bodies without a field that must be there.
const ACCEPT_EMPTY: [&str; 8] = [
    "CreateAccountInput",
    "CreateInput",
    "IdentityInput",
    "JoinInput",
    "PostStreamInput",
    "RemoteInput",
    "ReplayInput",
    "TakeInput",
];

/// Adds the constraints to the schemas of request bodies.
pub(super) fn add(api: &mut Value) {
    let schemas = &mut api["components"]["schemas"];
    schemas["SendInput"]["allOf"] = send_rules();
    schemas["CreateInput"]["allOf"] = create_rules();
    schemas["RemoteInput"]["allOf"] = json!([memory_rule()]);
    // A file has the media type that its sender gave, and any content.
    let path = "/paths/~1api~1channels~1{id}~1messages~1{message}~1attachments~1{n}/get/responses/200/content";
    if let Some(content) = api.pointer_mut(path) {
        *content = rogerrat_domain::limits::ATTACHMENT_MIMES
            .map(|mime| (mime.to_owned(), json!({"schema": {}})))
            .into_iter()
            .collect();
    }
    for operation in api["paths"].as_object_mut().into_iter().flat_map(Map::values_mut).flat_map(values) {
        if let Some(body) = operation.get_mut("requestBody").filter(|body| accepts_empty(body)) {
            body["required"] = json!(false);
        }
        for at in ["/parameters", "/responses/200/headers"] {
            operation.pointer_mut(at).into_iter().flat_map(values).for_each(|parameter| {
                remove_null(parameter);
            });
        }
    }
    remove_signed_formats(api);
}

/// Whether a request body may be empty, which means defaults.
fn accepts_empty(body: &Value) -> bool {
    let schema = body["content"]["application/json"]["schema"]["$ref"].as_str().and_then(|at| at.rsplit('/').next());
    schema.is_some_and(|schema| ACCEPT_EMPTY.contains(&schema))
}

/// The items of an array or the values of an object.
fn values(of: &mut Value) -> Box<dyn Iterator<Item = &mut Value> + '_> {
    match of {
        Value::Array(items) => Box::new(items.iter_mut()),
        Value::Object(fields) => Box::new(fields.values_mut()),
        _ => Box::new(std::iter::empty()),
    }
}

/// Removes `null` from the type of a parameter or header: one that is absent is not null.
fn remove_null(parameter: &mut Value) {
    if let Some([kind, _null]) = parameter["schema"]["type"].as_array().map(Vec::as_slice) {
        parameter["schema"]["type"] = kind.clone();
    }
}

/// Removes `format: int32` and `int64` from unsigned numbers: the upper half of their range is accepted, too.
fn remove_signed_formats(schema: &mut Value) {
    if let Some(fields) = schema.as_object_mut().filter(|fields| fields.contains_key("minimum")) {
        fields.retain(|key, value| key != "format" || value != "int32" && value != "int64");
    }
    if schema.is_object() || schema.is_array() {
        values(schema).for_each(remove_signed_formats);
    }
}

/// A message needs a text or attachments. A status needs a short text; its attachments are ignored.
fn send_rules() -> Value {
    let status = rogerrat_domain::limits::STATUS_CHARS;
    let text_of = |max: usize| {
        let text = json!({"type": "string", "minLength": 1, "maxLength": max});
        json!([
            {"required": ["message"], "properties": {"message": text}},
            {"required": ["text"], "properties": {"text": text, "message": {"type": "null"}}},
        ])
    };
    let mut message = text_of(rogerrat_domain::limits::TEXT_CHARS);
    let files = json!({"required": ["attachments"], "properties": {"attachments": {"type": "array", "minItems": 1}}});
    message.as_array_mut().into_iter().for_each(|options| options.push(files.clone()));
    json!([{
        "if": {"required": ["kind"], "properties": {"kind": {"const": "status"}}},
        "then": {"anyOf": text_of(status)},
        "else": {"anyOf": message},
    }])
}

/// `trusted` needs a password or identities, `private` needs claimed callsigns.
fn create_rules() -> Value {
    let is = |field: &str, value: Value| json!({"required": [field], "properties": {field: {"const": value}}});
    json!([
        {
            "if": is("trust_mode", json!("trusted")),
            "then": {"anyOf": [
                {
                    "required": ["owner_password"],
                    "properties": {"owner_password": {"type": "string", "pattern": r"\S"}},
                },
                {"required": ["require_identity"], "properties": {"require_identity": {"const": true}}},
            ]},
        },
        {
            "if": is("dm_visibility", json!("private")),
            "then": {"properties": {"claim_callsigns": {"const": true}}},
        },
        memory_rule(),
    ])
}

/// A transcript with text needs `disk`.
fn memory_rule() -> Value {
    json!({
        "if": {"required": ["durability"], "properties": {"durability": {"const": "memory"}}},
        "then": {"properties": {"retention": {"enum": ["none", "metadata"]}}},
    })
}
