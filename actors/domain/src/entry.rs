//! The entries of a channel's log: what happened, in order. Applying them in order restores the channel.
//!
//! Their field names are the storage format: a renamed field keeps its stored name with `serde(rename)`.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::callsign::Callsign;
use crate::digest;
use crate::identity::Identity;
use crate::ids::{ChannelId, ConsumerName, MemberNo, MessageId, SessionId};
use crate::message::state::MemberState;
use crate::message::task::{TaskStep, Wants};
use crate::message::{Kind, Message, stored_header};
use crate::settings::Settings;
use crate::transcript::TranscriptLine;
use crate::webhook::DueDelivery;

/// Something that happened on a channel. In the log it is an object whose `op` is the name of the variant; a log with an
/// unknown name cannot be read.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(tag = "op", rename_all = "snake_case")]
pub enum Entry {
    /// The channel was created. This is the first entry of every channel except a band.
    Created {
        /// Its settings.
        settings: Arc<Settings>,
    },
    /// The owner changed the settings.
    Settings {
        /// The new settings.
        settings: Arc<Settings>,
    },
    /// A member joined, for the first time or again.
    Joined {
        /// Its member number.
        no: MemberNo,
        /// Its callsign.
        callsign: Callsign,
        /// The generation from which its session id is minted.
        generation: u64,
        /// The session id that the caller chose itself, if it did.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        own_session: Option<SessionId>,
        /// The identity whose key it presented, if it did.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        identity: Option<Identity>,
        /// The start of its cursor, if the member is new.
        cursor: MessageId,
        /// The last message of the history that its join showed and that counts as read; 0 if none does.
        #[serde(default, skip_serializing_if = "is_none_shown")]
        shown_upto: MessageId,
        /// What it does, if it says so. Only on a durable channel, because a memory channel stores no text.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        about: Option<Box<str>>,
        /// When it joined, in milliseconds since the epoch.
        at_ms: u64,
    },
    /// A member went offline because its session joined under another callsign.
    #[serde(rename = "renamed")]
    RenamedAway {
        /// The member that went offline.
        no: MemberNo,
    },
    /// A member left, or its session was ended by the owner of the channel or the operator.
    Left {
        /// The member.
        no: MemberNo,
        /// Whether somebody else ended its session.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        evicted: bool,
    },
    /// The session of a member ended because its identity key was revoked or used by another session.
    Revoked {
        /// The member.
        no: MemberNo,
    },
    /// The session of a member expired.
    Expired {
        /// The member.
        no: MemberNo,
    },
    /// A member was removed because it was away for longer than the member TTL, or its callsign has a new owner.
    Forgotten {
        /// The former member.
        no: MemberNo,
    },
    /// A message or status was sent.
    #[serde(rename = "message")]
    Sent {
        /// The message. The log stores its header in the entry, and its body beside the records.
        #[serde(with = "stored_header")]
        message: Arc<Message>,
        /// The callsign of the recipient, or `all`.
        to: Arc<str>,
        /// The idempotency key of the send, if it had one.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        key: Option<SendKey>,
        /// The task that it opens, or what it does to a task.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        task: Option<Box<TaskMark>>,
    },
    /// A member took a task, or renewed its lease.
    Taken {
        /// The member.
        no: MemberNo,
        /// The task.
        id: MessageId,
        /// The number of this taking, from 1; a renewal repeats it.
        fence: u32,
        /// The length of the lease, in milliseconds.
        lease_ms: u64,
        /// When, in milliseconds since the epoch.
        at_ms: u64,
    },
    /// The lease of a task ended, or nobody received the answer to its taking: it is open again.
    Reopened {
        /// The task.
        id: MessageId,
        /// Whether the answer to its taking was not received. Such a taking is no attempt.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        untaken: bool,
        /// When, in milliseconds since the epoch.
        at_ms: u64,
    },
    /// A task was closed by time.
    Closed {
        /// The task.
        id: MessageId,
        /// Why.
        why: WhyClosed,
        /// When, in milliseconds since the epoch.
        at_ms: u64,
    },
    /// A member stated what it is doing, by a status. The text of the status is not stored.
    Stated {
        /// The member.
        no: MemberNo,
        /// What it is doing.
        state: MemberState,
        /// Until when, in milliseconds since the epoch.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        until_ms: Option<u64>,
    },
    /// A member that had joined already says what it does. Only on a durable channel.
    Described {
        /// The member.
        no: MemberNo,
        /// What it does; empty if it does not say so any more.
        about: Box<str>,
    },
    /// Messages, or a gap, were delivered to a consumer.
    #[serde(rename = "handed")]
    Delivered {
        /// The member.
        no: MemberNo,
        /// The consumer; none is the default one.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        consumer: Option<ConsumerName>,
        /// The messages.
        ids: Vec<MessageId>,
        /// Messages that were due again and were reported as lost.
        #[serde(default, rename = "told", skip_serializing_if = "Vec::is_empty")]
        lost: Vec<MessageId>,
        /// The highest id delivered or reported as lost.
        upto: MessageId,
        /// Messages that the cursor passes although they are not delivered: other reads have them, or returned them.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        overtaken: Vec<MessageId>,
        /// How the messages are acknowledged.
        #[serde(rename = "terms")]
        ack_mode: AckMode,
        /// When, in milliseconds since the epoch.
        at_ms: u64,
    },
    /// A consumer acknowledged all messages up to an id, or proved by its next request that it has received them.
    Acked {
        /// The member.
        no: MemberNo,
        /// The consumer; none is the default one.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        consumer: Option<ConsumerName>,
        /// The last id acknowledged.
        upto: MessageId,
        /// The delivered messages that are thereby done.
        ids: Vec<MessageId>,
        /// Messages that the cursor passes although they are not delivered: other reads have them, or returned them.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        overtaken: Vec<MessageId>,
        /// Whether it did not acknowledge them itself.
        #[serde(default, rename = "implied", skip_serializing_if = "std::ops::Not::not")]
        is_implied: bool,
        /// When, in milliseconds since the epoch.
        at_ms: u64,
    },
    /// A named consumer was created by its first use, or an existing one reads its member's own messages from now on, or no
    /// longer. An existing one keeps its cursor.
    ConsumerAdded {
        /// The member.
        no: MemberNo,
        /// The consumer.
        consumer: ConsumerName,
        /// The start of its cursor.
        cursor: MessageId,
        /// Whether it reads the messages that its member sent.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        own: bool,
    },
    /// A consumer was removed.
    ConsumerRemoved {
        /// The member.
        no: MemberNo,
        /// The consumer.
        consumer: ConsumerName,
    },
}

