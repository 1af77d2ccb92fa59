//! Making entries so: the only place where what happened changes the channel.

use std::sync::Arc;

use crate::Now;
use crate::collections::LazyBox;
use crate::entry::{AckMode, Entry, SendKey};
use crate::ids::{ConsumerName, MemberNo, MessageId};
use crate::message::{Kind, Message};

use super::member::Keys;
use super::stats::count;
use super::{Channel, Consumer, Departure, Effect, Effects, Member, Presence, Slot, StreamEnd};

impl Channel {
    /// Applies one entry: changes the state and tells the effects. Applying a channel's entries in order, to a channel
    /// just opened, brings it back.
    pub fn apply(&mut self, entry: &Entry, now: Now, effects: &mut Effects) {
        match entry {
            Entry::Created { .. } => {}
            Entry::Settings { settings } => {
                self.settings = settings.clone();
                effects.push(Effect::Settings(settings.clone()));
            }
            Entry::Joined { .. } => self.joined(entry, now),
            Entry::RenamedAway { no } => self.departed(*no, Departure::Renamed, now, effects),
            Entry::Left { no } => self.departed(*no, Departure::Left, now, effects),
            Entry::Revoked { no } => self.departed(*no, Departure::Revoked, now, effects),
            Entry::Expired { no } => self.departed(*no, Departure::Expired, now, effects),
            Entry::Forgotten { no } => self.forgotten(*no),
            Entry::Sent { message, to, key } => self.sent(message, to, key.as_ref(), now, effects),
            Entry::Delivered { no, consumer, ids, told, upto, terms, at_ms } => {
                self.handed(*no, consumer.as_ref(), ids, *upto, *terms, *at_ms, now);
                self.told_lost(*no, consumer.as_ref(), told, now);
            }
            Entry::Acked { no, consumer, upto, ids, at_ms } => {
                self.acked(*no, consumer.as_ref(), *upto, ids, *at_ms);
                self.offer_to(*no, now, effects);
            }
            Entry::ConsumerAdded { no, consumer, cursor } => self.consumer_added(*no, consumer, *cursor),
            Entry::ConsumerRemoved { no, consumer } => self.consumer_removed(*no, consumer, now, effects),
        }
    }

