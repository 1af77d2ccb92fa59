//! Why the data directory cannot be used, and the way out.
//!
//! Whoever gets one of these can rely on it that nothing which was there before has been changed.

use std::io;
use std::path::{Path, PathBuf};

/// Why the store did not open.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The system does not let us.
    #[error("{} cannot be {doing}; give the hub's user the right to, or choose another folder with --data-dir", path.display())]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// What was tried, as in "cannot be opened".
        doing: &'static str,
        /// Why not.
        source: io::Error,
    },
    /// The folder or a file in it is another user's.
    #[error("{} belongs to user {owner}, and the hub runs as user {us}; run it as that user, or change the owner", path.display())]
    NotOurs {
        /// The file or folder.
        path: PathBuf,
        /// Whose it is.
        owner: u32,
        /// Who we are.
        us: u32,
    },
    /// Others could change what the hub keeps.
    #[error("other users may write to {}; take that right away with chmod 700, or choose another folder with --data-dir", path.display())]
    OpenToOthers {
        /// The folder.
        path: PathBuf,
    },
    /// Something else has the name of one of our files.
    #[error("{} is not a {expected}; move it away, or choose another folder with --data-dir", path.display())]
    Misplaced {
        /// What is in the way.
        path: PathBuf,
        /// What should be there.
        expected: &'static str,
    },
    /// Another process has the folder.
    #[error("{} is used by another hub; stop that one, or choose another folder with --data-dir", path.display())]
    Taken {
        /// The folder.
        path: PathBuf,
    },
    /// There is nothing where a hub should be.
    #[error("there is no hub in {}; say where it is with --data-dir", path.display())]
    Nothing {
        /// The folder.
        path: PathBuf,
    },
    /// There is something where nothing should be.
    #[error("{} is there already and is not written over; move it away, or say another folder", path.display())]
    Occupied {
        /// What is there.
        path: PathBuf,
    },
    /// There is a database and no key to it.
    #[error("{} is missing, and {} was made with it; bring both back from one backup with `rogerrat restore`", path.display(), database.display())]
    NoKey {
        /// Where the key should be.
        path: PathBuf,
        /// The database.
        database: PathBuf,
    },
    /// The key has the wrong length.
    #[error("{} holds {bytes} bytes, and a hub's key has 32; bring it back from a backup with `rogerrat restore`", path.display())]
    BadKey {
        /// The key's file.
        path: PathBuf,
        /// What it holds.
        bytes: u64,
    },
    /// The file is a database of something else.
    #[error("{} is not the database of a rogerrat hub; move it away, or choose another folder with --data-dir", path.display())]
    Foreign {
        /// The file.
        path: PathBuf,
    },
    /// The database was written by a newer hub.
    #[error("{} has schema {found}, and this version knows {known}; run the newer rogerrat, or bring back a backup from before it", path.display())]
    Newer {
        /// The file.
        path: PathBuf,
        /// Its schema.
        found: i64,
        /// The newest we know.
        known: i64,
    },
    /// The database is not as it was written.
    #[error("{} is damaged ({why}); it was not touched. Move it away and bring back a backup with `rogerrat restore`", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        why: String,
    },
    /// The database cannot be used.
    #[error("{} cannot be used", path.display())]
    Sql {
        /// The file.
        path: PathBuf,
        /// Why not.
        source: rusqlite::Error,
    },
}

impl StoreError {
    /// What makes a fault of the system one of ours.
    pub(super) fn io(path: &Path, doing: &'static str) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::Io { path, doing, source }
    }

    /// What makes a fault of SQLite one of ours.
    pub(super) fn sql(path: &Path) -> impl FnOnce(rusqlite::Error) -> Self {
        let path = path.to_owned();
        move |source| {
            if is_damage(&source) {
                Self::Damaged { path, why: source.to_string() }
            } else {
                Self::Sql { path, source }
            }
        }
    }

    pub(super) fn damaged(path: &Path, why: impl Into<String>) -> Self {
        Self::Damaged { path: path.to_owned(), why: why.into() }
    }
}

/// Whether SQLite read something it did not write.
pub(super) fn is_damage(error: &rusqlite::Error) -> bool {
    use rusqlite::ErrorCode::{DatabaseCorrupt, NotADatabase};
    matches!(error.sqlite_error_code(), Some(DatabaseCorrupt | NotADatabase))
        || matches!(error, rusqlite::Error::InvalidColumnType(..) | rusqlite::Error::IntegralValueOutOfRange(..))
}
