//! The body template of a webhook: JSON with placeholders such as `{{text}}` inside its strings.
//!
//! A value is escaped as part of a JSON string when it is inserted, so no text can end the string that contains it. Values
//! are not searched for placeholders again.

use std::borrow::Cow;
use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Delivery, HookId};
use crate::limits;
use crate::refusal::Refusal;

/// The template of a body. `Debug` does not print it.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct BodyTemplate(Box<str>);

/// What a placeholder stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Field {
    Text,
    From,
    To,
    ChannelId,
    MessageId,
    At,
    Thread,
    ReplyTo,
    Priority,
    Verified,
    Event,
    HookId,
    DeliveryId,
    DeliveredAt,
}

/// The placeholders, by name.
const FIELDS: [(&str, Field); 14] = [
    ("text", Field::Text),
    ("from", Field::From),
    ("to", Field::To),
    ("channel_id", Field::ChannelId),
    ("message_id", Field::MessageId),
    ("at", Field::At),
    ("thread", Field::Thread),
    ("reply_to", Field::ReplyTo),
    ("priority", Field::Priority),
    ("verified", Field::Verified),
    ("event", Field::Event),
    ("hook_id", Field::HookId),
    ("delivery_id", Field::DeliveryId),
    ("delivered_at", Field::DeliveredAt),
];

/// A part of a template.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Part<'t> {
    /// JSON, to be copied.
    Json(&'t str),
    /// A value, at most this number of characters of it.
    Value(Field, Option<usize>),
}

/// Why a template is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum TemplateError {
    Size,
    NotJson,
    OutsideString,
    InKey,
    Unclosed,
    Unknown,
    Length,
    TooMany,
}

impl From<TemplateError> for Refusal {
    fn from(error: TemplateError) -> Self {
        const EXAMPLE: &str = r#"example: {"text":"{{from}}: {{text}}"}"#;
        let (text, hint): (Cow<'static, str>, Cow<'static, str>) = match error {
            TemplateError::Size => {
                (format!("`body` must have 1 to {} bytes", limits::HOOK_TEMPLATE_BYTES).into(), EXAMPLE.into())
            }
            TemplateError::NotJson => ("`body` is not valid JSON".into(), EXAMPLE.into()),
            TemplateError::OutsideString => {
                ("`body` has a placeholder outside a string".into(), r#"quote it: {"text":"{{text}}"}"#.into())
            }
            TemplateError::InKey => {
                ("`body` has a placeholder in the name of a field".into(), "use it in a value".into())
            }
            TemplateError::Unclosed => (
                "`body` has `{{` without `}}` in the same string".into(),
                r"write \u007b\u007b for two braces that begin no placeholder".into(),
            ),
            TemplateError::Unknown => {
                let known = FIELDS.map(|(name, _)| name).join(", ");
                ("`body` has an unknown placeholder".into(), format!("known placeholders: {known}").into())
            }
            TemplateError::Length => (
                "`body` has a placeholder with an invalid length".into(),
                format!("{{{{text:200}}}} is at most 200 characters of the text; 1 to {}", limits::TEXT_CHARS).into(),
            ),
            TemplateError::TooMany => (
                format!("`body` must have at most {} placeholders", limits::HOOK_PLACEHOLDERS).into(),
                "insert a value once".into(),
            ),
        };
        Self::invalid(text).hint(hint.into_owned())
    }
}

/// The fields of a message that placeholders show. The others, such as attachments, are skipped without a copy.
#[derive(Deserialize)]
struct MessageFields<'m> {
    #[serde(borrow, default)]
    text: Cow<'m, str>,
    #[serde(borrow, default)]
    from: Cow<'m, str>,
    #[serde(borrow, default)]
    to: Cow<'m, str>,
    #[serde(default)]
    id: Option<u64>,
    #[serde(default)]
    at: Option<u64>,
    #[serde(borrow, default)]
    thread: Cow<'m, str>,
    #[serde(default)]
    reply_to: Option<u64>,
    #[serde(borrow, default)]
    priority: Option<Cow<'m, str>>,
    #[serde(borrow, default)]
    verified: Cow<'m, str>,
}