/// What a message is to tasks.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum TaskMark {
    /// It opens one, whose id is its own.
    Opens {
        /// What it wants.
        opens: Wants,
        /// When the task ends by itself, in milliseconds since the epoch.
        deadline_ms: u64,
        /// How many answers close it.
        answers: u32,
        /// Whether it is delivered to nobody.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        quiet: bool,
        /// The hash of the question, by which it is recognised when it is asked again.
        #[serde(with = "digest")]
        words: [u8; 32],
    },
    /// It is a reply that changes one.
    Moves {
        /// The task.
        moves: MessageId,
        /// What the reply does. None: its poster gave what was needed.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        state: Option<TaskStep>,
    },
}

/// Why a task was closed otherwise than by a reply.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum WhyClosed {
    /// Its deadline passed.
    Deadline,
    /// Too many leases ended without a result.
    Attempts,
    /// Its poster was removed from the channel.
    Forgotten,
}

/// How delivered messages are acknowledged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AckMode {
    /// Delivery acknowledges.
    Read,
    /// The message is leased to the consumer until it is acknowledged or the lease ends.
    Leased {
        /// The length of the lease, in milliseconds.
        lease_ms: u64,
    },
    /// The message is leased to the consumer until it is acknowledged or the stream ends.
    Streamed,
}

/// An idempotency key and the hash of the send's body.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SendKey {
    /// The key.
    pub key: Arc<str>,
    /// The SHA-256 of the validated body.
    #[serde(with = "digest")]
    pub body_hash: [u8; 32],
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands the field over by reference")]
fn is_none_shown(shown_upto: &MessageId) -> bool {
    *shown_upto == 0
}

impl Entry {
    /// Whether the entry belongs in the log. Members and their consumers are logged for every channel; messages and
    /// deliveries only for a durable one. A status is logged only if it has an idempotency key; what it states, always.
    #[must_use]
    pub fn is_logged(&self, durable: bool) -> bool {
        match self {
            Self::Sent { message, key, .. } => durable && (message.kind == Kind::Message || key.is_some()),
            Self::Delivered { .. }
            | Self::Acked { .. }
            | Self::Taken { .. }
            | Self::Reopened { .. }
            | Self::Closed { .. }
            | Self::Described { .. } => durable,
            _ => true,
        }
    }

    /// The message whose body must be stored beside the record, if there is one.
    #[must_use]
    pub fn stored_message(&self) -> Option<&Arc<Message>> {
        match self {
            Self::Sent { message, .. } if message.kind == Kind::Message => Some(message),
            _ => None,
        }
    }
}

/// The unit of an append to the log: stored completely or not at all.
#[derive(Clone, Debug)]
pub struct Record {
    /// The channel.
    pub channel: ChannelId,
    /// Its number in the channel's log, from 1 and without holes.
    pub seq: u64,
    /// The fence that its author was given when it opened the channel. 0 for the first record of a channel, and where
    /// only one hub can own the channel.
    pub fence: u64,
    /// A random number by which a repeated append is recognised.
    pub rid: u128,
    /// When, in milliseconds since the epoch.
    pub at_ms: u64,
    /// The entries, in order.
    pub entries: Vec<Entry>,
    /// The lines for the transcript.
    pub transcript: Vec<TranscriptLine>,
    /// The webhook deliveries it causes.
    pub due: Vec<DueDelivery>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_with_an_unknown_name_cannot_be_read() {
        assert!(serde_json::from_str::<Entry>(r#"{"op":"left","no":1}"#).is_ok());
        assert!(serde_json::from_str::<Entry>(r#"{"op":"teleported","no":1}"#).is_err());
    }
}
