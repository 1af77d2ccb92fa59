//! Taking a snapshot of a channel, and restoring the channel from a snapshot and the log after it.

use std::sync::Arc;

use crate::Now;
use crate::collections::LazyBox;
use crate::entry::{Entry, SendKey};
use crate::ids::MessageId;
use crate::message::Message;

use super::delivery_records::DeliveryRecords;
use super::member::{Departure, Held, Keys, Presence};
use super::ring::Ring;
use super::snapshot::{BacklogEntry, KeyState, MemberState, RestoreError, Snapshot, VERSION};
use super::{Channel, Consumer, Effects, Member, Slot};

impl Channel {
    /// The channel's state, to be written down. `rested_in` is the hub's run when it leaves memory.
    #[must_use]
    pub fn snapshot(&self, rested_in: Option<u64>, now: Now) -> Snapshot {
        let (departed, lost_before) = self.ring.departure();
        Snapshot {
            v: VERSION,
            last_id: self.last_id,
            last_no: self.last_no,
            first_joined_at_ms: self.first_joined_at_ms,
            last_activity_at_ms: self.last_activity_at_ms,
            departed,
            lost_before,
            members: self.members.values().map(|member| member.state(self.settings.is_durable(), now)).collect(),
            traces: self.traces.iter().filter(|_| self.settings.is_durable()).cloned().collect(),
            at_ms: now.at_ms,
            rested_in,
            silent: !self.spoken,
        }
    }

    /// Brings back the state that was written down; the channel was just opened. Time goes on where the state rested in
    /// this `run` of the hub; after a restart every TTL begins anew. Messages come from the shelf, in
    /// outline: [`Self::hollow`] says which must be [filled in](Self::fill).
    ///
    /// # Errors
    /// When the state is not one that can be read, or a message it needs is not on the shelf.
    pub fn restore(
        &mut self,
        snapshot: Snapshot,
        shelf: &[BacklogEntry],
        run: u64,
        now: Now,
    ) -> Result<(), RestoreError> {
        if snapshot.v != VERSION {
            return Err(RestoreError::Version(snapshot.v));
        }
        self.last_id = self.last_id.max(snapshot.last_id);
        self.last_no = snapshot.last_no;
        self.first_joined_at_ms = snapshot.first_joined_at_ms;
        self.last_activity_at_ms = snapshot.last_activity_at_ms;
        self.spoken |= !snapshot.silent;
        let durable = self.settings.is_durable();
        if durable {
            self.ring = LazyBox::new(Ring::restored(snapshot.departed, snapshot.lost_before, Some(self.rules.shelf)));
            shelf.iter().filter(|s| s.id <= snapshot.last_id).for_each(|shelved| self.ring.shelve(shelved));
            self.traces = LazyBox::new(DeliveryRecords::restored(snapshot.traces));
        }
        let slept_ms = (snapshot.rested_in == Some(run)).then(|| now.at_ms.saturating_sub(snapshot.at_ms));
        // Who is here has the last word about a session that went from one callsign to another.
        let (away, here): (Vec<_>, Vec<_>) = snapshot.members.into_iter().partition(|m| m.away.is_some());
        for state in away.into_iter().chain(here) {
            let quiet_ms = slept_ms.map_or(0, |slept_ms| state.quiet_ms + slept_ms);
            self.restore_member(state, shelf, now.uptime_ms.saturating_sub(quiet_ms), now)?;
        }
        Ok(())
    }

