//! Responses to reads: claiming their messages, and settling them when they are confirmed or returned.

use crate::Now;
use crate::delivery_token::{CompletedDelivery, DeliveryToken, TokenState};
use crate::entry::{AckMode, Entry};
use crate::ids::{ConsumerName, MemberNo, MessageId};

use super::consumer::Claim;
use super::stats::count;
use super::{
    AnswerReason, Channel, ClaimState, Consumer, DeliveredMessage, Effects, Gap, ParkedPoll, PendingAnswer,
    ReadResponse,
};

/// What is due to a read.
struct Due {
    messages: Vec<DeliveredMessage>,
    gap: Option<Gap>,
    /// With a byte bound: how many more messages are due.
    more: usize,
}

impl Channel {
    /// The response to a read, if anything is due. A gap without messages counts if reporting it moves the cursor.
    pub(crate) fn deliver(&mut self, poll: &ParkedPoll, now: Now) -> Option<ReadResponse> {
        let Due { messages, gap, more } = self.due_now(poll, now)?;
        let moves = poll.ack_mode == AckMode::Read && poll.since.is_none();
        if messages.is_empty() && !(moves && gap.is_some()) {
            return None;
        }
        Some(ReadResponse { more, ..self.begin_delivery(poll, messages, gap, AnswerReason::Ready, now) })
    }

    /// The response to a read that ends without messages. It reports a gap nevertheless.
    pub(crate) fn deliver_nothing(&mut self, poll: &ParkedPoll, reason: AnswerReason, now: Now) -> ReadResponse {
        let gap = self.due_now(poll, now).and_then(|due| due.gap);
        self.begin_delivery(poll, Vec::new(), gap, reason, now)
    }

    fn due_now(&self, poll: &ParkedPoll, now: Now) -> Option<Due> {
        let member = self.members.get(&poll.no)?;
        let consumer = member.consumer(poll.consumer.as_ref())?;
        let (mut messages, mut are_more) = self.due_messages(member, consumer, poll.since, poll.max, now);
        let mut more = 0;
        if let Some(bound) = poll.bound {
            let fitting = bound.fitting(messages.iter().map(|delivered| &*delivered.message));
            are_more |= fitting < messages.len();
            messages.truncate(fitting);
            if are_more {
                more = self.due(member, consumer, poll.since, now).count().saturating_sub(messages.len());
            }
        }
        Some(Due { messages, gap: self.gap(member, consumer, poll.since, now), more })
    }

    fn begin_delivery(
        &mut self,
        poll: &ParkedPoll,
        messages: Vec<DeliveredMessage>,
        gap: Option<Gap>,
        reason: AnswerReason,
        now: Now,
    ) -> ReadResponse {
        let roster = poll.wants_roster.then(|| self.roster_json());
        if messages.is_empty() && gap.is_none() {
            return ReadResponse { roster, ..ReadResponse::empty(reason) };
        }
        let state = self.next_in_flight();
        if gap.is_some() && poll.since.is_none() {
            self.claim_gap(poll.no, poll.consumer.as_ref(), state, now);
        }
        self.claim(poll.no, poll.consumer.as_ref(), &messages, state, now);
        let (token, handle) = DeliveryToken::pair(self.waiters.decisions(), poll.no, poll.consumer.clone());
        self.waiters.pending_answers.push(PendingAnswer {
            handle,
            state,
            no: poll.no,
            consumer: poll.consumer.clone(),
            ids: messages.iter().map(|delivered| delivered.message.id).collect(),
            gap,
            ack_mode: poll.ack_mode,
            is_apart: false,
        });
        ReadResponse { messages, gap, more: 0, reason, roster, guard: Some(token) }
    }

    /// A claim state for the next response.
    pub(crate) fn next_in_flight(&mut self) -> ClaimState {
        self.response_count += 1;
        ClaimState::InFlight(self.response_count)
    }

    /// Settles the responses in flight: messages of a completed one are delivered, those of a returned one are due again.
    pub(crate) fn settle_answers(&mut self, now: Now, effects: &mut Effects) {
        if !self.waiters.pending_answers.is_empty() {
            self.settle_pending(now, effects);
        }
        if self.waiters.has_decided() {
            for (state, answer) in self.waiters.take_decided() {
                match state {
                    TokenState::Completed => self.on_proven(answer, now, effects),
                    _ => {
                        let no = answer.no;
                        self.take_back(&answer);
                        self.offer_to(no, now, effects);
                    }
                }
            }
        }
    }

