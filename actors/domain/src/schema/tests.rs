//! The literal bounds and values of derived schemas are those of the hub.

use serde_json::{Value, json};
use utoipa::{PartialSchema as _, ToSchema};

use crate::limits;
use crate::message::MessageJson;
use crate::message::by_reference::AttachmentSchema;
use crate::op::{AckInput, AttachmentInput, CreateInput, JoinInput, ReadQuery, SendInput};

fn of<T: ToSchema>() -> Value {
    serde_json::to_value(T::schema()).unwrap()["properties"].take()
}

#[test]
fn the_bounds_of_the_schemas_are_those_of_the_hub() {
    let (send, create, message) = (of::<SendInput>(), of::<CreateInput>(), of::<MessageJson<'static>>());
    let seconds = |ms: u64| json!(ms / 1000);
    for (schema, bound) in [
        (&send["message"]["maxLength"], json!(limits::TEXT_CHARS)),
        (&send["attachments"]["maxItems"], json!(limits::ATTACHMENTS)),
        (&send["reply_to"]["maximum"], json!(u64::MAX)),
        (&send["client_msg_id"]["pattern"], json!(format!("^[!-~]{{1,{}}}$", limits::IDEMPOTENCY_KEY_CHARS))),
        (&create["session_ttl_seconds"]["maximum"], seconds(limits::SESSION_TTL_MAX_MS)),
        (&create["member_ttl_seconds"]["maximum"], seconds(limits::MEMBER_TTL_MAX_MS)),
        (&message["text"]["maxLength"], json!(limits::TEXT_CHARS)),
        (&message["thread"]["maxLength"], json!(limits::THREAD_CHARS)),
        (&message["attachments"]["maxItems"], json!(limits::ATTACHMENTS)),
        (&of::<AttachmentSchema>()["data_base64"]["maxLength"], json!(limits::ATTACHMENTS_CHARS)),
        (&of::<AttachmentSchema>()["filename"]["maxLength"], json!(limits::FILENAME_CHARS)),
        (&of::<AckInput>()["upto"]["maximum"], json!(u64::MAX)),
    ] {
        assert_eq!(schema, &bound);
    }
    let consumer = json!(format!("^[a-z0-9_-]{{1,{}}}$", limits::CONSUMER_CHARS));
    assert_eq!(
        (&of::<AckInput>()["consumer"]["pattern"], &of::<ReadQuery<'_>>()["consumer"]["pattern"]),
        (&consumer, &consumer)
    );
    let callsign = format!(r"^[ \t\n\r]*[A-Za-z0-9][A-Za-z0-9_-]{{0,{}}}[ \t\n\r]*$", limits::CALLSIGN_CHARS - 1);
    assert_eq!(of::<JoinInput>()["callsign"]["pattern"], callsign);
    assert_eq!(of::<AttachmentInput>()["mime"]["enum"], json!(limits::ATTACHMENT_MIMES));
}

#[test]
fn the_values_of_a_schema_are_those_that_are_accepted() {
    for (schema, words) in [
        (crate::Retention::schema(), json!(["none", "metadata", "prompts", "full"])),
        (crate::TrustMode::schema(), json!(["untrusted", "trusted"])),
        (crate::DmVisibility::schema(), json!(["channel", "private"])),
        (crate::Durability::schema(), json!(["memory", "disk"])),
        (crate::Priority::schema(), json!(["min", "low", "default", "high", "urgent"])),
        (crate::Kind::schema(), json!(["message", "status"])),
        (crate::GapReason::schema(), json!(["ring", "restart", "idle"])),
    ] {
        assert_eq!(serde_json::to_value(schema).unwrap()["enum"], words);
    }
}
