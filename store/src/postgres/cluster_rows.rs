//! Lanes and facts in the database, and rows that several instances change.

use rogerrat_actors::{DEAD_AFTER_MS, FACTS_KEPT, FACTS_PAGE, Fact, Facts, Instance, Lane, Lanes, LogError};

use super::instance::lock_is_held;
use super::instances_impl::{RECONNECT_MS, end_if_dead, instance, is_alive};
use super::int::{get_u64, to_sql};
use super::queue::Done;
use super::session::Session;
use super::state::SharedState;

/// Lets a connection be notified when facts were written.
pub(super) const LISTEN: &str = "LISTEN rogerrat_facts";

/// Whether an instance may write.
pub(super) async fn check_alive(db: &Session, me: i64) -> Done<Result<(), LogError>> {
    Ok(if is_alive(db, me).await? { Ok(()) } else { Err(LogError::Ended) })
}

/// The instances that have recorded that they are alive, and whose lock is held, or was until a moment ago.
pub(super) async fn living(db: &Session) -> Done<Vec<Instance>> {
    let sql = concat!(
        "SELECT id, url FROM instances i WHERE ended_at IS NULL
         AND beat_at >= clock_timestamp() - $1 * interval '1 millisecond'
         AND (beat_at >= clock_timestamp() - $2 * interval '1 millisecond' OR ",
        lock_is_held!(),
        ") ORDER BY id"
    );
    db.query(sql, &[&(DEAD_AFTER_MS as f64), &(RECONNECT_MS as f64)]).await?.iter().map(instance).collect()
}

async fn held(db: &Session, me: i64) -> Done<Lanes> {
    let rows = db.query("SELECT lane FROM lanes WHERE instance = $1", &[&me]).await?;
    let numbers = rows.iter().map(|row| row.try_get::<_, i16>(0)).collect::<Result<Vec<_>, _>>()?;
    Ok(numbers.into_iter().filter_map(|lane| Lane::new(u8::try_from(lane).ok()?)).collect())
}

/// Takes free lanes until the instance holds `most`.
pub(super) async fn take_lanes(
    db: &Session,
    state: &SharedState,
    me: i64,
    most: usize,
) -> Done<Result<Lanes, LogError>> {
    if !is_alive(db, me).await? {
        return Ok(Err(LogError::Ended));
    }
    let before = held(db, me).await?;
    let Some(missing) = most.checked_sub(before.len()).filter(|missing| *missing > 0) else { return Ok(Ok(before)) };
    let sql = "SELECT DISTINCT l.instance FROM lanes l JOIN instances i ON i.id = l.instance
               WHERE i.ended_at IS NULL AND i.id <> $1";
    for row in db.query(sql, &[&me]).await? {
        // Nobody has tried to reach it.
        if let Err(error) = end_if_dead(db, state, me, row.try_get(0)?, RECONNECT_MS).await? {
            return Ok(Err(error));
        }
    }
    let sql = "UPDATE lanes SET instance = $1 WHERE lane IN (
                   SELECT l.lane FROM lanes l WHERE NOT EXISTS (
                       SELECT 1 FROM instances i WHERE i.id = l.instance AND i.ended_at IS NULL)
                   ORDER BY l.lane LIMIT $2 FOR UPDATE SKIP LOCKED)
               AND EXISTS (SELECT 1 FROM instances WHERE id = $1 AND ended_at IS NULL)";
    db.execute(sql, &[&me, &to_sql(missing as u64)]).await?;
    Ok(Ok(held(db, me).await?))
}

pub(super) async fn give_up_lanes(db: &Session, me: i64, lanes: Lanes) -> Done<()> {
    let numbers: Vec<i16> = lanes.iter().map(|lane| i16::from(lane.number())).collect();
    db.execute("UPDATE lanes SET instance = NULL WHERE instance = $1 AND lane = ANY($2)", &[&me, &numbers]).await?;
    Ok(())
}

