//! Reading: `listen` and `wait`. What is there comes at once; otherwise the poll is parked, as data.

mod params;

use crate::channel::{AnswerReason, Channel, Effects, ParkedPoll, ReadResponse};
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
    pub ack_mode: AckMode,
    /// Messages at most.
    pub max: usize,
    /// Acknowledge up to here first.
    pub ack_upto: Option<MessageId>,
}

impl Default for ReadInput {
    fn default() -> Self {
        Self { consumer: None, since: None, ack_mode: AckMode::Read, max: limits::READ_MESSAGES, ack_upto: None }
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
    pub waiter: WaiterId,
}

/// What a read comes to.
#[derive(Debug)]
pub enum ReadOutcome {
    /// An answer now.
    Answered(ReadResponse),
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
            return ReadOutcome::Answered(ReadResponse::empty(AnswerReason::TimedOut));
        };
        let ReadInput { consumer, since, ack_mode, max, .. } = self.input;
        let max = max.clamp(1, limits::READ_MESSAGES);
        let deadline_ms = now.uptime_ms + self.timeout_ms;
        let poll = ParkedPoll { no, consumer, since, ack_mode, max, deadline_ms, wants_roster: self.wants_roster };
        if let Some(delivery) = channel.deliver(&poll, now) {
            return ReadOutcome::Answered(delivery);
        }
        if channel.draining {
            return ReadOutcome::Answered(channel.deliver_nothing(&poll, AnswerReason::Draining, now));
        }
        channel.park(self.waiter, poll, now, effects);
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
        Ok(vec![Entry::ConsumerAdded { no, consumer: name.clone(), cursor: self.ring.newest_evicted() }])
    }

    /// Parks a poll; an older one of the same session and consumer gives way.
    fn park(&mut self, id: WaiterId, poll: ParkedPoll, now: Now, effects: &mut Effects) {
        let older = self.consumer_mut(poll.no, poll.consumer.as_ref()).and_then(|c| c.poll);
        if let Some(older) = older {
            self.end_poll(older, AnswerReason::Superseded, now, effects);
        }
        let Some(consumer) = self.consumer_mut(poll.no, poll.consumer.as_ref()) else { return };
        consumer.poll = Some(id);
        if let Some(end_ms) = consumer.next_lease_end_ms(now.uptime_ms) {
            self.check_leases_by(end_ms);
        }
        self.waiters.park(id, poll);
        self.fetch_for(id, now, effects);
    }
}

#[cfg(test)]
mod tests;
