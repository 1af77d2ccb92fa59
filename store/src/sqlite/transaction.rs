//! Applies write operations within a transaction. The writer begins it, and commits it or rolls it back.

use std::collections::HashMap;

use rogerrat_domain::{AccountId, ChannelId, limits};
use rusqlite::{Connection, OptionalExtension as _, Result, ToSql, params};

use super::sqlite_int::{get_u64, to_sqlite};
use super::write_request::{WriteOp, WriteOutcome};
use super::{meta, purge, webhook_rows};
use crate::shared::rows::{RecordRow, SnapshotRow};

/// Transcript lines that a channel keeps.
const TRANSCRIPT_LINES: u64 = limits::TRANSCRIPT_LINES as u64;
/// A transcript is trimmed once in this many lines, and exceeds its bound by as many until then.
const TRIM_LINES: u64 = 512;
/// Messages that one compaction deletes. Readers ignore the rest, and the next compaction deletes it.
const COMPACT_MESSAGES: usize = 4096;
/// Channels whose tails are cached, at about 100 bytes each.
const TAIL_CACHE: usize = 65_536;

/// The end of a channel's log.
#[derive(Clone, Copy, Debug)]
pub(super) struct ChannelTail {
    /// The channel's number in the database.
    no: i64,
    seq: u64,
    rid: Option<[u8; 16]>,
    /// The number of its last transcript line; `None` if it has not been read yet.
    line: Option<u64>,
}

/// The tails of recently written channels. They are valid only if the transaction commits, so a rollback clears them.
#[derive(Debug, Default)]
pub(super) struct TailCache(HashMap<ChannelId, ChannelTail>);

/// What a transaction changes outside the database, to be applied after its commit.
#[derive(Debug, Default)]
pub(super) struct TxEffects {
    /// Change of the number of channels.
    pub(super) channels: i64,
    pub(super) id_high_water_mark: u64,
    /// Data was deleted that must also leave the WAL.
    pub(super) has_deleted: bool,
    /// A deleted channel has rows left to purge.
    pub(super) has_purge_left: bool,
    /// What may still be purged in this transaction.
    pub(super) purge_budget: purge::PurgeBudget,
}

/// An open write transaction.
pub(super) struct WriteTx<'w> {
    pub(super) connection: &'w Connection,
    pub(super) tails: &'w mut TailCache,
    pub(super) effects: &'w mut TxEffects,
}

impl TailCache {
    pub(super) fn clear(&mut self) {
        self.0.clear();
    }

    pub(super) fn remove(&mut self, channel: &ChannelId) {
        self.0.remove(channel);
    }

    fn put(&mut self, channel: &ChannelId, tail: ChannelTail) {
        if self.0.len() >= TAIL_CACHE && !self.0.contains_key(channel) {
            self.0.clear();
        }
        self.0.insert(channel.clone(), tail);
    }
}

