//! The `hub` table: one value per name. It holds the id high-water mark, the number of channels, the probe value and the
//! hub's own metadata.

use rusqlite::types::FromSql;
use rusqlite::{Connection, OptionalExtension as _, Result, ToSql, params};

/// The names of the store's own values.
pub(super) const ID_HIGH_WATER_MARK: &str = "floor";
pub(super) const CHANNELS: &str = "channels";
pub(super) const PROBE: &str = "probe";

/// The name under which the hub's metadata `name` is stored. The prefix keeps it apart from the store's own values.
pub(super) fn hub_meta(name: &str) -> String {
    format!("note {name}")
}

pub(super) fn get<T: FromSql>(connection: &Connection, name: &str) -> Result<Option<T>> {
    connection.prepare_cached("SELECT value FROM hub WHERE name = ?1")?.query_row([name], |row| row.get(0)).optional()
}

pub(super) fn put(connection: &Connection, name: &str, value: &dyn ToSql) -> Result<()> {
    connection
        .prepare_cached("INSERT OR REPLACE INTO hub (name, value) VALUES (?1, ?2)")?
        .execute(params![name, value])?;
    Ok(())
}
