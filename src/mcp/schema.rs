//! The JSON schemas of tools, from the domain's types.
//!
//! They contain no references, because clients do not follow them.

use serde_json::{Map, Value, json};
use utoipa::ToSchema;

const REF: &str = "#/components/schemas/";

/// The schema of a type, with every reference replaced by the schema it refers to.
pub(super) fn of<T: ToSchema>() -> Value {
    let mut parts = Vec::new();
    T::schemas(&mut parts);
    let parts = parts.into_iter().map(|(name, schema)| (name, to_value(&schema))).collect();
    inline(to_value(&T::schema()), &parts)
}

fn to_value(schema: &impl serde::Serialize) -> Value {
    #[expect(clippy::expect_used, reason = "a schema consists of strings, numbers and lists of them")]
    serde_json::to_value(schema).expect("a schema always serializes")
}

fn inline(schema: Value, parts: &Map<String, Value>) -> Value {
    match schema {
        Value::Object(fields) => {
            let target = fields.get("$ref").and_then(Value::as_str).and_then(|to| parts.get(to.strip_prefix(REF)?));
            if let Some(target) = target {
                return with_description(inline(target.clone(), parts), &fields);
            }
            let fields = fields.into_iter().map(|(name, field)| (name, inline(field, parts))).collect();
            unwrap_single(Value::Object(fields))
        }
        Value::Array(items) => Value::Array(items.into_iter().map(|item| inline(item, parts)).collect()),
        plain => plain,
    }
}

/// The description of a field takes precedence over the description of its type.
fn with_description(mut target: Value, field: &Map<String, Value>) -> Value {
    if let Some(description) = field.get("description") {
        target["description"] = description.clone();
    }
    target
}

/// Replaces a `oneOf` with a single alternative by that alternative.
fn unwrap_single(schema: Value) -> Value {
    match schema.get("oneOf").and_then(Value::as_array).map(Vec::as_slice) {
        Some([one]) => with_description(one.clone(), schema.as_object().unwrap_or(&Map::new())),
        _ => schema,
    }
}

/// An object schema with the fields of a type and further ones.
pub(super) fn object(fields: Option<Value>, more: &[(&str, Value)], required: &[&str]) -> Value {
    let mut properties = fields.and_then(|mut schema| match schema["properties"].take() {
        Value::Object(properties) => Some(properties),
        _ => None,
    });
    let properties = properties.get_or_insert_default();
    properties.extend(more.iter().map(|(name, schema)| ((*name).to_owned(), schema.clone())));
    let mut schema = json!({"type": "object", "properties": properties});
    if !required.is_empty() {
        schema["required"] = json!(required);
    }
    schema
}

/// The output schema of a tool: the fields of a type, and further optional ones. Clients check results against it and
/// few show it to their model, so it has types, but no bounds, no descriptions, nothing of nested objects, and does not say what is always
/// there.
pub(super) fn output(mut schema: Value, more: &[(&str, Value)]) -> Value {
    for (name, field) in more {
        schema["properties"][*name] = field.clone();
    }
    schema["type"] = json!("object");
    keep(&mut schema, &["type", "properties"]);
    for_each_part(&mut schema, |field| {
        keep(field, &["type"]);
    });
    schema
}

/// Reduces an input schema to what every grammar and strict back end accepts: one type for each value, choices, and
/// descriptions, which state the bounds in words. The tools enforce the bounds.
pub(super) fn plain(mut schema: Value) -> Value {
    let kind = plain_type(&schema);
    keep(&mut schema, &["description", "enum", "properties", "required", "items"]);
    // The lines of a doc comment become one.
    if let Some(description) = schema["description"].as_str() {
        schema["description"] = description.replace('\n', " ").into();
    }
    schema["type"] = json!(kind);
    for_each_part(&mut schema, |part| *part = plain(part.take()));
    schema
}

/// The one type of a value. One that may also be text is text, and a value of any type is text too.
fn plain_type(schema: &Value) -> &'static str {
    let alternatives = schema["oneOf"].as_array().into_iter().flatten();
    let types: Vec<_> = alternatives.chain([schema]).map(|schema| schema["type"].to_string()).collect();
    let order = ["string", "array", "object", "boolean", "number", "integer"];
    let has = |name: &&str| types.iter().any(|types| types.contains(&format!("\"{name}\"")));
    order.into_iter().find(has).unwrap_or("string")
}

fn keep(schema: &mut Value, words: &[&str]) {
    if let Some(fields) = schema.as_object_mut() {
        fields.retain(|word, _| words.contains(&&**word));
    }
}

fn for_each_part(schema: &mut Value, mut change: impl FnMut(&mut Value)) {
    if let Some(fields) = schema.get_mut("properties").and_then(Value::as_object_mut) {
        fields.values_mut().for_each(&mut change);
    }
    if let Some(items) = schema.get_mut("items") {
        change(items);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rogerrat_domain::op::{CreateInput, HistoryReply, JoinReply, ReadReply, RosterReply, SendInput, WaitReply};

    fn references(schema: &Value) -> usize {
        schema.to_string().matches("$ref").count()
    }

    #[test]
    fn a_schema_has_no_references() {
        let all = [
            of::<SendInput>(),
            of::<CreateInput>(),
            of::<JoinReply>(),
            of::<ReadReply>(),
            of::<WaitReply>(),
            of::<RosterReply>(),
            of::<HistoryReply>(),
        ];
        for schema in all {
            assert_eq!(references(&schema), 0, "{schema:#}");
            assert!(schema["properties"].is_object());
        }
        assert_eq!(of::<SendInput>()["properties"]["priority"]["enum"][4], "urgent");
        let message = &of::<ReadReply>()["properties"]["messages"]["items"];
        assert_eq!(message["properties"]["attempt"]["minimum"], 2);
    }

    #[test]
    fn a_plain_schema_has_one_type_and_no_bounds() {
        let wide = json!({"type": "object", "properties": {
            "to": {"description": "a\nb", "oneOf": [{"type": "string"}, {"type": "integer"}, {"type": "null"}]},
            "n": {"type": ["integer", "null"], "minimum": 0, "maximum": u64::MAX},
            "list": {"type": ["array", "null"], "maxItems": 4, "items": {"type": "string", "maxLength": 64}},
            "name": {"description": "anything"},
        }});
        let expected = json!({"type": "object", "properties": {
            "to": {"description": "a b", "type": "string"},
            "n": {"type": "integer"},
            "list": {"type": "array", "items": {"type": "string"}},
            "name": {"description": "anything", "type": "string"},
        }});
        assert_eq!(plain(wide), expected);
    }
}
