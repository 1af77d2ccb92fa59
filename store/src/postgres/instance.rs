//! This instance of the hub: its row, and the connection that holds its lock.
//!
//! The lock is held by a connection of its own as long as the process lives; the server frees it when that connection ends. The
//! same connection records that the instance is alive, and is notified of facts.

use std::sync::Arc;
use std::time::Duration;

use rogerrat_actors::LogError;
use tokio::sync::{mpsc, oneshot};
use tokio::time::{sleep, timeout};

use super::cluster_rows::LISTEN;
use super::error::Failure;
use super::reader::reconnect;
use super::session::{Connector, Session, SqlResult};
use super::state::SharedState;

/// The upper half of the key of an instance's advisory lock: "RgrR". The lower half is its number.
const LOCK_CLASS: i64 = 0x5267_7252;
/// How long to wait before the connection is tried again.
const RETRY: Duration = Duration::from_millis(200);
/// How long a statement of this connection may take.
const ANSWER: Duration = Duration::from_secs(10);

/// What the connection records matters only while this server runs, so it does not wait for a synchronous standby.
const LOCAL: &str = "SET synchronous_commit = local";
const BEAT: &str = "UPDATE instances SET beat_at = clock_timestamp() WHERE id = $1 AND ended_at IS NULL";
/// Waits for the writer's transaction, if that raises the highest id that this instance may assign.
const END: &str = "WITH me AS (SELECT id FROM instances WHERE id = $1 AND ended_at IS NULL FOR UPDATE)
    UPDATE instances SET ended_at = clock_timestamp() FROM me WHERE instances.id = me.id";

/// The condition that the lock of the instance in the row `i` is held.
macro_rules! lock_is_held {
    () => {
        "EXISTS (SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND objsubid = 1 AND granted
                 AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
                 AND classid = 1382511186::oid AND objid = (i.id & 4294967295)::oid)"
    };
}
pub(super) use lock_is_held;

/// The key of the advisory lock of an instance.
pub(super) fn lock_key(instance: i64) -> i64 {
    LOCK_CLASS << 32 | (instance & 0xffff_ffff)
}

/// The name under which the server shows the connections of an instance.
pub(super) fn connection_name(instance: i64) -> String {
    format!("rogerrat {instance}")
}

/// What the connection is to do.
pub(super) enum InstanceCommand {
    /// Record that the instance is alive.
    Beat(oneshot::Sender<Result<(), LogError>>),
    /// Free the lock.
    #[cfg(test)]
    FreeLock(oneshot::Sender<Result<(), LogError>>),
    /// Record that it has ended.
    End(oneshot::Sender<Result<(), LogError>>),
}

/// Starts an instance: its row, and its lock on this session. Returns its number.
pub(super) async fn start(session: &Session, url: &str) -> SqlResult<i64> {
    session.batch("BEGIN").await?;
    let insert = "INSERT INTO instances (url) VALUES ($1) RETURNING id";
    let id: i64 = session.query_one(insert, &[&url]).await?.try_get(0)?;
    session.execute("INSERT INTO batches (instance, batch) VALUES ($1, 0)", &[&id]).await?;
    session.execute("INSERT INTO id_ceilings (instance) VALUES ($1)", &[&id]).await?;
    // It outlives the transaction. The row is seen by others after that, with its lock.
    session.execute("SELECT pg_advisory_lock($1)", &[&lock_key(id)]).await?;
    session.batch("COMMIT").await?;
    session.batch(LOCAL).await?;
    session.batch(LISTEN).await?;
    Ok(id)
}

/// Holds the lock, and takes it again when the connection was lost. Ends when all senders are dropped.
pub(super) async fn hold(
    connector: Connector,
    mut session: Session,
    instance: i64,
    state: Arc<SharedState>,
    mut commands: mpsc::Receiver<InstanceCommand>,
) {
    let mut has_lock = true;
    loop {
        let command = tokio::select! {
            command = commands.recv() => command,
            // Another instance that finds the lock free may declare this one ended.
            () = session.closed(), if has_lock => {
                has_lock = take_lock(&connector, &mut session, instance, &state).await;
                continue;
            }
            () = sleep(RETRY), if !has_lock => {
                has_lock = take_lock(&connector, &mut session, instance, &state).await;
                continue;
            }
        };
        let (sql, reply) = match command {
            Some(InstanceCommand::Beat(reply)) => (BEAT, reply),
            Some(InstanceCommand::End(reply)) => (END, reply),
            #[cfg(test)]
            Some(InstanceCommand::FreeLock(reply)) => {
                let freed = session.batch("SELECT pg_advisory_unlock_all()").await;
                let _ = reply.send(freed.map_err(LogError::from));
                continue;
            }
            None => return,
        };
        if !has_lock || session.is_closed() {
            has_lock = take_lock(&connector, &mut session, instance, &state).await;
        }
        let _ = reply.send(update(&session, sql, instance).await);
    }
}

/// Updates the row of the instance if it has not ended.
async fn update(session: &Session, sql: &'static str, instance: i64) -> Result<(), LogError> {
    match timeout(ANSWER, session.execute(sql, &[&instance])).await {
        Ok(Ok(0)) => Err(LogError::Ended),
        Ok(Ok(_)) => Ok(()),
        Ok(Err(failure)) => Err(failure.into()),
        Err(_) => {
            session.abandon();
            Err(Failure::Silent.into())
        }
    }
}

/// Connects again, takes the lock, from a session of this instance that the server has not closed yet if there is one, and
/// records that the instance is alive.
async fn take_lock(connector: &Connector, session: &mut Session, instance: i64, state: &SharedState) -> bool {
    let key = lock_key(instance);
    state.lock_lost();
    let taken = async {
        reconnect(connector, session).await?;
        // Another instance that has the lock is declaring this one ended, and must not be stopped.
        let end_old = "SELECT pg_terminate_backend(l.pid) FROM pg_locks l JOIN pg_stat_activity s ON s.pid = l.pid \
                       WHERE l.locktype = 'advisory' AND l.objsubid = 1 \
                       AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database()) \
                       AND l.classid = ($1::bigint >> 32)::oid AND l.objid = ($1::bigint & 4294967295)::oid \
                       AND l.granted AND l.pid <> pg_backend_pid() AND s.application_name = $2";
        session.execute(end_old, &[&key, &connection_name(instance)]).await?;
        session.execute("SELECT pg_advisory_lock($1)", &[&key]).await?;
        session.batch(LOCAL).await?;
        session.batch(LISTEN).await?;
        session.execute(BEAT, &[&instance]).await
    };
    let taken = timeout(ANSWER, taken).await;
    let has_lock = matches!(taken, Ok(Ok(_)));
    if has_lock {
        state.lock_taken();
        // What was written meanwhile was notified to nobody.
        connector.notified().notify_one();
    } else {
        session.abandon();
    }
    has_lock
}
