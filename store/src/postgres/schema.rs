//! The tables of the database, as one migration per schema version.
//!
//! A released migration never changes; every change is a new file in `migrations/`, named in [`MIGRATIONS`].

use super::error::PostgresError;
use super::session::Session;

/// Schema version `n` is the result of the first `n` migrations.
const MIGRATIONS: [&str; 4] = [
    include_str!("migrations/1_log.sql"),
    include_str!("migrations/2_rows.sql"),
    include_str!("migrations/3_cluster.sql"),
    include_str!("migrations/4_ceilings.sql"),
];

/// The schema of this version.
pub(super) const VERSION: i32 = MIGRATIONS.len() as i32;

/// Migrates the database to the schema of this version, in one transaction. Hubs that start at the same time wait for each
/// other.
pub(super) async fn migrate(session: &Session) -> Result<(), PostgresError> {
    session.batch("BEGIN").await?;
    let migrated = apply(session).await;
    session.batch(if migrated.is_ok() { "COMMIT" } else { "ROLLBACK" }).await?;
    migrated
}

/// The names of all tables.
pub(super) fn tables() -> Vec<&'static str> {
    let lines = MIGRATIONS.iter().flat_map(|migration| migration.lines());
    let names = lines.filter_map(|line| line.strip_prefix("CREATE TABLE ")?.split([' ', '(']).next());
    names.chain(["schema_version"]).collect()
}

/// The schema of the database; none if it has no tables yet.
///
/// # Errors
/// If it is newer than this version, or cannot be read.
pub(super) async fn found(session: &Session) -> Result<Option<i32>, PostgresError> {
    let exists = "SELECT to_regclass('schema_version') IS NOT NULL";
    if !session.query_one(exists, &[]).await?.try_get::<_, bool>(0)? {
        return Ok(None);
    }
    let found: Option<i32> = session.query_one("SELECT max(version) FROM schema_version", &[]).await?.try_get(0)?;
    match found {
        Some(found) if found > VERSION => Err(PostgresError::NewerSchema { found, known: VERSION }),
        found => Ok(found),
    }
}

/// Migrates the database in the transaction that is open, which has no time limits then.
pub(super) async fn apply(session: &Session) -> Result<(), PostgresError> {
    // "RgrR"; the lock ends with the transaction. Another hub may take its time, or be a newer one that is being rolled out.
    let wait =
        "SET LOCAL lock_timeout = '60s'; SET LOCAL statement_timeout = 0; SELECT pg_advisory_xact_lock(1382511186, 0)";
    session.slow_batch(wait).await?;
    session.batch("CREATE TABLE IF NOT EXISTS schema_version (version integer NOT NULL)").await?;
    let found: Option<i32> = session.query_one("SELECT max(version) FROM schema_version", &[]).await?.try_get(0)?;
    let found = found.unwrap_or(0);
    if found > VERSION {
        return Err(PostgresError::NewerSchema { found, known: VERSION });
    }
    if found == VERSION {
        return Ok(());
    }
    for migration in &MIGRATIONS[usize::try_from(found).unwrap_or(0)..] {
        session.slow_batch(migration).await?;
    }
    session.batch("DELETE FROM schema_version").await?;
    session.execute("INSERT INTO schema_version (version) VALUES ($1)", &[&VERSION]).await?;
    Ok(())
}

/// Checks that the database has the tables of this version.
pub(super) async fn check(session: &Session) -> Result<(), PostgresError> {
    match found(session).await? {
        Some(VERSION) => Ok(()),
        _ => Err(PostgresError::NoTables),
    }
}
