//! The payload of a push message. It is a declarative push message, which some browsers show without a service worker, and
//! the same object is read by our service worker elsewhere.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::{AUTH_BYTES, MessageFacts, PushTarget};
use crate::ids::{ChannelId, MessageId};
use crate::language::Language;
use crate::text::one_line;

/// Characters of a text that a notification shows.
const TEXT_CHARS: usize = 300;
/// Bytes of the digest in a topic, which is 32 characters of base64url (RFC 8030, 5.4).
const TOPIC_BYTES: usize = 24;

/// What a notification is about.
#[derive(Clone, Copy, Debug)]
pub enum NoticeEvent<'a> {
    /// A message.
    Message(&'a MessageFacts<'a>),
    /// More messages than are pushed within an hour.
    Many,
    /// A test that the user of the device requested.
    Test,
    /// The subscription ends soon, because the page was not opened for long.
    Expiring,
    /// A message of the subscribed member was not read for long. The text is the callsign of its recipient, or empty if it
    /// was for all.
    Unread(&'a str),
    /// The member with this callsign has left without an answer to the subscribed one.
    Gone(&'a str),
    /// A session of the account was opened with its recovery token.
    AccountSession,
    /// The recovery token of the account was replaced.
    RecoveryRotated,
    /// The key of an identity was replaced.
    KeyRotated(&'a str),
}

/// A notification for one subscription.
#[derive(Clone, Copy, Debug)]
pub struct Notice<'a> {
    /// What it is about.
    pub event: NoticeEvent<'a>,
    /// The channel.
    pub channel: Option<&'a ChannelId>,
    /// The message.
    pub message: Option<MessageId>,
    /// Identifies the notification on the device: a later one with the same tag replaces it.
    pub tag: &'a str,
    /// Messages before it that were not pushed, because there were too many.
    pub missed: u64,
}

impl Notice<'_> {
    /// The payload for a subscription. With `show_text` the text of a message is shown if the subscription wants it.
    #[must_use]
    pub fn payload(&self, target: &PushTarget, show_text: bool) -> Vec<u8> {
        let (title, mut body) = self.words(target.language, target.show_text && show_text);
        if self.missed > 0 {
            body = format!("{body} (+{})", self.missed);
        }
        let path = self.channel.map_or_else(|| "/account".to_owned(), |id| format!("/remote/{id}"));
        let data = json!({"channel": self.channel.map(ChannelId::as_str), "message": self.message});
        let notification = json!({
            "title": title,
            "body": body,
            "lang": target.language,
            "tag": self.tag,
            "navigate": format!("{}{path}", target.origin),
            "data": data,
        });
        let payload: Value = json!({"web_push": 8030, "notification": notification});
        payload.to_string().into_bytes()
    }

    /// The title and the body.
    fn words(&self, language: Language, show_text: bool) -> (String, String) {
        let say = |en: &'static str, es: &'static str| match language {
            Language::En => en.to_owned(),
            Language::Es => es.to_owned(),
        };
        let channel = || self.channel.map_or_else(|| "rogerrat".to_owned(), ToString::to_string);
        match self.event {
            NoticeEvent::Message(facts) => {
                let body = if show_text && !facts.text.is_empty() {
                    shown(&facts.text)
                } else if facts.wants_answer() {
                    say("needs an answer", "necesita una respuesta")
                } else {
                    say("sent a message", "envió un mensaje")
                };
                (one_line(&facts.from).into_owned(), body)
            }
            NoticeEvent::Many => {
                let more = say(
                    "There are more messages. No further notifications this hour.",
                    "Hay más mensajes. No habrá más avisos esta hora.",
                );
                (channel(), more)
            }
            NoticeEvent::Test => {
                (channel(), say("Notifications work on this device.", "Los avisos funcionan en este dispositivo."))
            }
            NoticeEvent::Expiring => {
                let body = say(
                    "Open this page, or notifications end in 5 days.",
                    "Abra esta página, o los avisos terminan en 5 días.",
                );
                (channel(), body)
            }
            NoticeEvent::Unread("") => {
                (channel(), say("No one has read your message yet.", "Nadie ha leído aún su mensaje."))
            }
            NoticeEvent::Unread(callsign) => {
                (one_line(callsign).into_owned(), say("Has not read your message yet.", "Aún no ha leído su mensaje."))
            }
            NoticeEvent::Gone(callsign) => {
                (one_line(callsign).into_owned(), say("Has left without an answer to you.", "Se fue sin responderle."))
            }
            NoticeEvent::AccountSession => {
                let body = say(
                    "A session was opened with the recovery token of your account.",
                    "Se abrió una sesión con el token de recuperación de su cuenta.",
                );
                (say("New session", "Sesión nueva"), body)
            }
            NoticeEvent::RecoveryRotated => {
                let body = say(
                    "The recovery token of your account was replaced.",
                    "Se cambió el token de recuperación de su cuenta.",
                );
                (say("Recovery token", "Token de recuperación"), body)
            }
            NoticeEvent::KeyRotated(callsign) => {
                (one_line(callsign).into_owned(), say("Its key was replaced.", "Se cambió su clave."))
            }
        }
    }
}

