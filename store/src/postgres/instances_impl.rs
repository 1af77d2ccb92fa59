//! [`Instances`] for [`PostgresStore`].

use std::sync::atomic::Ordering::Relaxed;

use futures_util::future::BoxFuture;
use rogerrat_actors::{DEAD_AFTER_MS, Fact, Facts, Instance, InstanceId, Instances, Lane, Lanes, LogError};
use rogerrat_domain::ChannelId;
use tokio_postgres::Row;

use super::instance::{InstanceCommand, connection_name, lock_key};
use super::int::{get_u64, to_sql};
use super::log_impl::{SMALL, hub_meta};
use super::queue::Done;
use super::session::Session;
use super::state::SharedState;
use super::{PostgresStore, cluster_rows};

type UnitResult = Result<(), LogError>;

/// How long an instance may take to get its lock again when its connection was lost, in milliseconds.
pub(super) const RECONNECT_MS: u64 = 3_000;

/// The instance in the columns 0 (its number) and 1 (its URL).
pub(super) fn instance(row: &Row) -> Done<Instance> {
    Ok(Instance { id: InstanceId(get_u64(row, 0)?), url: row.try_get::<_, &str>(1)?.into() })
}

impl Instances for PostgresStore {
    fn this(&self) -> InstanceId {
        InstanceId(self.channel_writer.instance.unsigned_abs())
    }

    fn beat(&self) -> BoxFuture<'static, UnitResult> {
        self.command(InstanceCommand::Beat)
    }

    fn owner(&self, channel: &ChannelId) -> BoxFuture<'static, Result<Option<Instance>, LogError>> {
        let channel = channel.clone();
        self.read(move |session| {
            let channel = channel.clone();
            Box::pin(async move {
                let sql = "SELECT i.id, i.url FROM channels c JOIN instances i ON i.id = c.instance
                           WHERE c.id = $1 AND i.ended_at IS NULL";
                session.query_opt(sql, &[&channel.as_str()]).await?.as_ref().map(instance).transpose()
            })
        })
    }

    fn end_if_dead(&self, instance: InstanceId) -> BoxFuture<'static, Result<bool, LogError>> {
        let (me, other, state) = (self.channel_writer.instance, to_sql(instance.0), self.state.clone());
        let ended = self.read(move |session| {
            let state = state.clone();
            Box::pin(async move {
                // A free lock is enough if the instance cannot be reached, unless all have lost theirs a moment ago.
                let own_lock = state.own_lock();
                let is_new = own_lock.is_retaken && own_lock.age_ms < RECONNECT_MS;
                let silent_ms = if is_new { RECONNECT_MS } else { 0 };
                end_if_dead(session, &state, me, other, silent_ms).await
            })
        });
        Box::pin(async move { ended.await? })
    }

    fn declared_ended(&self) -> u64 {
        self.state.declared_ended.load(Relaxed)
    }

    fn end(&self) -> BoxFuture<'static, UnitResult> {
        self.command(InstanceCommand::End)
    }

    fn living(&self) -> BoxFuture<'static, Result<Vec<Instance>, LogError>> {
        self.read(|session| Box::pin(cluster_rows::living(session)))
    }

    fn take_lanes(&self, most: usize) -> BoxFuture<'static, Result<Lanes, LogError>> {
        let (me, state) = (self.channel_writer.instance, self.state.clone());
        let taken = self.read(move |session| {
            let state = state.clone();
            Box::pin(async move { cluster_rows::take_lanes(session, &state, me, most).await })
        });
        Box::pin(async move { taken.await? })
    }

    fn give_up_lanes(&self, lanes: Lanes) -> BoxFuture<'static, UnitResult> {
        let me = self.channel_writer.instance;
        // After the writes that were called before.
        self.write(SMALL, move |session| Box::pin(cluster_rows::give_up_lanes(session, me, lanes)))
    }

    fn lane_holder(&self, lane: Lane) -> BoxFuture<'static, Result<Option<Instance>, LogError>> {
        self.read(move |session| Box::pin(cluster_rows::lane_holder(session, lane)))
    }

    fn last_fact(&self) -> BoxFuture<'static, Result<u64, LogError>> {
        self.read(|session| Box::pin(cluster_rows::last_fact(session)))
    }

    fn facts_after(&self, after: u64) -> BoxFuture<'static, Result<Facts, LogError>> {
        self.read(move |session| Box::pin(cluster_rows::facts_after(session, after)))
    }

    fn facts_written(&self) -> BoxFuture<'static, ()> {
        let notified = self.notified.clone();
        Box::pin(async move { notified.notified().await })
    }

    fn write_fact(&self, fact: Fact) -> BoxFuture<'static, UnitResult> {
        self.write(SMALL, move |session| {
            let fact = [fact.clone()];
            Box::pin(async move { cluster_rows::write_facts(session, &fact).await })
        })
    }

    fn put_meta_once(&self, name: &'static str, text: String) -> BoxFuture<'static, Result<String, LogError>> {
        self.write(text.len(), move |session| {
            let text = text.clone();
            Box::pin(async move { cluster_rows::put_meta_once(session, &hub_meta(name), &text).await })
        })
    }

    fn swap_row(
        &self,
        kind: &'static str,
        name: String,
        before: Option<String>,
        after: Option<String>,
    ) -> BoxFuture<'static, Result<bool, LogError>> {
        let bytes = after.as_ref().map_or(0, String::len) + SMALL;
        self.write(bytes, move |session| {
            let (name, before, after) = (name.clone(), before.clone(), after.clone());
            Box::pin(async move {
                let swapped = cluster_rows::swap_row(session, kind, &name, before.as_deref(), after.as_deref()).await?;
                let facts: Vec<_> = Fact::of_row(kind).into_iter().filter(|_| swapped).collect();
                cluster_rows::write_facts(session, &facts).await?;
                Ok(swapped)
            })
        })
    }
}

