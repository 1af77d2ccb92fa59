//! Waking waiting clients: answering parked polls and feeding streams.

use std::sync::Arc;

use crate::Now;
use crate::entry::AckMode;
use crate::ids::{ConsumerName, MemberNo, MessageId, WaiterId};
use crate::message::Message;

use super::{
    AnswerReason, Channel, ClaimState, Consumer, DeliveredMessage, Effect, Effects, ParkedPoll, ReadResponse,
    StreamEnd, TaskReason,
};

impl Channel {
    /// Wakes the clients that wait for a new message.
    pub(crate) fn offer(&mut self, message: &Arc<Message>, now: Now, effects: &mut Effects) {
        if let Some(to) = message.to {
            if to != message.from {
                self.offer_dm(to, message, now, effects);
            }
            if self.ring.is_read_by_sender(message.from) {
                self.offer_dm(message.from, message, now, effects);
            }
            return;
        }
        for id in self.waiters.streams.keys().copied().collect::<Vec<_>>() {
            self.feed_stream(id, now, effects);
        }
        for id in self.waiters.polls.keys().copied().collect::<Vec<_>>() {
            self.wake(id, message, now, effects);
        }
    }

    fn offer_dm(&mut self, no: MemberNo, message: &Arc<Message>, now: Now, effects: &mut Effects) {
        let Some(member) = self.members.get(&no).filter(|m| m.is_waiting()) else { return };
        let waiting: Vec<_> = member.consumers.iter().map(|c| (c.stream, c.poll)).collect();
        for (stream, poll) in waiting {
            if let Some(id) = stream {
                self.feed_stream(id, now, effects);
            }
            if let Some(id) = poll {
                self.wake(id, message, now, effects);
            }
        }
    }

    /// Offers a member's waiting clients the messages that have become due again.
    pub(crate) fn offer_to(&mut self, no: MemberNo, now: Now, effects: &mut Effects) {
        self.presence_changed(now);
        let Some(member) = self.members.get(&no).filter(|m| m.is_waiting()) else { return };
        let waiting: Vec<_> = member.consumers.iter().map(|c| (c.stream, c.poll)).collect();
        for (stream, poll) in waiting {
            if let Some(id) = stream {
                self.feed_stream(id, now, effects);
            }
            if let Some(id) = poll {
                self.try_answer(id, now, effects);
            }
        }
    }

    /// Wakes a parked poll for a new message. If a stream reads for the same consumer, both receive the message, and only
    /// the stream's copy is claimed.
    fn wake(&mut self, id: WaiterId, message: &Arc<Message>, now: Now, effects: &mut Effects) {
        let Some(poll) = self.waiters.polls.get(&id) else { return };
        let claim = self.consumer_of(poll).and_then(|c| c.claim(message.id));
        let streamed = claim.is_some_and(|c| matches!(c.state, ClaimState::Queued(_) | ClaimState::Unacked(_)));
        if !streamed || poll.ack_mode != AckMode::Read {
            return self.try_answer(id, now, effects);
        }
        if poll.since.is_none_or(|since| message.id > since) {
            self.answer_unclaimed(id, message, now, effects);
        }
    }

    /// Forwards a status to the clients that wait for it at this moment.
    pub(crate) fn forward_status(&mut self, status: &Arc<Message>, now: Now, effects: &mut Effects) {
        let streams = self.waiters.streams.iter();
        let streams = streams.filter(|(_, s)| self.is_status_for(status, s.no, s.consumer.as_ref(), s.since));
        for id in streams.map(|(id, _)| *id).collect::<Vec<_>>() {
            self.feed_status(id, status, now, effects);
        }
        let polls = self.waiters.polls.iter();
        let polls = polls.filter(|(_, p)| self.is_status_for(status, p.no, p.consumer.as_ref(), p.since));
        for id in polls.map(|(id, _)| *id).collect::<Vec<_>>() {
            self.answer_unclaimed(id, status, now, effects);
        }
    }

