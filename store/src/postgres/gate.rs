//! What a server must be like before a hub runs on it.

use rogerrat_domain::{Encryptor, HubKey};

use super::error::PostgresError;
use super::schema;
use super::session::Session;

/// The oldest version of the server that is supported: `client_connection_check_interval` and the behaviour of `unnest` joins
/// are tested from there on.
const OLDEST: i32 = 140_000;
const NO_STANDBY: &str = "PostgreSQL names no synchronous standby, so a failover may lose the last acknowledged messages; \
    set synchronous_standby_names if you have a standby";
/// A text that only hubs with the same key can decrypt.
const KEY_CHECK: &[u8] = b"rogerrat";

/// Checks the version and the settings of a server, from a session as the hub uses it. Returns warnings.
pub(super) async fn check_server(session: &Session) -> Result<Vec<String>, PostgresError> {
    let has_standby = check_settings(session).await?;
    Ok(if has_standby { Vec::new() } else { vec![NO_STANDBY.to_owned()] })
}

/// Checks the version and the settings of a server, which may be another one than before. Returns whether it names a
/// synchronous standby.
pub(super) async fn check_settings(session: &Session) -> Result<bool, PostgresError> {
    let sql = "SELECT current_setting('server_version_num')::integer, current_setting('server_version'),
               current_setting('fsync'), current_setting('full_page_writes'), current_setting('synchronous_commit'),
               pg_is_in_recovery() OR current_setting('transaction_read_only') = 'on',
               current_setting('synchronous_standby_names')";
    let row = session.query_one(sql, &[]).await?;
    if row.try_get::<_, i32>(0)? < OLDEST {
        return Err(PostgresError::TooOld { found: row.try_get(1)? });
    }
    let settings = [("fsync", 2, ["on", "on", "on"]), ("full_page_writes", 3, ["on", "on", "on"])];
    let commit = ("synchronous_commit", 4, ["on", "remote_apply", "remote_write"]);
    for (name, column, safe) in settings.into_iter().chain([commit]) {
        let found: String = row.try_get(column)?;
        if !safe.contains(&&*found) {
            return Err(PostgresError::UnsafeSetting { name, found, needed: "on" });
        }
    }
    if row.try_get(5)? {
        return Err(PostgresError::ReadOnly);
    }
    Ok(!row.try_get::<_, String>(6)?.is_empty())
}

/// Checks that the user may create the tables, or use those that exist, and that these are not newer. Returns their schema; none if
/// there are none. Unless it is current, they must be the user's own, because they are to be migrated.
pub(super) async fn check_tables(session: &Session) -> Result<Option<i32>, PostgresError> {
    check_rights(session, true).await?;
    let found = schema::found(session).await?;
    if found.is_some_and(|found| found < schema::VERSION) {
        check_rights(session, false).await?;
    }
    Ok(found)
}

async fn check_rights(session: &Session, is_current: bool) -> Result<(), PostgresError> {
    let sql = "SELECT current_user::text, current_schema()::text,
               COALESCE(has_schema_privilege(current_schema(), 'CREATE'), false)";
    let row = session.query_one(sql, &[]).await?;
    let (user, in_schema): (String, Option<String>) = (row.try_get(0)?, row.try_get(1)?);
    let missing = |what| Err(PostgresError::MissingRights { user: user.clone(), what });
    let Some(in_schema) = in_schema else {
        return missing("use any schema of the database, because its search_path names none".to_owned());
    };
    if !row.try_get::<_, bool>(2)? {
        return missing(format!("create tables in the schema {in_schema}"));
    }
    let sql = "SELECT tablename::text FROM pg_tables WHERE schemaname = current_schema() AND tablename = ANY($1)
               AND NOT (pg_has_role(tableowner, 'USAGE') OR ($2 AND NOT EXISTS (
                   SELECT 1 FROM unnest(ARRAY['SELECT', 'INSERT', 'UPDATE', 'DELETE']) needed
                   WHERE NOT has_table_privilege(format('%I.%I', schemaname, tablename), needed))))
               ORDER BY tablename LIMIT 1";
    match session.query_opt(sql, &[&schema::tables(), &is_current]).await? {
        Some(row) => missing(format!("use and change the table {}", row.try_get::<_, String>(0)?)),
        None => Ok(()),
    }
}

/// Checks that each connection is a session of its own: that the lock of this instance is held by the session that took it, and
/// by none of the others while all are in a transaction. A pooler in transaction mode would give one of them the session that
/// holds the lock, because it is idle.
pub(super) async fn check_sessions(lock: &Session, lock_key: i64, others: &[&Session]) -> Result<(), PostgresError> {
    let mut is_shared = false;
    for session in others {
        session.batch("BEGIN").await?;
        let row = session.query_one("SELECT pg_backend_pid(), pg_try_advisory_xact_lock($1)", &[&lock_key]).await?;
        is_shared |= row.try_get::<_, i32>(0)? == lock.backend() || row.try_get(1)?;
    }
    let now: i32 = lock.query_one("SELECT pg_backend_pid()", &[]).await?.try_get(0)?;
    for session in others {
        session.batch("ROLLBACK").await?;
    }
    if is_shared || now != lock.backend() { Err(PostgresError::SharedSessions) } else { Ok(()) }
}

/// Checks that the database belongs to hubs with this key, or makes it theirs.
pub(super) async fn check_key(session: &Session, key: &HubKey) -> Result<(), PostgresError> {
    let mine = Encryptor::new(key, "database").encrypt_text(KEY_CHECK, "key", rand::random());
    session.execute("INSERT INTO hub (name, value) VALUES ('key', $1) ON CONFLICT DO NOTHING", &[&mine]).await?;
    check_stored_key(session, Some(key)).await
}

/// Checks that the database belongs to hubs with this key, or to none yet.
pub(super) async fn check_stored_key(session: &Session, key: Option<&HubKey>) -> Result<(), PostgresError> {
    let stored = session.query_opt("SELECT value FROM hub WHERE name = 'key'", &[]).await?;
    let Some(stored) = stored.map(|row| row.try_get::<_, String>(0)).transpose()? else { return Ok(()) };
    let opened = key.and_then(|key| Encryptor::new(key, "database").decrypt_text(&stored, "key"));
    match opened.as_deref() {
        Some(KEY_CHECK) => Ok(()),
        _ => Err(PostgresError::OtherKey),
    }
}
