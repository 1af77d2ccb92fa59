//! Replies of the hub, as far as a client needs their fields.

use std::ops::Deref;

use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::error::ClientError;
use crate::message::{GapNotice, ReceivedMessage};

/// A parsed reply together with the JSON the hub sent. It dereferences to the parsed value.
#[derive(Debug)]
pub struct HubReply<T> {
    value: T,
    json: Vec<u8>,
}

/// HubReply to creating a channel.
#[derive(Debug, Deserialize)]
pub struct CreatedChannel {
    /// Id of the channel.
    pub channel_id: String,
    /// Token that members present to join. The hub shows it only here.
    pub join_token: String,
    /// Owner password, if the channel has one.
    pub owner_password: Option<String>,
    /// The webhook that was created with the channel.
    pub webhook: Option<CreatedWebhook>,
}

/// The webhook that was created with a channel.
#[derive(Debug, Deserialize)]
pub struct CreatedWebhook {
    /// Id of the webhook.
    pub id: String,
    /// URL it posts to.
    pub url: String,
    /// Key that signs its requests. The hub shows it only here.
    pub secret: String,
}

/// HubReply to a join.
#[derive(Debug, Deserialize)]
pub struct JoinResult {
    /// Secret that authenticates the member's further requests.
    pub session_id: String,
    /// Callsign of the member.
    pub callsign: String,
    /// Number of the member on the channel, from 1.
    #[serde(default)]
    pub idx: u64,
    /// Callsigns of all members with a session.
    #[serde(default)]
    pub roster: Vec<String>,
    /// Advice of the hub for an agent, including how far to trust the other members.
    #[serde(default)]
    pub instructions: String,
    /// Messages the member has not read yet.
    #[serde(default)]
    pub unread: u64,
    /// Warning if another session seems to use the same callsign.
    pub collision_warning: Option<String>,
}

/// HubReply to a send.
#[derive(Debug, Deserialize)]
pub struct SendResult {
    /// Id of the message.
    pub id: u64,
    /// The recipient's callsign, or `all`.
    pub to: String,
    /// Whether the recipient has no session now and will read the message later.
    #[serde(default)]
    pub queued: bool,
    /// Whether a message with the same idempotency key was sent before; no second one was sent.
    #[serde(default)]
    pub duplicate: bool,
    /// Whether the message is on the hub's disk.
    #[serde(default)]
    pub durable: bool,
    /// Messages the sender has not read yet.
    #[serde(default)]
    pub unread: u64,
    /// How the recipient of a direct message can be reached.
    pub recipient: Option<RecipientInfo>,
}

/// How the recipient of a direct message can be reached, as far as a client needs it.
#[derive(Debug, Deserialize)]
pub struct RecipientInfo {
    /// What it says it is doing, for example `away`.
    pub state: Option<String>,
    /// Until when, in milliseconds since the epoch.
    pub until: Option<u64>,
}

/// HubReply to a poll.
#[derive(Debug, Deserialize)]
pub struct ReadResult {
    /// The messages, oldest first. Empty if the poll timed out.
    pub messages: Vec<ReceivedMessage>,
    /// Messages that were lost before them.
    pub gap: Option<GapNotice>,
    /// Whether a newer poll of the same session and consumer ended this one.
    #[serde(default)]
    pub superseded: bool,
    /// Whether the hub is shutting down.
    #[serde(default)]
    pub draining: bool,
    /// Messages that a bound on the answer left out. They are unread.
    #[serde(default)]
    pub more: u64,
}

/// The read state of one consumer.
#[derive(Debug, Deserialize)]
pub struct ConsumerStatus {
    /// Its name. `None` is the session's own consumer.
    pub name: Option<String>,
    /// Id of the last message that was acknowledged.
    pub cursor: u64,
    /// Whether a poll or a stream of it is open.
    #[serde(default)]
    pub waiting: bool,
    /// Number of messages that were delivered to it and not acknowledged.
    #[serde(default)]
    pub in_flight: usize,
    /// Number of messages that are due to it.
    #[serde(default)]
    pub lag: usize,
}

/// The consumers of a member.
#[derive(Debug, Deserialize)]
pub(crate) struct ConsumerList {
    pub(crate) consumers: Vec<ConsumerStatus>,
}

/// HubReply to an acknowledgment.
#[derive(Debug, Deserialize)]
pub struct AckResult {
    /// Number of messages that were acknowledged by this request.
    pub acked: u64,
}

/// The newest messages of a channel.
#[derive(Debug, Deserialize)]
pub struct ChannelHistory {
    /// The messages, oldest first.
    pub history: Vec<ReceivedMessage>,
    /// Older messages that a bound on the answer left out.
    #[serde(default)]
    pub more: u64,
}

/// The members of a channel.
#[derive(Debug, Deserialize)]
pub struct MemberList {
    /// All known members, with and without a session.
    pub roster_all: Vec<RosterEntry>,
    /// What the hub knows of them. A hub with many members leaves some out.
    #[serde(default)]
    pub members: Vec<MemberDetails>,
    /// Messages the caller has not read yet.
    #[serde(default)]
    pub unread: u64,
}

/// What a hub knows of a member, and what the member says of itself.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct MemberDetails {
    /// Number of the member on the channel.
    pub idx: u64,
    /// What it does, as it says.
    pub about: Option<String>,
    /// What it says it is doing.
    pub state: Option<String>,
    /// What it says beside that.
    pub note: Option<String>,
    /// Until when, in milliseconds since the epoch.
    pub until: Option<u64>,
    /// Whether that time is over.
    pub overdue: bool,
    /// `stream` or `poll` if it has one open.
    pub reads: Option<String>,
    /// Messages it has not received.
    pub unread: u64,
    /// Age of the oldest of them.
    pub oldest_unread_seconds: Option<u64>,
    /// Tasks that it has taken.
    pub holds: u64,
}

/// A member of a channel.
#[derive(Debug, Deserialize)]
pub struct RosterEntry {
    /// The member's callsign.
    pub callsign: String,
    /// Whether the member has a session.
    pub online: bool,
    /// How a message reaches the member now: `stream`, `poll` or `away`. Empty for a hub that does not say.
    #[serde(default)]
    pub reach: String,
    /// Messages the member has not read yet.
    #[serde(default)]
    pub unread: u64,
    /// Number of the member on the channel.
    pub idx: Option<u64>,
}

/// The first event of a stream.
#[derive(Debug, Deserialize)]
pub struct StreamGreeting {
    /// Callsign of the member that reads the stream. Empty if the client polls with a session and without a callsign.
    #[serde(default)]
    pub callsign: String,
    /// Number of stored messages that follow at once.
    #[serde(default)]
    pub backlog_count: usize,
    /// Why the client polls instead of reading a stream: a proxy holds streams back. Set once for each change to polls.
    #[serde(skip)]
    pub polling: Option<String>,
}

impl<T: DeserializeOwned> HubReply<T> {
    pub(crate) fn parse(json: Vec<u8>) -> Result<Self, ClientError> {
        let value = serde_json::from_slice(&json).map_err(|error| ClientError::InvalidResponse(error.to_string()))?;
        Ok(Self { value, json })
    }
}

impl<T> HubReply<T> {
    /// Returns the body of the response as the hub sent it.
    #[must_use]
    pub fn json(&self) -> &[u8] {
        &self.json
    }

    /// Returns the parsed value.
    #[must_use]
    pub fn into_value(self) -> T {
        self.value
    }
}

impl<T> Deref for HubReply<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.value
    }
}