    fn joined(&mut self, entry: &Entry, now: Now) {
        let Entry::Joined { no, callsign, generation, own_session, identity, cursor, at_ms } = entry else { return };
        let minted = || self.rules.key.recognise(&self.id, callsign, *generation);
        let session = own_session.clone().unwrap_or_else(minted);
        let presence = Presence::Live { seen_ms: now.uptime_ms };
        if let Some(member) = self.members.get_mut(no) {
            assert!(!member.is_live(), "a member that is here does not join again");
            member.generation = *generation;
            member.session = session.clone();
            member.owns_session = own_session.is_some();
            member.identity.clone_from(identity);
            member.joined_at_ms = *at_ms;
            member.presence = presence;
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
                prompted: false,
                consumers: vec![Consumer::new(None, *cursor)],
                held: LazyBox::default(),
                keys: Keys::default(),
                window: LazyBox::default(),
            };
            self.members.insert(*no, Box::new(member));
            self.by_callsign.insert(callsign.clone(), *no);
            self.last_no = self.last_no.max(*no);
        }
        self.sessions.seat(session, *no);
        self.live += 1;
        self.first_joined_at_ms.get_or_insert(*at_ms);
        self.last_activity_at_ms = *at_ms;
        self.sweep_by(now.uptime_ms + self.settings.session_ttl_ms);
        self.roster_changed();
    }

    fn departed(&mut self, no: MemberNo, how: Departure, now: Now, effects: &mut Effects) {
        let Some(member) = self.members.get(&no).filter(|m| m.is_live()) else { return };
        let session = member.session.clone();
        let reason = match how {
            Departure::Left => "left",
            Departure::Expired => "expired",
            Departure::Renamed => "renamed",
            Departure::Revoked => "revoked",
        };
        self.close_places(no, StreamEnd::Bye { reason }, now, effects);
        if let Some(member) = self.members.get_mut(&no) {
            member.presence = Presence::Away { since_ms: now.uptime_ms, how };
        }
        match how {
            Departure::Renamed => self.sessions.unseat(&session),
            Departure::Left | Departure::Expired | Departure::Revoked => self.sessions.bury(&session, now.uptime_ms),
        }
        self.live -= 1;
        self.idle_from(now);
        self.sweep_by(now.uptime_ms + self.settings.member_ttl_ms);
        if let Some(next) = self.sessions.next_sweep_ms() {
            self.sweep_by(next);
        }
        self.roster_changed();
    }

    fn forgotten(&mut self, no: MemberNo) {
        let Some(member) = self.members.remove(&no) else { return };
        assert!(!member.is_live(), "a member that is here is not forgotten");
        self.by_callsign.remove(member.callsign.as_str());
        self.held_messages -= member.held.len();
        self.held_bytes -= member.held.bytes();
        self.handed.held_lost += count(member.held.len());
    }

    fn sent(&mut self, message: &Arc<Message>, to: &Arc<str>, key: Option<&SendKey>, now: Now, effects: &mut Effects) {
        assert!(message.id > self.last_id, "ids increase");
        self.last_id = message.id;
        self.spoken = true;
        self.last_activity_at_ms = message.at_ms;
        let mut queued = false;
        if message.kind == Kind::Message {
            self.ring.push(message);
            let to = message.to.and_then(|to| self.member(to)).map(|m| m.callsign.clone());
            self.traces.push(message, to);
            queued = self.hold(message);
        }
        if let Some(sender) = self.members.get_mut(&message.from) {
            sender.prompted |= message.kind == Kind::Message;
            if let Some(key) = key {
                sender.keys.remember(key, message, to.clone(), queued, now);
            }
        }
        match message.kind {
            Kind::Message => {
                effects.push(Effect::Notify);
                self.offer(message, now, effects);
            }
            Kind::Status => self.pass_on(message, now, effects),
        }
    }

    /// Holds a DM for its recipient. True when the recipient is away.
    fn hold(&mut self, message: &Arc<Message>) -> bool {
        let recipient = message.to.filter(|to| *to != message.from).and_then(|to| self.members.get_mut(&to));
        let Some(recipient) = recipient else { return false };
        recipient.held.push(Slot::of(message));
        self.held_messages += 1;
        self.held_bytes += message.weight_bytes();
        !recipient.is_live()
    }

    #[expect(clippy::too_many_arguments, reason = "these are the fields of one entry")]
    fn handed(
        &mut self,
        no: MemberNo,
        name: Option<&ConsumerName>,
        ids: &[MessageId],
        upto: MessageId,
        terms: AckMode,
        at_ms: u64,
        now: Now,
    ) {
        let ring = &self.ring;
        let Some(member) = self.members.get_mut(&no) else { return };
        if terms == AckMode::Read {
            for bytes in ids.iter().filter_map(|id| member.held.get_mut()?.take(*id)) {
                self.held_messages -= 1;
                self.held_bytes -= bytes;
            }
        }
        let held = &member.held;
        let Some(consumer) = member.consumers.iter_mut().find(|c| c.name.as_ref() == name) else { return };
        // In a replay a lease ends when it would have ended.
        let terms = match terms {
            AckMode::Leased { lease_ms } => {
                let left_ms = (at_ms + lease_ms).saturating_sub(now.at_ms);
                AckMode::Leased { lease_ms: left_ms.min(lease_ms) }
            }
            terms => terms,
        };
        for id in ids {
            let is_held = held.contains(*id);
            let is_dm = is_held || ring.get(*id).is_some_and(|m| m.to.is_some());
            consumer.keep(*id, terms, is_dm.then_some(is_held), now.uptime_ms);
        }
        consumer.was_handed(upto);
        if terms == AckMode::Read {
            consumer.cursor = consumer.cursor.max(upto);
            consumer.acks = false;
        }
        if let (Some(end), true) = (consumer.next_lease_end_ms(now.uptime_ms), consumer.waits()) {
            self.look_at_leases_by(end);
        }
        for id in ids {
            if let Some(trace) = self.traces.of_mut(*id).filter(|t| t.to == Some(no)) {
                trace.attempts += 1;
                trace.delivered_at_ms.get_or_insert(at_ms);
            }
        }
    }

    /// Lets go of what a consumer was owed and has been told lost, and of DMs another consumer is through with. A replay
    /// does so too, or the claims would grow over their bound.
    fn told_lost(&mut self, no: MemberNo, name: Option<&ConsumerName>, told: &[MessageId], now: Now) {
        let ring = &self.ring;
        let Some(member) = self.members.get_mut(&no) else { return };
        let held = &member.held;
        let Some(consumer) = member.consumers.iter_mut().find(|c| c.name.as_ref() == name) else { return };
        told.iter().for_each(|id| consumer.release(*id));
        consumer.forget_owed(now.uptime_ms, |id| ring.get(id).is_none() && !held.contains(id));
    }

    fn acked(&mut self, no: MemberNo, name: Option<&ConsumerName>, upto: MessageId, ids: &[MessageId], at_ms: u64) {
        let Some(member) = self.members.get_mut(&no) else { return };
        let Some(consumer) = member.consumers.iter_mut().find(|c| c.name.as_ref() == name) else { return };
        consumer.cursor = consumer.cursor.max(upto);
        consumer.was_handed(upto);
        consumer.acks = true;
        for id in ids {
            consumer.release(*id);
            if let Some(bytes) = member.held.get_mut().and_then(|held| held.take(*id)) {
                self.held_messages -= 1;
                self.held_bytes -= bytes;
            }
        }
        for id in ids {
            if let Some(trace) = self.traces.of_mut(*id).filter(|t| t.to == Some(no)) {
                trace.acked_at_ms.get_or_insert(at_ms);
            }
        }
    }

    fn consumer_added(&mut self, no: MemberNo, name: &ConsumerName, cursor: MessageId) {
        let Some(member) = self.members.get_mut(&no).filter(|m| m.consumer(Some(name)).is_none()) else { return };
        member.consumers.push(Consumer::new(Some(name.clone()), cursor));
    }

    fn consumer_removed(&mut self, no: MemberNo, name: &ConsumerName, now: Now, effects: &mut Effects) {
        let Some(consumer) = self.consumer_mut(no, Some(name)) else { return };
        let (stream, waiter) = (consumer.stream, consumer.waiter);
        self.close_consumer(stream, waiter, StreamEnd::Bye { reason: "removed" }, now, effects);
        self.places.forget_answers(no, name);
        if let Some(member) = self.members.get_mut(&no) {
            member.consumers.retain(|c| c.name.as_ref() != Some(name));
        }
    }
}
