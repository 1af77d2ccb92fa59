//! Appends: the records of all channels that wait, in arrays, and one by one what does not fit in.
//!
//! The row of a channel is updated first, if the caller owns the channel and the records continue its log; the lock of that row
//! orders everything that is written of the channel. What follows is inserted for the channels whose rows were updated.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use futures_util::future::try_join4;
use rogerrat_actors::AppendResult;
use rogerrat_domain::{ChannelId, limits};

use super::body_key::{BodyCipher, BodyKeys, RowKind};
use super::int::{get_u64, to_sql};
use super::queue::Done;
use super::session::Session;
use super::webhook_rows;
use crate::shared::rows::RecordRow;

/// Transcript lines that a channel keeps.
const TRANSCRIPT_LINES: u64 = limits::TRANSCRIPT_LINES as u64;
/// A transcript is trimmed once in this many lines, and exceeds its bound by as many until then.
const TRIM_LINES: u64 = 512;

/// Writes rows of channels as an instance.
#[derive(Clone)]
pub(super) struct ChannelWriter {
    pub(super) instance: i64,
    pub(super) keys: BodyKeys,
}

/// Consecutive records of one channel.
struct Chain<'r> {
    channel: &'r ChannelId,
    first: &'r RecordRow,
    last: &'r RecordRow,
    settings: Option<&'r [u8]>,
    lines: u64,
}

impl ChannelWriter {
    /// Appends records in their order. Returns a result for each.
    pub(super) async fn append(&self, session: &Session, records: &[&RecordRow]) -> Done<Vec<AppendResult>> {
        let mut results = Vec::with_capacity(records.len());
        let mut rest = records;
        while let Some(&first) = rest.first() {
            let (chains, length) = chains(rest);
            if length == 0 {
                results.push(self.append_one(session, first).await?);
                rest = &rest[1..];
                continue;
            }
            let (now, later) = rest.split_at(length);
            results.append(&mut self.append_chains(session, chains, now).await?);
            rest = later;
        }
        Ok(results)
    }

    async fn append_chains(
        &self,
        session: &Session,
        chains: Vec<Chain<'_>>,
        records: &[&RecordRow],
    ) -> Done<Vec<AppendResult>> {
        let (mut ids, mut before, mut seqs, mut fences) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        let (mut rids, mut lines, mut settings) = (Vec::new(), Vec::new(), Vec::new());
        for chain in &chains {
            ids.push(chain.channel.as_str());
            before.push(to_sql(chain.first.seq.saturating_sub(1)));
            seqs.push(to_sql(chain.last.seq));
            fences.push(to_sql(chain.first.fence));
            rids.push(&chain.last.rid[..]);
            lines.push(to_sql(chain.lines));
            settings.push(chain.settings);
        }
        let sql = "UPDATE channels c
             SET seq = i.seq, rid = i.rid, lines = c.lines + i.lines, settings = coalesce(i.settings, c.settings)
             FROM unnest($1::text[], $2::bigint[], $3::bigint[], $4::bigint[], $5::bytea[], $6::bigint[], $7::bytea[])
                 AS i(id, before, seq, fence, rid, lines, settings)
             WHERE c.id = i.id AND c.instance = $8 AND c.fence = i.fence AND c.seq = i.before
             RETURNING c.id, c.no, c.lines - i.lines, c.body_key";
        let updated =
            session.query(sql, &[&ids, &before, &seqs, &fences, &rids, &lines, &settings, &self.instance]).await?;
        let mut rows = Rows::default();
        let channels: HashMap<_, _> = chains.iter().map(|chain| (chain.channel.as_str(), chain.channel)).collect();
        let mut open = HashMap::with_capacity(updated.len());
        for row in &updated {
            let Some(&channel) = channels.get(row.try_get::<_, &str>(0)?) else { continue };
            let cipher = self.keys.open(channel, row.try_get(3)?)?;
            open.insert(channel, Open { no: row.try_get(1)?, line: get_u64(row, 2)?, cipher });
        }
        for record in records {
            if let Some(open) = open.get_mut(&record.channel) {
                rows.add(open, record);
            }
        }
        rows.insert(session).await?;
        let is_won = |record: &&&RecordRow| open.contains_key(&record.channel);
        let due: Vec<_> = records.iter().filter(is_won).flat_map(|record| &record.due).collect();
        webhook_rows::enqueue(session, &due).await?;
        let mut results = Vec::with_capacity(records.len());
        for &record in records {
            results.push(if open.contains_key(&record.channel) {
                AppendResult::Done
            } else {
                self.append_one(session, record).await?
            });
        }
        Ok(results)
    }

