//! What happened on a channel, as the log keeps it. Applying the entries in order is all there is to a replay.

use std::sync::Arc;

use crate::callsign::Callsign;
use crate::ids::{ChannelId, ConsumerName, MemberNo, MessageId, SessionId};
use crate::message::Message;

/// One thing that happened.
#[derive(Clone, Debug)]
pub enum Entry {
    /// A callsign joined, anew or again.
    Joined {
        /// Its number; a new one for a new member.
        no: MemberNo,
        /// The callsign.
        callsign: Callsign,
        /// The number its minted session id is made with.
        generation: u64,
        /// The session id it brought itself.
        own_session: Option<SessionId>,
        /// Where its cursor starts, if it is new.
        cursor: MessageId,
        /// When it joined, in milliseconds since the epoch.
        at_ms: u64,
    },
    /// Its session went on under another callsign.
    RenamedAway {
        /// The member that is now offline.
        no: MemberNo,
    },
    /// It left.
    Left {
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
    Sent {
        /// The message.
        message: Arc<Message>,
        /// The callsign it went to, or `all`.
        to: Arc<str>,
        /// The idempotency key it came with.
        key: Option<SendKey>,
    },
    /// A consumer has been given messages, and they were taken.
    Handed {
        /// The member.
        no: MemberNo,
        /// The consumer; none is the default one.
        consumer: Option<ConsumerName>,
        /// Which messages.
        ids: Vec<MessageId>,
        /// The highest id given or told lost.
        upto: MessageId,
        /// What being given means.
        terms: Terms,
        /// When they were taken, in milliseconds since the epoch.
        at_ms: u64,
    },
    /// A consumer acknowledged everything up to an id.
    Acked {
        /// The member.
        no: MemberNo,
        /// The consumer; none is the default one.
        consumer: Option<ConsumerName>,
        /// The last id acknowledged.
        upto: MessageId,
        /// The messages that were with the consumer and are now done.
        ids: Vec<MessageId>,
        /// When, in milliseconds since the epoch.
        at_ms: u64,
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
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Terms {
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
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SendKey {
    /// The key.
    pub key: Arc<str>,
    /// SHA-256 of the validated body.
    pub body_hash: [u8; 32],
}

impl Entry {
    /// Whether it is about who is on the channel. Those are kept for every channel; the rest only where messages are.
    #[must_use]
    pub fn is_about_members(&self) -> bool {
        !matches!(self, Self::Sent { .. } | Self::Handed { .. } | Self::Acked { .. } | Self::ConsumerRemoved { .. })
    }
}

/// What is appended to the log at once: all of it or nothing.
#[derive(Clone, Debug)]
pub struct Record {
    /// The channel.
    pub channel: ChannelId,
    /// Dense number on the channel, from 1.
    pub seq: u64,
    /// When, in milliseconds since the epoch.
    pub at_ms: u64,
    /// What happened, in order.
    pub entries: Vec<Entry>,
}
