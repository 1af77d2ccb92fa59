//! This instance of the hub: its row, and the connection that holds its lock.
//!
//! The lock is held by a connection of its own as long as the process lives; the server frees it when that connection ends. The
//! same connection records that the instance is alive.

use std::time::Duration;

use rogerrat_actors::LogError;
use tokio::sync::{mpsc, oneshot};
use tokio::time::{sleep, timeout};

use super::error::Failure;
use super::reader::reconnect;
use super::session::{Connector, Session, SqlResult};

/// The upper half of the key of an instance's advisory lock: "RgrR". The lower half is its number.
const LOCK_CLASS: i64 = 0x5267_7252;
/// How long to wait before the connection is tried again.
const RETRY: Duration = Duration::from_millis(200);
/// How long a statement of this connection may take.
const ANSWER: Duration = Duration::from_secs(10);

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
    // It outlives the transaction. The row is seen by others after that, with its lock.
    session.execute("SELECT pg_advisory_lock($1)", &[&lock_key(id)]).await?;
    session.batch("COMMIT").await?;
    // What this session records matters only while this server runs.
    session.batch("SET synchronous_commit = local").await?;
    Ok(id)
}

/// Holds the lock, and takes it again when the connection was lost. Ends when all senders are dropped.
pub(super) async fn hold(
    connector: Connector,
    mut session: Session,
    instance: i64,
    mut commands: mpsc::Receiver<InstanceCommand>,
) {
    let mut has_lock = true;
    loop {
        let command = tokio::select! {
            command = commands.recv() => command,
            () = session.closed(), if has_lock => {
                has_lock = false;
                continue;
            }
            () = sleep(RETRY), if !has_lock => {
                has_lock = take_lock(&connector, &mut session, instance).await;
                continue;
            }
        };
        let (sql, reply) = match command {
            Some(InstanceCommand::Beat(reply)) => {
                ("UPDATE instances SET beat_at = clock_timestamp() WHERE id = $1 AND ended_at IS NULL", reply)
            }
            Some(InstanceCommand::End(reply)) => {
                ("UPDATE instances SET ended_at = clock_timestamp() WHERE id = $1 AND ended_at IS NULL", reply)
            }
            #[cfg(test)]
            Some(InstanceCommand::FreeLock(reply)) => {
                let freed = session.batch("SELECT pg_advisory_unlock_all()").await;
                let _ = reply.send(freed.map_err(|error| Failure::Sql(error).into()));
                continue;
            }
            None => return,
        };
        if !has_lock || session.is_closed() {
            has_lock = take_lock(&connector, &mut session, instance).await;
        }
        let _ = reply.send(update(&session, sql, instance).await);
    }
}

/// Updates the row of the instance if it has not ended.
async fn update(session: &Session, sql: &'static str, instance: i64) -> Result<(), LogError> {
    match timeout(ANSWER, session.execute(sql, &[&instance])).await {
        Ok(Ok(0)) => Err(LogError::Ended),
        Ok(Ok(_)) => Ok(()),
        Ok(Err(error)) => Err(Failure::Sql(error).into()),
        Err(_) => {
            session.abandon();
            Err(Failure::Silent.into())
        }
    }
}

/// Connects again and takes the lock, from a session of this instance that the server has not closed yet if there is one.
async fn take_lock(connector: &Connector, session: &mut Session, instance: i64) -> bool {
    let key = lock_key(instance);
    let taken = async {
        reconnect(connector, session).await?;
        let end_old = "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' AND objsubid = 1 \
                       AND database = (SELECT oid FROM pg_database WHERE datname = current_database()) \
                       AND classid = ($1::bigint >> 32)::oid AND objid = ($1::bigint & 4294967295)::oid \
                       AND granted AND pid <> pg_backend_pid()";
        session.execute(end_old, &[&key]).await?;
        session.execute("SELECT pg_advisory_lock($1)", &[&key]).await
    };
    let taken = timeout(ANSWER, taken).await;
    let has_lock = matches!(taken, Ok(Ok(_)));
    if !has_lock {
        session.abandon();
    }
    has_lock
}
