//! A message as it stands on the json, for whoever shows it: an agent's context, a terminal, a command. It is read where it
//! lies, and nothing of it is checked.

use std::borrow::Cow;

use serde::Deserialize;

use crate::ids::MessageId;

/// A message that was told.
#[derive(Debug, Deserialize)]
pub struct MessageView<'a> {
    /// Its id.
    pub id: MessageId,
    /// Who sent it.
    #[serde(borrow)]
    pub from: Cow<'a, str>,
    /// Whom to: a callsign, or `all`.
    #[serde(borrow)]
    pub to: Cow<'a, str>,
    /// What was said.
    #[serde(borrow)]
    pub text: Cow<'a, str>,
    /// When, in milliseconds since the epoch.
    pub at: u64,
    /// What the sender calls itself.
    #[serde(borrow)]
    pub display: Option<Cow<'a, str>>,
    /// `status` for one; nothing for a message.
    #[serde(default, borrow)]
    pub kind: Cow<'a, str>,
    /// How urgent it is, if the sender said so; else nothing.
    #[serde(default, borrow)]
    pub priority: Cow<'a, str>,
    /// Answers the sender suggests.
    #[serde(default)]
    pub suggested_replies: Vec<Cow<'a, str>>,
    /// Files.
    #[serde(default)]
    pub attachments: Vec<AttachmentView<'a>>,
    /// The message it answers.
    pub reply_to: Option<MessageId>,
    /// The thread it belongs to.
    #[serde(borrow)]
    pub thread: Option<Cow<'a, str>>,
    /// Which time it is given; 0 where that is not told.
    #[serde(default)]
    pub attempt: u32,
    /// How its sender is proved.
    #[serde(borrow)]
    pub verified: Option<Cow<'a, str>>,
}

/// A file that is attached.
#[derive(Debug, Deserialize)]
pub struct AttachmentView<'a> {
    /// Its type.
    #[serde(borrow)]
    pub mime: Cow<'a, str>,
    /// What is in it.
    #[serde(borrow)]
    pub data_base64: Cow<'a, str>,
    /// The name the sender gave it.
    #[serde(borrow)]
    pub filename: Option<Cow<'a, str>>,
}

impl MessageView<'_> {
    /// Whether it is a passing sign of work.
    #[must_use]
    pub fn is_status(&self) -> bool {
        self.kind == "status"
    }
}
