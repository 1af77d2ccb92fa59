//! [`Log`] for [`PostgresStore`].

use std::future::ready;
use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;

use futures_util::future::BoxFuture;
use rogerrat_actors::{
    AppendResult, Fact, Instances, Log, LogError, StoredChannel, StoredSummary, TranscriptPage, TranscriptPart,
    WebhookStore,
};
use rogerrat_domain::{ChannelId, Message, MessageId, Record, Settings, Snapshot};
use tokio_postgres::Row;

use super::append_job::AppendJob;
use super::int::{get_u64, to_sql};
use super::queue::Done;
use super::{PostgresStore, cluster_rows, load, ownership};
use crate::shared::encoding::decode_json;
use crate::shared::rows::{RecordRow, SnapshotRow};

type UnitResult = Result<(), LogError>;

/// The size of a small write in the queue, in bytes.
pub(super) const SMALL: usize = 256;

/// The name under which the hub's metadata `name` is stored. The prefix keeps it apart from the store's own values.
pub(super) fn hub_meta(name: &str) -> String {
    format!("note {name}")
}

/// Decodes the id of a channel. A damaged one is logged and left out.
fn channel_id(row: &Row) -> Done<Option<ChannelId>> {
    let id = ChannelId::parse(row.try_get(0)?);
    Ok(id.inspect_err(|_| log::error!("left out a channel with a damaged id")).ok())
}

impl PostgresStore {
    fn put_snapshot(
        &self,
        channel: &ChannelId,
        fence: u64,
        seq: u64,
        snapshot: &Snapshot,
        gives_up: bool,
    ) -> BoxFuture<'static, UnitResult> {
        let row = match SnapshotRow::encode(channel, seq, snapshot) {
            Ok(row) => Arc::new(row),
            Err(error) => return Box::pin(ready(Err(LogError::Failed(error.to_string())))),
        };
        let (channel_writer, bytes) = (self.channel_writer.clone(), row.body.len() + row.held.len() * 8);
        let compacted = self.write(bytes, move |session| {
            let (channel_writer, row) = (channel_writer.clone(), row.clone());
            Box::pin(async move { channel_writer.compact(session, fence, &row, gives_up).await })
        });
        Box::pin(async move { compacted.await? })
    }
}

