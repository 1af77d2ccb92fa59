//! A log for tests, which can be slow and can be made to fail.

use std::ops::Range;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering::Relaxed};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures_util::future::BoxFuture;
use rogerrat_domain::webhook::{DeliveryRow, DueDelivery, Hook, HookChange, HookId, HookOwner};
use rogerrat_domain::{ChannelId, Message, MessageId, Record, Settings, Snapshot};

use crate::{AppendResult, Log, LogError, MemoryLog, StoredChannel, StoredSummary, TranscriptPage, TranscriptPart};

#[derive(Default)]
pub(crate) struct TestLog {
    kept: MemoryLog,
    pub(crate) delay_ms: AtomicU64,
    /// Refuses every append.
    pub(crate) full: AtomicBool,
    /// Has no time for an append.
    pub(crate) busy: AtomicBool,
    /// Keeps appends and does not say so.
    pub(crate) silent: AtomicBool,
    pub(crate) appends: AtomicUsize,
    /// Last uses noted, how many notes are under way, and the most there were.
    pub(crate) noted: AtomicUsize,
    noting: AtomicUsize,
    pub(crate) noting_most: AtomicUsize,
    /// What fetching messages fails with.
    pub(crate) unreadable: Mutex<Option<LogError>>,
    /// The process that has the log open; writes of an earlier one are discarded.
    process: AtomicUsize,
}

impl TestLog {
    pub(crate) fn slow() -> Arc<Self> {
        Arc::new(Self { delay_ms: AtomicU64::new(1000), ..Self::default() })
    }

    /// How many records a channel has beside its snapshot.
    pub(crate) async fn records(&self, channel: &ChannelId) -> usize {
        self.kept.take(channel).await.unwrap().records.len()
    }
}

/// The log as a hub holds it, while the test holds the other end. The hub that held it before is dead from then on.
pub(crate) struct Held(Arc<TestLog>, usize);

impl Held {
    pub(crate) fn new(log: Arc<TestLog>) -> Arc<Self> {
        let process = log.process.fetch_add(1, Relaxed) + 1;
        Arc::new(Self(log, process))
    }

    fn is_dead(&self) -> bool {
        self.0.process.load(Relaxed) != self.1
    }
}