/// The values of one delivery.
struct Values<'d> {
    hook: &'d HookId,
    delivery: &'d Delivery,
    message: MessageFields<'d>,
}

impl Values<'_> {
    fn of(&self, field: Field) -> Cow<'_, str> {
        let Self { hook, delivery, message } = self;
        match field {
            Field::Text => (&*message.text).into(),
            Field::From => (&*message.from).into(),
            Field::To => (&*message.to).into(),
            Field::MessageId => number(message.id),
            Field::At => number(message.at),
            Field::Thread => (&*message.thread).into(),
            Field::ReplyTo => number(message.reply_to),
            Field::Priority => message.priority.as_deref().unwrap_or("default").into(),
            Field::Verified => (&*message.verified).into(),
            Field::ChannelId => delivery.channel.as_ref().map_or("", |channel| channel.as_str()).into(),
            Field::Event => delivery.event.as_ref().into(),
            Field::HookId => hook.as_str().into(),
            Field::DeliveryId => delivery.id.as_str().into(),
            Field::DeliveredAt => delivery.began_ms.unwrap_or(delivery.at_ms).to_string().into(),
        }
    }
}

/// A number as text; empty if it is missing.
fn number(number: Option<u64>) -> Cow<'static, str> {
    number.map(|number| number.to_string()).unwrap_or_default().into()
}

/// At most this number of characters. A text that is cut ends with an ellipsis.
fn cut(text: &str, max: Option<usize>) -> Cow<'_, str> {
    match max {
        Some(max) if text.chars().nth(max).is_some() => {
            text.chars().take(max.saturating_sub(1)).chain(['…']).collect::<String>().into()
        }
        _ => text.into(),
    }
}

impl BodyTemplate {
    /// Parses a template: JSON, with placeholders in strings.
    ///
    /// # Errors
    /// `invalid`, with the reason and without any part of the template.
    pub fn parse(template: &str) -> Result<Self, Refusal> {
        let template = template.trim();
        if template.is_empty() || template.len() > limits::HOOK_TEMPLATE_BYTES {
            return Err(TemplateError::Size.into());
        }
        let parts = parts(template)?;
        // With the least and the most difficult values.
        for value in ["", "\u{0}\u{1f}\"\\\n\r\t}}{{text}}</\u{2028}\u{202e}\u{1f600}"] {
            if serde_json::from_slice::<Value>(&join(&parts, |_| value.into())).is_err() {
                return Err(TemplateError::NotJson.into());
            }
        }
        Ok(Self(template.into()))
    }

    /// The body of a delivery. None if the stored message is not one.
    pub(super) fn render(&self, hook: &HookId, delivery: &Delivery, message: &[u8]) -> Option<Vec<u8>> {
        let values = Values { hook, delivery, message: serde_json::from_slice(message).ok()? };
        Some(join(&parts(&self.0).ok()?, |field| values.of(field)))
    }
}

impl fmt::Debug for BodyTemplate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "BodyTemplate({} bytes)", self.0.len())
    }
}

/// Joins the parts with the values of the placeholders, each escaped as part of a JSON string.
fn join<'v>(parts: &[Part<'_>], value: impl Fn(Field) -> Cow<'v, str>) -> Vec<u8> {
    let mut body = Vec::new();
    for part in parts {
        match part {
            Part::Json(json) => body.extend_from_slice(json.as_bytes()),
            Part::Value(field, max) => {
                let quoted = Value::String(cut(&value(*field), *max).into_owned()).to_string();
                body.extend_from_slice(&quoted.as_bytes()[1..quoted.len() - 1]);
            }
        }
    }
    body
}

