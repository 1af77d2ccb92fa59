//! The stored state of a channel, which saves replaying its log from the beginning.
//!
//! It contains no message text; messages are stored beside it. It contains only those times that a client can query,
//! because every TTL restarts when a channel is recovered. Field names are part of the storage format: a renamed field
//! keeps its stored name with `serde(rename)`.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::callsign::Callsign;
use crate::entry::SendKey;
use crate::identity::Identity;
use crate::ids::{ConsumerName, MemberNo, MessageId, SessionId};
use crate::message::state::MemberState;
use crate::serialize::is_zero;

use super::delivery_records::DeliveryRecord;
use super::member::Departure;
use super::ring::{Evicted, GapReason};
use super::{Task, Tasks};

/// The state of a channel after a record of its log.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Snapshot {
    pub(super) v: u32,
    pub(super) last_id: MessageId,
    pub(super) last_no: MemberNo,
    pub(super) first_joined_at_ms: Option<u64>,
    pub(super) last_activity_at_ms: u64,
    #[serde(rename = "departed")]
    pub(super) evicted: Evicted,
    pub(super) lost_before: Option<(MessageId, GapReason)>,
    pub(super) members: Vec<MemberSnapshot>,
    #[serde(rename = "traces")]
    pub(super) delivery_records: Vec<DeliveryRecord>,
    /// When it was taken, in milliseconds since the epoch.
    pub(super) at_ms: u64,
    /// The boot of the hub in which the channel was unloaded with this state, if it was. It then contains every delivery.
    #[serde(rename = "rested_in")]
    pub(super) unloaded_in: Option<u64>,
    /// The uptime of the hub at that time, which continues when the wall clock jumps.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) uptime_ms: Option<u64>,
    /// Whether no message was ever sent.
    #[serde(default, rename = "silent")]
    pub(super) has_no_messages: bool,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) tasks: Vec<Task>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct MemberSnapshot {
    pub(super) no: MemberNo,
    pub(super) callsign: Callsign,
    pub(super) generation: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) own_session: Option<SessionId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) identity: Option<Identity>,
    pub(super) joined_at_ms: u64,
    pub(super) start: MessageId,
    /// Time since its last activity, or since it went away.
    pub(super) quiet_ms: u64,
    /// Why it went away; none while its session is live.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) away: Option<Departure>,
    /// When it was last active, in milliseconds since the epoch. Absent in snapshots of older versions.
    #[serde(default, rename = "seen_ms", skip_serializing_if = "Option::is_none")]
    pub(super) seen_at_ms: Option<u64>,
    /// When it last acknowledged messages, in milliseconds since the epoch; 0 if never.
    #[serde(default, rename = "acked_ms", skip_serializing_if = "is_zero")]
    pub(super) acked_at_ms: u64,
    /// The newest evicted DM that it sent, if it reads its own messages.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub(super) own_dm: MessageId,
    /// Whether it has sent a message.
    #[serde(default, rename = "prompted")]
    pub(super) has_sent: bool,
    pub(super) consumers: Vec<ConsumerSnapshot>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) held: Vec<MessageId>,
    #[serde(default, rename = "keys", skip_serializing_if = "Vec::is_empty")]
    pub(super) idempotency: Vec<IdempotencySnapshot>,
    /// What it does, on a durable channel.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) about: Option<Box<str>>,
    /// What it said it is doing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) state: Option<MemberState>,
    /// Until when, in milliseconds since the epoch.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) until_ms: Option<u64>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct ConsumerSnapshot {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) name: Option<ConsumerName>,
    pub(super) cursor: MessageId,
    #[serde(rename = "handed")]
    pub(super) delivered_upto: MessageId,
    #[serde(rename = "shown")]
    pub(super) seen_upto: MessageId,
    #[serde(rename = "acks")]
    pub(super) cursor_is_acked: bool,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(super) own: bool,
    /// For how long nothing had read with it; 0 for the default consumer, and in snapshots of older versions.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub(super) quiet_ms: u64,
    #[serde(default, rename = "doubt")]
    pub(super) maybe_delivered_upto: MessageId,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) claims: Vec<ClaimSnapshot>,
}

#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(super) struct ClaimSnapshot {
    pub(super) id: MessageId,
    pub(super) attempt: u32,
    pub(super) is_dm: bool,
    #[serde(default, rename = "own", skip_serializing_if = "std::ops::Not::not")]
    pub(super) is_own: bool,
    /// When its lease ends, in milliseconds since the epoch, and the time left of it when the snapshot was taken; none if
    /// the message is due again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) lease: Option<(u64, u64)>,
    /// Whether it was read apart from those before it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(super) done: bool,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct IdempotencySnapshot {
    pub(super) key: SendKey,
    pub(super) id: MessageId,
    pub(super) at_ms: u64,
    pub(super) queued: bool,
    pub(super) to: Arc<str>,
}

/// The version of the format. Snapshots of another version are refused.
pub(super) const VERSION: u32 = 1;

/// Why a channel cannot be restored from its stored state.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RestoreError {
    /// The snapshot has another version.
    #[error("the snapshot has the unknown version {0}")]
    Version(u32),
    /// A message that the channel must hold is not stored.
    #[error("message {0} is missing")]
    Missing(MessageId),
}

impl Snapshot {
    /// The last message id assigned.
    #[must_use]
    pub fn last_id(&self) -> MessageId {
        self.last_id
    }

    /// Whether no message was ever sent on the channel, so that it cannot have lost one.
    #[must_use]
    pub fn has_no_messages(&self) -> bool {
        self.has_no_messages
    }

    /// The boot of the hub in which the channel was unloaded with this state, if it was.
    #[must_use]
    pub fn unloaded_in(&self) -> Option<u64> {
        self.unloaded_in
    }

    /// Messages up to this id are evicted, except those [held for their recipients](Self::held).
    #[must_use]
    pub fn evicted_upto(&self) -> MessageId {
        self.evicted.any
    }

    /// Messages held for their recipients or with their tasks, whatever their age.
    pub fn held(&self) -> impl Iterator<Item = MessageId> {
        self.members.iter().flat_map(|m| m.held.iter().copied()).chain(Tasks::kept_ids(&self.tasks))
    }
}

/// A message of a durable channel that is stored in the log and not in memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BacklogEntry {
    /// Its id.
    pub id: MessageId,
    /// Its sender.
    pub from: MemberNo,
    /// Its recipient; none for a broadcast.
    pub to: Option<MemberNo>,
    /// Its size in memory, in bytes.
    pub weight_bytes: usize,
}
