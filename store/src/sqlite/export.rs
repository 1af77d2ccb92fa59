//! Reads everything of a data directory, to be imported into another store.

use std::path::Path;

use rogerrat_domain::HubKey;
use rusqlite::Connection;
use rusqlite::types::Value;

use super::data_dir::{DataDir, DirLock};
use super::error::StoreError;
use super::verify::{VerifyReport, missing_key, verify_file};
use super::{Store, StoreOptions, meta, schema};

/// A data directory on which no hub runs, locked and verified.
pub(crate) struct SourceDir {
    pub(crate) key: HubKey,
    /// What it contains.
    pub(crate) report: VerifyReport,
    connection: Connection,
    _lock: DirLock,
}

/// The last run of the hub on a data directory.
#[derive(Clone, Copy)]
pub(crate) struct LastRun {
    /// Its number, from 1.
    pub(crate) id: u64,
    /// The last run that did not end cleanly; 0 if there was none.
    pub(crate) crashed: u64,
    /// The highest id that it could assign.
    pub(crate) id_ceiling: u64,
}

impl SourceDir {
    /// Locks and verifies a data directory. An older version of its tables is migrated.
    ///
    /// # Errors
    /// If it has no database or no key, if a hub runs on it, or if it is damaged.
    pub(crate) fn open(data_dir: &Path) -> Result<Self, StoreError> {
        let dir = DataDir::new(data_dir);
        let key = dir.read_key()?.ok_or_else(|| missing_key(&dir))?;
        let path = dir.database();
        if !path.exists() {
            return Err(StoreError::NotFound { path });
        }
        dir.check_files()?;
        let mut lock = dir.lock()?;
        dir.check_wal()?;
        let mut report = verify_file(&path, key, false, false)?;
        if report.schema < schema::VERSION {
            drop(lock);
            Store::open(data_dir, StoreOptions::default())?.close();
            lock = dir.lock()?;
            report = verify_file(&path, key, false, false)?;
        }
        let connection = schema::open_read_only(&path, false).map_err(StoreError::sql(&path))?;
        Ok(Self { key: HubKey::new(key), report, connection, _lock: lock })
    }

    /// The last run of the hub.
    pub(crate) fn last_run(&self) -> Result<LastRun, StoreError> {
        let failed = |error| StoreError::sql(&self.report.path)(error);
        let note = meta::get::<String>(&self.connection, &meta::hub_meta("run")).map_err(failed)?;
        let id_ceiling = meta::get::<i64>(&self.connection, meta::ID_HIGH_WATER_MARK).map_err(failed)?;
        let id_ceiling = u64::try_from(id_ceiling.unwrap_or(0)).unwrap_or(0);
        let note = note.unwrap_or_default();
        let mut words = note.split(' ');
        let id = words.next().and_then(|id| id.parse().ok()).unwrap_or(0).max(1);
        let is_clean = words.next() == Some("clean");
        let before = words.next().and_then(|crashed| crashed.parse().ok());
        let crashed = if is_clean { before.unwrap_or(id) } else { id };
        Ok(LastRun { id, crashed, id_ceiling })
    }

    /// Passes the rows of a query on, in its order.
    ///
    /// # Errors
    /// If the query fails, and those of `each`.
    pub(crate) fn for_each_row<E: From<StoreError>>(
        &self,
        sql: &str,
        mut each: impl FnMut(Vec<Value>) -> Result<(), E>,
    ) -> Result<(), E> {
        let failed = |error| StoreError::sql(&self.report.path)(error);
        let mut statement = self.connection.prepare(sql).map_err(failed)?;
        let columns = statement.column_count();
        let mut rows = statement.query([]).map_err(failed)?;
        while let Some(row) = rows.next().map_err(failed)? {
            let row = (0..columns).map(|column| row.get(column)).collect::<Result<_, _>>().map_err(failed)?;
            each(row)?;
        }
        Ok(())
    }
}
