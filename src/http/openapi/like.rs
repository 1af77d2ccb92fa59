//! Schemas of the cards: they are written as JSON, so their shape is read off them.

use serde_json::{Map, Value, json};
use utoipa::ToSchema;

/// The info; its schema is read off the info itself.
#[derive(ToSchema)]
pub(crate) struct Info;
/// The MCP card; its schema is read off the card itself.
#[derive(ToSchema)]
pub(crate) struct McpCard;
/// The A2A card; its schema is read off the card itself.
#[derive(ToSchema)]
pub(crate) struct AgentCard;

/// The schema of values like this one. A number may be null where an operator has turned a limit off.
pub(super) fn like(value: &Value) -> Value {
    match value {
        Value::Null => json!({}),
        Value::Bool(_) => json!({"type": "boolean"}),
        Value::Number(_) => json!({"type": ["integer", "null"]}),
        Value::String(_) => json!({"type": "string"}),
        Value::Array(items) => json!({"type": "array", "items": items.first().map_or(json!({}), like)}),
        Value::Object(fields) => {
            let properties: Map<_, _> = fields.iter().map(|(name, value)| (name.clone(), like(value))).collect();
            let required: Vec<_> = fields.keys().collect();
            json!({"type": "object", "required": required, "properties": properties})
        }
    }
}
