//! The reader threads. Each has its own read-only connection.

use std::collections::HashSet;
use std::ops::Range;
use std::path::Path;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};

use futures_util::future::BoxFuture;
use rogerrat_actors::{LogError, StoredChannel, StoredSummary};
use rogerrat_domain::{BacklogEntry, ChannelId, Message, MessageId, Record, Settings, Snapshot};
use rusqlite::{Connection, OptionalExtension as _, Row, params};
use tokio::sync::oneshot;

use super::error::{StoreError, log_error};
use super::schema;
use super::sqlite_int::{get_u64, to_sqlite};
use crate::shared::encoding::{decode_json, decode_record};

/// Queries that may be queued.
const QUERY_QUEUE: usize = 1024;
/// Reader threads.
const READER_THREADS: usize = 2;

type Query = Box<dyn FnOnce(&Connection) + Send>;
pub(super) type Read<T> = Result<T, LogError>;

/// A handle to the reader threads. The next idle one runs a query.
#[derive(Clone)]
pub(super) struct ReaderPool(SyncSender<Option<Query>>);

impl ReaderPool {
    pub(super) fn start(path: &Path) -> Result<(Self, Vec<JoinHandle<()>>), StoreError> {
        let (to, queries) = sync_channel(QUERY_QUEUE);
        let queries = Arc::new(Mutex::new(queries));
        let mut threads = Vec::with_capacity(READER_THREADS);
        for n in 1..=READER_THREADS {
            let (connection, queries) = (schema::open_reader(path).map_err(StoreError::sql(path))?, queries.clone());
            let thread = thread::Builder::new().name(format!("store-reader-{n}"));
            let thread = thread.spawn(move || run_queries(&connection, &queries));
            threads.push(thread.map_err(StoreError::io(path, "read"))?);
        }
        Ok((Self(to), threads))
    }

    /// Runs a query on a reader thread. Busy if too many are queued.
    pub(super) fn query<T: Send + 'static>(
        &self,
        query: impl FnOnce(&Connection) -> Read<T> + Send + 'static,
    ) -> BoxFuture<'static, Read<T>> {
        let (reply, answer) = oneshot::channel();
        let queued = self.0.try_send(Some(Box::new(move |connection| {
            let _ = reply.send(query(connection));
        })));
        Box::pin(async move {
            match queued {
                Ok(()) => answer.await.unwrap_or_else(|_| Err(LogError::Failed("the reader failed".into()))),
                Err(_) => Err(LogError::Busy),
            }
        })
    }

    /// Stops one reader thread once the queries queued before are done.
    pub(super) fn stop_one(&self) {
        // It fails only if all readers have stopped.
        let _ = self.0.send(None);
    }
}

fn run_queries(connection: &Connection, queries: &Mutex<Receiver<Option<Query>>>) {
    loop {
        let next = queries.lock().unwrap_or_else(PoisonError::into_inner).recv();
        let Ok(Some(query)) = next else { return };
        // A query that panics drops its reply channel, so its caller gets an error.
        let result = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| query(connection)));
        if result.is_err() {
            log::error!("a query of the store panicked");
        }
    }
}

pub(super) fn find(connection: &Connection, channel: &ChannelId) -> Read<Option<Settings>> {
    let settings = connection
        .prepare_cached("SELECT settings FROM channels WHERE id = ?1 AND settings IS NOT NULL")
        .and_then(|mut s| s.query_row([channel.as_str()], |row| row.get::<_, Vec<u8>>(0)).optional())
        .map_err(log_error)?;
    settings.map(|settings| decode_json(channel, "the settings", &settings)).transpose()
}