impl WriteTx<'_> {
    pub(super) fn apply(&mut self, op: &WriteOp) -> Result<WriteOutcome> {
        match op {
            WriteOp::Append(record) => self.append(record),
            WriteOp::AppendOwned(record, owner, limit, with) => self.append_owned(record, owner, *limit, with),
            WriteOp::ChangeAccount(change) => self.change_account(change),
            WriteOp::ChangeEmail(change) => self.change_email(change),
            WriteOp::Compact(snapshot) => self.compact(snapshot),
            WriteOp::DeleteChannel(channel) => self.delete_channel(channel),
            WriteOp::MarkUsed(channels) => self.mark_used(channels),
            WriteOp::ReserveIds(upto) => self.reserve_ids(*upto),
            WriteOp::PutMeta(name, text) => self.put_meta(&meta::hub_meta(name), text),
            WriteOp::PutRow(kind, name, text) => self.put_row(kind, name, text.as_deref()),
            WriteOp::Webhook(write) => webhook_rows::apply(write, self.connection),
            WriteOp::Probe(n) => self.put_meta(meta::PROBE, n),
            WriteOp::Sync => Ok(WriteOutcome::Done),
            #[cfg(test)]
            WriteOp::Panic => panic!("a writer that panics, for the test"),
        }
    }

    /// Writes a row of the `rows` table, or deletes it if there is no text.
    fn put_row(&self, kind: &str, name: &str, text: Option<&str>) -> Result<WriteOutcome> {
        match text {
            Some(text) => self
                .connection
                .prepare_cached("INSERT OR REPLACE INTO rows (kind, name, text) VALUES (?1, ?2, ?3)")?
                .execute([kind, name, text])?,
            None => self
                .connection
                .prepare_cached("DELETE FROM rows WHERE kind = ?1 AND name = ?2")?
                .execute([kind, name])?,
        };
        Ok(WriteOutcome::Done)
    }

    /// Appends a record that continues the log. Repeating a stored record succeeds; any other number is a conflict.
    pub(super) fn append(&mut self, record: &RecordRow) -> Result<WriteOutcome> {
        let mut tail = match self.tail(&record.channel)? {
            None if record.seq == 1 => self.create_channel(record)?,
            Some(tail) if record.seq == tail.seq + 1 && !record.creates => tail,
            Some(tail) if self.is_repeat(&tail, record)? => return Ok(WriteOutcome::Done),
            _ => return Ok(WriteOutcome::Conflict),
        };
        self.insert_record(record, tail.no)?;
        if let Some(settings) = record.settings.as_ref().filter(|_| !record.creates) {
            self.connection
                .prepare_cached("UPDATE channels SET settings = ?2 WHERE no = ?1")?
                .execute(params![tail.no, settings])?;
        }
        if !record.lines.is_empty() {
            self.append_transcript(record, &mut tail)?;
        }
        record.due.iter().try_for_each(|due| webhook_rows::enqueue(due, self.connection))?;
        tail.seq = record.seq;
        tail.rid = Some(record.rid);
        self.tails.put(&record.channel, tail);
        Ok(WriteOutcome::Done)
    }

    /// Inserts a record. Its body is stored with its first message, or in `records` if it has none.
    fn insert_record(&self, record: &RecordRow, no: i64) -> Result<()> {
        let RecordRow { seq, rid, body, messages, .. } = record;
        if messages.is_empty() {
            self.connection
                .prepare_cached("INSERT INTO records (channel, seq, rid, body) VALUES (?1, ?2, ?3, ?4)")?
                .execute(params![no, to_sqlite(*seq), rid, body])?;
        }
        for (n, message) in messages.iter().enumerate() {
            let carried = (n == 0).then_some((to_sqlite(*seq), rid, body));
            self.connection
                .prepare_cached(
                    "INSERT INTO messages (channel, id, from_no, to_no, seq, rid, record, body)
                     VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
                )?
                .execute(params![
                    no,
                    to_sqlite(message.id),
                    message.from,
                    message.to,
                    carried.map(|(seq, ..)| seq),
                    carried.map(|(_, rid, _)| rid),
                    carried.map(|(.., body)| body),
                    &message.json[..]
                ])?;
        }
        Ok(())
    }

    fn create_channel(&mut self, record: &RecordRow) -> Result<ChannelTail> {
        self.connection
            .prepare_cached(
                "INSERT INTO channels (id, settings, owner, created_ms, used_ms) VALUES (?1, ?2, ?3, ?4, ?4)",
            )?
            .execute(params![
                record.channel.as_str(),
                record.settings,
                record.owner.as_ref().map(AccountId::as_str),
                to_sqlite(record.at_ms)
            ])?;
        self.effects.channels += i64::from(record.settings.is_some());
        Ok(ChannelTail { no: self.connection.last_insert_rowid(), seq: 0, rid: None, line: Some(0) })
    }

    /// The tail of a channel. A record is in `records`, with a message or, once compacted, in the snapshot.
    fn tail(&self, channel: &ChannelId) -> Result<Option<ChannelTail>> {
        if let Some(tail) = self.tails.0.get(channel) {
            return Ok(Some(*tail));
        }
        let Some(no) = self.channel_number(channel)? else { return Ok(None) };
        let end = |row: &rusqlite::Row<'_>| Ok((get_u64(row, 0)?, row.get(1)?));
        let bare = self
            .connection
            .prepare_cached("SELECT seq, rid FROM records WHERE channel = ?1 ORDER BY seq DESC LIMIT 1")?
            .query_row([no], end)
            .optional()?;
        let carried = self
            .connection
            .prepare_cached(
                "SELECT seq, rid FROM messages WHERE channel = ?1 AND seq IS NOT NULL ORDER BY id DESC LIMIT 1",
            )?
            .query_row([no], end)
            .optional()?;
        let (seq, rid) = bare.max(carried).max(self.snapshot_end(no)?).unwrap_or_default();
        Ok(Some(ChannelTail { no, seq, rid, line: None }))
    }

    fn channel_number(&self, channel: &ChannelId) -> Result<Option<i64>> {
        self.connection
            .prepare_cached("SELECT no FROM channels WHERE id = ?1")?
            .query_row([channel.as_str()], |row| row.get(0))
            .optional()
    }

    /// The record that a channel is compacted up to.
    fn snapshot_end(&self, no: i64) -> Result<Option<(u64, Option<[u8; 16]>)>> {
        self.connection
            .prepare_cached("SELECT seq, rid FROM snapshots WHERE channel = ?1")?
            .query_row([no], |row| Ok((get_u64(row, 0)?, row.get(1)?)))
            .optional()
    }

    /// The id of a record; only that of the last record is in memory.
    fn record_id(&self, tail: &ChannelTail, seq: u64) -> Result<Option<[u8; 16]>> {
        if seq == tail.seq {
            return Ok(tail.rid);
        }
        self.connection
            .prepare_cached(
                "SELECT rid FROM records WHERE channel = ?1 AND seq = ?2
                 UNION ALL SELECT rid FROM messages WHERE channel = ?1 AND seq = ?2",
            )?
            .query_row(params![tail.no, to_sqlite(seq)], |row| row.get(0))
            .optional()
    }

    /// Whether a record is stored already, with the same id.
    fn is_repeat(&self, tail: &ChannelTail, record: &RecordRow) -> Result<bool> {
        Ok(record.seq <= tail.seq && self.record_id(tail, record.seq)? == Some(record.rid))
    }

    fn append_transcript(&self, record: &RecordRow, tail: &mut ChannelTail) -> Result<()> {
        let mut n = match tail.line {
            Some(line) => line,
            None => self
                .connection
                .prepare_cached("SELECT max(n) FROM transcript WHERE channel = ?1")?
                .query_row([tail.no], |row| row.get::<_, Option<i64>>(0))?
                .map_or(0, i64::cast_unsigned),
        };
        for line in &record.lines {
            n += 1;
            let (from, to) = line.dm_members.unzip();
            self.connection
                .prepare_cached(
                    "INSERT INTO transcript (channel, n, from_no, to_no, json) VALUES (?1, ?2, ?3, ?4, ?5)",
                )?
                .execute(params![tail.no, to_sqlite(n), from, to, line.json.get().as_bytes()])?;
            if n > TRANSCRIPT_LINES && n.is_multiple_of(TRIM_LINES) {
                self.connection
                    .prepare_cached("DELETE FROM transcript WHERE channel = ?1 AND n <= ?2")?
                    .execute(params![tail.no, to_sqlite(n - TRANSCRIPT_LINES)])?;
            }
        }
        tail.line = Some(n);
        Ok(())
    }

    fn compact(&mut self, snapshot: &SnapshotRow) -> Result<WriteOutcome> {
        let Some(tail) = self.tail(&snapshot.channel)? else {
            return Ok(WriteOutcome::Refused(format!("channel {} does not exist", snapshot.channel)));
        };
        if snapshot.seq > tail.seq {
            return Ok(WriteOutcome::Refused(format!("channel {} has no record {}", snapshot.channel, snapshot.seq)));
        }
        let before = self.snapshot_end(tail.no)?;
        if before.is_some_and(|(seq, _)| seq > snapshot.seq) {
            return Ok(WriteOutcome::Done);
        }
        let rid = match before {
            Some((seq, rid)) if seq == snapshot.seq => rid,
            _ => self.record_id(&tail, snapshot.seq)?,
        };
        self.connection
            .prepare_cached("INSERT OR REPLACE INTO snapshots (channel, seq, rid, body) VALUES (?1, ?2, ?3, ?4)")?
            .execute(params![tail.no, to_sqlite(snapshot.seq), rid, snapshot.body])?;
        self.connection
            .prepare_cached("DELETE FROM records WHERE channel = ?1 AND seq <= ?2")?
            .execute(params![tail.no, to_sqlite(snapshot.seq)])?;
        self.delete_evicted(tail.no, snapshot)?;
        Ok(WriteOutcome::Done)
    }

    /// Deletes the messages that the state no longer holds.
    fn delete_evicted(&self, no: i64, snapshot: &SnapshotRow) -> Result<()> {
        let evicted = self
            .connection
            .prepare_cached("SELECT id FROM messages WHERE channel = ?1 AND id <= ?2 ORDER BY id")?
            .query_map(params![no, to_sqlite(snapshot.evicted_upto)], |row| get_u64(row, 0))?
            .filter(|id| !id.as_ref().is_ok_and(|id| snapshot.held.binary_search(id).is_ok()))
            .take(COMPACT_MESSAGES)
            .collect::<Result<Vec<_>>>()?;
        let mut delete = self.connection.prepare_cached("DELETE FROM messages WHERE channel = ?1 AND id = ?2")?;
        for id in evicted {
            delete.execute(params![no, to_sqlite(id)])?;
        }
        Ok(())
    }

    fn delete_channel(&mut self, channel: &ChannelId) -> Result<WriteOutcome> {
        self.tails.remove(channel);
        let Some(no) = self.channel_number(channel)? else { return Ok(WriteOutcome::Conflict) };
        let was_band: bool = self
            .connection
            .prepare_cached("DELETE FROM channels WHERE no = ?1 RETURNING settings IS NULL")?
            .query_row([no], |row| row.get(0))?;
        self.effects.channels -= i64::from(!was_band);
        self.effects.has_deleted = true;
        webhook_rows::delete_channel(self.connection, channel)?;
        if !purge::purge_channel(self.connection, no, &mut self.effects.purge_budget)? {
            self.connection.prepare_cached("INSERT INTO erasing (channel) VALUES (?1)")?.execute([no])?;
            self.effects.has_purge_left = true;
        }
        Ok(WriteOutcome::Done)
    }

    fn mark_used(&self, channels: &[(ChannelId, u64)]) -> Result<WriteOutcome> {
        let mut update =
            self.connection.prepare_cached("UPDATE channels SET used_ms = ?2 WHERE id = ?1 AND used_ms < ?2")?;
        for (channel, at_ms) in channels {
            update.execute(params![channel.as_str(), to_sqlite(*at_ms)])?;
        }
        Ok(WriteOutcome::Done)
    }

    fn reserve_ids(&mut self, upto: u64) -> Result<WriteOutcome> {
        self.effects.id_high_water_mark = self.effects.id_high_water_mark.max(upto);
        self.connection
            .prepare_cached("UPDATE hub SET value = max(value, ?1) WHERE name = 'floor'")?
            .execute([to_sqlite(upto)])?;
        Ok(WriteOutcome::Done)
    }

    pub(super) fn put_meta(&self, name: &str, value: &dyn ToSql) -> Result<WriteOutcome> {
        meta::put(self.connection, name, value)?;
        Ok(WriteOutcome::Done)
    }

    /// Adds the transaction's change to the stored number of channels.
    pub(super) fn update_channel_count(&self) -> Result<()> {
        self.connection
            .prepare_cached("UPDATE hub SET value = value + ?1 WHERE name = 'channels'")?
            .execute([self.effects.channels])?;
        Ok(())
    }
}
