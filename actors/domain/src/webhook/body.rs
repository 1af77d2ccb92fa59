//! The body of a delivery. It is built for every attempt, and has the same bytes each time.

use std::fmt;

use serde_json::{Value, json};

use super::{BodyTemplate, Delivery, HookId};

/// What the body of a request is made of. Whoever sends the request makes it, off the thread that decides about deliveries.
/// `Debug` prints no message.
#[derive(Clone, PartialEq, Eq)]
pub struct WebhookBody {
    /// The webhook.
    pub hook: HookId,
    /// The delivery.
    pub delivery: Delivery,
    /// The JSON of the message.
    pub message: Vec<u8>,
    /// The template; without one the body is the event.
    pub template: Option<BodyTemplate>,
}

impl WebhookBody {
    /// The body: the same bytes for every attempt. None if the message does not fit the template.
    #[must_use]
    pub fn render(&self) -> Option<Vec<u8>> {
        let Self { hook, delivery, message, template } = self;
        match template {
            None => Some(event(hook, delivery, message)),
            Some(template) => template.render(hook, delivery, message),
        }
    }
}

impl fmt::Debug for WebhookBody {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "WebhookBody({}, {} bytes)", self.delivery.id, self.message.len())
    }
}

/// The body without a template. All its parts are stored, so it is the same after a restart.
fn event(hook: &HookId, delivery: &Delivery, message: &[u8]) -> Vec<u8> {
    let channel = delivery.channel.as_ref().map_or(Value::Null, |id| json!(id.as_str()));
    let event = json!(delivery.event);
    let before = format!(r#"{{"event":{event},"channel_id":{channel},"message":"#);
    let after = format!(r#","hook_id":"{hook}","delivered_at":{}}}"#, delivery.began_ms.unwrap_or(delivery.at_ms));
    [before.as_bytes(), message, after.as_bytes()].concat()
}

/// The message of a test event.
#[must_use]
pub fn test_message(at_ms: u64) -> Vec<u8> {
    let text = "This is a test event, requested by the owner of this webhook.";
    format!(r#"{{"id":{at_ms},"from":"rogerrat","to":"all","text":"{text}","at":{at_ms}}}"#).into_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ChannelId;
    use crate::webhook::MESSAGE_RECEIVED;

    #[test]
    fn the_body_has_the_documented_fields() {
        let channel = ChannelId::parse("quiet-otter-3a8f").unwrap();
        let delivery = Delivery::due(9, MESSAGE_RECEIVED, Some(channel), Some(7), 5);
        let hook = HookId::from_random(1);
        let delivery = Delivery { began_ms: Some(6), ..delivery };
        let text = String::from_utf8(event(&hook, &delivery, br#"{"id":7,"text":"hi"}"#)).unwrap();
        assert_eq!(
            text,
            format!(
                r#"{{"event":"message.received","channel_id":"quiet-otter-3a8f","message":{{"id":7,"text":"hi"}},"hook_id":"{hook}","delivered_at":6}}"#
            )
        );
        let test = Delivery::due(9, super::super::TEST, None, None, 5);
        let json: Value = serde_json::from_slice(&event(&hook, &test, &test_message(5))).unwrap();
        assert_eq!((&json["channel_id"], &json["event"]), (&Value::Null, &json!("webhook.test")));
    }
}