impl Log for Held {
    fn append(&self, record: Record) -> BoxFuture<'static, AppendResult> {
        if self.is_dead() {
            return Box::pin(std::future::pending());
        }
        let log = self.0.clone();
        log.appends.fetch_add(1, Relaxed);
        Box::pin(async move {
            let delay_ms = log.delay_ms.load(Relaxed);
            if delay_ms > 0 {
                tokio::time::sleep(Duration::from_millis(delay_ms)).await;
            }
            if log.full.load(Relaxed) {
                return AppendResult::Refused;
            }
            if log.busy.load(Relaxed) {
                return AppendResult::Busy;
            }
            let appended = log.kept.append(record).await;
            if log.silent.load(Relaxed) { AppendResult::Unknown } else { appended }
        })
    }

    fn compact(
        &self,
        channel: &ChannelId,
        fence: u64,
        seq: u64,
        snapshot: Snapshot,
    ) -> BoxFuture<'static, Result<(), LogError>> {
        if self.0.full.load(Relaxed) || self.is_dead() {
            return Box::pin(async { Err(LogError::Failed("full".into())) });
        }
        self.0.kept.compact(channel, fence, seq, snapshot)
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
        self.0.kept.find(channel)
    }

    fn take(&self, channel: &ChannelId) -> BoxFuture<'static, Result<StoredChannel, LogError>> {
        self.0.kept.take(channel)
    }

    fn messages(
        &self,
        channel: &ChannelId,
        ids: Vec<MessageId>,
    ) -> BoxFuture<'static, Result<Vec<Arc<Message>>, LogError>> {
        match self.0.unreadable.lock().unwrap().clone() {
            Some(error) => Box::pin(std::future::ready(Err(error))),
            None => self.0.kept.messages(channel, ids),
        }
    }

    fn transcript(
        &self,
        channel: &ChannelId,
        part: TranscriptPart,
    ) -> BoxFuture<'static, Result<TranscriptPage, LogError>> {
        self.0.kept.transcript(channel, part)
    }

    fn delete_channel(&self, channel: &ChannelId) -> BoxFuture<'static, Result<bool, LogError>> {
        self.0.kept.delete_channel(channel)
    }

    fn used(&self, channels: Vec<(ChannelId, u64)>) -> BoxFuture<'static, Result<(), LogError>> {
        let log = self.0.clone();
        log.noting_most.fetch_max(log.noting.fetch_add(1, Relaxed) + 1, Relaxed);
        Box::pin(async move {
            tokio::time::sleep(Duration::from_millis(log.delay_ms.load(Relaxed))).await;
            log.noting.fetch_sub(1, Relaxed);
            log.noted.fetch_add(channels.len(), Relaxed);
            log.kept.used(channels).await
        })
    }

    fn unused(&self, used_ms: Range<u64>, limit: usize) -> BoxFuture<'static, Result<Vec<ChannelId>, LogError>> {
        self.0.kept.unused(used_ms, limit)
    }

    fn latest(&self, limit: usize) -> BoxFuture<'static, Result<Vec<StoredSummary>, LogError>> {
        self.0.kept.latest(limit)
    }

    fn count(&self) -> BoxFuture<'static, Result<u64, LogError>> {
        self.0.kept.count()
    }

    fn id_high_water_mark(&self) -> MessageId {
        self.0.kept.id_high_water_mark()
    }

    fn reserve_ids(&self, to: MessageId) -> BoxFuture<'static, Result<(), LogError>> {
        self.0.kept.reserve_ids(to)
    }

    fn get_meta(&self, name: &'static str) -> BoxFuture<'static, Result<Option<String>, LogError>> {
        self.0.kept.get_meta(name)
    }

    fn put_meta(&self, name: &'static str, text: String) -> BoxFuture<'static, Result<(), LogError>> {
        if self.is_dead() {
            return Box::pin(async { Err(LogError::Failed("dead".into())) });
        }
        self.0.kept.put_meta(name, text)
    }

    fn rows(&self, kind: &'static str) -> BoxFuture<'static, Result<Vec<(String, String)>, LogError>> {
        self.0.kept.rows(kind)
    }

    fn put_row(
        &self,
        kind: &'static str,
        name: String,
        text: Option<String>,
    ) -> BoxFuture<'static, Result<(), LogError>> {
        self.0.kept.put_row(kind, name, text)
    }

    fn webhooks(&self) -> &dyn crate::WebhookStore {
        if self.is_dead() { &NoWebhooks } else { self.0.kept.webhooks() }
    }

    fn is_healthy(&self) -> bool {
        !self.0.full.load(Relaxed)
    }

    fn probe(&self) -> BoxFuture<'static, Result<(), LogError>> {
        self.0.kept.probe()
    }

    fn sync(&self) -> BoxFuture<'static, Result<(), LogError>> {
        self.0.kept.sync()
    }
}

/// The webhook store of a process that has ended: it never answers.
struct NoWebhooks;

fn never<T: Send + 'static>() -> BoxFuture<'static, Result<T, LogError>> {
    Box::pin(std::future::pending())
}

impl crate::WebhookStore for NoWebhooks {
    fn hooks(&self) -> BoxFuture<'static, Result<Vec<crate::StoredHook>, LogError>> {
        never()
    }

    fn hook(&self, _: &HookId) -> BoxFuture<'static, Result<Option<crate::StoredHook>, LogError>> {
        never()
    }

    fn queues(&self) -> BoxFuture<'static, Result<crate::HookQueues, LogError>> {
        never()
    }

    fn put_hook(&self, _: &Hook, _: Option<usize>) -> BoxFuture<'static, Result<crate::PutHook, LogError>> {
        never()
    }

    fn change_hook(&self, _: &HookId, _: HookChange) -> BoxFuture<'static, Result<Option<Hook>, LogError>> {
        never()
    }

    fn drop_hook(&self, _: &HookId) -> BoxFuture<'static, Result<(), LogError>> {
        never()
    }

    fn drop_hooks(&self, _: &HookOwner) -> BoxFuture<'static, Result<(), LogError>> {
        never()
    }

    fn enqueue(&self, _: DueDelivery) -> BoxFuture<'static, Result<(), LogError>> {
        never()
    }

    fn due(&self, _: &HookId, _: u64, _: usize) -> BoxFuture<'static, Result<Vec<DeliveryRow>, LogError>> {
        never()
    }

    fn hidden(&self, _: u64) -> BoxFuture<'static, Result<Option<Vec<u8>>, LogError>> {
        never()
    }

    fn keep(&self, _: &HookId, _: &DeliveryRow) -> BoxFuture<'static, Result<(), LogError>> {
        never()
    }

    fn deliveries(&self, _: &HookId, _: usize) -> BoxFuture<'static, Result<Vec<DeliveryRow>, LogError>> {
        never()
    }
}
