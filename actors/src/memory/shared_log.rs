//! A log in memory that several hubs in one process share: for tests.
//!
//! It is what a shared log must be, with a mutex in place of transactions: who owns which channel, and which instances have
//! ended, is checked in the same step as the write that depends on it.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::future::ready;
use std::ops::Range;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use rogerrat_domain::{ChannelId, Message, MessageId, Record, Settings, Snapshot};
use tokio::sync::watch;

use crate::clock::Clock;
use crate::deliberate_fault::{DeliberateFault, is_broken};
use crate::memory::MemoryLog;
use crate::ports::error::LogError;
use crate::ports::facts::{FACTS_KEPT, Fact};
use crate::ports::instances::{DEAD_AFTER_MS, InstanceId, Instances};
use crate::ports::lanes::Lane;
use crate::ports::log::{
    AppendResult, Log, PreviousOwner, StoredChannel, StoredSummary, TranscriptPage, TranscriptPart,
};
use crate::ports::webhook_store::WebhookStore;

pub(super) type UnitResult = Result<(), LogError>;

/// A log in memory that several hubs share. Cloning it is cheap.
#[derive(Clone)]
pub struct SharedMemoryLog(Arc<SharedState>);

pub(super) struct SharedState {
    pub(super) log: MemoryLog,
    /// The clock of the log: it goes on when an instance is frozen.
    pub(super) clock: Clock,
    ownership: Mutex<Ownership>,
    /// The number of the last fact.
    pub(super) last_fact: watch::Sender<u64>,
}

/// Instances, who owns which channel and holds which lane, and the facts.
#[derive(Default)]
pub(super) struct Ownership {
    pub(super) instances: BTreeMap<InstanceId, InstanceRow>,
    owners: HashMap<ChannelId, OwnerRow>,
    pub(super) lanes: HashMap<Lane, InstanceId>,
    /// The last facts, and the number of the first of them.
    pub(super) facts: VecDeque<Fact>,
    pub(super) first_fact: u64,
}

pub(super) struct InstanceRow {
    pub(super) url: Arc<str>,
    is_connected: bool,
    pub(super) beat_ms: u64,
    id_ceiling: MessageId,
    pub(super) has_ended: bool,
}

impl InstanceRow {
    /// Declares it ended if it is dead. Returns whether it had not ended before.
    pub(super) fn end_if_dead(&mut self, now_ms: u64) -> bool {
        let ends = !self.has_ended && self.is_dead(now_ms);
        self.has_ended |= ends;
        ends
    }

    /// Whether it may be declared ended.
    pub(super) fn is_dead(&self, now_ms: u64) -> bool {
        !self.is_connected || now_ms.saturating_sub(self.beat_ms) >= DEAD_AFTER_MS
    }
}

#[derive(Clone, Copy, Default)]
struct OwnerRow {
    /// None if the last owner gave the channel up.
    owner: Option<InstanceId>,
    fence: u64,
    /// The highest id that any owner which did not give the channel up may assign. An owner can be lost before it has
    /// reserved any id above it.
    id_floor: MessageId,
}

impl Ownership {
    pub(super) fn has_ended(&self, instance: InstanceId) -> bool {
        self.instances.get(&instance).is_none_or(|row| row.has_ended)
    }

    /// Whether an instance owns a channel with this fence.
    fn is_owner(&self, instance: InstanceId, channel: &ChannelId, fence: u64) -> bool {
        self.owners.get(channel).is_some_and(|row| row.owner == Some(instance) && row.fence == fence)
            || is_broken(DeliberateFault::UncheckedFence)
    }

    /// The owner of a channel that has not ended.
    pub(super) fn living_owner(&self, channel: &ChannelId) -> Option<InstanceId> {
        self.owners.get(channel)?.owner.filter(|owner| !self.has_ended(*owner))
    }

    /// Makes an instance the owner. Returns the fence, and how the owner before left the channel.
    fn take(&mut self, instance: InstanceId, channel: &ChannelId) -> Result<(u64, PreviousOwner), LogError> {
        if self.has_ended(instance) {
            return Err(LogError::Ended);
        }
        if self.living_owner(channel).is_some_and(|owner| owner != instance) {
            return Err(LogError::NotOwner);
        }
        let row = self.owners.entry(channel.clone()).or_default();
        let previous_owner = row.owner.map_or(PreviousOwner::GaveUp, |owner| {
            let id_ceiling = self.instances.get(&owner).map_or(0, |row| row.id_ceiling);
            if !is_broken(DeliberateFault::ReusedIds) {
                row.id_floor = row.id_floor.max(id_ceiling);
            }
            PreviousOwner::Lost { id_ceiling: row.id_floor }
        });
        row.fence += 1;
        row.owner = Some(instance);
        let fence = row.fence;
        Ok((fence, previous_owner))
    }
}

