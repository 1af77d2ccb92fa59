//! A channel's state written down, so that its log need not be replayed from the beginning.
//!
//! It holds no text: the messages lie beside it. Times are not in it but for those a client may ask for, because every
//! TTL starts anew when a channel is opened again.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::callsign::Callsign;
use crate::entry::SendKey;
use crate::identity::Identity;
use crate::ids::{ConsumerName, MemberNo, MessageId, SessionId};

use super::delivery_records::DeliveryRecord;
use super::member::Departure;
use super::ring::{Evicted, GapReason};

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
pub(super) const VERSION: u32 = 1;

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
