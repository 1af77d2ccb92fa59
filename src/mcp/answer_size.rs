//! What fits into an answer of `max_bytes` (ADR 26).
//!
//! The bound counts the whole JSON-RPC response, in which every message occurs twice: as a line of text, and as data.
//! Attachments are always references.

use std::io;

use rogerrat_domain::{
    AnswersFormat, AttachmentForm, ByteBound, DeliveredMessage, Message, Refusal, delivery_fields, limits,
    message_line, saturating_u64,
};
use serde::{Deserialize, Serialize};

use crate::web::answer_format::{AnswerFormat, clamped};

/// The fields and lines of an answer beside its messages, names and request id, at their longest.
pub(super) const FRAME_BYTES: usize = 1_400;
/// What a message may get in an answer beside itself: separators, and in both forms its attempt and whether it is own.
const DELIVERY_BYTES: usize = r#",\n,"own":true,"attempt":"#.len() + r" [own; attempt ]".len() + 2 * 10;

/// The argument that bounds an answer.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
pub(super) struct SizeArgs {
    max_bytes: Option<f64>,
}

impl SizeArgs {
    /// The maximum size of the answer, in bytes.
    ///
    /// # Errors
    /// `invalid` if it is not a whole number above 0.
    pub(super) fn max_bytes(self) -> Result<usize, Refusal> {
        match self.max_bytes {
            None => Ok(limits::ANSWER_MCP_BYTES),
            Some(n) if n >= 1.0 && n.fract() == 0.0 => Ok(clamped(saturating_u64(n))),
            Some(_) => Err(Refusal::invalid("max_bytes must be a whole number above 0")),
        }
    }

    /// The format of an answer to a read.
    ///
    /// # Errors
    /// As for [`max_bytes`](Self::max_bytes).
    pub(super) fn format(self) -> Result<AnswerFormat, Refusal> {
        Ok(AnswerFormat { attachments: AttachmentForm::Reference, max_bytes: Some(self.max_bytes()?) })
    }
}

/// The fields of a task in an answer, in both forms, beside its answers, at their longest.
const TASK_BYTES: usize = 3_000;

/// How an answer of `max_bytes` shows the answers of a task.
pub(super) fn answers_format(max_bytes: usize) -> AnswersFormat {
    let max_bytes = max_bytes.saturating_sub(FRAME_BYTES + TASK_BYTES);
    AnswersFormat { attachments: AttachmentForm::Reference, bound: Some(bound(max_bytes)) }
}

/// The bound on messages that may use `max_bytes` of an answer.
pub(super) fn bound(max_bytes: usize) -> ByteBound {
    ByteBound { max_bytes, weigh }
}

/// The size of a message in an answer, in both forms.
fn weigh(message: &Message) -> usize {
    let json = message.json_by_reference();
    json.len() + escaped_bytes(&message_line(&json, 1)) + DELIVERY_BYTES
}

/// A message as a line of text.
pub(super) fn line(message: &Message, attempt: u32) -> String {
    message_line(&message.json_by_reference(), attempt)
}

/// A delivered message as a line of text.
pub(super) fn delivered_line(delivered: &DeliveredMessage) -> String {
    let json = delivered.message.json_by_reference();
    if !delivered.own {
        return message_line(&json, delivered.attempt);
    }
    let marked = [&json[..json.len() - 1], delivery_fields(1, true).as_bytes(), b"}"].concat();
    message_line(&marked, delivered.attempt)
}

/// The size of a text in a JSON string, without its quotation marks.
pub(super) fn escaped_bytes(text: &str) -> usize {
    json_bytes(&text).saturating_sub(2)
}

/// The size of a value as JSON.
pub(super) fn json_bytes(value: &impl Serialize) -> usize {
    struct Counter(usize);
    impl io::Write for Counter {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0 += bytes.len();
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
    let mut counter = Counter(0);
    match serde_json::to_writer(&mut counter, value) {
        Ok(()) => counter.0,
        Err(_) => usize::MAX,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn max_bytes(json: &str) -> Result<usize, Refusal> {
        serde_json::from_str::<SizeArgs>(json).unwrap().max_bytes()
    }

    #[test]
    fn a13_an_answer_is_bounded_unless_asked_otherwise() {
        assert_eq!(max_bytes("{}").unwrap(), 24_000);
        let given = [r#"{"max_bytes":1}"#, r#"{"max_bytes":5000.0}"#, r#"{"max_bytes":1e12}"#];
        assert_eq!(given.map(|json| max_bytes(json).unwrap()), [1000, 5000, 1_048_576]);
        for bad in ["0", "-1", "1.5"] {
            assert!(max_bytes(&format!(r#"{{"max_bytes":{bad}}}"#)).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_message_is_weighed_in_both_forms() {
        let json = r#"{"id":7,"from":"ann","to":"all","text":"a\n\u0001\"\\ü","at":6}"#;
        let message = Message::from_json(7, 1, None, json.as_bytes()).unwrap();
        let shown = serde_json::to_string(&line(&message, u32::MAX)).unwrap().len() + json.len();
        assert!(weigh(&message) > shown, "{} {shown}", weigh(&message));
        assert_eq!((escaped_bytes("a\n\""), json_bytes(&[1, 2])), (5, 5));
    }
}
