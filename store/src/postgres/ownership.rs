//! Taking and giving up channels, and what only their owner may do beside appending: compacting and deleting them.

use rogerrat_actors::{LogError, PreviousOwner};
use rogerrat_domain::{ChannelId, Settings};
use tokio_postgres::Row;

use super::append::ChannelWriter;
use super::body_key::RowKind;
use super::int::{get_u64, to_sql};
use super::queue::Done;
use super::session::Session;
use super::webhook_rows;
use crate::shared::encoding::decode_json;
use crate::shared::rows::SnapshotRow;

/// Messages that one compaction deletes. Readers ignore the rest, and the next compaction deletes it.
const COMPACT_MESSAGES: i64 = 4096;
/// Rows of deleted channels that one transaction deletes.
const ERASE_ROWS: i64 = 4096;

/// A channel that was taken.
pub(super) struct Taken {
    pub(super) fence: u64,
    pub(super) previous_owner: PreviousOwner,
    pub(super) settings: Option<Settings>,
}

impl ChannelWriter {
    /// Makes this instance the owner of a channel.
    pub(super) async fn take(&self, session: &Session, channel: &ChannelId) -> Done<Result<Taken, LogError>> {
        let me = "SELECT 1 FROM instances WHERE id = $1 AND ended_at IS NULL";
        if session.query_opt(me, &[&self.instance]).await?.is_none() {
            return Ok(Err(LogError::Ended));
        }
        let row = match self.lock(session, channel).await? {
            Some(row) => row,
            None => {
                let sql = "INSERT INTO channels (id, created_ms, used_ms, body_key)
                           SELECT $1::text, ms, ms, $2::bytea FROM (SELECT (extract(epoch FROM now()) * 1000)::bigint AS ms) AS at
                           ON CONFLICT (id) DO NOTHING";
                session.execute(sql, &[&channel.as_str(), &self.keys.create(channel)]).await?;
                match self.lock(session, channel).await? {
                    Some(row) => row,
                    None => return Ok(Err(LogError::Failed("the channel was deleted at the same time".into()))),
                }
            }
        };
        let (no, owner): (i64, Option<i64>) = (row.try_get(0)?, row.try_get(1)?);
        if is_of_another(&row, self.instance)? {
            return Ok(Err(LogError::NotOwner));
        }
        let mut id_floor = get_u64(&row, 2)?;
        let previous_owner = match owner {
            None => PreviousOwner::GaveUp,
            Some(_) => {
                let ceiling: Option<i64> = row.try_get(4)?;
                id_floor = id_floor.max(u64::try_from(ceiling.unwrap_or(0)).unwrap_or(0));
                PreviousOwner::Lost { id_ceiling: id_floor }
            }
        };
        // The row is locked, so the fence is higher than any before.
        let sql = "UPDATE channels SET instance = $2, fence = nextval('fences'), id_floor = $3 WHERE no = $1
                   RETURNING fence";
        let fence = get_u64(&session.query_one(sql, &[&no, &self.instance, &to_sql(id_floor)]).await?, 0)?;
        let settings = row.try_get::<_, Option<&[u8]>>(5)?;
        let settings = settings.map(|settings| decode_json(channel, "the settings", settings)).transpose();
        Ok(settings.map(|settings| Taken { fence, previous_owner, settings }))
    }

    /// Locks the row of a channel: its number, owner, id floor, whether the owner is alive, the owner's ceiling, settings and
    /// number of records.
    async fn lock(&self, session: &Session, channel: &ChannelId) -> Done<Option<Row>> {
        // The lock is taken first: the owner must be read as it is then.
        let lock = "SELECT no FROM channels WHERE id = $1 FOR UPDATE";
        if session.query_opt(lock, &[&channel.as_str()]).await?.is_none() {
            return Ok(None);
        }
        let sql =
            "SELECT c.no, c.instance, c.id_floor, i.id IS NOT NULL AND i.ended_at IS NULL, l.id_ceiling, c.settings,
                   c.seq FROM channels c LEFT JOIN instances i ON i.id = c.instance
                   LEFT JOIN id_ceilings l ON l.instance = c.instance WHERE c.id = $1";
        session.query_opt(sql, &[&channel.as_str()]).await
    }

