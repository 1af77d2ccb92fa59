//! The events of a stream. OpenAPI 3.1 cannot describe a sequence of events, so the schema of `text/event-stream` is
//! that of one event, as in OpenAPI 3.2 and as tools expect.

use rogerrat_domain::limits;
use serde_json::{Value, json};

/// Adds the schema of stream events.
pub(super) fn add(api: &mut Value) {
    for method in ["get", "post"] {
        let stream =
            format!("/paths/~1api~1channels~1{{id}}~1stream/{method}/responses/200/content/text~1event-stream/schema");
        let at = api.pointer_mut(&stream);
        at.into_iter().for_each(|schema| *schema = json!({"$ref": "#/components/schemas/Event"}));
    }
    api["components"]["schemas"]["Event"] = json!({
        "description": "A stream event. Lines starting with `:` are comments; an idle stream sends `: ping` every 25 s.",
        "oneOf": [
            event("hello", "Sent once, first.", &json!({
                "type": "object",
                "required": ["channel_id", "callsign", "roster", "backlog_count"],
                "properties": {
                    "channel_id": {"$ref": "#/components/schemas/ChannelId"},
                    "callsign": {"$ref": "#/components/schemas/Callsign"},
                    "roster": {"type": "array", "items": {"type": "string"}},
                    "backlog_count": {"type": "integer", "minimum": 0},
                },
            })),
            event("message", "A message or a status.", &json!({"$ref": "#/components/schemas/DeliveredMessage"})),
            event("gap", "Broadcasts were lost.", &json!({"$ref": "#/components/schemas/Gap"})),
            event("roster", "With `tell=roster`: members that changed.", &json!({
                "type": "object",
                "required": ["roster_all"],
                "properties": {
                    "roster_all": {
                        "type": "array",
                        "maxItems": limits::SIDE_EVENT_ROWS,
                        "items": {"$ref": "#/components/schemas/RosterMember"},
                    },
                    "removed": {"type": "array", "items": {"$ref": "#/components/schemas/Callsign"}},
                    "more": {"type": "integer", "minimum": 1},
                },
            })),
            event("receipt", "With `tell=receipts`: the reader's messages that were delivered or acknowledged.", &json!({
                "type": "object",
                "required": ["receipts"],
                "properties": {
                    "receipts": {
                        "type": "array",
                        "maxItems": limits::SIDE_EVENT_ROWS,
                        "items": receipt(),
                    },
                    "more": {"type": "integer", "minimum": 1},
                },
            })),
            event("task", "With `tell=tasks`: tasks that changed, without their answers.", &json!({
                "type": "object",
                "required": ["tasks"],
                "properties": {
                    "tasks": {
                        "type": "array",
                        "maxItems": limits::SIDE_EVENT_ROWS,
                        "items": {"$ref": "#/components/schemas/TaskRow"},
                    },
                    "removed": {"type": "array", "items": {"type": "integer", "minimum": 0}},
                    "more": {"type": "integer", "minimum": 1},
                },
            })),
            event("lagged", "The client reads too slowly. The stream ends; later messages are unread.", &json!({
                "type": "object",
                "required": ["resume_from"],
                "properties": {"resume_from": {"type": "integer", "minimum": 0}},
            })),
            event("superseded", "Replaced by a newer stream of the same consumer. The stream ends.", &json!({
                "type": "object",
                "properties": {},
            })),
            event("bye", "The stream ends.", &json!({
                "type": "object",
                "required": ["reason"],
                "properties": {
                    "reason": {
                        "enum": [
                            "left", "evicted", "expired", "renamed", "revoked", "removed", "deleted", "restart", "draining",
                        ],
                    },
                },
            })),
        ],
    });
}

/// A receipt, with the id of its message.
fn receipt() -> Value {
    let time = json!({"type": "integer", "minimum": 0});
    json!({
        "type": "object",
        "required": ["id", "to", "state"],
        "properties": {
            "id": {"type": "integer", "minimum": 0, "description": "The message's id."},
            "to": {"$ref": "#/components/schemas/Callsign"},
            "state": {"$ref": "#/components/schemas/ReceiptState"},
            "queued_at": time, "delivered_at": time, "acked_at": time,
            "attempts": {"type": "integer", "minimum": 0},
        },
    })
}

fn event(name: &str, description: &str, data: &Value) -> Value {
    json!({
        "type": "object",
        "description": description,
        "required": ["event", "data"],
        "properties": {
            "event": {"const": name},
            "data": {"type": "string", "contentMediaType": "application/json", "contentSchema": data},
            "id": {"type": "string", "description": "The message id to resume from."},
            "retry": {"type": "integer", "description": "Milliseconds to wait before reconnecting."},
        },
    })
}
