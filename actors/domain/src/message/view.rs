//! A message as it appears in JSON, for clients that display it. Its strings are borrowed, and nothing is validated.

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::ids::MessageId;

/// A message, read from its JSON.
#[derive(Debug, Deserialize)]
pub struct MessageView<'a> {
    /// The message id.
    pub id: MessageId,
    /// The sender's callsign.
    #[serde(borrow)]
    pub from: Cow<'a, str>,
    /// The recipient's callsign, or `all`.
    #[serde(borrow)]
    pub to: Cow<'a, str>,
    /// The text.
    #[serde(borrow)]
    pub text: Cow<'a, str>,
    /// When it was sent, in milliseconds since the epoch.
    pub at: u64,
    /// The sender's display name.
    #[serde(borrow)]
    pub display: Option<Cow<'a, str>>,
    /// `status`, or empty for a message.
    #[serde(default, borrow)]
    pub kind: Cow<'a, str>,
    /// The priority; empty for the default.
    #[serde(default, borrow)]
    pub priority: Cow<'a, str>,
    /// Replies that the sender suggests.
    #[serde(default)]
    pub suggested_replies: Vec<Cow<'a, str>>,
    /// Attached files.
    #[serde(default)]
    pub attachments: Vec<AttachmentView<'a>>,
    /// The message it replies to.
    pub reply_to: Option<MessageId>,
    /// The thread it belongs to.
    #[serde(borrow)]
    pub thread: Option<Cow<'a, str>>,
    /// The number of the delivery attempt; 0 if it is not given.
    #[serde(default)]
    pub attempt: u32,
    /// Whether the reader sent it.
    #[serde(default)]
    pub own: bool,
    /// How the sender's callsign is verified.
    #[serde(borrow)]
    pub verified: Option<Cow<'a, str>>,
    /// What it wants back, if it is a task.
    #[serde(borrow)]
    pub wants: Option<Cow<'a, str>>,
    /// When the task ends by itself, in milliseconds since the epoch.
    pub deadline: Option<u64>,
    /// What the reply did to a task, or what the sender of a status is doing.
    #[serde(borrow)]
    pub state: Option<Cow<'a, str>>,
    /// Until when the sender of a status does that, in milliseconds since the epoch.
    pub until: Option<u64>,
    /// The data beside the text.
    #[serde(borrow)]
    pub data: Option<&'a RawValue>,
}

/// An attached file.
#[derive(Debug, Deserialize)]
pub struct AttachmentView<'a> {
    /// Its media type.
    #[serde(borrow)]
    pub mime: Cow<'a, str>,
    /// Its content in base64; empty in a reference.
    #[serde(default, borrow)]
    pub data_base64: Cow<'a, str>,
    /// The size of its content, in a reference.
    pub(super) bytes: Option<usize>,
    /// Its name.
    #[serde(borrow)]
    pub filename: Option<Cow<'a, str>>,
}

impl MessageView<'_> {
    /// Whether it is a status.
    #[must_use]
    pub fn is_status(&self) -> bool {
        self.kind == "status"
    }
}
