//! [`Log`] for [`Store`]: writes go to the writer's queue, reads to the reader threads.

use std::future::ready;
use std::ops::Range;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::{Arc, PoisonError};

use futures_util::FutureExt as _;
use futures_util::future::{BoxFuture, Shared, WeakShared};
use rogerrat_actors::{
    AppendResult, Log, LogError, StoredChannel, StoredSummary, TranscriptPage, TranscriptPart, WebhookStore,
};
use rogerrat_domain::{ChannelId, Message, MessageId, Record, Settings, Snapshot};
use tokio::sync::oneshot;

use super::error::log_error;
use super::write_request::{ReplySender, WriteOp, WriteOutcome, WriteRequest, WriterCommand};
use super::{Store, meta, reader, transcript};
use crate::shared::rows::{RecordRow, SnapshotRow};

type UnitResult = Result<(), LogError>;

/// A probe in progress, which concurrent callers share.
pub(super) type SharedProbe = WeakShared<BoxFuture<'static, UnitResult>>;

impl Store {
    /// Queues a write. False if the queue is full.
    pub(super) fn enqueue_write(&self, op: WriteOp, reply: ReplySender) -> bool {
        let Some(slot) = self.state.reserve(op.bytes()) else { return false };
        self.writer.try_send(WriterCommand::Write(Box::new(WriteRequest { op, reply, slot }))).is_ok()
    }

    pub(super) fn write(&self, op: WriteOp) -> BoxFuture<'static, UnitResult> {
        let (reply, answer) = oneshot::channel();
        if !self.enqueue_write(op, ReplySender::Unit(reply)) {
            return Box::pin(ready(Err(LogError::Busy)));
        }
        Box::pin(async move { answer.await.unwrap_or_else(|_| Err(LogError::Failed("the writer failed".into()))) })
    }

    /// Writes something that may be in conflict with an earlier write; then the result is false.
    pub(super) fn write_unless_conflict(&self, op: WriteOp) -> BoxFuture<'static, Result<bool, LogError>> {
        let written = self.write_with_outcome(op);
        Box::pin(async move {
            match written.await? {
                WriteOutcome::Done => Ok(true),
                WriteOutcome::Conflict => Ok(false),
                _ => Err(LogError::Failed("the writer failed".into())),
            }
        })
    }

    /// Writes something whose outcome may be other than done. Refused and unknown are errors.
    pub(super) fn write_with_outcome(&self, op: WriteOp) -> BoxFuture<'static, Result<WriteOutcome, LogError>> {
        let (reply, answer) = oneshot::channel();
        if !self.enqueue_write(op, ReplySender::Outcome(reply)) {
            return Box::pin(ready(Err(LogError::Busy)));
        }
        Box::pin(async move {
            match answer.await {
                Ok(WriteOutcome::Refused(why)) => Err(LogError::Failed(why)),
                Ok(WriteOutcome::Unknown(why)) => Err(LogError::Unknown(why)),
                Ok(outcome) => Ok(outcome),
                Err(_) => Err(LogError::Failed("the writer failed".into())),
            }
        })
    }

    fn start_probe(&self) -> Shared<BoxFuture<'static, UnitResult>> {
        let n = self.next_probe();
        let (written, readers, state) = (self.write(WriteOp::Probe(n)), self.readers.clone(), self.state.clone());
        let probe = async move {
            written.await?;
            let read = readers.query(|connection| meta::get::<i64>(connection, meta::PROBE).map_err(log_error));
            match read.await? {
                // A full disk may still have space for this small row. The writer tests for more than that.
                Some(_) if !state.is_healthy.load(Relaxed) => {
                    Err(LogError::Failed("a recent write was refused".into()))
                }
                Some(read) if read >= n => Ok(()),
                _ => Err(LogError::Damaged("a written value could not be read back".into())),
            }
        };
        probe.boxed().shared()
    }
}

