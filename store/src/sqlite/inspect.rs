//! Checks a database before it is opened for writing. It never changes a byte of it.

use std::fs::{self, File};
use std::io::{self, Read as _};
use std::path::Path;

use rusqlite::Connection;

use super::data_dir::DataDir;
use super::error::StoreError;
use super::schema::{self, APPLICATION_ID};

/// Databases up to this size are checked page by page at every start, which takes about 100 ms. `rogerrat verify` checks
/// any size.
const QUICK_CHECK_BYTES: u64 = 64 * 1024 * 1024;
/// The header of an SQLite file.
const HEADER_BYTES: usize = 100;
const MAGIC: &[u8] = b"SQLite format 3\0";

/// Whether the directory has a database.
///
/// # Errors
/// If it has one that this version cannot use.
pub(super) fn check_existing(dir: &DataDir) -> Result<bool, StoreError> {
    let path = dir.database();
    let wal_bytes = match fs::metadata(dir.wal()) {
        Ok(metadata) => metadata.len(),
        Err(error) if error.kind() == io::ErrorKind::NotFound => 0,
        Err(error) => return Err(StoreError::io(&dir.wal(), "read")(error)),
    };
    let bytes = match fs::metadata(&path) {
        Ok(metadata) => metadata.len(),
        Err(error) if error.kind() == io::ErrorKind::NotFound && wal_bytes == 0 => return Ok(false),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            return Err(StoreError::corrupt(&path, "it is missing, but its WAL exists"));
        }
        Err(error) => return Err(StoreError::io(&path, "read")(error)),
    };
    // After a crash the file may be incomplete without its WAL.
    let is_quiescent = wal_bytes == 0;
    let connection = open_read_only(&path, bytes, is_quiescent)?;
    if bytes <= QUICK_CHECK_BYTES {
        check_pages(&path, &connection, "quick_check")?;
    }
    connection.close().map_err(|(_, error)| StoreError::sql(&path)(error))?;
    Ok(true)
}

/// Opens a hub's database read-only, if this version knows its schema. `is_quiescent`: it has no writer and no WAL.
pub(super) fn open_read_only(path: &Path, bytes: u64, is_quiescent: bool) -> Result<Connection, StoreError> {
    check_header(path, bytes, is_quiescent)?;
    let connection = schema::open_read_only(path, is_quiescent).map_err(StoreError::sql(path))?;
    check_schema(path, &connection)?;
    Ok(connection)
}

/// Checks that the file is a hub's database, and as long as its header says.
fn check_header(path: &Path, bytes: u64, is_quiescent: bool) -> Result<(), StoreError> {
    let mut header = [0; HEADER_BYTES];
    let read = File::open(path).and_then(|mut file| file.read_exact(&mut header));
    match read {
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => {
            return Err(StoreError::corrupt(path, format!("it has only {bytes} bytes")));
        }
        read => read.map_err(StoreError::io(path, "read"))?,
    }
    if !header.starts_with(MAGIC) {
        return Err(StoreError::corrupt(path, "it is not an SQLite database"));
    }
    if i64::from(be_u32(&header, 68)) != APPLICATION_ID {
        return Err(StoreError::Foreign { path: path.to_owned() });
    }
    let page_bytes = match u64::from(be_u32(&header, 16) >> 16) {
        1 => 65_536,
        bytes => bytes,
    };
    let expected = u64::from(be_u32(&header, 28)) * page_bytes;
    if is_quiescent && bytes < expected {
        return Err(StoreError::corrupt(path, format!("it has {bytes} bytes of {expected}")));
    }
    Ok(())
}

fn be_u32(header: &[u8; HEADER_BYTES], at: usize) -> u32 {
    header[at..at + 4].iter().fold(0, |number, &byte| number << 8 | u32::from(byte))
}

/// Checks that this version knows the schema and that the tables can be read.
fn check_schema(path: &Path, connection: &Connection) -> Result<(), StoreError> {
    let found = schema::version(connection).map_err(StoreError::sql(path))?;
    if found > schema::VERSION {
        return Err(StoreError::NewerSchema { path: path.to_owned(), found, known: schema::VERSION });
    }
    if found < 1 {
        return Err(StoreError::corrupt(path, "it has no schema"));
    }
    let query = "SELECT count(*) FROM hub WHERE name IN ('floor', 'channels', 'probe')";
    match connection.query_row(query, [], |row| row.get::<_, i64>(0)) {
        Ok(3) => Ok(()),
        Ok(_) => Err(StoreError::corrupt(path, "its initial rows are missing")),
        Err(rusqlite::Error::SqliteFailure(_, Some(why))) => Err(StoreError::corrupt(path, why)),
        Err(error) => Err(StoreError::sql(path)(error)),
    }
}

/// Lets SQLite check every page. `pragma` is `quick_check` or `integrity_check`.
pub(super) fn check_pages(path: &Path, connection: &Connection, pragma: &str) -> Result<(), StoreError> {
    let sql = format!("PRAGMA {pragma}(1)");
    let found = connection.query_row(&sql, [], |row| row.get::<_, String>(0)).map_err(StoreError::sql(path))?;
    if found == "ok" {
        return Ok(());
    }
    let problem = found.lines().rfind(|line| !line.starts_with("***")).unwrap_or(&found);
    Err(StoreError::corrupt(path, problem))
}
