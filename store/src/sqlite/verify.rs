//! Verifies a database: decodes everything in it and counts it. It changes nothing, and a hub may be running on it.
//!
//! Accounts and webhooks are verified in `verify_accounts`.

use std::collections::{HashMap, HashSet};
use std::fs;
use std::path::{Path, PathBuf};

use rogerrat_actors::HookEncryptors;
use rogerrat_domain::email::EmailKeys;
use rogerrat_domain::{ChannelId, HubKey, Message, Settings, Snapshot};
use rusqlite::{Connection, Row};

use super::data_dir::{DataDir, KEY_BYTES};
use super::error::StoreError;
use super::scan::{ScanError, blob, for_each_row, text};
use super::sqlite_int::get_u64;
use super::{inspect, meta, schema, verify_accounts, verify_emails};
use crate::shared::checks::KnownOwners;
use crate::shared::encoding::{decode_json, decode_record};

/// What a verified database contains.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct VerifyReport {
    /// The database file; for PostgreSQL no path.
    pub path: PathBuf,
    /// Its size in bytes, without the WAL.
    pub bytes: u64,
    /// Its schema version.
    pub schema: i64,
    /// Whether a hub is running on it.
    pub is_in_use: bool,
    /// Channels, without bands.
    pub channels: u64,
    /// Stored messages.
    pub messages: u64,
    /// Log records that are not part of a snapshot.
    pub records: u64,
    /// Snapshots of channels.
    pub snapshots: u64,
    /// Transcript lines.
    pub transcript_lines: u64,
    /// Accounts.
    pub accounts: u64,
    /// Identities.
    pub identities: u64,
    /// E-mail addresses of accounts, verified or not.
    pub email_addresses: u64,
    /// Webhooks.
    pub webhooks: u64,
    /// Webhook deliveries, due and finished.
    pub deliveries: u64,
}

/// Verifies the database of a data directory: every page, and every record, snapshot, message, transcript line, account,
/// identity, e-mail address and webhook. Secrets, addresses and payloads must decrypt with the hub's key.
///
/// # Errors
/// If there is no database, or at the first corrupt part of it.
pub fn verify(data_dir: &Path) -> Result<VerifyReport, StoreError> {
    let dir = DataDir::new(data_dir);
    let key = dir.read_key()?.ok_or_else(|| missing_key(&dir))?;
    verify_file(&dir.database(), key, dir.is_locked(), false)
}

/// The error for a directory without a key file.
pub(super) fn missing_key(dir: &DataDir) -> StoreError {
    if dir.database().exists() {
        StoreError::MissingKey { path: dir.key(), database: dir.database() }
    } else {
        StoreError::NotFound { path: dir.path.clone() }
    }
}

pub(super) fn verify_file(
    path: &Path,
    key: [u8; KEY_BYTES],
    is_in_use: bool,
    is_quiescent: bool,
) -> Result<VerifyReport, StoreError> {
    let bytes = fs::metadata(path).map_err(StoreError::io(path, "read"))?.len();
    let connection = inspect::open_read_only(path, bytes, is_quiescent)?;
    inspect::check_pages(path, &connection, "integrity_check")?;
    // Everything from one point in time, while a hub may write.
    let tx = connection.unchecked_transaction().map_err(StoreError::sql(path))?;
    let key = HubKey::new(key);
    let counted = scan(&tx, &key).map_err(|error| error.in_file(path))?;
    let report = VerifyReport { path: path.to_owned(), bytes, is_in_use, ..counted };
    check_channel_count(&tx, &report)?;
    Ok(report)
}

/// Channel ids by number. Channels that are being purged are not among them.
type ChannelsByNumber = HashMap<i64, ChannelId>;

