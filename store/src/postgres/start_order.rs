//! Hubs that share a database must reach each other: one without an address may only be the only one.
//!
//! Hubs start one after the other, under a lock, so that two without an address do not both find that they are alone.

use std::time::Duration;

use rogerrat_actors::DEAD_AFTER_MS;
use tokio::time::sleep;

use super::error::PostgresError;
use super::instance::lock_is_held;
use super::int::get_u64;
use super::session::Session;

/// "RgrR". Held by a session until it has started its instance.
const LOCK: &str = "SELECT pg_advisory_lock(1382511186, 2)";
const UNLOCK: &str = "SELECT pg_advisory_unlock(1382511186, 2)";
/// How often a hub that is in the way is looked at.
const LOOK_EVERY: Duration = Duration::from_millis(200);

/// A running hub that cannot share the database with the one that starts.
#[derive(PartialEq, Eq)]
struct HubInTheWay {
    id: u64,
    has_address: bool,
    /// When it recorded last that it is alive.
    beat_at: String,
}

/// Begins the start of a hub that others reach at `url`; empty if it has no address. No other hub starts until
/// [`end`]. A hub that has been killed counts until the server has noticed that, which is waited for.
pub(super) async fn begin(session: &Session, url: &str) -> Result<(), PostgresError> {
    let mut seen: Option<HubInTheWay> = None;
    loop {
        session.batch(LOCK).await?;
        let Some(other) = hub_in_the_way(session, url).await? else { return Ok(()) };
        session.batch(UNLOCK).await?;
        if seen.is_some_and(|seen| seen.id == other.id && seen.beat_at != other.beat_at) {
            return Err(match other.has_address {
                true => PostgresError::NoAddress { other: other.id },
                false => PostgresError::OtherHasNoAddress { other: other.id },
            });
        }
        seen = Some(other);
        sleep(LOOK_EVERY).await;
    }
}

/// Ends what [`begin`] has begun, after the instance has started.
pub(super) async fn end(session: &Session) -> Result<(), PostgresError> {
    Ok(session.batch(UNLOCK).await?)
}

async fn hub_in_the_way(session: &Session, url: &str) -> Result<Option<HubInTheWay>, PostgresError> {
    let sql = concat!(
        "SELECT id, url <> '', beat_at::text FROM instances i
         WHERE ended_at IS NULL AND ($1::text = '' OR url = '')
         AND beat_at >= clock_timestamp() - $2::float8 * interval '1 millisecond' AND ",
        lock_is_held!(),
        " ORDER BY id LIMIT 1"
    );
    let Some(row) = session.query_opt(sql, &[&url, &(DEAD_AFTER_MS as f64)]).await? else { return Ok(None) };
    Ok(Some(HubInTheWay { id: get_u64(&row, 0)?, has_address: row.try_get(1)?, beat_at: row.try_get(2)? }))
}
