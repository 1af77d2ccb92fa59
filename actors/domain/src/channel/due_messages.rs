//! Which messages are due to a consumer, which broadcasts it lost, and how it claims them.

use std::iter::from_fn;

use crate::ids::{ConsumerName, MemberNo, MessageId};
use crate::{Now, limits};

use super::consumer::Claim;
use super::{Channel, ClaimState, Consumer, DeliveredMessage, Gap, Member, MessageSlot};

impl Channel {
    /// The messages due to a consumer, oldest first: those of the backlog and the ring above its cursor (or `since`), those
    /// due again, and its held DMs whatever the cursor. Messages claimed by another read are skipped, and so are those that
    /// its member sent, unless it reads them.
    pub(crate) fn due<'a>(
        &'a self,
        member: &'a Member,
        consumer: &'a Consumer,
        since: Option<MessageId>,
        now: Now,
    ) -> impl Iterator<Item = &'a MessageSlot> {
        let cursor = since.unwrap_or(consumer.cursor);
        let scan_from = since.unwrap_or_else(|| consumer.scan_from());
        let due_again = move |id| since.is_none() && consumer.claim(id).is_some();
        let ring = self
            .ring
            .after(scan_from)
            .filter(move |m| consumer.may_read(m, member.no) && (m.id > cursor || due_again(m.id)));
        let held = member.held.iter().filter(move |m| since.is_none_or(|since| m.id > since));
        let mut capacity = consumer.remaining_claims();
        let due = merged(ring, held).filter(move |m| !consumer.is_busy(m.id, now.uptime_ms));
        // A message that has a claim needs no capacity: otherwise a full consumer would never receive it again.
        due.take_while(move |m| {
            let is_new = consumer.claim(m.id).is_none();
            let fits = !is_new || capacity > 0;
            capacity -= usize::from(is_new && fits);
            fits
        })
    }

    /// The number of messages due to a member's default consumer, at most as many as one read returns.
    pub(crate) fn unread(&self, no: MemberNo, now: Now) -> usize {
        let Some(member) = self.members.get(&no) else { return 0 };
        self.due(member, &member.consumers[0], None, now).take(limits::READ_MESSAGES).count()
    }

    /// The broadcasts a consumer has lost above its cursor (or `since`), if any. A claimed message is not lost, and a gap
    /// that is being reported is not reported twice.
    pub(crate) fn gap(&self, member: &Member, consumer: &Consumer, since: Option<MessageId>, now: Now) -> Option<Gap> {
        let from = since.unwrap_or(consumer.cursor);
        let evicted = match consumer.own {
            false => self.ring.newest_evicted_for(member.no),
            true => self.ring.newest_evicted_with_own(member.no),
        };
        let above = evicted > from
            && (since.is_some()
                || !consumer.is_busy(evicted, now.uptime_ms) && !self.is_reporting_gap(member, consumer, evicted));
        let (mut low, mut high) = (from, if above { evicted } else { 0 });
        if since.is_none() {
            for id in self.lost_due_claims(consumer, now) {
                (low, high) = (low.min(id.saturating_sub(1)), high.max(id));
            }
        }
        (high > 0).then(|| Gap { from: low, to: high, reason: self.ring.gap_reason_above(low) })
    }

    /// Broadcasts that are due again and were evicted.
    pub(crate) fn lost_due_claims(&self, consumer: &Consumer, now: Now) -> impl Iterator<Item = MessageId> {
        let lost = move |c: &&Claim| !c.is_dm && !c.is_busy(now.uptime_ms) && self.ring.get(c.id).is_none();
        consumer.claims().iter().filter(lost).map(|c| c.id)
    }

    /// Whether a response in flight, or the consumer's stream, reports a gap up to an id. A stream with its own `since`
    /// does not count.
    fn is_reporting_gap(&self, member: &Member, consumer: &Consumer, upto: MessageId) -> bool {
        let stream = consumer.stream.and_then(|id| self.waiters.streams.get(&id));
        stream.is_some_and(|s| s.since.is_none() && s.reported_upto >= upto)
            || self
                .waiters
                .pending_answers
                .iter()
                .any(|o| o.gap.is_some_and(|gap| gap.to >= upto) && o.no == member.no && o.consumer == consumer.name)
    }

    /// The first due messages with their attempts, up to the first whose body is not in memory, and whether more are due.
    pub(crate) fn due_messages(
        &self,
        member: &Member,
        consumer: &Consumer,
        since: Option<MessageId>,
        max: usize,
        now: Now,
    ) -> (Vec<DeliveredMessage>, bool) {
        let mut messages = Vec::new();
        for slot in self.due(member, consumer, since, now) {
            let message = slot.message.as_ref().or_else(|| self.fetches.fetched(slot.id));
            let Some(message) = message.filter(|_| messages.len() < max) else { return (messages, true) };
            messages.push(DeliveredMessage {
                message: message.clone(),
                attempt: consumer.next_attempt(message.id),
                own: message.from == member.no,
            });
        }
        (messages, false)
    }

    /// Claims messages for a consumer, and drops its stale claims.
    pub(crate) fn claim(
        &mut self,
        no: MemberNo,
        name: Option<&ConsumerName>,
        messages: &[DeliveredMessage],
        state: ClaimState,
        now: Now,
    ) {
        self.presence_changed(now);
        let ring = &self.ring;
        let Some(member) = self.members.get_mut(&no) else { return };
        let held = &member.held;
        let Some(consumer) = member.consumers.iter_mut().find(|c| c.name.as_ref() == name) else { return };
        for DeliveredMessage { message, attempt, own } in messages {
            let id = message.id;
            let is_done = id <= consumer.cursor && consumer.claim(id).is_none() && !held.contains(id);
            // A DM that its sender reads is not held for it, and its loss is reported as that of a broadcast.
            let is_dm = message.to.is_some() && !own;
            consumer.upsert(Claim { id, state, attempt: *attempt, is_dm, is_own: *own, is_reread: is_done });
        }
        consumer.drop_stale_claims(now.uptime_ms, |id| ring.get(id).is_none() && !held.contains(id));
    }

    /// Excludes the messages of a gap from those due, until the gap is delivered.
    pub(crate) fn claim_gap(&mut self, no: MemberNo, name: Option<&ConsumerName>, state: ClaimState, now: Now) {
        let Some(member) = self.members.get(&no) else { return };
        let Some(consumer) = member.consumer(name) else { return };
        let lost: Vec<_> = self.lost_due_claims(consumer, now).collect();
        let Some(consumer) = self.consumer_mut(no, name) else { return };
        for id in lost {
            consumer.set_state(id, state);
        }
    }
}

