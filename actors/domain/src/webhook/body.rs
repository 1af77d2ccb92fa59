//! The body of a delivery. It is built for every attempt, and has the same bytes each time.

use serde_json::{Value, json};

use super::{Delivery, HookId};

/// The body of a delivery. All its parts are stored, so it is the same after a restart.
#[must_use]
pub fn body(hook: &HookId, delivery: &Delivery, message: &[u8]) -> Vec<u8> {
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
        let text = String::from_utf8(body(&hook, &delivery, br#"{"id":7,"text":"hi"}"#)).unwrap();
        assert_eq!(
            text,
            format!(
                r#"{{"event":"message.received","channel_id":"quiet-otter-3a8f","message":{{"id":7,"text":"hi"}},"hook_id":"{hook}","delivered_at":6}}"#
            )
        );
        let test = Delivery::due(9, super::super::TEST, None, None, 5);
        let json: Value = serde_json::from_slice(&body(&hook, &test, &test_message(5))).unwrap();
        assert_eq!((&json["channel_id"], &json["event"]), (&Value::Null, &json!("webhook.test")));
    }
}
