//! What the writers write, and how a reader sees that it came as it was written.
//! A text names its writer, its number and its recipient, and fills up with what follows from them.

use std::fmt::Write as _;

use serde::Deserialize;

use super::oracle::{Delivery, Gap, MessageKey, Reason};

const LONGEST_FILL: u64 = 400;

/// A poll's reply.
#[derive(Deserialize)]
pub(super) struct Heard {
    pub(super) messages: Vec<Message>,
    #[serde(default)]
    pub(super) gap: Option<ReportedGap>,
    #[serde(default)]
    pub(super) superseded: bool,
}

#[derive(Deserialize)]
pub(super) struct Message {
    pub(super) id: u64,
    from: String,
    to: String,
    text: String,
    #[serde(default = "first")]
    attempt: u32,
}

#[derive(Deserialize)]
pub(super) struct ReportedGap {
    from: u64,
    to: u64,
    reason: Reason,
}

fn first() -> u32 {
    1
}

impl From<ReportedGap> for Gap {
    fn from(ReportedGap { from, to, reason }: ReportedGap) -> Self {
        Self { from, to, reason }
    }
}

/// The text of a message to `to`, a callsign or `all`.
pub(super) fn text_of(message_key: MessageKey, to: &str) -> String {
    let MessageKey { writer, seq } = message_key;
    let mut text = format!("{writer} {seq} {to} ");
    // Any rule will do that both sides know.
    let mix = (writer as u64).wrapping_mul(31).wrapping_add(seq.wrapping_mul(2_654_435_761));
    for place in 0..mix % LONGEST_FILL {
        let _ = write!(text, "{:x}", (mix >> (place % 16)) & 15);
    }
    text
}

impl Message {
    /// What the oracle wants to know; a text of somebody else is a message of nobody.
    pub(super) fn delivery(&self, callsigns: &[String]) -> Delivery {
        let message_key = self.message_key().unwrap_or(MessageKey { writer: usize::MAX, seq: 0 });
        let is_intact =
            self.text == text_of(message_key, &self.to) && callsigns.get(message_key.writer) == Some(&self.from);
        Delivery { id: self.id, message_key, attempt: self.attempt, intact: is_intact }
    }

    fn message_key(&self) -> Option<MessageKey> {
        let mut words = self.text.split(' ');
        Some(MessageKey { writer: words.next()?.parse().ok()?, seq: words.next()?.parse().ok()? })
    }
}

/// The ids of messages in a body that was cut off, whole numbers only.
pub(super) fn glimpsed(bytes: &[u8]) -> Vec<u64> {
    let text = String::from_utf8_lossy(bytes);
    let digits = |rest: &str| {
        let end = rest.find(|c: char| !c.is_ascii_digit())?;
        rest[..end].parse().ok()
    };
    text.split(r#"{"id":"#).skip(1).filter_map(digits).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_says_whether_it_is_whole() {
        let message_key = MessageKey { writer: 1, seq: 77 };
        let callsigns = ["w0".to_owned(), "w1".to_owned()];
        let message = |from: &str, to: &str, text: String| {
            Message { id: 5, from: from.into(), to: to.into(), text, attempt: 1 }.delivery(&callsigns)
        };
        let whole = message("w1", "r0", text_of(message_key, "r0"));
        assert!(whole.intact && whole.message_key == message_key);
        assert!(!message("w0", "r0", text_of(message_key, "r0")).intact, "another sender");
        assert!(!message("w1", "all", text_of(message_key, "r0")).intact, "another recipient");
        assert!(!message("w1", "r0", text_of(message_key, "r0") + "x").intact);
        assert_eq!(message("w1", "r0", "hello".into()).message_key.writer, usize::MAX);
    }

    #[test]
    fn ids_are_found_in_half_a_body() {
        let half = br#"{"messages":[{"id":17,"from":"a","text":"x"},{"id":18,"from":"b","text":"y"},{"id":19"#;
        assert_eq!(glimpsed(half), [17, 18], "19 may go on");
        assert_eq!(glimpsed(b"HTTP/1.1 200 OK"), [0; 0]);
    }
}