    /// Appends one record. Repeating a stored record succeeds; any other that does not continue the log of a channel that the
    /// caller owns is a conflict.
    pub(super) async fn append_one(&self, session: &Session, record: &RecordRow) -> Done<AppendResult> {
        let sql = "SELECT no, seq, rid, lines, body_key, instance = $2 AND fence = $3, settings IS NULL
                   FROM channels WHERE id = $1 FOR UPDATE";
        let id = record.channel.as_str();
        let Some(row) = session.query_opt(sql, &[&id, &self.instance, &to_sql(record.fence)]).await? else {
            return self.create(session, record).await;
        };
        let (no, seq): (i64, u64) = (row.try_get(0)?, get_u64(&row, 1)?);
        let is_owner = row.try_get::<_, Option<bool>>(5)?.unwrap_or(false);
        // A channel that was taken before it was created has no record and no settings.
        let is_unused = seq == 0 && row.try_get(6)?;
        let continues = match record.fence {
            0 => is_unused && record.seq == 1,
            _ => is_owner && record.seq == seq + 1 && !record.creates,
        };
        if !continues {
            let last: Option<&[u8]> = row.try_get(2)?;
            let is_repeat = record.seq <= seq
                && (record.seq == seq && last == Some(&record.rid[..]) || has_record(session, no, record).await?);
            return Ok(if is_repeat { AppendResult::Done } else { AppendResult::Conflict });
        }
        let update = "UPDATE channels SET seq = $2, rid = $3, lines = lines + $4, settings = coalesce($5, settings),
                      owner = coalesce($6, owner) WHERE no = $1";
        let (lines, owner) = (to_sql(record.lines.len() as u64), record.owner.as_ref().map(|owner| owner.as_str()));
        let seq = to_sql(record.seq);
        session.execute(update, &[&no, &seq, &&record.rid[..], &lines, &record.settings, &owner]).await?;
        let cipher = self.keys.open(&record.channel, row.try_get(4)?)?;
        insert_one(session, Open { no, line: get_u64(&row, 3)?, cipher }, record).await?;
        Ok(AppendResult::Done)
    }

    async fn create(&self, session: &Session, record: &RecordRow) -> Done<AppendResult> {
        if record.seq != 1 || record.fence != 0 {
            return Ok(AppendResult::Conflict);
        }
        let body_key = self.keys.create(&record.channel);
        let sql = "INSERT INTO channels (id, settings, owner, created_ms, used_ms, seq, rid, lines, body_key)
             SELECT $1::text, $2::bytea, $3::text, $4::bigint, $4, 1, $5::bytea, $6::bigint, $7::bytea
             WHERE EXISTS (SELECT 1 FROM instances WHERE id = $8 AND ended_at IS NULL)
             ON CONFLICT (id) DO NOTHING RETURNING no";
        let (owner, lines) = (record.owner.as_ref().map(|owner| owner.as_str()), to_sql(record.lines.len() as u64));
        let created = session
            .query_opt(
                sql,
                &[
                    &record.channel.as_str(),
                    &record.settings,
                    &owner,
                    &to_sql(record.at_ms),
                    &&record.rid[..],
                    &lines,
                    &body_key,
                    &self.instance,
                ],
            )
            .await?;
        // Another hub may have created it at the same time.
        let Some(row) = created else { return Ok(AppendResult::Conflict) };
        let cipher = self.keys.open(&record.channel, &body_key)?;
        insert_one(session, Open { no: row.try_get(0)?, line: 0, cipher }, record).await?;
        Ok(AppendResult::Done)
    }
}

/// Divides the records at the beginning into chains, one for each channel. Returns how many records are in them.
fn chains<'r>(records: &[&'r RecordRow]) -> (Vec<Chain<'r>>, usize) {
    let mut chains: Vec<Chain<'r>> = Vec::new();
    let mut known = HashMap::new();
    for (n, &record) in records.iter().enumerate() {
        if record.fence == 0 || record.creates {
            return (chains, n);
        }
        let lines = record.lines.len() as u64;
        match known.entry(&record.channel) {
            Entry::Vacant(entry) => {
                entry.insert(chains.len());
                let (channel, settings) = (&record.channel, record.settings.as_deref());
                chains.push(Chain { channel, first: record, last: record, settings, lines });
            }
            Entry::Occupied(entry) => {
                let chain = &mut chains[*entry.get()];
                if record.seq != chain.last.seq + 1 || record.fence != chain.last.fence {
                    return (chains, n);
                }
                chain.last = record;
                chain.settings = record.settings.as_deref().or(chain.settings);
                chain.lines += lines;
            }
        }
    }
    (chains, records.len())
}

