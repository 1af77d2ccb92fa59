//! Open streams: feeding them within their bounds, and closing them without losing messages.

use std::sync::Arc;

use bytes::Bytes;

use crate::Now;
use crate::entry::{AckMode, Entry};
use crate::ids::WaiterId;
use crate::limits::{STREAM_BYTES, STREAM_EVENTS};
use crate::message::Message;

use super::side_events::SIDE_EVENTS;
use super::stats::count;
use super::waiters::{QueuedEvent, Stream};
use super::{Channel, ClaimState, DeliveredMessage, Effect, Effects, Gap, SideEvent, StreamEnd, stream_frames};

/// Why feeding a stream pauses.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Pause {
    /// Nothing is due.
    Empty,
    /// Its queue is full.
    Full,
    /// Its reader must acknowledge first.
    Unacked,
    /// The next message must be fetched first.
    Fetching,
}

impl Stream {
    fn has_capacity_for(&self, bytes: usize) -> bool {
        let queued = self.queue.len() - self.queued_side_events();
        queued == 0 || (queued < STREAM_EVENTS && self.queue_bytes + bytes <= STREAM_BYTES)
    }

    /// Removes and returns the events taken since the last call, given the total number taken, and whether side events may
    /// have waited for that.
    fn drain_taken(&mut self, taken: u64) -> (Vec<QueuedEvent>, bool) {
        let (mut events, mut has_news) = (Vec::new(), false);
        while self.taken < taken {
            self.taken += 1;
            let Some(event) = self.queue.pop_front() else { continue };
            self.queue_bytes -= event.bytes;
            if let (Some(kind), Some(side_events)) = (event.side, &mut self.side_events) {
                side_events.took(kind);
                has_news |= std::mem::take(&mut side_events.is_behind);
            }
            events.push(event);
        }
        (events, has_news)
    }

    /// Tells its reader whether to have the channel checked when it has taken all.
    fn show_wants_more(&self, is_fetching: bool) {
        let is_behind = self.side_events.as_ref().is_some_and(|side_events| side_events.is_behind);
        self.progress.set_wants_more(self.catching_up && !is_fetching || is_behind);
    }
}

impl Channel {
    /// Settles the deliveries of all streams, and closes those whose client has gone.
    pub(crate) fn settle_streams(&mut self, now: Now, effects: &mut Effects) {
        let has_moved = |s: &Stream| {
            let (taken, cut) = s.progress.read();
            cut || taken != s.taken
        };
        let moved: Vec<_> = self.waiters.streams.iter().filter(|(_, s)| has_moved(s)).map(|(id, _)| *id).collect();
        for id in moved {
            if self.settle_stream(id, now, effects) {
                self.drop_stream(id, now, effects);
            } else if self.waiters.streams.get(&id).is_some_and(|s| s.catching_up) {
                self.feed_stream(id, now, effects);
            }
        }
    }

    /// Records the events a stream has delivered. Returns true if its client has gone.
    fn settle_stream(&mut self, id: WaiterId, now: Now, effects: &mut Effects) -> bool {
        let Some(stream) = self.waiters.streams.get_mut(&id) else { return false };
        let (taken, cut) = stream.progress.read();
        if taken == stream.taken {
            return cut;
        }
        let (events, has_news) = stream.drain_taken(taken);
        let (no, consumer, ack_mode) = (stream.no, stream.consumer.clone(), stream.ack_mode);
        let ids: Vec<_> = events.iter().filter_map(|event| event.id).collect();
        let gaps = events.iter().filter_map(|event| event.gap);
        self.delivery_counters.taken += count(ids.len());
        gaps.clone().for_each(|(gap, _)| self.delivery_counters.count_gap(gap.reason));
        if let Some(upto) = gaps.clone().map(|(gap, _)| gap.to).chain(ids.iter().copied()).max() {
            let lost: Vec<_> = gaps.flat_map(|(_, state)| self.claims_in_state(no, consumer.as_ref(), state)).collect();
            let overtaken = self.overtaken(no, consumer.as_ref(), upto, ack_mode, &[&*ids, &*lost].concat());
            let entry = Entry::Delivered { no, consumer, ids, lost, upto, overtaken, ack_mode, at_ms: now.at_ms };
            self.apply(&entry, now, effects);
            effects.log(entry);
        }
        if has_news {
            self.presence_changed(now);
            if let Some(stream) = self.waiters.streams.get(&id) {
                stream.show_wants_more(false);
            }
        }
        cut
    }

    /// Feeds a stream the messages due to it, within its bounds. A live stream whose queue is full has fallen behind and is
    /// ended; the events it did not take stay undelivered.
    pub(crate) fn feed_stream(&mut self, id: WaiterId, now: Now, effects: &mut Effects) {
        if self.settle_stream(id, now, effects) {
            return self.drop_stream(id, now, effects);
        }
        let pause = self.feed_due_messages(id, now, effects);
        let Some(stream) = self.waiters.streams.get_mut(&id) else { return };
        match pause {
            Pause::Empty | Pause::Unacked => stream.catching_up = false,
            Pause::Full if !stream.catching_up && stream.ack_mode == AckMode::Read => {
                return self.end_lagged(id, now, effects);
            }
            Pause::Full | Pause::Fetching => stream.catching_up = true,
        }
        stream.show_wants_more(pause == Pause::Fetching);
    }

