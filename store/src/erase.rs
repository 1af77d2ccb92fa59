//! Deletes what is left of a channel, in pieces, so that nobody waits long for the writer.

use rusqlite::{Connection, OptionalExtension as _, Result, params};

/// What one transaction may delete.
#[derive(Debug)]
pub(super) struct Budget {
    rows: usize,
    bytes: u64,
}

impl Default for Budget {
    fn default() -> Self {
        Self { rows: 1024, bytes: 4 * 1024 * 1024 }
    }
}

impl Budget {
    fn is_used_up(&self) -> bool {
        self.rows == 0 || self.bytes == 0
    }

    fn take(&mut self, bytes: u64) {
        self.rows -= 1;
        self.bytes = self.bytes.saturating_sub(bytes);
    }
}

/// The big tables, with what their rows are found by and what they weigh.
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

/// Deletes of a channel what the budget allows. True when nothing is left of it.
pub(super) fn channel(connection: &Connection, no: i64, budget: &mut Budget) -> Result<bool> {
    for (find, delete) in TABLES {
        if budget.is_used_up() {
            return Ok(false);
        }
        let limit = i64::try_from(budget.rows).unwrap_or(i64::MAX);
        let found = connection
            .prepare_cached(find)?
            .query_map(params![no, limit], |row| Ok((row.get(0)?, row.get(1)?)))?
            .collect::<Result<Vec<(i64, i64)>>>()?;
        let mut delete = connection.prepare_cached(delete)?;
        for (key, bytes) in found {
            if budget.is_used_up() {
                return Ok(false);
            }
            delete.execute(params![no, key])?;
            budget.take(bytes.unsigned_abs());
        }
    }
    if budget.is_used_up() {
        return Ok(false);
    }
    connection.prepare_cached("DELETE FROM snapshots WHERE channel = ?1")?.execute([no])?;
    Ok(true)
}

/// Deletes the next piece of channels that were only begun. True when nothing is left to delete.
pub(super) fn next(connection: &Connection, budget: &mut Budget) -> Result<bool> {
    loop {
        let no = connection
            .prepare_cached("SELECT channel FROM erasing LIMIT 1")?
            .query_row([], |row| row.get::<_, i64>(0))
            .optional()?;
        let Some(no) = no else { return Ok(true) };
        if !channel(connection, no, budget)? {
            return Ok(false);
        }
        connection.prepare_cached("DELETE FROM erasing WHERE channel = ?1")?.execute([no])?;
    }
}
