//! Looks at a database before anybody writes to it. It never changes a byte of it.

use std::fs::{self, File};
use std::io::{self, Read as _};
use std::path::Path;

use rusqlite::Connection;

use super::error::StoreError;
use super::folder::Folder;
use super::schema::{self, APPLICATION_ID};

/// Files up to this are checked page by page at every start; that takes some 100 ms. `rogerrat verify` checks any.
const CHECKED_BYTES: u64 = 64 * 1024 * 1024;
/// The header of an SQLite file.
const HEADER_BYTES: usize = 100;
const MAGIC: &[u8] = b"SQLite format 3\0";

/// Whether there is a database that this version can use. None is `false`; one it cannot use is refused.
pub(super) fn look(folder: &Folder) -> Result<bool, StoreError> {
    let path = folder.database();
    let wal_bytes = match fs::metadata(folder.wal()) {
        Ok(metadata) => metadata.len(),
        Err(error) if error.kind() == io::ErrorKind::NotFound => 0,
        Err(error) => return Err(StoreError::io(&folder.wal(), "read")(error)),
    };
    let bytes = match fs::metadata(&path) {
        Ok(metadata) => metadata.len(),
        Err(error) if error.kind() == io::ErrorKind::NotFound && wal_bytes == 0 => return Ok(false),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            return Err(StoreError::damaged(&path, "it is missing, and its WAL is there"));
        }
        Err(error) => return Err(StoreError::io(&path, "read")(error)),
    };
    // After a crash the WAL may hold what the file lacks.
    let is_still = wal_bytes == 0;
    let connection = open(&path, bytes, is_still)?;
    if bytes <= CHECKED_BYTES {
        check_pages(&path, &connection, "quick_check")?;
    }
    connection.close().map_err(|(_, error)| StoreError::sql(&path)(error))?;
    Ok(true)
}

/// Opens a database that is ours and that this version knows. `is_still`: nobody writes to it, and it has no WAL.
pub(super) fn open(path: &Path, bytes: u64, is_still: bool) -> Result<Connection, StoreError> {
    check_header(path, bytes, is_still)?;
    let connection = schema::open_to_look(path, is_still).map_err(StoreError::sql(path))?;
    check_schema(path, &connection)?;
    Ok(connection)
}

/// Whether the file is ours and as long as it says.
fn check_header(path: &Path, bytes: u64, is_still: bool) -> Result<(), StoreError> {
    let mut header = [0; HEADER_BYTES];
    let read = File::open(path).and_then(|mut file| file.read_exact(&mut header));
    match read {
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => {
            return Err(StoreError::damaged(path, format!("it has only {bytes} bytes")));
        }
        read => read.map_err(StoreError::io(path, "read"))?,
    }
    if !header.starts_with(MAGIC) {
        return Err(StoreError::damaged(path, "it is not an SQLite database"));
    }
    if i64::from(number(&header, 68)) != APPLICATION_ID {
        return Err(StoreError::Foreign { path: path.to_owned() });
    }
    let page_bytes = match u64::from(number(&header, 16) >> 16) {
        1 => 65_536,
        bytes => bytes,
    };
    let said = u64::from(number(&header, 28)) * page_bytes;
    if is_still && bytes < said {
        return Err(StoreError::damaged(path, format!("it has {bytes} bytes of {said}")));
    }
    Ok(())
}

fn number(header: &[u8; HEADER_BYTES], at: usize) -> u32 {
    header[at..at + 4].iter().fold(0, |number, &byte| number << 8 | u32::from(byte))
}

/// Whether this version knows the schema.
fn check_schema(path: &Path, connection: &Connection) -> Result<(), StoreError> {
    let found = schema::version(connection).map_err(StoreError::sql(path))?;
    if found > schema::VERSION {
        return Err(StoreError::Newer { path: path.to_owned(), found, known: schema::VERSION });
    }
    if found < 1 {
        return Err(StoreError::damaged(path, "it has no schema"));
    }
    // It can be read, and the tables are there.
    let query = "SELECT count(*) FROM hub WHERE name IN ('floor', 'channels', 'probe')";
    match connection.query_row(query, [], |row| row.get::<_, i64>(0)) {
        Ok(3) => Ok(()),
        Ok(_) => Err(StoreError::damaged(path, "its first entries are missing")),
        Err(rusqlite::Error::SqliteFailure(_, Some(why))) => Err(StoreError::damaged(path, why)),
        Err(error) => Err(StoreError::sql(path)(error)),
    }
}

/// Has SQLite look at every page; `how` is one of its two pragmas for that.
pub(super) fn check_pages(path: &Path, connection: &Connection, how: &str) -> Result<(), StoreError> {
    let sql = format!("PRAGMA {how}(1)");
    let found = connection.query_row(&sql, [], |row| row.get::<_, String>(0)).map_err(StoreError::sql(path))?;
    if found == "ok" {
        return Ok(());
    }
    let what = found.lines().rfind(|line| !line.starts_with("***")).unwrap_or(&found);
    Err(StoreError::damaged(path, what))
}