    fn is_status_for(
        &self,
        status: &Message,
        no: MemberNo,
        consumer: Option<&ConsumerName>,
        since: Option<MessageId>,
    ) -> bool {
        let reads_own = || self.member(no).and_then(|member| member.consumer(consumer)).is_some_and(|c| c.own);
        since.is_none_or(|since| status.id > since) && (status.is_readable_by(no) || status.from == no && reads_own())
    }

    /// Answers a parked poll with a message that is not claimed.
    fn answer_unclaimed(&mut self, id: WaiterId, message: &Arc<Message>, now: Now, effects: &mut Effects) {
        let Some(poll) = self.remove_poll(id, now) else { return };
        let roster = poll.wants_roster.then(|| self.roster_json());
        let messages = vec![DeliveredMessage { message: message.clone(), attempt: 1, own: message.from == poll.no }];
        if let Some(consumer) = self.consumer_mut(poll.no, poll.consumer.as_ref()) {
            consumer.seen_upto = consumer.seen_upto.max(message.id);
        }
        effects.push(Effect::Answer(id, ReadResponse { messages, roster, ..ReadResponse::empty(AnswerReason::Ready) }));
    }

    /// Answers a parked poll if something is due.
    pub(crate) fn try_answer(&mut self, id: WaiterId, now: Now, effects: &mut Effects) {
        let Some(poll) = self.waiters.unpark(id) else { return };
        match self.deliver(&poll, now) {
            None => {
                self.waiters.park(id, poll);
                self.fetch_for(id, now, effects);
            }
            Some(response) => {
                self.poll_ended(&poll, now);
                effects.push(Effect::Answer(id, response));
            }
        }
    }

    /// Answers a parked poll without messages.
    pub(crate) fn end_poll(&mut self, id: WaiterId, reason: AnswerReason, now: Now, effects: &mut Effects) {
        let Some(poll) = self.remove_poll(id, now) else { return };
        let response = self.deliver_nothing(&poll, reason, now);
        effects.push(Effect::Answer(id, response));
    }

    /// Removes a parked poll. Its session counts as active until now.
    pub(crate) fn remove_poll(&mut self, id: WaiterId, now: Now) -> Option<ParkedPoll> {
        let poll = self.waiters.unpark(id)?;
        self.poll_ended(&poll, now);
        Some(poll)
    }

    fn poll_ended(&mut self, poll: &ParkedPoll, now: Now) {
        self.presence_changed(now);
        let Some(member) = self.members.get_mut(&poll.no) else { return };
        member.touch(now);
        if let Some(consumer) = member.consumer_mut(poll.consumer.as_ref()) {
            consumer.poll = None;
            consumer.touch(now);
        }
    }

    fn consumer_of(&self, poll: &ParkedPoll) -> Option<&Consumer> {
        self.members.get(&poll.no)?.consumer(poll.consumer.as_ref())
    }

    /// Ends the polls and streams of a member.
    pub(crate) fn end_waits(&mut self, no: MemberNo, end: StreamEnd, now: Now, effects: &mut Effects) {
        self.end_all_task_waits(Some(no), TaskReason::TimedOut, now, effects);
        let Some(member) = self.members.get(&no).filter(|m| m.is_waiting()) else { return };
        let waiting: Vec<_> = member.consumers.iter().map(|c| (c.stream, c.poll)).collect();
        for (stream, poll) in waiting {
            self.close_consumer(stream, poll, end, now, effects);
        }
    }

    /// Ends the poll and the stream of one consumer.
    pub(crate) fn close_consumer(
        &mut self,
        stream: Option<WaiterId>,
        poll: Option<WaiterId>,
        end: StreamEnd,
        now: Now,
        effects: &mut Effects,
    ) {
        if let Some(id) = poll {
            self.end_poll(id, AnswerReason::TimedOut, now, effects);
        }
        if let Some(id) = stream {
            self.end_stream(id, end, now, effects);
        }
    }
}
