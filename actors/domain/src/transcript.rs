//! The transcript: the stored events of a channel, for people to read later.

use serde::Serialize;
use serde_json::value::RawValue;
use utoipa::ToSchema;

use crate::identity::Verified;
use crate::ids::MemberNo;
use crate::settings::Retention;

/// One line of a transcript.
#[derive(Clone, Debug)]
pub struct TranscriptLine {
    /// The sender and recipient of a DM. If DMs are private, only they can see the line.
    pub dm_members: Option<(MemberNo, MemberNo)>,
    /// The event as JSON.
    pub json: Box<RawValue>,
}

/// An event of a transcript. `ts` is in milliseconds since the epoch.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(tag = "type", rename_all = "snake_case")]
#[schema(as = TranscriptEvent)]
#[non_exhaustive]
pub enum TranscriptEvent<'a> {
    /// The channel was created.
    ChannelCreated {
        /// When it happened.
        ts: u64,
        /// What the transcript records.
        retention: Retention,
    },
    /// A member joined.
    Join {
        /// When it happened.
        ts: u64,
        /// The callsign, as the client spelled it.
        callsign: &'a str,
    },
    /// A member left explicitly.
    Leave {
        /// When it happened.
        ts: u64,
        /// The callsign.
        callsign: &'a str,
    },
    /// A message was sent. Its text is not recorded.
    MessageMeta {
        /// When it happened.
        ts: u64,
        /// The sender's callsign.
        from: &'a str,
        /// The recipient's callsign, or `all`.
        to: &'a str,
        /// The length of its text in UTF-16 units.
        bytes: usize,
    },
    /// A message was sent.
    Message {
        /// When it happened.
        ts: u64,
        /// The sender's callsign.
        from: &'a str,
        /// The recipient's callsign, or `all`.
        to: &'a str,
        /// The text.
        text: &'a str,
        /// Present if the sender's session joined with an identity's key.
        #[serde(skip_serializing_if = "Option::is_none")]
        #[schema(nullable = false)]
        verified: Option<Verified>,
    },
}

impl TranscriptEvent<'_> {
    /// The event as a line of the transcript.
    #[must_use]
    pub fn line(&self, dm_members: Option<(MemberNo, MemberNo)>) -> TranscriptLine {
        #[expect(clippy::expect_used, reason = "strings and numbers always serialise")]
        let json = serde_json::value::to_raw_value(self).expect("strings and numbers always serialise");
        TranscriptLine { dm_members, json }
    }
}

impl TranscriptLine {
    /// Whether a viewer may see the line if DMs are private. None is a viewer that is not a member.
    #[must_use]
    pub fn is_visible_to(&self, no: Option<MemberNo>) -> bool {
        self.dm_members.is_none_or(|(from, to)| no == Some(from) || no == Some(to))
    }
}
