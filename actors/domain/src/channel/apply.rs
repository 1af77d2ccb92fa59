//! Applying entries: the only code that changes the persistent state of a channel.

use std::num::NonZeroU64;
use std::sync::Arc;

use crate::collections::LazyBox;
use crate::entry::{AckMode, Entry, SendKey, TaskMark};
use crate::ids::{ConsumerName, MemberNo, MessageId};
use crate::message::{Kind, Message};
use crate::{Now, limits};

use super::consumer::MessageOrigin;
use super::idempotency::IdempotencyCache;
use super::stats::count;
use super::{Channel, Consumer, Departure, Effect, Effects, Member, MessageSlot, SessionState, StreamEnd};

impl Channel {
    /// Applies an entry. Applying all entries of a channel in order to a newly opened channel restores it.
    pub fn apply(&mut self, entry: &Entry, now: Now, effects: &mut Effects) {
        self.presence_changed(now);
        match entry {
            Entry::Created { .. } => {}
            Entry::Settings { settings } => {
                self.settings = settings.clone();
                effects.push(Effect::Settings(settings.clone()));
            }
            Entry::Joined { .. } => self.on_joined(entry, now),
            Entry::RenamedAway { no } => self.on_departed(*no, Departure::Renamed, "renamed", now, effects),
            Entry::Left { no, evicted } => {
                let reason = if *evicted { "evicted" } else { "left" };
                self.on_departed(*no, Departure::Left, reason, now, effects);
            }
            Entry::Revoked { no } => self.on_departed(*no, Departure::Revoked, "revoked", now, effects),
            Entry::Expired { no } => self.on_departed(*no, Departure::Expired, "expired", now, effects),
            Entry::Forgotten { no } => self.on_forgotten(*no, now, effects),
            Entry::Sent { message, to, key, task } => {
                self.on_sent(message, to, key.as_ref(), task.as_deref(), now, effects);
            }
            Entry::Taken { .. } => self.on_taken(entry, now, effects),
            Entry::Reopened { id, untaken, at_ms } => self.on_reopened(*id, *untaken, *at_ms, now, effects),
            Entry::Closed { id, why, at_ms } => self.on_closed(*id, *why, *at_ms, now, effects),
            Entry::Stated { no, state, until_ms } => self.on_stated(*no, *state, *until_ms),
            Entry::Described { no, about } => self.on_described(*no, about),
            Entry::Delivered { no, consumer, ids, lost, upto, overtaken, ack_mode, at_ms } => {
                self.on_delivered(*no, consumer.as_ref(), ids, *upto, *ack_mode, *at_ms, now);
                self.on_overtaken(*no, consumer.as_ref(), overtaken);
                self.on_gap_reported(*no, consumer.as_ref(), lost, now);
            }
            Entry::Acked { no, consumer, upto, ids, overtaken, is_implied, at_ms } => {
                self.on_acked(*no, consumer.as_ref(), *upto, ids, (!is_implied).then_some(*at_ms), now);
                self.on_overtaken(*no, consumer.as_ref(), overtaken);
                self.offer_to(*no, now, effects);
            }
            Entry::ConsumerAdded { no, consumer, cursor, own } => {
                self.on_consumer_added(*no, consumer, *cursor, *own, now);
            }
            Entry::ConsumerRemoved { no, consumer } => self.on_consumer_removed(*no, consumer, now, effects),
        }
    }

