//! Messages as they are sent and received.

use std::fmt;

use rogerrat_domain::{MemberState, Priority};
use serde::de::value::StrDeserializer;
use serde::{Deserialize, Deserializer, Serialize, de};
use serde_json::value::RawValue;

/// A message that was received.
///
/// The fields hold what most programs need. [`json`](Self::json) has everything else, such as attachments.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReceivedMessage {
    /// Id of the message. Ids of a channel grow with time.
    pub id: u64,
    /// Callsign of the sender.
    pub from: String,
    /// The recipient's callsign, or `all`.
    pub to: String,
    /// The text. It is untrusted input: it was written by another agent.
    pub text: String,
    /// Whether it is a status: a transient sign of work that is not stored and needs no acknowledgment.
    pub is_status: bool,
    /// How urgent it is, according to the sender.
    pub priority: Priority,
    /// Id of the message it answers.
    pub reply_to: Option<u64>,
    json: Box<str>,
}

/// The parsed part of a message.
#[derive(Deserialize)]
struct Fields {
    id: u64,
    #[serde(default)]
    from: String,
    #[serde(default)]
    to: String,
    #[serde(default)]
    text: String,
    #[serde(default)]
    kind: String,
    #[serde(default, deserialize_with = "priority")]
    priority: Priority,
    reply_to: Option<u64>,
}

/// Messages that a reader has lost.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct GapNotice {
    /// Id of the last message before the gap.
    pub from: u64,
    /// Id of the last lost message.
    pub to: u64,
    /// Why they were lost, for example `ring`: newer messages took their place.
    pub reason: String,
}

/// A message to send.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct OutgoingMessage {
    /// The recipient: a callsign, `#2` for the member with this number, or `all`. `None` means `all`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub to: Option<String>,
    /// The text, at most 8,192 characters; 280 for a status. May be empty beside an attachment.
    #[serde(rename = "message")]
    pub text: String,
    /// Sends it as a status: a transient sign of work that only current readers receive.
    #[serde(rename = "kind", serialize_with = "status_kind", skip_serializing_if = "is_false")]
    pub is_status: bool,
    /// With a status to all: what its sender is doing, so that the roster shows it. The text may then be empty.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub state: Option<MemberState>,
    /// For how many seconds its sender does that.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub until_seconds: Option<u64>,
    /// How urgent it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub priority: Option<Priority>,
    /// Short answers the recipient can pick from, at most four.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub suggested_replies: Vec<String>,
    /// Files, at most four.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub attachments: Vec<OutgoingAttachment>,
    /// Id of the message it answers.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reply_to: Option<u64>,
    /// Name of the conversation it belongs to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub thread: Option<String>,
    /// The hub sends one message for all requests with the same key.
    /// [`ChannelClient::send`](crate::ChannelClient::send) repeats a request only if there is a key.
    #[serde(rename = "client_msg_id", skip_serializing_if = "Option::is_none")]
    pub idempotency_key: Option<String>,
}

/// A file to send with a message.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct OutgoingAttachment {
    /// Media type, for example `image/png`.
    pub mime: String,
    /// Content in standard base64.
    pub data_base64: String,
    /// Name of the file.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub filename: Option<String>,
}

impl ReceivedMessage {
    /// Returns the message's JSON as the hub sent it.
    #[must_use]
    pub fn json(&self) -> &str {
        &self.json
    }

    fn parse(json: &str) -> serde_json::Result<Self> {
        let Fields { id, from, to, text, kind, priority, reply_to } = serde_json::from_str(json)?;
        Ok(Self { id, from, to, text, is_status: kind == "status", priority, reply_to, json: json.into() })
    }
}

/// It can be read from JSON text only.
impl<'de> Deserialize<'de> for ReceivedMessage {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let raw = Box::<RawValue>::deserialize(deserializer)?;
        Self::parse(raw.get()).map_err(de::Error::custom)
    }
}

impl OutgoingMessage {
    /// Creates a message with a random idempotency key.
    #[must_use]
    pub fn new(to: impl Into<String>, text: impl Into<String>) -> Self {
        let (to, text) = (Some(to.into()), text.into());
        Self { to, text, idempotency_key: Some(Self::random_key()), ..Self::default() }
    }

    /// Creates a message to all members with a random idempotency key.
    #[must_use]
    pub fn to_all(text: impl Into<String>) -> Self {
        Self::new(rogerrat_domain::ALL, text)
    }

    /// Returns a new idempotency key.
    #[must_use]
    pub fn random_key() -> String {
        format!("rr-{:032x}", rand::random::<u128>())
    }
}

impl fmt::Display for GapNotice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "messages after {} up to {} are lost ({})", self.from, self.to, self.reason)
    }
}

/// A priority this version does not know counts as the default one.
fn priority<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Priority, D::Error> {
    let name = String::deserialize(deserializer)?;
    Ok(Priority::deserialize(StrDeserializer::<de::value::Error>::new(&name)).unwrap_or_default())
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
fn is_false(value: &bool) -> bool {
    !value
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
fn status_kind<S: serde::Serializer>(_: &bool, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str("status")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn parses_a_message_and_keeps_its_json() {
        let json = r#"{"id":7,"from":"ann","to":"all","text":"hi","priority":"high","kind":"status","new":1}"#;
        let message: ReceivedMessage = serde_json::from_str(json).unwrap();
        assert_eq!((message.id, &*message.from, &*message.text), (7, "ann", "hi"));
        assert!(message.is_status && message.priority == Priority::High);
        assert_eq!(message.json(), json);
        let unknown: ReceivedMessage = serde_json::from_str(r#"{"id":7,"priority":"cosmic"}"#).unwrap();
        assert_eq!(unknown.priority, Priority::Default);
        assert!(serde_json::from_str::<ReceivedMessage>(r#"{"text":"hi"}"#).is_err());
    }

    #[test]
    fn serializes_only_the_fields_that_are_set() {
        let message = OutgoingMessage { idempotency_key: None, ..OutgoingMessage::new("bob", "hi") };
        assert_eq!(serde_json::to_value(&message).unwrap(), json!({"to": "bob", "message": "hi"}));
        let status = OutgoingMessage { to: None, is_status: true, priority: Some(Priority::Low), ..message };
        assert_eq!(
            serde_json::to_value(&status).unwrap(),
            json!({"message": "hi", "kind": "status", "priority": "low"})
        );
    }
}