impl Log for PostgresStore {
    fn append(&self, record: Record) -> BoxFuture<'static, AppendResult> {
        let Some(record) = RecordRow::encode(record) else {
            log::error!("refused a record without the text of its message");
            return Box::pin(ready(AppendResult::Refused));
        };
        let bytes = record.bytes();
        let (job, answer) = AppendJob::new(self.channel_writer.clone(), record);
        if !self.enqueue(bytes, Box::new(job)) {
            return Box::pin(ready(AppendResult::Busy));
        }
        Box::pin(async move { answer.await.unwrap_or(AppendResult::Unknown) })
    }

    fn compact(&self, channel: &ChannelId, fence: u64, seq: u64, snapshot: Snapshot) -> BoxFuture<'static, UnitResult> {
        self.put_snapshot(channel, fence, seq, &snapshot, false)
    }

    fn give_up(&self, channel: &ChannelId, fence: u64, seq: u64, snapshot: Snapshot) -> BoxFuture<'static, UnitResult> {
        self.put_snapshot(channel, fence, seq, &snapshot, true)
    }

    fn find(&self, channel: &ChannelId) -> BoxFuture<'static, Result<Option<Settings>, LogError>> {
        let channel = channel.clone();
        self.read(move |session| {
            let channel = channel.clone();
            Box::pin(async move {
                let sql = "SELECT settings FROM channels WHERE id = $1 AND settings IS NOT NULL";
                let Some(row) = session.query_opt(sql, &[&channel.as_str()]).await? else { return Ok(None) };
                Ok(Some(decode_json(&channel, "the settings", row.try_get(0)?)?))
            })
        })
    }

    fn take(&self, channel: &ChannelId) -> BoxFuture<'static, Result<StoredChannel, LogError>> {
        let (channel_writer, id) = (self.channel_writer.clone(), channel.clone());
        // After the appends that were called before.
        let taken = self.write(SMALL, move |session| {
            let (channel_writer, id) = (channel_writer.clone(), id.clone());
            Box::pin(async move { channel_writer.take(session, &id).await })
        });
        let (keys, channel, readers) = (self.channel_writer.keys.clone(), channel.clone(), self.readers.clone());
        Box::pin(async move {
            let ownership::Taken { fence, previous_owner, settings } = taken.await??;
            let stored = readers.read(move |session| {
                let (keys, channel) = (keys.clone(), channel.clone());
                Box::pin(async move { load::load(session, &keys, &channel).await })
            });
            Ok(StoredChannel { fence, previous_owner, settings, ..stored.await? })
        })
    }

    fn messages(
        &self,
        channel: &ChannelId,
        ids: Vec<MessageId>,
    ) -> BoxFuture<'static, Result<Vec<Arc<Message>>, LogError>> {
        let (keys, channel, ids) = (self.channel_writer.keys.clone(), channel.clone(), Arc::<[_]>::from(ids));
        self.read(move |session| {
            let (keys, channel, ids) = (keys.clone(), channel.clone(), ids.clone());
            Box::pin(async move { load::messages(session, &keys, &channel, &ids).await })
        })
    }

    fn transcript(
        &self,
        channel: &ChannelId,
        part: TranscriptPart,
    ) -> BoxFuture<'static, Result<TranscriptPage, LogError>> {
        let (keys, channel) = (self.channel_writer.keys.clone(), channel.clone());
        self.read(move |session| {
            let (keys, channel) = (keys.clone(), channel.clone());
            Box::pin(async move { load::transcript(session, &keys, &channel, part).await })
        })
    }

    fn delete_channel(&self, channel: &ChannelId) -> BoxFuture<'static, Result<bool, LogError>> {
        let (channel_writer, channel, eraser) = (self.channel_writer.clone(), channel.clone(), self.eraser.clone());
        let deleted = self.write(SMALL, move |session| {
            let (channel_writer, channel) = (channel_writer.clone(), channel.clone());
            Box::pin(async move {
                let deleted = channel_writer.delete(session, &channel).await?;
                if matches!(deleted, Ok(true)) {
                    cluster_rows::write_facts(session, &[Fact::ChannelDeleted { channel }]).await?;
                }
                Ok(deleted)
            })
        });
        Box::pin(async move {
            let existed = deleted.await??;
            eraser.wake();
            Ok(existed)
        })
    }

    fn used(&self, channels: Vec<(ChannelId, u64)>) -> BoxFuture<'static, UnitResult> {
        let mut used: Vec<_> = channels.into_iter().map(|(id, ms)| (id.as_str().to_owned(), to_sql(ms))).collect();
        // Rows are locked in this order.
        used.sort_unstable();
        let (ids, times): (Vec<_>, Vec<_>) = used.into_iter().unzip();
        let (bytes, rows) = (ids.len() * 64, Arc::new((ids, times)));
        self.write(bytes, move |session| {
            let rows = rows.clone();
            Box::pin(async move {
                let sql = "UPDATE channels c SET used_ms = i.ms FROM unnest($1::text[], $2::bigint[]) AS i(id, ms)
                           WHERE c.id = i.id AND c.used_ms < i.ms";
                session.execute(sql, &[&rows.0, &rows.1]).await?;
                Ok(())
            })
        })
    }

    fn unused(&self, used_ms: Range<u64>, limit: usize) -> BoxFuture<'static, Result<Vec<ChannelId>, LogError>> {
        let (from, to, limit) = (to_sql(used_ms.start), to_sql(used_ms.end), to_sql(limit as u64));
        let me = self.channel_writer.instance;
        self.read(move |session| {
            Box::pin(async move {
                let sql = "SELECT c.id FROM channels c LEFT JOIN instances i ON i.id = c.instance
                           WHERE c.settings IS NOT NULL AND c.owner IS NULL AND c.used_ms >= $1 AND c.used_ms < $2
                           AND (i.id IS NULL OR i.id = $4 OR i.ended_at IS NOT NULL)
                           ORDER BY c.used_ms LIMIT $3";
                let rows = session.query(sql, &[&from, &to, &limit, &me]).await?;
                rows.iter().filter_map(|row| channel_id(row).transpose()).collect()
            })
        })
    }

    fn latest(&self, limit: usize) -> BoxFuture<'static, Result<Vec<StoredSummary>, LogError>> {
        let limit = to_sql(limit as u64);
        self.read(move |session| {
            Box::pin(async move {
                let sql = "SELECT id, settings, used_ms FROM channels WHERE settings IS NOT NULL
                           ORDER BY used_ms DESC LIMIT $1";
                let mut latest = Vec::new();
                for row in session.query(sql, &[&limit]).await? {
                    let Some(id) = channel_id(&row)? else { continue };
                    match decode_json(&id, "the settings", row.try_get(1)?) {
                        Ok(settings) => latest.push(StoredSummary { id, settings, used_ms: get_u64(&row, 2)? }),
                        Err(error) => log::error!(channel:display = id, error:display; "left out a channel"),
                    }
                }
                Ok(latest)
            })
        })
    }

    fn count(&self) -> BoxFuture<'static, Result<u64, LogError>> {
        self.read(|session| {
            Box::pin(async move {
                let sql = "SELECT count(*) FROM channels WHERE settings IS NOT NULL";
                get_u64(&session.query_one(sql, &[]).await?, 0)
            })
        })
    }

    fn id_high_water_mark(&self) -> MessageId {
        self.state.id_ceiling.load(Relaxed)
    }

    fn reserve_ids(&self, to: MessageId) -> BoxFuture<'static, UnitResult> {
        let (me, state) = (self.channel_writer.instance, self.state.clone());
        let raised = self.write(SMALL, move |session| {
            Box::pin(async move {
                // Whoever declares this instance ended waits for this lock, and its own beats do not.
                let alive = "SELECT 1 FROM instances WHERE id = $1 AND ended_at IS NULL FOR KEY SHARE";
                if session.query_opt(alive, &[&me]).await?.is_none() {
                    return Ok(false);
                }
                let sql = "UPDATE id_ceilings SET id_ceiling = greatest(id_ceiling, $2) WHERE instance = $1";
                Ok(session.execute(sql, &[&me, &to_sql(to)]).await? > 0)
            })
        });
        Box::pin(async move {
            if !raised.await? {
                return Err(LogError::Ended);
            }
            state.id_ceiling.fetch_max(to, Relaxed);
            Ok(())
        })
    }

    fn get_meta(&self, name: &'static str) -> BoxFuture<'static, Result<Option<String>, LogError>> {
        self.read(move |session| {
            Box::pin(async move {
                let row = session.query_opt("SELECT value FROM hub WHERE name = $1", &[&hub_meta(name)]).await?;
                Ok(row.map(|row| row.try_get(0)).transpose()?)
            })
        })
    }

    fn put_meta(&self, name: &'static str, text: String) -> BoxFuture<'static, UnitResult> {
        self.write(text.len(), move |session| {
            let text = text.clone();
            Box::pin(async move {
                let sql = "INSERT INTO hub (name, value) VALUES ($1, $2)
                           ON CONFLICT (name) DO UPDATE SET value = excluded.value";
                session.execute(sql, &[&hub_meta(name), &text]).await?;
                Ok(())
            })
        })
    }

    fn rows(&self, kind: &'static str) -> BoxFuture<'static, Result<Vec<(String, String)>, LogError>> {
        self.read(move |session| {
            Box::pin(async move {
                let rows = session.query("SELECT name, text FROM rows WHERE kind = $1", &[&kind]).await?;
                rows.iter().map(|row| Ok((row.try_get(0)?, row.try_get(1)?))).collect()
            })
        })
    }

    fn row(&self, kind: &'static str, name: &str) -> BoxFuture<'static, Result<Option<String>, LogError>> {
        let name = name.to_owned();
        self.read(move |session| {
            let name = name.clone();
            Box::pin(async move {
                let sql = "SELECT text FROM rows WHERE kind = $1 AND name = $2";
                let row = session.query_opt(sql, &[&kind, &name]).await?;
                Ok(row.map(|row| row.try_get(0)).transpose()?)
            })
        })
    }

    fn put_row(&self, kind: &'static str, name: String, text: Option<String>) -> BoxFuture<'static, UnitResult> {
        let bytes = name.len() + text.as_ref().map_or(0, String::len);
        self.write(bytes, move |session| {
            let (name, text) = (name.clone(), text.clone());
            Box::pin(async move {
                let put = "INSERT INTO rows (kind, name, text) VALUES ($1, $2, $3)
                           ON CONFLICT (kind, name) DO UPDATE SET text = excluded.text";
                match text {
                    Some(text) => session.execute(put, &[&kind, &name, &text]).await?,
                    None => session.execute("DELETE FROM rows WHERE kind = $1 AND name = $2", &[&kind, &name]).await?,
                };
                let facts: Vec<_> = Fact::of_row(kind).into_iter().collect();
                cluster_rows::write_facts(session, &facts).await
            })
        })
    }

    fn instances(&self) -> Option<&dyn Instances> {
        Some(self)
    }

    fn webhooks(&self) -> &dyn WebhookStore {
        self
    }

    fn is_healthy(&self) -> bool {
        self.state.is_healthy()
    }

    fn probe(&self) -> BoxFuture<'static, UnitResult> {
        // Each transaction of the writer writes its number.
        let (written, readers, me) = (self.sync(), self.readers.clone(), self.channel_writer.instance);
        Box::pin(async move {
            written.await?;
            let row = readers.read(move |session| {
                Box::pin(async move {
                    let sql = "SELECT b.batch > 0, i.ended_at IS NOT NULL FROM batches b JOIN instances i ON i.id = b.instance
                               WHERE i.id = $1";
                    let Some(row) = session.query_opt(sql, &[&me]).await? else { return Ok(None) };
                    Ok(Some((row.try_get::<_, bool>(0)?, row.try_get::<_, bool>(1)?)))
                })
            });
            match row.await? {
                Some((_, true)) => Err(LogError::Ended),
                Some((true, false)) => Ok(()),
                _ => Err(LogError::Damaged("a written value could not be read back".into())),
            }
        })
    }

    fn sync(&self) -> BoxFuture<'static, UnitResult> {
        self.write(0, |_| Box::pin(ready(Ok(()))))
    }
}
