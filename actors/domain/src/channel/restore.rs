//! Recovery of a channel: taking its snapshot, and restoring it from a snapshot and the log after it.

use std::num::NonZeroU64;
use std::sync::Arc;

use crate::Now;
use crate::collections::LazyBox;
use crate::entry::{Entry, SendKey};
use crate::ids::MessageId;
use crate::message::Message;

use super::delivery_records::DeliveryRecords;
use super::idempotency::IdempotencyCache;
use super::member::{Departure, Held, SessionState};
use super::ring::Ring;
use super::snapshot::{BacklogEntry, IdempotencySnapshot, MemberSnapshot, RestoreError, Snapshot, VERSION};
use super::{Channel, Consumer, Effects, Member, MessageSlot, Stated, Tasks};

impl Channel {
    /// The channel's state, to be stored. `unloaded_in` is the boot of the hub when the channel is being unloaded.
    #[must_use]
    pub fn snapshot(&self, unloaded_in: Option<u64>, now: Now) -> Snapshot {
        let (evicted, lost_before) = self.ring.eviction();
        Snapshot {
            v: VERSION,
            last_id: self.last_id,
            last_no: self.last_no,
            first_joined_at_ms: self.first_joined_at_ms(),
            last_activity_at_ms: self.last_activity_at_ms,
            evicted,
            lost_before,
            members: self.members.values().map(|member| self.member_snapshot(member, now)).collect(),
            delivery_records: self.delivery_records.iter().filter(|_| self.settings.is_durable()).cloned().collect(),
            at_ms: now.at_ms,
            unloaded_in,
            uptime_ms: unloaded_in.map(|_| now.uptime_ms),
            has_no_messages: !self.has_messages,
            tasks: if self.settings.is_durable() { self.tasks.snapshot() } else { Vec::new() },
        }
    }

    /// Restores a stored state into a channel that was just opened. TTLs continue if the state was unloaded in this boot of
    /// the hub, and restart otherwise; for how long a consumer was not read is kept in any case. The messages come from the backlog without their bodies:
    /// [`missing_bodies`](Self::missing_bodies) lists those to [fill in](Self::fill).
    ///
    /// # Errors
    /// If the snapshot has an unknown version, or a message it needs is not in the backlog.
    pub fn restore(
        &mut self,
        snapshot: Snapshot,
        backlog: &[BacklogEntry],
        boot: u64,
        now: Now,
    ) -> Result<(), RestoreError> {
        if snapshot.v != VERSION {
            return Err(RestoreError::Version(snapshot.v));
        }
        self.last_id = self.last_id.max(snapshot.last_id);
        self.last_no = snapshot.last_no;
        self.first_joined_at_ms = snapshot.first_joined_at_ms.and_then(NonZeroU64::new);
        self.last_activity_at_ms = snapshot.last_activity_at_ms;
        self.has_messages |= !snapshot.has_no_messages;
        let durable = self.settings.is_durable();
        if durable {
            self.ring = LazyBox::new(Ring::restored(snapshot.evicted, snapshot.lost_before, Some(self.rules.backlog)));
            self.delivery_records = LazyBox::new(DeliveryRecords::restored(snapshot.delivery_records));
            self.tasks = LazyBox::new(Tasks::restored(snapshot.tasks, now));
        }
        let taken_at_ms = snapshot.at_ms;
        let unloaded_ms = (snapshot.unloaded_in == Some(boot)).then(|| match snapshot.uptime_ms {
            Some(uptime_ms) => now.uptime_ms.saturating_sub(uptime_ms),
            None => now.at_ms.saturating_sub(snapshot.at_ms),
        });
        // Live members come last: a session that moved to another callsign belongs to the live one.
        let (away, live): (Vec<_>, Vec<_>) = snapshot.members.into_iter().partition(|m| m.away.is_some());
        for state in away.into_iter().chain(live) {
            let quiet_ms = unloaded_ms.map_or(0, |unloaded_ms| state.quiet_ms + unloaded_ms);
            let state = MemberSnapshot {
                seen_at_ms: Some(state.seen_at_ms.unwrap_or(taken_at_ms.saturating_sub(state.quiet_ms))),
                ..state
            };
            self.restore_member(state, backlog, now.uptime_ms.saturating_sub(quiet_ms), unloaded_ms.unwrap_or(0), now)?;
        }
        // After the members: messages that do not fit are evicted, and DMs of those that read their own are recorded.
        if durable {
            backlog.iter().filter(|s| s.id <= snapshot.last_id).for_each(|entry| self.ring.push_backlog(entry));
        }
        Ok(())
    }

    fn member_snapshot(&self, member: &Member, now: Now) -> MemberSnapshot {
        let own_dm = self.ring.newest_own_dm(member.no);
        MemberSnapshot { own_dm, ..member.snapshot(self.settings.is_durable(), now) }
    }

