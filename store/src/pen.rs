//! Writes one thing after another within a transaction. It never begins or ends one.

use std::collections::HashMap;

use rogerrat_domain::{AccountId, ChannelId, limits};
use rusqlite::{Connection, OptionalExtension as _, Result, params};

use super::body::{Draft, Folded};
use super::job::{Outcome, Work};
use super::number::{signed, unsigned};
use super::{erase, letters};

/// Lines of a channel's transcript that stay.
const TRANSCRIPT_LINES: u64 = limits::TRANSCRIPT_LINES as u64;
/// So many lines more are there at times, because they are deleted so many at once.
const TRIM_LINES: u64 = 512;
/// Messages one fold deletes; what is left is not read any more, and goes with the next fold.
const FOLD_MESSAGES: usize = 4096;
/// Channels whose heads the writer remembers: some 100 bytes each.
const HEADS: usize = 65_536;

/// The end of a channel's log.
#[derive(Clone, Copy, Debug)]
pub(super) struct Head {
    no: i64,
    seq: u64,
    rid: Option<[u8; 16]>,
    /// The last line of its transcript; none if nobody looked yet.
    line: Option<u64>,
}

/// The ends the writer remembers. They are true only after a commit, so a rollback forgets them all.
#[derive(Debug, Default)]
pub(super) struct Heads(HashMap<ChannelId, Head>);

/// What a transaction changes outside the tables, once it is committed.
#[derive(Debug, Default)]
pub(super) struct Change {
    /// Channels more, or less.
    pub(super) channels: i64,
    pub(super) floor: u64,
    /// Something was deleted that must not be read again.
    pub(super) erased: bool,
    /// Some of it is still to be deleted.
    pub(super) unfinished: bool,
    /// What may still be deleted in this transaction.
    pub(super) budget: erase::Budget,
}

pub(super) struct Pen<'w> {
    pub(super) connection: &'w Connection,
    pub(super) heads: &'w mut Heads,
    pub(super) change: &'w mut Change,
}

impl Heads {
    pub(super) fn clear(&mut self) {
        self.0.clear();
    }

    fn put(&mut self, channel: &ChannelId, head: Head) {
        if self.0.len() >= HEADS && !self.0.contains_key(channel) {
            self.0.clear();
        }
        self.0.insert(channel.clone(), head);
    }
}

