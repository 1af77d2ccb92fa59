//! The port to the log: where what happened is kept.
//!
//! An append ends in [done](AppendResult::Done), [conflict](AppendResult::Conflict), [refused](AppendResult::Refused),
//! [busy](AppendResult::Busy) or [unknown](AppendResult::Unknown), and a record carries its own id, so that the log may as well
//! lie on another machine.

use std::sync::Arc;

use futures_util::future::BoxFuture;
use rogerrat_domain::transcript::TranscriptLine;
use rogerrat_domain::{BacklogEntry, ChannelId, Message, MessageId, Record, Settings, Snapshot};

use crate::ports::webhook_store::WebhookStore;

/// What became of an append.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AppendResult {
    /// It is kept: after a crash of the machine too, where the log promises that.
    Done,
    /// Somebody else appended first; nothing was kept.
    Conflict,
    /// The log cannot keep it, for want of space or because of a fault; nothing was kept.
    Refused,
    /// The log has too much to do just now; nothing was kept.
    Busy,
    /// It may or may not be kept.
    Unknown,
}

/// Why a log could not be read or written.
#[derive(Clone, Debug, thiserror::Error)]
pub enum LogError {
    /// What was read is not what was written.
    #[error("the log is damaged: {0}")]
    Damaged(String),
    /// The log does not do it.
    #[error("the log failed: {0}")]
    Failed(String),
    /// It may or may not be kept.
    #[error("it may or may not be kept: {0}")]
    Unknown(String),
    /// Too many wait for the log already.
    #[error("the log is too busy")]
    Busy,
}

/// What is kept of a channel.
#[derive(Debug, Default)]
pub struct StoredChannel {
    /// The number of its last record.
    pub seq: u64,
    /// Its state after some record.
    pub snapshot: Option<Snapshot>,
    /// The records after that, oldest first; the messages in them are outlines.
    pub records: Vec<Record>,
    /// The messages that are kept, oldest first.
    pub shelf: Vec<BacklogEntry>,
}

/// Keeps the records of channels, in order, all of a record or nothing.
///
/// Appends are begun in the order of the calls, and so are folds: a fold comes after every append called before it.
pub trait Log: Send + Sync + 'static {
    /// Keeps a record whose `seq` is one above the last one kept for its channel, its transcript, the text of its messages
    /// and what webhooks are due. The first record of a channel [creates](rogerrat_domain::Entry::Created) it; a conflict says that its
    /// id is taken. A record that is repeated, with the same `rid`, is done.
    fn append(&self, record: Record) -> BoxFuture<'static, AppendResult>;

    /// Replaces the records up to `seq` by the state they lead to, and lets go of the messages that state no longer
    /// holds. It can be lost: the records then stay.
    fn compact(&self, channel: &ChannelId, seq: u64, snapshot: Snapshot) -> BoxFuture<'static, Result<(), LogError>>;

    /// The settings of a channel that was created and not deleted.
    fn find(&self, channel: &ChannelId) -> BoxFuture<'static, Result<Option<Settings>, LogError>>;

    /// What is kept of a channel; nothing of one that has no record.
    fn load(&self, channel: &ChannelId) -> BoxFuture<'static, Result<StoredChannel, LogError>>;

    /// Messages of a channel by their ids; those it no longer keeps are left out.
    fn messages(
        &self,
        channel: &ChannelId,
        ids: Vec<MessageId>,
    ) -> BoxFuture<'static, Result<Vec<Arc<Message>>, LogError>>;

    /// The last lines of a channel's transcript, oldest first.
    fn transcript(
        &self,
        channel: &ChannelId,
        limit: usize,
    ) -> BoxFuture<'static, Result<Vec<TranscriptLine>, LogError>>;

    /// Deletes a channel: what was said on it cannot be read from the disk any more, within a minute. False if it was gone
    /// before.
    fn delete_channel(&self, channel: &ChannelId) -> BoxFuture<'static, Result<bool, LogError>>;

    /// Notes when channels were last used, in milliseconds since the epoch.
    fn used(&self, channels: Vec<(ChannelId, u64)>) -> BoxFuture<'static, Result<(), LogError>>;

    /// Channels that are no account's, last used before a time, in milliseconds since the epoch; at most `limit` of them.
    fn unused(&self, before_ms: u64, limit: usize) -> BoxFuture<'static, Result<Vec<ChannelId>, LogError>>;

    /// How many channels there are, bands not counted.
    fn count(&self) -> BoxFuture<'static, Result<u64, LogError>>;

    /// The floor: every message id ever given is at or below it (D10).
    fn id_high_water_mark(&self) -> MessageId;

    /// Raises the floor; it never sinks.
    fn reserve_ids(&self, to: MessageId) -> BoxFuture<'static, Result<(), LogError>>;

    /// A small note the hub keeps about itself.
    fn get_meta(&self, name: &'static str) -> BoxFuture<'static, Result<Option<String>, LogError>>;

    /// Writes such a note.
    fn put_meta(&self, name: &'static str, text: String) -> BoxFuture<'static, Result<(), LogError>>;

    /// What a door keeps about its own things, all of one kind: names and texts.
    fn rows(&self, kind: &'static str) -> BoxFuture<'static, Result<Vec<(String, String)>, LogError>>;

    /// Keeps such a row, or lets it go where there is no text.
    fn put_row(
        &self,
        kind: &'static str,
        name: String,
        text: Option<String>,
    ) -> BoxFuture<'static, Result<(), LogError>>;

    /// What is kept for webhooks.
    fn webhooks(&self) -> &dyn WebhookStore;

    /// Whether the log takes appends as far as it knows: false from a refused append until one is known to work again.
    fn is_healthy(&self) -> bool;

    /// Writes a record and reads it back.
    fn probe(&self) -> BoxFuture<'static, Result<(), LogError>>;

    /// Waits until everything begun is kept.
    fn sync(&self) -> BoxFuture<'static, Result<(), LogError>>;
}
