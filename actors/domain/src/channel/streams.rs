//! Open streams: feeding them within their bounds, and ending them so that nothing is lost.

use std::sync::Arc;

use bytes::Bytes;

use crate::Now;
use crate::entry::{AckMode, Entry};
use crate::ids::WaiterId;
use crate::limits::{STREAM_BYTES, STREAM_EVENTS};
use crate::message::Message;

use super::stats::count;
use super::waiters::{Queued, Stream};
use super::{Channel, DeliveredMessage, Effect, Effects, Gap, Hold, StreamEnd, stream_frames};

/// Why a stream is fed no more for now.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Pause {
    /// Nothing is due.
    Empty,
    /// Its queue is full.
    Full,
    /// Its reader must acknowledge first.
    Unacked,
    /// What is due next must be fetched first.
    Fetching,
}

impl Stream {
    fn has_room_for(&self, bytes: usize) -> bool {
        self.queue.is_empty() || (self.queue.len() < STREAM_EVENTS && self.queue_bytes + bytes <= STREAM_BYTES)
    }

    /// What was taken since the last look, given how many events were taken in all.
    fn took(&mut self, taken: u64) -> Vec<Queued> {
        let mut events = Vec::new();
        while self.taken < taken {
            self.taken += 1;
            let Some(event) = self.queue.pop_front() else { continue };
            self.queue_bytes -= event.bytes;
            events.push(event);
        }
        events
    }
}

impl Channel {
    /// Looks how far the streams have got; those whose reader has gone are closed.
    pub(crate) fn settle_streams(&mut self, now: Now, effects: &mut Effects) {
        let moved = |s: &Stream| {
            let (taken, cut) = s.progress.seen();
            cut || taken != s.taken
        };
        let places: Vec<_> = self.places.streams.iter().filter(|(_, s)| moved(s)).map(|(place, _)| *place).collect();
        for place in places {
            if self.settle_stream(place, now, effects) {
                self.drop_stream(place, now, effects);
            } else if self.places.streams.get(&place).is_some_and(|s| s.catching_up) {
                self.pump(place, now, effects);
            }
        }
    }

    /// Books what a stream has taken. True when its carrier has cut it.
    fn settle_stream(&mut self, place: WaiterId, now: Now, effects: &mut Effects) -> bool {
        let Some(stream) = self.places.streams.get_mut(&place) else { return false };
        let (taken, cut) = stream.progress.seen();
        if taken == stream.taken {
            return cut;
        }
        let took = stream.took(taken);
        let (no, consumer, terms) = (stream.no, stream.consumer.clone(), stream.terms);
        let ids: Vec<_> = took.iter().filter_map(|event| event.id).collect();
        let told = took.iter().filter_map(|event| event.gap);
        self.handed.taken += count(ids.len());
        told.clone().for_each(|(gap, _)| self.handed.told(gap.reason));
        if let Some(upto) = told.clone().map(|(gap, _)| gap.to).chain(ids.iter().copied()).max() {
            let lost = told.flat_map(|(_, hold)| self.held_as(no, consumer.as_ref(), hold)).collect();
            let entry = Entry::Delivered { no, consumer, ids, told: lost, upto, terms, at_ms: now.at_ms };
            self.apply(&entry, now, effects);
            effects.log(entry);
        }
        cut
    }

    /// Feeds a stream what is due to it, as far as its bounds allow. A live stream whose queue is full has fallen
    /// behind and is ended; what it did not take is unread.
    pub(crate) fn pump(&mut self, place: WaiterId, now: Now, effects: &mut Effects) {
        if self.settle_stream(place, now, effects) {
            return self.drop_stream(place, now, effects);
        }
        let pause = self.feed_due(place, now, effects);
        let Some(stream) = self.places.streams.get_mut(&place) else { return };
        match pause {
            Pause::Empty | Pause::Unacked => stream.catching_up = false,
            Pause::Full if !stream.catching_up && stream.terms == AckMode::Read => {
                return self.end_lagged(place, now, effects);
            }
            Pause::Full | Pause::Fetching => stream.catching_up = true,
        }
        stream.progress.set_hungry(stream.catching_up && pause != Pause::Fetching);
    }