    fn on_joined(&mut self, entry: &Entry, now: Now) {
        let Entry::Joined { no, callsign, generation, own_session, identity, cursor, shown_upto, about, at_ms } = entry
        else {
            return;
        };
        let minted = || self.rules.key.mint_hash_only(&self.id, callsign, *generation);
        let session = own_session.clone().unwrap_or_else(minted);
        let presence = SessionState::Live { seen_ms: now.uptime_ms };
        if let Some(member) = self.members.get_mut(no) {
            assert!(!member.is_live(), "a live member does not join again");
            member.generation = *generation;
            member.session = session.clone();
            member.owns_session = own_session.is_some();
            member.identity.clone_from(identity);
            member.joined_at_ms = *at_ms;
            member.presence = presence;
            member.seen_at_ms = *at_ms;
        } else {
            let member = Member {
                no: *no,
                callsign: callsign.clone(),
                generation: *generation,
                session: session.clone(),
                owns_session: own_session.is_some(),
                identity: identity.clone(),
                joined_at_ms: *at_ms,
                start: *cursor,
                presence,
                seen_at_ms: *at_ms,
                acked_at_ms: 0,
                has_sent: false,
                consumers: vec![Consumer::new(None, *shown_upto.max(cursor), now)],
                held: LazyBox::default(),
                idempotency: IdempotencyCache::default(),
                send_window: LazyBox::default(),
                profile: None,
            };
            self.members.insert(*no, Box::new(member));
            self.by_callsign.insert(callsign.clone(), *no);
            self.last_no = self.last_no.max(*no);
        }
        if let (Some(about), Some(member)) = (about, self.members.get_mut(no)) {
            member.set_about(about);
        }
        self.sessions.insert(session, *no);
        self.live += 1;
        self.first_joined_at_ms = self.first_joined_at_ms.or(NonZeroU64::new(*at_ms));
        self.last_activity_at_ms = *at_ms;
        self.sweep_by(now.uptime_ms + self.settings.session_ttl_ms);
        self.roster_changed();
    }

    /// `reason` is what the streams of the member end with.
    fn on_departed(&mut self, no: MemberNo, how: Departure, reason: &'static str, now: Now, effects: &mut Effects) {
        let Some(member) = self.members.get(&no).filter(|m| m.is_live()) else { return };
        let session = member.session.clone();
        self.end_waits(no, StreamEnd::Bye { reason }, now, effects);
        self.take_back_unproven(no);
        self.tasks_of_departed(no, how, now, effects);
        if let Some(member) = self.members.get_mut(&no) {
            member.presence = SessionState::Away { since_ms: now.uptime_ms, how };
            member.set_stated(None);
        }
        match how {
            Departure::Renamed => self.sessions.remove(&session),
            Departure::Left | Departure::Expired | Departure::Revoked => self.sessions.expire(&session, now.uptime_ms),
        }
        self.live -= 1;
        self.reset_idle(now);
        self.sweep_by(now.uptime_ms + self.settings.member_ttl_ms);
        if let Some(next) = self.sessions.next_sweep_ms() {
            self.sweep_by(next);
        }
        self.roster_changed();
    }

    fn on_forgotten(&mut self, no: MemberNo, now: Now, effects: &mut Effects) {
        self.tasks_of_forgotten(no, now, effects);
        let Some(member) = self.members.remove(&no) else { return };
        assert!(!member.is_live(), "a live member is not forgotten");
        if self.waiters.side.is_some() {
            self.note_receipts(&member.held.iter().map(|slot| slot.id).collect::<Vec<_>>(), no);
        }
        self.by_callsign.remove(member.callsign.as_str());
        self.ring.get_mut().into_iter().for_each(|ring| ring.untrack_own_dms(no));
        self.take_back_unproven(no);
        self.held_messages -= member.held.len();
        self.held_bytes -= member.held.bytes();
        self.delivery_counters.held_lost += count(member.held.len());
    }