    fn settle_pending(&mut self, now: Now, effects: &mut Effects) {
        let mut returned = Vec::new();
        for (state, pending) in self.waiters.take_settled() {
            match state {
                TokenState::Completed => self.on_completed(pending, now, effects),
                TokenState::Written | TokenState::TakenBack => self.on_written(pending, now, effects),
                TokenState::Pending | TokenState::Returned => returned.push(pending),
            }
        }
        for pending in returned {
            self.on_returned(&pending, now, effects);
        }
    }

    fn on_completed(&mut self, pending: PendingAnswer, now: Now, effects: &mut Effects) {
        self.count_delivery(&pending);
        let upto = pending.upto();
        let PendingAnswer { state, no, consumer, ids, ack_mode, .. } = pending;
        // The other claims in this state are the messages of the gap.
        let settled: Vec<_> = self.claims_in_state(no, consumer.as_ref(), state).collect();
        let overtaken = self.overtaken(no, consumer.as_ref(), upto, ack_mode, &settled);
        let lost = settled.into_iter().filter(|id| !ids.contains(id)).collect();
        let entry = Entry::Delivered { no, consumer, ids, lost, upto, overtaken, ack_mode, at_ms: now.at_ms };
        self.apply(&entry, now, effects);
        effects.log(entry);
    }

    fn count_delivery(&mut self, answer: &PendingAnswer) {
        self.delivery_counters.taken += count(answer.ids.len());
        if let Some(gap) = answer.gap {
            self.delivery_counters.count_gap(gap.reason);
        }
    }

    /// A response was written, and nothing proves that its client took it. Its messages stay claimed and the cursor does
    /// not move, as if the client had to acknowledge them. In a replay they are due again.
    fn on_written(&mut self, mut answer: PendingAnswer, now: Now, effects: &mut Effects) {
        let ClaimState::InFlight(number) = answer.state else { return };
        if answer.ack_mode != AckMode::Read {
            return self.on_completed(answer, now, effects);
        }
        self.count_delivery(&answer);
        let (no, consumer, upto) = (answer.no, answer.consumer.clone(), answer.upto());
        let (ids, ack_mode) = (answer.ids.clone(), AckMode::Streamed);
        let (lost, overtaken) = (Vec::new(), Vec::new());
        let entry = Entry::Delivered { no, consumer, ids, lost, upto, overtaken, ack_mode, at_ms: now.at_ms };
        self.apply(&entry, now, effects);
        effects.log(entry);
        let written = ClaimState::Unproven(number);
        let Some(consumer) = self.consumer_mut(no, answer.consumer.as_ref()) else { return };
        consumer.replace_state(answer.state, written);
        answer.state = written;
        let is_replaced = consumer.poll.is_some();
        if is_replaced || answer.handle.state() == TokenState::TakenBack {
            // A newer read waits already, or the client is known to have given up.
            self.take_back(&answer);
            return self.offer_to(no, now, effects);
        }
        self.waiters.add_unproven(answer);
    }

    /// An unproven response was taken by its client: its messages are done.
    fn on_proven(&mut self, answer: PendingAnswer, now: Now, effects: &mut Effects) {
        let upto = answer.upto();
        if answer.is_apart {
            let PendingAnswer { no, consumer, ids, ack_mode, .. } = answer;
            let (lost, overtaken) = (Vec::new(), Vec::new());
            let entry = Entry::Delivered { no, consumer, ids, lost, upto, overtaken, ack_mode, at_ms: now.at_ms };
            self.apply(&entry, now, effects);
            return effects.log(entry);
        }
        let PendingAnswer { state, no, consumer, .. } = answer;
        let ids: Vec<_> = self.claims_in_state(no, consumer.as_ref(), state).collect();
        let overtaken = self.overtaken(no, consumer.as_ref(), upto, AckMode::Read, &ids);
        let entry = Entry::Acked { no, consumer, upto, ids, overtaken, is_implied: true, at_ms: now.at_ms };
        self.apply(&entry, now, effects);
        effects.log(entry);
    }

    /// An unproven response was not taken by its client: its messages are due again, with one more attempt.
    pub(super) fn take_back(&mut self, answer: &PendingAnswer) {
        // Not those that were acknowledged meanwhile.
        let returned = self.claims_in_state(answer.no, answer.consumer.as_ref(), answer.state);
        self.delivery_counters.returned += count(returned.filter(|id| answer.ids.contains(id)).count());
        if let Some(consumer) = self.consumer_mut(answer.no, answer.consumer.as_ref()) {
            consumer.return_unacked(answer.state);
        }
    }

