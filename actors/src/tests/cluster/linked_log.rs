//! The log as a hub of the simulation reaches it: calls arrive in order and late, answers come later, and some calls or
//! answers are lost.

use std::ops::Range;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering::Relaxed};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use rogerrat_domain::{ChannelId, Entry, Message, MessageId, Record, Settings, Snapshot};
use tokio::sync::{mpsc, oneshot};

use super::links::Links;
use super::oracle::Oracle;
use crate::random::{RngExt as _, SeedableRng as _, StdRng};
use crate::{
    AppendResult, Instances, Log, LogError, MemoryInstance, StoredChannel, StoredSummary, TranscriptPage,
    TranscriptPart, WebhookStore,
};

/// How long a call waits for a log that is away before it fails.
const CONNECT_LIMIT: Duration = Duration::from_secs(10);
/// How long the answer to a call is waited for before it counts as lost.
const ANSWER_LIMIT: Duration = Duration::from_secs(30);

/// How a call ends.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Fate {
    Done,
    /// It never left the hub.
    NotSent,
    /// It was lost on the way.
    CallLost,
    /// It was performed, and its answer was lost.
    AnswerLost,
}

/// Why there is no answer.
#[derive(Clone, Copy, Debug)]
enum NoAnswer {
    NotSent,
    Unknown,
}

impl From<NoAnswer> for LogError {
    fn from(no_answer: NoAnswer) -> Self {
        match no_answer {
            NoAnswer::NotSent => Self::Failed("the log is away".into()),
            NoAnswer::Unknown => Self::Unknown("the answer was lost".into()),
        }
    }
}

type Call = Box<dyn FnOnce(&MemoryInstance, Fate) + Send>;

/// See the module.
pub(super) struct LinkedLog {
    pub(super) inner: Arc<MemoryInstance>,
    links: Links,
    calls: mpsc::Sender<Call>,
    is_healthy: Arc<AtomicBool>,
    oracle: Arc<Mutex<Oracle>>,
}

/// Performs the calls of a hub, in order.
async fn perform(
    inner: Arc<MemoryInstance>,
    links: Links,
    mut calls: mpsc::Receiver<Call>,
    lost_per_mille: Arc<AtomicU32>,
    seed: u64,
) {
    let mut rng = StdRng::seed_from_u64(seed);
    while let Some(call) = calls.recv().await {
        if !links.reach_log(CONNECT_LIMIT).await {
            call(&inner, Fate::NotSent);
            continue;
        }
        let delay_ms = if rng.random_ratio(1, 20) { rng.random_range(50..800) } else { rng.random_range(0..8) };
        tokio::time::sleep(Duration::from_millis(delay_ms)).await;
        let fate = match rng.random_range(0..1000) {
            n if n >= lost_per_mille.load(Relaxed) => Fate::Done,
            n if n % 2 == 0 => Fate::CallLost,
            _ => Fate::AnswerLost,
        };
        call(&inner, fate);
    }
}

impl LinkedLog {
    /// The log of an instance. Of a thousand calls or answers, `lost_per_mille` are lost.
    pub(super) fn start(
        inner: Arc<MemoryInstance>,
        links: Links,
        lost_per_mille: Arc<AtomicU32>,
        seed: u64,
        oracle: Arc<Mutex<Oracle>>,
    ) -> Self {
        let (calls, queue) = mpsc::channel(4096);
        actix_rt::spawn(perform(inner.clone(), links.clone(), queue, lost_per_mille, seed));
        Self { inner, links, calls, is_healthy: Arc::new(true.into()), oracle }
    }

    /// Calls the log.
    fn call<T: Send + 'static>(
        &self,
        run: impl FnOnce(&MemoryInstance, &mut Oracle) -> T + Send + 'static,
    ) -> BoxFuture<'static, Result<T, NoAnswer>> {
        let (reply, answer) = oneshot::channel();
        let (oracle, links, is_healthy) = (self.oracle.clone(), self.links.clone(), self.is_healthy.clone());
        let call: Call = Box::new(move |inner, fate| {
            let perform = || run(inner, &mut oracle.lock().unwrap());
            let answer = match fate {
                Fate::Done => Ok(perform()),
                Fate::NotSent => Err(NoAnswer::NotSent),
                Fate::CallLost => Err(NoAnswer::Unknown),
                Fate::AnswerLost => {
                    drop(perform());
                    Err(NoAnswer::Unknown)
                }
            };
            drop(reply.send(answer));
        });
        let queued = self.calls.try_send(call).is_ok();
        Box::pin(async move {
            if !queued {
                return Err(NoAnswer::NotSent);
            }
            // A process that has ended gets no answer.
            let Ok(answer) = answer.await else { return std::future::pending().await };
            is_healthy.store(answer.is_ok(), Relaxed);
            if answer.is_ok() && !links.reach_log(ANSWER_LIMIT).await {
                return Err(NoAnswer::Unknown);
            }
            answer
        })
    }

    /// The same, with errors of the log.
    pub(super) fn ask<T: Send + 'static>(
        &self,
        run: impl FnOnce(&MemoryInstance, &mut Oracle) -> BoxFuture<'static, Result<T, LogError>> + Send + 'static,
    ) -> BoxFuture<'static, Result<T, LogError>> {
        let answer = self.call(move |inner, oracle| now(run(inner, oracle)));
        Box::pin(async move { answer.await? })
    }
}

