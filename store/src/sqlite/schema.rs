//! The tables of `hub.db`, as one migration per schema version.
//!
//! A released migration never changes; every change is a new one.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;
use std::time::Duration;

use rusqlite::{Connection, OpenFlags, Result};

/// "RgrR" in the header of the file marks a hub's database.
pub(super) const APPLICATION_ID: i64 = 0x5267_7252;

/// How long a write waits for a lock that another process holds.
const BUSY_TIMEOUT: Duration = Duration::from_millis(500);

/// Schema version `n` is the result of the first `n` migrations.
const MIGRATIONS: [&str; 7] = [
    // The big tables refer to a channel by number, because its id would take space in every row. Numbers are never reused:
    // rows left of a deleted channel must not become another's. A record with messages is stored in the row of its first
    // message, and one without in a row of its own, so that a send writes one page and not two.
    "
    CREATE TABLE hub (name TEXT PRIMARY KEY, value ANY NOT NULL) STRICT, WITHOUT ROWID;
    CREATE TABLE channels (
        no INTEGER PRIMARY KEY AUTOINCREMENT,
        id TEXT NOT NULL UNIQUE,
        settings BLOB,
        created_ms INTEGER NOT NULL,
        used_ms INTEGER NOT NULL
    ) STRICT;
    CREATE INDEX channels_by_use ON channels (used_ms) WHERE settings IS NOT NULL;
    CREATE TABLE snapshots (
        channel INTEGER PRIMARY KEY,
        seq INTEGER NOT NULL,
        rid BLOB,
        body BLOB NOT NULL
    ) STRICT;
    CREATE TABLE records (
        channel INTEGER NOT NULL,
        seq INTEGER NOT NULL,
        rid BLOB NOT NULL,
        body BLOB NOT NULL,
        PRIMARY KEY (channel, seq)
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE messages (
        channel INTEGER NOT NULL,
        id INTEGER NOT NULL,
        from_no INTEGER NOT NULL,
        to_no INTEGER,
        seq INTEGER,
        rid BLOB,
        record BLOB,
        body BLOB NOT NULL,
        PRIMARY KEY (channel, id)
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE transcript (
        channel INTEGER NOT NULL,
        n INTEGER NOT NULL,
        from_no INTEGER,
        to_no INTEGER,
        json BLOB NOT NULL,
        PRIMARY KEY (channel, n)
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE erasing (channel INTEGER PRIMARY KEY) STRICT;
    INSERT INTO hub (name, value) VALUES ('floor', 0), ('channels', 0), ('probe', 0);
    ",
    // Key-value rows that the interfaces store, by kind.
    "
    CREATE TABLE rows (
        kind TEXT NOT NULL,
        name TEXT NOT NULL,
        text TEXT NOT NULL,
        PRIMARY KEY (kind, name)
    ) STRICT, WITHOUT ROWID;
    ",
    // Accounts, their sessions and identities. Tokens and keys are SHA-256 digests. `owner` is the account that created a
    // channel, while it exists.
    "
    CREATE TABLE accounts (
        id TEXT PRIMARY KEY,
        recovery BLOB NOT NULL UNIQUE,
        created_ms INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE account_sessions (
        token BLOB PRIMARY KEY,
        account TEXT NOT NULL,
        used_ms INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX account_sessions_by_account ON account_sessions (account, used_ms);
    CREATE INDEX account_sessions_by_use ON account_sessions (used_ms);
    CREATE TABLE identities (
        callsign TEXT PRIMARY KEY,
        account TEXT NOT NULL,
        key BLOB NOT NULL UNIQUE,
        key_no INTEGER NOT NULL,
        created_ms INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX identities_by_account ON identities (account, callsign);
    ALTER TABLE channels ADD COLUMN owner TEXT;
    CREATE INDEX channels_by_owner ON channels (owner, no) WHERE owner IS NOT NULL;
    ",
    // Webhooks, their deliveries, and the encrypted payloads of those that are due.
    "
    CREATE TABLE webhooks (
        id TEXT NOT NULL UNIQUE,
        owner TEXT NOT NULL,
        json BLOB NOT NULL
    ) STRICT;
    CREATE INDEX webhooks_by_owner ON webhooks (owner);
    CREATE TABLE payloads (no INTEGER PRIMARY KEY AUTOINCREMENT, body BLOB NOT NULL) STRICT;
    CREATE TABLE deliveries (
        no INTEGER PRIMARY KEY AUTOINCREMENT,
        hook TEXT NOT NULL,
        id TEXT NOT NULL,
        channel TEXT,
        payload INTEGER,
        json BLOB NOT NULL
    ) STRICT;
    CREATE INDEX deliveries_by_hook ON deliveries (hook, no);
    CREATE INDEX deliveries_by_channel ON deliveries (channel) WHERE channel IS NOT NULL;
    CREATE INDEX deliveries_by_payload ON deliveries (payload) WHERE payload IS NOT NULL;
    ",
    // What the owner of an account recognizes its sessions by. Sessions of earlier versions have neither.
    "
    ALTER TABLE account_sessions ADD COLUMN created_ms INTEGER;
    ALTER TABLE account_sessions ADD COLUMN label TEXT;
    ",
    // The JSON of a webhook may contain the format of its requests, encrypted. Earlier versions would post without it, and
    // lose it with their next write, so they must not open the database.
    "",
    // E-mail addresses, encrypted, found by a keyed hash; codes and links as hashes. They go with their account.
    "
    CREATE TABLE account_emails (
        account TEXT PRIMARY KEY,
        lookup BLOB NOT NULL,
        sealed BLOB NOT NULL,
        language TEXT NOT NULL
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX account_emails_by_lookup ON account_emails (lookup);
    CREATE TABLE pending_emails (
        account TEXT PRIMARY KEY,
        lookup BLOB NOT NULL,
        sealed BLOB NOT NULL,
        language TEXT NOT NULL,
        code BLOB NOT NULL,
        link BLOB NOT NULL UNIQUE,
        wrong INTEGER NOT NULL,
        expires_ms INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE recovery_links (
        link BLOB PRIMARY KEY,
        account TEXT NOT NULL,
        expires_ms INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX recovery_links_by_account ON recovery_links (account);
    CREATE TRIGGER emails_go_with_their_account AFTER DELETE ON accounts BEGIN
        DELETE FROM account_emails WHERE account = old.id;
        DELETE FROM pending_emails WHERE account = old.id;
        DELETE FROM recovery_links WHERE account = old.id;
    END;
    ",
];

/// The schema of this version.
pub(super) const VERSION: i64 = MIGRATIONS.len() as i64;

/// The schema version of a database.
pub(super) fn version(connection: &Connection) -> Result<i64> {
    connection.pragma_query_value(None, "user_version", |row| row.get(0))
}

/// Migrates a database to the schema of this version, in one transaction.
pub(super) fn migrate(connection: &mut Connection) -> Result<()> {
    let done = usize::try_from(version(connection)?).unwrap_or(MIGRATIONS.len());
    if done >= MIGRATIONS.len() {
        return Ok(());
    }
    let transaction = connection.transaction()?;
    for migration in &MIGRATIONS[done..] {
        transaction.execute_batch(migration)?;
    }
    transaction.pragma_update(None, "user_version", VERSION)?;
    transaction.commit()
}

/// Creates a database in an empty file.
pub(super) fn create(path: &Path) -> Result<()> {
    let mut connection = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
    connection.pragma_update(None, "application_id", APPLICATION_ID)?;
    migrate(&mut connection)?;
    connection.close().map_err(|(_, error)| error)
}

/// Opens the writer's connection.
pub(super) fn open_writer(path: &Path, max_mib: u64) -> Result<Connection> {
    let connection = open(path, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
    connection.busy_timeout(BUSY_TIMEOUT)?;
    connection.set_prepared_statement_cache_capacity(64);
    connection.pragma_update_and_check(None, "journal_mode", "WAL", |_| Ok(()))?;
    // A commit is durable when it returns.
    connection.pragma_update(None, "synchronous", "FULL")?;
    // Deleted rows are overwritten with zeros.
    connection.pragma_update_and_check(None, "secure_delete", "ON", |_| Ok(()))?;
    // In pages of 4 KiB. With a larger WAL a hot page is copied to the database less often.
    connection.pragma_update_and_check(None, "wal_autocheckpoint", 4000, |_| Ok(()))?;
    connection.pragma_update_and_check(None, "journal_size_limit", 32 * 1024 * 1024, |_| Ok(()))?;
    connection.pragma_update(None, "cache_size", -8192)?;
    if max_mib > 0 {
        let page_bytes: i64 = connection.pragma_query_value(None, "page_size", |row| row.get(0))?;
        let pages = i64::try_from(max_mib).unwrap_or(i64::MAX).saturating_mul(1024 * 1024) / page_bytes.max(512);
        connection.pragma_update_and_check(None, "max_page_count", pages.min(0xffff_fffe), |_| Ok(()))?;
    }
    Ok(connection)
}

/// Opens a reader's connection, beside the writer's.
pub(super) fn open_reader(path: &Path) -> Result<Connection> {
    let connection = open(path, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
    connection.pragma_update(None, "query_only", "ON")?;
    connection.set_prepared_statement_cache_capacity(32);
    Ok(connection)
}

/// Opens a database without changing it. If it `is_quiescent` (it has no writer and no WAL), SQLite creates no files
/// beside it either.
pub(super) fn open_read_only(path: &Path, is_quiescent: bool) -> Result<Connection> {
    if !is_quiescent {
        return open(path, OpenFlags::SQLITE_OPEN_READ_ONLY);
    }
    let mut uri = b"file:".to_vec();
    for &byte in path.as_os_str().as_bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'/' | b'.' | b'-' | b'_' => uri.push(byte),
            _ => uri.extend_from_slice(format!("%{byte:02x}").as_bytes()),
        }
    }
    uri.extend_from_slice(b"?immutable=1");
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_URI;
    open(Path::new(OsStr::from_bytes(&uri)), flags)
}

fn open(path: &Path, mode: OpenFlags) -> Result<Connection> {
    let connection = Connection::open_with_flags(path, mode | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
    // Temporary files could keep text that is never erased.
    connection.pragma_update(None, "temp_store", "MEMORY")?;
    connection.pragma_update(None, "cell_size_check", "ON")?;
    connection.pragma_update(None, "trusted_schema", "OFF")?;
    Ok(connection)
}
