//! A message with its attachments by reference: their facts instead of their content.
//!
//! Messages without attachments, which are nearly all, are passed on as they are stored.

use std::borrow::Cow;
use std::ops::Range;

use bytes::Bytes;
use memchr::memmem;
use serde::Serialize;
use utoipa::ToSchema;

use super::Message;
use super::view::AttachmentView;
use crate::schema;

/// How the field with the attachments begins. In a string, a quotation mark has a backslash before it, so no text of a
/// sender contains this.
const FIELD: &[u8] = br#","attachments":"#;
/// How the field with the sender's data begins. It is behind the attachments, and may contain anything.
const DATA: &[u8] = br#","data":"#;

/// A file sent with a message: with its content, or by reference.
#[derive(ToSchema)]
#[schema(as = Attachment)]
#[expect(dead_code, reason = "only the derived code reads the fields")]
pub(crate) struct AttachmentSchema {
    /// Its media type.
    #[schema(schema_with = schema::mime)]
    mime: String,
    /// Its content in standard base64, without whitespace. Absent in a reference.
    #[schema(nullable = false, min_length = 1, max_length = 524_288)]
    data_base64: Option<String>,
    /// Its name, as given by the sender.
    #[schema(nullable = false, min_length = 1, max_length = 128)]
    filename: Option<String>,
    /// In a reference: the size of its content, in bytes.
    #[schema(nullable = false)]
    bytes: Option<usize>,
    /// In a reference: its number in the message, from 0.
    #[schema(nullable = false, maximum = 3)]
    n: Option<usize>,
}

/// An attachment without its content.
#[derive(Debug, Serialize)]
pub struct AttachmentReference<'a> {
    /// Its media type.
    pub mime: Cow<'a, str>,
    /// Its name, as given by the sender.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub filename: Option<Cow<'a, str>>,
    /// The size of its content, in bytes.
    pub bytes: usize,
    /// Its number in the message, from 0: the N of `…/attachments/N`.
    pub n: usize,
}

/// The number of bytes that a base64 text decodes to. Incomplete groups at its end count as far as they hold bytes.
pub(super) fn decoded_bytes(base64: &str) -> usize {
    let letters = base64.trim_end_matches('=').len();
    letters / 4 * 3 + (letters % 4).saturating_sub(1)
}

impl Message {
    /// The message as JSON, with references instead of the content of its attachments. Without attachments it shares the
    /// stored bytes.
    #[must_use]
    pub fn json_by_reference(&self) -> Bytes {
        let json = self.json();
        if self.has_attachments { by_reference(&json).map_or(json, Bytes::from) } else { json }
    }

    /// The message as JSON for an interface: with its attachments, or with references to them.
    #[must_use]
    pub fn json_in(&self, form: AttachmentForm) -> Bytes {
        match form {
            AttachmentForm::Full => self.json(),
            AttachmentForm::Reference => self.json_by_reference(),
        }
    }
}

/// How attachments appear in JSON.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum AttachmentForm {
    /// With their content.
    #[default]
    Full,
    /// As an [`AttachmentReference`].
    Reference,
}

/// The attachments in the JSON of a message.
pub(super) fn attachments(json: &[u8]) -> Option<Vec<AttachmentView<'_>>> {
    find(json).map(|(files, _)| files)
}

/// The attachments in the JSON of a message, and where their list is.
fn find(json: &[u8]) -> Option<(Vec<AttachmentView<'_>>, Range<usize>)> {
    let start = memmem::find(json, FIELD)? + FIELD.len();
    if memmem::find(json.get(..start)?, DATA).is_some() {
        return None;
    }
    let mut rest = serde_json::Deserializer::from_slice(json.get(start..)?).into_iter::<Vec<AttachmentView<'_>>>();
    let files = rest.next()?.ok()?;
    Some((files, start..start + rest.byte_offset()))
}

fn by_reference(json: &[u8]) -> Option<Vec<u8>> {
    let (files, Range { start, end }) = find(json)?;
    let references: Vec<_> = files.iter().enumerate().map(|(n, file)| file.reference(n)).collect();
    let mut shorter = json.get(..start)?.to_vec();
    serde_json::to_writer(&mut shorter, &references).ok()?;
    shorter.extend_from_slice(json.get(end..)?);
    Some(shorter)
}

/// A frame of an event stream with its attachments by reference; `None` if it has none.
#[must_use]
pub fn frame_by_reference(frame: &[u8]) -> Option<Bytes> {
    // The message is one line, so the line break after it ends the search of the parser.
    by_reference(frame).map(Bytes::from)
}

impl<'a> AttachmentView<'a> {
    /// The attachment without its content.
    #[must_use]
    pub fn reference(&self, n: usize) -> AttachmentReference<'_> {
        AttachmentReference {
            mime: Cow::Borrowed(&self.mime),
            filename: self.filename.as_deref().map(Cow::Borrowed),
            bytes: self.bytes(),
            n,
        }
    }

    /// The size of its content, in bytes.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.bytes.unwrap_or_else(|| decoded_bytes(&self.data_base64))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::message::view::MessageView;

    fn message(value: &str) -> Message {
        Message::from_json(7, 1, None, value.as_bytes()).unwrap()
    }

    #[test]
    fn a13_attachments_become_references_and_nothing_else_changes() {
        let text = r#"{"id":7,"from":"ann","to":"all","text":"see ,\"attachments\":[{\"mime\":1}]","at":6,"attachments":[{"mime":"image/png","data_base64":"AAAA","filename":"a \"b\".png"},{"mime":"application/pdf","data_base64":"AAA="}],"reply_to":3,"thread":"t"}"#;
        let full: Value = serde_json::from_str(text).unwrap();
        let mut expected = full.clone();
        expected["attachments"] = json!([
            {"mime": "image/png", "filename": "a \"b\".png", "bytes": 3, "n": 0},
            {"mime": "application/pdf", "bytes": 2, "n": 1},
        ]);
        let message = message(text);
        assert_eq!(serde_json::from_slice::<Value>(&message.json_in(AttachmentForm::Reference)).unwrap(), expected);
        assert_eq!(serde_json::from_slice::<Value>(&message.json_in(AttachmentForm::Full)).unwrap(), full);
        for attempt in [1, 2] {
            let frame = frame_by_reference(&message.frame(attempt, attempt == 2)).unwrap();
            let data = std::str::from_utf8(&frame).unwrap().split("data: ").nth(1).unwrap().split('\n').next().unwrap();
            let view: MessageView<'_> = serde_json::from_str(data).unwrap();
            assert_eq!((view.attachments[0].bytes(), view.attachments[1].bytes()), (3, 2));
            assert!(frame.ends_with(b"\nid: 7\n\n"));
        }
    }

    #[test]
    fn a13_a_message_without_attachments_shares_its_bytes() {
        let message = message(r#"{"id":7,"from":"ann","to":"all","text":",\"attachments\":[]","at":6}"#);
        assert!(std::ptr::eq(message.json_by_reference().as_ptr(), message.json().as_ptr()));
        assert!(frame_by_reference(&message.frame(1, false)).is_none());
    }

    #[test]
    fn the_size_of_base64_is_that_of_its_content() {
        for (text, bytes) in [("", 0), ("AA==", 1), ("AAA=", 2), ("AAAA", 3), ("AAA", 2), ("AAAAA", 3), ("AAAAAA", 4)] {
            assert_eq!(decoded_bytes(text), bytes, "{text}");
        }
    }
}