/// Splits a template at its placeholders.
fn parts(template: &str) -> Result<Vec<Part<'_>>, TemplateError> {
    let (mut parts, mut begin, mut at) = (Vec::new(), 0, 0);
    let (mut in_string, mut placeholders, mut has_placeholder) = (false, 0, false);
    let bytes = template.as_bytes();
    while let Some(byte) = bytes.get(at) {
        let is_open = bytes[at..].starts_with(b"{{");
        match byte {
            b'\\' if in_string => at += 2,
            b'"' => {
                let is_key = in_string && bytes[at + 1..].trim_ascii_start().first() == Some(&b':');
                if is_key && has_placeholder {
                    return Err(TemplateError::InKey);
                }
                (in_string, has_placeholder, at) = (!in_string, false, at + 1);
            }
            b'{' if is_open && !in_string => return Err(TemplateError::OutsideString),
            b'{' if is_open => {
                let inner = &template[at + 2..];
                let end = inner.find("}}").filter(|end| !inner[..*end].contains(['"', '\\']));
                let end = end.ok_or(TemplateError::Unclosed)?;
                placeholders += 1;
                if placeholders > limits::HOOK_PLACEHOLDERS {
                    return Err(TemplateError::TooMany);
                }
                parts.push(Part::Json(&template[begin..at]));
                parts.push(placeholder(&inner[..end])?);
                has_placeholder = true;
                at += 2 + end + 2;
                begin = at;
            }
            _ => at += 1,
        }
    }
    parts.push(Part::Json(&template[begin..]));
    Ok(parts)
}