impl Log for Store {
    fn append(&self, record: Record) -> BoxFuture<'static, AppendResult> {
        let (reply, answer) = oneshot::channel();
        let Some(record) = RecordRow::encode(record) else {
            log::error!("refused a record without the text of its message");
            return Box::pin(ready(AppendResult::Refused));
        };
        if !self.enqueue_write(WriteOp::Append(record), ReplySender::Append(reply)) {
            return Box::pin(ready(AppendResult::Busy));
        }
        Box::pin(async move { answer.await.unwrap_or(AppendResult::Unknown) })
    }

    fn compact(&self, channel: &ChannelId, _: u64, seq: u64, snapshot: Snapshot) -> BoxFuture<'static, UnitResult> {
        match SnapshotRow::encode(channel, seq, &snapshot) {
            Ok(snapshot) => self.write(WriteOp::Compact(snapshot)),
            Err(error) => Box::pin(ready(Err(LogError::Failed(error.to_string())))),
        }
    }

    fn give_up(&self, channel: &ChannelId, fence: u64, seq: u64, snapshot: Snapshot) -> BoxFuture<'static, UnitResult> {
        // Only one process can open the directory, so it owns every channel for as long as it runs.
        self.compact(channel, fence, seq, snapshot)
    }

    fn find(&self, channel: &ChannelId) -> BoxFuture<'static, Result<Option<Settings>, LogError>> {
        let channel = channel.clone();
        self.readers.query(move |connection| reader::find(connection, &channel))
    }

    fn take(&self, channel: &ChannelId) -> BoxFuture<'static, Result<StoredChannel, LogError>> {
        let channel = channel.clone();
        let load = move |connection: &_| reader::load(connection, &channel);
        if self.state.is_idle() {
            return self.readers.query(load);
        }
        // It must include earlier appends, which may come from an actor that has stopped.
        let (before, readers) = (self.write(WriteOp::Sync), self.readers.clone());
        Box::pin(async move {
            // Other errors were reported to the callers of those appends.
            if matches!(before.await, Err(LogError::Busy)) {
                return Err(LogError::Busy);
            }
            readers.query(load).await
        })
    }

    fn messages(
        &self,
        channel: &ChannelId,
        ids: Vec<MessageId>,
    ) -> BoxFuture<'static, Result<Vec<Arc<Message>>, LogError>> {
        let channel = channel.clone();
        self.readers.query(move |connection| reader::messages(connection, &channel, &ids))
    }

    fn transcript(
        &self,
        channel: &ChannelId,
        part: TranscriptPart,
    ) -> BoxFuture<'static, Result<TranscriptPage, LogError>> {
        let channel = channel.clone();
        self.readers.query(move |connection| transcript::page(connection, &channel, part))
    }

    fn delete_channel(&self, channel: &ChannelId) -> BoxFuture<'static, Result<bool, LogError>> {
        self.write_unless_conflict(WriteOp::DeleteChannel(channel.clone()))
    }

    fn used(&self, channels: Vec<(ChannelId, u64)>) -> BoxFuture<'static, UnitResult> {
        self.write(WriteOp::MarkUsed(channels))
    }

    fn unused(&self, used_ms: Range<u64>, limit: usize) -> BoxFuture<'static, Result<Vec<ChannelId>, LogError>> {
        self.readers.query(move |connection| reader::unused(connection, &used_ms, limit))
    }

    fn latest(&self, limit: usize) -> BoxFuture<'static, Result<Vec<StoredSummary>, LogError>> {
        self.readers.query(move |connection| reader::latest(connection, limit))
    }

    fn count(&self) -> BoxFuture<'static, Result<u64, LogError>> {
        Box::pin(ready(Ok(self.state.channels.load(Relaxed))))
    }

    fn id_high_water_mark(&self) -> MessageId {
        self.state.id_high_water_mark.load(Relaxed)
    }

    fn reserve_ids(&self, to: MessageId) -> BoxFuture<'static, UnitResult> {
        self.write(WriteOp::ReserveIds(to))
    }

    fn get_meta(&self, name: &'static str) -> BoxFuture<'static, Result<Option<String>, LogError>> {
        self.readers.query(move |connection| meta::get(connection, &meta::hub_meta(name)).map_err(log_error))
    }

    fn put_meta(&self, name: &'static str, text: String) -> BoxFuture<'static, UnitResult> {
        self.write(WriteOp::PutMeta(name, text))
    }

    fn rows(&self, kind: &'static str) -> BoxFuture<'static, Result<Vec<(String, String)>, LogError>> {
        self.readers.query(move |connection| reader::rows(connection, kind).map_err(log_error))
    }

    fn put_row(&self, kind: &'static str, name: String, text: Option<String>) -> BoxFuture<'static, UnitResult> {
        self.write(WriteOp::PutRow(kind, name, text))
    }

    fn webhooks(&self) -> &dyn WebhookStore {
        self
    }

    fn is_healthy(&self) -> bool {
        self.state.is_healthy.load(Relaxed)
    }

    fn probe(&self) -> BoxFuture<'static, UnitResult> {
        let mut current = self.probe.lock().unwrap_or_else(PoisonError::into_inner);
        let in_progress = current.as_ref().and_then(WeakShared::upgrade).filter(|probe| probe.peek().is_none());
        let probe = in_progress.unwrap_or_else(|| self.start_probe());
        *current = probe.downgrade();
        Box::pin(probe)
    }

    fn sync(&self) -> BoxFuture<'static, UnitResult> {
        self.write(WriteOp::Sync)
    }
}