impl SharedMemoryLog {
    /// An empty log.
    #[must_use]
    #[expect(clippy::new_without_default, reason = "it starts a clock")]
    pub fn new() -> Self {
        let (log, clock, ownership) = (MemoryLog::default(), Clock::start(), Mutex::default());
        Self(Arc::new(SharedState { log, clock, ownership, last_fact: watch::Sender::new(0) }))
    }

    /// Starts an instance that others reach at `url`.
    #[must_use]
    pub fn start_instance(&self, url: &str) -> MemoryInstance {
        let mut ownership = self.0.ownership();
        let id = InstanceId(ownership.instances.len() as u64 + 1);
        let beat_ms = self.0.clock.uptime_ms();
        let row = InstanceRow { url: url.into(), is_connected: true, beat_ms, id_ceiling: 0, has_ended: false };
        ownership.instances.insert(id, row);
        MemoryInstance {
            shared: self.0.clone(),
            id,
            id_ceiling: AtomicU64::new(0),
            fact_read: AtomicU64::new(0),
            declared_ended: AtomicU64::new(0),
        }
    }
}

impl SharedState {
    /// Writes a fact, and removes the oldest one if there are too many.
    pub(super) fn write_fact(&self, ownership: &mut Ownership, fact: Fact) {
        ownership.facts.push_back(fact);
        if ownership.facts.len() as u64 > FACTS_KEPT {
            ownership.facts.pop_front();
            ownership.first_fact += 1;
        }
        self.last_fact.send_modify(|last| *last += 1);
    }

    pub(super) fn ownership(&self) -> MutexGuard<'_, Ownership> {
        self.ownership.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The log as one instance uses it.
pub struct MemoryInstance {
    pub(super) shared: Arc<SharedState>,
    pub(super) id: InstanceId,
    /// The highest ceiling that this instance knows it has.
    id_ceiling: AtomicU64,
    /// The number of the last fact that it has read.
    pub(super) fact_read: AtomicU64,
    /// How many instances it has declared ended.
    pub(super) declared_ended: AtomicU64,
}

pub(super) fn done<T: Send + 'static>(value: T) -> BoxFuture<'static, T> {
    Box::pin(ready(value))
}

/// The result of a future of the log in memory, which is always ready.
pub(super) fn now<T>(future: BoxFuture<'static, T>) -> Option<T> {
    future.now_or_never()
}

impl MemoryInstance {
    /// Closes its connection to the log, as happens when its process ends.
    pub fn disconnect(&self) {
        if let Some(row) = self.shared.ownership().instances.get_mut(&self.id) {
            row.is_connected = false;
        }
    }

    /// Runs a write that only the owner of a channel may do.
    fn as_owner<T>(&self, channel: &ChannelId, fence: u64, write: impl FnOnce(&mut Ownership) -> T) -> Option<T> {
        let mut ownership = self.shared.ownership();
        ownership.is_owner(self.id, channel, fence).then(|| write(&mut ownership))
    }
}

impl Drop for MemoryInstance {
    fn drop(&mut self) {
        self.disconnect();
    }
}

impl Log for MemoryInstance {
    fn append(&self, record: Record) -> BoxFuture<'static, AppendResult> {
        let log = &self.shared.log;
        let (channel, fence) = (record.channel.clone(), record.fence);
        if fence == 0 && record.seq == 1 {
            let ownership = self.shared.ownership();
            return if ownership.has_ended(self.id) { done(AppendResult::Conflict) } else { log.append(record) };
        }
        self.as_owner(&channel, fence, |_| log.append(record)).unwrap_or_else(|| done(AppendResult::Conflict))
    }

