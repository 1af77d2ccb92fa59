//! Webhooks: subscriptions, deliveries, bodies and signatures.
//!
//! The [`Outbox`](crate::Outbox) decides when deliveries are attempted and when a webhook is switched off.

mod body;
mod change;
mod delivery;
mod format;
mod sign;
mod template;

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Deserializer, Serialize};
use serde_json::value::RawValue;
use utoipa::ToSchema;

pub use body::{WebhookBody, test_message};
pub use change::HookChange;
pub use delivery::{AttemptOutcome, Delivery, DeliveryId, DeliveryRow, DeliveryState, DueDelivery, Failure};
pub use format::{FormatSummary, HeaderInput, HookHeaders, RequestFormat};
pub use sign::{Secret, plain_signature, standard_signature};
pub use template::BodyTemplate;

use crate::hint::Hint;
use crate::ids::{AccountId, ChannelId};
use crate::push::PushTarget;
use crate::refusal::{Code, Refusal};
use crate::str_enum::str_enum;
use crate::{limits, schema};

/// The event of a message.
pub const MESSAGE_RECEIVED: &str = "message.received";
/// The event of a push that the unused subscription ends soon.
pub const PUSH_EXPIRING: &str = "push.expiring";
/// The event of a push about a message of the subscribed member that was not read for long.
pub const PUSH_UNREAD: &str = "push.unread";
/// The event of a push about a member that has left without an answer to the subscribed one.
pub const PUSH_GONE: &str = "push.gone";
/// The event of a push about a session of an account that was opened with its recovery token.
pub const PUSH_SESSION: &str = "push.account_session";
/// The event of a push about a recovery token that was replaced.
pub const PUSH_RECOVERY: &str = "push.recovery_rotated";
/// The event of a push about the key of an identity that was replaced.
pub const PUSH_KEY: &str = "push.key_rotated";
/// The event of a test.
pub const TEST: &str = "webhook.test";

/// The id of a webhook.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String")]
pub struct HookId(Arc<str>);

impl HookId {
    /// An id from 128 random bits.
    #[must_use]
    pub fn from_random(random: u128) -> Self {
        Self(format!("wh_{random:032x}").into())
    }

    /// The id of a push subscription from 128 random bits.
    #[must_use]
    pub fn push_from_random(random: u128) -> Self {
        Self(format!("ps_{random:032x}").into())
    }

    /// Parses an id.
    ///
    /// # Errors
    /// `not_found` if it cannot be the id of a webhook or of a push subscription.
    pub fn parse(id: &str) -> Result<Self, Refusal> {
        let hex =
            id.strip_prefix("wh_").or_else(|| id.strip_prefix("ps_")).filter(|hex| hex.len() == 32 && is_hex(hex));
        hex.map(|_| Self(id.into())).ok_or_else(hook_not_found)
    }

    /// The id as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

pub(super) fn is_hex(text: &str) -> bool {
    text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'))
}

/// `not_found` for a webhook.
#[must_use]
pub fn hook_not_found() -> Refusal {
    Refusal::new(Code::NotFound, "webhook not found").hint(Hint::ListWebhooks)
}

impl TryFrom<String> for HookId {
    type Error = Refusal;

    fn try_from(id: String) -> Result<Self, Refusal> {
        Self::parse(&id)
    }
}

impl fmt::Display for HookId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The owner of a webhook, which determines the messages it receives.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HookOwner {
    /// A channel: all its messages, or only broadcasts if its DMs are private.
    Channel(ChannelId),
    /// An account: DMs to its identities.
    Account(AccountId),
}

impl fmt::Display for HookOwner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Channel(id) => write!(f, "channel {id}"),
            Self::Account(id) => write!(f, "account {id}"),
        }
    }
}

/// How long a failed delivery is retried: three attempts within seconds (`immediate`), or with growing pauses for 24
/// hours (`persistent`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Retry {
    /// Three attempts: at once, after 1 second, and after 3 more seconds.
    #[default]
    Immediate,
    /// Attempts with growing pauses for up to 24 hours. Later deliveries wait.
    Persistent,
}

