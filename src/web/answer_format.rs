//! How the answer to a read is formatted, and how large it may be.
//!
//! A bound counts the whole answer as the client receives it. The machine cuts the list of messages before it claims any
//! of them, so what does not fit stays unread.

use bytes::Bytes;
use rogerrat_domain::{AttachmentForm, ByteBound, Message, limits};

/// All fields of an answer beside its messages and callsigns, at their longest.
const FIELDS_BYTES: usize = 320;
/// What follows the roster in an answer, at its longest.
const END_BYTES: usize = 160;
/// The part of an answer that is reserved for the roster, as a divisor. What the messages leave is used as well.
const ROSTER_DIVISOR: usize = 8;

/// How the answer to a read is formatted.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct AnswerFormat {
    pub(crate) attachments: AttachmentForm,
    /// The size of the whole answer; none is unbounded.
    pub(crate) max_bytes: Option<usize>,
}

impl AnswerFormat {
    /// The bound on the messages of an answer in JSON.
    pub(crate) fn bound(self, has_roster: bool) -> Option<ByteBound> {
        let weigh = match self.attachments {
            AttachmentForm::Full => weigh_full,
            AttachmentForm::Reference => weigh_by_reference,
        };
        let max_bytes = self.max_bytes?.saturating_sub(FIELDS_BYTES);
        Some(ByteBound { max_bytes: max_bytes.saturating_sub(self.reserved_for_roster(has_roster)), weigh })
    }

    /// The bytes of an answer that its messages leave to the roster.
    pub(crate) fn reserved_for_roster(self, has_roster: bool) -> usize {
        self.max_bytes.filter(|_| has_roster).map_or(0, |max_bytes| max_bytes / ROSTER_DIVISOR)
    }

    /// The first callsigns of a roster that fit behind `used_bytes`, and the number of the others.
    pub(crate) fn roster(self, roster: Bytes, used_bytes: impl FnOnce() -> usize) -> (Bytes, usize) {
        let Some(max_bytes) = self.max_bytes else { return (roster, 0) };
        let left_bytes = max_bytes.saturating_sub(used_bytes() + END_BYTES);
        first_of_list(roster, left_bytes.max(self.reserved_for_roster(true)))
    }
}

/// `max_bytes` within its limits.
pub(crate) fn clamped(max_bytes: u64) -> usize {
    usize::try_from(max_bytes).unwrap_or(usize::MAX).clamp(limits::ANSWER_MIN_BYTES, limits::ANSWER_MAX_BYTES)
}

fn weigh_full(message: &Message) -> usize {
    message.json().len() + FIELDS_OF_A_DELIVERY
}

fn weigh_by_reference(message: &Message) -> usize {
    message.json_by_reference().len() + FIELDS_OF_A_DELIVERY
}

/// A comma and the fields that a message may get in an answer.
const FIELDS_OF_A_DELIVERY: usize = ",,\"own\":true,\"attempt\":".len() + 10;

/// The first names of a JSON list of names without commas, within a number of bytes, and the number of the others.
fn first_of_list(list: Bytes, max_bytes: usize) -> (Bytes, usize) {
    if list.len() <= max_bytes {
        return (list, 0);
    }
    let commas = |part: &[u8]| part.iter().filter(|b| **b == b',').count();
    let Some(end) = list[..max_bytes].iter().rposition(|b| *b == b',') else {
        return (Bytes::from_static(b"[]"), commas(&list) + 1);
    };
    let more = commas(&list[end..]);
    ([&list[..end], b"]"].concat().into(), more)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a13_a_roster_is_cut_between_two_names() {
        let list = Bytes::from_static(br#"["ann","bob","carol"]"#);
        let cut = |max| {
            let (part, more) = first_of_list(list.clone(), max);
            (serde_json::from_slice::<Vec<String>>(&part).unwrap().len(), more)
        };
        assert_eq!(
            (cut(21), cut(20), cut(14), cut(13), cut(12), cut(6), cut(0)),
            ((3, 0), (2, 1), (2, 1), (2, 1), (1, 2), (0, 3), (0, 3))
        );
        for max in 2..30 {
            assert!(first_of_list(list.clone(), max).0.len() <= max);
        }
    }
}