/// The result of a future of the log in memory, which is always ready.
fn now<T>(future: BoxFuture<'static, T>) -> T {
    future.now_or_never().expect("it is ready")
}

impl Log for LinkedLog {
    fn append(&self, record: Record) -> BoxFuture<'static, AppendResult> {
        let answer = self.call(move |inner, oracle| {
            let (channel, fence) = (record.channel.clone(), record.fence);
            let ids: Vec<_> = record.entries.iter().filter_map(Entry::stored_message).map(|m| m.id).collect();
            let is_creation = record.seq == 1 && fence == 0;
            let appended = now(inner.append(record));
            if appended == AppendResult::Done && !is_creation {
                oracle.appended(&channel, inner.this(), fence, &ids);
            }
            appended
        });
        Box::pin(async move {
            answer.await.unwrap_or_else(|no_answer| match no_answer {
                NoAnswer::NotSent => AppendResult::Refused,
                NoAnswer::Unknown => AppendResult::Unknown,
            })
        })
    }

    fn compact(
        &self,
        channel: &ChannelId,
        fence: u64,
        seq: u64,
        snapshot: Snapshot,
    ) -> BoxFuture<'static, Result<(), LogError>> {
        let channel = channel.clone();
        self.ask(move |inner, _| inner.compact(&channel, fence, seq, snapshot))
    }

    fn give_up(
        &self,
        channel: &ChannelId,
        fence: u64,
        seq: u64,
        snapshot: Snapshot,
    ) -> BoxFuture<'static, Result<(), LogError>> {
        let channel = channel.clone();
        self.ask(move |inner, oracle| {
            let given_up = now(inner.give_up(&channel, fence, seq, snapshot));
            if given_up.is_ok() {
                oracle.given_up(&channel, inner.this(), fence);
            }
            Box::pin(std::future::ready(given_up))
        })
    }

    fn find(&self, channel: &ChannelId) -> BoxFuture<'static, Result<Option<Settings>, LogError>> {
        let channel = channel.clone();
        self.ask(move |inner, _| inner.find(&channel))
    }

    fn take(&self, channel: &ChannelId) -> BoxFuture<'static, Result<StoredChannel, LogError>> {
        let channel = channel.clone();
        self.ask(move |inner, oracle| {
            let stored = now(inner.take(&channel));
            if let Ok(stored) = &stored {
                oracle.taken(&channel, inner.this(), stored);
            }
            Box::pin(std::future::ready(stored))
        })
    }

    fn messages(
        &self,
        channel: &ChannelId,
        ids: Vec<MessageId>,
    ) -> BoxFuture<'static, Result<Vec<Arc<Message>>, LogError>> {
        let channel = channel.clone();
        self.ask(move |inner, _| inner.messages(&channel, ids))
    }

    fn transcript(
        &self,
        channel: &ChannelId,
        part: TranscriptPart,
    ) -> BoxFuture<'static, Result<TranscriptPage, LogError>> {
        self.inner.transcript(channel, part)
    }

    fn delete_channel(&self, channel: &ChannelId) -> BoxFuture<'static, Result<bool, LogError>> {
        let channel = channel.clone();
        self.ask(move |inner, _| inner.delete_channel(&channel))
    }

    fn used(&self, channels: Vec<(ChannelId, u64)>) -> BoxFuture<'static, Result<(), LogError>> {
        self.ask(move |inner, _| inner.used(channels))
    }

    fn unused(&self, used_ms: Range<u64>, limit: usize) -> BoxFuture<'static, Result<Vec<ChannelId>, LogError>> {
        self.inner.unused(used_ms, limit)
    }

    fn latest(&self, limit: usize) -> BoxFuture<'static, Result<Vec<StoredSummary>, LogError>> {
        self.inner.latest(limit)
    }

    fn count(&self) -> BoxFuture<'static, Result<u64, LogError>> {
        self.inner.count()
    }

    fn id_high_water_mark(&self) -> MessageId {
        self.inner.id_high_water_mark()
    }

    fn reserve_ids(&self, to: MessageId) -> BoxFuture<'static, Result<(), LogError>> {
        self.ask(move |inner, _| inner.reserve_ids(to))
    }

    fn get_meta(&self, name: &'static str) -> BoxFuture<'static, Result<Option<String>, LogError>> {
        self.inner.get_meta(name)
    }

    fn put_meta(&self, name: &'static str, text: String) -> BoxFuture<'static, Result<(), LogError>> {
        self.inner.put_meta(name, text)
    }

    fn rows(&self, kind: &'static str) -> BoxFuture<'static, Result<Vec<(String, String)>, LogError>> {
        self.inner.rows(kind)
    }

    fn put_row(
        &self,
        kind: &'static str,
        name: String,
        text: Option<String>,
    ) -> BoxFuture<'static, Result<(), LogError>> {
        self.ask(move |inner, _| inner.put_row(kind, name, text))
    }

    fn instances(&self) -> Option<&dyn Instances> {
        Some(self)
    }

    fn webhooks(&self) -> &dyn WebhookStore {
        self
    }

    fn is_healthy(&self) -> bool {
        self.is_healthy.load(Relaxed)
    }

    fn probe(&self) -> BoxFuture<'static, Result<(), LogError>> {
        self.ask(|inner, _| inner.probe())
    }

    fn sync(&self) -> BoxFuture<'static, Result<(), LogError>> {
        self.ask(|inner, _| inner.sync())
    }
}
