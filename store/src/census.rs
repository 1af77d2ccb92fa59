//! Reads everything a database holds and counts it. It changes nothing, and a hub may run meanwhile.
//!
//! What there is of accounts and webhooks is read beside it, in `belongings`.

use std::collections::{HashMap, HashSet};
use std::fs;
use std::path::{Path, PathBuf};

use rogerrat_actors::HookEncryptors;
use rogerrat_domain::{ChannelId, HubKey, Message, Settings, Snapshot};
use rusqlite::{Connection, Row};

use super::error::StoreError;
use super::folder::{Folder, KEY_BYTES};
use super::number::unsigned;
use super::{belongings, body, look, schema};

/// What a database holds.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct VerifyReport {
    /// The file.
    pub path: PathBuf,
    /// Its size in bytes, without its WAL.
    pub bytes: u64,
    /// Its schema.
    pub schema: i64,
    /// Whether a hub runs on it.
    pub is_in_use: bool,
    /// Channels, bands not counted.
    pub channels: u64,
    /// Messages.
    pub messages: u64,
    /// Records.
    pub records: u64,
    /// Snapshots.
    pub snapshots: u64,
    /// Lines of transcripts.
    pub lines: u64,
    /// Accounts.
    pub accounts: u64,
    /// Identities.
    pub identities: u64,
    /// Webhooks.
    pub webhooks: u64,
    /// Deliveries that are due, or were.
    pub deliveries: u64,
}

/// Reads all of a hub's database: every page, and every record, snapshot, message and line, every account, identity and
/// webhook. What is hidden in it must open with the hub's key.
///
/// # Errors
/// When there is none, or the first thing in it that is not as it was written.
pub fn verify(data_dir: &Path) -> Result<VerifyReport, StoreError> {
    let folder = Folder::new(data_dir);
    let key = folder.read_key()?.ok_or_else(|| missing(&folder))?;
    verify_file(&folder.database(), key, folder.is_taken(), false)
}

/// What is missing where there is no key.
pub(super) fn missing(folder: &Folder) -> StoreError {
    if folder.database().exists() {
        StoreError::NoKey { path: folder.key(), database: folder.database() }
    } else {
        StoreError::Nothing { path: folder.path.clone() }
    }
}

pub(super) fn verify_file(
    path: &Path,
    key: [u8; KEY_BYTES],
    is_in_use: bool,
    is_still: bool,
) -> Result<VerifyReport, StoreError> {
    let bytes = fs::metadata(path).map_err(StoreError::io(path, "read"))?.len();
    let connection = look::open(path, bytes, is_still)?;
    look::check_pages(path, &connection, "integrity_check")?;
    // All of it as it was at one moment, whatever a hub writes meanwhile.
    let moment = connection.unchecked_transaction().map_err(StoreError::sql(path))?;
    let vaults = HookEncryptors::of(&HubKey::new(key));
    let counted = count(&moment, &vaults).map_err(|fault| fault.of(path))?;
    let census = VerifyReport { path: path.to_owned(), bytes, is_in_use, ..counted };
    check_count(&moment, &census)?;
    Ok(census)
}

/// Why the counting stopped.
pub(super) enum Fault {
    Sql(rusqlite::Error),
    Damaged(String),
}

impl Fault {
    fn of(self, path: &Path) -> StoreError {
        match self {
            Self::Sql(error) => StoreError::sql(path)(error),
            Self::Damaged(why) => StoreError::damaged(path, why),
        }
    }
}

impl From<rusqlite::Error> for Fault {
    fn from(error: rusqlite::Error) -> Self {
        Self::Sql(error)
    }
}

impl From<rogerrat_actors::LogError> for Fault {
    fn from(error: rogerrat_actors::LogError) -> Self {
        Self::Damaged(error.to_string())
    }
}

/// The channels by their numbers; what is being deleted has none any more.
type Names = HashMap<i64, ChannelId>;

