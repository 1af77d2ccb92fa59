//! The events of a stream. OpenAPI 3.1 has no word for what comes one by one, so the schema of `text/event-stream` is that
//! of one event, as 3.2 has it and as tools read it.

use serde_json::{Value, json};

/// Says what the events of the stream are.
pub(super) fn add(api: &mut Value) {
    let stream = "/paths/~1api~1channels~1{id}~1stream/get/responses/200/content/text~1event-stream/schema";
    let at = api.pointer_mut(stream);
    at.into_iter().for_each(|schema| *schema = json!({"$ref": "#/components/schemas/Event"}));
    api["components"]["schemas"]["Event"] = json!({
        "description": "An event of a stream. A line that begins with `:` is a comment: `: ping` after 25 s of silence.",
        "oneOf": [
            event("hello", "First, once.", &json!({
                "type": "object",
                "required": ["channel_id", "callsign", "roster", "backlog_count"],
                "properties": {
                    "channel_id": {"$ref": "#/components/schemas/ChannelId"},
                    "callsign": {"$ref": "#/components/schemas/Callsign"},
                    "roster": {"type": "array", "items": {"type": "string"}},
                    "backlog_count": {"type": "integer", "minimum": 0},
                },
            })),
            event("message", "A message, or a status.", &json!({"$ref": "#/components/schemas/GivenMessage"})),
            event("gap", "Broadcasts were lost.", &json!({"$ref": "#/components/schemas/Gap"})),
            event("lagged", "You read too slowly. The stream ends; everything after that id is unread.", &json!({
                "type": "object",
                "required": ["resume_from"],
                "properties": {"resume_from": {"type": "integer", "minimum": 0}},
            })),
            event("superseded", "Another stream of this session and consumer took over. The stream ends.", &json!({
                "type": "object",
                "properties": {},
            })),
            event("bye", "The stream ends.", &json!({
                "type": "object",
                "required": ["reason"],
                "properties": {
                    "reason": {"enum": ["left", "expired", "renamed", "revoked", "removed", "deleted", "restart", "draining"]},
                },
            })),
        ],
    });
}

fn event(name: &str, description: &str, data: &Value) -> Value {
    json!({
        "type": "object",
        "description": description,
        "required": ["event", "data"],
        "properties": {
            "event": {"const": name},
            "data": {"type": "string", "contentMediaType": "application/json", "contentSchema": data},
            "id": {"type": "string", "description": "Of a message: its id, to resume from."},
            "retry": {"type": "integer", "description": "How long to wait before coming back, in milliseconds."},
        },
    })
}