pub(super) fn load(connection: &Connection, channel: &ChannelId) -> Read<StoredChannel> {
    // Everything from one point in time.
    let tx = connection.unchecked_transaction().map_err(log_error)?;
    let Some(no) = channel_number(&tx, channel).map_err(log_error)? else { return Ok(StoredChannel::default()) };
    let stored = read_snapshot(&tx, no).map_err(log_error)?;
    let (mut seq, snapshot) = match stored {
        Some((seq, snapshot)) => (seq, Some(decode_json::<Snapshot>(channel, "the snapshot", &snapshot)?)),
        None => (0, None),
    };
    let StoredMessages { backlog, mut records } = read_messages(&tx, channel, no, seq, snapshot.as_ref())?;
    records.append(&mut read_records(&tx, channel, no, seq)?);
    records.sort_unstable_by_key(|record| record.seq);
    for record in &records {
        if record.seq != seq + 1 {
            return Err(LogError::Damaged(format!("record {} of channel {channel} is missing", seq + 1)));
        }
        seq = record.seq;
    }
    Ok(StoredChannel { seq, snapshot, records, backlog, ..StoredChannel::default() })
}

pub(super) fn channel_number(connection: &Connection, channel: &ChannelId) -> rusqlite::Result<Option<i64>> {
    connection
        .prepare_cached("SELECT no FROM channels WHERE id = ?1")?
        .query_row([channel.as_str()], |row| row.get(0))
        .optional()
}

fn read_snapshot(connection: &Connection, no: i64) -> rusqlite::Result<Option<(u64, Vec<u8>)>> {
    connection
        .prepare_cached("SELECT seq, body FROM snapshots WHERE channel = ?1")?
        .query_row([no], |row| Ok((get_u64(row, 0)?, row.get(1)?)))
        .optional()
}

/// The records without messages.
fn read_records(connection: &Connection, channel: &ChannelId, no: i64, after: u64) -> Read<Vec<Record>> {
    let mut find = connection
        .prepare_cached("SELECT seq, rid, body FROM records WHERE channel = ?1 AND seq > ?2")
        .map_err(log_error)?;
    let mut rows = find.query(params![no, to_sqlite(after)]).map_err(log_error)?;
    let mut records = Vec::new();
    while let Some(row) = rows.next().map_err(log_error)? {
        records.push(record_at(row, 0, channel)?);
    }
    Ok(records)
}

/// Decodes the record in the columns `column` (seq), `column + 1` (rid) and `column + 2` (body).
fn record_at(row: &Row<'_>, column: usize, channel: &ChannelId) -> Read<Record> {
    let seq = get_u64(row, column).map_err(log_error)?;
    let rid = row.get(column + 1).map_err(log_error)?;
    let body = row.get_ref(column + 2).map_err(log_error)?;
    decode_record(channel, seq, rid, body.as_blob().map_err(|error| LogError::Damaged(error.to_string()))?)
}

/// The messages of a channel without their texts, and the records stored with them.
#[derive(Default)]
struct StoredMessages {
    backlog: Vec<BacklogEntry>,
    records: Vec<Record>,
}

/// Reads the messages that the channel holds and the records after `after`. Messages that the state has evicted are
/// skipped; a later compaction deletes them.
fn read_messages(
    connection: &Connection,
    channel: &ChannelId,
    no: i64,
    after: u64,
    state: Option<&Snapshot>,
) -> Read<StoredMessages> {
    let evicted_upto = state.map_or(0, Snapshot::evicted_upto);
    let held = state.map(|state| state.held().collect::<HashSet<_>>()).unwrap_or_default();
    let mut find = connection
        .prepare_cached(
            "SELECT id, from_no, to_no, length(body), seq, rid, record FROM messages WHERE channel = ?1 ORDER BY id",
        )
        .map_err(log_error)?;
    let mut rows = find.query([no]).map_err(log_error)?;
    let mut found = StoredMessages::default();
    while let Some(row) = rows.next().map_err(log_error)? {
        let entry = backlog_entry(row).map_err(log_error)?;
        if entry.id > evicted_upto || held.contains(&entry.id) {
            found.backlog.push(entry);
        }
        if row.get::<_, Option<i64>>(4).map_err(log_error)?.is_some_and(|seq| seq > to_sqlite(after)) {
            found.records.push(record_at(row, 4, channel)?);
        }
    }
    Ok(found)
}

