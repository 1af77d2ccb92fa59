//! What the parts of a verification share: their error, and a loop over the rows of a query.

use std::path::Path;

use rogerrat_actors::LogError;
use rusqlite::{Connection, Row};

use super::error::StoreError;

/// Why a verification stopped.
pub(super) enum ScanError {
    Sql(rusqlite::Error),
    Corrupt(String),
}

impl ScanError {
    pub(super) fn in_file(self, path: &Path) -> StoreError {
        match self {
            Self::Sql(error) => StoreError::sql(path)(error),
            Self::Corrupt(why) => StoreError::corrupt(path, why),
        }
    }
}

impl From<rusqlite::Error> for ScanError {
    fn from(error: rusqlite::Error) -> Self {
        Self::Sql(error)
    }
}

impl From<String> for ScanError {
    fn from(why: String) -> Self {
        Self::Corrupt(why)
    }
}

impl From<LogError> for ScanError {
    fn from(error: LogError) -> Self {
        Self::Corrupt(error.to_string())
    }
}

/// Checks each row of a query, and returns their number.
pub(super) fn for_each_row(
    connection: &Connection,
    sql: &str,
    mut check: impl FnMut(&Row<'_>) -> Result<(), ScanError>,
) -> Result<u64, ScanError> {
    let mut statement = connection.prepare(sql)?;
    let mut rows = statement.query([])?;
    let mut count = 0;
    while let Some(row) = rows.next()? {
        check(row)?;
        count += 1;
    }
    Ok(count)
}

pub(super) fn text<'r>(row: &'r Row<'_>, column: usize) -> Result<&'r str, ScanError> {
    Ok(row.get_ref(column)?.as_str().map_err(rusqlite::Error::from)?)
}

pub(super) fn blob<'r>(row: &'r Row<'_>, column: usize) -> Result<&'r [u8], ScanError> {
    Ok(row.get_ref(column)?.as_blob().map_err(rusqlite::Error::from)?)
}
