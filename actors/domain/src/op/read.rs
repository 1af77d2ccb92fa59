//! Reading: `listen` and `wait`. What is there comes at once; otherwise the poll is parked, as data.

mod params;

use crate::channel::{AnswerReason, Channel, Effects, ReadResponse, Waiter};
use crate::entry::{AckMode, Entry};
use crate::hint::Hint;
use crate::ids::{ConsumerName, MemberNo, MessageId, SessionId, WaiterId};
use crate::op::{Operation, ack};
use crate::refusal::Refusal;
use crate::{Now, limits};

pub use params::{ReadQuery, ReadReply, WaitReply};

/// How a consumer wants to read, checked.
#[derive(Clone, Debug)]
pub struct ReadInput {
    /// The consumer; none is the default one.
    pub consumer: Option<ConsumerName>,
    /// Read from here instead of the cursor.
    pub since: Option<MessageId>,
    /// What being given a message means.
    pub terms: AckMode,
    /// Messages at most.
    pub max: usize,
    /// Acknowledge up to here first.
    pub ack_upto: Option<MessageId>,
}

impl Default for ReadInput {
    fn default() -> Self {
        Self { consumer: None, since: None, terms: AckMode::Read, max: limits::READ_MESSAGES, ack_upto: None }
    }
}

/// Read, waiting if there is nothing.
#[derive(Clone, Debug)]
pub struct Read {
    /// Who reads.
    pub session: SessionId,
    /// How.
    pub input: ReadInput,
    /// How long to wait, in milliseconds.
    pub timeout_ms: u64,
    /// Whether the answer carries the roster.
    pub wants_roster: bool,
    /// Where to park.
    pub place: WaiterId,
}

/// What a read comes to.
#[derive(Debug)]
pub enum ReadOutcome {
    /// An answer now.
    Now(ReadResponse),
    /// Parked: an [`Effects::Answer`] for its place will follow.
    Parked,
}

impl Operation for Read {
    type Reply = ReadOutcome;

    fn decide(&self, channel: &Channel, now: Now) -> Result<Vec<Entry>, Refusal> {
        let no = channel.sessions.member(&self.session, now.uptime_ms)?;
        channel.begin_reading(no, &self.input, now)
    }

    fn answer(self, channel: &mut Channel, _: &[Entry], now: Now, effects: &mut Effects) -> ReadOutcome {
        let Some(no) = channel.touch(&self.session, now) else {
            return ReadOutcome::Now(ReadResponse::empty(AnswerReason::TimedOut));
        };
        let ReadInput { consumer, since, terms, max, .. } = self.input;
        let max = max.clamp(1, limits::READ_MESSAGES);
        let deadline_ms = now.uptime_ms + self.timeout_ms;
        let waiter = Waiter { no, consumer, since, terms, max, deadline_ms, wants_roster: self.wants_roster };
        if let Some(delivery) = channel.deliver(&waiter, now) {
            return ReadOutcome::Now(delivery);
        }
        if channel.draining {
            return ReadOutcome::Now(channel.deliver_nothing(&waiter, AnswerReason::Draining, now));
        }
        channel.park(self.place, waiter, now, effects);
        ReadOutcome::Parked
    }
}

impl Channel {
    /// What a read does before it reads: it acknowledges, or makes the named consumer it is the first to use, which
    /// starts at the oldest message held.
    pub(super) fn begin_reading(&self, no: MemberNo, input: &ReadInput, now: Now) -> Result<Vec<Entry>, Refusal> {
        let member = &self.members[&no];
        if let Some(upto) = input.ack_upto {
            return ack::entry(self, no, input.consumer.as_ref(), upto, now).map(|entry| vec![entry]);
        }
        let Some(name) = input.consumer.as_ref().filter(|name| member.consumer(Some(name)).is_none()) else {
            return Ok(Vec::new());
        };
        if member.consumers.len() >= limits::CONSUMERS {
            return Err(Refusal::limit_reached("consumers of a member", limits::CONSUMERS).hint(Hint::RemoveConsumer));
        }
        Ok(vec![Entry::ConsumerAdded { no, consumer: name.clone(), cursor: self.ring.departed() }])
    }

    /// Parks a poll; an older one of the same session and consumer gives way.
    fn park(&mut self, place: WaiterId, waiter: Waiter, now: Now, effects: &mut Effects) {
        let older = self.consumer_mut(waiter.no, waiter.consumer.as_ref()).and_then(|c| c.waiter);
        if let Some(older) = older {
            self.end_waiter(older, AnswerReason::Superseded, now, effects);
        }
        let Some(consumer) = self.consumer_mut(waiter.no, waiter.consumer.as_ref()) else { return };
        consumer.waiter = Some(place);
        if let Some(end_ms) = consumer.next_lease_end_ms(now.uptime_ms) {
            self.look_at_leases_by(end_ms);
        }
        self.places.park(place, waiter);
        self.fetch_for(place, now, effects);
    }
}

#[cfg(test)]
mod tests;
