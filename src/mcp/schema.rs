//! The JSON schemas of tools, from the domain's types, and the check of argument names.
//!
//! Schemas contain no references, because clients do not follow them.

use std::borrow::Cow;
use std::fmt;

use rogerrat_domain::Refusal;
use rogerrat_domain::text::clip;
use serde::de::{Deserializer, IgnoredAny, MapAccess, Visitor};
use serde_json::value::RawValue;
use serde_json::{Map, Value, json};
use utoipa::ToSchema;

use super::text;

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

/// The input schema of a tool: the fields of a type and further ones. Other arguments are refused.
pub(super) fn input(fields: Option<Value>, more: &[(&str, Value)], required: &[&str]) -> Value {
    let mut properties = fields.and_then(|mut schema| match schema["properties"].take() {
        Value::Object(properties) => Some(properties),
        _ => None,
    });
    let properties = properties.get_or_insert_default();
    properties.extend(more.iter().map(|(name, schema)| ((*name).to_owned(), schema.clone())));
    let mut schema = json!({"type": "object", "properties": properties, "additionalProperties": false});
    if !required.is_empty() {
        schema["required"] = json!(required);
    }
    schema
}

/// The output schema of a tool: the fields of a type, and further optional ones.
pub(super) fn output(mut schema: Value, more: &[(&str, Value)]) -> Value {
    for (name, field) in more {
        schema["properties"][*name] = field.clone();
    }
    schema["type"] = json!("object");
    schema
}

/// The arguments that all tools of a channel share, unparsed.
#[derive(Debug, Default)]
pub(super) struct CommonArguments<'a> {
    pub(super) channel_id: Option<&'a RawValue>,
    pub(super) session_id: Option<&'a RawValue>,
}

/// Refuses arguments with a name that the tool does not have, and finds those that all tools share.
pub(super) fn check_names<'a>(arguments: &'a str, known: &[String]) -> Result<CommonArguments<'a>, Refusal> {
    let mut unknown = None;
    let visitor = NameCheck { known, unknown: &mut unknown };
    let common = serde_json::Deserializer::from_str(arguments).deserialize_map(visitor);
    match unknown {
        Some(name) => Err(text::unknown_argument(&name, known)),
        // Any other error is reported by the tool, which parses the arguments again.
        None => Ok(common.unwrap_or_default()),
    }
}

struct NameCheck<'k, 'u> {
    known: &'k [String],
    unknown: &'u mut Option<String>,
}

#[derive(serde::Deserialize)]
struct Name<'a>(#[serde(borrow)] Cow<'a, str>);

impl<'de> Visitor<'de> for NameCheck<'_, '_> {
    type Value = CommonArguments<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<CommonArguments<'de>, A::Error> {
        let mut common = CommonArguments::default();
        while let Some(Name(name)) = map.next_key()? {
            if !self.known.iter().any(|known| *known == name) {
                self.unknown.get_or_insert_with(|| clip(&name));
            }
            match &*name {
                "channel_id" => common.channel_id = Some(map.next_value()?),
                "session_id" => common.session_id = Some(map.next_value()?),
                _ => {
                    map.next_value::<IgnoredAny>()?;
                }
            }
        }
        Ok(common)
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
    fn the_refusal_of_an_unknown_argument_names_it_in_few_characters() {
        let known = ["message".to_owned(), "channel_id".to_owned()];
        assert!(check_names(r#"{"mess\u0061ge":1,"channel_id":"c"}"#, &known).unwrap().channel_id.is_some());
        let refusal = check_names(r#"{"message":1,"massage":{"a":[1]}}"#, &known).unwrap_err();
        let hint = refusal.hint.unwrap();
        assert!(refusal.text.contains("`massage`") && hint.text().unwrap().contains("message, channel_id"));
        let long = format!(r#"{{"{}":1}}"#, "x".repeat(500));
        assert!(check_names(&long, &known).unwrap_err().text.chars().count() < 120);
        for other in ["[]", "7", "null", "{", "{\"message\":1,}"] {
            assert!(check_names(other, &known).is_ok(), "{other}: the tool reports what is wrong");
        }
    }
}