/// A placeholder: a name, and optionally the number of characters.
fn placeholder(inner: &str) -> Result<Part<'static>, TemplateError> {
    let (name, max) = match inner.split_once(':') {
        None => (inner, None),
        Some((name, max)) => (name, Some(max.trim().parse().map_err(|_| TemplateError::Length)?)),
    };
    let known = FIELDS.iter().find(|(known, _)| *known == name.trim());
    let (_, field) = *known.ok_or(TemplateError::Unknown)?;
    if max.is_some_and(|max| !(1..=limits::TEXT_CHARS).contains(&max)) {
        return Err(TemplateError::Length);
    }
    Ok(Part::Value(field, max))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ChannelId;
    use crate::webhook::{MESSAGE_RECEIVED, TEST, test_message};

    fn hook() -> HookId {
        HookId::from_random(1)
    }

    fn rendered(template: &str, message: &Value) -> Value {
        let delivery = Delivery::due(9, MESSAGE_RECEIVED, ChannelId::parse("quiet-otter-3a8f").ok(), Some(7), 5);
        let delivery = Delivery { began_ms: Some(6), ..delivery };
        let template = BodyTemplate::parse(template).unwrap();
        let body = template.render(&hook(), &delivery, message.to_string().as_bytes()).unwrap();
        assert_eq!(
            template.render(&hook(), &delivery, message.to_string().as_bytes()).unwrap(),
            body,
            "the same bytes"
        );
        serde_json::from_slice(&body).unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(&body)))
    }

    #[test]
    fn every_placeholder_is_filled() {
        let all = FIELDS.map(|(name, _)| format!(r#""{name}": "{{{{ {name} }}}}""#)).join(", ");
        let message = serde_json::json!({
            "id": 7, "from": "ann", "to": "bob", "text": "hi", "at": 4, "priority": "high", "thread": "t", "reply_to": 3,
            "verified": "identity",
        });
        let filled = serde_json::json!({
            "text": "hi", "from": "ann", "to": "bob", "channel_id": "quiet-otter-3a8f", "message_id": "7", "at": "4",
            "thread": "t", "reply_to": "3", "priority": "high", "verified": "identity", "event": "message.received",
            "hook_id": hook().as_str(), "delivery_id": "whd_00000000000000000000000000000009", "delivered_at": "6",
        });
        assert_eq!(rendered(&format!("{{{all}}}"), &message), filled);
        let bare = rendered(r#"["{{thread}}{{reply_to}}{{verified}}", "{{priority}}"]"#, &serde_json::json!({}));
        assert_eq!(bare, serde_json::json!(["", "default"]));
    }

    #[test]
    fn a_test_event_of_an_account_fills_a_template() {
        let template = BodyTemplate::parse(r#"{"t":"{{channel_id}}|{{event}}|{{from}}|{{text:14}}"}"#).unwrap();
        let delivery = Delivery::due(9, TEST, None, None, 5);
        let body: Value =
            serde_json::from_slice(&template.render(&hook(), &delivery, &test_message(5)).unwrap()).unwrap();
        assert_eq!(body["t"], "|webhook.test|rogerrat|This is a tes\u{2026}");
        assert!(template.render(&hook(), &delivery, b"rubbish").is_none());
    }

    #[test]
    fn no_text_leaves_its_string_or_is_filled_again() {
        let template =
            r#"{"safe":true,"a":"<{{text}}>","b":["\\{{text}}","{{text}}\u00e9"],"c":"{ {text}} \u007b\u007b"}"#;
        for text in [
            "\",\"safe\":false,\"x\":\"",
            "\\",
            "\\\"",
            "{{from}}",
            "}}",
            "line\nline\r\n\ttab",
            "\u{0}\u{7}\u{7f}\u{2028}\u{202e}",
            "caf\u{e9} \u{1f469}\u{200d}\u{1f4bb} \u{1f600}",
        ] {
            let body = rendered(template, &serde_json::json!({"text": text, "from": "ann"}));
            let expected = serde_json::json!({
                "safe": true, "a": format!("<{text}>"), "b": [format!("\\{text}"), format!("{text}\u{e9}")],
                "c": "{ {text}} {{",
            });
            assert_eq!(body, expected);
        }
    }

    #[test]
    fn a_text_is_cut_at_a_number_of_characters() {
        for (text, cut_text) in
            [("abcd", "abcd"), ("abcde", "abc\u{2026}"), ("\u{1f600}\u{1f600}xyz", "\u{1f600}\u{1f600}x\u{2026}")]
        {
            assert_eq!(rendered(r#"["{{text : 4}}"]"#, &serde_json::json!({"text": text}))[0], cut_text);
        }
    }

    #[test]
    fn an_invalid_template_is_refused_with_its_reason_and_without_its_text() {
        let many = format!("[{}]", vec![r#""{{text}}""#; 17].join(","));
        for (template, reason) in [
            ("", "1 to 16384 bytes"),
            ("hello {secret}", "not valid JSON"),
            (r#"{"secret":}"#, "not valid JSON"),
            (r#"{"a":"\ud83d{{text}}"}"#, "not valid JSON"),
            (r#"{"a":"\{{text}}"}"#, "not valid JSON"),
            (r#"{"a":"\u00{{text}}"}"#, "not valid JSON"),
            (r#"{"a":{{text}}}"#, "outside a string"),
            (r#"{"a":"x"}{{text}}"#, "outside a string"),
            (r#"{"{{text}}" : "x"}"#, "name of a field"),
            (r#"{"a":"{{text"}"#, "without `}}`"),
            (r#"{"a":"{{text","b":"}}"}"#, "without `}}`"),
            (r#"{"a":"{{secret}}"}"#, "unknown placeholder"),
            (r#"{"a":"{{}}"}"#, "unknown placeholder"),
            (r#"{"a":"{{TEXT}}"}"#, "unknown placeholder"),
            (r#"{"a":"{{text:0}}"}"#, "invalid length"),
            (r#"{"a":"{{text:8193}}"}"#, "invalid length"),
            (r#"{"a":"{{text:-1}}"}"#, "invalid length"),
            (many.as_str(), "at most 16 placeholders"),
            (&"[".repeat(200), "not valid JSON"),
            (&format!("\"{}\"", "x".repeat(16 * 1024)), "1 to 16384 bytes"),
        ] {
            let refusal = BodyTemplate::parse(template).unwrap_err();
            assert!(
                refusal.text.contains(reason) && refusal.text.starts_with("`body`"),
                "{template}: {}",
                refusal.text
            );
            assert!(!format!("{refusal:?}").contains("secret"), "{refusal:?}");
        }
        let unknown = BodyTemplate::parse(r#"["{{message}}"]"#).unwrap_err();
        assert!(format!("{unknown:?}").contains("text, from, to, channel_id"), "{unknown:?}");
    }
}
