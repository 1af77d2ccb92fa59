//! Backs up a data directory, while a hub may be running on it, and restores such a backup.
//!
//! A backup is the database at one point in time, without a WAL, and the hub's key. Existing files are never overwritten.

use std::fs::{self, DirBuilder, File};
use std::io;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::Path;

use rusqlite::ErrorCode;

use super::data_dir::{DataDir, create_private_file, sync_dir};
use super::error::StoreError;
use super::inspect;
use super::verify::{VerifyReport, missing_key, verify_file};

/// Backs up the database and the key of `data_dir` to the directory `to`, which is created or empty. Verifies the backup.
///
/// # Errors
/// If the database cannot be read, or `to` cannot be written. No partial backup remains.
pub fn back_up(data_dir: &Path, to: &Path) -> Result<VerifyReport, StoreError> {
    let (from, to) = (DataDir::new(data_dir), DataDir::new(to));
    let key = from.read_key()?.ok_or_else(|| missing_key(&from))?;
    let bytes = fs::metadata(from.database()).map_err(StoreError::io(&from.database(), "read"))?.len();
    let connection = inspect::open_read_only(&from.database(), bytes, false)?;
    create_empty_dir(&to.path)?;
    let (database, copy) = (from.database(), to.new_database());
    let copied = (|| {
        create_private_file(&copy).map_err(StoreError::io(&copy, "created"))?;
        let copy_name = copy.to_str().ok_or_else(|| not_utf8(&copy))?;
        connection.execute("VACUUM INTO ?1", [copy_name]).map_err(|error| {
            let is_full = error.sqlite_error_code() == Some(ErrorCode::DiskFull);
            StoreError::sql(if is_full { &copy } else { &database })(error)
        })?;
        verify_file(&copy, key, false, true)?;
        to.write_file("hub.key", &key)?;
        // Renaming comes last: a database with its real name is complete.
        to.install_database(&copy)
    })();
    if let Err(error) = copied {
        for path in [copy, to.key(), to.database()] {
            let _ = fs::remove_file(path);
        }
        return Err(error);
    }
    let parent = to.path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    sync_dir(parent).map_err(StoreError::io(parent, "written"))?;
    verify_file(&to.database(), key, false, true)
}

/// Restores a backup to `data_dir`, which must have no database. Verifies the backup and the result.
///
/// # Errors
/// If the backup is corrupt, or `data_dir` has a database or another key.
pub fn restore(from: &Path, data_dir: &Path) -> Result<VerifyReport, StoreError> {
    let (from, to) = (DataDir::new(from), DataDir::new(data_dir));
    let key = from.read_key()?.ok_or_else(|| missing_key(&from))?;
    if from.wal().metadata().is_ok_and(|wal| wal.len() > 0) || from.is_locked() {
        return Err(StoreError::WrongFileType { path: from.path, expected: "backup" });
    }
    verify_file(&from.database(), key, false, true)?;
    to.create()?;
    let lock = to.lock()?;
    for path in [to.database(), to.wal()] {
        if path.exists() {
            return Err(StoreError::AlreadyExists { path });
        }
    }
    if to.key().exists() && to.read_key()? != Some(key) {
        return Err(StoreError::AlreadyExists { path: to.key() });
    }
    let new = to.new_database();
    copy(&from.database(), &new).map_err(StoreError::io(&new, "written"))?;
    to.write_file("hub.key", &key)?;
    // A hub that was killed here may have left a note about a WAL, which the restored database does not need.
    lock.note_wal(false);
    to.install_database(&new)?;
    verify_file(&to.database(), key, false, true)
}

fn copy(from: &Path, to: &Path) -> io::Result<()> {
    io::copy(&mut File::open(from)?, &mut create_private_file(to)?)?;
    Ok(())
}

/// Creates a directory, or checks that the existing one is empty.
fn create_empty_dir(path: &Path) -> Result<(), StoreError> {
    match DirBuilder::new().mode(0o700).create(path) {
        Ok(()) => Ok(()),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            let mut entries = fs::read_dir(path).map_err(StoreError::io(path, "read"))?;
            match entries.next() {
                None => Ok(()),
                Some(_) => Err(StoreError::AlreadyExists { path: path.to_owned() }),
            }
        }
        Err(error) => Err(StoreError::io(path, "created")(error)),
    }
}

fn not_utf8(path: &Path) -> StoreError {
    let source = io::Error::new(io::ErrorKind::InvalidInput, "the path is not UTF-8");
    StoreError::io(path, "passed to SQLite")(source)
}
