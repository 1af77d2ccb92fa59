//! Acknowledging all messages up to an id.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::channel::{Channel, Effects};
use crate::entry::Entry;
use crate::ids::{ConsumerName, MemberNo, MessageId, SessionId};
use crate::op::Operation;
use crate::refusal::{Code, Refusal};
use crate::{Now, schema};

/// The body of an acknowledgement.
#[derive(Clone, Debug, Default, Deserialize, ToSchema)]
pub struct AckInput {
    /// The highest message id to acknowledge. An id above the highest one delivered to the consumer is refused; one
    /// below its cursor has no effect.
    #[serde(default, deserialize_with = "crate::deserialize::whole_number")]
    #[schema(schema_with = schema::upto, required)]
    pub upto: Option<MessageId>,
    /// The consumer: 1 to 32 of `a`-`z`, `0`-`9`, `_` and `-`. If omitted, the default one.
    #[schema(pattern = "^[a-z0-9_-]{1,32}$")]
    pub consumer: Option<String>,
}

impl AckInput {
    /// Validates the body.
    ///
    /// # Errors
    /// `invalid` if `upto` is missing or `consumer` is not a valid name.
    pub fn check(&self, session: SessionId) -> Result<Ack, Refusal> {
        let missing = || Refusal::invalid("`upto` is missing: the highest message id to acknowledge");
        let upto = self.upto.ok_or_else(missing)?;
        let consumer = self.consumer.as_deref().map(ConsumerName::parse).transpose()?;
        Ok(Ack { session, consumer, upto })
    }
}

/// Acknowledges the messages delivered to a consumer.
#[derive(Clone, Debug)]
pub struct Ack {
    /// The member's session.
    pub session: SessionId,
    /// The consumer; none is the default one.
    pub consumer: Option<ConsumerName>,
    /// The last id to acknowledge (inclusive).
    pub upto: MessageId,
}

/// The consumer after an acknowledgement.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct AckReply {
    /// The number of messages that this call acknowledged.
    pub acked: usize,
    /// The consumer's cursor.
    #[schema(value_type = u64)]
    pub cursor: MessageId,
}

impl Operation for Ack {
    type Reply = AckReply;

    fn decide(&self, channel: &Channel, now: Now) -> Result<Vec<Entry>, Refusal> {
        let no = channel.sessions.member(&self.session, now.uptime_ms)?;
        entry(channel, no, self.consumer.as_ref(), self.upto, now).map(|entry| vec![entry])
    }

    fn answer(self, channel: &mut Channel, entries: &[Entry], now: Now, _: &mut Effects) -> AckReply {
        let acked = match entries.first() {
            Some(Entry::Acked { ids, .. }) => ids.len(),
            _ => 0,
        };
        let no = channel.touch(&self.session, now).unwrap_or_default();
        let cursor = channel.consumer_mut(no, self.consumer.as_ref()).map_or(0, |c| c.cursor);
        AckReply { acked, cursor }
    }
}

/// The entry of an acknowledgement. Also used by a read with `ack_upto`.
pub(super) fn entry(
    channel: &Channel,
    no: MemberNo,
    name: Option<&ConsumerName>,
    upto: MessageId,
    now: Now,
) -> Result<Entry, Refusal> {
    let member = &channel.members[&no];
    let Some(consumer) = member.consumer(name) else {
        return Err(Refusal::new(Code::NotFound, "consumer not found").hint("a consumer is created by its first read"));
    };
    if upto > consumer.seen_upto {
        return Err(Refusal::invalid(format!(
            "upto is above the highest id delivered to the consumer ({})",
            consumer.seen_upto
        )));
    }
    // A status is received and not claimed: acknowledging its id must not cover messages that are not delivered yet.
    let upto = upto.min(consumer.delivered_upto);
    let mut ids = consumer.delivered_claims_upto(upto);
    // After a crash the log may lack deliveries of held DMs. The acknowledgement covers those up to its id.
    let maybe_delivered =
        member.held.iter().map(|slot| slot.id).filter(|id| *id <= upto.min(consumer.maybe_delivered_upto()));
    ids.extend(maybe_delivered.filter(|id| consumer.claim(*id).is_none()).collect::<Vec<_>>());
    ids.sort_unstable();
    let (consumer, overtaken) = (name.cloned(), consumer.overtaken(upto, &ids));
    Ok(Entry::Acked { no, consumer, upto, ids, overtaken, is_implied: false, at_ms: now.at_ms })
}

#[cfg(test)]
mod tests;
