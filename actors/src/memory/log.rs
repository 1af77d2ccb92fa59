//! A log in memory: for tests, and for a hub whose data may be lost when it stops.

use std::collections::{BTreeMap, HashMap};
use std::future::ready;
use std::ops::Range;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use dashmap::{DashMap, Entry as Slot};
use futures_util::future::BoxFuture;
use rogerrat_domain::transcript::TranscriptLine;
use rogerrat_domain::{BacklogEntry, ChannelId, Entry, MemberNo, Message, MessageId, Record, Settings, Snapshot};

use crate::memory::webhook_store::MemoryWebhookStore;
use crate::ports::error::LogError;
use crate::ports::log::{
    AppendResult, Log, StoredChannel, StoredSummary, TRANSCRIPT_PAGE_LINES, TranscriptPage, TranscriptPart,
};
use crate::ports::webhook_store::WebhookStore;

/// A log in memory.
#[derive(Debug, Default)]
pub struct MemoryLog {
    channels: DashMap<ChannelId, ChannelRecords>,
    notes: Mutex<HashMap<&'static str, String>>,
    rows: DashMap<(&'static str, String), String>,
    id_high_water_mark: AtomicU64,
    webhooks: MemoryWebhookStore,
}

/// The stored state of one channel.
#[derive(Debug, Default)]
struct ChannelRecords {
    settings: Option<Settings>,
    used_ms: u64,
    seq: u64,
    rid: u128,
    snapshot: Option<Snapshot>,
    /// The number of the last record that the snapshot contains.
    compacted_seq: u64,
    records: Vec<Record>,
    messages: BTreeMap<MessageId, (MemberNo, Option<MemberNo>, Bytes)>,
    transcript: Vec<TranscriptLine>,
}

impl ChannelRecords {
    fn append(&mut self, record: Record) -> AppendResult {
        let is_same = |known: &Record| known.seq == record.seq && known.rid == record.rid;
        if record.seq == self.seq && record.rid == self.rid || self.records.iter().any(is_same) {
            return AppendResult::Done;
        }
        if record.seq != self.seq + 1 {
            return AppendResult::Conflict;
        }
        if let Some(Entry::Created { settings }) = record.entries.first() {
            self.settings = Some((**settings).clone());
        }
        for entry in &record.entries {
            if let Entry::Settings { settings } = entry {
                self.settings = Some((**settings).clone());
            }
        }
        for message in record.entries.iter().filter_map(Entry::stored_message) {
            self.messages.insert(message.id, (message.from, message.to, message.json()));
        }
        (self.seq, self.rid, self.used_ms) = (record.seq, record.rid, record.at_ms);
        self.transcript.extend(record.transcript.iter().cloned());
        self.records.push(outlined(record));
        AppendResult::Done
    }

    fn compact(&mut self, seq: u64, snapshot: Snapshot) -> Result<(), LogError> {
        if seq > self.seq {
            return Err(LogError::Failed("there is no such record".into()));
        }
        if seq < self.compacted_seq {
            return Ok(());
        }
        self.compacted_seq = seq;
        self.records.retain(|record| record.seq > seq);
        let held: Vec<_> = snapshot.held().collect();
        self.messages.retain(|id, _| *id > snapshot.evicted_upto() || held.contains(id));
        self.snapshot = Some(snapshot);
        Ok(())
    }

    fn kept(&self) -> StoredChannel {
        let entry = |(id, (from, to, json)): (&MessageId, &(MemberNo, Option<MemberNo>, Bytes))| BacklogEntry {
            id: *id,
            from: *from,
            to: *to,
            weight_bytes: Message::weight_of(*id, json.len()),
        };
        StoredChannel {
            seq: self.seq,
            snapshot: self.snapshot.clone(),
            records: self.records.clone(),
            backlog: self.messages.iter().map(entry).collect(),
            ..StoredChannel::default()
        }
    }
}

/// The record as it is read back, with outlines of its messages.
fn outlined(mut record: Record) -> Record {
    for entry in &mut record.entries {
        if let Entry::Sent { message, .. } = entry {
            *message = Arc::new(message.without_body());
        }
    }
    record
}

impl MemoryLog {
    fn of<T>(&self, channel: &ChannelId, look: impl FnOnce(&ChannelRecords) -> T) -> Option<T> {
        self.channels.get(channel).map(|records| look(&records))
    }
}

fn done<T: Send + 'static>(value: T) -> BoxFuture<'static, T> {
    Box::pin(ready(value))
}

impl Log for MemoryLog {
    fn append(&self, record: Record) -> BoxFuture<'static, AppendResult> {
        let due = record.due.clone();
        let appended = match self.channels.entry(record.channel.clone()) {
            Slot::Occupied(mut known) => known.get_mut().append(record),
            Slot::Vacant(_) if record.seq != 1 => AppendResult::Conflict,
            Slot::Vacant(free) => free.insert(ChannelRecords::default()).append(record),
        };
        if appended == AppendResult::Done {
            due.into_iter().for_each(|due| self.webhooks.put(due));
        }
        done(appended)
    }

