//! Acknowledging: everything up to an id is done.

use serde::{Deserialize, Serialize};

use crate::Now;
use crate::channel::{Channel, Effect};
use crate::entry::Entry;
use crate::ids::{ConsumerName, MemberNo, MessageId, SessionId};
use crate::op::Operation;
use crate::refusal::{Code, Refusal};

/// Acknowledge what a consumer has been given.
#[derive(Clone, Debug)]
pub struct Ack {
    /// Who acknowledges.
    pub session: SessionId,
    /// For which consumer; none is the default one.
    pub consumer: Option<ConsumerName>,
    /// Up to which id, inclusive.
    pub upto: MessageId,
}

/// Where that leaves the consumer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AckReply {
    /// Messages that were with the consumer and are now done.
    pub acked: usize,
    /// Its cursor.
    pub cursor: MessageId,
}

impl Operation for Ack {
    type Reply = AckReply;
    const NAME: &'static str = "ack";

    fn decide(&self, channel: &Channel, now: Now) -> Result<Vec<Entry>, Refusal> {
        let no = channel.sessions.member(&self.session, now.uptime_ms)?;
        entry(channel, no, self.consumer.as_ref(), self.upto, now).map(|entry| vec![entry])
    }

    fn answer(self, channel: &mut Channel, entries: &[Entry], now: Now, _: &mut Vec<Effect>) -> AckReply {
        let acked = match entries.first() {
            Some(Entry::Acked { ids, .. }) => ids.len(),
            _ => 0,
        };
        let no = channel.touch(&self.session, now).unwrap_or_default();
        let cursor = channel.consumer_mut(no, self.consumer.as_ref()).map_or(0, |c| c.cursor);
        AckReply { acked, cursor }
    }
}

/// What an acknowledgement will have done; also used by a read that brings one.
pub(super) fn entry(
    channel: &Channel,
    no: MemberNo,
    name: Option<&ConsumerName>,
    upto: MessageId,
    now: Now,
) -> Result<Entry, Refusal> {
    let Some(consumer) = channel.members[&no].consumer(name) else {
        return Err(Refusal::new(Code::NotFound, "there is no such consumer").hint("read with it once to make it"));
    };
    if upto > consumer.shown {
        return Err(Refusal::invalid(format!("upto is above the highest id handed out ({})", consumer.shown)));
    }
    // A status is shown and not handed over: acknowledging it says nothing of messages not given yet.
    let upto = upto.min(consumer.handed);
    let ids = consumer.had_upto(upto);
    Ok(Entry::Acked { no, consumer: name.cloned(), upto, ids, at_ms: now.at_ms })
}

#[cfg(test)]
mod tests;