async fn has_record(session: &Session, no: i64, record: &RecordRow) -> Done<bool> {
    let sql = "SELECT 1 FROM records WHERE channel = $1 AND seq = $2 AND rid = $3";
    Ok(session.query_opt(sql, &[&no, &to_sql(record.seq), &&record.rid[..]]).await?.is_some())
}

async fn insert_one(session: &Session, mut open: Open, record: &RecordRow) -> Done<()> {
    let mut rows = Rows::default();
    rows.add(&mut open, record);
    rows.insert(session).await?;
    webhook_rows::enqueue(session, &record.due.iter().collect::<Vec<_>>()).await
}

/// A channel whose row is locked.
struct Open {
    no: i64,
    /// The number of its last transcript line.
    line: u64,
    cipher: BodyCipher,
}

type Numbers = Vec<i64>;
/// Numbers of members, where there is one.
type Members = Vec<Option<i64>>;
type Bodies = Vec<Vec<u8>>;

/// Rows to insert, as the columns of each table.
#[derive(Default)]
struct Rows {
    records: (Numbers, Numbers, Bodies, Bodies),
    messages: (Numbers, Numbers, Numbers, Members, Numbers, Bodies),
    lines: (Numbers, Numbers, Members, Members, Bodies),
    /// Channels, and up to which line their transcripts are trimmed.
    trims: (Numbers, Numbers),
}

impl Rows {
    fn add(&mut self, open: &mut Open, record: &RecordRow) {
        let (no, cipher) = (open.no, &open.cipher);
        let (channels, seqs, rids, bodies) = &mut self.records;
        channels.push(no);
        seqs.push(to_sql(record.seq));
        rids.push(record.rid.to_vec());
        bodies.push(cipher.encrypt(RowKind::Record, record.seq, &record.body));
        for message in &record.messages {
            let (channels, ids, from, to, bytes, bodies) = &mut self.messages;
            channels.push(no);
            ids.push(to_sql(message.id));
            from.push(message.from.into());
            to.push(message.to.map(Into::into));
            bytes.push(to_sql(message.json.len() as u64));
            bodies.push(cipher.encrypt(RowKind::Message, message.id, &message.json));
        }
        for line in &record.lines {
            open.line += 1;
            let n = open.line;
            let (channels, numbers, from, to, jsons) = &mut self.lines;
            let dm = line.dm_members.unzip();
            channels.push(no);
            numbers.push(to_sql(n));
            from.push(dm.0.map(Into::into));
            to.push(dm.1.map(Into::into));
            jsons.push(cipher.encrypt(RowKind::Line, n, line.json.get().as_bytes()));
            if n > TRANSCRIPT_LINES && n.is_multiple_of(TRIM_LINES) {
                self.trims.0.push(no);
                self.trims.1.push(to_sql(n - TRANSCRIPT_LINES));
            }
        }
    }

    /// Inserts the rows; the statements are sent without waiting for each other.
    async fn insert(&self, session: &Session) -> Done<()> {
        let records = async {
            let (channels, seqs, rids, bodies) = &self.records;
            let sql = "INSERT INTO records (channel, seq, rid, body)
                       SELECT * FROM unnest($1::bigint[], $2::bigint[], $3::bytea[], $4::bytea[])";
            if channels.is_empty() { Ok(0) } else { session.execute(sql, &[channels, seqs, rids, bodies]).await }
        };
        let messages = async {
            let (channels, ids, from, to, bytes, bodies) = &self.messages;
            let sql = "INSERT INTO messages (channel, id, from_no, to_no, bytes, body) SELECT * FROM
                       unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::bigint[], $5::bigint[], $6::bytea[])";
            if channels.is_empty() {
                return Ok(0);
            }
            session.execute(sql, &[channels, ids, from, to, bytes, bodies]).await
        };
        let lines = async {
            let (channels, numbers, from, to, jsons) = &self.lines;
            let sql = "INSERT INTO transcript (channel, n, from_no, to_no, json)
                       SELECT * FROM unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::bigint[], $5::bytea[])";
            if channels.is_empty() { Ok(0) } else { session.execute(sql, &[channels, numbers, from, to, jsons]).await }
        };
        let trims = async {
            let (channels, upto) = &self.trims;
            let sql = "DELETE FROM transcript t USING unnest($1::bigint[], $2::bigint[]) AS i(channel, upto)
                       WHERE t.channel = i.channel AND t.n <= i.upto";
            if channels.is_empty() { Ok(0) } else { session.execute(sql, &[channels, upto]).await }
        };
        try_join4(records, messages, lines, trims).await?;
        Ok(())
    }
}
