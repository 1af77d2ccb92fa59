//! Conversion between `u64` and SQLite's signed integers. No id, number or time of the hub comes near 2^63.

use rusqlite::{Error, Result, Row};

pub(super) fn to_sqlite(n: u64) -> i64 {
    i64::try_from(n).unwrap_or(i64::MAX)
}

pub(super) fn get_u64(row: &Row<'_>, column: usize) -> Result<u64> {
    let n = row.get::<_, i64>(column)?;
    u64::try_from(n).map_err(|_| Error::IntegralValueOutOfRange(column, n))
}
