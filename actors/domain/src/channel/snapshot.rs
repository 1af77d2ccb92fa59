//! A channel's state written down, so that its log need not be replayed from the beginning.
//!
//! It holds no text: the messages lie beside it. Times are not in it but for those a client may ask for, because every
//! TTL starts anew when a channel is opened again.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::Now;
use crate::callsign::Callsign;
use crate::collections::LazyBox;
use crate::entry::{Entry, SendKey};
use crate::identity::Identity;
use crate::ids::{ConsumerName, MemberNo, MessageId, SessionId};
use crate::message::Message;

use super::delivery_records::{DeliveryRecord, DeliveryRecords};
use super::member::{Departure, Held, Keys, Presence};
use super::ring::{Evicted, GapReason, Ring};
use super::{Channel, Consumer, Effects, Member, Slot};

/// The state of a channel after a record of its log.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Snapshot {
    pub(super) v: u32,
    pub(super) last_id: MessageId,
    pub(super) last_no: MemberNo,
    pub(super) first_joined_at_ms: Option<u64>,
    pub(super) last_activity_at_ms: u64,
    pub(super) departed: Evicted,
    pub(super) lost_before: Option<(MessageId, GapReason)>,
    pub(super) members: Vec<MemberState>,
    pub(super) traces: Vec<DeliveryRecord>,
    /// When it was taken, in milliseconds since the epoch.
    pub(super) at_ms: u64,
    /// The hub's run in which the channel left memory with this state: everything handed over before is in it.
    pub(super) rested_in: Option<u64>,
    /// Whether nothing was ever said on it.
    #[serde(default)]
    pub(super) silent: bool,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct MemberState {
    pub(super) no: MemberNo,
    pub(super) callsign: Callsign,
    pub(super) generation: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) own_session: Option<SessionId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) identity: Option<Identity>,
    pub(super) joined_at_ms: u64,
    pub(super) start: MessageId,
    /// Since its last sign of life, or since it went.
    pub(super) quiet_ms: u64,
    /// How it went, if it is away.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) away: Option<Departure>,
    /// Whether the transcript has its first message.
    #[serde(default)]
    pub(super) prompted: bool,
    pub(super) consumers: Vec<ConsumerState>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) held: Vec<MessageId>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) keys: Vec<KeyState>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct ConsumerState {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) name: Option<ConsumerName>,
    pub(super) cursor: MessageId,
    pub(super) handed: MessageId,
    pub(super) shown: MessageId,
    pub(super) acks: bool,
    /// Up to here it may have been given messages that no record tells of.
    #[serde(default)]
    pub(super) doubt: MessageId,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) claims: Vec<ClaimState>,
}

#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(super) struct ClaimState {
    pub(super) id: MessageId,
    pub(super) attempt: u32,
    pub(super) is_dm: bool,
    /// When its lease ends, in milliseconds since the epoch, and how long it may last at most; none means it is due
    /// again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) lease: Option<(u64, u64)>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct KeyState {
    pub(super) key: SendKey,
    pub(super) id: MessageId,
    pub(super) at_ms: u64,
    pub(super) queued: bool,
    pub(super) to: Arc<str>,
}

/// How snapshots are written; another number is not read.
const VERSION: u32 = 1;

/// Why a channel cannot be brought back from what was kept of it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RestoreError {
    /// The snapshot was written by another version.
    #[error("its snapshot has the version {0}")]
    Version(u32),
    /// A message it holds is not there.
    #[error("message {0} is missing")]
    Missing(MessageId),
}

impl Snapshot {
    /// The last message id given.
    #[must_use]
    pub fn last_id(&self) -> MessageId {
        self.last_id
    }

    /// Whether nothing was ever said on the channel: then nothing of it can be lost.
    #[must_use]
    pub fn is_silent(&self) -> bool {
        self.silent
    }

    /// The hub's run in which the channel left memory with this state, if it did.
    #[must_use]
    pub fn rested_in(&self) -> Option<u64> {
        self.rested_in
    }

    /// Messages up to this id are no longer held, but for [those of recipients](Self::held).
    #[must_use]
    pub fn departed(&self) -> MessageId {
        self.departed.any
    }

    /// Messages held for their recipients, whatever their age.
    pub fn held(&self) -> impl Iterator<Item = MessageId> {
        self.members.iter().flat_map(|m| m.held.iter().copied())
    }
}

/// A message that lies in the log and not in memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BacklogEntry {
    /// Its id.
    pub id: MessageId,
    /// Who sent it.
    pub from: MemberNo,
    /// Whom it is for; none means everybody.
    pub to: Option<MemberNo>,
    /// What it weighs in memory, in bytes.
    pub weight_bytes: usize,
}

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
