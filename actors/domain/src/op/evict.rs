//! Ending the session of a callsign, for the owner of the channel or an administrator.

use crate::callsign::Callsign;
use crate::channel::{Channel, Effects};
use crate::entry::Entry;
use crate::op::Operation;
use crate::transcript::TranscriptLine;
use crate::{Now, Refusal};

/// Ends the session of a callsign, if there is one.
#[derive(Clone, Debug)]
pub struct Evict {
    /// The callsign.
    pub callsign: Callsign,
}

impl Operation for Evict {
    /// Whether there was a session.
    type Reply = bool;

    fn decide(&self, channel: &Channel, _: Now) -> Result<Vec<Entry>, Refusal> {
        let member = channel.member_named(self.callsign.as_str()).filter(|member| member.is_live());
        Ok(member.map(|member| Entry::Left { no: member.no, evicted: true }).into_iter().collect())
    }

    fn transcript(&self, channel: &Channel, entries: &[Entry], now: Now) -> Vec<TranscriptLine> {
        super::leave::transcript_lines(channel, entries, now)
    }

    fn answer(self, _: &mut Channel, entries: &[Entry], _: Now, _: &mut Effects) -> bool {
        !entries.is_empty()
    }
}