    /// Replaces the records up to one by a snapshot, and ends the ownership if `gives_up`.
    pub(super) async fn compact(
        &self,
        session: &Session,
        fence: u64,
        snapshot: &SnapshotRow,
        gives_up: bool,
    ) -> Done<Result<(), LogError>> {
        let sql = "SELECT no, seq, body_key FROM channels WHERE id = $1 AND instance = $2 AND fence = $3 FOR UPDATE";
        let id = snapshot.channel.as_str();
        let Some(row) = session.query_opt(sql, &[&id, &self.instance, &to_sql(fence)]).await? else {
            return Ok(Err(LogError::NotOwner));
        };
        let (no, seq): (i64, u64) = (row.try_get(0)?, get_u64(&row, 1)?);
        if snapshot.seq > seq {
            return Ok(Err(LogError::Failed(format!("channel {id} has no record {}", snapshot.seq))));
        }
        // A band without any record has no state.
        if snapshot.seq > 0 {
            let cipher = self.keys.open(&snapshot.channel, row.try_get(2)?)?;
            let body = cipher.encrypt(RowKind::Snapshot, snapshot.seq, &snapshot.body);
            self.put_snapshot(session, no, snapshot, &body).await?;
        }
        if gives_up {
            session.execute("UPDATE channels SET instance = NULL WHERE no = $1", &[&no]).await?;
        }
        Ok(Ok(()))
    }

    async fn put_snapshot(&self, session: &Session, no: i64, snapshot: &SnapshotRow, body: &[u8]) -> Done<()> {
        let sql = "INSERT INTO snapshots (channel, seq, body) VALUES ($1, $2, $3)
                   ON CONFLICT (channel) DO UPDATE SET seq = excluded.seq, body = excluded.body
                   WHERE snapshots.seq <= excluded.seq";
        let seq = to_sql(snapshot.seq);
        if session.execute(sql, &[&no, &seq, &body]).await? == 0 {
            // There is a newer one.
            return Ok(());
        }
        session.execute("DELETE FROM records WHERE channel = $1 AND seq <= $2", &[&no, &seq]).await?;
        let held: Vec<_> = snapshot.held.iter().map(|id| to_sql(*id)).collect();
        let sql = "DELETE FROM messages WHERE channel = $1 AND id IN (
                   SELECT id FROM messages WHERE channel = $1 AND id <= $2 AND id <> ALL ($3::bigint[])
                   ORDER BY id LIMIT $4)";
        session.execute(sql, &[&no, &to_sql(snapshot.evicted_upto), &held, &COMPACT_MESSAGES]).await?;
        Ok(())
    }

    /// Deletes a channel, with its key. False if it did not exist.
    pub(super) async fn delete(&self, session: &Session, channel: &ChannelId) -> Done<Result<bool, LogError>> {
        let Some(row) = self.lock(session, channel).await? else { return Ok(Ok(false)) };
        if is_of_another(&row, self.instance)? {
            return Ok(Err(LogError::NotOwner));
        }
        let no: i64 = row.try_get(0)?;
        session.execute("DELETE FROM channels WHERE no = $1", &[&no]).await?;
        webhook_rows::delete_channel(session, channel).await?;
        session.execute("INSERT INTO erasing (channel) VALUES ($1)", &[&no]).await?;
        Ok(Ok(get_u64(&row, 6)? > 0))
    }
}

/// Whether a locked channel is owned by another instance that has not ended.
fn is_of_another(row: &Row, instance: i64) -> Done<bool> {
    let (owner, is_alive): (Option<i64>, bool) = (row.try_get(1)?, row.try_get(3)?);
    Ok(is_alive && owner != Some(instance))
}

/// Deletes a part of the rows that deleted channels have left. True if there may be more.
pub(super) async fn erase(session: &Session) -> Done<bool> {
    session.batch("BEGIN").await?;
    // Several hubs may do this at the same time.
    let next = session.query_opt("SELECT channel FROM erasing LIMIT 1 FOR UPDATE SKIP LOCKED", &[]).await?;
    let Some(row) = next else {
        session.batch("COMMIT").await?;
        return Ok(false);
    };
    let no: i64 = row.try_get(0)?;
    let mut left = ERASE_ROWS;
    for sql in [
        "DELETE FROM messages WHERE ctid = ANY (ARRAY (SELECT ctid FROM messages WHERE channel = $1 LIMIT $2))",
        "DELETE FROM records WHERE ctid = ANY (ARRAY (SELECT ctid FROM records WHERE channel = $1 LIMIT $2))",
        "DELETE FROM transcript WHERE ctid = ANY (ARRAY (SELECT ctid FROM transcript WHERE channel = $1 LIMIT $2))",
    ] {
        left -= i64::try_from(session.execute(sql, &[&no, &left]).await?).unwrap_or(i64::MAX);
        if left <= 0 {
            break;
        }
    }
    if left > 0 {
        session.execute("DELETE FROM snapshots WHERE channel = $1", &[&no]).await?;
        session.execute("DELETE FROM erasing WHERE channel = $1", &[&no]).await?;
    }
    session.batch("COMMIT").await?;
    Ok(true)
}
