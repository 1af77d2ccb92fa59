//! Reading the state, the messages and the transcript of a channel. Everything is from one point in time.

use std::collections::HashSet;
use std::sync::Arc;

use rogerrat_actors::{
    LogError, StoredChannel, TRANSCRIPT_PAGE_BYTES, TRANSCRIPT_PAGE_LINES, TranscriptPage, TranscriptPart,
};
use rogerrat_domain::transcript::TranscriptLine;
use rogerrat_domain::{BacklogEntry, ChannelId, Message, MessageId, Record, Snapshot, limits};
use serde_json::value::RawValue;
use tokio_postgres::Row;

use super::body_key::{BodyCipher, BodyKeys, RowKind};
use super::int::{get_u64, to_sql};
use super::queue::Done;
use super::session::Session;
use crate::shared::encoding::{decode_json, decode_record};

/// Lines of a transcript that are read at a time.
const LINES: i64 = 250;

/// Reads with one snapshot of the database.
async fn begin(session: &Session) -> Done<()> {
    session.batch("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY").await
}

/// The number of a channel and of its last transcript line, and its cipher; none if it does not exist.
async fn open(session: &Session, keys: &BodyKeys, channel: &ChannelId) -> Done<Option<(i64, u64, BodyCipher)>> {
    let sql = "SELECT no, lines, body_key FROM channels WHERE id = $1";
    let Some(row) = session.query_opt(sql, &[&channel.as_str()]).await? else { return Ok(None) };
    Ok(Some((row.try_get(0)?, get_u64(&row, 1)?, keys.open(channel, row.try_get(2)?)?)))
}

/// Names the channel of a damaged row.
fn of_channel(channel: &ChannelId) -> impl Fn(LogError) -> LogError {
    move |error| match error {
        LogError::Damaged(why) => LogError::Damaged(format!("channel {channel}: {why}")),
        error => error,
    }
}

/// The state of a channel.
pub(super) async fn load(session: &Session, keys: &BodyKeys, channel: &ChannelId) -> Done<StoredChannel> {
    begin(session).await?;
    let stored = match open(session, keys, channel).await? {
        Some((no, _, cipher)) => load_of(session, channel, no, &cipher).await?,
        None => StoredChannel::default(),
    };
    session.batch("COMMIT").await?;
    Ok(stored)
}

async fn load_of(session: &Session, channel: &ChannelId, no: i64, cipher: &BodyCipher) -> Done<StoredChannel> {
    let found = session.query_opt("SELECT seq, body FROM snapshots WHERE channel = $1", &[&no]).await?;
    let (mut seq, mut snapshot) = (0, None);
    if let Some(row) = found {
        seq = get_u64(&row, 0)?;
        let body = cipher.decrypt(RowKind::Snapshot, seq, row.try_get(1)?).map_err(of_channel(channel))?;
        snapshot = Some(decode_json::<Snapshot>(channel, "the snapshot", &body)?);
    }
    let sql = "SELECT seq, rid, body FROM records WHERE channel = $1 AND seq > $2 ORDER BY seq";
    let mut records = Vec::new();
    for row in session.query(sql, &[&no, &to_sql(seq)]).await? {
        let record = record(channel, cipher, &row)?;
        if record.seq != seq + 1 {
            return Err(LogError::Damaged(format!("record {} of channel {channel} is missing", seq + 1)).into());
        }
        seq = record.seq;
        records.push(record);
    }
    let evicted_upto = snapshot.as_ref().map_or(0, Snapshot::evicted_upto);
    let held = snapshot.as_ref().map(|state| state.held().collect::<HashSet<_>>()).unwrap_or_default();
    let sql = "SELECT id, from_no, to_no, bytes FROM messages WHERE channel = $1 ORDER BY id";
    let mut backlog = Vec::new();
    for row in session.query(sql, &[&no]).await? {
        let entry = backlog_entry(&row)?;
        // The state has evicted the others; a later compaction deletes them.
        if entry.id > evicted_upto || held.contains(&entry.id) {
            backlog.push(entry);
        }
    }
    Ok(StoredChannel { seq, snapshot, records, backlog, ..StoredChannel::default() })
}

fn record(channel: &ChannelId, cipher: &BodyCipher, row: &Row) -> Done<Record> {
    let seq = get_u64(row, 0)?;
    let rid = <[u8; 16]>::try_from(row.try_get::<_, &[u8]>(1)?)
        .map_err(|_| LogError::Damaged(format!("the id of record {seq} of channel {channel}")))?;
    let body = cipher.decrypt(RowKind::Record, seq, row.try_get(2)?).map_err(of_channel(channel))?;
    Ok(decode_record(channel, seq, rid, &body)?)
}