    fn feed_due(&mut self, place: WaiterId, now: Now, effects: &mut Effects) -> Pause {
        let Some(stream) = self.places.streams.get(&place) else { return Pause::Empty };
        let Some(member) = self.members.get(&stream.no) else { return Pause::Empty };
        let Some(consumer) = member.consumer(stream.consumer.as_ref()) else { return Pause::Empty };
        let told = |gap: &Gap| stream.since.is_some() && gap.to <= stream.told_upto;
        let gap = self.gap(member, consumer, stream.since, now).filter(|gap| !told(gap));
        let may_take = match stream.terms {
            AckMode::Read => usize::MAX - 1,
            _ => stream.max.saturating_sub(consumer.in_flight(place)),
        };
        let mut given = self.given(member, consumer, stream.since, may_take + 1, now);
        let unacked = given.len() > may_take;
        given.truncate(may_take);
        if gap.is_some_and(|gap| !self.feed_gap(place, &gap, now, effects)) {
            return Pause::Full;
        }
        for given in given {
            if !self.feed(place, &given, now, effects) {
                return Pause::Full;
            }
        }
        match unacked {
            true => Pause::Unacked,
            false if self.fetch_for(place, now, effects) => Pause::Fetching,
            false => Pause::Empty,
        }
    }

    /// Tells a stream what it has lost, if there is room for it.
    fn feed_gap(&mut self, place: WaiterId, gap: &Gap, now: Now, effects: &mut Effects) -> bool {
        let frame = stream_frames::gap(gap);
        let Some(stream) = self.places.streams.get_mut(&place) else { return false };
        if !stream.has_room_for(frame.len()) {
            return false;
        }
        stream.told_upto = stream.told_upto.max(gap.to);
        let (no, name, since) = (stream.no, stream.consumer.clone(), stream.since);
        let hold = self.next_answer();
        if since.is_none() {
            self.claim_lost(no, name.as_ref(), hold, now);
        }
        self.enqueue(place, Queued { id: None, gap: Some((*gap, hold)), bytes: frame.len() }, frame, effects);
        true
    }

    /// Feeds one message if there is room for it.
    fn feed(&mut self, place: WaiterId, given: &DeliveredMessage, now: Now, effects: &mut Effects) -> bool {
        let DeliveredMessage { message, attempt } = given;
        let frame = message.frame(*attempt);
        let bytes = frame.len();
        let Some(stream) = self.places.streams.get_mut(&place).filter(|s| s.has_room_for(bytes)) else { return false };
        stream.since = stream.since.map(|since| since.max(message.id));
        let (no, name) = (stream.no, stream.consumer.clone());
        self.enqueue(place, Queued { id: Some(message.id), gap: None, bytes }, frame, effects);
        self.claim(no, name.as_ref(), std::slice::from_ref(given), Hold::Queued(place), now);
        true
    }

    /// Feeds a status; one for which there is no room is not worth ending the stream.
    pub(crate) fn feed_status(&mut self, place: WaiterId, status: &Arc<Message>, now: Now, effects: &mut Effects) {
        if self.settle_stream(place, now, effects) {
            return self.drop_stream(place, now, effects);
        }
        let bytes = status.weight_bytes();
        let Some(stream) = self.places.streams.get(&place).filter(|s| s.has_room_for(bytes)) else { return };
        let (no, name) = (stream.no, stream.consumer.clone());
        if let Some(consumer) = self.consumer_mut(no, name.as_ref()) {
            consumer.shown = consumer.shown.max(status.id);
        }
        self.enqueue(place, Queued { id: None, gap: None, bytes }, status.frame(1), effects);
    }

