//! Infers schemas from JSON values. The discovery cards are built as JSON, so there is no type to derive a schema from.

use serde_json::{Map, Value, json};

/// The schema of values like this one. A number may be null: the operator may have disabled a limit.
pub(super) fn schema_of(value: &Value) -> Value {
    match value {
        Value::Null => json!({}),
        Value::Bool(_) => json!({"type": "boolean"}),
        Value::Number(_) => json!({"type": ["integer", "null"]}),
        Value::String(_) => json!({"type": "string"}),
        Value::Array(items) => json!({"type": "array", "items": items.first().map_or(json!({}), schema_of)}),
        Value::Object(fields) => {
            let properties: Map<_, _> = fields.iter().map(|(name, value)| (name.clone(), schema_of(value))).collect();
            let required: Vec<_> = fields.keys().collect();
            json!({"type": "object", "required": required, "properties": properties})
        }
    }
}
