//! Errors of the data directory and its database. Each message says what to do.

use std::io;
use std::path::{Path, PathBuf};

use rogerrat_actors::LogError;

/// Why a data directory cannot be used.
///
/// Existing files have not been changed when one of these is returned.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// An I/O operation failed.
    #[error("{} cannot be {doing}; check its permissions for the hub's user, or choose another directory with --data-dir", path.display())]
    Io {
        /// The file or directory.
        path: PathBuf,
        /// What was tried, to complete "cannot be …".
        doing: &'static str,
        /// The cause.
        source: io::Error,
    },
    /// The directory or a file in it belongs to another user.
    #[error("{} belongs to user {owner}, but the hub runs as user {user}; run it as that user, or change the owner", path.display())]
    WrongOwner {
        /// The file or directory.
        path: PathBuf,
        /// The id of its owner.
        owner: u32,
        /// The id of this process's user.
        user: u32,
    },
    /// Other users can write to the directory.
    #[error("other users can write to {}; remove that permission with chmod 700, or choose another directory with --data-dir", path.display())]
    WritableByOthers {
        /// The directory.
        path: PathBuf,
    },
    /// A path holds something else than the expected file, directory or backup.
    #[error("{} is not a {expected}; move it away, or choose another directory with --data-dir", path.display())]
    WrongFileType {
        /// The path.
        path: PathBuf,
        /// What should be there.
        expected: &'static str,
    },
    /// Another process holds the lock of the directory.
    #[error("{} is used by another hub; stop that one, or choose another directory with --data-dir", path.display())]
    InUse {
        /// The directory.
        path: PathBuf,
    },
    /// The directory has no database.
    #[error("there is no hub in {}; name its directory with --data-dir", path.display())]
    NotFound {
        /// The directory.
        path: PathBuf,
    },
    /// The target of a backup or restore exists.
    #[error("{} already exists and is not overwritten; move it away, or choose another directory", path.display())]
    AlreadyExists {
        /// The existing file or directory.
        path: PathBuf,
    },
    /// The database has no key file.
    #[error("{} is missing, but {} needs it; restore both from one backup with `rogerrat restore`", path.display(), database.display())]
    MissingKey {
        /// Where the key should be.
        path: PathBuf,
        /// The database.
        database: PathBuf,
    },
    /// The hub ended without merging the WAL into the database, and the WAL is gone.
    #[error("{} is missing, but the last hub was killed before it could merge that file, so recent data is lost without it; put it back, or restore a backup with `rogerrat restore`. If another program has merged it, or to start without that data, delete {}", path.display(), lock.display())]
    MissingWal {
        /// Where the WAL should be.
        path: PathBuf,
        /// The lock file, which has the note about the WAL.
        lock: PathBuf,
    },
    /// The key has the wrong length.
    #[error("{} has {bytes} bytes, but a hub's key has 32; restore it from a backup with `rogerrat restore`", path.display())]
    InvalidKey {
        /// The key's file.
        path: PathBuf,
        /// Its length.
        bytes: u64,
    },
    /// The file is the database of another application.
    #[error("{} is not the database of a rogerrat hub; move it away, or choose another directory with --data-dir", path.display())]
    Foreign {
        /// The file.
        path: PathBuf,
    },
    /// The database was written by a newer hub.
    #[error("{} has schema {found}, but this version only knows schemas up to {known}; run the newer rogerrat, or restore an older backup", path.display())]
    NewerSchema {
        /// The file.
        path: PathBuf,
        /// Its schema.
        found: i64,
        /// The newest schema of this version.
        known: i64,
    },
    /// The database is corrupt.
    #[error("{} is damaged ({why}); it was not changed. Move it away and restore a backup with `rogerrat restore`", path.display())]
    Corrupt {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        why: String,
    },
    /// SQLite failed.
    #[error("{} cannot be used", path.display())]
    Sql {
        /// The file.
        path: PathBuf,
        /// The cause.
        source: rusqlite::Error,
    },
}

impl StoreError {
    /// Converts an I/O error.
    pub(super) fn io(path: &Path, doing: &'static str) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::Io { path, doing, source }
    }

    /// Converts an error of SQLite.
    pub(super) fn sql(path: &Path) -> impl FnOnce(rusqlite::Error) -> Self {
        let path = path.to_owned();
        move |source| {
            if is_corruption(&source) {
                Self::Corrupt { path, why: source.to_string() }
            } else {
                Self::Sql { path, source }
            }
        }
    }

    pub(super) fn corrupt(path: &Path, why: impl Into<String>) -> Self {
        Self::Corrupt { path: path.to_owned(), why: why.into() }
    }
}

/// Converts an error of SQLite for the callers of a query.
#[expect(clippy::needless_pass_by_value, reason = "map_err passes it by value")]
pub(super) fn log_error(error: rusqlite::Error) -> LogError {
    if is_corruption(&error) { LogError::Damaged(error.to_string()) } else { LogError::Failed(error.to_string()) }
}

/// Whether SQLite read something that it cannot have written.
fn is_corruption(error: &rusqlite::Error) -> bool {
    use rusqlite::ErrorCode::{DatabaseCorrupt, NotADatabase};
    matches!(error.sqlite_error_code(), Some(DatabaseCorrupt | NotADatabase))
        || matches!(error, rusqlite::Error::InvalidColumnType(..) | rusqlite::Error::IntegralValueOutOfRange(..))
}