fn backlog_entry(row: &Row) -> Done<BacklogEntry> {
    let id = get_u64(row, 0)?;
    let json_bytes = usize::try_from(get_u64(row, 3)?).unwrap_or(usize::MAX);
    let (from, to) = (member(row, 1)?.unwrap_or(0), member(row, 2)?);
    Ok(BacklogEntry { id, from, to, weight_bytes: Message::weight_of(id, json_bytes) })
}

fn member(row: &Row, column: usize) -> Done<Option<u32>> {
    let no: Option<i64> = row.try_get(column)?;
    let damaged = || LogError::Damaged("the number of a member".into());
    Ok(no.map(|no| u32::try_from(no).map_err(|_| damaged())).transpose()?)
}

/// Messages by their ids, in that order, without those that are no longer stored.
pub(super) async fn messages(
    session: &Session,
    keys: &BodyKeys,
    channel: &ChannelId,
    ids: &[MessageId],
) -> Done<Vec<Arc<Message>>> {
    let sql = "SELECT m.id, m.from_no, m.to_no, m.body, c.body_key
               FROM unnest($2::bigint[]) WITH ORDINALITY AS i(id, n)
               JOIN channels c ON c.id = $1 JOIN messages m ON m.channel = c.no AND m.id = i.id ORDER BY i.n";
    let ids: Vec<_> = ids.iter().map(|id| to_sql(*id)).collect();
    let rows = session.query(sql, &[&channel.as_str(), &ids]).await?;
    let Some(first) = rows.first() else { return Ok(Vec::new()) };
    let cipher = keys.open(channel, first.try_get(4)?)?;
    let mut messages = Vec::with_capacity(rows.len());
    for row in &rows {
        let id = get_u64(row, 0)?;
        let json = cipher.decrypt(RowKind::Message, id, row.try_get(3)?).map_err(of_channel(channel))?;
        let message = Message::from_json(id, member(row, 1)?.unwrap_or(0), member(row, 2)?, &json);
        messages.push(Arc::new(message.map_err(|bad| LogError::Damaged(format!("channel {channel}: {bad}")))?));
    }
    Ok(messages)
}

/// A page of a transcript.
pub(super) async fn transcript(
    session: &Session,
    keys: &BodyKeys,
    channel: &ChannelId,
    part: TranscriptPart,
) -> Done<TranscriptPage> {
    begin(session).await?;
    let mut page = TranscriptPage::default();
    if let Some((no, last, cipher)) = open(session, keys, channel).await? {
        let (from, upto) = match part {
            TranscriptPart::Numbered { from, upto } => (from, upto),
            TranscriptPart::Last(lines) => {
                ((last + 1).saturating_sub(lines.min(limits::TRANSCRIPT_LINES) as u64), last)
            }
        };
        read_lines(session, no, &cipher, (from, upto), &mut page).await?;
    }
    session.batch("COMMIT").await?;
    if page.damaged > 0 {
        let lines = page.damaged;
        log::error!(channel:display, lines; "left out damaged lines of a transcript");
    }
    Ok(page)
}

async fn read_lines(
    session: &Session,
    no: i64,
    cipher: &BodyCipher,
    (mut from, upto): (u64, u64),
    page: &mut TranscriptPage,
) -> Done<()> {
    let mut bytes = 0;
    let sql = "SELECT n, from_no, to_no, json FROM transcript WHERE channel = $1 AND n BETWEEN $2 AND $3
               ORDER BY n LIMIT $4";
    loop {
        let rows = session.query(sql, &[&no, &to_sql(from), &to_sql(upto), &LINES]).await?;
        for row in &rows {
            let n = get_u64(row, 0)?;
            from = n + 1;
            match line(cipher, n, row) {
                Some(line) => {
                    bytes += line.json.get().len();
                    page.lines.push(line);
                }
                None => page.damaged += 1,
            }
            if n < upto && (bytes >= TRANSCRIPT_PAGE_BYTES || page.lines.len() >= TRANSCRIPT_PAGE_LINES) {
                page.rest = Some(TranscriptPart::Numbered { from, upto });
                return Ok(());
            }
        }
        if i64::try_from(rows.len()).is_ok_and(|rows| rows < LINES) {
            return Ok(());
        }
    }
}

/// Decodes a line. None if it is damaged.
fn line(cipher: &BodyCipher, n: u64, row: &Row) -> Option<TranscriptLine> {
    let dm_members = match (member(row, 1).ok()?, member(row, 2).ok()?) {
        (None, None) => None,
        (Some(from), Some(to)) => Some((from, to)),
        // It is not known who may see it.
        _ => return None,
    };
    let json = String::from_utf8(cipher.decrypt(RowKind::Line, n, row.try_get(3).ok()?).ok()?).ok()?;
    let json = RawValue::from_string(json).ok()?;
    json.get().starts_with('{').then_some(TranscriptLine { dm_members, json })
}
