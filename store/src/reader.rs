//! The threads that read, each with a connection of its own that cannot write.

use std::collections::HashSet;
use std::path::Path;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};

use futures_util::future::BoxFuture;
use rogerrat_actors::{LogError, StoredChannel};
use rogerrat_domain::transcript::TranscriptLine;
use rogerrat_domain::{BacklogEntry, ChannelId, Message, MessageId, Record, Settings, Snapshot};
use rusqlite::{Connection, OptionalExtension as _, Row, params};
use serde_json::value::RawValue;
use tokio::sync::oneshot;

use super::error::{StoreError, is_damage};
use super::number::{signed, unsigned};
use super::{body, schema};

/// Questions that may wait.
const QUESTIONS: usize = 1024;
/// Threads that read.
const READERS: usize = 2;

type Question = Box<dyn FnOnce(&Connection) + Send>;
type Read<T> = Result<T, LogError>;

/// Asks whichever reader is free.
#[derive(Clone)]
pub(super) struct Readers(SyncSender<Option<Question>>);

impl Readers {
    pub(super) fn start(path: &Path) -> Result<(Self, Vec<JoinHandle<()>>), StoreError> {
        let (to, questions) = sync_channel(QUESTIONS);
        let questions = Arc::new(Mutex::new(questions));
        let mut threads = Vec::with_capacity(READERS);
        for n in 1..=READERS {
            let (connection, questions) =
                (schema::open_reader(path).map_err(StoreError::sql(path))?, questions.clone());
            let thread = thread::Builder::new().name(format!("store-reader-{n}"));
            let thread = thread.spawn(move || read(&connection, &questions));
            threads.push(thread.map_err(StoreError::io(path, "read"))?);
        }
        Ok((Self(to), threads))
    }

    /// Has a reader answer; its threads never see a question twice.
    pub(super) fn ask<T: Send + 'static>(
        &self,
        question: impl FnOnce(&Connection) -> Read<T> + Send + 'static,
    ) -> BoxFuture<'static, Read<T>> {
        let (answer, answered) = oneshot::channel();
        let asked = self.0.try_send(Some(Box::new(move |connection| {
            let _ = answer.send(question(connection));
        })));
        Box::pin(async move {
            match asked {
                Ok(()) => answered.await.unwrap_or_else(|_| Err(LogError::Failed("the reader failed".into()))),
                Err(_) => Err(LogError::Busy),
            }
        })
    }

    /// Ends one reader, after what was asked before.
    pub(super) fn close_one(&self) {
        // Without a reader there is nothing to end.
        let _ = self.0.send(None);
    }
}

fn read(connection: &Connection, questions: &Mutex<Receiver<Option<Question>>>) {
    loop {
        let next = questions.lock().unwrap_or_else(PoisonError::into_inner).recv();
        let Ok(Some(question)) = next else { return };
        // A question that panics drops its answer, and whoever asked learns that it failed.
        let answered = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| question(connection)));
        if answered.is_err() {
            log::error!("a question to the store failed");
        }
    }
}

/// What a fault of SQLite is to those who asked.
#[expect(clippy::needless_pass_by_value, reason = "it stands behind map_err")]
pub(super) fn fault(error: rusqlite::Error) -> LogError {
    if is_damage(&error) { LogError::Damaged(error.to_string()) } else { LogError::Failed(error.to_string()) }
}

pub(super) fn find(connection: &Connection, channel: &ChannelId) -> Read<Option<Settings>> {
    let settings = connection
        .prepare_cached("SELECT settings FROM channels WHERE id = ?1 AND settings IS NOT NULL")
        .and_then(|mut s| s.query_row([channel.as_str()], |row| row.get::<_, Vec<u8>>(0)).optional())
        .map_err(fault)?;
    settings.map(|settings| body::json(channel, "the settings", &settings)).transpose()
}

