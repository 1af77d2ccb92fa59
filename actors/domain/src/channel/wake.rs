//! Who waits learns what came: parked polls are answered, streams are fed.

use std::sync::Arc;

use crate::Now;
use crate::entry::AckMode;
use crate::ids::{MemberNo, MessageId, WaiterId};
use crate::message::Message;

use super::{
    AnswerReason, Channel, Consumer, DeliveredMessage, Effect, Effects, Hold, ReadResponse, StreamEnd, Waiter,
};

impl Channel {
    /// Offers what a new message made due to everybody who waits for it.
    pub(crate) fn offer(&mut self, message: &Arc<Message>, now: Now, effects: &mut Effects) {
        if let Some(to) = message.to {
            if to != message.from {
                self.offer_one(to, message, now, effects);
            }
            return;
        }
        for place in self.places.streams.keys().copied().collect::<Vec<_>>() {
            self.pump(place, now, effects);
        }
        for place in self.places.waiters.keys().copied().collect::<Vec<_>>() {
            self.wake(place, message, now, effects);
        }
    }

    fn offer_one(&mut self, no: MemberNo, message: &Arc<Message>, now: Now, effects: &mut Effects) {
        let Some(member) = self.members.get(&no).filter(|m| m.has_place()) else { return };
        let places: Vec<_> = member.consumers.iter().map(|c| (c.stream, c.waiter)).collect();
        for (stream, waiter) in places {
            if let Some(place) = stream {
                self.pump(place, now, effects);
            }
            if let Some(place) = waiter {
                self.wake(place, message, now, effects);
            }
        }
    }

    /// Offers a member's places what has become due again.
    pub(crate) fn offer_to(&mut self, no: MemberNo, now: Now, effects: &mut Effects) {
        let Some(member) = self.members.get(&no).filter(|m| m.has_place()) else { return };
        let places: Vec<_> = member.consumers.iter().map(|c| (c.stream, c.waiter)).collect();
        for (stream, waiter) in places {
            if let Some(place) = stream {
                self.pump(place, now, effects);
            }
            if let Some(place) = waiter {
                self.try_answer(place, now, effects);
            }
        }
    }

    /// Wakes a parked poll for a new message. Beside a stream that reads for the same consumer, both get it, as they
    /// always did; the stream's copy is the one that counts.
    fn wake(&mut self, place: WaiterId, message: &Arc<Message>, now: Now, effects: &mut Effects) {
        let Some(waiter) = self.places.waiters.get(&place) else { return };
        let claim = self.consumer_of(waiter).and_then(|c| c.claim(message.id));
        let streamed = claim.is_some_and(|c| matches!(c.hold, Hold::Queued(_) | Hold::Streamed(_)));
        if !streamed || waiter.terms != AckMode::Read {
            return self.try_answer(place, now, effects);
        }
        if waiter.since.is_none_or(|since| message.id > since) {
            self.answer_beside(place, message, now, effects);
        }
    }

    /// Passes a status on to everybody who waits for it at this instant.
    pub(crate) fn pass_on(&mut self, status: &Arc<Message>, now: Now, effects: &mut Effects) {
        let for_place =
            |no: MemberNo, since: Option<MessageId>| status.reaches(no) && since.is_none_or(|since| status.id > since);
        let streams = self.places.streams.iter().filter(|(_, s)| for_place(s.no, s.since));
        for place in streams.map(|(place, _)| *place).collect::<Vec<_>>() {
            self.feed_status(place, status, now, effects);
        }
        let waiters = self.places.waiters.iter().filter(|(_, w)| for_place(w.no, w.since));
        for place in waiters.map(|(place, _)| *place).collect::<Vec<_>>() {
            self.answer_beside(place, status, now, effects);
        }
    }

    /// Answers a parked poll with a message that is nobody's claim.
    fn answer_beside(&mut self, place: WaiterId, message: &Arc<Message>, now: Now, effects: &mut Effects) {
        let Some(waiter) = self.release_waiter(place, now) else { return };
        let roster = waiter.wants_roster.then(|| self.roster_json());
        let messages = vec![DeliveredMessage { message: message.clone(), attempt: 1 }];
        if let Some(consumer) = self.consumer_mut(waiter.no, waiter.consumer.as_ref()) {
            consumer.shown = consumer.shown.max(message.id);
        }
        effects
            .push(Effect::Answer(place, ReadResponse { messages, roster, ..ReadResponse::empty(AnswerReason::Ready) }));
    }

    /// Answers a parked poll if something is due to it.
    pub(crate) fn try_answer(&mut self, place: WaiterId, now: Now, effects: &mut Effects) {
        let Some(waiter) = self.places.unpark(place) else { return };
        match self.deliver(&waiter, now) {
            None => {
                self.places.park(place, waiter);
                self.fetch_for(place, now, effects);
            }
            Some(delivery) => {
                self.waiter_gone(&waiter, now);
                effects.push(Effect::Answer(place, delivery));
            }
        }
    }

    /// Answers a parked poll without messages.
    pub(crate) fn end_waiter(&mut self, place: WaiterId, ending: AnswerReason, now: Now, effects: &mut Effects) {
        let Some(waiter) = self.release_waiter(place, now) else { return };
        let delivery = self.deliver_nothing(&waiter, ending, now);
        effects.push(Effect::Answer(place, delivery));
    }

    /// Takes a parked poll out; its session was here until now.
    pub(crate) fn release_waiter(&mut self, place: WaiterId, now: Now) -> Option<Waiter> {
        let waiter = self.places.unpark(place)?;
        self.waiter_gone(&waiter, now);
        Some(waiter)
    }

    fn waiter_gone(&mut self, waiter: &Waiter, now: Now) {
        let Some(member) = self.members.get_mut(&waiter.no) else { return };
        member.touch(now.uptime_ms);
        if let Some(consumer) = member.consumer_mut(waiter.consumer.as_ref()) {
            consumer.waiter = None;
        }
    }

    fn consumer_of(&self, waiter: &Waiter) -> Option<&Consumer> {
        self.members.get(&waiter.no)?.consumer(waiter.consumer.as_ref())
    }

    /// Ends everything that waits for a member.
    pub(crate) fn close_places(&mut self, no: MemberNo, ending: StreamEnd, now: Now, effects: &mut Effects) {
        let Some(member) = self.members.get(&no).filter(|m| m.has_place()) else { return };
        let places: Vec<_> = member.consumers.iter().map(|c| (c.stream, c.waiter)).collect();
        for (stream, waiter) in places {
            self.close_consumer(stream, waiter, ending, now, effects);
        }
    }

    /// Ends what waits on one consumer.
    pub(crate) fn close_consumer(
        &mut self,
        stream: Option<WaiterId>,
        waiter: Option<WaiterId>,
        ending: StreamEnd,
        now: Now,
        effects: &mut Effects,
    ) {
        if let Some(place) = waiter {
            self.end_waiter(place, AnswerReason::TimedOut, now, effects);
        }
        if let Some(place) = stream {
            self.end_stream(place, ending, now, effects);
        }
    }
}
