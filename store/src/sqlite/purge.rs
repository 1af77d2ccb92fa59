//! Deletes the rows of deleted channels, a bounded number per transaction, so that no write waits long behind it.

use rusqlite::{Connection, OptionalExtension as _, Result, params};

/// What one transaction may still delete.
#[derive(Debug)]
pub(super) struct PurgeBudget {
    rows: usize,
    bytes: u64,
}

impl Default for PurgeBudget {
    fn default() -> Self {
        Self { rows: 1024, bytes: 4 * 1024 * 1024 }
    }
}

impl PurgeBudget {
    fn is_exhausted(&self) -> bool {
        self.rows == 0 || self.bytes == 0
    }

    fn spend(&mut self, bytes: u64) {
        self.rows -= 1;
        self.bytes = self.bytes.saturating_sub(bytes);
    }
}

/// For each big table: a query for keys and sizes, and the deletion by key.
const TABLES: [(&str, &str); 3] = [
    (
        "SELECT id, length(body) FROM messages WHERE channel = ?1 ORDER BY id LIMIT ?2",
        "DELETE FROM messages WHERE channel = ?1 AND id = ?2",
    ),
    (
        "SELECT seq, length(body) FROM records WHERE channel = ?1 ORDER BY seq LIMIT ?2",
        "DELETE FROM records WHERE channel = ?1 AND seq = ?2",
    ),
    (
        "SELECT n, length(json) FROM transcript WHERE channel = ?1 ORDER BY n LIMIT ?2",
        "DELETE FROM transcript WHERE channel = ?1 AND n = ?2",
    ),
];

/// Deletes the rows of a channel as far as the budget allows. True when none is left.
pub(super) fn purge_channel(connection: &Connection, no: i64, budget: &mut PurgeBudget) -> Result<bool> {
    for (find, delete) in TABLES {
        if budget.is_exhausted() {
            return Ok(false);
        }
        let limit = i64::try_from(budget.rows).unwrap_or(i64::MAX);
        let found = connection
            .prepare_cached(find)?
            .query_map(params![no, limit], |row| Ok((row.get(0)?, row.get(1)?)))?
            .collect::<Result<Vec<(i64, i64)>>>()?;
        let mut delete = connection.prepare_cached(delete)?;
        for (key, bytes) in found {
            if budget.is_exhausted() {
                return Ok(false);
            }
            delete.execute(params![no, key])?;
            budget.spend(bytes.unsigned_abs());
        }
    }
    if budget.is_exhausted() {
        return Ok(false);
    }
    connection.prepare_cached("DELETE FROM snapshots WHERE channel = ?1")?.execute([no])?;
    Ok(true)
}

/// Continues with the channels whose deletion is not finished. True when all are purged.
pub(super) fn purge_next(connection: &Connection, budget: &mut PurgeBudget) -> Result<bool> {
    loop {
        let no = connection
            .prepare_cached("SELECT channel FROM erasing LIMIT 1")?
            .query_row([], |row| row.get::<_, i64>(0))
            .optional()?;
        let Some(no) = no else { return Ok(true) };
        if !purge_channel(connection, no, budget)? {
            return Ok(false);
        }
        connection.prepare_cached("DELETE FROM erasing WHERE channel = ?1")?.execute([no])?;
    }
}
