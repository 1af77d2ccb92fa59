//! The port that stores what happened on channels: the log.
//!
//! An append ends in [done](AppendResult::Done), [conflict](AppendResult::Conflict), [refused](AppendResult::Refused),
//! [busy](AppendResult::Busy) or [unknown](AppendResult::Unknown), and a record carries its own id, so that the log may
//! as well run on another machine.

use std::ops::Range;
use std::sync::Arc;

use futures_util::future::BoxFuture;
use rogerrat_domain::transcript::TranscriptLine;
use rogerrat_domain::{BacklogEntry, ChannelId, Message, MessageId, Record, Settings, Snapshot};

use crate::ports::error::LogError;
use crate::ports::webhook_store::WebhookStore;

/// A page of a transcript ends with the line that reaches this size in bytes, or with this number of lines.
pub const TRANSCRIPT_PAGE_BYTES: usize = 256 * 1024;
/// See [`TRANSCRIPT_PAGE_BYTES`].
pub const TRANSCRIPT_PAGE_LINES: usize = 1000;

/// Which lines of a transcript to read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TranscriptPart {
    /// The last lines, at most this many.
    Last(usize),
    /// The lines with these numbers: those that an earlier page has left.
    Numbered {
        /// The first number.
        from: u64,
        /// The last number.
        upto: u64,
    },
}

/// A part of a transcript.
#[derive(Clone, Debug, Default)]
pub struct TranscriptPage {
    /// The lines, oldest first.
    pub lines: Vec<TranscriptLine>,
    /// How many lines were left out because they cannot be decoded.
    pub damaged: usize,
    /// The lines that follow.
    pub rest: Option<TranscriptPart>,
}

/// The result of an append.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AppendResult {
    /// The record is stored, and survives a crash of the machine if the log promises that.
    Done,
    /// Another writer appended first; nothing was stored.
    Conflict,
    /// The log cannot store it, for lack of space or because of an error; nothing was stored.
    Refused,
    /// The queue of the log is full; nothing was stored.
    Busy,
    /// The record may or may not be stored.
    Unknown,
}

/// The stored state of a channel.
#[derive(Debug, Default)]
pub struct StoredChannel {
    /// The number of its last record.
    pub seq: u64,
    /// A snapshot of its state.
    pub snapshot: Option<Snapshot>,
    /// The records after the snapshot, oldest first; the messages in them are outlines without text.
    pub records: Vec<Record>,
    /// Its stored messages, oldest first, without text.
    pub backlog: Vec<BacklogEntry>,
}

/// A channel in the log, without its state.
#[derive(Clone, Debug)]
pub struct StoredSummary {
    /// Its id.
    pub id: ChannelId,
    /// Its settings.
    pub settings: Settings,
    /// When it was last used, in milliseconds since the epoch.
    pub used_ms: u64,
}

/// Stores the records of channels, in order, each as a whole or not at all.
///
/// Appends and compactions are performed in the order of the calls.
pub trait Log: Send + Sync + 'static {
    /// Stores a record whose `seq` is one above the last one of its channel, with its transcript, the text of its
    /// messages and the webhook deliveries it causes. The first record of a channel
    /// [creates](rogerrat_domain::Entry::Created) it; a conflict means that its id is taken. Appending a record again,
    /// with the same `rid`, succeeds and changes nothing.
    fn append(&self, record: Record) -> BoxFuture<'static, AppendResult>;

    /// Replaces the records up to `seq` by a snapshot of the state they lead to, and deletes the messages that the
    /// state no longer holds. If the call is lost, the records stay.
    fn compact(&self, channel: &ChannelId, seq: u64, snapshot: Snapshot) -> BoxFuture<'static, Result<(), LogError>>;

    /// The settings of a channel that was created and not deleted.
    fn find(&self, channel: &ChannelId) -> BoxFuture<'static, Result<Option<Settings>, LogError>>;

    /// The stored state of a channel; empty if it has no record.
    fn load(&self, channel: &ChannelId) -> BoxFuture<'static, Result<StoredChannel, LogError>>;

    /// Messages of a channel by their ids; those no longer stored are left out.
    fn messages(
        &self,
        channel: &ChannelId,
        ids: Vec<MessageId>,
    ) -> BoxFuture<'static, Result<Vec<Arc<Message>>, LogError>>;

    /// A page of a channel's transcript, oldest line first. Lines that cannot be decoded are left out and counted.
    fn transcript(
        &self,
        channel: &ChannelId,
        part: TranscriptPart,
    ) -> BoxFuture<'static, Result<TranscriptPage, LogError>>;

    /// Deletes a channel. Within a minute its messages cannot be read from the disk any more. Returns false if it did
    /// not exist.
    fn delete_channel(&self, channel: &ChannelId) -> BoxFuture<'static, Result<bool, LogError>>;

    /// Records when channels were last used, in milliseconds since the epoch.
    fn used(&self, channels: Vec<(ChannelId, u64)>) -> BoxFuture<'static, Result<(), LogError>>;

    /// Channels that belong to no account and whose last use is in a range of times, in milliseconds since the epoch; at
    /// most `limit`.
    fn unused(&self, used_ms: Range<u64>, limit: usize) -> BoxFuture<'static, Result<Vec<ChannelId>, LogError>>;

    /// The channels that were used last, the latest first, without bands; at most `limit`. A use is recorded when the
    /// channel leaves memory.
    fn latest(&self, limit: usize) -> BoxFuture<'static, Result<Vec<StoredSummary>, LogError>>;

    /// The number of channels, without bands.
    fn count(&self) -> BoxFuture<'static, Result<u64, LogError>>;

    /// The id high-water mark: every message id ever assigned is at or below it (D10).
    fn id_high_water_mark(&self) -> MessageId;

    /// Raises the id high-water mark to `to`; it never falls.
    fn reserve_ids(&self, to: MessageId) -> BoxFuture<'static, Result<(), LogError>>;

    /// A small text that the hub stores about itself.
    fn get_meta(&self, name: &'static str) -> BoxFuture<'static, Result<Option<String>, LogError>>;

    /// Stores such a text.
    fn put_meta(&self, name: &'static str, text: String) -> BoxFuture<'static, Result<(), LogError>>;

    /// Rows that an interface stores for its own use, all of one kind, as names and texts.
    fn rows(&self, kind: &'static str) -> BoxFuture<'static, Result<Vec<(String, String)>, LogError>>;

    /// Stores such a row, or deletes it if there is no text.
    fn put_row(
        &self,
        kind: &'static str,
        name: String,
        text: Option<String>,
    ) -> BoxFuture<'static, Result<(), LogError>>;

    /// The webhooks in the log.
    fn webhooks(&self) -> &dyn WebhookStore;

    /// Whether the log takes appends: false from a refused append until one is known to succeed again.
    fn is_healthy(&self) -> bool;

    /// Writes a record and reads it back.
    fn probe(&self) -> BoxFuture<'static, Result<(), LogError>>;

    /// Waits until every call before this one is stored.
    fn sync(&self) -> BoxFuture<'static, Result<(), LogError>>;
}
