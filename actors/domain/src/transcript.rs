//! The transcript: what a channel with a retention keeps of what happens on it, for people to read later.

use serde::Serialize;
use serde_json::value::RawValue;
use utoipa::ToSchema;

use crate::identity::Verified;
use crate::ids::MemberNo;
use crate::settings::Retention;

/// One line of a transcript.
#[derive(Clone, Debug)]
pub struct TranscriptLine {
    /// The two dm_members of a DM; where DMs are private, only they see the line.
    pub dm_members: Option<(MemberNo, MemberNo)>,
    /// The event as JSON.
    pub json: Box<RawValue>,
}

/// What happened, as the transcript tells it. `ts` is milliseconds since the epoch.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(tag = "type", rename_all = "snake_case")]
#[schema(as = TranscriptEvent)]
#[non_exhaustive]
pub enum TranscriptEvent<'a> {
    /// The channel was created.
    ChannelCreated {
        /// When.
        ts: u64,
        /// What it keeps.
        retention: Retention,
    },
    /// Somebody joined.
    Join {
        /// When.
        ts: u64,
        /// The callsign, as it was spelled.
        callsign: &'a str,
    },
    /// Somebody left, and said so.
    Leave {
        /// When.
        ts: u64,
        /// The callsign.
        callsign: &'a str,
    },
    /// A message was sent; what it said is not kept.
    MessageMeta {
        /// When.
        ts: u64,
        /// Who sent it.
        from: &'a str,
        /// The callsign it went to, or `all`.
        to: &'a str,
        /// The UTF-16 units of its text, as the original counts them.
        bytes: usize,
    },
    /// A message was sent.
    Message {
        /// When.
        ts: u64,
        /// Who sent it.
        from: &'a str,
        /// The callsign it went to, or `all`.
        to: &'a str,
        /// What it said.
        text: &'a str,
        /// Said when the sender proved its callsign.
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
    /// Whether a member, or somebody who is none, may see the line where DMs are private.
    #[must_use]
    pub fn is_visible_to(&self, no: Option<MemberNo>) -> bool {
        self.dm_members.is_none_or(|(from, to)| no == Some(from) || no == Some(to))
    }
}
