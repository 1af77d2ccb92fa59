//! Copies a hub to another folder while it runs, and brings such a copy back.
//!
//! A copy is the database as it was at one moment, without a WAL, and the hub's key. Nothing is ever written over.

use std::fs::{self, DirBuilder, File};
use std::io;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::Path;

use super::census::{VerifyReport, missing, verify_file};
use super::error::StoreError;
use super::folder::{Folder, private_file, sync_folder};
use super::look;

/// Copies the hub of `data_dir` to the folder `to`, which is made, or empty.
///
/// # Errors
/// When there is no hub that can be read, or `to` cannot be written; then nothing is left there.
pub fn back_up(data_dir: &Path, to: &Path) -> Result<VerifyReport, StoreError> {
    let (from, to) = (Folder::new(data_dir), Folder::new(to));
    let key = from.read_key()?.ok_or_else(|| missing(&from))?;
    let bytes = fs::metadata(from.database()).map_err(StoreError::io(&from.database(), "read"))?.len();
    let connection = look::open(&from.database(), bytes, false)?;
    make_empty(&to.path)?;
    let copy = to.draft();
    let copied = (|| {
        private_file(&copy).map_err(StoreError::io(&copy, "made"))?;
        let copy_name = copy.to_str().ok_or_else(|| not_text(&copy))?;
        connection.execute("VACUUM INTO ?1", [copy_name]).map_err(StoreError::sql(&from.database()))?;
        verify_file(&copy, key, false, true)?;
        to.put("hub.key", &key)?;
        // The name comes last: what has it is complete.
        to.adopt(&copy)
    })();
    if let Err(error) = copied {
        for path in [copy, to.key(), to.database()] {
            let _ = fs::remove_file(path);
        }
        return Err(error);
    }
    let above = to.path.parent().filter(|above| !above.as_os_str().is_empty()).unwrap_or(Path::new("."));
    sync_folder(above).map_err(StoreError::io(above, "written"))?;
    verify_file(&to.database(), key, false, true)
}

/// Brings a copy back to `data_dir`, where no hub is.
///
/// # Errors
/// When the copy is not whole, or there is a hub already.
pub fn restore(from: &Path, data_dir: &Path) -> Result<VerifyReport, StoreError> {
    let (from, to) = (Folder::new(from), Folder::new(data_dir));
    let key = from.read_key()?.ok_or_else(|| missing(&from))?;
    if from.wal().metadata().is_ok_and(|wal| wal.len() > 0) || from.is_taken() {
        return Err(StoreError::Misplaced { path: from.path, expected: "backup" });
    }
    verify_file(&from.database(), key, false, true)?;
    to.prepare()?;
    let _lock = to.lock()?;
    for path in [to.database(), to.wal()] {
        if path.exists() {
            return Err(StoreError::Occupied { path });
        }
    }
    if to.key().exists() && to.read_key()? != Some(key) {
        return Err(StoreError::Occupied { path: to.key() });
    }
    let draft = to.draft();
    copy(&from.database(), &draft).map_err(StoreError::io(&draft, "written"))?;
    to.put("hub.key", &key)?;
    to.adopt(&draft)?;
    verify_file(&to.database(), key, false, true)
}

fn copy(from: &Path, to: &Path) -> io::Result<()> {
    io::copy(&mut File::open(from)?, &mut private_file(to)?)?;
    Ok(())
}

/// Makes a folder that is not there, or sees that the one that is there is empty.
fn make_empty(path: &Path) -> Result<(), StoreError> {
    match DirBuilder::new().mode(0o700).create(path) {
        Ok(()) => Ok(()),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            let mut inside = fs::read_dir(path).map_err(StoreError::io(path, "read"))?;
            match inside.next() {
                None => Ok(()),
                Some(_) => Err(StoreError::Occupied { path: path.to_owned() }),
            }
        }
        Err(error) => Err(StoreError::io(path, "made")(error)),
    }
}

fn not_text(path: &Path) -> StoreError {
    let source = io::Error::new(io::ErrorKind::InvalidInput, "the name is not text");
    StoreError::io(path, "named to SQLite")(source)
}