    /// Opens a stream: hello, what was lost, what is waiting.
    pub(crate) fn open_stream(&mut self, place: WaiterId, stream: Stream, now: Now, effects: &mut Effects) {
        let roster = self.roster_json();
        let Some(member) = self.members.get(&stream.no) else { return };
        let Some(consumer) = member.consumer(stream.consumer.as_ref()) else { return };
        let backlog = self.due(member, consumer, stream.since, now).count();
        let frame = stream_frames::hello(self.id.as_str(), member.callsign.as_str(), &roster, backlog);
        let (no, name) = (stream.no, stream.consumer.clone());
        self.places.streams.insert(place, stream);
        if let Some(consumer) = self.consumer_mut(no, name.as_ref()) {
            consumer.stream = Some(place);
            if let Some(end_ms) = consumer.next_lease_end_ms(now.uptime_ms) {
                self.look_at_leases_by(end_ms);
            }
        }
        self.enqueue(place, Queued { id: None, gap: None, bytes: frame.len() }, frame, effects);
        self.pump(place, now, effects);
    }

    fn enqueue(&mut self, place: WaiterId, queued: Queued, frame: Bytes, effects: &mut Effects) {
        let Some(stream) = self.places.streams.get_mut(&place) else { return };
        stream.queue_bytes += queued.bytes;
        stream.queue.push_back(queued);
        assert!(stream.queue.len() <= STREAM_EVENTS, "a stream keeps its bound");
        effects.push(Effect::Feed(place, frame));
    }

    fn end_lagged(&mut self, place: WaiterId, now: Now, effects: &mut Effects) {
        let Some(stream) = self.places.streams.get(&place) else { return };
        let (no, name) = (stream.no, stream.consumer.clone());
        let waiter = self.close_stream(place, now, effects);
        let resume_from = self.consumer_mut(no, name.as_ref()).map_or(0, |c| c.cursor);
        effects.push(Effect::End(place, stream_frames::last(StreamEnd::Lagged { resume_from })));
        self.offer_rest(waiter, now, effects);
    }

    /// Ends a stream with a last event.
    pub(crate) fn end_stream(&mut self, place: WaiterId, ending: StreamEnd, now: Now, effects: &mut Effects) {
        let waiter = self.close_stream(place, now, effects);
        effects.push(Effect::End(place, stream_frames::last(ending)));
        self.offer_rest(waiter, now, effects);
    }

    /// Takes out a stream whose carrier has gone.
    pub(crate) fn drop_stream(&mut self, place: WaiterId, now: Now, effects: &mut Effects) {
        let waiter = self.close_stream(place, now, effects);
        self.offer_rest(waiter, now, effects);
    }

    /// Takes a stream out. What its reader took is done (or, manual and not acknowledged, due again as a further
    /// attempt); what it did not take is unread. Gives the poll that waits beside it.
    fn close_stream(&mut self, place: WaiterId, now: Now, effects: &mut Effects) -> Option<WaiterId> {
        self.places.streams.get(&place)?.progress.cut();
        self.settle_stream(place, now, effects);
        let stream = self.places.streams.remove(&place)?;
        self.handed.returned += count(stream.queue.iter().filter(|event| event.id.is_some()).count());
        let member = self.members.get_mut(&stream.no)?;
        member.touch(now.uptime_ms);
        let consumer = member.consumer_mut(stream.consumer.as_ref())?;
        consumer.stream = None;
        consumer.give_back(Hold::Queued(place));
        for (_, hold) in stream.queue.iter().filter_map(|event| event.gap) {
            consumer.give_back(hold);
        }
        consumer.cut_short(Hold::Streamed(place));
        consumer.waiter
    }

    /// What a stream left is offered to the poll that waited beside it.
    fn offer_rest(&mut self, waiter: Option<WaiterId>, now: Now, effects: &mut Effects) {
        if let Some(waiter) = waiter {
            self.try_answer(waiter, now, effects);
        }
    }
}
