//! Reading with `listen` and `wait`: returns due messages at once, or parks the poll.

mod params;

use crate::byte_bound::ByteBound;
use crate::channel::{AnswerReason, Channel, Effects, ParkedPoll, ReadResponse, SideEventSet, StreamEnd};
use crate::entry::{AckMode, Entry};
use crate::hint::Hint;
use crate::ids::{ConsumerName, MemberNo, MessageId, SessionId, WaiterId};
use crate::op::{Operation, ack};
use crate::refusal::Refusal;
use crate::{Now, limits};

pub use params::{ReadQuery, ReadReply, WaitReply};

/// The validated parameters of a read or a stream.
#[derive(Clone, Debug)]
pub struct ReadInput {
    /// The consumer; none is the default one.
    pub consumer: Option<ConsumerName>,
    /// Read after this id instead of the cursor.
    pub since: Option<MessageId>,
    /// Whether the member's own messages are read too. Only a named consumer may.
    pub own: bool,
    /// How the messages are acknowledged.
    pub ack_mode: AckMode,
    /// The maximum number of messages.
    pub max: usize,
    /// The maximum size of the messages; none is unbounded. A stream ignores it.
    pub bound: Option<ByteBound>,
    /// Acknowledge up to this id first.
    pub ack_upto: Option<MessageId>,
    /// Which side events a stream wants. A poll ignores it.
    pub side_events: SideEventSet,
    /// Whether the read first ends an open stream of the same consumer. A stream ends its predecessor in any case.
    pub ends_stream: bool,
}

impl Default for ReadInput {
    fn default() -> Self {
        let (ack_mode, max) = (AckMode::Read, limits::READ_MESSAGES);
        Self {
            consumer: None,
            since: None,
            own: false,
            ack_mode,
            max,
            bound: None,
            ack_upto: None,
            side_events: SideEventSet::default(),
            ends_stream: false,
        }
    }
}

/// Reads messages, and waits if none are due.
#[derive(Clone, Debug)]
pub struct Read {
    /// The member's session.
    pub session: SessionId,
    /// The parameters.
    pub input: ReadInput,
    /// How long to wait at most, in milliseconds.
    pub timeout_ms: u64,
    /// Whether the response contains the roster.
    pub wants_roster: bool,
    /// The id under which the poll is parked.
    pub waiter: WaiterId,
}

/// The result of a read.
#[derive(Debug)]
pub enum ReadOutcome {
    /// The response.
    Answered(ReadResponse),
    /// The poll is parked. [`Effect::Answer`](crate::Effect::Answer) follows.
    Parked,
}

impl Operation for Read {
    type Reply = ReadOutcome;

    fn decide(&self, channel: &Channel, now: Now) -> Result<Vec<Entry>, Refusal> {
        let no = channel.sessions.member(&self.session, now.uptime_ms)?;
        channel.begin_reading(no, &self.input, now)
    }

    fn answer(self, channel: &mut Channel, entries: &[Entry], now: Now, effects: &mut Effects) -> ReadOutcome {
        let Some(no) = channel.touch(&self.session, now) else {
            return ReadOutcome::Answered(ReadResponse::empty(AnswerReason::TimedOut));
        };
        let ReadInput { consumer, since, ack_mode, max, bound, ends_stream, .. } = self.input;
        if ends_stream {
            channel.end_readers(no, consumer.as_ref(), now, effects);
        }
        if let Some(consumer) = channel.consumer_mut(no, consumer.as_ref()) {
            consumer.touch(now);
        }
        channel.settle_unproven(no, consumer.as_ref(), since, now, effects);
        channel.offer_own(entries, now, effects);
        let max = max.clamp(1, limits::READ_MESSAGES);
        let deadline_ms = now.uptime_ms + self.timeout_ms;
        let poll =
            ParkedPoll { no, consumer, since, ack_mode, max, bound, deadline_ms, wants_roster: self.wants_roster };
        if let Some(response) = channel.deliver(&poll, now) {
            return ReadOutcome::Answered(response);
        }
        if channel.draining {
            return ReadOutcome::Answered(channel.deliver_nothing(&poll, AnswerReason::Draining, now));
        }
        channel.park(self.waiter, poll, now, effects);
        ReadOutcome::Parked
    }
}

impl Channel {
    /// The entries of a read before it reads: an acknowledgement, a new consumer at its first use, and whether the consumer
    /// reads its member's own messages from now on. A new consumer starts at the oldest stored message. If there are too
    /// many, it replaces one that was not read for long. The log has the removal as an entry, so that a replay need not know
    /// when a consumer was read.
    pub(super) fn begin_reading(&self, no: MemberNo, input: &ReadInput, now: Now) -> Result<Vec<Entry>, Refusal> {
        let member = &self.members[&no];
        let ack = input.ack_upto.map(|upto| ack::entry(self, no, input.consumer.as_ref(), upto, now)).transpose()?;
        let mut entries: Vec<_> = ack.into_iter().collect();
        let Some(name) = &input.consumer else { return Ok(entries) };
        let own = input.own;
        let cursor = match member.consumer(Some(name)) {
            Some(consumer) if consumer.own == own => return Ok(entries),
            Some(consumer) => consumer.cursor,
            None if own => self.ring.newest_evicted_of_any(),
            None => self.ring.newest_evicted(),
        };
        if member.consumer(Some(name)).is_none() && member.consumers.len() >= limits::CONSUMERS {
            let full = || Refusal::limit_reached("consumers of a member", limits::CONSUMERS).hint(Hint::RemoveConsumer);
            let consumer = member.consumer_to_drop(now).ok_or_else(full)?.clone();
            entries.push(Entry::ConsumerRemoved { no, consumer });
        }
        entries.push(Entry::ConsumerAdded { no, consumer: name.clone(), cursor, own });
        Ok(entries)
    }

    /// Offers a consumer's other reader what has become due because the consumer reads its member's own messages now.
    pub(super) fn offer_own(&mut self, entries: &[Entry], now: Now, effects: &mut Effects) {
        if let Some(Entry::ConsumerAdded { no, own: true, .. }) = entries.last() {
            self.offer_to(*no, now, effects);
        }
    }

    /// Ends the parked poll and the stream of a consumer. The poll goes first, so that it does not take what the stream
    /// returns.
    fn end_readers(&mut self, no: MemberNo, name: Option<&ConsumerName>, now: Now, effects: &mut Effects) {
        let Some((poll, stream)) = self.consumer_mut(no, name).map(|c| (c.poll, c.stream)) else { return };
        if let Some(poll) = poll {
            self.end_poll(poll, AnswerReason::Superseded, now, effects);
        }
        if let Some(stream) = stream {
            self.end_stream(stream, StreamEnd::Superseded, now, effects);
        }
    }

    /// Parks a poll. It replaces an older one of the same session and consumer.
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
        self.presence_changed(now);
        self.fetch_for(id, now, effects);
    }
}

#[cfg(test)]
mod bounded_tests;
#[cfg(test)]
mod consumer_limit_tests;
#[cfg(test)]
mod overtaken_tests;
#[cfg(test)]
mod own_tests;
#[cfg(test)]
mod taken_back_tests;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod unproven_tests;
