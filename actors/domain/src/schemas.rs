//! Schemas a derive cannot say: fields that take more than their Rust type, and bounds of what is inside a list. Bounds
//! that a derive can say stand there as literals; the tests here hold them to `limits.rs`.

use utoipa::openapi::schema::{ArrayBuilder, Object, ObjectBuilder, Schema, SchemaType, Type};
use utoipa::openapi::{OneOfBuilder, RefOr};
use utoipa::{PartialSchema, ToSchema};

use crate::limits;
use crate::message::MessageJson;
use crate::op::MIMES;

fn text(description: &str) -> ObjectBuilder {
    ObjectBuilder::new().schema_type(Type::String).description(Some(description))
}

fn text_or_null(description: &str) -> ObjectBuilder {
    text(description).schema_type(or_null(Type::String))
}

fn or_null(kind: Type) -> SchemaType {
    SchemaType::from_iter([kind, Type::Null])
}

fn id(kind: impl Into<SchemaType>) -> ObjectBuilder {
    ObjectBuilder::new().schema_type(kind).minimum(Some(0u64)).maximum(Some(u64::MAX))
}

/// A recipient: a name, an index, or nothing.
pub(crate) fn recipient() -> Schema {
    let nobody = ObjectBuilder::new().schema_type(Type::Null);
    let either = OneOfBuilder::new().item(ObjectBuilder::new().schema_type(Type::String)).item(id(Type::Integer));
    let what = "A callsign, `all`, `N` or `#N`; a number is an index. Missing or blank means `all`.";
    either.item(nobody).description(Some(what)).build().into()
}

/// The message that is answered.
pub(crate) fn reply_to() -> Object {
    id(or_null(Type::Integer)).description(Some("The id of the message it answers; it is not looked up.")).build()
}

/// How far is acknowledged.
pub(crate) fn upto() -> Object {
    let what = "The last message id you are done with, inclusive. Above the highest id the consumer was given it is \
                refused; below its cursor it does nothing.";
    id(Type::Integer).description(Some(what)).build()
}

/// The media types an attachment may have.
pub(crate) fn mime() -> Object {
    text("Its media type.").enum_values(Some(MIMES)).build()
}

/// Suggested replies as they are said: blank ones are left out.
pub(crate) fn suggested_replies() -> Schema {
    let reply = ObjectBuilder::new().schema_type(Type::String).max_length(Some(limits::SUGGESTED_REPLY_CHARS));
    let what = "Answers the receiver may pick from. Blank ones are left out.";
    let replies = ArrayBuilder::new().items(reply).max_items(Some(limits::SUGGESTED_REPLIES));
    replies.schema_type(or_null(Type::Array)).description(Some(what)).build().into()
}

/// Suggested replies as they are told.
pub(crate) fn suggested_replies_told() -> Schema {
    let reply = ObjectBuilder::new().schema_type(Type::String).min_length(Some(1));
    let reply = reply.max_length(Some(limits::SUGGESTED_REPLY_CHARS));
    let replies = ArrayBuilder::new().items(reply).min_items(Some(1)).max_items(Some(limits::SUGGESTED_REPLIES));
    replies.description(Some("Answers the sender suggests.")).build().into()
}

/// The name of a thread: not blank.
pub(crate) fn thread() -> Object {
    let what = text_or_null("The thread it belongs to: a name.");
    what.pattern(Some(r"\S")).min_length(Some(1)).max_length(Some(limits::THREAD_CHARS)).build()
}

/// An owner password: blank, or long enough without the spaces at its ends.
pub(crate) fn owner_password() -> Object {
    let (min, max) = (limits::PASSWORD_MIN_CHARS - 2, limits::PASSWORD_MAX_CHARS - 2);
    text_or_null("The owner's password: 6 to 128 characters. Blank means none, spaces at the ends do not count.")
        .pattern(Some(format!(r"^[ \t\n\r]*(\S[\s\S]{{{min},{max}}}\S[ \t\n\r]*)?$")))
        .build()
}