fn count(connection: &Connection, vaults: &HookEncryptors) -> Result<VerifyReport, Fault> {
    let mut names = Names::new();
    let mut channels = HashSet::new();
    each(connection, "SELECT no, id, settings FROM channels", |row| {
        let id = ChannelId::parse(row.get_ref(1)?.as_str().map_err(rusqlite::Error::from)?);
        let id = id.map_err(|_| Fault::Damaged("a channel has no proper id".into()))?;
        if let Some(settings) = row.get::<_, Option<Vec<u8>>>(2)? {
            body::json::<Settings>(&id, "the settings", &settings)?;
            channels.insert(row.get::<_, i64>(0)?);
        }
        names.insert(row.get(0)?, id);
        Ok(())
    })?;
    let mut ends = HashMap::<i64, u64>::new();
    let snapshots = each(connection, &owned("channel, seq, body", "snapshots", ""), |row| {
        let channel = name(&names, row)?;
        body::json::<Snapshot>(channel, "the snapshot", row.get_ref(2)?.as_blob().map_err(rusqlite::Error::from)?)?;
        ends.insert(row.get::<_, i64>(0)?, unsigned(row, 1)?);
        Ok(())
    })?;
    let bare = owned("channel, seq, rid, body", "records", "");
    let carried = owned("channel, seq, rid, record", "messages", "AND seq IS NOT NULL ORDER BY channel, seq");
    let folded = ends.clone();
    let mut records = 0;
    each(connection, &format!("{bare} UNION ALL {carried}"), |row| {
        // What is folded may still lie with its message.
        if folded.get(&row.get::<_, i64>(0)?).is_some_and(|&end| unsigned(row, 1).is_ok_and(|seq| seq <= end)) {
            return Ok(());
        }
        records += 1;
        let (channel, seq) = (name(&names, row)?, unsigned(row, 1)?);
        body::record(channel, seq, row.get(2)?, row.get_ref(3)?.as_blob().map_err(rusqlite::Error::from)?)?;
        let end = ends.entry(row.get(0)?).or_default();
        if seq != *end + 1 {
            return Err(Fault::Damaged(format!("record {} of channel {channel} is missing", *end + 1)));
        }
        *end = seq;
        Ok(())
    })?;
    let messages = each(connection, &owned("channel, id, body", "messages", ""), |row| {
        let (channel, id) = (name(&names, row)?, unsigned(row, 1)?);
        let json = row.get_ref(2)?.as_blob().map_err(rusqlite::Error::from)?;
        let read = Message::stored(id, 0, None, json);
        read.map(|_| ()).map_err(|bad| Fault::Damaged(format!("channel {channel}: {bad}")))
    })?;
    let lines = each(connection, &owned("channel, json", "transcript", ""), |row| {
        let channel = name(&names, row)?;
        let json = row.get_ref(1)?.as_blob().map_err(rusqlite::Error::from)?;
        Ok(body::json::<serde::de::IgnoredAny>(channel, "the transcript", json).map(|_| ())?)
    })?;
    let (schema, counted) = (schema::version(connection)?, channels.len() as u64);
    let mut census =
        VerifyReport { schema, channels: counted, messages, records, snapshots, lines, ..VerifyReport::default() };
    let plain = names.iter().filter(|(no, _)| channels.contains(no)).map(|(_, id)| id);
    belongings::count(connection, plain, vaults, &mut census)?;
    Ok(census)
}

/// Rows that belong to a channel that is not being deleted.
fn owned(columns: &str, table: &str, order: &str) -> String {
    format!("SELECT {columns} FROM {table} WHERE channel NOT IN (SELECT channel FROM erasing) {order}")
}

/// Looks at each row, and says how many there are.
pub(super) fn each(
    connection: &Connection,
    sql: &str,
    mut look: impl FnMut(&Row<'_>) -> Result<(), Fault>,
) -> Result<u64, Fault> {
    let mut statement = connection.prepare(sql)?;
    let mut rows = statement.query([])?;
    let mut count = 0;
    while let Some(row) = rows.next()? {
        look(row)?;
        count += 1;
    }
    Ok(count)
}

fn name<'n>(names: &'n Names, row: &Row<'_>) -> Result<&'n ChannelId, Fault> {
    let no = row.get::<_, i64>(0)?;
    names.get(&no).ok_or_else(|| Fault::Damaged(format!("there is no channel {no} for what is kept of it")))
}

/// Whether there are as many channels as the hub counted.
fn check_count(connection: &Connection, census: &VerifyReport) -> Result<(), StoreError> {
    let path = &census.path;
    let counted = super::reader::value::<i64>(connection, "channels").map_err(StoreError::sql(path))?;
    if counted.map(i64::unsigned_abs) == Some(census.channels) {
        return Ok(());
    }
    Err(StoreError::damaged(path, format!("it has {} channels and counted {counted:?}", census.channels)))
}
