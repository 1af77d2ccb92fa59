//! Listing the consumers of a member with their lag, and removing a consumer.

use serde::Serialize;
use utoipa::ToSchema;

use crate::Now;
use crate::channel::{Channel, Consumer, Effects, Member};
use crate::entry::Entry;
use crate::ids::{ConsumerName, MessageId, SessionId};
use crate::op::{Operation, Query};
use crate::refusal::{Code, Refusal};

/// Returns the consumers of a member.
#[derive(Clone, Debug)]
pub struct Consumers {
    /// The member's session.
    pub session: SessionId,
}

/// The consumers of a member, the default one first.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct ConsumersReply {
    /// The consumers.
    pub consumers: Vec<ConsumerRow>,
}

/// A consumer, its cursor and its backlog.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct ConsumerRow {
    /// Its name. Null for the default consumer.
    #[schema(required, pattern = "^[a-z0-9_-]{1,32}$")]
    pub name: Option<String>,
    /// The id of the last message delivered to it or, with `ack=manual`, acknowledged by it.
    #[schema(value_type = u64)]
    pub cursor: MessageId,
    /// The number of messages due to it.
    pub lag: usize,
    /// The number of messages delivered to it and not acknowledged.
    pub in_flight: usize,
    /// Whether a poll or stream of it is open.
    pub waiting: bool,
    /// Seconds since it last read or acknowledged; 0 while a poll or stream of it is open. A named consumer that was not
    /// read for 7 days is removed when a new one needs its place.
    pub read_seconds_ago: u64,
}

impl Query for Consumers {
    type Reply = ConsumersReply;

    fn session(&self) -> Option<&SessionId> {
        Some(&self.session)
    }

    fn answer(&self, channel: &Channel, now: Now) -> Result<ConsumersReply, Refusal> {
        let no = channel.sessions.member(&self.session, now.uptime_ms)?;
        let member = channel.member(no);
        let row = |member: &Member, consumer: &Consumer| ConsumerRow {
            name: consumer.name.as_ref().map(|n| n.as_str().to_owned()),
            cursor: consumer.cursor,
            lag: channel.due(member, consumer, None, now).count(),
            in_flight: consumer.claims().iter().filter(|c| consumer.is_busy(c.id, now.uptime_ms)).count(),
            waiting: consumer.is_waiting(),
            read_seconds_ago: consumer.unread_for_ms(now) / 1000,
        };
        let consumers = member.map(|member| member.consumers.iter().map(|c| row(member, c)).collect());
        Ok(ConsumersReply { consumers: consumers.unwrap_or_default() })
    }
}

/// Removes a named consumer, and ends its poll and its stream.
#[derive(Clone, Debug)]
pub struct RemoveConsumer {
    /// The member's session.
    pub session: SessionId,
    /// The consumer.
    pub name: ConsumerName,
}

impl Operation for RemoveConsumer {
    type Reply = ();

    fn decide(&self, channel: &Channel, now: Now) -> Result<Vec<Entry>, Refusal> {
        let no = channel.sessions.member(&self.session, now.uptime_ms)?;
        if channel.members[&no].consumer(Some(&self.name)).is_none() {
            return Err(Refusal::new(Code::NotFound, "consumer not found"));
        }
        Ok(vec![Entry::ConsumerRemoved { no, consumer: self.name.clone() }])
    }

    fn answer(self, channel: &mut Channel, _: &[Entry], now: Now, _: &mut Effects) {
        channel.touch(&self.session, now);
    }
}
