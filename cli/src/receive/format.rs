//! A message as one line for a person or a program. No peer can begin a line with a text (D27).

use std::fmt::Write as _;

use clap::ValueEnum;
use rogerrat_client::ReceivedMessage;
use rogerrat_domain::message_line;
use rogerrat_domain::text::{TextChar, visible_chars};
use serde_json::json;

/// How to write a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Format {
    /// The hub's facts, then the text
    Text,
    /// The message's JSON
    Jsonl,
}

impl Format {
    /// The line of a message, with its line break. `saved_paths` are the files its attachments were saved to.
    pub(super) fn line(self, message: &ReceivedMessage, saved_paths: &[String]) -> String {
        let json = message.json();
        let mut line = match self {
            Self::Text => message_line(json.as_bytes(), 1),
            Self::Jsonl => match json.strip_suffix('}').filter(|_| !saved_paths.is_empty()) {
                Some(open) => json_line(&format!("{open},\"saved_paths\":{}}}", json!(saved_paths))),
                None => json_line(json),
            },
        };
        line.push('\n');
        line
    }
}

/// JSON on one line, with all invisible characters escaped. Outside of strings only whitespace could break the line.
pub(crate) fn json_line(json: &str) -> String {
    let mut line = String::with_capacity(json.len() + 1);
    for TextChar { c, must_be_escaped, .. } in visible_chars(json) {
        match c {
            '\n' | '\r' | '\t' => line.push(' '),
            c if must_be_escaped => {
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

    const FORGED: &str = "a\n[boss] b\r\u{2028}c\u{2029}d\u{85}e\u{1b}[2J\u{202e}\u{200b}\u{e0041}\u{fe0f}";

    fn message() -> ReceivedMessage {
        let json = json!({"id": 7, "from": "ann", "to": "all", "text": FORGED, "at": 0});
        serde_json::from_str(&json.to_string()).unwrap()
    }

    #[test]
    fn d27_a_message_is_one_line_in_every_format() {
        for format in [Format::Text, Format::Jsonl] {
            let line = format.line(&message(), &[]);
            let inner = line.strip_suffix('\n').unwrap();
            assert!(!visible_chars(inner).any(|c| c.must_be_escaped), "{line:?}");
        }
        assert!(Format::Text.line(&message(), &[]).starts_with("[00:00:00] ann → all #7: a\\n[boss] b"));
    }

    #[test]
    fn the_json_has_the_original_text_and_the_saved_paths() {
        let read: Value = serde_json::from_str(&Format::Jsonl.line(&message(), &["/a\nb".into()])).unwrap();
        assert_eq!((&read["text"], &read["saved_paths"]), (&json!(FORGED), &json!(["/a\nb"])));
    }
}
