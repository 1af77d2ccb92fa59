//! A log of one of several hubs, which reads hooks only when the test lets it, and counts what is read of their queues.

use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use futures_util::future::BoxFuture;
use rogerrat_domain::webhook::{DeliveryRow, DueDelivery, Hook, HookChange, HookId, HookOwner};
use rogerrat_domain::{ChannelId, Message, MessageId, Record, Settings, Snapshot};
use tokio::sync::watch;

use crate::{
    AppendResult, HookQueues, Instances, Log, LogError, MemoryInstance, PutHook, StoredChannel, StoredHook,
    StoredSummary, TranscriptPage, TranscriptPart, WebhookStore,
};

type Reply<T> = BoxFuture<'static, Result<T, LogError>>;

/// See the module.
pub(super) struct GatedLog {
    inner: Arc<MemoryInstance>,
    /// Whether [`hooks`](WebhookStore::hooks) completes. What it returns is read before.
    pub(super) is_open: watch::Sender<bool>,
    /// How often the due deliveries of one hook were read.
    pub(super) due_reads: AtomicUsize,
}

impl GatedLog {
    /// The log of an instance, with an open gate.
    pub(super) fn of(inner: Arc<MemoryInstance>) -> Arc<Self> {
        Arc::new(Self { inner, is_open: watch::Sender::new(true), due_reads: AtomicUsize::new(0) })
    }

    fn stored(&self) -> &dyn WebhookStore {
        self.inner.webhooks()
    }
}

impl Log for GatedLog {
    fn append(&self, record: Record) -> BoxFuture<'static, AppendResult> {
        self.inner.append(record)
    }

    fn compact(&self, channel: &ChannelId, fence: u64, seq: u64, snapshot: Snapshot) -> Reply<()> {
        self.inner.compact(channel, fence, seq, snapshot)
    }

    fn give_up(&self, channel: &ChannelId, fence: u64, seq: u64, snapshot: Snapshot) -> Reply<()> {
        self.inner.give_up(channel, fence, seq, snapshot)
    }

    fn find(&self, channel: &ChannelId) -> Reply<Option<Settings>> {
        self.inner.find(channel)
    }

    fn take(&self, channel: &ChannelId) -> Reply<StoredChannel> {
        self.inner.take(channel)
    }

    fn messages(&self, channel: &ChannelId, ids: Vec<MessageId>) -> Reply<Vec<Arc<Message>>> {
        self.inner.messages(channel, ids)
    }

    fn transcript(&self, channel: &ChannelId, part: TranscriptPart) -> Reply<TranscriptPage> {
        self.inner.transcript(channel, part)
    }

    fn delete_channel(&self, channel: &ChannelId) -> Reply<bool> {
        self.inner.delete_channel(channel)
    }

    fn used(&self, channels: Vec<(ChannelId, u64)>) -> Reply<()> {
        self.inner.used(channels)
    }

    fn unused(&self, used_ms: Range<u64>, limit: usize) -> Reply<Vec<ChannelId>> {
        self.inner.unused(used_ms, limit)
    }

    fn latest(&self, limit: usize) -> Reply<Vec<StoredSummary>> {
        self.inner.latest(limit)
    }

    fn count(&self) -> Reply<u64> {
        self.inner.count()
    }

    fn id_high_water_mark(&self) -> MessageId {
        self.inner.id_high_water_mark()
    }

    fn reserve_ids(&self, to: MessageId) -> Reply<()> {
        self.inner.reserve_ids(to)
    }

    fn get_meta(&self, name: &'static str) -> Reply<Option<String>> {
        self.inner.get_meta(name)
    }

    fn put_meta(&self, name: &'static str, text: String) -> Reply<()> {
        self.inner.put_meta(name, text)
    }

    fn rows(&self, kind: &'static str) -> Reply<Vec<(String, String)>> {
        self.inner.rows(kind)
    }

    fn put_row(&self, kind: &'static str, name: String, text: Option<String>) -> Reply<()> {
        self.inner.put_row(kind, name, text)
    }

    fn instances(&self) -> Option<&dyn Instances> {
        self.inner.instances()
    }

    fn webhooks(&self) -> &dyn WebhookStore {
        self
    }

    fn is_healthy(&self) -> bool {
        self.inner.is_healthy()
    }

    fn probe(&self) -> Reply<()> {
        self.inner.probe()
    }

    fn sync(&self) -> Reply<()> {
        self.inner.sync()
    }
}

impl WebhookStore for GatedLog {
    fn hooks(&self) -> Reply<Vec<StoredHook>> {
        let (mut is_open, hooks) = (self.is_open.subscribe(), self.stored().hooks());
        Box::pin(async move {
            let hooks = hooks.await;
            let _ = is_open.wait_for(|is_open| *is_open).await;
            hooks
        })
    }

    fn hook(&self, hook: &HookId) -> Reply<Option<StoredHook>> {
        self.stored().hook(hook)
    }

    fn queues(&self) -> Reply<HookQueues> {
        self.stored().queues()
    }

    fn put_hook(&self, hook: &Hook, most: Option<usize>) -> Reply<PutHook> {
        self.stored().put_hook(hook, most)
    }

    fn change_hook(&self, hook: &HookId, change: HookChange) -> Reply<Option<Hook>> {
        self.stored().change_hook(hook, change)
    }

    fn drop_hook(&self, hook: &HookId) -> Reply<()> {
        self.stored().drop_hook(hook)
    }

    fn drop_hooks(&self, owner: &HookOwner) -> Reply<()> {
        self.stored().drop_hooks(owner)
    }

    fn enqueue(&self, due: DueDelivery) -> Reply<()> {
        self.stored().enqueue(due)
    }

    fn due(&self, hook: &HookId, after: u64, limit: usize) -> Reply<Vec<DeliveryRow>> {
        self.due_reads.fetch_add(1, Relaxed);
        self.stored().due(hook, after, limit)
    }

    fn hidden(&self, no: u64) -> Reply<Option<Vec<u8>>> {
        self.stored().hidden(no)
    }

    fn keep(&self, hook: &HookId, row: &DeliveryRow) -> Reply<()> {
        self.stored().keep(hook, row)
    }

    fn deliveries(&self, hook: &HookId, limit: usize) -> Reply<Vec<DeliveryRow>> {
        self.stored().deliveries(hook, limit)
    }
}