pub(super) fn load(connection: &Connection, channel: &ChannelId) -> Read<StoredChannel> {
    // All of it as it was at one moment.
    let moment = connection.unchecked_transaction().map_err(fault)?;
    let Some(no) = number_of(&moment, channel).map_err(fault)? else { return Ok(StoredChannel::default()) };
    let folded = snapshot(&moment, no).map_err(fault)?;
    let (mut seq, snapshot) = match folded {
        Some((seq, snapshot)) => (seq, Some(body::json::<Snapshot>(channel, "the snapshot", &snapshot)?)),
        None => (0, None),
    };
    let Shelf { backlog, mut records } = backlog(&moment, channel, no, seq, snapshot.as_ref())?;
    records.append(&mut bare_records(&moment, channel, no, seq)?);
    records.sort_unstable_by_key(|record| record.seq);
    for record in &records {
        if record.seq != seq + 1 {
            return Err(LogError::Damaged(format!("record {} of channel {channel} is missing", seq + 1)));
        }
        seq = record.seq;
    }
    Ok(StoredChannel { seq, snapshot, records, backlog })
}

fn number_of(connection: &Connection, channel: &ChannelId) -> rusqlite::Result<Option<i64>> {
    connection
        .prepare_cached("SELECT no FROM channels WHERE id = ?1")?
        .query_row([channel.as_str()], |row| row.get(0))
        .optional()
}

fn snapshot(connection: &Connection, no: i64) -> rusqlite::Result<Option<(u64, Vec<u8>)>> {
    connection
        .prepare_cached("SELECT seq, body FROM snapshots WHERE channel = ?1")?
        .query_row([no], |row| Ok((unsigned(row, 0)?, row.get(1)?)))
        .optional()
}

/// The records without a message.
fn bare_records(connection: &Connection, channel: &ChannelId, no: i64, after: u64) -> Read<Vec<Record>> {
    let mut find = connection
        .prepare_cached("SELECT seq, rid, body FROM records WHERE channel = ?1 AND seq > ?2")
        .map_err(fault)?;
    let mut rows = find.query(params![no, signed(after)]).map_err(fault)?;
    let mut records = Vec::new();
    while let Some(row) = rows.next().map_err(fault)? {
        records.push(record(row, 0, channel)?);
    }
    Ok(records)
}

/// The record in three columns from this one on.
fn record(row: &Row<'_>, column: usize, channel: &ChannelId) -> Read<Record> {
    let seq = unsigned(row, column).map_err(fault)?;
    let rid = row.get(column + 1).map_err(fault)?;
    let body = row.get_ref(column + 2).map_err(fault)?;
    body::record(channel, seq, rid, body.as_blob().map_err(|error| LogError::Damaged(error.to_string()))?)
}

/// The messages of a channel, in outline, and the records that lie with them.
#[derive(Default)]
struct Shelf {
    backlog: Vec<BacklogEntry>,
    records: Vec<Record>,
}

/// Of the messages those the channel holds, and of the records those after `after`. What the state let go of may still
/// be there for a while.
fn backlog(connection: &Connection, channel: &ChannelId, no: i64, after: u64, state: Option<&Snapshot>) -> Read<Shelf> {
    let departed = state.map_or(0, Snapshot::departed);
    let held = state.map(|state| state.held().collect::<HashSet<_>>()).unwrap_or_default();
    let mut find = connection
        .prepare_cached(
            "SELECT id, from_no, to_no, length(body), seq, rid, record FROM messages WHERE channel = ?1 ORDER BY id",
        )
        .map_err(fault)?;
    let mut rows = find.query([no]).map_err(fault)?;
    let mut found = Shelf::default();
    while let Some(row) = rows.next().map_err(fault)? {
        let shelved = shelved(row).map_err(fault)?;
        if shelved.id > departed || held.contains(&shelved.id) {
            found.backlog.push(shelved);
        }
        if row.get::<_, Option<i64>>(4).map_err(fault)?.is_some_and(|seq| seq > signed(after)) {
            found.records.push(record(row, 4, channel)?);
        }
    }
    Ok(found)
}

