//! The store as the actors see it.

use std::future::ready;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::{Arc, PoisonError};

use futures_util::FutureExt as _;
use futures_util::future::{BoxFuture, Shared, WeakShared};
use rogerrat_actors::{AppendResult, Log, LogError, StoredChannel, WebhookStore};
use rogerrat_domain::transcript::TranscriptLine;
use rogerrat_domain::{ChannelId, Message, MessageId, Record, Settings, Snapshot, limits};
use tokio::sync::oneshot;

use super::body::{Draft, Folded};
use super::job::{Job, Outcome, Reply, Task, Work};
use super::{Store, pen, reader};

type Plain = Result<(), LogError>;

/// A probe that is under way; whoever asks meanwhile shares it.
pub(super) type Probing = WeakShared<BoxFuture<'static, Plain>>;

impl Store {
    /// Puts something into the writer's queue. False when there is no room.
    pub(super) fn enqueue(&self, work: Work, reply: Reply) -> bool {
        let Some(place) = self.shared.enter(work.bytes()) else { return false };
        self.writer.try_send(Job::Do(Box::new(Task { work, reply, place }))).is_ok()
    }

    pub(super) fn write(&self, work: Work) -> BoxFuture<'static, Plain> {
        let (reply, answer) = oneshot::channel();
        if !self.enqueue(work, Reply::Plain(reply)) {
            return Box::pin(ready(Err(LogError::Busy)));
        }
        Box::pin(async move { answer.await.unwrap_or_else(|_| Err(LogError::Failed("the writer failed".into()))) })
    }

    /// Writes what may find that it is too late for it: then it is false.
    pub(super) fn write_if(&self, work: Work) -> BoxFuture<'static, Result<bool, LogError>> {
        let (reply, answer) = oneshot::channel();
        if !self.enqueue(work, Reply::Whether(reply)) {
            return Box::pin(ready(Err(LogError::Busy)));
        }
        Box::pin(async move {
            match answer.await {
                Ok(Outcome::Done) => Ok(true),
                Ok(Outcome::Conflict) => Ok(false),
                Ok(Outcome::Refused(why)) => Err(LogError::Failed(why)),
                Ok(Outcome::Unknown(why)) => Err(LogError::Unknown(why)),
                Ok(Outcome::AccountChangeResult(_)) | Err(_) => Err(LogError::Failed("the writer failed".into())),
            }
        })
    }

    fn start_probe(&self) -> Shared<BoxFuture<'static, Plain>> {
        let n = self.next_probe();
        let (written, readers, shared) = (self.write(Work::Probe(n)), self.readers.clone(), self.shared.clone());
        let probe = async move {
            written.await?;
            let read = readers.ask(|connection| reader::value::<i64>(connection, "probe").map_err(reader::fault));
            match read.await? {
                // A small row can be written where a message cannot. The writer looks for more room than that.
                Some(_) if !shared.well.load(Relaxed) => Err(LogError::Failed("writes were refused just now".into())),
                Some(read) if read >= n => Ok(()),
                _ => Err(LogError::Damaged("what was written could not be read back".into())),
            }
        };
        probe.boxed().shared()
    }
}