    fn compact(&self, channel: &ChannelId, fence: u64, seq: u64, snapshot: Snapshot) -> BoxFuture<'static, UnitResult> {
        self.as_owner(channel, fence, |_| self.shared.log.compact(channel, fence, seq, snapshot))
            .unwrap_or_else(|| done(Err(LogError::NotOwner)))
    }

    fn give_up(&self, channel: &ChannelId, fence: u64, seq: u64, snapshot: Snapshot) -> BoxFuture<'static, UnitResult> {
        let given_up = self.as_owner(channel, fence, |ownership| {
            // A band without any record has no state.
            let compacted = match seq {
                0 => Some(Ok(())),
                _ => now(self.shared.log.compact(channel, fence, seq, snapshot)),
            };
            if let (Some(Ok(())), Some(row)) = (&compacted, ownership.owners.get_mut(channel)) {
                row.owner = None;
            }
            compacted
        });
        done(given_up.flatten().unwrap_or(Err(LogError::NotOwner)))
    }

    fn find(&self, channel: &ChannelId) -> BoxFuture<'static, Result<Option<Settings>, LogError>> {
        self.shared.log.find(channel)
    }

    fn take(&self, channel: &ChannelId) -> BoxFuture<'static, Result<StoredChannel, LogError>> {
        let mut ownership = self.shared.ownership();
        let (fence, previous_owner) = match ownership.take(self.id, channel) {
            Ok(taken) => taken,
            Err(error) => return done(Err(error)),
        };
        let settings = now(self.shared.log.find(channel)).and_then(Result::ok).flatten();
        let stored = now(self.shared.log.take(channel)).unwrap_or(Err(LogError::Busy));
        done(stored.map(|stored| StoredChannel { fence, previous_owner, settings, ..stored }))
    }

    fn messages(
        &self,
        channel: &ChannelId,
        ids: Vec<MessageId>,
    ) -> BoxFuture<'static, Result<Vec<Arc<Message>>, LogError>> {
        self.shared.log.messages(channel, ids)
    }

    fn transcript(
        &self,
        channel: &ChannelId,
        part: TranscriptPart,
    ) -> BoxFuture<'static, Result<TranscriptPage, LogError>> {
        self.shared.log.transcript(channel, part)
    }

    fn delete_channel(&self, channel: &ChannelId) -> BoxFuture<'static, Result<bool, LogError>> {
        let mut ownership = self.shared.ownership();
        if ownership.living_owner(channel).is_some_and(|owner| owner != self.id) {
            return done(Err(LogError::NotOwner));
        }
        ownership.owners.remove(channel);
        let deleted = now(self.shared.log.delete_channel(channel)).unwrap_or(Err(LogError::Busy));
        if matches!(deleted, Ok(true)) {
            self.shared.write_fact(&mut ownership, Fact::ChannelDeleted { channel: channel.clone() });
        }
        done(deleted)
    }

    fn used(&self, channels: Vec<(ChannelId, u64)>) -> BoxFuture<'static, UnitResult> {
        self.shared.log.used(channels)
    }

    fn unused(&self, used_ms: Range<u64>, limit: usize) -> BoxFuture<'static, Result<Vec<ChannelId>, LogError>> {
        let unused = now(self.shared.log.unused(used_ms, limit)).unwrap_or(Err(LogError::Busy));
        let ownership = self.shared.ownership();
        let is_free = |channel: &ChannelId| ownership.living_owner(channel).is_none_or(|owner| owner == self.id);
        done(unused.map(|unused| unused.into_iter().filter(is_free).collect()))
    }

    fn latest(&self, limit: usize) -> BoxFuture<'static, Result<Vec<StoredSummary>, LogError>> {
        self.shared.log.latest(limit)
    }

    fn count(&self) -> BoxFuture<'static, Result<u64, LogError>> {
        self.shared.log.count()
    }

    fn id_high_water_mark(&self) -> MessageId {
        self.id_ceiling.load(Relaxed)
    }

    fn reserve_ids(&self, to: MessageId) -> BoxFuture<'static, UnitResult> {
        match self.shared.ownership().instances.get_mut(&self.id).filter(|row| !row.has_ended) {
            Some(row) => row.id_ceiling = row.id_ceiling.max(to),
            None => return done(Err(LogError::Ended)),
        }
        self.id_ceiling.fetch_max(to, Relaxed);
        done(Ok(()))
    }

    fn get_meta(&self, name: &'static str) -> BoxFuture<'static, Result<Option<String>, LogError>> {
        self.shared.log.get_meta(name)
    }

    fn put_meta(&self, name: &'static str, text: String) -> BoxFuture<'static, UnitResult> {
        self.shared.log.put_meta(name, text)
    }

    fn rows(&self, kind: &'static str) -> BoxFuture<'static, Result<Vec<(String, String)>, LogError>> {
        self.shared.log.rows(kind)
    }

    fn put_row(&self, kind: &'static str, name: String, text: Option<String>) -> BoxFuture<'static, UnitResult> {
        let mut ownership = self.shared.ownership();
        let put = self.shared.log.put_row(kind, name, text);
        if let Some(fact) = Fact::of_row(kind) {
            self.shared.write_fact(&mut ownership, fact);
        }
        put
    }

    fn instances(&self) -> Option<&dyn Instances> {
        Some(self)
    }

    fn webhooks(&self) -> &dyn WebhookStore {
        self
    }

    fn is_healthy(&self) -> bool {
        true
    }

    fn probe(&self) -> BoxFuture<'static, UnitResult> {
        done(if self.shared.ownership().has_ended(self.id) { Err(LogError::Ended) } else { Ok(()) })
    }

    fn sync(&self) -> BoxFuture<'static, UnitResult> {
        done(Ok(()))
    }
}