    fn on_sent(
        &mut self,
        message: &Arc<Message>,
        to: &Arc<str>,
        key: Option<&SendKey>,
        mark: Option<&TaskMark>,
        now: Now,
        effects: &mut Effects,
    ) {
        assert!(message.id > self.last_id, "ids increase");
        self.last_id = message.id;
        self.has_messages = true;
        self.last_activity_at_ms = message.at_ms;
        let mut queued = false;
        if message.kind == Kind::Message {
            self.ring.push(message);
            let to = message.to.and_then(|to| self.member(to)).map(|m| m.callsign.clone());
            self.delivery_records.push(message, to);
            queued = self.hold_dm(message, mark);
        }
        if let Some(sender) = self.members.get_mut(&message.from) {
            sender.has_sent |= message.kind == Kind::Message;
            sender.seen_at_ms = message.at_ms;
            if let Some(key) = key {
                sender.idempotency.insert(key, message, to.clone(), queued, now);
            }
        }
        if let Some(mark) = mark {
            self.on_task_message(mark, message, now, effects);
        }
        match message.kind {
            Kind::Message => {
                effects.push(Effect::Notify);
                self.offer(message, now, effects);
            }
            Kind::Status => self.forward_status(message, now, effects),
        }
        if self.tasks.are_waited_for() {
            self.interrupt_asks(mark, message, now, effects);
        }
    }

    /// Holds a DM for its recipient. Returns true if the recipient is away. A result for a full mailbox is kept with its task
    /// only.
    fn hold_dm(&mut self, message: &Arc<Message>, mark: Option<&TaskMark>) -> bool {
        let is_channel_full = self.held_bytes + message.weight_bytes() > limits::HELD_CHANNEL_BYTES;
        let recipient = message.to.filter(|to| *to != message.from).and_then(|to| self.members.get_mut(&to));
        let Some(recipient) = recipient else { return false };
        let is_full = is_channel_full || !recipient.held.has_capacity_for(message.weight_bytes());
        if is_full && matches!(mark, Some(TaskMark::Moves { .. })) {
            return false;
        }
        recipient.held.push(MessageSlot::new(message));
        self.held_messages += 1;
        self.held_bytes += message.weight_bytes();
        !recipient.is_live()
    }

    #[expect(clippy::too_many_arguments, reason = "these are the fields of one entry")]
    fn on_delivered(
        &mut self,
        no: MemberNo,
        name: Option<&ConsumerName>,
        ids: &[MessageId],
        upto: MessageId,
        ack_mode: AckMode,
        at_ms: u64,
        now: Now,
    ) {
        let ring = &self.ring;
        let Some(member) = self.members.get_mut(&no) else { return };
        member.seen_at_ms = at_ms;
        if ack_mode == AckMode::Read {
            for bytes in ids.iter().filter_map(|id| member.held.get_mut()?.take(*id)) {
                self.held_messages -= 1;
                self.held_bytes -= bytes;
            }
        }
        let held = &member.held;
        let Some(consumer) = member.consumers.iter_mut().find(|c| c.name.as_ref() == name) else { return };
        // In a replay, a lease ends at the time at which it would have ended.
        let ack_mode = match ack_mode {
            AckMode::Leased { lease_ms } => {
                let left_ms = (at_ms + lease_ms).saturating_sub(now.at_ms);
                AckMode::Leased { lease_ms: left_ms.min(lease_ms) }
            }
            ack_mode => ack_mode,
        };
        for id in ids {
            let is_held = held.contains(*id);
            let origin = match ring.get(*id) {
                _ if is_held => MessageOrigin::Dm { is_held },
                Some(slot) if slot.from == no => MessageOrigin::Own,
                Some(slot) if slot.to.is_some() => MessageOrigin::Dm { is_held },
                _ => MessageOrigin::Broadcast,
            };
            consumer.confirm_delivery(*id, ack_mode, origin, now.uptime_ms);
        }
        consumer.note_delivered(upto);
        consumer.touch(now);
        if ack_mode == AckMode::Read && upto > 0 {
            consumer.cursor = consumer.cursor.max(upto);
            consumer.cursor_is_acked = false;
            consumer.forget_done();
        }
        if ack_mode == AckMode::Read && upto == 0 {
            self.on_delivered_apart(no, ids);
        }
        let Some(consumer) = self.consumer_mut(no, name) else { return };
        if let (Some(end), true) = (consumer.next_lease_end_ms(now.uptime_ms), consumer.is_waiting()) {
            self.check_leases_by(end);
        }
        for id in ids {
            if let Some(record) = self.delivery_records.find_mut(*id).filter(|t| t.to == Some(no)) {
                record.attempts += 1;
                record.delivered_at_ms.get_or_insert(at_ms);
            }
        }
        self.note_receipts(ids, no);
    }