str_enum!(Retry: "immediate" => Immediate, "persistent" => Persistent);

/// A webhook as it is stored.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Hook {
    /// Its id.
    pub id: HookId,
    /// Its owner.
    pub owner: HookOwner,
    /// The URL that deliveries are posted to.
    pub url: Arc<str>,
    /// How failed deliveries are retried.
    pub retry: Retry,
    /// When it was subscribed, in milliseconds since the epoch.
    pub created_ms: u64,
    /// Its secret, encrypted.
    pub secret: Arc<str>,
    /// The previous secret, while it still signs deliveries.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub previous: Option<PreviousSecret>,
    /// Its [`RequestFormat`], encrypted; none if its requests are as the hub makes them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub format: Option<Arc<str>>,
    /// Consecutive failed deliveries.
    pub failures: u32,
    /// When it was switched off, in milliseconds since the epoch; none while it is on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub off_ms: Option<u64>,
    /// Present for a push subscription: `url` is its endpoint then, and `secret` its keys.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub push: Option<Box<PushTarget>>,
}

/// A rotated secret.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct PreviousSecret {
    /// The secret, encrypted.
    pub secret: Arc<str>,
    /// When it was rotated, in milliseconds since the epoch.
    pub rotated_ms: u64,
    /// Until when it signs deliveries, in milliseconds since the epoch.
    pub until_ms: u64,
}

/// The body of a request to subscribe a webhook.
#[derive(Clone, Debug, Default, Deserialize, ToSchema)]
pub struct SubscribeInput {
    /// The URL to post to: http or https, at an address that the hub may reach.
    #[schema(min_length = 1, max_length = 2048)]
    pub url: String,
    /// The events to post. `message.received`, the default, is the only one.
    #[serde(default, deserialize_with = "crate::deserialize::not_null")]
    #[schema(nullable = false, min_items = 1, max_items = 8, value_type = Option<Vec<WebhookEvent>>)]
    pub events: Option<Vec<String>>,
    /// How long a failed delivery is retried. Defaults to `immediate`.
    #[serde(default, deserialize_with = "crate::deserialize::not_null")]
    #[schema(nullable = false)]
    pub retry: Option<Retry>,
    /// Headers to add to every request, by name, such as the receiver's credentials. They are stored encrypted and never
    /// shown again. The headers of the hub cannot be replaced, and a content type must be JSON.
    #[serde(default, deserialize_with = "crate::deserialize::not_null")]
    #[schema(schema_with = schema::hook_headers, required = false)]
    pub headers: Option<HeaderInput>,
    /// A template of the body: JSON, or a text that contains JSON, with placeholders such as `{{text}}` in its strings.
    /// It is stored encrypted and never shown again. If omitted, the body is the event.
    #[serde(default, deserialize_with = "crate::deserialize::not_null")]
    #[schema(schema_with = schema::hook_body, required = false)]
    pub body: Option<TemplateInput>,
}

/// A body template as it was sent. `Debug` does not print it.
#[derive(Clone, Deserialize)]
#[serde(transparent)]
pub struct TemplateInput(Box<RawValue>);

impl TemplateInput {
    fn parse(&self) -> Result<BodyTemplate, Refusal> {
        let json = self.0.get();
        match json.as_bytes().first() {
            Some(b'{' | b'[') => BodyTemplate::parse(json),
            Some(b'"') => BodyTemplate::parse(&serde_json::from_str::<String>(json).unwrap_or_default()),
            _ => Err(Refusal::invalid("`body` must be an object, an array or a text that contains JSON")),
        }
    }
}

impl fmt::Debug for TemplateInput {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TemplateInput(…)")
    }
}