    fn restore_member(
        &mut self,
        state: MemberSnapshot,
        backlog: &[BacklogEntry],
        since_ms: u64,
        unloaded_ms: u64,
        now: Now,
    ) -> Result<(), RestoreError> {
        let mut held = Held::default();
        for id in &state.held {
            let at = backlog.binary_search_by_key(id, |entry| entry.id).map_err(|_| RestoreError::Missing(*id))?;
            let slot = MessageSlot::from_backlog(&backlog[at]);
            self.held_messages += 1;
            self.held_bytes += slot.weight_bytes();
            held.push(slot);
        }
        let minted = || self.rules.key.mint_hash_only(&self.id, &state.callsign, state.generation);
        let session = state.own_session.clone().unwrap_or_else(minted);
        let mut idempotency = IdempotencyCache::default();
        state.idempotency.into_iter().for_each(|send| idempotency.restore(send, now));
        let presence = match state.away {
            None => SessionState::Live { seen_ms: since_ms },
            Some(how) => SessionState::Away { since_ms, how },
        };
        match state.away {
            None => {
                self.sessions.insert(session.clone(), state.no);
                self.live += 1;
                self.sweep_by(since_ms + self.settings.session_ttl_ms);
            }
            Some(how) => {
                if how != Departure::Renamed {
                    self.sessions.expire(&session, since_ms);
                }
                self.sweep_by(since_ms + self.settings.member_ttl_ms);
            }
        }
        self.by_callsign.insert(state.callsign.clone(), state.no);
        let stated = state.state.map(|of| Stated { state: of, until_ms: state.until_ms, note: None, version: 0 });
        let mut member = Member {
            no: state.no,
            callsign: state.callsign,
            generation: state.generation,
            session,
            owns_session: state.own_session.is_some(),
            identity: state.identity,
            joined_at_ms: state.joined_at_ms,
            start: state.start,
            presence,
            seen_at_ms: state.seen_at_ms.unwrap_or(0),
            acked_at_ms: state.acked_at_ms,
            has_sent: state.has_sent,
            consumers: state
                .consumers
                .into_iter()
                .map(|consumer| Consumer::restored(consumer, unloaded_ms, now))
                .collect(),
            held: LazyBox::new(held),
            idempotency,
            send_window: LazyBox::default(),
            profile: None,
        };
        member.set_stated(stated);
        member.set_about(state.about.as_deref().unwrap_or_default());
        if member.reads_own() {
            self.ring.track_own_dms(state.no, state.own_dm);
        }
        self.members.insert(state.no, Box::new(member));
        if let Some(next) = self.sessions.next_sweep_ms() {
            self.sweep_by(next);
        }
        Ok(())
    }

    /// Applies the entries that were logged after the restored state.
    pub fn replay<'a>(&mut self, entries: impl Iterator<Item = &'a Entry>, now: Now) {
        // No client waits yet, so there is nothing to run.
        let mut effects = Effects::default();
        for entry in entries {
            self.apply(entry, now, &mut effects);
            effects.clear();
        }
    }

    /// Marks all messages so far as possibly delivered, and all consumers as read just now. After a crash, the log may lack
    /// the last deliveries and reads.
    pub fn mark_maybe_delivered(&mut self, now: Now) {
        let upto = self.last_id;
        for consumer in self.members.values_mut().flat_map(|m| &mut m.consumers) {
            consumer.mark_maybe_delivered(upto);
            consumer.touch(now);
        }
    }

    /// Assigns no id up to and including `id` from now on (D10).
    pub fn start_ids_above(&mut self, id: MessageId) {
        self.last_id = self.last_id.max(id);
    }

    /// The messages whose bodies must be in memory and are not: those of the ring, and those held for their recipients.
    #[must_use]
    pub fn missing_bodies(&self) -> Vec<MessageId> {
        let held = self.members.values().flat_map(|m| m.held.iter());
        let held = held.filter(|slot| slot.message.is_none()).map(|slot| slot.id);
        let mut ids: Vec<_> = self.ring.missing_bodies().chain(held).chain(self.tasks.missing_bodies()).collect();
        ids.sort_unstable();
        ids.dedup();
        ids
    }

    /// Adds the bodies of messages.
    ///
    /// # Errors
    /// If a body is still missing afterwards.
    pub fn fill(&mut self, messages: &[Arc<Message>]) -> Result<(), RestoreError> {
        for message in messages {
            self.ring.fill(message);
            self.tasks.get_mut().into_iter().for_each(|tasks| tasks.fill(message));
            if let Some(recipient) = message.to.and_then(|to| self.members.get_mut(&to)) {
                recipient.held.fill(message);
            }
        }
        self.missing_bodies().first().map_or(Ok(()), |id| Err(RestoreError::Missing(*id)))
    }
}

impl Member {
    fn snapshot(&self, durable: bool, now: Now) -> MemberSnapshot {
        let idempotency = self.idempotency.iter().filter(|_| durable).map(|(key, first)| IdempotencySnapshot {
            key: SendKey { key: key.clone(), body_hash: first.body_hash },
            id: first.id,
            at_ms: first.at_ms,
            queued: first.queued,
            to: first.to.clone(),
        });
        let consumers = self.consumers.iter();
        let held = self.held.iter().filter(|_| durable);
        let (since_ms, away) = match self.presence {
            SessionState::Live { seen_ms } => (seen_ms, None),
            SessionState::Away { since_ms, how } => (since_ms, Some(how)),
        };
        MemberSnapshot {
            no: self.no,
            callsign: self.callsign.clone(),
            generation: self.generation,
            own_session: self.owns_session.then(|| self.session.clone()),
            identity: self.identity.clone(),
            joined_at_ms: self.joined_at_ms,
            start: self.start,
            quiet_ms: now.uptime_ms.saturating_sub(since_ms),
            away,
            seen_at_ms: Some(if self.is_waiting() { now.at_ms } else { self.seen_at_ms }),
            acked_at_ms: self.acked_at_ms,
            own_dm: 0,
            has_sent: self.has_sent,
            consumers: consumers.map(|consumer| consumer.snapshot(durable, now)).collect(),
            held: held.map(|slot| slot.id).collect(),
            idempotency: idempotency.collect(),
            about: self.about().filter(|_| durable).map(Into::into),
            state: self.stated().map(|stated| stated.state),
            until_ms: self.stated().and_then(|stated| stated.until_ms),
        }
    }
}
