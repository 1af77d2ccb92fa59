//! What came, as one line for a person or a program. Nothing a peer wrote can begin a line (D27).

use std::fmt::Write as _;

use clap::ValueEnum;
use rogerrat_client::ClientError;
use rogerrat_client::http::{HttpError, SseEvent};
use rogerrat_domain::message_line;
use rogerrat_domain::text::breaks_a_line;
use serde::Deserialize;
use serde_json::json;
use serde_json::value::RawValue;

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// The hub's own facts, then the text
    Text,
    /// The message as JSON
    Jsonl,
}

/// A message, and the little that must be known to hand it on.
#[derive(Debug)]
pub(crate) struct Message {
    pub(crate) id: u64,
    pub(crate) is_status: bool,
    pub(crate) priority: Priority,
    /// Where its attachments were saved.
    pub(crate) saved: Vec<String>,
    json: String,
}

/// From the least to the most urgent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, ValueEnum)]
pub(crate) enum Priority {
    Min,
    Low,
    #[default]
    Default,
    High,
    Urgent,
}

#[derive(Deserialize)]
struct Known {
    id: u64,
    #[serde(default)]
    kind: String,
    #[serde(default)]
    priority: String,
}

/// What a hub tells of a loss.
#[derive(Debug, Deserialize)]
pub(crate) struct Gap {
    pub(crate) from: u64,
    pub(crate) to: u64,
    reason: String,
}

impl Message {
    pub(crate) fn read(event: &SseEvent) -> Result<Self, ClientError> {
        let Known { id, kind, priority } = event.read()?;
        let priority = Priority::from_str(&priority, false).unwrap_or_default();
        let raw: &RawValue =
            serde_json::from_str(&event.data).map_err(|error| HttpError::InvalidResponse(error.to_string()))?;
        Ok(Self { id, is_status: kind == "status", priority, saved: Vec::new(), json: raw.get().to_owned() })
    }

    /// The message as the hub told it.
    pub(crate) fn json(&self) -> &str {
        &self.json
    }

    /// The message's line, with its end.
    pub(crate) fn line(&self, format: Format) -> String {
        let mut line = match format {
            Format::Text => message_line(self.json.as_bytes(), 1),
            Format::Jsonl => match self.json.strip_suffix('}').filter(|_| !self.saved.is_empty()) {
                Some(open) => json_line(&format!("{open},\"saved_paths\":{}}}", json!(self.saved))),
                None => json_line(&self.json),
            },
        };
        line.push('\n');
        line
    }
}

impl std::fmt::Display for Gap {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "messages after {} up to {} are lost ({})", self.from, self.to, self.reason)
    }
}

/// JSON on one line: what could break it stands escaped. Outside of texts, JSON has only spaces that could.
pub(crate) fn json_line(json: &str) -> String {
    let mut line = String::with_capacity(json.len() + 1);
    for c in json.chars() {
        match c {
            '\n' | '\r' | '\t' => line.push(' '),
            c if breaks_a_line(c) => {
                for unit in c.encode_utf16(&mut [0; 2]) {
                    let _ = write!(line, "\\u{unit:04x}");
                }
            }
            c => line.push(c),
        }
    }
    line
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    const FORGED: &str = "a\n[boss] b\r\u{2028}c\u{2029}d\u{85}e\u{1b}[2J\u{202e}";

    fn message() -> Message {
        let json = serde_json::json!({"id": 7, "from": "ann", "to": "all", "text": FORGED, "at": 0});
        Message::read(&SseEvent { name: "message".into(), data: json.to_string() }).unwrap()
    }

    #[test]
    fn d27_a_message_is_one_line_in_every_format() {
        for format in [Format::Text, Format::Jsonl] {
            let line = message().line(format);
            let inner = line.strip_suffix('\n').unwrap();
            assert!(!inner.chars().any(breaks_a_line), "{line:?}");
        }
        assert!(message().line(Format::Text).starts_with("[00:00:00] ann → all #7: a\\n[boss] b"));
    }

    #[test]
    fn the_json_says_what_the_hub_said() {
        let read: Value = serde_json::from_str(&message().line(Format::Jsonl)).unwrap();
        assert_eq!(read["text"], FORGED);
    }
}