    fn restore_member(
        &mut self,
        state: MemberState,
        shelf: &[BacklogEntry],
        since_ms: u64,
        now: Now,
    ) -> Result<(), RestoreError> {
        let mut held = Held::default();
        for id in &state.held {
            let at = shelf.binary_search_by_key(id, |shelved| shelved.id).map_err(|_| RestoreError::Missing(*id))?;
            let slot = Slot::shelved(&shelf[at]);
            self.held_messages += 1;
            self.held_bytes += slot.weight_bytes();
            held.push(slot);
        }
        let minted = || self.rules.key.recognise(&self.id, &state.callsign, state.generation);
        let session = state.own_session.clone().unwrap_or_else(minted);
        let mut keys = Keys::default();
        state.keys.into_iter().for_each(|key| keys.restore(key, now));
        let presence = match state.away {
            None => Presence::Live { seen_ms: since_ms },
            Some(how) => Presence::Away { since_ms, how },
        };
        match state.away {
            None => {
                self.sessions.seat(session.clone(), state.no);
                self.live += 1;
                self.sweep_by(since_ms + self.settings.session_ttl_ms);
            }
            Some(how) => {
                if how != Departure::Renamed {
                    self.sessions.bury(&session, since_ms);
                }
                self.sweep_by(since_ms + self.settings.member_ttl_ms);
            }
        }
        self.by_callsign.insert(state.callsign.clone(), state.no);
        let member = Member {
            no: state.no,
            callsign: state.callsign,
            generation: state.generation,
            session,
            owns_session: state.own_session.is_some(),
            identity: state.identity,
            joined_at_ms: state.joined_at_ms,
            start: state.start,
            presence,
            prompted: state.prompted,
            consumers: state.consumers.into_iter().map(|consumer| Consumer::restored(consumer, now)).collect(),
            held: LazyBox::new(held),
            keys,
            window: LazyBox::default(),
        };
        self.members.insert(state.no, Box::new(member));
        if let Some(next) = self.sessions.next_sweep_ms() {
            self.sweep_by(next);
        }
        Ok(())
    }

    /// Replays what happened after the state that was restored.
    pub fn replay<'a>(&mut self, entries: impl Iterator<Item = &'a Entry>, now: Now) {
        // Nobody waits yet, so there is nothing to carry out.
        let mut effects = Effects::default();
        for entry in entries {
            self.apply(entry, now, &mut effects);
            effects.clear();
        }
    }

    /// Says that the log may lack what was handed over last: the hub went down without a goodbye.
    pub fn doubt_handovers(&mut self) {
        let upto = self.last_id;
        self.members.values_mut().flat_map(|m| &mut m.consumers).for_each(|consumer| consumer.may_have_had(upto));
    }

    /// Gives no id up to here (D10).
    pub fn begin_above(&mut self, floor: MessageId) {
        self.last_id = self.last_id.max(floor);
    }

    /// The messages that must be in memory and are not: of the ring, and those held for their recipients.
    #[must_use]
    pub fn hollow(&self) -> Vec<MessageId> {
        let held = self.members.values().flat_map(|m| m.held.iter());
        let held = held.filter(|slot| slot.message.is_none()).map(|slot| slot.id);
        let mut ids: Vec<_> = self.ring.hollow().chain(held).collect();
        ids.sort_unstable();
        ids.dedup();
        ids
    }

    /// Fills in messages that were in outline.
    ///
    /// # Errors
    /// When one is still missing.
    pub fn fill(&mut self, messages: &[Arc<Message>]) -> Result<(), RestoreError> {
        for message in messages {
            self.ring.fill(message);
            if let Some(recipient) = message.to.and_then(|to| self.members.get_mut(&to)) {
                recipient.held.fill(message);
            }
        }
        self.hollow().first().map_or(Ok(()), |id| Err(RestoreError::Missing(*id)))
    }
}

impl Member {
    fn state(&self, durable: bool, now: Now) -> MemberState {
        let keys = self.keys.iter().filter(|_| durable).map(|(key, first)| KeyState {
            key: SendKey { key: key.clone(), body_hash: first.body_hash },
            id: first.id,
            at_ms: first.at_ms,
            queued: first.queued,
            to: first.to.clone(),
        });
        let consumers = self.consumers.iter();
        let held = self.held.iter().filter(|_| durable);
        let (since_ms, away) = match self.presence {
            Presence::Live { seen_ms } => (seen_ms, None),
            Presence::Away { since_ms, how } => (since_ms, Some(how)),
        };
        MemberState {
            no: self.no,
            callsign: self.callsign.clone(),
            generation: self.generation,
            own_session: self.owns_session.then(|| self.session.clone()),
            identity: self.identity.clone(),
            joined_at_ms: self.joined_at_ms,
            start: self.start,
            quiet_ms: now.uptime_ms.saturating_sub(since_ms),
            away,
            prompted: self.prompted,
            consumers: consumers.map(|consumer| consumer.state(durable, now)).collect(),
            held: held.map(|slot| slot.id).collect(),
            keys: keys.collect(),
        }
    }
}
