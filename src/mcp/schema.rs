//! The schemas of tools, from the domain's types: each whole in itself, because clients do not follow references.

use std::borrow::Cow;
use std::fmt;

use rogerrat_domain::Refusal;
use rogerrat_domain::text::clip;
use serde::de::{Deserializer, IgnoredAny, MapAccess, Visitor};
use serde_json::value::RawValue;
use serde_json::{Map, Value, json};
use utoipa::ToSchema;

const REF: &str = "#/components/schemas/";

/// The schema of a type, its references replaced by what they stand for.
pub(super) fn of<T: ToSchema>() -> Value {
    let mut parts = Vec::new();
    T::schemas(&mut parts);
    let parts = parts.into_iter().map(|(name, schema)| (name, value(&schema))).collect();
    inlined(value(&T::schema()), &parts)
}

fn value(schema: &impl serde::Serialize) -> Value {
    #[expect(clippy::expect_used, reason = "a schema is made of strings, numbers and lists of them")]
    serde_json::to_value(schema).expect("a schema is data")
}

fn inlined(schema: Value, parts: &Map<String, Value>) -> Value {
    match schema {
        Value::Object(fields) => {
            let target = fields.get("$ref").and_then(Value::as_str).and_then(|to| parts.get(to.strip_prefix(REF)?));
            if let Some(target) = target {
                return described(inlined(target.clone(), parts), &fields);
            }
            let fields = fields.into_iter().map(|(name, field)| (name, inlined(field, parts))).collect();
            alone(Value::Object(fields))
        }
        Value::Array(items) => Value::Array(items.into_iter().map(|item| inlined(item, parts)).collect()),
        plain => plain,
    }
}

/// What is said beside a reference is nearer than what the type says of itself.
fn described(mut target: Value, beside: &Map<String, Value>) -> Value {
    if let Some(description) = beside.get("description") {
        target["description"] = description.clone();
    }
    target
}

/// A choice of one is no choice.
fn alone(schema: Value) -> Value {
    match schema.get("oneOf").and_then(Value::as_array).map(Vec::as_slice) {
        Some([one]) => described(one.clone(), schema.as_object().unwrap_or(&Map::new())),
        _ => schema,
    }
}

/// The arguments of a tool: those of a type, without some, and with more. Any other is refused.
pub(super) fn input(fields: Option<Value>, without: &[&str], with: &[(&str, Value)], required: &[&str]) -> Value {
    let mut properties = fields.and_then(|mut schema| match schema["properties"].take() {
        Value::Object(properties) => Some(properties),
        _ => None,
    });
    let properties = properties.get_or_insert_default();
    properties.retain(|name, _| !without.contains(&name.as_str()));
    properties.extend(with.iter().map(|(name, schema)| ((*name).to_owned(), schema.clone())));
    let mut schema = json!({"type": "object", "properties": properties, "additionalProperties": false});
    if !required.is_empty() {
        schema["required"] = json!(required);
    }
    schema
}

/// What a tool says: a type's fields, and more that it may say.
pub(super) fn output(mut schema: Value, with: &[(&str, Value)]) -> Value {
    for (name, field) in with {
        schema["properties"][*name] = field.clone();
    }
    schema["type"] = json!("object");
    schema
}

/// The names of the arguments that were given, and what stands in those of every tool.
#[derive(Debug, Default)]
pub(super) struct Given<'a> {
    pub(super) channel_id: Option<&'a RawValue>,
    pub(super) session_id: Option<&'a RawValue>,
}

/// Looks at the arguments once, and refuses those that the tool does not know.
pub(super) fn look<'a>(arguments: &'a str, known: &[String]) -> Result<Given<'a>, Refusal> {
    let mut unknown = None;
    let look = Look { known, unknown: &mut unknown };
    let given = serde_json::Deserializer::from_str(arguments).deserialize_map(look);
    match unknown {
        Some(name) => Err(Refusal::invalid(format!("`{name}` is no argument of this tool"))
            .hint(format!("it takes {}", if known.is_empty() { "none".to_owned() } else { known.join(", ") }))),
        // What else is wrong is told by who reads the arguments.
        None => Ok(given.unwrap_or_default()),
    }
}

struct Look<'k, 'u> {
    known: &'k [String],
    unknown: &'u mut Option<String>,
}

#[derive(serde::Deserialize)]
struct Name<'a>(#[serde(borrow)] Cow<'a, str>);

impl<'de> Visitor<'de> for Look<'_, '_> {
    type Value = Given<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Given<'de>, A::Error> {
        let mut given = Given::default();
        while let Some(Name(name)) = map.next_key()? {
            if !self.known.iter().any(|known| *known == name) {
                self.unknown.get_or_insert_with(|| clip(&name));
            }
            match &*name {
                "channel_id" => given.channel_id = Some(map.next_value()?),
                "session_id" => given.session_id = Some(map.next_value()?),
                _ => {
                    map.next_value::<IgnoredAny>()?;
                }
            }
        }
        Ok(given)
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
    fn a_schema_refers_to_nothing() {
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
    fn an_unknown_argument_is_named_and_not_repeated_at_length() {
        let known = ["message".to_owned(), "channel_id".to_owned()];
        assert!(look(r#"{"mess\u0061ge":1,"channel_id":"c"}"#, &known).unwrap().channel_id.is_some());
        let refusal = look(r#"{"message":1,"massage":{"a":[1]}}"#, &known).unwrap_err();
        assert!(
            refusal.text.contains("`massage`") && refusal.hint.unwrap().text().unwrap().contains("message, channel_id")
        );
        let long = format!(r#"{{"{}":1}}"#, "x".repeat(500));
        assert!(look(&long, &known).unwrap_err().text.chars().count() < 120);
        for other in ["[]", "7", "null", "{", "{\"message\":1,}"] {
            assert!(look(other, &known).is_ok(), "{other}: its reader says what is wrong");
        }
    }
}