fn shelved(row: &Row<'_>) -> rusqlite::Result<BacklogEntry> {
    let id = unsigned(row, 0)?;
    let json_bytes = usize::try_from(row.get::<_, i64>(3)?).unwrap_or(usize::MAX);
    Ok(BacklogEntry { id, from: row.get(1)?, to: row.get(2)?, weight_bytes: Message::weight_of(id, json_bytes) })
}

pub(super) fn messages(connection: &Connection, channel: &ChannelId, ids: &[MessageId]) -> Read<Vec<Arc<Message>>> {
    let moment = connection.unchecked_transaction().map_err(fault)?;
    let Some(no) = number_of(&moment, channel).map_err(fault)? else { return Ok(Vec::new()) };
    let mut find = moment
        .prepare_cached("SELECT from_no, to_no, body FROM messages WHERE channel = ?1 AND id = ?2")
        .map_err(fault)?;
    let mut messages = Vec::with_capacity(ids.len());
    for &id in ids {
        let found = find.query_row(params![no, signed(id)], |row| {
            let json = row.get_ref(2)?.as_blob()?;
            Ok(Message::stored(id, row.get(0)?, row.get(1)?, json))
        });
        match found.optional().map_err(fault)? {
            Some(Ok(message)) => messages.push(Arc::new(message)),
            Some(Err(bad)) => return Err(LogError::Damaged(format!("channel {channel}: {bad}"))),
            None => {}
        }
    }
    Ok(messages)
}

pub(super) fn transcript(connection: &Connection, channel: &ChannelId, limit: usize) -> Read<Vec<TranscriptLine>> {
    let moment = connection.unchecked_transaction().map_err(fault)?;
    let Some(no) = number_of(&moment, channel).map_err(fault)? else { return Ok(Vec::new()) };
    let mut find = moment
        .prepare_cached("SELECT from_no, to_no, json FROM transcript WHERE channel = ?1 ORDER BY n DESC LIMIT ?2")
        .map_err(fault)?;
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let found = find.query_map(params![no, limit], |row| {
        let ends = row.get::<_, Option<_>>(0)?.zip(row.get(1)?);
        Ok((ends, row.get::<_, Vec<u8>>(2)?))
    });
    let found = found.and_then(Iterator::collect::<rusqlite::Result<Vec<_>>>).map_err(fault)?;
    let line = |(ends, json): (_, Vec<u8>)| {
        let json = String::from_utf8(json).ok().and_then(|json| RawValue::from_string(json).ok());
        let json = json.ok_or_else(|| LogError::Damaged(format!("the transcript of channel {channel}")))?;
        Ok(TranscriptLine { ends, json })
    };
    found.into_iter().rev().map(line).collect()
}

pub(super) fn unused(connection: &Connection, before_ms: u64, limit: usize) -> Read<Vec<ChannelId>> {
    let sql = "SELECT id FROM channels WHERE settings IS NOT NULL AND owner IS NULL AND used_ms < ?1 ORDER BY used_ms LIMIT ?2";
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let found = connection.prepare_cached(sql).and_then(|mut find| {
        find.query_map(params![signed(before_ms), limit], |row| row.get::<_, String>(0))?.collect::<Result<Vec<_>, _>>()
    });
    let parse = |id: String| ChannelId::parse(&id).map_err(|_| LogError::Damaged("the id of a channel".into()));
    found.map_err(fault)?.into_iter().map(parse).collect()
}

/// A value of the hub's own table.
pub(super) fn value<T: rusqlite::types::FromSql>(connection: &Connection, name: &str) -> rusqlite::Result<Option<T>> {
    connection.prepare_cached("SELECT value FROM hub WHERE name = ?1")?.query_row([name], |row| row.get(0)).optional()
}

/// All rows of a kind.
pub(super) fn rows(connection: &Connection, kind: &str) -> rusqlite::Result<Vec<(String, String)>> {
    let mut select = connection.prepare_cached("SELECT name, text FROM rows WHERE kind = ?1")?;
    select.query_map([kind], |row| Ok((row.get(0)?, row.get(1)?)))?.collect()
}
