//! The texts that writers send, and how a reader detects that a message is damaged.
//!
//! A text names its writer, its sequence number and its recipient, followed by a filler that is derived from them.

use std::fmt::Write as _;

use serde::Deserialize;

use super::oracle::{Delivery, Gap, GapReason, MessageRef};

const MAX_FILLER_CHARS: u64 = 400;

/// The response body of a poll.
#[derive(Deserialize)]
pub(super) struct PollBody {
    messages: Vec<Message>,
    #[serde(default)]
    pub(super) gap: Option<GapJson>,
    #[serde(default)]
    pub(super) superseded: bool,
}

#[derive(Deserialize)]
pub(super) struct Message {
    pub(super) id: u64,
    from: String,
    to: String,
    text: String,
    #[serde(default = "first_attempt")]
    attempt: u32,
}

#[derive(Deserialize)]
pub(super) struct GapJson {
    from: u64,
    to: u64,
    reason: GapReason,
}

fn first_attempt() -> u32 {
    1
}

impl From<GapJson> for Gap {
    fn from(GapJson { from, to, reason }: GapJson) -> Self {
        Self { from, to, reason }
    }
}

/// Returns the text of a message to `to`, a callsign or `all`.
pub(super) fn message_text(message: MessageRef, to: &str) -> String {
    let MessageRef { writer, seq } = message;
    let mut text = format!("{writer} {seq} {to} ");
    // The filler may follow any rule that writer and reader share.
    let mix = (writer as u64).wrapping_mul(31).wrapping_add(seq.wrapping_mul(2_654_435_761));
    for position in 0..mix % MAX_FILLER_CHARS {
        let _ = write!(text, "{:x}", (mix >> (position % 16)) & 15);
    }
    text
}

impl PollBody {
    /// Returns the messages for the oracle.
    pub(super) fn deliveries(&self, callsigns: &[String]) -> Vec<Delivery> {
        self.messages.iter().map(|message| message.delivery(callsigns)).collect()
    }
}

impl Message {
    /// Returns the message for the oracle. A text without a writer gets one that does not exist.
    pub(super) fn delivery(&self, callsigns: &[String]) -> Delivery {
        let message = self.message_ref().unwrap_or(MessageRef { writer: usize::MAX, seq: 0 });
        let is_from_writer = callsigns.get(message.writer) == Some(&self.from);
        let intact = is_from_writer && self.text == message_text(message, &self.to);
        Delivery { id: self.id, message, attempt: self.attempt, intact }
    }

    fn message_ref(&self) -> Option<MessageRef> {
        let mut words = self.text.split(' ');
        Some(MessageRef { writer: words.next()?.parse().ok()?, seq: words.next()?.parse().ok()? })
    }
}

/// Returns the ids of messages in a body that was cut off. An id at the very end may be incomplete and is left out.
pub(super) fn ids_in(partial: &[u8]) -> Vec<u64> {
    let text = String::from_utf8_lossy(partial);
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
    fn a_damaged_message_is_detected() {
        let sent = MessageRef { writer: 1, seq: 77 };
        let callsigns = ["w0".to_owned(), "w1".to_owned()];
        let delivery = |from: &str, to: &str, text: String| {
            Message { id: 5, from: from.into(), to: to.into(), text, attempt: 1 }.delivery(&callsigns)
        };
        let whole = delivery("w1", "r0", message_text(sent, "r0"));
        assert!(whole.intact && whole.message == sent);
        assert!(!delivery("w0", "r0", message_text(sent, "r0")).intact, "another sender");
        assert!(!delivery("w1", "all", message_text(sent, "r0")).intact, "another recipient");
        assert!(!delivery("w1", "r0", message_text(sent, "r0") + "x").intact);
        assert_eq!(delivery("w1", "r0", "hello".into()).message.writer, usize::MAX);
    }

    #[test]
    fn ids_are_found_in_a_partial_body() {
        let partial = br#"{"messages":[{"id":17,"from":"a","text":"x"},{"id":18,"from":"b","text":"y"},{"id":19"#;
        assert_eq!(ids_in(partial), [17, 18], "19 may be incomplete");
        assert_eq!(ids_in(b"HTTP/1.1 200 OK"), [0; 0]);
    }
}