impl Channel {
    /// Messages were read apart from those before them: they are skipped until the cursor passes them. It moves over those
    /// with nothing unread before them.
    pub(super) fn on_delivered_apart(&mut self, no: MemberNo, ids: &[MessageId]) {
        let ring = &self.ring;
        let Some(member) = self.members.get_mut(&no) else { return };
        let Some(consumer) = member.consumers.first_mut() else { return };
        for id in ids {
            if let Some(slot) = ring.get(*id) {
                consumer.mark_done(*id, slot.to.is_some());
            }
        }
        // A loss that is not reported yet must stay above the cursor.
        while ring.newest_evicted_for(no) <= consumer.cursor
            && let Some(next) = ring.after(consumer.cursor).find(|slot| consumer.may_read(slot, no))
            && consumer.is_done_apart(next.id)
        {
            consumer.cursor = next.id;
            consumer.cursor_is_acked = false;
            consumer.note_delivered(next.id);
            consumer.forget_done();
        }
    }
}

/// Merges two sorted sequences of messages. A DM in both is taken from `held`, which has its body in memory.
fn merged<'a>(
    ring: impl Iterator<Item = &'a MessageSlot>,
    held: impl Iterator<Item = &'a MessageSlot>,
) -> impl Iterator<Item = &'a MessageSlot> {
    let (mut ring, mut held) = (ring.peekable(), held.peekable());
    from_fn(move || {
        let (l, r) = (ring.peek().map(|m| m.id), held.peek().map(|m| m.id));
        if r.is_some() && l == r {
            ring.next();
        }
        match (l, r) {
            (Some(l), Some(r)) if l < r => ring.next(),
            (Some(_), None) => ring.next(),
            _ => held.next(),
        }
    })
}