    fn feed_due_messages(&mut self, id: WaiterId, now: Now, effects: &mut Effects) -> Pause {
        let Some(stream) = self.waiters.streams.get(&id) else { return Pause::Empty };
        let Some(member) = self.members.get(&stream.no) else { return Pause::Empty };
        let Some(consumer) = member.consumer(stream.consumer.as_ref()) else { return Pause::Empty };
        let is_reported = |gap: &Gap| stream.since.is_some() && gap.to <= stream.reported_upto;
        let gap = self.gap(member, consumer, stream.since, now).filter(|gap| !is_reported(gap));
        let capacity = match stream.ack_mode {
            AckMode::Read => usize::MAX - 1,
            _ => stream.max.saturating_sub(consumer.in_flight(id)),
        };
        let (mut messages, _) = self.due_messages(member, consumer, stream.since, capacity + 1, now);
        let unacked = messages.len() > capacity;
        messages.truncate(capacity);
        if gap.is_some_and(|gap| !self.feed_gap(id, &gap, now, effects)) {
            return Pause::Full;
        }
        for delivered in messages {
            if !self.feed_message(id, &delivered, now, effects) {
                return Pause::Full;
            }
        }
        match unacked {
            true => Pause::Unacked,
            false if self.fetch_for(id, now, effects) => Pause::Fetching,
            false => Pause::Empty,
        }
    }

    /// Queues a gap event. Returns false if the queue is full.
    fn feed_gap(&mut self, id: WaiterId, gap: &Gap, now: Now, effects: &mut Effects) -> bool {
        let frame = stream_frames::gap(gap);
        let Some(stream) = self.waiters.streams.get_mut(&id) else { return false };
        if !stream.has_capacity_for(frame.len()) {
            return false;
        }
        stream.reported_upto = stream.reported_upto.max(gap.to);
        let (no, name, since) = (stream.no, stream.consumer.clone(), stream.since);
        let state = self.next_in_flight();
        if since.is_none() {
            self.claim_gap(no, name.as_ref(), state, now);
        }
        self.enqueue(
            id,
            QueuedEvent { id: None, gap: Some((*gap, state)), side: None, bytes: frame.len() },
            frame,
            effects,
        );
        true
    }

    /// Queues a message event. Returns false if the queue is full.
    fn feed_message(&mut self, id: WaiterId, delivered: &DeliveredMessage, now: Now, effects: &mut Effects) -> bool {
        let DeliveredMessage { message, attempt, own } = delivered;
        let frame = message.frame(*attempt, *own);
        let bytes = frame.len();
        let Some(stream) = self.waiters.streams.get_mut(&id).filter(|s| s.has_capacity_for(bytes)) else {
            return false;
        };
        stream.since = stream.since.map(|since| since.max(message.id));
        let (no, name) = (stream.no, stream.consumer.clone());
        self.enqueue(id, QueuedEvent { id: Some(message.id), gap: None, side: None, bytes }, frame, effects);
        self.claim(no, name.as_ref(), std::slice::from_ref(delivered), ClaimState::Queued(id), now);
        true
    }

    /// Queues a status event. If the queue is full the status is dropped, and the stream goes on.
    pub(crate) fn feed_status(&mut self, id: WaiterId, status: &Arc<Message>, now: Now, effects: &mut Effects) {
        if self.settle_stream(id, now, effects) {
            return self.drop_stream(id, now, effects);
        }
        let bytes = status.weight_bytes();
        let Some(stream) = self.waiters.streams.get(&id).filter(|s| s.has_capacity_for(bytes)) else { return };
        let (no, name) = (stream.no, stream.consumer.clone());
        if let Some(consumer) = self.consumer_mut(no, name.as_ref()) {
            consumer.seen_upto = consumer.seen_upto.max(status.id);
        }
        self.enqueue(
            id,
            QueuedEvent { id: None, gap: None, side: None, bytes },
            status.frame(1, status.from == no),
            effects,
        );
    }