impl Pen<'_> {
    pub(super) fn write(&mut self, work: &Work) -> Result<Outcome> {
        match work {
            Work::Append(draft) => self.append(draft),
            Work::Own(draft, owner, limit) => self.open_channel(draft, owner, *limit),
            Work::Account(change) => self.account(change),
            Work::Fold(folded) => self.fold(folded),
            Work::Forget(channel) => self.forget(channel),
            Work::Used(channels) => self.used(channels),
            Work::Floor(to) => self.floor(*to),
            Work::Note(name, text) => self.set(&note(name), text),
            Work::Row(kind, name, text) => self.row(kind, name, text.as_deref()),
            Work::Letters(letters) => letters.write(self.connection),
            Work::Probe(n) => self.set("probe", n),
            Work::Sync => Ok(Outcome::Done),
            #[cfg(test)]
            Work::Panic => panic!("a writer that panics, for the test"),
        }
    }

    fn row(&self, kind: &str, name: &str, text: Option<&str>) -> Result<Outcome> {
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
        Ok(Outcome::Done)
    }

    pub(super) fn append(&mut self, draft: &Draft) -> Result<Outcome> {
        let mut head = match self.head(&draft.channel)? {
            None if draft.seq == 1 => self.create(draft)?,
            Some(head) if draft.seq == head.seq + 1 && !draft.creates => head,
            Some(head) if self.is_repeated(&head, draft)? => return Ok(Outcome::Done),
            _ => return Ok(Outcome::Conflict),
        };
        self.record(draft, head.no)?;
        if let Some(settings) = draft.settings.as_ref().filter(|_| !draft.creates) {
            self.connection
                .prepare_cached("UPDATE channels SET settings = ?2 WHERE no = ?1")?
                .execute(params![head.no, settings])?;
        }
        if !draft.lines.is_empty() {
            self.transcribe(draft, &mut head)?;
        }
        draft.due.iter().try_for_each(|due| due.write(self.connection))?;
        head.seq = draft.seq;
        head.rid = Some(draft.rid);
        self.heads.put(&draft.channel, head);
        Ok(Outcome::Done)
    }

    /// Writes a record, and the messages in it.
    fn record(&self, draft: &Draft, no: i64) -> Result<()> {
        let Draft { seq, rid, body, messages, .. } = draft;
        if messages.is_empty() {
            self.connection
                .prepare_cached("INSERT INTO records (channel, seq, rid, body) VALUES (?1, ?2, ?3, ?4)")?
                .execute(params![no, signed(*seq), rid, body])?;
        }
        for (n, text) in messages.iter().enumerate() {
            let carried = (n == 0).then_some((signed(*seq), rid, body));
            self.connection
                .prepare_cached(
                    "INSERT INTO messages (channel, id, from_no, to_no, seq, rid, record, body)
                     VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
                )?
                .execute(params![
                    no,
                    signed(text.id),
                    text.from,
                    text.to,
                    carried.map(|(seq, ..)| seq),
                    carried.map(|(_, rid, _)| rid),
                    carried.map(|(.., body)| body),
                    &text.json[..]
                ])?;
        }
        Ok(())
    }

    fn create(&mut self, draft: &Draft) -> Result<Head> {
        self.connection
            .prepare_cached(
                "INSERT INTO channels (id, settings, owner, created_ms, used_ms) VALUES (?1, ?2, ?3, ?4, ?4)",
            )?
            .execute(params![
                draft.channel.as_str(),
                draft.settings,
                draft.owner.as_ref().map(AccountId::as_str),
                signed(draft.at_ms)
            ])?;
        self.change.channels += i64::from(draft.settings.is_some());
        Ok(Head { no: self.connection.last_insert_rowid(), seq: 0, rid: None, line: Some(0) })
    }

    fn head(&self, channel: &ChannelId) -> Result<Option<Head>> {
        if let Some(head) = self.heads.0.get(channel) {
            return Ok(Some(*head));
        }
        let Some(no) = self.no(channel)? else { return Ok(None) };
        let end = |row: &rusqlite::Row<'_>| Ok((unsigned(row, 0)?, row.get(1)?));
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
        let (seq, rid) = bare.max(carried).max(self.snapshot(no)?).unwrap_or_default();
        Ok(Some(Head { no, seq, rid, line: None }))
    }

    fn no(&self, channel: &ChannelId) -> Result<Option<i64>> {
        self.connection
            .prepare_cached("SELECT no FROM channels WHERE id = ?1")?
            .query_row([channel.as_str()], |row| row.get(0))
            .optional()
    }

    /// What record a channel is folded up to.
    fn snapshot(&self, no: i64) -> Result<Option<(u64, Option<[u8; 16]>)>> {
        self.connection
            .prepare_cached("SELECT seq, rid FROM snapshots WHERE channel = ?1")?
            .query_row([no], |row| Ok((unsigned(row, 0)?, row.get(1)?)))
            .optional()
    }

    /// The id of a record. One that is not the last is rarely asked for.
    fn rid(&self, head: &Head, seq: u64) -> Result<Option<[u8; 16]>> {
        if seq == head.seq {
            return Ok(head.rid);
        }
        self.connection
            .prepare_cached(
                "SELECT rid FROM records WHERE channel = ?1 AND seq = ?2
                 UNION ALL SELECT rid FROM messages WHERE channel = ?1 AND seq = ?2",
            )?
            .query_row(params![head.no, signed(seq)], |row| row.get(0))
            .optional()
    }

    fn is_repeated(&self, head: &Head, draft: &Draft) -> Result<bool> {
        Ok(draft.seq <= head.seq && self.rid(head, draft.seq)? == Some(draft.rid))
    }

    fn transcribe(&self, draft: &Draft, head: &mut Head) -> Result<()> {
        let mut n = match head.line {
            Some(line) => line,
            None => self
                .connection
                .prepare_cached("SELECT max(n) FROM transcript WHERE channel = ?1")?
                .query_row([head.no], |row| row.get::<_, Option<i64>>(0))?
                .map_or(0, i64::cast_unsigned),
        };
        for line in &draft.lines {
            n += 1;
            let (from, to) = line.ends.unzip();
            self.connection
                .prepare_cached(
                    "INSERT INTO transcript (channel, n, from_no, to_no, json) VALUES (?1, ?2, ?3, ?4, ?5)",
                )?
                .execute(params![head.no, signed(n), from, to, line.json.get().as_bytes()])?;
            if n > TRANSCRIPT_LINES && n.is_multiple_of(TRIM_LINES) {
                self.connection
                    .prepare_cached("DELETE FROM transcript WHERE channel = ?1 AND n <= ?2")?
                    .execute(params![head.no, signed(n - TRANSCRIPT_LINES)])?;
            }
        }
        head.line = Some(n);
        Ok(())
    }

    fn fold(&mut self, folded: &Folded) -> Result<Outcome> {
        let Some(head) = self.head(&folded.channel)? else {
            return Ok(Outcome::Refused(format!("there is no channel {}", folded.channel)));
        };
        if folded.seq > head.seq {
            return Ok(Outcome::Refused(format!("channel {} has no record {}", folded.channel, folded.seq)));
        }
        let before = self.snapshot(head.no)?;
        if before.is_some_and(|(seq, _)| seq > folded.seq) {
            return Ok(Outcome::Done);
        }
        let rid = match before {
            Some((seq, rid)) if seq == folded.seq => rid,
            _ => self.rid(&head, folded.seq)?,
        };
        self.connection
            .prepare_cached("INSERT OR REPLACE INTO snapshots (channel, seq, rid, body) VALUES (?1, ?2, ?3, ?4)")?
            .execute(params![head.no, signed(folded.seq), rid, folded.body])?;
        self.connection
            .prepare_cached("DELETE FROM records WHERE channel = ?1 AND seq <= ?2")?
            .execute(params![head.no, signed(folded.seq)])?;
        self.let_go(head.no, folded)?;
        Ok(Outcome::Done)
    }

    /// Deletes the messages a state no longer holds.
    fn let_go(&self, no: i64, folded: &Folded) -> Result<()> {
        let departed = self
            .connection
            .prepare_cached("SELECT id FROM messages WHERE channel = ?1 AND id <= ?2 ORDER BY id")?
            .query_map(params![no, signed(folded.departed)], |row| unsigned(row, 0))?
            .filter(|id| !id.as_ref().is_ok_and(|id| folded.held.binary_search(id).is_ok()))
            .take(FOLD_MESSAGES)
            .collect::<Result<Vec<_>>>()?;
        let mut delete = self.connection.prepare_cached("DELETE FROM messages WHERE channel = ?1 AND id = ?2")?;
        for id in departed {
            delete.execute(params![no, signed(id)])?;
        }
        Ok(())
    }

    fn forget(&mut self, channel: &ChannelId) -> Result<Outcome> {
        self.heads.0.remove(channel);
        let Some(no) = self.no(channel)? else { return Ok(Outcome::Conflict) };
        let was_band: bool = self
            .connection
            .prepare_cached("DELETE FROM channels WHERE no = ?1 RETURNING settings IS NULL")?
            .query_row([no], |row| row.get(0))?;
        self.change.channels -= i64::from(!was_band);
        self.change.erased = true;
        letters::forget(self.connection, channel)?;
        if !erase::channel(self.connection, no, &mut self.change.budget)? {
            self.connection.prepare_cached("INSERT INTO erasing (channel) VALUES (?1)")?.execute([no])?;
            self.change.unfinished = true;
        }
        Ok(Outcome::Done)
    }

    fn used(&self, channels: &[(ChannelId, u64)]) -> Result<Outcome> {
        let mut note =
            self.connection.prepare_cached("UPDATE channels SET used_ms = ?2 WHERE id = ?1 AND used_ms < ?2")?;
        for (channel, at_ms) in channels {
            note.execute(params![channel.as_str(), signed(*at_ms)])?;
        }
        Ok(Outcome::Done)
    }

    fn floor(&mut self, to: u64) -> Result<Outcome> {
        self.change.floor = self.change.floor.max(to);
        self.connection
            .prepare_cached("UPDATE hub SET value = max(value, ?1) WHERE name = 'floor'")?
            .execute([signed(to)])?;
        Ok(Outcome::Done)
    }

    pub(super) fn set(&self, name: &str, value: &dyn rusqlite::ToSql) -> Result<Outcome> {
        self.connection
            .prepare_cached("INSERT OR REPLACE INTO hub (name, value) VALUES (?1, ?2)")?
            .execute(params![name, value])?;
        Ok(Outcome::Done)
    }

    /// Writes down how many channels there are now.
    pub(super) fn count(&self) -> Result<()> {
        self.connection
            .prepare_cached("UPDATE hub SET value = value + ?1 WHERE name = 'channels'")?
            .execute([self.change.channels])?;
        Ok(())
    }
}

/// Under what name a note stands in the table of the hub.
pub(super) fn note(name: &str) -> String {
    format!("note {name}")
}
