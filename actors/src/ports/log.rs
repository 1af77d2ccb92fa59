//! The port that stores what happened on channels: the log.
//!
//! An append ends in [done](AppendResult::Done), [conflict](AppendResult::Conflict), [refused](AppendResult::Refused),
//! [busy](AppendResult::Busy) or [unknown](AppendResult::Unknown), and a record carries its own id, so that the log may
//! as well run on another machine.
//!
//! A log may be shared by several hubs, its [instances](crate::Instances). Then each channel has at most one owner, which
//! alone can append to it: a hub [takes](Log::take) a channel before it serves it and [gives it up](Log::give_up) when it
//! no longer does (ADR 44).

use std::ops::Range;
use std::sync::Arc;

use futures_util::future::BoxFuture;
use rogerrat_domain::transcript::TranscriptLine;
use rogerrat_domain::{BacklogEntry, ChannelId, Message, MessageId, Record, Settings, Snapshot};

use crate::ports::error::LogError;
use crate::ports::instances::Instances;
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
    /// Nothing was stored, because another writer appended first, or the channel has another owner or was deleted.
    Conflict,
    /// The log cannot store it, for lack of space or because of an error; nothing was stored.
    Refused,
    /// The queue of the log is full; nothing was stored.
    Busy,
    /// The record may or may not be stored.
    Unknown,
}

/// How the owner before left a channel that is taken.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum PreviousOwner {
    /// Only one hub can own the channels of this log; what it knows about its own starts and ends decides.
    #[default]
    OnlyHub,
    /// It gave the channel up, or there was none: the snapshot and the records contain everything that was acknowledged or
    /// delivered.
    GaveUp,
    /// It ended without giving the channel up, and may not even know yet that it has ended. Messages that the log does not
    /// have may have been acknowledged and delivered with ids up to this one, and still may be.
    Lost {
        /// The highest id that it, or an owner before that did not give the channel up either, may assign.
        id_ceiling: MessageId,
    },
}

/// The stored state of a channel that was taken.
#[derive(Debug, Default)]
pub struct StoredChannel {
    /// The fence of its new owner, which is higher than that of any owner before. 0 where only one hub can own it.
    pub fence: u64,
    /// How the owner before left it.
    pub previous_owner: PreviousOwner,
    /// Its settings, if another hub may have changed them.
    pub settings: Option<Settings>,
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
    /// [creates](rogerrat_domain::Entry::Created) it, without an owner; a conflict means that its id is taken. Any other
    /// record must carry the fence that its channel was [taken](Self::take) with last. Appending a record again, with the
    /// same `rid`, succeeds and changes nothing.
    fn append(&self, record: Record) -> BoxFuture<'static, AppendResult>;

    /// Replaces the records up to `seq` by a snapshot of the state they lead to, and deletes the messages that the
    /// state no longer holds. If the call is lost, the records stay.
    ///
    /// # Errors
    /// `NotOwner` if the channel was taken with another fence since; otherwise when the log cannot store it.
    fn compact(
        &self,
        channel: &ChannelId,
        fence: u64,
        seq: u64,
        snapshot: Snapshot,
    ) -> BoxFuture<'static, Result<(), LogError>>;

    /// Compacts a channel as [`compact`](Self::compact) does and ends its ownership, in one step: the snapshot contains
    /// everything that was acknowledged or delivered, and the caller does nothing on the channel any more.
    ///
    /// # Errors
    /// As of [`compact`](Self::compact). After `NotOwner` and `Unknown` the caller may not be the owner any more.
    fn give_up(
        &self,
        channel: &ChannelId,
        fence: u64,
        seq: u64,
        snapshot: Snapshot,
    ) -> BoxFuture<'static, Result<(), LogError>>;

    /// The settings of a channel that was created and not deleted.
    fn find(&self, channel: &ChannelId) -> BoxFuture<'static, Result<Option<Settings>, LogError>>;

    /// Makes the caller the owner of a channel and returns its stored state, with everything that was appended before;
    /// empty if it has no record. Whoever owned it with an earlier fence, the caller included, can no longer write to it.
    ///
    /// # Errors
    /// `NotOwner` if another instance owns it that has not ended; otherwise when the log cannot be read.
    fn take(&self, channel: &ChannelId) -> BoxFuture<'static, Result<StoredChannel, LogError>>;

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

    /// Deletes a channel. Returns false if it did not exist. Within a minute its messages cannot be read from the disk any
    /// more, as far as the store can erase them; what it encrypts may remain, with a key of which old copies remain (ADR 52).
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

    /// The id high-water mark: every message id ever assigned is at or below it (D10). In a shared log, those of the
    /// caller: its id ceiling.
    fn id_high_water_mark(&self) -> MessageId;

    /// Raises the id high-water mark to `to`; it never falls.
    ///
    /// # Errors
    /// `Ended` if the caller is an instance that has ended; otherwise when the log cannot store it.
    fn reserve_ids(&self, to: MessageId) -> BoxFuture<'static, Result<(), LogError>>;

    /// A small text that the hub stores about itself.
    fn get_meta(&self, name: &'static str) -> BoxFuture<'static, Result<Option<String>, LogError>>;

    /// Stores such a text.
    fn put_meta(&self, name: &'static str, text: String) -> BoxFuture<'static, Result<(), LogError>>;

    /// Rows that an interface stores for its own use, all of one kind, as names and texts.
    fn rows(&self, kind: &'static str) -> BoxFuture<'static, Result<Vec<(String, String)>, LogError>>;

    /// One of these texts, by its name. A log with many rows looks it up instead of reading all.
    fn row(&self, kind: &'static str, name: &str) -> BoxFuture<'static, Result<Option<String>, LogError>> {
        let (rows, name) = (self.rows(kind), name.to_owned());
        Box::pin(async move { Ok(rows.await?.into_iter().find(|(known, _)| *known == name).map(|(_, text)| text)) })
    }

    /// Stores such a row, or deletes it if there is no text.
    fn put_row(
        &self,
        kind: &'static str,
        name: String,
        text: Option<String>,
    ) -> BoxFuture<'static, Result<(), LogError>>;

    /// The instances that share the log; none if only one hub can use it.
    fn instances(&self) -> Option<&dyn Instances> {
        None
    }

    /// The webhooks in the log.
    fn webhooks(&self) -> &dyn WebhookStore;

    /// Whether the log takes appends: false from a refused append until one is known to succeed again.
    fn is_healthy(&self) -> bool;

    /// Writes a record and reads it back.
    fn probe(&self) -> BoxFuture<'static, Result<(), LogError>>;

    /// Waits until every call before this one is stored.
    fn sync(&self) -> BoxFuture<'static, Result<(), LogError>>;
}
