//! SQLite's integers have a sign, ours have none. No id, number or time of ours comes near the sign.

use rusqlite::{Error, Result, Row};

/// A number for SQLite.
pub(super) fn signed(n: u64) -> i64 {
    i64::try_from(n).unwrap_or(i64::MAX)
}

/// A number from SQLite.
pub(super) fn unsigned(row: &Row<'_>, column: usize) -> Result<u64> {
    let n = row.get::<_, i64>(column)?;
    u64::try_from(n).map_err(|_| Error::IntegralValueOutOfRange(column, n))
}