impl Log for Store {
    fn append(&self, record: Record) -> BoxFuture<'static, AppendResult> {
        let (reply, answer) = oneshot::channel();
        let Some(draft) = Draft::of(record) else {
            log::error!("a record without the text of its message was refused");
            return Box::pin(ready(AppendResult::Refused));
        };
        if !self.enqueue(Work::Append(draft), Reply::Append(reply)) {
            return Box::pin(ready(AppendResult::Busy));
        }
        Box::pin(async move { answer.await.unwrap_or(AppendResult::Unknown) })
    }

    fn compact(&self, channel: &ChannelId, seq: u64, snapshot: Snapshot) -> BoxFuture<'static, Plain> {
        match Folded::of(channel, seq, &snapshot) {
            Ok(folded) => self.write(Work::Fold(folded)),
            Err(error) => Box::pin(ready(Err(LogError::Failed(error.to_string())))),
        }
    }

    fn find(&self, channel: &ChannelId) -> BoxFuture<'static, Result<Option<Settings>, LogError>> {
        let channel = channel.clone();
        self.readers.ask(move |connection| reader::find(connection, &channel))
    }

    fn load(&self, channel: &ChannelId) -> BoxFuture<'static, Result<StoredChannel, LogError>> {
        let channel = channel.clone();
        let load = move |connection: &_| reader::load(connection, &channel);
        if self.shared.is_idle() {
            return self.readers.ask(load);
        }
        // What was begun before, perhaps by an actor that is gone, is in it.
        let (before, readers) = (self.write(Work::Sync), self.readers.clone());
        Box::pin(async move {
            // Whoever began what failed has been told.
            if matches!(before.await, Err(LogError::Busy)) {
                return Err(LogError::Busy);
            }
            readers.ask(load).await
        })
    }

    fn messages(
        &self,
        channel: &ChannelId,
        ids: Vec<MessageId>,
    ) -> BoxFuture<'static, Result<Vec<Arc<Message>>, LogError>> {
        let channel = channel.clone();
        self.readers.ask(move |connection| reader::messages(connection, &channel, &ids))
    }

    fn transcript(
        &self,
        channel: &ChannelId,
        limit: usize,
    ) -> BoxFuture<'static, Result<Vec<TranscriptLine>, LogError>> {
        let (channel, limit) = (channel.clone(), limit.min(limits::TRANSCRIPT_LINES));
        self.readers.ask(move |connection| reader::transcript(connection, &channel, limit))
    }

    fn delete_channel(&self, channel: &ChannelId) -> BoxFuture<'static, Result<bool, LogError>> {
        self.write_if(Work::Forget(channel.clone()))
    }

    fn used(&self, channels: Vec<(ChannelId, u64)>) -> BoxFuture<'static, Plain> {
        self.write(Work::Used(channels))
    }

    fn unused(&self, before_ms: u64, limit: usize) -> BoxFuture<'static, Result<Vec<ChannelId>, LogError>> {
        self.readers.ask(move |connection| reader::unused(connection, before_ms, limit))
    }

    fn count(&self) -> BoxFuture<'static, Result<u64, LogError>> {
        Box::pin(ready(Ok(self.shared.channels.load(Relaxed))))
    }

    fn id_high_water_mark(&self) -> MessageId {
        self.shared.floor.load(Relaxed)
    }

    fn reserve_ids(&self, to: MessageId) -> BoxFuture<'static, Plain> {
        self.write(Work::Floor(to))
    }

    fn get_meta(&self, name: &'static str) -> BoxFuture<'static, Result<Option<String>, LogError>> {
        self.readers.ask(move |connection| reader::value(connection, &pen::note(name)).map_err(reader::fault))
    }

    fn put_meta(&self, name: &'static str, text: String) -> BoxFuture<'static, Plain> {
        self.write(Work::Note(name, text))
    }

    fn rows(&self, kind: &'static str) -> BoxFuture<'static, Result<Vec<(String, String)>, LogError>> {
        self.readers.ask(move |connection| reader::rows(connection, kind).map_err(reader::fault))
    }

    fn put_row(&self, kind: &'static str, name: String, text: Option<String>) -> BoxFuture<'static, Plain> {
        self.write(Work::Row(kind, name, text))
    }

    fn webhooks(&self) -> &dyn WebhookStore {
        self
    }

    fn is_healthy(&self) -> bool {
        self.shared.well.load(Relaxed)
    }

    fn probe(&self) -> BoxFuture<'static, Plain> {
        let mut probing = self.probing.lock().unwrap_or_else(PoisonError::into_inner);
        let under_way = probing.as_ref().and_then(WeakShared::upgrade).filter(|probe| probe.peek().is_none());
        let probe = under_way.unwrap_or_else(|| self.start_probe());
        *probing = probe.downgrade();
        Box::pin(probe)
    }

    fn sync(&self) -> BoxFuture<'static, Plain> {
        self.write(Work::Sync)
    }
}