/// An event that is posted to webhooks.
#[derive(ToSchema)]
#[expect(dead_code, reason = "it exists for its schema")]
enum WebhookEvent {
    /// A message was sent.
    #[schema(rename = "message.received")]
    MessageReceived,
}

impl SubscribeInput {
    /// Validates everything that does not need the network, and returns the format of the requests.
    ///
    /// # Errors
    /// `invalid`, naming the field.
    pub fn check(&self) -> Result<RequestFormat, Refusal> {
        if self.url.is_empty() || self.url.len() > limits::HOOK_URL_BYTES {
            return Err(Refusal::invalid(format!("`url` must have 1 to {} characters", limits::HOOK_URL_BYTES)));
        }
        let is_other = |events: &Vec<String>| {
            events.is_empty() || events.len() > 8 || events.iter().any(|event| event != MESSAGE_RECEIVED)
        };
        if self.events.as_ref().is_some_and(is_other) {
            return Err(Refusal::invalid("`events` must be [\"message.received\"]"));
        }
        let headers = self.headers.as_ref().map(HookHeaders::from_input).transpose()?.unwrap_or_default();
        Ok(RequestFormat { headers, body: self.body.as_ref().map(TemplateInput::parse).transpose()? })
    }
}

/// The body of a request to replay deliveries.
#[derive(Clone, Debug, Default, Deserialize, ToSchema)]
pub struct ReplayInput {
    /// The delivery to replay. If omitted, all failed and dropped ones.
    #[serde(default, deserialize_with = "text")]
    #[schema(pattern = "^whd_[0-9a-f]{32}$")]
    pub delivery_id: Option<String>,
}

fn text<'de, D: Deserializer<'de>>(d: D) -> Result<Option<String>, D::Error> {
    Option::<String>::deserialize(d)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_generated_ids_are_valid() {
        let id = HookId::from_random(7);
        assert_eq!(HookId::parse(id.as_str()).unwrap(), id);
        for bad in ["", "wh_", "wh_7", "WH_00000000000000000000000000000007", "wh_0000000000000000000000000000000g"] {
            assert_eq!(HookId::parse(bad).unwrap_err().code, Code::NotFound, "{bad}");
        }
    }

    #[test]
    fn only_message_events_can_be_subscribed() {
        let check = |json: &str| serde_json::from_str::<SubscribeInput>(json).unwrap().check();
        assert!(check(r#"{"url":"https://a.example/"}"#).is_ok());
        assert!(check(r#"{"url":"https://a.example/","events":["message.received"],"retry":"persistent"}"#).is_ok());
        for bad in [r#"{"url":""}"#, r#"{"url":"https://a/","events":[]}"#, r#"{"url":"https://a/","events":["x"]}"#] {
            assert_eq!(check(bad).unwrap_err().code, Code::Invalid, "{bad}");
        }
        assert!(check(&format!(r#"{{"url":"https://a/{}"}}"#, "x".repeat(2048))).is_err());
        assert!(serde_json::from_str::<SubscribeInput>(r#"{"url":"https://a/","retry":"never"}"#).is_err());
    }

    #[test]
    fn a_body_template_is_json_or_a_text_with_json() {
        let check = |body: &str| {
            let input: SubscribeInput =
                serde_json::from_str(&format!(r#"{{"url":"https://a/","body":{body}}}"#)).unwrap();
            assert!(!format!("{input:?}").contains("{{text}}"), "{input:?}");
            input.check()
        };
        let template = BodyTemplate::parse(r#"{"b":"{{text}}","a":1}"#).unwrap();
        for body in [r#"{"b":"{{text}}","a":1}"#, r#""{\"b\":\"{{text}}\",\"a\":1}""#] {
            assert_eq!(check(body).unwrap().body.as_ref(), Some(&template), "in the same order: {body}");
        }
        for bad in ["null", "5", "true", r#""""#, r#""{{text}}""#, r#"{"a":"{{nope}}"}"#] {
            assert_eq!(check(bad).unwrap_err().code, Code::Invalid, "{bad}");
        }
    }
}
