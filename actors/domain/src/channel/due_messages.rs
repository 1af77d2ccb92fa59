//! What is due to a reader, and what it has lost. Nothing here changes anything.

use std::iter::from_fn;

use crate::ids::{ConsumerName, MemberNo, MessageId};
use crate::{Now, limits};

use super::consumer::Claim;
use super::{Channel, Consumer, DeliveredMessage, Gap, Hold, Member, Slot};

impl Channel {
    /// The messages due to a consumer, oldest first: what the ring and its shelf hold above its cursor (or `since`),
    /// what it is owed, and its held DMs wherever the cursor stands. What is claimed is skipped.
    pub(crate) fn due<'a>(
        &'a self,
        member: &'a Member,
        consumer: &'a Consumer,
        since: Option<MessageId>,
        now: Now,
    ) -> impl Iterator<Item = &'a Slot> {
        let floor = since.unwrap_or(consumer.cursor);
        let look_from = since.unwrap_or_else(|| consumer.look_from());
        let owed = move |id| since.is_none() && consumer.claim(id).is_some();
        let ring = self.ring.after(look_from).filter(move |m| m.reaches(member.no) && (m.id > floor || owed(m.id)));
        let held = member.held.iter().filter(move |m| since.is_none_or(|since| m.id > since));
        let mut room = consumer.room();
        let due = merged(ring, held).filter(move |m| !consumer.is_busy(m.id, now.uptime_ms));
        // What it was given before needs no room: else a full consumer would never get it again.
        due.take_while(move |m| {
            let is_new = consumer.claim(m.id).is_none();
            let fits = !is_new || room > 0;
            room -= usize::from(is_new && fits);
            fits
        })
    }

    /// How many messages wait for a member's default consumer; counted up to what one read gives.
    pub(crate) fn unread(&self, no: MemberNo, now: Now) -> usize {
        let Some(member) = self.members.get(&no) else { return 0 };
        self.due(member, &member.consumers[0], None, now).take(limits::READ_MESSAGES).count()
    }

    /// The broadcasts a consumer has lost above its cursor (or `since`), if any. What it was given and has not
    /// acknowledged is not lost, and a loss it is being told is not told twice.
    pub(crate) fn gap(&self, member: &Member, consumer: &Consumer, since: Option<MessageId>, now: Now) -> Option<Gap> {
        let from = since.unwrap_or(consumer.cursor);
        let departed = self.ring.departed_for(member.no);
        let above = departed > from
            && (since.is_some()
                || !consumer.is_busy(departed, now.uptime_ms) && !self.is_being_told(member, consumer, departed));
        let (mut low, mut high) = (from, if above { departed } else { 0 });
        if since.is_none() {
            for id in self.owed_and_lost(consumer, now) {
                (low, high) = (low.min(id.saturating_sub(1)), high.max(id));
            }
        }
        (high > 0).then(|| Gap { from: low, to: high, reason: self.ring.loss_above(low) })
    }

    /// Broadcasts that were given back or whose lease ended, and that the ring no longer holds.
    pub(crate) fn owed_and_lost(&self, consumer: &Consumer, now: Now) -> impl Iterator<Item = MessageId> {
        let lost = move |c: &&Claim| !c.is_dm && !c.is_busy(now.uptime_ms) && self.ring.get(c.id).is_none();
        consumer.claims().iter().filter(lost).map(|c| c.id)
    }

    /// Whether an answer on its way, or the consumer's stream, tells a loss up to here. A stream with a `since` of its own
    /// tells it to itself.
    fn is_being_told(&self, member: &Member, consumer: &Consumer, upto: MessageId) -> bool {
        let stream = consumer.stream.and_then(|place| self.places.streams.get(&place));
        stream.is_some_and(|s| s.since.is_none() && s.told_upto >= upto)
            || self
                .places
                .outstanding
                .iter()
                .any(|o| o.gap.is_some_and(|gap| gap.to >= upto) && o.no == member.no && o.consumer == consumer.name)
    }

    /// The first messages of those due, as they would be given in an answer or a queue that holds them so: as far as
    /// they are in memory.
    pub(crate) fn given(
        &self,
        member: &Member,
        consumer: &Consumer,
        since: Option<MessageId>,
        max: usize,
        now: Now,
    ) -> Vec<DeliveredMessage> {
        let due = self.due(member, consumer, since, now).take(max);
        let here = due.map_while(|slot| slot.message.as_ref().or_else(|| self.fetches.lent(slot.id)));
        here.map(|message| DeliveredMessage { message: message.clone(), attempt: consumer.next_attempt(message.id) })
            .collect()
    }

    /// Claims what a consumer is given, and prunes the claims nothing will come of.
    pub(crate) fn claim(
        &mut self,
        no: MemberNo,
        name: Option<&ConsumerName>,
        given: &[DeliveredMessage],
        hold: Hold,
        now: Now,
    ) {
        let ring = &self.ring;
        let Some(member) = self.members.get_mut(&no) else { return };
        let held = &member.held;
        let Some(consumer) = member.consumers.iter_mut().find(|c| c.name.as_ref() == name) else { return };
        for DeliveredMessage { message, attempt } in given {
            let id = message.id;
            let is_done = id <= consumer.cursor && consumer.claim(id).is_none() && !held.contains(id);
            consumer.put(Claim { id, hold, attempt: *attempt, is_dm: message.to.is_some(), again: is_done });
        }
        consumer.forget_owed(now.uptime_ms, |id| ring.get(id).is_none() && !held.contains(id));
    }

    /// Takes the losses a consumer is told out of what it is owed, until it has taken the news.
    pub(crate) fn claim_lost(&mut self, no: MemberNo, name: Option<&ConsumerName>, hold: Hold, now: Now) {
        let Some(member) = self.members.get(&no) else { return };
        let Some(consumer) = member.consumer(name) else { return };
        let lost: Vec<_> = self.owed_and_lost(consumer, now).collect();
        let Some(consumer) = self.consumer_mut(no, name) else { return };
        for id in lost {
            consumer.hold(id, hold);
        }
    }
}

/// Two sorted runs of messages as one, each message once. A held DM is in memory, where the shelf has only its outline.
fn merged<'a>(
    ring: impl Iterator<Item = &'a Slot>,
    held: impl Iterator<Item = &'a Slot>,
) -> impl Iterator<Item = &'a Slot> {
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
