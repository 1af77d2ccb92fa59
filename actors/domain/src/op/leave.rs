//! Leaving a channel. It is idempotent: leaving twice succeeds.

use serde::Serialize;
use utoipa::ToSchema;

use crate::channel::{Channel, Effects};
use crate::entry::Entry;
use crate::ids::SessionId;
use crate::op::Operation;
use crate::settings::Retention;
use crate::transcript::{TranscriptEvent, TranscriptLine};
use crate::{Now, Refusal};

/// Leaves the channel.
#[derive(Clone, Debug)]
pub struct Leave {
    /// The session that ends.
    pub session: SessionId,
}

/// Success.
#[derive(Clone, Copy, Debug, Serialize, ToSchema)]
pub struct LeaveReply {
    /// Always true.
    pub ok: bool,
}

impl Operation for Leave {
    type Reply = LeaveReply;

    fn decide(&self, channel: &Channel, _: Now) -> Result<Vec<Entry>, Refusal> {
        Ok(channel.sessions.live(&self.session).map(|no| Entry::Left { no, evicted: false }).into_iter().collect())
    }

    fn transcript(&self, channel: &Channel, entries: &[Entry], now: Now) -> Vec<TranscriptLine> {
        transcript_lines(channel, entries, now)
    }

    fn answer(self, _: &mut Channel, _: &[Entry], _: Now, _: &mut Effects) -> LeaveReply {
        LeaveReply { ok: true }
    }
}

/// The transcript line of a member that leaves.
pub(super) fn transcript_lines(channel: &Channel, entries: &[Entry], now: Now) -> Vec<TranscriptLine> {
    let Some(Entry::Left { no, .. }) = entries.first() else { return Vec::new() };
    let Some(member) = channel.member(*no).filter(|_| channel.settings.retention != Retention::None) else {
        return Vec::new();
    };
    vec![TranscriptEvent::Leave { ts: now.at_ms, callsign: member.callsign.as_str() }.line(None)]
}