/// The start of a text, with everything in it visible.
fn shown(text: &str) -> String {
    let text = text.replace(['\n', '\r', '\t'], " ");
    let line = one_line(&text);
    if line.chars().nth(TEXT_CHARS).is_none() {
        return line.into_owned();
    }
    line.chars().take(TEXT_CHARS - 1).chain(['…']).collect()
}

/// The topic of a conversation, which is also the tag of its notification. The push service cannot guess the channel from
/// it: the browser's secret is part of the digest.
#[must_use]
pub fn topic(auth: &[u8; AUTH_BYTES], channel: Option<&ChannelId>, thread: Option<&str>) -> String {
    let mut digest = Sha256::new();
    digest.update(auth);
    digest.update(channel.map_or("", ChannelId::as_str));
    digest.update([0]);
    digest.update(thread.unwrap_or_default());
    URL_SAFE_NO_PAD.encode(&digest.finalize()[..TOPIC_BYTES])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::push::PushWants;

    fn target(language: Language, show_text: bool) -> PushTarget {
        PushTarget {
            member: None,
            wants: PushWants::All,
            show_text,
            consumer: None,
            language,
            origin: "https://hub.example".into(),
            used_ms: 0,
            is_warned: false,
            look_ms: None,
            announced: 0,
        }
    }

    fn payload(json: &str, target: &PushTarget, show_text: bool) -> Value {
        let facts = MessageFacts::of(json.as_bytes()).unwrap();
        let channel = ChannelId::parse("quiet-otter-3a8f").unwrap();
        let notice = Notice {
            event: NoticeEvent::Message(&facts),
            channel: Some(&channel),
            message: Some(7),
            tag: "t",
            missed: 0,
        };
        serde_json::from_slice(&notice.payload(target, show_text)).unwrap()
    }

    #[test]
    fn a_message_becomes_a_declarative_notification_without_a_secret() {
        let json = r#"{"id":7,"from":"AGENT","to":"PHONE","text":"Deploy\nnow?","at":7,"suggested_replies":["yes"]}"#;
        let shown = payload(json, &target(Language::En, true), true);
        assert_eq!(shown["web_push"], 8030);
        let notification = &shown["notification"];
        assert_eq!((&notification["title"], &notification["body"]), (&json!("AGENT"), &json!("Deploy now?")));
        assert_eq!(notification["navigate"], "https://hub.example/remote/quiet-otter-3a8f");
        assert_eq!(notification["data"], json!({"channel": "quiet-otter-3a8f", "message": 7}));
        let without = |show_text, wanted| payload(json, &target(Language::Es, wanted), show_text);
        for hidden in [without(false, true), without(true, false)] {
            assert_eq!(hidden["notification"]["body"], "necesita una respuesta");
        }
    }

    #[test]
    fn a_long_text_is_cut_and_nothing_in_it_is_hidden() {
        let json = json!({"from": "A", "to": "all", "text": "\u{202e}".repeat(8192)}).to_string();
        let body = payload(&json, &target(Language::En, true), true)["notification"]["body"].clone();
        let body = body.as_str().unwrap();
        assert!(body.chars().count() == TEXT_CHARS && body.starts_with("\\u{202e}"), "{body}");
        let worst = json!({"from": "A".repeat(64), "to": "all", "text": "\u{10348}\"".repeat(4000)}).to_string();
        assert!(payload(&worst, &target(Language::En, true), true).to_string().len() < 3000);
    }

    #[test]
    fn a_topic_has_32_characters_and_depends_on_the_thread_and_the_device() {
        let channel = ChannelId::parse("quiet-otter-3a8f").unwrap();
        let first = topic(&[1; 16], Some(&channel), None);
        assert_eq!(first.len(), 32);
        assert_eq!(first, topic(&[1; 16], Some(&channel), None));
        assert!(first != topic(&[2; 16], Some(&channel), None) && first != topic(&[1; 16], Some(&channel), Some("t")));
    }
}
