//! What a channel has applied and not yet committed to the log, as data. [`log_writer`](super::log_writer) writes it.

use std::time::Duration;

use rogerrat_domain::transcript::TranscriptLine;
use rogerrat_domain::webhook::DueDelivery;
use rogerrat_domain::{Effect, Entry};

use crate::error::HubError;
use crate::ports::log::AppendResult;
use crate::webhooks::QueuePermit;

/// How long until a log that failed is tried again.
pub(crate) const LOG_RETRY: Duration = Duration::from_secs(1);

/// A batch whose messages reach this size takes no more of them.
const BATCH_BYTES: usize = 1024 * 1024;

/// A reply that is sent after the commit, by the actor `A`.
pub(crate) type DeferredReply<A> = Box<dyn FnOnce(&mut A, Result<(), HubError>)>;

/// Webhook deliveries caused by what was applied, each with its permit for the queue of its hook.
#[derive(Default)]
pub(crate) struct PendingDeliveries {
    pub(crate) due: Vec<DueDelivery>,
    pub(crate) permits: Vec<QueuePermit>,
}

impl PendingDeliveries {
    pub(crate) fn is_empty(&self) -> bool {
        self.due.is_empty()
    }

    pub(crate) fn extend(&mut self, other: Self) {
        self.due.extend(other.due);
        self.permits.extend(other.permits);
    }
}

/// Entries that become one record, with the replies and effects that wait for its commit.
pub(crate) struct Batch<A> {
    pub(crate) entries: Vec<Entry>,
    pub(crate) transcript: Vec<TranscriptLine>,
    pub(crate) deliveries: PendingDeliveries,
    pub(crate) replies: Vec<DeferredReply<A>>,
    pub(crate) effects: Vec<Effect>,
    /// Whether a reply or an effect waits for the commit.
    pub(crate) awaited: bool,
    /// The size of the messages in its entries.
    bytes: usize,
}

impl<A> Default for Batch<A> {
    fn default() -> Self {
        Self {
            entries: Vec::new(),
            transcript: Vec::new(),
            deliveries: PendingDeliveries::default(),
            replies: Vec::new(),
            effects: Vec::new(),
            awaited: false,
            bytes: 0,
        }
    }
}

impl<A> Batch<A> {
    fn is_empty(&self) -> bool {
        self.entries.is_empty() && self.transcript.is_empty() && self.deliveries.is_empty()
    }
}

/// The state of a channel's writes.
pub(crate) struct PendingWrites<A> {
    /// None while there is nothing to write: most channels are idle.
    pub(crate) batch: Option<Box<Batch<A>>>,
    /// An append or a compaction is under way.
    pub(crate) in_flight: bool,
    /// A write is scheduled for when the mailbox is empty.
    pub(crate) write_scheduled: bool,
    /// A write is scheduled for when the flush delay ends.
    pub(crate) flush_scheduled: bool,
    /// The log lacks state that is in memory; a compaction will write it.
    pub(crate) behind: bool,
    /// Entries appended since the last compaction.
    pub(crate) since_compaction: u32,
}

impl<A> PendingWrites<A> {
    /// For a channel whose log holds `entries` entries after its snapshot.
    pub(crate) fn after(entries: usize) -> Self {
        Self {
            batch: None,
            in_flight: false,
            write_scheduled: false,
            flush_scheduled: false,
            behind: false,
            since_compaction: u32::try_from(entries).unwrap_or(u32::MAX),
        }
    }

    /// Counts entries that are appended.
    pub(crate) fn count_entries(&mut self, entries: usize) {
        self.since_compaction = self.since_compaction.saturating_add(u32::try_from(entries).unwrap_or(u32::MAX));
    }

    /// Whether there is nothing to write.
    pub(crate) fn is_idle(&self) -> bool {
        self.batch.as_ref().is_none_or(|batch| batch.is_empty())
    }

    /// Whether the log holds every applied entry.
    pub(crate) fn is_persisted(&self) -> bool {
        !self.in_flight && !self.behind && self.batch.as_ref().is_none_or(|batch| batch.entries.is_empty())
    }

    /// The batch, if a reply or an effect waits for its commit.
    pub(crate) fn awaited(&mut self) -> Option<&mut Batch<A>> {
        self.batch.as_deref_mut().filter(|batch| batch.awaited)
    }

    /// Whether the batch takes no more messages and must be written now.
    pub(crate) fn is_full(&self) -> bool {
        self.batch.as_ref().is_some_and(|batch| batch.bytes >= BATCH_BYTES)
    }

    /// Drops staged entries that nothing waits for; a snapshot will hold what they changed.
    pub(crate) fn clear_entries(&mut self) {
        if let Some(batch) = &mut self.batch {
            batch.entries.clear();
        }
    }

    /// Adds applied entries to the batch. With `awaited`, nothing they cause may leave the actor before the commit.
    pub(crate) fn stage(
        &mut self,
        entries: Vec<Entry>,
        transcript: Vec<TranscriptLine>,
        deliveries: PendingDeliveries,
        awaited: bool,
    ) {
        if !awaited && entries.is_empty() && transcript.is_empty() && deliveries.is_empty() {
            return;
        }
        let batch = self.batch.get_or_insert_default();
        let messages = entries.iter().filter_map(Entry::stored_message);
        batch.bytes += messages.map(|message| message.weight_bytes()).sum::<usize>();
        batch.entries.extend(entries);
        batch.transcript.extend(transcript);
        batch.deliveries.extend(deliveries);
        batch.awaited |= awaited;
    }

    /// Defers an effect while an awaited batch is uncommitted. Returns the effect if it can be run now. Unloading is never
    /// deferred: it is postponed when something is uncommitted, and would be due again at once until then.
    pub(crate) fn defer_effect(&mut self, effect: Effect) -> Option<Effect> {
        if matches!(effect, Effect::Unload) {
            return Some(effect);
        }
        let Some(batch) = self.awaited() else { return Some(effect) };
        batch.effects.push(effect);
        None
    }
}

/// The result of a write, for the channel.
pub(crate) enum WriteOutcome {
    /// The record is committed.
    Committed,
    /// The record is not written, and the channel goes on in memory until a compaction writes its state.
    Postponed,
    /// The record is lost: the state in memory is ahead of the log.
    Lost(HubError),
}

impl WriteOutcome {
    /// What an append means for the channel; `required` when the caller was promised that its text is stored.
    pub(crate) fn of(result: AppendResult, required: bool) -> Self {
        match result {
            AppendResult::Done => Self::Committed,
            AppendResult::Refused | AppendResult::Busy if !required => Self::Postponed,
            AppendResult::Refused => Self::Lost(HubError::StorageFailed),
            AppendResult::Busy => Self::Lost(HubError::Busy),
            AppendResult::Conflict => Self::Lost(HubError::Moved),
            AppendResult::Unknown => Self::Lost(HubError::OutcomeUnknown),
        }
    }
}