pub(super) async fn lane_holder(db: &Session, lane: Lane) -> Done<Option<Instance>> {
    let sql = "SELECT i.id, i.url FROM lanes l JOIN instances i ON i.id = l.instance
               WHERE l.lane = $1 AND i.ended_at IS NULL";
    db.query_opt(sql, &[&i16::from(lane.number())]).await?.as_ref().map(instance).transpose()
}

/// Writes facts, in the transaction of the change that they belong to, whose commit notifies the other instances.
pub(super) async fn write_facts(db: &Session, facts: &[Fact]) -> Done<()> {
    if facts.is_empty() {
        return Ok(());
    }
    // "RgrR"; the lock ends with the transaction. A notification has a lock of the whole server during the commit, which delays
    // only those that notify as well.
    db.execute("SELECT pg_advisory_xact_lock(1382511186, 1)", &[]).await?;
    for fact in facts {
        let Ok(json) = serde_json::to_string(fact) else { continue };
        db.execute("INSERT INTO facts (json) VALUES ($1)", &[&json]).await?;
    }
    let sql = "DELETE FROM facts WHERE no <= (SELECT max(no) FROM facts) - $1";
    db.execute(sql, &[&to_sql(FACTS_KEPT)]).await?;
    db.execute("SELECT pg_notify('rogerrat_facts', '')", &[]).await?;
    Ok(())
}

/// The number of the last fact.
pub(super) async fn last_fact(db: &Session) -> Done<u64> {
    get_u64(&db.query_one("SELECT coalesce(max(no), 0) FROM facts", &[]).await?, 0)
}

/// The facts after a number. Some are missing if the first that is kept is not the one after it, or a transaction has failed
/// that would have written that.
pub(super) async fn facts_after(db: &Session, after: u64) -> Done<Facts> {
    let first: Option<i64> = db.query_one("SELECT min(no) FROM facts", &[]).await?.try_get(0)?;
    let is_incomplete = first.is_some_and(|first| to_sql(after) + 1 < first);
    let sql = "SELECT no, json FROM facts WHERE no > $1 ORDER BY no LIMIT $2";
    let mut facts = Vec::new();
    for row in db.query(sql, &[&to_sql(after), &(FACTS_PAGE as i64)]).await? {
        let fact = serde_json::from_str(row.try_get(1)?).unwrap_or(Fact::Unknown);
        facts.push((get_u64(&row, 0)?, fact));
    }
    Ok(Facts { facts, is_incomplete })
}

/// Replaces a row, if it is still `before`. Returns whether it was.
pub(super) async fn swap_row(
    db: &Session,
    kind: &str,
    name: &str,
    before: Option<&str>,
    after: Option<&str>,
) -> Done<bool> {
    let changed = match (before, after) {
        (None, None) => {
            let sql = "SELECT 1 FROM rows WHERE kind = $1 AND name = $2";
            u64::from(db.query_opt(sql, &[&kind, &name]).await?.is_none())
        }
        (None, Some(after)) => {
            let sql = "INSERT INTO rows (kind, name, text) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING";
            db.execute(sql, &[&kind, &name, &after]).await?
        }
        (Some(before), Some(after)) => {
            let sql = "UPDATE rows SET text = $4 WHERE kind = $1 AND name = $2 AND text = $3";
            db.execute(sql, &[&kind, &name, &before, &after]).await?
        }
        (Some(before), None) => {
            let sql = "DELETE FROM rows WHERE kind = $1 AND name = $2 AND text = $3";
            db.execute(sql, &[&kind, &name, &before]).await?
        }
    };
    Ok(changed > 0)
}

/// Stores a text, unless there is one, and returns the stored one.
pub(super) async fn put_meta_once(db: &Session, name: &str, text: &str) -> Done<String> {
    let sql = "INSERT INTO hub (name, value) VALUES ($1, $2) ON CONFLICT DO NOTHING";
    db.execute(sql, &[&name, &text]).await?;
    Ok(db.query_one("SELECT value FROM hub WHERE name = $1", &[&name]).await?.try_get(0)?)
}
