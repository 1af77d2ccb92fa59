//! Conversion between `u64` and the signed integers of PostgreSQL. No id, number or time of the hub comes near 2^63.

use tokio_postgres::Row;

use super::session::SqlResult;

pub(super) fn to_sql(n: u64) -> i64 {
    i64::try_from(n).unwrap_or(i64::MAX)
}

/// The number in a column; 0 for a negative one, which the store never writes.
pub(super) fn get_u64(row: &Row, column: usize) -> SqlResult<u64> {
    Ok(u64::try_from(row.try_get::<_, i64>(column)?).unwrap_or(0))
}