/// What reading means for a message.
pub(crate) fn ack() -> Object {
    text("`auto` (the default): reading acknowledges. `manual`: what is read is leased until it is acknowledged.")
        .enum_values(Some(["auto", "manual"]))
        .build()
}

/// A message as a reader is given it: it says so when it may have come before.
pub(crate) struct DeliveredMessageSchema;

impl PartialSchema for DeliveredMessageSchema {
    fn schema() -> RefOr<Schema> {
        let attempt = ObjectBuilder::new()
            .schema_type(Type::Integer)
            .minimum(Some(2u32))
            .description(Some("Said from the second time on: you may have had this message before."));
        match MessageJson::<'static>::schema() {
            RefOr::T(Schema::Object(message)) => ObjectBuilder::from(message).property("attempt", attempt).into(),
            _ => unreachable!("a message is an object"),
        }
    }
}

impl ToSchema for DeliveredMessageSchema {
    fn name() -> std::borrow::Cow<'static, str> {
        "GivenMessage".into()
    }

    fn schemas(schemas: &mut Vec<(String, RefOr<Schema>)>) {
        MessageJson::<'static>::schemas(schemas);
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::op::{AckInput, AttachmentInput, CreateInput, JoinInput, ReadQuery, SendInput};

    fn of<T: ToSchema>() -> Value {
        serde_json::to_value(T::schema()).unwrap()["properties"].take()
    }

    #[test]
    fn the_bounds_of_the_schemas_are_those_of_the_hub() {
        let (send, create, message) = (of::<SendInput>(), of::<CreateInput>(), of::<MessageJson<'static>>());
        let seconds = |ms: u64| json!(ms / 1000);
        for (told, bound) in [
            (&send["message"]["maxLength"], json!(limits::TEXT_CHARS)),
            (&send["attachments"]["maxItems"], json!(limits::ATTACHMENTS)),
            (&send["reply_to"]["maximum"], json!(u64::MAX)),
            (&send["client_msg_id"]["pattern"], json!(format!("^[!-~]{{1,{}}}$", limits::IDEMPOTENCY_KEY_CHARS))),
            (&create["session_ttl_seconds"]["maximum"], seconds(limits::SESSION_TTL_MAX_MS)),
            (&create["member_ttl_seconds"]["maximum"], seconds(limits::MEMBER_TTL_MAX_MS)),
            (&message["text"]["maxLength"], json!(limits::TEXT_CHARS)),
            (&message["thread"]["maxLength"], json!(limits::THREAD_CHARS)),
            (&message["attachments"]["maxItems"], json!(limits::ATTACHMENTS)),
            (&of::<crate::Attachment>()["data_base64"]["maxLength"], json!(limits::ATTACHMENTS_CHARS)),
            (&of::<crate::Attachment>()["filename"]["maxLength"], json!(limits::FILENAME_CHARS)),
            (&of::<AckInput>()["upto"]["maximum"], json!(u64::MAX)),
        ] {
            assert_eq!(told, &bound);
        }
        let consumer = json!(format!("^[a-z0-9_-]{{1,{}}}$", limits::CONSUMER_CHARS));
        assert_eq!(
            (&of::<AckInput>()["consumer"]["pattern"], &of::<ReadQuery<'_>>()["consumer"]["pattern"]),
            (&consumer, &consumer)
        );
        let callsign = format!(r"^[ \t\n\r]*[A-Za-z0-9][A-Za-z0-9_-]{{0,{}}}[ \t\n\r]*$", limits::CALLSIGN_CHARS - 1);
        assert_eq!(of::<JoinInput>()["callsign"]["pattern"], callsign);
        assert_eq!(of::<AttachmentInput>()["mime"]["enum"], json!(MIMES));
    }

    #[test]
    fn the_words_of_a_schema_are_those_that_are_understood() {
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

    #[test]
    fn only_what_is_given_to_a_reader_has_an_attempt() {
        assert!(
            of::<DeliveredMessageSchema>()["attempt"].is_object() && of::<MessageJson<'static>>()["attempt"].is_null()
        );
    }
}