    /// Settles the unproven response of a consumer that reads again. A read after its last id proves it, and any other
    /// read takes it back.
    pub(crate) fn settle_unproven(
        &mut self,
        no: MemberNo,
        name: Option<&ConsumerName>,
        since: Option<MessageId>,
        now: Now,
        effects: &mut Effects,
    ) {
        if !self.waiters.has_unproven() {
            return;
        }
        for answer in self.waiters.take_unproven(no, Some(name)) {
            match since {
                Some(since) if since >= answer.upto() => self.on_proven(answer, now, effects),
                _ => self.take_back(&answer),
            }
        }
    }

    /// Takes back messages of a completed response that its client turns out not to have read: they are due again, once,
    /// with the next attempt. Those that were acknowledged, read again or evicted meanwhile are not. `tick` must be called
    /// before, so that the response is settled.
    ///
    /// In the log they stay delivered: a crash before they are delivered again loses them. Of a taking the message is its
    /// task, which is given back.
    pub fn take_back_unread(
        &mut self,
        delivery: &CompletedDelivery,
        messages: &[MessageId],
        now: Now,
        effects: &mut Effects,
    ) {
        let (no, name) = delivery.receiver();
        self.give_back_untaken(no, messages, now, effects);
        let ring = &self.ring;
        let Some(member) = self.members.get_mut(&no).filter(|member| member.is_live()) else { return };
        // A held DM is due to every consumer.
        let is_sole = member.consumers.len() == 1;
        let Some(consumer) = member.consumers.iter_mut().find(|c| c.name.as_ref() == name) else { return };
        let mut returned = 0;
        for id in messages {
            let is_acked = consumer.cursor_is_acked && *id <= consumer.cursor;
            let is_free = !is_acked && (consumer.claim(*id).is_none() || consumer.is_done_apart(*id));
            let Some(slot) = ring.get(*id).filter(|slot| is_free && consumer.may_read(slot, no)) else { continue };
            let is_dm = slot.to.is_some();
            let fits = slot.to == Some(no) && member.held.has_capacity_for(slot.weight_bytes());
            if is_sole && fits && !member.held.contains(*id) {
                self.held_messages += 1;
                self.held_bytes += slot.weight_bytes();
                member.held.insert(slot.clone());
            }
            if consumer.remaining_claims() > 0 {
                let (state, is_own) = (ClaimState::Due, slot.from == no);
                consumer.upsert(Claim { id: *id, state, attempt: 2, is_dm, is_own, is_reread: false });
                returned += 1;
            }
        }
        self.delivery_counters.returned += returned;
        self.offer_to(no, now, effects);
    }

    /// Takes back the unproven responses of a member whose session ends.
    pub(crate) fn take_back_unproven(&mut self, no: MemberNo) {
        if self.waiters.has_unproven() {
            self.waiters.take_unproven(no, None).iter().for_each(|answer| self.take_back(answer));
        }
    }

    /// See [`Consumer::overtaken`]; none if the delivery does not move the cursor.
    pub(crate) fn overtaken(
        &self,
        no: MemberNo,
        name: Option<&ConsumerName>,
        upto: MessageId,
        ack_mode: AckMode,
        settled: &[MessageId],
    ) -> Vec<MessageId> {
        let consumer = self.member(no).filter(|_| ack_mode == AckMode::Read).and_then(|m| m.consumer(name));
        consumer.map_or_else(Vec::new, |consumer| consumer.overtaken(upto, settled))
    }

    /// The messages that a consumer claims in one state.
    pub(crate) fn claims_in_state(
        &self,
        no: MemberNo,
        name: Option<&ConsumerName>,
        state: ClaimState,
    ) -> impl Iterator<Item = MessageId> {
        let claims = self.member(no).and_then(|m| m.consumer(name)).map_or(&[][..], Consumer::claims);
        claims.iter().filter(move |claim| claim.state == state).map(|claim| claim.id)
    }

    fn on_returned(&mut self, pending: &PendingAnswer, now: Now, effects: &mut Effects) {
        self.delivery_counters.returned += count(pending.ids.len());
        let Some(consumer) = self.consumer_mut(pending.no, pending.consumer.as_ref()) else { return };
        consumer.return_undelivered(pending.state);
        self.offer_to(pending.no, now, effects);
    }
}
