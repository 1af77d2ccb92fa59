//! The files attached to a message, decoded.

use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use base64::{Engine as _, alphabet};

use super::Message;
use super::by_reference::attachments;
use super::view::AttachmentView;

/// Accepts what a send accepts: any padding, and bits after the last byte.
const LENIENT: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_allow_trailing_bits(true)
        .with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// An attached file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AttachmentFile {
    /// Its media type.
    pub mime: String,
    /// Its name, as given by the sender.
    pub filename: Option<String>,
    /// Its content.
    pub content: Vec<u8>,
}

impl Message {
    /// An attachment, by its number from 0.
    #[must_use]
    pub fn attachment(&self, n: usize) -> Option<AttachmentFile> {
        attachments(&self.json())?.into_iter().nth(n).map(|file| file.decoded())
    }

    /// All attachments, in their order.
    #[must_use]
    pub fn attachments(&self) -> Vec<AttachmentFile> {
        attachments(&self.json()).unwrap_or_default().iter().map(AttachmentView::decoded).collect()
    }
}

impl AttachmentView<'_> {
    fn decoded(&self) -> AttachmentFile {
        let letters = self.data_base64.trim_end_matches('=');
        // A single letter of a last group holds less than a byte.
        let whole = letters.len() - usize::from(letters.len() % 4 == 1);
        AttachmentFile {
            mime: self.mime.clone().into_owned(),
            filename: self.filename.as_deref().map(str::to_owned),
            content: LENIENT.decode(&letters.as_bytes()[..whole]).unwrap_or_default(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::message::by_reference::decoded_bytes;

    #[test]
    fn a13_an_attachment_has_its_content_whatever_its_padding() {
        for (base64, content) in
            [("aGk=", "hi"), ("aGk", "hi"), ("aGl=", "hi"), ("aGkh", "hi!"), ("aGkhA", "hi!"), ("aGkh==", "hi!")]
        {
            let json = format!(
                r#"{{"id":7,"from":"ann","to":"all","text":"","at":6,"attachments":[{{"mime":"text/plain","data_base64":"{base64}","filename":"a"}}]}}"#
            );
            let message = Message::from_json(7, 1, None, json.as_bytes()).unwrap();
            let file = message.attachment(0).unwrap();
            assert_eq!((file.mime.as_str(), file.content.as_slice()), ("text/plain", content.as_bytes()), "{base64}");
            assert_eq!(file.content.len(), decoded_bytes(base64), "{base64}");
            assert_eq!((message.attachment(1), message.attachments()), (None, vec![file]));
        }
    }
}