fn scan(connection: &Connection, key: &HubKey) -> Result<VerifyReport, ScanError> {
    let mut names = ChannelsByNumber::new();
    let mut channels = HashSet::new();
    for_each_row(connection, "SELECT no, id, settings FROM channels", |row| {
        let id = ChannelId::parse(text(row, 1)?);
        let id = id.map_err(|_| ScanError::Corrupt("a channel has an invalid id".into()))?;
        if let Some(settings) = row.get::<_, Option<Vec<u8>>>(2)? {
            decode_json::<Settings>(&id, "the settings", &settings)?;
            channels.insert(row.get::<_, i64>(0)?);
        }
        names.insert(row.get(0)?, id);
        Ok(())
    })?;
    let mut ends = HashMap::<i64, u64>::new();
    let snapshots = for_each_row(connection, &live_rows("channel, seq, body", "snapshots", ""), |row| {
        let channel = channel_of(&names, row)?;
        decode_json::<Snapshot>(channel, "the snapshot", blob(row, 2)?)?;
        ends.insert(row.get::<_, i64>(0)?, get_u64(row, 1)?);
        Ok(())
    })?;
    let bare = live_rows("channel, seq, rid, body", "records", "");
    let carried = live_rows("channel, seq, rid, record", "messages", "AND seq IS NOT NULL ORDER BY channel, seq");
    let snapshot_ends = ends.clone();
    let mut records = 0;
    for_each_row(connection, &format!("{bare} UNION ALL {carried}"), |row| {
        // A compacted record may still be stored with its message.
        if snapshot_ends.get(&row.get::<_, i64>(0)?).is_some_and(|&end| get_u64(row, 1).is_ok_and(|seq| seq <= end)) {
            return Ok(());
        }
        records += 1;
        let (channel, seq) = (channel_of(&names, row)?, get_u64(row, 1)?);
        decode_record(channel, seq, row.get(2)?, blob(row, 3)?)?;
        let end = ends.entry(row.get(0)?).or_default();
        if seq != *end + 1 {
            return Err(ScanError::Corrupt(format!("record {} of channel {channel} is missing", *end + 1)));
        }
        *end = seq;
        Ok(())
    })?;
    let messages = for_each_row(connection, &live_rows("channel, id, body", "messages", ""), |row| {
        let (channel, id) = (channel_of(&names, row)?, get_u64(row, 1)?);
        let read = Message::from_json(id, 0, None, blob(row, 2)?);
        read.map(|_| ()).map_err(|error| ScanError::Corrupt(format!("channel {channel}: {error}")))
    })?;
    let transcript_lines = for_each_row(connection, &live_rows("channel, json", "transcript", ""), |row| {
        let channel = channel_of(&names, row)?;
        Ok(decode_json::<serde::de::IgnoredAny>(channel, "the transcript", blob(row, 1)?).map(|_| ())?)
    })?;
    let (schema, counted) = (schema::version(connection)?, channels.len() as u64);
    let mut report = VerifyReport {
        schema,
        channels: counted,
        messages,
        records,
        snapshots,
        transcript_lines,
        ..VerifyReport::default()
    };
    let without_bands = names.iter().filter(|(no, _)| channels.contains(no)).map(|(_, id)| id.clone());
    let owners = KnownOwners { channels: without_bands.collect(), ..KnownOwners::default() };
    verify_accounts::scan(connection, owners, &HookEncryptors::of(key), &mut report)?;
    verify_emails::scan(connection, &EmailKeys::of(key), &mut report)?;
    Ok(report)
}

/// A query for the rows of channels that are not being purged.
fn live_rows(columns: &str, table: &str, order: &str) -> String {
    format!("SELECT {columns} FROM {table} WHERE channel NOT IN (SELECT channel FROM erasing) {order}")
}

fn channel_of<'n>(names: &'n ChannelsByNumber, row: &Row<'_>) -> Result<&'n ChannelId, ScanError> {
    let no = row.get::<_, i64>(0)?;
    names.get(&no).ok_or_else(|| ScanError::Corrupt(format!("there is no channel {no}, but it has rows")))
}

/// Compares the number of channels with the stored count.
fn check_channel_count(connection: &Connection, report: &VerifyReport) -> Result<(), StoreError> {
    let path = &report.path;
    let stored = meta::get::<i64>(connection, meta::CHANNELS).map_err(StoreError::sql(path))?;
    if stored.map(i64::unsigned_abs) == Some(report.channels) {
        return Ok(());
    }
    Err(StoreError::corrupt(path, format!("it has {} channels, but the stored count is {stored:?}", report.channels)))
}
