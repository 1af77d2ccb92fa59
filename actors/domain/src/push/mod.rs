//! Web push: subscriptions of browsers, what is pushed to them, and the notification that they show.
//!
//! A subscription is stored and queued like a webhook ([`Hook`](crate::webhook::Hook) with a [`PushTarget`]): its deliveries
//! are written with the send that causes them. It differs in what it gets, in its retries, and in its request.

mod notice;
mod rule;

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

pub use notice::{Notice, NoticeEvent, topic};
pub use rule::MessageFacts;

use crate::hint::Hint;
use crate::ids::{ConsumerName, MemberNo, MessageId};
use crate::language::Language;
use crate::limits;
use crate::refusal::{Code, Refusal};
use crate::str_enum::str_enum;

/// Bytes of a browser's public key: an uncompressed point of P-256.
pub const P256DH_BYTES: usize = 65;
/// Bytes of a browser's authentication secret.
pub const AUTH_BYTES: usize = 16;

/// The keys of a subscription, with which its payloads are encrypted (RFC 8291). `Debug` does not print them.
#[derive(Clone, PartialEq, Eq)]
pub struct PushKeys {
    /// The browser's public key.
    pub p256dh: [u8; P256DH_BYTES],
    /// The browser's authentication secret.
    pub auth: [u8; AUTH_BYTES],
}

impl std::fmt::Debug for PushKeys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("PushKeys(…)")
    }
}

impl PushKeys {
    /// The keys as bytes, to be stored encrypted.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        [&self.p256dh[..], &self.auth].concat()
    }

    /// Reads the bytes that [`to_bytes`](Self::to_bytes) returned.
    #[must_use]
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let (p256dh, auth) = bytes.split_first_chunk::<P256DH_BYTES>()?;
        Some(Self { p256dh: *p256dh, auth: auth.try_into().ok()? })
    }
}

/// Which broadcasts are pushed. Direct messages to the member, messages with suggested replies and those with priority
/// `high` or `urgent` always are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum PushWants {
    /// All broadcasts.
    All,
    /// Replies to the member's messages.
    #[default]
    Mine,
    /// None that are not urgent.
    High,
}

str_enum!(PushWants: "all" => All, "mine" => Mine, "high" => High);

/// Whose messages are pushed: a member, as long as its session does not change. Whoever joins under its callsign afterwards
/// may be somebody else, or the same person after the key of a lost device was rotated.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SubscribedMember {
    /// The member.
    pub no: MemberNo,
    /// The generation of its session.
    pub generation: u64,
}

/// What a subscription is for, as it is stored.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PushTarget {
    /// The member whose messages are pushed; none for a subscription of an account.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub member: Option<SubscribedMember>,
    /// Which broadcasts are pushed.
    pub wants: PushWants,
    /// Whether notifications contain the text.
    pub show_text: bool,
    /// The consumer with which the device reads.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub consumer: Option<ConsumerName>,
    /// The language of its notifications.
    pub language: Language,
    /// The origin of the page that subscribed. Notifications lead there.
    pub origin: Arc<str>,
    /// When the page last confirmed it, in milliseconds since the epoch.
    pub used_ms: u64,
    /// Whether its end was announced since then.
    #[serde(default)]
    pub is_warned: bool,
    /// When to look whether a message of the member is still unread, in milliseconds since the epoch.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub look_ms: Option<u64>,
    /// The last message of the member that was announced as unread; 0 if none was.
    #[serde(default, skip_serializing_if = "is_none_announced")]
    pub announced: MessageId,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands the field over by reference")]
fn is_none_announced(announced: &MessageId) -> bool {
    *announced == 0
}

/// The keys of a browser's subscription, as its `toJSON()` returns them.
#[derive(Clone, Debug, Default, Deserialize, ToSchema)]
pub struct PushKeysInput {
    /// The public key: base64url of 65 bytes.
    #[schema(min_length = 87, max_length = 88, pattern = "^B[A-Za-z0-9_-]{85}[AEIMQUYcgkosw048]=?$")]
    pub p256dh: String,
    /// The authentication secret: base64url of 16 bytes.
    #[schema(min_length = 22, max_length = 24, pattern = "^[A-Za-z0-9_-]{21}[AQgw](==)?$")]
    pub auth: String,
}

/// The body of a request to subscribe a browser.
#[derive(Clone, Debug, Default, Deserialize, ToSchema)]
pub struct PushInput {
    /// The address at the browser's push service: https, on port 443, at a host that the hub pushes to.
    #[schema(min_length = 1, max_length = 1024)]
    pub endpoint: String,
    /// The browser's keys.
    pub keys: PushKeysInput,
    /// Which broadcasts are pushed. Defaults to `mine`.
    #[serde(default, deserialize_with = "crate::deserialize::not_null")]
    #[schema(nullable = false)]
    pub wants: Option<PushWants>,
    /// Whether notifications contain the text, encrypted for the browser. Defaults to true.
    #[serde(default, deserialize_with = "crate::deserialize::not_null")]
    #[schema(nullable = false)]
    pub show_text: Option<bool>,
    /// The consumer with which the device reads the channel. What it has acknowledged or reads at that moment is not
    /// pushed.
    #[serde(default, deserialize_with = "crate::deserialize::not_null")]
    #[schema(nullable = false, min_length = 1, max_length = 32, pattern = "^[a-z0-9_-]{1,32}$")]
    pub consumer: Option<String>,
    /// The language of the words that the hub adds. Defaults to `en`.
    #[serde(default, deserialize_with = "crate::deserialize::not_null")]
    #[schema(nullable = false)]
    pub language: Option<Language>,
}

