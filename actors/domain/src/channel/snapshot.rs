//! A channel's state written down, so that its log need not be replayed from the beginning.
//!
//! It holds no text: the messages lie beside it. Times are not in it but for those a client may ask for, because every
//! TTL starts anew when a channel is opened again.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::callsign::Callsign;
use crate::entry::SendKey;
use crate::ids::{ConsumerName, MemberNo, MessageId, SessionId};

use super::member::Departure;
use super::ring::{Departed, Loss};
use super::traces::Trace;

/// The state of a channel after a record of its log.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Snapshot {
    pub(super) v: u32,
    pub(super) last_id: MessageId,
    pub(super) last_no: MemberNo,
    pub(super) first_joined_at_ms: Option<u64>,
    pub(super) last_activity_at_ms: u64,
    pub(super) departed: Departed,
    pub(super) lost_before: Option<(MessageId, Loss)>,
    pub(super) members: Vec<MemberState>,
    pub(super) traces: Vec<Trace>,
    /// Nothing was on its way to anybody.
    pub(super) settled: bool,
    /// The hub's run in which the channel left memory because nobody was there.
    pub(super) rested_in: Option<u64>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct MemberState {
    pub(super) no: MemberNo,
    pub(super) callsign: Callsign,
    pub(super) generation: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) own_session: Option<SessionId>,
    pub(super) joined_at_ms: u64,
    pub(super) start: MessageId,
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
    /// What is left of its lease; none means it is due again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) lease_ms: Option<u64>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct KeyState {
    pub(super) key: SendKey,
    pub(super) id: MessageId,
    pub(super) at_ms: u64,
    pub(super) queued: bool,
    pub(super) to: Arc<str>,
}

impl Snapshot {
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
pub struct Shelved {
    /// Its id.
    pub id: MessageId,
    /// Who sent it.
    pub from: MemberNo,
    /// Whom it is for; none means everybody.
    pub to: Option<MemberNo>,
    /// What it weighs in memory, in bytes.
    pub weight_bytes: usize,
}