fn backlog_entry(row: &Row<'_>) -> rusqlite::Result<BacklogEntry> {
    let id = get_u64(row, 0)?;
    let json_bytes = usize::try_from(row.get::<_, i64>(3)?).unwrap_or(usize::MAX);
    Ok(BacklogEntry { id, from: row.get(1)?, to: row.get(2)?, weight_bytes: Message::weight_of(id, json_bytes) })
}

pub(super) fn messages(connection: &Connection, channel: &ChannelId, ids: &[MessageId]) -> Read<Vec<Arc<Message>>> {
    let tx = connection.unchecked_transaction().map_err(log_error)?;
    let Some(no) = channel_number(&tx, channel).map_err(log_error)? else { return Ok(Vec::new()) };
    let mut find = tx
        .prepare_cached("SELECT from_no, to_no, body FROM messages WHERE channel = ?1 AND id = ?2")
        .map_err(log_error)?;
    let mut messages = Vec::with_capacity(ids.len());
    for &id in ids {
        let found = find.query_row(params![no, to_sqlite(id)], |row| {
            let json = row.get_ref(2)?.as_blob()?;
            Ok(Message::from_json(id, row.get(0)?, row.get(1)?, json))
        });
        match found.optional().map_err(log_error)? {
            Some(Ok(message)) => messages.push(Arc::new(message)),
            Some(Err(bad)) => return Err(LogError::Damaged(format!("channel {channel}: {bad}"))),
            None => {}
        }
    }
    Ok(messages)
}

pub(super) fn unused(connection: &Connection, used_ms: &Range<u64>, limit: usize) -> Read<Vec<ChannelId>> {
    let sql = "SELECT id FROM channels WHERE settings IS NOT NULL AND owner IS NULL AND used_ms >= ?1 AND used_ms < ?2 \
               ORDER BY used_ms LIMIT ?3";
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let found = connection.prepare_cached(sql).and_then(|mut find| {
        find.query_map(params![to_sqlite(used_ms.start), to_sqlite(used_ms.end), limit], |row| row.get::<_, String>(0))?
            .collect::<Result<Vec<_>, _>>()
    });
    let parse = |id: String| ChannelId::parse(&id).inspect_err(|_| log::error!("left out a channel with a damaged id"));
    Ok(found.map_err(log_error)?.into_iter().filter_map(|id| parse(id).ok()).collect())
}

/// The channels that were used last. One whose row is damaged is left out.
pub(super) fn latest(connection: &Connection, limit: usize) -> Read<Vec<StoredSummary>> {
    let sql = "SELECT id, settings, used_ms FROM channels WHERE settings IS NOT NULL ORDER BY used_ms DESC LIMIT ?1";
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let found = connection.prepare_cached(sql).and_then(|mut find| {
        find.query_map([limit], |row| Ok((row.get::<_, String>(0)?, row.get::<_, Vec<u8>>(1)?, get_u64(row, 2)?)))?
            .collect::<Result<Vec<_>, _>>()
    });
    let summary = |(id, settings, used_ms): (String, Vec<u8>, u64)| {
        let id = ChannelId::parse(&id).inspect_err(|_| log::error!("left out a channel with a damaged id")).ok()?;
        let settings = decode_json(&id, "the settings", &settings)
            .inspect_err(|error| log::error!(channel:display = id, error:display; "left out a channel"))
            .ok()?;
        Some(StoredSummary { id, settings, used_ms })
    };
    Ok(found.map_err(log_error)?.into_iter().filter_map(summary).collect())
}

/// All rows of a kind: names and texts.
pub(super) fn rows(connection: &Connection, kind: &str) -> rusqlite::Result<Vec<(String, String)>> {
    let mut select = connection.prepare_cached("SELECT name, text FROM rows WHERE kind = ?1")?;
    select.query_map([kind], |row| Ok((row.get(0)?, row.get(1)?)))?.collect()
}