/// A subscription to add, with valid fields. The endpoint is not checked yet.
#[derive(Clone, Debug)]
pub struct PushDraft {
    /// The address at the push service.
    pub endpoint: Arc<str>,
    /// The browser's keys.
    pub keys: PushKeys,
    /// What it is for.
    pub target: PushTarget,
}

impl PushInput {
    /// Validates everything that needs neither the network nor the curve of the key.
    ///
    /// # Errors
    /// `invalid`, naming the field.
    pub fn draft(self, member: Option<SubscribedMember>, origin: &str, now_ms: u64) -> Result<PushDraft, Refusal> {
        if self.endpoint.is_empty() || self.endpoint.len() > limits::PUSH_ENDPOINT_BYTES {
            let bytes = limits::PUSH_ENDPOINT_BYTES;
            return Err(Refusal::invalid(format!("`endpoint` must have 1 to {bytes} characters")));
        }
        let keys =
            PushKeys { p256dh: key("keys.p256dh", &self.keys.p256dh)?, auth: key("keys.auth", &self.keys.auth)? };
        let target = PushTarget {
            member,
            wants: self.wants.unwrap_or_default(),
            show_text: self.show_text.unwrap_or(true),
            consumer: self.consumer.as_deref().map(ConsumerName::parse).transpose()?,
            language: self.language.unwrap_or_default(),
            origin: origin.into(),
            used_ms: now_ms,
            is_warned: false,
            look_ms: None,
            announced: 0,
        };
        Ok(PushDraft { endpoint: self.endpoint.into(), keys, target })
    }
}

fn key<const N: usize>(name: &str, text: &str) -> Result<[u8; N], Refusal> {
    let bytes = URL_SAFE_NO_PAD.decode(text.trim_end_matches('=')).ok();
    bytes.and_then(|bytes| bytes.try_into().ok()).ok_or_else(|| {
        Refusal::invalid(format!("`{name}` must be the base64url of {N} bytes"))
            .hint("send the keys that the subscription's toJSON() returns")
    })
}

/// `not_found` where no push messages are sent, with the reason.
#[must_use]
pub fn push_is_off(why: &str) -> Refusal {
    Refusal::new(Code::NotFound, "this hub sends no push messages").hint(why.to_owned())
}

/// `not_found` for a subscription.
#[must_use]
pub fn push_not_found() -> Refusal {
    Refusal::new(Code::NotFound, "push subscription not found").hint(Hint::from("list the subscriptions, or subscribe"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn input(p256dh: &str, auth: &str) -> PushInput {
        let keys = PushKeysInput { p256dh: p256dh.into(), auth: auth.into() };
        PushInput { endpoint: "https://push.example/1".into(), keys, ..PushInput::default() }
    }

    const MEMBER: SubscribedMember = SubscribedMember { no: 3, generation: 7 };
    const POINT: &str = "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4";

    #[test]
    fn keys_survive_their_storage() {
        let draft = input(POINT, "BTBZMqHH6r4Tts7J_aSIgg==").draft(Some(MEMBER), "https://hub.example", 5).unwrap();
        assert_eq!(PushKeys::from_bytes(&draft.keys.to_bytes()), Some(draft.keys.clone()));
        assert_eq!(PushKeys::from_bytes(&draft.keys.to_bytes()[1..]), None);
        assert_eq!(format!("{:?}", draft.keys), "PushKeys(…)");
        let target: PushTarget = serde_json::from_str(&serde_json::to_string(&draft.target).unwrap()).unwrap();
        assert_eq!((&target, target.show_text, target.wants), (&draft.target, true, PushWants::Mine));
    }

    #[test]
    fn a_wrong_field_is_named() {
        let refused = |input: PushInput| input.draft(None, "https://hub.example", 5).unwrap_err();
        for (wrong, field) in [
            (input("", "BTBZMqHH6r4Tts7J_aSIgg"), "keys.p256dh"),
            (input(&POINT[1..], "BTBZMqHH6r4Tts7J_aSIgg"), "keys.p256dh"),
            (input(POINT, "BTBZMqHH6r4Tts7J_aSI"), "keys.auth"),
            (input(POINT, "not base64url!"), "keys.auth"),
            (PushInput { consumer: Some("A B".into()), ..input(POINT, "BTBZMqHH6r4Tts7J_aSIgg") }, "consumer"),
            (PushInput { endpoint: "x".repeat(1025), ..input(POINT, "BTBZMqHH6r4Tts7J_aSIgg") }, "endpoint"),
        ] {
            let refused = refused(wrong);
            assert!(refused.code == Code::Invalid && refused.text.contains(field), "{field}: {}", refused.text);
        }
    }
}
