//! The OpenAPI schemas of a message: as it is stored, and as it is delivered, with its delivery attempt.

use utoipa::openapi::RefOr;
use utoipa::openapi::schema::{ObjectBuilder, Schema, Type};
use utoipa::{PartialSchema, ToSchema};

use super::MessageJson;

/// A delivered message: a message with its delivery attempt.
pub(crate) struct DeliveredMessageSchema;

impl PartialSchema for DeliveredMessageSchema {
    fn schema() -> RefOr<Schema> {
        let attempt = ObjectBuilder::new().schema_type(Type::Integer).minimum(Some(2u32)).description(Some(
            "The number of the delivery attempt, from 2 on: you may have received this message before.",
        ));
        let own = ObjectBuilder::new()
            .schema_type(Type::Boolean)
            .description(Some("Present if you sent it, and read with `own`."));
        match MessageJson::<'static>::schema() {
            RefOr::T(Schema::Object(message)) => {
                ObjectBuilder::from(message).property("own", own).property("attempt", attempt).into()
            }
            _ => unreachable!("a message is an object"),
        }
    }
}

impl ToSchema for DeliveredMessageSchema {
    fn name() -> std::borrow::Cow<'static, str> {
        "DeliveredMessage".into()
    }

    fn schemas(schemas: &mut Vec<(String, RefOr<Schema>)>) {
        MessageJson::<'static>::schemas(schemas);
    }
}

/// A message as it is stored, for interfaces that reply with one.
#[derive(Clone, Copy, Debug)]
pub struct MessageSchema;

impl PartialSchema for MessageSchema {
    fn schema() -> RefOr<Schema> {
        MessageJson::<'static>::schema()
    }
}

impl ToSchema for MessageSchema {
    fn name() -> std::borrow::Cow<'static, str> {
        MessageJson::<'static>::name()
    }

    fn schemas(schemas: &mut Vec<(String, RefOr<Schema>)>) {
        MessageJson::<'static>::schemas(schemas);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn properties<T: ToSchema>() -> serde_json::Value {
        serde_json::to_value(T::schema()).unwrap()["properties"].take()
    }

    #[test]
    fn only_a_delivered_message_has_an_attempt() {
        assert!(
            properties::<DeliveredMessageSchema>()["attempt"].is_object()
                && properties::<MessageJson<'static>>()["attempt"].is_null()
        );
    }
}