/// Whether an instance has not ended.
pub(super) async fn is_alive(session: &Session, instance: i64) -> Done<bool> {
    let sql = "SELECT 1 FROM instances WHERE id = $1 AND ended_at IS NULL";
    Ok(session.query_opt(sql, &[&instance]).await?.is_some())
}

/// Ends an instance whose lock is free, or that has not recorded for too long that it is alive. Returns whether it has ended.
///
/// While the database cannot be reached, no instance records anything, and all locks are lost. So silence counts from when the
/// caller has its own lock again. `silent_ms` is for how long the other must have recorded nothing although its lock is free.
pub(super) async fn end_if_dead(
    session: &Session,
    state: &SharedState,
    me: i64,
    other: i64,
    silent_ms: u64,
) -> Done<Result<bool, LogError>> {
    if !is_alive(session, me).await? {
        return Ok(Err(LogError::Ended));
    }
    if !is_alive(session, other).await? {
        return Ok(Ok(true));
    }
    session.batch("BEGIN").await?;
    let key = lock_key(other);
    let is_free: bool = session.query_one("SELECT pg_try_advisory_xact_lock($1)", &[&key]).await?.try_get(0)?;
    let needed_ms = if is_free { silent_ms } else { DEAD_AFTER_MS };
    let silent = "SELECT $2::float8 = 0 OR beat_at < clock_timestamp() - $2::float8 * interval '1 millisecond' FROM instances WHERE id = $1";
    let needed = needed_ms as f64;
    let is_silent: bool = session.query_one(silent, &[&other, &needed]).await?.try_get(0)?;
    if is_silent && (needed_ms == 0 || state.own_lock().age_ms >= needed_ms) {
        // Its connections may be open still, in the middle of a transaction. They must not keep their locks.
        let end = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
                   WHERE application_name = $1 AND datname = current_database() AND pid <> pg_backend_pid()";
        session.query(end, &[&connection_name(other)]).await?;
        // A transaction of it that raises the highest id it may assign has ended, or finds that the instance has.
        session.query("SELECT 1 FROM instances WHERE id = $1 FOR UPDATE", &[&other]).await?;
        // Unless it has shown that it is alive meanwhile.
        let sql = "UPDATE instances SET ended_at = clock_timestamp() WHERE id = $1 AND ended_at IS NULL
                   AND ($2::float8 = 0 OR beat_at < clock_timestamp() - $2::float8 * interval '1 millisecond')";
        let ends = session.execute(sql, &[&other, &needed]).await? > 0;
        if ends {
            // The others send requests to it as long as it answers.
            cluster_rows::write_facts(session, &[Fact::InstanceEnded { instance: other.unsigned_abs() }]).await?;
        }
        session.batch("COMMIT").await?;
        if ends {
            state.declared_ended.fetch_add(1, Relaxed);
            log::warn!(instance = other; "declared an instance ended that cannot be reached");
        }
    } else {
        session.batch("COMMIT").await?;
    }
    Ok(Ok(!is_alive(session, other).await?))
}