    fn compact(
        &self,
        channel: &ChannelId,
        _: u64,
        seq: u64,
        snapshot: Snapshot,
    ) -> BoxFuture<'static, Result<(), LogError>> {
        let Some(mut records) = self.channels.get_mut(channel) else {
            return done(Err(LogError::Failed("the channel does not exist".into())));
        };
        done(records.compact(seq, snapshot))
    }

    fn give_up(
        &self,
        channel: &ChannelId,
        fence: u64,
        seq: u64,
        snapshot: Snapshot,
    ) -> BoxFuture<'static, Result<(), LogError>> {
        self.compact(channel, fence, seq, snapshot)
    }

    fn find(&self, channel: &ChannelId) -> BoxFuture<'static, Result<Option<Settings>, LogError>> {
        done(Ok(self.of(channel, |records| records.settings.clone()).flatten()))
    }

    fn take(&self, channel: &ChannelId) -> BoxFuture<'static, Result<StoredChannel, LogError>> {
        done(Ok(self.of(channel, ChannelRecords::kept).unwrap_or_default()))
    }

    fn messages(
        &self,
        channel: &ChannelId,
        ids: Vec<MessageId>,
    ) -> BoxFuture<'static, Result<Vec<Arc<Message>>, LogError>> {
        let read = |records: &ChannelRecords| {
            let kept = ids.iter().filter_map(|id| Some((*id, records.messages.get(id)?)));
            let read = kept.map(|(id, (from, to, json))| Message::from_json(id, *from, *to, json).map(Arc::new));
            read.collect::<Result<_, _>>().map_err(|bad| LogError::Damaged(bad.to_string()))
        };
        done(self.of(channel, read).unwrap_or_else(|| Ok(Vec::new())))
    }

    fn transcript(
        &self,
        channel: &ChannelId,
        part: TranscriptPart,
    ) -> BoxFuture<'static, Result<TranscriptPage, LogError>> {
        let read = |records: &ChannelRecords| {
            let all = &records.transcript;
            let from = match part {
                TranscriptPart::Last(limit) => all.len().saturating_sub(limit),
                TranscriptPart::Numbered { from, .. } => usize::try_from(from).unwrap_or(usize::MAX).min(all.len()),
            };
            let end = all.len().min(from + TRANSCRIPT_PAGE_LINES);
            let rest =
                (end < all.len()).then_some(TranscriptPart::Numbered { from: end as u64, upto: all.len() as u64 });
            TranscriptPage { lines: all[from..end].to_vec(), damaged: 0, rest }
        };
        done(Ok(self.of(channel, read).unwrap_or_default()))
    }

    fn delete_channel(&self, channel: &ChannelId) -> BoxFuture<'static, Result<bool, LogError>> {
        let was_there = self.channels.remove(channel).is_some();
        self.webhooks.forget_channel(channel);
        done(Ok(was_there))
    }

    fn used(&self, channels: Vec<(ChannelId, u64)>) -> BoxFuture<'static, Result<(), LogError>> {
        for (channel, at_ms) in channels {
            if let Some(mut records) = self.channels.get_mut(&channel) {
                records.used_ms = at_ms;
            }
        }
        done(Ok(()))
    }

    fn unused(&self, used_ms: Range<u64>, limit: usize) -> BoxFuture<'static, Result<Vec<ChannelId>, LogError>> {
        let has_no_owner = |settings: &Settings| settings.creator_account_id.is_none();
        let unused = self.channels.iter();
        let unused = unused.filter(|records| {
            records.settings.as_ref().is_some_and(has_no_owner) && used_ms.contains(&records.used_ms)
        });
        done(Ok(unused.take(limit).map(|records| records.key().clone()).collect()))
    }

    fn latest(&self, limit: usize) -> BoxFuture<'static, Result<Vec<StoredSummary>, LogError>> {
        let summary = |id: &ChannelId, records: &ChannelRecords| {
            let settings = records.settings.clone()?;
            Some(StoredSummary { id: id.clone(), settings, used_ms: records.used_ms })
        };
        let mut all = self.channels.iter().filter_map(|row| summary(row.key(), row.value())).collect::<Vec<_>>();
        all.sort_by_key(|channel| std::cmp::Reverse(channel.used_ms));
        all.truncate(limit);
        done(Ok(all))
    }

    fn count(&self) -> BoxFuture<'static, Result<u64, LogError>> {
        done(Ok(self.channels.iter().filter(|records| records.settings.is_some()).count() as u64))
    }

    fn id_high_water_mark(&self) -> MessageId {
        self.id_high_water_mark.load(Relaxed)
    }

    fn reserve_ids(&self, to: MessageId) -> BoxFuture<'static, Result<(), LogError>> {
        self.id_high_water_mark.fetch_max(to, Relaxed);
        done(Ok(()))
    }

    fn get_meta(&self, name: &'static str) -> BoxFuture<'static, Result<Option<String>, LogError>> {
        done(Ok(self.notes.lock().unwrap_or_else(PoisonError::into_inner).get(name).cloned()))
    }

    fn put_meta(&self, name: &'static str, text: String) -> BoxFuture<'static, Result<(), LogError>> {
        self.notes.lock().unwrap_or_else(PoisonError::into_inner).insert(name, text);
        done(Ok(()))
    }

    fn rows(&self, kind: &'static str) -> BoxFuture<'static, Result<Vec<(String, String)>, LogError>> {
        let rows = self.rows.iter().filter(|row| row.key().0 == kind);
        done(Ok(rows.map(|row| (row.key().1.clone(), row.value().clone())).collect()))
    }

    fn put_row(
        &self,
        kind: &'static str,
        name: String,
        text: Option<String>,
    ) -> BoxFuture<'static, Result<(), LogError>> {
        match text {
            Some(text) => drop(self.rows.insert((kind, name), text)),
            None => drop(self.rows.remove(&(kind, name))),
        }
        done(Ok(()))
    }

    fn webhooks(&self) -> &dyn WebhookStore {
        &self.webhooks
    }

    fn is_healthy(&self) -> bool {
        true
    }

    fn probe(&self) -> BoxFuture<'static, Result<(), LogError>> {
        done(Ok(()))
    }

    fn sync(&self) -> BoxFuture<'static, Result<(), LogError>> {
        done(Ok(()))
    }
}
