//! What happened on a channel, as the log keeps it. Applying the entries in order is all there is to a replay.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::callsign::Callsign;
use crate::digest;
use crate::identity::Identity;
use crate::ids::{ChannelId, ConsumerName, MemberNo, MessageId, SessionId};
use crate::message::{Kind, Message, outline};
use crate::settings::Settings;
use crate::transcript::TranscriptLine;
use crate::webhook::DueDelivery;

/// One thing that happened. In the log it is an object with its name in `op`; a log with another name is not read.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(tag = "op", rename_all = "snake_case")]
pub enum Entry {
    /// The channel was created. It is the first entry of every channel but a band.
    Created {
        /// Its settings.
        settings: Arc<Settings>,
    },
    /// Its owner changed the settings.
    Settings {
        /// What they are from now on.
        settings: Arc<Settings>,
    },
    /// A callsign joined, anew or again.
    Joined {
        /// Its number; a new one for a new member.
        no: MemberNo,
        /// The callsign.
        callsign: Callsign,
        /// The number its minted session id is made with.
        generation: u64,
        /// The session id it brought itself.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        own_session: Option<SessionId>,
        /// The identity whose key it presented.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        identity: Option<Identity>,
        /// Where its cursor starts, if it is new.
        cursor: MessageId,
        /// When it joined, in milliseconds since the epoch.
        at_ms: u64,
    },
    /// Its session went on under another callsign.
    #[serde(rename = "renamed")]
    RenamedAway {
        /// The member that is now offline.
        no: MemberNo,
    },
    /// It left.
    Left {
        /// The member.
        no: MemberNo,
    },
    /// Its session was ended by who owns the callsign: the key it joined with is good no more, or another has joined.
    Revoked {
        /// The member.
        no: MemberNo,
    },
    /// Its session ended without a sign of life.
    Expired {
        /// The member.
        no: MemberNo,
    },
    /// It was away for longer than a member is kept.
    Forgotten {
        /// The former member.
        no: MemberNo,
    },
    /// A message or status was sent.
    #[serde(rename = "message")]
    Sent {
        /// The message. The log keeps its outline here, and what it says beside its records.
        #[serde(with = "outline")]
        message: Arc<Message>,
        /// The callsign it went to, or `all`.
        to: Arc<str>,
        /// The idempotency key it came with.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        key: Option<SendKey>,
    },
    /// A consumer has been given messages, and they were taken.
    Delivered {
        /// The member.
        no: MemberNo,
        /// The consumer; none is the default one.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        consumer: Option<ConsumerName>,
        /// Which messages.
        ids: Vec<MessageId>,
        /// The messages it was owed that were told lost, and are owed no more.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        told: Vec<MessageId>,
        /// The highest id given or told lost.
        upto: MessageId,
        /// What being given means.
        terms: AckMode,
        /// When they were taken, in milliseconds since the epoch.
        at_ms: u64,
    },
    /// A consumer acknowledged everything up to an id.
    Acked {
        /// The member.
        no: MemberNo,
        /// The consumer; none is the default one.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        consumer: Option<ConsumerName>,
        /// The last id acknowledged.
        upto: MessageId,
        /// The messages that were with the consumer and are now done.
        ids: Vec<MessageId>,
        /// When, in milliseconds since the epoch.
        at_ms: u64,
    },
    /// A named consumer was made, by its first use.
    ConsumerAdded {
        /// The member.
        no: MemberNo,
        /// The consumer.
        consumer: ConsumerName,
        /// Where its cursor starts.
        cursor: MessageId,
    },
    /// A consumer was removed.
    ConsumerRemoved {
        /// The member.
        no: MemberNo,
        /// The consumer.
        consumer: ConsumerName,
    },
}

/// What being given a message means.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AckMode {
    /// Reading acknowledges.
    Read,
    /// The message is the consumer's until it acknowledges or the lease ends.
    Leased {
        /// How long, in milliseconds.
        lease_ms: u64,
    },
    /// The message is the consumer's until it acknowledges or its stream ends.
    Streamed,
}

/// An idempotency key and the hash of the body it came with.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SendKey {
    /// The key.
    pub key: Arc<str>,
    /// SHA-256 of the validated body.
    #[serde(with = "digest")]
    pub body_hash: [u8; 32],
}

impl Entry {
    /// Whether the log keeps it. Who is on a channel, and which consumers read for them, is kept for every channel; what
    /// was said there and how far it was read only where messages are. A status is kept for its key alone.
    #[must_use]
    pub fn is_kept(&self, durable: bool) -> bool {
        match self {
            Self::Sent { message, key, .. } => durable && (message.kind == Kind::Message || key.is_some()),
            Self::Delivered { .. } | Self::Acked { .. } => durable,
            _ => true,
        }
    }

    /// The message whose text is to be kept beside the record, if there is one.
    #[must_use]
    pub fn kept_message(&self) -> Option<&Arc<Message>> {
        match self {
            Self::Sent { message, .. } if message.kind == Kind::Message => Some(message),
            _ => None,
        }
    }
}

/// What is appended to the log at once: all of it or nothing.
#[derive(Clone, Debug)]
pub struct Record {
    /// The channel.
    pub channel: ChannelId,
    /// Dense number on the channel, from 1.
    pub seq: u64,
    /// A random number of its own, by which an append that is repeated is recognised.
    pub rid: u128,
    /// When, in milliseconds since the epoch.
    pub at_ms: u64,
    /// What happened, in order.
    pub entries: Vec<Entry>,
    /// What the transcript says of it.
    pub transcript: Vec<TranscriptLine>,
    /// What webhooks are to be told of it.
    pub due: Vec<DueDelivery>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_of_another_kind_is_not_read() {
        assert!(serde_json::from_str::<Entry>(r#"{"op":"left","no":1}"#).is_ok());
        assert!(serde_json::from_str::<Entry>(r#"{"op":"teleported","no":1}"#).is_err());
    }
}