    /// Opens a stream: queues the hello event, the gap, and the due messages.
    pub(crate) fn open_stream(&mut self, id: WaiterId, stream: Stream, now: Now, effects: &mut Effects) {
        let roster = self.roster_json();
        let Some(member) = self.members.get(&stream.no) else { return };
        let Some(consumer) = member.consumer(stream.consumer.as_ref()) else { return };
        let backlog = self.due(member, consumer, stream.since, now).count();
        let frame = stream_frames::hello(self.id.as_str(), member.callsign.as_str(), &roster, backlog);
        let (no, name, watches) = (stream.no, stream.consumer.clone(), stream.side_events.is_some());
        self.waiters.streams.insert(id, stream);
        match watches {
            true => self.begin_watching(id, now),
            false => self.presence_changed(now),
        }
        if let Some(consumer) = self.consumer_mut(no, name.as_ref()) {
            consumer.stream = Some(id);
            if let Some(end_ms) = consumer.next_lease_end_ms(now.uptime_ms) {
                self.check_leases_by(end_ms);
            }
        }
        self.enqueue(id, QueuedEvent { id: None, gap: None, side: None, bytes: frame.len() }, frame, effects);
        self.feed_stream(id, now, effects);
    }

    /// Queues a side event of a stream.
    pub(crate) fn queue_side_event(&mut self, id: WaiterId, kind: SideEvent, frame: Bytes, effects: &mut Effects) {
        let Some(side_events) = self.waiters.streams.get_mut(&id).and_then(|stream| stream.side_events.as_mut()) else {
            return;
        };
        match kind {
            SideEvent::Roster => side_events.is_roster_queued = true,
            SideEvent::Receipts => side_events.are_receipts_queued = true,
            SideEvent::Tasks => side_events.are_tasks_queued = true,
        }
        self.enqueue(id, QueuedEvent { id: None, gap: None, side: Some(kind), bytes: 0 }, frame, effects);
    }

    /// Has the channel checked when the reader of a stream has taken its side event. Returns true if it may have done so
    /// already.
    pub(crate) fn wait_for_reader(&mut self, id: WaiterId) -> bool {
        let Some(stream) = self.waiters.streams.get_mut(&id) else { return false };
        if let Some(side_events) = &mut stream.side_events {
            side_events.is_behind = true;
        }
        stream.progress.set_wants_more(true);
        stream.progress.read().0 != stream.taken
    }

    fn enqueue(&mut self, id: WaiterId, queued: QueuedEvent, frame: Bytes, effects: &mut Effects) {
        let Some(stream) = self.waiters.streams.get_mut(&id) else { return };
        stream.queue_bytes += queued.bytes;
        stream.queue.push_back(queued);
        assert!(stream.queue.len() <= STREAM_EVENTS + SIDE_EVENTS, "the queue of a stream is bounded");
        effects.push(Effect::Feed(id, frame));
    }

    fn end_lagged(&mut self, id: WaiterId, now: Now, effects: &mut Effects) {
        let Some(stream) = self.waiters.streams.get(&id) else { return };
        let (no, name) = (stream.no, stream.consumer.clone());
        let poll = self.close_stream(id, now, effects);
        let resume_from = self.consumer_mut(no, name.as_ref()).map_or(0, |c| c.cursor);
        effects.push(Effect::End(id, stream_frames::last(StreamEnd::Lagged { resume_from })));
        self.offer_to_poll(poll, now, effects);
    }

    /// Closes a stream with a last event.
    pub(crate) fn end_stream(&mut self, id: WaiterId, end: StreamEnd, now: Now, effects: &mut Effects) {
        let poll = self.close_stream(id, now, effects);
        effects.push(Effect::End(id, stream_frames::last(end)));
        self.offer_to_poll(poll, now, effects);
    }

    /// Closes a stream whose client has gone.
    pub(crate) fn drop_stream(&mut self, id: WaiterId, now: Now, effects: &mut Effects) {
        let poll = self.close_stream(id, now, effects);
        self.offer_to_poll(poll, now, effects);
    }

    /// Removes a stream. Events it did not take are due again as before; messages delivered and not acknowledged are due
    /// again with one more attempt. Returns the poll that waits for the same consumer.
    fn close_stream(&mut self, id: WaiterId, now: Now, effects: &mut Effects) -> Option<WaiterId> {
        self.waiters.streams.get(&id)?.progress.cut();
        self.settle_stream(id, now, effects);
        let stream = self.waiters.streams.remove(&id)?;
        if stream.side_events.is_some() {
            self.end_watching();
        }
        self.presence_changed(now);
        self.delivery_counters.returned += count(stream.queue.iter().filter(|event| event.id.is_some()).count());
        let member = self.members.get_mut(&stream.no)?;
        member.touch(now);
        let consumer = member.consumer_mut(stream.consumer.as_ref())?;
        consumer.stream = None;
        consumer.touch(now);
        consumer.return_undelivered(ClaimState::Queued(id));
        for (_, state) in stream.queue.iter().filter_map(|event| event.gap) {
            consumer.return_undelivered(state);
        }
        consumer.return_unacked(ClaimState::Unacked(id));
        consumer.poll
    }

    /// Offers the messages that a closed stream returned to the poll that waits for the same consumer.
    fn offer_to_poll(&mut self, poll: Option<WaiterId>, now: Now, effects: &mut Effects) {
        if let Some(poll) = poll {
            self.try_answer(poll, now, effects);
        }
    }
}
