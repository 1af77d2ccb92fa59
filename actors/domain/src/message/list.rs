//! Messages in a reply, shared with the channel and serialized as they are stored.

use std::ops::{Deref, DerefMut};
use std::sync::Arc;

use serde::ser::Error as _;
use serde::{Serialize, Serializer};
use serde_json::value::RawValue;

use super::Message;
use super::by_reference::AttachmentForm;

/// Messages in a reply.
#[derive(Clone, Debug, Default)]
pub struct MessageList {
    /// The messages.
    pub messages: Vec<Arc<Message>>,
    /// How their attachments are serialized.
    pub attachments: AttachmentForm,
}

impl From<Vec<Arc<Message>>> for MessageList {
    fn from(messages: Vec<Arc<Message>>) -> Self {
        Self { messages, attachments: AttachmentForm::Full }
    }
}

impl Deref for MessageList {
    type Target = Vec<Arc<Message>>;

    fn deref(&self) -> &Self::Target {
        &self.messages
    }
}

impl DerefMut for MessageList {
    fn deref_mut(&mut self) -> &mut Self::Target {
        &mut self.messages
    }
}

impl Serialize for MessageList {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.collect_seq(self.messages.iter().map(|message| InForm(message, self.attachments)))
    }
}

struct InForm<'a>(&'a Message, AttachmentForm);

impl Serialize for InForm<'_> {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        let json = self.0.json_in(self.1);
        serde_json::from_slice::<&RawValue>(&json).map_err(S::Error::custom)?.serialize(s)
    }
}