    /// Drops the claims of messages that were reported as lost, and stale claims of DMs. It does so in a replay too, because
    /// otherwise the claims could exceed their bound.
    fn on_gap_reported(&mut self, no: MemberNo, name: Option<&ConsumerName>, lost: &[MessageId], now: Now) {
        let ring = &self.ring;
        let Some(member) = self.members.get_mut(&no) else { return };
        let held = &member.held;
        let Some(consumer) = member.consumers.iter_mut().find(|c| c.name.as_ref() == name) else { return };
        lost.iter().for_each(|id| consumer.release(*id));
        consumer.drop_stale_claims(now.uptime_ms, |id| ring.get(id).is_none() && !held.contains(id));
    }

    /// `acked_at_ms` is none if the consumer did not acknowledge the messages itself: they are only delivered.
    fn on_acked(
        &mut self,
        no: MemberNo,
        name: Option<&ConsumerName>,
        upto: MessageId,
        ids: &[MessageId],
        acked_at_ms: Option<u64>,
        now: Now,
    ) {
        let Some(member) = self.members.get_mut(&no) else { return };
        let Some(consumer) = member.consumers.iter_mut().find(|c| c.name.as_ref() == name) else { return };
        consumer.cursor = consumer.cursor.max(upto);
        consumer.forget_done();
        consumer.note_delivered(upto);
        consumer.touch(now);
        consumer.cursor_is_acked = acked_at_ms.is_some();
        for id in ids {
            consumer.release(*id);
            if let Some(bytes) = member.held.get_mut().and_then(|held| held.take(*id)) {
                self.held_messages -= 1;
                self.held_bytes -= bytes;
            }
        }
        let Some(at_ms) = acked_at_ms else { return };
        member.acked_at_ms = at_ms;
        member.seen_at_ms = at_ms;
        for id in ids {
            if let Some(record) = self.delivery_records.find_mut(*id).filter(|t| t.to == Some(no)) {
                record.acked_at_ms.get_or_insert(at_ms);
            }
        }
        self.note_receipts(ids, no);
    }

    fn on_consumer_added(&mut self, no: MemberNo, name: &ConsumerName, cursor: MessageId, own: bool, now: Now) {
        let Some(member) = self.members.get_mut(&no) else { return };
        match member.consumer_mut(Some(name)) {
            None => {
                let mut consumer = Consumer::new(Some(name.clone()), cursor, now);
                consumer.own = own;
                member.consumers.push(consumer);
            }
            Some(consumer) => {
                consumer.own = own;
                if !own {
                    consumer.stop_reading_own();
                }
            }
        }
        self.track_own_dms(no);
    }

    /// Records the eviction of a member's DMs for as long as a consumer of it reads its own messages.
    fn track_own_dms(&mut self, no: MemberNo) {
        if self.member(no).is_some_and(Member::reads_own) {
            self.ring.track_own_dms(no, 0);
        } else if let Some(ring) = self.ring.get_mut() {
            ring.untrack_own_dms(no);
        }
    }

    fn on_consumer_removed(&mut self, no: MemberNo, name: &ConsumerName, now: Now, effects: &mut Effects) {
        let Some(consumer) = self.consumer_mut(no, Some(name)) else { return };
        let (stream, poll) = (consumer.stream, consumer.poll);
        self.close_consumer(stream, poll, StreamEnd::Bye { reason: "removed" }, now, effects);
        self.waiters.forget_consumer(no, name);
        if let Some(member) = self.members.get_mut(&no) {
            member.consumers.retain(|c| c.name.as_ref() != Some(name));
        }
        self.track_own_dms(no);
    }
}
